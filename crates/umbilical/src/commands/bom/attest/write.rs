//! What is signed.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use umbilical_assess::bom;
use umbilical_core::answer::bom::Check;
use umbilical_core::signed::{Opening, canonical};
use umbilical_knowledge::Knowledge;
use umbilical_report::{attest, json};
use zeroize::Zeroizing;

use super::{Attest, read};
use crate::args::Global;
use crate::commands::bom::common;
use crate::commands::{Reading, evidence, facts};
use crate::fail::Fail;
use crate::gate::Gates;
use crate::{home, out};

/// Makes a key. Neither file may be there: a key that is lost cannot be made again.
pub fn generate(global: &Global, name: &Path) -> Result<u8, Fail> {
    let with = |end: &str| {
        let mut path = name.as_os_str().to_owned();
        path.push(end);
        PathBuf::from(path)
    };
    let (private, public) = (with(".pem"), with(".pub.pem"));
    if let Some(there) = [&private, &public].into_iter().find(|p| p.symlink_metadata().is_ok()) {
        return Err(Fail::usage(format!("{} is there already", there.display()), "a key is never overwritten: choose another name"));
    }
    let mut seed = Zeroizing::new([0u8; 32]);
    getrandom::fill(&mut *seed).map_err(|e| Fail::usage(format!("the system gives no random numbers: {e}"), "make the key elsewhere"))?;
    let signer = attest::Signer::from_seed(&seed);
    let pem = signer.to_pem();
    make(&private, true, pem.as_ref().map(AsRef::as_ref).unwrap_or_default())?;
    make(&public, false, signer.public_pem().as_bytes())?;
    out::answer(global, |w| {
        writeln!(w, "{}  signs: keep it, for yourself alone", private.display())?;
        writeln!(w, "{}  verifies: give it to those who should", public.display())?;
        writeln!(w, "key {}", signer.id())
    })?;
    Ok(0)
}

fn make(path: &Path, private: bool, bytes: &[u8]) -> Result<(), Fail> {
    let fail = |source| Fail::Output { to: path.display().to_string(), source };
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options.open(path).map_err(fail)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(fail)
}

/// One envelope for each CycloneDX document, and one for the verdict over everything else.
pub fn statements(global: &Global, args: &Attest, signer: &attest::Signer) -> Result<u8, Fail> {
    let gates = Gates::parse(&global.fail_on, &[])?;
    let (mut lines, mut rest) = (String::new(), Vec::new());
    for path in &args.paths {
        match document(path, args)? {
            Some(text) => {
                let sha256 = umbilical_core::signed::sha256(&text);
                lines.push_str(&attest::envelope(&attest::cyclonedx(&path.display().to_string(), &sha256, &text), signer));
            }
            None => rest.push(path.clone()),
        }
    }
    let judged = !rest.is_empty();
    if !judged && (!args.without.is_empty() || !global.fail_on.is_empty()) {
        let what = "a CycloneDX document is signed as it is, and nothing is judged";
        return Err(Fail::usage(what, "with --verdict the answer of `bom check` is signed instead"));
    }
    let mut code = 0;
    if judged {
        let (check, claims) = judge(global, args, &rest)?;
        lines.push_str(&attest::envelope(&attest::verdict(&check, &claims), signer));
        code = common::code(&gates, &check);
    }
    out::answer(global, |w| w.write_all(lines.as_bytes()))?;
    Ok(code)
}

/// The bytes of a CycloneDX document in JSON that is to be signed as it is.
fn document(path: &Path, args: &Attest) -> Result<Option<Vec<u8>>, Fail> {
    if args.verdict || path.as_os_str() == "-" || path.is_dir() {
        return Ok(None);
    }
    let text = read(path)?;
    let json = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text).trim_ascii_start().first() == Some(&b'{');
    if !json || !text.windows(11).any(|w| w == b"\"bomFormat\"") {
        return Ok(None);
    }
    let whole = canonical::parse(&text).map_err(|e| {
        let help = "a document that readers understand differently is not signed; with --verdict the answer of `bom check` is";
        Fail::usage(format!("{}: {e}", path.display()), help)
    })?;
    Ok((whole.get("bomFormat").and_then(Value::as_str) == Some("CycloneDX")).then_some(text))
}

/// Signs inside a CycloneDX document.
pub fn inside(global: &Global, args: &Attest, signer: &attest::Signer) -> Result<u8, Fail> {
    let [path] = &*args.paths else {
        return Err(Fail::usage("--sign-inside takes one document", "sign each by itself"));
    };
    let Some(text) = document(path, args)? else {
        let help = "--sign-inside takes CycloneDX in JSON; any other file is signed in an envelope, without that flag";
        return Err(Fail::usage(format!("{}: no CycloneDX document in JSON", path.display()), help));
    };
    let signed = canonical::parse(&text).and_then(|document| attest::inside(document, signer));
    let signed = signed.map_err(|e| Fail::usage(format!("{}: {e}", path.display()), "see the page on bom attest"))?;
    out::answer(global, |w| json::one(w, &signed))?;
    Ok(0)
}

/// Writes declarations.
pub fn declarations(global: &Global, args: &Attest) -> Result<u8, Fail> {
    let gates = Gates::parse(&global.fail_on, &[])?;
    let signer = args.key.as_deref().map(super::signer).transpose()?;
    let (check, claims) = judge(global, args, &args.paths)?;
    let document = attest::declarations(&check, &claims, signer.as_ref());
    let document = document.map_err(|e| Fail::usage(e, "see the page on bom attest"))?;
    out::answer(global, |w| json::one(w, &document))?;
    Ok(common::code(&gates, &check))
}

/// Writes a redacted statement, and beside it what opens it, for its owner alone. That comes first: a statement whose
/// opening is lost can prove nothing more.
pub fn redact(global: &Global, args: &Attest, signer: &attest::Signer) -> Result<u8, Fail> {
    let gates = Gates::parse(&global.fail_on, &[])?;
    let beside = global.output.as_ref().map(|output| {
        let mut path = output.as_os_str().to_owned();
        path.push(".opening.json");
        PathBuf::from(path)
    });
    let Some(opening_path) = args.opening.clone().or(beside) else {
        return Err(Fail::usage("nowhere to keep what opens the statement", "name the statement with -o, or the opening with --opening"));
    };
    let (check, claims) = judge(global, args, &args.paths)?;
    let (statement, opening) = attest::redact(&check, &claims, signer);
    out::private(&opening_path, |w| json::one(w, &opening))?;
    out::answer(global, |w| w.write_all(attest::envelope(&statement, signer).as_bytes()))?;
    Ok(common::code(&gates, &check))
}

/// Takes one leaf out of an opening.
pub fn reveal(global: &Global, path: &Path, index: u64) -> Result<u8, Fail> {
    let text = read(path)?;
    let opening: Opening = serde_json::from_slice(&text).map_err(|e| {
        Fail::usage(format!("{}: no opening of a redacted statement: {e}", path.display()), "it was written beside the statement")
    })?;
    let proof = attest::reveal(opening, index).map_err(|e| Fail::usage(format!("{}: {e}", path.display()), "see the opening's list"))?;
    out::answer(global, |w| json::one(w, &proof))?;
    Ok(0)
}

/// What is judged, and the claims that somebody wants to stand by.
fn judge(global: &Global, args: &Attest, paths: &[PathBuf]) -> Result<(Check, Vec<attest::Claim>), Fail> {
    let kb = facts(global)?;
    let makers = args.without.iter().map(|name| maker(&kb, name)).collect::<Result<Vec<_>, _>>()?;
    let all = evidence(global, &kb, Reading::bom(paths, args.map.as_deref()))?;
    let check = bom::check(all, &kb, &bom::Options::on(home::as_of(global)));
    if check.files.is_empty() {
        return Err(Fail::NothingReadable("no bill of materials among the inputs, so there is nothing to state".into()));
    }
    let claims = attest::claims(&check, &makers);
    Ok((check, claims))
}

/// The name that modules of a maker go by. A name that nobody knows, or a misspelt one, would hold for every board.
fn maker(kb: &Knowledge, name: &str) -> Result<String, Fail> {
    let unknown =
        || Fail::usage(format!("--without: no maker is known as `{name}`"), "`umbilical lookup NAME` shows what is known by a name");
    kb.brand(name).map(|b| b.brand.to_string()).ok_or_else(unknown)
}
