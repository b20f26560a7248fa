//! The vocabulary of Umbilical, and nothing that does I/O.
//!
//! Readers turn the outside into [`Observations`]; assessment weighs them into [`answer::Claim`]s about
//! modules and judges claims into [`finding::Finding`]s; reports write [`answer::Device`]s.
//! This crate reads no file, clock, network or environment: time comes in as a value.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

pub mod air;
pub mod answer;
pub mod bom;
pub mod chain;
pub mod date;
pub mod finding;
pub mod id;
mod micros;
pub mod number;
pub mod observation;
pub mod signed;
pub mod text;
pub mod weight;
pub mod words;

pub use date::Day;
pub use micros::Micros;
pub use observation::{At, Basis, Fact, Group, IdKind, Kind, Observations, Record};
