//! The system of record: evidence and observations as they came, what was concluded of them, and what people decided.
//!
//! [`Store::open`] takes a path (SQLite) or a `postgres://` address; both answer alike, which one suite of tests holds them
//! to. Three sorts of rows live here and are never mixed:
//!
//! - what came in (evidence, observations): append-only, [`Store::import`];
//! - what was concluded (devices, findings): derived, replaced as a whole by [`Store::replace_answer`], with ids that stay;
//! - what people decided (triage, notes, tags, approvals): a log of its own, [`Store::decide`], that no recompute touches.
//!
//! ```no_run
//! use umbilical_core::{Observations, answer::{Audit, Device}};
//! use umbilical_store::{Answer, By, Content, Decision, NewEvidence, Page, Scope, Store, StoreError, Time, query::Query};
//!
//! async fn day(read: Observations, judge: impl Fn(&Observations) -> (Audit, Vec<Device>)) -> Result<(), StoreError> {
//!     let by = By { who: "ana", at: Time(1_790_000_000_000) };
//!     let store = Store::open("home/umbilical.db", by.at).await?;
//!     // What came in: all of it, or none.
//!     let mut import = store.import(by).await?;
//!     let new = NewEvidence { name: "sims.csv", format: "csv", collected_at: None, collected_by: None, reader: "umbilical 0.1.0" };
//!     import.add(&new, Content::File("sims.csv".as_ref()), &read).await?;
//!     import.commit().await?;
//!     // What is concluded of everything that ever came in.
//!     let all = store.observations().await?;
//!     let (audit, devices) = judge(&all.observations);
//!     let answer = Answer { audit: &audit, inputs: &all.inputs, findings: &[] };
//!     let changes = store.replace_answer(by, answer, devices.into_iter()).await?;
//!     println!("{} new, {} changed, {} gone", changes.new, changes.changed, changes.gone);
//!     // What is seen and decided.
//!     let scope = Scope::sites(["Plant 7"]);
//!     let query = Query::parse("verdict:fail -tag:spare severity>=high")?;
//!     for device in store.devices(&scope, &query, Page { sort: Some("-severity"), ..Page::default() }).await?.rows {
//!         store.decide(&scope, by, &device.id, Decision::State("triage"), "to be looked at", None).await?;
//!     }
//!     Ok(())
//! }
//! ```
//!
//! There is one writer at a time: whoever holds an [`Import`] and asks the same store to write waits for himself. Reading
//! goes on meanwhile, and sees what was committed.
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
mod incident;
pub mod lake;
mod list;
mod observe;
mod outbox;
mod pack;
mod parquet;
mod people;
pub mod query;
mod retain;
mod scope;
mod store;
mod time;
pub mod traffic;
mod waiver;

pub use answer::{Answer, AnswerRow, Changed, Changes, Organisations, Span};
pub use audit::{AuditHead, AuditRow};
pub use backup::{BackupFile, BackupStamp, last_good, verify_backup};
pub use decide::{Decided, Decision, LONGEST_ACCEPTED, Many};
pub use desk::{JOB_STATES, Job, KeptProblem, View};
pub use error::StoreError;
pub use evidence::{Content, Evidence, Import, NewEvidence, Received};
pub use incident::{Incident, KeptMute, MuteRule, Preview, Sighting, split as split_peer};
pub use list::{
    CodeRow, Count, Crossed, DeviceRow, Facet, FacetValue, FindingRow, Kept, KeptInput, Listed, MOST_COUNTED, ModuleRow, Moves, Named,
    Page, SourceRow,
};
pub use observe::Rebuilt;
pub use outbox::{Batch, EACH, Expired, Happened, KEEP_DAYS, OutEvent, Refused, Sink, SinkFilter, SinkKind, SinkOf, Tally, Turn};
pub use parquet::Parquet;
pub use people::{Person, Role, Session, Token, TokenClass};
pub use retain::{Retained, Retention};
pub use scope::{By, Scope, Sites};
pub use store::{Check, Options, Store};
pub use time::Time;
pub use waiver::{KeptWaiver, Proposal, WaiverState};
