//! What an overview counts: makers against jurisdictions, and how old the evidence is.

use crate::Span;
use crate::db::{Row, Sql};
use crate::observe::LAST;
use crate::query::sql::{self, by_bucket};
use crate::query::{Query, SEVERITIES};
use crate::{Scope, Sites, Store, StoreError, Time};

/// Devices by the first module in them, or by the product that they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleRow {
    /// Under whose name it is sold.
    pub brand: Option<String>,
    /// Who made it; `None` is not known, or it is a product that is itself cellular.
    pub maker: Option<String>,
    /// The model.
    pub model: String,
    /// How many.
    pub devices: u64,
}

/// Files of one format, archives counted by what is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRow {
    /// What the readers took them for.
    pub format: String,
    /// How many.
    pub files: u64,
    /// How many artefacts hold them.
    pub artefacts: u64,
    /// When the newest was collected, or came in where that is not known.
    pub newest: Time,
}

/// Findings of one code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRow {
    /// The code, or a rule's id.
    pub code: String,
    /// Where such findings come from.
    pub source: String,
    /// Of a rule.
    pub verdict: Option<String>,
    /// How bad they are.
    pub severity: &'static str,
    /// How many.
    pub findings: u64,
}

/// How many devices changed, each counted once, by its last change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// Not there before.
    pub new: u64,
    /// Something else is said of them.
    pub changed: u64,
    /// No longer there.
    pub gone: u64,
}

/// How many devices, as `many`, of those that fit: by profile where the query lets it.
fn many(ask: &mut Sql, query: &Query, scope: &Scope) -> Result<(), StoreError> {
    if by_bucket(&query.root) {
        ask.push("CAST(SUM(p.devices) AS BIGINT) AS many FROM profile p WHERE ");
        sql::condition(ask, query, scope, &sql::PROFILES)?;
    } else {
        ask.push("COUNT(*) AS many FROM device d JOIN profile p ON p.n = d.profile WHERE ");
        sql::condition(ask, query, scope, &sql::DEVICES)?;
    }
    Ok(())
}

impl Store {
    /// Brands, makers and models of the first modules among the devices that fit a query, the most frequent first; where the model
    /// is not known there is no row.
    pub async fn modules(&self, scope: &Scope, query: &Query, most: u32) -> Result<Vec<ModuleRow>, StoreError> {
        let mut tx = self.db().read().await?;
        let query = &sql::weighed(&mut tx, query).await?;
        let mut ask = Sql::new("SELECT p.brand, p.maker, p.model, ");
        many(&mut ask, query, scope)?;
        ask.push(" AND p.model IS NOT NULL GROUP BY p.brand, p.maker, p.model ORDER BY many DESC, p.model, COALESCE(p.maker, '~'), ");
        ask.push("COALESCE(p.brand, '~') LIMIT ").bind(i64::from(most));
        let one =
            |row: &Row| Ok(ModuleRow { brand: row.opt_owned(0)?, maker: row.opt_owned(1)?, model: row.owned(2)?, devices: row.count(3)? });
        tx.fetch(ask).await?.iter().map(one).collect()
    }

    /// How many files of each format there are in the evidence and how old the newest is, the oldest first; of what the asker may
    /// see.
    pub async fn sources(&self, scope: &Scope) -> Result<Vec<SourceRow>, StoreError> {
        let mut ask = Sql::new("SELECT s.format, COUNT(*), MAX(s.at) AS newest, COUNT(DISTINCT s.n) FROM (SELECT ");
        crate::evidence::format(&mut ask, scope, "i.format");
        ask.push(
            " AS format, COALESCE(e.collected_at, e.received_at) AS at, e.n AS n FROM evidence e \
             JOIN reading r ON r.evidence = e.n JOIN input i ON i.reading = r.n WHERE ",
        );
        ask.push(LAST).push(" AND ");
        crate::evidence::seen(&mut ask, scope);
        ask.push(") s GROUP BY s.format ORDER BY newest, s.format");
        let source =
            |row: &Row| Ok(SourceRow { format: row.owned(0)?, files: row.count(1)?, newest: row.time(2)?, artefacts: row.count(3)? });
        self.db().read().await?.fetch(ask).await?.iter().map(source).collect()
    }

    /// Findings that fit a query by code, verdict and severity, the worst first.
    pub async fn codes(&self, scope: &Scope, query: &Query, most: u32) -> Result<Vec<CodeRow>, StoreError> {
        let mut tx = self.db().read().await?;
        let query = &sql::weighed(&mut tx, query).await?;
        let mut ask = Sql::new("SELECT k.code, k.source, k.verdict, k.severity, CAST(SUM(c.many) AS BIGINT) AS sum FROM (");
        if by_bucket(&query.root) {
            ask.push("SELECT t.kind, SUM(t.count) AS many FROM finding_tally t WHERE t.count > 0 AND ");
            sql::condition(&mut ask, query, scope, &sql::TALLIES)?;
            ask.push(" GROUP BY t.kind");
        } else {
            ask.push("SELECT f.kind, COUNT(*) AS many FROM finding f WHERE ");
            sql::condition(&mut ask, query, scope, &sql::FINDINGS)?;
            ask.push(" GROUP BY f.kind");
        }
        ask.push(") c JOIN finding_kind k ON k.n = c.kind GROUP BY k.code, k.source, k.verdict, k.severity ");
        ask.push("ORDER BY k.severity DESC, sum DESC, k.code, COALESCE(k.verdict, '') LIMIT ").bind(i64::from(most));
        let code = |row: &Row| {
            let severity = usize::try_from(row.int(3)?).ok().and_then(|s| SEVERITIES.get(s).copied());
            Ok(CodeRow {
                code: row.owned(0)?,
                source: row.owned(1)?,
                verdict: row.opt_owned(2)?,
                severity: severity.ok_or_else(|| StoreError::damaged("a finding has no severity"))?,
                findings: row.count(4)?,
            })
        };
        tx.fetch(ask).await?.iter().map(code).collect()
    }

    /// The number of the answer that stood at a time; 0 before the first.
    pub async fn answer_at(&self, time: Time) -> Result<i64, StoreError> {
        let ask = "SELECT COALESCE(MAX(n), 0) FROM answer WHERE at <= $1";
        self.db().read().await?.number(crate::db::sql!(ask, time)).await
    }

    /// How many devices a span of answers changed, as far as the asker sees them now. The first answer is a baseline and changes
    /// none.
    pub async fn moves(&self, scope: &Scope, span: Span) -> Result<Moves, StoreError> {
        let mut ask = Sql::new("SELECT c.what, COUNT(*) FROM change c WHERE ");
        span.ask(&mut ask);
        if scope.sites != Sites::All {
            ask.push(" AND EXISTS (SELECT 1 FROM device d WHERE d.id = c.device AND ");
            sql::scoped(&mut ask, scope, &sql::DEVICES);
            ask.push(")");
        }
        ask.push(" GROUP BY c.what");
        let mut moves = Moves::default();
        for row in self.db().read().await?.fetch(ask).await? {
            match row.text(0)? {
                "new" => moves.new = row.count(1)?,
                "gone" => moves.gone = row.count(1)?,
                _ => moves.changed = row.count(1)?,
            }
        }
        Ok(moves)
    }

    /// When somebody did something last before a time, by the audit log.
    pub async fn last_time(&self, who: &str, what: &str, before: Time) -> Result<Option<Time>, StoreError> {
        let ask = "SELECT at FROM audit WHERE who = $1 AND what = $2 AND at < $3 ORDER BY n DESC LIMIT 1";
        let row = self.db().read().await?.first(crate::db::sql!(ask, who, what, before)).await?;
        row.map(|row| row.time(0)).transpose()
    }
}
