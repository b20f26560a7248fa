//! Risk on four axes: at a terminal and as CSV. No sum over axes is shown anywhere.

use std::io::{self, Write};

use umbilical_core::answer::risk::{AxisScore, Reached, RiskAnswer, Risked, Term};

use crate::terminal::{Page, Tone};
use crate::{View, say};

/// The axes, in the order in which they are shown.
const AXES: [&str; 4] = ["hardware-integrity", "transparency", "jurisdiction", "privacy-exposure"];

/// Columns of a line of CSV.
pub const COLUMNS: [&str; 14] = [
    "rank",
    "id",
    "names",
    "modules",
    "criticality",
    "sector",
    "hardware_integrity",
    "transparency",
    "jurisdiction",
    "privacy_exposure",
    "jurisdictions",
    "ranked_by",
    "terms",
    "open",
];

fn axis<'r>(subject: &'r Risked, name: &str) -> Option<&'r AxisScore> {
    subject.axes.iter().find(|a| a.axis == name)
}

fn score(subject: &Risked, name: &str) -> String {
    axis(subject, name).and_then(|a| a.score).map(|points| points.to_string()).unwrap_or_default()
}

fn term(term: &Term) -> String {
    format!("{} {}", term.term, term.weight)
}

/// A line for each subject; an axis without a score is an empty cell.
pub fn rows(answer: &RiskAnswer) -> Vec<[String; 14]> {
    let row = |s: &Risked| {
        let terms = s.axes.iter().flat_map(|a| a.terms.iter().map(|t| format!("{}: {}", a.axis, term(t))));
        let open = s.axes.iter().flat_map(|a| a.open.iter().map(|o| format!("{}: {o}", a.axis)));
        [
            s.rank.to_string(),
            s.id.clone(),
            list(&s.names),
            list(&s.modules),
            s.criticality.clone().unwrap_or_default(),
            list(&s.sector),
            score(s, "hardware-integrity"),
            score(s, "transparency"),
            score(s, "jurisdiction"),
            score(s, "privacy-exposure"),
            list(countries(s)),
            list(&s.ranked_by),
            list(terms),
            list(open),
        ]
    };
    answer.subjects.iter().map(row).collect()
}

/// Items of a cell; a semicolon inside one becomes a comma, so that the cell splits where it was joined.
fn list<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    items.into_iter().map(|i| i.as_ref().replace(';', ",")).collect::<Vec<_>>().join("; ")
}

fn countries(subject: &Risked) -> Vec<String> {
    let mut out: Vec<String> = subject.jurisdictions.iter().map(|r| r.fact.country.clone()).collect();
    out.sort_unstable();
    out.dedup();
    out
}

fn called(subject: &Risked) -> String {
    match subject.names.first() {
        Some(name) if *name != subject.id => format!("{name} ({})", subject.id),
        _ => subject.id.clone(),
    }
}

/// Writes the answer for a person at a terminal: all subjects, then what the first of them stand on, then the weights.
pub fn table(out: &mut dyn Write, answer: &RiskAnswer, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    let count = say::counted(answer.subjects.len() as u64, "subject");
    page.para(0, Tone::Bold, &format!("{count} on four axes of 0 to 100 that are never added up"))?;
    if !answer.assumed.is_empty() {
        page.para(0, Tone::Plain, &format!("What-if: {}.", answer.assumed.join("; ")))?;
    }
    page.gap()?;
    let cell = |s: &Risked, name: &str| axis(s, name).and_then(|a| a.score).map_or_else(|| "–".to_owned(), |p| p.to_string());
    let row = |s: &Risked| {
        let name = s.names.first().unwrap_or(&s.id).clone();
        let head = [s.rank.to_string(), name, s.criticality.clone().unwrap_or_default(), s.sector.join(", ")];
        head.into_iter().chain(AXES.iter().map(|a| cell(s, a))).chain([countries(s).join(", ")]).collect()
    };
    let header = ["#Rank", "Subject", "Criticality", "Sector", "#Hardware", "#Transparency", "#Jurisdiction", "#Privacy", "Law of"];
    page.table(&header, answer.subjects.iter().map(row))?;
    page.para(0, Tone::Dim, "– nothing can be said on this axis; that is no 0.")?;
    for subject in answer.subjects.iter().take(view.max_rows) {
        one(&mut page, subject)?;
    }
    let more = answer.subjects.len().saturating_sub(view.max_rows);
    if more > 0 {
        page.para(0, Tone::Dim, &format!("and {} more: see --format json", say::count(more as u64)))?;
    }
    weights(&mut page, answer)?;
    for problem in &answer.problems {
        let path = problem.input.and_then(|i| answer.inputs.get(i as usize)).map(|i| i.path.as_str()).unwrap_or_default();
        page.hanging(0, 2, Tone::Plain, &format!("not understood: {path} {}: {}", problem.at, problem.what))?;
    }
    page.gap()?;
    page.para(0, Tone::Dim, &format!("As of {} (sources to {}).", answer.as_of, answer.knowledge.sources_to))
}

fn one(page: &mut Page<'_>, subject: &Risked) -> io::Result<()> {
    page.heading(&format!("{}. {}", subject.rank, called(subject)))?;
    page.field(2, "Ranked by", &subject.ranked_by.join(", then "))?;
    page.field(2, "Modules", &subject.modules.join(", "))?;
    for axis in &subject.axes {
        let score = axis.score.map_or_else(|| "nothing can be said".to_owned(), |points| points.to_string());
        page.para(2, Tone::Bold, &format!("{}: {score}", axis.axis))?;
        for term in &axis.terms {
            page.hanging(4, 2, Tone::Plain, &format!("+{} {} [{}, {}]", term.weight, term.what, term.term, term.basis.name()))?;
            for because in &term.because {
                page.hanging(6, 2, Tone::Dim, &format!("- {because}"))?;
            }
        }
        for open in &axis.open {
            page.hanging(4, 2, Tone::Plain, &format!("? {open}"))?;
        }
    }
    for country in countries(subject) {
        let own = || subject.jurisdictions.iter().filter(|r| r.fact.country == country);
        let ways: Vec<String> = own().map(way).collect();
        let mut laws: Vec<&str> = Vec::new();
        for law in own().flat_map(|r| &r.fact.laws) {
            if !laws.contains(&law.as_str()) {
                laws.push(law);
            }
        }
        let said = own().find_map(|r| r.points);
        let points = said.map_or_else(|| "the operator has set nothing".to_owned(), |p| format!("{p} as the operator says"));
        page.field(2, &format!("Law of {country} ({points})"), &ways.join("; "))?;
        for law in laws {
            page.hanging(4, 2, Tone::Dim, &format!("- {law}"))?;
        }
    }
    Ok(())
}

/// Whom a jurisdiction reaches: a fact, whatever it counts for.
fn way(reached: &Reached) -> String {
    let fact = &reached.fact;
    let via = if fact.via.is_empty() { String::new() } else { format!(", through {}", fact.via.join(", ")) };
    let unclear = if fact.unclear { ", not clear on that day" } else { "" };
    format!("reaches {}{via}{unclear} [{}]", fact.org, fact.basis.name())
}

fn weights(page: &mut Page<'_>, answer: &RiskAnswer) -> io::Result<()> {
    let used = &answer.weights;
    page.heading(&format!("Weights: {}", used.title))?;
    for name in AXES {
        let terms: Vec<String> = used.terms.iter().filter(|t| t.axis == name).map(|t| format!("{} {}", t.term, t.weight)).collect();
        page.field(2, name, &terms.join(", "))?;
    }
    for c in &used.countries {
        let inputs = format!("hostility {}, intention {}, capability {} of {}", c.hostility, c.intention, c.capability, used.steps);
        page.field(2, &c.country, &format!("{inputs}; {}", c.because))?;
    }
    let mut keys = vec![format!("criticality ({})", used.rank.criticality.join(", "))];
    if !used.rank.sector.is_empty() {
        keys.push(format!("sector ({})", used.rank.sector.join(", ")));
    }
    keys.extend(used.rank.axes.iter().map(|a| (*a).to_owned()));
    page.field(2, "Order", &keys.join(", then "))?;
    page.field(2, "Texts", &used.texts.iter().map(|t| t.file.clone()).collect::<Vec<_>>().join(", "))
}
