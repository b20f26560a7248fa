//! `bom diff`: revisions of a bill of materials against each other.

use std::path::PathBuf;

use clap::Args;
use umbilical_assess::bom::{self, Dated};
use umbilical_core::Day;
use umbilical_core::answer::bom::State;
use umbilical_core::answer::diff::Diff as Answer;
use umbilical_core::finding::Finding;
use umbilical_core::text::clean;
use umbilical_report::{View, diff as page, json, junit};

use super::common::{self, Head, Lines};
use crate::args::{Format, Global};
use crate::commands::{Reading, evidence, facts, formats};
use crate::fail::Fail;
use crate::gate::{Gates, Seen};
use crate::out;

/// Shown behind the help.
pub const EXAMPLES: &str = "Examples:
  umbilical bom diff old.kicad_sch new.cdx.json              dialects may differ
  umbilical bom diff old.cdx.json new.cdx.json --fail-on new-module,origin-change
  umbilical bom diff r1.csv r2.csv r3.csv --dated r1.csv=2024-03-01 --dated r2.csv=2025-01-15 --dated r3.csv=2026-06-30";

/// `bom diff`.
#[derive(Args, Debug)]
pub struct Diff {
    /// Revisions, the oldest first: files, or folders of one product each; one of them may be `-`
    #[arg(required = true, num_args = 2.., value_names = ["OLD", "NEW"])]
    pub paths: Vec<PathBuf>,
    /// The day of a revision; more than two are ordered by their days where all have one (repeatable)
    #[arg(long, value_name = "PATH=YYYY-MM-DD")]
    pub dated: Vec<String>,
    #[command(flatten)]
    pub lines: Lines,
}

/// Runs it.
pub fn run(global: &Global, args: &Diff) -> Result<u8, Fail> {
    let has = [Format::Table, Format::Json, Format::Csv, Format::Sarif, Format::Github, Format::Junit];
    formats(global, "bom diff", &has)?;
    let gates = Gates::parse(&global.fail_on, &[])?;
    let days = days(args)?;
    let kb = facts(global)?;
    let options = args.lines.options(global);
    let mut revisions = Vec::with_capacity(args.paths.len());
    for (path, date) in args.paths.iter().zip(days) {
        let all = evidence(global, &kb, Reading::bom(std::slice::from_ref(path), args.lines.map()))?;
        let check = bom::check(all, &kb, &options);
        let shown = path.display().to_string();
        // Against nothing everything is new: that is no answer.
        if check.files.is_empty() {
            return Err(Fail::NothingReadable(format!("{}: no bill of materials in it", clean(&shown))));
        }
        revisions.push(Dated { path: shown, date, check });
    }
    let answer = bom::diff(revisions, &kb, options.as_of);
    write(global, &answer, &gates)?;
    Ok(gates.code(answer.findings.iter(), seen(&answer)))
}

/// The day of each path as `--dated` gives it.
fn days(args: &Diff) -> Result<Vec<Option<Day>>, Fail> {
    let mut days = vec![None; args.paths.len()];
    for given in &args.dated {
        let wrong = |why: String| {
            Fail::usage(format!("--dated: {why}"), "write it like bom-r2.csv=2025-01-15, with a path as it stands in the command")
        };
        let (path, day) = given.rsplit_once('=').ok_or_else(|| wrong(format!("`{given}` names no path and day")))?;
        let day: Day = day.parse().map_err(|_| wrong(format!("`{day}` is no day")))?;
        let mut slots = args.paths.iter().zip(&mut days).filter(|(p, _)| p.as_os_str() == path).peekable();
        if slots.peek().is_none() {
            return Err(wrong(format!("`{path}` is none of the revisions")));
        }
        slots.for_each(|(_, slot)| *slot = Some(day));
    }
    Ok(days)
}

/// What the newest revision leaves open.
fn seen(answer: &Answer) -> Seen {
    let undisclosed = answer.revisions.last().is_some_and(|r| r.state == State::Undisclosed);
    Seen { unknown: false, undisclosed }
}

fn write(global: &Global, answer: &Answer, gates: &Gates) -> Result<(), Fail> {
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    let head = Head { as_of: &answer.as_of, knowledge: &answer.knowledge, inputs: &answer.inputs, problems: &answer.problems };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, answer),
        Format::Csv => page::table(w, answer),
        format @ (Format::Sarif | Format::Github) => common::machine(w, format, &head, answer.findings.iter()),
        Format::Junit => {
            let stops = |finding: &Finding| gates.code(std::iter::once(finding), Seen::default()) > 0;
            junit::write(w, &page::suites(answer, stops))
        }
        _ => page::diff(w, answer, &view),
    })
}
