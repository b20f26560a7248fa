//! The bytes of an input, hashed on their way: here, or by a thread that reads ahead, for reading and hashing take as long as all the
//! rest.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use sha2::{Digest as _, Sha256};
use umbilical_core::id::hex;

/// Bytes that are handed over at once.
const CHUNK: usize = 1 << 18;
/// Chunks that are on their way at once.
const CHUNKS: usize = 4;

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
    chunk: Vec<u8>,
    at: usize,
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
        Self::Ahead(Ahead { full, empty, chunk: Vec::new(), at: 0, thread: Some(thread), failed: None })
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

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Here { from, hash } => {
                let n = from.read(buffer)?;
                hash.update(buffer.get(..n).unwrap_or_default());
                Ok(n)
            }
            Self::Ahead(ahead) => ahead.read(buffer),
        }
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.chunk.len() {
            if let Some((kind, what)) = &self.failed {
                return Err(io::Error::new(*kind, what.clone()));
            }
            // What is closed was read to its end.
            let Ok(next) = self.full.recv() else { return Ok(0) };
            let next = next.inspect_err(|error| self.failed = Some((error.kind(), error.to_string())))?;
            let read = std::mem::replace(&mut self.chunk, next);
            self.at = 0;
            // Nobody waits for it where the end is near.
            let _ = self.empty.try_send(read);
        }
        let left = self.chunk.get(self.at..).unwrap_or_default();
        let n = left.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..n), left.get(..n)) {
            to.copy_from_slice(from);
        }
        self.at = self.at.saturating_add(n);
        Ok(n)
    }
}

/// Reads until the end, or until nobody takes it any more.
fn reads(mut from: Box<dyn Read + Send>, to: &SyncSender<io::Result<Vec<u8>>>, back: &Receiver<Vec<u8>>) -> Sha256 {
    let mut hash = Sha256::new();
    loop {
        let mut chunk = back.try_recv().unwrap_or_default();
        chunk.resize(CHUNK, 0);
        match from.read(&mut chunk) {
            Ok(0) => return hash,
            Ok(n) => chunk.truncate(n),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let _ = to.send(Err(error));
                return hash;
            }
        }
        hash.update(&chunk);
        if to.send(Ok(chunk)).is_err() {
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

    #[test]
    fn read_ahead_or_here_it_is_the_same() {
        let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
        let mut seen = Vec::new();
        for ahead in [false, true] {
            let mut hashed = Hashed::new(Box::new(Pieces(bytes.clone(), false)), ahead);
            let mut all = Vec::new();
            hashed.read_to_end(&mut all).unwrap();
            assert!(all == bytes);
            seen.push(hashed.hash().unwrap());
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!(seen[0], hex(&Sha256::digest(&bytes)));
    }

    #[test]
    fn what_cannot_be_read_on_fails_behind_what_could() {
        let mut hashed = Hashed::new(Box::new(Pieces(vec![7; 500_000], true)), true);
        let mut all = Vec::new();
        assert_eq!(hashed.read_to_end(&mut all).unwrap_err().to_string(), "torn");
        assert_eq!(all.len(), 500_000);
        // And so it does when it is asked for the rest.
        assert!(hashed.read(&mut [0; 8]).is_err());
    }

    #[test]
    fn nobody_waits_for_a_reader_that_is_gone() {
        let mut hashed = Hashed::new(Box::new(io::repeat(1)), true);
        assert!(hashed.read(&mut [0; 8]).unwrap() > 0);
        let Hashed::Ahead(ahead) = hashed else { panic!("it reads ahead") };
        let Ahead { full, thread, .. } = ahead;
        drop(full);
        thread.unwrap().join().unwrap();
    }
}
