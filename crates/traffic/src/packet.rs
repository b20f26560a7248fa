//! From IP to what it carries, through the tunnels that are no conversation of their own.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU64;

use etherparse::{IpAuthHeaderSlice, Ipv4HeaderSlice, Ipv6ExtensionsSlice, Ipv6HeaderSlice, TcpSlice, UdpSlice, ip_number};

use crate::link::{Link, ip, u16_at};

/// An address of either family in 16 bytes: version 4 as `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Addr(pub [u8; 16]);

/// At once: each packet looks for its addresses.
impl Hash for Addr {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u128(u128::from_ne_bytes(self.0));
    }
}

impl Addr {
    /// Of version 4.
    pub fn v4(bytes: [u8; 4]) -> Self {
        Self(Ipv4Addr::from(bytes).to_ipv6_mapped().octets())
    }

    /// As the standard library has it.
    pub fn ip(self) -> IpAddr {
        Ipv6Addr::from(self.0).to_canonical()
    }

    /// Whether it is of version 4.
    pub fn is_v4(self) -> bool {
        matches!(self.bits(), Bits::V4(_))
    }

    /// As two words, the first bytes in the first.
    pub fn words(self) -> [u64; 2] {
        let all = u128::from_be_bytes(self.0);
        [(all >> 64) as u64, all as u64]
    }

    /// Of its two words.
    pub fn of_words([high, low]: [u64; 2]) -> Self {
        Self((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
    }

    /// Its bits.
    pub fn bits(self) -> Bits {
        let all = u128::from_be_bytes(self.0);
        if all >> 32 == 0xffff { Bits::V4(all as u32) } else { Bits::V6(all) }
    }
}

/// Bits of an address, the first one highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bits {
    /// Of version 4.
    V4(u32),
    /// Of version 6.
    V6(u128),
}

impl From<IpAddr> for Addr {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::v4(ip.octets()),
            IpAddr::V6(ip) => Self(ip.octets()),
        }
    }
}

impl std::fmt::Debug for Addr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.ip().fmt(f)
    }
}

/// Numbers of protocols (IANA).
pub mod proto {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// IP in IP.
    pub const IPIP: u8 = 4;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// IPv6 in IP.
    pub const IPV6: u8 = 41;
    /// GRE.
    pub const GRE: u8 = 47;
    /// ICMPv6.
    pub const ICMPV6: u8 = 58;
    /// SCTP.
    pub const SCTP: u8 = 132;
}

/// Flags of a TCP segment, as they lie in its header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// No more from here.
    pub const FIN: u8 = 0x01;
    /// The beginning.
    pub const SYN: u8 = 0x02;
    /// Refused, or broken off.
    pub const RST: u8 = 0x04;
    /// To be handed on at once.
    pub const PSH: u8 = 0x08;
    /// Something was heard.
    pub const ACK: u8 = 0x10;

    /// Whether all of these are set.
    pub const fn has(self, flags: u8) -> bool {
        self.0 & flags == flags
    }

    /// Whether one of these is set.
    pub const fn any(self, flags: u8) -> bool {
        self.0 & flags != 0
    }
}

/// A piece of a datagram that was too long for a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The datagram's number.
    pub id: u32,
    /// Where it stands, in units of eight bytes.
    pub offset: u16,
    /// Whether others follow.
    pub more: bool,
}

/// What an IP packet carries, in its bytes.
pub type Datagram<'a> = Packet<&'a [u8]>;

/// The same, by whatever says which bytes those are: themselves, or where they stand.
#[derive(Clone, Copy, Debug)]
pub struct Packet<B> {
    /// From where.
    pub src: Addr,
    /// To where.
    pub dst: Addr,
    /// Number of its protocol.
    pub proto: u8,
    /// Port there; of ICMP the type and code.
    pub src_port: u16,
    /// Port here; of ICMP the identifier of an echo, or 0.
    pub dst_port: u16,
    /// Of TCP.
    pub flags: Flags,
    /// Of TCP: the number of its first byte.
    pub sequence: Option<u32>,
    /// Where it is one of several pieces: then ports stand in the first alone.
    pub piece: Option<Piece>,
    /// Bytes of IP, header and all, as the header has it.
    pub length: u32,
    /// What the transport carries, as much of it as was captured.
    pub payload: B,
    /// Its first two bytes, zeros where it has fewer: they tell what most payloads are not without a look at where those lie.
    pub leading: [u8; 2],
    /// Whether less was captured than was sent.
    pub cut: bool,
    /// The number of its conversation ([`crate::flow::Key::number`]), where somebody has found it out before.
    pub number: Option<NonZeroU64>,
}

/// Where bytes stand in a piece of a capture: from where, and how many.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place(u32, u32);

impl Place {
    /// Of a part of a piece.
    pub fn of(part: &[u8], piece: &[u8]) -> Self {
        let from = part.as_ptr().addr().saturating_sub(piece.as_ptr().addr());
        Self(from as u32, part.len() as u32)
    }

    /// The bytes, in their piece.
    pub fn within(self, piece: &[u8]) -> &[u8] {
        piece.get(self.0 as usize..).and_then(|from| from.get(..self.1 as usize)).unwrap_or_default()
    }
}

/// Tunnels in tunnels are followed so deep.
const DEPTH: usize = 8;

/// Reads an IP packet, and the one inside where it is GRE, IP in IP or the like.
///
/// It becomes part of whoever asks, in each place: its answer is long, and put down and copied would be waited for.
#[inline(always)]
pub fn datagram(mut packet: &[u8]) -> Option<Datagram<'_>> {
    for _ in 0..DEPTH {
        let Head { src, dst, length, proto, bytes, piece, cut } = match packet.first()? >> 4 {
            4 => Head::v4(packet)?,
            6 => Head::v6(packet)?,
            _ => return None,
        };
        let inside = match proto {
            _ if piece.is_some() => None,
            proto::IPIP | proto::IPV6 => Some(bytes),
            proto::GRE => gre(bytes),
            _ => None,
        };
        if let Some(inside) = inside {
            packet = inside;
            continue;
        }
        // Ports stand in the first piece; one that is whole on the wire and whole here waits for the others.
        let begins = piece.is_none() || cut && piece.is_some_and(|p| p.offset == 0);
        let Carried { ports: (src_port, dst_port), flags, sequence, payload } =
            if begins { carried(proto, bytes) } else { Carried::nothing(bytes) };
        let leading = leading(payload);
        return Some(Datagram { src, dst, proto, src_port, dst_port, flags, sequence, piece, length, payload, leading, cut, number: None });
    }
    None
}

/// What IP says, and what it carries: as much as is there, for a capture may keep less than was sent.
struct Head<'a> {
    src: Addr,
    dst: Addr,
    length: u32,
    proto: u8,
    bytes: &'a [u8],
    piece: Option<Piece>,
    cut: bool,
}

/// They are taken apart by whoever asks for them, and so are put nowhere in between: what is written in parts and copied as a whole waits
/// for all that was written before.
impl<'a> Head<'a> {
    #[inline]
    fn v4(packet: &'a [u8]) -> Option<Self> {
        let head = Ipv4HeaderSlice::from_slice(packet).ok()?;
        let behind = packet.get(head.slice().len()..)?;
        let total = head.total_len();
        // Segmentation offload leaves it empty.
        let length = if total == 0 { packet.len() as u32 } else { total.into() };
        let (mut bytes, cut) = match usize::from(total).checked_sub(head.slice().len()) {
            Some(said) => behind.get(..said).map_or((behind, true), |bytes| (bytes, false)),
            None => (behind, false),
        };
        let mut proto = head.protocol();
        if proto == ip_number::AUTH
            && let Ok(auth) = IpAuthHeaderSlice::from_slice(bytes)
        {
            (proto, bytes) = (auth.next_header(), bytes.get(auth.slice().len()..)?);
        }
        let piece = head.is_fragmenting_payload().then(|| Piece {
            id: head.identification().into(),
            offset: head.fragments_offset().value(),
            more: head.more_fragments(),
        });
        Some(Self { src: Addr::v4(head.source()), dst: Addr::v4(head.destination()), length, proto: proto.0, bytes, piece, cut })
    }

    #[inline]
    fn v6(packet: &'a [u8]) -> Option<Self> {
        let head = Ipv6HeaderSlice::from_slice(packet).ok()?;
        let behind = packet.get(head.slice().len()..)?;
        // Of jumbograms, and where segmentation is left to the card, it is empty.
        let ((mut bytes, cut), length) = match head.payload_length() {
            0 => ((behind, false), packet.len() as u32),
            said => (behind.get(..said.into()).map_or((behind, true), |bytes| (bytes, false)), u32::from(said).saturating_add(40)),
        };
        let (mut proto, mut piece) = (head.next_header(), None);
        if proto.is_ipv6_ext_header_value() {
            let (between, behind, carried, _) = Ipv6ExtensionsSlice::from_slice_lax(proto, bytes);
            if between.is_fragmenting_payload() {
                piece = Some(of_v6(proto.0, between.slice())?);
            }
            (proto, bytes) = (behind, carried);
        }
        Some(Self { src: Addr(head.source()), dst: Addr(head.destination()), length, proto: proto.0, bytes, piece, cut })
    }
}

/// What the header of fragmentation says, somewhere among headers of which the first has this number (RFC 8200, 4; RFC 4302, 2.2). One of a
/// piece that is the whole says nothing (RFC 6946). The library's own way through them breaks off where the last is cut.
fn of_v6(mut number: u8, mut headers: &[u8]) -> Option<Piece> {
    loop {
        let [next, words, ..] = *headers else { return None };
        let length = match number {
            FRAGMENT => {
                let word = u16_at(headers, 2)?;
                let id = u32::from(u16_at(headers, 4)?) << 16 | u32::from(u16_at(headers, 6)?);
                let of = Piece { id, offset: word >> 3, more: word & 1 == 1 };
                if of.more || of.offset > 0 {
                    return Some(of);
                }
                8
            }
            AUTH => usize::from(words).saturating_add(2).saturating_mul(4),
            _ => usize::from(words).saturating_add(1).saturating_mul(8),
        };
        (number, headers) = (next, headers.get(length..)?);
    }
}

/// Numbers of headers between IPv6 and what it carries (IANA).
const FRAGMENT: u8 = 44;
const AUTH: u8 = 51;

impl<B> Packet<B> {
    /// The same, its bytes said in another way.
    #[must_use]
    #[inline]
    pub fn with<C>(&self, payload: C) -> Packet<C> {
        let Self { src, dst, proto, src_port, dst_port, flags, sequence, piece, length, leading, cut, number, .. } = *self;
        Packet { src, dst, proto, src_port, dst_port, flags, sequence, piece, length, payload, leading, cut, number }
    }
}

impl<'a> Datagram<'a> {
    /// The same of all its pieces, whose bytes of IP were so many.
    #[must_use]
    pub fn joined(&self, bytes: &'a [u8], length: u32) -> Datagram<'a> {
        let Carried { ports: (src_port, dst_port), flags, sequence, payload } = carried(self.proto, bytes);
        let leading = leading(payload);
        Datagram { piece: None, cut: false, length, src_port, dst_port, flags, sequence, payload, leading, number: None, ..*self }
    }
}

fn leading(payload: &[u8]) -> [u8; 2] {
    payload.first_chunk().copied().unwrap_or_default()
}

/// What a transport carries, and between which ports.
struct Carried<'a> {
    ports: (u16, u16),
    flags: Flags,
    sequence: Option<u32>,
    payload: &'a [u8],
}

impl<'a> Carried<'a> {
    /// Of what is not understood: all of it.
    fn nothing(bytes: &'a [u8]) -> Self {
        Self { ports: (0, 0), flags: Flags(0), sequence: None, payload: bytes }
    }
}

/// What IP carries. It is taken apart by whoever asks for it, and so is put nowhere in between.
#[inline]
fn carried(number: u8, bytes: &[u8]) -> Carried<'_> {
    let nothing = Carried::nothing(bytes);
    match number {
        proto::TCP => TcpSlice::from_slice(bytes).map_or(nothing, |tcp| Carried {
            ports: (tcp.source_port(), tcp.destination_port()),
            sequence: Some(tcp.sequence_number()),
            flags: Flags(bytes.get(13).copied().unwrap_or_default()),
            payload: tcp.payload(),
        }),
        proto::UDP => UdpSlice::from_slice_lax(bytes).map_or(nothing, |udp| Carried {
            ports: (udp.source_port(), udp.destination_port()),
            payload: udp.payload(),
            ..Carried::nothing(bytes)
        }),
        proto::SCTP => match (u16_at(bytes, 0), u16_at(bytes, 2), bytes.get(12..)) {
            (Some(src), Some(dst), Some(payload)) => Carried { ports: (src, dst), payload, ..nothing },
            _ => nothing,
        },
        proto::ICMP | proto::ICMPV6 => match (u16_at(bytes, 0), bytes.get(8..)) {
            (Some(kind), Some(payload)) => {
                // An echo and its answer have one identifier.
                let echo = if number == proto::ICMP { [0, 8] } else { [128, 129] };
                let of = u16_at(bytes, 4).filter(|_| bytes.first().is_some_and(|kind| echo.contains(kind)));
                Carried { ports: (kind, of.unwrap_or_default()), payload, ..nothing }
            }
            _ => nothing,
        },
        _ => nothing,
    }
}

/// The IP packet in GRE (RFC 2784, 2890; version 1 is that of PPTP, RFC 2637).
fn gre(bytes: &[u8]) -> Option<&[u8]> {
    let flags = u16_at(bytes, 0)?;
    let kind = u16_at(bytes, 2)?;
    let mut head = 4usize;
    if flags & 0x7 == 0 {
        head += 4 * usize::from(flags & 0xc000 != 0) + 4 * usize::from(flags & 0x2000 != 0) + 4 * usize::from(flags & 0x1000 != 0);
        return crate::link::behind(kind, bytes.get(head..)?);
    }
    head += 4 + 4 * usize::from(flags & 0x1000 != 0) + 4 * usize::from(flags & 0x0080 != 0);
    (kind == 0x880b).then(|| ip(Link(9), bytes.get(head..)?)).flatten()
}

#[cfg(test)]
mod tests {
    use etherparse::{LaxIpSlice, PacketBuilder};
    use proptest::prelude::*;

    use super::*;

    /// Packets of all kinds that have something put between.
    fn packets() -> Vec<Vec<u8>> {
        let write = |build: etherparse::PacketBuilderStep<etherparse::UdpHeader>| {
            let mut out = Vec::new();
            build.write(&mut out, b"what is carried").unwrap();
            out
        };
        let v4 = write(PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64).udp(1, 2));
        let v6 = write(PacketBuilder::ipv6([1; 16], [2; 16], 64).udp(1, 2));
        // Behind a header of authentication, options for the way, and a fragment's.
        let between = |packet: &[u8], at: usize, next: usize, number: u8, header: &[u8]| {
            let mut out = [packet.get(..at).unwrap(), header, packet.get(at..).unwrap()].concat();
            out[at] = out[next];
            out[next] = number;
            let length = if at == 20 { out.len() } else { out.len() - 40 } as u16;
            let place = if at == 20 { 2 } else { 4 };
            out[place..place + 2].copy_from_slice(&length.to_be_bytes());
            out
        };
        let auth = between(&v4, 20, 9, 51, &[0, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1]);
        let options = between(&v6, 40, 6, 60, &[0; 8]);
        let piece = between(&options, 40, 6, 44, &[0, 0, 0, 1, 0, 0, 0, 7]);
        let hops = between(&piece, 40, 6, 0, &[0; 8]);
        vec![v4, v6, auth, options, piece, hops]
    }

    /// Whom a packet is from and to, as what it carries which bytes, whether in pieces, and whether it is cut.
    type Said<'a> = (Addr, Addr, u8, &'a [u8], bool, bool);

    /// What the library that reads headers makes of a whole packet.
    fn by_library(packet: &[u8]) -> Option<Said<'_>> {
        let (ip, _) = LaxIpSlice::from_slice(packet).ok()?;
        let of = ip.payload();
        let (src, dst) = match &ip {
            LaxIpSlice::Ipv4(v4) => (Addr::v4(v4.header().source()), Addr::v4(v4.header().destination())),
            LaxIpSlice::Ipv6(v6) => (Addr(v6.header().source()), Addr(v6.header().destination())),
        };
        Some((src, dst, of.ip_number.0, of.payload, of.fragmented, of.incomplete))
    }

    /// What is made of it here.
    fn by_us(packet: &[u8]) -> Option<Said<'_>> {
        let head = match packet.first()? >> 4 {
            4 => Head::v4(packet)?,
            6 => Head::v6(packet)?,
            _ => return None,
        };
        Some((head.src, head.dst, head.proto, head.bytes, head.piece.is_some(), head.cut))
    }

    #[test]
    fn headers_are_read_however_much_of_them_is_there() {
        for packet in packets() {
            for cut in 0..=packet.len() {
                assert_eq!(by_us(&packet[..cut]), by_library(&packet[..cut]), "{cut} of {packet:?}");
            }
        }
    }

    #[test]
    fn a_fragment_is_known_with_something_behind_it() {
        let mut piece = packets().swap_remove(4);
        let wanted = Some(Piece { id: 7, offset: 0, more: true });
        for _ in 0..8 {
            assert_eq!(Head::v6(&piece).unwrap().piece, wanted);
            // A check sequence of the link is captured with it.
            piece.push(0xee);
        }
    }

    proptest! {
        #[test]
        fn headers_are_read_as_by_the_library(which in 0..6usize, cut in 0..120usize, bent in proptest::collection::vec((0..60usize, any::<u8>()), 0..4)) {
            let mut packet = packets().swap_remove(which);
            for (at, byte) in bent {
                if let Some(place) = packet.get_mut(at) {
                    *place = byte;
                }
            }
            packet.truncate(cut.max(1));
            prop_assert_eq!(by_us(&packet), by_library(&packet));
        }
    }
}
