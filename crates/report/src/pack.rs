//! Evidence packs: artefacts as they came, what was concluded of them and what people decided, in one tar file that can be
//! checked with no network and without this program.
//!
//! | member | holds |
//! |---|---|
//! | `evidence/SHA256` | the bytes of an artefact |
//! | `evidence.jsonl` | a line for each artefact: name, digest, who brought it and when, the chain of custody |
//! | `devices.jsonl`, `findings.jsonl`, `decisions.jsonl` | a line for each |
//! | `manifest.intoto.jsonl` or `manifest.json` | last: every other member by its SHA-256, as an in-toto statement; the first where it is signed (DSSE) |
//!
//! Members have no time and no owner, so the same contents are the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use umbilical_core::signed::{PACK, STATEMENT, hex};

use crate::attest::{Signer, envelope};

/// The manifest of a pack that is signed.
pub const SIGNED: &str = "manifest.intoto.jsonl";
/// The manifest of one that is not.
pub const UNSIGNED: &str = "manifest.json";
/// Rows of the artefacts.
pub const CUSTODY: &str = "evidence.jsonl";
/// Where artefacts lie.
pub const ARTEFACTS: &str = "evidence/";

/// A manifest names every member: a million artefacts have a hundred megabytes.
const MOST_MANIFEST: u64 = 256 << 20;

/// A pack under way.
pub struct Packer<W: Write> {
    tar: tar::Builder<W>,
    members: Vec<(String, String)>,
}

impl<W: Write> Packer<W> {
    /// Begins one.
    pub fn new(to: W) -> Self {
        Self { tar: tar::Builder::new(to), members: Vec::new() }
    }

    /// Adds a member of exactly `bytes` bytes, and gives its SHA-256.
    ///
    /// # Errors
    /// What reading and writing say; a source that is shorter or longer than it was said to be.
    pub fn add(&mut self, name: &str, bytes: u64, from: impl Read) -> io::Result<String> {
        let mut hashed = Hashed { from: from.take(bytes.saturating_add(1)), hash: Sha256::new(), read: 0 };
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_mtime(0);
        header.set_entry_type(tar::EntryType::Regular);
        self.tar.append_data(&mut header, name, (&mut hashed).take(bytes))?;
        // One byte more would be left over.
        let more = hashed.read(&mut [0u8; 1])?;
        if hashed.read != bytes || more > 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{name} has not the {bytes} bytes that it should have")));
        }
        let sha256 = hex(&hashed.hash.finalize());
        self.members.push((name.to_owned(), sha256.clone()));
        Ok(sha256)
    }

    /// Closes the pack with its manifest. `about` is what the pack says of itself.
    ///
    /// # Errors
    /// What writing says.
    pub fn finish(mut self, about: &Value, signer: Option<&Signer>) -> io::Result<W> {
        self.members.sort();
        let subjects: Vec<Value> =
            self.members.iter().map(|(name, sha256)| json!({ "name": name, "digest": { "sha256": sha256 } })).collect();
        let statement = json!({ "_type": STATEMENT, "subject": subjects, "predicateType": PACK, "predicate": about }).to_string();
        let (name, text) = match signer {
            Some(signer) => (SIGNED, envelope(statement.as_bytes(), signer)),
            None => (UNSIGNED, format!("{statement}\n")),
        };
        self.add(name, text.len() as u64, text.as_bytes())?;
        self.tar.into_inner()
    }
}

/// Hashes what passes, and counts it.
struct Hashed<R> {
    from: R,
    hash: Sha256,
    read: u64,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buf)?;
        self.hash.update(buf.get(..n).unwrap_or_default());
        self.read = self.read.saturating_add(n as u64);
        Ok(n)
    }
}

/// What lies in a pack.
#[derive(Debug, Default)]
pub struct Contents {
    /// Members by name: length and SHA-256.
    pub members: BTreeMap<String, (u64, String)>,
    /// The manifest as it came, and whether it is a signed envelope.
    pub manifest: Option<(Vec<u8>, bool)>,
    /// What is wrong with the pack by itself, in sentences.
    pub problems: Vec<String>,
}

/// Reads a pack to its end. Nothing is unpacked.
///
/// # Errors
/// What reading says; a file that is no tar.
pub fn read(from: impl Read) -> io::Result<Contents> {
    let mut out = Contents::default();
    let mut custody: BTreeSet<String> = BTreeSet::new();
    let mut archive = tar::Archive::new(from);
    for entry in archive.entries()? {
        let entry = entry?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() {
            out.problems.push(format!("{name} is no file: a pack holds files alone"));
            continue;
        }
        if out.manifest.is_some() {
            out.problems.push(format!("{name} stands behind the manifest"));
        }
        let mut hashed = Hashed { from: entry, hash: Sha256::new(), read: 0 };
        let is_manifest = name == SIGNED || name == UNSIGNED;
        let mut text = Vec::new();
        if is_manifest || name == CUSTODY {
            (&mut hashed).take(MOST_MANIFEST).read_to_end(&mut text)?;
        }
        io::copy(&mut hashed, &mut io::sink())?;
        let sha256 = hex(&hashed.hash.finalize());
        if name == CUSTODY {
            let rows = text.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
            custody.extend(rows.filter_map(|row| row.get("sha256").and_then(Value::as_str).map(str::to_owned)));
        }
        if name.strip_prefix(ARTEFACTS).is_some_and(|digest| digest != sha256) {
            out.problems.push(format!("{name} is not what its name says: its SHA-256 is {sha256}"));
        }
        if is_manifest {
            out.manifest = Some((text, name == SIGNED));
        } else if out.members.insert(name.clone(), (hashed.read, sha256)).is_some() {
            out.problems.push(format!("{name} stands twice"));
        }
    }
    let orphans = out.members.keys().filter_map(|n| n.strip_prefix(ARTEFACTS)).filter(|d| !custody.contains(*d));
    let orphans: Vec<String> = orphans.map(|d| format!("{ARTEFACTS}{d} has no row in {CUSTODY}")).collect();
    out.problems.extend(orphans);
    if out.manifest.is_none() {
        out.problems.push("there is no manifest: the pack was cut, or is none".to_owned());
    }
    Ok(out)
}

impl Contents {
    /// Holds every member to the digests of the manifest: what does not fit, in sentences.
    pub fn against<'a>(&self, stated: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
        let stated: BTreeMap<&str, &str> = stated.into_iter().collect();
        let mut wrong = Vec::new();
        for (name, (_, sha256)) in &self.members {
            match stated.get(name.as_str()) {
                None => wrong.push(format!("{name} is not in the manifest")),
                Some(digest) if *digest != sha256 => {
                    wrong.push(format!("{name} was changed: its SHA-256 is {sha256}, the manifest has {digest}"))
                }
                Some(_) => {}
            }
        }
        wrong.extend(
            stated.keys().filter(|n| !self.members.contains_key(**n)).map(|n| format!("{n} is in the manifest and not in the pack")),
        );
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack() -> Vec<u8> {
        let mut packer = Packer::new(Vec::new());
        let body = b"Bus 001 Device 002: ID 2c7c:0125";
        let digest = hex(&Sha256::digest(body));
        packer.add(&format!("{ARTEFACTS}{digest}"), body.len() as u64, &body[..]).unwrap();
        let rows = format!("{}\n", json!({ "name": "lsusb.txt", "sha256": digest }));
        packer.add(CUSTODY, rows.len() as u64, rows.as_bytes()).unwrap();
        packer.finish(&json!({}), None).unwrap()
    }

    fn stated(contents: &Contents) -> Vec<(String, String)> {
        let manifest: Value = serde_json::from_slice(&contents.manifest.as_ref().unwrap().0).unwrap();
        let subjects = manifest["subject"].as_array().unwrap().clone();
        subjects.iter().map(|s| (s["name"].as_str().unwrap().to_owned(), s["digest"]["sha256"].as_str().unwrap().to_owned())).collect()
    }

    fn wrong(bytes: &[u8]) -> Vec<String> {
        let Ok(contents) = read(bytes) else { return vec!["no tar".into()] };
        let mut out = contents.problems.clone();
        if let Some((manifest, _)) = &contents.manifest {
            if serde_json::from_slice::<Value>(manifest).is_err() {
                out.push("the manifest cannot be read".into());
                return out;
            }
            let stated = stated(&contents);
            out.extend(contents.against(stated.iter().map(|(n, d)| (&**n, &**d))));
        }
        out
    }

    #[test]
    fn a_pack_is_whole_and_the_same_each_time() {
        assert_eq!(pack(), pack());
        assert_eq!(wrong(&pack()), [""; 0]);
    }

    #[test]
    fn a_changed_byte_of_a_member_shows_and_a_cut_pack_is_none() {
        let whole = pack();
        let at = whole.windows(4).position(|w| w == b"2c7c").unwrap();
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let said = wrong(&changed);
        assert!(said.iter().any(|s| s.contains("is not what its name says")) && said.iter().any(|s| s.contains("was changed")), "{said:?}");
        for cut in [0, 100, 512, 1024, 1536, 2048, whole.len() - 2000] {
            assert_ne!(wrong(&whole[..cut]), [""; 0], "cut at {cut}");
        }
    }

    #[test]
    fn a_source_of_another_length_is_refused() {
        for bytes in [2, 4] {
            assert!(Packer::new(Vec::new()).add("a", bytes, &b"abc"[..]).is_err(), "{bytes}");
        }
    }
}
