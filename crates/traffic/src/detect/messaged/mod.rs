//! `after-message`: a module that was silent begins to speak right behind a short message to it.
//!
//! A message wakes a device: it may be what its maker or operator built it for, or somebody else's way to it. What is told is that it came
//! so, with whom the device spoke then, and whether that is its habit. Whoever speaks often does so behind a message by chance as well: how
//! likely that many are, by how often it speaks anyway, decides whether anything is told.

mod bouts;

use std::collections::BTreeMap;

use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

pub(super) use self::bouts::BEHIND;
use self::bouts::{Bout, Bouts, QUIET, Talk};
use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Subject, Tally, Term, Trace};
use crate::cellular::sessions::{Id, Session};
use crate::flow::Event;
use crate::learn::{Who, end, network_name, registered};
use crate::lists::Message;
use crate::names::{Words, without_port};
use crate::time::Micros;

const ABOUT: About = About {
    code: "after-message",
    version: 1,
    needs: "records of short messages, and sessions with a number that stands in them",
    basis: Basis::Inferred,
};

/// More likely by chance than this: nothing is told.
const CHANCE: f64 = 0.05;
/// Messages from which on it may be a habit.
const HABIT: usize = 5;
/// Shorter runs of digits name nobody.
const LONG: usize = 8;

/// See above.
#[derive(Clone, Debug, Default)]
pub(super) struct Woken {
    bouts: Bouts,
}

/// Messages in a row.
struct Occasion<'a> {
    all: Vec<Message<'a>>,
}

/// A module that spoke behind a message.
struct Woke<'a> {
    message: Message<'a>,
    /// When it spoke first.
    at: Micros,
    talk: Talk,
    session: Id,
    /// Since when it was silent, and whether that is when the trace began.
    since: Micros,
    whole: bool,
    /// Whether what it spoke with is on a list, and whether it is new for it.
    listed: bool,
    new: bool,
}

/// What a module did behind messages.
struct Module<'a> {
    woke: Vec<Woke<'a>>,
    /// Messages in a row that came while it was silent.
    occasions: usize,
    chance: f64,
}

/// What says that two sessions are of one module: the SIM that messages go to, else what there is.
fn own(session: &Session) -> Option<&str> {
    let body = session.imei.as_ref().and_then(|imei| imei.get(..14));
    session.imsi.as_deref().or(session.msisdn.as_deref()).or(session.iccid.as_deref()).or(body)
}

/// Messages, those apart that do not follow each other at once: parts of one, or tries.
fn occasions(mut all: Vec<Message<'_>>) -> Vec<Occasion<'_>> {
    all.sort_unstable();
    all.dedup();
    let parts = all.chunk_by(|a, b| b.at.since(a.at) <= BEHIND);
    parts.map(|all| Occasion { all: all.to_vec() }).collect()
}

/// How likely `least` of `all` are by chance, where each is with a likelihood.
fn tail(all: usize, least: usize, each: f64) -> f64 {
    if least == 0 || each >= 1.0 {
        return 1.0;
    }
    let (n, odds) = (all as f64, each / (1.0 - each));
    // The first term by its logarithm: it may be very small.
    let choose: f64 = (0..least).map(|i| ((n - i as f64) / (i as f64 + 1.0)).ln()).sum();
    let mut term = (choose + least as f64 * each.ln() + (n - least as f64) * (1.0 - each).ln()).exp();
    let mut sum = 0.0;
    for k in least..=all {
        sum += term;
        term *= (n - k as f64) / (k as f64 + 1.0) * odds;
    }
    sum.min(1.0)
}

impl Woken {
    /// Sessions that are kept, by module.
    fn modules<'t>(&self, trace: Trace<'t>) -> BTreeMap<&'t str, Vec<(Id, &'t Session)>> {
        let mut out: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for id in self.bouts.of.keys() {
            if let Some((session, own)) = trace.sessions.get(*id).and_then(|s| Some((s, own(s)?))) {
                out.entry(own).or_default().push((*id, session));
            }
        }
        out.values_mut().for_each(|all| all.sort_by_key(|(id, _)| *id));
        out
    }

    /// When a module spoke, whichever session it had, and in which session it did; and how many of these times are no longer kept.
    fn spoke(&self, sessions: &[(Id, &Session)]) -> (Vec<(Bout, Id)>, u64) {
        let kept = || sessions.iter().filter_map(|(id, _)| Some((*id, self.bouts.of.get(id)?)));
        let mut all: Vec<(&Bout, Id)> = kept().flat_map(|(id, of)| of.bouts.iter().map(move |bout| (bout, id))).collect();
        all.sort_by_key(|(bout, id)| (bout.from, *id));
        let mut out: Vec<(Bout, Id)> = Vec::new();
        for (bout, id) in all {
            match out.last_mut() {
                Some((last, _)) if bout.from.since(last.to) < QUIET => last.join(bout),
                _ => out.push((bout.clone(), id)),
            }
        }
        (out, kept().fold(0, |sum, (_, of)| sum.saturating_add(of.gone)))
    }

    fn judge<'a>(&self, sessions: &[(Id, &'a Session)], given: &'a Given, words: &Words) -> Option<Module<'a>> {
        let messages: Vec<Message<'a>> = sessions.iter().flat_map(|(_, session)| given.messages.of(session)).collect();
        let (begin, last) = self.bouts.range.filter(|_| !messages.is_empty())?;
        let (spoke, gone) = self.spoke(sessions);
        let (mut woke, mut asked) = (Vec::new(), 0_usize);
        for Occasion { all } in occasions(messages) {
            let Some((first, latest)) = all.first().zip(all.last()) else { continue };
            let quiet = Micros(first.at.0.saturating_sub(QUIET.0));
            let next = spoke.partition_point(|(bout, _)| bout.from < first.at);
            let before = next.checked_sub(1).and_then(|n| spoke.get(n)).map(|(bout, _)| bout.to);
            // What was before the trace nobody knows.
            if quiet < begin || before.is_some_and(|to| to > quiet) {
                continue;
            }
            let found = spoke.get(next).and_then(|(bout, id)| {
                let message = all.iter().rev().find(|message| message.at <= bout.from)?;
                (bout.from.since(message.at) <= BEHIND).then_some((*message, bout, *id))
            });
            if found.is_none() && latest.at.0.saturating_add(BEHIND.0) > last.0 {
                continue;
            }
            asked = asked.saturating_add(1);
            let Some((message, bout, session)) = found else { continue };
            let session = sessions.iter().find(|(id, _)| *id == session).copied()?;
            let told = bout.talks.iter().map(|talk| (*talk, listed(talk, given, words), is_new(talk, session.1, given, words)));
            // The worst of what it spoke with, else the first; a resolver where nobody else was.
            let worst = told.min_by_key(|(talk, listed, new)| (!listed, !new, talk.resolver, talk.at));
            if let Some((talk, listed, new)) = worst {
                let (since, whole) = (before.unwrap_or(begin), before.is_none());
                woke.push(Woke { message, at: bout.from, talk, session: session.0, since, whole, listed, new });
            }
        }
        let others = (spoke.len() as u64).saturating_add(gone).saturating_sub(woke.len() as u64);
        let seconds = |span: Micros| span.0 as f64 / 1e6;
        // Half a time more than there was: of whom nothing was seen not nothing is known.
        let each = ((others as f64 + 0.5) * seconds(BEHIND) / seconds(last.since(begin)).max(1.0)).min(1.0);
        let chance = tail(asked, woke.len(), each);
        Some(Module { woke, occasions: asked, chance })
    }
}

/// The name that was spoken with, without its port.
fn name<'w>(talk: &Talk, words: &'w Words) -> Option<&'w str> {
    talk.name.map(|word| without_port(words.get(word)))
}

fn listed(talk: &Talk, given: &Given, words: &Words) -> bool {
    let (all, at) = (&given.indicators, Some(talk.at));
    all.addr(talk.addr, at).is_some() || name(talk, words).is_some_and(|name| all.host(name, at).is_some())
}

/// Whether a module that is known well never spoke with it, before this trace or in it.
fn is_new(talk: &Talk, session: &Session, given: &Given, words: &Words) -> bool {
    let Some(who) = Who::of(session, &given.key).filter(|_| !talk.resolver) else { return false };
    let Some(known) = given.past.modules.get(&who).filter(|m| given.past.is_learnt(&who, m.first, talk.at, 0)) else { return false };
    let zone = name(talk, words).and_then(registered);
    let net = network_name(talk.addr);
    let what = zone.clone().unwrap_or_else(|| net.clone());
    let before = given.now.contacts.get(&who).into_iter().flatten().any(|c| c.what == what && c.met.first < talk.at);
    !before && !known.to.contains_key(&what) && !known.to.contains_key(&net) && (zone.is_some() || !known.nets.contains_key(&net))
}

/// Who sent a message: behind `a short message`, and a sentence where that would not be covered as a subscriber's number.
fn sender(message: &Message<'_>) -> (String, Option<String>) {
    let Some(from) = message.from else { return (String::new(), None) };
    let digits = from.bytes().all(|b| b.is_ascii_digit());
    let long = from.as_bytes().split(|b| !b.is_ascii_digit()).any(|run| run.len() >= LONG);
    match (long, digits && !from.starts_with('0')) {
        (false, _) => (format!(" from {from}"), None),
        (true, true) => (format!(" from +{from}"), None),
        (true, false) => (String::new(), Some(format!("The message came from MSISDN {from}"))),
    }
}

/// A time in words.
pub(super) fn span(time: Micros) -> String {
    match time.0 / 1_000_000 {
        1 => "1 second".to_owned(),
        n if n < 120 => format!("{n} seconds"),
        n if n < 7200 => format!("{} minutes", n / 60),
        n => format!("{:.1} hours", n as f64 / 3600.0),
    }
}

/// What a module did with one destination behind messages, the first time first.
fn alert(peer: &str, all: &[&Woke<'_>], module: &Module<'_>) -> Option<Alert> {
    let first = all.iter().find(|woke| woke.listed || woke.new).or_else(|| all.first())?;
    let (count, of) = (module.woke.len(), module.occasions);
    let habit = of >= HABIT && count.saturating_mul(2) > of;
    let severity = match (all.iter().any(|w| w.listed || w.new), habit) {
        (true, _) => Severity::Medium,
        (false, true) => Severity::Info,
        (false, false) => Severity::Low,
    };
    let (behind, silent) = (first.at.since(first.message.at), first.at.since(first.since));
    let (from, apart) = sender(&first.message);
    let begun = if first.whole { ", since the trace began" } else { "" };
    let mut more: Vec<String> = apart.into_iter().collect();
    if first.message.from.is_none() {
        more.push("Who sent the message is not on record".to_owned());
    }
    more.push(match (count, of) {
        (1, 1) => "It is the only message on record that came while it was silent".to_owned(),
        _ => format!("So it did behind {count} of {of} messages that came while it was silent"),
    });
    if habit {
        more.push("That is its habit: it is woken so".to_owned());
    }
    if all.iter().any(|woke| woke.listed) {
        more.push("What it spoke with stands on a list of indicators that was given".to_owned());
    }
    if all.iter().any(|woke| woke.new) {
        more.push("It is known well, and never spoke with that before".to_owned());
    }
    if all.iter().all(|woke| woke.talk.resolver) {
        more.push("It asked for names, and nothing more was seen".to_owned());
    }
    let term = |term, value: f64, threshold: f64| Term { term, value, threshold };
    Some(Alert {
        about: &ABOUT,
        subject: Subject::Session(all.first()?.session),
        peer: Some(peer.to_owned()),
        ends: Ends::Peer,
        severity,
        score: 1.0 - module.chance,
        terms: vec![
            term("seconds_behind", behind.0 as f64 / 1e6, BEHIND.0 as f64 / 1e6),
            term("silent_minutes", silent.0 as f64 / 6e7, QUIET.0 as f64 / 6e7),
            term("messages", of as f64, HABIT as f64),
            term("woke", count as f64, of as f64 / 2.0),
            term("chance", module.chance, CHANCE),
        ],
        reason: Reason {
            did: format!(
                "began to speak {} behind a short message{from}, with nobody for {} before{begun}: with {peer}",
                span(behind),
                span(silent)
            ),
            more,
            remedies: vec![
                "Ask the operator who may send short messages to this SIM, and let only those who must".to_owned(),
                "Let the device reach only what it needs (its learnt destinations), and drop the rest at the gateway".to_owned(),
            ],
            clears_when: "It is known who sent the message and why, or that the device is made to be woken so and that is written down"
                .to_owned(),
            stake: None,
        },
        threats: &["surveillance", "disruption"],
        first: all.first()?.talk.at,
        at: first.talk.at,
        last: all.iter().map(|w| w.talk.last).max().unwrap_or(first.talk.last),
        flows: all.len() as u64,
        frames: first.talk.frames,
    })
}

impl Detector for Woken {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn hears(&self) -> Hears {
        Hears::START.and(Hears::ACTIVE).and(Hears::END)
    }

    fn is_given(&self, given: &Given) -> bool {
        given.messages.is_given()
    }

    fn see(&mut self, event: &Event<'_>, given: &Given, _: &Words) {
        if !given.messages.is_given() {
            return;
        }
        match event {
            Event::Start(flow) | Event::Active(flow) => self.bouts.see(flow, false, &given.messages),
            Event::End(flow, _) => self.bouts.see(flow, true, &given.messages),
            Event::Answered(_) | Event::Joined(_) | Event::Lookup(_) | Event::Broken(_) => {}
        }
    }

    fn copy(&self) -> Option<Box<dyn Detector>> {
        Some(Box::new(self.clone()))
    }

    fn found(&self, given: &Given, trace: Trace<'_>) -> Vec<Alert> {
        let mut out = Vec::new();
        for sessions in self.modules(trace).values() {
            let Some(module) = self.judge(sessions, given, trace.words).filter(|m| m.chance <= CHANCE) else { continue };
            let mut peers: BTreeMap<String, Vec<&Woke<'_>>> = BTreeMap::new();
            for woke in &module.woke {
                let peer = end(name(&woke.talk, trace.words), woke.talk.addr, woke.talk.port);
                peers.entry(peer).or_default().push(woke);
            }
            out.extend(peers.iter().filter_map(|(peer, all)| alert(peer, all, &module)));
        }
        out
    }

    fn tally(&self, _: &Given, trace: Trace<'_>) -> Tally {
        let mut tally = Tally { forgotten: self.bouts.forgotten, ..Tally::default() };
        for (id, of) in &self.bouts.of {
            // Of whom no number is known no message is.
            let known = trace.sessions.get(*id).and_then(own).is_some();
            let sum = if known { &mut tally.judged } else { &mut tally.blind };
            *sum = sum.saturating_add(of.talks);
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_that_of_so_many_or_more() {
        for (all, least, each, is) in
            [(1, 1, 0.1, 0.1), (2, 1, 0.5, 0.75), (5, 5, 0.1, 1e-5), (3, 0, 0.2, 1.0), (4, 2, 1.0, 1.0), (10, 3, 0.25, 0.474_407)]
        {
            assert!((tail(all, least, each) - is).abs() < 1e-6, "{all} {least} {each}: {}", tail(all, least, each));
        }
        assert!(tail(20_000, 19_000, 0.01) < 1e-300);
    }

    #[test]
    fn senders_are_named_so_that_they_can_be_covered() {
        let of = |from| sender(&Message { at: Micros(0), from });
        assert_eq!(of(None), (String::new(), None));
        assert_eq!(of(Some("Fleet")).0, " from Fleet");
        assert_eq!(of(Some("12345")).0, " from 12345");
        assert_eq!(of(Some("882990000002")).0, " from +882990000002");
        for apart in ["01711234567", "x 882990000002"] {
            assert_eq!(of(Some(apart)), (String::new(), Some(format!("The message came from MSISDN {apart}"))));
        }
    }
}
