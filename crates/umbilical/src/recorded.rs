//! What `audit` read goes into the store of the home, where the home has one: then a server on the same home shows it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use umbilical_core::Day;
use umbilical_core::answer::policy::LawStamp;
use umbilical_evidence::open;
use umbilical_evidence::table::Mapping;
use umbilical_knowledge::Knowledge;
use umbilical_store::{By, Changes, Scope, Store};
use umbilical_web::Judge;
use umbilical_web::record::{self, Reading, RecordError, Upload};

use crate::args::Global;
use crate::fail::Fail;
use crate::{home, stored};

/// Who answers, as the server says of itself.
const ITSELF: &str = "umbilical";

/// What an audit was asked, as far as it decides what the store says from now on.
pub struct Asked<'a> {
    /// The files and folders.
    pub paths: &'a [PathBuf],
    /// How columns map to fields, if the user said so.
    pub mapping: Option<Mapping>,
    /// The facts.
    pub knowledge: Knowledge,
    /// Asks the packs that were named.
    pub judge: Option<Judge>,
    /// What the answer is stamped with.
    pub law: Option<&'a LawStamp>,
    /// The day of the answer.
    pub as_of: Day,
}

/// What became of the files.
#[derive(Default)]
struct Kept {
    new: u64,
    already: u64,
    /// Standard input, which is gone when it was read.
    streams: u64,
}

/// Keeps the files in the store, and says in a line what became of them; `None` where the home has no store.
pub fn keep(global: &Global, asked: Asked<'_>) -> Result<Option<String>, Fail> {
    let place = home::folder(global)?.join(home::STORE);
    if !place.is_file() {
        return Ok(None);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|source| Fail::Output { to: "the runtime".into(), source })?;
    runtime.block_on(async {
        let store = Store::open(&place.display().to_string(), stored::now()).await.map_err(stored::fail)?;
        let said = into(global, &store, asked).await;
        store.close().await;
        said.map(Some)
    })
}

async fn into(global: &Global, store: &Store, asked: Asked<'_>) -> Result<String, Fail> {
    let who = person();
    let reading = Reading { knowledge: Arc::new(asked.knowledge), mapping: asked.mapping.map(Arc::new) };
    let mut kept = Kept::default();
    for path in open::files(asked.paths)? {
        if path.as_os_str() == "-" {
            kept.streams = kept.streams.saturating_add(1);
            continue;
        }
        let upload = Upload { root: PathBuf::new(), name: name(&path), path };
        let by = By { who: &who, at: stored::now() };
        match record::keep(store, by, &reading, upload, true).await.map_err(fail)? {
            Some(taken) if taken.already => kept.already = kept.already.saturating_add(1),
            Some(_) => kept.new = kept.new.saturating_add(1),
            None => {}
        }
    }
    let mut said = format!("in the store of the home: {} new files, {} already there", kept.new, kept.already);
    if kept.streams > 0 {
        said.push_str("; standard input is not kept, a file is");
    }
    let behind = store.behind().await.map_err(stored::fail)?;
    let last = store.answer(&Scope::ALL).await.map_err(stored::fail)?;
    if !behind {
        return Ok(said);
    }
    // A question about another day, by other tables or by other law than the store's answer is no new answer of the store.
    let other_law = last.is_some_and(|(_, answer)| answer.law.as_ref() != asked.law);
    let what_if = asked.as_of != home::today() || global.knowledge.is_some() || asked.law.is_some_and(|l| !l.assumed.is_empty());
    if other_law || what_if {
        said.push_str("; its answer stays until `umbilical serve` answers anew, because this audit asked by another law, day or tables");
        return Ok(said);
    }
    let clock = || (stored::now(), home::today());
    let changes = record::answer(store, &reading.knowledge, asked.judge, ITSELF, clock).await.map_err(fail)?;
    let Changes { devices, new, changed, gone, .. } = changes;
    said.push_str(&format!("; answered anew: {devices} devices, {new} new, {changed} changed, {gone} gone"));
    Ok(said)
}

/// As inputs are called in the answer.
fn name(path: &Path) -> String {
    umbilical_core::text::clean(&path.to_string_lossy()).replace('\\', "/")
}

/// Who it was, by the name that the system gives.
pub fn person() -> String {
    let name = ["LOGNAME", "USER", "USERNAME"].into_iter().find_map(|v| std::env::var(v).ok().filter(|n| !n.trim().is_empty()));
    match name {
        Some(name) => format!("{} at the command line", umbilical_core::text::short(&umbilical_core::text::clean(&name), 80)),
        None => "command line".to_owned(),
    }
}

fn fail(problem: RecordError) -> Fail {
    Fail::Home { what: problem.to_string(), help: None }
}
