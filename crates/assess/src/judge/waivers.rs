//! Waivers put to findings.

use serde_json::{Value, json};
use umbilical_core::Day;
use umbilical_core::finding::Finding;
use umbilical_knowledge::policy::{Met, Waivers};

use crate::findings::raise;

/// What a waiver met among the findings of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// It accepted a finding, or had until its day.
    Used(usize),
    /// It would have, had it named this module.
    Missed(usize, String),
}

/// Marks the findings of one subject that somebody has accepted (`detail.waiver`), and raises one for each waiver whose
/// last day has passed. `names` are those of the subject beside its id; `file` is where the waivers stand. Comes back
/// with what each waiver met, by its number.
pub fn waive(findings: &mut Vec<Finding>, waivers: &Waivers, names: &[&str], file: &str, day: Day) -> Vec<Meeting> {
    let (mut expired, mut met) = (Vec::new(), Vec::new());
    for finding in findings.iter_mut() {
        let mut called: Vec<&str> = names.to_vec();
        called.push(&finding.subject.id);
        let module = finding.detail.get("module").and_then(Value::as_str);
        let each = || waivers.waivers.iter().map(|w| w.meets(&finding.code, &called, module)).enumerate();
        let missed =
            each().filter(|(_, m)| *m == Met::ButForTheModule).map(|(i, _)| Meeting::Missed(i, module.unwrap_or_default().to_owned()));
        met.extend(missed);
        let Some((number, waiver)) = each().find(|(_, m)| *m == Met::Yes).and_then(|(i, _)| Some((i, waivers.waivers.get(i)?))) else {
            continue;
        };
        met.push(Meeting::Used(number));
        let over = day >= waiver.expires.0.earliest();
        let says = json!({
            "reason": waiver.reason.get_ref(),
            "approver": waiver.approver.get_ref(),
            "module": waiver.module,
            "expires": waiver.expires.to_string(),
            "justification": waiver.justification.map(|j| j.name()),
            "expired": over,
        });
        if over {
            let what = format!(
                "the waiver of {} by {} ended on {}: {}",
                finding.code,
                waiver.approver.get_ref(),
                waiver.expires,
                waiver.reason.get_ref()
            );
            expired.extend(raise("expired-waiver", finding.subject.clone(), vec![what], json!({ "file": file, "waived": finding.id })));
        }
        match &mut finding.detail {
            Value::Object(detail) => {
                detail.insert("waiver".to_owned(), says);
            }
            other => *other = json!({ "waiver": says }),
        }
    }
    findings.extend(expired.into_iter().map(|f| Finding { verdict: Some("fail"), ..f }));
    met
}
