//! What leaves, as it leaves.

mod big;
mod bills;
mod fleet;
mod formats;
mod machines;
mod safety;
