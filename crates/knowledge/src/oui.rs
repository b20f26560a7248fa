//! MAC address blocks. Weak: they name the maker's Wi-Fi and Bluetooth parts and the host side of network modes too.

use crate::table::{FromRow, Problem, Row, Source};

/// One row of `identifiers/oui.csv`.
#[derive(Clone, Debug)]
pub struct Oui {
    /// Upper-case hex digits: 6, 7 or 9 of them.
    pub prefix: Box<str>,
    /// The brand.
    pub brand: Box<str>,
    /// The registrant as the registry spells it.
    pub registered_name: Box<str>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for Oui {
    const FILE: &'static str = "identifiers/oui.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let prefix = row.required("prefix")?;
        let hex = prefix.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
        if !hex || !matches!(prefix.len(), 6 | 7 | 9) {
            return Err(Problem::Number { column: "prefix", text: prefix.into(), wanted: "6, 7 or 9 upper-case hex digits" });
        }
        Ok(Self { prefix, brand: row.required("brand")?, registered_name: row.required("registered_name")?, source: row.source()? })
    }
}

/// The block of an address in any usual spelling, the longest prefix first.
pub(crate) fn longest<'k>(rows: &'k [Oui], mac: &str) -> Option<&'k Oui> {
    let digits: String = mac.chars().filter(|c| !matches!(c, ':' | '-' | '.' | ' ')).map(|c| c.to_ascii_uppercase()).collect();
    if digits.len() < 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    rows.iter().filter(|r| digits.starts_with(&*r.prefix)).max_by_key(|r| r.prefix.len())
}
