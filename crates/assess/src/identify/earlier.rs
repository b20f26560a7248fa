//! Earlier answers of this program that are read back: restored as they were stated, and never stronger.
//!
//! A file says what was concluded once, perhaps from the very evidence that stands beside it now. So its statements are no
//! votes: where they stand alone they are the answer, with the confidence and the basis that they give but at most
//! *probable*, since a document confirms nothing by itself; where there is evidence, they fill what it leaves open.

use umbilical_core::answer::earlier::Stated;
use umbilical_core::answer::{Cellular, Host, Level};
use umbilical_core::finding::CODES;
use umbilical_core::weight::{NONE_OF_THEM, level};
use umbilical_core::{Basis, Kind};

use super::claims::{Claimed, FactRef, Reason};
use super::{ModuleVerdict, Placed, ProductVerdict, Verdict};

/// The row that reasons of this kind are matched with.
const MATCHED: &str = "an earlier answer of this program, as its file states it";
/// How the sentence of a finding begins that an earlier answer had.
pub const EARLIER_FOUND: &str = "an earlier answer found:";
/// What a claim needs to fill a field.
const POSSIBLE: f64 = 0.5;

/// Modules, and pieces of evidence to collect, of one device: what a file says beyond that is no answer of ours.
const MOST: usize = 256;

type Line<'a> = (&'a Placed<'a>, Stated<'a>);

/// The verdict that earlier answers state.
pub fn restore(facts: &[Placed<'_>]) -> Verdict {
    let lines: Vec<Line<'_>> =
        facts.iter().filter(|p| p.fact.kind == Kind::Earlier).filter_map(|p| Some((p, Stated::parse(&p.fact.value)?))).collect();
    let mut notices = Vec::new();
    let modules = modules(&lines, &mut notices);
    let (mut cellular, confidence, because) = cellular(&lines);
    if !modules.is_empty() {
        cellular = Cellular::Yes;
    }
    let mut next: Vec<String> = Vec::new();
    for (placed, stated) in &lines {
        match stated.word {
            "next" if next.len() < MOST && !next.iter().any(|n| n == stated.text) => next.push(stated.text.to_owned()),
            "finding" => {
                if let Some((code, meaning)) = CODES.iter().find(|c| c.0 == stated.text)
                    && !notices.iter().any(|n: &(&str, String, FactRef)| n.0 == *code)
                {
                    notices.push((code, format!("{EARLIER_FOUND} {meaning}"), placed.at));
                }
            }
            _ => {}
        }
    }
    let undisclosed = modules.is_empty() && notices.iter().any(|n| n.0 == "undisclosed-modem");
    Verdict {
        cellular,
        cellular_confidence: confidence,
        cellular_because: because,
        host: host(&lines),
        product: product(&lines),
        modules,
        undisclosed,
        notices,
        next,
        // Nothing was looked up.
        tacs: Vec::new(),
    }
}

/// What evidence says, with earlier answers where it leaves something open. What was found once and is not seen now stays
/// found; what is seen now is not made surer by what was said of it before.
pub fn fill(mut seen: Verdict, stated: Verdict) -> Verdict {
    let mut taken = false;
    if seen.cellular == Cellular::Unknown || (seen.cellular == Cellular::No && stated.cellular == Cellular::Yes) {
        (seen.cellular, seen.cellular_confidence) = (stated.cellular, stated.cellular_confidence);
        seen.cellular_because = stated.cellular_because;
        taken = true;
    }
    if seen.modules.is_empty() {
        if seen.product.is_none() {
            seen.product = stated.product;
            seen.modules = stated.modules;
            taken |= !seen.modules.is_empty() || seen.product.is_some();
        }
    } else {
        let lone = seen.modules.len() == 1 && stated.modules.len() == 1;
        for old in stated.modules {
            let same = |m: &ModuleVerdict| m.imeis.iter().any(|i| old.imeis.contains(i));
            let apart = |m: &ModuleVerdict| !m.imeis.is_empty() && !old.imeis.is_empty() && !same(m);
            let other = seen.modules.iter().all(apart);
            match seen.modules.iter_mut().find(|m| same(m) || (lone && !apart(m))) {
                Some(module) => {
                    if let (Some(now), Some(then)) = (&module.maker, &old.maker)
                        && now != then
                        && let Some(at) = old.claims.first().and_then(|c| c.because.first()).map(|r| r.fact)
                    {
                        let what = format!("an earlier answer names {then} as the maker, this evidence {now}");
                        seen.notices.push(("identity-conflict", what, at));
                    } else if old.level < module.level {
                        let imeis = std::mem::take(&mut module.imeis);
                        let firmware = module.firmware.take();
                        *module = old;
                        module.imeis.extend(imeis);
                        module.imeis.sort_unstable();
                        module.imeis.dedup();
                        module.firmware = firmware.or_else(|| module.firmware.take());
                        taken = true;
                    }
                }
                None if other => {
                    seen.modules.push(old);
                    taken = true;
                }
                None => {}
            }
        }
        seen.modules.sort_by(order);
    }
    for notice in stated.notices {
        if !seen.notices.iter().any(|n| n.0 == notice.0) {
            seen.notices.push(notice);
        }
    }
    seen.notices.sort();
    seen.host = seen.host.or(stated.host);
    seen.undisclosed |= stated.undisclosed && seen.modules.is_empty();
    if taken {
        seen.next = stated.next;
    }
    seen
}

fn order(a: &ModuleVerdict, b: &ModuleVerdict) -> std::cmp::Ordering {
    b.confidence.total_cmp(&a.confidence).then_with(|| (&a.maker, &a.model, &a.imeis).cmp(&(&b.maker, &b.model, &b.imeis)))
}

/// A module found outweighs none found, and an answer outweighs none.
fn cellular(lines: &[Line<'_>]) -> (Cellular, f64, Vec<Reason>) {
    let rank = |word: &str| match word {
        "yes" => 2,
        "no" => 1,
        _ => 0,
    };
    let stated = lines.iter().filter(|(_, s)| s.word == "cellular");
    let sure = |s: &Stated<'_>| s.confidence.unwrap_or(POSSIBLE);
    let best = stated.max_by(|(a, x), (b, y)| rank(x.text).cmp(&rank(y.text)).then(sure(x).total_cmp(&sure(y))).then(b.at.cmp(&a.at)));
    let Some((placed, stated)) = best else { return (Cellular::Unknown, POSSIBLE, Vec::new()) };
    let answer = match rank(stated.text) {
        2 => Cellular::Yes,
        1 => Cellular::No,
        _ => Cellular::Unknown,
    };
    (answer, sure(stated), vec![reason(placed.at, sure(stated))])
}

fn first<'a>(lines: &[Line<'a>], word: &str) -> Option<(FactRef, Stated<'a>)> {
    lines.iter().find(|(_, s)| s.word == word).map(|(p, s)| (p.at, s.clone()))
}

fn host(lines: &[Line<'_>]) -> Option<Host> {
    let (brand, model) = (first(lines, "host-brand"), first(lines, "host-model"));
    let basis = brand.as_ref().or(model.as_ref())?.1.basis.unwrap_or(Basis::Declared);
    let text = |s: Option<(FactRef, Stated<'_>)>| s.map(|(_, s)| s.text.to_owned());
    Some(Host { brand: text(brand), model: text(model), basis })
}

fn product(lines: &[Line<'_>]) -> Option<ProductVerdict> {
    let (_, stated) = first(lines, "product")?;
    let kind = ["dongle", "handset", "router"].into_iter().find(|k| *k == stated.text).unwrap_or("other");
    let text = |word: &str| first(lines, word).map(|(_, s)| s.text.to_owned());
    Some(ProductVerdict {
        kind,
        brand: text("product-brand"),
        model: text("product-model"),
        confidence: stated.confidence.unwrap_or(POSSIBLE),
        basis: stated.basis.unwrap_or(Basis::Declared),
    })
}

/// The modules of all lines: each line has at most one, its IMEIs on its parts.
fn modules(lines: &[Line<'_>], notices: &mut Vec<(&'static str, String, FactRef)>) -> Vec<ModuleVerdict> {
    let mut out: Vec<(Option<String>, ModuleVerdict)> = Vec::new();
    // The facts of a record stand together.
    for record in lines.chunk_by(|(a, _), (b, _)| a.at.record == b.at.record) {
        let own: Vec<Line<'_>> = record.iter().filter(|(p, _)| p.part > 0).cloned().collect();
        let Some((at, head)) = first(&own, "module") else { continue };
        let module = module(&own, at, &head);
        let number = first(&own, "number").map(|(_, s)| s.text.to_owned());
        let alike = |m: &ModuleVerdict| {
            (&m.maker, &m.model, &m.variant, &m.imeis) == (&module.maker, &module.model, &module.variant, &module.imeis)
        };
        let shared = |m: &ModuleVerdict| m.imeis.iter().any(|i| module.imeis.contains(i));
        let full = out.len() >= MOST;
        match out.iter_mut().find(|(n, m)| shared(m) || (*n == number && alike(m))) {
            Some((_, known)) => {
                if let (Some(a), Some(b)) = (&known.maker, &module.maker)
                    && a != b
                    && notices.len() < MOST
                {
                    notices.push(("identity-conflict", format!("earlier answers name different makers: {}", names(a, b)), at));
                }
                if order(&module, known).is_lt() {
                    *known = module;
                }
            }
            None if !full => out.push((number, module)),
            None => {}
        }
    }
    let mut out: Vec<ModuleVerdict> = out.into_iter().map(|(_, module)| module).collect();
    out.sort_by(order);
    out
}

fn names(a: &str, b: &str) -> String {
    if a < b { format!("{a} / {b}") } else { format!("{b} / {a}") }
}

fn module(own: &[Line<'_>], at: FactRef, head: &Stated<'_>) -> ModuleVerdict {
    let text = |word: &str| first(own, word).map(|(_, s)| s.text.to_owned());
    let mut claims: Vec<Claimed> = own.iter().filter_map(|(p, s)| claim(p.at, s)).collect();
    // A field stands on a claim at *possible* or better: one that the file lacks fills nothing.
    let held = |claims: &[Claimed], level: Level, value: Option<String>| {
        value.filter(|v| claims.iter().any(|c| c.level == level && c.value == *v && c.confidence >= POSSIBLE))
    };
    let brand = held(&claims, Level::Brand, text("brand"));
    let maker = held(&claims, Level::Maker, text("maker"));
    let model = held(&claims, Level::Model, text("model"));
    let variant = held(&claims, Level::Variant, text("variant"));
    let family = held(&claims, Level::Family, text("family"));
    let stated = Level::from_name(head.text).unwrap_or(Level::Cellular);
    let (confidence, basis) = (head.confidence.unwrap_or(POSSIBLE), head.basis.unwrap_or(Basis::Declared));
    let top = |level: Level| claims.iter().filter(|c| c.level == level).max_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let named = |level: Level| match level {
        Level::Variant => variant.clone(),
        Level::Model => model.clone(),
        Level::Family => family.clone(),
        Level::Maker => maker.clone(),
        Level::Brand => brand.clone(),
        Level::Silicon | Level::Cellular => top(level).map(|c| c.value.clone()),
    };
    // The level that the line states, or the next one below that it fills.
    let levels = Level::ALL.into_iter().filter(|l| *l >= stated);
    let found = levels.filter_map(|l| Some((l, named(l)?))).next();
    let (deciding, confidence, basis) = match found {
        Some((level, value)) => {
            let claim = claims.iter().find(|c| c.level == level && c.value == value);
            // Whatever the head of the line says, it is no surer than its claim.
            let held = claim.map_or(confidence, |c| c.confidence.min(if level == stated { confidence } else { c.confidence }));
            let basis = claim.map_or(basis, |c| c.basis);
            ((level, value), held, basis)
        }
        None => {
            let value = "yes".to_owned();
            claims.push(Claimed { level: Level::Cellular, value: value.clone(), ..claimed(at, confidence, basis) });
            ((Level::Cellular, value), confidence, basis)
        }
    };
    // Those that are as sure as each other stay as the file has them.
    claims.sort_by(|a, b| a.level.cmp(&b.level).then(b.confidence.total_cmp(&a.confidence)));
    let mut seen: Vec<(Level, String)> = Vec::new();
    claims.retain(|c| {
        let new = !seen.iter().any(|(level, value)| *level == c.level && *value == c.value);
        if new {
            seen.push((c.level, c.value.clone()));
        }
        new
    });
    let mut imeis: Vec<u32> = own.iter().filter_map(|(p, _)| p.imei).collect();
    imeis.sort_unstable();
    imeis.dedup();
    ModuleVerdict {
        brand,
        maker,
        model,
        sold_as: text("sold-as"),
        variant,
        family,
        level: deciding.0,
        deciding: deciding.1,
        confidence,
        confidence_level: level(confidence, 1, false),
        basis,
        chipset: text("chipset"),
        rats: own.iter().filter(|(_, s)| s.word == "rat").map(|(_, s)| s.text.to_owned()).collect(),
        claims,
        conflicts: Vec::new(),
        imeis,
        firmware: text("firmware"),
        rebranded: false,
    }
}

fn claim(at: FactRef, stated: &Stated<'_>) -> Option<Claimed> {
    let level = Level::from_name(stated.word.strip_prefix("claim-")?)?;
    let (confidence, basis) = (stated.confidence.unwrap_or(POSSIBLE), stated.basis.unwrap_or(Basis::Declared));
    Some(Claimed { level, value: stated.text.to_owned(), ..claimed(at, confidence, basis) })
}

/// A claim that one statement carries: a document, so at most *probable*.
fn claimed(at: FactRef, confidence: f64, basis: Basis) -> Claimed {
    let reason = reason(at, confidence);
    Claimed {
        level: Level::Cellular,
        value: String::new(),
        score: reason.weight,
        confidence,
        confidence_level: level(confidence, 1, false),
        basis,
        because: vec![reason],
        against: Vec::new(),
    }
}

/// The weight that gives a lone claim this confidence.
fn reason(fact: FactRef, confidence: f64) -> Reason {
    let c = confidence.clamp(0.0001, 0.9999);
    #[expect(clippy::cast_possible_truncation, reason = "at most ten nats")]
    let weight = ((c / (1.0 - c)).ln() * 1000.0).round() as i32;
    Reason { fact, weight: weight.saturating_add(NONE_OF_THEM), matched: MATCHED.into() }
}
