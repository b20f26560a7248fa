//! Bills of materials as suites: one for each document, and one for each product of several documents.

use std::collections::HashMap;

use umbilical_core::answer::bom::{Check, FileAnswer, PartAnswer, Project, State};
use umbilical_core::bom::PartKind;
use umbilical_core::finding::Finding;

use super::{Case, Outcome, Said, Suite};
use crate::located::{Place, because, remedies};

/// What a gate says of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It stops at none of the gates.
    Through,
    /// It stops at one: the case fails.
    Stopped,
}

/// The suites of an answer. `gate` is asked for each case with its findings and, for documents and products, their state.
///
/// What the gate lets through and is open all the same (an undisclosed module, a review, an unknown) is skipped, never
/// passed.
pub fn suites(check: &Check, gate: impl Fn(&[&Finding], Option<State>) -> Gate) -> Vec<Suite> {
    let alone = |file: usize| check.projects.iter().find(|p| matches!(p.files.as_slice(), [f] if *f as usize == file));
    let mut suites: Vec<Suite> = check.files.iter().enumerate().map(|(number, file)| document(check, file, alone(number), &gate)).collect();
    suites.extend(check.projects.iter().filter(|p| p.files.len() > 1).map(|project| Suite {
        name: project.path.clone(),
        cases: vec![whole("product", Known::of(check, project), project.findings.iter().collect(), &gate)],
    }));
    suites
}

type Ask<'g> = dyn Fn(&[&Finding], Option<State>) -> Gate + 'g;

/// What is said of a document or product as a whole.
struct Known<'a> {
    state: State,
    because: &'a [String],
    /// It names no module, and was not understood whole.
    open: bool,
    /// What one sheet of a larger product hides is a matter of the product: no gate asks for the state of the sheet.
    gated: bool,
}

impl<'a> Known<'a> {
    fn of(check: &Check, project: &'a Project) -> Self {
        Self { state: project.state, because: &project.because, open: check.is_open(project), gated: true }
    }
}

fn document(check: &Check, file: &FileAnswer, alone: Option<&Project>, gate: &Ask<'_>) -> Suite {
    let judged: Vec<&PartAnswer> = file.parts.iter().filter(|p| is_judged(p)).collect();
    let mut at: HashMap<&str, Vec<&Finding>> = HashMap::new();
    let mut rest: Vec<&Finding> = Vec::new();
    let places: std::collections::HashSet<&str> = judged.iter().map(|p| p.at.as_str()).collect();
    for finding in file.findings.iter().chain(alone.into_iter().flat_map(|p| &p.findings)) {
        match Place::of(finding).at.filter(|place| places.contains(place)) {
            Some(place) => at.entry(place).or_default().push(finding),
            None => rest.push(finding),
        }
    }
    let part_of_more = Known { state: file.state, because: &file.because, open: false, gated: false };
    let known = alone.map_or(part_of_more, |project| Known::of(check, project));
    let mut cases = vec![whole("file", known, rest, gate)];
    for part in judged {
        // Of several parts at one place the finding is about the one whose designators it names.
        let about = at.get(part.at.as_str()).map(Vec::as_slice).unwrap_or_default().iter().copied().filter(|f| names(f, part));
        cases.push(one(part, about.collect(), gate));
    }
    Suite { name: file.path.clone(), cases }
}

fn is_judged(part: &PartAnswer) -> bool {
    part.module.is_some() || part.kind.is_tell() || matches!(part.kind, PartKind::Module | PartKind::Chipset)
}

fn names(finding: &Finding, part: &PartAnswer) -> bool {
    let place = Place::of(finding);
    place.designators.is_empty() || part.part.designators.iter().map(|d| &**d).eq(place.designators.iter().copied())
}

fn whole(class: &str, known: Known<'_>, findings: Vec<&Finding>, gate: &Ask<'_>) -> Case {
    let Known { state, because, open, gated } = known;
    let open = open || gated && state == State::Undisclosed;
    let mut said = said(&findings).unwrap_or_default();
    if open || findings.is_empty() {
        let why = because.join("\n");
        said = Said { code: state.name().into(), message: because.join("; "), text: [why, said.text].join("\n").trim_end().to_owned() };
    }
    let open = open || findings.iter().any(|f| is_open(f));
    // Named for what is asked, not for the answer: histories of test runs go by name.
    let name = "every module is named".to_owned();
    Case { name, class: class.into(), line: None, outcome: outcome(gate(&findings, gated.then_some(state)), open, said) }
}

fn one(part: &PartAnswer, findings: Vec<&Finding>, gate: &Ask<'_>) -> Case {
    let p = &part.part;
    let designators = p.designators.join(",");
    let words = [designators.as_str(), p.manufacturer.as_deref().unwrap_or_default(), p.name().unwrap_or_default()];
    let name = words.into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    let open = findings.iter().any(|f| is_open(f));
    Case {
        name: if name.is_empty() { part.at.clone() } else { name },
        class: part.kind.name().into(),
        line: part.line,
        outcome: outcome(gate(&findings, None), open, said(&findings).unwrap_or_default()),
    }
}

fn is_open(finding: &Finding) -> bool {
    matches!(finding.verdict, Some("review" | "unknown")) || finding.code == "undisclosed-modem"
}

fn outcome(gate: Gate, open: bool, said: Said) -> Outcome {
    match (gate, open) {
        (Gate::Stopped, _) => Outcome::Failed(said),
        (Gate::Through, true) => Outcome::Skipped(said),
        (Gate::Through, false) => Outcome::Passed,
    }
}

/// The findings in words, the worst first.
fn said(findings: &[&Finding]) -> Option<Said> {
    let mut sorted = findings.to_vec();
    sorted.sort_by_key(|f| std::cmp::Reverse(f.severity));
    let worst = sorted.first()?;
    let mut lines = Vec::new();
    for finding in &sorted {
        lines.push(format!("{} ({}): {}", finding.code, finding.severity.name(), because(finding)));
        lines.extend(remedies(finding).map(|r| format!("  what helps: {r}")));
        lines.push(format!("  clears when: {}", finding.clears_when));
    }
    Some(Said { code: worst.code.to_string(), message: because(worst), text: lines.join("\n") })
}
