//! Packets in a module's tunnel under addresses that are none of its own.

use umbilical_core::finding::{DETECTED, Severity};
use umbilical_synth::mobile::{self, Address, Kind, Plan, What};
use umbilical_traffic::capture::Frame;
use umbilical_traffic::cellular::Side;
use umbilical_traffic::cellular::sessions::Id;
use umbilical_traffic::detect::{Alert, Detectors, Given, Subject, Trace};
use umbilical_traffic::flow::Limits;
use umbilical_traffic::link::Link;
use umbilical_traffic::lists::Expected;
use umbilical_traffic::packet::Addr;
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch::Watch;

use crate::detect::{Dice, PEER};
use crate::flows::{tcp, udp};

/// What was found where a module, which is on the network, sends these packets at their microseconds; and which of the sessions it is.
fn sent(seed: u64, packets: impl Fn([u8; 4]) -> Vec<(i64, Vec<u8>)>) -> Option<(Vec<Alert>, Id)> {
    sent_where(seed, "", packets)
}

/// The same where something is expected.
fn sent_where(seed: u64, expected: &str, packets: impl Fn([u8; 4]) -> Vec<(i64, Vec<u8>)>) -> Option<(Vec<Alert>, Id)> {
    let trace = mobile::trace(&Plan { seed, sessions: 3, loss: 0, packets: 4 });
    let is_v4 = |n: u32| match (trace.sessions[n as usize].kind, trace.sessions[n as usize].ue) {
        (Kind::Nameless, _) | (_, Address::V6(_)) => None,
        (_, Address::V4(ue)) => Some(ue),
    };
    let (at, ue) = trace
        .frames
        .iter()
        .enumerate()
        .find_map(|(at, frame)| is_v4(frame.session).filter(|_| matches!(frame.what, What::User { .. })).map(|ue| (at, ue)))?;
    let mut watch = Watch::new(Limits::default());
    let mut detect = Detectors::new(Given { expected: Expected::read(expected, DETECTED).unwrap(), ..Given::default() });
    let mut number = 0;
    let mut play = |watch: &mut Watch, at: i64, link: Link, bytes: &[u8]| {
        number += 1;
        let frame = Frame { number, at: Micros(at), link, bytes, length: bytes.len() as u32 };
        watch.frame(&frame, &mut |event, words| detect.see(&event, words));
    };
    for frame in &trace.frames[..=at] {
        play(&mut watch, frame.at, Link::ETHERNET, &frame.bytes);
    }
    let (id, session) = watch.sessions.iter().find(|(_, s)| !s.ended && s.ue.iter().any(|held| held.holds(Addr::v4(ue))))?;
    let end = session.ends.iter().rev().find(|(_, side)| *side == Side::Core)?.0;
    let std::net::IpAddr::V4(to) = end.at.ip() else { return None };
    for (after, inner) in packets(ue) {
        let head = [&[0x30, 0xff][..], &(inner.len() as u16).to_be_bytes(), &end.teid.to_be_bytes(), &inner].concat();
        play(&mut watch, trace.frames[at].at + 1 + after, Link::RAW, &udp([192, 0, 2, 77], to.octets(), (2152, 2152), &head));
    }
    watch.finish(&mut |event, words| detect.see(&event, words));
    Some((detect.finish(Trace { words: &watch.words, sessions: &watch.sessions }).0, id))
}

fn spoofed(alerts: &[Alert]) -> Vec<&Alert> {
    alerts.iter().filter(|a| a.about.code == "spoofed-source").collect()
}

#[test]
fn foreign_sources_are_told_of_the_module_and_its_own_are_not() {
    let (mut tried, mut d) = (0, Dice(41));
    for seed in 0..60 {
        let made_up: Vec<[u8; 4]> =
            (0..200).map(|_| [11 + (d.next() * 80.0) as u8, (d.next() * 256.0) as u8, (d.next() * 256.0) as u8, 7]).collect();
        let flood =
            |_: [u8; 4]| (0..200).map(|n| (n * 20_000, tcp(made_up[n as usize], PEER, (4000 + n as u16, 80), 2, n as u32, b""))).collect();
        let Some((alerts, id)) = sent(seed, flood) else { continue };
        tried += 1;
        let found = spoofed(&alerts);
        assert_eq!((found.len(), found[0].subject, found[0].severity), (1, Subject::Session(id), Severity::High), "{seed}: {alerts:?}");
        assert!(found[0].reason.did.starts_with("sent 200 packets (8000 bytes) under about "), "{}", found[0].reason.did);
        // A flood under made-up addresses is the module's whose tunnel it came in.
        let faster =
            |_: [u8; 4]| (0..200).map(|n| (n * 2000, tcp(made_up[n as usize], PEER, (4000 + n as u16, 80), 2, n as u32, b""))).collect();
        let (alerts, id) = sent(seed, faster).unwrap();
        let floods: Vec<&Alert> = alerts.iter().filter(|a| a.about.code == "ddos-source").collect();
        assert_eq!(
            (floods.len(), floods[0].subject, floods[0].peer.as_deref()),
            (1, Subject::Session(id), Some("198.51.100.9")),
            "{alerts:?}"
        );
        // What a router behind it forgot to translate.
        let leaks = |_: [u8; 4]| (0..60).map(|n| (n * 20_000, udp([192, 168, 1, 30], PEER, (5000, 9000), b"hello"))).collect();
        let (alerts, id) = sent(seed, leaks).unwrap();
        let found = spoofed(&alerts);
        assert_eq!((found.len(), found[0].subject, found[0].severity), (1, Subject::Session(id), Severity::Low), "{alerts:?}");
        // What lies behind it is its own where that is written down, and for the module for which it is.
        let route = |who: &str| format!("[[framed-route]]\nwho = [\"{who}\"]\nnetworks = [\"192.168.1.0/24\"]\n");
        assert!(spoofed(&sent_where(seed, &route("0.0.0.0/0"), leaks).unwrap().0).is_empty());
        assert_eq!(spoofed(&sent_where(seed, &route("imsi:999990000000001"), leaks).unwrap().0).len(), 1);
        // Its own address, and a few stray ones.
        let own = |ue: [u8; 4]| (0..60).map(|n| (n * 20_000, udp(ue, PEER, (5000, 9000), b"hello"))).collect();
        assert!(spoofed(&sent(seed, own).unwrap().0).is_empty());
        let few = |_: [u8; 4]| (0..19).map(|n| (n * 20_000, udp([203, 0, 113, 9], PEER, (5000, 9000), b"hello"))).collect();
        assert!(spoofed(&sent(seed, few).unwrap().0).is_empty());
    }
    assert!(tried >= 20, "{tried}");
}

#[test]
fn what_is_in_no_tunnel_is_neither_judged_nor_blind() {
    let mut watch = Watch::new(Limits::default());
    let mut detect = Detectors::new(Given::default());
    for n in 0..50u16 {
        let bytes = udp([10, 0, 0, 7], PEER, (20_000 + n, 9000), b"x");
        let frame = Frame { number: u64::from(n) + 1, at: Micros(i64::from(n) * 1_000_000), link: Link::RAW, bytes: &bytes, length: 29 };
        watch.frame(&frame, &mut |event, words| detect.see(&event, words));
    }
    watch.finish(&mut |event, words| detect.see(&event, words));
    let (_, came) = detect.finish(Trace { words: &watch.words, sessions: &watch.sessions });
    let tally = came.iter().find(|c| c.about.code == "spoofed-source").map(|c| c.tally);
    assert_eq!(tally.map(|t| (t.judged, t.blind)), Some((0, 0)));
}
