//! Detectors on traces of which it is known what is in them.

use umbilical_traffic::capture::Frame;
use umbilical_traffic::detect::{Alert, Came, Detectors, Given, Subject, Trace};
use umbilical_traffic::flow::Limits;
use umbilical_traffic::link::Link;
use umbilical_traffic::lists::Indicators;
use umbilical_traffic::packet::Addr;
use umbilical_traffic::record::eve;
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch::Watch;

use crate::flows::{tcp, udp, v4};

const SYN: u8 = 2;
const RST_ACK: u8 = 0x14;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const FIN_ACK: u8 = 0x11;

/// A packet at its microsecond.
pub(crate) type Timed = (i64, Vec<u8>);

pub(crate) fn found(mut packets: Vec<Timed>, options: Given) -> Vec<Alert> {
    packets.sort_by_key(|p| p.0);
    let mut watch = Watch::new(Limits::default());
    let mut detect = Detectors::new(options);
    for (n, (at, bytes)) in packets.iter().enumerate() {
        let frame = Frame { number: n as u64 + 1, at: Micros(*at), link: Link::RAW, bytes, length: bytes.len() as u32 };
        watch.frame(&frame, &mut |event, words| detect.see(&event, words));
    }
    watch.finish(&mut |event, words| detect.see(&event, words));
    detect.finish(Trace { words: &watch.words, sessions: &watch.sessions }).0
}

/// What was said first of a kind and a peer, and when.
type Said = (&'static str, Option<String>, Micros);

/// The same, asked each half second what was found so far.
fn asked(mut packets: Vec<Timed>) -> (Vec<Alert>, Vec<Said>) {
    packets.sort_by_key(|p| p.0);
    let mut watch = Watch::new(Limits::default());
    let mut detect = Detectors::new(Given::default());
    let mut said: Vec<Said> = Vec::new();
    let mut next = i64::MIN;
    for (n, (at, bytes)) in packets.iter().enumerate() {
        let frame = Frame { number: n as u64 + 1, at: Micros(*at), link: Link::RAW, bytes, length: bytes.len() as u32 };
        watch.frame(&frame, &mut |event, words| detect.see(&event, words));
        if *at >= next {
            next = at + 500_000;
            let trace = Trace { words: &watch.words, sessions: &watch.sessions };
            detect.learn(("", Vec::new()), trace, &mut |_| None);
            for alert in detect.so_far(Micros(*at), trace, watch.open(), &mut |_| None).0 {
                if !said.iter().any(|(code, peer, _)| (*code, peer) == (alert.about.code, &alert.peer)) {
                    said.push((alert.about.code, alert.peer.clone(), Micros(*at)));
                }
            }
        }
    }
    watch.finish(&mut |event, words| detect.see(&event, words));
    (detect.finish(Trace { words: &watch.words, sessions: &watch.sessions }).0, said)
}

/// Whoever listens for months waits for no end: what is found is said within bounds, and asking changes nothing.
#[test]
fn what_is_found_is_said_while_it_goes_on() {
    let start = 1_700_000_000_000_000_i64;
    let mut dice = Dice(5);
    let scan =
        (0..300).map(|n: i64| (start + n * 50_000, tcp(ME, [198, 51, (n / 250) as u8, n as u8], (40_000 + n as u16, 23), SYN, 1, b"")));
    let flood = (0..20_000).map(|n: i64| (start + n * 2000, tcp(ME, PEER, (1024 + n as u16, 80), SYN, n as u32, b"")));
    let lasts = (0..360).map(|n: i64| (start + n * 30_000_000, n % 2 == 0)).map(|(at, up)| match (at == start, up) {
        (true, _) => (at, tcp(ME, PEER, (40_000, 9999), SYN, 1, b"")),
        (_, true) => (at, tcp(ME, PEER, (40_000, 9999), ACK, 2, b"still here")),
        (_, false) => (at, tcp(PEER, ME, (9999, 40_000), SYN_ACK, 2, b"so am I")),
    });
    let period = 60.0;
    let rows: Vec<(&str, Vec<Timed>, f64)> = vec![
        ("scan", scan.collect(), 5.0),
        ("ddos-source", flood.collect(), 5.0),
        ("beacon", clock(period, 0.05, 0.0, 60, &mut dice), 9.0 * period),
        // It is judged when it is over, and it is not over for hours.
        ("long-connection", lasts.collect(), 3700.0),
    ];
    for (code, packets, within) in rows {
        let first = packets.iter().map(|p| p.0).min().unwrap();
        let plain = found(packets.clone(), Given::default());
        let (alerts, said) = asked(packets);
        let (_, _, at) = said.iter().find(|(c, ..)| *c == code).unwrap_or_else(|| panic!("{code} was not said before the end: {said:?}"));
        assert!((at.0 - first) as f64 / 1e6 <= within, "{code}: {} s", (at.0 - first) as f64 / 1e6);
        assert_eq!(format!("{alerts:#?}"), format!("{plain:#?}"), "{code}");
        // What is told of the time at which it could be said holds.
        let told = alerts.iter().find(|a| a.about.code == code).unwrap();
        assert!((told.at.0 - first) as f64 / 1e6 <= within, "{code}: {told:?}");
    }
}

pub(crate) fn codes(alerts: &[Alert]) -> Vec<&'static str> {
    alerts.iter().map(|a| a.about.code).collect()
}

/// Numbers that look like chance, the same each time (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

pub(crate) const ME: [u8; 4] = [10, 0, 0, 7];
pub(crate) const PEER: [u8; 4] = [198, 51, 100, 9];

/// A connection that is answered, says something, and ends.
pub(crate) fn talk(at: f64, port: u16, size: usize) -> Vec<Timed> {
    let at = (at * 1e6) as i64;
    let body = vec![b'x'; size];
    vec![
        (at, tcp(ME, PEER, (port, 8443), SYN, 1, b"")),
        (at + 20_000, tcp(PEER, ME, (8443, port), SYN_ACK, 1, b"")),
        (at + 40_000, tcp(ME, PEER, (port, 8443), ACK, 2, &body)),
        (at + 60_000, tcp(PEER, ME, (8443, port), FIN_ACK, 2, b"ok")),
        (at + 80_000, tcp(ME, PEER, (port, 8443), FIN_ACK, 2 + size as u32, b"")),
    ]
}

/// Contacts of a clock: each is late or early by a share of the period, and some are lost.
pub(crate) fn clock(period: f64, jitter: f64, loss: f64, contacts: usize, dice: &mut Dice) -> Vec<Timed> {
    let (mut at, mut out) = (1_700_000_000.0, Vec::new());
    for n in 0..contacts {
        at += period * (1.0 + jitter * (2.0 * dice.next() - 1.0));
        if dice.next() >= loss {
            out.extend(talk(at, 20_000 + n as u16, 120 + (dice.next() * 16.0) as usize));
        }
    }
    out
}

#[test]
pub(crate) fn clocks_are_beacons_and_chance_is_none() {
    let mut dice = Dice(7);
    let mut share = |jitter: f64, loss: f64| {
        let (mut hits, mut all) = (0, 0);
        for period in [10.0, 60.0, 300.0, 3600.0, 21_600.0] {
            for _ in 0..8 {
                // A day, or as many contacts as fit into a week.
                let contacts = ((86_400.0 / period) as usize).clamp(28, 200);
                let alerts = found(clock(period, jitter, loss, contacts, &mut dice), Given::default());
                all += 1;
                hits += usize::from(codes(&alerts) == ["beacon"]);
            }
        }
        hits as f64 / f64::from(all)
    };
    for (jitter, loss, least) in [
        (0.0, 0.0, 1.0),
        (0.0, 0.1, 0.95),
        (0.0, 0.3, 0.80),
        (0.1, 0.0, 0.95),
        (0.1, 0.1, 0.95),
        (0.25, 0.0, 0.95),
        (0.25, 0.1, 0.95),
        (0.5, 0.3, 0.80),
    ] {
        let got = share(jitter, loss);
        println!("jitter {jitter} loss {loss}: {got}");
        assert!(got >= least, "jitter {jitter} loss {loss}: {got}");
    }
    // People and chance: contacts of a Poisson process, few and many.
    let mut wrong = 0;
    for n in 0..1000 {
        let (mut at, mut packets) = (1_700_000_000.0, Vec::new());
        for k in 0..(8 + n % 90) {
            at += -300.0 * (1.0 - dice.next()).ln();
            packets.extend(talk(at, 20_000 + k as u16, 60 + (dice.next() * 900.0) as usize));
        }
        let alerts = found(packets, Given::default());
        alerts.iter().for_each(|a| println!("chance: {:?}", a.terms));
        wrong += alerts.len();
    }
    assert!(wrong <= 5, "{wrong} of 1000 traces of chance are called a clock");
    // Something happens between a minute and half an hour after the last.
    let mut wrong = 0;
    for n in 0..500 {
        let (mut at, mut packets) = (1_700_000_000.0, Vec::new());
        for k in 0..(8 + n % 60) {
            at += 60.0 + 1740.0 * dice.next();
            packets.extend(talk(at, 20_000 + k as u16, 180));
        }
        wrong += found(packets, Given::default()).len();
    }
    println!("between bounds: {wrong} of 500");
    assert!(wrong <= 30, "{wrong} of 500 traces between wide bounds are called a clock");
}

#[test]
fn retries_that_nobody_answers_are_no_beacon() {
    let packets = (0..60).map(|n| (n * 15_000_000, tcp(ME, PEER, (30_000 + n as u16, 8080), SYN, 1, b""))).collect();
    assert!(found(packets, Given::default()).is_empty());
}

#[test]
pub(crate) fn clocks_that_everybody_has_are_no_beacon() {
    let ntp = (0..100).flat_map(|n| {
        let at = n * 64_000_000;
        [(at, udp(ME, PEER, (123, 123), &[0x23; 48])), (at + 30_000, udp(PEER, ME, (123, 123), &[0x24; 48]))]
    });
    let mdns = (0..100).map(|n| (n * 60_000_000, udp(ME, [224, 0, 0, 251], (5353, 5353), b"x")));
    assert!(found(ntp.chain(mdns).collect(), Given::default()).is_empty());
}

#[test]
fn what_many_do_is_told_once() {
    let from = |host: u8, n: i64| {
        let (at, me, port) = (n * 60_000_000 + i64::from(host) * 1_000_000, [10, 0, 1, host], 20_000 + n as u16);
        [
            (at, tcp(me, PEER, (port, 22), SYN, 1, b"")),
            (at + 20_000, tcp(PEER, me, (22, port), SYN_ACK, 1, b"")),
            (at + 40_000, tcp(me, PEER, (port, 22), FIN_ACK, 2, b"hello")),
            (at + 60_000, tcp(PEER, me, (22, port), FIN_ACK, 2, b"")),
        ]
    };
    let many = |hosts: u8| (0..30).flat_map(|n| (0..hosts).flat_map(move |h| from(h, n))).collect();
    assert_eq!(codes(&found(many(7), Given::default())), ["beacon"; 7]);
    let alerts = found(many(20), Given::default());
    assert_eq!(codes(&alerts), ["beacon"]);
    assert!(alerts[0].reason.more.iter().any(|m| m == "So do 19 other addresses"), "{:?}", alerts[0].reason);
}

#[test]
fn a_scan_that_goes_on_after_a_while_is_one() {
    let scan =
        |hour: i64| (0..60).map(move |n: i64| (hour * 3_600_000_000 + n * 10_000, tcp(ME, PEER, (40_000, 200 + n as u16), SYN, 1, b"")));
    let alerts = found(scan(0).chain(scan(1)).chain(scan(2)).collect(), Given::default());
    assert_eq!((codes(&alerts), alerts[0].flows), (vec!["scan"], 180));
    assert!(alerts[0].last.since(alerts[0].first) > Micros::seconds(7000));
}

#[test]
fn rita_scores_a_clock_of_a_day() {
    let packets: Vec<Timed> = (0..288).flat_map(|n| talk(1_700_000_000.0 + f64::from(n) * 300.0, 20_000 + n as u16, 120)).collect();
    let alerts = found(packets, Given { rita: true, ..Given::default() });
    assert_eq!(codes(&alerts), ["beacon"]);
    assert!((alerts[0].score - 1.0).abs() < 1e-9, "{:?}", alerts[0].terms);
    assert_eq!(alerts[0].peer.as_deref(), Some("198.51.100.9"));
}

#[test]
fn who_looks_for_ports_or_addresses_scans() {
    let closed = |n: i64, to: [u8; 4], port: u16| {
        let at = n * 10_000;
        [(at, tcp(ME, to, (40_000, port), SYN, 1, b"")), (at + 300, tcp(to, ME, (port, 40_000), RST_ACK, 0, b""))]
    };
    // Ports of one address that refuses.
    let alerts = found((0..200).flat_map(|n| closed(n, PEER, 1 + n as u16)).collect(), Given::default());
    assert_eq!((codes(&alerts), alerts[0].peer.as_deref()), (vec!["scan"], Some("198.51.100.9")));
    assert_eq!(alerts[0].subject, Subject::Host(Addr::v4(ME)));
    assert!(alerts[0].at.0 < 1_000_000, "within a hundred probes: {:?}", alerts[0]);
    // One port of many addresses that are silent.
    let silent = (0..200).map(|n| (n * 50_000, tcp(ME, [203, 0, 113, n as u8], (40_000 + n as u16, 23), SYN, 1, b"")));
    let alerts = found(silent.collect(), Given::default());
    assert_eq!(codes(&alerts), ["scan"]);
    assert!(alerts[0].reason.did.starts_with("tried port 23 of 200 addresses"), "{}", alerts[0].reason.did);
    // Slowly: one in twenty seconds.
    let slow = (0..60).map(|n| (n * 20_000_000, tcp(ME, [203, 0, 113, n as u8], (40_000 + n as u16, 502), SYN, 1, b"")));
    assert_eq!(codes(&found(slow.collect(), Given::default())), ["scan"]);
}

#[test]
fn echoes_to_many_and_odd_flags_are_scans() {
    let echo = |kind: u8, n: u8| [kind, 0, 0, 0, n, n, 0, 1];
    let sweep = |silent: i64| {
        (0..40_i64).flat_map(move |n| {
            let (at, to) = (n * 50_000, [10, 0, 1, n as u8]);
            let reply = (n % 10 >= silent).then(|| (at + 2000, v4(to, ME, 1, &echo(0, n as u8))));
            std::iter::once((at, v4(ME, to, 1, &echo(8, n as u8)))).chain(reply)
        })
    };
    let alerts = found(sweep(4).collect(), Given::default());
    assert_eq!(codes(&alerts), ["scan"]);
    assert!(alerts[0].reason.did.starts_with("sent echoes to 40 addresses, "), "{}", alerts[0].reason.did);
    // Who keeps watch over its own hosts is answered.
    assert!(found(sweep(1).collect(), Given::default()).is_empty());
    let rounds = (0..200_i64).flat_map(|n| {
        let (at, to) = (n * 50_000, [10, 0, 1, n as u8]);
        let reply = (n >= 17).then(|| (at + 2000, v4(to, ME, 1, &echo(0, n as u8))));
        std::iter::once((at, v4(ME, to, 1, &echo(8, n as u8)))).chain(reply)
    });
    assert!(found(rounds.collect(), Given::default()).is_empty(), "the first that it asked were off");
    // An end before a beginning, nothing at all, everything at once; each refused.
    let odd = [0x01, 0x00, 0x29].into_iter().zip(0_i64..).flat_map(|(flags, n)| {
        let (at, port) = (n * 8_000_000, 3390 + n as u16);
        [(at, tcp(ME, PEER, (60_000, port), flags, 1, b"")), (at + 600, tcp(PEER, ME, (port, 60_000), RST_ACK, 0, b""))]
    });
    assert_eq!(codes(&found(odd.collect(), Given::default())), ["scan"]);
}

#[test]
fn who_is_answered_or_only_overheard_scans_not() {
    // A crawler: many addresses, nearly all of which answer.
    let crawl = (0..300).flat_map(|n: i64| {
        let (at, to, port) = (n * 100_000, [203, 0, (n / 250) as u8, (n % 250) as u8], 10_000 + n as u16);
        let answer = if n % 10 == 0 { None } else { Some((at + 20_000, tcp(to, ME, (443, port), SYN_ACK, 1, b""))) };
        std::iter::once((at, tcp(ME, to, (port, 443), SYN, 1, b""))).chain(answer)
    });
    assert!(found(crawl.collect(), Given::default()).is_empty());
    // Only its own way was seen: it acknowledges, so it was answered.
    let half = (0..300).flat_map(|n: i64| {
        let (at, to, port) = (n * 100_000, [203, 0, (n / 250) as u8, (n % 250) as u8], 10_000 + n as u16);
        [(at, tcp(ME, to, (port, 443), SYN, 1, b"")), (at + 40_000, tcp(ME, to, (port, 443), ACK, 2, b"GET"))]
    });
    assert!(found(half.collect(), Given::default()).is_empty());
    // Five services that are down, asked again and again.
    let down = (0..500).map(|n: i64| (n * 1_000_000, tcp(ME, [203, 0, 113, (n % 5) as u8], (10_000 + n as u16, 443), SYN, 1, b"")));
    assert!(found(down.collect(), Given::default()).is_empty());
    // What comes back from addresses that somebody else pretended to be.
    let backscatter =
        (0..500).map(|n: i64| (n * 10_000, tcp(PEER, [10, 1, (n / 250) as u8, (n % 250) as u8], (80, 1000), RST_ACK, 0, b"")));
    assert!(found(backscatter.collect(), Given::default()).is_empty());
}

/// Lines of EVE: a beacon, somebody who looks for telnet, and names that are asked for, more than are passed on together.
fn lines() -> Vec<String> {
    let line = |second: u32, kind: &str, from: &str, to: &str, port: u16, more: &str| {
        let time = format!("2026-11-01T02:{:02}:{:02}.000000+0000", second / 60, second % 60);
        format!(
            "{{\"timestamp\":\"{time}\",\"flow_id\":{},\"event_type\":\"{kind}\",\"src_ip\":\"{from}\",\"src_port\":40000,\
             \"dest_ip\":\"{to}\",\"dest_port\":{port},{}}}",
            second * 10 + u32::from(port % 7),
            more.replace("TIME", &time)
        )
    };
    let flow = |back: u32| {
        format!(
            "\"proto\":\"TCP\",\"flow\":{{\"pkts_toserver\":3,\"pkts_toclient\":{back},\"bytes_toserver\":400,\"bytes_toclient\":{},\
             \"start\":\"TIME\",\"end\":\"TIME\"}},\"tcp\":{{\"tcp_flags_ts\":\"{}\",\"tcp_flags_tc\":\"{}\"}}",
            back * 300,
            if back > 0 { "1b" } else { "02" },
            if back > 0 { "1b" } else { "00" },
        )
    };
    let mut out = Vec::new();
    for n in 0..1200_u32 {
        if n % 60 == 0 {
            out.push(line(n, "flow", "10.0.0.7", "198.51.100.7", 443, &flow(3)));
        }
        if n % 2 == 0 {
            out.push(line(n, "flow", "10.0.0.8", &format!("203.0.{}.{}", n / 250, n % 250), 23, &flow(0)));
        }
        if n % 5 == 0 {
            let name = format!("\"proto\":\"UDP\",\"dns\":{{\"type\":\"query\",\"rrname\":\"h{n}.site.example\",\"rrtype\":\"A\"}}");
            out.push(line(n, "dns", "10.0.0.9", "192.0.2.53", 53, &name));
        }
    }
    out
}

/// What is found in lines, told together as they are, or each at once; a list that is given behind some of them.
fn in_lines(at_once: bool, listed: Option<(usize, &str)>) -> (Vec<Alert>, Vec<Came>) {
    let (mut watch, mut detect, mut log) = (Watch::new(Limits::default()), Detectors::new(Given::default()), eve::Log::default());
    for (n, line) in lines().iter().enumerate() {
        if let Some((_, list)) = listed.filter(|(behind, _)| *behind == n) {
            let mut indicators = Indicators::default();
            assert_eq!(indicators.add("a list", list.as_bytes()).unwrap(), []);
            let given = detect.given(&watch.words);
            (given.indicators, given.read) = (indicators, given.read + 1);
        }
        log.line(format!("{line}\n").as_bytes(), &mut watch, &mut |event, words| detect.see(&event, words));
        if at_once {
            let trace = Trace { words: &watch.words, sessions: &watch.sessions };
            detect.so_far(Micros(0), trace, std::iter::empty(), &mut |_| None);
        }
    }
    watch.finish(&mut |event, words| detect.see(&event, words));
    detect.finish(Trace { words: &watch.words, sessions: &watch.sessions })
}

#[test]
fn what_records_tell_together_is_as_if_it_were_told_at_once() {
    let (alerts, came) = in_lines(false, None);
    assert_eq!((alerts.clone(), came), in_lines(true, None));
    let codes: Vec<&str> = alerts.iter().map(|a| a.about.code).collect();
    assert!(codes.contains(&"scan") && codes.contains(&"beacon"), "{codes:?}");
}

/// Lists count for what comes behind them, also where what came before waits to be told.
#[test]
fn a_list_counts_from_when_it_was_given() {
    let all = lines().len();
    for behind in [0, all / 3, all - 1] {
        let late = lines().iter().skip(behind).filter(|l| l.contains("198.51.100.7") && l.contains("\"flow\"")).count() as u64;
        let (alerts, _) = in_lines(false, Some((behind, "198.51.100.7")));
        assert_eq!(alerts.iter().find(|a| a.about.code == "indicator").map_or(0, |a| a.flows), late, "{behind}");
    }
}
