//! Evidence comes in through a page: choose or drop files, see what became of each.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use umbilical_evidence::table::Mapping;
use umbilical_store::Job;

use super::{Head, page};
use crate::Problem;
use crate::api::{Arrived, Received, arrive, keep, seen};
use crate::app::App;
use crate::extract::Checked;
use crate::record::Taken;
use crate::staged::{Look, Staged};
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

/// Takes files. With the field `look` they wait for a second word, and the page of what was understood comes first; without it
/// they are kept at once.
pub async fn send(State(app): State<App>, who: Who, request: Request) -> Result<Response, Problem> {
    let Arrived { folder, uploads, fields } = arrive(&app, &who, None, request, true).await?;
    let Some(session) = who.session.as_ref().filter(|_| fields.iter().any(|f| f == "look")) else {
        let Received { job, .. } = keep(&app, &who, uploads.into_iter().map(|u| (u, None)).collect()).await?;
        return Ok(Redirect::to(&format!("/import/{job}")).into_response());
    };
    let (kb, at, whole, session) = (Arc::clone(app.knowledge()), app.now(), who.scope.subscribers, session.id.clone());
    let digests = tokio::task::spawn_blocking(move || uploads.into_iter().map(|u| (crate::record::digest(&u.path), u)).collect::<Vec<_>>());
    let mut known = Vec::new();
    for (digest, upload) in digests.await.map_err(Problem::internal)? {
        let digest = digest.map_err(Problem::internal)?;
        known.push((upload, app.store().mapping_of_bytes(&who.scope, &digest).await?));
    }
    let staged = tokio::task::spawn_blocking(move || Staged::new(&session, at, folder, known, &kb, whole));
    let staged = staged.await.map_err(Problem::internal)??;
    let place = format!("/import/staged/{}", staged.id);
    app.staged().put(staged, app.config().upload_limit.saturating_mul(2))?;
    Ok(Redirect::to(&place).into_response())
}

#[derive(Template)]
#[template(path = "staged.html")]
struct Preview {
    head: Head,
    action: String,
    looks: Vec<Look>,
    /// Files that were not looked into.
    others: Vec<String>,
    fields: Vec<&'static str>,
    said: bool,
}

fn gone() -> Problem {
    Problem::missing("this upload does not wait here any more: it was imported, cancelled, or nobody came back within an hour")
}

/// What was understood of an upload that waits.
pub async fn look(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let session = who.session.as_ref().map(|s| s.id.clone()).unwrap_or_default();
    let shown = app.staged().show(&id, &session, app.now(), |staged| Preview {
        head: Head::new("Look before you import", "/evidence", Some(&who)),
        action: format!("/import/staged/{}", staged.id),
        looks: staged.looks.clone(),
        others: staged.uploads.iter().skip(staged.looks.len()).map(|u| u.name.clone()).collect(),
        fields: Mapping::fields().filter(|f| *f != "ignore").collect(),
        said: staged.looks.iter().flat_map(|l| &l.columns).any(|c| !c.said.is_empty()),
    });
    Ok(page(StatusCode::OK, &shown.ok_or_else(gone)?))
}

/// Imports an upload that waits, looks again with other columns, or lets it go.
pub async fn decide(
    State(app): State<App>,
    who: Who,
    Path(id): Path<String>,
    Checked(sent): Checked<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let session = who.session.as_ref().map(|s| s.id.clone()).unwrap_or_default();
    let room = app.config().upload_limit.saturating_mul(2);
    let mut staged = app.staged().take(&id, &session, app.now()).ok_or_else(gone)?;
    let action = sent.iter().find(|(name, _)| name == "do").map(|(_, value)| value.as_str()).unwrap_or_default();
    if action == "cancel" {
        return Ok(Redirect::to("/import").into_response());
    }
    if !matches!(action, "look" | "import") {
        app.staged().put(staged, room)?;
        return Err(Problem::invalid("an upload is looked at again, imported or let go"));
    }
    if let Err(problem) = staged.say(&sent) {
        app.staged().put(staged, room)?;
        return Err(problem);
    }
    if action == "look" {
        let (kb, whole) = (Arc::clone(app.knowledge()), who.scope.subscribers);
        let looked = tokio::task::spawn_blocking(move || {
            let done = staged.again(&kb, whole);
            (staged, done)
        });
        let (staged, done) = looked.await.map_err(Problem::internal)?;
        app.staged().put(staged, room)?;
        done?;
        return Ok(Redirect::to(&format!("/import/staged/{id}")).into_response());
    }
    let kept = match staged.files() {
        Ok(files) => keep(&app, &who, files).await,
        Err(problem) => Err(problem),
    };
    match kept {
        Ok(Received { job, .. }) => Ok(Redirect::to(&format!("/import/{job}")).into_response()),
        // What could not be kept is not lost.
        Err(problem) => {
            app.staged().put(staged, room)?;
            Err(problem)
        }
    }
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
