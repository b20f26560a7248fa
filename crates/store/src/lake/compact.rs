//! Many small files of a day to few.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use sha2::{Digest as _, Sha256};
use umbilical_core::id::hex;

use super::batch::{self, Batch};
use super::columns::{COLUMNS, Cell};
use super::{files, name};
use crate::store::private;

/// How the names of merged files begin.
pub(super) const MERGED: &str = "merged-";
/// Rows of a merged file; files of half as many stay as they are.
const ROWS: u64 = 1 << 20;

fn other(error: ParquetError) -> io::Error {
    io::Error::other(error.to_string())
}

fn open(path: &Path) -> io::Result<SerializedFileReader<File>> {
    SerializedFileReader::new(File::open(path)?).map_err(|e| io::Error::other(format!("{}: {e}", path.display())))
}

/// The traces in a merged file.
pub(super) fn traces(path: &Path) -> io::Result<Vec<String>> {
    let reader = open(path)?;
    let stamps = reader.metadata().file_metadata().key_value_metadata();
    let traces = stamps.into_iter().flatten().find(|s| s.key == "traces").and_then(|s| s.value.as_deref()).unwrap_or_default();
    Ok(traces.split(',').filter(|t| !t.is_empty()).map(str::to_owned).collect())
}

/// Merges the small files of a day. A trace is merged with all of its files there or not at all, so that a name among those of a merged
/// file says that nothing of it stands elsewhere. A file that is no longer whole is left alone.
pub(super) fn day(folder: &Path) -> io::Result<()> {
    let mut small = Vec::new();
    let mut large = Vec::new();
    for path in files(folder)? {
        let rows = open(&path).ok().and_then(|r| u64::try_from(r.metadata().file_metadata().num_rows()).ok());
        match rows {
            Some(n) if n < ROWS / 2 => small.push((path, n)),
            _ => large.extend(super::trace_of(&path).map(str::to_owned)),
        }
    }
    small.retain(|(path, _)| super::trace_of(path).is_none_or(|t| !large.iter().any(|l| l == t)));
    let (mut group, mut rows) = (Vec::new(), 0_u64);
    for same in small.chunk_by(|(a, _), (b, _)| super::trace_of(a).is_some() && super::trace_of(a) == super::trace_of(b)) {
        let n = same.iter().fold(0_u64, |sum, (_, n)| sum.saturating_add(*n));
        if rows.saturating_add(n) > ROWS {
            merge(folder, &std::mem::take(&mut group))?;
            rows = 0;
        }
        rows = rows.saturating_add(n);
        group.extend(same.iter().map(|(path, _)| path.clone()));
    }
    merge(folder, &group)
}

fn merge(folder: &Path, paths: &[PathBuf]) -> io::Result<()> {
    if paths.len() < 2 {
        return Ok(());
    }
    let (mut rows, mut all, mut hash) = (Batch::default(), Vec::new(), Sha256::new());
    for path in paths {
        let reader = open(path)?;
        for row in reader.get_row_iter(None).map_err(other)? {
            let row = row.map_err(other)?;
            let cells = COLUMNS.iter().map(|c| {
                let field = row.get_column_iter().find(|(name, _)| *name == c.name).map(|(_, field)| field);
                (c, field)
            });
            rows.push_cells(cells.map(|(c, field)| cell(c.kind, field)));
        }
        match super::trace_of(path) {
            Some(trace) => all.push(trace.to_owned()),
            None => all.extend(traces(path)?),
        }
        hash.update(name(path).as_bytes());
    }
    all.sort();
    all.dedup();
    let digest = hex(&hash.finalize());
    let file = format!("{MERGED}{}.parquet", digest.get(..16).unwrap_or_default());
    let (made, place) = (folder.join(format!(".{file}.part")), folder.join(file));
    let written = (|| {
        let mut to = batch::begin(BufWriter::new(File::create(&made)?))?;
        private(&made);
        rows.write(&mut to)?;
        batch::end(to, &all.join(","))?.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    })();
    if let Err(problem) = written {
        let _ = fs::remove_file(&made);
        return Err(problem);
    }
    // Whoever reads between these sees rows twice, never too few.
    fs::rename(&made, &place)?;
    paths.iter().filter(|p| **p != place).try_for_each(fs::remove_file)
}

fn cell(kind: super::Kind, field: Option<&Field>) -> Cell<'_> {
    match (kind, field) {
        (super::Kind::Text, Some(Field::Str(text))) => Cell::Text(Some(text)),
        (super::Kind::Text, _) => Cell::Text(None),
        (super::Kind::Flag, Some(Field::Bool(b))) => Cell::Flag(Some(*b)),
        (super::Kind::Flag, _) => Cell::Flag(None),
        (_, Some(Field::Long(n) | Field::TimestampMicros(n))) => Cell::Int(Some(*n)),
        _ => Cell::Int(None),
    }
}
