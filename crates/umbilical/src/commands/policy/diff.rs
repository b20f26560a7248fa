//! `policy diff`: the same evidence on two days, or by two sets of tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use umbilical_assess::trace::stamp;
use umbilical_core::Day;
use umbilical_core::answer::KnowledgeStamp;
use umbilical_core::answer::policy::{DIFF_SCHEMA, Judged, LawStamp, PolicyDiff, Turned};
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
  umbilical policy diff evidence/ --as-of 2026-06-29 --as-of 2026-06-30
  umbilical policy diff evidence/ --against tables-of-may/     what newer tables turned, and for which devices
  umbilical policy diff boards/ --as-of 2026-12-31 --as-of 2027-01-01 --assume \"quectel listed US-FCC-COVERED 2027-01-01\"";

/// `policy diff`.
#[derive(Args, Debug)]
pub struct Diff {
    /// Evidence, bills of materials, audits as JSON [default: the last audit]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Older tables, a folder as for --knowledge: what those in use turn, on one day
    #[arg(long, value_name = "DIR")]
    pub against: Option<PathBuf>,
    #[command(flatten)]
    pub asked: Asked,
}

/// By subject and rule: the verdict about each module, and the finding where there is one. What is about no module in
/// particular stands under `None`.
type Verdicts = BTreeMap<(String, String), ByModule>;
type ByModule = BTreeMap<Option<String>, (&'static str, Option<Finding>)>;

/// The modules to compare between two sides of one rule and subject.
fn modules<'a>(of: &[&'a ByModule]) -> BTreeSet<Option<&'a str>> {
    let all: BTreeSet<Option<&str>> = of.iter().flat_map(|side| side.keys()).map(Option::as_deref).collect();
    if all.len() > 1 { all.into_iter().filter(Option::is_some).collect() } else { all }
}

/// Runs it.
pub fn run(global: &Global, args: &Diff) -> Result<u8, Fail> {
    formats(global, "policy diff", &[Format::Table, Format::Json, Format::Csv])?;
    let mut older = global.clone();
    let (before, after) = match (&args.against, &global.as_of[..]) {
        (None, [before, after]) => (*before, *after),
        (Some(dir), [] | [_]) => {
            older.knowledge = Some(dir.clone());
            (home::as_of(global), home::as_of(global))
        }
        (None, _) => {
            return Err(Fail::usage(
                "policy diff compares two days, or two sets of tables",
                "give both days (--as-of 2026-06-29 --as-of 2026-06-30) or the older tables (--against DIR)",
            ));
        }
        (Some(_), _) => return Err(Fail::usage("--against compares tables on one day", "give one --as-of, or none")),
    };
    let (answer, rules) = compare(&on(&older, args, before)?, on(global, args, after)?, [before, after]);
    let gates = Gates::with_rules(&global.fail_on, &[], &rules)?;
    let found = answer.changes.iter().filter_map(|c| c.finding.as_ref());
    let code = gates.code(found, Seen::default());
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &answer),
        Format::Csv => csv::cells(w, &page::DIFF_COLUMNS, &page::diff_rows(&answer)),
        _ => page::diff(w, &answer, &view),
    })?;
    Ok(code)
}

/// What turns about the last audit between two sets of facts, by all law on one day.
pub fn turned(before: &Global, after: &Global) -> Result<PolicyDiff, Fail> {
    let args = Diff { paths: Vec::new(), against: None, asked: Asked::default() };
    let day = home::as_of(after);
    Ok(compare(&on(before, &args, day)?, on(after, &args, day)?, [day, day]).0)
}

/// What differs, and the rules of the later side.
fn compare(old: &Side, new: Side, days: [Day; 2]) -> (PolicyDiff, Vec<String>) {
    let mut changes = Vec::new();
    let keys: BTreeSet<_> = old.verdicts.keys().chain(new.verdicts.keys()).cloned().collect();
    for key in keys {
        let (before, after) = (old.verdicts.get(&key), new.verdicts.get(&key));
        for module in modules(&[before, after].into_iter().flatten().collect::<Vec<_>>()) {
            let at = |side: Option<&ByModule>| {
                let of = |m: Option<&str>| side.and_then(|s| s.get(&m.map(str::to_owned))).cloned();
                // A rule that finds fault with another module lets this one pass.
                let rest = if side.is_some() { "pass" } else { "not-applicable" };
                of(module).or_else(|| of(None)).unwrap_or((rest, None))
            };
            let ((was, _), (is, finding)) = (at(before), at(after));
            if was == is {
                continue;
            }
            let because = finding.as_ref().map(|f| f.because.clone()).unwrap_or_default();
            let (subject, rule) = key.clone();
            let names = new.names.get(&subject).cloned().unwrap_or_default();
            let (was, is) = (was.to_owned(), is.to_owned());
            changes.push(Turned { names, subject, rule, module: module.map(str::to_owned), was, is, because, finding });
        }
    }
    let answer = PolicyDiff {
        schema: DIFF_SCHEMA,
        as_of: days.map(|d| d.to_string()),
        knowledge_before: old.knowledge.clone(),
        knowledge: new.knowledge,
        inputs: new.inputs,
        problems: new.problems,
        law: new.law,
        changes,
    };
    (answer, new.rules)
}

/// One side.
struct Side {
    verdicts: Verdicts,
    names: BTreeMap<String, Vec<String>>,
    rules: Vec<String>,
    inputs: Vec<umbilical_core::observation::Input>,
    problems: Vec<umbilical_core::answer::Said>,
    law: LawStamp,
    knowledge: KnowledgeStamp,
}

fn on(global: &Global, args: &Diff, day: Day) -> Result<Side, Fail> {
    let (kb, law) = law::load(global, &args.asked, facts(global)?, Unnamed::Law)?;
    let judge = law.judge(&kb, day);
    let read = Read::new(&args.paths, &kb, day, global)?;
    let (mut verdicts, mut names) = (Verdicts::new(), BTreeMap::new());
    read.judge(&judge, &law, &kb, &mut |subject: Judged| {
        for id in &subject.passed {
            verdicts.entry((subject.id.clone(), id.clone())).or_default().insert(None, ("pass", None));
        }
        for finding in subject.findings {
            let word = finding.verdict.unwrap_or("unknown");
            let module = finding.detail.get("module").and_then(|m| m.as_str()).map(str::to_owned);
            let of = verdicts.entry((subject.id.clone(), finding.code.to_string())).or_default();
            of.insert(module, (word, Some(finding)));
        }
        names.insert(subject.id, subject.names);
    });
    read.done()?;
    Ok(Side {
        verdicts,
        names,
        rules: judge.rule_ids(),
        inputs: read.inputs().to_vec(),
        problems: read.problems(),
        law: law.stamp(&judge),
        knowledge: stamp(&kb, day),
    })
}
