//! `bom verify`, through the real binary: what is observed, declared, changed and compared again.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::docs::Schema;
use super::{Folder, LSUSB, Ran, at_session, imei, run};

const DAY: &str = "2026-11-25";

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

fn json(folder: &Folder, words: &[&str]) -> Value {
    let ran = run(folder, words.iter().chain(&["--format", "json", "--as-of", DAY, "--no-save"]));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let answer = ran.json();
    if answer["schema"] == "umbilical.bom-verify/1" {
        let wrong = Schema::load("bom-verify").wrong(&answer);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
    answer
}

fn results(answer: &Value) -> Vec<&str> {
    answer["rows"].as_array().unwrap().iter().map(|r| r["result"].as_str().unwrap()).collect()
}

fn finding<'a>(answer: &'a Value, code: &str) -> &'a Value {
    let all = answer["findings"].as_array().unwrap();
    all.iter()
        .find(|f| f["code"] == code)
        .unwrap_or_else(|| panic!("no {code} among {:?}", all.iter().map(|f| &f["code"]).collect::<Vec<_>>()))
}

/// Whether a row has a line of the document and one of what was observed, each in an input of its own.
fn has_both_lines(answer: &Value, row: &Value) -> bool {
    let path = |b: &Value| answer["inputs"][b["input"].as_u64().unwrap() as usize]["path"].as_str().unwrap().to_owned();
    let because = row["because"].as_array().unwrap();
    because.iter().any(|b| path(b).ends_with("bom.csv") && b["basis"] == "declared")
        && because.iter().any(|b| !path(b).ends_with("bom.csv"))
}

/// One device of a fleet whose one module is known by maker and model: its id, maker, model.
fn known_device(folder: &Folder, path: &str) -> (String, String, String) {
    let audit = json(folder, &["audit", path]);
    let modules = |d: &Value| d["modules"].as_array().cloned().unwrap_or_default();
    let fits = |m: &Value| m["maker"].is_string() && m["model"].is_string() && m["confidence"].as_f64() >= Some(0.9);
    let devices = audit["devices"].as_array().unwrap();
    let device = devices.iter().find(|d| modules(d).len() == 1 && fits(&modules(d)[0])).expect("a device with one known module");
    let module = &modules(device)[0];
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    (text(&device["id"]), text(&module["maker"]), text(&module["model"]))
}

/// A parts list with these modules.
fn bom(parts: &[(&str, &str, &str)]) -> String {
    let mut out =
        String::from("Reference,Quantity,Value,Manufacturer,MPN,Description\nC1,1,100n,Murata,GRM155R71C104KA88D,ceramic capacitor\n");
    for (reference, maker, model) in parts {
        out.push_str(&format!("{reference},1,{model},{maker},{model},cellular module\n"));
    }
    out
}

#[test]
fn what_is_observed_and_declared_agrees_and_every_change_is_named_with_both_lines() {
    for name in ["utility", "hospital", "port", "farm"] {
        let folder = Folder::new();
        let fleet = example(name).display().to_string();
        let (id, maker, model) = known_device(&folder, &fleet);
        let verify = |parts: &[(&str, &str, &str)]| {
            folder.write("bom.csv", bom(parts));
            json(&folder, &["bom", "verify", "--declared", "bom.csv", "--observed", &fleet, "--device", &id])
        };
        let own = ("U1", &*maker, &*model);
        let other = if maker == "u-blox" { ("U1", "Quectel", "EG25-G") } else { ("U1", "u-blox", "SARA-R410M-02B") };

        let same = verify(&[own]);
        assert!(matches!(results(&same)[..], ["match"] | ["rebrand"]), "{name} {maker} {model}: {}", same["rows"][0]["sentence"]);
        assert!(has_both_lines(&same, &same["rows"][0]), "{name}");

        let swapped = verify(&[other]);
        assert_eq!(results(&swapped), ["substituted"], "{name} {maker} {model}: {}", swapped["rows"][0]["sentence"]);
        assert!(has_both_lines(&swapped, &swapped["rows"][0]), "{name}");
        let told = finding(&swapped, "substituted-module");
        assert_eq!((told["detail"]["line"].as_u64(), told["subject"]["id"].as_str()), (Some(3), Some(&*id)), "{name}");

        let dropped = verify(&[]);
        assert_eq!(results(&dropped), ["undeclared"], "{name}");
        finding(&dropped, "undeclared-module");

        let extra = verify(&[own, ("U2", other.1, other.2)]);
        let mut both = results(&extra);
        both.sort_unstable();
        assert!(matches!(both[..], ["match", "not-seen"] | ["not-seen", "rebrand"]), "{name}: {both:?}");
        let unseen = finding(&extra, "module-not-seen");
        assert_eq!(unseen["detail"]["line"], 4, "{name}");
    }
}

/// Evidence of one gateway, and what its documents say.
fn gateway(folder: &Folder) {
    folder.write("GW-17/lsusb.txt", LSUSB);
    folder.write("GW-17/at.txt", at_session(&imei("86769804", 9)));
    folder.write("bom.csv", bom(&[("U1", "Quectel", "EG25-G")]));
}

#[test]
fn a_folder_named_as_the_device_is_one_device_without_a_register() {
    let folder = Folder::new();
    gateway(&folder);
    folder.write("bom.csv", bom(&[]));
    folder.write("GW-18/lsusb.txt", "Bus 001 Device 001: ID 1d6b:0002 Linux Foundation 2.0 root hub\n");
    folder.write("GW-18/lspci.txt", "01:00.0 Ethernet controller [0200]: Intel Corporation I210 [8086:1533] (rev 03)\n");
    for (device, path) in [("GW-17", "GW-17"), ("gw-18", "GW-18"), ("GW-18", ".")] {
        let answer = json(&folder, &["bom", "verify", "--declared", "bom.csv", "--observed", path, "--device", device]);
        assert_eq!(answer["devices"].as_array().map(Vec::len), Some(1), "{device}: {}", answer["devices"]);
    }
}

#[test]
fn an_extra_radio_is_named_by_catalogue_and_by_survey() {
    let folder = Folder::new();
    gateway(&folder);
    folder.write(
        "air.csv",
        "\nBSSID, First time seen, Last time seen, channel, Speed, Privacy, Cipher, Authentication, Power, # beacons, # IV, LAN IP, ID-length, ESSID, Key\n\
         00:1E:42:AA:BB:11, 2026-05-01 10:00:00, 2026-05-01 10:05:12, 6, 54, WPA2, CCMP, PSK, -31, 120, 4, 0.0.0.0, 5, Setup, \n",
    );
    let answer = json(&folder, &["bom", "verify", "--declared", "bom.csv", "--observed", "GW-17", "air.csv", "--near", "-45"]);
    let radios: Vec<(&str, &str)> =
        answer["radios"].as_array().unwrap().iter().map(|r| (r["radio"].as_str().unwrap(), r["witness"].as_str().unwrap())).collect();
    assert_eq!(radios, [("gnss", "catalogue"), ("wifi", "survey")]);
    let told: Vec<&Value> = answer["findings"].as_array().unwrap().iter().filter(|f| f["code"] == "undeclared-radio").collect();
    assert_eq!(told.len(), 2);
    for finding in told {
        let text = finding["because"].to_string();
        assert!(text.contains("bom.csv") && (text.contains("GW-17/") || text.contains("air.csv, line 3")), "{text}");
    }
}

#[test]
fn a_sweep_beside_a_device_that_declares_no_modem() {
    let folder = Folder::new();
    folder.write("bom.csv", bom(&[]));
    let mut sweep = String::new();
    for pass in 0..40u32 {
        sweep.push_str(&format!("2026-05-01, 10:00:{pass:02}, 824000000, 829000000, 100000.00, 100"));
        for bin in 0..50u32 {
            let loud = bin == 20 && pass % 13 == 0;
            sweep.push_str(if loud {
                ", -30.0"
            } else if (bin + pass) % 2 == 0 {
                ", -60.2"
            } else {
                ", -59.7"
            });
        }
        sweep.push('\n');
    }
    folder.write("sweep.csv", sweep);
    let answer = json(&folder, &["bom", "verify", "--declared", "bom.csv", "--observed", "sweep.csv"]);
    let told = finding(&answer, "uplink-energy");
    let first = told["because"][0].as_str().unwrap();
    assert!(first.contains("30 dB over the floor, in 4 of 40 sweeps") && first.contains("phone nearby"), "{first}");
    assert!(told["confidence"].as_f64() <= Some(0.6));
    folder.write("bom.csv", bom(&[("U1", "Quectel", "EG25-G")]));
    let declared = json(&folder, &["bom", "verify", "--declared", "bom.csv", "--observed", "sweep.csv"]);
    assert!(!declared["findings"].to_string().contains("uplink-energy"));
}

#[test]
fn lots_are_compared_and_a_sample_is_drawn() {
    let folder = Folder::new();
    let list = |skip: u32, swap: bool| {
        let mut out = String::from("Lot,Serial Number,IMEI,Model,SHA256\n");
        for n in (0..40u32).filter(|n| *n != skip) {
            let number = if swap && n == 5 {
                6
            } else if swap && n == 6 {
                5
            } else {
                n
            };
            out.push_str(&format!("L7,SN-{n:03},{},EG25-G,aa\n", imei("86769804", number)));
        }
        out
    };
    folder.write("shipped.csv", list(99, false));
    folder.write("received.csv", list(3, true));
    let words = ["bom", "verify", "--shipped", "shipped.csv", "--received", "received.csv", "--find", "10%", "--confidence", "95"];
    let answer = json(&folder, &words);
    let lot = &answer["custody"]["lots"][0];
    let kinds: Vec<&str> = lot["mismatches"].as_array().unwrap().iter().map(|m| m["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["swapped", "swapped", "missing"]);
    assert_eq!((lot["shipped"].as_u64(), lot["received"].as_u64(), lot["agree"].as_u64()), (Some(40), Some(39), Some(37)));
    let text = finding(&answer, "lot-mismatch")["because"].to_string();
    assert!(text.contains("shipped.csv, row 7") && text.contains("received.csv, row 6"), "{text}");
    let draw = lot["draw"].as_array().unwrap();
    let plan = lot["sampling"].as_array().unwrap().iter().find(|s| s["bad_percent"] == 10.0 && s["confidence_percent"] == 95.0).unwrap();
    assert_eq!((plan["bad_pieces"].as_u64(), plan["take"].as_u64()), (Some(4), Some(draw.len() as u64)));
    // The same draw each time, another by another seed.
    assert_eq!(json(&folder, &words)["custody"], answer["custody"]);
    let seeded = json(&folder, &[&words[..], &["--seed", "ours"]].concat());
    assert_eq!(seeded["custody"]["lots"][0]["seed"], "ours");
    assert_ne!(seeded["custody"]["lots"][0]["draw"], lot["draw"]);
    assert!(answer["limits"].to_string().contains("no software sees implants"));
}

#[test]
fn gates_devices_and_formats() {
    let folder = Folder::new();
    gateway(&folder);
    let verify = |more: &[&str]| -> Ran {
        let words = ["bom", "verify", "--declared", "bom.csv", "--observed", "GW-17", "--as-of", DAY, "--no-save"];
        run(&folder, words.iter().chain(more))
    };
    assert_eq!(verify(&[]).code, 0);
    assert_eq!(verify(&["--fail-on", "substituted-module,undeclared-module"]).code, 0);
    assert_eq!(verify(&["--device", "GW-99"]).code, 2);
    assert_eq!(verify(&["--find", "120%"]).code, 2);
    assert_eq!(verify(&["--format", "html"]).code, 2);
    folder.write("bom.csv", bom(&[("U1", "u-blox", "SARA-R410M-02B")]));
    assert_eq!(verify(&[]).code, 0, "a report, no gate by itself");
    assert_eq!(verify(&["--fail-on", "substituted-module"]).code, 1);
    // Of two things in a folder nobody knows whether they are the product, unless it is named.
    assert_eq!(verify(&["--fail-on", "critical"]).code, 0);
    assert_eq!(verify(&["--fail-on", "critical", "--device", "GW-17"]).code, 1);
    let table = verify(&["--device", &imei("86769804", 9)]);
    for part in ["SUBSTITUTED", "declared: ", "observed: ", "bom.csv", "What this cannot see"] {
        assert!(table.out.contains(part), "{part}\n{}", table.out);
    }
    let csv = verify(&["--format", "csv"]).out;
    assert!(csv.starts_with("result,device,label,") && csv.lines().nth(1).is_some_and(|l| l.starts_with("substituted,dev-")), "{csv}");
    assert!(verify(&["--format", "github", "--device", "GW-17"]).out.contains("::error file=bom.csv,line=3,title=substituted-module::"));
    let sarif = verify(&["--format", "sarif"]).json();
    let result = sarif["runs"][0]["results"].as_array().unwrap().iter().find(|r| r["ruleId"] == "substituted-module").unwrap();
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 3);
    assert!(verify(&["--format", "junit"]).out.contains("<failure type=\"substituted\""));
    folder.write("bom.csv", bom(&[("U1", "Quectel", "EG25-G"), ("U2", "u-blox", "SARA-R410M-02B")]));
    assert_eq!(verify(&["--fail-on", "unknown"]).code, 3);
}

#[test]
fn half_of_a_comparison_is_refused() {
    let folder = Folder::new();
    gateway(&folder);
    for words in [
        &["bom", "verify"][..],
        &["bom", "verify", "--declared", "bom.csv"],
        &["bom", "verify", "--observed", "GW-17"],
        &["bom", "verify", "--shipped", "bom.csv"],
        &["bom", "verify", "--declared", "no.csv", "--observed", "GW-17"],
    ] {
        assert_eq!(run(&folder, words).code, 2, "{words:?}");
    }
}
