//! What leaves for other programs: the fleet that comes back is the fleet that left, and is believed no more than before.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Value, json};
use umbilical_assess::{Fleet, Options};
use umbilical_core::answer::Device;
use umbilical_core::answer::rows::{self, COLUMNS};
use umbilical_core::weight::ConfidenceLevel;
use umbilical_core::{Basis, Observations};
use umbilical_evidence::{Purpose, open};
use umbilical_knowledge::Knowledge;
use umbilical_report::fleet::{Csv, CycloneDx, JsonLines, Xlsx};
use umbilical_store::Parquet;

use super::docs::{Schema, root};
use super::{Folder, at_session, imei, run, sims};

const DAY: &str = "2026-11-22";
/// Formats that read back, and how their files are called.
const BOTH_WAYS: [&str; 5] = ["csv", "xlsx", "jsonl", "parquet", "cdx.json"];
const EXAMPLES: [&str; 4] = ["utility", "hospital", "port", "farm"];

fn read(kb: &Knowledge, paths: &[PathBuf]) -> Observations {
    let mut all = Observations::new();
    let options = open::Options { knowledge: kb, mapping: None, purpose: Purpose::Fleet, validate: false, threads: 2, progress: &|_| {} };
    open::read_paths(paths, &options, &mut all).unwrap();
    all
}

fn answer(kb: &Knowledge, all: &Observations, whole: bool) -> Vec<Device> {
    Fleet::new(all, kb, Options { as_of: DAY.parse().unwrap(), show_subscribers: whole }).devices().collect()
}

fn written(format: &str, devices: &[Device]) -> Vec<u8> {
    let mut out = Vec::new();
    let to: Box<dyn rows::Fleet + '_> = match format {
        "csv" => Box::new(Csv::new(&mut out, DAY).unwrap()),
        "xlsx" => Box::new(Xlsx::new(&mut out, DAY).unwrap()),
        "jsonl" => Box::new(JsonLines::new(&mut out, DAY)),
        "parquet" => Box::new(Parquet::new(&mut out, DAY).unwrap()),
        _ => Box::new(CycloneDx::new(&mut out, DAY, "1").unwrap()),
    };
    rows::write(to, devices.iter().cloned()).unwrap();
    out
}

/// What must come back of a fleet, by device.
fn kept(devices: &[Device]) -> BTreeMap<String, Value> {
    let of = |d: &Device| {
        let mut modules: Vec<Value> = d
            .modules
            .iter()
            .map(|m| {
                json!([
                    m.maker,
                    m.model,
                    m.imei,
                    m.brand,
                    m.sold_as,
                    m.variant,
                    m.family,
                    m.level,
                    m.confidence,
                    m.basis,
                    m.chipset,
                    m.rats,
                    m.firmware,
                    m.claims.iter().map(|c| json!([c.id, c.level, c.value, c.confidence, c.basis])).collect::<Vec<_>>()
                ])
            })
            .collect();
        modules.sort_by_key(Value::to_string);
        let product = d.product.as_ref().map(|p| json!([p.kind, p.brand, p.model, p.confidence, p.basis]));
        let mut codes: Vec<&str> = d.findings.iter().map(|f| &*f.code).collect();
        codes.sort_unstable();
        codes.dedup();
        json!({
            "names": d.names, "identifiers": d.identifiers, "cellular": [json!(d.cellular), json!(d.cellular_confidence)],
            "host": d.host, "product": product, "modules": modules, "next": d.next_evidence, "findings": codes,
        })
    };
    let out: BTreeMap<String, Value> = devices.iter().map(|d| (d.id.clone(), of(d))).collect();
    assert_eq!(out.len(), devices.len(), "two devices share an id");
    out
}

/// The lines of a file in another order: rows of a table or of JSON Lines belong to nothing that stands beside them.
fn shuffled(format: &str, bytes: Vec<u8>, by: usize) -> Vec<u8> {
    let head = match format {
        "csv" => 1,
        "jsonl" => 0,
        _ => return bytes,
    };
    let text = String::from_utf8(bytes).unwrap();
    // No cell holds a line end: they are gone when text is read.
    let mut lines: Vec<&str> = text.lines().collect();
    let body = &mut lines[head..];
    body.reverse();
    let middle = by % body.len().max(1);
    body.rotate_left(middle);
    lines.join("\n").into_bytes()
}

fn comes_back(kb: &Knowledge, devices: &[Device], format: &str, whole: bool, by: usize) -> Vec<Device> {
    let folder = Folder::new();
    // A name that is one of an asset must not draw others to it.
    let path = folder.write(&format!("RTU-0417.{format}"), shuffled(format, written(format, devices), by));
    let all = read(kb, &[path]);
    assert!(all.problems.is_empty(), "{format}: {:?}", all.problems);
    answer(kb, &all, whole)
}

#[test]
fn the_four_fleets_come_back_in_every_format() {
    let kb = Knowledge::embedded();
    for example in EXAMPLES {
        let all = read(&kb, &[root().join("examples").join(example)]);
        for whole in [true, false] {
            let devices = answer(&kb, &all, whole);
            for (by, format) in BOTH_WAYS.into_iter().enumerate() {
                let back = comes_back(&kb, &devices, format, whole, by);
                let (before, after) = (kept(&devices), kept(&back));
                for (id, device) in &before {
                    assert_eq!(Some(device), after.get(id), "{example} {format} whole={whole} {id}");
                }
                assert_eq!(before.len(), after.len(), "{example} {format}");
                // And once more: what came back leaves as the same bytes, but for the words of confidence.
                assert_eq!(kept(&comes_back(&kb, &back, format, whole, 0)), after, "{example} {format}");
            }
        }
    }
}

#[test]
fn an_answer_that_is_read_back_is_believed_no_more_than_before() {
    let kb = Knowledge::embedded();
    let evidence = root().join("examples/utility");
    let folder = Folder::new();
    let devices = answer(&kb, &read(&kb, std::slice::from_ref(&evidence)), true);
    assert!(devices.iter().flat_map(|d| &d.modules).any(|m| m.confidence_level == ConfidenceLevel::Confirmed));
    let file = folder.write("fleet.csv", written("csv", &devices));
    let alone = answer(&kb, &read(&kb, std::slice::from_ref(&file)), true);
    for device in &alone {
        for module in &device.modules {
            assert!(module.confidence_level < ConfidenceLevel::Confirmed, "a document alone confirms nothing: {module:?}");
            let reasons = module.claims.iter().flat_map(|c| &c.because);
            assert!(reasons.clone().count() > 0 && reasons.clone().all(|r| r.basis == Basis::Declared && r.group == "document"));
        }
    }
    // Beside the evidence it was made of, twice, it adds nothing.
    let lines = folder.write("fleet.jsonl", written("jsonl", &devices));
    let both = answer(&kb, &read(&kb, &[evidence, file, lines]), true);
    assert_eq!(kept(&both), kept(&devices));
    for (a, b) in devices.iter().zip(&both) {
        let levels = |d: &Device| d.modules.iter().map(|m| m.confidence_level).collect::<Vec<_>>();
        assert_eq!(levels(a), levels(b), "{}", a.id);
    }
}

#[test]
fn who_edits_an_export_has_edited_a_declaration() {
    let kb = Knowledge::embedded();
    let folder = Folder::new();
    let mut line: BTreeMap<&str, &str> = COLUMNS.iter().map(|(name, _)| (*name, "")).collect();
    line.extend([
        ("id", "dev-0123456789ab"),
        ("umbilical_export", "umbilical.devices/1"),
        ("cellular", "yes"),
        ("level", "model"),
        ("maker", "Quectel"),
        ("model", "EC25"),
        ("confidence", "1.0"),
        ("confidence_level", "confirmed"),
        ("basis", "observed"),
        ("claims", "maker 0.8 inferred Quectel; model 0.9 alleged EC25; model 7 observed EC25; opinion 1 observed x"),
    ]);
    let csv = |line: &BTreeMap<&str, &str>| {
        let (heads, cells): (Vec<&str>, Vec<&str>) = line.iter().map(|(k, v)| (*k, *v)).unzip();
        format!("{}\n{}\n", heads.join(","), cells.join(","))
    };
    let devices = answer(&kb, &read(&kb, &[folder.write("a.csv", csv(&line))]), true);
    let module = &devices[0].modules[0];
    // The model was only alleged: what stands is the maker, as sure and as known as its claim.
    assert_eq!((module.model.as_deref(), module.maker.as_deref()), (None, Some("Quectel")));
    assert_eq!((module.confidence, module.basis, module.confidence_level), (0.8, Basis::Inferred, ConfidenceLevel::Possible));
    // A line that is none, and digits that a spreadsheet has rounded, are told.
    line.insert("id", "=cmd");
    let told = read(&kb, &[folder.write("b.csv", csv(&line))]);
    assert!(told.is_empty() && told.problems.iter().any(|p| p.what.contains("no id of a device")), "{:?}", told.problems);
    line.extend([("id", "dev-0123456789ab"), ("device_imei", "3.58E+14")]);
    let told = read(&kb, &[folder.write("c.csv", csv(&line))]);
    assert!(told.problems.iter().any(|p| p.what.contains("rounded")), "{:?}", told.problems);
}

#[test]
fn the_lines_of_an_audit_come_back_as_what_they_say() {
    let folder = Folder::new();
    let number = imei("86769804", 9);
    folder.write("e/GW-1/at.txt", at_session(&number));
    folder.write("e/sims.csv", sims(&[&number, &imei("99999902", 2)]));
    let csv = run(&folder, ["audit", "e", "--format", "csv", "--no-save"]);
    folder.write("fleet.csv", &csv.out);
    let back = run(&folder, ["audit", "fleet.csv", "--format", "csv", "--no-save"]);
    assert_eq!(back.out.replace(",confirmed,", ",probable,"), csv.out.replace(",confirmed,", ",probable,"));
    let shown = run(&folder, ["audit", "fleet.csv", "--format", "json", "--no-save"]).json();
    let module = shown["devices"].as_array().unwrap().iter().find_map(|d| d["modules"].get(0)).unwrap();
    assert_eq!(module["because"][0]["kind"], "earlier-answer");
    assert!(Schema::load("audit").wrong(&shown).is_empty(), "{:?}", Schema::load("audit").wrong(&shown));
}

/// Names that mean something to a spreadsheet, a page, a terminal, a list or a syslog.
fn hostile() -> impl Strategy<Value = String> {
    let words = [
        "=cmd|' /C calc'!A0",
        "+1-1",
        "-2+3",
        "@SUM(A1)",
        "'=1+1",
        "''@x",
        "<script>alert(1)</script>",
        "\u{202e}exe.txt",
        "a;b; c%3B%25",
        "100%",
        "x\"y,z",
        "]|^=\\",
        "dev-0123456789ab",
        "Pumpwerk Süd",
        "泵站",
        "8988228066612345678",
        "+4915112345678",
        "GW-1",
        "TBD",
        "＝1",
        "\ttab",
    ];
    prop_oneof![4 => prop::sample::select(words.map(str::to_owned).to_vec()), 1 => "[ -~]{1,20}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_fleet_comes_back(
        rows in prop::collection::vec((hostile(), hostile(), hostile(), 0u32..6, 0usize..5, any::<bool>()), 1..24),
        by in 0usize..100,
        whole in any::<bool>(),
    ) {
        let kb = Knowledge::embedded();
        let folder = Folder::new();
        let mut register = csv::Writer::from_writer(Vec::new());
        register.write_record(["asset id", "name", "site", "imei", "iccid", "manufacturer", "model", "module model"]).unwrap();
        let models = [("", "", ""), ("Teltonika", "RUT950", ""), ("Dell", "Latitude", "DW5821e"), ("Quectel", "EC25-E", "EC25-E"), ("Acme", "=x", "SIM7600G")];
        for (n, (asset, name, site, serial, model, whole_card)) in rows.iter().enumerate() {
            let (maker, host, module) = models[*model];
            let card = if *whole_card { format!("89882280000000{n:05}") } else { String::new() };
            let number = if *serial == 0 { String::new() } else { imei("86769804", *serial) };
            register.write_record([asset, name, site, &number, &card, maker, host, module]).unwrap();
        }
        folder.write("e/register.csv", register.into_inner().unwrap());
        let all = read(&kb, &[folder.path().join("e")]);
        let devices = answer(&kb, &all, whole);
        for format in BOTH_WAYS {
            prop_assert_eq!(kept(&devices), kept(&comes_back(&kb, &devices, format, whole, by)), "{}", format);
        }
        // No cell of a sheet is computed.
        let text = String::from_utf8(written("csv", &devices)).unwrap();
        for record in csv::Reader::from_reader(text.as_bytes()).records() {
            for cell in record.unwrap().iter() {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !cell.contains('\u{202e}'), "{}", cell);
            }
        }
    }
}

/// A register in which two assets have one IMEI, which is a finding of both.
fn cloned(imei: &str) -> String {
    format!("asset id,manufacturer,model,imei,notes\nGW-1,Acme,=Pump,{imei},\nGW-2,Acme,Pump,{imei},Dell DW5821e inside\n")
}

#[test]
fn every_format_of_devices_and_findings_leaves_and_is_the_same_twice() {
    let folder = Folder::new();
    let number = imei("86769804", 9);
    folder.write("e/GW-1/at.txt", at_session(&number));
    folder.write("e/sims.csv", sims(&[&number, &imei("99999902", 2), &number]));
    folder.write("e/register.csv", cloned(&number));
    run(&folder, ["audit", "e"]);
    for (what, formats) in [
        ("devices", &["csv", "xlsx", "jsonl", "parquet", "cyclonedx", "netbox", "netbox-items", "servicenow", "ocsf"][..]),
        ("findings", &["csv", "jsonl", "stix", "ocsf", "cef", "leef", "hec", "sarif"][..]),
    ] {
        for format in formats {
            let write = |name: &str, paths: &[&str]| {
                let ran = run(&folder, [&["export", what, "--format", format, "-o", name], paths].concat());
                assert_eq!(ran.code, 0, "{what} {format}: {}", ran.err);
                std::fs::read(folder.path().join(name)).unwrap()
            };
            let first = write("a", &[]);
            assert!(!first.is_empty(), "{what} {format}");
            assert_eq!(first, write("b", &["e"]), "{what} {format}: from the home and from the evidence");
        }
        let wrong = run(&folder, ["export", what, "--format", "junit"]);
        assert_eq!(wrong.code, 2);
        for format in formats {
            assert!(wrong.err.contains(format), "{}", wrong.err);
        }
    }
    // What is covered stays covered, and cannot be uncovered.
    let csv = run(&folder, ["export", "devices"]);
    assert!(csv.out.contains("89882…") && !csv.out.contains("8988228000000"), "{}", csv.out);
    assert_eq!(run(&folder, ["export", "devices", "--show-subscribers"]).code, 2);
    run(&folder, ["audit", "e", "--show-subscribers"]);
    assert_eq!(run(&folder, ["export", "devices"]).out, csv.out);
    assert!(run(&folder, ["export", "devices", "--show-subscribers"]).out.contains("8988228000000"));
    assert_eq!(run(&folder, ["export", "devices", "--as-of", "2020-01-01"]).code, 2);
}

#[test]
fn lines_of_json_are_as_their_schemas_say() {
    let folder = Folder::new();
    let number = imei("86769804", 9);
    folder.write("e/GW-1/at.txt", at_session(&number));
    folder.write("e/sims.csv", sims(&[&number, &imei("99999902", 2), &number]));
    folder.write("e/register.csv", cloned(&number));
    for (what, schema) in [("devices", Schema::load("devices")), ("findings", Schema::load("finding"))] {
        let ran = run(&folder, ["export", what, "e", "--format", "jsonl"]);
        assert!(ran.out.lines().count() > 0, "{what}");
        for line in ran.out.lines() {
            let wrong = schema.wrong(&serde_json::from_str(line).unwrap());
            assert!(wrong.is_empty(), "{what}: {wrong:?}\n{line}");
        }
    }
}
