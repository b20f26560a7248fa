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
/// `observed_beyond_own_word` whether one of them other than the module's own word was observed, or the
/// own word was observed and another group agrees: a single group never confirms.
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

/// The probability of one hypothesis among rivals and "none of them" (score 0): a softmax over scores.
/// The shape is that of a multinomial logit; with no rival it is the logistic function.
pub fn probability(score: MilliNats, rivals: impl IntoIterator<Item = MilliNats>) -> f64 {
    let own = f64::from(score) / 1000.0;
    let mut sum = 1.0 / own.exp() + 1.0;
    for rival in rivals {
        sum += (f64::from(rival) / 1000.0 - own).exp();
    }
    round4(1.0 / sum)
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
        assert_eq!(probability(0, []), 0.5);
        assert_eq!(probability(4200, []), 0.9852);
        assert_eq!(probability(3476, []), 0.97);
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
