//! Reads bills of materials, judges them by their schema and prints counts:
//! `cargo run --release -p umbilical-evidence --example hbom -- [--no-validate] PATH…`

use std::path::PathBuf;
use std::time::Instant;

use umbilical_core::Observations;
use umbilical_evidence::Purpose;
use umbilical_evidence::open::{Options, read_paths};
use umbilical_knowledge::Knowledge;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (flags, paths): (Vec<_>, Vec<_>) = std::env::args_os().skip(1).partition(|a| a == "--no-validate");
    let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
    let knowledge = Knowledge::embedded();
    let mut out = Observations::new();
    let validate = flags.is_empty();
    let start = Instant::now();
    read_paths(
        &paths,
        &Options { knowledge: &knowledge, mapping: None, purpose: Purpose::Bom, validate, threads: 1, progress: &|_| {} },
        &mut out,
    )?;
    let parts: usize = out.boms.iter().map(|b| b.parts.len()).sum();
    println!("{parts} parts, {} schema errors, {} problems, {:.2} s", out.schema_errors, out.problems.len(), start.elapsed().as_secs_f64());
    for problem in out.problems.iter().take(12) {
        println!("  {}: {}", out.locate(problem.at), problem.what);
    }
    Ok(())
}
