//! `bom check`: what bills of materials declare, part by part, and whether a module is named, hidden or absent.

use std::path::PathBuf;

use clap::Args;
use umbilical_assess::bom;
use umbilical_core::Day;
use umbilical_core::answer::bom::State;
use umbilical_evidence::Purpose;
use umbilical_report::{View, json};

use crate::args::{Format, Global};
use crate::commands::{evidence, facts, formats};
use crate::fail::Fail;
use crate::gate::{Gates, Seen};
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "Examples:
  umbilical bom check hardware/
  umbilical bom check gateway.cdx.json --validate
  umbilical bom check hw/ --format github            annotations on the lines of the files
  umbilical bom check hw/ --fail-on new-module,high";

/// `bom check`.
#[derive(Args, Debug)]
pub struct Check {
    /// Files and folders; `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Check statements against the schema of their version; errors are exit 4
    #[arg(long)]
    pub validate: bool,
    /// As built: only lines that hold for the piece with this serial number
    #[arg(long, value_name = "SERIAL")]
    pub serial: Option<String>,
    /// As built: only lines that hold on this day
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub built: Option<Day>,
    /// How columns of tables map to fields (TOML), overriding the guess that the answer prints
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
}

/// Runs it.
pub fn run(global: &Global, args: &Check) -> Result<u8, Fail> {
    formats(global, "bom check", &[Format::Table, Format::Json])?;
    let gates = Gates::parse(&global.fail_on, &["fail", "undisclosed"])?;
    let kb = facts(global)?;
    let all = evidence(global, &kb, &args.paths, args.map.as_deref(), None, Purpose::Bom)?;
    let options = bom::Options { as_of: home::as_of(global), serial: args.serial.clone(), built: args.built };
    let answer = bom::check(all, &kb, &options);
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &answer),
        _ => umbilical_report::bom::check(w, &answer, &view),
    })?;
    let findings = answer.files.iter().flat_map(|f| &f.findings).chain(answer.projects.iter().flat_map(|p| &p.findings));
    let undisclosed = answer.projects.iter().any(|p| p.state == State::Undisclosed);
    Ok(gates.code(findings, Seen { unknown: false, undisclosed }))
}
