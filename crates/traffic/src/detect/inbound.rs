//! `inbound-control`: somebody came to a module and moved something, or logged in, who never did before.
//!
//! Moved: a command or a write of an industrial protocol among the first payloads. Logged in: SSH, Telnet, VNC or ADB, both sides of
//! which said something. While a module is still being learnt there is no before: then who comes is listed, once each.

use std::collections::BTreeMap;

use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Tally, Term, Trace};
use crate::learn::{Inbound, Peer, is_inside};

const ABOUT: About = About {
    code: "inbound-control",
    version: 1,
    needs: "payloads of industrial protocols, and a module that was watched for 7 days, or a day and 200 conversations",
    basis: Basis::Observed,
};

/// See above.
#[derive(Debug)]
pub(super) struct Control;

fn judge(given: &Given) -> (Vec<Alert>, Tally) {
    let (past, now) = (&given.past, &given.now);
    let mut tally = Tally { blind: now.unseen, forgotten: now.forgotten, ..Tally::default() };
    let mut out = Vec::new();
    // Who came to whom is listed once for each who came.
    let mut listed: BTreeMap<&Peer, Vec<&Inbound>> = BTreeMap::new();
    let (mut still, mut all) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for came in &now.inbound {
        tally.judged = tally.judged.saturating_add(came.met.talks);
        all.insert(&came.who);
        let module = past.modules.get(&came.who);
        if module.is_some_and(|m| m.from.iter().any(|(peer, _)| *peer == came.peer)) {
            continue;
        }
        let first = now.lesson.modules.get(&came.who).map_or(came.met.first, |m| m.first);
        if !past.is_learnt(&came.who, first, came.met.first, came.before) {
            still.insert(&came.who);
            listed.entry(&came.peer).or_default().push(came);
            continue;
        }
        let others = past.modules.iter().filter(|(who, _)| **who != came.who);
        let others = others.filter(|(_, m)| m.from.iter().any(|(peer, _)| *peer == came.peer)).count();
        out.push(alert(came, Known::Learnt { others }));
    }
    for group in listed.values() {
        let Some(first) = group.first() else { continue };
        out.push(alert(first, Known::Learning { more: group.len().saturating_sub(1) }));
    }
    tally.learning = Some((still.len() as u64, all.len() as u64));
    (out, tally)
}

/// What is known of a module.
enum Known {
    /// Enough, and so many others who came from there.
    Learnt { others: usize },
    /// Not yet, and so many others of whom the same is.
    Learning { more: usize },
}

fn alert(came: &Inbound, known: Known) -> Alert {
    let peer = came.from.ip().to_string();
    let (what, of) = came.peer.what.split_once(' ').unwrap_or_default();
    let did = match what {
        "control" => format!("was sent commands in {of} (port {}) by {peer}", came.port),
        _ => format!("let {peer} talk to its {of} (port {})", came.port),
    };
    let mut more = vec![format!("{} conversations: {} bytes from there, {} back", came.met.talks, came.bytes.0, came.bytes.1)];
    if came.control {
        more.push("A command is a write or an operation: what it moves is not judged".to_owned());
    } else {
        more.push("Both sides said something: whether anybody got in is not known".to_owned());
    }
    if !is_inside(came.from) {
        more.push("The address is none of a network of one's own".to_owned());
    }
    let (did, severity, others) = match known {
        Known::Learning { more: others } => {
            more.push("The device is still being learnt: there is no before to hold it against, so it is listed".to_owned());
            if others > 0 {
                more.push(format!("So were {others} others by the same"));
            }
            (did, Severity::Info, 0)
        }
        Known::Learnt { others } => {
            let did = format!("{did}, who never did so before");
            if others > 0 {
                more.push(format!("The same did so to {others} others before"));
                (did, Severity::Low, others)
            } else {
                (did, Severity::High, 0)
            }
        }
    };
    Alert {
        about: &ABOUT,
        subject: came.subject,
        peer: Some(peer),
        ends: Ends::Peer,
        severity,
        score: 1.0,
        terms: vec![
            Term { term: "conversations", value: came.met.talks as f64, threshold: 1.0 },
            Term { term: "others", value: others as f64, threshold: 1.0 },
        ],
        reason: Reason {
            did,
            more,
            remedies: vec![
                "Let only the control centre's addresses reach the device, and drop the rest at the gateway".to_owned(),
                "Ask whoever runs the device whether they did this, then".to_owned(),
            ],
            clears_when: "It is known who came and why; a trace in which it was met teaches the next".to_owned(),
            stake: None,
        },
        threats: &["disruption"],
        first: came.met.first,
        at: came.met.first,
        last: came.met.last,
        flows: came.met.talks,
        frames: came.frames,
    }
}

impl Detector for Control {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn found(&self, given: &Given, _: Trace<'_>) -> Vec<Alert> {
        judge(given).0
    }

    // What it needs is gathered for all.
    fn hears(&self) -> Hears {
        Hears::NOTHING
    }

    fn tally(&self, given: &Given, _: Trace<'_>) -> Tally {
        judge(given).1
    }

    fn both(&self, given: &Given, _: Trace<'_>) -> (Vec<Alert>, Tally) {
        judge(given)
    }
}
