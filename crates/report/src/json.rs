//! Documents: always the same bytes for the same answer, streamed; pretty-printed, but for the copy in the home.

use std::cell::Cell;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter};
use umbilical_core::answer::{Audit, Device};
use umbilical_core::text::clean;

#[derive(Serialize)]
struct Document<'a, S: Serialize> {
    #[serde(flatten)]
    audit: &'a Audit,
    devices: S,
}

/// Writes the audit document: the fields of [`Audit`] in their order, then `devices`, one at a time.
pub fn audit(out: &mut dyn Write, audit: &Audit, devices: impl IntoIterator<Item = Device>) -> io::Result<()> {
    one(out, &Document { audit, devices: Once(Cell::new(Some(devices))) })
}

/// The same document without white space, for a program to read back: half the size, which counts in a fleet of millions.
pub fn packed(out: &mut dyn Write, audit: &Audit, devices: impl IntoIterator<Item = Device>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Document { audit, devices: Once(Cell::new(Some(devices))) })?;
    writeln!(out)
}

/// Writes one document of any shape, with a line end behind it.
pub fn one(out: &mut dyn Write, document: &impl Serialize) -> io::Result<()> {
    let mut to = serde_json::Serializer::with_formatter(&mut *out, Safe(PrettyFormatter::new()));
    document.serialize(&mut to)?;
    writeln!(out)
}

/// Writes one value of any shape as a line: without white space, and as harmless as [`one`].
pub fn line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Packed))?;
    writeln!(out)
}

/// The packed form, as safe as [`Safe`].
struct Packed;

impl Formatter for Packed {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        fragment_of(to, fragment)
    }
}

/// A sequence that can be written once: serialising takes the iterator.
struct Once<I>(Cell<Option<I>>);

impl<I: IntoIterator<Item: Serialize>> Serialize for Once<I> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.take().into_iter().flatten())
    }
}

/// A piece of a string, with what steers or reorders escaped.
fn fragment_of<W: ?Sized + Write>(to: &mut W, fragment: &str) -> io::Result<()> {
    if fragment.is_ascii() && !fragment.contains('\u{7f}') {
        return to.write_all(fragment.as_bytes());
    }
    let mut bytes = [0u8; 4];
    for c in fragment.chars() {
        let text = &*c.encode_utf8(&mut bytes);
        match clean(text) {
            safe if safe == text => to.write_all(text.as_bytes())?,
            _ => write!(to, "\\u{:04x}", u32::from(c))?,
        }
    }
    Ok(())
}

/// The pretty form, with everything that could steer a terminal or reorder text written as `\uXXXX`: the same
/// strings for every reader of JSON, and harmless for a person who prints the file.
struct Safe(PrettyFormatter<'static>);

impl Formatter for Safe {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        fragment_of(to, fragment)
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, to: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(to, escape)
    }
    fn begin_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_array(to)
    }
    fn end_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_array(to)
    }
    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(to, first)
    }
    fn end_array_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_array_value(to)
    }
    fn begin_object<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_object(to)
    }
    fn end_object<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_object(to)
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(to, first)
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_object_value(to)
    }
    fn end_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_object_value(to)
    }
}
