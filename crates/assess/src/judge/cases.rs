//! The cases of a pack, run.

use std::rc::Rc;

use umbilical_core::Basis;
use umbilical_core::answer::Cellular;
use umbilical_core::answer::policy::Verdict;
use umbilical_knowledge::Knowledge;
use umbilical_knowledge::policy::{Assumption, Case, Cases, Pack, PolicyError, PolicyText, Vocabulary, parse};

use super::item::{Item, Thing, chip_org, thousandths};
use super::{Judge, Outcome, compile};

/// One case that was run.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its name.
    pub name: String,
    /// Its rule.
    pub rule: String,
    /// What must come out.
    pub expected: Verdict,
    /// What came out.
    pub got: Verdict,
    /// Words that the reasons lack.
    pub unsaid: Vec<String>,
    /// The reasons.
    pub because: Vec<String>,
    /// Where the case stands.
    pub line: usize,
}

impl Ran {
    /// Whether the case came out as it must.
    pub fn is_right(&self) -> bool {
        self.expected == self.got && self.unsaid.is_empty()
    }
}

/// Runs the cases of a pack.
///
/// # Errors
/// A mistake in the pack or the cases, located.
pub fn run_cases(pack: &PolicyText, cases: &PolicyText, kb: &Knowledge) -> Result<Vec<Ran>, PolicyError> {
    let mut all: Cases = parse(cases)?;
    let mut words = Vocabulary::new(kb);
    words.learn(&parse::<Pack>(pack)?).map_err(|f| pack.fault(f))?;
    for case in &mut all.cases {
        case.facts = words.facts(&case.facts).map_err(|f| cases.fault(f))?;
    }
    let mut days: Vec<Judge> = Vec::new();
    let mut out = Vec::new();
    for case in &all.cases {
        out.push(run(pack, cases, case, kb, &mut days)?);
    }
    Ok(out)
}

/// `days`: judges of cases that assume nothing, one for each day: reading the pack again for each case is slow.
fn run<'k>(pack: &PolicyText, text: &PolicyText, case: &Case, plain: &'k Knowledge, days: &mut Vec<Judge<'k>>) -> Result<Ran, PolicyError> {
    let fault = |span: std::ops::Range<usize>, what: String| PolicyError::at(text, span, what);
    let expected = Verdict::of(case.expect.get_ref())
        .ok_or_else(|| fault(case.expect.span(), "expect pass, fail, review, unknown or not-applicable".to_owned()))?;
    let day = case.as_of.day().ok_or_else(|| fault(case.name.span(), "the case needs a day: YYYY-MM-DD".to_owned()))?;
    let assumed: Vec<Assumption> =
        case.assume.iter().map(|a| a.parse()).collect::<Result<_, String>>().map_err(|e| fault(case.name.span(), e))?;
    let with;
    let own;
    let judge = if assumed.is_empty() {
        if !days.iter().any(|j| j.as_of() == day) {
            days.push(Judge::new(plain, vec![compile(pack, plain, false)?], day, &[]));
        }
        days.iter().find(|j| j.as_of() == day)
    } else {
        with = Knowledge::embedded().assume(&assumed).map_err(|e| fault(case.name.span(), e))?;
        own = Judge::new(&with, vec![compile(pack, &with, false)?], day, &assumed);
        Some(&own)
    };
    let Some(judge) = judge else { return Err(fault(case.name.span(), "no judge for this day".to_owned())) };
    let kb = judge.kb;
    let rules = judge.packs().first().map_or(&[][..], |c| c.pack.rules.as_slice());
    let known = rules.iter().position(|r| r.id.get_ref() == case.rule.get_ref());
    let index = known.ok_or_else(|| fault(case.rule.span(), format!("`{}` is no rule of this pack", case.rule.get_ref())))?;
    let things = thing(kb, case).map_err(|e| fault(case.name.span(), e))?;
    let host = org(kb, &case.host).map_err(|e| fault(case.name.span(), e))?;
    let item = Item {
        cellular: if things.is_empty() { Cellular::Unknown } else { Cellular::Yes },
        things: things.into(),
        host,
        facts: Rc::new(case.facts.clone()),
    };
    let outcomes = judge.outcomes(&item);
    let own = || outcomes.iter().filter(|o| o.rule == index);
    let got = own().map(|o| o.verdict).max().unwrap_or(Verdict::NotApplicable);
    let says =
        |o: &Outcome| o.because.iter().map(|s| s.what.clone()).chain(o.points.iter().cloned()).chain(o.wanted.iter().cloned()).collect();
    let because: Vec<String> = own().flat_map(|o| -> Vec<String> { says(o) }).collect();
    let unsaid = case.says.iter().filter(|w| !because.iter().any(|b| b.contains(&***w))).cloned().collect();
    Ok(Ran {
        name: case.name.get_ref().clone(),
        rule: case.rule.get_ref().clone(),
        expected,
        got,
        unsaid,
        because,
        line: PolicyError::at(text, case.name.span(), "").line,
    })
}

/// The thing of a case: a module of the catalogue, or a maker.
fn thing(kb: &Knowledge, case: &Case) -> Result<Vec<Thing>, String> {
    let mut maker = org(kb, &case.maker)?;
    if let (Some(tier), Some(maker)) = (case.part, &maker) {
        let name = kb.org(maker).map_or_else(|| maker.clone(), |o| o.name.to_string());
        return Ok(vec![Thing::good(tier, maker.clone(), name)]);
    }
    let (chip, memory, brand) = (org(kb, &case.chip)?, org(kb, &case.memory)?, org(kb, &case.brand)?);
    let mut thing = Thing {
        label: case.module.clone().or_else(|| maker.clone()).unwrap_or_default(),
        maker: None,
        maker_name: maker.clone(),
        brand,
        chip,
        memory,
        firmware_signer: case.firmware_signer.clone(),
        confidence: thousandths(case.confidence),
        basis: Basis::Observed,
        next: None,
        is_product: case.product,
        part: None,
    };
    if let Some(name) = &case.module {
        let hit = kb.models_in(name).into_iter().find(|h| name.starts_with(&*h.module.maker)).map(|h| h.module);
        let module = hit.ok_or_else(|| format!("`{name}` is no module of modules.csv: write maker and model"))?;
        maker = maker.or_else(|| kb.org_of_brand(&module.maker).map(|o| o.id.to_string()));
        thing.maker_name = Some(module.maker.to_string());
        thing.chip = thing.chip.or_else(|| module.chipset.as_deref().and_then(|c| chip_org(kb, c)));
    }
    thing.maker = maker;
    Ok(if thing.label.is_empty() { Vec::new() } else { vec![thing] })
}

fn org(kb: &Knowledge, id: &Option<String>) -> Result<Option<String>, String> {
    match id {
        Some(id) if kb.org(id).is_none() => Err(format!("`{id}` is no organisation of organisations.csv")),
        id => Ok(id.clone()),
    }
}
