//! What devices spoke with before, from one run of `watch` to the next, through the real binary.

use std::path::PathBuf;

use serde_json::Value;
use umbilical_synth::scene::{self, Talk};

use super::docs::Schema;
use super::{Folder, run};

const ME: [u8; 4] = [10, 7, 0, 2];
const DAY: f64 = 86_400.0;

/// Hourly talks with one cloud, for some days from one on.
fn habit(from: u16, days: u16) -> Vec<Talk> {
    let talk = |hour: u16| Talk::tls(f64::from(hour) * 3600.0, ME, [198, 51, (hour % 50) as u8, 9], 20_000 + hour, "n.cloud.example");
    (from * 24..(from + days) * 24).map(talk).collect()
}

fn folder() -> Folder {
    let folder = Folder::new();
    let new = |day: f64, name: &str| Talk::tls(day * DAY, ME, [203, 0, 113, 5], 50_000, name);
    folder.write("first.pcap", scene::pcap(&habit(0, 9)));
    folder.write("second.pcap", scene::pcap(&[habit(9, 1), vec![new(9.5, "c2.other.example")]].concat()));
    folder.write("third.pcap", scene::pcap(&[new(11.0, "d3.other.example"), new(11.1, "e.third.example")]));
    folder.write("sims.csv", "imei,imsi,ip\n867698040000179,001010000000001,10.7.0.2\n");
    folder
}

fn seen(folder: &Folder) -> PathBuf {
    folder.path().join("home/lake/seen.jsonl")
}

fn new(document: &Value) -> Vec<&str> {
    let found = document["findings"].as_array().unwrap().iter().filter(|f| f["code"] == "new-destination");
    found.map(|f| f["detail"]["peer"].as_str().unwrap()).collect()
}

#[test]
fn what_is_new_goes_by_what_was_watched_before() {
    let folder = folder();
    let watch = |words: &[&str]| run(&folder, [&["watch", "--format", "json", "--sessions", "sims.csv"], words].concat());
    assert_eq!(new(&watch(&["first.pcap"]).json()), [""; 0]);
    let second = watch(&["second.pcap"]);
    let document = second.json();
    assert_eq!(Schema::load("watch").wrong(&document), [""; 0]);
    assert_eq!(new(&document), ["c2.other.example:443"]);
    let detector =
        |document: &Value| document["detectors"].as_array().unwrap().iter().find(|d| d["code"] == "new-destination").unwrap().clone();
    assert_eq!(detector(&document)["learning"], serde_json::json!({"still": 0, "of": 1}));
    // Once more: the same answer, and nothing is learnt twice.
    let kept = std::fs::read(seen(&folder)).unwrap();
    assert_eq!(watch(&["second.pcap"]).out, second.out);
    assert_eq!(std::fs::read(seen(&folder)).unwrap(), kept);
    // Nothing is written, but what is known counts.
    assert_eq!(new(&watch(&["third.pcap", "--no-save"]).json()), ["e.third.example:443"]);
    assert_eq!(std::fs::read(seen(&folder)).unwrap(), kept);
    let text = String::from_utf8(kept).unwrap();
    assert!(text.contains("imei:86769804000017") && text.contains("cloud.example") && !text.contains("001010000000001"), "{text}");
    // Without it everybody is unknown again.
    std::fs::remove_file(seen(&folder)).unwrap();
    let document = watch(&["second.pcap", "--no-save"]).json();
    assert_eq!((new(&document), &detector(&document)["state"]), (vec![], &"learning".into()));
    let shown = run(&folder, ["watch", "second.pcap", "--no-save"]).out;
    assert!(shown.contains("new-destination is learning what is usual: 1 of 1 device"), "{shown}");
}

#[test]
fn what_is_remembered_is_its_owners_and_whole() {
    let folder = folder();
    assert_eq!(run(&folder, ["watch", "third.pcap"]).code, 0);
    #[cfg(unix)]
    for name in ["seen.jsonl", "seen.key", "seen.lock"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = seen(&folder).with_file_name(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    for (text, said) in [("{\"format\":\"umbilical.seen/9\"}\n", "its first line is not that of umbilical.seen/1"), ("no", "first line")] {
        std::fs::write(seen(&folder), text).unwrap();
        let ran = run(&folder, ["watch", "third.pcap", "--format", "json"]);
        assert!(ran.code == 2 && ran.err.contains(said) && ran.err.contains("to begin anew"), "{} {}", ran.code, ran.err);
    }
}
