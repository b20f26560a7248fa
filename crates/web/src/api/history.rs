//! What changed: an event for each answer of the fleet, the devices behind it, and the history of one. A first import is one event.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use umbilical_store::AnswerRow;
use utoipa::{IntoParams, ToSchema};

use crate::Problem;
use crate::api::json;
use crate::app::App;
use crate::extract::Params;
use crate::who::Who;

/// An answer of the fleet, and what it changed.
#[derive(Serialize, ToSchema)]
pub struct Event {
    /// Its number, from 1.
    n: i64,
    /// `baseline` for the first, then `changed`.
    kind: &'static str,
    /// When.
    at: String,
    /// The day of the answer.
    as_of: String,
    /// Devices that the fleet had.
    devices: u64,
    /// Findings that it had.
    findings: u64,
    /// Devices that were not there before.
    new: u64,
    /// Devices of which something else was said than before.
    changed: u64,
    /// Devices that were no longer there.
    gone: u64,
}

impl From<AnswerRow> for Event {
    fn from(a: AnswerRow) -> Self {
        Self {
            n: a.n,
            kind: if a.n == 1 { "baseline" } else { "changed" },
            at: a.at.to_string(),
            as_of: a.as_of,
            devices: a.devices,
            findings: a.findings,
            new: a.new,
            changed: a.changed,
            gone: a.gone,
        }
    }
}

/// How many events.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventParams {
    /// Rows, 1 to 1000; 50 where nothing is said.
    #[serde(default)]
    limit: u32,
}

/// What changed, the newest first: one event for each time the fleet was answered anew. They count the whole fleet: who sees some
/// sites is given none
#[utoipa::path(get, path = "/api/v1/events", tag = "devices", params(EventParams), responses((status = 200, body = [Event])))]
pub async fn events(State(app): State<App>, who: Who, Params(params): Params<EventParams>) -> Result<Response, Problem> {
    let limit = if params.limit == 0 { 50 } else { params.limit };
    let answers = app.store().answers(&who.scope, limit).await?;
    Ok(json(&answers.into_iter().map(Event::from).collect::<Vec<_>>()))
}

/// A device that changed.
#[derive(Serialize, ToSchema)]
pub struct ChangeOf {
    /// The device.
    device: String,
    /// `new`, `changed`, `gone`.
    what: String,
}

/// Which changes.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangeParams {
    /// Number of the last event that is known already; 0 for all.
    #[serde(default)]
    since: i64,
    /// The last device of the page before.
    #[serde(default)]
    after: String,
    /// Rows of a page, 1 to 1000; 200 where nothing is said.
    #[serde(default)]
    limit: u32,
}

/// The devices that changed behind an event, by id, each with its last change; the baseline changes none
#[utoipa::path(get, path = "/api/v1/changes", tag = "devices", params(ChangeParams), responses((status = 200, body = [ChangeOf])))]
pub async fn changes(State(app): State<App>, who: Who, Params(params): Params<ChangeParams>) -> Result<Response, Problem> {
    let limit = if params.limit == 0 { 200 } else { params.limit.min(1000) };
    let rows = app.store().changes(&who.scope, params.since, &params.after, limit).await?;
    let next = rows.last().filter(|_| rows.len() >= limit as usize).map(|c| c.device.clone());
    let mut response = json(&rows.into_iter().map(|c| ChangeOf { device: c.device, what: c.what }).collect::<Vec<_>>());
    if let Some(next) = next
        && let Ok(link) =
            HeaderValue::try_from(format!("</api/v1/changes?since={}&limit={limit}&after={next}>; rel=\"next\"", params.since))
    {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// What happened to a device.
#[derive(Serialize, ToSchema)]
pub struct Past {
    /// Number of the event.
    event: i64,
    /// When.
    at: String,
    /// `new`, `changed`, `gone`.
    what: String,
}

/// When a device was new, changed or gone, the newest first
#[utoipa::path(get, path = "/api/v1/devices/{id}/history", tag = "devices", params(("id" = String, Path, description = "`dev-…`")), responses((status = 200, body = [Past])))]
pub async fn of_device(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let rows = app.store().device_changes(&who.scope, &id, 1000).await?;
    Ok(json(&rows.into_iter().map(|(event, at, what)| Past { event, at: at.to_string(), what }).collect::<Vec<_>>()))
}
