//! Privacy exposure: what a device can hear, see and know, as the operator says and as the catalogue knows of its module.

use umbilical_core::Basis;
use umbilical_core::air::RadioKind;
use umbilical_core::answer::risk::{AxisScore, Term};
use umbilical_knowledge::Presence;
use umbilical_knowledge::policy::{Axis, Value};

use super::sight::Sight;
use super::{Scale, scored, silent};

const AXIS: Axis = Axis::PrivacyExposure;
/// A receiver by a row that nobody has verified.
const UNVERIFIED: &str = "location-unverified";

/// The term, the fact that says it, and what it means.
const EXPOSURES: [(&str, &str, &str); 4] = [
    ("microphone", "microphone", "has a microphone"),
    ("camera", "camera", "has a camera"),
    ("location", "location", "knows where it is"),
    ("health", "health_data", "handles data about health"),
];

pub(super) fn axis(scale: &Scale<'_>, sight: &Sight<'_>) -> AxisScore {
    let (mut terms, mut open): (Vec<Term>, Vec<String>) = (Vec::new(), Vec::new());
    let mut known = false;
    for (term, fact, what) in EXPOSURES {
        match sight.facts.get(fact) {
            Some(Value::Flag(true)) => terms.push(Term {
                term: term.to_owned(),
                what: what.to_owned(),
                weight: scale.weights.of(AXIS, term),
                basis: Basis::Declared,
                because: vec![format!("said of the asset: {fact} = yes")],
                source: None,
            }),
            Some(_) => known = true,
            None if term == "location" => match receiver(scale, sight, &mut open) {
                Some(found) => terms.push(found),
                None => open.push(unsaid(fact, what)),
            },
            None => open.push(unsaid(fact, what)),
        }
    }
    if terms.is_empty() && !known { silent(AXIS, open) } else { scored(AXIS, terms, open) }
}

fn unsaid(fact: &str, what: &str) -> String {
    format!("whether it {what} is not known: say `{fact}`")
}

/// A receiver of satellite navigation: on the board by its documents, or in every piece of the module by the catalogue.
fn receiver(scale: &Scale<'_>, sight: &Sight<'_>, open: &mut Vec<String>) -> Option<Term> {
    let term = |term: &str, basis: Basis, because: Vec<String>, source: Option<String>| Term {
        term: term.to_owned(),
        what: "knows where it is: a receiver of satellite navigation".to_owned(),
        weight: scale.weights.of(AXIS, term),
        basis,
        because,
        source,
    };
    if !sight.receivers.is_empty() {
        return Some(term("location", Basis::Declared, sight.receivers.clone(), None));
    }
    let named = sight.chains.iter().filter_map(|c| Some((c, c.module?.maker.as_deref()?, c.module?.model.as_deref()?)));
    let rows = named.flat_map(|(c, maker, model)| scale.kb.radios_of(maker, model).into_iter().map(move |r| (c, r)));
    let rows: Vec<_> = rows.filter(|(_, r)| r.radio == RadioKind::Gnss).collect();
    let always = rows.iter().filter(|(_, r)| r.presence == Presence::Always).max_by_key(|(_, r)| r.source.verified);
    if let Some((chain, row)) = always {
        let verified = row.source.verified;
        let mark = if verified { "" } else { ", by a row that nobody has verified" };
        let because = vec![format!("every {} has one{mark}", chain.label)];
        return Some(term(if verified { "location" } else { UNVERIFIED }, Basis::Inferred, because, Some(row.source.text.to_string())));
    }
    open.extend(rows.iter().map(|(c, _)| format!("some builds of {} have a receiver of satellite navigation", c.label)));
    None
}
