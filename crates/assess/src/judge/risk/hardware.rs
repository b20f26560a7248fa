//! Hardware integrity: whether what is there is what was declared, and what it says it is. Each finding of the evidence
//! counts once, however often it was raised.

use std::collections::BTreeSet;

use umbilical_core::Basis;
use umbilical_core::answer::Level;
use umbilical_core::answer::risk::{AxisScore, Term};
use umbilical_core::finding::Finding;
use umbilical_knowledge::Knowledge;
use umbilical_knowledge::policy::Axis;

use super::sight::{Chain, Sight};
use super::{Scale, scored, silent};

const AXIS: Axis = Axis::HardwareIntegrity;
/// Sold under another name, without its maker's word.
const UNSTATED: &str = "rebrand-unstated";
/// From this confidence on something is *possible*.
const POSSIBLE: f64 = 0.5;

pub(super) fn axis(scale: &Scale<'_>, sight: &Sight<'_>) -> AxisScore {
    let (mut terms, mut open): (Vec<Term>, Vec<String>) = (Vec::new(), Vec::new());
    let named = |f: &Finding| scale.weights.finding_term(&f.code, f.basis == Basis::Inferred);
    let by_term: Vec<(String, &Finding)> = sight.findings.iter().map(|f| (named(f), *f)).collect();
    let names: BTreeSet<&str> = by_term.iter().map(|(term, _)| term.as_str()).collect();
    for name in names {
        let weight = scale.weights.of(AXIS, name);
        let raised = by_term.iter().filter(|(term, _)| term == name).map(|(_, f)| *f);
        let (counted, doubtful): (Vec<&Finding>, Vec<&Finding>) = raised.partition(|f| counts(f));
        if weight > 0 {
            open.extend(doubtful.iter().map(|f| {
                let why = if f.basis == Basis::Alleged { "alleged".to_owned() } else { format!("only {:.2} sure", f.confidence) };
                format!("{} ({why}, counts for nothing): {}", f.meaning(), f.because.join("; "))
            }));
        }
        let Some(first) = counted.first().filter(|_| weight > 0) else { continue };
        terms.push(Term {
            term: name.to_owned(),
            what: first.meaning().to_owned(),
            weight,
            basis: first.basis,
            because: counted.iter().flat_map(|f| f.because.clone()).collect(),
            source: None,
        });
    }
    let unstated: Vec<String> = sight.chains.iter().filter_map(|c| unstated(scale.kb, c)).collect();
    let weight = scale.weights.of(AXIS, UNSTATED);
    if !unstated.is_empty() && weight > 0 {
        terms.push(Term {
            term: UNSTATED.to_owned(),
            what: "The module is sold under another name, and nothing in the evidence is its maker's word".to_owned(),
            weight,
            basis: Basis::Inferred,
            because: unstated,
            source: None,
        });
    }
    terms.sort_by(|a, b| (b.weight, &a.term).cmp(&(a.weight, &b.term)));
    // What one witness says can contradict nobody.
    if terms.is_empty() && sight.groups.len() < 2 {
        let who =
            sight.groups.first().map_or_else(|| "no evidence speaks".to_owned(), |g| format!("only one group of evidence ({g}) speaks"));
        open.push(format!("{who} of what is in it: nothing to hold it against"));
        return silent(AXIS, open);
    }
    scored(AXIS, terms, open)
}

/// What is alleged, or not even *possible*, counts for nothing.
fn counts(finding: &Finding) -> bool {
    finding.basis != Basis::Alleged && finding.confidence >= POSSIBLE
}

/// A module under another name than its maker's, where no text of the evidence names the maker.
fn unstated(kb: &Knowledge, chain: &Chain<'_>) -> Option<String> {
    let module = chain.module?;
    let (brand, maker) = (module.brand.as_deref()?, module.maker.as_deref()?);
    let claims = module.claims.iter().filter(|c| c.level == Level::Maker && c.value == maker);
    let names = |text: &str| kb.brands_in(text).iter().any(|hit| *hit.brand.brand == *maker);
    let stated = claims.flat_map(|c| &c.because).any(|b| names(&b.value));
    (brand != maker && !stated).then(|| format!("{}: sold by {brand}, made by {maker}, which the tables say and nothing else", chain.label))
}
