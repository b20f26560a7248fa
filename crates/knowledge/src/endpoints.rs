//! Domains that a module's own clients speak to.

use crate::table::{FromRow, Problem, Row, Source, words};

words! {
    /// What a domain tells.
    EndpointLevel {
        /// The maker of the module.
        Maker = "maker",
        /// The silicon only; phones and loggers speak to it too.
        Silicon = "silicon",
        /// Nothing alone.
        Generic = "generic",
    }
}

words! {
    /// How much it tells.
    Strength {
        /// Decides at its level.
        Decide = "decide",
        /// Supports what other evidence says.
        Support = "support",
        /// A hint.
        Weak = "weak",
        /// A trap: it must never decide and may lower.
        Trap = "trap",
    }
}

/// One row of `identifiers/endpoints.csv`.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The domain; it covers its subdomains.
    pub domain: Box<str>,
    /// What it serves.
    pub what: Box<str>,
    /// The brand, maker or silicon vendor.
    pub brand: Option<Box<str>>,
    /// What it tells.
    pub level: EndpointLevel,
    /// How much.
    pub strength: Strength,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for Endpoint {
    const FILE: &'static str = "identifiers/endpoints.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        Ok(Self {
            domain: row.required("domain")?,
            what: row.required("what")?,
            brand: row.opt("brand")?,
            level: row.word("level")?,
            strength: row.word("strength")?,
            source: row.source()?,
        })
    }
}

/// The row with the longest domain that is the name or a parent of it.
pub(crate) fn covering<'k>(rows: &'k [Endpoint], name: &str) -> Option<&'k Endpoint> {
    let name = name.trim().trim_end_matches('.').to_ascii_lowercase();
    let covers = |domain: &str| name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    rows.iter().filter(|r| covers(&r.domain)).max_by_key(|r| r.domain.len())
}
