//! The lake: conversations as Parquet, beside the database and readable without this program.
//!
//! ```text
//! lake/flows/day=2026-11-30/4f1c…-0000.parquet     what one trace said on that day (UTC, by its first packet)
//! ```
//! A file is sorted by session and time, packed with zstd, and has the columns of [`columns`]: times as `TIMESTAMP(MICROS, UTC)`, texts as
//! plain UTF-8, what is not known as null. Its key–value metadata names the layout (`umbilical.flows`) and the traces in it (`traces`). The
//! same trace written again takes the place of what it wrote before; a trace that breaks off leaves nothing.

mod batch;
mod columns;
mod compact;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use umbilical_core::Day;
use umbilical_core::answer::watch::FlowRow;

use batch::Batch;
pub use columns::{COLUMNS, Column, Kind, LAYOUT};

use crate::store::private;

/// Rows that are held before they are written.
const HELD: usize = 1 << 18;
/// Files of a day from which they are merged.
const MANY: usize = 16;

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

/// A trace that is being written.
#[derive(Debug)]
pub struct Lake {
    folder: PathBuf,
    trace: String,
    days: BTreeMap<Day, Batch>,
    held: usize,
    /// Written, and not yet in its place.
    parts: Vec<(PathBuf, PathBuf)>,
    written: Written,
}

impl Lake {
    /// A trace with this name (lower-case hex digits) that has no conversation yet.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn create(home: &Path, trace: &str) -> io::Result<Self> {
        let folder = folder(home);
        fs::create_dir_all(&folder)?;
        let (parts, written) = (Vec::new(), Written::default());
        Ok(Self { folder, trace: trace.to_owned(), days: BTreeMap::new(), held: 0, parts, written })
    }

    /// Adds a conversation to the day on which it began.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn push(&mut self, row: &FlowRow<'_>) -> io::Result<()> {
        // Times outside of the calendar stand with the first day.
        let day = Day::from_unix(row.start.0.div_euclid(1_000_000)).unwrap_or(Day { year: 1970, month: 1, day: 1 });
        self.days.entry(day).or_default().push(row);
        self.held = self.held.saturating_add(1);
        self.written.rows = self.written.rows.saturating_add(1);
        if self.held >= HELD { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> io::Result<()> {
        for (day, batch) in std::mem::take(&mut self.days) {
            let folder = self.folder.join(format!("day={day}"));
            fs::create_dir_all(&folder)?;
            let name = format!("{}-{:04}.parquet", self.trace, self.parts.len());
            let (made, place) = (folder.join(format!(".{name}.part")), folder.join(&name));
            // It is cleared away whatever becomes of it.
            self.parts.push((made.clone(), place));
            let mut out = BufWriter::new(File::create(&made)?);
            private(&made);
            batch.write(&mut out, &self.trace)?;
            let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            self.written.bytes = self.written.bytes.saturating_add(file.metadata()?.len());
        }
        self.held = 0;
        Ok(())
    }

    /// Puts everything into its place, where anything of the same trace goes that was there before.
    ///
    /// # Errors
    /// It cannot be written: then nothing of it is there.
    pub fn finish(mut self) -> io::Result<Written> {
        self.write()?;
        let mut old = of_trace(&self.folder, &self.trace)?;
        self.written.files = self.parts.len() as u64;
        for (made, place) in std::mem::take(&mut self.parts) {
            fs::rename(&made, &place)?;
            old.retain(|path| *path != place);
        }
        for path in old {
            fs::remove_file(path)?;
        }
        for day in days(&self.folder)? {
            if files(&day)?.len() >= MANY {
                compact::day(&day)?;
            }
        }
        Ok(self.written)
    }
}

impl Drop for Lake {
    fn drop(&mut self) {
        for (made, _) in &self.parts {
            let _ = fs::remove_file(made);
        }
    }
}

/// Whether a trace is in the lake among others, where it cannot be replaced.
///
/// # Errors
/// The lake cannot be read.
pub fn is_merged(home: &Path, trace: &str) -> io::Result<bool> {
    for day in days(&folder(home))? {
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
        out.extend(files(&day)?.into_iter().filter(|p| name(p).strip_prefix(trace).is_some_and(|rest| rest.starts_with('-'))));
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
