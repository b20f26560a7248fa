//! A name that was asked for.

use crate::cellular::sessions::Id;
use crate::names::dns::Answer;
use crate::packet::Addr;
use crate::time::Micros;

/// A question of DNS, its answer, or both where a record tells of both.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a> {
    /// Who asks.
    pub client: Addr,
    /// Who is asked.
    pub server: Addr,
    /// The module's that asks, where it is known.
    pub session: Option<Id>,
    /// When.
    pub at: Micros,
    /// Number of the frame; of a record its line.
    pub frame: u64,
    /// The name, lower case, without a dot at its end.
    pub name: &'a str,
    /// The number of the type that is asked for; 0: its source does not say.
    pub kind: u16,
    /// Whether this asks: an answer that is told of apart from its question does not.
    pub asks: bool,
    /// What was answered.
    pub answer: Option<Answer>,
    /// Addresses in the answer.
    pub addrs: &'a [Addr],
}
