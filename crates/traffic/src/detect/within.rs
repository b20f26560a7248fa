//! `device-to-device`: two modules on one private network that speak with each other.
//!
//! Devices of an organisation have one other end, the organisation: whoever takes one over goes on from it to the next. Told of where the
//! other end's address was that of another session on the same network (APN) at that time, and it was answered. A pair that is meant to
//! speak is written down as expected.

use hashbrown::HashMap;
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Span, Subject, Tally, Term, Trace, for_many, is_inside};
use crate::cellular::sessions::Id;
use crate::flow::{Event, Flow};
use crate::names::{Role, Words};
use crate::packet::Addr;

const ABOUT: About = About { code: "device-to-device", version: 1, needs: "sessions and their addresses", basis: Basis::Observed };

/// Pairs at once.
const PAIRS: usize = 1 << 16;
/// Ports of one pair that are named.
const PORTS: usize = 8;

#[derive(Clone, Debug)]
struct Pair {
    answered: u64,
    bytes: u64,
    control: bool,
    ports: Vec<u16>,
    span: Span,
}

/// See above.
#[derive(Clone, Debug, Default)]
pub(super) struct Within {
    /// Who began, and with whom.
    pairs: HashMap<(Id, Addr), Pair>,
    /// The same of version 6.
    six: HashMap<(Id, Addr), Pair>,
    tally: Tally,
}

impl Within {
    fn end(&mut self, flow: &Flow) {
        // The conversation is seen at both ends: that of who began counts.
        let Some(id) = flow.session.filter(|_| !flow.inbound) else { return };
        self.tally.judged = self.tally.judged.saturating_add(1);
        // Prefixes of modules are global more often than not: of version 6 any address may be a module's, and so each has its own bound.
        let six = !flow.key.server.is_v4();
        if !six && !is_inside(flow.key.server) || for_many(flow.key.server) {
            return;
        }
        let key = (id, flow.key.server);
        let pairs = if six { &mut self.six } else { &mut self.pairs };
        if pairs.len() >= PAIRS && !pairs.contains_key(&key) {
            self.tally.forgotten = self.tally.forgotten.saturating_add(1);
            return;
        }
        let pair =
            pairs.entry(key).or_insert_with(|| Pair { answered: 0, bytes: 0, control: false, ports: Vec::new(), span: Span::new(flow) });
        pair.answered = pair.answered.saturating_add((flow.heard() == Some(true)).into());
        pair.bytes = pair.bytes.saturating_add(flow.up.bytes).saturating_add(flow.down.bytes);
        pair.control |= flow.names.role == Some(Role::Control);
        pair.span.ends(flow);
        if pair.ports.len() < PORTS && !pair.ports.contains(&flow.key.server_port) {
            pair.ports.push(flow.key.server_port);
        }
    }
}

impl Detector for Within {
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

    fn copy(&self) -> Option<Box<dyn Detector>> {
        Some(Box::new(self.clone()))
    }

    fn found(&self, _: &Given, trace: Trace<'_>) -> Vec<Alert> {
        let mut of: HashMap<Addr, Vec<Id>> = HashMap::new();
        let mut prefixes = Vec::new();
        for (id, session) in trace.sessions.iter() {
            for ue in &session.ue {
                if ue.bits == 128 {
                    of.entry(ue.addr).or_default().push(id);
                } else {
                    prefixes.push((*ue, id));
                }
            }
        }
        let mut out = Vec::new();
        for ((id, server), pair) in self.pairs.iter().chain(&self.six) {
            let Some(own) = trace.sessions.get(*id) else { continue };
            let same = |other: &Id| {
                let there = |s: &crate::cellular::sessions::Session| {
                    own.apn.is_some() && s.apn == own.apn && s.first <= pair.span.last && s.last >= pair.span.first
                };
                other != id && trace.sessions.get(*other).is_some_and(there)
            };
            let exact = of.get(server).and_then(|all| all.iter().find(|other| same(other)));
            let other = exact.or_else(|| prefixes.iter().find(|(ue, other)| ue.holds(*server) && same(other)).map(|(_, other)| other));
            if other.is_some() && pair.answered > 0 {
                out.push(alert(*id, *server, pair));
            }
        }
        out
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}

fn alert(id: Id, server: Addr, pair: &Pair) -> Alert {
    let ports = pair.ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let more = if pair.control { vec!["An industrial protocol commanded in it".to_owned()] } else { Vec::new() };
    Alert {
        about: &ABOUT,
        subject: Subject::Session(id),
        peer: Some(server.ip().to_string()),
        ends: Ends::Peer,
        severity: if pair.control { Severity::High } else { Severity::Medium },
        score: 1.0,
        terms: vec![Term { term: "answered", value: pair.answered as f64, threshold: 1.0 }],
        reason: Reason {
            did: format!(
                "spoke with another module on the same network, {}: {} conversations, {} answered, {} bytes, port {ports}",
                server.ip(),
                pair.span.flows,
                pair.answered,
                pair.bytes
            ),
            more,
            remedies: vec![
                "Have the operator keep the modules of this network from reaching one another".to_owned(),
                "Write the pair down as expected, if they are meant to speak".to_owned(),
            ],
            clears_when: "No module reaches another any more, or it is written down that these two may".to_owned(),
            stake: None,
        },
        threats: &["disruption"],
        first: pair.span.first,
        at: pair.span.first,
        last: pair.span.last,
        flows: pair.span.flows,
        frames: pair.span.frames,
    }
}
