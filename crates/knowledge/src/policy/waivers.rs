//! Waivers: one reviewed file, the only place where somebody lives with what a rule found.

use serde::Deserialize;

use super::assets::like;
use super::files::{PolicyError, PolicyText};
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
    pub subject: Spanned<String>,
    /// The module, or a pattern with `*`. A finding that names a module is waived only by its name: another that is
    /// found later in the same subject was accepted by nobody.
    #[serde(default)]
    pub module: Option<String>,
    /// Why.
    pub reason: Spanned<String>,
    /// Who answers for it.
    pub approver: Spanned<String>,
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

/// How a waiver meets a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It is about another.
    No,
    /// It would be about this one, had it named the module.
    ButForTheModule,
    /// It is about this one.
    Yes,
}

impl Waiver {
    /// How it meets a finding of this code about a subject that goes by these names, and about a module where one is named.
    pub fn meets(&self, code: &str, names: &[&str], module: Option<&str>) -> Met {
        if self.code.get_ref() != code || !names.iter().any(|n| like(self.subject.get_ref(), n)) {
            return Met::No;
        }
        match (self.module.as_deref(), module) {
            (None, Some(_)) => Met::ButForTheModule,
            (Some(pattern), Some(module)) if !like(pattern, module) => Met::No,
            (Some(pattern), None) if pattern != "*" => Met::No,
            _ => Met::Yes,
        }
    }
}

impl Waivers {
    /// Checks what a waiver must say.
    ///
    /// # Errors
    /// The first that says nothing, or too much.
    pub fn check(&self, text: &PolicyText) -> Result<(), PolicyError> {
        for waiver in &self.waivers {
            let said = [("code", &waiver.code), ("subject", &waiver.subject), ("reason", &waiver.reason), ("approver", &waiver.approver)];
            if let Some((name, empty)) = said.into_iter().find(|(_, t)| t.get_ref().trim().is_empty()) {
                return Err(PolicyError::at(
                    text,
                    empty.span(),
                    format!("`{name}` is empty: a waiver says what, why, and who answers for it"),
                ));
            }
            if waiver.code.get_ref().contains('*') {
                let what = format!("`{}`: name the rule; a pattern would accept what rules not yet read will find", waiver.code.get_ref());
                return Err(PolicyError::at(text, waiver.code.span(), what));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiver_covers_the_module_that_it_names_and_no_other() {
        let read = |module: &str| -> Waiver {
            let text = format!("code = \"R\"\nsubject = \"gw-*\"\n{module}\nreason = \"x\"\napprover = \"x\"\nexpires = \"2027-01-01\"");
            toml::from_str(&text).unwrap()
        };
        let (plain, named, all) = (read(""), read("module = \"Quectel EG25*\""), read("module = \"*\""));
        let (quectel, huawei) = (Some("Quectel EG25-G"), Some("Huawei ME909s"));
        let met = |w: &Waiver, module| w.meets("R", &["GW-7"], module);
        assert_eq!([met(&plain, None), met(&plain, quectel)], [Met::Yes, Met::ButForTheModule]);
        assert_eq!([met(&named, quectel), met(&named, huawei), met(&named, None)], [Met::Yes, Met::No, Met::No]);
        assert_eq!([met(&all, quectel), met(&all, huawei), met(&all, None)], [Met::Yes, Met::Yes, Met::Yes]);
        assert_eq!([all.meets("S", &["GW-7"], quectel), all.meets("R", &["pump"], quectel)], [Met::No, Met::No]);
    }
}
