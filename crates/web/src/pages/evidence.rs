//! Evidence as it came: the list, one artefact with its custody and what was not understood in it, and what the answers
//! changed.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use umbilical_store::query::Query;
use umbilical_store::{Changed, KeptProblem, Moves, Span};

use super::fleet::href;
use super::frame::{Head, page};
use crate::Problem;
use crate::api::EvidenceOf;
use crate::app::App;
use crate::extract::Params;
use crate::guard::encoded;
use crate::rights::Permission;
use crate::who::Who;

/// Rows of a page.
const ROWS: u32 = 50;

/// Which part of the list.
#[derive(Deserialize)]
pub struct Part {
    /// The last artefact of the page before.
    after: Option<String>,
    /// What the readers took it for.
    format: Option<String>,
}

#[derive(Template)]
#[template(path = "evidence.html")]
struct List {
    head: Head,
    format: Option<String>,
    /// How many there are, on all pages.
    of: u64,
    rows: Vec<EvidenceOf>,
    next: Option<String>,
}

/// Everything that came in.
pub async fn list(State(app): State<App>, who: Who, Params(part): Params<Part>) -> Result<Response, Problem> {
    let format = part.format.filter(|f| !f.is_empty());
    let rows = app.store().evidence_of(&who.scope, format.as_deref(), part.after.as_deref(), ROWS).await?;
    let of = app.store().count_evidence(&who.scope, format.as_deref()).await?;
    let same = format.as_deref().map(|f| format!("format={}&", encoded(f))).unwrap_or_default();
    let next = rows.last().filter(|_| rows.len() >= ROWS as usize).map(|e| format!("/evidence?{same}after={}", encoded(&e.id)));
    let rows = rows.into_iter().map(EvidenceOf::from).collect();
    Ok(page(StatusCode::OK, &List { head: Head::new("Evidence", "/evidence", Some(&who)), format, of, rows, next }))
}

#[derive(Template)]
#[template(path = "artefact.html")]
struct One {
    head: Head,
    e: EvidenceOf,
    devices: u64,
    href: String,
    /// Path, format and observations of each file in it; for those who see all sites.
    files: Vec<(String, String, u64)>,
    /// How a person said that its columns are to be read.
    said: Option<String>,
    /// For those who see all sites.
    problems: Option<Vec<KeptProblem>>,
    /// Whether its bytes may be taken out.
    exports: bool,
}

/// Of which reading the files are shown.
#[derive(Deserialize)]
pub struct Read {
    /// The name under which the bytes came.
    name: Option<String>,
}

impl One {
    /// Facts and identifiers that were read from it.
    fn observations(&self) -> u64 {
        self.files.iter().map(|(.., n)| n).sum()
    }
}

/// One artefact.
pub async fn one(State(app): State<App>, who: Who, Path(id): Path<String>, Params(read): Params<Read>) -> Result<Response, Problem> {
    let evidence = app.store().evidence_by_id(&who.scope, &id).await?;
    let q = format!("evidence:{}", evidence.id);
    let shown = One {
        head: Head::new(evidence.name.clone(), "/evidence", Some(&who)),
        said: app.store().mapping(&who.scope, &evidence.id).await?,
        devices: app.store().count_devices(&who.scope, &Query::parse(&q)?).await?,
        href: href("/fleet", &q, None),
        problems: if who.sees_all() { Some(app.store().problems(&who.scope, &evidence.id).await?) } else { None },
        files: if who.sees_all() { app.store().files_of(&who.scope, &evidence.id, read.name.as_deref()).await? } else { Vec::new() },
        exports: who.sees_all() && who.scope.subscribers && who.may(Permission::Export),
        e: evidence.into(),
    };
    Ok(page(StatusCode::OK, &shown))
}

/// Which changes.
#[derive(Deserialize)]
pub struct Since {
    /// Number of the last answer that is known already.
    #[serde(default)]
    since: i64,
    /// The last device of the page before.
    #[serde(default)]
    after: String,
    /// `new`, `changed` or `gone`: of those alone.
    #[serde(default)]
    what: String,
    /// Number of the answer whose changes alone are meant.
    answer: Option<i64>,
}

/// How many devices are new, changed and gone, each with its word.
pub fn by_kind(moves: &Moves) -> [(&'static str, u64); 3] {
    [("new", moves.new), ("changed", moves.changed), ("gone", moves.gone)]
}

#[derive(Template)]
#[template(path = "changes.html")]
struct Changes {
    head: Head,
    /// Which answers, in words, and as a part of an address.
    span: String,
    same: String,
    moves: [(&'static str, u64); 3],
    /// Which alone are shown; empty for all.
    what: &'static str,
    rows: Vec<Changed>,
    next: Option<String>,
}

/// The devices that changed behind an answer.
pub async fn changes(State(app): State<App>, who: Who, Params(part): Params<Since>) -> Result<Response, Problem> {
    let (span, words, same) = match part.answer {
        Some(n) => (Span::Of(n), format!("In answer {n}"), format!("answer={n}")),
        None => (Span::Behind(part.since), format!("Behind answer {}", part.since), format!("since={}", part.since)),
    };
    let moves = by_kind(&app.store().moves(&who.scope, span).await?);
    let what = moves.iter().map(|(word, _)| *word).find(|word| *word == part.what).unwrap_or_default();
    let only = Some(what).filter(|w| !w.is_empty());
    let rows = app.store().changes_of(&who.scope, span, only, &part.after, ROWS).await?;
    let full = rows.len() >= ROWS as usize;
    let kind = only.map(|w| format!("&what={w}")).unwrap_or_default();
    let next = rows.last().filter(|_| full).map(|c| format!("/changes?{same}{kind}&after={}", encoded(&c.device)));
    Ok(page(StatusCode::OK, &Changes { head: Head::new("Changes", "/", Some(&who)), span: words, same, moves, what, rows, next }))
}
