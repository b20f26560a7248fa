//! Secrets: made at random, shown once, kept as digests.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use sha2::{Digest as _, Sha256};
use umbilical_core::id::hex;

use crate::Problem;

/// 256 random bits as 43 characters that need no quoting anywhere.
pub fn random() -> Result<String, Problem> {
    Ok(Base64UrlUnpadded::encode_string(&bytes::<32>()?))
}

/// So many random bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Problem::internal("the system gives no random numbers"))?;
    Ok(bytes)
}

/// What is kept of a secret. It is 256 bits of chance, so that a plain digest cannot be searched.
pub fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// A word that only who knows the secret can derive, different for each purpose.
pub fn derived(purpose: &str, secret: &str) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(format!("umbilical {purpose}\n{secret}").as_bytes()))
}

/// Whether two words are one, in a time that does not tell where they differ.
pub fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0u8, |d, (x, y)| d | (x ^ y)) == 0
}

/// The digest of bytes, in hex.
pub fn digest_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
