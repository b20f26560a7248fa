//! `policy why`: everything that one verdict stands on.

use std::path::PathBuf;

use clap::Args;
use umbilical_core::answer::policy::{Judged, WHY_SCHEMA};
use umbilical_core::text::clean;
use umbilical_report::{View, json, policy as page};

use super::subjects::Read;
use crate::args::{Format, Global};
use crate::commands::{facts, formats, headed};
use crate::fail::Fail;
use crate::law::{self, Asked, Unnamed};
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "Examples:
  umbilical policy why fnd-0123456789ab                 of the last audit
  umbilical policy why fnd-0123456789ab evidence/ --policy us-ndaa-889
  umbilical policy why US-NDAA24-805B evidence/        every verdict of one rule";

/// `policy why`.
#[derive(Args, Debug)]
pub struct Why {
    /// A finding's id, a rule's id, or the id or name of what is judged
    #[arg(value_name = "FINDING")]
    pub id: String,
    /// What was judged: evidence, bills of materials, audits as JSON [default: the last audit]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub asked: Asked,
}

/// Subjects shown in the table of one rule; JSON has all.
const MOST: usize = 20;

/// Runs it.
pub fn run(global: &Global, args: &Why) -> Result<u8, Fail> {
    formats(global, "policy why", &[Format::Table, Format::Json])?;
    let (kb, law) = law::load(global, &args.asked, facts(global)?, Unnamed::Law)?;
    let judge = law.judge(&kb, home::as_of(global));
    let read = Read::new(&args.paths, &kb, judge.as_of(), global)?;
    law.give_reasons();
    let wanted = args.id.trim();
    let mut found: Vec<Judged> = Vec::new();
    let most = if global.format == Format::Json { usize::MAX } else { MOST };
    let mut all = 0u64;
    read.judge(&judge, &law, &kb, &mut |mut subject: Judged| {
        let whole = subject.id == wanted || subject.names.iter().any(|n| n.eq_ignore_ascii_case(wanted));
        if !whole {
            subject.findings.retain(|f| f.id == wanted || f.code == wanted);
            subject.passed.retain(|id| id == wanted);
            subject.passes.retain(|p| p.rule == wanted);
            subject.upcoming.retain(|u| u.rule == wanted);
        }
        if !subject.findings.is_empty() || !subject.passed.is_empty() || !subject.upcoming.is_empty() {
            all = all.saturating_add(1);
            if found.len() < most {
                found.push(subject);
            }
        }
    });
    read.done()?;
    if found.is_empty() {
        return Err(Fail::usage(
            format!("{}: no verdict of that id about what was read", clean(wanted)),
            "`umbilical policy check PATH… --format json` lists every finding with its id; the same packs, facts and day give the same ids",
        ));
    }
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => {
            let law = law.stamp(&judge);
            let of = serde_json::json!({ "packs": law.packs, "assumed": law.assumed, "facts": law.facts, "of": all, "subjects": found });
            json::one(w, &headed(WHY_SCHEMA, &kb, judge.as_of(), (read.inputs(), read.problems()), of))
        }
        _ => page::why(w, &found, all, &|id| judge.title(id), &view),
    })?;
    Ok(0)
}
