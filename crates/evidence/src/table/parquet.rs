//! Parquet: tables as data lakes keep them, and what `export devices --format parquet` writes.
//!
//! **What it reads.** Every row, its columns under their names as those of any [table](super); uncompressed, Snappy and
//! Zstandard. Lists become cells with `; ` between their items, moments become dates, and columns inside columns have names
//! with a point.
//!
//! **When it is wrong.** The directory of a Parquet file stands at its end, so that it is held in memory: larger ones than
//! 256 MiB, or that unpack to more than 1 GiB, are not read.

use std::io;

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use umbilical_core::answer::rows::join;
use umbilical_core::{At, Observations};

use super::sheet::{MAX_COLUMNS, Sheet};
use crate::{Context, Head, Reader, Source};

/// The largest file that is read.
const MAX_FILE: u64 = 256 << 20;
/// The most that it may say it unpacks to.
const MAX_UNPACKED: u64 = 1 << 30;
/// The longest cell that is kept, in bytes.
const MAX_CELL: usize = 1 << 16;
/// Columns inside columns that are told apart.
const MAX_DEPTH: u8 = 4;

/// The reader of Parquet.
pub struct ParquetReader;

impl Reader for ParquetReader {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn about(&self) -> &'static str {
        "Parquet files, as data lakes keep tables and as this program exports devices."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        if head.bytes.starts_with(b"PAR1") { 100 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let Some(bytes) = source.all(MAX_FILE)? else {
            out.problem(At::WHOLE, "this Parquet file is larger than 256 MiB: split it, or export what counts as CSV");
            return Ok(());
        };
        if let Err(why) = rows(Bytes::from(bytes), cx, out) {
            out.problem(
                At::WHOLE,
                format!("the Parquet file breaks off here ({why}): compressed other than by Snappy or Zstandard, or damaged"),
            );
        }
        Ok(())
    }
}

fn rows(bytes: Bytes, cx: &Context<'_>, out: &mut Observations) -> Result<(), String> {
    let said = |error: parquet::errors::ParquetError| error.to_string();
    let reader = SerializedFileReader::new(bytes).map_err(said)?;
    let unpacked = reader.metadata().row_groups().iter().map(|g| u64::try_from(g.total_byte_size()).unwrap_or(u64::MAX));
    if unpacked.fold(0, u64::saturating_add) > MAX_UNPACKED {
        out.problem(At::WHOLE, "this Parquet file unpacks to more than 1 GiB: split it, or export what counts as CSV");
        return Ok(());
    }
    let mut sheet = Sheet::plain(cx, out);
    let mut heads: Vec<String> = Vec::new();
    let mut n = 1u32;
    for row in reader.get_row_iter(None).map_err(said)? {
        let row = row.map_err(said)?;
        let mut cells: Vec<(String, String)> = Vec::new();
        flatten("", &row, 0, &mut cells);
        if heads.is_empty() {
            heads = cells.iter().map(|(name, _)| name.clone()).collect();
            sheet.row(n, &heads, out);
        }
        n = n.saturating_add(1);
        let cells: Vec<String> = cells.into_iter().map(|(_, cell)| cell).collect();
        sheet.row(n, &cells, out);
    }
    if heads.is_empty() {
        out.problem(At::WHOLE, "a Parquet file without rows");
    }
    sheet.finish(out);
    Ok(())
}

fn flatten(path: &str, row: &Row, depth: u8, cells: &mut Vec<(String, String)>) {
    for (name, field) in row.get_column_iter() {
        if cells.len() >= MAX_COLUMNS {
            return;
        }
        let name = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match field {
            Field::Group(inner) if depth < MAX_DEPTH => flatten(&name, inner, depth.saturating_add(1), cells),
            field => cells.push((name, cell(field))),
        }
    }
}

fn cell(field: &Field) -> String {
    let mut text = match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => bytes.as_utf8().map(str::to_owned).unwrap_or_default(),
        Field::ListInternal(items) => join(items.elements().iter().map(cell).filter(|c| !c.is_empty())),
        // A float of whole digits is a number that a spreadsheet would have written.
        Field::Double(n) => {
            let mut slot = String::new();
            super::sheet::write_number(*n, &mut slot);
            slot
        }
        Field::TimestampMillis(_) | Field::TimestampMicros(_) | Field::Date(_) => {
            let shown = field.to_string();
            shown.split(' ').next().unwrap_or(&shown).to_owned()
        }
        Field::Group(_) | Field::MapInternal(_) => String::new(),
        field => field.to_string(),
    };
    if text.len() > MAX_CELL {
        text.truncate(text.floor_char_boundary(MAX_CELL));
    }
    text
}
