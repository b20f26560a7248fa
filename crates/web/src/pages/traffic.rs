//! What was watched: the traces, a trace, and what a module or an address said by hour and to whom.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value as Json;
use umbilical_core::finding::Finding;
use umbilical_report::say;
use umbilical_report::svg::{self, Bar};
use umbilical_store::query::Query;
use umbilical_store::traffic::{HourRow, Of, PeerRow, SessionRow, TraceRow};
use umbilical_store::{Page, Sites};

use super::frame::{Head, minute, page};
use crate::Problem;
use crate::app::App;
use crate::guard::encoded;
use crate::who::Who;

/// Sessions of a page.
const SESSIONS: u32 = 100;
/// Findings, traces and peers of a page.
const ROWS: u32 = 100;
/// Hours of the picture.
const HOURS: u32 = 48;

/// A session as a row.
pub struct Row {
    pub session: SessionRow,
    pub module: String,
}

impl From<SessionRow> for Row {
    fn from(session: SessionRow) -> Self {
        let name = session.module.as_ref().and_then(|m| {
            let maker = m.brand.as_deref().or(m.maker.as_deref());
            let words: Vec<&str> = maker.into_iter().chain(m.model.as_deref()).collect();
            (!words.is_empty()).then(|| words.join(" "))
        });
        Self { module: name.unwrap_or_else(|| "unknown".to_owned()), session }
    }
}

/// The sessions with the most bytes.
pub struct Sessions {
    pub rows: Vec<Row>,
    /// How many there are.
    pub of: u64,
    /// Whether they are not all.
    pub more: bool,
}

impl From<(Vec<SessionRow>, u64)> for Sessions {
    fn from((rows, of): (Vec<SessionRow>, u64)) -> Self {
        Self { more: of > rows.len() as u64, rows: rows.into_iter().map(Row::from).collect(), of }
    }
}

/// A detector, and what it could look at.
struct Looked {
    code: String,
    state: String,
    needs: String,
    judged: u64,
    blind: u64,
    forgotten: u64,
}

/// Something that was counted.
struct Counted {
    name: String,
    n: u64,
}

pub fn bytes(n: &u64) -> String {
    say::bytes(*n)
}

pub fn count(n: &u64) -> String {
    say::count(*n)
}

fn counted(n: &u64, noun: &str) -> String {
    say::counted(*n, noun)
}

/// Where what is said of a subject stands.
pub fn address(kind: &str, id: &str) -> String {
    format!("/traffic/{}/{}", if kind == "session" { "sessions" } else { "hosts" }, encoded(id))
}

/// A finding of a detector with where its subject stands.
pub struct Found {
    pub finding: Finding,
    pub href: String,
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Self {
        Self { href: address(finding.subject.kind, &finding.subject.id), finding }
    }
}

#[derive(Template)]
#[template(path = "traffic.html")]
struct All {
    head: Head,
    sessions: Sessions,
    findings: Vec<Found>,
    /// Whether there may be more of them.
    more: bool,
    /// Incidents that mutes hide.
    muted: u64,
    /// Whether the list of mutes is the asker's.
    mutes: bool,
    /// For those who see every site.
    traces: Option<Vec<TraceRow>>,
}

/// Everything that was watched.
pub async fn all(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    let store = app.store();
    let sessions = store.traffic_sessions(&who.scope, Of::All, SESSIONS).await?;
    let findings = store.traffic_findings(&who.scope, Of::All, ROWS).await?;
    let traces = if who.scope.sites == Sites::All { Some(store.traces(&who.scope, ROWS).await?) } else { None };
    let shown = All {
        head: Head::new("Traffic", "/traffic", Some(&who)),
        sessions: sessions.into(),
        more: findings.len() >= ROWS as usize,
        muted: store.muted_count(&who.scope).await?,
        mutes: who.sees_all(),
        findings: findings.into_iter().map(Found::from).collect(),
        traces,
    };
    Ok(page(StatusCode::OK, &shown))
}

#[derive(Template)]
#[template(path = "trace.html")]
struct Trace {
    head: Head,
    id: String,
    /// Path, format and digest of what was read.
    inputs: Vec<[String; 3]>,
    counters: Vec<Counted>,
    detectors: Vec<Looked>,
    problems: Vec<String>,
    sessions: Sessions,
    findings: Vec<Found>,
}

fn text(value: &Json, key: &str) -> String {
    value.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn number(value: &Json, key: &str) -> u64 {
    value.get(key).and_then(Json::as_u64).unwrap_or_default()
}

fn list<'a>(value: &'a Json, key: &str) -> impl Iterator<Item = &'a Json> {
    value.get(key).and_then(Json::as_array).into_iter().flatten()
}

/// One trace.
pub async fn trace(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let store = app.store();
    let body = store.trace(&who.scope, &id).await?;
    let sessions = store.traffic_sessions(&who.scope, Of::Trace(&id), SESSIONS).await?;
    let findings = store.traffic_findings(&who.scope, Of::Trace(&id), ROWS).await?;
    let counters = body.get("counters").and_then(Json::as_object).into_iter().flatten();
    let detector = |d: &Json| Looked {
        code: text(d, "code"),
        state: text(d, "state"),
        needs: text(d, "needs"),
        judged: number(d, "judged"),
        blind: number(d, "blind"),
        forgotten: number(d, "forgotten"),
    };
    let problem = |p: &Json| format!("{}: {}", text(p, "at"), text(p, "what"));
    let shown = Trace {
        head: Head::new(format!("Trace {id}"), "/traffic", Some(&who)),
        inputs: list(&body, "inputs").map(|i| ["path", "format", "sha256"].map(|key| text(i, key))).collect(),
        counters: counters
            .filter_map(|(name, n)| n.as_u64().map(|n| Counted { name: name.replace('_', " "), n }))
            .filter(|c| c.n > 0)
            .collect(),
        detectors: list(&body, "detectors").map(detector).collect(),
        problems: list(&body, "problems").map(problem).collect(),
        id,
        sessions: sessions.into(),
        findings: findings.into_iter().map(Found::from).collect(),
    };
    Ok(page(StatusCode::OK, &shown))
}

#[derive(Template)]
#[template(path = "said.html")]
struct Said {
    head: Head,
    name: String,
    /// Where it is one.
    session: Option<Row>,
    /// Whether the asker may see the trace it is in.
    whole: bool,
    /// Devices with its IMEI: id and name.
    devices: Vec<(String, String)>,
    findings: Vec<Found>,
    picture: String,
    hours: Vec<HourRow>,
    peers: Vec<PeerRow>,
}

/// What a session said.
pub async fn session(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let session = app.store().traffic_session(&who.scope, &id).await?;
    said(&app, &who, id, Some(session)).await
}

/// What an address said; for those who see every site.
pub async fn host(State(app): State<App>, who: Who, Path(addr): Path<String>) -> Result<Response, Problem> {
    let known = who.scope.sites == Sites::All
        && !(app.store().traffic_hours(&addr, 1).await?.is_empty()
            && app.store().traffic_findings(&who.scope, Of::Subject(&addr), 1).await?.is_empty());
    if !known {
        return Err(umbilical_store::StoreError::NotFound { kind: "address", id: addr }.into());
    }
    said(&app, &who, addr, None).await
}

async fn said(app: &App, who: &Who, name: String, session: Option<SessionRow>) -> Result<Response, Problem> {
    let store = app.store();
    let mut devices = Vec::new();
    if let Some(imei) = session.as_ref().and_then(|s| s.imei.as_deref()).and_then(|i| i.get(..14)) {
        let query = Query::parse(&format!("imei:{imei}*"))?;
        let found = store.devices(&who.scope, &query, Page { limit: 5, ..Page::default() }).await?;
        devices = found.rows.into_iter().map(|d| (d.id, d.name)).collect();
    }
    let hours = store.traffic_hours(&name, HOURS).await?;
    let findings = store.traffic_findings(&who.scope, Of::Subject(&name), ROWS).await?;
    let bar = |h: &HourRow| Bar { label: minute(h.hour.to_string()), count: h.up.saturating_add(h.down), class: "c1" };
    let shown = Said {
        head: Head::new(name.clone(), "/traffic", Some(who)),
        picture: svg::bars("hours", "Bytes by hour (UTC)", &hours.iter().map(bar).collect::<Vec<_>>()),
        peers: store.traffic_peers(&name, ROWS).await?,
        findings: findings.into_iter().map(Found::from).collect(),
        session: session.map(Row::from),
        whole: who.scope.sites == Sites::All,
        name,
        devices,
        hours,
    };
    Ok(page(StatusCode::OK, &shown))
}
