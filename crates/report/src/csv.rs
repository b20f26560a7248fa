//! One line per device and module, for spreadsheets and scripts.
//!
//! - **Formulas.** A cell of text that begins with `=`, `+`, `-`, `@` (full-width forms too), a tab or a carriage return
//!   gets an apostrophe in front, so that no spreadsheet computes it; text that already is an apostrophe before such a
//!   character gets another, so that taking one away ([`unguarded`]) restores every cell. Numbers of our own are left alone.
//! - **IMEIs are plain digits.** A spreadsheet shows 15 digits as `4.9E+14` but keeps all of them (a double holds 15
//!   exactly); an apostrophe or `="…"` would break every other reader. Who opens the file in a spreadsheet
//!   formats the column as text; a leading zero that was lost there comes back by padding to 15.
//! - **Lists** are joined with `; `; a semicolon inside an item becomes a comma and every item is guarded, so that the list
//!   splits where it was joined, also in a spreadsheet that takes semicolons for columns.
//! - **Lines.** A device with two modules has two lines with the same `id`; a device without one has one line. A stick,
//!   phone or router that is itself the cellular product has its brand and model, and an empty `level`.

use std::collections::HashMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use umbilical_core::answer::bom::{Check, FileAnswer, PartAnswer};
use umbilical_core::answer::{Device, Module};
use umbilical_core::bom::{PartKind, Placed};
pub use umbilical_core::text::{guarded, unguarded};

use crate::say;

/// The columns of [`audit`].
pub const COLUMNS: [&str; 16] = [
    "id",
    "names",
    "imei",
    "cellular",
    "brand",
    "maker",
    "model",
    "variant",
    "sold_as",
    "level",
    "confidence",
    "confidence_level",
    "basis",
    "jurisdictions",
    "findings",
    "next_evidence",
];

/// Writes the fleet, one line per device and module, after a line of column names.
pub fn audit(out: &mut dyn Write, devices: impl IntoIterator<Item = Device>) -> io::Result<()> {
    let mut to = csv::Writer::from_writer(out);
    to.write_record(COLUMNS)?;
    for device in devices {
        if device.modules.is_empty() {
            line(&mut to, &device, None)?;
        }
        for module in &device.modules {
            line(&mut to, &device, Some(module))?;
        }
    }
    to.flush()
}

fn line<W: Write>(to: &mut csv::Writer<W>, device: &Device, module: Option<&Module>) -> io::Result<()> {
    let imeis = module.map(|m| &m.imei).filter(|i| !i.is_empty()).unwrap_or(&device.identifiers.imei);
    let product = device.product.as_ref().filter(|_| module.is_none());
    to.write_field(guarded(&device.id))?;
    to.write_field(list(&device.names))?;
    to.write_field(list(imeis))?;
    to.write_field(device.cellular.name())?;
    let of = |part: fn(&Module) -> &Option<String>| module.and_then(|m| part(m).as_deref());
    let brand = of(|m| &m.brand).or_else(|| product.and_then(|p| p.brand.as_deref()));
    let model = of(|m| &m.model).or_else(|| product.and_then(|p| p.model.as_deref()));
    for cell in [brand, of(|m| &m.maker), model, of(|m| &m.variant), of(|m| &m.sold_as)] {
        to.write_field(guarded(cell.unwrap_or_default()))?;
    }
    to.write_field(module.map_or("", |m| m.level.name()))?;
    let confidence = module.map(|m| m.confidence).or(product.map(|p| p.confidence));
    to.write_field(confidence.map(|c| c.to_string()).unwrap_or_default())?;
    to.write_field(module.map_or("", |m| m.confidence_level.name()))?;
    let basis = module.map(|m| m.basis).or(product.map(|p| p.basis));
    to.write_field(basis.map_or("", |b| b.name()))?;
    to.write_field(list(&module.map(say::countries).unwrap_or_default()))?;
    let mut codes: Vec<&str> = device.findings.iter().map(|f| &*f.code).collect();
    codes.dedup();
    to.write_field(list(&codes))?;
    to.write_field(list(&device.next_evidence))?;
    Ok(to.write_record(None::<&[u8]>)?)
}

/// The columns of [`parts`]: what the document declares, then what is known.
pub const PARTS: [&str; 20] = [
    "path",
    "at",
    "designators",
    "quantity",
    "value",
    "mpn",
    "manufacturer",
    "description",
    "supplier",
    "supplier_part",
    "assembly",
    "not_placed",
    "alternates",
    "umbilical_kind",
    "umbilical_maker",
    "umbilical_model",
    "umbilical_state",
    "umbilical_confidence",
    "umbilical_jurisdictions",
    "umbilical_findings",
];

/// Writes bills of materials, one line per part, after a line of column names. The parts that are not placed follow the
/// others of their document. `umbilical_state` is the document's; `umbilical_findings` are the codes of those at the
/// part's own place.
pub fn parts(out: &mut dyn Write, check: &Check) -> io::Result<()> {
    let mut to = csv::Writer::from_writer(out);
    to.write_record(PARTS)?;
    for file in &check.files {
        let mut codes: HashMap<&str, Vec<&str>> = HashMap::new();
        for finding in &file.findings {
            let at = finding.detail.get("at").and_then(Value::as_str).unwrap_or_default();
            let known = codes.entry(at).or_default();
            if !known.contains(&&*finding.code) {
                known.push(&finding.code);
            }
        }
        for part in file.parts.iter().chain(&file.not_placed) {
            let found = codes.get(part.at.as_str()).map(Vec::as_slice).unwrap_or_default();
            part_line(&mut to, file, part, found)?;
        }
    }
    to.flush()
}

fn part_line<W: Write>(to: &mut csv::Writer<W>, file: &FileAnswer, answer: &PartAnswer, codes: &[&str]) -> io::Result<()> {
    let part = &answer.part;
    to.write_field(guarded(&file.path))?;
    to.write_field(guarded(&answer.at))?;
    to.write_field(guarded(&part.designators.join(", ")))?;
    to.write_field(part.quantity.map(|q| q.to_string()).unwrap_or_default())?;
    for cell in [&part.value, &part.mpn, &part.manufacturer, &part.description, &part.supplier, &part.supplier_part] {
        to.write_field(guarded(cell.as_deref().unwrap_or_default()))?;
    }
    to.write_field(guarded(&answer.path.join(" / ")))?;
    to.write_field(if let Placed::No(words) = &part.placed { guarded(words) } else { String::new() })?;
    let alternates = part.alternates.iter().map(|a| {
        let words = [a.manufacturer.as_deref(), a.mpn.as_deref().or(a.value.as_deref())];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    to.write_field(list(&alternates.collect::<Vec<_>>()))?;
    let module = answer.module.as_deref();
    to.write_field(if answer.kind == PartKind::Other { "" } else { answer.kind.name() })?;
    to.write_field(guarded(answer.maker.as_deref().or(module.and_then(|m| m.maker.as_deref())).unwrap_or_default()))?;
    to.write_field(guarded(module.and_then(|m| m.model.as_deref()).unwrap_or_default()))?;
    to.write_field(file.state.name())?;
    to.write_field(module.map(|m| m.confidence.to_string()).unwrap_or_default())?;
    let countries = module.map(say::countries).unwrap_or_else(|| say::reaching(answer.ownership.iter().flat_map(|b| &b.jurisdictions)));
    to.write_field(list(&countries))?;
    to.write_field(list(codes))?;
    Ok(to.write_record(None::<&[u8]>)?)
}

/// Writes rows of any flat shape, guarded like [`audit`]: the fields named by `columns`, which are the header (also
/// without rows).
pub fn rows<T: Serialize>(out: &mut dyn Write, columns: &[&str], rows: &[T]) -> io::Result<()> {
    let mut to = csv::Writer::from_writer(out);
    to.write_record(columns)?;
    for row in rows {
        let row = serde_json::to_value(row)?;
        to.write_record(columns.iter().map(|c| row.get(c).map(cell).unwrap_or_default()))?;
    }
    to.flush()
}

/// Writes rows of cells as they are, guarded like [`audit`].
pub fn cells<const N: usize>(out: &mut dyn Write, columns: &[&str; N], rows: &[[String; N]]) -> io::Result<()> {
    let mut to = csv::Writer::from_writer(out);
    to.write_record(columns)?;
    for row in rows {
        to.write_record(row.iter().map(|c| guarded(c)))?;
    }
    to.flush()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => guarded(text),
        Value::Array(items) => list(&items.iter().map(|i| i.as_str().map_or_else(|| i.to_string(), str::to_owned)).collect::<Vec<_>>()),
        Value::Object(_) => guarded(&value.to_string()),
    }
}

fn list<S: AsRef<str>>(items: &[S]) -> String {
    items.iter().map(|i| guarded(&i.as_ref().replace(';', ","))).collect::<Vec<_>>().join("; ")
}
