//! What the programs print that speak MBIM or QMI with a modem: qmicli, mbimcli, umbim; ModemManager's log; the
//! connection manager and flash tool that Quectel gives away, and logs of PCIe modem drivers.
//!
//! **What it reads.** The answers to "who are you" (`Model: '…'`, `FirmwareInfo: …`, `DeviceId: …`, which is the IMEI),
//! the device that was opened (`idVendor=0x2c7c idProduct=0x125`), the plugin that ModemManager chose, messages
//! translated in a debug log.
//!
//! **Traps.** The programs run with modules of any maker: `Quectel_QConnectManager` says nothing of the module. Ids come
//! without leading zeros. A flash tool sees the module's id and then the chip's (05c6:9008): one part. The name of the
//! file being flashed is a claim about the image, not about the device.

use std::sync::OnceLock;

use regex::Regex;
use umbilical_core::number::{Check, Imei, imei, imsi, msisdn};
use umbilical_core::{Basis, Group, IdKind, Kind};

use super::bus::{by_number, by_path, hex4, pci, port_name, usb_id};
use super::strip::regex;
use super::{Dialect, Host, Line, Part};

/// Reads the logs.
#[derive(Default)]
pub(super) struct Mbim {
    /// Where the answers go whose lines do not say it.
    part: Option<Part>,
    /// Whether a heading has announced answers.
    answers: bool,
    /// The field that the next `translated = ` is of.
    field: String,
    /// What `uqmi --get-imei` and the like will answer on the next line.
    asked: Option<&'static str>,
}

fn opened() -> Option<&'static Regex> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    R.get_or_init(|| regex(r"\bidVendor\s*[=:]\s*(?:0x)?([0-9a-fA-F]{1,4})\b[\s,]*idProduct\s*[=:]\s*(?:0x)?([0-9a-fA-F]{1,4})\b")).as_ref()
}

fn on_pci() -> Option<&'static Regex> {
    static R: OnceLock<Option<Regex>> = OnceLock::new();
    R.get_or_init(|| regex(r"(?i)\bvendor\s*[=:]\s*(?:0x)?([0-9a-f]{4})\b[\s,]*device\s*[=:]\s*(?:0x)?([0-9a-f]{1,4})\b")).as_ref()
}

/// What stands behind `name=`, up to a blank or comma.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split_once(name).and_then(|(_, rest)| rest.split([',', ' ', ';', ')']).next()).filter(|v| !v.is_empty())
}

impl Mbim {
    fn part(&self, host: &mut Host<'_, '_>) -> Part {
        self.part.unwrap_or_else(|| host.part("modem"))
    }

    /// `Find /sys/bus/usb/devices/1-1.3 idVendor=0x2c7c idProduct=0x125, bus=0x001, dev=0x004`
    fn opened(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        let Some(found) = opened().and_then(|r| r.captures(text)) else {
            let Some(found) = on_pci().and_then(|r| r.captures(text)) else { return false };
            let field = |i: usize| found.get(i).and_then(|m| hex4(m.as_str()));
            let (Some(vendor), Some(device)) = (field(1), field(2)) else { return false };
            let place = text.split_whitespace().find_map(|w| pci(w.trim_matches([',', ':', '='])));
            let part = match place {
                Some(key) => host.part(&key),
                None => self.part(host),
            };
            host.fact(part, n, Kind::PciId, &format!("{vendor:04x}:{device:04x}"));
            return true;
        };
        let field = |i: usize| found.get(i).and_then(|m| hex4(m.as_str()));
        let (Some(vid), Some(pid)) = (field(1), field(2)) else { return false };
        let place = text.split_whitespace().find(|w| w.contains("/usb/devices/")).and_then(by_path);
        let part = match &place {
            Some(key) => host.part(key),
            None => self.part(host),
        };
        let number = |name: &str| value(text, name).and_then(|v| hex4(v).map(u32::from));
        if let (Some(bus), Some(device), Some(_)) = (number("bus="), number("dev="), &place) {
            host.also(part, &by_number(bus, device));
        }
        usb_id(host, part, n, vid, pid);
        self.part = Some(part);
        true
    }

    /// One answer, by its name in any of the programs.
    fn answer(&self, name: &str, value: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        let value = value.trim().trim_matches(['\'', '"']).trim();
        let part = self.part(host);
        let known = !umbilical_core::text::is_blank(value) && value != "0";
        match name {
            "deviceid" | "device id" | "imei" => {
                if !matches!(imei(value), Imei::No) {
                    host.imei(part, n, value);
                }
            }
            "manufacturer" => host.fact(part, n, Kind::Manufacturer, value),
            "model" => {
                if known {
                    host.fact(part, n, Kind::Model, value);
                }
            }
            "firmwareinfo" | "firmware info" | "revision" | "requestbasebandversion" => {
                if known {
                    host.fact(part, n, Kind::FirmwareRevision, value);
                }
            }
            "hardwareinfo" | "hardware info" | "hardware revision" => {
                if known {
                    host.fact(part, n, Kind::HardwareRevision, value);
                }
            }
            "iccid" | "sim iccid" | "simiccid" => {
                host.iccid(part, n, value);
                host.fact(part, n, Kind::Cellular, "sim");
            }
            "imsi" | "subscriber id" | "subscriberid" => {
                if imsi(value).is_some() {
                    host.id(part, IdKind::Imsi, value);
                    host.fact(part, n, Kind::Cellular, "sim");
                }
            }
            "msisdn" | "telephone numbers" | "telephonenumbers" => {
                if let Some(number) = value.rsplit(['\'', ' ']).find_map(msisdn) {
                    host.id(part, IdKind::Msisdn, &number);
                }
            }
            "meid" | "esn" | "imei sv" => {}
            _ => return false,
        }
        true
    }

    /// ModemManager's own log.
    fn manager(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        let lower_mark =
            ["<info>", "<inf>", "<debug>", "<dbg>", "<warn>", "<wrn>", "<msg>", "<error>", "<err>"].iter().any(|m| text.starts_with(m));
        if !lower_mark {
            return false;
        }
        // `[device /sys/…/usb1/1-4] creating modem with plugin 'quectel' and '5' ports`
        let path = text.split(['[', ']', '\'', ' ', ')']).find(|w| w.starts_with("/sys/"));
        let key = path.and_then(|p| by_path(p).or_else(|| pci(p)));
        let lower = text.to_ascii_lowercase();
        if let Some((_, rest)) = lower.split_once("creating modem with plugin '") {
            let part = match &key {
                Some(key) => host.part(key),
                None => self.part(host),
            };
            host.fact(part, n, Kind::Plugin, rest.split('\'').next().unwrap_or_default());
            self.part = Some(part);
        } else if lower.contains("successfully created") && lower.contains("modem") {
            let part = match &key {
                Some(key) => host.part(key),
                None => self.part(host),
            };
            host.fact(part, n, Kind::Cellular, "modem-manager");
        } else if lower.contains("state changed") && (lower.contains("-> registered") || lower.contains("-> connected")) {
            let modem = lower.split_once("[modem").and_then(|(_, r)| r.split([']', '/']).next()).filter(|d| !d.is_empty() && d.len() < 6);
            let part = match modem {
                Some(id) => host.part(&format!("modem:{id}")),
                None => self.part(host),
            };
            host.fact(part, n, Kind::Cellular, "registered");
        }
        // The dialogue itself is for the AT dialect.
        !(text.contains("--> '") || text.contains("<-- '"))
    }

    /// A message translated: `TLV: type = "Model" (0x01)`, then `translated = EC25`.
    fn translated(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        let text = text.trim_start_matches(['<', '>', ' ']);
        if let Some((_, rest)) = text.split_once("type       = \"").or_else(|| text.split_once("type = \"")) {
            self.field = rest.split('"').next().unwrap_or_default().to_ascii_lowercase();
            return true;
        }
        if let Some((_, rest)) = text.split_once("translated = ") {
            let field = std::mem::take(&mut self.field);
            if matches!(field.as_str(), "model" | "manufacturer" | "revision" | "imei" | "iccid" | "imsi") {
                self.answer(&field, rest, n, host);
            }
            return true;
        }
        text.starts_with("TLV:")
    }

    /// `qfirehose -f ../EM20GRAR01A04V01M4G_factory`, `dir=../…/update/firehose`
    fn flashed(&mut self, text: &str, n: u32, host: &mut Host<'_, '_>) -> bool {
        let tool = ["qfirehose", "QFirehose", "Qfirehose", "qdl", "fastboot flash", "Find md5 check file", "dir="]
            .iter()
            .any(|t| text.contains(t));
        if !tool {
            return false;
        }
        let mut any = false;
        for word in text.split([' ', '<', '>', '\'', '"', '=']).filter(|w| w.contains('/') || w.contains('_')).take(40) {
            for step in word.split('/').filter(|s| (8..=120).contains(&s.len())).take(12) {
                let hits = host.cx.knowledge.matches(umbilical_knowledge::Scope::FileName, step);
                if !hits.is_empty() {
                    let part = self.part(host);
                    host.fact_of(part, n, Kind::FileName, step, Group::Image, Basis::Declared);
                    any = true;
                }
            }
        }
        any
    }
}

/// `5: wwan0: <POINTOPOINT,…>`, `wwan0: flags=`, `wwan0  Link encap:`, and nmcli's `cdc-wdm0  gsm  connected`.
fn wwan_interface(text: &str) -> bool {
    let mut words = text.split_whitespace().skip_while(|w| w.trim_end_matches(':').bytes().all(|b| b.is_ascii_digit()));
    let (Some(first), Some(second)) = (words.next(), words.next()) else { return false };
    let name = first.trim_end_matches(':').split('@').next().unwrap_or_default();
    let named = (name.starts_with("wwan") || name.starts_with("wwp")) && name.bytes().any(|b| b.is_ascii_digit()) && name.len() <= 20;
    let listed = second.starts_with("flags=") || second == "Link" || (first.ends_with(':') && second.starts_with('<'));
    (named && listed) || (second == "gsm" && port_name(name).is_some())
}

impl Dialect for Mbim {
    fn name(&self) -> &'static str {
        "mbim-qmi"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let (text, n) = (line.text, line.n);
        if text.is_empty() {
            return false;
        }
        if line.shell {
            self.part = None;
            self.answers = false;
            let node = text.split_whitespace().find_map(|w| port_name(w).filter(|_| w.starts_with("/dev/")));
            let ours = ["qmicli", "mbimcli", "umbim", "uqmi"].iter().any(|t| text.contains(t));
            self.asked = [("--get-imei", "imei"), ("--get-imsi", "imsi"), ("--get-iccid", "iccid"), ("--get-msisdn", "msisdn")]
                .iter()
                .find(|(option, _)| ours && text.contains(option))
                .map(|(_, field)| *field);
            if let (true, Some(node)) = (ours, node) {
                self.part = Some(host.part(&format!("port:{node}")));
                self.answers = true;
            }
            return self.flashed(text, n, host) || ours;
        }
        if let Some(field) = self.asked.take().filter(|_| text.starts_with('"') || text.starts_with(|c: char| c.is_ascii_digit())) {
            return self.answer(field, text, n, host);
        }
        if wwan_interface(text) {
            let part = self.part(host);
            host.fact(part, n, Kind::Cellular, "wwan-interface");
            return true;
        }
        // `[/dev/cdc-wdm0] Device capabilities retrieved:`
        if let Some((node, heading)) = text.strip_prefix("[/dev/").and_then(|t| t.split_once(']')) {
            if let Some(node) = port_name(node) {
                self.part = Some(host.part(&format!("port:{node}")));
            }
            self.answers = heading.contains("retrieved") || heading.contains("Successfully") || heading.contains("Message");
            return true;
        }
        if self.manager(text, n, host) || self.opened(text, n, host) || self.translated(text, n, host) || self.flashed(text, n, host) {
            return true;
        }
        if let Some(rest) = text.strip_prefix("requestBaseBandVersion ") {
            return self.answer("requestbasebandversion", rest, n, host);
        }
        if text.starts_with("requestRegistrationState") {
            let part = self.part(host);
            if text.contains("PS: Attached") {
                host.fact(part, n, Kind::Cellular, "registered");
            }
            return true;
        }
        let Some((name, value)) = text.split_once(':') else { return false };
        // `requestGetICCID > response: ICCID : 89…`
        if name.starts_with("requestGet") {
            return value.split_once(':').is_some_and(|(name, value)| self.answer(&name.trim().to_ascii_lowercase(), value, n, host));
        }
        let name = name.trim();
        // Only these programs write these words so.
        let own = matches!(
            name,
            "DeviceId" | "FirmwareInfo" | "HardwareInfo" | "deviceid" | "firmwareinfo" | "hardwareinfo" | "SubscriberId" | "SimIccId"
        );
        // Windows' `netsh mbn show interfaces` calls the IMEI so.
        if name.eq_ignore_ascii_case("device id")
            && value.trim().len() == 15
            && matches!(imei(value), Imei::Whole { check: Check::Right, .. })
        {
            return self.answer("device id", value, n, host);
        }
        if own || (self.answers && (line.raw.starts_with(['\t', ' ']) || value.trim().starts_with('\''))) {
            return self.answer(&name.to_ascii_lowercase(), value, n, host);
        }
        false
    }
}
