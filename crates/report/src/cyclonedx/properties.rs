//! Names and values, for what the format has no field for: the official `cdx:device:` taxonomy where it has a name, our
//! own `umbilical:` names elsewhere.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use umbilical_core::answer::bom::PartAnswer;
use umbilical_core::bom::{Alternate, Effectivity, Part, PartKind, Placed};

use super::TOOL;
use super::component::{TYPES, name, version};
use super::tree::Node;

/// A list of names and values, in the order in which they were put; borrowed as far as it can be.
#[derive(Default)]
pub(super) struct Properties<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// One of them.
#[derive(Serialize)]
pub(super) struct Property<'a> {
    pub name: &'a str,
    pub value: &'a str,
}

impl<'a> Properties<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn put(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        self.0.push((name.into(), value.into()));
    }

    /// Puts what is there.
    pub fn some(&mut self, name: &'static str, value: Option<&'a str>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// One property for each value.
    pub fn all(&mut self, name: &'static str, values: impl IntoIterator<Item = &'a str>) {
        for value in values {
            self.put(name, value);
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }
}

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            list.serialize_element(&Property { name, value })?;
        }
        list.end()
    }
}

/// What is said of a part and has no field.
pub(super) fn of<'a>(node: &Node<'a>, holder: Option<&'a str>) -> Properties<'a> {
    let mut to = Properties::default();
    declared(&mut to, node);
    known(&mut to, node.known());
    to.some("umbilical:holder", holder);
    // What was read under a name that this writer fills itself would otherwise stand twice, or stand stale; of what several
    // documents say the first counts.
    for answer in node.answers() {
        let before = to.0.len();
        for (name, value) in &answer.part.properties {
            let ours = name.starts_with("umbilical:") || to.0.iter().take(before).any(|(n, _)| *n == **name) || written_by_us(name, value);
            if !ours {
                to.put(&**name, &**value);
            }
        }
    }
    to
}

/// Evidence that an earlier conversion wrote: it is written anew. That of other tools is kept.
fn written_by_us(name: &str, value: &str) -> bool {
    name == "json:evidence" && (!value.contains("\"identity\"") || value.contains(&format!("\"tools\":[\"{TOOL}\"]")))
}

/// What the document calls a part, word by word: a reader joins the type and the functions of a component.
pub(super) fn roles(part: &Part) -> impl Iterator<Item = &str> {
    part.role.as_deref().into_iter().flat_map(|r| r.split(", ")).filter(|r| !r.is_empty())
}

/// Where the taxonomy puts the FCC ID.
const FCC: &str = "cdx:device:certifications:US:FCC:id";

/// The name for a certificate: by country and authority where it has a country, else under its scheme.
fn certification(scheme: &str) -> String {
    let words: Vec<&str> = scheme.split_whitespace().collect();
    let country = words.first().is_some_and(|w| w.len() == 2 && w.bytes().all(|b| b.is_ascii_uppercase()));
    let space = if country { "cdx:device" } else { "umbilical" };
    let id = if country && words.len() == 2 { ":id" } else { "" };
    format!("{space}:certifications:{}{id}", words.join(":"))
}

fn declared<'a>(to: &mut Properties<'a>, node: &Node<'a>) {
    let part = &node.part.part;
    if let Some(quantity) = node.answers().find_map(|a| a.part.quantity) {
        to.put("cdx:device:quantity", quantity.to_string());
    }
    let first = node.answers().find(|a| a.part.role.is_some());
    let function: Vec<&str> = first.into_iter().flat_map(|a| roles(&a.part)).filter(|r| !TYPES.contains(r)).collect();
    match *function.as_slice() {
        [] => {}
        [one] => to.put("cdx:device:function", one),
        _ => to.put("cdx:device:function", function.join(", ")),
    }
    if !part.designators.is_empty() {
        to.put("cdx:device:location", part.designators.join(", "));
        to.put("umbilical:designators", joined(part.designators.iter().map(|d| &**d), ','));
    }
    to.some("cdx:device:serialNumber", node.cell(|p| &p.serial));
    to.some("cdx:device:sku", node.cell(|p| &p.supplier_part));
    to.some("umbilical:supplier-part", node.cell(|p| &p.supplier_part));
    let fcc = node.cell(|p| &p.fcc_id);
    to.some(FCC, fcc);
    for (scheme, number) in once(node.answers().flat_map(|a| &a.part.certificates)) {
        let name = certification(scheme);
        if name != FCC || fcc != Some(&**number) {
            to.put(name, &**number);
        }
    }
    to.some("umbilical:name", name(node).1);
    to.some("umbilical:mpn", node.cell(|p| &p.mpn));
    to.some("umbilical:origin", node.cell(|p| &p.origin));
    to.some("umbilical:version", version(node.cell(|p| &p.version)).1);
    if let Placed::No(words) = &part.placed {
        to.put("umbilical:not-placed", &**words);
    }
    for alternate in once(node.answers().flat_map(|a| &a.part.alternates)) {
        to.put("umbilical:alternate", alternative(alternate));
    }
    let open = Effectivity::default();
    let e = node.answers().map(|a| &a.part.effective).find(|e| !e.is_open()).unwrap_or(&open);
    for (name, serial) in [("umbilical:effective-serial-from", &e.serial_from), ("umbilical:effective-serial-to", &e.serial_to)] {
        if let Some(serial) = serial {
            to.put(name, serial.to_string());
        }
    }
    for (name, day) in [("umbilical:effective-from", e.from), ("umbilical:effective-to", e.to)] {
        if let Some(day) = day {
            to.put(name, day.to_string());
        }
    }
}

/// Each once, in order: lists of a part are short.
fn once<'a, T: PartialEq>(items: impl Iterator<Item = &'a T>) -> Vec<&'a T> {
    let mut out: Vec<&T> = Vec::new();
    for item in items {
        if !out.contains(&item) {
            out.push(item);
        }
    }
    out
}

fn known<'a>(to: &mut Properties<'a>, answer: &'a PartAnswer) {
    if answer.kind != PartKind::Other {
        to.put("umbilical:kind", answer.kind.name());
    }
    to.some("umbilical:known-by", Some(&*answer.known_by).filter(|k| !k.is_empty()));
    to.some("umbilical:maker", answer.maker.as_deref());
    let module = answer.module.as_deref();
    let behind = if answer.ownership.is_empty() { module.map_or(&[][..], |m| &m.ownership) } else { &answer.ownership[..] };
    let mut owners: Vec<&str> = behind.iter().flat_map(|b| &b.owner).map(String::as_str).collect();
    owners.sort_unstable();
    owners.dedup();
    to.all("umbilical:owner", owners);
    let reach = behind.iter().flat_map(|b| &b.jurisdictions).chain(module.iter().flat_map(|m| &m.jurisdictions));
    let mut countries: Vec<&str> = reach.map(|j| j.country.as_str()).collect();
    countries.sort_unstable();
    countries.dedup();
    to.all("umbilical:jurisdiction", countries);
    if let Some(module) = module {
        let mut tacs: Vec<&str> = module.imei.iter().filter_map(|i| i.get(..8)).collect();
        tacs.sort_unstable();
        tacs.dedup();
        to.all("umbilical:tac", tacs);
        to.some("umbilical:chipset", module.chipset.as_deref());
        to.put("umbilical:confidence-level", module.confidence_level.name());
        to.put("umbilical:basis", module.basis.name());
    }
    if !to.has("umbilical:tac") {
        to.some("umbilical:tac", answer.part.property("tac").or_else(|| answer.part.property("umbilical:tac")));
    }
    for tier in &answer.tiers {
        // A gap is written as one: who reads it must not take silence for an answer.
        to.put(format!("umbilical:tier:{}", tier.tier.name()), tier.name.as_deref().unwrap_or("unknown"));
    }
    to.some("umbilical:worst", answer.worst.as_deref());
}

/// `manufacturer|mpn|value`, with `|` and `%` in them percent-encoded; what is not said is empty.
fn alternative(alternate: &Alternate) -> String {
    let cells = [&alternate.manufacturer, &alternate.mpn, &alternate.value];
    joined(cells.into_iter().map(|c| c.as_deref().unwrap_or_default()), '|')
}

/// Texts with a separator between them, which is percent-encoded inside them, as `%` is.
fn joined<'t>(texts: impl Iterator<Item = &'t str>, separator: char) -> String {
    let mut out = String::new();
    for (number, text) in texts.enumerate() {
        if number > 0 {
            out.push(separator);
        }
        for c in text.chars() {
            if c == separator || c == '%' {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{:02X}", u32::from(c));
            } else {
                out.push(c);
            }
        }
    }
    out
}
