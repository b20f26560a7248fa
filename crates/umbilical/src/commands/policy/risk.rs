//! `policy risk`: four axes for each subject, in the order that the operator wants.

use std::path::PathBuf;

use clap::Args;
use umbilical_assess::bom;
use umbilical_assess::judge::risk::{Scale, rank, weights_used};
use umbilical_assess::trace::stamp;
use umbilical_core::answer::Said;
use umbilical_core::answer::risk::{RISK_SCHEMA, RiskAnswer};
use umbilical_knowledge::policy::Weights;
use umbilical_report::{View, csv, json, risk as page};

use super::subjects::{Compared, Read};
use crate::args::{Format, Global};
use crate::commands::{Reading, evidence, facts, formats};
use crate::fail::Fail;
use crate::law::{self, Asked, Unnamed};
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str =
    "Each axis has a score of its own, from terms whose weights are printed; there is no sum over them. Without --risk
nothing is said of any country, and the axis of jurisdiction has no score.

Examples:
  umbilical policy risk evidence/
  umbilical policy risk evidence/ --assets assets.toml --risk our-risk.toml
  umbilical policy risk evidence/ --declared vendor.cdx.json      what is there against what was declared
  umbilical policy risk boards/ --say microphone=yes --say criticality=high --format json";

/// Subjects whose terms are shown at a terminal.
const SHOWN: usize = 20;

/// `policy risk`.
#[derive(Args, Debug)]
pub struct Risk {
    /// Evidence, bills of materials, audits as JSON [default: the last audit]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Weights, order and what you say of countries, over those that are shipped (TOML)
    #[arg(long, value_name = "FILE")]
    pub risk: Option<PathBuf>,
    /// A document that declares the devices (repeatable): what is observed is held against it, as `bom verify` does
    #[arg(long, value_name = "FILE")]
    pub declared: Vec<PathBuf>,
    #[command(flatten)]
    pub asked: Asked,
}

/// Runs it.
pub fn run(global: &Global, args: &Risk) -> Result<u8, Fail> {
    formats(global, "policy risk", &[Format::Table, Format::Json, Format::Csv])?;
    let weights = match &args.risk {
        Some(path) => Weights::with(&law::text(path)?)?,
        None => Weights::shipped()?,
    };
    let (kb, law) = law::load(global, &args.asked, facts(global)?, Unnamed::Nothing)?;
    let as_of = home::as_of(global);
    let read = Read::new(&args.paths, &kb, as_of, global)?;
    let (mut inputs, mut problems, mut compared) = (read.inputs().to_vec(), read.problems(), Compared::new());
    if !args.declared.is_empty() {
        let options = bom::Options { show_subscribers: global.show_subscribers, ..bom::Options::on(as_of) };
        let declared = bom::check(evidence(global, &kb, Reading::bom(&args.declared, None))?, &kb, &options);
        compared = read.compare(&declared, &kb, as_of);
        let first = u32::try_from(inputs.len()).unwrap_or(u32::MAX);
        problems.extend(declared.problems.into_iter().map(|p| Said { input: p.input.map(|i| i.saturating_add(first)), ..p }));
        inputs.extend(declared.inputs);
    }
    let scale = Scale::new(&kb, &weights, as_of);
    let mut subjects = Vec::new();
    read.sights(&law, &kb, as_of, &compared, &mut |sight| subjects.push(scale.risk(sight)));
    read.done()?;
    rank(&mut subjects, &weights.ranking);
    let answer = RiskAnswer {
        schema: RISK_SCHEMA,
        as_of: as_of.to_string(),
        knowledge: stamp(&kb, as_of),
        inputs,
        problems,
        assumed: law.assumed.iter().map(ToString::to_string).collect(),
        facts: law.base.iter().map(|(n, v)| (n.to_owned(), v.to_string())).collect(),
        weights: weights_used(&weights),
        subjects,
    };
    let view = View { width: out::width(), color: out::colour(global), max_rows: SHOWN };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &answer),
        Format::Csv => csv::cells(w, &page::COLUMNS, &page::rows(&answer)),
        _ => page::table(w, &answer, &view),
    })?;
    Ok(0)
}
