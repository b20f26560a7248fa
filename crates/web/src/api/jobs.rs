//! Imports and what became of them.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use umbilical_store::Job;
use utoipa::ToSchema;

use crate::Problem;
use crate::api::json;
use crate::app::App;
use crate::who::Who;

/// A piece of long work.
#[derive(Serialize, ToSchema)]
pub struct JobOf {
    /// Its number.
    pub n: i64,
    /// `import`.
    pub kind: String,
    /// `waiting`, `running`, `done`, `failed`.
    pub state: String,
    /// Who began it.
    pub who: String,
    /// When.
    pub created: String,
    /// When its state last changed.
    pub changed: String,
    /// Files with their problems, and what the answer changed.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
}

impl From<Job> for JobOf {
    fn from(job: Job) -> Self {
        Self {
            n: job.n,
            kind: job.kind,
            state: job.state,
            who: job.who,
            created: job.created.to_string(),
            changed: job.changed.to_string(),
            detail: job.detail,
        }
    }
}

/// Whether somebody may see a job: it names files and counts of the whole fleet, so those who see some sites see their own.
pub(crate) fn seen(who: &Who, job: &Job) -> bool {
    who.sees_all() || job.who == who.name
}

/// The newest imports
#[utoipa::path(get, path = "/api/v1/jobs", tag = "evidence", responses((status = 200, body = [JobOf])))]
pub async fn list(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    let jobs = app.store().jobs(200).await?;
    Ok(json(&jobs.into_iter().filter(|j| seen(&who, j)).map(JobOf::from).collect::<Vec<_>>()))
}

/// One import: its state, its files with their problems, what it changed
#[utoipa::path(get, path = "/api/v1/jobs/{n}", tag = "evidence", params(("n" = i64, Path)), responses((status = 200, body = JobOf)))]
pub async fn one(State(app): State<App>, who: Who, Path(n): Path<String>) -> Result<Response, Problem> {
    let missing = || Problem::missing("there is no such job");
    let job = app.store().job(n.parse().map_err(|_| missing())?).await?;
    if seen(&who, &job) { Ok(json(&JobOf::from(job))) } else { Err(missing()) }
}
