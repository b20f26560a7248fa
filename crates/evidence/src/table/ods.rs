//! OpenDocument spreadsheets (OASIS ODF 1.3 part 3, chapter 9), streamed.
//!
//! Cells and rows may be repeated by a number in an attribute, so a few bytes can stand for a thousand million cells.
//! What is repeated here is read once: an empty run costs nothing, a filled row that stands there again says nothing
//! new, and a filled cell is copied along a row only up to the widest row that is kept.

use std::io::{BufReader, Cursor};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::sheet::{MAX_COLUMNS, write_number};
use crate::eda::xml::resolve;

/// The longest text of one cell that is kept.
const MAX_CELL: usize = 32 * 1024;

/// What is done with the sheets of a spreadsheet.
pub(super) trait Sheets {
    /// A sheet of that name begins; the one before has ended.
    fn begin(&mut self, name: &str);
    /// A row by its number in the sheet, counted from 1; empty ones too.
    fn row(&mut self, n: u32, cells: &[String]);
    /// The spreadsheet breaks off behind that row of the sheet, or ends where `why` is `None`.
    fn end(&mut self, n: u32, why: Option<String>);
}

/// Reads every sheet.
///
/// # Errors
/// There is nothing that could be read: why, and what to do.
pub(super) fn read(bytes: &[u8], sheets: &mut dyn Sheets) -> Result<(), String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| format!("this spreadsheet is damaged ({e})"))?;
    let content = archive
        .by_name("content.xml")
        .map_err(|e| format!("this spreadsheet has no readable content ({e}): if it has a password, save it without"))?;
    let mut xml = Reader::from_reader(BufReader::with_capacity(64 * 1024, content));
    let mut buffer = Vec::new();
    let mut state = State::default();
    let mut broken = None;
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(tag)) => match tag.local_name().as_ref() {
                "table" => {
                    sheets.begin(&attribute(&tag, "name").unwrap_or_default());
                    state = State { open: true, ..State::default() };
                }
                "table-row" => state.begin_row(&tag),
                "table-cell" | "covered-table-cell" => state.begin_cell(&tag),
                "annotation" => state.aside = state.aside.saturating_add(1),
                "p" if state.in_cell && state.aside == 0 && !state.text.is_empty() => state.push("\n"),
                _ => {}
            },
            Ok(Event::Empty(tag)) => match tag.local_name().as_ref() {
                "table-row" => {
                    state.begin_row(&tag);
                    state.end_row(sheets);
                }
                "table-cell" | "covered-table-cell" => {
                    state.begin_cell(&tag);
                    state.end_cell();
                }
                "line-break" => state.push("\n"),
                "s" | "tab" => state.push(" "),
                _ => {}
            },
            Ok(Event::End(tag)) => match tag.local_name().as_ref() {
                "table" => state.open = false,
                "table-row" => state.end_row(sheets),
                "table-cell" | "covered-table-cell" => state.end_cell(),
                "annotation" => state.aside = state.aside.saturating_sub(1),
                _ => {}
            },
            Ok(Event::Text(text)) => {
                if state.in_cell && state.aside == 0 {
                    state.push(&text.xml10_content());
                }
            }
            // Entities that a document defines for itself are not expanded.
            Ok(Event::GeneralRef(entity)) => {
                if let Some(text) = resolve(&entity).filter(|_| state.in_cell && state.aside == 0) {
                    state.push(&text);
                }
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                broken = Some(format!("the spreadsheet breaks off here ({error})"));
                break;
            }
        }
    }
    sheets.end(state.n, broken);
    Ok(())
}

#[derive(Default)]
struct State {
    /// Inside a sheet.
    open: bool,
    /// Rows so far in this sheet.
    n: u32,
    row_repeat: u32,
    cells: Vec<String>,
    /// Where the next cell stands.
    column: usize,
    in_cell: bool,
    /// Inside a comment on a cell.
    aside: u32,
    cell_repeat: usize,
    /// A value given as an attribute, which is exact where the text is rounded or formatted.
    value: Option<String>,
    text: String,
}

impl State {
    fn begin_row(&mut self, tag: &BytesStart<'_>) {
        self.row_repeat = attribute(tag, "number-rows-repeated").and_then(|n| n.parse().ok()).unwrap_or(1).max(1);
        self.cells.clear();
        self.column = 0;
    }

    fn end_row(&mut self, sheets: &mut dyn Sheets) {
        if self.open {
            sheets.row(self.n.saturating_add(1), &self.cells);
        }
        self.n = self.n.saturating_add(self.row_repeat);
        self.row_repeat = 1;
        self.cells.clear();
        self.column = 0;
    }

    fn begin_cell(&mut self, tag: &BytesStart<'_>) {
        self.in_cell = true;
        self.text.clear();
        self.cell_repeat = attribute(tag, "number-columns-repeated").and_then(|n| n.parse().ok()).unwrap_or(1).max(1);
        self.value = match attribute(tag, "value-type").as_deref() {
            Some("float") => attribute(tag, "value").and_then(|v| v.parse::<f64>().ok()).map(|n| {
                let mut text = String::new();
                write_number(n, &mut text);
                text
            }),
            // A day without a time of day is a day.
            Some("date") => attribute(tag, "date-value").map(|d| d.strip_suffix("T00:00:00").map(str::to_owned).unwrap_or(d)),
            _ => None,
        };
    }

    fn end_cell(&mut self) {
        let value = self.value.take();
        let value = value.as_deref().unwrap_or(&self.text).trim();
        if !value.is_empty() {
            let end = self.column.saturating_add(self.cell_repeat).min(MAX_COLUMNS);
            // A long text along a long run would still be a bomb.
            let end = if value.len() > 256 { end.min(self.column.saturating_add(1)) } else { end };
            if self.cells.len() < end {
                self.cells.resize(end, String::new());
            }
            for slot in self.cells.get_mut(self.column..end).unwrap_or_default() {
                slot.push_str(value);
            }
        }
        self.column = self.column.saturating_add(self.cell_repeat);
        self.in_cell = false;
        self.text.clear();
    }

    fn push(&mut self, text: &str) {
        if self.text.len().saturating_add(text.len()) <= MAX_CELL {
            self.text.push_str(text);
        }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    tag.attributes().flatten().find(|a| a.key.local_name().as_ref() == name).map(|a| plain(&a.value))
}

/// Attribute text with the five entities of XML resolved.
fn plain(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}
