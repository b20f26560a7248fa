//! `policy risk` and `policy bids`, through the real binary.

use serde_json::Value;

use super::docs::Schema;
use super::{Folder, Ran, run};

const EC25: &str = "Reference,Value,Qty,Manufacturer,MPN\nU3,EC25-E,1,Quectel,EC25EFA-512-STD\n";
const HL: &str = "Reference,Value,Qty,Manufacturer,MPN\nU1,HL7800,1,Sierra Wireless,HL7800\n";
const HIDDEN: &str = "Reference,Value,Qty,Manufacturer\nA1,Boron BRN404X,1,Particle\nR1,10k,1,Yageo\n";

/// What an operator says of two countries, the same of both.
const OWN: &str = "title = \"our weights\"\n\
    [[country]]\ncode = \"CN\"\nhostility = 2\nintention = 1\ncapability = 3\nbecause = \"board, 2026-10-01\"\n\
    [[country]]\ncode = \"CA\"\nhostility = 2\nintention = 1\ncapability = 3\nbecause = \"board, 2026-10-01\"\n";

fn policy(folder: &Folder, words: &[&str]) -> Ran {
    run(folder, ["policy"].iter().chain(words).chain(&["--as-of", "2026-11-25"]))
}

/// The document, held to its schema.
fn json(folder: &Folder, schema: &str, words: &[&str]) -> (i32, Value) {
    let ran = policy(folder, &[words, &["--format", "json"]].concat());
    let answer = ran.json();
    let wrong = Schema::load(schema).wrong(&answer);
    assert!(wrong.is_empty(), "{words:?}\n{}", wrong.join("\n"));
    (ran.code, answer)
}

fn subject<'a>(answer: &'a Value, id: &str) -> &'a Value {
    answer["subjects"].as_array().unwrap().iter().find(|s| s["id"] == id).unwrap_or_else(|| panic!("{id}: {answer:#}"))
}

fn axis<'a>(subject: &'a Value, name: &str) -> &'a Value {
    subject["axes"].as_array().unwrap().iter().find(|a| a["axis"] == name).unwrap()
}

fn boards() -> Folder {
    let folder = Folder::new();
    folder.write("b/cn.csv", EC25);
    folder.write("b/ca.csv", HL);
    folder.write("b/hidden.csv", HIDDEN);
    folder.write("b/clean.csv", "Reference,Value,Qty,Manufacturer\nR1,10k,1,Yageo\n");
    folder.write("own.toml", OWN);
    folder
}

#[test]
fn four_axes_with_every_term_and_every_weight() {
    let folder = boards();
    let (code, answer) = json(&folder, "risk", &["risk", "b", "--risk", "own.toml", "--say", "camera=yes"]);
    assert_eq!((code, answer["weights"]["title"].as_str()), (0, Some("our weights")));
    assert_eq!(answer["weights"]["texts"].as_array().unwrap().len(), 2);
    let weight = |axis: &str, term: &str| {
        let list = answer["weights"]["terms"].as_array().unwrap();
        list.iter().find(|t| t["axis"] == axis && t["term"] == term).and_then(|t| t["weight"].as_u64())
    };
    for subject in answer["subjects"].as_array().unwrap() {
        for axis in subject["axes"].as_array().unwrap() {
            let (name, terms) = (axis["axis"].as_str().unwrap(), axis["terms"].as_array().unwrap());
            let sum: u64 = terms.iter().map(|t| t["weight"].as_u64().unwrap()).sum();
            assert!(axis["score"].is_null() || axis["score"] == sum.min(100), "{axis:#}");
            // Every term is printed among the weights: with them the score can be worked out again.
            for term in terms {
                let printed = weight(name, term["term"].as_str().unwrap()).unwrap();
                assert!(term["weight"] == printed || name == "jurisdiction", "{term:#}");
            }
        }
    }
    for (id, country) in [("b/cn.csv", "CN"), ("b/ca.csv", "CA")] {
        let subject = subject(&answer, id);
        assert_eq!(axis(subject, "jurisdiction")["score"], 2 * 8 + 6 + 3 * 6);
        let reached = subject["jurisdictions"].as_array().unwrap();
        let own = reached.iter().find(|r| r["country"] == country).unwrap();
        assert!(own["points"] == 40 && !own["laws"].as_array().unwrap().is_empty(), "{own:#}");
    }
    let hidden = subject(&answer, "b/hidden.csv");
    assert_eq!(axis(hidden, "hardware-integrity")["terms"][0]["term"], "undisclosed-modem");
    assert_eq!(axis(hidden, "privacy-exposure")["score"], 30);
    let clean = subject(&answer, "b/clean.csv");
    assert!(axis(clean, "transparency")["score"].is_null() && axis(clean, "hardware-integrity")["score"].is_null());
    // The table and the lines say the same.
    let table = policy(&folder, &["risk", "b", "--risk", "own.toml"]).out;
    for text in [
        "never added up",
        "undisclosed-modem 50",
        "hostility 2, intention 1, capability 3 of 5; board",
        "Law of CN (40 as the operator says)",
    ] {
        assert!(table.contains(text), "{text}\n{table}");
    }
    let csv = policy(&folder, &["risk", "b", "--risk", "own.toml", "--format", "csv"]).out;
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(rows.headers().unwrap().get(8), Some("jurisdiction"));
    let scores: Vec<(String, String)> = rows.records().map(Result::unwrap).map(|r| (r[1].to_owned(), r[8].to_owned())).collect();
    assert!(scores.contains(&("b/cn.csv".into(), "40".into())) && scores.contains(&("b/clean.csv".into(), String::new())), "{csv}");
}

#[test]
fn without_a_word_of_the_operator_no_country_has_a_score() {
    let folder = boards();
    let (_, answer) = json(&folder, "risk", &["risk", "b"]);
    assert_eq!(answer["weights"]["countries"], Value::Array(vec![]));
    for subject in answer["subjects"].as_array().unwrap() {
        assert!(axis(subject, "jurisdiction")["score"].is_null(), "{subject:#}");
    }
    let open = axis(subject(&answer, "b/cn.csv"), "jurisdiction")["open"].to_string();
    assert!(open.contains("CN: the operator has set nothing"), "{open}");
}

#[test]
fn criticality_moves_a_subject_and_changes_nothing_of_it() {
    let folder = boards();
    let asset = |path: &str, word: &str| format!("[[asset]]\nmatch = {{ path = \"{path}\" }}\nfacts = {{ criticality = \"{word}\" }}\n");
    let at = |cn: &str, ca: &str| {
        folder.write("assets.toml", asset("b/cn.csv", cn) + &asset("b/ca.csv", ca) + &asset("b/hidden.csv", "low"));
        json(&folder, "risk", &["risk", "b", "--risk", "own.toml", "--assets", "assets.toml"]).1
    };
    let (one, other) = (at("high", "medium"), at("medium", "high"));
    let first = |answer: &Value| answer["subjects"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!((first(&one), first(&other)), ("b/cn.csv".into(), "b/ca.csv".into()));
    assert_eq!(one["subjects"][0]["ranked_by"][0], "criticality high");
    for id in ["b/cn.csv", "b/ca.csv", "b/hidden.csv", "b/clean.csv"] {
        for part in ["axes", "jurisdictions", "modules"] {
            assert_eq!(subject(&one, id)[part], subject(&other, id)[part], "{id}");
        }
    }
}

#[test]
fn a_mistake_in_the_weights_is_underlined() {
    let folder = boards();
    for (text, place, said) in [
        ("[transparency]\nmakr-unknown = 5\n", "own.toml:2:1: ", "`makr-unknown` is no term of transparency"),
        ("[[country]]\ncode = \"CN\"\nhostility = 9\nintention = 1\ncapability = 1\nbecause = \"x\"\n", "own.toml:3:13: ", "say 0 to 5"),
    ] {
        folder.write("own.toml", text);
        let ran = policy(&folder, &["risk", "b", "--risk", "own.toml"]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert!(ran.err.contains(place) && ran.err.contains(said) && ran.err.contains(" ^"), "{}", ran.err);
    }
    assert_eq!(policy(&folder, &["risk", "b", "--risk", "missing.toml"]).code, 2);
    assert_eq!(policy(&folder, &["risk", "b", "--format", "sarif"]).code, 2);
}

#[test]
fn devices_of_evidence_are_weighed_by_what_their_witnesses_say() {
    let folder = Folder::new();
    let number = super::imei("86769804", 1);
    folder.write("gw/at.txt", super::at_session(&number));
    folder.write("reg.csv", "asset id,manufacturer,model\nP-1,Acme,Pump\n");
    let at = |paths: &[&str]| {
        let (_, answer) = json(&folder, "risk", &[&["risk"], paths].concat());
        let subjects = answer["subjects"].as_array().unwrap().clone();
        assert!(subjects.iter().all(|s| s["kind"] == "device"), "{answer:#}");
        subjects
    };
    let score = |s: &Value| axis(s, "hardware-integrity")["score"].clone();
    let alone = at(&["gw", "reg.csv"]);
    assert_eq!(alone.len(), 2);
    assert!(alone.iter().all(|s| score(s).is_null()), "{alone:#?}");
    let pump = alone.iter().find(|s| s["modules"] == Value::Array(vec![])).unwrap();
    assert!(pump["axes"].as_array().unwrap().iter().all(|a| a["score"].is_null()), "{pump:#}");
    // The SIM platform saw the same number: a second witness, and no contradiction.
    folder.write("sims.csv", super::sims(&[&number]));
    assert_eq!(at(&["gw", "sims.csv"]).iter().map(score).collect::<Vec<_>>(), [Value::from(0)]);
    // One number in two things is a contradiction whoever made them.
    folder.write("two.csv", format!("asset id,imei,notes\nA,{number},Quectel EG25-G\nB,{number},Quectel EG25-G\n"));
    let cloned = at(&["two.csv"]);
    assert!(cloned.iter().all(|s| score(s) == 50 && axis(s, "hardware-integrity")["terms"][0]["term"] == "cloned-imei"), "{cloned:#?}");
}
