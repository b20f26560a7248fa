//! What the declared documents say together: the places in which a module is, may be or must be.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use umbilical_core::answer::bom::{Check, FileAnswer, PartAnswer, State};
use umbilical_core::answer::verify::{Declared, DeclaredPart};
use umbilical_core::answer::{Because, Module};
use umbilical_core::bom::PartKind;
use umbilical_core::text::clean;
use umbilical_core::{Basis, Group};
use umbilical_knowledge::key;

use super::fit::Wanted;

/// More pieces of one line than this are one place: it is no board that is declared there.
const MOST: usize = 8;

/// A place for a module, as one or several documents declare it.
pub(super) struct Slot<'a> {
    /// The line that is shown.
    pub part: &'a PartAnswer,
    /// Its document.
    pub file: &'a FileAnswer,
    /// Lines of further documents about the same place.
    pub also: Vec<(&'a PartAnswer, &'a FileAnswer)>,
    /// Designator of this piece, where the line has one for each.
    pub designators: Vec<String>,
}

impl<'a> Slot<'a> {
    /// Everything that may stand there: the part, its alternates, what other documents declare in its place.
    pub fn choices(&self) -> Vec<Choice<'a>> {
        let lines = std::iter::once((self.part, self.file)).chain(self.also.iter().copied());
        let mut out: Vec<Choice<'a>> = Vec::new();
        for (number, (part, file)) in lines.enumerate() {
            let fcc = part.part.fcc_id.as_deref();
            let role = if number == 0 { Role::Part } else { Role::Elsewhere(file) };
            out.push(Choice { wanted: wanted(part.module.as_deref(), part.maker.as_deref(), fcc), role });
            for other in &part.alternates {
                if other.module.is_some() || matches!(other.kind, PartKind::Module | PartKind::Carrier) {
                    out.push(Choice { wanted: wanted(other.module.as_deref(), other.maker.as_deref(), None), role: Role::Alternate });
                }
            }
        }
        // What another document repeats is no choice of its own.
        let mut seen: Vec<String> = Vec::new();
        let named = out.iter().any(|c| !c.wanted.is_open());
        out.retain(|c| {
            if named && c.wanted.is_open() {
                return false;
            }
            let name = c.wanted.words();
            let new = !seen.contains(&name);
            seen.push(name);
            new
        });
        out
    }

    /// As the answer shows it.
    pub fn shown(&self) -> DeclaredPart {
        let p = &self.part.part;
        let text = |cell: &Option<Box<str>>| cell.as_deref().map(|t| clean(t).into_owned());
        DeclaredPart {
            input: self.file.input,
            file: self.file.path.clone(),
            at: self.part.at.clone(),
            line: self.part.line,
            value: text(&p.value),
            mpn: text(&p.mpn),
            manufacturer: text(&p.manufacturer),
            kind: self.part.kind,
            path: Arc::clone(&self.part.path),
            module: self.part.module.clone(),
            alternates: self.part.alternates.clone(),
            also: self.also.iter().map(|(part, file)| format!("{}, {}", file.path, part.at)).collect(),
        }
    }

    /// The declared lines as evidence.
    pub fn because(&self) -> Vec<Because> {
        std::iter::once((self.part, self.file)).chain(self.also.iter().copied()).map(|(part, file)| line(part, file)).collect()
    }

    /// Where it stands, in words: `U5, bom.csv, line 47`.
    pub fn place(&self) -> String {
        let mut words: Vec<&str> = self.designators.iter().map(String::as_str).take(3).collect();
        words.push(&self.file.path);
        words.push(&self.part.at);
        words.join(", ")
    }
}

/// One thing that may stand in a place.
pub(super) struct Choice<'a> {
    pub wanted: Wanted<'a>,
    pub role: Role<'a>,
}

/// By what right it may stand there.
#[derive(Clone, Copy)]
pub(super) enum Role<'a> {
    /// It is the line's own part.
    Part,
    /// The line names it as an alternate.
    Alternate,
    /// Another document declares it in this place.
    Elsewhere(&'a FileAnswer),
}

fn wanted<'a>(module: Option<&'a Module>, maker: Option<&'a str>, fcc: Option<&'a str>) -> Wanted<'a> {
    let mut out = module.map(|m| Wanted::of(m, fcc)).unwrap_or_default();
    // Of a carrier or a slot the maker is the board's, not the module's.
    if module.is_some() && out.maker.is_none() && out.brand.is_none() {
        out.maker = maker;
    }
    out
}

/// A declared line as evidence: with the words that stand in it.
pub(super) fn line(part: &PartAnswer, file: &FileAnswer) -> Because {
    let p = &part.part;
    let mut words: Vec<&str> = p.designators.iter().map(|d| &**d).take(4).collect();
    for cell in [&p.manufacturer, &p.value, &p.mpn, &p.description].into_iter().flatten() {
        if !words.contains(&&**cell) {
            words.push(cell);
        }
    }
    let weight = part.module.as_deref().and_then(|m| m.because.iter().map(|b| b.weight).max()).unwrap_or(0);
    Because {
        input: file.input,
        at: part.at.clone(),
        group: Group::Document.name(),
        kind: part.kind.name(),
        value: umbilical_core::text::short(&clean(&words.join(" ")), 200).into(),
        basis: Basis::Declared,
        weight,
        matched: part.known_by.to_string(),
    }
}

/// The places of all documents together: what several documents of one product repeat is one place.
pub(super) fn slots(check: &Check) -> Vec<Slot<'_>> {
    let mut all: Vec<Slot<'_>> = Vec::new();
    for file in &check.files {
        let before = all.len();
        let mut taken = vec![false; before];
        for part in places(file) {
            for designators in pieces(part) {
                match all.iter().zip(&taken).position(|(slot, taken)| !taken && repeats(slot, part, &designators)) {
                    Some(at) => {
                        if let (Some(slot), Some(mark)) = (all.get_mut(at), taken.get_mut(at)) {
                            slot.also.push((part, file));
                            *mark = true;
                        }
                    }
                    None => all.push(Slot { part, file, also: Vec::new(), designators }),
                }
            }
        }
    }
    for slot in &mut all {
        // The line that names the module is the one to show.
        if slot.part.module.is_none()
            && let Some(named) = slot.also.iter().position(|(p, _)| p.module.is_some())
            && let Some(entry) = slot.also.get_mut(named)
        {
            std::mem::swap(&mut slot.part, &mut entry.0);
            std::mem::swap(&mut slot.file, &mut entry.1);
        }
    }
    all
}

/// The lines of a document that are a place for a module. The module on a carrier board is one place, not two; so is the
/// chip in a module. A chip alone is a modem only in a document that has neither.
fn places(file: &FileAnswer) -> Vec<&PartAnswer> {
    let modules = |p: &&PartAnswer| matches!(p.kind, PartKind::Module | PartKind::Carrier | PartKind::Slot);
    let found: Vec<&PartAnswer> = file.parts.iter().filter(modules).collect();
    if found.is_empty() {
        return file.parts.iter().filter(|p| p.kind == PartKind::Chipset).collect();
    }
    let parents: FxHashMap<u32, Option<u32>> = file.parts.iter().map(|p| (p.index, p.part.parent)).collect();
    let holders = |part: &PartAnswer| {
        let mut at = part.part.parent;
        let mut out = Vec::new();
        // A parent stands before its children, so the walk ends.
        while let Some(parent) = at.filter(|p| out.last().is_none_or(|last| p < last)) {
            out.push(parent);
            at = parents.get(&parent).copied().flatten();
        }
        out
    };
    let inside: Vec<u32> = found.iter().filter(|p| p.kind == PartKind::Module).flat_map(|p| holders(p)).collect();
    let module_of = |index: &u32| found.iter().any(|p| p.index == *index && p.kind == PartKind::Module);
    let is_place = |part: &&&PartAnswer| match part.kind {
        PartKind::Module => !holders(part).iter().any(module_of),
        _ => !inside.contains(&part.index),
    };
    found.iter().filter(is_place).copied().collect()
}

/// The pieces of a line, each with its designators.
fn pieces(part: &PartAnswer) -> Vec<Vec<String>> {
    let names: Vec<String> = part.part.designators.iter().map(|d| clean(d).into_owned()).collect();
    let count = part.part.quantity.map_or(1, |q| q as usize).max(names.len()).max(1);
    if count == 1 || count > MOST {
        return vec![names];
    }
    (0..count).map(|n| names.get(n).cloned().into_iter().collect()).collect()
}

/// Whether a line of another document declares the same place: the same module, or one designator and no other maker.
/// One designator and two makers are two boards, or documents that disagree: two places, of which one is not seen.
fn repeats(slot: &Slot<'_>, part: &PartAnswer, designators: &[String]) -> bool {
    let module = |p: &PartAnswer| p.module.as_deref().map(|m| Wanted::of(m, None).words());
    let maker = |p: &PartAnswer| p.module.as_deref().and_then(|m| m.maker.clone());
    if let (Some(a), Some(b)) = (module(slot.part), module(part))
        && a == b
    {
        return true;
    }
    let name = |p: &PartAnswer| p.part.name().map(key);
    if slot.part.module.is_none() && part.module.is_none() && name(slot.part).is_some() && name(slot.part) == name(part) {
        return true;
    }
    let same_maker = match (maker(slot.part), maker(part)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    same_maker && designators.iter().any(|d| slot.designators.contains(d))
}

/// The documents in short.
pub(super) fn summary(check: &Check) -> Declared {
    let first = |of: fn(&FileAnswer) -> &Option<Box<str>>| check.files.iter().find_map(|f| of(f).as_deref()).map(|t| clean(t).into_owned());
    let brand = first(|f| &f.product.brand).or_else(|| first(|f| &f.product.manufacturer));
    let model = first(|f| &f.product.model).or_else(|| first(|f| &f.product.name));
    let state = check.projects.iter().map(|p| p.state).min().unwrap_or(State::CleanAsDeclared);
    let because = check.projects.iter().filter(|p| p.state == state).flat_map(|p| p.because.clone()).collect();
    let tells = check.files.iter().flat_map(|f| f.parts.iter().map(move |p| (p, f)));
    let tells = tells.filter(|(p, _)| matches!(p.kind, PartKind::Sim | PartKind::CellularAntenna)).take(20).map(|(p, f)| line(p, f));
    Declared { brand, model, state, because, tells: tells.collect() }
}
