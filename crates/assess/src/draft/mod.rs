//! Drafts for regulators, tenders and suppliers: a template of knowledge, filled from what was checked and judged.

mod fill;

use std::collections::BTreeMap;

use umbilical_core::answer::bom::Check;
use umbilical_core::answer::policy::{Judged, LawStamp};
use umbilical_core::answer::report::{Head, REPORT_SCHEMA, Report, Standing};
use umbilical_knowledge::templates::{Rows, Template, names, templates};

use fill::{Fill, is_ground};

/// What is answered where a letter would rest on nothing.
pub const NO_GROUND: &str = "no rule fails, so a refusal would have no ground: it is not written";

/// The template of a report.
///
/// # Errors
/// There is none of this id: the ids that there are, in order.
pub fn template(id: &str) -> Result<Template, String> {
    let all = templates();
    let ids: Vec<String> = all.iter().map(|t| t.id.clone()).collect();
    all.into_iter().find(|t| t.id == id).ok_or_else(|| format!("the reports are: {}", ids.join(", ")))
}

/// Every name that a template asks its writer for.
pub fn asked(template: &Template) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let lines = template.sections.iter().flat_map(|s| &s.lines);
    let of_line = lines.flat_map(|l| l.ask.iter().map(String::as_str).chain(l.text.iter().flat_map(|t| names(t))));
    for name in names(&template.title).chain(names(&template.addressed)).chain(of_line) {
        if !out.iter().any(|o| o == name) {
            out.push(name.to_owned());
        }
    }
    out
}

/// Whether a template speaks of documents; otherwise it needs none.
pub fn needs_documents(template: &Template) -> bool {
    template.sections.iter().any(|s| s.rows.is_some_and(|r| r != Rows::Rules))
}

/// The facts of the deal: what the report says itself, and what is set under names that are facts as well.
pub fn said(template: &Template, set: &BTreeMap<String, String>) -> Vec<String> {
    let of_set = template.facts.iter().filter_map(|name| Some(format!("{name}={}", set.get(name)?)));
    template.say.iter().cloned().chain(of_set).collect()
}

/// What a report is made from.
pub struct Draft<'a> {
    /// Its template.
    pub template: &'a Template,
    /// What its writer says, by name.
    pub set: &'a BTreeMap<String, String>,
    /// What was read and checked; nothing where the template speaks of no documents.
    pub check: &'a Check,
    /// Its products, judged.
    pub judged: &'a [Judged],
    /// By what.
    pub law: LawStamp,
    /// Title and clause of a rule.
    pub title: &'a dyn Fn(&str) -> (String, String),
}

impl Draft<'_> {
    /// Makes the report; `None` of a refusal without a ground ([`NO_GROUND`]).
    pub fn make(self) -> Option<Report> {
        let Self { template, set, check, judged, law, title } = self;
        if template.needs_fail && !judged.iter().flat_map(|j| &j.findings).any(is_ground) {
            return None;
        }
        let fill = Fill { template, set, check, judged, packs: &law.packs, title };
        let sections: Vec<_> = template.sections.iter().map(|s| fill.section(s)).collect();
        let (addressed, title) = (fill.text(&template.addressed).0, fill.text(&template.title).0);
        let mut to_supply = fill.missing();
        to_supply.dedup();
        debug_assert!(!to_supply.is_empty() || !sections.iter().flat_map(|s| &s.rows).any(|r| r.state == Standing::ToBeSupplied));
        Some(Report {
            schema: REPORT_SCHEMA,
            as_of: check.as_of.clone(),
            knowledge: check.knowledge.clone(),
            inputs: check.inputs.clone(),
            problems: if check.inputs.is_empty() { Vec::new() } else { check.problems.clone() },
            law,
            report: Head {
                id: template.id.clone(),
                version: template.version.clone(),
                title,
                addressed,
                cite: template.cite.clone(),
                source: template.source.clone(),
                verified: template.status == "verified",
            },
            sections,
            to_supply,
        })
    }
}
