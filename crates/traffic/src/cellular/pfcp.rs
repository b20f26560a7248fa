//! PFCP (TS 29.244): sessions between the halves of a gateway, N4 and Sx.

use super::{Act, End, Item, Message, Plane, Side, Ue, digits, labels};
use crate::bytes::Bytes;
use crate::packet::Addr;

/// The registered port.
pub const PORT: u16 = 8805;

/// Reads the messages of a datagram (several may follow one another); others than those about sessions are left out.
pub fn read(datagram: &[u8]) -> Vec<Message> {
    let mut out = Vec::new();
    let mut bytes = Bytes(datagram);
    while let Some(flags) = bytes.u8() {
        if flags >> 5 != 1 {
            break;
        }
        let Some(kind) = bytes.u8() else { break };
        let Some(body) = bytes.u16().and_then(|n| bytes.take(n.into())) else { break };
        out.extend(message(flags, kind, Bytes(body)));
        // Another follows.
        if flags & 0x04 == 0 {
            break;
        }
    }
    out
}

fn message(flags: u8, kind: u8, mut body: Bytes<'_>) -> Option<Message> {
    let (act, answer) = match kind {
        50 => (Act::Create, false),
        51 => (Act::Create, true),
        52 => (Act::Modify, false),
        53 => (Act::Modify, true),
        54 => (Act::Delete, false),
        55 => (Act::Delete, true),
        _ => return None,
    };
    // Messages of a session have its number at the receiver: none before he has given one.
    let to = if flags & 0x01 == 0 { None } else { Some(body.u64()?).filter(|seid| *seid != 0) };
    let sequence = body.u24()?;
    body.u8()?;
    let mut items = Vec::new();
    elements(body, &mut items, 0);
    Some(Message { plane: Plane::Pfcp, act, answer, to, sequence, items })
}

/// Groups in groups are followed so deep: a rule, what it detects, and room for what is to come.
const DEPTH: u8 = 4;

/// What was understood up to the first element that cannot be.
fn elements(mut body: Bytes<'_>, out: &mut Vec<Item>, depth: u8) {
    let group = body;
    while let Some((kind, mut value)) = next(&mut body) {
        match kind {
            // PDRs and what they detect, FARs and their parameters, traffic endpoints.
            1..=4 | 8..=11 | 127..=129 if depth < DEPTH => elements(value, out, depth.saturating_add(1)),
            19 => out.extend(value.u8().map(|cause| Item::Accepted(cause == 1))),
            // Packets that come in from the access are sent to an end that stands towards the core.
            21 => out.extend(f_teid(value).map(|end| Item::User { end, side: opposite(interface(group, 20)) })),
            84 => out.extend(created(value).map(|end| Item::User { end, side: interface(group, 42) })),
            // A network towards the outside is what an access point name names; the other is the operator's own.
            22 if interface(group, 20) == Side::Core || interface(group, 42) == Side::Core => name(value.0, out),
            159 => name(value.0, out),
            57 => out.extend(f_seid(value)),
            93 => ue(value, out),
            141 => user(value, out),
            _ => {}
        }
    }
}

fn opposite(side: Side) -> Side {
    match side {
        Side::Access => Side::Core,
        Side::Core => Side::Access,
        Side::Unknown => Side::Unknown,
    }
}

fn next<'a>(body: &mut Bytes<'a>) -> Option<(u16, Bytes<'a>)> {
    let kind = body.u16()?;
    let length = body.u16()?;
    Some((kind, Bytes(body.take(length.into())?)))
}

/// The source (20) or destination (42) interface that a group names.
fn interface(mut group: Bytes<'_>, which: u16) -> Side {
    while let Some((kind, mut value)) = next(&mut group) {
        if kind == which {
            return match value.u8().map(|b| b & 0x0f) {
                Some(0) => Side::Access,
                Some(1 | 2) => Side::Core,
                _ => Side::Unknown,
            };
        }
    }
    Side::Unknown
}

/// 8.2.3: none where the other side is asked to choose.
fn f_teid(mut value: Bytes<'_>) -> Option<End> {
    let flags = value.u8()?;
    if flags & 0x04 != 0 {
        return None;
    }
    let teid = value.u32()?;
    let at = if flags & 0x01 != 0 {
        value.v4()?
    } else if flags & 0x02 != 0 {
        value.v6()?
    } else {
        return None;
    };
    Some(End { at, teid })
}

/// 8.2.37.
fn f_seid(mut value: Bytes<'_>) -> Option<Item> {
    let flags = value.u8()?;
    let seid = value.u64()?;
    let at = if flags & 0x02 != 0 {
        value.v4()?
    } else if flags & 0x01 != 0 {
        value.v6()?
    } else {
        return None;
    };
    Some(Item::Control(seid, at))
}

/// Outer header creation (8.2.56): where packets to the module are sent.
fn created(mut value: Bytes<'_>) -> Option<End> {
    let what = value.u16()?;
    if what & 0x0300 == 0 {
        return None;
    }
    let teid = value.u32()?;
    let at: Addr = if what & 0x0100 != 0 { value.v4()? } else { value.v6()? };
    Some(End { at, teid })
}

/// UE IP address (8.2.62).
fn ue(mut value: Bytes<'_>, out: &mut Vec<Item>) {
    let Some(flags) = value.u8() else { return };
    if flags & 0x02 != 0 {
        let Some(address) = value.array::<4>() else { return };
        out.push(Item::Ue(Ue::v4(address)));
    }
    if flags & 0x01 != 0 {
        let Some(prefix) = value.array::<16>() else { return };
        // Bits that were delegated stand before the length; without one it is 64.
        if flags & 0x08 != 0 {
            value.u8();
        }
        let bits = if flags & 0x40 != 0 { value.u8() } else { Some(64) };
        out.push(Item::Ue(Ue::v6(prefix, bits.unwrap_or(64))));
    }
}

/// User ID (8.2.101): each number behind its length.
fn user(mut value: Bytes<'_>, out: &mut Vec<Item>) {
    let Some(flags) = value.u8() else { return };
    for bit in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40] {
        if flags & bit == 0 {
            continue;
        }
        let Some(field) = value.u8().and_then(|n| value.take(n.into())) else { return };
        let text = || String::from_utf8_lossy(field);
        match bit {
            0x01 => out.push(Item::Imsi(digits(field))),
            0x02 => out.push(Item::Imei(digits(field))),
            0x04 => out.push(Item::Msisdn(digits(field))),
            // SUPI and PEI are texts: `imsi-…`, `imei-…`, `imeisv-…` (TS 29.571, 5.3.2).
            0x10 => out.extend(text().strip_prefix("imsi-").filter(numeric).map(|d| Item::Imsi(d.to_owned()))),
            0x40 => {
                let text = text();
                let number = text.strip_prefix("imei-").or_else(|| text.strip_prefix("imeisv-"));
                out.extend(number.filter(numeric).map(|d| Item::Imei(d.to_owned())));
            }
            _ => {}
        }
    }
}

fn numeric(text: &&str) -> bool {
    (5..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// A name of a network: labels, or as some write it, a plain text (8.2.4).
fn name(bytes: &[u8], out: &mut Vec<Item>) {
    let plain = bytes.first().is_some_and(u8::is_ascii_alphanumeric);
    let name = if plain { umbilical_core::text::clean(&String::from_utf8_lossy(bytes)).into_owned() } else { labels(bytes) };
    if !name.is_empty() {
        out.push(Item::Apn(name));
    }
}
