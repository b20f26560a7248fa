//! Files: backups, damage, and logs that somebody wrote to.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use sqlx::{Connection as _, Executor as _};
use umbilical_store::query::Query;
use umbilical_store::{
    By, Content, Decision, NewEvidence, Options, Retained, Retention, Scope, Store, StoreError, Time, last_good, verify_backup,
};

use crate::answers::{answer, fleet_of};
use crate::support::{Folder, ME, NOW, block_on, fleet, postgres};

async fn write(path: &str, text: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut db = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    db.execute(sqlx::AssertSqlSafe(text.to_owned())).await.unwrap();
    db.close().await.unwrap();
}

#[test]
fn a_log_that_was_written_to_shows() {
    let folder = Folder::new("tamper");
    block_on(async {
        let store = Store::open(&folder.db(), NOW).await.unwrap();
        fleet_of(&store, 5).await;
        for n in 0..5 {
            store.decide(&Scope::ALL, ME, &fleet::id(n), Decision::Note, "seen", None).await.unwrap();
        }
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
        store.close().await;
        // Each is done to a copy of the whole folder.
        let changes = [
            ("UPDATE audit SET detail = REPLACE(detail, 'note', 'nota') WHERE n = 4", "row 4 of the log"),
            ("UPDATE audit SET at = at + 1 WHERE n = 2", "row 2 of the log"),
            ("DELETE FROM audit WHERE n = 3", "are missing"),
            ("DELETE FROM audit WHERE n > 5; UPDATE audit_head SET n = 5, chain = (SELECT chain FROM audit WHERE n = 5)", "shortened"),
            ("DELETE FROM audit; DELETE FROM audit_head", "shortened"),
            (
                "UPDATE audit SET n = 100 WHERE n = 2; UPDATE audit SET n = 2 WHERE n = 3; UPDATE audit SET n = 3 WHERE n = 100",
                "row 2 of the log",
            ),
            ("UPDATE decision SET comment = 'seem' WHERE n = 2", "decision 2"),
            ("DELETE FROM decision WHERE n = 2", "decision 3"),
            ("UPDATE evidence SET name = 'other.csv' WHERE n = 1", "chain of custody"),
            ("UPDATE chunk SET bytes = x'789c4b04000062' WHERE evidence = 1", "are not those that came in"),
        ];
        for (change, said) in changes {
            let copy = Folder::new("tampered");
            for name in ["umbilical.db", "umbilical.db.audit-head"] {
                std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
            }
            write(&copy.db(), change).await;
            let store = Store::open(&copy.db(), NOW).await.unwrap();
            let wrong = store.check().await.unwrap();
            assert!(wrong.iter().any(|w| w.contains(said)), "{change}: {wrong:?}");
            store.close().await;
        }
        std::fs::remove_file(folder.path().join("umbilical.db.audit-head")).unwrap();
        let store = Store::open(&folder.db(), NOW).await.unwrap();
        assert_eq!(store.verify_audit(None).await.unwrap().len(), 1);
        store.close().await;
    });
}

async fn filled(place: &str, folder: &Folder) -> Store {
    let options = Options { place: place.to_owned(), backups: Some(folder.path().join("backups")), ..Options::default() };
    let store = Store::open_with(options, NOW).await.unwrap();
    fleet_of(&store, 300).await;
    store.decide(&Scope::ALL, ME, &fleet::id(3), Decision::Tag("kept"), "tab\tand\nline", None).await.unwrap();
    store
}

async fn same(a: &Store, b: &Store) {
    for text in ["", "tag:kept", "maker:acme confidence>0.9", "imei:35123*"] {
        let query = Query::parse(text).unwrap();
        let rows = |s: &Store| {
            let (s, query) = (s.clone(), query.clone());
            async move { s.devices(&Scope::ALL, &query, Default::default()).await.unwrap().rows }
        };
        assert_eq!(rows(a).await, rows(b).await, "{text}");
    }
    assert_eq!(
        format!("{:?}", a.observations().await.unwrap().observations),
        format!("{:?}", b.observations().await.unwrap().observations)
    );
    assert_eq!(b.check().await.unwrap(), Vec::<String>::new());
    let whole = |s: &Store| {
        let s = s.clone();
        async move { serde_json::to_value(&s.device(&Scope::ALL, &fleet::id(7)).await.unwrap().device).unwrap() }
    };
    assert_eq!(whole(a).await, whole(b).await);
}

#[test]
fn a_backup_is_restored() {
    let folder = Folder::new("backup");
    block_on(async {
        let store = filled(&folder.db(), &folder).await;
        let backup = store.backup(ME, 2).await.unwrap();
        let place = folder.path().join("new.db").display().to_string();
        let restored = Store::restore(&backup, Options { place: place.clone(), ..Options::default() }, ME).await.unwrap();
        same(&store, &restored).await;
        // Work goes on in it.
        restored.decide(&Scope::ALL, ME, &fleet::id(4), Decision::Note, "after", None).await.unwrap();
        assert_eq!(restored.check().await.unwrap(), Vec::<String>::new());
        restored.close().await;
        let again = Store::restore(&backup, Options { place, ..Options::default() }, ME).await;
        assert!(matches!(again, Err(StoreError::Conflict(_))));
        // Only the newest are kept, and a half one is none.
        for n in 1..=3 {
            store.backup(By { at: Time(NOW.0 + n), ..ME }, 2).await.unwrap();
        }
        assert_eq!(std::fs::read_dir(folder.path().join("backups")).unwrap().count(), 2);
        let newest = last_good(&folder.path().join("backups")).unwrap();
        let bytes = std::fs::read(&newest).unwrap();
        for cut in [0, 10, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&newest, &bytes[..cut]).unwrap();
            assert!(verify_backup(&newest).is_err(), "{cut}");
        }
        assert_ne!(last_good(&folder.path().join("backups")), Some(newest));
        store.close().await;
    });
}

mod serial {
    use super::*;

    #[test]
    fn a_backup_goes_from_one_database_to_the_other() {
        let Some(server) = postgres::Server::start() else { return };
        let folder = Folder::new("across");
        block_on(async {
            let sqlite = filled(&folder.db(), &folder).await;
            let first = sqlite.backup(ME, 9).await.unwrap();
            let options = Options { place: server.database("restored"), backups: Some(folder.path().join("pg")), ..Options::default() };
            let postgres = Store::restore(&first, options, ME).await.unwrap();
            same(&sqlite, &postgres).await;
            let second = postgres.backup(ME, 9).await.unwrap();
            let place = folder.path().join("back.db").display().to_string();
            let back = Store::restore(&second, Options { place, ..Options::default() }, ME).await.unwrap();
            same(&sqlite, &back).await;
            for store in [sqlite, postgres, back] {
                store.close().await;
            }
        });
    }
}

#[test]
fn a_damaged_file_is_refused_with_the_last_good_backup() {
    let folder = Folder::new("damage");
    block_on(async {
        let store = filled(&folder.db(), &folder).await;
        let backup = store.backup(ME, 2).await.unwrap();
        store.close().await;
        let whole = std::fs::read(folder.db()).unwrap();
        for (from, length) in [(0, 100), (whole.len() / 4, 40_000), (whole.len() / 2, 40_000)] {
            let mut file = std::fs::File::options().write(true).open(folder.db()).unwrap();
            file.seek(SeekFrom::Start(from as u64)).unwrap();
            file.write_all(&vec![0x5a; length]).unwrap();
            drop(file);
            let Err(error) = Store::open(&folder.db(), NOW).await else { panic!("{from}: opened") };
            let text = error.to_string();
            assert!(matches!(&error, StoreError::Damaged { backup: Some(b), .. } if *b == backup), "{from}: {text}");
            assert!(text.contains("damaged") && text.contains(&backup.display().to_string()), "{text}");
            std::fs::write(folder.db(), &whole).unwrap();
        }
        // Cut short.
        std::fs::write(folder.db(), &whole[..whole.len() / 3]).unwrap();
        assert!(matches!(Store::open(&folder.db(), NOW).await, Err(StoreError::Damaged { .. })));
        // Empty, with the head of a log beside it: who opened it as new would be its first user.
        std::fs::write(folder.db(), b"").unwrap();
        let error = Store::open(&folder.db(), NOW).await.err().expect("refused").to_string();
        assert!(error.contains("audit-head") && error.contains("move that file away"), "{error}");
        let place = folder.path().join("mended.db").display().to_string();
        let mended = Store::restore(&backup, Options { place, ..Options::default() }, ME).await.unwrap();
        assert_eq!(mended.count_devices(&Scope::ALL, &Query::parse("tag:kept").unwrap()).await.unwrap(), 1);
        mended.close().await;
    });
}

#[test]
fn a_file_is_its_owners_alone() {
    let folder = Folder::new("mode");
    block_on(async {
        let store = filled(&folder.db(), &folder).await;
        let backup = store.backup(ME, 1).await.unwrap();
        #[cfg(unix)]
        for path in [Path::new(&folder.db()), &backup] {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        }
        store.close().await;
    });
}

#[test]
fn what_is_old_goes_and_what_was_decided_stays() {
    let folder = Folder::new("retain");
    block_on(async {
        let store = filled(&folder.db(), &folder).await;
        let day = 86_400_000;
        let later = |days: i64| By { at: Time(NOW.0 + days * day), ..ME };
        let mut import = store.import(later(90)).await.unwrap();
        let new = NewEvidence { name: "new.csv", format: "csv", collected_at: None, collected_by: None, reader: "umbilical 0" };
        let kept = import.add(&new, Content::Bytes(b"new"), &fleet::export(300..310)).await.unwrap();
        import.commit().await.unwrap();
        let old = store.evidence(&Scope::ALL, Some(&kept.id), 10).await.unwrap().remove(0);
        let policy = Retention { bytes: Some(30), observations: Some(60) };
        assert_eq!(store.retain(later(30), policy).await.unwrap(), Retained::default());
        assert_eq!(store.retain(later(31), policy).await.unwrap(), Retained { bytes: 1, observations: 0 });
        assert!(matches!(store.content(&Scope::ALL, &old.id, 0).await, Err(StoreError::Conflict(_))));
        assert_eq!(store.observations().await.unwrap().observations.len(), 310);
        assert_eq!(store.retain(later(91), policy).await.unwrap(), Retained { bytes: 0, observations: 1 });
        let rebuilt = store.observations().await.unwrap();
        assert_eq!(rebuilt.observations.len(), 10);
        assert_eq!(store.evidence_by_id(&Scope::ALL, &old.id).await.unwrap().dropped, ["bytes", "observations"]);
        answer(&store, &rebuilt.inputs, fleet::devices(300..310)).await;
        assert_eq!(store.decisions(&Scope::ALL, &fleet::id(3)).await.unwrap().len(), 1);
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
        store.close().await;
    });
}
