//! Observations to claims: which records are one device, what is in it, who stands behind it.

pub mod findings;
pub mod fleet;
pub mod identify;
pub mod resolve;
pub mod trace;

pub use fleet::{Fleet, Options};
