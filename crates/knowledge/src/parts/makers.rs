//! Makers of parts: those of `brands.csv`, and of `parts/makers.csv` those that make no modules.

use crate::brands::Brands;
use crate::names::NameIndex;
use crate::table::{FromRow, Problem, Row, Source};

/// One row of `parts/makers.csv`.
#[derive(Clone, Debug)]
pub struct PartMaker {
    /// Its usual name.
    pub maker: Box<str>,
    /// Other spellings, Latin and Chinese.
    pub aliases: Vec<Box<str>>,
    /// Id in `organisations.csv`.
    pub org: Option<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for PartMaker {
    const FILE: &'static str = "parts/makers.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        Ok(Self { maker: row.required("maker")?, aliases: row.list("aliases")?, org: row.opt("org")?, source: row.source()? })
    }
}

/// A maker of parts by its usual name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MakerName<'k> {
    /// The name used in every table.
    pub name: &'k str,
    /// Id in `organisations.csv`.
    pub org: Option<&'k str>,
}

/// The table with its index.
#[derive(Debug, Default)]
pub(crate) struct PartMakers {
    pub rows: Vec<PartMaker>,
    names: NameIndex,
}

impl From<Vec<PartMaker>> for PartMakers {
    fn from(rows: Vec<PartMaker>) -> Self {
        let names = NameIndex::of(rows.iter().map(|row| (&*row.maker, &*row.aliases)));
        Self { rows, names }
    }
}

impl PartMakers {
    /// The maker of this name in any of its spellings, else the first that a text names with more than three letters.
    pub fn named(&self, text: &str) -> Option<MakerName<'_>> {
        let text = text.trim();
        let long = || self.names.find(text).into_iter().filter(|f| f.span.len() > 3).find_map(|f| f.ids.first().copied());
        self.row(self.names.exact(text).first().copied().or_else(long)?)
    }

    fn row(&self, id: u32) -> Option<MakerName<'_>> {
        self.rows.get(id as usize).map(|r| MakerName { name: &r.maker, org: r.org.as_deref() })
    }

    /// Every maker named in a text, brands first.
    pub fn find<'k>(&'k self, brands: &'k Brands, text: &str) -> Vec<MakerName<'k>> {
        let branded = brands.find(text).into_iter().map(|h| MakerName { name: &h.brand.brand, org: h.brand.org.as_deref() });
        branded.chain(self.names.find(text).iter().flat_map(|f| &f.ids).filter_map(|id| self.row(*id))).collect()
    }
}
