//! What-if: law and facts assumed for one run.
//!
//! | said | means |
//! |---|---|
//! | `quectel listed US-FCC-COVERED 2027-01-01` | an entry of that list that names it, from that day |
//! | `huawei delisted US-NDAA-889 2027-01-01` | its entries of that list end on that day |
//! | `rolling owned-by fibocom 2024-07-26` | a sole owner from that day |
//! | `US-S1812 in-force 2027-01-01` | a proposed rule, or all rules of a proposed pack, bind from that day |

use std::fmt;
use std::str::FromStr;

use umbilical_core::Day;

/// What changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A list names it.
    Listed,
    /// A list no longer names it.
    Delisted,
    /// Somebody owns all of it.
    OwnedBy,
    /// A proposal binds.
    InForce,
}

/// One assumption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// An organisation's id, or the id of a rule or pack.
    pub who: String,
    /// What changes.
    pub change: Change,
    /// The regime or the owner; empty where there is none.
    pub whom: String,
    /// From when.
    pub from: Day,
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { who, whom, from, .. } = self;
        match self.change {
            Change::Listed => write!(f, "{who} listed {whom} {from}"),
            Change::Delisted => write!(f, "{who} delisted {whom} {from}"),
            Change::OwnedBy => write!(f, "{who} owned-by {whom} {from}"),
            Change::InForce => write!(f, "{who} in-force {from}"),
        }
    }
}

impl FromStr for Assumption {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (who, change, whom, from) = match words[..] {
            [who, "listed", whom, day] => (who, Change::Listed, whom, day),
            [who, "delisted", whom, day] => (who, Change::Delisted, whom, day),
            [who, "owned-by", whom, day] => (who, Change::OwnedBy, whom, day),
            [who, "in-force", day] => (who, Change::InForce, "", day),
            _ => {
                return Err(format!(
                    "`{text}` assumes nothing: write `ORG listed REGIME DAY`, `ORG delisted REGIME DAY`, `ORG owned-by ORG DAY` or `RULE in-force DAY`"
                ));
            }
        };
        let from = from.parse().map_err(|e| format!("`{text}`: {e}"))?;
        Ok(Self { who: who.to_owned(), change, whom: whom.to_owned(), from })
    }
}
