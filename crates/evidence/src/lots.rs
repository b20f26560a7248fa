//! Lists of pieces as shipped or received: what their columns hold beyond those of a table of devices.
//!
//! **What it reads.** Whatever [`table`](crate::table) reads, one piece a row: IMEI, serial number, maker, model, firmware
//! and its digest, the label's text, lot, carton; or one range of IMEIs a row, with a column for the first and the last.
//!
//! **When it is wrong.** A list without heads has no pieces. A range that runs backwards, or over more than ten million
//! numbers, is a problem of its row and counts for nothing.

use umbilical_core::air::Piece;
use umbilical_core::number::{Check, Imei, imei};
use umbilical_core::text::{clean, is_blank, short};
use umbilical_core::{At, Record};

use crate::table::{Field, Mapping, fold};

/// The widest range that is believed.
const WIDEST: u64 = 10_000_000;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Lot,
    Carton,
    First,
    Last,
    Hash,
    Label,
    Imei,
    Serial,
    Maker,
    Model,
    Firmware,
}

/// Words of heads, beyond those of tables of devices; the first list in which a head stands decides.
const WORDS: &[(Holds, &str)] = &[
    (
        Holds::Lot,
        "lot, lot number, lot no, lot nr, lot id, lot code, batch, batch number, batch no, batch id, batch code, production lot, production batch, \
         date code, losnummer, los, charge, chargennummer, numéro de lot, lote, numero di lotto, lotto, 批次, 批次号, 批号, ロット, ロット番号, партия",
    ),
    (
        Holds::Carton,
        "carton, carton id, carton no, carton number, box, box id, box number, pallet, pallet id, pallet no, package, package id, karton, kartonnummer, \
         palette, 箱号, 托盘号, 栈板号",
    ),
    (
        Holds::First,
        "imei from, imei start, imei begin, imei first, first imei, start imei, from imei, imei range start, imei range from, range start, range from, \
         imei von, imei erste, 起始imei, imei起始, 开始imei",
    ),
    (
        Holds::Last,
        "imei to, imei end, imei last, last imei of range, end imei, to imei, imei range end, imei range to, range end, range to, imei bis, imei letzte, \
         结束imei, imei结束, 终止imei",
    ),
    (
        Holds::Hash,
        "sha256, sha 256, sha256sum, firmware hash, firmware sha256, firmware digest, fw hash, fw sha256, image hash, image sha256, digest, checksum, \
         firmware checksum, hash, prüfsumme, 固件哈希, 校验和",
    ),
    (Holds::Label, "label, label text, marking, label content, printed label, etikett, 标签"),
];

/// The columns of a list of pieces.
pub(crate) struct Columns(Vec<(usize, Holds)>);

impl Columns {
    /// Decides what the columns hold by their heads.
    pub fn new(headers: &[String], mapping: Option<&Mapping>, known: &dyn Fn(&str) -> Option<Field>) -> Self {
        let words = |header: &str| {
            let wanted = fold(header);
            WORDS.iter().find(|(_, words)| words.split(',').any(|w| fold(w) == wanted)).map(|w| w.0)
        };
        // A lone "last imei" is a device's; beside a first one it ends a range.
        let ranged = headers.iter().any(|h| words(h) == Some(Holds::First));
        let holds = |header: &String| {
            if let Some((_, field)) = mapping.and_then(|m| m.field(header)) {
                return of_field(field);
            }
            if ranged && fold(header) == fold("last imei") {
                return Some(Holds::Last);
            }
            words(header).or_else(|| known(header).and_then(of_field))
        };
        Self(headers.iter().enumerate().filter_map(|(n, h)| holds(h).map(|h| (n, h))).collect())
    }

    /// Whether no column is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a row.
    pub fn row<'c>(&self, record: &mut Record<'_>, at: At, cell: impl Fn(usize) -> &'c str) {
        let mut piece = Piece { at, ..Piece::default() };
        let (mut first, mut last) = (None, None);
        for (column, holds) in &self.0 {
            let text = crate::table::unwrapped(cell(*column));
            if is_blank(text) {
                continue;
            }
            let kept = || Some(Box::from(&*clean(short(text, 200).as_ref())));
            match holds {
                Holds::Imei => piece.imeis.extend(number(record, at, text)),
                Holds::First => first = bound(record, at, text),
                Holds::Last => last = bound(record, at, text),
                Holds::Lot => piece.lot = piece.lot.or_else(kept),
                Holds::Carton => piece.carton = piece.carton.or_else(kept),
                Holds::Serial => piece.serial = piece.serial.or_else(kept),
                Holds::Maker => piece.maker = piece.maker.or_else(kept),
                Holds::Model => piece.model = piece.model.or_else(kept),
                Holds::Firmware => piece.firmware = piece.firmware.or_else(kept),
                Holds::Label => piece.label = piece.label.or_else(kept),
                Holds::Hash => piece.hash = piece.hash.or_else(|| Some(text.trim().to_ascii_lowercase().chars().take(128).collect())),
            }
        }
        piece.range = match (first, last) {
            (Some(from), Some(to)) => range(record, at, from, to),
            (Some(one), None) | (None, Some(one)) => range(record, at, one, one),
            (None, None) => None,
        };
        if piece.range.is_some() || piece.serial.is_some() || !piece.imeis.is_empty() {
            record.piece(piece);
        }
    }
}

fn of_field(field: Field) -> Option<Holds> {
    match field {
        Field::Imei => Some(Holds::Imei),
        Field::Serial => Some(Holds::Serial),
        Field::Maker | Field::ModuleMaker => Some(Holds::Maker),
        Field::Model | Field::ModuleModel => Some(Holds::Model),
        Field::Firmware | Field::ModuleFirmware => Some(Holds::Firmware),
        _ => None,
    }
}

/// The 15 digits of an IMEI, whether its check digit is right or not; a number that is none is a problem.
fn number(record: &mut Record<'_>, at: At, text: &str) -> Option<Box<str>> {
    match imei(text) {
        Imei::Whole { body, check, .. } => {
            if check == Check::Wrong {
                record.problem(at, format!("IMEI {} fails its check digit: compared by its first 14 digits", text.trim()));
            }
            Some(Imei::canonical(&body).into())
        }
        _ => {
            record.problem(at, format!("`{}` is not an IMEI", short(text.trim(), 40)));
            None
        }
    }
}

/// The end of a range: its first 14 digits. Ranges begin at zeros, which no living device has.
fn bound(record: &mut Record<'_>, at: At, text: &str) -> Option<u64> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '/' | '.')).collect();
    let whole = (14..=17).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let body = digits.get(..14).filter(|_| whole).and_then(|b| b.parse().ok());
    if body.is_none() {
        record.problem(at, format!("`{}` is not an end of a range of IMEIs", short(text.trim(), 40)));
    }
    body
}

fn range(record: &mut Record<'_>, at: At, from: u64, to: u64) -> Option<(u64, u64)> {
    if to < from || to.saturating_sub(from) >= WIDEST {
        record.problem(at, "this range of IMEIs runs backwards or over more than ten million numbers: it counts for nothing");
        return None;
    }
    Some((from, to))
}
