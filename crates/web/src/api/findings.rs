//! Findings over the whole fleet.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use umbilical_core::finding::Finding;
use umbilical_store::FindingRow;
use utoipa::ToSchema;

use crate::Problem;
use crate::api::{Counted, ListParams, json};
use crate::app::App;
use crate::extract::Params;
use crate::who::Who;

/// A finding in a list.
#[derive(Serialize, ToSchema)]
pub struct FindingLine {
    /// The finding, as every document has it.
    #[schema(value_type = Object)]
    pub finding: Finding,
    /// What it says in one line.
    pub meaning: String,
    /// The device that it is about.
    pub device: Option<String>,
    /// Its name.
    pub device_name: Option<String>,
    /// When it was first found here.
    pub since: String,
    /// Where it stands in triage.
    pub state: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Who looks after it.
    pub assigned: Option<String>,
    /// The mute that hides it, `mut-…`; what is hidden is in no list.
    pub muted: Option<String>,
}

impl FindingLine {
    /// Of a detector: with whom.
    pub fn peer(&self) -> Option<&str> {
        self.finding.detail.get("peer").and_then(|p| p.as_str())
    }

    /// Last day of the waiver that accepts it, who approved that, and why; `None` where none holds.
    pub fn waived(&self) -> Option<(String, &str, &str)> {
        let waiver = self.finding.detail.get("waiver").filter(|_| self.finding.is_accepted())?;
        let text = |name: &str| waiver.get(name).and_then(|v| v.as_str()).unwrap_or_default();
        // The file names the first day on which it no longer holds.
        let ends = text("expires");
        let last = ends.parse::<umbilical_core::Day>().ok().and_then(|day| day.plus_days(-1));
        Some((last.map_or_else(|| ends.to_owned(), |day| day.to_string()), text("approver"), text("reason")))
    }
}

impl From<FindingRow> for FindingLine {
    fn from(row: FindingRow) -> Self {
        let (device, device_name) = row.device.unzip();
        Self {
            meaning: row.finding.meaning().to_owned(),
            finding: row.finding,
            device,
            device_name,
            since: row.since.to_string(),
            state: row.state,
            tags: row.tags,
            assigned: row.assigned,
            muted: row.muted,
        }
    }
}

/// A page of findings.
#[derive(Serialize, ToSchema)]
pub struct Findings {
    /// How many fit, over all pages.
    count: Counted,
    /// The rows.
    findings: Vec<FindingLine>,
    /// What `after` of the next page is; `null` on the last.
    next: Option<String>,
}

/// Findings that fit a query
#[utoipa::path(get, path = "/api/v1/findings", tag = "findings", params(ListParams), responses((status = 200, body = Findings)))]
pub async fn list(State(app): State<App>, who: Who, Params(params): Params<ListParams>) -> Result<Response, Problem> {
    let listed = app.store().findings(&who.scope, &params.query()?, params.page()).await?;
    let body = Findings { count: listed.count.into(), findings: listed.rows.into_iter().map(Into::into).collect(), next: listed.next };
    Ok(params.answer("/api/v1/findings", &body, body.next.as_deref()))
}

/// A finding
#[utoipa::path(get, path = "/api/v1/findings/{id}", tag = "findings", params(("id" = String, Path, description = "`fnd-…`")), responses((status = 200, body = FindingLine)))]
pub async fn one(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(json(&FindingLine::from(app.store().finding(&who.scope, &id).await?)))
}
