//! Names that carry something, in many encodings, types and paces.

use super::draw::{BASE32, BASE36, BASE64, HEX, RESOLVER};
use super::{Cases, Draw};
use crate::scene::{Lookup, Record, Talk, labels};

const CODE: &str = "dns-tunnel";

pub(super) const A: u16 = 1;
pub(super) const CNAME: u16 = 5;
pub(super) const NULL: u16 = 10;
pub(super) const PTR: u16 = 12;
pub(super) const MX: u16 = 15;
pub(super) const TXT: u16 = 16;
pub(super) const AAAA: u16 = 28;
pub(super) const SRV: u16 = 33;
pub(super) const NO_SUCH_NAME: u8 = 3;

/// Times that each shape is drawn.
const REPEATS: usize = 4;

type Make = fn(&mut Draw, &str) -> Vec<Lookup>;

const SHAPES: &[(&str, Make)] = &[
    ("IP in NULL, base 32", |d, z| packets(d, z, NULL, BASE32)),
    ("IP in NULL, base 64", |d, z| packets(d, z, NULL, BASE64)),
    ("IP in TXT, base 32", |d, z| packets(d, z, TXT, BASE32)),
    ("IP in TXT, hex", |d, z| packets(d, z, TXT, HEX)),
    ("IP in CNAME, base 32", |d, z| packets(d, z, CNAME, BASE32)),
    ("IP in CNAME, base 64", |d, z| packets(d, z, CNAME, BASE64)),
    ("IP in MX, base 32", |d, z| packets(d, z, MX, BASE32)),
    ("IP in SRV, base 64", |d, z| packets(d, z, SRV, BASE64)),
    ("IP in A, base 32", |d, z| packets(d, z, A, BASE32)),
    ("IP in AAAA, base 64", |d, z| packets(d, z, AAAA, BASE64)),
    ("a shell in TXT, hex, busy", |d, z| shell(d, z, TXT, true)),
    ("a shell in TXT, hex, idle", |d, z| shell(d, z, TXT, false)),
    ("a shell in CNAME, hex, busy", |d, z| shell(d, z, CNAME, true)),
    ("a shell in MX, hex, idle", |d, z| shell(d, z, MX, false)),
    ("files in TXT, base 64", |d, z| file(d, z, TXT, BASE64, false)),
    ("files in A, base 32", |d, z| file(d, z, A, BASE32, false)),
    ("files in A, hex, no such names", |d, z| file(d, z, A, HEX, true)),
    ("files in AAAA, base 36", |d, z| file(d, z, AAAA, BASE36, false)),
    ("commands in TXT, by number", commands),
    ("a program in TXT, piece by piece", stages),
    ("tasks in addresses", tasks),
    ("tasks in addresses of IPv6", six),
    ("slowly in A, hex", |d, z| slowly(d, z, A, HEX)),
    ("slowly in TXT, base 32", |d, z| slowly(d, z, TXT, BASE32)),
];

/// All of them, each question from a port of its own.
pub(super) fn tunnels(d: &mut Draw, out: &mut Cases) {
    for (shape, make) in SHAPES {
        for n in 0..REPEATS {
            let (client, zone) = (d.inside(), format!("{}.{}", d.of(&["t", "ns1", "x"]), d.zone()));
            let lookups = make(d, &zone);
            out.find(CODE, format!("{shape}, {} questions, {n}", lookups.len()), asked(client, lookups));
        }
    }
}

/// Questions of one who asks, each from a port of its own.
pub(super) fn asked(client: [u8; 4], lookups: Vec<Lookup>) -> Vec<Talk> {
    let each = lookups.into_iter().enumerate();
    each.map(|(n, lookup)| Talk::lookups(client, RESOLVER, 1024 + (n % 60_000) as u16, vec![lookup])).collect()
}

/// Text in labels that are no longer than may be.
fn data(d: &mut Draw, alphabet: &str, length: u32) -> String {
    let (most, text) = (d.of(&[50, 57, 63]), d.text(alphabet, length));
    text.as_bytes().chunks(most).map(String::from_utf8_lossy).collect::<Vec<_>>().join(".")
}

/// What comes back in a record of a type.
fn back(d: &mut Draw, kind: u16, zone: &str) -> Record {
    match kind {
        A => Record::A([d.within(1..=223) as u8, d.within(0..=255) as u8, d.within(0..=255) as u8, d.within(0..=255) as u8]),
        AAAA => Record::Other(AAAA, d.bytes(16)),
        TXT => {
            let length = d.within(60..=250);
            Record::Txt(d.text(BASE64, length))
        }
        CNAME => Record::Cname(format!("{}.{zone}", data(d, BASE32, 90))),
        MX => Record::Other(MX, [&[0, 10][..], &labels(&format!("{}.{zone}", data(d, BASE32, 90)))].concat()),
        SRV => Record::Other(SRV, [&[0, 10, 0, 10, 0, 80][..], &labels(&format!("{}.{zone}", data(d, BASE32, 90)))].concat()),
        _ => {
            let length = d.within(40..=700);
            Record::Other(kind, d.bytes(length))
        }
    }
}

/// Packets of IP: long and short names as somebody sends or listens.
fn packets(d: &mut Draw, zone: &str, kind: u16, alphabet: &str) -> Vec<Lookup> {
    let (pace, often) = (d.between(0.05, 2.0), d.between(0.2, 0.7));
    (0..d.within(40..=150))
        .map(|n| {
            let up = if d.chance(often) { d.within(60..=170) } else { d.within(6..=10) };
            let name = format!("{}{}.{zone}", d.of(&["0", "p", "y"]), data(d, alphabet, up));
            let record = back(d, kind, zone);
            Lookup::new(f64::from(n) * pace, name, kind, 0, vec![record])
        })
        .collect()
}

/// A shell: a head with its session and numbers, what was printed in some, commands in few of the answers.
fn shell(d: &mut Draw, zone: &str, kind: u16, busy: bool) -> Vec<Lookup> {
    let (session, pace) = (d.text(HEX, 4), d.between(0.5, 2.0));
    (0..d.within(30..=140))
        .map(|n| {
            let head = format!("{}01{session}{:04x}{}", d.text(HEX, 4), 0x3a71 + n * 7, d.text(HEX, 4));
            let more = if busy && d.chance(0.6) { d.within(20..=160) } else { 0 };
            let name = if more > 0 { format!("{head}.{}.{zone}", data(d, HEX, more)) } else { format!("{head}.{zone}") };
            let said = d.text(HEX, if busy { 60 } else { 18 });
            let record = match kind {
                TXT => Record::Txt(said),
                CNAME => Record::Cname(format!("{said}.{zone}")),
                _ => Record::Other(kind, [&[0, 10][..], &labels(&format!("{said}.{zone}"))].concat()),
            };
            Lookup::new(f64::from(n) * pace, name, kind, 0, vec![record])
        })
        .collect()
}

/// Files in numbered pieces, of which the last is shorter; what is answered says nothing, or that there is no such name.
fn file(d: &mut Draw, zone: &str, kind: u16, alphabet: &str, absent: bool) -> Vec<Lookup> {
    let (size, pace, first) = (d.within(32..=180), d.between(0.2, 3.0), d.chance(0.5));
    let pieces = d.within(7..=13);
    (0..d.within(30..=200))
        .map(|n| {
            let size = if n % pieces == pieces - 1 { d.within(12..=size) } else { size };
            let piece = data(d, alphabet, size);
            let name = if first { format!("{n}.{piece}.{zone}") } else { format!("{piece}.{n:04}.{zone}") };
            let record = match kind {
                TXT => Record::Txt("OK".into()),
                A => Record::A([127, 0, 0, 1]),
                _ => Record::Other(AAAA, [&[0; 15][..], &[1]].concat()),
            };
            let (code, records) = if absent { (NO_SUCH_NAME, Vec::new()) } else { (0, vec![record]) };
            Lookup::new(f64::from(n) * pace, name, kind, code, records)
        })
        .collect()
}

/// Commands as text, each fetched by its number.
fn commands(d: &mut Draw, zone: &str) -> Vec<Lookup> {
    let (word, pace) = (d.word(), d.between(2.0, 30.0));
    (1..=d.within(24..=60))
        .map(|n| {
            let length = d.within(90..=250);
            Lookup::new(f64::from(n) * pace, format!("{word}.{n}.{zone}"), TXT, 0, vec![Record::Txt(d.text(BASE64, length))])
        })
        .collect()
}

/// A program that is fetched piece by piece, as fast as it goes.
fn stages(d: &mut Draw, zone: &str) -> Vec<Lookup> {
    let session = d.text(HEX, 8);
    let name = |n: u32| {
        let letters = [n / 676 % 26, n / 26 % 26, n % 26].map(|l| char::from(b'a' + l as u8));
        format!("{}.stage.{session}.{zone}", String::from_iter(letters))
    };
    let pieces = d.within(120..=400);
    (0..pieces).map(|n| Lookup::new(f64::from(n) * 0.2, name(n), TXT, 0, vec![Record::Txt(d.text(BASE64, 255))])).collect()
}

/// Tasks come as addresses, results go in names.
fn tasks(d: &mut Draw, zone: &str) -> Vec<Lookup> {
    let (session, pace) = (d.text(HEX, 8), d.between(1.0, 5.0));
    (0..d.within(60..=160))
        .map(|n| {
            let counter = d.text(HEX, 9);
            let (name, addr) = match n % 4 {
                0 => (format!("{session}.{zone}"), [0, 0, 0, 0]),
                1 => (format!("post.1{}.{counter}.{session}.{zone}", d.text(HEX, 50)), [0, 0, 0, 0]),
                _ => (format!("api.{counter}.{session}.{zone}"), [d.within(1..=223) as u8, n as u8, d.within(0..=255) as u8, 7]),
            };
            Lookup::new(f64::from(n) * pace, name, A, 0, vec![Record::A(addr)])
        })
        .collect()
}

/// Sixteen bytes in each answer, a few in each question.
fn six(d: &mut Draw, zone: &str) -> Vec<Lookup> {
    let pace = d.between(0.5, 3.0);
    (0..d.within(60..=150))
        .map(|n| {
            let name = format!("{}.{zone}", d.text(BASE32, 14));
            let record = back(d, AAAA, zone);
            Lookup::new(f64::from(n) * pace, name, AAAA, 0, vec![record])
        })
        .collect()
}

/// A piece every few minutes, all day; where what is said ends, it is shorter. (Pieces that all are as long as a digest, and nothing
/// else, would be what is asked of lists of files.)
fn slowly(d: &mut Draw, zone: &str, kind: u16, alphabet: &str) -> Vec<Lookup> {
    let (pace, size) = (d.between(300.0, 1500.0), d.within(41..=57));
    (0..(86_400.0 / pace) as u32)
        .map(|n| {
            let size = if d.chance(0.1) { d.within(12..=size) } else { size };
            let name = format!("{}.{zone}", d.text(alphabet, size));
            let record = if kind == A { Record::A([203, 0, 113, 7]) } else { Record::Txt("ok".into()) };
            Lookup::new(f64::from(n) * pace + d.between(0.0, 20.0), name, kind, 0, vec![record])
        })
        .collect()
}
