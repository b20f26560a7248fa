//! What identity raises: one row for each code, with what it threatens, what helps and what would clear it.

use umbilical_core::Basis;
use umbilical_core::finding::{Finding, Severity, Subject};

struct Rule {
    code: &'static str,
    severity: Severity,
    basis: Basis,
    confidence: f64,
    patchable: bool,
    threats: &'static [&'static str],
    remedies: &'static [&'static str],
    clears_when: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        code: "identity-conflict",
        severity: Severity::Medium,
        basis: Basis::Inferred,
        confidence: 0.9,
        patchable: false,
        threats: &["surveillance", "disruption"],
        remedies: &["read `AT+CGMR` and the label, and compare", "treat the module as unknown until they agree"],
        clears_when: "evidence of another kind names one of them and explains the other",
    },
    Rule {
        code: "tac-mismatch",
        severity: Severity::High,
        basis: Basis::Inferred,
        confidence: 0.9,
        patchable: false,
        threats: &["surveillance", "disruption"],
        remedies: &[
            "ask the SIM platform to lock the SIM to the IMEI",
            "read the IMEI from the module's label",
            "take the device off the network until it is explained",
        ],
        clears_when: "the IMEI on the label is that of the module, or the type allocation code turns out to cover it",
    },
    Rule {
        code: "cloned-imei",
        severity: Severity::High,
        basis: Basis::Inferred,
        confidence: 0.9,
        patchable: false,
        threats: &["disruption", "surveillance"],
        remedies: &["ask the SIM platform to lock each SIM to its IMEI", "read the IMEIs from the labels"],
        clears_when: "only one thing carries the IMEI",
    },
    Rule {
        code: "placeholder-imei",
        severity: Severity::Low,
        basis: Basis::Inferred,
        confidence: 0.9,
        patchable: true,
        threats: &[],
        remedies: &["read the IMEI from the label or the SIM platform"],
        clears_when: "the module reports an IMEI of its own",
    },
    Rule {
        code: "usb-id-reprogrammed",
        severity: Severity::Medium,
        basis: Basis::Observed,
        confidence: 0.95,
        patchable: true,
        threats: &["surveillance"],
        remedies: &["set the maker's USB id again", "identify by firmware revision instead of by USB id"],
        clears_when: "the module shows its maker's USB id",
    },
    Rule {
        code: "sim-moved",
        severity: Severity::Low,
        basis: Basis::Inferred,
        confidence: 0.9,
        patchable: true,
        threats: &["exfiltration"],
        remedies: &["lock the SIM to the IMEI"],
        clears_when: "the card was moved on purpose, or is seen in one device only",
    },
    Rule {
        code: "rebranded",
        severity: Severity::Info,
        basis: Basis::Inferred,
        confidence: 0.9,
        patchable: false,
        threats: &[],
        remedies: &["judge the maker as well as the brand"],
        clears_when: "never: it is how the product is made",
    },
    Rule {
        code: "alleged-relation",
        severity: Severity::Info,
        basis: Basis::Alleged,
        confidence: 0.5,
        patchable: false,
        threats: &[],
        remedies: &["none"],
        clears_when: "a source confirms or refutes it",
    },
];

fn rule(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|r| r.code == code)
}

/// How bad a code is; `info` for one that identity does not raise.
pub fn severity(code: &str) -> Severity {
    rule(code).map_or(Severity::Info, |r| r.severity)
}

/// The finding of a code about a device; `None` for a code without a rule.
pub(crate) fn identity(device: &str, code: &'static str, because: Vec<String>) -> Option<Finding> {
    let rule = rule(code)?;
    Some(Finding {
        id: umbilical_core::id::content_id("fnd-", code, &format!("{device} {}", because.join(" "))),
        code,
        source: "identity",
        subject: Subject { kind: "device", id: device.to_owned() },
        verdict: None,
        severity: rule.severity,
        confidence: rule.confidence,
        basis: rule.basis,
        lifecycle: if rule.patchable { "patchable" } else { "not-patchable" },
        threats: rule.threats.to_vec(),
        first: None,
        last: None,
        because,
        remedies: rule.remedies.iter().map(|r| (*r).to_owned()).collect(),
        clears_when: rule.clears_when.to_owned(),
        detail: serde_json::Value::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use umbilical_core::finding::CODES;

    #[test]
    fn every_code_has_a_rule_and_every_rule_a_code() {
        let codes: Vec<&str> = CODES.iter().map(|c| c.0).collect();
        let rules: Vec<&str> = RULES.iter().map(|r| r.code).collect();
        assert_eq!(codes, rules);
    }
}
