//! fwupd: `fwupdmgr get-devices` as a tree, as JSON, and the daemon's verbose log; recorded devices of its test suite.
//!
//! **What it reads.** Instance ids (`USB\VID_2C7C&PID_0125&REV_0318&NAME_EG25GGB`, `PCI\VID_105B&PID_E0D9&SUBSYS_…`), vendor,
//! name and version, and where in the machine the device is.
//!
//! **Traps.** fwupd lists every updatable device: disks, batteries, the firmware of the machine. A version counts as a
//! modem's only beside something that says modem. The vendor is the modem's own word ("QUALCOMM INCORPORATED"), the name
//! may be "generic". Windows writes the subsystem's device before its vendor, fwupd the other way round.

use serde_json::{Map, Value};
use umbilical_core::Kind;
use umbilical_knowledge::{Scope, Strength};

use super::bus::{by_path, hex4, pci, port_name, usb_id};
use super::{Dialect, Host, Line};

/// Reads text and fragments of JSON.
#[derive(Default)]
pub(super) struct Fwupd {
    device: Device,
    /// The last device that had a place, and its vendor: a fragment's next block may speak of it without saying so.
    last: Option<(String, u16)>,
}

/// One device, held until all is read.
#[derive(Clone, Debug, Default)]
struct Device {
    n: u32,
    /// The place on a bus.
    key: Option<String>,
    name: Option<(u32, String)>,
    vendor: Option<(u32, String)>,
    version: Option<(u32, String)>,
    ids: Vec<(u32, String)>,
    ports: Vec<String>,
    /// Something said that this is a modem.
    modem: bool,
}

/// The hex digits behind `VID_`.
fn field(id: &str, name: &str, len: usize) -> Option<u16> {
    let (_, rest) = id.split_once(name)?;
    hex4(rest.get(..len)?)
}

/// `vvvv:dddd` of an instance id, with the subsystem where it is there.
fn pci_id(id: &str, host: &Host<'_, '_>) -> Option<String> {
    let vendor = field(id, "VEN_", 4).or_else(|| field(id, "VID_", 4))?;
    let device = field(id, "DEV_", 4).or_else(|| field(id, "PID_", 4))?;
    let halves = id.split_once("SUBSYS_").and_then(|(_, r)| Some((hex4(r.get(..4)?)?, hex4(r.get(4..8)?)?)));
    let Some((a, b)) = halves else { return Some(format!("{vendor:04x}:{device:04x}")) };
    // Whichever order a table knows; else the main vendor's own; else as fwupd writes it.
    let known = |v, d| host.cx.knowledge.pci(vendor, device, Some((v, d))).is_some_and(|row| row.key.subsystem.is_some());
    let (v, d) = if known(a, b) || (!known(b, a) && b != vendor) { (a, b) } else { (b, a) };
    Some(format!("{vendor:04x}:{device:04x}/{v:04x}:{d:04x}"))
}

impl Device {
    fn is_empty(&self) -> bool {
        self.key.is_none() && self.name.is_none() && self.version.is_none() && self.vendor.is_none() && self.ids.is_empty()
    }

    /// Takes a named value in any form; says whether the name is one of fwupd's.
    fn take(&mut self, n: u32, name: &str, value: &str) -> bool {
        let value = value.trim();
        if self.n == 0 {
            self.n = n;
        }
        match name {
            "Name" => self.name = Some((n, value.to_owned())),
            "Vendor" => {
                // `Quectel (USB:0x2C7C)`
                let (vendor, id) = value.split_once(" (").unwrap_or((value, ""));
                self.vendor = Some((n, vendor.to_owned()));
                self.vendor_id(n, id.trim_end_matches(')'));
            }
            "VendorId" | "VendorIds" => self.vendor_id(n, value),
            "Version" | "Current version" | "CurrentVersion" => self.version = Some((n, value.to_owned())),
            "PhysicalId" | "BackendId" => self.key = by_path(value).or_else(|| pci(value)).or(self.key.take()),
            "Guid" | "GUIDs" | "GUID" | "Instance ID" | "InstanceId" | "InstanceIds" | "DeviceIds" | "DeviceInstanceIds" => {
                let id = value.split_once('←').map_or(value, |(_, id)| id).trim();
                self.instance(n, id);
            }
            "Summary" => self.modem |= value.contains("Mobile broadband") || value.contains("modem"),
            "Plugin" => self.modem |= value == "modem_manager",
            "GType" | "DeviceGType" => self.modem |= value.starts_with("FuMm"),
            "Protocol" | "UpdateProtocol" | "Update Protocol" | "UpdateProtocols" => {
                // The protocols of fwupd's modem-manager plugin; fastboot is used by others too.
                self.modem |= matches!(
                    value,
                    "com.qualcomm.firehose" | "com.qualcomm.qmi_pdc" | "com.qualcomm.mbim_qdu" | "com.cinterion.fdl" | "com.intel.dfota"
                );
            }
            "AtPort" | "MbimPort" | "QmiPort" | "QcdmPort" => {
                self.modem = true;
                self.ports.extend(port_name(value).map(str::to_owned));
            }
            "BranchAt" | "Flashless" => self.modem = true,
            "Icon" | "Icons" => self.modem |= value.contains("network-modem") || value.contains("modem"),
            "DeviceId" | "Device ID" | "Flags" | "Device Flags" | "InternalFlags" | "VersionFormat" | "Created" | "Modified" | "Serial"
            | "Install Duration" | "VersionLowest" | "VersionRaw" | "VersionBootloader" | "ProxyGuid" | "Branch" | "Problems"
            | "Bootloader Version" | "ParentDeviceId" | "CompositeId" | "InstallDuration" | "Update State" | "Checksum"
            | "Device Requests" | "Update Error" => {}
            _ => return false,
        }
        true
    }

    fn vendor_id(&mut self, n: u32, text: &str) {
        for id in text.split(['|', ',']).take(8) {
            if let Some(vid) = id.trim().strip_prefix("USB:").and_then(hex4) {
                self.instance(n, &format!("USB\\VID_{vid:04X}"));
            }
        }
    }

    fn instance(&mut self, n: u32, id: &str) {
        let id = id.trim_matches(['"', ',', ' ']).replace("\\\\", "\\").to_ascii_uppercase();
        if (id.starts_with("USB\\") || id.starts_with("PCI\\")) && self.ids.len() < 64 && id.len() < 200 {
            self.ids.push((n, id));
        }
    }

    fn vid(&self) -> Option<u16> {
        self.ids.iter().find_map(|(_, id)| field(id, "VID_", 4).or_else(|| field(id, "VEN_", 4)))
    }

    /// Says the device; gives the key of its part.
    fn say(self, last: Option<&(String, u16)>, host: &mut Host<'_, '_>) -> Option<String> {
        if self.ids.is_empty() && !self.modem && self.key.is_none() {
            return None;
        }
        let vid = self.vid();
        // A block without a place that has the vendor of the one before is of the same modem.
        let same = last.filter(|(_, v)| self.key.is_none() && Some(*v) == vid).map(|(key, _)| key.clone());
        let key = self.key.clone().or(same).unwrap_or_else(|| format!("fwupd:{}", self.n));
        let part = host.part(&key);
        let mut modem = self.modem;
        let mut best_pci: Option<(u32, String)> = None;
        for (n, id) in &self.ids {
            if id.starts_with("PCI\\") {
                if let Some(found) = pci_id(id, host)
                    && best_pci.as_ref().is_none_or(|(_, best)| found.len() > best.len())
                {
                    best_pci = Some((*n, found));
                }
                continue;
            }
            if let (Some(vid), Some(pid)) = (field(id, "VID_", 4), field(id, "PID_", 4)) {
                usb_id(host, part, *n, vid, pid);
                modem |= host.cx.knowledge.usb(vid, pid).iter().any(|row| row.class != umbilical_knowledge::UsbClass::Unknown);
            }
            if let Some(bcd) = field(id, "&REV_", 4) {
                host.fact(part, *n, Kind::UsbRevision, &format!("{bcd:04x}"));
            }
            // The name that fwupd takes from the revision's beginning.
            if let Some((_, name)) = id.split_once("&NAME_") {
                host.fact(part, *n, Kind::BusName, name.split('&').next().unwrap_or_default());
            }
        }
        if let Some((n, id)) = &best_pci {
            host.fact(part, *n, Kind::PciId, id);
            let key = umbilical_knowledge::PciKey::parse(id);
            modem |= key.is_some_and(|k| host.cx.knowledge.pci(k.vendor, k.device, k.subsystem).is_some_and(|row| row.module));
        }
        for port in &self.ports {
            host.also(part, &format!("port:{port}"));
        }
        if let Some((n, version)) = &self.version {
            let spoken = host.cx.knowledge.matches(Scope::Revision, version).iter().any(|h| h.pattern.strength == Strength::Decide);
            if modem || spoken {
                host.fact(part, *n, Kind::FirmwareRevision, version);
            }
        }
        let (maker, model) = if modem { (Kind::Manufacturer, Kind::Model) } else { (Kind::BusName, Kind::BusName) };
        if let Some((n, vendor)) = &self.vendor {
            host.fact(part, *n, maker, vendor);
        }
        if let Some((n, name)) = self.name.as_ref().filter(|(_, name)| !name.eq_ignore_ascii_case("generic")) {
            host.fact(part, *n, model, name);
        }
        Some(key)
    }
}

impl Fwupd {
    fn finish(&mut self, host: &mut Host<'_, '_>) {
        let device = std::mem::take(&mut self.device);
        let vid = device.vid();
        let placed = device.key.is_some();
        if let (Some(key), Some(vid), true) = (device.say(self.last.as_ref(), host), vid, placed) {
            self.last = Some((key, vid));
        }
    }
}

/// A line of JSON: `"Version": "…",`, or an element of a list of instance ids.
fn json_line(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix('"')?;
    let (name, rest) = rest.split_once('"')?;
    match rest.trim_start().strip_prefix(':') {
        Some(value) => Some((name, value.trim().trim_end_matches(',').trim_matches('"'))),
        None => (name.starts_with("USB\\") || name.starts_with("PCI\\")).then_some(("InstanceIds", name)),
    }
}

impl Dialect for Fwupd {
    fn name(&self) -> &'static str {
        "fwupd"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let text = line.text.trim_start_matches(['│', '├', '└', '─', ' ']).trim();
        if text.is_empty() || text == "}," || text == "}" {
            if !self.device.is_empty() {
                self.finish(host);
            }
            return false;
        }
        // `FuMmDevice:` or `├─EM05-G:` heads a device.
        let branch = line.text.contains("├─") || line.text.contains("└─");
        if let Some(head) = text
            .strip_suffix(':')
            .filter(|h| (h.starts_with("Fu") && h.ends_with("Device") && !h.contains(' ')) || (branch && h.len() < 80))
        {
            self.finish(host);
            self.device.n = line.n;
            self.device.modem = head.starts_with("FuMm");
            if branch {
                self.device.name = Some((line.n, head.to_owned()));
            }
            return true;
        }
        // `19:43:39:0959 FuDevice             no FuContext assigned for FuMmDevice:`
        if text.starts_with("Fu") && text.ends_with("FuMmDevice:") {
            self.finish(host);
            self.device = Device { n: line.n, modem: true, ..Device::default() };
            return true;
        }
        if let Some((name, value)) = json_line(text) {
            let instance = value.starts_with("USB\\") || value.starts_with("PCI\\");
            let begun = !self.device.is_empty();
            if !(begun
                || instance
                || matches!(name, "Version" | "PhysicalId" | "DeviceIds" | "InstanceIds" | "GType" | "BranchAt" | "VendorId"))
            {
                return false;
            }
            return self.device.take(line.n, name, value);
        }
        if text.contains("← USB\\VID_") || text.contains("← PCI\\V") {
            return self.device.take(line.n, "Guid", text.strip_prefix("Guid:").unwrap_or(text));
        }
        if !self.device.is_empty() && matches!(text, "]," | "]" | "{") {
            return true;
        }
        let Some((name, value)) = text.split_once(':') else { return false };
        // Outside of a device only names that nobody else uses begin one.
        let begun = !self.device.is_empty() || self.device.n > 0;
        let own = matches!(name, "Guid" | "VendorId" | "PhysicalId" | "MbimPort" | "QmiPort" | "InternalFlags" | "Device Flags");
        let indented = name == "Name" && line.raw.starts_with("  ");
        if !(begun || own || indented) {
            return false;
        }
        if name == "Name" && self.device.name.is_some() {
            self.finish(host);
        }
        self.device.take(line.n, name, value)
    }

    fn end(&mut self, host: &mut Host<'_, '_>) {
        self.finish(host);
    }
}

/// One document of `fwupdmgr get-devices --json` or of a recording; says whether it was one.
pub(super) fn json(value: &Value, n: u32, host: &mut Host<'_, '_>) -> bool {
    let root = value.as_object();
    let ours = root.is_some_and(|r| r.contains_key("Devices") || r.contains_key("UsbDevices") || r.contains_key("FwupdVersion"));
    if !ours {
        return false;
    }
    let mut found = 0u32;
    walk(value, n, 0, &mut found, host);
    found > 0
}

fn walk(value: &Value, n: u32, depth: u32, found: &mut u32, host: &mut Host<'_, '_>) {
    if depth > 16 || *found > 500 {
        return;
    }
    match value {
        Value::Array(list) => {
            for value in list.iter().take(1000) {
                walk(value, n, depth.saturating_add(1), found, host);
            }
        }
        Value::Object(map) => {
            if is_device(map) {
                *found = found.saturating_add(1);
                // Its own number, so that devices without a place stay apart.
                let mut device = Device { n: n.saturating_add(found.saturating_sub(1)), ..Device::default() };
                for (name, value) in map {
                    match value {
                        Value::String(text) => {
                            device.take(n, name, text);
                        }
                        Value::Array(list) => {
                            for text in list.iter().filter_map(Value::as_str).take(64) {
                                device.take(n, name, text);
                            }
                        }
                        _ => {}
                    }
                }
                device.say(None, host);
            }
            for (_, value) in map {
                walk(value, n, depth.saturating_add(1), found, host);
            }
        }
        _ => {}
    }
}

fn is_device(map: &Map<String, Value>) -> bool {
    ["InstanceIds", "DeviceIds", "Guid", "PhysicalId", "DeviceId"].iter().any(|k| map.contains_key(*k))
}
