//! OpenDocument: cells and rows that are repeated by a number stand here once, empty ones move the column only.

use std::io::{BufReader, Cursor};

use quick_xml::events::{BytesStart, Event};
use umbilical_core::text::short;

use super::{MAX_CELL, Out, cell, put};

/// Reads every sheet.
pub(super) fn read(bytes: &[u8], out: &mut Out) -> Result<(), String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| format!("this workbook is damaged ({e}): save it again"))?;
    let content =
        archive.by_name("content.xml").map_err(|e| format!("this workbook has no readable content ({e}): save it without a password"))?;
    let mut xml = quick_xml::Reader::from_reader(BufReader::new(content));
    let mut buffer = Vec::new();
    let (mut n, mut row_repeat, mut column, mut cell_repeat) = (0u32, 1u32, 0usize, 1usize);
    let (mut row, mut text, mut value): (Vec<String>, String, Option<String>) = (Vec::new(), String::new(), None);
    let (mut inside, mut aside, mut reading) = (false, 0u32, true);
    loop {
        buffer.clear();
        let event = match xml.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(error) => {
                let at = out.sheets.last().map_or_else(|| "file".to_owned(), |s| s.at(n));
                out.problems.push((at, format!("the workbook breaks off here ({error})")));
                break;
            }
        };
        let (tag, opens, closes) = match &event {
            Event::Start(tag) => (Some(tag.local_name().as_ref().to_owned()), true, false),
            Event::Empty(tag) => (Some(tag.local_name().as_ref().to_owned()), true, true),
            Event::End(tag) => (Some(tag.local_name().as_ref().to_owned()), false, true),
            _ => (None, false, false),
        };
        match (tag.as_deref(), &event) {
            (Some("table"), Event::Start(tag)) => {
                let name = attribute(tag, "name").unwrap_or_default();
                reading = out.begin(&name, format!("sheet {} row", short(&name, 60)));
                n = 0;
            }
            (Some("table-row"), event) => {
                if let (true, Event::Start(tag) | Event::Empty(tag)) = (opens, event) {
                    row_repeat = attribute(tag, "number-rows-repeated").and_then(|r| r.parse().ok()).unwrap_or(1).max(1);
                    column = 0;
                    row.clear();
                }
                if closes {
                    if reading {
                        out.row(n.saturating_add(1), std::mem::take(&mut row));
                    }
                    n = n.saturating_add(row_repeat);
                }
            }
            (Some("table-cell" | "covered-table-cell"), event) => {
                if let (true, Event::Start(tag) | Event::Empty(tag)) = (opens, event) {
                    cell_repeat = attribute(tag, "number-columns-repeated").and_then(|r| r.parse().ok()).unwrap_or(1).max(1);
                    value = attribute(tag, "date-value").map(|d| d.get(..10).unwrap_or(&d).to_owned());
                    text.clear();
                    inside = true;
                }
                if closes {
                    put(&mut row, column, cell(value.take().as_deref().unwrap_or(&text)));
                    column = column.saturating_add(cell_repeat);
                    inside = false;
                }
            }
            (Some("annotation"), _) if opens && !closes => aside = aside.saturating_add(1),
            (Some("annotation"), _) if closes => aside = aside.saturating_sub(1),
            (Some("p"), Event::Start(_)) if inside && aside == 0 && !text.is_empty() => text.push(' '),
            (Some("s" | "tab" | "line-break"), _) if opens && inside => text.push(' '),
            (None, Event::Text(part)) if inside && aside == 0 && text.len() < 4 * MAX_CELL => text.push_str(&part.xml10_content()),
            (None, Event::GeneralRef(entity)) if inside && aside == 0 => text.extend(character(entity)),
            (None, Event::Eof) => break,
            _ => {}
        }
    }
    Ok(())
}

/// The five entities of XML and character numbers; what a document defines for itself is not expanded.
fn character(entity: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    match (&*entity.xml10_content(), entity.resolve_char_ref()) {
        (_, Ok(Some(c))) => Some(c),
        ("lt", _) => Some('<'),
        ("gt", _) => Some('>'),
        ("amp", _) => Some('&'),
        ("quot", _) => Some('"'),
        ("apos", _) => Some('\''),
        _ => None,
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.attributes().flatten().find(|a| a.key.local_name().as_ref() == name)?;
    let text = found.value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    Some(text.replace("&amp;", "&"))
}
