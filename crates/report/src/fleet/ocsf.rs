//! Devices as events of OCSF: one line for each.

use std::io::{self, Write};

use umbilical_core::answer::Device;
use umbilical_core::answer::rows::Fleet;

use crate::event::{Moment, inventory};
use crate::json;

/// Writes Inventory Info.
pub struct Inventory<'a> {
    out: &'a mut dyn Write,
    at: Moment,
    version: String,
}

impl<'a> Inventory<'a> {
    /// A writer; it has no head. `version` is the program's.
    ///
    /// # Errors
    /// The day of the answer is none.
    pub fn new(out: &'a mut dyn Write, as_of: &str, version: &str) -> io::Result<Self> {
        let day = as_of.parse().map_err(|error| io::Error::other(format!("{as_of}: {error}")))?;
        Ok(Self { out, at: Moment::end_of(day), version: version.to_owned() })
    }
}

impl Fleet for Inventory<'_> {
    fn device(&mut self, device: &Device) -> io::Result<()> {
        json::line(self.out, &inventory(device, self.at, &self.version))
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}
