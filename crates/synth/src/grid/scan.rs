//! Who looks for what is there, and who only speaks with many.

use super::{Cases, Draw};
use crate::scene::{ACK, FIN, ICMP, RST, Talk};

const CODE: &str = "scan";
/// Times that each shape is drawn.
const REPEATS: usize = 8;

/// Ports of clouds take a crowd of addresses before they are a scan, so here are those of services that somebody looks for.
const SOUGHT: [u16; 14] = [21, 22, 23, 102, 445, 502, 1433, 2404, 3389, 5060, 5900, 7547, 8291, 47808];

type Make = fn(&mut Draw) -> (String, Vec<Talk>);

const SCANS: &[(&str, Make)] = &[
    ("one port of many addresses", |d| across(d, (0.02, 0.8))),
    ("one port of many addresses, slowly", |d| across(d, (8.0, 30.0))),
    ("pages of many addresses", web),
    ("ports of one address", |d| down(d, (0.01, 0.7))),
    ("ports of one address, slowly", |d| down(d, (8.0, 25.0))),
    ("ports of worms", worm),
    ("echoes", sweep),
    ("odd flags", odd),
];

const OTHERS: &[(&str, Make)] = &[
    ("a crawler", crawler),
    ("services that are away", away),
    ("a station that asks its own hosts", station),
    ("answers to somebody else", backscatter),
    ("a busy proxy", proxy),
    ("only one way is seen", half),
];

/// All of them.
pub(super) fn all(d: &mut Draw, out: &mut Cases) {
    for n in 0..REPEATS {
        for (what, make) in SCANS {
            let (how, talks) = make(d);
            out.find(CODE, format!("{what}: {how}, {n}"), talks);
        }
        for (what, make) in OTHERS {
            let (how, talks) = make(d);
            out.spare(format!("{what}: {how}, {n}"), talks);
        }
    }
}

/// A try, of which some are refused, few are answered, and the rest is silent.
fn attempt(d: &mut Draw, at: f64, from: [u8; 4], to: [u8; 4], ports: (u16, u16), refused: f64) -> Talk {
    if d.chance(0.03) {
        Talk::asked(at, from, to, ports, Vec::new(), b"220 ready\r\n".to_vec())
    } else if d.chance(refused) {
        Talk::refused(at, from, to, ports)
    } else {
        Talk::silent(at, from, to, ports)
    }
}

/// Addresses of a network of the Internet, in the order of their numbers or in any.
fn targets(d: &mut Draw, many: u32) -> Vec<[u8; 4]> {
    let (net, begin, mixed) = (d.within(0..=250) as u8, d.within(1..=100), d.chance(0.5));
    let mut all: Vec<[u8; 4]> =
        (0..many).map(|n| [198, 18, net.wrapping_add(((begin + n) / 250) as u8), ((begin + n) % 250 + 1) as u8]).collect();
    if mixed {
        d.mix(&mut all);
    }
    all
}

fn across(d: &mut Draw, (least, most): (f64, f64)) -> (String, Vec<Talk>) {
    let (who, port, refused, pace) = (d.inside(), d.of(&SOUGHT), d.of(&[0.0, 0.2, 0.6]), d.between(least, most));
    let many = d.within(60..=300);
    // Some programs send all from one port.
    let fixed = d.chance(0.4);
    let talks = targets(d, many).into_iter().enumerate().map(|(n, to)| {
        let from = if fixed { 54_321 } else { 30_000 + n as u16 };
        let at = n as f64 * pace + d.between(0.0, pace / 2.0);
        attempt(d, at, who, to, (from, port), refused)
    });
    let talks = talks.collect();
    (format!("port {port} of {many}, each {pace:.2} s"), talks)
}

fn web(d: &mut Draw) -> (String, Vec<Talk>) {
    let (who, port, pace, many) = (d.inside(), d.of(&[80, 443, 8080, 8443]), d.between(0.01, 0.15), d.within(200..=500));
    let talks = targets(d, many).into_iter().enumerate().map(|(n, to)| {
        let ports = (30_000 + n as u16, port);
        attempt(d, n as f64 * pace, who, to, ports, 0.3)
    });
    let talks = talks.collect();
    (format!("port {port} of {many}, each {pace:.2} s"), talks)
}

fn down(d: &mut Draw, (least, most): (f64, f64)) -> (String, Vec<Talk>) {
    let (who, to, refused, pace, many) = (d.inside(), d.outside(), d.of(&[0.0, 0.5, 0.95]), d.between(least, most), d.within(80..=400));
    let mut ports: Vec<u16> = (1..=many as u16).map(|n| n * d.of(&[1, 1, 7])).collect();
    ports.sort_unstable();
    ports.dedup();
    d.mix(&mut ports);
    let talks = ports.iter().enumerate().map(|(n, port)| attempt(d, n as f64 * pace, who, to, (51_000 + n as u16 % 3, *port), refused));
    let talks = talks.collect();
    (format!("{} ports, each {pace:.2} s", ports.len()), talks)
}

fn worm(d: &mut Draw) -> (String, Vec<Talk>) {
    let second = d.of(&[2323, 5555, 7547, 37215, 52869, 60001]);
    let (who, pace, many) = (d.inside(), d.between(0.01, 0.3), d.within(100..=400));
    let talks = (0..many).map(|n| {
        let port = if d.chance(0.1) { second } else { 23 };
        Talk::silent(f64::from(n) * pace, who, d.outside(), (d.within(1024..=65_000) as u16, port))
    });
    let talks = talks.collect();
    (format!("23 and {second} at {many}, each {pace:.2} s"), talks)
}

fn sweep(d: &mut Draw) -> (String, Vec<Talk>) {
    let (who, net, pace, many) = (d.inside(), d.within(0..=250) as u8, d.between(0.01, 1.5), d.within(40..=250));
    let (answered, size) = (d.between(0.05, 0.6), d.of(&[0, 32, 56]));
    let talks = (0..many).map(|n| {
        let (at, to) = (f64::from(n) * pace, [10, 210, net, n as u8 + 1]);
        let body: Vec<u8> = (0..size).map(|b| b as u8).collect();
        let echo = Talk::new(who, to, (7, 0), ICMP).then(at, true, 0, body.clone());
        if d.chance(answered) { echo.then(at + 0.004, false, 0, body) } else { echo }
    });
    let talks = talks.collect();
    (format!("{many} addresses, {answered:.2} of them there"), talks)
}

fn odd(d: &mut Draw) -> (String, Vec<Talk>) {
    let (who, to, flags, pace, many) = (d.inside(), d.outside(), d.of(&[0, FIN, 0x29]), d.between(0.05, 3.0), d.within(20..=120));
    let closed = d.between(0.3, 1.0);
    let talks = (0..many).map(|n| {
        let (at, port) = (f64::from(n) * pace, 20 + (n * 7) as u16);
        let probe = Talk::new(who, to, (60_000, port), 6).then(at, true, flags, Vec::new());
        if d.chance(closed) { probe.then(at + 0.01, false, RST | ACK, Vec::new()) } else { probe }
    });
    let talks = talks.collect();
    (format!("{many} ports with flags {flags:#x}"), talks)
}

/// Most of whom it calls are there.
fn crawler(d: &mut Draw) -> (String, Vec<Talk>) {
    let (who, port, pace, many, there) =
        (d.inside(), d.of(&[443, 80, 9200, 5432]), d.between(0.05, 0.5), d.within(150..=400), d.between(0.85, 1.0));
    let talks = targets(d, many).into_iter().enumerate().map(|(n, to)| {
        let (at, ports) = (n as f64 * pace, (10_000 + n as u16, port));
        if d.chance(there) { Talk::asked(at, who, to, ports, d.bytes(120), d.bytes(900)) } else { Talk::silent(at, who, to, ports) }
    });
    let talks = talks.collect();
    (format!("port {port} of {many}, {there:.2} of them there"), talks)
}

/// A few of them, tried again and again.
fn away(d: &mut Draw) -> (String, Vec<Talk>) {
    let (who, port, services, tries) = (d.inside(), d.of(&[443, 1883, 8883, 5432]), d.within(1..=5), d.within(100..=500));
    let to: Vec<[u8; 4]> = (0..services).map(|_| d.outside()).collect();
    let (pace, refuses) = (d.between(0.5, 20.0), d.chance(0.3));
    let talks = (0..tries).map(|n| {
        let (at, to, ports) = (f64::from(n) * pace, to[(n % services) as usize], (10_000 + n as u16, port));
        if refuses { Talk::refused(at, who, to, ports) } else { Talk::silent(at, who, to, ports) }
    });
    let talks = talks.collect();
    (format!("{services} of them, {tries} tries"), talks)
}

/// Echoes and questions of SNMP to hosts that it knows.
fn station(d: &mut Draw) -> (String, Vec<Talk>) {
    let (who, hosts, rounds, snmp) = (d.inside(), d.within(20..=200), d.within(2..=6), d.chance(0.5));
    let gone = d.between(0.0, 0.1);
    let absent: Vec<bool> = (0..hosts).map(|_| d.chance(gone)).collect();
    let mut talks = Vec::new();
    for round in 0..rounds {
        for n in 0..hosts {
            let (at, to) = (f64::from(round) * 300.0 + f64::from(n) * 0.1, [10, 201, 7, n as u8 + 1]);
            let away = absent[n as usize];
            let (question, answer) = (d.bytes(40), (!away).then(|| d.bytes(80)));
            talks.push(if snmp {
                Talk::datagrams(at, who, to, (40_000 + round as u16, 161), question, answer)
            } else {
                let body = vec![0x42; 56];
                let echo = Talk::new(who, to, (n as u16 + 1, 0), ICMP).then(at, true, 0, body.clone());
                if away { echo } else { echo.then(at + 0.01, false, 0, body) }
            });
        }
    }
    (format!("{hosts} hosts by {}, {gone:.2} of them gone", if snmp { "SNMP" } else { "echoes" }), talks)
}

/// What a server that is flooded by made-up addresses sends to them.
fn backscatter(d: &mut Draw) -> (String, Vec<Talk>) {
    let (from, many, pace) = (d.outside(), d.within(200..=600), d.between(0.05, 0.5));
    let talks = (0..many).map(|n| {
        let to = [10, 1, (n / 250) as u8, (n % 250) as u8 + 1];
        Talk::new(from, to, (80, d.within(1024..=65_000) as u16), 6).then(f64::from(n) * pace, true, RST | ACK, Vec::new())
    });
    let talks = talks.collect();
    (format!("{many} of them"), talks)
}

/// Whoever stands before many people speaks with many, and some of them are away.
fn proxy(d: &mut Draw) -> (String, Vec<Talk>) {
    let (who, many, away) = (d.inside(), d.within(200..=500), d.between(0.02, 0.15));
    let mut at = 0.0;
    let talks = (0..many).map(|n| {
        at += d.wait(0.4);
        let (to, ports) = (d.outside(), (10_000 + n as u16, d.of(&[443, 443, 443, 80, 8443, 993])));
        if d.chance(away) { Talk::silent(at, who, to, ports) } else { Talk::asked(at, who, to, ports, d.bytes(300), d.bytes(1200)) }
    });
    let talks = talks.collect();
    (format!("{many} calls, {away:.2} of them in vain"), talks)
}

/// Conversations of which only what the client sends passes by here.
fn half(d: &mut Draw) -> (String, Vec<Talk>) {
    let (who, port, many) = (d.inside(), d.of(&[443, 22, 8883]), d.within(100..=300));
    let talks = targets(d, many).into_iter().enumerate().map(|(n, to)| {
        let mut talk = Talk::asked(n as f64 * 0.2, who, to, (10_000 + n as u16, port), d.bytes(80), Vec::new());
        talk.packets.retain(|p| p.up);
        talk
    });
    let talks = talks.collect();
    (format!("port {port} of {many}"), talks)
}
