//! Whether an observed module is what a line declares: same maker, same model as far as both sides say, or the same
//! module under another name.

use umbilical_core::answer::{Level, Module};
use umbilical_core::weight::ConfidenceLevel;
use umbilical_knowledge::{Knowledge, Rebrand, Relation, key};

/// What a line declares, as far as it names anything.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted<'a> {
    /// The maker.
    pub maker: Option<&'a str>,
    /// The name it is sold under.
    pub brand: Option<&'a str>,
    /// The maker's model, else the family.
    pub model: Option<&'a str>,
    /// The family.
    pub family: Option<&'a str>,
    /// The build.
    pub variant: Option<&'a str>,
    /// The brand's name of it.
    pub sold_as: Option<&'a str>,
    /// FCC ID.
    pub fcc: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// What a declared module names.
    pub fn of(module: &'a Module, fcc: Option<&'a str>) -> Self {
        Self {
            maker: module.maker.as_deref(),
            brand: module.brand.as_deref(),
            model: module.model.as_deref().or(module.family.as_deref()),
            family: module.family.as_deref(),
            variant: module.variant.as_deref(),
            sold_as: module.sold_as.as_deref(),
            fcc,
        }
    }

    /// Whether it names neither maker nor model.
    pub fn is_open(&self) -> bool {
        self.maker.is_none() && self.brand.is_none() && self.model.is_none() && self.sold_as.is_none()
    }

    /// In words.
    pub fn words(&self) -> String {
        let brand = self.brand.or(self.maker);
        let name = self.sold_as.or(self.variant).or(self.model);
        let mut words: Vec<&str> = brand.into_iter().chain(name).collect();
        words.dedup();
        if words.is_empty() { "a module that is not named".to_owned() } else { words.join(" ") }
    }
}

/// How an observed module stands to a declared one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fit {
    /// The same, down to this level; in words what either side leaves open.
    Match(Level, Option<String>),
    /// The same under another name, and how that is known.
    Rebrand(String),
    /// The line names nothing: whatever is there fills it.
    Open,
    /// Not decidable from what was observed.
    Unknown(String),
    /// Another one: the level at which they part.
    Differs(Level),
}

impl Fit {
    /// How well it fits: what assignment maximises.
    pub fn score(&self) -> u32 {
        match self {
            Self::Match(Level::Variant | Level::Model, _) => 1000,
            Self::Match(Level::Family, _) => 950,
            Self::Rebrand(_) => 900,
            Self::Match(..) => 850,
            Self::Unknown(_) => 500,
            Self::Differs(Level::Variant) => 30,
            Self::Differs(Level::Model | Level::Family) => 20,
            Self::Differs(_) => 10,
            // Last of all: an open place beside a named one is mostly the socket of the named module.
            Self::Open => 1,
        }
    }
}

/// Compares a line with an observed module.
pub(super) fn compare(kb: &Knowledge, wanted: &Wanted<'_>, seen: &Module) -> Fit {
    if wanted.is_open() {
        return Fit::Open;
    }
    if seen.confidence_level == ConfidenceLevel::Hint || (seen.maker.is_none() && seen.brand.is_none()) {
        return Fit::Unknown("a modem is observed, whose module it is stays open".to_owned());
    }
    let (their, our) = (wanted.maker.or(wanted.brand), seen.maker.as_deref().or(seen.brand.as_deref()));
    if same_maker(kb, their, our) {
        let renamed = wanted.brand.is_some() && seen.brand.is_some() && !same_maker(kb, wanted.brand, seen.brand.as_deref());
        let fit = models(kb, our.unwrap_or_default(), wanted, seen);
        return match (renamed, fit) {
            (true, Fit::Match(..)) => {
                let name = |b: Option<&str>| b.unwrap_or("its maker").to_owned();
                Fit::Rebrand(format!(
                    "both are made by {}: {} sells it, it shows the name of {}",
                    our.unwrap_or("one maker"),
                    name(wanted.brand),
                    name(seen.brand.as_deref())
                ))
            }
            (_, fit) => fit,
        };
    }
    if their.is_none() {
        // A model without a maker: its name alone must carry the comparison.
        return models(kb, our.unwrap_or_default(), wanted, seen);
    }
    rebrand(kb, wanted, seen).map_or(Fit::Differs(Level::Maker), Fit::Rebrand)
}

/// Whether two names are one maker: one brand in whatever spelling, or brands of one organisation.
pub(super) fn same_maker(kb: &Knowledge, a: Option<&str>, b: Option<&str>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    if key(a) == key(b) && !key(a).is_empty() {
        return true;
    }
    let (Some(a), Some(b)) = (kb.brand(a), kb.brand(b)) else { return false };
    a.brand == b.brand || (a.org.is_some() && a.org == b.org)
}

/// Compares models of one maker.
fn models(kb: &Knowledge, maker: &str, wanted: &Wanted<'_>, seen: &Module) -> Fit {
    let Some(name) = wanted.model.or(wanted.sold_as) else {
        return Fit::Match(Level::Maker, Some("the document leaves the model open".to_owned()));
    };
    if let Some(model) = seen.model.as_deref() {
        return one_model(kb, maker, name, wanted, model, seen);
    }
    let open = |level| Fit::Match(level, Some("what is observed leaves the model open".to_owned()));
    let possible = seen
        .claims
        .iter()
        .filter(|c| matches!(c.level, Level::Family | Level::Model | Level::Variant))
        .any(|c| kin(kb, maker, name, &c.value));
    match seen.family.as_deref() {
        Some(family) if kin(kb, maker, name, family) => open(Level::Family),
        Some(_) if !possible => Fit::Differs(Level::Model),
        _ => open(Level::Maker),
    }
}

fn one_model(kb: &Knowledge, maker: &str, name: &str, wanted: &Wanted<'_>, model: &str, seen: &Module) -> Fit {
    let alias = |text: &str| kb.module(maker, text).map_or_else(|| key(text), |m| key(&m.model));
    if alias(name) == alias(model) || seen.sold_as.as_deref().is_some_and(|s| key(s) == key(name)) {
        return match (wanted.variant, seen.variant.as_deref()) {
            (Some(a), Some(b)) if key(a) == key(b) => Fit::Match(Level::Variant, None),
            (Some(a), Some(b)) if !stem(&key(a), &key(b)) && !stem(&key(b), &key(a)) => {
                Fit::Match(Level::Model, Some(format!("declared is the build {a}, observed {b}")))
            }
            _ => Fit::Match(Level::Model, None),
        };
    }
    if kin(kb, maker, name, model) {
        let says = if key(name).len() < key(model).len() {
            "the document leaves the build open"
        } else {
            "what is observed leaves the build open"
        };
        return Fit::Match(Level::Family, Some(says.to_owned()));
    }
    let family = |text: &str, given: Option<&str>| given.map(key).or_else(|| kb.module(maker, text).map(|m| key(&m.family)));
    match (family(name, wanted.family), family(model, seen.family.as_deref())) {
        (Some(a), Some(b)) if a == b => Fit::Differs(Level::Variant),
        _ => Fit::Differs(Level::Model),
    }
}

/// Whether one name is the other's family or stem: `SARA-R4` of `SARA-R410M-02B`, `EC25` of `EC25-EU`. Two models of the
/// catalogue beside one another (`SIM7600E`, `SIM7600E-H`) are not.
fn kin(kb: &Knowledge, maker: &str, a: &str, b: &str) -> bool {
    let (short, long) = if key(a).len() <= key(b).len() { (a, b) } else { (b, a) };
    let (short_key, long_key) = (key(short), key(long));
    if short_key == long_key {
        return true;
    }
    if kb.module(maker, long).or_else(|| kb.module_stem(maker, long)).is_some_and(|m| key(&m.family) == short_key) {
        return true;
    }
    let beside = kb.module(maker, short).is_some_and(|m| key(&m.family) != short_key) && kb.module(maker, long).is_some();
    !beside && stem(&short_key, &long_key)
}

/// Whether a key begins with another, not cut inside a number.
fn stem(short: &str, long: &str) -> bool {
    let digit = |b: Option<&u8>| b.is_some_and(u8::is_ascii_digit);
    short.len() >= 3 && long.starts_with(short) && !(digit(short.as_bytes().last()) && digit(long.as_bytes().get(short.len())))
}

/// How it is known that two names of different makers are one module; `None` where it is not.
fn rebrand(kb: &Knowledge, wanted: &Wanted<'_>, seen: &Module) -> Option<String> {
    if let (Some(brand), Some(maker)) = (seen.brand.as_deref(), seen.maker.as_deref())
        && same_maker(kb, wanted.maker.or(wanted.brand), Some(brand))
        && !same_maker(kb, Some(brand), Some(maker))
    {
        return Some(format!("{brand} sells it, {maker} makes it"));
    }
    let ours = Side { makers: [wanted.maker, wanted.brand], names: [wanted.model, wanted.sold_as] };
    let theirs = Side {
        makers: [seen.maker.as_deref(), seen.brand.as_deref()],
        names: [seen.model.as_deref().or(seen.family.as_deref()), seen.sold_as.as_deref()],
    };
    let told = |row: &&Rebrand| {
        matches!(row.relation, Relation::Rebrand | Relation::Lineage)
            && ((ours.sells(kb, row) && theirs.makes(kb, row)) || (theirs.sells(kb, row) && ours.makes(kb, row)))
    };
    if let Some(row) = kb.rebrands().iter().find(told) {
        let sold = row.sold_as.as_deref().map(|s| format!(" {s}")).unwrap_or_default();
        let model = row.model.as_deref().map(|m| format!(" {m}")).unwrap_or_default();
        let mark = if row.source.verified { "" } else { ", not verified" };
        return Some(format!("{}{sold} is {}{model} ({}{mark})", row.brand, row.maker, row.source.text));
    }
    let hit = kb.fcc(wanted.fcc?)?;
    same_maker(kb, Some(&hit.grantee.brand), seen.maker.as_deref())
        .then(|| format!("the declared FCC ID is one of {} ({})", hit.grantee.name, hit.grantee.source.text))
}

/// One side of a comparison: its makers and its names.
struct Side<'a> {
    makers: [Option<&'a str>; 2],
    names: [Option<&'a str>; 2],
}

impl Side<'_> {
    /// Whether it is the brand of the row, and its module where the row and the side both name one.
    fn sells(&self, kb: &Knowledge, row: &Rebrand) -> bool {
        self.makers.iter().any(|m| same_maker(kb, *m, Some(&row.brand))) && self.named(row.sold_as.as_deref().or(row.model.as_deref()))
    }

    fn makes(&self, kb: &Knowledge, row: &Rebrand) -> bool {
        self.makers.iter().any(|m| same_maker(kb, *m, Some(&row.maker))) && self.named(row.model.as_deref())
    }

    fn named(&self, name: Option<&str>) -> bool {
        let Some(wanted) = name.map(key) else { return true };
        let mut names = self.names.iter().flatten().map(|n| key(n)).peekable();
        names.peek().is_none() || names.any(|n| n == wanted || stem(&wanted, &n) || stem(&n, &wanted))
    }
}
