//! What the rows of a list have in common, with counts.

use crate::db::{Row, Sql, Tx};
use crate::query::sql::{self, by_bucket};
use crate::query::{FIELDS, Query, What};
use crate::{Scope, Store, StoreError};

/// A field and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// Name of the field in queries.
    pub field: &'static str,
    /// The values, most frequent first, then by name.
    pub values: Vec<FacetValue>,
}

/// A value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetValue {
    /// As it stands; `field:"value"` asks for it.
    pub value: String,
    /// How many devices of the list have it.
    pub devices: u64,
}

/// How many devices have a value of one field and one of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossed {
    /// The value of the first field.
    pub value: String,
    /// That of the second; `None`: they have none.
    pub with: Option<String>,
    /// How many devices.
    pub devices: u64,
}

/// The field of this name, if its values are words.
fn worded(name: &str) -> Result<&'static str, StoreError> {
    let field = FIELDS.iter().find(|f| f.0 == name && matches!(f.2, What::Word(_) | What::Ranked(_)));
    field.map(|f| f.0).ok_or_else(|| StoreError::Invalid(format!("there are no facets of `{}`", umbilical_core::text::short(name, 40))))
}

impl Store {
    /// The values of these fields among the devices that fit a query, at most `most` for each.
    pub async fn facets(&self, scope: &Scope, query: &Query, fields: &[&str], most: u32) -> Result<Vec<Facet>, StoreError> {
        let fields = fields.iter().map(|name| worded(name)).collect::<Result<Vec<&'static str>, _>>()?;
        let mut tx = self.db().read().await?;
        let query = &sql::weighed(&mut tx, query).await?;
        let mut ask = Sql::new("SELECT w.field, w.shown, x.devices FROM (SELECT pw.word, CAST(SUM(");
        if wide(&mut tx, query, scope).await? {
            ask.push("p.devices) AS BIGINT) AS devices FROM profile_word pw JOIN profile p ON p.n = pw.profile WHERE pw.word IN (");
            ask.push("SELECT v.n FROM word v WHERE v.field IN (").bind_all(fields.iter().copied()).push(")) AND ");
            sql::condition(&mut ask, query, scope, &sql::WORDS)?;
        } else {
            ask.push("c.devices) AS BIGINT) AS devices FROM (");
            if by_bucket(&query.root) {
                ask.push("SELECT p.n, p.devices FROM profile p WHERE ");
                sql::condition(&mut ask, query, scope, &sql::PROFILES)?;
            } else {
                ask.push("SELECT d.profile AS n, COUNT(*) AS devices FROM device d WHERE ");
                sql::condition(&mut ask, query, scope, &sql::DEVICES)?;
                ask.push(" GROUP BY d.profile");
            }
            ask.push(") c JOIN profile_word pw ON pw.profile = c.n JOIN word v ON v.n = pw.word WHERE v.field IN (");
            ask.bind_all(fields.iter().copied()).push(")");
        }
        ask.push(" GROUP BY pw.word) x JOIN word w ON w.n = x.word ORDER BY x.devices DESC, w.shown");
        let rows = tx.fetch(ask).await?;
        let value = |row: &Row| Ok(FacetValue { value: row.owned(1)?, devices: row.count(2)? });
        let of = |field: &'static str| {
            let rows = rows.iter().filter(|row| row.text(0).is_ok_and(|f| f == field)).take(most as usize);
            Ok(Facet { field, values: rows.map(value).collect::<Result<_, StoreError>>()? })
        };
        fields.into_iter().map(of).collect()
    }

    /// Two fields against each other among the devices that fit a query about what devices of a profile share: every pair that any
    /// device has, and how many have a value of the first alone. A device with two values counts for both, as in its facets.
    pub async fn crossed(&self, scope: &Scope, query: &Query, of: &str, with: &str) -> Result<Vec<Crossed>, StoreError> {
        let (of, with) = (worded(of)?, worded(with)?);
        if !by_bucket(&query.root) {
            return Err(StoreError::Invalid("fields are crossed only by what profiles say".to_owned()));
        }
        let mut ask = Sql::new("SELECT a.shown, b.shown, x.devices FROM (SELECT pw.word, o.word AS other, CAST(SUM(p.devices) AS BIGINT) ");
        ask.push("AS devices FROM profile_word pw JOIN profile p ON p.n = pw.profile LEFT JOIN profile_word o ON o.profile = pw.profile ");
        ask.push("AND o.word IN (SELECT v.n FROM word v WHERE v.field = ").bind(with);
        ask.push(") WHERE pw.word IN (SELECT v.n FROM word v WHERE v.field = ").bind(of).push(") AND ");
        sql::condition(&mut ask, query, scope, &sql::WORDS)?;
        ask.push(" GROUP BY pw.word, o.word) x JOIN word a ON a.n = x.word LEFT JOIN word b ON b.n = x.other ");
        ask.push("ORDER BY x.devices DESC, a.shown, COALESCE(b.shown, '')");
        let one = |row: &Row| Ok(Crossed { value: row.owned(0)?, with: row.opt_owned(1)?, devices: row.count(2)? });
        self.db().read().await?.fetch(ask).await?.iter().map(one).collect()
    }
}

/// Whether a query leaves so many of the profiles that their words are sooner counted word by word than profile by profile.
async fn wide(tx: &mut Tx, query: &Query, scope: &Scope) -> Result<bool, StoreError> {
    if !by_bucket(&query.root) {
        return Ok(false);
    }
    let mut ask = Sql::new("SELECT COUNT(*) FROM profile p WHERE ");
    sql::condition(&mut ask, query, scope, &sql::PROFILES)?;
    let fit = tx.number(ask).await?;
    let all = tx.number(Sql::new("SELECT COUNT(*) FROM profile")).await?;
    Ok(fit.saturating_mul(4) >= all)
}
