//! `policy replay`: the answer behind a decision, once more.

use std::collections::BTreeMap;
use std::fs;

use clap::Args;
use serde_json::Value;
use umbilical_core::answer::decisions::{Decision, Digest};
use umbilical_core::signed::sha256;
use umbilical_core::text::clean;

use crate::args::{Format, Global};
use crate::commands::formats;
use crate::decisions::{self, Answered};
use crate::fail::Fail;
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "Exit codes: 0 the same bytes · 4 other bytes, with what changed since.

Examples:
  umbilical policy replay 7";

/// `policy replay`.
#[derive(Args, Debug)]
pub struct Replay {
    /// The decision, by its number
    #[arg(value_name = "N")]
    pub n: u64,
}

/// Places shown where two answers differ.
const MOST: usize = 10;

/// Runs it.
pub fn run(global: &Global, args: &Replay) -> Result<u8, Fail> {
    formats(global, "policy replay", &[Format::Table])?;
    let log = decisions::read(global, None)?;
    if let Some(broken) = log.problems.first() {
        return Err(Fail::Home {
            what: format!("the log of decisions is broken at {}: {}", broken.at, broken.what),
            help: Some("`umbilical policy decisions --verify` shows all of it".into()),
        });
    }
    let Some(decision) = log.decisions.iter().find(|d| d.n == args.n) else {
        return Err(Fail::usage(format!("there is no decision {}", args.n), "`umbilical policy decisions` lists them"));
    };
    let folder = home::folder(global)?;
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    std::env::set_current_dir(&decision.folder).map_err(|source| Fail::Input { path: decision.folder.clone().into(), source })?;
    let own = Global { home: Some(folder.clone()), ..global.clone() };
    let (now, inner) = decisions::run(&own, &decision.command, decision.as_of.split(' ').next())?;
    let same = sha256(&now.bytes) == decision.answer;
    let mut differs = Vec::new();
    if !same {
        differs = changed(decision, &now, &decisions::files(&inner, &decision.command, &now.head.inputs())?);
        let path = decisions::answer(&folder, decision.n);
        match fs::read(&path) {
            Ok(kept) if sha256(&kept) == decision.answer => differs.extend(places(&kept, &now.bytes)),
            _ => differs.push(format!("the answer kept in {} is missing or was changed: nothing to compare with", path.display())),
        }
    }
    out::answer(global, |w| {
        let word = if same { "the same bytes" } else { "other bytes" };
        writeln!(w, "decision {} of {} by {}: {}", decision.n, decision.at, clean(&decision.by), clean(&decision.decision))?;
        writeln!(w, "  umbilical {}", clean(&decision.command.join(" ")))?;
        writeln!(w, "  {word} as of {}: {}", decision.as_of, sha256(&now.bytes))?;
        differs.iter().try_for_each(|d| writeln!(w, "  - {}", clean(d)))
    })?;
    Ok(if same { 0 } else { 4 })
}

/// What the answer stands on, and is not what it was.
fn changed(then: &Decision, now: &Answered, files: &[Digest]) -> Vec<String> {
    let mut out = Vec::new();
    let (version, _) = now.head.knowledge();
    for (what, was, is) in [("program", &*then.program, env!("CARGO_PKG_VERSION")), ("knowledge", &*then.knowledge, version)] {
        if was != is {
            out.push(format!("{what}: {was} then, {is} now"));
        }
    }
    if then.exit != now.exit {
        out.push(format!("exit code: {} then, {} now", then.exit, now.exit));
    }
    let (packs, inputs) = (now.head.packs(), now.head.inputs());
    for (what, was, is) in [("pack", &then.packs, &packs), ("input", &then.inputs, &inputs), ("file", &then.files, &files.to_vec())] {
        let by_name = |list: &[Digest]| list.iter().map(|d| (d.name.clone(), d.sha256.clone())).collect::<BTreeMap<_, _>>();
        let (was, is) = (by_name(was), by_name(is));
        let names: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        for name in names {
            match (was.get(name), is.get(name)) {
                (Some(_), None) => out.push(format!("{what} {name}: not there any more")),
                (None, Some(_)) => out.push(format!("{what} {name}: was not there")),
                (a, b) if a != b => out.push(format!("{what} {name}: changed since")),
                _ => {}
            }
        }
    }
    out
}

/// The first places where two documents differ.
fn places(then: &[u8], now: &[u8]) -> Vec<String> {
    let (Ok(then), Ok(now)) = (serde_json::from_slice::<Value>(then), serde_json::from_slice::<Value>(now)) else {
        return vec!["one of the answers is no JSON".to_owned()];
    };
    let mut out = Vec::new();
    walk("", &then, &now, &mut out);
    out
}

fn walk(at: &str, then: &Value, now: &Value, out: &mut Vec<String>) {
    if then == now || out.len() >= MOST {
        return;
    }
    match (then, now) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                walk(&format!("{at}/{key}"), a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null), out);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for i in 0..a.len().max(b.len()) {
                walk(&format!("{at}/{i}"), a.get(i).unwrap_or(&Value::Null), b.get(i).unwrap_or(&Value::Null), out);
            }
        }
        _ => {
            let short = |v: &Value| umbilical_core::text::short(&v.to_string(), 60).to_string();
            out.push(format!("{at}: {} then, {} now", short(then), short(now)));
        }
    }
}
