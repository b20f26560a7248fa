//! What is read piece by piece: where it is used, or by a thread that is ahead, for reading an input, hashing and unpacking it takes as
//! long as all the rest.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use umbilical_traffic::capture::{Batch, CaptureError, Reader};

/// Bytes that a piece of a thread that is ahead has at most: each time that one wakes the other costs as much as some hundred frames.
pub const PIECE_AHEAD: usize = 1 << 20;
/// Pieces that are on their way at once.
const PIECES: usize = 4;

/// Something that is read piece by piece.
pub trait Pieces: Send + 'static {
    /// One of them; it comes in the room of one that is no longer needed.
    type Piece: Default + Send;
    /// What may keep the next from being read.
    type Error: From<io::Error> + Send;

    /// The next, in place of what is there. Whether there was one: behind the last there is none.
    fn next(&mut self, piece: &mut Self::Piece) -> Result<bool, Self::Error>;

    /// Does with a piece what whoever uses it would do first.
    fn prepare(_: &mut Self::Piece) {}
}

/// Whoever reads.
pub enum Reads<P: Pieces> {
    /// Who uses it.
    Here(P),
    /// Another thread, ahead.
    Ahead(Ahead<P>),
}

/// What a thread reads ahead. It is over before this is.
pub struct Ahead<P: Pieces> {
    ways: Option<Ways<P>>,
    thread: Option<JoinHandle<P>>,
    /// What it had when it was over; `None`: it broke off.
    left: Option<P>,
}

/// From the thread, and back to it.
struct Ways<P: Pieces> {
    full: Receiver<Result<P::Piece, P::Error>>,
    empty: SyncSender<P::Piece>,
}

impl<P: Pieces> Reads<P> {
    /// Begins.
    pub fn new(pieces: P, ahead: bool) -> Self {
        if !ahead {
            return Self::Here(pieces);
        }
        let (send, full) = sync_channel(PIECES);
        let (empty, back) = sync_channel(PIECES);
        let thread = thread::spawn(move || reads(pieces, &send, &back));
        Self::Ahead(Ahead { ways: Some(Ways { full, empty }), thread: Some(thread), left: None })
    }

    /// The next piece for one that is no longer needed; `None` at the end. Behind an error nobody asks for more.
    pub fn next(&mut self, used: P::Piece) -> Result<Option<P::Piece>, P::Error> {
        match self {
            Self::Here(pieces) => {
                let mut piece = used;
                Ok(pieces.next(&mut piece)?.then_some(piece))
            }
            Self::Ahead(ahead) => ahead.next(used),
        }
    }

    /// What is left once nobody wants more; `None`: whoever read it broke off.
    pub fn end(self) -> Option<P> {
        match self {
            Self::Here(pieces) => Some(pieces),
            Self::Ahead(mut ahead) => {
                ahead.end();
                ahead.left.take()
            }
        }
    }
}

impl<P: Pieces> Ahead<P> {
    fn next(&mut self, used: P::Piece) -> Result<Option<P::Piece>, P::Error> {
        if let Some(Ways { full, empty }) = &self.ways {
            // Nobody waits for it where the end is near.
            let _ = empty.try_send(used);
            if let Ok(next) = full.recv() {
                return next.map(Some);
            }
            self.end();
        }
        if self.left.is_some() { Ok(None) } else { Err(io::Error::other("whoever read it broke off").into()) }
    }

    fn end(&mut self) {
        // It may be about to give one that nobody takes.
        self.ways = None;
        if let Some(thread) = self.thread.take() {
            self.left = thread.join().ok();
        }
    }
}

impl<P: Pieces> Drop for Ahead<P> {
    fn drop(&mut self) {
        self.end();
    }
}

/// Reads until the end, or until nobody takes it any more.
fn reads<P: Pieces>(mut pieces: P, to: &SyncSender<Result<P::Piece, P::Error>>, back: &Receiver<P::Piece>) -> P {
    loop {
        let mut piece = back.try_recv().unwrap_or_default();
        let next = match pieces.next(&mut piece) {
            Ok(true) => Ok(piece),
            Ok(false) => return pieces,
            Err(error) => Err(error),
        };
        let ends = next.is_err();
        let sent = match to.try_send(next) {
            // Whoever uses them is behind: instead of waiting this takes over some of what is to be done. So both are busy, whatever takes
            // longer on this machine.
            Err(TrySendError::Full(mut next)) => {
                if let Ok(piece) = &mut next {
                    P::prepare(piece);
                }
                to.send(next).is_ok()
            }
            sent => sent.is_ok(),
        };
        if !sent || ends {
            return pieces;
        }
    }
}

impl<R: Read + Send + 'static> Pieces for Reader<R> {
    type Piece = Batch;
    type Error = CaptureError;

    fn next(&mut self, piece: &mut Batch) -> Result<bool, CaptureError> {
        Reader::next(self, piece)
    }

    fn prepare(piece: &mut Batch) {
        piece.open();
    }
}

/// Bytes as they come, as many at once as whoever has them gives: nobody waits for more, and an error that comes once is told.
struct Plain<R>(R);

/// Bytes at the beginning of room that is never made smaller: to make it larger again would be to clear it, with each small read.
#[derive(Debug, Default)]
struct Held {
    room: Vec<u8>,
    length: usize,
}

impl Held {
    fn bytes(&self) -> &[u8] {
        self.room.get(..self.length).unwrap_or_default()
    }
}

impl<R: Read + Send + 'static> Pieces for Plain<R> {
    type Piece = Held;
    type Error = io::Error;

    fn next(&mut self, piece: &mut Held) -> io::Result<bool> {
        piece.room.resize(PIECE_AHEAD, 0);
        loop {
            match self.0.read(&mut piece.room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => {
                    piece.length = read?;
                    return Ok(piece.length > 0);
                }
            }
        }
    }
}

/// Bytes that are read ahead, one behind the other.
pub struct Bytes<R: Read + Send + 'static> {
    reads: Reads<Plain<R>>,
    /// Those that were read and not taken yet, from here on.
    piece: Held,
    at: usize,
}

impl<R: Read + Send + 'static> Bytes<R> {
    /// By a thread of their own.
    pub fn new(from: R) -> Self {
        Self { reads: Reads::new(Plain(from), true), piece: Held::default(), at: 0 }
    }
}

impl<R: Read + Send + 'static> BufRead for Bytes<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.piece.length {
            self.at = 0;
            self.piece = self.reads.next(std::mem::take(&mut self.piece))?.unwrap_or_default();
        }
        Ok(self.piece.bytes().get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, n: usize) {
        self.at = self.at.saturating_add(n);
    }
}

impl<R: Read + Send + 'static> Read for Bytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in odd pieces, then fails if it is to.
    struct Odd(Vec<u8>, bool);

    impl Read for Odd {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() && self.1 {
                return Err(io::Error::other("torn"));
            }
            let n = self.0.len().min(buffer.len()).min(70_001);
            for (to, from) in buffer.iter_mut().zip(self.0.drain(..n)) {
                *to = from;
            }
            Ok(n)
        }
    }

    /// Everything that comes, and what kept it from going on.
    fn all(reads: &mut Reads<Plain<Odd>>) -> (Vec<u8>, io::Result<()>) {
        let (mut all, mut used) = (Vec::new(), Held::default());
        loop {
            match reads.next(used) {
                Ok(None) => return (all, Ok(())),
                Ok(Some(piece)) => {
                    all.extend(piece.bytes());
                    used = piece;
                }
                Err(error) => return (all, Err(error)),
            }
        }
    }

    #[test]
    fn read_ahead_or_here_it_is_the_same() {
        let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
        for ahead in [false, true] {
            let mut reads = Reads::new(Plain(Odd(bytes.clone(), false)), ahead);
            let (all, end) = all(&mut reads);
            assert!(all == bytes && end.is_ok() && reads.next(Held::default()).unwrap().is_none(), "{ahead}");
            assert!(reads.end().unwrap().0.0.is_empty());
        }
        let mut text = Vec::new();
        Bytes::new(Odd(bytes.clone(), false)).read_to_end(&mut text).unwrap();
        assert!(text == bytes);
    }

    #[test]
    fn what_cannot_be_read_on_fails_behind_what_could() {
        for ahead in [false, true] {
            let mut reads = Reads::new(Plain(Odd(vec![7; 500_000], true)), ahead);
            let (all, end) = all(&mut reads);
            assert_eq!((all.len(), end.unwrap_err().to_string()), (500_000, "torn".to_owned()));
        }
    }

    #[test]
    fn what_fails_once_is_told_behind_what_came_before() {
        /// Gives as much as it is asked for, fails once, and then says that it is over: so does an unpacker whose checksum is wrong.
        struct Once(u32);
        impl Read for Once {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 | 2 => Ok(buffer.len()),
                    3 => Err(io::Error::other("a wrong sum")),
                    _ => Ok(0),
                }
            }
        }
        let mut all = Vec::new();
        let end = Bytes::new(Once(0)).read_to_end(&mut all);
        assert_eq!((all.len(), end.unwrap_err().to_string()), (2 * PIECE_AHEAD, "a wrong sum".to_owned()));
    }

    #[test]
    fn nobody_waits_for_a_reader_that_is_gone() {
        let mut reads = Reads::new(Plain(io::repeat(1)), true);
        assert!(reads.next(Held::default()).unwrap().is_some());
        // It was about to give more.
        assert!(reads.end().is_some());
    }

    #[test]
    fn a_reader_that_breaks_off_is_no_end() {
        struct Breaks;
        impl Read for Breaks {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("broken off on purpose")
            }
        }
        let mut reads = Reads::new(Plain(Breaks), true);
        for _ in 0..2 {
            assert_eq!(reads.next(Held::default()).unwrap_err().to_string(), "whoever read it broke off");
        }
        assert!(reads.end().is_none());
    }
}
