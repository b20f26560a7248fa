//! The answer as it stands, and those before it.

use umbilical_core::answer::Audit;

use crate::db::{Row, Sql, sql};
use crate::{Scope, Sites, Store, StoreError, Time, pack};

/// An answer in the list of answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerRow {
    /// Its number, from 1.
    pub n: i64,
    /// When it was made.
    pub at: Time,
    /// By whom.
    pub who: String,
    /// The day that it answers for.
    pub as_of: String,
    /// Devices of the whole fleet.
    pub devices: u64,
    /// Findings of the whole fleet.
    pub findings: u64,
    /// Devices that were not there before.
    pub new: u64,
    /// Devices of which something else was said than before.
    pub changed: u64,
    /// Devices that it no longer had.
    pub gone: u64,
    /// Of its devices, those with a cellular module, and those of which that is not known; `None` of answers that are older than
    /// these columns.
    pub coverage: Option<(u64, u64)>,
}

/// A device that an answer changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// `dev-…`
    pub device: String,
    /// `new`, `changed`, `gone`.
    pub what: String,
}

const COLUMNS: &str = "n, at, by_whom, as_of, devices, findings, new, changed, gone, cellular, unknown";

fn read(row: &Row) -> Result<AnswerRow, StoreError> {
    Ok(AnswerRow {
        n: row.int(0)?,
        at: row.time(1)?,
        who: row.owned(2)?,
        as_of: row.owned(3)?,
        devices: row.count(4)?,
        findings: row.count(5)?,
        new: row.count(6)?,
        changed: row.count(7)?,
        gone: row.count(8)?,
        coverage: row.opt_int(9)?.zip(row.opt_int(10)?).map(|(c, u)| (c.unsigned_abs(), u.unsigned_abs())),
    })
}

/// Which answers' changes are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Of those behind this number, the last change of each device.
    Behind(i64),
    /// Of the one with this number.
    Of(i64),
}

impl Span {
    /// The condition on a row `c` of changes.
    pub(crate) fn ask(self, ask: &mut Sql) {
        match self {
            Self::Behind(n) => {
                ask.push("c.answer > ").bind(n);
                ask.push(" AND NOT EXISTS (SELECT 1 FROM change l WHERE l.device = c.device AND l.answer > c.answer)");
            }
            Self::Of(n) => {
                ask.push("c.answer = ").bind(n);
            }
        }
    }
}

impl Store {
    /// The newest answers. They count the whole fleet: who does not see all sites is given none.
    pub async fn answers(&self, scope: &Scope, limit: u32) -> Result<Vec<AnswerRow>, StoreError> {
        if scope.sites != Sites::All {
            return Ok(Vec::new());
        }
        let mut tx = self.db().read().await?;
        let ask = format!("SELECT {COLUMNS} FROM answer ORDER BY n DESC LIMIT $1");
        tx.fetch(sql!(&ask, i64::from(limit.clamp(1, 1000)))).await?.iter().map(read).collect()
    }

    /// The answer that stands, with its document: coverage, tallies, knowledge, law (devices, inputs and problems stand in lists
    /// of their own, and are empty there). Its counts are of the whole fleet: who does not see all sites is given none, and
    /// counts with [`Store::facets`].
    pub async fn answer(&self, scope: &Scope) -> Result<Option<(AnswerRow, Audit)>, StoreError> {
        if scope.sites != Sites::All {
            return Ok(None);
        }
        let mut tx = self.db().read().await?;
        let row = tx.first(Sql::new(&format!("SELECT {COLUMNS}, doc FROM answer ORDER BY n DESC LIMIT 1"))).await?;
        row.map(|row| Ok((read(&row)?, pack::unpack_json(row.blob(11)?)?))).transpose()
    }

    /// Whether something came in that the answer which stands was not made of: another program may have brought it.
    pub async fn behind(&self) -> Result<bool, StoreError> {
        let mut tx = self.db().read().await?;
        let newer = "SELECT 1 FROM input i JOIN reading r ON r.n = i.reading WHERE i.n > COALESCE((SELECT a.read_to FROM answer a \
                     WHERE a.n = (SELECT MAX(l.n) FROM answer l)), 0) \
                     AND NOT EXISTS (SELECT 1 FROM dropped d WHERE d.evidence = r.evidence AND d.what = 'observations') LIMIT 1";
        Ok(tx.first(Sql::new(newer)).await?.is_some())
    }

    /// The devices that the answers behind number `since` changed, as far as the asker sees them now: the last change of each, by
    /// id, behind the device `after`. The first answer is a baseline and changes none.
    pub async fn changes(&self, scope: &Scope, since: i64, after: &str, limit: u32) -> Result<Vec<Changed>, StoreError> {
        self.changes_of(scope, Span::Behind(since), None, after, limit).await
    }

    /// The same of a span of answers, and where one is named of those with this change alone: `new`, `changed`, `gone`.
    pub async fn changes_of(
        &self,
        scope: &Scope,
        span: Span,
        what: Option<&str>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Changed>, StoreError> {
        let mut ask = Sql::new("SELECT c.device, c.what FROM change c WHERE ");
        span.ask(&mut ask);
        ask.push(" AND c.device > ").bind(after);
        if let Some(what) = what {
            ask.push(" AND c.what = ").bind(what);
        }
        if scope.sites != Sites::All {
            ask.push(" AND EXISTS (SELECT 1 FROM device d WHERE d.id = c.device AND ");
            crate::query::sql::scoped(&mut ask, scope, &crate::query::sql::DEVICES);
            ask.push(")");
        }
        ask.push(" ORDER BY c.device LIMIT ").bind(i64::from(limit.clamp(1, 1000)));
        let mut tx = self.db().read().await?;
        tx.fetch(ask).await?.iter().map(|row| Ok(Changed { device: row.owned(0)?, what: row.owned(1)? })).collect()
    }

    /// What the answers made of a device, the newest first: number and time of each answer that changed it, and how. A device
    /// outside the asker's sites is not found.
    pub async fn device_changes(&self, scope: &Scope, id: &str, limit: u32) -> Result<Vec<(i64, Time, String)>, StoreError> {
        let mut tx = self.db().read().await?;
        let id = crate::list::canonical(&mut tx, id).await?;
        let mut seen = Sql::new("SELECT 1 FROM device d WHERE d.id = ");
        seen.bind(&id).push(" AND ");
        crate::query::sql::scoped(&mut seen, scope, &crate::query::sql::DEVICES);
        tx.first(seen).await?.ok_or_else(|| crate::error::not_found("device", &id))?;
        let ask = "SELECT c.answer, a.at, c.what FROM change c JOIN answer a ON a.n = c.answer WHERE c.device = $1 ORDER BY c.answer DESC LIMIT $2";
        let rows = tx.fetch(sql!(ask, &id, i64::from(limit.clamp(1, 1000)))).await?;
        rows.iter().map(|row| Ok((row.int(0)?, row.time(1)?, row.owned(2)?))).collect()
    }

    /// A text that is another one whenever evidence, answer or decisions are others: for cached pages (`ETag`).
    pub async fn revision(&self) -> Result<String, StoreError> {
        let ask = "SELECT (SELECT MAX(n) FROM reading), (SELECT MAX(n) FROM answer), (SELECT MAX(n) FROM decision), \
                   (SELECT COUNT(*) FROM dropped)";
        let row = self.db().read().await?.first(Sql::new(ask)).await?;
        let row = row.ok_or_else(|| StoreError::damaged("the database answers nothing"))?;
        let part = |at| row.opt_int(at).map(|n| n.unwrap_or(0));
        Ok(format!("{}-{}-{}-{}", part(0)?, part(1)?, part(2)?, part(3)?))
    }
}
