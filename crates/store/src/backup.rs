//! Backups that either database reads: every row of ours in one compressed file, which proves itself whole at its end.
//!
//! The text inside is lines of JSON: a head, for each table its name and columns and then its rows as lists (bytes in base64
//! under `b`), and at the end the SHA-256 of everything before. A file without its end, or whose digest does not fit, is no
//! backup.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding as _};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use umbilical_core::id::hex;

use crate::db::bulk::Bulk;
use crate::db::{Row, Sql, Value, schema, sql};
use crate::store::Options;
use crate::{By, Store, StoreError, Time};

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupStamp {
    /// `umbilical.store-backup/1`.
    pub format: String,
    /// The schema of its rows.
    pub schema: i64,
    /// When it was made.
    pub at: Time,
}

/// A backup in the folder of backups, as its head has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupFile {
    /// Where it is.
    pub path: PathBuf,
    /// Length.
    pub bytes: u64,
    /// What it says of itself; `None` where even its head cannot be read. Whether it is whole [`verify_backup`] tells.
    pub stamp: Option<BackupStamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Head(BackupStamp),
    Table { name: String, columns: Vec<String> },
    Row(Vec<Json>),
    End { sha256: String, rows: u64 },
}

const FORMAT: &str = "umbilical.store-backup/1";
/// The ending of a backup's name.
const ENDING: &str = "umbilical-backup";
/// In seconds.
const DAY: u64 = 86_400;
/// No line of ours is longer: a chunk of a megabyte in base64 is less than two.
const LONGEST_LINE: u64 = 64 << 20;

/// Tables in the order in which they can be filled, with what their rows are ordered by.
const TABLES: &[(&str, &str)] = &[
    ("evidence", "n"),
    ("chunk", "evidence, n"),
    ("dropped", "evidence, what"),
    ("reading", "n"),
    ("input", "n"),
    ("unit", "reading, n"),
    ("fact", "reading, n"),
    ("signature", "reading, n"),
    ("record", "reading, n"),
    ("extra", "reading, n"),
    ("problem", "reading, n"),
    ("answer", "n"),
    ("change", "answer, device"),
    ("organisation", "id"),
    ("word", "n"),
    ("profile", "n"),
    ("profile_word", "word, profile"),
    ("device", "n"),
    ("device_doc", "device"),
    ("device_key", "value, kind, device"),
    ("device_evidence", "evidence, device"),
    ("alias", "id"),
    ("finding_kind", "n"),
    ("finding_body", "n"),
    ("finding", "n"),
    ("finding_tally", "kind, profile"),
    ("decision", "n"),
    ("decision_now", "subject, kind, folded"),
    ("person", "id"),
    ("session", "sha256"),
    ("token", "id"),
    ("view", "id"),
    ("setting", "name"),
    ("job", "n"),
    ("waiver", "n"),
    ("sink", "id"),
    ("outbox", "n"),
    ("outbox_head", "one"),
    ("undelivered", "sink, n"),
    ("trace", "n"),
    ("traffic_session", "trace, n"),
    ("traffic_hour", "trace, n"),
    ("traffic_finding", "trace, n"),
    ("incident", "n"),
    ("mute", "n"),
    ("audit", "n"),
    ("audit_head", "one"),
];

/// The tables of a backup.
#[cfg(test)]
pub(crate) fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|t| t.0)
}

/// Writes lines, and knows their digest.
struct Out<W: Write> {
    to: W,
    hash: Sha256,
    rows: u64,
}

impl<W: Write> Out<W> {
    fn line(&mut self, line: &Line) -> Result<(), std::io::Error> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.hash.update(&text);
        self.rows = self.rows.saturating_add(u64::from(matches!(line, Line::Row(_))));
        self.to.write_all(&text)
    }
}

fn cell(value: &Value) -> Json {
    match value {
        Value::Int(Some(n)) => json!(n),
        Value::Real(Some(n)) => json!({"r": n}),
        Value::Text(Some(t)) => json!(t),
        Value::Blob(Some(b)) => json!({"b": Base64::encode_string(b)}),
        _ => Json::Null,
    }
}

fn value(cell: Json) -> Result<Value, StoreError> {
    let bad = || StoreError::damaged("a value cannot be read");
    Ok(match cell {
        Json::Null => Value::Text(None),
        Json::String(text) => Value::Text(Some(text)),
        Json::Number(n) => Value::Int(Some(n.as_i64().ok_or_else(bad)?)),
        Json::Object(map) => match (map.get("b").and_then(Json::as_str), map.get("r").and_then(Json::as_f64)) {
            (Some(text), _) => Value::Blob(Some(Base64::decode_vec(text).map_err(|_| bad())?)),
            (_, Some(n)) => Value::Real(Some(n)),
            _ => return Err(bad()),
        },
        _ => return Err(bad()),
    })
}

impl Store {
    /// Writes everything that is committed now to a new file in the folder of backups, reads it back, and only then takes away
    /// all but the newest `keep` of the older ones. Work goes on meanwhile.
    pub async fn backup(&self, by: By<'_>, keep: usize) -> Result<PathBuf, StoreError> {
        let folder = self.backups().ok_or_else(|| StoreError::Invalid("no folder for backups was named".into()))?.to_path_buf();
        std::fs::create_dir_all(&folder).map_err(|e| StoreError::file(&folder, e))?;
        halves(&folder);
        let name: String = by.at.to_string().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let path = folder.join(format!("{name}.{ENDING}"));
        self.backup_to(&path, by.at).await?;
        let mut all = backups(&folder);
        all.truncate(all.len().saturating_sub(keep.max(1)));
        for old in all {
            std::fs::remove_file(&old).map_err(|e| StoreError::file(&old, e))?;
        }
        self.audit(by, "backup", &path.display().to_string(), &json!({})).await?;
        Ok(path)
    }

    /// What is in the folder of backups, the newest first; none where there is no such folder.
    pub fn backup_files(&self) -> Vec<BackupFile> {
        let read = |path: PathBuf| BackupFile {
            bytes: std::fs::metadata(&path).map_or(0, |m| m.len()),
            stamp: Lines::open(&path).and_then(|mut lines| lines.next()).ok().flatten().and_then(|line| match line {
                Line::Head(stamp) => Some(stamp),
                _ => None,
            }),
            path,
        };
        self.backups().map(backups).unwrap_or_default().into_iter().rev().map(read).collect()
    }

    /// Writes everything that is committed now to a file, and reads it back. A file of that name is replaced by a whole one.
    pub async fn backup_to(&self, path: &Path, now: Time) -> Result<(), StoreError> {
        let half = path.with_extension("half");
        let file = new_file(&half).map_err(|e| StoreError::file(&half, e))?;
        let done = self.dump(file, now).await.map_err(|e| match e {
            Dump::Store(e) => e,
            Dump::File(e) => StoreError::file(&half, e),
        });
        if let Err(e) = done.and_then(|()| verify_backup(&half).map(|_| ())) {
            let _ = std::fs::remove_file(&half);
            return Err(e);
        }
        std::fs::rename(&half, path).map_err(|e| StoreError::file(path, e))
    }

    async fn dump(&self, file: File, now: Time) -> Result<(), Dump> {
        let mut tx = self.db().read().await?;
        let schema = schema::version(&mut tx).await?;
        let mut out = Out { to: GzEncoder::new(BufWriter::new(file), Compression::fast()), hash: Sha256::new(), rows: 0 };
        out.line(&Line::Head(BackupStamp { format: FORMAT.into(), schema, at: now }))?;
        for (name, order) in TABLES {
            let ask = Sql::new(&format!("SELECT * FROM {name} ORDER BY {order}"));
            let mut begun = false;
            let mut failed = Ok(());
            tx.each(ask, &mut |columns: &dyn Fn() -> Vec<String>, row: Row| {
                if !std::mem::replace(&mut begun, true) {
                    failed = out.line(&Line::Table { name: (*name).to_owned(), columns: columns() });
                }
                if failed.is_ok() {
                    failed = out.line(&Line::Row(row.0.iter().map(cell).collect()));
                }
                failed.is_ok()
            })
            .await?;
            failed?;
        }
        let (sha256, rows) = (hex(&out.hash.clone().finalize()), out.rows);
        out.line(&Line::End { sha256, rows })?;
        let file = out.to.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(())
    }

    /// Makes a new store of a backup: `options.place` must hold none. Of a file that is not whole nothing is left.
    pub async fn restore(backup: &Path, options: Options, by: By<'_>) -> Result<Self, StoreError> {
        let stamp = verify_backup(backup)?;
        let path = (!options.place.contains("://")).then(|| PathBuf::from(&options.place));
        if path.as_ref().is_some_and(|p| p.exists()) {
            return Err(StoreError::Conflict(format!("{} is there already: restore to a new file", options.place)));
        }
        let store = Self::open_at(options.clone(), stamp.schema, by.at).await?;
        // The head of a log that was here before is of another log.
        if let Some(head) = store.head_file().filter(|head| path.is_some() && head.is_file()) {
            std::fs::remove_file(head).map_err(|e| StoreError::file(head, e))?;
        }
        let filled = store.fill(backup).await.map_err(|e| of_file(backup, e));
        store.close().await;
        if let Err(e) = filled {
            path.iter().for_each(|p| drop(std::fs::remove_file(p)));
            return Err(e);
        }
        let store = Self::open_with(options, by.at).await?;
        let detail = json!({"schema": stamp.schema, "made": stamp.at.to_string()});
        store.audit(by, "restore", &backup.display().to_string(), &detail).await?;
        Ok(store)
    }

    async fn fill(&self, backup: &Path) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        for (table, _) in TABLES {
            if tx.number(Sql::new(&format!("SELECT COUNT(*) FROM (SELECT 1 FROM {table} LIMIT 1) x"))).await? > 0 {
                return Err(StoreError::Conflict("the database holds records already: restore to an empty one".into()));
            }
        }
        let mut lines = Lines::open(backup)?;
        let mut bulk: Option<Bulk> = None;
        while let Some(line) = lines.next()? {
            match line {
                Line::Head(_) => {}
                Line::Table { name, columns } => {
                    if let Some(mut full) = bulk.take() {
                        full.flush(&mut tx).await?;
                    }
                    let known = TABLES.iter().find(|(t, _)| *t == name).map(|t| t.0);
                    let known = known.ok_or_else(|| StoreError::damaged("it holds a table that is not ours"))?;
                    if columns.iter().any(|c| c.is_empty() || !c.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
                    {
                        return Err(StoreError::damaged("it holds a column that is not ours"));
                    }
                    bulk = Some(Bulk::of(known, columns));
                }
                Line::Row(cells) => {
                    let row = cells.into_iter().map(value).collect::<Result<Vec<_>, _>>()?;
                    let bulk = bulk.as_mut().ok_or_else(|| StoreError::damaged("it holds a row without a table"))?;
                    bulk.push_row(&mut tx, row).await?;
                }
                Line::End { .. } => break,
            }
        }
        if let Some(mut full) = bulk {
            full.flush(&mut tx).await?;
        }
        let head = tx.first(sql!("SELECT n, chain FROM audit_head")).await?;
        match head {
            Some(row) => {
                let head = crate::AuditHead { n: row.count(0)?, chain: row.owned(1)? };
                self.commit(tx, &head).await
            }
            None => tx.commit().await,
        }
    }
}

enum Dump {
    Store(StoreError),
    File(std::io::Error),
}

impl From<StoreError> for Dump {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

impl From<std::io::Error> for Dump {
    fn from(e: std::io::Error) -> Self {
        Self::File(e)
    }
}

/// For its owner alone: it holds everything.
fn new_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The lines of a backup, one at a time.
struct Lines {
    from: BufReader<GzDecoder<BufReader<File>>>,
    hash: Sha256,
    rows: u64,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(|e| StoreError::file(path, e))?;
        Ok(Self { from: BufReader::with_capacity(1 << 16, GzDecoder::new(BufReader::new(file))), hash: Sha256::new(), rows: 0 })
    }

    fn next(&mut self) -> Result<Option<Line>, StoreError> {
        let bad = |what: &str| StoreError::damaged(what);
        let mut text = Vec::new();
        let read = self.from.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut text).map_err(|e| bad(&e.to_string()))?;
        if read == 0 {
            return Ok(None);
        }
        let line: Line = serde_json::from_slice(&text).map_err(|e| bad(&e.to_string()))?;
        match &line {
            Line::End { sha256, rows } if *sha256 != hex(&self.hash.clone().finalize()) || *rows != self.rows => {
                return Err(bad("its digest does not fit"));
            }
            Line::Row(_) => self.rows = self.rows.saturating_add(1),
            _ => {}
        }
        self.hash.update(&text);
        Ok(Some(line))
    }
}

/// What is wrong with a file is not wrong with the database.
fn of_file(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Damaged { what, .. } => StoreError::Backup { path: path.to_path_buf(), what },
        other => other,
    }
}

/// Reads a backup to its end: it is whole, or this fails.
pub fn verify_backup(path: &Path) -> Result<BackupStamp, StoreError> {
    whole(path).map_err(|e| of_file(path, e))
}

fn whole(path: &Path) -> Result<BackupStamp, StoreError> {
    let mut lines = Lines::open(path)?;
    let stamp = match lines.next()? {
        Some(Line::Head(stamp)) if stamp.format == FORMAT => stamp,
        _ => return Err(StoreError::damaged("it does not begin as a backup of a store does")),
    };
    if stamp.schema > schema::NEWEST {
        return Err(StoreError::Newer { found: stamp.schema, known: schema::NEWEST });
    }
    loop {
        match lines.next()? {
            Some(Line::End { .. }) => break,
            Some(_) => {}
            None => return Err(StoreError::damaged("its end is missing")),
        }
    }
    match lines.next()? {
        None => Ok(stamp),
        Some(_) => Err(StoreError::damaged("something stands behind its end")),
    }
}

/// The backups of a folder, the oldest first.
fn backups(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|e| e.path());
    let mut all: Vec<PathBuf> = entries.filter(|p| p.extension().is_some_and(|e| e == ENDING)).collect();
    all.sort();
    all
}

/// Takes away what was begun and never finished: a program that is killed leaves half a file. One that somebody else is writing to
/// is younger.
fn halves(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let old = |e: &std::fs::DirEntry| e.metadata().and_then(|m| m.modified()).is_ok_and(|t| t.elapsed().is_ok_and(|d| d.as_secs() > DAY));
    for half in entries.filter(|e| e.path().extension().is_some_and(|x| x == "half")).filter(old) {
        let _ = std::fs::remove_file(half.path());
    }
}

/// The newest backup of a folder that is whole.
pub fn last_good(folder: &Path) -> Option<PathBuf> {
    backups(folder).into_iter().rev().find(|path| verify_backup(path).is_ok())
}
