//! Waivers put to findings.

use serde_json::{Value, json};
use umbilical_core::Day;
use umbilical_core::finding::Finding;
use umbilical_knowledge::policy::{Met, Waiver, Waivers};

use crate::findings::raise;

/// What a waiver met among the findings of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// It accepted a finding, or had until its day.
    Used(usize),
    /// It would have, had it named this module.
    Missed(usize, String),
    /// It is about a finding for which another, whose number comes second, counts.
    Superseded(usize, usize),
}

impl Meeting {
    /// The waiver's number.
    pub fn number(&self) -> usize {
        let (Self::Used(number) | Self::Missed(number, _) | Self::Superseded(number, _)) = self;
        *number
    }

    /// Whether another meeting of the same waiver says more of it.
    pub fn weighs_less(&self, other: &Self) -> bool {
        let weight = |m: &Self| match m {
            Self::Missed(..) => 0,
            Self::Superseded(..) => 1,
            Self::Used(_) => 2,
        };
        weight(self) < weight(other)
    }
}

/// Marks the findings of one subject that somebody has accepted (`detail.waiver`), and raises one for each finding that
/// only waivers whose last day has passed are about. Of several about one finding the first that holds counts. `names` are those of the subject beside its id; `file` is where the waivers stand. Comes back
/// with what each waiver met, by its number.
pub fn waive(findings: &mut Vec<Finding>, waivers: &Waivers, names: &[&str], file: &str, day: Day) -> Vec<Meeting> {
    let (mut expired, mut met) = (Vec::new(), Vec::new());
    for finding in findings.iter_mut() {
        let mut called: Vec<&str> = names.to_vec();
        called.push(&finding.subject.id);
        let module = finding.detail.get("module").and_then(Value::as_str);
        let ended = |waiver: &Waiver| day >= waiver.expires.0.earliest();
        let mut about: Vec<(usize, &Waiver)> = Vec::new();
        for (number, waiver) in waivers.waivers.iter().enumerate() {
            match waiver.meets(&finding.code, &called, module) {
                Met::Yes => about.push((number, waiver)),
                Met::ButForTheModule => met.push(Meeting::Missed(number, module.unwrap_or_default().to_owned())),
                Met::No => {}
            }
        }
        // Whoever renews an acceptance may leave the old one where it stands.
        let Some((number, waiver)) = about.iter().find(|(_, w)| !ended(w)).or(about.first()).copied() else { continue };
        met.push(Meeting::Used(number));
        met.extend(about.iter().filter(|(other, _)| *other != number).map(|(other, _)| Meeting::Superseded(*other, number)));
        let over = ended(waiver);
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
