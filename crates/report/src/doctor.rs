//! A check of the installation at a terminal.

use std::io::{self, Write};

use umbilical_core::answer::doctor::{Checkup, Doctor, Health};

use crate::View;
use crate::terminal::{Page, Tone};

/// Columns of the CSV.
pub const COLUMNS: [&str; 5] = ["check", "verdict", "read", "expected", "fix"];

/// A line for each check.
pub fn rows(answer: &Doctor) -> Vec<[String; 5]> {
    let row = |c: &Checkup| [c.id.to_owned(), c.verdict.name().to_owned(), c.read.clone(), c.expected.clone(), c.fix.clone()];
    answer.checks.iter().map(row).collect()
}

/// Writes the checks; what is to be done stands under each that is not in order.
pub fn table(out: &mut dyn Write, answer: &Doctor, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    for check in &answer.checks {
        let tone = match check.verdict {
            Health::Pass => Tone::Good,
            Health::Na => Tone::Dim,
            Health::Unknown => Tone::Warn,
            Health::Fail => Tone::Bad,
        };
        page.hanging(0, 9, tone, &format!("{:<8} {}: {}", check.verdict.name(), check.id, check.read))?;
        if matches!(check.verdict, Health::Fail | Health::Unknown) {
            page.hanging(9, 2, Tone::Plain, &format!("expected: {}", check.expected))?;
            if !check.fix.is_empty() {
                page.hanging(9, 2, Tone::Plain, &format!("do: {}", check.fix))?;
            }
        }
    }
    page.gap()?;
    let knowledge = &answer.knowledge;
    let said = format!("umbilical {}; knowledge {} (sources to {})", answer.program, knowledge.version, knowledge.sources_to);
    page.para(0, Tone::Dim, &said)
}
