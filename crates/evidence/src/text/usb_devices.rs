//! `usb-devices` and `/sys/kernel/debug/usb/devices`: one letter and a colon before each line.
//!
//! **What it reads.** `T:` the place in the tree, `P:` the ids, `S:` the strings, `I:` the interfaces and drivers; as
//! whole lines, quoted word by word by a shell trace (`P: 'Vendor=413c' 'ProdID=81d7'`), and several on one line, as a
//! shell variable holds them.
//!
//! **Traps.** The kernel numbers interfaces in decimal, older scripts in hex with `0x`; the kernel counts ports from 0.
//! Strings may name the system ("Android"), the platform or the class of product instead of a maker. Values are cut at
//! the end of the line by whoever pasted it.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::Regex;
use rustc_hash::FxHashMap;
use umbilical_core::Kind;
use umbilical_core::number::{Check, Imei, imei};

use super::bus::{by_number, driver, hex4, revision, usb_id};
use super::strip::regex;
use super::{Dialect, Host, Line, Part};

/// Reads the listing.
#[derive(Default)]
pub(super) struct UsbDevices {
    part: Option<Part>,
    /// The id that the device at hand has shown.
    id: Option<(u16, u16)>,
    /// Ports of the devices listed so far, by bus and number.
    ports: FxHashMap<(u32, u32), String>,
}

fn letters() -> Option<&'static Regex> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    R.get_or_init(|| regex(r"(?:^|[\s'\x22=])([TBDPSCAIE]):(?:\s|\*\s)")).as_ref()
}

/// The value behind `name=`: a word, or blanks and a word (`Dev#=  4`).
fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.match_indices(name).find_map(|(at, _)| {
        let free = line.get(..at).is_none_or(|before| before.is_empty() || before.ends_with([' ', '\t', ',']));
        let rest = line.get(at.saturating_add(name.len())..)?.strip_prefix('=')?;
        let word = rest.split_whitespace().next()?;
        free.then_some(word)
    })
}

impl UsbDevices {
    fn begin(&mut self, part: Part) -> Part {
        self.part = Some(part);
        self.id = None;
        part
    }

    fn current(&mut self, n: u32, host: &mut Host<'_, '_>) -> Part {
        match self.part {
            Some(part) => part,
            None => self.begin(host.part(&format!("usb-devices:{n}"))),
        }
    }

    fn place(&mut self, line: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        let number = |name: &str| value(line, name).and_then(|v| v.parse::<u32>().ok());
        let (Some(bus), Some(level)) = (number("Bus"), number("Lev")) else { return false };
        let Some(device) = number("Dev#") else {
            self.begin(host.part(&format!("usb-devices:{n}")));
            return true;
        };
        let part = self.begin(host.part(&by_number(bus, device)));
        let port = number("Port").and_then(|p| p.checked_add(1));
        let ports = match (level, port) {
            (1, Some(port)) => Some(format!("{bus}-{port}")),
            (2.., Some(port)) => number("Prnt").and_then(|up| self.ports.get(&(bus, up))).map(|up| format!("{up}.{port}")),
            _ => None,
        };
        if let Some(ports) = ports.filter(|p| p.len() <= 24) {
            host.also(part, &format!("usb:{ports}"));
            self.ports.insert((bus, device), ports);
        }
        true
    }

    fn segment(&mut self, letter: u8, line: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        match letter {
            b'T' => self.place(line, n, host),
            b'D' | b'P' if self.id.is_some() => {
                // The next device, its first line left out.
                self.begin(host.part(&format!("usb-devices:{n}")));
                self.segment(letter, line, n, host)
            }
            b'D' => value(line, "Ver").is_some(),
            b'P' => {
                let (Some(vid), Some(pid)) = (value(line, "Vendor").and_then(hex4), value(line, "ProdID").and_then(hex4)) else {
                    return false;
                };
                let part = self.current(n, host);
                usb_id(host, part, n, vid, pid);
                self.id = Some((vid, pid));
                self.bcd(line, part, n, host);
                true
            }
            b'S' => {
                let Some((name, text)) = line.split_once('=') else { return false };
                let (kind, text) = match name.trim() {
                    "Manufacturer" => (Some(Kind::UsbManufacturer), text),
                    "Product" => (Some(Kind::UsbProduct), text),
                    "SerialNumber" => (None, text),
                    _ => return false,
                };
                let part = self.current(n, host);
                if let Some(kind) = kind {
                    host.fact(part, n, kind, text);
                } else {
                    self.serial(text.trim(), part, n, host);
                }
                true
            }
            b'I' => {
                let triple = (value(line, "Cls"), value(line, "Sub").and_then(hex4), value(line, "Prot").and_then(hex4));
                let (Some(class), Some(sub), Some(protocol)) = triple else { return false };
                let Some(class) = class.get(..2).and_then(hex4) else { return false };
                let part = self.current(n, host);
                let number = value(line, "If#").and_then(|v| if v.starts_with("0x") { hex4(v) } else { v.parse().ok() });
                if let Some(number) = number {
                    host.fact(part, n, Kind::UsbInterface, &format!("{number}:{class:02x}/{sub:02x}/{protocol:02x}"));
                }
                if let Some(name) = value(line, "Driver") {
                    driver(host, part, n, name);
                }
                true
            }
            b'A' => value(line, "FirstIf#").is_some(),
            b'C' => value(line, "#Ifs").is_some() || value(line, "Cfg#").is_some(),
            b'E' => value(line, "Ad").is_some(),
            b'B' => value(line, "Alloc").is_some(),
            _ => false,
        }
    }

    fn bcd(&self, line: &str, part: Part, n: u32, host: &mut Host<'_, '_>) {
        if let Some(bcd) = value(line, "Rev").and_then(revision) {
            host.fact(part, n, Kind::UsbRevision, &bcd);
        }
    }

    /// Some modems show their IMEI as serial number. Other devices have serial numbers of 15 digits too, so only with
    /// an id that nothing but modems has.
    fn serial(&self, text: &str, part: Part, n: u32, host: &mut Host<'_, '_>) {
        let modem = self.id.is_some_and(|(vid, pid)| !host.cx.knowledge.usb(vid, pid).is_empty());
        // A reporting body of 00 is a test: a default that all modules of a kind may show.
        if modem && text.len() == 15 && !text.starts_with("00") && matches!(imei(text), Imei::Whole { check: Check::Right, .. }) {
            host.imei(part, n, text);
        }
    }
}

impl Dialect for UsbDevices {
    fn name(&self) -> &'static str {
        "usb-devices"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        if line.text.is_empty() {
            // A blank line ends a device only when another has to come.
            if self.id.is_some() {
                self.part = None;
                self.id = None;
            }
            return false;
        }
        let Some(regex) = letters() else { return false };
        // A shell trace quotes words: `'Vendor=413c'`, `'Dev#=' 3`.
        let text: Cow<'_, str> = if line.text.contains('\'') { line.text.replace('\'', "").into() } else { line.text.into() };
        let marks: Vec<(u8, usize, usize)> = regex
            .captures_iter(&text)
            .take(200)
            .filter_map(|c| {
                let (whole, letter) = (c.get(0)?, c.get(1)?);
                Some((letter.as_str().bytes().next()?, letter.start(), whole.end()))
            })
            .collect();
        let Some(first) = marks.first() else { return false };
        let mut taken = false;
        // What stands before the first letter of a line is the tail of one that was cut.
        if first.1 > 0
            && marks.len() > 1
            && let Some(before) = text.get(..first.1).filter(|b| value(b, "Rev").is_some())
        {
            let part = self.current(line.n, host);
            self.bcd(before, part, line.n, host);
        }
        for (i, (letter, _, start)) in marks.iter().enumerate() {
            let end = marks.get(i.saturating_add(1)).map_or(text.len(), |m| m.1);
            if let Some(segment) = text.get(*start..end) {
                taken |= self.segment(*letter, segment.trim(), line.n, host);
            }
        }
        taken
    }
}
