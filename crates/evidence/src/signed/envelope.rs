//! DSSE envelopes and the in-toto statements in them.

use base64ct::{Base64, Base64Url, Encoding as _};
use serde_json::Value;
use umbilical_core::signed::{self, SignatureState, Standing, canonical};

use super::PublicKey;

/// A signed payload, not yet trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// What the payload says it is.
    pub payload_type: String,
    /// The bytes that were signed.
    pub payload: Vec<u8>,
    signatures: Vec<(Option<String>, Vec<u8>)>,
}

/// Every envelope of a file: one JSON document, or one on each line. With the line that it begins on, from 1.
pub fn envelopes(text: &[u8]) -> Vec<(usize, Result<Envelope, String>)> {
    let lines = || text.split(|b| *b == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
    // A document over several lines does not end on its first.
    let each = lines().next().is_some_and(|(_, line)| canonical::parse(line).is_ok());
    if each { lines().map(|(i, line)| (i.saturating_add(1), Envelope::read(line))).collect() } else { vec![(1, Envelope::read(text))] }
}

impl Envelope {
    /// Reads one. Members that are not known are passed over, as the format demands; none stands twice.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let json = canonical::parse(text).map_err(|e| format!("no JSON that all readers understand alike: {e}"))?;
        let member = |name: &str| {
            json.get(name).and_then(Value::as_str).ok_or_else(|| format!("no signed envelope (DSSE): `{name}` is missing or no text"))
        };
        let payload = decode(member("payload")?).ok_or("the payload is no base64")?;
        let payload_type = member("payloadType")?.to_owned();
        let list =
            json.get("signatures").and_then(Value::as_array).filter(|s| !s.is_empty()).ok_or("nobody signed: `signatures` is empty")?;
        let signature = |s: &Value| {
            let sig = s.get("sig").and_then(Value::as_str).and_then(decode).ok_or("a signature is no base64")?;
            Ok::<_, String>((s.get("keyid").and_then(Value::as_str).filter(|k| !k.is_empty()).map(str::to_owned), sig))
        };
        Ok(Self { payload_type, payload, signatures: list.iter().map(signature).collect::<Result<_, _>>()? })
    }

    /// What each signature is worth. The name of a key is a hint that nothing proves: every key is tried.
    pub fn check(&self, keys: &[PublicKey]) -> Vec<SignatureState> {
        let message = signed::pae(&self.payload_type, &self.payload);
        let each = self.signatures.iter().enumerate().map(|(i, (hint, signature))| {
            let made = keys.iter().find(|k| k.verifies(&message, signature, true));
            let named = keys.iter().find(|k| hint.as_deref() == Some(k.id()));
            let (standing, what) = match (made, named) {
                (Some(key), _) => (Standing::Verified, format!("verified: made by the key {}", key.id())),
                (None, Some(key)) => {
                    let what =
                        format!("broken: it names the key {} and does not fit it: payload, type or signature were altered", key.id());
                    (Standing::Broken, what)
                }
                (None, None) if keys.is_empty() => (Standing::UnknownKey, "unknown key: give the signer's key".into()),
                (None, None) => {
                    let what = "unknown key: none of the keys given made it, or payload, type or signature were altered";
                    (Standing::UnknownKey, what.into())
                }
            };
            SignatureState {
                at: format!("signatures[{i}]"),
                algorithm: made.map(|k| k.algorithm().to_owned()),
                key_id: hint.clone(),
                key: made.map(|k| k.id().to_owned()),
                standing,
                unsigned: Vec::new(),
                what,
            }
        });
        each.collect()
    }

    /// The statement in it.
    ///
    /// # Errors
    /// What it holds instead.
    pub fn statement(&self) -> Result<Statement, String> {
        if self.payload_type != signed::PAYLOAD {
            return Err(format!("the payload is `{}`, not a statement (`{}`)", self.payload_type, signed::PAYLOAD));
        }
        let json = canonical::parse(&self.payload).map_err(|e| format!("the payload is no JSON that all readers understand alike: {e}"))?;
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let kind = text(&json, "_type").unwrap_or_default();
        if ![signed::STATEMENT, "https://in-toto.io/Statement/v0.1"].contains(&&*kind) {
            return Err(format!("the payload is no in-toto statement: its `_type` is `{kind}`"));
        }
        let subject = |s: &Value| Subject {
            name: text(s, "name"),
            digests: s.get("digest").and_then(Value::as_object).into_iter().flatten().fold(Vec::new(), |mut all, (name, value)| {
                all.extend(value.as_str().map(|v| (name.clone(), v.to_ascii_lowercase())));
                all
            }),
        };
        let subjects: Vec<Subject> = json.get("subject").and_then(Value::as_array).into_iter().flatten().map(subject).collect();
        if subjects.is_empty() {
            return Err("the statement is about nothing: it has no subject".into());
        }
        let predicate_type = text(&json, "predicateType").ok_or("the statement has no predicateType")?;
        Ok(Statement { subjects, predicate_type, predicate: json.get("predicate").cloned().unwrap_or_default() })
    }
}

/// Standard or URL-safe, as the format allows, one of them throughout and in its one spelling.
fn decode(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).or_else(|_| Base64Url::decode_vec(text)).ok()
}

/// An in-toto statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it is about.
    pub subjects: Vec<Subject>,
    /// What kind of thing it says.
    pub predicate_type: String,
    /// What it says.
    pub predicate: Value,
}

/// One artefact that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// As the signer named it.
    pub name: Option<String>,
    /// Algorithm and lower-case hex.
    pub digests: Vec<(String, String)>,
}

impl Subject {
    /// A digest by its algorithm.
    pub fn digest(&self, algorithm: &str) -> Option<&str> {
        self.digests.iter().find(|(name, _)| name == algorithm).map(|(_, value)| &**value)
    }
}

/// The tree of a redacted statement: what is needed to check one opened part.
#[derive(Clone, Debug, PartialEq)]
pub struct Redacted {
    /// Lower-case hex.
    pub root: String,
    /// How many leaves the signer committed to.
    pub leaves: u64,
    /// The leaves that the statement itself shows.
    pub shown: Vec<signed::Opened>,
}

impl Redacted {
    /// The tree in a statement; `None` where it is another kind of statement.
    ///
    /// # Errors
    /// What is wrong with a redacted statement.
    pub fn of(statement: &Statement) -> Option<Result<Self, String>> {
        (statement.predicate_type == signed::REDACTED).then(|| {
            let tree = statement.predicate.get("tree").ok_or("the redacted statement has no tree")?;
            let root = tree.get("root").and_then(Value::as_str).ok_or("the tree has no root")?.to_owned();
            let leaves = tree.get("leaves").and_then(Value::as_u64).ok_or("the tree does not say how many leaves it has")?;
            if !statement.subjects.iter().any(|s| s.digest(signed::TREE_DIGEST) == Some(&root)) {
                return Err("the tree is not the one that the statement is about".into());
            }
            let shown = statement.predicate.get("shown").cloned().unwrap_or_else(|| Value::Array(Vec::new()));
            let shown = serde_json::from_value(shown).map_err(|e| format!("the parts that are shown cannot be read: {e}"))?;
            Ok(Self { root, leaves, shown })
        })
    }

    /// Whether an opened part is one of the leaves.
    pub fn holds(&self, part: &signed::Opened) -> bool {
        part.root(self.leaves).is_some_and(|root| signed::hex(&root) == self.root)
    }
}
