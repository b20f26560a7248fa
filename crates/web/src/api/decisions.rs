//! What people decide about devices and findings: triage, notes, tags, who looks after it.
//!
//! The version of what was decided about one thing is the number of its last decision. `If-Match` with the `ETag` of the list
//! refuses to decide over somebody else's decision unseen.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use umbilical_store::query::Query;
use umbilical_store::{Decided, Decision, Many, Time};
use utoipa::ToSchema;

use crate::Problem;
use crate::api::json;
use crate::app::App;
use crate::extract::Body;
use crate::who::Who;

/// A decision that was made.
#[derive(Serialize, ToSchema)]
pub struct DecidedOf {
    /// Its number over all things.
    n: i64,
    /// When.
    at: String,
    /// Who.
    who: String,
    /// `state`, `note`, `tag`, `untag`, `assigned`, `approved`, `refused`.
    kind: String,
    /// The state, tag, person, or what was approved.
    value: String,
    /// In the words of who decided.
    comment: String,
    /// When it ends by itself.
    expires: Option<String>,
}

impl From<Decided> for DecidedOf {
    fn from(d: Decided) -> Self {
        Self {
            n: d.n,
            at: d.at.to_string(),
            who: d.who,
            kind: d.kind,
            value: d.value,
            comment: d.comment,
            expires: d.expires.map(|t| t.to_string()),
        }
    }
}

/// What is to be decided.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Wanted {
    /// Where it stands in triage.
    State {
        /// One of the states that `GET /api/v1/query` names.
        value: String,
        /// Why. What is `accepted` needs a reason.
        #[serde(default)]
        comment: String,
        /// The day behind which it is new again, `YYYY-MM-DD`. What is `accepted` needs one, at most 366 days ahead.
        expires: Option<String>,
    },
    /// A note.
    Note {
        /// What it says.
        comment: String,
    },
    /// Marks it.
    Tag {
        /// The tag.
        value: String,
        /// Why.
        #[serde(default)]
        comment: String,
    },
    /// Takes a mark away.
    Untag {
        /// The tag.
        value: String,
        /// Why.
        #[serde(default)]
        comment: String,
    },
    /// Who looks after it.
    Assign {
        /// A login; `null` for nobody.
        value: Option<String>,
        /// Why.
        #[serde(default)]
        comment: String,
    },
}

impl Wanted {
    /// As the store has it, with comment and end.
    pub(crate) fn parts(&self) -> Result<(Decision<'_>, &str, Option<Time>), Problem> {
        Ok(match self {
            Self::State { value, comment, expires } => (Decision::State(value), comment, expires.as_deref().map(end_of_day).transpose()?),
            Self::Note { comment } => (Decision::Note, comment, None),
            Self::Tag { value, comment } => (Decision::Tag(value), comment, None),
            Self::Untag { value, comment } => (Decision::Untag(value), comment, None),
            Self::Assign { value, comment } => (Decision::Assign(value.as_deref().filter(|v| !v.is_empty())), comment, None),
        })
    }
}

fn end_of_day(text: &str) -> Result<Time, Problem> {
    let day: umbilical_core::Day = text.parse().map_err(|_| Problem::at("expires", "this is no day: YYYY-MM-DD"))?;
    let days = day.days_since(umbilical_core::Day { year: 1970, month: 1, day: 1 }).saturating_add(1);
    Ok(Time(days.saturating_mul(86_400_000)))
}

/// Everything that was decided about a device, the newest last
#[utoipa::path(get, path = "/api/v1/devices/{id}/decisions", tag = "decisions", params(("id" = String, Path, description = "`dev-…`")), responses((status = 200, body = [DecidedOf])))]
pub async fn of_device(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    of(&app, &who, &subject(&id, "dev-")?).await
}

/// Everything that was decided about a finding, the newest last
#[utoipa::path(get, path = "/api/v1/findings/{id}/decisions", tag = "decisions", params(("id" = String, Path, description = "`fnd-…`")), responses((status = 200, body = [DecidedOf])))]
pub async fn of_finding(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    of(&app, &who, &subject(&id, "fnd-")?).await
}

fn subject(id: &str, kind: &str) -> Result<String, Problem> {
    if id.starts_with(kind) { Ok(id.to_owned()) } else { Err(Problem::missing(format!("an id here begins with `{kind}`"))) }
}

async fn of(app: &App, who: &Who, id: &str) -> Result<Response, Problem> {
    let decided = app.store().decisions(&who.scope, id).await?;
    let tag = version(&decided);
    let mut response = json(&decided.into_iter().map(DecidedOf::from).collect::<Vec<_>>());
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

/// The version of what was decided.
fn version(decided: &[Decided]) -> HeaderValue {
    HeaderValue::try_from(format!("\"decided-{}\"", decided.last().map_or(0, |d| d.n))).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Decides about a device
#[utoipa::path(post, path = "/api/v1/devices/{id}/decisions", tag = "decisions",
    params(("id" = String, Path, description = "`dev-…`"), ("If-Match" = Option<String>, Header, description = "The ETag of the list")),
    request_body = Wanted, responses((status = 201, body = Number)))]
pub async fn decide_device(
    State(app): State<App>,
    who: Who,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Problem> {
    decide(&app, &who, &subject(&id, "dev-")?, &headers, &wanted).await
}

/// Decides about a finding
#[utoipa::path(post, path = "/api/v1/findings/{id}/decisions", tag = "decisions",
    params(("id" = String, Path, description = "`fnd-…`"), ("If-Match" = Option<String>, Header, description = "The ETag of the list")),
    request_body = Wanted, responses((status = 201, body = Number)))]
pub async fn decide_finding(
    State(app): State<App>,
    who: Who,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Problem> {
    decide(&app, &who, &subject(&id, "fnd-")?, &headers, &wanted).await
}

/// The number of a decision.
#[derive(Serialize, ToSchema)]
pub struct Number {
    /// Its number over all things.
    n: i64,
}

async fn decide(app: &App, who: &Who, id: &str, headers: &HeaderMap, wanted: &Wanted) -> Result<Response, Problem> {
    let (decision, comment, expires) = wanted.parts()?;
    let _one_at_a_time = app.deciding().lock().await;
    if let Some(expected) = headers.get(header::IF_MATCH) {
        let now = version(&app.store().decisions(&who.scope, id).await?);
        let fits =
            expected.to_str().is_ok_and(|list| list.split(',').any(|tag| tag.trim() == "*" || tag.trim().as_bytes() == now.as_bytes()));
        if !fits {
            let detail = "something else was decided about it meanwhile: look again";
            return Err(Problem::new(StatusCode::PRECONDITION_FAILED, detail));
        }
    }
    let n = app.store().decide(&who.scope, who.by(app.now()), id, decision, comment, expires).await?;
    let tag = HeaderValue::try_from(format!("\"decided-{n}\"")).map_err(Problem::internal)?;
    let mut response = (StatusCode::CREATED, json(&Number { n })).into_response();
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

/// What is decided about many.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ManyWanted {
    /// Which: a query.
    q: String,
    /// How many it fitted when it was looked at; with another number nothing is done.
    expected: u64,
    /// What.
    decision: Wanted,
}

/// How many were decided about.
#[derive(Serialize, ToSchema)]
pub struct ManyDecided {
    /// So many.
    devices: u64,
}

/// Decides about every device that fits a query
#[utoipa::path(post, path = "/api/v1/devices/decisions", tag = "decisions", request_body = ManyWanted, responses((status = 200, body = ManyDecided)))]
pub async fn decide_many(State(app): State<App>, who: Who, Body(many): Body<ManyWanted>) -> Result<Response, Problem> {
    let query = Query::parse(&many.q)?;
    let (decision, comment, expires) = many.decision.parts()?;
    let by = who.by(app.now());
    let devices = app.store().decide_many(&who.scope, by, (Many::Devices, &query, many.expected), decision, comment, expires).await?;
    Ok(json(&ManyDecided { devices }))
}
