//! Files of electronic design programs, read as bills of materials: schematics, netlists, boards, and the lists that such
//! programs write.
//!
//! A part is known by what is *placed* on the drawing: its value and the fields that name a part number or a maker.
//! Libraries, symbols, footprints, sheets, nets and projects carry names of modules too, and such names lie: a footprint is
//! drawn for the older model, a symbol is used for its pin-compatible sister, a project is called after the module that one
//! of its ten sheets has. They stay among the properties of a part, where nothing is recognised by them.

mod altium;
mod eagle;
pub(crate) mod fields;
mod ibom;
mod ipc2581;
mod kicad_legacy;
mod kicad_net;
mod kicad_pcb;
mod kicad_sch;
mod lzstring;
mod netlist;
mod orcad_bom;
mod sexpr;
pub(crate) mod xml;

pub(crate) use altium::{BomDocReader, SchDocReader};
pub(crate) use eagle::EagleReader;
pub(crate) use ibom::IbomReader;
pub(crate) use ipc2581::Ipc2581Reader;
pub(crate) use kicad_legacy::KicadLegacyReader;
pub(crate) use kicad_net::KicadNetReader;
pub(crate) use kicad_pcb::KicadPcbReader;
pub(crate) use kicad_sch::KicadSchReader;
pub(crate) use netlist::{PadsReader, ProtelReader};
pub(crate) use orcad_bom::OrcadBomReader;

use std::borrow::Cow;

use crate::Head;

/// The largest design file that is read.
const MAX_BYTES: u64 = 512 << 20;
/// The deepest nesting: real files have some ten levels.
const MAX_DEPTH: usize = 200;
/// The longest text of one field, in bytes; what is longer is cut.
const MAX_TEXT: usize = 16 * 1024;

/// Whether the text begins so, byte order mark, blanks and line breaks aside.
fn begins(head: &Head<'_>, start: &str) -> bool {
    head.text.as_deref().is_some_and(|text| text.trim_start_matches('\u{feff}').trim_start().starts_with(start))
}

/// Text of KiCad, with the names that it writes for signs of its own in braces resolved.
fn kicad_text(text: &str) -> Cow<'_, str> {
    const NAMES: &[(&str, &str)] = &[
        ("{slash}", "/"),
        ("{backslash}", "\\"),
        ("{dblquote}", "\""),
        ("{quote}", "'"),
        ("{colon}", ":"),
        ("{space}", " "),
        ("{lt}", "<"),
        ("{gt}", ">"),
        ("{bar}", "|"),
        ("{tab}", " "),
        ("{return}", "\n"),
        ("{brace}", "{"),
    ];
    if !text.contains('{') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(NAMES.iter().fold(text.to_owned(), |text, (name, sign)| text.replace(name, sign)))
}
