//! The mobile core: tunnels that carry what modules say, and the signalling that says whose they are.
//!
//! [`tunnel`] opens GTP-U. [`gtp1`], [`gtp2`] and [`pfcp`] turn signalling into [`Message`]s of one shape, [`radius`] and [`diameter`]
//! what gateways report, which [`sessions`](sessions::Sessions) understands without knowing where they came from.

pub mod diameter;
pub mod gtp1;
pub mod gtp2;
pub mod pfcp;
pub mod radius;
pub mod sessions;
pub mod tunnel;

use sha2::{Digest as _, Sha256};

use crate::bytes::Bytes;
use crate::packet::Addr;

/// One end of a tunnel: who receives, and under which number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End {
    /// The address that packets are sent to.
    pub at: Addr,
    /// The tunnel endpoint identifier there.
    pub teid: u32,
}

/// On which side of the network an end stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Towards the module: what is sent here goes down.
    Access,
    /// Towards the outside: what is sent here comes up.
    Core,
    /// Nobody says.
    Unknown,
}

/// The address of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ue {
    /// The address, or the prefix with zeros behind it.
    pub addr: Addr,
    /// Bits of it that are the module's, of 128.
    pub bits: u8,
}

impl Ue {
    /// An IPv4 address.
    pub fn v4(bytes: [u8; 4]) -> Self {
        Self { addr: Addr::v4(bytes), bits: 128 }
    }

    /// An IPv6 prefix.
    pub fn v6(bytes: [u8; 16], bits: u8) -> Self {
        let bits = bits.min(128);
        let kept = if bits == 0 { 0 } else { u128::MAX << (128 - u32::from(bits)) };
        Self { addr: Addr((u128::from_be_bytes(bytes) & kept).to_be_bytes()), bits }
    }

    /// Whether an address is in it.
    pub fn holds(&self, addr: Addr) -> bool {
        Self::v6(addr.0, self.bits).addr == self.addr
    }
}

/// What signalling says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Digits of an IMSI.
    Imsi(String),
    /// Digits of an IMEI, or of one with its software version.
    Imei(String),
    /// Digits of a telephone number.
    Msisdn(String),
    /// An access point or data network name, without the operator's part.
    Apn(String),
    /// An address that the module got.
    Ue(Ue),
    /// Where the sender wants signalling of this session.
    Control(u64, Addr),
    /// Where user data of a bearer is received.
    User {
        /// The end.
        end: End,
        /// Its side.
        side: Side,
    },
    /// A bearer that is spoken of (EPS bearer identity, NSAPI).
    Bearer(u8),
    /// Whether what was asked was done.
    Accepted(bool),
    /// The radio technology (TS 29.274, 8.17; TS 29.061, 16.4.7.2).
    Rat(u8),
}

/// The word for a radio technology (TS 29.274, table 8.17-1); `None` for those that are no module's.
pub fn rat_name(rat: u8) -> Option<&'static str> {
    Some(match rat {
        1 => "utran",
        2 => "geran",
        3 => "wlan",
        4 => "gan",
        5 => "hspa-evolution",
        6 => "eutran",
        8 => "nb-iot",
        9 => "lte-m",
        10 => "nr",
        _ => return None,
    })
}

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A session begins.
    Create,
    /// Something about it changes.
    Modify,
    /// It ends.
    Delete,
}

/// Which protocol, since numbers of one mean nothing in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plane {
    /// GTPv1-C.
    Gtp1,
    /// GTPv2-C.
    Gtp2,
    /// PFCP.
    Pfcp,
    /// Accounting of RADIUS.
    Radius,
    /// Credit control and accounting of Diameter.
    Diameter,
    /// Requests for admission of either.
    Access,
}

impl Plane {
    /// Whether it reports sessions that others set up.
    pub fn reports(self) -> bool {
        matches!(self, Self::Radius | Self::Diameter | Self::Access)
    }
}

/// A message of the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The protocol.
    pub plane: Plane,
    /// What it is for.
    pub act: Act,
    /// Whether it answers another.
    pub answer: bool,
    /// The number that its receiver gave the session (TEID, SEID); `None` where the receiver has given none yet. Of reports that of the
    /// session's name.
    pub to: Option<u64>,
    /// Requests and answers have the same.
    pub sequence: u32,
    /// What it says, in its order.
    pub items: Vec<Item>,
}

/// Digits in half bytes, the lower first, to the end or a filler (TS 29.274, 8.3; TS 24.008, 10.5.4.7).
fn digits(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|b| [b & 0x0f, b >> 4]);
    halves.take_while(|d| *d < 10).map(|d| char::from(b'0' + d)).collect()
}

/// Labels with their lengths, dots between them, up to the operator's part (`mnc001.mcc001.gprs`; TS 23.003, 9.1).
fn labels(mut bytes: &[u8]) -> String {
    let mut out = String::new();
    while let Some((length, rest)) = bytes.split_first() {
        let Some((label, rest)) = rest.split_at_checked(usize::from(*length)) else { break };
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(&String::from_utf8_lossy(label));
        bytes = rest;
    }
    umbilical_core::text::clean(without_operator(&out)).into_owned()
}

/// A name without the operator's part.
fn without_operator(name: &str) -> &str {
    let low = name.to_ascii_lowercase();
    let operator = low.find(".mnc").filter(|_| low.ends_with(".gprs"));
    operator.and_then(|at| name.get(..at)).unwrap_or(name)
}

/// A number for a session that has a name. Nobody can choose one that another has.
fn number_of(name: &[u8]) -> u64 {
    Bytes(&Sha256::digest(name)).u64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names() {
        assert_eq!(digits(&[0x00, 0x01, 0x01, 0x21, 0x43, 0x65, 0x87, 0xf9]), "001010123456789");
        assert_eq!(digits(&[0x12, 0xff]), "21");
        assert_eq!(labels(b"\x08internet\x06mnc001\x06mcc001\x04gprs"), "internet");
        assert_eq!(labels(b"\x03iot\x07example"), "iot.example");
        assert_eq!(labels(b"\x05me"), "");
        assert_eq!(labels(b"\x03\x1b[2"), "[2", "what a terminal would obey is taken out");
    }

    #[test]
    fn prefixes_hold_addresses() {
        let prefix = Ue::v6([0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9], 64);
        let addr = |low: u8| Addr([0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, low]);
        assert!(prefix.holds(addr(1)) && prefix.holds(addr(200)));
        assert!(!prefix.holds(Addr([0x20, 1, 0xd, 0xb8, 0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1])));
        assert!(Ue::v4([10, 0, 0, 1]).holds(Addr::v4([10, 0, 0, 1])) && !Ue::v4([10, 0, 0, 1]).holds(Addr::v4([10, 0, 0, 2])));
        assert!(Ue::v6([1; 16], 0).holds(addr(1)));
    }
}
