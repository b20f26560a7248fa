//! Shipped against received, lot by lot, and how many pieces to open.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use umbilical_core::Observations;
use umbilical_core::air::Piece;
use umbilical_core::answer::verify::{Custody, LotAnswer, Mismatch, Place};
use umbilical_core::number::Imei;
use umbilical_core::text::clean;
use umbilical_knowledge::{Knowledge, key, parse_tac};

use super::sampling::{self, Ask};

/// What one list has: its pieces, and where its inputs begin in the answer.
#[derive(Clone, Copy)]
pub struct List<'a> {
    /// The list as read.
    pub all: &'a Observations,
    /// Number of its first input in the answer.
    pub first: u32,
}

impl<'a> List<'a> {
    fn place(&self, piece: &Piece, value: String) -> Place {
        Place { input: piece.input.saturating_add(self.first), at: self.all.locate(piece.at), value }
    }

    fn singles(&self) -> impl Iterator<Item = &'a Piece> {
        self.all.pieces.iter().filter(|p| p.range.is_none())
    }
}

/// How a piece is called: its serial number, else its first IMEI.
fn name(piece: &Piece) -> String {
    let text = piece.serial.as_deref().or_else(|| piece.imeis.first().map(|i| &**i)).unwrap_or("a piece without number");
    clean(text).into_owned()
}

fn line(piece: &Piece) -> String {
    let cells = [&piece.serial, &piece.model, &piece.firmware, &piece.hash, &piece.label, &piece.lot];
    let imeis = piece.imeis.iter().map(|i| &**i);
    let range = piece.range.map(|(a, b)| format!("{} to {}", Imei::canonical(&format!("{a:014}")), Imei::canonical(&format!("{b:014}"))));
    let words: Vec<&str> = cells.into_iter().flatten().map(|c| &**c).chain(imeis).collect();
    clean(&words.into_iter().map(str::to_owned).chain(range).collect::<Vec<_>>().join(", ")).into_owned()
}

/// The shipped list, by what joins it to received pieces.
struct Shipped<'a> {
    serials: FxHashMap<String, &'a Piece>,
    imeis: FxHashMap<&'a str, &'a Piece>,
    /// By first number.
    ranges: Vec<(u64, u64, &'a Piece)>,
}

fn serial_key(serial: &str) -> String {
    serial.trim().to_ascii_uppercase()
}

impl<'a> Shipped<'a> {
    fn range(&self, imei: &str) -> Option<&'a Piece> {
        let body: u64 = imei.get(..14)?.parse().ok()?;
        self.ranges.iter().find(|(from, to, _)| (*from..=*to).contains(&body)).map(|r| r.2)
    }
}

/// One lot under way.
#[derive(Default)]
struct Lot {
    shipped: u64,
    received: u64,
    agree: u64,
    mismatches: Vec<Mismatch>,
    pieces: Vec<String>,
}

/// Compares the lists.
pub(super) fn compare(kb: &Knowledge, shipped: List<'_>, received: List<'_>, ask: &Ask<'_>) -> Custody {
    let mut lots: BTreeMap<Option<String>, Lot> = BTreeMap::new();
    let lot_of = |p: &Piece| p.lot.as_deref().map(|l| clean(l).into_owned());
    let mut known = Shipped { serials: FxHashMap::default(), imeis: FxHashMap::default(), ranges: Vec::new() };
    for piece in &shipped.all.pieces {
        let lot = lots.entry(lot_of(piece)).or_default();
        if let Some((from, to)) = piece.range {
            lot.shipped = lot.shipped.saturating_add(to.saturating_sub(from).saturating_add(1));
            known.ranges.push((from, to, piece));
            continue;
        }
        lot.shipped = lot.shipped.saturating_add(1);
        let before = piece.serial.as_deref().and_then(|s| known.serials.insert(serial_key(s), piece));
        let same_imei = piece.imeis.iter().filter_map(|i| known.imeis.insert(i, piece)).last();
        if let Some(other) = before.or(same_imei) {
            lot.mismatches.push(Mismatch {
                kind: "duplicate",
                piece: name(piece),
                what: format!("{} stands twice on the shipped list", name(piece)),
                shipped: Some(shipped.place(other, line(other))),
                received: None,
            });
        }
    }
    known.ranges.sort_by_key(|r| (r.0, r.1));
    let listed = shipped.singles().next().is_some();
    // Which shipped pieces and how many numbers of each range have come.
    let mut came: FxHashMap<*const Piece, u64> = FxHashMap::default();
    let mut seen: FxHashMap<String, &Piece> = FxHashMap::default();
    for piece in received.singles() {
        let by_serial = piece.serial.as_deref().and_then(|s| known.serials.get(&serial_key(s)).copied());
        let by_imei = piece.imeis.iter().find_map(|i| known.imeis.get(&**i).copied());
        let by_range = piece.imeis.iter().find_map(|i| known.range(i));
        let from = by_serial.or(by_imei).or(by_range);
        if let Some(from) = from {
            let count = came.entry(std::ptr::from_ref(from)).or_default();
            *count = count.saturating_add(1);
        }
        let lot = lots.entry(from.map_or_else(|| lot_of(piece), lot_of)).or_default();
        lot.received = lot.received.saturating_add(1);
        lot.pieces.push(name(piece));
        let before = lot.mismatches.len();
        let both = Both { shipped, received, known: &known, piece, by_serial, by_imei, by_range, listed };
        both.duplicates(&mut seen, &mut lot.mismatches);
        both.identity(&mut lot.mismatches);
        both.details(kb, &mut lot.mismatches);
        if lot.mismatches.len() == before {
            lot.agree = lot.agree.saturating_add(1);
        }
    }
    for piece in &shipped.all.pieces {
        let have = came.get(&std::ptr::from_ref(piece)).copied().unwrap_or(0);
        let lot = lots.entry(lot_of(piece)).or_default();
        let what = match piece.range {
            Some((from, to)) => {
                let all = to.saturating_sub(from).saturating_add(1);
                let missing = all.saturating_sub(have);
                if missing == 0 {
                    continue;
                }
                format!("of the {all} numbers of this range {missing} were not received")
            }
            None if have > 0 => continue,
            None => format!("{} was shipped and is not among what was received", name(piece)),
        };
        let piece_name = if piece.range.is_some() { line(piece) } else { name(piece) };
        let place = Some(shipped.place(piece, line(piece)));
        lot.mismatches.push(Mismatch { kind: "missing", piece: piece_name, shipped: place, received: None, what });
    }
    let lots = lots.into_iter().map(|(name, lot)| finish(name, lot, ask)).collect();
    Custody { lots, formula: sampling::FORMULA.to_owned() }
}

fn finish(name: Option<String>, lot: Lot, ask: &Ask<'_>) -> LotAnswer {
    let size = lot.received.max(1);
    let sampling = if lot.received == 0 { Vec::new() } else { sampling::plans(size, ask) };
    let take = sampling::take(size, ask.bad_percent, ask.confidence_percent);
    let seed = sampling::seed(ask, name.as_deref().unwrap_or_default(), &lot.pieces);
    let draw = sampling::draw(&seed, lot.pieces, take);
    LotAnswer {
        lot: name,
        shipped: lot.shipped,
        received: lot.received,
        agree: lot.agree,
        mismatches: lot.mismatches,
        sampling,
        seed,
        draw,
    }
}

/// A received piece beside what was shipped.
struct Both<'a> {
    shipped: List<'a>,
    received: List<'a>,
    known: &'a Shipped<'a>,
    piece: &'a Piece,
    by_serial: Option<&'a Piece>,
    by_imei: Option<&'a Piece>,
    by_range: Option<&'a Piece>,
    /// Whether the shipped list names pieces one by one.
    listed: bool,
}

impl<'a> Both<'a> {
    fn says(&self, kind: &'static str, other: Option<&Piece>, what: String) -> Mismatch {
        Mismatch {
            kind,
            piece: name(self.piece),
            shipped: other.map(|o| self.shipped.place(o, line(o))),
            received: Some(self.received.place(self.piece, line(self.piece))),
            what,
        }
    }

    fn duplicates(&self, seen: &mut FxHashMap<String, &'a Piece>, out: &mut Vec<Mismatch>) {
        let serial = self.piece.serial.as_deref().map(|s| format!("serial {}", serial_key(s)));
        let numbers = serial.into_iter().chain(self.piece.imeis.iter().map(|i| format!("IMEI {i}")));
        let mut first: Option<(String, &Piece)> = None;
        for number in numbers {
            if let Some(other) = seen.insert(number.clone(), self.piece) {
                first.get_or_insert((number, other));
            }
        }
        if let Some((number, other)) = first {
            let mut told = self.says("duplicate", None, format!("{} was received twice", clean(&number)));
            told.shipped = None;
            told.what.push_str(&format!(" (also {})", self.received.all.locate(other.at)));
            out.push(told);
        }
    }

    fn identity(&self, out: &mut Vec<Mismatch>) {
        match (self.by_serial, self.by_imei) {
            (Some(s), Some(i)) if !std::ptr::eq(s, i) => {
                out.push(self.says("swapped", Some(s), format!("{} carries the IMEI that was shipped with {}", name(self.piece), name(i))));
            }
            (Some(s), None) if !s.imeis.is_empty() && !self.piece.imeis.is_empty() => {
                let what =
                    format!("{} carries IMEI {}, shipped with {}", name(self.piece), self.piece.imeis.join(", "), s.imeis.join(", "));
                out.push(self.says("swapped", Some(s), what));
            }
            (None, Some(i)) if i.serial.is_some() && self.piece.serial.is_some() => {
                out.push(self.says("swapped", Some(i), format!("its IMEI was shipped with {}, it carries {}", name(i), name(self.piece))));
            }
            (None, None) if self.by_range.is_none() => {
                let outside = !self.known.ranges.is_empty() && !self.piece.imeis.is_empty();
                let (kind, what) = if outside {
                    ("outside-range", format!("the IMEI of {} lies in no range that was shipped", name(self.piece)))
                } else {
                    ("extra", format!("{} was received and is not on the shipped list", name(self.piece)))
                };
                out.push(self.says(kind, None, what));
            }
            (None, None) if self.listed && self.piece.serial.is_some() => {
                out.push(self.says(
                    "extra",
                    self.by_range,
                    format!("{} lies in a shipped range and its serial is not on the list", name(self.piece)),
                ));
            }
            _ => {}
        }
        // A piece that is listed must lie in the ranges as well, where there are any for its lot.
        if let Some(s) = self.by_serial.or(self.by_imei)
            && self.by_range.is_none()
            && !self.piece.imeis.is_empty()
            && self.known.ranges.iter().any(|r| r.2.lot == s.lot)
        {
            out.push(self.says("outside-range", Some(s), format!("the IMEI of {} lies in no range that was shipped", name(self.piece))));
        }
    }

    fn details(&self, kb: &Knowledge, out: &mut Vec<Mismatch>) {
        let Some(from) = self.by_serial.or(self.by_imei).or(self.by_range) else {
            self.tac(kb, self.piece.model.as_deref(), None, out);
            return;
        };
        let fields = [
            ("other-model", "model", &from.model, &self.piece.model),
            ("firmware", "firmware", &from.firmware, &self.piece.firmware),
            ("firmware-hash", "firmware digest", &from.hash, &self.piece.hash),
            ("label", "label", &from.label, &self.piece.label),
            ("other-lot", "lot", &from.lot, &self.piece.lot),
        ];
        for (kind, word, was, is) in fields {
            if let (Some(was), Some(is)) = (was, is)
                && key(was) != key(is)
            {
                let what = format!("{}: {word} `{}` was shipped, `{}` received", name(self.piece), clean(was), clean(is));
                out.push(self.says(kind, Some(from), what));
            }
        }
        self.tac(kb, from.model.as_deref().or(self.piece.model.as_deref()), Some(from), out);
    }

    /// Whether the type allocation code belongs to another model than the list says. A code that no table knows says nothing.
    fn tac(&self, kb: &Knowledge, model: Option<&str>, from: Option<&Piece>, out: &mut Vec<Mismatch>) {
        let Some(model) = model else { return };
        let wanted = key(model);
        if wanted.len() < 3 {
            return;
        }
        for imei in &self.piece.imeis {
            let hits = imei.get(..8).and_then(parse_tac).map(|tac| kb.tac(tac)).unwrap_or_default();
            // Only names of the catalogue are compared: a list may call the product what it likes.
            let named = !kb.models_in(model).is_empty();
            let fits = hits.iter().any(|h| {
                let known = key(h.model);
                known.contains(&wanted)
                    || wanted.contains(&known)
                    || h.brand.and_then(|b| kb.module_stem(b, model)).is_some_and(|m| known.starts_with(&key(&m.family)))
            });
            if let (true, false, Some(hit)) = (named, fits, hits.first()) {
                let what = format!(
                    "{}: the type allocation code of IMEI {imei} belongs to {} {}, the list says {}",
                    name(self.piece),
                    hit.brand.unwrap_or("another maker:"),
                    hit.model,
                    clean(model)
                );
                out.push(self.says("tac", from, what));
            }
        }
    }
}
