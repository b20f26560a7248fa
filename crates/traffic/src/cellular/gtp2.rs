//! GTPv2-C (TS 29.274): sessions and bearers of the evolved packet core.

use super::{Act, End, Item, Message, Plane, Side, Ue, digits, labels};
use crate::bytes::Bytes;

/// Reads the messages of a datagram (one may ride on another); others than those about sessions and bearers are left out.
pub fn read(datagram: &[u8]) -> Vec<Message> {
    let mut out = Vec::new();
    let mut bytes = Bytes(datagram);
    while let Some(flags) = bytes.u8() {
        if flags >> 5 != 2 {
            break;
        }
        let Some(kind) = bytes.u8() else { break };
        let Some(body) = bytes.u16().and_then(|n| bytes.take(n.into())) else { break };
        out.extend(message(flags, kind, Bytes(body)));
        // Piggybacking: another follows.
        if flags & 0x10 == 0 {
            break;
        }
    }
    out
}

fn message(flags: u8, kind: u8, mut body: Bytes<'_>) -> Option<Message> {
    let (act, answer) = match kind {
        32 => (Act::Create, false),
        33 => (Act::Create, true),
        // Modify bearer; create, update and delete bearer; release access bearers.
        34 | 95 | 97 | 99 | 170 => (Act::Modify, false),
        35 | 96 | 98 | 100 | 171 => (Act::Modify, true),
        36 => (Act::Delete, false),
        37 => (Act::Delete, true),
        _ => return None,
    };
    let to = if flags & 0x08 == 0 { None } else { Some(u64::from(body.u32()?)).filter(|teid| *teid != 0) };
    let sequence = body.u24()?;
    body.u8()?;
    let mut items = Vec::new();
    elements(body, false, &mut items);
    Some(Message { plane: Plane::Gtp2, act, answer, to, sequence, items })
}

/// What was understood up to the first element that cannot be. Inside a bearer ends of tunnels are those of user data.
fn elements(mut body: Bytes<'_>, bearer: bool, out: &mut Vec<Item>) {
    while let Some(kind) = body.u8() {
        let Some(length) = body.u16() else { return };
        if body.u8().is_none() {
            return;
        }
        let Some(mut value) = body.take(length.into()).map(Bytes) else { return };
        match kind {
            1 => out.push(Item::Imsi(digits(value.0))),
            // That of the whole message: a bearer may be refused in a session that is accepted.
            2 if !bearer => out.extend(value.u8().map(|cause| Item::Accepted((16..64).contains(&cause)))),
            71 => out.push(Item::Apn(labels(value.0))),
            73 => out.extend(value.u8().map(|id| Item::Bearer(id & 0x0f))),
            75 => out.push(Item::Imei(digits(value.0))),
            76 => out.push(Item::Msisdn(digits(value.0))),
            79 => paa(value, out),
            82 => out.extend(value.u8().map(Item::Rat)),
            87 => {
                if let Some((end, interface)) = f_teid(value) {
                    let item = if bearer { Item::User { end, side: side(interface) } } else { Item::Control(end.teid.into(), end.at) };
                    out.push(item);
                }
            }
            93 if !bearer => elements(value, true, out),
            _ => {}
        }
    }
}

/// The address of the module (8.14).
fn paa(mut value: Bytes<'_>, out: &mut Vec<Item>) {
    let Some(kind) = value.u8().map(|k| k & 0x07) else { return };
    if matches!(kind, 2 | 3)
        && let Some(bits) = value.u8()
        && let Some(prefix) = value.array::<16>()
        && prefix != [0; 16]
    {
        out.push(Item::Ue(Ue::v6(prefix, bits)));
    }
    if matches!(kind, 1 | 3)
        && let Some(address) = value.array::<4>()
        && address != [0; 4]
    {
        out.push(Item::Ue(Ue::v4(address)));
    }
}

/// A fully qualified TEID (8.22), with the interface that it is of.
fn f_teid(mut value: Bytes<'_>) -> Option<(End, u8)> {
    let flags = value.u8()?;
    let teid = value.u32()?;
    // Where it has both families, packets are sent over the first.
    let at = if flags & 0x80 != 0 {
        value.v4()?
    } else if flags & 0x40 != 0 {
        value.v6()?
    } else {
        return None;
    };
    Some((End { at, teid }, flags & 0x3f))
}

/// The side of an interface: table 8.22-1.
fn side(interface: u8) -> Side {
    match interface {
        // eNodeB, RNC, SGW of S5 and S8, SGSN, ePDG, MME on S11-U.
        0 | 2 | 4 | 15 | 19 | 31 | 35 | 38 => Side::Access,
        // SGW of S1 and S12, PGW, SGW of S4 and S11-U.
        1 | 3 | 5 | 16 | 33 | 34 | 39 => Side::Core,
        _ => Side::Unknown,
    }
}
