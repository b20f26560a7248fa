//! `export findings`: what was found, for the systems that people already watch.

use std::path::PathBuf;

use umbilical_core::answer::Device;
use umbilical_core::finding::Finding;
use umbilical_report::event::{Event, Kind, Moment, Out};
use umbilical_report::sarif;
use umbilical_web::leave;

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
    let Some(format) = leave::Findings::from_name(global.format.name()).unwrap_or(leave::Findings::Csv).one_by_one() else {
        return as_sarif(global, &source);
    };
    // The day was read as one.
    let at = Moment::end_of(source.as_of().parse().map_err(|e| Fail::usage(format!("{}: {e}", source.as_of()), "a day is YYYY-MM-DD"))?);
    let mut broken = None;
    out::answer(global, |w| {
        let mut to = Out::new(format, w, VERSION)?;
        each_into(&source, &mut broken, &mut |device| {
            device.findings.iter().try_for_each(|finding| to.event(&Event { finding, device: Some(&device), kind: Kind::New, at }))
        })?;
        to.finish()
    })
    .map_err(|fail| broken.take().unwrap_or(fail))?;
    Ok(0)
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
