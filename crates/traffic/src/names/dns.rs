//! DNS (RFC 1035): what is asked, and what is answered.

use simple_dns::rdata::RData;
use simple_dns::{Packet, PacketFlag};

use crate::packet::Addr;

/// The registered port, and that of multicast DNS.
pub const PORTS: [u16; 2] = [53, 5353];

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The first name that is asked for, lower case, without a dot at its end.
    pub name: String,
    /// As what it is asked for: the number of the type of a record.
    pub kind: u16,
    /// `None`: it only asks.
    pub answer: Option<Answer>,
    /// Addresses in the answer.
    pub addrs: Vec<Addr>,
}

/// What an answer has in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The code: 0 that there is something, 3 that there is no such name (RFC 6895, 2.3).
    pub code: u8,
    /// Records.
    pub records: u16,
    /// Of these: TXT, NULL, and what has no type that is known. They carry anything.
    pub free: u16,
    /// Bytes of data of everything that is no address.
    pub carried: u32,
}

/// The code of an answer that there is no such name.
pub const NO_SUCH_NAME: u8 = 3;

/// Reads a message; `None` for what is none, or asks nothing.
pub fn read(bytes: &[u8]) -> Option<Message> {
    let packet = Packet::parse(bytes).ok()?;
    let question = packet.questions.first()?;
    let (mut answer, mut addrs) = (Answer { code: bytes.get(3).copied().unwrap_or_default() & 0xf, ..Answer::default() }, Vec::new());
    for record in &packet.answers {
        answer.records = answer.records.saturating_add(1);
        let carried = match &record.rdata {
            RData::A(a) => {
                addrs.push(Addr::v4(a.address.to_be_bytes()));
                continue;
            }
            RData::AAAA(a) => {
                addrs.push(Addr(a.address.to_be_bytes()));
                continue;
            }
            RData::TXT(text) => {
                answer.free = answer.free.saturating_add(1);
                text.iter_raw().map(|(key, value)| key.len().saturating_add(value.map_or(0, |v| v.len().saturating_add(1)))).sum()
            }
            RData::NULL(_, data) => {
                answer.free = answer.free.saturating_add(1);
                data.get_data().len()
            }
            RData::CNAME(name) => name.0.as_bytes().map(<[u8]>::len).sum(),
            RData::MX(mx) => mx.exchange.as_bytes().map(<[u8]>::len).sum(),
            RData::SRV(srv) => srv.target.as_bytes().map(<[u8]>::len).sum(),
            _ => 0usize,
        };
        answer.carried = answer.carried.saturating_add(u32::try_from(carried).unwrap_or(u32::MAX));
    }
    Some(Message {
        name: question.qname.to_string().trim_end_matches('.').to_ascii_lowercase(),
        kind: question.qtype.into(),
        answer: packet.has_flags(PacketFlag::RESPONSE).then_some(answer),
        addrs,
    })
}
