//! QRadar's Log Event Extended Format 2.0, pairs parted by tabs.

use super::{Event, line, of_ten};

/// The message of an event. `version` is the program's.
pub fn leef(event: &Event<'_>, version: &str) -> String {
    let finding = event.finding;
    // No character of the header can be escaped.
    let [version, code] = [version, &*finding.code].map(|text| line(text).replace(['|', '\t'], " "));
    let mut out = format!("LEEF:2.0|Umbilical|Umbilical|{version}|{code}|x09|");
    let mut pairs: Vec<(&str, String)> = vec![
        ("cat", finding.source.to_owned()),
        ("sev", of_ten(finding.severity).to_string()),
        ("devTime", event.at.millis().to_string()),
        ("externalId", finding.id.clone()),
        ("action", event.kind.name().to_owned()),
        ("name", finding.meaning().to_owned()),
        ("basis", finding.basis.name().to_owned()),
        ("confidence", finding.confidence.to_string()),
        ("verdict", finding.verdict.unwrap_or_default().to_owned()),
        ("deviceId", event.device_id().unwrap_or_default().to_owned()),
    ];
    if let Some(device) = event.device {
        pairs.push(("identHostName", crate::fleet::called(device).to_owned()));
        pairs.push(("identMAC", device.identifiers.mac.first().cloned().unwrap_or_default()));
        pairs.push(("dst", device.identifiers.ip.first().cloned().unwrap_or_default()));
        pairs.push(("imei", device.identifiers.imei.join("; ")));
    }
    pairs.push(("modules", event.modules().join("; ")));
    pairs.push(("reason", event.because()));
    let pairs: Vec<String> =
        pairs.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| format!("{k}={}", line(v).replace('\t', " "))).collect();
    out.push_str(&pairs.join("\t"));
    out
}
