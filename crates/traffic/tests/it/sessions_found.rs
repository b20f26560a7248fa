//! What detectors find of sessions: who is where, who speaks with whom, and who is reached.

use std::net::Ipv4Addr;

use umbilical_core::finding::{DETECTED, Severity};
use umbilical_traffic::capture::Frame;
use umbilical_traffic::cellular::Ue;
use umbilical_traffic::cellular::sessions::Declared;
use umbilical_traffic::detect::{Alert, Detectors, Given, Trace};
use umbilical_traffic::flow::Limits;
use umbilical_traffic::link::Link;
use umbilical_traffic::lists::Expected;
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch::Watch;

use crate::detect::{Timed, codes};
use crate::flows::{tcp, udp};

const OUTSIDE: [u8; 4] = [198, 51, 100, 9];

/// A card in a module, with its address from one second to another.
fn sim(imsi: &str, imei: &str, apn: &str, addr: [u8; 4], (from, to): (i64, i64)) -> Declared {
    Declared {
        imsi: Some(imsi.to_owned()),
        iccid: None,
        imei: Some(imei.to_owned()),
        msisdn: None,
        apn: Some(apn.to_owned()),
        ue: vec![Ue::v4(addr)],
        from: Some(Micros::seconds(from)),
        to: Some(Micros::seconds(to)),
    }
}

/// Something said outside, so that a session was on the network at a second.
fn speaks(addr: [u8; 4], second: i64) -> Timed {
    (second * 1_000_000, udp(addr, OUTSIDE, (4000, 5000), b"hello"))
}

fn watched(sims: Vec<Declared>, packets: Vec<Timed>) -> Vec<Alert> {
    expecting("", sims, packets).0
}

/// What is told, and of how many findings of a code it is not, for they were written down.
fn expecting(text: &str, sims: Vec<Declared>, mut packets: Vec<Timed>) -> (Vec<Alert>, impl Fn(&str) -> u64) {
    packets.sort_by_key(|p| p.0);
    let mut watch = Watch::new(Limits::default());
    for sim in sims {
        watch.sessions.declare(sim);
    }
    let mut detect = Detectors::new(Given { expected: Expected::read(text, DETECTED).unwrap(), ..Given::default() });
    for (n, (at, bytes)) in packets.iter().enumerate() {
        let frame = Frame { number: n as u64 + 1, at: Micros(*at), link: Link::RAW, bytes, length: bytes.len() as u32 };
        watch.frame(&frame, &mut |event, words| detect.see(&event, words));
    }
    watch.finish(&mut |event, words| detect.see(&event, words));
    let (alerts, came) = detect.finish(Trace { words: &watch.words, sessions: &watch.sessions });
    (alerts, move |code| came.iter().find(|c| c.about.code == code).map_or(0, |c| c.allowed))
}

const A: [u8; 4] = [10, 9, 0, 1];
const B: [u8; 4] = [10, 9, 0, 2];
const SIM: &str = "001010000000001";
const OTHER_SIM: &str = "001010000000002";
const MODULE: &str = "861230040000017";
const SAME_KIND: &str = "861230040000025";
const OTHER_KIND: &str = "351230040000017";

#[test]
fn a_card_in_another_module() {
    let moves = |to: &str| {
        let sims = vec![sim(SIM, MODULE, "meters", A, (0, 1000)), sim(SIM, to, "meters", B, (1000, 2000))];
        watched(sims, vec![speaks(A, 10), speaks(B, 1500)])
    };
    let alerts = moves(OTHER_KIND);
    assert_eq!((codes(&alerts), alerts[0].severity), (vec!["identity-change"], Severity::High));
    assert_eq!(moves(SAME_KIND)[0].severity, Severity::Medium);
    // The version behind the serial number may change.
    assert!(moves("8612300400000199").is_empty());
}

#[test]
fn one_address_at_once_and_one_card_at_once() {
    let two = |second: (&str, &str, &str), times: (i64, i64)| {
        let sims = vec![sim(SIM, MODULE, "meters", A, (0, 1000)), sim(second.0, second.1, second.2, B, times)];
        codes(&watched(sims, vec![speaks(A, 10), speaks(A, 900), speaks(B, times.0 + 10), speaks(B, times.1 - 10)]))
    };
    assert_eq!(two((SIM, MODULE, "meters"), (100, 800)), ["identity-change"]);
    // Another network at once, or the same behind it, is normal.
    assert_eq!(two((SIM, MODULE, "internet"), (100, 800)), [""; 0]);
    assert_eq!(two((SIM, MODULE, "meters"), (1000, 2000)), [""; 0]);
    // So is another card in a module, one behind the other (profiles of an eSIM), and not at once.
    assert_eq!(two((OTHER_SIM, MODULE, "meters"), (1000, 2000)), [""; 0]);
    assert_eq!(two((OTHER_SIM, MODULE, "meters"), (100, 800)), ["identity-change"]);
    assert_eq!(two((OTHER_SIM, SAME_KIND, "meters"), (100, 800)), [""; 0]);
}

#[test]
fn modules_of_a_kind_that_the_estate_does_not_have() {
    let other = |n: i64| format!("351230040000{n:02}7");
    let sims = || {
        let of_estate = (1..4).map(|n| (format!("0010100000000{n:02}"), format!("861230040000{n:02}7"), [10, 9, 0, n as u8]));
        let others = (4..9).map(|n| (format!("0010100000000{n:02}"), other(n), [10, 9, 0, n as u8]));
        let all = of_estate.chain(others).map(|(imsi, imei, addr)| sim(&imsi, &imei, "meters", addr, (0, 1000)));
        // One that nobody knows the kind of, a placeholder, and one that was never on the network.
        let more = [("001010000000021", "000000000000000", 21), ("001010000000023", "991230040000017", 23)];
        let more = more.map(|(imsi, imei, n)| sim(imsi, imei, "meters", [10, 9, 0, n], (0, 1000)));
        let nameless = Declared { imei: None, ..sim("001010000000022", MODULE, "meters", [10, 9, 0, 22], (0, 1000)) };
        all.chain(more).chain([nameless]).collect::<Vec<_>>()
    };
    let said = || (1..9).chain([21, 22]).map(|n| speaks([10, 9, 0, n], 10 + i64::from(n))).collect::<Vec<_>>();
    let estate = |tacs: &str| format!("[estate]\ntac = [{tacs}]\n");
    assert!(watched(sims(), said()).is_empty(), "nothing is written down");
    assert!(expecting(&estate("\"86123004\", \"35123004\""), sims(), said()).0.is_empty());
    let alerts = expecting(&estate("\"86123004\""), sims(), said()).0;
    let [alert] = alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!((alert.about.code, alert.peer.as_deref(), alert.severity), ("identity-change", Some("TAC 35123004"), Severity::Medium));
    assert!(alert.reason.did.contains("35123004") && alert.reason.more[0].starts_with("5 modules"), "{:?}", alert.reason);
    assert!(alert.reason.more[0].ends_with("in 5 sessions with 5 cards") && alert.flows == 5, "{:?}", alert.reason);
    // One for each kind.
    let alerts = expecting(&estate("\"01234567\""), sims(), said()).0;
    assert_eq!(alerts.iter().map(|a| a.peer.as_deref().unwrap()).collect::<Vec<_>>(), ["TAC 86123004", "TAC 35123004"]);
    // The same module in two sessions is one.
    let twice = [sims(), vec![sim("001010000000004", &other(4), "internet", [10, 9, 1, 4], (0, 1000))]].concat();
    let alerts = expecting(&estate("\"86123004\""), twice, [said(), vec![speaks([10, 9, 1, 4], 90)]].concat()).0;
    assert!(alerts[0].reason.more[0].starts_with("5 modules of this kind were met, in 6 sessions with 5 cards"), "{:?}", alerts[0].reason);
}

#[test]
fn a_rule_for_one_card_is_none_for_others_of_its_kind() {
    let (first, second) = (sim(SIM, MODULE, "meters", A, (0, 1000)), sim(OTHER_SIM, SAME_KIND, "meters", B, (0, 1000)));
    let told = |cards: &[&str]| {
        let allow = |imsi: &&str| format!("[[allow]]\nreason = \"on trial\"\nfindings = [\"identity-change\"]\nwho = [\"imsi:{imsi}\"]\n");
        let text = format!("[estate]\ntac = [\"01234567\"]\n{}", cards.iter().map(allow).collect::<String>());
        let (alerts, allowed) = expecting(&text, vec![first.clone(), second.clone()], vec![speaks(A, 10), speaks(B, 20)]);
        (alerts.iter().map(|a| a.reason.more[0].split(' ').next().unwrap().to_owned()).collect::<Vec<_>>(), allowed("identity-change"))
    };
    assert_eq!(told(&[]), (vec!["2".to_owned()], 0));
    assert_eq!(told(&[SIM]), (vec!["1".to_owned()], 0));
    assert_eq!(told(&[OTHER_SIM]), (vec!["1".to_owned()], 0));
    assert_eq!(told(&[SIM, OTHER_SIM]), (vec![], 1));
}

/// A connection that is answered.
fn connects(from: [u8; 4], to: [u8; 4], port: u16, second: i64) -> Vec<Timed> {
    let at = second * 1_000_000;
    vec![
        (at, tcp(from, to, (40_000, port), 2, 1, b"")),
        (at + 1000, tcp(to, from, (port, 40_000), 0x12, 1, b"")),
        (at + 2000, tcp(from, to, (40_000, port), 0x10, 2, b"hello")),
    ]
}

#[test]
fn modules_that_speak_with_each_other() {
    let pair = |apn: &str, port: u16, answered: bool| {
        let sims = vec![sim(SIM, MODULE, "meters", A, (0, 1000)), sim(OTHER_SIM, SAME_KIND, apn, B, (0, 1000))];
        let mut packets = connects(A, B, port, 20);
        if !answered {
            packets.truncate(1);
        }
        packets.extend([speaks(A, 10), speaks(B, 10)]);
        watched(sims, packets)
    };
    let alerts = pair("meters", 22, true);
    assert_eq!((codes(&alerts), alerts[0].peer.as_deref()), (vec!["device-to-device"], Some("10.9.0.2")));
    assert!(pair("meters", 22, false).is_empty() && pair("internet", 22, true).is_empty());
}

#[test]
fn a_port_that_the_internet_reaches() {
    let reached = |from: [u8; 4], port: u16| {
        let packets = [connects(from, A, port, 20), connects(from, A, port, 30), vec![speaks(A, 10)]].concat();
        watched(vec![sim(SIM, MODULE, "meters", A, (0, 1000))], packets)
    };
    let alerts = reached(OUTSIDE, 502);
    let [alert] = alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!((alert.about.code, alert.severity, alert.peer.as_deref()), ("reached-from-outside", Severity::High, Some("TCP port 502")));
    assert_eq!(reached(OUTSIDE, 8081)[0].severity, Severity::Medium);
    // The owner's own network may call, and what is refused is not reached.
    assert!(reached([10, 1, 0, 9], 502).is_empty());
    let refused = vec![(0, tcp(OUTSIDE, A, (40_000, 502), 2, 1, b"")), (9, tcp(A, OUTSIDE, (502, 40_000), 0x14, 0, b""))];
    assert!(watched(vec![sim(SIM, MODULE, "meters", A, (0, 1000))], refused).is_empty());
}

/// Callers are allowed by their networks, each of them or none.
#[test]
fn callers_that_are_written_down_are_not_told() {
    let called = |callers: &[[u8; 4]], rules: &[&str]| {
        let allow = |to: &&str| format!("[[allow]]\nfindings = [\"reached-from-outside\"]\nreason = \"ours\"\n{to}\n");
        let text: String = rules.iter().map(allow).collect();
        let calls = callers.iter().zip(20..).flat_map(|(from, second)| connects(*from, A, 502, second));
        let sims = vec![sim(SIM, MODULE, "meters", A, (0, 1000))];
        let (alerts, allowed) = expecting(&text, sims, calls.chain([speaks(A, 10)]).collect());
        (codes(&alerts), allowed("reached-from-outside"))
    };
    let (own, other) = ([203, 0, 113, 7], [198, 51, 100, 9]);
    let (to_own, to_other) = ("to = [\"203.0.113.0/24\"]", "to = [\"198.51.100.9\"]");
    let told = (vec!["reached-from-outside"], 0);
    assert_eq!(called(&[own, [203, 0, 113, 8]], &[to_own]), (vec![], 1));
    assert_eq!(called(&[own, other], &[to_own]), told);
    // Each may be in a rule of its own.
    assert_eq!(called(&[own, other], &[to_own, to_other]), (vec![], 1));
    assert_eq!(called(&[own], &[to_other]), told);
    assert_eq!(called(&[own], &["to = [\"203.0.113.0/29\", \"head-end.example\"]"]), (vec![], 1));
    assert_eq!(called(&[own], &["to = [\"head-end.example\"]"]), told);
    assert_eq!(called(&[own, other], &["who = [\"10.9.0.0/16\"]"]), (vec![], 1));
    assert_eq!(called(&[own], &["who = [\"10.8.0.0/16\"]\nto = [\"203.0.113.0/24\"]"]), told);
    // Of more than are kept nobody knows who the others are.
    let many = |n: u16| (0..n).map(|n| [203, 0, (n / 200) as u8, (n % 200) as u8 + 1]).collect::<Vec<_>>();
    assert_eq!(called(&many(256), &["to = [\"203.0.0.0/16\"]"]), (vec![], 1));
    assert_eq!(called(&many(257), &["to = [\"203.0.0.0/16\"]"]), told);
    assert_eq!(called(&many(257), &[""]), (vec![], 1));
}

#[test]
fn what_only_nodes_speak() {
    let core = Ipv4Addr::new(10, 200, 0, 1).octets();
    let spoken = |proto_port: u16, body: &[u8]| {
        let packets = vec![speaks(A, 10), (20_000_000, udp(A, core, (proto_port, proto_port), body))];
        watched(vec![sim(SIM, MODULE, "meters", A, (0, 1000))], packets)
    };
    let echo = [0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0];
    for port in [2123, 8805, 2152] {
        assert_eq!(codes(&spoken(port, &echo)), ["core-abuse"], "{port}");
    }
    assert!(spoken(2124, &echo).is_empty());
}

/// Handovers, several networks at once, two kinds of addresses, numbers used again, and signalling that is lost are how it always is.
#[test]
fn a_network_as_it_is_has_no_conflict() {
    for (seed, loss) in [(1, 0), (2, 0), (3, 50), (4, 50)] {
        let truth = umbilical_synth::mobile::trace(&umbilical_synth::mobile::Plan { seed, sessions: 300, loss, packets: 10 });
        let mut watch = Watch::new(Limits::default());
        let mut detect = Detectors::new(Given::default());
        for (n, frame) in truth.frames.iter().enumerate() {
            let bytes = &frame.bytes;
            let frame = Frame { number: n as u64 + 1, at: Micros(frame.at), link: Link::ETHERNET, bytes, length: bytes.len() as u32 };
            watch.frame(&frame, &mut |event, words| detect.see(&event, words));
        }
        watch.finish(&mut |event, words| detect.see(&event, words));
        let alerts = detect.finish(Trace { words: &watch.words, sessions: &watch.sessions }).0;
        let of = |code: &str| alerts.iter().filter(|a| a.about.code == code).map(|a| &a.reason.did).collect::<Vec<_>>();
        for code in ["identity-change", "core-abuse", "device-to-device", "reached-from-outside"] {
            assert!(of(code).is_empty(), "{seed} {code}: {:?}", of(code));
        }
    }
}
