//! What devices of a substation publish straight over Ethernet: GOOSE (IEC 61850-8-1, annex C) and sampled values (IEC 61850-9-2).
//!
//! There is no IP in it, no answer and no connection: a publisher sends to a group, again and again, what any on the wire may take.
//! So it is no conversation. What there is to say is who publishes, under which number, and what it calls itself.

use std::collections::BTreeMap;

use crate::link::{Link, u16_at};
use crate::time::Micros;

/// A kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// States and commands: a trip, an interlock.
    Goose,
    /// Currents and voltages as they are measured.
    Sampled,
}

impl Kind {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Goose => "goose",
            Self::Sampled => "sampled-values",
        }
    }
}

/// A frame of a publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Who publishes what.
    pub from: From,
    /// The name of the control block of GOOSE (`gocbRef`), of the first stream of sampled values (`svID`); empty where it is not to be
    /// read.
    pub name: &'a str,
}

/// Who publishes what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct From {
    /// What kind.
    pub kind: Kind,
    /// The sender's MAC address.
    pub mac: [u8; 6],
    /// The number that tells subscribers what it is (APPID).
    pub number: u16,
}

/// Tags of VLANs before the EtherType.
const TAGS: usize = 4;
/// A reference has at most 129 characters (IEC 61850-8-1, 8.1.3.4).
const LONGEST: usize = 129;

/// Reads a frame; `None` for any other.
pub fn read(link: Link, frame: &[u8]) -> Option<Message<'_>> {
    if link != Link::ETHERNET {
        return None;
    }
    let mac = *frame.get(6..)?.first_chunk()?;
    let mut rest = frame.get(12..)?;
    for _ in 0..TAGS {
        if !matches!(u16_at(rest, 0)?, 0x8100 | 0x88a8) {
            break;
        }
        rest = rest.get(4..)?;
    }
    let (kind, outer) = match u16_at(rest, 0)? {
        0x88b8 => (Kind::Goose, 0x61),
        0x88ba => (Kind::Sampled, 0x60),
        _ => return None,
    };
    // Number, length, and two that are reserved; then BER.
    let number = u16_at(rest, 2)?;
    let body = rest.get(10..)?;
    let name = match (kind, element(body)?) {
        (Kind::Goose, (tag, body, _)) if tag == outer => find(0x80, body),
        // Of how many there are, in their sequence, the first.
        (Kind::Sampled, (tag, body, _)) if tag == outer => find(0xa2, body).and_then(|b| find(0x30, b)).and_then(|b| find(0x80, b)),
        _ => return None,
    };
    let name = name.and_then(|name| std::str::from_utf8(name).ok()).filter(|n| n.len() <= LONGEST && !n.contains(char::is_control));
    Some(Message { from: From { kind, mac, number }, name: name.unwrap_or_default() })
}

/// The value of the first element with a tag.
fn find(wanted: u8, mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let (tag, value, rest) = element(bytes)?;
        if tag == wanted {
            return Some(value);
        }
        bytes = rest;
    }
}

/// Tag and value of the first element, as far as they are there, and what stands behind it (X.690, 8.1).
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (length, rest) = match rest {
        [0x81, length, rest @ ..] => (usize::from(*length), rest),
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [length, rest @ ..] if *length < 0x80 => (usize::from(*length), rest),
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    Some((*tag, value, rest))
}

/// What is known of a publisher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// What it calls itself; empty: it was not to be read.
    pub name: String,
    /// Its first frame.
    pub first: Micros,
    /// Its last.
    pub last: Micros,
    /// Its frames.
    pub packets: u64,
}

/// Those that are told apart.
const MOST: usize = 4096;

/// Who publishes.
#[derive(Debug, Default)]
pub struct Publishers(BTreeMap<From, Publisher>);

impl Publishers {
    /// A frame.
    pub fn hear(&mut self, message: &Message<'_>, at: Micros) {
        if self.0.len() >= MOST && !self.0.contains_key(&message.from) {
            return;
        }
        let new = || Publisher { name: message.name.to_owned(), first: at, last: at, packets: 0 };
        let one = self.0.entry(message.from).or_insert_with(new);
        (one.first, one.last) = (one.first.min(at), one.last.max(at));
        one.packets = one.packets.saturating_add(1);
        if one.name.is_empty() {
            message.name.clone_into(&mut one.name);
        }
    }

    /// All of them, in an order of their own.
    pub fn iter(&self) -> impl Iterator<Item = (&From, &Publisher)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: [u8; 6] = [0x01, 0x0c, 0xcd, 0x01, 0, 1];
    const RELAY: [u8; 6] = [2, 0, 0, 0, 0, 7];

    fn frame(tags: &[u8], ether_type: u16, number: u16, body: &[u8]) -> Vec<u8> {
        let head = [&GROUP[..], &RELAY, tags, &ether_type.to_be_bytes(), &number.to_be_bytes()].concat();
        [&head[..], &((body.len() + 8) as u16).to_be_bytes(), &[0; 4], body].concat()
    }

    fn ber(tag: u8, value: &[u8]) -> Vec<u8> {
        match value.len() {
            length @ ..0x80 => [&[tag, length as u8][..], value].concat(),
            length @ ..0x100 => [&[tag, 0x81, length as u8][..], value].concat(),
            length => [&[tag, 0x82][..], &(length as u16).to_be_bytes(), value].concat(),
        }
    }

    fn goose(name: &str, filling: usize) -> Vec<u8> {
        ber(0x61, &[ber(0x80, name.as_bytes()), ber(0x81, &[7, 0xd0]), ber(0xab, &vec![0; filling])].concat())
    }

    #[test]
    fn publishers_say_who_they_are() {
        let name = "BAY1LD0/LLN0$GO$trip";
        for (tags, filling) in [(&[][..], 0), (&[0x81, 0, 0x80, 5], 90), (&[0x88, 0xa8, 0, 1, 0x81, 0, 0x80, 5], 900)] {
            let bytes = frame(tags, 0x88b8, 3, &goose(name, filling));
            let from = From { kind: Kind::Goose, mac: RELAY, number: 3 };
            assert_eq!(read(Link::ETHERNET, &bytes), Some(Message { from, name }));
        }
        let asdu = ber(0x30, &[ber(0x80, b"BAY1MU01"), ber(0x82, &[0, 9]), ber(0x87, &[0; 64])].concat());
        let sampled = ber(0x60, &[ber(0x80, &[2]), ber(0xa2, &[asdu.clone(), asdu].concat())].concat());
        let bytes = frame(&[0x81, 0, 0x80, 5], 0x88ba, 0x4000, &sampled);
        let from = From { kind: Kind::Sampled, mac: RELAY, number: 0x4000 };
        assert_eq!(read(Link::ETHERNET, &bytes), Some(Message { from, name: "BAY1MU01" }));
        // Another type, another link, another body, a name with a line in it.
        assert_eq!(read(Link::ETHERNET, &frame(&[], 0x0800, 3, &goose(name, 0))), None);
        assert_eq!(read(Link::RAW, &bytes), None);
        assert_eq!(read(Link::ETHERNET, &frame(&[], 0x88b8, 3, &sampled)), None);
        assert_eq!(read(Link::ETHERNET, &frame(&[], 0x88b8, 3, &goose("a\nb", 0))).map(|m| m.name), Some(""));
    }

    #[test]
    fn what_is_cut_or_bent_says_less() {
        let whole = frame(&[0x81, 0, 0x80, 5], 0x88b8, 3, &goose("BAY1LD0/LLN0$GO$trip", 300));
        for cut in 0..whole.len() {
            let said = read(Link::ETHERNET, &whole[..cut]);
            assert!(said.is_none_or(|m| "BAY1LD0/LLN0$GO$trip".starts_with(m.name)), "{cut}: {said:?}");
            let mut bent = whole.clone();
            bent[cut] ^= 0xff;
            let _ = read(Link::ETHERNET, &bent);
        }
    }

    #[test]
    fn they_are_told_apart_and_not_without_end() {
        let mut all = Publishers::default();
        let from = |number| From { kind: Kind::Goose, mac: RELAY, number };
        for (at, name) in [(5, ""), (3, "a"), (9, "b")] {
            all.hear(&Message { from: from(1), name }, Micros(at));
        }
        let one = Publisher { name: "a".into(), first: Micros(3), last: Micros(9), packets: 3 };
        assert_eq!(all.iter().collect::<Vec<_>>(), [(&from(1), &one)]);
        (0..6000).for_each(|n| all.hear(&Message { from: from(n), name: "" }, Micros(1)));
        assert_eq!(all.iter().count(), MOST);
    }
}
