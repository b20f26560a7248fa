//! `watch` with lists of others and what is expected, through the real binary.

use serde_json::Value;
use umbilical_synth::{gateway, mobile::pcap};

use super::docs::Schema;
use super::{Folder, run};

fn detector<'v>(document: &'v Value, code: &str) -> &'v Value {
    document["detectors"].as_array().unwrap().iter().find(|d| d["code"] == code).unwrap()
}

#[test]
fn what_is_listed_is_found_and_what_is_expected_is_not_told() {
    let folder = Folder::new();
    folder.write("g.pcap", pcap(&gateway::morning()));
    let document = run(&folder, ["watch", "g.pcap", "--format", "json", "--no-save", "--flows", "flows.jsonl", "--output", "a.json"]);
    assert_eq!(document.code, 0, "{}", document.err);
    let text = std::fs::read_to_string(folder.path().join("flows.jsonl")).unwrap();
    let flow: Value = text.lines().map(|l| serde_json::from_str(l).unwrap()).find(|f: &Value| f["session"].is_string()).unwrap();
    let (session, peer) = (flow["session"].as_str().unwrap(), flow["dst"].as_str().unwrap());
    let peer = if peer.starts_with("10.") { flow["src"].as_str().unwrap() } else { peer };

    folder.write("list.txt", format!("# seen elsewhere\n{peer} somebody's server\nno indicator\n"));
    let lists = ["watch", "g.pcap", "--format", "json", "--no-save", "--indicators", "list.txt"];
    let document = run(&folder, lists).json();
    assert_eq!(Schema::load("watch").wrong(&document), [""; 0]);
    let found: Vec<&Value> = document["findings"].as_array().unwrap().iter().filter(|f| f["code"] == "indicator").collect();
    assert!(found.iter().any(|f| f["subject"]["id"] == session && f["basis"] == "listed" && f["detail"]["peer"] == peer), "{found:?}");
    assert!(found[0]["because"][1].as_str().unwrap().ends_with("list.txt, line 2: somebody's server"), "{found:?}");
    assert_eq!(document["problems"][0]["at"], "line 3");
    assert_eq!(document["inputs"][0]["format"], "indicators");
    assert_eq!(detector(&document, "indicator")["state"], "evaluated");

    folder.write("expect.toml", format!("[[allow]]\nfindings = [\"indicator\"]\nto = [\"{peer}\"]\nreason = \"it is ours\"\n"));
    let document = run(&folder, [&lists[..], &["--expect", "expect.toml"]].concat()).json();
    assert_eq!(detector(&document, "indicator")["allowed"], found.len());
    assert!(!document["findings"].as_array().unwrap().iter().any(|f| f["code"] == "indicator"));
    let shown = run(&folder, ["watch", "g.pcap", "--no-save", "--indicators", "list.txt", "--expect", "expect.toml"]).out;
    assert!(shown.contains("of indicator are not told: written down as expected"), "{shown}");
}

/// Each kind of module that is none of the estate's is one finding, however many modules of it there are.
#[test]
fn modules_of_a_kind_that_is_not_written_down_are_told_by_their_kinds() {
    let folder = Folder::new();
    folder.write("g.pcap", pcap(&gateway::morning()));
    let kinds = |estate: &str| {
        folder.write("expect.toml", estate);
        let document = run(&folder, ["watch", "g.pcap", "--format", "json", "--no-save", "--expect", "expect.toml"]).json();
        assert_eq!(Schema::load("watch").wrong(&document), [""; 0]);
        let tacs: std::collections::BTreeSet<String> =
            document["sessions"].as_array().unwrap().iter().filter_map(|s| s["tac"].as_str()).map(|tac| format!("TAC {tac}")).collect();
        let peer = |f: &Value| f["detail"]["peer"].as_str().filter(|p| p.starts_with("TAC ")).map(str::to_owned);
        let mut told: Vec<String> = document["findings"].as_array().unwrap().iter().filter_map(peer).collect();
        told.sort();
        (tacs.into_iter().collect::<Vec<_>>(), told)
    };
    let (tacs, told) = kinds("");
    assert!(tacs.len() > 1 && told.is_empty(), "{tacs:?} {told:?}");
    let (tacs, told) = kinds(&format!("[estate]\ntac = [\"{}\"]\n", tacs[0].trim_start_matches("TAC ")));
    assert_eq!(told, tacs[1..]);
}

#[test]
fn a_list_that_is_none_is_refused_with_its_line() {
    let folder = Folder::new();
    folder.write("g.pcap", pcap(&gateway::morning()));
    let document = run(&folder, ["watch", "g.pcap", "--format", "json", "--no-save"]).json();
    assert_eq!(detector(&document, "indicator")["state"], "not-given");
    for (flag, text, said) in [
        ("--indicators", "dear colleagues\n", "no indicator is in it"),
        ("--indicators", "{\"objects\": [\n", "broken at line 2"),
        ("--expect", "[[window]]\nfrom = \"1:00\"\nuntil = \"99:00\"\n", "list, line 3: \"99:00\" is not a time of the day"),
        ("--expect", "[[allow]]\nreason = \"x\"\nfindings = [\"no-such\"]\n", "list, line 3: \"no-such\" is not a finding of a detector"),
        ("--expect", "[[update-server]]\nhost = \"a.example\"\nasn = [0]\n", "list, line 3: 0 is not the number of an autonomous system"),
        ("--expect", "[estate]\ntac = [\"12\"]\n", "list, line 2: \"12\" is not a type allocation code"),
    ] {
        folder.write("list", text);
        let ran = run(&folder, ["watch", "g.pcap", "--no-save", flag, "list"]);
        assert!(ran.code == 2 && ran.err.contains(said), "{} {}", ran.code, ran.err);
    }
    let ran = run(&folder, ["watch", "g.pcap", "--indicators", "list", "--output", "list"]);
    assert!(ran.code == 2 && ran.err.contains("would be written over what is read"), "{}", ran.err);
}

/// What every module does with one server is looked at once.
#[test]
fn what_many_do_with_one_peer_is_one_incident() {
    let folder = Folder::new();
    folder.write("g.pcap", pcap(&gateway::morning()));
    folder.write("list.txt", "192.0.2.0/24\n");
    let arguments = ["watch", "g.pcap", "--no-save", "--indicators", "list.txt"];
    let document = run(&folder, [&arguments[..], &["--format", "json"]].concat()).json();
    assert_eq!(Schema::load("watch").wrong(&document), [""; 0]);
    let of = |key: &str| document[key].as_array().unwrap().iter().filter(|f| f["code"] == "indicator").collect::<Vec<_>>();
    let (findings, incidents) = (of("findings"), of("incidents"));
    assert!(findings.len() > 2, "{findings:?}");
    assert_eq!((incidents.len(), incidents[0]["subjects"].as_u64()), (1, Some(findings.len() as u64)));
    assert_eq!((&incidents[0]["peer"], incidents[0]["findings"].as_array().map(Vec::len)), (&"192.0.2.0/24".into(), Some(findings.len())));
    let shown = run(&folder, arguments).out;
    assert_eq!(shown.lines().filter(|line| line.split_whitespace().nth(1) == Some("indicator")).count(), 1, "{shown}");
}
