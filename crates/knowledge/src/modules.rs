//! The catalogue of modules.

use std::ops::Range;

use crate::names::{NameIndex, key};
use crate::table::{FromRow, Problem, Row, Source, words};

words! {
    /// Radio access technologies, 2G to RedCap.
    Rat {
        /// GSM, GPRS, EDGE, cdmaOne, CDMA2000 1x.
        G2 = "2G",
        /// UMTS, HSPA, TD-SCDMA, EV-DO.
        G3 = "3G",
        /// LTE, category 3 and above, or the category is not known.
        Lte = "LTE",
        /// LTE category M1, M2.
        LteM = "LTE-M",
        /// NB-IoT.
        NbIot = "NB-IoT",
        /// LTE category 1 (two receive antennas).
        LteCat1 = "LTE-Cat1",
        /// LTE category 1bis (one receive antenna).
        LteCat1bis = "LTE-Cat1bis",
        /// 5G NR.
        G5 = "5G",
        /// 5G NR reduced capability.
        RedCap = "RedCap",
    }
}

words! {
    /// How a property of a module is known.
    Basis {
        /// The row's source states it.
        Source = "source",
        /// Inferred from the name by rule; shown with its mark.
        Rule = "rule",
        /// Not known.
        None = "none",
    }
}

/// One row of `modules.csv`.
#[derive(Clone, Debug)]
pub struct Module {
    /// The maker's brand.
    pub maker: Box<str>,
    /// The maker's name of the model.
    pub model: Box<str>,
    /// The family the model belongs to (`EC25`, `SIM7600`).
    pub family: Box<str>,
    /// Other spellings met in evidence.
    pub aliases: Vec<Box<str>>,
    /// Radio access technologies; empty when not known.
    pub rats: Vec<Rat>,
    /// How they are known.
    pub rat_basis: Basis,
    /// The baseband chip or platform.
    pub chipset: Option<Box<str>>,
    /// How it is known.
    pub chipset_basis: Basis,
    /// Mini PCIe, M.2, LGA …
    pub form_factor: Option<Box<str>>,
    /// How it is known.
    pub form_basis: Basis,
    /// False when the bare name says little without its maker beside it (`M95` is also a memory chip).
    pub distinct: bool,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for Module {
    const FILE: &'static str = "modules.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let rats = if row.cell("rat")? == "none" { Vec::new() } else { row.words("rat")? };
        if rats.is_empty() && row.cell("rat")?.is_empty() {
            return Err(Problem::Empty("rat"));
        }
        Ok(Self {
            maker: row.required("maker")?,
            model: row.required("model")?,
            family: row.required("family")?,
            aliases: row.list("aliases")?,
            rats,
            rat_basis: row.word("rat_basis")?,
            chipset: row.opt("chipset")?,
            chipset_basis: row.word("chipset_basis")?,
            form_factor: row.opt("form_factor")?,
            form_basis: row.word("form_basis")?,
            distinct: row.yes("distinct")?,
            source: row.source()?,
        })
    }
}

/// A model named in a text. Several hits on one span: the name is used by several makers.
#[derive(Clone, Debug)]
pub struct ModelHit<'k> {
    /// The catalogue row.
    pub module: &'k Module,
    /// Where in the text, in bytes.
    pub span: Range<usize>,
}

/// The table with its index.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    pub rows: Vec<Module>,
    names: NameIndex,
}

/// Shorter keys are never taken as the stem of a longer spelling.
const MIN_STEM: usize = 3;

impl From<Vec<Module>> for Modules {
    fn from(rows: Vec<Module>) -> Self {
        let names = NameIndex::of(rows.iter().map(|row| (&*row.model, &*row.aliases)));
        Self { rows, names }
    }
}

impl Modules {
    fn at(&self, id: u32) -> Option<&Module> {
        self.rows.get(id as usize)
    }

    pub fn named(&self, maker: &str, name: &str) -> Option<&Module> {
        self.with_key(maker, &key(name))
    }

    pub fn with_key(&self, maker: &str, key: &str) -> Option<&Module> {
        self.names.by_key(key).filter_map(|id| self.at(id)).find(|m| *m.maker == *maker)
    }

    pub fn any_named(&self, name: &str) -> Vec<&Module> {
        self.names.exact(name).into_iter().filter_map(|id| self.at(id)).collect()
    }

    /// The catalogue's longest name that the spelling begins with; never cut inside a number.
    pub fn stem(&self, maker: &str, spelling: &str) -> Option<&Module> {
        let key = key(spelling);
        let digit = |at: usize| key.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        let mut lengths = (MIN_STEM..=key.len()).rev().filter(|len| !(digit(len.saturating_sub(1)) && digit(*len)));
        lengths.find_map(|len| self.with_key(maker, key.get(..len)?))
    }

    /// The longest name of any maker that the spelling begins with, of those that say enough by themselves.
    pub fn any_stem(&self, spelling: &str, at_least: usize) -> Option<&Module> {
        let key = key(spelling);
        let digit = |at: usize| key.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        let mut lengths = (at_least.max(MIN_STEM)..=key.len()).rev().filter(|len| !(digit(len.saturating_sub(1)) && digit(*len)));
        lengths.find_map(|len| self.names.by_key(key.get(..len)?).filter_map(|id| self.at(id)).find(|m| m.distinct))
    }

    pub fn find(&self, text: &str) -> Vec<ModelHit<'_>> {
        let mut hits = Vec::new();
        for found in self.names.find(text) {
            let modules = found.ids.iter().filter_map(|id| self.at(*id));
            hits.extend(modules.map(|module| ModelHit { module, span: found.span.clone() }));
        }
        hits
    }
}
