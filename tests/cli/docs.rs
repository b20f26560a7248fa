//! The book says what the program does: documents match their schemas, printed examples are real, pages exist, links lead
//! somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use umbilical_core::finding::CODES;

use super::{Folder, Ran, at_session, command, imei, run, sims};

/// The day of the examples in the book.
const DAY: &str = "2026-11-25";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A schema of ours against a document: every keyword that our schemas use, and stricter than the schema says, since
/// members that it does not name are mistakes here.
struct Schema {
    root: Value,
}

impl Schema {
    fn load(name: &str) -> Self {
        let path = root().join(format!("docs/schema/umbilical.{name}-1.schema.json"));
        Self { root: serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap() }
    }

    fn wrong(&self, document: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        self.check(&self.root, document, "", &mut wrong);
        wrong
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        let schema = match schema["$ref"].as_str() {
            Some(to) => self.root.pointer(to.trim_start_matches('#')).unwrap_or_else(|| panic!("{to} leads nowhere")),
            None => schema,
        };
        let mut says = |right: bool, what: &str| {
            if !right {
                wrong.push(format!("{at}: {what}: {value}"));
            }
        };
        for (keyword, rule) in schema.as_object().into_iter().flatten() {
            match keyword.as_str() {
                "type" => says(types(rule).any(|t| is(t, value)), &format!("is no {rule}")),
                "enum" => says(rule.as_array().unwrap().contains(value), "is no word of the list"),
                "const" => says(rule == value, &format!("is not {rule}")),
                "minimum" => says(value.as_f64().is_none_or(|v| v >= rule.as_f64().unwrap()), "is too small"),
                "maximum" => says(value.as_f64().is_none_or(|v| v <= rule.as_f64().unwrap()), "is too large"),
                "pattern" => says(value.as_str().is_none_or(|v| matches(rule.as_str().unwrap(), v)), &format!("is not {rule}")),
                "required" => {
                    for name in rule.as_array().unwrap() {
                        says(value.get(name.as_str().unwrap()).is_some(), &format!("lacks {name}"));
                    }
                }
                "properties" | "items" | "anyOf" | "description" | "title" | "$schema" | "$id" | "$defs" => {}
                other => panic!("this test does not know the keyword `{other}`"),
            }
        }
        if let (Some(known), Some(members)) = (schema["properties"].as_object(), value.as_object()) {
            self.members(known, members, at, wrong);
        }
        if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
            for (n, item) in list.iter().enumerate() {
                self.check(items, item, &format!("{at}/{n}"), wrong);
            }
        }
        if let Some(any) = schema["anyOf"].as_array() {
            let tried = any.iter().map(|s| {
                let mut wrong = Vec::new();
                self.check(s, value, at, &mut wrong);
                wrong
            });
            let best = tried.min_by_key(Vec::len).unwrap_or_default();
            wrong.extend(best);
        }
    }

    fn members(&self, known: &Map<String, Value>, members: &Map<String, Value>, at: &str, wrong: &mut Vec<String>) {
        for (name, member) in members {
            match known.get(name) {
                Some(schema) => self.check(schema, member, &format!("{at}/{name}"), wrong),
                None => wrong.push(format!("{at}/{name} is not in the schema")),
            }
        }
    }
}

fn types(rule: &Value) -> impl Iterator<Item = &str> {
    rule.as_str().into_iter().chain(rule.as_array().into_iter().flatten().filter_map(Value::as_str))
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => panic!("no type {name}"),
    }
}

/// Our patterns: literals, `[0-9a-f]`-like classes, `{n}`, groups that may be absent, `|` at the top, between `^` and `$`.
fn matches(pattern: &str, text: &str) -> bool {
    fn all<'t>(pattern: &[u8], text: &'t [u8]) -> Vec<&'t [u8]> {
        let Some(first) = pattern.first() else { return vec![text] };
        let close = |open: u8, shut: u8| {
            let mut depth = 0;
            pattern.iter().position(|b| {
                depth += i32::from(*b == open) - i32::from(*b == shut);
                depth == 0
            })
        };
        let (ends, rest): (Vec<&[u8]>, &[u8]) = match first {
            b'(' => {
                let shut = close(b'(', b')').unwrap();
                let optional = pattern.get(shut + 1) == Some(&b'?');
                let mut ends = all(&pattern[1..shut], text);
                ends.extend(optional.then_some(text));
                (ends, &pattern[shut + 1 + usize::from(optional)..])
            }
            b'[' => {
                let shut = close(b'[', b']').unwrap();
                let class = |b: u8| pattern[1..shut].chunks(3).any(|c| (c[0]..=c[2]).contains(&b));
                let after = &pattern[shut + 1..];
                let count = after.strip_prefix(b"{").and_then(|a| a.iter().position(|b| *b == b'}').map(|e| &a[..e]));
                let n: usize = count.map_or(1, |c| std::str::from_utf8(c).unwrap().parse().unwrap());
                let fits = text.len() >= n && text[..n].iter().all(|b| class(*b));
                (fits.then(|| &text[n..]).into_iter().collect(), &after[count.map_or(0, |c| c.len() + 2)..])
            }
            literal => (text.strip_prefix(&[*literal]).into_iter().collect(), &pattern[1..]),
        };
        ends.into_iter().flat_map(|t| all(rest, t)).collect()
    }
    let choices = pattern.split('|').map(|p| p.trim_start_matches('^').trim_end_matches('$'));
    choices.into_iter().any(|p| all(p.as_bytes(), text.as_bytes()).iter().any(|rest| rest.is_empty()))
}

#[test]
fn patterns_of_the_schemas_mean_what_they_say() {
    let loose = "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$|^$";
    for (pattern, good, bad) in
        [("^dev-[0-9a-f]{12}$", "dev-0123456789ab", "dev-0123456789aZ"), (loose, "2024-07", "2024-7"), (loose, "", "x")]
    {
        assert!(matches(pattern, good) && !matches(pattern, bad), "{pattern}");
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
    let mut documents: Vec<(&str, String, Ran)> = Vec::new();
    let examples = ["utility", "hospital", "port", "farm"].map(|e| root().join("examples").join(e).display().to_string());
    for path in examples.iter().map(String::as_str).chain(["e"]) {
        let json = |words: &[&str]| run(&folder, words.iter().chain(&[path, "--format", "json", "--no-save"]));
        documents.push(("audit", path.to_owned(), json(&["audit"])));
        documents.push(("edges", path.to_owned(), json(&["export", "edges"])));
        documents.push(("tac", path.to_owned(), json(&["export", "tac"])));
    }
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
