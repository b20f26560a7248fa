//! OpenWrt and its kin: `uci show`, `/etc/config/network`, QModem's configuration, `ubus call system board`.
//!
//! **What it reads.** An interface of a cellular protocol (`proto='qmi'`, `mbim`, `ncm`, `3g`, `modemmanager`, `wwan`, …)
//! is a modem that somebody configured: declared, not seen. QModem's sections keep what its scan found: maker, name,
//! where on the bus. JSON answers are read by the JSON dialect.
//!
//! **When it is wrong.** A configuration outlives the hardware. `wwan` is the protocol of RutOS, but also the usual name
//! of a Wi-Fi uplink: only the protocol counts, never the name.

use umbilical_core::{Basis, Group, IdKind, Kind};

use super::pairs::{LONGEST_LINE, Voice, What, meaning, nothing, say, squash, unquote};
use super::{Dialect, Host, Line, Part};

/// Protocol handlers of netifd that only cellular interfaces have: packages uqmi, umbim, comgt, modemmanager, and those of
/// RutOS, QModem and the xmm, fm350 and quectel-cm add-ons.
const PROTOCOLS: &[&str] = &[
    "qmi",
    "mbim",
    "ncm",
    "3g",
    "directip",
    "hilink",
    "modemmanager",
    "wwan",
    "mobile",
    "xmm",
    "fm350",
    "fibocom",
    "quectel",
    "qcm",
    "atc",
    "mhi",
    "ecm_at",
    "rmnet",
    "connm",
    "tmobile",
    "qmapv5",
    "gcom",
];

/// See the module's documentation.
#[derive(Default)]
pub(super) struct OpenWrt {
    /// The section of a configuration file: type and name.
    section: Option<(String, String)>,
}

impl Dialect for OpenWrt {
    fn name(&self) -> &'static str {
        "openwrt"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let (n, text) = (line.n, line.text.trim());
        if text.len() > LONGEST_LINE {
            return false;
        }
        if let Some(rest) = text.strip_prefix("config ") {
            let mut words = rest.split_whitespace();
            let (Some(kind), name) = (words.next(), words.next().unwrap_or_default()) else { return false };
            let shaped =
                words.next().is_none() && kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
            if !shaped {
                return false;
            }
            self.section = Some((kind.to_owned(), unquote(name).to_owned()));
            return true;
        }
        if let (Some(rest), Some((kind, name))) =
            (text.strip_prefix("option ").or_else(|| text.strip_prefix("list ")), self.section.clone())
        {
            let Some((key, value)) = rest.trim().split_once([' ', '\t']) else { return false };
            let file = if kind == "modem-device" || kind == "modem-slot" || kind == "modem" { "qmodem" } else { "network" };
            Self::option(n, file, &name, key.trim(), unquote(value), host);
            return true;
        }
        // `network.wan.proto='qmi'`.
        let Some((path, value)) = text.split_once('=') else { return false };
        let mut parts = path.split('.');
        let (Some(file), Some(section), Some(key), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else { return false };
        let word = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'@' | b'[' | b']'));
        let lower = file.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-'));
        if !(word(file) && word(section) && word(key) && lower) {
            return false;
        }
        Self::option(n, file, section, key, unquote(value), host)
    }
}

impl OpenWrt {
    fn option(n: u32, file: &str, section: &str, key: &str, value: &str, host: &mut Host<'_, '_>) -> bool {
        if nothing(value) {
            return true;
        }
        match (file, key) {
            ("network", "proto") if PROTOCOLS.contains(&value) => {
                let part = host.part("modem");
                host.fact_of(part, n, Kind::Cellular, &format!("configured: proto {value}"), Group::Document, Basis::Declared);
            }
            ("network", "device") if value.contains("cdc-wdm") || value.contains("wwan0") || value.contains("mhi") => {
                let part = host.part("modem");
                host.fact_of(part, n, Kind::Cellular, &format!("configured: {value}"), Group::Document, Basis::Declared);
            }
            ("system", "hostname") => host.id(Part::HOST, IdKind::Name, value),
            ("system", "routername" | "devicename") => host.id(Part::HOST, IdKind::Name, value),
            ("qmodem" | "modem", _) => {
                let part = host.part(&format!("modem:{section}"));
                match key {
                    "name" | "modem_name" => say(host, part, n, What::Model, value, Voice::MODEM),
                    "platform" => say(host, part, n, What::Chipset, value, Voice::MODEM),
                    "at_port" | "data_interface" => host.fact(part, n, Kind::Cellular, &format!("modem at {value}")),
                    _ => {
                        if let Some((what @ (What::Manufacturer | What::Model | What::Revision | What::Imei), _)) = meaning(&squash(key)) {
                            say(host, part, n, what, value, Voice::MODEM);
                        }
                    }
                }
            }
            _ => {}
        }
        true
    }
}
