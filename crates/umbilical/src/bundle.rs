//! Signed bundles of tables and packs, for machines that no network reaches: made, opened, and kept in the home.
//!
//! A bundle is one line: a DSSE envelope around an in-toto statement whose subjects are the files by their digests and
//! whose predicate holds their texts and a serial number. A home takes a bundle only of a key that it trusts, and only
//! one with a higher serial than the one it has, so that nobody brings back facts that were corrected.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use umbilical_core::Day;
use umbilical_core::signed::{KNOWLEDGE, Standing, sha256};
use umbilical_evidence::signed::{Envelope, PublicKey};
use umbilical_knowledge::{Knowledge, table_names};
use umbilical_report::attest::{Signer, envelope, knowledge};

use crate::args::Global;
use crate::fail::Fail;
use crate::packs::{CASES, PACK};
use crate::{home, out};

/// A bundle of all tables and packs has two megabytes.
const MAX_BYTES: u64 = 256 << 20;

/// What a bundle holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Higher than that of every bundle before it.
    pub serial: u64,
    /// What its maker says about it.
    #[serde(default)]
    pub says: String,
    /// Texts by their paths in a folder of tables: `listings.csv`, `policies/us-ndaa-889/pack.toml`.
    pub files: BTreeMap<String, String>,
}

/// Which bundle is in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// Its serial.
    pub serial: u64,
    /// SHA-256 of the envelope.
    pub sha256: String,
    /// Id of the key that signed it.
    pub key: String,
    /// The newest day of its sources.
    pub sources_to: String,
    /// SHA-256 of its files, by their paths.
    pub files: BTreeMap<String, String>,
}

/// Whether a folder of tables may hold such a file.
fn belongs(path: &str) -> bool {
    let pack = || {
        let (id, file) = path.strip_prefix("policies/")?.split_once('/')?;
        let plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        Some(plain && [PACK, CASES].contains(&file))
    };
    table_names().any(|name| name == path) || pack().unwrap_or(false)
}

impl Bundle {
    /// The tables and packs of a folder. A folder with nothing of the kind is refused.
    pub fn of(folder: &Path, serial: u64, says: &str) -> Result<Self, Fail> {
        let mut files = BTreeMap::new();
        let mut take = |name: String| -> Result<(), Fail> {
            let path = folder.join(&name);
            if path.is_file() && belongs(&name) {
                let text = fs::read_to_string(&path).map_err(|source| Fail::Input { path, source })?;
                files.insert(name, text);
            }
            Ok(())
        };
        for name in table_names() {
            take(name.to_owned())?;
        }
        for entry in fs::read_dir(folder.join("policies")).into_iter().flatten().flatten() {
            if let Some(id) = entry.file_name().to_str() {
                take(format!("policies/{id}/{PACK}"))?;
                take(format!("policies/{id}/{CASES}"))?;
            }
        }
        if files.is_empty() {
            return Err(Fail::usage(
                format!("{}: no tables and no packs", folder.display()),
                "name a folder of tables as for --knowledge (`listings.csv`, `policies/ID/pack.toml`, …)",
            ));
        }
        Ok(Self { serial, says: says.to_owned(), files })
    }

    /// The signed line.
    pub fn sign(&self, signer: &Signer) -> String {
        let digests: Vec<(&str, String)> = self.files.iter().map(|(name, text)| (name.as_str(), sha256(text.as_bytes()))).collect();
        let predicate = serde_json::to_value(self).unwrap_or_default();
        envelope(&knowledge(digests.iter().map(|(n, d)| (*n, d.as_str())), &predicate), signer)
    }

    /// The digests of its files.
    pub fn digests(&self) -> BTreeMap<String, String> {
        self.files.iter().map(|(name, text)| (name.clone(), sha256(text.as_bytes()))).collect()
    }

    /// Opens a signed line and gives the id of the key that made it.
    pub fn open(text: &[u8], keys: &[PublicKey]) -> Result<(Self, String), Fail> {
        let proof = |what: String| Fail::Proof { what, help: Some("nothing of it is used".into()) };
        let envelope = Envelope::read(text).map_err(proof)?;
        let states = envelope.check(keys);
        let Some(key) = states.iter().find(|s| s.standing == Standing::Verified).and_then(|s| s.key.clone()) else {
            return Err(proof(states.first().map_or_else(|| "nobody signed it".to_owned(), |s| s.what.clone())));
        };
        let statement = envelope.statement().map_err(proof)?;
        if statement.predicate_type != KNOWLEDGE {
            return Err(proof(format!("a signed statement of another kind: {}", statement.predicate_type)));
        }
        let bundle: Self = serde_json::from_value(statement.predicate).map_err(|e| proof(format!("not a bundle: {e}")))?;
        let stated: BTreeMap<&str, Option<&str>> =
            statement.subjects.iter().filter_map(|s| Some((s.name.as_deref()?, s.digest("sha256")))).collect();
        for (name, text) in &bundle.files {
            if stated.get(&**name) != Some(&Some(&*sha256(text.as_bytes()))) {
                return Err(proof(format!("{name}: its digest is not the one that was signed")));
            }
            if !belongs(name) {
                return Err(proof(format!("{name}: this program knows no such table or pack: it needs a newer program")));
            }
        }
        Ok((bundle, key))
    }

    /// Writes its files into a folder.
    pub fn unpack(&self, folder: &Path) -> Result<(), Fail> {
        for (name, text) in &self.files {
            let path = folder.join(name);
            if let Some(parent) = path.parent() {
                home::make(parent)?;
            }
            out::private(&path, |w| w.write_all(text.as_bytes()))?;
        }
        Ok(())
    }
}

/// A bundle's bytes.
pub fn read(path: &Path) -> Result<Vec<u8>, Fail> {
    let fail = |source| Fail::Input { path: path.to_path_buf(), source };
    let size = fs::metadata(path).map_err(fail)?.len();
    if size > MAX_BYTES {
        return Err(Fail::usage(format!("{}: {size} bytes are no bundle", path.display()), format!("at most {MAX_BYTES} are read")));
    }
    fs::read(path).map_err(fail)
}

/// Whether a file is a signed statement, as far as its beginning tells.
pub fn is_bundle(path: &Path) -> bool {
    let head = fs::File::open(path).and_then(|f| {
        let mut head = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(f, 4096), &mut head).map(|_| head)
    });
    head.is_ok_and(|head| head.trim_ascii_start().starts_with(b"{") && String::from_utf8_lossy(&head).contains("\"payload"))
}

/// Keys of the home whose bundles are taken.
pub fn trusted(global: &Global) -> Result<Vec<PublicKey>, Fail> {
    let folder = home::folder(global)?.join(home::TRUSTED);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    paths.sort();
    crate::commands::bom::public_keys(&paths)
}

/// Which bundle is in use.
pub fn current(global: &Global) -> Option<Current> {
    let text = fs::read(home::folder(global).ok()?.join(home::BUNDLE)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Where the files of a bundle lie.
pub fn folder(global: &Global, bundle: &Current) -> Result<PathBuf, Fail> {
    Ok(home::folder(global)?.join(home::BUNDLES).join(format!("{}-{}", bundle.serial, bundle.sha256.get(..12).unwrap_or_default())))
}

/// The folder of the bundle in use, unless this program brings newer tables of its own.
///
/// # Errors
/// Where its files are not those that were signed.
pub fn installed(global: &Global) -> Result<Option<PathBuf>, Fail> {
    let Some(current) = current(global) else { return Ok(None) };
    if current.sources_to.parse::<Day>().ok() < Knowledge::embedded().sources_to() {
        return Ok(None);
    }
    let folder = folder(global, &current)?;
    for (name, digest) in &current.files {
        let path = folder.join(name);
        if fs::read(&path).map(|bytes| sha256(&bytes)).ok().as_ref() != Some(digest) {
            return Err(Fail::Proof {
                what: format!("{}: not what bundle {} brought: it was changed or removed", path.display(), current.serial),
                help: Some("import the bundle again; `umbilical doctor` shows its state".into()),
            });
        }
    }
    Ok(Some(folder))
}
