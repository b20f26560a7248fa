//! What packs say, told: their texts, their dates, and what their verdicts come to market by market.

use std::collections::{BTreeMap, BTreeSet};

use umbilical_core::Basis;
use umbilical_core::answer::policy::{Cell, Clause, Dated, Judged, PackText, Verdict};
use umbilical_core::answer::{Cellular, Device, Duty, Identifiers, Level, Module, Product};
use umbilical_core::date::Loose;
use umbilical_core::finding::Finding;
use umbilical_core::id::content_id;
use umbilical_core::weight::ConfidenceLevel;
use umbilical_knowledge::policy::{Date, Pack};
use umbilical_knowledge::{Knowledge, Word as _};

use super::{Judge, lies_inside};

/// A pack as documents and pages tell it.
pub fn pack_text(pack: &Pack) -> PackText {
    PackText {
        id: pack.id.get_ref().clone(),
        title: pack.title.clone(),
        jurisdiction: pack.jurisdiction.get_ref().clone(),
        authority: pack.authority.clone(),
        version: pack.version.clone(),
        sources_to: pack.sources_to.to_string(),
        standing: pack.standing.name(),
        optional: pack.optional,
        note: pack.note.clone(),
        rules: pack
            .rules
            .iter()
            .map(|r| Clause {
                id: r.id.get_ref().clone(),
                title: r.title.clone(),
                cite: r.cite.clone(),
                source: r.source.clone(),
                verified: r.status.0,
                effect: r.effect.first().name(),
                effects: r.effect.iter().map(|e| e.name()).collect(),
                tier: r.tier.iter().map(|t| t.name()).collect(),
                binds: r.binds.clone(),
                from: r.from.map(|d| d.to_string()),
                to: r.to.map(|d| d.to_string()),
                standing: r.standing.unwrap_or(pack.standing).name(),
                scope: {
                    let demands = r.scope.0.iter().map(|(name, demand)| format!("{name}: {demand}"));
                    let when = r.when_says.clone().or_else(|| r.when.as_ref().map(|w| w.get_ref().clone()));
                    demands.chain(when).collect()
                },
                exceptions: r.exceptions.iter().map(|e| e.what.clone()).collect(),
                open_points: r.unsettled.iter().map(|u| format!("{}: {}", u.id, u.what)).collect(),
            })
            .collect(),
    }
}

/// Dated events of packs: first and last days of rules, entries of the lists that they ask, and what the packs say beside. With an
/// organisation, entries that name it alone. What several packs hang on is one event; by day.
pub fn timeline(packs: &[Pack], kb: &Knowledge, org: Option<&str>) -> Vec<Dated> {
    let mut events = Vec::new();
    for pack in packs {
        let regimes: Vec<&str> =
            pack.rules.iter().flat_map(|r| &r.subjects).flat_map(|s| &s.listed).map(|r| r.get_ref().as_str()).collect();
        for listing in kb.listings().iter().filter(|l| regimes.contains(&&*l.regime)) {
            if org.is_some_and(|org| !listing.orgs.iter().any(|o| **o == *org)) {
                continue;
            }
            let status = listing.list_status.replace('_', " ");
            let mut put = |on: Option<Loose>, what: String| {
                events.extend(on.map(|on| Dated {
                    on: on.to_string(),
                    pack: pack.id.get_ref().clone(),
                    rule: None,
                    what,
                    source: listing.source.text.to_string(),
                    verified: listing.source.verified,
                }));
            };
            let of = |word: &str| format!("{}: {} {word}", listing.regime, listing.entity);
            put(listing.from, if status == "in force" || status == "ended" { of("is named") } else { of(&status) });
            put(listing.to, of("is no longer named"));
        }
        if org.is_some() {
            continue;
        }
        for rule in &pack.rules {
            let standing = rule.standing.unwrap_or(pack.standing).name();
            let about = |what: &str, on: Date| Dated {
                on: on.to_string(),
                pack: pack.id.get_ref().clone(),
                rule: Some(rule.id.get_ref().clone()),
                what: format!("{}: {what} ({standing}; {})", rule.title, rule.cite),
                source: rule.source.clone(),
                verified: rule.status.0,
            };
            events.extend(rule.from.map(|on| about("first day", on)));
            events.extend(rule.to.map(|on| about("no longer holds", on)));
        }
        events.extend(pack.events.iter().map(|e| Dated {
            on: e.on.to_string(),
            pack: pack.id.get_ref().clone(),
            rule: None,
            what: e.what.clone(),
            source: e.source.clone(),
            verified: e.status.0,
        }));
    }
    // What several packs hang on is one event.
    events.sort_by(|a, b| (&a.on, &a.what, &a.pack).cmp(&(&b.on, &b.what, &b.pack)));
    events.dedup_by(|a, b| (&a.on, &a.what) == (&b.on, &b.what));
    events
}

/// Rule by rule, whose law it is.
pub fn homes(judge: &Judge<'_>) -> BTreeMap<String, String> {
    let rules = judge.packs().iter().flat_map(|c| c.pack.rules.iter().map(|r| (r.id.get_ref(), c.pack.jurisdiction.get_ref())));
    rules.map(|(rule, home)| (rule.clone(), home.clone())).collect()
}

/// Whether somebody has accepted a finding until a day that has not passed.
fn is_accepted(finding: &Finding) -> bool {
    finding.detail.get("waiver").is_some_and(|w| w.get("expired").and_then(serde_json::Value::as_bool) == Some(false))
}

/// Whether the law of a rule holds in a market.
pub fn inside(market: &str, rule: &str, home_of: &BTreeMap<String, String>) -> bool {
    home_of.get(rule).is_some_and(|j| lies_inside(market, j))
}

/// What the rules of one market come to for a product. Law of a union or of the whole country counts in its parts.
pub fn cell(market: &str, subject: &Judged, home_of: &BTreeMap<String, String>, day: &str) -> Cell {
    let inside = |rule: &str| inside(market, rule, home_of);
    let (waived, open): (Vec<&Finding>, Vec<&Finding>) = subject.findings.iter().filter(|f| inside(&f.code)).partition(|f| is_accepted(f));
    let worst = open.iter().filter_map(|f| f.verdict.and_then(Verdict::of)).max();
    let passed: Vec<String> = subject.passed.iter().filter(|id| inside(id)).cloned().collect();
    let (verdict, mut rules) = match worst {
        Some(verdict) => {
            let of = |f: &&&Finding| f.verdict == Some(verdict.name());
            (verdict, open.iter().filter(of).map(|f| f.code.to_string()).collect())
        }
        None if passed.is_empty() && waived.is_empty() => (Verdict::NotApplicable, Vec::new()),
        None => (Verdict::Pass, passed),
    };
    // Several modules may break one rule.
    rules.dedup();
    let coming: Vec<String> = subject.upcoming.iter().filter(|u| inside(&u.rule)).map(|u| format!("{} from {}", u.rule, u.from)).collect();
    let coming = coming.join(", ");
    let mut accepted: Vec<String> = waived.iter().map(|f| f.code.to_string()).collect();
    accepted.dedup();
    let mark = if accepted.is_empty() { String::new() } else { format!(" (waived: {})", accepted.join(", ")) };
    if rules.is_empty() {
        rules = accepted;
    }
    let says = match (rules.is_empty(), coming.is_empty()) {
        (true, true) => format!("no rule found as of {day}"),
        (true, false) => format!("no rule in force as of {day}; {coming}"),
        (false, true) => format!("{}: {}{mark}", verdict.name(), rules.join(", ")),
        (false, false) => format!("{}: {}{mark}; not yet in force: {coming}", verdict.name(), rules.join(", ")),
    };
    Cell { market: market.to_owned(), verdict, rules, says }
}

/// How sure it is supposed to be: *probable*, so that rules may fail.
const SUPPOSED: f64 = 0.95;

/// A device of which nothing is known but that it has this module, probably: what law says to the module by itself. Without a maker it
/// is a product that is itself cellular.
pub fn supposed(kb: &Knowledge, maker: Option<&str>, brand: Option<&str>, model: &str) -> Device {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let known = maker.and_then(|maker| kb.module(maker, model));
    let module = maker.map(|maker| Module {
        brand: owned(brand.or(Some(maker))),
        maker: owned(Some(maker)),
        model: owned(Some(model)),
        sold_as: None,
        variant: None,
        family: known.map(|m| m.family.to_string()),
        level: Level::Model,
        confidence: SUPPOSED,
        confidence_level: ConfidenceLevel::Probable,
        basis: Basis::Declared,
        chipset: known.and_then(|m| m.chipset.as_deref()).map(str::to_owned),
        rats: known.map(|m| m.rats.iter().map(|r| r.name().to_owned()).collect()).unwrap_or_default(),
        imei: Vec::new(),
        claims: Vec::new(),
        ownership: Vec::new(),
        jurisdictions: Vec::new(),
        because: Vec::new(),
        against: Vec::new(),
        conflicts: Vec::new(),
        firmware: None,
    });
    let product = || Product {
        kind: "other",
        brand: owned(brand),
        model: owned(Some(model)),
        confidence: SUPPOSED,
        basis: Basis::Declared,
        ownership: Vec::new(),
        jurisdictions: Vec::new(),
    };
    let label = [maker.or(brand), Some(model)].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Device {
        id: content_id("dev-", "supposed", &label),
        names: vec![label],
        identifiers: Identifiers::default(),
        cellular: Cellular::Yes,
        cellular_confidence: SUPPOSED,
        because: Vec::new(),
        host: None,
        product: module.is_none().then(product),
        modules: module.into_iter().collect(),
        next_evidence: Vec::new(),
        findings: Vec::new(),
        inputs: Vec::new(),
        duty: Duty::default(),
    }
}

/// A verdict that differs between two answers about one subject: the rule, what it was and what it is, and what that stands on.
pub struct Turn {
    /// The rule.
    pub rule: String,
    /// The verdict before.
    pub was: Verdict,
    /// The verdict behind.
    pub is: Verdict,
    /// What the second stands on; empty where it is kept or reaches nothing.
    pub because: Vec<String>,
}

/// What differs, by rule.
pub fn turns(before: &Judged, behind: &Judged) -> Vec<Turn> {
    fn of(judged: &Judged) -> BTreeMap<&str, (Verdict, &[String])> {
        let mut out: BTreeMap<&str, (Verdict, &[String])> = judged.passed.iter().map(|r| (r.as_str(), (Verdict::Pass, &[][..]))).collect();
        for finding in &judged.findings {
            let verdict = finding.verdict.and_then(Verdict::of).unwrap_or(Verdict::Unknown);
            let slot = out.entry(&*finding.code).or_insert((verdict, &finding.because));
            if verdict > slot.0 {
                *slot = (verdict, &finding.because);
            }
        }
        out
    }
    let (was, is) = (of(before), of(behind));
    let rules: BTreeSet<&str> = was.keys().chain(is.keys()).copied().collect();
    let verdict = |side: &BTreeMap<&str, (Verdict, &[String])>, rule: &str| side.get(rule).map_or(Verdict::NotApplicable, |s| s.0);
    let differ = rules.into_iter().filter(|r| verdict(&was, r) != verdict(&is, r));
    let turn = differ.map(|rule| Turn {
        rule: rule.to_owned(),
        was: verdict(&was, rule),
        is: verdict(&is, rule),
        because: is.get(rule).map(|s| s.1.to_vec()).unwrap_or_default(),
    });
    turn.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_supposed_is_judged_as_one_that_is_there() {
        let kb = Knowledge::embedded();
        let device = supposed(&kb, Some("Quectel"), None, "EC25-E");
        let thing = super::super::Thing::module(&kb, &device.modules[0]);
        assert_eq!((thing.maker.as_deref(), thing.confidence), (Some("quectel"), 950));
        assert_eq!(device.names, ["Quectel EC25-E"]);
        assert!(supposed(&kb, None, Some("Teltonika"), "RUT950").product.is_some());
    }

    #[test]
    fn what_turns_is_told_by_rule() {
        let judged = |passed: &[&str]| Judged {
            kind: "device",
            id: "d".into(),
            names: Vec::new(),
            state: Verdict::Pass,
            passed: passed.iter().map(|r| (*r).to_owned()).collect(),
            passes: Vec::new(),
            upcoming: Vec::new(),
            findings: Vec::new(),
        };
        let turned = turns(&judged(&["A", "B"]), &judged(&["B", "C"]));
        let said: Vec<_> = turned.iter().map(|t| (t.rule.as_str(), t.was, t.is)).collect();
        assert_eq!(said, [("A", Verdict::Pass, Verdict::NotApplicable), ("C", Verdict::NotApplicable, Verdict::Pass)]);
    }

    #[test]
    fn the_dates_of_packs_come_in_order() {
        let kb = Knowledge::embedded();
        let (text, _) = umbilical_knowledge::policy::shipped("us-dod-1260h").unwrap();
        let pack: Pack = umbilical_knowledge::policy::parse(&text).unwrap();
        let events = timeline(std::slice::from_ref(&pack), &kb, None);
        assert!(events.iter().any(|e| e.what.contains("Quectel")) && events.is_sorted_by(|a, b| a.on <= b.on));
        let (text, _) = umbilical_knowledge::policy::shipped("us-fcc-covered").unwrap();
        let pack: Pack = umbilical_knowledge::policy::parse(&text).unwrap();
        let named = timeline(&[pack], &kb, Some("huawei"));
        assert!(!named.is_empty() && named.iter().all(|e| e.rule.is_none() && e.what.contains("US-FCC-COVERED")), "{named:?}");
    }
}
