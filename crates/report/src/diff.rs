//! Revisions of a bill of materials at a terminal, as CSV and as suites of tests.

use std::collections::HashMap;
use std::io::{self, Write};

use serde::Serialize;
use umbilical_core::answer::diff::{Change, Diff, Happened, History, Line, Revision, Span, Step};
use umbilical_core::finding::Finding;
use umbilical_core::text::{clean, short};

use crate::junit::{Case, Outcome, Said, Suite};
use crate::located::{Place, because};
use crate::terminal::{Page, Tone};
use crate::{View, bom, csv, say};

/// Lines of a list before it says how many more there are.
const LINES: usize = 30;
/// Designators of one line.
const PLACES: usize = 6;

/// Writes the answer of `bom diff` for a person at a terminal.
pub fn diff(out: &mut dyn Write, answer: &Diff, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    page.para(0, Tone::Bold, &verdict(answer))?;
    revisions(&mut page, answer)?;
    for step in &answer.steps {
        self::step(&mut page, answer, step)?;
    }
    if answer.revisions.len() > 2 {
        history(&mut page, answer)?;
    }
    bom::list(&mut page, answer.findings.iter())?;
    problems(&mut page, answer)?;
    page.gap()?;
    page.para(0, Tone::Dim, &format!("As of {}. Sources to {}.", answer.as_of, answer.knowledge.sources_to))
}

fn verdict(answer: &Diff) -> String {
    let of = |what: Happened| answer.steps.iter().flat_map(|s| &s.changes).filter(|c| c.change == what).count();
    let raised = |code: &str| answer.findings.iter().filter(|f| f.code == code).count() as u64;
    let mut out = format!(
        "{}: {} added, {} removed, {} changed",
        say::counted(answer.revisions.len() as u64, "revision"),
        say::count(of(Happened::Added) as u64),
        say::count(of(Happened::Removed) as u64),
        say::count(of(Happened::Changed) as u64)
    );
    for (code, what) in [("new-module", "new module"), ("maker-change", "other maker"), ("origin-change", "other origin")] {
        if raised(code) > 0 {
            out.push_str(&format!("; {}", say::counted(raised(code), what)));
        }
    }
    out
}

fn revisions(page: &mut Page<'_>, answer: &Diff) -> io::Result<()> {
    page.gap()?;
    let row = |r: &Revision| {
        let date = r.date.clone().unwrap_or_else(|| "not dated".into());
        vec![r.path.clone(), date, r.formats.join(", "), say::count(r.parts), r.state.name().to_owned()]
    };
    page.table(&["Revision", "Date", "Dialect", "Parts", "Modules"], answer.revisions.iter().map(row))
}

fn path(answer: &Diff, revision: u32) -> &str {
    answer.revisions.get(revision as usize).map_or("", |r| &r.path)
}

fn step(page: &mut Page<'_>, answer: &Diff, step: &Step) -> io::Result<()> {
    page.heading(&format!("{} to {}", path(answer, step.from), path(answer, step.to)))?;
    if step.changes.is_empty() {
        return page.para(2, Tone::Plain, &format!("Nothing differs in {}.", say::counted(step.unchanged, "line")));
    }
    let rows =
        step.changes.iter().take(LINES).map(|c| vec![c.change.name().to_owned(), places(c), c.kind.name().to_owned(), what(c), at(c)]);
    page.table(&["What", "Part", "Kind", "Change", "Where"], rows)?;
    let more = step.changes.len().saturating_sub(LINES);
    if more > 0 {
        page.para(2, Tone::Dim, &format!("and {} more changes: see --format json or csv", say::count(more as u64)))?;
    }
    page.para(2, Tone::Dim, &format!("As it was: {}.", say::counted(step.unchanged, "line")))
}

/// Designators, a few of many, below the assemblies that hold them.
fn places(change: &Change) -> String {
    few(&change.path, &change.designators)
}

fn few(path: &[String], designators: &[String]) -> String {
    let shown: Vec<&str> = designators.iter().take(PLACES).map(String::as_str).collect();
    let more = designators.len().saturating_sub(PLACES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let path = if path.is_empty() { String::new() } else { format!("{} > ", path.join(" > ")) };
    format!("{path}{}{more}", shown.join(" "))
}

fn called(line: &Line) -> String {
    let name = line.model.as_deref().or(line.mpn.as_deref()).or(line.value.as_deref()).unwrap_or("unnamed");
    let words: Vec<&str> = line.maker.as_deref().into_iter().chain([name]).collect();
    short(&words.join(" "), 60).into_owned()
}

fn what(change: &Change) -> String {
    let one = change.new.as_ref().or(change.old.as_ref());
    if change.fields.is_empty() {
        return one.map(|l| format!("{}{}", called(l), if l.placed { "" } else { " (not placed)" })).unwrap_or_default();
    }
    let none = |side: &Option<String>| side.as_deref().map_or_else(|| "none".to_owned(), |t| short(t, 60).into_owned());
    let fields: Vec<String> = change.fields.iter().map(|f| format!("{}: {} → {}", f.field, none(&f.old), none(&f.new))).collect();
    let named = change.fields.iter().any(|f| matches!(f.field, "model" | "value" | "mpn"));
    let name = one.filter(|_| !named).map(|l| format!("{}: ", called(l))).unwrap_or_default();
    format!("{name}{}", fields.join("; "))
}

fn at(change: &Change) -> String {
    let places: Vec<&str> = [&change.old, &change.new].into_iter().flatten().map(|l| l.at.as_str()).collect();
    places.join(" → ")
}

fn history(page: &mut Page<'_>, answer: &Diff) -> io::Result<()> {
    if answer.history.is_empty() {
        return Ok(());
    }
    page.heading("Who supplied it since when")?;
    for one in answer.history.iter().take(LINES) {
        page.gap()?;
        page.hanging(2, 2, if one.switched { Tone::Warn } else { Tone::Plain }, &label(one))?;
        for span in &one.spans {
            page.hanging(4, 2, Tone::Plain, &self::span(answer, span))?;
        }
    }
    let more = answer.history.len().saturating_sub(LINES);
    if more > 0 {
        page.para(2, Tone::Dim, &format!("and {} more parts: see --format json", say::count(more as u64)))?;
    }
    Ok(())
}

fn label(one: &History) -> String {
    let places = few(&one.path, &one.designators);
    format!(
        "{} ({}{})",
        if places.is_empty() { "a part" } else { &places },
        one.kind.name(),
        if one.switched { ", maker changed" } else { "" }
    )
}

fn span(answer: &Diff, span: &Span) -> String {
    let since = match &span.from {
        Some(day) => format!("from {day}"),
        None => format!("from {}", path(answer, span.revision)),
    };
    let who: Vec<&str> = [span.maker.as_deref(), span.name.as_deref()].into_iter().flatten().collect();
    let who = if who.is_empty() { "not named".to_owned() } else { who.join(" ") };
    let place = match (&span.file, &span.at) {
        (Some(file), Some(at)) => format!(" ({file}, {at})"),
        _ => String::new(),
    };
    match span.state {
        "absent" => format!("{since}: not there"),
        "not-placed" => format!("{since}: {who}, not placed{place}"),
        _ => format!("{since}: {who}{place}"),
    }
}

fn problems(page: &mut Page<'_>, answer: &Diff) -> io::Result<()> {
    if answer.problems.is_empty() {
        return Ok(());
    }
    page.heading("Not understood")?;
    for problem in answer.problems.iter().take(LINES) {
        let path = problem.input.and_then(|i| answer.inputs.get(i as usize)).map_or("the run", |i| &i.path);
        page.hanging(2, 2, Tone::Plain, &format!("{path}, {}: {}", problem.at, problem.what))?;
    }
    Ok(())
}

/// One line of the CSV: a field that changed, or a part that came or went.
#[derive(Serialize)]
struct Row<'a> {
    from: &'a str,
    to: &'a str,
    change: &'a str,
    kind: &'a str,
    path: String,
    designators: String,
    field: &'a str,
    old: String,
    new: String,
    old_file: &'a str,
    old_at: &'a str,
    new_file: &'a str,
    new_at: &'a str,
    aligned_by: &'a str,
}

const COLUMNS: [&str; 14] = [
    "from",
    "to",
    "change",
    "kind",
    "path",
    "designators",
    "field",
    "old",
    "new",
    "old_file",
    "old_at",
    "new_file",
    "new_at",
    "aligned_by",
];

/// Writes every change as CSV: a line for each field that changed, and one for each part that came or went.
pub fn table(out: &mut dyn Write, answer: &Diff) -> io::Result<()> {
    let mut rows = Vec::new();
    for step in &answer.steps {
        for change in &step.changes {
            let row = |field, old: String, new: String| Row {
                from: path(answer, step.from),
                to: path(answer, step.to),
                change: change.change.name(),
                kind: change.kind.name(),
                path: change.path.join(" / "),
                designators: change.designators.join(" "),
                field,
                old,
                new,
                old_file: change.old.as_ref().map_or("", |l| &l.file),
                old_at: change.old.as_ref().map_or("", |l| &l.at),
                new_file: change.new.as_ref().map_or("", |l| &l.file),
                new_at: change.new.as_ref().map_or("", |l| &l.at),
                aligned_by: change.aligned_by.unwrap_or_default(),
            };
            if change.fields.is_empty() {
                let name = |line: &Option<Line>| line.as_ref().map(called).unwrap_or_default();
                rows.push(row("part", name(&change.old), name(&change.new)));
            }
            let of = |side: &Option<String>| side.clone().unwrap_or_default();
            rows.extend(change.fields.iter().map(|f| row(f.field, of(&f.old), of(&f.new))));
        }
    }
    csv::rows(out, &COLUMNS, &rows)
}

/// A suite for each step, a case for each part that came, went or changed; `fails` says at which findings the gate stops.
pub fn suites(answer: &Diff, fails: impl Fn(&Finding) -> bool) -> Vec<Suite> {
    // A finding belongs to the change whose lines it names.
    let mut at: HashMap<(&str, &str, String), Vec<&Finding>> = HashMap::new();
    for finding in &answer.findings {
        let place = Place::of(finding);
        let key = (place.file.unwrap_or_default(), place.at.unwrap_or_default(), place.designators.join(" "));
        at.entry(key).or_default().push(finding);
    }
    let suite = |step: &Step| {
        let cases = step.changes.iter().map(|change| {
            let lines = [&change.new, &change.old];
            let found = lines.into_iter().flatten().flat_map(|l| at.get(&(&*l.file, &*l.at, change.designators.join(" ")))).flatten();
            case(change, &found.copied().collect::<Vec<_>>(), &fails)
        });
        Suite { name: format!("{} to {}", path(answer, step.from), path(answer, step.to)), cases: cases.collect() }
    };
    answer.steps.iter().map(suite).collect()
}

fn case(change: &Change, findings: &[&Finding], fails: &impl Fn(&Finding) -> bool) -> Case {
    let line = change.new.as_ref().or(change.old.as_ref());
    let places = places(change);
    let name = [places.as_str(), &line.map(called).unwrap_or_default()].join(" ");
    let stopped: Vec<&Finding> = findings.iter().copied().filter(|f| fails(f)).collect();
    let outcome = match stopped.first() {
        None => Outcome::Passed,
        Some(first) => Outcome::Failed(Said {
            code: first.code.to_string(),
            message: because(first),
            text: stopped.iter().map(|f| format!("{} ({}): {}", f.code, f.severity.name(), because(f))).collect::<Vec<_>>().join("\n"),
        }),
    };
    Case { name: clean(name.trim()).into_owned(), class: change.change.name().to_owned(), line: line.and_then(|l| l.line), outcome }
}
