//! Rows of a list of parts, one after another.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use umbilical_core::bom::{Alternate, Design, Part, Placed};
use umbilical_core::text::{clean, is_blank, short};
use umbilical_core::{At, Observations};

use super::super::fold;
use super::super::mapper::unwrapped;
use super::cells::{self, is_total};
use super::heads::{Col, meaning};
use super::names::label;
use super::{Layout, above, said};
use crate::eda::fields::{Draft, cell};
use crate::parts::{PartField as F, alternatives, designators, leaves_out, makers, not_placed};

/// The most references of one part.
const MOST_DESIGNATORS: usize = 4096;
/// The most parts whose numbers or designators are remembered.
const MOST_REMEMBERED: usize = 1_000_000;
/// The most alternates of one part.
const MOST_ALTERNATES: usize = 64;

/// A list of parts while its rows come in.
pub(crate) struct Parts {
    layout: Layout,
    markdown: bool,
    /// The part whose further makers may stand in the rows below it.
    pending: Option<Pending>,
    /// Assemblies that are open, the outermost first: their level and index.
    open: Vec<(u32, u32)>,
    /// Parts by their numbers, where rows name their parents.
    by_number: FxHashMap<Box<str>, u32>,
    /// Assemblies that rows name beside their part.
    assemblies: FxHashMap<Box<str>, u32>,
    /// Designators with their values: a program may write the same parts twice, grouped and one by one.
    seen: FxHashSet<u64>,
    /// Whether the heads have been repeated.
    again: bool,
    odd: u32,
    count: u32,
}

struct Pending {
    draft: Draft,
    level: Option<u32>,
    parent: Option<Box<str>>,
    numbers: Vec<Box<str>>,
    assembly: Option<u32>,
    /// Head and text of the description, which names the part where nothing else does.
    described: Option<(Box<str>, Box<str>)>,
    others: Vec<Other>,
}

/// Another part in its place, as columns or rows name it.
#[derive(Default)]
struct Other {
    rank: u32,
    part: Alternate,
}

impl Parts {
    /// Begins a list; `above` are the rows over its heads.
    pub fn new(layout: Layout, over: &[Vec<String>], markdown: bool, out: &mut Observations) -> Self {
        out.bom(Design::List);
        for row in over {
            above(row, out);
        }
        let this = Self {
            layout,
            markdown,
            pending: None,
            open: Vec::new(),
            by_number: FxHashMap::default(),
            assemblies: FxHashMap::default(),
            seen: FxHashSet::default(),
            again: false,
            odd: 0,
            count: 0,
        };
        this.announce(out);
        this
    }

    /// The number of columns that have heads.
    pub fn width(&self) -> usize {
        self.layout.heads.len()
    }

    fn announce(&self, out: &mut Observations) {
        for (head, col) in self.layout.heads.iter().zip(&self.layout.cols) {
            out.head(head, col.map(label).filter(|label| label != "property"));
        }
        let Some(input) = out.inputs.last_mut() else { return };
        let mut kept = Vec::new();
        let mut say = |line: String| {
            let line = clean(&line).into_owned();
            if !input.mapping.contains(&line) && input.mapping.len() < 200 {
                input.mapping.push(line);
            }
        };
        for (head, col) in self.layout.heads.iter().zip(&self.layout.cols) {
            let head = short(head.trim(), 80);
            match col.map(label) {
                Some(label) if label != "property" => say(format!("{head} → {label}")),
                _ if !head.is_empty() => kept.push(head.into_owned()),
                _ => {}
            }
        }
        if !kept.is_empty() {
            say(format!("kept as properties: {}", kept.iter().take(20).cloned().collect::<Vec<_>>().join(", ")));
        }
        say("whole table → list of parts".to_owned());
    }

    /// Reads one row of `len` cells.
    pub fn row<'c>(&mut self, at: At, len: usize, get: impl Fn(usize) -> &'c str, out: &mut Observations) {
        let width = self.width();
        // Formulas that look up nothing leave zeros.
        let says = |c: &str| !c.is_empty() && c != "0" && !c.bytes().all(|b| matches!(b, b'-' | b'=' | b'_' | b':' | b' '));
        let filled: Vec<usize> = (0..len).filter(|i| says(get(*i).trim())).take(3).collect();
        let Some(&first) = filled.first() else { return };
        if self.is_heads(len, &get) {
            self.flush(out);
            self.again = true;
            self.relayout(len, &get);
            return;
        }
        let col = |i: usize| self.layout.cols.get(i).copied().flatten();
        let of = |f: F| (0..width.min(len)).find(|i| col(*i) == Some(Col::Part(f, 1))).map(|i| get(i).trim()).filter(|t| !t.is_empty());
        let has_designators = of(F::Designators).is_some();
        if !has_designators && is_total(get(first)) {
            return;
        }
        // A line by itself in a table of many columns is a heading or a remark, unless it names a part.
        if filled.len() == 1 && width >= 3 {
            let text = get(first).trim();
            match col(first) {
                Some(Col::Part(F::Designators, _)) if self.pending.is_some() && cells::is_designators(text) => {
                    if let Some(pending) = &mut self.pending {
                        let room = MOST_DESIGNATORS.saturating_sub(pending.draft.part.designators.len());
                        pending.draft.part.designators.extend(designators(text).into_iter().take(room));
                    }
                    return;
                }
                Some(Col::Part(F::Value | F::Mpn | F::PartNumber, _))
                    if self.layout.values.len() == 1 || text.chars().any(|c| c.is_ascii_digit()) => {}
                Some(Col::Part(F::Mpn | F::Manufacturer, _)) if self.pending.is_some() => {}
                _ => {
                    said("note", text, out);
                    return;
                }
            }
        }
        // Designators that nobody put between quotes.
        let moved = if (width..len).any(|i| !get(i).trim().is_empty()) { len.saturating_sub(width) } else { 0 };
        let place = self.layout.cols.iter().position(|c| matches!(c, Some(Col::Part(F::Designators, _))));
        let apart = place.filter(|d| moved > 0 && (*d..=d.saturating_add(moved)).all(|i| cells::is_designators(get(i))));
        if let Some(place) = apart {
            self.odd = self.odd.saturating_add(1);
            out.problem(at, format!("this row has {len} fields, the header {width}: its designators are read together, quote them"));
            let together = (place..=place.saturating_add(moved)).map(&get).collect::<Vec<_>>().join(",");
            let mended = |i: usize| match i {
                i if i < place => get(i),
                i if i == place => together.as_str(),
                i => get(i.saturating_add(moved)),
            };
            self.flush(out);
            self.begin(at, width, mended, out);
            return;
        }
        if len > width && (width..len).any(|i| !get(i).trim().is_empty()) || len < width && has_designators && !self.markdown {
            self.odd = self.odd.saturating_add(1);
            let what = if len > width {
                "what is too much is kept aside, a delimiter in a cell may have moved the others"
            } else {
                "what is there is read"
            };
            out.problem(at, format!("this row has {len} fields, the header {width}: {what}"));
        }
        if self.continues(len, &get) {
            self.further(len, &get);
            return;
        }
        self.flush(out);
        self.begin(at, len, get, out);
    }

    /// Whether the row repeats the heads, or has others.
    fn is_heads<'c>(&self, len: usize, get: &impl Fn(usize) -> &'c str) -> bool {
        if self.layout.header.is_none() {
            return false;
        }
        let filled = (0..len).filter(|i| !get(*i).trim().is_empty()).count();
        let same = (0..len)
            .filter(|i| !get(*i).trim().is_empty() && self.layout.heads.get(*i).is_some_and(|h| h.trim() == get(*i).trim()))
            .count();
        if filled < 2 {
            return false;
        }
        if same.saturating_mul(2) > filled {
            return true;
        }
        // Values that happen to be words for columns are not in a row of them.
        if (0..len).filter(|i| !get(*i).trim().is_empty()).take(2).any(|i| get(i).len() >= 60 || meaning(get(i)).is_none()) {
            return false;
        }
        let known = (0..len.min(64)).filter(|i| get(*i).len() < 60 && meaning(get(*i)).is_some()).count();
        known >= 3 && known.saturating_mul(10) >= filled.saturating_mul(7)
    }

    fn relayout<'c>(&mut self, len: usize, get: &impl Fn(usize) -> &'c str) {
        let heads: Vec<String> = (0..len).map(|i| get(i).to_owned()).collect();
        if heads.iter().zip(&self.layout.heads).all(|(a, b)| a.trim() == b.trim()) {
            return;
        }
        let cols: Vec<Option<Col>> = heads.iter().map(|h| meaning(h)).collect();
        self.layout.values = (0..cols.len()).filter(|i| matches!(cols.get(*i), Some(Some(Col::Part(F::Value, _))))).collect();
        self.layout.values.sort_by_key(|i| heads.get(*i).map_or(9, |h| super::heads::value_rank(h)));
        self.layout.cols = cols;
        self.layout.heads = heads;
    }

    /// Whether a row says nothing but a maker and number: another approved source of the part above.
    fn continues<'c>(&self, len: usize, get: &impl Fn(usize) -> &'c str) -> bool {
        if self.pending.is_none()
            || !self
                .layout
                .has(|c| matches!(c, Col::Part(F::Designators | F::Quantity | F::Value, _) | Col::House | Col::Item | Col::Level))
        {
            return false;
        }
        let mut source = false;
        let mut own_number = self.layout.has(|c| matches!(c, Col::Part(F::Mpn, _)));
        for i in 0..len {
            if is_blank(get(i).trim()) {
                continue;
            }
            match self.layout.cols.get(i).copied().flatten() {
                Some(Col::Part(F::Mpn | F::Manufacturer, _)) => source = true,
                Some(Col::Part(F::PartNumber, _)) if !own_number => {
                    source = true;
                    own_number = false;
                }
                // What belongs to a source and not to a place in the list.
                Some(Col::Part(F::Supplier | F::SupplierPart | F::Origin, _) | Col::Price | Col::Note | Col::Other(..)) | None => {}
                Some(_) => return false,
            }
        }
        let lone = (0..len).filter(|i| !is_blank(get(*i).trim())).count() < 2;
        source && (!lone || self.layout.has(|c| matches!(c, Col::Part(F::Designators | F::Quantity, _) | Col::House | Col::Level)))
    }

    fn further<'c>(&mut self, len: usize, get: &impl Fn(usize) -> &'c str) {
        let Some(pending) = &mut self.pending else { return };
        let mut other = Alternate::default();
        for i in 0..len {
            let text = cell(unwrapped(get(i)));
            match self.layout.cols.get(i).copied().flatten() {
                Some(Col::Part(F::Mpn | F::PartNumber, _)) if other.mpn.is_none() => other.mpn = text,
                Some(Col::Part(F::Manufacturer, _)) if other.manufacturer.is_none() => other.manufacturer = text,
                _ => {}
            }
        }
        // The first row may have had no source of its own.
        pending.others.push(Other { rank: 2000, part: other });
        pending.others.truncate(MOST_ALTERNATES);
    }

    fn begin<'c>(&mut self, at: At, len: usize, get: impl Fn(usize) -> &'c str, out: &mut Observations) {
        let mut p = Pending {
            draft: Draft::new(at),
            level: None,
            parent: None,
            numbers: Vec::new(),
            assembly: None,
            described: None,
            others: Vec::new(),
        };
        let numbered = self.layout.has(|c| matches!(c, Col::Part(F::Mpn, 1)));
        let mut assembly = Part { at, role: Some("assembly".into()), ..Part::default() };
        let mut named = false;
        for i in self.layout.values.iter().copied().chain((0..len).filter(|i| !self.layout.values.contains(i))) {
            if i >= len {
                continue;
            }
            let raw = get(i);
            let plain;
            let mut text = if self.markdown {
                plain = cells::markdown(raw.trim());
                plain.trim()
            } else {
                unwrapped(raw)
            };
            let head = self.layout.heads.get(i).map_or("", |h| h.trim());
            let numbered_head;
            let head = if head.is_empty() {
                numbered_head = format!("column {}", i.saturating_add(1));
                numbered_head.as_str()
            } else {
                head
            };
            // The address behind the text of a link.
            if self.markdown && raw.contains("](") {
                p.draft.property(head, raw);
            }
            if self.layout.indented == Some(i) && !text.is_empty() {
                let (depth, bare) = cells::indent(raw);
                p.level = Some(depth);
                text = bare;
            }
            if is_blank(text) && !matches!(self.layout.cols.get(i), Some(Some(Col::Part(F::NotPlaced | F::Placed, _)))) {
                // A value that says "not fitted" may read like nothing.
                if text.is_empty() || !not_placed(text) {
                    continue;
                }
            }
            match self.layout.cols.get(i).copied().flatten() {
                Some(Col::Part(F::Value, _)) if !named => {
                    if self.layout.prose {
                        p.described = cell(head).zip(cell(text));
                    } else {
                        p.draft.value(text);
                    }
                    named = true;
                }
                Some(Col::Part(field, rank)) => self.part_field(field, rank, head, text, numbered, &mut p),
                Some(Col::Other(field, rank)) => other(field, rank.saturating_add(1000), text, &mut p.others),
                Some(Col::House) => {
                    p.numbers.extend(cell(text));
                    if p.draft.part.reference.is_none() {
                        p.draft.part.reference = cell(text);
                    } else {
                        p.draft.property(head, text);
                    }
                }
                Some(Col::Level) => {
                    p.level = cells::level(text);
                    p.draft.property(head, text);
                }
                Some(Col::Parent) => {
                    p.parent = cell(text);
                    p.draft.property(head, text);
                }
                Some(Col::Item) => {
                    if self.layout.outlined {
                        p.level = cells::outline(text.strip_suffix(".0").unwrap_or(text));
                    }
                    p.draft.property(head, text);
                }
                Some(Col::SerialFrom) => p.draft.part.effective.serial_from = cell(text),
                Some(Col::SerialTo) => p.draft.part.effective.serial_to = cell(text),
                Some(Col::ValidFrom) if cells::day(text).is_some() => p.draft.part.effective.from = cells::day(text),
                Some(Col::ValidTo) if cells::day(text).is_some() => p.draft.part.effective.to = cells::day(text),
                Some(Col::Effectivity) => cells::effectivity(text, &mut p.draft.part.effective),
                Some(Col::Note) => {
                    if text.chars().count() <= 40 && not_placed(text) {
                        p.draft.leave_out(text);
                    }
                    p.draft.property(head, text);
                }
                Some(Col::Document) => said(head, text, out),
                Some(Col::Assembly(field)) => {
                    let slot = match field {
                        Some(F::Mpn) => &mut assembly.mpn,
                        Some(F::Manufacturer) => &mut assembly.manufacturer,
                        Some(F::Value) => &mut assembly.value,
                        Some(F::Version) => &mut assembly.version,
                        Some(F::Origin) => &mut assembly.origin,
                        Some(F::Description) => &mut assembly.description,
                        _ => {
                            assembly.properties.extend(cell(head).zip(cell(text)));
                            continue;
                        }
                    };
                    *slot = cell(text);
                }
                Some(Col::Footprint | Col::Price | Col::Place | Col::ValidFrom | Col::ValidTo) | None => p.draft.property(head, text),
            }
        }
        if let Some(key) = assembly.mpn.clone().or_else(|| assembly.value.clone()) {
            // An assembly that is a part of another one is that part.
            let known = self.assemblies.get(&key).copied();
            p.assembly = Some(known.unwrap_or_else(|| {
                let index = out.part(Design::List, assembly);
                if self.assemblies.len() < MOST_REMEMBERED {
                    self.assemblies.insert(key, index);
                }
                index
            }));
        }
        self.pending = Some(p);
    }

    /// A field of the part itself.
    fn part_field(&self, field: F, rank: u32, head: &str, text: &str, numbered: bool, p: &mut Pending) {
        let draft = &mut p.draft;
        match field {
            F::Designators => {
                let room = MOST_DESIGNATORS.saturating_sub(draft.part.designators.len());
                draft.part.designators.extend(designators(text).into_iter().take(room));
            }
            F::Quantity if draft.part.quantity.is_none() => {
                draft.part.quantity = cells::quantity(text);
                match draft.part.quantity {
                    Some(0) => draft.leave_out(&format!("{head} 0")),
                    Some(_) => {}
                    None => draft.property(head, text),
                }
            }
            F::Mpn | F::PartNumber if field == F::Mpn || !numbered => {
                p.numbers.extend(cell(text));
                if rank > 1 {
                    other(F::Mpn, rank, text, &mut p.others);
                } else {
                    draft.mpn(1, text);
                }
            }
            F::PartNumber => {
                p.numbers.extend(cell(text));
                draft.property(head, text);
            }
            F::Manufacturer if rank > 1 => other(F::Manufacturer, rank, text, &mut p.others),
            F::Manufacturer => draft.maker(1, text),
            F::NotPlaced | F::Placed => {
                if !text.is_empty() && leaves_out(field, text) {
                    draft.leave_out(&format!("{head} {text}"));
                } else if !text.is_empty() {
                    draft.property(head, text);
                }
            }
            F::Alternates => {
                for piece in text.split(['\n', ';', ',', '，', '、']).flat_map(makers).filter(|t| !is_blank(t)).take(MOST_ALTERNATES) {
                    // Maker and model in one cell stay together.
                    let (value, mpn) = if piece.contains(char::is_whitespace) { (cell(piece), None) } else { (None, cell(piece)) };
                    p.others.push(Other { rank: u32::MAX, part: Alternate { value, mpn, manufacturer: None } });
                }
                p.others.truncate(MOST_ALTERNATES);
            }
            _ => {
                let slot = match field {
                    F::Description => &mut draft.part.description,
                    F::Supplier => &mut draft.part.supplier,
                    F::SupplierPart => &mut draft.part.supplier_part,
                    F::FccId => &mut draft.part.fcc_id,
                    F::Origin => &mut draft.part.origin,
                    F::Role => &mut draft.part.role,
                    F::Version => &mut draft.part.version,
                    F::Serial => &mut draft.part.serial,
                    _ => return draft.property(head, text),
                };
                if slot.is_none() {
                    *slot = cell(text);
                    if field == F::Description {
                        p.described = cell(head).zip(cell(text));
                    }
                } else {
                    draft.property(head, text);
                }
            }
        }
    }

    /// The part is complete: finds its place and hands it on.
    fn flush(&mut self, out: &mut Observations) {
        let Some(mut p) = self.pending.take() else { return };
        p.others.sort_by_key(|o| o.rank);
        let nameless = p.draft.part.value.is_none() && p.numbers.is_empty();
        let mut others = p.others.into_iter().peekable();
        // The first choice may stand in the column or row of the second.
        if nameless && let Some(first) = others.next_if(|o| o.rank <= 2000) {
            p.draft.mpn(1, first.part.mpn.as_deref().or(first.part.value.as_deref()).unwrap_or_default());
            p.draft.maker(1, first.part.manufacturer.as_deref().unwrap_or_default());
        }
        let mut part = p.draft.finish();
        // Prose is never taken apart into several names.
        if let Some((head, text)) = p.described.filter(|_| part.value.is_none() && part.mpn.is_none()) {
            if part.is_placed() && not_placed(&text) {
                part.placed = Placed::No(text.chars().take(200).collect::<String>().into());
            }
            if !self.layout.prose {
                part.properties.push(("value from".into(), head));
            }
            part.value = Some(text);
        }
        for other in others {
            let names = alternatives(other.part.mpn.as_deref().unwrap_or_default());
            for name in &names {
                let one = Alternate { mpn: cell(name), ..other.part.clone() };
                let itself = one.mpn.is_some() && one.mpn == part.mpn && one.value.is_none();
                if part.alternates.len() < MOST_ALTERNATES && !itself && !part.alternates.contains(&one) && one != Alternate::default() {
                    part.alternates.push(one);
                }
            }
        }
        if part.value.is_none()
            && part.mpn.is_none()
            && part.designators.is_empty()
            && part.manufacturer.is_none()
            && part.supplier_part.is_none()
            && part.reference.is_none()
        {
            // Only the assembly was named, or nothing.
            let rest: Vec<String> = part.properties.iter().map(|(n, v)| format!("{n} {v}")).take(8).collect();
            if p.assembly.is_none() && !rest.is_empty() {
                said("note", &rest.join(", "), out);
            }
            return;
        }
        if self.is_repeated(&part) {
            return;
        }
        part.parent = self.parent(p.level, p.parent.as_deref(), p.assembly);
        let index = out.part(Design::List, part);
        self.count = self.count.saturating_add(1);
        if let Some(level) = p.level {
            self.open.push((level, index));
        }
        let wanted = self.layout.has(|c| c == Col::Parent);
        let nested = self.layout.has(|c| matches!(c, Col::Assembly(_)));
        for number in p.numbers.into_iter().filter(|_| wanted || nested) {
            let map = if wanted { &mut self.by_number } else { &mut self.assemblies };
            if map.len() < MOST_REMEMBERED {
                map.entry(number).or_insert(index);
            }
        }
    }

    fn parent(&mut self, level: Option<u32>, named: Option<&str>, assembly: Option<u32>) -> Option<u32> {
        if let Some(level) = level {
            while self.open.last().is_some_and(|(open, _)| *open >= level) {
                self.open.pop();
            }
        }
        assembly
            .or_else(|| named.and_then(|n| self.by_number.get(n).copied()))
            .or_else(|| level.and_then(|_| self.open.last().map(|(_, index)| *index)))
    }

    /// Whether a list below repeated heads names parts that have been named above.
    fn is_repeated(&mut self, part: &Part) -> bool {
        if part.designators.is_empty() || self.layout.is_deep() {
            return false;
        }
        let key = |designator: &str| {
            let mut hasher = FxHasher::default();
            (designator, part.value.as_deref(), part.mpn.as_deref()).hash(&mut hasher);
            hasher.finish()
        };
        let repeated = self.again && part.designators.iter().all(|d| self.seen.contains(&key(d)));
        if self.seen.len() < MOST_REMEMBERED {
            self.seen.extend(part.designators.iter().map(|d| key(d)));
        }
        repeated
    }

    /// The rows have ended.
    pub fn finish(mut self, out: &mut Observations) {
        self.flush(out);
        if self.count == 0 && self.odd == 0 && self.assemblies.is_empty() {
            out.problem(At::WHOLE, "the heads of a list of parts and no part below them");
        }
    }

    /// Whether it could be the costs of parts that another sheet lists.
    pub fn is_costs(layout: &Layout) -> bool {
        layout.has(|c| c == Col::Price)
            && !layout.has(|c| matches!(c, Col::Part(F::Designators | F::Mpn | F::Manufacturer | F::PartNumber, _)))
            && layout
                .heads
                .iter()
                .filter(|h| matches!(meaning(h), Some(Col::Price)) || fold(h).contains("price") || fold(h).contains("cost"))
                .count()
                >= 1
    }
}

/// Puts a number or maker of another choice beside what is known of that choice.
fn other(field: F, rank: u32, text: &str, into: &mut Vec<Other>) {
    let place = match into.iter().position(|o| o.rank == rank) {
        Some(place) => place,
        None if into.len() < MOST_ALTERNATES => {
            into.push(Other { rank, part: Alternate::default() });
            into.len().saturating_sub(1)
        }
        None => return,
    };
    let Some(slot) = into.get_mut(place) else { return };
    match field {
        F::Manufacturer => slot.part.manufacturer = cell(text),
        F::Value => slot.part.value = cell(text),
        _ => slot.part.mpn = cell(text),
    }
}
