//! Findings as lines of our own: an object of JSON, or a line of CSV, for each.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use umbilical_core::answer::rows::join;
use umbilical_core::text::guarded;

use super::Event;

/// The schema of [`object`].
const SCHEMA: &str = "umbilical.finding/1";

/// A finding with its device: the members of the finding as every document has them, then `device` (`null` where it is about
/// something else), and in front what happened and when.
pub fn object(event: &Event<'_>) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("schema".into(), SCHEMA.into());
    out.insert("kind".into(), event.kind.name().into());
    out.insert("at".into(), event.at.rfc3339().into());
    if let Ok(Value::Object(finding)) = serde_json::to_value(event.finding) {
        out.extend(finding);
    }
    let device = event.device.map(|d| {
        let modules: Vec<Value> = d
            .modules
            .iter()
            .map(|m| json!({"brand": m.brand, "maker": m.maker, "model": m.model, "confidence": m.confidence, "basis": m.basis}))
            .collect();
        let ids = &d.identifiers;
        json!({
            "id": d.id, "names": d.names, "cellular": d.cellular, "site": ids.site, "asset_id": ids.asset_id,
            "serial": ids.serial, "imei": ids.imei, "ip": ids.ip, "mac": ids.mac, "modules": modules,
        })
    });
    out.insert("device".into(), device.unwrap_or(Value::Null));
    out
}

/// The columns of [`Csv`].
pub const COLUMNS: [&str; 22] = [
    "id",
    "code",
    "meaning",
    "source",
    "verdict",
    "severity",
    "confidence",
    "basis",
    "lifecycle",
    "threats",
    "subject_kind",
    "subject",
    "device",
    "device_name",
    "modules",
    "first",
    "last",
    "because",
    "remedies",
    "clears_when",
    "kind",
    "at",
];

/// Writes findings as CSV, no cell of which a spreadsheet computes.
pub struct Csv<'a>(csv::Writer<&'a mut dyn Write>);

impl<'a> Csv<'a> {
    /// Writes the line of column names.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn new(out: &'a mut dyn Write) -> io::Result<Self> {
        let mut to = csv::Writer::from_writer(out);
        to.write_record(COLUMNS)?;
        Ok(Self(to))
    }

    /// Writes one finding.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        let f = event.finding;
        let list = |items: &[String]| join(items.iter().map(|i| guarded(i)));
        let text = |t: Option<&str>| guarded(t.unwrap_or_default());
        Ok(self.0.write_record([
            f.id.clone(),
            guarded(&f.code),
            guarded(f.meaning()),
            f.source.to_owned(),
            f.verdict.unwrap_or_default().to_owned(),
            f.severity.name().to_owned(),
            f.confidence.to_string(),
            f.basis.name().to_owned(),
            f.lifecycle.to_owned(),
            join(f.threats.iter()),
            f.subject.kind.to_owned(),
            guarded(&f.subject.id),
            text(event.device_id()),
            text(event.device.map(crate::fleet::called)),
            list(&event.modules()),
            text(f.first.as_deref()),
            text(f.last.as_deref()),
            list(&f.because),
            list(&f.remedies),
            guarded(&f.clears_when),
            event.kind.name().to_owned(),
            event.at.rfc3339(),
        ])?)
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}
