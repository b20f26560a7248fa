//! What evidence goes through on its way into a store, whoever brings it: an upload to a server, or a command.
//!
//! Nothing here knows of a server: a command that ends calls the same.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use umbilical_assess::{Fleet, Options, bom};
use umbilical_core::number::{Shown, mask_numbers};
use umbilical_core::{Day, IdKind, Observations};
use umbilical_evidence::open::{self, OpenError};
use umbilical_evidence::table::Mapping;
use umbilical_evidence::{Purpose, open::understood};
use umbilical_knowledge::Knowledge;
use umbilical_store::{Answer, By, Changes, Content, NewEvidence, Store, StoreError, Time};
use utoipa::ToSchema;

use crate::app::{Judge, Judging};

/// Name and version of the readers, as evidence keeps it.
const READER: &str = concat!("umbilical ", env!("CARGO_PKG_VERSION"));
/// Problems of one file that an answer lists; the rest are counted.
const PROBLEMS: usize = 50;
/// How often an answer is begun again because another program's came in between.
const TRIES: usize = 5;

/// A file on its way in.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The folder of its own, below which it lies as it was called; empty where it lies where it was.
    pub root: PathBuf,
    /// Where it lies.
    pub path: PathBuf,
    /// What it is called.
    pub name: String,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Taken {
    /// Its name.
    pub name: String,
    /// The artefact, `evd-…`.
    pub evidence: String,
    /// Whether it was there already: then nothing was changed.
    pub already: bool,
    /// What the readers took it for; of an archive, what they found most.
    pub format: String,
    /// Files in it that a reader understood.
    pub understood: u64,
    /// Files in it.
    pub files: u64,
    /// Facts and identifiers that were read.
    pub observations: u64,
    /// How many things could not be understood.
    pub problem_count: u64,
    /// The first of them.
    pub problems: Vec<FileProblem>,
}

/// Something that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileProblem {
    /// The file.
    pub path: Option<String>,
    /// `line 7`.
    pub at: String,
    /// What, and what to do.
    pub what: String,
}

/// What keeps evidence or an answer from being kept.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Packs of rules, in words.
    #[error("{0}")]
    Law(String),
    /// A thread broke off.
    #[error("reading broke off: {0}")]
    Broke(#[from] tokio::task::JoinError),
}

/// How files are read.
#[derive(Clone)]
pub struct Reading {
    /// The facts.
    pub knowledge: Arc<Knowledge>,
    /// The user's column mapping, if any.
    pub mapping: Option<Arc<Mapping>>,
}

/// Reads a file and keeps it with what was read: all of it, or nothing. The same bytes again change nothing. With
/// `understood_only` what no reader understands is left where it is, and `None` is the answer.
pub async fn keep(
    store: &Store,
    by: By<'_>,
    reading: &Reading,
    upload: Upload,
    understood_only: bool,
) -> Result<Option<Taken>, RecordError> {
    let (how, at) = (reading.clone(), upload.clone());
    let read = tokio::task::spawn_blocking(move || read(&how, std::slice::from_ref(&at), Purpose::Fleet)).await??;
    if understood_only && !read.inputs.iter().any(understood) {
        return Ok(None);
    }
    let format = format_of(&read);
    let new = NewEvidence { name: &upload.name, format: &format, collected_at: None, collected_by: None, reader: READER };
    let mut import = store.import(by).await?;
    let mut received = import.add(&new, Content::File(&upload.path), &read).await?;
    if let Some(text) = reading.mapping.as_deref().map(Mapping::text) {
        // The same bytes with other words about their columns are read anew; what was read before stays.
        if received.already && import.mapping(&received.id).await?.as_deref() != Some(text) {
            import.reread(&received.id, READER, &read).await?;
            received.already = false;
        }
        if !received.already {
            import.set_mapping(&received.id, text).await?;
        }
    }
    import.commit().await?;
    Ok(Some(Taken {
        name: upload.name,
        evidence: received.id,
        already: received.already,
        understood: read.inputs.iter().filter(|i| understood(i)).count() as u64,
        files: read.inputs.len() as u64,
        observations: read.inputs.iter().map(|i| i.observations).sum(),
        problem_count: read.problems.len() as u64,
        problems: located(&read).collect(),
        format,
    }))
}

/// The first problems, with their places.
pub(crate) fn located(read: &Observations) -> impl Iterator<Item = FileProblem> {
    read.problems.iter().take(PROBLEMS).map(|p| FileProblem {
        path: p.input.and_then(|i| read.inputs.get(i as usize)).map(|i| i.path.clone()),
        at: read.locate(p.at),
        what: p.what.clone(),
    })
}

/// A value as it is shown: whole, or with the numbers of subscribers covered, also those that stand in a text.
pub(crate) fn covered(kind: Option<IdKind>, value: &str, whole: bool) -> String {
    match kind {
        _ if whole => value.to_owned(),
        Some(IdKind::Iccid | IdKind::Imsi | IdKind::Msisdn) => Shown(value).to_string(),
        _ => mask_numbers(value).into_owned(),
    }
}

/// SHA-256 of a file, in lower-case hex.
pub fn digest(path: &std::path::Path) -> std::io::Result<String> {
    use sha2::Digest as _;
    use std::io::Read as _;
    let (mut file, mut hash) = (std::fs::File::open(path)?, sha2::Sha256::new());
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = file.read(&mut buffer)?;
        let Some(part) = buffer.get(..n).filter(|p| !p.is_empty()) else { break };
        hash.update(part);
    }
    Ok(umbilical_core::id::hex(&hash.finalize()))
}

/// What it is: the format of its one file, or of the most of them.
pub(crate) fn format_of(read: &Observations) -> String {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for input in read.inputs.iter().filter(|i| understood(i)) {
        *counts.entry(&input.format).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(name, count)| (*count, std::cmp::Reverse(*name))).map_or("unknown", |(name, _)| name).to_owned()
}

/// Reads files together; each is called as it came.
pub(crate) fn read(how: &Reading, uploads: &[Upload], purpose: Purpose) -> Result<Observations, OpenError> {
    let mut all = Observations::new();
    let mapping = how.mapping.as_deref();
    let options = open::Options { knowledge: &how.knowledge, mapping, purpose, validate: false, threads: 1, progress: &|_| {} };
    let paths: Vec<PathBuf> = uploads.iter().map(|u| u.path.clone()).collect();
    open::read_paths(&paths, &options, &mut all)?;
    // That a mapping fits nothing is no fault of one file of many.
    all.problems.retain(|p| p.input.is_some());
    for upload in uploads.iter().filter(|u| !u.root.as_os_str().is_empty()) {
        // The folder is ours; the name is the file's.
        let above = format!("{}/", upload.root.display());
        for input in &mut all.inputs {
            if let Some(rest) = input.path.strip_prefix(&above) {
                input.path = rest.to_owned();
            }
        }
    }
    Ok(all)
}

/// Answers anew from everything that was observed, and replaces the answer that stands. Where another program's comes in
/// between, it is done once more. Needs a runtime of several threads.
pub async fn answer(
    store: &Store,
    knowledge: &Arc<Knowledge>,
    judge: Option<Judge>,
    by: &'static str,
    clock: impl Fn() -> (Time, Day),
) -> Result<Changes, RecordError> {
    for _ in 1..TRIES {
        match once(store, knowledge, judge.clone(), by, clock()).await {
            Err(RecordError::Store(StoreError::Conflict(_))) => {}
            other => return other,
        }
    }
    once(store, knowledge, judge, by, clock()).await
}

async fn once(
    store: &Store,
    knowledge: &Arc<Knowledge>,
    judge: Option<Judge>,
    who: &'static str,
    (at, as_of): (Time, Day),
) -> Result<Changes, RecordError> {
    let rebuilt = store.observations().await?;
    let (store, knowledge) = (store.clone(), Arc::clone(knowledge));
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut all = rebuilt.observations;
        // What a bill of materials declares is a device of the fleet like any other.
        bom::as_devices(&mut all, &knowledge, &bom::Options::on(as_of));
        let fleet = Fleet::new(&all, &knowledge, Options { as_of, show_subscribers: true });
        let mut audit = fleet.audit();
        let mut outcome = None;
        let mut answer = |law: Judging<'_>| {
            audit.law = law.stamp;
            let devices = fleet.devices().map(|mut device| {
                (law.each)(&mut device);
                device
            });
            let answer = Answer { audit: &audit, inputs: &rebuilt.inputs, findings: &[] };
            outcome = Some(runtime.block_on(store.replace_answer(By { who, at }, answer, devices)));
        };
        match &judge {
            Some(judge) => judge(as_of, &mut answer).map_err(RecordError::Law)?,
            None => answer(Judging { each: &mut |_| {}, stamp: None }),
        }
        Ok(outcome.ok_or_else(|| RecordError::Law("the rules were asked nothing".into()))??)
    })
    .await?
}
