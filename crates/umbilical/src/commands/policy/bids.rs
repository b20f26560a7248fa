//! `policy bids`: offers by verdict, weight of broken rules, and price.

use std::path::{Path, PathBuf};

use clap::Args;
use umbilical_assess::judge::bids::{ORDER, bid, order, price};
use umbilical_assess::trace::stamp;
use umbilical_core::answer::Said;
use umbilical_core::answer::bids::{BIDS_SCHEMA, Bids as Answer};
use umbilical_core::answer::policy::Judged;
use umbilical_core::finding::Finding;
use umbilical_core::text::clean;
use umbilical_knowledge::policy::Labels;
use umbilical_report::located::Entry;
use umbilical_report::{View, bids as page, csv, json};

use super::subjects::Read;
use crate::args::{Format, Global};
use crate::commands::{facts, formats};
use crate::fail::Fail;
use crate::gate::{Gates, Seen};
use crate::law::{self, Asked, Unnamed};
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "Each PATH is one bid. Its price stands in the file of assets, by its path: facts `price` and `currency`.

Examples:
  umbilical policy bids bids/acme bids/globex.xlsx --policy our-rules/ --assets prices.toml
  umbilical policy bids bids/* --policy our-rules/ --assets prices.toml --fail-on fail";

/// `policy bids`.
#[derive(Args, Debug)]
pub struct Bids {
    /// Bids: bills of materials and evidence, a file or folder for each
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub asked: Asked,
}

/// Runs it.
pub fn run(global: &Global, args: &Bids) -> Result<u8, Fail> {
    formats(global, "policy bids", &[Format::Table, Format::Json, Format::Csv])?;
    if let Some(twice) = args.paths.iter().enumerate().find(|(i, p)| args.paths.iter().take(*i).any(|q| called(q) == called(p))) {
        return Err(Fail::usage(format!("{} is named twice", clean(&called(twice.1))), "each PATH is one bid"));
    }
    let (kb, law) = law::load(global, &args.asked, facts(global)?, Unnamed::Law)?;
    let judge = law.judge(&kb, home::as_of(global));
    let gates = Gates::with_rules(&global.fail_on, &[], &judge.rule_ids())?;
    let (mut inputs, mut problems, mut bids, mut code) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for path in &args.paths {
        let name = called(path);
        let said = price(&law.facts(&Labels { path: &name, ..Labels::default() }));
        let said = said.map_err(|e| Fail::usage(format!("{}: {e}", clean(&name)), "say it in the file of assets, or with --say"))?;
        let read = Read::new(std::slice::from_ref(path), &kb, judge.as_of(), global)?;
        let mut subjects: Vec<Judged> = Vec::new();
        read.judge(&judge, &law, &kb, &mut |subject| subjects.push(subject));
        read.done()?;
        code = crate::gate::worse(code, gates.code(subjects.iter().flat_map(|s| &s.findings), Seen::default()));
        let first = u32::try_from(inputs.len()).unwrap_or(u32::MAX);
        let shifted = |p: Said| Said { input: p.input.map(|i| i.saturating_add(first)), ..p };
        problems.extend(read.problems().into_iter().map(shifted));
        inputs.extend(read.inputs().iter().cloned());
        let own = (first..).take(read.inputs().len()).collect();
        bids.push(bid(&judge, &name, own, &subjects, said, &|f: &Finding| Entry::from(f).is_accepted()));
    }
    law.tell_unused(global);
    order(&mut bids);
    let answer = Answer {
        schema: BIDS_SCHEMA,
        as_of: judge.as_of().to_string(),
        knowledge: stamp(&kb, judge.as_of()),
        inputs,
        problems,
        law: law.stamp(&judge),
        order: ORDER.to_vec(),
        bids,
    };
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &answer),
        Format::Csv => csv::cells(w, &page::COLUMNS, &page::rows(&answer)),
        _ => page::table(w, &answer, &view),
    })?;
    Ok(code)
}

/// A bid by its path as it was typed, without a stroke at its end.
fn called(path: &Path) -> String {
    let text = path.display().to_string();
    let bare = text.trim_end_matches('/');
    if bare.is_empty() { text } else { bare.to_owned() }
}
