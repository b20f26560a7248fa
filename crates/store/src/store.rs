//! Opening a store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::db::{Db, schema};
use crate::{StoreError, Time};

/// The system of record. Clones share their connections.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    /// The file, where it is one.
    path: Option<PathBuf>,
}

impl Store {
    /// Opens `postgres://…`, or a file of SQLite (which is made, with its folder's permissions, where there is none), and
    /// brings its schema up to date. `now` dates the migrations.
    pub async fn open(place: &str, now: Time) -> Result<Self, StoreError> {
        Self::open_at(place, schema::NEWEST, now).await
    }

    pub(crate) async fn open_at(place: &str, schema: i64, now: Time) -> Result<Self, StoreError> {
        let remote = ["postgres://", "postgresql://"].iter().any(|p| place.starts_with(p));
        let (db, path) =
            if remote { (Db::postgres(place).await?, None) } else { (Db::sqlite(Path::new(place)).await?, Some(PathBuf::from(place))) };
        schema::migrate(&db, schema, now).await?;
        Ok(Self { inner: Arc::new(Inner { db, path }) })
    }

    pub(crate) fn db(&self) -> &Db {
        &self.inner.db
    }

    /// The file of a SQLite store.
    pub fn path(&self) -> Option<&Path> {
        self.inner.path.as_deref()
    }

    /// Ends every connection. What was acknowledged is on the disk already.
    pub async fn close(&self) {
        self.db().close().await;
    }
}
