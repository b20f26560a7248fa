//! Reports for regulators, tenders and suppliers as data: one TOML file for each in `knowledge/templates/`.

use serde::Deserialize;

const EMBEDDED: [&str; 8] = [
    include_str!("../../../knowledge/templates/fcc-conditional-approval.toml"),
    include_str!("../../../knowledge/templates/fcc-attestation.toml"),
    include_str!("../../../knowledge/templates/bis-declaration.toml"),
    include_str!("../../../knowledge/templates/s889-representation.toml"),
    include_str!("../../../knowledge/templates/lsipa-attestation.toml"),
    include_str!("../../../knowledge/templates/tender-clause.toml"),
    include_str!("../../../knowledge/templates/bid-refusal.toml"),
    include_str!("../../../knowledge/templates/supplier-letter.toml"),
];

/// A report: its words, what is asked of whoever writes it, and what is filled in from the answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The word by which it is asked for.
    pub id: String,
    /// Raised when its words change.
    pub version: String,
    /// In one line; `{name}` stands for what is set.
    pub title: String,
    /// To whom it goes.
    pub addressed: String,
    /// What it answers to.
    pub cite: String,
    /// Where that was read.
    pub source: String,
    /// `verified`, or `unverified`: compare with the text in force.
    pub status: String,
    /// Packs of rules that are judged where none is named; `[]` = all law that is shipped.
    pub packs: Vec<String>,
    /// Facts that the report itself says of the deal.
    pub say: Vec<String>,
    /// What is set under these names is a fact of the deal as well.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Not written where no rule fails.
    #[serde(default)]
    pub needs_fail: bool,
    /// Its sections.
    #[serde(rename = "section")]
    pub sections: Vec<Section>,
}

/// A section: lines of the template, or rows from the answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its name.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// Lines of the template.
    #[serde(default)]
    pub lines: Vec<Line>,
    /// Rows from the answer.
    pub rows: Option<Rows>,
}

/// One line of a template: a text, or something that is asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// A sentence; `{name}` stands for what is set.
    pub text: Option<String>,
    /// The name under which something is set.
    pub ask: Option<String>,
    /// What that is.
    pub label: Option<String>,
    /// The clause that asks for it, where it is another than the template's.
    pub cite: Option<String>,
}

/// What is filled in from the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// The documents by digest, and what each product's say of modules.
    Documents,
    /// Every part with maker and origin.
    Components,
    /// Modules with their tiers.
    Modules,
    /// Tiers that nobody has named.
    Gaps,
    /// Organisations behind the modules.
    Ownership,
    /// Every verdict.
    Verdicts,
    /// Verdicts that are `fail`.
    Fails,
    /// Verdicts that a person or further evidence has to decide.
    Open,
    /// Verdicts that a person has to decide.
    Reviews,
    /// What would clear the failing rules.
    Remedies,
    /// The packs in use.
    Rules,
}

/// Every template, in the order of the book. The shipped texts always parse: a test reads each.
pub fn templates() -> Vec<Template> {
    EMBEDDED.iter().filter_map(|text| toml::from_str(text).ok()).collect()
}

/// The names that stand in braces in a text, in its order.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_whole() {
        for text in EMBEDDED {
            let t: Template = toml::from_str(text).unwrap();
            for pack in &t.packs {
                assert!(crate::policy::shipped(pack).is_some(), "{}: {pack}", t.id);
            }
            assert!(!t.cite.is_empty() && !t.source.is_empty() && ["verified", "unverified"].contains(&&*t.status), "{}", t.id);
            for section in &t.sections {
                assert!(section.rows.is_some() == section.lines.is_empty(), "{} {}", t.id, section.id);
                assert!(section.lines.iter().all(|l| l.text.is_some() != l.ask.is_some()), "{} {}", t.id, section.id);
            }
        }
        assert_eq!(templates().len(), EMBEDDED.len());
    }
}
