//! What several lines say of one conversation, joined by the id that they share.
//!
//! Programs write what they understood (a name, a request) when they understand it, and the conversation itself when it is over. What
//! was said waits for that. There is an end to how much waits: the older half then becomes conversations of which the rest is not known.

use hashbrown::HashMap;

use super::Record;
use crate::flow::{Half, Key, Seen};
use crate::names::Names;
use crate::time::Micros;

/// An id of a conversation in the logs of one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Uid([u8; 24]);

impl Uid {
    /// Of text: Zeek's have 18 characters.
    pub fn text(id: &[u8]) -> Option<Self> {
        let mut out = [0; 24];
        out.get_mut(..id.len()).filter(|o| !o.is_empty())?.copy_from_slice(id);
        Some(Self(out))
    }

    /// Of a number, which begins as no text does.
    pub fn number(id: u64) -> Self {
        let mut out = [0xff; 24];
        if let Some(place) = out.first_chunk_mut() {
            *place = id.to_be_bytes();
        }
        Self(out)
    }
}

/// What one line says of a conversation.
#[derive(Clone, Debug)]
pub struct Told {
    /// Between whom.
    pub key: Key,
    /// When.
    pub at: Micros,
    /// The line.
    pub number: u64,
    /// What it said of itself.
    pub names: Names,
    /// What is known by the line alone.
    pub seen: Seen,
}

/// What waits for its conversation.
#[derive(Debug, Default)]
pub(crate) struct Join {
    young: HashMap<Uid, Told>,
    old: HashMap<Uid, Told>,
}

/// Conversations of which something waits, in each of two halves.
const HALF: usize = 1 << 18;

impl Join {
    /// Keeps what a line says; gives the conversations for which nobody can wait any longer.
    pub fn put(&mut self, id: Uid, told: Told) -> Vec<Record> {
        let mut over = Vec::new();
        let before = match self.young.get_mut(&id) {
            Some(before) => Some(before),
            None => self.old.get_mut(&id),
        };
        if let Some(before) = before {
            before.names.fill(&told.names);
            before.seen = before.seen.with(told.seen);
            return over;
        }
        if self.young.len() >= HALF {
            over = sorted(std::mem::replace(&mut self.old, std::mem::take(&mut self.young)));
        }
        self.young.insert(id, told);
        over
    }

    /// Adds to what waits, if something does.
    pub fn adds(&mut self, id: &Uid, names: &Names) {
        let before = match self.young.get_mut(id) {
            Some(before) => Some(before),
            None => self.old.get_mut(id),
        };
        if let Some(before) = before {
            before.names.fill(names);
        }
    }

    /// What was said of a conversation.
    pub fn take(&mut self, id: &Uid) -> Option<Told> {
        if self.young.is_empty() && self.old.is_empty() {
            return None;
        }
        self.young.remove(id).or_else(|| self.old.remove(id))
    }

    /// Conversations that never came.
    pub fn rest(&mut self) -> Vec<Record> {
        let mut all = sorted(std::mem::take(&mut self.old));
        all.extend(sorted(std::mem::take(&mut self.young)));
        all
    }
}

/// In the order in which they were said: that of a map is nobody's.
fn sorted(told: HashMap<Uid, Told>) -> Vec<Record> {
    let mut all: Vec<Record> = told.into_values().map(Record::from).collect();
    all.sort_by_key(|r| (r.start, r.key, r.number));
    all
}

impl From<Told> for Record {
    fn from(told: Told) -> Self {
        let Told { key, at, number, names, seen } = told;
        Self { key, start: at, end: at, number, up: Half::default(), down: Half::default(), names, seen, part: None }
    }
}
