//! Products that hold a module, or are cellular themselves.

use crate::names::NameIndex;
use crate::table::{FromRow, Problem, Row, Source, words};

words! {
    /// What a product is.
    ProductClass {
        /// A stick or data card.
        Dongle = "dongle",
        /// A phone.
        Handset = "handset",
        /// A router, gateway or hotspot.
        Router = "router",
        /// Anything else.
        Other = "other",
    }
}

words! {
    /// On what the row's module rests. `alleged` is printed and never counted.
    ProductBasis {
        /// Seen in the device.
        Observed = "observed",
        /// Follows from other evidence.
        Inferred = "inferred",
        /// The seller says so.
        Declared = "declared",
        /// Press, lawsuit or letter.
        Alleged = "alleged",
        /// Not known, or not released.
        Unknown = "unknown",
    }
}

/// One row of `products.csv`.
#[derive(Clone, Debug)]
pub struct Product {
    /// Who sells it.
    pub brand: Box<str>,
    /// Its name.
    pub product: Box<str>,
    /// What it is.
    pub class: ProductClass,
    /// The maker of the module in it.
    pub module_maker: Option<Box<str>>,
    /// The model of the module in it.
    pub module_model: Option<Box<str>>,
    /// On what that rests.
    pub basis: ProductBasis,
    /// Variants, dates, doubts.
    pub note: Option<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for Product {
    const FILE: &'static str = "products.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        Ok(Self {
            brand: row.required("brand")?,
            product: row.required("product")?,
            class: row.word("class")?,
            module_maker: row.opt("module_maker")?,
            module_model: row.opt("module_model")?,
            basis: row.word("basis")?,
            note: row.opt("note")?,
            source: row.source()?,
        })
    }
}

/// The table with its index of names.
#[derive(Debug, Default)]
pub(crate) struct Products {
    pub rows: Vec<Product>,
    names: NameIndex,
}

impl From<Vec<Product>> for Products {
    fn from(rows: Vec<Product>) -> Self {
        let mut names = NameIndex::default();
        for (id, row) in (0u32..).zip(&rows) {
            names.insert(&row.product, id);
        }
        Self { rows, names }
    }
}

impl Products {
    pub fn find(&self, text: &str) -> Vec<&Product> {
        let ids = self.names.find(text).into_iter().flat_map(|f| f.ids);
        ids.filter_map(|id| self.rows.get(id as usize)).collect()
    }
}
