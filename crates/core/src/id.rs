//! Identifiers that derive from content: the same thing has the same id on every machine and in every run.

use sha2::{Digest, Sha256};

/// `prefix` + the first 12 hex digits of SHA-256 of `kind:value`.
pub fn content_id(prefix: &str, kind: &str, value: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(kind.as_bytes());
    hash.update(b":");
    hash.update(value.as_bytes());
    let mut out = String::with_capacity(prefix.len().saturating_add(12));
    out.push_str(prefix);
    push_hex(&mut out, hash.finalize().iter().take(6));
    out
}

/// Lower-case hex of a digest.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(2));
    push_hex(&mut out, bytes.iter());
    out
}

fn push_hex<'a>(out: &mut String, bytes: impl Iterator<Item = &'a u8>) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_are_the_first_12_hex_digits_of_sha256_of_kind_and_value() {
        // printf 'imei:490154203237518' | sha256sum
        assert_eq!(super::content_id("dev-", "imei", "490154203237518"), "dev-ff958c35a9ad");
        assert_eq!(super::hex(&[0, 255, 16]), "00ff10");
    }
}
