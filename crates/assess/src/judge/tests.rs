//! Every shipped pack: its cases come out as they must.

use umbilical_knowledge::Knowledge;
use umbilical_knowledge::policy::{Case, Cases, Date, Pack, parse, shipped, shipped_ids};

use super::run_cases;

#[test]
fn the_cases_of_every_shipped_pack_come_out_as_they_must() {
    let kb = Knowledge::embedded();
    let mut wrong = Vec::new();
    for id in shipped_ids() {
        let (pack, cases) = shipped(id).unwrap();
        for ran in run_cases(&pack, &cases, &kb).unwrap_or_else(|e| panic!("{e}")) {
            if !ran.is_right() {
                wrong.push(format!(
                    "{}:{} {} ({}): {:?} expected, {:?} came out; unsaid {:?}\n    {}",
                    cases.name,
                    ran.line,
                    ran.rule,
                    ran.name,
                    ran.expected,
                    ran.got,
                    ran.unsaid,
                    ran.because.join("\n    ")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What the cases of a pack leave unshown: for each rule a hit and a miss, both sides of its first and last day, each
/// exception, and both sides of each condition of its scope.
fn unshown(pack: &Pack, cases: &[Case]) -> Vec<String> {
    let mut out = Vec::new();
    for rule in &pack.rules {
        let id = rule.id.get_ref();
        let own: Vec<&Case> = cases.iter().filter(|c| c.rule.get_ref() == id).collect();
        let expects = |words: &[&str]| own.iter().any(|c| words.contains(&c.expect.get_ref().as_str()));
        let mut lacks = |what: String| out.push(format!("{id}: no case {what}"));
        if !expects(&["fail", "review", "unknown"]) {
            lacks("that it catches".to_owned());
        }
        if !expects(&["pass", "not-applicable"]) {
            lacks("that it lets go".to_owned());
        }
        for (word, bound) in [("first", rule.from), ("last", rule.to)] {
            let Some(day) = bound.and_then(Date::day) else { continue };
            if !own.iter().any(|c| c.as_of.day() == Some(day)) {
                lacks(format!("on {day}, its {word} day"));
            }
            if !own.iter().any(|c| c.as_of.day().is_some_and(|d| day.days_since(d) == 1)) {
                lacks(format!("on the day before {day}"));
            }
        }
        for exception in &rule.exceptions {
            let shown = |c: &&&Case| {
                c.expect.get_ref() == "pass" && exception.when.0.iter().all(|(n, d)| c.facts.get(n).is_some_and(|v| d.fits(v)))
            };
            if !own.iter().any(|c| shown(&c)) {
                lacks(format!("of the exception: {}", exception.what));
            }
        }
        for (name, demand) in &rule.scope.0 {
            let fits = |wanted: bool| own.iter().any(|c| c.facts.get(name).is_some_and(|v| demand.fits(v) == wanted));
            if !fits(true) || !fits(false) {
                lacks(format!("on both sides of `{name}: {demand}`"));
            }
        }
    }
    out
}

#[test]
fn every_clause_has_its_cases_and_every_fact_its_source() {
    let mut open = Vec::new();
    for id in shipped_ids() {
        let (text, cases) = shipped(id).unwrap();
        let (pack, cases): (Pack, Cases) = (parse(&text).unwrap(), parse(&cases).unwrap());
        assert_eq!(pack.id.get_ref(), id, "the folder is called like the pack");
        open.extend(unshown(&pack, &cases.cases));
        let sources = pack.rules.iter().map(|r| (&r.source, r.id.get_ref())).chain(pack.events.iter().map(|e| (&e.source, &e.what)));
        open.extend(sources.filter(|(s, _)| s.trim().is_empty()).map(|(_, what)| format!("{id}: {what} has no source")));
        open.extend(pack.rules.iter().filter(|r| r.cite.trim().is_empty()).map(|r| format!("{} cites nothing", r.id.get_ref())));
    }
    assert!(open.is_empty(), "{}", open.join("\n"));
}

#[test]
fn a_clause_without_a_case_is_noticed() {
    let (text, _) = shipped("us-fcc-covered").unwrap();
    let pack: Pack = parse(&text).unwrap();
    assert!(unshown(&pack, &[]).len() > pack.rules.len());
}
