//! `policy markets`: products against jurisdictions.

use std::path::PathBuf;

use clap::Args;
use umbilical_assess::judge::told::{cell, homes, inside};
use umbilical_assess::trace::stamp;
use umbilical_core::answer::policy::{Judged, MARKETS_SCHEMA, Markets as Answer, Sku};
use umbilical_core::finding::Finding;
use umbilical_report::{View, csv, json, policy as page};

use super::subjects::Read;
use crate::args::{Format, Global};
use crate::commands::{facts, formats};
use crate::fail::Fail;
use crate::gate::{Gates, Seen};
use crate::law::{self, Asked, Unnamed};
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "Examples:
  umbilical policy markets boards/                     every product against every market that a pack knows
  umbilical policy markets boards/ --market US,EU,LT   these markets only
  umbilical policy markets boards/ --format csv -o markets.csv
  umbilical policy markets boards/ --market US,EU --fail-on fail     as a gate: exit 1 where a market is closed";

/// `policy markets`.
#[derive(Args, Debug)]
pub struct Markets {
    /// Bills of materials, evidence, audits as JSON [default: the last audit]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub asked: Asked,
}

/// Runs it.
pub fn run(global: &Global, args: &Markets) -> Result<u8, Fail> {
    formats(global, "policy markets", &[Format::Table, Format::Json, Format::Csv])?;
    let mut asked = args.asked.clone();
    let wanted = asked.market.take();
    let (kb, law) = law::load(global, &asked, facts(global)?, Unnamed::Law)?;
    let judge = law.judge(&kb, home::as_of(global));
    let read = Read::new(&args.paths, &kb, judge.as_of(), global)?;
    let home_of = homes(&judge);
    let mut markets: Vec<String> = match &wanted {
        Some(text) => law::markets(&kb, text)?,
        None => home_of.values().filter(|j| *j != "any").cloned().collect(),
    };
    markets.sort();
    markets.dedup();
    let gates = Gates::with_rules(&global.fail_on, &[], &judge.rule_ids())?;
    let (mut skus, mut code) = (Vec::new(), 0);
    read.judge(&judge, &law, &kb, &mut |subject: Judged| {
        let asked = |f: &&Finding| markets.iter().any(|m| inside(m, &f.code, &home_of));
        code = crate::gate::worse(code, gates.code(subject.findings.iter().filter(asked), Seen::default()));
        let cells = markets.iter().map(|m| cell(m, &subject, &home_of, &judge.as_of().to_string())).collect();
        skus.push(Sku { id: subject.id, names: subject.names, cells });
    });
    read.done()?;
    let answer = Answer {
        schema: MARKETS_SCHEMA,
        as_of: judge.as_of().to_string(),
        knowledge: stamp(&kb, judge.as_of()),
        inputs: read.inputs().to_vec(),
        problems: read.problems(),
        law: law.stamp(&judge),
        markets,
        skus,
    };
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &answer),
        Format::Csv => csv::cells(w, &page::MARKET_COLUMNS, &page::market_rows(&answer)),
        _ => page::markets(w, &answer, &view),
    })?;
    Ok(code)
}
