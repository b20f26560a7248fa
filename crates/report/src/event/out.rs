//! Findings one after the other in a format that was chosen: what an export writes, whoever asked for it.

use std::io::{self, Write};

use super::{Bundle, Csv, Event, cef, hec, leef, object, ocsf, syslog};
use crate::json;

/// A format that takes findings one at a time. SARIF, which has its rules in front, is [`crate::sarif`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line of CSV for each.
    Csv,
    /// An object of JSON for each.
    Jsonl,
    /// One bundle of STIX 2.1.
    Stix,
    /// An event of OCSF for each.
    Ocsf,
    /// A line of syslog with CEF for each.
    Cef,
    /// A line of syslog with LEEF for each.
    Leef,
    /// An event of Splunk's collector for each.
    Hec,
}

/// Writes findings.
pub struct Out<'a> {
    to: To<'a>,
    version: &'a str,
}

enum To<'a> {
    Csv(Box<Csv<'a>>),
    Stix(Bundle<'a>),
    Lines(&'a mut dyn Write, Format),
}

impl<'a> Out<'a> {
    /// Writes what stands in front. `version` is the program's.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn new(format: Format, out: &'a mut dyn Write, version: &'a str) -> io::Result<Self> {
        let to = match format {
            Format::Csv => To::Csv(Box::new(Csv::new(out)?)),
            Format::Stix => To::Stix(Bundle::new(out)?),
            lines => To::Lines(out, lines),
        };
        Ok(Self { to, version })
    }

    /// Writes one finding.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        let version = self.version;
        match &mut self.to {
            To::Csv(csv) => csv.event(event),
            To::Stix(bundle) => bundle.event(event),
            To::Lines(w, Format::Ocsf) => json::line(w, &ocsf(event, version)),
            To::Lines(w, Format::Hec) => json::line(w, &hec(event)),
            To::Lines(w, Format::Cef) => writeln!(w, "{}", syslog(event, &cef(event, version))),
            To::Lines(w, Format::Leef) => writeln!(w, "{}", syslog(event, &leef(event, version))),
            To::Lines(w, _) => json::line(w, &object(event)),
        }
    }

    /// Writes what stands at the end.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn finish(self) -> io::Result<()> {
        match self.to {
            To::Csv(csv) => csv.finish(),
            To::Stix(bundle) => bundle.finish(),
            To::Lines(w, _) => w.flush(),
        }
    }
}
