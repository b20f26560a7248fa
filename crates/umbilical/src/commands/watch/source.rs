//! Inputs of `watch`: what they are, in which order they are read, and their bytes on the way.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use umbilical_core::text::clean;
use umbilical_traffic::capture;
use umbilical_traffic::record::zeek;
use umbilical_traffic::source::{HEAD, Source};
use umbilical_traffic::time::Micros;

use super::ahead::Hashed;
use crate::fail::Fail;
use crate::progress::Progress;

/// What is read at once.
pub enum Batch {
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
pub fn ordered(paths: Vec<PathBuf>) -> Result<Vec<Batch>, Fail> {
    if paths.len() < 2 {
        return Ok(paths.into_iter().map(Batch::One).collect());
    }
    let (mut keyed, mut logs) = (Vec::new(), Vec::new());
    for (n, path) in paths.into_iter().enumerate() {
        let known = if is_file(&path) { first(&path)? } else { None };
        match known {
            Some((Source::Zeek(kind), begin)) => logs.push((begin, n, path, kind)),
            known => keyed.push((known.and_then(|(_, begin)| begin), n, Batch::One(path))),
        }
    }
    logs.sort();
    if let Some((begin, n)) = logs.iter().find(|l| l.0.is_some()).or(logs.first()).map(|l| (l.0, l.1)) {
        keyed.push((begin, n, Batch::Logs(logs.into_iter().map(|(begin, _, path, kind)| (path, kind, begin)).collect())));
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

/// The bytes of an input as they lie there, counted on their way.
struct Raw<'p> {
    of: Rc<RefCell<Counted<'p>>>,
    /// Those that were read and not taken yet, from here on.
    piece: Vec<u8>,
    at: usize,
}

struct Counted<'p> {
    from: Hashed,
    bytes: u64,
    before: u64,
    progress: &'p Progress,
}

impl<'p> Raw<'p> {
    fn new(of: Rc<RefCell<Counted<'p>>>) -> Self {
        Self { of, piece: Vec::new(), at: 0 }
    }
}

impl Counted<'_> {
    fn next(&mut self, used: Vec<u8>) -> io::Result<Vec<u8>> {
        let piece = self.from.next(used)?;
        self.bytes = self.bytes.saturating_add(piece.len() as u64);
        self.progress.at(self.before.saturating_add(self.bytes));
        Ok(piece)
    }
}

impl BufRead for Raw<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.piece.len() {
            self.at = 0;
            self.piece = self.of.borrow_mut().next(std::mem::take(&mut self.piece))?;
        }
        Ok(self.piece.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, n: usize) {
        self.at = self.at.saturating_add(n);
    }
}

impl Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

/// An input that is being read.
pub struct Opened<'p> {
    /// As it is named in the answer.
    pub name: String,
    /// What it is; `None`: nothing that is known.
    pub kind: Option<Source>,
    /// Its first bytes, by which that is known.
    pub head: Vec<u8>,
    /// All of them, unpacked.
    pub from: Box<dyn BufRead + 'p>,
    raw: Rc<RefCell<Counted<'p>>>,
}

impl<'p> Opened<'p> {
    /// Opens an input, and finds out what it is. So many bytes were read before; with two threads one reads ahead.
    pub fn new(path: &Path, threads: usize, before: u64, progress: &'p Progress) -> Result<Self, Fail> {
        let fail = |source| Fail::Input { path: path.to_path_buf(), source };
        let piped = path.as_os_str() == "-";
        let from: Box<dyn Read + Send> = if piped { Box::new(io::stdin()) } else { Box::new(File::open(path).map_err(fail)?) };
        let name = if piped { "standard input".to_owned() } else { path.display().to_string() };
        let raw = Rc::new(RefCell::new(Counted { from: Hashed::new(from, threads > 1), bytes: 0, before, progress }));
        let mut from = capture::unpacked(Raw::new(raw.clone())).map_err(fail)?;
        let (kind, head) = known(&mut from);
        Ok(Self { name: clean(&name).into_owned(), kind, head: head.clone(), from: Box::new(Cursor::new(head).chain(from)), raw })
    }

    /// What is left of it once its reader is gone.
    pub fn rest(&self) -> Rest<'p> {
        Rest(Raw::new(self.raw.clone()))
    }
}

/// What nobody has read of an input.
pub struct Rest<'p>(Raw<'p>);

impl Rest<'_> {
    /// Reads it, for it belongs to the file all the same: gives its hash, and its bytes as they lie there.
    pub fn read(mut self) -> io::Result<(String, u64)> {
        io::copy(&mut self.0, &mut io::sink())?;
        let counted = &mut *self.0.of.borrow_mut();
        Ok((counted.from.hash()?, counted.bytes))
    }
}

/// What an input is, by as few of its bytes as that takes: a pipe may not have more yet.
fn known(from: &mut dyn BufRead) -> (Option<Source>, Vec<u8>) {
    let (mut head, mut chunk) = (Vec::new(), vec![0; 1 << 13]);
    loop {
        match from.read(&mut chunk) {
            // What fails here fails again where it is told.
            Ok(0) | Err(_) => return (Source::of(&head).map(|(kind, _)| kind), head),
            Ok(n) => head.extend_from_slice(chunk.get(..n).unwrap_or_default()),
        }
        if let Some((kind, _)) = Source::of(&head) {
            return (Some(kind), head);
        }
        if head.len() >= HEAD {
            return (None, head);
        }
    }
}
