//! `knowledge bundle`, `verify`, `import`: signed tables and packs, taken once, never back.

use std::fs;

use super::docs::root;
use super::{Folder, LSUSB, Ran, run};

fn knowledge(folder: &Folder, words: &[&str]) -> Ran {
    run(folder, ["knowledge"].iter().chain(words).copied())
}

/// A folder with two keys and the shipped listings.
fn prepared() -> Folder {
    let folder = Folder::new();
    for key in ["cert", "other"] {
        assert_eq!(run(&folder, ["bom", "attest", "--generate-key", key]).code, 0);
    }
    folder.write("facts/listings.csv", fs::read(root().join("knowledge/listings.csv")).unwrap());
    folder
}

fn bundle(folder: &Folder, key: &str, serial: &str) -> String {
    let name = format!("{key}-{serial}.bundle");
    let ran = knowledge(folder, &["bundle", "facts", "--key", &format!("{key}.pem"), "--serial", serial, "-o", &name]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    name
}

/// Puts a row of a list behind the head of the table.
fn list(folder: &Folder, organisation: &str, day: &str) {
    let text = fs::read_to_string(folder.path().join("facts/listings.csv")).unwrap();
    let row = format!(
        "US-FCC-COVERED,{organisation},{organisation},{day},,a row of a test,equipment,a row of a test,in_force,https://example.org,verified,high\n"
    );
    let (head, rest) = text.split_once('\n').unwrap();
    folder.write("facts/listings.csv", format!("{head}\n{row}{rest}"));
}

#[test]
fn an_import_that_turns_a_verdict_raises_one_advisory_that_names_the_devices() {
    let folder = prepared();
    folder.write("e/GW-7/lsusb.txt", LSUSB.replace("2c7c:0125 Quectel Wireless Solutions Co., Ltd. EC25", "1bc7:1201 Telit LE910C4"));
    folder.write("e/GW-8/lsusb.txt", LSUSB);
    let audit = run(&folder, ["audit", "e", "--format", "json"]).json();
    let id = |model: &str| {
        let has = |d: &&serde_json::Value| d["modules"][0]["maker"] == model;
        audit["devices"].as_array().unwrap().iter().find(has).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let ids = ["Telit", "Quectel"].map(id);
    let same = knowledge(&folder, &["import", &bundle(&folder, "cert", "1"), "--public-key", "cert.pub.pem"]);
    assert!(same.code == 0 && same.out.contains("no verdict about the last audit changes"), "{}{}", same.out, same.err);
    let version = |ran: &Ran| ran.json()["knowledge"]["version"].as_str().unwrap().to_owned();
    let before = version(&run(&folder, ["policy", "check", "--format", "json"]));
    list(&folder, "telit", "2026-10-01");
    let turned = knowledge(&folder, &["import", &bundle(&folder, "cert", "2")]);
    assert_eq!(turned.code, 0, "{}", turned.err);
    assert_eq!(turned.out.matches("Advisory:").count(), 1, "{}", turned.out);
    assert!(turned.out.contains(&ids[0]) && !turned.out.contains(&ids[1]), "{}", turned.out);
    assert!(turned.out.contains("US-FCC-COVERED-HOST"), "{}", turned.out);
    // What is judged from now on is judged by it.
    assert_ne!(before, version(&run(&folder, ["policy", "check", "--format", "json"])));
    let listed = run(&folder, ["lookup", "Telit"]);
    assert!(listed.out.contains("US-FCC-COVERED since 2026-10-01"), "{}", listed.out);
}

#[test]
fn only_trusted_keys_and_higher_serials_are_taken() {
    let folder = prepared();
    let (first, second, foreign) = (bundle(&folder, "cert", "1"), bundle(&folder, "cert", "2"), bundle(&folder, "other", "9"));
    let none = knowledge(&folder, &["import", &first]);
    assert!(none.code == 2 && none.err.contains("no key is trusted yet"), "{}", none.err);
    assert_eq!(knowledge(&folder, &["verify", &first, "--public-key", "cert.pub.pem"]).code, 0);
    assert_eq!(knowledge(&folder, &["import", &second, "--public-key", "cert.pub.pem"]).code, 0);
    let again = knowledge(&folder, &["import", &second]);
    assert!(again.code == 0 && again.out.contains("in use already"));
    let back = knowledge(&folder, &["import", &first]);
    assert!(back.code == 4 && back.err.contains("takes no step back"), "{}", back.err);
    let other = knowledge(&folder, &["import", &foreign]);
    assert!(other.code == 4 && other.err.contains("unknown key"), "{}", other.err);
    let kept = fs::read_to_string(folder.path().join("home/knowledge/bundle.json")).unwrap();
    assert!(kept.contains("\"serial\":2"), "{kept}");
}

#[test]
fn a_bundle_with_one_changed_byte_is_refused() {
    let folder = prepared();
    let text = fs::read(folder.path().join(bundle(&folder, "cert", "1"))).unwrap();
    for at in (0..text.len()).step_by(text.len() / 40) {
        let mut bytes = text.clone();
        bytes[at] ^= 1;
        folder.write("changed.bundle", bytes);
        let ran = knowledge(&folder, &["import", "changed.bundle", "--public-key", "cert.pub.pem"]);
        assert_eq!(ran.code, 4, "byte {at}: {}{}", ran.out, ran.err);
        assert!(!folder.path().join("home/knowledge/bundle.json").exists());
    }
}

#[test]
fn broken_tables_and_packs_against_their_cases_are_not_signed() {
    let folder = prepared();
    list(&folder, "nobody-of-that-id", "2026-10-01");
    let ran = knowledge(&folder, &["bundle", "facts", "--key", "cert.pem", "--serial", "1"]);
    assert!(ran.code == 2 && ran.err.contains("listings.csv:2"), "{}", ran.err);
    let folder = prepared();
    list(&folder, "quectel", "2022-01-01");
    let ran = knowledge(&folder, &["bundle", "facts", "--key", "cert.pem", "--serial", "1"]);
    assert!(ran.code == 2 && ran.err.contains("/cases.toml"), "{}", ran.err);
    let folder = Folder::new();
    fs::create_dir(folder.path().join("facts")).unwrap();
    run(&folder, ["bom", "attest", "--generate-key", "cert"]);
    let ran = knowledge(&folder, &["bundle", "facts", "--key", "cert.pem", "--serial", "1"]);
    assert!(ran.code == 2 && ran.err.contains("no tables and no packs"), "{}", ran.err);
}

#[test]
fn a_bundle_brings_packs() {
    let folder = prepared();
    for file in ["pack.toml", "cases.toml"] {
        let text = fs::read_to_string(root().join("policies/house-port").join(file)).unwrap();
        folder.write(&format!("facts/policies/our-port/{file}"), text.replace("id = \"house-port\"", "id = \"our-port\""));
    }
    let taken = knowledge(&folder, &["import", &bundle(&folder, "cert", "1"), "--public-key", "cert.pub.pem"]);
    assert_eq!(taken.code, 0, "{}", taken.err);
    let listed = run(&folder, ["policy", "list"]);
    assert!(listed.out.contains("our-port"), "{}", listed.out);
    assert_eq!(run(&folder, ["policy", "test", "our-port"]).code, 0);
}

#[test]
fn a_bundle_that_was_touched_on_the_disk_is_not_used() {
    let folder = prepared();
    let file = bundle(&folder, "cert", "1");
    assert_eq!(knowledge(&folder, &["import", &file, "--public-key", "cert.pub.pem"]).code, 0);
    let bundles = folder.path().join("home/knowledge/bundles");
    let own = fs::read_dir(&bundles).unwrap().next().unwrap().unwrap().path();
    let table = fs::read_to_string(own.join("listings.csv")).unwrap();
    fs::write(own.join("listings.csv"), table.replacen("quectel", "telit", 1)).unwrap();
    let ran = run(&folder, ["lookup", "Quectel"]);
    assert!(ran.code == 4 && ran.err.contains("not what bundle 1 brought"), "{} {}", ran.code, ran.err);
    assert_eq!(run(&folder, ["doctor"]).code, 1);
    // The same bundle once more mends it.
    assert_eq!(knowledge(&folder, &["import", &file]).code, 0);
    assert_eq!(run(&folder, ["lookup", "Quectel"]).code, 0);
}
