//! The findings: what was declared where, and what was observed where.

use serde_json::json;
use umbilical_core::answer::bom::Check;
use umbilical_core::answer::verify::{LotAnswer, Mismatch, Outcome, Place, RadioRow, Row, SweepAnswer};
use umbilical_core::answer::{Because, Level};
use umbilical_core::bom::PartKind;
use umbilical_core::finding::{Finding, Severity, Subject};
use umbilical_core::observation::Input;
use umbilical_core::text::clean;
use umbilical_core::weight::round4;

use super::{rows, sweep};
use crate::findings::raise;

/// Declared lines that a row begins with.
fn declared_lines(row: &Row) -> usize {
    row.declared.as_ref().map_or(0, |d| d.also.len().saturating_add(1))
}

fn path(inputs: &[Input], input: u32) -> String {
    inputs.get(input as usize).map(|i| clean(&i.path).into_owned()).unwrap_or_default()
}

/// A piece of evidence in a sentence.
fn told(what: &str, b: &Because, inputs: &[Input]) -> String {
    let file = path(inputs, b.input);
    let place = if file.is_empty() { b.at.clone() } else { format!("{file}, {}", b.at) };
    let weight = if b.weight == 0 { String::new() } else { format!(", weight {}", b.weight) };
    format!("{what}: {} ({place}; {}, {}{weight})", clean(&b.value), b.kind, b.group)
}

/// The finding of a row; none for a match. In doubt where the device may be another product than the documents are about. A rebrand is known to the audit as `rebranded`.
pub(super) fn row(row: &Row, inputs: &[Input], doubt: bool) -> Option<Finding> {
    let code = match row.result {
        Outcome::Substituted => "substituted-module",
        Outcome::Undeclared => "undeclared-module",
        // A socket that may stay empty is no module that is missing.
        Outcome::NotSeen if row.declared.as_ref().is_some_and(|d| d.kind == PartKind::Slot && d.module.is_none()) => return None,
        Outcome::NotSeen => "module-not-seen",
        Outcome::Rebrand => "rebranded",
        Outcome::Match => return None,
    };
    let split = declared_lines(row);
    let mut because = vec![row.sentence.clone()];
    because.extend(row.because.iter().take(split).take(4).map(|b| told("declared", b, inputs)));
    let mut observed: Vec<&Because> = row.because.iter().skip(split).filter(|b| b.weight >= 0).collect();
    observed.sort_by_key(|b| std::cmp::Reverse(b.weight));
    because.extend(observed.into_iter().take(4).map(|b| told("observed", b, inputs)));
    because.extend(row.because.iter().skip(split).filter(|b| b.weight < 0).take(2).map(|b| told("against", b, inputs)));
    if row.result == Outcome::NotSeen {
        because.extend(row.collect.iter().take(3).map(|c| format!("would show it: {c}")));
    }
    let subject = match (&row.device, &row.declared) {
        (Some(device), _) => Subject { kind: "device", id: device.clone() },
        (None, Some(d)) => Subject { kind: "part", id: format!("{}, {}", d.file, d.at) },
        (None, None) => return None,
    };
    let declared = row.declared.as_ref();
    let detail = json!({
        "file": declared.map(|d| &d.file),
        "line": declared.and_then(|d| d.line),
        "at": declared.map(|d| &d.at),
        "designators": row.designators,
        "device": row.device,
        "mpn": declared.and_then(|d| d.mpn.as_ref()),
        "value": declared.and_then(|d| d.value.as_ref()),
        "manufacturer": declared.and_then(|d| d.manufacturer.as_ref()),
        "observed": row.observed.as_ref().map(|m| rows::words(rows::Seen::Module(m))),
        "observed_at": rows::strongest(row).map(|b| format!("{}, {}", path(inputs, b.input), b.at)),
    });
    let mut finding = raise(code, subject, because, detail)?;
    if row.result != Outcome::NotSeen {
        finding.confidence = round4(row.confidence);
    }
    // Another build of one family by one maker is another part number, not another maker's reach.
    if row.differs == Some(Level::Variant) {
        finding.severity = Severity::Medium;
    }
    if doubt {
        finding.confidence = round4(finding.confidence / 2.0);
        finding.severity = finding.severity.min(Severity::Medium);
    }
    Some(finding)
}

/// The first document, for findings about what none of them declares.
fn document(check: &Check) -> serde_json::Value {
    check.files.first().map_or(serde_json::Value::Null, |f| f.path.clone().into())
}

/// The finding of a radio that no document declares.
pub(super) fn radio(row: &RadioRow, check: &Check, inputs: &[Input]) -> Option<Finding> {
    if row.declared.is_some() {
        return None;
    }
    let id = row.device.clone().or_else(|| row.address.clone())?;
    let mut because = vec![row.sentence.clone()];
    let documents: Vec<String> = check.files.iter().take(4).map(|f| clean(&f.path).into_owned()).collect();
    because.push(format!("declared: no such radio in {}", documents.join(", ")));
    because.extend(row.because.iter().map(|b| told("observed", b, inputs)));
    let detail = json!({
        "file": document(check),
        "line": null,
        "device": row.device,
        "radio": row.radio,
        "value": format!("{} {}", row.radio.name(), row.address.as_deref().unwrap_or_default()).trim(),
        "witness": row.witness,
        "address": row.address,
        "dbm": row.dbm,
    });
    let kind = if row.device.is_some() { "device" } else { "host" };
    let mut finding = raise("undeclared-radio", Subject { kind, id }, because, detail)?;
    finding.basis = row.basis;
    finding.confidence = match (row.witness, row.basis) {
        ("survey", umbilical_core::Basis::Observed) => 0.9,
        ("survey", _) => 0.4,
        ("bus", _) => 0.8,
        _ if row.presence == Some("option") => 0.5,
        _ => 0.8,
    };
    Some(finding)
}

/// The findings of a sweep beside a device that declares no modem: bursts, and constant energy too wide for a spurious line.
pub(super) fn energy<'a>(
    answer: &'a SweepAnswer,
    inputs: &'a [Input],
    device: Option<&'a str>,
    check: &'a Check,
) -> impl Iterator<Item = Finding> + 'a {
    let file = path(inputs, answer.input);
    answer.energy.iter().filter(|e| e.form != "narrow").filter_map(move |e| {
        let subject = match device {
            Some(id) => Subject { kind: "device", id: id.to_owned() },
            None => Subject { kind: "file", id: file.clone() },
        };
        let documents: Vec<String> = check.files.iter().take(4).map(|f| clean(&f.path).into_owned()).collect();
        let because =
            vec![sweep::sentence(e), format!("declared: no modem in {}", documents.join(", ")), format!("observed: {file}, {}", e.at)];
        let detail = json!({
            "file": file,
            "line": e.at.strip_prefix("line ").and_then(|l| l.parse::<u32>().ok()),
            "device": device,
            "value": format!("{} to {} MHz", e.from_mhz, e.to_mhz),
        "from_mhz": e.from_mhz,
            "to_mhz": e.to_mhz,
            "over_floor_db": e.over_floor_db,
            "direction": e.direction,
        });
        let mut finding = raise("uplink-energy", subject, because, detail)?;
        finding.confidence = sweep::confidence(e);
        if e.direction != "uplink" {
            finding.severity = Severity::Low;
        }
        Some(finding)
    })
}

/// The finding of a difference between shipped and received.
pub(super) fn lot(lot: &LotAnswer, m: &Mismatch, inputs: &[Input]) -> Option<Finding> {
    let place = |what: &str, p: &Place| format!("{what}: {} ({}, {})", p.value, path(inputs, p.input), p.at);
    let mut because = vec![m.what.clone()];
    because.push(m.shipped.as_ref().map_or_else(|| "shipped: no such line".to_owned(), |p| place("shipped", p)));
    because.push(m.received.as_ref().map_or_else(|| "received: no such line".to_owned(), |p| place("received", p)));
    let shown = m.received.as_ref().or(m.shipped.as_ref());
    let detail = json!({
        "file": shown.map(|p| path(inputs, p.input)),
        "line": shown.and_then(|p| p.at.strip_prefix("row ").and_then(|l| l.parse::<u32>().ok())),
        "lot": lot.lot,
        "kind": m.kind,
        "piece": m.piece,
        "value": format!("{}: {}", m.piece, m.kind),
    });
    let id = lot.lot.as_deref().map(|l| format!("{l}: ")).unwrap_or_default();
    let mut finding = raise("lot-mismatch", Subject { kind: "part", id: format!("{id}{}", m.piece) }, because, detail)?;
    // A piece that is late or printed otherwise is no other piece.
    if matches!(m.kind, "missing" | "label" | "firmware" | "other-lot") {
        finding.severity = Severity::Medium;
    }
    Some(finding)
}
