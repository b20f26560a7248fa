//! Datagrams in pieces, put together: tunnels make packets longer than the links that carry them.

use etherparse::IpNumber;
use etherparse::defrag::IpDefragBuf;
use hashbrown::HashMap;

use crate::packet::{Addr, Datagram};
use crate::time::Micros;

/// Datagrams of which pieces are missing.
#[derive(Debug, Default)]
pub struct Pieces {
    open: HashMap<Of, Open>,
    /// Those that were never put together.
    pub lost: u64,
}

/// Which datagram (RFC 791, 3.2; RFC 8200, 4.5).
type Of = (Addr, Addr, u8, u32);

#[derive(Debug)]
struct Open {
    bytes: IpDefragBuf,
    /// Bytes of IP of its pieces.
    length: u32,
    since: Micros,
}

/// Datagrams that are open at once.
const OPEN: usize = 1024;
/// How long the first piece waits for the last (RFC 8200, 4.5).
const PATIENCE: Micros = Micros::seconds(60);

impl Pieces {
    /// Takes a piece; gives the bytes of the whole datagram, and those of IP that brought them, with the last of them.
    pub fn put(&mut self, packet: &Datagram<'_>, at: Micros) -> Option<(Vec<u8>, u32)> {
        let piece = packet.piece?;
        let of = (packet.src, packet.dst, packet.proto, piece.id);
        if self.open.len() >= OPEN && !self.open.contains_key(&of) {
            let before = self.open.len();
            self.open.retain(|_, open| at.since(open.since) < PATIENCE);
            if self.open.len() >= OPEN {
                self.open.clear();
            }
            self.lost = self.lost.saturating_add((before.saturating_sub(self.open.len())) as u64);
        }
        let offset = etherparse::IpFragOffset::try_new(piece.offset).ok()?;
        let open = self.open.entry(of).or_insert_with(|| Open {
            bytes: IpDefragBuf::new(IpNumber(packet.proto), Vec::new(), Vec::new()),
            length: 0,
            since: at,
        });
        // The number is used again after a while.
        if at.since(open.since) > PATIENCE {
            self.lost = self.lost.saturating_add(1);
            *open = Open { bytes: IpDefragBuf::new(IpNumber(packet.proto), Vec::new(), Vec::new()), length: 0, since: at };
        }
        open.length = open.length.saturating_add(packet.length);
        // Pieces that cannot be those of one datagram are all thrown away.
        if open.bytes.add(offset, piece.more, packet.payload).is_err() {
            self.open.remove(&of);
            self.lost = self.lost.saturating_add(1);
            return None;
        }
        if !open.bytes.is_complete() {
            return None;
        }
        let done = self.open.remove(&of)?;
        Some((done.bytes.take_bufs().0, done.length))
    }

    /// Datagrams that still wait.
    pub fn waiting(&self) -> u64 {
        self.open.len() as u64
    }
}
