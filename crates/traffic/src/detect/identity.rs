//! `identity-change`: sessions that cannot all be what they say.
//!
//! Beside it, where an estate is written down: modules of a kind that it does not have.
//!
//! A SIM that is in another module than before; one IMEI under two SIMs at once; a SIM that has two addresses of one kind at once on one
//! network. Two kinds of addresses (dual stack), several networks (APNs) at once and another SIM in the same module one after the other
//! (profiles of an eSIM) are normal. A session whose end was lost is over with its last packet.

use std::collections::{BTreeMap, BTreeSet};

use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Stake, Subject, Tally, Term, Trace};
use crate::cellular::sessions::{Id, Session};
use crate::lists::To;
use crate::packet::Addr;
use crate::time::Micros;

const ABOUT: About =
    About { code: "identity-change", version: 2, needs: "signalling that names SIMs, modules and addresses", basis: Basis::Observed };

/// Sessions that overlap by less are one that moves: a new one is set up before the old one is let go.
const TOGETHER: Micros = Micros::seconds(60);

/// See above.
#[derive(Debug)]
pub(super) struct Identity;

/// For how long two sessions were there at once.
fn together(a: &Session, b: &Session) -> Micros {
    a.last.min(b.last).since(a.first.max(b.first))
}

/// Without what is behind the serial number.
fn body(session: &Session) -> Option<&str> {
    session.imei.as_deref()?.get(..14)
}

struct Found<'a> {
    of: (Id, &'a Session),
    other: &'a Session,
    /// What the other has: several of one session are told apart by it.
    peer: String,
    ends: Ends,
    did: String,
    severity: Severity,
    terms: Vec<Term>,
    remedy: &'static str,
}

impl Found<'_> {
    fn alert(self) -> Alert {
        let (id, session) = self.of;
        Alert {
            about: &ABOUT,
            subject: Subject::Session(id),
            peer: Some(self.peer),
            ends: self.ends,
            severity: self.severity,
            score: 1.0,
            terms: self.terms,
            reason: Reason {
                did: self.did,
                more: vec![format!(
                    "One was there from {} to {}, the other from {} to {}",
                    self.other.first, self.other.last, session.first, session.last
                )],
                remedies: vec![
                    self.remedy.to_owned(),
                    "Bind the SIM to the IMEI at the operator, so that it works in this module alone".to_owned(),
                ],
                clears_when: "It is known who changed the card or the module and why, or the operator confirms the sessions".to_owned(),
                stake: None,
            },
            threats: &["surveillance", "disruption"],
            first: session.first,
            at: session.first,
            last: session.last,
            flows: session.flows,
            frames: (0, 0),
        }
    }
}

/// A SIM that is in another module than before: told of the session in which it is.
fn moved<'a>(of: &[(Id, &'a Session)]) -> Vec<Found<'a>> {
    let mut out = Vec::new();
    let mut before: Option<&Session> = None;
    for &(id, session) in of.iter().filter(|(_, s)| s.imei.is_some()) {
        if let Some(other) = before
            && body(other) != body(session)
        {
            let tac = |s: &Session| body(s).and_then(|b| b.get(..8)).map(str::to_owned).unwrap_or_default();
            let kind = tac(other) != tac(session);
            let what = if kind { "of another kind" } else { "of the same kind" };
            out.push(Found {
                of: (id, session),
                other,
                peer: format!("IMEI {}", other.imei.as_deref().unwrap_or_default()),
                ends: Ends::Peer,
                did: format!(
                    "has a SIM that was in another module {what} before: IMEI {}, now {}",
                    other.imei.as_deref().unwrap_or_default(),
                    session.imei.as_deref().unwrap_or_default()
                ),
                severity: if kind { Severity::High } else { Severity::Medium },
                terms: vec![Term { term: "other_kind", value: f64::from(u8::from(kind)), threshold: 1.0 }],
                remedy: "Look at the device that the SIM belongs to: whether the card is still in it",
            });
        }
        before = Some(session);
    }
    out
}

/// Two addresses of one kind at once, on one network.
fn doubled<'a>(of: &[(Id, &'a Session)]) -> Vec<Found<'a>> {
    let kinds = |s: &Session, v4: bool| s.ue.iter().filter(|ue| ue.addr.is_v4() == v4).map(|ue| ue.addr).collect::<Vec<Addr>>();
    let (mut out, mut open) = (Vec::new(), Vec::<&Session>::new());
    for &(id, session) in of {
        open.retain(|s| s.last.since(session.first) > TOGETHER);
        let other = open.iter().rev().copied().find(|other| {
            if session.apn.is_none() || session.apn != other.apn || together(session, other) <= TOGETHER {
                return false;
            }
            [true, false].into_iter().any(|v4| {
                let (a, b) = (kinds(session, v4), kinds(other, v4));
                !a.is_empty() && !b.is_empty() && a.iter().all(|addr| !b.contains(addr))
            })
        });
        open.push(session);
        let Some(other) = other else { continue };
        let seconds = together(session, other).0 / 1_000_000;
        let list = |s: &Session| s.ue.iter().map(|ue| ue.addr.ip().to_string()).collect::<Vec<_>>().join(", ");
        out.push(Found {
            of: (id, session),
            other,
            peer: list(other),
            ends: Ends::All(other.ue.clone()),
            did: format!(
                "has a SIM that had another address on the same network at the same time, for {seconds} seconds: {} and {}",
                list(other),
                list(session)
            ),
            severity: Severity::High,
            terms: vec![Term { term: "seconds_at_once", value: seconds as f64, threshold: (TOGETHER.0 / 1_000_000) as f64 }],
            remedy: "Ask the operator whether the SIM is in use twice",
        });
    }
    out
}

/// One IMEI under two SIMs at once.
fn twice<'a>(of: &[(Id, &'a Session)]) -> Vec<Found<'a>> {
    let mut out = Vec::new();
    for (n, &(id, session)) in of.iter().enumerate() {
        let other = of
            .iter()
            .take(n)
            .rev()
            .map(|(_, s)| *s)
            .find(|o| o.imsi != session.imsi && o.imsi.is_some() && together(session, o) > TOGETHER);
        let Some(other) = other.filter(|_| session.imsi.is_some()) else { continue };
        let seconds = together(session, other).0 / 1_000_000;
        out.push(Found {
            of: (id, session),
            other,
            peer: "another SIM".to_owned(),
            ends: Ends::Peer,
            did: format!(
                "says the IMEI {}, which another SIM said at the same time, for {seconds} seconds",
                session.imei.as_deref().unwrap_or_default()
            ),
            severity: Severity::High,
            terms: vec![Term { term: "seconds_at_once", value: seconds as f64, threshold: (TOGETHER.0 / 1_000_000) as f64 }],
            remedy: "Find both devices: one of them says an IMEI that is not its own",
        });
    }
    out
}

/// Modules of kinds that are none of the estate's: of each kind one, told of the first session.
fn strange(modules: &BTreeMap<&str, Vec<(Id, &Session)>>, given: &Given) -> Vec<Alert> {
    let expected = &given.expected;
    let mut kinds = BTreeMap::<&str, Vec<(Id, &Session)>>::new();
    for (imei, sessions) in modules {
        let tac = imei.get(..8).filter(|tac| !expected.tacs.is_empty() && !expected.tacs.contains(*tac));
        tac.into_iter().for_each(|tac| kinds.entry(tac).or_default().extend(sessions));
    }
    let alert = |(tac, all): (&str, Vec<(Id, &Session)>)| {
        // A rule for one card is none for the others of its kind; where there is one for each, the last tells under which.
        let is_known = |s: &Session| expected.allows(ABOUT.code, |scope| scope.has(s), To::Unknown, s.last).is_some();
        let told: Vec<(Id, &Session)> = all.iter().filter(|(_, s)| !is_known(s)).copied().collect();
        let (of, subject) = match told.iter().min_by_key(|(id, s)| (s.first, *id)) {
            Some(first) => (&told, *first),
            None => (&all, *all.iter().max_by_key(|(id, s)| (s.last, *id))?),
        };
        Some(kind(tac, subject, of))
    };
    kinds.into_iter().filter_map(alert).collect()
}

/// A kind by those of its sessions that count, told of one of them.
fn kind(tac: &str, (id, session): (Id, &Session), of: &[(Id, &Session)]) -> Alert {
    let modules: BTreeSet<&str> = of.iter().filter_map(|(_, s)| body(s)).collect();
    let cards: BTreeSet<&str> = of.iter().filter_map(|(_, s)| s.imsi.as_deref()).collect();
    let sum = |what: fn(&Session) -> u64| of.iter().fold(0, |sum: u64, (_, s)| sum.saturating_add(what(s)));
    let flows = sum(|s| s.flows);
    let term = |term, value: usize| Term { term, value: value as f64, threshold: 1.0 };
    Alert {
        about: &ABOUT,
        subject: Subject::Session(id),
        peer: Some(format!("TAC {tac}")),
        ends: Ends::More,
        // What only signs on may have been put in for a moment.
        severity: if flows > 0 { Severity::Medium } else { Severity::Low },
        score: 1.0,
        terms: vec![term("modules", modules.len()), term("sessions", of.len()), term("cards", cards.len())],
        reason: Reason {
            did: format!(
                "says an IMEI of the kind {tac} (type allocation code), which is none of those that the estate is written down to have"
            ),
            more: vec![
                format!("{} modules of this kind were met, in {} sessions with {} cards", modules.len(), of.len(), cards.len()),
                "A module says its IMEI itself: the kind is what it says".to_owned(),
            ],
            remedies: vec![
                "Look which device the card belongs to, and what is in it".to_owned(),
                "Write the kind down, if it was bought; else bind the cards to their modules at the operator".to_owned(),
            ],
            clears_when: "The kind stands in the estate, or no module of it comes any more".to_owned(),
            stake: Some(Stake::Equipment),
        },
        threats: &["surveillance", "disruption"],
        first: of.iter().map(|(_, s)| s.first).min().unwrap_or(session.first),
        at: session.first,
        last: of.iter().map(|(_, s)| s.last).max().unwrap_or(session.last),
        flows,
        frames: (0, 0),
    }
}

impl Detector for Identity {
    fn hears(&self) -> Hears {
        Hears::NOTHING
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn found(&self, given: &Given, trace: Trace<'_>) -> Vec<Alert> {
        let (mut sims, mut modules) = (BTreeMap::<&str, Vec<(Id, &Session)>>::new(), BTreeMap::<&str, Vec<(Id, &Session)>>::new());
        for (id, session) in trace.sessions.iter().filter(|(_, s)| s.heard) {
            session.imsi.as_deref().into_iter().for_each(|imsi| sims.entry(imsi).or_default().push((id, session)));
            // Placeholders that many say are a finding of the audit, and no clones.
            let known = body(session).filter(|b| !b.bytes().all(|d| d == b'0'));
            known.into_iter().for_each(|imei| modules.entry(imei).or_default().push((id, session)));
        }
        let mut out = Vec::new();
        for of in sims.values_mut() {
            of.sort_by_key(|(id, s)| (s.first, *id));
            out.extend(moved(of).into_iter().chain(doubled(of)).map(Found::alert));
        }
        for of in modules.values_mut() {
            of.sort_by_key(|(id, s)| (s.first, *id));
            out.extend(twice(of).into_iter().map(Found::alert));
        }
        out.extend(strange(&modules, given));
        out
    }

    fn tally(&self, _: &Given, trace: Trace<'_>) -> Tally {
        let mut tally = Tally::default();
        for (_, session) in trace.sessions.iter().filter(|(_, s)| s.heard) {
            let known = session.imsi.is_some() || session.imei.is_some();
            let count = if known { &mut tally.judged } else { &mut tally.blind };
            *count = count.saturating_add(session.flows);
        }
        tally
    }
}
