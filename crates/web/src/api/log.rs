//! The audit log: who did what, and whether the log is whole.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use umbilical_store::{AuditHead, AuditRow};
use utoipa::{IntoParams, ToSchema};

use crate::Problem;
use crate::api::json;
use crate::app::App;
use crate::extract::Params;

/// A row of the log.
#[derive(Serialize, ToSchema)]
pub struct Row {
    /// Its number, from 1, without gaps.
    pub n: u64,
    /// When.
    pub at: String,
    /// Who.
    pub who: String,
    /// What was done.
    pub what: String,
    /// To what.
    pub subject: String,
    /// The rest.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
    /// Digest over this row and the digest of the row before.
    pub chain: String,
}

impl From<AuditRow> for Row {
    fn from(r: AuditRow) -> Self {
        Self { n: r.n, at: r.at.to_string(), who: r.who, what: r.what, subject: r.subject, detail: r.detail, chain: r.chain }
    }
}

/// Which part of the log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogParams {
    /// Rows with smaller numbers.
    before: Option<u64>,
    /// Rows of a page, 1 to 1000; 100 where nothing is said.
    #[serde(default)]
    limit: u32,
}

/// Rows of the audit log, the newest first
#[utoipa::path(get, path = "/api/v1/audit-log", tag = "audit", params(LogParams), responses((status = 200, body = [Row])))]
pub async fn list(State(app): State<App>, Params(params): Params<LogParams>) -> Result<Response, Problem> {
    let limit = if params.limit == 0 { 100 } else { params.limit };
    let rows = app.store().audit_rows(params.before, limit).await?;
    Ok(json(&rows.into_iter().map(Row::from).collect::<Vec<_>>()))
}

/// Whether the log is whole.
#[derive(Serialize, ToSchema)]
pub struct Verified {
    /// Whether nothing is wrong.
    whole: bool,
    /// What is, one sentence each.
    wrong: Vec<String>,
    /// Number and digest of the last row, to be written down elsewhere.
    head: Option<Head>,
}

/// The last row.
#[derive(Serialize, ToSchema)]
pub struct Head {
    /// Its number.
    n: u64,
    /// Its digest.
    chain: String,
}

/// A head that was written down.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VerifyParams {
    /// Number of a row.
    n: Option<u64>,
    /// Its digest.
    chain: Option<String>,
}

/// Walks the audit log from its beginning; `n` and `chain` are a head that was written down elsewhere
#[utoipa::path(get, path = "/api/v1/audit-log/verify", tag = "audit", params(VerifyParams), responses((status = 200, body = Verified)))]
pub async fn verify(State(app): State<App>, Params(params): Params<VerifyParams>) -> Result<Response, Problem> {
    let known = match (params.n, params.chain) {
        (Some(n), Some(chain)) => Some(AuditHead { n, chain }),
        (None, None) => None,
        _ => return Err(Problem::invalid("a head is a number and a digest: give both")),
    };
    let (wrong, head) = wholeness(&app, known.as_ref()).await?;
    let head = head.map(|h| Head { n: h.n, chain: h.chain });
    Ok(json(&Verified { whole: wrong.is_empty(), wrong, head }))
}

/// Walks every chain from its beginning: what does not fit, and the last row of the audit log.
pub(crate) async fn wholeness(app: &App, known: Option<&AuditHead>) -> Result<(Vec<String>, Option<AuditHead>), Problem> {
    let mut wrong = app.store().verify_audit(known).await?;
    wrong.extend(app.store().verify_decisions().await?);
    wrong.extend(app.store().verify_custody(false).await?);
    Ok((wrong, app.store().audit_head().await?))
}
