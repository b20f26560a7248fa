//! Evidence comes in through a page: choose or drop files, see what became of each.

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use umbilical_store::Job;

use super::{Head, page};
use crate::Problem;
use crate::api::{Received, receive, seen};
use crate::app::App;
use crate::record::Taken;
use crate::who::Who;

#[derive(Template)]
#[template(path = "import.html")]
struct Import {
    head: Head,
    jobs: Vec<Shown>,
    limit: String,
}

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    head: Head,
    job: Shown,
    /// Whether its answer still stands.
    latest: bool,
}

/// A job as pages show it.
struct Shown {
    n: i64,
    state: String,
    who: String,
    created: String,
    files: Vec<Taken>,
    failed: Option<String>,
    changes: Option<Counts>,
    /// Names, while nothing was read yet.
    names: Vec<String>,
}

/// What an answer changed.
#[derive(serde::Deserialize)]
struct Counts {
    /// Number of the answer.
    answer: i64,
    first: bool,
    devices: u64,
    new: u64,
    changed: u64,
    gone: u64,
    new_findings: u64,
}

impl From<Job> for Shown {
    fn from(job: Job) -> Self {
        let get = |key: &str| job.detail.get(key).cloned().unwrap_or_default();
        Self {
            n: job.n,
            files: serde_json::from_value(get("files")).unwrap_or_default(),
            failed: serde_json::from_value(get("failed")).ok().flatten(),
            changes: serde_json::from_value(get("changes")).ok().flatten(),
            names: serde_json::from_value(get("names")).unwrap_or_default(),
            state: job.state,
            who: job.who,
            created: job.created.to_string(),
        }
    }
}

impl Shown {
    fn busy(&self) -> bool {
        matches!(self.state.as_str(), "waiting" | "running")
    }

    fn label(&self) -> String {
        let names: Vec<&str> = self.files.iter().map(|f| f.name.as_str()).chain(self.names.iter().map(String::as_str)).collect();
        match names.as_slice() {
            [] => "files".to_owned(),
            [one] => (*one).to_owned(),
            [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        }
    }
}

/// The page where files are chosen.
pub async fn import(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    let jobs = app.store().jobs(20).await?;
    let jobs = jobs.into_iter().filter(|j| j.kind == "import" && seen(&who, j)).map(Shown::from).collect();
    let limit = match app.config().upload_limit {
        n if n >= 1 << 30 => format!("{} GB", n >> 30),
        n => format!("{} MB", n >> 20),
    };
    Ok(page(StatusCode::OK, &Import { head: Head::new("Import", "/evidence", Some(&who)), jobs, limit }))
}

/// Takes files and leads to their job.
pub async fn send(State(app): State<App>, who: Who, request: Request) -> Result<Response, Problem> {
    let Received { job, .. } = receive(&app, &who, None, request, true).await?;
    Ok(Redirect::to(&format!("/import/{job}")).into_response())
}

/// What became of an import. The page asks again while it is under way.
pub async fn job(State(app): State<App>, who: Who, Path(n): Path<String>) -> Result<Response, Problem> {
    let missing = || Problem::missing("there is no such import");
    let job = app.store().job(n.parse().map_err(|_| missing())?).await?;
    if !seen(&who, &job) {
        return Err(missing());
    }
    let job = Shown::from(job);
    let last = app.store().answers(&who.scope, 1).await?.first().map(|a| a.n);
    let latest = job.changes.as_ref().is_some_and(|c| Some(c.answer) == last);
    let mut head = Head::new(format!("Import {}", job.n), "/evidence", Some(&who));
    head.refresh = if job.busy() { 1 } else { 0 };
    Ok(page(StatusCode::OK, &JobPage { head, job, latest }))
}
