//! Whose eyes a question is asked with.

use std::collections::BTreeSet;

use crate::Time;

/// Which sites are seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sites {
    /// Everything, things without a site among it.
    All,
    /// These alone, whatever their case; things without a site are not seen.
    Only(BTreeSet<String>),
}

/// What the asker may see. It binds lists, counts, facets, exports and search alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The sites.
    pub sites: Sites,
    /// Whether IMSI, ICCID and MSISDN are given whole, and may be searched for.
    pub subscribers: bool,
}

impl Scope {
    /// Everything, subscriber numbers among it: for the program itself.
    pub const ALL: Self = Self { sites: Sites::All, subscribers: true };

    /// Everything, subscriber numbers masked.
    pub const MASKED: Self = Self { sites: Sites::All, subscribers: false };

    /// These sites alone, subscriber numbers masked.
    pub fn sites<S: Into<String>>(sites: impl IntoIterator<Item = S>) -> Self {
        Self { sites: Sites::Only(sites.into_iter().map(Into::into).collect()), subscribers: false }
    }
}

/// Who does something, and when: every change carries it.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// A user's or token's name, or `umbilical` for the program itself.
    pub who: &'a str,
    /// By the caller's clock.
    pub at: Time,
}
