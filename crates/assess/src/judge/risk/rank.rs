//! The order of subjects: how critical and in which sector, then axis by axis as the operator wants. Nothing is added up,
//! and nothing but the order depends on it.

use std::cmp::Ordering;

use umbilical_core::answer::risk::Risked;
use umbilical_knowledge::Word as _;
use umbilical_knowledge::policy::Ranking;

/// What the operator's list calls what nobody has said.
const UNSAID: &str = "unsaid";

/// Puts subjects in order, the most pressing first, and says of each why it stands there. Equals share a rank and stand
/// by their ids.
pub fn rank(subjects: &mut [Risked], order: &Ranking) {
    subjects.sort_by(|a, b| compare(a, b, order).then_with(|| a.id.cmp(&b.id)));
    let mut ranks: Vec<u64> = Vec::with_capacity(subjects.len());
    for (place, subject) in (1u64..).zip(subjects.iter()) {
        let before = ranks.len().checked_sub(1).and_then(|n| subjects.get(n)).zip(ranks.last());
        let shared = before.filter(|(b, _)| compare(b, subject, order) == Ordering::Equal).map(|(_, rank)| *rank);
        ranks.push(shared.unwrap_or(place));
    }
    for (subject, rank) in subjects.iter_mut().zip(ranks) {
        subject.rank = rank;
        subject.ranked_by = why(subject, order);
    }
}

fn compare(a: &Risked, b: &Risked, order: &Ranking) -> Ordering {
    let critical = |s: &Risked| at(&order.criticality, s.criticality.as_deref().into_iter().flat_map(words));
    let sector = |s: &Risked| at(&order.sector, s.sector.iter().map(String::as_str));
    let asset = (critical(a), sector(a)).cmp(&(critical(b), sector(b)));
    order.axes.iter().fold(asset, |so_far, axis| so_far.then_with(|| weight(b, axis.name()).cmp(&weight(a, axis.name()))))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(", ")
}

/// The place of the first word that the list names; what it does not name stands behind it.
fn at<'w>(list: &[String], words: impl Iterator<Item = &'w str>) -> usize {
    let mut words = words.peekable();
    let none = words.peek().is_none();
    let place = |word: &str| list.iter().position(|w| w.eq_ignore_ascii_case(word));
    let found = if none { place(UNSAID) } else { words.filter_map(place).min() };
    found.unwrap_or(list.len())
}

/// An axis of which nothing can be said stands before one where nothing was found.
fn weight(subject: &Risked, axis: &str) -> u32 {
    match score(subject, axis) {
        Some(0) => 0,
        None => 1,
        Some(points) => points.saturating_add(1),
    }
}

fn score(subject: &Risked, axis: &str) -> Option<u32> {
    subject.axes.iter().find(|a| a.axis == axis).and_then(|a| a.score)
}

fn why(subject: &Risked, order: &Ranking) -> Vec<String> {
    let mut out = vec![format!("criticality {}", subject.criticality.as_deref().unwrap_or("not said"))];
    if !order.sector.is_empty() {
        let sector = if subject.sector.is_empty() { "not said".to_owned() } else { subject.sector.join(", ") };
        out.push(format!("sector {sector}"));
    }
    let axis = |name: &str| score(subject, name).map_or_else(|| format!("{name} not known"), |points| format!("{name} {points}"));
    out.extend(order.axes.iter().map(|a| axis(a.name())));
    out
}
