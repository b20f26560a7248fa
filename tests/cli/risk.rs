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

/// Two rules of a house: one on a country, one on a site, each with a weight and a surcharge.
const TENDER: &str = r#"id = "tender"
title = "Tender"
jurisdiction = "any"
version = "1"
sources_to = "2026-11-01"
standing = "house"
[[rule]]
id = "TENDER-ORIGIN"
title = "Origin"
cite = "rule 1"
source = "tender"
status = "verified"
effect = "buy"
tier = ["host"]
binds = "bidders"
remedies = ["none"]
surcharge_percent = 12.5
bid_weight = 30
[[rule.subject]]
jurisdiction = ["CN"]
[[rule]]
id = "TENDER-SITE"
title = "Site"
cite = "rule 2"
source = "tender"
status = "verified"
effect = "buy"
tier = ["host"]
binds = "bidders"
scope = { site = "quay" }
remedies = ["none"]
surcharge_percent = 5
bid_weight = 10
"#;

fn tender() -> Folder {
    let folder = Folder::new();
    folder.write("tender/pack.toml", TENDER);
    folder.write("cheap/gw.csv", EC25);
    folder.write("cheaper/gw.csv", EC25);
    folder.write("dear/gw.csv", HL);
    folder
}

fn prices(folder: &Folder, rows: &[(&str, &str)]) {
    let asset = |(path, facts): &(&str, &str)| format!("[[asset]]\nmatch = {{ path = \"{path}*\" }}\nfacts = {{ {facts} }}\n");
    folder.write("prices.toml", rows.iter().map(asset).collect::<String>());
}

const BIDS: [&str; 8] = ["bids", "cheap", "cheaper/", "dear", "--policy", "tender", "--assets", "prices.toml"];

fn order(answer: &Value) -> Vec<(&str, u64, &str, u64)> {
    let bids = answer["bids"].as_array().unwrap().iter();
    bids.map(|b| {
        (b["path"].as_str().unwrap(), b["place"].as_u64().unwrap(), b["state"].as_str().unwrap(), b["bid_weight"].as_u64().unwrap())
    })
    .collect()
}

#[test]
fn price_never_outranks_a_rule_that_fails() {
    let folder = tender();
    let eur = |n: &str| format!("price = {n}, currency = \"EUR\", site = \"depot\"");
    let quay = "price = 90, currency = \"EUR\", site = \"quay\"".to_owned();
    prices(&folder, &[("cheap", &eur("100")), ("cheaper", &quay), ("dear", &eur("1000000"))]);
    let (code, answer) = json(&folder, "bids", &BIDS);
    assert_eq!(code, 0);
    // The weight of broken rules counts before the price: 30 at 112.50 stands before 40 at 105.75.
    assert_eq!(order(&answer), [("dear", 1, "pass", 0), ("cheap", 2, "fail", 30), ("cheaper", 3, "fail", 40)]);
    let (cheap, cheaper) = (&answer["bids"][1], &answer["bids"][2]);
    assert_eq!((cheap["price"]["counted"].as_f64(), cheaper["price"]["counted"].as_f64()), (Some(112.5), Some(105.75)));
    for bid in [cheap, cheaper] {
        let rules = bid["rules"].as_array().unwrap();
        let sum = |key: &str| rules.iter().map(|r| r[key].as_f64().unwrap()).sum::<f64>();
        assert_eq!(
            (Some(sum("bid_weight")), Some(sum("surcharge_percent"))),
            (bid["bid_weight"].as_f64(), bid["price"]["surcharge_percent"].as_f64())
        );
        assert!(rules.iter().all(|r| r["rule"].as_str().unwrap().starts_with("TENDER-")));
    }
    // Each bid has its own inputs.
    let inputs = answer["inputs"].as_array().unwrap();
    for bid in answer["bids"].as_array().unwrap() {
        let own = bid["inputs"].as_array().unwrap();
        let path = |i: &Value| inputs[usize::try_from(i.as_u64().unwrap()).unwrap()]["path"].as_str().unwrap().to_owned();
        assert!(!own.is_empty() && own.iter().all(|i| path(i).starts_with(bid["path"].as_str().unwrap())), "{bid:#}");
    }
    assert_eq!(policy(&folder, &[&BIDS[..], &["--fail-on", "fail"]].concat()).code, 1);
    let table = policy(&folder, &BIDS).out;
    assert!(
        table.contains("fail: TENDER-ORIGIN – Origin (rule 1): weight +30, surcharge +12.5 %") && table.contains("112.50 EUR"),
        "{table}"
    );
    let csv = policy(&folder, &[&BIDS[..], &["--format", "csv"]].concat()).out;
    assert!(csv.contains("2,cheap,fail,30,100,EUR,12.5,112.5,TENDER-ORIGIN +30 +12.5 %"), "{csv}");
}

#[test]
fn currencies_are_not_compared_and_a_waived_rule_counts_for_nothing() {
    let folder = tender();
    let said = |n: &str, currency: &str| format!("price = {n}, currency = \"{currency}\", site = \"depot\"");
    prices(&folder, &[("cheap", &said("100", "EUR")), ("cheaper", &said("1", "USD")), ("dear", "site = \"depot\"")]);
    let (_, answer) = json(&folder, "bids", &BIDS);
    assert_eq!(order(&answer), [("dear", 1, "pass", 0), ("cheap", 2, "fail", 30), ("cheaper", 2, "fail", 30)]);
    let why = |n: usize| answer["bids"][n]["not_compared"].as_str().unwrap_or_default();
    assert!(why(0).contains("no price") && why(1).contains("EUR is not held against those in USD"), "{answer:#}");
    // Accepted for one bid: its weight and surcharge go, and the price decides between what is left.
    folder.write(
        "w.toml",
        "[[waiver]]\ncode = \"TENDER-ORIGIN\"\nsubject = \"cheap/*\"\nmodule = \"Quectel EC25*\"\nreason = \"x\"\napprover = \"me\"\nexpires = \"2027-01-01\"\n",
    );
    let (_, waived) = json(&folder, "bids", &[&BIDS[..], &["--waivers", "w.toml"]].concat());
    assert_eq!(order(&waived), [("cheap", 1, "pass", 0), ("dear", 2, "pass", 0), ("cheaper", 3, "fail", 30)]);
    assert!(waived["bids"][0]["rules"][0]["waived"] == true && waived["bids"][0]["price"]["counted"] == 100.0, "{waived:#}");
}

#[test]
fn what_is_no_bid_no_price_or_no_surcharge_is_2() {
    let folder = tender();
    let refused = |words: &[&str], said: &str| {
        let ran = policy(&folder, words);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{words:?}");
        assert!(ran.err.contains(said), "{words:?}\n{}", ran.err);
    };
    let base = ["bids", "cheap", "--policy", "tender"];
    refused(&[&base[..], &["--say", "price=-1"]].concat(), "at least 0");
    refused(&[&base[..], &["--say", "price=NaN"]].concat(), "`price`");
    refused(&[&base[..], &["--say", "currency=euro"]].concat(), "three letters");
    refused(&["bids", "cheap", "cheap/", "--policy", "tender"], "named twice");
    refused(&["bids"], "PATH");
    refused(&[&base[..], &["--format", "sarif"]].concat(), "has no format");
    folder.write("tender/pack.toml", TENDER.replace("surcharge_percent = 5", "surcharge_percent = -5"));
    refused(&base, "`surcharge_percent` is 0 or more");
}

#[test]
fn a_trust_profile_is_edited_without_code() {
    let folder = Folder::new();
    let shipped = include_str!("../../policies/house-trust-profiles/pack.toml");
    folder.write("cn.csv", EC25);
    folder.write("ca.csv", HL);
    let states = |text: String, market: &str| {
        folder.write("own/pack.toml", text);
        let words = ["check", "cn.csv", "ca.csv", "--policy", "own", "--market", market, "--fail-on", ""];
        let (_, answer) = json(&folder, "policy-check", &words);
        ["cn.csv", "ca.csv"].map(|id| subject(&answer, id)["state"].as_str().unwrap().to_owned())
    };
    // The same rule for both sides; each market trusts whom it trusts.
    assert_eq!(states(shipped.to_owned(), "US"), ["fail", "pass"]);
    assert_eq!(states(shipped.replace("makers-in-cn = [\"sierra\"]", "makers-in-cn = []"), "CN"), ["pass", "fail"]);
    assert_eq!(states(shipped.replace("[\"CA\", \"GB\", \"US\"]", "[\"CN\"]"), "US"), ["pass", "fail"]);
    assert_eq!(states(shipped.replace("[\"sequans\"]", "[\"quectel\"]"), "US"), ["pass", "pass"]);
    assert_eq!(states(shipped.to_owned(), "JP"), ["not-applicable", "not-applicable"]);
    for (from, to, said) in [
        ("[\"sequans\"]", "[\"nobody\"]", "`nobody` is no country"),
        ("[\"@makers-in-us\"]", "[\"@trusted-in-us\"]", "`@trusted-in-us` is neither an organisation"),
        ("[\"@trusted-in-us\"]", "[\"@makers-in-us\"]", "`@makers-in-us` is neither a country"),
        ("of = \"module\"\noutside", "of = \"path\"\noutside", "`outside` and `unless` are about makers"),
    ] {
        folder.write("own/pack.toml", shipped.replace(from, to));
        let ran = policy(&folder, &["check", "cn.csv", "--policy", "own"]);
        assert!(ran.code == 2 && ran.err.contains(said) && ran.err.contains('^'), "{to}\n{}", ran.err);
    }
}

#[test]
fn what_is_there_is_held_against_what_was_declared() {
    let folder = Folder::new();
    folder.write("at.txt", super::at_session(&super::imei("86769804", 1)));
    folder.write("other.csv", HL);
    folder.write("same.csv", EC25.replace("EC25-E", "EG25-G").replace("EC25EFA-512-STD", "EG25GGB-128-SNNS"));
    let at = |more: &[&str]| json(&folder, "risk", &[&["risk", "at.txt"], more].concat()).1;
    let hardware = |answer: &Value| axis(&answer["subjects"][0], "hardware-integrity").clone();
    let term = |axis: &Value, name: &str| axis["terms"].as_array().unwrap().iter().any(|t| t["term"] == name);
    assert!(hardware(&at(&[]))["score"].is_null());
    let other = at(&["--declared", "other.csv"]);
    assert!(term(&hardware(&other), "substituted-module"), "{other:#}");
    let same = hardware(&at(&["--declared", "same.csv"]));
    // The same module: what is left is a receiver that the catalogue knows of and the document does not name.
    assert!(!term(&same, "substituted-module") && same["score"] == 10 && term(&same, "undeclared-radio-inferred"), "{same:#}");
    let inputs = other["inputs"].as_array().unwrap();
    assert!(inputs.iter().any(|i| i["path"] == "other.csv") && inputs.len() == 2, "{inputs:?}");
}
