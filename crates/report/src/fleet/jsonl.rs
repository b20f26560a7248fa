//! Lines as JSON: an object for each device and module, with lists as lists and numbers as numbers.

use std::io::{self, Write};

use serde_json::{Map, Value};
use umbilical_core::answer::Device;
use umbilical_core::answer::rows::{COLUMNS, Cell, Fleet, Row, of};

use crate::json;

/// Writes JSON Lines.
pub struct JsonLines<'a> {
    out: &'a mut dyn Write,
    as_of: String,
}

impl<'a> JsonLines<'a> {
    /// A writer; it has no head.
    pub fn new(out: &'a mut dyn Write, as_of: &str) -> Self {
        Self { out, as_of: as_of.to_owned() }
    }
}

/// One line as an object: every column is there, `null` where nothing is known.
pub(crate) fn object(row: &Row<'_>) -> Map<String, Value> {
    let cells = row.cells().into_iter().map(|cell| match cell {
        Cell::Nothing => Value::Null,
        Cell::Text(text) => text.into(),
        Cell::Number(n) => n.into(),
        Cell::List(items) => items.into_iter().map(Value::from).collect(),
    });
    COLUMNS.iter().map(|(name, _)| (*name).to_owned()).zip(cells).collect()
}

impl Fleet for JsonLines<'_> {
    fn device(&mut self, device: &Device) -> io::Result<()> {
        of(device, &self.as_of).try_for_each(|row| json::line(self.out, &object(&row)))
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}
