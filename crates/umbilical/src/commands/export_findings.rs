//! `export findings`: what was found, for the systems that people already watch.

use std::io::{self, Write};
use std::path::PathBuf;

use umbilical_core::answer::Device;
use umbilical_core::finding::Finding;
use umbilical_report::event::{self, Event, Kind, Moment};
use umbilical_report::{json, sarif};

use super::export::{Source, each_into};
use super::formats;
use crate::args::{Format, Global};
use crate::fail::Fail;
use crate::out;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Formats of findings.
const OF_FINDINGS: [Format; 9] =
    [Format::Table, Format::Csv, Format::Jsonl, Format::Stix, Format::Ocsf, Format::Cef, Format::Leef, Format::Hec, Format::Sarif];

pub fn run(global: &Global, paths: &[PathBuf]) -> Result<u8, Fail> {
    formats(global, "export findings", &OF_FINDINGS)?;
    let source = Source::of(global, paths)?;
    if global.format == Format::Sarif {
        return as_sarif(global, &source);
    }
    // The day was read as one.
    let at = Moment::end_of(source.as_of().parse().map_err(|e| Fail::usage(format!("{}: {e}", source.as_of()), "a day is YYYY-MM-DD"))?);
    let mut broken = None;
    out::answer(global, |w| {
        let mut to = Out::new(global.format, w)?;
        each_into(&source, &mut broken, &mut |device| {
            device.findings.iter().try_for_each(|finding| to.event(&Event { finding, device: Some(&device), kind: Kind::New, at }))
        })?;
        to.finish()
    })
    .map_err(|fail| broken.take().unwrap_or(fail))?;
    Ok(0)
}

/// A format and where it goes.
enum Out<'a> {
    Csv(Box<event::Csv<'a>>),
    Stix(event::Bundle<'a>),
    Lines(&'a mut dyn Write, Format),
}

impl<'a> Out<'a> {
    fn new(format: Format, w: &'a mut dyn Write) -> io::Result<Self> {
        Ok(match format {
            Format::Stix => Self::Stix(event::Bundle::new(w)?),
            Format::Table | Format::Csv => Self::Csv(Box::new(event::Csv::new(w)?)),
            format => Self::Lines(w, format),
        })
    }

    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        match self {
            Self::Csv(csv) => csv.event(event),
            Self::Stix(bundle) => bundle.event(event),
            Self::Lines(w, Format::Ocsf) => json::line(w, &event::ocsf(event, VERSION)),
            Self::Lines(w, Format::Hec) => json::line(w, &event::hec(event)),
            Self::Lines(w, Format::Cef) => writeln!(w, "{}", event::syslog(event, &event::cef(event, VERSION))),
            Self::Lines(w, Format::Leef) => writeln!(w, "{}", event::syslog(event, &event::leef(event, VERSION))),
            Self::Lines(w, _) => json::line(w, &event::object(event)),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Csv(csv) => csv.finish(),
            Self::Stix(bundle) => bundle.finish(),
            Self::Lines(w, _) => w.flush(),
        }
    }
}

/// SARIF has the rules before the results, so the findings are held.
fn as_sarif(global: &Global, source: &Source) -> Result<u8, Fail> {
    let mut findings: Vec<Finding> = Vec::new();
    let answer = source.each(&mut |device: Device| findings.extend(device.findings))?;
    out::answer(global, |w| {
        sarif::write(
            w,
            &sarif::Run {
                version: VERSION,
                as_of: &answer.as_of,
                knowledge: &answer.knowledge,
                inputs: &answer.inputs,
                problems: &answer.problems,
                successful: true,
                findings: &findings,
            },
        )
    })?;
    Ok(0)
}
