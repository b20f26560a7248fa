//! The subject test: who is named, who is controlled, whose law reaches, where a thing was made.

use umbilical_core::answer::policy::Statement;
use umbilical_core::answer::{Listing, Step, Trace};
use umbilical_core::date::Loose;
use umbilical_core::{Basis, Day};
use umbilical_knowledge::policy::{Covers, Facts, Origin, Pack, Reach, Rule, Spanned, Subject, Tier, Value};
use umbilical_knowledge::{Knowledge, Word as _};

use super::item::Thing;
use super::truth::{Truth, read, said};
use crate::owners::Owners;

/// What a subject test needs.
pub(super) struct Asked<'a> {
    pub kb: &'a Knowledge,
    pub owners: &'a Owners<'a>,
    pub as_of: Day,
    pub pack: &'a Pack,
    pub rule: &'a Rule,
    pub facts: &'a Facts,
    pub host: Option<&'a str>,
}

impl Asked<'_> {
    /// Whether one of the rule's subjects fits a thing; everything in scope does where the rule names none.
    pub fn any(&self, thing: &Thing) -> Truth {
        let mut tests = self.rule.subjects.iter().map(|s| self.one(s, thing));
        let Some(first) = tests.next() else { return Truth::always() };
        tests.fold(first, Truth::or)
    }

    /// Why the rule is not asked of a thing: it is about makers elsewhere, and this one's is there himself.
    pub fn not_asked(&self, thing: &Thing) -> Option<Statement> {
        let maker = thing.maker.as_deref()?;
        let inside = |subject: &Subject| {
            let trace = self.owners.org(maker);
            let there = self.words(&subject.maker_outside);
            let own = trace.jurisdictions.iter().find(|j| j.via.is_empty() && there.contains(&j.country));
            own.map(|j| said(j.basis, format!("{} is organised in {}, and the rule is about makers elsewhere", trace.name, j.country)))
        };
        let mut each = self.rule.subjects.iter().map(inside);
        let first = each.next()??;
        each.all(|other| other.is_some()).then_some(first)
    }

    fn one(&self, subject: &Subject, thing: &Thing) -> Truth {
        if !subject.produced_outside.is_empty() {
            return self.produced(subject);
        }
        let of = whose(subject, self.rule);
        match (thing.part, of, &thing.maker) {
            // A line that says no more than its maker may stand for a chip: a person reads it.
            (Some(Tier::Host), Tier::Chip, Some(org)) => {
                let tested = self.org(subject, org, thing);
                let is_hit = tested.hit == super::truth::Hit::Yes;
                return if is_hit { tested.point(format!("whether the {} is a chip: its line does not say", thing.label)) } else { tested };
            }
            (Some(tier), Tier::Chip | Tier::Memory, _) if tier != of => {
                return Truth::no(said(Basis::Declared, format!("the {} is no {}", thing.label, of.name())));
            }
            _ => {}
        }
        let org = match of {
            Tier::Module | Tier::Service => match (&thing.maker, &thing.maker_name) {
                (Some(org), _) => org.as_str(),
                (None, Some(name)) => {
                    return Truth::unknown(format!("{name} is no organisation on file: say who owns it and where it is led from"));
                }
                (None, None) => return Truth::unknown(wanted(thing, "the module's maker is not known")),
            },
            Tier::Host => match self.host {
                Some(org) => org,
                None => return Truth::unknown("the maker of the device is not on file: name it"),
            },
            Tier::Chip => match &thing.chip {
                Some(org) => org.as_str(),
                None => return Truth::unknown(format!("the maker of the chip in {} is not known: ask the supplier", thing.label)),
            },
            Tier::Memory => match &thing.memory {
                Some(org) => org.as_str(),
                None => return Truth::unknown(format!("the maker of the memory in {} is not known: ask the supplier", thing.label)),
            },
            Tier::Path => return self.path(subject),
            Tier::Seller => return self.sellers(subject, thing),
        };
        let tested = self.org(subject, org, thing);
        match &thing.brand {
            Some(brand) if of == Tier::Module && subject.tests.contains(&Origin::Brand) => tested.or(self.org(subject, brand, thing)),
            _ => tested,
        }
    }

    fn org(&self, subject: &Subject, org: &str, thing: &Thing) -> Truth {
        let trace = self.owners.org(org);
        if self.words(&subject.unless).contains(&trace.org) {
            return Truth::no(said(Basis::Declared, format!("the rule leaves {} out", trace.name)));
        }
        let lists = if !subject.listed.is_empty() {
            Some(self.listed(subject, &trace))
        } else if !subject.organisations.is_empty() {
            Some(self.named(subject, &trace))
        } else {
            None
        };
        let place = (!subject.jurisdiction.is_empty()).then(|| self.jurisdiction(subject, &trace, thing, false));
        let outside = (!subject.outside.is_empty()).then(|| self.jurisdiction(subject, &trace, thing, true));
        [lists, place, outside].into_iter().flatten().reduce(Truth::or).unwrap_or_else(Truth::always)
    }

    // ---- lists ----

    fn listed(&self, subject: &Subject, trace: &Trace) -> Truth {
        let reach = subject.reach.unwrap_or(Reach::Named);
        let wanted = |l: &&Listing| {
            subject.listed.iter().any(|r| *r.get_ref() == l.regime)
                && self.covered(subject, l)
                && (subject.organisations.is_empty() || subject.organisations.iter().any(|o| *o.get_ref() == l.org))
        };
        let mut hits = trace.listings.iter().filter(wanted).map(|l| self.reached(subject, trace, l));
        let best = hits.next().map(|first| hits.fold(first, Truth::or));
        let mut out = best.unwrap_or_else(|| Truth::no(self.not_listed(trace)));
        if out.hit == super::truth::Hit::No
            && reach != Reach::Named
            && let Some(point) = self.minority(subject, reach, trace)
        {
            out = point;
        }
        // Nobody has seen what an unread list says: "not on it" would be a guess.
        // A row of unknown standing is a rule about who belongs to whom: it changes nothing for who is named himself.
        let silent = |l: &umbilical_knowledge::Listing| match &*l.list_status {
            "empty_or_unknown" => true,
            "unknown" => reach != Reach::Named,
            _ => false,
        };
        let unread = self.kb.listings().iter().filter(|l| silent(l) && l.orgs.is_empty());
        let unread = unread.filter(|l| umbilical_core::date::holds(self.as_of, l.from, l.to) != umbilical_core::date::Holds::No);
        for list in unread.filter(|l| subject.listed.iter().any(|r| **r.get_ref() == *l.regime)) {
            if out.hit == super::truth::Hit::No {
                out = Truth::unknown(format!("{}: the entries are not on file (sources to {})", list.regime, self.pack.sources_to));
            }
        }
        out
    }

    /// The entry's kind must be one that the rule counts; services never match equipment.
    fn covered(&self, subject: &Subject, listing: &Listing) -> bool {
        let rows = self.kb.listings_of(&listing.org).filter(|r| *r.regime == *listing.regime && *r.entity == *listing.entity);
        let counted: &[Covers] = if subject.covers.is_empty() { &[Covers::Equipment, Covers::Entity] } else { &subject.covers };
        rows.into_iter().any(|r| counted.contains(&r.covers))
    }

    fn reached(&self, subject: &Subject, trace: &Trace, listing: &Listing) -> Truth {
        let reach = subject.reach.unwrap_or(Reach::Named);
        let what = entry(listing);
        if let Some(delay) = subject.after_days
            && let Some(Ok(Loose::Day(made))) = listing.from.as_deref().map(str::parse)
            && self.as_of.days_since(made) < i64::from(delay)
        {
            return Truth::no(said(Basis::Inferred, format!("{what}: the rule holds {delay} days after that")));
        }
        let mut out = Truth::yes(read(Basis::Listed, what, &listing.source));
        // What the entry says about its own reach, or what has to be known about it.
        if listing.verified && !listing.scope.is_empty() {
            out.because.push(read(Basis::Listed, format!("that entry: {}", listing.scope), &listing.source));
        }
        if listing.org != trace.org {
            if reach == Reach::Named {
                return Truth::no(said(
                    Basis::Inferred,
                    format!("{} is named, not {}: the rule reaches nobody beyond", listing.entity, trace.name),
                ));
            }
            for step in way(trace, &listing.org) {
                out.because.push(read(step.basis, sentence(step), &step.source));
                if !step.verified {
                    out.points.push(format!("that {} is not verified", sentence(step)));
                }
                let half = reach == Reach::Half && step.share.as_deref().is_some_and(at_least_half);
                if !step.control && !half {
                    out.points.push(format!("whether {} gives control is not decided here", sentence(step)));
                }
            }
        }
        if listing.unclear {
            out.points.push(format!("{}: {} lies inside a bound that is not known to the day", entry(listing), self.as_of));
        }
        if !listing.verified {
            out.points.push(format!("{}: not verified{}", entry(listing), scope(listing)));
        }
        out
    }

    /// A listed holder of less than control: an affiliate or not, for a person to say.
    fn minority(&self, subject: &Subject, reach: Reach, trace: &Trace) -> Option<Truth> {
        if !matches!(reach, Reach::Affiliate | Reach::Half) {
            return None;
        }
        trace.chain.iter().filter(|s| !s.control).find_map(|step| {
            let listed = self.owners.org(&step.parent);
            let hit = listed
                .listings
                .iter()
                .find(|l| l.org == step.parent && subject.listed.iter().any(|r| *r.get_ref() == l.regime) && self.covered(subject, l))?;
            let text = sentence(step);
            let truth = Truth::yes(read(Basis::Listed, entry(hit), &hit.source));
            Some(truth.point(format!("{text}: whether that makes an affiliate is for a person to say")))
        })
    }

    fn not_listed(&self, trace: &Trace) -> Statement {
        said(Basis::Inferred, format!("{}: {}", trace.name, trace.statement))
    }

    // ---- organisations by name ----

    fn named(&self, subject: &Subject, trace: &Trace) -> Truth {
        let reach = subject.reach.unwrap_or(Reach::Named);
        let is = |id: &str| subject.organisations.iter().any(|o| o.get_ref() == id);
        if is(&trace.org) {
            return Truth::yes(said(Basis::Declared, format!("the rule names {}", trace.name)));
        }
        let above = trace.chain.iter().find(|s| is(&s.parent)).filter(|_| reach != Reach::Named);
        match above {
            Some(step) => {
                let mut out = Truth::yes(said(Basis::Declared, format!("the rule names {}", step.parent_name)));
                for step in way(trace, &step.parent) {
                    out.because.push(read(step.basis, sentence(step), &step.source));
                    if !step.verified {
                        out.points.push(format!("that {} is not verified", sentence(step)));
                    }
                    if !step.control {
                        out.points.push(format!("whether {} gives control is not decided here", sentence(step)));
                    }
                }
                out
            }
            None => Truth::no(said(Basis::Inferred, format!("the rule names neither {} nor who stands behind it", trace.name))),
        }
    }

    // ---- countries ----

    /// Whether an origin lies in the countries of a subject, or outside those that it trusts.
    fn jurisdiction(&self, subject: &Subject, trace: &Trace, thing: &Thing, outside: bool) -> Truth {
        let countries = self.words(if outside { &subject.outside } else { &subject.jurisdiction });
        let counts = |country: &str| countries.iter().any(|c| c == country) != outside;
        let tests: &[Origin] = if subject.tests.is_empty() { &[Origin::Maker, Origin::Owner] } else { &subject.tests };
        let mut all = tests.iter().map(|t| self.origin(*t, trace, thing, &counts));
        let Some(first) = all.next() else { return Truth::always() };
        let out = all.fold(first, Truth::or);
        // Whom a profile trusts has to be known to be there.
        let row = self.kb.org(&trace.org).filter(|o| outside && out.hit == super::truth::Hit::No && !o.source.verified);
        match row {
            Some(org) => {
                let place = org.country.as_deref().unwrap_or("a trusted country");
                Truth::unknown(format!("that {} is organised in {place} is not verified: read it at its source", org.name))
            }
            None => out,
        }
    }

    fn origin(&self, test: Origin, trace: &Trace, thing: &Thing, counts: &dyn Fn(&str) -> bool) -> Truth {
        let place = |what: &str, text: Option<&str>| {
            let Some(text) = text else { return Truth::unknown(format!("{what} of {} is not on file", trace.name)) };
            let found = self.kb.country_codes_in(text);
            let row = self.kb.org(&trace.org);
            let source = row.map(|o| o.source.text.to_string()).unwrap_or_default();
            let says = read(Basis::Declared, format!("{what} of {}: {text}", trace.name), &source);
            let unread = test != Origin::FirmwareSigner && row.is_some_and(|o| !o.source.verified);
            match (found.iter().any(|c| counts(c)), found.is_empty()) {
                (true, _) if unread => Truth::yes(says).point(format!("that {what} of {} lies there is not verified", trace.name)),
                (true, _) => Truth::yes(says),
                (false, true) => Truth::unknown(format!("{what} of {}: `{text}` names no country", trace.name)),
                (false, false) => Truth::no(says),
            }
        };
        match test {
            Origin::Maker | Origin::Brand | Origin::Owner => {
                let own = test != Origin::Owner;
                let list: Vec<_> = trace.jurisdictions.iter().filter(|j| j.via.is_empty() == own).collect();
                if own && list.is_empty() {
                    return Truth::unknown(format!("where {} is organised is not on file", trace.name));
                }
                let hit = list.iter().filter(|j| counts(&j.country)).min_by_key(|j| j.unclear);
                let Some(hit) = hit else {
                    let held: Vec<&str> = list.iter().map(|j| &*j.country).collect();
                    let held = if held.is_empty() { "no owner on file".to_owned() } else { held.join(", ") };
                    return Truth::no(said(
                        Basis::Inferred,
                        format!("{} of {}: {held} (sources to {})", test, trace.name, self.pack.sources_to),
                    ));
                };
                let via = if hit.via.is_empty() { String::new() } else { format!(", through {}", hit.via.join(", ")) };
                let org = self.kb.org(&hit.org);
                let source = org.map(|o| o.source.text.to_string()).unwrap_or_default();
                let mut out = Truth::yes(read(hit.basis, format!("jurisdiction {} of {}{via}", hit.country, trace.name), &source));
                if hit.unclear {
                    let day = self.as_of;
                    out.points.push(if hit.via.is_empty() {
                        format!("whether {} lies in {} on {day}: a bound of that is not known to the day", trace.name, hit.country)
                    } else {
                        let (via, name) = (hit.via.join(", "), &trace.name);
                        format!(
                            "whether {} reaches {name} through the holding of {via} on {day}: a bound of it is not known to the day",
                            hit.country
                        )
                    });
                }
                for step in way(trace, &hit.org) {
                    out.because.push(read(step.basis, sentence(step), &step.source));
                    if !step.verified {
                        out.points.push(format!("that {} is not verified", sentence(step)));
                    }
                }
                if org.is_some_and(|o| !o.source.verified) {
                    out.points.push(format!("that {} is organised in {} is not verified", org.map_or("it", |o| &o.name), hit.country));
                }
                out
            }
            Origin::Headquarters => place("headquarters", trace.headquarters.as_deref()),
            Origin::RdSeat => place("development", trace.rd_seat.as_deref()),
            Origin::Factory => place("factory", trace.factory.as_deref()),
            Origin::FirmwareSigner => place("firmware signer", thing.firmware_signer.as_deref()),
        }
    }

    /// Countries or organisations of a rule: `@set` names those of the pack's set.
    fn words(&self, list: &[Spanned<String>]) -> Vec<String> {
        let mut out = Vec::new();
        for word in list {
            match word.get_ref().strip_prefix('@') {
                Some(set) => out.extend(self.pack.sets.get(set).into_iter().flatten().map(|c| c.get_ref().clone())),
                None => out.push(word.get_ref().clone()),
            }
        }
        out
    }

    fn produced(&self, subject: &Subject) -> Truth {
        let inside = self.words(&subject.produced_outside);
        let Some(Value::Words(stages)) = self.facts.get("produced_in") else {
            return Truth::unknown("say where it is designed, developed, made and assembled (`produced_in`)");
        };
        let outside: Vec<&str> = stages.iter().filter(|c| !inside.contains(c)).map(String::as_str).collect();
        let says = said(Basis::Declared, format!("produced in {}", stages.join(", ")));
        if outside.is_empty() { Truth::no(says) } else { Truth::yes(says) }
    }

    /// Who the contract is with.
    fn sellers(&self, subject: &Subject, thing: &Thing) -> Truth {
        let ask = || Truth::unknown("say who the contract is with (`seller`)");
        let Some(Value::Words(sellers)) = self.facts.get("seller") else { return ask() };
        let each = sellers.iter().map(|org| match self.kb.org(org) {
            Some(_) => self.org(subject, org, thing),
            None => Truth::unknown(format!("{org}, whom the contract is with, is not on file")),
        });
        each.reduce(Truth::or).unwrap_or_else(ask)
    }

    /// Who operates the remote path.
    fn path(&self, subject: &Subject) -> Truth {
        let countries = self.words(&subject.jurisdiction);
        let mut out: Option<Truth> = None;
        if let Some(Value::Words(paths)) = self.facts.get("path_country") {
            let says = said(Basis::Declared, format!("the remote path is operated from {}", paths.join(", ")));
            out = Some(if paths.iter().any(|p| countries.contains(p)) { Truth::yes(says) } else { Truth::no(says) });
        }
        if let Some(Value::Words(operators)) = self.facts.get("path_operator") {
            for org in operators {
                let trace = self.owners.org(org);
                let hit = trace.jurisdictions.iter().find(|j| countries.contains(&j.country));
                let truth = match hit {
                    Some(j) => Truth::yes(said(j.basis, format!("{} operates the remote path: jurisdiction {}", trace.name, j.country))),
                    None if trace.jurisdictions.is_empty() => {
                        Truth::unknown(format!("{org}, which operates the remote path, is not on file"))
                    }
                    None => Truth::no(said(Basis::Inferred, format!("{} operates the remote path: {}", trace.name, trace.statement))),
                };
                out = Some(match out {
                    Some(before) => before.or(truth),
                    None => truth,
                });
            }
        }
        out.unwrap_or_else(|| Truth::unknown("say who operates the remote path (`path_operator` or `path_country`)"))
    }
}

/// Whose origin a subject test is about.
pub(super) fn whose(subject: &Subject, rule: &Rule) -> Tier {
    subject.of.or_else(|| rule.tier.iter().copied().find(|t| *t != Tier::Host)).unwrap_or(Tier::Module)
}

fn wanted(thing: &Thing, what: &str) -> String {
    match &thing.next {
        Some(next) => format!("{what}: collect {next}"),
        None => what.to_owned(),
    }
}

/// The steps that lead from the organisation asked about up to one above, nearest first.
fn way<'t>(trace: &'t Trace, top: &str) -> Vec<&'t Step> {
    let mut steps: Vec<&Step> = Vec::new();
    let mut at = top;
    while at != trace.org {
        let Some(step) = trace.chain.iter().find(|s| s.parent == at && !steps.iter().any(|t| t.child == s.child)) else { break };
        steps.push(step);
        at = &step.child;
    }
    steps.reverse();
    steps
}

fn sentence(step: &Step) -> String {
    let share =
        step.share.as_deref().map(|s| if s == "GP" { " as general partner".to_owned() } else { format!(" {} %", s.trim_end_matches('%')) });
    let since = step.from.as_deref().map(|f| format!(" since {f}")).unwrap_or_default();
    let verb = match step.edge.as_str() {
        "owns" => "owns",
        "controls" => "controls",
        "brands" => "stands behind the brand",
        other => other,
    };
    let share = share.unwrap_or_default();
    if share.ends_with('%') {
        format!("{} {verb}{share} of {}{since}", step.parent_name, step.child_name)
    } else {
        format!("{} {verb} {}{share}{since}", step.parent_name, step.child_name)
    }
}

fn at_least_half(share: &str) -> bool {
    share.trim_end_matches('%').trim().parse::<f64>().is_ok_and(|s| s >= 50.0)
}

/// `US-DOD-1260H names Quectel Wireless Solutions Co., Ltd. since 2025-01-07`.
fn entry(listing: &Listing) -> String {
    let since = listing.from.as_deref().map(|f| format!(" since {f}")).unwrap_or_default();
    let assumed = if listing.source.starts_with("assumed") { " (assumed for this run)" } else { "" };
    format!("{} names {}{since}{assumed}", listing.regime, listing.entity)
}

fn scope(listing: &Listing) -> String {
    if listing.scope.is_empty() { String::new() } else { format!(" ({})", listing.scope) }
}
