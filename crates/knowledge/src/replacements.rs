//! Candidates to replace a module, and what each maker offers by technology.

use crate::modules::Rat;
use crate::table::{Confidence, FromRow, Problem, Row, Source, words};

words! {
    /// Whether the candidate fits without a new board.
    DropIn {
        /// It does.
        Yes = "yes",
        /// The socket fits; drivers, antennas and approvals must be checked.
        Partial = "partial",
        /// The board must change.
        No = "no",
    }
}

/// One row of `replacements.csv`.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// Brand to replace.
    pub from_brand: Box<str>,
    /// Its model.
    pub from_model: Box<str>,
    /// Candidate's brand.
    pub to_brand: Box<str>,
    /// Candidate's model.
    pub to_model: Box<str>,
    /// The socket or footprint.
    pub form_factor: Option<Box<str>>,
    /// Whether it fits.
    pub drop_in: DropIn,
    /// The technology, as the source words it.
    pub rat: Option<Box<str>>,
    /// What to check.
    pub note: Option<Box<str>>,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for Replacement {
    const FILE: &'static str = "replacements.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        Ok(Self {
            from_brand: row.required("from_brand")?,
            from_model: row.required("from_model")?,
            to_brand: row.required("to_brand")?,
            to_model: row.required("to_model")?,
            form_factor: row.opt("form_factor")?,
            drop_in: row.word("drop_in")?,
            rat: row.opt("rat")?,
            note: row.opt("note")?,
            confidence: row.word("confidence")?,
            source: row.source()?,
        })
    }
}

/// Whether a maker offers a technology.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It does: a model.
    Model(Box<str>),
    /// Searched, none found.
    None,
    /// Nobody looked, or the sources do not say.
    Unknown,
}

/// One row of `rats.csv`: what a maker offers in a technology.
#[derive(Clone, Debug)]
pub struct RatOffer {
    /// The maker's brand.
    pub maker: Box<str>,
    /// The technology.
    pub rat: Rat,
    /// A model, none or unknown.
    pub offer: Offer,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for RatOffer {
    const FILE: &'static str = "rats.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let offer = match row.required("model")? {
            word if *word == *"none" => Offer::None,
            word if *word == *"unknown" => Offer::Unknown,
            model => Offer::Model(model),
        };
        Ok(Self { maker: row.required("maker")?, rat: row.word("rat")?, offer, source: row.source()? })
    }
}
