//! Cisco IOS and IOS-XE: `show cellular … hardware` and `all`, `show inventory`, `show version`, the running
//! configuration.
//!
//! **What it reads.** Hardware: `Modem Firmware Version = …`, `Device Model ID = …`, IMEI, IMSI, ICCID, MSISDN, serial
//! number. Inventory: the chassis (host), the modem (`NAME: "Modem on Cellular0/1/0", DESCR: "Sierra Wireless …"`), the
//! pluggable card. Version: host name, model, serial number, `1 Cellular interface`. Configuration: `interface
//! Cellular0/1/0`, `controller Cellular 0/1/0`.
//!
//! **Traps.** A card's product number (`P-LTEAP18-GL`) is Cisco's and names no module by itself; the part number of the
//! modem row is the module's model, its serial number often the IMEI. Hidden values are printed as `XXX12XX…`.

use umbilical_core::{Basis, Group, IdKind, Kind};

use super::pairs::{LONGEST_LINE, Voice, What, host_serial, maker_in, names_maker, names_model, nothing, say, split, squash};
use super::{Dialect, Host, Line, Part};

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Cisco {
    /// Slot of the modem that is spoken of: `0/1/0`.
    slot: Option<String>,
    /// The inventory row whose `PID:` line is awaited: name and description.
    row: Option<(String, String)>,
    chassis: bool,
    hinted: bool,
}

impl Dialect for Cisco {
    fn name(&self) -> &'static str {
        "cisco"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let (n, text) = (line.n, line.text.trim());
        if text.len() > LONGEST_LINE {
            return false;
        }
        self.command(text)
            || self.hardware(n, text, host)
            || self.inventory(n, text, host)
            || self.version(n, text, host)
            || self.config(n, text, host)
    }
}

impl Cisco {
    fn part(&self, host: &mut Host<'_, '_>) -> Part {
        match &self.slot {
            Some(slot) => host.part(&format!("modem:{slot}")),
            None => host.part("modem"),
        }
    }

    /// `router#show cellular 0/1/0 hardware`.
    fn command(&mut self, text: &str) -> bool {
        let lower = text.to_ascii_lowercase();
        let Some((_, rest)) =
            lower.split_once("show cellular ").or_else(|| lower.split_once("sh cellular ")).or_else(|| lower.split_once("sh cell "))
        else {
            return false;
        };
        self.slot = slot(rest);
        true
    }

    fn hardware(&mut self, n: u32, text: &str, host: &mut Host<'_, '_>) -> bool {
        // Its lines have ` = `; nothing else in IOS that matters here has.
        let Some((name, value)) = text.split_once('=') else { return false };
        let name = name.trim();
        let inner = name.split_once('(').and_then(|(_, r)| r.split_once(')')).map(|(i, _)| i);
        let what = match (name, inner) {
            ("Modem Firmware Version" | "Firmware Version" | "Modem Package Version", _) => What::Revision,
            ("Device Model ID" | "Modem Model" | "Modem Model ID", _) => What::Model,
            ("Hardware Version" | "Modem Hardware Version", _) => What::Hardware,
            ("Modem Manufacturer" | "Manufacturer", _) => What::Manufacturer,
            (_, Some("IMSI")) => What::Imsi,
            (_, Some("IMEI")) => What::Imei,
            (_, Some("ICCID")) => What::Iccid,
            (_, Some("MSISDN" | "MDN")) => What::Msisdn,
            (_, Some("MEID")) => What::Meid,
            (_, Some("FSN" | "ESN")) => What::ModemSerial,
            (
                "Modem Status"
                | "Current RSRP"
                | "Current RSRQ"
                | "Current RSSI"
                | "SIM Status"
                | "Current Service Status"
                | "Packet Session Status"
                | "LTE Technology Selected"
                | "Radio power mode",
                _,
            ) => What::Cellular,
            (
                "Modem Firmware built"
                | "Current Modem Temperature"
                | "PRI SKU ID"
                | "OEM PRI version"
                | "PRI version"
                | "Modem Radio State"
                | "Online",
                _,
            ) => return true,
            _ => return false,
        };
        let part = self.part(host);
        let value = value.trim();
        match what {
            What::Cellular if !nothing(value) => host.fact(part, n, Kind::Cellular, &format!("{name} = {value}")),
            What::Cellular => {}
            _ => say(host, part, n, what, value, Voice::MODEM),
        }
        true
    }

    fn inventory(&mut self, n: u32, text: &str, host: &mut Host<'_, '_>) -> bool {
        if let Some(rest) = text.strip_prefix("NAME:") {
            // Collapsed onto one line, as web tools do: row by row.
            if let Some((head, tail)) = rest.split_once("NAME:") {
                self.inventory(n, &format!("NAME:{}", head.trim_end()), host);
                return self.inventory(n, &format!("NAME:{tail}"), host);
            }
            if let Some((head, tail)) = rest.split_once(" PID:") {
                self.inventory(n, &format!("NAME:{head}"), host);
                return self.inventory(n, &format!("PID:{tail}"), host);
            }
            let mut quoted = rest.split('"').skip(1).step_by(2);
            let (name, descr) = (quoted.next().unwrap_or_default(), quoted.next().unwrap_or_default());
            self.row = Some((name.to_owned(), descr.to_owned()));
            return true;
        }
        let Some(rest) = text.strip_prefix("PID:") else { return false };
        let Some((name, descr)) = self.row.take() else { return false };
        let field = |key: &str| rest.split(',').find_map(|f| f.trim().strip_prefix(key)).map_or("", str::trim);
        let (pid, serial) = (rest.split(',').next().unwrap_or_default().trim(), field("SN:"));
        let words = squash(&format!("{name} {descr}"));
        let kb = host.cx.knowledge;
        let modem = ["modem", "cellular", "wwan", "lte", "5g"].iter().any(|w| words.contains(w));
        let module = names_maker(kb, &descr) || names_model(kb, pid) || names_model(kb, &descr);
        if modem && module {
            self.slot = slot(&name).or_else(|| self.slot.take());
            let part = self.part(host);
            host.fact(part, n, Kind::Cellular, &format!("inventory `{name}`"));
            if let Some(maker) = maker_in(kb, &descr) {
                host.fact(part, n, Kind::Manufacturer, maker);
            }
            // `Sierra Wireless EM7455/EM7430`: the part number decides, where it is a model.
            if !names_model(kb, pid) {
                say(host, part, n, What::MaybeModel, &descr, Voice::MODEM);
            }
            say(host, part, n, What::Model, pid, Voice::MODEM);
            say(host, part, n, What::ModemSerial, serial, Voice::MODEM);
        } else if modem && !words.contains("chassis") && !words.contains("slot") {
            let part = host.part("modem");
            host.fact(part, n, Kind::Cellular, &format!("inventory `{descr}`"));
            // What the card's number is known to hold, the products' table says.
            if !nothing(pid) {
                host.fact_of(part, n, Kind::Text, &format!("{pid} {descr}"), Group::OwnWord, Basis::Observed);
            }
        } else if !self.chassis && (words.contains("chassis") || name == "1") && !nothing(pid) {
            self.chassis = true;
            host.fact(Part::HOST, n, Kind::HostMaker, "Cisco");
            host.fact(Part::HOST, n, Kind::HostModel, pid);
            host_serial(host, "Cisco", serial);
        }
        true
    }

    fn version(&mut self, n: u32, text: &str, host: &mut Host<'_, '_>) -> bool {
        if text.starts_with("Cisco IOS Software") || text.starts_with("Cisco IOS XE Software") {
            host.fact(Part::HOST, n, Kind::HostMaker, "Cisco");
            self.hinted = true;
            return true;
        }
        if !self.hinted {
            return false;
        }
        if let Some((name, _)) = text.split_once(" uptime is ") {
            if !name.contains(' ') {
                host.id(Part::HOST, IdKind::Name, name);
            }
            return true;
        }
        if let Some(serial) = text.strip_prefix("Processor board ID ") {
            host_serial(host, "Cisco", serial);
            return true;
        }
        // `cisco IR1101-K9 (ARM64) processor …`, `Cisco C1111-4PLTEEA (1RU) processor …`.
        if let Some(model) = text.strip_prefix("cisco ").or_else(|| text.strip_prefix("Cisco ")).filter(|r| r.contains(" processor")) {
            if let Some(model) = model.split(' ').next() {
                host.fact(Part::HOST, n, Kind::HostModel, model);
            }
            return true;
        }
        let count = text.split(' ').next().is_some_and(|w| w.parse::<u8>().is_ok_and(|c| c > 0));
        if count && text.to_ascii_lowercase().contains(" cellular interface") {
            let part = host.part("modem");
            host.fact(part, n, Kind::Cellular, text);
            return true;
        }
        false
    }

    fn config(&mut self, n: u32, text: &str, host: &mut Host<'_, '_>) -> bool {
        let rest = ["interface Cellular", "controller Cellular"].iter().find_map(|p| text.strip_prefix(p));
        if let Some(rest) = rest {
            if let Some(slot) = slot(rest) {
                let part = host.part("modem");
                host.fact_of(part, n, Kind::Cellular, &format!("configured: Cellular {slot}"), Group::Document, Basis::Declared);
                return true;
            }
            return false;
        }
        // `Cellular0/1/0  10.0.0.1  YES  IPCP  up  up` of show ip interface brief.
        if let Some(rest) = text.strip_prefix("Cellular")
            && let Some(slot) = slot(rest)
            && rest.contains(' ')
            && split(text).is_none_or(|(name, _)| squash(name).starts_with("cellular"))
        {
            let part = host.part("modem");
            host.fact(part, n, Kind::Cellular, &format!("interface Cellular{slot}"));
            return true;
        }
        false
    }
}

/// `0/1/0` at the beginning of a text, or behind `Cellular` in one.
fn slot(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let text = lower.split_once("cellular").map_or(lower.as_str(), |(_, r)| r).trim_start();
    let slot: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '/').take(12).collect();
    let slot = slot.trim_end_matches('/').to_owned();
    (!slot.is_empty() && slot.bytes().next().is_some_and(|b| b.is_ascii_digit())).then_some(slot)
}

#[cfg(test)]
mod tests {
    use super::slot;

    #[test]
    fn slots() {
        assert_eq!(slot("0/1/0 hardware").as_deref(), Some("0/1/0"));
        assert_eq!(slot("Modem on Cellular0/2/0").as_deref(), Some("0/2/0"));
        assert_eq!(slot("0 all").as_deref(), Some("0"));
        assert_eq!(slot("subslot"), None);
    }
}
