//! Spreadsheets: XLSX through `calamine`'s cell reader (which holds no sheet), ODS and XLS through readers of our own.
//!
//! A spreadsheet is an archive, and can be a bomb: sizes are checked by unpacking every part into nothing first, and
//! repeated cells are never multiplied.

use std::io::{self, Cursor, Read as _};

use calamine::{DataRef, Reader as _, Xlsx};
use umbilical_core::{At, Observations};

use super::bom::{self, Parts};
use super::dates;
use super::mapper::{Mapper, header_row};
use super::{ods, xls};
use crate::earlier::Columns;
use crate::{Context, Head, Purpose, Reader, Source};

/// The largest spreadsheet file that is read.
const MAX_FILE: u64 = 256 << 20;
/// The most that its parts may unpack to.
const MAX_UNPACKED: u64 = 512 << 20;
/// The most cells of one row that are kept.
pub(super) const MAX_COLUMNS: usize = 2048;
/// How many filled rows of a sheet are looked at before its columns are decided.
const SAMPLE: usize = 200;
const SAMPLE_BYTES: usize = 4 << 20;

/// The reader of XLSX workbooks.
pub struct XlsxReader;
/// The reader of OpenDocument spreadsheets.
pub struct OdsReader;
/// The reader of XLS workbooks (Excel 97 to 2003).
pub struct XlsReader;

/// Whether the head is of a ZIP with the parts of an XLSX workbook.
pub(crate) fn is_xlsx(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
        && (contains(head, b"xl/workbook")
            || contains(head, b"xl/worksheets/")
            || contains(head, b"xl/_rels/")
            || contains(head, b"xl/styles"))
}

/// Whether the head is of an OpenDocument spreadsheet: its type stands uncompressed in front.
pub(crate) fn is_ods(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
        && head.get(..256).is_some_and(|h| contains(h, b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"))
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}

impl Reader for XlsxReader {
    fn name(&self) -> &'static str {
        "xlsx"
    }
    fn about(&self) -> &'static str {
        "Excel workbooks, every sheet."
    }
    fn sniff(&self, head: &Head<'_>) -> u8 {
        if is_xlsx(head.bytes) { 100 } else { 0 }
    }
    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let Some(bytes) = whole(source, out)? else { return Ok(()) };
        if let Err(why) = unpacks_within(&bytes, MAX_UNPACKED) {
            out.problem(At::WHOLE, why);
            return Ok(());
        }
        let mut book = match Xlsx::new(Cursor::new(bytes)) {
            Ok(book) => book,
            Err(error) => {
                out.problem(
                    At::WHOLE,
                    format!("this workbook cannot be opened ({error}): save it again without a password, or export it as CSV"),
                );
                return Ok(());
            }
        };
        for name in book.sheet_names() {
            let mut sheet = Sheet::new(&name, cx, out);
            let mut row: (u32, Vec<String>) = (0, Vec::new());
            let mut cells = match book.worksheet_cells_reader(&name) {
                Ok(cells) => cells,
                // A chart or dialogue sheet.
                Err(_) => continue,
            };
            loop {
                match cells.next_cell() {
                    Ok(Some(cell)) => {
                        let (r, c) = cell.get_position();
                        let r = r.saturating_add(1);
                        if r != row.0 {
                            sheet.row(row.0, &row.1, out);
                            row.0 = r;
                            row.1.iter_mut().for_each(String::clear);
                        }
                        let c = usize::try_from(c).unwrap_or(usize::MAX);
                        if c < MAX_COLUMNS {
                            if row.1.len() <= c {
                                row.1.resize(c.saturating_add(1), String::new());
                            }
                            if let Some(slot) = row.1.get_mut(c) {
                                write_cell(cell.get_value(), slot);
                            }
                        }
                    }
                    Ok(None) => break,
                    Err(error) => {
                        out.problem(At { unit: sheet.unit, n: row.0 }, format!("the sheet breaks off here ({error})"));
                        break;
                    }
                }
            }
            sheet.row(row.0, &row.1, out);
            sheet.finish(out);
        }
        ended(cx, out);
        Ok(())
    }
}

impl Reader for OdsReader {
    fn name(&self) -> &'static str {
        "ods"
    }
    fn about(&self) -> &'static str {
        "OpenDocument spreadsheets, every sheet."
    }
    fn sniff(&self, head: &Head<'_>) -> u8 {
        if is_ods(head.bytes) { 100 } else { 0 }
    }
    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let Some(bytes) = whole(source, out)? else { return Ok(()) };
        let mut sheets = Devices { cx, out, sheet: None };
        match unpacks_within(&bytes, MAX_UNPACKED).and_then(|()| ods::read(&bytes, &mut sheets)) {
            Ok(()) => ended(cx, out),
            Err(why) => out.problem(At::WHOLE, why),
        }
        Ok(())
    }
}

/// The sheets of a spreadsheet as lists of devices or of parts.
struct Devices<'a, 'k, 'o> {
    cx: &'a Context<'k>,
    out: &'o mut Observations,
    sheet: Option<Sheet<'a, 'k>>,
}

impl ods::Sheets for Devices<'_, '_, '_> {
    fn begin(&mut self, name: &str) {
        if let Some(done) = self.sheet.take() {
            done.finish(self.out);
        }
        self.sheet = Some(Sheet::new(name, self.cx, self.out));
    }

    fn row(&mut self, n: u32, cells: &[String]) {
        if let Some(sheet) = &mut self.sheet {
            sheet.row(n, cells, self.out);
        }
    }

    fn end(&mut self, n: u32, why: Option<String>) {
        let done = self.sheet.take();
        if let Some(why) = why {
            self.out.problem(At { unit: done.as_ref().map_or(0, |s| s.unit), n }, why);
        }
        if let Some(done) = done {
            done.finish(self.out);
        }
    }
}

impl Reader for XlsReader {
    fn name(&self) -> &'static str {
        "xls"
    }
    fn about(&self) -> &'static str {
        "Excel workbooks of the versions 97 to 2003, every sheet."
    }
    fn sniff(&self, head: &Head<'_>) -> u8 {
        if xls::is_workbook(head.bytes) { 90 } else { 0 }
    }
    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let Some(bytes) = whole(source, out)? else { return Ok(()) };
        xls::read(&bytes, cx, out);
        ended(cx, out);
        Ok(())
    }
}

/// Every sheet has been read: says where parts were asked for and none lists any.
fn ended(cx: &Context<'_>, out: &mut Observations) {
    let input = out.inputs.len().checked_sub(1);
    let said = out.problems.last().is_some_and(|p| p.input.and_then(|i| usize::try_from(i).ok()) == input);
    if cx.purpose == Purpose::Bom && !bom::any(out) && !said {
        bom::nothing_found(At::WHOLE, &[], out);
    }
}

fn whole(source: &mut Source<'_>, out: &mut Observations) -> io::Result<Option<Vec<u8>>> {
    let bytes = source.all(MAX_FILE)?;
    if bytes.is_none() {
        out.problem(At::WHOLE, "this spreadsheet is larger than 256 MiB: export it as CSV");
    }
    Ok(bytes)
}

/// Unpacks every part into nothing: whether all of it stays within a limit. What the directory declares is not believed.
///
/// # Errors
/// It does not, or is no archive: why, and what to do.
pub(super) fn unpacks_within(bytes: &[u8], max: u64) -> Result<(), String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| format!("this spreadsheet is damaged ({error})"))?;
    let mut left = max;
    for i in 0..archive.len().min(10_000) {
        let Ok(part) = archive.by_index(i) else { continue };
        let read = io::copy(&mut part.take(left.saturating_add(1)), &mut io::sink()).unwrap_or(0);
        let rest = left.checked_sub(read);
        left = rest.ok_or_else(|| format!("this spreadsheet unpacks to more than {} MiB: export what counts as CSV", max >> 20))?;
    }
    Ok(())
}

fn write_cell(value: &DataRef<'_>, slot: &mut String) {
    use std::fmt::Write;
    slot.clear();
    let _ = match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => write!(slot, "{text}"),
        DataRef::SharedString(text) => write!(slot, "{text}"),
        DataRef::Int(n) => write!(slot, "{n}"),
        DataRef::Float(n) => {
            write_number(*n, slot);
            Ok(())
        }
        DataRef::Bool(b) => write!(slot, "{b}"),
        DataRef::DateTime(when) if when.is_datetime() => {
            let (year, month, day, ..) = when.to_ymd_hms_milli();
            write!(slot, "{year:04}-{month:02}-{day:02}")
        }
        DataRef::DateTime(when) => write!(slot, "{}", when.as_f64()),
        DataRef::Error(_) | DataRef::Empty => Ok(()),
    };
}

/// A number as a person would have typed it; beyond 2^53 a spreadsheet has lost digits, and the scientific form says so.
pub(super) fn write_number(n: f64, slot: &mut String) {
    use std::fmt::Write;
    let _ = if n.abs() >= 9_007_199_254_740_992.0 { write!(slot, "{n:E}").map(|()| fix_exponent(slot)) } else { write!(slot, "{n}") };
}

/// `8.98E18` as spreadsheets write it: `8.98E+18`.
fn fix_exponent(slot: &mut String) {
    if let Some(at) = slot.find('E').filter(|at| slot.get(*at..).is_some_and(|s| !s.starts_with("E-"))) {
        slot.insert(at.saturating_add(1), '+');
    }
}

/// A spreadsheet's day number as a date.
pub(super) fn write_serial(serial: f64, since_1904: bool, slot: &mut String) {
    use std::fmt::Write;
    #[expect(clippy::cast_possible_truncation, reason = "checked to lie within the days that exist")]
    let day = if (0.0..3_000_000.0).contains(&serial) { dates::serial(serial as i64, since_1904) } else { None };
    let _ = match day {
        Some(day) => write!(slot, "{day}"),
        None => write!(slot, "{serial}"),
    };
}

/// One sheet, row by row.
pub(super) struct Sheet<'a, 'k> {
    cx: &'a Context<'k>,
    name: String,
    pub unit: u16,
    mapper: Option<Mapper<'k>>,
    parts: Option<Parts>,
    /// It is an answer of this program.
    earlier: Option<Columns>,
    /// Parts were asked for, and this sheet lists none.
    passed_over: bool,
    sample: Vec<(u32, Vec<String>)>,
    bytes: usize,
    /// Whether it comes from a spreadsheet, where cells may be guarded.
    spreadsheet: bool,
}

impl<'a, 'k> Sheet<'a, 'k> {
    pub fn new(name: &str, cx: &'a Context<'k>, out: &mut Observations) -> Self {
        let unit = out.unit(&format!("sheet {} row", umbilical_core::text::short(name, 60)));
        Self {
            cx,
            name: name.to_owned(),
            unit,
            mapper: None,
            parts: None,
            earlier: None,
            passed_over: false,
            sample: Vec::new(),
            bytes: 0,
            spreadsheet: true,
        }
    }

    /// Rows of a file that has no sheets, and whose first row are its heads.
    pub fn plain(cx: &'a Context<'k>, out: &mut Observations) -> Self {
        Self { unit: out.unit("row"), spreadsheet: false, ..Self::new("rows", cx, out) }
    }

    /// A row by its number in the sheet, counted from 1.
    pub fn row(&mut self, n: u32, cells: &[String], out: &mut Observations) {
        if cells.iter().all(|c| c.trim().is_empty()) {
            return;
        }
        if self.passed_over {
            return;
        }
        if let Some(earlier) = &mut self.earlier {
            earlier.row(At { unit: self.unit, n }, |i| cells.get(i).map_or("", String::as_str), out);
            return;
        }
        if let Some(parts) = &mut self.parts {
            parts.row(At { unit: self.unit, n }, cells.len().max(parts.width()), |i| cells.get(i).map_or("", String::as_str), out);
            return;
        }
        if let Some(mapper) = &mut self.mapper {
            mapper.row(At { unit: self.unit, n }, |i| cells.get(i).map_or("", String::as_str), out);
            return;
        }
        self.bytes = self.bytes.saturating_add(cells.iter().map(|c| c.len().saturating_add(24)).fold(0, usize::saturating_add));
        self.sample.push((n, cells.to_vec()));
        if self.sample.len() >= SAMPLE || self.bytes >= SAMPLE_BYTES {
            self.decide(out);
        }
    }

    fn decide(&mut self, out: &mut Observations) {
        let sample = std::mem::take(&mut self.sample);
        let (numbers, rows): (Vec<u32>, Vec<Vec<String>>) = sample.into_iter().unzip();
        if rows.is_empty() {
            return;
        }
        if let Some((header, earlier)) = Columns::find(&rows).filter(|_| self.cx.purpose == Purpose::Fleet && self.cx.mapping.is_none()) {
            let mut earlier = earlier.guarded(self.spreadsheet);
            earlier.announce(out);
            for (n, row) in numbers.iter().zip(&rows).skip(header.saturating_add(1)) {
                earlier.row(At { unit: self.unit, n: *n }, |i| row.get(i).map_or("", String::as_str), out);
            }
            self.earlier = Some(earlier);
            return;
        }
        let listed = bom::any(out);
        match bom::recognise_list(&rows, self.cx) {
            // What another sheet lists is not counted again where it is priced.
            Some(layout) if listed && Parts::is_costs(&layout) => {
                self.passed_over = true;
                bom::passed_over(&format!("sheet {}", self.name), "prices of parts that another sheet lists", out);
                return;
            }
            Some(layout) => {
                let first = layout.header.map_or(0, |h| h.saturating_add(1));
                let over = layout.header.and_then(|h| rows.get(..h)).unwrap_or_default();
                let mut parts = Parts::new(layout, over, false, out);
                for (n, row) in numbers.iter().zip(&rows).skip(first) {
                    let at = At { unit: self.unit, n: *n };
                    parts.row(at, row.len().max(parts.width()), |i| row.get(i).map_or("", String::as_str), out);
                }
                self.parts = Some(parts);
                return;
            }
            None => {}
        }
        let header = header_row(&rows, self.cx.mapping);
        let first = header.map_or(0, |h| h.saturating_add(1));
        let below = rows.get(first..).unwrap_or_default();
        let headers: Vec<String> = match header.and_then(|h| rows.get(h)) {
            Some(row) => row.clone(),
            None => (1..=below.first().map_or(0, Vec::len)).map(|n| format!("column {n}")).collect(),
        };
        let mut mapper = Mapper::new(&headers, below, self.cx);
        if self.cx.purpose == Purpose::Bom && !mapper.is_about_devices() {
            self.passed_over = true;
            bom::passed_over(&format!("sheet {}", self.name), "no list of parts", out);
            return;
        }
        // A sheet of notes is no table that failed.
        if mapper.is_empty() && rows.iter().all(|row| row.iter().filter(|c| !c.trim().is_empty()).count() < 2) {
            return;
        }
        mapper.announce(At { unit: self.unit, n: header.and_then(|h| numbers.get(h)).copied().unwrap_or(0) }, out);
        for (n, row) in numbers.iter().zip(&rows).skip(first) {
            mapper.row(At { unit: self.unit, n: *n }, |i| row.get(i).map_or("", String::as_str), out);
        }
        self.mapper = Some(mapper);
    }

    pub fn finish(mut self, out: &mut Observations) {
        if self.mapper.is_none() && self.parts.is_none() && self.earlier.is_none() && !self.passed_over {
            self.decide(out);
        }
        if let Some(earlier) = &self.earlier {
            earlier.finish(out);
            return;
        }
        if let Some(parts) = self.parts.take() {
            parts.finish(out);
            return;
        }
        if let Some(mapper) = &self.mapper {
            mapper.finish(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates_as_text() {
        let number = |n: f64| {
            let mut slot = String::new();
            write_number(n, &mut slot);
            slot
        };
        assert_eq!(number(490_154_203_237_518.0), "490154203237518");
        assert_eq!(number(2.5), "2.5");
        assert_eq!(number(8_988_228_066_612_345_678.0), "8.988228066612346E+18");
        let mut slot = String::new();
        write_serial(46_163.385, false, &mut slot);
        assert_eq!(slot, "2026-05-21");
    }
}
