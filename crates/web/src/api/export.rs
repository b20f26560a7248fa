//! Streams: JSON Lines of everything that fits, a page of the store at a time.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use umbilical_core::number::{Shown, mask_numbers};
use umbilical_core::observation::IdKind;
use umbilical_store::query::Query;
use umbilical_store::{Page, Scope, Store};
use utoipa::IntoParams;

use crate::Problem;
use crate::api::devices::{DeviceLine, DeviceWhole};
use crate::api::findings::FindingLine;
use crate::app::App;
use crate::extract::Params;
use crate::who::Who;

/// Rows that are read together.
const TOGETHER: u32 = 500;

/// What is streamed.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportParams {
    /// A query.
    #[serde(default)]
    q: String,
    /// Of devices: `true` gives each whole, with claims, reasons and findings.
    #[serde(default)]
    whole: bool,
}

fn line<T: Serialize>(out: &mut Vec<u8>, row: &T) -> Result<(), Problem> {
    serde_json::to_writer(&mut *out, row).map_err(Problem::internal)?;
    out.push(b'\n');
    Ok(())
}

/// A browser keeps it as a file of this name.
fn lines(file: &'static str, body: Body) -> Result<Response, Problem> {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(file)),
    ];
    Ok((headers, body).into_response())
}

/// A stream that began well may still break: then the connection is cut, so that nobody takes a part for the whole.
fn broken(problem: Problem) -> std::io::Error {
    std::io::Error::other(problem.detail)
}

struct Walk {
    store: Store,
    scope: Scope,
    query: Query,
    after: Option<String>,
    done: bool,
}

impl Walk {
    fn new(app: &App, who: &Who, query: Query) -> Self {
        Self { store: app.store().clone(), scope: who.scope.clone(), query, after: None, done: false }
    }

    async fn devices(&mut self, whole: bool) -> Result<Vec<u8>, Problem> {
        let page = Page { after: self.after.as_deref(), limit: TOGETHER, sort: Some("id") };
        let listed = self.store.devices(&self.scope, &self.query, page).await?;
        let mut out = Vec::new();
        if whole {
            // One that a recompute took away meanwhile is left out.
            let ids: Vec<String> = listed.rows.into_iter().map(|row| row.id).collect();
            for kept in self.store.devices_whole(&self.scope, &ids).await? {
                line(&mut out, &DeviceWhole::from(kept))?;
            }
        } else {
            for row in listed.rows {
                line(&mut out, &DeviceLine::from(row))?;
            }
        }
        self.done = listed.next.is_none();
        self.after = listed.next;
        Ok(out)
    }

    async fn findings(&mut self) -> Result<Vec<u8>, Problem> {
        let page = Page { after: self.after.as_deref(), limit: TOGETHER, sort: None };
        let listed = self.store.findings(&self.scope, &self.query, page).await?;
        let mut out = Vec::new();
        for row in listed.rows {
            line(&mut out, &FindingLine::from(row))?;
        }
        self.done = listed.next.is_none();
        self.after = listed.next;
        Ok(out)
    }
}

async fn noted(app: &App, who: &Who, what: &str, q: &str) -> Result<(), Problem> {
    Ok(app.store().audit(who.by(app.now()), "export", what, &json!({"query": q})).await?)
}

/// Devices that fit a query, one JSON object on each line, by id
#[utoipa::path(get, path = "/api/v1/export/devices", tag = "export", params(ExportParams), responses((status = 200, content_type = "application/x-ndjson", body = DeviceLine)))]
pub async fn devices(State(app): State<App>, who: Who, Params(params): Params<ExportParams>) -> Result<Response, Problem> {
    let walk = Walk::new(&app, &who, Query::parse(&params.q)?);
    noted(&app, &who, "devices", &params.q).await?;
    let whole = params.whole;
    let stream = stream::try_unfold(walk, move |mut walk| async move {
        if walk.done {
            return Ok(None);
        }
        let bytes = walk.devices(whole).await.map_err(broken)?;
        Ok::<_, std::io::Error>(Some((Bytes::from(bytes), walk)))
    });
    lines("attachment; filename=\"devices.jsonl\"", Body::from_stream(stream))
}

/// Findings that fit a query, one JSON object on each line, the worst first
#[utoipa::path(get, path = "/api/v1/export/findings", tag = "export", params(ExportParams), responses((status = 200, content_type = "application/x-ndjson", body = FindingLine)))]
pub async fn findings(State(app): State<App>, who: Who, Params(params): Params<ExportParams>) -> Result<Response, Problem> {
    let walk = Walk::new(&app, &who, Query::parse(&params.q)?);
    noted(&app, &who, "findings", &params.q).await?;
    let stream = stream::try_unfold(walk, |mut walk| async move {
        if walk.done {
            return Ok(None);
        }
        let bytes = walk.findings().await.map_err(broken)?;
        Ok::<_, std::io::Error>(Some((Bytes::from(bytes), walk)))
    });
    lines("attachment; filename=\"findings.jsonl\"", Body::from_stream(stream))
}

/// Everything that was observed, one thing on each line: where, when, identifiers and facts. Needs all sites: before it is assessed a thing stands nowhere
#[utoipa::path(get, path = "/api/v1/export/observations", tag = "export", responses((status = 200, content_type = "application/x-ndjson", body = Object)))]
pub async fn observations(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    noted(&app, &who, "observations", "").await?;
    let rebuilt = app.store().observations().await?;
    let whole = who.scope.subscribers;
    let (send, receive) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(4);
    tokio::task::spawn_blocking(move || {
        let all = rebuilt.observations;
        let mut out = Vec::new();
        for thing in all.things() {
            let input = all.inputs.get(thing.input() as usize);
            let ids = thing.ids().map(|(part, kind, value)| {
                let subscriber = matches!(kind, IdKind::Iccid | IdKind::Imsi | IdKind::Msisdn);
                let value = match (whole, subscriber) {
                    (true, _) => value.to_owned(),
                    (false, true) => Shown(value).to_string(),
                    (false, false) => mask_numbers(value).into_owned(),
                };
                json!({"part": part, "kind": kind.name(), "value": value})
            });
            let facts = thing.facts().map(|(part, fact, at)| {
                let value = if whole { fact.value.to_string() } else { mask_numbers(&fact.value).into_owned() };
                let at = all.locate(at);
                json!({"part": part, "kind": fact.kind.name(), "value": value, "group": fact.group.name(), "basis": fact.basis.name(), "at": at})
            });
            let row = json!({
                "path": input.map(|i| &i.path), "sha256": input.map(|i| &i.sha256), "at": all.locate(thing.at()),
                "seen": thing.day().map(|d| d.to_string()),
                "ids": ids.collect::<Vec<Json>>(), "facts": facts.collect::<Vec<Json>>(),
            });
            if let Err(problem) = line(&mut out, &row) {
                let _ = send.blocking_send(Err(broken(problem)));
                return;
            }
            // Who asked has gone away.
            if out.len() > 1 << 16 && send.blocking_send(Ok(Bytes::from(std::mem::take(&mut out)))).is_err() {
                return;
            }
        }
        let _ = send.blocking_send(Ok(Bytes::from(out)));
    });
    let stream = stream::unfold(receive, |mut receive| async move { receive.recv().await.map(|item| (item, receive)) });
    lines("attachment; filename=\"observations.jsonl\"", Body::from_stream(stream))
}
