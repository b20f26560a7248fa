//! JUnit XML, which every CI system shows: a suite for each file, a case for each thing that was judged.

mod bom;
mod verify;

use std::io::{self, Write};

use crate::markup::Esc;

pub use bom::{Gate, suites};
pub use verify::verify;

/// One suite: a file, a device, a rule pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suite {
    /// What it is about: the path of a file.
    pub name: String,
    /// Its cases, in order.
    pub cases: Vec<Case>,
}

/// One thing that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What: `U2 Quectel EC25`.
    pub name: String,
    /// What sort of thing: `module`, `carrier`, `file`.
    pub class: String,
    /// The line of text in the suite's file.
    pub line: Option<u32>,
    /// How it came out.
    pub outcome: Outcome,
}

/// How a case came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing speaks against it.
    Passed,
    /// The gate does not let it through.
    Failed(Said),
    /// It is open: neither passed nor failed.
    Skipped(Said),
}

/// What is said of a case that did not pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// In a word: a finding's code.
    pub code: String,
    /// In a line.
    pub message: String,
    /// At length.
    pub text: String,
}

/// Writes the suites as one document. No times and no host name: the same answer is the same bytes.
pub fn write(out: &mut dyn Write, suites: &[Suite]) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    write!(out, "<testsuites name=\"umbilical\"")?;
    counts(out, suites.iter().flat_map(|s| &s.cases))?;
    for suite in suites {
        write!(out, "  <testsuite name=\"{}\"", Xml(&suite.name))?;
        counts(out, suite.cases.iter())?;
        for case in &suite.cases {
            one(out, &suite.name, case)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn counts<'a>(out: &mut dyn Write, cases: impl Iterator<Item = &'a Case>) -> io::Result<()> {
    let (mut tests, mut failures, mut skipped) = (0u64, 0u64, 0u64);
    for case in cases {
        tests = tests.saturating_add(1);
        match case.outcome {
            Outcome::Passed => {}
            Outcome::Failed(_) => failures = failures.saturating_add(1),
            Outcome::Skipped(_) => skipped = skipped.saturating_add(1),
        }
    }
    writeln!(out, " tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">")
}

fn one(out: &mut dyn Write, file: &str, case: &Case) -> io::Result<()> {
    write!(out, "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\"", Xml(&case.name), Xml(&case.class), Xml(file))?;
    if let Some(line) = case.line {
        write!(out, " line=\"{line}\"")?;
    }
    match &case.outcome {
        Outcome::Passed => writeln!(out, "/>"),
        Outcome::Failed(said) => {
            writeln!(out, ">")?;
            write!(out, "      <failure type=\"{}\" message=\"{}\">", Xml(&said.code), Xml(&said.message))?;
            writeln!(out, "{}</failure>\n    </testcase>", Lines(&said.text))
        }
        // The format gives a skipped case no text of its own.
        Outcome::Skipped(said) => {
            writeln!(out, ">")?;
            writeln!(out, "      <skipped message=\"{}: {}\"/>\n    </testcase>", Xml(&said.code), Xml(&said.message))
        }
    }
}

/// Text in XML 1.0: what may not stand there at all is left out.
struct Xml<'a>(&'a str);

impl std::fmt::Display for Xml<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let barred = ['\u{fffe}', '\u{ffff}'];
        if self.0.contains(barred) { Esc(&self.0.replace(barred, "")).fmt(f) } else { Esc(self.0).fmt(f) }
    }
}

/// The same over several lines.
struct Lines<'a>(&'a str);

impl std::fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, line) in self.0.lines().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            Xml(line).fmt(f)?;
        }
        Ok(())
    }
}
