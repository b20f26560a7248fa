//! `ntp-tunnel`: conversations with the port of time whose messages, or how often they come, are those of no program of time.
//!
//! A message of NTP has 48 bytes, or extension fields and a code of authentication behind them, whose shape is checked; NTS and control
//! messages are NTP too. Programs of time ask every 16 seconds at most, and a few times more when they begin.

use hashbrown::HashMap;
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Subject, Tally, Term, Trace, for_many, who, with_port};
use crate::flow::{Event, Flow, Half, NTP, Seen};
use crate::names::Words;
use crate::packet::{Addr, proto};
use crate::time::Micros;

const ABOUT: About = About { code: "ntp-tunnel", version: 1, needs: "what messages of NTP hold, or their sizes", basis: Basis::Inferred };

/// Sums are those of so long.
const WINDOW: Micros = Micros::seconds(300);
/// Messages that are none, with so many bytes in all.
const ODD: u32 = 10;
const BYTES: u32 = 500;
/// Messages that are asked in a window, by a conversation that asks every second, and that are answered.
const ASKED: u32 = 120;
/// Of records: packets of each way, the least and the most that a message has without fields of its own, and by how much question and
/// answer may differ with them.
const PACKETS: u64 = 20;
const LEAST: u64 = 44;
const MOST: u64 = 76;
const DIFFER: u64 = 16;
/// Pairs at once.
const PAIRS: usize = 1 << 14;

#[derive(Debug)]
struct Pair {
    window: Micros,
    odd: u32,
    bytes: u32,
    asked: u32,
    answered: u32,
    /// The most of a window.
    most_odd: (u32, u32),
    most_asked: u32,
    /// Of records: mean bytes that were asked and answered.
    sizes: Option<(u64, u64)>,
    first: Micros,
    told: Option<Micros>,
    last: Micros,
    frames: (u64, u64),
    flows: u64,
}

/// See above.
#[derive(Debug, Default)]
pub(super) struct Ntp {
    pairs: HashMap<(Subject, Addr), Box<Pair>>,
    tally: Tally,
}

/// Bytes of a message, without the headers of IP and UDP.
fn mean(flow: &Flow, half: &Half) -> u64 {
    let headers = if flow.key.server.is_v4() { 28 } else { 48 };
    let bytes = if flow.seen.has(Seen::PAYLOAD) { half.payload } else { half.bytes.saturating_sub(half.packets.saturating_mul(headers)) };
    bytes / half.packets.max(1)
}

impl Ntp {
    fn of_packets(&mut self, flow: &Flow, odd: u32, bytes: u32) {
        let (up, down, time) = flow.fresh();
        // As often as each second.
        let often = up >= 5 && i64::from(up).saturating_mul(1_000_000) >= time.0 && down > 0;
        if odd == 0 && !often {
            return;
        }
        let Some(pair) = self.pair(flow) else { return };
        if flow.last.since(pair.window) >= WINDOW {
            (pair.window, pair.odd, pair.bytes, pair.asked, pair.answered) = (flow.last, 0, 0, 0, 0);
        }
        pair.odd = pair.odd.saturating_add(odd);
        pair.bytes = pair.bytes.saturating_add(bytes);
        if often {
            pair.asked = pair.asked.saturating_add(up);
            pair.answered = pair.answered.saturating_add(down);
        }
        if pair.is_enough() {
            pair.told.get_or_insert(flow.last);
        }
        pair.most_odd = pair.most_odd.max((pair.odd, pair.bytes));
        pair.most_asked = pair.most_asked.max(pair.asked);
    }

    fn of_record(&mut self, flow: &Flow) {
        let (up, down) = (&flow.up, &flow.down);
        let (asked, answered) = (mean(flow, up), mean(flow, down));
        let fits = |size: u64| (LEAST..=MOST).contains(&size);
        let same = asked.abs_diff(answered) <= DIFFER && asked >= LEAST;
        let odd = up.packets.max(down.packets) >= PACKETS && !(fits(asked) && fits(answered)) && !same;
        let seconds = flow.last.since(flow.start).0 / 1_000_000;
        let rate = up.packets >= u64::from(ASKED)
            && down.packets.saturating_mul(2) >= up.packets
            && u64::try_from(seconds).unwrap_or_default() <= up.packets;
        if !odd && !rate {
            return;
        }
        let Some(pair) = self.pair(flow) else { return };
        pair.told.get_or_insert(flow.last);
        pair.most_asked = pair.most_asked.max(if rate { u32::try_from(up.packets).unwrap_or(u32::MAX) } else { 0 });
        if odd {
            pair.sizes = Some((asked, answered));
        }
    }

    fn pair(&mut self, flow: &Flow) -> Option<&mut Pair> {
        let of = (who(flow), flow.key.server);
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
                window: flow.start,
                odd: 0,
                bytes: 0,
                asked: 0,
                answered: 0,
                most_odd: (0, 0),
                most_asked: 0,
                sizes: None,
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
    fn is_enough(&self) -> bool {
        let often = self.asked >= ASKED && self.answered.saturating_mul(2) >= self.asked;
        self.odd >= ODD && self.bytes >= BYTES || often
    }

    fn alert(&self, subject: Subject, to: Addr) -> Option<Alert> {
        let at = self.told?;
        let name = with_port(to, NTP);
        let (odd, bytes) = self.most_odd;
        let did = match self.sizes {
            Some((asked, answered)) => {
                format!("exchanged messages with {name} of {asked} and {answered} bytes in the mean, which no program of time has")
            }
            None if odd >= ODD && bytes >= BYTES => {
                format!("exchanged {odd} messages with {name} that are none of NTP, {bytes} bytes in five minutes")
            }
            None => format!("asked {name} {} times within five minutes, as often as no program of time does", self.most_asked),
        };
        let mut terms = vec![
            Term { term: "odd", value: odd.into(), threshold: ODD.into() },
            Term { term: "odd_bytes", value: bytes.into(), threshold: BYTES.into() },
            Term { term: "asked", value: self.most_asked.into(), threshold: ASKED.into() },
        ];
        if let Some((asked, answered)) = self.sizes {
            terms.push(Term { term: "bytes_asked", value: asked as f64, threshold: MOST as f64 });
            terms.push(Term { term: "bytes_answered", value: answered as f64, threshold: MOST as f64 });
        }
        Some(Alert {
            about: &ABOUT,
            subject,
            peer: Some(name),
            ends: Ends::Peer,
            severity: Severity::Medium,
            score: if odd >= ODD { 0.9 } else { 0.7 },
            terms,
            reason: Reason {
                did,
                more: Vec::new(),
                remedies: vec![
                    "Let the device take its time from a server of your own, and drop the rest on port 123".to_owned(),
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

impl Detector for Ntp {
    fn hears(&self) -> Hears {
        Hears::ACTIVE.and(Hears::END).of_only(Hears::UDP)
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
        let key = flow.key;
        if key.proto != proto::UDP || key.server_port != NTP || for_many(key.server) {
            return;
        }
        let close = flow.close().map(|close| *close.counts());
        if over {
            let blind = close.is_none() && !flow.seen.has(Seen::COUNTS);
            let tally = if blind { &mut self.tally.blind } else { &mut self.tally.judged };
            *tally = tally.saturating_add(1);
        }
        match close {
            Some(counts) => self.of_packets(flow, counts.odd, counts.odd_bytes),
            None if over && flow.seen.has(Seen::COUNTS) => self.of_record(flow),
            None => {}
        }
        if over && let Some(pair) = self.pairs.get_mut(&(who(flow), key.server)) {
            pair.flows = pair.flows.saturating_add(1);
        }
    }

    fn found(&self, _: &Given, _: Trace<'_>) -> Vec<Alert> {
        self.pairs.iter().filter_map(|((subject, to), pair)| pair.alert(*subject, *to)).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
