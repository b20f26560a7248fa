//! `--indicators` and `--expect`: what the user brings beside captures.

use std::path::Path;

use sha2::{Digest as _, Sha256};
use umbilical_core::finding::DETECTED;
use umbilical_core::id::hex;
use umbilical_core::observation::Input;
use umbilical_core::text::clean;
use umbilical_traffic::lists::{Expected, Indicators};

use super::tables::Table;
use crate::fail::Fail;

/// The formats of their inputs.
pub const FORMATS: [&str; 2] = ["indicators", "expectations"];

/// Takes a list of indicators; entries that could not be read are problems of it.
pub fn indicators(path: &Path, all: &mut Indicators) -> Result<Table, Fail> {
    let bytes = read(path)?;
    let mut input = input(path, FORMATS[0], &bytes);
    let before = all.len();
    let help = "give addresses, names, URLs or hashes one a line, an event of MISP or a bundle of STIX 2";
    let problems = all.add(&input.path, &bytes).map_err(|why| Fail::usage(format!("{}: {why}", input.path), help))?;
    input.observations = all.len().saturating_sub(before) as u64;
    if bytes.trim_ascii().is_empty() {
        // A feed that failed looks so.
        return Err(Fail::usage(format!("{}: there is nothing in it", input.path), help));
    }
    Ok(Table { input, problems })
}

/// Takes what is expected.
pub fn expected(path: &Path, all: &mut Expected) -> Result<Table, Fail> {
    let bytes = read(path)?;
    let input = input(path, FORMATS[1], &bytes);
    let wrong = |line: usize, what: String| {
        Fail::usage(format!("{}, line {line}: {what}", input.path), "see docs/commands/watch.md, What is expected")
    };
    let text = str::from_utf8(&bytes).map_err(|e| {
        let line = bytes.iter().take(e.valid_up_to()).filter(|b| **b == b'\n').count().saturating_add(1);
        wrong(line, "this is no UTF-8".to_owned())
    })?;
    all.add(Expected::read(text, DETECTED).map_err(|(line, what)| wrong(line, what))?);
    Ok(Table { input, problems: Vec::new() })
}

fn input(path: &Path, format: &str, bytes: &[u8]) -> Input {
    let name = clean(&path.display().to_string()).into_owned();
    let (sha256, bytes) = (hex(&Sha256::digest(bytes)), bytes.len() as u64);
    Input { path: name, format: format.to_owned(), sha256, observations: 0, bytes, mapping: Vec::new() }
}

fn read(path: &Path) -> Result<Vec<u8>, Fail> {
    std::fs::read(path).map_err(|source| Fail::Input { path: path.to_path_buf(), source })
}
