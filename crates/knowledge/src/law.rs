//! Laws that can compel, regimes that list, and whom they list.

use umbilical_core::date::Loose;

use crate::policy::Covers;
use crate::table::{Confidence, FromRow, Problem, Row, Source};

/// One row of `compelling_law.csv`.
#[derive(Clone, Debug)]
pub struct CompellingLaw {
    /// ISO 3166 code or `EU`.
    pub jurisdiction: Box<str>,
    /// The law.
    pub law: Box<str>,
    /// Article or section.
    pub provision: Option<Box<str>>,
    /// Its date.
    pub date: Option<Loose>,
    /// What it can compel.
    pub compels: Box<str>,
    /// Who is bound.
    pub bound: Box<str>,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for CompellingLaw {
    const FILE: &'static str = "compelling_law.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        Ok(Self {
            jurisdiction: row.required("jurisdiction")?,
            law: row.required("law")?,
            provision: row.opt("provision")?,
            date: row.date("date")?,
            compels: row.required("compels")?,
            bound: row.required("bound")?,
            confidence: row.word("confidence")?,
            source: row.source()?,
        })
    }
}

/// One row of `regimes.csv`.
#[derive(Clone, Debug)]
pub struct Regime {
    /// The id that listings refer to.
    pub regime: Box<str>,
    /// Whose law it is.
    pub jurisdiction: Box<str>,
    /// Who keeps the list or rule.
    pub authority: Option<Box<str>>,
    /// The citation.
    pub citation: Box<str>,
    /// What it prohibits.
    pub prohibits: Option<Box<str>>,
    /// Who is bound.
    pub who_is_bound: Option<Box<str>>,
    /// From when, as the source words it (dates may be staged).
    pub effective: Option<Box<str>>,
    /// Host, module, chip …
    pub tier_scope: Option<Box<str>>,
    /// Named, affiliate, control, ≥ 50 % …
    pub ownership_test: Option<Box<str>>,
    /// The newest source read for it.
    pub newest_source_seen: Option<Box<str>>,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for Regime {
    const FILE: &'static str = "regimes.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        Ok(Self {
            regime: row.required("regime")?,
            jurisdiction: row.required("jurisdiction")?,
            authority: row.opt("authority")?,
            citation: row.required("citation")?,
            prohibits: row.opt("prohibits")?,
            who_is_bound: row.opt("who_is_bound")?,
            effective: row.opt("effective")?,
            tier_scope: row.opt("tier_scope")?,
            ownership_test: row.opt("ownership_test")?,
            newest_source_seen: row.opt("newest_source_seen")?,
            confidence: row.word("confidence")?,
            source: row.source()?,
        })
    }
}

/// One row of `listings.csv`; holds on `from ≤ day < to`.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Id in `regimes.csv`.
    pub regime: Box<str>,
    /// The name as listed.
    pub entity: Box<str>,
    /// Organisation ids the entry names.
    pub orgs: Vec<Box<str>>,
    /// First day.
    pub from: Option<Loose>,
    /// First day it no longer holds.
    pub to: Option<Loose>,
    /// The citation.
    pub citation: Box<str>,
    /// Equipment, services, the entity as a whole …: what of it the entry is about.
    pub covers: Covers,
    /// What of the entity is covered, in words.
    pub scope: Option<Box<str>>,
    /// in-force, removed, not-listed …
    pub list_status: Box<str>,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for Listing {
    const FILE: &'static str = "listings.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let (from, to) = row.span()?;
        Ok(Self {
            regime: row.required("regime")?,
            entity: row.required("entity")?,
            orgs: row.list("orgs")?,
            from,
            to,
            citation: row.required("citation")?,
            covers: row.word("covers")?,
            scope: row.opt("scope")?,
            list_status: row.required("list_status")?,
            confidence: row.word("confidence")?,
            source: row.source()?,
        })
    }
}
