//! JSON: the answers of SIM platforms, router clouds and device management, as one document, as lines, or quoted in
//! Markdown.
//!
//! **What it reads.** An array of objects, wherever it stands (`{"data": […]}`, `{"response": {"body": […]}}`), an
//! object per device under its id, or one object alone. Nested objects become dotted columns (`sim.iccid`); lists of
//! `{id, kind}` and `{key, value}` become columns named by kind or key (`deviceIds.imei`); several objects in a list
//! (the modems of a router) become parts of the thing. The columns are then read as those of any
//! [table](crate::table).
//!
//! **How it stays small.** Arrays of more than 256 elements are read one element at a time; whatever else there is must
//! fit in 64 MiB.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use rustc_hash::FxHashMap;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use umbilical_core::{At, Observations};

use crate::source::for_each_line;
use crate::table::{Mapper, Mapping, header_row};
use crate::{Context, Head, Reader, Source};

/// Elements that are looked at before columns are decided, and the length from which an array is streamed.
const SAMPLE: usize = 256;
/// The largest part of a document that is held at once.
const MAX_HELD: u64 = 64 << 20;
/// The most columns that objects may make.
const MAX_COLUMNS: usize = 2000;
/// The longest value that is kept.
const MAX_VALUE: usize = 4096;

/// The reader of JSON documents and JSON lines.
pub struct JsonReader;

impl Reader for JsonReader {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "JSON documents and JSON lines: what SIM platforms, router clouds and device management answer."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let Some(text) = head.text.as_deref() else { return 0 };
        let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        let first = text.chars().next();
        let second = text.get(1..).unwrap_or_default().trim_start().chars().next();
        let shaped = match (first, second) {
            (Some('{'), Some('"' | '}')) => true,
            (Some('['), Some('{' | '[' | '"' | ']')) => true,
            (Some('['), Some(c)) => c.is_ascii_digit() && text.trim_end().ends_with(']'),
            _ => false,
        };
        if !shaped {
            return 0;
        }
        // What one tool prints about one modem is read where that tool's other forms are read.
        let tools = [r#""modem":{"#, r#""fwupd"#, r#""DeviceId""#];
        let squeezed: String = text.chars().take(4096).filter(|c| !c.is_whitespace()).collect();
        if tools.iter().any(|t| squeezed.contains(t))
            && (squeezed.contains(r#""3gpp""#) || squeezed.contains(r#""InstanceIds""#) || squeezed.contains(r#""Guid""#))
        {
            return 5;
        }
        80
    }

    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let lines = source.head("").text.as_deref().is_some_and(is_lines);
        if lines {
            if let Some(input) = out.inputs.last_mut() {
                input.format = "jsonl".into();
            }
            return read_lines(source, cx, out);
        }
        document(source.utf8(), 0, cx, out);
        Ok(())
    }
}

/// The reader of Markdown with lists of parts in tables, or with JSON in it, as the documentation of an interface quotes
/// answers.
pub struct MarkdownReader;

impl Reader for MarkdownReader {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn about(&self) -> &'static str {
        "Markdown with lists of parts in tables or with fenced JSON: tables of parts are bills of materials, blocks are read as documents, the rest as text."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let fenced = head.whole && head.text.as_deref().is_some_and(|t| t.lines().any(|l| l.trim().eq_ignore_ascii_case("```json")));
        // Text that is not whole may end inside a table, which does not matter.
        let tables = head.text.as_deref().map_or(0, crate::table::bom::markdown::sniff);
        tables.max(if fenced { 12 } else { 0 })
    }

    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let mut rest = String::new();
        let mut blocks: Vec<(u32, String)> = Vec::new();
        let mut inside = false;
        for_each_line(&mut *source.utf8(), |line| {
            let fence = line.text.trim();
            if inside && fence == "```" {
                inside = false;
            } else if inside && let Some((_, block)) = blocks.last_mut() {
                block.push_str(&line.text);
                block.push('\n');
            } else if fence.eq_ignore_ascii_case("```json") {
                inside = true;
                blocks.push((line.n, String::new()));
            } else {
                rest.push_str(&line.text);
            }
            // Line by line as it was, so that places stay right.
            rest.push('\n');
        })?;
        let rest = crate::table::bom::markdown::read(rest, cx, out);
        crate::text::TextReader.read(&mut Source::new(Box::new(io::Cursor::new(rest.into_bytes())))?, cx, out)?;
        if let Some(input) = out.inputs.last_mut() {
            input.format = if input.format == "markdown" { "markdown".into() } else { format!("markdown+{}", input.format) };
        }
        for (line, block) in blocks {
            // An example that is cut short or says nothing of a device is no problem of the document.
            if parsed(&block).is_ok_and(|v| is_about_devices(&[v], cx)) {
                document(block.as_bytes(), line, cx, out);
            }
        }
        Ok(())
    }
}

/// Whether each line is a document of its own: the first is whole and something follows it, or several are.
fn is_lines(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).take(20).collect();
    let whole = |l: &&str| l.starts_with('{') && l.ends_with('}') && parsed(l).is_ok();
    let count = lines.iter().filter(|l| whole(l)).count();
    lines.len() >= 2 && (lines.first().is_some_and(whole) || count >= 2)
}

fn read_lines(source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
    let mut items = Items::new(0, cx);
    for_each_line(&mut *source.utf8(), |line| {
        let at = At::line(line.n);
        if line.text.trim().is_empty() {
            return;
        }
        if line.cut {
            out.problem(at, "this line is longer than 1 MiB: it is skipped");
            return;
        }
        match parsed(&line.text) {
            Ok(value) => items.push(at, value, out),
            Err(error) => out.problem(at, format!("not JSON: {}", said(&error))),
        }
    })?;
    items.finish(out);
    Ok(())
}

/// A document held as text.
fn parsed(text: &str) -> Result<Value, serde_json::Error> {
    parsed_bytes(text.as_bytes())
}

/// The same, not yet known to be text.
pub(crate) fn parsed_bytes(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    // Text that is known to be text is not looked at again, string by string.
    let value = std::str::from_utf8(bytes).map_or_else(|_| serde_json::from_slice(bytes), serde_json::from_str);
    value.or_else(|_| {
        let mut bytes = bytes.to_vec();
        let kept = Bounds::default().keep(&mut bytes);
        serde_json::from_slice(bytes.get(..kept).unwrap_or_default())
    })
}

/// What the parser says, without the place, which is given beside it.
fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// Reads one document; `line` is where it begins in the input, less one.
pub(crate) fn document(reader: impl BufRead, line: u32, cx: &Context<'_>, out: &mut Observations) {
    let held = Rc::new(Cell::new(0u64));
    let mut shared = Shared { cx, out, found: false, held: Rc::clone(&held) };
    let mut json = serde_json::Deserializer::from_reader(io::BufReader::with_capacity(
        1 << 16,
        Budget { inner: reader, held, bounds: Bounds::default() },
    ));
    let outcome = Part { shared: &mut shared, depth: 0 }.deserialize(&mut json);
    match outcome {
        Ok(rest) => {
            walk(&rest, 0, &mut shared);
            if !shared.found {
                shared.unknown(&rest);
            }
            if json.end().is_err() {
                shared.out.problem(At::WHOLE, "something stands behind the end of the JSON document: it is not read");
            }
        }
        Err(error) => {
            let at = u32::try_from(error.line()).unwrap_or(0).saturating_add(line);
            let what = if error.is_eof() { "the document breaks off here".to_owned() } else { said(&error) };
            shared
                .out
                .problem(At::line(at), format!("{what} (column {}): what stands before is read where it stands in a list", error.column()));
        }
    }
}

/// Calls `each` for every element of the array that stands under `key` in the object that a document is, one at a time; no
/// element may be longer than 64 MiB.
///
/// # Errors
/// Where the text is no JSON, in words.
pub(crate) fn each_of(reader: impl BufRead, key: &'static str, each: &mut dyn FnMut(Value)) -> Result<(), String> {
    let held = Rc::new(Cell::new(0u64));
    let budget = Budget { inner: reader, held: Rc::clone(&held), bounds: Bounds::default() };
    let mut json = serde_json::Deserializer::from_reader(io::BufReader::with_capacity(1 << 16, budget));
    json.deserialize_map(Under { key, each, held }).map_err(|error| error.to_string())
}

struct Under<'e> {
    key: &'static str,
    each: &'e mut dyn FnMut(Value),
    held: Rc<Cell<u64>>,
}

impl<'de> Visitor<'de> for Under<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == self.key {
                map.next_value_seed(EachOf(&mut self))?;
            } else {
                map.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct EachOf<'a, 'e>(&'a mut Under<'e>);

impl<'de> DeserializeSeed<'de> for EachOf<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for EachOf<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<(), S::Error> {
        while let Some(element) = seq.next_element::<Value>()? {
            self.0.held.set(0);
            (self.0.each)(element);
        }
        Ok(())
    }
}

/// Counts what has been read since the last element of a streamed list.
struct Budget<R> {
    inner: R,
    held: Rc<Cell<u64>>,
    bounds: Bounds,
}

impl<R: Read> Read for Budget<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.held.get() > MAX_HELD {
            return Err(io::Error::other("more than 64 MiB without a list of devices: export as CSV or JSON lines"));
        }
        loop {
            let n = self.inner.read(buf)?;
            self.held.set(self.held.get().saturating_add(n as u64));
            let kept = buf.get_mut(..n).map_or(0, |read| self.bounds.keep(read));
            // Nothing kept would be the end.
            if n == 0 || kept > 0 {
                return Ok(kept);
            }
        }
    }
}

/// Takes digits off numbers that no machine number can hold (`1e400`), for which the parser would give up the whole
/// document. No such number identifies anything; what is left of it is as useless, and is reported where it stands.
#[derive(Default)]
struct Bounds {
    state: Place,
    /// Digits that count, in the part of the number that is being read.
    digits: u16,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Outside,
    Text,
    Escape,
    Whole,
    Fraction,
    Power,
}

impl Bounds {
    /// The most digits before the point, and in the power of ten: together below 10^308.
    const WHOLE: u16 = 200;
    const POWER: u16 = 2;

    /// Moves what is kept to the front; how many bytes that are.
    fn keep(&mut self, bytes: &mut [u8]) -> usize {
        let mut kept = 0usize;
        for i in 0..bytes.len() {
            let Some(byte) = bytes.get(i).copied() else { break };
            if self.keeps(byte) {
                if let Some(slot) = bytes.get_mut(kept).filter(|_| kept != i) {
                    *slot = byte;
                }
                kept = kept.saturating_add(1);
            }
        }
        kept
    }

    fn keeps(&mut self, byte: u8) -> bool {
        let most = match (self.state, byte) {
            (Place::Text, b'"') => return self.turn(Place::Outside),
            (Place::Text, b'\\') => return self.turn(Place::Escape),
            (Place::Text, _) => return true,
            (Place::Escape, _) => return self.turn(Place::Text),
            (_, b'"') => return self.turn(Place::Text),
            (Place::Outside, b'0'..=b'9') => {
                self.turn(Place::Whole);
                Self::WHOLE
            }
            (Place::Whole, b'0'..=b'9') => Self::WHOLE,
            (Place::Fraction, b'0'..=b'9') => return true,
            (Place::Power, b'0'..=b'9') => Self::POWER,
            (Place::Whole, b'.') => return self.turn(Place::Fraction),
            (Place::Whole | Place::Fraction, b'e' | b'E') => return self.turn(Place::Power),
            (Place::Power, b'+' | b'-') => return true,
            _ => return self.turn(Place::Outside),
        };
        // Zeros in front do not count, but a number may be one zero.
        self.digits = self.digits.saturating_add(u16::from(self.digits > 0 || byte != b'0'));
        self.digits <= most
    }

    fn turn(&mut self, state: Place) -> bool {
        self.state = state;
        self.digits = 0;
        true
    }
}

struct Shared<'a, 'k> {
    cx: &'a Context<'k>,
    out: &'a mut Observations,
    /// Whether anything has been read as a device.
    found: bool,
    held: Rc<Cell<u64>>,
}

impl Shared<'_, '_> {
    fn unknown(&mut self, rest: &Value) {
        let (names, _) = flatten(rest);
        let seen: Vec<&str> = names.iter().map(|(n, _)| n.as_str()).take(20).collect();
        let what = if seen.is_empty() { "nothing in it".to_owned() } else { seen.join(", ") };
        self.out.problem(At::WHOLE, format!("no device is recognised in this JSON; it has {what}: {}", Mapping::advice("member")));
    }
}

/// Reads a value whole, except that a long list is handed on element by element.
struct Part<'s, 'a, 'k> {
    shared: &'s mut Shared<'a, 'k>,
    depth: u32,
}

impl<'de> DeserializeSeed<'de> for Part<'_, '_, '_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_, '_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut out = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Part { shared: self.shared, depth: self.depth.saturating_add(1) })?;
            out.insert(key, value);
        }
        Ok(Value::Object(out))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut first: Vec<Value> = Vec::new();
        while first.len() < SAMPLE {
            match seq.next_element()? {
                Some(value) => first.push(value),
                None => return Ok(Value::Array(first)),
            }
        }
        if self.depth > 4 || !first.iter().all(|v| v.is_object() || v.is_array()) {
            while let Some(value) = seq.next_element()? {
                first.push(value);
            }
            return Ok(Value::Array(first));
        }
        let unit = self.shared.out.unit("item");
        let mut items = Items::new(unit, self.shared.cx);
        let mut n = 0u32;
        for value in first {
            n = n.saturating_add(1);
            items.push(At { unit, n }, value, self.shared.out);
        }
        loop {
            self.shared.held.set(0);
            match seq.next_element::<Value>() {
                Ok(Some(value)) => {
                    n = n.saturating_add(1);
                    items.push(At { unit, n }, value, self.shared.out);
                }
                Ok(None) => break,
                Err(error) => {
                    items.finish(self.shared.out);
                    return Err(error);
                }
            }
        }
        items.finish(self.shared.out);
        self.shared.found = true;
        Ok(Value::Null)
    }
}

/// Finds the devices in what was small enough to hold.
fn walk(value: &Value, depth: u32, shared: &mut Shared<'_, '_>) {
    if depth > 64 {
        return;
    }
    match value {
        Value::Array(list) if !list.is_empty() => {
            let objects = list.iter().filter(|v| v.is_object()).count();
            let scalars = list.iter().all(|v| matches!(v, Value::String(_) | Value::Number(_)));
            let rows = list.len() >= 2 && list.iter().all(Value::is_array);
            if rows
                || (scalars && depth == 0)
                || (objects > 0 && objects.saturating_mul(2) >= list.len() && is_about_devices(list, shared.cx))
            {
                let unit = shared.out.unit("item");
                let mut items = Items::new(unit, shared.cx);
                for (i, value) in list.iter().enumerate() {
                    let n = u32::try_from(i).unwrap_or(u32::MAX).saturating_add(1);
                    let value = if scalars { Value::Object(Map::from_iter([("value".to_owned(), value.clone())])) } else { value.clone() };
                    items.push(At { unit, n }, value, shared.out);
                }
                shared.found |= items.finish(shared.out);
            } else {
                for value in list {
                    walk(value, depth.saturating_add(1), shared);
                }
            }
        }
        Value::Object(map) if !map.is_empty() => {
            if is_map_of_devices(map, shared.cx) {
                let unit = shared.out.unit("item");
                let mut items = Items::new(unit, shared.cx);
                for (i, (key, value)) in map.iter().enumerate() {
                    let mut value = value.clone();
                    if let Value::Object(members) = &mut value {
                        members.entry("device id").or_insert_with(|| Value::String(key.clone()));
                    }
                    items.push(At { unit, n: u32::try_from(i).unwrap_or(u32::MAX).saturating_add(1) }, value, shared.out);
                }
                shared.found |= items.finish(shared.out);
                return;
            }
            let has_list = map.values().any(|v| holds_devices(v, shared.cx, 0));
            if !has_list && is_about_devices(&[without_lists(value)], shared.cx) {
                let unit = shared.out.unit("item");
                let mut items = Items::new(unit, shared.cx);
                items.push(At { unit, n: 1 }, value.clone(), shared.out);
                shared.found |= items.finish(shared.out);
                return;
            }
            for value in map.values() {
                walk(value, depth.saturating_add(1), shared);
            }
        }
        _ => {}
    }
}

/// `mdm-41949674`, `490154203237518`, `0`: the key of a map of devices rather than the name of a member.
fn is_key(key: &str) -> bool {
    key.bytes().filter(u8::is_ascii_digit).count() >= 3 || key.parse::<u32>().is_ok()
}

/// One object per device, under its id: all members are objects, alike in their own members or under names with digits.
fn is_map_of_devices(map: &Map<String, Value>, cx: &Context<'_>) -> bool {
    let keys = |v: &Value| v.as_object().map(|m| m.keys().cloned().collect::<BTreeSet<_>>());
    let members: Option<Vec<BTreeSet<String>>> = map.values().map(keys).collect();
    let Some(members) = members else { return false };
    let Some((first, others)) = members.split_first() else { return false };
    let shares = |least: usize, half: bool| {
        others.iter().all(|o| {
            let shared = first.intersection(o).count();
            shared >= least && (!half || shared.saturating_mul(2) >= first.union(o).count())
        })
    };
    let named = map.keys().all(|k| is_key(k)) || (map.keys().any(|k| is_key(k)) && shares(1, false));
    if !(named || (!others.is_empty() && shares(2, true))) {
        return false;
    }
    is_about_devices(&map.values().cloned().collect::<Vec<_>>(), cx)
}

/// Whether objects, read as rows of a table, have a column that identifies a device or its module.
fn is_about_devices(objects: &[Value], cx: &Context<'_>) -> bool {
    let mut names = Names::default();
    let rows: Vec<Vec<String>> = objects.iter().take(SAMPLE).map(|o| names.row(flatten(o).0)).collect();
    Mapper::new(&names.list, &rows, cx).is_about_devices()
}

/// Whether something inside is a fleet: a long list, or a map of devices.
fn holds_devices(value: &Value, cx: &Context<'_>, depth: u32) -> bool {
    match value {
        _ if depth > 8 => false,
        // The modems of a router and the cards of a device are lists too, but short ones.
        Value::Array(list) => list.len() > 8 && list.iter().all(|v| v.is_object() && pair(v).is_none()) && is_about_devices(list, cx),
        Value::Object(map) => is_map_of_devices(map, cx) || map.values().any(|v| holds_devices(v, cx, depth.saturating_add(1))),
        _ => false,
    }
}

/// An object without the lists of objects in it: what it says of itself.
fn without_lists(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let own = map.iter().filter(|(_, v)| !v.as_array().is_some_and(|l| l.iter().any(|v| v.is_object() && pair(v).is_none())));
            Value::Object(own.map(|(k, v)| (k.clone(), without_lists(v))).collect())
        }
        other => other.clone(),
    }
}

/// `{id, kind}`, `{key, value}`, `{name, value}`: a member written as an object.
fn pair(value: &Value) -> Option<(String, String)> {
    let map = value.as_object().filter(|m| m.len() <= 4)?;
    let text = |name: &str| map.get(name).and_then(scalar);
    if let (Some(kind), Some(id)) = (text("kind"), text("id")) {
        return Some((kind, id));
    }
    let value = text("value").or_else(|| map.contains_key("value").then(String::new))?;
    Some((text("key").or_else(|| text("name")).or_else(|| text("kind"))?, value))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.chars().take(MAX_VALUE).collect()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

type Cells = Vec<(String, String)>;

/// The members of an object as dotted columns, and the lists of objects inside it.
fn flatten(value: &Value) -> (Cells, Vec<(String, Vec<&Value>)>) {
    let (mut cells, mut lists) = (Vec::new(), Vec::new());
    flatten_into(value, "", 0, &mut cells, &mut lists);
    (cells, lists)
}

fn flatten_into<'v>(value: &'v Value, path: &str, depth: u32, cells: &mut Cells, lists: &mut Vec<(String, Vec<&'v Value>)>) {
    if depth > 32 || cells.len() >= MAX_COLUMNS {
        return;
    }
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                flatten_into(value, &join(key), depth.saturating_add(1), cells, lists);
            }
        }
        Value::Array(list) => {
            if !list.is_empty() && list.iter().all(|v| pair(v).is_some()) {
                cells.extend(list.iter().filter_map(pair).map(|(key, value)| (join(&key), value)));
            } else if list.iter().any(Value::is_object) {
                match list.as_slice() {
                    [only] => flatten_into(only, path, depth.saturating_add(1), cells, lists),
                    _ => lists.push((path.to_owned(), list.iter().filter(|v| v.is_object()).collect())),
                }
            } else {
                let text: Vec<String> = list.iter().filter_map(scalar).take(64).collect();
                cells.push((path.to_owned(), text.join("; ")));
            }
        }
        other => cells.push((path.to_owned(), scalar(other).unwrap_or_default())),
    }
}

/// Column names in order of first sight.
#[derive(Default)]
struct Names {
    list: Vec<String>,
    index: FxHashMap<String, usize>,
}

impl Names {
    fn of(&mut self, name: String) -> Option<usize> {
        if let Some(found) = self.index.get(&name) {
            return Some(*found);
        }
        if self.list.len() >= MAX_COLUMNS {
            return None;
        }
        let new = self.list.len();
        self.list.push(name.clone());
        self.index.insert(name, new);
        Some(new)
    }

    fn row(&mut self, cells: Cells) -> Vec<String> {
        let mut row = vec![String::new(); self.list.len()];
        for (name, value) in cells {
            if let Some(i) = self.of(name) {
                if row.len() <= i {
                    row.resize(i.saturating_add(1), String::new());
                }
                if let Some(slot) = row.get_mut(i).filter(|s| s.is_empty()) {
                    *slot = value;
                }
            }
        }
        row
    }
}

/// A list of things being read.
struct Items<'a, 'k> {
    cx: &'a Context<'k>,
    unit: u16,
    names: Names,
    mapper: Option<Mapper<'k>>,
    waiting: Vec<(At, Value)>,
    /// For the lists inside the things: their columns, by path.
    inner: FxHashMap<String, (Names, Mapper<'k>)>,
    useful: bool,
}

impl<'a, 'k> Items<'a, 'k> {
    fn new(unit: u16, cx: &'a Context<'k>) -> Self {
        Self { cx, unit, names: Names::default(), mapper: None, waiting: Vec::new(), inner: FxHashMap::default(), useful: false }
    }

    fn push(&mut self, at: At, value: Value, out: &mut Observations) {
        if self.mapper.is_none() {
            self.waiting.push((at, value));
            if self.waiting.len() >= SAMPLE {
                self.decide(out);
            }
        } else {
            self.one(at, &value, out);
        }
    }

    fn decide(&mut self, out: &mut Observations) {
        let mut waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return;
        }
        // A list of lists is a table with its header in front.
        if waiting.iter().all(|(_, v)| v.is_array()) {
            let rows: Vec<Vec<String>> = waiting.iter().take(SAMPLE).map(|(_, v)| array_cells(v)).collect();
            if let Some(at) = header_row(&rows, self.cx.mapping) {
                for name in rows.get(at).into_iter().flatten() {
                    let mut name = name.clone();
                    while self.names.index.contains_key(&name) {
                        name.push('\'');
                    }
                    self.names.of(name);
                }
                waiting.drain(..at.saturating_add(1).min(waiting.len()));
            }
        }
        let rows: Vec<Vec<String>> = waiting.iter().map(|(_, v)| self.cells(v)).collect();
        let mapper = Mapper::new(&self.names.list, &rows, self.cx);
        mapper.announce(At { unit: self.unit, n: 0 }, out);
        self.useful = !mapper.is_empty();
        self.mapper = Some(mapper);
        for (at, value) in waiting {
            self.one(at, &value, out);
        }
    }

    fn cells(&mut self, value: &Value) -> Vec<String> {
        match value {
            Value::Array(_) => {
                let cells = array_cells(value)
                    .into_iter()
                    .enumerate()
                    .map(|(i, cell)| (self.names.list.get(i).cloned().unwrap_or_else(|| format!("column {}", i.saturating_add(1))), cell))
                    .collect();
                self.names.row(cells)
            }
            _ => self.names.row(flatten(value).0),
        }
    }

    fn one(&mut self, at: At, value: &Value, out: &mut Observations) {
        if !value.is_object() && !value.is_array() {
            out.problem(at, "not an object: skipped");
            return;
        }
        let (row, lists) = match value {
            Value::Array(_) => (self.cells(value), Vec::new()),
            _ => {
                let (cells, lists) = flatten(value);
                (self.names.row(cells), lists)
            }
        };
        let Some(mapper) = &mut self.mapper else { return };
        for (i, name) in self.names.list.iter().enumerate().skip(mapper.width()) {
            mapper.add(i, name, self.cx.mapping);
        }
        let mut record = out.record(at);
        mapper.fill(&mut record, at, |i| row.get(i).map_or("", String::as_str));
        for (path, list) in lists {
            let (names, inner) = self.inner.entry(path.clone()).or_insert_with(|| {
                let mut names = Names::default();
                let rows: Vec<Vec<String>> =
                    list.iter().map(|v| names.row(flatten(v).0.into_iter().map(|(n, v)| (format!("{path}.{n}"), v)).collect())).collect();
                let inner = Mapper::new(&names.list, &rows, self.cx).within(mapper);
                (names, inner)
            });
            if !inner.is_about_devices() {
                continue;
            }
            for value in list.iter().take(64) {
                let row = names.row(flatten(value).0.into_iter().map(|(n, v)| (format!("{path}.{n}"), v)).collect());
                record.next_part();
                inner.fill(&mut record, at, |i| row.get(i).map_or("", String::as_str));
            }
        }
    }

    /// Ends the list; whether anything in it was known.
    fn finish(mut self, out: &mut Observations) -> bool {
        if self.mapper.is_none() {
            self.decide(out);
        }
        if let Some(mapper) = &self.mapper {
            mapper.finish(out);
            let mut paths: Vec<(&String, &(Names, Mapper<'_>))> = self.inner.iter().filter(|(_, (_, m))| m.is_about_devices()).collect();
            paths.sort_by_key(|p| p.0);
            for (_, (_, inner)) in paths {
                inner.announce(At { unit: self.unit, n: 0 }, out);
                inner.finish(out);
            }
        }
        // Nothing known was said when the columns were decided: that is an answer too.
        self.useful || self.mapper.is_some()
    }
}

fn array_cells(value: &Value) -> Vec<String> {
    value.as_array().map(|a| a.iter().take(MAX_COLUMNS).map(|v| scalar(v).unwrap_or_default()).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_all_bounds() {
        let long = "9".repeat(400);
        for (text, expected) in [
            (r#"{"a":1e400,"b":-2.5E+0012}"#.to_owned(), r#"{"a":1e40,"b":-2.5E+0012}"#.to_owned()),
            (r#"["1e400","\\",1E9999,"\"1e400"]"#.to_owned(), r#"["1e400","\\",1E99,"\"1e400"]"#.to_owned()),
            (format!("[{long}.5e999,true,0,352753090041680]"), format!("[{}.5e99,true,0,352753090041680]", &long[..200])),
        ] {
            for step in [1, 3, 1000] {
                let (mut bounds, mut kept) = (Bounds::default(), Vec::new());
                for chunk in text.as_bytes().chunks(step) {
                    let mut chunk = chunk.to_vec();
                    let n = bounds.keep(&mut chunk);
                    kept.extend_from_slice(&chunk[..n]);
                }
                assert_eq!(String::from_utf8(kept).unwrap(), expected);
            }
            assert!(serde_json::from_str::<Value>(&expected).is_ok());
        }
    }
}
