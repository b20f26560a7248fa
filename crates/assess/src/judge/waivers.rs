//! Waivers put to findings.

use serde_json::{Value, json};
use umbilical_core::Day;
use umbilical_core::finding::Finding;
use umbilical_knowledge::policy::Waivers;

use crate::findings::raise;

/// Marks the findings of one subject that somebody has accepted (`detail.waiver`), and raises one for each waiver whose
/// last day has passed. `names` are those of the subject beside its id; `file` is where the waivers stand.
pub fn waive(findings: &mut Vec<Finding>, waivers: &Waivers, names: &[&str], file: &str, day: Day) {
    let mut expired = Vec::new();
    for finding in findings.iter_mut() {
        let mut called: Vec<&str> = names.to_vec();
        called.push(&finding.subject.id);
        let Some(waiver) = waivers.waivers.iter().find(|w| w.fits(&finding.code, &called)) else { continue };
        let over = day >= waiver.expires.0.earliest();
        let says = json!({
            "reason": waiver.reason,
            "approver": waiver.approver,
            "expires": waiver.expires.to_string(),
            "justification": waiver.justification.map(|j| j.name()),
            "expired": over,
        });
        if over {
            let what = format!("the waiver of {} by {} ended on {}: {}", finding.code, waiver.approver, waiver.expires, waiver.reason);
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
}
