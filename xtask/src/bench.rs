//! Seconds and megabytes of the release binary on large exports, beside the bare join that one would write in SQL.
//!
//! Absolute figures belong to one machine: the table names it, and `benches/RESULTS.md` keeps it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Outcome;
use crate::cargo::{self, Metadata};

/// The join that stands for "what one would otherwise do": type allocation codes beside the rows, counted.
const JOIN: &str = "
import sys, duckdb
con = duckdb.connect()
con.execute('PRAGMA threads=2')
con.execute('''CREATE TABLE t AS SELECT tac, any_value(brand) AS brand, any_value(model) AS model FROM read_csv(?, all_varchar=true, union_by_name=true) GROUP BY tac''', [sys.argv[2:]])
rows = con.execute('''SELECT t.brand, t.model, count(*) FROM read_csv(?, all_varchar=true) s LEFT JOIN t ON substr(s.imei, 1, 8) = t.tac GROUP BY ALL ORDER BY 3 DESC''', [sys.argv[1]]).fetchall()
assert rows
";

#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    pub wall: f64,
    pub cpu: Option<f64>,
    pub peak_mb: Option<f64>,
}

/// Measures and prints the table.
pub fn run(rows: &[u64], parts: &[u64], peers: Option<PathBuf>, runs: usize, profile: &str) -> Outcome {
    let metadata = Metadata::load()?;
    let binary = cargo::binary(&metadata, profile)?;
    let dir = metadata.target_directory.join("bench");
    let home = dir.join("home");
    fs::create_dir_all(&home).map_err(|e| format!("{}: {e}", home.display()))?;
    println!("{}, profile {profile}; median of the runs\n", machine());
    let start = median(runs.max(5), || spend(Command::new(&binary).arg("--version"), &dir))?;
    println!("start-up (`umbilical --version`): {:.1} ms wall\n", start.wall * 1000.0);
    println!("| rows | what | CPU s | wall s | peak MB | CPU s per million rows |\n|---|---|---|---|---|---|");
    let join = has_duckdb();
    for &rows in rows {
        let file = export(rows, &dir)?;
        let ours = median(runs, || {
            let mut audit = Command::new(&binary);
            audit.args(["audit", "--no-save", "--quiet", "--format", "table", "--home"]).arg(&home).arg("--").arg(&file);
            spend(&mut audit, &dir)
        })?;
        line(rows, "`umbilical audit`", ours);
        if join {
            let knowledge = cargo::root().join("knowledge");
            let theirs = median(runs, || {
                let mut python = Command::new("python3");
                python.args(["-c", JOIN]).arg(&file);
                python.args([knowledge.join("identifiers/tac_learned.csv"), knowledge.join("tac-osmocom/tac.csv")]);
                spend(&mut python, &dir)
            })?;
            line(rows, "DuckDB, bare join", theirs);
            if let (Some(a), Some(b)) = (ours.cpu, theirs.cpu) {
                println!(
                    "| {rows} | ratio | {:.2} × | {:.2} × | {} | |",
                    a / b,
                    ours.wall / theirs.wall,
                    ratio(ours.peak_mb, theirs.peak_mb)
                );
            }
        }
    }
    if !join {
        println!("\nDuckDB is not installed (`pip install duckdb`): no comparison");
    }
    let peers = peers.unwrap_or_else(|| cargo::root().join("../shared/bench"));
    bills(&binary, parts, &peers, runs, &dir)
}

/// Parts up to which a peer is asked: the official JavaScript validator compares every part with every other.
const PEERS: [(&str, &str, &str, u64); 2] = [
    ("jsonschema-rs, parse and validate", "python3", "hbom_jsonschema_rs.py", 100_000),
    ("official JavaScript validator", "node", "hbom_js/val.js", 10_000),
];

/// Hardware bills of materials, checked with their schema, beside validators that do nothing else.
fn bills(binary: &Path, parts: &[u64], peers: &Path, runs: usize, dir: &Path) -> Outcome {
    let maker = peers.join("make_hbom.py");
    if parts.is_empty() || !maker.exists() {
        println!("\n{} is not there: no bills of materials are measured", maker.display());
        return Ok(());
    }
    println!("\n| parts | what | CPU s | wall s | peak MB | CPU s per million parts |\n|---|---|---|---|---|---|");
    for &parts in parts {
        let file = dir.join(format!("hbom-{parts}.json"));
        if !file.exists() {
            let made = Command::new("python3").arg(&maker).arg(parts.to_string()).arg(&file).status().map_err(|e| e.to_string())?;
            if !made.success() {
                return Err(format!("{} ended with {made}", maker.display()));
            }
        }
        let ours = median(runs, || spend(Command::new(binary).args(["bom", "check", "--validate", "--quiet", "--"]).arg(&file), dir))?;
        line(parts, "`umbilical bom check --validate`", ours);
        for (what, program, script, most) in PEERS.iter().filter(|p| parts <= p.3) {
            let run = || {
                let mut peer = Command::new(program);
                peer.arg(peers.join(script)).arg(&file).current_dir(dir).env("NODE_PATH", dir.join("npm/node_modules"));
                spend(&mut peer, dir)
            };
            // A minute each: once is enough for the slow one.
            match median(if *most < 100_000 { 1 } else { runs }, run) {
                Ok(theirs) => {
                    line(parts, what, theirs);
                    if let (Some(a), Some(b)) = (ours.cpu, theirs.cpu) {
                        let memory = ratio(ours.peak_mb, theirs.peak_mb);
                        println!("| {parts} | ratio | {:.3} × | {:.3} × | {memory} | |", a / b, ours.wall / theirs.wall);
                    }
                }
                Err(why) => println!("| {parts} | {what}: not measured ({}) | | | | |", why.lines().last().unwrap_or_default()),
            }
        }
    }
    println!("\nPeers need `pip install jsonschema-rs` and, in {}, `npm i --prefix npm @cyclonedx/cyclonedx-library`.", dir.display());
    Ok(())
}

fn ratio(a: Option<f64>, b: Option<f64>) -> String {
    a.zip(b).map_or_else(String::new, |(a, b)| format!("{:.2} ×", a / b))
}

fn line(rows: u64, what: &str, s: Spent) {
    let show = |v: Option<f64>, digits: usize| v.map_or_else(|| "–".into(), |v| format!("{v:.digits$}"));
    let per_million = s.cpu.map(|c| c * 1e6 / rows as f64);
    println!("| {rows} | {what} | {} | {:.2} | {} | {} |", show(s.cpu, 2), s.wall, show(s.peak_mb, 0), show(per_million, 2));
}

/// The export of so many rows, made once.
fn export(rows: u64, dir: &Path) -> Result<PathBuf, String> {
    let file = dir.join(format!("sims-{rows}.csv"));
    if !file.exists() {
        crate::make_sims(rows, &file, 1)?;
    }
    Ok(file)
}

fn has_duckdb() -> bool {
    let quiet = |c: &mut Command| c.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success());
    quiet(Command::new("python3").args(["-c", "import duckdb"]))
}

/// The middle run by wall clock.
fn median(runs: usize, mut run: impl FnMut() -> Result<Spent, String>) -> Result<Spent, String> {
    let mut all = (0..runs.max(1)).map(|_| run()).collect::<Result<Vec<_>, _>>()?;
    all.sort_by(|a, b| a.wall.total_cmp(&b.wall));
    all.get(all.len() / 2).copied().ok_or_else(|| "no runs".into())
}

/// Runs a command to its end. Processor time and peak memory come from GNU time where it is installed.
pub fn spend(command: &mut Command, dir: &Path) -> Result<Spent, String> {
    let time = Path::new("/usr/bin/time");
    let report = dir.join("time.txt");
    let mut measured;
    let command = if time.exists() {
        measured = Command::new(time);
        measured.args(["-f", "%U %S %M", "-o"]).arg(&report).arg(command.get_program()).args(command.get_args());
        measured.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            measured.current_dir(folder);
        }
        &mut measured
    } else {
        command
    };
    let said = dir.join("stderr.txt");
    let errors = File::create(&said).map_err(|e| e.to_string())?;
    let begun = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).status().map_err(|e| e.to_string())?;
    let wall = begun.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!(
            "{} ended with {status}: {}",
            command.get_program().to_string_lossy(),
            fs::read_to_string(&said).unwrap_or_default()
        ));
    }
    let report = fs::read_to_string(&report).ok().filter(|_| time.exists()).unwrap_or_default();
    let numbers: Vec<f64> = report.split_whitespace().filter_map(|n| n.parse().ok()).collect();
    Ok(match numbers[..] {
        [user, system, kib] => Spent { wall, cpu: Some(user + system), peak_mb: Some(kib / 1024.0) },
        _ => Spent { wall, ..Spent::default() },
    })
}

/// Measures the store by its own example: what each step costs, and its slowest page.
pub fn store(devices: &[u64], profile: &str) -> Outcome {
    for &devices in devices {
        for engine in ["sqlite", "postgres"] {
            println!("\n### The store, {devices} devices, {engine}\n");
            let mut example = cargo::command();
            example.args(["run", "--quiet", "--profile", profile, "-p", "umbilical-store", "--example", "measure", "--"]);
            let out = example.arg(devices.to_string()).arg(engine).stderr(Stdio::inherit()).output().map_err(|e| e.to_string())?;
            if !out.status.success() {
                println!("not measured: the example ended with {}", out.status);
                continue;
            }
            // Single pages are many: the slowest is named on a line of its own.
            let text = String::from_utf8_lossy(&out.stdout);
            let pages = ["devices ", "findings ", "facets "];
            for line in text.lines().filter(|l| !pages.iter().any(|p| l.starts_with(p))) {
                println!("    {line}");
            }
        }
    }
    Ok(())
}

/// Where and under which load this was measured.
pub fn machine() -> String {
    let file = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let model = file("/proc/cpuinfo")
        .lines()
        .find_map(|l| l.strip_prefix("model name")?.split_once(": ").map(|(_, m)| m.to_owned()))
        .unwrap_or_else(|| "unknown processor".into());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = file("/proc/loadavg").split(' ').next().unwrap_or("?").to_owned();
    let output = |program: &str, args: &[&str]| {
        let out = Command::new(program).args(args).current_dir(cargo::root()).output();
        out.ok().filter(|o| o.status.success()).map_or_else(|| "?".into(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
    };
    format!(
        "{model}, {cores} cores, load {load} before the run; {}; commit {}; {}",
        output("rustc", &["--version"]),
        output("git", &["rev-parse", "--short", "HEAD"]),
        output("date", &["-u", "+%Y-%m-%d"])
    )
}
