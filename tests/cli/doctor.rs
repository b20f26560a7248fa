//! `doctor`: each check passes, fails and says what to do.

use std::fs;

use super::docs::Schema;
use super::{Folder, LSUSB, Ran, run};

fn doctor(folder: &Folder, words: &[&str]) -> Ran {
    run(folder, ["doctor", "--as-of", "2026-11-25", "--format", "json"].iter().chain(words).copied())
}

fn verdict(ran: &Ran, id: &str) -> String {
    let document = ran.json();
    let check = document["checks"].as_array().unwrap().iter().find(|c| c["id"] == id).unwrap().clone();
    check["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn a_new_installation_is_in_order() {
    let folder = Folder::new();
    let ran = doctor(&folder, &[]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let wrong = Schema::load("doctor").wrong(&ran.json());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(["home", "tables", "packs", "audit"].map(|id| verdict(&ran, id)), ["na", "pass", "pass", "na"]);
    assert!(!folder.path().join("home").exists());
    let table = run(&folder, ["doctor"]).out;
    assert!(table.contains("packs: ") && table.contains("cases green"), "{table}");
}

#[test]
fn what_is_not_in_order_is_found() {
    let folder = Folder::new();
    folder.write("lsusb.txt", LSUSB);
    assert_eq!(run(&folder, ["audit", "lsusb.txt"]).code, 0);
    assert_eq!(run(&folder, ["policy", "decide", "stays", "--by", "A", "--", "audit", "lsusb.txt"]).code, 0);
    let well = doctor(&folder, &[]);
    assert_eq!(["home", "audit", "decisions"].map(|id| verdict(&well, id)), ["pass", "pass", "pass"]);

    let log = folder.path().join("home/decisions.jsonl");
    fs::write(&log, fs::read_to_string(&log).unwrap().replace("stays", "leave")).unwrap();
    folder.write(
        "home/waivers.toml",
        "[[waiver]]\ncode = \"US-NDAA-889-A\"\nsubject = \"*\"\nreason = \"r\"\napprover = \"a\"\nexpires = \"2026-01-01\"\n",
    );
    folder.write("home/audit.json", "{\"schema\":");
    folder.write(
        "home/knowledge/bundle.json",
        "{\"serial\":3,\"sha256\":\"00\",\"key\":\"k\",\"sources_to\":\"2030-01-01\",\"files\":{\"listings.csv\":\"00\"}}",
    );
    let ran = doctor(&folder, &[]);
    assert_eq!(ran.code, 1);
    for id in ["decisions", "waivers", "audit", "bundle"] {
        assert_eq!(verdict(&ran, id), "fail", "{id}: {}", ran.out);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder.path().join("home"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(verdict(&doctor(&folder, &[]), "home"), "fail");
    }
}

#[test]
fn old_tables_and_a_wrong_clock_show() {
    let folder = Folder::new();
    let at = |day: &str, words: &[&str]| run(&folder, ["doctor", "--as-of", day, "--format", "json"].iter().chain(words).copied());
    let old = at("2028-01-01", &[]);
    assert_eq!((old.code, verdict(&old, "tables").as_str()), (0, "unknown"));
    assert_eq!(at("2028-01-01", &["--fail-on", "fail,unknown"]).code, 3);
    let before = at("2020-01-01", &[]);
    assert_eq!((before.code, verdict(&before, "tables").as_str()), (1, "fail"));
}

#[test]
fn a_store_and_its_backups_are_looked_at() {
    let folder = super::recorded::home();
    let verdicts = |folder: &Folder| {
        let ran = doctor(folder, &[]);
        ["store", "backup"].map(|id| verdict(&ran, id))
    };
    assert_eq!(verdicts(&folder), ["pass", "unknown"]);
    let made = run(&folder, ["backup"]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert_eq!(verdicts(&folder), ["pass", "pass"]);
    // Half a backup is none.
    let file = made.out.trim();
    let bytes = fs::read(file).unwrap();
    fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(verdicts(&folder), ["pass", "fail"]);
    // The store itself: the backup that is good is named.
    fs::write(file, &bytes).unwrap();
    fs::write(folder.path().join("home/umbilical.db"), b"this is no database, and long enough to be taken for a damaged one".repeat(100))
        .unwrap();
    assert_eq!(verdicts(&folder), ["fail", "pass"]);
}
