//! Bills of materials at a terminal: each product's answer first, then what makes it so, then who stands behind it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use umbilical_core::answer::bom::{Check, FileAnswer, PartAnswer, Project, State, Term, Tier};
use umbilical_core::bom::PartKind;
use umbilical_core::finding::Finding;
use umbilical_core::signed::SignedState;
use umbilical_core::text::short;

use crate::View;
use crate::say;
use crate::terminal::{Page, Tone};

/// Lines of a list before it says how many more there are.
const LINES: usize = 20;

/// Writes the answer of `bom check` for a person at a terminal.
pub fn check(out: &mut dyn Write, check: &Check, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    page.para(0, Tone::Bold, &verdict(check))?;
    for project in &check.projects {
        self::project(&mut page, check, project)?;
    }
    behind(&mut page, check)?;
    findings(&mut page, check)?;
    problems(&mut page, check)?;
    page.gap()?;
    page.para(0, Tone::Dim, &format!("As of {}. Sources to {}.", check.as_of, check.knowledge.sources_to))
}

fn verdict(check: &Check) -> String {
    let of = |state: State| check.projects.iter().filter(|p| p.state == state).count();
    let parts: usize = check.files.iter().map(|f| f.parts.len()).sum();
    let counted = |n: usize, what: &str| format!("{} {what}{}", say::count(n as u64), if n == 1 { "" } else { "s" });
    format!(
        "{} in {}, {}: {} with a cellular module, {} undisclosed, {} clean as declared",
        counted(check.projects.len(), "product"),
        counted(check.files.len(), "document"),
        counted(parts, "part"),
        of(State::Found),
        of(State::Undisclosed),
        of(State::CleanAsDeclared),
    )
}

fn tone(state: State) -> Tone {
    match state {
        State::Found => Tone::Note,
        State::Undisclosed => Tone::Bad,
        State::CleanAsDeclared => Tone::Plain,
    }
}

fn project(page: &mut Page<'_>, check: &Check, project: &Project) -> io::Result<()> {
    page.heading(&project.path)?;
    page.para(2, tone(project.state), project.state.name())?;
    for why in project.because.iter().take(LINES) {
        page.hanging(2, 2, Tone::Plain, why)?;
    }
    if project.state == State::CleanAsDeclared {
        page.hanging(
            2,
            2,
            Tone::Dim,
            "That is what the documents say, no more: `umbilical bom verify` compares it with what is observed.",
        )?;
    }
    let files = || project.files.iter().filter_map(|i| check.files.get(*i as usize));
    for file in files() {
        self::file(page, file, project.files.len() > 1)?;
    }
    Ok(())
}

fn file(page: &mut Page<'_>, file: &FileAnswer, named: bool) -> io::Result<()> {
    if named {
        page.gap()?;
        let count = file.parts.len();
        page.hanging(
            2,
            2,
            Tone::Bold,
            &format!("{} ({}, {} parts, {})", file.path, file.format, say::count(count as u64), file.state.name()),
        )?;
    }
    let told: Vec<&PartAnswer> = file.parts.iter().filter(|p| p.kind == PartKind::Module || p.kind.is_tell()).collect();
    if !told.is_empty() {
        page.gap()?;
        let rows = told.iter().take(LINES).map(|p| row(p));
        page.table(&["Where", "Part", "Kind", "Declared", "Module", "Confidence"], rows)?;
        more(page, told.len(), "such parts")?;
    }
    for part in told.iter().filter(|p| p.kind == PartKind::Module || p.kind == PartKind::Carrier).take(LINES) {
        tiers(page, part)?;
    }
    kinds(page, file)?;
    completeness(page, file)?;
    signed(page, file)
}

/// What the signatures inside it are worth together.
fn signed(page: &mut Page<'_>, file: &FileAnswer) -> io::Result<()> {
    let Some(signed) = &file.signed else { return Ok(()) };
    let text = match signed.state {
        SignedState::Absent => "absent: nobody signed this document".to_owned(),
        _ => format!("{}: {}", signed.state.name(), signed.because.join("; ")),
    };
    page.field(2, "Signature", &text)
}

/// One part that matters.
fn row(part: &PartAnswer) -> Vec<String> {
    let p = &part.part;
    let names: Vec<&str> = [p.manufacturer.as_deref(), p.mpn.as_deref().or(p.value.as_deref())].into_iter().flatten().collect();
    let mut declared = if names.is_empty() { p.description.as_deref().unwrap_or_default().to_owned() } else { names.join(" ") };
    let others: Vec<&str> = part.alternates.iter().filter_map(|a| a.part.mpn.as_deref().or(a.part.value.as_deref())).collect();
    if !others.is_empty() {
        declared.push_str(&format!(" or {}", others.join(" or ")));
    }
    let module = part.module.as_deref();
    let known = module.map(|m| {
        let words: Vec<&str> = [m.maker.as_deref(), m.model.as_deref().or(m.family.as_deref())].into_iter().flatten().collect();
        if words.is_empty() { "unknown".to_owned() } else { words.join(" ") }
    });
    let path = if part.path.is_empty() { String::new() } else { format!("{} > ", part.path.join(" > ")) };
    vec![
        part.at.clone(),
        short(&format!("{path}{}", p.designators.join(" ")), 60).into_owned(),
        part.kind.name().to_owned(),
        short(&declared, 80).into_owned(),
        known.unwrap_or_else(|| if part.kind.is_tell() { "not named".into() } else { String::new() }),
        module.map(|m| format!("{} {:.2}", m.confidence_level.name(), m.confidence)).unwrap_or_default(),
    ]
}

fn tiers(page: &mut Page<'_>, part: &PartAnswer) -> io::Result<()> {
    if part.tiers.is_empty() {
        return Ok(());
    }
    page.gap()?;
    let name = part.part.name().unwrap_or("unnamed");
    page.para(2, Tone::Plain, &format!("Supply chain of {} ({}):", short(name, 60), part.at))?;
    let rows = part.tiers.iter().map(|t| {
        let mut countries: Vec<&str> = t.jurisdictions.iter().map(|j| j.country.as_str()).collect();
        countries.sort_unstable();
        countries.dedup();
        vec![t.tier.name().to_owned(), who(t), countries.join(", "), how(t), t.because.clone()]
    });
    page.table(&["Tier", "Who", "Jurisdictions", "Known", "Because"], rows)
}

fn who(tier: &Tier) -> String {
    match (&tier.name, &tier.part) {
        (Some(name), Some(part)) => format!("{name}: {part}"),
        (Some(name), None) => name.clone(),
        (None, _) => "not disclosed".into(),
    }
}

fn how(tier: &Tier) -> String {
    tier.basis.map_or_else(|| "gap".to_owned(), |b| format!("{} {:.2}", b.name(), tier.confidence))
}

/// How much the document says for each use, and what it leaves out most.
fn completeness(page: &mut Page<'_>, file: &FileAnswer) -> io::Result<()> {
    for one in file.completeness.iter().flat_map(|c| &c.uses) {
        let Some(score) = one.score else {
            page.field(2, one.use_case, "not evaluable: the document declares no part")?;
            continue;
        };
        let mut missing: Vec<&Term> = one.terms.iter().filter(|t| t.have < t.of).collect();
        // What costs most first; the table's order among equals.
        missing.sort_by_key(|t| {
            std::cmp::Reverse(u128::from(t.weight) * u128::from(t.of.saturating_sub(t.have)) * 10_000 / u128::from(t.of.max(1)))
        });
        let names: Vec<String> =
            missing.iter().map(|t| if t.have == 0 { t.term.clone() } else { format!("{} ({} of {})", t.term, t.have, t.of) }).collect();
        let missing = if names.is_empty() { String::new() } else { format!("; missing: {}", names.join(", ")) };
        page.field(2, one.use_case, &format!("{:.0} % complete{missing}", score * 100.0))?;
    }
    Ok(())
}

/// How many parts of each kind, with those that are typed.
fn kinds(page: &mut Page<'_>, file: &FileAnswer) -> io::Result<()> {
    let mut counts: BTreeMap<PartKind, u64> = BTreeMap::new();
    for part in &file.parts {
        let n = counts.entry(part.kind).or_default();
        *n = n.saturating_add(1);
    }
    let words: Vec<String> = counts.iter().filter(|(k, _)| **k != PartKind::Other).map(|(k, n)| format!("{} {n}", k.name())).collect();
    let other = counts.get(&PartKind::Other).copied().unwrap_or(0);
    let mut line = if words.is_empty() { String::new() } else { format!("{}; ", words.join(", ")) };
    line.push_str(&format!("other {}", say::count(other)));
    if !file.not_placed.is_empty() {
        line.push_str(&format!("; not placed {}", say::count(file.not_placed.len() as u64)));
    }
    page.gap()?;
    page.field(2, "Parts", &line)
}

fn behind(page: &mut Page<'_>, check: &Check) -> io::Result<()> {
    let modules = check
        .files
        .iter()
        .flat_map(|f| &f.parts)
        .flat_map(|p| p.module.iter().chain(p.alternates.iter().filter_map(|a| a.module.as_ref())));
    let mut seen: Vec<&str> = Vec::new();
    let mut shown = Vec::new();
    for behind in modules.flat_map(|m| &m.ownership) {
        if !seen.contains(&behind.org.as_str()) {
            seen.push(&behind.org);
            shown.push(behind);
        }
    }
    if shown.is_empty() {
        return Ok(());
    }
    page.heading("Who can reach in")?;
    for who in shown.iter().take(LINES) {
        page.gap()?;
        crate::table::organisation(page, 2, who)?;
    }
    more(page, shown.len(), "organisations")
}

fn findings(page: &mut Page<'_>, check: &Check) -> io::Result<()> {
    let all = check.projects.iter().flat_map(|p| &p.findings).chain(check.files.iter().flat_map(|f| &f.findings));
    list(page, all)
}

/// Findings in the order given, with what makes them so and what would clear them.
pub(crate) fn list<'f>(page: &mut Page<'_>, all: impl Iterator<Item = &'f Finding>) -> io::Result<()> {
    let mut all: Vec<&Finding> = all.collect();
    all.sort_by(|a, b| a.worst_first(b));
    if all.is_empty() {
        return Ok(());
    }
    page.heading("Findings")?;
    for finding in all.iter().take(LINES) {
        page.gap()?;
        let first = finding.because.first().map(String::as_str).unwrap_or_default();
        page.hanging(2, 2, Tone::of(finding.severity.name()), &format!("{} {}: {first}", finding.severity.name(), finding.code))?;
        for more in finding.because.iter().skip(1).take(4) {
            page.hanging(4, 2, Tone::Plain, more)?;
        }
        page.field(4, "what helps", &finding.remedies.join("; "))?;
        page.field(4, "clears when", &finding.clears_when)?;
    }
    more(page, all.len(), "findings")
}

fn problems(page: &mut Page<'_>, check: &Check) -> io::Result<()> {
    if check.problems.is_empty() {
        return Ok(());
    }
    page.heading("Not understood")?;
    for problem in check.problems.iter().take(LINES) {
        let path = problem.input.and_then(|i| check.inputs.get(i as usize)).map(|i| i.path.as_str()).unwrap_or("the run");
        page.hanging(2, 2, Tone::Plain, &format!("{path}, {}: {}", problem.at, problem.what))?;
    }
    more(page, check.problems.len(), "problems")
}

fn more(page: &mut Page<'_>, all: usize, what: &str) -> io::Result<()> {
    match all.checked_sub(LINES) {
        Some(n) if n > 0 => page.para(2, Tone::Dim, &format!("and {} more {what}: see --format json", say::count(n as u64))),
        _ => Ok(()),
    }
}
