//! What is noteworthy about a supplier's answers.

use umbilical_core::answer::suppliers::{Contradiction, Progress, Status, Strength, Supplier, TierAnswer};
use umbilical_core::finding::{Finding, Severity, Subject};

use crate::findings::raise;

/// The findings, in the order of the tiers and of the contradictions.
pub(super) fn of(s: &Supplier) -> Vec<Finding> {
    let subject = || Subject { kind: "organisation", id: s.supplier.clone() };
    let detail = |more: &[(&str, &str)]| {
        let mut map = serde_json::Map::new();
        map.insert("file".into(), s.replies.last().map(|r| r.path.clone()).into());
        map.insert("line".into(), serde_json::Value::Null);
        map.insert("device".into(), s.device.clone().into());
        map.insert("questionnaire".into(), s.questionnaire.clone().into());
        for (key, value) in more {
            map.insert((*key).to_owned(), (*value).into());
        }
        serde_json::Value::Object(map)
    };
    let about = if s.device.is_empty() { String::new() } else { format!(" about {}", s.device) };
    let mut found = Vec::new();
    if s.state == Progress::Silent {
        let due = s.due.as_deref().unwrap_or_default();
        let because = format!("{} was asked{about} to answer by {due}, and no reply is among the inputs", s.supplier);
        found.extend(raise("silent-supplier", subject(), vec![because], detail(&[("due", due)])));
        return found;
    }
    for tier in &s.tiers {
        found.extend(
            of_tier(s, tier, &about)
                .and_then(|(code, because)| raise(code, subject(), vec![because], detail(&[("tier", tier.tier.name())]))),
        );
    }
    for wrong in &s.contradictions {
        found.extend(contradicted(wrong, subject(), detail(&[("check", wrong.check)])));
    }
    found
}

fn of_tier(s: &Supplier, tier: &TierAnswer, about: &str) -> Option<(&'static str, String)> {
    let (name, at) = (tier.tier.name(), tier.at.as_deref().unwrap_or("no place"));
    match tier.status {
        Status::Withheld => {
            let reason = tier.reason.as_deref().map_or_else(|| "no reason is given".to_owned(), |r| format!("reason: {r}"));
            Some(("withheld-tier", format!("{} withholds who stands at tier {name}{about} ({at}); {reason}", s.supplier)))
        }
        Status::Unknown => Some(("missing-tier", format!("{} does not know who stands at tier {name}{about} ({at})", s.supplier))),
        // An awaited answer is not missing yet.
        Status::Unanswered if s.state != Progress::Awaited => {
            Some(("missing-tier", format!("{} was asked who stands at tier {name}{about} and left the place empty", s.supplier)))
        }
        _ => None,
    }
}

fn contradicted(wrong: &Contradiction, subject: Subject, detail: serde_json::Value) -> Option<Finding> {
    let because = vec![format!("said: {} ({})", wrong.said, wrong.at), format!("on file: {} ({})", wrong.known, wrong.source)];
    let mut finding = raise("contradicted-answer", subject, because, detail)?;
    if wrong.strength == Strength::Doubt {
        finding.severity = Severity::Medium;
        finding.confidence = 0.5;
    }
    Some(finding)
}
