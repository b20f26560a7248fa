//! The schema judged part by part, against the validator over the whole document, on documents changed at every place in
//! every way.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;

/// The validator over whole documents.
fn oracle(version: &str) -> jsonschema::Validator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge/schemas/cyclonedx");
    let schema = |name: &str| -> Value { serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap() };
    let mut registry = jsonschema::Registry::new().add("http://cyclonedx.org/schema/spdx.schema.json", schema("spdx.schema.json")).unwrap();
    for name in ["jsf-0.82.schema.json", "cryptography-defs.schema.json"] {
        registry = registry.add(format!("http://cyclonedx.org/schema/{name}"), schema(name)).unwrap();
    }
    let registry = registry.prepare().unwrap();
    jsonschema::options().with_registry(&registry).build(&schema(&format!("bom-{version}.schema.json"))).unwrap()
}

/// A valid document with something of everything.
fn document(version: &str) -> Value {
    let hardware = |name: &str| {
        let mut one = json!({
            "type": "device", "bom-ref": name, "name": name, "version": "A", "scope": "required", "mime-type": "text/plain",
            "supplier": {"name": "LCSC", "url": ["https://lcsc.example/"], "contact": [{"name": "Sales", "email": "sales@lcsc.example"}]},
            "hashes": [{"alg": "SHA-256", "content": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}],
            "licenses": [{"license": {"id": "MIT"}}],
            "purl": "pkg:generic/ec25", "cpe": "cpe:2.3:h:quectel:ec25:*:*:*:*:*:*:*:*",
            "swid": {"tagId": "t", "name": "n", "tagVersion": 0},
            "externalReferences": [{"type": "website", "url": "https://quectel.example/ec25", "hashes": [{"alg": "MD5", "content": "d41d8cd98f00b204e9800998ecf8427e"}]}],
            "properties": [{"name": "cdx:device:quantity", "value": "1"}, {"name": "cdx:device:function", "value": "cellular modem"}],
            "evidence": {"copyright": [{"text": "x"}]},
            "releaseNotes": {"type": "major", "timestamp": "2026-01-31T00:00:00Z"},
        });
        if version != "1.4" {
            one["evidence"]["identity"] = json!({"field": "name", "confidence": 0.9, "methods": [{"technique": "manifest-analysis", "confidence": 0.9, "value": "bom.csv"}]});
            one["evidence"]["occurrences"] = json!([{"location": "bom.csv"}]);
        }
        if !["1.4", "1.5"].contains(&version) {
            one["manufacturer"] = json!({"name": "Quectel", "address": {"country": "CN"}});
            one["tags"] = json!(["radio"]);
        }
        one
    };
    let mut module = hardware("module");
    module["pedigree"] = json!({"ancestors": [{"type": "device", "name": "EC25", "components": [{"type": "device", "name": "MDM9207"}, {"type": "device", "name": "PM"}]}]});
    let mut deep = hardware("deep");
    deep["components"] =
        json!([{"type": "firmware", "name": "fw"}, {"type": "device", "name": "flash", "components": [{"type": "file", "name": "f"}]}]);
    let mut board = hardware("board");
    board["components"] = json!([module, {"type": "device", "name": "resistor"}, deep]);
    // They differ in what they hold alone.
    let pair = |inside: Value| json!({"type": "device", "name": "pair", "components": inside});
    let mut root = json!({
        "$schema": format!("http://cyclonedx.org/schema/bom-{version}.schema.json"),
        "bomFormat": "CycloneDX", "specVersion": version, "version": 1,
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "metadata": {
            "timestamp": "2026-01-31T10:00:00Z",
            "tools": [{"vendor": "x", "name": "y", "version": "1"}],
            "component": {"type": "device", "name": "gateway", "components": [{"type": "device", "name": "case"}, {"type": "device", "name": "lid"}]},
            "supplier": {"name": "Acme"},
            "properties": [{"name": "a", "value": "b"}],
        },
        "components": [board, pair(json!([{"type": "device", "name": "left"}])), pair(json!([{"type": "device", "name": "right"}])), pair(json!([])), {"type": "device", "name": "antenna"}, {"type": "library", "name": "openssl", "version": "3"}],
        "services": [{"name": "cloud", "endpoints": ["https://fota.example/"], "x-trust-boundary": true, "data": [{"flow": "outbound", "classification": "PII"}]}],
        "externalReferences": [{"type": "bom", "url": "https://acme.example/bom"}],
        "dependencies": [{"ref": "board", "dependsOn": ["module", "deep"]}, {"ref": "module"}],
        "compositions": [{"aggregate": "incomplete", "assemblies": ["board"]}],
        "vulnerabilities": [{"id": "CVE-2026-0001", "ratings": [{"score": 7.5, "severity": "high", "method": "CVSSv31"}], "affects": [{"ref": "module"}]}],
        "signature": {"algorithm": "ES256", "publicKey": {"kty": "EC", "crv": "P-256", "x": "6BKxpty8cI-exDzCkh-goU6dXq3MbcY0cd1LaAxiNrU", "y": "mCbcvUzm44j3Lt2b5BPyQloQ91tf2D2V-gzeUxWaUdg"}, "value": "tqITqIm0gUMWXIjqDOwPzhWLWHBrQx5Wv3eODJ_"},
    });
    if version != "1.4" {
        root["annotations"] = json!([{"subjects": ["module"], "annotator": {"organization": {"name": "Acme"}}, "timestamp": "2026-01-31T10:00:00Z", "text": "seen"}]);
        root["properties"] = json!([{"name": "a", "value": "b"}, {"name": "a", "value": "b"}]);
        root["formulation"] = json!([{"bom-ref": "f", "components": [{"type": "device", "name": "jig"}]}]);
    }
    if !["1.4", "1.5"].contains(&version) {
        root["declarations"] = json!({"attestations": [{"summary": "s"}], "assessors": [{"bom-ref": "as", "thirdParty": true}]});
        root["definitions"] = json!({"standards": [{"bom-ref": "st", "name": "IEC 62443"}]});
    }
    root
}

/// Every place of a document, as a JSON pointer.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| places(v, &format!("{at}/{}", k.replace('~', "~0").replace('/', "~1")), out)),
        Value::Array(list) => list.iter().enumerate().for_each(|(i, v)| places(v, &format!("{at}/{i}"), out)),
        _ => {}
    }
}

/// What is done to a place.
const CHANGES: usize = 15;

fn change(document: &Value, place: &str, how: usize) -> Option<Value> {
    let mut changed = document.clone();
    let (parent, last) = place.rsplit_once('/').unwrap_or(("", ""));
    if how == 0 {
        match changed.pointer_mut(parent)? {
            Value::Object(map) => drop(map.shift_remove(last)?),
            Value::Array(list) => drop(list.remove(last.parse().ok()?)),
            _ => return None,
        }
        return Some(changed);
    }
    let value = changed.pointer_mut(place)?;
    match (how, &mut *value) {
        (1, _) => *value = Value::Null,
        (2, _) => *value = json!(5),
        (3, _) => *value = json!("no such word"),
        (4, _) => *value = json!([]),
        (5, _) => *value = json!({}),
        (6, _) => *value = json!(true),
        (7, Value::Object(map)) => drop(map.insert("no-such-member".into(), json!("x"))),
        // A copy of an element, at the end or in front; members in another order are the same.
        (8, Value::Array(list)) => list.push(list.first()?.clone()),
        (9, Value::Array(list)) => {
            let Value::Object(map) = list.last()? else { return None };
            let other: serde_json::Map<String, Value> = map.iter().rev().map(|(k, v)| (k.clone(), v.clone())).collect();
            list.insert(0, Value::Object(other));
        }
        (10, Value::String(text)) => *text = text.to_uppercase(),
        (10, Value::Number(_)) => *value = json!(1e300),
        (11, Value::String(text)) => *text = format!("2026-02-30T25:00:00Z {text}"),
        (11, Value::Number(_)) => *value = json!(-1),
        (12, Value::String(text)) => text.clear(),
        // Components in places that have none, and a version range beside the version.
        (13, Value::Object(map)) if map.contains_key("type") => drop(map.insert("components".into(), json!([{"name": "no type"}, 7]))),
        (14, Value::Object(map)) if map.contains_key("type") => drop(map.insert("versionRange".into(), json!("vers:generic/>=1"))),
        _ => return None,
    }
    Some(changed)
}

/// `/components/0/name` as problems have it: `components[0].name`.
fn dotted(pointer: &str) -> String {
    let mut out = String::new();
    for part in pointer.split('/').skip(1) {
        if part.bytes().all(|b| b.is_ascii_digit()) {
            let _ = write!(out, "[{part}]");
        } else {
            let dot = if out.is_empty() { "" } else { "." };
            let _ = write!(out, "{dot}{part}");
        }
    }
    out
}

/// The places of the errors that a reading tells.
fn told(out: &Observations) -> BTreeMap<String, usize> {
    let mut places = BTreeMap::new();
    for text in out.problems.iter().filter_map(|p| p.what.strip_prefix("schema: ")) {
        let place = text.split_once(": ").map_or("", |(place, _)| place);
        let place = if place.contains([' ', '"', '\'', '{']) { "" } else { place };
        *places.entry(place.to_owned()).or_default() += 1;
    }
    places
}

/// What a text is written like: on one line, on many, its members turned round so that the version comes last.
fn written(document: &Value, way: usize) -> String {
    match (way, document) {
        (0, _) => document.to_string(),
        (2, Value::Object(map)) => Value::Object(map.iter().rev().map(|(k, v)| (k.clone(), v.clone())).collect()).to_string(),
        _ => serde_json::to_string_pretty(document).unwrap(),
    }
}

#[test]
fn part_by_part_the_schema_judges_as_over_the_whole() {
    // All of them where asked; else so many, another choice for each version, the same on each run.
    let all = std::env::var_os("UMBILICAL_ALL_MUTATIONS").is_some();
    let (mut judged, mut invalid, mut wrong) = (0usize, 0usize, Vec::new());
    for (seed, version) in ["1.4", "1.5", "1.6", "1.7"].into_iter().enumerate() {
        let oracle = oracle(version);
        let valid = document(version);
        let found: Vec<String> = oracle.iter_errors(&valid).map(|e| format!("{} {e}", e.instance_path())).collect();
        assert!(found.is_empty(), "{version}: {found:?}");
        let out = read(&valid.to_string(), true);
        assert_eq!((out.schema_errors, out.problems.len()), (0, 0), "{version}: {:?}", out.problems);
        let mut spots = Vec::new();
        places(&valid, "", &mut spots);
        let mut cases: Vec<(usize, &str, usize)> =
            spots.iter().flat_map(|p| (0..CHANGES).map(move |how| (p.as_str(), how))).enumerate().map(|(n, (p, h))| (n, p, h)).collect();
        if !all {
            cases.sort_by_key(|(n, ..)| (*n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(seed as u32 * 7 + 3));
            cases.truncate(420);
        }
        for (n, place, how) in cases {
            // The version chooses the schema: to change it is another test.
            let Some(changed) = change(&valid, place, how).filter(|_| !matches!(place, "/specVersion" | "")) else { continue };
            let mut expected = BTreeMap::new();
            for error in oracle.iter_errors(&changed) {
                *expected.entry(dotted(error.instance_path().as_str())).or_default() += 1;
            }
            let out = read(&written(&changed, n % 3), true);
            judged += 1;
            invalid += usize::from(!expected.is_empty());
            let count: usize = expected.values().sum();
            if told(&out) != expected || out.schema_errors != count as u64 {
                wrong.push(format!("{version} {place} change {how}: whole {expected:?}, parts {:?} {:?}", told(&out), out.problems));
            }
        }
    }
    println!("{judged} documents, {invalid} of them invalid");
    assert!(wrong.is_empty(), "{} of {judged}:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
    assert!(judged >= 600 && invalid >= 400 && judged - invalid >= 40, "{judged} {invalid}");
}

#[test]
fn a_text_is_valid_where_it_is_json_and_the_whole_of_it_is_valid() {
    let oracle = oracle("1.6");
    let text = document("1.6").to_string();
    let mut state = 7u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let (mut sound, mut broken) = (0, 0);
    for _ in 0..600 {
        let mut bytes = text.clone().into_bytes();
        let at = next(bytes.len());
        match next(4) {
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, b"{}[],:\"\\ 0ea-\n"[next(14)]),
            2 => bytes[at] = b"{}[],:\"\\ 0ea-\n"[next(14)],
            _ => bytes.swap(at, at.saturating_sub(1)),
        }
        let changed = String::from_utf8(bytes).unwrap();
        let expected = serde_json::from_str::<Value>(&changed).is_ok_and(|v| oracle.is_valid(&v));
        let out = read(&changed, true);
        // What is no longer known as CycloneDX is read by another.
        if out.inputs[0].format == "cyclonedx-json" {
            assert_eq!(out.schema_errors == 0, expected, "{changed}\n{:?}", out.problems);
            if expected { sound += 1 } else { broken += 1 }
        }
    }
    assert!(sound > 50 && broken > 200, "{sound} {broken}");
}
