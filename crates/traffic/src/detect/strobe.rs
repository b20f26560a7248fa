//! `strobe`: 86,400 conversations or more in a day with one peer outside, which is one a second (as RITA has it).
//!
//! Names that are asked for are left out, and so is what lasts less than an hour, for that is a flood's or a scan's.

use hashbrown::HashMap;
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::sieve::{digest, mix};
use super::{About, Alert, Detector, Ends, Given, Hears, Met, Reason, Subject, Tally, Term, Trace, for_many, is_inside, near, who};
use crate::flow::{Event, Flow};
use crate::names::{Words, dns};
use crate::packet::Addr;
use crate::time::Micros;

const ABOUT: About = About { code: "strobe", version: 1, needs: "when each conversation began", basis: Basis::Observed };

/// Conversations in a day.
const MANY: u64 = 86_400;
const DAY: Micros = Micros::seconds(86_400);
/// Minutes in which there were some.
const MINUTES: u32 = 60;
const MINUTE: Micros = Micros::seconds(60);
/// From where a pair is kept: conversations in a minute.
const KEEP: u64 = 30;
/// Pairs at once; those with fewer a second than this share go first.
const PAIRS: usize = 1 << 14;
const SHARE: f64 = 0.3;
/// Cells in which conversations of a minute are counted roughly before a pair is kept, and bits that say that one may be.
const CELLS: usize = 1 << 16;
const BITS: usize = 1 << 18;

/// A minute in 24 bits, which come back after 31 years, and what fell into a cell in it, up to 255, which is more than is asked for. There are
/// many, which are to stay close by.
#[derive(Clone, Copy, Debug, Default)]
struct Cell(u32);

#[derive(Debug)]
struct Pair {
    /// When this day of it began.
    begin: Micros,
    count: u64,
    minute: i64,
    minutes: u32,
    first: Micros,
    told: Option<Micros>,
    /// The most of a day.
    most: u64,
    all: u64,
    last: Micros,
    frames: (u64, u64),
}

/// See above.
#[derive(Debug)]
pub(super) struct Strobe {
    cells: Vec<Cell>,
    kept: Vec<u64>,
    pairs: HashMap<(Subject, Addr), Pair>,
    /// When there was last no room.
    full: Option<Micros>,
    tally: Tally,
}

impl Default for Strobe {
    fn default() -> Self {
        Self { cells: vec![Cell::default(); CELLS], kept: vec![0; BITS / 64], pairs: HashMap::new(), full: None, tally: Tally::default() }
    }
}

/// Who begins a conversation and with whom, as a number; `None`: it does not count.
fn pair(flow: &Flow) -> Option<u64> {
    let key = flow.key;
    let inside = is_inside(key.client) && is_inside(key.server);
    let counts = !inside && !dns::is_port(key.server_port) && !for_many(key.server) && !for_many(key.client);
    counts.then(|| mix(digest(key.client).rotate_left(1) ^ digest(key.server)))
}

/// Where it is counted.
fn cell(pair: u64) -> usize {
    usize::try_from(pair >> 40).unwrap_or_default() % CELLS
}

/// Where stands whether it may be kept.
fn bit(pair: u64) -> (usize, u64) {
    (usize::try_from(pair >> 6).unwrap_or_default() % (BITS / 64), 1 << (pair & 63))
}

impl Strobe {
    fn start(&mut self, flow: &Flow) {
        let Some(pair) = pair(flow) else { return };
        let key = flow.key;
        self.tally.judged = self.tally.judged.saturating_add(1);
        let minute = flow.start.0.div_euclid(MINUTE.0);
        let before = self.count(pair, minute);
        let bit = bit(pair);
        let may_be_kept = self.kept.get(bit.0).is_some_and(|word| word & bit.1 != 0);
        if before < KEEP && !may_be_kept {
            return;
        }
        let of = (who(flow), key.server);
        if before < KEEP && !self.pairs.contains_key(&of) {
            return;
        }
        if self.pairs.len() >= PAIRS && !self.pairs.contains_key(&of) && !self.make_room(flow.start) {
            self.tally.forgotten = self.tally.forgotten.saturating_add(1);
            return;
        }
        if let Some(word) = self.kept.get_mut(bit.0) {
            *word |= bit.1;
        }
        let pair = self.pairs.entry(of).or_insert_with(|| Pair {
            begin: flow.start,
            count: before,
            minute: 0,
            minutes: 0,
            first: flow.start,
            told: None,
            most: 0,
            all: before,
            last: flow.start,
            frames: (flow.first_frame, flow.first_frame),
        });
        if flow.start.since(pair.begin) >= DAY {
            (pair.begin, pair.count, pair.minutes) = (flow.start, 0, 0);
            if pair.told.is_none() {
                (pair.first, pair.frames.0, pair.all) = (flow.start, flow.first_frame, 0);
            }
        }
        pair.count = pair.count.saturating_add(1);
        pair.all = pair.all.saturating_add(1);
        if minute != pair.minute {
            (pair.minute, pair.minutes) = (minute, pair.minutes.saturating_add(1));
        }
        (pair.last, pair.frames.1) = (pair.last.max(flow.start), pair.frames.1.max(flow.last_frame));
        if pair.count >= MANY && pair.minutes >= MINUTES {
            pair.told.get_or_insert(flow.start);
            pair.most = pair.most.max(pair.count);
        }
    }

    /// Counts one for its cell; how many there were in this minute before.
    fn count(&mut self, pair: u64, minute: i64) -> u64 {
        let begin = (minute as u32) << 8;
        let Some(Cell(cell)) = self.cells.get_mut(cell(pair)) else { return 0 };
        if *cell & !0xff != begin {
            *cell = begin;
        }
        let before = *cell & 0xff;
        *cell = begin | before.saturating_add(1).min(0xff);
        before.into()
    }

    /// Lets go of those that cannot come to so many. Once a minute: who floods with many addresses fills it again at once.
    fn make_room(&mut self, now: Micros) -> bool {
        if self.full.is_some_and(|full| now.since(full) < MINUTE) {
            return false;
        }
        self.full = Some(now);
        let before = self.pairs.len();
        self.pairs.retain(|_, pair| {
            let age = now.since(pair.begin).0 as f64 / 1e6;
            pair.told.is_some() || age < 60.0 || pair.count as f64 >= age * SHARE
        });
        self.tally.forgotten = self.tally.forgotten.saturating_add(before.saturating_sub(self.pairs.len()) as u64);
        self.pairs.len() < PAIRS
    }
}

impl Pair {
    fn alert(&self, subject: Subject, to: Addr) -> Option<Alert> {
        let at = self.told?;
        let name = to.ip();
        Some(Alert {
            about: &ABOUT,
            subject,
            peer: Some(name.to_string()),
            ends: Ends::Peer,
            severity: Severity::Low,
            score: 1.0 - 0.5 * MANY as f64 / self.most.max(MANY) as f64,
            terms: vec![
                Term { term: "conversations_in_a_day", value: self.most as f64, threshold: MANY as f64 },
                Term { term: "minutes", value: self.minutes.into(), threshold: MINUTES.into() },
            ],
            reason: Reason {
                did: format!("began {} conversations with {name}, {} of them within a day", self.all, self.most),
                more: Vec::new(),
                remedies: vec![
                    "Ask the device's maker what it does there so often, and write the answer down".to_owned(),
                    "Let the device reach only what it needs, and drop the rest at the gateway".to_owned(),
                ],
                clears_when: "It is known what the device does there and why it does not stay connected".to_owned(),
                stake: None,
            },
            threats: &["surveillance"],
            first: self.first,
            at,
            last: self.last,
            flows: self.all,
            frames: self.frames,
        })
    }
}

impl Detector for Strobe {
    fn hears(&self) -> Hears {
        Hears::START
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn nears(&self, some: &[Met]) -> usize {
        let pairs = near::each(some, |(flow, _)| pair(flow));
        let word =
            |pair| self.cells.get(cell(pair)).map_or(0, |cell| cell.0 as usize) ^ self.kept.get(bit(pair).0).map_or(0, |w| *w as usize);
        pairs.into_iter().flatten().fold(0, |all, pair| all ^ word(pair))
    }

    fn see(&mut self, event: &Event<'_>, _: &Given, _: &Words) {
        if let Event::Start(flow) = event {
            self.start(flow);
        }
    }

    fn found(&self, _: &Given, _: Trace<'_>) -> Vec<Alert> {
        self.pairs.iter().filter_map(|((subject, to), pair)| pair.alert(*subject, *to)).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
