//! `beacon`: contacts with one peer that come as by a clock.
//!
//! A contact is a conversation in which something was said (an answer, or a payload): retries of what nobody answers are none. Contacts
//! are gathered by whose they are and with whom: the name that was asked for, or the address, and the port. What is judged is the
//! newest [`KEPT`] of a pair, each time that many came and at the end, so a pair costs two kilobytes however long it goes on.
//!
//! What most devices of one model do (by their type allocation codes, in this trace or before) is the maker's own telemetry more likely
//! than not, and told as information; unless nobody of them ever did before, though they are known well, or it is on a list.
//!
//! With `--compat rita` the score is that of RITA 5 (see [`rita`]), over the last day and all of its contacts.

mod own;
pub mod rita;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Met, Reason, Subject, Tally, Term, Trace, Whose, for_many, near};
use crate::flow::{Event, Flow};
use crate::learn::{self, Module, Who};
use crate::names::{Word, Words, dns};
use crate::packet::{Addr, proto};
use crate::time::Micros;

const ABOUT: About = About { code: "beacon", version: 3, needs: "when each conversation began, and what it sent", basis: Basis::Inferred };

/// Contacts of a pair that are kept: with what else is known of it two kilobytes.
const KEPT: usize = 120;
/// Pairs at once.
const PAIRS: usize = 1 << 17;
/// Addresses that come to one peer by a clock from which they are told as one.
const MANY: usize = 8;
/// Others of a model from which it is told what most of them do, and the share that is most.
const MODELS: usize = 4;
const MOST: f64 = 0.5;
/// The same under `--compat rita`, and contacts of each: RITA calls more than one in a second a strobe.
const RITA_KEPT: usize = 86_400;

/// With whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Peer {
    Name(Word),
    Addr(Addr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    subject: Subject,
    peer: Peer,
    port: u16,
    proto: u8,
}

/// The same in words, by which it is looked for (see [`Whose`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    whose: Whose,
    peer: [u64; 2],
    /// Whether the peer is a name, and its port and protocol.
    rest: u64,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.whose.hash(hasher);
        hasher.write_u64(self.peer[0]);
        hasher.write_u64(self.peer[1]);
        hasher.write_u64(self.rest);
    }
}

impl Key {
    /// Whether the peer is a name.
    const NAME: u64 = 1 << 32;

    fn new(whose: Whose, name: Option<Word>, server: Addr, (port, proto): (u16, u8)) -> Self {
        let rest = u64::from(port) << 8 | u64::from(proto);
        match name {
            Some(word) => Self { whose, peer: [0, word.number().into()], rest: rest | Self::NAME },
            None => Self { whose, peer: server.words(), rest },
        }
    }

    fn pair(self) -> Pair {
        let name = Word::of_number(self.peer[1] as u32).filter(|_| self.rest & Self::NAME != 0);
        let peer = name.map_or_else(|| Peer::Addr(Addr::of_words(self.peer)), Peer::Name);
        Pair { subject: self.whose.subject(), peer, port: (self.rest >> 8) as u16, proto: self.rest as u8 }
    }
}

/// One contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Contact {
    /// Since the pair's first to end, which need not be the first to begin.
    at: Micros,
    /// Bytes of IP sent, and received.
    up: u32,
    down: u32,
}

/// A line of a processor's cache: there are many, and each comes seldom.
#[derive(Debug)]
struct Contacts {
    begin: Micros,
    frames: (u64, u64),
    count: u32,
    /// How many there were when they were last judged.
    looked: u32,
    kept: Vec<Contact>,
    /// Most pairs have none.
    told: Option<Box<Told>>,
}

/// What was judged good enough: of contacts that are no longer kept, and of those that are.
#[derive(Clone, Debug, Default)]
struct Told {
    gone: Option<Box<Best>>,
    now: Option<own::Judged>,
}

/// What is good enough to be told.
#[derive(Clone, Copy, Debug)]
struct Best {
    judged: own::Judged,
    /// The contact by which it was first good enough.
    told_at: Micros,
}

/// See above.
#[derive(Debug)]
pub(super) struct Beacon {
    rita: bool,
    /// Side by side, for they are asked for at each conversation: the index beside them stays small.
    pairs: IndexMap<Key, Contacts, DefaultHashBuilder>,
    tally: Tally,
    /// First and last conversation of the trace.
    range: Option<(Micros, Micros)>,
}

/// Ports on which everybody speaks to somebody as by a clock, or asks for a name (IANA): time, DHCP, name services, discovery.
const CLOCKS: [u16; 10] = [67, 68, 123, 137, 138, 546, 547, 1900, 3702, 5355];

impl Beacon {
    pub(super) fn new(rita: bool) -> Self {
        Self { rita, pairs: IndexMap::default(), tally: Tally::default(), range: None }
    }

    /// Whether a conversation is one that counts.
    fn is_contact(&self, flow: &Flow) -> bool {
        let key = &flow.key;
        let spoke = || flow.answered() != Some(false) || flow.up.payload > 0;
        if for_many(key.server) || for_many(key.client) {
            return false;
        }
        let clock = || key.proto == proto::UDP && CLOCKS.contains(&key.server_port) || dns::is_port(key.server_port);
        self.rita || spoke() && !clock() && matches!(key.proto, proto::TCP | proto::UDP | proto::ICMP)
    }

    /// Whose a conversation is, and with whom.
    fn key(&self, flow: &Flow) -> Key {
        let (key, names) = (&flow.key, &flow.names);
        let named = names.sni.or(names.host);
        let named = if self.rita { named } else { named.or(names.dns) };
        // RITA counts every port of a peer together.
        let on = if self.rita { (0, 0) } else { (key.server_port, key.proto) };
        Key::new(Whose::of(flow), named, key.server, on)
    }

    fn end(&mut self, flow: &Flow) {
        self.range = Some(self.range.map_or((flow.start, flow.start), |(a, b)| (a.min(flow.start), b.max(flow.start))));
        if !self.is_contact(flow) {
            return;
        }
        self.tally.judged = self.tally.judged.saturating_add(1);
        let key = self.key(flow);
        if self.pairs.len() >= PAIRS && !self.pairs.contains_key(&key) {
            self.make_room();
        }
        let at = self.pairs.get_index_of(&key).unwrap_or_else(|| {
            let frames = (flow.first_frame, flow.first_frame);
            self.pairs.insert_full(key, Contacts { begin: flow.start, frames, count: 0, looked: 0, kept: Vec::new(), told: None }).0
        });
        let Some((_, contacts)) = self.pairs.get_index_mut(at) else { return };
        contacts.frames = (contacts.frames.0.min(flow.first_frame), contacts.frames.1.max(flow.last_frame));
        contacts.count = contacts.count.saturating_add(1);
        let at = flow.start.since(contacts.begin);
        let few = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX);
        contacts.keep(Contact { at, up: few(flow.up.bytes), down: few(flow.down.bytes) }, self.rita);
    }

    /// Lets go of those that have been quiet for the longest, unless they are suspected.
    fn make_room(&mut self) {
        let mut last: Vec<Micros> = self.pairs.values().filter(|c| c.best().is_none()).map(|c| c.last()).collect();
        let before = self.pairs.len();
        let at = last.len() / 4;
        if last.is_empty() {
            self.pairs.clear();
        } else {
            let (_, edge, _) = last.select_nth_unstable(at);
            let edge = *edge;
            self.pairs.retain(|_, c| c.best().is_some() || c.last() > edge);
        }
        self.tally.forgotten = self.tally.forgotten.saturating_add(before.saturating_sub(self.pairs.len()) as u64);
    }

    fn own(&self, given: &Given, trace: Trace<'_>) -> Vec<Alert> {
        let words = trace.words;
        let models = Models::new(given);
        // There may be as many of them as pairs.
        let mut found: Vec<(&Key, &Contacts)> = self.pairs.iter().filter(|(_, contacts)| contacts.best().is_some()).collect();
        let with = |key: &Key| (key.peer, key.rest);
        // Of one peer who came first stands first: it is told under the same name as long as it goes on.
        found.sort_unstable_by(|(a, x), (b, y)| {
            with(a).cmp(&with(b)).then(x.begin.cmp(&y.begin)).then_with(|| a.pair().subject.cmp(&b.pair().subject))
        });
        let mut out = Vec::new();
        for group in found.chunk_by(|(a, _), (b, _)| with(a) == with(b)) {
            let group: Vec<(Pair, &Contacts)> = group.iter().map(|(key, contacts)| (key.pair(), *contacts)).collect();
            // Each module is told apart; of addresses many are one, for anybody may call on a service.
            let hosts = group.iter().filter(|(pair, _)| matches!(pair.subject, Subject::Host(_))).count();
            let mut first = true;
            for (pair, contacts) in &group {
                let many = hosts >= MANY && matches!(pair.subject, Subject::Host(_));
                if many && !first {
                    continue;
                }
                let Some(best) = contacts.best() else { continue };
                let mut alert = alert(pair, contacts, &best, words);
                models.weigh(&mut alert, pair, given, trace);
                if many {
                    first = false;
                    alert.reason.more.push(format!("So do {} other addresses", hosts.saturating_sub(1)));
                }
                out.push(alert);
            }
        }
        out
    }

    /// Every pair that RITA would show.
    fn as_rita(&self, words: &Words) -> Vec<Alert> {
        let Some((first, last)) = self.range else { return Vec::new() };
        let seconds = |m: Micros| m.0.div_euclid(1_000_000);
        let to = seconds(last);
        let from = seconds(first).max(to.saturating_sub(86_400));
        let mut out = Vec::new();
        for (key, contacts) in &self.pairs {
            let pair = &key.pair();
            let at = |c: &Contact| seconds(contacts.begin.plus(c.at));
            let within: Vec<&Contact> = contacts.kept.iter().filter(|c| at(c) >= from).collect();
            let times: Vec<i64> = within.iter().map(|c| at(c)).collect();
            let bytes: Vec<f64> = within.iter().map(|c| c.up.into()).collect();
            let Some(scored) = rita::score(&times, &bytes, from, to) else { continue };
            if scored.score >= rita::BASE {
                out.push(rita_alert(pair, contacts, &scored, words));
            }
        }
        out
    }
}

impl Contacts {
    fn keep(&mut self, contact: Contact, rita: bool) {
        let most = if rita { RITA_KEPT } else { KEPT };
        if self.kept.len() >= most {
            if !rita {
                self.look();
                if let Some(judged) = self.best() {
                    let told_at = self.told_at();
                    self.told.get_or_insert_default().gone = Some(Box::new(Best { judged, told_at }));
                }
            }
            // The newer half goes on.
            self.kept.drain(..most / 2);
        }
        if self.kept.len() == self.kept.capacity() {
            // Who comes back often comes back more often; in the end as much as is needed, where doubling would take more.
            let more = match self.kept.len() {
                0 => 4,
                few if few < KEPT / 10 => KEPT / 10,
                some => some.min(most.saturating_sub(some)).max(1),
            };
            self.kept.reserve_exact(more);
        }
        self.kept.push(contact);
    }

    /// Judges those that are kept, if one came since.
    fn look(&mut self) {
        if self.looked == self.count {
            return;
        }
        self.looked = self.count;
        self.kept.sort_unstable();
        let now = judged(&self.kept);
        if now.is_some() || self.told.is_some() {
            self.told.get_or_insert_default().now = now;
        }
    }

    /// The better of what is kept and what is not.
    fn best(&self) -> Option<own::Judged> {
        let Told { gone, now } = self.told.as_deref()?;
        [gone.as_deref().map(|gone| gone.judged), *now].into_iter().flatten().max_by(|a, b| a.score.total_cmp(&b.score))
    }

    /// The contact by which they were first enough, of those that are or were.
    fn told_at(&self) -> Micros {
        let gone = self.told.as_deref().and_then(|told| told.gone.as_deref());
        gone.map_or_else(|| self.begin.plus(enough(&self.kept)), |gone| gone.told_at)
    }

    /// When the first of them began.
    fn first(&self) -> Micros {
        self.begin.plus(self.kept.iter().map(|c| c.at).min().unwrap_or_default().min(Micros(0)))
    }

    /// When the last of them began.
    fn last(&self) -> Micros {
        self.begin.plus(self.kept.iter().map(|c| c.at).max().unwrap_or_default())
    }
}

/// What contacts in the order of their times come to, where that is enough.
fn judged(contacts: &[Contact]) -> Option<own::Judged> {
    if contacts.len() < own::LEAST {
        return None;
    }
    let times = contacts.iter().map(|c| c.at.0 as f64 / 1e6);
    let judged = own::judge(times, contacts.iter().map(|c| c.up.into()), contacts.iter().map(|c| c.down.into()));
    judged.filter(|judged| judged.score >= own::ENOUGH)
}

/// The time of the contact by which they were first enough: looked for among fewer, an eighth more each time.
fn enough(contacts: &[Contact]) -> Micros {
    let few = std::iter::successors(Some(own::LEAST), |n| Some(n.saturating_add((n / 8).max(1))));
    let first = few.map_while(|n| contacts.get(..n)).find(|first| judged(first).is_some());
    first.unwrap_or(contacts).last().map_or(Micros(0), |contact| contact.at)
}

/// With what the modules of each type allocation code spoke, in this trace or before.
struct Models<'a>(BTreeMap<&'a str, BTreeMap<&'a Who, Spoke<'a>>>);

/// What one of them did.
#[derive(Default)]
struct Spoke<'a> {
    past: Option<&'a Module>,
    now: Option<&'a Module>,
}

impl<'a> Models<'a> {
    fn new(given: &'a Given) -> Self {
        let mut all: BTreeMap<&str, BTreeMap<&Who, Spoke<'_>>> = BTreeMap::new();
        let mut put = |who: &'a Who, set: &dyn Fn(&mut Spoke<'a>)| {
            if let Some(tac) = who.tac() {
                set(all.entry(tac).or_default().entry(who).or_default());
            }
        };
        given.past.modules.iter().for_each(|(who, module)| put(who, &|s| s.past = Some(module)));
        given.now.lesson.modules.iter().for_each(|(who, module)| put(who, &|s| s.now = Some(module)));
        Self(all)
    }

    /// Lowers what most of a model do.
    fn weigh(&self, alert: &mut Alert, pair: &Pair, given: &Given, trace: Trace<'_>) {
        let who = match pair.subject {
            Subject::Session(id) => trace.sessions.get(id).and_then(|s| Who::of(s, &given.key)),
            Subject::Host(_) => None,
        };
        let Some(who) = who else { return };
        let Some(model) = who.tac().and_then(|tac| self.0.get(tac)) else { return };
        let (name, what) = match pair.peer {
            Peer::Name(word) => (Some(trace.words.get(word)), learn::registered(trace.words.get(word))),
            Peer::Addr(addr) => (None, Some(learn::network_name(addr))),
        };
        let Some(what) = what else { return };
        let does = |module: Option<&Module>| module.is_some_and(|m| m.to.contains_key(&what));
        let others = model.iter().filter(|(other, _)| ***other != who);
        let (mut all, mut same) = (0_usize, 0_usize);
        for (_, spoke) in others {
            all = all.saturating_add(1);
            same = same.saturating_add(usize::from(does(spoke.past) || does(spoke.now)));
        }
        let share = same as f64 / all.max(1) as f64;
        if all < MODELS || share < MOST {
            return;
        }
        alert.terms.push(Term { term: "same_of_model", value: share, threshold: MOST });
        alert.reason.more.push(format!("So do or did {same} of {all} others of its model"));
        let known = model.values().filter(|s| {
            s.past.is_some_and(|m| {
                m.last.since(m.first) >= learn::LEAST && m.talks >= learn::ENOUGH || m.last.since(m.first) >= learn::LEARNING
            })
        });
        if known.count() >= MODELS && !model.values().any(|s| does(s.past)) {
            alert.reason.more.push("None of them did before this trace".to_owned());
            return;
        }
        let listed = match (pair.peer, name) {
            (_, Some(name)) => given.indicators.host(name, Some(alert.last)),
            (Peer::Addr(addr), None) => given.indicators.addr(addr, Some(alert.last)),
            (Peer::Name(_), None) => None,
        };
        if listed.is_none() {
            alert.severity = Severity::Info;
        }
    }
}

fn peer(pair: &Pair, words: &Words) -> String {
    let name = match pair.peer {
        Peer::Name(word) => words.get(word).to_owned(),
        Peer::Addr(addr) if addr.is_v4() => addr.ip().to_string(),
        Peer::Addr(addr) => format!("[{}]", addr.ip()),
    };
    if pair.port == 0 { name } else { format!("{name}:{}", pair.port) }
}

fn remedies() -> Vec<String> {
    vec![
        "Ask the device's maker what it reports there, and write the answer down".to_owned(),
        "Let the device reach only what it needs, and drop the rest at the gateway".to_owned(),
    ]
}

fn alert(pair: &Pair, contacts: &Contacts, best: &own::Judged, words: &Words) -> Alert {
    let name = peer(pair, words);
    Alert {
        about: &ABOUT,
        subject: pair.subject,
        peer: Some(name.clone()),
        ends: Ends::Peer,
        severity: Severity::Low,
        score: best.score,
        terms: vec![
            Term { term: "periodicity", value: best.periodicity, threshold: own::PERIODIC },
            Term { term: "period_seconds", value: best.period, threshold: 0.0 },
            Term { term: "size_regularity", value: best.size, threshold: 0.0 },
            Term { term: "contacts", value: best.contacts as f64, threshold: own::LEAST as f64 },
        ],
        reason: Reason {
            did: format!("came to {name} {} times, about every {}", contacts.count, duration(best.period)),
            more: vec![format!("The judged {} contacts lie within {}", best.contacts, duration(best.span))],
            remedies: remedies(),
            clears_when: "It is known what the device reports there and why".to_owned(),
            stake: None,
        },
        threats: &["surveillance"],
        first: contacts.first(),
        at: contacts.told_at(),
        last: contacts.last(),
        flows: contacts.count.into(),
        frames: contacts.frames,
    }
}

fn rita_alert(pair: &Pair, contacts: &Contacts, scored: &rita::Scored, words: &Words) -> Alert {
    let name = peer(pair, words);
    let severity = match scored.score {
        s if s >= rita::HIGH => Severity::High,
        s if s >= rita::MEDIUM => Severity::Medium,
        s if s >= rita::LOW => Severity::Low,
        _ => Severity::Info,
    };
    let term = |term, value| Term { term, value, threshold: rita::BASE };
    Alert {
        about: &ABOUT,
        subject: pair.subject,
        peer: Some(name.clone()),
        ends: Ends::Peer,
        severity,
        score: scored.score,
        terms: vec![
            term("ts_score", scored.times),
            term("ds_score", scored.sizes),
            term("dur_score", scored.duration),
            term("hist_score", scored.histogram),
        ],
        reason: Reason {
            did: format!("came to {name} {} times: a beacon score of {:.3} as RITA counts it", contacts.count, scored.score),
            more: Vec::new(),
            remedies: remedies(),
            clears_when: "It is known what the device reports there and why".to_owned(),
            stake: None,
        },
        threats: &["surveillance"],
        first: contacts.first(),
        at: contacts.last(),
        last: contacts.last(),
        flows: contacts.count.into(),
        frames: contacts.frames,
    }
}

/// Seconds as people say them.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{:.1} minutes", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} hours", s / 3600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}

impl Detector for Beacon {
    fn hears(&self) -> Hears {
        Hears::END
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, _: &Given, _: &Words) {
        if let Event::End(flow, _) = event {
            self.end(flow);
        }
    }

    fn nears(&self, some: &[Met]) -> usize {
        let keys = near::each(some, |(flow, _)| self.is_contact(flow).then(|| self.key(flow)));
        let last = |contacts: &Contacts| contacts.count as usize ^ contacts.kept.last().map_or(0, |last| last.up as usize);
        near::about(&self.pairs, &keys).into_iter().flatten().fold(0, |all, contacts| all ^ last(contacts))
    }

    fn wait(&mut self, _: Option<Micros>) {
        if !self.rita {
            self.pairs.values_mut().for_each(|contacts| contacts.look());
        }
    }

    fn found(&self, given: &Given, trace: Trace<'_>) -> Vec<Alert> {
        if self.rita { self.as_rita(trace.words) } else { self.own(given, trace) }
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_the_same_behind_its_words() {
        let server = Addr::from("2001:db8::7".parse::<std::net::IpAddr>().unwrap());
        let whose = Whose::host(Addr::v4([192, 0, 2, 1]));
        for on in [(0, 0), (443, 6), (u16::MAX, u8::MAX)] {
            for name in [None, Word::of_number(1), Word::of_number(u32::MAX)] {
                let peer = name.map_or(Peer::Addr(server), Peer::Name);
                let pair = Pair { subject: whose.subject(), peer, port: on.0, proto: on.1 };
                assert_eq!(Key::new(whose, name, server, on).pair(), pair);
            }
        }
    }

    /// There may be a hundred thousand of them.
    #[test]
    fn a_pair_takes_two_kilobytes_at_most() {
        let all = size_of::<(u64, Key, Contacts)>() + size_of::<usize>() + KEPT * size_of::<Contact>();
        assert!(all <= 2048, "{all}");
        let mut contacts = Contacts { begin: Micros(0), frames: (1, 1), count: 0, looked: 0, kept: Vec::new(), told: None };
        for n in 0..500 {
            contacts.count += 1;
            contacts.keep(Contact { at: Micros::seconds(n * 60), up: 1, down: 1 }, false);
        }
        assert!(contacts.best().is_some());
        assert_eq!(contacts.kept.capacity(), KEPT);
    }
}
