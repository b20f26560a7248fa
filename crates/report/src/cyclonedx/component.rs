//! One part as one component.

use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};
use umbilical_core::answer::bom::{FileAnswer, PartAnswer};
use umbilical_core::answer::{Because, Module};
use umbilical_core::bom::{Alternate, PartKind};
use umbilical_core::weight::round4;

use super::TOOL;
use super::properties::{self, Property};
use super::tree::{Node, Tree};

/// The format's types of components: a part whose document calls it one of these keeps that.
pub(super) const TYPES: &[&str] = &[
    "application",
    "framework",
    "library",
    "container",
    "platform",
    "operating-system",
    "device",
    "device-driver",
    "firmware",
    "file",
    "machine-learning-model",
    "data",
    "cryptographic-asset",
];

/// The longest version that the schema allows.
const VERSION: usize = 1024;

/// A version as the field holds it, and the whole of one that is too long for the field.
pub(super) fn version(text: Option<&str>) -> (Option<&str>, Option<&str>) {
    match text {
        Some(text) if text.chars().count() > VERSION => {
            let end = text.char_indices().nth(VERSION).map_or(text.len(), |(at, _)| at);
            (text.get(..end), Some(text))
        }
        text => (text, None),
    }
}

/// An organisation, by its name as declared. Where it sits is not written: a country on paper is no verdict.
#[derive(Serialize)]
pub(super) struct Entity<'a> {
    name: &'a str,
}

impl<'a> Entity<'a> {
    pub fn named(name: &'a str) -> Self {
        Self { name }
    }
}

/// Some nodes of a tree.
pub(super) struct List<'t> {
    pub tree: &'t Tree<'t>,
    pub nodes: &'t [u32],
}

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let nodes = self.nodes.iter().filter_map(|n| self.tree.get(*n));
        to.collect_seq(nodes.map(|node| Component { tree: self.tree, node }))
    }
}

struct Component<'t> {
    tree: &'t Tree<'t>,
    node: &'t Node<'t>,
}

impl Serialize for Component<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let node = self.node;
        let mut s = to.serialize_struct("component", 13)?;
        s.serialize_field("type", kind(node))?;
        s.serialize_field("bom-ref", &node.reference)?;
        if let Some(supplier) = node.cell(|p| &p.supplier) {
            s.serialize_field("supplier", &Entity::named(supplier))?;
        }
        if let Some(manufacturer) = node.cell(|p| &p.manufacturer) {
            s.serialize_field("manufacturer", &Entity::named(manufacturer))?;
        }
        s.serialize_field("name", name(node).0)?;
        if let (Some(version), _) = version(node.cell(|p| &p.version)) {
            s.serialize_field("version", version)?;
        }
        if let Some(description) = node.cell(|p| &p.description) {
            s.serialize_field("description", description)?;
        }
        if !node.part.part.is_placed() {
            s.serialize_field("scope", "excluded")?;
        }
        let ancestors = ancestors(node);
        if !ancestors.is_empty() {
            s.serialize_field("pedigree", &Pedigree { ancestors })?;
        }
        if !node.children.is_empty() {
            s.serialize_field("components", &List { tree: self.tree, nodes: &node.children })?;
        }
        s.serialize_field("evidence", &Evidence(node))?;
        let holder = node.holder.and_then(|h| self.tree.get(h)).map(|h| h.reference.as_str());
        let properties = properties::of(node, holder);
        if !properties.is_empty() {
            s.serialize_field("properties", &properties)?;
        }
        s.end()
    }
}

fn kind(node: &Node<'_>) -> &'static str {
    let role = node.answers().flat_map(|a| properties::roles(&a.part)).find_map(|r| TYPES.iter().find(|t| **t == r));
    match (role, node.known().kind) {
        (Some(role), _) => role,
        (None, PartKind::Firmware) => "firmware",
        (None, _) => "device",
    }
}

/// The name people know it by in the document: its value. The format demands one of every component, so where there is none
/// its number stands for it, or where it sits: the second says which.
pub(super) fn name<'t>(node: &Node<'t>) -> (&'t str, Option<&'static str>) {
    let designator = node.part.part.designators.first().map(|d| &**d);
    let cells = [
        (node.cell(|p| &p.value), None),
        (node.cell(|p| &p.mpn), Some("mpn")),
        (designator, Some("designator")),
        (node.cell(|p| &p.description), Some("description")),
    ];
    cells.into_iter().find_map(|(cell, of)| Some((cell.filter(|c| !c.is_empty())?, of))).unwrap_or(("unnamed part", Some("nothing")))
}

#[derive(Serialize)]
struct Pedigree<'a> {
    ancestors: Vec<Ancestor<'a>>,
}

/// What a part is built from or re-branded from.
#[derive(Serialize)]
struct Ancestor<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    manufacturer: Option<Entity<'a>>,
    name: &'a str,
    /// Says that nobody declared it: it is concluded from the module's identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<[Property<'static>; 1]>,
}

fn ancestors<'t>(node: &Node<'t>) -> Vec<Ancestor<'t>> {
    let mut all: Vec<Ancestor<'t>> = node.answers().flat_map(|a| &a.part.ancestors).map(ancestor).collect();
    if let Some(own) = node.known().module.as_deref().and_then(rebranded)
        && !all.iter().any(|a| a.name == own.name)
    {
        all.push(own);
    }
    all
}

fn ancestor(declared: &Alternate) -> Ancestor<'_> {
    let name = declared.value.as_deref().or(declared.mpn.as_deref()).or(declared.manufacturer.as_deref()).unwrap_or("unknown");
    Ancestor { kind: "device", manufacturer: declared.manufacturer.as_deref().map(Entity::named), name, properties: None }
}

/// The maker's own module behind one that is sold under another name.
fn rebranded(module: &Module) -> Option<Ancestor<'_>> {
    let (maker, model) = (module.maker.as_deref()?, module.model.as_deref()?);
    let other = module.sold_as.as_deref().is_some_and(|s| s != model) || module.brand.as_deref().is_some_and(|b| b != maker);
    other.then_some(Ancestor {
        kind: "device",
        manufacturer: Some(Entity::named(maker)),
        name: model,
        properties: Some([Property { name: "umbilical:basis", value: "inferred" }]),
    })
}

/// Where a part is declared, and how it was identified.
struct Evidence<'t>(&'t Node<'t>);

impl Serialize for Evidence<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut s = to.serialize_struct("evidence", 2)?;
        let known = self.0.known();
        if let Some(module) = known.module.as_deref()
            && let Some(identity) = identity(known, module)
        {
            s.serialize_field("identity", &[identity])?;
        }
        s.serialize_field("occurrences", &Occurrences(self.0))?;
        s.end()
    }
}

struct Occurrences<'t>(&'t Node<'t>);

impl Serialize for Occurrences<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(None)?;
        for (file, answer) in std::iter::once((self.0.file, self.0.part)).chain(self.0.also.iter().copied()) {
            if answer.part.designators.is_empty() {
                list.serialize_element(&Occurrence::of(file, answer, None))?;
            }
            for designator in &answer.part.designators {
                list.serialize_element(&Occurrence::of(file, answer, Some(designator)))?;
            }
        }
        list.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Occurrence<'a> {
    location: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_context: Option<&'a str>,
}

impl<'a> Occurrence<'a> {
    fn of(file: &'a FileAnswer, answer: &'a PartAnswer, symbol: Option<&'a str>) -> Self {
        let words = Some(answer.at.as_str()).filter(|at| answer.line.is_none() && *at != "file");
        Self { location: &file.path, line: answer.line, symbol, additional_context: words }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    field: &'static str,
    confidence: f64,
    concluded_value: &'a str,
    methods: Vec<Method<'a>>,
    tools: [&'static str; 1],
}

#[derive(Serialize)]
struct Method<'a> {
    technique: &'static str,
    confidence: f64,
    value: std::borrow::Cow<'a, str>,
}

/// How a module was identified: one method for each piece of evidence that speaks for it.
fn identity<'a>(answer: &'a PartAnswer, module: &'a Module) -> Option<Identity<'a>> {
    let names = [&module.variant, &module.model, &module.family, &module.maker, &module.brand];
    let concluded_value = names.into_iter().find_map(|n| n.as_deref())?;
    let mut methods: Vec<Method<'a>> = module.because.iter().filter(|b| b.weight > 0).map(method).collect();
    if methods.is_empty() {
        let value = if answer.known_by.is_empty() { answer.at.as_str() } else { &answer.known_by };
        methods.push(Method { technique: "manifest-analysis", confidence: module.confidence, value: value.into() });
    }
    Some(Identity { field: "name", confidence: module.confidence, concluded_value, methods, tools: [TOOL] })
}

fn method(because: &Because) -> Method<'_> {
    let technique = match because.group {
        "document" => "manifest-analysis",
        "own-word" | "network" => "instrumentation",
        "image" => "binary-analysis",
        "traffic" => "dynamic-analysis",
        "person" => "attestation",
        _ => "other",
    };
    // What this piece alone would make of even odds.
    let confidence = round4(1.0 / (1.0 + (-f64::from(because.weight) / 1000.0).exp()));
    Method { technique, confidence, value: format!("{}: {}", because.kind, because.value).into() }
}
