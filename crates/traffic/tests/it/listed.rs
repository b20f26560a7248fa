//! What stands on lists, met on the network; and what is expected, which is not told.

use umbilical_core::finding::{DETECTED, Severity};
use umbilical_traffic::detect::{Given, Subject};
use umbilical_traffic::lists::{Expected, Indicators};

use crate::detect::{ME, PEER, Timed, codes, found, talk};
use crate::flows::{tcp, udp};

const SECOND: i64 = 1_000_000;
const RESOLVER: [u8; 4] = [10, 0, 0, 1];

fn given(list: &str) -> Given {
    let mut indicators = Indicators::default();
    assert_eq!(indicators.add("a list", list.as_bytes()).unwrap(), []);
    Given { indicators, ..Given::default() }
}

/// A question for `bad.example`.
fn asks(at: i64) -> Timed {
    let question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03bad\x07example\x00\x00\x01\x00\x01";
    (at, udp(ME, RESOLVER, (4000, 53), question))
}

fn http(at: i64, request: &str) -> Vec<Timed> {
    let mut packets = vec![(at, tcp(ME, PEER, (5000, 80), 2, 1, b"")), (at + 1, tcp(PEER, ME, (80, 5000), 0x12, 1, b""))];
    packets.push((at + 2, tcp(ME, PEER, (5000, 80), 0x18, 2, request.as_bytes())));
    packets
}

#[test]
fn one_entry_that_somebody_met_is_one_finding() {
    let alerts = found((0..5).flat_map(|n| talk(n as f64 * 700.0, 20_000 + n, 100)).collect(), given("198.51.100.0/24 botnet\n"));
    let [alert] = alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!((alert.about.code, alert.flows, alert.severity), ("indicator", 5, Severity::High));
    assert_eq!(alert.subject, Subject::Host(umbilical_traffic::packet::Addr::v4(ME)));
    assert_eq!(alert.peer.as_deref(), Some("198.51.100.0/24"));
    assert_eq!(alert.reason.more, ["It stands on a list, line 1: botnet"]);
    assert_eq!(alert.frames, (1, 25));
}

#[test]
fn a_name_that_is_only_asked_for_is_told_as_such() {
    let alerts = found(vec![asks(SECOND), asks(9 * SECOND)], given("198.51.100.1\nbad.example\n"));
    let [alert] = alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!((alert.peer.as_deref(), alert.severity, alert.flows), (Some("bad.example"), Severity::Medium, 2));
    assert!(alert.reason.did.starts_with("asked for the name of bad.example"));
}

#[test]
fn targets_of_http_by_whole_and_names_by_domain() {
    let request = "GET /a/gate?x=1 HTTP/1.1\r\nHost: www.bad.example\r\n\r\n";
    let peers = |list: &str| found(http(SECOND, request), given(list)).iter().filter_map(|a| a.peer.clone()).collect::<Vec<_>>();
    assert_eq!(peers("hxxp://www.bad[.]example/a/gate?x=1\n"), ["www.bad.example/a/gate?x=1"]);
    assert_eq!(peers("http://www.bad.example/a/gate\n"), [""; 0]);
    assert_eq!(peers("*.bad.example\n"), ["bad.example"]);
    assert_eq!(peers("d.example\n"), [""; 0]);
}

#[test]
fn whoever_calls_from_a_list_is_told_of_whom_it_called() {
    let alerts =
        found(vec![(0, tcp(PEER, ME, (4000, 502), 2, 1, b"")), (1, tcp(ME, PEER, (502, 4000), 0x12, 1, b""))], given("198.51.100.9"));
    assert_eq!(alerts[0].subject, Subject::Host(umbilical_traffic::packet::Addr::v4(ME)));
}

#[test]
fn what_is_expected_is_counted_and_not_told() {
    let rule = |text: &str| {
        let text = format!("[[allow]]\nreason = \"ours\"\n{text}");
        let given = Given { expected: Expected::read(&text, DETECTED).unwrap(), ..given("198.51.100.9\n") };
        codes(&found(talk(0.0, 20_000, 100), given))
    };
    assert_eq!(rule("findings = [\"indicator\"]"), [""; 0]);
    assert_eq!(rule("who = [\"10.0.0.0/24\"]\nto = [\"198.51.100.0/24\"]"), [""; 0]);
    assert_eq!(rule("findings = [\"beacon\"]"), ["indicator"]);
    assert_eq!(rule("who = [\"10.0.1.0/24\"]"), ["indicator"]);
    assert_eq!(rule("to = [\"192.0.2.0/24\"]"), ["indicator"]);
    // The day is over: the talk was in 1970.
    assert_eq!(rule("until = \"1969-12-31\""), ["indicator"]);
}
