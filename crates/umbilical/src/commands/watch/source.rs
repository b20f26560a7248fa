//! Inputs of `watch`: what they are, in which order they are read, and their bytes on the way.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use sha2::{Digest as _, Sha256};
use umbilical_core::id::hex;
use umbilical_core::text::clean;
use umbilical_traffic::capture::{self, PIECE, Reader};
use umbilical_traffic::record::zeek;
use umbilical_traffic::source::{HEAD, Source};
use umbilical_traffic::time::Micros;

use super::ahead::{Bytes, PIECE_AHEAD, Reads};
use crate::fail::Fail;
use crate::progress::Progress;

/// What is read at once.
pub enum Sources {
    /// One input.
    One(PathBuf),
    /// Logs of Zeek, side by side in the order of their times.
    Logs(Vec<(PathBuf, zeek::Kind, Option<Micros>)>),
}

/// Files below what was named, each once, in the order of their paths.
pub fn below(named: &[PathBuf]) -> Result<Vec<PathBuf>, Fail> {
    let mut out = Vec::new();
    let mut known = HashSet::new();
    // What is no file (a pipe) is not looked at beforehand: it can be read only once.
    let mut is_new = |path: &Path| !is_file(path) || path.canonicalize().map_or(true, |place| known.insert(place));
    for path in named {
        let fail = |source| Fail::Input { path: path.clone(), source };
        if path.as_os_str() == "-" || !path.metadata().map_err(fail)?.is_dir() {
            if is_new(path) {
                out.push(path.clone());
            }
            continue;
        }
        let mut open = vec![path.clone()];
        let mut found = Vec::new();
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(&folder).map_err(fail)? {
                let path = entry.map_err(fail)?.path();
                // What a link leads to is named where it lies.
                match path.symlink_metadata() {
                    Ok(m) if m.is_dir() => open.push(path),
                    Ok(m) if m.is_file() => found.push(path),
                    _ => {}
                }
            }
        }
        found.sort();
        found.retain(|path| is_new(path));
        out.extend(found);
    }
    Ok(out)
}

/// Whether it is there to be read again; `-` is standard input.
fn is_file(path: &Path) -> bool {
    path.as_os_str() != "-" && path.metadata().is_ok_and(|m| m.is_file())
}

/// Several inputs are one trace, in the order in which they began; what is not known stays where it is.
pub fn ordered(paths: Vec<PathBuf>) -> Result<Vec<Sources>, Fail> {
    if paths.len() < 2 {
        return Ok(paths.into_iter().map(Sources::One).collect());
    }
    let (mut keyed, mut logs) = (Vec::new(), Vec::new());
    for (n, path) in paths.into_iter().enumerate() {
        let known = if is_file(&path) { first(&path)? } else { None };
        match known {
            Some((Source::Zeek(kind), begin)) => logs.push((begin, n, path, kind)),
            known => keyed.push((known.and_then(|(_, begin)| begin), n, Sources::One(path))),
        }
    }
    logs.sort();
    if let Some((begin, n)) = logs.iter().find(|l| l.0.is_some()).or(logs.first()).map(|l| (l.0, l.1)) {
        keyed.push((begin, n, Sources::Logs(logs.into_iter().map(|(begin, _, path, kind)| (path, kind, begin)).collect())));
    }
    keyed.sort_by_key(|(_, n, _)| *n);
    // What is not known stays behind what stands before it.
    let mut before = None;
    for (begin, ..) in &mut keyed {
        before = begin.or(before);
        *begin = before;
    }
    keyed.sort_by_key(|(begin, n, _)| (*begin, *n));
    Ok(keyed.into_iter().map(|(_, _, batch)| batch).collect())
}

/// What a file is, and when what it tells of began.
fn first(path: &Path) -> Result<Option<(Source, Option<Micros>)>, Fail> {
    let fail = |source| Fail::Input { path: path.to_path_buf(), source };
    // The first frame stands near the beginning.
    let file = File::open(path).map_err(fail)?;
    let mut head = Vec::new();
    if let Ok(from) = capture::unpacked(BufReader::new(file.take(1 << 20))) {
        let _ = from.take(1 << 20).read_to_end(&mut head);
    }
    Ok(Source::of(&head))
}

/// The bytes of an input as they lie there, hashed and counted on their way, whoever reads them.
#[derive(Clone)]
struct Raw(Arc<Mutex<Counted>>);

struct Counted {
    from: Box<dyn Read + Send>,
    hash: Sha256,
    bytes: u64,
    before: u64,
    progress: Arc<Progress>,
}

impl Raw {
    fn lock(&self) -> io::Result<MutexGuard<'_, Counted>> {
        self.0.lock().map_err(|_| io::Error::other("whoever read it broke off"))
    }
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut of = self.lock()?;
        let read = loop {
            match of.from.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        of.hash.update(buffer.get(..read).unwrap_or_default());
        of.bytes = of.bytes.saturating_add(read as u64);
        of.progress.at(of.before.saturating_add(of.bytes));
        Ok(read)
    }
}

/// An input that is being read.
pub struct Opened {
    /// As it is named in the answer.
    pub name: String,
    /// What it is; `None`: nothing that is known.
    pub kind: Option<Source>,
    /// Its first bytes, unpacked, by which that is known.
    pub head: Vec<u8>,
    /// What kept more from being read before it was known what it is: it may not come a second time.
    pub failed: Option<io::Error>,
    /// Those behind.
    from: Box<dyn BufRead + Send>,
    raw: Raw,
    /// How many bytes of a capture are read at once.
    piece: usize,
    /// Whether a thread reads ahead.
    ahead: bool,
}

impl Opened {
    /// Opens an input, and finds out what it is. So many bytes were read before; with two threads one reads ahead.
    pub fn new(path: &Path, threads: usize, before: u64, progress: &Arc<Progress>) -> Result<Self, Fail> {
        let fail = |source| Fail::Input { path: path.to_path_buf(), source };
        let piped = path.as_os_str() == "-";
        let from: Box<dyn Read + Send> = if piped { Box::new(io::stdin()) } else { Box::new(File::open(path).map_err(fail)?) };
        let name = if piped { "standard input".to_owned() } else { path.display().to_string() };
        let raw = Raw(Arc::new(Mutex::new(Counted { from, hash: Sha256::new(), bytes: 0, before, progress: progress.clone() })));
        let mut from = capture::unpacked(BufReader::with_capacity(PIECE, raw.clone())).map_err(fail)?;
        let mut head = Vec::new();
        let (kind, failed) = match known(&mut from, &mut head) {
            Ok(kind) => (kind, None),
            Err(error) => (None, Some(error)),
        };
        let piece = match (threads > 1, piped) {
            (true, false) => PIECE_AHEAD,
            // A pipe may pause at any byte: what it gave is handed on.
            _ => PIECE,
        };
        Ok(Self { name: clean(&name).into_owned(), kind, head, failed, from: Box::new(from), raw, piece, ahead: threads > 1 })
    }

    /// Its bytes, unpacked.
    pub fn bytes(self) -> Box<dyn BufRead + Send> {
        if self.ahead { Box::new(Bytes::new(self.whole())) } else { Box::new(self.whole()) }
    }

    /// The frames of a capture.
    pub fn frames(self) -> Reads<Reader<impl BufRead + Send + 'static>> {
        let (piece, ahead) = (self.piece, self.ahead);
        Reads::new(Reader::new(self.whole(), piece), ahead)
    }

    fn whole(self) -> impl BufRead + Send + 'static {
        Cursor::new(self.head).chain(self.from)
    }

    /// What is left of it once its reader is gone.
    pub fn rest(&self) -> Rest {
        Rest(self.raw.clone())
    }
}

/// What nobody has read of an input.
pub struct Rest(Raw);

impl Rest {
    /// Reads it, for it belongs to the file all the same: gives its hash, and its bytes as they lie there.
    pub fn read(self) -> io::Result<(String, u64)> {
        io::copy(&mut BufReader::with_capacity(PIECE, self.0.clone()), &mut io::sink())?;
        let of = self.0.lock()?;
        Ok((hex(&of.hash.clone().finalize()), of.bytes))
    }
}

/// What an input is, by as few of its bytes as that takes: a pipe may not have more yet.
fn known(from: &mut dyn BufRead, head: &mut Vec<u8>) -> io::Result<Option<Source>> {
    let mut chunk = vec![0; 1 << 13];
    loop {
        let read = from.read(&mut chunk)?;
        head.extend_from_slice(chunk.get(..read).unwrap_or_default());
        let kind = Source::of(head).map(|(kind, _)| kind);
        if read == 0 || kind.is_some() || head.len() >= HEAD {
            return Ok(kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A capture of small frames, so many bytes long.
    fn capture_of(bytes: usize) -> Vec<u8> {
        let mut out = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0];
        while out.len() < bytes {
            out.extend([1, 0, 0, 0, 2, 0, 0, 0, 60, 0, 0, 0, 60, 0, 0, 0]);
            out.extend([7; 60]);
        }
        out
    }

    /// Packed with gzip, as blocks that are stored as they are (RFC 1951, 3.2.4; RFC 1952, 2.3 and 8).
    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        let mut blocks = bytes.chunks(0xffff).peekable();
        while let Some(block) = blocks.next() {
            let length = block.len() as u16;
            out.push(blocks.peek().is_none().into());
            out.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
            out.extend(block);
        }
        let sum = bytes.iter().fold(!0u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
        });
        out.extend([(!sum).to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat());
        out
    }

    #[test]
    fn what_fails_once_among_the_first_bytes_is_kept() {
        let path = std::env::temp_dir().join(format!("umbilical-once-{}", std::process::id()));
        let mut wrong = packed(b"nothing that is known\n");
        let sum = wrong.len() - 8;
        wrong[sum] ^= 1;
        std::fs::write(&path, &wrong).unwrap();
        let opened = Opened::new(&path, 1, 0, &Arc::new(Progress::hidden())).unwrap();
        assert!(opened.kind.is_none() && opened.failed.is_some());
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn an_input_has_the_hash_and_the_bytes_of_its_file_however_it_is_read() {
        let path = std::env::temp_dir().join(format!("umbilical-read-{}", std::process::id()));
        let capture = capture_of(3_000_000);
        // A frame that is longer than any can be, with much behind it.
        let mut broken = capture.clone();
        broken[24 + 76 * 9 + 8..][..4].fill(0xff);
        let unknown = vec![0x55; 2_500_000];
        for (name, bytes) in
            [("packed", packed(&capture)), ("whole", capture), ("broken", broken), ("unknown", unknown), ("none", Vec::new())]
        {
            std::fs::write(&path, &bytes).unwrap();
            let progress = Arc::new(Progress::hidden());
            for threads in [1, 2] {
                for frames in [false, true] {
                    let opened = Opened::new(&path, threads, 0, &progress).unwrap();
                    let rest = opened.rest();
                    if frames {
                        let mut reads = opened.frames();
                        let mut used = capture::Batch::default();
                        while let Ok(Some(batch)) = reads.next(used) {
                            used = batch;
                        }
                        reads.end().unwrap();
                    } else {
                        io::copy(&mut opened.bytes().take(1_000_000), &mut io::sink()).unwrap();
                    }
                    let wanted = (hex(&Sha256::digest(&bytes)), bytes.len() as u64);
                    assert_eq!(rest.read().unwrap(), wanted, "{name} by {threads}, as frames: {frames}");
                }
            }
        }
        std::fs::remove_file(path).unwrap();
    }
}
