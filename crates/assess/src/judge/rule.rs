//! One rule and one thing: the verdict, what it stands on, what would change it.
//!
//! | the rule's scope | its subject | verdict |
//! |---|---|---|
//! | not in force on the day | – | not applicable, with what it would say on its first day |
//! | no | – | not applicable |
//! | – | no | pass |
//! | yes | yes, nothing open | fail |
//! | yes | yes, with a hole in the text or an unverified fact | review |
//! | otherwise | | unknown |

use umbilical_core::answer::Cellular;
use umbilical_core::answer::policy::{Statement, Verdict};
use umbilical_core::date::{Holds, Loose, holds};
use umbilical_core::{Basis, Day};
use umbilical_knowledge::Word as _;
use umbilical_knowledge::policy::{Demand, Effect, Facts, Pack, Rule, Standing, Tier, Value};

use super::item::{Item, PROBABLE, Thing};
use super::origin::{Asked, whose};
use super::truth::{Hit, Truth, said};
use super::{Compiled, condition, scope};
use crate::owners::Owners;

/// What one rule comes to for one item.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which pack of the judge.
    pub pack: usize,
    /// Which of its rules.
    pub rule: usize,
    /// The verdict.
    pub verdict: Verdict,
    /// Which thing decided: its label.
    pub thing: Option<String>,
    /// How sure the thing is, in thousandths.
    pub confidence: u16,
    /// What it stands on.
    pub because: Vec<Statement>,
    /// Points left to a person.
    pub points: Vec<String>,
    /// What would have to be known.
    pub wanted: Vec<String>,
    /// What would change the verdict.
    pub changes: Vec<String>,
    /// Where it is not yet in force: since when it will be, and what it would say then.
    pub later: Option<Later>,
}

/// A rule that is not yet in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// Its first day, as the pack has it.
    pub from: Loose,
    /// What it would say on that day, on what is known now.
    pub would: Verdict,
}

/// What evaluation needs beside the rule.
pub(super) struct Bench<'a> {
    pub kb: &'a umbilical_knowledge::Knowledge,
    pub owners: &'a Owners<'a>,
    pub as_of: Day,
    /// Rules and packs that are assumed to be in force, from when.
    pub in_force: &'a [(String, Day)],
    /// Owners and lists on the first days that are to come.
    pub later: &'a [(Day, Owners<'a>)],
}

impl Bench<'_> {
    /// What one rule comes to for an item: an outcome for each thing that does not pass, one where all do, never none.
    pub fn outcomes(&self, compiled: &Compiled, index: usize, rule: &Rule, item: &Item) -> Vec<Outcome> {
        let pack = &compiled.pack;
        let place = scope::worked_out(&pack.zones, &item.facts, self.as_of);
        let facts = place.as_ref().unwrap_or(&item.facts);
        let blank = |because: Vec<Statement>, later| Outcome {
            pack: 0,
            rule: index,
            verdict: Verdict::NotApplicable,
            thing: None,
            confidence: 1000,
            because,
            points: Vec::new(),
            wanted: Vec::new(),
            changes: Vec::new(),
            later,
        };
        if let Some(why) = self.out_of_reach(pack, rule, facts, item) {
            return vec![blank(vec![why], None)];
        }
        let reach = self.reach(compiled, index, rule, facts, item);
        if reach.hit == Hit::No {
            return vec![blank(reach.because, None)];
        }
        // Time: before the first day and from the last there is nothing to break, and nothing to keep.
        let from = self.assumed_from(pack, rule).map(Loose::Day).or(rule.from.map(|d| d.0));
        let time = holds(self.as_of, from, rule.to.map(|d| d.0));
        let asked = Case { pack, rule, facts, item, reach: &reach, time };
        if time != Holds::No {
            return self.things(&asked, index);
        }
        let day = self.as_of;
        match (rule.to.filter(|to| day >= to.0.latest()), from) {
            (None, Some(from)) => {
                let first = from.latest();
                let owners = self.later.iter().find(|(day, _)| *day == first).map_or(self.owners, |(_, owners)| owners);
                let then = Bench { owners, as_of: first, ..*self };
                let outcomes = then.things(&Case { time: Holds::Yes, ..asked }, index);
                let would = outcomes.iter().map(|o| o.verdict).max().unwrap_or(Verdict::Unknown);
                let why = said(Basis::Inferred, format!("not in force until {from}: nothing of it binds on {day}"));
                vec![blank(vec![why], Some(Later { from, would }))]
            }
            (Some(to), _) => vec![blank(vec![said(Basis::Inferred, format!("ended on {to}: nothing of it binds on {day}"))], None)],
            (None, None) => vec![blank(vec![said(Basis::Inferred, format!("not in force on {day}"))], None)],
        }
    }

    /// The rule over every thing that it is about.
    fn things(&self, case: &Case<'_>, index: usize) -> Vec<Outcome> {
        let nothing = Thing::nobody();
        let mut things: Vec<&Thing> =
            if of_each(case.rule) { case.item.things.iter().filter(|t| is_about(case.rule, case.facts, t)).collect() } else { Vec::new() };
        // Goods beside a module do not answer for the one that nobody has identified.
        let beside_only = things.iter().all(|t| t.part.is_some()) && case.item.cellular != Cellular::No;
        if things.is_empty() || beside_only {
            things.push(&nothing);
        }
        let mut out: Vec<Outcome> = Vec::new();
        for outcome in things.into_iter().map(|t| Outcome { rule: index, ..self.judge(case, t) }) {
            // Things that people call alike are one finding: the worst.
            match out.iter_mut().find(|o| o.thing == outcome.thing) {
                Some(same) if same.verdict < outcome.verdict => *same = outcome,
                Some(_) => {}
                None => out.push(outcome),
            }
        }
        let worst = out.iter().map(|o| o.verdict).max().unwrap_or(Verdict::NotApplicable);
        if worst > Verdict::Pass {
            out.retain(|o| o.verdict > Verdict::Pass);
            return out;
        }
        // A thing of which the rule is not asked stands beside one that passes.
        out.retain(|o| o.verdict == worst);
        out.into_iter().reduce(Outcome::beside).into_iter().collect()
    }

    /// What can be told without looking at the subject: proposals, tiers, effects that are not asked for.
    fn out_of_reach(&self, pack: &Pack, rule: &Rule, facts: &Facts, item: &Item) -> Option<Statement> {
        let no = |what: String| Some(said(Basis::Inferred, what));
        let standing = rule.standing.unwrap_or(pack.standing);
        if standing == Standing::Proposed && self.assumed_from(pack, rule).is_none() {
            return no(format!("{} is a proposal: it binds nobody (what-if: --assume \"{} in-force DAY\")", rule.cite, rule.id.get_ref()));
        }
        let wanted = match facts.get("effect") {
            Some(Value::Words(words)) => rule.effect.iter().any(|e| words.iter().any(|w| w == e.name())),
            // Supplying to somebody is another question than buying from them.
            _ => rule.effect.iter().any(|e| e != Effect::Export),
        };
        if !wanted {
            return no(format!("this rule is about `{}`", rule.effect.iter().map(Effect::name).collect::<Vec<_>>().join("`, `")));
        }
        let judged = match facts.get("item") {
            Some(Value::Words(words)) => words.first().map_or("host", String::as_str),
            _ => "host",
        };
        // Chips, memory and remote paths are inside whatever is judged.
        let inside = rule.tier.iter().any(|t| matches!(t, Tier::Chip | Tier::Memory | Tier::Path));
        if !inside && !rule.tier.iter().any(|t| t.name() == judged) {
            return no(format!("this rule is about a {}, and a {judged} is judged", names(&rule.tier)));
        }
        let of_device =
            rule.subjects.iter().any(|s| !s.produced_outside.is_empty() || matches!(s.of, Some(Tier::Host | Tier::Path | Tier::Seller)));
        let beside = || item.things.iter().any(|t| t.part.is_some() && is_about(rule, facts, t));
        if item.cellular == Cellular::No && !rule.subjects.is_empty() && !of_device && !beside() {
            return no("nothing cellular is in it".to_owned());
        }
        None
    }

    fn assumed_from(&self, pack: &Pack, rule: &Rule) -> Option<Day> {
        let named = |id: &str| id == rule.id.get_ref() || id == pack.id.get_ref();
        self.in_force.iter().filter(|(id, _)| named(id)).map(|(_, day)| *day).min()
    }

    /// Market, facts, the operator's condition.
    fn reach(&self, compiled: &Compiled, index: usize, rule: &Rule, facts: &Facts, item: &Item) -> Truth {
        let bound = compiled.bound;
        let market = scope::market(&compiled.pack, facts, bound);
        let mut out = market.and(scope::all(&rule.scope, facts, bound));
        if let Some(program) = compiled.conditions.get(index).and_then(Option::as_ref)
            && out.hit != Hit::No
        {
            out = out.and(condition::holds(program, facts, item, self.as_of));
        }
        out
    }

    fn judge(&self, case: &Case<'_>, thing: &Thing) -> Outcome {
        let &Case { pack, rule, facts, item, reach, time } = case;
        let out = |verdict, truth: Truth, changes: Vec<String>| Outcome {
            pack: 0,
            rule: 0,
            verdict,
            thing: (!thing.label.is_empty()).then(|| thing.label.clone()),
            confidence: thing.confidence,
            because: truth.because,
            points: truth.points,
            wanted: truth.wanted,
            changes,
            later: None,
        };
        let asked = Asked { kb: self.kb, owners: self.owners, as_of: self.as_of, pack, rule, facts, host: item.host.as_deref() };
        if let Some(why) = asked.not_asked(thing) {
            return out(Verdict::NotApplicable, Truth::no(why), Vec::new());
        }
        let mut changes = Vec::new();
        for exception in &rule.exceptions {
            let runs = holds(self.as_of, exception.from.map(|d| d.0), exception.to.map(|d| d.0));
            match scope::claimed(&exception.when, facts) {
                Hit::Yes if runs == Holds::Yes => {
                    let why = said(Basis::Declared, format!("{} excepts {}", rule.cite, exception.what));
                    return out(Verdict::Pass, Truth::no(why), Vec::new());
                }
                Hit::Yes | Hit::Unknown if runs != Holds::No => changes.push(format!("an exception: {}", exception.what)),
                _ => {}
            }
        }
        if rule.evidence.is_some() {
            return self.evidence(pack, rule, facts, reach, &out);
        }
        let mut subject = if thing.label.is_empty() && asks_of_module(rule) {
            Truth::unknown(if item.cellular == Cellular::Unknown {
                "whether a cellular module is in it is not known: collect evidence of its hardware"
            } else {
                "no module is identified in it: collect its USB ids, AT answers, label or bill of materials"
            })
        } else {
            asked.any(thing)
        };
        // Below *probable* neither a fail nor a pass can be said of whoever it may turn out to be.
        if subject.hit != Hit::Unknown && thing.confidence < PROBABLE && asks_of_module(rule) {
            let sure = f64::from(thing.confidence) / 1000.0;
            let next = thing.next.as_deref().unwrap_or("evidence of another kind");
            subject.hit = Hit::Unknown;
            subject.wanted.push(format!("{} is only {sure:.2} sure, below probable: collect {next}", thing.label));
        }
        if let Some(what) = rule.unread.as_ref().filter(|_| subject.hit == Hit::Yes) {
            subject.hit = Hit::Unknown;
            subject.wanted.push(what.clone());
        }
        if subject.hit == Hit::No {
            let sources = format!("on sources to {}", pack.sources_to);
            subject.because.push(said(Basis::Inferred, format!("passes {} {sources}", rule.id.get_ref())));
            return out(Verdict::Pass, subject, Vec::new());
        }
        for hole in &rule.unsettled {
            if (thing.is_product || !hole.product) && scope::claimed(&hole.when, facts) != Hit::No {
                subject.points.push(format!("{}: {}", hole.id, hole.what));
            }
        }
        if time == Holds::Unclear {
            subject.points.push(format!("{} lies inside a bound of the rule that is not known to the day", self.as_of));
        }
        if !rule.status.0 {
            subject.points.push(format!("the words of {} are not verified ({})", rule.cite, rule.source));
        }
        for exemption in pack.exemptions.iter().filter(|e| e.rules.iter().any(|r| r.get_ref() == rule.id.get_ref())) {
            if scope::claimed(&exemption.when, facts) != Hit::Yes {
                continue;
            }
            let until = exemption.until;
            if self.as_of < until.0.earliest() {
                let why = said(Basis::Declared, format!("exempt until {until}, {} answers for it: {}", exemption.owner, exemption.reason));
                return out(Verdict::Pass, Truth::no(why), vec![format!("the exemption ends on {until}")]);
            }
            subject.because.push(said(Basis::Declared, format!("the exemption of {} ended on {until}", exemption.owner)));
        }
        changes.extend(opposites(rule, facts));
        let whole = reach.clone().and(subject);
        let verdict = match (whole.hit, whole.points.is_empty()) {
            (Hit::Yes, true) => Verdict::Fail,
            (Hit::Yes, false) => Verdict::Review,
            _ => Verdict::Unknown,
        };
        out(verdict, whole, changes)
    }

    /// Rows of frameworks: what is on file passes, the rest is open.
    fn evidence(
        &self,
        pack: &Pack,
        rule: &Rule,
        facts: &Facts,
        reach: &Truth,
        out: &dyn Fn(Verdict, Truth, Vec<String>) -> Outcome,
    ) -> Outcome {
        let on_file = match facts.get("evidence") {
            Some(Value::Words(ids)) => ids.iter().any(|id| id == rule.id.get_ref()),
            _ => false,
        };
        let what = rule.evidence.as_deref().unwrap_or_default();
        let (verdict, mut truth) = if on_file {
            let says = said(Basis::Declared, format!("on file: {what} (sources to {})", pack.sources_to));
            (Verdict::Pass, Truth::no(says))
        } else {
            let wanted = Truth::unknown(format!("evidence for {}: {what} (then say `evidence = {}`)", rule.cite, rule.id.get_ref()));
            (Verdict::Unknown, reach.clone().and(wanted))
        };
        // Whoever relies on a row must see that nobody has read its words.
        if !rule.status.0 {
            truth.points.push(format!("the words of {} are not verified ({})", rule.cite, rule.source));
        }
        out(verdict, truth, Vec::new())
    }
}

impl Outcome {
    /// One outcome for two things that the rule lets go alike.
    fn beside(mut self, other: Self) -> Self {
        fn add<T: PartialEq>(to: &mut Vec<T>, more: Vec<T>) {
            for one in more {
                if !to.contains(&one) {
                    to.push(one);
                }
            }
        }
        self.thing = None;
        self.confidence = self.confidence.min(other.confidence);
        add(&mut self.because, other.because);
        add(&mut self.points, other.points);
        add(&mut self.changes, other.changes);
        self
    }
}

impl Thing {
    /// Stands for a device in which no module is identified.
    pub(super) fn nobody() -> Self {
        Self {
            label: String::new(),
            maker: None,
            maker_name: None,
            brand: None,
            chip: None,
            memory: None,
            firmware_signer: None,
            confidence: 1000,
            basis: Basis::Inferred,
            next: None,
            is_product: false,
            part: None,
        }
    }
}

/// A rule and what it is asked of.
#[derive(Clone, Copy)]
struct Case<'a> {
    pack: &'a Pack,
    rule: &'a Rule,
    facts: &'a Facts,
    item: &'a Item,
    reach: &'a Truth,
    time: Holds,
}

/// Whether a rule is about a thing: goods beside the modules count where it says so, or where it is about what they are;
/// whoever judges a module by itself has no board around it.
fn is_about(rule: &Rule, facts: &Facts, thing: &Thing) -> bool {
    let Some(tier) = thing.part else { return true };
    let judged =
        |wanted: &[&str]| matches!(facts.get("item"), Some(Value::Words(words)) if words.iter().any(|w| wanted.contains(&w.as_str())));
    // What a line does not call a chip or a memory may be one.
    let kind = if tier == Tier::Host { Tier::Chip } else { tier };
    let own = rule.tier.contains(&kind) && rule.subjects.iter().any(|s| whose(s, rule) == kind);
    (rule.parts || own) && !judged(&["module", "service"])
}

/// Whether each module is judged by itself: not where the device, its seller, its path or a paper on file decides.
fn of_each(rule: &Rule) -> bool {
    asks_of_module(rule) || (rule.subjects.is_empty() && rule.evidence.is_none())
}

/// Whether the rule's subject is whose module it is.
fn asks_of_module(rule: &Rule) -> bool {
    rule.subjects.iter().any(|s| s.produced_outside.is_empty() && !matches!(s.of, Some(Tier::Host | Tier::Path | Tier::Seller)))
}

/// Facts of the asset that, said otherwise, would take it out of the rule.
fn opposites(rule: &Rule, facts: &Facts) -> Vec<String> {
    let asset = |name: &str| !matches!(name, "market" | "buyer" | "funded_by");
    let known = rule.scope.0.iter().filter(|(name, _)| asset(name) && facts.get(name).is_some());
    let words = known.filter(|(_, d)| !matches!(d, Demand::NoneOf(_))).map(|(name, d)| format!("another `{name}` than {d}"));
    let subject = rule.subjects.iter().any(|s| !s.listed.is_empty()).then(|| "a module of a maker whom the list does not reach".to_owned());
    let place = rule
        .subjects
        .iter()
        .any(|s| !s.jurisdiction.is_empty() || !s.outside.is_empty())
        .then(|| "a module whose origin lies elsewhere".to_owned());
    words.chain(subject).chain(place).collect()
}

fn names(tiers: &[Tier]) -> String {
    tiers.iter().map(|t| t.name()).collect::<Vec<_>>().join(" or ")
}
