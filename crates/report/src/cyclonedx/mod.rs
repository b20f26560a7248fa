//! CycloneDX JSON: one product's hardware as a tree of components, with where each was declared and how it was identified.
//!
//! The document is written from the answer by reference, a component at a time. It holds no time and no random number:
//! its serial number derives from what was read, so the same answer is the same bytes.

mod component;
mod properties;
mod tree;

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};
use umbilical_core::answer::bom::{Check, Project, State};
use umbilical_core::bom::Product;
use umbilical_core::id::{content_id, hex};

use crate::json;
use component::{Entity, List};
use properties::Properties;
use tree::{Tree, files};

/// The version of CycloneDX to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spec {
    /// 1.6 (ECMA-424).
    #[default]
    V1_6,
    /// 1.7.
    V1_7,
}

impl Spec {
    fn version(self) -> &'static str {
        match self {
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
        }
    }

    fn schema(self) -> &'static str {
        match self {
            Self::V1_6 => "http://cyclonedx.org/schema/bom-1.6.schema.json",
            Self::V1_7 => "http://cyclonedx.org/schema/bom-1.7.schema.json",
        }
    }
}

/// How to write.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Which version of the format.
    pub spec: Spec,
    /// Version of the program.
    pub version: &'a str,
    /// When the document was made, RFC 3339; left out where nobody says.
    pub timestamp: Option<&'a str>,
}

/// The reference of the program in the documents it writes.
const TOOL: &str = "umbilical";

/// Writes one product as one document.
pub fn write(out: &mut dyn Write, check: &Check, project: &Project, options: &Options<'_>) -> io::Result<()> {
    let tree = Tree::of(check, project);
    let product = Merged::of(check, project);
    let reference = content_id("product-", "product", &[product.shown(), product.version.unwrap_or("")].join("\0"));
    let gaps = gaps(&tree, &reference, project.state);
    let document = Document {
        schema: options.spec.schema(),
        bom_format: "CycloneDX",
        spec_version: options.spec.version(),
        serial_number: serial(check, project, options, &tree),
        version: 1,
        metadata: Metadata {
            timestamp: options.timestamp,
            lifecycles: [Lifecycle { phase: "design" }],
            tools: Tools { components: [Tool::of(options.version)] },
            component: root(&product, &reference),
            properties: about(check, project),
        },
        components: List { tree: &tree, nodes: &tree.roots },
        compositions: gaps,
        properties: rest(check, project),
    };
    json::one(out, &document)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata<'a>,
    components: List<'a>,
    compositions: Vec<Composition<'a>>,
    #[serde(skip_serializing_if = "Properties::is_empty")]
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a str>,
    lifecycles: [Lifecycle; 1],
    tools: Tools<'a>,
    component: Root<'a>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Lifecycle {
    phase: &'static str,
}

#[derive(Serialize)]
struct Tools<'a> {
    components: [Tool<'a>; 1],
}

#[derive(Serialize)]
struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: &'static str,
    name: &'static str,
    version: &'a str,
}

impl<'a> Tool<'a> {
    fn of(version: &'a str) -> Self {
        Self { kind: "application", reference: TOOL, name: "umbilical", version }
    }
}

/// The product.
#[derive(Serialize)]
struct Root<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<Entity<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manufacturer: Option<Entity<'a>>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Properties::is_empty")]
    properties: Properties<'a>,
}

fn root<'a>(product: &Merged<'a>, reference: &'a str) -> Root<'a> {
    let mut properties = Properties::default();
    properties.some("cdx:device:serialNumber", product.serial);
    properties.some("umbilical:brand", product.brand);
    properties.some("umbilical:model", product.model);
    properties.some("umbilical:date", product.date);
    let (version, long) = component::version(product.version);
    properties.some("umbilical:version", long);
    Root {
        kind: "device",
        reference,
        supplier: product.brand.map(Entity::named),
        manufacturer: product.manufacturer.map(Entity::named),
        name: product.shown(),
        version,
        properties,
    }
}

/// What the documents of a product say of it: the first that says something counts.
struct Merged<'a> {
    path: &'a str,
    name: Option<&'a str>,
    brand: Option<&'a str>,
    manufacturer: Option<&'a str>,
    model: Option<&'a str>,
    version: Option<&'a str>,
    serial: Option<&'a str>,
    date: Option<&'a str>,
}

impl<'a> Merged<'a> {
    fn of(check: &'a Check, project: &'a Project) -> Self {
        let all = files(check, project);
        let first = |cell: fn(&Product) -> &Option<Box<str>>| all.iter().find_map(|f| cell(&f.product).as_deref());
        let name = project.path.trim_end_matches(['/', '\\']);
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let stem = if project.files.len() == 1 { stem(name) } else { name };
        Self {
            path: if matches!(stem, "" | "-" | ".") { "product" } else { stem },
            name: first(|p| &p.name),
            brand: first(|p| &p.brand),
            manufacturer: first(|p| &p.manufacturer),
            model: first(|p| &p.model),
            version: first(|p| &p.version),
            serial: first(|p| &p.serial),
            date: first(|p| &p.date),
        }
    }
}

/// A file's name without what says its format: `gw.hbom.cdx.json` is `gw`, `gw_V2.4_BOM.xlsx` is `gw_V2.4_BOM`.
fn stem(name: &str) -> &str {
    let (mut stem, _) = name.rsplit_once('.').unwrap_or((name, ""));
    while let Some((rest, "cdx" | "hbom" | "bom" | "spdx" | "csv" | "json" | "xml")) = stem.rsplit_once('.') {
        stem = rest;
    }
    if stem.is_empty() { name } else { stem }
}

impl<'a> Merged<'a> {
    /// The name that it goes by: its own, else its number, else its file's.
    fn shown(&self) -> &'a str {
        self.name.or(self.model).unwrap_or(self.path)
    }
}

fn about<'a>(check: &'a Check, project: &'a Project) -> Properties<'a> {
    let mut properties = Properties::default();
    properties.put("umbilical:state", project.state.name());
    properties.all("umbilical:because", project.because.iter().map(String::as_str));
    properties.put("umbilical:as-of", check.as_of.as_str());
    properties.put("umbilical:knowledge", check.knowledge.version.as_str());
    properties.put("umbilical:sources-to", check.knowledge.sources_to.as_str());
    properties.all("umbilical:source", files(check, project).into_iter().map(|f| f.path.as_str()));
    properties
}

/// Members that this writer makes: of a document that it wrote they are made anew.
const OWN: [&str; 6] =
    ["serialNumber", "json:version", "json:compositions", "json:metadata.tools", "json:metadata.lifecycles", "product:type"];

/// What the documents say beyond product and parts, once each.
fn rest<'a>(check: &'a Check, project: &Project) -> Properties<'a> {
    let mut seen = BTreeSet::new();
    let mut properties = Properties::default();
    for file in files(check, project) {
        let tool = format!("\"bom-ref\":\"{TOOL}\"");
        let ours = file.rest.properties.iter().any(|(name, value)| **name == *"json:metadata.tools" && value.contains(&tool));
        for (name, value) in &file.rest.properties {
            let written = OWN.iter().any(|own| name.starts_with(own)) && ours;
            if !name.starts_with("umbilical:") && !written && seen.insert((name, value)) {
                properties.put(&**name, &**value);
            }
        }
    }
    properties
}

/// How complete what is written is.
#[derive(Serialize)]
struct Composition<'a> {
    aggregate: &'static str,
    assemblies: Vec<&'a str>,
}

/// A bill never proves that it is whole; one that hides a module, and a part with a tier that nobody has named, are not.
fn gaps<'a>(tree: &'a Tree<'_>, product: &'a str, state: State) -> Vec<Composition<'a>> {
    let open = tree.nodes.iter().filter(|n| n.part.tiers.iter().any(|t| t.name.is_none())).map(|n| n.reference.as_str());
    let mut incomplete: Vec<&str> = open.collect();
    let mut unknown = Vec::new();
    if state == State::Undisclosed {
        incomplete.insert(0, product)
    } else {
        unknown.push(product)
    }
    [("incomplete", incomplete), ("unknown", unknown)]
        .into_iter()
        .filter(|(_, assemblies)| !assemblies.is_empty())
        .map(|(aggregate, assemblies)| Composition { aggregate, assemblies })
        .collect()
}

/// A UUID of version 8 (bits of one's own making) over all that the document depends on.
fn serial(check: &Check, project: &Project, options: &Options<'_>, tree: &Tree<'_>) -> String {
    let mut hash = Sha256::new();
    let mut put = |text: &str| {
        hash.update(text.as_bytes());
        hash.update([0]);
    };
    for word in [options.spec.version(), options.version, options.timestamp.unwrap_or_default(), &check.as_of, &check.knowledge.version] {
        put(word);
    }
    for file in files(check, project) {
        put(&file.path);
        put(check.inputs.get(file.input as usize).map_or("", |i| i.sha256.as_str()));
    }
    put(&tree.digest());
    let mut bytes: [u8; 16] = std::array::from_fn(|_| 0);
    for (to, from) in bytes.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        match place {
            6 => *byte = *byte & 0x0f | 0x80,
            8 => *byte = *byte & 0x3f | 0x80,
            _ => {}
        }
    }
    let mut text = String::from("urn:uuid:");
    for (place, digit) in hex(&bytes).chars().enumerate() {
        if matches!(place, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}
