//! Who did what: a log that is only added to, in which one changed byte, a lost end or two rows exchanged show.
//!
//! Each row covers the row before it. The digest of the last row is kept in a row of its own and, for a file of SQLite,
//! in a file beside it: who shortens the log must change that, too.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value as Json;

use crate::db::{Row, Sql, Tx, sql};
use crate::{By, Store, StoreError, Time, chain, pack};

/// A row of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow {
    /// Its number, from 1, without gaps.
    pub n: u64,
    /// When.
    pub at: Time,
    /// Who.
    pub who: String,
    /// What was done: `decide`, `person.add`, `import`, …
    pub what: String,
    /// To what.
    pub subject: String,
    /// The rest.
    pub detail: Json,
    /// Digest over this row and the digest of the row before.
    pub chain: String,
}

/// The last row of the log: what is written down elsewhere to tell whether the log is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// Number of the last row.
    pub n: u64,
    /// Its digest.
    pub chain: String,
}

impl AuditHead {
    /// `n digest`, as the file beside the database has it.
    fn read(text: &str) -> Option<Self> {
        let (n, chain) = text.trim().split_once(' ')?;
        Some(Self { n: n.parse().ok()?, chain: chain.to_owned() })
    }
}

/// Adds a row within a transaction.
pub(crate) async fn append(tx: &mut Tx, by: By<'_>, what: &str, subject: &str, detail: &Json) -> Result<AuditHead, StoreError> {
    let last = tx.first(sql!("SELECT n, chain FROM audit_head")).await?;
    let (n, previous) = match &last {
        Some(row) => (row.int(0)?.saturating_add(1), row.text(1)?),
        None => (1, chain::START),
    };
    let detail = String::from_utf8_lossy(&pack::json(detail)?).replace('\0', "\u{2400}");
    let (who, subject) = (by.who.replace('\0', "\u{2400}"), subject.replace('\0', "\u{2400}"));
    let digest = link(previous, n, by.at, &who, what, &subject, &detail);
    let insert = "INSERT INTO audit (n, at, who, what, subject, detail, chain) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.run(sql!(insert, n, by.at, who, what, subject, detail, &digest)).await?;
    let head =
        "INSERT INTO audit_head (one, n, chain) VALUES (1, $1, $2) ON CONFLICT (one) DO UPDATE SET n = excluded.n, chain = excluded.chain";
    tx.run(sql!(head, n, &digest)).await?;
    Ok(AuditHead { n: u64::try_from(n).unwrap_or(0), chain: digest })
}

fn link(previous: &str, n: i64, at: Time, who: &str, what: &str, subject: &str, detail: &str) -> String {
    chain::link(previous, &[Some(&n.to_string()), Some(&at.0.to_string()), Some(who), Some(what), Some(subject), Some(detail)])
}

impl Store {
    /// Adds a row about something that is no change of the store: a sign-in, an export, a refusal.
    pub async fn audit(&self, by: By<'_>, what: &str, subject: &str, detail: &Json) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        let head = append(&mut tx, by, what, subject, detail).await?;
        self.commit(tx, &head).await
    }

    /// Commits, then writes the head beside the database. The head may lag behind the log by a crash, or where no room is left for
    /// it (what is committed is acknowledged, and the next row brings it up to date), never run ahead of it.
    pub(crate) async fn commit(&self, tx: Tx, head: &AuditHead) -> Result<(), StoreError> {
        tx.commit().await?;
        match self.head_file() {
            Some(path) => write_head(path, head),
            None => Ok(()),
        }
    }

    /// Rows of the log, the newest first, behind number `before` if given.
    pub async fn audit_rows(&self, before: Option<u64>, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        let mut tx = self.db().read().await?;
        let before = before.map_or(i64::MAX, |n| i64::try_from(n).unwrap_or(i64::MAX));
        let ask = "SELECT n, at, who, what, subject, detail, chain FROM audit WHERE n < $1 ORDER BY n DESC LIMIT $2";
        tx.fetch(sql!(ask, before, i64::from(limit.clamp(1, 1000)))).await?.iter().map(read).collect()
    }

    /// The head of the log, to be written down elsewhere.
    pub async fn audit_head(&self) -> Result<Option<AuditHead>, StoreError> {
        let mut tx = self.db().read().await?;
        let row = tx.first(sql!("SELECT n, chain FROM audit_head")).await?;
        row.map(|row| Ok(AuditHead { n: row.count(0)?, chain: row.owned(1)? })).transpose()
    }

    /// Walks the log from its beginning: what does not fit is named, one sentence each. `known` is a head that was written
    /// down elsewhere; the one beside the database is looked at anyway.
    pub async fn verify_audit(&self, known: Option<&AuditHead>) -> Result<Vec<String>, StoreError> {
        let mut wrong = Vec::new();
        let file = self.head_file().map(std::fs::read_to_string);
        let beside = match file {
            None => None,
            Some(Ok(text)) => {
                let head = AuditHead::read(&text);
                if head.is_none() {
                    wrong.push("the head of the log beside the database cannot be read".to_owned());
                }
                head
            }
            Some(Err(_)) => {
                if self.audit_head().await?.is_some() {
                    wrong.push("the head of the log beside the database is missing".to_owned());
                }
                None
            }
        };
        let mut heads: Vec<(&str, AuditHead)> = Vec::new();
        heads.extend(known.cloned().map(|h| ("written down", h)));
        heads.extend(beside.map(|h| ("beside the database", h)));
        heads.extend(self.audit_head().await?.map(|h| ("in the database", h)));
        let mut met = vec![false; heads.len()];
        let (mut previous, mut expected) = (chain::START.to_owned(), 1i64);
        loop {
            let mut tx = self.db().read().await?;
            let ask = Sql::with(
                "SELECT n, at, who, what, subject, detail, chain FROM audit WHERE n >= $1 ORDER BY n LIMIT 1000",
                [expected.into()],
            );
            let page = tx.fetch(ask).await?;
            if page.is_empty() {
                break;
            }
            for row in page {
                let n = row.int(0)?;
                if n != expected {
                    wrong.push(format!("rows {expected} to {} of the log are missing", n.saturating_sub(1)));
                }
                if link(&previous, n, row.time(1)?, row.text(2)?, row.text(3)?, row.text(4)?, row.text(5)?) != row.text(6)? {
                    wrong.push(format!("row {n} of the log was changed, or the row before it"));
                }
                previous = row.owned(6)?;
                for ((_, head), met) in heads.iter().zip(&mut met) {
                    *met |= i64::try_from(head.n) == Ok(n) && head.chain == previous;
                }
                expected = n.saturating_add(1);
            }
        }
        for ((place, head), _) in heads.iter().zip(met).filter(|(_, met)| !met) {
            wrong.push(format!("the log does not hold row {} as the head {place} says: it was shortened or written anew", head.n));
        }
        Ok(wrong)
    }
}

fn read(row: &Row) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        n: row.count(0)?,
        at: row.time(1)?,
        who: row.owned(2)?,
        what: row.owned(3)?,
        subject: row.owned(4)?,
        detail: pack::parse(row.text(5)?.as_bytes())?,
        chain: row.owned(6)?,
    })
}

/// Written beside and renamed, so that it is never half there, under a name of its own: several programs may write. Who comes
/// behind a later row leaves that one's head.
fn write_head(path: &Path, head: &AuditHead) -> Result<(), StoreError> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    if std::fs::read_to_string(path).ok().and_then(|text| AuditHead::read(&text)).is_some_and(|there| there.n > head.n) {
        return Ok(());
    }
    let new = path.with_extension(format!("audit-head.{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    let written = std::fs::write(&new, format!("{} {}\n", head.n, head.chain)).and_then(|()| {
        crate::store::private(&new);
        std::fs::rename(&new, path)
    });
    written.or_else(|error| {
        let _ = std::fs::remove_file(&new);
        let full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        if full { Ok(()) } else { Err(StoreError::file(path, error)) }
    })
}
