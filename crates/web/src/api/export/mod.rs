//! Streams of everything that fits, a page of the store at a time: lines of this API, or a file in a format of the command line.

mod files;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use umbilical_store::query::Query;
use umbilical_store::{Many, Page, Scope, Store};
use utoipa::IntoParams;

use crate::Problem;
use crate::api::devices::{DeviceLine, DeviceWhole};
use crate::api::findings::FindingLine;
use crate::app::App;
use crate::download::{self, attached, broken};
use crate::extract::Params;
use crate::leave::{Devices, Findings, Named};
use crate::record::covered;
use crate::who::Who;
use files::File;

/// Rows that are read together.
const TOGETHER: u32 = 500;

/// Which devices, and how.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeviceExport {
    /// A query.
    #[serde(default)]
    q: String,
    /// `true` gives each whole, with claims, reasons and findings; of lines without `format`.
    #[serde(default)]
    whole: bool,
    /// A format of `umbilical export devices`; lines as `GET /api/v1/devices` lists them where nothing is said.
    format: Option<Devices>,
}

/// Which findings, and how.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FindingExport {
    /// A query.
    #[serde(default)]
    q: String,
    /// Of no meaning here.
    #[serde(default, rename = "whole")]
    _whole: bool,
    /// A format of `umbilical export findings`; lines as `GET /api/v1/findings` lists them where nothing is said.
    format: Option<Findings>,
}

fn line<T: Serialize>(out: &mut Vec<u8>, row: &T) -> Result<(), Problem> {
    serde_json::to_writer(&mut *out, row).map_err(Problem::internal)?;
    out.push(b'\n');
    Ok(())
}

/// The media type of JSON Lines.
const LINES: &str = "application/x-ndjson";

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

/// Writes down that something left.
pub(super) async fn noted(app: &App, who: &Who, what: &str, q: &str, format: Option<Named>) -> Result<(), Problem> {
    let detail = format.map_or_else(|| json!({"query": q}), |f| json!({"query": q, "format": f.name}));
    Ok(app.store().audit(who.by(app.now()), "export", what, &detail).await?)
}

/// Devices that fit a query: one JSON object on each line, by id, or a file in a format
#[utoipa::path(get, path = "/api/v1/export/devices", tag = "export", params(DeviceExport), responses((status = 200, description = "Lines, or the file that was asked for with its own media type", content_type = "application/x-ndjson", body = DeviceLine)))]
pub async fn devices(State(app): State<App>, who: Who, Params(params): Params<DeviceExport>) -> Result<Response, Problem> {
    let query = Query::parse(&params.q)?;
    let format = params.format.map(Devices::named);
    let file = File::of(&app, &who, query.clone()).await?;
    if let (Some(devices), Some(named)) = (params.format, format) {
        if params.whole {
            return Err(Problem::invalid("`whole` is of lines without `format`: a file of a format has in it what the format holds"));
        }
        file.bounded(Many::Devices, named, devices.most()).await?;
        noted(&app, &who, "devices", &params.q, format).await?;
        let name = file.name("devices", named.ending);
        return download::file(&app, &name, named.media, move |pipe, runtime| file.devices(devices, pipe, runtime));
    }
    noted(&app, &who, "devices", &params.q, None).await?;
    let whole = params.whole;
    let stream = stream::try_unfold(Walk::new(&app, &who, query), move |mut walk| async move {
        if walk.done {
            return Ok(None);
        }
        let bytes = walk.devices(whole).await.map_err(broken)?;
        Ok::<_, std::io::Error>(Some((Bytes::from(bytes), walk)))
    });
    attached(&file.name("devices", "jsonl"), LINES, Body::from_stream(stream))
}

/// Findings that fit a query, the worst first: one JSON object on each line, or a file in a format
#[utoipa::path(get, path = "/api/v1/export/findings", tag = "export", params(FindingExport), responses((status = 200, description = "Lines, or the file that was asked for with its own media type", content_type = "application/x-ndjson", body = FindingLine)))]
pub async fn findings(State(app): State<App>, who: Who, Params(params): Params<FindingExport>) -> Result<Response, Problem> {
    let query = Query::parse(&params.q)?;
    let format = params.format.map(Findings::named);
    let file = File::of(&app, &who, query.clone()).await?;
    if let (Some(findings), Some(named)) = (params.format, format) {
        file.bounded(Many::Findings, named, findings.most()).await?;
        noted(&app, &who, "findings", &params.q, format).await?;
        let name = file.name("findings", named.ending);
        return download::file(&app, &name, named.media, move |pipe, runtime| file.findings(findings, pipe, runtime));
    }
    noted(&app, &who, "findings", &params.q, None).await?;
    let stream = stream::try_unfold(Walk::new(&app, &who, query), |mut walk| async move {
        if walk.done {
            return Ok(None);
        }
        let bytes = walk.findings().await.map_err(broken)?;
        Ok::<_, std::io::Error>(Some((Bytes::from(bytes), walk)))
    });
    attached(&file.name("findings", "jsonl"), LINES, Body::from_stream(stream))
}

/// Everything that was observed, one thing on each line: where, when, identifiers and facts. Needs all sites: before it is assessed a thing stands nowhere
#[utoipa::path(get, path = "/api/v1/export/observations", tag = "export", responses((status = 200, content_type = "application/x-ndjson", body = Object)))]
pub async fn observations(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    noted(&app, &who, "observations", "", None).await?;
    let rebuilt = app.store().observations().await?;
    let whole = who.scope.subscribers;
    let name = format!("umbilical-observations-{}.jsonl", app.today());
    download::file(&app, &name, LINES, move |pipe, _| {
        let all = rebuilt.observations;
        for thing in all.things() {
            let input = all.inputs.get(thing.input() as usize);
            let ids = thing
                .ids()
                .map(|(part, kind, value)| json!({"part": part, "kind": kind.name(), "value": covered(Some(kind), value, whole)}));
            let facts = thing.facts().map(|(part, fact, at)| {
                let (value, at) = (covered(None, &fact.value, whole), all.locate(at));
                json!({"part": part, "kind": fact.kind.name(), "value": value, "group": fact.group.name(), "basis": fact.basis.name(), "at": at})
            });
            let row = json!({
                "path": input.map(|i| &i.path), "sha256": input.map(|i| &i.sha256), "at": all.locate(thing.at()),
                "seen": thing.day().map(|d| d.to_string()),
                "ids": ids.collect::<Vec<Json>>(), "facts": facts.collect::<Vec<Json>>(),
            });
            umbilical_report::json::line(pipe, &row)?;
        }
        Ok(())
    })
}
