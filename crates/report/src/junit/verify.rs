//! Declared against observed as JUnit: a suite for each device, one for radios and sweeps, one for each lot.

use umbilical_core::answer::verify::{Outcome as Result, Row, Verify};
use umbilical_core::finding::Finding;

use super::{Case, Outcome, Said, Suite};

/// The suites of an answer. `fails` says whether the gate lets a finding through.
pub fn verify(answer: &Verify, fails: impl Fn(&Finding) -> bool) -> Vec<Suite> {
    let mut suites: Vec<Suite> = Vec::new();
    for row in &answer.rows {
        put(&mut suites, row.label.as_deref().unwrap_or("no device"), case(row));
    }
    // What the rows do not hold already.
    let beside = ["undeclared-radio", "uplink-energy", "lot-mismatch"];
    for finding in beside.iter().flat_map(|code| answer.findings.iter().filter(move |f| f.code == *code)) {
        let said = Said {
            code: finding.code.to_string(),
            message: finding.because.first().cloned().unwrap_or_default(),
            text: finding.because.join("\n"),
        };
        let outcome = if fails(finding) { Outcome::Failed(said) } else { Outcome::Skipped(said) };
        let name = finding.detail.get("value").and_then(serde_json::Value::as_str).unwrap_or(&finding.subject.id).to_owned();
        put(&mut suites, &finding.code, Case { name, class: finding.code.to_string(), line: None, outcome });
    }
    suites
}

/// Cases of one suite stand together.
fn put(suites: &mut Vec<Suite>, name: &str, case: Case) {
    match suites.last_mut().filter(|s| s.name == name) {
        Some(suite) => suite.cases.push(case),
        None => suites.push(Suite { name: name.to_owned(), cases: vec![case] }),
    }
}

fn case(row: &Row) -> Case {
    let part = row.declared.as_ref().and_then(|d| d.mpn.as_deref().or(d.value.as_deref()));
    let observed = row.observed.as_ref().and_then(|m| m.model.as_deref().or(m.maker.as_deref()));
    let words: Vec<&str> = row.designators.iter().map(String::as_str).chain(part.or(observed)).collect();
    let said = || Said { code: row.result.name().to_owned(), message: row.sentence.clone(), text: row.sentence.clone() };
    let outcome = match row.result {
        Result::Match | Result::Rebrand => Outcome::Passed,
        Result::NotSeen => Outcome::Skipped(said()),
        Result::Substituted | Result::Undeclared => Outcome::Failed(said()),
    };
    let name = if words.is_empty() { "a modem".to_owned() } else { words.join(" ") };
    Case { name, class: "module".to_owned(), line: row.declared.as_ref().and_then(|d| d.line), outcome }
}
