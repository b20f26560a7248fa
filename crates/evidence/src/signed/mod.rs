//! Signed statements, read and verified: DSSE envelopes, JSON signatures inside documents, opened parts of redacted
//! statements. What a signature is worth is said of each by itself; nothing here decides whether that is enough.

mod envelope;
mod inside;
mod jsf;
mod key;

pub use envelope::{Envelope, Redacted, Statement, Subject, envelopes};
pub use inside::{inside, together};
pub use jsf::{MAX_SIGNATURES, jsf};
pub use key::{KeyError, PublicKey};

#[cfg(test)]
mod tests;
