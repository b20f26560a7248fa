//! Tables as cells, for documents whose columns are known beforehand: replies of suppliers to a questionnaire.
//!
//! Workbooks (XLSX, ODS), delimited text and JSON become the same thing, sheets of rows of text. Nothing is mapped to
//! facts here. What is kept is bounded: rows without text cost nothing, repeated cells are not multiplied, and what goes
//! beyond the bounds is said and left out.

use std::io::{Cursor, Read as _};

use calamine::{Data, DataRef, Reader as _, Xlsx};
use serde_json::Value;
use umbilical_core::answer::suppliers::Sheet;
use umbilical_core::text::short;

use crate::Source;

/// The largest document that is read.
pub const MAX_BYTES: usize = 64 << 20;
const MAX_UNPACKED: u64 = 256 << 20;
const MAX_SHEETS: usize = 64;
const MAX_ROWS: usize = 20_000;
const MAX_COLUMNS: usize = 256;
/// The longest text of a cell, in characters.
const MAX_CELL: usize = 8_000;
/// The most text of one document, and the most cells.
const MAX_TEXT: usize = 64 << 20;
const MAX_CELLS: usize = 1_000_000;

/// What was read of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raw {
    /// `xlsx`, `ods`, `csv`, `tsv`, `json`.
    pub format: &'static str,
    /// The sheets that hold any text.
    pub sheets: Vec<Sheet>,
    /// What was left out: place and reason.
    pub problems: Vec<(String, String)>,
}

/// Reads a document.
///
/// # Errors
/// It is none of the formats, or cannot be opened: why, and what to do.
pub fn sheets(bytes: &[u8]) -> Result<Raw, String> {
    if bytes.len() > MAX_BYTES {
        return Err("this document is larger than 64 MiB: remove pictures and attachments from it".into());
    }
    let mut out = Out::default();
    let format = if bytes.starts_with(b"PK\x03\x04") {
        super::sheet::unpacks_within(bytes, MAX_UNPACKED)?;
        if super::is_ods(bytes) {
            super::ods::read(bytes, &mut out)?;
            "ods"
        } else {
            xlsx(bytes, &mut out)?;
            "xlsx"
        }
    } else if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err("this is a workbook of Excel 97 to 2003, or one with a password: save it as XLSX without a password".into());
    } else {
        let text = text(bytes)?;
        match text.trim_start().chars().next() {
            Some('{' | '[') => {
                json(&text, &mut out)?;
                "json"
            }
            _ => delimited(&text, &mut out),
        }
    };
    Ok(Raw { format, sheets: out.sheets, problems: out.problems })
}

#[derive(Default)]
struct Out {
    sheets: Vec<Sheet>,
    /// Whether the sheet that was begun last is kept.
    reading: bool,
    problems: Vec<(String, String)>,
    text: usize,
    cells: usize,
    /// Whether it has been said that there is more.
    full: bool,
}

impl Out {
    fn open(&mut self, name: &str, unit: String) -> bool {
        if self.sheets.len() >= MAX_SHEETS {
            self.say("file".into(), "more than 64 sheets: the rest is not read");
            self.reading = false;
            return false;
        }
        self.reading = true;
        self.sheets.push(Sheet { name: name.to_owned(), unit, rows: Vec::new() });
        true
    }

    fn keep(&mut self, n: u32, cells: Vec<String>) {
        if cells.iter().all(|c| c.trim().is_empty()) {
            return;
        }
        let size = cells.iter().map(String::len).fold(0usize, usize::saturating_add);
        let Some(sheet) = self.sheets.last_mut() else { return };
        let held = self.cells.saturating_add(cells.len());
        if sheet.rows.len() >= MAX_ROWS || self.text.saturating_add(size) > MAX_TEXT || held > MAX_CELLS {
            let at = sheet.at(n);
            self.say(at, "more rows than a reply can have: the rest is not read");
            return;
        }
        self.text = self.text.saturating_add(size);
        self.cells = held;
        sheet.rows.push((n, cells));
    }

    fn say(&mut self, at: String, what: &str) {
        if !std::mem::replace(&mut self.full, true) {
            self.problems.push((at, what.to_owned()));
        }
    }
}

impl super::ods::Sheets for Out {
    fn begin(&mut self, name: &str) {
        self.open(name, format!("sheet {} row", short(name, 60)));
    }

    fn row(&mut self, n: u32, cells: &[String]) {
        if self.reading {
            let mut row = Vec::new();
            cells.iter().enumerate().for_each(|(column, text)| put(&mut row, column, cell(text)));
            self.keep(n, row);
        }
    }

    fn end(&mut self, n: u32, why: Option<String>) {
        if let Some(why) = why {
            let at = self.sheets.last().map_or_else(|| "file".to_owned(), |s| s.at(n));
            self.problems.push((at, why));
        }
    }
}

/// Text of a cell, trimmed and cut.
fn cell(text: &str) -> String {
    short(text.trim(), MAX_CELL).into_owned()
}

fn put(row: &mut Vec<String>, column: usize, text: String) {
    if column >= MAX_COLUMNS || text.is_empty() {
        return;
    }
    if row.len() <= column {
        row.resize(column.saturating_add(1), String::new());
    }
    if let Some(slot) = row.get_mut(column) {
        *slot = text;
    }
}

fn xlsx(bytes: &[u8], out: &mut Out) -> Result<(), String> {
    let mut book = Xlsx::new(Cursor::new(bytes))
        .map_err(|e| format!("this workbook cannot be opened ({e}): save it as XLSX without a password, or as CSV"))?;
    for name in book.sheet_names() {
        // A chart or dialogue sheet has no cells.
        let Ok(mut cells) = book.worksheet_cells_reader(&name) else { continue };
        if !out.open(&name, format!("sheet {} row", short(&name, 60))) {
            break;
        }
        let mut row: (u32, Vec<String>) = (0, Vec::new());
        loop {
            match cells.next_cell() {
                Ok(Some(found)) => {
                    let (r, c) = found.get_position();
                    let r = r.saturating_add(1);
                    if r != row.0 {
                        out.keep(row.0, std::mem::take(&mut row.1));
                        row.0 = r;
                    }
                    put(&mut row.1, usize::try_from(c).unwrap_or(usize::MAX), plain(found.get_value()));
                }
                Ok(None) => break,
                Err(error) => {
                    let at = out.sheets.last().map_or_else(String::new, |s| s.at(row.0));
                    out.problems.push((at, format!("the sheet breaks off here ({error})")));
                    break;
                }
            }
        }
        out.keep(row.0, row.1);
    }
    Ok(())
}

fn plain(value: &DataRef<'_>) -> String {
    match Data::from(value.clone()) {
        Data::DateTime(when) if when.is_datetime() => {
            let (year, month, day, ..) = when.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        Data::Float(n) => {
            let mut text = String::new();
            super::sheet::write_number(n, &mut text);
            text
        }
        Data::Error(_) | Data::Empty => String::new(),
        other => cell(&other.to_string()),
    }
}

/// Text in whatever encoding a spreadsheet writes.
fn text(bytes: &[u8]) -> Result<String, String> {
    let mut out = String::new();
    let read = Source::new(Box::new(bytes)).and_then(|mut source| {
        if source.head("").text.is_some() {
            source.utf8().read_to_string(&mut out)?;
        }
        Ok(())
    });
    // An empty document is an empty reply.
    let known = !out.is_empty() || bytes.is_empty();
    read.ok().filter(|()| known).map(|()| out).ok_or_else(|| "this is neither a workbook (XLSX, ODS) nor CSV nor JSON".to_owned())
}

/// A CSV file is one sheet; its delimiter is the one that cuts its first lines into the most cells.
fn delimited(text: &str, out: &mut Out) -> &'static str {
    let sample: Vec<&str> = text.lines().take(20).collect();
    let count = |d: u8| sample.iter().map(|l| l.bytes().filter(|b| *b == d).count()).fold(0usize, usize::saturating_add);
    let delimiter = [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|d| count(*d)).unwrap_or(b',');
    out.open("", "row".into());
    let form = super::rows::Form { delimiter: Some(delimiter), end: if text.contains('\n') { b'\n' } else { b'\r' } };
    let mut open = Vec::new();
    let read = super::rows::for_each_row(&mut Cursor::new(text.as_bytes()), form, |met| match met {
        super::rows::Met::Row(n, row) => {
            let cells = (0..row.len().min(MAX_COLUMNS)).map(|i| cell(row.get(i))).collect();
            out.keep(n, cells);
        }
        super::rows::Met::TooLong(n) => open.push((format!("row {n}"), "longer than a megabyte: not read".to_owned())),
        super::rows::Met::OpenQuote(n) => {
            open.push((format!("row {n}"), "a quote is opened here and never closed: save the file again".to_owned()));
        }
    });
    // A cursor cannot fail.
    let _ = read;
    out.problems.append(&mut open);
    if delimiter == b'\t' { "tsv" } else { "csv" }
}

/// A document of our own form, or any other: its lists of objects become sheets, what else it says one more.
fn json(text: &str, out: &mut Out) -> Result<(), String> {
    let document: Value = serde_json::from_str(text).map_err(|e| format!("this JSON breaks off ({e})"))?;
    let mut about: Vec<(u32, Vec<String>)> = Vec::new();
    match &document {
        Value::Array(items) => list("", items, out),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::Array(items) if items.iter().any(Value::is_object) => list(name, items, out),
                    Value::Object(inner) => {
                        for (key, value) in inner {
                            about.push((number(about.len()), vec![format!("{name}_{key}"), scalar(value)]));
                        }
                    }
                    other => about.push((number(about.len()), vec![name.clone(), scalar(other)])),
                }
            }
        }
        _ => return Err("this JSON is no document of questions and answers".into()),
    }
    if out.open("about", "about item".into()) {
        for (n, cells) in about {
            out.keep(n, cells);
        }
    }
    Ok(())
}

fn number(before: usize) -> u32 {
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

fn list(name: &str, items: &[Value], out: &mut Out) {
    let unit = if name.is_empty() { "item".to_owned() } else { format!("{} item", short(name, 60)) };
    if !out.open(name, unit) {
        return;
    }
    let mut heads: Vec<&str> = Vec::new();
    for key in items.iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys) {
        if heads.len() < MAX_COLUMNS && !heads.contains(&key.as_str()) {
            heads.push(key);
        }
    }
    out.keep(0, heads.iter().map(|h| (*h).to_owned()).collect());
    for (before, item) in items.iter().enumerate() {
        let cells = heads.iter().map(|h| item.get(*h).map_or_else(String::new, scalar)).collect();
        out.keep(number(before), cells);
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => cell(text),
        Value::Array(items) => cell(&items.iter().map(scalar).collect::<Vec<_>>().join("; ")),
        other => cell(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_any_form_becomes_rows() {
        let rows = |bytes: &[u8]| sheets(bytes).unwrap().sheets.remove(0).rows;
        assert_eq!(rows(b"a;b\n\n\"c;d\";e\n"), [(1, vec!["a".into(), "b".into()]), (3, vec!["c;d".into(), "e".into()])]);
        let utf16: Vec<u8> = [0xfeffu16].into_iter().chain("a\tb\nc\td\n".encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(rows(&utf16).len(), 2);
        let read = sheets(br#"{"template":{"id":"hbom"},"tiers":["brand","odm"],"questions":[{"id":"HB-01","answer":"x"},{"answer":3}]}"#)
            .unwrap();
        assert_eq!(read.format, "json");
        assert_eq!(read.sheets[0].at(2), "questions item 2");
        assert_eq!(read.sheets[0].rows[2], (2, vec![String::new(), "3".into()]));
        assert_eq!(read.sheets[1].rows[1].1, ["tiers", "brand; odm"]);
    }

    #[test]
    fn what_is_no_table_is_said_to_be_none() {
        assert!(sheets(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1").unwrap_err().contains("save it as XLSX"));
        assert!(sheets(b"\x7fELF\x02\0\0\0").unwrap_err().contains("neither"));
        assert!(sheets(b"PK\x03\x04 broken").unwrap_err().contains("damaged"));
        assert!(sheets(b"{\"a\":").unwrap_err().contains("breaks off"));
        let deep = "[".repeat(100_000);
        assert!(sheets(deep.as_bytes()).is_err());
    }

    #[test]
    fn rows_without_end_are_cut_and_said() {
        let read = sheets("x,y\n".repeat(MAX_ROWS + 10).as_bytes()).unwrap();
        assert_eq!(read.sheets[0].rows.len(), MAX_ROWS);
        assert_eq!(read.problems.len(), 1);
    }

    /// A small ODS with this content.
    fn ods_of(content: &str) -> Vec<u8> {
        use std::io::Write as _;
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file("mimetype", stored).unwrap();
        zip.write_all(b"application/vnd.oasis.opendocument.spreadsheet").unwrap();
        zip.start_file("content.xml", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
        zip.finish().unwrap().into_inner()
    }

    const ODS: &str = r#"<o:d xmlns:o="o" xmlns:table="t" xmlns:text="x"><table:table table:name="A&amp;B"><table:table-row table:number-rows-repeated="4294967295"><table:table-cell table:number-columns-repeated="4294967295"/></table:table-row><table:table-row><table:table-cell/><table:table-cell table:number-columns-repeated="9"><text:p>a&lt;b</text:p><text:p>c</text:p></table:table-cell><table:table-cell o:value-type="date" o:date-value="2026-12-01T00:00:00"><text:p>1.12.</text:p></table:table-cell></table:table-row></table:table></o:d>"#;

    #[test]
    fn repeats_of_opendocument_end_with_the_widest_row() {
        let read = sheets(&ods_of(ODS)).unwrap();
        assert_eq!((read.format, read.sheets[0].name.as_str()), ("ods", "A&B"));
        let (n, cells) = &read.sheets[0].rows[0];
        assert_eq!(
            (*n, cells.len(), cells[1].as_str(), cells[2].as_str(), cells[10].as_str()),
            (u32::MAX, 11, "a<b\nc", "a<b\nc", "2026-12-01")
        );
        // What a document defines for itself is not expanded.
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><t:table xmlns:t=\"t\"><t:table-row><t:table-cell><t:p>x&b;y</t:p></t:table-cell></t:table-row></t:table>";
        assert_eq!(sheets(&ods_of(bomb)).unwrap().sheets[0].rows[0].1, ["xy"]);
    }

    proptest::proptest! {
        #[test]
        fn broken_bytes_break_nothing(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), at in 0usize..600, with in proptest::prelude::any::<u8>()) {
            let _ = sheets(&bytes);
            let mut content = ODS.as_bytes().to_vec();
            if let Some(byte) = content.get_mut(at) {
                *byte = with;
            }
            let _ = sheets(&ods_of(&String::from_utf8_lossy(&content)));
            let mut text = b"#id;#answer\nHB-13;\"x\n".to_vec();
            text.extend(&bytes);
            let _ = sheets(&text);
        }
    }
}
