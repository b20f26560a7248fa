//! The API: `/api/v1`, described by an OpenAPI document that a golden file holds.

mod backups;
mod decisions;
mod devices;
mod evidence;
mod export;
mod findings;
mod health;
mod history;
mod jobs;
mod log;
mod me;
mod mutes;
mod organisations;
mod people;
mod reports;
mod sessions;
mod settings;
mod sinks;
mod tokens;
mod traffic;
mod views;
mod waivers;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use serde::{Deserialize, Serialize};
use umbilical_store::query::Query;
use umbilical_store::{Count, Page};
use utoipa::openapi::{ContentBuilder, RefOr, ResponseBuilder};
use utoipa::{IntoParams, Modify, OpenApi, ToSchema};

use crate::Problem;
use crate::app::App;
use crate::guard::encoded;

pub(crate) use decisions::Wanted;
pub(crate) use devices::{DeviceLine, FACETS};
pub(crate) use evidence::{Arrived, EvidenceOf, Received, arrive, keep};
pub(crate) use findings::FindingLine;
pub(crate) use jobs::seen;
pub(crate) use log::wholeness;
pub(crate) use me::sites;
pub(crate) use mutes::{MuteOf, MuteWanted, make_mute, named_mute, named_mutes};
pub(crate) use people::{PersonWanted, add_person, named};
pub(crate) use reports::{ReportOf, make as make_report};
pub(crate) use settings::put_setting;
pub(crate) use sinks::{
    Filter, RefusedOf, SinkShown, SinkWanted, all_sinks, alter_sink, guarantee, make_sink, named_sink, refused_of, send_again, try_sink,
};
pub(crate) use tokens::{TokenOf, TokenWanted, make, take_back};
pub(crate) use traffic::hours_of;
pub(crate) use waivers::{
    Entry as WaiverEntry, WaiverOf, WaiverWanted, WaiversOf, approve_waiver, last_day, propose_waiver, revoke_waiver, waivers_of,
    withdraw_waiver,
};

/// The routes.
pub fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/health", get(health::health))
        .route("/api/v1/ready", get(health::ready))
        .route("/api/v1/openapi.json", get(document))
        .route("/metrics", get(crate::metrics::metrics))
        .route("/api/v1/me", get(me::me))
        .route("/api/v1/query", get(devices::fields))
        .route("/api/v1/devices", get(devices::list))
        .route("/api/v1/devices/facets", get(devices::facets))
        .route("/api/v1/devices/decisions", post(decisions::decide_many))
        .route("/api/v1/devices/{id}", get(devices::one))
        .route("/api/v1/devices/{id}/why", get(devices::why))
        .route("/api/v1/devices/{id}/decisions", get(decisions::of_device).post(decisions::decide_device))
        .route("/api/v1/findings", get(findings::list))
        .route("/api/v1/findings/{id}", get(findings::one))
        .route("/api/v1/findings/{id}/incident", get(traffic::incident))
        .route("/api/v1/findings/{id}/decisions", get(decisions::of_finding).post(decisions::decide_finding))
        .route("/api/v1/traffic/traces", get(traffic::traces))
        .route("/api/v1/traffic/sessions", get(traffic::sessions))
        .route("/api/v1/traffic/sessions/{id}", get(traffic::session))
        .route("/api/v1/traffic/findings", get(traffic::findings))
        .route("/api/v1/evidence", get(evidence::list).post(evidence::upload).layer(axum::extract::DefaultBodyLimit::disable()))
        .route("/api/v1/evidence/{id}", get(evidence::one))
        .route("/api/v1/evidence/{id}/content", get(evidence::content))
        .route("/api/v1/devices/{id}/history", get(history::of_device))
        .route("/api/v1/events", get(history::events))
        .route("/api/v1/changes", get(history::changes))
        .route("/api/v1/export/devices", get(export::devices))
        .route("/api/v1/export/findings", get(export::findings))
        .route("/api/v1/export/observations", get(export::observations))
        .route("/api/v1/export/pack", get(reports::pack))
        .route("/api/v1/reports", get(reports::list))
        .route("/api/v1/reports/{id}", get(reports::one))
        .route("/api/v1/organisations", get(organisations::list))
        .route("/api/v1/organisations/{id}", get(organisations::one))
        .route("/api/v1/sites", get(organisations::sites))
        .route("/api/v1/me/password", post(me::password))
        .route("/api/v1/me/totp", post(me::totp).delete(me::end_totp))
        .route("/api/v1/me/totp/confirm", post(me::confirm_totp))
        .route("/api/v1/tokens", get(tokens::list).post(tokens::add))
        .route("/api/v1/tokens/{id}", delete(tokens::revoke))
        .route("/api/v1/users", get(people::list).post(people::add))
        .route("/api/v1/users/{id}", get(people::one).put(people::change))
        .route("/api/v1/users/{id}/link", post(people::link))
        .route("/api/v1/sessions", get(sessions::list))
        .route("/api/v1/sessions/{id}", delete(sessions::end))
        .route("/api/v1/views", get(views::list).post(views::save))
        .route("/api/v1/views/{id}", delete(views::remove))
        .route("/api/v1/roles", get(people::roles))
        .route("/api/v1/settings", get(settings::list))
        .route("/api/v1/settings/{name}", put(settings::set))
        .route("/api/v1/sinks", get(sinks::list).post(sinks::add))
        .route("/api/v1/sinks/{id}", get(sinks::one).put(sinks::change).delete(sinks::remove))
        .route("/api/v1/sinks/{id}/test", post(sinks::test))
        .route("/api/v1/sinks/{id}/undelivered", get(sinks::undelivered).post(sinks::again))
        .route("/api/v1/waivers", get(waivers::list).post(waivers::propose))
        .route("/api/v1/waivers/{id}/approve", post(waivers::approve))
        .route("/api/v1/waivers/{id}/revoke", post(waivers::revoke))
        .route("/api/v1/waivers/{id}/withdraw", post(waivers::withdraw))
        .route("/api/v1/mutes", get(mutes::list).post(mutes::add))
        .route("/api/v1/mutes/preview", get(mutes::preview))
        .route("/api/v1/mutes/{id}", get(mutes::one))
        .route("/api/v1/mutes/{id}/withdraw", post(mutes::withdraw))
        .route("/api/v1/backups", get(backups::list).post(backups::make))
        .route("/api/v1/audit-log", get(log::list))
        .route("/api/v1/audit-log/verify", get(log::verify))
        .route("/api/v1/jobs", get(jobs::list))
        .route("/api/v1/jobs/{n}", get(jobs::one))
}

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(title = "Umbilical", version = "1", description = "What the fleet page shows, for programs. Every list takes the query language of the pages; every failure is `application/problem+json` (RFC 9457)."),
    paths(
        health::health, health::ready, document, me::me,
        devices::fields, devices::list, devices::facets, devices::one, devices::why,
        decisions::of_device, decisions::decide_device, decisions::decide_many, decisions::of_finding, decisions::decide_finding,
        findings::list, findings::one,
        evidence::list, evidence::upload, evidence::one, evidence::content,
        traffic::traces, traffic::sessions, traffic::session, traffic::findings, traffic::incident,
        jobs::list, jobs::one,
        history::of_device, history::events, history::changes,
        export::devices, export::findings, export::observations, reports::pack,
        reports::list, reports::one,
        organisations::list, organisations::one, organisations::sites,
        me::password, me::totp, me::confirm_totp, me::end_totp,
        tokens::list, tokens::add, tokens::revoke,
        people::list, people::one, people::add, people::change, people::link, people::roles,
        sessions::list,
        sessions::end,
        views::list,
        views::save,
        views::remove,
        settings::list,
        settings::set,
        sinks::list, sinks::add, sinks::one, sinks::change, sinks::remove, sinks::test, sinks::undelivered, sinks::again,
        waivers::list, waivers::propose, waivers::approve, waivers::revoke, waivers::withdraw,
        mutes::list, mutes::one, mutes::preview, mutes::add, mutes::withdraw,
        backups::list, backups::make,
        log::list, log::verify,
    ),
    components(schemas(Problem)),
    modifiers(&Failures),
)]
pub struct Document;

/// What every route may answer beside its own.
struct Failures;

impl Modify for Failures {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let schema = utoipa::openapi::Ref::from_schema_name("Problem");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new().description("What went wrong").content("application/problem+json", content).build();
        for item in document.paths.paths.values_mut() {
            for operation in [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch].into_iter().flatten() {
                operation.responses.responses.insert("default".to_owned(), RefOr::T(response.clone()));
            }
        }
    }
}

/// The document as it is written: the golden file holds the same bytes.
pub fn openapi() -> String {
    let mut text = Document::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// This document
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "service", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
async fn document() -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], openapi()).into_response()
}

/// How many fit.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct Counted {
    /// So many.
    pub n: u64,
    /// Whether that is all of them.
    pub exact: bool,
}

impl From<Count> for Counted {
    fn from(count: Count) -> Self {
        Self { n: count.n, exact: count.exact }
    }
}

/// Which part of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// A query: `maker:quectel AND NOT site:lab confidence>0.8`.
    #[serde(default)]
    pub q: String,
    /// A column, with `-` before it for the highest first.
    pub sort: Option<String>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows of a page, 1 to 1000; 50 where nothing is said.
    #[serde(default)]
    pub limit: u32,
}

impl ListParams {
    /// The query, read.
    pub fn query(&self) -> Result<Query, Problem> {
        Ok(Query::parse(&self.q)?)
    }

    /// The page.
    pub fn page(&self) -> Page<'_> {
        Page { after: self.after.as_deref(), limit: self.limit, sort: self.sort.as_deref() }
    }

    /// The address of the page behind this one.
    fn next(&self, path: &str, next: &str) -> String {
        let mut out = format!("{path}?");
        if !self.q.is_empty() {
            out.push_str(&format!("q={}&", encoded(&self.q)));
        }
        if let Some(sort) = &self.sort {
            out.push_str(&format!("sort={}&", encoded(sort)));
        }
        if self.limit > 0 {
            out.push_str(&format!("limit={}&", self.limit));
        }
        out.push_str(&format!("after={}", encoded(next)));
        out
    }

    /// A page of a list, with a `Link` to the next one (RFC 8288).
    fn answer<T: Serialize>(&self, path: &str, body: &T, next: Option<&str>) -> Response {
        let mut response = json(body);
        if let Some(next) = next
            && let Ok(value) = HeaderValue::try_from(format!("<{}>; rel=\"next\"", self.next(path, next)))
        {
            response.headers_mut().insert(header::LINK, value);
        }
        response
    }
}

/// The last day of what ends at a time.
pub(crate) fn last_day_of(ends: umbilical_store::Time) -> String {
    umbilical_store::Time(ends.0.saturating_sub(1)).to_string().chars().take(10).collect()
}

/// A document.
pub(crate) fn json<T: Serialize>(body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response(),
        Err(error) => Problem::internal(error).into_response(),
    }
}
