//! `bom convert`: any bill of materials in, one CycloneDX document (or the parts as CSV) out.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use umbilical_assess::bom;
use umbilical_core::Day;
use umbilical_core::answer::bom::{Check, Project};
use umbilical_core::text::clean;
use umbilical_report::{csv, cyclonedx};

use super::common::{self, Lines};
use crate::args::{Format, Global};
use crate::commands::{Reading, evidence, facts, formats};
use crate::fail::Fail;
use crate::gate::Gates;
use crate::out;

/// Shown behind the help.
pub const EXAMPLES: &str = "Examples:
  umbilical bom convert hw/ -o gateway.hbom.cdx.json       a project folder is one product
  umbilical bom convert bom.csv --spec 1.7
  umbilical bom convert old.cdx.json --format csv          the parts, with what is known beside them";

/// How many problems are told on standard error; the rest are counted.
const TOLD: usize = 20;

/// Versions of CycloneDX.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spec {
    /// ECMA-424
    #[default]
    #[value(name = "1.6")]
    V1_6,
    /// The version after it
    #[value(name = "1.7")]
    V1_7,
}

impl From<Spec> for cyclonedx::Spec {
    fn from(spec: Spec) -> Self {
        match spec {
            Spec::V1_6 => Self::V1_6,
            Spec::V1_7 => Self::V1_7,
        }
    }
}

/// `bom convert`.
#[derive(Args, Debug)]
pub struct Convert {
    /// Files and folders of one product; `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Version of CycloneDX to write
    #[arg(long, value_enum, value_name = "VERSION", default_value_t)]
    pub spec: Spec,
    /// When the document was made, RFC 3339; left out otherwise, so that the same input is the same bytes
    #[arg(long, value_name = "TIME")]
    pub timestamp: Option<String>,
    #[command(flatten)]
    pub lines: Lines,
}

/// Runs it.
pub fn run(global: &Global, args: &Convert) -> Result<u8, Fail> {
    formats(global, "bom convert", &[Format::Cyclonedx, Format::Csv, Format::Table])?;
    let gates = Gates::parse(&global.fail_on, &[])?;
    let timestamp = args.timestamp.as_deref().map(time).transpose()?;
    let kb = facts(global)?;
    let all = evidence(global, &kb, Reading::bom(&args.paths, args.lines.map()))?;
    let answer = bom::check(all, &kb, &args.lines.options(global));
    if !global.quiet {
        tell(&answer);
    }
    if answer.files.is_empty() {
        return Err(Fail::NothingReadable("no bill of materials among the inputs".into()));
    }
    if global.format == Format::Csv {
        out::answer(global, |w| csv::parts(w, &answer))?;
    } else {
        let product = product(&answer)?;
        let options = cyclonedx::Options { spec: args.spec.into(), version: env!("CARGO_PKG_VERSION"), timestamp };
        out::answer(global, |w| cyclonedx::write(w, &answer, product, &options))?;
    }
    Ok(common::code(&gates, &answer))
}

/// The one product among the inputs.
fn product(answer: &Check) -> Result<&Project, Fail> {
    match answer.projects.as_slice() {
        [one] => Ok(one),
        [] => Err(Fail::NothingReadable("no product among the inputs".into())),
        several => {
            let names: Vec<String> = several.iter().take(TOLD).map(|p| clean(&p.path).into_owned()).collect();
            let more = several.len().saturating_sub(names.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            Err(Fail::usage(
                format!("{} products among the inputs, and a document is about one: {}{more}", several.len(), names.join(", ")),
                "convert them one by one, or take --format csv for the parts of all",
            ))
        }
    }
}

/// A time as RFC 3339 has it, checked as far as a typing mistake goes.
fn time(text: &str) -> Result<&str, Fail> {
    let wrong = || Fail::usage(format!("--timestamp: `{text}` is no time"), "write it like 2026-11-25T09:30:00Z");
    let (day, rest) = text.split_once('T').ok_or_else(wrong)?;
    day.parse::<Day>().map_err(|_| wrong())?;
    let (clock, zone) = rest.find(['Z', '+', '-']).and_then(|at| rest.split_at_checked(at)).ok_or_else(wrong)?;
    let whole = clock.split('.').next().unwrap_or_default();
    let below = |number: &str, limit: u8| number.len() == 2 && number.parse::<u8>().is_ok_and(|n| n < limit);
    let hands: Vec<&str> = whole.split(':').collect();
    let clock = matches!(hands.as_slice(), [h, m, s] if below(h, 24) && below(m, 60) && below(s, 61));
    let fraction = rest.split_once('.').is_none_or(|(_, f)| f.starts_with(|c: char| c.is_ascii_digit()));
    let zone = zone == "Z" || zone.get(1..).and_then(|z| z.split_once(':')).is_some_and(|(h, m)| below(h, 24) && below(m, 60));
    if clock && fraction && zone { Ok(text) } else { Err(wrong()) }
}

/// Says what could not be understood: the document has no place for it.
fn tell(answer: &Check) {
    let located: Vec<_> = answer.problems.iter().filter_map(|p| Some((p, answer.inputs.get(p.input? as usize)?))).collect();
    for (problem, input) in located.iter().take(TOLD) {
        eprintln!("umbilical: {}, {}: {}", clean(&input.path), clean(&problem.at), clean(&problem.what));
    }
    let more = located.len().saturating_sub(TOLD);
    if more > 0 {
        eprintln!("umbilical: {more} more problems: `umbilical bom check --format json` lists them");
    }
}
