//! Answers of this program that come back: the lines of `export devices`, and the shorter ones of `audit --format csv`.
//!
//! **What it reads.** Tables, JSON Lines and CycloneDX documents whose columns are ours: the column `umbilical_export` of each line says so, or the
//! sixteen columns of the audit all stand there. Columns may have moved, and rows too; columns that were added are passed over.
//!
//! **What it makes of them.** Identifiers as they stand, and statements ([`Stated`]): what the answer claimed, with the
//! confidence and the basis that it gave. A file is a document, so each statement is `declared` and of the group `document`
//! whatever it repeats; nothing that was concluded once is put into the tables again, where it would count as evidence for
//! itself. An *alleged* claim is not restored.
//!
//! **When it is wrong.** A line is believed as any register is: who edits an export has edited a declaration. Digits that a
//! spreadsheet has rounded away (`3.58E+14`) are told and left out.

use std::borrow::Cow;
use std::io;

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};
use umbilical_core::answer::earlier::Stated;
use umbilical_core::answer::rows::{AUDIT_COLUMNS, COLUMNS, Holds, MARKER, ROWS_SCHEMA, join, split};
use umbilical_core::number::{Check, Imei, imei, is_masked};
use umbilical_core::observation::Record;
use umbilical_core::text::{clean, unguarded};
use umbilical_core::{At, Basis, Fact, Group, IdKind, Kind, Observations};

use crate::source::for_each_line;
use crate::{Context, Head, Purpose, Reader, Source};

/// The longest text that a statement repeats, in characters: no fact is longer.
const MOST: usize = 420;
/// Statements of one line beyond this are left out: an honest one has a few dozen.
const MOST_ITEMS: usize = 256;

/// Columns with identifiers of the device.
const IDS: [(&str, IdKind); 15] = [
    ("names", IdKind::Name),
    ("device_imei", IdKind::Imei),
    ("imei_unusable", IdKind::ImeiUnusable),
    ("asset_id", IdKind::AssetId),
    ("serial", IdKind::Serial),
    ("eid", IdKind::Eid),
    ("meid", IdKind::Meid),
    ("iccid", IdKind::Iccid),
    ("imsi", IdKind::Imsi),
    ("msisdn", IdKind::Msisdn),
    ("mac", IdKind::Mac),
    ("ip", IdKind::Ip),
    ("vin", IdKind::Vin),
    ("udi", IdKind::Udi),
    ("site", IdKind::Site),
];

/// Which column of a table is which of ours.
pub(crate) struct Columns {
    at: FxHashMap<&'static str, usize>,
    /// Whether cells were guarded against being computed.
    sheet: bool,
    rows: u32,
}

impl Columns {
    /// Our columns among the heads of a table of text or of a spreadsheet; nothing where it is none of our answers.
    pub fn of(heads: &[String]) -> Option<Self> {
        let mut at = FxHashMap::default();
        for (i, head) in heads.iter().enumerate() {
            if let Some((name, _)) = COLUMNS.iter().find(|(name, _)| *name == head.trim()) {
                at.entry(*name).or_insert(i);
            }
        }
        let audit = || COLUMNS.iter().take(AUDIT_COLUMNS).all(|(name, _)| at.contains_key(name));
        (at.contains_key("id") && (at.contains_key(MARKER) || audit())).then_some(Self { at, sheet: true, rows: 0 })
    }

    /// All of our columns in their order, their cells as they are.
    fn whole() -> Self {
        Self { at: COLUMNS.iter().enumerate().map(|(i, (name, _))| (*name, i)).collect(), sheet: false, rows: 0 }
    }

    /// Whether cells of lines are guarded against being computed: in text and spreadsheets they are.
    pub fn guarded(self, sheet: bool) -> Self {
        Self { sheet, ..self }
    }

    /// Where in the first rows of a table our heads stand.
    pub fn find(rows: &[Vec<String>]) -> Option<(usize, Self)> {
        rows.iter().take(20).enumerate().find_map(|(i, row)| Some((i, Self::of(row)?)))
    }

    /// Says on the input what it is.
    pub fn announce(&self, out: &mut Observations) {
        if let Some(input) = out.inputs.last_mut() {
            input
                .mapping
                .push(format!("{} columns → an earlier answer of this program ({ROWS_SCHEMA}), restored as stated", self.at.len()));
        }
    }

    /// Reads a line.
    pub fn row<'c>(&mut self, at: At, cell: impl Fn(usize) -> &'c str, out: &mut Observations) {
        let get = |name: &str| self.at.get(name).map_or("", |i| cell(*i)).trim();
        if self.at.values().all(|i| cell(*i).trim().is_empty()) {
            return;
        }
        let id = get("id");
        if !is_id(id) {
            out.problem(at, "no id of a device (`dev-` and 12 hexadecimal digits): this line is no answer, and is skipped");
            return;
        }
        let marker = get(MARKER);
        if !marker.is_empty() && marker != ROWS_SCHEMA {
            out.problem(at, "this line was written by another version of the export: what is known of it is read");
        }
        self.rows = self.rows.saturating_add(1);
        let mut line = Line { at, sheet: self.sheet, get: &get, record: out.record(at), said: 0 };
        line.record.id(IdKind::Device, id);
        line.identifiers();
        line.device();
        line.module();
    }

    /// Ends the table.
    pub fn finish(&self, out: &mut Observations) {
        if self.rows == 0 {
            out.problem(At::WHOLE, "the columns of an export and no line below them");
        }
    }
}

fn is_id(text: &str) -> bool {
    text.strip_prefix("dev-").is_some_and(|hex| hex.len() == 12 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// One line being read.
struct Line<'a, 'c> {
    at: At,
    sheet: bool,
    get: &'a dyn Fn(&str) -> &'c str,
    record: Record<'a>,
    said: usize,
}

impl<'c> Line<'_, 'c> {
    fn text(&self, name: &str) -> Option<Cow<'c, str>> {
        let cell = (self.get)(name);
        let text = if self.sheet { unguarded(cell) } else { cell };
        (!text.is_empty()).then_some(Cow::Borrowed(text))
    }

    fn list(&self, name: &str) -> Vec<Cow<'c, str>> {
        split((self.get)(name), self.sheet).take(MOST_ITEMS).collect()
    }

    fn number(&self, name: &str) -> Option<f64> {
        // A spreadsheet of another country writes a comma.
        (self.get)(name).replace(',', ".").parse().ok().filter(|n| (0.0..=1.0).contains(n))
    }

    fn basis(&self, name: &str) -> Option<Basis> {
        Basis::from_name((self.get)(name))
    }

    fn identifiers(&mut self) {
        for (column, kind) in IDS {
            for value in self.list(column) {
                self.identifier(kind, &value);
            }
        }
        // The audit's own lines have one column of IMEIs for device and module.
        if (self.get)("device_imei").is_empty() {
            for value in self.list("imei") {
                self.identifier(IdKind::Imei, &value);
            }
        }
    }

    fn identifier(&mut self, kind: IdKind, value: &str) {
        match kind {
            IdKind::Imei => {
                if let Some(value) = self.equipment(value) {
                    self.record.id(IdKind::Imei, &value);
                }
            }
            IdKind::Iccid | IdKind::Imsi | IdKind::Msisdn if rounded(value) && !is_masked(value) => self.lost(value),
            _ => {
                self.record.id(kind, value);
            }
        }
    }

    /// An IMEI in its one spelling; a leading zero that a spreadsheet took away is put back.
    fn equipment(&mut self, value: &str) -> Option<String> {
        let padded = (value.len() == 14 && value.bytes().all(|b| b.is_ascii_digit())).then(|| format!("0{value}"));
        for text in padded.as_deref().into_iter().chain([value]) {
            if let Imei::Whole { body, check: Check::Right, .. } = imei(text) {
                return Some(Imei::canonical(&body));
            }
        }
        if rounded(value) {
            self.lost(value);
        } else {
            self.record.problem(self.at, "an IMEI of this line is none any more: kept, but not used to join evidence");
            self.record.id(IdKind::ImeiUnusable, value);
        }
        None
    }

    fn lost(&mut self, value: &str) {
        self.record
            .problem(self.at, format!("`{value}`: a spreadsheet has rounded this number; export again and format the column as text"));
    }

    fn say(&mut self, stated: Option<Stated<'_>>) {
        let Some(stated) = stated.filter(|s| s.basis != Some(Basis::Alleged)) else { return };
        self.said = self.said.saturating_add(1);
        if self.said > MOST_ITEMS {
            if self.said == MOST_ITEMS.saturating_add(1) {
                self.record.problem(self.at, "more statements in one line than an answer has: the rest are left out");
            }
            return;
        }
        let text = clean(stated.text);
        let text = umbilical_core::text::short(text.trim(), MOST);
        if text.is_empty() {
            return;
        }
        let value = Stated { text: &text, ..stated }.to_string().into();
        let part = self.record.current_part();
        let fact = self.record.intern_kept(Fact { kind: Kind::Earlier, value, group: Group::Document, basis: Basis::Declared });
        self.record.kept_fact(part, self.at, fact);
    }

    /// A text of a column, stated under a word.
    fn word(&mut self, word: &str, column: &str, basis: Option<Basis>) {
        if let Some(text) = self.text(column) {
            self.say(Stated::new(word, &text).map(|s| Stated { basis, ..s }));
        }
    }

    fn device(&mut self) {
        let cellular = match (self.get)("cellular") {
            word @ ("yes" | "no" | "unknown") => word,
            _ => "unknown",
        };
        let confidence = self.number("cellular_confidence");
        self.say(Stated::new("cellular", cellular).map(|s| Stated { confidence, ..s }));
        let basis = self.basis("host_basis");
        self.word("host-brand", "host_brand", basis);
        self.word("host-model", "host_model", basis);
        let has_module = !(self.get)("level").is_empty();
        if let Some(kind) = self.text("product") {
            let (confidence, basis) = (self.number("product_confidence"), self.basis("product_basis"));
            self.say(Stated::new("product", &kind).map(|s| Stated { confidence, basis, ..s }));
            self.word("product-brand", "product_brand", None);
            self.word("product-model", "product_model", None);
        } else if !has_module && ["brand", "model"].iter().any(|column| !(self.get)(column).is_empty()) {
            // The audit's own lines do not say what kind of product it is.
            let (confidence, basis) = (self.number("confidence"), self.basis("basis"));
            self.say(Stated::new("product", "other").map(|s| Stated { confidence, basis, ..s }));
            self.word("product-brand", "brand", None);
            self.word("product-model", "model", None);
        }
        for item in self.list("next_evidence") {
            self.say(Stated::new("next", &item));
        }
        for code in self.list("findings") {
            self.say(Stated::new("finding", &code));
        }
    }

    fn module(&mut self) {
        let Some(level) = self.text("level") else { return };
        let imeis = if self.has_own_imeis() { self.list("module_imei") } else { self.list("imei") };
        let imeis: Vec<String> = imeis.iter().filter_map(|v| self.equipment(v)).collect();
        let (confidence, basis) = (self.number("confidence"), self.basis("basis"));
        let stated = Stated::new("module", &level).map(|s| Stated { confidence, basis, ..s });
        // Each of its IMEIs has a part, of which the first holds what is said of the module.
        for imei in imeis.iter().skip(1) {
            self.record.next_part();
            self.record.id(IdKind::Imei, imei);
            self.say(stated.clone());
        }
        self.record.next_part();
        if let Some(imei) = imeis.first() {
            self.record.id(IdKind::Imei, imei);
        }
        self.say(stated);
        self.word("number", "module_number", None);
        for (word, column) in [
            ("brand", "brand"),
            ("maker", "maker"),
            ("model", "model"),
            ("sold-as", "sold_as"),
            ("variant", "variant"),
            ("family", "family"),
            ("chipset", "chipset"),
            ("firmware", "firmware"),
        ] {
            self.word(word, column, None);
        }
        for rat in self.list("rats") {
            self.say(Stated::new("rat", &rat));
        }
        let claims = self.list("claims");
        for claim in &claims {
            let mut fields = claim.splitn(4, ' ');
            if let (Some(level), Some(confidence), Some(basis), Some(value)) = (fields.next(), fields.next(), fields.next(), fields.next())
                && let Ok(confidence) = confidence.parse::<f64>()
                && (0.0..=1.0).contains(&confidence)
            {
                let word = format!("claim-{level}");
                self.say(Stated::new(&word, value).map(|s| Stated { confidence: Some(confidence), basis: Basis::from_name(basis), ..s }));
            }
        }
        if claims.is_empty() {
            for (word, column) in
                [("claim-variant", "variant"), ("claim-model", "model"), ("claim-maker", "maker"), ("claim-brand", "brand")]
            {
                if let Some(text) = self.text(column) {
                    self.say(Stated::new(word, &text).map(|s| Stated { confidence, basis, ..s }));
                }
            }
        }
    }

    /// Whether the line tells the module's IMEIs from the device's: only the audit's own lines do not.
    fn has_own_imeis(&self) -> bool {
        !(self.get)("device_imei").is_empty() || !(self.get)(MARKER).is_empty()
    }
}

/// `3.58E+14`: what a spreadsheet leaves of a long number.
fn rounded(value: &str) -> bool {
    value.contains(['E', 'e']) && value.parse::<f64>().is_ok()
}

/// The reader of devices that were exported as JSON Lines.
pub struct ExportLines;

impl Reader for ExportLines {
    fn name(&self) -> &'static str {
        "umbilical-devices"
    }

    fn about(&self) -> &'static str {
        "Devices that this program exported as JSON Lines: restored as they were stated."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let Some(text) = head.text.as_deref() else { return 0 };
        let first = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).lines().next().unwrap_or_default();
        let ours = || memchr::memmem::find(first.as_bytes(), b"\"umbilical_export\"").is_some();
        let line =
            || ours() && serde_json::from_str::<Map<String, Value>>(first).is_ok_and(|m| m.get(MARKER).is_some_and(Value::is_string));
        if first.starts_with('{') && line() { 97 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let mut columns = Columns::whole();
        columns.announce(out);
        for_each_line(&mut *source.utf8(), |line| {
            let at = At::line(line.n);
            if line.text.trim().is_empty() {
                return;
            }
            if line.cut {
                out.problem(at, "this line is longer than 1 MiB: it is skipped");
                return;
            }
            match serde_json::from_str::<Map<String, Value>>(&line.text) {
                Ok(map) => object(&mut columns, at, &map, out),
                Err(error) => out.problem(at, format!("not JSON: {error}")),
            }
        })?;
        columns.finish(out);
        Ok(())
    }
}

/// Reads a line that is an object with our columns as its keys.
fn object(columns: &mut Columns, at: At, map: &Map<String, Value>, out: &mut Observations) {
    let cells: Vec<String> = COLUMNS
        .iter()
        .map(|(name, _)| match map.get(*name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(n)) => n.to_string(),
            Some(Value::Array(items)) => join(items.iter().filter_map(Value::as_str)),
            _ => String::new(),
        })
        .collect();
    columns.row(at, |i| cells.get(i).map_or("", String::as_str), out);
}

/// The reader of a fleet that was exported as CycloneDX: devices as components, everything under `umbilical:`.
pub struct ExportCycloneDx;

impl Reader for ExportCycloneDx {
    fn name(&self) -> &'static str {
        "cyclonedx-json"
    }

    fn about(&self) -> &'static str {
        "A fleet that this program exported as CycloneDX: restored as it was stated."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let Some(text) = head.text.as_deref() else { return 0 };
        let has = |needle: &str| memchr::memmem::find(text.as_bytes(), needle.as_bytes()).is_some();
        let ours = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with('{')
            && has("\"bomFormat\"")
            && has("\"umbilical:export\"")
            && has(ROWS_SCHEMA);
        if ours { 98 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        // Who asks for bills of materials, or for the schema, means the document as any other.
        if cx.purpose != Purpose::Fleet || cx.validate {
            return crate::cyclonedx::CycloneDxJson.read(source, cx, out);
        }
        let mut columns = Columns::whole();
        columns.announce(out);
        let unit = out.unit("component");
        let mut n = 0u32;
        let read = crate::json::each_of(source.utf8(), "components", &mut |component| {
            n = n.saturating_add(1);
            device(&mut columns, At { unit, n }, &component, out);
        });
        if let Err(why) = read {
            out.problem(At { unit, n }, format!("the document breaks off behind this component: {why}"));
        }
        columns.finish(out);
        Ok(())
    }
}

/// Reads a device: a line for each of its modules, or one.
fn device(columns: &mut Columns, at: At, component: &Value, out: &mut Observations) {
    let mut own = Map::new();
    own.insert(MARKER.into(), ROWS_SCHEMA.into());
    properties(component, &mut own);
    let inside = component.get("components").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if inside.is_empty() {
        object(columns, at, &own, out);
    }
    for module in inside.iter().take(MOST_ITEMS) {
        let mut line = own.clone();
        properties(module, &mut line);
        object(columns, at, &line, out);
    }
}

/// Takes over properties of ours: a column that repeats is a list.
fn properties(component: &Value, line: &mut Map<String, Value>) {
    for property in component.get("properties").and_then(Value::as_array).into_iter().flatten() {
        let of = |key: &str| property.get(key).and_then(Value::as_str);
        let (Some(name), Some(value)) = (of("name").and_then(|n| n.strip_prefix("umbilical:")), of("value")) else { continue };
        let Some((column, holds)) = COLUMNS.iter().find(|(column, _)| *column == name) else { continue };
        if *holds == Holds::List {
            let list = line.entry(*column).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(value.into());
            }
        } else {
            line.entry(*column).or_insert_with(|| value.into());
        }
    }
}
