//! Readers: evidence of any kind to observations.
//!
//! [`open::read_paths`] walks what the user named, opens archives, decodes text and hands each artefact to the
//! reader that recognises its **content** best ([`READERS`]; names and extensions decide nothing). A reader never
//! fails on content: it pushes what it understood, and problems with a locator, into the
//! [`Observations`]. Only I/O fails. A panic inside a reader is caught, reported as
//! a problem of that input, and the other inputs go on.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod archive;
mod compound;
pub mod cyclonedx;
mod earlier;
mod eda;
pub mod json;
mod lots;
pub mod open;
mod parts;
mod pieces;
mod radio;
pub mod signed;
pub mod source;
mod spdx;
pub mod table;
mod tcg;
pub mod text;

use std::io;

use umbilical_core::Observations;
use umbilical_knowledge::Knowledge;

pub use source::{Head, Source};

/// What evidence is read for: decides tables that could be either a list of devices or a list of parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// A fleet: rows are devices unless their columns are those of a parts list beyond doubt.
    #[default]
    Fleet,
    /// Bills of materials: rows are parts wherever the columns allow it.
    Bom,
    /// Lists of what was shipped or received: rows are pieces of lots.
    Lot,
}

/// What a reader is given beside the bytes.
pub struct Context<'a> {
    /// The facts (some dialects ask whether a word is a maker or model).
    pub knowledge: &'a Knowledge,
    /// The user's column mapping for tables, if any.
    pub mapping: Option<&'a table::Mapping>,
    /// What the evidence is read for.
    pub purpose: Purpose,
    /// Whether statements are judged by the schema of their version.
    pub validate: bool,
    /// The path as the user named it (`outer.zip!inner`), for names only.
    pub path: &'a str,
}

/// One kind of evidence. Its folder or file holds its code, its documentation and its fixtures.
pub trait Reader: Sync {
    /// The format name shown in `inputs[].format`.
    fn name(&self) -> &'static str;
    /// What it reads and when it is wrong, for `docs/` and `--help`.
    fn about(&self) -> &'static str;
    /// How sure the reader is that the head is its own: 0 = not mine, 100 = certain (magic number).
    fn sniff(&self, head: &Head<'_>) -> u8;
    /// Reads the artefact; the input has already been begun in `out`. It may narrow `inputs.last().format`.
    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()>;
}

/// Every reader. The highest sniff wins; the order here breaks ties. Containers (folders, zip, tar, gzip) are
/// opened before, in [`open`].
pub const READERS: &[&dyn Reader] = &[
    &eda::KicadSchReader,
    &eda::KicadLegacyReader,
    &eda::KicadPcbReader,
    &eda::KicadNetReader,
    &eda::EagleReader,
    &eda::BomDocReader,
    &eda::SchDocReader,
    &eda::ProtelReader,
    &eda::PadsReader,
    &eda::OrcadBomReader,
    &eda::IbomReader,
    &eda::Ipc2581Reader,
    &table::XlsxReader,
    &table::OdsReader,
    &table::XlsReader,
    &table::ParquetReader,
    &cyclonedx::CycloneDxJson,
    &cyclonedx::CycloneDxXml,
    &spdx::SpdxJson,
    &spdx::Spdx3Json,
    &spdx::SpdxTagValue,
    &tcg::TcgManifest,
    &earlier::ExportLines,
    &earlier::ExportCycloneDx,
    &radio::SweepReader,
    &radio::KismetJson,
    &radio::KismetXml,
    &radio::SurveyTable,
    &json::JsonReader,
    &json::MarkdownReader,
    &table::TableReader,
    &text::TextReader,
];
