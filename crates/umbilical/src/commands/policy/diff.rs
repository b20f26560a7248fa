//! `policy diff`: the same evidence on two days.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use umbilical_assess::trace::stamp;
use umbilical_core::Day;
use umbilical_core::answer::policy::{DIFF_SCHEMA, Judged, LawStamp, PolicyDiff, Turned};
use umbilical_core::finding::Finding;
use umbilical_knowledge::Knowledge;
use umbilical_report::{View, csv, json, policy as page};

use super::subjects::Read;
use crate::args::{Format, Global};
use crate::commands::{Reading, evidence, facts, formats};
use crate::fail::Fail;
use crate::gate::{Gates, Seen};
use crate::law::{self, Asked, Unnamed};
use crate::out;

/// Shown behind the help.
pub const EXAMPLES: &str = "Examples:
  umbilical policy diff evidence/ --as-of 2026-06-29 --as-of 2026-06-30
  umbilical policy diff boards/ --as-of 2026-12-31 --as-of 2027-01-01 --assume \"quectel listed US-FCC-COVERED 2027-01-01\"";

/// `policy diff`.
#[derive(Args, Debug)]
pub struct Diff {
    /// Evidence and bills of materials
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub asked: Asked,
}

/// The verdict of each rule about each subject, and the finding where there is one.
type Verdicts = BTreeMap<(String, String), (&'static str, Option<Finding>)>;

/// Runs it.
pub fn run(global: &Global, args: &Diff) -> Result<u8, Fail> {
    formats(global, "policy diff", &[Format::Table, Format::Json, Format::Csv])?;
    let [before, after] = global.as_of[..] else {
        return Err(Fail::usage("policy diff compares two days", "give both: --as-of 2026-06-29 --as-of 2026-06-30"));
    };
    let (kb, _) = law::load(global, &args.asked, facts(global)?, Unnamed::Law)?;
    let old = on(global, args, &kb, before)?;
    let new = on(global, args, &kb, after)?;
    let gates = Gates::with_rules(&global.fail_on, &[], &old.rules)?;
    let mut changes = Vec::new();
    let mut code = 0;
    let keys: std::collections::BTreeSet<_> = old.verdicts.keys().chain(new.verdicts.keys()).cloned().collect();
    for key in keys {
        let word = |side: &Verdicts| side.get(&key).map_or("not-applicable", |v| v.0).to_owned();
        let (was, is) = (word(&old.verdicts), word(&new.verdicts));
        if was == is {
            continue;
        }
        let finding = new.verdicts.get(&key).and_then(|v| v.1.clone());
        code = crate::gate::worse(code, gates.code(finding.iter(), Seen::default()));
        let because = finding.as_ref().map(|f| f.because.clone()).unwrap_or_default();
        let (subject, rule) = key;
        changes.push(Turned { names: new.names.get(&subject).cloned().unwrap_or_default(), subject, rule, was, is, because });
    }
    let answer = PolicyDiff {
        schema: DIFF_SCHEMA,
        as_of: [before.to_string(), after.to_string()],
        knowledge: stamp(&kb, after),
        inputs: new.inputs,
        problems: new.problems,
        law: new.law,
        changes,
    };
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &answer),
        Format::Csv => csv::cells(w, &page::DIFF_COLUMNS, &page::diff_rows(&answer)),
        _ => page::diff(w, &answer, &view),
    })?;
    Ok(code)
}

/// One side.
struct Side {
    verdicts: Verdicts,
    names: BTreeMap<String, Vec<String>>,
    rules: Vec<String>,
    inputs: Vec<umbilical_core::observation::Input>,
    problems: Vec<umbilical_core::answer::Said>,
    law: LawStamp,
}

fn on(global: &Global, args: &Diff, kb: &Knowledge, day: Day) -> Result<Side, Fail> {
    let (kb_of_day, law) = law::load(global, &args.asked, facts(global)?, Unnamed::Law)?;
    let judge = law.judge(&kb_of_day, day);
    let all = evidence(global, kb, Reading::fleet(&args.paths, None))?;
    let read = Read::new(all, kb, day, global);
    let (mut verdicts, mut names) = (Verdicts::new(), BTreeMap::new());
    read.judge(&judge, &law, &kb_of_day, &mut |subject: Judged| {
        for id in &subject.passed {
            verdicts.insert((subject.id.clone(), id.clone()), ("pass", None));
        }
        for finding in subject.findings {
            let word = finding.verdict.unwrap_or("unknown");
            verdicts.insert((subject.id.clone(), finding.code.to_string()), (word, Some(finding)));
        }
        names.insert(subject.id, subject.names);
    });
    Ok(Side { verdicts, names, rules: judge.rule_ids(), inputs: read.inputs().to_vec(), problems: read.problems(), law: law.stamp(&judge) })
}
