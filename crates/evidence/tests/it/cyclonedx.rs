//! CycloneDX: what is read of it, that the schema judged part by part judges as over the whole, and inputs made to harm.

use std::fmt::Write;
use std::fs;
use std::io::{self, Read};

use serde_json::{Value, json};
use umbilical_core::bom::Part;
use umbilical_core::{At, Observations};
use umbilical_evidence::open::read_stream;
use umbilical_evidence::{Context, Purpose, Source};
use umbilical_knowledge::Knowledge;

use crate::fixtures::walk_for;

mod agreement;
mod hostile;

/// Reads a stream, judged by its schema or not.
fn read_from(stream: impl Read, validate: bool) -> Observations {
    let knowledge = Knowledge::embedded();
    let cx = Context { knowledge: &knowledge, mapping: None, purpose: Purpose::Bom, validate, path: "a.json" };
    let mut out = Observations::new();
    let mut source = Source::new(Box::new(stream)).unwrap();
    read_stream(&mut source, &cx, &mut out).unwrap();
    out
}

fn read(text: &str, validate: bool) -> Observations {
    read_from(io::Cursor::new(text.as_bytes().to_vec()), validate)
}

fn parts(out: &Observations) -> &[Part] {
    &out.boms[0].parts
}

fn says(out: &Observations, what: &str) -> bool {
    out.problems.iter().any(|p| p.what.contains(what))
}

#[test]
fn fixtures() {
    walk_for("cyclonedx", true, |_| Purpose::Bom);
}

#[test]
fn it_is_known_by_what_it_says_whatever_the_order_and_the_case() {
    let bytes = |text: &str| read_from(io::Cursor::new(text.as_bytes().to_vec()), false).inputs[0].format.clone();
    for text in [
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#,
        "\u{feff} \n{ \"components\" : [ {\"name\":\"x\"} ],\n \"bomformat\" :\t\"cyclonedx\" }",
        r#"{"specVersion":"2.0","specFormat":"CycloneDX","components":[]}"#,
        r#"{"$schema":"http://cyclonedx.org/schema/bom-1.5.schema.json","components":[{"type":"device","name":"x"}]}"#,
        r#"{"components":[{"type":"device","name":"x","bom-ref":"1"}],"specVersion":"1.4"}"#,
    ] {
        assert_eq!(bytes(text), "cyclonedx-json", "{text}");
    }
    let utf16: Vec<u8> =
        "\u{feff}{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read_from(io::Cursor::new(utf16), false).inputs[0].format, "cyclonedx-json");
    for text in [
        r#"[{"imei":"490154203237518","note":"bomFormat CycloneDX"}]"#,
        r#"{"spdxVersion":"SPDX-2.3","name":"CycloneDX","packages":[]}"#,
        r#"{"device":{"imei":"490154203237518","specVersion":"1.6"}}"#,
    ] {
        assert_ne!(bytes(text), "cyclonedx-json", "{text}");
    }
}

/// A module under so many assemblies.
fn nested(depth: usize) -> String {
    let mut text = r#"{"type":"device","name":"EC25-E","manufacturer":{"name":"Quectel"}}"#.to_owned();
    for n in (0..depth).rev() {
        text = format!(r#"{{"components":[{text}],"type":"device","name":"assembly {n}"}}"#);
    }
    format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[{text}]}}"#)
}

#[test]
fn a_module_deep_inside_is_found_with_its_path() {
    for depth in [6, 60, 200] {
        let out = read(&nested(depth), false);
        let all = parts(&out);
        assert_eq!(all.len(), depth + 1);
        let mut path = vec![all[depth].value.as_deref().unwrap()];
        let mut at = all[depth].parent;
        while let Some(i) = at {
            assert!(all[i as usize].parent.is_none_or(|p| p < i));
            path.push(all[i as usize].value.as_deref().unwrap());
            at = all[i as usize].parent;
        }
        path.reverse();
        assert_eq!(path.len(), depth + 1);
        assert_eq!((path[0], path[depth]), ("assembly 0", "EC25-E"));
        assert!(out.problems.is_empty(), "{:?}", out.problems);
    }
    assert_eq!(read(&nested(60), true).schema_errors, 0);
}

#[test]
fn what_is_odd_is_told_at_its_place_and_the_rest_is_read() {
    let text = r#"{
      "bomFormat": "CycloneDX", "specVersion": 1.6,
      "components": [
        {"type": "device", "name": 7, "version": ["a"]},
        null,
        {"type": "device", "name": "EC25-E", "properties": "none", "components": {"0": 1},
         "supplier": "LCSC", "manufacturer": "Quectel", "hyper": {"drive": [1, 2]}},
        {"type": "device", "name": "BG95-M3", "name": "BG96", "components": [17]},
        {"type": "device", "name": broken, "components": [{"type": "device", "name": "SIM7600G-H"}]},
        {"type": "device", "name": "L610-CN", "power": 1e400},
      ]
      "dependencies": []
    }"#;
    let out = read(text, false);
    let names: Vec<Option<&str>> = parts(&out).iter().map(|p| p.value.as_deref()).collect();
    assert_eq!(names, [Some("7"), Some("EC25-E"), Some("BG96"), None, Some("SIM7600G-H"), Some("L610-CN")]);
    assert_eq!(parts(&out)[4].parent, Some(3));
    let part = &parts(&out)[1];
    assert_eq!((part.supplier.as_deref(), part.manufacturer.as_deref()), (Some("LCSC"), Some("Quectel")));
    assert_eq!(part.property("json:hyper"), Some(r#"{"drive":[1,2]}"#));
    let told: Vec<String> = out.problems.iter().map(|p| format!("{}: {}", out.locate(p.at), p.what)).collect();
    for expected in [
        "line 4: components[0].name: 7: a text belongs here",
        "line 4: components[0].version: a text belongs here",
        "line 5: components[1]: null where an object belongs",
        "line 6: components[2].properties: an array belongs here",
        "line 6: components[2].components: an array belongs here",
        "line 8: components[3].components[0]: 17 where",
        "line 8: components[3]: 1 names stand twice",
        "line 9: components[4]: expected value",
        "line 11: not JSON: a comma too many",
        "line 12: not JSON: a comma is missing",
        "specVersion: a text belongs here",
    ] {
        assert!(told.iter().any(|t| t.contains(expected)), "{expected}\n{}", told.join("\n"));
    }
    // Nothing that a whole document says goes unseen by the schema either.
    assert!(read(text, true).schema_errors > 0);
}

#[test]
fn a_document_that_breaks_off_gives_what_stands_before() {
    let whole = nested(3);
    let from = whole.find("\"components\"").unwrap();
    for end in from + 20..whole.len() {
        let out = read(&whole[..end], true);
        assert!(says(&out, "breaks off"), "{}", &whole[..end]);
        assert!(out.schema_errors > 0 && !parts(&out).is_empty());
    }
    assert!(says(&read(&format!("{whole} {{}}"), false), "behind the end"));
    assert!(read(&whole, true).problems.is_empty());
}

#[test]
fn versions_without_a_schema_are_read_and_not_called_valid() {
    for (version, spec) in [("\"1.2\"", "1.2"), ("\"2.0\"", "2.0"), ("\"9\"", "9")] {
        let text = format!(r#"{{"bomFormat":"CycloneDX","specVersion":{version},"components":[{{"type":"device","name":"EC25-E"}}]}}"#);
        let out = read(&text, true);
        assert_eq!((out.schema_errors, parts(&out).len(), out.boms[0].spec.as_deref()), (1, 1, Some(spec)));
        assert!(says(&out, "schemas of 1.4, 1.5, 1.6, 1.7 are on file"));
        assert_eq!(read(&text, false).problems.len(), 0);
    }
}

#[test]
fn every_version_judges_a_document_whose_version_stands_last() {
    let component = json!({"type": "device", "name": "EC25-E", "manufacturer": {"name": "Quectel"}});
    // A component has a manufacturer since 1.6.
    for (version, errors) in [("1.5", 1), ("1.6", 0)] {
        let text = format!(r#"{{"components":[{component}],"bomFormat":"CycloneDX","version":1,"specVersion":"{version}"}}"#);
        assert_eq!(read(&text, true).schema_errors, errors, "{version}");
    }
}

#[test]
fn errors_of_several_inputs_add_up_and_are_told_with_their_path() {
    let text = |name: Value| json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "device", "name": "a"}, {"type": "device", "name": name}]});
    let mut all = read(&text(json!(1)).to_string(), true);
    all.absorb(read(&text(json!("b")).to_string(), true));
    all.absorb(read(&text(json!([])).to_string(), true));
    assert_eq!(all.schema_errors, 2);
    assert!(says(&all, "schema: components[1].name: 1 is not of type \"string\""), "{:?}", all.problems);
    assert_eq!(all.locate(all.problems.last().unwrap().at), "component 2");
    assert!(all.problems.iter().all(|p| p.at != At::WHOLE));
}
