//! One revision, taken apart into what can be aligned: each designator by itself, and lines without any as they are.

use rustc_hash::FxHashMap;
use umbilical_core::answer::bom::{Check, FileAnswer, PartAnswer};
use umbilical_core::bom::PartKind;
use umbilical_core::text::clean;
use umbilical_knowledge::key;

/// A revision of one or more documents.
pub(super) struct Side<'c> {
    pub lines: Vec<Line<'c>>,
    pub units: Vec<Unit<'c>>,
}

/// A line of a document.
#[derive(Clone, Copy)]
pub(super) struct Line<'c> {
    pub part: &'c PartAnswer,
    pub file: &'c FileAnswer,
    /// The product of several that it belongs to; empty where a side is one product.
    pub scope: &'c str,
}

/// What is aligned: one designator, or a line without any.
#[derive(Clone, Copy)]
pub(super) struct Unit<'c> {
    pub line: u32,
    pub designator: Option<&'c str>,
    /// Pieces.
    pub amount: u64,
}

impl<'c> Side<'c> {
    /// Takes the documents of a revision apart. What a second document of the product repeats counts once, as the
    /// document has it that says more.
    pub fn new(check: &'c Check, scoped: bool) -> Self {
        let mut side = Self { lines: Vec::new(), units: Vec::new() };
        let mut known: FxHashMap<(&str, &[String], String), (usize, usize)> = FxHashMap::default();
        let several = check.files.len() > 1;
        for (number, file) in check.files.iter().enumerate() {
            let project = check.projects.iter().find(|p| p.files.iter().any(|f| *f as usize == number));
            let scope = project.filter(|_| scoped).map_or("", |p| tail(&p.path));
            for part in file.parts.iter().chain(&file.not_placed) {
                let line = u32::try_from(side.lines.len()).unwrap_or(u32::MAX);
                side.lines.push(Line { part, file, scope });
                let named = part.part.designators.iter().map(|d| &**d).filter(|d| is_designator(d));
                let before = side.units.len();
                for designator in named {
                    let unit = Unit { line, designator: Some(designator), amount: 1 };
                    if several {
                        let at = (scope, &*part.path, designator.to_uppercase());
                        if let Some((document, place)) = known.get(&at).filter(|(document, _)| *document != number) {
                            let (document, place) = (*document, *place);
                            side.richer(place, unit);
                            known.insert(at, (document, place));
                            continue;
                        }
                        known.insert(at, (number, side.units.len()));
                    }
                    side.units.push(unit);
                }
                // Not yet numbered (`U?`), or no designators at all.
                if side.units.len() == before && !part.part.designators.iter().any(|d| is_designator(d)) {
                    side.units.push(Unit { line, designator: None, amount: part.part.quantity.map_or(1, u64::from).max(1) });
                }
            }
        }
        side
    }

    pub fn line(&self, unit: u32) -> Option<&Line<'c>> {
        self.lines.get(self.unit(unit)?.line as usize)
    }

    pub fn unit(&self, unit: u32) -> Option<&Unit<'c>> {
        self.units.get(unit as usize)
    }

    /// Puts a unit in the place of another, where its line says more.
    fn richer(&mut self, place: usize, unit: Unit<'c>) {
        let says = |line: u32| self.lines.get(line as usize).map_or(0, |l| says(l.part));
        let (new, old) = (says(unit.line), self.units.get(place).map_or(0, |u| says(u.line)));
        if let Some(slot) = self.units.get_mut(place).filter(|_| new > old) {
            *slot = unit;
        }
    }
}

/// How many of the fields that name a part are filled.
fn says(part: &PartAnswer) -> usize {
    let p = &part.part;
    [&p.value, &p.mpn, &p.manufacturer, &p.origin].iter().filter(|c| c.is_some()).count().saturating_add(p.alternates.len())
}

/// The last name of a path: what products of two revisions have in common.
fn tail(path: &str) -> &str {
    path.rsplit(['/', '!']).next().unwrap_or(path)
}

fn is_designator(text: &str) -> bool {
    !text.trim().is_empty() && !text.ends_with('?')
}

pub(super) fn is_module(part: &PartAnswer) -> bool {
    part.kind == PartKind::Module
}

/// The maker by its usual name, else as written.
pub(super) fn maker(part: &PartAnswer) -> Option<&str> {
    let module = part.module.as_deref().and_then(|m| m.maker.as_deref());
    module.or(part.maker.as_deref()).or(part.part.manufacturer.as_deref())
}

/// The module's model.
pub(super) fn model(part: &PartAnswer) -> Option<&str> {
    part.module.as_deref().and_then(|m| m.model.as_deref())
}

/// A name without its blanks and case. Other signs stay: `1.0k` is not `10k`.
pub(super) fn plain(text: &str) -> String {
    clean(text).chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect()
}

/// A firm's name by its letters and digits.
pub(super) fn firm(text: &str) -> String {
    let short = key(text);
    if short.is_empty() { plain(text) } else { short }
}

/// What a part is called: its model where the catalogue knows it, else as declared.
pub(super) fn name(part: &PartAnswer) -> Option<String> {
    model(part).or(part.part.name()).or(part.part.description.as_deref()).map(plain).filter(|n| !n.is_empty())
}
