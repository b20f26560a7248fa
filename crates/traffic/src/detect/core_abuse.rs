//! `core-abuse`: protocols by which nodes of a mobile network speak with each other, from inside a module's tunnel.
//!
//! GTP-C, PFCP, GTP-U in GTP-U, Diameter and the radio's signalling are no module's to speak. Whoever reaches them from a tunnel speaks
//! as a node: makes sessions, takes them over, or sends what seems to come from another SIM. A module that is the uplink of a small cell
//! does so as well, and is written down as expected.

use std::collections::BTreeSet;

use hashbrown::HashMap;
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Span, Subject, Tally, Term, Trace};
use crate::flow::{Event, Flow};
use crate::names::Words;
use crate::packet::{Addr, proto};

const ABOUT: About = About { code: "core-abuse", version: 1, needs: "conversations in tunnels", basis: Basis::Inferred };

/// Pairs at once.
const PAIRS: usize = 1 << 14;

/// What is spoken there: IANA's port numbers; TS 29.281, 29.274, 29.244, 36.412, 38.412; RFC 6733.
fn spoken(flow: &Flow) -> Option<&'static str> {
    match (flow.key.proto, flow.key.server_port) {
        (proto::UDP, 2123) => Some("GTP-C"),
        (proto::UDP, 2152) => Some("GTP-U in GTP-U"),
        (proto::UDP, 8805) => Some("PFCP"),
        (proto::SCTP, 36412) => Some("S1AP"),
        (proto::SCTP, 38412) => Some("NGAP"),
        (proto::SCTP | proto::TCP, 3868) => Some("Diameter"),
        _ => None,
    }
}

#[derive(Clone, Debug)]
struct Met {
    packets: u64,
    answered: bool,
    /// What is spoken there.
    spoken: BTreeSet<&'static str>,
    span: Span,
}

/// See above.
#[derive(Clone, Debug, Default)]
pub(super) struct CoreAbuse {
    met: HashMap<(Subject, Addr), Met>,
    tally: Tally,
}

impl CoreAbuse {
    fn end(&mut self, flow: &Flow) {
        let Some(id) = flow.session.or(flow.stranger) else { return };
        self.tally.judged = self.tally.judged.saturating_add(1);
        let Some(what) = spoken(flow).filter(|_| !flow.inbound) else { return };
        let key = (Subject::Session(id), flow.key.server);
        if self.met.len() >= PAIRS && !self.met.contains_key(&key) {
            self.tally.forgotten = self.tally.forgotten.saturating_add(1);
            return;
        }
        let new = Met { packets: 0, answered: false, spoken: BTreeSet::new(), span: Span::new(flow) };
        let met = self.met.entry(key).or_insert(new);
        met.packets = met.packets.saturating_add(flow.packets());
        met.spoken.insert(what);
        met.answered |= flow.heard() == Some(true);
        met.span.ends(flow);
    }
}

impl Detector for CoreAbuse {
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

    fn found(&self, _: &Given, _: Trace<'_>) -> Vec<Alert> {
        let alert = |((subject, server), met): (&(Subject, Addr), &Met)| Alert {
            about: &ABOUT,
            subject: *subject,
            peer: Some(server.ip().to_string()),
            ends: Ends::Peer,
            severity: if met.answered { Severity::High } else { Severity::Medium },
            score: 1.0,
            terms: vec![Term { term: "packets", value: met.packets as f64, threshold: 1.0 }],
            reason: Reason {
                did: format!(
                    "sent to {} at the ports of {} from inside its tunnel: {} packets, {}",
                    server.ip(),
                    met.spoken.iter().copied().collect::<Vec<_>>().join(", "),
                    met.packets,
                    if met.answered { "and was answered" } else { "without an answer" }
                ),
                more: vec![
                    "At these ports nodes of a mobile network speak with each other, and modules do not".to_owned(),
                    "By chance another program may use one of them".to_owned(),
                ],
                remedies: vec![
                    "Have the operator drop packets from tunnels to the addresses of its own nodes".to_owned(),
                    "Look at the device: what runs on it, and who can sign in".to_owned(),
                ],
                clears_when: "It is the uplink of a small cell and that is written down, or no such packet comes any more".to_owned(),
                stake: None,
            },
            threats: &["surveillance", "disruption"],
            first: met.span.first,
            at: met.span.first,
            last: met.span.last,
            flows: met.span.flows,
            frames: met.span.frames,
        };
        self.met.iter().map(alert).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
