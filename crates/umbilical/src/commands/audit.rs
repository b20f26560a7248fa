//! `audit`: read, resolve, identify, trace, answer.

use umbilical_assess::{Fleet, Options};
use umbilical_core::answer::Audit as Answer;
use umbilical_core::finding::{CODES, Severity};
use umbilical_report::{View, csv, html, json, table};

use super::{evidence, facts, formats};
use crate::args::{Audit, Format, Global};
use crate::fail::Fail;
use crate::{home, out};

/// Devices on a page before it says how many more there are.
const PAGE: usize = 2_000;
/// Devices listed at a terminal.
const ROWS: usize = 40;

pub fn run(global: &Global, audit: &Audit) -> Result<u8, Fail> {
    formats(global, "audit", &[Format::Table, Format::Json, Format::Csv, Format::Html])?;
    let gates = gates(&global.fail_on)?;
    let kb = facts(global)?;
    let all = evidence(global, &kb, &audit.paths, audit.map.as_deref(), audit.threads)?;
    let fleet = Fleet::new(&all, &kb, Options { as_of: home::as_of(global), show_subscribers: global.show_subscribers });
    let answer = fleet.audit();
    let code = gates.iter().map(|g| g.code(&answer)).fold(0, worse);
    let view = View { width: out::width(), color: out::colour(global), max_rows: ROWS };
    let written = out::answer(global, |w| match global.format {
        Format::Table => table::audit(w, &answer, fleet.devices(), &view),
        Format::Json => json::audit(w, &answer, fleet.devices()),
        Format::Csv => csv::audit(w, fleet.devices()),
        Format::Html => html::audit(w, &answer, fleet.devices(), PAGE),
    });
    // A reader that has seen enough (`| head`) changes neither what is kept nor what a gate says.
    match written {
        Err(problem) if !problem.is_closed_pipe() => return Err(problem),
        _ => {}
    }
    if !global.no_save {
        keep(global, &answer, &fleet);
    }
    if !global.quiet {
        for note in gates.iter().filter_map(|g| g.powerless(&answer)) {
            eprintln!("umbilical: {note}");
        }
    }
    Ok(code)
}

/// Keeps the answer in the home. An answer that cannot be kept has been given all the same: a note, no failure.
fn keep(global: &Global, answer: &Answer, fleet: &Fleet<'_>) {
    let kept = home::folder(global).and_then(|folder| {
        home::make(&folder)?;
        out::private(&folder.join(home::AUDIT), |w| json::packed(w, answer, fleet.devices()))
    });
    if let Err(problem) = kept
        && !global.quiet
    {
        eprintln!("umbilical: the answer was not kept: {problem} (--no-save says so on purpose)");
    }
}

/// One word of `--fail-on`.
enum Gate {
    Unknown,
    Undisclosed,
    Severity(Severity),
    Code(&'static str),
    /// Verdicts of rules and incidents of detectors, by the word that names them: nothing raises them yet.
    Quiet(&'static str),
}

fn gates(words: &[String]) -> Result<Vec<Gate>, Fail> {
    words.iter().map(|w| w.trim()).filter(|w| !w.is_empty()).map(gate).collect()
}

fn gate(word: &str) -> Result<Gate, Fail> {
    let severities = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    if let Some(severity) = severities.into_iter().find(|s| s.name() == word) {
        return Ok(Gate::Severity(severity));
    }
    if let Some((code, _)) = CODES.iter().find(|(code, _)| *code == word) {
        return Ok(Gate::Code(code));
    }
    match word {
        "unknown" => Ok(Gate::Unknown),
        "undisclosed" => Ok(Gate::Undisclosed),
        "fail" => Ok(Gate::Quiet("fail")),
        "review" => Ok(Gate::Quiet("review")),
        "incident" => Ok(Gate::Quiet("incident")),
        _ => {
            let codes: Vec<&str> = CODES.iter().map(|c| c.0).collect();
            Err(Fail::usage(
                format!("--fail-on: `{word}` is nothing that can be found"),
                format!(
                    "use fail, review, unknown, undisclosed, incident, a severity (info, low, medium, high, critical) or a code: {}",
                    codes.join(", ")
                ),
            ))
        }
    }
}

impl Gate {
    fn code(&self, answer: &Answer) -> u8 {
        let found = |code: &str| answer.tallies.findings.iter().any(|t| t.label == code && t.count > 0);
        let tripped = match self {
            Self::Unknown => return if answer.coverage.unknown > 0 { 3 } else { 0 },
            Self::Undisclosed => return if answer.coverage.undisclosed.is_some_and(|n| n > 0) { 3 } else { 0 },
            Self::Severity(least) => CODES.iter().any(|(code, _)| found(code) && umbilical_assess::findings::severity(code) >= *least),
            Self::Code(code) => found(code),
            Self::Quiet(_) => false,
        };
        u8::from(tripped)
    }

    /// Why a gate that was asked for cannot trip: silence would look like a pass.
    fn powerless(&self, answer: &Answer) -> Option<String> {
        let (judge, word) = match self {
            Self::Quiet(word @ "incident") => ("detector", *word),
            Self::Quiet(word) => ("rule", *word),
            Self::Undisclosed if answer.coverage.undisclosed.is_none() => ("bill of materials", "undisclosed"),
            _ => return None,
        };
        Some(format!("no {judge} judges `{word}` yet: it cannot trip"))
    }
}

/// Of two codes the one that comes first in the contract: 1 before 3 before 0.
fn worse(a: u8, b: u8) -> u8 {
    match (a, b) {
        (0, other) | (other, 0) => other,
        (a, b) => a.min(b),
    }
}
