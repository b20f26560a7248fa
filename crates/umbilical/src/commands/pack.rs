//! `export --pack`: evidence, conclusions and decisions of the store in one file; `verify`: such a file, offline.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use umbilical_core::signed::{PACK, SignatureState, Standing, canonical};
use umbilical_core::text::clean;
use umbilical_evidence::signed::{Envelope, PublicKey};
use umbilical_report::pack::{Contents, read};
use umbilical_store::Scope;
use umbilical_store::query::Query;
use umbilical_web::packing::{Counts, Source};

use super::{bom, facts, formats};
use crate::args::{Format, Global};
use crate::fail::Fail;
use crate::stored::{self, Stored};
use crate::{home, out};

/// `export --pack`.
#[derive(Args, Debug, Default)]
pub struct Pack {
    /// Write an evidence pack of the store: artefacts, devices, findings, decisions, under one manifest
    #[arg(long)]
    pub pack: bool,
    /// The signing key of the pack: Ed25519, PKCS#8 in PEM
    #[arg(long, value_name = "KEY.pem", requires = "pack")]
    pub key: Option<PathBuf>,
    /// Devices that belong into the pack, as the fleet is asked: maker:quectel AND NOT site:lab [default: all]
    #[arg(long, value_name = "QUERY", requires = "pack")]
    pub query: Option<String>,
    /// The store: a file, or postgres://USER@HOST/NAME [default: umbilical.db of the home]
    #[arg(long, value_name = "URL", env = "UMBILICAL_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
}

/// `verify`.
#[derive(Args, Debug)]
pub struct Verify {
    /// The pack
    #[arg(value_name = "PACK")]
    pub pack: PathBuf,
    /// The signer's public key, PEM (repeatable: one that signed is enough)
    #[arg(long, value_name = "KEY.pub.pem")]
    pub public_key: Vec<PathBuf>,
}

/// Shown behind the help of `export`.
pub const EXPORT: &str =
    "A pack holds artefacts as they came, what was concluded of them and what people decided, in one tar file under one manifest.
The bytes of artefacts may hold subscriber numbers: without --show-subscribers they are there by their digests alone.

Examples:
  umbilical export edges --format csv
  umbilical export --pack --key cert.pem -o fleet.pack
  umbilical export --pack --query \"site:plant-7 verdict:fail\" --show-subscribers -o plant-7.pack";

/// Shown behind the help of `verify`.
pub const EXAMPLES: &str =
    "Checks an evidence pack with no network: every member against the manifest, every artefact against its name, the signature.
Exit codes: 0 it holds, or nobody says who signed · 4 something was changed, is missing, or was not signed by these keys

Examples:
  umbilical verify fleet.pack --public-key cert.pub.pem
  umbilical verify fleet.pack --fail-on unknown          exit 3 where no key proves who signed";

/// Writes a pack.
pub fn export(global: &Global, args: &Pack) -> Result<u8, Fail> {
    formats(global, "export --pack", &[Format::Table])?;
    let Some(to) = &global.output else {
        return Err(Fail::usage("a pack is a file: name it", "umbilical export --pack -o fleet.pack"));
    };
    let signer = args.key.as_deref().map(bom::attest::signer).transpose()?;
    let text = args.query.as_deref().unwrap_or_default();
    let query =
        Query::parse(text).map_err(|e| Fail::usage(format!("--query: {e}"), "`umbilical serve` asks its fleet in the same words"))?;
    let folder = home::folder(global)?;
    let opened = Stored::open(&stored::place(global, args.database.as_deref())?)?;
    let scope = if global.show_subscribers { Scope::ALL } else { Scope::MASKED };
    let source = Source { store: &opened.store, scope: &scope, query: &query, whole: args.query.is_none() };
    let prepared = source.prepare(&folder, &opened).map_err(|source| Fail::Output { to: "the pack".into(), source })?;
    let mut counts = Counts::default();
    out::answer(global, |w| {
        counts = prepared.write(w, signer.as_ref())?;
        Ok(())
    })?;
    let Counts { devices, artefacts, left } = counts;
    let mut out = io::stdout().lock();
    let mut said = || -> io::Result<()> {
        writeln!(out, "{}: {devices} devices, {artefacts} artefacts", to.display())?;
        if left > 0 {
            writeln!(
                out,
                "{left} artefacts are there by their digests alone: their bytes may hold subscriber numbers (--show-subscribers), or are not kept"
            )?;
        }
        Ok(())
    };
    said().map_err(|source| Fail::Output { to: "standard output".into(), source })?;
    Ok(0)
}

/// Verifies a pack.
pub fn verify(global: &Global, args: &Verify) -> Result<u8, Fail> {
    formats(global, "verify", &[Format::Table, Format::Json])?;
    let gates = crate::gate::Gates::parse(&global.fail_on, &[])?;
    let keys = bom::public_keys(&args.public_key)?;
    let input = |source| Fail::Input { path: args.pack.clone(), source };
    let file = File::open(&args.pack).map_err(input)?;
    let contents = read(BufReader::with_capacity(1 << 20, file))
        .map_err(|e| Fail::NothingReadable(format!("{}: not a pack: {e}", args.pack.display())))?;
    let checked = checked(&contents, &keys);
    let kb = facts(global)?;
    let day = home::as_of(global);
    let members: Vec<_> =
        contents.members.iter().map(|(name, (bytes, sha256))| json!({ "name": name, "bytes": bytes, "sha256": sha256 })).collect();
    let document = json!({
        "schema": "umbilical.verify/1",
        "as_of": day.to_string(),
        "knowledge": umbilical_assess::trace::stamp(&kb, day),
        "inputs": [],
        "problems": [],
        "pack": args.pack.display().to_string(),
        "verified": checked.verified,
        "because": checked.because,
        "signatures": checked.signatures,
        "about": checked.about,
        "members": members,
    });
    out::answer(global, |w| match global.format {
        Format::Json => umbilical_report::json::one(w, &document),
        _ => {
            let word = match checked.verified {
                Some(true) => "verified",
                Some(false) => "NOT verified",
                None => "whole, and nobody proves who made it",
            };
            writeln!(w, "{}: {word}", clean(&args.pack.display().to_string()))?;
            writeln!(w, "  {} members", contents.members.len())?;
            checked.because.iter().try_for_each(|b| writeln!(w, "  - {}", clean(b)))
        }
    })?;
    let seen = crate::gate::Seen { unknown: checked.verified.is_none(), undisclosed: false };
    Ok(if checked.verified == Some(false) { 4 } else { gates.code(std::iter::empty::<&umbilical_core::finding::Finding>(), seen) })
}

/// What a pack is worth.
struct Checked {
    verified: Option<bool>,
    because: Vec<String>,
    signatures: Vec<SignatureState>,
    about: serde_json::Value,
}

fn checked(contents: &Contents, keys: &[PublicKey]) -> Checked {
    let mut out =
        Checked { verified: Some(false), because: contents.problems.clone(), signatures: Vec::new(), about: serde_json::Value::Null };
    let Some((manifest, signed)) = &contents.manifest else { return out };
    let statement = if *signed {
        match Envelope::read(manifest) {
            Ok(envelope) => {
                out.signatures = envelope.check(keys);
                canonical::parse(&envelope.payload)
            }
            Err(what) => Err(what),
        }
    } else {
        canonical::parse(manifest)
    };
    let statement = match statement {
        Ok(statement) if statement.get("predicateType").and_then(|t| t.as_str()) == Some(PACK) => statement,
        Ok(_) => {
            out.because.push("the manifest is a statement of another kind".to_owned());
            return out;
        }
        Err(what) => {
            out.because.push(format!("the manifest cannot be read: {what}"));
            return out;
        }
    };
    let text = |v: &serde_json::Value, name: &str| v.get(name).and_then(|t| t.as_str()).map(str::to_owned);
    let subjects = statement.get("subject").and_then(|s| s.as_array()).into_iter().flatten();
    let stated: Vec<(String, String)> = subjects.filter_map(|s| Some((text(s, "name")?, text(s.get("digest")?, "sha256")?))).collect();
    out.because.extend(contents.against(stated.iter().map(|(n, d)| (&**n, &**d))));
    out.about = statement.get("predicate").cloned().unwrap_or_default();
    let proved = out.signatures.iter().any(|s| s.standing == Standing::Verified);
    let broken = out.signatures.iter().any(|s| s.standing == Standing::Broken);
    let whole = out.because.is_empty();
    out.because.extend(out.signatures.iter().map(|s| s.what.clone()));
    if !*signed {
        out.because.push("nobody signed the manifest".to_owned());
    }
    out.verified = match (whole && !broken, proved, keys.is_empty()) {
        (true, true, _) => Some(true),
        (true, false, true) => None,
        _ => Some(false),
    };
    out
}
