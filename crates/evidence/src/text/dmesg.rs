//! The kernel's log: `dmesg`, the journal, syslog, OpenWrt's `logread`; and usb_modeswitch's.
//!
//! **What it reads.** `usb 1-1: New USB device found, idVendor=2c7c, idProduct=0125, bcdDevice= 3.18`, the strings that
//! follow, which driver bound (`qmi_wwan 1-1:1.4: …`), which port it made (`ttyUSB2`, `cdc-wdm0`, `wwan0`), PCI
//! enumeration and the MHI, T7xx and IOSM drivers of PCIe modems.
//!
//! **A port is a place.** A modem that comes back on the same port under another id (switched from its storage mode,
//! thrown into its boot loader) is one part with two ids. Device numbers grow with each return and are only aliases.
//!
//! **Traps.** "registered new interface driver option" says that a driver was loaded, not that it found anything. Names
//! that a driver has in a table of its own (`quectel-rm5xx`) follow from the id and say no more than it.

use std::sync::OnceLock;

use regex::Regex;
use rustc_hash::{FxHashMap, FxHashSet};
use umbilical_core::Kind;
use umbilical_core::number::mac;

use super::bus::{by_number, by_path, driver, hex4, pci, port_name, revision, usb_id};
use super::strip::regex;
use super::{Dialect, Host, Line, Part};

/// Reads kernel messages.
#[derive(Default)]
pub(super) struct Dmesg {
    /// Which port a device number belongs to.
    numbers: FxHashMap<(u32, u32), String>,
    /// Port names that have been given once.
    given: FxHashSet<String>,
}

fn usb() -> Option<&'static Regex> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    R.get_or_init(|| regex(r"(?:^|\s)usb (\d{1,3}-\d[\d.]{0,20}): ")).as_ref()
}

/// `driver bus-port:configuration.interface: …`, as the kernel's `dev_info` writes it.
fn bound() -> Option<&'static Regex> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    R.get_or_init(|| regex(r"(?:^|\s)([a-zA-Z][\w-]{1,30}) (\d{1,3}-\d[\d.]{0,20}):\d{1,3}\.(\d{1,3})\b:? ?")).as_ref()
}

fn on_pci() -> Option<&'static Regex> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    R.get_or_init(|| regex(r"(?:^|\s)([a-zA-Z][\w-]{1,30}) ((?:[0-9a-f]{4}:)[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): ?")).as_ref()
}

fn switched() -> Option<&'static Regex> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    R.get_or_init(|| regex(r"switch device ([0-9a-f]{4}):([0-9a-f]{4}) on (\d{1,3})/(\d{1,3})")).as_ref()
}

/// What `name=` is followed by, up to a comma or blank; blanks before it allowed (`bcdDevice= 3.18`).
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(name)?;
    rest.trim_start_matches([' ', '=']).split([',', ' ', ';', ')']).next().filter(|v| !v.is_empty())
}

impl Dmesg {
    /// A port name now belongs to this part. The first time it may have been spoken of before.
    fn gives(&mut self, host: &mut Host<'_, '_>, part: Part, name: &str) {
        let key = format!("port:{name}");
        if self.given.len() < 1000 && self.given.insert(name.to_owned()) { host.also(part, &key) } else { host.now(part, &key) }
    }

    fn usb(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        let Some(found) = usb().and_then(|r| r.captures(text)) else { return false };
        let (Some(ports), Some(rest)) = (found.get(1).map(|m| m.as_str()), found.get(0).and_then(|m| text.get(m.end()..))) else {
            return false;
        };
        let Some(key) = by_path(ports) else { return true };
        let part = host.part(&key);
        if let Some((_, number)) = rest.split_once("USB device number ").or_else(|| rest.split_once("and address ")) {
            let bus = ports.split('-').next().and_then(|b| b.parse().ok());
            let device = number.split(|c: char| !c.is_ascii_digit()).next().and_then(|d| d.parse().ok());
            if let (Some(bus), Some(device)) = (bus, device) {
                let key = by_number(bus, device);
                let other = self.numbers.insert((bus, device), ports.to_owned()).is_some_and(|before| before != ports);
                // After a restart numbers begin again.
                if other { host.now(part, &key) } else { host.also(part, &key) }
            }
        } else if rest.starts_with("New USB device found") || rest.starts_with("new device found") {
            if let (Some(vid), Some(pid)) = (value(rest, "idVendor").and_then(hex4), value(rest, "idProduct").and_then(hex4)) {
                usb_id(host, part, n, vid, pid);
            }
            if let Some(bcd) = value(rest, "bcdDevice").and_then(revision) {
                host.fact(part, n, Kind::UsbRevision, &bcd);
            }
        } else if let Some(text) = rest.strip_prefix("Product: ") {
            host.fact(part, n, Kind::UsbProduct, text);
        } else if let Some(text) = rest.strip_prefix("Manufacturer: ") {
            host.fact(part, n, Kind::UsbManufacturer, text);
        } else if let Some((converter, port)) = rest.split_once(" converter now attached to ") {
            if let Some(name) = by_converter(converter) {
                driver(host, part, n, name);
            }
            if let Some(port) = port_name(port) {
                self.gives(host, part, port);
            }
        }
        true
    }

    fn bound(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        let Some(found) = bound().and_then(|r| r.captures(text)) else { return false };
        let (Some(name), Some(key)) = (found.get(1).map(|m| m.as_str()), found.get(2).and_then(|m| by_path(m.as_str()))) else {
            return true;
        };
        let rest = found.get(0).and_then(|m| text.get(m.end()..)).unwrap_or_default();
        let part = host.part(&key);
        driver(host, part, n, name);
        let first = rest.split([':', ' ']).next().unwrap_or_default();
        if let Some(port) = port_name(first) {
            self.gives(host, part, port);
        }
        let mobile = rest.contains("WWAN/QMI device") || rest.contains("CDC MBIM") || rest.contains("Mobile Broadband Network Device");
        if first.starts_with("wwan") || first.starts_with("wwp") || mobile {
            host.fact(part, n, Kind::Cellular, "wwan-interface");
        }
        // `wwan0: register 'qmi_wwan' at usb-…, WWAN/QMI device, aa:bb:…`. Random addresses say nothing.
        if let Some(address) = rest.split_whitespace().next_back().and_then(mac).filter(|_| rest.contains("register '")) {
            let random = address.get(1..2).is_none_or(|d| matches!(d, "2" | "3" | "6" | "7" | "a" | "b" | "e" | "f"));
            if !random {
                host.fact(part, n, Kind::Oui, &address.chars().filter(|c| *c != ':').take(9).collect::<String>());
            }
        }
        true
    }

    fn pci(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        let Some(found) = on_pci().and_then(|r| r.captures(text)) else { return false };
        let (Some(name), Some(key)) = (found.get(1).map(|m| m.as_str()), found.get(2).and_then(|m| pci(m.as_str()))) else { return false };
        let rest = found.get(0).and_then(|m| text.get(m.end()..)).unwrap_or_default();
        if name == "pci" {
            // `[17cb:0306] type 00 class 0xff0000`; other lines speak of memory and power.
            let id = rest.strip_prefix('[').and_then(|r| r.split_once(']')).and_then(|(id, _)| id.split_once(':'));
            if let Some((Some(vendor), Some(device))) = id.map(|(v, d)| (hex4(v), hex4(d))) {
                let part = host.part(&key);
                host.fact(part, n, Kind::PciId, &format!("{vendor:04x}:{device:04x}"));
            }
            return true;
        }
        // Of the drivers on PCI only those of modems are of interest here; a disk's or a graphics card's are not.
        if !matches!(
            name,
            "mhi-pci-generic" | "mhi_pci_generic" | "mtk_t7xx" | "iosm" | "mhi_q" | "mhi_netdev" | "mhi" | "xmm7360" | "mhi_wwan_ctrl"
        ) {
            return text.starts_with(name);
        }
        let part = host.part(&key);
        driver(host, part, n, name);
        if let Some((_, model)) = rest.split_once("MHI PCI device found: ") {
            host.fact(part, n, Kind::BusName, model);
        }
        true
    }
}

/// The driver of a USB serial converter by the name that it prints (drivers/usb/serial in Linux).
fn by_converter(name: &str) -> Option<&'static str> {
    Some(match name {
        "GSM modem (1-port)" => "option",
        "Qualcomm USB modem" => "qcserial",
        "Sierra USB modem" => "sierra",
        "pl2303" => "pl2303",
        "cp210x" => "cp210x",
        "FTDI USB Serial Device" => "ftdi_sio",
        "ch341-uart" => "ch341",
        "generic" => "usbserial",
        "Qualcomm USB 2.0 Modem" => "GobiSerial",
        _ => return None,
    })
}

impl Dialect for Dmesg {
    fn name(&self) -> &'static str {
        "dmesg"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let (text, n) = (line.text, line.n);
        if text.is_empty() {
            return false;
        }
        if let Some(found) = switched().and_then(|r| r.captures(text)) {
            let field = |i: usize| found.get(i).map(|m| m.as_str());
            if let (Some(vid), Some(pid), Some(bus), Some(device)) = (
                field(1).and_then(hex4),
                field(2).and_then(hex4),
                field(3).and_then(|t| t.parse().ok()),
                field(4).and_then(|t| t.parse().ok()),
            ) {
                let part = host.part(&by_number(bus, device));
                usb_id(host, part, n, vid, pid);
            }
            return true;
        }
        if self.usb(text, n, host) || self.bound(text, n, host) || self.pci(text, n, host) {
            return true;
        }
        // FreeBSD: `ugen0.2: <Quectel EC25> at usbus0`, `u3g0: <Quectel EC25, class 0/0, …> on usbus0`
        if let Some((device, rest)) = text.split_once(": <").filter(|(d, r)| d.len() < 16 && r.contains(" usbus")) {
            let name = rest.split(['>', ',']).next().unwrap_or_default().trim();
            let part = host.part(if device.starts_with("ugen") { device } else { "modem" });
            if device.starts_with("ugen") {
                host.fact(part, n, Kind::BusName, name);
            } else {
                driver(host, part, n, device.trim_end_matches(|c: char| c.is_ascii_digit()));
            }
            return true;
        }
        // `wwan wwan0: port wwan0qcdm0 attached`
        if text.starts_with("wwan wwan") && text.contains("attached") {
            let part = host.part("modem");
            host.fact(part, n, Kind::Cellular, "wwan-interface");
            return true;
        }
        text.starts_with("usbcore: registered new")
    }
}
