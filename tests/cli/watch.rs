//! `watch` through the real binary: what it says of a trace whose truth is known.

use serde_json::Value;
use umbilical_synth::mobile::{Frame, Kind, Plan, What, pcap, trace};

use super::docs::Schema;
use super::{Folder, run, run_with_input};

fn plan() -> Plan {
    Plan { seed: 11, sessions: 30, loss: 0, packets: 6 }
}

#[test]
fn every_session_has_its_sim_and_module() {
    let folder = Folder::new();
    let truth = trace(&plan());
    folder.write("gn.pcap", pcap(&truth.frames));
    let ran = run(&folder, ["watch", "gn.pcap", "--format", "json", "--show-subscribers", "--flows", "flows.jsonl"]);
    let document = ran.json();
    assert_eq!(Schema::load("watch").wrong(&document), [""; 0]);
    let sessions = document["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), truth.sessions.len());
    for session in &truth.sessions {
        let named = session.kind != Kind::Nameless;
        let found = sessions.iter().find(|s| s["apn"] == session.apn && (!named || s["imsi"] == session.imsi.as_str())).unwrap();
        if named {
            assert_eq!((&found["module"]["model"], &found["module"]["confidence_level"]), (&"EG25-G".into(), &"probable".into()));
            assert_eq!((&found["packets"], &found["flows"]), (&6.into(), &1.into()));
        }
    }
    assert_eq!((&document["counters"]["tunnelled"], &document["counters"]["unattributed"]), (&180.into(), &0.into()));
    let lines = std::fs::read_to_string(folder.path().join("flows.jsonl")).unwrap();
    let of_modules = lines.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()).filter(|f| !f["session"].is_null());
    assert_eq!(of_modules.count(), 30);
    // Numbers of subscribers are covered unless they are asked for.
    let text = run(&folder, ["watch", "gn.pcap", "--format", "json"]).out;
    assert!(!text.contains(&truth.sessions[0].imsi) && text.contains(&truth.sessions[0].imei));
}

#[test]
fn several_captures_are_one_trace_in_the_order_in_which_they_began() {
    let folder = Folder::new();
    let truth = trace(&plan());
    let (first, second) = truth.frames.split_at(truth.frames.len() / 2);
    folder.write("c/z.pcap", pcap(first));
    folder.write("c/a.pcap", pcap(second));
    folder.write("whole.pcap", pcap(&truth.frames));
    let apart = run(&folder, ["watch", "c", "--format", "json"]).json();
    let whole = run(&folder, ["watch", "whole.pcap", "--format", "json"]).json();
    // The capture in which a session was introduced is another; all else is the same.
    let of = |document: &Value| {
        let mut sessions = document["sessions"].clone();
        sessions.as_array_mut().unwrap().iter_mut().for_each(|s| s["module"] = s["module"]["model"].take());
        sessions
    };
    assert!(of(&apart) == of(&whole) && apart["counters"] == whole["counters"]);
    let piped = run_with_input(&folder, &["watch", "-", "--format", "json"], &pcap(&truth.frames)).json();
    assert!(of(&piped) == of(&whole));
}

#[test]
fn what_is_no_capture_or_breaks_off_is_said() {
    let folder = Folder::new();
    let bytes = pcap(&trace(&plan()).frames);
    folder.write("notes.txt", "no capture");
    folder.write("cut.pcap", &bytes[..bytes.len() - 5]);
    let ran = run(&folder, ["watch", "notes.txt"]);
    assert!(ran.code == 2 && ran.err.contains("neither pcap nor pcapng"), "{}", ran.err);
    let ran = run(&folder, ["watch", "notes.txt", "cut.pcap", "--format", "json"]);
    assert_eq!(ran.code, 0);
    let problems = ran.json()["problems"].to_string();
    assert!(problems.contains("breaks off in the middle of a frame") && problems.contains("neither pcap nor pcapng"), "{problems}");
    assert_eq!(run(&folder, ["watch", "notes.txt", "cut.pcap", "--strict"]).code, 2);
    assert_eq!(run(&folder, ["watch", "missing.pcap"]).code, 2);
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let ran = run(&folder, ["watch", "empty", "--format", "json"]);
    assert_eq!((ran.code, ran.json()["sessions"].as_array().map(Vec::len)), (0, Some(0)));
    assert_eq!(run(&folder, ["watch", "cut.pcap", "--format", "csv"]).code, 2);
}

#[test]
fn what_is_read_is_not_written_over() {
    let folder = Folder::new();
    let bytes = pcap(&trace(&plan()).frames);
    folder.write("gn.pcap", &bytes);
    folder.write("sims.csv", "imei\n867698040000179\n");
    for words in [
        &["watch", "gn.pcap", "--flows", "gn.pcap"][..],
        &["watch", "./gn.pcap", "-o", "gn.pcap"],
        &["audit", "sims.csv", "-o", "sims.csv"],
    ] {
        let ran = run(&folder, words);
        assert!(ran.code == 2 && ran.err.contains("would be written over what is read"), "{words:?}: {}", ran.err);
    }
    assert_eq!(std::fs::read(folder.path().join("gn.pcap")).unwrap(), bytes);
    assert_eq!(std::fs::read_to_string(folder.path().join("sims.csv")).unwrap(), "imei\n867698040000179\n");
}

/// A SYN to each of so many ports, one each ten milliseconds, and nothing back.
fn probes(ports: u16) -> Vec<u8> {
    let frame = |port: u16| {
        let head = [0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 7, 198, 51, 100, 9];
        let ends = [&40_000u16.to_be_bytes()[..], &port.to_be_bytes()].concat();
        let tcp = [&ends[..], &[0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 1, 0, 0, 0, 0, 0]].concat();
        let bytes = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0][..], &head, &tcp].concat();
        let what = What::User { token: String::new(), up: true };
        Frame { at: 1_700_000_000_000_000 + i64::from(port) * 10_000, session: 0, what, bytes }
    };
    pcap(&(1..=ports).map(frame).collect::<Vec<_>>())
}

#[test]
fn what_detectors_find_is_a_gate_only_where_it_is_asked_for() {
    let folder = Folder::new();
    folder.write("scan.pcap", probes(100));
    let ran = run(&folder, ["watch", "scan.pcap", "--format", "json"]);
    let document = ran.json();
    assert_eq!((ran.code, Schema::load("watch").wrong(&document)), (0, vec![]));
    let finding = &document["findings"][0];
    let id = |f: &Value| (f["code"].clone(), f["subject"]["id"].clone(), f["source"].clone());
    assert_eq!(id(finding), ("scan".into(), "10.0.0.7".into(), "detector".into()));
    let detectors = document["detectors"].as_array().unwrap();
    assert!(detectors.iter().all(|d| d["state"] == "evaluated" && d["blind"] == 0), "{detectors:?}");
    for (gate, code) in [("incident", 1), ("scan", 1), ("medium", 1), ("critical", 0), ("beacon", 0)] {
        assert_eq!(run(&folder, ["watch", "scan.pcap", "--fail-on", gate]).code, code, "{gate}");
    }
    let table = run(&folder, ["watch", "scan.pcap"]).out;
    assert!(table.contains("10.0.0.7 tried"), "{table}");
    assert_eq!(run(&folder, ["watch", "scan.pcap", "--compat", "snort"]).code, 2);
    // A few ports are none.
    folder.write("few.pcap", probes(8));
    assert_eq!(run(&folder, ["watch", "few.pcap", "--fail-on", "incident"]).code, 0);
}
