//! How bad an incident is on this device: what the detector says, one step up or down by what hangs on the device.
//!
//! Up: the file of assets says that much hangs on it (`criticality` `high`) or that it moves something (`role` `control`). Down: it
//! says that little does (`criticality` `low`), and not that it moves something. `critical` is not raised, `info` is not raised or
//! lowered, and nothing is lowered below `low`: what was found stays in sight. What nobody has said changes nothing.

use umbilical_core::finding::{Finding, Severity};

/// What the file of assets says of a device, and what follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    up: bool,
    down: bool,
    because: Option<String>,
}

impl Step {
    /// Of the words of a device.
    pub fn of(criticality: &[String], role: &[String]) -> Self {
        let has = |list: &[String], word: &str| list.iter().any(|w| w == word);
        let up_by = [(has(criticality, "high"), "criticality high"), (has(role, "control"), "role control")];
        let why: Vec<&str> = up_by.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        if !why.is_empty() {
            return Self { up: true, down: false, because: Some(why.join(", ")) };
        }
        let down = has(criticality, "low") && !has(criticality, "medium");
        Self { up: false, down, because: down.then(|| "criticality low".to_owned()) }
    }

    /// One word, by which it is told whether it is still the same.
    pub fn word(&self) -> &str {
        self.because.as_deref().unwrap_or_default()
    }

    fn apply(&self, severity: Severity) -> Severity {
        match severity {
            Severity::Low if self.up => Severity::Medium,
            Severity::Medium if self.up => Severity::High,
            Severity::High if self.up => Severity::Critical,
            Severity::Medium if self.down => Severity::Low,
            Severity::High if self.down => Severity::Medium,
            Severity::Critical if self.down => Severity::High,
            same => same,
        }
    }

    /// The finding with the severity that it has on this device; what the detector said stands in its detail where that differs.
    pub fn put(&self, mut finding: Finding) -> Finding {
        let (own, here) = (finding.severity, self.apply(finding.severity));
        if let (true, Some(detail)) = (own != here, finding.detail.as_object_mut()) {
            finding.severity = here;
            detail.insert("detector_severity".into(), own.name().into());
            detail.insert("severity_because".into(), format!("the file of assets says of the device: {}", self.word()).into());
        }
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_by_what_was_said() {
        use Severity::{Critical, High, Info, Low, Medium};
        let of = |criticality: &[&str], role: &[&str]| {
            let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
            let step = Step::of(&words(criticality), &words(role));
            [Info, Low, Medium, High, Critical].map(|s| step.apply(s))
        };
        let same = [Info, Low, Medium, High, Critical];
        let up = [Info, Medium, High, Critical, Critical];
        assert_eq!(of(&[], &[]), same);
        assert_eq!(of(&["medium"], &["monitor"]), same);
        assert_eq!(of(&["high"], &[]), up);
        assert_eq!(of(&["low"], &["control"]), up);
        assert_eq!(of(&["low"], &["monitor"]), [Info, Low, Low, Medium, High]);
    }
}
