//! Excel workbooks of the versions 97 to 2003: the records of BIFF8 ([MS-XLS]) in the compound file around them, only as
//! far as cells go.
//!
//! Written here because the general reader lays a sheet out as a grid from the corners it declares: a file of a few
//! kilobytes can ask for gigabytes. This one walks the records and keeps one row.

use std::collections::BTreeMap;

use umbilical_core::{At, Observations};

use super::sheet::{MAX_COLUMNS, Sheet, write_number, write_serial};
use crate::Context;
use crate::compound::{self, u16_at, u32_at};

/// The most characters of one string that are kept.
const MAX_CHARS: usize = 8192;
/// The most cells of a sheet that are read.
const MAX_CELLS: usize = 4_000_000;

/// Whether the head is of a compound file that may hold a workbook. The directory often stands at the end, so only what
/// names another kind of document in the head decides against it.
pub(super) fn is_workbook(head: &[u8]) -> bool {
    let names = |name| compound::names(head, name);
    head.starts_with(compound::MAGIC)
        && (names("Workbook") || !["WordDocument", "PowerPoint Document", "__substg1.0_", "__nameid_"].iter().any(|n| names(n)))
}

fn f64_at(bytes: &[u8], at: usize) -> Option<f64> {
    Some(f64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// The records of a stream from an offset: type, body, and the bodies of the CONTINUE records behind it.
struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    fn one(&self, at: usize) -> Option<(u16, &'a [u8], usize)> {
        let kind = u16_at(self.bytes, at)?;
        let len = usize::from(u16_at(self.bytes, at.checked_add(2)?)?);
        let start = at.checked_add(4)?;
        let end = start.checked_add(len)?;
        Some((kind, self.bytes.get(start..end)?, end))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = (u16, Vec<&'a [u8]>);
    fn next(&mut self) -> Option<Self::Item> {
        let (kind, body, end) = self.one(self.at)?;
        self.at = end;
        let mut bodies = vec![body];
        while let Some((0x3c, more, end)) = self.one(self.at) {
            bodies.push(more);
            self.at = end;
        }
        Some((kind, bodies))
    }
}

/// Reads on over the borders of continued records.
struct Continued<'a> {
    bodies: Vec<&'a [u8]>,
    body: usize,
    at: usize,
}

impl<'a> Continued<'a> {
    fn left(&self) -> usize {
        self.bodies.get(self.body).map_or(0, |b| b.len().saturating_sub(self.at))
    }

    fn next_body(&mut self) -> Option<()> {
        self.body = self.body.checked_add(1)?;
        self.at = 0;
        self.bodies.get(self.body).map(|_| ())
    }

    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        if self.left() == 0 {
            self.next_body()?;
        }
        let body = *self.bodies.get(self.body)?;
        let found = body.get(self.at..self.at.checked_add(n)?)?;
        self.at = self.at.checked_add(n)?;
        Some(found)
    }

    fn skip(&mut self, mut n: usize) -> Option<()> {
        while n > 0 {
            if self.left() == 0 {
                self.next_body()?;
            }
            let step = n.min(self.left());
            self.at = self.at.checked_add(step)?;
            n = n.saturating_sub(step);
        }
        Some(())
    }

    /// A string with the length that stands before it ([MS-XLS] 2.5.293): where a border falls inside its characters, the
    /// next body begins with a new width flag.
    fn string(&mut self) -> Option<String> {
        let head = self.take(3)?;
        let mut chars = usize::from(u16_at(head, 0)?);
        let flags = *head.get(2)?;
        let runs = if flags & 8 != 0 { usize::from(u16_at(self.take(2)?, 0)?) } else { 0 };
        let extra = if flags & 4 != 0 { usize::try_from(u32_at(self.take(4)?, 0)?).ok()? } else { 0 };
        let mut wide = flags & 1 != 0;
        let mut units: Vec<u16> = Vec::new();
        while chars > 0 {
            if self.left() == 0 {
                self.next_body()?;
                wide = self.take(1)?.first()? & 1 != 0;
            }
            let width = if wide { 2 } else { 1 };
            let n = chars.min(self.left().checked_div(width)?);
            if n == 0 {
                return None;
            }
            let bytes = self.take(n.checked_mul(width)?)?;
            let room = MAX_CHARS.saturating_sub(units.len());
            if wide {
                units.extend(bytes.chunks_exact(2).filter_map(|c| u16_at(c, 0)).take(room));
            } else {
                units.extend(bytes.iter().map(|b| u16::from(*b)).take(room));
            }
            chars = chars.saturating_sub(n);
        }
        self.skip(runs.checked_mul(4)?.checked_add(extra)?)?;
        Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect())
    }
}

#[derive(Default)]
struct Book {
    sheets: Vec<(usize, String)>,
    strings: Vec<String>,
    /// Per cell format, whether it shows a date.
    dates: Vec<bool>,
    since_1904: bool,
    encrypted: bool,
    old: bool,
}

fn globals(stream: &[u8]) -> Book {
    let mut book = Book::default();
    let mut formats: BTreeMap<u16, bool> = BTreeMap::new();
    let mut xfs: Vec<u16> = Vec::new();
    for (kind, bodies) in (Records { bytes: stream, at: 0 }) {
        let body = bodies.first().copied().unwrap_or_default();
        match kind {
            0x0809 => book.old |= u16_at(body, 0).is_some_and(|v| v < 0x0600),
            0x002f => book.encrypted = true,
            0x0022 => book.since_1904 = u16_at(body, 0) == Some(1),
            0x0085 => {
                if let (Some(at), Some(len), Some(flags)) = (u32_at(body, 0), body.get(6), body.get(7)) {
                    let text = body.get(8..).unwrap_or_default();
                    let name: String = if flags & 1 != 0 {
                        char::decode_utf16(text.chunks_exact(2).filter_map(|c| u16_at(c, 0)).take(usize::from(*len)))
                            .map(|c| c.unwrap_or('?'))
                            .collect()
                    } else {
                        text.iter().take(usize::from(*len)).map(|b| char::from(*b)).collect()
                    };
                    book.sheets.push((usize::try_from(at).unwrap_or(usize::MAX), name));
                }
            }
            0x041e => {
                let code = Continued { bodies: bodies.clone(), body: 0, at: 2 }.string();
                if let (Some(id), Some(code)) = (u16_at(body, 0), code) {
                    formats.insert(id, date_code(&code));
                }
            }
            0x00e0 => xfs.extend(u16_at(body, 2)),
            0x00fc => {
                let mut text = Continued { bodies, body: 0, at: 8 };
                while let (Some(string), true) = (text.string(), book.strings.len() < MAX_CELLS) {
                    book.strings.push(string);
                }
            }
            0x000a => break,
            _ => {}
        }
    }
    // Built-in formats 14 to 22 and 45 to 47, and those of East Asian versions 27 to 36 and 50 to 58, show dates and times.
    book.dates = xfs.iter().map(|f| formats.get(f).copied().unwrap_or(matches!(f, 14..=17 | 22 | 27..=36 | 50..=58))).collect();
    book
}

/// Whether a number format shows a date: a year or a day outside quotes and brackets.
fn date_code(code: &str) -> bool {
    let mut quoted = false;
    let mut depth = 0u32;
    for c in code.chars() {
        match c {
            '"' => quoted = !quoted,
            '[' if !quoted => depth = depth.saturating_add(1),
            ']' if !quoted => depth = depth.saturating_sub(1),
            'y' | 'Y' | 'd' | 'D' if !quoted && depth == 0 => return true,
            _ => {}
        }
    }
    false
}

/// A number packed into four bytes ([MS-XLS] 2.5.217).
fn rk(packed: u32) -> f64 {
    let n = if packed & 2 != 0 {
        #[expect(clippy::cast_possible_wrap, reason = "the thirty bits are a signed number")]
        let whole = (packed as i32) >> 2;
        f64::from(whole)
    } else {
        f64::from_bits(u64::from(packed & 0xffff_fffc) << 32)
    };
    if packed & 1 != 0 { n / 100.0 } else { n }
}

pub(super) fn read(file: &[u8], cx: &Context<'_>, out: &mut Observations) {
    let Some(stream) = compound::stream(file, &["Workbook", "Book"]) else {
        out.problem(At::WHOLE, "no workbook can be found in this compound file: an old office document of another kind, or damaged");
        return;
    };
    let book = globals(&stream);
    if book.encrypted {
        out.problem(At::WHOLE, "this workbook has a password: save it without, or export it as CSV");
        return;
    }
    if book.old {
        out.problem(At::WHOLE, "this workbook is of Excel 95 or older: save it as XLSX or CSV");
        return;
    }
    for (at, name) in &book.sheets {
        let mut sheet = Sheet::new(name, cx, out);
        let mut rows = Rows { n: 0, cells: Vec::new() };
        let mut left = MAX_CELLS;
        let (mut depth, mut formula) = (0u32, None);
        for (kind, bodies) in (Records { bytes: &stream, at: *at }) {
            let body = bodies.first().copied().unwrap_or_default();
            // Charts inside a sheet have records of their own.
            match kind {
                0x0809 => depth = depth.saturating_add(1),
                0x000a => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
            if depth != 1 || !matches!(kind, 0x0203 | 0x027e | 0x00bd | 0x00fd | 0x0204 | 0x0006 | 0x0207) {
                continue;
            }
            let Some(rest) = left.checked_sub(1) else {
                out.problem(
                    At { unit: sheet.unit, n: rows.n },
                    "a sheet of more than four million cells: the rest is not read, export it as CSV",
                );
                break;
            };
            left = rest;
            let (Some(row), Some(column), Some(format)) = (u16_at(body, 0), u16_at(body, 2), u16_at(body, 4)) else { continue };
            let mut text = String::new();
            let number = |n: f64, format: u16, text: &mut String| {
                if book.dates.get(usize::from(format)).copied().unwrap_or(false) {
                    write_serial(n, book.since_1904, text)
                } else {
                    write_number(n, text)
                }
            };
            match kind {
                0x0203 => {
                    if let Some(n) = f64_at(body, 6) {
                        number(n, format, &mut text);
                    }
                }
                0x027e => {
                    if let Some(n) = u32_at(body, 6) {
                        number(rk(n), format, &mut text);
                    }
                }
                0x00bd => {
                    for (i, cell) in body.get(4..body.len().saturating_sub(2)).unwrap_or_default().chunks_exact(6).enumerate() {
                        let (Some(format), Some(n)) = (u16_at(cell, 0), u32_at(cell, 2)) else { continue };
                        let mut text = String::new();
                        number(rk(n), format, &mut text);
                        rows.put(row, usize::from(column).saturating_add(i), &text, &mut sheet, out);
                    }
                    continue;
                }
                0x00fd => {
                    let index = u32_at(body, 6).and_then(|n| usize::try_from(n).ok());
                    text.push_str(index.and_then(|n| book.strings.get(n)).map_or("", String::as_str));
                }
                0x0204 => text = Continued { bodies, body: 0, at: 6 }.string().unwrap_or_default(),
                0x0006 => {
                    // A formula's text result follows in a record of its own.
                    if u16_at(body, 12) == Some(0xffff) {
                        formula = (body.get(6) == Some(&0)).then_some((row, column));
                    } else if let Some(n) = f64_at(body, 6) {
                        number(n, format, &mut text);
                    }
                }
                _ => {
                    let text = Continued { bodies, body: 0, at: 0 }.string().unwrap_or_default();
                    if let Some((row, column)) = formula.take() {
                        rows.put(row, usize::from(column), &text, &mut sheet, out);
                    }
                    continue;
                }
            }
            rows.put(row, usize::from(column), &text, &mut sheet, out);
        }
        rows.flush(&mut sheet, out);
        sheet.finish(out);
    }
}

/// The row that is being filled.
struct Rows {
    n: u32,
    cells: Vec<String>,
}

impl Rows {
    fn put(&mut self, row: u16, column: usize, text: &str, sheet: &mut Sheet<'_, '_>, out: &mut Observations) {
        let n = u32::from(row).saturating_add(1);
        if n != self.n {
            self.flush(sheet, out);
            self.n = n;
        }
        if text.is_empty() || column >= MAX_COLUMNS {
            return;
        }
        if self.cells.len() <= column {
            self.cells.resize(column.saturating_add(1), String::new());
        }
        if let Some(slot) = self.cells.get_mut(column) {
            text.clone_into(slot);
        }
    }

    fn flush(&mut self, sheet: &mut Sheet<'_, '_>, out: &mut Observations) {
        sheet.row(self.n, &self.cells, out);
        self.cells.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_numbers_and_date_formats() {
        // The examples of [MS-XLS] 2.5.217 in words: an integer times 100, and a float without its low bits.
        assert_eq!(rk((1234 << 2) | 2), 1234.0);
        assert_eq!(rk((1234 << 2) | 3), 12.34);
        assert_eq!(rk((1.5f64.to_bits() >> 32) as u32), 1.5);
        assert!(date_code("yyyy\\-mm\\-dd") && date_code("dd/mm/yy") && !date_code("0.00") && !date_code("[Red]0\" days\""));
    }
}
