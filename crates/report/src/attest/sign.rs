//! What is signed, and how: envelopes around statements, signatures inside documents.

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};
use umbilical_core::signed::{self, canonical};

use super::Signer;

/// One line: a DSSE envelope around a statement, signed (DSSE v1, JSON form).
pub fn envelope(statement: &[u8], signer: &Signer) -> String {
    let signature = signer.sign(&signed::pae(signed::PAYLOAD, statement));
    let envelope = json!({
        "payloadType": signed::PAYLOAD,
        "payload": Base64::encode_string(statement),
        "signatures": [{ "keyid": signer.id(), "sig": Base64::encode_string(&signature) }],
    });
    format!("{envelope}\n")
}

/// A statement (in-toto Statement v1) as bytes.
pub(super) fn statement(subjects: &Value, predicate_type: &str, predicate: &Value) -> Vec<u8> {
    let statement = json!({ "_type": signed::STATEMENT, "subject": subjects, "predicateType": predicate_type, "predicate": predicate });
    statement.to_string().into_bytes()
}

/// A bundle of tables and packs as a statement: each file a subject by its digest, the texts in the predicate.
pub fn knowledge<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>, predicate: &Value) -> Vec<u8> {
    statement(&subjects(files), signed::KNOWLEDGE, predicate)
}

/// A statement whose predicate is a CycloneDX document, byte for byte as it came: reading and writing it again could
/// change it. The document must be JSON that [`canonical::parse`] takes.
pub fn cyclonedx(name: &str, sha256: &str, document: &[u8]) -> Vec<u8> {
    let head = json!({ "_type": signed::STATEMENT, "subject": subjects([(name, sha256)]), "predicateType": signed::CYCLONEDX });
    let mut out = head.to_string().into_bytes();
    out.pop();
    out.extend_from_slice(b",\"predicate\":");
    out.extend_from_slice(document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document).trim_ascii());
    out.push(b'}');
    out
}

/// Subjects by name and SHA-256.
pub(super) fn subjects<'a>(all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    all.into_iter().map(|(name, sha256)| json!({ "name": name, "digest": { "sha256": sha256 } })).collect()
}

/// Puts a signature into a document (JSON Signature Format 0.82, Ed25519): over the whole of it in canonical form.
///
/// # Errors
/// Why the document cannot be signed.
pub fn inside(mut document: Value, signer: &Signer) -> Result<Value, String> {
    let Some(object) = document.as_object_mut() else { return Err("only a JSON object can hold a signature".into()) };
    if object.contains_key("signature") {
        return Err("the document is signed already: a second signature would break the first".into());
    }
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": signer.x() });
    object.insert("signature".into(), json!({ "algorithm": "Ed25519", "keyId": signer.id(), "publicKey": key }));
    let signature = signer.sign(&canonical::bytes(&document));
    if let Some(own) = document.get_mut("signature").and_then(Value::as_object_mut) {
        own.insert("value".into(), Base64UrlUnpadded::encode_string(&signature).into());
    }
    Ok(document)
}
