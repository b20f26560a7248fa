//! One component as a part: which field says what.

use std::str::FromStr;

use serde_json::{Map, Value};
use umbilical_core::At;
use umbilical_core::bom::{Alternate, Cell, Part, Placed};
use umbilical_core::date::Day;
use umbilical_core::text::{clean, short};

use crate::parts::{self, PartField};

/// The longest text that is kept of one field.
const MAX_TEXT: usize = 4096;
/// The most further properties of one part.
const MAX_PROPERTIES: usize = 256;
/// Where the taxonomy puts designators, among other places.
const LOCATION: &str = "cdx:device:location";
/// The most alternates, ancestors and designators of one part.
const MAX_LIST: usize = 1000;

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
    roles: Vec<Box<str>>,
    left_out: usize,
}

/// Reads a component whose own components have been taken out.
pub(super) fn component(members: Map<String, Value>, at: At) -> Reading {
    let mut reading = Reading { part: Part { at, ..Part::default() }, ..Reading::default() };
    for (name, value) in members {
        reading.member(&name, value);
    }
    // The same designators twice, once as the taxonomy writes them.
    let part = &mut reading.part;
    let joined = part.designators.join(", ");
    part.properties.retain(|(name, value)| **name != *LOCATION || **value != *joined);
    reading.part.role = Some(reading.roles.join(", ").into_boxed_str()).filter(|r| !r.is_empty());
    if reading.left_out > 0 {
        let n = reading.left_out;
        reading.problem("", format!("{n} more properties than {MAX_PROPERTIES}: they are left out"));
    }
    reading
}

impl Reading {
    fn problem(&mut self, field: &str, what: impl Into<String>) {
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
                _ => this.keep_json(at, &item),
            }),
            "externalReferences" => self.each(name, value, |this, at, item| match (string(&item, "type"), string(&item, "url")) {
                (Some(kind), Some(url)) if item.as_object().is_some_and(|o| o.len() == 2) => this.keep(&format!("reference:{kind}"), url),
                _ => this.keep_json(at, &item),
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

    fn role(&mut self, field: &str, value: Value) {
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
    fn each(&mut self, field: &str, value: Value, mut one: impl FnMut(&mut Self, &str, Value)) {
        let Value::Array(items) = value else {
            self.problem(field, "an array belongs here: it is kept as text");
            self.keep_json(field, &value);
            return;
        };
        for (i, item) in items.into_iter().enumerate() {
            one(self, &format!("{field}[{i}]"), item);
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
                other => this.keep_json(at, &other),
            });
        }
        if !pedigree.is_empty() {
            self.keep_json("pedigree", &Value::Object(pedigree));
        }
    }

    fn property(&mut self, item: Value) {
        let (Some(name), Some(value)) = (string(&item, "name"), item.get("value").and_then(scalar)) else {
            if string(&item, "name").is_none_or(|_| item.get("value").is_some()) {
                self.problem("properties", format!("not a name and a value: {}", short(&item.to_string(), 60)));
                self.keep_json("properties", &item);
            }
            return;
        };
        let lower = name.to_ascii_lowercase();
        let known = match lower.as_str() {
            "cdx:device:quantity" => return self.quantity(name, &value),
            "cdx:device:function" | "cdx:device:devicetype" | "cdx:hbom:hardwareclass" => {
                return self.role(name, value.into());
            }
            LOCATION => {
                if self.designators(&value) {
                    return;
                }
                None
            }
            "umbilical:designators" => {
                value.split(',').filter_map(|one| cell(unescaped(one))).for_each(|one| self.designator(one));
                return;
            }
            "cdx:device:serialnumber" | "cdx:hbom:serialnumber" | "cdx:hbom:deviceserial" => Some(&mut self.part.serial),
            "cdx:device:partnumber" | "cdx:device:modelnumber" | "cdx:hbom:modelnumber" | "umbilical:mpn" | "mpn" => {
                return self.mpn(&Value::String(value));
            }
            "umbilical:supplier-part" => Some(&mut self.part.supplier_part),
            "umbilical:holder" => Some(&mut self.holder),
            "umbilical:brand" => Some(&mut self.brand),
            "umbilical:date" => Some(&mut self.date),
            "umbilical:model" => Some(&mut self.part.mpn),
            // A version that is too long for its field.
            "umbilical:version" => {
                self.part.version = cell(value);
                return;
            }
            "umbilical:fcc-id" => Some(&mut self.part.fcc_id),
            "umbilical:origin" => Some(&mut self.part.origin),
            "umbilical:not-placed" => {
                self.part.placed = Placed::No(short(&clean(&value), MAX_TEXT).into());
                return;
            }
            "umbilical:alternate" | "umbilical:ancestor" => return self.alternate(&lower, &value),
            "umbilical:effective-serial-from" => Some(&mut self.part.effective.serial_from),
            "umbilical:effective-serial-to" => Some(&mut self.part.effective.serial_to),
            "umbilical:effective-from" | "umbilical:effective-to" => return self.effective(name, &lower, &value),
            _ if lower.contains("certifications:") => return self.certificate(name, &lower, &value),
            _ => return self.named(name, &lower, &value),
        };
        match known.filter(|slot| slot.is_none()) {
            Some(slot) => *slot = cell(value),
            None => self.keep(name, &value),
        }
    }

    /// A property whose name is one that people give to a field of a part, without a namespace of CycloneDX.
    fn named(&mut self, name: &str, lower: &str, value: &str) {
        let last = name.rsplit(':').next().unwrap_or(name);
        let field = (!lower.starts_with("cdx:") && !lower.starts_with("umbilical:")).then(|| parts::part_field(last)).flatten();
        let slot = match field {
            Some(PartField::Mpn | PartField::PartNumber) => &mut self.part.mpn,
            Some(PartField::Manufacturer) => &mut self.part.manufacturer,
            Some(PartField::SupplierPart) => &mut self.part.supplier_part,
            Some(PartField::FccId) => &mut self.part.fcc_id,
            Some(PartField::Origin) => &mut self.part.origin,
            Some(PartField::Serial) => &mut self.part.serial,
            Some(PartField::Designators) if self.designators(value) => return,
            Some(PartField::Quantity) => return self.quantity(name, value),
            Some(field @ (PartField::NotPlaced | PartField::Placed)) if parts::leaves_out(field, value) => {
                self.part.placed = Placed::No(short(&clean(&format!("{last} {value}")), MAX_TEXT).into());
                return;
            }
            _ => return self.keep(name, value),
        };
        if slot.is_none() {
            *slot = cell(value.to_owned());
        } else {
            self.keep(name, value);
        }
    }

    fn mpn(&mut self, value: &Value) {
        let number = value.as_str().and_then(|t| cell(t.to_owned()));
        match (&self.part.mpn, number) {
            (Some(known), Some(number)) if **known != *number => self.keep("mpn", &number),
            (None, number) => self.part.mpn = number,
            _ => {}
        }
    }

    /// Takes designators where all of the text is designators; whether it was.
    fn designators(&mut self, text: &str) -> bool {
        let found = if is_designators(text) { parts::designators(text) } else { Vec::new() };
        let known = !found.is_empty();
        for one in found {
            self.designator(one);
        }
        known
    }

    fn designator(&mut self, one: Box<str>) {
        if self.part.designators.len() < MAX_LIST && !self.part.designators.contains(&one) {
            self.part.designators.push(one);
        }
    }

    fn quantity(&mut self, field: &str, text: &str) {
        let (count, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let whole = count.parse::<u32>().ok().filter(|_| fraction.bytes().all(|b| b == b'0'));
        match whole {
            Some(n) => {
                self.part.quantity = Some(n);
                if n == 0 {
                    self.part.placed = Placed::No("quantity 0".into());
                }
            }
            None => {
                self.problem(field, format!("`{}` is no whole number of pieces: it is kept as text", short(text, 40)));
                self.keep(field, text);
            }
        }
    }

    /// `manufacturer|mpn|value`, as this project writes it: `|` and `%` inside them percent-encoded.
    fn alternate(&mut self, name: &str, text: &str) {
        let mut fields = text.splitn(3, '|').map(|f| cell(unescaped(f)));
        let mut next = || fields.next().flatten();
        let (manufacturer, mpn, value) = (next(), next(), next());
        let list = if name.ends_with("ancestor") { &mut self.part.ancestors } else { &mut self.part.alternates };
        if list.len() < MAX_LIST {
            list.push(Alternate { value, mpn, manufacturer });
        }
    }

    fn effective(&mut self, name: &str, lower: &str, text: &str) {
        match Day::from_str(text.trim()) {
            Ok(day) if lower.ends_with("-to") => self.part.effective.to = Some(day),
            Ok(day) => self.part.effective.from = Some(day),
            Err(_) => {
                self.problem(name, format!("`{}` is no date like 2026-01-31: it is kept as text", short(text, 40)));
                self.keep(name, text);
            }
        }
    }

    /// `cdx:device:certifications:<country>[:<authority>[:id|:url]]`.
    fn certificate(&mut self, name: &str, lower: &str, value: &str) {
        let from = lower.find("certifications:").map_or(0, |at| at.saturating_add("certifications:".len()));
        let mut scheme: Vec<&str> = name.get(from..).unwrap_or_default().split(':').collect();
        if scheme.last().is_some_and(|l| l.eq_ignore_ascii_case("url")) {
            return self.keep(name, value);
        }
        scheme.pop_if(|last| last.eq_ignore_ascii_case("id"));
        let exact = matches!(scheme.as_slice(), [_, authority] if authority.eq_ignore_ascii_case("fcc"));
        let american = scheme.first().is_some_and(|c| c.eq_ignore_ascii_case("us") || c.eq_ignore_ascii_case("fcc"));
        let by_fcc = scheme.iter().any(|s| s.eq_ignore_ascii_case("fcc")) || scheme.len() == 1;
        if american
            && by_fcc
            && let Some(id) = fcc_id(value)
        {
            let taken = self.part.fcc_id.get_or_insert_with(|| id.as_str().into());
            if exact && **taken == *id {
                return;
            }
        }
        if self.part.certificates.len() < MAX_LIST {
            let value = cell(value.to_owned()).unwrap_or_default();
            self.part.certificates.push((clean(&scheme.join(" ")).into(), value));
        }
    }

    fn keep(&mut self, name: &str, value: &str) {
        if self.part.properties.len() >= MAX_PROPERTIES {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let name = short(&clean(name), 200).into();
        self.part.properties.push((name, short(&clean(value), MAX_TEXT).into()));
    }

    /// What no field above holds, as compact JSON under its path.
    fn keep_json(&mut self, path: &str, value: &Value) {
        self.keep(&format!("json:{path}"), &value.to_string());
    }
}

/// What stands behind percent signs.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii);
        match code {
            Some(code) => {
                out.push(char::from(code));
                out.push_str(part.get(2..).unwrap_or_default());
            }
            None => {
                out.push('%');
                out.push_str(part);
            }
        }
    }
    out
}

/// Text of a cell: trimmed, safe to print, nothing where there is nothing.
pub(super) fn cell(mut text: String) -> Cell {
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

fn string<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field).and_then(Value::as_str)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// `U2`, `C1, C4-C6`: letters and a number each. A place such as `daughter board 2` or a file is none.
fn is_designators(text: &str) -> bool {
    let one = |word: &str| {
        let letters = word.bytes().take_while(u8::is_ascii_uppercase).count();
        let rest = word.get(letters..).unwrap_or_default();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let tail = rest.get(digits..).unwrap_or_default();
        (1..=5).contains(&letters) && (1..=7).contains(&digits) && tail.len() <= 1 && tail.bytes().all(|b| b.is_ascii_alphabetic())
    };
    let mut words = text.split([',', ';', ' ', '-', '~', '\n', '\t']).map(str::trim).filter(|w| !w.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| one(word) || (!word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())))
}

/// An FCC ID: a grantee code of three characters, or of five that begin with a digit, and up to fourteen of the product.
fn fcc_id(text: &str) -> Option<String> {
    let upper = text.trim().to_ascii_uppercase();
    let id = upper.strip_prefix("FCC ID").unwrap_or(&upper).trim_start_matches([':', ' ']);
    let grantee = if id.starts_with(|c: char| c.is_ascii_digit()) { 5 } else { 3 };
    let (code, product) = id.split_at_checked(grantee)?;
    let fits = code.bytes().all(|b| b.is_ascii_alphanumeric())
        && (1..=14).contains(&product.len())
        && product.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && id.bytes().any(|b| b.is_ascii_digit());
    fits.then(|| id.to_owned())
}
