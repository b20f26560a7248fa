//! The one sentence that a trace comes down to.

use umbilical_core::Day;
use umbilical_core::answer::{Jurisdiction, Listing};
use umbilical_core::date::{Holds, holds};
use umbilical_knowledge::Knowledge;

/// `jurisdiction CN, not listed as of 2026-11-25 (sources to 2026-08-22)`, or
/// `jurisdiction CN; listed: US-DOD-1260H since 2025-01-07 (names …)`. Behind it stand entries that are no listing yet
/// (`; pending: US-FCC-COVERED (reported under consideration since 2026)`).
pub(super) fn statement(
    kb: &Knowledge,
    org: &str,
    jurisdictions: &[Jurisdiction],
    listings: &[Listing],
    pending: &[Listing],
    day: Day,
    sources_to: &str,
) -> String {
    if kb.org(org).is_none() {
        return format!("organisation not on file: jurisdiction and listings unknown as of {day}");
    }
    let place = place(jurisdictions);
    let (clear, review): (Vec<&Listing>, Vec<&Listing>) = listings.iter().partition(|l| !l.unclear);
    let mut parts = Vec::new();
    for (word, entries) in [("listed", clear), ("listing for review", review)] {
        let items = entries_by_regime(kb, org, &entries);
        if !items.is_empty() {
            parts.push(format!("{word}: {}", items.join("; ")));
        }
    }
    let mut out = if parts.is_empty() {
        format!("{place}, not listed as of {day} (sources to {sources_to})")
    } else {
        format!("{place}; {}; as of {day} (sources to {sources_to})", parts.join("; "))
    };
    let waiting = pending.iter().map(|l| {
        let since = l.from.as_deref().map(|f| format!(" since {f}")).unwrap_or_default();
        format!("{} ({}{since})", l.regime, l.list_status.replace('-', " "))
    });
    let waiting = each_once(waiting);
    if !waiting.is_empty() {
        out.push_str(&format!("; pending: {}", waiting.join(", ")));
    }
    out
}

/// Lists and rules of which nobody has seen what they say, on a day: `UK-PA23`, `US-BIS-EL Affiliates rule`. They may
/// reach anybody, so "not listed" is said beside them and not of them.
pub fn unread_lists(kb: &Knowledge, day: Day) -> Vec<String> {
    const UNREAD: [&str; 2] = ["empty_or_unknown", "unknown"];
    let unread = kb.listings().iter().filter(|l| UNREAD.contains(&&*l.list_status) && l.orgs.is_empty());
    each_once(unread.filter(|l| holds(day, l.from, l.to) != Holds::No).map(unread_list))
}

/// `UK-PA23`, `US-BIS-EL Affiliates rule`: a regime, and which of its rules, without what is put in brackets.
fn unread_list(row: &umbilical_knowledge::Listing) -> String {
    let rule = row.entity.split('(').next().unwrap_or_default().trim();
    if rule.is_empty() { row.regime.to_string() } else { format!("{} {rule}", row.regime) }
}

fn each_once(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut out: Vec<String> = items.collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// The countries, each once; what is unclear stands apart.
fn place(jurisdictions: &[Jurisdiction]) -> String {
    let mut clear: Vec<&str> = Vec::new();
    let mut unclear: Vec<&str> = Vec::new();
    for j in jurisdictions {
        let list = if j.unclear { &mut unclear } else { &mut clear };
        if !list.contains(&&*j.country) {
            list.push(&j.country);
        }
    }
    unclear.retain(|c| !clear.contains(c));
    match (&*clear, &*unclear) {
        ([], []) => "jurisdiction unknown".to_owned(),
        ([], open) => format!("jurisdiction for review ({})", open.join(" or ")),
        (known, []) => format!("jurisdiction {}", known.join(" and ")),
        (known, open) => format!("jurisdiction {} (for review: {})", known.join(" and "), open.join(", ")),
    }
}

/// One item for each regime and organisation: the first day of its entries, who is named, what is covered.
fn entries_by_regime(kb: &Knowledge, org: &str, listings: &[&Listing]) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut said: Vec<(&str, &str)> = Vec::new();
    // Entries come sorted by organisation, regime and first day, so the first of a pair is the oldest.
    for listing in listings {
        let pair = (&*listing.regime, &*listing.org);
        if said.contains(&pair) {
            continue;
        }
        said.push(pair);
        let since = listing.from.as_deref().unwrap_or("an unknown day");
        let mut inside = format!("names {}", listing.entity);
        if listing.org != org {
            inside.push_str(", which stands behind it");
        }
        if !listing.scope.is_empty() {
            inside.push_str("; ");
            inside.push_str(&listing.scope);
        }
        // A list that binds nobody says so wherever it is named.
        if let Some(regime) = kb.regime(&listing.regime).filter(|r| r.who_is_bound.as_deref().is_none_or(|w| w == "-")) {
            inside.push_str("; ");
            inside.push_str(regime.prohibits.as_deref().unwrap_or("binds nobody by itself"));
        }
        if !listing.verified {
            inside.push_str("; unverified");
        }
        items.push(format!("{} since {since} ({inside})", listing.regime));
    }
    items
}
