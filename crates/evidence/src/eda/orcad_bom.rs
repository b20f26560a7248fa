//! The bill of materials that OrCAD Capture prints as text: `Item  Quantity  Reference  Part` above a line of underscores.
//!
//! **What it reads.** Rows in columns by tabs or blanks; references that go on over several lines; further columns where tabs
//! tell them apart.
//!
//! **When it is wrong.** Where blanks stand for tabs, a value that ends the line is taken whole, and further columns with it.

use std::io;

use umbilical_core::bom::Design;
use umbilical_core::{At, Observations};

use super::fields::{Draft, cell};
use crate::parts::{PartField, designators, part_field};
use crate::source::for_each_line;
use crate::{Context, Head, Reader, Source};

/// The most references of one row.
const MOST: usize = 4096;

/// See the module.
pub struct OrcadBomReader;

/// The heads of the columns, where a line is their line.
fn heads(line: &str) -> Option<Vec<String>> {
    let heads: Vec<String> = if line.contains('\t') {
        line.split('\t').map(|h| h.trim().to_owned()).collect()
    } else {
        line.split("  ").map(|h| h.trim().to_owned()).filter(|h| !h.is_empty()).collect()
    };
    let at = |n: usize, name: &str| heads.get(n).is_some_and(|h| h.eq_ignore_ascii_case(name));
    (at(0, "Item") && at(1, "Quantity") && at(2, "Reference") && at(3, "Part")).then_some(heads)
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 10 && line.bytes().all(|b| matches!(b, b'_' | b'-' | b' ' | b'\t'))
}

impl Reader for OrcadBomReader {
    fn name(&self) -> &'static str {
        "orcad-bom"
    }

    fn about(&self) -> &'static str {
        "bills of materials that OrCAD Capture prints: item, quantity, reference, part"
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let Some(text) = head.text.as_deref() else { return 0 };
        let mut lines = text.lines().take(60);
        // The line of underscores right below tells it from a table that somebody typed.
        let found = lines.any(|l| heads(l).is_some()) && lines.find(|l| !l.trim().is_empty()).is_some_and(is_rule);
        if found { 97 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        out.bom(Design::List);
        let mut columns: Option<Vec<String>> = None;
        let mut row: Option<Draft> = None;
        for_each_line(&mut *source.utf8(), |line| {
            if let Some(found) = heads(&line.text) {
                columns = Some(found);
                return;
            }
            let Some(columns) = &columns else {
                title(&line.text, out);
                return;
            };
            let text = line.text.trim_end();
            // Page heads stand between the rows of a long list.
            if text.trim().is_empty() || is_rule(text) || text.starts_with("Bill Of Materials") {
                return;
            }
            let cells: Vec<&str> = if text.contains('\t') { text.split('\t').map(str::trim).collect() } else { in_blanks(text) };
            let cell_at = |n: usize| cells.get(n).copied().unwrap_or_default();
            if cell_at(0).parse::<u32>().is_ok() && !cell_at(2).is_empty() {
                if let Some(done) = row.take() {
                    out.part(Design::List, done.finish());
                }
                let mut draft = Draft::new(At::line(line.n));
                draft.part.quantity = cell_at(1).parse().ok();
                draft.part.designators = designators(cell_at(2));
                draft.value(cell_at(3));
                for (name, text) in columns.iter().zip(&cells).skip(4) {
                    match part_field(name) {
                        Some(PartField::Value) | None => draft.property(name, text),
                        _ => draft.field(name, text),
                    }
                }
                row = Some(draft);
            } else if let Some(row) = &mut row.as_mut().filter(|_| cell_at(0).is_empty()) {
                let more = designators(cell_at(2));
                let room = MOST.saturating_sub(row.part.designators.len());
                row.part.designators.extend(more.into_iter().take(room));
                if row.part.value.is_none() {
                    row.value(cell_at(3));
                }
            }
        })?;
        if let Some(done) = row {
            out.part(Design::List, done.finish());
        }
        Ok(())
    }
}

/// The cells of a row between blanks: two numbers, references joined by commas, and the part with all its blanks. In a line
/// that goes on, references alone.
fn in_blanks(text: &str) -> Vec<&str> {
    let word = |text: &'_ str| text.find(char::is_whitespace).unwrap_or(text.len());
    if text.starts_with(char::is_whitespace) {
        let rest = text.trim();
        let (references, part) = rest.split_at_checked(word(rest)).unwrap_or((rest, ""));
        return vec!["", "", references, part.trim()];
    }
    let mut cells = Vec::new();
    let mut rest = text;
    while cells.len() < 3 {
        let (cell, behind) = rest.split_at_checked(word(rest)).unwrap_or((rest, ""));
        cells.push(cell);
        rest = behind.trim_start();
    }
    cells.push(rest.trim());
    cells
}

/// What stands above the columns: `Name  Revised: day` and `Number  Revision: A`.
fn title(line: &str, out: &mut Observations) {
    let product = &mut out.bom(Design::List).product;
    if let Some((name, day)) = line.split_once("Revised:") {
        product.name = cell(name);
        product.date = cell(day);
    } else if let Some((number, revision)) = line.split_once("Revision:") {
        product.model = cell(number);
        product.version = cell(revision);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_between_blanks() {
        assert_eq!(in_blanks("12  1   U3,U4   LM358 rev A"), ["12", "1", "U3,U4", "LM358 rev A"]);
        assert_eq!(in_blanks("        R7,R8"), ["", "", "R7,R8", ""]);
        assert!(heads("Item\tQuantity\tReference\tPart\tMPN").is_some_and(|h| h.len() == 5));
        assert!(heads("Item    Quantity    Reference    Part").is_some() && heads("Item Name  Quantity").is_none());
    }
}
