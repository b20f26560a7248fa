//! Records of conversations: every line of a log and every datagram of an export that is one must be read, and counted by somebody else.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::{Bar, Miss, count};
use crate::answer::{self, Problem};

/// Folders of logs, and of exports.
const LOGS: &[&str] = &["traffic/logs_zeek", "traffic/logs_rita", "traffic/logs_eve"];
const EXPORTS: &str = "traffic/flow_export";

#[derive(Deserialize)]
struct Watched {
    inputs: Vec<Input>,
    problems: Vec<Problem>,
    counters: Counters,
}

#[derive(Deserialize)]
struct Input {
    observations: usize,
}

#[derive(Deserialize)]
struct Counters {
    records: u64,
    untemplated: u64,
}

/// What was measured.
#[derive(Default, Serialize)]
pub struct Measured {
    logs: usize,
    lines: usize,
    read: usize,
    exports: usize,
    known: usize,
    records: u64,
    untemplated: u64,
    misses: Vec<Miss>,
}

/// Runs `watch` over each file alone.
pub fn measure(dir: &Path, binary: &Path, scratch: &Path) -> Result<Measured, String> {
    let mut out = Measured::default();
    let watch = |path: &PathBuf| answer::document::<Watched>(binary, &["watch"], std::slice::from_ref(path), scratch);
    let miss = |path: &Path, truth: String, answer: String, what: &str| Miss {
        file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        truth,
        answer,
        what: what.to_owned(),
    };
    for path in LOGS.iter().flat_map(|folder| files(&dir.join(folder))) {
        let lines = lines(&path)?;
        out.logs += 1;
        out.lines += lines;
        match watch(&path) {
            Ok(seen) => {
                // A line that is said to be wrong is accounted for.
                let read = seen.inputs.iter().map(|i| i.observations).sum::<usize>() + seen.problems.len();
                out.read += read.min(lines);
                if read != lines {
                    out.misses.push(miss(&path, format!("{lines} lines"), format!("{read} read"), "lines that nobody speaks of"));
                }
            }
            Err(error) => out.misses.push(miss(&path, format!("{lines} lines"), error, "not read")),
        }
    }
    for path in files(&dir.join(EXPORTS)) {
        // One is broken on purpose, from its head on.
        if path.to_string_lossy().contains("invalid") {
            continue;
        }
        out.exports += 1;
        match watch(&path) {
            Ok(seen) => {
                out.known += 1;
                out.records += seen.counters.records;
                out.untemplated += seen.counters.untemplated;
            }
            Err(error) => out.misses.push(miss(&path, "an export".to_owned(), error, "not read")),
        }
    }
    Ok(out)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p.is_file()).collect();
    all.sort();
    all
}

/// Lines of a log that say something, unpacked by another program.
fn lines(path: &Path) -> Result<usize, String> {
    let run = Command::new("gzip").args(["-dcf", "--"]).arg(path).output().map_err(|e| format!("gzip: {e}"))?;
    let says = |line: &&[u8]| !line.trim_ascii().is_empty() && !line.trim_ascii_start().starts_with(b"#");
    Ok(run.stdout.split(|b| *b == b'\n').filter(says).count())
}

impl Measured {
    /// The bars.
    pub fn bars(&self) -> Vec<Bar> {
        if self.logs == 0 && self.exports == 0 {
            return Vec::new();
        }
        vec![
            count("records: lines of logs that nobody speaks of", self.lines - self.read, 0),
            count("records: exports that are not known", self.exports - self.known, 0),
        ]
    }

    /// Prints what was measured.
    pub fn print(&self, misses: bool) {
        println!(
            "records: {} lines in {} logs, {} of them read; {} exports, {} of them known: {} records, {} sets without a template",
            self.lines, self.logs, self.read, self.exports, self.known, self.records, self.untemplated
        );
        for miss in self.misses.iter().filter(|_| misses) {
            println!("  {}: {}: {} ({})", miss.file, miss.what, miss.answer, miss.truth);
        }
    }
}
