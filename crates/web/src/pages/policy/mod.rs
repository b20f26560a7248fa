//! Policy: packs on file, their rules, their dates, and what they say to the modules of the fleet.

pub mod markets;
pub mod timeline;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use umbilical_assess::judge::told::pack_text;
use umbilical_core::answer::policy::{Clause, PackText};
use umbilical_knowledge::policy::{Pack, parse};
use umbilical_store::CodeRow;
use umbilical_store::query::Query;

use super::fleet::{href, refined};
use super::frame::{Head, page};
use super::modules::Number;
use crate::Problem;
use crate::app::App;
use crate::extract::Params;
use crate::who::Who;

/// Codes of findings that are counted.
const CODES: u32 = 5_000;

/// A pack and whether it is asked here.
struct Shelf {
    pack: Pack,
    asked: bool,
}

/// Every pack on file, by id. One with a mistake in it is the program's business: it is named in the log.
fn on_file(app: &App) -> Result<Vec<Shelf>, Problem> {
    let law = app.config().law.as_ref().ok_or_else(|| Problem::missing("this server was started without packs of rules"))?;
    let mut out = Vec::new();
    for file in law.packs().map_err(Problem::internal)? {
        match parse::<Pack>(&file.text) {
            Ok(pack) => out.push(Shelf { pack, asked: file.asked }),
            Err(error) => tracing::warn!(%error, pack = file.text.name, "a pack cannot be read"),
        }
    }
    out.sort_by(|a, b| a.pack.id.get_ref().cmp(b.pack.id.get_ref()));
    Ok(out)
}

struct Line {
    text: PackText,
    asked: bool,
    verified: usize,
    unverified: usize,
    fails: Number,
}

#[derive(Template)]
#[template(path = "policy.html")]
struct Packs {
    head: Head,
    asked: usize,
    /// Whether those alone are shown that are asked here.
    only: bool,
    lines: Vec<Line>,
}

fn of_rule(codes: &[CodeRow], rule: &str, verdict: &str) -> u64 {
    codes.iter().filter(|c| c.code == rule && c.verdict.as_deref() == Some(verdict)).map(|c| c.findings).sum()
}

/// Which packs.
#[derive(Deserialize)]
pub struct Which {
    /// `here` for those that are asked about the devices here.
    #[serde(default)]
    asked: String,
}

/// The packs.
pub async fn list(State(app): State<App>, who: Who, Params(which): Params<Which>) -> Result<Response, Problem> {
    let codes = app.store().codes(&who.scope, &Query::parse("source:rule NOT verdict:pass")?, CODES).await?;
    let mut lines: Vec<Line> = on_file(&app)?
        .into_iter()
        .map(|shelf| {
            let text = pack_text(&shelf.pack);
            let verified = text.rules.iter().filter(|r| r.verified).count();
            let count = text.rules.iter().map(|r| of_rule(&codes, &r.id, "fail")).sum();
            let terms: Vec<String> = text.rules.iter().map(|r| refined("", "code", &r.id, false)).filter(|t| !t.is_empty()).collect();
            let href = href("/findings", &format!("verdict:fail ({})", terms.join(" OR ")), None);
            Line { asked: shelf.asked, verified, unverified: text.rules.len() - verified, fails: Number { count, href }, text }
        })
        .collect();
    let asked = lines.iter().filter(|l| l.asked).count();
    let only = which.asked == "here";
    lines.retain(|l| l.asked || !only);
    Ok(page(StatusCode::OK, &Packs { head: Head::new("Policy", "/policy", Some(&who)), asked, only, lines }))
}

struct RuleLine {
    clause: Clause,
    /// `fail`, `review`, `unknown`.
    found: Vec<(&'static str, Number)>,
}

#[derive(Template)]
#[template(path = "pack.html")]
struct One {
    head: Head,
    text: PackText,
    asked: bool,
    /// `verified`, `unverified`: the rules of this status alone are shown.
    status: Option<&'static str>,
    rules: Vec<RuleLine>,
}

/// Which rules.
#[derive(Deserialize)]
pub struct Part {
    /// `verified` or `unverified`, as a person compared their text with the source or not.
    #[serde(default)]
    status: String,
}

/// A pack.
pub async fn one(State(app): State<App>, who: Who, Path(id): Path<String>, Params(part): Params<Part>) -> Result<Response, Problem> {
    let shelf = on_file(&app)?.into_iter().find(|s| *s.pack.id.get_ref() == id);
    let shelf = shelf.ok_or_else(|| Problem::missing("no such pack is on file"))?;
    let codes = app.store().codes(&who.scope, &Query::parse("source:rule NOT verdict:pass")?, CODES).await?;
    let mut text = pack_text(&shelf.pack);
    let status = ["verified", "unverified"].into_iter().find(|s| *s == part.status);
    let shown = |c: &Clause| status.is_none_or(|s| c.verified == (s == "verified"));
    let rules = std::mem::take(&mut text.rules).into_iter().filter(shown).map(|clause| {
        let found = ["fail", "review", "unknown"].into_iter().map(|word| {
            let q = format!("{} verdict:{word}", refined("", "code", &clause.id, false));
            (word, Number { count: of_rule(&codes, &clause.id, word), href: href("/findings", &q, None) })
        });
        RuleLine { found: found.collect(), clause }
    });
    let rules = rules.collect();
    Ok(page(StatusCode::OK, &One { head: Head::new(text.title.clone(), "/policy", Some(&who)), text, asked: shelf.asked, status, rules }))
}
