//! Datagrams in pieces, put together: tunnels make packets longer than the links that carry them.

use etherparse::IpNumber;
use etherparse::defrag::IpDefragBuf;
use hashbrown::HashMap;

use crate::cellular::sessions::Owner;
use crate::flow::Broken;
use crate::packet::{Addr, Datagram};
use crate::time::Micros;

/// Datagrams of which pieces are missing.
#[derive(Debug, Default)]
pub struct Pieces {
    open: HashMap<Of, Open>,
    /// Those that were never put together.
    pub lost: u64,
    /// The same, until they are told of, and whose they are where a tunnel said so.
    pub broken: Vec<(Broken, Option<Owner>)>,
}

/// Which datagram (RFC 791, 3.2; RFC 8200, 4.5).
type Of = (Addr, Addr, u8, u32);

#[derive(Debug)]
struct Open {
    bytes: IpDefragBuf,
    /// Bytes of IP of its pieces.
    length: u32,
    pieces: u32,
    since: Micros,
    frame: u64,
    owner: Option<Owner>,
}

impl Open {
    fn new(proto: u8, (since, frame): (Micros, u64), owner: Option<Owner>) -> Self {
        Self { bytes: IpDefragBuf::new(IpNumber(proto), Vec::new(), Vec::new()), length: 0, pieces: 0, since, frame, owner }
    }

    fn broken(&self, &(src, dst, proto, _): &Of) -> (Broken, Option<Owner>) {
        let Self { pieces: packets, length: bytes, since: at, frame, owner, .. } = *self;
        (Broken { src, dst, session: None, proto, packets, bytes, at, frame }, owner)
    }
}

/// Datagrams that are open at once.
const OPEN: usize = 1024;
/// How long the first piece waits for the last (RFC 8200, 4.5).
const PATIENCE: Micros = Micros::seconds(60);

impl Pieces {
    /// Takes a piece; gives the bytes of the whole datagram, and those of IP that brought them, with the last of them.
    pub fn put(&mut self, packet: &Datagram<'_>, now: (Micros, u64), owner: Option<Owner>) -> Option<(Vec<u8>, u32)> {
        let (piece, at) = (packet.piece?, now.0);
        let of = (packet.src, packet.dst, packet.proto, piece.id);
        if self.open.len() >= OPEN && !self.open.contains_key(&of) {
            self.let_go(|open| at.since(open.since) >= PATIENCE);
            if self.open.len() >= OPEN {
                self.let_go(|_| true);
            }
        }
        let offset = etherparse::IpFragOffset::try_new(piece.offset).ok()?;
        let open = self.open.entry(of).or_insert_with(|| Open::new(packet.proto, now, owner));
        // The number is used again after a while.
        if at.since(open.since) > PATIENCE {
            self.lost = self.lost.saturating_add(1);
            self.broken.push(open.broken(&of));
            *open = Open::new(packet.proto, now, owner);
        }
        open.length = open.length.saturating_add(packet.length);
        open.pieces = open.pieces.saturating_add(1);
        // Pieces that cannot be those of one datagram are all thrown away.
        if open.bytes.add(offset, piece.more, packet.payload).is_err() {
            self.lost = self.lost.saturating_add(1);
            self.broken.extend(self.open.remove(&of).map(|open| open.broken(&of)));
            return None;
        }
        if !open.bytes.is_complete() {
            return None;
        }
        let done = self.open.remove(&of)?;
        Some((done.bytes.take_bufs().0, done.length))
    }

    fn let_go(&mut self, over: impl Fn(&Open) -> bool) {
        let before = self.broken.len();
        self.broken.extend(self.open.extract_if(|_, open| over(open)).map(|(of, open)| open.broken(&of)));
        if let Some(gone) = self.broken.get_mut(before..) {
            gone.sort_by_key(|(broken, _)| (broken.frame, broken.src, broken.dst));
        }
        self.lost = self.lost.saturating_add(self.broken.len().saturating_sub(before) as u64);
    }

    /// Nothing more comes.
    pub fn finish(&mut self) {
        self.let_go(|_| true);
    }

    /// Datagrams that still wait.
    pub fn waiting(&self) -> u64 {
        self.open.len() as u64
    }
}
