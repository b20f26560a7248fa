//! Identifiers of things that other systems know by a UUID: derived from content, so that the same thing has the same one.

use std::fmt::Write as _;

use sha1::{Digest, Sha1};

/// The UUID of a name in a namespace: version 5, by SHA-1 (RFC 9562 clause 5.5).
pub fn v5(namespace: [u8; 16], name: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(namespace);
    hash.update(name.as_bytes());
    of_hash(5, &hash.finalize())
}

/// A UUID whose bits are those of a digest, but for the six that say its version and variant (RFC 9562 clause 4).
pub fn of_hash(version: u8, hash: &[u8]) -> String {
    let mut out = String::with_capacity(36);
    for (place, byte) in hash.iter().take(16).enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        let byte = match place {
            6 => (version << 4) | (byte & 0x0f),
            8 => 0x80 | (byte & 0x3f),
            _ => *byte,
        };
        // Writing to a string never fails.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_of_the_standard() {
        // RFC 9562 appendix A.4: www.example.com in the namespace of DNS.
        let dns = [0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
        assert_eq!(super::v5(dns, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }
}
