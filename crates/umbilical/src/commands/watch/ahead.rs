//! The bytes of an input, hashed on their way: here, or by a thread that reads ahead, for reading and hashing take as long as all the
//! rest.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use sha2::{Digest as _, Sha256};
use umbilical_core::id::hex;

/// Bytes that are read at once: what was just read and hashed is still in a processor's second cache when it is decoded.
const CHUNK: usize = 1 << 17;
/// The same of a thread that reads ahead: each time that one waits for the other costs as much as reading some thousand bytes.
const CHUNK_AHEAD: usize = 1 << 20;
/// Chunks that are on their way at once.
const CHUNKS: usize = 2;

/// An input whose bytes are hashed as they are read.
pub enum Hashed {
    /// By whoever reads it.
    Here {
        /// Its bytes.
        from: Box<dyn Read + Send>,
        /// Of those that were read.
        hash: Sha256,
    },
    /// By another thread, ahead.
    Ahead(Ahead),
}

/// What a thread reads ahead.
pub struct Ahead {
    full: Receiver<io::Result<Vec<u8>>>,
    empty: SyncSender<Vec<u8>>,
    thread: Option<JoinHandle<Sha256>>,
    /// What kept it from being read on.
    failed: Option<(io::ErrorKind, String)>,
}

impl Hashed {
    /// Nothing of it was read yet.
    pub fn new(from: Box<dyn Read + Send>, ahead: bool) -> Self {
        let here = |from| Self::Here { from, hash: Sha256::new() };
        if !ahead {
            return here(from);
        }
        let (send, full) = sync_channel(CHUNKS);
        let (empty, back) = sync_channel::<Vec<u8>>(CHUNKS);
        let thread = thread::spawn(move || reads(from, &send, &back));
        Self::Ahead(Ahead { full, empty, thread: Some(thread), failed: None })
    }

    /// The next bytes, none at the end. They come in memory that was given before and is no longer needed, where it can be used.
    pub fn next(&mut self, used: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Here { from, hash } => {
                let piece = piece(from, used, CHUNK)?;
                hash.update(&piece);
                Ok(piece)
            }
            Self::Ahead(ahead) => ahead.next(used),
        }
    }

    /// The hash of an input of which everything was read.
    pub fn hash(&mut self) -> io::Result<String> {
        let hash = match self {
            Self::Here { hash, .. } => hash.clone(),
            Self::Ahead(ahead) => {
                let thread = ahead.thread.take().ok_or_else(|| io::Error::other("its hash was asked for before"))?;
                thread.join().map_err(|_| io::Error::other("whoever read it broke off"))?
            }
        };
        Ok(hex(&hash.finalize()))
    }
}

impl Ahead {
    fn next(&mut self, used: Vec<u8>) -> io::Result<Vec<u8>> {
        if let Some((kind, what)) = &self.failed {
            return Err(io::Error::new(*kind, what.clone()));
        }
        // Nobody waits for it where the end is near.
        let _ = self.empty.try_send(used);
        // What is closed was read to its end.
        let Ok(next) = self.full.recv() else { return Ok(Vec::new()) };
        next.inspect_err(|error| self.failed = Some((error.kind(), error.to_string())))
    }
}

/// The next bytes of an input, none at its end.
fn piece(from: &mut dyn Read, mut used: Vec<u8>, most: usize) -> io::Result<Vec<u8>> {
    used.resize(most, 0);
    loop {
        match from.read(&mut used) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => {
                used.truncate(read?);
                return Ok(used);
            }
        }
    }
}

/// Reads until the end, or until nobody takes it any more.
fn reads(mut from: Box<dyn Read + Send>, to: &SyncSender<io::Result<Vec<u8>>>, back: &Receiver<Vec<u8>>) -> Sha256 {
    let mut hash = Sha256::new();
    loop {
        let piece = piece(&mut from, back.try_recv().unwrap_or_default(), CHUNK_AHEAD);
        let bytes = piece.as_deref().unwrap_or_default();
        hash.update(bytes);
        let ends = bytes.is_empty();
        if to.send(piece).is_err() || ends {
            return hash;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in odd pieces, then fails if it is to.
    struct Pieces(Vec<u8>, bool);

    impl Read for Pieces {
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
    fn all(hashed: &mut Hashed) -> (Vec<u8>, io::Result<()>) {
        let (mut all, mut used) = (Vec::new(), Vec::new());
        loop {
            match hashed.next(used) {
                Ok(piece) if piece.is_empty() => return (all, Ok(())),
                Ok(piece) => {
                    all.extend(&piece);
                    used = piece;
                }
                Err(error) => return (all, Err(error)),
            }
        }
    }

    #[test]
    fn read_ahead_or_here_it_is_the_same() {
        let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
        let mut seen = Vec::new();
        for ahead in [false, true] {
            let mut hashed = Hashed::new(Box::new(Pieces(bytes.clone(), false)), ahead);
            let (all, end) = all(&mut hashed);
            assert!(all == bytes && end.is_ok() && hashed.next(Vec::new()).unwrap().is_empty());
            seen.push(hashed.hash().unwrap());
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!(seen[0], hex(&Sha256::digest(&bytes)));
    }

    #[test]
    fn what_cannot_be_read_on_fails_behind_what_could() {
        for ahead in [false, true] {
            let mut hashed = Hashed::new(Box::new(Pieces(vec![7; 500_000], true)), ahead);
            let (all, end) = all(&mut hashed);
            assert_eq!((all.len(), end.unwrap_err().to_string()), (500_000, "torn".to_owned()));
            // And so it does when it is asked for the rest.
            assert!(hashed.next(Vec::new()).is_err());
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_that_is_gone() {
        let mut hashed = Hashed::new(Box::new(io::repeat(1)), true);
        assert!(!hashed.next(Vec::new()).unwrap().is_empty());
        let Hashed::Ahead(ahead) = hashed else { panic!("it reads ahead") };
        let Ahead { full, thread, .. } = ahead;
        drop(full);
        thread.unwrap().join().unwrap();
    }
}
