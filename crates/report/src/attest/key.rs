//! The signing key: Ed25519 alone, read from PKCS#8 and written as OpenSSL reads it. It is wiped from memory when it is
//! dropped, and there is no way to print it.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, KeypairBytes};
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use umbilical_core::signed::hex;

/// A key that signs.
pub struct Signer(SigningKey);

/// Why something is no signing key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// Behind a pass phrase.
    Encrypted,
    /// The public half.
    Public,
    /// A private key in the older form of its own kind.
    OtherKind,
    /// PKCS#8 with another kind of key in it, or a broken one.
    NotEd25519,
    /// No PEM of a private key.
    NoKey,
}

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Encrypted => "this key is encrypted: take the pass phrase off with `openssl pkey -in KEY.pem -out PLAIN.pem`",
            Self::Public => "this is a public key: signing needs the private one",
            Self::OtherKind => "this is a key of another kind (RSA or EC): statements are signed with Ed25519",
            Self::NotEd25519 => "this is no Ed25519 key, or it is broken: statements are signed with Ed25519",
            Self::NoKey => "this is no private key in PEM (`BEGIN PRIVATE KEY`)",
        })
    }
}

impl std::error::Error for KeyError {}

impl Signer {
    /// Reads PKCS#8 in PEM, as `openssl genpkey -algorithm ed25519` writes it (RFC 8410).
    ///
    /// # Errors
    /// What the text is instead; nothing of its content.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let has = |label: &str| text.contains(&format!("-----BEGIN {label}-----"));
        if has("ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
            Err(KeyError::Encrypted)
        } else if has("PRIVATE KEY") {
            SigningKey::from_pkcs8_pem(text.trim()).map(Self).map_err(|_| KeyError::NotEd25519)
        } else if text.contains("PRIVATE KEY-----") {
            Err(KeyError::OtherKind)
        } else if has("PUBLIC KEY") {
            Err(KeyError::Public)
        } else {
            Err(KeyError::NoKey)
        }
    }

    /// A new key from 32 bytes that nobody else knows.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The private key, PKCS#8 in PEM, wiped when dropped. Without the public half beside it: that is the version of
    /// the format which OpenSSL reads. `None` only if there is no memory for it.
    pub fn to_pem(&self) -> Option<impl AsRef<[u8]> + use<>> {
        struct Bytes(zeroize::Zeroizing<String>);
        impl AsRef<[u8]> for Bytes {
            fn as_ref(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }
        let bytes = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        bytes.to_pkcs8_pem(LineEnding::LF).ok().map(Bytes)
    }

    /// The public key, SubjectPublicKeyInfo in PEM.
    pub fn public_pem(&self) -> String {
        self.0.verifying_key().to_public_key_pem(LineEnding::LF).unwrap_or_default()
    }

    /// SHA-256 of the public key's SubjectPublicKeyInfo in DER, lower-case hex.
    pub fn id(&self) -> String {
        self.0.verifying_key().to_public_key_der().map(|der| hex(&Sha256::digest(der.as_bytes()))).unwrap_or_default()
    }

    /// The public key's 32 bytes in base64url: `x` of a JWK (RFC 8037).
    pub(super) fn x(&self) -> String {
        Base64UrlUnpadded::encode_string(self.0.verifying_key().as_bytes())
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// Sixteen bytes that only the holder of the key can know and that are always the same for the same words: HMAC of
    /// each purpose under a key of its own, so that the signing key is never used for two things.
    pub(super) fn salt(&self, purpose: &str, words: &[&[u8]]) -> [u8; 16] {
        let one = |key: &[u8], words: &[&[u8]]| -> [u8; 32] {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
            for word in words {
                // The length in front: two lists of words never run together into the same bytes.
                mac.update(&(word.len() as u64).to_be_bytes());
                mac.update(word);
            }
            mac.finalize().into_bytes().into()
        };
        let key = zeroize::Zeroizing::new(one(self.0.as_bytes(), &[purpose.as_bytes()]));
        let mut salt = [0; 16];
        salt.iter_mut().zip(one(&*key, words)).for_each(|(to, from)| *to = from);
        salt
    }
}
