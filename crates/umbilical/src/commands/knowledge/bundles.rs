//! Bundles: made, verified, taken into the home, with one advisory where that turns verdicts.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use umbilical_assess::judge::run_cases;
use umbilical_core::Day;
use umbilical_core::signed::sha256;
use umbilical_core::text::clean;
use umbilical_evidence::signed::PublicKey;
use umbilical_knowledge::Knowledge;
use umbilical_report::{View, policy as page};

use crate::args::{Format, Global};
use crate::bundle::{self, Bundle, Current};
use crate::commands::{bom, formats, policy};
use crate::fail::Fail;
use crate::packs::Packs;
use crate::{home, out};

/// Makes a bundle. What is wrong in it is found before it is signed.
pub fn make(global: &Global, folder: &Path, key: &Path, serial: u64, says: &str) -> Result<u8, Fail> {
    formats(global, "knowledge bundle", &[Format::Table])?;
    let bundle = Bundle::of(folder, serial, says)?;
    checked(global, folder)?;
    let signer = bom::attest::signer(key)?;
    out::answer(global, |w| w.write_all(bundle.sign(&signer).as_bytes()))?;
    Ok(0)
}

/// Opens a bundle and checks what it holds, in a folder that is gone afterwards.
pub fn verify(global: &Global, file: &Path, keys: &[PathBuf]) -> Result<u8, Fail> {
    formats(global, "knowledge verify", &[Format::Table])?;
    let text = bundle::read(file)?;
    let (bundle, key) = Bundle::open(&text, &keys_of(global, keys)?)?;
    let folder = home::folder(global)?.join(home::BUNDLES).join(format!("check.{}", std::process::id()));
    let cases = bundle.unpack(&folder).and_then(|()| checked(global, &folder));
    let _ = fs::remove_dir_all(&folder);
    let (cases, _) = cases?;
    out::answer(global, |w| {
        said(w, &bundle, &key)?;
        bundle.files.iter().try_for_each(|(name, text)| writeln!(w, "  {name}  {}", sha256(text.as_bytes())))?;
        writeln!(w, "tables and packs are right; {cases} cases of packs are green")
    })?;
    Ok(0)
}

/// Takes a bundle into the home.
pub fn import(global: &Global, file: &Path, keys: &[PathBuf]) -> Result<u8, Fail> {
    formats(global, "knowledge import", &[Format::Table])?;
    let text = bundle::read(file)?;
    let (bundle, key) = Bundle::open(&text, &keys_of(global, keys)?)?;
    let mut new =
        Current { serial: bundle.serial, sha256: sha256(&text), key: key.clone(), sources_to: String::new(), files: bundle.digests() };
    if let Some(old) = bundle::current(global) {
        if old.sha256 == new.sha256 && bundle::installed(global).is_ok() {
            out::answer(global, |w| writeln!(w, "bundle {} is in use already", old.serial))?;
            return Ok(0);
        }
        if old.sha256 != new.sha256 && old.serial >= new.serial {
            return Err(Fail::Proof {
                what: format!("bundle {} is not newer than bundle {}, which is in use: a home takes no step back", new.serial, old.serial),
                help: Some("ask its maker for one with a higher serial".into()),
            });
        }
    }
    let folder = bundle::folder(global, &new)?;
    // What an import that broke off left behind.
    let _ = fs::remove_dir_all(&folder);
    let cases = bundle.unpack(&folder).and_then(|()| checked(global, &folder));
    let (cases, sources_to) = match cases {
        Ok(right) => right,
        Err(broken) => {
            let _ = fs::remove_dir_all(&folder);
            return Err(broken);
        }
    };
    new.sources_to = sources_to.map(|d| d.to_string()).unwrap_or_default();
    // Judged before and after: by what is in use now, and by what will be.
    let after = Global { knowledge: Some(folder.clone()), ..global.clone() };
    let judged = home::folder(global)?.join(home::AUDIT).is_file() && bundle::installed(global).is_ok();
    let turned = match judged {
        true => Some(policy::diff::turned(global, &after)?),
        false => None,
    };
    trust(global, keys)?;
    let path = home::folder(global)?.join(home::BUNDLE);
    let pointer = serde_json::to_vec(&new).unwrap_or_default();
    out::private(&path, |w| w.write_all(&pointer))?;
    forget(global, &folder)?;
    let older = bundle::installed(global)?.is_none();
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| {
        said(w, &bundle, &key)?;
        writeln!(w, "in use from now on; {cases} cases of packs are green")?;
        if older {
            writeln!(w, "This program brings newer tables of its own: they are used instead.")?;
        }
        match turned {
            None => writeln!(w, "no audit is kept, or none by facts that can be used: nothing is judged anew"),
            Some(turned) if turned.changes.is_empty() => writeln!(w, "no verdict about the last audit changes"),
            Some(turned) => {
                let devices: std::collections::BTreeSet<&str> = turned.changes.iter().map(|c| c.subject.as_str()).collect();
                writeln!(w, "\nAdvisory: {} verdicts about {} devices of the last audit change", turned.changes.len(), devices.len())?;
                page::diff(w, &turned, &view)
            }
        }
    })?;
    Ok(0)
}

fn said(w: &mut dyn Write, bundle: &Bundle, key: &str) -> io::Result<()> {
    writeln!(w, "bundle {}, signed by the key {key}: {} files", bundle.serial, bundle.files.len())?;
    if bundle.says.is_empty() { Ok(()) } else { writeln!(w, "  {}", clean(&bundle.says)) }
}

/// Holds tables and packs to all their rules, and packs to their cases. Gives how many cases there are, and
/// the newest day of the sources.
fn checked(global: &Global, folder: &Path) -> Result<(usize, Option<Day>), Fail> {
    let kb = Knowledge::with_dir(folder)?;
    let global = Global { knowledge: Some(folder.to_path_buf()), ..global.clone() };
    let mut green = 0usize;
    for (pack, cases) in Packs::of(&global)?.all()? {
        for ran in run_cases(&pack, &cases, &kb)? {
            if !ran.is_right() {
                let what =
                    format!("{} line {}: the case `{}` of {} comes out as {}", cases.name, ran.line, ran.name, ran.rule, ran.got.name());
                return Err(Fail::usage(what, "a pack and the tables beside it must agree with its cases"));
            }
            green = green.saturating_add(1);
        }
    }
    Ok((green, kb.sources_to()))
}

/// The keys that are named, and those that the home trusts.
fn keys_of(global: &Global, named: &[PathBuf]) -> Result<Vec<PublicKey>, Fail> {
    let mut keys = bom::public_keys(named)?;
    keys.extend(bundle::trusted(global)?);
    if keys.is_empty() {
        return Err(Fail::usage("no key is trusted yet", "name the signer's with --public-key; `import` trusts it from then on"));
    }
    Ok(keys)
}

/// Keeps the keys that were named.
fn trust(global: &Global, named: &[PathBuf]) -> Result<(), Fail> {
    let folder = home::folder(global)?.join(home::TRUSTED);
    home::make(&folder)?;
    for (path, key) in named.iter().zip(bom::public_keys(named)?) {
        let text = fs::read(path).map_err(|source| Fail::Input { path: path.clone(), source })?;
        out::private(&folder.join(format!("{}.pem", key.id())), |w| w.write_all(&text))?;
    }
    Ok(())
}

/// Removes the folders of earlier bundles.
fn forget(global: &Global, keep: &Path) -> Result<(), Fail> {
    let folder = home::folder(global)?.join(home::BUNDLES);
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten().filter(|e| e.path() != keep) {
        fs::remove_dir_all(entry.path()).map_err(|source| Fail::Output { to: entry.path().display().to_string(), source })?;
    }
    Ok(())
}
