//! Migrations: one folder of SQL that both databases read, and which of them a database has had.

use sha2::{Digest as _, Sha256};
use umbilical_core::id::hex;

use super::{Db, Engine, Sql, Tx, sql};
use crate::{StoreError, Time};

/// Every schema in order; a file that has been released is never changed.
const MIGRATIONS: &[(&str, &str)] =
    &[("base", include_str!("../../migrations/0001_base.sql")), ("people", include_str!("../../migrations/0002_people.sql"))];

/// The newest schema.
pub(crate) const NEWEST: i64 = MIGRATIONS.len() as i64;

/// Words of the migrations that the databases spell differently.
fn spelled(engine: Engine, text: &str) -> String {
    let words = match engine {
        Engine::Sqlite => [("{id}", "INTEGER PRIMARY KEY"), ("{text}", "TEXT"), ("{blob}", "BLOB"), ("{clustered}", "WITHOUT ROWID")],
        // One order of texts everywhere, whatever the locale of the database.
        Engine::Postgres => [("{id}", "BIGINT PRIMARY KEY"), ("{text}", "TEXT COLLATE \"C\""), ("{blob}", "BYTEA"), ("{clustered}", "")],
    };
    words.iter().fold(text.to_owned(), |text, (word, spelling)| text.replace(word, spelling))
}

/// Statements of a file: comments taken off, split at semicolons that end a line.
fn statements(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().map(|l| l.split("--").next().unwrap_or_default()).collect();
    code.join("\n").split(";\n").map(|s| s.trim().trim_end_matches(';').to_owned()).filter(|s| !s.is_empty()).collect()
}

/// Brings a database to a schema, each step in a transaction of its own.
pub(crate) async fn migrate(db: &Db, to: i64, now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    let found = version(&mut tx).await?;
    tx.commit().await?;
    if found > NEWEST {
        return Err(StoreError::Newer { found, known: NEWEST });
    }
    for (number, (name, text)) in (1i64..).zip(MIGRATIONS).take_while(|(n, _)| *n <= to) {
        let mut tx = db.write().await?;
        // Another program may have been here in between.
        if version(&mut tx).await? >= number {
            continue;
        }
        if number == 1 {
            tx.run(Sql::new(
                "CREATE TABLE IF NOT EXISTS migration (n BIGINT PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, at BIGINT NOT NULL)",
            ))
            .await?;
        }
        for statement in statements(&spelled(tx.engine(), text)) {
            tx.run(Sql::new(&statement)).await?;
        }
        let digest = hex(&Sha256::digest(text.as_bytes()));
        tx.run(sql!("INSERT INTO migration (n, name, sha256, at) VALUES ($1, $2, $3, $4)", number, *name, digest, now)).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The schema that a database has: 0 for a new one.
pub(crate) async fn version(tx: &mut Tx) -> Result<i64, StoreError> {
    let there = match tx.engine() {
        Engine::Sqlite => sql!("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'migration'"),
        Engine::Postgres => {
            sql!("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'migration'")
        }
    };
    if tx.number(there).await? == 0 { Ok(0) } else { tx.number(sql!("SELECT MAX(n) FROM migration")).await }
}
