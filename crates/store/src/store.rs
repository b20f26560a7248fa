//! Opening a store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::db::{Db, Engine, schema, sql};
use crate::{StoreError, Time, backup};

/// The system of record. Clones share their connections.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    /// The file, where it is one.
    path: Option<PathBuf>,
    head: Option<PathBuf>,
    backups: Option<PathBuf>,
    /// Answers come one after the other.
    answering: tokio::sync::Mutex<()>,
}

/// How thoroughly a file is looked at when it is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Files up to 256 MB wholly, larger ones by their head and tables: a start takes seconds.
    #[default]
    Quick,
    /// Wholly, however long it takes.
    Whole,
}

/// Where a store is and what stands beside it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A path or `postgres://…`.
    pub place: String,
    /// The file that holds the head of the audit log; for a file of SQLite it is `PLACE.audit-head` where nothing is said.
    pub head: Option<PathBuf>,
    /// The folder of backups; for a file of SQLite it is `backups` beside it where nothing is said.
    pub backups: Option<PathBuf>,
    /// How thoroughly a file is looked at.
    pub check: Check,
}

/// Up to here a file is looked at wholly: about a second.
const SMALL: u64 = 256 << 20;

impl Store {
    /// Opens `postgres://…`, or a file of SQLite (which is made where there is none; its folder must be there), and brings its
    /// schema up to date. `now` dates the migrations. A damaged file is refused, and the last good backup named.
    pub async fn open(place: &str, now: Time) -> Result<Self, StoreError> {
        Self::open_with(Options { place: place.to_owned(), ..Options::default() }, now).await
    }

    /// The same with everything said.
    pub async fn open_with(options: Options, now: Time) -> Result<Self, StoreError> {
        Self::open_at(options, schema::NEWEST, now).await
    }

    /// Opens with an older schema.
    pub(crate) async fn open_at(mut options: Options, schema: i64, now: Time) -> Result<Self, StoreError> {
        let remote = ["postgres://", "postgresql://"].iter().any(|p| options.place.starts_with(p));
        let path = (!remote).then(|| PathBuf::from(&options.place));
        if let Some(path) = &path {
            options.head.get_or_insert_with(|| beside(path, "audit-head"));
            options.backups.get_or_insert_with(|| path.with_file_name("backups"));
        }
        match Self::opened(&options, path, schema, now).await {
            Err(StoreError::Damaged { what, .. }) => {
                let backup = options.backups.as_deref().and_then(backup::last_good);
                Err(StoreError::Damaged { what, backup })
            }
            other => other,
        }
    }

    async fn opened(options: &Options, path: Option<PathBuf>, schema: i64, now: Time) -> Result<Self, StoreError> {
        let db = match &path {
            Some(path) => Db::sqlite(path).await?,
            None => Db::postgres(&options.place).await?,
        };
        if let Some(path) = &path {
            private(path);
            looked_at(&db, path, options.check).await?;
        }
        let new = schema::version(&mut db.read().await?).await? == 0;
        if let (true, Some(head)) = (new, options.head.as_deref().filter(|h| path.is_some() && h.is_file())) {
            // What a log was kept of is gone: whoever opens this as a new store would be its first user.
            let what =
                format!("the database is empty, and {} says that there was a log: move that file away to begin anew", head.display());
            return Err(StoreError::damaged(what));
        }
        schema::migrate(&db, schema, now).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                db,
                path,
                head: options.head.clone(),
                backups: options.backups.clone(),
                answering: tokio::sync::Mutex::new(()),
            }),
        })
    }

    pub(crate) fn db(&self) -> &Db {
        &self.inner.db
    }

    /// A turn to answer.
    pub(crate) async fn answering(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.answering.lock().await
    }

    pub(crate) fn head_file(&self) -> Option<&Path> {
        self.inner.head.as_deref()
    }

    /// The folder of backups.
    pub fn backups(&self) -> Option<&Path> {
        self.inner.backups.as_deref()
    }

    /// The file of a SQLite store.
    pub fn path(&self) -> Option<&Path> {
        self.inner.path.as_deref()
    }

    /// The schema that the database has.
    pub async fn schema(&self) -> Result<i64, StoreError> {
        schema::version(&mut self.db().read().await?).await
    }

    /// Looks at everything: the file as the database wrote it, the chain of custody with the artefacts themselves, the log
    /// of decisions and the audit log. What is wrong is named, one sentence each.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        let mut wrong = Vec::new();
        if self.path().is_some() {
            wrong.extend(damage(self.db(), "integrity_check").await?);
        }
        wrong.extend(self.verify_custody(true).await?);
        wrong.extend(self.verify_decisions().await?);
        wrong.extend(self.verify_audit(None).await?);
        Ok(wrong)
    }

    /// Makes the planner's figures anew.
    pub(crate) async fn refresh(&self) -> Result<(), StoreError> {
        let text = if self.db().engine() == Engine::Sqlite { "PRAGMA optimize=0x10002" } else { "ANALYZE" };
        self.db().outside(text).await.map(|_| ())
    }

    /// Whether the database answers, for a health check.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.db().read().await?.number(sql!("SELECT COUNT(*) FROM migration")).await.map(|_| ())
    }

    /// Ends every connection. What was acknowledged is on the disk already.
    pub async fn close(&self) {
        self.db().close().await;
    }
}

/// `umbilical.db` → `umbilical.db.audit-head`.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// Who has which device is nobody else's business on this machine.
pub(crate) fn private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
    }
    #[cfg(not(unix))]
    let _ = path;
}

async fn looked_at(db: &Db, path: &Path, check: Check) -> Result<(), StoreError> {
    let size = std::fs::metadata(path).map_or(0, |m| m.len());
    let wrong = match check {
        Check::Whole => damage(db, "integrity_check").await?,
        Check::Quick if size <= SMALL => damage(db, "quick_check").await?,
        // Head, schema and the roots of the tables.
        Check::Quick => db.outside("SELECT name FROM sqlite_master ORDER BY rowid").await.map(|_| Vec::new())?,
    };
    match wrong.into_iter().next() {
        Some(what) => Err(StoreError::damaged(what)),
        None => Ok(()),
    }
}

/// What SQLite finds wrong with a file, at most ten things.
async fn damage(db: &Db, pragma: &str) -> Result<Vec<String>, StoreError> {
    let rows = db.outside(&format!("PRAGMA {pragma}(10)")).await?;
    let found = rows.iter().map(|row| row.owned(0)).collect::<Result<Vec<_>, _>>()?;
    Ok(found.into_iter().filter(|w| w != "ok").collect())
}
