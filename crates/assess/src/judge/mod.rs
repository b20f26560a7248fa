//! Judging: packs of rules over devices and bills of materials, as of a day.
//!
//! A rule is asked in this order: does it bind (or is it a proposal), is it about this tier and effect, does its scope
//! reach the market, the deal and the asset, does its subject test fit the module's origin *on that day*, has the text a
//! hole, is every fact that decides verified. Each answer carries its reasons; what is not known makes the verdict
//! `unknown` and says what to collect.
//!
//! *When it is wrong:* shares of several owners are never added up; a scope word that a statute defines in a way no
//! fact holds is left to a person (`unsettled`); a pass speaks of the sources seen, not of the law as it stands today.

pub mod bids;
mod cases;
mod condition;
mod either;
mod findings;
mod item;
mod kinds;
mod memo;
mod origin;
pub mod risk;
mod rule;
mod scope;
pub mod seen;
#[cfg(test)]
mod tests;
pub mod told;
mod truth;
mod waivers;

use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

use sha2::{Digest as _, Sha256};
use umbilical_core::Day;
use umbilical_core::answer::policy::{PackStamp, Verdict};
use umbilical_knowledge::policy::{
    Assumption, Change, Conditions, Facts, Pack, PolicyError, PolicyText, Rule, Spanned, Subject, Tier, Vocabulary, parse,
};
use umbilical_knowledge::{Knowledge, Word as _};

pub use cases::{Ran, run_cases};
pub use findings::{finding, reasons};
pub use item::{Item, Thing};
pub use memo::Outcomes;
pub use rule::{Later, Outcome};
pub use scope::lies_inside;
pub use waivers::{Meeting, waive};

use crate::owners::Owners;
use condition::Condition;
use memo::Memo;
use rule::Bench;

/// A pack, its conditions compiled.
pub struct Compiled {
    /// The pack.
    pub pack: Pack,
    /// Digest of its text.
    pub sha256: String,
    /// Asked for by name: judged as if it bound whoever asks.
    pub bound: bool,
    conditions: Vec<Option<Condition>>,
}

impl Compiled {
    /// The facts that its rules can ask for, each once.
    fn reads(&self) -> Vec<&'static str> {
        let mut out: Vec<&'static str> = (0..self.pack.rules.len()).flat_map(|rule| self.reads_of(rule)).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The facts that one rule can ask for.
    fn reads_of(&self, index: usize) -> Vec<&'static str> {
        let pack = &self.pack;
        let mut out =
            vec!["market", "item", "effect", "evidence", "produced_in", "path_country", "path_operator", "seller", "conditional_approval"];
        if !pack.zones.is_empty() {
            out.extend(["lat", "lon", "zone"]);
        }
        let mut asked = |conditions: &Conditions| out.extend(conditions.0.iter().map(|(name, _)| *name));
        if let Some(rule) = pack.rules.get(index) {
            asked(&rule.scope);
            rule.exceptions.iter().for_each(|e| asked(&e.when));
            rule.unsettled.iter().for_each(|u| asked(&u.when));
        }
        pack.exemptions.iter().for_each(|e| asked(&e.when));
        out.extend(self.conditions.get(index).into_iter().flatten().flat_map(Condition::reads));
        out.sort_unstable();
        out.dedup();
        out
    }
}

/// Reads a pack and compiles its conditions; every name in it is checked against the tables.
///
/// # Errors
/// The first mistake, located in the text.
pub fn compile(text: &PolicyText, kb: &Knowledge, bound: bool) -> Result<Compiled, PolicyError> {
    let mut pack: Pack = parse(text)?;
    let mut words = Vocabulary::new(kb);
    words.learn(&pack).and_then(|()| pack.settle(&words)).map_err(|f| text.fault(f))?;
    words.jurisdiction(pack.jurisdiction.get_ref()).map_err(|e| PolicyError::at(text, pack.jurisdiction.span(), e))?;
    check(text, &pack, kb)?;
    let mut conditions = Vec::with_capacity(pack.rules.len());
    for rule in &pack.rules {
        conditions.push(match &rule.when {
            Some(when) => Some(
                Condition::new(when.get_ref(), rule.when_says.as_deref())
                    .map_err(|(at, what)| PolicyError::at(text, inside(text, when, at), what))?,
            ),
            None => None,
        });
    }
    let sha256 = Sha256::digest(text.text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    Ok(Compiled { pack, sha256, bound, conditions })
}

/// What the grammar cannot tell: references to tables and sets, ids that stand twice.
fn check(text: &PolicyText, pack: &Pack, kb: &Knowledge) -> Result<(), PolicyError> {
    if let Some(word) = pack.sets.values().flatten().find(|c| !country(c.get_ref(), kb) && kb.org(c.get_ref()).is_none()) {
        let what = format!("`{}` is no country (ISO 3166, two capitals), and no organisation of organisations.csv", word.get_ref());
        return Err(PolicyError::at(text, word.span(), what));
    }
    let mut seen: Vec<&str> = Vec::new();
    for rule in &pack.rules {
        let fault = |what: String| Err(PolicyError::at(text, rule.id.span(), what));
        if seen.contains(&rule.id.get_ref().as_str()) {
            return fault(format!("the rule `{}` stands twice", rule.id.get_ref()));
        }
        if rule.tier.is_empty() || rule.remedies.is_empty() {
            return fault("a rule says its tiers and at least one remedy, or `none`".to_owned());
        }
        if rule.surcharge_percent.is_some_and(|p| !p.is_finite() || p < 0.0) {
            return fault("`surcharge_percent` is 0 or more".to_owned());
        }
        seen.push(rule.id.get_ref());
        let on_path = |s: &&Subject| s.of == Some(Tier::Path) || (s.of.is_none() && rule.tier.first() == Some(&Tier::Path));
        if let Some(word) = rule.subjects.iter().filter(on_path).flat_map(|s| s.outside.iter().chain(&s.unless)).next() {
            let what = "a path is asked for its `jurisdiction`; `outside` and `unless` are about makers";
            return Err(PolicyError::at(text, word.span(), what));
        }
        if let Some((word, what)) = rule.subjects.iter().find_map(|s| unknown(s, pack, kb)) {
            return Err(PolicyError::at(text, word.span(), format!("`{}` {what}", word.get_ref())));
        }
    }
    match pack.exemptions.iter().flat_map(|e| &e.rules).find(|r| !seen.contains(&r.get_ref().as_str())) {
        Some(rule) => Err(PolicyError::at(text, rule.span(), format!("`{}` is no rule of this pack", rule.get_ref()))),
        None => Ok(()),
    }
}

/// Words of a subject test that name nothing.
fn unknown<'s>(subject: &'s Subject, pack: &Pack, kb: &Knowledge) -> Option<(&'s Spanned<String>, &'static str)> {
    let place = |word: &str| match word.strip_prefix('@') {
        Some(set) => pack.sets.get(set).is_some_and(|all| all.iter().all(|c| country(c.get_ref(), kb))),
        None => country(word, kb),
    };
    let regime = subject.listed.iter().find(|r| kb.regime(r.get_ref()).is_none());
    let org = subject.organisations.iter().find(|o| kb.org(o.get_ref()).is_none());
    let countries = subject.jurisdiction.iter().chain(&subject.produced_outside).chain(&subject.maker_outside).chain(&subject.outside);
    let country = countries.into_iter().find(|c| !place(c.get_ref()));
    let known = |word: &str| match word.strip_prefix('@') {
        Some(set) => pack.sets.get(set).is_some_and(|all| all.iter().all(|o| kb.org(o.get_ref()).is_some())),
        None => kb.org(word).is_some(),
    };
    let unless = subject.unless.iter().find(|o| !known(o.get_ref()));
    regime
        .map(|r| (r, "is no regime of regimes.csv"))
        .or(org.map(|o| (o, "is no organisation of organisations.csv")))
        .or(unless.map(|o| (o, "is neither an organisation of organisations.csv nor a set of them (`@name`)")))
        .or(country.map(|c| (c, "is neither a country (ISO 3166, two capitals) nor a set of countries of this pack (`@name`)")))
}

/// Where a part of a string stands in the file; the whole string where it is written with escapes.
fn inside(text: &PolicyText, string: &Spanned<String>, part: Range<usize>) -> Range<usize> {
    let written = text.text.get(string.span()).unwrap_or_default();
    match written.find(string.get_ref().as_str()) {
        Some(at) => {
            let start = string.span().start.saturating_add(at);
            start.saturating_add(part.start)..start.saturating_add(part.end)
        }
        None => string.span(),
    }
}

/// Whether a word is the code of a country as the tables have it.
fn country(word: &str, kb: &Knowledge) -> bool {
    kb.countries().iter().any(|c| *c.code == *word)
}

/// Everything the verdicts depend on.
pub struct Judge<'k> {
    kb: &'k Knowledge,
    packs: Vec<Compiled>,
    as_of: Day,
    in_force: Vec<(String, Day)>,
    owners: Owners<'k>,
    /// Owners and lists on the first days of rules that are not yet in force.
    later: Vec<(Day, Owners<'k>)>,
    /// The facts that each pack reads.
    reads: Vec<Vec<&'static str>>,
    /// The facts that each rule of each pack reads.
    rule_reads: Vec<Vec<Vec<&'static str>>>,
    memo: Memo,
}

impl<'k> Judge<'k> {
    /// Packs over knowledge on a day. `assumed` must already be in the knowledge ([`Knowledge::assume`]); here it puts
    /// proposals in force.
    pub fn new(kb: &'k Knowledge, packs: Vec<Compiled>, as_of: Day, assumed: &[Assumption]) -> Self {
        let in_force: Vec<(String, Day)> =
            assumed.iter().filter(|a| a.change == Change::InForce).map(|a| (a.who.clone(), a.from)).collect();
        let firsts = packs.iter().flat_map(|c| &c.pack.rules).filter_map(|r| r.from).map(|d| d.0.latest());
        let firsts: BTreeSet<Day> = firsts.chain(in_force.iter().map(|(_, day)| *day)).filter(|day| *day > as_of).collect();
        let later = firsts.into_iter().map(|day| (day, Owners::new(kb, day))).collect();
        let reads = packs.iter().map(Compiled::reads).collect();
        let rule_reads = packs.iter().map(|c| (0..c.pack.rules.len()).map(|rule| c.reads_of(rule)).collect()).collect();
        let memo = Memo::new(packs.len());
        Self { kb, packs, as_of, in_force, owners: Owners::new(kb, as_of), later, reads, rule_reads, memo }
    }

    /// The packs.
    pub fn packs(&self) -> &[Compiled] {
        &self.packs
    }

    /// The day.
    pub fn as_of(&self) -> Day {
        self.as_of
    }

    /// The rule and pack of an outcome.
    pub fn rule(&self, outcome: &Outcome) -> Option<(&Pack, &Rule)> {
        let pack = &self.packs.get(outcome.pack)?.pack;
        Some((pack, pack.rules.get(outcome.rule)?))
    }

    /// The ids of all rules, in the order of the packs.
    pub fn rule_ids(&self) -> Vec<String> {
        self.packs.iter().flat_map(|c| &c.pack.rules).map(|r| r.id.get_ref().clone()).collect()
    }

    /// Title and clause of a rule; of another finding what its code means.
    pub fn title(&self, id: &str) -> (String, String) {
        let rule = self.packs.iter().flat_map(|c| &c.pack.rules).find(|r| r.id.get_ref() == id);
        let code = || umbilical_core::finding::CODES.iter().find(|c| c.0 == id).map_or("", |c| c.1);
        rule.map_or_else(|| (code().to_owned(), String::new()), |r| (r.title.clone(), r.cite.clone()))
    }

    /// What is stamped on answers.
    pub fn stamps(&self) -> Vec<PackStamp> {
        let stamp = |c: &Compiled| PackStamp {
            id: c.pack.id.get_ref().clone(),
            title: c.pack.title.clone(),
            jurisdiction: c.pack.jurisdiction.get_ref().clone(),
            version: c.pack.version.clone(),
            sources_to: c.pack.sources_to.to_string(),
            standing: c.pack.standing.name().to_owned(),
            sha256: c.sha256.clone(),
        };
        self.packs.iter().map(stamp).collect()
    }

    /// Every rule's outcome for an item, in the order of the packs.
    pub fn outcomes(&self, item: &Item) -> Outcomes {
        self.memo.outcomes(item, &self.reads, &|number, item, bare| self.pack(number, item, bare))
    }

    /// The outcomes of one pack. `bare` has those of the same item without any fact, which stand for every rule that reads
    /// none of the facts that are known.
    fn pack(&self, number: usize, item: &Item, bare: Option<&memo::OfPack>) -> memo::OfPack {
        let Some(compiled) = self.packs.get(number) else { return Rc::new([]) };
        let bench = Bench { kb: self.kb, owners: &self.owners, as_of: self.as_of, in_force: &self.in_force, later: &self.later };
        let known = &item.facts;
        let mut facts = compiled.pack.facts.clone();
        facts.overlay(known);
        let item = Item { facts: Rc::new(facts), ..item.clone() };
        let rules = compiled.pack.rules.iter().enumerate();
        let done = |outcome: Outcome| Rc::new(Outcome { pack: number, ..self.fresh(&compiled.pack, outcome) });
        // Where rules speak of days that nobody has said, they are looked at together.
        if let Some(bare) = bare.filter(|_| !either::speaks_of_days(&compiled.pack)) {
            let reads = self.rule_reads.get(number).map(Vec::as_slice).unwrap_or_default();
            let mut out = Vec::with_capacity(bare.len());
            for (index, rule) in rules {
                let asked = reads.get(index).is_none_or(|reads| reads.iter().any(|name| known.get(name).is_some()));
                if asked {
                    out.extend(bench.outcomes(compiled, index, rule, &item).into_iter().map(done));
                } else {
                    out.extend(bare.iter().filter(|o| o.rule == index).cloned());
                }
            }
            return out.into();
        }
        let mut outcomes: Vec<Outcome> = rules.flat_map(|(index, rule)| bench.outcomes(compiled, index, rule, &item)).collect();
        let again = |index: usize, facts: &Facts| {
            let item = Item { facts: Rc::new(facts.clone()), ..item.clone() };
            compiled.pack.rules.get(index).map(|rule| bench.outcomes(compiled, index, rule, &item)).unwrap_or_default()
        };
        either::settle(&mut outcomes, &compiled.pack, &item.facts, &again);
        outcomes.into_iter().map(done).collect()
    }

    /// A pack may refuse to pass anything on sources that are too old.
    fn fresh(&self, pack: &Pack, mut outcome: Outcome) -> Outcome {
        let (Some(most), Some(seen)) = (pack.stale_after_days, pack.sources_to.day()) else { return outcome };
        let age = self.as_of.days_since(seen);
        if outcome.verdict == Verdict::Pass && age > i64::from(most) {
            outcome.verdict = Verdict::Unknown;
            outcome
                .wanted
                .push(format!("sources newer than {}: this policy passes nothing on sources older than {most} days", pack.sources_to));
        }
        outcome
    }
}
