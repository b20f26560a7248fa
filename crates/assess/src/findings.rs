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

/// What identity raises.
const IDENTITY: &[Rule] = &[
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

/// What bills of materials raise, and what is held against them.
const BOM: &[Rule] = &[
    Rule {
        code: "cellular-module",
        severity: Severity::Info,
        basis: Basis::Declared,
        confidence: 0.9,
        patchable: false,
        threats: &["surveillance", "exfiltration", "disruption"],
        remedies: &["contain it: an APN of its own and a list of what it may reach", "replace it by one whose maker may be trusted"],
        clears_when: "the part is contained, replaced, or accepted until a day",
    },
    Rule {
        code: "undisclosed-modem",
        severity: Severity::High,
        basis: Basis::Inferred,
        confidence: 0.9,
        patchable: false,
        threats: &["surveillance", "exfiltration", "disruption"],
        remedies: &["ask the supplier for maker, model and FCC ID of the module", "read the label or `AT+CGMR` of one piece"],
        clears_when: "a document names the module, or the supplier states in writing that the place stays empty",
    },
    Rule {
        code: "open-alternates",
        severity: Severity::Medium,
        basis: Basis::Declared,
        confidence: 0.9,
        patchable: false,
        threats: &["surveillance", "disruption"],
        remedies: &["strike the alternates that may not be bought", "have the supplier state which one each serial number carries"],
        clears_when: "one module is left, or all of them have the same maker",
    },
    Rule {
        code: "documents-disagree",
        severity: Severity::Medium,
        basis: Basis::Declared,
        confidence: 0.9,
        patchable: false,
        threats: &["surveillance"],
        remedies: &["ask which document was built from", "compare with what is observed: `umbilical bom verify`"],
        clears_when: "the documents agree, or all but one are withdrawn",
    },
    Rule {
        code: "missing-tier",
        severity: Severity::Info,
        basis: Basis::Inferred,
        confidence: 0.9,
        patchable: true,
        threats: &[],
        remedies: &["ask the supplier: `umbilical bom ask`"],
        clears_when: "somebody names who stands at the tier",
    },
    Rule {
        code: "new-module",
        severity: Severity::High,
        basis: Basis::Declared,
        confidence: 0.9,
        patchable: false,
        threats: &["surveillance", "exfiltration", "disruption"],
        remedies: &["judge the new module as if the product were new", "keep the earlier revision"],
        clears_when: "the module is approved for this product, or removed again",
    },
    Rule {
        code: "removed-module",
        severity: Severity::Info,
        basis: Basis::Declared,
        confidence: 0.9,
        patchable: true,
        threats: &[],
        remedies: &["see that it is gone from the board as well as from the document"],
        clears_when: "a piece of the new revision was looked at",
    },
    Rule {
        code: "maker-change",
        severity: Severity::Medium,
        basis: Basis::Declared,
        confidence: 0.9,
        patchable: false,
        threats: &["surveillance", "disruption"],
        remedies: &["judge the new maker", "keep the earlier part"],
        clears_when: "the new maker is approved for this part",
    },
    Rule {
        code: "alternates-change",
        severity: Severity::Medium,
        basis: Basis::Declared,
        confidence: 0.9,
        patchable: false,
        threats: &["surveillance", "disruption"],
        remedies: &["judge each new alternate", "strike it from the list"],
        clears_when: "each alternate is approved",
    },
    Rule {
        code: "origin-change",
        severity: Severity::High,
        basis: Basis::Declared,
        confidence: 0.9,
        patchable: false,
        threats: &["surveillance", "disruption"],
        remedies: &["judge the part under the law of its new origin", "keep the earlier part"],
        clears_when: "the new origin is approved for this part",
    },
    Rule {
        code: "substituted-module",
        severity: Severity::Critical,
        basis: Basis::Observed,
        confidence: 0.9,
        patchable: false,
        threats: &["surveillance", "exfiltration", "disruption"],
        remedies: &["take the device off the network until it is explained", "ask the supplier which serial numbers carry which module"],
        clears_when: "the document names the module that is there, or the declared one is put in",
    },
    Rule {
        code: "undeclared-module",
        severity: Severity::Critical,
        basis: Basis::Observed,
        confidence: 0.9,
        patchable: false,
        threats: &["surveillance", "exfiltration", "disruption"],
        remedies: &["take the device off the network until it is explained", "ask the supplier why the document leaves it out"],
        clears_when: "the document names it, or it is removed",
    },
    Rule {
        code: "module-not-seen",
        severity: Severity::Low,
        basis: Basis::Declared,
        confidence: 0.6,
        patchable: true,
        threats: &[],
        remedies: &["look while the device is powered and its modem on", "see whether the place on the board is empty"],
        clears_when: "the module is observed, or its place was seen to be empty",
    },
    Rule {
        code: "undeclared-radio",
        severity: Severity::Medium,
        basis: Basis::Inferred,
        confidence: 0.8,
        patchable: false,
        threats: &["surveillance", "exfiltration"],
        remedies: &["switch the radio off where that is possible, and prove it", "have the supplier declare it"],
        clears_when: "the document declares the radio, or it was shown to be absent",
    },
    Rule {
        code: "uplink-energy",
        severity: Severity::High,
        basis: Basis::Observed,
        confidence: 0.6,
        patchable: false,
        threats: &["exfiltration", "surveillance"],
        remedies: &["repeat the sweep with the device off, then alone in a shielded box", "open the device and look for a module"],
        clears_when: "the energy is there with the device off as well, or the modem is declared",
    },
    Rule {
        code: "lot-mismatch",
        severity: Severity::High,
        basis: Basis::Observed,
        confidence: 0.9,
        patchable: false,
        threats: &["surveillance", "disruption"],
        remedies: &["set the pieces apart", "ask the supplier to explain each of them"],
        clears_when: "each piece is explained in writing or sent back",
    },
    Rule {
        code: "silent-supplier",
        severity: Severity::Medium,
        basis: Basis::Observed,
        confidence: 0.9,
        patchable: true,
        threats: &[],
        remedies: &["ask again", "make the answer a condition of the contract"],
        clears_when: "the supplier answers",
    },
    Rule {
        code: "withheld-tier",
        severity: Severity::Medium,
        basis: Basis::Declared,
        confidence: 0.9,
        patchable: true,
        threats: &["surveillance"],
        remedies: &["ask for the answer under a non-disclosure agreement", "ask for a signed statement that proves the verdict alone"],
        clears_when: "the tier is named, or proved by a statement whose signer is known",
    },
    Rule {
        code: "contradicted-answer",
        severity: Severity::High,
        basis: Basis::Inferred,
        confidence: 0.8,
        patchable: true,
        threats: &["surveillance", "disruption"],
        remedies: &["show the supplier the contradiction and ask which is right", "open one piece and look"],
        clears_when: "one of the two is withdrawn or shown to be wrong",
    },
    Rule {
        code: "broken-signature",
        severity: Severity::High,
        basis: Basis::Observed,
        confidence: 0.99,
        patchable: true,
        threats: &["surveillance", "disruption"],
        remedies: &["rely on nothing in the document", "get it again from whoever signed it, by another way"],
        clears_when: "a document whose signatures hold takes its place",
    },
    Rule {
        code: "unproved-signature",
        severity: Severity::High,
        basis: Basis::Observed,
        confidence: 0.99,
        patchable: true,
        threats: &["surveillance", "disruption"],
        remedies: &["get the document again from whoever should have signed it", "get the signer's key by another way than the document"],
        clears_when: "one of the keys given signed the whole document",
    },
];

/// What the operator's own decisions raise.
const DECISIONS: &[Rule] = &[Rule {
    code: "expired-waiver",
    severity: Severity::High,
    basis: Basis::Declared,
    confidence: 1.0,
    patchable: true,
    threats: &[],
    remedies: &["act on the finding", "have the waiver reviewed and dated again"],
    clears_when: "the finding clears, or an approver renews the waiver",
}];

/// The rule of a code, and who raises it.
fn rule(code: &str) -> Option<(&'static str, &'static Rule)> {
    let find = |source: &'static str, rules: &'static [Rule]| rules.iter().find(|r| r.code == code).map(|r| (source, r));
    find("identity", IDENTITY).or_else(|| find("bom", BOM)).or_else(|| find("rule", DECISIONS))
}

/// How bad a code is; `info` for one that identity does not raise.
pub fn severity(code: &str) -> Severity {
    rule(code).map_or(Severity::Info, |(_, r)| r.severity)
}

/// The finding of a code; `None` for a code without a rule. Its id derives from code, subject and reasons.
///
/// `detail` is null, or what locates it: `file` and `line` (both may be null), and what the code's page says.
pub(crate) fn raise(code: &'static str, subject: Subject, because: Vec<String>, detail: serde_json::Value) -> Option<Finding> {
    let (source, rule) = rule(code)?;
    Some(Finding {
        id: umbilical_core::id::content_id("fnd-", code, &format!("{} {}", subject.id, because.join(" "))),
        code: code.into(),
        source,
        subject,
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
        detail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use umbilical_core::finding::{CODES, DETECTED};

    #[test]
    fn every_code_has_a_rule_and_every_rule_a_code() {
        let codes: Vec<&str> = CODES.iter().map(|c| c.0).filter(|c| !DETECTED.contains(c)).collect();
        let rules: Vec<&str> = IDENTITY.iter().chain(BOM).chain(DECISIONS).map(|r| r.code).collect();
        assert_eq!(codes, rules);
    }
}
