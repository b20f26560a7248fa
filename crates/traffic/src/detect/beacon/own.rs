//! How much contacts come as by a clock.
//!
//! Three measures, of which the largest counts; each is near 1 for a clock and near 0 for people or chance (a Poisson process):
//! *phase*: a clock that keeps its schedule, contacts missing or late by chance: the resultant of the residuals against the schedule
//! that fits best (Rayleigh; Mardia & Jupp, *Directional Statistics*, 2000, §2.3);
//! *gap*: a clock that is wound anew at each contact, so that lateness adds up: the resultant of the gaps against the period;
//! *spacing*: a clock with much jitter: next to no gap is far shorter than the usual one, and few are far longer, which of chance holds
//! for neither. It counts only of many contacts, because few come so by chance.

use std::f64::consts::TAU;

use crate::detect::stats::{median, quantile, spread};

/// Contacts below which nothing is said.
pub(super) const LEAST: usize = 8;
/// The score from which it is said.
pub(super) const ENOUGH: f64 = 0.75;
/// And the least of the largest measure.
pub(super) const PERIODIC: f64 = 0.7;
/// Periods that contacts must span.
const PERIODS: f64 = 6.0;
/// Seconds within which contacts are one, as are connections that a page opens at once.
const AT_ONCE: f64 = 1.0;
/// What is taken off of n·r²; below [`LEAST`], so that something is left.
const CHANCE: f64 = 5.0;
/// Median distance from the usual gap, as a share of it; of chance it is 0.69, of a clock with jitter of half a period 0.25.
const FAR: f64 = 0.6;
/// Gaps from which the spacing counts, where what is said is of one size and where it is not: below, chance looks like it now and then.
const SPACED: (usize, usize) = (16, 22);
/// How much alike sizes are then.
const ALIKE: f64 = 0.8;

/// What contacts came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Judged {
    /// 0–1.
    pub score: f64,
    /// The largest measure.
    pub periodicity: f64,
    /// How much alike their sizes are, 0–1.
    pub size: f64,
    /// Seconds.
    pub period: f64,
    /// Seconds from the first to the last.
    pub span: f64,
    /// Contacts that are not at once with one before.
    pub contacts: usize,
}

/// Judges contacts by their seconds, sorted, and their bytes sent and received.
pub(super) fn judge(
    times: impl ExactSizeIterator<Item = f64>,
    up: impl Iterator<Item = f64> + Clone,
    down: impl Iterator<Item = f64> + Clone,
) -> Option<Judged> {
    let all = times.len();
    let mut at: Vec<f64> = Vec::with_capacity(all);
    for t in times {
        if at.last().is_none_or(|last| t - last >= AT_ONCE) {
            at.push(t);
        }
    }
    if at.len() < LEAST {
        return None;
    }
    let gaps: Vec<f64> = at.iter().zip(at.iter().skip(1)).map(|(a, b)| b - a).collect();
    let mut sorted = gaps.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let span = at.last()? - at.first()?;
    let usual = median(&sorted);
    // Most of what speaks speaks when it has to: gaps that lie so far apart are no clock's, whatever it misses.
    if spread(&sorted) > FAR * usual {
        return None;
    }
    // Where every other beat is lost the usual gap is two beats.
    // Where many are taken together, the clock would be ours.
    if at.len().saturating_mul(5) < all.saturating_mul(4) && usual < 2.0 * AT_ONCE {
        return None;
    }
    let guesses = [usual, usual / 2.0, quantile(&sorted, 0.25)];
    let guesses = guesses.into_iter().take(if guesses[2] == usual { 2 } else { 3 });
    let mut best: Option<(f64, f64)> = None;
    for guess in guesses.filter(|p| *p >= AT_ONCE && span >= PERIODS * p) {
        let least = best.map_or(0.0, |best| best.0);
        best = beat(&at, &gaps, guess, least).filter(|found| found.0 >= least).or(best);
    }
    let (periodicity, period) = best?;
    // Nor does the spacing count of so few, whatever their sizes.
    if periodicity < PERIODIC && sorted.len() < SPACED.0.min(SPACED.1) {
        return None;
    }
    let size = (regular(up) + regular(down)) / 2.0;
    let spaced = if sorted.len() >= if size >= ALIKE { SPACED.0 } else { SPACED.1 } { spacing(&sorted) } else { 0.0 };
    let (periodicity, period) = if spaced > periodicity { (spaced, usual) } else { (periodicity, period) };
    Some(Judged { score: 0.7 * periodicity + 0.3 * size, periodicity, size, period, span, contacts: at.len() })
        .filter(|j| j.periodicity >= PERIODIC)
}

/// The larger of phase and gap, and the period fitted; `None` where it cannot come to this.
fn beat(at: &[f64], gaps: &[f64], guess: f64, least: f64) -> Option<(f64, f64)> {
    let beats = || gaps.iter().map(|g| (g / guess).round().max(1.0));
    let whole: f64 = beats().sum();
    let mean = gaps.iter().sum::<f64>() / whole;
    // Half the beats missing is as many as a clock may miss and still be told from chance.
    let missed = 1.0 - gaps.len() as f64 / whole;
    if missed > 0.5 {
        return Some((0.0, mean));
    }
    if missing(missed) < least {
        return None;
    }
    let gap = resultant(gaps.iter().map(|g| g / mean));
    // The line through contact and number of its beat, by least squares.
    let numbers = || {
        std::iter::once(0.0).chain(beats().scan(0.0, |sum, b| {
            *sum += b;
            Some(*sum)
        }))
    };
    let n = at.len() as f64;
    let (mx, my) = (numbers().sum::<f64>() / n, at.iter().sum::<f64>() / n);
    let (sxy, sxx) = numbers().zip(at).fold((0.0, 0.0), |(xy, xx), (x, y)| (xy + (x - mx) * (y - my), xx + (x - mx).powi(2)));
    let slope = if sxx > 0.0 { sxy / sxx } else { mean };
    let phase = resultant(numbers().zip(at).map(|(x, y)| (y - my - slope * (x - mx)) / slope));
    // What few beats say by chance is taken off: n·r² of one try exceeds x by chance with e^-x, and there are six tries.
    let sure = |r: f64, n: f64| (r * r - CHANCE / n).max(0.0) / (1.0 - CHANCE / n);
    let (gap, phase) = (sure(gap, gaps.len() as f64).sqrt(), sure(phase, n).sqrt());
    Some(if gap > phase { (gap * missing(missed), mean) } else { (phase * missing(missed), slope) })
}

/// Beats that are missing make it less sure, at first by little.
fn missing(share: f64) -> f64 {
    1.0 - 0.3 * share
}

/// Length of the mean of unit vectors at these turns.
fn resultant(turns: impl Iterator<Item = f64>) -> f64 {
    let (mut x, mut y, mut n) = (0.0_f64, 0.0_f64, 0.0_f64);
    for t in turns {
        x += (t * TAU).cos();
        y += (t * TAU).sin();
        n += 1.0;
    }
    if n > 0.0 { x.hypot(y) / n } else { 0.0 }
}

/// See above; of sorted gaps.
fn spacing(sorted: &[f64]) -> f64 {
    let usual = median(sorted);
    if usual <= 0.0 {
        return 0.0;
    }
    let (short, long) = (quantile(sorted, 0.1) / usual, quantile(sorted, 0.9) / usual);
    // Of chance they are 0.15 and 3.3, of anything between two bounds far apart 0.2 and 1.8.
    let short = ((short - 0.3) / 0.25).clamp(0.0, 1.0);
    let long = ((3.0 - long) / 0.7).clamp(0.0, 1.0);
    short.min(long)
}

/// How much alike sizes are: 1 less their spread by their middle.
fn regular(sizes: impl Iterator<Item = f64> + Clone) -> f64 {
    let mut others = sizes.clone();
    let first = others.next();
    if others.all(|size| Some(size) == first) {
        return 1.0;
    }
    let mut sorted: Vec<f64> = sizes.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = median(&sorted);
    if middle <= 0.0 {
        return if spread(&sorted) <= 0.0 { 1.0 } else { 0.0 };
    }
    (1.0 - spread(&sorted) / middle).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is not tried could not have been better.
    #[test]
    fn a_beat_that_is_left_out_comes_to_less() {
        let (mut seed, mut left) = (7_u64, 0);
        for series in 0..200_u32 {
            let mut at = vec![0.0];
            for _ in 0..20 {
                seed = crate::detect::sieve::mix(seed);
                let (missed, late) = ((seed % 4) as f64, (seed >> 8 & 0xff) as f64 / 256.0);
                at.push(at.last().unwrap() + 10.0 * (1.0 + missed * f64::from(series % 3) / 2.0) + late * f64::from(series % 5));
            }
            let gaps: Vec<f64> = at.windows(2).map(|w| w[1] - w[0]).collect();
            for guess in [5.0, 10.0, 15.0, 20.0] {
                let whole = beat(&at, &gaps, guess, 0.0).unwrap();
                for least in [0.3, 0.8, 0.9, 0.95, 1.0] {
                    match beat(&at, &gaps, guess, least) {
                        Some(found) => assert_eq!(found, whole),
                        None => {
                            left += 1;
                            assert!(whole.0 < least, "{series} {guess} {least}: {whole:?}");
                        }
                    }
                }
            }
        }
        assert!(left > 100, "{left}");
    }
}
