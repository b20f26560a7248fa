//! How many pieces of a lot to open so that a bad lot is found, and which.

use umbilical_core::answer::verify::Sample;
use umbilical_core::id::content_id;

/// Where the numbers come from.
pub(super) const FORMULA: &str = "acceptance number 0: of a lot of N pieces with D bad ones, n pieces drawn at random hold none with the \
    probability C(N-D, n) / C(N, n) (hypergeometric distribution); n is the smallest number for which that is at most 1 - confidence, with D = \
    the share asked about times N, rounded up, at least 1. Source: the distribution itself, computed here; no table of a standard is used.";

/// What was asked about.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The share of bad pieces to find, percent.
    pub bad_percent: f64,
    /// How surely, percent.
    pub confidence_percent: f64,
    /// What the draw derives from; `None`: from the lot.
    pub seed: Option<&'a str>,
}

/// Bad pieces that a share of a lot is, at least one.
fn bad(lot: u64, percent: f64) -> u64 {
    ((lot as f64 * percent / 100.0 - 1e-9).ceil().max(1.0) as u64).min(lot)
}

/// The smallest sample with which a lot that has `percent` bad pieces is found with `confidence` percent.
pub fn take(lot: u64, percent: f64, confidence: f64) -> u64 {
    let bad = bad(lot, percent);
    let good = lot.saturating_sub(bad);
    let miss = 1.0 - confidence / 100.0;
    let (mut none, mut n) = (1.0f64, 0u64);
    // Each further piece is good with the probability (good - n) / (lot - n).
    while none > miss + 1e-12 && n < good {
        none *= good.saturating_sub(n) as f64 / lot.saturating_sub(n) as f64;
        n = n.saturating_add(1);
    }
    // All good pieces drawn: the next one is bad.
    if none > miss + 1e-12 { n.saturating_add(1).min(lot) } else { n.min(lot) }
}

/// Samples for the usual shares and confidences, and for what was asked.
pub(super) fn plans(lot: u64, ask: &Ask<'_>) -> Vec<Sample> {
    let mut asked: Vec<(f64, f64)> = Vec::new();
    for percent in [10.0, 5.0, 1.0] {
        asked.extend([90.0, 95.0, 99.0].map(|confidence| (percent, confidence)));
    }
    if !asked.contains(&(ask.bad_percent, ask.confidence_percent)) {
        asked.push((ask.bad_percent, ask.confidence_percent));
    }
    let sample = |(percent, confidence): (f64, f64)| Sample {
        bad_percent: percent,
        bad_pieces: bad(lot, percent),
        confidence_percent: confidence,
        take: take(lot, percent, confidence),
    };
    asked.into_iter().map(sample).collect()
}

/// What the draw derives from: what the user gave, else a digest of the lot, so that anybody can repeat it.
pub(super) fn seed(ask: &Ask<'_>, lot: &str, pieces: &[String]) -> String {
    match ask.seed {
        Some(seed) => seed.to_owned(),
        None => {
            let mut all: Vec<&str> = pieces.iter().map(String::as_str).collect();
            all.sort_unstable();
            content_id("lot-", lot, &all.join(" "))
        }
    }
}

/// The first `take` pieces in the order of SHA-256 over the seed and their numbers.
pub(super) fn draw(seed: &str, pieces: Vec<String>, take: u64) -> Vec<String> {
    let mut keyed: Vec<(String, String)> = pieces.into_iter().map(|p| (content_id("", seed, &p), p)).collect();
    keyed.sort_unstable();
    keyed.dedup();
    keyed.into_iter().take(usize::try_from(take).unwrap_or(usize::MAX)).map(|k| k.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by the definition: C(N-D, n) / C(N, n) as a product over the bad pieces.
    fn none_bad(lot: u64, bad: u64, n: u64) -> f64 {
        (0..bad).map(|d| (lot - n).saturating_sub(d) as f64 / (lot - d) as f64).product()
    }

    #[test]
    fn the_sample_is_the_smallest_that_is_sure_enough() {
        for lot in [1u64, 2, 5, 10, 50, 99, 100, 500, 1000, 10_000, 1_000_000] {
            for percent in [0.1, 1.0, 5.0, 10.0, 50.0] {
                for confidence in [90.0, 95.0, 99.0] {
                    let (n, d) = (take(lot, percent, confidence), bad(lot, percent));
                    let miss = 1.0 - confidence / 100.0;
                    assert!(none_bad(lot, d, n) <= miss + 1e-9, "{lot} {percent} {confidence}: {n} is too few");
                    assert!(n == 0 || none_bad(lot, d, n - 1) > miss - 1e-9, "{lot} {percent} {confidence}: {n} is too many");
                }
            }
        }
    }

    #[test]
    fn figures_that_people_know() {
        // An endless lot with 5 %: ln 0.05 / ln 0.95 = 58.4.
        assert_eq!(take(1_000_000, 5.0, 95.0), 59);
        assert_eq!(take(1_000_000, 1.0, 99.0), 459);
        assert_eq!(take(100, 1.0, 95.0), 95);
        assert_eq!(take(10, 100.0, 99.0), 1);
    }

    #[test]
    fn a_seed_gives_one_draw_whatever_the_order() {
        let pieces: Vec<String> = (0..50).map(|n| format!("SN{n}")).collect();
        let mut turned = pieces.clone();
        turned.reverse();
        let first = draw("a", pieces.clone(), 7);
        assert_eq!(first, draw("a", turned, 7));
        assert_eq!(first.len(), 7);
        assert_ne!(first, draw("b", pieces, 7));
    }
}
