//! Our beacons against RITA's formula, at the same recall.
//!
//! Each trace is read twice, with and without `--compat rita`, and the highest score of a beacon in it counts. As many of the generated
//! clocks as both find is the recall at which they are compared: each gets the highest threshold with which it still finds so many.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::detect::Watched;
use super::{Bar, detect};
use crate::answer;

/// How `watch` is asked for RITA's score.
pub const AS_RITA: &[&str] = &["watch", "--no-save", "--threads", "1", "--compat", "rita"];

/// The highest score of a beacon in a trace; `None`: none is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scores {
    pub ours: Option<f64>,
    pub rita: Option<f64>,
}

impl Scores {
    pub(super) fn of(ours: &Watched, rita: &Watched) -> Self {
        Self { ours: score(ours), rita: score(rita) }
    }
}

fn score(watched: &Watched) -> Option<f64> {
    let beacons = watched.findings.iter().filter(|f| f.code == "beacon");
    beacons.filter_map(|f| f.detail.get("score")?.as_f64()).max_by(f64::total_cmp)
}

/// Reads a trace as RITA would score it.
pub(super) fn as_rita(binary: &Path, path: &PathBuf, scratch: &Path) -> Result<Watched, String> {
    answer::document(binary, AS_RITA, std::slice::from_ref(path), scratch)
}

/// One of both: how many clocks have a score from this one on, and how many traces without a clock.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Side {
    from: f64,
    found: usize,
    /// Of the generated traces, and of harmless captures.
    wrong: usize,
    harmless: usize,
}

/// What both come to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// Which clocks.
    which: &'static str,
    clocks: usize,
    others: usize,
    captures: usize,
    /// Ours and RITA's formula, with all that each of them tells.
    all: (Side, Side),
    /// The same where both find as many clocks.
    equal: (Side, Side),
}

impl Compared {
    /// Of scores of clocks, of generated traces without one, and of harmless captures.
    pub fn new(which: &'static str, clocks: &[Scores], others: &[Scores], captures: &[Scores]) -> Self {
        type Of = fn(&Scores) -> Option<f64>;
        let of: (Of, Of) = (|s| s.ours, |s| s.rita);
        let side = |of: Of, from: f64| {
            let reach = |all: &[Scores]| all.iter().filter_map(of).filter(|s| *s >= from).count();
            Side { from, found: reach(clocks), wrong: reach(others), harmless: reach(captures) }
        };
        let scores = |of: Of| {
            let mut scores: Vec<f64> = clocks.iter().filter_map(of).collect();
            scores.sort_by(|a, b| b.total_cmp(a));
            scores
        };
        // The score from which on so many clocks are found; who finds none wins nothing.
        let from = |scores: &[f64], many: usize| many.checked_sub(1).and_then(|n| scores.get(n)).copied().unwrap_or(f64::MAX);
        let (ours, rita) = (scores(of.0), scores(of.1));
        let both = ours.len().min(rita.len());
        // All that is told has some score, of which the least is the threshold of its own.
        let least = |of: Of| [clocks, others, captures].concat().iter().filter_map(of).min_by(f64::total_cmp).unwrap_or_default();
        let all = (side(of.0, least(of.0)), side(of.1, least(of.1)));
        let equal = (side(of.0, from(&ours, both)), side(of.1, from(&rita, both)));
        Self { which, clocks: clocks.len(), others: others.len(), captures: captures.len(), all, equal }
    }

    /// Fewer than RITA's formula; of nothing there is nothing to say.
    pub fn bars(&self) -> Vec<Bar> {
        let fewer = |what: &str, of: fn(&Side) -> usize, whole: usize| {
            let (ours, rita) = (of(&self.equal.0), of(&self.equal.1));
            Bar {
                what: format!("beacon, {}: false at equal recall, {what}", self.which),
                measured: format!("{ours} of {whole}"),
                wanted: format!("strictly fewer than RITA's formula, which is {rita}"),
                pass: ours < rita,
            }
        };
        let mut out = vec![fewer("generated", |s| s.wrong, self.others)];
        if self.captures > 0 {
            out.push(fewer("harmless captures", |s| s.harmless, self.captures));
        }
        out
    }

    /// Prints what was measured.
    pub fn print(&self) {
        let recall = |side: &Side| detect::Share::words(detect::Share::of(side.found, self.clocks));
        for (how, (ours, rita)) in [("all that each tells", &self.all), ("at equal recall", &self.equal)] {
            let harmless = match self.captures {
                0 => String::new(),
                whole => format!("; harmless captures: ours {}, RITA's formula {} of {whole}", ours.harmless, rita.harmless),
            };
            println!(
                "beacon, {}: false {how}: ours {}, RITA's formula {} of {}{harmless}",
                self.which, ours.wrong, rita.wrong, self.others
            );
            println!(
                "    recall: ours {}, scores from {:.3}; RITA's formula {}, scores from {:.3}",
                recall(ours),
                ours.from,
                recall(rita),
                rita.from
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(ours: f64, rita: f64) -> Scores {
        let some = |s: f64| (s > 0.0).then_some(s);
        Scores { ours: some(ours), rita: some(rita) }
    }

    #[test]
    fn both_are_compared_where_they_find_as_many() {
        // Ours finds all four, RITA's three: the lowest of ours counts no more.
        let clocks = [scores(0.9, 0.6), scores(0.8, 1.0), scores(0.95, 0.0), scores(1.0, 0.7)];
        let others = [scores(0.85, 0.7), scores(0.0, 0.65), scores(0.0, 0.5), scores(0.91, 0.0)];
        let compared = Compared::new("all", &clocks, &others, &[scores(0.0, 0.9)]);
        let side = |from, found, wrong, harmless| Side { from, found, wrong, harmless };
        assert_eq!(compared.all, (side(0.8, 4, 2, 0), side(0.5, 3, 3, 1)));
        assert_eq!(compared.equal, (side(0.9, 3, 1, 0), side(0.6, 3, 2, 1)));
        assert!(compared.bars().iter().all(|b| b.pass));
        // As many is not fewer, and who finds nothing has won nothing.
        let none = Compared::new("all", &[scores(0.0, 0.9)], &others, &[]);
        assert_eq!((none.equal.0.wrong, none.equal.1.wrong), (0, 0));
        assert!(none.bars().iter().all(|b| !b.pass));
    }
}
