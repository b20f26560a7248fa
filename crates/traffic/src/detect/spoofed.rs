//! `spoofed-source`: packets in a module's tunnel under addresses that are none of its own.
//!
//! Which addresses a module has is what signalling said, the prefix of version 6 with all that is in it. What a router behind the module
//! forgets to translate, and the last packets under an address that the same card had before, are such packets too: the first is told of as what
//! it looks like, the second is left out.

use std::collections::BTreeSet;

use hashbrown::{HashMap, HashSet};
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::sieve::{Distinct, digest};
use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Subject, Tally, Term, Trace, is_inside};
use crate::cellular::Ue;
use crate::cellular::sessions::{Id, Session, Sessions};
use crate::flow::{Event, Flow};
use crate::lists::Expected;
use crate::names::Words;
use crate::packet::Addr;
use crate::time::Micros;

const ABOUT: About = About {
    code: "spoofed-source",
    version: 1,
    needs: "tunnels of modules, and the signalling that gives them addresses",
    basis: Basis::Observed,
};

/// Packets from which it is told.
const PACKETS: u64 = 20;
/// Different sources from which they are rather made up.
const SOURCES: u64 = 10;
/// Sources that are named.
const NAMED: usize = 4;
/// Modules at once.
const MODULES: usize = 1 << 16;

#[derive(Debug)]
struct Sent {
    packets: u64,
    bytes: u64,
    /// Packets whose source is of no network of one's own.
    public: u64,
    sources: Distinct,
    destinations: Distinct,
    named: BTreeSet<Addr>,
    first: Micros,
    told: Option<Micros>,
    last: Micros,
    frames: (u64, u64),
    flows: u64,
}

/// See above.
#[derive(Debug, Default)]
pub(super) struct Spoofed {
    /// By module and the declared network that the sources stand in: whose that network is shows at the end.
    modules: HashMap<(Id, Option<Ue>), Box<Sent>>,
    tally: Tally,
}

/// What says whose a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whose<'a> {
    Imsi(&'a str),
    Imei(&'a str),
}

fn whose(session: &Session) -> impl Iterator<Item = Whose<'_>> {
    session.imsi.as_deref().map(Whose::Imsi).into_iter().chain(session.imei.as_deref().map(Whose::Imei))
}

/// Whose each address is, and was: of every session at once.
#[derive(Debug, Default)]
struct Holders<'a> {
    /// The session that had it first, and whether another had it too.
    sessions: HashMap<Ue, (Id, bool)>,
    /// What each card and module had in any session.
    had: HashSet<(Whose<'a>, Ue)>,
    /// Lengths of the prefixes in them, each once.
    lengths: Vec<u8>,
}

impl<'a> Holders<'a> {
    fn of(sessions: &'a Sessions) -> Self {
        let mut all = Self::default();
        for (id, session) in sessions.iter() {
            for ue in &session.ue {
                if !all.lengths.contains(&ue.bits) {
                    all.lengths.push(ue.bits);
                }
                let (first, more) = all.sessions.entry(*ue).or_insert((id, false));
                *more |= *first != id;
                all.had.extend(whose(session).map(|whose| (whose, *ue)));
            }
        }
        all
    }

    /// What an address may stand in.
    fn within(&self, addr: Addr) -> impl Iterator<Item = Ue> {
        self.lengths.iter().map(move |bits| Ue::v6(addr.0, *bits))
    }

    /// Whether a module may send under an address that signalling did not give it in this session.
    fn may_send(&self, session: &Session, addr: Addr) -> bool {
        let had = |ue: Ue| whose(session).any(|whose| self.had.contains(&(whose, ue)));
        session.ue.iter().any(|ue| ue.holds(addr)) || self.within(addr).any(had)
    }

    /// Whether another session had an address.
    fn is_of_another(&self, id: Id, addr: Addr) -> bool {
        self.within(addr).any(|ue| self.sessions.get(&ue).is_some_and(|(first, more)| *more || *first != id))
    }
}

impl Spoofed {
    fn sent(&mut self, id: Id, flow: &Flow, expected: &Expected, over: bool) {
        let packets = u64::from(flow.fresh().0);
        if packets == 0 {
            return;
        }
        let of = (id, expected.route(flow.key.client));
        if self.modules.len() >= MODULES && !self.modules.contains_key(&of) {
            self.tally.forgotten = self.tally.forgotten.saturating_add(1);
            return;
        }
        let sent = self.modules.entry(of).or_insert_with(|| {
            Box::new(Sent {
                packets: 0,
                bytes: 0,
                public: 0,
                sources: Distinct::new(32),
                destinations: Distinct::new(32),
                named: BTreeSet::new(),
                first: flow.start,
                told: None,
                last: flow.last,
                frames: (flow.first_frame, flow.last_frame),
                flows: 0,
            })
        });
        let key = flow.key;
        sent.packets = sent.packets.saturating_add(packets);
        sent.bytes = sent.bytes.saturating_add(flow.up.bytes / flow.up.packets.max(1) * packets);
        sent.public = sent.public.saturating_add(if is_inside(key.client) { 0 } else { packets });
        sent.sources.see(digest(key.client));
        sent.destinations.see(digest(key.server));
        if sent.named.len() < NAMED {
            sent.named.insert(key.client);
        }
        sent.first = sent.first.min(flow.start);
        sent.last = sent.last.max(flow.last);
        sent.frames = (sent.frames.0.min(flow.first_frame), sent.frames.1.max(flow.last_frame));
        sent.flows = sent.flows.saturating_add(over.into());
        if sent.packets >= PACKETS {
            sent.told.get_or_insert(flow.last);
        }
    }
}

impl Sent {
    fn alert(&self, id: Id, sessions: &Sessions, holders: &Holders<'_>) -> Option<Alert> {
        let at = self.told?;
        let session = sessions.get(id)?;
        let (sources, destinations) = (self.sources.count().max(1), self.destinations.count().max(1));
        // Those that are named are all of them.
        let few = sources <= NAMED as u64 && self.named.len() < NAMED;
        if few && self.named.iter().all(|addr| holders.may_send(session, *addr)) {
            return None;
        }
        let others = self.named.iter().any(|addr| holders.is_of_another(id, *addr));
        let named: Vec<String> = self.named.iter().map(|addr| addr.ip().to_string()).collect();
        let private = self.public == 0;
        let mut more = vec![format!("Its sources are such as {}", named.join(", "))];
        if others {
            more.push("Some of them are addresses of other modules".to_owned());
        } else if private {
            more.push("All of them are of private networks: a router behind the module may have failed to translate them".to_owned());
        }
        let severity = match () {
            () if others || !private && sources >= SOURCES => Severity::High,
            () if !private => Severity::Medium,
            () => Severity::Low,
        };
        Some(Alert {
            about: &ABOUT,
            subject: Subject::Session(id),
            peer: None,
            ends: Ends::Peer,
            severity,
            score: 1.0 - 0.5 * PACKETS as f64 / self.packets.max(PACKETS) as f64,
            terms: vec![
                Term { term: "packets", value: self.packets as f64, threshold: PACKETS as f64 },
                Term { term: "sources", value: sources as f64, threshold: 0.0 },
                Term { term: "destinations", value: destinations as f64, threshold: 0.0 },
            ],
            reason: Reason {
                did: format!(
                    "sent {} packets ({} bytes) under {} addresses that are none of its own, to {}",
                    self.packets,
                    self.bytes,
                    self.sources.told(),
                    self.destinations.told()
                ),
                more,
                remedies: vec![
                    "If a network lies behind the module, declare it; else let the gateway drop what comes under other addresses (BCP 38)"
                        .to_owned(),
                    "Look at the device behind the module: what runs on it, and who can sign in".to_owned(),
                ],
                clears_when: "The addresses are known to lie behind the module, or it sends under none but its own for a week".to_owned(),
                stake: None,
            },
            threats: &["disruption"],
            first: self.first,
            at,
            last: self.last,
            flows: self.flows.max(1),
            frames: self.frames,
        })
    }
}

impl Detector for Spoofed {
    fn hears(&self) -> Hears {
        Hears::ACTIVE.and(Hears::END)
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, given: &Given, _: &Words) {
        let (flow, over) = match event {
            Event::Active(flow) => (flow, false),
            Event::End(flow, _) => (flow, true),
            _ => return,
        };
        if let Some(id) = flow.stranger
            && !flow.inbound
        {
            return self.sent(id, flow, &given.expected, over);
        }
        // What is in no tunnel of a module that is known is none of its business.
        if over && flow.session.is_some() {
            self.tally.judged = self.tally.judged.saturating_add(1);
        }
    }

    fn found(&self, given: &Given, trace: Trace<'_>) -> Vec<Alert> {
        // Framed routes: RFC 2865, 5.22.
        let own = |id: Id, network: Ue| trace.sessions.get(id).is_some_and(|s| given.expected.is_routed(s, network.addr));
        let strange = self.modules.iter().filter(|((id, network), _)| !network.is_some_and(|network| own(*id, network)));
        let holders = if self.modules.is_empty() { Holders::default() } else { Holders::of(trace.sessions) };
        strange.filter_map(|((id, _), sent)| sent.alert(*id, trace.sessions, &holders)).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        let told = self.modules.values().fold(0, |sum: u64, sent| sum.saturating_add(sent.flows));
        Tally { judged: self.tally.judged.saturating_add(told), ..self.tally }
    }
}
