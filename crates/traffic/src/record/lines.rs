//! What the lines of logs have in common.

use std::borrow::Cow;

use super::text;
use crate::time::Micros;

/// What is wrong with lines (or datagrams) of an input: each kind once, with the first place and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Troubles(Vec<Trouble>);

/// One kind of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The first line or datagram.
    pub first: u64,
    /// What is wrong.
    pub what: Cow<'static, str>,
    /// Others like it.
    pub more: u64,
}

/// Kinds of trouble that are told apart in one input.
const KINDS: usize = 32;

impl Troubles {
    /// Something is wrong.
    pub fn put(&mut self, at: u64, what: impl Into<Cow<'static, str>>) {
        let what = what.into();
        if let Some(known) = self.0.iter_mut().find(|t| t.what == what) {
            known.more = known.more.saturating_add(1);
        } else if self.0.len() < KINDS {
            self.0.push(Trouble { first: at, what, more: 0 });
        }
    }

    /// Each kind, in the order in which they were met.
    pub fn iter(&self) -> impl Iterator<Item = &Trouble> {
        self.0.iter()
    }
}

/// Text that is borrowed where nothing in it was escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A time or a span: seconds since 1970 with a fraction, milliseconds, or RFC 3339.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp(pub Micros);

/// Seconds beyond this (the year 5138) are milliseconds.
const MILLISECONDS: f64 = 1e11;

impl Stamp {
    /// As text has it.
    pub fn of_text(text: &[u8]) -> Option<Self> {
        text::stamp(text).or_else(|| text::seconds(text)).map(Self)
    }

    /// As a number of JSON has it.
    pub fn of_number(text: &[u8]) -> Option<Self> {
        if let Some(exact) = exact(text) {
            return Some(Self(exact));
        }
        let value = std::str::from_utf8(text).ok()?.parse::<f64>().ok().filter(|value| value.is_finite())?;
        let micros = if value.abs() > MILLISECONDS { value * 1e3 } else { value * 1e6 };
        // Beyond what it can hold a float becomes the nearest it can.
        Some(Self(Micros(micros.round() as i64)))
    }
}

/// Seconds of 32 bits with no more than six digits behind them: no float can say them better.
fn exact(number: &[u8]) -> Option<Micros> {
    let (whole, behind) = text::leading(number);
    let digits = number.len().saturating_sub(behind.len());
    (digits <= 10 && whole <= u64::from(u32::MAX) && behind.len() <= 7).then(|| text::seconds(number)).flatten()
}

/// The lines of a text, one at a time.
#[derive(Debug)]
pub struct Lines<R> {
    from: R,
    /// Bytes of the line that was given last, where it was given as it lies there.
    given: usize,
    line: Vec<u8>,
}

/// Bytes of the longest line that is read whole.
const LONGEST: u64 = 1 << 20;

impl<R: std::io::BufRead> Lines<R> {
    /// Of a text.
    pub fn new(from: R) -> Self {
        Self { from, given: 0, line: Vec::new() }
    }

    /// The next with its end, if it has one; `None` behind the last. What is longer than a megabyte is cut, and lacks its end.
    pub fn line(&mut self) -> std::io::Result<Option<&[u8]>> {
        use std::io::{BufRead as _, Read as _};
        self.from.consume(std::mem::take(&mut self.given));
        // Nearly all of them lie whole in what was read at once.
        let end = match self.from.fill_buf() {
            Ok(read) => memchr::memchr(b'\n', read),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => None,
            Err(error) => return Err(error),
        };
        if let Some(end) = end.filter(|end| (*end as u64) < LONGEST) {
            self.given = end.saturating_add(1);
            return Ok(self.from.fill_buf()?.get(..self.given));
        }
        self.line.clear();
        let read = self.from.by_ref().take(LONGEST).read_until(b'\n', &mut self.line)?;
        if read as u64 == LONGEST && self.line.last() != Some(&b'\n') {
            self.from.skip_until(b'\n')?;
        }
        Ok((read > 0).then_some(&self.line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_however_much_is_read_at_once() {
        let long = "x".repeat(3000);
        let text = format!("one\n\n{long}\r\ntwo\n{long}{long}\nlast");
        let wanted: Vec<&[u8]> = text.as_bytes().split_inclusive(|byte| *byte == b'\n').collect();
        for many in [1, 2, 5, 7, 64, 3002, 3003, 1 << 20] {
            let mut lines = Lines::new(std::io::BufReader::with_capacity(many, text.as_bytes()));
            let mut all = Vec::new();
            while let Some(line) = lines.line().unwrap() {
                all.push(line.to_vec());
            }
            assert!(all == wanted && lines.line().unwrap().is_none(), "{many}");
        }
    }

    /// Gives some bytes, fails once, and is at its end then, as what unpacks gzip does where a checksum is wrong.
    struct FailsOnce(Vec<&'static [u8]>, Option<std::io::ErrorKind>);

    impl std::io::Read for FailsOnce {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                return self.1.take().map_or(Ok(0), |kind| Err(kind.into()));
            }
            self.0.remove(0).read(to)
        }
    }

    #[test]
    fn what_fails_once_is_told() {
        for last in [&b"two\n"[..], b"two"] {
            let mut lines = Lines::new(std::io::BufReader::new(FailsOnce(vec![b"one\n", last], Some(std::io::ErrorKind::InvalidData))));
            assert_eq!(lines.line().unwrap(), Some(&b"one\n"[..]));
            let second = lines.line().map(|line| line.map(<[u8]>::to_vec));
            let error = if last.ends_with(b"\n") { lines.line().map(|_| ()) } else { second.map(|_| ()) };
            assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
        }
        let mut lines = Lines::new(std::io::BufReader::new(FailsOnce(Vec::new(), Some(std::io::ErrorKind::Interrupted))));
        assert_eq!(lines.line().unwrap(), None);
    }

    #[test]
    fn what_is_too_long_is_cut() {
        for beyond in [0, 1, 70_000] {
            let text = format!("{}\nnext\n", "x".repeat(LONGEST as usize - 1 + beyond));
            for whole in [false, true] {
                let mut lines: Lines<Box<dyn std::io::BufRead>> = match whole {
                    true => Lines::new(Box::new(text.as_bytes())),
                    false => Lines::new(Box::new(std::io::BufReader::new(text.as_bytes()))),
                };
                let first = lines.line().unwrap().unwrap().to_vec();
                assert_eq!((first.len() as u64, first.ends_with(b"\n")), (LONGEST, beyond == 0), "{beyond} {whole}");
                assert_eq!(lines.line().unwrap(), Some(&b"next\n"[..]), "{beyond} {whole}");
            }
        }
    }
}
