//! Lines as CSV: no cell that a spreadsheet would compute, and the same fleet when it is read back.

use std::io::{self, Write};

use umbilical_core::answer::Device;
use umbilical_core::answer::rows::{COLUMNS, Fleet, of};

/// Writes CSV.
pub struct Csv<'a> {
    to: csv::Writer<&'a mut dyn Write>,
    as_of: String,
}

impl<'a> Csv<'a> {
    /// Writes the line of column names.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn new(out: &'a mut dyn Write, as_of: &str) -> io::Result<Self> {
        let mut to = csv::Writer::from_writer(out);
        to.write_record(COLUMNS.iter().map(|(name, _)| name))?;
        Ok(Self { to, as_of: as_of.to_owned() })
    }
}

impl Fleet for Csv<'_> {
    fn device(&mut self, device: &Device) -> io::Result<()> {
        for row in of(device, &self.as_of) {
            self.to.write_record(row.cells().iter().map(|c| c.sheet()))?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.to.flush()
    }
}
