//! What an input is, by its first bytes: names and extensions decide nothing.

use crate::capture;
use crate::flow::Seen;
use crate::record::{eve, netflow, zeek};
use crate::time::Micros;

/// A kind of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Frames.
    Capture,
    /// A log of Zeek.
    Zeek(zeek::Kind),
    /// Events of Suricata.
    Eve,
    /// Datagrams of export, one behind the other, of which the first has this version.
    Netflow(u16),
}

/// Bytes by which an input is known: the first lines of a log, the first datagram.
pub const HEAD: usize = 1 << 16;

impl Source {
    /// What an input is that begins so, and when what it tells of began, where its first bytes say that.
    pub fn of(head: &[u8]) -> Option<(Self, Option<Micros>)> {
        if capture::begins(head) {
            let mut first = None;
            let _ = capture::read(head, &mut |frame| first = first.or(Some(frame.at)));
            return Some((Self::Capture, first));
        }
        if let Some((version, at)) = netflow::begins(head) {
            return Some((Self::Netflow(version), Some(at)));
        }
        // Spaces before the first brace are JSON's to allow.
        let text = head.trim_ascii_start();
        if let Some((kind, at)) = zeek::begins(text) {
            return Some((Self::Zeek(kind), at));
        }
        eve::begins(text).map(|at| (Self::Eve, Some(at)))
    }

    /// As an input's format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Zeek(kind) => kind.name(),
            Self::Eve => "suricata-eve",
            Self::Netflow(5) => "netflow-v5",
            Self::Netflow(9) => "netflow-v9",
            Self::Netflow(_) => "ipfix",
        }
    }

    /// What it alone may say of the conversations of other inputs.
    pub fn sees(self) -> Seen {
        match self {
            Self::Zeek(kind) => kind.sees(),
            _ => Seen::NOTHING,
        }
    }
}
