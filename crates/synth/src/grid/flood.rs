//! More than anybody could want, and much that somebody wants.

use super::{Cases, Draw};
use crate::scene::{ACK, ICMP, Packet, RST, SYN, TCP, Talk, UDP};

const CODE: &str = "ddos-source";
const REFLECTION: &str = "reflection";
/// Times that each shape is drawn.
const REPEATS: usize = 3;
/// Seconds that a flood goes on.
const LASTS: f64 = 6.0;

/// Packets a second.
type Make = fn(&mut Draw, f64) -> Vec<Talk>;

const FLOODS: &[(&str, Make)] = &[
    ("SYN", |d, rate| segments(d, rate, SYN, false)),
    ("SYN, made-up addresses", |d, rate| segments(d, rate, SYN, true)),
    ("ACK", |d, rate| segments(d, rate, ACK, false)),
    ("RST, made-up addresses", |d, rate| segments(d, rate, RST, true)),
    ("SYN from one port", |d, rate| {
        let (from, to, port) = (d.inside(), d.outside(), d.of(&[80, 443, 25_565]));
        steady(d, Talk::new(from, to, (4321, port), TCP), rate, |_| (SYN, Vec::new()))
    }),
    ("UDP from many ports", |d, rate| {
        let (from, to, port, size) = (d.inside(), d.outside(), d.within(1..=160) as u16 * 400, d.within(0..=1400));
        let body = d.bytes(size);
        ticks(d, rate, |d, at| Talk::datagrams(at, from, to, (d.within(1024..=65_000) as u16, port), body.clone(), None))
    }),
    ("UDP from one port", |d, rate| {
        let (from, to, port, size) = (d.inside(), d.outside(), d.within(1..=160) as u16 * 400, d.within(1..=1400));
        let body = d.bytes(size);
        steady(d, Talk::new(from, to, (4321, port), UDP), rate, |_| (0, body.clone()))
    }),
    ("echoes", |d, rate| {
        let (from, to, size) = (d.inside(), d.outside(), d.within(0..=1200));
        let body = d.bytes(size);
        steady(d, Talk::new(from, to, (9, 0), ICMP), rate, |_| (0, body.clone()))
    }),
];

const OTHERS: &[(&str, Make)] = &[
    ("a download", |d, rate| transfer(d, rate, 0.3, 1.0)),
    ("a backup", |d, rate| transfer(d, rate, 1.0, 0.3)),
    ("a call, or QUIC", |d, rate| {
        let (from, to, port, seldom) = (d.inside(), d.outside(), d.of(&[443, 3478, 51_820]), d.within(2..=20));
        let mut talk = Talk::new(from, to, (40_000, port), UDP);
        for n in 0..(rate * LASTS) as u32 {
            let (at, size) = (f64::from(n) / rate, d.within(200..=1200));
            talk = talk.then(at, true, 0, d.bytes(size));
            if n % seldom == 0 {
                talk = talk.then(at + 0.001, false, 0, d.bytes(40));
            }
        }
        vec![talk]
    }),
    ("pictures of a camera", |d, _| {
        let (from, to, rate) = (d.inside(), d.outside(), d.between(100.0, 1500.0));
        steady(d, Talk::new(from, to, (5004, 5004), UDP), rate, |d| (0, vec![3; d.within(500..=1300) as usize]))
    }),
    ("a client that opens many connections", |d, rate| {
        let (from, to) = (d.inside(), d.outside());
        let mut port = 1024;
        ticks(d, rate.min(800.0), |d, at| {
            port += 1;
            Talk::asked(at, from, to, (port, 80), d.bytes(60), d.bytes(200))
        })
    }),
    ("names that are asked for", |d, rate| {
        let (from, to) = (d.inside(), [10, 0, 0, 53]);
        let mut port = 1024;
        ticks(d, rate, |_, at| {
            port = 1024 + (port - 1024 + 7) % 60_000;
            Talk::datagrams(at, from, to, (port, 53), b"?".to_vec(), Some(b"!".to_vec()))
        })
    }),
    ("logs", |d, _| {
        let (from, to, rate) = (d.inside(), d.inside(), d.between(100.0, 900.0));
        steady(d, Talk::new(from, to, (40_000, 514), UDP), rate, |d| (0, vec![b'l'; d.within(80..=300) as usize]))
    }),
    ("echoes that are answered", |d, rate| {
        let (from, to) = (d.inside(), d.outside());
        let mut talk = Talk::new(from, to, (9, 0), ICMP);
        for n in 0..(rate * LASTS) as u32 {
            let at = f64::from(n) / rate;
            talk = talk.then(at, true, 0, vec![0; 56]).then(at + 0.0003, false, 0, vec![0; 56]);
        }
        vec![talk]
    }),
    ("answers of a resolver, which are long", |d, rate| {
        let (from, to) = (d.inside(), d.outside());
        let mut port = 1024;
        ticks(d, rate.min(400.0), |_, at| {
            port += 3;
            Talk::datagrams(at, from, to, (port, 53), vec![1; 30], Some(vec![2; 900]))
        })
    }),
];

/// All of them.
pub(super) fn all(d: &mut Draw, out: &mut Cases) {
    for n in 0..REPEATS {
        let rate = |d: &mut Draw| d.between(260.0, 1400.0).round();
        for (what, make) in FLOODS {
            let rate = rate(d);
            out.find(CODE, format!("{what}, {rate} a second, {n}"), make(d, rate));
        }
        for service in [53, 123, 389, 1900, 11_211, 3702] {
            let rate = rate(d);
            out.find(REFLECTION, format!("answers of port {service}, {rate} a second, {n}"), reflected(d, rate, service));
        }
        for (what, make) in OTHERS {
            let rate = rate(d);
            out.spare(format!("{what}, {rate} a second, {n}"), make(d, rate));
        }
    }
}

/// Something at each tick, a little early or late.
fn ticks(d: &mut Draw, rate: f64, mut one: impl FnMut(&mut Draw, f64) -> Talk) -> Vec<Talk> {
    let begin = d.between(0.0, 30.0);
    (0..(rate * LASTS) as u32)
        .map(|n| {
            let at = begin + (f64::from(n) + d.between(0.0, 0.5)) / rate;
            one(d, at)
        })
        .collect()
}

/// One conversation that goes on, of which only the client says something.
fn steady(d: &mut Draw, talk: Talk, rate: f64, mut one: impl FnMut(&mut Draw) -> (u8, Vec<u8>)) -> Vec<Talk> {
    let sent = (0..(rate * LASTS) as u32).map(|n| {
        let (flags, payload) = one(d);
        Packet { at: crate::scene::BEGIN + (f64::from(n) / rate * 1e6) as i64, up: true, flags, payload }
    });
    let packets = sent.collect();
    vec![Talk { packets, ..talk }]
}

/// Segments of no conversation, each from another port, or from another address.
fn segments(d: &mut Draw, rate: f64, flags: u8, made_up: bool) -> Vec<Talk> {
    let (me, to, port) = (d.inside(), d.outside(), d.of(&[80, 443, 22, 8080, 25_565]));
    let size = if flags == ACK { d.within(0..=900) } else { 0 };
    ticks(d, rate, |d, at| {
        let from = if made_up { [198, d.of(&[18, 19]), d.within(0..=255) as u8, d.within(0..=255) as u8] } else { me };
        Talk::new(from, to, (d.within(1024..=65_000) as u16, port), TCP).then(at, true, flags, vec![b'x'; size as usize])
    })
}

/// Answers of many servers that nobody asked for.
fn reflected(d: &mut Draw, rate: f64, service: u16) -> Vec<Talk> {
    let (victim, size, fixed) = (d.inside(), d.within(200..=1400), d.chance(0.5));
    let servers: Vec<[u8; 4]> = (0..d.within(40..=300)).map(|_| d.outside()).collect();
    let mut talks = ticks(d, rate, |d, at| {
        let port = if fixed { 40_000 } else { d.within(20_000..=60_000) as u16 };
        Talk::datagrams(at, d.of(&servers), victim, (service, port), vec![1; size as usize], None)
    });
    talks.sort_by_key(Talk::start);
    talks
}

/// A file, with as many packets each way as a share of the rate.
fn transfer(d: &mut Draw, rate: f64, up: f64, down: f64) -> Vec<Talk> {
    let (from, to) = (d.inside(), d.outside());
    let mut talk = Talk::new(from, to, (40_000, d.of(&[443, 80, 22, 873])), TCP)
        .then(0.0, true, SYN, Vec::new())
        .then(0.02, false, SYN | ACK, Vec::new())
        .then(0.04, true, ACK, b"hello".to_vec());
    for n in 0..(rate * LASTS) as u32 {
        let at = 0.1 + f64::from(n) / rate;
        if d.chance(down) {
            talk = talk.then(at, false, ACK, vec![7; if down > up { 1400 } else { 0 }]);
        }
        if d.chance(up) {
            talk = talk.then(at + 0.0002, true, ACK, vec![7; if up > down { 1400 } else { 0 }]);
        }
    }
    vec![talk]
}
