//! Signed statements: made, verified, altered, redacted, revealed.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::{Folder, Ran, run};

const BOM: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[
  {"type":"device","bom-ref":"u2","name":"EC25-E","manufacturer":{"name":"Quectel"}},
  {"type":"device","bom-ref":"r1","name":"10k"}]}
"#;
const LIST: &str = "Ref,Qnty,Value,MPN,Manufacturer,Description\n\
    U2,1,EC25-E,EC25EFA-512-STD,Quectel,LTE module\n\
    \"R1, R7\",2,10k,RC0402FR-0710KL,Yageo,resistor\n\
    C3,1,SECRETCAP-47,GRM188R61E475,Murata,capacitor\n";

/// A folder with a key, a CycloneDX document and a list of parts.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("gw.cdx.json", BOM);
    folder.write("gw.csv", LIST);
    let made = run(&folder, ["bom", "attest", "--generate-key", "acme"]);
    assert_eq!(made.code, 0, "{}", made.err);
    folder
}

/// `bom attest` with words separated by spaces, on a fixed day.
fn attest(folder: &Folder, words: &str) -> Ran {
    let ran = run(folder, ["bom", "attest", "--as-of", "2026-11-25", "--no-save"].into_iter().chain(words.split_whitespace()));
    // Whatever is done with a key, none of it is printed.
    if let Ok(pem) = fs::read_to_string(folder.path().join("acme.pem")) {
        let secret = pem.lines().nth(1).unwrap();
        assert!(![&ran.out, &ran.err].iter().any(|text| text.contains(&secret[22..50])), "{words} prints the private key");
    }
    ran
}

fn ok(folder: &Folder, words: &str) -> Ran {
    let ran = attest(folder, words);
    assert_eq!(ran.code, 0, "{words}\n{}{}", ran.out, ran.err);
    ran
}

/// Exit 4, and the sentence that says why.
fn fails(folder: &Folder, words: &str, why: &str) {
    let ran = attest(folder, words);
    assert!(ran.code == 4 && ran.out.contains(why) && ran.out.contains("NOT verified"), "{words}: {} {}\n{}", ran.code, ran.out, ran.err);
}

/// Exit 2, and the sentence that says why.
fn refused(folder: &Folder, words: &str, why: &str) {
    let ran = attest(folder, words);
    assert!(ran.code == 2 && ran.err.contains(why), "{words}: {}\n{}", ran.code, ran.err);
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

#[test]
fn a_key_is_for_its_owner_alone_and_never_overwritten() {
    let folder = folder();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder.path().join("acme.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let before = read(&folder, "acme.pem");
    refused(&folder, "--generate-key acme", "is there already");
    fs::remove_file(folder.path().join("acme.pem")).unwrap();
    refused(&folder, "--generate-key acme", "acme.pub.pem is there already");
    assert!(!folder.path().join("acme.pem").exists());
    ok(&folder, "--generate-key other");
    assert_ne!(read(&folder, "other.pem"), before);
}

#[test]
fn keys_are_those_of_other_tools() {
    let folder = folder();
    let openssl = |words: &str| Command::new("openssl").args(words.split(' ')).current_dir(folder.path()).output();
    if openssl("version").is_err() {
        eprintln!("no openssl here: its keys are not tried");
        return;
    }
    let text = String::from_utf8(openssl("pkey -in acme.pem -pubout").unwrap().stdout).unwrap();
    assert_eq!(text, read(&folder, "acme.pub.pem"));
    openssl("genpkey -algorithm ed25519 -out theirs.pem").unwrap();
    openssl("pkey -in theirs.pem -pubout -out theirs.pub.pem").unwrap();
    ok(&folder, "gw.cdx.json --key theirs.pem -o out");
    ok(&folder, "--verify out --public-key theirs.pub.pem gw.cdx.json");
    openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem").unwrap();
    refused(&folder, "gw.cdx.json --key ec.pem", "signed with Ed25519");
    openssl("genpkey -algorithm ed25519 -aes256 -pass pass:x -out locked.pem").unwrap();
    refused(&folder, "gw.cdx.json --key locked.pem", "this key is encrypted");
    openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out rsa.pem").unwrap();
    openssl("pkey -in rsa.pem -pubout -out rsa.pub.pem").unwrap();
    refused(&folder, "--verify out --public-key rsa.pub.pem", "no Ed25519 or P-256 public key");
}

#[test]
fn a_statement_of_another_tool_verifies() {
    // Made for this test with OpenSSL 3 over the bytes that the DSSE specification says.
    let folder = Folder::new();
    folder.write(
        "their.pub.pem",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAUs+3oni2pn5OW7zPpnwlb6QLwvvvLstr2ChEqmS45Ew=\n-----END PUBLIC KEY-----\n",
    );
    let envelope = r#"{"payloadType": "application/vnd.in-toto+json", "payload": "eyJfdHlwZSI6ICJodHRwczovL2luLXRvdG8uaW8vU3RhdGVtZW50L3YxIiwgInN1YmplY3QiOiBbeyJuYW1lIjogIm90aGVyLmNkeC5qc29uIiwgImRpZ2VzdCI6IHsic2hhMjU2IjogImQzMzYwZGE3OTg2ODA5OWQ4N2U1MGNjMDVmYTIyZTA0ZmQ3MTIwMjU5NDY4ZmVkZjQyMWQwMmNlZThlNzNiNDkifX1dLCAicHJlZGljYXRlVHlwZSI6ICJodHRwczovL2N5Y2xvbmVkeC5vcmcvYm9tIiwgInByZWRpY2F0ZSI6IHsiYm9tRm9ybWF0IjogIkN5Y2xvbmVEWCIsICJzcGVjVmVyc2lvbiI6ICIxLjYiLCAiY29tcG9uZW50cyI6IFtdfX0=", "signatures": [{"keyid": "", "sig": "6uPDnzBK0/mIphISeJwywPGqR/nQ+H3KPzxFd4J4FyNHRpgDUnx4XoS4kEEo+1PlfyFs+IrXHRr6r48vEfEwDA=="}]}"#;
    folder.write("their.jsonl", envelope);
    folder.write("other.cdx.json", "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"components\":[]}\n");
    ok(&folder, "--verify their.jsonl --public-key their.pub.pem other.cdx.json");
    folder.write("altered.jsonl", envelope.replace("6uPD", "6uPE"));
    fails(&folder, "--verify altered.jsonl --public-key their.pub.pem", "none of the keys given signed it, or it was altered");
}

#[test]
fn what_was_signed_is_compared_with_what_is_there() {
    let folder = folder();
    ok(&folder, "gw.cdx.json gw.csv --key acme.pem -o out.jsonl");
    assert_eq!(read(&folder, "out.jsonl").lines().count(), 2, "the document itself, and the verdict over the list");
    let ran = ok(&folder, "--verify out.jsonl --public-key acme.pub.pem gw.cdx.json");
    assert!(ran.out.contains("gw.cdx.json: unchanged") && ran.out.contains("gw.csv was signed and not compared"), "{}", ran.out);
    assert!(ran.out.contains("urn:umbilical:bom-verdict:1, found"), "{}", ran.out);
    let first = read(&folder, "out.jsonl");
    ok(&folder, "gw.cdx.json gw.csv --key acme.pem -o again.jsonl");
    assert_eq!(read(&folder, "again.jsonl"), first, "same input, same bytes");

    let json = attest(&folder, "--verify out.jsonl --public-key acme.pub.pem gw.cdx.json gw.csv --format json").json();
    assert_eq!((&json["schema"], &json["verified"], &json["because"]), (&json!("umbilical.bom-verified/1"), &json!(true), &json!([])));
    folder.write("gw.csv", LIST.replace("Quectel", "Telit"));
    folder.write("more.csv", "x");
    fails(&folder, "--verify out.jsonl --public-key acme.pub.pem gw.csv", "gw.csv was changed");
    fails(&folder, "--verify out.jsonl --public-key acme.pub.pem more.csv", "more.csv is not among what was signed");
    refused(&folder, "--verify out.jsonl --public-key acme.pub.pem nowhere.csv", "nowhere.csv");
    refused(&folder, "--verify out.jsonl", "--public-key");
    ok(&folder, "--generate-key other");
    fails(&folder, "--verify out.jsonl --public-key other.pub.pem", "none of the keys given signed it");
    ok(&folder, "--verify out.jsonl --public-key other.pub.pem --public-key acme.pub.pem");
}

#[test]
fn one_altered_envelope_of_several_is_named_and_counts() {
    let folder = folder();
    ok(&folder, "gw.cdx.json gw.csv --key acme.pem -o out.jsonl");
    let lines: Vec<String> = read(&folder, "out.jsonl").lines().map(str::to_owned).collect();
    let mut second: Value = serde_json::from_str(&lines[1]).unwrap();
    second["payloadType"] = "application/vnd.in-toto+jsom".into();
    folder.write("altered.jsonl", format!("{}\n{second}\n", lines[0]));
    fails(&folder, "--verify altered.jsonl --public-key acme.pub.pem", "line 2: a signature does not fit the key that it names");
    // What nothing vouches for is not shown as if something did.
    let json = attest(&folder, "--verify altered.jsonl --public-key acme.pub.pem --format json").json();
    assert_eq!((&json["envelopes"][1]["predicate_type"], &json["envelopes"][1]["subjects"]), (&Value::Null, &json!([])));
    folder.write("half.jsonl", format!("{}\n{}", lines[0], &lines[1][..40]));
    fails(&folder, "--verify half.jsonl --public-key acme.pub.pem", "line 2: no JSON");
    folder.write("empty.jsonl", "");
    fails(&folder, "--verify empty.jsonl --public-key acme.pub.pem", "no JSON");
}

#[test]
fn a_signature_inside_proves_integrity_and_only_with_a_key_who() {
    let folder = folder();
    ok(&folder, "gw.cdx.json --sign-inside --key acme.pem -o signed.cdx.json");
    let ran = ok(&folder, "--verify signed.cdx.json");
    assert!(ran.out.contains("not proved") && ran.out.contains("the key is the document's own: who signed is not proved"), "{}", ran.out);
    assert_eq!(attest(&folder, "--verify signed.cdx.json --fail-on unknown").code, 3);
    assert!(ok(&folder, "--verify signed.cdx.json --public-key acme.pub.pem --fail-on unknown").out.contains("signed.cdx.json: verified"));
    ok(&folder, "--generate-key other");
    fails(&folder, "--verify signed.cdx.json --public-key other.pub.pem", "none of the keys given signed it");
    let signed = read(&folder, "signed.cdx.json");
    folder.write("altered.cdx.json", signed.replace("Quectel", "Telit"));
    fails(&folder, "--verify altered.cdx.json", "altered after it was signed");
    fails(&folder, "--verify gw.cdx.json", "nobody signed this document");
    refused(&folder, "signed.cdx.json --sign-inside --key acme.pem", "signed already");
    refused(&folder, "gw.csv --sign-inside --key acme.pem", "no CycloneDX document in JSON");
    // An algorithm that is not checked here is neither good nor bad.
    folder.write("rsa.cdx.json", signed.replace("\"algorithm\": \"Ed25519\"", "\"algorithm\": \"RS256\""));
    let ran = ok(&folder, "--verify rsa.cdx.json --public-key acme.pub.pem");
    assert!(ran.out.contains("not evaluable: algorithm RS256"), "{}", ran.out);
    assert_eq!(attest(&folder, "--verify rsa.cdx.json --public-key acme.pub.pem --fail-on unknown").code, 3);
    // A name that stands twice is read differently by different readers.
    folder.write("twice.cdx.json", BOM.replace("\"version\":1", "\"version\":1,\"version\":2"));
    refused(&folder, "twice.cdx.json --key acme.pem", "`version` stands twice");
}

#[test]
fn declarations_are_written_and_signed() {
    let folder = folder();
    let plain = ok(&folder, "gw.csv --declarations --without Quectel --without Telit").json();
    let map = &plain["declarations"]["attestations"][0]["map"];
    assert_eq!(map.as_array().unwrap().iter().map(|m| m["conformance"]["score"].clone()).collect::<Vec<_>>(), [1, 0, 1]);
    assert_eq!(plain["declarations"]["targets"]["components"][0]["name"], "gw.csv");
    assert!(plain.get("signature").is_none());
    ok(&folder, "gw.csv --declarations --key acme.pem -o signed.cdx.json");
    ok(&folder, "--verify signed.cdx.json --public-key acme.pub.pem --fail-on unknown");
}

#[test]
fn a_verdict_is_proved_without_giving_away_the_parts() {
    let folder = folder();
    ok(&folder, "gw.csv --redact --key acme.pem -o out.jsonl");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder.path().join("out.jsonl.opening.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let ran = ok(&folder, "--verify out.jsonl --public-key acme.pub.pem");
    assert!(ran.out.contains("urn:umbilical:bom-redacted:1, found") && ran.out.contains("Quectel"), "{}", ran.out);
    let json = attest(&folder, "--verify out.jsonl --public-key acme.pub.pem --format json");
    assert!(json.code == 0 && !json.out.contains("SECRETCAP") && !json.out.contains("gw.csv"), "{}", json.out);
    // The opening has everything; one leaf of it goes out with its proof.
    let opening: Value = serde_json::from_str(&read(&folder, "out.jsonl.opening.json")).unwrap();
    let leaves = opening["leaves"].as_array().unwrap();
    let index = leaves.iter().position(|l| l["content"]["value"] == "SECRETCAP-47").unwrap();
    ok(&folder, &format!("--reveal {index} --opening out.jsonl.opening.json -o part.json"));
    let ran = ok(&folder, "--verify out.jsonl --public-key acme.pub.pem --proof part.json");
    assert!(ran.out.contains("is one of the parts committed to: Murata GRM188R61E475"), "{}", ran.out);
    folder.write("forged.json", read(&folder, "part.json").replace("SECRETCAP-47", "SECRETCAP-48"));
    fails(&folder, "--verify out.jsonl --public-key acme.pub.pem --proof forged.json", "none of those that the statement commits to");
    refused(&folder, "--reveal 99 --opening out.jsonl.opening.json", "no leaf 99");
    refused(&folder, "--reveal 0 --opening gw.csv", "no opening");
    refused(&folder, "gw.csv --redact --key acme.pem", "nowhere to keep");
    // Leaf 0 is the document: with it the file itself can be compared.
    fails(&folder, "--verify out.jsonl --public-key acme.pub.pem gw.csv", "gw.csv is not among what was signed");
    ok(&folder, "--reveal 0 --opening out.jsonl.opening.json -o document.json");
    ok(&folder, "--verify out.jsonl --public-key acme.pub.pem --proof document.json gw.csv");
    folder.write("gw.csv", LIST.replace("10k", "11k"));
    fails(&folder, "--verify out.jsonl --public-key acme.pub.pem --proof document.json gw.csv", "gw.csv was changed");
}

#[test]
fn flags_that_do_not_go_together_are_refused() {
    let folder = folder();
    refused(&folder, "", "nothing to sign");
    refused(&folder, "gw.csv", "no key to sign with");
    refused(&folder, "gw.csv --key nowhere.pem", "nowhere.pem");
    refused(&folder, "gw.csv --key gw.csv", "no private key in PEM");
    refused(&folder, "gw.csv --key acme.pub.pem", "this is a public key");
    refused(&folder, "--verify x --public-key acme.pem", "this is a private key");
    refused(&folder, "gw.csv --redact --declarations --key acme.pem", "cannot be used with");
    refused(&folder, "gw.csv --verify x --key acme.pem", "cannot be used with");
    refused(&folder, "gw.cdx.json --key acme.pem --without Quectel", "nothing is judged");
    refused(&folder, "gw.csv --key acme.pem --without Quektel", "no maker is known as `Quektel`");
    refused(&folder, "gw.csv --key acme.pem --format html", "has no format `html`");
    // What is named in --fail-on counts, and the statement is written all the same.
    let ran = attest(&folder, "gw.csv --key acme.pem --fail-on cellular-module -o out.jsonl");
    assert_eq!((ran.code, read(&folder, "out.jsonl").lines().count()), (1, 1), "{}", ran.err);
    let verdict = ok(&folder, "gw.cdx.json --verdict --key acme.pem");
    assert_eq!(verdict.out.lines().count(), 1);
}

/// The schema of the book, in which a member that it does not name is a mistake.
fn schema() -> jsonschema::Validator {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/umbilical.bom-verified-1.schema.json");
    let mut schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    close(&mut schema);
    jsonschema::validator_for(&schema).unwrap()
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.contains_key("properties") {
                members.entry("additionalProperties").or_insert(false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[test]
fn the_document_is_as_its_schema_says() {
    let folder = folder();
    ok(&folder, "gw.cdx.json gw.csv --key acme.pem -o out.jsonl");
    ok(&folder, "gw.csv --redact --key acme.pem -o redacted.jsonl");
    ok(&folder, "gw.cdx.json --sign-inside --key acme.pem -o signed.cdx.json");
    let words = [
        "--verify out.jsonl --public-key acme.pub.pem gw.cdx.json signed.cdx.json",
        "--verify redacted.jsonl --public-key acme.pub.pem",
        "--verify signed.cdx.json",
        "--verify gw.cdx.json",
    ];
    let schema = schema();
    for words in words {
        let document = attest(&folder, &format!("{words} --format json")).json();
        let wrong: Vec<String> = schema.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{words}: {}", wrong.join("\n"));
        let mut broken = document;
        broken["verified"] = "perhaps".into();
        assert!(!schema.is_valid(&broken));
    }
}
