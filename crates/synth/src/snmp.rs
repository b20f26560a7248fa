//! SNMP walks of routers, numeric (`snmpwalk -On`), symbolic, and as snmpsim records.

use std::fmt::Write as _;

use crate::modem::Modem;

/// A value of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// OCTET STRING.
    Text(String),
    /// INTEGER.
    Number(i64),
    /// OBJECT IDENTIFIER without its leading dot.
    Oid(String),
}

/// A walk: object identifiers without leading dot, in order.
#[derive(Clone, Debug, Default)]
pub struct Walk(pub Vec<(String, Value)>);

impl Walk {
    /// Begins with what every agent answers: sysDescr, sysObjectID, sysName.
    pub fn new(descr: &str, object_id: &str, name: &str) -> Self {
        let mut walk = Self::default();
        walk.text("1.3.6.1.2.1.1.1.0", descr);
        walk.0.push(("1.3.6.1.2.1.1.2.0".into(), Value::Oid(object_id.into())));
        walk.text("1.3.6.1.2.1.1.5.0", name);
        walk
    }

    /// Adds a text.
    pub fn text(&mut self, oid: &str, text: &str) -> &mut Self {
        self.0.push((oid.into(), Value::Text(text.into())));
        self
    }

    /// Adds a number.
    pub fn number(&mut self, oid: &str, n: i64) -> &mut Self {
        self.0.push((oid.into(), Value::Number(n)));
        self
    }

    /// Row `index` of Teltonika's modem table (TELTONIKA-RUTX-MIB modemTable, firmware 7 and later).
    pub fn teltonika_modem(&mut self, index: u32, modem: &Modem, serial: &str) -> &mut Self {
        let table = "1.3.6.1.4.1.48690.2.2.1";
        for (column, text) in [
            (2, "1-1"),
            (3, &modem.imei),
            (4, modem.model),
            (5, modem.manufacturer),
            (6, modem.revision),
            (7, serial),
            (8, &modem.imsi),
            (9, "Inserted"),
            (11, "Registered, home"),
            (27, &modem.iccid),
        ] {
            if !text.is_empty() {
                self.text(&format!("{table}.{column}.{index}"), text);
            }
        }
        self
    }

    /// Entry `index` of a Cisco router that has a modem: ENTITY-MIB and CISCO-WAN-3G-MIB.
    pub fn cisco_modem(&mut self, index: u32, description: &str, manufacturer: &str, model: &str, imei: &str, imsi: &str) -> &mut Self {
        let entity = "1.3.6.1.2.1.47.1.1.1.1";
        self.text(&format!("{entity}.2.{index}"), description);
        self.text(&format!("{entity}.12.{index}"), manufacturer);
        self.text(&format!("{entity}.13.{index}"), model);
        let wan = "1.3.6.1.4.1.9.9.661.1.3.1.1";
        self.text(&format!("{wan}.1.{index}"), imsi);
        self.text(&format!("{wan}.2.{index}"), imei);
        self
    }

    /// `snmpwalk -On`.
    pub fn numeric(&self) -> String {
        let mut out = String::new();
        for (oid, value) in &self.0 {
            let _ = match value {
                Value::Text(text) => writeln!(out, ".{oid} = STRING: \"{text}\""),
                Value::Number(n) => writeln!(out, ".{oid} = INTEGER: {n}"),
                Value::Oid(o) => writeln!(out, ".{oid} = OID: .{o}"),
            };
        }
        out
    }

    /// `snmpwalk` with the names of SNMPv2-MIB and ENTITY-MIB loaded, enterprises numeric.
    pub fn symbolic(&self) -> String {
        let names = [
            ("1.3.6.1.2.1.1.1.", "SNMPv2-MIB::sysDescr."),
            ("1.3.6.1.2.1.1.2.", "SNMPv2-MIB::sysObjectID."),
            ("1.3.6.1.2.1.1.5.", "SNMPv2-MIB::sysName."),
            ("1.3.6.1.2.1.47.1.1.1.1.2.", "ENTITY-MIB::entPhysicalDescr."),
            ("1.3.6.1.2.1.47.1.1.1.1.12.", "ENTITY-MIB::entPhysicalMfgName."),
            ("1.3.6.1.2.1.47.1.1.1.1.13.", "ENTITY-MIB::entPhysicalModelName."),
            ("1.3.6.1.4.1.", "SNMPv2-SMI::enterprises."),
        ];
        let named = |oid: &str| {
            names
                .iter()
                .find_map(|(from, to)| oid.strip_prefix(from).map(|rest| format!("{to}{rest}")))
                .unwrap_or_else(|| format!(".{oid}"))
        };
        let mut out = String::new();
        for (oid, value) in &self.0 {
            let _ = match value {
                Value::Text(text) => writeln!(out, "{} = STRING: {text}", named(oid)),
                Value::Number(n) => writeln!(out, "{} = INTEGER: {n}", named(oid)),
                Value::Oid(o) => writeln!(out, "{} = OID: {}", named(oid), named(o)),
            };
        }
        out
    }

    /// snmpsim's record format.
    pub fn snmprec(&self) -> String {
        let mut out = String::new();
        for (oid, value) in &self.0 {
            let _ = match value {
                Value::Text(text) => writeln!(out, "{oid}|4|{text}"),
                Value::Number(n) => writeln!(out, "{oid}|2|{n}"),
                Value::Oid(o) => writeln!(out, "{oid}|6|{o}"),
            };
        }
        out
    }
}
