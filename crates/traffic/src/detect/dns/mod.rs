//! What is said by asking for names: `dns-tunnel` and `dga`.
//!
//! Both look at every question and answer ([`crate::flow::Lookup`]), by who asks and the zone that somebody registered
//! ([`crate::names::zone`]), and take labels apart by whether a machine made them ([`model`]). No list of names that are harmless is
//! needed: what is left out is left out for its shape.

mod dga;
mod model;
mod tunnel;
mod zone;

pub(super) use dga::Dga;
pub(super) use tunnel::Tunnel;

use std::ops::AddAssign;

use super::{Subject, for_many};
use crate::flow::{Flow, Lookup, Seen};
use crate::names::dns;
use crate::time::Micros;

/// Types of questions that are about the exchange itself and name nothing: TKEY, TSIG (RFC 2930, 8945).
const META: [u16; 2] = [249, 250];

/// Whose question it is; `None`: one that is asked of everybody on the link, or names nothing.
fn asker(lookup: &Lookup<'_>) -> Option<Subject> {
    // Of a name below `local` everybody is asked, also where one answers (RFC 6762, 3).
    let nearby = for_many(lookup.server) || lookup.name.ends_with(".local");
    if nearby || META.contains(&lookup.kind) {
        return None;
    }
    Some(lookup.session.map_or(Subject::Host(lookup.client), Subject::Session))
}

/// Whether it is a conversation with a name server whose questions its source did not see.
fn is_blind(flow: &Flow) -> bool {
    flow.key.server_port == dns::PORT && !flow.seen.has(Seen::DNS) && !for_many(flow.key.server)
}

/// What was counted lately: in the half of a window that runs, and in the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Halves<C> {
    since: Micros,
    before: C,
    now: C,
}

impl<C: Copy + Default + AddAssign> Halves<C> {
    fn new(since: Micros) -> Self {
        Self { since, before: C::default(), now: C::default() }
    }

    /// Goes on to a time; says whether another half has begun.
    fn turn(&mut self, at: Micros, half: Micros) -> bool {
        let gone = at.since(self.since);
        if gone < half {
            return false;
        }
        let next = self.since.plus(half);
        let follows = at.since(next) < half;
        self.before = if follows { self.now } else { C::default() };
        self.now = C::default();
        self.since = if follows { next } else { at };
        true
    }

    fn sum(&self) -> C {
        let mut sum = self.before;
        sum += self.now;
        sum
    }
}

/// Characters of a name that are shown.
const SHOWN: usize = 32;

/// The beginning of a name, for people. A number is shown whole or not at all, so that one of a subscriber can be covered.
fn shown(name: &str) -> String {
    let name = umbilical_core::text::clean(name);
    let mut end = name.len().min(SHOWN);
    let is_digit = |at: usize| name.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    while end > 0 && (!name.is_char_boundary(end) || is_digit(end) && is_digit(end.saturating_sub(1))) {
        end = end.saturating_sub(1);
    }
    match name.get(..end) {
        Some(part) if part.len() < name.len() => format!("{part}…"),
        _ => name.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_cut() {
        assert_eq!(shown("short.example.com"), "short.example.com");
        assert_eq!(shown("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…");
        assert_eq!(shown("meter-of-subscriber-x-001010123456789-up.example.com"), "meter-of-subscriber-x-…");
        assert_eq!(shown("001010123456789001010123456789001010123456789"), "…");
    }

    #[test]
    fn windows_turn_by_halves() {
        let half = Micros::seconds(10);
        let mut halves: Halves<u32> = Halves::new(Micros(0));
        halves.now += 3;
        assert!(!halves.turn(Micros::seconds(9), half) && halves.turn(Micros::seconds(12), half));
        halves.now += 4;
        assert_eq!((halves.sum(), halves.since), (7, half));
        assert!(!halves.turn(Micros(0), half), "a clock that is set back turns nothing");
        assert!(halves.turn(Micros::seconds(31), half));
        assert_eq!((halves.sum(), halves.since), (0, Micros::seconds(31)));
    }
}
