//! How long evidence is kept. What people decided, and that there was evidence, stays.

use serde_json::json;

use crate::audit::append;
use crate::db::{Sql, sql};
use crate::{By, Store, StoreError};

/// How long, in days since it came in; `None` for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// The bytes of artefacts.
    pub bytes: Option<u32>,
    /// What was read from them: what rests on them alone is gone from the next answer on.
    pub observations: Option<u32>,
}

/// What was taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Artefacts whose bytes are no longer kept.
    pub bytes: u64,
    /// Artefacts whose observations are no longer kept.
    pub observations: u64,
}

/// Tables of a reading that go with its observations. Its inputs stay: devices of the present answer name them.
const READ: [&str; 6] = ["record", "signature", "fact", "unit", "extra", "problem"];

impl Store {
    /// Takes away what is older than the policy says, with a row in the audit log.
    pub async fn retain(&self, by: By<'_>, policy: Retention) -> Result<Retained, StoreError> {
        let mut tx = self.db().write().await?;
        let mut out = Retained::default();
        for (what, days) in [("bytes", policy.bytes), ("observations", policy.observations)] {
            let Some(days) = days else { continue };
            let ask = "SELECT e.n, e.id FROM evidence e WHERE e.received_at < $1 AND (e.kept = 1 OR $2 <> 'bytes') \
                       AND NOT EXISTS (SELECT 1 FROM dropped d WHERE d.evidence = e.n AND d.what = $2) ORDER BY e.n";
            let old = tx.fetch(sql!(ask, by.at.days_before(days), what)).await?;
            for row in &old {
                let n = row.int(0)?;
                if what == "bytes" {
                    tx.run(sql!("DELETE FROM chunk WHERE evidence = $1", n)).await?;
                } else {
                    for table in READ {
                        let delete = format!("DELETE FROM {table} WHERE reading IN (SELECT r.n FROM reading r WHERE r.evidence = $1)");
                        tx.run(Sql::with(&delete, [n.into()])).await?;
                    }
                }
                tx.run(sql!("INSERT INTO dropped (evidence, what, at, by_whom) VALUES ($1, $2, $3, $4)", n, what, by.at, by.who)).await?;
            }
            if old.is_empty() {
                continue;
            }
            *(if what == "bytes" { &mut out.bytes } else { &mut out.observations }) = old.len() as u64;
            let first: Vec<&str> = old.iter().take(20).map(|row| row.text(1)).collect::<Result<_, _>>()?;
            append(&mut tx, by, "retain", what, &json!({"days": days, "artefacts": old.len(), "first": first})).await?;
        }
        if out == Retained::default() {
            return Ok(out);
        }
        let head = append(&mut tx, by, "retain.done", "", &json!({"bytes": out.bytes, "observations": out.observations})).await?;
        self.commit(tx, &head).await?;
        Ok(out)
    }
}
