//! A log of lines, each of which carries the hash of the line before it, so that a line that is changed, left out or
//! moved shows. A line is a JSON object whose last member is `hash`: SHA-256 of the line's own bytes before that
//! member, among which stands `prev`, the hash of the line before it.
//!
//! What a chain cannot show by itself is that its end was cut off, or that all of it was written anew: that takes the
//! hash of its head, kept somewhere else.

use crate::signed::sha256;

/// What stands between the hashed bytes and the hash.
const MARK: &str = ",\"hash\":\"";

/// Closes a line: `object` is a JSON object in one line that holds `prev`. The hash is given beside it.
pub fn seal(object: &str) -> Option<(String, String)> {
    let body = object.strip_suffix('}').filter(|b| !b.contains('\n'))?;
    let hash = sha256(body.as_bytes());
    Some((format!("{body}{MARK}{hash}\"}}"), hash))
}

/// A line that is whole: the hash it carries. Says what is wrong otherwise.
pub fn open(line: &str) -> Result<&str, &'static str> {
    let (body, rest) = line.rsplit_once(MARK).ok_or("no hash at the end of the line")?;
    let hash = rest.strip_suffix("\"}").ok_or("the line does not end behind its hash")?;
    if sha256(body.as_bytes()) == hash { Ok(hash) } else { Err("the line is not what was hashed: it was changed") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_byte_shows() {
        let (line, hash) = seal(r#"{"prev":"","what":"ü,\"hash\":\"x"}"#).unwrap();
        assert_eq!(open(&line), Ok(&*hash));
        for at in 0..line.len() {
            for bit in 0..8 {
                let mut bytes = line.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                // A line that is no longer text is refused before it comes here.
                if let Ok(text) = String::from_utf8(bytes) {
                    assert!(open(&text).is_err(), "byte {at}, bit {bit}: {text}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_line_is_not_sealed() {
        for text in ["", "[]", "{\n}"] {
            assert_eq!(seal(text), None, "{text:?}");
        }
        for text in ["", "{}", "{\"hash\":\"\"}"] {
            assert!(open(text).is_err(), "{text:?}");
        }
    }
}
