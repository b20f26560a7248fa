//! One document: its parts typed, its state, what is noteworthy.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::json;
use umbilical_core::At;
use umbilical_core::answer::bom::{AlternateAnswer, FileAnswer, PartAnswer, Rest, TierKind};
use umbilical_core::answer::{Because, Behind, Module};
use umbilical_core::bom::{Alternate, Bom, Design, Effectivity, Part, PartKind, Placed};
use umbilical_core::finding::{Finding, Subject};
use umbilical_core::id::content_id;
use umbilical_core::signed::{Signed, SignedState, Standing};
use umbilical_core::text::clean;
use umbilical_knowledge::Knowledge;

use super::kind::{Identified, Line, Typer};
use super::state::{Declared, is_module};
use super::{Options, shared, tiers};
use crate::findings::raise;
use crate::owners::Owners;
use crate::shown;

/// Broken signatures that a finding names one by one.
const SIGNATURES: usize = 4;

/// What judging a document needs and keeps from one to the next.
pub(super) struct Judge<'k> {
    pub kb: &'k Knowledge,
    pub typer: Typer<'k>,
    pub owners: Owners<'k>,
    pub options: &'k Options,
}

/// What is known of a document beside its parts.
pub(super) struct Names<'a> {
    pub path: &'a str,
    pub format: &'a str,
    pub rest: Rest,
}

/// A document as it is being judged.
struct Page<'a> {
    path: &'a str,
    input: u32,
    locate: &'a dyn Fn(At) -> String,
}

impl Judge<'_> {
    /// Judges one document.
    pub fn file(&mut self, bom: Bom, names: Names<'_>, locate: &dyn Fn(At) -> String) -> FileAnswer {
        let Bom { input, design, product, parts, signed, .. } = bom;
        let page = Page { path: names.path, input, locate };
        let (mut placed, mut not_placed) = (Vec::with_capacity(parts.len()), Vec::new());
        let paths = paths(&parts);
        let mut owned: FxHashMap<Box<str>, Arc<[Behind]>> = FxHashMap::default();
        for ((number, mut part), path) in (0u32..).zip(parts).zip(paths) {
            if let Some(why) = self.not_effective(&part.effective) {
                part.placed = Placed::No(why.into());
            }
            let answer = self.part(number, part, path, &page, &mut owned);
            if answer.part.is_placed() { placed.push(answer) } else { not_placed.push(answer) }
        }
        tiers::fill(&mut placed, &product, self.kb, &self.owners);
        let own = Declared::of(placed.iter().map(|p| (0, p)), not_placed.iter().map(|p| (0, p)), &|_, part| part.at.clone());
        let (state, because) = (own.state, own.because);
        let mut findings = findings(&placed, &page);
        findings.extend(signed.as_ref().and_then(|s| signature(s, page.path)));
        findings.sort_by(|a, b| a.worst_first(b));
        FileAnswer {
            input,
            path: names.path.to_owned(),
            format: names.format.to_owned(),
            design: design.unwrap_or(Design::List),
            product,
            state,
            because,
            parts: placed,
            not_placed,
            completeness: None,
            signed,
            findings,
            rest: names.rest,
        }
    }

    fn part(
        &mut self,
        number: u32,
        part: Part,
        path: Arc<[String]>,
        page: &Page<'_>,
        owned: &mut FxHashMap<Box<str>, Arc<[Behind]>>,
    ) -> PartAnswer {
        let at = (page.locate)(part.at);
        let typed = self.typer.of(Line {
            value: part.value.as_deref(),
            mpn: part.mpn.as_deref(),
            manufacturer: part.manufacturer.as_deref(),
            description: part.description.as_deref(),
            role: part.role.as_deref(),
        });
        let module = typed.module.as_deref().map(|found| self.module(found, page, &at));
        let ownership: Arc<[Behind]> = match &module {
            Some(module) => module.ownership.clone().into(),
            None => match &typed.org {
                Some(org) => {
                    Arc::clone(owned.entry(org.clone()).or_insert_with(|| [Behind { role: "maker", trace: self.owners.org(org) }].into()))
                }
                None => Arc::default(),
            },
        };
        let alternates: Vec<AlternateAnswer> = part.alternates.iter().map(|a| self.alternate(a, &part, page, &at)).collect();
        let worst = worst(&part, module.as_deref(), typed.kind, &alternates);
        let kind = if typed.kind == PartKind::Module || !alternates.iter().any(|a| a.kind == PartKind::Module) {
            typed.kind
        } else {
            PartKind::Module
        };
        let line = if part.at.unit == 0 && part.at.n > 0 { Some(part.at.n) } else { None };
        let known_by = match &typed.hint {
            Some(hint) => shared(&format!("{}; publicly reported to carry {hint}", typed.known_by)),
            None => Arc::clone(&typed.known_by),
        };
        PartAnswer {
            index: number,
            at,
            line,
            path,
            kind,
            known_by,
            maker: typed.maker.clone(),
            ownership,
            module,
            tiers: Vec::new(),
            alternates,
            worst,
            part,
        }
    }

    fn alternate(&mut self, alternate: &Alternate, of: &Part, page: &Page<'_>, at: &str) -> AlternateAnswer {
        let typed = self.typer.of(Line {
            value: alternate.value.as_deref(),
            mpn: alternate.mpn.as_deref(),
            // An alternate without a maker of its own comes from the line's.
            manufacturer: alternate.manufacturer.as_deref().or(of.manufacturer.as_deref()),
            description: of.description.as_deref(),
            role: of.role.as_deref(),
        });
        let module = typed.module.as_deref().map(|found| self.module(found, page, at));
        AlternateAnswer { part: alternate.clone(), kind: typed.kind, maker: typed.maker.clone(), module }
    }

    fn module(&self, found: &Identified, page: &Page<'_>, at: &str) -> Arc<Module> {
        let verdict = &found.verdict;
        let ownership = self.owners.behind(verdict.maker.as_deref(), verdict.brand.as_deref());
        let because = |reason: &crate::identify::claims::Reason| {
            let fact = found.facts.get(reason.fact.fact as usize)?;
            Some(Because {
                input: page.input,
                at: at.to_owned(),
                group: fact.group.name(),
                kind: fact.kind.name(),
                value: fact.value.to_string(),
                basis: fact.basis,
                weight: reason.weight,
                matched: clean(&reason.matched).into_owned(),
            })
        };
        Arc::new(shown::module(verdict, &format!("{} {at}", page.path), ownership, Vec::new(), &because))
    }

    /// Why a line does not hold for the piece that is asked about.
    fn not_effective(&self, line: &Effectivity) -> Option<String> {
        if line.is_open() {
            return None;
        }
        if let Some(serial) = self.options.serial.as_deref() {
            let before = line.serial_from.as_deref().is_some_and(|from| order(serial, from).is_lt());
            let after = line.serial_to.as_deref().is_some_and(|to| order(serial, to).is_gt());
            if before || after {
                return Some(format!("not effective for serial {}", clean(serial)));
            }
        }
        let built = self.options.built?;
        let before = line.from.is_some_and(|from| built < from);
        let after = line.to.is_some_and(|to| built >= to);
        (before || after).then(|| format!("not effective on {built}"))
    }
}

/// Serial numbers in order: runs of digits by value, everything else by letter.
fn order(a: &str, b: &str) -> std::cmp::Ordering {
    let split = |text: &str| {
        let mut out: Vec<(String, Option<u128>)> = Vec::new();
        for c in text.trim().chars() {
            let digit = c.is_ascii_digit();
            match out.last_mut() {
                Some((run, number)) if number.is_some() == digit => run.push(c),
                _ => out.push((c.to_string(), digit.then_some(0))),
            }
        }
        out.into_iter().map(|(run, n)| (n.and_then(|_| run.parse::<u128>().ok()), run)).collect::<Vec<_>>()
    };
    let key = |run: &(Option<u128>, String)| (run.0.is_none(), run.0, if run.0.is_none() { run.1.to_uppercase() } else { String::new() });
    split(a).iter().map(key).cmp(split(b).iter().map(key))
}

/// The names of the assemblies that hold each part, outermost first; parts of one assembly share the list.
fn paths(parts: &[Part]) -> Vec<Arc<[String]>> {
    let none: Arc<[String]> = Arc::default();
    let mut inside: Vec<Option<Arc<[String]>>> = vec![None; parts.len()];
    let mut out: Vec<Arc<[String]>> = Vec::with_capacity(parts.len());
    for (i, part) in parts.iter().enumerate() {
        // An assembly stands before what it holds; a reference that does not is dropped.
        let parent = part.parent.map(|p| p as usize).filter(|p| *p < i);
        let path = match parent {
            None => Arc::clone(&none),
            Some(p) => match inside.get(p).cloned().flatten() {
                Some(known) => known,
                None => {
                    let above = out.get(p).cloned().unwrap_or_else(|| Arc::clone(&none));
                    let name = parts.get(p).and_then(assembly_name).unwrap_or_else(|| "unnamed".into());
                    let made: Arc<[String]> = above.iter().cloned().chain([name]).collect();
                    if let Some(slot) = inside.get_mut(p) {
                        *slot = Some(Arc::clone(&made));
                    }
                    made
                }
            },
        };
        out.push(path);
    }
    out
}

pub(super) fn assembly_name(part: &Part) -> Option<String> {
    part.value.as_deref().or(part.mpn.as_deref()).or(part.description.as_deref()).map(|n| clean(n).into_owned())
}

/// Of a part and its alternates the one that counts: most lists name its owners, then most laws reach it, then least is
/// known of it. The same measure for every maker.
fn worst(part: &Part, own: Option<&Module>, kind: PartKind, alternates: &[AlternateAnswer]) -> Option<String> {
    if alternates.is_empty() {
        return None;
    }
    let weight = |module: Option<&Module>, kind: PartKind| {
        let listed: usize = module.map_or(0, |m| m.ownership.iter().map(|b| b.listings.len()).sum());
        let laws: usize = module.map_or(0, |m| m.jurisdictions.iter().map(|j| j.laws.len()).sum());
        (kind == PartKind::Module, listed, laws, module.is_some_and(|m| m.ownership.is_empty()))
    };
    let name = |value: Option<&str>, mpn: Option<&str>| clean(mpn.or(value).unwrap_or("unnamed")).into_owned();
    let mut best = (weight(own, kind), name(part.value.as_deref(), part.mpn.as_deref()));
    for a in alternates {
        let other = weight(a.module.as_deref(), a.kind);
        if other > best.0 {
            best = (other, name(a.part.value.as_deref(), a.part.mpn.as_deref()));
        }
    }
    Some(best.1)
}

/// A part in a few words: designators, maker, name.
pub(super) fn said(part: &PartAnswer) -> String {
    let p = &part.part;
    let designators = match p.designators.as_slice() {
        [] => String::new(),
        [first] => format!("{first} "),
        [first, ..] => format!("{first}… "),
    };
    let name = p.name().or(p.description.as_deref()).unwrap_or("unnamed");
    let maker = p.manufacturer.as_deref().filter(|m| !name.to_lowercase().contains(&m.to_lowercase())).map(|m| format!("{m} "));
    clean(&format!("{designators}{}{}", maker.unwrap_or_default(), umbilical_core::text::short(name, 80))).into_owned()
}

/// What locates a finding about a part, and what it is about.
pub(super) fn detail(part: &PartAnswer, file: &str) -> serde_json::Value {
    let p = &part.part;
    json!({
        "file": file,
        "line": part.line,
        "at": part.at,
        "path": &*part.path,
        "designators": p.designators,
        "value": p.value,
        "mpn": p.mpn,
        "manufacturer": p.manufacturer,
        "kind": part.kind,
        "maker": part.module.as_deref().and_then(|m| m.maker.as_deref()),
        "model": part.module.as_deref().and_then(|m| m.model.as_deref()),
    })
}

/// The id of a part: the same wherever its line moves to.
pub(super) fn subject(part: &PartAnswer, file: &str) -> Subject {
    let p = &part.part;
    let key = format!("{}\u{1f}{}\u{1f}{}\u{1f}{}", file, part.path.join("/"), p.designators.join(","), p.name().unwrap_or_default());
    Subject { kind: "part", id: content_id("prt-", "part", &key) }
}

/// What a document's modules raise. What is not disclosed is a matter of the product: see `project`.
fn findings(placed: &[PartAnswer], page: &Page<'_>) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::new();
    for part in placed.iter().filter(|p| is_module(p)) {
        let raise = |code: &'static str, because: Vec<String>| raise(code, subject(part, page.path), because, detail(part, page.path));
        let place = format!("({}, {})", page.path, part.at);
        if let Some(module) = part.module.as_deref().or_else(|| part.alternates.iter().find_map(|a| a.module.as_deref())) {
            let mut because = vec![format!("{} is a cellular module: {} {place}", said(part), identity(module))];
            because.extend(module.ownership.iter().map(|b| b.statement.clone()));
            out.extend(raise("cellular-module", because).map(|mut f| {
                f.confidence = module.confidence;
                f
            }));
        }
        let makers: BTreeSet<&str> = part
            .alternates
            .iter()
            .filter_map(|a| a.module.as_deref())
            .chain(part.module.as_deref())
            .map(|m| m.maker.as_deref().unwrap_or("an unknown maker"))
            .collect();
        if makers.len() > 1 {
            let mut because =
                vec![format!("{} allows modules of {} {place}", said(part), makers.into_iter().collect::<Vec<_>>().join(", "))];
            because.extend(part.worst.as_ref().map(|w| format!("{w} is the one that counts: most lists or laws reach it")));
            out.extend(raise("open-alternates", because));
        }
        let gaps: Vec<&str> = part.tiers.iter().filter(|t| t.name.is_none()).map(|t| t.tier.name()).collect();
        if !gaps.is_empty() && gaps.len() < TierKind::ALL.len() {
            out.extend(raise("missing-tier", vec![format!("nobody has named {} of {} {place}", gaps.join(", "), said(part))]));
        }
    }
    out.sort_by(|a, b| a.worst_first(b));
    out.dedup_by(|a, b| a.id == b.id);
    out
}

/// What is noteworthy about the signatures inside a document.
fn signature(signed: &Signed, file: &str) -> Option<Finding> {
    let code = match signed.state {
        SignedState::Broken => "broken-signature",
        SignedState::Absent | SignedState::NotVerified if signed.asked => "unproved-signature",
        _ => return None,
    };
    let mut because: Vec<String> = signed.because.iter().map(|why| format!("{file}: {}", clean(why))).collect();
    let broken = signed.signatures.iter().filter(|s| s.standing == Standing::Broken);
    because.extend(broken.take(SIGNATURES).map(|s| clean(&format!("{}: {}", s.at, s.what)).into_owned()));
    let subject = Subject { kind: "file", id: content_id("doc-", "document", file) };
    raise(code, subject, because, json!({ "file": file, "line": null, "at": "file", "state": signed.state }))
}

/// A module by name, as far as it is known.
fn identity(module: &Module) -> String {
    let maker = module.maker.as_deref().unwrap_or("maker unknown");
    match module.model.as_deref().or(module.family.as_deref()) {
        Some(model) => format!("{maker} {model}, {}", module.confidence_level.name()),
        None => format!("{maker}, {}", module.confidence_level.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_ordered_by_their_numbers() {
        assert!(order("GW-99", "GW-100").is_lt() && order("gw-7", "GW-7").is_eq() && order("B1", "A2").is_gt());
    }

    #[test]
    fn parts_know_the_assemblies_that_hold_them() {
        let part = |value: &str, parent: Option<u32>| Part { value: Some(value.into()), parent, ..Part::default() };
        let parts = [part("gateway", None), part("radio board", Some(0)), part("EC25", Some(1)), part("loop", Some(3)), part("case", None)];
        let found = paths(&parts);
        let names: Vec<String> = found.iter().map(|p| p.join(" > ")).collect();
        assert_eq!(names, ["", "gateway", "gateway > radio board", "", ""]);
    }
}
