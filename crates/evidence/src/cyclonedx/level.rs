//! What of a document is open while it is walked through.

use umbilical_core::At;

use super::validate::Distinct;

/// The longest path that is told whole.
const MAX_PATH: usize = 1000;

/// What an object that is open is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Document,
    Metadata,
    Product,
    Component,
}

/// An object that is open.
pub(super) struct Object {
    pub kind: Kind,
    pub at: At,
    /// Its members, its long arrays emptied: JSON but for the last brace.
    pub text: Vec<u8>,
    pub members: usize,
    pub comma: Comma,
    /// Its index among the parts.
    pub part: Option<u32>,
    /// The components that it held.
    pub children: Option<(u128, u64)>,
    /// Something was left out of it: the schema has no say.
    pub cut: bool,
}

/// An array that is open.
pub(super) struct List {
    pub name: String,
    pub comma: Comma,
    pub items: Distinct,
    pub count: u64,
    /// How many elements are no objects.
    pub strange: u64,
    /// The part that holds its components.
    pub parent: Option<u32>,
    pub at: At,
}

pub(super) enum Level {
    Object(Object),
    List(List),
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comma {
    /// Nothing has been read.
    First,
    /// A value has been read.
    Due,
    /// A comma has been read.
    Seen,
}

/// The path of what is open: `components[3].components[0]`; of one that nobody would read, both ends.
pub(super) fn path_of(levels: &[Level]) -> String {
    let mut out = String::new();
    for level in levels {
        let name = match level {
            Level::Object(Object { kind: Kind::Metadata, .. }) => "metadata",
            Level::Object(Object { kind: Kind::Product, .. }) => "component",
            Level::Object(_) => continue,
            Level::List(list) => &list.name,
        };
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(name);
        if let Level::List(list) = level {
            out.push_str(&format!("[{}]", list.count.saturating_sub(1)));
        }
    }
    if out.len() > MAX_PATH {
        let ends = MAX_PATH / 2;
        let (head, tail) = (out.get(..ends), out.get(out.len().saturating_sub(ends)..));
        out = format!("{}…{}", head.unwrap_or_default(), tail.unwrap_or_default());
    }
    out
}
