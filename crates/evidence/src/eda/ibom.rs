//! Interactive bills of materials: the HTML pages that InteractiveHtmlBom makes from a board, with all its data inside.
//!
//! **What it reads.** `config` (which fields there are) and `pcbdata` (rows, fields, title block), plain or compressed with
//! lz-string. Both layouts of rows: `[count, value, footprint, references, extra fields]`, and since version 2.5 lists of
//! references with the fields apart. Footprints that the page leaves out are parts that are not placed.
//!
//! **When it is wrong.** The page does not keep the values of parts that it leaves out.

use std::io;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::Value;
use umbilical_core::bom::Design;
use umbilical_core::{At, Observations};

use super::fields::{Draft, cell};
use super::{begins, lzstring};
use crate::{Context, Head, Reader, Source};

/// The largest page, and the largest board data that may come out of it.
const MAX_PAGE: u64 = 128 << 20;
const MAX_DATA: usize = 256 << 20;

/// See the module.
pub struct IbomReader;

impl Reader for IbomReader {
    fn name(&self) -> &'static str {
        "ibom-html"
    }

    fn about(&self) -> &'static str {
        "interactive HTML bills of materials made from a board (InteractiveHtmlBom)"
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let Some(text) = head.text.as_deref() else { return 0 };
        let marks = ["<title>Interactive BOM for", "var pcbdata ="];
        if begins(head, "<") && marks.iter().any(|mark| text.contains(mark)) { 95 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        out.bom(Design::List);
        let Some(page) = source.all(MAX_PAGE)? else {
            out.problem(At::WHOLE, "a page of more than 128 MiB is not read: export the bill of materials as CSV");
            return Ok(());
        };
        let page = String::from_utf8_lossy(&page);
        let config = variable(&page, "config").and_then(|(_, text)| first_value::<Config>(text).ok()).unwrap_or_default();
        let Some((line, data)) = variable(&page, "pcbdata") else {
            out.problem(At::WHOLE, "this page has no board data in it (`pcbdata`): save it whole, not as the browser shows it");
            return Ok(());
        };
        let board = match packed(data) {
            Some(packed) => match lzstring::decompress(packed.as_bytes(), MAX_DATA) {
                Ok(json) => first_value::<Board>(&json),
                Err(why) => {
                    out.problem(At::line(line), format!("the board data of this page cannot be unpacked: {why}"));
                    return Ok(());
                }
            },
            None => first_value::<Board>(data),
        };
        match board {
            Ok(board) => board.tell(&config, At::line(line), out),
            Err(error) => out.problem(At::line(line), format!("the board data of this page are damaged ({error})")),
        }
        Ok(())
    }
}

/// What is assigned to a variable of the page's script, and the line on which that stands.
fn variable<'p>(page: &'p str, name: &str) -> Option<(u32, &'p str)> {
    let (at, rest) = ["var ", "const ", "let "].iter().find_map(|keyword| {
        let start = format!("{keyword}{name}");
        page.match_indices(&start).find_map(|(at, found)| {
            let rest = page.get(at.checked_add(found.len())?..)?.trim_start().strip_prefix('=')?;
            Some((at, rest.trim_start()))
        })
    })?;
    let lines = page.get(..at)?.bytes().filter(|b| *b == b'\n').count();
    Some((u32::try_from(lines).ok()?.saturating_add(1), rest))
}

/// The base64 text of `JSON.parse(LZString.decompressFromBase64("…"))`.
fn packed(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("JSON.parse(LZString.decompressFromBase64(")?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest.get(1..)?.split(quote).next()
}

/// The JSON value at the beginning of a text; the script goes on behind it.
fn first_value<T: for<'de> Deserialize<'de>>(text: &str) -> serde_json::Result<T> {
    T::deserialize(&mut serde_json::Deserializer::from_str(text))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    fields: Vec<String>,
    extra_fields: Vec<String>,
}

#[derive(Deserialize)]
struct Board {
    #[serde(default)]
    metadata: FxHashMap<String, Value>,
    #[serde(default)]
    footprints: Vec<Footprint>,
    bom: Option<Rows>,
}

#[derive(Deserialize)]
struct Footprint {
    #[serde(default, rename = "ref")]
    reference: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rows {
    both: Vec<Vec<Value>>,
    #[serde(rename = "F")]
    front: Vec<Vec<Value>>,
    #[serde(rename = "B")]
    back: Vec<Vec<Value>>,
    skipped: Vec<u64>,
    /// By the index of the footprint.
    fields: FxHashMap<String, Vec<Value>>,
}

impl Board {
    fn tell(self, config: &Config, at: At, out: &mut Observations) {
        let product = &mut out.bom(Design::List).product;
        let text = |name: &str| self.metadata.get(name).and_then(Value::as_str).and_then(cell);
        product.name = text("title");
        product.version = text("revision");
        product.brand = text("company");
        product.date = text("date");
        let Some(mut rows) = self.bom else {
            out.problem(at, "the board data of this page have no list of parts: what stands on the board is not known");
            return;
        };
        let both = std::mem::take(&mut rows.both);
        let list = if both.is_empty() { rows.front.drain(..).chain(rows.back.drain(..)).collect() } else { both };
        for row in list {
            let draft = if row.first().is_some_and(Value::is_array) { rows.grouped(&row, config, at) } else { counted(&row, config, at) };
            if !draft.part.designators.is_empty() {
                out.part(Design::List, draft.finish());
            }
        }
        for index in rows.skipped {
            let footprint = usize::try_from(index).ok().and_then(|i| self.footprints.get(i));
            let Some(reference) = footprint.and_then(|f| f.reference.as_deref()).and_then(cell) else { continue };
            let mut draft = Draft::new(at);
            draft.part.designators.push(reference);
            draft.leave_out("left out of the list");
            out.part(Design::List, draft.finish());
        }
    }
}

impl Rows {
    /// `[[reference, footprint], …]`, the fields under the index of the footprint.
    fn grouped(&self, row: &[Value], config: &Config, at: At) -> Draft {
        let mut draft = Draft::new(at);
        draft.part.designators = references(row);
        draft.part.quantity = u32::try_from(draft.part.designators.len()).ok();
        let index = row.first().and_then(|pair| pair.get(1)).map(|i| i.to_string());
        let values = index.and_then(|i| self.fields.get(&i)).map(Vec::as_slice).unwrap_or_default();
        for (name, value) in config.fields.iter().zip(values) {
            field(&mut draft, name, value);
        }
        draft
    }
}

/// `[count, value, footprint, [[reference, footprint], …], [extra fields]]`.
fn counted(row: &[Value], config: &Config, at: At) -> Draft {
    let mut draft = Draft::new(at);
    draft.part.quantity = row.first().and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    field(&mut draft, "Value", row.get(1).unwrap_or(&Value::Null));
    field(&mut draft, "Footprint", row.get(2).unwrap_or(&Value::Null));
    draft.part.designators = references(row.get(3).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default());
    for (name, value) in config.extra_fields.iter().zip(row.get(4).and_then(Value::as_array).into_iter().flatten()) {
        field(&mut draft, name, value);
    }
    draft
}

fn references(pairs: &[Value]) -> Vec<Box<str>> {
    let name = |pair: &Value| pair.get(0).unwrap_or(pair).as_str().and_then(cell);
    pairs.iter().take(4096).filter_map(name).collect()
}

fn field(draft: &mut Draft, name: &str, value: &Value) {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return,
    };
    match name {
        "Value" => draft.value(&text),
        "Footprint" => draft.property("footprint", &text),
        _ => draft.field(name, &text),
    }
}
