//! CycloneDX as it leaves: valid by the official schema, the same bytes each time, nothing lost, deep and large.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use umbilical_core::answer::bom::{Check, State};
use umbilical_core::bom::PartKind;
use umbilical_report::cyclonedx::{Options, Spec, write};

use crate::bills::{EVIL, check, part};

fn schema(version: &str) -> jsonschema::Validator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge/schemas/cyclonedx");
    let read = |name: &str| -> Value { serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap() };
    let parts = ["spdx.schema.json", "jsf-0.82.schema.json", "cryptography-defs.schema.json"];
    let registry = parts
        .into_iter()
        .fold(jsonschema::Registry::new(), |r, name| r.add(format!("http://cyclonedx.org/schema/{name}"), read(name)).unwrap())
        .prepare()
        .unwrap();
    let options = jsonschema::options().with_registry(&registry).should_validate_formats(true);
    options.build(&read(&format!("bom-{version}.schema.json"))).unwrap()
}

fn text(check: &Check, options: &Options<'_>) -> String {
    let mut out = Vec::new();
    write(&mut out, check, &check.projects[0], options).unwrap();
    String::from_utf8(out).unwrap()
}

fn document(check: &Check) -> Value {
    serde_json::from_str(&text(check, &Options { version: "1.2.3", ..Options::default() })).unwrap()
}

fn walk<'v>(components: &'v Value, to: &mut Vec<&'v Value>) {
    for component in components.as_array().into_iter().flatten() {
        to.push(component);
        walk(&component["components"], to);
    }
}

fn all(document: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    walk(&document["components"], &mut found);
    found
}

fn named<'v>(document: &'v Value, name: &str) -> &'v Value {
    all(document).into_iter().find(|c| c["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

fn values<'v>(component: &'v Value, name: &str) -> Vec<&'v str> {
    let properties = component["properties"].as_array().into_iter().flatten();
    properties.filter(|p| p["name"] == name).map(|p| p["value"].as_str().unwrap()).collect()
}

#[test]
fn both_versions_are_as_the_official_schema_says() {
    for (spec, version) in [(Spec::V1_6, "1.6"), (Spec::V1_7, "1.7")] {
        let schema = schema(version);
        for timestamp in [None, Some("2026-11-25T00:00:00Z")] {
            let mut document: Value = serde_json::from_str(&text(&check(), &Options { spec, version: "1.2.3", timestamp })).unwrap();
            let wrong: Vec<String> = schema.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(wrong.is_empty(), "{version}: {}", wrong.join("\n"));
            assert_eq!(document["specVersion"], version);
            assert_eq!(document["metadata"].get("timestamp").and_then(Value::as_str), timestamp);
            document["components"][0]["colour"] = "red".into();
            assert!(!schema.is_valid(&document), "the schema bites");
        }
    }
}

#[test]
fn the_same_answer_is_the_same_bytes_and_another_one_has_another_number() {
    let options = Options { version: "1.2.3", ..Options::default() };
    let first = text(&check(), &options);
    assert_eq!(first, text(&check(), &options));
    let number = |check: &Check| document(check)["serialNumber"].as_str().unwrap().to_owned();
    let mut other = check();
    let known = number(&other);
    // urn:uuid:xxxxxxxx-xxxx-8xxx-[89ab]xxx-xxxxxxxxxxxx
    assert_eq!((known.len(), &known[23..24]), (45, "8"));
    assert!(["8", "9", "a", "b"].contains(&&known[28..29]));
    other.files[0].parts[5].part.mpn = Some("another".into());
    assert_ne!(known, number(&other));
    let mut other = check();
    other.inputs[0].sha256 = "cc".into();
    assert_ne!(known, number(&other));
    insta::assert_snapshot!("cyclonedx", first);
}

#[test]
fn a_module_carries_what_is_declared_and_what_is_known() {
    let document = document(&check());
    let module = named(&document, "GS-LTE");
    assert_eq!(module["type"], "device");
    assert_eq!(module["manufacturer"]["name"], "Gateway & Sons");
    assert_eq!(module["supplier"]["name"], "Dealer");
    assert_eq!(module["version"].as_str().unwrap().len(), 1024);
    assert_eq!(values(module, "umbilical:version")[0].len(), 1500, "the whole of it is kept");
    for (name, expected) in [
        ("cdx:device:quantity", &["2"][..]),
        ("cdx:device:function", &["cellular modem, module"]),
        ("cdx:device:sku", &["C12345"]),
        ("cdx:device:certifications:US:FCC:id", &["2AXYZFW25"]),
        ("cdx:device:certifications:DE", &["x"]),
        ("umbilical:certifications:PTCRB", &["77"]),
        ("umbilical:designators", &["U2,U 3%2C|%25"]),
        ("umbilical:mpn", &["GS-LTE-01"]),
        ("umbilical:alternate", &["Other|ALT-1|a%7Cb%25"]),
        ("umbilical:effective-serial-from", &["100"]),
        ("umbilical:effective-from", &["2026-01-31"]),
        ("umbilical:effective-to", &[]),
        ("umbilical:kind", &["module"]),
        ("umbilical:maker", &["Fenwick"]),
        ("umbilical:owner", &["State Assets Office"]),
        ("umbilical:jurisdiction", &["CN", "LU"]),
        ("umbilical:tac", &["49015420"]),
        ("umbilical:tier:memory", &["unknown"]),
        ("umbilical:worst", &["ALT-1"]),
        // Of what both documents say the list counts; what only the drawing says is filled in.
        ("Footprint", &["LCC"]),
        ("Datasheet", &["gs.pdf"]),
        ("umbilical:origin", &["CN"]),
        ("json:hashes", &["[{}]"]),
        // Evidence that an earlier conversion wrote is written anew, not kept beside it.
        ("json:evidence", &[]),
    ] {
        assert_eq!(values(module, name), expected, "{name}");
    }
    let identity = &module["evidence"]["identity"][0];
    assert_eq!(identity["field"], "name");
    assert_eq!(identity["concludedValue"], "FW-25");
    assert_eq!(identity["confidence"], 0.9731);
    assert_eq!(identity["tools"], json!([document["metadata"]["tools"]["components"][0]["bom-ref"]]));
    let techniques: Vec<&Value> = identity["methods"].as_array().unwrap().iter().map(|m| &m["technique"]).collect();
    assert_eq!(techniques, ["manifest-analysis", "instrumentation"]);
    // The declared ancestor, then the maker's module behind the brand's name.
    let ancestors: Vec<(&str, &str)> = module["pedigree"]["ancestors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| (a["name"].as_str().unwrap(), a["manufacturer"]["name"].as_str().unwrap()))
        .collect();
    assert_eq!(ancestors, [("FW-24", "Fenwick"), ("FW-25", "Fenwick")]);
    let compositions = &document["compositions"];
    assert_eq!(compositions[0]["aggregate"], "incomplete");
    assert_eq!(compositions[0]["assemblies"], json!([document["metadata"]["component"]["bom-ref"], module["bom-ref"]]));
}

#[test]
fn parts_keep_their_places_and_their_holders() {
    let document = document(&check());
    let board = &document["components"][0];
    assert_eq!(board["name"], "main board");
    let inside: Vec<&Value> = board["components"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
    assert_eq!(inside, ["GS-LTE", "SIM holder"], "placed and not placed in the order of the document");
    let holder = named(&document, "SIM holder");
    assert_eq!((&holder["scope"], values(holder, "umbilical:not-placed")), (&json!("excluded"), vec!["DNP"]));
    assert_eq!(named(&document, "fw-image")["type"], "firmware");
    assert_eq!(values(named(&document, "fw-image"), "umbilical:name"), ["mpn"]);
    assert_eq!(values(named(&document, "TP1"), "umbilical:name"), ["designator"]);
    assert_eq!(named(&document, "TP1")["evidence"]["occurrences"][0]["symbol"], "TP1");
    // The drawing names U2 as the list does: one component, seen at two places. It has another part at R1: its own.
    let seen: Vec<(&Value, &Value, &Value)> = named(&document, "GS-LTE")["evidence"]["occurrences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| (&o["location"], &o["line"], &o["symbol"]))
        .collect();
    let (list, drawing) = (json!("hw/my bom,1:2.csv"), json!("hw/board.kicad_sch"));
    let (three, forty) = (json!(3), json!(40));
    assert_eq!(seen, [(&list, &three, &json!("U2")), (&list, &three, &json!("U 3,|%")), (&drawing, &forty, &json!("U2"))]);
    let holders: Vec<Option<&str>> = all(&document).iter().filter(|c| c["name"] == "SIM holder").map(|c| c["scope"].as_str()).collect();
    assert_eq!(holders, [Some("excluded"), None], "the documents disagree on whether it is placed: both are told");
    let other = &named(&document, "4k7")["evidence"]["occurrences"][0];
    assert_eq!((&other["additionalContext"], other.get("line")), (&json!("sheet 2 symbol 41"), None));
    // Parts that are alike in everything are two, and every reference is unique.
    assert_eq!(all(&document).iter().filter(|c| c["name"] == EVIL).count(), 2);
    let references: HashSet<&Value> = all(&document).iter().map(|c| &c["bom-ref"]).collect();
    assert_eq!(references.len(), all(&document).len());
    assert_eq!(document["metadata"]["component"]["name"], "Gateway");
    assert_eq!(document["metadata"]["component"]["version"], "rev C");
    assert_eq!(values(&document["metadata"], "umbilical:state"), ["undisclosed"]);
    assert_eq!(values(&document, "title"), ["Gateway bill"]);
}

#[test]
fn references_of_the_document_are_kept_where_they_are_unique() {
    let mut check = check();
    for (number, reference) in [(2, "same"), (3, "same"), (4, "urn:cdx:x/1#y"), (5, "")] {
        check.files[0].parts[number].part.reference = Some(reference.into());
    }
    let document = document(&check);
    let references: Vec<&str> = all(&document).iter().map(|c| c["bom-ref"].as_str().unwrap()).collect();
    assert_eq!(references.iter().filter(|r| **r == "same").count(), 1);
    assert_eq!(references.iter().filter(|r| r.starts_with("part-")).count(), references.len() - 1);
    assert_eq!(references.iter().collect::<HashSet<_>>().len(), references.len());
}

#[test]
fn assemblies_twenty_thousand_deep_are_written_and_can_be_read() {
    let mut check = check();
    let deep = 20_000u32;
    let parts = (0..deep).map(|n| {
        let mut p = part(n, &[], &format!("level {n}"), n + 1);
        p.part.parent = n.checked_sub(1);
        // A holder that comes after what it holds is none.
        if n == 7 {
            p.part.parent = Some(9);
        }
        p
    });
    check.files[0].parts = parts.collect();
    check.files[0].not_placed.clear();
    check.projects[0].files = vec![0];
    let document = document(&check);
    assert_eq!(all(&document).len(), deep as usize);
    assert_eq!(document["components"].as_array().unwrap().len(), 2, "level 0 and the one whose holder cannot be");
    let last = named(&document, "level 19999");
    assert_eq!(values(last, "umbilical:holder"), [named(&document, "level 19998")["bom-ref"].as_str().unwrap()]);
}

#[test]
fn a_product_without_a_name_takes_its_file() {
    for (path, name) in [("a/b/gateway.hbom.csv", "gateway"), ("-", "product"), ("", "product"), (".hidden", ".hidden")] {
        let mut check = check();
        check.files[0].product = Default::default();
        check.projects[0].files = vec![0];
        check.projects[0].path = path.into();
        check.projects[0].state = State::CleanAsDeclared;
        let document = document(&check);
        assert_eq!(document["metadata"]["component"]["name"], name);
        // Clean as declared is not complete.
        let unknown = document["compositions"].as_array().unwrap().iter().find(|c| c["aggregate"] == "unknown").unwrap();
        assert_eq!(unknown["assemblies"], json!([document["metadata"]["component"]["bom-ref"]]));
    }
}

/// Counts and forgets.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn three_hundred_thousand_parts_are_written() {
    let mut check = check();
    let kind = [PartKind::Memory, PartKind::Other, PartKind::Module];
    let module = check.files[0].parts[1].module.clone();
    check.files[0].parts = (0..300_000)
        .map(|n| {
            let mut p = part(n, &[&format!("U{n}")], &format!("value {}", n % 1000), n + 2);
            p.kind = kind[n as usize % 3];
            p.module = module.clone().filter(|_| n % 500 == 2);
            p.path = Arc::clone(&check.files[0].parts[0].path);
            p
        })
        .collect();
    check.files[0].not_placed.clear();
    check.projects[0].files = vec![0];
    let mut count = Count(0);
    let begun = std::time::Instant::now();
    write(&mut count, &check, &check.projects[0], &Options::default()).unwrap();
    eprintln!("{} MB in {:?}", count.0 >> 20, begun.elapsed());
    assert!(count.0 > 300_000 * 200);
}
