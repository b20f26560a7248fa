//! Schematics of KiCad 6 and later (`.kicad_sch`).
//!
//! **What it reads.** Symbols that are placed on the sheet, each with its value and fields; the title block; the files of
//! further sheets. The copies of library symbols at the head of the file (`lib_symbols`) are passed over: a library may
//! name a module that no sheet has.
//!
//! A part without a value is drawn under the name of its symbol: then that is the value, and the property `value from` says it.
//!
//! **When it is wrong.** A sheet that several designs share has a list of references for each; those of the designs in
//! which the symbol has the reference that is drawn are taken.

use std::io;

use umbilical_core::bom::Design;
use umbilical_core::{At, Observations};

use super::fields::{Draft, Drawn, cell};
use super::sexpr::{List, Scanner, Token};
use super::{begins, kicad_text};
use crate::{Context, Head, Reader, Source};

/// What is only there to draw a symbol.
const DRAWING: &[&str] = &["pin", "at", "effects", "stroke", "fill", "size", "variant"];

/// See the module.
pub struct KicadSchReader;

impl Reader for KicadSchReader {
    fn name(&self) -> &'static str {
        "kicad-sch"
    }

    fn about(&self) -> &'static str {
        "schematic sheets of KiCad 6 and later: placed symbols with value, fields, do-not-populate"
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        if begins(head, "(kicad_sch") { 99 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let mut text = source.utf8();
        let mut scanner = Scanner::new(&mut *text, false);
        let mut drawn = Drawn::default();
        out.bom(Design::Schematic);
        // Only what stands right under the root is on the sheet.
        let cut = scanner.root("schematic", |scanner, name, line| {
            match name.as_str() {
                "symbol" => symbol(&scanner.rest(name, line, DRAWING)?, &mut drawn),
                "sheet" => sheet(&scanner.rest(name, line, DRAWING)?, out),
                "title_block" => title(&scanner.rest(name, line, &[])?, Design::Schematic, out),
                "symbol_instances" => instances(scanner, &mut drawn)?,
                _ => scanner.skip()?,
            }
            Ok(())
        })?;
        if let Some((line, why)) = cut {
            out.problem(At::line(line), why);
        }
        drawn.finish(Design::Schematic, out);
        Ok(())
    }
}

fn symbol(list: &List, drawn: &mut Drawn) {
    let mut draft = Draft::new(At::line(list.line));
    let mut reference = None;
    for property in list.all("property") {
        // Since version 10 a property may be marked `private` before its name.
        let skip = usize::from(property.word(0) == Some("private") && property.words.len() > 2);
        let (Some(name), Some(text)) = (property.word(skip), property.word(skip.saturating_add(1))) else { continue };
        let text = kicad_text(text);
        match name {
            "Reference" => reference = cell(&text),
            "Value" => {
                draft.part.at = At::line(property.line);
                draft.value(&text);
            }
            "Footprint" | "Datasheet" => draft.property(&name.to_lowercase(), &text),
            _ => draft.field(name, &text),
        }
    }
    for (flag, says, words) in
        [("dnp", "yes", "dnp"), ("on_board", "no", "not on board"), ("in_bom", "no", "excluded from the bill of materials")]
    {
        if list.text(flag) == Some(says) {
            draft.leave_out(words);
        }
    }
    let library = list.first("lib_id");
    let symbol = library.and_then(|l| l.word(0)).unwrap_or_default();
    // Of a symbol that is cut, the value may be what is missing.
    if !list.cut && draft.stand_in(symbol.rsplit(':').next().unwrap_or_default(), "the name of the symbol: the part has no value") {
        draft.part.at = At::line(library.map_or(list.line, |l| l.line));
    }
    draft.property("symbol", symbol);
    draft.part.designators = references(list, reference);
    drawn.add(draft.finish(), symbol, list.text("uuid").unwrap_or_default());
}

/// The references of a symbol: one for each use of its sheet.
fn references(list: &List, drawn: Option<Box<str>>) -> Vec<Box<str>> {
    let projects = || list.all("instances").flat_map(|i| i.all("project"));
    let of = |project: &List| -> Vec<Box<str>> { project.all("path").filter_map(|p| p.text("reference").and_then(cell)).collect() };
    let ours = |project: &&List| drawn.as_ref().is_some_and(|d| of(project).contains(d));
    let mut out: Vec<Box<str>> = projects().filter(ours).flat_map(of).collect();
    if out.is_empty() {
        out = projects().flat_map(of).collect();
    }
    if let Some(drawn) = drawn.filter(|d| !out.contains(d)) {
        out.insert(0, drawn);
    }
    let mut seen = rustc_hash::FxHashSet::default();
    out.retain(|d| seen.insert(d.clone()));
    out
}

/// In version 6 the root sheet lists the references of all symbols, by the path of unique ids to them.
fn instances(scanner: &mut Scanner<'_>, drawn: &mut Drawn) -> io::Result<()> {
    loop {
        match scanner.token()? {
            Token::Open => {
                let list = scanner.list(&[])?;
                let id = list.word(0).and_then(|path| path.rsplit('/').next()).unwrap_or_default();
                if let Some(reference) = list.text("reference").filter(|_| !id.is_empty()) {
                    drawn.also(id, reference);
                }
            }
            Token::Word(_) => {}
            Token::Close | Token::End => return Ok(()),
        }
    }
}

fn sheet(list: &List, out: &mut Observations) {
    for property in list.all("property") {
        let name = property.word(0).unwrap_or_default().to_lowercase().replace(' ', "");
        if let (true, Some(file)) = (matches!(name.as_str(), "sheetfile"), property.word(1).and_then(cell)) {
            let sheets = &mut out.bom(Design::Schematic).sheets;
            if !sheets.contains(&file) && sheets.len() < 10_000 {
                sheets.push(file);
            }
        }
    }
}

/// A title block, here and in netlists.
pub(super) fn title(list: &List, design: Design, out: &mut Observations) {
    let text = |name| list.text(name).map(kicad_text).and_then(|t| cell(&t));
    let product = &mut out.bom(design).product;
    for (slot, found) in [
        (&mut product.name, text("title")),
        (&mut product.version, text("rev")),
        (&mut product.date, text("date")),
        (&mut product.brand, text("company")),
    ] {
        if slot.is_none() {
            *slot = found;
        }
    }
}
