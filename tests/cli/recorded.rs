//! What `audit` keeps in the store of a home that has one, alone and beside a server.

use std::fs;
use std::time::Duration;

use umbilical_store::query::Query;
use umbilical_store::{By, Scope, Store, Time};

use super::serve::Serving;
use super::{Folder, run};

const NOW: Time = Time(1_790_000_000_000);

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(work)
}

/// Asks the store of a home, opened beside whoever has it open.
pub(crate) fn asked<T, F: Future<Output = T>>(folder: &Folder, ask: impl FnOnce(Store) -> F) -> T {
    block_on(async {
        let store = Store::open(&folder.path().join("home/umbilical.db").display().to_string(), NOW).await.unwrap();
        let answer = ask(store.clone()).await;
        store.close().await;
        answer
    })
}

fn devices(folder: &Folder) -> u64 {
    asked(folder, |store| async move { store.count_devices(&Scope::ALL, &Query::all()).await.unwrap() })
}

fn evidence(folder: &Folder) -> Vec<(String, String)> {
    let all = asked(folder, |store| async move { store.evidence(&Scope::ALL, None, 100).await.unwrap() });
    all.into_iter().map(|e| (e.name, e.received_by)).collect()
}

const SIMS: &str = "name,site,module manufacturer,module model\npump-1,North,Quectel,EG25-G\npump-2,North,Telit,LE910C4-EU\n";
const MORE: &str = "name,site,module manufacturer,module model\ngate-9,South,Quectel,EC25-E\n";

/// A home with a store that nobody has open.
pub(crate) fn home() -> Folder {
    let folder = Folder::new();
    fs::create_dir_all(folder.path().join("home")).unwrap();
    asked(&folder, |_| async {});
    folder
}

#[test]
fn an_audit_brings_its_files_into_the_store_of_the_home() {
    let folder = home();
    let file = folder.write("in/sims.csv", SIMS);
    folder.write("in/picture.bin", [0u8, 159, 146, 150].repeat(100));
    let ran = run(&folder, ["audit", file.parent().unwrap().to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("1 new files") && ran.err.contains("answered anew: 2 devices, 2 new"), "{}", ran.err);
    assert_eq!(devices(&folder), 2);
    // Under the name it was given, by somebody; what no reader understands is left where it is.
    let kept = evidence(&folder);
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(kept[0].0.ends_with("in/sims.csv") && kept[0].1.ends_with("command line"), "{kept:?}");
    assert!(folder.path().join("home/audit.json").is_file());
    // The same bytes change nothing: no evidence, no answer.
    let ran = run(&folder, ["audit", file.to_str().unwrap()]);
    assert!(ran.err.contains("0 new files, 1 already there") && !ran.err.contains("answered"), "{}", ran.err);
    // What was asked for without keeping is not kept.
    let more = folder.write("more.csv", MORE);
    assert_eq!(run(&folder, ["audit", "--no-save", more.to_str().unwrap()]).code, 0);
    assert_eq!((devices(&folder), evidence(&folder).len()), (2, 1));
    // The fleet is everything that ever came, though the answer printed is of this file.
    let ran = run(&folder, ["audit", "--format", "json", more.to_str().unwrap()]);
    assert_eq!(ran.json()["coverage"]["devices"], 1);
    assert_eq!((devices(&folder), evidence(&folder).len()), (3, 2));
    let wrong = asked(&folder, |store| async move { store.check().await.unwrap() });
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn without_a_store_an_audit_makes_none() {
    let folder = Folder::new();
    let file = folder.write("sims.csv", SIMS);
    let ran = run(&folder, ["audit", file.to_str().unwrap()]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(folder.path().join("home/audit.json").is_file() && !folder.path().join("home/umbilical.db").exists());
}

#[test]
fn a_question_of_another_day_or_law_is_no_new_answer_of_the_store() {
    let folder = home();
    let file = folder.write("sims.csv", SIMS);
    assert_eq!(run(&folder, ["audit", file.to_str().unwrap()]).code, 0);
    let more = folder.write("more.csv", MORE);
    for flags in [["--as-of", "2024-01-01"], ["--policy", "us-fcc-covered"]] {
        let ran = run(&folder, [&["audit", more.to_str().unwrap()], &flags[..]].concat());
        assert!(ran.err.contains("its answer stays") && !ran.err.contains("answered anew: "), "{}", ran.err);
    }
    // The evidence is there, and waits for who answers next.
    assert_eq!((devices(&folder), evidence(&folder).len()), (2, 2));
    assert_eq!(run(&folder, ["audit", more.to_str().unwrap()]).code, 0);
    assert_eq!(devices(&folder), 3);
}

#[test]
fn an_audit_beside_a_server_waits_its_turn_and_is_seen_there() {
    let folder = Folder::new();
    let serving = Serving::start(&folder, &["--log", "off"]);
    let file = folder.write("sims.csv", SIMS);
    // Somebody writes meanwhile.
    let ran = std::thread::scope(|scope| {
        let busy = scope.spawn(|| {
            asked(&folder, |store| async move {
                let import = store.import(By { who: "ana", at: NOW }).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1500)).await;
                drop(import);
            });
        });
        std::thread::sleep(Duration::from_millis(300));
        let ran = run(&folder, ["audit", file.to_str().unwrap()]);
        busy.join().unwrap();
        ran
    });
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("answered anew: 2 devices"), "{}", ran.err);
    assert_eq!(devices(&folder), 2);
    assert!(serving.get("/api/v1/ready").starts_with("HTTP/1.1 200"));
    let wrong = asked(&folder, |store| async move { store.check().await.unwrap() });
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn a_server_answers_what_another_brought() {
    let folder = home();
    let file = folder.write("sims.csv", SIMS);
    // Left for the server: the store has an answer by no law.
    assert_eq!(run(&folder, ["audit", file.to_str().unwrap()]).code, 0);
    let more = folder.write("more.csv", MORE);
    assert_eq!(run(&folder, ["audit", "--as-of", "2024-01-01", more.to_str().unwrap()]).code, 0);
    assert_eq!(devices(&folder), 2);
    let _serving = Serving::start(&folder, &["--log", "off"]);
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while devices(&folder) != 3 {
        assert!(std::time::Instant::now() < until, "the server did not answer");
        std::thread::sleep(Duration::from_millis(100));
    }
}
