//! Boards of KiCad (`.kicad_pcb`), versions 4 and later.
//!
//! **What it reads.** Footprints that are placed, each with reference, value and fields: as properties since version 8, as
//! texts before.
//!
//! **When it is wrong.** A board keeps the value that the schematic had when it was last updated from it.

use std::io;

use umbilical_core::bom::Design;
use umbilical_core::{At, Observations};

use super::fields::{Draft, cell};
use super::kicad_sch::title;
use super::sexpr::{List, Scanner};
use super::{begins, kicad_text};
use crate::{Context, Head, Reader, Source};

/// What is only there to draw a footprint.
const DRAWING: &[&str] = &[
    "pad",
    "fp_line",
    "fp_arc",
    "fp_circle",
    "fp_poly",
    "fp_rect",
    "fp_curve",
    "model",
    "zone",
    "group",
    "effects",
    "at",
    "layer",
    "points",
];

/// See the module.
pub struct KicadPcbReader;

impl Reader for KicadPcbReader {
    fn name(&self) -> &'static str {
        "kicad-pcb"
    }

    fn about(&self) -> &'static str {
        "boards of KiCad: placed footprints with value, fields, do-not-populate"
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        if begins(head, "(kicad_pcb") { 99 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let mut text = source.utf8();
        let mut scanner = Scanner::new(&mut *text, false);
        out.bom(Design::List);
        let cut = scanner.root("board", |scanner, name, line| {
            match name.as_str() {
                "footprint" | "module" => footprint(&scanner.rest(name, line, DRAWING)?, out),
                "title_block" => title(&scanner.rest(name, line, &[])?, Design::List, out),
                _ => scanner.skip()?,
            }
            Ok(())
        })?;
        if let Some((line, why)) = cut {
            out.problem(At::line(line), why);
        }
        Ok(())
    }
}

fn footprint(list: &List, out: &mut Observations) {
    let mut draft = Draft::new(At::line(list.line));
    let mut reference = None;
    for field in list.lists.iter().filter(|l| matches!(l.name.as_str(), "property" | "fp_text")) {
        let (Some(name), Some(text)) = (field.word(0), field.word(1).map(kicad_text)) else { continue };
        match (field.name.as_str(), name) {
            ("property", "Reference") | ("fp_text", "reference") => reference = cell(&text).or(reference),
            ("property", "Value") | ("fp_text", "value") => {
                draft.part.at = At::line(field.line);
                draft.value(&text);
            }
            ("property", "Footprint" | "Datasheet") => draft.property(&name.to_lowercase(), &text),
            // Other texts are drawn for people.
            ("fp_text", _) => {}
            _ => draft.field(name, &text),
        }
    }
    for (word, says) in [("dnp", "dnp"), ("exclude_from_bom", "excluded from the bill of materials"), ("virtual", "virtual")] {
        if list.first("attr").is_some_and(|attr| attr.words.iter().any(|w| w == word)) {
            draft.leave_out(says);
        }
    }
    draft.property("footprint", list.word(0).unwrap_or_default());
    // Logos and holes have no reference, or one that says so.
    let Some(reference) = reference.filter(|r| !r.starts_with('#') && !r.contains('*')) else { return };
    draft.part.designators.push(reference);
    out.part(Design::List, draft.finish());
}
