//! Evidence packs of the store: artefacts, devices, findings and decisions under one manifest, for the command and the API alike.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tokio::runtime::Handle;
use umbilical_core::answer::Audit;
use umbilical_report::attest::Signer;
use umbilical_report::pack::{ARTEFACTS, CUSTODY, Packer};
use umbilical_store::query::Query;
use umbilical_store::{Evidence, Kept, Page, Scope, Sites, Store, StoreError};

/// Version of what a pack says of itself.
const SCHEMA: &str = "umbilical.pack/1";
/// Rows asked for at once.
const ROWS: u32 = 1000;
/// How files of lines on their way into a pack are called in the home.
const ASIDE: &str = "pack-";

/// Waits for the store, on a thread that may.
pub trait Wait {
    /// Waits for one answer.
    ///
    /// # Errors
    /// The store's.
    fn wait_for<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError>;
}

impl Wait for Handle {
    fn wait_for<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.block_on(answer)
    }
}

fn waited<W: Wait, T>(wait: &W, answer: impl Future<Output = Result<T, StoreError>>) -> io::Result<T> {
    wait.wait_for(answer).map_err(io::Error::other)
}

/// What a pack is made of.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// Where it is kept.
    pub store: &'a Store,
    /// For whose eyes.
    pub scope: &'a Scope,
    /// Which devices.
    pub query: &'a Query,
    /// Whether evidence that no device rests on belongs to it, too.
    pub whole: bool,
}

/// What is in a pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Devices.
    pub devices: u64,
    /// Artefacts with their bytes.
    pub artefacts: u64,
    /// Artefacts by their digests alone.
    pub left: u64,
}

/// A pack whose lines are written aside: a member begins with its length.
pub struct Prepared<'a, W> {
    source: Source<'a>,
    wait: &'a W,
    answer: Option<Audit>,
    devices: Aside,
    findings: Aside,
    decisions: Aside,
    named: BTreeSet<String>,
    count: u64,
}

impl<'a> Source<'a> {
    /// Writes devices, findings and decisions aside, to files of the home that are gone afterwards.
    ///
    /// # Errors
    /// The store's, and what writing says.
    pub fn prepare<W: Wait>(self, home: &Path, wait: &'a W) -> io::Result<Prepared<'a, W>> {
        let answer = waited(wait, self.store.answer(self.scope))?.map(|(_, audit)| audit);
        let mut out = Prepared {
            source: self,
            wait,
            answer,
            devices: Aside::new(home, "devices")?,
            findings: Aside::new(home, "findings")?,
            decisions: Aside::new(home, "decisions")?,
            named: BTreeSet::new(),
            count: 0,
        };
        let mut after: Option<String> = None;
        loop {
            let page = Page { after: after.as_deref(), limit: ROWS, sort: Some("id") };
            let listed = waited(wait, self.store.devices(self.scope, self.query, page))?;
            let ids: Vec<String> = listed.rows.iter().map(|r| r.id.clone()).collect();
            for kept in waited(wait, self.store.devices_whole(self.scope, &ids))? {
                out.device(kept)?;
            }
            after = listed.next;
            if after.is_none() {
                return Ok(out);
            }
        }
    }
}

impl<W: Wait> Prepared<'_, W> {
    fn device(&mut self, kept: Kept) -> io::Result<()> {
        let Source { store, scope, .. } = self.source;
        self.count = self.count.saturating_add(1);
        self.named.extend(kept.inputs.iter().map(|i| i.evidence.clone()));
        let inputs: Vec<_> = kept.inputs.iter().map(|i| json!({ "evidence": i.evidence, "path": i.path, "sha256": i.sha256 })).collect();
        let mut device = kept.device;
        let own = std::mem::take(&mut device.findings);
        self.devices.line(&json!({ "device": device, "inputs": inputs, "seen": kept.seen.to_string(), "since": kept.since.to_string(), "aliases": kept.aliases }))?;
        for finding in &own {
            self.findings.line(&json!(finding))?;
        }
        for subject in std::iter::once(&device.id).chain(own.iter().map(|f| &f.id)) {
            for d in waited(self.wait, store.decisions(scope, subject))? {
                let ends = d.expires.map(|t| t.to_string());
                self.decisions.line(&json!({ "subject": subject, "n": d.n, "at": d.at.to_string(), "who": d.who, "kind": d.kind, "value": d.value, "comment": d.comment, "expires": ends }))?;
            }
        }
        Ok(())
    }

    /// Writes the pack.
    ///
    /// # Errors
    /// The store's, and what writing says: what was begun is then no pack.
    pub fn write(mut self, to: &mut dyn Write, signer: Option<&Signer>) -> io::Result<Counts> {
        let mut packer = Packer::new(to);
        let mut custody = Vec::new();
        let (artefacts, left) = self.artefacts(&mut packer, &mut custody)?;
        packer.add(CUSTODY, custody.len() as u64, &custody[..])?;
        for (name, aside) in
            [("devices.jsonl", &mut self.devices), ("findings.jsonl", &mut self.findings), ("decisions.jsonl", &mut self.decisions)]
        {
            let (bytes, from) = aside.back()?;
            packer.add(name, bytes, from)?;
        }
        let head = self.answer.as_ref();
        let about = json!({
            "schema": SCHEMA,
            "program": env!("CARGO_PKG_VERSION"),
            "as_of": head.map(|h| &h.as_of),
            "knowledge": head.map(|h| &h.knowledge.version),
            "sources_to": head.map(|h| &h.knowledge.sources_to),
            "query": self.source.query.text(),
            "subscribers": if self.source.scope.subscribers { "whole" } else { "masked" },
            "devices": self.count,
        });
        packer.finish(&about, signer)?;
        Ok(Counts { devices: self.count, artefacts, left })
    }

    /// Adds artefacts and writes their rows: how many are in the pack, and how many by their digests alone.
    fn artefacts(&self, packer: &mut Packer<&mut dyn Write>, custody: &mut Vec<u8>) -> io::Result<(u64, u64)> {
        let Source { store, scope, whole, .. } = self.source;
        let (mut added, mut left) = (0u64, 0u64);
        let mut last: Option<String> = None;
        loop {
            let rows = waited(self.wait, store.evidence(scope, last.as_deref(), ROWS))?;
            let Some(end) = rows.last().map(|r| r.id.clone()) else { return Ok((added, left)) };
            for row in rows.iter().filter(|r| whole || self.named.contains(&r.id)) {
                // The bytes may speak of every site and every subscriber.
                let has = scope.subscribers && scope.sites == Sites::All && row.kept && !row.dropped.iter().any(|d| d == "bytes");
                if has {
                    packer.add(&format!("{ARTEFACTS}{}", row.sha256), row.bytes, Bytes::of(store, scope, &row.id, self.wait))?;
                    added = added.saturating_add(1);
                } else {
                    left = left.saturating_add(1);
                }
                serde_json::to_writer(&mut *custody, &custody_row(row, has))?;
                custody.push(b'\n');
            }
            last = Some(end);
        }
    }
}

fn custody_row(row: &Evidence, included: bool) -> Value {
    json!({
        "id": row.id,
        "sha256": row.sha256,
        "name": row.name,
        "format": row.format,
        "bytes": row.bytes,
        "collected_at": row.collected_at.map(|t| t.to_string()),
        "collected_by": row.collected_by,
        "received_at": row.received_at.to_string(),
        "received_by": row.received_by,
        "chain": row.chain,
        "included": included,
    })
}

/// The bytes of an artefact, chunk by chunk.
pub(crate) struct Bytes<'a, W> {
    store: &'a Store,
    scope: &'a Scope,
    id: &'a str,
    wait: &'a W,
    chunk: u64,
    held: io::Cursor<Vec<u8>>,
}

impl<'a, W: Wait> Bytes<'a, W> {
    /// From the first.
    pub fn of(store: &'a Store, scope: &'a Scope, id: &'a str, wait: &'a W) -> Self {
        Self { store, scope, id, wait, chunk: 0, held: io::Cursor::new(Vec::new()) }
    }
}

impl<W: Wait> Read for Bytes<'_, W> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.held.read(buf)?;
            if n > 0 || buf.is_empty() {
                return Ok(n);
            }
            match waited(self.wait, self.store.content(self.scope, self.id, self.chunk))? {
                None => return Ok(0),
                Some(bytes) => {
                    self.chunk = self.chunk.saturating_add(1);
                    self.held = io::Cursor::new(bytes);
                }
            }
        }
    }
}

/// Lines that are written aside, in a file of the home that is gone afterwards.
struct Aside {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Aside {
    fn new(folder: &Path, what: &str) -> io::Result<Self> {
        // A server writes several packs at a time.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{ASIDE}{what}.{}-{n}.part", std::process::id()));
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok(Self { path, file: BufWriter::new(file) })
    }

    fn line(&mut self, value: &Value) -> io::Result<()> {
        writeln!(self.file, "{value}")
    }

    /// Its length, and it from the beginning.
    fn back(&mut self) -> io::Result<(u64, &File)> {
        self.file.flush()?;
        let file = self.file.get_mut();
        let bytes = file.stream_position()?;
        file.seek(SeekFrom::Start(0))?;
        Ok((bytes, self.file.get_ref()))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Takes away what a server left that ended in the middle of a pack.
pub(crate) fn sweep(home: &Path) {
    let entries = fs::read_dir(home).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|n| n.starts_with(ASIDE) && n.ends_with(".part"));
        if ours {
            let _ = fs::remove_file(entry.path());
        }
    }
}
