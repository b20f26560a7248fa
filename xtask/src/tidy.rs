//! The house rules that a program can check.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::cargo::{self, Metadata};

/// Who may import whom: normal dependencies between the rooms, exactly.
const IMPORTS: &[(&str, &[&str])] = &[
    ("umbilical-core", &[]),
    ("umbilical-knowledge", &["umbilical-core"]),
    ("umbilical-evidence", &["umbilical-core", "umbilical-knowledge"]),
    ("umbilical-report", &["umbilical-core", "umbilical-knowledge"]),
    // Assessment does not know the readers: observations are core's.
    ("umbilical-assess", &["umbilical-core", "umbilical-knowledge"]),
    ("umbilical-traffic", &["umbilical-core", "umbilical-knowledge"]),
    // The only room that names sqlx.
    ("umbilical-store", &["umbilical-core"]),
    (
        "umbilical-web",
        &["umbilical-core", "umbilical-knowledge", "umbilical-evidence", "umbilical-assess", "umbilical-report", "umbilical-store"],
    ),
    (
        "umbilical",
        &[
            "umbilical-core",
            "umbilical-knowledge",
            "umbilical-evidence",
            "umbilical-assess",
            "umbilical-report",
            "umbilical-store",
            "umbilical-traffic",
            "umbilical-web",
        ],
    ),
    ("umbilical-synth", &["umbilical-core", "umbilical-knowledge"]),
    ("xtask", &["umbilical-synth"]),
];

/// Rooms that touch input bytes, and what clippy denies in them outside tests.
const HARDENED: &[&str] = &[
    "umbilical-core",
    "umbilical-evidence",
    "umbilical-assess",
    "umbilical-report",
    "umbilical-store",
    "umbilical-traffic",
    "umbilical-web",
];
const DENIED: &[&str] = &["clippy::unwrap_used", "clippy::expect_used", "clippy::panic", "clippy::indexing_slicing"];

/// Words that must not stand in the tree, and the files in which they may.
const WORDS: &[(&str, &[&str])] = &[
    // The default folders of `corpus` and `bench`.
    ("../shared", &["xtask/src/corpus/mod.rs", "xtask/src/bench.rs", "xtask/src/main.rs"]),
    ("static.crates.io", &[]),
    ("index.crates.io", &[]),
    ("pypi.org", &[]),
    ("registry.npmjs.org", &[]),
    ("proxy.golang.org", &[]),
    ("deb.debian.org", &[]),
];

const MEGABYTE: u64 = 1 << 20;

/// Checks everything and lists what is wrong.
pub fn run() -> Outcome {
    let metadata = Metadata::load()?;
    let root = cargo::root();
    let mut wrong = imports(&metadata);
    wrong.extend(lints(&root, &metadata));
    wrong.extend(facts(&root.join("knowledge")));
    let files = files(&root)?;
    wrong.extend(texts(&root, &files, &machine(&root)));
    wrong.extend(sizes(&root, &files));
    println!("tidy: {} packages, {} files looked at", metadata.packages.len(), files.len());
    if wrong.is_empty() { Ok(()) } else { Err(format!("{} things are untidy\n  {}", wrong.len(), wrong.join("\n  "))) }
}

fn imports(metadata: &Metadata) -> Vec<String> {
    let mut wrong = Vec::new();
    for (package, used) in metadata.imports() {
        let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == package) else {
            wrong.push(format!("package {package} has no row in xtask's table of who may import whom"));
            continue;
        };
        for name in used.iter().filter(|name| !allowed.contains(name)) {
            wrong.push(format!("{package} must not import {name}"));
        }
    }
    wrong
}

fn lints(root: &Path, metadata: &Metadata) -> Vec<String> {
    let mut wrong = Vec::new();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    if !manifest.lines().any(|l| l.split('#').next().unwrap_or_default().replace(' ', "") == "unsafe_code=\"forbid\"") {
        wrong.push("Cargo.toml: the workspace does not forbid unsafe code".into());
    }
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().unwrap_or(root);
        let own = fs::read_to_string(&package.manifest_path).unwrap_or_default().replace(' ', "");
        if !own.contains("[lints]\nworkspace=true") {
            wrong.push(format!("{}: does not take the workspace's lints", shown(root, &folder.join("Cargo.toml"))));
        }
    }
    for name in HARDENED {
        let library =
            metadata.packages.iter().filter(|p| p.name == *name).flat_map(|p| &p.targets).find(|t| t.kind.iter().any(|k| k == "lib"));
        let Some(library) = library else {
            wrong.push(format!("{name} has no library"));
            continue;
        };
        let denied = denied(&fs::read_to_string(&library.src_path).unwrap_or_default());
        for lint in DENIED.iter().filter(|lint| !denied.iter().any(|d| d == *lint)) {
            wrong.push(format!("{}: `#![cfg_attr(not(test), deny({lint}))]` is missing", shown(root, &library.src_path)));
        }
    }
    wrong
}

/// The lints in `#![cfg_attr(not(test), deny(…))]` at the head of a crate.
fn denied(source: &str) -> Vec<String> {
    let packed: String = source.chars().filter(|c| !c.is_whitespace()).collect();
    packed
        .split("#![cfg_attr(not(test),deny(")
        .skip(1)
        .filter_map(|rest| rest.split_once("))]"))
        .flat_map(|(list, _)| list.split(',').map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// Every fact has a source and a status.
fn facts(dir: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    let Ok(all) = files(dir) else { return vec![format!("{}: cannot be read", dir.display())] };
    let tables: Vec<_> = all.iter().filter(|p| p.extension().is_some_and(|e| e == "csv")).collect();
    if tables.is_empty() {
        wrong.push("knowledge/ has no tables".into());
    }
    for path in tables {
        let name = shown(dir, path);
        if let Some((folder, _)) = name.split_once('/').filter(|(folder, _)| folder.starts_with("tac-")) {
            // A table under its own licence: the attribution stands beside it.
            let beside = all.iter().any(|p| shown(dir, p).starts_with(folder) && p.extension().is_none_or(|e| e != "csv"));
            if !beside {
                wrong.push(format!("knowledge/{folder}: no attribution beside the table"));
            }
            continue;
        }
        if let Err(what) = table(path) {
            wrong.push(format!("knowledge/{name}: {what}"));
        }
    }
    wrong
}

fn table(path: &Path) -> Result<(), String> {
    let mut reader = csv::Reader::from_path(path).map_err(|e| e.to_string())?;
    let headers = reader.headers().map_err(|e| e.to_string())?.clone();
    let column = |name: &str| headers.iter().position(|h| h == name).ok_or_else(|| format!("no column `{name}`"));
    let (source, status) = (column("source")?, column("status")?);
    for row in reader.records() {
        let row = row.map_err(|e| e.to_string())?;
        let line = row.position().map_or(0, csv::Position::line);
        for (name, at) in [("source", source), ("status", status)] {
            if row.get(at).unwrap_or_default().trim().is_empty() {
                return Err(format!("line {line}: no {name}"));
            }
        }
    }
    Ok(())
}

/// Every file of the tree, builds and the version store apart, sorted.
fn files(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        let entries = fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        for entry in entries.filter_map(Result::ok) {
            let kind = entry.file_type().map_err(|e| e.to_string())?;
            if kind.is_dir() && ![".git", "target"].contains(&entry.file_name().to_string_lossy().as_ref()) {
                open.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Paths that mean something on this machine alone: the checkout's and the home folder's.
fn machine(root: &Path) -> Vec<String> {
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE")).map(PathBuf::from);
    let paths = root.canonicalize().ok().into_iter().chain(home);
    paths.filter(|p| p.components().count() > 1).map(|p| format!("{}/", p.display())).collect()
}

fn texts(root: &Path, files: &[PathBuf], machine: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    for path in files {
        let name = shown(root, path);
        // The lock file names its registry, this file the words themselves.
        if name == "Cargo.lock" || name == "xtask/src/tidy.rs" {
            continue;
        }
        let Ok(bytes) = fs::read(path) else { continue };
        if bytes.contains(&0) {
            continue;
        }
        // Evidence ends where it ends; texts of the project end with a newline.
        let evidence = name.contains("/fixtures/");
        if !evidence && bytes.last().is_some_and(|b| *b != b'\n') {
            wrong.push(format!("{name}: does not end with a newline"));
        }
        let text = String::from_utf8_lossy(&bytes);
        let words = WORDS.iter().filter(|(_, but)| !but.contains(&name.as_str())).map(|(word, _)| *word);
        for word in words.chain(machine.iter().map(String::as_str)).filter(|word| text.contains(word)) {
            let line = text.lines().position(|l| l.contains(word)).map_or(0, |n| n + 1);
            wrong.push(format!("{name}:{line}: `{word}` does not belong in the tree"));
        }
    }
    wrong
}

fn sizes(root: &Path, files: &[PathBuf]) -> Vec<String> {
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |m| m.len());
    let mut wrong: Vec<String> = files
        .iter()
        .filter(|path| size(path) > MEGABYTE && !shown(root, path).starts_with("knowledge/tac-"))
        .map(|path| format!("{}: over a megabyte", shown(root, path)))
        .collect();
    let examples: u64 = files.iter().filter(|path| shown(root, path).starts_with("examples/")).map(size).sum();
    if examples > 4 * MEGABYTE {
        wrong.push(format!("examples/: {examples} bytes, at most 4 MB"));
    }
    wrong
}

fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denied_lints_are_read_in_any_layout() {
        let one = "//! x\n#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic))]\n";
        let many = "#![cfg_attr(\n    not(test),\n    deny(\n        clippy::unwrap_used,\n        clippy::panic,\n    )\n)]\n";
        assert_eq!(denied(one), ["clippy::unwrap_used", "clippy::panic"]);
        assert_eq!(denied(one), denied(many).into_iter().filter(|l| !l.is_empty()).collect::<Vec<_>>());
        assert!(denied("#![deny(missing_docs)]").is_empty());
    }

    #[test]
    fn a_row_without_source_is_named_by_its_line() {
        let dir = std::env::temp_dir().join(format!("umbilical-tidy-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let check = |text: &str| {
            let path = dir.join("t.csv");
            fs::write(&path, text).unwrap();
            table(&path)
        };
        assert_eq!(check("a,source,status\n1,somewhere,verified\n"), Ok(()));
        assert_eq!(check("a,source,status\n1,x,verified\n2,,verified\n"), Err("line 3: no source".into()));
        assert_eq!(check("a,source\n1,x\n"), Err("no column `status`".into()));
        assert!(check("a,source,status\n1,x\n").is_err());
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn words_and_newlines() {
        let dir = std::env::temp_dir().join(format!("umbilical-words-{}", std::process::id()));
        fs::create_dir_all(dir.join("target")).unwrap();
        fs::write(dir.join("a.md"), "see\n/srv/checkout/main here\n").unwrap();
        fs::write(dir.join("b.txt"), "no end").unwrap();
        fs::write(dir.join("c.bin"), b"\0/srv/checkout/").unwrap();
        fs::write(dir.join("target/d.txt"), "/srv/checkout/").unwrap();
        let found = files(&dir).unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(
            texts(&dir, &found, &["/srv/checkout/".into()]),
            ["a.md:2: `/srv/checkout/` does not belong in the tree", "b.txt: does not end with a newline"]
        );
        fs::remove_dir_all(&dir).unwrap();
    }
}
