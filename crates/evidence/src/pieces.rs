//! JSON documents of one object with long arrays, handed out piece by piece: an element or member at a time is held, whatever
//! the document's size, and one that is too long, too deep or wrong costs itself and not its document.

use std::io::{self, Read};

use serde_json::Value;
use umbilical_core::{At, Observations};

use crate::Head;
use crate::cyclonedx::scan::{Broken, Copied, Into, Room, Scanner, unexpected};

/// The most of one piece.
const ROOM: Room = Room { bytes: 4 << 20, values: 500_000, depth: 100 };

/// A piece of a document.
pub(crate) enum Piece<'a> {
    /// A member of the document.
    Member(&'a str, Value),
    /// An element of one of its long arrays.
    Element(&'a str, Value),
}

/// Walks through a document. `arrays` are read element by element. What breaks it is a problem at its line.
pub(crate) fn walk<R: Read>(
    inner: R,
    arrays: &[&str],
    by_line: bool,
    out: &mut Observations,
    mut each: impl FnMut(Piece<'_>, At, &mut Observations),
) -> io::Result<()> {
    let mut pieces = Pieces { scan: Scanner::new(inner), text: Vec::new(), by_line, element: out.unit("element"), elements: 0 };
    let what = match pieces.document(arrays, out, &mut each) {
        Ok(()) => return Ok(()),
        Err(Broken::Io(error)) => return Err(error),
        Err(Broken::End) => "the document breaks off here: what stands before is read".to_owned(),
        Err(Broken::Syntax(what)) => format!("not JSON: {what}; what stands before is read"),
    };
    let line = At::line(pieces.scan.line());
    out.problem(line, what);
    Ok(())
}

struct Pieces<R> {
    scan: Scanner<R>,
    text: Vec<u8>,
    /// Places are lines; else, in a document of one line, elements by their number.
    by_line: bool,
    element: u16,
    elements: u32,
}

impl<R: Read> Pieces<R> {
    fn document(
        &mut self,
        arrays: &[&str],
        out: &mut Observations,
        each: &mut impl FnMut(Piece<'_>, At, &mut Observations),
    ) -> Result<(), Broken> {
        self.begin(b'{')?;
        while self.more(b'}')? {
            if self.scan.peek()? != Some(b'"') {
                return Err(self.scan.peek()?.map_or(Broken::End, unexpected));
            }
            let name = self.value("a member", out)?;
            match self.scan.peek()?.ok_or(Broken::End)? {
                b':' => self.scan.take(),
                other => return Err(unexpected(other)),
            }
            let name = match name {
                Some(Value::String(name)) => name,
                _ => String::new(),
            };
            if arrays.contains(&name.as_str()) && self.scan.peek()? == Some(b'[') {
                self.begin(b'[')?;
                while self.more(b']')? {
                    self.elements = self.elements.saturating_add(1);
                    let at = self.place();
                    if let Some(value) = self.value(&name, out)? {
                        each(Piece::Element(&name, value), at, out);
                    }
                }
                continue;
            }
            let at = self.place();
            if let Some(value) = self.value(&name, out)? {
                each(Piece::Member(&name, value), at, out);
            }
        }
        Ok(())
    }

    fn begin(&mut self, bracket: u8) -> Result<(), Broken> {
        match self.scan.peek()? {
            Some(b) if b == bracket => self.scan.take(),
            Some(other) => return Err(unexpected(other)),
            None => return Err(Broken::End),
        }
        Ok(())
    }

    /// Passes over commas; whether something stands before the end.
    fn more(&mut self, end: u8) -> Result<bool, Broken> {
        loop {
            let next = self.scan.peek()?.ok_or(Broken::End)?;
            if next == b',' || next == end {
                self.scan.take();
            }
            if next != b',' {
                return Ok(next != end);
            }
        }
    }

    fn place(&mut self) -> At {
        // The place is that of the value, not of the blanks before it.
        let _ = self.scan.peek();
        if self.by_line { At::line(self.scan.line()) } else { At { unit: self.element, n: self.elements } }
    }

    /// The next value; what cannot be held is told.
    fn value(&mut self, name: &str, out: &mut Observations) -> Result<Option<Value>, Broken> {
        let at = self.place();
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let copied = self.scan.value(Some(Into { text: &mut text, room: ROOM }))?;
        let parsed = match copied {
            Copied::Whole => crate::json::parsed_bytes(&text).map_err(|e| {
                let said = e.to_string();
                said.split(" at line ").next().unwrap_or(&said).to_owned()
            }),
            Copied::TooDeep => Err(format!("nested deeper than {} levels: it is left out", ROOM.depth)),
            Copied::TooLong => Err(format!("longer than {} MiB, or more than {} values: it is left out", ROOM.bytes >> 20, ROOM.values)),
        };
        self.text = text;
        match parsed {
            Ok(value) => Ok(Some(value)),
            Err(what) => {
                out.problem(at, format!("{name}: {what}"));
                Ok(None)
            }
        }
    }
}

/// Whether the head is the beginning of a JSON object: its text.
pub(crate) fn object<'h>(head: &'h Head<'_>) -> Option<&'h str> {
    let text = head.text.as_deref()?.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    text.starts_with('{').then_some(text)
}

/// Whether places are lines.
pub(crate) fn by_line(head: &Head<'_>) -> bool {
    head.text.as_deref().is_some_and(|t| t.trim().contains('\n'))
}

/// Says that a statement has not been held to a schema, where that was asked.
pub(crate) fn not_validated(asked: bool, format: &str, out: &mut Observations) {
    if asked {
        out.schema_errors = out.schema_errors.saturating_add(1);
        out.problem(At::WHOLE, format!("not validated: no schema of {format} is on file; convert to CycloneDX JSON"));
    }
}
