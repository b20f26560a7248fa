//! A fleet as lines: one for each device and module, flat, with all that it takes to read the same fleet back.
//!
//! Every format of lines (CSV, workbook, JSON Lines, Parquet) writes these columns, and [`COLUMNS`] is their only list: what
//! writes and what reads cannot drift apart. A line tells by [`MARKER`] that it is an answer and no evidence.

use std::borrow::Cow;
use std::io;

use super::{Device, Jurisdiction, Module};
use crate::text::{guarded, unguarded};

/// Version of the lines, which stands in the column [`MARKER`] of each.
pub const ROWS_SCHEMA: &str = "umbilical.devices/1";
/// The column that says what a line is.
pub const MARKER: &str = "umbilical_export";

/// What stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// One text.
    Text,
    /// A number.
    Number,
    /// A list of texts.
    List,
}

use Holds::{List, Number, Text};

/// The columns in their order. The first sixteen are those of `audit --format csv`.
pub const COLUMNS: [(&str, Holds); 48] = [
    ("id", Text),
    ("names", List),
    ("imei", List),
    ("cellular", Text),
    ("brand", Text),
    ("maker", Text),
    ("model", Text),
    ("variant", Text),
    ("sold_as", Text),
    ("level", Text),
    ("confidence", Number),
    ("confidence_level", Text),
    ("basis", Text),
    ("jurisdictions", List),
    ("findings", List),
    ("next_evidence", List),
    ("cellular_confidence", Number),
    ("family", Text),
    ("chipset", Text),
    ("rats", List),
    ("firmware", Text),
    ("claims", List),
    ("product", Text),
    ("product_brand", Text),
    ("product_model", Text),
    ("product_confidence", Number),
    ("product_basis", Text),
    ("host_brand", Text),
    ("host_model", Text),
    ("host_basis", Text),
    ("module_number", Text),
    ("module_imei", List),
    ("device_imei", List),
    ("imei_unusable", List),
    ("asset_id", List),
    ("serial", List),
    ("eid", List),
    ("meid", List),
    ("iccid", List),
    ("imsi", List),
    ("msisdn", List),
    ("mac", List),
    ("ip", List),
    ("vin", List),
    ("udi", List),
    ("site", List),
    ("as_of", Text),
    (MARKER, Text),
];

/// The columns that speak of the module of a line; the others speak of its device.
pub const MODULE: [&str; 18] = [
    "imei",
    "brand",
    "maker",
    "model",
    "variant",
    "sold_as",
    "level",
    "confidence",
    "confidence_level",
    "basis",
    "jurisdictions",
    "family",
    "chipset",
    "rats",
    "firmware",
    "claims",
    "module_number",
    "module_imei",
];

/// How many of the columns `audit --format csv` has.
pub const AUDIT_COLUMNS: usize = 16;

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Not known, or there is none.
    Nothing,
    /// A text.
    Text(Cow<'a, str>),
    /// A number.
    Number(f64),
    /// A list, which may be empty.
    List(Vec<Cow<'a, str>>),
}

impl Cell<'_> {
    /// The cell of a spreadsheet: guarded, lists joined; empty where nothing stands.
    pub fn sheet(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Text(text) => guarded(text),
            Self::Number(n) => n.to_string(),
            Self::List(items) => join(items.iter().map(|i| guarded(i))),
        }
    }

    /// The cell as plain text, for formats that take nothing for a formula; `None` where nothing stands.
    pub fn plain(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Nothing => None,
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Number(n) => Some(Cow::Owned(n.to_string())),
            Self::List(items) if items.is_empty() => None,
            Self::List(items) => Some(Cow::Owned(join(items.iter().map(|i| Cow::Borrowed(&**i))))),
        }
    }
}

/// Joins a list with `; `. A semicolon inside an item is written `%3B`, and a percent sign `%25` where it could be mistaken.
pub fn join<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let mut out = String::new();
    for item in items {
        if !out.is_empty() {
            out.push_str("; ");
        }
        let mut rest = item.as_ref();
        while let Some(at) = rest.find([';', '%']) {
            let (before, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
            out.push_str(before);
            let mut chars = tail.chars();
            let found = chars.next();
            rest = chars.as_str();
            match found {
                Some(';') => out.push_str("%3B"),
                _ if rest.starts_with("3B") || rest.starts_with("25") => out.push_str("%25"),
                _ => out.push('%'),
            }
        }
        out.push_str(rest);
    }
    out
}

/// The items that [`join`] joined; `sheet` where each of them was guarded.
pub fn split(cell: &str, sheet: bool) -> impl Iterator<Item = Cow<'_, str>> {
    let items = cell.split(';').map(str::trim).filter(|item| !item.is_empty());
    items.map(move |item| {
        let item = if item.contains('%') { Cow::Owned(unescaped(item)) } else { Cow::Borrowed(item) };
        match item {
            Cow::Borrowed(text) if sheet => Cow::Borrowed(unguarded(text)),
            Cow::Owned(text) if sheet => Cow::Owned(unguarded(&text).to_owned()),
            item => item,
        }
    })
}

fn unescaped(item: &str) -> String {
    let mut out = String::with_capacity(item.len());
    let mut rest = item;
    while let Some((before, tail)) = rest.split_once('%') {
        out.push_str(before);
        let known = [("3B", ';'), ("25", '%')].into_iter().find_map(|(code, c)| Some((tail.strip_prefix(code)?, c)));
        let (next, c) = known.unwrap_or((tail, '%'));
        out.push(c);
        rest = next;
    }
    out.push_str(rest);
    out
}

/// The countries whose law reaches, each once; those of an unclear day with a mark.
pub fn reaching<'j>(jurisdictions: impl IntoIterator<Item = &'j Jurisdiction> + Clone) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for j in jurisdictions.clone() {
        let clear = jurisdictions.clone().into_iter().any(|k| k.country == j.country && !k.unclear);
        let word = if clear { j.country.clone() } else { format!("{} (for review)", j.country) };
        if !out.contains(&word) {
            out.push(word);
        }
    }
    out
}

/// A format that a fleet leaves in, one device at a time.
pub trait Fleet {
    /// Writes a device.
    ///
    /// # Errors
    /// What it is written to cannot take it, or the format cannot hold it.
    fn device(&mut self, device: &Device) -> io::Result<()>;

    /// Writes what stands at the end.
    ///
    /// # Errors
    /// What it is written to cannot take it.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Writes a whole fleet.
///
/// # Errors
/// As those of the format.
pub fn write(mut to: Box<dyn Fleet + '_>, devices: impl IntoIterator<Item = Device>) -> io::Result<()> {
    for device in devices {
        to.device(&device)?;
    }
    to.finish()
}

/// One line: a device, and one of its modules where it has any.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The device.
    pub device: &'a Device,
    /// The module.
    pub module: Option<&'a Module>,
    /// Which of them it is, from 1: two modules that are alike in every word are two.
    pub number: Option<usize>,
    /// The day of the answer.
    pub as_of: &'a str,
}

/// The lines of a device: one for each module, or one.
pub fn of<'a>(device: &'a Device, as_of: &'a str) -> impl Iterator<Item = Row<'a>> {
    let none = device.modules.is_empty().then_some(Row { device, module: None, number: None, as_of });
    none.into_iter().chain(device.modules.iter().zip(1..).map(move |(module, n)| Row {
        device,
        module: Some(module),
        number: Some(n),
        as_of,
    }))
}

impl<'a> Row<'a> {
    /// The cells, in the order of [`COLUMNS`].
    pub fn cells(&self) -> [Cell<'a>; 48] {
        let Self { device, module, number: nth, as_of } = *self;
        let ids = &device.identifiers;
        // A stick, phone or router that is the product itself has its brand and model in the first columns, and no level.
        let shown = device.product.as_ref().filter(|_| module.is_none());
        let of = |part: fn(&'a Module) -> &'a Option<String>| module.and_then(|m| part(m).as_deref());
        let imei = module.map(|m| &m.imei).filter(|i| !i.is_empty()).unwrap_or(&ids.imei);
        let mut codes: Vec<&str> = device.findings.iter().map(|f| &*f.code).collect();
        codes.dedup();
        let claims = module.map(|m| &m.claims[..]).unwrap_or_default();
        let claims = claims.iter().map(|c| Cow::Owned(format!("{} {} {} {}", c.level.name(), c.confidence, c.basis.name(), c.value)));
        let product = device.product.as_ref();
        let host = device.host.as_ref();
        [
            text(Some(&device.id)),
            list(&device.names),
            list(imei),
            text(Some(device.cellular.name())),
            text(of(|m| &m.brand).or_else(|| shown.and_then(|p| p.brand.as_deref()))),
            text(of(|m| &m.maker)),
            text(of(|m| &m.model).or_else(|| shown.and_then(|p| p.model.as_deref()))),
            text(of(|m| &m.variant)),
            text(of(|m| &m.sold_as)),
            text(module.map(|m| m.level.name())),
            number(module.map(|m| m.confidence).or(shown.map(|p| p.confidence))),
            text(module.map(|m| m.confidence_level.name())),
            text(module.map(|m| m.basis).or(shown.map(|p| p.basis)).map(|b| b.name())),
            Cell::List(module.map(|m| reaching(&m.jurisdictions)).unwrap_or_default().into_iter().map(Cow::Owned).collect()),
            Cell::List(codes.into_iter().map(Cow::Borrowed).collect()),
            list(&device.next_evidence),
            number(Some(device.cellular_confidence)),
            text(of(|m| &m.family)),
            text(of(|m| &m.chipset)),
            list(module.map(|m| &m.rats[..]).unwrap_or_default()),
            text(of(|m| &m.firmware)),
            Cell::List(claims.collect()),
            text(product.map(|p| p.kind)),
            text(product.and_then(|p| p.brand.as_deref())),
            text(product.and_then(|p| p.model.as_deref())),
            number(product.map(|p| p.confidence)),
            text(product.map(|p| p.basis.name())),
            text(host.and_then(|h| h.brand.as_deref())),
            text(host.and_then(|h| h.model.as_deref())),
            text(host.map(|h| h.basis.name())),
            nth.map_or(Cell::Nothing, |n| Cell::Text(Cow::Owned(n.to_string()))),
            list(module.map(|m| &m.imei[..]).unwrap_or_default()),
            list(&ids.imei),
            list(&ids.imei_unusable),
            list(&ids.asset_id),
            list(&ids.serial),
            list(&ids.eid),
            list(&ids.meid),
            list(&ids.iccid),
            list(&ids.imsi),
            list(&ids.msisdn),
            list(&ids.mac),
            list(&ids.ip),
            list(&ids.vin),
            list(&ids.udi),
            list(&ids.site),
            text(Some(as_of)),
            text(Some(ROWS_SCHEMA)),
        ]
    }
}

fn text(text: Option<&str>) -> Cell<'_> {
    text.filter(|t| !t.is_empty()).map_or(Cell::Nothing, |t| Cell::Text(Cow::Borrowed(t)))
}

fn number(number: Option<f64>) -> Cell<'static> {
    number.map_or(Cell::Nothing, Cell::Number)
}

fn list(items: &[String]) -> Cell<'_> {
    Cell::List(items.iter().map(|i| Cow::Borrowed(i.as_str())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lists_come_back(items in proptest::collection::vec("[;%'=+@235B a-c\u{202e}-]{1,8}", 0..6), sheet in any::<bool>()) {
            let items: Vec<String> = items.iter().map(|i| crate::text::clean(i.trim()).trim().to_owned()).filter(|i| !i.is_empty()).collect();
            let cell = if sheet { join(items.iter().map(|i| guarded(i))) } else { join(&items) };
            prop_assert_eq!(split(&cell, sheet).collect::<Vec<_>>(), items);
        }
    }

    #[test]
    fn a_semicolon_does_not_part_an_item() {
        assert_eq!(join(["a;b", "100%", "%3B"]), "a%3Bb; 100%; %253B");
    }
}
