//! What leaves: an answer as JSON, CSV, text for a terminal and one self-contained page, and the chain behind one device.
//!
//! Nothing is identified or judged here. Devices come as an iterator that is read once: JSON and CSV pass them through
//! one at a time, the terminal and the page keep a bounded number and say how many they left out. Text from outside
//! goes through [`umbilical_core::text::clean`] and the escaping of its format in one place each: [`json`] escapes
//! what steers, [`csv`] guards cells, the terminal's page cleans every line, the HTML writer escapes every value.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod attest;
pub mod bids;
pub mod bom;
pub mod csv;
pub mod cyclonedx;
pub mod decisions;
pub mod diff;
pub mod doctor;
pub mod document;
pub mod event;
pub mod explain;
pub mod fleet;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod label;
pub mod layers;
pub mod located;
pub mod pack;
pub mod policy;
pub mod risk;
pub mod sarif;
pub mod suppliers;
pub mod svg;
pub mod table;
pub mod verify;
pub mod watch;

mod markup;
pub mod say;
mod survey;
mod terminal;

/// How a terminal answer is laid out.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Columns of the terminal; 80 reads well, below 40 is taken as 40.
    pub width: usize,
    /// Whether colours may be used.
    pub color: bool,
    /// How many devices are listed; the rest are counted.
    pub max_rows: usize,
}
