//! Floods, what looks like one, and services that are made to answer somebody else.

use umbilical_core::finding::Severity;
use umbilical_traffic::detect::{Alert, Given, Subject};
use umbilical_traffic::packet::Addr;

use crate::detect::{Dice, ME, PEER, Timed, found};
use crate::flows::{tcp, udp, v4};

const SYN: u8 = 2;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const RST: u8 = 4;
const SECOND: i64 = 1_000_000;

fn of(code: &str, alerts: &[Alert]) -> Vec<Alert> {
    alerts.iter().filter(|a| a.about.code == code).cloned().collect()
}

fn floods(packets: Vec<Timed>) -> Vec<Alert> {
    of("ddos-source", &found(packets, Given::default()))
}

fn dice(dice: &mut Dice, below: u32) -> u32 {
    (dice.next() * f64::from(below)) as u32
}

fn anybody(d: &mut Dice) -> [u8; 4] {
    [11 + dice(d, 80) as u8, dice(d, 256) as u8, dice(d, 256) as u8, 1 + dice(d, 253) as u8]
}

/// How a flood is made.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Syn,
    SynAnswered,
    SynSamePorts,
    Ack,
    Rst,
    Udp,
    UdpSamePorts,
    Echo,
    Pieces,
    Six,
}

const KINDS: [Kind; 10] = [
    Kind::Syn,
    Kind::SynAnswered,
    Kind::SynSamePorts,
    Kind::Ack,
    Kind::Rst,
    Kind::Udp,
    Kind::UdpSamePorts,
    Kind::Echo,
    Kind::Pieces,
    Kind::Six,
];

fn v6(src: [u8; 16], dst: [u8; 16], proto: u8, body: &[u8]) -> Vec<u8> {
    [&[0x60, 0, 0, 0][..], &(body.len() as u16).to_be_bytes(), &[proto, 64], &src, &dst, body].concat()
}

/// One packet of a flood, and what comes back.
fn one(kind: Kind, src: [u8; 4], n: u32, port: u16, size: usize, d: &mut Dice) -> Vec<Vec<u8>> {
    let from = 1024 + dice(d, 60_000) as u16;
    let body = vec![n as u8; size];
    match kind {
        Kind::Syn => vec![tcp(src, PEER, (from, port), SYN, dice(d, u32::MAX), b"")],
        Kind::SynAnswered => {
            vec![tcp(src, PEER, (from, port), SYN, n, b""), tcp(PEER, src, (port, from), SYN_ACK, n, b"")]
        }
        Kind::SynSamePorts => vec![tcp(src, PEER, (4321, port), SYN, 7, b"")],
        Kind::Ack => vec![tcp(src, PEER, (from, port), ACK, dice(d, u32::MAX), &body)],
        Kind::Rst => vec![tcp(src, PEER, (from, port), RST, dice(d, u32::MAX), b"")],
        Kind::Udp => vec![udp(src, PEER, (20_000 + from % 11_000, port), &body)],
        Kind::UdpSamePorts => vec![udp(src, PEER, (4321, port), &body)],
        Kind::Echo => vec![v4(src, PEER, 1, &[&[8, 0, 0, 0, 9, 9, (n >> 8) as u8, n as u8][..], &body].concat())],
        Kind::Pieces => {
            let mut packet = v4(src, PEER, 17, &[1; 64]);
            packet[4..6].copy_from_slice(&(n as u16).to_be_bytes());
            packet[6] = 0x20;
            vec![packet]
        }
        Kind::Six => {
            let head =
                [&from.to_be_bytes()[..], &port.to_be_bytes(), &[0, 0, 0, n as u8, 0, 0, 0, 0, 0x50, SYN, 1, 0, 0, 0, 0, 0]].concat();
            let addr = |last: u8| [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
            vec![v6(addr(1), addr(2), 6, &head)]
        }
    }
}

/// So many packets a second for some seconds, from one or from as many as there are packets.
fn flood(kind: Kind, rate: u32, seconds: u32, spoofed: bool, d: &mut Dice) -> Vec<Timed> {
    let (port, size) = (1 + dice(d, 9000) as u16, dice(d, 1000) as usize);
    let port = if port == 514 || port == 162 { 80 } else { port };
    let start = i64::from(dice(d, 1000)) * SECOND + i64::from(dice(d, 1_000_000));
    let step = SECOND / i64::from(rate);
    (0..rate * seconds)
        .flat_map(|n| {
            let src = if spoofed { anybody(d) } else { ME };
            let at = start + i64::from(n) * step + i64::from(dice(d, 1 + step as u32 / 2));
            one(kind, src, n, port, size, d).into_iter().map(move |packet| (at, packet)).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn floods_of_every_kind_are_found_once_and_soon() {
    let mut d = Dice(11);
    for kind in KINDS {
        for n in 0..20 {
            let rate = [250, 400, 1000, 2500][n % 4];
            let spoofed = n % 2 == 1 && !matches!(kind, Kind::SynSamePorts | Kind::UdpSamePorts | Kind::Six | Kind::Echo);
            let packets = flood(kind, rate, 6, spoofed, &mut d);
            let alerts = floods(packets);
            let [alert] = &alerts[..] else { panic!("{kind:?} {rate} {spoofed}: {alerts:?}") };
            let after = alert.at.since(alert.first).0 as f64 / 1e6;
            assert!(after <= 5.1, "{kind:?} {rate}: said after {after}");
            let to = if matches!(kind, Kind::Six) { "2001:db8::2" } else { "198.51.100.9" };
            if spoofed {
                assert_eq!(alert.subject, Subject::Host(Addr::v4(PEER)), "{kind:?}: {alert:?}");
                assert!(alert.reason.did.starts_with("was sent "), "{}", alert.reason.did);
            } else if !matches!(kind, Kind::Six) {
                assert_eq!((alert.subject, alert.peer.as_deref()), (Subject::Host(Addr::v4(ME)), Some(to)), "{kind:?}");
                assert_eq!(alert.severity, Severity::High);
            }
            assert!(alert.frames.0 >= 1 && alert.frames.1 > alert.frames.0, "{:?}", alert.frames);
        }
    }
}

#[test]
fn several_that_flood_one_are_each_named_and_whom_it_meets_otherwise() {
    let mut d = Dice(12);
    let from = |who: [u8; 4], d: &mut Dice| -> Vec<Timed> {
        (0..1200).map(|n| (n * 4000, tcp(who, PEER, (1024 + dice(d, 60_000) as u16, 80), SYN, n as u32, b""))).collect()
    };
    let three: Vec<Timed> = (1..4).flat_map(|n| from([10, 0, 0, n], &mut d)).collect();
    let alerts = floods(three);
    assert_eq!(alerts.len(), 3, "{alerts:?}");
    assert!(alerts.iter().all(|a| a.peer.as_deref() == Some("198.51.100.9")));
    // From outside to one of ours: of several it is told of whom they meet, one is named.
    let to_me = |who: [u8; 4]| (0..1200).map(move |n| (n * 4000, tcp(who, ME, (1024 + (n * 7 % 60_000) as u16, 80), SYN, n as u32, b"")));
    let alerts = floods((1..4).flat_map(|n| to_me([203, 0, 113, n])).collect());
    assert_eq!(alerts.iter().map(|a| a.subject).collect::<Vec<_>>(), [Subject::Host(Addr::v4(ME))]);
    let alerts = floods(to_me([203, 0, 113, 5]).collect());
    assert_eq!((alerts[0].subject, alerts[0].peer.as_deref()), (Subject::Host(Addr::v4([203, 0, 113, 5])), Some("10.0.0.7")));
    assert_eq!(alerts[0].severity, Severity::High);
}

/// A conversation of TCP that is answered and carries so many packets each way.
fn transfer(at: i64, port: u16, up: u32, down: u32, step: i64) -> Vec<Timed> {
    let ports = (port, 443);
    let mut out = vec![
        (at, tcp(ME, PEER, ports, SYN, 1, b"")),
        (at + 20_000, tcp(PEER, ME, (443, port), SYN_ACK, 1, b"")),
        (at + 40_000, tcp(ME, PEER, ports, ACK, 2, b"hello")),
    ];
    for n in 0..up.max(down) {
        let when = at + 60_000 + i64::from(n) * step;
        if n < down {
            out.push((when, tcp(PEER, ME, (443, port), ACK, 2 + n * 1400, &[7; 1400])));
        }
        if n < up {
            out.push((when + 10, tcp(ME, PEER, ports, ACK, 7 + n * 1400, &[7; 200])));
        }
    }
    out
}

#[test]
fn much_that_somebody_wants_is_no_flood() {
    let mut d = Dice(13);
    for n in 0..20u32 {
        let rate = 300 + dice(&mut d, 3000);
        let step = SECOND / i64::from(rate);
        // Downloads, backups, tests of speed.
        let download = transfer(0, 40_000, rate / 2, rate * 8, step);
        let backup = transfer(0, 40_001, rate * 8, rate / 2, step);
        // A client that opens as many connections as that, each of which is answered, taken up and ended.
        let busy: Vec<Timed> = (0..rate * 4)
            .flat_map(|k| {
                let (at, port) = (i64::from(k) * step, 1024 + (k % 60_000) as u16);
                vec![
                    (at, tcp(ME, PEER, (port, 80), SYN, k, b"")),
                    (at + 900_000, tcp(PEER, ME, (80, port), SYN_ACK, k, b"")),
                    (at + 1_300_000, tcp(ME, PEER, (port, 80), ACK, k + 1, b"GET")),
                ]
            })
            .collect();
        // Names that are asked for, and answered.
        let names: Vec<Timed> = (0..rate * 4)
            .flat_map(|k| {
                let (at, port) = (i64::from(k) * step, 1024 + (k * 7 % 60_000) as u16);
                vec![(at, udp(ME, PEER, (port, 53), b"?")), (at + 400_000, udp(PEER, ME, (53, port), b"!"))]
            })
            .collect();
        // A call, a tunnel, QUIC: both speak, one of them seldom.
        let both: Vec<Timed> = (0..rate * 8)
            .flat_map(|k| {
                let at = i64::from(k) * step;
                let mut out = vec![(at, udp(ME, PEER, (40_000, 443), &[1; 1200]))];
                if k % 20 == 0 {
                    out.push((at + 5, udp(PEER, ME, (443, 40_000), &[2; 40])));
                }
                out
            })
            .collect();
        // Pictures that a camera sends one way, once it was asked to over TCP, and of sizes as they come.
        let asked: Vec<Timed> = transfer(0, 40_002, 3, 3, 1000)
            .into_iter()
            .chain((0..rate * 8).map(|k| (SECOND + i64::from(k) * step, udp(ME, PEER, (5004, 5004), &[3; 1200]))))
            .collect();
        let camera: Vec<Timed> = (0..rate.min(1900) * 8)
            .map(|k| (i64::from(k) * SECOND / 1900, udp(ME, PEER, (5004, 5004), &vec![3; 700 + (k * 37 % 600) as usize])))
            .collect();
        // Logs.
        let logs: Vec<Timed> = (0..900 * 8).map(|k| (i64::from(k) * SECOND / 900, udp(ME, PEER, (40_000, 514), &[3; 120]))).collect();
        // What goes on as it did for minutes.
        let steady: Vec<Timed> = (0..150 * 90).map(|k| (i64::from(k) * SECOND / 150, udp(ME, PEER, (40_000, 9000), &[3; 60]))).collect();
        // Flood ping that is answered.
        let ping: Vec<Timed> = (0..rate * 6)
            .flat_map(|k| {
                let at = i64::from(k) * step;
                let body = |kind: u8| [&[kind, 0, 0, 0, 9, 9, (k >> 8) as u8, k as u8][..], &[0; 56]].concat();
                vec![(at, v4(ME, PEER, 1, &body(8))), (at + 300, v4(PEER, ME, 1, &body(0)))]
            })
            .collect();
        for (what, packets) in [
            ("download", download),
            ("backup", backup),
            ("busy", busy),
            ("names", names),
            ("both", both),
            ("asked", asked),
            ("camera", camera),
            ("logs", logs),
            ("steady", steady),
            ("ping", ping),
        ] {
            let alerts = floods(packets);
            assert!(alerts.is_empty(), "{what} {n} at {rate}: {:?}", alerts[0].reason);
        }
    }
}

#[test]
fn a_fleet_that_reports_is_no_flood_and_made_up_addresses_are() {
    // So many devices, each with a datagram each so many seconds from a port of its own each time.
    let fleet = |devices: u32, each: u32, rounds: u32, port: u16| -> Vec<Timed> {
        (0..devices * rounds)
            .map(|n| {
                let (device, round) = (n % devices, n / devices);
                let at = i64::from(round) * i64::from(each) * SECOND + i64::from(device) * i64::from(each) * SECOND / i64::from(devices);
                let src = [10, 1, (device / 250 % 256) as u8, 1 + (device % 250) as u8];
                (at, udp(src, PEER, (20_000 + round as u16, port), &[b'm'; 80]))
            })
            .collect()
    };
    for port in [162, 514, 2055, 8125] {
        let alerts = floods(fleet(25_000, 120, 1, port));
        assert!(alerts.is_empty(), "{port}: {:?}", alerts[0].reason);
    }
    // The same at any other port is too short to tell.
    assert_eq!(floods(fleet(25_000, 120, 1, 9000)).len(), 1);
    let alerts = floods(fleet(12_000, 45, 6, 9000));
    assert!(alerts.is_empty(), "{:?} {:?}", alerts[0].reason, alerts[0].terms);
    // Made up, as long and as steady; and much more than logs are.
    let mut d = Dice(16);
    let made_up = (0..267 * 300).map(|n| (i64::from(n) * SECOND / 267, udp(anybody(&mut d), PEER, (20_000, 9000), &[b'm'; 80])));
    assert_eq!(floods(made_up.collect()).len(), 1);
    let logs = (0..3000 * 10).map(|n| (i64::from(n) * SECOND / 3000, udp(anybody(&mut d), PEER, (20_000, 514), &[b'm'; 80])));
    assert_eq!(floods(logs.collect()).len(), 1);
}

#[test]
fn a_service_that_is_gone_is_not_flooded_and_a_scan_is_a_scan() {
    // Fifty ports a millisecond apart: a scan's.
    let scan = (0..3000).map(|n| (n * 1000, tcp(ME, PEER, (40_000, 1 + n as u16), SYN, 1, b"")));
    let alerts = found(scan.collect(), Given::default());
    assert_eq!(alerts.iter().map(|a| a.about.code).collect::<Vec<_>>(), ["scan"]);
    // The beginning of a capture in the midst of many conversations.
    let midst = (0..800u32).flat_map(|n| {
        let (at, from) = (i64::from(n) * 1000, [203, 0, (n / 200) as u8, (n % 200) as u8]);
        [(at, tcp(from, ME, (40_000, 443), ACK, n, b"more")), (at + 400, tcp(ME, from, (443, 40_000), ACK, n, b"yes"))]
    });
    assert!(floods(midst.collect()).is_empty());
}

#[test]
fn answers_that_nobody_asked_for_are_told_of_whom_they_hit() {
    let mut d = Dice(14);
    for n in 0..30usize {
        let service = [19, 53, 111, 123, 137, 161, 389, 500, 1900, 3283, 3702, 10_001, 11_211, 37_810, 47_808][n % 15];
        let (rate, size) = (200 + dice(&mut d, 2000), 100 + dice(&mut d, 1300) as usize);
        let amplifiers: Vec<[u8; 4]> = (0..30 + dice(&mut d, 500)).map(|_| anybody(&mut d)).collect();
        let packets: Vec<Timed> = (0..rate * 5)
            .map(|k| {
                let from = amplifiers[dice(&mut d, amplifiers.len() as u32) as usize];
                let port = if n % 2 == 0 { 40_000 } else { 20_000 + dice(&mut d, 40_000) as u16 };
                (i64::from(k) * SECOND / i64::from(rate), udp(from, ME, (service, port), &vec![1; size]))
            })
            .collect();
        let alerts = found(packets, Given::default());
        let codes: Vec<&str> = alerts.iter().map(|a| a.about.code).collect();
        assert_eq!(codes, ["reflection"], "{service} at {rate}, {} amplifiers", amplifiers.len());
        assert_eq!(alerts[0].subject, Subject::Host(Addr::v4(ME)));
        assert!(alerts[0].at.since(alerts[0].first).0 <= 5_100_000, "{:?}", alerts[0]);
    }
}

#[test]
fn a_device_that_answers_with_much_more_is_an_amplifier_and_a_resolver_is_none() {
    let mut d = Dice(15);
    for n in 0..30usize {
        let service = [53, 123, 161, 389, 1900, 11_211][n % 6];
        let victims = 1 + dice(&mut d, 3);
        let packets: Vec<Timed> = (0..300u32)
            .flat_map(|k| {
                let (at, victim) = (i64::from(k) * 50_000, [203, 0, 113, (k % victims) as u8]);
                let port = 1024 + dice(&mut d, 60_000) as u16;
                let mut out = vec![(at, udp(victim, ME, (port, service), &[1; 20]))];
                out.extend((0..3).map(|m| (at + 1000 * (m + 1), udp(ME, victim, (service, port), &[2; 400]))));
                out
            })
            .collect();
        let alerts = of("reflection", &found(packets, Given::default()));
        assert_eq!(alerts.len(), 1, "{service}: {alerts:?}");
        assert_eq!((alerts[0].subject, alerts[0].peer.clone()), (Subject::Host(Addr::v4(ME)), Some(format!("UDP port {service}"))));
    }
    // One that answers at two ports and is hit: each is told of by itself.
    let answers = |service: u16| {
        (0..300u32).flat_map(move |k| {
            let (at, victim, port) = (i64::from(k) * 50_000, [203, 0, 113, 9], 1024 + (k * 7 % 60_000) as u16);
            let long = (1..4).map(move |m| (at + 1000 * m, udp(ME, victim, (service, port), &[2; 400])));
            std::iter::once((at, udp(victim, ME, (port, service), &[1; 20]))).chain(long)
        })
    };
    let hits =
        (0..3000u32).map(|k| (i64::from(k) * 2000, udp([198, 51, 100, (k % 90) as u8], ME, (389, 40_000 + (k % 9000) as u16), &[3; 900])));
    let alerts = of("reflection", &found(answers(53).chain(answers(123)).chain(hits).collect(), Given::default()));
    let mut peers: Vec<Option<&str>> = alerts.iter().map(|a| a.peer.as_deref()).collect();
    peers.sort();
    assert_eq!(peers, [None, Some("UDP port 123"), Some("UDP port 53")]);
    // Its own questions to a resolver, whose answers are long; a server of names that is asked from outside and says as much as is usual; devices that all answer one in the same network.
    let asks = (0..2000u32).flat_map(|k| {
        let (at, port) = (i64::from(k) * 10_000, 1024 + (k * 13 % 60_000) as u16);
        [(at, udp(ME, PEER, (port, 53), &[1; 30])), (at + 3000, udp(PEER, ME, (53, port), &[2; 900]))]
    });
    let serves = (0..2000u32).flat_map(|k| {
        let (at, port, from) = (i64::from(k) * 10_000, 1024 + (k * 13 % 60_000) as u16, [203, 0, 113, (k % 200) as u8]);
        [(at, udp(from, ME, (port, 53), &[1; 40])), (at + 300, udp(ME, from, (53, port), &[2; 160]))]
    });
    let all_answer = (0..400u32).map(|k| (i64::from(k) * 2000, udp([10, 0, 1, (k % 200) as u8], ME, (1900, 40_000), &[2; 300])));
    for packets in [asks.collect::<Vec<_>>(), serves.collect(), all_answer.collect()] {
        let alerts = of("reflection", &found(packets, Given::default()));
        assert!(alerts.is_empty(), "{:?}", alerts[0].reason);
    }
}
