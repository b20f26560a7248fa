//! Outcomes as findings.

use serde_json::json;
use umbilical_core::Basis;
use umbilical_core::answer::policy::{Statement, Verdict};
use umbilical_core::finding::{Finding, Severity, Subject};
use umbilical_core::id::content_id;
use umbilical_core::weight::round4;
use umbilical_knowledge::Word as _;

use super::{Judge, Outcome};

/// The threats that findings may name.
const THREATS: [&str; 3] = ["surveillance", "exfiltration", "disruption"];

/// What an outcome stands on, in sentences.
pub fn reasons(outcome: &Outcome) -> Vec<String> {
    let open = outcome.points.iter().map(|p| format!("open: {p}"));
    let wanted = outcome.wanted.iter().map(|w| format!("not known: {w}"));
    outcome.because.iter().map(sentence).chain(open).chain(wanted).collect()
}

/// The finding of an outcome about a subject; `None` where it is not applicable.
pub fn finding(judge: &Judge<'_>, outcome: &Outcome, subject: Subject) -> Option<Finding> {
    let (pack, rule) = judge.rule(outcome)?;
    if outcome.verdict == Verdict::NotApplicable {
        return None;
    }
    let severity = match outcome.verdict {
        Verdict::Fail => rule.severity.map_or(Severity::High, |s| s.0),
        Verdict::Review => Severity::Medium,
        Verdict::Unknown => Severity::Low,
        _ => Severity::Info,
    };
    let id = rule.id.get_ref();
    let because = reasons(outcome);
    let clears_when = match (outcome.verdict, outcome.changes.is_empty()) {
        (Verdict::Pass, true) => "it is kept".to_owned(),
        (Verdict::Unknown, _) if !outcome.wanted.is_empty() => format!("it is known: {}", outcome.wanted.join("; ")),
        (_, true) => "the rule or the module changes".to_owned(),
        (_, false) => outcome.changes.join("; or "),
    };
    let thing = outcome.thing.as_deref();
    Some(Finding {
        id: content_id("fnd-", id, &format!("{} {} {}", subject.kind, subject.id, thing.unwrap_or_default())),
        code: id.clone().into(),
        source: "rule",
        subject,
        verdict: Some(outcome.verdict.name()),
        severity,
        confidence: round4(f64::from(outcome.confidence) / 1000.0),
        basis: outcome.because.iter().map(|s| s.basis).find(|b| *b == Basis::Listed).unwrap_or(Basis::Inferred),
        lifecycle: "not-patchable",
        threats: THREATS.into_iter().filter(|t| rule.threats.iter().any(|r| r == t)).collect(),
        first: None,
        last: None,
        because,
        remedies: rule.remedies.clone(),
        clears_when,
        detail: json!({
            "title": rule.title,
            "clause": id,
            "cite": rule.cite,
            "pack": pack.id.get_ref(),
            "effect": rule.effect.to_string(),
            "tier": rule.tier.iter().map(|t| t.name()).collect::<Vec<_>>(),
            "binds": rule.binds,
            "standing": rule.standing.unwrap_or(pack.standing).name(),
            "from": rule.from.map(|d| d.to_string()),
            "as_of": judge.as_of().to_string(),
            "sources_to": pack.sources_to.to_string(),
            "source": rule.source,
            "verified": rule.status.0,
            "module": thing,
            "statements": outcome.because,
            "open_points": outcome.points,
            "wanted": outcome.wanted,
            "would_change": outcome.changes,
        }),
    })
}

/// A statement in one sentence, with its basis.
fn sentence(statement: &Statement) -> String {
    let Statement { basis, what, source } = statement;
    match source {
        Some(source) if !source.is_empty() => format!("{what} [{}; {source}]", basis.name()),
        _ => format!("{what} [{}]", basis.name()),
    }
}
