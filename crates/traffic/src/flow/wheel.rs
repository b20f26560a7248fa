//! When to look at a flow again: one list for each second, so that a packet moves nothing.
//!
//! When its second comes a flow is either over, or put into a later list. Places are used again: a flow is named by its place and by how
//! often that was used.

use std::collections::VecDeque;

use crate::time::Micros;

/// A flow by its place, and the how manieth it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub slot: u32,
    pub use_of: u32,
}

#[derive(Debug, Default)]
pub(super) struct Wheel {
    lists: VecDeque<Vec<Turn>>,
    /// The second of the first list.
    base: i64,
}

/// Nothing is looked at later than this, in seconds: a longer wait is looked at in between.
const FURTHEST: i64 = 1024;

fn second(at: Micros) -> i64 {
    at.0.div_euclid(1_000_000)
}

impl Wheel {
    /// Begins anew at a time.
    pub fn restart(&mut self, at: Micros) {
        self.lists.clear();
        self.base = second(at);
    }

    /// Looks at a flow once a time has passed.
    pub fn put(&mut self, flow: Turn, at: Micros) {
        let ahead = second(at).saturating_add(1).saturating_sub(self.base).clamp(0, FURTHEST);
        let ahead = usize::try_from(ahead).unwrap_or_default();
        if self.lists.len() <= ahead {
            self.lists.resize_with(ahead.saturating_add(1), Vec::new);
        }
        if let Some(list) = self.lists.get_mut(ahead) {
            list.push(flow);
        }
    }

    /// Flows whose second has passed, a list at a time.
    pub fn due(&mut self, now: Micros) -> Option<Vec<Turn>> {
        let now = second(now);
        while self.base < now {
            match self.lists.pop_front() {
                Some(list) => {
                    self.base = self.base.saturating_add(1);
                    if !list.is_empty() {
                        return Some(list);
                    }
                }
                // Nothing waits: a gap of years is one step.
                None => self.base = now,
            }
        }
        None
    }

    /// So many of the flows that would be looked at first, whatever the time is.
    pub fn next(&mut self, most: usize) -> Option<Vec<Turn>> {
        let list = self.lists.iter_mut().find(|list| !list.is_empty())?;
        Some(if list.len() <= most { std::mem::take(list) } else { list.drain(..most).collect() })
    }
}
