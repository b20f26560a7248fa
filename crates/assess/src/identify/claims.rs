//! Votes to claims: log-odds, the strongest vote of each independent group, summed over groups; rivals share.
//!
//! A vote for a specific name is also a vote for the more general one (EC25-E is an EC25), never the other way
//! round; names on one line of descent are not rivals. Confidence is a softmax over rivals and "none of them".

use rustc_hash::{FxHashMap, FxHashSet};
use umbilical_core::answer::Level;
use umbilical_core::text::squash;
use umbilical_core::weight::{ConfidenceLevel, level, probability};
use umbilical_core::{Basis, Group};

use super::vote::{For, Vote};

/// A vote with the place of its fact in the device.
#[derive(Clone, Debug)]
pub struct Cast {
    /// Which fact of the device.
    pub fact: FactRef,
    /// Its witness.
    pub group: Group,
    /// The basis of the fact itself, before any table.
    pub seen: Basis,
    /// The vote.
    pub vote: Vote,
}

/// A fact of a device: which of its records, and which fact of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactRef {
    /// Index into the device's records.
    pub record: u32,
    /// Index into the record's facts.
    pub fact: u32,
}

/// One piece of evidence of a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The fact.
    pub fact: FactRef,
    /// Milli-nats; negative in `against`.
    pub weight: i32,
    /// The row it was matched with.
    pub matched: String,
}

/// A claim with its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// Level.
    pub level: Level,
    /// Value.
    pub value: String,
    /// Sum over groups, milli-nats.
    pub score: i32,
    /// 0–1, four decimals.
    pub confidence: f64,
    /// In a word.
    pub confidence_level: ConfidenceLevel,
    /// Basis of the strongest vote.
    pub basis: Basis,
    /// For, strongest first.
    pub because: Vec<Reason>,
    /// Against: the votes for rivals.
    pub against: Vec<Reason>,
}

/// Whether `general` is the same name as `special` or a stem of it: `EC25` of `EC25-E`, not `EM12` of `EM120R`. A
/// series of one digit is the stem of its numbers: `SARA-R4` of `SARA-R410M`. An `x` stands for a digit: `nRF91x1`.
pub fn is_stem(general: &str, special: &str) -> bool {
    Name::new(general).is_stem_of(&Name::new(special))
}

/// A name made ready for comparing.
struct Name {
    squashed: Vec<char>,
    wild: bool,
}

impl Name {
    fn new(name: &str) -> Self {
        Self { squashed: squash(name).chars().collect(), wild: name.contains('x') }
    }

    fn is_stem_of(&self, special: &Self) -> bool {
        let (g, s) = (&self.squashed, &special.squashed);
        let same = |(a, b): (&char, &char)| a == b || (self.wild && *a == 'X' && b.is_ascii_digit());
        if g.len() < 2 || g.len() > s.len() || !g.iter().zip(s).all(same) {
            return false;
        }
        let digits = g.iter().rev().take_while(|c| c.is_ascii_digit()).count();
        digits <= 1 || !s.get(g.len()).is_some_and(char::is_ascii_digit)
    }
}

/// Values of one level that are compared with each other; the rest, weakest, are left out. Real evidence has a handful.
const MOST: usize = 48;

/// The claims of one level, strongest and then most specific first. `skip` drops values that are explained
/// otherwise (a brand's name as maker of a known re-brand).
pub fn claims(casts: &[Cast], at: Level, skip: &dyn Fn(&str) -> bool) -> Vec<Claimed> {
    let nested = matches!(at, Level::Model | Level::Variant | Level::Family | Level::Silicon);
    let mut by_value: FxHashMap<&str, Vec<&Cast>> = FxHashMap::default();
    for cast in casts {
        if let For::Claim(level, value) = &cast.vote.what
            && *level == at
            && cast.vote.weight > 0
            && !skip(value)
        {
            by_value.entry(value).or_default().push(cast);
        }
    }
    let heaviest = |casts: &[&Cast]| casts.iter().map(|c| c.vote.weight).max().unwrap_or(0);
    let mut values: Vec<(&str, Vec<&Cast>)> = by_value.into_iter().collect();
    values.sort_by(|a, b| (heaviest(&b.1), a.0).cmp(&(heaviest(&a.1), b.0)));
    values.truncate(MOST);
    values.sort_unstable_by_key(|v| v.0);
    let names: Vec<Name> = values.iter().map(|v| Name::new(v.0)).collect();
    let stem = |g: usize, s: usize| g == s || (nested && names.get(g).zip(names.get(s)).is_some_and(|(g, s)| g.is_stem_of(s)));
    let count = values.len();
    let stems: Vec<bool> = (0..count).flat_map(|g| (0..count).map(move |s| (g, s))).map(|(g, s)| stem(g, s)).collect();
    let is_stem = |g: usize, s: usize| stems.get(g.saturating_mul(count).saturating_add(s)).copied().unwrap_or(false);
    let kin = |a: usize, b: usize| is_stem(a, b) || is_stem(b, a);
    let votes_of = |value: usize| -> Vec<&Cast> {
        let below = values.iter().enumerate().filter(|(other, _)| is_stem(value, *other));
        below.flat_map(|(_, (_, casts))| casts.iter().copied()).collect()
    };
    let scores: Vec<i32> = (0..count).map(|value| score(&votes_of(value))).collect();
    let score_of = |value: usize| scores.get(value).copied().unwrap_or(0);
    let mut out: Vec<Claimed> = Vec::with_capacity(count);
    for (this, (value, _)) in values.iter().enumerate() {
        // Of rivals that are kin of each other (a family and its member) only the strongest counts.
        let mut rivals: Vec<(usize, i32)> = Vec::new();
        for other in (0..count).filter(|other| !kin(this, *other)) {
            match rivals.iter_mut().find(|(r, _)| kin(*r, other)) {
                Some(known) => known.1 = known.1.max(score_of(other)),
                None => rivals.push((other, score_of(other))),
            }
        }
        let confidence = probability(score_of(this), rivals.iter().map(|r| r.1));
        let votes = votes_of(this);
        // A shared id speaks for several names: what it says for this one it does not say against it.
        let own: FxHashSet<FactRef> = votes.iter().map(|c| c.fact).collect();
        let others = values.iter().enumerate().filter(|(other, _)| !kin(this, *other)).flat_map(|(_, (_, casts))| casts.iter().copied());
        let against: Vec<&Cast> = others.filter(|c| !own.contains(&c.fact)).collect();
        let kept: Vec<&Cast> = distinct(&votes).collect();
        let mut groups: Vec<Group> = kept.iter().map(|c| c.group).collect();
        groups.sort_unstable();
        groups.dedup();
        let observed = kept.iter().any(|c| c.seen == Basis::Observed);
        out.push(Claimed {
            level: at,
            value: (*value).to_owned(),
            score: score_of(this),
            confidence,
            confidence_level: level(confidence, groups.len(), observed),
            basis: votes.iter().max_by_key(|c| (c.vote.weight, std::cmp::Reverse(c.fact))).map_or(Basis::Inferred, |c| c.vote.basis),
            because: reasons(&votes, 1),
            against: reasons(&against, -1),
        });
    }
    out.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then(b.score.cmp(&a.score))
            .then(squash(&b.value).len().cmp(&squash(&a.value).len()))
            .then(a.value.cmp(&b.value))
    });
    out
}

/// The best of a level: the strongest claim, or the most specific name below it that is still *possible*.
pub fn best(claims: &[Claimed]) -> Option<&Claimed> {
    let mut top = claims.first()?;
    loop {
        let below = claims
            .iter()
            .filter(|c| c.confidence >= 0.5 && squash(&c.value) != squash(&top.value) && is_stem(&top.value, &c.value))
            .max_by(|a, b| a.confidence.total_cmp(&b.confidence).then_with(|| b.value.cmp(&a.value)));
        match below {
            Some(next) if squash(&next.value).len() > squash(&top.value).len() => top = next,
            _ => return Some(top),
        }
    }
}

/// One IMEI is one vote, however many repeat it: what its type allocation code was looked up in counts once, for the
/// most independent of those who saw it.
fn distinct<'a>(votes: &'a [&'a Cast]) -> impl Iterator<Item = &'a Cast> {
    let rank = |group: Group| match group {
        Group::Network => 0,
        Group::Traffic => 1,
        Group::Image => 2,
        Group::Document => 3,
        Group::Person => 4,
        Group::OwnWord => 5,
    };
    let mut best: FxHashMap<&str, Group> = FxHashMap::default();
    for cast in votes.iter().filter(|c| c.vote.matched.starts_with("TAC ")) {
        let group = best.entry(&cast.vote.matched).or_insert(cast.group);
        if rank(cast.group) < rank(*group) {
            *group = cast.group;
        }
    }
    votes.iter().copied().filter(move |c| best.get(c.vote.matched.as_str()).is_none_or(|group| *group == c.group))
}

/// Strongest vote of each group, summed.
pub fn score(votes: &[&Cast]) -> i32 {
    let mut by_group: FxHashMap<Group, i32> = FxHashMap::default();
    for cast in distinct(votes) {
        let best = by_group.entry(cast.group).or_default();
        *best = (*best).max(cast.vote.weight);
    }
    by_group.values().fold(0i32, |sum, w| sum.saturating_add(*w))
}

/// The most reasons that a claim lists; more of the same convince nobody.
const REASONS: usize = 24;

/// One reason for each fact, the strongest.
fn reasons(votes: &[&Cast], sign: i32) -> Vec<Reason> {
    let mut best: FxHashMap<FactRef, &Cast> = FxHashMap::default();
    for cast in votes {
        let kept = best.entry(cast.fact).or_insert(cast);
        if (cast.vote.weight, &kept.vote.matched) > (kept.vote.weight, &cast.vote.matched) {
            *kept = cast;
        }
    }
    let mut out: Vec<Reason> = best
        .into_values()
        .map(|c| Reason { fact: c.fact, weight: c.vote.weight.saturating_mul(sign), matched: c.vote.matched.clone() })
        .collect();
    out.sort_by(|a, b| (b.weight.saturating_abs(), a.fact).cmp(&(a.weight.saturating_abs(), b.fact)));
    out.truncate(REASONS);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cast(fact: u32, group: Group, level: Level, value: &str, weight: i32) -> Cast {
        Cast {
            fact: FactRef { record: 0, fact },
            group,
            seen: Basis::Observed,
            vote: Vote { what: For::Claim(level, value.into()), weight, matched: fact.to_string(), basis: Basis::Observed, group: None },
        }
    }

    #[test]
    fn stems() {
        assert!(is_stem("EC25", "EC25-E") && is_stem("T99W175", "T99W175") && is_stem("LE910C", "LE910C4"));
        assert!(is_stem("SARA-R4", "SARA-R410M") && is_stem("nRF91x1", "nRF9161"));
        assert!(!is_stem("EM12", "EM120R-GL") && !is_stem("EC20", "EC200A") && !is_stem("EC25-E", "EC25"));
    }

    #[test]
    fn a_group_counts_once_and_groups_add() {
        let own = [cast(0, Group::OwnWord, Level::Maker, "Acme", 3000), cast(1, Group::OwnWord, Level::Maker, "Acme", 2000)];
        let one = claims(&own, Level::Maker, &|_| false);
        assert_eq!(one[0].score, 3000);
        let both = [own[0].clone(), cast(2, Group::Network, Level::Maker, "Acme", 3000)];
        let two = claims(&both, Level::Maker, &|_| false);
        assert_eq!((two[0].score, two[0].confidence_level), (6000, ConfidenceLevel::Confirmed));
    }

    #[test]
    fn one_row_is_one_vote_however_many_repeat_it() {
        let mut both = [cast(0, Group::OwnWord, Level::Maker, "Acme", 6000), cast(1, Group::Network, Level::Maker, "Acme", 6000)];
        both[0].vote.matched = "TAC 1".into();
        both[1].vote.matched = "TAC 1".into();
        let got = claims(&both, Level::Maker, &|_| false);
        assert_eq!((got[0].score, got[0].confidence_level), (6000, ConfidenceLevel::Probable));
    }

    #[test]
    fn a_member_speaks_for_its_family_but_not_back() {
        let casts = [cast(0, Group::OwnWord, Level::Model, "EC25-E", 1900), cast(1, Group::Network, Level::Model, "EC25", 4400)];
        let got = claims(&casts, Level::Model, &|_| false);
        assert_eq!((got[0].value.as_str(), got[0].score), ("EC25", 6300));
        assert_eq!((got[1].value.as_str(), got[1].score), ("EC25-E", 1900));
        assert_eq!(best(&got).map(|c| c.value.as_str()), Some("EC25-E"));
        let faint = claims(
            &[cast(0, Group::OwnWord, Level::Model, "EC25-E", 900), cast(0, Group::OwnWord, Level::Model, "EG25-G", 900)],
            Level::Model,
            &|_| false,
        );
        assert!(faint[0].confidence < 0.5);
    }

    #[test]
    fn rivals_stand_against_each_other() {
        let casts = [cast(0, Group::OwnWord, Level::Maker, "A", 4000), cast(1, Group::OwnWord, Level::Maker, "B", 3900)];
        let got = claims(&casts, Level::Maker, &|_| false);
        assert!(got[0].confidence < 0.9);
        assert_eq!(got[0].against[0].weight, -3900);
        assert_eq!(claims(&casts, Level::Maker, &|v| v == "B")[0].against, []);
    }

    proptest! {
        #[test]
        fn confidences_are_probabilities_whatever_the_order(weights in proptest::collection::vec((0u32..6, 0usize..4, 1i32..6000), 1..12)) {
            let names = ["A1", "B2", "C3", "D4"];
            let mut casts: Vec<Cast> = weights.iter().enumerate().map(|(i, (_, v, w))| cast(i as u32, Group::OwnWord, Level::Maker, names[*v], *w)).collect();
            let forward = claims(&casts, Level::Maker, &|_| false);
            let sum: f64 = forward.iter().map(|c| c.confidence).sum();
            prop_assert!(sum <= 1.001);
            casts.reverse();
            prop_assert_eq!(forward, claims(&casts, Level::Maker, &|_| false));
        }
    }
}
