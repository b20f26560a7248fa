//! Public keys: read from PEM and from JSON (JWK), and what they verify.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::pkcs8::{DecodePublicKey as _, EncodePublicKey as _};
use p256::ecdsa::signature::Verifier as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use umbilical_core::signed::hex;

/// A key that signatures are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    id: String,
    curve: Curve,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Curve {
    Ed25519(ed25519_dalek::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
}

/// Why something is no public key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A file with the private half.
    #[error("this is a private key: verifying needs the public one alone")]
    Private,
    /// A certificate.
    #[error("this is a certificate, not a public key: take the key out of it with `openssl x509 -pubkey -noout`")]
    Certificate,
    /// Another kind of key, or a broken one.
    #[error("this is no Ed25519 or P-256 public key in PEM (`BEGIN PUBLIC KEY`)")]
    Other,
}

impl PublicKey {
    /// Reads SubjectPublicKeyInfo in PEM: Ed25519 (RFC 8410) or P-256 (RFC 5480).
    ///
    /// # Errors
    /// What the text is instead.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        if text.contains("PRIVATE KEY-----") {
            return Err(KeyError::Private);
        }
        if text.contains("BEGIN CERTIFICATE-----") {
            return Err(KeyError::Certificate);
        }
        let text = text.trim();
        let ed = || ed25519_dalek::VerifyingKey::from_public_key_pem(text).ok().map(Curve::Ed25519);
        let ec = || p256::ecdsa::VerifyingKey::from_public_key_pem(text).ok().map(Curve::P256);
        ed().or_else(ec).and_then(Self::new).ok_or(KeyError::Other)
    }

    /// Reads the `publicKey` of a JSON signature (JWK, RFC 7517 and RFC 8037); `None` for any other kind of key.
    pub(super) fn from_jwk(key: &Value) -> Option<Self> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let bytes = |name: &str| Base64UrlUnpadded::decode_vec(text(name)?).ok();
        match (text("kty")?, text("crv")?) {
            ("OKP", "Ed25519") => {
                let x: [u8; 32] = bytes("x")?.try_into().ok()?;
                Self::new(Curve::Ed25519(ed25519_dalek::VerifyingKey::from_bytes(&x).ok()?))
            }
            ("EC", "P-256") => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                if x.len() != 32 || y.len() != 32 {
                    return None;
                }
                let point = [&[4], &*x, &*y].concat();
                Self::new(Curve::P256(p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?))
            }
            _ => None,
        }
    }

    fn new(curve: Curve) -> Option<Self> {
        let der = match &curve {
            Curve::Ed25519(key) => key.to_public_key_der(),
            Curve::P256(key) => p256::PublicKey::from(key).to_public_key_der(),
        };
        Some(Self { id: hex(&Sha256::digest(der.ok()?.as_bytes())), curve })
    }

    /// SHA-256 of its SubjectPublicKeyInfo in DER, lower-case hex: what our signatures name it by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name of its algorithm as JSON signatures have it.
    pub fn algorithm(&self) -> &'static str {
        match self.curve {
            Curve::Ed25519(_) => "Ed25519",
            Curve::P256(_) => "ES256",
        }
    }

    /// Whether it made this signature over these bytes. Ed25519 is held to the strict rules (no weak keys, one spelling
    /// of each signature); P-256 takes the two numbers side by side (JWA) and, where `der` allows it, in DER.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8], der: bool) -> bool {
        match &self.curve {
            Curve::Ed25519(key) => {
                ed25519_dalek::Signature::from_slice(signature).is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
            }
            Curve::P256(key) => {
                let flat = p256::ecdsa::Signature::from_slice(signature).ok();
                let signature = flat.or_else(|| p256::ecdsa::Signature::from_der(signature).ok().filter(|_| der));
                signature.is_some_and(|signature| key.verify(message, &signature).is_ok())
            }
        }
    }
}
