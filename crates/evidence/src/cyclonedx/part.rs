//! One component as a part: which field says what.

use std::borrow::Cow;

use serde_json::{Map, Value};
use umbilical_core::At;
use umbilical_core::bom::{Alternate, Cell, Part, Placed};
use umbilical_core::text::{clean, short};

/// The longest text that is kept of one field.
pub(crate) const MAX_TEXT: usize = 4096;
/// The most further properties of one part.
const MAX_PROPERTIES: usize = 256;
/// Where the taxonomy puts designators, among other places.
pub(super) const LOCATION: &str = "cdx:device:location";
/// The most alternates, ancestors and designators of one part.
pub(super) const MAX_LIST: usize = 1000;

/// A part, and what is odd about its component: the field, and what is wrong.
#[derive(Default)]
pub(super) struct Reading {
    pub part: Part,
    pub problems: Vec<(String, String)>,
    /// The reference of the part that holds it, where it could not be nested in it.
    pub holder: Cell,
    /// What else is said of a product, by our own names: brand, date.
    pub brand: Cell,
    pub date: Cell,
    /// The name is not its own: it stands for a number or a place, since the format demands one.
    pub named_by: bool,
    roles: Vec<Box<str>>,
    left_out: usize,
}

/// Reads a component whose own components have been taken out.
pub(super) fn component(members: Map<String, Value>, at: At) -> Reading {
    let mut reading = Reading { part: Part { at, ..Part::default() }, ..Reading::default() };
    for (name, value) in members {
        reading.member(&name, value);
    }
    if reading.named_by {
        reading.part.value = None;
    }
    // The same designators twice, once as the taxonomy writes them.
    let Part { designators, properties, .. } = &mut reading.part;
    properties.retain(|(name, value)| **name != *LOCATION || **value != *designators.join(", "));
    reading.part.role = Some(reading.roles.join(", ").into_boxed_str()).filter(|r| !r.is_empty());
    if reading.left_out > 0 {
        let n = reading.left_out;
        reading.problem("", format!("{n} more properties than {MAX_PROPERTIES}: they are left out"));
    }
    reading
}

impl Reading {
    pub(super) fn problem(&mut self, field: &str, what: impl Into<String>) {
        self.problems.push((field.to_owned(), what.into()));
    }

    fn member(&mut self, name: &str, value: Value) {
        match name {
            "type" => self.role(name, value),
            "name" => self.part.value = self.text(name, value),
            "version" => self.part.version = self.text(name, value),
            "description" => self.part.description = self.text(name, value),
            "bom-ref" => self.part.reference = self.text(name, value),
            "manufacturer" => self.part.manufacturer = self.organisation(name, value),
            "supplier" => self.part.supplier = self.organisation(name, value),
            "scope" => match self.text(name, value).as_deref() {
                Some("excluded") if self.part.is_placed() => self.part.placed = Placed::No("scope excluded".into()),
                Some("excluded") => {}
                Some(scope) => self.keep("scope", scope),
                None => {}
            },
            "group" | "publisher" | "author" | "copyright" | "mime-type" | "purl" | "cpe" => {
                if let Some(text) = self.text(name, value) {
                    self.keep(name, &text);
                }
            }
            "properties" => self.each(name, value, |this, _, item| this.property(item)),
            "hashes" => self.each(name, value, |this, at, item| match (string(&item, "alg"), string(&item, "content")) {
                (Some(alg), Some(content)) => this.keep(&format!("hash:{alg}"), content),
                _ => this.keep_json(&format!("{name}[{at}]"), &item),
            }),
            "externalReferences" => self.each(name, value, |this, at, item| match (string(&item, "type"), string(&item, "url")) {
                (Some(kind), Some(url)) if item.as_object().is_some_and(|o| o.len() == 2) => this.keep(&format!("reference:{kind}"), url),
                _ => this.keep_json(&format!("{name}[{at}]"), &item),
            }),
            "evidence" => self.evidence(value),
            "pedigree" => self.pedigree(value),
            "components" if value.is_array() => {}
            // Fields of the hardware model that is drafted for version 2.0.
            "partNumber" | "manufacturerPartNumber" if value.is_string() => self.mpn(&value),
            "serialNumber" if value.is_string() => self.part.serial = self.text(name, value),
            "quantity" => {
                let count = value.get("value").filter(|_| value.get("unit").is_none()).unwrap_or(&value);
                match scalar(count) {
                    Some(text) => self.quantity(name, &text),
                    None => self.keep_json(name, &value),
                }
            }
            "deviceType" if value.is_string() || value.get("name").is_some() => {
                let value = value.get("name").cloned().unwrap_or(value);
                self.role(name, value);
            }
            "classification" if value.is_object() => {
                for field in ["category", "subcategory"] {
                    self.role(name, value.get(field).cloned().unwrap_or_default());
                }
                self.keep_json(name, &value);
            }
            "boardLocation" if value.is_object() => {
                for text in value.get("designators").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
                    self.designators(text);
                }
                self.keep_json(name, &value);
            }
            _ => self.other(name, value),
        }
    }

    fn other(&mut self, name: &str, value: Value) {
        if name == "components" {
            self.problem(name, "an array belongs here: it is kept as text");
        }
        self.keep_json(name, &value);
    }

    /// A text, whatever its type: numbers and truth values are told and taken as text, the rest is told and kept aside.
    fn text(&mut self, field: &str, value: Value) -> Cell {
        match value {
            Value::String(text) => cell(text),
            Value::Null => {
                self.problem(field, "null: a text belongs here");
                None
            }
            Value::Number(_) | Value::Bool(_) => {
                self.problem(field, format!("{value}: a text belongs here, it is taken as one"));
                cell(value.to_string())
            }
            Value::Array(_) | Value::Object(_) => {
                self.problem(field, format!("a text belongs here, not {}", short(&value.to_string(), 60)));
                self.keep_json(field, &value);
                None
            }
        }
    }

    pub(super) fn role(&mut self, field: &str, value: Value) {
        if value.is_null() && field != "type" {
            return;
        }
        if let Some(role) = self.text(field, value).filter(|r| !self.roles.contains(r)) {
            self.roles.push(role);
        }
    }

    /// A firm: an object with a name, or a name alone. Its country, where it makes the part, is the origin as declared.
    fn organisation(&mut self, field: &str, value: Value) -> Cell {
        let Value::Object(mut firm) = value else { return self.text(field, value) };
        let name = firm.shift_remove("name").and_then(|name| self.text(&format!("{field}.name"), name));
        if field == "manufacturer"
            && let Some(country) = firm.get("address").and_then(|a| string(a, "country"))
        {
            self.part.origin = self.part.origin.take().or_else(|| cell(country.to_owned()));
        }
        if !firm.is_empty() {
            self.keep_json(field, &Value::Object(firm));
        }
        name
    }

    /// Does something for each element; what is no array is told and kept.
    fn each(&mut self, field: &str, value: Value, mut one: impl FnMut(&mut Self, usize, Value)) {
        let Value::Array(items) = value else {
            self.problem(field, "an array belongs here: it is kept as text");
            self.keep_json(field, &value);
            return;
        };
        for (i, item) in items.into_iter().enumerate() {
            one(self, i, item);
        }
    }

    fn evidence(&mut self, value: Value) {
        // A place that is a designator is one; a place that is a file is evidence of the reading.
        for occurrence in value.get("occurrences").and_then(Value::as_array).into_iter().flatten() {
            for text in ["symbol", "location"].into_iter().filter_map(|f| string(occurrence, f)) {
                self.designators(text);
            }
        }
        self.keep_json("evidence", &value);
    }

    fn pedigree(&mut self, value: Value) {
        let Value::Object(mut pedigree) = value else { return self.other("pedigree", value) };
        if let Some(ancestors) = pedigree.shift_remove("ancestors") {
            self.each("pedigree.ancestors", ancestors, |this, at, item| match item {
                Value::Object(members) => {
                    let Reading { part, .. } = component(members, At::WHOLE);
                    if this.part.ancestors.len() < MAX_LIST {
                        this.part.ancestors.push(Alternate { value: part.value, mpn: part.mpn, manufacturer: part.manufacturer });
                    }
                }
                other => this.keep_json(&format!("pedigree.ancestors[{at}]"), &other),
            });
        }
        if !pedigree.is_empty() {
            self.keep_json("pedigree", &Value::Object(pedigree));
        }
    }

    pub(super) fn keep(&mut self, name: &str, value: &str) {
        if self.part.properties.len() >= MAX_PROPERTIES {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let name = short(&clean(name), 200).into();
        self.part.properties.push((name, short(&clean(value), MAX_TEXT).into()));
    }

    /// What no field above holds, as compact JSON under its path.
    pub(super) fn keep_json(&mut self, path: &str, value: &Value) {
        // The same text as `Display`, without its detour.
        let text = serde_json::to_string(value).unwrap_or_default();
        self.keep(&format!("json:{path}"), &text);
    }
}

/// Text of a cell: trimmed, safe to print, nothing where there is nothing.
pub(crate) fn cell(mut text: String) -> Cell {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    let cleaned = clean(trimmed);
    if cleaned.len() != text.len() || text.len() > MAX_TEXT {
        text = short(&cleaned, MAX_TEXT).into_owned();
    }
    Some(text.into_boxed_str())
}

pub(super) fn string<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field).and_then(Value::as_str)
}

pub(super) fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(_) | Value::Bool(_) => Some(Cow::Owned(value.to_string())),
        _ => None,
    }
}
