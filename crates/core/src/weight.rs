//! Weights of evidence in integer milli-nats (thousandths of a natural log-odds unit), so that sums are
//! exact and the same on every machine; probabilities only at the end.

use serde::{Deserialize, Serialize};

/// A weight of evidence: 1000 = one nat of log-odds.
pub type MilliNats = i32;

/// How sure a person may be. See [`level`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfidenceLevel {
    /// Below 0.5: worth collecting more, nothing to act on.
    Hint,
    /// At least 0.5.
    Possible,
    /// At least 0.9.
    Probable,
    /// At least 0.99 from two groups of evidence, one of them with an observed basis.
    Confirmed,
}

impl ConfidenceLevel {
    /// The kebab-case name used in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hint => "hint",
            Self::Possible => "possible",
            Self::Probable => "probable",
            Self::Confirmed => "confirmed",
        }
    }
}

/// The level of a confidence. `groups` is the number of independent groups that speak for the claim,
/// `any_observed` whether at least one of them was observed: a single group never confirms, nor do papers alone.
pub fn level(confidence: f64, groups: usize, any_observed: bool) -> ConfidenceLevel {
    if confidence >= 0.99 && groups >= 2 && any_observed {
        ConfidenceLevel::Confirmed
    } else if confidence >= 0.9 {
        ConfidenceLevel::Probable
    } else if confidence >= 0.5 {
        ConfidenceLevel::Possible
    } else {
        ConfidenceLevel::Hint
    }
}

/// What "none of them" weighs: a hypothesis must say more than this to be *possible* at all, so that one OUI or one
/// borrowed id is a hint and no more.
pub const NONE_OF_THEM: MilliNats = 1000;

/// The probability of one hypothesis among rivals and "none of them": a softmax over scores. The shape is that of
/// a multinomial logit; with no rival it is the logistic function, shifted by [`NONE_OF_THEM`].
pub fn probability(score: MilliNats, rivals: impl IntoIterator<Item = MilliNats>) -> f64 {
    let nats = |w: MilliNats| f64::from(w) / 1000.0;
    let against: f64 = rivals.into_iter().chain([NONE_OF_THEM]).map(|rival| (nats(rival) - nats(score)).exp()).sum();
    round4(1.0 / (1.0 + against))
}

/// Four decimals: what every document shows.
pub fn round4(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_hypothesis_follows_the_logistic_curve() {
        assert_eq!(probability(NONE_OF_THEM, []), 0.5);
        assert_eq!(probability(4200, []), 0.9608);
        assert!(probability(900, []) < 0.5);
    }

    #[test]
    fn rivals_of_equal_weight_share() {
        assert!(probability(4000, [4000]) < 0.5);
    }

    #[test]
    fn one_group_never_confirms() {
        assert_eq!(level(0.999, 1, true), ConfidenceLevel::Probable);
        assert_eq!(level(0.999, 2, false), ConfidenceLevel::Probable);
        assert_eq!(level(0.995, 2, true), ConfidenceLevel::Confirmed);
    }
}
