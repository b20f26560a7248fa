//! Evidence as it came: the list, one artefact with its custody and what was not understood in it, and what the answers
//! changed.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use umbilical_store::query::Query;
use umbilical_store::{Changed, KeptProblem, Moves};

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
    rows: Vec<EvidenceOf>,
    next: Option<String>,
}

/// Everything that came in.
pub async fn list(State(app): State<App>, who: Who, Params(part): Params<Part>) -> Result<Response, Problem> {
    let format = part.format.filter(|f| !f.is_empty());
    let rows = app.store().evidence_of(&who.scope, format.as_deref(), part.after.as_deref(), ROWS).await?;
    let of = format.as_deref().map(|f| format!("format={}&", encoded(f))).unwrap_or_default();
    let next = rows.last().filter(|_| rows.len() >= ROWS as usize).map(|e| format!("/evidence?{of}after={}", encoded(&e.id)));
    let rows = rows.into_iter().map(EvidenceOf::from).collect();
    Ok(page(StatusCode::OK, &List { head: Head::new("Evidence", "/evidence", Some(&who)), format, rows, next }))
}

#[derive(Template)]
#[template(path = "artefact.html")]
struct One {
    head: Head,
    e: EvidenceOf,
    devices: u64,
    href: String,
    /// For those who see all sites.
    problems: Option<Vec<KeptProblem>>,
    /// Whether its bytes may be taken out.
    exports: bool,
}

/// One artefact.
pub async fn one(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let evidence = app.store().evidence_by_id(&who.scope, &id).await?;
    let q = format!("evidence:{}", evidence.id);
    let shown = One {
        head: Head::new(evidence.name.clone(), "/evidence", Some(&who)),
        devices: app.store().count_devices(&who.scope, &Query::parse(&q)?).await?,
        href: href("/fleet", &q, None),
        problems: if who.sees_all() { Some(app.store().problems(&who.scope, &evidence.id).await?) } else { None },
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
}

#[derive(Template)]
#[template(path = "changes.html")]
struct Changes {
    head: Head,
    since: i64,
    moves: Moves,
    rows: Vec<Changed>,
    next: Option<String>,
}

/// The devices that changed behind an answer.
pub async fn changes(State(app): State<App>, who: Who, Params(part): Params<Since>) -> Result<Response, Problem> {
    let rows = app.store().changes(&who.scope, part.since, &part.after, ROWS).await?;
    let full = rows.len() >= ROWS as usize;
    let next = rows.last().filter(|_| full).map(|c| format!("/changes?since={}&after={}", part.since, encoded(&c.device)));
    let moves = app.store().moves(&who.scope, part.since).await?;
    Ok(page(StatusCode::OK, &Changes { head: Head::new("Changes", "/", Some(&who)), since: part.since, moves, rows, next }))
}
