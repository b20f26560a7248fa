//! A fleet as one CycloneDX document: a component for each device, its modules inside it, identifiers and claims as properties.
//!
//! Everything that a line of the export holds stands under `umbilical:` and the name of its column, one property for each item
//! of a list, so that the document reads back as the fleet. Beside it stand the format's own fields, as far as it has any:
//! name, manufacturer, serial number. The document is written as it comes, a component on each line; its serial number
//! derives from the components and stands at the end.

use std::borrow::Cow;
use std::io::{self, Write};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use umbilical_core::answer::Device;
use umbilical_core::answer::rows::{COLUMNS, Cell, Fleet, MARKER, MODULE, ROWS_SCHEMA, Row, of};

use super::{called, serial};
use crate::json;

/// Writes CycloneDX 1.6.
pub struct CycloneDx<'a> {
    out: &'a mut dyn Write,
    as_of: String,
    hash: Sha256,
    any: bool,
}

impl<'a> CycloneDx<'a> {
    /// Writes what stands before the components. `version` is the program's.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn new(out: &'a mut dyn Write, as_of: &str, version: &str) -> io::Result<Self> {
        let properties = [("umbilical:export", ROWS_SCHEMA), ("umbilical:as-of", as_of)];
        let metadata = json!({
            "lifecycles": [{"phase": "operations"}],
            "tools": {"components": [{"type": "application", "bom-ref": "umbilical", "name": "umbilical", "version": version}]},
            "component": {"type": "device", "bom-ref": "fleet", "name": "fleet"},
            "properties": properties.map(|(name, value)| json!({"name": name, "value": value})),
        });
        let head = r#"{"$schema":"http://cyclonedx.org/schema/bom-1.6.schema.json","bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":"#;
        write!(out, "{head}{metadata},\n\"components\":[")?;
        let mut hash = Sha256::new();
        hash.update(metadata.to_string());
        Ok(Self { out, as_of: as_of.to_owned(), hash, any: false })
    }
}

/// The properties of a line: the columns of the module, or those of the device.
fn properties(row: &Row<'_>, of_module: bool) -> Vec<Value> {
    let mut out = Vec::new();
    for ((name, _), cell) in COLUMNS.iter().zip(row.cells()) {
        if MODULE.contains(name) != of_module || *name == MARKER {
            continue;
        }
        let mut push = |value: &str| out.push(json!({"name": format!("umbilical:{name}"), "value": value}));
        match cell {
            Cell::Nothing => {}
            Cell::Text(text) => push(&text),
            Cell::Number(n) => push(&n.to_string()),
            Cell::List(items) => items.iter().for_each(|i: &Cow<'_, str>| push(i)),
        }
    }
    out
}

fn component(device: &Device, as_of: &str) -> Map<String, Value> {
    let mut out = Map::new();
    let mut set = |key: &str, value: Value| out.insert(key.to_owned(), value);
    set("type", "device".into());
    set("bom-ref", device.id.clone().into());
    let host = device.host.as_ref().and_then(|h| h.brand.as_ref());
    if let Some(brand) = host.or(device.product.as_ref().and_then(|p| p.brand.as_ref())) {
        set("manufacturer", json!({"name": brand}));
    }
    set("name", called(device).into());
    let mut rows = of(device, as_of);
    let mut own = rows.next().map(|row| properties(&row, false)).unwrap_or_default();
    if let Some(serial) = serial(device) {
        own.insert(0, json!({"name": "cdx:device:serialNumber", "value": serial}));
    }
    set("properties", own.into());
    let modules: Vec<Value> = of(device, as_of)
        .filter_map(|row| {
            let (module, n) = (row.module?, row.number?);
            let mut part = Map::new();
            part.insert("type".into(), "device".into());
            part.insert("bom-ref".into(), format!("{}-module-{n}", device.id).into());
            if let Some(maker) = &module.maker {
                part.insert("manufacturer".into(), json!({"name": maker}));
            }
            // A module that nobody has named is one all the same.
            let name = module.variant.as_ref().or(module.model.as_ref()).or(module.family.as_ref());
            part.insert("name".into(), name.map_or("cellular module", String::as_str).into());
            part.insert("properties".into(), properties(&row, true).into());
            Some(part.into())
        })
        .collect();
    if !modules.is_empty() {
        set("components", modules.into());
    }
    out
}

impl Fleet for CycloneDx<'_> {
    fn device(&mut self, device: &Device) -> io::Result<()> {
        let mut line = Vec::new();
        json::line(&mut line, &component(device, &self.as_of))?;
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        self.hash.update(line);
        self.out.write_all(if self.any { b",\n" } else { b"\n" })?;
        self.any = true;
        self.out.write_all(line)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        let id = crate::event::uuid::of_hash(8, &self.hash.finalize());
        writeln!(self.out, "\n],\"serialNumber\":\"urn:uuid:{id}\"}}")?;
        self.out.flush()
    }
}
