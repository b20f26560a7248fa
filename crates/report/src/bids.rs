//! Bids in their order: at a terminal and as CSV, every number with the rule that it comes from.

use std::io::{self, Write};

use umbilical_core::answer::bids::{Bid, BidRule, Bids};
use umbilical_core::answer::policy::Verdict;

use crate::terminal::{Page, Tone};
use crate::{View, say};

/// Columns of a line of CSV.
pub const COLUMNS: [&str; 11] = [
    "place",
    "bid",
    "verdict",
    "bid_weight",
    "price",
    "currency",
    "surcharge_percent",
    "price_with_surcharge",
    "broken",
    "open",
    "not_compared",
];

fn number(n: Option<f64>) -> String {
    n.map(|n| n.to_string()).unwrap_or_default()
}

/// A line for each bid.
pub fn rows(answer: &Bids) -> Vec<[String; 11]> {
    let row = |b: &Bid| {
        let of = |broken: bool| {
            let rules = b.rules.iter().filter(|r| !r.waived && (r.verdict == Verdict::Fail) == broken);
            rules.map(|r| if broken { counts(r) } else { format!("{} {}", r.rule, r.verdict.name()) }).collect::<Vec<_>>().join("; ")
        };
        [
            b.place.to_string(),
            b.path.clone(),
            b.state.name().to_owned(),
            b.bid_weight.to_string(),
            number(b.price.amount),
            b.price.currency.clone().unwrap_or_default(),
            b.price.surcharge_percent.to_string(),
            number(b.price.counted),
            of(true),
            of(false),
            b.not_compared.clone().unwrap_or_default(),
        ]
    };
    answer.bids.iter().map(row).collect()
}

/// What a broken rule adds: `HOUSE-1 +30 +12.5 %`.
fn counts(rule: &BidRule) -> String {
    format!("{} +{} +{} %", rule.rule, rule.bid_weight, rule.surcharge_percent)
}

/// Writes the answer for a person at a terminal.
pub fn table(out: &mut dyn Write, answer: &Bids, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    let count = say::counted(answer.bids.len() as u64, "bid");
    page.para(0, Tone::Bold, &format!("{count} by verdict, then weight of broken rules, then price with surcharge"))?;
    if !answer.law.assumed.is_empty() {
        page.para(0, Tone::Plain, &format!("What-if: {}. This is not the law as it stands.", answer.law.assumed.join("; ")))?;
    }
    page.gap()?;
    let row = |b: &Bid| {
        let money = |n: Option<f64>| match (n, &b.price.currency) {
            (Some(n), Some(currency)) => format!("{n:.2} {currency}"),
            (Some(n), None) => format!("{n:.2}"),
            (None, _) => String::new(),
        };
        let surcharge = format!("{} %", b.price.surcharge_percent);
        vec![
            b.place.to_string(),
            b.path.clone(),
            b.state.name().to_owned(),
            b.bid_weight.to_string(),
            money(b.price.amount),
            surcharge,
            money(b.price.counted),
        ]
    };
    page.table(&["#Place", "Bid", "Verdict", "#Weight", "#Price", "#Surcharge", "#Counted"], answer.bids.iter().map(row))?;
    page.para(0, Tone::Dim, "Price never outranks a rule that fails. Prices in different currencies are not compared.")?;
    for bid in &answer.bids {
        one(&mut page, bid)?;
    }
    for problem in &answer.problems {
        let path = problem.input.and_then(|i| answer.inputs.get(i as usize)).map(|i| i.path.as_str()).unwrap_or_default();
        page.hanging(0, 2, Tone::Plain, &format!("not understood: {path} {}: {}", problem.at, problem.what))?;
    }
    crate::policy::stamp(&mut page, &answer.as_of, &answer.law.packs)
}

fn one(page: &mut Page<'_>, bid: &Bid) -> io::Result<()> {
    if bid.rules.is_empty() && bid.not_compared.is_none() {
        return Ok(());
    }
    page.heading(&format!("{}. {}: {}", bid.place, bid.path, bid.state.name()))?;
    for rule in bid.rules.iter().filter(|r| r.waived || r.verdict == Verdict::Fail) {
        let adds = if rule.waived {
            "waived, counts for nothing".to_owned()
        } else {
            format!("weight +{}, surcharge +{} %", rule.bid_weight, rule.surcharge_percent)
        };
        page.hanging(2, 2, Tone::Plain, &format!("{}: {} – {} ({}): {adds}", rule.verdict.name(), rule.rule, rule.title, rule.cite))?;
        page.field(4, "About", &rule.subjects.join(", "))?;
    }
    for verdict in [Verdict::Review, Verdict::Unknown] {
        let open = bid.rules.iter().filter(|r| !r.waived && r.verdict == verdict).map(|r| r.rule.as_str());
        page.field(2, &format!("{}, adds nothing", verdict.name()), &open.collect::<Vec<_>>().join(", "))?;
    }
    if let Some(why) = &bid.not_compared {
        page.hanging(2, 2, Tone::Plain, why)?;
    }
    Ok(())
}
