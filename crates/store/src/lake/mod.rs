//! The lake: conversations as Parquet, beside the database and readable without this program.
//!
//! ```text
//! lake/flows/day=2026-11-30/4f1c09d2a7b3e856-0000.parquet     what one trace said on that day (UTC, by its first packet)
//! ```
//! The groups of a file are sorted by session and time; it is packed with zstd and has the columns of [`columns`]: times as `TIMESTAMP(MICROS, UTC)`, texts as
//! plain UTF-8, what is not known as null. Its key–value metadata names the layout (`umbilical.flows`) and, of a merged one, the traces in it (`traces`). The
//! same trace written again takes the place of what it wrote before; a trace that breaks off leaves nothing.

mod batch;
mod columns;
mod compact;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::Duration;

use parquet::file::writer::SerializedFileWriter;
use umbilical_core::Day;
use umbilical_core::answer::watch::FlowRow;

use batch::Batch;
pub use columns::{COLUMNS, Column, Kind, LAYOUT};

use crate::store::private;

/// Rows that are held before they are written.
const HELD: usize = 1 << 18;
/// Files of a day from which they are merged.
const MANY: usize = 16;
/// Days that are written at once; beyond, the oldest is closed, and goes on in another file.
const OPEN: usize = 64;
/// What is being written belongs to somebody who is gone when nothing was added for so long.
const FORGOTTEN: Duration = Duration::from_secs(86_400);

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Conversations.
    pub rows: u64,
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The folder of conversations in a home.
pub fn folder(home: &Path) -> PathBuf {
    home.join("lake").join("flows")
}

/// A day of a trace that is being written.
struct Open {
    made: PathBuf,
    to: SerializedFileWriter<BufWriter<File>>,
    batch: Batch,
}

/// A trace that is being written. What it is called is known at its end.
pub struct Lake {
    folder: PathBuf,
    /// What its files are called until then.
    word: String,
    days: BTreeMap<Day, Open>,
    /// Days that were closed.
    closed: Vec<PathBuf>,
    held: usize,
    written: Written,
}

impl std::fmt::Debug for Lake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lake").field("folder", &self.folder).field("written", &self.written).finish_non_exhaustive()
    }
}

impl Lake {
    /// A trace that has no conversation yet; `word` tells it from others that are being written.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn create(home: &Path, word: &str) -> io::Result<Self> {
        let folder = folder(home);
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, word: word.to_owned(), days: BTreeMap::new(), closed: Vec::new(), held: 0, written: Written::default() })
    }

    /// Adds a conversation to the day on which it began.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn push(&mut self, row: &FlowRow<'_>) -> io::Result<()> {
        // Times outside of the calendar stand with the first day.
        let day = Day::from_unix(row.start.0.div_euclid(1_000_000)).unwrap_or(Day { year: 1970, month: 1, day: 1 });
        if let Some(open) = self.days.get_mut(&day) {
            open.batch.push(row);
        } else {
            if self.days.len() >= OPEN
                && let Some((_, open)) = self.days.pop_first()
            {
                self.close(open)?;
            }
            let folder = self.folder.join(format!("day={day}"));
            fs::create_dir_all(&folder)?;
            let made = folder.join(format!(".{}-{}.part", self.word, self.closed.len()));
            let out = BufWriter::new(File::create(&made)?);
            private(&made);
            let open = self.days.entry(day).or_insert(Open { made, to: batch::begin(out)?, batch: Batch::default() });
            open.batch.push(row);
        }
        self.held = self.held.saturating_add(1);
        self.written.rows = self.written.rows.saturating_add(1);
        if self.held >= HELD { self.write() } else { Ok(()) }
    }

    /// Ends the file of a day.
    fn close(&mut self, open: Open) -> io::Result<()> {
        // It is cleared away whatever becomes of it.
        self.closed.push(open.made);
        let mut to = open.to;
        open.batch.write(&mut to)?;
        let file = batch::end(to, "")?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        self.written.bytes = self.written.bytes.saturating_add(file.metadata()?.len());
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        for open in self.days.values_mut() {
            std::mem::take(&mut open.batch).write(&mut open.to)?;
        }
        self.held = 0;
        Ok(())
    }

    /// Puts everything into its place under the name of the trace (lower-case hex digits), where anything of the same trace goes that
    /// was there before. Where the trace is in a merged file already, nothing is written.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self, trace: &str) -> io::Result<Option<Written>> {
        while let Some((_, open)) = self.days.pop_first() {
            self.close(open)?;
        }
        let lock = locked(&self.folder)?;
        for day in days(&self.folder)? {
            tidy(&day)?;
        }
        if is_merged(&self.folder, trace)? {
            return Ok(None);
        }
        let mut old = of_trace(&self.folder, trace)?;
        self.written.files = self.closed.len() as u64;
        for (n, made) in std::mem::take(&mut self.closed).into_iter().enumerate() {
            let place = made.with_file_name(format!("{trace}-{n:04}.parquet"));
            if let Err(problem) = fs::rename(&made, &place) {
                let _ = fs::remove_file(&made);
                return Err(problem);
            }
            old.retain(|path| *path != place);
        }
        old.into_iter().try_for_each(fs::remove_file)?;
        for day in days(&self.folder)? {
            if files(&day)?.len() >= MANY {
                compact::day(&day)?;
            }
        }
        drop(lock);
        Ok(Some(self.written))
    }
}

/// Whoever puts files into their place or merges them is alone; who reads or writes a part of its own is not waited for.
fn locked(folder: &Path) -> io::Result<File> {
    let path = folder.with_file_name("flows.lock");
    let lock = File::create(&path)?;
    private(&path);
    lock.lock()?;
    Ok(lock)
}

/// Clears away what somebody left behind who was ended in the middle: files that are in a merged one already, and parts of long ago.
fn tidy(day: &Path) -> io::Result<()> {
    let all = files(day)?;
    let mut merged = Vec::new();
    for path in all.iter().filter(|p| name(p).starts_with(compact::MERGED)) {
        merged.extend(compact::traces(path)?);
    }
    for path in &all {
        if trace_of(path).is_some_and(|t| merged.iter().any(|m| m == t)) {
            fs::remove_file(path)?;
        }
    }
    for path in listed(day)?.iter().filter(|p| name(p).ends_with(".part")) {
        let age = path.metadata().and_then(|m| m.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > FORGOTTEN) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The trace of a file that holds one.
fn trace_of(path: &Path) -> Option<&str> {
    let (trace, part) = name(path).strip_suffix(".parquet")?.rsplit_once('-')?;
    (trace != compact::MERGED.trim_end_matches('-') && part.bytes().all(|b| b.is_ascii_digit())).then_some(trace)
}

impl Drop for Lake {
    fn drop(&mut self) {
        for made in self.days.values().map(|open| &open.made).chain(&self.closed) {
            let _ = fs::remove_file(made);
        }
    }
}

/// Whether a trace is in the lake among others, where it cannot be replaced.
fn is_merged(folder: &Path, trace: &str) -> io::Result<bool> {
    for day in days(folder)? {
        for path in files(&day)? {
            if name(&path).starts_with(compact::MERGED) && compact::traces(&path)?.iter().any(|t| t == trace) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Takes away the days before one; gives how many.
///
/// # Errors
/// Something cannot be taken away.
pub fn retain(home: &Path, from: Day) -> io::Result<u64> {
    let mut gone = 0_u64;
    if !folder(home).is_dir() {
        return Ok(gone);
    }
    let _lock = locked(&folder(home))?;
    for path in days(&folder(home))? {
        if name(&path).strip_prefix("day=").and_then(|d| d.parse::<Day>().ok()).is_some_and(|day| day < from) {
            fs::remove_dir_all(path)?;
            gone = gone.saturating_add(1);
        }
    }
    Ok(gone)
}

/// The last part of a path.
fn name(path: &Path) -> &str {
    path.file_name().and_then(|n| n.to_str()).unwrap_or_default()
}

/// What is in a folder, in order; nothing where there is none.
fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut out = match fs::read_dir(folder) {
        Ok(entries) => entries.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?,
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(problem) => return Err(problem),
    };
    out.sort();
    Ok(out)
}

fn days(folder: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(listed(folder)?.into_iter().filter(|p| name(p).starts_with("day=")).collect())
}

fn files(day: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(listed(day)?.into_iter().filter(|p| name(p).ends_with(".parquet") && !name(p).starts_with('.')).collect())
}

fn of_trace(folder: &Path, trace: &str) -> io::Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    for day in days(folder)? {
        out.extend(files(&day)?.into_iter().filter(|p| trace_of(p) == Some(trace)));
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
