//! SNMP walks: what `snmpwalk`, `snmpbulkwalk` and `snmpget` print (numeric, symbolic, quick, with or without types,
//! values over several lines), and snmpsim's `.snmprec`.
//!
//! **What it reads.** The tables of modems in [`mibs`]; entities of ENTITY-MIB that are a modem (same index as the
//! cellular table, or a module maker's part called modem); `sysDescr`, `sysName`, `sysObjectID` and the chassis as the
//! host; names and types of interfaces. In a base that no table here knows, a symbol says what it is
//! (`acmeModemImei`); a number does not, so there only a value counts that can be nothing else: a firmware revision of
//! a known grammar, an IMEI whose check digit is right (both as inferred).
//!
//! **When it is wrong.** A walk is what the router says that the modem said. A router that hides the module behind its
//! own names (Cradlepoint, Peplink) leaves "cellular, module unknown". An interface named `wwan` on OpenWrt may be a
//! Wi-Fi uplink; only kernel names with a number and interface types of 3GPP and 3GPP2 count.
//!
//! **Traps.** Teltonika's `48690.1` changed its meaning: in walks with a modem table it holds serial, name, product
//! code and firmware of the router, in older ones the modem's IMEI, model, maker and revision. `RUT950` is never a
//! modem. Entities are mostly fans, ports and disks (`EG0600FBVFP`); a WAN card of the router's maker is not a module.

mod line;
mod mibs;

use std::collections::BTreeMap;

use umbilical_core::number::{Check, Imei, imei};
use umbilical_core::{Basis, Group, IdKind, Kind};
use umbilical_knowledge::{Scope, Strength};

use self::line::{Object, Open, from_hex, is_octets, read};
use self::mibs::{ENTERPRISES, HOSTS, MIBS};
use super::pairs::{Voice, What, host_serial, imei_like, names_maker, names_model, nothing, say, squash};
use super::{Dialect, Host, Line, Part};
use crate::Head;

/// How sure it is that a text is a walk: most of its first lines are bindings.
pub(crate) fn sniff(head: &Head<'_>) -> u8 {
    let Some(text) = head.text.as_deref() else { return 0 };
    let lines = || text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).take(20);
    let (all, good) = (lines().count(), lines().filter(|l| read(l).is_some()).count());
    if good >= 1 && good.saturating_mul(2) > all { 90 } else { 0 }
}

/// A string that goes on behind its line.
struct Pending {
    n: u32,
    object: Object,
    text: String,
    open: Open,
    lines: u32,
}

/// The longest value that is collected from several lines.
const LINES: u32 = 64;
/// As many entities are kept.
const ENTITIES: usize = 20_000;

#[derive(Default)]
struct Entity {
    n: u32,
    class: String,
    text: BTreeMap<u32, String>,
}

impl Entity {
    fn column(&self, column: u32) -> &str {
        self.text.get(&column).map_or("", |t| if nothing(t) { "" } else { t.as_str() })
    }
}

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Snmp {
    pending: Option<Pending>,
    descr: Option<(u32, String)>,
    object_id: String,
    object_line: u32,
    serial: Option<String>,
    /// The enterprise of the last known table met: the maker, where `sysObjectID` does not say.
    touched: Option<u32>,
    entities: BTreeMap<String, Entity>,
    /// Indices of Cisco's cellular table.
    cellular: Vec<String>,
    /// Teltonika's `48690.1` and `48690.2` scalars: line, group, number, value.
    teltonika: Vec<(u32, u32, u32, String)>,
    modem_table: bool,
    /// Where an interface is called `wwan`, without a number.
    wwan: Option<u32>,
    any: bool,
}

impl Dialect for Snmp {
    fn name(&self) -> &'static str {
        "snmp"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        if let Some(pending) = &mut self.pending {
            if pending.take(line.raw) {
                return true;
            }
            self.flush(host);
        }
        let Some(binding) = read(line.text) else { return false };
        let text = binding.value.text.into_owned();
        self.any = true;
        if binding.value.open == Open::No {
            self.bind(line.n, &binding.object, &text, host);
        } else {
            self.pending = Some(Pending { n: line.n, object: binding.object, text, open: binding.value.open, lines: 0 });
        }
        true
    }

    fn end(&mut self, host: &mut Host<'_, '_>) {
        self.flush(host);
        self.conclude(host);
    }
}

impl Pending {
    /// Takes a line that goes on with the value, and says whether it was one.
    fn take(&mut self, raw: &str) -> bool {
        self.lines = self.lines.saturating_add(1);
        if self.lines > LINES || self.text.len() > 1 << 14 {
            return false;
        }
        match self.open {
            Open::Quote => {
                let raw = raw.trim_end();
                let (part, closed) = raw.strip_suffix('"').map_or((raw, false), |p| (p, true));
                // A quote that nobody closed must not swallow the walk.
                if !closed && read(raw.trim()).is_some() {
                    return false;
                }
                self.text.push('\n');
                self.text.push_str(part);
                if closed {
                    self.open = Open::No;
                }
                true
            }
            Open::Hex if is_octets(raw.trim()) => {
                self.text.push_str(&from_hex(raw.trim()));
                true
            }
            // Display strings of a few lines: a system's description.
            Open::Bare if self.lines <= 6 && !raw.trim().is_empty() && read(raw.trim()).is_none() && !prompt(raw) && self.describes() => {
                self.text.push('\n');
                self.text.push_str(raw.trim());
                true
            }
            _ => false,
        }
    }

    fn describes(&self) -> bool {
        matches!(&self.object, Object::Numeric(oid) if oid.starts_with("1.3.6.1.2.1.1.1.") || oid.starts_with("1.3.6.1.2.1.47.1.1.1.1.2."))
    }
}

/// Whether a line looks like a shell's or a router's prompt.
fn prompt(raw: &str) -> bool {
    let head = raw.trim_start();
    head.starts_with(['$', '#', '>']) || head.split([' ', '\t']).next().is_some_and(|w| w.contains('@') || w.ends_with(['#', '$', '>']))
}

impl Snmp {
    fn flush(&mut self, host: &mut Host<'_, '_>) {
        if let Some(p) = self.pending.take() {
            self.bind(p.n, &p.object, p.text.trim(), host);
        }
    }

    fn bind(&mut self, n: u32, object: &Object, value: &str, host: &mut Host<'_, '_>) {
        match object {
            Object::Numeric(oid) => self.numeric(n, oid, value, host),
            Object::Symbol { module, name, index } => self.symbol(n, module, name, index, value, host),
        }
    }

    fn numeric(&mut self, n: u32, oid: &str, value: &str, host: &mut Host<'_, '_>) {
        if let Some(rest) = oid.strip_prefix("1.3.6.1.2.1.") {
            self.standard(n, rest, value, host);
            return;
        }
        let Some(rest) = oid.strip_prefix("1.3.6.1.4.1.") else { return };
        if let Some(rest) = oid.strip_prefix("1.3.6.1.4.1.48690.") {
            let numbers: Vec<u32> = rest.split('.').map_while(|p| p.parse().ok()).collect();
            match numbers.as_slice() {
                [group @ (1 | 2), number, 0] => {
                    self.teltonika.push((n, *group, *number, value.to_owned()));
                    return;
                }
                [2, 2, 1, ..] => self.modem_table = true,
                _ => return,
            }
        }
        let mut known = false;
        if let Some((_, what, _)) = HOSTS.iter().find(|(o, ..)| *o == oid) {
            known = true;
            // Digi repeats the router's name where it has no modem.
            let router = value.starts_with("WR") || value.starts_with("TransPort");
            match what {
                What::HostSerial => self.serial = Some(value.to_owned()),
                What::Model | What::Revision if !router => {
                    let part = host.part("modem:0");
                    say(host, part, n, *what, value, Voice::MODEM);
                }
                What::HostModel => say(host, Part::HOST, n, *what, value, Voice::MODEM),
                _ => {}
            }
        }
        for mib in MIBS {
            let Some(rest) = oid.strip_prefix(mib.base).and_then(|r| r.strip_prefix('.')) else { continue };
            known = true;
            let (column, index) = rest.split_once('.').unwrap_or((rest, ""));
            // Scalars end in 0; so do rows of tables that count from 0.
            let part = modem(host, index);
            if nothing(value) || value == "-9999" {
                continue;
            }
            match mib.columns.iter().find(|(c, ..)| column.parse() == Ok(*c)) {
                Some((.., what)) => self.modem_value(n, part, *what, value, mib.name, host),
                None if mib.cellular && live(value) => host.fact(part, n, Kind::Cellular, &format!("{} populated", mib.name)),
                None => {}
            }
            if mib.base.starts_with("1.3.6.1.4.1.9.9.661.") && !self.cellular.iter().any(|i| i == index) {
                self.cellular.push(index.to_owned());
            }
        }
        if known {
            self.touched = rest.split('.').next().and_then(|e| e.parse().ok());
        } else {
            self.enterprise(n, rest, value, host);
        }
    }

    fn modem_value(&mut self, n: u32, part: Part, what: What, value: &str, mib: &str, host: &mut Host<'_, '_>) {
        match what {
            // A router's own name for its modem says nothing; one that names a module does.
            What::MaybeModel => {
                say(host, part, n, What::MaybeModel, value, Voice::MODEM);
                host.fact(part, n, Kind::Cellular, &format!("{mib} populated"));
            }
            What::Imei if !imei_like(value) => host.fact(part, n, Kind::Cellular, &format!("{mib} populated")),
            What::Imei => {
                say(host, part, n, what, value, Voice::MODEM);
                host.fact(part, n, Kind::Cellular, &format!("{mib} populated"));
            }
            _ => say(host, part, n, what, value, Voice::MODEM),
        }
    }

    fn standard(&mut self, n: u32, rest: &str, value: &str, host: &mut Host<'_, '_>) {
        match rest {
            "1.1.0" => {
                let other = self.descr.as_ref().is_some_and(|(_, d)| d != value);
                if other {
                    self.conclude(host);
                    host.next_thing();
                }
                self.descr = Some((n, value.to_owned()));
                return;
            }
            "1.2.0" => {
                let value = value.trim_start_matches('.');
                // Symbolic walks print `SNMPv2-SMI::enterprises.9.1.2105`.
                self.object_id = value.rsplit_once("enterprises.").map_or_else(|| value.to_owned(), |(_, r)| format!("1.3.6.1.4.1.{r}"));
                self.object_line = n;
                return;
            }
            "1.5.0" => {
                if !nothing(value) {
                    host.id(Part::HOST, IdKind::Name, value);
                }
                return;
            }
            "1.6.0" => {
                if !nothing(value) {
                    host.id(Part::HOST, IdKind::Site, value);
                }
                return;
            }
            _ => {}
        }
        if let Some(entity) = rest.strip_prefix("47.1.1.1.1.") {
            let Some((column, index)) = entity.split_once('.') else { return };
            let Ok(column) = column.parse::<u32>() else { return };
            if self.entities.len() >= ENTITIES && !self.entities.contains_key(index) {
                return;
            }
            let entity = self.entities.entry(index.to_owned()).or_default();
            if column == 5 {
                value.clone_into(&mut entity.class);
            } else if matches!(column, 2 | 7..=13) {
                entity.n = if entity.n == 0 || column == 13 { n } else { entity.n };
                entity.text.insert(column, value.to_owned());
            }
        } else if rest.starts_with("2.2.1.2.") || rest.starts_with("31.1.1.1.1.") {
            if cellular_interface(value) {
                let part = host.part("modem");
                host.fact(part, n, Kind::Cellular, &format!("interface {}", value.trim()));
            } else if value.trim() == "wwan" {
                self.wwan = Some(n);
            }
        } else if rest.starts_with("2.2.1.3.") && matches!(value.trim_end_matches(')').rsplit('(').next(), Some("243" | "244")) {
            // IANAifType-MIB: wwanPP(243) for 3GPP, wwanPP2(244) for 3GPP2.
            let part = host.part("modem");
            host.fact(part, n, Kind::Cellular, "interface type wwanPP");
        }
    }

    /// A symbol of a base that no table here has: its name says what it is, or nothing does.
    fn symbol(&mut self, n: u32, module: &str, name: &str, index: &str, value: &str, host: &mut Host<'_, '_>) {
        if nothing(value) {
            return;
        }
        let what = match (module, name) {
            ("TELTONIKA-MIB", "ModemImei") => Some(What::Imei),
            ("TELTONIKA-MIB", "ModemModel") => Some(What::Model),
            ("TELTONIKA-MIB", "ModemManufacturer") => Some(What::Manufacturer),
            ("TELTONIKA-MIB", "ModemRevision") => Some(What::Revision),
            ("TELTONIKA-MIB", "RouterName" | "ProductCode") => Some(What::HostModel),
            _ => by_symbol(name),
        };
        let router = value.starts_with("RUT") || value.starts_with("TRB");
        match what {
            Some(What::Model | What::Manufacturer) if router => {}
            Some(what) => {
                let part = modem(host, index);
                self.modem_value(n, part, what, value, module, host);
            }
            None => {}
        }
    }

    /// A number in a base that no table here has: only values that can be nothing else.
    fn enterprise(&mut self, n: u32, rest: &str, value: &str, host: &mut Host<'_, '_>) {
        let token = (8..=64).contains(&value.len()) && value.is_ascii() && !value.contains([' ', '/', '\\', '@']);
        // Net-SNMP's own base lists programs and disks.
        if !token || rest.starts_with("2021.") || rest.starts_with("8072.") {
            return;
        }
        let equipment = value.len() == 15 && (value.starts_with("35") || value.starts_with("86"));
        if equipment && matches!(imei(value), Imei::Whole { check: Check::Right, .. }) {
            let part = host.part("modem");
            host.imei_of(part, n, value, Group::OwnWord, Basis::Inferred);
            return;
        }
        let letters = value.bytes().any(|b| b.is_ascii_alphabetic()) && value.bytes().filter(u8::is_ascii_digit).count() >= 4;
        if letters {
            let hits = host.cx.knowledge.matches(Scope::Revision, value);
            let decides = hits.iter().any(|h| h.pattern.strength == Strength::Decide && h.span.start == 0 && h.span.len() >= 10);
            if decides {
                let part = host.part("modem");
                host.fact_of(part, n, Kind::FirmwareRevision, value, Group::OwnWord, Basis::Inferred);
            }
        }
    }

    /// The walk (or its part about one host) is over.
    fn conclude(&mut self, host: &mut Host<'_, '_>) {
        if !std::mem::take(&mut self.any) {
            return;
        }
        let enterprise = self.object_id.strip_prefix("1.3.6.1.4.1.").and_then(|r| r.split('.').next()).and_then(|e| e.parse().ok());
        let named = |e: u32| ENTERPRISES.iter().find(|(n, _)| *n == e).map(|(_, m)| (*m).to_owned());
        // Net-SNMP's own number (8072) names no maker.
        let mut maker = enterprise.and_then(named).or_else(|| self.touched.take().and_then(named));
        self.of_teltonika(&mut maker, host);
        let modelled = self.of_entities(&mut maker, host);
        if let Some((n, descr)) = self.descr.take() {
            of_description(n, &descr, modelled, &mut maker, host);
        }
        if let (Some(maker), Some(serial)) = (&maker, self.serial.take()) {
            host_serial(host, maker, &serial);
        }
        // FortiGate calls the interface of its built-in modem so; elsewhere a Wi-Fi uplink may be called so.
        if let (Some(n), Some("Fortinet")) = (self.wwan.take(), maker.as_deref()) {
            let part = host.part("modem");
            host.fact(part, n, Kind::Cellular, "interface wwan");
        }
        if let Some(maker) = maker {
            host.fact(Part::HOST, std::mem::take(&mut self.object_line), Kind::HostMaker, &maker);
        }
        self.object_id.clear();
        self.touched = None;
        self.entities.clear();
        self.cellular.clear();
        self.teltonika.clear();
        self.modem_table = false;
    }

    fn of_teltonika(&self, maker: &mut Option<String>, host: &mut Host<'_, '_>) {
        if self.teltonika.is_empty() && !self.modem_table {
            return;
        }
        *maker = Some("Teltonika".into());
        let scalar = |number: u32| {
            self.teltonika.iter().find(|(_, g, k, v)| *g == 1 && *k == number && !nothing(v)).map(|(n, _, _, v)| (*n, v.as_str()))
        };
        // Scalars of the old mobile group: 2.1 to 2.9 SIM state, signal, operator. The new one has only counts there.
        let old_group = self.teltonika.iter().any(|(_, g, k, _)| *g == 2 && !matches!(*k, 1 | 3));
        let first_is_imei = scalar(1).is_some_and(|(_, v)| v.len() >= 14 && imei_like(v));
        let legacy = !self.modem_table && (old_group || first_is_imei || scalar(7).is_some() || scalar(8).is_some());
        for (n, group, number, value) in self.teltonika.iter().filter(|(_, _, _, v)| !nothing(v)) {
            let (n, router) = (*n, model_of(value));
            match (group, number, legacy) {
                (1, 7 | 8, true) => {
                    host.fact(Part::HOST, n, Kind::HostModel, router.unwrap_or(value));
                }
                (1, 1..=4, true) if router.is_none() => {
                    let what = match number {
                        1 => What::Imei,
                        2 => What::Model,
                        3 => What::Manufacturer,
                        _ => What::Revision,
                    };
                    let part = host.part("modem");
                    say(host, part, n, what, value, Voice::MODEM);
                }
                (1, 6, true) => {
                    let part = host.part("modem");
                    say(host, part, n, What::Imsi, value, Voice::MODEM);
                }
                (2, 2..=9, true) => {
                    let part = host.part("modem");
                    host.fact(part, n, Kind::Cellular, "TELTONIKA-MIB mobile group populated");
                }
                (1, 1, false) => host_serial(host, "Teltonika", value),
                (1, 2 | 3, false) => match router {
                    Some(model) => host.fact(Part::HOST, n, Kind::HostModel, model),
                    None if *number == 2 => host.id(Part::HOST, IdKind::Name, value),
                    None => {}
                },
                _ => {}
            }
        }
    }

    /// Says the chassis and the modems among the entities; whether the chassis has a model.
    fn of_entities(&self, maker: &mut Option<String>, host: &mut Host<'_, '_>) -> bool {
        let mut modelled = false;
        let chassis = self.entities.values().find(|e| e.class.trim_end_matches(')').rsplit('(').next() == Some("3"));
        if let Some(chassis) = chassis {
            let name = chassis.column(13);
            if !name.is_empty() {
                modelled = true;
                host.fact(Part::HOST, chassis.n, Kind::HostModel, name);
            }
            if maker.is_none() && !chassis.column(12).is_empty() {
                *maker = Some(chassis.column(12).to_owned());
            }
            host_serial(host, maker.as_deref().unwrap_or(chassis.column(12)), chassis.column(11));
        }
        for (index, entity) in &self.entities {
            let words = squash(&format!("{} {}", entity.column(2), entity.column(7)));
            let modem_word = ["modem", "cellular", "wwan", "lte", "5g", "4g"].iter().any(|w| words.contains(w));
            let module_maker = || names_maker(host.cx.knowledge, entity.column(12)) || names_maker(host.cx.knowledge, entity.column(2));
            let listed = self.cellular.iter().any(|i| i == index);
            // Outright: a maker of modules, and a model of its catalogue and nothing else.
            let outright = || {
                let model = entity.column(13).trim();
                let kb = host.cx.knowledge;
                let whole = kb.models_in(model).into_iter().find(|h| h.span == (0..model.len()));
                whole.is_some_and(|h| kb.brands_in(entity.column(12)).iter().any(|b| b.brand.brand == h.module.maker))
            };
            if listed || (modem_word && module_maker()) || outright() {
                let part = modem(host, index);
                let revision = [9, 10].map(|c| entity.column(c)).into_iter().find(|t| !t.is_empty()).unwrap_or_default();
                let descr = if names_model(host.cx.knowledge, entity.column(13)) { "" } else { entity.column(2) };
                for (what, value) in [
                    (What::Manufacturer, entity.column(12)),
                    (What::Model, entity.column(13)),
                    (What::MaybeModel, descr),
                    (What::Revision, revision),
                    (What::ModemSerial, entity.column(11)),
                ] {
                    say(host, part, entity.n, what, value, Voice::MODEM);
                }
                host.fact(part, entity.n, Kind::Cellular, "modem entity");
            } else if words.contains("wwanmodem") || words.contains("cellularmodem") || words.contains("ltemodem") {
                let part = host.part("modem");
                host.fact(part, entity.n, Kind::Cellular, "modem entity");
            }
        }
        modelled
    }
}

/// The part of a modem by its index in a table.
fn modem(host: &mut Host<'_, '_>, index: &str) -> Part {
    let index: String = index.chars().take(40).collect();
    host.part(&if index.is_empty() { "modem".to_owned() } else { format!("modem:{index}") })
}

/// What the name of an object of an unknown base says: `acmeCellModemImei`, `wwanFirmwareVersion`.
fn by_symbol(name: &str) -> Option<What> {
    let name = name.to_ascii_lowercase();
    let ends = |words: &[&str]| words.iter().any(|w| name.ends_with(w));
    if ends(&["imei", "imeinumber"]) {
        return Some(What::Imei);
    }
    if ends(&["iccid", "simid"]) {
        return Some(What::Iccid);
    }
    if ends(&["imsi"]) {
        return Some(What::Imsi);
    }
    let about = ["modem", "cellular", "cell", "lte", "wwan", "mobile", "radiomodule", "gsm"].iter().any(|w| name.contains(w));
    if !about {
        return None;
    }
    if ends(&["manufacturer", "vendor", "mfg"]) {
        Some(What::Manufacturer)
    } else if ends(&["model", "modelname", "modeltype"]) {
        Some(What::Model)
    } else if ends(&["firmware", "firmwareversion", "fwversion", "revision", "softwareversion", "swversion"]) {
        Some(What::Revision)
    } else if ends(&["rsrp", "rsrq", "rssi", "operator", "simstatus", "simstate", "apn", "signalstrength"]) {
        Some(What::Cellular)
    } else {
        None
    }
}

/// Whether a value shows something at work: not nought, not the `-9999` of "no value".
fn live(value: &str) -> bool {
    let value = value.trim();
    !matches!(value, "0" | "-9999" | "-1") && !value.eq_ignore_ascii_case("n/a")
}

/// The names of interfaces that only cellular modems have.
fn cellular_interface(name: &str) -> bool {
    let lower = name.trim().to_ascii_lowercase();
    let numbered = |word: &str| {
        lower.strip_prefix(word).is_some_and(|r| {
            let r = r.trim_start_matches([' ', '-', '_']);
            !r.is_empty() && r.len() <= 12 && r.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'/' | b'.' | b':'))
        })
    };
    ["wwan", "lte", "cellular", "cell", "rmnet", "rmnet_mhi", "mhi_hwip", "nr5g"].iter().any(|w| numbered(w))
}

/// The model inside a Teltonika name or product code: `RUTX1100XXXX`, `TRB255`. Six characters, a family and digits.
fn model_of(value: &str) -> Option<&str> {
    const FAMILIES: &[&str] = &["RUTX", "RUTM", "RUTC", "RUT", "TRB", "OTD", "TCR", "TAP", "TSW", "SWM", "DAP", "ATRM", "TRM"];
    let head = value.get(..6).filter(|h| FAMILIES.iter().any(|f| h.starts_with(f)))?;
    let digits = head.bytes().filter(u8::is_ascii_digit).count() >= 2;
    let whole = value.len() == 6 || (10..=16).contains(&value.len());
    (digits && whole && value.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(head)
}

/// The host in `sysDescr`, by its maker's way of writing it.
fn of_description(n: u32, descr: &str, modelled: bool, maker: &mut Option<String>, host: &mut Host<'_, '_>) {
    let descr = descr.trim();
    if nothing(descr) {
        return;
    }
    let first = descr.lines().next().unwrap_or_default();
    let model = |host: &mut Host<'_, '_>, text: &str| host.fact(Part::HOST, n, Kind::HostModel, text.trim());
    if let Some(rest) = first.strip_prefix("RouterOS ") {
        *maker = Some("MikroTik".into());
        // `RBSXTR&R11e-LTE`: the board, and the card in it. That the second is the modem is a reading, not a statement.
        let (board, card) = rest.split_once('&').unwrap_or((rest, ""));
        model(host, board);
        if !nothing(card) {
            let part = host.part("modem");
            host.fact_of(part, n, Kind::Model, card.trim(), Group::OwnWord, Basis::Inferred);
            host.fact_of(part, n, Kind::Cellular, "modem card in the product code", Group::OwnWord, Basis::Inferred);
        }
    } else if let Some((name, _)) = first.split_once(", Firmware Version ") {
        let name = name.trim();
        let (brand, product) = name.split_once(' ').unwrap_or(("", name));
        if maker.is_none() && !brand.is_empty() {
            *maker = Some(brand.to_owned());
        }
        model(host, product);
    } else if first.starts_with("Cisco ") {
        maker.get_or_insert_with(|| "Cisco".into());
        // `Cisco IOS Software [Bengaluru], ISR Software (…)`: the platform, in brackets.
        if !modelled && let Some(platform) = first.split_once(" Software (").and_then(|(_, r)| r.split_once(')')).map(|(p, _)| p) {
            let family = platform.split('-').next().unwrap_or(platform);
            model(host, family);
        }
    } else if matches!(
        maker.as_deref(),
        Some("Peplink" | "Pepwave" | "Moxa" | "Westermo" | "Siemens" | "Digi" | "Sierra Wireless" | "Lantronix")
    ) {
        model(host, first);
    } else if first.starts_with("Pepwave ") || first.starts_with("Peplink ") {
        *maker = first.split(' ').next().map(str::to_owned);
        model(host, first);
    } else if let Some(name) = first.strip_prefix("Linux ").and_then(|r| r.split(' ').next()) {
        // The kernel's view: its second word is the host's name.
        host.id(Part::HOST, IdKind::Name, name);
        if maker.as_deref() == Some("Teltonika")
            && let Some(router) = model_of(name.trim_start_matches("Teltonika-").trim_end_matches(".com"))
        {
            model(host, router);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_a_source_and_a_base() {
        for mib in MIBS {
            assert!(!mib.source.is_empty() && mib.base.starts_with("1.3.6.1.4.1."), "{}", mib.base);
            assert!(mib.cellular || !mib.columns.is_empty(), "{}", mib.base);
        }
    }

    #[test]
    fn names() {
        assert_eq!(model_of("RUTX1100XXXX"), Some("RUTX11"));
        assert_eq!(model_of("RUT950"), Some("RUT950"));
        assert_eq!(model_of("Systemname"), None);
        for name in ["wwan0", "lte1", "Cellular0/1/0", "Cellular 1", "rmnet0"] {
            assert!(cellular_interface(name), "{name}");
        }
        for name in ["wwan", "wlan0", "lan1", "cellar", "eth0", "modem"] {
            assert!(!cellular_interface(name), "{name}");
        }
        assert_eq!(by_symbol("acmeLteModemModelName"), Some(What::Model));
        assert_eq!(by_symbol("upsIdentModel"), None);
    }
}
