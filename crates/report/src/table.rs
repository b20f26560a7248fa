//! The answer at a terminal: coverage first, then what it means, then the rows behind it.

use std::io::{self, Write};

use umbilical_core::answer::{Audit, Behind, Device, Trace};
use umbilical_core::text::short;

use crate::View;
use crate::say;
use crate::survey::Survey;
use crate::terminal::{Page, Tone};

/// Lines of a list that is not devices before it says how many more there are.
const LINES: usize = 20;

/// Writes the fleet for a person at a terminal. `devices` is read as far as `view.max_rows` and the groups need.
pub fn audit(out: &mut dyn Write, audit: &Audit, devices: impl IntoIterator<Item = Device>, view: &View) -> io::Result<()> {
    // With one device more than fits, what is left out is known to exist.
    let survey = Survey::of(audit, devices, view.max_rows.saturating_add(1).min(100_000));
    let mut page = Page::new(out, view);
    coverage(&mut page, audit, &survey)?;
    reach(&mut page, audit, &survey)?;
    findings(&mut page, audit, &survey)?;
    modules(&mut page, audit, &survey)?;
    listed(&mut page, audit, &survey, view)?;
    next(&mut page, audit)?;
    problems(&mut page, audit)?;
    looked_at(&mut page, audit)
}

fn coverage(page: &mut Page<'_>, audit: &Audit, survey: &Survey) -> io::Result<()> {
    page.para(0, Tone::Bold, &say::coverage(audit, survey.collect()))?;
    page.para(0, Tone::Plain, &say::known(audit))?;
    if audit.coverage.cellular == 0 {
        let what = if audit.coverage.unknown > 0 {
            "That is no all-clear: see what is unknown."
        } else {
            "That says what this evidence shows, no more."
        };
        page.para(0, Tone::Warn, &format!("No cellular module was found in what was looked at: {} {what}", say::looked_at(audit)))?;
    }
    Ok(())
}

fn reach(page: &mut Page<'_>, audit: &Audit, survey: &Survey) -> io::Result<()> {
    let makers = &audit.tallies.makers;
    if makers.is_empty() {
        return Ok(());
    }
    page.heading("Who can reach in")?;
    let rows = makers.iter().take(LINES).map(|t| {
        let share = say::share(t.count, audit.coverage.cellular);
        vec![t.label.clone(), say::count(t.count), share, survey.countries_of(&t.label)]
    });
    page.table(&["Maker", "#Devices", "#Of cellular", "Jurisdictions"], rows)?;
    more(page, makers.len(), LINES, "makers")?;
    for behind in survey.behind.iter().take(LINES) {
        page.gap()?;
        organisation(page, 2, &behind.who)?;
    }
    more(page, survey.behind.len(), LINES, "organisations")?;
    let mut laws: Vec<(&str, String)> = Vec::new();
    for j in survey.behind.iter().flat_map(|b| &b.who.jurisdictions) {
        if !laws.iter().any(|l| l.0 == j.country) {
            laws.push((&j.country, j.laws.join("; ")));
        }
    }
    laws.sort_unstable();
    if !laws.is_empty() {
        page.gap()?;
        page.para(2, Tone::Plain, "Law that can compel somebody in these chains:")?;
    }
    for (country, list) in laws {
        page.hanging(4, 4, Tone::Plain, &format!("{country}: {list}"))?;
    }
    if !audit.tallies.listings.is_empty() {
        page.gap()?;
        page.para(2, Tone::Plain, "Devices by the list that names the maker, its brand or an owner:")?;
        let rows = audit.tallies.listings.iter().take(LINES).map(|t| vec![t.label.clone(), say::count(t.count)]);
        page.table(&["List", "#Devices"], rows)?;
        more(page, audit.tallies.listings.len(), LINES, "lists")?;
    }
    Ok(())
}

/// An organisation in a few lines: the statement in its own words, the owner, what is open and what is alleged.
pub(crate) fn organisation(page: &mut Page<'_>, indent: usize, trace: &Behind) -> io::Result<()> {
    let inner = indent.saturating_add(2);
    page.hanging(indent, 2, Tone::Bold, &format!("{} ({})", trace.name, trace.role))?;
    page.hanging(inner, 2, Tone::Plain, &trace.statement)?;
    let owner = if trace.owner.is_empty() { "unknown".to_owned() } else { trace.owner.join(", ") };
    page.field(inner, "owner", &owner)?;
    for point in &trace.open_points {
        page.field(inner, "for review", point)?;
    }
    page.field(inner, "alleged, not counted", &alleged(trace))
}

/// Alleged relations in one sentence, grouped: `affiliation with X, Y; sale to Z`.
fn alleged(trace: &Trace) -> String {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for step in &trace.alleged {
        let up = step.child == trace.org;
        let word = match (&*step.edge, up) {
            ("affiliate-alleged", _) => "affiliation with",
            ("customer-of", false) => "sale to",
            ("customer-of", true) => "purchase from",
            (edge, true) => edge,
            (edge, false) => say::verb(edge),
        };
        let other = if up { &step.parent_name } else { &step.child_name };
        match groups.iter_mut().find(|g| g.0 == word) {
            Some(group) => group.1.push(other),
            None => groups.push((word, vec![other])),
        }
    }
    groups.iter().map(|(word, names)| format!("{word} {}", names.join(", "))).collect::<Vec<_>>().join("; ")
}

fn findings(page: &mut Page<'_>, audit: &Audit, survey: &Survey) -> io::Result<()> {
    if audit.tallies.findings.is_empty() && survey.found.is_empty() {
        return Ok(());
    }
    page.heading(if audit.law.is_some() { "Verdicts, contradictions and other findings" } else { "Contradictions and other findings" })?;
    let mut rows: Vec<Vec<String>> = survey
        .found
        .iter()
        .map(|f| {
            vec![
                f.severity.name().to_owned(),
                f.first.verdict.map_or_else(|| f.first.code.to_string(), |verdict| format!("{verdict}: {}", f.first.code)),
                say::count(survey.count(audit, f)),
                f.first.meaning().to_owned(),
            ]
        })
        .collect();
    let rest = audit.tallies.findings.iter().filter(|t| !survey.found.iter().any(|f| f.first.code == t.label));
    rows.extend(rest.map(|t| vec![String::new(), t.label.clone(), say::count(t.count), say::code(&t.label).to_owned()]));
    page.table(&["Severity", "Finding", "#Devices", "Meaning"], rows)?;
    unknown_law(page, audit)?;
    for found in &survey.found {
        for (_, name, why) in found.examples.iter().take(3).filter(|e| !e.2.is_empty()) {
            page.hanging(2, 2, Tone::Plain, &format!("{} at {}: {}", found.first.code, short(name, 40), short(why, 240)))?;
        }
    }
    Ok(())
}

/// Where law was asked: what stands not here.
fn unknown_law(page: &mut Page<'_>, audit: &Audit) -> io::Result<()> {
    if audit.law.is_none() {
        return Ok(());
    }
    page.para(2, Tone::Dim, say::UNKNOWN_LAW)
}

fn modules(page: &mut Page<'_>, audit: &Audit, survey: &Survey) -> io::Result<()> {
    if survey.groups.is_empty() {
        return Ok(());
    }
    page.heading("Modules")?;
    if survey.exact {
        let rows = survey
            .groups
            .iter()
            .take(LINES)
            .map(|g| vec![g.title.clone(), say::count(g.count), g.sure(), g.countries.join(", "), g.places()]);
        page.table(&["Module", "#Count", "Confidence", "Jurisdiction", "Where"], rows)?;
        return more(page, survey.groups.len(), LINES, "kinds of module: `--format csv` has every one");
    }
    let rows = audit.tallies.models.iter().take(LINES).map(|t| {
        let group = survey.groups.iter().find(|g| g.tally.as_deref() == Some(&t.label));
        let reach = group.map(|g| g.countries.join(", ")).unwrap_or_default();
        vec![t.label.clone(), say::count(t.count), reach, group.map(|g| g.where_.join(", ")).unwrap_or_default()]
    });
    page.table(&["Module", "#Devices", "Jurisdiction", "For example"], rows)?;
    more(page, audit.tallies.models.len(), LINES, "models: `--format csv` has every one")?;
    let levels: Vec<String> = audit.tallies.confidence.iter().map(|t| format!("{} {}", say::count(t.count), t.label)).collect();
    page.field(2, "Confidence of the best module", &levels.join(", "))
}

fn listed(page: &mut Page<'_>, audit: &Audit, survey: &Survey, view: &View) -> io::Result<()> {
    if survey.shown.is_empty() || view.max_rows == 0 {
        return Ok(());
    }
    page.heading("Devices")?;
    let rows = survey.shown.iter().take(view.max_rows).map(|d| {
        let name = short(&say::label(audit, d), 60).into_owned();
        vec![name, say::content(d), say::sure(d), say::reason(d)]
    });
    page.table(&["Device", "What is in it", "Confidence", "Mainly because"], rows)?;
    let rest = audit.coverage.devices.max(survey.looked).saturating_sub(view.max_rows as u64);
    if rest > 0 {
        page.para(
            2,
            Tone::Dim,
            &format!("and {}: `--format csv` lists every one, `--format html` shows why.", say::counted(rest, "more device")),
        )?;
    }
    page.para(2, Tone::Dim, "`umbilical explain DEVICE` shows the whole chain behind one (name, IMEI or id).")
}

fn next(page: &mut Page<'_>, audit: &Audit) -> io::Result<()> {
    page.heading("What to collect next")?;
    if audit.tallies.next_evidence.is_empty() {
        page.para(2, Tone::Plain, "Nothing is open that more evidence of a known kind would decide.")?;
    } else {
        let rows = audit.tallies.next_evidence.iter().take(LINES).map(|t| vec![say::count(t.count), t.label.clone()]);
        page.table(&["#Devices", "Evidence that would decide"], rows)?;
        more(page, audit.tallies.next_evidence.len(), LINES, "kinds of evidence")?;
    }
    page.hanging(2, 2, Tone::Plain, &say::imeis(audit))?;
    if !audit.learned.is_empty() {
        let what = format!(
            "{} learned from this evidence (`umbilical export tac`).",
            say::counted(audit.learned.len() as u64, "type allocation code")
        );
        page.hanging(2, 2, Tone::Plain, &what)?;
    }
    Ok(())
}

fn problems(page: &mut Page<'_>, audit: &Audit) -> io::Result<()> {
    if audit.problems.is_empty() {
        return Ok(());
    }
    page.heading("What could not be understood")?;
    for said in audit.problems.iter().take(8) {
        page.hanging(2, 4, Tone::Plain, &format!("{}: {}", say::place(audit, said.input, &said.at), said.what))?;
    }
    more(page, audit.problems.len(), 8, "problems: `--format json` has every one")
}

fn looked_at(page: &mut Page<'_>, audit: &Audit) -> io::Result<()> {
    page.heading("What was looked at")?;
    let rows = say::inputs(audit)
        .into_iter()
        .take(LINES)
        .map(|(format, n, size, facts)| vec![format, say::count(n), say::bytes(size), say::count(facts)]);
    if !audit.inputs.is_empty() {
        page.table(&["Format", "#Inputs", "#Size", "#Facts"], rows)?;
    }
    for input in audit.inputs.iter().filter(|i| !i.mapping.is_empty()).take(5) {
        page.hanging(2, 4, Tone::Dim, &format!("{}: columns read as {}", input.path, input.mapping.join(", ")))?;
    }
    page.hanging(2, 2, Tone::Plain, &say::looked_at(audit))?;
    page.hanging(2, 2, Tone::Plain, &say::knowledge(audit))?;
    for absent in &audit.knowledge.absent {
        page.hanging(2, 2, Tone::Warn, &format!("Not here: {absent}."))?;
    }
    Ok(())
}

fn more(page: &mut Page<'_>, all: usize, shown: usize, what: &str) -> io::Result<()> {
    match all.saturating_sub(shown) {
        0 => Ok(()),
        rest => page.para(2, Tone::Dim, &format!("and {} more {what}", say::count(rest as u64))),
    }
}
