//! Brands: module makers, silicon vendors, hosts and phone makers, with the spellings they go by.

use std::ops::Range;

use crate::names::NameIndex;
use crate::table::{FromRow, Problem, Row, Source, words};

words! {
    /// What a brand sells. Only `Module` and `Accessory` brands make or sell modules.
    BrandKind {
        /// Cellular modules.
        Module = "module",
        /// Chips: a silicon vendor's name never tells the maker of a module.
        Silicon = "silicon",
        /// Laptops, routers and other hosts of modules.
        Host = "host",
        /// Phones, and sticks beside them.
        Phone = "phone",
        /// Sticks, cards and hotspots.
        Accessory = "accessory",
    }
}

/// One row of `brands.csv`.
#[derive(Clone, Debug)]
pub struct Brand {
    /// The name used in every other table.
    pub brand: Box<str>,
    /// Id in `organisations.csv`.
    pub org: Option<Box<str>>,
    /// What it sells.
    pub kind: BrandKind,
    /// One of its spellings is an ordinary word (`Option`): in texts it counts only as spelled here, capitals included.
    pub common: bool,
    /// Other spellings, Latin and Chinese.
    pub aliases: Vec<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for Brand {
    const FILE: &'static str = "brands.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        Ok(Self {
            brand: row.required("brand")?,
            org: row.opt("org")?,
            kind: row.word("kind")?,
            common: row.yes("common")?,
            aliases: row.list("aliases")?,
            source: row.source()?,
        })
    }
}

/// A brand named in a text.
#[derive(Clone, Debug)]
pub struct BrandHit<'k> {
    /// The brand.
    pub brand: &'k Brand,
    /// Where in the text, in bytes.
    pub span: Range<usize>,
}

/// The table with its index.
#[derive(Debug, Default)]
pub(crate) struct Brands {
    pub rows: Vec<Brand>,
    names: NameIndex,
}

impl From<Vec<Brand>> for Brands {
    fn from(rows: Vec<Brand>) -> Self {
        let names = NameIndex::of(rows.iter().map(|row| (&*row.brand, &*row.aliases)));
        Self { rows, names }
    }
}

impl Brands {
    pub fn named(&self, name: &str) -> Option<&Brand> {
        self.names.exact(name).into_iter().find_map(|id| self.rows.get(id as usize))
    }

    pub fn find(&self, text: &str) -> Vec<BrandHit<'_>> {
        let hit = |f: crate::names::Found| {
            let brand = f.ids.first().and_then(|id| self.rows.get(*id as usize))?;
            let spelled = text.get(f.span.clone())?;
            let exact = || std::iter::once(&brand.brand).chain(&brand.aliases).any(|name| **name == *spelled);
            (!brand.common || exact()).then_some(BrandHit { brand, span: f.span })
        };
        self.names.find(text).into_iter().filter_map(hit).collect()
    }
}
