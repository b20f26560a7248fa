//! What is drawn: numbers, texts, names, addresses.

use std::ops::RangeInclusive;

use crate::Rng;
use crate::scene::{ACK, FIN, Lookup, Names, Record, Talk};

pub(super) const HEX: &str = "0123456789abcdef";
pub(super) const BASE32: &str = "abcdefghijklmnopqrstuvwxyz234567";
pub(super) const BASE36: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
pub(super) const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
pub(super) const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

const WORDS: [&str; 32] = [
    "alder", "basin", "cobalt", "delta", "ember", "fjord", "granite", "harbour", "island", "juniper", "kestrel", "lantern", "meadow",
    "nickel", "orchard", "pebble", "quarry", "ridge", "saffron", "timber", "umber", "valley", "willow", "yarrow", "zephyr", "metric",
    "portal", "static", "update", "mirror", "weather", "energy",
];

/// The resolver that everybody here asks.
pub(super) const RESOLVER: [u8; 4] = [10, 0, 0, 53];

/// A source of everything that is drawn.
pub(super) struct Draw(Rng);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(Rng::new(seed))
    }

    /// A whole number of a range.
    pub(super) fn within(&mut self, range: RangeInclusive<u32>) -> u32 {
        range.start() + self.0.below(range.end() - range.start() + 1)
    }

    /// From 0 to below 1.
    pub(super) fn share(&mut self) -> f64 {
        (self.0.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.share()
    }

    pub(super) fn chance(&mut self, of: f64) -> bool {
        self.share() < of
    }

    /// The gap to the next of what comes by chance, so long apart in the mean (a Poisson process).
    pub(super) fn wait(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.share()).ln()
    }

    pub(super) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        *self.0.pick(all)
    }

    /// In an order of chance.
    pub(super) fn mix<T>(&mut self, all: &mut [T]) {
        self.0.shuffle(all);
    }

    pub(super) fn bytes(&mut self, length: u32) -> Vec<u8> {
        (0..length).map(|_| self.0.below(256) as u8).collect()
    }

    pub(super) fn text(&mut self, alphabet: &str, length: u32) -> String {
        (0..length).map(|_| char::from(*self.0.pick(alphabet.as_bytes()))).collect()
    }

    pub(super) fn word(&mut self) -> &'static str {
        self.of(&WORDS)
    }

    /// A name that somebody registered.
    pub(super) fn zone(&mut self) -> String {
        let (a, b, suffix) = (self.word(), self.word(), self.of(&["com", "net", "org", "io", "de", "co.uk"]));
        format!("{a}{b}.{suffix}")
    }

    /// An address of one's own network.
    pub(super) fn inside(&mut self) -> [u8; 4] {
        [10, self.within(1..=200) as u8, self.within(0..=255) as u8, self.within(1..=254) as u8]
    }

    /// One of the Internet.
    pub(super) fn outside(&mut self) -> [u8; 4] {
        let last = self.within(1..=254) as u8;
        match self.within(0..=4) {
            0 => [192, 0, 2, last],
            1 => [198, 51, 100, last],
            2 => [203, 0, 113, last],
            _ => [198, self.of(&[18, 19]), self.within(0..=255) as u8, last],
        }
    }

    /// Somebody looks at a page of a site: the name is asked for, and so many connections are opened at once.
    pub(super) fn page(&mut self, second: f64, client: [u8; 4], site: &(String, [u8; 4]), port: u16, connections: u16) -> Vec<Talk> {
        let (name, server) = site;
        let lookup = Lookup::new(second, name.as_str(), 1, 0, vec![Record::A(*server)]);
        let mut out = vec![Talk::lookups(client, RESOLVER, port, vec![lookup])];
        for n in 1..=connections {
            let at = second + 0.05 + self.between(0.0, 0.9);
            out.push(if self.chance(0.3) {
                let text = |t: &str| t.to_owned();
                let (uri, agent) = (format!("/{}/{n}", self.word()), text("Mozilla/5.0 (X11; Linux x86_64)"));
                let names = Names { host: name.clone(), uri, agent, mime: text("text/html"), ..Names::default() };
                let size = self.within(200..=30_000);
                Talk::http(at, client, *server, port + n, names, &self.bytes(size))
            } else {
                let (up, down) = (self.within(60..=900), self.within(300..=20_000));
                secured(Talk::tls(at, client, *server, port + n, name), at, self.bytes(up), self.bytes(down))
            });
        }
        out
    }

    /// A site: a name, and where it is.
    pub(super) fn site(&mut self) -> (String, [u8; 4]) {
        (format!("www.{}", self.zone()), self.outside())
    }
}

/// A conversation of TLS in which something is said behind the handshake.
pub(super) fn secured(mut talk: Talk, at: f64, question: Vec<u8>, answer: Vec<u8>) -> Talk {
    // Its end comes later.
    talk.packets.truncate(4);
    let talk = talk.then(at + 0.04, true, ACK, question).then(at + 0.06, false, ACK, answer);
    talk.then(at + 0.08, true, FIN | ACK, Vec::new()).then(at + 0.09, false, FIN | ACK, Vec::new())
}
