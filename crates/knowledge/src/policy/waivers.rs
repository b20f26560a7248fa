//! Waivers: one reviewed file, the only place where somebody lives with what a rule found.

use serde::Deserialize;

use super::assets::like;
use super::pack::{Date, Spanned};

/// The file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waivers {
    /// In the order of the file.
    #[serde(default, rename = "waiver")]
    pub waivers: Vec<Waiver>,
}

/// One decision.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The code of the findings: a rule's id. Findings that no rule raised are not waived.
    pub code: Spanned<String>,
    /// The subject's id, or a pattern with `*`; a device also by one of its names, a document by its path.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub approver: String,
    /// First day on which it no longer holds.
    pub expires: Date,
    /// In the words of VEX, where one fits.
    #[serde(default)]
    pub justification: Option<Justification>,
}

/// Why something does not count, in the words of VEX (CISA, Vulnerability Exploitability eXchange status justifications).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Justification {
    /// It is not in it.
    ComponentNotPresent,
    /// The part that counts is not in it.
    VulnerableCodeNotPresent,
    /// It is in it and never runs.
    VulnerableCodeNotInExecutePath,
    /// It runs and nobody outside can make use of it.
    VulnerableCodeCannotBeControlledByAdversary,
    /// Something is in place against it.
    InlineMitigationsAlreadyExist,
}

impl Justification {
    /// The word of VEX.
    pub fn name(self) -> &'static str {
        match self {
            Self::ComponentNotPresent => "component_not_present",
            Self::VulnerableCodeNotPresent => "vulnerable_code_not_present",
            Self::VulnerableCodeNotInExecutePath => "vulnerable_code_not_in_execute_path",
            Self::VulnerableCodeCannotBeControlledByAdversary => "vulnerable_code_cannot_be_controlled_by_adversary",
            Self::InlineMitigationsAlreadyExist => "inline_mitigations_already_exist",
        }
    }
}

impl Waiver {
    /// Whether it is about a finding of this code about a subject that goes by these names.
    pub fn fits(&self, code: &str, names: &[&str]) -> bool {
        self.code.get_ref() == code && names.iter().any(|n| like(&self.subject, n))
    }
}
