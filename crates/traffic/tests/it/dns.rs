//! Names that carry something, names that are made up, and everything that only looks so: drawn by seeds, as packets and as logs tell it.

use std::fmt::Write as _;

use umbilical_core::finding::Severity;
use umbilical_traffic::detect::{Alert, Detectors, Given, Subject, Trace};
use umbilical_traffic::flow::{Each, Event, Half, Key, Limits, Lookup, Seen};
use umbilical_traffic::names::dns::Answer;
use umbilical_traffic::packet::Addr;
use umbilical_traffic::record::{Record, eve, zeek};
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch::Watch;

use crate::detect::{Dice, ME, PEER, Timed, codes, found};
use crate::flows::{tcp, udp};

const SERVER: [u8; 4] = [192, 0, 2, 53];
const BEGIN: i64 = 1_793_500_000_000_000;
const SECOND: i64 = 1_000_000;

const HEX: &str = "0123456789abcdef";
const BASE32: &str = "abcdefghijklmnopqrstuvwxyz234567";
const BASE36: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Base 64 and bytes that no host's name has, as a client may use where it learnt that they pass.
const BASE128: &str =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüý";
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
const CONSONANTS: &str = "bcdfghjklmnpqrstvwxz";
const WORDS: [&str; 24] = [
    "river", "stone", "market", "garden", "cloud", "metric", "public", "static", "media", "silver", "winter", "travel", "login", "portal",
    "update", "mirror", "gallery", "weather", "ticket", "energy", "harbour", "paper", "network", "service",
];

const A: u16 = 1;
const CNAME: u16 = 5;
const NULL: u16 = 10;
const PTR: u16 = 12;
const MX: u16 = 15;
const TXT: u16 = 16;
const KEY: u16 = 25;
const AAAA: u16 = 28;
const SRV: u16 = 33;
const TKEY: u16 = 249;
const NO_SUCH_NAME: u8 = 3;

impl Dice {
    fn up_to(&mut self, n: usize) -> usize {
        (self.next() * n as f64) as usize
    }

    fn within(&mut self, from: usize, to: usize) -> usize {
        from + self.up_to(to - from + 1)
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.up_to(all.len())]
    }

    fn text(&mut self, alphabet: &str, length: usize) -> String {
        let all: Vec<char> = alphabet.chars().collect();
        (0..length).map(|_| all[self.up_to(all.len())]).collect()
    }

    /// Text in labels that are no longer than may be.
    fn labels(&mut self, alphabet: &str, length: usize) -> String {
        let text: Vec<char> = self.text(alphabet, length).chars().collect();
        text.chunks(57).map(|c| c.iter().collect::<String>()).collect::<Vec<_>>().join(".")
    }

    fn word(&mut self) -> &'static str {
        self.of(&WORDS)
    }

    fn zone(&mut self) -> String {
        let (a, b) = (self.word(), self.word());
        let suffix = self.of(&["com", "net", "org", "co.uk", "io", "de", "duckdns.org"]);
        format!("{a}{b}.{suffix}")
    }
}

#[derive(Clone, Debug)]
enum Data {
    Addr(u16, Vec<u8>),
    Name(u16, String),
    Free(u16, Vec<u8>),
}

/// A question and its answer.
#[derive(Clone, Debug)]
struct Asked {
    at: i64,
    name: String,
    kind: u16,
    /// `None`: nobody answers.
    answer: Option<(u8, Vec<Data>)>,
}

impl Asked {
    fn new(at: i64, name: String, kind: u16) -> Self {
        Self { at, name, kind, answer: Some((0, Vec::new())) }
    }

    fn with(self, data: Data) -> Self {
        Self { answer: Some((0, vec![data])), ..self }
    }

    fn absent(self) -> Self {
        Self { answer: Some((NO_SUCH_NAME, Vec::new())), ..self }
    }

    fn addr(self, addr: [u8; 4]) -> Self {
        self.with(Data::Addr(A, addr.to_vec()))
    }
}

/// A name on the wire. What is no ASCII is one byte, as in Latin-1.
fn wire(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.').filter(|l| !l.is_empty()) {
        let bytes: Vec<u8> = label.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        assert!(bytes.len() < 64, "{label}");
        out.push(bytes.len() as u8);
        out.extend(bytes);
    }
    out.push(0);
    assert!(out.len() < 256, "{name}");
    out
}

fn message(asked: &Asked, answer: Option<&(u8, Vec<Data>)>) -> Vec<u8> {
    let (flags, records) = answer.map_or((0x0100, &[][..]), |(code, all)| (0x8180 | u16::from(*code), &all[..]));
    let mut out = vec![0x1a, 0x2b];
    out.extend(flags.to_be_bytes());
    out.extend([0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
    out.extend(wire(&asked.name));
    out.extend(asked.kind.to_be_bytes());
    out.extend([0, 1]);
    for record in records {
        let (kind, data) = match record {
            Data::Addr(kind, bytes) => (*kind, bytes.clone()),
            Data::Name(MX, name) => (MX, [&[0, 10][..], &wire(name)].concat()),
            Data::Name(SRV, name) => (SRV, [&[0, 10, 0, 10, 0, 80][..], &wire(name)].concat()),
            Data::Name(kind, name) => (*kind, wire(name)),
            Data::Free(TXT, bytes) => (TXT, bytes.chunks(255).flat_map(|c| [&[c.len() as u8][..], c].concat()).collect()),
            Data::Free(kind, bytes) => (*kind, bytes.clone()),
        };
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 60]);
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
    }
    out
}

/// As packets; each question from a port of its own.
fn packets(all: &[Asked]) -> Vec<Timed> {
    let one = |(n, asked): (usize, &Asked)| {
        let port = 1024 + (n % 60_000) as u16;
        let question = (asked.at, udp(ME, SERVER, (port, 53), &message(asked, None)));
        let answer = asked.answer.as_ref().map(|a| (asked.at + 30_000, udp(SERVER, ME, (53, port), &message(asked, Some(a)))));
        std::iter::once(question).chain(answer).collect::<Vec<_>>()
    };
    all.iter().enumerate().flat_map(one).collect()
}

/// What detectors of names say.
fn said(packets: Vec<Timed>) -> Vec<Alert> {
    let mut alerts = found(packets, Given::default());
    alerts.retain(|a| matches!(a.about.code, "dns-tunnel" | "dga"));
    alerts
}

/// Somebody goes to an address, and is answered.
fn visit(at: i64, port: u16, to: [u8; 4]) -> Vec<Timed> {
    vec![
        (at, tcp(ME, to, (port, 443), 2, 1, b"")),
        (at + 10_000, tcp(to, ME, (443, port), 0x12, 1, b"")),
        (at + 20_000, tcp(ME, to, (port, 443), 0x10, 2, b"x")),
    ]
}

type Draw = fn(&mut Dice, &str) -> Vec<Asked>;

fn hexed(dice: &mut Dice, zone: &str, busy: bool) -> Vec<Asked> {
    let session = dice.text(HEX, 4);
    let pace = dice.within(1, 4) as i64 * SECOND / 2;
    (0..dice.within(25, 120) as i64)
        .map(|n| {
            let more = if busy && n % 3 > 0 { dice.within(20, 180) } else { 0 };
            let head = format!("{}01{session}{}", dice.text(HEX, 4), dice.text(HEX, 8));
            let tail = if more > 0 { format!(".{}", dice.labels(HEX, more)) } else { String::new() };
            let name = format!("{head}{tail}.{zone}");
            let back = dice.text(HEX, if busy { 60 } else { 18 });
            let kind = [TXT, CNAME, MX][dice.up_to(3)];
            let data = if kind == TXT { Data::Free(TXT, back.into_bytes()) } else { Data::Name(kind, format!("{}.{zone}", &back[..18])) };
            Asked::new(BEGIN + n * pace, name, kind).with(data)
        })
        .collect()
}

/// A tunnel of IP: a long and a short name by turns, answers of one type.
fn ip_tunnel(dice: &mut Dice, zone: &str, kind: u16, alphabet: &str) -> Vec<Asked> {
    let pace = dice.within(1, 20) as i64 * SECOND / 10;
    (0..dice.within(40, 150) as i64)
        .map(|n| {
            let up = if n % 2 == 0 { dice.within(60, 180) } else { 6 };
            let name = format!("{}{}.{zone}", dice.of(&["0", "p", "1"]), dice.labels(alphabet, up));
            let data = match kind {
                NULL | KEY => Data::Free(kind, (0..dice.within(40, 700)).map(|_| dice.up_to(256) as u8).collect()),
                TXT => {
                    let length = dice.within(60, 400);
                    Data::Free(TXT, dice.text(BASE64, length).into_bytes())
                }
                MX | SRV => Data::Name(kind, format!("{}.{zone}", dice.labels(BASE32, 100))),
                _ => Data::Name(CNAME, format!("{}.{zone}", dice.labels(BASE32, 100))),
            };
            Asked::new(BEGIN + n * pace, name, kind).with(data)
        })
        .collect()
}

fn tcp_tunnel(dice: &mut Dice, zone: &str, kind: u16) -> Vec<Asked> {
    (0..dice.within(30, 90) as i64)
        .map(|n| {
            let up = if n % 4 == 0 { 12 } else { dice.within(30, 170) };
            let ask = if n < 3 { "=connect." } else { "" };
            let name = format!("{}.{ask}{zone}", dice.labels(BASE64, up));
            let length = dice.within(20, 250);
            Asked::new(BEGIN + n * SECOND, name, kind).with(Data::Free(kind, dice.text(BASE64, length).into_bytes()))
        })
        .collect()
}

/// A file in numbered pieces, each acknowledged with a word.
fn file_out(dice: &mut Dice, zone: &str) -> Vec<Asked> {
    let (alphabet, size) = (dice.of(&[BASE32, BASE64, HEX]), dice.within(50, 200));
    (0..dice.within(22, 200) as i64)
        .map(|n| {
            Asked::new(BEGIN + n * SECOND / 2, format!("{n}.{}.{zone}", dice.labels(alphabet, size)), TXT)
                .with(Data::Free(TXT, b"OK".to_vec()))
        })
        .collect()
}

/// Tasks come as addresses, results go in names.
fn by_addresses(dice: &mut Dice, zone: &str) -> Vec<Asked> {
    let session = dice.text(HEX, 8);
    (0..dice.within(60, 120) as i64)
        .map(|n| {
            let (at, counter) = (BEGIN + n * 3 * SECOND, dice.text(HEX, 9));
            let any = [dice.within(1, 223) as u8, dice.up_to(256) as u8, dice.up_to(256) as u8, dice.up_to(256) as u8];
            match n % 4 {
                0 => Asked::new(at, format!("{session}.{zone}"), A).addr([0, 0, 0, 0]),
                1 => Asked::new(at, format!("post.1{}.{counter}.{session}.{zone}", dice.text(HEX, 50)), A).addr([0, 0, 0, 0]),
                _ => Asked::new(at, format!("api.{counter}.{session}.{zone}"), A).addr(any),
            }
        })
        .collect()
}

/// Commands as text, each fetched by its number.
fn commands(dice: &mut Dice, zone: &str) -> Vec<Asked> {
    let (word, pace) = (dice.word(), dice.within(1, 20) as i64 * SECOND);
    (1..=dice.within(20, 60) as i64)
        .map(|n| {
            let length = dice.within(90, 240);
            Asked::new(BEGIN + n * pace, format!("{word}.{n}.ns.{zone}"), TXT).with(Data::Free(TXT, dice.text(BASE64, length).into_bytes()))
        })
        .collect()
}

/// A piece every few minutes, all day.
fn slowly(dice: &mut Dice, zone: &str) -> Vec<Asked> {
    let (pace, size, absent) = (dice.within(5, 30) as i64 * 60 * SECOND, dice.within(41, 57), dice.up_to(2) == 0);
    (0..86_400 * SECOND / pace)
        .map(|n| {
            let size = if n % 20 == 19 { size / 2 } else { size };
            let asked = Asked::new(BEGIN + n * pace, format!("{}.{zone}", dice.text(HEX, size)), A);
            if absent { asked.absent() } else { asked.addr(PEER) }
        })
        .collect()
}

/// Pieces as long as a digest, with their numbers, of names that never exist.
fn numbered(dice: &mut Dice, zone: &str) -> Vec<Asked> {
    (0..60).map(|n| Asked::new(BEGIN + n * SECOND, format!("{}.{n:04}.{zone}", dice.text(HEX, 32)), A).absent()).collect()
}

/// Addresses of IPv6 carry sixteen bytes each.
fn six(dice: &mut Dice, zone: &str) -> Vec<Asked> {
    (0..80)
        .map(|n| {
            let bytes: Vec<u8> = (0..16).map(|_| dice.up_to(256) as u8).collect();
            Asked::new(BEGIN + n * SECOND, format!("{}.{zone}", dice.text(BASE32, 14)), AAAA).with(Data::Addr(AAAA, bytes))
        })
        .collect()
}

const TUNNELS: &[(&str, Draw)] = &[
    ("hex in TXT, CNAME, MX", |d, z| hexed(d, z, true)),
    ("hex, idle", |d, z| hexed(d, z, false)),
    ("IP in NULL, base 32", |d, z| ip_tunnel(d, z, NULL, BASE32)),
    ("IP in NULL, base 64", |d, z| ip_tunnel(d, z, NULL, BASE64)),
    ("IP in NULL, base 128", |d, z| ip_tunnel(d, z, NULL, BASE128)),
    ("IP in TXT, base 32", |d, z| ip_tunnel(d, z, TXT, BASE32)),
    ("IP in TXT, base 128", |d, z| ip_tunnel(d, z, TXT, BASE128)),
    ("IP in CNAME, base 32", |d, z| ip_tunnel(d, z, CNAME, BASE32)),
    ("IP in CNAME, base 64", |d, z| ip_tunnel(d, z, CNAME, BASE64)),
    ("IP in MX, base 64", |d, z| ip_tunnel(d, z, MX, BASE64)),
    ("IP in MX, base 128", |d, z| ip_tunnel(d, z, MX, BASE128)),
    ("IP in SRV, base 32", |d, z| ip_tunnel(d, z, SRV, BASE32)),
    ("IP in SRV, base 64", |d, z| ip_tunnel(d, z, SRV, BASE64)),
    ("IP in A, base 32", |d, z| ip_tunnel(d, z, A, BASE32)),
    ("IP in A, base 128", |d, z| ip_tunnel(d, z, A, BASE128)),
    ("TCP in TXT", |d, z| tcp_tunnel(d, z, TXT)),
    ("TCP in KEY", |d, z| tcp_tunnel(d, z, KEY)),
    ("a file in pieces", file_out),
    ("tasks in addresses", by_addresses),
    ("commands in TXT", commands),
    ("slowly", slowly),
    ("numbered pieces", numbered),
    ("tasks in addresses of IPv6", six),
];

#[test]
fn every_tunnel_is_found() {
    let mut missed = Vec::new();
    for (n, (shape, draw)) in TUNNELS.iter().enumerate() {
        for seed in 0..6 {
            let mut dice = Dice((n as u64) << 8 | seed);
            let zone = dice.zone();
            let all = draw(&mut dice, &zone);
            let alerts = said(packets(&all));
            if codes(&alerts) != ["dns-tunnel"] {
                missed.push(format!("{shape} {seed}: {:?}", codes(&alerts)));
                continue;
            }
            let [alert] = &alerts[..] else { unreachable!() };
            assert_eq!((alert.subject, alert.peer.as_deref()), (Subject::Host(Addr::v4(ME)), Some(&*zone)), "{shape} {seed}");
            // A short name may be taken for a word, and then it is another that begins it.
            assert!(
                alert.frames.0 <= 8 && alert.first.since(Micros(all[0].at)) <= Micros::seconds(60 * 60),
                "{shape} {seed}: {:?}",
                alert.frames
            );
            let within = if *shape == "slowly" { 86_400 } else { 600 };
            assert!(alert.at.since(alert.first) <= Micros::seconds(within), "{shape} {seed}: {:?}", alert.at.since(alert.first));
            assert!(alert.severity >= Severity::Medium && alert.score >= 0.9, "{shape} {seed}");
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn a_page_of_its_zone_does_not_clear_a_tunnel() {
    let mut dice = Dice(5);
    let mut all = packets(&hexed(&mut dice, "example.com", true));
    for n in 0..60 {
        let asked = [Asked::new(BEGIN + n * SECOND, "www.example.com".into(), A).addr(PEER)];
        all.extend(packets(&asked));
        all.extend(visit(BEGIN + n * SECOND + 500_000, 3000 + n as u16, PEER));
    }
    assert_eq!(codes(&said(all)), ["dns-tunnel"]);
}

/// What happens beside tunnels, and may look like one.
#[derive(Default)]
struct Harmless {
    asked: Vec<Asked>,
    others: Vec<Timed>,
    at: i64,
}

impl Harmless {
    fn ask(&mut self, gap: i64, name: String, kind: u16) -> &mut Asked {
        self.at += gap;
        self.asked.push(Asked::new(BEGIN + self.at, name, kind));
        self.asked.last_mut().unwrap()
    }

    /// A name is asked for, and somebody goes there.
    fn go(&mut self, gap: i64, name: String, to: [u8; 4]) {
        self.answered(gap, name.clone(), A, Data::Addr(A, to.to_vec()));
        self.ask(1000, name, AAAA);
        let port = 20_000 + (self.asked.len() % 40_000) as u16;
        self.others.extend(visit(BEGIN + self.at + 60_000, port, to));
    }

    fn answered(&mut self, gap: i64, name: String, kind: u16, data: Data) {
        let asked = self.ask(gap, name, kind);
        asked.answer = Some((0, vec![data]));
    }

    fn absent(&mut self, gap: i64, name: String, kind: u16) {
        self.ask(gap, name, kind).answer = Some((NO_SUCH_NAME, Vec::new()));
    }
}

type Innocent = fn(&mut Dice, &mut Harmless);

fn server(dice: &mut Dice) -> [u8; 4] {
    [198, 18, dice.up_to(4) as u8, dice.within(1, 254) as u8]
}

fn reversed(dice: &mut Dice) -> String {
    (0..4).map(|_| dice.up_to(256).to_string()).collect::<Vec<_>>().join(".")
}

const HARMLESS: &[(&str, Innocent)] = &[
    ("names of chance that a cloud rents out", |d, h| {
        for _ in 0..60 {
            let to = server(d);
            h.go(8 * SECOND, format!("d{}.cloudfront.net", d.text(BASE36, 13)), to);
        }
    }),
    ("frames of advertisements, each with a hash", |d, h| {
        for _ in 0..60 {
            let to = server(d);
            h.go(5 * SECOND, format!("{}.safeframe.adservices.example.com", d.text(HEX, 32)), to);
        }
    }),
    ("nodes of a video network", |d, h| {
        for n in 0..150 {
            let to = server(d);
            h.go(20 * SECOND, format!("rr{}---sn-{}.video.example.com", n % 6, d.text(BASE36, 8)), to);
        }
    }),
    ("reputation of files, answered with codes", |d, h| {
        for _ in 0..400 {
            let name = format!("{}.0.0.1.{}.{}.avqs.example.com", d.up_to(9), d.text(HEX, 2), d.text(BASE32, 26));
            let code = [127, 0, 0, d.within(1, 64) as u8];
            h.answered(SECOND, name, A, Data::Addr(A, code.to_vec()));
        }
    }),
    ("hashes of addresses of mail, mostly unknown", |d, h| {
        for _ in 0..400 {
            h.absent(SECOND, format!("{}.ebl.example.org", d.text(HEX, 40)), A);
        }
    }),
    ("hashes of files as text", |d, h| {
        for _ in 0..100 {
            h.answered(2 * SECOND, format!("{}.hash.example.com", d.text(HEX, 32)), TXT, Data::Free(TXT, b"1793500000 79".to_vec()));
        }
    }),
    ("a block list with a key", |d, h| {
        let key = d.text(BASE32, 26);
        for n in 0..1000 {
            let name = format!("{}.{key}.zen.dq.example.net", reversed(d));
            if n % 3 == 0 { h.answered(SECOND, name, A, Data::Addr(A, vec![127, 0, 0, 2])) } else { h.absent(SECOND, name, A) }
        }
    }),
    ("whose network an address is in", |d, h| {
        for n in 0..80 {
            let text = format!("{} | 203.0.113.0/24 | DE | ripencc | 2004-11-{:02}, and so on", 64_500 + n, 1 + n % 28);
            h.answered(SECOND, format!("{}.origin.asn.example.com", reversed(d)), TXT, Data::Free(TXT, text.into_bytes()));
        }
    }),
    ("a block list of domains", |d, h| {
        for _ in 0..600 {
            let (a, b) = (d.word(), d.word());
            h.absent(SECOND, format!("{a}{b}.com.multi.uribl.example.org"), A);
        }
    }),
    ("keys of mail and who may send it", |d, h| {
        for _ in 0..80 {
            let zone = d.zone();
            let key = format!("v=DKIM1; k=rsa; p={}", d.text(BASE64, 380)).into_bytes();
            h.answered(SECOND, format!("{}._domainkey.{zone}", d.text(BASE32, 32)), TXT, Data::Free(TXT, key));
            h.answered(
                SECOND,
                zone.clone(),
                TXT,
                Data::Free(TXT, b"v=spf1 include:_spf.example.com include:_spf2.example.com include:_spf3.example.com -all".to_vec()),
            );
            h.answered(
                SECOND,
                format!("_dmarc.{zone}"),
                TXT,
                Data::Free(TXT, b"v=DMARC1; p=reject; rua=mailto:reports@example.com; ruf=mailto:r@example.com".to_vec()),
            );
        }
    }),
    ("proofs for certificates of many hosts", |d, h| {
        for _ in 0..60 {
            let (a, n) = (d.word(), d.up_to(90));
            h.answered(
                5 * SECOND,
                format!("_acme-challenge.{a}-{n}.example.com"),
                TXT,
                Data::Free(TXT, d.text(BASE64, 43).repeat(2).into_bytes()),
            );
        }
    }),
    ("names of addresses", |d, h| {
        for _ in 0..300 {
            h.absent(SECOND, format!("{}.in-addr.arpa", reversed(d)), PTR);
            let nibbles: Vec<String> = (0..32).map(|_| d.text(HEX, 1)).collect();
            h.answered(SECOND, format!("{}.ip6.arpa", nibbles.join(".")), PTR, Data::Name(PTR, "host.example.net".into()));
        }
    }),
    ("keys of sessions with a domain's servers", |d, h| {
        for _ in 0..60 {
            let name = format!("{}-ms-7.{}.{}", d.up_to(9999), d.text(HEX, 7), d.text(HEX, 30));
            h.answered(SECOND, name, TKEY, Data::Free(TKEY, vec![7; 300]));
        }
    }),
    ("services of a domain, by its number", |d, h| {
        for _ in 0..60 {
            let id = format!("{}-{}-{}", d.text(HEX, 8), d.text(HEX, 4), d.text(HEX, 12));
            h.answered(
                9 * SECOND,
                format!("_ldap._tcp.{id}.domains._msdcs.corp.example.com"),
                SRV,
                Data::Name(SRV, "dc1.corp.example.com".into()),
            );
        }
    }),
    ("a browser that looks whether its network lies", |d, h| {
        for _ in 0..30 {
            for _ in 0..3 {
                let length = d.within(7, 15);
                let word = d.text(LETTERS, length);
                h.absent(600 * SECOND, word.clone(), A);
                h.absent(1000, format!("{word}.corp.example.com"), A);
                h.absent(1000, format!("{word}.lan"), A);
            }
        }
    }),
    ("trackers that a resolver refuses", |d, h| {
        for _ in 0..3 {
            for name in [
                "doubleclick.net",
                "adnxs.com",
                "adsrvr.org",
                "rlcdn.com",
                "crwdcntrl.net",
                "2mdn.net",
                "krxd.net",
                "agkn.com",
                "rfihub.com",
                "mxptint.net",
                "bluekai.com",
                "demdex.net",
                "everesttech.net",
                "casalemedia.com",
                "rubiconproject.com",
                "pubmatic.com",
                "scorecardresearch.com",
                "quantserve.com",
                "tapad.com",
                "mathtag.com",
                "bidswitch.net",
                "smartadserver.com",
                "3lift.com",
                "sharethrough.com",
                "lijit.com",
                "contextweb.com",
                "omtrdc.net",
                "app-measurement.com",
                "branch.io",
                "flurry.com",
                "vungle.com",
                "tns-counter.ru",
                "hotjar.com",
                "mmstat.com",
                "cnzz.com",
                "umeng.com",
                "exoclick.com",
                "zqtk.net",
                "ggpht.com",
                "hdslb.com",
            ] {
                let word = d.word();
                h.absent(20 * SECOND, format!("{word}.{name}"), A);
                h.absent(SECOND, name.to_owned(), A);
            }
        }
    }),
    ("hosts of one's own, by number", |d, h| {
        for n in 0..400 {
            let place = d.word();
            h.answered(
                SECOND,
                format!("{place}-{n}.prod.eu-west-1.example.com"),
                A,
                Data::Addr(A, vec![10, 0, (n / 250) as u8, (n % 250) as u8]),
            );
        }
    }),
    ("a list that is fetched as text, again and again", |d, h| {
        let key = d.text(BASE64, 300);
        for n in 0..200 {
            h.answered(SECOND, format!("part{}.list.example.com", n % 4), TXT, Data::Free(TXT, key.clone().into_bytes()));
        }
    }),
    ("a resolver over HTTPS, after it was asked for", |d, h| {
        for n in 0..40 {
            let to = server(d);
            h.go(60 * SECOND, ["dns.example", "mozilla.resolver.example.com", "doh.example.net"][n % 3].to_owned(), to);
        }
    }),
];

#[test]
fn nothing_is_said_of_what_only_looks_so() {
    for (n, (what, draw)) in HARMLESS.iter().enumerate() {
        for seed in 0..4 {
            let (mut dice, mut harmless) = (Dice(0xbeef << 16 | (n as u64) << 8 | seed), Harmless::default());
            draw(&mut dice, &mut harmless);
            let mut all = packets(&harmless.asked);
            all.extend(harmless.others);
            let alerts = said(all);
            assert!(alerts.is_empty(), "{what} {seed}: {} {:?} {:?}", alerts[0].reason.did, alerts[0].reason.more, alerts[0].terms);
        }
    }
}

#[test]
fn who_asks_everybody_on_the_link_asks_nobody() {
    let mut dice = Dice(3);
    let all: Vec<Timed> = (0..200)
        .flat_map(|n| {
            let name = format!("{}.{}._companion-link._tcp.local", dice.text(HEX, 40), dice.text(BASE36, 30));
            let asked = Asked::new(BEGIN + n * SECOND, name, TXT).with(Data::Free(TXT, vec![b'x'; 200]));
            let (question, answer) = (message(&asked, None), message(&asked, asked.answer.as_ref()));
            [(asked.at, udp(ME, [224, 0, 0, 251], (5353, 5353), &question)), (asked.at + 9000, udp(PEER, ME, (5353, 5353), &answer))]
        })
        .collect();
    assert!(said(all).is_empty());
}

/// Names as programs make them: from letters, and how many.
const MADE_UP: &[(&str, &str, (usize, usize))] = &[
    ("hex", HEX, (16, 32)),
    ("short hex", HEX, (12, 16)),
    ("base 36", BASE36, (10, 20)),
    ("short base 36", BASE36, (7, 9)),
    ("letters", LETTERS, (10, 20)),
    ("short letters", LETTERS, (7, 10)),
    ("consonants", CONSONANTS, (7, 14)),
];

fn made_up(dice: &mut Dice, alphabet: &str, (from, to): (usize, usize)) -> String {
    let length = dice.within(from, to);
    format!("{}.{}", dice.text(alphabet, length), dice.of(&["com", "net", "org", "info", "biz", "ru", "co.uk", "ddns.net"]))
}

#[test]
fn names_that_a_program_makes_up_are_found() {
    let mut missed = Vec::new();
    for (n, (shape, alphabet, lengths)) in MADE_UP.iter().enumerate() {
        for seed in 0..6 {
            let mut dice = Dice((n as u64) << 8 | seed);
            let pace = dice.within(1, 60) as i64 * SECOND;
            let mut all: Vec<Asked> =
                (0..40).map(|n| Asked::new(BEGIN + n * pace, made_up(&mut dice, alphabet, *lengths), A).absent()).collect();
            // Others that do not exist, which nobody made up.
            let others: Vec<Asked> =
                (0..10).map(|n| Asked::new(BEGIN + n * pace * 3, format!("{}{n}.com", dice.word()), A).absent()).collect();
            all.extend(others);
            let alerts = said(packets(&all));
            if codes(&alerts) != ["dga"] {
                missed.push(format!("{shape} {seed}: {:?}", codes(&alerts)));
                continue;
            }
            assert_eq!(alerts[0].subject, Subject::Host(Addr::v4(ME)));
            assert!(alerts[0].at.since(alerts[0].first) <= Micros::seconds(3600), "{shape} {seed}");
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn so_are_servers_that_are_called_by_them() {
    let calls = |names: &[String]| {
        let call = |(n, name): (usize, &String)| {
            let (at, port) = (BEGIN + n as i64 * 40 * SECOND, 30_000 + n as u16);
            let request = format!("GET / HTTP/1.1\r\nHost: {name}\r\n\r\n");
            [
                (at, tcp(ME, PEER, (port, 80), 2, 1, b"")),
                (at + 10_000, tcp(PEER, ME, (80, port), 0x12, 1, b"")),
                (at + 20_000, tcp(ME, PEER, (port, 80), 0x10, 2, request.as_bytes())),
            ]
        };
        said(names.iter().enumerate().flat_map(call).collect())
    };
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let names: Vec<String> = (0..6).map(|_| format!("www.{}.com", dice.text(BASE32, 14))).collect();
        assert_eq!(codes(&calls(&names)), ["dga"], "{names:?}");
        // Words, and what a cloud rents out.
        let names: Vec<String> = (0..40).map(|n| format!("{}.{}{}{n}.com", dice.word(), dice.word(), dice.word())).collect();
        assert!(calls(&names).is_empty(), "{names:?}");
        let names: Vec<String> = (0..40).map(|_| format!("d{}.cloudfront.net", dice.text(BASE36, 13))).collect();
        assert!(calls(&names).is_empty(), "{names:?}");
    }
}

/// What a log that is read line by line leads to.
fn logged(lines: &str, mut read: impl FnMut(&[u8], &mut Watch, Each<'_>)) -> Vec<Alert> {
    let (mut watch, mut detect) = (Watch::new(Limits::default()), Detectors::new(Given::default()));
    for line in lines.as_bytes().split_inclusive(|b| *b == b'\n') {
        read(line, &mut watch, &mut |event, words| detect.see(&event, words));
    }
    watch.finish(&mut |event, words| detect.see(&event, words));
    let mut alerts = detect.finish(Trace { words: &watch.words, sessions: &watch.sessions }).0;
    alerts.retain(|a| matches!(a.about.code, "dns-tunnel" | "dga"));
    alerts
}

fn of_kind(kind: u16) -> String {
    let known = [(A, "A"), (CNAME, "CNAME"), (NULL, "NULL"), (MX, "MX"), (TXT, "TXT"), (KEY, "KEY"), (AAAA, "AAAA"), (SRV, "SRV")];
    known.iter().find(|(n, _)| *n == kind).map_or_else(|| kind.to_string(), |(_, name)| (*name).to_owned())
}

impl Data {
    fn text(&self) -> String {
        match self {
            Self::Addr(_, bytes) => {
                Addr(if let Ok(v6) = <[u8; 16]>::try_from(&bytes[..]) { v6 } else { Addr::v4([bytes[0], bytes[1], bytes[2], bytes[3]]).0 })
                    .ip()
                    .to_string()
            }
            Self::Name(_, name) => name.clone(),
            Self::Free(_, bytes) => bytes.iter().map(|b| char::from(b'a' + b % 26)).collect(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Addr(kind, _) | Self::Name(kind, _) | Self::Free(kind, _) => *kind,
        }
    }

    /// As Zeek writes it.
    fn zeek(&self) -> String {
        match self {
            Self::Free(TXT, bytes) => {
                bytes.chunks(255).map(|c| format!("TXT {} {}", c.len(), Self::Free(TXT, c.to_vec()).text())).collect::<Vec<_>>().join(" ")
            }
            Self::Free(kind, _) => format!("<unknown type={kind}>"),
            other => other.text(),
        }
    }
}

fn as_zeek(all: &[Asked], json: bool) -> String {
    let mut out = String::new();
    if !json {
        out.push_str("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\tqtype\trcode\tanswers\n");
    }
    for (n, a) in all.iter().enumerate() {
        let (at, name) = (format!("{}.{:06}", a.at / SECOND, a.at % SECOND), &a.name);
        let (code, answers) = a.answer.clone().unwrap();
        let answers: Vec<String> = answers.iter().map(Data::zeek).collect();
        let kind = a.kind;
        let _ = if json {
            let answers = answers.iter().map(|a| format!("\"{a}\"")).collect::<Vec<_>>().join(",");
            writeln!(
                out,
                "{{\"ts\":{at},\"uid\":\"C{n:017x}\",\"id.orig_h\":\"10.0.0.7\",\"id.orig_p\":40000,\"id.resp_h\":\"192.0.2.53\",\"id.resp_p\":53,\"proto\":\"udp\",\"trans_id\":{n},\"query\":\"{name}\",\"qtype\":{kind},\"rcode\":{code},\"answers\":[{answers}]}}"
            )
        } else {
            let answers = if answers.is_empty() { "-".to_owned() } else { answers.join(",") };
            writeln!(out, "{at}\tC{n:017x}\t10.0.0.7\t40000\t192.0.2.53\t53\tudp\t{name}\t{kind}\t{code}\t{answers}")
        };
    }
    out
}

/// The shapes of Suricata: 1 has a line for each record of an answer, 2 a line for each answer, 3 lists what is asked.
fn as_eve(all: &[Asked], version: u8) -> String {
    let mut out = String::new();
    for (n, a) in all.iter().enumerate() {
        let second = a.at / SECOND - 1_793_500_000;
        let stamp = format!(
            "2026-11-{:02}T{:02}:{:02}:{:02}.{:06}+0000",
            1 + second / 86_400,
            second / 3600 % 24,
            second / 60 % 60,
            second % 60,
            a.at % SECOND
        );
        let head = format!(
            "{{\"timestamp\":\"{stamp}\",\"flow_id\":{},\"event_type\":\"dns\",\"src_ip\":\"10.0.0.7\",\"src_port\":{},\"dest_ip\":\"192.0.2.53\",\"dest_port\":53,\"proto\":\"UDP\",\"dns\":",
            n + 1,
            1024 + n % 60_000
        );
        let (name, kind) = (&a.name, of_kind(a.kind));
        let (code, answers) = a.answer.clone().unwrap();
        let code = if code == NO_SUCH_NAME { "NXDOMAIN" } else { "NOERROR" };
        let record = |d: &Data| match d {
            Data::Name(SRV, to) => format!(
                "{{\"rrname\":\"{name}\",\"rrtype\":\"SRV\",\"ttl\":60,\"srv\":1,\"rdata\":{{\"priority\":1,\"weight\":1,\"port\":80,\"name\":\"{to}\"}}}}"
            ),
            _ => format!("{{\"rrname\":\"{name}\",\"rrtype\":\"{}\",\"ttl\":60,\"rdata\":\"{}\"}}", of_kind(d.kind()), d.text()),
        };
        let list = answers.iter().map(record).collect::<Vec<_>>().join(",");
        let queries = format!("[{{\"rrname\":\"{name}\",\"rrtype\":\"{kind}\"}}]");
        let _ = match version {
            1 => {
                let _ = writeln!(out, "{head}{{\"type\":\"query\",\"id\":{n},\"rrname\":\"{name}\",\"rrtype\":\"{kind}\",\"tx_id\":0}}}}");
                if answers.is_empty() {
                    let _ = writeln!(out, "{head}{{\"type\":\"answer\",\"id\":{n},\"rcode\":\"{code}\",\"rrname\":\"{name}\"}}}}");
                }
                for d in &answers {
                    let (kind, data) = (of_kind(d.kind()), d.text());
                    let _ = writeln!(
                        out,
                        "{head}{{\"type\":\"answer\",\"id\":{n},\"rcode\":\"{code}\",\"rrname\":\"{name}\",\"rrtype\":\"{kind}\",\"ttl\":60,\"rdata\":\"{data}\"}}}}"
                    );
                }
                Ok(())
            }
            2 => {
                let _ = writeln!(
                    out,
                    "{head}{{\"version\":2,\"type\":\"query\",\"id\":{n},\"rrname\":\"{name}\",\"rrtype\":\"{kind}\",\"tx_id\":0}}}}"
                );
                writeln!(
                    out,
                    "{head}{{\"version\":2,\"type\":\"answer\",\"id\":{n},\"qr\":true,\"rrname\":\"{name}\",\"rrtype\":\"{kind}\",\"rcode\":\"{code}\",\"answers\":[{list}]}}}}"
                )
            }
            _ => {
                let _ = writeln!(out, "{head}{{\"version\":3,\"type\":\"request\",\"id\":{n},\"queries\":{queries}}}}}");
                writeln!(
                    out,
                    "{head}{{\"version\":3,\"type\":\"response\",\"id\":{n},\"queries\":{queries},\"rcode\":\"{code}\",\"answers\":[{list}]}}}}"
                )
            }
        };
    }
    out
}

/// What is the same whoever saw it.
fn core(alerts: &[Alert]) -> Vec<(&'static str, Option<String>, f64)> {
    alerts.iter().map(|a| (a.about.code, a.peer.clone(), a.terms[0].value)).collect()
}

#[test]
fn logs_lead_to_the_same_as_packets() {
    let mut tried = 0;
    let shapes = TUNNELS.iter().enumerate().filter(|(_, (shape, _))| !shape.contains("128"));
    let mut all: Vec<(String, Vec<Asked>)> = shapes
        .map(|(n, (shape, draw))| {
            let mut dice = Dice((n as u64) << 8);
            let zone = dice.zone();
            ((*shape).to_owned(), draw(&mut dice, &zone))
        })
        .collect();
    for (shape, alphabet, lengths) in MADE_UP {
        let mut dice = Dice(77);
        all.push((
            (*shape).to_owned(),
            (0..40).map(|n| Asked::new(BEGIN + n * SECOND, made_up(&mut dice, alphabet, *lengths), A).absent()).collect(),
        ));
    }
    for (shape, all) in all {
        let seen = core(&said(packets(&all)));
        assert_eq!(seen.len(), 1, "{shape}");
        for json in [false, true] {
            let mut log = zeek::Log::new(Seen::NOTHING);
            let told = logged(&as_zeek(&all, json), |line, watch, each| {
                log.line(line, watch, each);
            });
            assert_eq!(core(&told), seen, "{shape}, Zeek, JSON {json}: {:?}", log.troubles);
        }
        for version in 1..=3 {
            let lines = as_eve(&all, version);
            let mut log = eve::Log::new(&lines.as_bytes()[..lines.len().min(4096)]);
            let told = logged(&lines, |line, watch, each| log.line(line, watch, each));
            assert_eq!(core(&told), seen, "{shape}, EVE {version}: {:?}", log.troubles);
        }
        tried += 1;
    }
    assert!(tried >= 25, "{tried}");
}

#[test]
fn without_names_it_is_not_evaluable() {
    let (mut watch, mut detect) = (Watch::new(Limits::default()), Detectors::new(Given::default()));
    let half = Half { packets: 1, bytes: 200, ..Half::default() };
    for n in 0..50 {
        let key = Key { client: Addr::v4(ME), server: Addr::v4(SERVER), client_port: 4000 + n, server_port: 53, proto: 17 };
        let at = Micros(BEGIN);
        let record = Record {
            key,
            start: at,
            end: at,
            number: n.into(),
            up: half,
            down: half,
            names: Default::default(),
            seen: Seen::COUNTS,
            part: None,
        };
        watch.record(&record, &mut |event, words| detect.see(&event, words));
    }
    let (alerts, came) = detect.finish(Trace { words: &watch.words, sessions: &watch.sessions });
    assert!(alerts.is_empty());
    for code in ["dns-tunnel", "dga"] {
        let tally = came.iter().find(|c| c.about.code == code).unwrap().tally;
        assert_eq!((tally.judged, tally.blind), (0, 50), "{code}");
    }
}

/// Many names, each of another zone and some of a tunnel: what is kept has an end, and the tunnel is not forgotten.
#[test]
fn hostile_names_do_not_fill_memory() {
    let watch = Watch::new(Limits::default());
    let mut detect = Detectors::new(Given::default());
    let mut dice = Dice(1);
    for n in 0..150_000_u32 {
        let zone = dice.text(BASE36, 12);
        let name =
            if n % 50 == 0 { format!("{}.held.example.com", dice.text(HEX, 60)) } else { format!("{}.{zone}.com", dice.text(HEX, 24)) };
        let asker = if n % 50 == 0 { ME } else { [10, 1, (n % 7) as u8, (n % 251) as u8] };
        let answer = Some(Answer { code: NO_SUCH_NAME, ..Answer::default() });
        let at = Micros(BEGIN + i64::from(n) * 1000);
        let lookup = Lookup {
            client: Addr::v4(asker),
            server: Addr::v4(SERVER),
            session: None,
            at,
            frame: n.into(),
            name: &name,
            kind: A,
            asks: true,
            answer,
            addrs: &[],
        };
        detect.see(&Event::Lookup(&lookup), &watch.words);
    }
    let (alerts, came) = detect.finish(Trace { words: &watch.words, sessions: &watch.sessions });
    assert_eq!(
        alerts.iter().filter(|a| a.about.code == "dns-tunnel").map(|a| a.peer.as_deref()).collect::<Vec<_>>(),
        [Some("example.com")]
    );
    assert!(came.iter().any(|c| c.about.code == "dns-tunnel" && c.tally.forgotten > 50_000), "{came:?}");
}

proptest::proptest! {
    #[test]
    fn no_name_breaks_them(names in proptest::collection::vec(("\\PC{0,70}(\\.\\PC{0,30}){0,4}", 0..300_u16, 0..6_u8, 0..70_000_u32), 1..60)) {
        let watch = Watch::new(Limits::default());
        let mut detect = Detectors::new(Given::default());
        for (n, (name, kind, code, carried)) in names.iter().enumerate() {
            let answer = Answer { code: *code, records: 1, free: u16::from(*code % 2), carried: *carried };
            let lookup = Lookup {
                client: Addr::v4(ME),
                server: Addr::v4(SERVER),
                session: None,
                at: Micros(if *carried == 0 { i64::MIN } else { i64::from(*carried) << (n % 48) }),
                frame: n as u64,
                name,
                kind: *kind,
                asks: n % 2 == 0,
                answer: Some(answer),
                addrs: &[Addr::v4(PEER)],
            };
            detect.see(&Event::Lookup(&lookup), &watch.words);
        }
        for alert in detect.finish(Trace { words: &watch.words, sessions: &watch.sessions }).0 {
            proptest::prop_assert!(alert.terms.iter().all(|t| t.value.is_finite()), "{:?}", alert.terms);
        }
    }
}
