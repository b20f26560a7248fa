//! `icmp-tunnel`: echoes that carry something else than an echo does.
//!
//! What programs that ping send is regular, and what comes back is what was sent ([`crate::flow::Close`] looks at each). A tunnel's
//! payload is neither: it holds packets of IP, or changes each time and repeats nothing, or the answer says something else than the
//! question. Sums are those of a pair within five minutes; who pings has none of them and costs nothing.

use hashbrown::HashMap;
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Subject, Tally, Term, Trace, for_many, who};
use crate::cellular::sessions::Id;
use crate::flow::{Counts, Event, Flow, Seen};
use crate::names::Words;
use crate::packet::{Addr, proto};
use crate::time::Micros;

const ABOUT: About = About { code: "icmp-tunnel", version: 1, needs: "what echoes carry", basis: Basis::Inferred };

/// Sums are those of so long.
const WINDOW: Micros = Micros::seconds(300);
const MINUTE: Micros = Micros::seconds(60);
/// Echoes with more than 64 bytes that are odd, and odd ones of any size.
const LARGE: u32 = 20;
const ODD: u32 = 50;
/// Answers that are not what was asked.
const UNEQUAL: u32 = 10;
/// Packets of IP inside.
const INSIDE: u32 = 5;
/// Bytes of odd ones in a minute.
const BYTES: u32 = 10_000;
/// Of records: packets of each way, and how much longer answers are than questions, in bytes each.
const PACKETS: u64 = 20;
const LONGER: u64 = 8;
/// Pairs at once.
const PAIRS: usize = 1 << 14;

/// Both may ask: whoever began, it is the same two.
type Of = (Addr, Addr, Option<Id>);

#[derive(Debug)]
struct Pair {
    /// Who began first, and with whom.
    subject: Subject,
    peer: Addr,
    window: Micros,
    minute: (Micros, u32),
    counts: Counts,
    /// The worst window.
    worst: Counts,
    bytes: u32,
    /// Bytes by which an answer is longer, of records.
    longer: u64,
    first: Micros,
    told: Option<Micros>,
    last: Micros,
    frames: (u64, u64),
    flows: u64,
}

/// See above.
#[derive(Debug, Default)]
pub(super) struct Echo {
    pairs: HashMap<Of, Box<Pair>>,
    tally: Tally,
}

fn add(to: &mut Counts, more: &Counts) {
    to.looked = (to.looked.0.saturating_add(more.looked.0), to.looked.1.saturating_add(more.looked.1));
    to.odd = to.odd.saturating_add(more.odd);
    to.large = to.large.saturating_add(more.large);
    to.odd_bytes = to.odd_bytes.saturating_add(more.odd_bytes);
    to.unequal = to.unequal.saturating_add(more.unequal);
    to.inside = to.inside.saturating_add(more.inside);
}

fn of(flow: &Flow) -> Of {
    let Flow { key, session, .. } = flow;
    (key.client.min(key.server), key.client.max(key.server), *session)
}

fn is_enough(c: &Counts) -> bool {
    c.inside >= INSIDE || c.large >= LARGE || c.unequal >= UNEQUAL || c.odd >= ODD
}

impl Echo {
    fn of_packets(&mut self, flow: &Flow, counts: &Counts) {
        if counts.odd == 0 && counts.unequal == 0 && counts.inside == 0 {
            return;
        }
        let Some(pair) = self.pair(flow) else { return };
        if flow.last.since(pair.window) >= WINDOW {
            (pair.window, pair.counts) = (flow.last, Counts::default());
        }
        if flow.last.since(pair.minute.0) >= MINUTE {
            pair.minute = (flow.last, 0);
        }
        add(&mut pair.counts, counts);
        pair.minute.1 = pair.minute.1.saturating_add(counts.odd_bytes);
        pair.bytes = pair.bytes.max(pair.minute.1);
        if is_enough(&pair.counts) || pair.minute.1 > BYTES {
            pair.told.get_or_insert(flow.last);
        }
        let sum = |c: &Counts| c.inside.saturating_add(c.odd).saturating_add(c.unequal);
        if sum(&pair.counts) > sum(&pair.worst) {
            pair.worst = pair.counts;
        }
    }

    /// Only sizes are known: an answer may be cut short by who answers, but is never longer than the question.
    fn of_record(&mut self, flow: &Flow) {
        let (up, down) = (&flow.up, &flow.down);
        if !flow.seen.has(Seen::COUNTS) || up.packets < PACKETS || down.packets < PACKETS {
            return;
        }
        let longer = (down.bytes / down.packets.max(1)).saturating_sub(up.bytes / up.packets.max(1));
        if longer < LONGER {
            return;
        }
        (self.tally.judged, self.tally.blind) = (self.tally.judged.saturating_add(1), self.tally.blind.saturating_sub(1));
        let Some(pair) = self.pair(flow) else { return };
        pair.longer = pair.longer.max(longer);
        pair.told.get_or_insert(flow.last);
    }

    fn pair(&mut self, flow: &Flow) -> Option<&mut Pair> {
        let of = of(flow);
        if self.pairs.len() >= PAIRS && !self.pairs.contains_key(&of) {
            let before = self.pairs.len();
            self.pairs.retain(|_, pair| pair.told.is_some());
            self.tally.forgotten = self.tally.forgotten.saturating_add(before.saturating_sub(self.pairs.len()) as u64);
            if self.pairs.len() >= PAIRS {
                return None;
            }
        }
        let pair = self.pairs.entry(of).or_insert_with(|| {
            Box::new(Pair {
                subject: who(flow),
                peer: flow.key.server,
                window: flow.start,
                minute: (flow.start, 0),
                counts: Counts::default(),
                worst: Counts::default(),
                bytes: 0,
                longer: 0,
                first: flow.start,
                told: None,
                last: flow.last,
                frames: (flow.first_frame, flow.last_frame),
                flows: 0,
            })
        });
        pair.last = pair.last.max(flow.last);
        pair.frames.1 = pair.frames.1.max(flow.last_frame);
        Some(pair)
    }
}

impl Pair {
    fn alert(&self) -> Option<Alert> {
        let at = self.told?;
        let c = &self.worst;
        let (subject, name) = (self.subject, self.peer.ip());
        let did = if self.longer > 0 {
            format!("was answered by {name} with echoes that are {} bytes longer than what was asked", self.longer)
        } else if c.inside >= INSIDE {
            format!("exchanged echoes with {name} of which {} hold packets of IP", c.inside)
        } else if c.unequal >= UNEQUAL {
            format!("was answered by {name} with {} echoes that say something else than was asked", c.unequal)
        } else {
            format!("exchanged {} echoes with {name} whose content no program that pings sends", c.odd)
        };
        let term = |term, value: u32, threshold: u32| Term { term, value: value.into(), threshold: threshold.into() };
        let mut terms = vec![
            term("packets_inside", c.inside, INSIDE),
            term("large_and_odd", c.large, LARGE),
            term("odd", c.odd, ODD),
            term("unequal", c.unequal, UNEQUAL),
            term("bytes_in_a_minute", self.bytes, BYTES),
        ];
        if self.longer > 0 {
            terms = vec![Term { term: "answers_longer_by", value: self.longer as f64, threshold: LONGER as f64 }];
        }
        // What holds packets is sure; of the rest each measure that is reached makes it surer.
        let reached = terms.iter().filter(|t| t.value >= t.threshold).count() as f64;
        let score = if c.inside >= INSIDE { 0.99 } else { 1.0 - 0.3 / reached.max(1.0) };
        Some(Alert {
            about: &ABOUT,
            subject,
            peer: Some(name.to_string()),
            ends: Ends::Peer,
            severity: Severity::High,
            score,
            terms,
            reason: Reason {
                did,
                more: vec![format!("{} echoes were asked and {} answered within those five minutes", c.looked.0, c.looked.1)]
                    .into_iter()
                    .filter(|_| self.longer == 0)
                    .collect(),
                remedies: vec![
                    "Let the device send echoes only where it needs to, and of at most 64 bytes".to_owned(),
                    "Look at what runs on the device and sends them".to_owned(),
                ],
                clears_when: "It is known which program sends them and what they carry".to_owned(),
                stake: None,
            },
            threats: &["exfiltration"],
            first: self.first,
            at,
            last: self.last,
            flows: self.flows.max(1),
            frames: self.frames,
        })
    }
}

impl Detector for Echo {
    fn hears(&self) -> Hears {
        Hears::ACTIVE.and(Hears::END).of_only(Hears::ICMP)
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, _: &Given, _: &Words) {
        let (flow, over) = match event {
            Event::Active(flow) => (flow, false),
            Event::End(flow, _) => (flow, true),
            _ => return,
        };
        if !matches!(flow.key.proto, proto::ICMP | proto::ICMPV6) || flow.key.server_port != 0 || for_many(flow.key.server) {
            return;
        }
        let counts = flow.close().map(|close| *close.counts());
        if over {
            // A conversation of which everything was cut off says nothing.
            let blind = counts.is_none_or(|c| c.cut > 0 && c.cut == c.looked.0.saturating_add(c.looked.1));
            let tally = if blind { &mut self.tally.blind } else { &mut self.tally.judged };
            *tally = tally.saturating_add(1);
        }
        match counts {
            Some(counts) => self.of_packets(flow, &counts),
            None if over => self.of_record(flow),
            None => {}
        }
        if over && let Some(pair) = self.pairs.get_mut(&of(flow)) {
            pair.flows = pair.flows.saturating_add(1);
        }
    }

    fn found(&self, _: &Given, _: Trace<'_>) -> Vec<Alert> {
        self.pairs.values().filter_map(|pair| pair.alert()).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
