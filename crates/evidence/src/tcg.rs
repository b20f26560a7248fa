//! Hardware manifests of the Trusted Computing Group: the list of components that goes into a platform certificate.
//!
//! **What it reads.** JSON as paccor writes and takes it (github.com/nsacyber/paccor): `PLATFORM`, `COMPONENTS` with class,
//! maker, model, serial number, addresses and, in delta manifests, `STATUS`; components of version 2 as lists of traits as far
//! as a trait holds a whole component.
//!
//! **When it is wrong.** A manifest is collected by software on the platform, or written by its maker: it is what a document
//! declares. In the registry of PCIe devices maker and model are numbers; a module is named by them only where the tables
//! know one model for them. Platform certificates themselves (DER, PEM) are not read.

mod classes;

use std::io;

use serde_json::{Map, Value};
use umbilical_core::bom::{Design, Part, Placed};
use umbilical_core::text::{clean, short};
use umbilical_core::{At, Observations};
use umbilical_knowledge::Knowledge;

use crate::cyclonedx::part::{MAX_TEXT, cell};
use crate::pieces::{self, Piece};
use crate::{Context, Head, Reader, Source};

/// The most further properties of one part, and of a manifest.
const MAX_PROPERTIES: usize = 256;

/// The reader of hardware manifests.
pub(crate) struct TcgManifest;

impl Reader for TcgManifest {
    fn name(&self) -> &'static str {
        "tcg-manifest"
    }

    fn about(&self) -> &'static str {
        "Hardware manifests for TCG platform certificates as JSON, as paccor writes them; held to no schema."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let Some(text) = pieces::object(head) else { return 0 };
        let has = |name: &str| text.contains(name);
        let platform = has("\"PLATFORM\"") && has("\"PLATFORMMANUFACTURERSTR\"");
        let classes = has("\"COMPONENTS\"") && (has("\"COMPONENTCLASSREGISTRY\"") || has("\"componentClassRegistry\""));
        if platform || classes { 94 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let by_line = pieces::by_line(&source.head(""));
        out.bom(Design::Statement);
        pieces::walk(source.utf8(), &["COMPONENTS", "PROPERTIES"], by_line, out, |piece, at, out| match piece {
            Piece::Element("COMPONENTS", value) => component_of(value, at, cx.knowledge, out),
            Piece::Element(_, value) => {
                let field = |name| value.get(name).and_then(Value::as_str);
                match (field("PROPERTYNAME").or(field("NAME")), field("PROPERTYVALUE").or(field("VALUE"))) {
                    (Some(name), Some(text)) => of_manifest(name, text, out),
                    _ => of_manifest("json:PROPERTIES", &value.to_string(), out),
                }
            }
            Piece::Member("PLATFORM", Value::Object(platform)) => of_platform(platform, out),
            Piece::Member(name, value) => {
                if matches!(name, "PLATFORM" | "COMPONENTS" | "PROPERTIES") {
                    out.problem(at, format!("{name}: not of the shape that belongs here: it is kept as text"));
                }
                of_manifest(&format!("json:{name}"), &value.to_string(), out);
            }
        })?;
        pieces::not_validated(cx.validate, "TCG hardware manifests", out);
        Ok(())
    }
}

/// Whether bytes begin like an attribute certificate for a platform: PEM by its first line, DER by an object identifier below
/// 2.23.133.5.1, the attributes of TCG platforms.
pub(crate) fn is_certificate(head: &[u8]) -> bool {
    let der = head.first() == Some(&0x30) && memchr::memmem::find(head, &[0x67, 0x81, 0x05, 0x05, 0x01]).is_some();
    der || head.trim_ascii_start().starts_with(b"-----BEGIN ATTRIBUTE CERTIFICATE-----")
}

fn of_platform(platform: Map<String, Value>, out: &mut Observations) {
    for (name, value) in platform {
        let Some(text) = text(&value) else { continue };
        let product = &mut out.bom(Design::Statement).product;
        match name.as_str() {
            "PLATFORMMANUFACTURERSTR" => product.manufacturer = cell(text),
            "PLATFORMMODEL" => {
                product.name = cell(text.clone());
                product.model = cell(text);
            }
            "PLATFORMVERSION" => product.version = cell(text),
            "PLATFORMSERIAL" => product.serial = cell(text),
            _ => of_manifest(&name, &text, out),
        }
    }
}

fn of_manifest(name: &str, value: &str, out: &mut Observations) {
    push(&mut out.bom(Design::Statement).properties, name, value);
}

fn push(properties: &mut Vec<(Box<str>, Box<str>)>, name: &str, value: &str) {
    if properties.len() < MAX_PROPERTIES {
        properties.push((short(&clean(name), 200).into(), short(&clean(value), MAX_TEXT).into()));
    } else if properties.len() == MAX_PROPERTIES {
        properties.push(("left out".into(), format!("more than {MAX_PROPERTIES} further statements").into()));
    }
}

/// A component: an object, or since version 2 a list of traits, one of which may hold it whole.
fn component_of(value: Value, at: At, knowledge: &Knowledge, out: &mut Observations) {
    match value {
        Value::Object(members) => {
            let part = component(members, at, knowledge);
            out.part(Design::Statement, part);
        }
        Value::Array(traits) => {
            let mut whole = None;
            let mut rest = Vec::new();
            for mut one in traits {
                match one.get_mut("traitValue").map(Value::take) {
                    Some(Value::Object(members)) if whole.is_none() => whole = Some(members),
                    Some(value) => {
                        if let Some(members) = one.as_object_mut() {
                            members.insert("traitValue".into(), value);
                        }
                        rest.push(one);
                    }
                    None => rest.push(one),
                }
            }
            if whole.is_none() {
                out.problem(at, "a component of single traits: they are kept as text; one trait with the whole component is read");
            }
            let mut part = component(whole.unwrap_or_default(), at, knowledge);
            for one in rest {
                push(&mut part.properties, "json:trait", &one.to_string());
            }
            out.part(Design::Statement, part);
        }
        _ => out.problem(at, "an object belongs here: it is left out"),
    }
}

fn component(members: Map<String, Value>, at: At, knowledge: &Knowledge) -> Part {
    let mut part = Part { at, ..Part::default() };
    let mut registry = String::new();
    for (name, value) in members {
        let upper = name.to_ascii_uppercase();
        match upper.strip_prefix("COMPONENT").filter(|n| *n != "CLASS").unwrap_or(&upper) {
            "COMPONENTCLASS" => {
                let find = |wanted: &str| {
                    let found = value.as_object()?.iter().find(|(n, _)| n.eq_ignore_ascii_case(wanted)).map(|(_, v)| v)?;
                    found.get("base64").and_then(Value::as_str).and_then(hex_of).or_else(|| text(found))
                };
                registry = find("COMPONENTCLASSREGISTRY").unwrap_or_default();
                let class = find("COMPONENTCLASSVALUE").unwrap_or_default();
                part.role = classes::words(&registry, &class).map(Into::into);
                push(&mut part.properties, "component class", format!("{registry} {class}").trim());
            }
            "MANUFACTURER" => part.manufacturer = text(&value).and_then(cell),
            "MODEL" => part.value = text(&value).and_then(cell),
            "SERIAL" => part.serial = text(&value).and_then(cell),
            "REVISION" => part.version = text(&value).and_then(cell),
            "STATUS" => match text(&value) {
                Some(status) if status.eq_ignore_ascii_case("removed") || status == "2" => part.placed = Placed::No("removed".into()),
                Some(status) => push(&mut part.properties, "status", &status),
                None => {}
            },
            "ADDRESSES" if value.is_array() => {
                for address in value.as_array().into_iter().flatten() {
                    for (kind, address) in address.as_object().into_iter().flatten() {
                        push(&mut part.properties, &kind.to_ascii_lowercase(), address.as_str().unwrap_or_default());
                    }
                }
            }
            _ => match text(&value) {
                Some(text) => push(&mut part.properties, &name.to_ascii_lowercase(), &text),
                None => push(&mut part.properties, &format!("json:{name}"), &value.to_string()),
            },
        }
    }
    if registry == classes::PCIE {
        by_pci_id(&mut part, knowledge);
    }
    part
}

/// Names a device of the PCIe registry, whose maker and model are numbers: `1EAC:1028:` and `1002:09A1:`, each the device's and
/// its subsystem's.
fn by_pci_id(part: &mut Part, knowledge: &Knowledge) {
    let numbers = |cell: &Option<Box<str>>| {
        let mut fields = cell.as_deref().unwrap_or_default().split(':').map(|f| u16::from_str_radix(f.trim(), 16).ok());
        (fields.next().flatten(), fields.next().flatten())
    };
    let ((Some(vendor), sub_vendor), (Some(device), sub_device)) = (numbers(&part.manufacturer), numbers(&part.value)) else { return };
    push(&mut part.properties, "pci id", &format!("{vendor:04x}:{device:04x}"));
    let subsystem = sub_vendor.zip(sub_device);
    if let Some((vendor, device)) = subsystem {
        push(&mut part.properties, "pci subsystem", &format!("{vendor:04x}:{device:04x}"));
    }
    let Some(row) = knowledge.pci(vendor, device, subsystem).filter(|row| row.module) else { return };
    if let (Some(brand), [model]) = (&row.brand, row.models.as_slice()) {
        push(&mut part.properties, "named by", "the PCI id");
        (part.manufacturer, part.value) = (Some(brand.clone()), Some(model.clone()));
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Bytes in base64 as hexadecimal digits.
fn hex_of(text: &str) -> Option<String> {
    use base64ct::{Base64, Encoding};
    let mut bytes = [0u8; 16];
    let decoded = Base64::decode(text, &mut bytes).ok()?;
    Some(umbilical_core::id::hex(decoded).to_ascii_uppercase())
}
