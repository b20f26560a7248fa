//! Lines as Parquet, the one format that leaves through the store: plain UTF-8 columns, zstd, no Arrow and no dictionary type,
//! so that DuckDB, Spark, ClickHouse and DataFusion read the same.
//!
//! Rows are held for one group at a time. A cell that is not known, or an empty list, is null; lists are joined as in
//! [`rows`](umbilical_core::answer::rows). The schema and the day stand in the key–value metadata of the file as well.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use umbilical_core::answer::Device;
use umbilical_core::answer::rows::{COLUMNS, Fleet, MARKER, ROWS_SCHEMA, of};

/// Rows of a group: a group of wide lines is about twenty megabytes.
const GROUP: usize = 8192;

/// Writes Parquet.
pub struct Parquet<'a> {
    out: &'a mut dyn Write,
    to: SerializedFileWriter<Vec<u8>>,
    as_of: String,
    /// The rows of the group that is open, by column.
    columns: Vec<Vec<Option<ByteArray>>>,
}

fn other(error: ParquetError) -> io::Error {
    io::Error::other(error.to_string())
}

impl<'a> Parquet<'a> {
    /// A file with no row yet.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    pub fn new(out: &'a mut dyn Write, as_of: &str) -> io::Result<Self> {
        let fields = COLUMNS.iter().map(|(name, _)| {
            let column = Type::primitive_type_builder(name, Physical::BYTE_ARRAY).with_repetition(Repetition::OPTIONAL);
            column.with_logical_type(Some(LogicalType::String)).with_converted_type(ConvertedType::UTF8).build().map(Arc::new)
        });
        let fields = fields.collect::<Result<Vec<_>, _>>().map_err(other)?;
        let schema = Type::group_type_builder("umbilical_devices").with_fields(fields).build().map_err(other)?;
        let stamp = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
        let properties = WriterProperties::builder()
            // The library's own mark would change the bytes with its version.
            .set_created_by("umbilical".to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).map_err(other)?))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_key_value_metadata(Some(vec![stamp(MARKER, ROWS_SCHEMA), stamp("as_of", as_of)]))
            .build();
        let to = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties)).map_err(other)?;
        Ok(Self { out, to, as_of: as_of.to_owned(), columns: vec![Vec::new(); COLUMNS.len()] })
    }

    /// Writes the rows that are held as one group.
    fn group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.to.next_row_group()?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column()? else { break };
            let levels: Vec<i16> = column.iter().map(|cell| i16::from(cell.is_some())).collect();
            let values: Vec<ByteArray> = column.drain(..).flatten().collect();
            writer.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
            writer.close()?;
        }
        group.close()?;
        self.to.flush()?;
        Ok(())
    }

    /// Passes on what has been encoded.
    fn pass(&mut self) -> io::Result<()> {
        let encoded = self.to.inner_mut();
        self.out.write_all(encoded)?;
        encoded.clear();
        Ok(())
    }
}

impl Fleet for Parquet<'_> {
    fn device(&mut self, device: &Device) -> io::Result<()> {
        for row in of(device, &self.as_of) {
            for (column, cell) in self.columns.iter_mut().zip(row.cells()) {
                column.push(cell.plain().map(|text| ByteArray::from(text.as_bytes().to_vec())));
            }
        }
        if self.columns.first().is_some_and(|c| c.len() >= GROUP) {
            self.group().map_err(other)?;
            self.pass()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.columns.first().is_some_and(|c| !c.is_empty()) {
            self.group().map_err(other)?;
        }
        self.to.finish().map_err(other)?;
        self.to.flush()?;
        self.pass()?;
        self.out.flush()
    }
}
