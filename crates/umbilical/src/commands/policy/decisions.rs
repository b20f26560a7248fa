//! `policy decisions`: the log, and whether it is whole.

use clap::Args;
use umbilical_assess::trace::stamp;
use umbilical_core::answer::decisions::{DECISIONS_SCHEMA, Decisions as Document};
use umbilical_report::{View, csv, decisions as page, json};

use crate::args::{Format, Global};
use crate::commands::{facts, formats};
use crate::decisions;
use crate::fail::Fail;
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str =
    "Each line of the log holds the hash of the line before it. --verify exits 4 when a line was changed, left out or moved.

Examples:
  umbilical policy decisions
  umbilical policy decisions 7
  umbilical policy decisions --verify --head 3fa2…";

/// `policy decisions`.
#[derive(Args, Debug)]
pub struct Decisions {
    /// One decision, by its number
    #[arg(value_name = "N")]
    pub n: Option<u64>,
    /// Exit 4 when the log is not whole
    #[arg(long)]
    pub verify: bool,
    /// A head that somebody noted: the log has to hold its line
    #[arg(long, value_name = "HASH", requires = "verify")]
    pub head: Option<String>,
}

/// Runs it.
pub fn run(global: &Global, args: &Decisions) -> Result<u8, Fail> {
    formats(global, "policy decisions", &[Format::Table, Format::Json, Format::Csv])?;
    let mut log = decisions::read(global, args.head.as_deref().map(str::trim))?;
    if let Some(n) = args.n {
        let all = log.decisions.len();
        log.decisions.retain(|d| d.n == n);
        if log.decisions.is_empty() {
            return Err(Fail::usage(format!("there is no decision {n}"), format!("the log holds {all}; `policy decisions` lists them")));
        }
    }
    let kb = facts(global)?;
    let day = home::as_of(global);
    let document = Document {
        schema: DECISIONS_SCHEMA,
        as_of: day.to_string(),
        knowledge: stamp(&kb, day),
        inputs: Vec::new(),
        intact: log.problems.is_empty(),
        problems: log.problems,
        head: log.head,
        decisions: log.decisions,
    };
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &document),
        Format::Csv => csv::cells(w, &page::COLUMNS, &page::rows(&document)),
        _ => page::table(w, &document, args.n.is_some(), &view),
    })?;
    Ok(if args.verify && !document.intact { 4 } else { 0 })
}
