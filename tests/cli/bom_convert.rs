//! `bom convert`: any dialect in, CycloneDX out, and what is read of that is what was read before.

use std::path::Path;

use serde_json::{Value, json};

use super::{Folder, run, run_with_input};

/// A list with designators, a part that is not placed, alternates, and a name that would like to be a formula.
const LIST: &str = "Designator,Qty,Value,Manufacturer Part,Manufacturer,Description,DNP,Alternates
\"C1, C2\",2,100nF,CL10B104KB8NNNC,Samsung,Capacitor,,
U2,1,EC25-E,EC25EFA-512-STD,Quectel,LTE module,,EG25-G
J1,1,SIM holder,SIM8060-6-0-14-00-A,GCT,Nano SIM,DNP,
\"PWR_LED\",1,green,,,=LED,,
";

fn schema(version: &str) -> jsonschema::Validator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge/schemas/cyclonedx");
    let read = |name: &str| -> Value { serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap() };
    let parts = ["spdx.schema.json", "jsf-0.82.schema.json", "cryptography-defs.schema.json"];
    let registry = parts
        .into_iter()
        .fold(jsonschema::Registry::new(), |r, name| r.add(format!("http://cyclonedx.org/schema/{name}"), read(name)).unwrap())
        .prepare()
        .unwrap();
    jsonschema::options().with_registry(&registry).build(&read(&format!("bom-{version}.schema.json"))).unwrap()
}

/// What a bill declares, in the order of the document: of every part what a reader of CycloneDX must find again.
fn declared(folder: &Folder, path: &str) -> Vec<Value> {
    let ran = run(folder, ["bom", "check", path, "--format", "json", "--fail-on", "fail"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let answer = ran.json();
    let file = &answer["files"][0];
    let parts = file["parts"].as_array().unwrap().iter().chain(file["not_placed"].as_array().unwrap());
    parts
        .map(|p| {
            let mut kept = json!({});
            let fields =
                ["designators", "quantity", "value", "mpn", "manufacturer", "description", "version", "serial", "fcc_id", "origin"];
            for field in fields.into_iter().chain(["supplier", "not_placed", "effective", "path", "kind", "maker"]) {
                kept[field] = p[field].clone();
            }
            let names = |a: &Value| json!([a["manufacturer"], a["mpn"], a["value"]]);
            kept["alternates"] = p["alternates"].as_array().unwrap().iter().map(names).collect();
            kept["model"] = p["module"]["model"].clone();
            kept
        })
        .collect()
}

#[test]
fn a_list_becomes_cyclonedx_and_is_read_again_as_it_was() {
    let folder = Folder::new();
    folder.write("bom.csv", LIST);
    let before = declared(&folder, "bom.csv");
    assert_eq!(before.len(), 4, "{before:#?}");
    assert_eq!(before[1]["kind"], "module");
    assert_eq!(before[1]["alternates"].as_array().map(Vec::len), Some(1), "{:#}", before[1]);
    assert!(before[3]["not_placed"].is_string(), "{:#}", before[3]);
    for version in ["1.6", "1.7"] {
        let ran = run(&folder, ["bom", "convert", "bom.csv", "--spec", version, "-o", "out.cdx.json"]);
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
        let document: Value = serde_json::from_str(&std::fs::read_to_string(folder.path().join("out.cdx.json")).unwrap()).unwrap();
        let wrong: Vec<String> = schema(version).iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(document["specVersion"], version);
        assert_eq!(declared(&folder, "out.cdx.json"), before, "{version}");
        // Converted again it says the same, and grows no more.
        for (from, to) in [("out.cdx.json", "again.cdx.json"), ("again.cdx.json", "third.cdx.json")] {
            assert_eq!(run(&folder, ["bom", "convert", from, "--spec", version, "-o", to]).code, 0);
            assert_eq!(declared(&folder, to), before, "{version} {to}");
        }
        let size = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().len();
        // The path that is named at each part is longer by what the file's name is.
        assert!(size("third.cdx.json") <= size("again.cdx.json") + 200, "{} {}", size("again.cdx.json"), size("third.cdx.json"));
    }
}

/// Assemblies in assemblies, effectivity, certificates, ancestors.
fn nested() -> String {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "metadata": {"component": {"type": "device", "name": "Gateway", "version": "C"}},
        "components": [{
            "type": "device", "bom-ref": "board", "name": "main board",
            "components": [{
                "type": "device", "bom-ref": "radio", "name": "radio board",
                "components": [{
                    "type": "device", "bom-ref": "modem", "name": "EG25-G", "manufacturer": {"name": "Quectel"}, "version": "R07",
                    "pedigree": {"ancestors": [{"type": "device", "name": "EC25", "manufacturer": {"name": "Quectel"}}]},
                    "properties": [
                        {"name": "umbilical:designators", "value": "U2"},
                        {"name": "umbilical:mpn", "value": "EG25GGB-256-SGNS"},
                        {"name": "umbilical:alternate", "value": "SIMCom|SIM7600G-H|A%7CB"},
                        {"name": "umbilical:effective-serial-from", "value": "100"},
                        {"name": "umbilical:effective-to", "value": "2026-06-30"},
                        {"name": "cdx:device:certifications:US:FCC:id", "value": "XMR201903EG25G"},
                        {"name": "cdx:device:lotNumber", "value": "L7"}
                    ]
                }]
            }]
        }, {
            "type": "firmware", "bom-ref": "fw", "name": "modem firmware", "version": "EG25GGBR07A08M2G", "scope": "excluded"
        }]
    })
    .to_string()
}

#[test]
fn assemblies_and_what_only_a_statement_says_come_back_too() {
    let folder = Folder::new();
    folder.write("a.cdx.json", nested());
    let before = declared(&folder, "a.cdx.json");
    assert_eq!(before[2]["path"], json!(["main board", "radio board"]));
    let ran = run(&folder, ["bom", "convert", "a.cdx.json", "-o", "b.cdx.json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(declared(&folder, "b.cdx.json"), before);
    let document: Value = serde_json::from_str(&std::fs::read_to_string(folder.path().join("b.cdx.json")).unwrap()).unwrap();
    let modem = &document["components"][0]["components"][0]["components"][0];
    assert_eq!(modem["bom-ref"], "modem");
    assert_eq!(modem["pedigree"]["ancestors"][0]["name"], "EC25");
    let lot = json!({"name": "cdx:device:lotNumber", "value": "L7"});
    assert!(modem["properties"].as_array().unwrap().contains(&lot), "{modem:#}");
    assert_eq!(document["components"][1]["type"], "firmware");
    assert_eq!(document["metadata"]["component"]["name"], "Gateway");
}

#[test]
fn the_same_input_is_the_same_bytes() {
    let folder = Folder::new();
    folder.write("bom.csv", LIST);
    let convert = |more: &[&str]| {
        let ran = run(&folder, ["bom", "convert", "bom.csv", "--as-of", "2026-11-25"].into_iter().chain(more.iter().copied()));
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    let first = convert(&[]);
    assert_eq!(first, convert(&["--format", "cyclonedx"]));
    assert!(!first.contains("\"timestamp\""));
    assert!(convert(&["--timestamp", "2026-11-25T09:30:00.5+01:00"]).contains("\"timestamp\": \"2026-11-25T09:30:00.5+01:00\""));
    for wrong in [
        "2026-11-25",
        "2026-11-25T9:30:00Z",
        "2026-13-25T09:30:00Z",
        "2026-11-25T09:30:00",
        "2026-11-25T24:00:00Z",
        "now",
        "2026-11-25T09:30:00.Z",
    ] {
        let ran = run(&folder, ["bom", "convert", "bom.csv", "--timestamp", wrong]);
        assert_eq!(ran.code, 2, "{wrong}");
        assert!(ran.err.contains("write it like"), "{}", ran.err);
    }
}

#[test]
fn parts_as_csv_name_what_is_known() {
    let folder = Folder::new();
    folder.write("bom.csv", LIST);
    let ran = run(&folder, ["bom", "convert", "bom.csv", "--format", "csv"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let mut reader = csv::Reader::from_reader(ran.out.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let get = |row: usize, name: &str| rows[row].get(columns.iter().position(|c| c == name).unwrap()).unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!((get(1, "umbilical_kind"), get(1, "umbilical_maker"), get(1, "umbilical_state")), ("module", "Quectel", "found"));
    assert!(get(1, "umbilical_jurisdictions").contains("CN"));
    assert!(get(1, "umbilical_findings").contains("cellular-module"));
    assert_eq!(get(2, "description"), "'=LED");
    assert!(!get(3, "not_placed").is_empty());
}

#[test]
fn one_document_is_one_product() {
    let folder = Folder::new();
    folder.write("a/bom.csv", LIST);
    folder.write("b/bom.csv", LIST.replace("EC25-E", "EG25-G"));
    let ran = run(&folder, ["bom", "convert", "a", "b"]);
    assert_eq!(ran.code, 2);
    assert!(ran.out.is_empty() && ran.err.contains("a/bom.csv") && ran.err.contains("b/bom.csv"), "{}", ran.err);
    assert_eq!(run(&folder, ["bom", "convert", "a", "b", "--format", "csv"]).code, 0);
    // What no command of this name writes, nothing to convert, nothing there.
    assert_eq!(run(&folder, ["bom", "convert", "a", "--format", "html"]).code, 2);
    assert_eq!(run(&folder, ["bom", "convert", "a", "--spec", "1.4"]).code, 2);
    folder.write("note.txt", "call Bob about the pump\n");
    let ran = run(&folder, ["bom", "convert", "note.txt"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no bill of materials"), "{}", ran.err);
    assert_eq!(run(&folder, ["bom", "convert", "missing.csv"]).code, 2);
}

#[test]
fn standard_input_is_a_document_too_and_a_gate_can_be_asked_for() {
    let folder = Folder::new();
    let ran = run_with_input(&folder, &["bom", "convert", "-"], LIST.as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.json()["bomFormat"], "CycloneDX");
    let ran = run_with_input(&folder, &["bom", "convert", "-", "--fail-on", "cellular-module"], LIST.as_bytes());
    assert_eq!((ran.code, ran.json()["bomFormat"].as_str()), (1, Some("CycloneDX")));
}

/// A netlist of KiCad with a module at U2 and a resistor.
const NETLIST: &str = "(export (version \"E\")
  (components
    (comp (ref \"R1\")
      (value \"10k\"))
    (comp (ref \"U2\")
      (value \"SIM7600G-H\")
      (fields
        (field (name \"Manufacturer\") \"SIMCom\")))))
";

#[test]
fn findings_leave_on_the_line_of_the_file_in_every_format_for_machines() {
    let folder = Folder::new();
    folder.write("hw/board.net", NETLIST);
    let check = |format: &str| run(&folder, ["bom", "check", "hw/board.net", "--format", format, "--fail-on", "cellular-module"]);
    let ran = check("github");
    assert_eq!(ran.code, 1, "{}", ran.err);
    let line = ran.out.lines().find(|l| l.contains("title=cellular-module::")).unwrap_or_else(|| panic!("{}", ran.out));
    assert!(line.starts_with("::notice file=hw/board.net,line=6,"), "{line}");
    let sarif = check("sarif").json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let module = results.iter().find(|r| r["ruleId"] == "cellular-module").unwrap();
    let place = &module["locations"][0]["physicalLocation"];
    assert_eq!((&place["artifactLocation"]["uri"], &place["region"]["startLine"]), (&json!("hw/board.net"), &json!(6)));
    // Above the line and beside the file nothing changes for whoever dismissed it.
    folder.write("moved/other.net", NETLIST.replace("(components", "(design)\n  (libparts)\n  (components"));
    let moved = run(&folder, ["bom", "check", "moved/other.net", "--format", "sarif"]).json();
    let again = moved["runs"][0]["results"].as_array().unwrap().iter().find(|r| r["ruleId"] == "cellular-module").unwrap();
    assert_eq!(again["locations"][0]["physicalLocation"]["region"]["startLine"], 8);
    assert_eq!(again["partialFingerprints"], module["partialFingerprints"]);
    let junit = check("junit");
    assert_eq!(junit.code, 1);
    assert!(
        junit.out.contains("<testcase name=\"U2 SIMCom SIM7600G-H\" classname=\"module\" file=\"hw/board.net\" line=\"6\">"),
        "{}",
        junit.out
    );
    assert!(junit.out.contains("<failure type=\"cellular-module\""), "{}", junit.out);
    let csv = check("csv");
    assert!(csv.out.contains("hw/board.net,line 6,U2,"), "{}", csv.out);
}

#[test]
fn a_drawing_becomes_cyclonedx_and_is_read_again_as_it_was() {
    let folder = Folder::new();
    folder.write("hw/board.net", NETLIST);
    let before = declared(&folder, "hw/board.net");
    assert_eq!(before[1]["model"], "SIM7600G-H");
    let ran = run(&folder, ["bom", "convert", "hw", "-o", "out.cdx.json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(declared(&folder, "out.cdx.json"), before);
    let document: Value = serde_json::from_str(&std::fs::read_to_string(folder.path().join("out.cdx.json")).unwrap()).unwrap();
    let occurrence = json!({"location": "hw/board.net", "line": 6, "symbol": "U2"});
    assert_eq!(document["components"][1]["evidence"]["occurrences"], json!([occurrence]));
    assert_eq!(document["metadata"]["component"]["name"], "board");
}

#[test]
fn a_product_without_a_name_goes_by_its_file_without_the_format() {
    let folder = Folder::new();
    let list = "Reference,Value\nR1,10k\n";
    for (file, name) in [("gw_V2.4_BOM.csv", "gw_V2.4_BOM"), ("gw.hbom.csv", "gw"), ("gw.csv", "gw")] {
        folder.write(file, list);
        let ran = run(&folder, ["bom", "convert", file, "--as-of", "2026-11-25"]);
        assert_eq!(ran.json()["metadata"]["component"]["name"], name);
    }
}
