//! `policy timeline`: what happened and what is to come, regime by regime.

use clap::Args;
use umbilical_core::answer::policy::{Dated, TIMELINE_SCHEMA, Timeline as Answer};
use umbilical_knowledge::Word as _;
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
    let mut events = Vec::new();
    for text in law::texts(&Packs::of(global)?, &global.policy, Unnamed::Law)? {
        let pack: Pack = parse(&text)?;
        let regimes: Vec<&str> =
            pack.rules.iter().flat_map(|r| &r.subjects).flat_map(|s| &s.listed).map(|r| r.get_ref().as_str()).collect();
        for listing in kb.listings().iter().filter(|l| regimes.contains(&&*l.regime)) {
            if args.org.as_deref().is_some_and(|org| !listing.orgs.iter().any(|o| **o == *org)) {
                continue;
            }
            let status = listing.list_status.replace('_', " ");
            let mut put = |on: Option<umbilical_core::date::Loose>, what: String| {
                events.extend(on.map(|on| Dated {
                    on: on.to_string(),
                    pack: pack.id.get_ref().clone(),
                    rule: None,
                    what,
                    source: listing.source.text.to_string(),
                    verified: listing.source.verified,
                }));
            };
            let of = |word: &str| format!("{}: {} {word}", listing.regime, listing.entity);
            put(listing.from, if status == "in force" || status == "ended" { of("is named") } else { of(&status) });
            put(listing.to, of("is no longer named"));
        }
        if args.org.is_some() {
            continue;
        }
        for rule in &pack.rules {
            let standing = rule.standing.unwrap_or(pack.standing).name();
            let about = |what: &str, on: umbilical_knowledge::policy::Date| Dated {
                on: on.to_string(),
                pack: pack.id.get_ref().clone(),
                rule: Some(rule.id.get_ref().clone()),
                what: format!("{}: {what} ({standing}; {})", rule.title, rule.cite),
                source: rule.source.clone(),
                verified: rule.status.0,
            };
            events.extend(rule.from.map(|on| about("first day", on)));
            events.extend(rule.to.map(|on| about("no longer holds", on)));
        }
        events.extend(pack.events.iter().map(|e| Dated {
            on: e.on.to_string(),
            pack: pack.id.get_ref().clone(),
            rule: None,
            what: e.what.clone(),
            source: e.source.clone(),
            verified: e.status.0,
        }));
    }
    // What several packs hang on is one event.
    events.sort_by(|a, b| (&a.on, &a.what, &a.pack).cmp(&(&b.on, &b.what, &b.pack)));
    events.dedup_by(|a, b| (&a.on, &a.what) == (&b.on, &b.what));
    let answer = Answer { as_of: home::as_of(global).to_string(), events };
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &headed(TIMELINE_SCHEMA, &kb, home::as_of(global), (&[], Vec::new()), &answer)),
        Format::Csv => csv::cells(w, &page::TIMELINE_COLUMNS, &page::timeline_rows(&answer)),
        _ => page::timeline(w, &answer, &view),
    })?;
    Ok(0)
}
