//! SPDX 3 as JSON-LD: a graph of elements that name each other by id. The names of the hardware profile are those of its
//! draft (spdx-3-model, `model/Hardware`): `hardware_PhysicalHardware` with `hardware_partNumber`, `hardware_productAgent`.

use std::io;

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};
use umbilical_core::bom::{Cell, Design, Part};
use umbilical_core::{At, Observations};

use super::fields::{SOFTWARE, agent, finish, keep, keep_of_document, other, short_type, text};
use super::tree::Tree;
use crate::pieces::{self, Piece};
use crate::{Context, Head, Reader, Source};

/// The most organisations and people.
const MOST_AGENTS: usize = 1_000_000;

/// The reader of SPDX 3.
pub(crate) struct Spdx3Json;

impl Reader for Spdx3Json {
    fn name(&self) -> &'static str {
        "spdx3-json"
    }

    fn about(&self) -> &'static str {
        "SPDX 3 documents as JSON-LD: packages, and hardware by the draft of its profile; held to no schema."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let Some(text) = pieces::object(head) else { return 0 };
        let graph = text.contains("\"@graph\"");
        if text.contains("\"@context\"") && text.contains("spdx.org/rdf/3") || graph && text.contains("\"spdxId\"") { 94 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let by_line = pieces::by_line(&source.head(""));
        out.bom(Design::Statement);
        let mut graph = Graph::default();
        let mut is_graph = false;
        pieces::walk(source.utf8(), &["@graph"], by_line, out, |piece, at, out| match piece {
            Piece::Element(_, Value::Object(members)) => {
                is_graph = true;
                graph.element(members, at, out);
            }
            Piece::Element(..) => out.problem(at, "an element of the graph that is no object: it is left out"),
            Piece::Member("@context", _) => {}
            Piece::Member("@graph", _) => out.problem(at, "@graph: an array belongs here: it is left out"),
            Piece::Member(name, value) => keep_of_document(out.bom(Design::Statement), name, &value),
        })?;
        if !is_graph {
            out.problem(At::WHOLE, "no element in `@graph`: a document of one element alone is not read; put it into the graph");
        }
        graph.finish(out);
        pieces::not_validated(cx.validate, "SPDX", out);
        Ok(())
    }
}

#[derive(Default)]
struct Graph {
    tree: Tree,
    /// Names of organisations and people by their id.
    agents: FxHashMap<Box<str>, Box<str>>,
    /// What documents and bills are about.
    roots: Vec<Box<str>>,
}

impl Graph {
    fn element(&mut self, members: Map<String, Value>, at: At, out: &mut Observations) {
        let find = |name: &str| members.iter().find(|(n, _)| local(n) == name).map(|(_, v)| v);
        let kind = first(members.get("type").or_else(|| members.get("@type")));
        let id = first(members.get("spdxId").or_else(|| members.get("@id"))).map(str::to_owned);
        let kind = local(kind.unwrap_or_default()).to_owned();
        match kind.as_str() {
            "Organization" | "Person" | "SoftwareAgent" | "Agent" => {
                if let (Some(id), Some(name)) = (id, find("name").and_then(text))
                    && self.agents.len() < MOST_AGENTS
                {
                    self.agents.entry(id.into()).or_insert(name);
                }
            }
            "CreationInfo" => {
                let bom = out.bom(Design::Statement);
                bom.product.date = bom.product.date.take().or_else(|| find("created").and_then(text));
                bom.spec = bom.spec.take().or_else(|| find("specVersion").and_then(text));
            }
            "SpdxDocument" | "Bom" | "Sbom" | "Bundle" => {
                self.roots.extend(all(find("rootElement")).map(Into::into));
                let product = &mut out.bom(Design::Statement).product;
                // A document names the product best, whichever of them stands first.
                if kind == "SpdxDocument" || product.name.is_none() {
                    product.name = find("name").and_then(text).or(product.name.take());
                }
            }
            _ if kind.ends_with("Relationship") => {
                let ends = (first(find("from")), first(find("relationshipType")));
                let (Some(from), Some(name)) = ends else {
                    out.problem(at, "a relationship without both ends and a type: it is left out");
                    return;
                };
                for to in all(find("to")) {
                    self.tree.relationship(from, local(name), to);
                }
            }
            _ if kind.ends_with("Package") || kind.ends_with("Hardware") => {
                let mut part = part(members, &kind, at);
                part.reference = id.map(Into::into);
                self.tree.package(part, out);
            }
            _ => {}
        }
    }

    fn finish(mut self, out: &mut Observations) {
        let agents = &self.agents;
        self.tree.each(|part| {
            let resolve = |cell: Cell| match cell {
                Some(id) => match agents.get(&id) {
                    Some(name) => (Some(name.clone()), None),
                    // An id that leads nowhere is no name.
                    None if id.contains("://") || id.starts_with("urn:") || id.starts_with("_:") => (None, Some(id)),
                    None => (Some(id), None),
                },
                None => (None, None),
            };
            let (maker, lost_maker) = resolve(part.manufacturer.take());
            let (supplier, lost_supplier) = resolve(part.supplier.take());
            (part.manufacturer, part.supplier) = (maker, supplier);
            for (name, id) in [("maker id", lost_maker), ("supplier id", lost_supplier)] {
                if let Some(id) = id {
                    keep(part, name, &id);
                }
            }
            finish(part);
        });
        for id in &self.roots {
            self.tree.describes(id);
        }
        self.tree.finish(out);
    }
}

/// A package or a piece of hardware; agents are named by id still.
fn part(members: Map<String, Value>, kind: &str, at: At) -> Part {
    let mut part = Part { at, ..Part::default() };
    let role = match kind {
        "PhysicalHardware" => "hardware".to_owned(),
        // Whatever a package may be in SPDX 2, since 3.0 it is software unless its purpose says otherwise.
        _ if kind.ends_with("Package") => SOFTWARE.to_owned(),
        _ => kebab(kind),
    };
    part.role = Some(role.into());
    for (name, value) in members {
        match local(&name) {
            "type" | "@type" | "spdxId" | "@id" | "creationInfo" => {}
            "name" => part.value = text(&value),
            "packageVersion" | "hardwareVersion" | "itemVersion" => part.version = text(&value),
            "primaryPurpose" => part.role = text(&value).map(|t| kebab(local(&t)).into()).or(part.role),
            "partNumber" => {
                if let Some(model) = std::mem::replace(&mut part.mpn, text(&value)) {
                    keep(&mut part, "modelNumber", &model);
                }
            }
            "modelNumber" if part.mpn.is_none() => part.mpn = text(&value),
            "serialNumber" => part.serial = text(&value),
            // The draft says that one agent stands for the product; of packages, who it comes from first.
            "productAgent" => part.manufacturer = agent_of(&value),
            "originatedBy" => part.manufacturer = part.manufacturer.take().or_else(|| agent_of(&value)),
            "suppliedBy" => part.supplier = agent_of(&value),
            "description" => part.description = text(&value),
            "summary" => other(&mut part, "summary", &value),
            "packageUrl" => other(&mut part, "purl", &value),
            "externalIdentifier" => {
                for item in value.as_array().into_iter().flatten() {
                    match (item.get("externalIdentifierType").and_then(Value::as_str), item.get("identifier").and_then(Value::as_str)) {
                        (Some(kind), Some(id)) => keep(&mut part, &format!("reference:{}", short_type(kind)), id),
                        _ => keep(&mut part, "json:externalIdentifier", &item.to_string()),
                    }
                }
            }
            "verifiedUsing" => {
                for item in value.as_array().into_iter().flatten() {
                    match (item.get("algorithm").and_then(Value::as_str), item.get("hashValue").and_then(Value::as_str)) {
                        (Some(alg), Some(sum)) => keep(&mut part, &format!("hash:{}", local(alg)), sum),
                        _ => keep(&mut part, "json:verifiedUsing", &item.to_string()),
                    }
                }
            }
            local => other(&mut part, local, &value),
        }
    }
    part
}

/// An agent: its id, or its name where it stands there itself.
fn agent_of(value: &Value) -> Cell {
    let one = value.as_array().and_then(|a| a.first()).unwrap_or(value);
    one.get("name").or_else(|| one.get("@id")).map_or_else(|| agent(one), text)
}

/// A name without the address of its vocabulary and without its profile.
fn local(name: &str) -> &str {
    let last = name.rsplit(['/', '#', ':']).next().unwrap_or(name);
    match last.split_once('_') {
        Some((profile, rest)) if !rest.is_empty() && profile.bytes().all(|b| b.is_ascii_lowercase()) => rest,
        _ => last,
    }
}

/// `deviceDriver` as `device-driver`.
fn kebab(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn first(value: Option<&Value>) -> Option<&str> {
    all(value).next()
}

/// One text or many: ids, also as objects with an id.
fn all(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let (one, many) = match value {
        Some(Value::Array(items)) => (None, items.as_slice()),
        other => (other, &[][..]),
    };
    one.into_iter().chain(many).filter_map(|v| v.as_str().or_else(|| v.get("@id").or_else(|| v.get("spdxId")).and_then(Value::as_str)))
}
