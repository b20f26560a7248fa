//! GTP-U, version 1 (TS 29.281): what a module sends and receives, with the number of its tunnel.

use std::slice;

use crate::bytes::Bytes;
use crate::link::u16_at;
use crate::packet::{Datagram, Packet, Place, datagram, proto};

/// The registered port.
pub const PORT: u16 = 2152;
/// A packet of a module.
const G_PDU: u8 = 255;

/// A packet in a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inner<'a> {
    /// The tunnel's number at its receiver.
    pub teid: u32,
    /// The IP packet.
    pub packet: &'a [u8],
}

/// Opens a datagram of UDP. `None` where it carries no packet of a module: another protocol on the port, a message of the
/// tunnel's own (echo, error, end marker), something else than IP inside.
///
/// Operators move the port, and others use it: so the port alone decides nothing. The bits that are fixed must be as they are, the
/// length must be that of the datagram (`cut`: it may be more than was captured), and inside there must be IP.
pub fn open(datagram: &[u8], cut: bool) -> Option<Inner<'_>> {
    let [flags, G_PDU, high, low, rest @ ..] = datagram else { return None };
    // Version 1, GTP and not GTP', the spare bit empty.
    if flags & 0xf8 != 0x30 {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let mut bytes = Bytes(rest);
    let teid = bytes.u32()?;
    let held = bytes.0.len();
    if !(length == held || cut && length > held) {
        return None;
    }
    if flags & 0x07 != 0 {
        // Sequence number, number of the N-PDU, type of the first extension.
        let mut next = bytes.array::<4>().map(|[_, _, _, next]| next)?;
        // Types without the flag mean nothing.
        if flags & 0x04 == 0 {
            next = 0;
        }
        while next != 0 {
            let words = usize::from(bytes.u8()?);
            // A length of nothing would go round for ever.
            let body = bytes.take(words.checked_mul(4)?.checked_sub(1)?)?;
            next = *body.last()?;
        }
    }
    let packet = bytes.0;
    let fits = match packet.first()? >> 4 {
        4 => packet.len() >= 20 && (cut || usize::from(u16_at(packet, 2)?) <= packet.len()),
        6 => packet.len() >= 40 && (cut || usize::from(u16_at(packet, 4)?).checked_add(40)? <= packet.len()),
        _ => false,
    };
    fits.then_some(Inner { teid, packet })
}

/// Tunnels in tunnels are opened so deep.
const DEPTH: usize = 4;

/// The packets in the tunnels of a packet, one in the other.
#[derive(Clone, Debug, Default)]
pub struct Inside<'a> {
    /// How many of them were given.
    opened: usize,
    /// Those that were found before, each of which stands in these bytes; else they are looked for when they are asked for.
    found: Option<(slice::Iter<'a, Tunnelled>, &'a [u8])>,
}

/// The number of a tunnel at its receiver, and the packet in it.
pub type Tunnelled = (u32, Packet<Place>);

impl<'a> Inside<'a> {
    /// All of them, found before in these bytes.
    pub fn found(all: &'a [Tunnelled], bytes: &'a [u8]) -> Self {
        Self { opened: 0, found: Some((all.iter(), bytes)) }
    }

    /// The next, in the one that was given last; the first one in the packet itself.
    #[inline]
    pub fn next(&mut self, last: &Datagram<'a>) -> Option<(u32, Datagram<'a>)> {
        let next = match &mut self.found {
            Some((all, bytes)) => all.next().map(|(teid, packet)| (*teid, packet.with(packet.payload.within(bytes))))?,
            // A piece is no whole datagram.
            None if self.opened >= DEPTH || last.proto != proto::UDP || last.piece.is_some() && !last.cut => return None,
            None => {
                let Inner { teid, packet } = open(last.payload, last.cut)?;
                (teid, datagram(packet)?)
            }
        };
        self.opened = self.opened.saturating_add(1);
        Some(next)
    }

    /// Those in what was put together from pieces, of which the packet that was given last is one: it is as deep as that.
    pub fn joined(&self) -> Inside<'static> {
        Inside { opened: self.opened, found: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet() -> Vec<u8> {
        let mut p = vec![0x45, 0, 0, 24, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        p.extend([1, 2, 3, 4]);
        p
    }

    fn of(flags: u8, between: &[u8], inner: &[u8]) -> Vec<u8> {
        let length = (between.len() + inner.len()) as u16;
        [&[flags, 255][..], &length.to_be_bytes(), &[0, 0, 0, 9], between, inner].concat()
    }

    #[test]
    fn headers_of_every_kind() {
        let rows: &[(&str, u8, &[u8])] = &[
            ("plain", 0x30, &[]),
            ("with a sequence number", 0x32, &[0, 1, 0, 0]),
            ("with an extension's type and no flag", 0x32, &[0, 1, 0, 0x85]),
            ("with a PDU session container", 0x34, &[0, 0, 0, 0x85, 1, 0x10, 9, 0]),
            ("with two extensions", 0x36, &[0, 0, 0, 0x85, 1, 0x10, 9, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0]),
        ];
        for (name, flags, between) in rows {
            let datagram = of(*flags, between, &packet());
            assert_eq!(open(&datagram, false), Some(Inner { teid: 9, packet: &packet() }), "{name}");
            for cut in 0..datagram.len() {
                assert_eq!(open(&datagram[..cut], false), None, "{name} cut at {cut}");
                let _ = open(&datagram[..cut], true);
            }
        }
    }

    #[test]
    fn what_is_something_else_stays_closed() {
        let rows: &[(&str, Vec<u8>)] = &[
            ("a question for a name", [&[0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3][..], b"www\0\0\x01\0\x01"].concat()),
            ("GTP'", of(0x20, &[], &packet())),
            ("version 2", of(0x50, &[], &packet())),
            ("an echo", [&[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0][..]].concat()),
            ("a length of another", {
                let mut d = of(0x30, &[], &packet());
                d[3] += 1;
                d
            }),
            ("an extension of no length", of(0x34, &[0, 0, 0, 0x85, 0, 0, 0, 0], &packet())),
            ("no IP", of(0x30, &[], b"\x00\x00\x00\x00hello, this is Ethernet or nothing")),
            (
                "an inner length beyond the end",
                of(0x30, &[], &{
                    let mut p = packet();
                    p[3] = 200;
                    p
                }),
            ),
            ("a short inner header", of(0x30, &[], &[0x45, 0, 0, 9])),
        ];
        for (name, datagram) in rows {
            assert_eq!(open(datagram, false), None, "{name}");
        }
    }
}
