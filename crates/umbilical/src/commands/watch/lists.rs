//! `--indicators` and `--expect`: what the user brings beside captures.

use std::path::Path;

use sha2::{Digest as _, Sha256};
use umbilical_core::Observations;
use umbilical_core::answer::Said;
use umbilical_core::finding::DETECTED;
use umbilical_core::id::hex;
use umbilical_core::text::clean;
use umbilical_traffic::detect::Given;
use umbilical_traffic::lists::Expected;

use crate::fail::Fail;

/// The formats of their inputs.
pub const FORMATS: [&str; 2] = ["indicators", "expectations"];

/// Takes a list of indicators; entries that could not be read are problems of its input.
pub fn indicators(path: &Path, given: &mut Given, all: &mut Observations, problems: &mut Vec<Said>) -> Result<(), Fail> {
    let bytes = read(path)?;
    let name = clean(&path.display().to_string()).into_owned();
    let before = given.indicators.len();
    let help = "give addresses, names, URLs or hashes one a line, an event of MISP or a bundle of STIX 2";
    let told = given.indicators.add(&name, &bytes).map_err(|why| Fail::usage(format!("{name}: {why}"), help))?;
    let input = all.begin_input(&name, FORMATS[0], hex(&Sha256::digest(&bytes)), bytes.len() as u64);
    if let Some(input) = all.inputs.get_mut(input as usize) {
        input.observations = given.indicators.len().saturating_sub(before) as u64;
    }
    problems.extend(told.into_iter().map(|(at, what)| Said { input: Some(input), at, what }));
    Ok(())
}

/// Takes what is expected.
pub fn expected(path: &Path, given: &mut Given, all: &mut Observations) -> Result<(), Fail> {
    let bytes = read(path)?;
    let name = clean(&path.display().to_string()).into_owned();
    let wrong =
        |line: usize, what: String| Fail::usage(format!("{name}, line {line}: {what}"), "see docs/commands/watch.md, What is expected");
    let text = str::from_utf8(&bytes).map_err(|e| {
        let line = bytes.iter().take(e.valid_up_to()).filter(|b| **b == b'\n').count().saturating_add(1);
        wrong(line, "this is no UTF-8".to_owned())
    })?;
    given.expected.add(Expected::read(text, DETECTED).map_err(|(line, what)| wrong(line, what))?);
    all.begin_input(&name, FORMATS[1], hex(&Sha256::digest(&bytes)), bytes.len() as u64);
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Fail> {
    std::fs::read(path).map_err(|source| Fail::Input { path: path.to_path_buf(), source })
}
