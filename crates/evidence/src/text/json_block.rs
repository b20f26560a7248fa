//! JSON in the middle of a text: the answer of `ubus call gsm.modem0 info`, `ubus call system board`, QModem's
//! `modem_info`, 3ginfo, a router's web interface asked with `curl`. Documents that are JSON as a whole are read as
//! tables.
//!
//! **What it reads.** An object that carries an IMEI, or is called modem (`mdm-1234`, `modem0`, `cellular1`) and carries a
//! maker or model, is a modem, and so is what stands inside it. Lists of `{"key": …, "value": …}` are read as one object.
//! Outside of modems only names that say "modem" count, and those of the box (`hostname`, `board_name`, and beside them
//! `model`).
//!
//! **When it is wrong.** Text that only looks like the beginning of JSON is given back line by line to nobody: so at most
//! [`LINES`] lines are held, and a block that does not parse is read as named values by the label dialect.

use serde_json::{Map, Value};
use umbilical_core::Kind;

use super::label::Label;
use super::pairs::{Voice, What, host_meaning, host_serial, imei_like, meaning, nothing, say, squash};
use super::{Dialect, Host, Line, Part};

const LINES: usize = 4000;
const BYTES: usize = 1 << 20;
const DEPTH: u32 = 24;

/// See the module's documentation.
#[derive(Default)]
pub(super) struct JsonBlock {
    held: String,
    lines: Vec<(u32, String)>,
    depth: i32,
    quoted: bool,
    rest: Label,
    fwupd: super::fwupd::Fwupd,
}

impl Dialect for JsonBlock {
    fn name(&self) -> &'static str {
        "json"
    }

    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool {
        let text = line.text.trim();
        if self.lines.is_empty() && !begins(text) {
            return false;
        }
        self.lines.push((line.n, text.to_owned()));
        self.held.push_str(text);
        self.held.push('\n');
        self.count(text);
        if self.depth <= 0 || self.lines.len() >= LINES || self.held.len() >= BYTES {
            self.close(host);
        }
        true
    }

    fn end(&mut self, host: &mut Host<'_, '_>) {
        self.close(host);
        self.fwupd.end(host);
        self.rest.end(host);
    }
}

/// Whether a line begins an object or list and nothing else that is common: `{`, `[`, `{"a": …`, `[{`.
fn begins(text: &str) -> bool {
    let mut chars = text.chars().filter(|c| !c.is_whitespace());
    matches!((chars.next(), chars.next()), (Some('{'), None | Some('"' | '}')) | (Some('['), None | Some('{')))
}

impl JsonBlock {
    fn count(&mut self, text: &str) {
        let mut escaped = false;
        for c in text.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' if self.quoted => escaped = true,
                '"' => self.quoted = !self.quoted,
                '{' | '[' if !self.quoted => self.depth = self.depth.saturating_add(1),
                '}' | ']' if !self.quoted => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        // No string of JSON goes over a line end.
        self.quoted = false;
    }

    fn close(&mut self, host: &mut Host<'_, '_>) {
        let lines = std::mem::take(&mut self.lines);
        let held = std::mem::take(&mut self.held);
        self.depth = 0;
        let Some((n, _)) = lines.first() else { return };
        match serde_json::Deserializer::from_str(&held).into_iter::<Value>().next() {
            Some(Ok(value)) if super::mmcli::json(&value, *n, host) || super::fwupd::json(&value, *n, host) => {}
            Some(Ok(value)) => walk(&value, "", None, *n, 0, host),
            _ => {
                for (n, text) in &lines {
                    let line = Line { n: *n, raw: text, text, shell: false };
                    if !self.fwupd.line(line, host) {
                        self.rest.line(line, host);
                    }
                }
            }
        }
    }
}

/// A scalar as text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.trim().to_owned()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

fn walk(value: &Value, name: &str, modem: Option<Part>, n: u32, depth: u32, host: &mut Host<'_, '_>) {
    if depth > DEPTH {
        return;
    }
    match value {
        Value::Array(items) => {
            if let Some(map) = key_values(items) {
                object(&map, name, modem, n, depth, host);
                return;
            }
            for (i, item) in items.iter().enumerate().take(10_000) {
                let name = if items.len() > 1 { format!("{name}{i}") } else { name.to_owned() };
                walk(item, &name, modem, n, depth.saturating_add(1), host);
            }
        }
        Value::Object(map) => object(map, name, modem, n, depth, host),
        _ => {}
    }
}

/// `[{"key": "imei", "value": "…"}, …]` as one object.
fn key_values(items: &[Value]) -> Option<Map<String, Value>> {
    let mut map = Map::new();
    for item in items {
        let item = item.as_object()?;
        let (key, value) = (item.get("key")?.as_str()?, item.get("value")?);
        map.entry(key.to_owned()).or_insert_with(|| value.clone());
    }
    (map.len() > 1).then_some(map)
}

fn object(map: &Map<String, Value>, name: &str, modem: Option<Part>, n: u32, depth: u32, host: &mut Host<'_, '_>) {
    let fields: Vec<(String, String)> =
        map.iter().filter_map(|(k, v)| Some((squash(k), scalar(v)?))).filter(|(_, v)| !nothing(v)).collect();
    let has = |what: What| fields.iter().any(|(k, _)| meaning(k).is_some_and(|(w, _)| w == what));
    let equipment = fields.iter().find(|(k, v)| imei_like(v) && meaning(k).is_some_and(|(w, _)| w == What::Imei)).map(|(_, v)| v.clone());
    let called = ["mdm", "modem", "cellular", "gsm", "wwan", "lte"].iter().any(|w| squash(name).starts_with(w));
    // Of 3ginfo and modemdata: the port and the signal beside a field that is the modem's name.
    let monitor = fields.iter().any(|(k, _)| matches!(k.as_str(), "cport" | "csq" | "mtemp"));
    let one = equipment.is_some() || (called && (has(What::Manufacturer) || has(What::Model))) || monitor;
    let modem = match modem {
        Some(part) => Some(part),
        None if one => {
            let key = match (&equipment, called && !name.is_empty()) {
                (_, true) => format!("modem:{}", name.chars().take(40).collect::<String>()),
                (Some(imei), false) if depth > 1 => format!("modem:{imei}"),
                _ => "modem".to_owned(),
            };
            let part = host.part(&key);
            host.fact(part, n, Kind::Cellular, "modem object");
            Some(part)
        }
        None => None,
    };
    let board = fields.iter().any(|(k, _)| matches!(k.as_str(), "boardname" | "hostname" | "companyname" | "kernel"));
    let company = fields.iter().find(|(k, _)| k == "companyname").map_or("", |(_, v)| v.as_str());
    for (key, value) in &fields {
        match (modem, meaning(key)) {
            // `"vendor": "2c7c"` is half a USB id.
            (Some(_), Some((What::Manufacturer | What::MaybeModel, _)))
                if value.len() == 4 && value.bytes().all(|b| b.is_ascii_hexdigit()) => {}
            (Some(part), Some((what, _))) => say(host, part, n, what, value, Voice::MODEM),
            (Some(part), None) if matches!(key.as_str(), "modem" | "to") => {
                let what = if key == "to" { What::Revision } else { What::MaybeModel };
                say(host, part, n, what, value, Voice::MODEM);
            }
            (None, _) if board && matches!(key.as_str(), "model" | "serial" | "serialnum" | "serialnumber") => {
                if key == "model" {
                    say(host, Part::HOST, n, What::HostModel, value, Voice::MODEM);
                } else {
                    host_serial(host, company, value);
                }
            }
            (None, Some((what, true))) if what != What::MaybeModel => {
                let part = host.part("modem");
                say(host, part, n, what, value, Voice::MODEM);
            }
            (_, _) => {
                if let Some(what) = host_meaning(key).filter(|_| board || modem.is_none()) {
                    say(host, Part::HOST, n, what, value, Voice::MODEM);
                }
            }
        }
    }
    for (key, value) in map {
        if value.is_object() || value.is_array() {
            walk(value, key, modem, n, depth.saturating_add(1), host);
        }
    }
}
