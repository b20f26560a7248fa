//! The menu of files that a list can be taken away as: plain links, for what the query shows.

use umbilical_store::Count;

use super::fleet::href;
use crate::leave::{Devices, Findings, Named};
use crate::rights::Permission;
use crate::who::Who;

/// The menu.
pub struct Download {
    pub count: u64,
    pub exact: bool,
    pub one: &'static str,
    pub many: &'static str,
    /// Whether it is less than everything.
    pub narrowed: bool,
    /// Whether subscriber numbers are masked.
    pub covered: bool,
    pub files: Vec<FileShown>,
}

/// A link of it.
pub struct FileShown {
    pub label: &'static str,
    pub href: String,
    /// The most that this format is written of, where the list has more.
    pub too_many: Option<u64>,
}

impl Download {
    /// Of the devices that fit a query; `None` for who may not.
    pub fn devices(who: &Who, q: &str, count: Count) -> Option<Self> {
        let formats = Devices::ALL.map(|f| (f.named(), f.most()));
        let mut out = Self::of(who, q, count, ["device", "devices"], &formats)?;
        out.files.push(FileShown { label: "Evidence pack", href: href("/api/v1/export/pack", q, None), too_many: None });
        Some(out)
    }

    /// Of the findings that fit a query.
    pub fn findings(who: &Who, q: &str, count: Count) -> Option<Self> {
        let formats = Findings::ALL.map(|f| (f.named(), f.most()));
        Self::of(who, q, count, ["finding", "findings"], &formats)
    }

    fn of(who: &Who, q: &str, count: Count, [one, many]: [&'static str; 2], formats: &[(Named, Option<u64>)]) -> Option<Self> {
        if !who.may(Permission::Export) || count.n == 0 {
            return None;
        }
        let list = href(&format!("/api/v1/export/{many}"), q, None);
        let file = |(named, most): &(Named, Option<u64>)| FileShown {
            label: named.label,
            href: format!("{list}&format={}", named.name),
            too_many: most.filter(|most| count.n > *most),
        };
        Some(Self {
            count: count.n,
            exact: count.exact,
            one,
            many,
            narrowed: !q.is_empty(),
            covered: !who.scope.subscribers,
            files: formats.iter().map(file).collect(),
        })
    }
}
