//! What several of the commands share: which lines count, the gate, the forms that other tools read.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use umbilical_assess::bom;
use umbilical_core::Day;
use umbilical_core::answer::bom::Check;
use umbilical_core::answer::{KnowledgeStamp, Said};
use umbilical_core::finding::Finding;
use umbilical_core::observation::Input;
use umbilical_evidence::signed::PublicKey;
use umbilical_report::{github, sarif};

use crate::args::{Format, Global};
use crate::fail::Fail;
use crate::gate::{Gates, Seen};
use crate::home;

/// Which lines of the documents count, and how they are read.
#[derive(Args, Debug)]
pub struct Lines {
    /// As built: only lines that hold for the piece with this serial number
    #[arg(long, value_name = "SERIAL")]
    serial: Option<String>,
    /// As built: only lines that hold on this day
    #[arg(long, value_name = "YYYY-MM-DD")]
    built: Option<Day>,
    /// How columns of tables map to fields (TOML), overriding the guess that the answer prints
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
}

impl Lines {
    /// How to judge.
    pub fn options(&self, global: &Global) -> bom::Options {
        bom::Options {
            as_of: home::as_of(global),
            serial: self.serial.clone(),
            built: self.built,
            show_subscribers: global.show_subscribers,
        }
    }

    /// The user's column mapping.
    pub fn map(&self) -> Option<&Path> {
        self.map.as_deref()
    }
}

/// The keys that signatures are verified with.
pub fn public_keys(paths: &[PathBuf]) -> Result<Vec<PublicKey>, Fail> {
    let key = |path: &PathBuf| {
        let bytes = fs::read(path).map_err(|source| Fail::Input { path: path.clone(), source })?;
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        PublicKey::from_pem(text).map_err(|e| Fail::usage(format!("{}: {e}", path.display()), "`--generate-key` wrote it as NAME.pub.pem"))
    };
    paths.iter().map(key).collect()
}

/// Whether a signature inside a document failed: broken, or not made by a key that was asked for.
pub fn is_of_signature(finding: &Finding) -> bool {
    matches!(&*finding.code, "broken-signature" | "unproved-signature")
}

/// The exit code of judged documents.
pub fn code(gates: &Gates, check: &Check) -> u8 {
    gates.code(check.findings(), Seen { unknown: check.projects.iter().any(|p| check.is_open(p)), undisclosed: check.hides_module() })
}

/// What a document says beside its findings.
pub struct Head<'a> {
    pub as_of: &'a str,
    pub knowledge: &'a KnowledgeStamp,
    pub inputs: &'a [Input],
    pub problems: &'a [Said],
}

/// Writes findings for code scanning, or as annotations of GitHub Actions.
pub fn machine<'a>(
    w: &mut dyn Write,
    format: Format,
    head: &Head<'a>,
    findings: impl Iterator<Item = &'a Finding> + Clone,
) -> io::Result<()> {
    let Head { as_of, knowledge, inputs, problems } = *head;
    if format == Format::Github {
        return github::write(w, github::Run { findings, problems, inputs });
    }
    let version = env!("CARGO_PKG_VERSION");
    sarif::write(w, &sarif::Run { version, as_of, knowledge, inputs, problems, successful: true, findings })
}
