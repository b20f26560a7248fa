//! Organisations, and the dated edges between them.

use umbilical_core::date::Loose;

use crate::names::NameIndex;
use crate::table::{Confidence, FromRow, Problem, Row, Source, words};

/// One row of `organisations.csv`.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// The id other tables refer to.
    pub id: Box<str>,
    /// The full name.
    pub name: Box<str>,
    /// ISO 3166 code of the country it is organised in; `None` when not known.
    pub country: Option<Box<str>>,
    /// module-maker, investor, contract-manufacturer …
    pub kind: Box<str>,
    /// Where it is led from.
    pub headquarters: Option<Box<str>>,
    /// Where its modules are developed.
    pub rd_seat: Option<Box<str>>,
    /// Where they are made.
    pub factory: Option<Box<str>>,
    /// Other names.
    pub aliases: Vec<Box<str>>,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for Organisation {
    const FILE: &'static str = "organisations.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        Ok(Self {
            id: row.required("id")?,
            name: row.required("name")?,
            country: row.opt("country")?,
            kind: row.required("kind")?,
            headquarters: row.opt("headquarters")?,
            rd_seat: row.opt("rd_seat")?,
            factory: row.opt("factory")?,
            aliases: row.list("aliases")?,
            confidence: row.word("confidence")?,
            source: row.source()?,
        })
    }
}

words! {
    /// The kinds of edges. `affiliate-alleged` carries no jurisdiction.
    EdgeKind {
        /// The parent holds shares of the child.
        Owns = "owns",
        /// The parent decides.
        Controls = "controls",
        /// The child is a brand; the parent is the house behind it.
        Brands = "brands",
        /// The parent makes the child's modules.
        Makes = "makes",
        /// The parent supplies the child.
        Supplies = "supplies",
        /// Money or help from a state.
        StateSupport = "state-support",
        /// Party, state or other influence short of control.
        Influence = "influence",
        /// The child buys from the parent.
        CustomerOf = "customer-of",
        /// Somebody says they belong together.
        AffiliateAlleged = "affiliate-alleged",
    }
}

/// One row of `ownership.csv`; holds on `from ≤ day < to`.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Organisation id.
    pub child: Box<str>,
    /// Organisation id.
    pub parent: Box<str>,
    /// What the parent is to the child.
    pub edge: EdgeKind,
    /// As the source words it, e.g. `49%`.
    pub share: Option<Box<str>>,
    /// First day.
    pub from: Option<Loose>,
    /// First day it no longer holds.
    pub to: Option<Loose>,
    /// How sure the row is.
    pub confidence: Confidence,
    /// What else is known.
    pub note: Option<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for Edge {
    const FILE: &'static str = "ownership.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let (from, to) = row.span()?;
        Ok(Self {
            child: row.required("child")?,
            parent: row.required("parent")?,
            edge: row.word("edge")?,
            share: row.opt("share")?,
            from,
            to,
            confidence: row.word("confidence")?,
            note: row.opt("note")?,
            source: row.source()?,
        })
    }
}

/// The table with its index of ids and names.
#[derive(Debug, Default)]
pub(crate) struct Organisations {
    pub rows: Vec<Organisation>,
    names: NameIndex,
}

impl From<Vec<Organisation>> for Organisations {
    fn from(rows: Vec<Organisation>) -> Self {
        let names = NameIndex::of(rows.iter().map(|row| (&*row.name, &*row.aliases)));
        Self { rows, names }
    }
}

impl Organisations {
    pub fn get(&self, id: &str) -> Option<&Organisation> {
        self.rows.iter().find(|o| *o.id == *id)
    }

    pub fn find(&self, text: &str) -> Vec<&Organisation> {
        let ids = self.names.find(text).into_iter().flat_map(|f| f.ids);
        ids.filter_map(|id| self.rows.get(id as usize)).collect()
    }
}
