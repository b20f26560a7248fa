//! Boards, sticks and systems-on-module that carry a cellular module under a name of their own.

use crate::names::NameIndex;
use crate::parts::Needs;
use crate::table::{FromRow, Problem, Row, Source, words};

words! {
    /// How it is known what a carrier carries.
    CarriesBasis {
        /// The row's source names the module.
        Source = "source",
        /// The product has no published module, or it changed from lot to lot.
        Unknown = "unknown",
        /// It carries no cellular module: the name only looks as if.
        None = "none",
    }
}

/// One row of `parts/carriers.csv`.
#[derive(Clone, Debug)]
pub struct Carrier {
    /// Who sells it.
    pub maker: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Order numbers and other spellings.
    pub aliases: Vec<Box<str>>,
    /// Whether the maker must be named beside the name.
    pub needs: Needs,
    /// The brand of the module on it, where that is public.
    pub carries_maker: Option<Box<str>>,
    /// Models it is publicly known to carry, one of them each; empty where that is not public.
    pub carries_models: Vec<Box<str>>,
    /// How that is known.
    pub carries_basis: CarriesBasis,
    /// What else is known.
    pub note: Option<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl Carrier {
    /// Whether it carries a cellular module; the other rows keep names apart that look as if.
    pub fn is_cellular(&self) -> bool {
        self.carries_basis != CarriesBasis::None
    }
}

impl FromRow for Carrier {
    const FILE: &'static str = "parts/carriers.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let carrier = Self {
            maker: row.required("maker")?,
            name: row.required("name")?,
            aliases: row.list("aliases")?,
            needs: row.word("needs")?,
            carries_maker: row.opt("carries_maker")?,
            carries_models: row.list("carries_models")?,
            carries_basis: row.word("carries_basis")?,
            note: row.opt("note")?,
            source: row.source()?,
        };
        match (carrier.carries_basis, &carrier.carries_maker) {
            (CarriesBasis::Source, None) => Err(Problem::Empty("carries_maker")),
            _ => Ok(carrier),
        }
    }
}

/// The table with its index.
#[derive(Debug, Default)]
pub(crate) struct Carriers {
    pub rows: Vec<Carrier>,
    names: NameIndex,
}

impl From<Vec<Carrier>> for Carriers {
    fn from(rows: Vec<Carrier>) -> Self {
        let names = NameIndex::of(rows.iter().map(|row| (&*row.name, &*row.aliases)));
        Self { rows, names }
    }
}

impl Carriers {
    /// The carrier named first in a text, the longest name at each place. `named` tells whether a maker is named.
    pub fn find(&self, text: &str, named: impl Fn(&str) -> bool) -> Option<&Carrier> {
        let fits = |row: &&Carrier| row.needs == Needs::Nothing || named(&row.maker);
        let rows = self.names.find(text).into_iter().flat_map(|f| f.ids).filter_map(|id| self.rows.get(id as usize));
        rows.filter(fits).find(|row| row.is_cellular())
    }
}
