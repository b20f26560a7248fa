//! What happened to conversations, and who wants to hear of it.
//!
//! What records tell is not passed on one by one but some hundred together, to one detector after the other: each line of a log is of
//! somebody else, and what a detector knows of whoever it is has to be fetched from far away. Told together it stays closer by, and while the
//! processor waits for a piece of it, it may look for what the next conversation needs: lines take a fifth less of its time. Packets that
//! follow each other are mostly of few, so what they tell is passed on at once.

use super::near::NEAR;
use crate::flow::{Event, Flow, Seen, Why};
use crate::packet::proto;

/// Kinds of events, each of some protocols: most detectors do not want to hear of most of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hears(u32);

impl Hears {
    pub const NOTHING: Self = Self(0);
    pub const ALL: Self = Self(u32::MAX);
    pub const START: Self = Self(0xf);
    pub const ANSWERED: Self = Self(0xf << 4);
    pub const JOINED: Self = Self(0xf << 8);
    pub const ACTIVE: Self = Self(0xf << 12);
    pub const END: Self = Self(0xf << 16);
    pub const OTHERS: Self = Self(0xf << 20);
    pub const TCP: Self = Self(0x0011_1111);
    pub const UDP: Self = Self(0x0022_2222);
    pub const ICMP: Self = Self(0x0044_4444);

    /// Whether one of these is among them.
    pub const fn is(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// These and more.
    pub const fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// Of these kinds only those of some protocols.
    pub const fn of_only(self, protocols: Self) -> Self {
        Self(self.0 & protocols.0)
    }

    /// The kind of an event.
    pub fn of(event: &Event<'_>) -> Self {
        let (kind, flow) = match event {
            Event::Start(flow) => (Self::START, flow),
            Event::Answered(flow) => (Self::ANSWERED, flow),
            Event::Joined(flow) => (Self::JOINED, flow),
            Event::Active(flow) => (Self::ACTIVE, flow),
            Event::End(flow, _) => (Self::END, flow),
            Event::Lookup(_) | Event::Broken(_) => return Self::OTHERS,
        };
        kind.of_only(match flow.key.proto {
            proto::TCP => Self::TCP,
            proto::UDP => Self::UDP,
            proto::ICMP | proto::ICMPV6 => Self::ICMP,
            _ => Self(0x0088_8888),
        })
    }
}

/// A conversation as it was, and why it is over where it is.
pub(crate) type Met = (Flow, Why);

/// What happened to conversations of which nobody was told yet.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// What happened to each. It is apart, for most look through all of it to hear of few.
    what: Vec<Hears>,
    /// Each as it was when that happened.
    flows: Vec<Met>,
}

impl Waiting {
    /// How many.
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// One more to which something happened.
    pub fn put(&mut self, what: Hears, flow: &Flow, why: Why) {
        self.what.push(what);
        self.flows.push((flow.clone(), why));
    }

    /// Takes what happened behind it to the last of them, where nothing was added to that: a record may tell of it from its beginning to its
    /// end at once. Whether it was so.
    pub fn takes(&mut self, what: Hears, flow: &Flow, why: Why) -> bool {
        match (self.what.last_mut(), self.flows.last_mut()) {
            (Some(before), Some((last, ended))) if before.0 < what.0 && flow.is_as(last) => {
                (*before, *ended) = (before.and(what), why);
                true
            }
            _ => false,
        }
    }

    /// Those that are over.
    pub fn over(&self) -> impl Iterator<Item = &Flow> {
        self.what.iter().zip(&self.flows).filter(|(what, _)| what.is(Hears::END)).map(|(_, (flow, _))| flow)
    }

    /// All that happened.
    pub fn any(&self) -> Hears {
        self.what.iter().fold(Hears::NOTHING, |any, what| any.and(*what))
    }

    /// All of it, few by few.
    pub fn few(&self) -> impl Iterator<Item = Few<'_>> {
        self.what.chunks(NEAR).zip(self.flows.chunks(NEAR)).map(|(what, flows)| Few { what, flows })
    }

    /// All of it was told.
    pub fn clear(&mut self) {
        self.what.clear();
        self.flows.clear();
    }
}

/// Some of what waits.
pub(super) struct Few<'a> {
    what: &'a [Hears],
    /// To whom it happened.
    pub flows: &'a [Met],
}

/// A bit for each of them is looked at below.
const _: () = assert!(NEAR <= u32::BITS as usize);

impl Few<'_> {
    /// Gives what of it somebody hears, in its order.
    pub fn each(&self, hears: Hears, mut each: impl FnMut(Event<'_>)) {
        // Most hear little of it: of whom is found out for all of them at once.
        let mut bits = self.what.iter().rev().fold(0_u32, |bits, what| bits << 1 | u32::from(what.is(hears)));
        while bits != 0 {
            let n = bits.trailing_zeros() as usize;
            bits &= bits.wrapping_sub(1);
            let (Some(what), Some((flow, why))) = (self.what.get(n), self.flows.get(n)) else { continue };
            let heard = Hears(what.0 & hears.0);
            if heard.is(Hears::START) {
                each(Event::Start(flow));
            }
            if heard.is(Hears::ANSWERED) {
                each(Event::Answered(flow));
            }
            if heard.is(Hears::JOINED) {
                each(Event::Joined(flow));
            }
            if heard.is(Hears::ACTIVE) {
                each(Event::Active(flow));
            }
            if heard.is(Hears::END) {
                each(Event::End(flow, *why));
            }
        }
    }
}

/// What happened to a conversation of which a record tells, and why that is over where it is.
pub(super) fn of_record<'e>(event: &Event<'e>) -> Option<(Hears, &'e Flow, Why)> {
    let (flow, why) = match event {
        Event::Start(flow) | Event::Answered(flow) | Event::Joined(flow) | Event::Active(flow) => (*flow, Why::Trace),
        Event::End(flow, why) => (*flow, *why),
        Event::Lookup(_) | Event::Broken(_) => return None,
    };
    (flow.seen != Seen::PACKETS).then(|| (Hears::of(event), flow, why))
}
