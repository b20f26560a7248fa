//! `policy decide`, `decisions`, `replay`: what was decided is kept whole, and answered again to the same bytes.

use std::fs;

use super::docs::Schema;
use super::{Folder, Ran, run};

const SHEET: &str = "Reference,Value,Qty,Manufacturer,MPN\nR1,10k,1,Yageo,RC0402\nU3,ME909s-120,1,Huawei,ME909s-120\n";

fn policy(folder: &Folder, words: &[&str]) -> Ran {
    run(folder, ["policy"].iter().chain(words).copied().chain(["--home", "home"]))
}

fn decide(folder: &Folder, command: &[&str]) -> Ran {
    run(folder, ["policy", "decide", "bid <A> is =refused", "--by", "J. Doe", "--home", "home", "--"].iter().chain(command).copied())
}

#[test]
fn what_was_decided_is_answered_again_to_the_same_bytes() {
    let folder = Folder::new();
    folder.write("bid/board.csv", SHEET);
    folder.write("assets.toml", "[facts]\nbuyer = [\"us-agency\"]\n");
    let check = ["policy", "check", "bid", "--policy", "us-ndaa-889", "--assets", "assets.toml", "--as-of", "2026-11-22"];
    assert_eq!(decide(&folder, &check).code, 0);
    assert_eq!(decide(&folder, &["audit", "bid"]).code, 0);
    assert_eq!(decide(&folder, &["policy", "diff", "bid", "--as-of", "2018-01-01", "--as-of", "2026-11-22"]).code, 0);
    let listed = policy(&folder, &["decisions", "--format", "json"]);
    let document = listed.json();
    let wrong = Schema::load("decisions").wrong(&document);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let first = &document["decisions"][0];
    assert_eq!((&first["exit"], &first["as_of"], &first["by"]), (&3.into(), &"2026-11-22".into(), &"J. Doe".into()));
    assert_eq!(first["files"][0]["name"], "assets.toml");
    assert_eq!(first["packs"][0]["name"], "us-ndaa-889");
    // The kept answer is what the command itself says.
    let direct = run(&folder, check.iter().copied().chain(["--format", "json", "--home", "home"]));
    assert_eq!(fs::read_to_string(folder.path().join("home/decisions/1.json")).unwrap(), direct.out);
    for n in ["1", "2", "3"] {
        let again = policy(&folder, &["replay", n]);
        assert_eq!(again.code, 0, "{n}: {}{}", again.out, again.err);
    }
    // From another folder, too: the command runs where it ran.
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    let inner = Folder::new();
    let home = folder.path().join("home").display().to_string();
    assert_eq!(run(&inner, ["policy", "replay", "1", "--home", &home]).code, 0);
}

#[test]
fn other_bytes_are_said_with_what_changed() {
    let folder = Folder::new();
    folder.write("bid.csv", SHEET);
    folder.write("assets.toml", "[facts]\nbuyer = [\"us-agency\"]\n");
    decide(&folder, &["policy", "check", "bid.csv", "--policy", "us-ndaa-889", "--assets", "assets.toml"]);
    folder.write("bid.csv", SHEET.replace("Huawei,ME909s-120", "Telit,LE910C4-EU").replace("ME909s-120", "LE910C4-EU"));
    folder.write("assets.toml", "[facts]\nbuyer = [\"us-contractor\"]\n");
    let again = policy(&folder, &["replay", "1"]);
    assert_eq!(again.code, 4, "{}", again.err);
    for said in ["input bid.csv: changed since", "file assets.toml: changed since", "/inputs/0/sha256: "] {
        assert!(again.out.contains(said), "{said}:\n{}", again.out);
    }
    fs::remove_file(folder.path().join("bid.csv")).unwrap();
    assert_eq!(policy(&folder, &["replay", "1"]).code, 2);
    assert_eq!(policy(&folder, &["replay", "9"]).code, 2);
}

#[test]
fn a_log_that_was_touched_shows_and_is_not_added_to() {
    let folder = Folder::new();
    folder.write("bid.csv", SHEET);
    for _ in 0..3 {
        assert_eq!(decide(&folder, &["audit", "bid.csv"]).code, 0);
    }
    let verify = |more: &[&str]| policy(&folder, &[&["decisions", "--verify"], more].concat());
    assert_eq!(verify(&[]).code, 0);
    let head = policy(&folder, &["decisions", "--format", "json"]).json()["head"].as_str().unwrap().to_owned();
    assert_eq!(verify(&["--head", &head]).code, 0);
    assert_eq!(verify(&["--head", &"0".repeat(64)]).code, 4);
    let whole = fs::read_to_string(folder.path().join("home/decisions.jsonl")).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    for (what, text) in [
        ("a word", whole.replacen("J. Doe", "K. Doe", 1)),
        ("the end", format!("{}\n{}\n", lines[0], lines[1])),
        ("the order", format!("{}\n{}\n{}\n", lines[1], lines[0], lines[2])),
        ("the middle", format!("{}\n{}\n", lines[0], lines[2])),
        ("all of it", String::new()),
    ] {
        folder.write("home/decisions.jsonl", text);
        let seen = verify(&[]);
        assert_eq!(seen.code, 4, "{what}: {}", seen.out);
        let refused = decide(&folder, &["audit", "bid.csv"]);
        assert!(refused.code == 2 && refused.err.contains("broken"), "{what}: {}", refused.err);
    }
}

#[test]
fn a_kept_answer_that_was_touched_shows() {
    let folder = Folder::new();
    folder.write("bid.csv", SHEET);
    assert_eq!(decide(&folder, &["policy", "check", "bid.csv", "--policy", "us-ndaa-889"]).code, 0);
    let path = folder.path().join("home/decisions/1.json");
    let kept = fs::read_to_string(&path).unwrap();
    fs::write(&path, kept.replacen("review", "passed", 1)).unwrap();
    let seen = policy(&folder, &["decisions", "--verify"]);
    assert!(seen.code == 4 && seen.out.contains("is not the one that was decided upon"), "{}", seen.out);
    assert_eq!(policy(&folder, &["replay", "1"]).code, 2);
    fs::remove_file(&path).unwrap();
    assert_eq!(policy(&folder, &["decisions", "--verify"]).code, 4);
}

#[test]
fn only_an_answer_can_be_decided_upon() {
    let folder = Folder::new();
    folder.write("bid.csv", SHEET);
    for (command, said) in [
        (&["lookup", "EC25"][..], "no answer to decide upon"),
        (&["knowledge", "import", "bid.csv"], "no answer to decide upon"),
        (&["audit", "-"], "cannot be read again"),
        (&["audit", "absent.csv"], "absent.csv"),
        (&["frobnicate"], "is no command"),
        (&["policy", "decide", "x", "--by", "y", "--", "audit", "bid.csv"], "no answer to decide upon"),
    ] {
        let ran = decide(&folder, command);
        assert!(ran.code == 2 && ran.err.contains(said), "{command:?}: {} {}", ran.code, ran.err);
    }
    assert!(!folder.path().join("home/decisions.jsonl").exists());
    assert_eq!(policy(&folder, &["decide", " ", "--by", "y", "--", "audit", "bid.csv"]).code, 2);
}
