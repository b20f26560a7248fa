//! Lists of findings.

use umbilical_core::finding::Finding;

use super::cursor::{Cursor, Key};
use super::devices::now;
use super::one::{finding, mask_finding};
use super::{Count, Listed, Page, Sort, Sorted, capped, sorted};
use crate::db::{Row, Sql, Tx};
use crate::error::not_found;
use crate::incident::{muted_row, part_of};
use crate::query::Query;
use crate::query::sql::{self, by_bucket};
use crate::{Scope, Store, StoreError, Time};

/// A finding in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingRow {
    /// The finding.
    pub finding: Finding,
    /// The device that it is about, if it is about one: id and name.
    pub device: Option<(String, String)>,
    /// When it was first found here.
    pub since: Time,
    /// Where it stands in triage.
    pub state: String,
    /// What people marked it with.
    pub tags: Vec<String>,
    /// Who looks after it.
    pub assigned: Option<String>,
    /// The mute that hides it, `mut-…`: it is in no list.
    pub muted: Option<String>,
}

const SORTS: &[Sort] = &[
    Sort { name: "severity", column: "k.severity", bucket: true, text: false },
    Sort { name: "code", column: "k.code", bucket: true, text: true },
    Sort { name: "confidence", column: "k.confidence", bucket: true, text: false },
];

/// Buckets that are looked at together.
const BUCKETS: usize = 400;

const COLUMNS: &str = "f.n, f.kind, f.profile, f.id, f.subject_id, f.since, b.doc, d.id, d.name";

struct Found {
    n: i64,
    kind: i64,
    profile: i64,
    key: Key,
    row: FindingRow,
}

fn read_key(row: &Row, at: usize, sort: &Sorted) -> Result<Key, StoreError> {
    Ok(match sort.by.name {
        "code" => Key::Text(row.owned(at)?),
        "confidence" => Key::Real(row.real(at)?),
        _ => Key::Int(row.int(at)?),
    })
}

fn read(row: &Row) -> Result<FindingRow, StoreError> {
    let device = match (row.opt_text(7)?, row.opt_text(8)?) {
        (Some(id), Some(name)) => Some((id.to_owned(), name.to_owned())),
        _ => None,
    };
    let finding = finding(row.text(3)?, row.text(4)?, row.blob(6)?)?;
    Ok(FindingRow { finding, device, since: row.time(5)?, state: "new".into(), tags: Vec::new(), assigned: None, muted: None })
}

impl FindingRow {
    /// The columns by which findings are sorted; `-severity` where nothing is asked.
    pub fn sorts() -> impl Iterator<Item = &'static str> {
        SORTS.iter().map(|s| s.name)
    }
}

impl Store {
    /// A page of the findings that fit a query. Fields that speak of a device ask the finding's device; `code`, `severity`,
    /// `verdict`, `confidence`, `state`, `tag` and `id` ask the finding itself.
    pub async fn findings(&self, scope: &Scope, query: &Query, page: Page<'_>) -> Result<Listed<FindingRow>, StoreError> {
        let sort = sorted(SORTS, page.sort.unwrap_or("-severity"))?;
        let after = page.after.map(|text| Cursor::read(text, "findings", query, &sort, 3)).transpose()?;
        let mut tx = self.db().read().await?;
        let query = &sql::weighed(&mut tx, query).await?;
        let count = count(&mut tx, scope, query).await?;
        let want = page.rows().saturating_add(1);
        let mut rows = if count.exact && count.n <= super::MOST_COUNTED && !by_bucket(&query.root) {
            straight(&mut tx, scope, query, &sort, after.as_ref(), want).await?
        } else {
            walk(&mut tx, scope, query, &sort, after.as_ref(), want).await?
        };
        let more = rows.len() >= want;
        rows.truncate(page.rows());
        let next = rows
            .last()
            .filter(|_| more)
            .map(|last| Cursor::new("findings", query, &sort, last.key.clone(), vec![last.kind, last.profile, last.n]).write());
        let mut rows: Vec<FindingRow> = rows.into_iter().map(|f| f.row).collect();
        decided(&mut tx, scope, &mut rows).await?;
        Ok(Listed { rows, next, count })
    }

    /// A finding by its id; one of a detector also by the id that it has in a trace, and where it is muted.
    pub async fn finding(&self, scope: &Scope, id: &str) -> Result<FindingRow, StoreError> {
        let mut tx = self.db().read().await?;
        let part = part_of(&mut tx, id).await?;
        let id = part.as_deref().unwrap_or(id);
        let mut ask = Sql::new(&format!(
            "SELECT {COLUMNS} FROM finding f JOIN finding_body b ON b.n = f.body LEFT JOIN device d ON d.n = f.device WHERE f.id = "
        ));
        ask.bind(id).push(" AND ");
        sql::scoped(&mut ask, scope, &sql::FINDINGS);
        ask.push(" ORDER BY f.n LIMIT 1");
        let mut rows = match tx.first(ask).await? {
            Some(row) => vec![read(&row)?],
            None => muted_row(&mut tx, scope, id).await?.into_iter().collect(),
        };
        decided(&mut tx, scope, &mut rows).await?;
        rows.pop().ok_or_else(|| not_found("finding", id))
    }
}

async fn count(tx: &mut Tx, scope: &Scope, query: &Query) -> Result<Count, StoreError> {
    if by_bucket(&query.root) {
        let mut ask = Sql::new("SELECT CAST(SUM(t.count) AS BIGINT) FROM finding_tally t WHERE ");
        sql::condition(&mut ask, query, scope, &sql::TALLIES)?;
        return Ok(Count { n: u64::try_from(tx.number(ask).await?).unwrap_or(0), exact: true });
    }
    let mut ask = Sql::new("SELECT 1 FROM finding f WHERE ");
    sql::condition(&mut ask, query, scope, &sql::FINDINGS)?;
    capped(tx, ask).await
}

async fn straight(
    tx: &mut Tx,
    scope: &Scope,
    query: &Query,
    sort: &Sorted,
    after: Option<&Cursor>,
    want: usize,
) -> Result<Vec<Found>, StoreError> {
    let key = sort.by.column;
    let mut ask = Sql::new("WITH fit AS MATERIALIZED (SELECT f.n AS n FROM finding f WHERE ");
    sql::condition(&mut ask, query, scope, &sql::FINDINGS)?;
    ask.push(&format!(
        ") SELECT {COLUMNS}, {key} FROM fit JOIN finding f ON f.n = fit.n JOIN finding_kind k ON k.n = f.kind \
         JOIN finding_body b ON b.n = f.body LEFT JOIN device d ON d.n = f.device WHERE 1 = 1"
    ));
    if let Some(cursor) = after {
        ask.push(&format!(" AND ({key}, f.kind, f.profile, f.n) {} (", sort.sign())).bind(cursor.key.clone());
        cursor.then.iter().for_each(|n| {
            ask.push(", ").bind(*n);
        });
        ask.push(")");
    }
    ask.push(&format!(" ORDER BY {key} {0}, f.kind {0}, f.profile {0}, f.n {0} LIMIT {want}", sort.order()));
    tx.fetch(ask).await?.iter().map(|row| found(row, sort)).collect()
}

fn found(row: &Row, sort: &Sorted) -> Result<Found, StoreError> {
    Ok(Found { n: row.int(0)?, kind: row.int(1)?, profile: row.int(2)?, key: read_key(row, 9, sort)?, row: read(row)? })
}

/// Bucket by bucket: all findings of one kind in devices of one profile.
async fn walk(
    tx: &mut Tx,
    scope: &Scope,
    query: &Query,
    sort: &Sorted,
    after: Option<&Cursor>,
    want: usize,
) -> Result<Vec<Found>, StoreError> {
    let key = sort.by.column;
    let (bucket, coarse) = (by_bucket(&query.root), query.coarse());
    let mut out: Vec<Found> = Vec::new();
    let mut last: Option<(Key, i64, i64)> = after.and_then(|c| Some((c.key.clone(), *c.then.first()?, *c.then.get(1)?)));
    let mut inside = after.and_then(|c| c.then.get(2).copied());
    loop {
        let mut ask = Sql::new(&format!(
            "SELECT t.kind, t.profile, {key} FROM finding_tally t JOIN finding_kind k ON k.n = t.kind WHERE t.count > 0 AND "
        ));
        sql::condition(&mut ask, &coarse, scope, &sql::TALLIES)?;
        if let Some((value, kind, profile)) = &last {
            let sign = if inside.is_some() { format!("{}=", sort.sign()) } else { sort.sign().to_owned() };
            ask.push(&format!(" AND ({key}, t.kind, t.profile) {sign} (")).bind(value.clone());
            ask.push(", ").bind(*kind).push(", ").bind(*profile).push(")");
        }
        ask.push(&format!(" ORDER BY {key} {0}, t.kind {0}, t.profile {0} LIMIT {BUCKETS}", sort.order()));
        let buckets = tx.fetch(ask).await?;
        for b in &buckets {
            let (kind, profile) = (b.int(0)?, b.int(1)?);
            let mut ask = Sql::new(&format!(
                "SELECT {COLUMNS} FROM finding f JOIN finding_body b ON b.n = f.body LEFT JOIN device d ON d.n = f.device WHERE f.kind = "
            ));
            ask.bind(kind).push(" AND f.profile = ").bind(profile);
            if !bucket {
                ask.push(" AND ");
                sql::condition(&mut ask, query, scope, &sql::FINDINGS)?;
            }
            if let Some(n) = inside.take().filter(|_| last.as_ref().is_some_and(|l| (l.1, l.2) == (kind, profile))) {
                ask.push(&format!(" AND f.n {} ", sort.sign())).bind(n);
            }
            ask.push(&format!(" ORDER BY f.n {} LIMIT ", sort.order())).bind(want.saturating_sub(out.len()));
            for row in tx.fetch(ask).await? {
                out.push(Found { n: row.int(0)?, kind, profile, key: read_key(b, 2, sort)?, row: read(&row)? });
            }
            if out.len() >= want {
                return Ok(out);
            }
        }
        match buckets.last() {
            Some(end) if buckets.len() >= BUCKETS => last = Some((read_key(end, 2, sort)?, end.int(0)?, end.int(1)?)),
            _ => return Ok(out),
        }
        inside = None;
    }
}

/// Adds what people decided, and masks.
pub(crate) async fn decided(tx: &mut Tx, scope: &Scope, rows: &mut [FindingRow]) -> Result<(), StoreError> {
    let mut by_id = now(tx, rows.iter().map(|r| r.finding.id.as_str())).await?;
    for row in rows {
        for (kind, value) in by_id.remove(&row.finding.id).unwrap_or_default() {
            match kind.as_str() {
                "state" => row.state = value,
                "assigned" => row.assigned = Some(value),
                "tag" => row.tags.push(value),
                _ => {}
            }
        }
        if !scope.subscribers {
            mask_finding(&mut row.finding, &[]);
        }
    }
    Ok(())
}
