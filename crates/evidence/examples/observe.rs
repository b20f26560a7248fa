//! Prints what the readers make of files and folders: `cargo run -p umbilical-evidence --example observe -- PATH…`

use std::path::PathBuf;

use umbilical_core::Observations;
use umbilical_evidence::open::{Options, read_paths};
use umbilical_knowledge::Knowledge;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let knowledge = Knowledge::embedded();
    let mut out = Observations::new();
    read_paths(
        &paths,
        &Options { knowledge: &knowledge, mapping: None, purpose: Default::default(), validate: false, threads: 1, progress: &|_| {} },
        &mut out,
    )?;
    print!("{out:?}");
    Ok(())
}
