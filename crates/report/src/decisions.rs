//! Decisions at a terminal and as CSV.

use std::io::{self, Write};

use umbilical_core::answer::decisions::{Decision, Decisions, Digest};

use crate::View;
use crate::terminal::{Page, Tone};

/// Columns of the CSV.
pub const COLUMNS: [&str; 9] = ["n", "at", "by", "decision", "command", "as_of", "knowledge", "exit", "answer"];

/// A line for each decision.
pub fn rows(answer: &Decisions) -> Vec<[String; 9]> {
    let row = |d: &Decision| {
        let command = d.command.join(" ");
        let exit = d.exit.to_string();
        [
            d.n.to_string(),
            d.at.clone(),
            d.by.clone(),
            d.decision.clone(),
            command,
            d.as_of.clone(),
            d.knowledge.clone(),
            exit,
            d.answer.clone(),
        ]
    };
    answer.decisions.iter().map(row).collect()
}

/// Writes the log, each decision with everything it stood on when `whole`.
pub fn table(out: &mut dyn Write, answer: &Decisions, whole: bool, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    if answer.decisions.is_empty() && answer.problems.is_empty() {
        return page.para(0, Tone::Plain, "nothing is decided yet: `umbilical policy decide` records what is");
    }
    for d in &answer.decisions {
        page.gap()?;
        page.para(0, Tone::Bold, &format!("{}  {}", d.n, d.decision))?;
        page.field(2, "By", &format!("{}, {}", d.by, d.at))?;
        page.field(2, "Upon", &format!("umbilical {}", d.command.join(" ")))?;
        let exit = d.exit;
        page.field(2, "As of", &format!("{} (knowledge {}, sources to {}; exit code {exit})", d.as_of, d.knowledge, d.sources_to))?;
        if whole {
            page.field(2, "In", &d.folder)?;
            page.field(2, "Program", &d.program)?;
            for (name, list) in [("Pack", &d.packs), ("Input", &d.inputs), ("File", &d.files)] {
                for Digest { name: what, sha256 } in list {
                    page.field(2, name, &format!("{what}  {sha256}"))?;
                }
            }
            page.field(2, "Answer", &d.answer)?;
        }
    }
    page.gap()?;
    for problem in &answer.problems {
        page.para(0, Tone::Bad, &format!("{}: {}", problem.at, problem.what))?;
    }
    match (&answer.head, answer.intact) {
        (Some(head), true) => page.para(0, Tone::Dim, &format!("the log is whole; head {head}")),
        _ => page.para(0, Tone::Bad, "the log is not whole"),
    }
}
