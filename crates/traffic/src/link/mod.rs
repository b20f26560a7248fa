//! From a frame to the network layer: link layers, and what is put between them and IP.

mod wireless;

/// A link layer, by its number in the registry of tcpdump.org (`LINKTYPE_…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link(pub i32);

impl Link {
    /// None that is known.
    pub const UNKNOWN: Self = Self(-1);
    /// IP without anything before it.
    pub const RAW: Self = Self(101);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
}

/// Tags, labels and tunnels between a frame and IP are followed so deep.
const DEPTH: u32 = 16;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*bytes))
}

/// The IP packet of a frame; `None` where there is none in it, or it cannot be found.
pub fn ip(link: Link, frame: &[u8]) -> Option<&[u8]> {
    match link.0 {
        1 => ethernet(frame, DEPTH),
        // BSD loopback: the family in the order of whatever machine it was.
        0 | 108 => frame.get(4..),
        // Raw, in the numbers that various systems gave it.
        12 | 14 | 101 | 228 | 229 => Some(frame),
        // PPP, with or without the bytes of HDLC.
        9 | 50 => ppp(match frame.first_chunk::<2>() {
            Some([0xff, 0x03]) => frame.get(2..)?,
            _ => frame,
        }),
        // Cisco HDLC.
        104 => typed(u16_at(frame, 2)?, frame.get(4..)?, DEPTH),
        // Linux cooked, first and second version.
        113 => typed(u16_at(frame, 14)?, frame.get(16..)?, DEPTH),
        276 => typed(u16_at(frame, 0)?, frame.get(20..)?, DEPTH),
        105 => wireless::frame(frame),
        127 => wireless::radiotap(frame),
        _ => None,
    }
}

/// The IP packet behind an EtherType.
pub(crate) fn behind(ether_type: u16, rest: &[u8]) -> Option<&[u8]> {
    typed(ether_type, rest, DEPTH)
}

fn ethernet(frame: &[u8], depth: u32) -> Option<&[u8]> {
    typed(u16_at(frame, 12)?, frame.get(14..)?, depth)
}

/// What stands behind an EtherType.
pub(super) fn typed(ether_type: u16, rest: &[u8], depth: u32) -> Option<&[u8]> {
    let deeper = depth.checked_sub(1)?;
    match ether_type {
        IPV4 | IPV6 => Some(rest),
        // 802.1Q, 802.1ad, and the numbers that were used for it before.
        0x8100 | 0x88a8 | 0x9100 | 0x9200 => typed(u16_at(rest, 2)?, rest.get(4..)?, deeper),
        0x8847 | 0x8848 => mpls(rest, deeper),
        // PPPoE session.
        0x8864 => ppp(rest.get(6..)?),
        // Ethernet behind Ethernet (transparent bridging).
        0x6558 => ethernet(rest, deeper),
        // Up to 1500 it is a length: LLC, and with SNAP a type behind it.
        0..=1500 => match rest.first_chunk::<6>() {
            Some([0xaa, 0xaa, 0x03, 0, 0, 0]) => typed(u16_at(rest, 6)?, rest.get(8..)?, deeper),
            _ => None,
        },
        _ => None,
    }
}

/// Labels to the bottom of the stack; what stands there says what it is by its first half byte (RFC 4928).
fn mpls(mut rest: &[u8], depth: u32) -> Option<&[u8]> {
    for _ in 0..DEPTH {
        let (label, behind) = rest.split_first_chunk::<4>()?;
        rest = behind;
        if label[2] & 1 == 1 {
            return match rest.first()? >> 4 {
                4 | 6 => Some(rest),
                // A control word, and a pseudowire's Ethernet behind it (RFC 4448).
                0 => ethernet(rest.get(4..)?, depth),
                _ => ethernet(rest, depth),
            };
        }
    }
    None
}

fn ppp(frame: &[u8]) -> Option<&[u8]> {
    match frame.first_chunk::<2>()? {
        [0x00, 0x21 | 0x57] => frame.get(2..),
        // The protocol may be one byte.
        [0x21 | 0x57, _] => frame.get(1..),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: &[u8] = &[0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];

    fn behind(parts: &[&[u8]]) -> Vec<u8> {
        [parts.concat(), PACKET.to_vec()].concat()
    }

    #[test]
    fn every_link_leads_to_ip() {
        let macs: &[u8] = &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        let rows: &[(&str, i32, Vec<u8>)] = &[
            ("ethernet", 1, behind(&[macs, &[8, 0]])),
            ("vlan", 1, behind(&[macs, &[0x81, 0, 0, 5, 8, 0]])),
            ("qinq", 1, behind(&[macs, &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0]])),
            ("mpls of two labels", 1, behind(&[macs, &[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64]])),
            ("a pseudowire", 1, behind(&[macs, &[0x88, 0x47, 0, 2, 1, 64, 0, 0, 0, 0], macs, &[8, 0]])),
            ("pppoe", 1, behind(&[macs, &[0x88, 0x64, 0x11, 0, 0, 1, 0, 22, 0, 0x21]])),
            ("llc and snap", 1, behind(&[macs, &[0, 28, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0]])),
            ("loopback", 0, behind(&[&[2, 0, 0, 0]])),
            ("raw", 101, behind(&[])),
            ("ppp", 9, behind(&[&[0xff, 3, 0, 0x21]])),
            ("ppp, short", 9, behind(&[&[0x21]])),
            ("hdlc", 104, behind(&[&[0x0f, 0, 8, 0]])),
            ("cooked", 113, behind(&[&[0; 14], &[8, 0]])),
            ("cooked, second", 276, behind(&[&[8, 0], &[0; 18]])),
            ("802.11", 105, behind(&[&[0x08, 0x01, 0, 0], &[0; 20], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]])),
            ("802.11 with quality of service", 105, behind(&[&[0x88, 0x01, 0, 0], &[0; 22], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]])),
            ("802.11 between bridges", 105, behind(&[&[0x08, 0x03, 0, 0], &[0; 26], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]])),
            ("radiotap", 127, behind(&[&[0, 0, 8, 0, 0, 0, 0, 0], &[0x08, 0x01, 0, 0], &[0; 20], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]])),
        ];
        for (name, link, frame) in rows {
            assert_eq!(ip(Link(*link), frame), Some(PACKET), "{name}");
            // Whatever is cut leads nowhere, or to less of the same.
            for cut in 0..frame.len() {
                let less = ip(Link(*link), &frame[..cut]);
                assert!(less.is_none_or(|l| PACKET.starts_with(l)), "{name} cut at {cut}");
            }
        }
        // Encrypted, and a beacon: no IP to be had.
        assert_eq!(ip(Link(105), &behind(&[&[0x08, 0x41, 0, 0], &[0; 20], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]])), None);
        assert_eq!(ip(Link(105), &behind(&[&[0x80, 0, 0, 0], &[0; 28]])), None);
        // A tower of tags ends.
        let tower = [macs, &[0x81, 0, 0, 5].repeat(400)].concat();
        assert_eq!(ip(Link::ETHERNET, &tower), None);
    }
}
