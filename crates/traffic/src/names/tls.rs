//! The first message of TLS: whom a client wants, and what it is recognised by.
//!
//! Read by hand and not by a library's parser: the fingerprints are made of the extensions in the order and number in which they were
//! sent, and must not end at the first one whose content somebody else cannot read.

use md5::Md5;
use sha2::{Digest as _, Sha256};
use umbilical_core::id::hex;

use crate::bytes::Bytes;

/// How the message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// TCP.
    Tcp,
    /// QUIC.
    Quic,
    /// Datagrams (DTLS).
    Datagrams,
}

/// A ClientHello (RFC 8446, 4.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The name of the server, lower case.
    pub sni: Option<String>,
    /// The first protocol that the client would speak.
    pub alpn: Option<Vec<u8>>,
    version: u16,
    ciphers: Vec<u16>,
    extensions: Vec<u16>,
    groups: Vec<u16>,
    formats: Vec<u8>,
    signatures: Vec<u16>,
    /// The highest of those that are offered (RFC 8446, 4.2.1).
    highest: Option<u16>,
}

/// Values that mean nothing, and are sent so that nobody relies on them (RFC 8701).
fn grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

/// What of a record layer's bytes is its handshake: `None` where they are none, or not all of the first message is there.
pub fn handshake(stream: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut bytes = Bytes(stream);
    loop {
        let [kind, major, _minor] = bytes.array::<3>()?;
        if kind != 22 || major != 3 {
            return None;
        }
        let length = usize::from(bytes.u16()?);
        let part = bytes.0.get(..length.min(bytes.0.len()))?;
        out.extend_from_slice(part);
        let whole = Bytes(out.get(1..).unwrap_or_default()).u24().and_then(|n| usize::try_from(n).ok()?.checked_add(4));
        if let Some(whole) = whole.filter(|whole| out.len() >= *whole) {
            out.truncate(whole);
            return Some(out);
        }
        bytes.take(length)?;
    }
}

/// Whether a stream begins as TLS does.
pub fn begins(stream: &[u8]) -> bool {
    matches!(stream, [22, 3, 0..=4, ..])
}

/// Whether a stream that was joined in the middle has the head of a record.
pub fn goes_on(stream: &[u8]) -> bool {
    matches!(stream, [20 | 21 | 23, 3, 0..=4, 0..=0x40, _, _, ..])
}

/// What a server says first (RFC 5246, 7.3), as far as it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flight {
    /// It goes on.
    More,
    /// There is no certificate in clear: the newer protocol was chosen, a conversation is taken up again, or this is something else.
    Over,
    /// The server's own certificate.
    Leaf(Vec<u8>),
}

/// Bytes of the messages before a certificate and of one: a few hundred, and some thousand.
const FLIGHT: usize = 16 << 10;

/// Reads what a server says first, from its first byte on.
pub fn flight(stream: &[u8]) -> Flight {
    let mut messages = Vec::new();
    let mut bytes = Bytes(stream);
    let goes_on = loop {
        let Some([kind, major, _]) = bytes.array::<3>() else { break true };
        if kind != 22 || major != 3 {
            break false;
        }
        let Some(length) = bytes.u16().map(usize::from) else { break true };
        messages.extend_from_slice(bytes.0.get(..length.min(bytes.0.len())).unwrap_or_default());
        if bytes.take(length).is_none() {
            break true;
        }
    };
    let mut bytes = Bytes(&messages);
    while let Some(kind) = bytes.u8() {
        let Some(length) = bytes.u24().and_then(|n| usize::try_from(n).ok()) else { break };
        // Of a chain the first is enough: what stands behind it need not be there.
        if kind == 11 {
            let mut chain = bytes;
            let leaf = chain.u24().and_then(|_| chain.u24()).and_then(|n| usize::try_from(n).ok());
            return match leaf {
                Some(0) => Flight::Over,
                Some(n) if n > length || n > FLIGHT => Flight::Over,
                Some(n) => match chain.take(n) {
                    Some(leaf) => Flight::Leaf(leaf.to_vec()),
                    None if goes_on => Flight::More,
                    None => Flight::Over,
                },
                None if goes_on => Flight::More,
                None => Flight::Over,
            };
        }
        let Some(body) = bytes.take(length) else { break };
        if kind != 2 || chosen(body) == Some(0x0304) {
            return Flight::Over;
        }
    }
    if goes_on { Flight::More } else { Flight::Over }
}

/// The protocol that a ServerHello chooses beside its own field (RFC 8446, 4.2.1).
fn chosen(hello: &[u8]) -> Option<u16> {
    let mut bytes = Bytes(hello);
    bytes.take(34)?;
    let session = bytes.u8()?;
    bytes.take(session.into())?;
    bytes.take(3)?;
    let length = bytes.u16()?;
    let mut extensions = Bytes(bytes.take(length.into())?);
    loop {
        let kind = extensions.u16()?;
        let value = extensions.u16().and_then(|n| extensions.take(n.into()))?;
        if kind == 43 {
            return Bytes(value).u16();
        }
    }
}

/// Reads a ClientHello with the head of its handshake.
pub fn hello(handshake: &[u8]) -> Option<Hello> {
    let mut bytes = Bytes(handshake);
    if bytes.u8()? != 1 {
        return None;
    }
    let length = usize::try_from(bytes.u24()?).ok()?;
    let mut bytes = Bytes(bytes.take(length)?);
    let version = bytes.u16()?;
    bytes.take(32)?;
    let session = bytes.u8()?;
    bytes.take(session.into())?;
    let ciphers = list16(&mut bytes)?;
    let compression = bytes.u8()?;
    bytes.take(compression.into())?;
    let mut out = Hello {
        sni: None,
        alpn: None,
        version,
        ciphers: ciphers.into_iter().filter(|c| !grease(*c)).collect(),
        extensions: Vec::new(),
        groups: Vec::new(),
        formats: Vec::new(),
        signatures: Vec::new(),
        highest: None,
    };
    // Without a length there are no extensions.
    let Some(length) = bytes.u16() else { return Some(out) };
    let mut bytes = Bytes(bytes.take(length.into())?);
    while let Some(kind) = bytes.u16() {
        let Some(value) = bytes.u16().and_then(|n| bytes.take(n.into())) else { break };
        if !grease(kind) {
            out.extensions.push(kind);
            out.extension(kind, Bytes(value));
        }
    }
    Some(out)
}

/// A list of values behind its length in bytes.
fn list16(bytes: &mut Bytes<'_>) -> Option<Vec<u16>> {
    let length = bytes.u16()?;
    let mut list = Bytes(bytes.take(length.into())?);
    Some(std::iter::from_fn(|| list.u16()).collect())
}

/// What a fingerprint is made of. Each module says some dozen numbers each time it calls: they are written without a formatter.
struct Text(Vec<u8>);

impl Text {
    /// Numbers, with dashes between.
    fn decimal(&mut self, list: impl Iterator<Item = u16>) {
        for (n, value) in list.enumerate() {
            if n > 0 {
                self.0.push(b'-');
            }
            let digits = [value / 10_000, value / 1000 % 10, value / 100 % 10, value / 10 % 10, value % 10].map(digit);
            let from = digits.iter().take(4).take_while(|d| **d == b'0').count();
            self.0.extend_from_slice(digits.get(from..).unwrap_or_default());
        }
    }

    /// Numbers of four digits of hex, with commas between.
    fn hex(&mut self, list: &[u16]) {
        for (n, value) in list.iter().enumerate() {
            if n > 0 {
                self.0.push(b',');
            }
            self.0.extend([12, 8, 4, 0].map(|bits| digit(value >> bits & 0xf)));
        }
    }

    /// Behind a line, twelve digits of its hash; of nothing twelve noughts.
    fn digest(&self, out: &mut String) {
        out.push('_');
        if self.0.is_empty() {
            out.push_str("000000000000");
        } else {
            out.push_str(hex(&Sha256::digest(&self.0)).get(..12).unwrap_or_default());
        }
    }
}

fn digit(value: u16) -> u8 {
    let value = (value & 0xf) as u8;
    if value < 10 { b'0' | value } else { (b'a' - 10).wrapping_add(value) }
}

impl Hello {
    fn extension(&mut self, kind: u16, mut value: Bytes<'_>) {
        let plain = |list: Option<Vec<u16>>| list.unwrap_or_default().into_iter().filter(|v| !grease(*v)).collect();
        match kind {
            // RFC 6066, 3: the first name of a host.
            0 => {
                let mut list = value;
                list.u16();
                while let Some(kind) = list.u8() {
                    let Some(name) = list.u16().and_then(|n| list.take(n.into())) else { break };
                    if kind == 0 {
                        self.sni = Some(String::from_utf8_lossy(name).to_ascii_lowercase());
                        break;
                    }
                }
            }
            10 => self.groups = plain(list16(&mut value)),
            11 => self.formats = value.u8().and_then(|n| value.take(n.into())).unwrap_or_default().to_vec(),
            13 => self.signatures = plain(list16(&mut value)),
            // RFC 7301.
            16 => {
                value.u16();
                self.alpn = value.u8().and_then(|n| value.take(n.into())).filter(|p| !p.is_empty()).map(<[u8]>::to_vec);
            }
            43 => {
                let mut list = Bytes(value.u8().and_then(|n| value.take(n.into())).unwrap_or_default());
                self.highest = std::iter::from_fn(|| list.u16()).filter(|v| !grease(*v)).max();
            }
            _ => {}
        }
    }

    /// JA3: <https://github.com/salesforce/ja3>.
    pub fn ja3(&self) -> String {
        let formats = self.formats.iter().map(|f| u16::from(*f));
        let mut text = Text(Vec::with_capacity(512));
        text.decimal([self.version].into_iter());
        for list in [&self.ciphers, &self.extensions, &self.groups] {
            text.0.push(b',');
            text.decimal(list.iter().copied());
        }
        text.0.push(b',');
        text.decimal(formats);
        hex(&Md5::digest(&text.0))
    }

    /// JA4: <https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md>.
    pub fn ja4(&self, over: Over) -> String {
        let over = match over {
            Over::Tcp => 't',
            Over::Quic => 'q',
            Over::Datagrams => 'd',
        };
        let version = match self.highest.unwrap_or(self.version) {
            0x0304 => "13",
            0x0303 => "12",
            0x0302 => "11",
            0x0301 => "10",
            0x0300 => "s3",
            0x0002 => "s2",
            0xfeff => "d1",
            0xfefd => "d2",
            0xfefc => "d3",
            _ => "00",
        };
        let named = if self.extensions.contains(&0) { 'd' } else { 'i' };
        let count = |n: usize| n.min(99);
        let mut out = format!("{over}{version}{named}{:02}{:02}{}", count(self.ciphers.len()), count(self.extensions.len()), self.ends());
        let mut text = Text(Vec::with_capacity(512));
        // Four digits of hex are in the order of their numbers.
        let mut sorted = self.ciphers.clone();
        sorted.sort_unstable();
        text.hex(&sorted);
        text.digest(&mut out);
        sorted.clear();
        sorted.extend(self.extensions.iter().filter(|e| !matches!(e, 0 | 16)));
        sorted.sort_unstable();
        text.0.clear();
        text.hex(&sorted);
        if !self.signatures.is_empty() {
            text.0.push(b'_');
            text.hex(&self.signatures);
        }
        text.digest(&mut out);
        out
    }

    /// The first and last character of the protocol; of their bytes in hex where one is none.
    fn ends(&self) -> String {
        let Some([first, last]) = self.alpn.as_ref().and_then(|p| Some([*p.first()?, *p.last()?])) else { return "00".to_owned() };
        if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
            return [first, last].map(char::from).iter().collect();
        }
        let digits = format!("{first:02x}{last:02x}");
        [digits.chars().next(), digits.chars().last()].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(values: &[u16]) -> Vec<u8> {
        let body: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
        [&(body.len() as u16).to_be_bytes()[..], &body].concat()
    }

    fn message(ciphers: &[u16], extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let body: Vec<u8> =
            extensions.iter().flat_map(|(k, v)| [&k.to_be_bytes()[..], &(v.len() as u16).to_be_bytes(), v].concat()).collect();
        let hello = [&[3, 3][..], &[0; 32], &[0], &list(ciphers), &[1, 0], &(body.len() as u16).to_be_bytes(), &body].concat();
        let length = (hello.len() as u32).to_be_bytes();
        [&[1][..], &length[1..], &hello].concat()
    }

    /// The example of the specification of JA4: a browser, with values that mean nothing strewn in.
    fn browser() -> Vec<u8> {
        let ciphers = [
            0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
        ];
        let sni = [&[0, 14, 0, 0, 11][..], b"Example.org"].concat();
        let signatures = list(&[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]);
        let mut extensions: Vec<(u16, Vec<u8>)> = vec![
            (0x1a1a, vec![]),
            (0, sni),
            (0x0017, vec![]),
            (0xff01, vec![0]),
            (0x000a, list(&[0x2a2a, 29, 23, 24])),
            (0x000b, vec![1, 0]),
            (0x0023, vec![]),
            (0x0010, b"\x00\x0c\x02h2\x08http/1.1".to_vec()),
            (0x0005, vec![1, 0, 0, 0, 0]),
            (0x000d, signatures),
            (0x0012, vec![]),
            (0x0033, vec![]),
            (0x002d, vec![1, 1]),
            (0x002b, vec![7, 0x3a, 0x3a, 3, 4, 3, 3, 3]),
            (0x001b, vec![2, 0, 2]),
            (0x4469, vec![]),
            (0x4a4a, vec![0]),
            (0x0015, vec![0; 9]),
        ];
        extensions[13].1 = [&[6][..], &[0x3a, 0x3a, 3, 4, 3, 3]].concat();
        message(&ciphers, &extensions)
    }

    #[test]
    fn the_published_fingerprint() {
        let hello = hello(&browser()).unwrap();
        assert_eq!(hello.sni.as_deref(), Some("example.org"));
        assert_eq!(hello.alpn.as_deref(), Some(&b"h2"[..]));
        assert_eq!(hello.ja4(Over::Tcp), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        assert_eq!(hello.ja4(Over::Quic), "q13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn the_published_digest() {
        // The example of JA3's own page.
        let text = "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0";
        let ciphers = [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4];
        let mut bytes = message(&ciphers, &[(0, vec![]), (10, list(&[23, 24, 25])), (11, vec![1, 0])]);
        bytes[5] = 1;
        let hello = hello(&bytes).unwrap();
        assert_eq!(hex(&Md5::digest(text)), "ada70206e40642a3e4461f35503241d5");
        assert_eq!(hello.ja3(), "ada70206e40642a3e4461f35503241d5");
    }

    #[test]
    fn messages_in_several_records_are_one() {
        let whole = browser();
        for cut in [1, 4, 5, 100, whole.len() - 1] {
            let record = |part: &[u8]| [&[22, 3, 1][..], &(part.len() as u16).to_be_bytes(), part].concat();
            let stream = [record(&whole[..cut]), record(&whole[cut..])].concat();
            assert_eq!(handshake(&stream).as_deref(), Some(&whole[..]), "{cut}");
            assert_eq!(handshake(&stream[..stream.len() - 1]), None);
        }
    }

    #[test]
    fn a_server_shows_its_certificate_in_clear_or_does_not() {
        let message = |kind: u8, body: &[u8]| [&[kind][..], &(body.len() as u32).to_be_bytes()[1..], body].concat();
        let hello = |chosen: Option<u16>| {
            let extensions = chosen.map_or(vec![0xff, 1, 0, 1, 0], |v| [&[0, 43, 0, 2][..], &v.to_be_bytes()].concat());
            message(2, &[&[3, 3][..], &[0; 32], &[0, 0xc0, 0x2f, 0], &(extensions.len() as u16).to_be_bytes(), &extensions].concat())
        };
        let record = |part: &[u8]| [&[22, 3, 3][..], &(part.len() as u16).to_be_bytes(), part].concat();
        let leaf = vec![0x30; 900];
        let chain = |leaf: &[u8]| {
            let one = [&(leaf.len() as u32).to_be_bytes()[1..], leaf].concat();
            let two = [one, vec![0, 0, 2, 5, 5]].concat();
            message(11, &[&(two.len() as u32).to_be_bytes()[1..], &two].concat())
        };
        let messages = [hello(None), chain(&leaf)].concat();
        for cut in [1, 40, 100, messages.len() - 1] {
            let stream = [record(&messages[..cut]), record(&messages[cut..])].concat();
            assert_eq!(flight(&stream), Flight::Leaf(leaf.clone()), "{cut}");
            for end in (0..stream.len() - 5).step_by(13) {
                assert!(matches!(flight(&stream[..end]), Flight::More | Flight::Leaf(_)), "{cut} {end}");
            }
        }
        assert_eq!(flight(&record(&hello(Some(0x0304)))), Flight::Over);
        // Taken up again: the next record is no handshake.
        assert_eq!(flight(&[record(&hello(None)), vec![20, 3, 3, 0, 1, 1]].concat()), Flight::Over);
        assert_eq!(flight(&record(&[hello(None), chain(&[])].concat())), Flight::Over);
        assert_eq!((flight(b"SSH-2.0-x"), flight(&[])), (Flight::Over, Flight::More));
    }

    #[test]
    fn protocols_of_odd_letters_are_said_in_hex() {
        let of = |alpn: &[u8]| {
            let value = [&[0, alpn.len() as u8 + 1, alpn.len() as u8][..], alpn].concat();
            hello(&message(&[1], &[(16, value)])).unwrap().ja4(Over::Tcp)[8..10].to_owned()
        };
        assert_eq!([of(b"h2"), of(b"http/1.1"), of(b"x"), of(&[0xab]), of(&[0x30, 0xab]), of(b"")], ["h2", "h1", "xx", "ab", "3b", "00"]);
    }
}
