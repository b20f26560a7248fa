//! Jurisdiction: the countries whose law reaches a subject are facts; what the operator says of them makes the score.
//!
//! For a country: hostility, intention and capability, each 0 to 5 and each times its weight, added up. Where several
//! countries reach a subject the highest counts, so that a second owner adds no points. Laws on file that can compel
//! are named beside and never scored: what they are worth is the operator's to say.

use umbilical_core::Basis;
use umbilical_core::answer::risk::{AxisScore, Reached, Term};
use umbilical_knowledge::policy::{Axis, CountryInputs, STEPS};

use super::sight::Sight;
use super::{Scale, said, score, scored, silent};

const AXIS: Axis = Axis::Jurisdiction;

/// Every jurisdiction that reaches a subject, each once, with what the operator says of it.
pub(super) fn reached(scale: &Scale<'_>, sight: &Sight<'_>) -> Vec<Reached> {
    let mut out: Vec<Reached> = Vec::new();
    for fact in sight.chains.iter().flat_map(|c| crate::shown::jurisdictions(&scale.behind(c))) {
        if !out.iter().any(|r| r.fact == fact) {
            let country = scale.weights.country(&fact.country);
            let points = country.map(|c| score(&terms(scale, c, &[])));
            out.push(Reached { fact, said: country.map(said), points });
        }
    }
    out
}

pub(super) fn axis(scale: &Scale<'_>, reached: &[Reached]) -> AxisScore {
    let mut countries: Vec<&str> = reached.iter().map(|r| r.fact.country.as_str()).collect();
    countries.sort_unstable();
    countries.dedup();
    let mut open: Vec<String> =
        countries.iter().filter(|c| scale.weights.country(c).is_none()).map(|c| format!("{c}: the operator has set nothing")).collect();
    if reached.is_empty() {
        open.push("whose law reaches it is not known".to_owned());
    }
    // The first of equals, by code.
    let mut best: Option<(&CountryInputs, u32)> = None;
    for country in countries.iter().filter_map(|c| scale.weights.country(c)) {
        let points = score(&terms(scale, country, &[]));
        if best.is_none_or(|(_, most)| points > most) {
            best = Some((country, points));
        }
    }
    let Some((country, _)) = best else { return silent(AXIS, open) };
    let ways: Vec<&Reached> = reached.iter().filter(|r| r.fact.country == country.code).collect();
    if ways.iter().all(|r| r.fact.unclear) {
        open.push(format!("whether {} reaches it on {} is not clear", country.code, scale.as_of));
    }
    scored(AXIS, terms(scale, country, &ways), open)
}

/// What the operator says of a country, term by term.
fn terms(scale: &Scale<'_>, country: &CountryInputs, ways: &[&Reached]) -> Vec<Term> {
    let of = |(name, step): (&str, u32)| {
        let weight = scale.weights.of(AXIS, name);
        let mut because = vec![format!("{step} of {STEPS} × {weight}; {}", country.because)];
        because.extend(ways.iter().map(|r| way(r)));
        Term {
            term: name.to_owned(),
            what: format!("{name} of {}, as the operator says", country.code),
            weight: step.saturating_mul(weight),
            basis: Basis::Declared,
            because,
            source: None,
        }
    };
    country.inputs().into_iter().map(of).collect()
}

fn way(reached: &Reached) -> String {
    let fact = &reached.fact;
    let via = if fact.via.is_empty() { String::new() } else { format!(", through {}", fact.via.join(", ")) };
    format!("jurisdiction {} of {}{via} [{}]", fact.country, fact.org, fact.basis.name())
}
