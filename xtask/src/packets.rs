//! Packets a CPU-second of `watch`, interleaved with the peers that are installed, and records a CPU-second: `docs/benchmarks.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

use crate::Outcome;
use crate::bench::{self, Spent, spend};
use crate::cargo::{self, Metadata};

/// A program, and how it reads a capture: `%` stands for it, `@` for a folder that is emptied before.
struct Peer {
    /// With its version where `#` stands.
    name: &'static str,
    program: &'static str,
    args: &'static [&'static str],
    /// Beside these for a capture of tunnels; `None`: it does not look into them.
    tunnels: Option<&'static [&'static str]>,
    /// What makes it say its version.
    version: &'static str,
    /// How many times its packets a CPU-second `watch` must have, without tunnels and with.
    bars: (Option<f64>, Option<f64>),
}

const PEERS: [Peer; 4] = [
    Peer {
        name: "ndpiReader #",
        program: "ndpiReader",
        args: &["-q", "-i", "%"],
        tunnels: Some(&["-t"]),
        version: "-h",
        bars: (Some(2.0), Some(2.0)),
    },
    Peer {
        name: "Suricata # (no rules, EVE)",
        program: "suricata",
        args: &["-c", "/etc/suricata/suricata.yaml", "-r", "%", "-l", "@", "-k", "none", "-S", "/dev/null", "--runmode", "single"],
        tunnels: None,
        version: "-V",
        bars: (Some(6.5), None),
    },
    Peer {
        name: "nfpcapd #",
        program: "nfpcapd",
        args: &["-r", "%", "-w", "@", "-t", "3600"],
        tunnels: None,
        version: "-V",
        bars: (None, None),
    },
    Peer { name: "argus #", program: "argus", args: &["-r", "%", "-w", "/dev/null"], tunnels: None, version: "-h", bars: (None, None) },
];

/// How `watch` is run. The first is what the bars are for; the second is it with one thread.
const OURS: [(&str, &[&str]); 3] = [
    ("`umbilical watch --no-save`", &["--no-save"]),
    ("`umbilical watch --no-save --threads 1`", &["--no-save", "--threads", "1"]),
    ("`umbilical watch`, the lake written", &[]),
];

/// How many times as long one thread must take by the clock as two.
const THREADS: f64 = 1.6;
/// Megabytes that it may take at most.
const PEAK: f64 = 250.0;
/// Records a CPU-second, with detectors, by how a row of the example begins.
const RECORDS: [(&str, f64); 3] = [("IPFIX", 1e6), ("Zeek", 1e6), ("EVE", 4e5)];

/// What is asked for.
pub struct Asked {
    /// Folder with the peers' scripts.
    pub peers: PathBuf,
    /// Runs of each.
    pub runs: usize,
    /// Profile of what is built.
    pub profile: String,
    /// A build that there is.
    pub binary: Option<PathBuf>,
}

/// What one program spent on a capture.
struct Row<'p> {
    name: String,
    peer: Option<&'p Peer>,
    spent: Vec<Spent>,
    /// Why it did not come to its end.
    failed: Option<String>,
}

impl Row<'_> {
    /// The least: whatever else the machine does only adds to it.
    fn cpu(&self) -> Option<f64> {
        self.spent.iter().filter_map(|s| s.cpu).min_by(f64::total_cmp)
    }

    fn peak(&self) -> Option<f64> {
        self.spent.iter().filter_map(|s| s.peak_mb).max_by(f64::total_cmp)
    }
}

/// Bars, as lines of a table, and which are not reached.
#[derive(Default)]
struct Bars {
    text: String,
    missed: Vec<String>,
}

impl Bars {
    fn put(&mut self, what: &str, wanted: &str, measured: &str, reached: bool) {
        let word = if reached { "yes" } else { "no" };
        let _ = writeln!(self.text, "| {what} | {wanted} | {measured} | {word} |");
        if !reached {
            self.missed.push(format!("{what}: {measured}, wanted {wanted}"));
        }
    }
}

/// Measures, and writes the page. Captures are made once, of the corpus beside the peers' scripts.
pub fn run(asked: &Asked) -> Outcome {
    let metadata = Metadata::load()?;
    let (binary, built) = match &asked.binary {
        Some(file) => {
            let bytes = fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
            let hash: String = Sha256::digest(&bytes).iter().take(6).map(|b| format!("{b:02x}")).collect();
            (file.clone(), format!("The binary of `watch` is one that was built before, perhaps of another commit: SHA-256 {hash}…\n\n"))
        }
        None => (cargo::binary(&metadata, &asked.profile)?, String::new()),
    };
    let dir = metadata.target_directory.join("bench");
    fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    if !dir.join("gtpu.pcap").exists() {
        let mut make = Command::new("python3");
        cargo::run(make.arg(asked.peers.join("make_captures.py")).arg(asked.peers.join("../corpus/traffic")).arg(&dir))?;
    }
    let mut page = format!(
        "# Measured: traffic\n\nMade by `cargo xtask bench --traffic`. Packets a CPU-second are packets over the user and system time of the whole command, all of its threads,\n\
         with the hash of the input, names, detectors and the answer. All programs run in turn, {} times each, each time another first. What stands here is the least time of\n\
         the processor, for whatever else the machine does only adds to it, the median of the clock and the most of the memory. Peers do other things than `watch`: Suricata writes events, ndpiReader names protocols, nfpcapd and argus count flows. A peer that\n\
         does not look into tunnels has no line there.\n\n{}\n\n{built}",
        asked.runs,
        bench::machine()
    );
    let mut bars = Bars::default();
    for (capture, what, tunnels) in [
        ("mix.pcap", "a mix of enterprise, device and attack traffic", false),
        ("gtpu.pcap", "the same kind in tunnels of a mobile network (GTPv1-U)", true),
    ] {
        let file = dir.join(capture);
        let packets = packets(&binary, &file, &dir)?;
        let rows = measure(&binary, &file, tunnels, asked.runs, &dir)?;
        let _ = writeln!(page, "## {capture}: {what}, {packets} packets\n");
        page.push_str(&table(&rows, packets));
        let _ = writeln!(page, "\nLoad behind it: {}.\n", load());
        judge(&rows, capture, tunnels, &mut bars);
    }
    page.push_str(
        "## Records that others wrote\n\nMade up, one thread, hash included (`cargo run --release -p umbilical-traffic --example records`); the best of five.\n\n",
    );
    let records = records(&asked.profile)?;
    page.push_str(&records);
    for (name, least) in RECORDS {
        let rate = records.lines().find_map(|line| rate(line, name));
        let measured = rate.map_or_else(|| "not measured".into(), |r| format!("{:.2} M", r / 1e6));
        bars.put(
            &format!("{name}, with detectors"),
            &format!("≥ {:.1} M records a CPU-second", least / 1e6),
            &measured,
            rate >= Some(least),
        );
    }
    let _ = writeln!(page, "\n## Bars\n\n| what | wanted | measured | reached |\n|---|---|---|---|\n{}", bars.text.trim_end());
    print!("{page}");
    fs::write(cargo::root().join("docs/benchmarks.md"), page).map_err(|e| e.to_string())?;
    if bars.missed.is_empty() { Ok(()) } else { Err(format!("under the bar\n  {}", bars.missed.join("\n  "))) }
}

/// Runs all of them in turn, so that whatever else the machine does meets each.
fn measure(binary: &Path, file: &Path, tunnels: bool, runs: usize, dir: &Path) -> Result<Vec<Row<'static>>, String> {
    let ours = OURS.iter().map(|(name, _)| Row { name: (*name).into(), peer: None, spent: Vec::new(), failed: None });
    let there = PEERS.iter().filter(|p| (!tunnels || p.tunnels.is_some()) && is_there(p.program));
    let theirs = there.map(|p| {
        let more = p.tunnels.filter(|_| tunnels).unwrap_or_default().iter().map(|a| format!(" `{a}`"));
        let name = p.name.replace('#', &version(p)) + &more.collect::<String>();
        Row { name, peer: Some(p), spent: Vec::new(), failed: None }
    });
    let mut rows: Vec<Row<'_>> = ours.chain(theirs).collect();
    for run in 0..runs.max(1) {
        // What one leaves behind (memory in pieces, files to be written) meets whoever comes next: that is not always the same.
        for n in (0..rows.len()).map(|n| (n + run) % rows.len()).collect::<Vec<_>>() {
            let Some(row) = rows.get_mut(n).filter(|row| row.failed.is_none()) else { continue };
            let scratch = dir.join("scratch");
            let _ = fs::remove_dir_all(&scratch);
            fs::create_dir_all(&scratch).map_err(|e| e.to_string())?;
            let mut command = match (row.peer, OURS.get(n)) {
                (Some(peer), _) => {
                    let mut command = Command::new(peer.program);
                    command.args(peer.args.iter().map(|a| match *a {
                        "%" => file.as_os_str().to_owned(),
                        "@" => scratch.as_os_str().to_owned(),
                        a => a.into(),
                    }));
                    command.args(peer.tunnels.filter(|_| tunnels).unwrap_or_default());
                    command
                }
                (None, how) => watch(binary, &scratch, file, how.map_or(&[], |(_, args)| args)),
            };
            match (spend(&mut command, dir), row.peer) {
                (Ok(spent), _) => row.spent.push(spent),
                (Err(why), Some(_)) => row.failed = Some(why.lines().last().unwrap_or_default().to_owned()),
                (Err(why), None) => return Err(why),
            }
        }
    }
    let _ = fs::remove_dir_all(dir.join("scratch"));
    if rows.iter().any(|row| row.failed.is_none() && row.cpu().is_none()) {
        return Err("GNU time is not installed: there are no CPU-seconds".into());
    }
    Ok(rows)
}

fn table(rows: &[Row<'_>], packets: u64) -> String {
    let mut out = String::from(
        "| | packets a CPU-second | spread | `watch --no-save` to it | packets a second of the clock | peak MB |\n|---|---|---|---|---|---|\n",
    );
    let ours = rows.first().and_then(Row::cpu);
    let millions = |seconds: f64| packets as f64 / seconds.max(0.01) / 1e6;
    for row in rows {
        let (Some(cpu), Some(ours)) = (row.cpu(), ours) else {
            let _ = writeln!(out, "| {} | not measured: {} | | | | |", row.name, row.failed.as_deref().unwrap_or("it did not run"));
            continue;
        };
        let all = || row.spent.iter().filter_map(|s| s.cpu);
        let (least, most) = (all().fold(f64::MAX, f64::min), all().fold(0.0, f64::max));
        let clock = middle(row.spent.iter().map(|s| s.wall).collect()).unwrap_or_default();
        let _ = writeln!(
            out,
            "| {} | {:.2} M | {:.2}–{:.2} | {:.2} × | {:.2} M | {:.0} |",
            row.name,
            millions(cpu),
            millions(most),
            millions(least),
            cpu / ours.max(0.01),
            millions(clock),
            row.peak().unwrap_or_default()
        );
    }
    out
}

fn judge(rows: &[Row<'_>], capture: &str, tunnels: bool, bars: &mut Bars) {
    let Some(ours) = rows.first() else { return };
    for row in rows {
        let Some(peer) = row.peer else { continue };
        let Some(bar) = (if tunnels { peer.bars.1 } else { peer.bars.0 }) else { continue };
        let ratio = row.cpu().zip(ours.cpu()).map(|(theirs, ours)| theirs / ours.max(0.01));
        // Each run beside its own neighbours.
        let pairs: Vec<f64> = row.spent.iter().zip(&ours.spent).filter_map(|(t, o)| Some(t.cpu? / o.cpu?.max(0.01))).collect();
        let held = pairs.iter().filter(|r| **r >= bar).count();
        let measured = ratio.map_or_else(|| "not measured".into(), |r| format!("{r:.2} ×, and in {held} of {} runs", pairs.len()));
        let reached = ratio >= Some(bar) && held * 5 >= pairs.len() * 4;
        bars.put(&format!("{capture}: `watch` to {}", row.name), &format!("≥ {bar} ×, and in four of five runs"), &measured, reached);
    }
    let clock = |n: usize| rows.get(n).filter(|row| row.peer.is_none())?.spent.iter().map(|s| s.wall).min_by(f64::total_cmp);
    let ratio = clock(1).zip(clock(0)).map(|(one, two)| one / two.max(0.01));
    let measured = ratio.map_or_else(|| "not measured".into(), |r| format!("{r:.2} ×, the least of the clock of each"));
    bars.put(&format!("{capture}: two threads to one"), &format!("≥ {THREADS} ×"), &measured, ratio >= Some(THREADS));
    let peak = rows.iter().filter(|row| row.peer.is_none()).filter_map(Row::peak).max_by(f64::total_cmp);
    let measured = peak.map_or_else(|| "not measured".into(), |p| format!("{p:.0} MB"));
    bars.put(&format!("{capture}: memory of `watch`"), &format!("≤ {PEAK:.0} MB"), &measured, peak.is_some_and(|p| p <= PEAK));
}

/// The table that the example prints. It is told of as it is: no part of it is made here.
fn records(profile: &str) -> Result<String, String> {
    let mut example = cargo::command();
    example.args(["run", "--quiet", "--profile", profile, "-p", "umbilical-traffic", "--example", "records"]);
    let out = example.stderr(Stdio::inherit()).output().map_err(|e| e.to_string())?;
    if !out.status.success() {
        return Err(format!("the example ended with {}", out.status));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Records a CPU-second of this row of the example's table, with detectors.
fn rate(line: &str, name: &str) -> Option<f64> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    (cells.get(1)? == &name && cells.get(3)? == &"with").then(|| cells.get(7)?.parse().ok())?
}

fn watch(binary: &Path, home: &Path, file: &Path, how: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command.args(["watch", "--quiet", "--format", "json", "--home"]).arg(home).args(how).arg("--").arg(file);
    command
}

fn packets(binary: &Path, file: &Path, dir: &Path) -> Result<u64, String> {
    let answer = dir.join("watch.json");
    let mut command = watch(binary, &dir.join("home"), file, &["--no-save"]);
    cargo::run(command.stdout(fs::File::create(&answer).map_err(|e| e.to_string())?))?;
    let text = fs::read_to_string(answer).map_err(|e| e.to_string())?;
    let document: serde_json::Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    document.pointer("/counters/packets").and_then(serde_json::Value::as_u64).ok_or_else(|| "the answer counts no packets".into())
}

fn is_there(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    found.is_ok_and(|s| s.success())
}

/// What a program calls its version: the first number with a point in what it says.
fn version(peer: &Peer) -> String {
    let Ok(out) = Command::new(peer.program).arg(peer.version).stdin(Stdio::null()).output() else { return String::new() };
    let said = [out.stdout, out.stderr].concat();
    numbered(&String::from_utf8_lossy(&said))
}

fn numbered(text: &str) -> String {
    let is = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
    text.split_whitespace().find(is).map_or_else(String::new, |word| word.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect())
}

/// Of the last minute.
fn load() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next().unwrap_or("?").to_owned()
}

fn middle(mut all: Vec<f64>) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(peer: Option<&'static Peer>, cpu: &[f64]) -> Row<'static> {
        let spent = cpu.iter().map(|cpu| Spent { wall: 1.0, cpu: Some(*cpu), peak_mb: Some(100.0) }).collect();
        Row { name: "a".into(), peer, spent, failed: None }
    }

    /// Our own with one thread, which takes so long by the clock.
    fn alone(wall: f64) -> Row<'static> {
        let mut row = row(None, &[1.0; 5]);
        row.spent.iter_mut().for_each(|spent| spent.wall = wall);
        row
    }

    #[test]
    fn a_bar_is_reached_by_the_least_and_in_four_of_five_runs() {
        let reached = |theirs: &[f64]| {
            let mut bars = Bars::default();
            judge(&[row(None, &[1.0; 5]), alone(1.6), row(Some(&PEERS[0]), theirs)], "mix.pcap", false, &mut bars);
            bars.missed
        };
        assert_eq!(reached(&[2.0, 2.1, 2.5, 2.2, 2.3]), Vec::<String>::new());
        assert_eq!(reached(&[2.0, 2.1, 1.5, 2.2, 2.3]).len(), 1);
        assert_eq!(reached(&[]).len(), 1, "what was not measured is not reached");
        let mut bars = Bars::default();
        let mut much = row(None, &[1.0]);
        much.spent[0].peak_mb = Some(251.0);
        judge(&[much, alone(1.5)], "mix.pcap", false, &mut bars);
        let two = "mix.pcap: two threads to one: 1.50 ×, the least of the clock of each, wanted ≥ 1.6 ×";
        assert_eq!(bars.missed, [two, "mix.pcap: memory of `watch`: 251 MB, wanted ≤ 250 MB"]);
    }

    #[test]
    fn rows_of_the_example_and_versions_are_understood() {
        let line = "| Zeek | zeek-conn | with | 1000006 | 1000000 | 250 | 976717 | 132 |";
        assert_eq!((rate(line, "Zeek"), rate(line, "Zeek as JSON")), (Some(976_717.0), None));
        assert_eq!(rate(&line.replace("with", "without"), "Zeek"), None);
        let said = ["This is Suricata version 7.0.10 RELEASE", "Welcome to nDPI 4.2.0\n", "nfpcapd: Version: 1.7.1-x", "nothing"];
        assert_eq!(said.map(numbered), ["7.0.10", "4.2.0", "1.7.1", ""]);
    }
}
