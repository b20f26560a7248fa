//! Documents of Altium Designer: lists of parts (`.BomDoc`) and schematics (`.SchDoc`), both lines of records with fields between
//! bars: `|RECORD=…|NAME=…|`. A schematic keeps them in a compound file, or as text.
//!
//! **What it reads.** Of a list: each item of the catalogue with its comment, parameters and chosen parts (the first is the
//! part, the others are alternates). Of a schematic: components (record 1), their designators (34) and parameters (41), sheets.
//!
//! **When it is wrong.** A list of parts names no designators: they stay in the schematic. Where a chosen part and the
//! parameters of the library name different part numbers, the chosen one is the part and the other an alternate.

use std::io;

use rustc_hash::FxHashMap;
use umbilical_core::bom::{Alternate, Design};
use umbilical_core::{At, Observations};

use super::fields::{Draft, Drawn, cell};
use super::{MAX_BYTES, begins};
use crate::parts::{PartField, part_field, rank};
use crate::source::for_each_line;
use crate::{Context, Head, Reader, Source, compound};

/// The most records of a schematic.
const MOST_RECORDS: usize = 4_000_000;

/// Fields of a record, in their order. A name is preceded by `%UTF8%` where the same field stands again in UTF-8.
struct Record<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Record<'a> {
    fn of(line: &'a str) -> Self {
        Self(line.split('|').filter_map(|field| field.split_once('=')).take(4000).collect())
    }

    fn get(&self, name: &str) -> &'a str {
        let find = |wanted: &dyn Fn(&str) -> bool| self.0.iter().find(|(n, _)| wanted(n)).map(|(_, v)| *v);
        find(&|n| n.strip_prefix("%UTF8%").is_some_and(|n| n.eq_ignore_ascii_case(name)))
            .or_else(|| find(&|n| n.eq_ignore_ascii_case(name)))
            .unwrap_or_default()
    }
}

/// Lists of parts.
pub struct BomDocReader;

impl Reader for BomDocReader {
    fn name(&self) -> &'static str {
        "altium-bomdoc"
    }

    fn about(&self) -> &'static str {
        "lists of parts of Altium Designer (.BomDoc)"
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        if begins(head, "|RECORD=BOM|") { 99 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        out.bom(Design::List);
        let mut item: Option<Item> = None;
        for_each_line(&mut *source.utf8(), |line| {
            if line.cut {
                out.problem(At::line(line.n), "a record of more than 1 MiB: its end is not read");
            }
            let record = Record::of(&line.text);
            match record.get("RECORD") {
                "BOM" => out.bom(Design::List).product.date = cell(record.get("DATE")),
                "CatalogItem" => {
                    if let Some(done) = item.replace(Item::new(&record, line.n)) {
                        done.finish(out);
                    }
                }
                "PartChoice" => {
                    if let Some(item) = &mut item {
                        item.choice(&record);
                    }
                }
                _ => {}
            }
        })?;
        if let Some(done) = item {
            done.finish(out);
        }
        Ok(())
    }
}

/// An item of the catalogue and the parts that are chosen for it.
struct Item {
    draft: Draft,
    choices: u32,
    /// Part numbers and makers that the library gives, by rank.
    library: Vec<(PartField, u32, String)>,
}

impl Item {
    fn new(record: &Record<'_>, line: u32) -> Self {
        let mut draft = Draft::new(At::line(line));
        draft.value(record.get("USERCOMMENTS"));
        draft.part.description = cell(record.get("DESCRIPTION"));
        draft.property("design item", record.get("DESIGNITEMID"));
        let mut library = Vec::new();
        for (name, value) in parameters(record.get("COMPONENTPARAMETERS")) {
            match part_field(&name) {
                Some(PartField::Value) if draft.part.value.is_none() => draft.field(&name, &value),
                Some(PartField::Value | PartField::Description) => {}
                Some(kind @ (PartField::Mpn | PartField::Manufacturer)) if library.len() < 64 => library.push((kind, rank(&name), value)),
                Some(_) => draft.field(&name, &value),
                None => {}
            }
        }
        Self { draft, choices: 0, library }
    }

    fn choice(&mut self, record: &Record<'_>) {
        if record.get("MANUFACTURERPARTNO").trim().is_empty() && record.get("MANUFACTURER").trim().is_empty() {
            return;
        }
        self.choices = self.choices.saturating_add(1);
        self.draft.mpn(self.choices, record.get("MANUFACTURERPARTNO"));
        self.draft.maker(self.choices, record.get("MANUFACTURER"));
        if self.choices == 1 {
            self.draft.part.supplier = cell(record.get("SUPPLIER"));
            self.draft.part.supplier_part = cell(record.get("SUPPLIERPARTNO"));
        }
    }

    fn finish(mut self, out: &mut Observations) {
        if self.choices == 0 {
            for (kind, rank, text) in &self.library {
                match kind {
                    PartField::Mpn => self.draft.mpn(*rank, text),
                    _ => self.draft.maker(*rank, text),
                }
            }
            self.library.clear();
        }
        let mut part = self.draft.finish();
        let of = |kind: PartField, n: u32| self.library.iter().find(|(k, r, _)| *k == kind && *r == n).and_then(|(.., t)| cell(t));
        for (_, n, number) in self.library.iter().filter(|(kind, ..)| *kind == PartField::Mpn) {
            let other = Alternate { mpn: cell(number), manufacturer: of(PartField::Manufacturer, *n), ..Alternate::default() };
            let known = part.mpn == other.mpn || part.alternates.iter().any(|a| a.mpn == other.mpn);
            if other.mpn.is_some() && !known {
                part.alternates.push(other);
            }
        }
        out.part(Design::List, part);
    }
}

/// `name=value` between commas, in quotes where it holds a blank or a comma.
fn parameters(text: &str) -> Vec<(String, String)> {
    let (mut out, mut word, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    let mut give = |word: &mut String| {
        if let Some((name, value)) = word.split_once('=').filter(|(_, v)| !v.is_empty())
            && out.len() < 1000
        {
            out.push((name.to_owned(), value.to_owned()));
        }
        word.clear();
    };
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                word.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => give(&mut word),
            c => word.push(c),
        }
    }
    give(&mut word);
    out
}

/// Schematics.
pub struct SchDocReader;

const BINARY: &[u8] = b"|HEADER=Protel for Windows - Schematic Capture Binary File";

impl Reader for SchDocReader {
    fn name(&self) -> &'static str {
        "altium-schdoc"
    }

    fn about(&self) -> &'static str {
        "schematics of Altium Designer (.SchDoc): components with designator, comment and parameters"
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let named = || compound::names(head.bytes, "FileHeader") && !compound::names(head.bytes, "Workbook");
        let binary = head.bytes.starts_with(compound::MAGIC) && (memchr::memmem::find(head.bytes, BINARY).is_some() || named());
        if binary || begins(head, "|HEADER=Protel for Windows - Schematic Capture Ascii") { 100 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        out.bom(Design::Schematic);
        let mut sheet = Sheet::default();
        if source.head("").bytes.starts_with(compound::MAGIC) {
            let Some(file) = source.all(MAX_BYTES)? else {
                out.problem(At::WHOLE, "a schematic of more than 512 MiB is not read");
                return Ok(());
            };
            let Some(stream) = compound::stream(&file, &["FileHeader"]) else {
                out.problem(At::WHOLE, "no schematic can be found in this compound file: it is damaged");
                return Ok(());
            };
            let mut rest = stream.as_slice();
            // Three bytes of length, one of kind (0: text), the record, a NUL.
            while let Some(([a, b, c, kind], tail)) = rest.split_first_chunk::<4>() {
                let len = usize::try_from(u32::from_le_bytes([*a, *b, *c, 0])).unwrap_or(usize::MAX);
                let Some((record, behind)) = tail.split_at_checked(len) else {
                    out.problem(At::WHOLE, "this schematic ends inside a record: parts may be missing");
                    break;
                };
                if *kind == 0 {
                    let text = record.split(|b| *b == 0).next().unwrap_or_default();
                    sheet.record(&decoded(text), At::WHOLE, out);
                } else {
                    // Pins may be packed; they count in the numbering of records all the same.
                    sheet.next = sheet.next.saturating_add(1);
                }
                rest = behind;
            }
        } else {
            for_each_line(&mut *source.utf8(), |line| {
                if line.text.starts_with('|') {
                    sheet.record(&line.text, At::line(line.n), out);
                }
            })?;
        }
        sheet.finish(out);
        Ok(())
    }
}

/// Records are in the code page of the machine that wrote them, apart from the fields that say that they are UTF-8.
fn decoded(bytes: &[u8]) -> String {
    let fields = bytes.split(|b| *b == b'|').map(|field| match std::str::from_utf8(field) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(field).0.into_owned(),
    });
    fields.collect::<Vec<_>>().join("|")
}

#[derive(Default)]
struct Sheet {
    /// The number of the next record; the header has none.
    next: usize,
    headed: bool,
    /// By the number of their record.
    components: FxHashMap<usize, Component>,
    /// The numbers of records that belong to a component without naming it: what holds designators and parameters.
    order: Vec<usize>,
}

struct Component {
    draft: Draft,
    comment: Option<Box<str>>,
    symbol: String,
    /// Parameters by name, which others may stand for: `=Value`.
    parameters: Vec<(String, String, At)>,
}

impl Sheet {
    fn record(&mut self, text: &str, at: At, out: &mut Observations) {
        let record = Record::of(text);
        if !self.headed && !record.get("HEADER").is_empty() {
            self.headed = true;
            return;
        }
        let number = self.next;
        self.next = self.next.saturating_add(1);
        if number > MOST_RECORDS {
            return;
        }
        let owner = || record.get("OWNERINDEX").trim().parse::<usize>().unwrap_or(0);
        match record.get("RECORD") {
            "1" => {
                let mut draft = Draft::new(at);
                draft.part.description = cell(record.get("COMPONENTDESCRIPTION"));
                let symbol = record.get("LIBREFERENCE").to_owned();
                draft.property("symbol", &symbol);
                self.order.push(number);
                self.components.insert(number, Component { draft, comment: None, symbol, parameters: Vec::new() });
            }
            "34" => {
                if let Some(component) = self.components.get_mut(&owner())
                    && record.get("NAME").eq_ignore_ascii_case("Designator")
                    && component.draft.part.designators.is_empty()
                {
                    component.draft.part.designators.extend(cell(record.get("TEXT")));
                }
            }
            "41" => {
                let (name, text) = (record.get("NAME"), record.get("TEXT"));
                if let Some(component) = self.components.get_mut(&owner()) {
                    if component.parameters.len() < 1000 {
                        component.parameters.push((name.to_owned(), text.to_owned(), at));
                    }
                } else {
                    title(name, text, out);
                }
            }
            // The file of a sheet symbol.
            "33" => {
                let sheets = &mut out.bom(Design::Schematic).sheets;
                if let Some(file) = cell(record.get("TEXT")).filter(|f| !sheets.contains(f) && sheets.len() < 10_000) {
                    sheets.push(file);
                }
            }
            _ => {}
        }
    }

    fn finish(mut self, out: &mut Observations) {
        let mut drawn = Drawn::default();
        for number in self.order {
            if let Some(component) = self.components.remove(&number) {
                let symbol = component.symbol.clone();
                drawn.add(component.finish(), &symbol, &number.to_string());
            }
        }
        drawn.finish(Design::Schematic, out);
    }
}

impl Component {
    fn finish(mut self) -> umbilical_core::bom::Part {
        // A text that begins with `=` names the parameter whose text it shows.
        let shown = |text: &str| match text.strip_prefix('=') {
            Some(name) => {
                self.parameters.iter().find(|(n, ..)| n.eq_ignore_ascii_case(name.trim())).map_or("", |(_, t, _)| t.as_str()).to_owned()
            }
            None => text.to_owned(),
        };
        for (name, text, at) in &self.parameters {
            let text = shown(text);
            if name.eq_ignore_ascii_case("Comment") {
                self.comment = cell(&text);
                self.draft.part.at = *at;
            } else {
                self.draft.field(name, &text);
            }
        }
        if let Some(comment) = self.comment {
            // The comment is what stands on the drawing; a parameter `Value` beside it is kept.
            if let Some(value) = self.draft.part.value.replace(comment.clone()).filter(|v| *v != comment) {
                self.draft.property("value", &value);
            }
        }
        self.draft.finish()
    }
}

/// Parameters of the sheet.
fn title(name: &str, text: &str, out: &mut Observations) {
    let product = &mut out.bom(Design::Schematic).product;
    let slot = match name.to_ascii_lowercase().as_str() {
        "title" => &mut product.name,
        "revision" => &mut product.version,
        "date" => &mut product.date,
        "companyname" | "organization" => &mut product.brand,
        _ => return,
    };
    // `*` stands for nothing, `=…` for what the program fills in.
    if slot.is_none() && text != "*" && !text.starts_with('=') {
        *slot = cell(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_between_commas() {
        let found = parameters("Comment=1k,\"Part Number=A, B\",Empty=,\"Quote=5\"\" disk\"");
        let found: Vec<_> = found.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(found, [("Comment", "1k"), ("Part Number", "A, B"), ("Quote", "5\" disk")]);
    }
}
