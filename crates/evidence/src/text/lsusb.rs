//! `lsusb`, `lsusb -v`, `lsusb -t` (usbutils, BusyBox, toybox).
//!
//! **What it reads.** `Bus 001 Device 004: ID 2c7c:0125 name`; the descriptors of `-v` that say who a device is
//! (`idVendor`, `bcdDevice`, `iManufacturer`, `iProduct`, the interfaces); the tree of `-t` with its drivers and ports.
//!
//! **Traps.** The name behind the id comes from a table of the host or, where that has none, from the device: it is a
//! name on the bus, no more. A table calls 1e0e "Qualcomm / Option" and the SIMCom module behind it is not seen. With
//! no rights `-v` prints `(error)` for strings. Interface numbers begin again with each configuration.

use std::sync::OnceLock;

use regex::Regex;
use umbilical_core::Kind;

use super::bus::{by_number, driver, hex4, revision, usb_id};
use super::strip::regex;
use super::{Dialect, Host, Line, Part};

/// Reads the three forms.
#[derive(Default)]
pub(super) struct Lsusb {
    /// The device whose descriptors are being printed.
    device: Option<Part>,
    vid: Option<u16>,
    interface: Interface,
    tree: Vec<Branch>,
}

#[derive(Default)]
struct Interface {
    number: Option<u16>,
    class: Option<u16>,
    sub: Option<u16>,
}

struct Branch {
    column: usize,
    bus: u32,
    /// `1-2.3`, empty for the root.
    ports: String,
    part: Part,
}

fn header() -> Option<&'static Regex> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    R.get_or_init(|| regex(r"(?i)(?:\bBus (\d{1,3}) Device (\d{1,3})|^Device): ID ([0-9a-f]{4}):([0-9a-f]{4})\b")).as_ref()
}

fn branch() -> Option<&'static Regex> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    // `|__ Port 2: Dev 3, If 0, Class=…, Driver=option, 480M`; the root: `/:  Bus 02.Port 1: Dev 1, Class=root_hub, …`.
    R.get_or_init(|| regex(r"(?:/:\s+Bus (\d{1,3})\.|\|__\s+)Port (\d{1,3}): Dev (\d{1,3}),")).as_ref()
}

impl Lsusb {
    fn listed(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        let Some(found) = header().and_then(|r| r.captures(text)) else { return false };
        let field = |i: usize| found.get(i).map(|m| m.as_str());
        let number = |i: usize| field(i).and_then(|t| t.parse().ok());
        let (Some(vid), Some(pid)) = (field(3).and_then(hex4), field(4).and_then(hex4)) else { return false };
        let key = match (number(1), number(2)) {
            (Some(bus), Some(device)) => by_number(bus, device),
            _ => format!("lsusb:{n}"),
        };
        let part = host.part(&key);
        usb_id(host, part, n, vid, pid);
        let name = found.get(0).and_then(|m| text.get(m.end()..)).unwrap_or_default().trim();
        if name.chars().any(char::is_alphabetic) {
            host.fact(part, n, Kind::BusName, name);
        }
        self.device = Some(part);
        self.vid = None;
        self.interface = Interface::default();
        true
    }

    fn descriptor(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        if text.starts_with("Device Descriptor:") {
            if self.vid.is_some() || self.device.is_none() {
                // A listing that was cut out without its first line.
                self.device = Some(host.part(&format!("lsusb:{n}")));
                self.vid = None;
            }
            return true;
        }
        let mut words = text.split_whitespace();
        let (Some(name), Some(value)) = (words.next(), words.next()) else { return false };
        let ours = matches!(name.as_bytes(), [b'b' | b'i' | b'w', b'A'..=b'Z', ..] | [b'b', b'm' | b'c', ..] | [b'i', b'd', ..])
            || name == "MaxPower";
        if !ours || !name.bytes().all(|b| b.is_ascii_alphanumeric()) || !value.starts_with(|c: char| c.is_ascii_digit()) {
            return false;
        }
        let Some(part) = self.device.or_else(|| (name == "idVendor").then(|| host.part(&format!("lsusb:{n}")))) else { return false };
        self.device = Some(part);
        let decimal = || value.parse::<u16>().ok();
        // The string stands behind the number of its descriptor; 0 means that there is none.
        let string = || {
            let rest = text.get(name.len()..)?.trim_start();
            let string = rest.get(value.len()..)?.trim();
            (value != "0" && !string.is_empty() && string != "(error)").then_some(string)
        };
        match name {
            "idVendor" => self.vid = hex4(value),
            "idProduct" => {
                if let (Some(vid), Some(pid)) = (self.vid, hex4(value)) {
                    usb_id(host, part, n, vid, pid);
                }
            }
            "bcdDevice" => {
                if let Some(bcd) = revision(value) {
                    host.fact(part, n, Kind::UsbRevision, &bcd);
                }
            }
            "iManufacturer" => {
                if let Some(text) = string() {
                    host.fact(part, n, Kind::UsbManufacturer, text);
                }
            }
            "iProduct" => {
                if let Some(text) = string() {
                    host.fact(part, n, Kind::UsbProduct, text);
                }
            }
            "bInterfaceNumber" => self.interface = Interface { number: decimal(), ..Interface::default() },
            "bInterfaceClass" => self.interface.class = decimal(),
            "bInterfaceSubClass" => self.interface.sub = decimal(),
            "bInterfaceProtocol" => {
                let Interface { number, class, sub } = self.interface;
                if let (Some(number), Some(class), Some(sub), Some(protocol)) = (number, class, sub, decimal()) {
                    host.fact(part, n, Kind::UsbInterface, &format!("{number}:{class:02x}/{sub:02x}/{protocol:02x}"));
                }
            }
            _ => {}
        }
        true
    }

    fn tree(&mut self, raw: &str, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        let Some(found) = branch().and_then(|r| r.captures(text)) else {
            // `-tv` prints the id below the branch.
            let id = text.strip_prefix("ID ").and_then(|t| t.split_once(':')).filter(|_| !self.tree.is_empty());
            let Some((vid, rest)) = id else { return false };
            let (pid, name) = rest.split_once(' ').unwrap_or((rest, ""));
            let (Some(vid), Some(pid), Some(at)) = (hex4(vid), hex4(pid), self.tree.last()) else { return false };
            usb_id(host, at.part, n, vid, pid);
            if name.chars().any(char::is_alphabetic) {
                host.fact(at.part, n, Kind::BusName, name);
            }
            return true;
        };
        let number = |i: usize| found.get(i).and_then(|m| m.as_str().parse::<u32>().ok());
        let (Some(port), Some(device)) = (number(2), number(3)) else { return false };
        let column = raw.find("|__").unwrap_or(0);
        let (bus, ports) = match number(1) {
            Some(bus) => {
                self.tree.clear();
                (bus, String::new())
            }
            None => {
                while self.tree.last().is_some_and(|b| b.column >= column && !b.ports.is_empty()) {
                    self.tree.pop();
                }
                // A branch without its root stands in a cut listing.
                let Some(up) = self.tree.last() else { return true };
                let ports = if up.ports.is_empty() { format!("{}-{port}", up.bus) } else { format!("{}.{port}", up.ports) };
                (up.bus, ports)
            }
        };
        let part = host.part(&by_number(bus, device));
        if !ports.is_empty() && ports.len() <= 24 {
            host.also(part, &format!("usb:{ports}"));
        }
        if let Some((_, rest)) = text.split_once("Driver=") {
            driver(host, part, n, rest.split([',', '/', ' ']).next().unwrap_or_default());
        }
        self.tree.push(Branch { column, bus, ports, part });
        true
    }
}

impl Dialect for Lsusb {
    fn name(&self) -> &'static str {
        "lsusb"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        if line.text.is_empty() {
            return false;
        }
        if line.shell {
            self.device = None;
            self.tree.clear();
        }
        self.listed(line.text, line.n, host) || self.tree(line.raw, line.text, line.n, host) || self.descriptor(line.text, line.n, host)
    }
}
