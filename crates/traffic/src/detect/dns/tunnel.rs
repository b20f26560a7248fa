//! `dns-tunnel`: something else is carried in questions and answers.
//!
//! Whoever owns a zone hears every new name below it that anybody asks for, through every resolver on the way, and chooses what is
//! answered. What is measured is how much of that there is, in names, in answers, in both ([`super::zone`]), by who asks and by zone.
//!
//! Left out for their shape: addresses written backwards (reverse names, block lists), names of services (keys of mail, proofs for
//! certificates), names of the link (`local`), names to whose addresses somebody then goes (a content network), and digests of a usual
//! length that are answered with codes or looked up bare (reputation of files and senders). Whoever wants to hide may take one of these
//! shapes, and then carries little.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};
use indexmap::IndexMap;
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::zone::{self, Look, Rule, Zone};
use super::{asker, is_blind};
use crate::detect::sieve::Over;
use crate::detect::{About, Alert, Detector, Ends, Given, Hears, Met, Reason, Subject, Tally, Term, Trace, Whose, for_many, near, who};
use crate::flow::{Event, Flow, Lookup};
use crate::names::zone::Suffix;
use crate::names::{Words, dns};
use crate::time::Micros;

const ABOUT: About =
    About { code: "dns-tunnel", version: 1, needs: "the names that are asked for in DNS, and what is answered", basis: Basis::Inferred };

/// Zones at once, each of one who asks; names and labels of all of them.
const ZONES: usize = 1 << 15;
const KEPT: usize = 1 << 20;
/// Those who are known to speak to others than name servers.
const SPEAKERS: usize = 1 << 17;

#[derive(Debug)]
struct Entry {
    subject: Subject,
    name: Box<str>,
    zone: Zone,
}

/// See above.
#[derive(Debug, Default)]
pub(in crate::detect) struct Tunnel {
    hasher: DefaultHashBuilder,
    zones: HashTable<Box<Entry>>,
    /// Names and labels that they remember.
    kept: usize,
    speak: IndexMap<Whose, (), DefaultHashBuilder>,
    over: Over,
    tally: Tally,
}

impl Tunnel {
    fn find(&mut self, subject: Subject, name: &str) -> Option<&mut Zone> {
        let hash = self.hasher.hash_one((subject, name));
        self.zones.find_mut(hash, |e| e.subject == subject && *e.name == *name).map(|e| &mut e.zone)
    }

    fn lookup(&mut self, lookup: &Lookup<'_>) {
        let Some(subject) = asker(lookup) else { return };
        self.tally.judged = self.tally.judged.saturating_add(lookup.asks.into());
        let Some(zoned) = crate::names::zone::of(lookup.name).filter(|z| !(z.suffix == Suffix::Registry && z.zone.ends_with(".arpa")))
        else {
            return;
        };
        let (hasher, speaks) = (self.hasher.clone(), self.speak.contains_key(&Whose::from(subject)));
        let look = Look::at(zoned.below);
        let carries = look.odd > 0 || look.says && lookup.answer.is_some_and(|a| a.free > 0);
        if self.find(subject, zoned.zone).is_none() {
            // What is never odd costs nothing.
            if !carries {
                return;
            }
            if self.zones.len() >= ZONES || self.kept >= KEPT {
                self.make_room();
            }
            let entry = Box::new(Entry { subject, name: zoned.zone.into(), zone: Zone::new(lookup) });
            self.zones.insert_unique(hasher.hash_one((subject, zoned.zone)), entry, |e| hasher.hash_one((e.subject, &*e.name)));
        }
        let Some(zone) = self.find(subject, zoned.zone) else { return };
        let before = zone.kept();
        zone.hear(lookup, zoned.below, look, speaks, &hasher);
        let after = zone.kept();
        self.kept = self.kept.saturating_sub(before).saturating_add(after);
    }

    /// Somebody goes where a name led.
    fn visit(&mut self, flow: &Flow, words: &Words) {
        if !visits(flow) {
            return;
        }
        if self.speak.len() < SPEAKERS {
            self.speak.insert(Whose::of(flow), ());
        }
        if self.zones.is_empty() {
            return;
        }
        let Some(name) = flow.names.dns.map(|word| words.get(word)) else { return };
        let Some(zoned) = crate::names::zone::of(name) else { return };
        let hasher = self.hasher.clone();
        if let Some(zone) = self.find(who(flow), zoned.zone) {
            zone.visit(zoned.below, &hasher);
        }
    }

    /// Lets go of those that have been quiet for the longest and are not suspected; of all, where those are most.
    fn make_room(&mut self) {
        let mut gone = 0_u64;
        let mut last: Vec<Micros> = self.zones.iter().filter(|e| e.zone.told.is_none()).map(|e| e.zone.last).collect();
        let before = self.zones.len();
        if last.len() >= before / 4 && !last.is_empty() {
            let at = last.len() / 2;
            let (_, edge, _) = last.select_nth_unstable(at);
            let edge = *edge;
            self.zones.retain(|e| e.zone.told.is_some() || e.zone.last > edge);
        } else {
            gone = gone.saturating_add(self.over.put(self.zones.iter().filter_map(|e| alert(e))));
            self.zones.clear();
        }
        self.kept = self.zones.iter().map(|e| e.zone.kept()).sum();
        if self.kept >= KEPT / 4 * 3 {
            gone = gone.saturating_add(self.over.put(self.zones.iter().filter_map(|e| alert(e))));
            self.zones.clear();
            self.kept = 0;
        }
        gone = gone.saturating_add(before.saturating_sub(self.zones.len()) as u64);
        self.tally.forgotten = self.tally.forgotten.saturating_add(gone);
    }
}

/// Whether it is with somebody who answers no questions for names.
fn visits(flow: &Flow) -> bool {
    !dns::is_port(flow.key.server_port) && !for_many(flow.key.server)
}

/// What each rule says, in a sentence of its own.
fn why(rule: Rule, zone: &Zone) -> String {
    match rule {
        Rule::Names => format!("The names are long and new each time, and their characters have {:.1} bits each", zone.entropy()),
        Rule::Volume => format!("Within an hour the names held {} encoded characters", zone.most_chars),
        Rule::Answers => {
            format!("{} answers held records that carry anything (TXT, NULL), {:.0} bytes each", zone.all.free, zone.all.each())
        }
        Rule::BothWays => format!("{} answers held data and no address", zone.all.back),
        Rule::Addresses => format!("Addresses of {} networks were answered, and nobody went there", zone.all.nets),
        Rule::Many => format!("{} of the names look encoded, and nobody went to what was answered", zone.all.odd),
    }
}

fn alert(entry: &Entry) -> Option<Alert> {
    let zone = &entry.zone;
    let (at, by) = zone.told?;
    let all = &zone.all;
    let name = umbilical_core::text::clean(&entry.name).into_owned();
    let held: Vec<Rule> = Rule::ALL.into_iter().filter(|r| zone.held & r.bit() != 0).collect();
    let did = if by == Rule::Answers && all.odd < all.names.div_ceil(2) {
        format!("took {} bytes from {name} in {} answers that carry anything, for {} new names", all.free_bytes, all.free, all.names)
    } else {
        format!("asked for {} new names below {name}, with {:.0} characters that look encoded in each", all.names, all.length())
    };
    let mut more: Vec<String> = held.iter().map(|rule| why(*rule, zone)).collect();
    if !zone.examples.is_empty() {
        more.push(format!("The first of them: {}", zone.examples.join(", ")));
    }
    let module = matches!(entry.subject, Subject::Session(_));
    let steps = zone::SUBDOMAINS.iter().filter(|n| all.names >= **n).count();
    let much = steps >= 2 || zone.most_chars >= zone::CHARS;
    let severity = match (module, much) {
        (true, true) if steps >= 4 => Severity::Critical,
        (true, _) | (_, true) => Severity::High,
        (false, false) => Severity::Medium,
    };
    let next = zone::SUBDOMAINS.get(steps).or(zone::SUBDOMAINS.last()).copied().unwrap_or_default();
    Some(Alert {
        about: &ABOUT,
        subject: entry.subject,
        peer: Some(name),
        ends: Ends::Peer,
        severity,
        score: match held.len() {
            0 | 1 => 0.9,
            2 => 0.96,
            _ => 0.99,
        },
        terms: vec![
            Term { term: "names", value: all.odd.into(), threshold: zone::NAMES.into() },
            Term { term: "encoded_length", value: all.length(), threshold: zone::LENGTH },
            Term { term: "entropy", value: zone.entropy().max(0.0), threshold: zone::ENTROPY },
            Term { term: "encoded_chars_hour", value: zone.most_chars.into(), threshold: zone::CHARS.into() },
            Term { term: "free_answers", value: all.free.into(), threshold: zone::FREE.into() },
            Term { term: "free_answer_bytes", value: all.each(), threshold: zone::FREE_BYTES },
            Term { term: "new_names_share", value: all.fresh(), threshold: zone::NEW },
            Term { term: "subdomains", value: all.names.into(), threshold: next.into() },
        ],
        reason: Reason {
            did,
            more,
            remedies: vec![
                "Ask who runs the zone what it is for, and write the answer down".to_owned(),
                "Let the device ask only a resolver of yours, and refuse the zone there".to_owned(),
                "Look at the device: which program asks, and what it sends".to_owned(),
            ],
            clears_when: "It is known which program asks and what it sends, or no such names are asked for within a day".to_owned(),
            stake: None,
        },
        threats: &["exfiltration"],
        first: zone.first,
        at,
        last: zone.last,
        flows: all.questions.max(all.answers).into(),
        frames: zone.frames,
    })
}

impl Detector for Tunnel {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn hears(&self) -> Hears {
        Hears::START.and(Hears::END).and(Hears::OTHERS)
    }

    fn nears(&self, some: &[Met]) -> usize {
        let keys = near::each(some, |(flow, _)| visits(flow).then(|| Whose::of(flow)));
        near::about(&self.speak, &keys).iter().flatten().count()
    }

    fn see(&mut self, event: &Event<'_>, _: &Given, words: &Words) {
        match event {
            Event::Lookup(lookup) => self.lookup(lookup),
            Event::Start(flow) => self.visit(flow, words),
            Event::End(flow, _) if is_blind(flow) => self.tally.blind = self.tally.blind.saturating_add(1),
            Event::Answered(_) | Event::Active(_) | Event::End(..) | Event::Joined(_) | Event::Broken(_) => {}
        }
    }

    fn found(&self, _: &Given, _: Trace<'_>) -> Vec<Alert> {
        let mut out = self.over.all();
        out.extend(self.zones.iter().filter_map(|e| alert(e)));
        out
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
