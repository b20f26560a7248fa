//! What the product says of anybody: every statement has its basis, and no sentence claims malice or a ban that no text
//! holds. The words are looked for in what the program prints over the four examples, in its own sentences, in the packs
//! of rules and in the forms that go to suppliers.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::{Folder, run};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Words that judge, with their inflections. A sentence that denies (`by itself no ban`) judges nobody.
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(ban(s|ned|ning)?|illegal\w*|prohibit\w*|back-?\s?doors?(ed)?|spy(ing|ware)?|spies|espionage tool|malicious\w*|malice|chinese threats?)\b").unwrap()
});
static DENIALS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(no|not|never|nor|neither|nothing)( \w+)?( by itself)? (ban(ned|s)?|prohibit\w*|malice|malicious)\b").unwrap()
});

/// Names that are nobody's claim: addresses, and the ids of a pack and its regime whose official title has the word.
static NAMES: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)https?://\S+|\bus-tx-prohib\w*(-\w+)*").unwrap());

/// What a text claims; words inside the citation it stands on are that text's own.
fn claims(text: &str, cited: &[&str]) -> Vec<String> {
    let named = NAMES.replace_all(text, "");
    let mut bare = DENIALS.replace_all(&named, "").into_owned();
    for cite in cited.iter().filter(|c| !c.is_empty()) {
        bare = bare.replace(cite, "");
    }
    WORDS.find_iter(&bare).map(|m| m.as_str().to_owned()).collect()
}

#[test]
fn a_planted_sentence_of_each_kind_is_caught() {
    let planted = [
        "modules of this maker are banned",
        "this import is illegal",
        "its use is prohibited here",
        "the firmware has a backdoor",
        "it spies on its owner",
        "the update is malicious",
        "a Chinese threat in your meters",
        "made with malice",
    ];
    for sentence in planted {
        assert!(!claims(sentence, &[]).is_empty(), "{sentence}");
    }
    for fine in [
        "Identification list; by itself no ban",
        "jurisdiction CN, not listed as of 2026-11-29 (sources to 2026-08-22)",
        "No malice is stated that was not observed",
        "urban banks span the bandwidth",
    ] {
        assert_eq!(claims(fine, &[]), Vec::<String>::new(), "{fine}");
    }
    assert_eq!(claims("Texas prohibited technologies, 2026-01-26", &["Texas prohibited technologies"]), Vec::<String>::new());
}

/// Members whose text is somebody else's: where it was read, and what a list or regime says in its own words.
const QUOTED: [&str; 9] = ["source", "citation", "cite", "entity", "scope", "prohibits", "path", "file", "sources"];

fn walk(value: &Value, cited: &mut Vec<String>, wrong: &mut Vec<String>, statements: &mut usize) {
    match value {
        Value::String(text) => {
            let cites: Vec<&str> = cited.iter().map(String::as_str).collect();
            wrong.extend(claims(text, &cites).into_iter().map(|w| format!("{w}: {text}")));
        }
        Value::Array(items) => items.iter().for_each(|v| walk(v, cited, wrong, statements)),
        Value::Object(members) => {
            let before = cited.len();
            let quotes = ["cite", "citation", "prohibits", "scope", "entity"];
            cited.extend(quotes.iter().filter_map(|q| members.get(*q)?.as_str()).map(str::to_owned));
            if let (Some(basis), true) = (members.get("basis").and_then(Value::as_str), members.contains_key("what")) {
                *statements += 1;
                let known = ["observed", "inferred", "declared", "listed", "alleged"].contains(&basis);
                let read = members.get("source").and_then(Value::as_str).is_some_and(|s| !s.trim().is_empty());
                if !known || (basis == "listed" && !read) {
                    wrong.push(format!("a statement without its basis: {value}"));
                }
            }
            for (name, member) in members {
                if !QUOTED.contains(&name.as_str()) {
                    walk(member, cited, wrong, statements);
                }
            }
            cited.truncate(before);
        }
        _ => {}
    }
}

#[test]
fn every_finding_over_the_examples_has_its_basis_and_claims_nothing_beyond_its_text() {
    let mut wrong = Vec::new();
    let mut statements = 0;
    let folder = Folder::new();
    for example in ["utility", "hospital", "port", "farm"] {
        let path = root().join("examples").join(example);
        let path = path.to_str().unwrap();
        for day in ["2024-07-25", "2026-11-29", "2030-01-01"] {
            for args in [vec!["audit", path, "--no-save"], vec!["policy", "check", path, "--fail-on", ""], vec!["policy", "risk", path]] {
                let mut all = args.clone();
                all.extend(["--format", "json", "--as-of", day]);
                let ran = run(&folder, &all);
                assert_eq!(ran.code, 0, "{}", ran.err);
                walk(&ran.json(), &mut Vec::new(), &mut wrong, &mut statements);
            }
        }
    }
    assert!(statements > 500, "{statements} statements were looked at");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every file below a folder with one of these endings.
fn files(folder: &Path, endings: &[&str], out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, endings, out);
        } else if endings.iter().any(|e| path.extension().is_some_and(|x| x == *e)) {
            out.push(path);
        }
    }
}

#[test]
fn no_sentence_of_the_program_its_packs_and_its_forms_claims_malice_or_a_ban() {
    let mut all = Vec::new();
    for folder in ["crates", "policies", "knowledge/questionnaires", "knowledge/templates"] {
        files(&root().join(folder), &["rs", "toml", "html", "md"], &mut all);
    }
    assert!(all.len() > 100);
    let literal = Regex::new(r#""(?:[^"\\]|\\.)*""#).unwrap();
    // The heading of a column that shows what a regime says in its own words, and names of members.
    let own = ["Covers and prohibits", "prohibits"];
    let mut wrong = Vec::new();
    for path in all.iter().filter(|p| !p.components().any(|c| c.as_os_str() == "tests") && !p.ends_with("tests.rs")) {
        let text = fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let cites: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("cite = \"")?.strip_suffix('"')).collect();
        for (number, line) in text.lines().enumerate() {
            let quoted = line.starts_with("cite = ") || line.starts_with("source = ") || line.trim_start().starts_with("//");
            if quoted {
                continue;
            }
            for text in literal.find_iter(line) {
                let mut bare = text.as_str().to_owned();
                own.iter().chain(&cites).for_each(|o| bare = bare.replace(o, ""));
                wrong.extend(claims(&bare, &[]).into_iter().map(|w| format!("{}:{}: {w}: {}", path.display(), number + 1, line.trim())));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
