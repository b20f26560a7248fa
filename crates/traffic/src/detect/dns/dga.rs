//! `dga`: names that a program made up, one after the other.
//!
//! A program that cannot be told where to report makes names from the day and asks for them until somebody has registered one. So most
//! do not exist. What is looked at is the label that was registered, or was not ([`super::model`] says whether a machine made it): what
//! stands below it is the owner's business. So browsers that ask for three words of chance to learn whether their network lies find
//! nothing here: their words have no suffix of a registry, or stand below one's own zone.
//!
//! Names that servers are called by without having been asked for (`Host` of HTTP, SNI of TLS) are looked at too.

use std::collections::VecDeque;
use std::hash::BuildHasher as _;
use std::ops::AddAssign;

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::model::{ODD, odds};
use super::{Halves, asker, is_blind, shown};
use crate::detect::sieve::Over;
use crate::detect::{About, Alert, Detector, Ends, Given, Hears, Reason, Subject, Tally, Term, Trace, who};
use crate::flow::{Event, Flow, Lookup};
use crate::names::dns::NO_SUCH_NAME;
use crate::names::zone::{self, Suffix, Zoned};
use crate::names::{Word, Words};
use crate::time::Micros;

const ABOUT: About =
    About { code: "dga", version: 1, needs: "the names that are asked for in DNS, and whether they exist", basis: Basis::Inferred };

/// Zones that do not exist and look made up, within an hour; the share of them of all that do not exist.
const ABSENT: usize = 10;
const SHARE: f64 = 0.33;
/// Their letters, and the odds of each.
const LETTERS: usize = 7;
const ODDS: f64 = ODD - 1.0;
/// Names of servers that nobody asked for, within an hour; their letters, and the odds of each.
const CALLED: usize = 2;
const CALLED_LETTERS: usize = 10;
const CALLED_ODDS: f64 = 8.0;
const HOUR: Micros = Micros::seconds(3600);
/// Who is remembered at once; zones of each, and of all.
const ASKERS: usize = 1 << 16;
const MET: usize = 4096;
const KEPT: usize = 1 << 20;
/// Names that are shown.
const EXAMPLES: usize = 3;

/// Zones that were met for the first time lately.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    odd: u32,
    plain: u32,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.odd = self.odd.saturating_add(other.odd);
        self.plain = self.plain.saturating_add(other.plain);
    }
}

/// Zones of one kind.
#[derive(Debug)]
struct Zones {
    most: usize,
    hour: Halves<Count>,
    met: HashSet<u64>,
    met_before: HashSet<u64>,
    /// The newest that look made up.
    newest: VecDeque<Micros>,
    odd: u32,
    plain: u32,
    first: Option<(Micros, u64)>,
    last: (Micros, u64),
    examples: Vec<String>,
    told: Option<Micros>,
}

impl Zones {
    fn new(most: usize, at: Micros) -> Self {
        Self {
            most,
            hour: Halves::new(at),
            met: HashSet::new(),
            met_before: HashSet::new(),
            newest: VecDeque::new(),
            odd: 0,
            plain: 0,
            first: None,
            last: (at, 0),
            examples: Vec::new(),
            told: None,
        }
    }

    fn kept(&self) -> usize {
        self.met.len().saturating_add(self.met_before.len())
    }

    fn put(&mut self, zone: &str, hash: u64, odd: bool, (at, frame): (Micros, u64)) {
        if self.hour.turn(at, HOUR) {
            self.met_before = std::mem::take(&mut self.met);
        }
        if self.met_before.contains(&hash) || self.met.len() >= MET || !self.met.insert(hash) {
            return;
        }
        if !odd {
            self.plain = self.plain.saturating_add(1);
            self.hour.now += Count { odd: 0, plain: 1 };
            return;
        }
        self.hour.now += Count { odd: 1, plain: 0 };
        self.odd = self.odd.saturating_add(1);
        let (first, _) = self.first.get_or_insert((at, frame));
        *first = (*first).min(at);
        self.last = (self.last.0.max(at), frame);
        if self.examples.len() < EXAMPLES {
            self.examples.push(shown(zone));
        }
        if self.newest.len() >= self.most {
            self.newest.pop_front();
        }
        self.newest.push_back(at);
        let lately = self.hour.sum();
        let share = f64::from(lately.odd) / f64::from(lately.odd.saturating_add(lately.plain).max(1));
        let within = self.newest.front().is_some_and(|oldest| at.since(*oldest) <= HOUR);
        if self.newest.len() >= self.most && within && share >= SHARE {
            self.told.get_or_insert(at);
        }
    }
}

#[derive(Debug)]
struct Asker {
    last: Micros,
    absent: Zones,
    called: Zones,
}

/// See above.
#[derive(Debug, Default)]
pub(in crate::detect) struct Dga {
    hasher: DefaultHashBuilder,
    askers: HashMap<Subject, Box<Asker>>,
    kept: usize,
    over: Over,
    tally: Tally,
}

impl Dga {
    fn put(&mut self, subject: Subject, zone: &str, odd: bool, absent: bool, place: (Micros, u64)) {
        if !self.askers.contains_key(&subject) && self.askers.len() >= ASKERS || self.kept >= KEPT {
            self.make_room();
        }
        let hash = self.hasher.hash_one(zone);
        let new = || Box::new(Asker { last: place.0, absent: Zones::new(ABSENT, place.0), called: Zones::new(CALLED, place.0) });
        let asker = self.askers.entry(subject).or_insert_with(new);
        asker.last = asker.last.max(place.0);
        let zones = if absent { &mut asker.absent } else { &mut asker.called };
        let before = zones.kept();
        zones.put(zone, hash, odd, place);
        self.kept = self.kept.saturating_sub(before).saturating_add(zones.kept());
    }

    fn lookup(&mut self, lookup: &Lookup<'_>) {
        let Some(subject) = asker(lookup) else { return };
        let Some(answer) = lookup.answer else { return };
        self.tally.judged = self.tally.judged.saturating_add(1);
        if answer.code != NO_SUCH_NAME {
            return;
        }
        // Where nobody registers nobody is waited for.
        let Some(Zoned { zone, label, .. }) = zone::of(lookup.name).filter(|z| z.suffix != Suffix::Unknown && !z.zone.ends_with(".arpa"))
        else {
            return;
        };
        self.put(subject, zone, is_odd(label, LETTERS, ODDS), true, (lookup.at, lookup.frame));
    }

    /// A server is called by a name that nobody asked for.
    fn call(&mut self, flow: &Flow, name: Word, words: &Words) {
        if flow.names.dns.is_some() {
            return;
        }
        let name = words.get(name);
        let name = name.split(':').next().unwrap_or_default();
        // What is rented out has names of chance: `d1a2b3.cloudfront.net`.
        let Some(zoned) = zone::of(name).filter(|z| z.suffix == Suffix::Registry) else { return };
        if is_odd(zoned.label, CALLED_LETTERS, CALLED_ODDS) {
            self.put(who(flow), zoned.zone, true, false, (flow.start, flow.first_frame));
        }
    }

    /// Lets go of those that have been quiet for the longest and are not suspected; of all, where those are most.
    fn make_room(&mut self) {
        let mut gone = 0_u64;
        let is_told = |a: &Asker| a.absent.told.is_some() || a.called.told.is_some();
        let mut last: Vec<Micros> = self.askers.values().filter(|a| !is_told(a)).map(|a| a.last).collect();
        let before = self.askers.len();
        let at = last.len() / 2;
        if last.len() >= before / 4 && !last.is_empty() {
            let (_, edge, _) = last.select_nth_unstable(at);
            let edge = *edge;
            self.askers.retain(|_, a| is_told(a) || a.last > edge);
        }
        self.kept = self.askers.values().map(|a| a.absent.kept().saturating_add(a.called.kept())).sum();
        if self.askers.len() > ASKERS / 4 * 3 || self.kept >= KEPT / 4 * 3 {
            gone = gone.saturating_add(self.over.put(self.askers.iter().filter_map(|(subject, a)| alert(*subject, a))));
            self.askers.clear();
            self.kept = 0;
        }
        gone = gone.saturating_add(before.saturating_sub(self.askers.len()) as u64);
        self.tally.forgotten = self.tally.forgotten.saturating_add(gone);
    }
}

fn is_odd(label: &str, letters: usize, least: f64) -> bool {
    label.len() >= letters && !label.starts_with("xn--") && odds(label) >= least
}

fn alert(subject: Subject, asker: &Asker) -> Option<Alert> {
    let (absent, called) = (&asker.absent, &asker.called);
    let at = match (absent.told, called.told) {
        (Some(a), Some(b)) => a.min(b),
        (a, b) => a.or(b)?,
    };
    let told: Vec<&Zones> = [absent, called].into_iter().filter(|z| z.told.is_some()).collect();
    let first = told.iter().filter_map(|z| z.first).min()?;
    let last = told.iter().map(|z| z.last).max()?;
    let did = if absent.told.is_some() {
        format!("asked for {} zones that do not exist and look made up", absent.odd)
    } else {
        format!("called servers by {} names that look made up and that nobody asked for", called.odd)
    };
    let mut more = Vec::new();
    if absent.told.is_some() && called.told.is_some() {
        more.push(format!("It also called servers by {} names that look made up and that nobody asked for", called.odd));
    }
    if absent.told.is_some() {
        more.push(format!("Of other zones that it asked for {} do not exist", absent.plain));
    }
    let examples: Vec<&str> = told.iter().flat_map(|z| z.examples.iter()).map(String::as_str).collect();
    more.push(format!("The first of them: {}", examples.join(", ")));
    let both = told.len() > 1;
    let share = f64::from(absent.odd) / f64::from(absent.odd.saturating_add(absent.plain).max(1));
    Some(Alert {
        about: &ABOUT,
        subject,
        peer: None,
        ends: Ends::Peer,
        severity: if matches!(subject, Subject::Session(_)) || both { Severity::High } else { Severity::Medium },
        score: match (absent.told.is_some(), absent.odd) {
            (true, 50..) => 0.99,
            (true, _) => 0.95,
            (false, _) => 0.8,
        },
        terms: vec![
            Term { term: "absent_made_up", value: absent.odd.into(), threshold: ABSENT as f64 },
            Term { term: "absent_share", value: share, threshold: SHARE },
            Term { term: "called_made_up", value: called.odd.into(), threshold: CALLED as f64 },
        ],
        reason: Reason {
            did,
            more,
            remedies: vec![
                "Look at the device: which program asks for these names".to_owned(),
                "Let the device ask only a resolver of yours, and only for what it needs".to_owned(),
            ],
            clears_when: "It is known which program makes these names and what for, or none come for a day".to_owned(),
            stake: None,
        },
        threats: &["exfiltration", "disruption"],
        first: first.0,
        at,
        last: last.0,
        flows: told.iter().fold(0_u64, |sum, z| sum.saturating_add(z.odd.into())),
        frames: (first.1, last.1),
    })
}

impl Detector for Dga {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn hears(&self) -> Hears {
        Hears::END.and(Hears::OTHERS)
    }

    fn see(&mut self, event: &Event<'_>, _: &Given, words: &Words) {
        match event {
            Event::Lookup(lookup) => self.lookup(lookup),
            Event::End(flow, _) => {
                if is_blind(flow) {
                    self.tally.blind = self.tally.blind.saturating_add(1);
                }
                if let Some(name) = flow.names.sni.or(flow.names.host) {
                    self.call(flow, name, words);
                }
            }
            Event::Start(_) | Event::Answered(_) | Event::Active(_) | Event::Joined(_) | Event::Broken(_) => {}
        }
    }

    fn found(&self, _: &Given, _: Trace<'_>) -> Vec<Alert> {
        let mut out = self.over.all();
        out.extend(self.askers.iter().filter_map(|(subject, asker)| alert(*subject, asker)));
        out
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
