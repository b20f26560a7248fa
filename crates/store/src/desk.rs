//! What a working place needs: saved views, settings, jobs.

use serde_json::{Value as Json, json};
use umbilical_core::id::content_id;

use crate::audit::append;
use crate::db::{Row, sql};
use crate::error::not_found;
use crate::query::Query;
use crate::{By, Role, Store, StoreError, Time, pack};

/// A list that somebody comes back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// `viw-…`; given by [`Store::save_view`].
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Whose it is: a person's id.
    pub person: String,
    /// Roles that see it, too.
    pub shared: Vec<Role>,
    /// `devices` or `findings`.
    pub list: String,
    /// The query.
    pub query: String,
    /// The sort, as [`crate::Page::sort`] wants it.
    pub sort: Option<String>,
    /// The columns shown.
    pub columns: Vec<String>,
    /// When it was last changed.
    pub changed: Time,
}

/// A piece of long work.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its number.
    pub n: i64,
    /// `import`, `recompute`, …
    pub kind: String,
    /// `waiting`, `running`, `done`, `failed`.
    pub state: String,
    /// Who began it.
    pub who: String,
    /// When.
    pub created: Time,
    /// When its state last changed.
    pub changed: Time,
    /// Counts, problems, what failed: in the caller's words.
    pub detail: Json,
}

/// The states of jobs.
pub const JOB_STATES: [&str; 4] = ["waiting", "running", "done", "failed"];

/// Something that an artefact's readers could not understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptProblem {
    /// Path of the input.
    pub path: Option<String>,
    /// `line 7`.
    pub at: String,
    /// What, and what to do.
    pub what: String,
}

impl Store {
    /// Saves a view: one person has one of a name.
    pub async fn save_view(&self, by: By<'_>, view: &View) -> Result<String, StoreError> {
        if view.name.trim().is_empty() || view.name.len() > 200 {
            return Err(StoreError::field("name", "a view has a name of 1 to 200 bytes"));
        }
        if !["devices", "findings"].contains(&view.list.as_str()) {
            return Err(StoreError::field("list", "a view is of `devices` or of `findings`"));
        }
        Query::parse(&view.query)?;
        let id = content_id("viw-", &view.person, view.name.trim());
        let mut tx = self.db().write().await?;
        let put = "INSERT INTO view (id, name, person, shared, list, query, sort, columns, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                   ON CONFLICT (id) DO UPDATE SET shared = excluded.shared, list = excluded.list, query = excluded.query, sort = excluded.sort, \
                   columns = excluded.columns, changed = excluded.changed";
        let shared = view.shared.iter().map(|r| r.name()).collect::<Vec<_>>().join(" ");
        let columns = String::from_utf8_lossy(&pack::json(&view.columns)?).into_owned();
        let values = sql!(put, &id, view.name.trim(), &view.person, shared, &view.list, &view.query, view.sort.as_deref(), columns, by.at);
        tx.run(values).await?;
        let head = append(&mut tx, by, "view.save", &id, &json!({"name": view.name, "query": view.query})).await?;
        self.commit(tx, &head).await?;
        Ok(id)
    }

    /// The views of a person, and those that others share with one of its roles; by name.
    pub async fn views(&self, person: &str, roles: &[Role]) -> Result<Vec<View>, StoreError> {
        let mut tx = self.db().read().await?;
        let rows =
            tx.fetch(sql!("SELECT id, name, person, shared, list, query, sort, columns, changed FROM view ORDER BY name, id")).await?;
        let read = |row: &Row| {
            Ok(View {
                id: row.owned(0)?,
                name: row.owned(1)?,
                person: row.owned(2)?,
                shared: row.text(3)?.split_ascii_whitespace().filter_map(Role::from_name).collect(),
                list: row.owned(4)?,
                query: row.owned(5)?,
                sort: row.opt_owned(6)?,
                columns: pack::parse(row.text(7)?.as_bytes())?,
                changed: row.time(8)?,
            })
        };
        let all = rows.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
        Ok(all.into_iter().filter(|v| v.person == person || v.shared.iter().any(|r| roles.contains(r))).collect())
    }

    /// Takes a person's view away.
    pub async fn remove_view(&self, by: By<'_>, person: &str, id: &str) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        if tx.run(sql!("DELETE FROM view WHERE id = $1 AND person = $2", id, person)).await? == 0 {
            return Err(not_found("view", id));
        }
        let head = append(&mut tx, by, "view.remove", id, &json!({})).await?;
        self.commit(tx, &head).await
    }

    /// A setting; `None` where it was never set.
    pub async fn setting(&self, name: &str) -> Result<Option<Json>, StoreError> {
        let row = self.db().read().await?.first(sql!("SELECT value FROM setting WHERE name = $1", name)).await?;
        row.map(|row| pack::parse(row.text(0)?.as_bytes())).transpose()
    }

    /// Sets a setting. What is `secret` is not written to the audit log.
    pub async fn set_setting(&self, by: By<'_>, name: &str, value: &Json, secret: bool) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        let put = "INSERT INTO setting (name, value, at, who) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = excluded.at, who = excluded.who";
        tx.run(sql!(put, name, String::from_utf8_lossy(&pack::json(value)?).into_owned(), by.at, by.who)).await?;
        let shown = if secret { json!("not shown") } else { value.clone() };
        let head = append(&mut tx, by, "setting", name, &json!({"value": shown})).await?;
        self.commit(tx, &head).await
    }

    /// Begins a piece of long work and gives its number.
    pub async fn begin_job(&self, by: By<'_>, kind: &str, detail: &Json) -> Result<i64, StoreError> {
        let mut tx = self.db().write().await?;
        let n = tx.next("job").await?;
        let insert = "INSERT INTO job (n, kind, state, who, created, changed, detail) VALUES ($1, $2, 'waiting', $3, $4, $4, $5)";
        tx.run(sql!(insert, n, kind, by.who, by.at, String::from_utf8_lossy(&pack::json(detail)?).into_owned())).await?;
        tx.commit().await?;
        Ok(n)
    }

    /// Says how far a piece of long work is.
    pub async fn set_job(&self, n: i64, state: &str, detail: &Json, at: Time) -> Result<(), StoreError> {
        if !JOB_STATES.contains(&state) {
            return Err(StoreError::Invalid(format!("a job is {}", JOB_STATES.join(", "))));
        }
        let mut tx = self.db().write().await?;
        let text = String::from_utf8_lossy(&pack::json(detail)?).into_owned();
        if tx.run(sql!("UPDATE job SET state = $2, detail = $3, changed = $4 WHERE n = $1", n, state, text, at)).await? == 0 {
            return Err(not_found("job", &n.to_string()));
        }
        tx.commit().await
    }

    /// A piece of long work.
    pub async fn job(&self, n: i64) -> Result<Job, StoreError> {
        let row =
            self.db().read().await?.first(sql!("SELECT n, kind, state, who, created, changed, detail FROM job WHERE n = $1", n)).await?;
        job(&row.ok_or_else(|| not_found("job", &n.to_string()))?)
    }

    /// The newest pieces of long work.
    pub async fn jobs(&self, limit: u32) -> Result<Vec<Job>, StoreError> {
        let mut tx = self.db().read().await?;
        let ask = "SELECT n, kind, state, who, created, changed, detail FROM job ORDER BY n DESC LIMIT $1";
        tx.fetch(sql!(ask, i64::from(limit.clamp(1, 1000)))).await?.iter().map(job).collect()
    }

    /// At start: what was under way when the program ended has failed. Says how many.
    pub async fn fail_jobs(&self, at: Time) -> Result<u64, StoreError> {
        let mut tx = self.db().write().await?;
        let n = tx.run(sql!("UPDATE job SET state = 'failed', changed = $1 WHERE state IN ('waiting', 'running')", at)).await?;
        tx.commit().await?;
        Ok(n)
    }
}

fn job(row: &Row) -> Result<Job, StoreError> {
    Ok(Job {
        n: row.int(0)?,
        kind: row.owned(1)?,
        state: row.owned(2)?,
        who: row.owned(3)?,
        created: row.time(4)?,
        changed: row.time(5)?,
        detail: pack::parse(row.text(6)?.as_bytes())?,
    })
}
