//! `mmcli` of ModemManager: the text form of `-L`, `-m`, `-i`, the key-value form `-K`, the JSON form `-J`.
//!
//! **What it reads.** Manufacturer, model and revision as ModemManager has them, the plugin it chose, the path of the
//! device (which joins it with what the bus shows), drivers and ports, equipment id, numbers, registration; of a SIM
//! its ICCID, IMSI and EID.
//!
//! Its log names the device that a modem is made of, and sometimes its revision and model.
//!
//! **Old versions** (before 1.8) put values in quotes and break them over lines; sections have other names.
//!
//! **Traps.** Manufacturer may be "generic", "Intel" or "QUALCOMM INCORPORATED", model "0"; the model may hold an id
//! (`MBIM [1BC7:1041]`). The equipment id may be an ESN, "unknown" or "0". The carrier configuration names an operator,
//! not a maker. The plugin is ModemManager's own choice by vendor id or probing: a usable hint of the vendor.

use serde_json::Value;
use umbilical_core::number::{Imei, imei, imsi, msisdn};
use umbilical_core::text::is_blank;
use umbilical_core::{IdKind, Kind};

use super::bus::{by_path, driver, hex4, pci, port_name, usb_id};
use super::{Dialect, Host, Line, Part};

/// Reads text and key-value output.
#[derive(Default)]
pub(super) struct Mmcli {
    part: Option<Part>,
    /// What the block has said, so that a block without its head is told from the one before.
    seen: Vec<String>,
    section: String,
    /// A quoted value that goes on in the next line.
    open: Option<(String, String, u32)>,
    /// The modem that the command asked for.
    asked: Option<String>,
    /// Modems whose block with a path has begun, by their key.
    blocks: Vec<(String, Part)>,
    /// A further block of such a modem: of the same one, unless it turns out to say another IMEI.
    again: Option<(String, Part)>,
    /// The device for which ModemManager's log says that it makes a modem: the next number is its.
    made: Option<String>,
}

/// As many blocks are told apart.
const BLOCKS: usize = 256;

const SECTIONS: &[&str] = &[
    "General",
    "Hardware",
    "System",
    "Numbers",
    "Status",
    "Modes",
    "Bands",
    "IP",
    "3GPP",
    "3GPP EPS",
    "3GPP 5GNR",
    "3GPP USSD",
    "CDMA",
    "SIM",
    "Bearers",
    "Bearer",
    "Properties",
    "Firmware",
    "Location",
    "Cell broadcast",
];

/// The number at the end of an object path.
fn number<'a>(path: &'a str, kind: &str) -> Option<&'a str> {
    let (_, rest) = path.split_once("/org/freedesktop/ModemManager1/")?;
    let digits = rest.strip_prefix(kind)?.strip_prefix('/')?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end).filter(|d| !d.is_empty() && d.len() <= 9)
}

fn unquote(value: &str) -> &str {
    let value = value.trim();
    value.strip_prefix('\'').map_or(value, |v| v.strip_suffix('\'').unwrap_or(v)).trim()
}

/// A value that ModemManager has no answer for.
fn nothing(value: &str) -> bool {
    is_blank(value) || value == "0" || value.eq_ignore_ascii_case("generic")
}

/// Says one property of a modem or SIM, by the last word or words of its name in any form.
pub(super) fn property(host: &mut Host<'_, '_>, part: Part, n: u32, name: &str, value: &str) {
    let value = unquote(value);
    if nothing(value) {
        return;
    }
    match name {
        "manufacturer" => host.fact(part, n, Kind::Manufacturer, value),
        "model" => {
            host.fact(part, n, Kind::Model, value);
            // `MBIM [1BC7:1041]`
            let id = value.split_once('[').and_then(|(_, r)| r.split_once(']')).and_then(|(id, _)| id.split_once(':'));
            if let Some((Some(vid), Some(pid))) = id.map(|(v, p)| (hex4(v), hex4(p))) {
                usb_id(host, part, n, vid, pid);
            }
        }
        "revision" | "firmware revision" => host.fact(part, n, Kind::FirmwareRevision, value),
        "h/w revision" | "hardware revision" | "hardware-revision" => host.fact(part, n, Kind::HardwareRevision, value),
        "plugin" => host.fact(part, n, Kind::Plugin, value),
        "equipment id" | "equipment-identifier" | "imei" => {
            if !matches!(imei(value), Imei::No) {
                host.imei(part, n, value);
            } else if value.len() == 14 && value.bytes().all(|b| b.is_ascii_hexdigit()) {
                host.id(part, IdKind::Meid, &value.to_ascii_uppercase());
            }
        }
        "meid" if value.len() == 14 && value.bytes().all(|b| b.is_ascii_hexdigit()) => {
            host.id(part, IdKind::Meid, &value.to_ascii_uppercase());
        }
        "device" | "physdev" => {
            if let Some(key) = by_path(value).or_else(|| pci(value)) {
                host.also(part, &key);
            }
        }
        "drivers" => {
            for name in value.split(", ").take(8) {
                driver(host, part, n, name);
            }
        }
        "ports" => {
            for port in value.split(", ").take(32) {
                if let Some(port) = port_name(port) {
                    host.also(part, &format!("port:{port}"));
                }
            }
        }
        "own" | "own-numbers" => {
            for text in value.split(", ").take(4) {
                if let Some(text) = msisdn(unquote(text)) {
                    host.id(part, IdKind::Msisdn, &text);
                }
            }
        }
        "state" => {
            if matches!(value, "registered" | "connected" | "connecting" | "disconnecting") {
                host.fact(part, n, Kind::Cellular, "registered");
            }
        }
        "registration" | "registration-state" => {
            if matches!(value, "home" | "roaming") {
                host.fact(part, n, Kind::Cellular, "registered");
            }
        }
        // Old versions call it `id`.
        "id" if umbilical_core::number::iccid(value).is_some() => {
            property(host, part, n, "iccid", value);
        }
        "iccid" | "identifier" => {
            host.iccid(part, n, value);
            host.fact(part, n, Kind::Cellular, "sim");
        }
        "imsi" if (imsi(value).is_some() || umbilical_core::number::is_masked(value)) => {
            host.id(part, IdKind::Imsi, value);
            host.fact(part, n, Kind::Cellular, "sim");
        }
        "eid" => {
            if let Some((eid, _)) = umbilical_core::number::eid(value) {
                host.id(part, IdKind::Eid, &eid);
            }
        }
        "primary sim path" | "sim" | "primary-sim" => {
            if let Some(sim) = number(value, "SIM") {
                host.also(part, &format!("sim:{sim}"));
            }
        }
        _ => {}
    }
}

impl Mmcli {
    fn begin(&mut self, key: &str, n: u32, host: &mut Host<'_, '_>) -> Part {
        let part = host.part(key);
        if key.starts_with("modem") {
            host.fact(part, n, Kind::Cellular, "modem-manager");
        }
        self.part = Some(part);
        self.seen.clear();
        self.section.clear();
        part
    }

    /// A block with the path of its modem begins. Two hosts pasted one after the other both have a modem 0.
    fn block(&mut self, key: &str, n: u32, host: &mut Host<'_, '_>) {
        self.settle(host);
        let first = self.blocks.iter().rev().find(|(k, _)| k == key).map(|(_, part)| *part);
        let part = match first {
            None => self.begin(key, n, host),
            Some(_) if self.blocks.len() >= BLOCKS => self.begin(key, n, host),
            Some(_) => {
                let part = self.begin(&format!("{key}#{n}"), n, host);
                self.again = Some((key.to_owned(), part));
                part
            }
        };
        if first != Some(part) {
            self.blocks.push((key.to_owned(), part));
        }
    }

    /// The block has ended: it was of a modem that had one before, or of another.
    fn settle(&mut self, host: &mut Host<'_, '_>) {
        if let Some((key, part)) = self.again.take() {
            let earlier = self.blocks.iter().rev().filter(|(k, p)| *k == key && *p != part);
            for (_, other) in earlier {
                if host.join(part, *other) {
                    break;
                }
            }
        }
    }

    /// ModemManager's log: `[device /sys/…/1-1] creating modem with plugin 'quectel' …`, `[modem0] … revision: …`.
    fn log(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let Some((_, rest)) = line.text.split_once('[').filter(|(before, _)| before.is_empty() || before.starts_with('<')) else {
            return false;
        };
        let Some((about, said)) = rest.split_once("] ") else { return false };
        if let Some(device) = about.strip_prefix("device ") {
            // What the line says is for the dialect of the manager's programs.
            if said.contains("creating modem with plugin") {
                self.made = by_path(device).or_else(|| pci(device));
            }
            return false;
        }
        let number = about.strip_prefix("modem").map(|r| r.split('/').next().unwrap_or(r));
        let Some(number) = number.filter(|d| !d.is_empty() && d.len() <= 9 && d.bytes().all(|b| b.is_ascii_digit())) else { return false };
        let key = format!("modem:{number}");
        if let Some(place) = self.made.take() {
            let part = host.part(&place);
            // Numbers are not given twice while the manager runs.
            host.now(part, &key);
        }
        let Some((name, value)) = said.split_once(": ") else { return false };
        let name = name.trim().to_ascii_lowercase();
        let names = ["manufacturer", "model", "firmware revision", "revision", "equipment identifier"];
        let Some(name) = names.into_iter().find(|n| name.ends_with(n)) else { return false };
        let part = host.part(&key);
        property(host, part, line.n, if name == "equipment identifier" { "equipment-identifier" } else { name }, value);
        true
    }

    /// The part of a line whose block began somewhere else.
    fn current(&mut self, name: &str, n: u32, host: &mut Host<'_, '_>) -> Part {
        let again = matches!(name, "manufacturer" | "path" | "dbus-path") && self.seen.iter().any(|s| s == name);
        match self.part {
            Some(part) if !again => part,
            _ => {
                let asked = self.asked.take();
                let key = match &asked {
                    Some(asked) => asked.clone(),
                    // A second block without its head is of another modem.
                    None if again => format!("modem#{n}"),
                    None => "modem".to_owned(),
                };
                self.begin(&key, n, host)
            }
        }
    }

    fn say(&mut self, name: &str, value: &str, n: u32, host: &mut Host<'_, '_>) {
        if matches!(name, "path" | "dbus-path") {
            let plain = unquote(value);
            if let Some(modem) = number(plain, "Modem") {
                self.block(&format!("modem:{modem}"), n, host);
            } else if let Some(sim) = number(plain, "SIM") {
                self.begin(&format!("sim:{sim}"), n, host);
            }
            self.seen.push(name.to_owned());
            return;
        }
        // `state` of the 3GPP section, of a bearer or of a location is not the modem's.
        if (name == "state" && !matches!(self.section.as_str(), "Status" | "General" | ""))
            || matches!(self.section.as_str(), "Bearer" | "Location")
        {
            return;
        }
        let part = self.current(name, n, host);
        if self.seen.len() < 100 {
            self.seen.push(name.to_owned());
        }
        property(host, part, n, name, value);
    }

    fn table(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let Some((section, rest)) = line.text.split_once('|') else { return false };
        let (section, rest) = (section.trim(), rest.trim());
        if !section.is_empty() && !SECTIONS.contains(&section) {
            return false;
        }
        if section.is_empty() && self.part.is_none() && self.section.is_empty() && !rest.contains(": ") {
            return false;
        }
        if let Some((name, mut value, n)) = self.open.take() {
            // `'gsm-umts` / `lte` / `gsm-umts, lte'`
            if section.is_empty() && value.len() < 4096 {
                value.push(' ');
                value.push_str(rest);
                if rest.ends_with('\'') {
                    self.say(&name, &value, n, host)
                } else {
                    self.open = Some((name, value, n))
                }
                return true;
            }
            self.say(&name, &value, n, host);
        }
        if !section.is_empty() {
            section.clone_into(&mut self.section);
        }
        let Some((name, value)) = rest.split_once(':') else { return self.part.is_some() || !section.is_empty() };
        let (name, value) = (name.trim(), value.trim());
        let plain = name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'/' | b'-'));
        if !plain || (section.is_empty() && self.section.is_empty() && !known(name)) {
            return false;
        }
        if value.starts_with('\'') && !(value.len() > 1 && value.ends_with('\'')) {
            self.open = Some((name.to_owned(), value.to_owned(), line.n));
        } else {
            self.say(name, value, line.n, host);
        }
        true
    }

    /// `modem.generic.manufacturer : Quectel`
    fn key_value(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let Some((key, value)) = line.text.split_once(':') else { return false };
        let (key, value) = (key.trim(), value.trim());
        let ours = ["modem.", "sim.", "modem-list.", "bearer."].iter().any(|p| key.starts_with(p));
        if !ours || !key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'[' | b']' | b'_')) {
            return false;
        }
        if key.starts_with("modem-list.") {
            if let Some(modem) = number(value, "Modem") {
                self.begin(&format!("modem:{modem}"), line.n, host);
            }
            return true;
        }
        if key.starts_with("bearer.") || key.starts_with("modem.location") || key.starts_with("modem.signal") {
            return true;
        }
        // `modem.generic.drivers.value[1]` is one of the drivers.
        let key = key.split(".value[").next().unwrap_or(key);
        let name = key.rsplit('.').next().unwrap_or(key);
        if name == "state" && key != "modem.generic.state" {
            return true;
        }
        self.section.clear();
        self.say(name, value, line.n, host);
        true
    }
}

fn known(name: &str) -> bool {
    [
        "path",
        "device id",
        "manufacturer",
        "model",
        "firmware revision",
        "revision",
        "carrier config",
        "h/w revision",
        "supported",
        "current",
        "equipment id",
        "device",
        "physdev",
        "drivers",
        "plugin",
        "primary port",
        "ports",
        "own",
        "lock",
        "unlock retries",
        "state",
        "power state",
        "access tech",
        "signal quality",
        "imei",
        "operator id",
        "operator name",
        "registration",
        "primary sim path",
        "imsi",
        "iccid",
        "eid",
    ]
    .contains(&name)
}

impl Dialect for Mmcli {
    fn name(&self) -> &'static str {
        "mmcli"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let text = line.text;
        if text.is_empty() {
            return false;
        }
        if line.shell {
            self.settle(host);
            self.part = None;
            self.section.clear();
            self.open = None;
            self.seen.clear();
            // `mmcli -m 2`, `sudo mmcli -m /org/…/Modem/2 -K`
            let asked = text.split_once("mmcli").map(|(_, rest)| rest).and_then(|rest| {
                let mut words = rest.split_whitespace().skip_while(|w| !matches!(*w, "-m" | "-i"));
                let kind = if words.next()? == "-m" { "modem" } else { "sim" };
                let which = words.next()?.rsplit('/').next()?;
                (!which.is_empty() && which.len() <= 9 && which.bytes().all(|b| b.is_ascii_digit())).then(|| format!("{kind}:{which}"))
            });
            let ran = text.contains("mmcli");
            self.asked = asked;
            return ran && !text.contains("--command");
        }
        if text.starts_with("No modems were found") {
            host.fact(Part::HOST, line.n, Kind::NotCellular, "no modem found");
            return true;
        }
        // `/org/freedesktop/ModemManager1/Modem/0 [Telit] FN990A40`; the head of an old block has a device id behind it.
        if text.starts_with("/org/freedesktop/ModemManager1/") || text.starts_with("Found ") && text.contains("ModemManager1") {
            if let Some(modem) = number(text, "Modem") {
                let key = format!("modem:{modem}");
                // The head of an old block.
                if text.contains(" (device id") {
                    self.block(&key, line.n, host);
                    return true;
                }
                let part = self.begin(&key, line.n, host);
                if let Some((maker, model)) = text.split_once(" [").and_then(|(_, r)| r.split_once(']')) {
                    property(host, part, line.n, "manufacturer", maker);
                    property(host, part, line.n, "model", model);
                    // The next line is of another modem.
                    self.part = None;
                }
            }
            return true;
        }
        if let Some(rest) = text.strip_prefix("SIM '")
            && let Some(sim) = number(rest, "SIM")
        {
            self.begin(&format!("sim:{sim}"), line.n, host);
            return true;
        }
        if (self.part.is_some() || self.asked.is_some()) && text.len() >= 8 && text.bytes().all(|b| b == b'-') {
            return true;
        }
        self.log(line, host) || self.key_value(line, host) || self.table(line, host)
    }

    fn end(&mut self, host: &mut Host<'_, '_>) {
        if let Some((name, value, n)) = self.open.take() {
            self.say(&name, &value, n, host);
        }
        self.settle(host);
    }
}

/// One document of `mmcli -J`; says whether it was one.
pub(super) fn json(value: &Value, n: u32, host: &mut Host<'_, '_>) -> bool {
    let text = |v: &Value, name: &str| v.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let lists = value.get("modem-list").and_then(Value::as_array);
    if let Some(list) = lists {
        for modem in list.iter().filter_map(Value::as_str).filter_map(|p| number(p, "Modem")).take(64) {
            let part = host.part(&format!("modem:{modem}"));
            host.fact(part, n, Kind::Cellular, "modem-manager");
        }
        if list.is_empty() {
            host.fact(Part::HOST, n, Kind::NotCellular, "no modem found");
        }
        return true;
    }
    let (root, kind, object) = match (value.get("modem"), value.get("sim")) {
        (Some(modem), _) => (modem, "Modem", "modem"),
        (None, Some(sim)) => (sim, "SIM", "sim"),
        _ => return false,
    };
    if !root.is_object() {
        return false;
    }
    let path = text(root, "dbus-path");
    let key = number(&path, kind).map_or_else(|| object.to_owned(), |id| format!("{object}:{id}"));
    let part = host.part(&key);
    if object == "modem" {
        host.fact(part, n, Kind::Cellular, "modem-manager");
    }
    for section in ["generic", "3gpp", "cdma", "properties"] {
        let Some(fields) = root.get(section).and_then(Value::as_object) else { continue };
        for (name, value) in fields {
            if name == "state" && section != "generic" {
                continue;
            }
            match value {
                Value::String(value) => property(host, part, n, name, value),
                Value::Array(list) => {
                    for value in list.iter().filter_map(Value::as_str).take(64) {
                        property(host, part, n, name, value);
                    }
                }
                _ => {}
            }
        }
    }
    true
}
