//! `policy test`: the cases of packs.

use std::path::{Path, PathBuf};

use clap::Args;
use umbilical_assess::judge::{Ran, run_cases};
use umbilical_core::answer::policy::{CaseRun, PolicyTest, TEST_SCHEMA};
use umbilical_knowledge::policy::PolicyText;
use umbilical_report::junit::{self, Case, Outcome, Said, Suite};
use umbilical_report::{View, json, policy as page};

use crate::args::{Format, Global};
use crate::commands::{facts, formats, headed};
use crate::fail::Fail;
use crate::packs::{CASES, PACK, Packs};
use crate::{home, law, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "A pack's cases stand beside it: PACK/pack.toml and PACK/cases.toml.

Examples:
  umbilical policy test our-rules/
  umbilical policy test us-fcc-covered lt-elec-73-3
  umbilical policy test                    everything that is shipped";

/// `policy test`.
#[derive(Args, Debug)]
pub struct Test {
    /// Folders with pack.toml and cases.toml, or ids of shipped packs [default: all that are shipped]
    #[arg(value_name = "PACK")]
    pub packs: Vec<String>,
}

/// Runs it: exit 1 where a case comes out otherwise than it must.
pub fn run(global: &Global, args: &Test) -> Result<u8, Fail> {
    formats(global, "policy test", &[Format::Table, Format::Json, Format::Junit])?;
    let kb = facts(global)?;
    let mut all = Vec::new();
    let packs = Packs::of(global)?;
    let named: Vec<(PolicyText, PolicyText)> =
        if args.packs.is_empty() { packs.all()? } else { args.packs.iter().map(|p| texts(&packs, p)).collect::<Result<_, _>>()? };
    for (pack, cases) in &named {
        for ran in run_cases(pack, cases, &kb)? {
            all.push(case(&cases.name, ran));
        }
    }
    let failed = all.iter().filter(|c| !c.right).count();
    let answer = PolicyTest { cases: all.len() as u64, failed: failed as u64, runs: all };
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &headed(TEST_SCHEMA, &kb, home::as_of(global), (&[], Vec::new()), &answer)),
        Format::Junit => junit::write(w, &suites(&answer)),
        _ => page::tested(w, &answer, &view),
    })?;
    Ok(u8::from(failed > 0))
}

fn texts(packs: &Packs, name: &str) -> Result<(PolicyText, PolicyText), Fail> {
    if let Some(both) = packs.get(name)? {
        return Ok(both);
    }
    let path = Path::new(name);
    let folder: PathBuf = if path.is_dir() { path.to_path_buf() } else { path.parent().unwrap_or(Path::new("")).to_path_buf() };
    let pack = if path.is_dir() { folder.join(PACK) } else { path.to_path_buf() };
    if !pack.exists() {
        return Err(Fail::usage(
            format!("{name}: neither a pack nor a folder or file of one"),
            format!("packs: {}", packs.ids().join(", ")),
        ));
    }
    Ok((law::text(&pack)?, law::text(&folder.join(CASES))?))
}

fn case(file: &str, ran: Ran) -> CaseRun {
    CaseRun {
        file: file.to_owned(),
        line: ran.line as u64,
        right: ran.is_right(),
        rule: ran.rule,
        name: ran.name,
        expected: ran.expected,
        got: ran.got,
        unsaid: ran.unsaid,
        because: ran.because,
    }
}

fn suites(answer: &PolicyTest) -> Vec<Suite> {
    let mut out: Vec<Suite> = Vec::new();
    for run in &answer.runs {
        let text = || Said { code: run.rule.clone(), message: page::differs(run), text: run.because.join("\n") };
        let outcome = if run.right { Outcome::Passed } else { Outcome::Failed(text()) };
        let case = Case { name: run.name.clone(), class: run.rule.clone(), line: u32::try_from(run.line).ok(), outcome };
        match out.last_mut().filter(|s| s.name == run.file) {
            Some(suite) => suite.cases.push(case),
            None => out.push(Suite { name: run.file.clone(), cases: vec![case] }),
        }
    }
    out
}
