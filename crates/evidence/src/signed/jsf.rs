//! JSON Signature Format (JSF 0.82), as CycloneDX uses it: a `signature` member signs the object that it stands in, in
//! canonical form (RFC 8785), itself included but for its `value`.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Map, Value};
use umbilical_core::signed::{SignatureState, Standing, canonical};
use umbilical_core::text::short;

use super::PublicKey;

/// How many signatures of one document are looked at: each one costs a walk over what it signs.
pub const MAX_SIGNATURES: usize = 100;

const SIGNATURE: &str = "signature";
const EXCLUDES: &str = "excludes";

/// Every signature in a document, in its order, checked with the keys given and with the key that it brings itself.
/// Empty where the document has none.
pub fn jsf(text: &[u8], keys: &[PublicKey]) -> Vec<SignatureState> {
    if memchr::memmem::find(text, b"\"signature\"").is_none() {
        return Vec::new();
    }
    let mut found = Vec::new();
    match canonical::parse(text) {
        Ok(document) => walk(&document, &mut String::new(), keys, &mut found),
        Err(why) => {
            let what = format!("not evaluable: {why}, and readers differ in what they make of such a document");
            found.push(state("document", None, Standing::NotEvaluable, what));
        }
    }
    found
}

fn state(at: &str, signer: Option<&Value>, standing: Standing, what: String) -> SignatureState {
    let text = |name: &str| signer.and_then(|s| s.get(name)).and_then(Value::as_str).map(str::to_owned);
    SignatureState {
        at: at.to_owned(),
        algorithm: text("algorithm"),
        key_id: text("keyId"),
        key: None,
        standing,
        unsigned: Vec::new(),
        what,
    }
}

/// Nesting is bounded by the reading.
fn walk(value: &Value, at: &mut String, keys: &[PublicKey], found: &mut Vec<SignatureState>) {
    let inside = |step: String, value: &Value, at: &mut String, found: &mut Vec<SignatureState>| {
        let length = at.len();
        at.push_str(&step);
        walk(value, at, keys, found);
        at.truncate(length);
    };
    match value {
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                inside(format!("[{i}]"), item, at, found);
            }
        }
        Value::Object(object) => {
            let dot = if at.is_empty() { "" } else { "." };
            if let Some(signature) = object.get(SIGNATURE).and_then(Value::as_object) {
                signatures(object, signature, &format!("{at}{dot}{SIGNATURE}"), keys, found);
            }
            for (name, value) in object.iter().filter(|(name, value)| *name != SIGNATURE && (value.is_array() || value.is_object())) {
                inside(format!("{dot}{name}"), value, at, found);
            }
        }
        _ => {}
    }
}

/// The signatures in one `signature` member: one, several beside one another, or a chain that each signs what is before it.
fn signatures(object: &Map<String, Value>, signature: &Map<String, Value>, at: &str, keys: &[PublicKey], found: &mut Vec<SignatureState>) {
    let several = ["signers", "chain"].into_iter().find_map(|name| Some((name, signature.get(name)?.as_array()?)));
    let Some((form, signers)) = several else {
        // Another thing that is called so, of a format of its own.
        if signature.contains_key("algorithm") || signature.contains_key("value") {
            let signed = |without: Value| without;
            one(object, &Value::Object(signature.clone()), signature.get(EXCLUDES), at, keys, found, &signed);
        }
        return;
    };
    if signers.is_empty() {
        found.push(state(at, None, Standing::Broken, "nobody signed: the list of signatures is empty".into()));
    }
    for (i, signer) in signers.iter().enumerate() {
        let before = if form == "chain" { signers.get(..i).unwrap_or_default() } else { &[] };
        let signed = |without: Value| {
            let mut outer = signature.clone();
            outer.shift_remove(EXCLUDES);
            outer.insert(form.to_owned(), before.iter().cloned().chain([without]).collect());
            Value::Object(outer)
        };
        let excludes = signature.get(EXCLUDES).or_else(|| signer.get(EXCLUDES));
        one(object, signer, excludes, &format!("{at}.{form}[{i}]"), keys, found, &signed);
    }
}

/// Checks one signature. `signed` makes the `signature` member as it was signed from the signer without its value.
fn one(
    object: &Map<String, Value>,
    signer: &Value,
    excludes: Option<&Value>,
    at: &str,
    keys: &[PublicKey],
    found: &mut Vec<SignatureState>,
    signed: &dyn Fn(Value) -> Value,
) {
    if found.len() >= MAX_SIGNATURES {
        if found.len() == MAX_SIGNATURES {
            let what = format!("not evaluable: more than {MAX_SIGNATURES} signatures in one document; the rest was not looked at");
            found.push(state(at, None, Standing::NotEvaluable, what));
        }
        return;
    }
    let Some(unsigned) = names(excludes) else {
        let what = "not evaluable: `excludes` is no list of the names of other properties".to_owned();
        found.push(state(at, Some(signer), Standing::NotEvaluable, what));
        return;
    };
    let mut without = signer.clone();
    if let Some(map) = without.as_object_mut() {
        map.shift_remove("value");
        map.shift_remove(EXCLUDES);
    }
    let signature = signed(without);
    let others = object.iter().filter(|(name, _)| *name != SIGNATURE && !unsigned.contains(name));
    let message = || canonical::object(others.map(|(name, value)| (&**name, value)).chain([(SIGNATURE, &signature)]));
    let (standing, key, what) = judge(signer, keys, message);
    found.push(SignatureState { key, unsigned, ..state(at, Some(signer), standing, what) });
}

fn names(excludes: Option<&Value>) -> Option<Vec<String>> {
    let Some(excludes) = excludes else { return Some(Vec::new()) };
    excludes.as_array()?.iter().map(|name| name.as_str().filter(|n| *n != SIGNATURE).map(str::to_owned)).collect()
}

type Judged = (Standing, Option<String>, String);

fn judge(signer: &Value, keys: &[PublicKey], message: impl FnOnce() -> Vec<u8>) -> Judged {
    let text = |name: &str| signer.get(name).and_then(Value::as_str);
    let say = |standing, what: String| (standing, None, what);
    let Some(algorithm) = text("algorithm") else { return say(Standing::Broken, "broken: it names no algorithm".into()) };
    if !["Ed25519", "ES256"].contains(&algorithm) {
        return say(
            Standing::NotEvaluable,
            format!("not evaluable: algorithm {} is not checked here (Ed25519 and ES256 are)", short(algorithm, 40)),
        );
    }
    let Some(value) = text("value").and_then(|v| Base64UrlUnpadded::decode_vec(v).ok()) else {
        return say(Standing::Broken, "broken: its value is no base64url".into());
    };
    if let Some(own) = signer.get("publicKey") {
        let Some(own) = PublicKey::from_jwk(own).filter(|k| k.algorithm() == algorithm) else {
            return say(Standing::NotEvaluable, format!("not evaluable: the key that it brings is no {algorithm} key"));
        };
        let id = Some(own.id().to_owned());
        return if !own.verifies(&message(), &value, false) {
            (Standing::Broken, None, "broken: it does not fit the content and the key that it brings: something was altered".into())
        } else if keys.contains(&own) {
            (Standing::Verified, id, format!("verified: made by the key {}", own.id()))
        } else if keys.is_empty() {
            (Standing::Intact, id, "intact; the key is the document's own: who signed is not proved".into())
        } else {
            (Standing::Intact, id, format!("intact, but its key {} is none of those given: who signed is not proved", own.id()))
        };
    }
    let brings = if signer.get("certificatePath").is_some() { "a certificate, which is not read here" } else { "no key" };
    if keys.is_empty() {
        return say(Standing::UnknownKey, format!("unknown key: it brings {brings}; give the signer's key"));
    }
    let message = message();
    match keys.iter().find(|k| k.algorithm() == algorithm && k.verifies(&message, &value, false)) {
        Some(key) => (Standing::Verified, Some(key.id().to_owned()), format!("verified: made by the key {}", key.id())),
        None if keys.iter().any(|k| text("keyId") == Some(k.id())) => {
            say(Standing::Broken, "broken: it names a key that was given and does not fit it: something was altered".into())
        }
        None => say(
            Standing::UnknownKey,
            format!("unknown key: it brings {brings}, and fits none of those given: another key made it, or something was altered"),
        ),
    }
}
