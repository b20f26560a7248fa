//! How much of a conversation a source could see.
//!
//! Packets show everything, a router's record of a flow some numbers. A detector asks first: what was not seen where it could not be
//! seen is not evaluable, and never clean.

/// What a source could see of a conversation, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen(u16);

impl Seen {
    /// Nothing but that it was.
    pub const NOTHING: Self = Self(0);
    /// How many packets and bytes it had: every one was counted.
    pub const COUNTS: Self = Self(1);
    /// How many bytes the transport carried.
    pub const PAYLOAD: Self = Self(1 << 1);
    /// Flags of TCP.
    pub const FLAGS: Self = Self(1 << 2);
    /// Whether there was an answer: none that was seen is none.
    pub const ANSWERS: Self = Self(1 << 3);
    /// Sizes and gaps of its first payloads.
    pub const FIRSTS: Self = Self(1 << 4);
    /// Names that are asked for in DNS.
    pub const DNS: Self = Self(1 << 5);
    /// Names and fingerprints of TLS.
    pub const TLS: Self = Self(1 << 6);
    /// Hosts, targets and programs of HTTP.
    pub const HTTP: Self = Self(1 << 7);
    /// Everything that packets show.
    pub const PACKETS: Self = Self(0xff);

    /// The same and something more.
    #[must_use]
    pub const fn with(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// The same without something.
    #[must_use]
    pub const fn without(self, less: Self) -> Self {
        Self(self.0 & !less.0)
    }

    /// What both could see.
    #[must_use]
    pub const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of it could be seen.
    pub const fn has(self, what: Self) -> bool {
        self.0 & what.0 == what.0
    }

    /// In words, in the order in which they stand here.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (Self::COUNTS, "counts"),
            (Self::PAYLOAD, "payload"),
            (Self::FLAGS, "flags"),
            (Self::ANSWERS, "answers"),
            (Self::FIRSTS, "firsts"),
            (Self::DNS, "dns"),
            (Self::TLS, "tls"),
            (Self::HTTP, "http"),
        ];
        all.into_iter().filter(move |(what, _)| self.has(*what)).map(|(_, word)| word)
    }
}
