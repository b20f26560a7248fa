//! Counts and calibration over many judged files.

use serde::Serialize;

use super::judge::{Judged, Mark};

/// Bins of the expected calibration error.
const BINS: usize = 10;

/// One row of the table.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Score {
    /// Files.
    pub files: usize,
    /// Of them, files with a module.
    pub modules: usize,
    /// Makers.
    pub maker_right: usize,
    /// A maker that is not.
    pub maker_wrong: usize,
    /// No maker named.
    pub maker_silent: usize,
    /// Modules whose model truth names.
    pub with_model: usize,
    /// Models.
    pub model_right: usize,
    /// Right as far as it goes; silent in the recall.
    pub model_family: usize,
    /// Another model.
    pub model_wrong: usize,
    /// No model named.
    pub model_silent: usize,
    /// Brands that neither made nor sold it.
    pub brand_wrong: usize,
    /// Files without a module.
    pub negatives: usize,
    /// Of them, those called a module.
    pub false_positives: usize,
    #[serde(skip)]
    claims: Vec<(f64, bool)>,
}

impl Score {
    /// Takes in a file that holds a module.
    pub fn module(&mut self, judged: &Judged) {
        self.files += 1;
        self.modules += 1;
        match judged.maker {
            Mark::Right | Mark::Family => self.maker_right += 1,
            Mark::Wrong => self.maker_wrong += 1,
            Mark::Silent => self.maker_silent += 1,
        }
        if let Some(model) = judged.model {
            self.with_model += 1;
            match model {
                Mark::Right => self.model_right += 1,
                Mark::Family => self.model_family += 1,
                Mark::Wrong => self.model_wrong += 1,
                Mark::Silent => self.model_silent += 1,
            }
        }
        self.brand_wrong += usize::from(judged.brand_wrong);
        self.claims.extend_from_slice(&judged.claims);
    }

    /// Takes in a file without a module; what the answer claims is false.
    pub fn negative(&mut self, called: bool, claims: impl Iterator<Item = f64>) {
        self.files += 1;
        self.negatives += 1;
        self.false_positives += usize::from(called);
        self.claims.extend(claims.map(|c| (c, false)));
    }

    /// Takes in another score.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.files, other.files),
            (&mut self.modules, other.modules),
            (&mut self.maker_right, other.maker_right),
            (&mut self.maker_wrong, other.maker_wrong),
            (&mut self.maker_silent, other.maker_silent),
            (&mut self.with_model, other.with_model),
            (&mut self.model_right, other.model_right),
            (&mut self.model_family, other.model_family),
            (&mut self.model_wrong, other.model_wrong),
            (&mut self.model_silent, other.model_silent),
            (&mut self.brand_wrong, other.brand_wrong),
            (&mut self.negatives, other.negatives),
            (&mut self.false_positives, other.false_positives),
        ];
        for (mine, theirs) in pairs {
            *mine += theirs;
        }
        self.claims.extend_from_slice(&other.claims);
    }

    /// Share of modules whose maker is right.
    pub fn maker_recall(&self) -> f64 {
        share(self.maker_right, self.modules)
    }

    /// Share of the models known to truth that are right.
    pub fn model_recall(&self) -> f64 {
        share(self.model_right, self.with_model)
    }

    /// Mean squared difference of confidence and outcome (Brier 1950); `None` without claims.
    pub fn brier(&self) -> Option<f64> {
        mean(self.claims.iter().map(|(p, true_)| (p - f64::from(u8::from(*true_))).powi(2)))
    }

    /// Expected calibration error over ten equal bins: the mean distance of confidence and share of true claims,
    /// weighted by the claims in the bin (Naeini, Cooper, Hauskrecht, AAAI 2015).
    pub fn calibration_error(&self) -> Option<f64> {
        let mut bins = [(0.0, 0.0, 0.0); BINS];
        for (p, holds) in &self.claims {
            let bin = &mut bins[((p * BINS as f64) as usize).min(BINS - 1)];
            *bin = (bin.0 + 1.0, bin.1 + p, bin.2 + f64::from(u8::from(*holds)));
        }
        let all: f64 = bins.iter().map(|b| b.0).sum();
        (all > 0.0).then(|| bins.iter().filter(|b| b.0 > 0.0).map(|(_, sure, right)| (sure - right).abs()).sum::<f64>() / all)
    }

    /// How many claims were weighed.
    pub fn claims(&self) -> usize {
        self.claims.len()
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0u32), |(sum, n), v| (sum + v, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(claims: &[(f64, bool)]) -> Score {
        Score { claims: claims.to_vec(), ..Score::default() }
    }

    #[test]
    fn calibration_of_known_cases() {
        // Ten claims at 0.8 of which eight hold: calibrated, though never certain.
        let claims: Vec<_> = (0..10).map(|n| (0.8, n < 8)).collect();
        let s = score(&claims);
        assert!(s.calibration_error().unwrap() < 1e-9);
        assert!((s.brier().unwrap() - 0.16).abs() < 1e-9);
        // Always sure, half the time wrong.
        let s = score(&[(1.0, true), (1.0, false)]);
        assert!((s.calibration_error().unwrap() - 0.5).abs() < 1e-9 && (s.brier().unwrap() - 0.5).abs() < 1e-9);
        // Bins are weighed by their claims: (3 × 0.05 + 1 × 0.45) / 4.
        let s = score(&[(0.95, true), (0.95, true), (0.95, true), (0.45, false)]);
        assert!((s.calibration_error().unwrap() - 0.15).abs() < 1e-9);
        assert_eq!(score(&[]).calibration_error(), None);
    }

    #[test]
    fn counts_add_up() {
        let judged = |maker, model| Judged { maker, model, brand_wrong: false, claims: vec![(0.9, maker == Mark::Right)] };
        let mut s = Score::default();
        s.module(&judged(Mark::Right, Some(Mark::Family)));
        s.module(&judged(Mark::Silent, None));
        s.negative(true, [0.7].into_iter());
        let mut all = Score::default();
        all.add(&s);
        all.add(&s);
        assert_eq!((all.files, all.modules, all.maker_right, all.with_model, all.model_family), (6, 4, 2, 2, 2));
        assert_eq!((all.negatives, all.false_positives, all.claims()), (2, 2, 6));
        assert_eq!((all.maker_recall(), all.model_recall()), (0.5, 0.0));
    }
}
