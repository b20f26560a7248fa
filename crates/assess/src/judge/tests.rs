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
        let unsaid = pack.rules.iter().filter(|r| r.when.is_some() && r.when_says.is_none());
        open.extend(unsaid.map(|r| format!("{} has a condition and no words for it (`when_says`)", r.id.get_ref())));
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

fn text(name: &str, text: &str) -> umbilical_knowledge::policy::PolicyText {
    umbilical_knowledge::policy::PolicyText { name: name.to_owned(), text: text.to_owned() }
}

/// A list has its history whatever the law that follows from it: an own rule, without a first day, asks it.
#[test]
fn a_list_is_read_as_of_the_day() {
    let rule = |list: &str, of: &str, covers: &str| {
        format!(
            "id = \"x\"\ntitle = \"x\"\njurisdiction = \"any\"\nversion = \"1\"\nsources_to = \"2026-08-20\"\nstanding = \"house\"\n\
             [[rule]]\nid = \"X\"\ntitle = \"x\"\ncite = \"x\"\nsource = \"x\"\nstatus = \"verified\"\neffect = \"buy\"\n\
             tier = [\"host\", \"{of}\"]\nbinds = \"us\"\nremedies = [\"none\"]\n\
             [[rule.subject]]\nof = \"{of}\"\nlisted = [\"{list}\"]\ncovers = [\"{covers}\"]\n"
        )
    };
    let case = |day: &str, who: &str, expect: &str, more: &str| {
        format!("[[case]]\nname = \"{day}\"\nrule = \"X\"\nas_of = \"{day}\"\n{who}\nexpect = \"{expect}\"\n{more}\n")
    };
    let kb = Knowledge::embedded();
    let holds = |pack: String, cases: String| {
        let ran = run_cases(&text("pack", &pack), &text("cases", &cases), &kb).unwrap_or_else(|e| panic!("{e}"));
        let wrong: Vec<_> = ran.iter().filter(|r| !r.is_right()).collect();
        assert!(!ran.is_empty() && wrong.is_empty(), "{wrong:#?}");
    };
    // Named on the Covered List on its first day.
    let me909 = "module = \"Huawei ME909s\"";
    holds(rule("US-FCC-COVERED", "module", "equipment"), case("2021-03-11", me909, "pass", "") + &case("2021-03-12", me909, "fail", ""));
    // An edition without them was withdrawn: they stayed on the list, and the reader is told of what nobody has verified.
    let note = "says = [\"withdrawn from public inspection\"]";
    for who in ["cxmt", "ymtc"] {
        let memory = format!("module = \"Sierra Wireless EM7455\"\nmemory = \"{who}\"");
        holds(rule("US-DOD-1260H", "memory", "entity"), case("2026-03-01", &memory, "review", note));
    }
    // A real gap: off the list for a year.
    let gap = "assume = [\"huawei delisted US-NDAA-889 2027-01-01\", \"huawei listed US-NDAA-889 2028-01-01\"]";
    let days = [("2018-08-12", "pass"), ("2018-08-13", "fail"), ("2026-12-31", "fail"), ("2027-01-01", "pass"), ("2028-01-01", "fail")];
    let cases = days.iter().map(|(day, expect)| case(day, me909, expect, gap)).collect();
    holds(rule("US-NDAA-889", "module", "equipment"), cases);
}
