//! DNS (RFC 1035): what is asked, and which addresses a name has.

use simple_dns::rdata::RData;
use simple_dns::{Packet, PacketFlag};

use crate::packet::Addr;

/// The registered port, and that of multicast DNS.
pub const PORTS: [u16; 2] = [53, 5353];

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whether it is an answer.
    pub answer: bool,
    /// The first name that is asked for, lower case, without a dot at its end.
    pub name: String,
    /// Addresses in the answer.
    pub addrs: Vec<Addr>,
}

/// Reads a message; `None` for what is none, or asks nothing.
pub fn read(bytes: &[u8]) -> Option<Message> {
    let packet = Packet::parse(bytes).ok()?;
    let name = packet.questions.first()?.qname.to_string();
    let addrs = packet.answers.iter().filter_map(|record| match &record.rdata {
        RData::A(a) => Some(Addr::v4(a.address.to_be_bytes())),
        RData::AAAA(a) => Some(Addr(a.address.to_be_bytes())),
        _ => None,
    });
    Some(Message {
        answer: packet.has_flags(PacketFlag::RESPONSE),
        name: name.trim_end_matches('.').to_ascii_lowercase(),
        addrs: addrs.collect(),
    })
}
