//! Tasks of the project, run as `cargo xtask NAME`.
//!
//! It depends on no room of the product but `synth`: it runs the real binary and reads its documents, as anybody's
//! script would.

mod answer;
mod bench;
mod cargo;
mod corpus;
mod examples;
mod load;
mod packets;
mod services;
mod test;
mod tidy;

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What every task returns: a sentence for people when it fails.
type Outcome = Result<(), String>;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Tasks of the project", max_term_width = 100)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Format, lints, tests, documentation tests, tidy, examples, corpus: everything that must pass
    Test {
        /// Only these steps [default: all, in order]
        #[arg(value_parser = test::STEPS)]
        steps: Vec<String>,
    },
    /// Check the house rules: who imports whom, sources in fact tables, words and sizes of files
    Tidy,
    /// Run the binary over real evidence with known truth, and over generated grids, and compare
    Corpus {
        /// Folder with identity/ and exports/ [default: ../shared/corpus beside the repository]
        dir: Option<PathBuf>,
        /// Print the tables as one JSON document
        #[arg(long, value_name = "FORMAT", value_parser = ["table", "json"], default_value = "table")]
        format: String,
        /// Name every file that is not right
        #[arg(long)]
        verbose: bool,
        /// Measure what `watch` says of traffic alone, of captures in the folder and of generated ones
        #[arg(long)]
        traffic: bool,
        /// Measure this build instead of making one
        #[arg(long, value_name = "FILE")]
        binary: Option<PathBuf>,
    },
    /// Run the binary over examples/ and compare with what their pages promise
    Examples,
    /// Measure the release binary on large exports and print the table of benches/RESULTS.md
    Bench {
        /// Rows of the exports to measure
        #[arg(long, value_delimiter = ',', default_value = "10000,1000000,10000000")]
        rows: Vec<u64>,
        /// Parts of the bills of materials to measure
        #[arg(long, value_delimiter = ',', default_value = "10000,100000,300000")]
        parts: Vec<u64>,
        /// Devices of the stores to measure, on SQLite and, where it is installed, on PostgreSQL
        #[arg(long, value_delimiter = ',', default_value = "100000")]
        devices: Vec<u64>,
        /// Measure the server under load alone: so many seconds at 300 requests a second, with so many `--devices`
        #[arg(long, value_name = "SECONDS")]
        serve: Option<u32>,
        /// Measure `watch` alone, beside the peers that are installed, and write docs/benchmarks.md
        #[arg(long)]
        traffic: bool,
        /// Folder with the peers' scripts [default: ../shared/bench beside the repository]
        #[arg(long)]
        peers: Option<PathBuf>,
        /// Runs of each; the median counts
        #[arg(long, default_value_t = 3)]
        runs: usize,
        /// Profile of the binary; the bars are for release
        #[arg(long, default_value = "release")]
        profile: String,
        /// Of `--traffic`: measure this build instead of making one
        #[arg(long, value_name = "FILE", requires = "traffic")]
        binary: Option<PathBuf>,
    },
    /// Write the files under examples/ anew
    MakeExamples,
    /// Write an export of a SIM platform with ROWS rows
    MakeSims {
        /// How many rows
        rows: u64,
        /// Where to
        file: PathBuf,
        /// The same seed gives the same bytes
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

fn main() -> ExitCode {
    let outcome = match Args::parse().task {
        Task::Test { steps } => test::run(&steps),
        Task::Tidy => tidy::run(),
        Task::Corpus { dir, format, verbose, traffic, binary } => {
            corpus::run(dir, corpus::Asked { as_json: format == "json", verbose, traffic, binary })
        }
        Task::Examples => examples::check(),
        Task::Bench { traffic: true, peers, runs, profile, binary, .. } => {
            let peers = peers.unwrap_or_else(|| cargo::root().join("../shared/bench"));
            packets::run(&packets::Asked { peers, runs, profile, binary })
        }
        Task::Bench { devices, serve: Some(seconds), profile, .. } => {
            devices.iter().try_for_each(|devices| load::run(*devices, seconds, &profile))
        }
        Task::Bench { rows, parts, devices, peers, runs, profile, serve: None, traffic: false, binary: _ } => {
            bench::run(&rows, &parts, peers, runs, &profile)
                .and_then(|()| bench::store(&devices, &profile))
                .and_then(|()| devices.iter().try_for_each(|devices| load::run(*devices, 60, &profile)))
        }
        Task::MakeExamples => examples::make(),
        Task::MakeSims { rows, file, seed } => make_sims(rows, &file, seed),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("xtask: {what}");
            ExitCode::FAILURE
        }
    }
}

/// Writes an export beside its place and moves it there, so that a stopped run leaves no half file.
fn make_sims(rows: u64, file: &std::path::Path, seed: u64) -> Outcome {
    let failed = |e: std::io::Error| format!("cannot write {}: {e}", file.display());
    let beside = file.with_extension("part");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&beside).map_err(failed)?);
    umbilical_synth::sims::export(rows, seed, &mut out).map_err(failed)?;
    drop(out);
    std::fs::rename(&beside, file).map_err(failed)
}
