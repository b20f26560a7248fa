//! `policy check`: verdicts over evidence and bills of materials.

use std::path::PathBuf;

use clap::Args;
use umbilical_assess::judge::Judge;
use umbilical_assess::trace::stamp;
use umbilical_core::answer::policy::{Judged, POLICY_SCHEMA, PolicyCheck};
use umbilical_core::finding::Finding;
use umbilical_report::{View, policy as page};

use super::subjects::Read;
use crate::args::{Format, Global};
use crate::commands::bom::{Head, machine};
use crate::commands::{facts, formats};
use crate::fail::Fail;
use crate::gate::{Gates, Seen};
use crate::law::{self, Asked, Law, Unnamed};
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "Without --policy all law that is shipped is asked, as if it bound you; --market, --buyer and --say narrow it.
Exits 1 where a rule fails, 3 where one is for review (--fail-on fail,review is the default), else 0.

Examples:
  umbilical policy check hardware/ --market US
  umbilical policy check --policy us-ndaa-889            the last audit in the home
  umbilical policy check evidence/ --policy us-ndaa-889 --as-of 2020-08-13
  umbilical policy check bid.xlsx --policy our-rules/ --fail-on fail,review,unknown
  umbilical policy check gateway.cdx.json --assume \"quectel listed US-FCC-COVERED 2027-01-01\" --as-of 2027-01-01";

/// `policy check`.
#[derive(Args, Debug)]
pub struct Check {
    /// Evidence, bills of materials, audits as JSON: files and folders; `-` for standard input [default: the last audit]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub asked: Asked,
}

/// Runs it.
pub fn run(global: &Global, args: &Check) -> Result<u8, Fail> {
    let has = [Format::Table, Format::Json, Format::Csv, Format::Sarif, Format::Github, Format::Junit];
    formats(global, "policy check", &has)?;
    let (kb, law) = law::load(global, &args.asked, facts(global)?, Unnamed::Law)?;
    let judge = law.judge(&kb, home::as_of(global));
    let gates = Gates::with_rules(&global.fail_on, &["fail", "review"], &judge.rule_ids())?;
    let read = Read::new(&args.paths, &kb, judge.as_of(), global)?;
    let each = |to: &mut dyn FnMut(Judged)| read.judge(&judge, &law, &kb, to);
    let mut code = 0;
    let mut book = page::Book::default();
    read.sorts(&judge, &law, &kb, &mut |subject, alike| {
        code = crate::gate::worse(code, gates.code(subject.findings.iter(), Seen::default()));
        book.add(&subject, alike, &|id| judge.title(id));
    });
    if global.format == Format::Json {
        law.give_reasons();
    }
    let head = head(&judge, &law, &kb, &read, book.rules(&judge.rule_ids()));
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => page::json(w, &head, each),
        Format::Csv => page::csv(w, each),
        Format::Table => page::table(w, &head, &book, &view),
        format => {
            let mut subjects = Vec::new();
            each(&mut |s| subjects.push(s));
            if format == Format::Junit {
                return page::junit(w, &subjects, |found| gates.code([found].into_iter(), Seen::default()) > 0);
            }
            let findings: Vec<Finding> = subjects.into_iter().flat_map(|s| s.findings).collect();
            let of = Head { as_of: &head.as_of, knowledge: &head.knowledge, inputs: &head.inputs, problems: &head.problems };
            machine(w, format, &of, findings.iter())
        }
    })?;
    read.done()?;
    law.tell_unused(global);
    Ok(code)
}

fn head(
    judge: &Judge<'_>,
    law: &Law,
    kb: &umbilical_knowledge::Knowledge,
    read: &Read,
    rules: Vec<umbilical_core::answer::policy::RuleTally>,
) -> PolicyCheck {
    PolicyCheck {
        schema: POLICY_SCHEMA,
        as_of: judge.as_of().to_string(),
        knowledge: stamp(kb, judge.as_of()),
        inputs: read.inputs().to_vec(),
        problems: read.problems(),
        law: law.stamp(judge),
        unused_waivers: law.unused_waivers(),
        rules,
    }
}
