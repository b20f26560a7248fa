//! OCSF 1.8.0: a verdict is a Compliance Finding (2003), any other finding a Detection Finding (2004), a device an Inventory
//! Info (5001). What the schema has no place for stands under `unmapped`.

use serde_json::{Value, json};
use umbilical_core::answer::Device;
use umbilical_core::finding::Severity;

use super::{Event, Kind, Moment, named, percent, present};

const SCHEMA: &str = "1.8.0";

fn metadata(version: &str, uid: String) -> Value {
    json!({"version": SCHEMA, "uid": uid, "product": {"name": "Umbilical", "vendor_name": "Umbilical", "version": version}})
}

/// The event of a finding. `version` is the program's.
pub fn ocsf(event: &Event<'_>, version: &str) -> Value {
    let finding = event.finding;
    let at = event.at.millis();
    let class = if finding.verdict.is_some() { 2003 } else { 2004 };
    let (activity, activity_name) = match event.kind {
        Kind::New => (1, "Create"),
        Kind::Changed => (2, "Update"),
        Kind::Gone => (3, "Close"),
    };
    let (severity, severity_name) = match finding.severity {
        Severity::Info => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    };
    let (status, status_name) = match event.kind {
        Kind::Gone => (4, "Resolved"),
        _ if event.is_accepted() => (3, "Suppressed"),
        _ => (1, "New"),
    };
    let text = |key: &str| finding.detail.get(key).and_then(Value::as_str).unwrap_or_default();
    let info = present(vec![
        ("uid", finding.id.clone().into()),
        ("title", finding.meaning().into()),
        ("desc", event.because().into()),
        ("types", json!([finding.source])),
        // By a rule: of law, or of ours.
        ("analytic", json!({"type_id": 1, "type": "Rule", "uid": finding.code, "name": finding.meaning()})),
    ]);
    let mut members = vec![
        ("activity_id", json!(activity)),
        ("activity_name", activity_name.into()),
        ("category_uid", json!(2)),
        ("category_name", "Findings".into()),
        ("class_uid", json!(class)),
        ("class_name", if class == 2003 { "Compliance Finding" } else { "Detection Finding" }.into()),
        ("type_uid", json!(class * 100 + activity)),
        ("time", json!(at)),
        ("severity_id", json!(severity)),
        ("severity", severity_name.into()),
        ("status_id", json!(status)),
        ("status", status_name.into()),
        ("message", finding.meaning().into()),
        ("metadata", metadata(version, format!("{}:{}:{at}", finding.id, event.kind.name()))),
        ("finding_info", info),
        ("confidence_score", json!(percent(finding.confidence))),
    ];
    if let Some(verdict) = finding.verdict {
        // What is for review, and what is not known, is neither passed nor failed.
        let (id, name) = match verdict {
            "pass" => (1, "Pass"),
            "fail" => (3, "Fail"),
            "review" => (2, "Warning"),
            _ => (0, "Unknown"),
        };
        let cite = [text("clause"), text("cite")].into_iter().filter(|t| !t.is_empty()).map(Value::from).collect();
        members.push((
            "compliance",
            present(vec![
                ("control", finding.code.clone().into()),
                ("requirements", Value::Array(cite)),
                ("status_id", json!(id)),
                ("status", name.into()),
                ("status_detail", event.because().into()),
            ]),
        ));
    }
    let remedies: Vec<&str> = finding.remedies.iter().map(String::as_str).filter(|r| *r != "none").collect();
    if !remedies.is_empty() {
        members.push(("remediation", json!({"desc": remedies.join("; ")})));
    }
    if let Some(device) = event.device {
        members.push(("resources", json!([{"uid": device.id, "name": crate::fleet::called(device), "type": "device"}])));
        if class == 2004 {
            members.push(("evidences", json!([{"device": of(device), "data": {"because": finding.because}}])));
        }
    }
    members.push((
        "unmapped",
        present(vec![
            ("basis", finding.basis.name().into()),
            ("verdict", finding.verdict.map_or(Value::Null, Value::from)),
            ("lifecycle", finding.lifecycle.into()),
            ("threats", json!(finding.threats)),
            ("clears_when", finding.clears_when.clone().into()),
            ("first", finding.first.clone().map_or(Value::Null, Value::from)),
            ("last", finding.last.clone().map_or(Value::Null, Value::from)),
            ("subject", json!(finding.subject)),
            ("modules", json!(event.modules())),
            // A location of the schema has a country or coordinates.
            ("site", json!(event.device.map(|d| &d.identifiers.site[..]).unwrap_or_default())),
            ("detail", finding.detail.clone()),
        ]),
    ));
    present(members)
}

/// A device as an object of the schema.
fn of(device: &Device) -> Value {
    let ids = &device.identifiers;
    let (product, host) = (device.product.as_ref(), device.host.as_ref());
    let (kind, name) = match product.map(|p| p.kind) {
        Some("handset") => (5, "Mobile"),
        Some("router") => (12, "Router"),
        Some(_) => (99, "Other"),
        None => (0, "Unknown"),
    };
    let brand = host.and_then(|h| h.brand.as_deref()).or_else(|| product.and_then(|p| p.brand.as_deref()));
    let model = host.and_then(|h| h.model.as_deref()).or_else(|| product.and_then(|p| p.model.as_deref()));
    let first = |items: &[String]| items.first().cloned().map_or(Value::Null, Value::from);
    present(vec![
        ("uid", device.id.clone().into()),
        ("name", crate::fleet::called(device).into()),
        ("type_id", json!(kind)),
        ("type", if kind == 99 { product.map_or(name, |p| p.kind) } else { name }.into()),
        ("vendor_name", brand.map_or(Value::Null, Value::from)),
        ("model", model.map_or(Value::Null, Value::from)),
        ("imei_list", json!(ids.imei)),
        ("eid", first(&ids.eid)),
        ("meid", first(&ids.meid)),
        ("iccid", first(&ids.iccid)),
        ("ip", ids.ip.iter().find(|ip| ip.parse::<std::net::IpAddr>().is_ok()).cloned().map_or(Value::Null, Value::from)),
        ("mac", first(&ids.mac)),
        ("hw_info", crate::fleet::serial(device).map_or(Value::Null, |s| json!({"serial_number": s}))),
    ])
}

/// The event that a device is in the inventory. `version` is the program's.
pub fn inventory(device: &Device, at: Moment, version: &str) -> Value {
    let modules: Vec<Value> = device
        .modules
        .iter()
        .map(|m| {
            present(vec![
                ("name", named(m).map_or(Value::Null, Value::from)),
                ("maker", m.maker.clone().map_or(Value::Null, Value::from)),
                ("brand", m.brand.clone().map_or(Value::Null, Value::from)),
                ("confidence", m.confidence.into()),
                ("confidence_level", m.confidence_level.name().into()),
                ("basis", m.basis.name().into()),
                ("imei", json!(m.imei)),
                ("jurisdictions", json!(crate::say::countries(m))),
            ])
        })
        .collect();
    present(vec![
        ("activity_id", json!(2)),
        ("activity_name", "Collect".into()),
        ("category_uid", json!(5)),
        ("category_name", "Discovery".into()),
        ("class_uid", json!(5001)),
        ("class_name", "Device Inventory Info".into()),
        ("type_uid", json!(500_102)),
        ("time", json!(at.millis())),
        ("severity_id", json!(1)),
        ("severity", "Informational".into()),
        ("metadata", metadata(version, format!("{}:{}", device.id, at.millis()))),
        ("device", of(device)),
        (
            "unmapped",
            json!({
                "cellular": device.cellular, "cellular_confidence": device.cellular_confidence, "modules": modules,
                "asset_id": device.identifiers.asset_id, "site": device.identifiers.site, "names": device.names,
            }),
        ),
    ])
}
