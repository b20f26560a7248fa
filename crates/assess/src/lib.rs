//! Observations to claims: which records are one device, what is in it, who stands behind it.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

pub mod bom;
pub mod draft;
pub mod findings;
pub mod fleet;
pub mod identify;
pub mod judge;
pub mod label;
pub mod lookup;
mod owners;
pub mod resolve;
mod shown;
pub mod suppliers;
pub mod trace;
pub mod verify;

pub use fleet::{Fleet, Options};
