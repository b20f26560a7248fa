//! `bom diff`, through the real binary: dialects, gates, formats, histories.

use serde_json::Value;

use super::docs::Schema;
use super::{Folder, Ran, run};

const DAY: &str = "2026-11-25";

fn diff(folder: &Folder, words: &[&str]) -> Ran {
    run(folder, ["bom", "diff"].iter().chain(words).chain(&["--as-of", DAY]))
}

fn json(folder: &Folder, words: &[&str]) -> Value {
    let ran = diff(folder, &[words, &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let answer = ran.json();
    let wrong = Schema::load("bom-diff").wrong(&answer);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    answer
}

fn codes(answer: &Value) -> Vec<&str> {
    answer["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect()
}

/// A list with one module and two capacitors.
fn list(maker: &str, model: &str) -> String {
    format!("Reference,Quantity,Value,Manufacturer,MPN\n\"C1, C2\",2,100n,Murata,GRM155R71C104KA88D\nU3,1,{model},{maker},{model}\n")
}

/// A drawing with one module and two capacitors.
fn drawing(model: &str) -> String {
    let symbol = |reference: &str, value: &str| {
        format!(
            "  (symbol (lib_id \"any:part\") (at 0 0 0) (unit 1)\n    (property \"Reference\" \"{reference}\" (at 0 0 0))\n    (property \"Value\" \"{value}\" (at 0 0 0)))\n"
        )
    };
    let symbols = [symbol("C1", "100n"), symbol("C2", "100n"), symbol("U3", model)].concat();
    format!("(kicad_sch (version 20230121) (generator eeschema)\n  (title_block (title \"gateway\") (date \"2025-01-15\"))\n{symbols})\n")
}

fn statement(maker: &str, model: &str) -> String {
    format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{{"timestamp":"2026-03-01T00:00:00Z","component":{{"type":"device","name":"gateway"}}}},
"components":[{{"type":"device","bom-ref":"a","name":"{model}","manufacturer":{{"name":"{maker}"}},"evidence":{{"occurrences":[{{"location":"U3"}}]}},
"properties":[{{"name":"cdx:device:location","value":"U3"}}]}},
{{"type":"device","bom-ref":"b","name":"100n","properties":[{{"name":"cdx:device:quantity","value":"2"}}]}}]}}"#
    )
}

#[test]
fn a_drawing_against_a_statement() {
    let folder = Folder::new();
    folder.write("old.kicad_sch", drawing("SIM7080G"));
    folder.write("same.cdx.json", statement("SIMCom", "SIM7080G"));
    folder.write("new.cdx.json", statement("Quectel", "BG95-M1"));
    let same = json(&folder, &["old.kicad_sch", "same.cdx.json"]);
    assert_eq!(same["steps"][0]["changes"].as_array().unwrap().len(), 0, "{}", same["steps"]);
    let answer = json(&folder, &["old.kicad_sch", "new.cdx.json"]);
    assert_eq!(codes(&answer), ["maker-change", "new-module", "removed-module"]);
    let new = answer["findings"].as_array().unwrap().iter().find(|f| f["code"] == "new-module").unwrap();
    let text = new["because"].to_string();
    assert!(text.contains("old.kicad_sch, line ") && text.contains("new.cdx.json, "), "{text}");
    assert_eq!(new["detail"]["file"], "new.cdx.json");
    assert_eq!(answer["revisions"][0]["date"], "2025-01-15");
    assert_eq!(answer["revisions"][1]["date"], "2026-03-01");
}

#[test]
fn it_is_a_gate_only_where_it_is_asked_to_be_one() {
    let folder = Folder::new();
    folder.write("old.csv", list("SIMCom", "SIM7080G"));
    folder.write("new.csv", list("Quectel", "BG95-M1"));
    let pair = ["old.csv", "new.csv"];
    let code = |more: &[&str]| diff(&folder, &[&pair, more].concat()).code;
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&["--fail-on", "new-module,origin-change"]), 1);
    assert_eq!(code(&["--fail-on", "alternates-change"]), 0);
    assert_eq!(code(&["--fail-on", "no-such-thing"]), 2);
    assert_eq!(diff(&folder, &["old.csv"]).code, 2);
    assert_eq!(diff(&folder, &["old.csv", "gone.csv"]).code, 2);
    folder.write("notes.txt", "nothing of the sort\n");
    assert_eq!(diff(&folder, &["old.csv", "notes.txt"]).code, 2, "against nothing everything would be gone");
    // What the newest revision hides is open.
    folder.write("hides.csv", "Reference,Value\nJ1,Mini PCIe slot\n");
    let hides = ["old.csv", "hides.csv", "--fail-on", "undisclosed"];
    assert_eq!(diff(&folder, &hides).code, 3);
}

#[test]
fn every_format_points_at_the_line_of_the_new_document() {
    let folder = Folder::new();
    folder.write("old.csv", list("SIMCom", "SIM7080G"));
    folder.write("new.csv", list("Quectel", "BG95-M1"));
    let out = |format: &str| {
        let ran = diff(&folder, &["old.csv", "new.csv", "--format", format, "--fail-on", "new-module"]);
        assert_eq!(ran.code, 1, "{format}: {}", ran.err);
        ran.out
    };
    assert!(out("github").contains("::error file=new.csv,line=3,title=new-module::"));
    let sarif: Value = serde_json::from_str(&out("sarif")).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let new = results.iter().find(|r| r["ruleId"] == "new-module").unwrap();
    assert_eq!(new["locations"][0]["physicalLocation"]["region"]["startLine"], 3);
    let junit = out("junit");
    assert!(junit.contains("failures=\"1\"") && junit.contains("type=\"new-module\"") && junit.contains("line=\"3\""), "{junit}");
    let csv = out("csv");
    assert!(csv.starts_with("from,to,change,kind,") && csv.lines().any(|l| l.contains("U3,maker,SIMCom,Quectel")), "{csv}");
    let table = out("table");
    for part in ["2 revisions", "model: SIM7080G → BG95-M1", "line 3 → line 3", "As it was: 1 line"] {
        assert!(table.contains(part), "{part}\n{table}");
    }
}

#[test]
fn a_history_is_dated_by_flag_and_ordered_by_it() {
    let folder = Folder::new();
    for (name, maker, model) in [("r1.csv", "u-blox", "SARA-U260"), ("r2.csv", "Quectel", "BG95-M1"), ("r3.csv", "SIMCom", "SIM7080G")] {
        folder.write(name, list(maker, model));
    }
    let words =
        ["r3.csv", "r1.csv", "r2.csv", "--dated", "r1.csv=2024-03-01", "--dated", "r2.csv=2025-01-15", "--dated", "r3.csv=2026-06-30"];
    let answer = json(&folder, &words);
    assert_eq!(answer["ordered_by"], "dates");
    let spans = answer["history"][0]["spans"].as_array().unwrap();
    let told: Vec<(&str, &str)> = spans.iter().map(|s| (s["from"].as_str().unwrap(), s["maker"].as_str().unwrap())).collect();
    assert_eq!(told, [("2024-03-01", "u-blox"), ("2025-01-15", "Quectel"), ("2026-06-30", "SIMCom")]);
    let table = diff(&folder, &words).out;
    assert!(table.contains("from 2025-01-15: Quectel BG95-M1 (r2.csv, line 3)"), "{table}");
    assert_eq!(diff(&folder, &["r1.csv", "r2.csv", "--dated", "r9.csv=2024-03-01"]).code, 2);
    assert_eq!(diff(&folder, &["r1.csv", "r2.csv", "--dated", "r1.csv=March"]).code, 2);
}

#[test]
fn folders_are_revisions_and_repeat_nothing() {
    let folder = Folder::new();
    for (revision, model) in [("v1", "SIM7080G"), ("v2", "SIM7080G")] {
        folder.write(&format!("{revision}/board.kicad_sch"), drawing(model));
        folder.write(&format!("{revision}/bom.csv"), list("SIMCom", model));
    }
    let answer = json(&folder, &["v1", "v2"]);
    assert_eq!(answer["revisions"][0]["parts"], 3);
    assert_eq!(answer["steps"][0]["changes"].as_array().unwrap().len(), 0, "{}", answer["steps"]);
    folder.write("v2/board.kicad_sch", drawing("BG95-M1"));
    folder.write("v2/bom.csv", list("Quectel", "BG95-M1"));
    assert_eq!(codes(&json(&folder, &["v1", "v2"])), ["maker-change", "new-module", "removed-module"]);
}

#[test]
fn completeness_is_shown_with_what_is_missing() {
    let folder = Folder::new();
    folder.write("a.csv", list("SIMCom", "SIM7080G"));
    let ran = run(&folder, ["bom", "check", "a.csv", "--as-of", DAY]);
    for part in ["compliance: ", "security: ", "availability: ", "% complete; missing: ", "country in which each part is made"] {
        assert!(ran.out.replace("\n    ", " ").contains(part), "{part}\n{}", ran.out);
    }
}
