//! What stops the store.

use std::path::PathBuf;

use crate::query::QueryError;

/// What went wrong, in words for the person in front of it. No value of a bound parameter is in it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such thing, or the asker's sites do not hold it.
    #[error("there is no {kind} `{id}`")]
    NotFound {
        /// `device`, `finding`, `user`, …
        kind: &'static str,
        /// As it was asked for.
        id: String,
    },
    /// There is such a thing, and the asker has no right to it.
    #[error("{0}")]
    Forbidden(&'static str),
    /// A query that cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// What was asked cannot be done as things stand.
    #[error("{0}")]
    Conflict(String),
    /// A value that the store does not take.
    #[error("{0}")]
    Invalid(String),
    /// A value that the store does not take, by the field in which it was sent.
    #[error("{what}")]
    Field {
        /// The field's name in the API.
        field: &'static str,
        /// Why.
        what: String,
    },
    /// The database was written by a newer version of the program.
    #[error("the database has schema {found}, and this program knows schemas up to {known}: use the version that wrote it, or a newer one")]
    Newer {
        /// Its schema.
        found: i64,
        /// The newest schema known here.
        known: i64,
    },
    /// The database is damaged.
    #[error("the database is damaged ({what}): {}", restore(.backup))]
    Damaged {
        /// What was found.
        what: String,
        /// The newest backup that is whole.
        backup: Option<PathBuf>,
    },
    /// A file that was given as a backup is none, or is not whole.
    #[error("{path} is no backup that can be restored: {what}", path = .path.display())]
    Backup {
        /// Which.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// No room on the disk. What was acknowledged before is kept.
    #[error("no room is left for the database: {0}")]
    Full(String),
    /// The database does not answer, or another program holds it.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// A file cannot be read or written.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database refused a statement: a mistake of this program.
    #[error("the database refused: {0}")]
    Refused(String),
}

fn restore(backup: &Option<PathBuf>) -> String {
    match backup {
        Some(path) => format!("the last good backup is {}; restore it to a new file, and keep the damaged one", path.display()),
        None => "there is no backup beside it".to_owned(),
    }
}

/// A short name for what an error is about.
pub(crate) fn not_found(kind: &'static str, id: &str) -> StoreError {
    StoreError::NotFound { kind, id: umbilical_core::text::short(&umbilical_core::text::clean(id), 80).into_owned() }
}

impl StoreError {
    pub(crate) fn field(field: &'static str, what: impl Into<String>) -> Self {
        Self::Field { field, what: what.into() }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into(), backup: None }
    }

    pub(crate) fn file(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_path_buf(), source }
    }
}

/// What a driver says, sorted into what a person can do about it.
impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(e) => {
                let (code, what) = (e.code().unwrap_or_default().into_owned(), e.message().to_owned());
                if let Some(e) = e.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
                    return match e.code() {
                        "53100" => Self::Full(what),
                        "XX001" | "XX002" => Self::damaged(what),
                        c if c.starts_with("57P") || c.starts_with("08") || c == "53300" || c == "55P03" => Self::Unavailable(what),
                        _ => Self::Refused(what),
                    };
                }
                // The low byte is the primary result code (sqlite.org/rescode.html); the rest tells more of it.
                match code.parse::<i64>().map(|c| c & 0xff) {
                    Ok(11 | 26) => Self::damaged(what),
                    Ok(13) => Self::Full(what),
                    Ok(5 | 6 | 8 | 10 | 14) => Self::Unavailable(what),
                    _ => Self::Refused(what),
                }
            }
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Self::Unavailable(error.to_string())
            }
            sqlx::Error::Configuration(_) => Self::Invalid(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}
