//! Lists of devices.

use std::collections::BTreeMap;

use super::cursor::{Cursor, Key};
use super::{Count, Listed, MOST_COUNTED, Page, Sort, Sorted, capped, sorted};
use crate::db::{Row, Sql, Tx};
use crate::query::Query;
use crate::query::sql::{self, by_bucket};
use crate::{Scope, Store, StoreError, Time};

/// A device in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceRow {
    /// `dev-…`
    pub id: String,
    /// What it is called: its first name, else its first number.
    pub name: String,
    /// Where it stands, the first of its sites.
    pub site: Option<String>,
    /// `yes`, `unknown`, `no`.
    pub cellular: String,
    /// Of its first module, or of the product that it is.
    pub brand: Option<String>,
    /// Maker of its first module.
    pub maker: Option<String>,
    /// Model of its first module, or of the product that it is.
    pub model: Option<String>,
    /// How far its first module is known.
    pub level: Option<String>,
    /// Confidence in a word.
    pub certainty: Option<String>,
    /// 0–1.
    pub confidence: f64,
    /// The first ultimate owner.
    pub owner: Option<String>,
    /// The country of that owner, where it is on file; where no owner is known, the first jurisdiction of control.
    pub country: Option<String>,
    /// The worst severity of what did not pass; `None` where everything did.
    pub severity: Option<&'static str>,
    /// The worst verdict.
    pub verdict: Option<String>,
    /// How many findings did not pass.
    pub findings: u64,
    /// When its newest evidence was collected.
    pub seen: Time,
    /// When it was first known here.
    pub since: Time,
    /// Where it stands in triage.
    pub state: String,
    /// What people marked it with.
    pub tags: Vec<String>,
    /// Who looks after it.
    pub assigned: Option<String>,
}

const SORTS: &[Sort] = &[
    Sort { name: "name", column: "d.name", bucket: false, text: true },
    Sort { name: "id", column: "d.id", bucket: false, text: true },
    Sort { name: "seen", column: "d.seen", bucket: false, text: false },
    // What is not known stands last.
    Sort { name: "site", column: "COALESCE(p.site, '~')", bucket: true, text: true },
    Sort { name: "maker", column: "COALESCE(p.maker, '~')", bucket: true, text: true },
    Sort { name: "brand", column: "COALESCE(p.brand, '~')", bucket: true, text: true },
    Sort { name: "model", column: "COALESCE(p.model, '~')", bucket: true, text: true },
    Sort { name: "owner", column: "COALESCE(p.owner, '~')", bucket: true, text: true },
    Sort { name: "country", column: "COALESCE(p.country, '~')", bucket: true, text: true },
    Sort { name: "cellular", column: "p.cellular", bucket: true, text: true },
    Sort { name: "confidence", column: "p.confidence", bucket: true, text: false },
    Sort { name: "severity", column: "p.severity", bucket: true, text: false },
    Sort { name: "findings", column: "p.findings", bucket: true, text: false },
];

const COLUMNS: &str = "d.n, d.profile, d.id, d.name, d.seen, d.since, p.site, p.cellular, p.brand, p.maker, p.model, p.level, p.certainty, \
                       p.confidence, p.owner, p.country, p.severity, p.verdict, p.findings";

/// Profiles that are looked at together.
const BUCKETS: usize = 400;

impl DeviceRow {
    /// The columns by which devices are sorted; `name` where nothing is asked.
    pub fn sorts() -> impl Iterator<Item = &'static str> {
        SORTS.iter().map(|s| s.name)
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        let severity = usize::try_from(row.int(16)?).ok().and_then(|s| crate::query::SEVERITIES.get(s).copied());
        Ok(Self {
            id: row.owned(2)?,
            name: row.owned(3)?,
            seen: row.time(4)?,
            since: row.time(5)?,
            site: row.opt_owned(6)?,
            cellular: row.owned(7)?,
            brand: row.opt_owned(8)?,
            maker: row.opt_owned(9)?,
            model: row.opt_owned(10)?,
            level: row.opt_owned(11)?,
            certainty: row.opt_owned(12)?,
            confidence: row.real(13)?,
            owner: row.opt_owned(14)?,
            country: row.opt_owned(15)?,
            severity,
            verdict: row.opt_owned(17)?,
            findings: row.count(18)?,
            state: "new".into(),
            tags: Vec::new(),
            assigned: None,
        })
    }
}

/// A row with what a cursor needs of it.
struct Found {
    n: i64,
    profile: i64,
    key: Key,
    row: DeviceRow,
}

fn found(row: &Row, sort: &Sorted) -> Result<Found, StoreError> {
    let key = match (sort.by.text, sort.by.name) {
        (true, _) => Key::Text(row.owned(19)?),
        (false, "confidence") => Key::Real(row.real(19)?),
        (false, _) => Key::Int(row.int(19)?),
    };
    Ok(Found { n: row.int(0)?, profile: row.int(1)?, key, row: DeviceRow::from_row(row)? })
}

impl Store {
    /// A page of the devices that fit a query, as far as the asker may see them.
    pub async fn devices(&self, scope: &Scope, query: &Query, page: Page<'_>) -> Result<Listed<DeviceRow>, StoreError> {
        let sort = sorted(SORTS, page.sort.unwrap_or("name"))?;
        let width = if sort.by.bucket { 2 } else { 1 };
        let after = page.after.map(|text| Cursor::read(text, "devices", query, &sort, width)).transpose()?;
        let mut tx = self.db().read().await?;
        let query = &sql::weighed(&mut tx, query).await?;
        let count = count(&mut tx, scope, query).await?;
        let want = page.rows().saturating_add(1);
        let few = count.exact && count.n <= MOST_COUNTED;
        // What profiles answer alone is not gathered: its order is that of the profiles.
        let mut rows = match (few && !(sort.by.bucket && by_bucket(&query.root)), sort.by.bucket) {
            (true, _) => straight(&mut tx, scope, query, &sort, after.as_ref(), want).await?,
            (false, false) => along(&mut tx, scope, query, &sort, after.as_ref(), want).await?,
            (false, true) => walk(&mut tx, scope, query, &sort, after.as_ref(), want).await?,
        };
        let more = rows.len() >= want;
        rows.truncate(page.rows());
        let next = rows.last().filter(|_| more).map(|last| {
            let then = if sort.by.bucket { vec![last.profile, last.n] } else { vec![last.n] };
            Cursor::new("devices", query, &sort, last.key.clone(), then).write()
        });
        let mut rows: Vec<DeviceRow> = rows.into_iter().map(|f| f.row).collect();
        decided(&mut tx, &mut rows).await?;
        Ok(Listed { rows, next, count })
    }

    /// How many devices fit a query, counted to the last.
    pub async fn count_devices(&self, scope: &Scope, query: &Query) -> Result<u64, StoreError> {
        let mut tx = self.db().read().await?;
        let query = &sql::weighed(&mut tx, query).await?;
        let counted = count(&mut tx, scope, query).await?;
        if counted.exact {
            return Ok(counted.n);
        }
        let mut ask = Sql::new("SELECT COUNT(*) FROM device d WHERE ");
        sql::condition(&mut ask, query, scope, &sql::DEVICES)?;
        Ok(u64::try_from(tx.number(ask).await?).unwrap_or(0))
    }
}

pub(super) async fn count(tx: &mut Tx, scope: &Scope, query: &Query) -> Result<Count, StoreError> {
    if by_bucket(&query.root) {
        let mut ask = Sql::new("SELECT CAST(SUM(p.devices) AS BIGINT) FROM profile p WHERE ");
        sql::condition(&mut ask, query, scope, &sql::PROFILES)?;
        return Ok(Count { n: u64::try_from(tx.number(ask).await?).unwrap_or(0), exact: true });
    }
    let mut ask = Sql::new("SELECT 1 FROM device d WHERE ");
    sql::condition(&mut ask, query, scope, &sql::DEVICES)?;
    capped(tx, ask).await
}

/// The order of a list behind a row, as a condition: `(key, profile, device) > (…)`.
fn behind(ask: &mut Sql, sort: &Sorted, column: &str, cursor: &Cursor) {
    let then: &[&str] = if sort.by.bucket { &["d.profile", "d.n"] } else { &["d.n"] };
    ask.push(" AND (").push(column).push(", ").push(&then.join(", ")).push(&format!(") {} (", sort.sign()));
    ask.bind(cursor.key.clone());
    for n in &cursor.then {
        ask.push(", ").bind(*n);
    }
    ask.push(")");
}

/// Few rows: those that fit are found first, then sorted.
async fn straight(
    tx: &mut Tx,
    scope: &Scope,
    query: &Query,
    sort: &Sorted,
    after: Option<&Cursor>,
    want: usize,
) -> Result<Vec<Found>, StoreError> {
    // The planner must not walk along the order of names for three rows: COALESCE hides the index from it.
    let key = if sort.by.bucket {
        sort.by.column.to_owned()
    } else {
        format!("COALESCE({}, {})", sort.by.column, if sort.by.text { "''" } else { "0" })
    };
    // What fits is found by itself: where a page begins tells the planner nothing of it, and misleads it.
    let mut ask = Sql::new("WITH fit AS MATERIALIZED (SELECT d.n AS n FROM device d WHERE ");
    sql::condition(&mut ask, query, scope, &sql::DEVICES)?;
    ask.push(&format!(") SELECT {COLUMNS}, {key} FROM fit JOIN device d ON d.n = fit.n JOIN profile p ON p.n = d.profile WHERE 1 = 1"));
    if let Some(cursor) = after {
        behind(&mut ask, sort, &key, cursor);
    }
    let (order, then) = (sort.order(), if sort.by.bucket { "d.profile" } else { "d.n" });
    ask.push(&format!(" ORDER BY {key} {order}, {then} {order}, d.n {order} LIMIT {want}"));
    tx.fetch(ask).await?.iter().map(|row| found(row, sort)).collect()
}

/// Many rows, sorted by a column of their own: along its index until enough fit.
async fn along(
    tx: &mut Tx,
    scope: &Scope,
    query: &Query,
    sort: &Sorted,
    after: Option<&Cursor>,
    want: usize,
) -> Result<Vec<Found>, StoreError> {
    let key = sort.by.column;
    let mut ask = Sql::new(&format!("SELECT {COLUMNS}, {key} FROM device d JOIN profile p ON p.n = d.profile WHERE "));
    // With `+ 0` the index of profiles is out of the question.
    let columns = sql::Columns { profile: "d.profile + 0", ..sql::DEVICES };
    sql::condition(&mut ask, query, scope, &columns)?;
    if let Some(cursor) = after {
        behind(&mut ask, sort, key, cursor);
    }
    let order = sort.order();
    ask.push(&format!(" ORDER BY {key} {order}, d.n {order} LIMIT {want}"));
    tx.fetch(ask).await?.iter().map(|row| found(row, sort)).collect()
}

/// Many rows, sorted by a column of their profiles: profile by profile.
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
    // Key and number of the profile that was looked at last, and the row in it behind which to go on.
    let mut last: Option<(Key, i64)> = after.and_then(|c| Some((c.key.clone(), *c.then.first()?)));
    let mut inside = after.and_then(|c| c.then.get(1).copied());
    loop {
        let mut ask = Sql::new(&format!("SELECT p.n, {key}, p.devices FROM profile p WHERE p.devices > 0 AND "));
        sql::condition(&mut ask, &coarse, scope, &sql::PROFILES)?;
        if let Some((key_value, n)) = &last {
            // The profile in which the page before ended is looked at once more.
            let sign = if inside.is_some() { format!("{}=", sort.sign()) } else { sort.sign().to_owned() };
            ask.push(&format!(" AND ({key}, p.n) {sign} (")).bind(key_value.clone()).push(", ").bind(*n).push(")");
        }
        ask.push(&format!(" ORDER BY {key} {0}, p.n {0} LIMIT {BUCKETS}", sort.order()));
        let profiles = tx.fetch(ask).await?;
        let Some(end) = profiles.last() else { return Ok(out) };
        let end = (key_of(end, sort)?, end.int(0)?);
        let mut rest = profiles.as_slice();
        while !rest.is_empty() && out.len() < want {
            // Small profiles are asked for together, a large one by itself.
            let mut size = 0u64;
            let mut together = 0;
            for profile in rest {
                size = size.saturating_add(profile.count(2)?);
                together += 1;
                if size >= want as u64 {
                    break;
                }
            }
            let (now, later) = rest.split_at_checked(together).unwrap_or((rest, &[]));
            rest = later;
            let mut ask =
                Sql::new(&format!("SELECT {COLUMNS}, {key} FROM device d JOIN profile p ON p.n = d.profile WHERE d.profile IN ("));
            let numbers = now.iter().map(|p| p.int(0)).collect::<Result<Vec<_>, _>>()?;
            ask.bind_all(numbers.iter().copied()).push(")");
            if !bucket {
                ask.push(" AND ");
                sql::condition(&mut ask, query, scope, &sql::DEVICES)?;
            }
            if let (Some(n), Some((_, profile))) = (inside, &last)
                && numbers.contains(profile)
            {
                ask.push(" AND (d.profile <> ").bind(*profile).push(&format!(" OR d.n {} ", sort.sign())).bind(n).push(")");
            }
            let order = sort.order();
            ask.push(&format!(" ORDER BY {key} {order}, d.profile {order}, d.n {order} LIMIT ")).bind(want.saturating_sub(out.len()));
            for row in tx.fetch(ask).await? {
                out.push(found(&row, sort)?);
            }
        }
        if out.len() >= want || profiles.len() < BUCKETS {
            return Ok(out);
        }
        (last, inside) = (Some(end), None);
    }
}

fn key_of(row: &Row, sort: &Sorted) -> Result<Key, StoreError> {
    Ok(match (sort.by.text, sort.by.name) {
        (true, _) => Key::Text(row.owned(1)?),
        (false, "confidence") => Key::Real(row.real(1)?),
        (false, _) => Key::Int(row.int(1)?),
    })
}

/// Adds what people decided.
async fn decided(tx: &mut Tx, rows: &mut [DeviceRow]) -> Result<(), StoreError> {
    let mut by_id = now(tx, rows.iter().map(|r| r.id.as_str())).await?;
    for row in rows {
        for (kind, value) in by_id.remove(&row.id).unwrap_or_default() {
            match kind.as_str() {
                "state" => row.state = value,
                "assigned" => row.assigned = Some(value),
                "tag" => row.tags.push(value),
                _ => {}
            }
        }
    }
    Ok(())
}

/// What holds of these things now, by their ids.
pub(super) async fn now<'a>(
    tx: &mut Tx,
    ids: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, Vec<(String, String)>>, StoreError> {
    let mut ask = Sql::new("SELECT subject, kind, value FROM decision_now WHERE subject IN (");
    ask.bind_all(ids).push(") ORDER BY subject, kind, folded");
    let mut out: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for row in tx.fetch(ask).await? {
        out.entry(row.owned(0)?).or_default().push((row.owned(1)?, row.owned(2)?));
    }
    Ok(out)
}
