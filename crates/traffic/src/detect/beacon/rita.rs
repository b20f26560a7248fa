//! The beacon score of RITA 5, so that its users find their numbers again.
//!
//! Formulae and constants after activecm/rita `analysis/beacons.go` and `config`: four scores of equal weight over at most a day. Times
//! are whole seconds. Reimplemented from what it computes; differences are errors.

use std::collections::BTreeMap;

use crate::detect::stats::{median, quartiles, spread};

/// Unique seconds below which nothing is scored.
pub const LEAST: usize = 4;
/// Contacts in a day from which it is a strobe instead.
pub const STROBE: usize = 86_400;
/// Score from which it is shown, and from which it is low, medium and high.
pub const BASE: f64 = 0.5;
/// See above.
pub const LOW: f64 = 0.7;
/// See above.
pub const MEDIUM: f64 = 0.9;
/// See above.
pub const HIGH: f64 = 1.0;

/// Bars of the histogram: one for each hour.
const BARS: usize = 24;
/// Bars are alike within this share of the largest.
const ALIKE: f64 = 0.05;
/// Bars that need not fit one of two heights.
const OUTLIERS: usize = 1;
/// Bars from which two heights are looked for.
const BIMODAL: usize = 11;
/// Bars from which the duration counts, and the run that is as long as it need be.
const HOURS: usize = 6;
/// See above.
const RUN: usize = 12;

/// The scores, each 0–1 and rounded to three digits as RITA does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Their mean.
    pub score: f64,
    /// Of the gaps between contacts.
    pub times: f64,
    /// Of the bytes sent.
    pub sizes: f64,
    /// Of how much of the time is covered.
    pub duration: f64,
    /// Of how even the hours are.
    pub histogram: f64,
}

/// A measure of how symmetric and how narrow numbers are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// 0–1.
    pub score: f64,
    /// Bowley's skewness; 0 where the quartiles are too near each other.
    pub skew: f64,
    /// Median absolute deviation.
    pub spread: f64,
}

/// Scores contacts at these seconds with these bytes, in a data set that goes from one second to another. `None`: RITA would not
/// score them.
pub fn score(times: &[i64], bytes: &[f64], from: i64, to: i64) -> Option<Scored> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let mut unique = times.clone();
    unique.dedup();
    if unique.len() < LEAST || times.len() >= STROBE || to <= from {
        return None;
    }
    let gaps = gaps(&times)?;
    let sizes = sizes(bytes)?;
    let bars = bars(&times, from, to, BARS);
    let heights = heights(&bars, ALIKE);
    let histogram = evenness(&bars).max(two_heights(&heights, filled(&bars), OUTLIERS, BIMODAL));
    let duration = duration((from, to), (*times.first()?, *times.last()?), filled(&bars), longest_run(&bars));
    let score = round((gaps.score + sizes.score + duration + histogram) / 4.0);
    Some(Scored { score, times: gaps.score, sizes: sizes.score, duration, histogram })
}

fn round(n: f64) -> f64 {
    (n * 1000.0).round() / 1000.0
}

/// Of the gaps between sorted seconds, those of 0 left out; needs three of them.
pub fn gaps(times: &[i64]) -> Option<Shape> {
    let mut gaps: Vec<f64> =
        times.iter().zip(times.iter().skip(1)).map(|(a, b)| b.saturating_sub(*a) as f64).filter(|g| *g > 0.0).collect();
    if times.len() < LEAST {
        return None;
    }
    gaps.sort_by(f64::total_cmp);
    shape(&gaps, 1.0)
}

/// Of the bytes sent.
pub fn sizes(bytes: &[f64]) -> Option<Shape> {
    let mut sorted = bytes.to_vec();
    sorted.sort_by(f64::total_cmp);
    shape(&sorted, 0.0)
}

/// Of sorted numbers; needs three. Where their middle is below 1 the narrowness is what is given.
pub fn shape(sorted: &[f64], narrow: f64) -> Option<Shape> {
    if sorted.len() < 3 {
        return None;
    }
    let [q1, q2, q3] = quartiles(sorted);
    let skew = if q3 - q1 >= 10.0 && q2 != q1 && q2 != q3 { (q1 + q3 - 2.0 * q2) / (q3 - q1) } else { 0.0 };
    let (middle, spread) = (median(sorted), spread(sorted));
    let narrow = if middle >= 1.0 { ((middle - spread) / middle).max(0.0) } else { narrow };
    Some(Shape { score: round(f64::midpoint(1.0 - skew.abs(), narrow)), skew, spread })
}

/// How many sorted seconds fall in each of so many equal parts; the end belongs to the last.
pub fn bars(times: &[i64], from: i64, to: i64, many: usize) -> Vec<u32> {
    let mut out = vec![0_u32; many];
    let step = to.saturating_sub(from) as f64 / many.max(1) as f64;
    let edge = |n: usize| if n >= many { to as f64 } else { from as f64 + n as f64 * step };
    let mut bar = 0_usize;
    for t in times {
        while bar.saturating_add(1) < many && *t as f64 >= edge(bar.saturating_add(1)) {
            bar = bar.saturating_add(1);
        }
        if let Some(n) = out.get_mut(bar) {
            *n = n.saturating_add(1);
        }
    }
    out
}

/// Bars that are not empty.
pub fn filled(bars: &[u32]) -> usize {
    bars.iter().filter(|n| **n > 0).count()
}

/// The longest run of bars that are not empty, the end joined to the beginning.
pub fn longest_run(bars: &[u32]) -> usize {
    let (mut run, mut longest) = (0_usize, 0_usize);
    for n in bars.iter().chain(bars) {
        run = if *n > 0 { run.saturating_add(1) } else { 0 };
        longest = longest.max(run);
    }
    longest.min(bars.len())
}

/// How many bars are of each height, heights being alike within a share of the largest.
pub fn heights(bars: &[u32], alike: f64) -> BTreeMap<u32, usize> {
    let width = (f64::from(bars.iter().copied().max().unwrap_or(0)) * alike).ceil();
    let mut out = BTreeMap::new();
    for n in bars.iter().filter(|n| **n > 0) {
        let height = ((f64::from(*n) / width).floor() * width) as u32;
        let count: &mut usize = out.entry(height).or_default();
        *count = count.saturating_add(1);
    }
    out
}

/// 1 less the coefficient of variation of the bars, the empty ones too.
pub fn evenness(bars: &[u32]) -> f64 {
    let many = bars.len() as f64;
    let mean = bars.iter().map(|n| f64::from(*n)).sum::<f64>() / many;
    let variance = bars.iter().map(|n| (f64::from(*n) - mean).powi(2)).sum::<f64>() / many;
    let variation = variance.sqrt() / mean;
    if variation.is_nan() || variation > 1.0 { 0.0 } else { round(1.0 - variation) }
}

/// Which share of the bars has one of the two most frequent heights, some outliers left out; 0 of too few bars.
pub fn two_heights(heights: &BTreeMap<u32, usize>, filled: usize, outliers: usize, least: usize) -> f64 {
    let least = if least < 6 { BIMODAL } else { least };
    if filled < least {
        return 0.0;
    }
    let mut counts: Vec<usize> = heights.values().copied().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let two: usize = counts.iter().take(2).sum();
    round(two as f64 / filled.saturating_sub(outliers).max(1) as f64).min(1.0)
}

/// How much of the data set the contacts cover, or how long they come hour after hour; 0 of too few hours.
pub fn duration(set: (i64, i64), seen: (i64, i64), filled: usize, run: usize) -> f64 {
    if filled < HOURS {
        return 0.0;
    }
    let up = |n: f64| ((n * 1000.0).ceil() / 1000.0).min(1.0);
    let covered = up(seen.1.saturating_sub(seen.0) as f64 / set.1.saturating_sub(set.0) as f64);
    covered.max(up(run as f64 / RUN as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Values of activecm/rita `analysis/beacons_test.go`, within its own tolerance of 0.001.
    const T: i64 = 1_517_338_924;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 0.001
    }

    #[track_caller]
    fn is(shape: Option<Shape>, score: f64, skew: f64, spread: f64) {
        let s = shape.expect("scored");
        assert!(near(s.score, score) && near(s.skew, skew) && near(s.spread, spread), "{s:?}");
    }

    fn after(gaps: &[i64]) -> Vec<i64> {
        let mut at = T;
        std::iter::once(T)
            .chain(gaps.iter().map(|g| {
                at += g;
                at
            }))
            .collect()
    }

    #[test]
    fn gaps_as_rita_scores_them() {
        is(gaps(&(1..=10).collect::<Vec<_>>()), 1.0, 0.0, 0.0);
        is(gaps(&after(&[60; 9])), 1.0, 0.0, 0.0);
        is(gaps(&after(&[98, 99, 99, 100, 100, 100, 101, 101, 102])), 0.995, 0.0, 1.0);
        is(gaps(&after(&[98, 300, 98, 300, 98, 300, 98, 300, 98, 300])), 0.746, 0.0, 101.0);
        is(gaps(&after(&[1, 299, 25, 4975, 90, 2, 42, 500, 1500])), 0.083, 0.845, 89.0);
        assert_eq!((gaps(&[60; 9]), gaps(&after(&[1])), gaps(&[])), (None, None, None));
    }

    #[test]
    fn sizes_as_rita_scores_them() {
        is(sizes(&(1..=10).map(f64::from).collect::<Vec<_>>()), 0.773, 0.0, 2.5);
        is(sizes(&[60.0; 9]), 1.0, 0.0, 0.0);
        is(sizes(&[98.0, 99.0, 99.0, 100.0, 100.0, 100.0, 101.0, 101.0, 102.0]), 0.995, 0.0, 1.0);
        is(sizes(&[524_885.0, 1.0, 5000.0, 98_654.0, 50.0, 41.0, 965_842.0, 3.0]), 0.008, 0.984, 2523.0);
        is(sizes(&[0.0; 10]), 0.5, 0.0, 0.0);
        assert_eq!((sizes(&[100.0, 200.0]), sizes(&[])), (None, None));
    }

    #[test]
    fn shapes_as_rita_scores_them() {
        is(shape(&[0.0; 10], 1.0), 1.0, 0.0, 0.0);
        is(shape(&[7.0, 7.0, 7.0, 7.0, 7.0, 8.0, 8.0, 8.0, 8.0], 1.0), 1.0, 0.0, 0.0);
        is(shape(&[1.0, 1.0, 2.0, 2.0, 2.0, 2.0], 1.0), 1.0, 0.0, 0.0);
        is(shape(&[-10.0, -9.0, -8.0, -7.0, -6.0, -5.0, -4.0, -3.0, -2.0, -1.0], 0.0), 0.5, 0.0, 2.5);
        // The spread alone.
        let narrow = |n: &[f64]| (median(n) - spread(n)) / median(n);
        assert!(near(narrow(&[1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 5.0, 5.0]), 0.6667));
        assert!(near(narrow(&[11.0, 12.0, 12.0, 14.0, 15.0, 16.0]), 0.8846));
        let far: Vec<f64> = (2..=11).map(|n| f64::from(n) * 500.0).collect();
        assert!(near(narrow(&far), 0.6154) && near(spread(&far), 1250.0));
    }

    #[test]
    fn durations_as_rita_scores_them() {
        let day = (T, T + 24 * 3600);
        let hours = |a: i64, b: i64| (T + a * 3600, T + b * 3600);
        for (seen, filled, run, score) in [
            (hours(0, 24), 24, 24, 1.0),
            (hours(0, 24), 6, 0, 1.0),
            (hours(12, 24), 6, 0, 0.5),
            (hours(0, 12), 6, 0, 0.5),
            (hours(6, 24), 6, 0, 0.75),
            (hours(12, 24), 12, 12, 1.0),
            (hours(12, 18), 6, 6, 0.5),
            (hours(6, 18), 12, 6, 0.5),
            (hours(6, 18), 3, 1, 0.0),
        ] {
            assert!(near(duration(day, seen, filled, run), score), "{seen:?}");
        }
    }

    /// Bars, filled, run, and the larger score of the histogram.
    fn histogram(times: &[i64], from: i64, to: i64, many: usize, least: usize) -> (Vec<u32>, usize, usize, f64) {
        let bars = bars(times, from, to, many);
        let (filled, run) = (filled(&bars), longest_run(&bars));
        let score = evenness(&bars).max(two_heights(&heights(&bars, ALIKE), filled, 1, least));
        (bars, filled, run, score)
    }

    #[test]
    fn histograms_as_rita_scores_them() {
        let simple: Vec<i64> = (1..=10).flat_map(|n| std::iter::repeat_n(n, n as usize)).collect();
        let close = [98, 99, 99, 100, 100, 100, 101, 101, 102];
        let mut chance = [524_885, 1, 5000, 98_654, 50, 41, 965_842, 3, 12_001, 200_400, 104_001, 199_999];
        chance.sort_unstable();
        let two = [1, 2, 3, 4, 15, 21, 22, 23, 24, 35, 41, 42, 43, 44, 55, 61, 62, 63, 64, 75, 81, 82, 83, 84, 95];
        let gaps = [10, 20, 100, 110, 110, 220];
        let hourly: Vec<i64> = (0..24).map(|h| T + h * 3600).collect();
        let minutes: Vec<i64> = (0..10).map(|m| T + m * 60).collect();
        let one_bar = {
            let mut b = vec![0; 24];
            b[0] = 10;
            b
        };
        for (times, from, to, many, least, bars, filled, run, score) in [
            (&simple[..], 1, 11, 10, 6, (1..=10).collect(), 10, 10, 0.478),
            (&hourly[..], T, T + 86_400, 24, 11, vec![1; 24], 24, 24, 1.0),
            (&close[..], 98, 102, 8, 6, vec![1, 0, 2, 0, 3, 0, 2, 1], 5, 3, 0.064),
            (&chance[..], 0, 1_000_000, 10, 6, vec![7, 2, 1, 0, 0, 1, 0, 0, 0, 1], 5, 4, 0.0),
            (&two[..], 0, 100, 10, 6, vec![4, 1, 4, 1, 4, 1, 4, 1, 4, 1], 10, 10, 1.0),
            (&gaps[..], 0, 250, 5, 6, vec![2, 0, 3, 0, 1], 3, 2, 0.028),
            (&minutes[..], T, T + 86_400, 24, 11, one_bar.clone(), 1, 1, 0.0),
            (&minutes[..], T, T + 86_400, 24, 1, one_bar, 1, 1, 0.0),
        ] {
            let got = histogram(times, from, to, many, least);
            assert_eq!((&got.0, got.1, got.2), (&bars, filled, run));
            assert!(near(got.3, score), "{bars:?}: {}", got.3);
        }
    }

    #[test]
    fn heights_as_rita_counts_them() {
        let count = |bars: &[u32], alike| heights(bars, alike).into_iter().collect::<Vec<_>>();
        assert_eq!(count(&[900, 901, 899, 900, 899, 902, 900, 901], 0.05), [(874, 8)]);
        assert_eq!(count(&[100, 105, 100, 300, 305, 300], 0.1), [(93, 3), (279, 3)]);
        let many = [9, 10, 11, 10, 11, 9, 10, 11, 10, 9, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2];
        assert_eq!(count(&many, 0.3), [(0, 10), (8, 10)]);
        assert_eq!(count(&many, 0.05), [(2, 5), (3, 5), (9, 3), (10, 4), (11, 3)]);
        let gaps = [2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 4, 4, 4, 4, 0];
        assert_eq!((count(&gaps, 0.05), filled(&gaps), longest_run(&gaps)), (vec![(2, 5), (4, 4)], 9, 5));
    }

    #[test]
    fn evenness_and_two_heights_as_rita_scores_them() {
        assert!(near(evenness(&[1; 10]), 1.0));
        assert!(near(evenness(&[950, 970, 990, 1010, 1030, 1050, 1070]), 0.96));
        assert!(near(evenness(&(1000..1010).collect::<Vec<_>>()), 0.997));
        assert!(near(evenness(&[1, 5, 10, 50, 100, 500, 1000, 5000, 10_000]), 0.0));
        assert!(near(evenness(&[0; 5]), 0.0));
        let of = |counts: &[usize], filled, least| two_heights(&(1..).zip(counts.iter().copied()).collect(), filled, 1, least);
        for (counts, filled, least, score) in [
            (&[10][..], 10, 10, 1.0),
            (&[50, 5], 60, 10, 0.932),
            (&[10, 1], 11, 10, 1.0),
            (&[50, 1, 1], 56, 10, 0.927),
            (&[10, 10], 20, 10, 1.0),
            (&[50, 30, 1, 2], 83, 10, 0.976),
            (&[10, 10, 1], 21, 10, 1.0),
            (&[50, 30, 1, 2, 1], 84, 10, 0.964),
            (&[2, 3], 5, 11, 0.0),
            (&[1, 1], 2, 2, 0.0),
        ] {
            assert!(near(of(counts, filled, least), score), "{counts:?}");
        }
    }

    #[test]
    fn a_clock_through_the_day_is_one_and_a_few_contacts_are_none() {
        let times: Vec<i64> = (0..288).map(|n| T + n * 300).collect();
        let scored = score(&times, &[500.0; 288], T, T + 287 * 300).expect("scored");
        assert_eq!(scored, Scored { score: 1.0, times: 1.0, sizes: 1.0, duration: 1.0, histogram: 1.0 });
        assert_eq!(score(&times[..3], &[1.0; 3], T, T + 900), None);
        assert_eq!(score(&[T; 900], &[1.0; 900], T, T + 900), None);
    }
}
