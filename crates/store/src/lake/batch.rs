//! Rows by column, sorted and written as one file.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;
use umbilical_core::answer::watch::FlowRow;

use super::columns::{COLUMNS, Cell, Kind, LAYOUT};

/// Rows of a group: enough for a scan to be quick, few enough to skip most of a day.
const GROUP: usize = 1 << 17;

/// The values of a column; what is absent has no place in `values`.
#[derive(Debug)]
enum Values {
    /// One text behind the other, and where each ends.
    Text {
        bytes: String,
        ends: Vec<Option<(u32, u32)>>,
    },
    Int(Vec<Option<i64>>),
    Flag(Vec<Option<bool>>),
}

/// Rows that are to be written.
#[derive(Debug)]
pub(super) struct Batch {
    columns: Vec<Values>,
    rows: usize,
}

impl Default for Batch {
    fn default() -> Self {
        let of = |kind: Kind| match kind {
            Kind::Text => Values::Text { bytes: String::new(), ends: Vec::new() },
            Kind::Int | Kind::Time => Values::Int(Vec::new()),
            Kind::Flag => Values::Flag(Vec::new()),
        };
        Self { columns: COLUMNS.iter().map(|c| of(c.kind)).collect(), rows: 0 }
    }
}

fn other(error: ParquetError) -> io::Error {
    io::Error::other(error.to_string())
}

impl Batch {
    pub(super) fn push(&mut self, row: &FlowRow<'_>) {
        self.push_cells(COLUMNS.iter().map(|column| (column.of)(row)));
    }

    /// The cells of a row in the order of the columns.
    pub(super) fn push_cells<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>) {
        for (cell, to) in cells.zip(&mut self.columns) {
            to.push(&cell);
        }
        self.rows = self.rows.saturating_add(1);
    }

    /// Writes all of it, sorted by session and time.
    pub(super) fn write<W: Write + Send>(self, to: &mut SerializedFileWriter<W>) -> io::Result<()> {
        let order = self.order();
        // A column's texts are shared by its groups.
        let columns: Vec<Column> = self.columns.into_iter().map(Column::from).collect();
        for rows in order.chunks(GROUP) {
            let mut group = to.next_row_group().map_err(other)?;
            for column in &columns {
                let Some(writer) = group.next_column().map_err(other)? else { break };
                column.write(rows, writer).map_err(other)?;
            }
            group.close().map_err(other)?;
        }
        Ok(())
    }

    fn order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..u32::try_from(self.rows).unwrap_or(u32::MAX)).collect();
        if let [Values::Text { bytes, ends }, Values::Int(starts), ..] = self.columns.as_slice() {
            let session = |n: u32| ends.get(n as usize).copied().flatten().and_then(|(a, b)| bytes.get(a as usize..b as usize));
            let start = |n: u32| starts.get(n as usize).copied().flatten();
            // What is equal stays in the order in which it ended.
            order.sort_by(|a, b| session(*a).cmp(&session(*b)).then_with(|| start(*a).cmp(&start(*b))));
        }
        order
    }
}

impl Values {
    fn push(&mut self, cell: &Cell<'_>) {
        match (self, cell) {
            (Self::Text { bytes, ends }, Cell::Text(Some(text))) => {
                let from = bytes.len();
                bytes.push_str(text);
                ends.push(range(from, bytes.len()));
            }
            (Self::Text { bytes, ends }, Cell::Addr(addr)) => {
                let from = bytes.len();
                let _ = write!(bytes, "{addr}");
                ends.push(range(from, bytes.len()));
            }
            (Self::Text { ends, .. }, _) => ends.push(None),
            (Self::Int(values), Cell::Int(n)) => values.push(*n),
            (Self::Int(values), _) => values.push(None),
            (Self::Flag(values), Cell::Flag(b)) => values.push(*b),
            (Self::Flag(values), _) => values.push(None),
        }
    }
}

/// `None` where there are four gigabytes of text: a batch has far less.
fn range(from: usize, to: usize) -> Option<(u32, u32)> {
    Some((u32::try_from(from).ok()?, u32::try_from(to).ok()?))
}

/// A column that is whole.
enum Column {
    Text(Bytes, Vec<Option<(u32, u32)>>),
    Int(Vec<Option<i64>>),
    Flag(Vec<Option<bool>>),
}

impl From<Values> for Column {
    fn from(values: Values) -> Self {
        match values {
            Values::Text { bytes, ends } => Self::Text(Bytes::from(bytes.into_bytes()), ends),
            Values::Int(values) => Self::Int(values),
            Values::Flag(values) => Self::Flag(values),
        }
    }
}

impl Column {
    fn write(&self, rows: &[u32], mut to: SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        match self {
            Self::Text(bytes, ends) => {
                let (levels, values) = picked(rows, ends);
                let text = |(a, b): (u32, u32)| {
                    let range = a as usize..b as usize;
                    ByteArray::from(if range.end <= bytes.len() { bytes.slice(range) } else { Bytes::new() })
                };
                let values: Vec<ByteArray> = values.into_iter().map(text).collect();
                to.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
            }
            Self::Int(values) => {
                let (levels, values) = picked(rows, values);
                to.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
            }
            Self::Flag(values) => {
                let (levels, values) = picked(rows, values);
                to.typed::<BoolType>().write_batch(&values, Some(&levels), None)?;
            }
        }
        to.close()
    }
}

/// Which of the rows have a value, and their values.
fn picked<T: Copy>(rows: &[u32], values: &[Option<T>]) -> (Vec<i16>, Vec<T>) {
    let of = |n: &u32| values.get(*n as usize).copied().flatten();
    (rows.iter().map(|n| i16::from(of(n).is_some())).collect(), rows.iter().filter_map(of).collect())
}

fn schema() -> Result<Type, ParquetError> {
    let field = |name: &str, kind: Kind| {
        let of = |physical| Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        let field = match kind {
            Kind::Text => of(Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::String)).with_converted_type(ConvertedType::UTF8),
            Kind::Int => of(Physical::INT64),
            Kind::Time => of(Physical::INT64).with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
            Kind::Flag => of(Physical::BOOLEAN),
        };
        field.build().map(Arc::new)
    };
    let fields = COLUMNS.iter().map(|c| field(c.name, c.kind)).collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("umbilical_flows").with_fields(fields).build()
}

/// A file without rows.
pub(super) fn begin<W: Write + Send>(out: W) -> io::Result<SerializedFileWriter<W>> {
    let properties = WriterProperties::builder()
        // The library's own mark would change the bytes with its version.
        .set_created_by("umbilical".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(other)?))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    SerializedFileWriter::new(out, Arc::new(schema().map_err(other)?), Arc::new(properties.build())).map_err(other)
}

/// Ends a file with the traces that are in it.
pub(super) fn end<W: Write + Send>(mut to: SerializedFileWriter<W>, traces: &str) -> io::Result<W> {
    for (key, value) in [("umbilical.flows", LAYOUT), ("traces", traces)] {
        to.append_key_value_metadata(KeyValue::new(key.to_owned(), value.to_owned()));
    }
    to.into_inner().map_err(other)
}
