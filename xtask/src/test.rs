//! Everything that must pass, in the order in which it is cheapest to fail.

use std::time::Instant;

use crate::cargo::{self, Metadata, PROFILE};
use crate::{Outcome, corpus, examples, services, tidy};

/// The steps in order.
pub const STEPS: [&str; 8] = ["format", "services", "lints", "tests", "doctests", "tidy", "examples", "corpus"];

/// Runs these steps, or all.
pub fn run(steps: &[String]) -> Outcome {
    let metadata = Metadata::load()?;
    let begun = Instant::now();
    for step in STEPS.iter().filter(|name| steps.is_empty() || steps.iter().any(|s| s == *name)) {
        println!("── {step}");
        let begun = Instant::now();
        one(step, &metadata).map_err(|what| format!("{step} failed: {what}"))?;
        println!("── {step}: {:.1} s", begun.elapsed().as_secs_f64());
    }
    println!("everything passed in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn one(step: &str, metadata: &Metadata) -> Outcome {
    let selection = metadata.selection();
    match step {
        "format" => cargo::run(cargo::command().arg("fmt").args(&selection).args(["--", "--check"])),
        // The same profile and features as the tests, so that build scripts and macros are built once.
        "lints" => {
            let mut clippy = cargo::command();
            clippy.args(["clippy", "--quiet", "--profile", PROFILE, "--all-targets"]).args(&selection).args(Metadata::features());
            cargo::run(clippy.args(["--", "-D", "warnings"]))?;
            if Metadata::features().is_empty() {
                return Ok(());
            }
            // What most people build has nothing of it.
            let mut without = cargo::command();
            without.args(["clippy", "--quiet", "--profile", PROFILE]).args(&selection);
            cargo::run(without.args(["--", "-D", "warnings"]))
        }
        "services" => services::run(metadata),
        "tests" => {
            let mut tests = cargo::command();
            if has_nextest() {
                tests.args(["nextest", "run", "--cargo-profile", PROFILE, "--no-fail-fast"]);
            } else {
                println!("cargo-nextest is not installed (`cargo install cargo-nextest --locked` makes this faster): cargo test instead");
                tests.args(["test", "--profile", PROFILE, "--no-fail-fast", "--lib", "--bins", "--tests"]);
            }
            cargo::run(tests.args(&selection).args(Metadata::features()))
        }
        "doctests" => {
            // cargo refuses `--doc` for packages without a library.
            let libraries = metadata.tested().into_iter().filter(|p| p.targets.iter().any(|t| t.kind.iter().any(|k| k == "lib")));
            let names: Vec<String> = libraries.flat_map(|p| ["-p".to_owned(), p.name.clone()]).collect();
            cargo::run(cargo::command().args(["test", "--quiet", "--profile", PROFILE, "--doc"]).args(names))
        }
        "tidy" => tidy::run(),
        "examples" => examples::check(),
        "corpus" => corpus::run(None, corpus::Asked::default()),
        other => Err(format!("no step {other}")),
    }
}

fn has_nextest() -> bool {
    cargo::command().args(["nextest", "--version"]).output().is_ok_and(|o| o.status.success())
}
