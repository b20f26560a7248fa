//! Annotations of GitHub Actions: workflow commands on standard output that mark the line of the file.
//!
//! The runner takes every line that begins with `::` for a command, so text from outside is cleaned of control
//! characters and escaped: `%`, CR and LF everywhere, `:` and `,` in properties too.

use std::io::{self, Write};

use umbilical_core::answer::Said;
use umbilical_core::observation::Input;
use umbilical_core::text::clean;

use crate::located::{Entry, Level, Place, because, remedies};

/// What is annotated.
#[derive(Clone, Debug)]
pub struct Run<'a, E> {
    /// The findings. The runner shows ten annotations of each level for a step, so the loudest are written first.
    pub findings: E,
    /// What could not be understood.
    pub problems: &'a [Said],
    /// What was read.
    pub inputs: &'a [Input],
}

/// Writes one command for each finding and problem, and a line that counts them.
pub fn write<'a, E: Into<Entry<'a>>>(out: &mut dyn Write, run: Run<'a, impl IntoIterator<Item = E>>) -> io::Result<()> {
    let mut entries: Vec<(Level, Entry<'a>)> = run
        .findings
        .into_iter()
        .map(|e| {
            let entry = e.into();
            (if entry.is_accepted() { Level::Note } else { Level::of(entry.finding) }, entry)
        })
        .collect();
    // Stable: within a level the order of the answer.
    entries.sort_by_key(|(level, entry)| (std::cmp::Reverse(*level), std::cmp::Reverse(entry.finding.severity)));
    for (level, entry) in &entries {
        finding(out, *level, entry)?;
    }
    for problem in run.problems {
        let file = problem.input.and_then(|i| run.inputs.get(i as usize)).map(|i| i.path.as_str());
        let line = problem.at.strip_prefix("line ").and_then(|n| n.parse().ok());
        command(out, Level::Warning, file, line, "not understood", &[&problem.what])?;
    }
    let count = |level: Level| entries.iter().filter(|(l, _)| *l == level).count();
    writeln!(
        out,
        "umbilical: {} as error, {} as warning, {} as notice; {} files read, {} problems",
        count(Level::Error),
        count(Level::Warning),
        count(Level::Note),
        run.inputs.len(),
        run.problems.len()
    )
}

fn finding(out: &mut dyn Write, level: Level, entry: &Entry<'_>) -> io::Result<()> {
    let place = Place::of(entry.finding);
    let why = match place.in_words() {
        Some(at) => format!("{at}: {}", because(entry.finding)),
        None => because(entry.finding),
    };
    let helps = remedies(entry.finding).map(|r| format!("what helps: {r}"));
    let clears = format!("clears when: {}", entry.finding.clears_when);
    let waiver = entry.waiver.map(|w| format!("{}: {}", if w.expired { "a waiver has expired" } else { "accepted" }, w.reason));
    let lines = [Some(why), waiver, helps, Some(clears)];
    let lines: Vec<&str> = lines.iter().flatten().map(String::as_str).collect();
    command(out, level, place.file, place.line, &entry.finding.code, &lines)
}

fn command(out: &mut dyn Write, level: Level, file: Option<&str>, line: Option<u64>, title: &str, lines: &[&str]) -> io::Result<()> {
    out.write_all(match level {
        Level::Error => b"::error ",
        Level::Warning => b"::warning ",
        Level::Note => b"::notice ",
    })?;
    if let Some(file) = file {
        write!(out, "file={},", property(file))?;
        if let Some(line) = line {
            write!(out, "line={line},")?;
        }
    }
    let message = lines.iter().map(|l| data(&clean(l))).collect::<Vec<_>>().join("%0A");
    writeln!(out, "title={}::{message}", property(title))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(&clean(text)).replace(':', "%3A").replace(',', "%2C")
}
