//! `audit`: read, resolve, identify, trace, answer.

use umbilical_assess::{Fleet, Options, bom};
use umbilical_core::answer::Audit as Answer;
use umbilical_report::{View, csv, html, json, table};

use super::{Reading, evidence, facts, formats};
use crate::args::{Audit, Format, Global};
use crate::fail::Fail;
use crate::gate::{Found, Gates, Seen};
use crate::{home, out};

/// Devices on a page before it says how many more there are.
const PAGE: usize = 2_000;
/// Devices listed at a terminal.
const ROWS: usize = 40;

pub fn run(global: &Global, audit: &Audit) -> Result<u8, Fail> {
    formats(global, "audit", &[Format::Table, Format::Json, Format::Csv, Format::Html])?;
    let gates = Gates::parse(&global.fail_on, &[])?;
    let kb = facts(global)?;
    let mut all = evidence(global, &kb, Reading { threads: audit.threads, ..Reading::fleet(&audit.paths, audit.map.as_deref()) })?;
    let as_of = home::as_of(global);
    // What a bill of materials declares is a device of the fleet like any other.
    bom::as_devices(&mut all, &kb, &bom::Options::on(as_of));
    let fleet = Fleet::new(&all, &kb, Options { as_of, show_subscribers: global.show_subscribers });
    let answer = fleet.audit();
    let found = answer.tallies.findings.iter().filter(|t| t.count > 0).map(|t| Found {
        code: &t.label,
        source: "identity",
        severity: umbilical_assess::findings::severity(&t.label),
        verdict: None,
        waived: false,
    });
    let undisclosed = answer.coverage.undisclosed.is_some_and(|n| n > 0);
    let code = gates.code(found, Seen { unknown: answer.coverage.unknown > 0, undisclosed });
    let view = View { width: out::width(), color: out::colour(global), max_rows: ROWS };
    let written = out::answer(global, |w| match global.format {
        Format::Table => table::audit(w, &answer, fleet.devices(), &view),
        Format::Json => json::audit(w, &answer, fleet.devices()),
        Format::Csv => csv::audit(w, fleet.devices()),
        _ => html::audit(w, &answer, fleet.devices(), PAGE),
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
        let blind = gates.wants_undisclosed() && answer.coverage.undisclosed.is_none();
        let blind = blind.then(|| "no bill of materials was read, so nothing judges `undisclosed`: it cannot trip".to_owned());
        for note in gates.powerless().chain(blind) {
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
