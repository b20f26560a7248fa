//! SPDX: packages and, since the drafts of 3.1, hardware, with the relationships that tell what holds what.
//!
//! **What it reads.** SPDX 2.x as JSON and as tags and values, SPDX 3.x as JSON-LD. A package is a part; what `CONTAINS` it
//! holds it, or, where nothing does, what depends on it. The one thing that a document describes is its product.
//!
//! **When it is wrong.** Nearly every SPDX document is an inventory of software: its parts are declared, with their purpose,
//! and what is hardware is not decided here. SPDX 2.x has no field for a maker's part number: a name is not taken for one.

mod fields;
mod json;
mod json_ld;
mod tag_value;
mod tree;

pub(crate) use json::SpdxJson;
pub(crate) use json_ld::Spdx3Json;
pub(crate) use tag_value::SpdxTagValue;
