//! Lists: pages of devices and findings, counts, and one thing whole.
//!
//! Devices that differ only in names and numbers share a profile, and findings a kind. A query that asks only for what a
//! profile has is counted, sorted and faceted by looking at profiles, of which a fleet of a million has thousands; what asks
//! for names, tags or days looks at rows, and is counted up to [`MOST_COUNTED`].

pub(crate) mod cursor;
mod devices;
mod facets;
mod findings;
mod one;
mod overview;

use crate::StoreError;
use crate::db::{Sql, Tx};

pub use devices::DeviceRow;
pub use facets::{Crossed, Facet, FacetValue};
pub use findings::FindingRow;
pub(crate) use findings::decided;
pub use one::{Kept, KeptInput, Named};
pub(crate) use one::{canonical, finding, mask, mask_finding, organisations};
pub use overview::{CodeRow, ModuleRow, Moves, SourceRow};

/// Which part of a list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page<'a> {
    /// [`Listed::next`] of the page before; `None` for the first.
    pub after: Option<&'a str>,
    /// How many rows, 1 to 1000; 0 means 50.
    pub limit: u32,
    /// A column of [`DeviceRow::sorts`] or [`FindingRow::sorts`], with `-` before it for the highest first.
    pub sort: Option<&'a str>,
}

impl Page<'_> {
    pub(crate) fn rows(&self) -> usize {
        match self.limit {
            0 => 50,
            n => n.clamp(1, 1000) as usize,
        }
    }
}

/// How many fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// So many.
    pub n: u64,
    /// Whether that is all; otherwise there are more.
    pub exact: bool,
}

/// Rows beyond this are not counted one by one.
pub const MOST_COUNTED: u64 = 10_000;

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
    /// How many fit, over all pages.
    pub count: Count,
}

/// A column by which a list is sorted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sort {
    pub name: &'static str,
    pub column: &'static str,
    /// Whether all rows of one profile or kind have the same.
    pub bucket: bool,
    pub text: bool,
}

/// A sort as it was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sorted {
    pub by: Sort,
    pub down: bool,
}

pub(crate) fn sorted(sorts: &[Sort], asked: &str) -> Result<Sorted, StoreError> {
    let (down, name) = asked.strip_prefix('-').map_or((false, asked), |name| (true, name));
    let by = sorts.iter().find(|s| s.name == name).copied();
    by.map(|by| Sorted { by, down }).ok_or_else(|| {
        let names: Vec<&str> = sorts.iter().map(|s| s.name).collect();
        StoreError::Invalid(format!(
            "the list cannot be sorted by `{}`: possible are {}",
            umbilical_core::text::short(name, 40),
            names.join(", ")
        ))
    })
}

impl Sorted {
    pub(crate) fn order(&self) -> &'static str {
        if self.down { "DESC" } else { "ASC" }
    }
    pub(crate) fn sign(&self) -> &'static str {
        if self.down { "<" } else { ">" }
    }
}

/// Counts rows one by one, up to the most that are.
pub(crate) async fn capped(tx: &mut Tx, mut rows: Sql) -> Result<Count, StoreError> {
    rows.text = format!("SELECT COUNT(*) FROM ({} LIMIT {}) counted", rows.text, MOST_COUNTED.saturating_add(1));
    let n = u64::try_from(tx.number(rows).await?).unwrap_or(0);
    Ok(Count { n: n.min(MOST_COUNTED), exact: n <= MOST_COUNTED })
}
