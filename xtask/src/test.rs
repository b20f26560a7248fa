//! Everything that must pass, in the order in which it is cheapest to fail.

use std::time::Instant;

use crate::cargo::{self, Metadata, PROFILE};
use crate::{Outcome, corpus, examples, tidy};

/// Format, lints, tests, documentation tests, tidy, examples, corpus.
pub fn run() -> Outcome {
    let metadata = Metadata::load()?;
    let selection = metadata.selection();
    let begun = Instant::now();

    step("format", || cargo::run(cargo::command().arg("fmt").args(&selection).args(["--", "--check"])))?;
    step("lints", || {
        cargo::run(
            cargo::command()
                .args(["clippy", "--quiet", "--profile", PROFILE, "--all-targets"])
                .args(&selection)
                .args(["--", "-D", "warnings"]),
        )
    })?;
    step("tests", || {
        let mut tests = cargo::command();
        if has_nextest() {
            tests.args(["nextest", "run", "--cargo-profile", PROFILE, "--no-fail-fast"]);
        } else {
            println!("cargo-nextest is not installed (`cargo install cargo-nextest --locked` makes this faster): cargo test instead");
            tests.args(["test", "--profile", PROFILE, "--no-fail-fast", "--lib", "--bins", "--tests"]);
        }
        cargo::run(tests.args(&selection))
    })?;
    step("documentation tests", || {
        // cargo refuses `--doc` for packages without a library.
        let libraries = metadata.tested().into_iter().filter(|p| p.targets.iter().any(|t| t.kind.iter().any(|k| k == "lib")));
        let names: Vec<String> = libraries.flat_map(|p| ["-p".to_owned(), p.name.clone()]).collect();
        cargo::run(cargo::command().args(["test", "--quiet", "--profile", PROFILE, "--doc"]).args(names))
    })?;
    step("tidy", tidy::run)?;
    step("examples", examples::check)?;
    step("corpus", || corpus::run(None, false, false))?;
    println!("everything passed in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn step(name: &str, work: impl FnOnce() -> Outcome) -> Outcome {
    println!("── {name}");
    let begun = Instant::now();
    work().map_err(|what| format!("{name} failed: {what}"))?;
    println!("── {name}: {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn has_nextest() -> bool {
    cargo::command().args(["nextest", "--version"]).output().is_ok_and(|o| o.status.success())
}
