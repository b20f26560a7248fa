//! `lspci` in its forms: plain, `-n`, `-nn`, `-v`, `-vnn`, `-k`, `-mm`, `-vmm`; BusyBox and OpenWrt.
//!
//! **What it reads.** The id of each device with that of its subsystem, the driver in use, the name printed.
//!
//! **The subsystem decides.** 17cb:0306, 0308 and 0309 are chips; who built the card stands in `Subsystem:`. So a device
//! is said when all its lines have been read, with the most specific id alone.
//!
//! **Traps.** Without `-n` ids stand only for devices that the table of the host lacks (`Device 0309`), and the vendor
//! only by its name: a few names are known here. "Unassigned class" is how MHI modems appear, and other things too.
//! `Kernel modules:` lists what could be loaded, not what is.

use std::sync::OnceLock;

use regex::Regex;
use umbilical_core::Kind;

use super::bus::{driver, hex4, pci};
use super::strip::regex;
use super::{Dialect, Host, Line, Part};

/// Reads the listing.
#[derive(Default)]
pub(super) struct Lspci {
    device: Option<Device>,
}

struct Device {
    key: String,
    n: u32,
    id: Option<(u16, u16)>,
    subsystem: Option<(u16, u16)>,
    name: String,
    driver: Option<String>,
    /// `-mm` and `-vmm` give vendor and device apart.
    halves: Halves,
}

#[derive(Default)]
struct Halves {
    vendor: Option<u16>,
    device: Option<u16>,
    subvendor: Option<u16>,
    subdevice: Option<u16>,
}

/// Vendors of cellular modems by the names that pci.ids gives them (2025-07-11), for listings without numbers.
const VENDORS: &[(&str, u16)] = &[
    ("Intel Corporation", 0x8086),
    ("Qualcomm Atheros", 0x168c),
    ("Qualcomm", 0x17cb),
    ("MEDIATEK", 0x14c3),
    ("MediaTek", 0x14c3),
    ("Foxconn International", 0x105b),
    ("Quectel", 0x1eac),
    ("Telit", 0x1c5d),
    ("Sierra Wireless", 0x18d7),
];

fn first_line() -> Option<&'static Regex> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    R.get_or_init(|| {
        regex(r"(?:^|\s)((?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[01][0-9a-fA-F]\.[0-7]) (?:\x22|(?u:[^:\x22]){0,80}:|[0-9a-fA-F]{4}:|Class [0-9a-fA-F]{4}:)")
    })
    .as_ref()
}

fn bracketed() -> Option<&'static Regex> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    R.get_or_init(|| regex(r"\[([0-9a-fA-F]{4}):([0-9a-fA-F]{4})\]")).as_ref()
}

fn bare() -> Option<&'static Regex> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    R.get_or_init(|| regex(r"^(?:Device )?([0-9a-fA-F]{4}):([0-9a-fA-F]{4})\b")).as_ref()
}

fn unnamed() -> Option<&'static Regex> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    R.get_or_init(|| regex(r"\bDevice \[?([0-9a-fA-F]{4})\]?(?:\s|$|\x22)")).as_ref()
}

fn pair(regex: Option<&Regex>, text: &str) -> Option<(u16, u16)> {
    let found = regex?.captures(text)?;
    Some((hex4(found.get(1)?.as_str())?, hex4(found.get(2)?.as_str())?))
}

/// The ids in what stands behind the class or behind `Subsystem:`.
fn ids(text: &str) -> Option<(u16, u16)> {
    pair(bracketed(), text).or_else(|| pair(bare(), text)).or_else(|| {
        let device = hex4(unnamed()?.captures(text)?.get(1)?.as_str())?;
        let vendor = VENDORS.iter().find(|(name, _)| text.starts_with(name))?.1;
        Some((vendor, device))
    })
}

impl Device {
    fn say(self, host: &mut Host<'_, '_>) {
        let part: Part = host.part(&self.key);
        let id = self.id.or_else(|| Some((self.halves.vendor?, self.halves.device?)));
        let subsystem = self.subsystem.or_else(|| Some((self.halves.subvendor?, self.halves.subdevice?)));
        if let Some((vendor, device)) = id.filter(|(vendor, _)| *vendor != 0xffff) {
            let id = match subsystem.filter(|s| *s != (0, 0) && s.0 != 0xffff) {
                Some((v, d)) => format!("{vendor:04x}:{device:04x}/{v:04x}:{d:04x}"),
                None => format!("{vendor:04x}:{device:04x}"),
            };
            host.fact(part, self.n, Kind::PciId, &id);
        }
        if self.name.chars().any(char::is_alphabetic) {
            host.fact(part, self.n, Kind::BusName, &self.name);
        }
        if let Some(name) = &self.driver {
            driver(host, part, self.n, name);
        }
    }
}

impl Lspci {
    fn finish(&mut self, host: &mut Host<'_, '_>) {
        if let Some(device) = self.device.take() {
            device.say(host);
        }
    }

    fn begins(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        let slot = text.strip_prefix("Slot:").map(str::trim);
        let Some((key, rest)) = (match slot {
            Some(slot) => pci(slot).map(|key| (key, "")),
            None => first_line().and_then(|r| r.captures(text)).and_then(|c| {
                let address = c.get(1)?;
                Some((pci(address.as_str())?, text.get(address.end()..)?.trim()))
            }),
        }) else {
            return false;
        };
        self.finish(host);
        let mut device = Device { key, n, id: None, subsystem: None, name: String::new(), driver: None, halves: Halves::default() };
        if rest.starts_with('"') {
            // `-mm`: class, vendor, device, then subsystem's vendor and device, in quotes.
            let fields: Vec<&str> = rest.split('"').skip(1).step_by(2).collect();
            let get = |i: usize| fields.get(i).copied().unwrap_or_default();
            let half = |i: usize| in_brackets(get(i));
            device.halves = Halves { vendor: half(1), device: half(2), subvendor: half(3), subdevice: half(4) };
            device.name = format!("{} {}", without_brackets(get(1)), without_brackets(get(2))).trim().to_owned();
        } else {
            let behind = rest.split_once(": ").map_or("", |(_, r)| r).trim();
            device.id = ids(behind);
            let name = without_brackets(behind);
            device.name = if device.id.is_some() && bare().is_some_and(|r| r.is_match(name)) { String::new() } else { name.to_owned() };
        }
        self.device = Some(device);
        true
    }
}

fn in_brackets(text: &str) -> Option<u16> {
    let inner = text.rsplit_once('[')?.1.strip_suffix(']')?;
    hex4(inner)
}

/// A name without the ids and the revision behind it.
fn without_brackets(text: &str) -> &str {
    let text = text.split(" (rev ").next().unwrap_or(text).split(" (prog-if").next().unwrap_or(text).trim();
    match text.rsplit_once('[') {
        Some((name, id)) if id.ends_with(']') && id.trim_end_matches(']').split(':').all(|h| hex4(h).is_some()) => name.trim(),
        _ => text,
    }
}

impl Dialect for Lspci {
    fn name(&self) -> &'static str {
        "lspci"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let (text, n) = (line.text, line.n);
        if text.is_empty() || line.shell {
            self.finish(host);
            return false;
        }
        if self.begins(text, n, host) {
            return true;
        }
        let Some(device) = &mut self.device else { return false };
        let Some((name, value)) = text.split_once(':') else { return line.raw.starts_with(['\t', ' ']) };
        let value = value.trim();
        match name.trim() {
            "Subsystem" => device.subsystem = device.subsystem.or(ids(value)),
            "Kernel driver in use" | "Driver" => device.driver = Some(value.to_owned()),
            "Vendor" => device.halves.vendor = in_brackets(value),
            "Device" => {
                device.halves.device = in_brackets(value);
                without_brackets(value).clone_into(&mut device.name);
            }
            "SVendor" => device.halves.subvendor = in_brackets(value),
            "SDevice" => device.halves.subdevice = in_brackets(value),
            "Class" | "Rev" | "ProgIf" | "PhySlot" | "Module" | "IOMMUGroup" | "NUMANode" | "DTNode" => {}
            "Flags" | "Control" | "Status" | "Latency" | "Interrupt" | "Capabilities" | "Kernel modules" | "DeviceName" | "IOMMU group"
            | "Memory at" | "Bus" => {}
            // What is indented below a device is of it.
            _ => return line.raw.starts_with(['\t', ' ']),
        }
        true
    }

    fn end(&mut self, host: &mut Host<'_, '_>) {
        self.finish(host);
    }
}
