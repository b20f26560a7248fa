//! Prints the parts that the readers find in files and folders: `cargo run -p umbilical-evidence --example parts -- PATH…`
//!
//! A line for each input with its format and product, then a line for each part, between tabs: place, designators, value, part
//! number, maker, alternates, and the words that leave it out.

use std::path::PathBuf;

use umbilical_core::Observations;
use umbilical_core::bom::{Alternate, Placed};
use umbilical_evidence::Purpose;
use umbilical_evidence::open::{Options, read_paths};
use umbilical_knowledge::Knowledge;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let knowledge = Knowledge::embedded();
    let mut out = Observations::new();
    let options = Options { knowledge: &knowledge, mapping: None, purpose: Purpose::Bom, validate: false, threads: 1, progress: &|_| {} };
    read_paths(&paths, &options, &mut out)?;
    for (input, file) in (0u32..).zip(&out.inputs) {
        println!("{} ({})", file.path, file.format);
        for problem in out.problems.iter().filter(|p| p.input == Some(input)) {
            println!("! {} {}", out.locate(problem.at), problem.what);
        }
        for bom in out.boms.iter().filter(|b| b.input == input) {
            println!("= {:?}, {} parts, sheets {:?}, {:?}", bom.design, bom.parts.len(), bom.sheets, bom.product);
            for part in &bom.parts {
                let text = |cell: &Option<Box<str>>| cell.as_deref().unwrap_or("-").replace(['\t', '\n'], " ");
                let name = |a: &Alternate| a.mpn.as_deref().or(a.value.as_deref()).or(a.manufacturer.as_deref()).unwrap_or("-").to_owned();
                println!(
                    "{}\t{}\t{}\t{}\t{}\t{}\t{}",
                    out.locate(part.at),
                    part.designators.join(","),
                    text(&part.value),
                    text(&part.mpn),
                    text(&part.manufacturer),
                    part.alternates.iter().map(name).collect::<Vec<_>>().join(","),
                    match &part.placed {
                        Placed::Yes => String::new(),
                        Placed::No(words) => format!("not placed: {words}"),
                    }
                );
            }
        }
    }
    Ok(())
}
