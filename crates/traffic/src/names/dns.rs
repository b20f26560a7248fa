//! DNS (RFC 1035): what is asked, and which addresses a name has.

use simple_dns::rdata::RData;
use simple_dns::{Packet, PacketFlag, QTYPE, RCODE, TYPE};

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
    /// The type that is asked for, by its number.
    pub kind: u16,
    /// What went wrong, by its number; 0 nothing, 3 there is no such name.
    pub code: u8,
    /// Addresses in the answer.
    pub addrs: Vec<Addr>,
    /// Records in the answer that carry text or anything (TXT, NULL, CNAME, MX), and their bytes.
    pub carriers: (u16, u32),
}

/// Reads a message; `None` for what is none, or asks nothing.
pub fn read(bytes: &[u8]) -> Option<Message> {
    let packet = Packet::parse(bytes).ok()?;
    let question = packet.questions.first()?;
    let mut addrs = Vec::new();
    let mut carriers = (0u16, 0u32);
    for record in &packet.answers {
        match &record.rdata {
            RData::A(a) => addrs.push(Addr::v4(a.address.to_be_bytes())),
            RData::AAAA(a) => addrs.push(Addr(a.address.to_be_bytes())),
            RData::TXT(_) | RData::NULL(..) | RData::CNAME(_) | RData::MX(_) => {
                carriers.0 = carriers.0.saturating_add(1);
            }
            _ => {}
        }
    }
    carriers.1 = if carriers.0 > 0 { u32::try_from(bytes.len()).unwrap_or(u32::MAX) } else { 0 };
    let kind = match question.qtype {
        QTYPE::TYPE(kind) => u16::from(kind),
        other => u16::from(other),
    };
    let _ = TYPE::A;
    let code = match packet.rcode() {
        RCODE::NoError => 0,
        RCODE::FormatError => 1,
        RCODE::ServerFailure => 2,
        RCODE::NameError => 3,
        RCODE::NotImplemented => 4,
        RCODE::Refused => 5,
        _ => 15,
    };
    Some(Message {
        answer: packet.has_flags(PacketFlag::RESPONSE),
        name: question.qname.to_string().trim_end_matches('.').to_ascii_lowercase(),
        kind,
        code,
        addrs,
        carriers,
    })
}
