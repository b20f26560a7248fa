//! What leaves, as it leaves.

mod big;
mod fleet;
mod formats;
mod safety;
