//! Reports for regulators, tenders and suppliers: as their schema says, nothing stated without its basis, no refusal
//! without a ground.

use serde_json::Value;

use super::docs::Schema;
use super::{Folder, Ran, run};

const REPORTS: [&str; 8] = [
    "fcc-conditional-approval",
    "fcc-attestation",
    "bis-declaration",
    "s889-representation",
    "lsipa-attestation",
    "tender-clause",
    "bid-refusal",
    "supplier-letter",
];

/// A vehicle of model year 2030 on the market of the United States.
const VEHICLE: &str =
    "--policy us-bis-cv --market US --say asset=vehicle --say vehicle_connectivity=yes --say mhz=1800 --say model_year=2030";

fn folder() -> Folder {
    let folder = Folder::new();
    folder
        .write("named.csv", "Reference,Value,Manufacturer,MPN,Country of Origin\nU1,MH5000-31,Huawei,MH5000-31,CN\nR1,10k,Yageo,RC0402,\n");
    folder.write("other.csv", "Reference,Value,Manufacturer,MPN\nU1,EC25-E,Quectel,EC25EFA-512-STD\nR1,10k,Yageo,RC0402\n");
    folder.write("western.csv", "Reference,Value,Manufacturer,MPN\nU1,SARA-R410M,u-blox,SARA-R410M-02B\n");
    folder
}

fn report(folder: &Folder, words: &str) -> Ran {
    run(folder, ["report", "--as-of", "2026-11-25"].into_iter().chain(words.split_whitespace()))
}

fn json(folder: &Folder, words: &str) -> Value {
    let ran = report(folder, &format!("{words} --format json"));
    assert_eq!(ran.code, 0, "{words}: {}", ran.err);
    let document = ran.json();
    let wrong = Schema::load("report").wrong(&document);
    assert!(wrong.is_empty(), "{words}:\n{}", wrong.join("\n"));
    document
}

fn rows<'a>(document: &'a Value, section: &str) -> &'a Vec<Value> {
    let sections = document["sections"].as_array().unwrap();
    sections.iter().find(|s| s["id"] == section).unwrap_or_else(|| panic!("no section {section}"))["rows"].as_array().unwrap()
}

#[test]
fn every_report_is_as_its_schema_says_in_every_form() {
    let folder = folder();
    for id in REPORTS {
        let words = if id == "bid-refusal" { format!("{id} other.csv {VEHICLE}") } else { format!("{id} named.csv --market US") };
        let document = json(&folder, &words);
        let supply = document["to_supply"].as_array().unwrap();
        let open = document["sections"].as_array().unwrap().iter().flat_map(|s| s["rows"].as_array().unwrap());
        let open = open.filter(|r| r["state"] == "to-be-supplied").count();
        assert!(open == 0 || !supply.is_empty(), "{id}");
        // Each name it asks for can be set, and then it asks no more.
        let set: Vec<String> = supply.iter().map(|n| format!("--set {}=2030", n.as_str().unwrap())).collect();
        let whole = json(&folder, &format!("{words} {}", set.join(" ")));
        assert_eq!(whole["to_supply"], serde_json::json!([]), "{id}");
        assert!(!whole.to_string().contains("to be supplied") && !whole.to_string().contains("to-be-supplied"), "{id}");
        let text = report(&folder, &words).out;
        assert!(text.starts_with("# ") && text.contains("sources to") && text.contains("Unverified"), "{id}:\n{text}");
        let page = report(&folder, &format!("{words} --format html")).out;
        assert!(page.starts_with("<!doctype html>") && !page.contains("<script"), "{id}");
    }
    // A document that lacks a section is not as the schema says.
    let mut broken = json(&folder, "fcc-attestation other.csv");
    broken["sections"].as_array_mut().unwrap().remove(2);
    assert!(!Schema::load("report").wrong(&broken).is_empty());
    let mut bare = json(&folder, "tender-clause");
    bare["sections"][1]["rows"][0]["basis"] = Value::Null;
    assert!(!Schema::load("report").wrong(&bare).is_empty());
}

#[test]
fn a_refusal_cites_what_fails_and_nothing_else() {
    let folder = folder();
    let document = json(&folder, &format!("bid-refusal other.csv {VEHICLE} --set bidder=Acme"));
    assert_eq!(document["report"]["addressed"], "Acme");
    let grounds = rows(&document, "grounds");
    assert!(!grounds.is_empty());
    for row in grounds {
        assert!(row["what"].as_str().unwrap().starts_with("fail: "), "{row}");
        assert!(!row["cite"].as_str().unwrap().is_empty() && !row["because"].as_array().unwrap().is_empty(), "{row}");
        assert_eq!(row["verified"], true, "{row}");
    }
    for row in rows(&document, "open").iter().filter(|r| !r["cite"].is_null()) {
        assert!(!row["what"].as_str().unwrap().starts_with("fail"), "{row}");
    }
    assert!(rows(&document, "remedies").iter().all(|r| !r["what"].as_str().unwrap().is_empty()));
    // Nothing fails: no letter, whoever the maker.
    for words in ["other.csv --market US --policy us-fcc-covered".to_owned(), format!("western.csv {VEHICLE}")] {
        let ran = report(&folder, &format!("bid-refusal {words}"));
        assert!(ran.code == 2 && ran.err.contains("no rule fails") && ran.out.is_empty(), "{}{}", ran.out, ran.err);
    }
    let assumed = ["report", "bid-refusal", "other.csv", "--as-of", "2027-01-01", "--assume", "quectel listed US-FCC-COVERED 2027-01-01"];
    let ran = run(&folder, assumed);
    assert!(ran.code == 2 && ran.err.contains("--assume"), "{}", ran.err);
}

#[test]
fn what_is_not_known_stays_unknown() {
    let folder = folder();
    let document = json(&folder, "fcc-conditional-approval named.csv");
    let components = rows(&document, "components");
    assert!(components[0]["what"].as_str().unwrap().ends_with("country of origin CN"));
    assert_eq!((&components[0]["state"], &components[0]["basis"]), (&"stated".into(), &"declared".into()));
    assert!(components[1]["what"].as_str().unwrap().ends_with("country of origin unknown"));
    assert_eq!(components[1]["state"], "unknown");
    let gaps = json(&folder, "supplier-letter western.csv");
    let gaps = rows(&gaps, "gaps");
    assert!(gaps.iter().any(|g| g["what"] == "memory: not named") && gaps.iter().all(|g| g["state"] == "unknown"), "{gaps:?}");
    // The same sections for every maker.
    let ids = |file: &str| {
        let document = json(&folder, &format!("s889-representation {file}"));
        document["sections"].as_array().unwrap().iter().map(|s| s["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids("named.csv"), ids("western.csv"));
    // The representation itself is the offeror's to make.
    let document = json(&folder, "s889-representation named.csv");
    assert!(rows(&document, "statements").iter().all(|r| r["state"] == "to-be-supplied"));
    assert!(rows(&document, "verdicts").iter().any(|r| r["what"].as_str().unwrap().contains("US-NDAA-889-A)")));
}

#[test]
fn the_model_year_is_a_fact_of_the_deal() {
    let folder = folder();
    let of = |year: &str| {
        let document = json(&folder, &format!("bis-declaration other.csv --set model_year={year} --say mhz=1800"));
        assert_eq!(document["facts"]["model_year"], year);
        assert!(document["report"]["title"].as_str().unwrap().ends_with(year));
        rows(&document, "verdicts").iter().map(|r| r["what"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(of("2030").iter().any(|w| w.contains("US-BIS-CV-HW)")));
    assert_ne!(of("2030"), of("2026"));
}

#[test]
fn mistakes_are_said() {
    let folder = folder();
    for (words, why) in [
        ("no-such-report other.csv", "is no report"),
        ("fcc-attestation", "no bill of materials"),
        ("fcc-attestation other.csv --set nonsense=1", "does not ask for it"),
        ("fcc-attestation other.csv --set agent", "write NAME=VALUE"),
        ("fcc-attestation missing.csv", "missing.csv"),
        ("fcc-attestation other.csv --format csv", "has no format"),
    ] {
        let ran = report(&folder, words);
        assert!(ran.code == 2 && ran.err.contains(why), "{words}: {} {}", ran.code, ran.err);
    }
}
