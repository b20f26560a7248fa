//! The thin edge to both databases: one type of value, row, statement and transaction, so that everything above is written
//! once. Two typed drivers behind an enum instead of sqlx's `Any`: `Any` has neither `COPY` nor the options of SQLite,
//! and every value would be converted twice.

pub(crate) mod bulk;
pub(crate) mod schema;

use std::str::FromStr as _;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, PgPool, Row as _, SqlitePool, Transaction, TypeInfo as _,
    ValueRef as _,
};

use crate::StoreError;

/// A value on its way in or out. What is absent keeps its type: PostgreSQL asks for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Int(Option<i64>),
    Real(Option<f64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

macro_rules! values {
    ($($from:ty => $variant:ident, |$v:ident| $value:expr;)*) => {$(
        impl From<$from> for Value { fn from($v: $from) -> Self { Self::$variant($value) } }
    )*};
}
values! {
    i64 => Int, |v| Some(v);
    Option<i64> => Int, |v| v;
    u32 => Int, |v| Some(i64::from(v));
    bool => Int, |v| Some(i64::from(v));
    u64 => Int, |v| Some(i64::try_from(v).unwrap_or(i64::MAX));
    usize => Int, |v| Some(i64::try_from(v).unwrap_or(i64::MAX));
    f64 => Real, |v| Some(v);
    crate::Time => Int, |v| Some(v.0);
    Option<crate::Time> => Int, |v| v.map(|t| t.0);
    String => Text, |v| Some(storable(v));
    &str => Text, |v| Some(storable(v.to_owned()));
    &String => Text, |v| Some(storable(v.clone()));
    Option<String> => Text, |v| v.map(storable);
    Option<&str> => Text, |v| v.map(|t| storable(t.to_owned()));
    Vec<u8> => Blob, |v| Some(v);
}

/// PostgreSQL holds no NUL in a text: both stores keep the sign for it instead.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{2400}") } else { text }
}

/// A row.
#[derive(Debug)]
pub(crate) struct Row(pub Vec<Value>);

impl Row {
    fn wrong(&self, at: usize) -> StoreError {
        StoreError::damaged(format!("column {at} of a row is not what it should be"))
    }
    pub fn int(&self, at: usize) -> Result<i64, StoreError> {
        self.opt_int(at)?.ok_or_else(|| self.wrong(at))
    }
    pub fn opt_int(&self, at: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(at) {
            Some(Value::Int(v)) => Ok(*v),
            Some(Value::Text(None) | Value::Real(None) | Value::Blob(None)) => Ok(None),
            _ => Err(self.wrong(at)),
        }
    }
    pub fn count(&self, at: usize) -> Result<u64, StoreError> {
        u64::try_from(self.int(at)?).map_err(|_| self.wrong(at))
    }
    pub fn real(&self, at: usize) -> Result<f64, StoreError> {
        match self.0.get(at) {
            Some(Value::Real(Some(v))) => Ok(*v),
            Some(Value::Int(Some(v))) => Ok(*v as f64),
            _ => Err(self.wrong(at)),
        }
    }
    pub fn text(&self, at: usize) -> Result<&str, StoreError> {
        self.opt_text(at)?.ok_or_else(|| self.wrong(at))
    }
    pub fn owned(&self, at: usize) -> Result<String, StoreError> {
        self.text(at).map(str::to_owned)
    }
    pub fn opt_text(&self, at: usize) -> Result<Option<&str>, StoreError> {
        match self.0.get(at) {
            Some(Value::Text(v)) => Ok(v.as_deref()),
            Some(Value::Int(None) | Value::Real(None) | Value::Blob(None)) => Ok(None),
            _ => Err(self.wrong(at)),
        }
    }
    pub fn opt_owned(&self, at: usize) -> Result<Option<String>, StoreError> {
        self.opt_text(at).map(|t| t.map(str::to_owned))
    }
    pub fn blob(&self, at: usize) -> Result<&[u8], StoreError> {
        match self.0.get(at) {
            Some(Value::Blob(Some(v))) => Ok(v),
            _ => Err(self.wrong(at)),
        }
    }
    pub fn opt_blob(&self, at: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.0.get(at) {
            Some(Value::Blob(v)) => Ok(v.as_deref()),
            Some(Value::Int(None) | Value::Real(None) | Value::Text(None)) => Ok(None),
            _ => Err(self.wrong(at)),
        }
    }
    pub fn time(&self, at: usize) -> Result<crate::Time, StoreError> {
        self.int(at).map(crate::Time)
    }
    pub fn opt_time(&self, at: usize) -> Result<Option<crate::Time>, StoreError> {
        self.opt_int(at).map(|t| t.map(crate::Time))
    }
}

/// A statement under construction: values are bound, never written into the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sql {
    pub text: String,
    pub args: Vec<Value>,
}

impl Sql {
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), args: Vec::new() }
    }
    /// A fixed statement with its values.
    pub fn with<const N: usize>(text: &str, args: [Value; N]) -> Self {
        Self { text: text.to_owned(), args: args.into() }
    }
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }
    /// Adds a placeholder and its value.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.args.push(value.into());
        self.text.push_str(&format!("${}", self.args.len()));
        self
    }
    /// `$1, $2, …` for a list; `NULL` for none, which nothing equals.
    pub fn bind_all<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        let mut first = true;
        for value in values {
            if !std::mem::take(&mut first) {
                self.push(", ");
            }
            self.bind(value);
        }
        if first {
            self.push("NULL");
        }
        self
    }
}

/// The shorthand for a fixed statement.
macro_rules! sql {
    ($text:expr $(, $arg:expr)* $(,)?) => { $crate::db::Sql::with($text, [$($crate::db::Value::from($arg)),*]) };
}
pub(crate) use sql;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

enum Pools {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres { writer: PgPool, readers: PgPool },
}

/// The connections.
pub(crate) struct Db {
    pools: Pools,
}

/// A transaction: dropped without [`Tx::commit`] it is undone.
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// How long somebody waits to write: behind a large import.
const WAIT: Duration = Duration::from_secs(3600);

/// How long a database may take to say that it is there.
const HELLO: Duration = Duration::from_secs(15);

/// Takes the names of the columns, when it asks for them, and a row; says whether it wants more.
pub(crate) type EachRow<'a> = dyn FnMut(&dyn Fn() -> Vec<String>, Row) -> bool + Send + 'a;

/// Only one writer at a time, on PostgreSQL over all programs: numbers and chains are then given without gaps.
const WRITER_LOCK: i64 = 0x756d_6269_6c69_6361;

impl Db {
    /// Opens a SQLite file, making it where there is none.
    pub async fn sqlite(path: &std::path::Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(30))
            .pragma("cache_size", "-32000")
            .pragma("trusted_schema", "OFF")
            .pragma("journal_size_limit", "67108864")
            .command_buffer_size(64)
            .row_buffer_size(512)
            .disable_statement_logging();
        let writer = SqlitePoolOptions::new().max_connections(1).acquire_timeout(WAIT);
        let writer = writer.connect_with(options.clone()).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(6)
            .min_connections(0)
            .idle_timeout(Duration::from_secs(60))
            .acquire_timeout(Duration::from_secs(30));
        let readers = readers.connect_lazy_with(options.pragma("query_only", "ON").pragma("cache_size", "-8000"));
        Ok(Self { pools: Pools::Sqlite { writer, readers } })
    }

    /// Connects to PostgreSQL.
    pub async fn postgres(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("umbilical")
            // Compiling a plan takes longer than any page of ours; sets of a hundred thousand numbers must fit;
            // and pages are few rows picked out of many, from a cache or a disk without a head.
            .options([("jit", "off"), ("work_mem", "32MB"), ("random_page_cost", "1.1")])
            .disable_statement_logging();
        // A pool tries again for as long as somebody may wait to write; who starts wants to hear at once that nobody answers.
        let first = tokio::time::timeout(HELLO, options.connect()).await;
        let silent = |_| StoreError::Unavailable(format!("nothing was heard from it within {} s", HELLO.as_secs()));
        first.map_err(silent)??.close().await?;
        // Whoever waits to write must not keep the connections of those who read.
        let writer = PgPoolOptions::new().max_connections(1).acquire_timeout(WAIT).connect_with(options.clone()).await?;
        let readers = PgPoolOptions::new().max_connections(8).acquire_timeout(Duration::from_secs(30)).connect_lazy_with(options);
        Ok(Self { pools: Pools::Postgres { writer, readers } })
    }

    pub fn engine(&self) -> Engine {
        match self.pools {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres { .. } => Engine::Postgres,
        }
    }

    /// A consistent view to read from.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(match &self.pools {
            Pools::Sqlite { readers, .. } => Tx::Sqlite(begun(readers, "BEGIN").await?),
            Pools::Postgres { readers, .. } => Tx::Postgres(readers.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?),
        })
    }

    /// The one transaction that may write.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        Ok(match &self.pools {
            Pools::Sqlite { writer, .. } => Tx::Sqlite(begun(writer, "BEGIN IMMEDIATE").await?),
            Pools::Postgres { writer, .. } => {
                let mut tx = Tx::Postgres(writer.begin().await?);
                tx.fetch(sql!("SELECT pg_advisory_xact_lock($1)", WRITER_LOCK)).await?;
                tx
            }
        })
    }

    /// A transaction for something that may as well be left out: `None` where somebody else is writing.
    pub async fn spare(&self) -> Result<Option<Tx>, StoreError> {
        Ok(match &self.pools {
            Pools::Sqlite { writer, .. } => match writer.try_begin_with("BEGIN IMMEDIATE").await {
                // Who must write gives such a connection up.
                Err(sqlx::Error::InvalidSavePointStatement) => None,
                begun => begun?.map(Tx::Sqlite),
            },
            Pools::Postgres { writer, .. } => writer.try_begin().await?.map(Tx::Postgres),
        })
    }

    /// Statements that stand outside a transaction (`PRAGMA`, `ANALYZE`), one at a time.
    pub async fn outside(&self, text: &str) -> Result<Vec<Row>, StoreError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                sqlx::query(AssertSqlSafe(text.to_owned())).fetch_all(writer).await?.iter().map(sqlite_row).collect()
            }
            Pools::Postgres { writer, .. } => {
                sqlx::query(AssertSqlSafe(text.to_owned())).fetch_all(writer).await?.iter().map(postgres_row).collect()
            }
        }
    }

    /// Ends every connection; a SQLite file is left without its log beside it.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}

/// Begins a transaction. A statement that finds no room on the disk, or whose write fails, ends its transaction by itself
/// (sqlite.org/lang_transaction.html, "Response To Errors Within A Transaction"); the driver then fails to undo it, and takes the
/// connection for one within a transaction for ever: such a one is given up for a new one.
async fn begun(pool: &SqlitePool, how: &'static str) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
    // As many as a pool holds.
    for _ in 0..pool.options().get_max_connections() {
        match pool.begin_with(how).await {
            Err(sqlx::Error::InvalidSavePointStatement) => pool.acquire().await?.close().await?,
            other => return other,
        }
    }
    pool.begin_with(how).await
}

macro_rules! bound {
    ($statement:expr) => {{
        let statement: Sql = $statement;
        let mut query = sqlx::query(AssertSqlSafe(statement.text));
        for arg in statement.args {
            query = match arg {
                Value::Int(v) => query.bind(v),
                Value::Real(v) => query.bind(v),
                Value::Text(v) => query.bind(v),
                Value::Blob(v) => query.bind(v),
            };
        }
        query
    }};
}

impl Tx {
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Every row of an answer: ask for few.
    pub async fn fetch(&mut self, statement: Sql) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(tx) => bound!(statement).fetch_all(&mut **tx).await?.iter().map(sqlite_row).collect(),
            Self::Postgres(tx) => bound!(statement).fetch_all(&mut **tx).await?.iter().map(postgres_row).collect(),
        }
    }

    /// Every row of an answer of any length, one at a time, until `each` says that it has had enough. The names of the columns
    /// are made when asked for.
    pub async fn each(&mut self, statement: Sql, each: &mut EachRow<'_>) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => {
                let mut rows = bound!(statement).fetch(&mut **tx);
                while let Some(row) = rows.try_next().await? {
                    if !each(&|| row.columns().iter().map(|c| c.name().to_owned()).collect(), sqlite_row(&row)?) {
                        break;
                    }
                }
            }
            Self::Postgres(tx) => {
                let mut rows = bound!(statement).fetch(&mut **tx);
                while let Some(row) = rows.try_next().await? {
                    if !each(&|| row.columns().iter().map(|c| c.name().to_owned()).collect(), postgres_row(&row)?) {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// The first row.
    pub async fn first(&mut self, statement: Sql) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch(statement).await?.into_iter().next())
    }

    /// The one number that is asked for; nothing found is 0.
    pub async fn number(&mut self, statement: Sql) -> Result<i64, StoreError> {
        self.first(statement).await?.map_or(Ok(0), |row| Ok(row.opt_int(0)?.unwrap_or(0)))
    }

    /// Runs a statement and says how many rows it changed.
    pub async fn run(&mut self, statement: Sql) -> Result<u64, StoreError> {
        Ok(match self {
            Self::Sqlite(tx) => bound!(statement).execute(&mut **tx).await?.rows_affected(),
            Self::Postgres(tx) => bound!(statement).execute(&mut **tx).await?.rows_affected(),
        })
    }

    /// The number of a new row: one more than the highest. There is one writer.
    pub async fn next(&mut self, table: &str) -> Result<i64, StoreError> {
        Ok(self.number(Sql::new(&format!("SELECT MAX(n) FROM {table}"))).await?.saturating_add(1))
    }

    /// Keeps what was written: when this returns, it is on the disk.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

fn sqlite_row(row: &SqliteRow) -> Result<Row, StoreError> {
    let values = (0..row.len()).map(|i| {
        let raw = row.try_get_raw(i)?;
        let kind = raw.type_info().into_owned();
        Ok::<Value, StoreError>(match kind.name() {
            _ if raw.is_null() => Value::Int(None),
            "TEXT" => Value::Text(Some(row.try_get(i)?)),
            "BLOB" => Value::Blob(Some(row.try_get(i)?)),
            "REAL" => Value::Real(Some(row.try_get(i)?)),
            _ => Value::Int(Some(row.try_get_unchecked(i)?)),
        })
    });
    values.collect::<Result<_, _>>().map(Row)
}

fn postgres_row(row: &PgRow) -> Result<Row, StoreError> {
    let values = row.columns().iter().enumerate().map(|(i, column)| {
        let raw = row.try_get_raw(i)?;
        Ok::<Value, StoreError>(match column.type_info().name() {
            _ if raw.is_null() => Value::Int(None),
            "INT8" => Value::Int(Some(row.try_get(i)?)),
            "INT4" => Value::Int(Some(i64::from(row.try_get::<i32, _>(i)?))),
            "BOOL" => Value::Int(Some(i64::from(row.try_get::<bool, _>(i)?))),
            "FLOAT8" => Value::Real(Some(row.try_get(i)?)),
            "BYTEA" => Value::Blob(Some(row.try_get(i)?)),
            "VOID" => Value::Int(None),
            _ => Value::Text(Some(row.try_get(i)?)),
        })
    });
    values.collect::<Result<_, _>>().map(Row)
}
