//! What a certificate says of itself (RFC 5280, 4.1): whose it is, who signed it, from when to when.
//!
//! Four fields at fixed places, read by hand: nothing of it is checked, and of most conversations the hash alone is asked for.

use crate::bytes::Bytes;
use crate::record::stamp;
use crate::time::Micros;

/// What stands in a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Whose it is: `C=XX, O=Example, CN=www.example`, in the order in which it stands there.
    pub subject: Option<Box<str>>,
    /// Who signed it.
    pub issuer: Option<Box<str>>,
    /// From when it is valid.
    pub from: Option<Micros>,
    /// Until when.
    pub until: Option<Micros>,
}

/// Parts of a name that are told.
const PARTS: usize = 16;
/// Bytes of a name that are kept.
const LONGEST: usize = 512;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;

/// Reads a certificate in DER; what cannot be read is left out.
pub fn read(der: &[u8]) -> Option<Certificate> {
    let mut whole = Bytes(der);
    let mut outer = Bytes(value(&mut whole, SEQUENCE)?);
    let mut body = Bytes(value(&mut outer, SEQUENCE)?);
    // The version, which the first one leaves out; number; algorithm.
    if body.0.first() == Some(&0xa0) {
        field(&mut body)?;
    }
    field(&mut body)?;
    field(&mut body)?;
    let issuer = name(value(&mut body, SEQUENCE)?);
    let mut validity = Bytes(value(&mut body, SEQUENCE)?);
    let (from, until) = (field(&mut validity).and_then(time), field(&mut validity).and_then(time));
    let subject = value(&mut body, SEQUENCE).and_then(name);
    Some(Certificate { subject, issuer, from, until })
}

/// The next field: its tag and what is in it.
fn field<'a>(bytes: &mut Bytes<'a>) -> Option<(u8, &'a [u8])> {
    let tag = bytes.u8()?;
    let length = match bytes.u8()? {
        n @ 0..=0x7f => usize::from(n),
        0x81 => usize::from(bytes.u8()?),
        0x82 => usize::from(bytes.u16()?),
        0x83 => usize::try_from(bytes.u24()?).ok()?,
        // Longer than any, or of no length.
        _ => return None,
    };
    Some((tag, bytes.take(length)?))
}

/// The next field, which has this tag.
fn value<'a>(bytes: &mut Bytes<'a>, tag: u8) -> Option<&'a [u8]> {
    field(bytes).filter(|(found, _)| *found == tag).map(|(_, value)| value)
}

/// A name: sets of pairs of what and which.
fn name(bytes: &[u8]) -> Option<Box<str>> {
    let mut rest = Bytes(bytes);
    let mut out = String::new();
    for _ in 0..PARTS {
        let Some(set) = value(&mut rest, SET) else { break };
        let mut set = Bytes(set);
        while let Some(pair) = value(&mut set, SEQUENCE) {
            let mut pair = Bytes(pair);
            let (what, (_, text)) = (value(&mut pair, OID)?, field(&mut pair)?);
            let Some(what) = kind(what) else { continue };
            if !out.is_empty() {
                out.push_str(", ");
            }
            out.push_str(what);
            out.push('=');
            out.push_str(&umbilical_core::text::clean(&String::from_utf8_lossy(text)));
            if out.len() > LONGEST {
                break;
            }
        }
    }
    (!out.is_empty()).then(|| out.into())
}

/// What a part of a name is (X.520; RFC 4519; PKCS #9), by the bytes of its identifier.
fn kind(oid: &[u8]) -> Option<&'static str> {
    Some(match oid {
        [0x55, 4, 3] => "CN",
        [0x55, 4, 5] => "serialNumber",
        [0x55, 4, 6] => "C",
        [0x55, 4, 7] => "L",
        [0x55, 4, 8] => "ST",
        [0x55, 4, 10] => "O",
        [0x55, 4, 11] => "OU",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1] => "emailAddress",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25] => "DC",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1] => "UID",
        _ => return None,
    })
}

/// A time of two or four digits for its year (RFC 5280, 4.1.2.5).
fn time((tag, bytes): (u8, &[u8])) -> Option<Micros> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (year, rest) = match tag {
        0x17 => {
            let (short, rest) = text.split_at_checked(2)?;
            (format!("{}{short}", if short.parse::<u8>().ok()? < 50 { "20" } else { "19" }), rest)
        }
        0x18 => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.to_owned(), rest)
        }
        _ => return None,
    };
    let part = |n: usize| rest.get(n..n.checked_add(2)?);
    stamp(&format!("{year}-{}-{}T{}:{}:{}Z", part(0)?, part(2)?, part(4)?, part(6)?, part(8)?))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn der(tag: u8, body: &[u8]) -> Vec<u8> {
        match body.len() {
            n @ 0..=0x7f => [&[tag, n as u8][..], body].concat(),
            n => [&[tag, 0x82][..], &(n as u16).to_be_bytes(), body].concat(),
        }
    }

    fn named(parts: &[(&[u8], &str)]) -> Vec<u8> {
        let part = |(oid, text): &(&[u8], &str)| der(SET, &der(SEQUENCE, &[der(OID, oid), der(0x0c, text.as_bytes())].concat()));
        der(SEQUENCE, &parts.iter().flat_map(part).collect::<Vec<_>>())
    }

    fn made(until: &[u8]) -> Vec<u8> {
        let issuer = named(&[(&[0x55, 4, 6], "XX"), (&[0x55, 4, 10], "Example Trust"), (&[0x55, 4, 99], "left out")]);
        let subject = named(&[(&[0x55, 4, 3], "meter.example")]);
        let validity = der(SEQUENCE, &[der(0x17, b"261101022640Z"), until.to_vec()].concat());
        let fields = [der(0xa0, &der(2, &[2])), der(2, &[9; 8]), der(SEQUENCE, &der(OID, &[0x2a])), issuer, validity, subject];
        der(SEQUENCE, &[der(SEQUENCE, &[fields.concat(), vec![0x30, 0]].concat()), der(3, &[0; 65])].concat())
    }

    #[test]
    fn a_certificate_says_whose_it_is() {
        let read = read(&made(&der(0x18, b"20500101000000Z"))).unwrap();
        assert_eq!(read.subject.as_deref(), Some("CN=meter.example"));
        assert_eq!(read.issuer.as_deref(), Some("C=XX, O=Example Trust"));
        assert_eq!(read.from.map(|t| t.to_string()).as_deref(), Some("2026-11-01T02:26:40Z"));
        assert_eq!(read.until.map(|t| t.to_string()).as_deref(), Some("2050-01-01T00:00:00Z"));
    }

    #[test]
    fn one_that_is_cut_says_nothing_wrong() {
        let whole = made(&der(0x17, b"491231235959Z"));
        let all = read(&whole).unwrap();
        assert_eq!(all.until.map(|t| t.to_string()).as_deref(), Some("2049-12-31T23:59:59Z"));
        for cut in 0..whole.len() {
            assert_eq!(read(&whole[..cut]), None, "{cut}");
        }
        assert_eq!(read(&made(&der(0x17, b"4912"))).unwrap().until, None);
    }
}
