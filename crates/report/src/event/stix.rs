//! STIX 2.1. What we call a finding is a *sighting* there: of the indicator that stands for its code, at the device, which is an
//! identity of the class `system`. The modules of the device are infrastructure that it is related to.
//!
//! STIX has no word for basis, verdict or module, so they stand in an extension of properties, as the standard wants it, whose
//! definition is in the bundle. Every id derives from what the object is about (UUID version 5), and every time is the event's:
//! the same answer is the same bundle, and a platform that has had it takes it for the same.

use std::collections::HashSet;
use std::io::{self, Write};

use serde_json::{Value, json};
use umbilical_core::answer::{Device, Module};

use super::{Event, Kind, named, percent, present, uuid};
use crate::json;

/// The namespace of our ids: a UUID made once.
const OURS: [u8; 16] = [0x4d, 0x1f, 0x27, 0xb0, 0x6a, 0x53, 0x4e, 0x0f, 0x9c, 0x7e, 0x2b, 0x58, 0xd3, 0x91, 0xae, 0x64];
const SPEC: &str = "2.1";
/// The version and place of what the extension's members mean.
const EXTENSION: (&str, &str) = ("1.0.0", "docs/integrations.md");

fn id(kind: &str, name: &str) -> String {
    format!("{kind}--{}", uuid::v5(OURS, &format!("{kind}:{name}")))
}

fn extension(members: Vec<(&str, Value)>) -> Value {
    let mut inside = vec![("extension_type", Value::from("property-extension"))];
    inside.extend(members);
    json!({id("extension-definition", EXTENSION.0): present(inside)})
}

/// The members that every object has.
fn object(kind: &str, name: &str, at: &str, members: Vec<(&str, Value)>) -> Value {
    let mut all = vec![
        ("type", kind.into()),
        ("spec_version", SPEC.into()),
        ("id", id(kind, name).into()),
        ("created", at.into()),
        ("modified", at.into()),
    ];
    // Who says so; the identity that says it is said by nobody else.
    if (kind, name) != ("identity", "umbilical") {
        all.push(("created_by_ref", id("identity", "umbilical").into()));
    }
    all.extend(members);
    present(all)
}

/// The objects of an event, those that it refers to before it. Objects of several events may repeat: their ids tell.
pub fn objects(event: &Event<'_>) -> Vec<Value> {
    let finding = event.finding;
    // With milliseconds, which the schemas of the standard want.
    let at = event.at.rfc3339().replace('Z', ".000Z");
    let mut out = vec![
        object("identity", "umbilical", &at, vec![("name", "Umbilical".into()), ("identity_class", "system".into())]),
        object(
            "extension-definition",
            EXTENSION.0,
            &at,
            vec![
                ("name", "Umbilical".into()),
                ("description", "What a finding, a device and a module are known by, and how.".into()),
                ("schema", EXTENSION.1.into()),
                ("version", EXTENSION.0.into()),
                ("extension_types", json!(["property-extension"])),
            ],
        ),
        object(
            "indicator",
            &finding.code,
            &at,
            vec![
                ("name", finding.code.clone().into()),
                ("description", finding.meaning().into()),
                ("indicator_types", json!(["unknown"])),
                ("pattern", format!("code = '{}'", finding.code.replace('\'', "")).into()),
                ("pattern_type", "umbilical".into()),
                ("valid_from", at.clone().into()),
            ],
        ),
    ];
    let mut seen_at = Value::Null;
    if let Some(device) = event.device {
        let system = system(device, &at);
        seen_at = json!([system.get("id")]);
        out.push(system);
        for module in &device.modules {
            if let Some((part, link)) = infrastructure(device, module, &at) {
                out.push(part);
                out.push(link);
            }
        }
    }
    out.push(object(
        "sighting",
        &finding.id,
        &at,
        vec![
            ("description", event.because().into()),
            ("confidence", json!(percent(finding.confidence))),
            ("count", json!(1)),
            ("sighting_of_ref", id("indicator", &finding.code).into()),
            ("where_sighted_refs", seen_at),
            // Nobody revokes a sighting by sending it: that it is over is a property of ours.
            (
                "extensions",
                extension(vec![
                    ("finding", finding.id.clone().into()),
                    ("code", finding.code.clone().into()),
                    ("source", finding.source.into()),
                    ("subject", json!(finding.subject)),
                    ("verdict", finding.verdict.map_or(Value::Null, Value::from)),
                    ("severity", finding.severity.name().into()),
                    ("basis", finding.basis.name().into()),
                    ("lifecycle", finding.lifecycle.into()),
                    ("threats", json!(finding.threats)),
                    ("remedies", json!(finding.remedies)),
                    ("clears_when", finding.clears_when.clone().into()),
                    ("state", if event.kind == Kind::Gone { "gone" } else { event.kind.name() }.into()),
                ]),
            ),
        ],
    ));
    out
}

fn system(device: &Device, at: &str) -> Value {
    let ids = &device.identifiers;
    object(
        "identity",
        &device.id,
        at,
        vec![
            ("name", crate::fleet::called(device).into()),
            ("identity_class", "system".into()),
            (
                "extensions",
                extension(vec![
                    ("device", device.id.clone().into()),
                    ("cellular", device.cellular.name().into()),
                    ("names", json!(device.names)),
                    ("asset_id", json!(ids.asset_id)),
                    ("serial", json!(ids.serial)),
                    ("imei", json!(ids.imei)),
                    ("eid", json!(ids.eid)),
                    ("iccid", json!(ids.iccid)),
                    ("mac", json!(ids.mac)),
                    ("ip_address", json!(ids.ip)),
                    ("site", json!(ids.site)),
                ]),
            ),
        ],
    )
}

/// A model of modules, once for all devices that have it, and that this device has it.
fn infrastructure(device: &Device, module: &Module, at: &str) -> Option<(Value, Value)> {
    let name = named(module)?;
    let countries = crate::say::countries(module);
    let part = object(
        "infrastructure",
        &format!("{name}|{}", countries.join(",")),
        at,
        vec![
            ("name", name.clone().into()),
            ("description", "A cellular module.".into()),
            ("infrastructure_types", json!(["unknown"])),
            (
                "extensions",
                extension(vec![
                    ("maker", module.maker.clone().map_or(Value::Null, Value::from)),
                    ("model", module.model.clone().map_or(Value::Null, Value::from)),
                    ("jurisdictions", json!(countries)),
                ]),
            ),
        ],
    );
    let link = object(
        "relationship",
        &format!("{}|{name}", device.id),
        at,
        vec![
            ("relationship_type", "related-to".into()),
            ("description", "The device contains a module of this model.".into()),
            ("confidence", json!(percent(module.confidence))),
            ("source_ref", id("identity", &device.id).into()),
            ("target_ref", part.get("id").cloned().unwrap_or_default()),
            ("extensions", extension(vec![("basis", module.basis.name().into()), ("imei", json!(module.imei))])),
        ],
    );
    Some((part, link))
}

/// Writes a bundle as events come.
pub struct Bundle<'a> {
    out: &'a mut dyn Write,
    /// What has been written, by its id.
    known: HashSet<String>,
    ids: Vec<u8>,
}

impl<'a> Bundle<'a> {
    /// Writes what stands before the objects.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn new(out: &'a mut dyn Write) -> io::Result<Self> {
        write!(out, "{{\"type\":\"bundle\",\"objects\":[")?;
        Ok(Self { out, known: HashSet::new(), ids: Vec::new() })
    }

    /// Writes the objects of an event that are not there yet.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        for object in objects(event) {
            let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
            if self.known.contains(id) {
                continue;
            }
            let mut line = Vec::new();
            json::line(&mut line, &object)?;
            self.out.write_all(if self.known.is_empty() { b"\n" } else { b",\n" })?;
            self.out.write_all(line.strip_suffix(b"\n").unwrap_or(&line))?;
            // The id of the bundle is that of all that is in it.
            self.ids = umbilical_core::id::hex(&chained(&self.ids, &line)).into_bytes();
            self.known.insert(id.to_owned());
        }
        Ok(())
    }

    /// Writes what stands behind the objects.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn finish(self) -> io::Result<()> {
        let name = String::from_utf8_lossy(&self.ids).into_owned();
        writeln!(self.out, "\n],\"id\":\"{}\"}}", id("bundle", &name))?;
        self.out.flush()
    }
}

fn chained(before: &[u8], line: &[u8]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(line);
    hash.finalize().to_vec()
}
