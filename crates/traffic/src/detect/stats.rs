//! Middle, quarters and spread of a few numbers.

/// The middle of sorted numbers; of an even count the mean of the two in the middle; 0 of none.
pub(super) fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    match (sorted.get(half), half.checked_sub(1).and_then(|n| sorted.get(n))) {
        (Some(upper), Some(lower)) if sorted.len().is_multiple_of(2) => (lower + upper) / 2.0,
        (Some(middle), _) => *middle,
        _ => 0.0,
    }
}

/// The quartiles of sorted numbers: the middles of both halves, an odd one out in neither (Tukey's hinges without the median).
pub(super) fn quartiles(sorted: &[f64]) -> [f64; 3] {
    let half = sorted.len() / 2;
    let (lower, rest) = sorted.split_at_checked(half).unwrap_or((sorted, &[]));
    let upper = rest.get(sorted.len() % 2..).unwrap_or_default();
    [median(lower), median(sorted), median(upper)]
}

/// The middle of numbers in any order, which it changes.
pub(super) fn middle(all: &mut [f64]) -> f64 {
    let half = all.len() / 2;
    if all.is_empty() {
        return 0.0;
    }
    let even = all.len().is_multiple_of(2);
    let (below, upper, _) = all.select_nth_unstable_by(half, f64::total_cmp);
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| even);
    lower.map_or(*upper, |lower| (lower + *upper) / 2.0)
}

/// How far numbers lie from their middle: the middle of the distances (median absolute deviation).
pub(super) fn spread(sorted: &[f64]) -> f64 {
    let at = median(sorted);
    let mut far: Vec<f64> = sorted.iter().map(|n| (n - at).abs()).collect();
    middle(&mut far)
}

/// The number below which a share of sorted ones lies; 0 of none.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let at = (share * last as f64).round() as usize;
    sorted.get(at.min(last)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_on_paper() {
        let n = [1.0, 2.0, 25.0, 42.0, 90.0, 299.0, 500.0, 1500.0, 4975.0];
        assert_eq!(quartiles(&n), [13.5, 90.0, 1000.0]);
        assert_eq!((median(&n), spread(&n)), (90.0, 89.0));
        assert_eq!(quartiles(&[1.0, 2.0, 3.0, 4.0]), [1.5, 2.5, 3.5]);
        assert_eq!((median(&[]), quartiles(&[]), spread(&[7.0])), (0.0, [0.0; 3], 0.0));
        for many in 0..=n.len() {
            let mut some: Vec<f64> = n.iter().take(many).rev().copied().collect();
            some.rotate_left(many / 3);
            assert_eq!(middle(&mut some), median(&n[..many]), "{many}");
        }
        assert_eq!((quantile(&n, 0.0), quantile(&n, 1.0), quantile(&[], 0.5)), (1.0, 4975.0, 0.0));
    }
}
