//! What the fields of a package say of a part, in any of the forms.

use serde_json::{Map, Value};
use umbilical_core::At;
use umbilical_core::bom::{Bom, Cell, Part};
use umbilical_core::text::{clean, short};

use crate::cyclonedx::part::{MAX_TEXT, cell};

/// The most further properties of one part, and of a document.
const MAX_PROPERTIES: usize = 256;

/// The role of software whose purpose is not said.
pub(super) const SOFTWARE: &str = "software";

/// Keeps what no field has a place for.
pub(super) fn keep(part: &mut Part, name: &str, value: &str) {
    push(&mut part.properties, name, value);
}

/// The same of a document.
pub(super) fn keep_of_document(bom: &mut Bom, name: &str, value: &Value) {
    match value.as_str() {
        Some(text) if said(text) => push(&mut bom.properties, name, text),
        Some(_) => {}
        None => push(&mut bom.properties, &format!("json:{name}"), &value.to_string()),
    }
}

fn push(properties: &mut Vec<(Box<str>, Box<str>)>, name: &str, value: &str) {
    if properties.len() < MAX_PROPERTIES {
        properties.push((short(&clean(name), 200).into(), short(&clean(value), MAX_TEXT).into()));
    } else if properties.len() == MAX_PROPERTIES {
        properties.push(("left out".into(), format!("more than {MAX_PROPERTIES} further statements").into()));
    }
}

/// Whether a text says something: `NOASSERTION` and `NONE` are how SPDX says nothing.
pub(super) fn said(text: &str) -> bool {
    !matches!(text.trim(), "" | "NOASSERTION" | "NONE")
}

/// A text, or nothing.
pub(super) fn text(value: &Value) -> Cell {
    match value {
        Value::String(text) if said(text) => cell(text.clone()),
        Value::Number(_) | Value::Bool(_) => cell(value.to_string()),
        _ => None,
    }
}

/// `Organization: Quectel (sales@quectel.example)`: the name.
pub(super) fn agent(value: &Value) -> Cell {
    let text = value.as_str().filter(|t| said(t))?.trim();
    let name = ["organization:", "person:", "tool:"]
        .iter()
        .find_map(|kind| text.get(..kind.len()).filter(|head| head.eq_ignore_ascii_case(kind)).and_then(|_| text.get(kind.len()..)))
        .unwrap_or(text)
        .trim();
    let plain = match name.rsplit_once('(') {
        Some((before, mail)) if mail.ends_with(')') && (mail.contains('@') || mail == ")") => before.trim(),
        _ => name,
    };
    cell(if said(plain) { plain.to_owned() } else { String::new() })
}

/// A package of SPDX 2, by the names of its JSON form.
///
/// `originator` is who made it; where nobody is named, `supplier` is taken for the maker too: the minimum elements of the
/// NTIA (2021) define the supplier as who "creates, defines, and identifies" a component, and documents are written so.
pub(super) fn package(members: Map<String, Value>, at: At) -> Part {
    let mut part = Part { at, ..Part::default() };
    for (name, value) in members {
        match name.as_str() {
            "SPDXID" => part.reference = text(&value),
            "name" => part.value = text(&value),
            "versionInfo" => part.version = text(&value),
            "supplier" => part.supplier = agent(&value),
            "originator" => part.manufacturer = agent(&value),
            "primaryPackagePurpose" => part.role = text(&value).map(|t| t.to_ascii_lowercase().replace('_', "-").into()),
            "description" => part.description = text(&value),
            "externalRefs" => {
                for item in value.as_array().into_iter().flatten() {
                    let field = |name| item.get(name).and_then(Value::as_str);
                    match (field("referenceType"), field("referenceLocator")) {
                        (Some(kind), Some(place)) => keep(&mut part, &format!("reference:{}", short_type(kind)), place),
                        _ => keep(&mut part, "json:externalRefs", &item.to_string()),
                    }
                }
            }
            "checksums" => {
                for item in value.as_array().into_iter().flatten() {
                    let field = |name| item.get(name).and_then(Value::as_str);
                    match (field("algorithm"), field("checksumValue")) {
                        (Some(alg), Some(sum)) => keep(&mut part, &format!("hash:{alg}"), sum),
                        _ => keep(&mut part, "json:checksums", &item.to_string()),
                    }
                }
            }
            // Whether its files were looked through and under what licences: nothing of hardware.
            "filesAnalyzed" | "hasFiles" | "packageVerificationCode" | "licenseInfoFromFiles" => {}
            _ => other(&mut part, &name, &value),
        }
    }
    finish(&mut part);
    part
}

/// A field that is not known here.
pub(super) fn other(part: &mut Part, name: &str, value: &Value) {
    match value {
        Value::String(text) if said(text) => keep(part, name, text),
        Value::String(_) | Value::Null => {}
        _ => keep(part, &format!("json:{name}"), &value.to_string()),
    }
}

/// What is left to do when all fields have been read. What says no purpose and has an address in a package manager is software.
pub(super) fn finish(part: &mut Part) {
    if part.role.is_none() && (part.property("reference:purl").is_some() || part.property("purl").is_some()) {
        part.role = Some(SOFTWARE.into());
    }
    if part.manufacturer.is_none() {
        part.manufacturer = part.supplier.clone();
    }
    if part.description.is_none()
        && let Some(at) = part.properties.iter().position(|(n, _)| &**n == "summary")
    {
        part.description = Some(part.properties.remove(at).1);
    }
}

/// A type of reference without the address of its definition.
pub(super) fn short_type(kind: &str) -> &str {
    kind.rsplit(['/', '#']).next().unwrap_or(kind)
}
