//! Diameter (RFC 6733): credit control (RFC 8506; Gx, TS 29.212; Gy, TS 32.299) and accounting, as gateways ask for sessions.
//!
//! Messages are told by their head, whatever the port. TCP is joined as far as two segments that follow one another ([`Streams`]): a
//! message has a few hundred bytes.

use hashbrown::HashMap;

use super::radius::{equipment, network, numeric, prefix, telephone, three_gpp};
use super::{Act, Item, Message, Plane, Ue, number_of};
use crate::bytes::Bytes;
use crate::packet::{Addr, Datagram, proto};

/// Payload protocol of Diameter in SCTP (RFC 6733, 2.1).
const IN_SCTP: u32 = 46;
/// The longest message that is taken.
const LONGEST: usize = 32 << 10;
/// Groups in groups are followed so deep.
const DEPTH: u8 = 4;

/// Whether bytes begin as a message about a session does; most of what is none is told by its first byte.
pub fn begins(bytes: &[u8]) -> bool {
    let [1, high, mid, low, flags, command @ ..] = bytes else { return false };
    let length = u32::from_be_bytes([0, *high, *mid, *low]);
    let known = Bytes(command).u24().is_some_and(|c| matches!(c, 257 | 258 | 265 | 271 | 272 | 274 | 275 | 280 | 282 | 316..=324));
    known && flags & 0x0f == 0 && length >= 20 && length.is_multiple_of(4) && length as usize <= LONGEST
}

/// The bytes of the first message, and what stands behind it; `None` where not all of it is there.
fn first(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut head = Bytes(bytes);
    head.u8()?;
    bytes.split_at_checked(usize::try_from(head.u24()?).ok()?)
}

/// Reads one message about a session; `None` for any other, and for what is none.
pub fn read(message: &[u8]) -> Option<Message> {
    if !begins(message) {
        return None;
    }
    let (message, _) = first(message)?;
    let mut bytes = Bytes(message);
    bytes.u32()?;
    let answer = bytes.u8()? & 0x80 == 0;
    let command = bytes.u24()?;
    let application = bytes.u32()?;
    let hop = bytes.u32()?;
    bytes.u32()?;
    let mut found = Found { kind: None, session: None, items: Vec::new() };
    pairs(bytes, &mut found, 0);
    let act = match (command, application, found.kind) {
        (272, _, Some(1)) | (271, _, Some(2)) => Act::Create,
        (272, _, Some(2)) | (271, _, Some(3)) => Act::Modify,
        (272, _, Some(3)) | (271, _, Some(4)) => Act::Delete,
        // What a server asks on its own.
        (258, ..) => Act::Modify,
        // Admission and end of a network's access (RFC 7155); other applications begin and end other things with them.
        (265, 1, _) => Act::Create,
        (275, 1, _) => Act::Delete,
        _ => return None,
    };
    let plane = if command == 265 { Plane::Access } else { Plane::Diameter };
    Some(Message { plane, act, answer, to: Some(found.session?), sequence: hop, items: found.items })
}

struct Found {
    /// Whether a session begins, goes on or ends.
    kind: Option<u32>,
    session: Option<u64>,
    items: Vec<Item>,
}

fn pairs(mut bytes: Bytes<'_>, found: &mut Found, depth: u8) {
    // A subscription and a piece of equipment say of what kind they are beside their value.
    let (mut kind, mut data) = (None, None);
    let mut equipped = (None, None);
    while let Some((code, vendor, mut value)) = pair(&mut bytes) {
        match (vendor, code) {
            (0, 263) => found.session = Some(number_of(value.0)),
            (0, 416 | 480) => found.kind = value.u32(),
            (0, 268) => found.items.extend(value.u32().map(|code| Item::Accepted((2000..3000).contains(&code)))),
            (0, 8) => found.items.extend(value.array().filter(|a| *a != [0; 4]).map(|a| Item::Ue(Ue::v4(a)))),
            (0, 97) => found.items.extend(prefix(value)),
            (0, 30) => found.items.extend(std::str::from_utf8(value.0).ok().and_then(network).map(Item::Apn)),
            (0, 31) => found.items.extend(telephone(value.0).map(Item::Msisdn)),
            (0, 450) => kind = value.u32(),
            (0, 444) => data = Some(value.0),
            (0, 459) => equipped.0 = value.u32(),
            (0, 460) => equipped.1 = Some(value.0),
            // Subscription, equipment.
            (0, 443 | 458) if depth < DEPTH => pairs(value, found, depth.saturating_add(1)),
            // Service and packet-switched information (TS 32.299).
            (THREE_GPP, 873 | 874) if depth < DEPTH => pairs(value, found, depth.saturating_add(1)),
            (THREE_GPP, 1227) => found.items.extend(address(value)),
            (THREE_GPP, 1032) => found.items.extend(value.u32().and_then(technology).map(Item::Rat)),
            (THREE_GPP, code) => three_gpp(code, value.0, &mut found.items),
            _ => {}
        }
    }
    match (kind, data) {
        (Some(0), Some(data)) => found.items.extend(telephone(data).map(Item::Msisdn)),
        (Some(1), Some(data)) => found.items.extend(numeric(data, 6..=15).map(Item::Imsi)),
        _ => {}
    }
    if let (Some(0), Some(value)) = equipped {
        found.items.extend(equipment(value).map(Item::Imei));
    }
}

/// The number of 3GPP among makers.
const THREE_GPP: u32 = 10415;

/// The next attribute: code, vendor or 0, value.
fn pair<'a>(bytes: &mut Bytes<'a>) -> Option<(u32, u32, Bytes<'a>)> {
    let code = bytes.u32()?;
    let flags = bytes.u8()?;
    let length = usize::try_from(bytes.u24()?).ok()?;
    let vendor = if flags & 0x80 != 0 { bytes.u32()? } else { 0 };
    let head = if flags & 0x80 != 0 { 12 } else { 8 };
    let value = bytes.take(length.checked_sub(head)?)?;
    // Filled up to four bytes; the last one need not be.
    let filling = length.wrapping_neg() & 3;
    bytes.take(filling.min(bytes.0.len()))?;
    Some((code, vendor, Bytes(value)))
}

/// An address behind its family (RFC 6733, 4.3.1).
fn address(mut value: Bytes<'_>) -> Option<Item> {
    match value.u16()? {
        1 => value.array().map(|a| Item::Ue(Ue::v4(a))),
        2 => value.array().map(|a| Item::Ue(Ue::v6(a, 64))),
        _ => None,
    }
}

/// RAT-Type of Gx (TS 29.212, 5.3.31) as GTP numbers it.
fn technology(kind: u32) -> Option<u8> {
    Some(match kind {
        0 => 3,
        1000 => 1,
        1001 => 2,
        1002 => 4,
        1003 => 5,
        1004 => 6,
        1005 => 8,
        1006 => 10,
        1007 => 9,
        _ => return None,
    })
}

/// A way of a connection.
type Way = (Addr, Addr, u16, u16);

/// Messages of connections, of which the rest of one may be to come.
#[derive(Debug, Default)]
pub struct Streams {
    open: HashMap<Way, Open>,
}

#[derive(Debug)]
struct Open {
    bytes: Vec<u8>,
    /// The number of the byte (TCP) or piece (SCTP) that continues it.
    next: u32,
}

/// Connections that wait for the rest of a message.
const OPEN: usize = 256;

impl Streams {
    /// Whether a packet may hold anything of a message. It is asked of every one.
    pub fn concerns(&self, packet: &Datagram<'_>) -> bool {
        match packet.proto {
            proto::TCP => packet.leading[0] == 1 && begins(packet.payload) || !self.open.is_empty(),
            other => other == proto::SCTP,
        }
    }

    /// Messages that a packet completes.
    pub fn take(&mut self, packet: &Datagram<'_>, each: &mut dyn FnMut(Message)) {
        match packet.proto {
            proto::TCP => self.segment(packet, each),
            proto::SCTP => self.chunks(packet, each),
            _ => {}
        }
    }

    fn segment(&mut self, packet: &Datagram<'_>, each: &mut dyn FnMut(Message)) {
        let Some(sequence) = packet.sequence else { return };
        if packet.payload.is_empty() {
            return;
        }
        let way = (packet.src, packet.dst, packet.src_port, packet.dst_port);
        let mut joined = Vec::new();
        if !self.open.is_empty()
            && let Some(open) = self.open.get(&way)
        {
            // What was seen before says nothing new; behind a hole nothing can be joined.
            if open.next == sequence {
                joined = self.open.remove(&way).map(|o| o.bytes).unwrap_or_default();
                joined.extend_from_slice(packet.payload);
            } else if sequence.wrapping_sub(open.next) < u32::MAX / 2 {
                self.open.remove(&way);
            }
        }
        let rest = messages(if joined.is_empty() { packet.payload } else { &joined }, each);
        if !rest.is_empty()
            && !packet.cut
            && (begins(rest) || rest.len() < 8 && rest.len() < packet.payload.len() && rest.starts_with(&[1]))
        {
            let next = sequence.wrapping_add(u32::try_from(packet.payload.len()).unwrap_or_default());
            self.wait(way, Open { bytes: rest.to_vec(), next });
        }
    }

    fn wait(&mut self, way: Way, open: Open) {
        if open.bytes.len() > LONGEST {
            return;
        }
        if self.open.len() >= OPEN {
            self.open.clear();
        }
        self.open.insert(way, open);
    }

    /// Chunks of SCTP (RFC 9260, 3.3.1), in which messages have bounds of their own.
    fn chunks(&mut self, packet: &Datagram<'_>, each: &mut dyn FnMut(Message)) {
        let mut bytes = Bytes(packet.payload);
        while let Some([kind, flags]) = bytes.array() {
            let Some(length) = bytes.u16() else { return };
            let Some(mut value) = usize::from(length).checked_sub(4).and_then(|n| bytes.take(n)).map(Bytes) else { return };
            bytes.take(usize::from(length.wrapping_neg() & 3).min(bytes.0.len()));
            if kind != 0 {
                continue;
            }
            let (Some(number), Some(_stream), Some(of)) = (value.u32(), value.u32(), value.u32()) else { continue };
            if !matches!(of, IN_SCTP | 0) {
                continue;
            }
            let way = (packet.src, packet.dst, packet.src_port, packet.dst_port);
            let (begins_here, ends_here) = (flags & 2 != 0, flags & 1 != 0);
            if begins_here && ends_here {
                messages(value.0, each);
                continue;
            }
            let mut open = if begins_here {
                Open { bytes: Vec::new(), next: number }
            } else {
                match self.open.remove(&way) {
                    Some(open) if open.next == number => open,
                    _ => continue,
                }
            };
            open.bytes.extend_from_slice(value.0);
            open.next = number.wrapping_add(1);
            if ends_here {
                messages(&open.bytes, each);
            } else if begins(&open.bytes) {
                self.wait(way, open);
            }
        }
    }
}

/// Every message that stands at the beginning of bytes; what is left of them.
fn messages<'a>(mut bytes: &'a [u8], each: &mut dyn FnMut(Message)) -> &'a [u8] {
    while begins(bytes)
        && let Some((message, behind)) = first(bytes)
    {
        if let Some(message) = read(message) {
            each(message);
        }
        bytes = behind;
    }
    bytes
}
