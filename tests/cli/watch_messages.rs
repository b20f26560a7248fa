//! `watch --sms` through the real binary: short messages on record, and modules that speak behind them.

use serde_json::Value;
use umbilical_synth::mobile::{Frame, Kind, Plan, Trace, What, pcap, trace};

use super::docs::Schema;
use super::{Folder, run};

const HOUR: i64 = 3600;
const SECRET: &str = "reboot; then call 203.0.113.5";

/// Sessions of four SIMs, two each; the first of each says who it is.
fn truth() -> Trace {
    let named = |truth: &Trace| truth.sessions.iter().step_by(2).all(|session| session.kind != Kind::Nameless);
    (0..).map(|seed| trace(&Plan { seed, sessions: 8, loss: 0, packets: 4 })).find(named).unwrap()
}

/// A trace of a mobile core: the first SIM speaks once behind three hours, the second each minute, the others once behind two.
fn capture(folder: &Folder) -> (Trace, i64) {
    let truth = truth();
    let begin = truth.frames.iter().map(|f| f.at).min().unwrap();
    let later = |frame: &Frame, seconds: i64| Frame { at: frame.at + seconds * 1_000_000, ..frame.clone() };
    let mut frames = Vec::new();
    for n in 0..8_u32 {
        let own: Vec<&Frame> = truth.frames.iter().filter(|f| f.session == n).collect();
        let (user, signals): (Vec<&Frame>, Vec<&Frame>) = own.into_iter().partition(|f| matches!(f.what, What::User { .. }));
        // Nobody says that it ends.
        frames.extend(signals[..signals.len() - 2].iter().map(|f| (*f).clone()));
        let when: Vec<i64> = match n {
            0 => vec![3 * HOUR + 40],
            2 => (0..240).map(|minute| minute * 60).collect(),
            4 | 6 => vec![2 * HOUR],
            _ => Vec::new(),
        };
        frames.extend(when.into_iter().flat_map(|seconds| user.iter().map(move |frame| later(frame, seconds))));
    }
    frames.sort_by_key(|frame| frame.at);
    folder.write("s5.pcap", pcap(&frames));
    (truth, begin / 1_000_000)
}

fn found(document: &Value) -> Vec<&Value> {
    document["findings"].as_array().unwrap().iter().filter(|f| f["code"] == "after-message").collect()
}

fn state(document: &Value) -> &Value {
    let detectors = document["detectors"].as_array().unwrap();
    &detectors.iter().find(|d| d["code"] == "after-message").unwrap()["state"]
}

#[test]
fn who_speaks_behind_a_message_is_told_and_what_it_said_is_not() {
    let folder = Folder::new();
    let (truth, begin) = capture(&folder);
    let imsi = |n: usize| truth.sessions[n].imsi.as_str();
    let mut table = "\u{feff}Messages of a platform\r\n\r\nTimestamp;IMSI;Direction;Sender;Status;Text\r\n".to_owned();
    let mut row = |n: usize, way: &str, seconds: i64, status: &str| {
        table.push_str(&format!("{};{};{way};+88 299 0000 077;{status};\"{SECRET}\"\r\n", begin + seconds, imsi(n)));
    };
    row(0, "MT", 3 * HOUR, "delivered");
    // Who speaks anyway, ten minutes before, from the module, and what never came.
    row(2, "MT", 2 * HOUR, "delivered");
    row(4, "MT", 2 * HOUR - 600, "delivered");
    row(6, "MO", 2 * HOUR - 20, "delivered");
    row(6, "MT", 2 * HOUR - 20, "UNDELIV");
    folder.write("sms.csv", &table);
    let words = ["watch", "s5.pcap", "--sms", "sms.csv", "--format", "json", "--findings", "found.jsonl"];
    let ran = run(&folder, words);
    let document = ran.json();
    assert_eq!(Schema::load("watch").wrong(&document), [""; 0]);
    assert_eq!((ran.code, state(&document)), (0, &"evaluated".into()), "{}", ran.err);
    let [one] = found(&document)[..] else { panic!("{:?}", found(&document)) };
    let says = one["because"][0].as_str().unwrap();
    assert!(
        says.contains(" behind a short message from +88299…77, with nobody for 3.0 hours before, since the trace began: with "),
        "{says}"
    );
    assert_eq!((&one["severity"], &one["subject"]["kind"]), (&"low".into(), &"session".into()));
    let subject = document["sessions"].as_array().unwrap().iter().find(|s| s["id"] == one["subject"]["id"]).unwrap();
    assert_eq!(subject["imei"], truth.sessions[0].imei.as_str());
    let input = document["inputs"].as_array().unwrap().iter().find(|i| i["format"] == "messages").unwrap();
    assert_eq!((&input["observations"], &input["mapping"][5]), (&5.into(), &"Text → text, which is not looked at".into()));
    // Neither what was said nor a number of anybody leaves, and nothing of it is kept.
    let lines = std::fs::read_to_string(folder.path().join("found.jsonl")).unwrap();
    for text in [&ran.out, &ran.err, &lines] {
        assert!(!text.contains("reboot") && !text.contains("882990000077") && !text.contains(imsi(0)), "{text}");
    }
    assert!(lines.contains("\"after-message\""), "{lines}");
    let shown = run(&folder, ["watch", "s5.pcap", "--sms", "sms.csv", "--format", "json", "--show-subscribers", "--no-save"]);
    assert!(shown.out.contains("+882990000077") && !shown.out.contains("reboot"));
    let document = run(&folder, ["watch", "s5.pcap", "--format", "json", "--no-save"]).json();
    assert_eq!((state(&document), found(&document).len()), (&"not-given".into(), 0));
}

#[test]
fn a_table_of_messages_that_is_wrong_says_where() {
    let folder = Folder::new();
    let (truth, begin) = capture(&folder);
    let imsi = truth.sessions[0].imsi.as_str();
    let good = begin + 3 * HOUR;
    folder
        .write("sms.csv", format!("imsi,time,direction\n{imsi},yesterday,MT\n\"{imsi}\",{good},sideways\n,{good},MT\n{imsi},{good},MT\n"));
    folder.write("more.tsv", format!("to\tdate\ttime\n{imsi}\t2026-11-01\t\n"));
    let ran = run(&folder, ["watch", "s5.pcap", "--sms", "sms.csv", "--sms", "more.tsv", "--format", "json"]);
    let document = ran.json();
    assert_eq!((ran.code, found(&document).len()), (0, 1), "what is right counts all the same: {}", ran.err);
    let told: Vec<_> = document["problems"].as_array().unwrap().iter().map(|p| (p["input"].as_u64(), p["at"].as_str().unwrap())).collect();
    assert_eq!(told, [(Some(0), "row 2"), (Some(0), "row 3"), (Some(0), "row 4"), (Some(1), "row 2")]);
    folder.write("other.csv", "name,ip\nrouter,10.0.0.1\n");
    for (words, said) in [
        (&["s5.pcap", "--sms", "other.csv"][..], "other.csv: no heads of a table of short messages"),
        (&["s5.pcap", "--sms", "none.csv"], "none.csv"),
        (&["s5.pcap", "--sms", "sms.csv", "--flows", "sms.csv"], "would be written over what is read"),
        (&["s5.pcap", "--sms", "-", "--sms", "-"], "`-` is named twice"),
        (&["-", "--sms", "-"], "`-` is named twice"),
        (&["s5.pcap", "--sessions", "-", "--sms", "-"], "`-` is named twice"),
    ] {
        let ran = run(&folder, [&["watch"], words].concat());
        assert!(ran.code == 2 && ran.err.contains(said), "{words:?}: {}", ran.err);
    }
}
