//! The properties of a component: names with a namespace, and names that people give to the fields of a part.

use std::str::FromStr;

use serde_json::Value;
use umbilical_core::bom::{Alternate, Placed};
use umbilical_core::date::Day;
use umbilical_core::text::{clean, short};

use super::part::{LOCATION, MAX_LIST, MAX_TEXT, Reading, cell, scalar, string};
use crate::parts::{self, PartField};

impl Reading {
    pub(super) fn property(&mut self, item: Value) {
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
                return self.role(name, Value::String(value.into_owned()));
            }
            LOCATION => {
                if self.designators(&value) {
                    return;
                }
                None
            }
            "umbilical:designators" => {
                // Whole and in order, where occurrences give what looks like one.
                self.part.designators.clear();
                value.split(',').filter_map(|one| cell(unescaped(one))).for_each(|one| self.designator(one));
                return;
            }
            "cdx:device:serialnumber" | "cdx:hbom:serialnumber" | "cdx:hbom:deviceserial" => Some(&mut self.part.serial),
            "cdx:device:partnumber" | "cdx:device:modelnumber" | "cdx:hbom:modelnumber" | "umbilical:mpn" | "mpn" => {
                return self.mpn(&Value::String(value.into_owned()));
            }
            "umbilical:supplier-part" => Some(&mut self.part.supplier_part),
            "umbilical:name" => {
                self.named_by = true;
                return;
            }
            "umbilical:holder" => Some(&mut self.holder),
            "umbilical:brand" => Some(&mut self.brand),
            "umbilical:date" => Some(&mut self.date),
            "umbilical:model" => Some(&mut self.part.mpn),
            // A version that is too long for its field.
            "umbilical:version" => {
                self.part.version = cell(value.into_owned());
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
            Some(slot) => *slot = cell(value.into_owned()),
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

    pub(super) fn mpn(&mut self, value: &Value) {
        let number = value.as_str().and_then(|t| cell(t.to_owned()));
        match (&self.part.mpn, number) {
            (Some(known), Some(number)) if **known != *number => self.keep("mpn", &number),
            (None, number) => self.part.mpn = number,
            _ => {}
        }
    }

    /// Takes designators where all of the text is designators; whether it was.
    pub(super) fn designators(&mut self, text: &str) -> bool {
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

    pub(super) fn quantity(&mut self, field: &str, text: &str) {
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
