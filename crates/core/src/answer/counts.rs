//! How many devices each rule speaks of: told beside the tallies of identification, which are counted with the fleet.

use std::collections::{BTreeMap, BTreeSet};

use super::{Audit, Device, Tally};

/// Counts of rules over devices.
#[derive(Clone, Debug, Default)]
pub struct RuleCounts(BTreeMap<String, u64>);

impl RuleCounts {
    /// Counts a device. What is unknown is no finding to count; a device with several modules counts once.
    pub fn add(&mut self, device: &Device) {
        let rules = device.findings.iter().filter(|f| f.source == "rule" && f.verdict != Some("unknown"));
        let codes: BTreeSet<&str> = rules.map(|f| &*f.code).collect();
        for code in codes {
            let count = self.0.entry(code.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Puts them to the tallies of an answer.
    pub fn into_answer(self, answer: &mut Audit) {
        answer.tallies.findings.extend(self.0.into_iter().map(|(label, count)| Tally { label, count }));
        answer.tallies.findings.sort_by(|a, b| (b.count, &a.label).cmp(&(a.count, &b.label)));
    }
}
