//! Signed here with the curves themselves, read by the readers.

use base64ct::{Base64, Base64Url, Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;
use serde_json::{Value, json};
use umbilical_core::signed::{SignatureState, Standing, canonical, pae};

use super::{Envelope, KeyError, MAX_SIGNATURES, PublicKey, envelopes, jsf};

fn ed(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_pem(&key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap()).unwrap()
}

fn ec() -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap()
}

fn ec_public() -> PublicKey {
    let key = p256::PublicKey::from(ec().verifying_key());
    PublicKey::from_pem(&key.to_public_key_pem(LineEnding::CRLF).unwrap()).unwrap()
}

fn jwk(key: &SigningKey) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": Base64UrlUnpadded::encode_string(key.verifying_key().as_bytes()) })
}

fn url(bytes: &[u8]) -> Value {
    Base64UrlUnpadded::encode_string(bytes).into()
}

const KIND: &str = "application/vnd.in-toto+json";
const PAYLOAD: &str =
    r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"00"}}],"predicateType":"t","predicate":1}"#;

fn sealed(by: &[&SigningKey], hints: bool) -> Value {
    let signatures = by.iter().map(|key| {
        let sig = Base64::encode_string(&key.sign(&pae(KIND, PAYLOAD.as_bytes())).to_bytes());
        if hints { json!({ "keyid": public(key).id(), "sig": sig }) } else { json!({ "sig": sig }) }
    });
    json!({ "payloadType": KIND, "payload": Base64::encode_string(PAYLOAD.as_bytes()), "signatures": signatures.collect::<Vec<_>>() })
}

fn standings(states: &[SignatureState]) -> Vec<Standing> {
    states.iter().map(|s| s.standing).collect()
}

#[test]
fn no_bit_of_an_envelope_can_be_altered() {
    let key = ed(1);
    let sig = Base64::encode_string(&key.sign(&pae("t", b"p")).to_bytes());
    let text =
        json!({ "payloadType": "t", "payload": Base64::encode_string(b"p"), "signatures": [{ "sig": sig }] }).to_string().into_bytes();
    let keys = [public(&key)];
    assert_eq!(standings(&Envelope::read(&text).unwrap().check(&keys)), [Standing::Verified]);
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut altered = text.clone();
            altered[at] ^= 1 << bit;
            let states = Envelope::read(&altered).map(|e| e.check(&keys)).unwrap_or_default();
            assert!(!standings(&states).contains(&Standing::Verified), "byte {at} bit {bit}: {}", String::from_utf8_lossy(&altered));
        }
    }
}

#[test]
fn the_name_of_a_key_is_a_hint_and_decides_nothing() {
    let (a, b) = (ed(1), ed(2));
    let mut envelope = sealed(&[&a], true);
    envelope["signatures"][0]["keyid"] = "another tool's name".into();
    let read = Envelope::read(envelope.to_string().as_bytes()).unwrap();
    assert_eq!(read.check(&[public(&b), public(&a)])[0].key.as_deref(), Some(public(&a).id()));
    assert_eq!(standings(&read.check(&[public(&b)])), [Standing::UnknownKey]);
    // A name of a key that is at hand and did not sign: altered, and said so.
    envelope["signatures"][0]["keyid"] = public(&b).id().into();
    let read = Envelope::read(envelope.to_string().as_bytes()).unwrap();
    assert_eq!(standings(&read.check(&[public(&b)])), [Standing::Broken]);
}

#[test]
fn several_signatures_and_several_envelopes() {
    let (a, b, c) = (ed(1), ed(2), ed(3));
    let both = sealed(&[&a, &b], true).to_string();
    let read = Envelope::read(both.as_bytes()).unwrap();
    assert_eq!(standings(&read.check(&[public(&b)])), [Standing::UnknownKey, Standing::Verified]);
    assert_eq!(standings(&read.check(&[public(&c)])), [Standing::UnknownKey, Standing::UnknownKey]);
    let lines = format!("{both}\n\n{}\nnonsense\n", sealed(&[&c], true));
    let found = envelopes(lines.as_bytes());
    assert_eq!(found.iter().map(|(line, e)| (*line, e.is_ok())).collect::<Vec<_>>(), [(1, true), (3, true), (4, false)]);
    let pretty = serde_json::to_string_pretty(&sealed(&[&a], true)).unwrap();
    assert!(matches!(&*envelopes(pretty.as_bytes()), [(1, Ok(_))]));
}

#[test]
fn envelopes_of_other_tools() {
    // URL-safe base64, ECDSA in DER, members that are not known.
    let signature: p256::ecdsa::DerSignature = ec().sign(&pae(KIND, PAYLOAD.as_bytes()));
    let text = json!({
        "payloadType": KIND,
        "payload": Base64Url::encode_string(PAYLOAD.as_bytes()),
        "signatures": [{ "keyid": "", "sig": Base64Url::encode_string(signature.as_bytes()), "cert": "…" }],
        "more": true,
    });
    let read = Envelope::read(text.to_string().as_bytes()).unwrap();
    assert_eq!(standings(&read.check(&[ec_public()])), [Standing::Verified]);
    assert_eq!(read.statement().unwrap().subjects[0].digest("sha256"), Some("00"));
}

#[test]
fn what_is_no_envelope_or_no_statement_is_said() {
    let read = |text: &str| Envelope::read(text.as_bytes()).unwrap_err();
    assert!(read("{}").contains("`payload` is missing"));
    assert!(read(r#"{"payload":"","payload":"","payloadType":"","signatures":[]}"#).contains("stands twice"));
    assert!(read(r#"{"payload":"","payloadType":"t","signatures":[]}"#).contains("nobody signed"));
    assert!(read(r#"{"payload":"***","payloadType":"t","signatures":[{"sig":""}]}"#).contains("no base64"));
    let statement = |kind: &str, payload: &str| {
        let text = json!({ "payloadType": kind, "payload": Base64::encode_string(payload.as_bytes()), "signatures": [{ "sig": "" }] });
        Envelope::read(text.to_string().as_bytes()).unwrap().statement().unwrap_err()
    };
    assert!(statement("text/plain", PAYLOAD).contains("not a statement"));
    assert!(statement(KIND, r#"{"_type":"x"}"#).contains("`x`"));
    assert!(statement(KIND, r#"{"_type":"https://in-toto.io/Statement/v1","subject":[]}"#).contains("about nothing"));
    assert!(statement(KIND, "[").contains("no JSON"));
}

fn document() -> Value {
    json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [{ "type": "device", "name": "U1", "price": 1.50 }] })
}

/// Signs a document in the simple form; what `signature` holds already is signed too.
fn simple(mut document: Value, signature: Value, left_out: &[&str], key: &SigningKey) -> Value {
    document["signature"] = signature;
    let mut signed = document.clone();
    signed["signature"].as_object_mut().unwrap().remove("excludes");
    left_out.iter().for_each(|name| drop(signed.as_object_mut().unwrap().remove(*name)));
    document["signature"]["value"] = url(&key.sign(&canonical::bytes(&signed)).to_bytes());
    document
}

fn states(document: &Value, keys: &[PublicKey]) -> Vec<SignatureState> {
    jsf(document.to_string().as_bytes(), keys)
}

#[test]
fn a_document_with_its_own_key_is_intact_and_no_more() {
    let key = ed(1);
    let signed = simple(document(), json!({ "algorithm": "Ed25519", "publicKey": jwk(&key) }), &[], &key);
    let own = &states(&signed, &[])[0];
    assert_eq!((own.standing, &*own.at), (Standing::Intact, "signature"));
    assert_eq!(own.what, "intact; the key is the document's own: who signed is not proved");
    assert_eq!(states(&signed, &[public(&ed(2)), public(&key)])[0].standing, Standing::Verified);
    let other = &states(&signed, &[public(&ed(2))])[0];
    assert!(other.standing == Standing::Intact && other.what.contains("none of those given"), "{}", other.what);
    // The same document written otherwise is the same document.
    let pretty = serde_json::to_string_pretty(&signed).unwrap().replace("1.5", "15e-1");
    assert_eq!(jsf(pretty.as_bytes(), &[public(&key)])[0].standing, Standing::Verified);
    assert!(states(&document(), &[]).is_empty());
}

#[test]
fn every_altered_member_breaks_it() {
    let key = ed(1);
    let signed = simple(document(), json!({ "algorithm": "Ed25519", "keyId": "k", "publicKey": jwk(&key) }), &[], &key);
    let whole = signed.to_string();
    for (from, to) in [
        ("1.6", "1.5"),
        ("U1", "U2"),
        ("1.5}", "1.6}"),
        ("\"version\":1", "\"version\":2"),
        ("\"keyId\":\"k\"", "\"keyId\":\"l\""),
        ("device", "firmware"),
    ] {
        let altered = whole.replacen(from, to, 1);
        assert_ne!(altered, whole);
        assert_eq!(standings(&jsf(altered.as_bytes(), &[public(&key)])), [Standing::Broken], "{from} → {to}");
    }
    let mut longer = signed.clone();
    longer["components"].as_array_mut().unwrap().push(json!({}));
    let mut forged = signed.clone();
    forged["signature"]["publicKey"] = jwk(&ed(2));
    let mut spelled = signed.clone();
    spelled["signature"]["value"] = format!("{}=", signed["signature"]["value"].as_str().unwrap()).into();
    for altered in [longer, forged, spelled] {
        assert_eq!(standings(&states(&altered, &[public(&key)])), [Standing::Broken]);
    }
    let twice = whole.replacen("\"version\":1", "\"version\":1,\"version\":1", 1);
    let state = &jsf(twice.as_bytes(), &[public(&key)])[0];
    assert!(state.standing == Standing::NotEvaluable && state.what.contains("`version` stands twice"), "{}", state.what);
}

#[test]
fn keys_that_are_only_named() {
    let key = ed(1);
    let named = simple(document(), json!({ "algorithm": "Ed25519", "keyId": public(&key).id() }), &[], &key);
    assert_eq!(states(&named, &[])[0].standing, Standing::UnknownKey);
    assert_eq!(states(&named, &[public(&ed(2)), public(&key)])[0].standing, Standing::Verified);
    assert_eq!(states(&named, &[public(&ed(2))])[0].standing, Standing::UnknownKey);
    let mut altered = named.clone();
    altered["version"] = 2.into();
    assert_eq!(states(&altered, &[public(&key)])[0].standing, Standing::Broken);
}

#[test]
fn elliptic_curves_are_checked_and_other_algorithms_are_not_evaluable() {
    let point = ec().verifying_key().to_sec1_point(false);
    let key = json!({ "kty": "EC", "crv": "P-256", "x": url(point.x().unwrap()), "y": url(point.y().unwrap()) });
    let mut signed = document();
    signed["signature"] = json!({ "algorithm": "ES256", "publicKey": key });
    let signature: p256::ecdsa::Signature = ec().sign(&canonical::bytes(&signed));
    signed["signature"]["value"] = url(&signature.to_bytes());
    assert_eq!(states(&signed, &[])[0].standing, Standing::Intact);
    assert_eq!(states(&signed, &[ec_public()])[0].standing, Standing::Verified);
    signed["version"] = 2.into();
    assert_eq!(states(&signed, &[ec_public()])[0].standing, Standing::Broken);
    for algorithm in ["RS256", "PS512", "ES384", "Ed448", "HS256", "https://example.org/own"] {
        signed["signature"]["algorithm"] = algorithm.into();
        let state = &states(&signed, &[ec_public()])[0];
        assert!(state.standing == Standing::NotEvaluable && state.what.contains(algorithm), "{}", state.what);
    }
    // The algorithm must be the key's.
    signed["signature"]["algorithm"] = "Ed25519".into();
    assert_eq!(states(&signed, &[ec_public()])[0].standing, Standing::NotEvaluable);
}

#[test]
fn what_a_signature_leaves_out_is_listed() {
    let key = ed(1);
    let mut signed =
        simple(document(), json!({ "algorithm": "Ed25519", "publicKey": jwk(&key), "excludes": ["components"] }), &["components"], &key);
    let state = &states(&signed, &[public(&key)])[0];
    assert_eq!((state.standing, &*state.unsigned), (Standing::Verified, &["components".to_owned()][..]));
    signed["components"] = json!([]);
    assert_eq!(states(&signed, &[public(&key)])[0].standing, Standing::Verified);
    for hostile in [json!(["signature"]), json!("components"), json!([1])] {
        signed["signature"]["excludes"] = hostile;
        assert_eq!(states(&signed, &[public(&key)])[0].standing, Standing::NotEvaluable);
    }
}

#[test]
fn several_signers_and_chains() {
    let (a, b) = (ed(1), ed(2));
    let signer = |key: &SigningKey| json!({ "algorithm": "Ed25519", "publicKey": jwk(key) });
    for form in ["signers", "chain"] {
        let mut signed = document();
        let mut done: Vec<Value> = Vec::new();
        for key in [&a, &b] {
            // Signers stand each by itself; a link of a chain signs those before it.
            let before = if form == "chain" { done.clone() } else { Vec::new() };
            signed["signature"] = json!({ form: before.into_iter().chain([signer(key)]).collect::<Vec<_>>() });
            let mut one = signer(key);
            one["value"] = url(&key.sign(&canonical::bytes(&signed)).to_bytes());
            done.push(one);
        }
        signed["signature"] = json!({ form: done });
        let found = states(&signed, &[public(&b)]);
        assert_eq!(standings(&found), [Standing::Intact, Standing::Verified], "{form}");
        assert_eq!(found[1].at, format!("signature.{form}[1]"));
        // Without the first, signers still stand; a chain does not.
        signed["signature"][form].as_array_mut().unwrap().remove(0);
        let wanted = if form == "chain" { Standing::Broken } else { Standing::Verified };
        assert_eq!(standings(&states(&signed, &[public(&b)])), [wanted], "{form}");
        signed["signature"][form] = json!([]);
        assert_eq!(standings(&states(&signed, &[])), [Standing::Broken]);
    }
}

#[test]
fn a_signature_deeper_down_is_about_its_own_part() {
    let (a, b) = (ed(1), ed(2));
    let mut all = document();
    all["components"][0] = simple(all["components"][0].clone(), json!({ "algorithm": "Ed25519", "publicKey": jwk(&b) }), &[], &b);
    let all = simple(all, json!({ "algorithm": "Ed25519", "publicKey": jwk(&a) }), &[], &a);
    let found = states(&all, &[public(&a), public(&b)]);
    assert_eq!(
        found.iter().map(|s| (&*s.at, s.standing)).collect::<Vec<_>>(),
        [("signature", Standing::Verified), ("components[0].signature", Standing::Verified)]
    );
}

#[test]
fn hostile_documents_are_bounded() {
    let many: Vec<Value> = (0..10 * MAX_SIGNATURES).map(|_| json!({ "signature": { "algorithm": "Ed25519", "value": "" } })).collect();
    let found = states(&json!({ "components": many }), &[]);
    assert_eq!(found.len(), MAX_SIGNATURES + 1);
    assert!(found.last().unwrap().what.contains("more than 100"));
    let deep = format!("{}\"signature\":1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert_eq!(standings(&jsf(deep.as_bytes(), &[])), [Standing::NotEvaluable]);
    for odd in [
        "1",
        "[]",
        "{}",
        "{\"algorithm\":1}",
        "{\"value\":[]}",
        "{\"signers\":[1,null]}",
        "{\"chain\":{}}",
        "{\"algorithm\":\"Ed25519\",\"publicKey\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"\"},\"value\":\"\"}",
    ] {
        let found = jsf(format!("{{\"signature\":{odd}}}").as_bytes(), &[]);
        assert!(found.iter().all(|s| matches!(s.standing, Standing::Broken | Standing::NotEvaluable)), "{odd}: {found:?}");
    }
}

#[test]
fn keys_are_told_apart() {
    let read = PublicKey::from_pem;
    assert_eq!(read("-----BEGIN PRIVATE KEY-----\n"), Err(KeyError::Private));
    assert_eq!(read("-----BEGIN CERTIFICATE-----\n"), Err(KeyError::Certificate));
    assert_eq!(read("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), Err(KeyError::Other));
    assert_eq!(read(""), Err(KeyError::Other));
    assert_eq!((public(&ed(1)).algorithm(), ec_public().algorithm()), ("Ed25519", "ES256"));
}

proptest! {
    #[test]
    fn nothing_that_is_read_stops_the_reader(bytes: Vec<u8>, text in "[\\[\\]{}\",:a-z0-9\\\\]{0,60}") {
        let keys = [public(&ed(1))];
        for (_, envelope) in envelopes(&bytes) {
            prop_assert!(envelope.is_err());
        }
        let object = format!("{{\"signature\":{{\"algorithm\":\"Ed25519\",\"value\":\"{text}\"}},\"signature\":{text}}}");
        let found = jsf(object.as_bytes(), &keys);
        prop_assert!(found.iter().all(|s| s.standing == Standing::NotEvaluable));
        let mixed = [b"{\"signature\":", &*bytes, b"}"].concat();
        prop_assert!(jsf(&mixed, &keys).iter().all(|s| s.standing != Standing::Verified));
    }
}
