//! What modules have spoken with before, kept between traces.
//!
//! While a trace is watched, [`Gather`] notes with what each module speaks. Its end makes a [`Lesson`] of that, and a [`Memory`] holds
//! the lessons of many traces. What a lesson teaches counts for traces that begin later than it did, and never for itself: the same
//! trace watched again has the same past, whatever was learnt since.
//!
//! A module is who its equipment number says it is, else its subscription (of which only a keyed hash is kept), else its address: one
//! of a network of one's own, for anybody may call from any other.

mod gather;
mod lesson;
mod memory;

pub(crate) use crate::detect::is_inside;
pub use gather::{Contact, Gather, Inbound, Now, Wake};
pub(crate) use gather::{goes_out, registered};
pub use lesson::{Lesson, Met, Module, Net, Peer, Who};
pub use memory::{Memory, MemoryError, Past, Silence};

use crate::packet::Addr;
use crate::time::Micros;

/// Learning is over after so long and some conversations, or after so many conversations over a day at least: what happens in a minute is no habit.
pub const LEARNING: Micros = Micros::seconds(7 * 86_400);
/// See above.
pub const ENOUGH: u64 = 200;
/// See above.
pub const FEW: u64 = 10;
/// See above.
pub const LEAST: Micros = Micros::seconds(86_400);
/// What was not met for so long before a trace begins no longer counts in it.
pub const DECAY: Micros = Micros::seconds(180 * 86_400);

/// The network that an address stands in, as far as nothing else is known: a /24, of version 6 a /48.
pub(crate) fn network(addr: Addr) -> Addr {
    let kept = if addr.is_v4() { 120 } else { 48 };
    crate::cellular::Ue::v6(addr.0, kept).addr
}

/// An end as people say it: its name or address, and its port where it has one.
pub(crate) fn end(name: Option<&str>, addr: Addr, port: u16) -> String {
    let name = match name {
        Some(name) => name.to_owned(),
        None if addr.is_v4() => addr.ip().to_string(),
        None => format!("[{}]", addr.ip()),
    };
    if port == 0 { name } else { format!("{name}:{port}") }
}

/// The network of an address in words.
pub(crate) fn network_name(addr: Addr) -> Box<str> {
    let length = if addr.is_v4() { 24 } else { 48 };
    format!("{}/{length}", network(addr).ip()).into()
}
