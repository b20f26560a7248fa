//! Sessions of sign-ins, of one a second, and of hours.

use umbilical_core::finding::{DETECTED, Severity};
use umbilical_traffic::detect::{Alert, Detectors, Given, Subject, Trace};
use umbilical_traffic::flow::{Half, Key, Limits, Seen};
use umbilical_traffic::lists::Expected;
use umbilical_traffic::names::Names;
use umbilical_traffic::packet::{Addr, Flags};
use umbilical_traffic::record::Record;
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch::Watch;

use crate::detect::{Dice, ME, PEER, Timed, found};
use crate::flows::{tcp, udp};

const SYN: u8 = 2;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const FIN_ACK: u8 = 0x11;

fn of(code: &str, packets: Vec<Timed>) -> Vec<Alert> {
    found(packets, Given::default()).into_iter().filter(|a| a.about.code == code).collect()
}

fn below(d: &mut Dice, most: usize) -> usize {
    (d.next() * most as f64) as usize
}

/// A session that begins and lasts so many seconds, with payloads: those of the server negative.
fn session(at: f64, lasts: f64, (from, to): ([u8; 4], [u8; 4]), (port, door): (u16, u16), payloads: &[i32]) -> Vec<Timed> {
    let time = |share: f64| ((at + lasts * share) * 1e6) as i64;
    let mut out = vec![
        (time(0.0), tcp(from, to, (port, door), SYN, 1, b"")),
        (time(0.01), tcp(to, from, (door, port), SYN_ACK, 1, b"")),
        (time(0.02), tcp(from, to, (port, door), ACK, 2, b"")),
    ];
    let (mut up, mut down) = (2u32, 2u32);
    for (n, size) in payloads.iter().enumerate() {
        let when = time(0.05 + 0.9 * n as f64 / payloads.len() as f64);
        let body = vec![b'x'; size.unsigned_abs() as usize];
        if *size > 0 {
            out.push((when, tcp(from, to, (port, door), ACK, up, &body)));
            up += size.unsigned_abs();
        } else {
            out.push((when, tcp(to, from, (door, port), ACK, down, &body)));
            down += size.unsigned_abs();
        }
    }
    out.push((time(0.98), tcp(to, from, (door, port), FIN_ACK, down, b"")));
    out.push((time(1.0), tcp(from, to, (port, door), FIN_ACK, up, b"")));
    out
}

/// What a session is like that is refused, with a password of some length.
fn refused(door: u16, d: &mut Dice) -> Vec<i32> {
    let word = 4 + below(d, 12) as i32;
    match door {
        21 => vec![-40, 12, -36, 7 + word, -24],
        22 => vec![-40, 30, -1080, 1500, -560, 48, -52, 60, -80, 140 + word / 8 * 8, -52, 64],
        23 | 2323 => vec![-27, 27, -30, 6, -12, word, -20],
        110 => vec![-30, 12, -6, 7 + word, -28, 6, -10],
        143 => vec![-60, 20 + word, -48],
        445 => vec![220, -300, 240, -330, 480 + word, -77],
        1433 => vec![80, -48, 190, -1300, 500, -140, 160 + word, -120],
        3306 => vec![-95, 110 + word, -48, 24, -85],
        3389 => vec![45, -19, 260, -1200, 200, -51, 130, -300, 480 + word],
        5432 => vec![60, -24, 80, -90, 110, -105],
        _ => vec![-12, 12, -2, 1, -16, 16, -30],
    }
}

const DOORS: [u16; 12] = [21, 22, 23, 2323, 110, 143, 445, 1433, 3306, 3389, 5432, 5900];

#[test]
fn one_password_after_another_is_found() {
    let mut d = Dice(31);
    for door in DOORS {
        for n in 0..20 {
            // One after the other, or several at once, or now and then.
            let (mut at, tries) = (1000.0, 12 + below(&mut d, 60));
            let packets: Vec<Timed> = (0..tries)
                .flat_map(|k| {
                    let lasts = 0.4 + 2.0 * d.next();
                    at += match n % 3 {
                        0 => lasts + 0.05 * d.next(),
                        1 => 0.3 * d.next(),
                        _ => 2.0 + 18.0 * d.next(),
                    };
                    session(at, lasts, (ME, PEER), (30_000 + k as u16, door), &refused(door, &mut d))
                })
                .collect();
            let alerts = of("brute-force", packets);
            assert_eq!(alerts.len(), 1, "{door} {n}: {tries}");
            assert_eq!((alerts[0].subject, alerts[0].peer.clone()), (Subject::Host(Addr::v4(ME)), Some(format!("198.51.100.9:{door}"))));
            assert!(alerts[0].flows >= 10 && alerts[0].frames.0 >= 1, "{:?}", alerts[0]);
        }
    }
}

#[test]
fn who_signs_in_looks_after_services_or_works_there_does_not_guess() {
    let mut d = Dice(32);
    for n in 0..20u16 {
        // One that sets up fifty machines, each in a few sessions of what there is to do.
        let mut at = 1000.0;
        let sets_up: Vec<Timed> = (0..150u16)
            .flat_map(|k| {
                at += 0.2 + d.next();
                let did: Vec<i32> = (0..20 + below(&mut d, 60))
                    .flat_map(|_| [200 + below(&mut d, 4000) as i32, -100 - below(&mut d, 3000) as i32])
                    .collect();
                let hello = vec![-40, 30, -1080, 1500, -560, 48, -52, 60, -80, 500, -36];
                session(at, 4.0 + 9.0 * d.next(), (ME, [10, 0, 2, (k % 50) as u8]), (20_000 + k, 22), &[hello, did].concat())
            })
            .collect();
        // Whether a service is there: each so many seconds, a greeting and good-bye, or a sign-in that is let in.
        let period = 5.0 + f64::from(n);
        let looks: Vec<Timed> = (0..60u16)
            .flat_map(|k| session(1000.0 + f64::from(k) * period, 0.2, (ME, PEER), (20_000 + k, 22), &[-40, 24, -1080, 700, -300, 20]))
            .collect();
        let greets: Vec<Timed> = (0..60u16)
            .flat_map(|k| session(1000.0 + 3.0 * d.next() + f64::from(k) * 4.0, 0.2, (ME, PEER), (20_000 + k, 22), &[-40]))
            .collect();
        // Pages that ask a database and go, each with an answer of its own.
        let asks: Vec<Timed> = (0..200u16)
            .flat_map(|k| {
                let query = [-95, 120, -11, 60 + below(&mut d, 20) as i32, -(90 + below(&mut d, 200) as i32), 5];
                session(1000.0 + f64::from(k) * 0.7 * d.next(), 0.05, (ME, PEER), (20_000 + k, 3306), &query)
            })
            .collect();
        // Mail that is fetched.
        let mail: Vec<Timed> = (0..40u16)
            .flat_map(|k| {
                session(
                    1000.0 + f64::from(k) * 15.0 * d.next(),
                    0.4,
                    (ME, PEER),
                    (20_000 + k, 110),
                    &[-30, 12, -6, 14, -20, 6, -10, 6, -12],
                )
            })
            .collect();
        // Somebody who types, and files that are sent.
        let works: Vec<Timed> = (0..15u16)
            .flat_map(|k| {
                let files = [-40, 30, -1080, 1500, -560, 48, -52, 60, -80, 500, -36, 20_000 + below(&mut d, 9) as i32];
                session(1000.0 + f64::from(k) * 9.0, 5.0, (ME, PEER), (20_000 + k, 22), &files)
            })
            .collect();
        for (what, packets) in
            [("sets up", sets_up), ("looks", looks), ("greets", greets), ("asks", asks), ("mail", mail), ("works", works)]
        {
            let alerts = of("brute-force", packets);
            assert!(alerts.is_empty(), "{what} {n}: {:?} {:?}", alerts[0].reason, alerts[0].terms);
        }
    }
}

#[test]
fn each_later_session_is_held_against_the_others() {
    let mut d = Dice(33);
    let mut tries = |from: f64, count: u16, port: u16| -> Vec<Timed> {
        let each = |k: u16| (from + f64::from(k) * 3.0 + 4.0 * d.next(), 20_000 + port + k);
        let all: Vec<(f64, u16)> = (0..count).map(each).collect();
        all.into_iter().flat_map(|(at, port)| session(at, 0.6, (ME, PEER), (port, 22), &refused(22, &mut Dice(at as u64)))).collect()
    };
    let first = tries(1000.0, 20, 0);
    // Hours later: one now and then that is as short, some of other sizes, and a look each minute.
    let rare =
        (0..30u16).flat_map(|k| session(9000.0 + f64::from(k) * 400.0, 0.5, (ME, PEER), (30_000 + k, 22), &refused(22, &mut Dice(5))));
    let other = (0..30u16).flat_map(|k| {
        let says = [-40, 24, -1080, 700 + i32::from(k) * 150, -300, 20];
        session(30_000.0 + f64::from(k * k % 31) * 7.0, 0.5, (ME, PEER), (40_000 + k, 22), &says)
    });
    let looks = (0..60u16)
        .flat_map(|k| session(40_000.0 + f64::from(k) * 20.0, 0.2, (ME, PEER), (50_000 + k, 22), &[-40, 24, -1080, 700, -300, 20]));
    let again = tries(60_000.0, 15, 100);
    let alerts = of("brute-force", first.iter().cloned().chain(rare).chain(other).chain(looks).collect());
    assert_eq!((alerts.len(), alerts[0].flows), (1, 20), "{:?}", alerts[0].reason);
    assert!(alerts[0].last.0 < 1_100_000_000, "{:?}", alerts[0].last);
    let alerts = of("brute-force", first.into_iter().chain(again).collect());
    assert_eq!((alerts.len(), alerts[0].flows), (1, 35), "{:?}", alerts[0].reason);
}

/// What records alone come to: alerts, and conversations that were judged and those that could not be.
fn of_records(port: u16, up: u64, down: u64, seen: Seen) -> (usize, u64, u64) {
    let mut watch = Watch::new(Limits::default());
    let mut detect = Detectors::new(Given::default());
    let half = |bytes: u64| Half { packets: 6, bytes: bytes + 6 * 52, payload: bytes, flags: Flags(0x1b), fresh: 0 };
    for n in 0..40u16 {
        let key = Key { client: Addr::v4(ME), server: Addr::v4(PEER), client_port: 20_000 + n, server_port: port, proto: 6 };
        let at = Micros(1_000_000_000 + i64::from(n) * 2_000_000 + i64::from(n * n % 17) * 50_000);
        let (end, number) = (at.plus(Micros(500_000)), u64::from(n) + 1);
        let record = Record { key, start: at, end, number, up: half(up), down: half(down), names: Names::default(), seen, part: None };
        watch.record(&record, &mut |event, words| detect.see(&event, words));
    }
    watch.finish(&mut |event, words| detect.see(&event, words));
    let (alerts, came) = detect.finish(Trace { words: &watch.words, sessions: &watch.sessions });
    let tally = came.iter().find(|c| c.about.code == "brute-force").map(|c| c.tally).unwrap_or_default();
    (alerts.iter().filter(|a| a.about.code == "brute-force").count(), tally.judged, tally.blind)
}

#[test]
fn records_without_payloads_tell_of_doors_whose_sizes_are_enough() {
    let seen = Seen::PACKETS.without(Seen::FIRSTS);
    assert_eq!(of_records(22, 1800, 1900, seen), (1, 40, 0));
    for (port, up, down) in [(110, 40, 80), (143, 40, 110), (3306, 140, 230), (5432, 250, 220)] {
        assert_eq!(of_records(port, up, down, seen), (0, 0, 40), "{port}");
    }
    assert_eq!(of_records(22, 1800, 1900, seen.without(Seen::COUNTS)).0, 0);
}

#[test]
fn one_a_second_all_day_is_a_strobe() {
    let day = |per_second: f64, hours: f64, port: u16, to: [u8; 4]| -> Vec<Timed> {
        let all = (per_second * hours * 3600.0) as u32;
        (0..all).map(|n| ((f64::from(n) / per_second * 1e6) as i64, udp(ME, to, (1024 + (n % 60_000) as u16, port), b"x"))).collect()
    };
    let alerts = of("strobe", day(1.01, 24.0, 9000, PEER));
    assert_eq!((alerts.len(), alerts[0].severity, alerts[0].peer.as_deref()), (1, Severity::Low, Some("198.51.100.9")));
    assert!(alerts[0].flows >= 86_400, "{}", alerts[0].flows);
    assert_eq!(of("strobe", day(12.0, 2.1, 9000, PEER)).len(), 1);
    for less in [
        day(0.9, 24.0, 9000, PEER),
        day(1.2, 18.0, 9000, PEER),
        day(1.01, 24.0, 53, PEER),
        day(1.01, 24.0, 502, [10, 0, 0, 9]),
        day(1000.0, 0.03, 9000, PEER),
    ] {
        assert!(of("strobe", less).is_empty());
    }
}

/// A conversation that says something each so many seconds, for hours.
fn lasts(me: [u8; 4], to: [u8; 4], port: u16, hours: f64, first: &[u8]) -> Vec<Timed> {
    let mut out = vec![
        (0, tcp(me, to, (40_000, port), SYN, 1, b"")),
        (20_000, tcp(to, me, (port, 40_000), SYN_ACK, 1, b"")),
        (40_000, tcp(me, to, (40_000, port), ACK, 2, first)),
    ];
    let mut at = 60.0;
    while at < hours * 3600.0 + 61.0 {
        out.push(((at * 1e6) as i64, tcp(me, to, (40_000, port), ACK, 90, b"ping")));
        out.push(((at * 1e6) as i64 + 20_000, tcp(to, me, (port, 40_000), ACK, 90, b"pong")));
        at += 60.0;
    }
    out
}

#[test]
fn what_lasts_for_hours_is_told_by_how_much_is_known_of_it() {
    for (hours, severity) in [(1.0, Severity::Info), (4.0, Severity::Low), (8.0, Severity::Low), (12.0, Severity::Medium)] {
        let alerts = of("long-connection", lasts(ME, PEER, 7443, hours, b"\x01\x02\x03"));
        assert_eq!((alerts.len(), alerts[0].severity), (1, severity), "{hours}");
        assert_eq!(alerts[0].peer.as_deref(), Some("198.51.100.9:7443"));
    }
    // It says which protocol it speaks.
    let mqtt = [&[0x10, 18, 0, 4][..], b"MQTT", &[4, 2, 0, 60, 0, 6], b"sensor"].concat();
    let alerts = of("long-connection", lasts(ME, PEER, 1883, 13.0, &mqtt));
    assert_eq!((alerts.len(), alerts[0].severity), (1, Severity::Info), "{:?}", alerts[0].reason);
    // Less than an hour, and one of one's own.
    assert!(of("long-connection", lasts(ME, PEER, 7443, 0.9, b"\x01")).is_empty());
    assert!(of("long-connection", lasts(ME, [10, 0, 0, 9], 7443, 13.0, b"\x01")).is_empty());
    // Many with the same peer: each is told of, and who is expected to have one silences none of the others.
    let many = || (0..12).flat_map(|n| lasts([10, 0, 1, n], PEER, 7443, 2.0, b"\x01")).collect();
    assert_eq!(of("long-connection", many()).len(), 12);
    let one = "[[allow]]\nfindings = [\"long-connection\"]\nwho = [\"10.0.1.3\"]\nreason = \"a tunnel\"\n";
    let given = Given { expected: Expected::read(one, DETECTED).unwrap(), ..Given::default() };
    let alerts: Vec<Alert> = found(many(), given).into_iter().filter(|a| a.about.code == "long-connection").collect();
    assert_eq!(alerts.len(), 11);
    assert!(alerts.iter().all(|a| a.subject != Subject::Host(Addr::v4([10, 0, 1, 3]))));
}
