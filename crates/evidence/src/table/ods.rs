//! OpenDocument spreadsheets (OASIS ODF 1.3 part 3, chapter 9), streamed.
//!
//! Cells and rows may be repeated by a number in an attribute, so a few bytes can stand for a thousand million cells.
//! What is repeated here is read once: an empty run costs nothing, a filled row that stands there again says nothing
//! new, and a filled cell is copied along a row only up to the widest row that is kept.

use std::io::{BufReader, Cursor};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use umbilical_core::{At, Observations};

use super::sheet::{MAX_COLUMNS, Sheet, write_number};
use crate::Context;

/// The longest text of one cell that is kept.
const MAX_CELL: usize = 32 * 1024;

pub(super) fn read(bytes: Vec<u8>, cx: &Context<'_>, out: &mut Observations) {
    let mut archive = match zip::ZipArchive::new(Cursor::new(bytes)) {
        Ok(archive) => archive,
        Err(error) => {
            out.problem(At::WHOLE, format!("this spreadsheet is damaged ({error})"));
            return;
        }
    };
    let content = match archive.by_name("content.xml") {
        Ok(content) => content,
        Err(error) => {
            out.problem(At::WHOLE, format!("this spreadsheet has no readable content ({error}): if it has a password, save it without"));
            return;
        }
    };
    let mut xml = Reader::from_reader(BufReader::with_capacity(64 * 1024, content));
    let mut buffer = Vec::new();
    let mut state = State::default();
    let mut sheet: Option<Sheet<'_, '_>> = None;
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(tag)) => match tag.local_name().as_ref() {
                "table" => {
                    if let Some(done) = sheet.take() {
                        done.finish(out);
                    }
                    sheet = Some(Sheet::new(&attribute(&tag, "name").unwrap_or_default(), cx, out));
                    state = State::default();
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
                    state.end_row(&mut sheet, out);
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
                "table" => {
                    if let Some(done) = sheet.take() {
                        done.finish(out);
                    }
                }
                "table-row" => state.end_row(&mut sheet, out),
                "table-cell" | "covered-table-cell" => state.end_cell(),
                "annotation" => state.aside = state.aside.saturating_sub(1),
                _ => {}
            },
            Ok(Event::Text(text)) => {
                if state.in_cell && state.aside == 0 {
                    state.push(&text.xml10_content());
                }
            }
            // The five entities of XML and character numbers; entities that a document defines for itself are not expanded.
            Ok(Event::GeneralRef(entity)) => {
                let name = entity.xml10_content();
                let c = match (&*name, entity.resolve_char_ref()) {
                    (_, Ok(Some(c))) => Some(c),
                    ("lt", _) => Some('<'),
                    ("gt", _) => Some('>'),
                    ("amp", _) => Some('&'),
                    ("quot", _) => Some('"'),
                    ("apos", _) => Some('\''),
                    _ => None,
                };
                if let Some(c) = c.filter(|_| state.in_cell && state.aside == 0) {
                    state.push(c.encode_utf8(&mut [0; 4]));
                }
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                let unit = sheet.as_ref().map_or(0, |s| s.unit);
                out.problem(At { unit, n: state.n }, format!("the spreadsheet breaks off here ({error})"));
                break;
            }
        }
    }
    if let Some(done) = sheet.take() {
        done.finish(out);
    }
}

#[derive(Default)]
struct State {
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

    fn end_row(&mut self, sheet: &mut Option<Sheet<'_, '_>>, out: &mut Observations) {
        let n = self.n.saturating_add(1);
        if let Some(sheet) = sheet {
            sheet.row(n, &self.cells, out);
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
            Some("date") => attribute(tag, "date-value"),
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
