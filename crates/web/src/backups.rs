//! Backups by the server: on request, and by a schedule that is a setting.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::json;
use umbilical_store::{BackupFile, By, Time, verify_backup};
use utoipa::ToSchema;

use crate::Problem;
use crate::app::App;

/// The setting.
pub const SETTING: &str = "backups";
/// How many are kept where nothing is said.
pub const KEEP: usize = 7;
/// After one that failed the next is tried so many milliseconds later.
const AGAIN: i64 = 15 * 60_000;

/// When backups are made, and how many are kept.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Hours from one to the next.
    pub every_hours: u32,
    /// How many of the newest stay.
    pub keep: u32,
}

impl Schedule {
    /// Refuses what nobody means.
    pub fn check(self) -> Result<Self, Problem> {
        if !(1..=24 * 31).contains(&self.every_hours) {
            return Err(Problem::at("every_hours", "backups are 1 to 744 hours apart"));
        }
        if !(1..=1000).contains(&self.keep) {
            return Err(Problem::at("keep", "1 to 1000 backups are kept"));
        }
        Ok(self)
    }
}

/// What is remembered of backups.
#[derive(Default)]
pub struct Backups {
    /// Held while one is made.
    making: tokio::sync::Mutex<()>,
    /// Whether a file is whole, by its length and when it was changed: reading one takes seconds.
    read: Mutex<HashMap<PathBuf, Looked>>,
    /// When one failed last.
    failed: Mutex<Option<Time>>,
}

/// Length and time of a file when it was read, and whether it was whole.
type Looked = (u64, Option<SystemTime>, bool);

/// A backup as it is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BackupOf {
    /// Its file.
    pub name: String,
    /// When it was made, as it says itself.
    pub at: Option<String>,
    /// Length.
    pub bytes: u64,
    /// The schema of its rows.
    pub schema: Option<i64>,
    /// Whether it was read to its end and fits its digest.
    pub verified: bool,
}

/// The schedule, where one is set.
pub async fn schedule(app: &App) -> Result<Option<Schedule>, Problem> {
    let value = app.store().setting(SETTING).await?.filter(|v| !v.is_null());
    value.map(serde_json::from_value).transpose().map_err(Problem::internal)
}

/// What is in the folder, the newest first. Each file is read to its end once.
pub async fn list(app: &App) -> Result<Vec<BackupOf>, Problem> {
    let app = app.clone();
    let read = move || {
        let shown = |file: BackupFile| BackupOf {
            name: file.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            at: file.stamp.as_ref().map(|s| s.at.to_string()),
            bytes: file.bytes,
            schema: file.stamp.as_ref().map(|s| s.schema),
            verified: whole(&app, &file),
        };
        app.store().backup_files().into_iter().map(shown).collect()
    };
    tokio::task::spawn_blocking(read).await.map_err(Problem::internal)
}

fn whole(app: &App, file: &BackupFile) -> bool {
    let changed = std::fs::metadata(&file.path).and_then(|m| m.modified()).ok();
    let known = &app.backups().read;
    if let Some((bytes, at, whole)) = known.lock().unwrap_or_else(PoisonError::into_inner).get(&file.path)
        && (*bytes, *at) == (file.bytes, changed)
    {
        return *whole;
    }
    let whole = file.stamp.is_some() && verify_backup(&file.path).is_ok();
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|path, _| path.exists());
    known.insert(file.path.clone(), (file.bytes, changed, whole));
    whole
}

/// Begins one and gives the number of its job; it is made meanwhile.
pub async fn begin(app: &App, by: By<'_>) -> Result<i64, Problem> {
    if app.backups().making.try_lock().is_err() {
        return Err(Problem::new(axum::http::StatusCode::CONFLICT, "a backup is being made already"));
    }
    let keep = schedule(app).await?.map_or(KEEP, |s| s.keep as usize);
    let job = app.store().begin_job(by, "backup", &json!({})).await?;
    let (app, who) = (app.clone(), by.who.to_owned());
    tokio::spawn(async move {
        let (state, detail) = match make(&app, By { who: &who, at: app.now() }, keep).await {
            Ok(name) => ("done", json!({"backup": name})),
            Err(problem) => ("failed", json!({"failed": problem.detail})),
        };
        if let Err(error) = app.store().set_job(job, state, &detail, app.now()).await {
            tracing::error!(%error, job, "the end of a backup could not be written down");
        }
    });
    Ok(job)
}

async fn make(app: &App, by: By<'_>, keep: usize) -> Result<String, Problem> {
    let _one = app.backups().making.lock().await;
    let made = app.store().backup(by, keep).await;
    *app.backups().failed.lock().unwrap_or_else(PoisonError::into_inner) = made.is_err().then_some(by.at);
    let path = made?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    tracing::info!(name, "backup");
    Ok(name)
}

/// Makes one where the schedule wants it. Only one that is whole counts.
pub async fn due(app: &App) -> Result<(), Problem> {
    let Some(schedule) = schedule(app).await? else { return Ok(()) };
    let now = app.now();
    let waits = *app.backups().failed.lock().unwrap_or_else(PoisonError::into_inner);
    if waits.is_some_and(|t| now.0.saturating_sub(t.0) < AGAIN) {
        return Ok(());
    }
    let last = {
        let app = app.clone();
        let newest = move || app.store().backup_files().into_iter().find(|f| whole(&app, f)).and_then(|f| f.stamp).map(|s| s.at);
        tokio::task::spawn_blocking(newest).await.map_err(Problem::internal)?
    };
    let every = i64::from(schedule.every_hours).saturating_mul(3_600_000);
    if last.is_some_and(|t| now.0.saturating_sub(t.0) < every) {
        return Ok(());
    }
    make(app, app.by_itself(), schedule.keep as usize).await.map(|_| ())
}
