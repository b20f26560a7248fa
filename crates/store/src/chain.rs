//! Chains of digests: each row of a log covers the row before, so that none can be changed, lost or moved unnoticed.

use sha2::{Digest as _, Sha256};
use umbilical_core::id::hex;

/// What stands before the first row.
pub(crate) const START: &str = "";

/// The digest of a row: of the chain before it and its fields, each with its length in front, so that no two rows give the
/// same bytes.
pub(crate) fn link(previous: &str, fields: &[Option<&str>]) -> String {
    let mut hash = Sha256::new();
    for field in [Some(previous)].iter().chain(fields) {
        match field {
            Some(text) => {
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text.as_bytes());
            }
            None => hash.update(u64::MAX.to_be_bytes()),
        }
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_have_one_digest() {
        let rows: &[&[Option<&str>]] = &[
            &[Some("ab"), Some("c")],
            &[Some("a"), Some("bc")],
            &[Some("abc")],
            &[Some("abc"), None],
            &[None, Some("abc")],
            &[Some("abc"), Some("")],
        ];
        let mut all: Vec<String> = rows.iter().map(|r| link(START, r)).collect();
        all.push(link("x", rows[0]));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), rows.len() + 1);
    }
}
