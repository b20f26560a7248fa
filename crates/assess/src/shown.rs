//! Verdicts in terms of facts, written out as answers: what a document shows of a module.

use umbilical_core::answer::{Because, Behind, Claim, Jurisdiction, Module};
use umbilical_core::text::clean;

use crate::identify::ModuleVerdict;
use crate::identify::claims::{Claimed, Reason};

/// A module as documents show it. `subject` is the id of the thing it is in: ids of claims derive from it. `because`
/// gives a reason its place.
pub(crate) fn module(
    m: &ModuleVerdict,
    subject: &str,
    ownership: Vec<Behind>,
    imei: Vec<String>,
    because: &dyn Fn(&Reason) -> Option<Because>,
) -> Module {
    let claims: Vec<Claim> = m.claims.iter().map(|c| claim(subject, c, because)).collect();
    let decided = claims.iter().find(|c| c.level == m.level && c.value == m.deciding);
    Module {
        brand: m.brand.clone(),
        maker: m.maker.clone(),
        model: m.model.clone(),
        sold_as: m.sold_as.clone(),
        variant: m.variant.clone(),
        family: m.family.clone(),
        level: m.level,
        confidence: m.confidence,
        confidence_level: m.confidence_level,
        basis: m.basis,
        chipset: m.chipset.clone(),
        rats: m.rats.clone(),
        imei,
        because: decided.map(|c| c.because.clone()).unwrap_or_default(),
        against: decided.map(|c| c.against.clone()).unwrap_or_default(),
        claims,
        jurisdictions: jurisdictions(&ownership),
        ownership,
        conflicts: m.conflicts.clone(),
        firmware: m.firmware.clone(),
    }
}

fn claim(subject: &str, c: &Claimed, because: &dyn Fn(&Reason) -> Option<Because>) -> Claim {
    Claim {
        id: umbilical_core::id::content_id("clm-", c.level.name(), &format!("{subject} {}", c.value)),
        level: c.level,
        value: clean(&c.value).into_owned(),
        confidence: c.confidence,
        confidence_level: c.confidence_level,
        basis: c.basis,
        because: c.because.iter().filter_map(because).collect(),
        against: c.against.iter().filter_map(because).collect(),
    }
}

/// The jurisdictions of all that stand behind a thing, each once.
pub(crate) fn jurisdictions(ownership: &[Behind]) -> Vec<Jurisdiction> {
    let mut out: Vec<Jurisdiction> = Vec::new();
    for j in ownership.iter().flat_map(|b| &b.jurisdictions) {
        if !out.contains(j) {
            out.push(j.clone());
        }
    }
    out
}
