//! The chain from weak evidence to an answer.

use serde_json::Value;

use super::{Folder, LSUSB, at_session, imei, run, sims};

fn device<'a>(doc: &'a Value, key: &str, value: &str) -> &'a Value {
    let all = doc["devices"].as_array().unwrap();
    all.iter()
        .find(|d| d["identifiers"][key].as_array().is_some_and(|v| v.iter().any(|x| x == value)))
        .unwrap_or_else(|| panic!("no device with {key} {value}\n{doc:#}"))
}

#[test]
fn lsusb_at_and_sim_export_are_one_device_with_a_confirmed_module() {
    let folder = Folder::new();
    let number = imei("86769804", 7);
    folder.write("e/cmdb.csv", "asset id,name,site,owner\nGW-0042,Pump house gateway,North,ops\n");
    folder.write("e/GW-0042/lsusb.txt", LSUSB);
    folder.write("e/GW-0042/at.txt", at_session(&number));
    folder.write("e/sims.csv", sims(&[&number]));
    let ran = run(&folder, ["audit", "e", "--format", "json", "--as-of", "2026-11-25"]);
    let doc = ran.json();
    assert_eq!(doc["schema"], "umbilical.audit/1");
    assert_eq!(doc["as_of"], "2026-11-25");
    let gateway = device(&doc, "asset_id", "GW-0042");
    assert_eq!(gateway["inputs"].as_array().unwrap().len(), 4, "{gateway:#}");
    assert_eq!(gateway["modules"].as_array().unwrap().len(), 1, "{gateway:#}");
    let module = &gateway["modules"][0];
    assert_eq!((module["maker"].as_str(), module["model"].as_str()), (Some("Quectel"), Some("EG25-G")));
    assert_eq!(module["confidence_level"], "confirmed", "{module:#}");
    assert_eq!(module["jurisdictions"][0]["country"], "CN");
    assert!(module["because"][0]["at"].as_str().unwrap().starts_with("line "));
    assert_eq!(gateway["identifiers"]["iccid"][0], "89882…00", "masked unless asked for");
    // The whole chain, from the home.
    let why = run(&folder, ["explain", "GW-0042"]);
    assert_eq!(why.code, 0, "{}", why.err);
    for word in ["EG25GGBR07A08M2G", "Quectel", "CN", "National Intelligence Law", "HBOM", "segmentation"] {
        assert!(why.out.contains(word), "{word}\n{}", why.out);
    }
    let claim = module["claims"][0]["id"].as_str().unwrap();
    assert_eq!(run(&folder, ["explain", claim]).code, 0);
    let edges = run(&folder, ["export", "edges", "--format", "csv"]);
    assert!(edges.out.lines().any(|l| l.starts_with("Quectel,EG25-G")), "{}", edges.out);
    assert!(run(&folder, ["export", "tac", "--format", "csv"]).out.contains("86769804,Quectel,EG25-G"));
    // Asked for, subscriber numbers are whole.
    let open = run(&folder, ["audit", "e", "--format", "json", "--no-save", "--show-subscribers"]).json();
    assert_eq!(device(&open, "asset_id", "GW-0042")["identifiers"]["iccid"][0], "8988228000000000000");
}

#[test]
fn the_order_of_inputs_and_the_number_of_threads_change_nothing() {
    let folder = Folder::new();
    let numbers: Vec<String> = (0..40).map(|n| imei(if n % 2 == 0 { "86769804" } else { "99999903" }, n)).collect();
    let refs: Vec<&str> = numbers.iter().map(String::as_str).collect();
    folder.write("b.csv", sims(&refs));
    folder.write("a.txt", at_session(&numbers[0]));
    folder.write("c/lsusb.txt", LSUSB);
    let of = |args: &[&str]| run(&folder, args.iter().copied().chain(["--format", "json", "--no-save"])).out;
    let one = of(&["audit", "a.txt", "b.csv", "c", "--threads", "1"]);
    assert_eq!(one, of(&["audit", "c", "b.csv", "a.txt", "--threads", "4"]));
    assert_eq!(one, of(&["audit", "b.csv", "b.csv", "c/lsusb.txt", "a.txt", "--threads", "2"]));
}

#[test]
fn every_format_of_one_fleet() {
    let folder = Folder::new();
    let (known, unknown) = (imei("86769804", 7), imei("99999904", 8));
    folder.write("e/sims.csv", sims(&[&known, &unknown]));
    let table = run(&folder, ["audit", "e", "--no-save", "--as-of", "2026-11-25"]).out;
    assert!(table.contains("2 of 2 devices carry a cellular module") || table.contains("2 of 2 devices"), "{table}");
    assert!(table.contains("licensed TAC"), "{table}");
    assert!(!table.contains('\u{1b}'));
    let csv = run(&folder, ["audit", "e", "--no-save", "--format", "csv"]).out;
    let header = "id,names,imei,cellular,brand,maker,model,variant,sold_as,level,confidence,confidence_level,basis,jurisdictions,findings,next_evidence";
    assert_eq!(csv.lines().next(), Some(header));
    let html = run(&folder, ["audit", "e", "--no-save", "--format", "html"]).out;
    assert!(html.starts_with("<!doctype html>") || html.starts_with("<!DOCTYPE html>"));
    assert!(!html.contains("<script") && !html.contains("http-equiv=\"refresh\""));
    let colour = run(&folder, ["audit", "e", "--no-save", "--color", "always"]).out;
    assert!(colour.contains('\u{1b}'));
}

#[test]
fn a_stick_is_cellular_and_carries_no_module() {
    let folder = Folder::new();
    folder.write(
        "lsusb.txt",
        "Bus 001 Device 001: ID 1d6b:0002 Linux Foundation 2.0 root hub\nBus 001 Device 005: ID 12d1:1506 Huawei Technologies Co., Ltd. Modem/Networkcard\n",
    );
    let doc = run(&folder, ["audit", "lsusb.txt", "--no-save", "--format", "json"]).json();
    let coverage = &doc["coverage"];
    let counts = ["devices", "cellular", "products", "module_known"].map(|k| coverage[k].as_u64());
    assert_eq!(counts, [Some(1), Some(1), Some(1), Some(0)], "{doc:#}");
    let table = run(&folder, ["audit", "lsusb.txt", "--no-save"]).out;
    assert!(table.starts_with("0 of 1 device carries a cellular module; 1 is a cellular product itself."), "{table}");
}

#[test]
fn a_mapping_file_overrides_the_guess() {
    let folder = Folder::new();
    let number = imei("86769804", 7);
    folder.write("odd.csv", format!("Kennung;Wert 7\nA-1;{number}\n"));
    folder.write("map.toml", "[columns]\n\"Kennung\" = \"asset-id\"\n\"Wert 7\" = \"imei\"\n");
    let doc = run(&folder, ["audit", "odd.csv", "--map", "map.toml", "--format", "json", "--no-save"]).json();
    device(&doc, "asset_id", "A-1");
    device(&doc, "imei", &number);
    folder.write("bad.toml", "[columns]\n\"Kennung\" = \"colour\"\n");
    let bad = run(&folder, ["audit", "odd.csv", "--map", "bad.toml"]);
    assert_eq!(bad.code, 2);
    assert!(bad.err.contains("bad.toml") && bad.err.contains("colour"), "{}", bad.err);
}

#[test]
fn an_imported_licensed_table_is_used_and_said() {
    let folder = Folder::new();
    let number = imei("99999905", 1);
    folder.write("sims.csv", sims(&[&number]));
    let before = run(&folder, ["audit", "sims.csv", "--format", "json", "--no-save"]).json();
    assert_eq!((before["imeis"]["undecided"].as_u64(), before["imeis"]["licensed_table"].as_bool()), (Some(1), Some(false)));
    folder.write(
        "gsma.txt",
        "TAC|Manufacturer (or) Applicant|Brand Name|Model Name|Device Type\n99999905|Quectel Wireless|Quectel|BG95-M3|Module\nbad|x|y|z|\n",
    );
    folder.write("noise.bin", (0..5000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<u8>>());
    assert_eq!(run(&folder, ["knowledge", "import", "noise.bin"]).code, 2);
    folder.write("other.csv", "TAC,Model\n99999905,A\nx,B\ny,C\nz,D\n");
    assert_eq!(run(&folder, ["knowledge", "import", "other.csv"]).code, 2);
    let import = run(&folder, ["knowledge", "import", "gsma.txt"]);
    assert_eq!(import.code, 0, "{}", import.err);
    assert!(import.out.contains("imported 1") && import.out.contains("line 3"), "{}", import.out);
    let after = run(&folder, ["audit", "sims.csv", "--format", "json", "--no-save"]).json();
    assert_eq!(after["imeis"]["undecided"], 0);
    assert_eq!(after["devices"][0]["modules"][0]["model"], "BG95-M3");
}
