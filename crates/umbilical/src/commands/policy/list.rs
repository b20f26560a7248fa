//! `policy list`: packs, rules, facts.

use clap::Args;
use umbilical_assess::judge::told::pack_text;
use umbilical_core::answer::policy::{FACTS_SCHEMA, LIST_SCHEMA, PolicyList};
use umbilical_knowledge::policy::{FACTS, Form, listed, parse};
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
        packs.push(pack_text(&parse(text)?));
    }
    let answer = PolicyList { packs };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &headed(LIST_SCHEMA, &kb, day, (&[], Vec::new()), &answer)),
        _ => page::list(w, &answer, !args.packs.is_empty(), &view),
    })?;
    Ok(0)
}
