//! Many rows at once: multi-row inserts into SQLite, `COPY` into PostgreSQL.

use std::fmt::Write as _;
use std::sync::Arc;

use sqlx::AssertSqlSafe;

use super::{Tx, Value};
use crate::StoreError;

/// Rows on their way into a table.
pub(crate) struct Bulk {
    table: &'static str,
    columns: Vec<String>,
    values: Vec<Value>,
    /// By number of rows: the statement of a full batch, and of single rows.
    full: Arc<str>,
    single: Arc<str>,
    rows: usize,
    bytes: usize,
    /// How many rows were written.
    pub written: u64,
}

/// Bytes of a batch: what is waiting is held in memory.
const BATCH_BYTES: usize = 4 << 20;

impl Bulk {
    pub fn new(table: &'static str, columns: &[&str]) -> Self {
        Self::of(table, columns.iter().map(|c| (*c).to_owned()).collect())
    }

    /// The same for columns that a file names.
    pub fn of(table: &'static str, columns: Vec<String>) -> Self {
        // SQLite takes 32,766 values in a statement; beyond a few hundred rows nothing is gained.
        let rows = (2000 / columns.len().max(1)).clamp(1, 400);
        let statement = |rows: usize| {
            let mut text = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
            for row in 0..rows {
                text.push_str(if row == 0 { "(" } else { ", (" });
                // Numbered placeholders have names, which SQLite looks up one after another for each value.
                text.push_str(&vec!["?"; columns.len()].join(", "));
                text.push(')');
            }
            Arc::from(text)
        };
        let (full, single) = (statement(rows), statement(1));
        Self { table, columns, values: Vec::new(), full, single, rows, bytes: 0, written: 0 }
    }

    /// Adds a row, and writes when a batch is full.
    pub async fn push<const N: usize>(&mut self, tx: &mut Tx, row: [Value; N]) -> Result<(), StoreError> {
        debug_assert_eq!(N, self.columns.len(), "{}", self.table);
        self.add(tx, row).await
    }

    /// The same for a row of which the length is not known beforehand.
    pub async fn push_row(&mut self, tx: &mut Tx, row: Vec<Value>) -> Result<(), StoreError> {
        if row.len() != self.columns.len() {
            return Err(StoreError::damaged(format!("a row of {} has {} values", self.table, row.len())));
        }
        self.add(tx, row).await
    }

    async fn add(&mut self, tx: &mut Tx, row: impl AsRef<[Value]> + IntoIterator<Item = Value>) -> Result<(), StoreError> {
        for value in row.as_ref() {
            self.bytes += match value {
                Value::Text(Some(t)) => t.len() + 8,
                Value::Blob(Some(b)) => b.len() + 8,
                _ => 8,
            };
        }
        self.values.extend(row);
        let waiting = self.values.len() / self.columns.len().max(1);
        let enough = match tx {
            Tx::Sqlite(_) => waiting >= self.rows,
            Tx::Postgres(_) => waiting >= 5000,
        };
        if enough || self.bytes >= BATCH_BYTES { self.flush(tx).await } else { Ok(()) }
    }

    /// Writes what is waiting.
    pub async fn flush(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let width = self.columns.len().max(1);
        self.written += (self.values.len() / width) as u64;
        self.bytes = 0;
        match tx {
            Tx::Sqlite(tx) => {
                let mut rest = std::mem::take(&mut self.values).into_iter();
                while rest.len() > 0 {
                    let (text, count) = if rest.len() >= self.rows * width { (&self.full, self.rows) } else { (&self.single, 1) };
                    let mut query = sqlx::query(AssertSqlSafe(Arc::clone(text)));
                    for value in rest.by_ref().take(count * width) {
                        query = match value {
                            Value::Int(v) => query.bind(v),
                            Value::Real(v) => query.bind(v),
                            Value::Text(v) => query.bind(v),
                            Value::Blob(v) => query.bind(v),
                        };
                    }
                    query.execute(&mut **tx).await?;
                }
            }
            Tx::Postgres(tx) => {
                let values = std::mem::take(&mut self.values);
                if values.is_empty() {
                    return Ok(());
                }
                let mut text = String::with_capacity(values.len() * 12);
                for (i, value) in values.iter().enumerate() {
                    copied(&mut text, value);
                    text.push(if (i + 1) % width == 0 { '\n' } else { '\t' });
                }
                let mut copy = tx.copy_in_raw(&format!("COPY {} ({}) FROM STDIN", self.table, self.columns.join(", "))).await?;
                copy.send(text.into_bytes()).await?;
                copy.finish().await?;
            }
        }
        Ok(())
    }
}

/// A value in the text format of `COPY` (PostgreSQL manual, COPY, "Text Format").
fn copied(out: &mut String, value: &Value) {
    match value {
        Value::Int(Some(v)) => {
            let _ = write!(out, "{v}");
        }
        Value::Real(Some(v)) => {
            let _ = write!(out, "{v:?}");
        }
        Value::Text(Some(text)) => {
            for c in text.chars() {
                match c {
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    '\t' => out.push_str("\\t"),
                    c => out.push(c),
                }
            }
        }
        Value::Blob(Some(bytes)) => {
            out.push_str("\\\\x");
            for b in bytes {
                for nibble in [b >> 4, b & 15] {
                    out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
                }
            }
        }
        _ => out.push_str("\\N"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_copied_as_the_manual_wants_them() {
        let shown = |value: Value| {
            let mut out = String::new();
            copied(&mut out, &value);
            out
        };
        assert_eq!(shown("a\\b\tc\nd".into()), "a\\\\b\\tc\\nd");
        assert_eq!(shown(vec![0u8, 255].into()), "\\\\x00ff");
        assert_eq!(shown(Value::Text(None)), "\\N");
        assert_eq!(shown(0.25.into()), "0.25");
    }
}
