//! Signed statements: what is signed, what is kept back, what the schema says of it. Verified here with the curve itself.

use std::fs;
use std::path::Path;

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::{Signature, SigningKey};
use serde_json::{Value, json};
use umbilical_core::answer::bom::{Check, State};
use umbilical_core::bom::PartKind;
use umbilical_core::signed::{self, Opened, canonical, pae};
use umbilical_report::attest::{self, KeyError, Signer};

use crate::bills;

const SEED: [u8; 32] = [7; 32];

fn signer() -> Signer {
    Signer::from_seed(&SEED)
}

fn verifies(message: &[u8], signature: &[u8]) -> bool {
    SigningKey::from_bytes(&SEED).verifying_key().verify_strict(message, &Signature::from_slice(signature).unwrap()).is_ok()
}

/// The product of the other tests, with digests of the right length.
fn check() -> Check {
    let mut check = bills::check();
    for (input, digit) in check.inputs.iter_mut().zip(["a", "b"]) {
        input.sha256 = digit.repeat(64);
    }
    check
}

/// How many parts are on the boards.
fn parts() -> usize {
    check().files.iter().map(|f| f.parts.len()).sum()
}

/// A leaf for each document, each part, and each that is not placed.
fn leaves() -> u64 {
    check().files.iter().map(|f| 1 + f.parts.len() + f.not_placed.len()).sum::<usize>() as u64
}

fn makers() -> Vec<String> {
    vec!["fenwick".into(), "Gateway & Sons".into(), "Nobody".into()]
}

#[test]
fn an_envelope_holds_the_statement_and_a_signature_over_both_type_and_payload() {
    let statement = attest::verdict(&check(), &[]);
    let line = attest::envelope(&statement, &signer());
    assert_eq!(line.lines().count(), 1);
    let envelope: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(Base64::decode_vec(envelope["payload"].as_str().unwrap()).unwrap(), statement);
    assert_eq!(envelope["signatures"][0]["keyid"], signer().id());
    let signature = Base64::decode_vec(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap();
    assert!(verifies(&pae("application/vnd.in-toto+json", &statement), &signature));
    assert!(!verifies(&pae("application/vnd.in-toto+jsom", &statement), &signature));
    assert_eq!(line, attest::envelope(&attest::verdict(&check(), &[]), &signer()), "same input, same bytes");
}

#[test]
fn a_verdict_says_what_was_found_in_which_bytes() {
    let statement: Value = serde_json::from_slice(&attest::verdict(&check(), &attest::claims(&check(), &makers()))).unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "urn:umbilical:bom-verdict:1");
    assert_eq!(statement["subject"][1], json!({ "name": "hw/board.kicad_sch", "digest": { "sha256": "b".repeat(64) } }));
    let predicate = &statement["predicate"];
    assert_eq!((&predicate["state"], &predicate["as_of"]), (&json!("undisclosed"), &json!(check().as_of)));
    assert_eq!(predicate["documents"][0]["modules"][0]["maker"], "Fenwick");
    assert_eq!(predicate["documents"][0]["counts"], json!({ "assembly": 1, "carrier": 1, "firmware": 1, "module": 1, "other": 3 }));
    assert_eq!(predicate["documents"][0]["findings"].as_array().unwrap().len(), 3);
    assert_eq!(predicate["problems"][0]["document"], "hw/board.kicad_sch");
}

#[test]
fn a_claim_is_never_borne_out_where_something_is_hidden() {
    let verdicts = |check: &Check| attest::claims(check, &makers()).iter().map(|c| c.verdict).collect::<Vec<_>>();
    assert_eq!(verdicts(&check()), ["fail", "fail", "unknown"], "maker, brand, and a maker while a module is hidden");
    let mut open = check();
    open.projects[0].state = State::Found;
    assert_eq!(verdicts(&open), ["fail", "fail", "unknown"], "a place that was not understood");
    open.problems.clear();
    assert_eq!(verdicts(&open), ["fail", "fail", "pass"]);
    let module = &mut open.files[0].parts[1];
    (module.maker, module.module) = (None, None);
    assert_eq!(verdicts(&open), ["unknown"; 3], "a module of nobody known");
    // What may stand in its place counts.
    let alternate = umbilical_core::answer::bom::AlternateAnswer {
        part: Default::default(),
        kind: PartKind::Module,
        maker: Some("Nobody".into()),
        module: None,
    };
    let module = &mut open.files[0].parts[1];
    module.maker = Some("Somebody".into());
    module.alternates.push(alternate);
    assert_eq!(verdicts(&open), ["pass", "pass", "fail"]);
    open.files.clear();
    assert_eq!(verdicts(&open), ["unknown"; 3], "nothing was read");
}

#[test]
fn a_cyclonedx_document_is_the_predicate_byte_for_byte() {
    let document = "\u{feff}\n{\"bomFormat\" : \"CycloneDX\",\"n\":1.50,\"big\":123456789012345678901234567890}\n";
    let statement = attest::cyclonedx("a \"b\".json", &"c".repeat(64), document.as_bytes());
    let text = String::from_utf8(statement).unwrap();
    assert!(text.ends_with(r#","predicate":{"bomFormat" : "CycloneDX","n":1.50,"big":123456789012345678901234567890}}"#), "{text}");
    let json = canonical::parse(text.as_bytes()).unwrap();
    assert_eq!(json["predicateType"], "https://cyclonedx.org/bom");
    assert_eq!(json["subject"][0]["name"], "a \"b\".json");
}

fn schema() -> jsonschema::Validator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge/schemas/cyclonedx");
    let schema = |name: &str| -> Value { serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap() };
    let mut registry = jsonschema::Registry::new();
    for name in ["spdx.schema.json", "jsf-0.82.schema.json", "cryptography-defs.schema.json"] {
        registry = registry.add(format!("http://cyclonedx.org/schema/{name}"), schema(name)).unwrap();
    }
    let registry = registry.prepare().unwrap();
    jsonschema::options().with_registry(&registry).build(&schema("bom-1.6.schema.json")).unwrap()
}

fn errors(schema: &jsonschema::Validator, document: &Value) -> Vec<String> {
    schema.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

#[test]
fn declarations_and_signatures_inside_validate() {
    let schema = schema();
    let claims = attest::claims(&check(), &makers());
    let plain = attest::declarations(&check(), &claims, None).unwrap();
    let signed = attest::declarations(&check(), &claims, Some(&signer())).unwrap();
    assert_eq!(errors(&schema, &plain), [""; 0]);
    assert_eq!(errors(&schema, &signed), [""; 0]);
    // What is checked can fail.
    let mut broken = signed.clone();
    broken["signature"]["algorithm"] = "none".into();
    broken["declarations"]["claims"][0]["more"] = 1.into();
    assert!(errors(&schema, &broken).len() >= 2);
    // Every reference leads somewhere.
    let mut refs = Vec::new();
    collect(&plain, "bom-ref", &mut refs);
    for name in ["claims", "counterClaims", "evidence", "counterEvidence", "requirement", "target", "assessor"] {
        let mut used = Vec::new();
        collect(&plain, name, &mut used);
        assert!(used.iter().all(|r| refs.contains(r)), "{name}: {used:?} in {refs:?}");
    }
    let map = plain["declarations"]["attestations"][0]["map"].as_array().unwrap();
    let scores: Vec<&Value> = map.iter().map(|m| &m["conformance"]["score"]).collect();
    assert_eq!(scores, [&json!(1), &json!(1), &json!(0), &json!(0), &Value::Null], "two documents, two failures, one unknown");
}

/// Every text, and every list of texts, under a name.
fn collect(value: &Value, name: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if key == name {
                    out.extend(value.as_str().map(str::to_owned));
                    out.extend(value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)));
                }
                collect(value, name, out);
            }
        }
        Value::Array(items) => items.iter().for_each(|v| collect(v, name, out)),
        _ => {}
    }
}

#[test]
fn a_signature_inside_covers_all_but_its_own_value() {
    let document = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "z": 1e21, "a": "ö" });
    let mut signed = attest::inside(document.clone(), &signer()).unwrap();
    let value = signed["signature"].as_object_mut().unwrap().remove("value").unwrap();
    assert!(verifies(&canonical::bytes(&signed), &Base64UrlUnpadded::decode_vec(value.as_str().unwrap()).unwrap()));
    assert!(attest::inside(signed, &signer()).unwrap_err().contains("signed already"));
    assert!(attest::inside(json!([]), &signer()).is_err());
}

#[test]
fn a_redacted_statement_tells_the_verdict_and_keeps_the_parts() {
    let (statement, opening) = attest::redact(&check(), &attest::claims(&check(), &makers()), &signer());
    let text = String::from_utf8(statement.clone()).unwrap();
    // Every name that is not a part of the verdict.
    for kept in ["R1", "4k7", "fw-image", "evil.example", "TP1", "my bom", "kicad", "J1", "SIM holder", &"a".repeat(64)] {
        assert!(!text.contains(kept), "{kept} is given away: {text}");
    }
    let json: Value = serde_json::from_str(&text).unwrap();
    let predicate = &json["predicate"];
    let (parts, leaves) = (parts(), leaves());
    assert_eq!((&predicate["state"], &predicate["parts"], &predicate["not_placed"]), (&json!("undisclosed"), &json!(parts), &json!(1)));
    assert_eq!(predicate["claims"][0], json!({ "claim": "no cellular module of fenwick is declared", "verdict": "fail" }));
    assert_eq!((&predicate["tree"]["leaves"], opening.leaves.len() as u64), (&json!(leaves), leaves));
    assert_eq!(json["subject"][0]["digest"][signed::TREE_DIGEST], predicate["tree"]["root"]);
    let shown: Vec<Opened> = serde_json::from_value(predicate["shown"].clone()).unwrap();
    assert_eq!(shown.iter().map(|o| o.content["kind"].as_str().unwrap()).collect::<Vec<_>>(), ["module", "carrier"]);
    for one in &shown {
        assert_eq!(one.root(leaves).map(|r| signed::hex(&r)).as_deref(), predicate["tree"]["root"].as_str());
    }
    assert_eq!(attest::redact(&check(), &attest::claims(&check(), &makers()), &signer()), (statement, opening), "same input, same bytes");
}

#[test]
fn nobody_finds_a_part_by_trying_and_equal_parts_look_different() {
    let salts = |check: &Check, seed: u8| -> Vec<String> {
        attest::redact(check, &[], &Signer::from_seed(&[seed; 32])).1.leaves.into_iter().map(|l| l.salt).collect()
    };
    let own = salts(&check(), 1);
    let mut all: Vec<&String> = own.iter().collect();
    all.sort();
    all.dedup();
    assert!(all.len() == own.len() && own.iter().all(|s| s.len() == 32), "a salt for each leaf: {own:?}");
    assert!(salts(&check(), 2).iter().zip(&own).all(|(a, b)| a != b), "of the key");
    let mut later = check();
    later.inputs[0].sha256 = "c".repeat(64);
    assert_ne!(salts(&later, 1)[1], own[1], "of the document");
}

#[test]
fn one_part_is_revealed_and_proved() {
    let (_, opening) = attest::redact(&check(), &[], &signer());
    let root = opening.root.clone();
    let leaves = leaves();
    for index in 0..leaves {
        let proof = attest::reveal(opening.clone(), index).unwrap();
        assert_eq!(proof.opened.root(proof.leaves).map(|r| signed::hex(&r)), Some(root.clone()));
        let mut forged = proof.clone();
        forged.opened.content["value"] = "clean".into();
        assert_ne!(forged.opened.root(forged.leaves).map(|r| signed::hex(&r)), Some(root.clone()));
    }
    assert!(attest::reveal(opening.clone(), leaves).unwrap_err().contains(&format!("there are {leaves}")));
    let mut altered = opening.clone();
    altered.leaves[3].content = Value::Null;
    assert!(attest::reveal(altered, 0).unwrap_err().contains("altered"));
    let mut other = opening;
    other.schema = "x".into();
    assert!(attest::reveal(other, 0).unwrap_err().contains("no opening"));
}

#[test]
fn keys_are_read_written_and_told_apart() {
    let pem = signer().to_pem().unwrap();
    let pem = std::str::from_utf8(pem.as_ref()).unwrap();
    assert_eq!(Signer::from_pem(pem).map(|s| s.id()), Ok(signer().id()));
    assert_eq!(Signer::from_pem(&pem.replace('\n', "\r\n")).map(|s| s.id()), Ok(signer().id()));
    // 48 bytes of DER, as OpenSSL writes and reads it: the seed alone, no public half behind it.
    assert_eq!(pem.lines().nth(1).unwrap().len(), 64);
    let error = |text: &str| Signer::from_pem(text).err();
    assert_eq!(error("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA\n"), Some(KeyError::Encrypted));
    assert_eq!(error("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"), Some(KeyError::Encrypted));
    assert_eq!(error("-----BEGIN EC PRIVATE KEY-----\nAA\n"), Some(KeyError::OtherKind));
    assert_eq!(error(&signer().public_pem()), Some(KeyError::Public));
    assert_eq!(error(&pem.replace("MC4C", "MC4D")), Some(KeyError::NotEd25519));
    assert_eq!(error("hello"), Some(KeyError::NoKey));
}
