//! `knowledge …`: facts from elsewhere: a licensed TAC file, signed bundles of tables and packs.

mod bundles;
mod tac;

use std::path::PathBuf;

use clap::Subcommand;

use crate::args::Global;
use crate::bundle;
use crate::fail::Fail;

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Knowledge {
    /// Take into the home: a signed bundle of tables and packs, or a licensed TAC file
    #[command(
        after_help = "A bundle is taken of a key that the home trusts, and only with a higher serial than the one in use. Where it turns a verdict
about the last audit, one advisory names the devices.
A TAC file (CSV or TSV; delimiter and header are guessed) stays in the home, is used by every later audit and never passed on.

Examples:
  umbilical knowledge import facts-2026-12.bundle --public-key cert.pub.pem      the first; the key is trusted from then on
  umbilical knowledge import facts-2027-01.bundle
  umbilical knowledge import tac.csv
  umbilical knowledge import tac.txt --map tac=1,brand=4,model=5"
    )]
    Import {
        /// The file
        file: PathBuf,
        /// Columns of a TAC file by number or header word: tac=…,brand=…,model=…,class=…
        #[arg(long, value_name = "LIST")]
        map: Option<String>,
        /// A key whose bundles are trusted from now on, PEM (repeatable)
        #[arg(long, value_name = "KEY.pub.pem", conflicts_with = "map")]
        public_key: Vec<PathBuf>,
    },
    /// Check a bundle: who signed it, what it holds, whether its tables and packs are right
    #[command(
        after_help = "Exit codes: 0 it holds · 2 its tables or packs are broken, or no key is trusted yet · 4 no key that is trusted signed these bytes

Examples:
  umbilical knowledge verify facts-2026-12.bundle --public-key cert.pub.pem"
    )]
    Verify {
        /// The bundle
        file: PathBuf,
        /// The signer's public key, PEM (repeatable) [default: the keys that the home trusts]
        #[arg(long, value_name = "KEY.pub.pem")]
        public_key: Vec<PathBuf>,
    },
    /// Make a signed bundle of a folder of tables and packs
    #[command(
        after_help = "The folder is one as for --knowledge: tables by their names (`listings.csv`, `identifiers/usb.csv`), packs in `policies/ID/`.

Examples:
  umbilical bom attest --generate-key cert                                 makes cert.pem and cert.pub.pem
  umbilical knowledge bundle facts/ --key cert.pem --serial 2026120100 -o facts-2026-12.bundle"
    )]
    Bundle {
        /// The folder
        folder: PathBuf,
        /// The signing key: Ed25519, PKCS#8 in PEM
        #[arg(long, value_name = "KEY.pem")]
        key: PathBuf,
        /// Higher than that of every bundle before it, as in 2026120100
        #[arg(long, value_name = "N")]
        serial: u64,
        /// What is new, in a sentence
        #[arg(long, value_name = "TEXT", default_value = "")]
        says: String,
    },
}

/// Runs the command and gives the exit code.
pub fn run(global: &Global, command: &Knowledge) -> Result<u8, Fail> {
    match command {
        Knowledge::Import { file, public_key, .. } if !public_key.is_empty() || bundle::is_bundle(file) => {
            bundles::import(global, file, public_key)
        }
        Knowledge::Import { file, map, .. } => tac::import(global, file, map.as_deref()),
        Knowledge::Verify { file, public_key } => bundles::verify(global, file, public_key),
        Knowledge::Bundle { folder, key, serial, says } => bundles::make(global, folder, key, *serial, says),
    }
}
