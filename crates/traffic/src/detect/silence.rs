//! `after-silence`: a module that was silent for far longer than it ever is wakes, and speaks with what is unusual for it.
//!
//! Silence is that of conversations which the module begins, and only as far as somebody listened: where no trace was kept nobody knows.
//! Modules that always sleep (NB-IoT, power saving) have long silences as a rule, and theirs is held against that.

use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::messaged::{BEHIND, span};
use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Subject, Tally, Term, Trace};
use crate::cellular::sessions::Sessions;
use crate::learn::{Module, Wake, Who};
use crate::lists::Message;
use crate::time::Micros;

const ABOUT: About = About {
    code: "after-silence",
    version: 1,
    needs: "conversations of a module on three days and 20 of them before it fell silent, and traces in between",
    basis: Basis::Inferred,
};

/// Silence from which it counts, in seconds, and how many times the usual longest it must be.
const LEAST: u64 = 86_400;
const TIMES: u64 = 8;
/// Conversations and days with any that must have been before.
const TALKS: u64 = 20;
const DAYS: u32 = 3;
/// A destination of less than this share of its conversations is unusual.
const RARE: f64 = 0.02;

/// See above.
#[derive(Debug)]
pub(super) struct Quiet;

/// A silence that ended in this trace.
struct Slept<'a> {
    subject: Subject,
    from: Micros,
    to: Micros,
    /// Seconds of it in which somebody listened.
    seconds: u64,
    /// Seconds of the longest silences before.
    usual: Vec<u64>,
    talks: u64,
    days: u32,
    woke: &'a [(Box<str>, String, u64)],
}

/// The middle of numbers; 0 of none.
fn middle(mut all: Vec<u64>) -> u64 {
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or(0)
}

fn judge(given: &Given, sessions: &Sessions) -> (Vec<Alert>, Tally) {
    let (past, now) = (&given.past, &given.now);
    let (mut out, mut tally) = (Vec::new(), Tally::default());
    for (who, contacts) in &now.contacts {
        let module = past.modules.get(who);
        let wakes = now.wakes.get(who).map(Vec::as_slice).unwrap_or_default();
        let (talks, days) = module.map_or((0, 0), |m| (m.talks, m.days));
        let first = contacts.iter().min_by_key(|c| c.met.first);
        let woke: Vec<(Box<str>, String, u64)> = first
            .filter(|_| module.is_some())
            .iter()
            .flat_map(|f| contacts.iter().filter(|c| c.met.first.since(f.met.first) <= Micros::seconds(60)))
            .map(|c| (c.what.clone(), crate::learn::end(c.name.as_deref(), c.addr, c.port), c.frames.0))
            .collect();
        let mut slept = Vec::new();
        if let (Some(module), Some(first)) = (module, first) {
            // Up to the beginning of this trace as far as others were kept, and from there on.
            let (begin, at) = (given.now.lesson.begin, first.met.first);
            let mut seconds = past.silence(module.last, begin.min(at)).watched;
            seconds = seconds.saturating_add(u64::try_from(at.since(begin.max(module.last)).0 / 1_000_000).unwrap_or(0));
            let usual = module.quiet.clone();
            slept.push(Slept { subject: first.subject, from: module.last, to: at, seconds, usual, talks, days, woke: &woke });
        }
        for wake in wakes {
            slept.push(within(wake, wakes, module, &slept));
        }
        if talks.max(wakes.iter().map(|w| w.talks).max().unwrap_or(0)) >= TALKS {
            let all = now.lesson.modules.get(who).map_or(0, |m| m.talks);
            tally.judged = tally.judged.saturating_add(all);
        }
        out.extend(slept.iter().filter_map(|slept| alert(slept, who, given, sessions)));
    }
    (out, tally)
}

/// A silence inside of this trace.
fn within<'a>(wake: &'a Wake, all: &[Wake], module: Option<&Module>, before: &[Slept<'_>]) -> Slept<'a> {
    let seconds = |w: &Wake| u64::try_from(w.to.since(w.from).0 / 1_000_000).unwrap_or(0);
    let mut usual = module.map(|m| m.quiet.clone()).unwrap_or_default();
    usual.extend(all.iter().filter(|w| w.to <= wake.from).map(seconds));
    usual.extend(before.iter().filter(|s| s.to <= wake.from && s.seconds >= 3600).map(|s| s.seconds));
    usual.sort_unstable_by(|a, b| b.cmp(a));
    usual.truncate(TIMES as usize);
    let (talks, days) = module.map_or((0, 0), |m| (m.talks, m.days));
    Slept {
        subject: wake.subject,
        from: wake.from,
        to: wake.to,
        seconds: seconds(wake),
        usual,
        talks: talks.saturating_add(wake.talks),
        days: days.saturating_add(wake.days),
        woke: &wake.woke,
    }
}

/// How usual a destination is before a time: its share of the conversations.
fn share(what: &str, who: &Who, given: &Given, before: Micros, talks: u64) -> f64 {
    let past = given.past.modules.get(who).and_then(|m| m.to.get(what)).map_or(0, |met| met.talks);
    let now = given.now.contacts.get(who).into_iter().flatten().filter(|c| *c.what == *what && c.met.first < before);
    // What began before the silence was met at least once then; how often is known of all of it together.
    let now = now.map(|c| c.met.talks).fold(0, u64::saturating_add);
    past.saturating_add(now) as f64 / talks.max(1) as f64
}

/// Whether a short message is on record right before it woke.
fn message(slept: &Slept<'_>, given: &Given, sessions: &Sessions) -> String {
    if !given.messages.is_given() {
        return "Whether a short message woke it is not known: no records of any were given (--sms)".to_owned();
    }
    let Subject::Session(id) = slept.subject else {
        return "Whether a short message woke it is not known: whose its address is, is not".to_owned();
    };
    let all = sessions.get(id).map(|session| given.messages.of(session)).unwrap_or_default();
    let before = |message: &&Message<'_>| message.at <= slept.to && slept.to.since(message.at) <= BEHIND;
    match all.iter().rev().find(before) {
        // With its number it stands in `after-message`.
        Some(message) => format!("A short message to it is on record, {} before it spoke", span(slept.to.since(message.at))),
        None => "No short message to it is on record in the two minutes before it spoke".to_owned(),
    }
}

fn alert(slept: &Slept<'_>, who: &Who, given: &Given, sessions: &Sessions) -> Option<Alert> {
    let usual = middle(slept.usual.clone());
    let least = LEAST.max(usual.saturating_mul(TIMES));
    if slept.talks < TALKS || slept.days < DAYS || slept.seconds <= least {
        return None;
    }
    let (what, name, frame) = slept.woke.iter().find(|(what, ..)| share(what, who, given, slept.to, slept.talks) < RARE)?;
    let share = share(what, who, given, slept.to, slept.talks);
    let hours = |seconds: u64| seconds as f64 / 3600.0;
    let usually = match usual {
        0 => "It was never silent for an hour before".to_owned(),
        n => format!("The middle of its longest silences before is {:.1} hours", hours(n)),
    };
    Some(Alert {
        about: &ABOUT,
        subject: slept.subject,
        peer: Some(name.clone()),
        ends: Ends::Peer,
        severity: if share <= 0.0 { Severity::High } else { Severity::Medium },
        score: 1.0 - least as f64 / slept.seconds.max(1) as f64 / 2.0,
        terms: vec![
            Term { term: "silent_hours", value: hours(slept.seconds), threshold: hours(least) },
            Term { term: "usual_hours", value: hours(usual), threshold: 0.0 },
            Term { term: "share_of_destination", value: share, threshold: RARE },
        ],
        reason: Reason {
            did: format!("was silent for {:.1} hours, and then spoke with {name}", hours(slept.seconds)),
            more: vec![
                usually,
                match share {
                    s if s <= 0.0 => "It never spoke with that before it fell silent".to_owned(),
                    s => format!("Of its {} conversations before {:.1} % were with that", slept.talks, s * 100.0),
                },
                message(slept, given, sessions),
            ],
            remedies: vec![
                "Ask the operator what was sent to the device before it woke (short messages, paging)".to_owned(),
                "Let the device reach only what it needs (its learnt destinations), and drop the rest at the gateway".to_owned(),
            ],
            clears_when: "It is known what woke the device, or why it was off".to_owned(),
            stake: None,
        },
        threats: &["surveillance", "disruption"],
        first: slept.from,
        at: slept.to,
        last: slept.to,
        flows: 1,
        frames: (*frame, *frame),
    })
}

impl Detector for Quiet {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn found(&self, given: &Given, trace: Trace<'_>) -> Vec<Alert> {
        judge(given, trace.sessions).0
    }

    // What it needs is gathered for all.
    fn hears(&self) -> Hears {
        Hears::NOTHING
    }

    fn tally(&self, given: &Given, trace: Trace<'_>) -> Tally {
        judge(given, trace.sessions).1
    }

    fn both(&self, given: &Given, trace: Trace<'_>) -> (Vec<Alert>, Tally) {
        judge(given, trace.sessions)
    }
}
