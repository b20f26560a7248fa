//! `policy markets`: products against jurisdictions.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use umbilical_assess::trace::stamp;
use umbilical_core::answer::policy::{Cell, Judged, MARKETS_SCHEMA, Markets as Answer, Sku, Verdict};
use umbilical_core::finding::Finding;
use umbilical_report::located::Entry;
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
    let home_of: BTreeMap<String, String> = judge
        .packs()
        .iter()
        .flat_map(|c| c.pack.rules.iter().map(|r| (r.id.get_ref().clone(), c.pack.jurisdiction.get_ref().clone())))
        .collect();
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

/// Whether the law of a rule holds in a market.
fn inside(market: &str, rule: &str, home_of: &BTreeMap<String, String>) -> bool {
    home_of.get(rule).is_some_and(|j| umbilical_assess::judge::lies_inside(market, j))
}

/// What the rules of one market come to for a product. Law of a union or of the whole country counts in its parts.
fn cell(market: &str, subject: &Judged, home_of: &BTreeMap<String, String>, day: &str) -> Cell {
    let inside = |rule: &str| inside(market, rule, home_of);
    let (waived, open): (Vec<&Finding>, Vec<&Finding>) =
        subject.findings.iter().filter(|f| inside(&f.code)).partition(|f| Entry::from(*f).is_accepted());
    let worst = open.iter().filter_map(|f| f.verdict.and_then(Verdict::of)).max();
    let passed: Vec<String> = subject.passed.iter().filter(|id| inside(id)).cloned().collect();
    let (verdict, mut rules) = match worst {
        Some(verdict) => {
            let of = |f: &&&Finding| f.verdict == Some(verdict.name());
            (verdict, open.iter().filter(of).map(|f| f.code.to_string()).collect())
        }
        None if passed.is_empty() && waived.is_empty() => (Verdict::NotApplicable, Vec::new()),
        None => (Verdict::Pass, passed),
    };
    // Several modules may break one rule.
    rules.dedup();
    let coming: Vec<String> = subject.upcoming.iter().filter(|u| inside(&u.rule)).map(|u| format!("{} from {}", u.rule, u.from)).collect();
    let coming = coming.join(", ");
    let mut accepted: Vec<String> = waived.iter().map(|f| f.code.to_string()).collect();
    accepted.dedup();
    let mark = if accepted.is_empty() { String::new() } else { format!(" (waived: {})", accepted.join(", ")) };
    if rules.is_empty() {
        rules = accepted;
    }
    let says = match (rules.is_empty(), coming.is_empty()) {
        (true, true) => format!("no rule found as of {day}"),
        (true, false) => format!("no rule in force as of {day}; {coming}"),
        (false, true) => format!("{}: {}{mark}", verdict.name(), rules.join(", ")),
        (false, false) => format!("{}: {}{mark}; not yet in force: {coming}", verdict.name(), rules.join(", ")),
    };
    Cell { market: market.to_owned(), verdict, rules, says }
}
