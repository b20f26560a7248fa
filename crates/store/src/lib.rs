//! The system of record: evidence and observations as they came, what was concluded of them, and what people decided.
//!
//! [`Store::open`] takes a path (SQLite) or a `postgres://` address; both answer alike, which one suite of tests holds them
//! to. Three sorts of rows live here and are never mixed:
//!
//! - what came in (evidence, observations): append-only, [`Store::import`];
//! - what was concluded (devices, findings): derived, replaced as a whole by [`Store::replace_answer`], with ids that stay;
//! - what people decided (triage, notes, tags, approvals): a log of its own, [`Store::decide`], that no recompute touches.
//!
//! Every list, count, facet and export takes a [`Scope`] and is bound by it inside SQL. Time comes in as a value.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod answer;
mod audit;
mod backup;
mod chain;
mod db;
mod decide;
mod desk;
mod error;
mod evidence;
mod list;
mod observe;
mod pack;
mod people;
pub mod query;
mod retain;
mod scope;
mod store;
mod time;

pub use answer::{Answer, AnswerRow, Changed, Changes, Organisations};
pub use audit::{AuditHead, AuditRow};
pub use backup::{BackupStamp, last_good, verify_backup};
pub use decide::{Decided, Decision, Many};
pub use desk::{JOB_STATES, Job, KeptProblem, View};
pub use error::StoreError;
pub use evidence::{Content, Evidence, Import, NewEvidence, Received};
pub use list::{Count, DeviceRow, Facet, FacetValue, FindingRow, Kept, KeptInput, Listed, MOST_COUNTED, Page};
pub use observe::Rebuilt;
pub use people::{Person, Role, Session, Token, TokenClass};
pub use retain::{Retained, Retention};
pub use scope::{By, Scope, Sites};
pub use store::{Check, Options, Store};
pub use time::Time;
