//! What the rows of a list have in common, with counts.

use crate::db::{Row, Sql};
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

impl Store {
    /// The values of these fields among the devices that fit a query, at most `most` for each.
    pub async fn facets(&self, scope: &Scope, query: &Query, fields: &[&str], most: u32) -> Result<Vec<Facet>, StoreError> {
        let known = |name: &&str| {
            let field = FIELDS.iter().find(|f| f.0 == *name && matches!(f.2, What::Word(_) | What::Ranked(_)));
            field
                .map(|f| f.0)
                .ok_or_else(|| StoreError::Invalid(format!("there are no facets of `{}`", umbilical_core::text::short(name, 40))))
        };
        let fields = fields.iter().map(known).collect::<Result<Vec<&'static str>, _>>()?;
        let mut tx = self.db().read().await?;
        let query = &sql::weighed(&mut tx, query).await?;
        let mut ask = Sql::new("SELECT w.field, w.shown, CAST(SUM(c.devices) AS BIGINT) AS devices FROM (");
        if by_bucket(&query.root) {
            ask.push("SELECT p.n, p.devices FROM profile p WHERE ");
            sql::condition(&mut ask, query, scope, &sql::PROFILES)?;
        } else {
            ask.push("SELECT d.profile AS n, COUNT(*) AS devices FROM device d WHERE ");
            sql::condition(&mut ask, query, scope, &sql::DEVICES)?;
            ask.push(" GROUP BY d.profile");
        }
        ask.push(") c JOIN profile_word pw ON pw.profile = c.n JOIN word w ON w.n = pw.word WHERE w.field IN (");
        ask.bind_all(fields.iter().copied()).push(") GROUP BY w.n, w.field, w.shown ORDER BY devices DESC, w.shown");
        let rows = tx.fetch(ask).await?;
        let value = |row: &Row| Ok(FacetValue { value: row.owned(1)?, devices: row.count(2)? });
        let of = |field: &'static str| {
            let rows = rows.iter().filter(|row| row.text(0).is_ok_and(|f| f == field)).take(most as usize);
            Ok(Facet { field, values: rows.map(value).collect::<Result<_, StoreError>>()? })
        };
        fields.into_iter().map(of).collect()
    }
}
