//! Signatures inside documents that have been read: what they are worth together.
//!
//! A signature covers the whole document, and documents stream by as they are read. So one that holds a signature is
//! opened a second time, and counts only if it is still what was read: its digest has to be the same.
//!
//! *When it is wrong:* what came over standard input or out of an archive cannot be opened again. That it is signed is
//! known from the reading; its signature stays not verified, and the answer says so.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use umbilical_core::Observations;
use umbilical_core::bom::Bom;
use umbilical_core::observation::Input;
use umbilical_core::signed::{SignatureState, Signed, SignedState, Standing, sha256};
use umbilical_core::text::short;

use super::{PublicKey, jsf};

/// Longer documents are not held whole.
const MAX_BYTES: u64 = 256 << 20;
const NAME: &[u8] = b"\"signature\"";

/// Looks at the signatures inside every document that can hold some. `accepted` names the properties that a signature
/// may leave out.
pub fn inside(all: &mut Observations, keys: &[PublicKey], accepted: &[String]) {
    for bom in &mut all.boms {
        let Some(input) = all.inputs.get(bom.input as usize) else { continue };
        let asked = !keys.is_empty();
        bom.signed = match input.format.as_str() {
            "cyclonedx-json" => Some(one(bom, input, keys, accepted)),
            "cyclonedx-xml" => {
                let why = "not evaluable: signatures in XML are not read here; the JSON form of the document can be checked";
                Some(Signed { state: SignedState::NotVerified, asked, because: vec![why.to_owned()], signatures: Vec::new() })
            }
            _ => None,
        };
    }
}

fn one(bom: &Bom, input: &Input, keys: &[PublicKey], accepted: &[String]) -> Signed {
    let asked = !keys.is_empty();
    let open = |why: String| Signed { state: SignedState::NotVerified, asked, because: vec![why], signatures: Vec::new() };
    // What cannot be opened again: whether somebody signed it is known from the reading.
    let signatures = match if Path::new(&input.path).is_file() || is_signed(bom) { again(input) } else { Ok(None) } {
        Ok(Some(text)) => jsf(&text, keys),
        Ok(None) => Vec::new(),
        Err(why) => return open(format!("not evaluable: {why}")),
    };
    // The reader understands encodings in which a signature is never looked for.
    if signatures.is_empty() && is_signed(bom) {
        return open("not evaluable: the document is signed, and is no JSON in UTF-8".to_owned());
    }
    let (verified, mut because) = together(&signatures, keys, accepted);
    let state = if signatures.is_empty() {
        SignedState::Absent
    } else if signatures.iter().any(|s| s.standing == Standing::Broken) {
        SignedState::Broken
    } else if verified == Some(true) {
        because.extend(signatures.iter().filter(|s| s.standing == Standing::Verified).map(|s| s.what.clone()));
        because.dedup();
        SignedState::Verified
    } else {
        SignedState::NotVerified
    };
    Signed { state, asked, because, signatures }
}

/// Whether the reader met a signature of the whole document.
fn is_signed(bom: &Bom) -> bool {
    bom.properties.iter().any(|(name, _)| &**name == "json:signature")
}

/// The bytes of an input that names a signature, read once more; `None` where it names none.
fn again(input: &Input) -> Result<Option<Vec<u8>>, String> {
    let path = Path::new(&input.path);
    if !path.is_file() {
        return Err("it came over standard input or out of an archive: give the document itself as a file".to_owned());
    }
    let read = || -> io::Result<Option<Vec<u8>>> {
        if !names_one(File::open(path)?)? {
            return Ok(None);
        }
        let mut text = Vec::new();
        File::open(path)?.take(MAX_BYTES.saturating_add(1)).read_to_end(&mut text)?;
        Ok(Some(text))
    };
    let text = read().map_err(|e| format!("it cannot be read a second time: {e}"))?;
    match text {
        Some(text) if text.len() as u64 > MAX_BYTES => Err(format!("signed documents are held whole up to {} MB", MAX_BYTES >> 20)),
        Some(text) if sha256(&text) != input.sha256 => Err("it is another document than the one that was read".to_owned()),
        text => Ok(text),
    }
}

/// Whether a stream names a signature anywhere. Most documents do not, and need not be held whole.
fn names_one(mut from: impl Read) -> io::Result<bool> {
    let mut window = Vec::new();
    loop {
        let read = from.by_ref().take(1 << 16).read_to_end(&mut window)?;
        if memchr::memmem::find(&window, NAME).is_some() {
            return Ok(true);
        }
        if read == 0 {
            return Ok(false);
        }
        // The name may lie across two pieces.
        window.drain(..window.len().saturating_sub(NAME.len()));
    }
}

/// Whether the signatures of a document prove that a given key signed the whole of it, and what speaks against that;
/// `None` where it cannot be said.
pub fn together(all: &[SignatureState], keys: &[PublicKey], accepted: &[String]) -> (Option<bool>, Vec<String>) {
    let mut because = Vec::new();
    if all.is_empty() {
        because.push("nobody signed this document".to_owned());
        return (Some(false), because);
    }
    let broken = all.iter().filter(|s| s.standing == Standing::Broken).count();
    if broken > 0 {
        because.push(format!("{broken} of {} signatures do not fit: the document was altered after it was signed", all.len()));
    }
    let left_out: Vec<&str> =
        all.iter().flat_map(|s| &s.unsigned).map(String::as_str).filter(|n| !accepted.iter().any(|a| a == n)).collect();
    if !left_out.is_empty() {
        let names = short(&left_out.join(", "), 200).into_owned();
        because.push(format!("a signature leaves out {names}, which anybody could have changed: --accept-unsigned {names} accepts that"));
    }
    // A signature deeper down is about a part of the document alone.
    let whole: Vec<&SignatureState> = all.iter().filter(|s| s.at == "signature" || s.at.starts_with("signature.")).collect();
    if whole.is_empty() {
        because.push("parts of the document are signed, and nobody signed it as a whole".to_owned());
    }
    if broken > 0 || !left_out.is_empty() || whole.is_empty() {
        return (Some(false), because);
    }
    if whole.iter().any(|s| s.standing == Standing::Verified) {
        return (Some(true), because);
    }
    if keys.is_empty() || whole.iter().any(|s| s.standing == Standing::NotEvaluable) {
        because.push("who signed is not proved: that takes the signer's key, by another way than this document (--public-key)".to_owned());
        return (None, because);
    }
    let names = keys.iter().map(PublicKey::id).collect::<Vec<_>>().join(", ");
    because.push(format!("none of the keys given signed it: {names}"));
    (Some(false), because)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_across_two_pieces_is_found() {
        for before in (1 << 16) - 12..(1 << 16) + 2 {
            let text = [&vec![b' '; before][..], NAME, b"  "].concat();
            assert!(names_one(&*text).unwrap(), "{before}");
        }
        assert!(!names_one(&b"\"signatur\" \"e\""[..]).unwrap());
    }
}
