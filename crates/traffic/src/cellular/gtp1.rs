//! GTPv1-C (TS 29.060): PDP contexts.

use super::{Act, End, Item, Message, Plane, Side, Ue, digits, labels};
use crate::bytes::Bytes;
use crate::packet::Addr;

/// Reads a message about a PDP context; `None` for any other, and for what is none.
pub fn read(datagram: &[u8], from: Addr) -> Option<Message> {
    let mut bytes = Bytes(datagram);
    let flags = bytes.u8()?;
    // Version 1, GTP and not GTP'.
    if flags & 0xf0 != 0x30 {
        return None;
    }
    let kind = bytes.u8()?;
    let (act, answer) = match kind {
        16 => (Act::Create, false),
        17 => (Act::Create, true),
        18 => (Act::Modify, false),
        19 => (Act::Modify, true),
        20 => (Act::Delete, false),
        21 => (Act::Delete, true),
        _ => return None,
    };
    let length = usize::from(bytes.u16()?);
    let teid = bytes.u32()?;
    let mut body = Bytes(bytes.take(length)?);
    let mut sequence = 0;
    if flags & 0x07 != 0 {
        sequence = u32::from(body.u16()?);
        let [_, mut next] = body.array::<2>()?;
        while flags & 0x04 != 0 && next != 0 {
            let words = usize::from(body.u8()?);
            next = *body.take(words.checked_mul(4)?.checked_sub(1)?)?.last()?;
        }
    }
    let items = items(body, from, answer);
    Some(Message { plane: Plane::Gtp1, act, answer, to: (teid != 0).then_some(teid.into()), sequence, items })
}

/// Lengths of the elements that do not say theirs (TS 29.060, table 37).
fn fixed(kind: u8) -> Option<usize> {
    Some(match kind {
        1 | 8 | 11 | 13 | 14 | 15 | 19 | 20 | 21 | 23 | 24 | 29 => 1,
        25..=28 => 2,
        12 => 3,
        4 | 5 | 16 | 17 | 127 => 4,
        18 => 5,
        3 => 6,
        2 => 8,
        22 => 9,
        9 => 28,
        _ => return None,
    })
}

/// What was understood up to the first element that cannot be.
fn items(mut body: Bytes<'_>, from: Addr, answer: bool) -> Vec<Item> {
    let mut out = Vec::new();
    let (mut data, mut control) = (None, None);
    let mut nodes = Vec::new();
    // Of a request it is the side of the module that asks.
    let side = if answer { Side::Core } else { Side::Access };
    while let Some(kind) = body.u8() {
        let length = if kind < 128 { fixed(kind) } else { body.u16().map(usize::from) };
        let Some(mut value) = length.and_then(|n| body.take(n)).map(Bytes) else { break };
        match kind {
            1 => out.extend(value.u8().map(|cause| Item::Accepted((128..192).contains(&cause)))),
            2 => out.push(Item::Imsi(digits(value.0))),
            16 => data = value.u32(),
            17 => control = value.u32(),
            20 => out.extend(value.u8().map(|n| Item::Bearer(n & 0x0f))),
            128 => out.extend(address(value)),
            131 => out.push(Item::Apn(labels(value.0))),
            133 => nodes.extend(match value.0.len() {
                4 => value.v4(),
                16 => value.v6(),
                _ => None,
            }),
            // The first byte says of what kind the number is.
            134 => out.extend(value.u8().map(|_| Item::Msisdn(digits(value.0)))),
            151 => out.extend(value.u8().map(Item::Rat)),
            154 => out.push(Item::Imei(digits(value.0))),
            _ => {}
        }
    }
    // The first address is for signalling, the second for user data; later ones are those again in the other family.
    if let Some(teid) = control {
        out.push(Item::Control(teid.into(), nodes.first().copied().unwrap_or(from)));
    }
    if let Some(teid) = data {
        let at = nodes.get(1).or(nodes.first()).copied().unwrap_or(from);
        out.push(Item::User { end: End { at, teid }, side });
    }
    out
}

/// An end user address (7.7.27): none where the network is asked for one.
fn address(mut value: Bytes<'_>) -> Vec<Item> {
    let Some([organisation, number]) = value.array::<2>() else { return Vec::new() };
    if organisation & 0x0f != 1 {
        return Vec::new();
    }
    let mut out = Vec::new();
    if matches!(number, 0x21 | 0x8d) && matches!(value.0.len(), 4 | 20) {
        out.extend(value.array().map(Ue::v4));
    }
    if matches!(number, 0x57 | 0x8d) {
        // Bearers of IPv6 have a prefix of 64 bits each (TS 29.061, 11.2.1.3).
        out.extend(value.array().map(|a| Ue::v6(a, 64)));
    }
    out.into_iter().filter(|ue| ue.addr != Addr::v4([0; 4]) && ue.addr.0 != [0; 16]).map(Item::Ue).collect()
}
