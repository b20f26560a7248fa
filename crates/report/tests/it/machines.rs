//! What leaves for other programs: SARIF, annotations, JUnit, CSV.

use std::path::Path;

use serde_json::Value;
use umbilical_core::answer::bom::Check;
use umbilical_core::finding::{Finding, Severity};
use umbilical_report::junit::{self, Gate, Outcome};
use umbilical_report::located::{Entry, Waiver, uri};
use umbilical_report::{csv, github, sarif};

use crate::bills::{EVIL, check, finding, findings, part};

fn sarif_of<'a>(check: &'a Check, entries: &[Entry<'a>]) -> Value {
    let mut out = Vec::new();
    let run = sarif::Run {
        version: "1.2.3",
        as_of: &check.as_of,
        knowledge: &check.knowledge,
        inputs: &check.inputs,
        problems: &check.problems,
        successful: true,
        findings: entries.iter().copied(),
    };
    sarif::write(&mut out, &run).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn entries(check: &Check) -> Vec<Entry<'_>> {
    findings(check).into_iter().map(Entry::from).collect()
}

fn sarif_schema() -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge/schemas/sarif/sarif-schema-2.1.0.json");
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    // The published pattern has a bracket too many, and strict engines refuse it. Nothing here has a language.
    schema["definitions"]["run"]["properties"]["language"].as_object_mut().unwrap().remove("pattern").unwrap();
    let languages = schema["definitions"]["toolComponent"]["properties"]["language"].as_object_mut().unwrap();
    languages.remove("pattern").unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn sarif_is_as_its_schema_says() {
    let schema = sarif_schema();
    let check = check();
    let mut all = entries(&check);
    all[0].waiver = Some(Waiver { reason: EVIL, expired: false });
    all[1].waiver = Some(Waiver { reason: "was fine", expired: true });
    let document = sarif_of(&check, &all);
    let wrong: Vec<String> = schema.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The schema bites.
    let mut broken = document.clone();
    broken["runs"][0]["results"][0]["level"] = "loud".into();
    assert!(!schema.is_valid(&broken));
    assert!(schema.is_valid(&sarif_of(&check, &[])), "an answer without findings");

    let run = &document["runs"][0];
    let rules: Vec<&str> = run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap()).collect();
    assert_eq!(rules, ["cellular-module", "documents-disagree", "missing-tier", "undisclosed-modem"]);
    let results = run["results"].as_array().unwrap();
    for result in results {
        assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize], result["ruleId"]);
        assert_eq!(result["rank"], 90.0);
        assert!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].is_string());
    }
    let place = &results[0]["locations"][0];
    assert_eq!(place["physicalLocation"]["artifactLocation"]["uri"], "hw/my%20bom%2C1%3A2.csv");
    assert_eq!(place["physicalLocation"]["region"]["startLine"], 3);
    assert_eq!(place["logicalLocations"][0]["fullyQualifiedName"], "main board/U2,U 3,|%");
    assert!(results[2]["locations"][0]["physicalLocation"].get("region").is_none(), "no line is known");
    assert_eq!(results.iter().map(|r| r["level"].as_str().unwrap()).collect::<Vec<_>>(), ["note", "error", "note", "warning"]);
    assert_eq!(results[0]["suppressions"][0]["status"], "accepted");
    assert_eq!(results[1]["suppressions"][0]["status"], "rejected");
    assert!(results[2].get("suppressions").is_none());
    let note = &run["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(note["locations"][0]["physicalLocation"]["region"]["startLine"], 12);
    let text = note["message"]["text"].as_str().unwrap();
    assert!(!text.contains("](") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_fingerprint_stays_when_lines_move_and_files_are_renamed() {
    let print = |f: &Finding| {
        let check = check();
        sarif_of(&check, &[Entry::from(f)])["runs"][0]["results"][0]["partialFingerprints"].clone()
    };
    let mut here = part(1, &["U2", "U3"], "EC25", 47);
    let first = print(&finding("cellular-module", Severity::Info, "a.csv", Some(&here)));
    here.line = Some(99);
    here.at = "line 99".into();
    here.part.designators.reverse();
    assert_eq!(first, print(&finding("cellular-module", Severity::High, "renamed.csv", Some(&here))));
    let mut others = vec![print(&finding("open-alternates", Severity::Info, "a.csv", Some(&here)))];
    here.part.mpn = Some("EG25".into());
    others.push(print(&finding("cellular-module", Severity::Info, "a.csv", Some(&here))));
    here.part.mpn = None;
    here.maker = Some("SIMCom".into());
    others.push(print(&finding("cellular-module", Severity::Info, "a.csv", Some(&here))));
    here.maker = None;
    here.part.designators.pop();
    others.push(print(&finding("cellular-module", Severity::Info, "a.csv", Some(&here))));
    // Findings about no part are told apart by their subject.
    others.push(print(&finding("missing-tier", Severity::Info, "a.csv", None)));
    others.push(print(&finding("missing-tier", Severity::Info, "b.csv", None)));
    let known: std::collections::HashSet<String> = others.iter().chain([&first]).map(Value::to_string).collect();
    assert_eq!(known.len(), others.len() + 1);

    // Two results alike are two for GitHub too.
    let check = check();
    let twice = finding("missing-tier", Severity::Info, "a.csv", None);
    let document = sarif_of(&check, &[Entry::from(&twice), Entry::from(&twice)]);
    let github =
        |n: usize| document["runs"][0]["results"][n]["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned();
    assert!(github(0).ends_with(":1") && github(1).ends_with(":2"));
}

fn annotations(check: &Check, entries: &[Entry<'_>]) -> String {
    let mut out = Vec::new();
    let run = github::Run { findings: entries.iter().copied(), problems: &check.problems, inputs: &check.inputs };
    github::write(&mut out, run).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn annotations_stand_on_the_lines_of_the_files_loudest_first() {
    let check = check();
    let text = annotations(&check, &entries(&check));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "::error file=hw/my bom%2C1%3A2.csv,line=7,title=undisclosed-modem::it says so, 100 %25 sure: Carrier%0Awhat helps: ask; replace it%0Aclears when: somebody answers"
    );
    assert!(lines[1].starts_with("::warning file=hw,title=documents-disagree::"), "{}", lines[1]);
    assert!(lines[2].starts_with("::notice file=hw/my bom%2C1%3A2.csv,line=3,title=cellular-module::"), "{}", lines[2]);
    assert!(lines[4].starts_with("::warning file=hw/board.kicad_sch,line=12,title=not understood::odd "), "{}", lines[4]);
    assert_eq!(lines[5], "umbilical: 1 as error, 1 as warning, 2 as notice; 2 files read, 1 problems");
    assert_eq!(lines.len(), 6);
    // What somebody has accepted is a notice, until its day has passed.
    let mut accepted = entries(&check);
    accepted[1].waiver = Some(Waiver { reason: "lab unit", expired: false });
    assert!(annotations(&check, &accepted).contains("::notice file=hw/my bom%2C1%3A2.csv,line=7,title=undisclosed-modem::"));
    accepted[1].waiver = Some(Waiver { reason: "lab unit", expired: true });
    assert!(annotations(&check, &accepted).starts_with("::error "));
}

#[test]
fn no_name_gives_the_runner_a_second_command() {
    let check = check();
    let mut bad = finding("cellular-module", Severity::High, EVIL, Some(&check.files[0].parts[2]));
    bad.because = vec![EVIL.into(), "::set-output name=x::y".into()];
    bad.clears_when = format!("\n::warning::{EVIL}");
    let text = annotations(&check, &[Entry::from(&bad)]);
    assert_eq!(text.lines().count(), 3, "{text}");
    let line = text.lines().next().unwrap();
    let (properties, message) = line.strip_prefix("::error ").unwrap().split_once("::").unwrap();
    assert_eq!(properties.split(',').map(|p| p.split('=').next().unwrap()).collect::<Vec<_>>(), ["file", "line", "title"]);
    assert!(!line.contains(['\r', '\u{1b}']) && message.contains("x%250A"), "{line}");
}

#[test]
fn paths_become_references() {
    for (path, reference) in [
        ("./a b/ü.csv", "a%20b/%C3%BC.csv"),
        ("/abs/x#y?.csv", "file:///abs/x%23y%3F.csv"),
        ("c:d.csv", "c%3Ad.csv"),
        ("outer.zip!in/b.csv", "outer.zip!in/b.csv"),
    ] {
        assert_eq!(uri(path), reference);
    }
}

#[test]
fn junit_has_a_case_for_each_thing_judged() {
    let check = check();
    let gate = |findings: &[&Finding], _| {
        if findings.iter().any(|f| f.severity >= Severity::High) { Gate::Stopped } else { Gate::Through }
    };
    let suites = junit::suites(&check, gate);
    let shape: Vec<String> = suites
        .iter()
        .flat_map(|s| s.cases.iter().map(move |c| (s, c)))
        .map(|(suite, case)| {
            let word = match case.outcome {
                Outcome::Passed => "passed",
                Outcome::Failed(_) => "failed",
                Outcome::Skipped(_) => "skipped",
            };
            format!("{} | {} | {} | {word}", suite.name, case.class, case.name)
        })
        .collect();
    assert_eq!(
        shape,
        [
            "hw/my bom,1:2.csv | file | every module is named | passed",
            "hw/my bom,1:2.csv | module | U2,U 3,|% Gateway & Sons GS-LTE-01 | passed",
            "hw/my bom,1:2.csv | carrier | A1 Carrier | failed",
            "hw/board.kicad_sch | file | every module is named | passed",
            // Undisclosed and let through is open, not passed.
            "hw | product | every module is named | skipped",
        ]
    );
    let mut out = Vec::new();
    junit::write(&mut out, &suites).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("<testsuites name=\"umbilical\" tests=\"5\" failures=\"1\" errors=\"0\" skipped=\"1\">"), "{text}");
    assert!(text.contains("classname=\"carrier\" file=\"hw/my bom,1:2.csv\" line=\"7\">"), "{text}");
    insta::assert_snapshot!("junit", text);
}

#[test]
fn junit_is_xml_whatever_the_names() {
    let mut check = check();
    check.files[0].path = EVIL.into();
    check.files[0].because = vec![EVIL.into()];
    check.files[0].parts[4].part.value = Some(EVIL.into());
    let mut bad = finding("undisclosed-modem", Severity::High, EVIL, Some(&check.files[0].parts[4]));
    bad.because = vec![format!("{EVIL}]]>")];
    check.files[0].findings = vec![bad];
    let mut out = Vec::new();
    junit::write(&mut out, &junit::suites(&check, |_, _| Gate::Stopped)).unwrap();
    let text = String::from_utf8(out).unwrap();
    let allowed = |c: char| matches!(c, '\n' | '\t' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(allowed));
    let mut reader = quick_xml::Reader::from_str(&text);
    let mut depth = 0i32;
    let mut cases = 0;
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(e) => {
                depth += 1;
                cases += i32::from(e.name().as_ref() == "testcase");
                assert!(e.attributes().all(|a| a.is_ok()));
            }
            quick_xml::events::Event::End(_) => depth -= 1,
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!((depth, cases), (0, 5));
}

#[test]
fn parts_as_csv_have_what_is_known_beside_what_is_declared() {
    let check = check();
    let mut out = Vec::new();
    csv::parts(&mut out, &check).unwrap();
    let mut reader = ::csv::Reader::from_reader(&out[..]);
    let columns = reader.headers().unwrap().clone();
    let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let get = |row: usize, name: &str| rows[row].get(columns.iter().position(|c| c == name).unwrap()).unwrap().to_owned();
    assert_eq!(columns.iter().take(7).collect::<Vec<_>>(), ["path", "at", "designators", "quantity", "value", "mpn", "manufacturer"]);
    assert_eq!(rows.len(), 11, "every part, placed or not");
    for (name, cell) in [
        ("path", "hw/my bom,1:2.csv"),
        ("at", "line 3"),
        ("quantity", "2"),
        ("mpn", "GS-LTE-01"),
        ("assembly", "main board"),
        ("alternates", "Other ALT-1"),
        ("umbilical_kind", "module"),
        ("umbilical_maker", "Fenwick"),
        ("umbilical_model", "FW-25"),
        ("umbilical_state", "found"),
        ("umbilical_confidence", "0.9731"),
        ("umbilical_jurisdictions", "CN; LU"),
        ("umbilical_findings", "cellular-module"),
    ] {
        assert_eq!(get(1, name), cell, "{name}");
    }
    assert!(get(2, "value").starts_with("'=X"), "guarded: {}", get(2, "value"));
    assert_eq!((get(7, "designators").as_str(), get(7, "not_placed").as_str()), ("J1", "DNP"));
    assert_eq!(get(4, "umbilical_findings"), "undisclosed-modem");
}
