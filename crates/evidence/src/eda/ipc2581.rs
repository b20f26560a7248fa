//! IPC-2581 (IPC-DPMX), the XML in which a whole board is handed to its assembler: the list of parts, and the list of approved
//! vendors that says which makers' parts may stand for each.
//!
//! **What it reads.** `BomItem` with its references and characteristics; `AvlItem` with part numbers, the chosen one first, then by rank; the names of
//! `Enterprise`. The design number that joins the two is the house's own: it stays a property.
//!
//! **When it is wrong.** An item without a value and without an entry among the approved vendors has no name here, though its
//! design number may say one: programs put footprints and library names into it.

use std::io;

use rustc_hash::FxHashMap;
use umbilical_core::bom::Design;
use umbilical_core::{At, Observations};

use super::fields::{Draft, cell};
use super::xml::{Step, Tag, Xml};
use crate::{Context, Head, Reader, Source};

/// The most items of the list of approved vendors, and choices of each.
const MOST_ITEMS: usize = 500_000;
const MOST_CHOICES: usize = 64;

/// See the module.
pub struct Ipc2581Reader;

impl Reader for Ipc2581Reader {
    fn name(&self) -> &'static str {
        "ipc-2581"
    }

    fn about(&self) -> &'static str {
        "IPC-2581 board data: list of parts, approved vendors, makers"
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let Some(text) = head.text.as_deref() else { return 0 };
        let start: String = text.trim_start_matches('\u{feff}').trim_start().chars().take(4096).collect();
        if start.starts_with('<') && start.contains("<IPC-2581") { 99 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        out.bom(Design::List);
        let mut text = source.utf8();
        let mut xml = Xml::new(&mut *text);
        let mut board = Board::default();
        loop {
            match xml.step(out)? {
                Step::Open(tag) => board.open(&xml, &tag, out),
                Step::Close => {
                    if xml.up(0) == "Bom" && board.item.is_some() {
                        board.items.extend(board.item.take());
                    }
                }
                Step::Text(_) => {}
                Step::End => break,
            }
        }
        board.finish(out);
        Ok(())
    }
}

#[derive(Default)]
struct Board {
    /// Names of enterprises by their id.
    firms: FxHashMap<String, String>,
    /// Part numbers by design number: rank, number, id of the maker.
    choices: FxHashMap<String, Vec<Choice>>,
    /// The design number whose approved vendors are being read, and whether the one that is being read is chosen.
    approved: String,
    chosen: bool,
    items: Vec<Item>,
    item: Option<Item>,
}

struct Choice {
    /// The one that is chosen comes before all ranks.
    passed_over: bool,
    rank: u32,
    number: String,
    firm: String,
}

struct Item {
    number: String,
    draft: Draft,
    /// References that are placed, and that are not.
    placed: Vec<Box<str>>,
    without: Vec<Box<str>>,
}

impl Board {
    fn open(&mut self, xml: &Xml<'_>, tag: &Tag, out: &mut Observations) {
        let get = |name| tag.get(name).unwrap_or_default();
        match (xml.up(1), tag.name.as_str()) {
            (_, "Enterprise") => {
                let name = tag.get("name").filter(|n| !n.trim().is_empty()).unwrap_or(get("code"));
                if self.firms.len() < MOST_ITEMS {
                    self.firms.insert(get("id").to_owned(), name.to_owned());
                }
            }
            ("Bom", "BomHeader") => {
                let product = &mut out.bom(Design::List).product;
                product.name = cell(get("assembly"));
                product.version = cell(get("revision"));
            }
            ("Bom", "BomItem") => {
                let mut draft = Draft::new(At::line(tag.line));
                draft.part.quantity = get("quantity").parse::<f64>().ok().filter(|q| (0.0..1e9).contains(q)).map(whole);
                draft.part.description = cell(get("description"));
                draft.property("design number", get("OEMDesignNumberRef"));
                draft.property("internal part number", get("internalPartNumber"));
                draft.property("category", get("category"));
                self.item = Some(Item { number: get("OEMDesignNumberRef").to_owned(), draft, placed: Vec::new(), without: Vec::new() });
            }
            ("BomItem", "RefDes") => {
                if let (Some(item), Some(name)) = (&mut self.item, cell(get("name"))) {
                    // A thousand screws have a thousand names; more is no board.
                    let list = if get("populate").eq_ignore_ascii_case("false") { &mut item.without } else { &mut item.placed };
                    if list.len() < 10_000 {
                        list.push(name);
                    }
                    if item.draft.part.property("package").is_none() {
                        item.draft.property("package", get("packageRef"));
                    }
                }
            }
            ("Characteristics", "Textual") => {
                if let Some(item) = &mut self.item {
                    item.draft.field(get("textualCharacteristicName"), get("textualCharacteristicValue"));
                }
            }
            ("Avl", "AvlItem") => get("OEMDesignNumber").clone_into(&mut self.approved),
            ("AvlItem", "AvlVmpn") => self.chosen = get("chosen").eq_ignore_ascii_case("true"),
            ("AvlVmpn", "AvlMpn") => {
                let passed_over = !self.chosen;
                if let Some(choices) = self.choices() {
                    let rank = get("rank").parse().unwrap_or(u32::MAX);
                    choices.push(Choice { passed_over, rank, number: get("name").to_owned(), firm: String::new() });
                }
            }
            ("AvlVmpn", "AvlVendor") => {
                let firm = get("enterpriseRef").to_owned();
                if let Some(last) = self.choices().and_then(|c| c.last_mut()) {
                    last.firm = firm;
                }
            }
            _ => {}
        }
    }

    /// The choices of the item whose approved vendors are being read, where there is room for more.
    fn choices(&mut self) -> Option<&mut Vec<Choice>> {
        if self.choices.len() >= MOST_ITEMS {
            return None;
        }
        Some(self.choices.entry(self.approved.clone()).or_default()).filter(|c| c.len() <= MOST_CHOICES)
    }

    fn finish(mut self, out: &mut Observations) {
        for choices in self.choices.values_mut() {
            choices.sort_by_key(|c| (c.passed_over, c.rank));
        }
        for mut item in self.items {
            for (rank, choice) in (1u32..).zip(self.choices.get(&item.number).into_iter().flatten()) {
                item.draft.mpn(rank, &choice.number);
                item.draft.maker(rank, self.firms.get(&choice.firm).map_or("", String::as_str));
            }
            let mut part = item.draft.finish();
            // One item may be placed at one reference and left out at another.
            if !item.without.is_empty() {
                let mut left = part.clone();
                left.designators = item.without;
                left.quantity = u32::try_from(left.designators.len()).ok();
                left.placed = umbilical_core::bom::Placed::No("populate false".into());
                if item.placed.is_empty() {
                    out.part(Design::List, left);
                    continue;
                }
                part.quantity = u32::try_from(item.placed.len()).ok();
                part.designators = item.placed;
                out.part(Design::List, part);
                out.part(Design::List, left);
                continue;
            }
            part.designators = item.placed;
            out.part(Design::List, part);
        }
    }
}

/// A number that is known to be small and not negative; of a litre of glue the next whole one counts.
fn whole(number: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1e9")]
    let whole = number.ceil() as u32;
    whole
}
