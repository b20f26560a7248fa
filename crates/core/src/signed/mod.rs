//! What signed statements have in common, whoever writes or reads them: the bytes that are signed, and what a signature
//! is worth. Pure functions; keys and curves belong to those who sign (report) and those who verify (evidence).

pub mod canonical;
pub mod merkle;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

/// `_type` of a statement (in-toto attestation framework, Statement v1).
pub const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// `payloadType` of an envelope that holds a statement.
pub const PAYLOAD: &str = "application/vnd.in-toto+json";
/// `predicateType` of a statement whose predicate is a CycloneDX document (in-toto attestation framework, predicates).
pub const CYCLONEDX: &str = "https://cyclonedx.org/bom";
/// `predicateType` of a statement of what `bom check` answered.
pub const VERDICT: &str = "urn:umbilical:bom-verdict:1";
/// `predicateType` of a statement that keeps the parts back.
pub const REDACTED: &str = "urn:umbilical:bom-redacted:1";
/// `predicateType` of a statement that is the sourcing label of a product.
pub const LABEL: &str = "urn:umbilical:label:1";
/// `predicateType` of a statement that is a bundle of tables and packs.
pub const KNOWLEDGE: &str = "urn:umbilical:knowledge:1";
/// `predicateType` of a statement that is the manifest of an evidence pack.
pub const PACK: &str = "urn:umbilical:pack:1";
/// What the text on a label's card begins with; the digest of the label in canonical form follows.
pub const CARD: &str = "umbilical-label:1?sha256=";
/// The name of the digest of a redacted statement's subject: it is the root of a tree, not the digest of a file.
pub const TREE_DIGEST: &str = "merkleSha256";
/// Version of the file that opens a redacted statement.
pub const OPENING: &str = "umbilical.bom-opening/1";
/// Version of the proof that one part belongs to a redacted statement.
pub const PROOF: &str = "umbilical.bom-proof/1";

/// The bytes that a DSSE signature covers: type and payload with their lengths (DSSE v1, pre-authentication encoding).
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}

/// What a signature is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// A key that was given made it, over exactly these bytes.
    Verified,
    /// It fits the content and the key that the document itself brings: nothing was altered since, and nothing says by
    /// whom it was signed.
    Intact,
    /// It does not fit: something was altered, or another key made it than the one it names.
    Broken,
    /// None of the keys that were given made it, and it brings none.
    UnknownKey,
    /// It cannot be checked here: an algorithm that is not implemented, a certificate instead of a key.
    NotEvaluable,
}

impl Standing {
    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Intact => "intact",
            Self::Broken => "broken",
            Self::UnknownKey => "unknown-key",
            Self::NotEvaluable => "not-evaluable",
        }
    }
}

/// One signature, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureState {
    /// Which: `signature`, `signature.signers[1]`, `components[3].signature`.
    pub at: String,
    /// As it names it: `Ed25519`; `null` where the format names none.
    pub algorithm: Option<String>,
    /// The key as it names it: a hint that is not proved by anything.
    pub key_id: Option<String>,
    /// The key that made it: SHA-256 of its SubjectPublicKeyInfo, lower-case hex; `null` where none was found.
    pub key: Option<String>,
    /// What it is worth.
    pub standing: Standing,
    /// Properties beside it that it does not cover, by its own word.
    pub unsigned: Vec<String>,
    /// In a sentence.
    pub what: String,
}

/// What the signatures inside a document are worth together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignedState {
    /// Nobody signed it.
    Absent,
    /// Somebody did, and nothing proves who: no key of the signer's was given, another one was, or it cannot be checked here.
    NotVerified,
    /// A key that was given signed the whole of it, and every signature in it holds.
    Verified,
    /// One of its signatures does not fit: something was altered.
    Broken,
}

impl SignedState {
    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::NotVerified => "not-verified",
            Self::Verified => "verified",
            Self::Broken => "broken",
        }
    }
}

/// The signatures inside one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// What they are worth together.
    pub state: SignedState,
    /// Whether keys were given that it should be verified with: anything but `verified` is a finding then.
    pub asked: bool,
    /// Why, in sentences.
    pub because: Vec<String>,
    /// Each of them, in the order of the document.
    pub signatures: Vec<SignatureState>,
}

/// A leaf of a redacted statement, opened: with the path it leads to the root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// Its place among the leaves, from 0.
    pub index: u64,
    /// Its salt, lower-case hex.
    pub salt: String,
    /// What it says.
    pub content: serde_json::Value,
    /// The hashes beside the way up, the lowest first, lower-case hex.
    pub path: Vec<String>,
}

impl Opened {
    /// The root that it leads to in a tree of so many leaves; `None` where it is no leaf of such a tree.
    pub fn root(&self, leaves: u64) -> Option<merkle::Hash> {
        let path = self.path.iter().map(|h| unhex(h)?.try_into().ok()).collect::<Option<Vec<merkle::Hash>>>()?;
        let leaf = merkle::leaf(&unhex(&self.salt)?, &canonical::bytes(&self.content));
        merkle::climb(leaf, self.index, leaves, &path)
    }
}

/// A leaf that a supplier hands out by itself, for a statement that others hold already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// [`PROOF`].
    pub schema: String,
    /// The root of the statement, lower-case hex.
    pub root: String,
    /// How many leaves it has.
    pub leaves: u64,
    /// The leaf.
    #[serde(flatten)]
    pub opened: Opened,
}

/// What opens a redacted statement: every leaf with its salt. It is the whole list of parts: the supplier keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// [`OPENING`].
    pub schema: String,
    /// The root of the statement, lower-case hex.
    pub root: String,
    /// Every leaf, in order.
    pub leaves: Vec<Kept>,
}

/// A leaf as the supplier keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Its salt, lower-case hex.
    pub salt: String,
    /// What it says.
    pub content: serde_json::Value,
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// SHA-256, lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

/// Bytes of hex, lower-case alone: one value has one spelling.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => b.checked_sub(b'0'),
        b'a'..=b'f' => b.checked_sub(b'a' - 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| if let [high, low] = pair { Some(digit(*high)? << 4 | digit(*low)?) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_holds_type_and_lengths() {
        // The example of the DSSE specification.
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    }

    #[test]
    fn hex_has_one_spelling() {
        assert_eq!(unhex(&hex(&[0, 9, 10, 255])), Some(vec![0, 9, 10, 255]));
        assert_eq!((unhex("0A"), unhex("a"), unhex("0g"), unhex("")), (None, None, None, Some(vec![])));
    }
}
