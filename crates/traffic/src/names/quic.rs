//! The first packets of QUIC, whose keys everybody knows (RFC 9001, 5.2; RFC 9369, 3): whom a client wants.

use ring::aead::quic::{AES_128, HeaderProtectionKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

use crate::bytes::Bytes;

/// What a version does differently.
struct Version {
    salt: [u8; 20],
    /// The type of an initial packet.
    initial: u8,
    labels: [&'static str; 3],
}

const V1: Version = Version {
    salt: [0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a],
    initial: 0,
    labels: ["quic key", "quic iv", "quic hp"],
};
const V2: Version = Version {
    salt: [0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9],
    initial: 1,
    labels: ["quicv2 key", "quicv2 iv", "quicv2 hp"],
};
/// Drafts 29 to 32, which were in use for a year.
const DRAFT: Version = Version {
    salt: [0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99],
    initial: 0,
    labels: ["quic key", "quic iv", "quic hp"],
};

fn version(number: u32) -> Option<&'static Version> {
    match number {
        1 => Some(&V1),
        0x6b33_43cf => Some(&V2),
        0xff00_001d..=0xff00_0020 => Some(&DRAFT),
        _ => None,
    }
}

/// Whether a datagram may begin with an initial packet of a client.
pub fn begins(datagram: &[u8]) -> bool {
    let [first, version @ ..] = datagram else { return false };
    first & 0xc0 == 0xc0 && Bytes(version).u32().is_some_and(|v| self::version(v).is_some())
}

/// Pieces of the handshake, wherever they stand in it.
#[derive(Clone, Debug, Default)]
pub struct Pieces(Vec<(usize, Vec<u8>)>);

/// Bytes of a handshake that are kept.
const HELD: usize = 1 << 16;

impl Pieces {
    fn push(&mut self, at: usize, bytes: &[u8]) {
        let held: usize = self.0.iter().map(|(_, b)| b.len()).sum();
        if held.saturating_add(bytes.len()) <= HELD {
            self.0.push((at, bytes.to_vec()));
        }
    }

    /// What is there from the beginning without a gap.
    pub fn stream(&mut self) -> Vec<u8> {
        self.0.sort_by_key(|(at, _)| *at);
        let mut out = Vec::new();
        for (at, bytes) in &self.0 {
            let Some(new) = out.len().checked_sub(*at) else { break };
            out.extend_from_slice(bytes.get(new..).unwrap_or_default());
        }
        out
    }
}

/// A number in one to eight bytes (RFC 9000, 16).
fn number(bytes: &mut Bytes<'_>) -> Option<u64> {
    let first = bytes.u8()?;
    let mut value = u64::from(first & 0x3f);
    for _ in 1..(1u32 << (first >> 6)) {
        value = value << 8 | u64::from(bytes.u8()?);
    }
    Some(value)
}

fn length(bytes: &mut Bytes<'_>) -> Option<usize> {
    usize::try_from(number(bytes)?).ok()
}

/// Puts the handshake of the initial packets of a datagram to the pieces.
pub fn open(datagram: &[u8], pieces: &mut Pieces) {
    let mut rest = datagram;
    while let Some(behind) = packet(rest, pieces) {
        rest = behind;
    }
}

/// One packet; what stands behind it in the datagram.
fn packet<'a>(datagram: &'a [u8], pieces: &mut Pieces) -> Option<&'a [u8]> {
    let mut bytes = Bytes(datagram);
    let first = bytes.u8()?;
    let version = version(bytes.u32()?)?;
    if first & 0xc0 != 0xc0 {
        return None;
    }
    let id = bytes.u8().and_then(|n| bytes.take(n.into()))?;
    bytes.u8().and_then(|n| bytes.take(n.into()))?;
    if first >> 4 & 3 != version.initial {
        return None;
    }
    let token = length(&mut bytes)?;
    bytes.take(token)?;
    let long = length(&mut bytes)?;
    let head = datagram.len().checked_sub(bytes.0.len())?;
    let body = bytes.take(long)?;

    let keys = Keys::new(version, id)?;
    let mask = keys.mask(body.get(4..20)?)?;
    let clear = first ^ mask[0] & 0x0f;
    let width = usize::from(clear & 3).checked_add(1)?;
    let mut header = datagram.get(..head.checked_add(width)?)?.to_vec();
    *header.first_mut()? = clear;
    let mut packet_number = 0u64;
    for (byte, mask) in header.get_mut(head..)?.iter_mut().zip(mask.get(1..)?) {
        *byte ^= mask;
        packet_number = packet_number << 8 | u64::from(*byte);
    }
    let mut sealed = body.get(width..)?.to_vec();
    let plain = keys.open(packet_number, &header, &mut sealed)?;
    frames(plain, pieces);
    Some(bytes.0)
}

struct Keys {
    seal: LessSafeKey,
    iv: [u8; 12],
    head: HeaderProtectionKey,
}

/// Bytes of a key.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label (RFC 8446, 7.1) with an empty context.
fn expand<const N: usize>(secret: &Prk, label: &str) -> Option<[u8; N]> {
    let size = u16::try_from(N).ok()?.to_be_bytes();
    let named = u8::try_from(label.len().checked_add(6)?).ok()?;
    let info: [&[u8]; 5] = [&size, &[named], b"tls13 ", label.as_bytes(), &[0]];
    let mut out = [0; N];
    secret.expand(&info, Length(N)).and_then(|okm| okm.fill(&mut out)).ok()?;
    Some(out)
}

impl Keys {
    fn new(version: &Version, id: &[u8]) -> Option<Self> {
        let initial = Salt::new(HKDF_SHA256, &version.salt).extract(id);
        let client: [u8; 32] = expand(&initial, "client in")?;
        let client = Prk::new_less_safe(HKDF_SHA256, &client);
        let [key, iv, head] = version.labels;
        let seal: [u8; 16] = expand(&client, key)?;
        let mask: [u8; 16] = expand(&client, head)?;
        Some(Self {
            seal: LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &seal).ok()?),
            iv: expand(&client, iv)?,
            head: HeaderProtectionKey::new(&AES_128, &mask).ok()?,
        })
    }

    fn mask(&self, sample: &[u8]) -> Option<[u8; 5]> {
        self.head.new_mask(sample).ok()
    }

    fn open<'b>(&self, number: u64, header: &[u8], sealed: &'b mut [u8]) -> Option<&'b [u8]> {
        let mut nonce = self.iv;
        for (byte, part) in nonce.iter_mut().rev().zip(number.to_be_bytes().iter().rev()) {
            *byte ^= part;
        }
        let opened = self.seal.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(header), sealed);
        opened.ok().map(|plain| &*plain)
    }
}

/// The frames that initial packets may hold (RFC 9000, 17.2.2).
fn frames(plain: &[u8], pieces: &mut Pieces) {
    let mut bytes = Bytes(plain);
    let mut one = || -> Option<()> {
        match bytes.u8()? {
            // Padding, ping.
            0 | 1 => {}
            // What was received.
            kind @ (2 | 3) => {
                number(&mut bytes)?;
                number(&mut bytes)?;
                let ranges = number(&mut bytes)?;
                number(&mut bytes)?;
                for _ in 0..ranges {
                    number(&mut bytes)?;
                    number(&mut bytes)?;
                }
                if kind == 3 {
                    for _ in 0..3 {
                        number(&mut bytes)?;
                    }
                }
            }
            6 => {
                let at = length(&mut bytes)?;
                let long = length(&mut bytes)?;
                pieces.push(at, bytes.take(long)?);
            }
            _ => return None,
        }
        Some(())
    };
    while one().is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of the examples of RFC 9001, A.1 and RFC 9369, A.1.
    #[test]
    fn the_published_keys() {
        let id = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
        let rows: [(&Version, &str, &str, &str); 2] = [
            (&V1, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"),
            (&V2, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"),
        ];
        for (version, key, iv, head) in rows {
            let initial = Salt::new(HKDF_SHA256, &version.salt).extract(&id);
            let client: [u8; 32] = expand(&initial, "client in").unwrap();
            let client = Prk::new_less_safe(HKDF_SHA256, &client);
            let [k, i, h] = version.labels;
            let hex = umbilical_core::id::hex;
            assert_eq!(hex(&expand::<16>(&client, k).unwrap()), key);
            assert_eq!(hex(&expand::<12>(&client, i).unwrap()), iv);
            assert_eq!(hex(&expand::<16>(&client, h).unwrap()), head);
        }
    }

    #[test]
    fn pieces_in_any_order_and_over_one_another() {
        let mut pieces = Pieces::default();
        pieces.push(4, b"efgh");
        assert_eq!(pieces.stream(), b"");
        pieces.push(2, b"cdef");
        pieces.push(0, b"abc");
        assert_eq!(pieces.stream(), b"abcdefgh");
    }

    #[test]
    fn numbers_of_every_width() {
        // RFC 9000, A.1.
        for (bytes, value) in [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
        ] {
            assert_eq!(number(&mut Bytes(bytes)), Some(value));
        }
    }
}
