//! What one trace taught.

use std::collections::{BTreeMap, BTreeSet};

use litemap::LiteMap;
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use umbilical_core::id::hex;

use crate::cellular::sessions::Session;
use crate::packet::Addr;
use crate::time::Micros;

/// Times as microseconds since 1970.
mod micros {
    use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

    use crate::time::Micros;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(super) fn serialize<S: Serializer>(at: &Micros, to: S) -> Result<S::Ok, S::Error> {
        at.0.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Micros, D::Error> {
        i64::deserialize(from).map(Micros)
    }
}

/// Destinations that are kept of a module, and peers that it serves.
pub(super) const KEPT: usize = 512;
/// Its longest silences that are kept.
pub(super) const QUIET: usize = 8;
/// Ports that are kept.
pub(super) const PORTS: usize = 64;

/// Whose something is, by what stays the same when addresses and sessions change: `imei:` and 14 digits, `sim:` and a keyed hash, or
/// `addr:` and an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Who(Box<str>);

impl Who {
    /// Of a session. `key` is a secret of whoever keeps the memory: without it a hash of so few digits could be tried out.
    pub fn of(session: &Session, key: &[u8]) -> Option<Self> {
        if let Some(body) = session.imei.as_ref().and_then(|imei| imei.get(..14)) {
            return Some(Self(format!("imei:{body}").into()));
        }
        if let Some(imsi) = &session.imsi {
            let digest = hex(&Sha256::new().chain_update(key).chain_update(imsi).finalize());
            return Some(Self(format!("sim:{}", digest.get(..16)?).into()));
        }
        session.ue.first().map(|ue| Self::addr(ue.addr))
    }

    /// Of an address.
    pub fn addr(addr: Addr) -> Self {
        Self(format!("addr:{}", addr.ip()).into())
    }

    /// Of a session of which nothing is known but that it was: nobody will know it again.
    pub(super) fn unnamed(number: u32) -> Self {
        Self(format!("none:{number}").into())
    }

    /// See above.
    pub(super) fn is_unnamed(&self) -> bool {
        self.0.starts_with("none:")
    }

    /// The type allocation code, where it is known.
    pub fn tac(&self) -> Option<&str> {
        self.0.strip_prefix("imei:")?.get(..8)
    }

    /// Whether it is an address and no more: tomorrow it may be another's.
    pub fn is_addr(&self) -> bool {
        self.0.starts_with("addr:")
    }
}

/// What there was with one destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Met {
    /// The first conversation.
    #[serde(with = "micros")]
    pub first: Micros,
    /// The last.
    #[serde(with = "micros")]
    pub last: Micros,
    /// How many.
    pub talks: u64,
}

impl Met {
    fn add(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.talks = self.talks.saturating_add(other.talks);
    }
}

/// A network in which destinations stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Net {
    /// The last conversation.
    #[serde(with = "micros")]
    pub last: Micros,
    /// Its autonomous system, where a database said so.
    pub asn: Option<u32>,
    /// Its country (ISO 3166-1 alpha-2), likewise.
    pub country: Option<Box<str>>,
}

/// Who came to a module, to do what: `control modbus`, `login ssh`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Peer {
    /// What it did.
    pub what: Box<str>,
    /// Its address.
    pub from: Box<str>,
}

/// As an object, also where there is nothing in it.
fn by_name<V: Serialize, S: Serializer>(all: &LiteMap<Box<str>, V>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(all)
}

/// What a module was seen to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// Its first conversation.
    #[serde(with = "micros")]
    pub first: Micros,
    /// Its last.
    #[serde(with = "micros")]
    pub last: Micros,
    /// Conversations that it began.
    pub talks: u64,
    /// Days (UTC) on which it began any.
    pub days: u32,
    /// Seconds of its longest silences between two conversations of one trace, from an hour on, the longest first.
    pub quiet: Vec<u64>,
    /// Ports that it spoke to.
    pub ports: BTreeSet<u16>,
    /// With what: registered domains, and networks that it spoke to without a name. Most modules have few, for which a tree takes ten times
    /// the room.
    #[serde(serialize_with = "by_name")]
    pub to: LiteMap<Box<str>, Met>,
    /// Every network, under a name or without.
    #[serde(serialize_with = "by_name")]
    pub nets: LiteMap<Box<str>, Net>,
    /// Who came to it.
    pub from: Vec<(Peer, Met)>,
}

impl Module {
    /// Adds what another trace taught.
    pub(super) fn add(&mut self, other: Self) {
        let Self { first, last, talks, days, quiet, ports, to, nets, from } = other;
        self.first = if self.talks == 0 && self.from.is_empty() { first } else { self.first.min(first) };
        self.last = self.last.max(last);
        self.talks = self.talks.saturating_add(talks);
        self.days = self.days.saturating_add(days);
        self.quiet.extend(quiet);
        self.quiet.sort_unstable_by(|a, b| b.cmp(a));
        self.quiet.truncate(QUIET);
        self.ports.extend(ports);
        while self.ports.len() > PORTS {
            self.ports.pop_last();
        }
        if self.to.is_empty() {
            self.to = to;
        } else {
            for (what, met) in to {
                self.to.entry(what).and_modify(|known| known.add(&met)).or_insert(met);
            }
        }
        if self.nets.is_empty() {
            self.nets = nets;
        } else {
            for (name, net) in nets {
                match self.nets.get_mut(&name) {
                    Some(known) => {
                        known.last = known.last.max(net.last);
                        known.asn = net.asn.or(known.asn);
                        known.country = net.country.or_else(|| known.country.take());
                    }
                    None => drop(self.nets.insert(name, net)),
                }
            }
        }
        for (peer, met) in from {
            match self.from.iter_mut().find(|(p, _)| *p == peer) {
                Some((_, known)) => known.add(&met),
                None => self.from.push((peer, met)),
            }
        }
        self.bound();
    }

    /// Keeps what was met last.
    pub(super) fn bound(&mut self) {
        let edge = |mut lasts: Vec<Micros>| {
            let over = lasts.len().checked_sub(KEPT).filter(|n| *n > 0)?;
            Some(*lasts.select_nth_unstable(over).1)
        };
        if let Some(edge) = edge(self.to.values().map(|m| m.last).collect()) {
            self.to.retain(|_, met| met.last >= edge);
        }
        if let Some(edge) = edge(self.nets.values().map(|n| n.last).collect()) {
            self.nets.retain(|_, net| net.last >= edge);
        }
        self.from.sort_by(|a, b| b.1.last.cmp(&a.1.last).then_with(|| a.0.cmp(&b.0)));
        self.from.truncate(KEPT);
        self.from.sort_by(|a, b| a.0.cmp(&b.0));
        first(&mut self.to);
        first(&mut self.nets);
    }

    /// Forgets what was last met before a time; whether anything stays.
    pub(super) fn forget(&mut self, before: Micros) -> bool {
        self.to.retain(|_, met| met.last >= before);
        self.nets.retain(|_, net| net.last >= before);
        self.from.retain(|(_, met)| met.last >= before);
        self.last >= before
    }

    /// How much is kept of it.
    pub(super) fn rows(&self) -> usize {
        self.to.len().saturating_add(self.nets.len()).saturating_add(self.from.len()).saturating_add(1)
    }
}

/// Keeps the first of what was met at the same time.
fn first<V>(all: &mut LiteMap<Box<str>, V>) {
    if all.len() > KEPT {
        let mut room = 0..KEPT;
        all.retain(|_, _| room.next().is_some());
    }
}

/// What one trace taught.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lesson {
    /// What tells the trace from others: a hash of its inputs.
    pub trace: Box<str>,
    /// Hashes of its inputs: a trace that has all of another's takes its place.
    pub inputs: Vec<Box<str>>,
    /// Its first conversation.
    pub begin: Micros,
    /// Its last.
    pub end: Micros,
    /// Of whom.
    pub modules: BTreeMap<Who, Module>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_was_spoken_with_is_an_object_too() {
        let text = serde_json::to_string(&Module::default()).unwrap();
        assert!(text.contains("\"to\":{},\"nets\":{}"), "{text}");
        assert_eq!(serde_json::from_str::<Module>(&text).unwrap(), Module::default());
    }
}
