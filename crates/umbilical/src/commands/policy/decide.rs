//! `policy decide`: what a person decided upon an answer.

use clap::Args;

use crate::args::{Format, Global};
use crate::commands::formats;
use crate::decisions;
use crate::fail::Fail;
use crate::out;

/// Shown behind the help.
pub const EXAMPLES: &str =
    "The command behind `--` is run, its answer kept in the home with everything that it stood on: the day, the facts, the packs,
the digests of what was read. `policy replay N` runs it again and compares the bytes.

Examples:
  umbilical policy decide \"bid A refused by US-NDAA-889A\" --by \"J. Doe\" -- policy check bid-a/ --market US
  umbilical policy decide \"RTU-0417 stays until 2027-03\" --by \"J. Doe\" -- audit evidence/ --policy house.toml";

/// `policy decide`.
#[derive(Args, Debug)]
pub struct Decide {
    /// What was decided, in your words
    #[arg(value_name = "TEXT")]
    pub decision: String,
    /// Who decided
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// The command whose answer it was decided upon
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Runs it.
pub fn run(global: &Global, args: &Decide) -> Result<u8, Fail> {
    formats(global, "policy decide", &[Format::Table])?;
    for (what, text) in [("the decision", &args.decision), ("--by", &args.by)] {
        if text.trim().is_empty() {
            return Err(Fail::usage(format!("{what} is empty"), "say what was decided and who decided"));
        }
    }
    let (decision, hash) = decisions::record(global, args.by.trim(), args.decision.trim(), &args.command)?;
    out::answer(global, |w| {
        writeln!(w, "decision {} is recorded, upon an answer as of {} (exit code {})", decision.n, decision.as_of, decision.exit)?;
        writeln!(w, "  answer  {}", decision.answer)?;
        writeln!(w, "  head    {hash}")?;
        writeln!(w, "Note the head where nobody can change it: it shows later whether the log was cut or written anew.")
    })?;
    Ok(0)
}
