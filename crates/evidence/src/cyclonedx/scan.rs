//! JSON cut into pieces as it streams by: members and elements are handed out as text, nothing is held.
//!
//! Only the structure is looked at (strings, brackets, commas); what a piece says is left to the JSON library. So a member
//! that is too long, too deep or wrong costs itself and not its document, and every piece has its line.

use std::io::{self, Read};

/// How much is read at a time.
const CHUNK: usize = 128 * 1024;
/// Brackets deeper than this are only counted, so that a document of brackets needs no memory.
const TRACKED: usize = 4096;

/// Why a document cannot be read on.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The stream failed.
    Io(io::Error),
    /// It ends inside a value.
    End,
    /// Something that is not JSON.
    Syntax(String),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What became of a value that was to be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copied {
    /// It was.
    Whole,
    /// It has more bytes or values than there was room for: passed over.
    TooLong,
    /// Its brackets are nested deeper than allowed: passed over.
    TooDeep,
}

/// Where a value goes, and how much of it.
pub(crate) struct Into<'t> {
    /// Its text is put behind what is there.
    pub text: &'t mut Vec<u8>,
    /// How much.
    pub room: Room,
}

/// How much of a value is taken.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    /// The most bytes.
    pub bytes: usize,
    /// The most texts and brackets: many small values need far more memory than their text.
    pub values: usize,
    /// The deepest brackets.
    pub depth: usize,
}

/// A stream of JSON text.
pub(crate) struct Scanner<R> {
    inner: R,
    chunk: Vec<u8>,
    at: usize,
    end: usize,
    /// Lines that have ended before `counted`, a place in the chunk.
    lines: u32,
    counted: usize,
    /// Brackets that are open in the value being copied: true for braces.
    open: Vec<bool>,
}

impl<R: Read> Scanner<R> {
    pub fn new(inner: R) -> Self {
        Self { inner, chunk: vec![0; CHUNK], at: 0, end: 0, lines: 0, counted: 0, open: Vec::new() }
    }

    /// The line of the next byte, counted from 1.
    pub fn line(&mut self) -> u32 {
        self.count(self.at);
        self.lines.saturating_add(1)
    }

    fn count(&mut self, to: usize) {
        let ends = self.chunk.get(self.counted..to).map_or(0, |seen| memchr::memchr_iter(b'\n', seen).count());
        self.lines = self.lines.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        self.counted = to;
    }

    /// What has been read and not used; empty at the end.
    fn rest(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.end {
            self.count(self.end);
            self.counted = 0;
            self.at = 0;
            self.end = 0;
            loop {
                match self.inner.read(&mut self.chunk) {
                    Ok(n) => {
                        self.end = n;
                        break;
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(self.chunk.get(self.at..self.end).unwrap_or_default())
    }

    fn skip(&mut self, n: usize) {
        self.at = self.at.saturating_add(n);
    }

    /// The next byte that is no white space, left where it is; `None` at the end.
    pub fn peek(&mut self) -> Result<Option<u8>, Broken> {
        loop {
            let rest = self.rest()?;
            if rest.is_empty() {
                return Ok(None);
            }
            let blank = rest.iter().take_while(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t')).count();
            let next = rest.get(blank).copied();
            self.skip(blank);
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    /// Takes the byte that was peeked at.
    pub fn take(&mut self) {
        self.skip(1);
    }

    /// Copies the value that begins at the next byte that is no white space, or passes over it where there is no `into`.
    pub fn value(&mut self, mut into: Option<Into<'_>>) -> Result<Copied, Broken> {
        let first = self.peek()?.ok_or(Broken::End)?;
        let mut copied = if into.is_some() { Copied::Whole } else { Copied::TooLong };
        let start = into.as_ref().map_or(0, |i| i.text.len());
        match first {
            b'"' => self.string(&mut into, start, &mut copied)?,
            b'{' | b'[' => self.brackets(&mut into, start, &mut copied)?,
            b'}' | b']' | b',' | b':' => return Err(unexpected(first)),
            _ => loop {
                let rest = self.rest()?;
                let n = rest.iter().take_while(|b| !matches!(b, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')).count();
                let more = n == rest.len() && n > 0;
                put(rest.get(..n), &mut into, start, &mut copied);
                self.skip(n);
                if !more {
                    break;
                }
            },
        }
        if copied != Copied::Whole
            && let Some(into) = &mut into
        {
            into.text.truncate(start);
        }
        Ok(copied)
    }

    /// A string, its first quote not yet taken.
    fn string(&mut self, into: &mut Option<Into<'_>>, start: usize, copied: &mut Copied) -> Result<(), Broken> {
        put(Some(b"\""), into, start, copied);
        self.skip(1);
        loop {
            let rest = self.rest()?;
            if rest.is_empty() {
                return Err(Broken::End);
            }
            let found = memchr::memchr2(b'"', b'\\', rest);
            let n = found.map_or(rest.len(), |at| at.saturating_add(1));
            let last = found.and_then(|at| rest.get(at)).copied();
            put(rest.get(..n), into, start, copied);
            self.skip(n);
            match last {
                Some(b'"') => return Ok(()),
                // Whatever is escaped, a quote among others, is no end.
                Some(_) => {
                    let escaped = self.rest()?.first().copied().ok_or(Broken::End)?;
                    put(Some(&[escaped]), into, start, copied);
                    self.skip(1);
                }
                None => {}
            }
        }
    }

    /// An object or array, its first bracket not yet taken.
    fn brackets(&mut self, into: &mut Option<Into<'_>>, start: usize, copied: &mut Copied) -> Result<(), Broken> {
        self.open.clear();
        let mut depth = 0usize;
        let mut values = into.as_ref().map_or(usize::MAX, |i| i.room.values);
        let deepest = into.as_ref().map_or(usize::MAX, |i| i.room.depth);
        loop {
            let rest = self.rest()?;
            if rest.is_empty() {
                return Err(Broken::End);
            }
            let n = rest.iter().take_while(|b| !matches!(b, b'"' | b'{' | b'}' | b'[' | b']')).count();
            let mark = rest.get(n).copied();
            put(rest.get(..n), into, start, copied);
            self.skip(n);
            let Some(mark) = mark else { continue };
            if matches!(mark, b'"' | b'{' | b'[') {
                values = values.saturating_sub(1);
                if values == 0 && *copied == Copied::Whole {
                    *copied = Copied::TooLong;
                }
            }
            match mark {
                b'"' => {
                    self.string(into, start, copied)?;
                    continue;
                }
                b'{' | b'[' => {
                    if depth < TRACKED {
                        self.open.push(mark == b'{');
                    }
                    depth = depth.saturating_add(1);
                    if depth > deepest && *copied == Copied::Whole {
                        *copied = Copied::TooDeep;
                    }
                }
                _ => {
                    if depth <= TRACKED && self.open.pop() != Some(mark == b'}') {
                        return Err(unexpected(mark));
                    }
                    depth = depth.saturating_sub(1);
                }
            }
            put(Some(&[mark]), into, start, copied);
            self.skip(1);
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

/// What to say of a byte in the wrong place.
pub(crate) fn unexpected(byte: u8) -> Broken {
    Broken::Syntax(format!("`{}` does not belong here", char::from(byte)))
}

fn put(bytes: Option<&[u8]>, into: &mut Option<Into<'_>>, start: usize, copied: &mut Copied) {
    let (Some(bytes), Some(into), Copied::Whole) = (bytes, into, *copied) else { return };
    if into.text.len().saturating_sub(start).saturating_add(bytes.len()) > into.room.bytes {
        *copied = Copied::TooLong;
        // The memory of what is passed over is given back at once.
        into.text.truncate(start);
        return;
    }
    into.text.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads so few bytes at a time.
    struct Slow<'b>(&'b [u8], usize);
    impl Read for Slow<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(buf.len());
            self.0.read(&mut buf[..n])
        }
    }

    #[test]
    fn values_come_out_as_they_stand_however_they_are_read() {
        for text in [r#"{"a\"]}":[1,{"b":"\\"}],"c":{}}"#, r#""x\\""#, "-1.5e3", "null", "[[[]],\n{}]"] {
            for step in [1, 2, 7, 1000] {
                let whole = format!(" \n{text} ,");
                let mut scan = Scanner::new(Slow(whole.as_bytes(), step));
                let mut out = b"<".to_vec();
                let copied = scan.value(Some(Into { text: &mut out, room: Room { bytes: 1000, values: 100, depth: 10 } })).unwrap();
                assert_eq!((copied, String::from_utf8(out).unwrap()), (Copied::Whole, format!("<{text}")), "{step}");
                assert_eq!(scan.peek().unwrap(), Some(b','));
                assert_eq!(scan.line() as usize, 2 + text.matches('\n').count());
            }
        }
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_passed_over() {
        let text = format!("{}{},1", "[".repeat(9000), "]".repeat(9000));
        for (bytes, values, depth, expected) in [
            (100, 100_000, 100_000, Copied::TooLong),
            (100_000, 9000, 100_000, Copied::TooLong),
            (100_000, 100_000, 100, Copied::TooDeep),
            (18_000, 9001, 9000, Copied::Whole),
        ] {
            let mut scan = Scanner::new(text.as_bytes());
            let mut out = Vec::new();
            assert_eq!(scan.value(Some(Into { text: &mut out, room: Room { bytes, values, depth } })).unwrap(), expected);
            assert_eq!(out.is_empty(), expected != Copied::Whole);
            assert_eq!(scan.peek().unwrap(), Some(b','));
        }
    }

    #[test]
    fn brackets_that_do_not_fit_and_ends_are_told() {
        for text in ["[}", "{\"a\":[1}", "]", ","] {
            assert!(matches!(Scanner::new(text.as_bytes()).value(None), Err(Broken::Syntax(_))), "{text}");
        }
        for text in ["", "[", "\"a", "\"a\\", "{\"a\":"] {
            assert!(matches!(Scanner::new(text.as_bytes()).value(None), Err(Broken::End)), "{text}");
        }
    }
}
