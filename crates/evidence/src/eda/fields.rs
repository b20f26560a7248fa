//! The fields of one part, as design programs name them, gathered until the part is complete.

use rustc_hash::FxHashMap;
use umbilical_core::bom::{Alternate, Cell, Part, Placed};
use umbilical_core::{At, Observations, bom::Design};

use super::MAX_TEXT;
use crate::parts::{PartField, alternatives, leaves_out, makers, not_placed, part_field, rank};

/// Fields that say nothing of the part: what draws it, what simulates it, where it stands.
const DROPPED: &[&str] = &["ki_fp_filters", "ki_keywords", "ki_locked", "sheetname", "sheetfile", "sheet file", "sheet name", "reference"];

/// The most properties of one part.
const MOST: usize = 200;

/// The most part numbers, makers and alternates of one part.
const MOST_CHOICES: usize = 64;

/// A part while its fields come in, in any order.
#[derive(Default)]
pub(crate) struct Draft {
    pub part: Part,
    /// Part numbers and makers by rank: `Manufacturer 2` belongs to `MPN 2`.
    numbers: Vec<(u32, Box<str>)>,
    makers: Vec<(u32, Box<str>)>,
    /// A number of which nobody says whose it is.
    unsure: Cell,
    alternates: Vec<Alternate>,
}

/// Text that says something, without blanks around it; `~` stands for nothing in design programs.
pub(crate) fn cell(text: &str) -> Cell {
    let text = text.trim();
    let end = text.char_indices().map(|(at, c)| at.saturating_add(c.len_utf8())).take_while(|end| *end <= MAX_TEXT).last().unwrap_or(0);
    let text = text.get(..end).unwrap_or_default();
    (!text.is_empty() && text != "~").then(|| text.into())
}

impl Draft {
    pub fn new(at: At) -> Self {
        Self { part: Part { at, ..Part::default() }, ..Self::default() }
    }

    pub fn value(&mut self, text: &str) {
        self.part.value = cell(text);
    }

    pub fn mpn(&mut self, rank: u32, text: &str) {
        self.numbers.extend(cell(text).map(|t| (rank, t)));
        self.numbers.truncate(MOST_CHOICES);
    }

    pub fn maker(&mut self, rank: u32, text: &str) {
        // Two fields that name the maker name the same one in two spellings, or the first is right.
        if self.makers.iter().any(|(r, _)| *r == rank) {
            self.property("manufacturer", text);
        } else {
            self.makers.extend(cell(text).map(|t| (rank, t)));
            self.makers.truncate(MOST_CHOICES);
        }
    }

    pub fn alternate(&mut self, alternate: Alternate) {
        self.alternates.push(alternate);
        self.alternates.truncate(MOST_CHOICES);
    }

    /// The document says that the part is not on the board; the first words count.
    pub fn leave_out(&mut self, words: &str) {
        if self.part.is_placed() {
            self.part.placed = Placed::No(words.trim().chars().take(200).collect::<String>().into());
        }
    }

    /// Programs let a part go without a value; then its symbol or device is the only name that it has, and what they draw.
    /// Says whether that was so.
    pub fn stand_in(&mut self, name: &str, whose: &str) -> bool {
        let needed = self.part.value.is_none() && self.numbers.is_empty() && self.unsure.is_none();
        if needed && let Some(name) = cell(name) {
            self.part.value = Some(name);
            self.property("value from", whose);
            return true;
        }
        false
    }

    pub fn property(&mut self, name: &str, text: &str) {
        if let (Some(name), Some(text)) = (cell(name), cell(text))
            && self.part.properties.len() < MOST
        {
            self.part.properties.push((name, text));
        }
    }

    /// A field under the name that the document gives it.
    pub fn field(&mut self, name: &str, text: &str) {
        let Some(found) = cell(text) else { return };
        let lower = name.trim().to_lowercase();
        if DROPPED.contains(&lower.as_str()) {
            return;
        }
        let kind = part_field(name);
        let slot = match kind {
            Some(PartField::Mpn) => return self.mpn(rank(name), &found),
            Some(PartField::Manufacturer) => return self.maker(rank(name), &found),
            Some(PartField::PartNumber) if self.unsure.is_none() => {
                self.unsure = Some(found);
                return;
            }
            Some(PartField::Alternates) => {
                for text in found.split(['\n', ';', ',']).flat_map(makers).filter(|t| !t.is_empty()).take(MOST_CHOICES) {
                    self.alternate(Alternate { mpn: cell(text), ..Alternate::default() });
                }
                return;
            }
            Some(kind @ (PartField::NotPlaced | PartField::Placed)) => {
                if leaves_out(kind, &found) {
                    self.leave_out(&format!("{} {found}", name.trim()));
                } else {
                    self.property(name, &found);
                }
                return;
            }
            // A field `Name` or `Part` beside the value is no second value.
            Some(PartField::Value) if matches!(lower.as_str(), "value" | "comment" | "val") => &mut self.part.value,
            Some(PartField::Description) => &mut self.part.description,
            Some(PartField::Supplier) => &mut self.part.supplier,
            Some(PartField::SupplierPart) => &mut self.part.supplier_part,
            Some(PartField::FccId) => &mut self.part.fcc_id,
            Some(PartField::Origin) => &mut self.part.origin,
            Some(PartField::Role) => &mut self.part.role,
            Some(PartField::Version) => &mut self.part.version,
            Some(PartField::Serial) => &mut self.part.serial,
            _ => return self.property(name, text),
        };
        if slot.is_none() {
            *slot = Some(found);
        } else {
            self.property(name, text);
        }
    }

    /// The part, with several names in one field taken apart.
    pub fn finish(mut self) -> Part {
        let mut part = self.part;
        if let Some(unsure) = self.unsure.take() {
            if self.numbers.is_empty() {
                self.numbers.push((1, unsure));
            } else if self.numbers.iter().all(|(_, n)| *n != unsure) {
                part.properties.push(("part number".into(), unsure));
            }
        }
        if let Some(value) = part.value.take() {
            if not_placed(&value) && part.is_placed() {
                part.placed = Placed::No(value.clone());
            }
            let names = alternatives(&value);
            let firms = self.makers.iter().find(|(rank, _)| *rank == 1).map(|(_, m)| makers(m)).unwrap_or_default();
            // Where no number does, the names say whose each of several makers is.
            let firms = if self.numbers.is_empty() && names.len() > 1 && firms.len() == names.len() { firms } else { Vec::new() };
            let mut choices = names.iter().enumerate().map(|(i, name)| (cell(name), firms.get(i).and_then(|firm| cell(firm))));
            (part.value, part.manufacturer) = choices.next().unwrap_or_default();
            part.alternates.extend(choices.map(|(value, manufacturer)| Alternate { value, manufacturer, ..Alternate::default() }));
        }
        self.numbers.sort_by_key(|(rank, _)| *rank);
        self.makers.sort_by_key(|(rank, _)| *rank);
        let mut seen: Vec<u32> = Vec::new();
        for (rank, text) in &self.numbers {
            let maker = self.makers.iter().find(|(r, _)| r == rank).map(|(_, m)| &**m);
            let firms = maker.map(makers).unwrap_or_default();
            seen.push(*rank);
            let names = alternatives(text);
            for (i, name) in names.iter().enumerate() {
                // One maker stands for all numbers; several belong to one each.
                let firm = if names.len() == firms.len() { firms.get(i).copied() } else { maker };
                if part.mpn.is_none() {
                    part.mpn = cell(name);
                    part.manufacturer = firm.and_then(cell);
                } else if part.mpn.as_deref() != Some(*name) {
                    let other = Alternate { mpn: cell(name), manufacturer: firm.and_then(cell), ..Alternate::default() };
                    if !part.alternates.contains(&other) {
                        part.alternates.push(other);
                    }
                }
            }
        }
        for (rank, maker) in self.makers.iter().filter(|(rank, _)| !seen.contains(rank)) {
            if part.manufacturer.is_none() && (*rank == 1 || part.mpn.is_none()) {
                part.manufacturer = Some(maker.clone());
            } else if *rank > 1 {
                part.alternates.push(Alternate { manufacturer: Some(maker.clone()), ..Alternate::default() });
            }
        }
        part.alternates.append(&mut self.alternates);
        part.alternates.truncate(MOST_CHOICES);
        part
    }
}

/// Placed parts in the order of the document, those drawn in several units as one.
#[derive(Default)]
pub(super) struct Drawn {
    parts: Vec<Unit>,
    by_reference: FxHashMap<Box<str>, usize>,
    /// By the unique id of each unit.
    by_id: FxHashMap<Box<str>, usize>,
}

/// The most references of one part: uses of its sheet.
const MOST_REFERENCES: usize = 4096;

/// A part and what tells its units from another part under the same reference.
struct Unit {
    part: Part,
    symbol: Box<str>,
}

impl Drawn {
    /// A placed symbol: its part, the symbol that it is drawn as, its unique id.
    pub fn add(&mut self, mut part: Part, symbol: &str, id: &str) {
        // Symbols that are no part: power ports and flags.
        part.designators.retain(|d| !d.starts_with('#'));
        let Some(first) = part.designators.first().cloned() else { return };
        // `U?` has not been numbered yet: two of them are two parts.
        let numbered = first.ends_with(|c: char| c.is_ascii_digit() || c.is_ascii_alphabetic());
        let place = self.by_reference.get(&first).copied();
        let known = place.and_then(|i| self.parts.get_mut(i));
        if let Some(unit) = known.filter(|u| numbered && *u.symbol == *symbol && u.part.value == part.value) {
            self.by_id.extend(place.map(|i| (id.into(), i)));
            let whole = &mut unit.part;
            // One unit on the board is the part on the board.
            if part.is_placed() {
                whole.placed = Placed::Yes;
            }
            for (into, from) in
                [(&mut whole.mpn, part.mpn), (&mut whole.manufacturer, part.manufacturer), (&mut whole.description, part.description)]
            {
                if into.is_none() {
                    *into = from;
                }
            }
            for designator in part.designators {
                if whole.designators.len() < MOST_REFERENCES && !whole.designators.contains(&designator) {
                    whole.designators.push(designator);
                }
            }
            return;
        }
        self.by_reference.insert(first, self.parts.len());
        self.by_id.insert(id.into(), self.parts.len());
        self.parts.push(Unit { part, symbol: symbol.into() });
    }

    /// One more reference of the symbol with that id.
    pub fn also(&mut self, id: &str, reference: &str) {
        let Some(reference) = cell(reference).filter(|r| !r.starts_with('#')) else { return };
        if let Some(unit) = self.by_id.get(id).and_then(|i| self.parts.get_mut(*i))
            && unit.part.designators.len() < MOST_REFERENCES
            && !unit.part.designators.contains(&reference)
        {
            unit.part.designators.push(reference);
        }
    }

    pub fn finish(self, design: Design, out: &mut Observations) {
        out.bom(design);
        for unit in self.parts {
            out.part(design, unit.part);
        }
    }
}
