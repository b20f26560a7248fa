//! What is in a device: first whether it is cellular at all, then brand, maker, model, variant and silicon as
//! separate claims, each at the level that the evidence carries and no further.
//!
//! [`identify`] sees facts only, no identifiers: devices alike in their facts have one verdict, computed once.

pub mod claims;
mod earlier;
pub mod learn;
pub mod next;
mod parts;
pub mod vote;

use umbilical_core::answer::{Cellular, Conflict, Host, Level};
use umbilical_core::text::squash;
use umbilical_core::weight::{ConfidenceLevel, probability};
use umbilical_core::{Basis, Fact, Group, Kind};
use umbilical_knowledge::{BrandKind, Knowledge};

pub(crate) use earlier::EARLIER_FOUND;

use claims::{Cast, Claimed, FactRef, Reason, best, claims};
use learn::Lessons;
use parts::Part;
use vote::{Around, Class, For};

/// A fact in its place in a device.
#[derive(Clone, Copy)]
pub struct Placed<'a> {
    /// Which of the device's records, and which fact of the record.
    pub at: FactRef,
    /// The part of the record.
    pub part: u16,
    /// The IMEI of that part, as a number equal for equal IMEIs within the device.
    pub imei: Option<u32>,
    /// The fact.
    pub fact: &'a Fact,
}

/// The answer for one device, in terms of its facts.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Whether it is cellular.
    pub cellular: Cellular,
    /// How sure that is.
    pub cellular_confidence: f64,
    /// What speaks for or against being cellular.
    pub cellular_because: Vec<Reason>,
    /// The device around the module.
    pub host: Option<Host>,
    /// What it is when it is itself the cellular product.
    pub product: Option<ProductVerdict>,
    /// The modules in it.
    pub modules: Vec<ModuleVerdict>,
    /// Whether a document shows the place of a module that nothing names.
    pub undisclosed: bool,
    /// What must be said to people: finding code, sentence, fact.
    pub notices: Vec<(&'static str, String, FactRef)>,
    /// What to collect next.
    pub next: Vec<String>,
    /// For each usable IMEI, by its number in [`Placed::imei`], whether a table or a lesson names its TAC.
    pub tacs: Vec<(u32, bool)>,
}

/// A cellular product that is no module.
#[derive(Clone, Debug)]
pub struct ProductVerdict {
    /// `dongle`, `handset`, `router`, `other`.
    pub kind: &'static str,
    /// Brand.
    pub brand: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Of the best claim.
    pub confidence: f64,
    /// Of the best claim.
    pub basis: Basis,
}

/// A module.
#[derive(Clone, Debug)]
pub struct ModuleVerdict {
    /// Brand.
    pub brand: Option<String>,
    /// Maker.
    pub maker: Option<String>,
    /// Maker's model.
    pub model: Option<String>,
    /// Brand's model.
    pub sold_as: Option<String>,
    /// Variant.
    pub variant: Option<String>,
    /// Family.
    pub family: Option<String>,
    /// Most specific level at *possible* or better.
    pub level: Level,
    /// The value of the claim at that level.
    pub deciding: String,
    /// Of the claim at that level.
    pub confidence: f64,
    /// In a word.
    pub confidence_level: ConfidenceLevel,
    /// Of the claim at that level.
    pub basis: Basis,
    /// Chip.
    pub chipset: Option<String>,
    /// Radio technologies.
    pub rats: Vec<String>,
    /// Every claim.
    pub claims: Vec<Claimed>,
    /// Contradictions.
    pub conflicts: Vec<Conflict>,
    /// Its IMEI, as numbered in [`Placed::imei`].
    pub imeis: Vec<u32>,
    /// The firmware revision as reported.
    pub firmware: Option<String>,
    /// Whether the known relation of brand and maker explains that they differ.
    pub rebranded: bool,
}

/// The verdict on a device's facts. What earlier answers stated stands beside what the facts themselves say: it is restored
/// where they leave something open, and never added to them.
pub fn identify(kb: &Knowledge, lessons: &Lessons, facts: &[Placed<'_>]) -> Verdict {
    if facts.iter().all(|p| p.fact.kind != Kind::Earlier) {
        return weigh(kb, lessons, facts);
    }
    let (stated, fresh): (Vec<Placed<'_>>, Vec<Placed<'_>>) = facts.iter().partition(|p| p.fact.kind == Kind::Earlier);
    let stated = earlier::restore(&stated);
    if fresh.is_empty() { stated } else { earlier::fill(weigh(kb, lessons, &fresh), stated) }
}

/// The verdict on facts, all of them looked up and weighed.
fn weigh(kb: &Knowledge, lessons: &Lessons, facts: &[Placed<'_>]) -> Verdict {
    let parts = cast_votes(kb, lessons, facts);
    let mut tacs = tacs(kb, lessons, facts);
    tacs.sort_unstable();
    tacs.dedup();
    let clusters = parts::modules(&parts);
    let host = host(kb, facts);
    let mut notices = Vec::new();
    for part in &parts {
        for cast in &part.casts {
            if let For::Notice(code, text) = &cast.vote.what {
                notices.push((*code, text.clone(), cast.fact));
            }
        }
    }
    let mut modules = Vec::new();
    let mut product: Option<ProductVerdict> = None;
    for cluster in &clusters {
        let members: Vec<&Part<'_>> = cluster.iter().filter_map(|i| parts.get(*i)).collect();
        match what_is(kb, &members, host.as_ref()) {
            Is::Module(module) => {
                notices.extend(module_notices(&members, &module));
                modules.push(*module);
            }
            Is::Product(found) => {
                let casts: Vec<Cast> = members.iter().flat_map(|p| p.casts.iter().cloned()).collect();
                if let (Some(conflict), Some(first)) = (class_conflict(&casts), casts.first()) {
                    notices.push(("tac-mismatch", conflict.what, first.fact));
                }
                if product.as_ref().is_none_or(|p| found.confidence > p.confidence) {
                    product = Some(found);
                }
            }
            Is::Unnamed => {}
        }
    }
    modules.sort_by(|a, b| {
        b.confidence.total_cmp(&a.confidence).then_with(|| (&a.maker, &a.model, &a.imeis).cmp(&(&b.maker, &b.model, &b.imeis)))
    });
    notices.sort();
    notices.dedup_by(|a, b| a.0 == b.0 && a.1 == b.1);
    let (cellular, cellular_confidence, cellular_because) = cellular(&parts, !clusters.is_empty());
    let undisclosed = modules.is_empty() && facts.iter().any(|p| p.fact.kind == Kind::Undisclosed);
    let mut verdict =
        Verdict { cellular, cellular_confidence, cellular_because, host, product, modules, undisclosed, notices, next: Vec::new(), tacs };
    verdict.next = next::evidence(&verdict, facts);
    verdict
}

fn cast_votes<'a>(kb: &Knowledge, lessons: &Lessons, facts: &[Placed<'a>]) -> Vec<Part<'a>> {
    let mut parts: Vec<Part<'a>> = Vec::new();
    for placed in facts {
        let known = parts.iter_mut().find(|p| p.record == placed.at.record && p.part == placed.part);
        match known {
            Some(part) => {
                part.imei = part.imei.or(placed.imei);
                part.facts.push((placed.at, placed.fact));
            }
            None => parts.push(Part {
                record: placed.at.record,
                part: placed.part,
                facts: vec![(placed.at, placed.fact)],
                imei: placed.imei,
                casts: Vec::new(),
            }),
        }
    }
    for part in &mut parts {
        let usb = part.facts.iter().find(|(_, f)| f.kind == Kind::UsbId).and_then(|(_, f)| vote::usb_id(&f.value));
        let bcd = part.facts.iter().find(|(_, f)| f.kind == Kind::UsbRevision).and_then(|(_, f)| u16::from_str_radix(&f.value, 16).ok());
        let names = |k: Kind| {
            matches!(
                k,
                Kind::Manufacturer | Kind::DeclaredMaker | Kind::UsbManufacturer | Kind::UsbProduct | Kind::FirmwareRevision | Kind::Plugin
            )
        };
        let module_brand = part
            .facts
            .iter()
            .filter(|(_, f)| names(f.kind))
            .filter_map(|(_, f)| {
                if f.kind == Kind::FirmwareRevision {
                    kb.matches(umbilical_knowledge::Scope::Revision, &f.value).iter().find_map(|h| h.pattern.maker.as_deref())
                } else {
                    kb.brand_of(&f.value).filter(|b| b.kind == BrandKind::Module).map(|b| &*b.brand)
                }
            })
            .next();
        let around = Around { usb, bcd, module_brand };
        part.casts = part
            .facts
            .iter()
            .flat_map(|(at, fact)| {
                let cast = |vote: vote::Vote| Cast { fact: *at, group: vote.group.unwrap_or(fact.group), seen: fact.basis, vote };
                vote::votes(kb, lessons, fact, &around).into_iter().map(cast)
            })
            .collect();
    }
    drop_catalogues(&mut parts);
    parts
}

/// A text that names many models is a catalogue or a list of drivers, not a device: its sentences vote for nothing.
fn drop_catalogues(parts: &mut [Part<'_>]) {
    const MANY: usize = 5;
    for part in parts {
        let text = |at: FactRef| part.facts.iter().any(|(a, f)| *a == at && f.kind == Kind::Text);
        let mut families: Vec<&str> = Vec::new();
        for cast in part.casts.iter().filter(|c| text(c.fact)) {
            if let For::Claim(Level::Model, name) = &cast.vote.what
                && !families.iter().any(|f| claims::is_stem(f, name) || claims::is_stem(name, f))
            {
                families.push(name);
            }
        }
        if families.len() >= MANY {
            let facts: Vec<FactRef> = part.facts.iter().filter(|(_, f)| f.kind == Kind::Text).map(|(at, _)| *at).collect();
            part.casts.retain(|c| !facts.contains(&c.fact));
        }
    }
}

fn tacs(kb: &Knowledge, lessons: &Lessons, facts: &[Placed<'_>]) -> Vec<(u32, bool)> {
    let codes = facts.iter().filter(|p| p.fact.kind == Kind::Tac);
    codes
        .filter_map(|p| Some((p.imei?, umbilical_knowledge::parse_tac(&p.fact.value)?)))
        .map(|(imei, tac)| (imei, !kb.tac(tac).is_empty() || !lessons.of(tac).is_empty()))
        .collect()
}

enum Is {
    Module(Box<ModuleVerdict>),
    Product(ProductVerdict),
    /// Cellular, and nothing says what.
    Unnamed,
}

fn what_is(kb: &Knowledge, members: &[&Part<'_>], host: Option<&Host>) -> Is {
    let casts: Vec<Cast> = members.iter().flat_map(|p| p.casts.iter().cloned()).collect();
    let class_score = |classes: &[Class]| {
        let votes: Vec<&Cast> = casts.iter().filter(|c| matches!(&c.vote.what, For::Class(k) if classes.contains(k))).collect();
        claims::score(&votes)
    };
    let explained = Explained::by(&casts);
    let makers = claims(&casts, Level::Maker, &|v| explained.brand(v));
    let (module, consumer) = (class_score(&[Class::Module]), class_score(&[Class::Dongle, Class::Handset]));
    // A phone that says it is one is not a module because its IMEI's code is: the code may be copied, and names nothing.
    let copied = class_conflict(&casts).is_some_and(|c| c.values.first().is_some_and(|v| v == "phone or stick"));
    let module = if copied { 0 } else { module };
    let (router, other) = (class_score(&[Class::Router]), class_score(&[Class::Other]));
    let named = makers.first().is_some_and(|m| m.confidence >= 0.5 && kb.brand(&m.value).is_none_or(|b| b.kind == BrandKind::Module));
    // A maker's name alone stands for a module unless the thing is classed as something else.
    let module = if module == 0 && named && consumer == 0 && other == 0 { 1 } else { module };
    if module > 0 && module >= consumer {
        return Is::Module(Box::new(module_verdict(kb, members, &casts, makers, &explained)));
    }
    let kind = if consumer > 0 {
        if class_score(&[Class::Handset]) > class_score(&[Class::Dongle]) { "handset" } else { "dongle" }
    } else if router > 0 {
        "router"
    } else if other > 0 {
        "other"
    } else {
        return Is::Unnamed;
    };
    let own: Vec<Cast> = casts.iter().filter(|c| !copied || !c.vote.matched.starts_with("TAC ")).cloned().collect();
    let brands = claims(&own, Level::Brand, &|_| false);
    let models = claims(&own, Level::Model, &|_| false);
    let (brand, model) = (brands.first().filter(|c| c.confidence >= 0.5), best(&models).filter(|c| c.confidence >= 0.5));
    let top = model.or(brand);
    let weight = consumer.max(router).max(other);
    let host_basis = casts.iter().find(|c| matches!(c.vote.what, For::Class(_))).map_or(Basis::Inferred, |c| c.vote.basis);
    let brand = brand.map(|c| c.value.clone());
    // What a record says of the device is about the product only where no other brand is known of the product: a stick in
    // a camera is not the camera.
    let same = |host: &&Host| match (&brand, &host.brand) {
        (Some(own), Some(around)) => {
            squash(own) == squash(around) || kb.org_of_brand(own).is_some_and(|o| kb.org_of_brand(around).is_some_and(|a| a.id == o.id))
        }
        _ => true,
    };
    let host = host.filter(same);
    Is::Product(ProductVerdict {
        kind,
        model: model.map(|c| c.value.clone()).or_else(|| host?.model.clone()),
        brand: brand.clone().or_else(|| host?.brand.clone()),
        confidence: top.map_or_else(|| probability(weight, []), |c| c.confidence),
        basis: top.map_or(host_basis, |c| c.basis),
    })
}

/// The votes without those for models, families and variants by facts that name only other makers.
fn of_maker(casts: &[Cast], maker: Option<&str>) -> Vec<Cast> {
    let Some(maker) = maker else { return casts.to_vec() };
    let named = |fact: FactRef| {
        let makers = casts.iter().filter(move |c| c.fact == fact && c.vote.weight > 0);
        makers.filter_map(|c| if let For::Claim(Level::Maker, name) = &c.vote.what { Some(name.as_str()) } else { None })
    };
    let foreign = |fact: FactRef| named(fact).next().is_some() && named(fact).all(|name| name != maker);
    let below = |c: &Cast| matches!(c.vote.what, For::Claim(Level::Model | Level::Family | Level::Variant, _));
    casts.iter().filter(|c| !below(c) || !foreign(c.fact)).cloned().collect()
}

/// What a known re-brand explains, so that it is no contradiction: the brand's name where a maker is asked for, and
/// the brand's model name where the maker's is.
struct Explained {
    brands: Vec<String>,
    sold_as: Vec<String>,
}

impl Explained {
    fn by(casts: &[Cast]) -> Self {
        let makers = claims(casts, Level::Maker, &|_| false);
        let strong = |name: &str| makers.iter().any(|c| c.value == name && c.score >= 2000);
        let mut out = Self { brands: Vec::new(), sold_as: Vec::new() };
        for cast in casts {
            if let For::Rebrand { brand, maker } = &cast.vote.what
                && strong(maker)
            {
                out.brands.push(brand.clone());
                let of_same_fact = casts.iter().filter(|c| c.fact == cast.fact);
                out.sold_as
                    .extend(of_same_fact.filter_map(|c| if let For::SoldAs(name) = &c.vote.what { Some(name.clone()) } else { None }));
            }
        }
        out
    }

    fn brand(&self, value: &str) -> bool {
        self.brands.iter().any(|b| b == value)
    }

    fn model(&self, value: &str) -> bool {
        self.sold_as.iter().any(|s| claims::is_stem(s, value) || claims::is_stem(value, s))
    }
}

fn module_verdict(kb: &Knowledge, members: &[&Part<'_>], casts: &[Cast], makers: Vec<Claimed>, explained: &Explained) -> ModuleVerdict {
    let none = |_: &str| false;
    let every_model = claims(casts, Level::Model, &|v| explained.model(v));
    // Given the maker, what speaks for another (a foreign IMEI's TAC) says nothing of the model; it stays a conflict.
    let of_maker = of_maker(casts, makers.first().filter(|c| c.confidence >= 0.5).map(|c| c.value.as_str()));
    let mut models = claims(&of_maker, Level::Model, &|v| explained.model(v));
    let families = claims(&of_maker, Level::Family, &|v| explained.model(v));
    let variants = claims(&of_maker, Level::Variant, &none);
    // A name that contradicts the maker found is a rival, not the brand it is sold under; known re-brands were set apart.
    let found = makers.first().filter(|c| c.confidence >= 0.5);
    let rival = |v: &str| found.is_some_and(|maker| maker.value != v && makers.iter().any(|c| c.value == v));
    let brands = claims(casts, Level::Brand, &rival);
    let silicon = claims(casts, Level::Silicon, &none);
    let cellular = claims(casts, Level::Cellular, &none);
    let possible = |c: &&Claimed| c.confidence >= 0.5;
    let value = |c: Option<&Claimed>| c.map(|c| c.value.clone());
    let maker = makers.first().filter(possible).cloned();
    // A model of another maker than the one found (a foreign IMEI's) is no answer; it stays among the claims.
    let fits = |c: &Claimed| {
        let known = kb.modules_named(&c.value);
        known.is_empty() || maker.as_ref().is_none_or(|maker| known.iter().any(|m| *m.maker == *maker.value))
    };
    let fitting: Vec<Claimed> = models.iter().filter(|c| fits(c)).cloned().collect();
    // Where makers contradict each other and none prevails, neither does a model of one of them.
    let open = |c: &Claimed| possible(&c) && (maker.is_some() || makers.is_empty());
    let model = best(&fitting).filter(|c| open(c)).cloned();
    let family = families.first().filter(|c| open(c)).cloned();
    let brand = brands.first().filter(possible).cloned();
    let variant = best(&variants).filter(|c| open(c)).cloned();
    // A variant of another model than the one chosen would contradict it.
    let variant = variant.filter(|v| {
        model
            .as_ref()
            .is_none_or(|m| claims::is_stem(&m.value, &v.value) || v.because.first().map(|r| r.fact) == m.because.first().map(|r| r.fact))
    });
    // A variant that only the module's own word tells must not lower what two witnesses say of the model.
    let sharp = variant.as_ref().filter(|v| model.as_ref().is_none_or(|m| v.confidence_level >= m.confidence_level)).cloned();
    let chain = [&sharp, &model, &family, &maker, &brand].into_iter().flatten().next().cloned();
    let deciding = chain.or_else(|| silicon.first().filter(possible).cloned()).or_else(|| cellular.first().cloned());
    let row = maker.as_ref().zip(model.as_ref()).and_then(|(maker, model)| kb.module(&maker.value, &model.value));
    let mark = |basis: umbilical_knowledge::Basis| {
        if basis == umbilical_knowledge::Basis::Rule { " (by rule of the name, unverified)" } else { "" }
    };
    let chipset = row
        .and_then(|r| r.chipset.as_ref().map(|c| format!("{c}{}", mark(r.chipset_basis))))
        .or_else(|| value(silicon.first().filter(possible)));
    let rats = row.map(|r| r.rats.iter().map(|rat| format!("{rat}{}", mark(r.rat_basis))).collect()).unwrap_or_default();
    let rebranded = brand.as_ref().zip(maker.as_ref()).is_some_and(|(b, m)| b.value != m.value)
        && casts.iter().any(|c| matches!((&c.vote.what, &maker, &brand), (For::Rebrand { brand: b, maker: m }, Some(maker), Some(brand)) if *m == maker.value && *b == brand.value));
    let sold_as = {
        let mut sold: Vec<(&str, i32)> = casts
            .iter()
            .filter_map(|c| if let For::SoldAs(name) = &c.vote.what { Some((name.as_str(), c.vote.weight)) } else { None })
            .collect();
        sold.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
        sold.first().map(|s| s.0.to_owned())
    };
    let mut conflicts = Vec::new();
    conflicts.extend(conflict(Level::Maker, &makers, 2000));
    conflicts.extend(conflict(Level::Model, &every_model, 2500));
    models.extend(
        every_model.into_iter().filter(|c| !of_maker.iter().any(|f| matches!(&f.vote.what, For::Claim(Level::Model, v) if *v == c.value))),
    );
    conflicts.extend(class_conflict(casts));
    let mut imeis: Vec<u32> = members.iter().filter_map(|p| p.imei).collect();
    imeis.sort_unstable();
    imeis.dedup();
    let firmware = members
        .iter()
        .flat_map(|p| &p.facts)
        .filter(|(_, f)| f.kind == Kind::FirmwareRevision)
        .max_by_key(|(at, f)| (f.value.len(), std::cmp::Reverse(*at)))
        .map(|(_, f)| f.value.to_string());
    let (level, confidence, confidence_level, basis) =
        deciding.as_ref().map_or((Level::Cellular, 0.5, ConfidenceLevel::Possible, Basis::Inferred), |c| {
            (c.level, c.confidence, c.confidence_level, c.basis)
        });
    let mut all: Vec<Claimed> = Vec::new();
    for list in [variants, models, families, makers, brands, silicon, cellular] {
        // A page of rivals nobody believes helps nobody: the best four of a level tell the story, and whatever was chosen.
        let chosen = |c: &Claimed| [&variant, &model, &family, &maker, &brand, &deciding].into_iter().flatten().any(|v| v.value == c.value);
        all.extend(list.into_iter().enumerate().filter(|(n, c)| *n < 4 || chosen(c)).map(|(_, c)| c));
    }
    ModuleVerdict {
        brand: value(brand.as_ref()),
        maker: value(maker.as_ref()),
        model: value(model.as_ref()),
        sold_as,
        variant: value(variant.as_ref()),
        family: value(family.as_ref()),
        level,
        deciding: value(deciding.as_ref()).unwrap_or_default(),
        confidence,
        confidence_level,
        basis,
        chipset,
        rats,
        claims: all,
        conflicts,
        imeis,
        firmware,
        rebranded,
    }
}

/// Two values that cannot both be right, each with weight enough to be taken seriously.
fn conflict(level: Level, claims: &[Claimed], least: i32) -> Option<Conflict> {
    let first = claims.first().filter(|c| c.score >= least)?;
    let related = |a: &str, b: &str| level == Level::Model && (claims::is_stem(a, b) || claims::is_stem(b, a));
    let rivals: Vec<&Claimed> = claims.iter().skip(1).filter(|c| c.score >= least && !related(&first.value, &c.value)).collect();
    if rivals.is_empty() {
        return None;
    }
    let values: Vec<String> = std::iter::once(first).chain(rivals.iter().copied()).map(|c| c.value.clone()).collect();
    let what = format!("evidence names different {}s: {}", level.name(), values.join(" / "));
    Some(Conflict { level, values, what })
}

/// A phone's or stick's type allocation code behind a module's own words.
fn class_conflict(casts: &[Cast]) -> Option<Conflict> {
    let of = |classes: &[Class], tac: bool| {
        casts
            .iter()
            .filter(|c| matches!(&c.vote.what, For::Class(k) if classes.contains(k)) && c.vote.matched.starts_with("TAC") == tac)
            .map(|c| c.vote.weight)
            .max()
            .unwrap_or(0)
    };
    let (phone, module) = (of(&[Class::Handset, Class::Dongle, Class::Other], true), of(&[Class::Module], false));
    let (module_tac, says_phone) = (of(&[Class::Module], true), of(&[Class::Handset, Class::Dongle], false));
    if module_tac >= 2000 && says_phone >= 2500 && module < 2500 {
        return Some(Conflict {
            level: Level::Cellular,
            values: vec!["phone or stick".into(), "module".into()],
            what: "the IMEI's type allocation code belongs to a module, while the thing says it is a phone or stick".into(),
        });
    }
    (phone >= 2000 && module >= 2500).then(|| Conflict {
        level: Level::Cellular,
        values: vec!["module".into(), "other equipment".into()],
        what: "the IMEI's type allocation code belongs to equipment that is not a module, while the thing says it is one".into(),
    })
}

fn module_notices(members: &[&Part<'_>], module: &ModuleVerdict) -> Vec<(&'static str, String, FactRef)> {
    let anchor = module.claims.first().and_then(|c| c.because.first()).map(|r| r.fact);
    let first = members.first().and_then(|p| p.facts.first()).map(|(at, _)| *at);
    let Some(at) = anchor.or(first) else { return Vec::new() };
    let mut out: Vec<(&'static str, String, FactRef)> = Vec::new();
    // A TAC of another maker than the one found.
    let foreign_tac = members.iter().flat_map(|p| &p.casts).find_map(|c| match (&c.vote.what, c.vote.matched.starts_with("TAC")) {
        (For::Claim(Level::Maker, maker), true) if module.maker.as_ref() != Some(maker) => Some(maker.clone()),
        _ => None,
    });
    for conflict in &module.conflicts {
        let tac = conflict.level == Level::Cellular
            || (conflict.level == Level::Maker && foreign_tac.as_ref().is_some_and(|t| conflict.values.contains(t)));
        out.push((if tac { "tac-mismatch" } else { "identity-conflict" }, conflict.what.clone(), at));
    }
    if let (true, Some(brand), Some(maker)) = (module.rebranded, &module.brand, &module.maker) {
        let named = |name: &Option<String>| name.as_deref().map(|n| format!(" as {n}")).unwrap_or_default();
        out.push(("rebranded", format!("sold by {brand}{}; made by {maker}{}", named(&module.sold_as), named(&module.model)), at));
    }
    out
}

/// The device around the module, as registers and routers name it.
fn host(kb: &Knowledge, facts: &[Placed<'_>]) -> Option<Host> {
    let find = |kind: Kind| facts.iter().map(|p| p.fact).find(|f| f.kind == kind);
    let (maker, model) = (find(Kind::HostMaker), find(Kind::HostModel));
    let basis = maker.or(model)?.basis;
    let brand = maker.map(|f| vote::brand_named(kb, &f.value).map_or_else(|| f.value.to_string(), |b| b.brand.to_string()));
    let known = model.and_then(|f| kb.products_in(None, &f.value).first().map(|p| p.brand.to_string()));
    Some(Host { brand: brand.or(known), model: model.map(|f| f.value.to_string()), basis })
}

fn cellular(parts: &[Part<'_>], found: bool) -> (Cellular, f64, Vec<Reason>) {
    let votes: Vec<Cast> =
        parts.iter().flat_map(|p| p.casts.iter()).filter(|c| matches!(c.vote.what, For::Claim(Level::Cellular, _))).cloned().collect();
    let all = claims(&votes, Level::Cellular, &|_| false);
    let of = |word: &str| all.iter().find(|c| c.value == word);
    let because = |c: Option<&Claimed>| c.map(|c| c.because.clone()).unwrap_or_default();
    if found {
        let yes = of("yes");
        return (Cellular::Yes, yes.map_or(0.5, |c| c.confidence), because(yes));
    }
    if let Some(no) = of("no").filter(|c| c.confidence >= 0.5) {
        return (Cellular::No, no.confidence, because(Some(no)));
    }
    // Both buses were listed, and nothing on them is cellular or could hide it behind a serial line.
    let bus: Vec<&Part<'_>> = parts.iter().filter(|p| p.on_bus()).collect();
    let listed = |kind: Kind| bus.iter().any(|p| p.facts.iter().any(|(_, f)| f.kind == kind && !f.value.starts_with("1d6b:")));
    let serial = |p: &&&Part<'_>| {
        p.facts.iter().any(|(_, f)| match f.kind {
            Kind::Driver => matches!(&*f.value, "pl2303" | "ftdi_sio" | "cp210x" | "ch341" | "cdc_acm" | "option1" | "usbserial"),
            // The default ids of serial converters: Prolific, FTDI, Silicon Labs, WCH.
            Kind::UsbId => matches!(f.value.get(..5), Some("067b:" | "0403:" | "10c4:" | "1a86:")),
            _ => false,
        })
    };
    let network_word = parts.iter().flat_map(|p| &p.facts).any(|(_, f)| f.group == Group::Network);
    let consumer = parts.iter().flat_map(|p| &p.casts).any(|c| matches!(c.vote.what, For::Class(Class::Handset | Class::Dongle)));
    if listed(Kind::UsbId) && listed(Kind::PciId) && !network_word && !consumer && bus.iter().filter(serial).count() == 0 {
        let reasons = bus
            .iter()
            .filter_map(|p| p.facts.iter().find(|(_, f)| matches!(f.kind, Kind::UsbId | Kind::PciId)))
            .take(5)
            .map(|(at, _)| Reason { fact: *at, weight: 300, matched: "a device on the bus, not cellular".into() })
            .collect();
        return (Cellular::No, 0.8, reasons);
    }
    (Cellular::Unknown, 0.5, because(of("yes")))
}
