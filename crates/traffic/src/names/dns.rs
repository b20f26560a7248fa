//! DNS (RFC 1035): what is asked, and what is answered.
//!
//! Types of questions are many, and new ones come: what is asked for as something unknown is a question all the same, and a record that
//! cannot be read costs what stands behind it and not the message. Questions of one message are of one name, so the first counts.

use crate::bytes::Bytes;
use crate::packet::Addr;

/// The registered port.
pub const PORT: u16 = 53;

/// Whether it is the registered port, or that of multicast DNS.
pub const fn is_port(port: u16) -> bool {
    matches!(port, PORT | 5353)
}

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

/// Numbers of types of records (IANA, *DNS Parameters*).
mod kind {
    pub const A: u16 = 1;
    pub const NS: u16 = 2;
    pub const CNAME: u16 = 5;
    pub const PTR: u16 = 12;
    pub const MX: u16 = 15;
    pub const TXT: u16 = 16;
    pub const AAAA: u16 = 28;
    pub const SRV: u16 = 33;
    pub const DNAME: u16 = 39;
    /// Those whose data has a form, beside these: SOA, HINFO, RP, AFSDB, SIG, LOC, NXT, NAPTR, KX, APL, DS, SSHFP, IPSECKEY, RRSIG, NSEC,
    /// DNSKEY, DHCID, NSEC3, NSEC3PARAM, TLSA, SMIMEA, HIP, CDS, CDNSKEY, CSYNC, ZONEMD, SVCB, HTTPS, TKEY, TSIG, URI, CAA.
    pub const FORMED: [u16; 32] =
        [6, 13, 17, 18, 24, 29, 30, 35, 36, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 55, 59, 60, 62, 63, 64, 65, 249, 250, 256, 257];
}

/// Bytes of a name, and of a label (RFC 1035, 3.1); how often one may point to another.
const NAME: usize = 255;
const LABEL: u8 = 63;
/// Most names are no longer.
const USUAL: usize = 64;
/// [`char::REPLACEMENT_CHARACTER`].
const REPLACED: &str = "\u{fffd}";
const POINTERS: u32 = 16;
/// Questions and records that are looked at.
const QUESTIONS: u16 = 64;
const RECORDS: u16 = 512;
/// The newest operation is 6 (RFC 8490).
const OPERATIONS: u8 = 6;
/// Classes of questions: of the Internet, CHAOS, Hesiod, none, any.
const CLASSES: [u16; 5] = [1, 3, 4, 254, 255];

/// Reads a message; `None` for what is none, or asks nothing.
pub fn read(message: &[u8]) -> Option<Message> {
    let mut rest = Bytes(message);
    rest.u16()?;
    let [flags, code] = rest.array()?;
    let (questions, records) = (rest.u16()?, rest.u16()?);
    rest.u32()?;
    if questions == 0 || questions > QUESTIONS || flags >> 3 & 0xf > OPERATIONS {
        return None;
    }
    let mut name = String::with_capacity(USUAL);
    each_label(message, &mut rest, &mut |label| {
        if !name.is_empty() {
            name.push('.');
        }
        match std::str::from_utf8(label) {
            Ok(text) if !label.contains(&b'.') => name.push_str(text),
            // A dot inside of a label is none between two.
            _ => name.push_str(&String::from_utf8_lossy(label).replace('.', REPLACED)),
        }
    })?;
    name.make_ascii_lowercase();
    let (kind, class) = (rest.u16()?, rest.u16()?);
    // The highest bit asks for an answer to one only (RFC 6762, 5.4).
    if !CLASSES.contains(&(class & 0x7fff)) {
        return None;
    }
    for _ in 1..questions {
        each_label(message, &mut rest, &mut |_| {})?;
        rest.u32()?;
    }
    let (mut answer, mut addrs) = (Answer { code: code & 0xf, ..Answer::default() }, Vec::new());
    for _ in 0..records.min(RECORDS) {
        if record(message, &mut rest, &mut answer, &mut addrs).is_none() {
            break;
        }
    }
    Some(Message { name, kind, answer: (flags & 0x80 != 0).then_some(answer), addrs })
}

/// Gives each label of a name, and goes on behind it.
fn each_label<'a>(message: &'a [u8], rest: &mut Bytes<'a>, each: &mut dyn FnMut(&'a [u8])) -> Option<()> {
    let (mut at, mut elsewhere, mut pointers, mut bytes) = (Bytes(rest.0), false, 0, 0_usize);
    loop {
        let length = at.u8()?;
        match length {
            0 => break,
            1..=LABEL => {
                bytes = bytes.saturating_add(usize::from(length)).saturating_add(1);
                if bytes >= NAME {
                    return None;
                }
                each(at.take(length.into())?);
            }
            0xc0.. => {
                let to = usize::from(u16::from_be_bytes([length & 0x3f, at.u8()?]));
                if !elsewhere {
                    *rest = at;
                    elsewhere = true;
                }
                pointers += 1;
                at = Bytes(message.get(to..).filter(|_| pointers <= POINTERS)?);
            }
            _ => return None,
        }
    }
    if !elsewhere {
        *rest = at;
    }
    Some(())
}

fn record<'a>(message: &'a [u8], rest: &mut Bytes<'a>, answer: &mut Answer, addrs: &mut Vec<Addr>) -> Option<()> {
    each_label(message, rest, &mut |_| {})?;
    let kind = rest.u16()?;
    // Class and how long it may be kept.
    rest.take(6)?;
    let length = rest.u16()?;
    let mut data = Bytes(rest.take(length.into())?);
    let mut named = |skip: usize| {
        data.take(skip)?;
        let mut sum = 0_usize;
        each_label(message, &mut data, &mut |label| sum = sum.saturating_add(label.len()))?;
        Some(sum)
    };
    let carried = match kind {
        kind::A => {
            addrs.push(data.v4()?);
            0
        }
        kind::AAAA => {
            addrs.push(data.v6()?);
            0
        }
        kind::NS | kind::CNAME | kind::PTR | kind::DNAME => named(0)?,
        kind::MX => named(2)?,
        kind::SRV => named(6)?,
        kind::TXT => {
            answer.free = answer.free.saturating_add(1);
            let mut sum = 0_usize;
            while let Some(text) = data.u8().and_then(|length| data.take(length.into())) {
                sum = sum.saturating_add(text.len());
            }
            sum
        }
        _ if kind::FORMED.contains(&kind) => 0,
        _ => {
            answer.free = answer.free.saturating_add(1);
            length.into()
        }
    };
    answer.records = answer.records.saturating_add(1);
    answer.carried = answer.carried.saturating_add(u32::try_from(carried).unwrap_or(u32::MAX));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A question for `a.example`, and records behind it.
    fn message(kind: u16, flags: u16, records: &[&[u8]]) -> Vec<u8> {
        let head = [7, flags, 1, records.len() as u16, 0, 0].map(u16::to_be_bytes).concat();
        [&head[..], b"\x01A\x07example\0", &kind.to_be_bytes(), &[0, 1], &records.concat()].concat()
    }

    fn record(kind: u16, data: &[u8]) -> Vec<u8> {
        [&[0xc0, 12][..], &kind.to_be_bytes(), &[0, 1, 0, 0, 0, 9], &(data.len() as u16).to_be_bytes(), data].concat()
    }

    #[test]
    fn questions_of_any_type_are_questions() {
        for kind in [1, 16, 25, 65, 249, 255, 65_399] {
            let read = read(&message(kind, 0x0100, &[])).unwrap();
            assert_eq!((&*read.name, read.kind, read.answer), ("a.example", kind, None));
        }
    }

    #[test]
    fn records_are_counted_by_what_they_carry() {
        let of = |records: &[Vec<u8>]| {
            let read = read(&message(1, 0x8183, &records.iter().map(Vec::as_slice).collect::<Vec<_>>())).unwrap();
            let Answer { code, records, free, carried } = read.answer.unwrap();
            assert_eq!(code, NO_SUCH_NAME);
            (records, free, carried, read.addrs.len())
        };
        assert_eq!(of(&[]), (0, 0, 0, 0));
        assert_eq!(of(&[record(1, &[192, 0, 2, 1]), record(28, &[7; 16])]), (2, 0, 0, 2));
        assert_eq!(of(&[record(16, b"\x03abc\x02de"), record(10, &[9; 40]), record(65_399, &[9; 5])]), (3, 3, 50, 0));
        assert_eq!(
            of(&[record(5, b"\x03abc\xc0\x0c"), record(15, b"\0\x0a\x02de\0"), record(33, b"\0\0\0\0\0\x50\x01f\0")]),
            (3, 0, 14, 0)
        );
        // What has a form carries nothing; what is broken costs what stands behind it.
        assert_eq!(of(&[record(65, &[0, 1, 0]), record(1, &[1, 2]), record(1, &[1, 2, 3, 4])]), (1, 0, 0, 0));
    }

    #[test]
    fn what_is_no_message_is_none() {
        let whole = message(1, 0x0100, &[]);
        for cut in 0..whole.len() {
            assert_eq!(read(&whole[..cut]), None, "{cut}");
        }
        // A name that points to itself, a label that is too long, a name that is, and a class of nobody.
        let with = |name: &[u8], class: u8| read(&[&[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], name, &[0, 1, 0, class]].concat());
        assert!(with(b"\x01a\0", 1).is_some());
        assert_eq!(with(b"\xc0\x0c", 1), None);
        assert_eq!(with(&[&[64][..], &[b'a'; 64], b"\0"].concat(), 1), None);
        assert_eq!(with(&[&b"\x3f"[..], &[b'a'; 63]].concat().repeat(4).iter().copied().chain([0]).collect::<Vec<_>>(), 1), None);
        assert_eq!(with(b"\x01a\0", 77), None);
        assert_eq!(with(b"\x03a.b\x02\xff\xfe\0", 1).unwrap().name, "a\u{fffd}b.\u{fffd}\u{fffd}");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(head in proptest::collection::vec(0..4_u8, 12), rest in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            if let Some(read) = read(&[head, rest].concat()) {
                proptest::prop_assert!(read.name.len() <= 3 * NAME && read.addrs.len() <= usize::from(RECORDS));
            }
        }
    }
}
