//! The book says what the program does: documents match their schemas, printed examples are real, pages exist, links lead
//! somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use umbilical_core::finding::CODES;

use super::{Folder, Ran, at_session, command, imei, run, sims};

/// The day of the examples in the book.
const DAY: &str = "2026-11-25";

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A schema of ours, made stricter than it says: a member that it does not name is a mistake here.
pub(crate) struct Schema(jsonschema::Validator);

impl Schema {
    pub(crate) fn load(name: &str) -> Self {
        let path = root().join(format!("docs/schema/umbilical.{name}-1.schema.json"));
        let mut schema = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        close(&mut schema);
        Self(jsonschema::validator_for(&schema).unwrap())
    }

    pub(crate) fn wrong(&self, document: &Value) -> Vec<String> {
        self.0.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect()
    }
}

/// Allows no member beside those that an object's schema names.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.get("type").is_some_and(|t| t == "object") && members.contains_key("properties") {
                members.entry("additionalProperties").or_insert(false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[test]
fn documents_are_as_their_schemas_say() {
    let folder = Folder::new();
    let number = imei("86769804", 9);
    folder.write("e/sims.csv", sims(&[&number, &imei("99999902", 2), "123456789012345"]));
    folder.write("e/GW-1/at.txt", at_session(&number));
    folder.write(
        "e/register.csv",
        format!("asset id,manufacturer,model,imei,notes\nGW-1,Teltonika,RUT950,{number},\nGW-2,Acme,Pump,{number},Dell DW5821e inside\n"),
    );
    // A bill of materials that hides a module is a device of the fleet, too.
    folder.write("e/tracker/bom.csv", "Reference,Value,Qty,Manufacturer\nA1,Boron BRN404X,1,Particle\nR1,10k,1,Yageo\n");
    let mut documents: Vec<(&str, String, Ran)> = Vec::new();
    let examples = ["utility", "hospital", "port", "farm"].map(|e| root().join("examples").join(e).display().to_string());
    for path in examples.iter().map(String::as_str).chain(["e"]) {
        let json = |words: &[&str]| run(&folder, words.iter().chain(&[path, "--format", "json", "--no-save"]));
        documents.push(("audit", path.to_owned(), json(&["audit"])));
        documents.push(("edges", path.to_owned(), json(&["export", "edges"])));
        documents.push(("tac", path.to_owned(), json(&["export", "tac"])));
    }
    let utility = examples.first().unwrap().as_str();
    documents.push(("explain", utility.to_owned(), run(&folder, ["explain", "RTU-0417", utility, "--format", "json"])));
    for text in ["2c7c:0125", "86882204", "EG25GGBR07A08M2G", "Rolling Wireless", "ZTE", "no such thing"] {
        documents.push(("lookup", text.to_owned(), run(&folder, ["lookup", text, "--format", "json"])));
    }
    for (schema, what, ran) in &documents {
        let wrong = Schema::load(schema).wrong(&ran.json());
        assert!(wrong.is_empty(), "{schema} of {what}:\n{}", wrong.join("\n"));
    }
    // What is checked can fail.
    let mut broken = documents[0].2.json();
    broken["devices"][0]["cellular"] = "maybe".into();
    broken["coverage"]["more"] = 1.into();
    broken["inputs"][0].as_object_mut().unwrap().remove("sha256");
    assert_eq!(Schema::load("audit").wrong(&broken).len(), 3);
}

/// Every page of the book and of the root, by its path from the root.
fn pages() -> Vec<(String, String)> {
    let mut open = vec![root(), root().join("docs")];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() && folder != root() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                found.push((path.strip_prefix(root()).unwrap().display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_link_leads_somewhere_and_every_page_is_in_the_contents() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let mut wrong = Vec::new();
    for (page, text) in pages() {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or_default();
            if !path.is_empty() && !path.contains("://") && !root().join(&page).parent().unwrap().join(path).exists() {
                wrong.push(format!("{page} links to {target}"));
            }
        }
        let name = page.strip_prefix("docs/").filter(|n| *n != "SUMMARY.md");
        if name.is_some_and(|name| !summary.contains(&format!("({name})"))) {
            wrong.push(format!("{page} is not in docs/SUMMARY.md"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_finding_has_its_page() {
    for (code, line) in CODES {
        let page = fs::read_to_string(root().join(format!("docs/findings/{code}.md"))).unwrap_or_default();
        assert!(
            page.starts_with(&format!("# {code}\n")) && page.contains(line),
            "docs/findings/{code}.md must begin with `# {code}` and hold `{line}`"
        );
        for part in ["**Why it is raised.**", "**When it is wrong.**", "**What helps.**", "**What clears it.**"] {
            assert!(page.contains(part), "docs/findings/{code}.md lacks {part}");
        }
    }
}

#[test]
fn printed_examples_are_what_the_program_prints() {
    let folder = Folder::new();
    let mut run_of = 0;
    for (page, text) in pages() {
        for block in text.split("```console\n").skip(1).filter_map(|b| b.split("\n```").next()) {
            let (line, shown) = block.split_once('\n').unwrap_or((block, ""));
            let words = line.strip_prefix("$ cargo run --release -- ").or_else(|| line.strip_prefix("$ umbilical "));
            let mut words = split(words.unwrap_or_else(|| panic!("{page}: `{line}` is no command of ours")));
            if !words.iter().any(|w| w == "--as-of") {
                words.extend(["--as-of".into(), DAY.into()]);
            }
            let ran: Ran = command(&folder).current_dir(root()).args(&words).arg("--no-save").output().unwrap().into();
            assert_eq!(ran.code, 0, "{page}: {line}\n{}", ran.err);
            if let Err(missing) = same(shown, &ran.out) {
                panic!("{page}: `{line}` does not print `{missing}` where the page has it, but\n{}", ran.out);
            }
            run_of += 1;
        }
    }
    assert!(run_of >= 5, "only {run_of} examples found");
}

/// Words of a command line; quotes hold blanks together.
fn split(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(n, part)| if n % 2 == 1 { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() })
        .collect()
}

/// Whether the lines of a page stand in the output in their order; a line `…` stands for any number of lines, and a `…` at
/// the end of a line for the rest of it. The first line that does not is the error.
fn same(shown: &str, printed: &str) -> Result<(), String> {
    let mut rest = printed.lines().map(str::trim_end).peekable();
    let mut skipping = false;
    for line in shown.lines().map(str::trim_end) {
        if line.trim() == "…" {
            skipping = true;
            continue;
        }
        let is = |got: &str| line.strip_suffix('…').map_or(got == line, |start| got.starts_with(start));
        let found = if skipping { rest.by_ref().any(is) } else { rest.next().is_some_and(is) };
        if !found {
            return Err(line.to_owned());
        }
        skipping = false;
    }
    if skipping || rest.all(str::is_empty) { Ok(()) } else { Err("the end".into()) }
}

#[test]
fn an_example_that_differs_is_found() {
    assert_eq!(same("a\n…\nc", "a\nb\nc\n"), Ok(()));
    assert_eq!(same("a\nlong…", "a\nlong line\n"), Ok(()));
    assert_eq!(same("a\nx", "a\nb\n"), Err("x".into()));
    assert_eq!(same("a", "a\nb\n"), Err("the end".into()));
}
