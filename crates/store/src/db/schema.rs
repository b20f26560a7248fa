//! Migrations: one folder of SQL that both databases read, and which of them a database has had.

use sha2::{Digest as _, Sha256};
use umbilical_core::id::hex;

use super::{Db, Engine, Sql, Tx, sql};
use crate::{StoreError, Time};

/// Every schema in order; a file that has been released is never changed.
const MIGRATIONS: &[(&str, &str)] = &[
    ("base", include_str!("../../migrations/0001_base.sql")),
    ("people", include_str!("../../migrations/0002_people.sql")),
    ("coverage", include_str!("../../migrations/0003_coverage.sql")),
    ("read_to", include_str!("../../migrations/0004_read_to.sql")),
    ("waiver", include_str!("../../migrations/0005_waiver.sql")),
    ("reading name", include_str!("../../migrations/0006_reading_name.sql")),
    ("outbox", include_str!("../../migrations/0007_outbox.sql")),
    ("reading mapping", include_str!("../../migrations/0008_reading_mapping.sql")),
    ("waived", include_str!("../../migrations/0009_waived.sql")),
    ("traffic", include_str!("../../migrations/0010_traffic.sql")),
    ("incident", include_str!("../../migrations/0011_incident.sql")),
];

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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::query::Query;
    use crate::{By, Decision, Options, Scope, Store};

    const NOW: Time = Time(1_790_000_000_000);

    struct Folder(PathBuf);
    impl Folder {
        fn new(name: &str) -> Self {
            let since = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
            let path = std::env::temp_dir().join(format!("umbilical-schema-{name}-{}-{since}", std::process::id()));
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }
        fn options(&self) -> Options {
            Options { place: self.0.join("umbilical.db").display().to_string(), ..Options::default() }
        }
    }
    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work)
    }

    /// What a store of schema `n` holds, written without the program that is to read it.
    const ROWS: [&str; 7] = [
        "INSERT INTO evidence VALUES (1, 'evd-0', '00', 'sims.csv', 'csv', 3, NULL, NULL, 5, 'ana', 0, 'x')",
        "INSERT INTO reading (n, evidence, at, reader, schema_errors) VALUES (1, 1, 5, 'umbilical 0', 0)",
        "INSERT INTO input VALUES (1, 1, 0, 'sims.csv', 'csv', '00', 1, 3, '[]')",
        "INSERT INTO signature VALUES (1, 0, '')",
        "INSERT INTO record VALUES (1, 0, 0, 0, 7, NULL, 0, '0 name rtu-7', NULL)",
        "INSERT INTO profile VALUES (1, 'd', NULL, 'yes', NULL, NULL, NULL, NULL, NULL, 0.5, NULL, NULL, -1, NULL, 0, 1)",
        "INSERT INTO device VALUES (1, 'dev-000000000007', 1, 'rtu-7', 5, 5, 0)",
    ];

    #[test]
    fn each_earlier_schema_is_brought_up_and_keeps_its_rows() {
        for earlier in 1..=NEWEST {
            let folder = Folder::new(&format!("up{earlier}"));
            block_on(async {
                let store = Store::open_at(folder.options(), earlier, NOW).await.unwrap();
                assert_eq!(store.schema().await.unwrap(), earlier);
                let mut tx = store.db().write().await.unwrap();
                for row in ROWS {
                    tx.run(Sql::new(row)).await.unwrap();
                }
                tx.commit().await.unwrap();
                store.close().await;

                let store = Store::open_with(folder.options(), NOW).await.unwrap();
                assert_eq!(store.schema().await.unwrap(), NEWEST);
                assert_eq!(store.count_devices(&Scope::ALL, &Query::all()).await.unwrap(), 1);
                assert_eq!(store.observations().await.unwrap().observations.len(), 1);
                let by = By { who: "ana", at: NOW };
                store.decide(&Scope::ALL, by, "dev-000000000007", Decision::Tag("kept"), "", None).await.unwrap();
                assert_eq!(store.count_devices(&Scope::ALL, &Query::parse("tag:kept").unwrap()).await.unwrap(), 1);
                // Opened once more, nothing is left to do.
                store.close().await;
                let store = Store::open_with(folder.options(), NOW).await.unwrap();
                assert_eq!(store.schema().await.unwrap(), NEWEST);
                store.close().await;
            });
        }
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let folder = Folder::new("newer");
        block_on(async {
            let store = Store::open_with(folder.options(), NOW).await.unwrap();
            store.db().outside("INSERT INTO migration VALUES (99, 'later', '', 0)").await.unwrap();
            store.close().await;
            let refused = Store::open_with(folder.options(), NOW).await;
            assert!(matches!(refused, Err(StoreError::Newer { found: 99, known: NEWEST })));
        });
    }

    #[test]
    fn every_table_is_in_a_backup() {
        let made: Vec<&str> =
            MIGRATIONS.iter().flat_map(|(_, text)| text.split("CREATE TABLE ").skip(1)).filter_map(|t| t.split(' ').next()).collect();
        let mut listed: Vec<&str> = crate::backup::tables().collect();
        listed.push("staged");
        for table in made {
            assert!(listed.contains(&table), "{table} would not be in a backup");
        }
    }
}
