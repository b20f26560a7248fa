//! Risk on four axes: what is there against what was declared, who stands behind it, whose law reaches it, what it can
//! hear and see.
//!
//! An axis is the sum of its own terms, at most 100, and each term has a weight that the answer prints. There is no sum
//! over axes: a hidden modem does not become less hidden because its maker is well known. Whose law reaches a module is
//! a fact; what a country is held to be capable of is the operator's to say, and without that the axis has no score.
//! How critical an asset is and in which sector it stands puts subjects in order and changes nothing else.
//!
//! *When it is wrong:* the weights are judgement, not measurement. A score of 0 says that nothing was found in the
//! evidence at hand; what nobody has looked at is listed as open, or leaves the axis without a score.

mod hardware;
mod jurisdiction;
mod privacy;
mod rank;
mod sight;
mod transparency;

use umbilical_core::Day;
use umbilical_core::answer::Behind;
use umbilical_core::answer::risk::{AxisScore, CountrySaid, RankOrder, Risked, Term, WeightOf, WeightText, WeightsUsed};
use umbilical_knowledge::policy::{Axis, CountryInputs, STEPS, Value, Weights};
use umbilical_knowledge::{Knowledge, Word as _};

pub use rank::rank;
pub use sight::Sight;

use crate::owners::Owners;
use sight::Chain;

/// The highest score of an axis.
const MOST: u32 = 100;

/// What every axis needs beside the subject; one for a run, since owners are traced once.
pub struct Scale<'k> {
    kb: &'k Knowledge,
    weights: &'k Weights,
    as_of: Day,
    owners: Owners<'k>,
}

impl<'k> Scale<'k> {
    /// Weights over knowledge, on a day.
    pub fn new(kb: &'k Knowledge, weights: &'k Weights, as_of: Day) -> Self {
        Self { kb, weights, as_of, owners: Owners::new(kb, as_of) }
    }

    /// A subject on its four axes; its rank is given by [`rank`], over all subjects.
    pub fn risk(&self, sight: &Sight<'_>) -> Risked {
        let sector = match sight.facts.get("sector") {
            Some(Value::Words(words)) => words.clone(),
            _ => Vec::new(),
        };
        let reached = jurisdiction::reached(self, sight);
        Risked {
            rank: 0,
            ranked_by: Vec::new(),
            kind: sight.kind,
            id: sight.id.to_owned(),
            names: sight.names.clone(),
            criticality: sight.facts.get("criticality").map(ToString::to_string),
            sector,
            modules: sight.chains.iter().map(|c| c.label.clone()).collect(),
            axes: vec![
                hardware::axis(self, sight),
                transparency::axis(self, sight),
                jurisdiction::axis(self, &reached),
                privacy::axis(self, sight),
            ],
            jurisdictions: reached,
        }
    }

    /// Who stands behind a chain on the day that is asked about, whenever the evidence was read.
    fn behind(&self, chain: &Chain<'_>) -> Vec<Behind> {
        match (chain.module, chain.product) {
            (Some(module), _) => self.owners.behind(module.maker.as_deref(), module.brand.as_deref()),
            (None, product) => self.owners.behind(None, product.and_then(|p| p.brand.as_deref())),
        }
    }
}

/// The weights, as every answer prints them.
pub fn weights_used(weights: &Weights) -> WeightsUsed {
    let ranking = &weights.ranking;
    WeightsUsed {
        title: weights.title.clone(),
        texts: weights.texts.iter().map(|(file, sha256)| WeightText { file: file.clone(), sha256: sha256.clone() }).collect(),
        terms: weights
            .terms()
            .into_iter()
            .map(|(axis, term, weight)| WeightOf { axis: axis.name(), term: term.to_owned(), weight })
            .collect(),
        steps: STEPS,
        countries: weights.countries.iter().map(said).collect(),
        rank: RankOrder {
            criticality: ranking.criticality.clone(),
            sector: ranking.sector.clone(),
            axes: ranking.axes.iter().map(|a| a.name()).collect(),
        },
    }
}

fn said(country: &CountryInputs) -> CountrySaid {
    CountrySaid {
        country: country.code.clone(),
        hostility: country.hostility,
        intention: country.intention,
        capability: country.capability,
        because: country.because.clone(),
    }
}

/// The score that terms come to.
fn score(terms: &[Term]) -> u32 {
    terms.iter().fold(0u32, |sum, t| sum.saturating_add(t.weight)).min(MOST)
}

/// An axis of which something can be said.
fn scored(axis: Axis, terms: Vec<Term>, open: Vec<String>) -> AxisScore {
    AxisScore { axis: axis.name(), score: Some(score(&terms)), terms, open }
}

/// An axis of which nothing can be said.
fn silent(axis: Axis, open: Vec<String>) -> AxisScore {
    AxisScore { axis: axis.name(), score: None, terms: Vec::new(), open }
}
