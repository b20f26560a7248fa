//! Evidence comes in: kept as it came, read, stored with what was read; then the fleet is answered anew.
//!
//! Reading and assessing block, so they have threads of their own. One recompute runs at a time; uploads that come while it
//! runs, or shortly before it begins, share the next one.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value as Json, json};
use tokio::sync::Notify;
use umbilical_evidence::table::Mapping;
use umbilical_store::{By, Changes};

use crate::Problem;
use crate::app::App;
use crate::record::{self, Reading, Taken, Upload};

/// Imports that wait for a recompute.
#[derive(Default)]
pub struct Pipeline {
    waiting: Mutex<Vec<Waiting>>,
    /// Asked for without an import.
    anew: AtomicBool,
    wake: Notify,
    idle: Notify,
    running: Mutex<bool>,
    /// Uploads that are being read.
    taking: AtomicUsize,
}

/// An upload that is being read, until it is dropped.
struct Taking<'p>(&'p AtomicUsize);

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Waiting {
    job: i64,
    detail: Json,
}

/// Files, each with what a person said of its columns.
pub type Mapped = Vec<(Upload, Option<Arc<Mapping>>)>;

/// Takes files in under a job, and asks for a recompute where any of them is new. Returns when they are kept.
pub async fn take(app: &App, by: By<'_>, job: i64, uploads: Mapped) -> Result<Vec<Taken>, Problem> {
    let _under_way = app.pipeline().taking();
    let mut taken = Vec::new();
    app.store().set_job(job, "running", &json!({"step": "reading"}), by.at).await?;
    for (upload, mapping) in uploads {
        let reading = Reading { knowledge: Arc::clone(app.knowledge()), mapping };
        taken.extend(record::keep(app.store(), by, &reading, upload, false).await?);
    }
    let detail = json!({"files": taken});
    if taken.iter().all(|t| t.already) {
        // The same bytes again: nothing to answer anew.
        app.store().set_job(job, "done", &with(detail, "changes", Json::Null), app.now()).await?;
    } else {
        app.store().set_job(job, "running", &with(detail.clone(), "step", "answering".into()), app.now()).await?;
        app.pipeline().ask(Waiting { job, detail });
    }
    Ok(taken)
}

fn with(mut detail: Json, key: &str, value: Json) -> Json {
    if let Some(map) = detail.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
    detail
}

/// A name as a path below a folder of ours. Folders are kept, because they may name the device that a file is about; what
/// leads elsewhere is not.
pub fn relative(name: &str) -> PathBuf {
    let parts = name.split(['/', '\\']).map(segment).filter(|s| !s.is_empty());
    let mut parts: Vec<String> = parts.collect();
    // The last ones tell most.
    parts.drain(..parts.len().saturating_sub(8));
    if parts.is_empty() { PathBuf::from("upload") } else { parts.iter().collect() }
}

/// A name of a file or folder, without what steers; empty where nothing is left of it.
fn segment(name: &str) -> String {
    let base: String = name.chars().map(|c| if c.is_control() || c == ':' { '_' } else { c }).collect();
    // File systems take 255 bytes; nothing hidden is made.
    let base = base.trim().trim_start_matches('.');
    let end = base.char_indices().map(|(at, c)| at.saturating_add(c.len_utf8())).take_while(|end| *end <= 200).last().unwrap_or(0);
    let cut = base.get(..end).unwrap_or_default();
    if cut == "-" { "_".to_owned() } else { cut.to_owned() }
}

/// A folder for one upload, gone when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one under the home.
    pub async fn new(home: &Path) -> Result<Self, Problem> {
        let name = crate::secret::random()?;
        let path = home.join("uploads").join(name);
        let made = path.clone();
        let make = move || {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(&made)
        };
        tokio::task::spawn_blocking(make).await.map_err(Problem::internal)?.map_err(|e| no_room(&e))?;
        Ok(Self(path))
    }

    /// A place for file number `n`, in a folder of its own: two files may have one name.
    pub async fn place(&self, n: usize, name: &str) -> Result<Upload, Problem> {
        let (root, relative) = (self.0.join(n.to_string()), relative(name));
        let path = root.join(&relative);
        tokio::fs::create_dir_all(path.parent().unwrap_or(&root)).await.map_err(|e| no_room(&e))?;
        // Evidence is ordered by the name that is kept.
        let name = umbilical_core::text::clean(&relative.to_string_lossy().replace('\\', "/")).into_owned();
        Ok(Upload { root, path, name })
    }
}

/// Takes away what a program that was killed left of uploads on their way in: files whole, with every number in them.
pub fn sweep(home: &Path) {
    let path = home.join("uploads");
    match std::fs::remove_dir_all(&path) {
        Ok(()) => tracing::info!("uploads that were cut off have been taken away"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%error, "uploads that were cut off could not be taken away"),
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file that cannot be written.
pub fn no_room(error: &std::io::Error) -> Problem {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            Problem::new(axum::http::StatusCode::INSUFFICIENT_STORAGE, "no room is left on the server's disk for the upload")
        }
        _ => Problem::internal(error),
    }
}

impl Pipeline {
    fn taking(&self) -> Taking<'_> {
        self.taking.fetch_add(1, Ordering::SeqCst);
        Taking(&self.taking)
    }

    /// Whether nothing is read, waits or runs.
    pub fn is_idle(&self) -> bool {
        let busy = *self.running.lock().unwrap_or_else(PoisonError::into_inner) || self.anew.load(Ordering::SeqCst);
        let waits = !self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        !busy && !waits && self.taking.load(Ordering::SeqCst) == 0
    }

    fn ask(&self, import: Waiting) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(import);
        self.wake.notify_one();
    }

    /// Has the fleet answered anew though nothing came in.
    pub fn anew(&self) {
        self.anew.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// Waits until nothing waits or runs: for tests and for the end.
    pub async fn settled(&self) {
        loop {
            let idle = self.idle.notified();
            let busy = *self.running.lock().unwrap_or_else(PoisonError::into_inner);
            if !busy && !self.anew.load(Ordering::SeqCst) && self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                return;
            }
            idle.await;
        }
    }
}

/// Recomputes whenever it is asked to, for as long as the program runs.
pub async fn run(app: App) {
    let pipeline = app.pipeline();
    loop {
        pipeline.wake.notified().await;
        *pipeline.running.lock().unwrap_or_else(PoisonError::into_inner) = true;
        // Uploads come in bunches.
        tokio::time::sleep(std::time::Duration::from_millis(app.config().settle)).await;
        let imports = std::mem::take(&mut *pipeline.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let anew = pipeline.anew.swap(false, Ordering::SeqCst);
        if anew || !imports.is_empty() {
            let outcome = recompute(&app).await;
            if let Err(problem) = &outcome {
                tracing::error!(detail = problem.detail, "the fleet could not be answered anew");
            }
            for import in imports {
                let (state, detail) = match &outcome {
                    Ok(changes) => ("done", with(import.detail, "changes", shown(changes))),
                    Err(problem) => ("failed", with(import.detail, "failed", json!(problem.detail))),
                };
                if let Err(error) = app.store().set_job(import.job, state, &detail, app.now()).await {
                    tracing::error!(%error, job = import.job, "the end of an import could not be written down");
                }
            }
        }
        *pipeline.running.lock().unwrap_or_else(PoisonError::into_inner) = false;
        pipeline.idle.notify_waiters();
    }
}

/// What an answer changed, as jobs tell it: one summary, and no alert for each finding of a first import.
fn shown(changes: &Changes) -> Json {
    json!({
        "answer": changes.answer, "first": changes.first, "devices": changes.devices, "new": changes.new, "changed": changes.changed,
        "gone": changes.gone, "new_findings": changes.new_findings,
    })
}

/// Answers anew from everything that was observed.
pub async fn recompute(app: &App) -> Result<Changes, Problem> {
    let started = app.now();
    let judge = app.config().judge.clone();
    let by_itself = app.by_itself().who;
    let changes = record::answer(app.store(), app.knowledge(), judge, by_itself, || (app.now(), app.today())).await?;
    let ms = app.now().0.saturating_sub(started.0);
    tracing::info!(devices = changes.devices, new = changes.new, changed = changes.changed, gone = changes.gone, ms, "answered anew");
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere() {
        for (name, wanted) in [
            ("sims 2026.csv", "sims 2026.csv"),
            ("GW-7/at.txt", "GW-7/at.txt"),
            ("../../etc/passwd", "etc/passwd"),
            ("/etc/./passwd", "etc/passwd"),
            ("C:\\x\\y", "C_/x/y"),
            ("", "upload"),
            ("..", "upload"),
            ("-", "_"),
            (".hidden", "hidden"),
            ("a\0b\nc", "a_b_c"),
            ("<img src=x onerror=alert(1)>.csv", "<img src=x onerror=alert(1)>.csv"),
        ] {
            assert_eq!(relative(name), PathBuf::from(wanted), "{name:?}");
        }
        assert!(relative(&"😀".repeat(500)).as_os_str().len() <= 200);
        assert_eq!(relative(&"a/".repeat(500)).components().count(), 8);
    }
}
