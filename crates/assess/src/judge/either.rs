//! Days that nobody has said, where every day gives the same verdict.
//!
//! A law may reach old and new plants by two rules with one bound between them. Where nobody says when a plant went into
//! operation, each rule alone is `unknown`; once both are in force the answer is known all the same. Every day on both
//! sides of each bound is tried: between bounds nothing changes.

use umbilical_core::answer::policy::Verdict;
use umbilical_core::{Basis, Day};
use umbilical_knowledge::policy::{Conditions, Demand, Facts, Pack, Rule};

use super::rule::Outcome;
use super::truth::said;

/// The outcomes of one rule for facts.
pub(super) type Ask<'a> = &'a dyn Fn(usize, &Facts) -> Vec<Outcome>;

/// Puts a verdict in place of `unknown` where a day that nobody has said cannot change it.
pub(super) fn settle(outcomes: &mut Vec<Outcome>, pack: &Pack, facts: &Facts, ask: Ask<'_>) {
    let mut days: Vec<&'static str> = pack.rules.iter().flat_map(|r| bounds(&r.scope)).map(|(name, _)| name).collect();
    days.sort_unstable();
    days.dedup();
    for name in days.into_iter().filter(|name| facts.get(name).is_none()) {
        let worst = |index: usize| outcomes.iter().filter(|o| o.rule == index).map(|o| o.verdict).max();
        // Where something else is not known either, no day can decide.
        let alone = |index: usize| outcomes.iter().filter(|o| o.rule == index).flat_map(|o| &o.wanted).all(|w| w.contains(name));
        let asks = |(index, rule): &(usize, &Rule)| {
            worst(*index) == Some(Verdict::Unknown) && alone(*index) && bounds(&rule.scope).any(|(asked, _)| asked == name)
        };
        let open: Vec<(usize, &Rule)> = pack.rules.iter().enumerate().filter(asks).collect();
        if let Some((decides, made)) = same(name, &open, facts, ask) {
            let id = |index: usize| open.iter().find(|(i, _)| *i == index).map_or("", |(_, r)| r.id.get_ref().as_str());
            let beside = format!("whatever `{name}` is: {} decides", id(decides));
            for outcome in outcomes.iter_mut().filter(|o| open.iter().any(|(i, _)| *i == o.rule)) {
                outcome.verdict = Verdict::NotApplicable;
                outcome.because = vec![said(Basis::Inferred, beside.clone())];
                outcome.wanted.clear();
            }
            let at = outcomes.iter().position(|o| o.rule == decides).unwrap_or(outcomes.len());
            outcomes.retain(|o| o.rule != decides);
            outcomes.splice(at..at, made);
        }
    }
}

/// Whether a pack has rules that are bound by days of the case.
pub(super) fn speaks_of_days(pack: &Pack) -> bool {
    pack.rules.iter().any(|r| bounds(&r.scope).next().is_some())
}

/// The rule that decides whatever a day is, with its outcomes; `None` where the day matters.
fn same(name: &'static str, open: &[(usize, &Rule)], facts: &Facts, ask: Ask<'_>) -> Option<(usize, Vec<Outcome>)> {
    let asked = open.iter().flat_map(|(_, r)| std::iter::once(&r.scope).chain(r.exceptions.iter().map(|e| &e.when)));
    let at: Vec<Day> = asked.flat_map(bounds).filter(|(asked, _)| *asked == name).map(|(_, day)| day).collect();
    let tried = at.iter().flat_map(|day| [day.plus_days(-1), Some(*day), day.plus_days(1)]).flatten();
    let mut found: Vec<Vec<Outcome>> = Vec::new();
    for day in tried {
        let mut facts = facts.clone();
        facts.say(name, &day.to_string()).ok()?;
        let caught = open.iter().flat_map(|(index, _)| ask(*index, &facts)).filter(|o| o.verdict > Verdict::Pass);
        let caught: Vec<Outcome> = caught.collect();
        let key = |list: &[Outcome]| list.iter().map(|o| (o.thing.clone(), o.verdict)).collect::<Vec<_>>();
        let differs = found.first().is_some_and(|first| key(first) != key(&caught));
        if differs || caught.is_empty() || caught.iter().any(|o| o.verdict == Verdict::Unknown) {
            return None;
        }
        found.push(caught);
    }
    let mut rules: Vec<usize> = found.iter().flatten().map(|o| o.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    let decides = *rules.first()?;
    let mut made = found.into_iter().find(|list| list.iter().all(|o| o.rule == decides))?;
    let ids: Vec<&str> = open.iter().filter(|(i, _)| rules.contains(i)).map(|(_, r)| r.id.get_ref().as_str()).collect();
    let words = format!("{}:", name.replace('_', " "));
    for outcome in &mut made {
        // Nobody has said that day: it was only tried.
        outcome.because.retain(|s| !s.what.starts_with(&words));
        let what = format!("whatever `{name}` is, the verdict is `{}`: {}", outcome.verdict.name(), ids.join(" or "));
        outcome.because.insert(0, said(Basis::Inferred, what));
    }
    Some((decides, made))
}

/// The days that conditions compare with.
fn bounds(conditions: &Conditions) -> impl Iterator<Item = (&'static str, Day)> {
    conditions.0.iter().filter_map(|(name, demand)| if let Demand::Day(_, day) = demand { Some((*name, *day)) } else { None })
}
