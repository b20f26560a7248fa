//! `bom check`: what bills of materials declare, part by part, and whether a module is named, hidden or absent.

use std::path::PathBuf;

use clap::Args;
use umbilical_assess::bom;
use umbilical_core::answer::bom::{Check as Answer, State};
use umbilical_core::finding::Finding;
use umbilical_evidence::signed;
use umbilical_report::junit::{self, Gate};
use umbilical_report::{View, csv, json};

use super::common::{self, Head, Lines};
use crate::args::{Format, Global};
use crate::commands::policy::subjects::product;
use crate::commands::{Reading, evidence, facts, formats};
use crate::fail::Fail;
use crate::gate::{Gates, Seen};
use crate::law::{self, Asked, Unnamed};
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "Examples:
  umbilical bom check hardware/
  umbilical bom check gateway.cdx.json --validate
  umbilical bom check gateway.cdx.json --public-key supplier.pub.pem
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
    /// A public key, PEM: every CycloneDX document has to be signed inside by one of those given (repeatable); else exit 4
    #[arg(long, value_name = "KEY.pub.pem")]
    pub public_key: Vec<PathBuf>,
    /// Properties that a signature inside a document may leave out
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "public_key")]
    pub accept_unsigned: Vec<String>,
    #[command(flatten)]
    pub lines: Lines,
    #[command(flatten)]
    pub asked: Asked,
}

/// Runs it.
pub fn run(global: &Global, args: &Check) -> Result<u8, Fail> {
    let has = [Format::Table, Format::Json, Format::Csv, Format::Sarif, Format::Github, Format::Junit];
    formats(global, "bom check", &has)?;
    let keys = common::public_keys(&args.public_key)?;
    let asked = args.asked.is_asked(global);
    let (kb, law) = law::load(global, &args.asked, facts(global)?, if asked { Unnamed::Law } else { Unnamed::Nothing })?;
    let judge = law.judge(&kb, home::as_of(global));
    let gates = Gates::with_rules(&global.fail_on, &["fail", "undisclosed"], &judge.rule_ids())?;
    let mut all = evidence(global, &kb, Reading { validate: args.validate, ..Reading::bom(&args.paths, args.lines.map()) })?;
    signed::inside(&mut all, &keys, &args.accept_unsigned);
    // A document that breaks the schema of its version is no evidence for a gate: that comes first.
    let broken = args.validate && all.schema_errors > 0;
    let mut answer = bom::check(all, &kb, &args.lines.options(global));
    if asked {
        for project in &mut answer.projects {
            project.findings.extend(product(&judge, &law, &kb, &answer.files, &answer.problems, project).findings);
            project.findings.sort_by(|a, b| a.worst_first(b));
        }
        answer.law = Some(law.stamp(&judge));
    }
    write(global, &answer, &gates)?;
    if asked {
        law.tell_unused(global);
    }
    // Nor is one whose signature does not hold.
    if broken || answer.findings().any(common::is_of_signature) {
        return Ok(4);
    }
    Ok(common::code(&gates, &answer))
}

fn write(global: &Global, answer: &Answer, gates: &Gates) -> Result<(), Fail> {
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    let head = Head { as_of: &answer.as_of, knowledge: &answer.knowledge, inputs: &answer.inputs, problems: &answer.problems };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, answer),
        Format::Csv => csv::parts(w, answer),
        format @ (Format::Sarif | Format::Github) => common::machine(w, format, &head, answer.findings()),
        Format::Junit => {
            let stops = |found: &[&Finding], state| {
                // As for the exit code: a carrier beside a named module hides one all the same.
                let undisclosed = state == Some(State::Undisclosed) || found.iter().any(|f| f.code == "undisclosed-modem");
                found.iter().any(|f| common::is_of_signature(f))
                    || gates.code(found.iter().copied(), Seen { unknown: false, undisclosed }) > 0
            };
            let gate = |found: &[&Finding], state| if stops(found, state) { Gate::Stopped } else { Gate::Through };
            junit::write(w, &junit::suites(answer, gate))
        }
        _ => umbilical_report::bom::check(w, answer, &view),
    })
}
