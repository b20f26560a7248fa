//! With whom something was, where that is more than one: it is not told where each of them is written down.

use umbilical_core::finding::DETECTED;
use umbilical_synth::scene::{self, Talk};
use umbilical_traffic::capture;
use umbilical_traffic::detect::{Detectors, Given, Trace};
use umbilical_traffic::flow::{Event, Limits};
use umbilical_traffic::lists::{Expected, Indicators};
use umbilical_traffic::watch::Watch;

use crate::detect::{ME, Timed, codes, found};
use crate::flows::{tcp, udp};

fn expected(to: &str) -> Expected {
    Expected::read(&format!("[[allow]]\nreason = \"ours\"\nto = [\"{to}\"]\n"), DETECTED).unwrap()
}

fn told(packets: Vec<Timed>, to: &str) -> Vec<&'static str> {
    codes(&found(packets, Given { expected: expected(to), ..Given::default() }))
}

#[test]
fn an_inventory_of_a_network_of_ones_own() {
    let scan = |last: [u8; 4]| {
        let silent = (0..100).map(|n| (n * 50_000, tcp(ME, [10, 7, 0, n as u8], (40_000 + n as u16, 502), 2, 1, b"")));
        silent.chain([(5_000_000, tcp(ME, last, (50_000, 502), 2, 1, b""))]).collect::<Vec<_>>()
    };
    let own = [10, 7, 0, 200];
    assert_eq!(told(scan(own), "10.7.0.0/24"), [""; 0]);
    assert_eq!(told(scan(own), "10.7.0.0/25"), ["scan"]);
    // One step outside of what was allowed is a scan.
    assert_eq!(told(scan([10, 8, 0, 1]), "10.7.0.0/24"), ["scan"]);
    // What it did before a pause counts as well.
    let mut twice = scan([10, 8, 0, 1]);
    twice.extend(scan(own).into_iter().map(|(at, bytes)| (at + 3_600_000_000, bytes)));
    assert_eq!(told(twice, "10.7.0.0/24"), ["scan"]);
}

#[test]
fn who_is_answered_with_much() {
    let answers = |askers: u8| -> Vec<Timed> {
        let asked = (0..300u32).flat_map(|k| {
            let (at, to, port) = (i64::from(k) * 50_000, [203, 0, 113, (k % u32::from(askers)) as u8 + 1], 1024 + (k * 7) as u16);
            let long = (1..4).map(move |m| (at + 1000 * m, udp(ME, to, (161, port), &[2; 400])));
            std::iter::once((at, udp(to, ME, (port, 161), &[1; 20]))).chain(long)
        });
        asked.collect()
    };
    assert_eq!(told(answers(2), "203.0.113.0/24"), [""; 0]);
    assert_eq!(told(answers(2), "203.0.113.1"), ["reflection"]);
    // More than are kept.
    assert_eq!(told(answers(100), "203.0.113.0/24"), ["reflection"]);
}

#[test]
fn the_others_of_a_node() {
    let head = |length: u32| {
        // Levin, as the project writes it down: signature, length, whether an answer is wanted, command, code, flags, version.
        let mut head = 0x0101_0101_0101_2101_u64.to_le_bytes().to_vec();
        head.extend(u64::from(length).to_le_bytes());
        head.push(1);
        [1001_u32, 0, 1, 1].into_iter().for_each(|n| head.extend(n.to_le_bytes()));
        head.extend(vec![7; length as usize]);
        head
    };
    let node = |others: [[u8; 4]; 2]| -> Vec<Timed> {
        let with = |(to, at): ([u8; 4], i64)| {
            let port = (40_000 + (at / 1_000_000) as u16, 18_080);
            [
                (at, tcp(ME, to, port, 2, 1, b"")),
                (at + 1000, tcp(to, ME, (port.1, port.0), 0x12, 1, b"")),
                (at + 2000, tcp(ME, to, port, 0x18, 2, &head(200))),
                (at + 3000, tcp(to, ME, (port.1, port.0), 0x18, 2, &head(100))),
            ]
        };
        others.into_iter().zip([0, 1_000_000]).flat_map(with).collect()
    };
    let (ours, other) = ([203, 0, 113, 7], [198, 51, 100, 7]);
    assert_eq!(told(node([ours, [203, 0, 113, 8]]), "203.0.113.0/24"), [""; 0]);
    assert_eq!(told(node([ours, other]), "203.0.113.0/24"), ["mining"]);
}

/// A fingerprint is no address: with whom it was shown is what counts.
#[test]
fn servers_to_which_a_listed_fingerprint_was_shown() {
    let talk = |n: u8| Talk::tls(f64::from(n) * 10.0, ME, [203, 0, 113, n], 20_000 + u16::from(n), "a.example");
    let pcap = scene::pcap(&[talk(7), talk(8)]);
    let mut print = None;
    let mut watch = Watch::new(Limits::default());
    let mut each = |event: Event<'_>, words: &umbilical_traffic::names::Words| {
        if let Event::End(flow, _) = event {
            print = flow.names.ja4.map(|word| words.get(word).to_owned()).or(print.take());
        }
    };
    capture::read(&*pcap, &mut |frame| watch.frame(&frame, &mut each)).unwrap();
    watch.finish(&mut each);
    let print = print.unwrap();
    let told = |to: &str| {
        let mut indicators = Indicators::default();
        assert_eq!(indicators.add("a list", print.as_bytes()).unwrap(), []);
        let (mut watch, mut detect) =
            (Watch::new(Limits::default()), Detectors::new(Given { indicators, expected: expected(to), ..Given::default() }));
        capture::read(&*pcap, &mut |frame| watch.frame(&frame, &mut |event, words| detect.see(&event, words))).unwrap();
        watch.finish(&mut |event, words| detect.see(&event, words));
        codes(&detect.finish(Trace { words: &watch.words, sessions: &watch.sessions }).0)
    };
    assert_eq!(told("192.0.2.1"), ["indicator"]);
    assert_eq!(told("203.0.113.7"), ["indicator"]);
    assert_eq!(told("203.0.113.0/28"), [""; 0]);
}
