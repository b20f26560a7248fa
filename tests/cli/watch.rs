//! `watch` through the real binary: what it says of a trace whose truth is known.

use serde_json::Value;
use umbilical_synth::mobile::{Frame, Kind, Plan, What, pcap, trace};

use super::docs::Schema;
use super::{Folder, command, run, run_with_input};

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

/// A pipe can be read only once, and a file that is named twice is one.
#[cfg(unix)]
#[test]
fn each_input_is_read_once() {
    let folder = Folder::new();
    let truth = trace(&plan());
    let (first, second) = truth.frames.split_at(truth.frames.len() / 2);
    folder.write("c/a.pcap", pcap(first));
    folder.write("whole.pcap", pcap(&truth.frames));
    let whole = run(&folder, ["watch", "whole.pcap", "--format", "json"]).json();
    for words in [&["watch", "c/a.pcap", "PIPE"][..], &["watch", "c", "./c/a.pcap", "PIPE"]] {
        let pipe = Folder::new();
        let path = pipe.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let (to, bytes) = (path.clone(), pcap(second));
        let writes = std::thread::spawn(move || std::fs::write(to, bytes));
        let path = path.to_str().unwrap();
        let words: Vec<_> = words.iter().map(|w| if *w == "PIPE" { path } else { *w }).chain(["--format", "json"]).collect();
        let document = run(&folder, words).json();
        writes.join().unwrap().unwrap();
        assert_eq!(
            (document["inputs"].as_array().unwrap().len(), &document["counters"]),
            (2, &whole["counters"]),
            "{:?}",
            document["problems"]
        );
    }
}

#[test]
fn conversations_and_the_answer_do_not_meet_in_one_place() {
    let folder = Folder::new();
    folder.write("gn.pcap", pcap(&trace(&plan()).frames));
    for words in [&["--flows", "-"][..], &["--flows", "-", "-o", "-"], &["--flows", "x", "-o", "./x"], &["--flows", "y", "-o", "y"]] {
        let ran = run(&folder, ["watch", "gn.pcap"].iter().chain(words));
        assert!(ran.code == 2 && ran.out.is_empty() && ran.err.contains("--output"), "{words:?}: {}", ran.err);
    }
    assert!(["-", "x", "y"].iter().all(|name| !folder.path().join(name).exists()));
    let ran = run(&folder, ["watch", "gn.pcap", "--flows", "-", "-o", "answer.json", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let answer: Value = serde_json::from_slice(&std::fs::read(folder.path().join("answer.json")).unwrap()).unwrap();
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() >= 30 && answer["counters"]["flows"] == lines.len());
    assert!(!folder.path().join("-").exists());
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
    assert!(detectors.iter().all(|d| d["state"] != "not-evaluable" && d["blind"] == 0), "{detectors:?}");
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

/// The conversations that `--flows` writes.
fn flows(folder: &Folder, words: &[&str]) -> (Value, Vec<Value>) {
    let ran = run(folder, ["watch", "--format", "json", "--flows", "out.jsonl"].iter().chain(words));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines = std::fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    (ran.json(), lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect())
}

const CONN: &str = "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_bytes\t\
                    resp_bytes\tconn_state\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n";
const SSL: &str = "#separator \\x09\n#path\tssl\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tserver_name\n";

/// Logs of so many hours, a conversation each minute: what was said stands before the conversation is over, perhaps in the hour before.
fn logs(folder: &Folder, hours: u64) {
    for hour in 0..hours {
        let (mut conn, mut ssl) = (CONN.to_owned(), SSL.to_owned());
        for minute in 0..60 {
            let at = 1_793_500_000 + hour * 3600 + minute * 60;
            let ends = format!("C{at}\t10.0.0.1\t40000\t192.0.2.9\t443");
            // It began 10 minutes before.
            conn += &format!("{}\t{ends}\ttcp\t600.5\t500\t700\tSF\tShADadFf\t5\t700\t5\t900\n", at - 600);
            ssl += &format!("{at}.25\tC{}\t10.0.0.1\t40000\t192.0.2.9\t443\tcloud.example\n", at + 600);
        }
        folder.write(&format!("logs/day/conn.{hour:02}.log"), conn);
        folder.write(&format!("logs/day/ssl.{hour:02}.log"), ssl);
    }
}

#[test]
fn logs_of_zeek_are_joined_whatever_their_files_are_called() {
    let folder = Folder::new();
    logs(&folder, 3);
    let (document, all) = flows(&folder, &["logs"]);
    assert_eq!(Schema::load("watch").wrong(&document), [""; 0]);
    let formats: Vec<_> = document["inputs"].as_array().unwrap().iter().map(|i| i["format"].as_str().unwrap()).collect();
    assert_eq!((formats.iter().filter(|f| **f == "zeek-conn").count(), formats.len()), (3, 6), "{formats:?}");
    assert_eq!((&document["counters"]["records"], document["problems"].as_array().map(Vec::len)), (&180.into(), Some(0)));
    // Of the first ten minutes nobody has said anything yet, of the last ten the conversation is not over.
    let known = all.iter().filter(|f| f["packets"] != 0);
    assert_eq!(known.clone().count(), 180);
    assert_eq!(known.clone().filter(|f| f["sni"] == "cloud.example").count(), 170);
    assert_eq!(all.iter().filter(|f| f["packets"] == 0 && f["answered"].is_null()).count(), 10);
    for flow in known {
        assert_eq!((&flow["answered"], &flow["bytes"]), (&true.into(), &1600.into()));
        assert_eq!(flow["seen"], serde_json::json!(["counts", "payload", "flags", "answers", "tls"]), "no log says what was asked of DNS");
    }
    assert!(run(&folder, ["watch", "logs"]).out.contains("180 records, 190 conversations"));
}

#[test]
fn a_line_that_is_wrong_has_its_place() {
    let folder = Folder::new();
    let line = "1.5\tC1\t10.0.0.1\t1\t192.0.2.9\t443\ttcp\t1\t5\t7\tSF\t-\t5\t700\t5\t900\n";
    folder.write("conn.log", format!("{CONN}{line}1.5\tC2\n{line}1.5\tC3\n1.5\tC4\t10.0"));
    folder.write("eve.json", "{\"timestamp\":\"2026-11-01T02:26:40.1+0000\",\"event_type\":\"stats\"}\n{\"event\n");
    let ran = run(&folder, ["watch", "conn.log", "eve.json", "--format", "json"]);
    let problems = ran.json()["problems"].clone();
    let told: Vec<_> = problems.as_array().unwrap().iter().map(|p| format!("{}: {}", p["at"], p["what"])).collect();
    assert_eq!(
        told,
        [
            r#""line 5": "it has 2 of 16 columns; so it is with 1 more""#,
            r#""line 8": "it breaks off in the middle of a line""#,
            r#""line 2": "this line is no event of Suricata""#
        ]
    );
}

/// A datagram of NetFlow 5 with one record: TCP from 10.0.0.1 to 192.0.2.9, of five packets.
fn netflow(second: u32) -> Vec<u8> {
    let head = [&[0, 5, 0, 1][..], &60_000u32.to_be_bytes(), &second.to_be_bytes(), &[0; 12]].concat();
    let times = [30_000u32, 40_000].map(u32::to_be_bytes).concat();
    let record = [&[10, 0, 0, 1, 192, 0, 2, 9][..], &[0; 8], &[0, 0, 0, 5, 0, 0, 3, 32], &times, &[0x9c, 0x40, 1, 187, 0, 27, 6], &[0; 9]];
    [head, record.concat()].concat()
}

#[test]
fn exported_records_are_read_from_captures_and_from_files() {
    let folder = Folder::new();
    let datagram = netflow(1_793_500_000);
    let udp = [&[0xc0, 0, 0x08, 0x07][..], &((datagram.len() + 8) as u16).to_be_bytes(), &[0, 0], &datagram].concat();
    let ip =
        [&[0x45, 0][..], &((udp.len() + 20) as u16).to_be_bytes(), &[0, 0, 0, 0, 64, 17, 0, 0, 10, 9, 9, 9, 10, 9, 9, 1], &udp].concat();
    let head = [&0xa1b2_c3d4u32.to_be_bytes()[..], &[0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 101]].concat();
    let frame = [1_793_500_001, 0, ip.len() as u32, ip.len() as u32].map(u32::to_be_bytes).concat();
    folder.write("export.pcap", [head, frame, ip].concat());
    folder.write("export.bin", [datagram, netflow(1_793_500_100), b"rest".to_vec()].concat());
    let (document, all) = flows(&folder, &["export.pcap"]);
    // The export is a conversation of its own.
    assert_eq!((all.len(), &document["counters"]["records"]), (2, &1.into()));
    let flow = all.iter().find(|f| f["proto"] == "tcp").unwrap();
    assert_eq!((&flow["packets"], &flow["bytes"], &flow["answered"]), (&5.into(), &800.into(), &Value::Null));
    assert_eq!((&flow["start"], &flow["end"]), (&"2026-11-01T02:26:10Z".into(), &"2026-11-01T02:26:20Z".into()));
    let (document, all) = flows(&folder, &["export.bin"]);
    // The same ports, and less silence between than ends a conversation.
    assert_eq!((all.len(), &all[0]["packets"], &document["inputs"][0]["format"]), (1, &10.into(), &"netflow-v5".into()));
    assert_eq!(document["problems"][0]["at"], "datagram 3");
}

#[test]
fn records_of_a_modules_address_are_its_own() {
    let folder = Folder::new();
    let truth = trace(&plan());
    // Later all of them are over.
    folder.write("gn.pcap", pcap(&truth.frames[..truth.frames.len() / 2]));
    let before = run(&folder, ["watch", "gn.pcap", "--format", "json"]).json();
    let of = |document: &Value, id: &Value| document["sessions"].as_array().unwrap().iter().find(|s| s["id"] == *id).unwrap().clone();
    let mut found = 0;
    for session in before["sessions"].as_array().unwrap() {
        let Some(ue) = session["ue"].as_array().and_then(|all| all.first()).and_then(Value::as_str).filter(|a| !a.contains('/')) else {
            continue;
        };
        let line = format!("1893456000\tC1\t{ue}\t1\t192.0.2.9\t443\ttcp\t1\t5\t7\tSF\tShADadFf\t5\t700\t6\t900\n");
        folder.write("conn.log", format!("{CONN}{line}"));
        let (document, all) = flows(&folder, &["gn.pcap", "conn.log"]);
        if !all.iter().any(|f| f["bytes"] == 1600 && f["session"] == session["id"]) {
            continue;
        }
        found += 1;
        let after = of(&document, &session["id"]);
        assert_eq!(after["packets"].as_u64(), session["packets"].as_u64().map(|n| n + 11));
        assert_eq!(after["bytes_up"].as_u64(), session["bytes_up"].as_u64().map(|n| n + 700));
        assert_eq!(after["bytes_down"].as_u64(), session["bytes_down"].as_u64().map(|n| n + 900));
        break;
    }
    assert_eq!(found, 1);
}

/// Starts to listen, and gives the port.
fn listening(folder: &Folder, more: &[&str]) -> (std::process::Child, u16, impl std::io::Read + use<>) {
    use std::io::BufRead;
    use std::process::Stdio;
    let words = ["watch", "netflow://127.0.0.1:0", "--format", "json", "--flows", "out.jsonl"];
    let mut child = command(folder).args(words).args(more).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let port = line.trim_end().rsplit(':').next().unwrap().parse().unwrap_or_else(|_| panic!("{line}"));
    (child, port, said)
}

#[test]
fn a_port_is_listened_to_until_an_interrupt() {
    let folder = Folder::new();
    let (child, port, _said) = listening(&folder, &[]);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let sent = 50u64;
    for n in 0..sent {
        let mut datagram = netflow(1_793_500_000);
        // Each from a port of its own.
        datagram[56..58].copy_from_slice(&(40_000 + n as u16).to_be_bytes());
        socket.send_to(&datagram, ("127.0.0.1", port)).unwrap();
    }
    socket.send_to(b"noise", ("127.0.0.1", port)).unwrap();
    // It is over when it is told, and not before it has taken what lies there.
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(130));
    let document: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(Schema::load("watch").wrong(&document), [""; 0]);
    let counters = &document["counters"];
    assert_eq!((&counters["records"], &counters["flows"], &counters["dropped"]), (&sent.into(), &sent.into(), &0.into()));
    assert_eq!((&document["inputs"][0]["format"], &document["inputs"][0]["observations"]), (&"netflow-listener".into(), &51.into()));
    assert_eq!(document["problems"][0]["at"], "datagram 51");
    assert_eq!(std::fs::read_to_string(folder.path().join("out.jsonl")).unwrap().lines().count() as u64, sent);
    let (child, _, _said) = listening(&folder, &["--for", "1"]);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    assert_eq!(run(&folder, ["watch", "netflow://nowhere"]).code, 2);
    folder.write("notes.txt", "nothing");
    assert_eq!(run(&folder, ["watch", "notes.txt", "--for", "1"]).code, 2);
}

/// Nobody waits for the end of what goes on for months.
#[test]
fn findings_are_told_while_a_port_is_listened_to() {
    let folder = super::recorded::home();
    let traces = || {
        let all = super::recorded::asked(&folder, |store| async move { store.traces(&umbilical_store::Scope::ALL, 9).await.unwrap() });
        all.into_iter().map(|t| (t.id, t.findings)).collect::<Vec<_>>()
    };
    folder.write("list.txt", "192.0.2.9\n");
    let (child, port, mut said) = listening(&folder, &["--indicators", "list.txt", "--findings", "found.jsonl"]);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    // Both ways of a conversation.
    let there = netflow(1_793_500_000);
    let mut back = there.clone();
    for (to, from) in [(24..28, 28..32), (28..32, 24..28), (56..58, 58..60), (58..60, 56..58)] {
        back[to].copy_from_slice(&there[from]);
    }
    for datagram in [&there, &back] {
        socket.send_to(datagram, ("127.0.0.1", port)).unwrap();
    }
    let place = folder.path().join("found.jsonl");
    let found = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        std::fs::read_to_string(&place).ok().filter(|text| text.contains("\"indicator\""))
    });
    let found = found.expect("a finding while it goes on");
    let line: Value = serde_json::from_str(found.lines().next().unwrap()).unwrap();
    assert_eq!((&line["code"], &line["source"], &line["subject"]["id"]), (&"indicator".into(), &"detector".into(), &"10.0.0.1".into()));
    // So is the store, from which pages and sinks have it.
    let kept = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        Some(traces()).filter(|all| !all.is_empty())
    });
    let kept = kept.expect("a trace while it goes on");
    assert!(kept.len() == 1 && kept[0].1 == 1, "{kept:?}");
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(130));
    // The end takes the place of what was kept before.
    assert_eq!(traces(), kept);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut said, &mut text).unwrap();
    assert!(text.contains("umbilical: medium indicator: 10.0.0.1 ") || text.contains("umbilical: high indicator: 10.0.0.1 "), "{text}");
    // Each is told once, also at the end.
    let document: Value = serde_json::from_slice(&out.stdout).unwrap();
    let told = std::fs::read_to_string(&place).unwrap();
    let ids: Vec<Value> = told.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["id"].clone()).collect();
    let all = document["findings"].as_array().unwrap();
    assert!(ids.len() == all.len() && all.iter().all(|f| ids.contains(&f["id"])), "{ids:?} {all:#?}");
}

/// A frame of Ethernet in which somebody wants to begin a conversation of TCP.
fn syn(from: [u8; 4], to: [u8; 4], port: u16) -> Vec<u8> {
    let tcp = [&[0x9c, 0x40][..], &port.to_be_bytes(), &[0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0, 64, 0, 0, 0, 0]].concat();
    let ip = [&[0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0][..], &from, &to, &tcp].concat();
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0][..], &ip].concat()
}

#[test]
fn findings_of_files_are_written_as_lines() {
    let folder = Folder::new();
    let packets: Vec<Vec<u8>> = (0..60_u8).map(|n| syn([10, 0, 0, 7], [198, 51, 100, n], 23)).collect();
    folder.write("scan.pcap", ethernet(&packets));
    let document = run(&folder, ["watch", "scan.pcap", "--findings", "found.jsonl", "--format", "json"]).json();
    let told = std::fs::read_to_string(folder.path().join("found.jsonl")).unwrap();
    let lines: Vec<Value> = told.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(!lines.is_empty());
    assert_eq!(Value::from(lines), document["findings"]);
    let both = run(&folder, ["watch", "scan.pcap", "--findings", "x.jsonl", "--flows", "x.jsonl"]);
    assert!(both.code == 2 && both.err.contains("cannot be both --findings and --flows"), "{} {}", both.code, both.err);
    assert_eq!(run(&folder, ["watch", "scan.pcap", "--findings", "-"]).code, 2);
}

/// The default build has no live capture: it knows the word, and says what to do.
#[cfg(not(all(feature = "live", target_os = "linux")))]
#[test]
fn an_interface_takes_a_build_that_captures() {
    let folder = Folder::new();
    let ran = run(&folder, ["watch", "live://eth0", "--for", "1"]);
    assert!(ran.code == 2 && ran.err.contains("--features live") && ran.err.contains("tcpdump -i eth0"), "{} {}", ran.code, ran.err);
    let ran = run(&folder, ["watch", "netflow://127.0.0.1:0", "--user", "nobody", "--for", "1"]);
    assert!(ran.code == 2 && ran.err.contains("--user needs an interface"), "{} {}", ran.code, ran.err);
}

/// Files of the lake below a home, with their bytes.
fn lake(folder: &Folder) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    let days = std::fs::read_dir(folder.path().join("home/lake/flows")).map(|d| d.flatten().collect()).unwrap_or(vec![]);
    for day in days {
        for file in std::fs::read_dir(day.path()).unwrap().flatten() {
            let name = format!("{}/{}", day.file_name().to_string_lossy(), file.file_name().to_string_lossy());
            out.push((name, std::fs::read(file.path()).unwrap()));
        }
    }
    out.sort();
    out
}

#[test]
fn what_was_watched_is_kept_in_the_home_unless_it_is_not_to_be() {
    let folder = Folder::new();
    folder.write("gn.pcap", pcap(&trace(&plan()).frames));
    assert_eq!(run(&folder, ["watch", "gn.pcap", "--no-save"]).code, 0);
    assert!(!folder.path().join("home").exists());
    let ran = run(&folder, ["watch", "gn.pcap"]);
    assert!(ran.code == 0 && ran.err.contains("in the lake of the home: "), "{}", ran.err);
    let kept = lake(&folder);
    assert!(kept.len() == 1 && kept[0].0.starts_with("day=2026-11-01/") && kept[0].1.starts_with(b"PAR1"), "{:?}", kept[0].0);
    // No number of a subscriber is in it, and the same again is the same.
    run(&folder, ["watch", "gn.pcap", "--show-subscribers", "--quiet"]);
    assert!(lake(&folder) == kept);
    // A home that cannot be written: the answer is given, and the run says that it is not kept.
    std::fs::write(folder.path().join("file"), "no folder").unwrap();
    let ran = run(&folder, ["watch", "gn.pcap", "--home", "file/home", "--format", "json"]);
    assert!(ran.code != 0 && ran.err.contains("not kept in the home") && ran.out.contains("umbilical.watch/1"), "{} {}", ran.code, ran.err);
}

/// Frames of a capture of Ethernet, a second apart.
fn ethernet(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for (n, frame) in frames.iter().enumerate() {
        let length = (frame.len() as u32).to_le_bytes();
        out.extend([(1_793_500_000 + n as u32).to_le_bytes(), [0; 4], length, length].concat());
        out.extend(frame);
    }
    out
}

#[test]
fn who_publishes_without_ip_is_listed() {
    let folder = Folder::new();
    let name = b"BAY1LD0/LLN0$GO$trip";
    let body = [&[0x61, 26, 0x80, 20][..], name, &[0x81, 2, 7, 0xd0]].concat();
    let goose = |from: u8| {
        let head = [&[1, 0x0c, 0xcd, 1, 0, 1, 2, 0, 0, 0, 0, from][..], &[0x81, 0, 0x80, 5, 0x88, 0xb8, 0, 3, 0, 36, 0, 0, 0, 0]];
        [head.concat(), body.clone()].concat()
    };
    // Something else that holds no IP.
    let arp = [&[0xff; 6][..], &[2, 0, 0, 0, 0, 7, 8, 6], &[0; 28]].concat();
    folder.write("bay.pcap", ethernet(&[goose(8), goose(7), arp, goose(7)]));
    let document = run(&folder, ["watch", "bay.pcap", "--format", "json"]).json();
    assert_eq!(Schema::load("watch").wrong(&document), [""; 0]);
    let said: Vec<_> = document["publishers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| format!("{} {} {} {}", p["kind"], p["mac"], p["appid"], p["name"]))
        .collect();
    let wanted = |mac: &str| format!("\"goose\" \"02:00:00:00:00:{mac}\" 3 \"BAY1LD0/LLN0$GO$trip\"");
    assert_eq!(said, [wanted("07"), wanted("08")]);
    assert_eq!((&document["publishers"][0]["packets"], &document["publishers"][0]["last"]), (&2.into(), &"2026-11-01T02:26:43Z".into()));
    assert_eq!((&document["counters"]["published"], &document["counters"]["undecoded"]), (&3.into(), &1.into()));
    let page = run(&folder, ["watch", "bay.pcap"]).out;
    assert!(page.contains("BAY1LD0/LLN0$GO$trip") && page.contains("0x0003"), "{page}");
}
