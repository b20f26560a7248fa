//! What leaves, as it leaves.

mod attest;
mod big;
mod bills;
mod cyclonedx;
mod fleet;
mod formats;
mod machines;
mod safety;
