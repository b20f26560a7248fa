//! What one has asked for below one zone, and whether that carries something else.
//!
//! What counts is what is new: a name that comes again carries nothing, and of a new name the labels that were met before (a key, the
//! number of a session) carry nothing either. What people or registries made is told from what a machine made by [`super::model`].

use std::hash::BuildHasher as _;
use std::ops::AddAssign;

use hashbrown::{DefaultHashBuilder, HashSet};

use super::model::Label;
use super::{Halves, shown};
use crate::flow::Lookup;
use crate::names::dns::NO_SUCH_NAME;
use crate::packet::Addr;
use crate::time::Micros;

/// Halves of the windows of ten minutes, an hour and a day.
const MINUTES: Micros = Micros::seconds(300);
const HOUR: Micros = Micros::seconds(1800);
const DAY: Micros = Micros::seconds(43_200);

/// Names that look encoded, in ten minutes or a day; their encoded characters on average, and the bits of each.
pub(super) const NAMES: u32 = 20;
pub(super) const LENGTH: f64 = 25.0;
pub(super) const ENTROPY: f64 = 3.4;
/// Encoded characters in an hour.
pub(super) const CHARS: u32 = 20_000;
/// Answers of records that carry anything, in ten minutes; their bytes on average, new names for each question, and new names.
pub(super) const FREE: u32 = 10;
pub(super) const FREE_BYTES: f64 = 60.0;
pub(super) const NEW: f64 = 0.3;
const FREE_NAMES: u32 = 6;
/// Names that look encoded of which at least half were answered with data, and their length.
const BOTH: u32 = 15;
const BOTH_LENGTH: f64 = 10.0;
/// Networks of which addresses were answered to names that look encoded, and to none of which anybody went; their length.
const NETS: u32 = 10;
const NETS_LENGTH: f64 = 8.0;
/// Names in a day, be they short; where nothing is ever answered they must be longer.
const MANY: u32 = 100;
const MANY_LENGTH: f64 = 8.0;
const SILENT_LENGTH: f64 = 12.0;
/// Numbers of names by which severity rises, as RITA 5 has them (`default_config.hjson`).
pub(super) const SUBDOMAINS: [u32; 4] = [100, 500, 800, 1000];

/// Lengths of digests in one label: hexadecimal digits of MD5, SHA-1, SHA-224; base 32 of MD5 (26), SHA-1, SHA-224 (45), SHA-256 (52);
/// base 64 of MD5 (22), SHA-1 (27), SHA-224 (38), SHA-256 (43); a UUID.
const DIGESTS: [usize; 12] = [22, 26, 27, 32, 36, 38, 40, 43, 45, 52, 56, 64];
/// What stands around a digest takes so many shapes at most.
const AROUND: u32 = 8;

/// What is remembered of names and labels of one zone, while nothing is suspected and behind that.
const MET: usize = 16_384;
/// Names that are shown.
const EXAMPLES: usize = 3;

/// What is counted in a window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    /// Questions, and answers.
    pub questions: u32,
    pub answers: u32,
    /// New names; of these with new labels that look encoded, and the characters of those.
    pub names: u32,
    pub odd: u32,
    pub chars: u32,
    /// Answers with records that carry anything, and the bytes of these.
    pub free: u32,
    pub free_bytes: u64,
    /// Answers that carry something and no address.
    pub back: u32,
    /// Answers that give an address of the loopback network as a code (RFC 5782); these, and those in which is nothing.
    pub codes: u32,
    pub silent: u32,
    /// Networks (/16, /32 of IPv6) that were not answered before.
    pub nets: u32,
}

impl AddAssign for Count {
    fn add_assign(&mut self, o: Self) {
        let add = |a: &mut u32, b: u32| *a = a.saturating_add(b);
        add(&mut self.questions, o.questions);
        add(&mut self.answers, o.answers);
        add(&mut self.names, o.names);
        add(&mut self.odd, o.odd);
        add(&mut self.chars, o.chars);
        add(&mut self.free, o.free);
        self.free_bytes = self.free_bytes.saturating_add(o.free_bytes);
        add(&mut self.back, o.back);
        add(&mut self.codes, o.codes);
        add(&mut self.silent, o.silent);
        add(&mut self.nets, o.nets);
    }
}

impl Count {
    /// Encoded characters of a new name on average.
    pub fn length(&self) -> f64 {
        f64::from(self.chars) / f64::from(self.names.max(1))
    }

    /// Bytes of an answer that carries anything on average.
    pub fn each(&self) -> f64 {
        self.free_bytes as f64 / f64::from(self.free.max(1))
    }

    /// New names for each question; where only answers were seen, for each of these.
    pub fn fresh(&self) -> f64 {
        f64::from(self.names) / f64::from(self.questions.max(self.answers).max(1))
    }
}

/// What was enough, or would have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Many long names that look encoded.
    Names,
    /// Much in them.
    Volume,
    /// Long answers that carry anything.
    Answers,
    /// Names and answers both carry a little.
    BothWays,
    /// Addresses to which nobody goes.
    Addresses,
    /// Very many short names.
    Many,
}

impl Rule {
    pub const ALL: [Self; 6] = [Self::Names, Self::Volume, Self::Answers, Self::BothWays, Self::Addresses, Self::Many];

    pub fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A name below its zone, at first sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// Characters of labels that look encoded.
    pub odd: usize,
    /// Whether it says something: it is neither empty, nor an address written backwards, nor the name of a service.
    pub says: bool,
}

impl Look {
    pub fn at(below: &str) -> Self {
        let (mut odd, mut octets, mut nibbles, mut service) = (0_usize, 0_u32, 0_u32, false);
        for label in below.split('.') {
            let kind = Label::of(label);
            if kind == Label::Odd {
                odd = odd.saturating_add(label.chars().count());
            }
            service |= kind == Label::Service;
            octets = octets.saturating_add(label.parse::<u8>().is_ok().into());
            nibbles = nibbles.saturating_add((label.len() == 1 && label.bytes().all(|b| b.is_ascii_hexdigit())).into());
        }
        let address = octets >= 4 || nibbles >= 16;
        Self { odd, says: odd > 0 || !(below.is_empty() || address || service) }
    }
}

/// See above.
#[derive(Debug)]
pub(super) struct Zone {
    pub first: Micros,
    pub last: Micros,
    pub frames: (u64, u64),
    minutes: Halves<Count>,
    hour: Halves<Count>,
    day: Halves<Count>,
    /// From its beginning.
    pub all: Count,
    /// The most characters in an hour.
    pub most_chars: u32,
    /// Names and labels.
    met: HashSet<u64>,
    /// Characters of labels that look encoded: `a`–`z`, `0`–`9`, `-`, `_`, others of ASCII, the rest.
    letters: [u32; 40],
    /// The usual length of these labels, how many have it, and how many have another; the most of them in a name.
    usual: (usize, u32),
    unusual: u32,
    together: u32,
    /// In how many ways the rest of their names was seen.
    around: u32,
    /// Names that look encoded and led somebody somewhere.
    visits: u32,
    pub examples: Vec<String>,
    /// What was enough, and everything that was.
    pub told: Option<(Micros, Rule)>,
    pub held: u8,
}

impl Zone {
    pub fn new(lookup: &Lookup<'_>) -> Self {
        Self {
            first: lookup.at,
            last: lookup.at,
            frames: (lookup.frame, lookup.frame),
            minutes: Halves::new(lookup.at),
            hour: Halves::new(lookup.at),
            day: Halves::new(lookup.at),
            all: Count::default(),
            most_chars: 0,
            met: HashSet::new(),
            letters: [0; 40],
            usual: (0, 0),
            unusual: 0,
            together: 0,
            around: 0,
            visits: 0,
            examples: Vec::new(),
            told: None,
            held: 0,
        }
    }

    /// Names and labels that are remembered.
    pub fn kept(&self) -> usize {
        self.met.len()
    }

    /// A question below the zone, or its answer. `speaks`: whether who asks was seen to speak to anybody else.
    pub fn hear(&mut self, lookup: &Lookup<'_>, below: &str, look: Look, speaks: bool, hasher: &DefaultHashBuilder) {
        let at = lookup.at;
        self.first = self.first.min(at);
        self.last = self.last.max(at);
        self.frames = (self.frames.0.min(lookup.frame), self.frames.1.max(lookup.frame));
        self.minutes.turn(at, MINUTES);
        self.hour.turn(at, HOUR);
        if self.day.turn(at, DAY) && self.told.is_none() {
            // What came yesterday may come again today.
            self.met = HashSet::new();
        }
        let mut count = Count { questions: lookup.asks.into(), ..Count::default() };
        if look.says {
            self.name(below, &mut count, lookup.name, hasher);
        }
        self.answer(lookup, look, &mut count, hasher);
        self.minutes.now += count;
        self.hour.now += count;
        self.day.now += count;
        self.all += count;
        self.most_chars = self.most_chars.max(self.hour.sum().chars);
        self.judge(at, speaks);
    }

    /// Somebody goes where a name below the zone led. A name that looks like words clears none that does not.
    pub fn visit(&mut self, below: &str, hasher: &DefaultHashBuilder) {
        if Look::at(below).odd > 0 && self.meets(hasher.hash_one(("visit", below))) {
            self.visits = self.visits.saturating_add(1);
        }
    }

    fn meets(&mut self, what: u64) -> bool {
        // Behind so many each is taken for new.
        self.met.len() >= MET || self.met.insert(what)
    }

    fn name(&mut self, below: &str, count: &mut Count, whole: &str, hasher: &DefaultHashBuilder) {
        if !self.meets(hasher.hash_one(("name", below))) {
            return;
        }
        let (mut chars, mut odd, mut rest) = (0_u32, 0_u32, hasher.hash_one("rest"));
        for label in below.split('.') {
            if Label::of(label) != Label::Odd {
                rest = hasher.hash_one((rest, label));
                continue;
            }
            if !self.meets(hasher.hash_one(("label", label))) {
                continue;
            }
            let length = label.chars().count();
            odd = odd.saturating_add(1);
            chars = chars.saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
            for c in label.chars() {
                let class = match c {
                    'a'..='z' => usize::from(c as u8 - b'a'),
                    '0'..='9' => usize::from(c as u8 - b'0').saturating_add(26),
                    '-' => 36,
                    '_' => 37,
                    _ if c.is_ascii() => 38,
                    _ => 39,
                };
                if let Some(n) = self.letters.get_mut(class) {
                    *n = n.saturating_add(1);
                }
            }
            if self.usual.0 == length {
                self.usual.1 = self.usual.1.saturating_add(1);
            } else if self.usual.1 <= self.unusual {
                self.unusual = self.usual.1;
                self.usual = (length, 1);
            } else {
                self.unusual = self.unusual.saturating_add(1);
            }
        }
        count.names = 1;
        count.chars = chars;
        if odd > 0 {
            count.odd = 1;
            self.together = self.together.max(odd);
            if self.meets(rest) {
                self.around = self.around.saturating_add(1);
            }
            if self.examples.len() < EXAMPLES {
                self.examples.push(shown(whole));
            }
        }
    }

    fn answer(&mut self, lookup: &Lookup<'_>, look: Look, count: &mut Count, hasher: &DefaultHashBuilder) {
        let Some(answer) = lookup.answer else { return };
        count.answers = 1;
        // Of a service it is usual: who may send mail for a domain, and with which key.
        if answer.free > 0 && look.says {
            count.free = 1;
            count.free_bytes = answer.carried.into();
        }
        let address = matches!(lookup.kind, 1 | 28);
        if answer.carried > 0 && lookup.addrs.is_empty() && look.says && !(address && answer.free == 0) {
            count.back = 1;
        }
        let code = lookup.addrs.iter().any(|addr| is_code(*addr));
        count.codes = code.into();
        if answer.code == NO_SUCH_NAME || code || answer.records == 0 {
            count.silent = 1;
        }
        if look.odd > 0 && !code {
            for addr in lookup.addrs.iter().take(4) {
                if self.meets(hasher.hash_one(("net", network(*addr)))) {
                    count.nets = count.nets.saturating_add(1);
                }
            }
        }
    }

    /// Whether what looks encoded are digests of things that somebody is asked about: of files, of addresses of mail. Each is the one
    /// label of its name, as long as digests are, and the rest of the names is always the same, or they are answered with codes.
    fn is_digests(&self) -> bool {
        let coded = self.all.codes > 0 && self.all.codes >= self.all.answers / 2;
        DIGESTS.contains(&self.usual.0) && self.unusual <= 1 && self.together <= 2 && (self.around <= AROUND || coded)
    }

    /// Bits of a character that looks encoded.
    pub fn entropy(&self) -> f64 {
        let all: f64 = self.letters.iter().map(|n| f64::from(*n)).sum();
        let parts = self.letters.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / all);
        -parts.map(|p| p * p.log2()).sum::<f64>()
    }

    fn judge(&mut self, at: Micros, speaks: bool) {
        let (minutes, hour, day) = (self.minutes.sum(), self.hour.sum(), self.day.sum());
        if day.odd < BOTH && minutes.free < FREE {
            return;
        }
        let unvisited = u64::from(self.visits) * 10 < u64::from(self.all.odd.max(1));
        let digests = self.is_digests();
        let odd = unvisited && !digests;
        for rule in Rule::ALL {
            if self.held & rule.bit() != 0 {
                continue;
            }
            let holds = match rule {
                Rule::Names => {
                    let many = |c: &Count| c.odd >= NAMES && c.length() >= LENGTH;
                    odd && (many(&minutes) || many(&day)) && self.entropy() >= ENTROPY
                }
                Rule::Volume => odd && hour.chars >= CHARS,
                Rule::Answers => {
                    minutes.free >= FREE && minutes.each() >= FREE_BYTES && minutes.fresh() >= NEW && minutes.names >= FREE_NAMES
                }
                Rule::BothWays => {
                    let both = |c: &Count| c.odd >= BOTH && c.length() >= BOTH_LENGTH && c.back >= c.names.div_ceil(2) && c.fresh() >= NEW;
                    odd && (both(&minutes) || both(&day))
                }
                Rule::Addresses => {
                    let nets = |c: &Count| c.nets >= NETS && c.nets >= c.names.div_ceil(2) && c.odd >= BOTH && c.length() >= NETS_LENGTH;
                    odd && (nets(&minutes) || nets(&day))
                }
                Rule::Many => {
                    let silent = f64::from(day.silent) >= 0.9 * f64::from(day.answers);
                    let length = if silent { SILENT_LENGTH } else { MANY_LENGTH };
                    // Where no other conversation was seen nobody knows whether somebody went there.
                    odd && day.odd >= MANY && day.length() >= length && (silent || speaks || day.back >= day.names.div_ceil(2))
                }
            };
            if holds {
                self.held |= rule.bit();
                self.told.get_or_insert((at, rule));
            }
        }
    }
}

/// Whether an address answers with a code, or with nothing.
fn is_code(addr: Addr) -> bool {
    match addr.ip() {
        std::net::IpAddr::V4(ip) => ip.is_loopback() || ip.is_unspecified(),
        std::net::IpAddr::V6(ip) => ip.is_loopback() || ip.is_unspecified(),
    }
}

/// The network of an address: 16 bits, of IPv6 32.
fn network(addr: Addr) -> u64 {
    match addr.ip() {
        std::net::IpAddr::V4(ip) => u64::from(u32::from(ip) >> 16),
        std::net::IpAddr::V6(ip) => (u128::from(ip) >> 96) as u64 | 1 << 32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_nothing_are_told_by_their_shape() {
        for below in
            ["", "7.113.0.203", "4.3.2.1.zen", "_dmarc", "selector1._domainkey", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d"]
        {
            assert!(!Look::at(below).says, "{below}");
        }
        for below in ["www", "1.stage", "0001.cmd"] {
            assert_eq!(Look::at(below), Look { odd: 0, says: true }, "{below}");
        }
        assert_eq!(Look::at("6dde0175375169c68f.dnsc").odd, 18);
        assert_eq!(Look::at("1.2.3.4.k4dnq7x2mz9wqp5vb3hj6tys8r"), Look { odd: 26, says: true });
    }
}
