//! `watch` on interfaces: frames go through a pair of them in a network that each test has of its own, and what is said of them is held
//! against what was sent.
//!
//! That takes the rights of root there, by itself or in a namespace of users. Where neither can be had a test says so and is over.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use pcap::{Active, Capture};
use serde_json::Value;
use umbilical_synth::mobile::{Frame, Plan, What, pcap, trace};

use super::docs::Schema;
use super::{Folder, command, run};

/// Says that a process is in a network of its own.
const INSIDE: &str = "UMBILICAL_TEST_NETWORK";
/// An account without rights that every Linux has.
const NOBODY: u32 = 65534;

/// Whether this runs in a network of its own; elsewhere the test is run in one, and is over.
fn apart(name: &str, flags: &[&[&str]]) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        let quiet = ["all", "default"].map(|which| std::fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1"));
        assert!(quiet.iter().all(Result::is_ok) || !Path::new("/proc/sys/net/ipv6").exists(), "{quiet:?}");
        ip("link set dev lo up");
        return true;
    }
    let found = |program: &str| {
        let mut tries = Command::new(program);
        tries.arg("-V").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    assert!(std::env::var_os("CI").is_none() || found("ip") && found("unshare"), "ip is missing: apt-get install iproute2");
    let can = |flags: &&&[&str]| {
        let mut tries = Command::new("unshare");
        tries.args(**flags).args(["ip", "link", "add", "name", "from", "type", "veth", "peer", "name", "to"]).stderr(Stdio::null());
        tries.status().is_ok_and(|status| status.success())
    };
    let Some(flags) = flags.iter().find(can) else {
        eprintln!("skipped: no network of its own can be had here (it takes unshare, ip and the right to use them)");
        return false;
    };
    let mut inside = Command::new("unshare");
    inside.args(*flags).arg(std::env::current_exe().unwrap()).args(["--exact", name, "--nocapture"]).env(INSIDE, "1");
    let out = inside.output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&out.stderr));
    false
}

const ROOT: &[&str] = &["--net"];
const ALONE: &[&str] = &["--user", "--map-root-user", "--net"];

fn ip(words: &str) {
    assert!(Command::new("ip").args(words.split(' ')).status().unwrap().success(), "ip {words}");
}

/// A pair of interfaces: what is sent on the first comes in at the second.
fn pair(from: &str, to: &str) -> Capture<Active> {
    ip(&format!("link add name {from} type veth peer name {to}"));
    ip(&format!("link set dev {from} up"));
    ip(&format!("link set dev {to} up"));
    Capture::from_device(from).unwrap().snaplen(64).open().unwrap()
}

/// Sends frames; those that the pair itself lost.
fn send(out: &mut Capture<Active>, frames: &[Frame]) {
    frames.iter().for_each(|frame| out.sendpacket(&frame.bytes[..]).unwrap());
}

/// Frames that an interface received.
fn received(name: &str) -> u64 {
    let table = std::fs::read_to_string("/proc/net/dev").unwrap();
    let line = table.lines().find_map(|line| line.trim_start().strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// `watch`, as it runs.
struct Watching {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Watching {
    fn new(folder: &Folder, words: &str) -> Self {
        let mut command = command(folder);
        command.args(["watch", "--format", "json"]).args(words.split(' '));
        Self::of(command)
    }

    /// Waits until it listens to everything.
    fn of(mut command: Command) -> Self {
        let sources = command.get_args().filter(|word| word.to_string_lossy().contains("://")).count();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        let mut watching = Self { child, said };
        (0..sources).for_each(|_| watching.says("listening on "));
        watching
    }

    fn says(&mut self, what: &str) {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        if !line.contains(what) {
            let _ = self.child.kill();
            self.said.read_to_string(&mut line).unwrap();
            panic!("{what}: {line}");
        }
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Ends it, and gives its answer.
    fn ends(mut self) -> Value {
        // Frames that were sent are with whoever captures before they are counted as such.
        std::thread::sleep(Duration::from_millis(20));
        self.signal("-INT");
        let (code, document) = self.over();
        assert_eq!(code, Some(130));
        document
    }

    fn over(&mut self) -> (Option<i32>, Value) {
        let mut text = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        let mut err = String::new();
        self.said.read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code();
        (code, serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}\n{err}")))
    }
}

fn count(document: &Value, counter: &str) -> u64 {
    document["counters"][counter].as_u64().unwrap_or_else(|| panic!("{counter}: {}", document["counters"]))
}

/// A trace whose times are those in which it is sent: as fast as can be.
fn hurried(plan: Plan) -> Vec<Frame> {
    let mut frames = trace(&plan).frames;
    (0i64..).zip(&mut frames).for_each(|(n, frame)| frame.at = 1_793_500_000_000_000 + 20 * n);
    frames
}

#[test]
fn what_goes_over_an_interface_is_what_a_capture_of_it_says() {
    if !apart("watch_live::what_goes_over_an_interface_is_what_a_capture_of_it_says", &[ROOT, ALONE]) {
        return;
    }
    let folder = Folder::new();
    let frames = hurried(Plan { seed: 11, sessions: 30, loss: 0, packets: 6 });
    let mut out = pair("a", "b");
    let watching = Watching::new(&folder, "live://b --user root --flows live.jsonl");
    send(&mut out, &frames);
    let live = watching.ends();
    assert_eq!(Schema::load("watch").wrong(&live), [""; 0]);
    folder.write("same.pcap", pcap(&frames));
    let file = run(&folder, ["watch", "same.pcap", "--format", "json", "--no-save", "--flows", "file.jsonl"]).json();
    let input = &live["inputs"][0];
    assert_eq!((&input["path"], &input["format"], &input["sha256"]), (&"live://b".into(), &"live-interface".into(), &"".into()));
    assert_eq!((count(&live, "dropped"), count(&live, "packets"), received("b")), (0, frames.len() as u64, frames.len() as u64));
    for counter in ["bytes", "flows", "undecoded", "tunnelled", "unattributed", "strangers", "signalling", "orphans", "incomplete"] {
        assert_eq!(count(&live, counter), count(&file, counter), "{counter}");
    }
    // Times, and what derives from them, are those in which it was sent.
    let sessions = |document: &Value| {
        let told = |s: &Value| ["imei", "apn", "teids", "ue", "packets", "bytes_up", "bytes_down", "flows"].map(|key| s[key].to_string());
        let mut all: Vec<_> = document["sessions"].as_array().unwrap().iter().map(told).collect();
        all.sort();
        all
    };
    assert!(sessions(&live).len() == 30 && sessions(&live) == sessions(&file));
    let flows = |name: &str| {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        let told = |line: &str| {
            let flow: Value = serde_json::from_str(line).unwrap();
            ["src", "dst", "src_port", "dst_port", "packets", "bytes_up", "bytes_down", "answered", "first_frame"]
                .map(|key| flow[key].to_string())
        };
        let mut all: Vec<_> = text.lines().map(told).collect();
        all.sort();
        all
    };
    assert_eq!(flows("live.jsonl"), flows("file.jsonl"));
    // It was kept.
    assert!(folder.path().join("home/lake/flows").is_dir());
}

/// Nothing is read of what lies in the ring while it stands still: what no longer fits is counted, to the last frame.
#[test]
fn what_was_dropped_is_counted_exactly() {
    if !apart("watch_live::what_was_dropped_is_counted_exactly", &[ROOT, ALONE]) {
        return;
    }
    let folder = Folder::new();
    let frames = hurried(Plan { seed: 11, sessions: 60, loss: 0, packets: 60 });
    let mut out = pair("a", "b");
    let watching = Watching::new(&folder, "live://b --user root --buffer 1 --no-save");
    send(&mut out, &frames[..1000]);
    std::thread::sleep(Duration::from_millis(500));
    watching.signal("-STOP");
    (0..20).for_each(|_| send(&mut out, &frames));
    watching.signal("-CONT");
    std::thread::sleep(Duration::from_millis(500));
    send(&mut out, &frames[..1000]);
    let sent = received("b");
    let document = watching.ends();
    let (packets, dropped) = (count(&document, "packets"), count(&document, "dropped"));
    assert!(packets > 2000 && dropped > 1000, "{packets} {dropped}");
    assert_eq!((packets + dropped, sent), (sent, 2000 + 20 * frames.len() as u64));
}

/// Of interfaces that are captured together frames are read in the order of their times, filters count for all of them, and one that goes
/// takes no other with it.
#[test]
fn several_interfaces_and_ports_are_one_trace() {
    if !apart("watch_live::several_interfaces_and_ports_are_one_trace", &[ROOT, ALONE]) {
        return;
    }
    let folder = Folder::new();
    let frames = hurried(Plan { seed: 11, sessions: 30, loss: 0, packets: 6 });
    let (mut signals, mut users) = (pair("a", "b"), pair("c", "d"));
    let mut watching = Watching::new(&folder, "live://b netflow://127.0.0.1:20555 live://d --user root --no-save --filter udp");
    let in_tunnel = |frame: &&Frame| matches!(frame.what, What::User { .. });
    for frame in &frames {
        (if in_tunnel(&frame) { &mut users } else { &mut signals }).sendpacket(&frame.bytes[..]).unwrap();
    }
    let last = frames.iter().rev().find(in_tunnel).unwrap();
    let signalling = frames.iter().filter(|frame| !in_tunnel(frame)).count() as u64;
    users.sendpacket(&[&[0xff; 12][..], &[8, 6], &[0; 28]].concat()[..]).unwrap();
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"noise", "127.0.0.1:20555").unwrap();
    std::thread::sleep(Duration::from_millis(700));
    ip("link del dev a");
    std::thread::sleep(Duration::from_millis(700));
    users.sendpacket(&last.bytes[..]).unwrap();
    assert!(watching.child.try_wait().unwrap().is_none());
    let document = watching.ends();
    let sent = frames.len() as u64 + 1;
    assert_eq!((count(&document, "packets"), count(&document, "dropped"), received("d")), (sent, 0, sent - signalling + 1));
    // Every tunnel was named before it was used; the last frame came when its tunnel was long gone.
    assert_eq!((count(&document, "tunnelled"), count(&document, "unattributed")), (181, 1));
    let read: Vec<_> = document["inputs"].as_array().unwrap().iter().map(|input| input["observations"].as_u64().unwrap()).collect();
    assert_eq!(read, [1, signalling, sent - signalling]);
    let said: Vec<_> = document["problems"].as_array().unwrap().iter().map(|p| (p["input"].as_u64(), p["at"].as_str().unwrap())).collect();
    assert_eq!(said, [(Some(1), &*format!("frame {signalling}")), (Some(0), "datagram 1")]);
}

/// Lines of `/proc/PID/status`, of every thread.
fn status(child: &Child, what: &str) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", child.id())).unwrap();
    let of = |status: String| {
        let line = status.lines().find_map(|line| Some(line.strip_prefix(what)?.strip_prefix(':')?.trim().to_owned()));
        line.unwrap_or_else(|| panic!("{what}: {status}"))
    };
    tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok()).map(of).collect()
}

#[test]
fn whoever_reads_what_was_captured_has_no_rights() {
    if !apart("watch_live::whoever_reads_what_was_captured_has_no_rights", &[ROOT]) {
        return;
    }
    let folder = Folder::new();
    let frames = hurried(Plan { seed: 11, sessions: 3, loss: 0, packets: 6 });
    let mut out = pair("a", "b");
    let refused = |words: &str, what: &str| {
        let ran = run(&folder, ["watch"].into_iter().chain(words.split(' ')));
        assert!(ran.code == 2 && ran.err.contains(what), "{words}: {} {}", ran.code, ran.err);
    };
    refused("live://b", "--user nobody");
    refused("live://b --user nosuchuser", "there is no such account");
    refused("live://nosuch0 --user nobody", "interfaces of this machine: ");
    refused("live://b --user nobody --filter (", "--filter (: ");
    refused("live://", "names no interface");
    refused("--filter udp netflow://127.0.0.1:0", "--filter needs an interface");
    // What it cannot keep or write is found before anything is heard.
    refused("live://b --user nobody", "the home cannot be written");
    refused("live://b --user nobody --no-save --flows here.jsonl", "cannot write here.jsonl");

    for name in ["home", "mine"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        chown(folder.path().join(name), Some(NOBODY), None).unwrap();
    }
    let nothing = |child: &Child| {
        // Threads have begun, and read.
        std::thread::sleep(Duration::from_millis(300));
        for sets in ["CapInh", "CapPrm", "CapEff", "CapAmb"].map(|set| status(child, set)) {
            assert!(sets.len() > 2 && sets.iter().all(|set| set.chars().all(|c| c == '0')), "{sets:?}");
        }
        assert!(status(child, "NoNewPrivs").iter().all(|set| set == "1"));
    };
    let watching = Watching::new(&folder, "live://b --user nobody --flows mine/flows.jsonl --output mine/answer.json");
    send(&mut out, &frames);
    nothing(&watching.child);
    let whole = [NOBODY; 4].map(|id| id.to_string()).join("\t");
    for ids in ["Uid", "Gid"] {
        assert!(status(&watching.child, ids).iter().all(|id| *id == whole), "{ids}");
    }
    assert!(status(&watching.child, "Groups").iter().all(|groups| *groups == NOBODY.to_string()));
    watching.signal("-TERM");
    let mut watching = watching;
    assert_eq!(watching.child.wait().unwrap().code(), Some(130));
    let answer: Value = serde_json::from_slice(&std::fs::read(folder.path().join("mine/answer.json")).unwrap()).unwrap();
    assert_eq!(count(&answer, "packets"), frames.len() as u64);
    for made in ["mine/answer.json", "mine/flows.jsonl", "home/lake"] {
        assert_eq!(folder.path().join(made).metadata().unwrap().uid(), NOBODY, "{made}");
    }

    // Root keeps its files, and no other right; whoever has the right to capture alone gives it up as well.
    let watching = Watching::new(&folder, "live://b --user root --no-save");
    nothing(&watching.child);
    watching.ends();
    if Command::new("setpriv").arg("--version").stdout(Stdio::null()).status().is_ok() {
        let mut as_nobody = Command::new("setpriv");
        let drop = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps", "+net_raw", "--ambient-caps", "+net_raw"];
        as_nobody.args(drop).arg(env!("CARGO_BIN_EXE_umbilical")).args(["watch", "live://b", "--no-save", "--format", "json"]);
        let watching = Watching::of(as_nobody);
        nothing(&watching.child);
        send(&mut out, &frames);
        assert_eq!(count(&watching.ends(), "packets"), frames.len() as u64);
    } else {
        eprintln!("not tried: setpriv is missing");
    }
}

/// Tables are read again while frames come, and none of these is missed for it; one that is broken changes nothing.
#[test]
fn tables_are_read_again_without_a_loss() {
    if !apart("watch_live::tables_are_read_again_without_a_loss", &[ROOT, ALONE]) {
        return;
    }
    let folder = Folder::new();
    let mut out = pair("a", "b");
    // One datagram from a module's address, port by port.
    let mut number = 0u16;
    let mut says = |out: &mut Capture<Active>, from: [u8; 4], packets: u16| {
        for _ in 0..packets {
            number += 1;
            let udp = [&(20_000 + number).to_be_bytes()[..], &[0, 99, 0, 9, 0, 0, 7]].concat();
            let head = [&[0x45, 0, 0, 29, 0, 0, 0, 0, 64, 17, 0, 0][..], &from, &[192, 0, 2, 9]].concat();
            out.sendpacket([&[2; 12][..], &[8, 0], &head, &udp].concat()).unwrap();
        }
    };
    let sims = |rows: &str| folder.write("sims.csv", format!("imsi,imei,ip,start,end\n{rows}"));
    let places = |country: &str| folder.write("places.csv", format!("network,country,asn,org\n192.0.2.0/24,{country},64500,Example\n"));
    let (one, two) = ("001010000000001", "001010000000002");
    sims(&format!("{one},867698040000179,10.0.0.1,,\n"));
    places("CH");
    folder.write("listed.txt", "198.51.100.1\n");
    folder.write("sms.csv", "imsi,time\n");
    let words = "live://b --user root --idle 1 --show-subscribers --no-save --flows out.jsonl";
    let tables = "--sessions sims.csv --ip-db places.csv --indicators listed.txt --sms sms.csv";
    let mut watching = Watching::new(&folder, &format!("{words} {tables}"));
    says(&mut out, [10, 0, 0, 1], 50);
    says(&mut out, [10, 0, 0, 2], 50);
    // What is over by then is told by what was known then.
    std::thread::sleep(Duration::from_millis(3500));
    sims(&format!("{one},867698040000179,10.0.0.1,,\n{two},867698040000187,10.0.0.2,,\nnobody,,nowhere,,\n"));
    places("SE");
    folder.write("listed.txt", "192.0.2.9\n");
    folder.write("sms.csv", format!("imsi,time\n{one},1793534400\n"));
    watching.signal("-HUP");
    watching.says("read again: places.csv");
    watching.says("read again: listed.txt, 1 rows");
    watching.says("read again: sms.csv, 1 rows");
    watching.says("sims.csv: row 4: ");
    watching.says("read again: sims.csv, 2 rows");
    says(&mut out, [10, 0, 0, 1], 50);
    says(&mut out, [10, 0, 0, 2], 50);
    // Neither of these says anything that could be used.
    sims("nothing,,nowhere,,\n");
    folder.write("places.csv", "hello");
    folder.write("sms.csv", format!("imsi,time\n{one},yesterday\n"));
    watching.signal("-HUP");
    watching.says("places.csv: neither MMDB nor a table");
    watching.says("read again: --indicators holds what it held before");
    watching.says("sms.csv: row 2: `yesterday` is no time of a message");
    watching.says("sims.csv: row 2: ");
    says(&mut out, [10, 0, 0, 2], 50);
    watching.signal("-HUP");
    watching.says("what was read before still counts");
    let document = watching.ends();
    assert_eq!((count(&document, "packets"), count(&document, "dropped"), received("b")), (250, 0, 250));
    let sessions: Vec<_> =
        document["sessions"].as_array().unwrap().iter().map(|s| (s["imsi"].clone(), s["packets"].as_u64().unwrap())).collect();
    assert_eq!(sessions, [(one.into(), 100), (two.into(), 100)]);
    let flows = std::fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    let of = |country: &str| flows.lines().filter(|line| line.contains(&format!("\"country\":\"{country}\""))).count();
    assert_eq!((of("CH"), of("SE")), (100, 150));
    let found = document["findings"].as_array().unwrap().iter().filter(|f| f["code"] == "indicator");
    let flows: f64 = found.flat_map(|f| f["detail"]["reasons"].as_array().unwrap()).map(|r| r["value"].as_f64().unwrap()).sum();
    assert_eq!(flows, 150.0);
    let told: Vec<_> = document["problems"].as_array().unwrap().iter().map(|p| p["what"].as_str().unwrap()).collect();
    assert!(told.iter().filter(|what| what.ends_with("what was read before still counts")).count() >= 3, "{told:?}");
}

/// Where nothing comes time passes all the same, and what is over is written.
#[test]
fn silence_ends_conversations() {
    if !apart("watch_live::silence_ends_conversations", &[ROOT, ALONE]) {
        return;
    }
    let folder = Folder::new();
    let frames = hurried(Plan { seed: 11, sessions: 3, loss: 0, packets: 6 });
    let mut out = pair("a", "b");
    let begun = Instant::now();
    let mut watching = Watching::new(&folder, "live://b --user root --idle 1 --for 3 --no-save --flows out.jsonl");
    send(&mut out, &frames);
    let (code, document) = watching.over();
    assert!(code == Some(0) && begun.elapsed() >= Duration::from_secs(3));
    let flows = std::fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    assert_eq!(flows.lines().count() as u64, count(&document, "flows"));
    assert!(!flows.is_empty() && flows.lines().all(|line| line.contains("\"ended\":\"idle\"")), "{flows}");
}
