//! `policy list`: packs, rules, facts.

use clap::Args;
use umbilical_core::answer::policy::{Clause, FACTS_SCHEMA, LIST_SCHEMA, PackText, PolicyList};
use umbilical_knowledge::Word as _;
use umbilical_knowledge::policy::{FACTS, Form, Pack, listed, parse};
use umbilical_report::{View, json, policy as page};

use crate::args::{Format, Global};
use crate::commands::{facts, formats, headed};
use crate::fail::Fail;
use crate::packs::Packs;
use crate::{home, law, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "Examples:
  umbilical policy list                    every pack that is shipped
  umbilical policy list us-fcc-covered     its rules, clause by clause
  umbilical policy list --facts            what rules may ask of an asset and a deal";

/// `policy list`.
#[derive(Args, Debug)]
pub struct List {
    /// Packs to show whole: ids, files or folders
    #[arg(value_name = "PACK")]
    pub packs: Vec<String>,
    /// The facts that rules may ask, and `--say` may say
    #[arg(long)]
    pub facts: bool,
}

/// Runs it.
pub fn run(global: &Global, args: &List) -> Result<u8, Fail> {
    formats(global, "policy list", &[Format::Table, Format::Json])?;
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    let (kb, day) = (facts(global)?, home::as_of(global));
    if args.facts {
        let form = |f: Form| match f {
            Form::Words => "words",
            Form::Number => "number",
            Form::Flag => "yes or no",
            Form::Day => "day",
        };
        // A list that the sentence shows only the beginning of is shown whole.
        let says = |name: &str, text: &str| match listed(name) {
            Some(words) if words.iter().any(|w| !text.contains(&format!("`{w}`"))) => format!("{text} ({})", words.join(", ")),
            _ => text.to_owned(),
        };
        let texts: Vec<String> = FACTS.iter().map(|f| says(f.0, f.2)).collect();
        let rows: Vec<[&str; 3]> = FACTS.iter().zip(&texts).map(|(f, says)| [f.0, form(f.1), says.as_str()]).collect();
        out::answer(global, |w| match global.format {
            Format::Json => {
                let all: Vec<_> = rows.iter().map(|[n, f, s]| serde_json::json!({"fact": n, "form": f, "says": s})).collect();
                json::one(w, &headed(FACTS_SCHEMA, &kb, day, (&[], Vec::new()), serde_json::json!({ "facts": all })))
            }
            _ => page::facts(w, &rows, &view),
        })?;
        return Ok(0);
    }
    let texts = if args.packs.is_empty() {
        Packs::of(global)?.all()?.into_iter().map(|(pack, _)| pack).collect()
    } else {
        law::texts(&Packs::of(global)?, &args.packs, law::Unnamed::Nothing)?
    };
    let mut packs = Vec::new();
    for text in &texts {
        packs.push(pack(&parse(text)?));
    }
    let answer = PolicyList { packs };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &headed(LIST_SCHEMA, &kb, day, (&[], Vec::new()), &answer)),
        _ => page::list(w, &answer, !args.packs.is_empty(), &view),
    })?;
    Ok(0)
}

fn pack(pack: &Pack) -> PackText {
    PackText {
        id: pack.id.get_ref().clone(),
        title: pack.title.clone(),
        jurisdiction: pack.jurisdiction.get_ref().clone(),
        authority: pack.authority.clone(),
        version: pack.version.clone(),
        sources_to: pack.sources_to.to_string(),
        standing: pack.standing.name(),
        optional: pack.optional,
        note: pack.note.clone(),
        rules: pack
            .rules
            .iter()
            .map(|r| Clause {
                id: r.id.get_ref().clone(),
                title: r.title.clone(),
                cite: r.cite.clone(),
                source: r.source.clone(),
                verified: r.status.0,
                effect: r.effect.first().name(),
                effects: r.effect.iter().map(|e| e.name()).collect(),
                tier: r.tier.iter().map(|t| t.name()).collect(),
                binds: r.binds.clone(),
                from: r.from.map(|d| d.to_string()),
                to: r.to.map(|d| d.to_string()),
                standing: r.standing.unwrap_or(pack.standing).name(),
                scope: {
                    let demands = r.scope.0.iter().map(|(name, demand)| format!("{name}: {demand}"));
                    let when = r.when_says.clone().or_else(|| r.when.as_ref().map(|w| w.get_ref().clone()));
                    demands.chain(when).collect()
                },
                exceptions: r.exceptions.iter().map(|e| e.what.clone()).collect(),
                open_points: r.unsettled.iter().map(|u| format!("{}: {}", u.id, u.what)).collect(),
            })
            .collect(),
    }
}
