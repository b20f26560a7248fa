//! Reports: the fleet on one page, evidence packs, and drafts for regulators, tenders and suppliers.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use umbilical_assess::draft;
use umbilical_core::Day;
use umbilical_knowledge::templates::templates;

use super::frame::{Head, page};
use crate::Problem;
use crate::api::{EvidenceOf, ReportOf, make_report};
use crate::app::App;
use crate::extract::Params;
use crate::who::Who;

/// Documents to choose from.
const DOCUMENTS: u32 = 200;

#[derive(Template)]
#[template(path = "reports.html")]
struct List {
    head: Head,
    today: Day,
    q: String,
    /// Whether reports of the whole fleet are the asker's.
    all: bool,
    /// Whether numbers of subscribers are.
    subscribers: bool,
    signed: bool,
    reports: Vec<ReportOf>,
}

/// What a list led here with.
#[derive(Deserialize)]
pub struct Led {
    /// Devices of a pack.
    #[serde(default)]
    q: String,
}

/// Which there are.
pub async fn list(State(app): State<App>, who: Who, Params(led): Params<Led>) -> Result<Response, Problem> {
    let shown = List {
        head: Head::new("Reports", "/reports", Some(&who)),
        today: app.today(),
        q: led.q,
        all: who.sees_all(),
        subscribers: who.scope.subscribers,
        signed: app.config().signer.is_some(),
        reports: if app.config().law.is_some() { templates().iter().map(ReportOf::from).collect() } else { Vec::new() },
    };
    Ok(page(StatusCode::OK, &shown))
}

/// A field of the form: its name, and its words.
struct Field {
    name: String,
    label: String,
}

#[derive(Template)]
#[template(path = "report.html")]
struct One {
    head: Head,
    today: Day,
    report: ReportOf,
    to: String,
    fields: Vec<Field>,
    documents: Vec<EvidenceOf>,
    chosen: Option<String>,
    needs_fail: bool,
    packs: Vec<String>,
}

/// What led to a report.
#[derive(Deserialize)]
pub struct About {
    /// An artefact.
    evidence: Option<String>,
}

/// The form of a draft.
pub async fn one(State(app): State<App>, who: Who, Path(id): Path<String>, Params(about): Params<About>) -> Result<Response, Problem> {
    let template = draft::template(&id).map_err(Problem::missing)?;
    let report = ReportOf::from(&template);
    let mut documents: Vec<EvidenceOf> = Vec::new();
    if report.documents {
        let rows = app.store().evidence(&who.scope, None, DOCUMENTS).await?;
        documents = rows.into_iter().map(EvidenceOf::from).filter(|e| e.kept).collect();
        // What led here stands among them, however old it is.
        if let Some(id) = about.evidence.as_deref().filter(|id| !documents.iter().any(|d| d.id == **id)) {
            documents.insert(0, app.store().evidence_by_id(&who.scope, id).await?.into());
        }
    }
    let label = |name: &String| {
        let line = template.sections.iter().flat_map(|s| &s.lines).find(|l| l.ask.as_ref() == Some(name));
        line.and_then(|l| l.label.clone()).unwrap_or_else(|| name.replace('_', " "))
    };
    let shown = One {
        head: Head::new(report.id.clone(), "/reports", Some(&who)),
        today: app.today(),
        to: template.addressed.clone(),
        fields: report.asks.iter().map(|name| Field { label: label(name), name: name.clone() }).collect(),
        documents,
        chosen: about.evidence,
        needs_fail: template.needs_fail,
        packs: template.packs.clone(),
        report,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// The file that a form asked for: what is wrong with it is a page.
pub async fn file(
    State(app): State<App>,
    who: Who,
    Path(id): Path<String>,
    Params(pairs): Params<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    make_report(&app, &who, &id, pairs).await
}
