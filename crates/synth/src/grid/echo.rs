//! Echoes that carry something, and pings.

use super::{Cases, Draw};
use crate::scene::{ICMP, Talk};

const CODE: &str = "icmp-tunnel";
/// Times that each shape is drawn.
const REPEATS: usize = 5;

/// What is asked and answered, of the n-th echo.
type Make = fn(&mut Draw, u16) -> (Vec<u8>, Vec<u8>);

const TUNNELS: &[(&str, Make)] = &[
    ("a stream behind a head", |d, n| {
        let head = |state: u8| [&[0xd5, 0x20, 8, 0x80, 0, 0, 0, 0, 0, 0, 0, 22, 0, 0, 0, state, 0, 0][..], &n.to_be_bytes()].concat();
        let (up, down) = (d.within(0..=900), d.within(0..=900));
        ([head(1), d.bytes(up)].concat(), [head(2), d.bytes(down)].concat())
    }),
    ("a shell", |d, n| {
        let printed = format!("drwxr-xr-x {n} root root {}", "y".repeat(d.within(0..=40) as usize));
        (if d.chance(0.3) { printed.into_bytes() } else { Vec::new() }, format!("cat /etc/conf.d/{n}").into_bytes())
    }),
    ("packets behind a mark", |d, _| ([b"hans\x01".to_vec(), packet(d)].concat(), [b"hanc\x02".to_vec(), packet(d)].concat())),
    ("packets alone", |d, _| (packet(d), packet(d))),
    ("blocks that come back", |d, _| {
        let block = d.bytes(480);
        (block.clone(), block)
    }),
];

/// Of this size.
type Ping = fn(&mut Draw, usize) -> Vec<u8>;

const PINGS: &[(&str, Ping)] = &[
    ("iputils", |d, size| [d.bytes(16), (16..256).map(|n| n as u8).cycle().take(size).collect()].concat()),
    ("BSD", |d, size| [d.bytes(8), (8..256).map(|n| n as u8).cycle().take(size).collect()].concat()),
    ("Windows", |_, size| (0..size).map(|n| b'a' + (n % 23) as u8).collect()),
    ("BusyBox", |d, size| [d.bytes(4), vec![0; size]].concat()),
    ("a router", |_, size| [0xab, 0xcd].repeat(size)),
    ("a monitor", |_, _| b"This is what a program that keeps watch sends, each time the same. ".repeat(30)),
];

/// All of them.
pub(super) fn all(d: &mut Draw, out: &mut Cases) {
    for n in 0..REPEATS {
        for (what, make) in TUNNELS {
            let (pace, many) = (d.of(&[0.02, 0.2, 1.0]), d.within(60..=200));
            let echoes = echoes(d, pace, many as u16, 0.0, *make);
            out.find(CODE, format!("{what}, {many} each {pace} s, {n}"), echoes);
        }
        for (what, make) in PINGS {
            let (size, pace, many) = (d.of(&[0, 8, 24, 32, 56, 120, 500, 1372, 1472]), d.of(&[0.01, 0.2, 1.0]), d.within(60..=300));
            let echoes = echoes(d, pace, many as u16, 0.1, |d, _| {
                let mut body = make(d, size);
                body.truncate(size);
                (body.clone(), body)
            });
            out.spare(format!("{what}, {size} bytes, {many} each {pace} s, {n}"), echoes);
        }
    }
}

fn echoes(d: &mut Draw, pace: f64, many: u16, lost: f64, make: impl Fn(&mut Draw, u16) -> (Vec<u8>, Vec<u8>)) -> Vec<Talk> {
    let mut talk = Talk::new(d.inside(), d.outside(), (d.within(1..=65_000) as u16, 0), ICMP);
    for n in 0..many {
        let (at, (question, answer)) = (f64::from(n) * pace, make(d, n));
        talk = talk.then(at, true, 0, question);
        if !d.chance(lost) {
            talk = talk.then(at + 0.004, false, 0, answer);
        }
    }
    vec![talk]
}

/// A packet of IP with a right checksum.
fn packet(d: &mut Draw) -> Vec<u8> {
    let size = d.within(20..=900) as u16;
    let mut head = [&[0x45, 0][..], &(size + 20).to_be_bytes(), &[0, 0, 0x40, 0, 64, 6, 0, 0, 10, 9, 0, 1, 10, 9, 0, 2]].concat();
    let sum: u32 = head.chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1])).sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    head[10..12].copy_from_slice(&sum.to_be_bytes());
    [head, d.bytes(size.into())].concat()
}
