//! The sourcing label: what it says and leaves open, its code read back, its signature verified and broken.

use std::fs;

use serde_json::Value;

use super::docs::Schema;
use super::{Folder, Ran, run};

const STATEMENT: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,
 "metadata":{"component":{"type":"device","name":"Gateway <FG-200>","version":"C","manufacturer":{"name":"Acme Instruments"}},
  "properties":[{"name":"cdx:lifecycle:milestone:endOfSupport","value":"2031-06-30"}]},
 "components":[{"type":"device","bom-ref":"u2","name":"EC25-E","manufacturer":{"name":"Quectel"}}]}
"#;
const HIDDEN: &str = "Reference,Value,Qty,Manufacturer\nA1,Boron BRN404X,1,Particle\nR1,10k,1,Yageo\n";
const WESTERN: &str = "Reference,Value,Qty,Manufacturer\nU1,SARA-R410M,1,u-blox\nR1,10k,1,Yageo\n";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("gw.cdx.json", STATEMENT);
    folder.write("hidden.csv", HIDDEN);
    folder.write("western.csv", WESTERN);
    folder.write("clean.csv", "Reference,Value,Qty,Manufacturer\nR1,10k,1,Yageo\n");
    assert_eq!(run(&folder, ["bom", "attest", "--generate-key", "acme"]).code, 0);
    folder
}

fn label(folder: &Folder, words: &str) -> Ran {
    run(folder, ["bom", "label", "--as-of", "2026-11-25"].into_iter().chain(words.split_whitespace()))
}

fn json(folder: &Folder, words: &str) -> Value {
    let ran = label(folder, &format!("{words} --format json"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let document = ran.json();
    let wrong = Schema::load("label").wrong(&document);
    assert!(wrong.is_empty(), "{words}:\n{}", wrong.join("\n"));
    document
}

/// The code of a card, drawn from the picture's path and read by another program than the one that made it.
fn scanned(svg: &str) -> String {
    let code = svg.split("<svg class=\"code\"").nth(1).unwrap();
    let side: usize = code.split("viewBox=\"0 0 ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let path = code.split("fill=\"#000\" d=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut dark = vec![false; side * side];
    for run in path.split('M').filter(|r| !r.is_empty()) {
        let (at, rest) = run.split_once('h').unwrap();
        let (x, y) = at.split_once(' ').unwrap();
        let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
        let length: usize = rest.split('v').next().unwrap().parse().unwrap();
        (x..x + length).for_each(|x| dark[y * side + x] = true);
    }
    const SCALE: usize = 6;
    let pixel = |x: usize, y: usize| if dark[y / SCALE * side + x / SCALE] { 0 } else { 255 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side * SCALE, side * SCALE, pixel);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

#[test]
fn it_says_what_is_declared_and_what_nobody_has_said() {
    let folder = folder();
    let document = json(&folder, "gw.cdx.json");
    let label = &document["labels"][0]["label"];
    assert_eq!(label["product"]["name"], "Gateway <FG-200>");
    assert_eq!(label["product"]["brand"]["name"], "Acme Instruments");
    assert_eq!(label["state"], "found");
    assert_eq!(label["support_end"]["value"], "2031-06-30");
    assert_eq!(label["support_end"]["basis"], "declared");
    let module = &label["modules"][0];
    assert_eq!(module["name"], "Quectel EC25-E");
    assert_eq!(module["tiers"][2]["jurisdictions"], serde_json::json!(["CN"]));
    assert_eq!(module["updates"]["signer"]["value"], Value::Null);
    assert_eq!(module["updates"]["served_from"][0]["verified"], false);
    assert_eq!(label["depth"]["of"], 6);
    assert!(label["depth"]["gaps"].as_array().unwrap().contains(&"firmware".into()));
    assert_eq!(label["depth"]["worst_known"]["tier"], "chipset");
    // Of ten capabilities most are none that a label of sourcing says anything about.
    let says = label["capabilities"].as_array().unwrap();
    assert_eq!((says.len(), says.iter().filter(|c| c["says"].is_null()).count()), (10, 6));
    // The digest is of the document as it came.
    assert_eq!(label["documents"][0]["sha256"], document["inputs"][0]["sha256"]);
    let said = json(&folder, "gw.cdx.json --support-end 2030-01-01");
    let end = &said["labels"][0]["label"]["support_end"];
    assert_eq!(end["value"], "2030-01-01");
    assert!(end["source"].as_str().unwrap().contains("2031-06-30"), "{end}");
}

#[test]
fn hidden_and_absent_modules_have_the_same_sections_and_so_has_every_maker() {
    let folder = folder();
    let document = json(&folder, "clean.csv gw.cdx.json hidden.csv western.csv");
    let labels = document["labels"].as_array().unwrap();
    let states: Vec<&str> = labels.iter().map(|l| l["label"]["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["clean-as-declared", "found", "undisclosed", "found"]);
    let members = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(labels.iter().all(|l| members(&l["label"]) == members(&labels[0]["label"])));
    let tiers = |l: &Value| l["label"]["modules"][0]["tiers"].as_array().unwrap().iter().map(|t| t["tier"].clone()).collect::<Vec<_>>();
    assert_eq!(tiers(&labels[1]), tiers(&labels[3]));
    assert_eq!(labels[2]["label"]["modules"][0]["named"], false);
    assert_eq!(labels[2]["label"]["support_end"]["value"], Value::Null);
    let text = label(&folder, "hidden.csv").out;
    assert!(text.contains("undisclosed") && text.contains("Support until     unknown (nobody has said)"), "{text}");
    // A gate where it is asked for one.
    assert_eq!(label(&folder, "hidden.csv --fail-on undisclosed").code, 3);
    assert_eq!(label(&folder, "hidden.csv").code, 0);
}

#[test]
fn the_code_on_the_card_is_the_digest_of_the_machine_label() {
    let folder = folder();
    let card = json(&folder, "gw.cdx.json")["labels"][0]["card"].as_str().unwrap().to_owned();
    let svg = label(&folder, "gw.cdx.json --format svg");
    assert!(svg.out.starts_with("<svg xmlns") && svg.out.contains("width=\"148mm\" height=\"105mm\""));
    assert!(svg.out.contains("Gateway &lt;FG-200&gt;") && !svg.out.contains("<FG-200>"));
    assert_eq!(scanned(&svg.out), card);
    let page = label(&folder, "gw.cdx.json --format html").out;
    assert_eq!(scanned(&page), card);
    assert!(page.contains("@page{size:148mm 105mm") && !page.contains("<script"));
    // Another bill of materials, another day or another word: another code.
    for other in ["western.csv", "gw.cdx.json --support-end 2030-01-01"] {
        assert_ne!(scanned(&label(&folder, &format!("{other} --format svg")).out), card);
    }
    // Four products, four cards in one picture.
    let four = label(&folder, "clean.csv gw.cdx.json hidden.csv western.csv --format svg").out;
    assert_eq!(four.matches("class=\"code\"").count(), 4);
    // The code against the machine label, signed or not.
    assert_eq!(label(&folder, "gw.cdx.json --format json -o gw.json").code, 0);
    assert_eq!(label(&folder, "gw.cdx.json --key acme.pem -o gw.jsonl").code, 0);
    for file in ["gw.json", "gw.jsonl"] {
        let ran = label(&folder, &format!("--card {card} {file}"));
        assert!(ran.code == 0 && ran.out.contains("Gateway <FG-200> as of 2026-11-25: found"), "{}{}", ran.out, ran.err);
    }
    let text = fs::read_to_string(folder.path().join("gw.json")).unwrap();
    folder.write("changed.json", text.replace("2031-06-30", "2039-06-30"));
    let ran = label(&folder, &format!("--card {card} changed.json"));
    assert!(ran.code == 4 && ran.out.contains("none of 1 labels"), "{}{}", ran.out, ran.err);
    assert_eq!(label(&folder, "--card https://example.com gw.json").code, 2);
}

#[test]
fn a_signed_label_is_verified_offline_and_a_change_is_found() {
    let folder = folder();
    let signed = label(&folder, "gw.cdx.json western.csv --key acme.pem -o labels.jsonl");
    assert_eq!(signed.code, 0, "{}", signed.err);
    let again = label(&folder, "gw.cdx.json western.csv --key acme.pem");
    let text = fs::read_to_string(folder.path().join("labels.jsonl")).unwrap();
    assert_eq!(again.out, text, "the same inputs give the same bytes");
    assert_eq!(text.lines().count(), 2);
    let verify = "--verify labels.jsonl --public-key acme.pub.pem gw.cdx.json western.csv";
    let ran = label(&folder, verify);
    assert!(ran.code == 0 && ran.out.contains("urn:umbilical:label:1, found"), "{}{}", ran.out, ran.err);
    let by = run(&folder, ["bom", "attest"].into_iter().chain(verify.split(' ')));
    assert_eq!((by.code, by.out), (0, label(&folder, verify).out));
    folder.write("western.csv", WESTERN.replace("R410M", "R422"));
    let ran = label(&folder, verify);
    assert!(ran.code == 4 && ran.out.contains("western.csv was changed"), "{}", ran.out);
    let at = text.find("\"payload\":\"").unwrap() + 200;
    let mut bytes = text.clone().into_bytes();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    folder.write("labels.jsonl", bytes);
    assert_eq!(label(&folder, "--verify labels.jsonl --public-key acme.pub.pem").code, 4);
    let ran = label(&folder, "gw.cdx.json --key acme.pem --format svg");
    assert!(ran.code == 2 && ran.err.contains("no place on a card"), "{}", ran.err);
    assert_eq!(label(&folder, "").code, 2);
}
