//! Signed statements, written: an in-toto statement in a DSSE envelope, a signature inside a CycloneDX document,
//! CycloneDX declarations, and a statement that keeps the parts back.
//!
//! A signature says that the holder of a key stands by these bytes. None of them says that a bill of materials is true.

mod claims;
mod declarations;
mod key;
mod redact;
mod sign;
mod verdict;
mod verified;

pub use claims::{Claim, claims};
pub use declarations::declarations;
pub use key::{KeyError, Signer};
pub use redact::{redact, reveal};
pub use sign::{cyclonedx, envelope, inside, knowledge};
pub use verdict::verdict;
pub use verified::{Checked, Compared, Shown, VERIFIED_SCHEMA, Verified, page};

use serde_json::{Value, json};

/// The statement of any predicate about files by name and SHA-256, as bytes.
pub(crate) fn statement_of<'a>(about: impl IntoIterator<Item = (&'a str, &'a str)>, predicate_type: &str, predicate: &Value) -> Vec<u8> {
    sign::statement(&sign::subjects(about), predicate_type, predicate)
}

/// Who judged, in every statement.
fn tool() -> Value {
    json!({ "name": "umbilical", "version": env!("CARGO_PKG_VERSION") })
}
