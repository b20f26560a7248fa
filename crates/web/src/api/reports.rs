//! Reports: which there are, one of them as a file, and evidence packs.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use umbilical_assess::draft;
use umbilical_core::Day;
use umbilical_knowledge::templates::{Template, templates};
use umbilical_store::query::Query;
use utoipa::{IntoParams, ToSchema};

use crate::Problem;
use crate::api::export::noted;
use crate::api::json;
use crate::app::App;
use crate::download::{self, attached};
use crate::extract::Params;
use crate::law::Question;
use crate::packing::Source;
use crate::reports::{self, Form, Wanted};
use crate::who::Who;

/// The report of the whole fleet, which is no draft.
pub const FLEET: &str = "fleet";

/// A report that can be made.
#[derive(Serialize, ToSchema)]
pub struct ReportOf {
    /// Its id.
    pub id: String,
    /// In one line.
    pub title: String,
    /// What it answers to; empty of the fleet.
    pub cite: String,
    /// Whether its words were compared with the text in force.
    pub verified: bool,
    /// Whether it speaks of documents: then `evidence` names them.
    pub documents: bool,
    /// What its writer is asked for: `set=NAME=VALUE`.
    pub asks: Vec<String>,
}

/// A title before anything was said: what is asked for is left open.
fn open(title: &str) -> String {
    let mut out = String::new();
    let mut rest = title;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((_, after)) = behind.split_once('}') else { break };
        out.push_str(before);
        out.push('…');
        rest = after;
    }
    out + rest
}

impl From<&Template> for ReportOf {
    fn from(t: &Template) -> Self {
        Self {
            id: t.id.clone(),
            title: open(&t.title),
            cite: t.cite.clone(),
            verified: t.status == "verified",
            documents: draft::needs_documents(t),
            asks: draft::asked(t),
        }
    }
}

/// Reports that can be made
#[utoipa::path(get, path = "/api/v1/reports", tag = "reports", responses((status = 200, body = Vec<ReportOf>)))]
pub async fn list() -> Response {
    let fleet = ReportOf {
        id: FLEET.to_owned(),
        title: "The fleet on one page".to_owned(),
        cite: String::new(),
        verified: true,
        documents: false,
        asks: Vec::new(),
    };
    let all: Vec<ReportOf> = std::iter::once(fleet).chain(templates().iter().map(ReportOf::from)).collect();
    json(&all)
}

/// What is asked of a report. `evidence`, `policy`, `say` and `set` may be given several times.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what is read as pairs")]
struct ReportParams {
    /// `html` (where nothing is said), `text`, `json`.
    format: Option<String>,
    /// As of the end of this day; today where nothing is said.
    as_of: Option<String>,
    /// An artefact that is a bill of materials.
    evidence: Option<String>,
    /// What the writer says: `NAME=VALUE`.
    set: Option<String>,
    /// A pack of rules by its id; those of the report where nothing is said.
    policy: Option<String>,
    /// As `--market` takes it.
    market: Option<String>,
    /// As `--buyer` takes it.
    buyer: Option<String>,
    /// As `--funded-by` takes it.
    funded_by: Option<String>,
    /// A fact of the deal, as `--say` takes it.
    say: Option<String>,
    /// Of the fleet: `true` shows the numbers of subscribers whole to who may see them.
    subscribers: Option<bool>,
}

/// A report as it was asked for.
struct Asked {
    wanted: Wanted,
    form: Form,
    subscribers: bool,
}

fn asked(app: &App, id: &str, pairs: Vec<(String, String)>) -> Result<Asked, Problem> {
    let mut question = Question::on(app.today());
    let (mut set, mut documents, mut form, mut subscribers) = (Vec::new(), Vec::new(), Form::Html, false);
    for (name, value) in pairs {
        let text = || Some(value.trim().to_owned()).filter(|v| !v.is_empty());
        match name.as_str() {
            "format" => form = Form::of(&value)?,
            "as_of" if value.is_empty() => {}
            "as_of" => question.as_of = value.parse::<Day>().map_err(|e| Problem::invalid(format!("as_of: {e}")))?,
            "evidence" => documents.extend(text()),
            "policy" => question.packs.extend(text()),
            "market" => question.market = text(),
            "buyer" => question.buyer = text(),
            "funded_by" => question.funded_by = text(),
            "say" => question.say.extend(value.lines().map(|l| l.trim().to_owned()).filter(|l| !l.is_empty())),
            "subscribers" => subscribers = value == "true",
            // A form has a field for each name.
            name => match (name.strip_prefix("set."), name, value.split_once('=')) {
                (Some(name), ..) => set.push((name.to_owned(), value)),
                (None, "set", Some((name, value))) => set.push((name.trim().to_owned(), value.to_owned())),
                (None, "set", None) => return Err(Problem::invalid("write set=NAME=VALUE")),
                _ => return Err(Problem::invalid(format!("a report is not asked for `{}`", umbilical_core::text::short(name, 60)))),
            },
        }
    }
    Ok(Asked { wanted: Wanted { id: id.to_owned(), set, documents, question }, form, subscribers })
}

/// A report as a file: a draft of documents, or (`fleet`) the whole fleet on one page, answered anew as of a day
#[utoipa::path(get, path = "/api/v1/reports/{id}", tag = "reports", params(("id" = String, Path, description = "`fleet`, or a report of the list"), ReportParams), responses((status = 200, description = "The file", content_type = "text/html", body = String)))]
pub async fn one(
    State(app): State<App>,
    who: Who,
    Path(id): Path<String>,
    Params(pairs): Params<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    make(&app, &who, &id, pairs).await
}

/// Makes one, for the API and the page.
pub async fn make(app: &App, who: &Who, id: &str, pairs: Vec<(String, String)>) -> Result<Response, Problem> {
    let Asked { wanted, form, subscribers } = asked(app, id, pairs)?;
    let named = form.named();
    let day = wanted.question.as_of;
    let name = format!("umbilical-{id}-{day}.{}", named.ending);
    if id == FLEET {
        return fleet(app, who, day, subscribers, form, &name).await;
    }
    let report = reports::draft(app, wanted).await?;
    noted(app, who, &format!("report {id}"), "", Some(named)).await?;
    attached(&name, named.media, Body::from(reports::written(&report, form).map_err(Problem::internal)?))
}

async fn fleet(app: &App, who: &Who, day: Day, subscribers: bool, form: Form, name: &str) -> Result<Response, Problem> {
    if form == Form::Text {
        return Err(Problem {
            allowed: vec!["html".into(), "json".into()],
            ..Problem::invalid("the fleet is no text: a page, or a document")
        });
    }
    if subscribers && !who.scope.subscribers {
        return Err(Problem::forbidden("who asks may not see the numbers of subscribers"));
    }
    // It holds everything that was observed, as answering does.
    let Ok(turn) = app.answering().try_acquire_owned() else {
        let busy = "the fleet is being answered for another report: try again in a moment";
        return Err(Problem { retry_after: Some(10), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, busy) });
    };
    noted(app, who, "report fleet", "", Some(form.named())).await?;
    let observed = app.store().observations().await?.observations;
    let of = app.clone();
    download::file(app, name, form.named().media, move |pipe, _| {
        let _turn = turn;
        reports::fleet(&of, observed, day, subscribers, form, pipe)
    })
}

/// Which devices belong into a pack.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PackParams {
    /// A query of devices; everything where nothing is said.
    #[serde(default)]
    q: String,
}

/// An evidence pack, as `umbilical export --pack` writes it: check it with `umbilical verify`. Signed where the server has a key
#[utoipa::path(get, path = "/api/v1/export/pack", tag = "export", params(PackParams), responses((status = 200, description = "A tar file", content_type = "application/x-tar", body = String)))]
pub async fn pack(State(app): State<App>, who: Who, Params(params): Params<PackParams>) -> Result<Response, Problem> {
    let query = Query::parse(&params.q)?;
    noted(&app, &who, "pack", &params.q, None).await?;
    let name = format!("umbilical-{}.pack", app.today());
    let of = app.clone();
    let scope = who.scope.clone();
    download::file(&app, &name, "application/x-tar", move |pipe, runtime: &Handle| {
        let source = Source { store: of.store(), scope: &scope, query: &query, whole: query.text().is_empty() };
        let signer = of.config().signer.clone();
        source.prepare(&of.config().home, runtime)?.write(pipe, signer.as_ref().map(Arc::as_ref)).map(drop)
    })
}
