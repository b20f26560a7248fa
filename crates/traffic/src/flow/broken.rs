//! Pieces that never came whole.

use crate::cellular::sessions::Id;
use crate::packet::Addr;
use crate::time::Micros;

/// What came of one datagram. Its ports are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// From where.
    pub src: Addr,
    /// To where.
    pub dst: Addr,
    /// The module's that sent it, where it is known.
    pub session: Option<Id>,
    /// The protocol.
    pub proto: u8,
    /// Pieces.
    pub packets: u32,
    /// Bytes of IP.
    pub bytes: u32,
    /// The first piece.
    pub at: Micros,
    /// Number of its frame.
    pub frame: u64,
}
