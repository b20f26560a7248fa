//! `policy timeline`: what happened and what is to come, regime by regime.

use clap::Args;
use umbilical_assess::judge::told::timeline;
use umbilical_core::answer::policy::{TIMELINE_SCHEMA, Timeline as Answer};
use umbilical_knowledge::policy::{Pack, parse};
use umbilical_report::{View, csv, json, policy as page};

use crate::args::{Format, Global};
use crate::commands::{facts, formats, headed};
use crate::fail::Fail;
use crate::law::{self, Unnamed};
use crate::packs::Packs;
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "Examples:
  umbilical policy timeline
  umbilical policy timeline --policy us-bis-cv
  umbilical policy timeline --org quectel";

/// `policy timeline`.
#[derive(Args, Debug)]
pub struct Timeline {
    /// Only entries of lists that name this organisation (its id), and the rules over them
    #[arg(long, value_name = "ORG")]
    pub org: Option<String>,
}

/// Runs it.
pub fn run(global: &Global, args: &Timeline) -> Result<u8, Fail> {
    formats(global, "policy timeline", &[Format::Table, Format::Json, Format::Csv])?;
    let kb = facts(global)?;
    if let Some(org) = args.org.as_deref().filter(|o| kb.org(o).is_none()) {
        return Err(Fail::usage(format!("`{org}` is no organisation on file"), "`umbilical lookup NAME` names an organisation's id"));
    }
    let mut packs: Vec<Pack> = Vec::new();
    for text in law::texts(&Packs::of(global)?, &global.policy, Unnamed::Law)? {
        packs.push(parse(&text)?);
    }
    let events = timeline(&packs, &kb, args.org.as_deref());
    let answer = Answer { as_of: home::as_of(global).to_string(), events };
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &headed(TIMELINE_SCHEMA, &kb, home::as_of(global), (&[], Vec::new()), &answer)),
        Format::Csv => csv::cells(w, &page::TIMELINE_COLUMNS, &page::timeline_rows(&answer)),
        _ => page::timeline(w, &answer, &view),
    })?;
    Ok(0)
}
