//! `bom attest`: signed statements about bills of materials, and their verification.

mod verify;
mod write;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use umbilical_report::attest::Signer;
use zeroize::Zeroizing;

use crate::args::{Format, Global};
use crate::commands::formats;
use crate::fail::Fail;

/// Shown behind the help.
pub const EXAMPLES: &str =
    "A signature says that the holder of a key stands by these bytes. It does not say that a bill of materials is true.

Examples:
  umbilical bom attest --generate-key acme                          acme.pem (keep it) and acme.pub.pem
  umbilical bom attest gw.cdx.json --key acme.pem -o gw.intoto.jsonl
  umbilical bom attest --verify gw.intoto.jsonl --public-key acme.pub.pem gw.cdx.json
  umbilical bom attest hw/ --key acme.pem --without Quectel -o hw.intoto.jsonl
  umbilical bom attest gw.cdx.json --sign-inside --key acme.pem -o gw.signed.cdx.json
  umbilical bom attest hw/ --declarations -o hw.declarations.cdx.json
  umbilical bom attest hw/ --redact --key acme.pem -o hw.redacted.jsonl
  umbilical bom attest --reveal 7 --opening hw.redacted.jsonl.opening.json -o part.json
  umbilical bom attest --verify hw.redacted.jsonl --public-key acme.pub.pem --proof part.json";

/// Sign statements about bills of materials, and verify them
#[derive(Args, Debug, Default)]
pub struct Attest {
    /// Bills of materials to sign; with --verify, files to compare with what was signed
    #[arg(value_name = "FILE")]
    pub paths: Vec<PathBuf>,
    /// The signing key: Ed25519, PKCS#8 in PEM
    #[arg(long, value_name = "KEY.pem")]
    pub key: Option<PathBuf>,
    /// Sign the answer of `bom check` also where the file is CycloneDX (otherwise the document itself is signed)
    #[arg(long)]
    pub verdict: bool,
    /// State as well that no cellular module of this maker is declared, and whether that holds (repeatable)
    #[arg(long, value_name = "MAKER")]
    pub without: Vec<String>,
    /// Put the signature into the CycloneDX document (JSON Signature Format)
    #[arg(long, group = "instead", requires = "key")]
    pub sign_inside: bool,
    /// Write CycloneDX 1.6 declarations: claims, evidence, conformance; signed inside where --key is given
    #[arg(long, group = "instead")]
    pub declarations: bool,
    /// Give the verdict and keep the parts back; what opens it goes beside the output
    #[arg(long, group = "instead", requires = "key")]
    pub redact: bool,
    /// Take one leaf of a redacted statement out of its opening, with its proof
    #[arg(long, group = "instead", value_name = "N", requires = "opening")]
    pub reveal: Option<u64>,
    /// What opens a redacted statement
    #[arg(long, value_name = "FILE")]
    pub opening: Option<PathBuf>,
    /// Make a key: NAME.pem, for its owner alone, and NAME.pub.pem
    #[arg(long, group = "instead", value_name = "NAME", conflicts_with_all = ["key", "paths"])]
    pub generate_key: Option<PathBuf>,
    /// Verify a signed statement, or the signatures inside a CycloneDX document
    #[arg(long, group = "instead", value_name = "SIGNED", conflicts_with = "key")]
    pub verify: Option<PathBuf>,
    /// The signer's public key, PEM (repeatable: one that signed is enough)
    #[arg(long, value_name = "KEY.pub.pem", requires = "verify")]
    pub public_key: Vec<PathBuf>,
    /// A part that a supplier revealed of a redacted statement (repeatable)
    #[arg(long, value_name = "FILE", requires = "verify")]
    pub proof: Vec<PathBuf>,
    /// Properties that a signature inside a document may leave out
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "verify")]
    pub accept_unsigned: Vec<String>,
    /// How columns of tables map to fields (TOML)
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
}

/// Runs it.
pub fn run(global: &Global, args: &Attest) -> Result<u8, Fail> {
    if let Some(signed) = &args.verify {
        formats(global, "bom attest --verify", &[Format::Table, Format::Json])?;
        return verify::run(global, args, signed);
    }
    formats(global, "bom attest", &[Format::Table])?;
    if let Some(name) = &args.generate_key {
        return write::generate(global, name);
    }
    if let (Some(index), Some(opening)) = (args.reveal, &args.opening) {
        return write::reveal(global, opening, index);
    }
    if args.paths.is_empty() {
        return Err(Fail::usage("nothing to sign", "name files or folders; see `umbilical bom attest --help`"));
    }
    if args.declarations {
        return write::declarations(global, args);
    }
    let Some(key) = &args.key else {
        return Err(Fail::usage("no key to sign with", "name one with --key, or make one with --generate-key NAME"));
    };
    let signer = signer(key)?;
    if args.sign_inside {
        write::inside(global, args, &signer)
    } else if args.redact {
        write::redact(global, args, &signer)
    } else {
        write::statements(global, args, &signer)
    }
}

/// Verifies signed statements as `--verify` does, for other commands.
pub(super) fn verified(global: &Global, signed: &Path, keys: &[PathBuf], files: &[PathBuf]) -> Result<u8, Fail> {
    let args = Attest { paths: files.to_vec(), public_key: keys.to_vec(), ..Attest::default() };
    verify::run(global, &args, signed)
}

fn read(path: &Path) -> Result<Vec<u8>, Fail> {
    fs::read(path).map_err(|source| Fail::Input { path: path.to_path_buf(), source })
}

/// The signing key. Its text is wiped again, and no message holds any of it.
pub(crate) fn signer(path: &Path) -> Result<Signer, Fail> {
    let bytes = Zeroizing::new(read(path)?);
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    Signer::from_pem(text).map_err(|e| Fail::usage(format!("{}: {e}", path.display()), "make one with --generate-key NAME"))
}
