//! Bids in their order: the verdict first, then the weight of the rules that a bid breaks, then its price with their
//! surcharges. Price never outranks a broken rule, and prices in different currencies are not compared.

use std::cmp::Ordering;

use umbilical_core::Basis;
use umbilical_core::answer::bids::{Bid, BidRule, Price};
use umbilical_core::answer::policy::{Judged, Verdict};
use umbilical_core::finding::Finding;
use umbilical_core::words::Word;
use umbilical_knowledge::policy::{Facts, Value};

use super::Judge;

/// What decides the order, the first key first.
pub const ORDER: [Word; 3] = ["verdict", "bid-weight", "price-with-surcharge"];

/// The price that is said of a bid.
///
/// # Errors
/// A price that is no amount, or a currency that is no ISO 4217 code.
pub fn price(facts: &Facts) -> Result<Price, String> {
    let amount = match facts.get("price") {
        Some(Value::Number(n)) if n.is_finite() && *n >= 0.0 => Some(*n),
        Some(other) => return Err(format!("`price`: `{other}` is no amount")),
        None => None,
    };
    let currency = match facts.get("currency") {
        Some(Value::Words(words)) => match words.as_slice() {
            [code] if code.len() == 3 && code.bytes().all(|b| b.is_ascii_alphabetic()) => Some(code.to_ascii_uppercase()),
            _ => return Err(format!("`currency`: `{}` is no ISO 4217 code: three letters, as in EUR", words.join(", "))),
        },
        _ => None,
    };
    let basis = (amount.is_some() || currency.is_some()).then_some(Basis::Declared);
    Ok(Price { amount, currency, basis, surcharge_percent: 0.0, counted: None })
}

/// One bid with everything in it. `accepted` says whether somebody lives with a finding: it then counts for nothing.
pub fn bid(
    judge: &Judge<'_>,
    path: &str,
    inputs: Vec<u32>,
    subjects: &[Judged],
    mut price: Price,
    accepted: &dyn Fn(&Finding) -> bool,
) -> Bid {
    let mut rules: Vec<BidRule> = judge
        .packs()
        .iter()
        .flat_map(|c| &c.pack.rules)
        .filter_map(|rule| {
            let id = rule.id.get_ref();
            let found = || subjects.iter().flat_map(|s| s.findings.iter().map(move |f| (s, f))).filter(|(_, f)| f.code == *id);
            let waived = found().all(|(_, f)| accepted(f));
            let counted = || found().filter(|(_, f)| waived || !accepted(f));
            let verdict = counted().filter_map(|(_, f)| f.verdict.and_then(Verdict::of)).max()?;
            let broken = verdict == Verdict::Fail && !waived;
            let about = counted().filter(|(_, f)| f.verdict == Some(verdict.name())).map(|(s, _)| s.id.clone());
            let (title, cite) = (rule.title.clone(), rule.cite.clone());
            Some(BidRule {
                rule: id.clone(),
                title,
                cite,
                verdict,
                waived,
                bid_weight: rule.bid_weight.filter(|_| broken).unwrap_or(0),
                surcharge_percent: rule.surcharge_percent.filter(|_| broken).unwrap_or(0.0),
                subjects: once(about),
            })
        })
        .collect();
    // The worst first, in the order of the packs.
    rules.sort_by_key(|r| (r.waived, std::cmp::Reverse(r.verdict)));
    let kept = subjects.iter().any(|s| !s.passed.is_empty()) || rules.iter().any(|r| r.waived);
    let none = if subjects.is_empty() {
        Verdict::Unknown
    } else if kept {
        Verdict::Pass
    } else {
        Verdict::NotApplicable
    };
    price.surcharge_percent = rules.iter().map(|r| r.surcharge_percent).sum();
    price.counted = price.amount.map(|amount| hundredth(amount * (1.0 + price.surcharge_percent / 100.0)));
    Bid {
        place: 0,
        path: path.to_owned(),
        inputs,
        state: rules.iter().filter(|r| !r.waived).map(|r| r.verdict).max().unwrap_or(none),
        subjects: subjects.iter().map(|s| s.id.clone()).collect(),
        bid_weight: rules.iter().map(|r| u64::from(r.bid_weight)).sum(),
        price,
        rules,
        not_compared: None,
    }
}

fn once(ids: impl Iterator<Item = String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for id in ids {
        if !out.contains(&id) {
            out.push(id);
        }
    }
    out
}

fn hundredth(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}

/// Puts bids in order. A bid's place is one more than the number of bids that stand before it, so that bids which cannot
/// be compared share one.
pub fn order(bids: &mut [Bid]) {
    let places: Vec<(u64, Option<String>)> = bids
        .iter()
        .map(|own| {
            let before = bids.iter().filter(|other| compare(other, own) == Some(Ordering::Less)).count();
            (u64::try_from(before).unwrap_or(u64::MAX).saturating_add(1), not_compared(own, bids))
        })
        .collect();
    for (bid, (place, why)) in bids.iter_mut().zip(places) {
        (bid.place, bid.not_compared) = (place, why);
    }
    bids.sort_by(|a, b| (keys(a), a.place, &a.path).cmp(&(keys(b), b.place, &b.path)));
}

/// A rule that reaches nothing is as good as kept; one that is open is worse, and one that is broken worst.
fn keys(bid: &Bid) -> (Verdict, u64) {
    (bid.state.max(Verdict::Pass), bid.bid_weight)
}

/// What can be compared: an amount and its currency.
fn priced(bid: &Bid) -> Option<(f64, &str)> {
    bid.price.counted.zip(bid.price.currency.as_deref())
}

/// How two bids stand; `None` = their prices are not compared. A bid without a price stands behind those with one:
/// nobody wins by leaving it out.
fn compare(a: &Bid, b: &Bid) -> Option<Ordering> {
    let verdict = keys(a).cmp(&keys(b));
    if verdict != Ordering::Equal {
        return Some(verdict);
    }
    match (priced(a), priced(b)) {
        (Some((x, of)), Some((y, other))) => (of == other).then(|| x.total_cmp(&y)),
        (Some(_), None) => Some(Ordering::Less),
        (None, Some(_)) => Some(Ordering::Greater),
        (None, None) => Some(Ordering::Equal),
    }
}

fn not_compared(own: &Bid, bids: &[Bid]) -> Option<String> {
    let Some((_, currency)) = priced(own) else {
        return Some(
            "no price with a currency is said of it: it stands behind bids of the same verdict and weight that have one".to_owned(),
        );
    };
    let equals = bids.iter().filter(|b| keys(b) == keys(own)).filter_map(|b| priced(b).map(|p| p.1));
    let mut others: Vec<&str> = equals.filter(|c| *c != currency).collect();
    others.sort_unstable();
    others.dedup();
    (!others.is_empty()).then(|| format!("its price in {currency} is not held against those in {}: no rate is assumed", others.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bid(path: &str, state: Verdict, weight: u64, price: Option<(f64, &str)>) -> Bid {
        let (amount, currency) = price.map_or((None, None), |(n, c)| (Some(n), Some(c.to_owned())));
        let price = Price { amount, currency, basis: None, surcharge_percent: 0.0, counted: amount };
        let path = path.to_owned();
        Bid { place: 0, path, inputs: vec![], state, subjects: vec![], bid_weight: weight, price, rules: vec![], not_compared: None }
    }

    fn places(mut bids: Vec<Bid>) -> Vec<(String, u64)> {
        order(&mut bids);
        bids.into_iter().map(|b| (b.path, b.place)).collect()
    }

    fn is(all: &[(&str, u64)]) -> Vec<(String, u64)> {
        all.iter().map(|(p, n)| ((*p).to_owned(), *n)).collect()
    }

    #[test]
    fn a_broken_rule_is_outranked_by_no_price() {
        let eur = |n: f64| Some((n, "EUR"));
        let bids = vec![
            bid("free-fail", Verdict::Fail, 0, eur(0.0)),
            bid("dear-pass", Verdict::Pass, 0, eur(1e9)),
            bid("review", Verdict::Review, 0, eur(1.0)),
            bid("unknown", Verdict::Unknown, 0, eur(2.0)),
            bid("unreached", Verdict::NotApplicable, 0, eur(5.0)),
            bid("heavy-fail", Verdict::Fail, 30, eur(0.0)),
            bid("light-dear-fail", Verdict::Fail, 10, eur(9.0)),
        ];
        let wanted = [
            ("unreached", 1),
            ("dear-pass", 2),
            ("unknown", 3),
            ("review", 4),
            ("free-fail", 5),
            ("light-dear-fail", 6),
            ("heavy-fail", 7),
        ];
        assert_eq!(places(bids), is(&wanted));
    }

    #[test]
    fn currencies_are_not_compared_and_silence_wins_nothing() {
        let of = |path: &str, price| bid(path, Verdict::Pass, 0, price);
        let mut bids =
            vec![of("a", Some((20.0, "EUR"))), of("b", Some((10.0, "EUR"))), of("c", Some((5.0, "USD"))), of("d", None), of("e", None)];
        assert_eq!(places(bids.clone()), is(&[("b", 1), ("c", 1), ("a", 2), ("d", 4), ("e", 4)]));
        order(&mut bids);
        let why = |n: usize| bids[n].not_compared.as_deref().unwrap_or_default();
        assert!(why(0).contains("in EUR is not held against those in USD") && why(1).contains("in USD is not held against those in EUR"));
        assert!(why(3).contains("no price with a currency"));
        // A verdict apart, they need no rate.
        let mut apart = vec![of("a", Some((20.0, "EUR"))), bid("b", Verdict::Fail, 0, Some((1.0, "USD")))];
        order(&mut apart);
        assert!(apart.iter().all(|b| b.not_compared.is_none()));
    }

    #[test]
    fn a_price_is_an_amount_in_a_currency() {
        let said = |pairs: &[(&str, &str)]| {
            let mut facts = Facts::default();
            pairs.iter().try_for_each(|(n, v)| facts.say(n, v))?;
            price(&facts).map(|p| (p.amount, p.currency))
        };
        assert_eq!(said(&[("price", "12.50"), ("currency", "eur")]), Ok((Some(12.5), Some("EUR".to_owned()))));
        assert_eq!(said(&[]), Ok((None, None)));
        for wrong in [&[("currency", "euro")][..], &[("currency", "EUR,USD")], &[("currency", "€")]] {
            assert!(said(wrong).is_err(), "{wrong:?}");
        }
    }
}
