//! `vendor-cloud`: a conversation with an endpoint of which the knowledge base knows whose it is: a maker of modules or of their silicon.
//!
//! It is no fault. It says who can be spoken with by what is in the device, apart from what the device itself was bought for, and under
//! whose law that operator stands. One finding is one endpoint that one module or address spoke with.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Span, Subject, Tally, Term, Trace, who};
use crate::flow::{Event, Flow};
use crate::names::{App, Word, Words, without_port};

const ABOUT: About = About { code: "vendor-cloud", version: 1, needs: "names of servers", basis: Basis::Observed };

/// Endpoints that somebody spoke with, at once.
const MET: usize = 1 << 16;

/// Names of which that is kept.
const NAMES: usize = 1 << 17;

#[derive(Clone, Debug)]
struct Met {
    answered: bool,
    /// Without a protocol that hides what is said.
    open: bool,
    up: u64,
    down: u64,
    span: Span,
}

/// See above.
#[derive(Clone, Debug, Default)]
pub(super) struct Cloud {
    met: BTreeMap<(Subject, Box<str>), Met>,
    /// Whether the knowledge base has a name.
    known: HashMap<Word, bool>,
    tally: Tally,
}

/// The name of the server of a conversation: as it was asked for there, else the one that led to it. A conversation of DNS is with a
/// resolver.
pub(super) fn server<'w>(flow: &Flow, words: &'w Words) -> Option<&'w str> {
    named(flow).map(|word| without_port(words.get(word)))
}

fn named(flow: &Flow) -> Option<Word> {
    let led = flow.names.dns.filter(|_| flow.names.app != Some(App::Dns));
    flow.names.sni.or(flow.names.host).or(led)
}

/// Whether anybody on the way can read what is said.
pub(super) fn is_open(flow: &Flow) -> bool {
    matches!(flow.names.app, Some(App::Http | App::Mqtt | App::Coap | App::Lwm2m)) && flow.names.sni.is_none()
}

impl Cloud {
    fn end(&mut self, flow: &Flow, given: &Given, words: &Words) {
        let Some(word) = named(flow) else { return };
        self.tally.judged = self.tally.judged.saturating_add(1);
        if self.known.len() >= NAMES {
            self.known.clear();
        }
        // Most names are nobody's that is known, and come again.
        let name = without_port(words.get(word));
        if !*self.known.entry(word).or_insert_with(|| given.operators.named(name).is_some()) {
            return;
        }
        let Some((domain, _)) = given.operators.named(name) else { return };
        let key = (who(flow), Box::from(domain));
        if self.met.len() >= MET && !self.met.contains_key(&key) {
            self.tally.forgotten = self.tally.forgotten.saturating_add(1);
            return;
        }
        let met = self.met.entry(key).or_insert_with(|| Met { answered: false, open: false, up: 0, down: 0, span: Span::new(flow) });
        met.answered |= flow.heard() == Some(true);
        met.open |= is_open(flow);
        met.up = met.up.saturating_add(flow.up.bytes);
        met.down = met.down.saturating_add(flow.down.bytes);
        met.span.ends(flow);
    }
}

impl Detector for Cloud {
    fn hears(&self) -> Hears {
        Hears::END
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, given: &Given, words: &Words) {
        if let Event::End(flow, _) = event {
            self.end(flow, given, words);
        }
    }

    fn copy(&self) -> Option<Box<dyn Detector>> {
        Some(Box::new(self.clone()))
    }

    fn found(&self, given: &Given, _: Trace<'_>) -> Vec<Alert> {
        let alert = |((subject, domain), met): (&(Subject, Box<str>), &Met)| {
            let (_, endpoint) = given.operators.named(domain)?;
            let operator = endpoint.operator.as_ref();
            let mut more = vec![match operator {
                Some(o) => match &o.country {
                    Some(country) => format!("{domain} is {}, operated by {} under the law of {country}", endpoint.what, o.name),
                    None => format!("{domain} is {}, operated by {}", endpoint.what, o.name),
                },
                None => format!("{domain} is {}", endpoint.what),
            }];
            if met.open {
                more.push("What was said can be read, and changed, by anybody on the way".to_owned());
            }
            Some(Alert {
                about: &ABOUT,
                subject: *subject,
                peer: Some(domain.to_string()),
                ends: Ends::Peer,
                severity: match (endpoint.maker, met.open) {
                    (true, true) => Severity::Medium,
                    (true, false) => Severity::Low,
                    // Maps of satellites and the time are fetched from makers of silicon by every telephone.
                    (false, _) => Severity::Info,
                },
                score: 1.0,
                terms: vec![Term { term: "conversations", value: met.span.flows as f64, threshold: 1.0 }],
                reason: Reason {
                    did: format!(
                        "{} {domain}: {} conversations, {} bytes up, {} down",
                        if met.answered { "spoke with" } else { "tried to speak with" },
                        met.span.flows,
                        met.up,
                        met.down
                    ),
                    more,
                    remedies: vec![
                        "Ask the maker what is sent there, and switch it off if it is not needed".to_owned(),
                        "Let the device reach only what it was bought for".to_owned(),
                    ],
                    clears_when: "The device no longer speaks with it, or it is written down as expected".to_owned(),
                    stake: None,
                },
                threats: &["exfiltration"],
                first: met.span.first,
                at: met.span.first,
                last: met.span.last,
                flows: met.span.flows,
                frames: met.span.frames,
            })
        };
        self.met.iter().filter_map(alert).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
