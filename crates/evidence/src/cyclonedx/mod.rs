//! CycloneDX: bills of materials made for exchange.
//!
//! **What it reads.** JSON of every version, 1.2 to 1.7 and the draft of 2.0, whatever the order of its members. Each
//! component is a part, those inside it hang on it; `metadata.component` is the product. What a field of
//! [`Part`](umbilical_core::bom::Part) has no place for is kept among its properties: those of the document under their
//! names, fields that are not known under `json:` and their path.
//!
//! **How it stays small.** The document streams by: a component is held while it is read, what it holds is read in turn, and
//! nothing else stays but the parts. [`validate`] judges by the official schemas in the same pass.
//!
//! **When it is wrong.** An inventory of software is a CycloneDX document too: its parts come with their type, and what is
//! hardware is not decided here. What a tool found on a live host (`cdx:hbom:` properties) is what a document declares, not
//! what was observed here.

mod close;
pub mod json;
mod keep;
mod level;
pub(crate) mod part;
mod property;
pub(crate) mod scan;
pub mod validate;
mod walk;
mod xml;

pub use json::CycloneDxJson;
pub(crate) use xml::CycloneDxXml;
