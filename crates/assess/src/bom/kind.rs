//! What a part is: its kind, its maker, and which module where it is one.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use umbilical_core::answer::Level;
use umbilical_core::bom::PartKind;
use umbilical_core::text::clean;
use umbilical_core::weight::{level, probability};
use umbilical_core::{Basis, Fact, Group, Kind};
use umbilical_knowledge::{Brand, BrandKind, Carrier, Knowledge, Module, PartWord, WordWeight};

use super::shared;
use crate::identify::claims::{Claimed, FactRef, Reason};
use crate::identify::learn::Lessons;
use crate::identify::{ModuleVerdict, Placed, identify};

/// The shortest name of a module that is believed as the beginning of a longer one without its maker.
const OWN_NAME: usize = 5;
/// How many different lines are remembered.
const MEMO: usize = 100_000;

/// What a document says of a part, in the fields by which it may be recognised, and the two that only describe it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line<'a> {
    pub value: Option<&'a str>,
    pub mpn: Option<&'a str>,
    pub manufacturer: Option<&'a str>,
    pub description: Option<&'a str>,
    pub role: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// The names it may be recognised by, the part number first.
    fn names(self) -> impl Iterator<Item = &'a str> {
        let value = self.value.filter(|v| Some(*v) != self.mpn);
        self.mpn.into_iter().chain(value).filter(|n| !n.trim().is_empty() && !is_uuid(n))
    }

    fn key(self) -> String {
        let fields = [self.value, self.mpn, self.manufacturer, self.description, self.role];
        fields.map(Option::unwrap_or_default).join("\u{1f}")
    }
}

/// What a line is taken to be.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub kind: PartKind,
    /// The row or word that says so.
    pub known_by: Arc<str>,
    /// The maker by its usual name.
    pub maker: Option<Arc<str>>,
    /// Its organisation.
    pub org: Option<Box<str>>,
    /// The module, and the facts that its reasons refer to.
    pub module: Option<Arc<Identified>>,
    /// What is publicly known to be inside, where the document does not say.
    pub hint: Option<Arc<str>>,
}

/// A module as a line declares it.
#[derive(Clone, Debug)]
pub(super) struct Identified {
    pub verdict: ModuleVerdict,
    pub facts: Vec<Fact>,
}

/// Types parts; lines that repeat are typed once.
pub(super) struct Typer<'k> {
    kb: &'k Knowledge,
    lessons: Lessons,
    makers: FxHashMap<Box<str>, Maker<'k>>,
    known: FxHashMap<Box<str>, Arc<Typed>>,
}

/// A maker as written, looked up.
#[derive(Clone, Copy, Debug, Default)]
struct Maker<'k> {
    brand: Option<&'k Brand>,
    org: Option<&'k umbilical_knowledge::Organisation>,
    /// One that makes no modules and is no brand: its usual name.
    of_parts: Option<&'k str>,
}

impl<'k> Maker<'k> {
    fn name(self) -> Option<&'k str> {
        self.brand.map(|b| &*b.brand).or(self.of_parts).or_else(|| self.org.map(|o| &*o.name))
    }

    fn org(self) -> Option<&'k str> {
        self.org.map(|o| &*o.id)
    }
}

impl<'k> Typer<'k> {
    pub fn new(kb: &'k Knowledge) -> Self {
        Self { kb, lessons: Lessons::default(), makers: FxHashMap::default(), known: FxHashMap::default() }
    }

    /// What a line is.
    pub fn of(&mut self, line: Line<'_>) -> Arc<Typed> {
        let key = line.key();
        if let Some(known) = self.known.get(key.as_str()) {
            return Arc::clone(known);
        }
        let typed = Arc::new(self.decide(line));
        if self.known.len() >= MEMO {
            self.known.clear();
        }
        self.known.insert(key.into(), Arc::clone(&typed));
        typed
    }

    fn maker(&mut self, written: &str) -> Maker<'k> {
        if let Some(known) = self.makers.get(written) {
            return *known;
        }
        let kb = self.kb;
        let brand = kb.brand(written).or_else(|| kb.brand_of(written)).or_else(|| kb.brands_in(written).first().map(|h| h.brand));
        let of_brand = brand.and_then(|b| kb.org(b.org.as_deref()?));
        let of_parts = if brand.is_none() { kb.part_maker(written) } else { None };
        let of_its_row = of_parts.and_then(|m| kb.org(m.org?));
        let org = of_brand.or(of_its_row).or_else(|| if brand.is_none() { kb.orgs_in(written).first().copied() } else { None });
        let maker = Maker { brand, org, of_parts: of_parts.map(|m| m.name) };
        if self.makers.len() >= MEMO {
            self.makers.clear();
        }
        self.makers.insert(written.into(), maker);
        maker
    }

    fn decide(&mut self, line: Line<'_>) -> Typed {
        let maker = line.manufacturer.map(|m| self.maker(m)).unwrap_or_default();
        let of = |kind: PartKind, known_by: &str| Typed {
            kind,
            known_by: shared(known_by),
            maker: maker.name().map(shared),
            org: maker.org().map(Into::into),
            module: None,
            hint: None,
        };
        // Software is named for the hardware it serves.
        match line.role.and_then(software) {
            Some(true) => return of(PartKind::Firmware, "declared as firmware"),
            Some(false) => return of(PartKind::Other, ""),
            None => {}
        }
        // A series of part numbers that is no module beats a module's name inside it, unless the maker says otherwise.
        let kb = self.kb;
        let series = line.names().find_map(|name| kb.part_series(name, line.manufacturer));
        if let Some(hit) = series.filter(|h| h.certain && h.series.kind != PartKind::Module) {
            let typed = of(hit.series.kind, &format!("{}: {}", hit.series.what, hit.series.source));
            return self.carrying(typed, line);
        }
        if let Some(module) = line.names().find_map(|name| self.module_in(name, maker, line.manufacturer)) {
            return self.module(line, maker, Some(module));
        }
        if let Some(carrier) = line.names().find_map(|name| kb.carrier(line.manufacturer, name)) {
            let mut typed = of(PartKind::Carrier, &format!("{} {}: {}", carrier.maker, carrier.name, carrier.source));
            typed.hint = hint(carrier);
            return typed;
        }
        if let Some(hit) = series {
            let what = format!("{}: {}", hit.series.what, hit.series.source);
            if hit.series.kind == PartKind::Module {
                return self.module(line, maker, None);
            }
            return of(hit.series.kind, &what);
        }
        self.by_words(line, maker, of)
    }

    /// A series row that says carrier says it for boards; what they carry stands in the table of carriers.
    fn carrying(&self, mut typed: Typed, line: Line<'_>) -> Typed {
        if typed.kind == PartKind::Carrier {
            let known = line.names().find_map(|name| self.kb.carrier(line.manufacturer, name));
            typed.hint = known.and_then(hint);
        }
        typed
    }

    /// What the words of value, category and description say. They tell that something is cellular, never what.
    fn by_words(&mut self, line: Line<'_>, maker: Maker<'k>, of: impl Fn(PartKind, &str) -> Typed) -> Typed {
        let kb = self.kb;
        let mut words: Vec<_> = line.names().chain(line.role).flat_map(|text| kb.part_words(text)).collect();
        words.extend(line.description.into_iter().flat_map(|text| kb.part_words(text)));
        let strong = |w: &&PartWord| w.weight == WordWeight::Strong;
        let word = words.iter().copied().find(strong).or_else(|| words.iter().copied().find(|w| w.weight == WordWeight::Weak));
        let Some(word) = word else { return of(PartKind::Other, "") };
        let known_by = format!("the word `{}`", word.word);
        match word.kind {
            // A line that names maker or number names the module, whoever knows it.
            PartKind::Module if strong(&word) && is_named(line) => self.module(line, maker, None),
            PartKind::Module if strong(&word) => of(PartKind::Slot, &known_by),
            PartKind::Module => of(PartKind::Other, ""),
            kind => of(kind, &known_by),
        }
    }

    /// The module of the catalogue that a name spells.
    fn module_in(&self, text: &str, maker: Maker<'k>, written: Option<&str>) -> Option<&'k Module> {
        let kb = self.kb;
        let said = |name: &str| kb.brands_in(text).iter().any(|h| *h.brand.brand == *name);
        let agrees = |m: &Module| maker.brand.is_some_and(|b| b.brand == m.maker) || said(&m.maker);
        for hit in kb.models_in(text) {
            let before = text.get(..hit.span.start).unwrap_or_default();
            let placed = !is_about(before) && !self.is_signal(before) && !self.is_other(text);
            if placed && (hit.module.distinct || agrees(hit.module)) {
                return Some(hit.module);
            }
        }
        let in_text = kb.brands_in(text);
        let named = maker.brand.into_iter().chain(in_text.iter().map(|h| h.brand)).find(|b| b.kind == BrandKind::Module);
        let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'))).filter(|w| is_number(w));
        let found = match named {
            Some(brand) => words.find_map(|w| kb.module_stem(&brand.brand, w)),
            // Without its maker only a long name of its own is believed, and only where no other maker is named.
            None if maker.brand.is_none() || written.is_none() => {
                words.find_map(|w| kb.any_module_stem(w, OWN_NAME).filter(|_| !is_about(text.split(w).next().unwrap_or_default())))
            }
            None => None,
        };
        found.filter(|_| !self.is_other(text))
    }

    /// Whether what is joined to a name makes it that of a signal or a connector: `USB_BC66` is no BC66.
    fn is_signal(&self, before: &str) -> bool {
        const PLAIN: &[&str] = &["module", "modul", "modem", "gsm", "lte", "4g", "5g", "nbiot", "ic", "u", "mod"];
        let Some(joined) = before.strip_suffix(['_', '-', '.', '/']) else { return false };
        let word = joined.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let by_maker = || self.kb.brands_in(joined).iter().any(|h| h.span.end == joined.len());
        !word.is_empty() && !PLAIN.contains(&word.to_lowercase().as_str()) && !by_maker()
    }

    /// Whether strong words say that a text is about something beside a module: a holder, an antenna, a cable.
    fn is_other(&self, text: &str) -> bool {
        let inside = |kind: PartKind| matches!(kind, PartKind::Module | PartKind::Slot | PartKind::Carrier | PartKind::Assembly);
        self.kb.part_words(text).iter().any(|w| w.weight == WordWeight::Strong && !inside(w.kind))
    }

    fn module(&mut self, line: Line<'_>, maker: Maker<'k>, found: Option<&'k Module>) -> Typed {
        let mut facts: Vec<Fact> = Vec::new();
        let mut add = |kind: Kind, value: &str, basis: Basis| {
            let value: Box<str> = clean(umbilical_core::text::short(value.trim(), 400).as_ref()).into();
            if !value.is_empty() && !facts.iter().any(|f| f.value == value && f.kind == kind) {
                facts.push(Fact { kind, value, group: Group::Document, basis });
            }
        };
        line.manufacturer.iter().for_each(|m| add(Kind::DeclaredMaker, m, Basis::Declared));
        line.names().for_each(|n| add(Kind::DeclaredModel, n, Basis::Declared));
        let mut verdict = self.verdict(&facts);
        if let (Some(found), None) = (found, verdict.as_ref().and_then(|v| v.model.as_ref())) {
            // The name is the catalogue's though its spelling is not: what it was matched with is said beside it.
            facts.push(Fact {
                kind: Kind::DeclaredModel,
                value: format!("{} {}", found.maker, found.model).into(),
                group: Group::Document,
                basis: Basis::Inferred,
            });
            verdict = self.verdict(&facts);
        }
        let verdict = verdict.unwrap_or_else(|| unknown(line, &facts));
        let known_by = match found {
            Some(m) => format!("the catalogue's {} {}: {}", m.maker, m.model, m.source),
            None => "declared as a cellular module".to_owned(),
        };
        let by_verdict = verdict.maker.as_deref().and_then(|m| self.kb.org_of_brand(m));
        Typed {
            kind: PartKind::Module,
            known_by: shared(&known_by),
            maker: verdict.maker.as_deref().or(maker.name()).map(shared),
            org: by_verdict.map(|o| o.id.clone()).or_else(|| maker.org().map(Into::into)),
            module: Some(Arc::new(Identified { verdict, facts })),
            hint: None,
        }
    }

    fn verdict(&self, facts: &[Fact]) -> Option<ModuleVerdict> {
        let placed: Vec<Placed<'_>> =
            (0u32..).zip(facts).map(|(fact, f)| Placed { at: FactRef { record: 0, fact }, part: 0, imei: None, fact: f }).collect();
        identify(self.kb, &self.lessons, &placed).modules.into_iter().next()
    }
}

/// A module that nobody here knows: what the line says of it, at the weight of a document's word.
fn unknown(line: Line<'_>, facts: &[Fact]) -> ModuleVerdict {
    const DECLARED: i32 = 1200;
    let confidence = probability(DECLARED, []);
    let claim = |level_of: Level, value: &str, fact: Option<usize>| Claimed {
        level: level_of,
        value: clean(value).into_owned(),
        score: DECLARED,
        confidence,
        confidence_level: level(confidence, 1, false),
        basis: Basis::Declared,
        because: fact
            .and_then(|f| u32::try_from(f).ok())
            .map(|fact| Reason { fact: FactRef { record: 0, fact }, weight: DECLARED, matched: "as the document names it".into() })
            .into_iter()
            .collect(),
        against: Vec::new(),
    };
    let place = |kind: Kind| facts.iter().position(|f| f.kind == kind);
    let name = line.names().next();
    let mut claims = Vec::new();
    claims.extend(name.map(|n| claim(Level::Model, n, place(Kind::DeclaredModel))));
    claims.extend(line.manufacturer.map(|m| claim(Level::Maker, m, place(Kind::DeclaredMaker))));
    claims.push(claim(Level::Cellular, "yes", if facts.is_empty() { None } else { Some(0) }));
    let (level, deciding) = claims.first().map_or((Level::Cellular, "yes".to_owned()), |c| (c.level, c.value.clone()));
    ModuleVerdict {
        brand: None,
        maker: line.manufacturer.map(|m| clean(m).into_owned()),
        model: name.map(|n| clean(n).into_owned()),
        sold_as: None,
        variant: None,
        family: None,
        level,
        deciding,
        confidence,
        confidence_level: umbilical_core::weight::level(confidence, 1, false),
        basis: Basis::Declared,
        chipset: None,
        rats: Vec::new(),
        claims,
        conflicts: Vec::new(),
        imeis: Vec::new(),
        firmware: None,
        rebranded: false,
    }
}

/// Whether a declared type is firmware (true), other software (false), or neither. The words are the component types of
/// CycloneDX and the package purposes of SPDX.
fn software(role: &str) -> Option<bool> {
    const OTHER: &[&str] = &[
        "application",
        "software",
        "framework",
        "library",
        "container",
        "operating-system",
        "device-driver",
        "file",
        "machine-learning-model",
        "data",
        "cryptographic-asset",
        "operating_system",
        "source",
        "archive",
        "install",
    ];
    let first = role.split([' ', ',', ';', ':', '/']).next().unwrap_or_default().to_lowercase();
    if first == "firmware" { Some(true) } else { OTHER.contains(&first.as_str()).then_some(false) }
}

/// What a carrier is publicly known to carry.
fn hint(carrier: &Carrier) -> Option<Arc<str>> {
    let maker = carrier.carries_maker.as_deref()?;
    let models: Vec<&str> = carrier.carries_models.iter().map(|m| &**m).collect();
    let named = if models.is_empty() { maker.to_owned() } else { format!("{maker} {}", models.join(" or ")) };
    Some(shared(&format!("{named} ({})", carrier.source)))
}

/// Whether a line says which thing it means: a number among its names.
fn is_named(line: Line<'_>) -> bool {
    line.mpn.is_some_and(|m| m.bytes().any(|b| b.is_ascii_digit()) && m.bytes().any(|b| b.is_ascii_alphabetic()))
        || (line.manufacturer.is_some() && line.value.is_some_and(|v| v.split_whitespace().any(is_number) && !is_generation(v)))
}

/// `4G module` names no product.
fn is_generation(text: &str) -> bool {
    let numbers = text.split(|c: char| !c.is_alphanumeric()).filter(|w| w.bytes().any(|b| b.is_ascii_digit()));
    let mut numbers = numbers.peekable();
    numbers.peek().is_some() && numbers.all(|w| matches!(w.to_ascii_uppercase().as_str(), "2G" | "3G" | "4G" | "5G" | "M1" | "NB1" | "NB2"))
}

/// A word that can be a part number: letters and digits together, four to forty of them.
fn is_number(word: &str) -> bool {
    (4..=40).contains(&word.len()) && word.bytes().any(|b| b.is_ascii_digit()) && word.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Whether the words before a name say that the thing is *for* what is named.
fn is_about(before: &str) -> bool {
    const FOR: &[&str] =
        &["for", "für", "fuer", "pour", "para", "per", "voor", "för", "dla", "для", "to", "with", "mit", "avec", "con", "用于"];
    before.split(|c: char| !c.is_alphanumeric()).any(|w| FOR.contains(&w.to_lowercase().as_str()))
}

fn is_uuid(text: &str) -> bool {
    let text = text.trim();
    text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_product_is_told_from_what_does() {
        assert!(
            is_generation("4G module") && is_generation("LTE Cat M1 / 4G") && !is_generation("EC25 4G module") && !is_generation("module")
        );
        assert!(is_number("BG95M1LA") && !is_number("LTE") && !is_number("1234") && !is_number("A7"));
        assert!(is_about("level shifter for ") && !is_about("Quectel "));
        assert!(is_uuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8") && !is_uuid("EC25-E"));
    }
}
