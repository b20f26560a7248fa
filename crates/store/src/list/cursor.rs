//! Where a page ended, as a text that nobody needs to read.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use umbilical_core::id::hex;

use super::Sorted;
use crate::StoreError;
use crate::db::Value;
use crate::query::Query;

/// The last row of a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// Which query and sort it belongs to.
    of: String,
    /// The sorted column.
    pub key: Key,
    /// Numbers that tell rows with one key apart, in the order of the list.
    pub then: Vec<i64>,
}

/// A value of a sorted column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Key {
    Int(i64),
    Real(f64),
    Text(String),
}

impl From<Key> for Value {
    fn from(key: Key) -> Self {
        match key {
            Key::Int(n) => n.into(),
            Key::Real(n) => n.into(),
            Key::Text(t) => t.into(),
        }
    }
}

/// What a cursor belongs to.
fn of(list: &str, query: &Query, sort: &Sorted) -> String {
    let text = format!("{list}\n{}\n{}{}", query.text(), if sort.down { "-" } else { "" }, sort.by.name);
    hex(Sha256::digest(text.as_bytes()).first_chunk::<6>().map_or(&[][..], |b| b))
}

impl Cursor {
    pub fn new(list: &str, query: &Query, sort: &Sorted, key: Key, then: Vec<i64>) -> Self {
        Self { of: of(list, query, sort), key, then }
    }

    pub fn write(&self) -> String {
        Base64UrlUnpadded::encode_string(&serde_json::to_vec(self).unwrap_or_default())
    }

    pub fn read(text: &str, list: &str, query: &Query, sort: &Sorted, width: usize) -> Result<Self, StoreError> {
        let bad = || StoreError::Invalid("the cursor belongs to another list: begin at the first page".into());
        let bytes = Base64UrlUnpadded::decode_vec(text).map_err(|_| bad())?;
        let mut cursor: Self = serde_json::from_slice(&bytes).map_err(|_| bad())?;
        // JSON writes 1.0 and 1 alike.
        if let (Key::Int(n), "confidence") = (&cursor.key, sort.by.name) {
            cursor.key = Key::Real(*n as f64);
        }
        let fits = cursor.of == of(list, query, sort) && cursor.then.len() == width && matches!(cursor.key, Key::Text(_)) == sort.by.text;
        fits.then_some(cursor).ok_or_else(bad)
    }
}
