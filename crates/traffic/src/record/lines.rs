//! What the lines of logs have in common.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, de};

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

/// What a line of JSON says. That it is text is found out once and not of each string in it; a line that is none is read as far as nobody asks
/// for what is not.
pub(super) fn json<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, serde_json::Error> {
    std::str::from_utf8(line).map_or_else(|_| serde_json::from_slice(line), serde_json::from_str)
}

/// Text that is borrowed where nothing in it was escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> de::Visitor<'de> for Any {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("text")
            }
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(v)))
            }
            fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(v.to_owned())))
            }
        }
        from.deserialize_str(Any)
    }
}

/// A time or a span: seconds since 1970 with a fraction, milliseconds, or RFC 3339.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp(pub Micros);

/// Seconds beyond this (the year 5138) are milliseconds.
const MILLISECONDS: f64 = 1e11;

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl de::Visitor<'_> for Any {
            type Value = Stamp;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a time")
            }
            fn visit_f64<E>(self, v: f64) -> Result<Self::Value, E> {
                let micros = if v.abs() > MILLISECONDS { v * 1e3 } else { v * 1e6 };
                // Beyond what it can hold a float becomes the nearest it can, and what is none becomes 0.
                Ok(Stamp(Micros(micros.round() as i64)))
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Self::Value, E> {
                self.visit_f64(v as f64)
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Self::Value, E> {
                self.visit_f64(v as f64)
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Self::Value, E> {
                let stamp = text::stamp(v.as_bytes()).or_else(|| text::seconds(v.as_bytes()));
                stamp.map(Stamp).ok_or_else(|| E::custom("this is no time"))
            }
        }
        from.deserialize_any(Any)
    }
}

/// The lines of a text, one at a time.
#[derive(Debug)]
pub struct Lines<R> {
    from: R,
    line: Vec<u8>,
}

/// Bytes of the longest line that is read whole.
const LONGEST: u64 = 1 << 20;

impl<R: std::io::BufRead> Lines<R> {
    /// Of a text.
    pub fn new(from: R) -> Self {
        Self { from, line: Vec::new() }
    }

    /// The next with its end, if it has one; `None` behind the last. What is longer than a megabyte is cut, and lacks its end.
    pub fn line(&mut self) -> std::io::Result<Option<&[u8]>> {
        use std::io::{BufRead as _, Read as _};
        self.line.clear();
        let read = self.from.by_ref().take(LONGEST).read_until(b'\n', &mut self.line)?;
        if read as u64 == LONGEST && self.line.last() != Some(&b'\n') {
            self.from.skip_until(b'\n')?;
        }
        Ok((read > 0).then_some(&self.line))
    }
}
