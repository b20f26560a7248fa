//! ArcSight's Common Event Format, version 0 of the format in version 25 of its guide: a header with bars, then pairs.

use super::{Event, line, of_ten};

/// The message of an event. `version` is the program's.
pub fn cef(event: &Event<'_>, version: &str) -> String {
    let finding = event.finding;
    let head = [version, &*finding.code, finding.meaning()].map(header);
    let [version, code, meaning] = head;
    let mut out = format!("CEF:0|Umbilical|Umbilical|{version}|{code}|{meaning}|{}|", of_ten(finding.severity));
    let mut first = true;
    let mut pair = |key: &str, value: &str| {
        let value = extension(value);
        if !value.is_empty() {
            if !first {
                out.push(' ');
            }
            first = false;
            out.push_str(&format!("{key}={value}"));
        }
    };
    let mut label = |n: u8, name: &str, value: &str| {
        if !value.is_empty() {
            pair(&format!("cs{n}"), value);
            pair(&format!("cs{n}Label"), name);
        }
    };
    let device = event.device;
    label(1, "basis", finding.basis.name());
    label(2, "verdict", finding.verdict.unwrap_or_default());
    label(3, "modules", &event.modules().join("; "));
    label(4, "jurisdictions", &device.map(jurisdictions).unwrap_or_default());
    label(5, "remedies", &finding.remedies.join("; "));
    label(6, "IMEI", &device.map(|d| d.identifiers.imei.join("; ")).unwrap_or_default());
    pair("act", event.kind.name());
    pair("cat", finding.source);
    pair("cfp1", &finding.confidence.to_string());
    pair("cfp1Label", "confidence");
    pair("deviceExternalId", event.device_id().unwrap_or_default());
    if let Some(device) = device {
        pair("dhost", crate::fleet::called(device));
        pair("dmac", device.identifiers.mac.first().map_or("", String::as_str));
        let ip = device.identifiers.ip.iter().find(|ip| ip.parse::<std::net::Ipv4Addr>().is_ok());
        pair("dst", ip.map_or("", String::as_str));
    }
    pair("externalId", &finding.id);
    pair("msg", &event.because());
    pair("rt", &event.at.millis().to_string());
    out
}

fn jurisdictions(device: &umbilical_core::answer::Device) -> String {
    crate::say::reaching(device.modules.iter().flat_map(|m| &m.jurisdictions).collect::<Vec<_>>().iter().copied()).join("; ")
}

/// A field of the header: bars and backslashes are escaped.
pub(super) fn header(text: &str) -> String {
    line(text).replace('\\', "\\\\").replace('|', "\\|")
}

/// A value of a pair: equal signs and backslashes are escaped; bars are not. At most 1,023 characters, which the longest
/// fields of the dictionary hold.
pub(super) fn extension(text: &str) -> String {
    let text = line(text);
    umbilical_core::text::short(text.trim(), 1022).replace('\\', "\\\\").replace('=', "\\=")
}
