//! RADIUS (RFC 2865, RFC 2866) as gateways of mobile networks speak it (TS 29.061, clause 16): which SIM got which address, and when.
//!
//! The same protocol admits people to wireless LANs. Only what speaks of a SIM is understood: a message with an attribute of 3GPP, or
//! one that is called from a telephone number.

use super::{Act, Item, Message, Plane, Ue, number_of};
use crate::bytes::Bytes;

/// Accounting and access, and what both had before they were registered.
pub const PORTS: [u16; 4] = [1813, 1812, 1646, 1645];

/// The number of 3GPP among makers (IANA).
const THREE_GPP: u32 = 10415;

/// Reads a message about a session; `None` for any other, and for what is none. Access requests and their answers have the number of
/// the port that asked in front of their own, since that has eight bits.
pub fn read(datagram: &[u8], src_port: u16, dst_port: u16) -> Option<Message> {
    let mut bytes = Bytes(datagram);
    let [code, id] = bytes.array()?;
    let length = usize::from(bytes.u16()?);
    // Authenticator.
    let mut bytes = Bytes(datagram.get(..length)?.get(20..)?);
    let (mut items, mut act, mut session) = (Vec::new(), None, None);
    let (mut of_sim, mut elsewhere, mut called) = (false, false, None);
    while let Some(kind) = bytes.u8() {
        let mut value = Bytes(bytes.u8().and_then(|n| bytes.take(usize::from(n).checked_sub(2)?))?);
        match kind {
            8 => items.extend(value.array().filter(|a| given(*a)).map(|a| Item::Ue(Ue::v4(a)))),
            26 => of_sim |= value.u32() == Some(THREE_GPP) && ours(value, &mut items),
            30 => called = std::str::from_utf8(value.0).ok(),
            31 => items.extend(telephone(value.0).map(Item::Msisdn)),
            40 => act = value.u32(),
            44 => session = Some(number_of(value.0)),
            // Ethernet and wireless LAN.
            61 => elsewhere = matches!(value.u32(), Some(15 | 19)),
            97 | 123 => items.extend(prefix(value)),
            168 => items.extend(value.array().map(|a| Item::Ue(Ue::v6(a, 128)))),
            _ => {}
        }
    }
    let (act, answer) = match (code, act) {
        (1..=3, _) => (Act::Create, code != 1),
        (4, Some(1)) => (Act::Create, false),
        (4, Some(3)) => (Act::Modify, false),
        (4, Some(2)) => (Act::Delete, false),
        _ => return None,
    };
    let called_from = items.iter().any(|i| matches!(i, Item::Msisdn(_)));
    // Answers say little: what they answer tells.
    if elsewhere || !answer && !of_sim && !called_from {
        return None;
    }
    items.extend(called.and_then(network).map(Item::Apn));
    if answer {
        items.push(Item::Accepted(code == 2));
    }
    let access = code < 4;
    let port = if answer { dst_port } else { src_port };
    let sequence = if access { u32::from(port) << 8 | u32::from(id) } else { id.into() };
    // What is admitted has no number yet that anybody would name later.
    let to = session.filter(|_| !access);
    Some(Message { plane: if access { Plane::Access } else { Plane::Radius }, act, answer, to, sequence, items })
}

/// Neither none nor one of those that mean "choose" (RFC 2865, 5.8).
fn given(address: [u8; 4]) -> bool {
    !matches!(address, [0, 0, 0, 0] | [255, 255, 255, 254 | 255])
}

/// Attributes of 3GPP (TS 29.061, 16.4.7); whether there is one.
fn ours(mut bytes: Bytes<'_>, items: &mut Vec<Item>) -> bool {
    let mut any = false;
    while let Some(kind) = bytes.u8() {
        let Some(value) = bytes.u8().and_then(|n| bytes.take(usize::from(n).checked_sub(2)?)) else { break };
        any = true;
        three_gpp(kind.into(), value, items);
    }
    any
}

/// One of them, which Diameter has under the same numbers.
pub(super) fn three_gpp(kind: u32, value: &[u8], items: &mut Vec<Item>) {
    match kind {
        1 => items.extend(numeric(value, 6..=15).map(Item::Imsi)),
        20 => items.extend(equipment(value).map(Item::Imei)),
        21 => items.extend(value.first().map(|rat| Item::Rat(*rat))),
        _ => {}
    }
}

/// Digits as text.
pub(super) fn numeric(value: &[u8], length: std::ops::RangeInclusive<usize>) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?.trim_end_matches('\0');
    (length.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.to_owned())
}

/// An IMEI with or without its version: digits as text, or as some send them in half bytes.
pub(super) fn equipment(value: &[u8]) -> Option<String> {
    numeric(value, 14..=16).or_else(|| Some(super::digits(value)).filter(|d| value.len() == 8 && d.len() >= 14))
}

/// A telephone number, with or without its `+`.
pub(super) fn telephone(value: &[u8]) -> Option<String> {
    numeric(value.strip_prefix(b"+").unwrap_or(value), 5..=15)
}

/// A name of a network. Access points of wireless LANs put their hardware address there.
pub(super) fn network(text: &str) -> Option<String> {
    let hex = text.bytes().filter(u8::is_ascii_hexdigit).count();
    let address = hex >= 12 && text.bytes().take(17).all(|b| b.is_ascii_hexdigit() || matches!(b, b'-' | b':' | b'.'));
    if address {
        return None;
    }
    let name = umbilical_core::text::clean(super::without_operator(text)).into_owned();
    (!name.is_empty()).then_some(name)
}

/// An IPv6 prefix: a byte of nothing, its length, as much of it as there is (RFC 3162, 2.3).
pub(super) fn prefix(mut value: Bytes<'_>) -> Option<Item> {
    let [_, bits] = value.array()?;
    let mut all = [0u8; 16];
    all.get_mut(..value.0.len())?.copy_from_slice(value.0);
    (bits > 0 && bits <= 128).then(|| Item::Ue(Ue::v6(all, bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u8, value: &[u8]) -> Vec<u8> {
        [&[kind, value.len() as u8 + 2][..], value].concat()
    }

    fn message(code: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
        let body = attributes.concat();
        [&[code, 7][..], &(body.len() as u16 + 20).to_be_bytes(), &[0; 16], &body].concat()
    }

    fn vendor(kind: u8, value: &[u8]) -> Vec<u8> {
        attribute(26, &[&THREE_GPP.to_be_bytes()[..], &attribute(kind, value)].concat())
    }

    fn start() -> Vec<u8> {
        message(
            4,
            &[
                attribute(40, &[0, 0, 0, 1]),
                attribute(44, b"0a0b"),
                attribute(8, &[10, 1, 2, 3]),
                attribute(97, &[0, 64, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 9]),
                attribute(30, b"iot.example.mnc001.mcc001.gprs"),
                attribute(31, b"+4915112345"),
                vendor(1, b"001010123456789"),
                vendor(20, b"8676980400001712"),
                vendor(21, &[6]),
            ],
        )
    }

    #[test]
    fn a_session_that_starts() {
        let read = read(&start(), 9, 1813).unwrap();
        assert_eq!((read.plane, read.act, read.answer, read.sequence), (Plane::Radius, Act::Create, false, 7));
        assert_eq!(read.to, Some(number_of(b"0a0b")));
        let prefix = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0];
        let all = [
            Item::Ue(Ue::v4([10, 1, 2, 3])),
            Item::Ue(Ue::v6(prefix, 64)),
            Item::Msisdn("4915112345".into()),
            Item::Imsi("001010123456789".into()),
            Item::Imei("8676980400001712".into()),
            Item::Rat(6),
            Item::Apn("iot.example".into()),
        ];
        assert_eq!(read.items, all);
    }

    #[test]
    fn cut_anywhere_it_is_none() {
        let whole = start();
        for cut in 0..whole.len() {
            assert_eq!(read(&whole[..cut], 9, 1813), None, "{cut}");
        }
    }

    #[test]
    fn who_is_admitted_to_a_wireless_lan_is_no_module() {
        let laptop = [attribute(40, &[0, 0, 0, 1]), attribute(31, b"985AEB898001"), attribute(30, b"00-1A-1E-00-00-01:guests")];
        assert_eq!(read(&message(4, &laptop), 9, 1813), None);
        let phone = [attribute(40, &[0, 0, 0, 1]), vendor(1, b"001010123456789"), attribute(61, &[0, 0, 0, 19])];
        assert_eq!(read(&message(4, &phone), 9, 1813), None);
        assert_eq!(network("00-1A-1E-00-00-01:guests"), None);
        assert_eq!(network("decade.cafe"), Some("decade.cafe".to_owned()));
    }

    #[test]
    fn addresses_that_mean_none_are_none() {
        for none in [[0; 4], [255; 4], [255, 255, 255, 254]] {
            let items = read(&message(4, &[attribute(40, &[0, 0, 0, 3]), attribute(31, b"4915112345"), attribute(8, &none)]), 9, 1813);
            assert_eq!(items.unwrap().items, [Item::Msisdn("4915112345".into())]);
        }
    }
}
