//! The reader of CycloneDX as XML.
//!
//! Each component becomes the object that it is in JSON, and is read as that: so both forms of a document give the same
//! parts. Only what is open is held. Nothing of a document type definition is followed.

use std::io;

use serde_json::{Map, Value};
use umbilical_core::bom::{Design, Part};
use umbilical_core::{At, Observations};

use super::json::ARRAYS;
use super::keep::Kept;
use super::part;
use super::walk::resolve_holders;
use crate::eda::xml::{Step, Tag, Xml};
use crate::{Context, Head, Reader, Source};

/// The namespace of every version, but for the version.
const NAMESPACE: &str = "http://cyclonedx.org/schema/bom/";
/// The most that is held of all that is open, in bytes; each element counts as its text and a little more.
const MAX_HELD: usize = 8 << 20;
const ELEMENT: usize = 64;
/// The deepest components inside components: each takes two elements.
const MAX_NESTED: usize = 256;
/// The deepest elements of a document.
const MAX_DEPTH: usize = 2 * MAX_NESTED + 64;

/// The reader of CycloneDX XML.
pub(crate) struct CycloneDxXml;

impl Reader for CycloneDxXml {
    fn name(&self) -> &'static str {
        "cyclonedx-xml"
    }

    fn about(&self) -> &'static str {
        "CycloneDX bills of materials as XML, versions 1.0 to 1.7: the same parts as of their JSON; held to no schema."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let Some(text) = head.text.as_deref() else { return 0 };
        let text = text.trim_start_matches('\u{feff}').trim_start();
        // A comment or a document type definition may stand before the element that tells.
        if text.starts_with('<') && text.contains(NAMESPACE) && (text.contains("<bom") || text.contains(":bom")) { 97 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        out.bom(Design::Statement);
        let mut text = source.utf8();
        let mut xml = Xml::strict(&mut *text, MAX_DEPTH);
        let mut walk =
            Walk { out, open: Vec::new(), held: 0, version: String::new(), kept: Kept::default(), held_by: Vec::new(), root: At::WHOLE };
        loop {
            match xml.step(walk.out)? {
                Step::Open(tag) => {
                    if !walk.opened(&tag) {
                        xml.text(walk.out)?;
                    }
                }
                Step::Text(text) => walk.text(&text),
                Step::Close => walk.close(),
                Step::End => break,
            }
        }
        while !walk.open.is_empty() {
            walk.close();
        }
        let Walk { root, held_by, .. } = walk;
        resolve_holders(out, held_by);
        if cx.validate {
            out.schema_errors = out.schema_errors.saturating_add(1);
            out.problem(root, "not validated: no schema for CycloneDX as XML is on file; convert to JSON");
        }
        Ok(())
    }
}

/// What an open element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Document,
    Metadata,
    Product,
    /// `components`: each of them a part.
    Parts,
    Component,
    /// A long array of the document.
    Array,
    /// Anything inside the others.
    Value,
}

struct Open {
    role: Role,
    name: String,
    at: At,
    members: Map<String, Value>,
    text: String,
    /// Its index among the parts, or that of the part that holds it.
    part: Option<u32>,
    /// What is held for it and all inside it.
    cost: usize,
    /// How many elements it has had.
    count: u64,
    /// Something inside it was too much and is told.
    cut: bool,
}

struct Walk<'o> {
    out: &'o mut Observations,
    open: Vec<Open>,
    held: usize,
    version: String,
    kept: Kept,
    held_by: Vec<(u32, Box<str>)>,
    /// Where the document begins.
    root: At,
}

impl Walk<'_> {
    /// Takes an opening tag; false where all inside it is to be passed over.
    fn opened(&mut self, tag: &Tag) -> bool {
        let at = At::line(tag.line);
        let name = tag.name.as_str();
        let nested = self.open.iter().filter(|o| o.role == Role::Component).count();
        let above = self.open.last();
        let role = match (above.map(|o| o.role), name) {
            (None, "bom") => Role::Document,
            (None, _) => {
                self.out.problem(at, format!("`{name}` where `bom` belongs: it is not read"));
                return false;
            }
            (Some(Role::Document), "metadata") => Role::Metadata,
            (Some(Role::Metadata), "component") => Role::Product,
            (Some(Role::Document | Role::Product | Role::Component), "components") if nested < MAX_NESTED => Role::Parts,
            (Some(Role::Product | Role::Component), "components") => {
                self.out.problem(at, format!("more than {MAX_NESTED} components inside one another: those inside are left out"));
                return false;
            }
            (Some(Role::Parts), "component") => Role::Component,
            (Some(Role::Parts), _) => {
                self.out.problem(at, format!("`{name}` where a component belongs: it is left out"));
                return false;
            }
            (Some(Role::Document), name) if ARRAYS.contains(&name) => Role::Array,
            _ => Role::Value,
        };
        if self.held > MAX_HELD {
            if let Some(open) = self.open.iter_mut().rev().find(|o| o.role != Role::Value)
                && !open.cut
            {
                open.cut = true;
                self.out.problem(
                    at,
                    format!("with what is open around it longer than {} MiB: `{name}` and what follows in it is left out", MAX_HELD >> 20),
                );
            }
            return false;
        }
        let part = match role {
            // Parents come before children: the place is taken now and filled when all of it has been read.
            Role::Component => {
                let parent = above.and_then(|o| o.part);
                Some(self.out.part(Design::Statement, Part { at, parent, ..Part::default() }))
            }
            Role::Parts => above.and_then(|o| o.part),
            _ => None,
        };
        let mut members = Map::new();
        let mut cost = ELEMENT;
        for (key, value) in tag.attributes() {
            if key.starts_with("xmlns")
                && role == Role::Document
                && let Some(version) = value.strip_prefix(NAMESPACE)
            {
                version.trim_end_matches('/').clone_into(&mut self.version);
            }
            // What a namespace is called is no word of the document; nor is where its schema lies.
            if key.starts_with("xml") || key == "schemaLocation" {
                continue;
            }
            cost = cost.saturating_add(ELEMENT).saturating_add(key.len()).saturating_add(value.len());
            members.insert(attribute(key).to_owned(), self.scalar(key, value, name));
        }
        if role == Role::Document {
            self.root = at;
            if !self.version.is_empty() {
                members.insert("specVersion".into(), self.version.clone().into());
            }
        }
        self.held = self.held.saturating_add(cost);
        self.open.push(Open { role, name: name.to_owned(), at, members, text: String::new(), part, cost, count: 0, cut: false });
        true
    }

    fn text(&mut self, text: &str) {
        let Some(open) = self.open.last_mut() else { return };
        // Blanks between elements are no text.
        if open.text.is_empty() && text.trim().is_empty() || open.text.len() > 4 * part::MAX_TEXT {
            return;
        }
        open.text.push_str(text);
        open.cost = open.cost.saturating_add(text.len());
        self.held = self.held.saturating_add(text.len());
    }

    fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        match open.role {
            Role::Document => {
                self.release(open.cost);
                self.kept.document(Value::Object(open.members), self.out);
            }
            Role::Product => {
                self.release(open.cost);
                let reading = part::component(open.members, open.at);
                self.tell(open.at, "metadata.component", &reading.problems);
                self.kept.product(reading, self.out);
            }
            Role::Component => {
                self.release(open.cost);
                let reading = part::component(open.members, open.at);
                let name = reading.part.value.as_deref().unwrap_or("component").to_owned();
                self.tell(open.at, &name, &reading.problems);
                if let Some(slot) = open.part.and_then(|i| self.out.bom(Design::Statement).parts.get_mut(i as usize)) {
                    let parent = slot.parent;
                    *slot = Part { parent, ..reading.part };
                }
                self.held_by.extend(open.part.zip(reading.holder));
            }
            Role::Parts => self.release(open.cost),
            Role::Array => {
                self.release(open.cost);
                self.kept.count(&open.name, open.count, self.out);
            }
            Role::Metadata | Role::Value => self.close_value(open),
        }
    }

    /// Hands an element to the one around it.
    fn close_value(&mut self, open: Open) {
        let (name, cost) = (open.name.clone(), open.cost);
        let around = self.open.last().map(|o| (o.role, o.name.clone()));
        let value = self.value(open, around.as_ref().map_or("", |(_, n)| n));
        let Some((role, holder)) = around else { return };
        if role == Role::Array {
            self.release(cost);
            let value = if holder == "dependencies" { dependency(value) } else { value };
            if let Some(array) = self.open.last_mut() {
                let n = array.count;
                array.count = array.count.saturating_add(1);
                self.kept.item(&holder, n, &value, self.out);
            }
            return;
        }
        let many = is_many(&name, &holder, &self.version);
        let Some(outer) = self.open.last_mut() else { return };
        outer.cost = outer.cost.saturating_add(cost);
        match outer.members.get_mut(&name) {
            Some(Value::Array(items)) if outer.count > 0 || many => items.push(value),
            Some(first) => {
                let before = first.take();
                *first = Value::Array(vec![before, value]);
                outer.count = 1;
            }
            None => {
                let value = if many { Value::Array(vec![value]) } else { value };
                outer.members.insert(name, value);
            }
        }
    }

    /// An element as the value that it is in JSON.
    fn value(&self, open: Open, holder: &str) -> Value {
        let Open { name, mut members, text, role, .. } = open;
        let text = text.trim();
        if is_list(&name, holder) || (name == "tools" && members.keys().all(|k| k == "tool")) {
            let items = members.into_iter().flat_map(|(child, value)| {
                let values = if let Value::Array(items) = value { items } else { vec![value] };
                values.into_iter().map(move |v| (child.clone(), v))
            });
            return items.map(|(child, value)| item(&child, &name, value)).collect();
        }
        if members.is_empty() && role == Role::Value {
            return self.scalar(&name, text, holder);
        }
        if !text.is_empty() {
            members.insert(if name == "property" { "value" } else { "content" }.into(), text.into());
        }
        Value::Object(members)
    }

    /// A text, or the number or truth value that stands there in JSON.
    fn scalar(&self, name: &str, text: &str, holder: &str) -> Value {
        let number = matches!(name, "confidence" | "line" | "offset" | "additionalContext" | "tagVersion" | "patchVersion")
            || (name == "version" && matches!(holder, "bom" | ""));
        match text {
            _ if number => text.parse::<serde_json::Number>().map_or_else(|_| text.into(), Value::Number),
            "true" | "false"
                if matches!(name, "modified" | "patch" | "isExternal" | "acknowledged" | "authenticated" | "x-trust-boundary") =>
            {
                Value::Bool(text == "true")
            }
            _ => text.into(),
        }
    }

    fn tell(&mut self, at: At, what: &str, problems: &[(String, String)]) {
        for (field, problem) in problems {
            let dot = if field.is_empty() { "" } else { "." };
            self.out.problem(at, format!("{what}{dot}{field}: {problem}"));
        }
    }

    fn release(&mut self, cost: usize) {
        self.held = self.held.saturating_sub(cost);
    }
}

/// The member that an attribute is in JSON.
fn attribute(name: &str) -> &str {
    if name == "content-type" { "contentType" } else { name }
}

/// Whether an element holds the elements of an array.
fn is_list(name: &str, holder: &str) -> bool {
    const LISTS: &[&str] = &[
        "components",
        "hashes",
        "properties",
        "externalReferences",
        "licenses",
        "ancestors",
        "descendants",
        "variants",
        "commits",
        "patches",
        "tags",
        "methods",
        "occurrences",
        "frames",
        "authors",
        "lifecycles",
        "services",
        "assemblies",
        "dependencies",
    ];
    LISTS.contains(&name) || (name == "copyright" && holder == "evidence")
}

/// Whether an element may stand several times where JSON has an array.
fn is_many(name: &str, holder: &str, version: &str) -> bool {
    match name {
        // Until 1.5 a component had one identity.
        "identity" => holder == "evidence" && version != "1.5",
        "contact" | "url" => matches!(holder, "manufacturer" | "supplier" | "manufacture" | "organization" | "provider"),
        "omniborId" | "swhid" => true,
        _ => false,
    }
}

/// An element of a list as an element of the array.
fn item(child: &str, list: &str, value: Value) -> Value {
    let wrapped = |value: Value| {
        let mut members = Map::new();
        members.insert(child.to_owned(), value);
        Value::Object(members)
    };
    match (child, list) {
        ("license" | "expression", _) => wrapped(value),
        ("text", "copyright") if value.is_string() => wrapped(value),
        ("tool", "tools") => match value {
            Value::Object(mut members) if members.len() == 1 => match members.shift_remove("ref") {
                Some(reference) => reference,
                None => Value::Object(members),
            },
            other => other,
        },
        _ => value,
    }
}

/// Who depends on whom: elements inside elements, references inside an array.
fn dependency(mut value: Value) -> Value {
    if let Some(inner) = value.as_object_mut().and_then(|o| o.shift_remove("dependency")) {
        let inner = if let Value::Array(items) = inner { items } else { vec![inner] };
        let on: Value = inner.into_iter().map(|d| d.get("ref").cloned().unwrap_or(d)).collect();
        if let Some(members) = value.as_object_mut() {
            members.insert("dependsOn".into(), on);
        }
    }
    value
}
