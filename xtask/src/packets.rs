//! Packets a CPU-second of `watch`, interleaved with the peers that are installed, and records a CPU-second: `docs/benchmarks.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::bench::{self, Spent, spend};
use crate::cargo::{self, Metadata};

/// A program, and how it reads a capture: `%` stands for it, `@` for a folder that is emptied before.
struct Peer {
    name: &'static str,
    program: &'static str,
    args: &'static [&'static str],
    /// Beside these for a capture of tunnels; `None`: it does not look into them.
    tunnels: Option<&'static [&'static str]>,
}

const PEERS: [Peer; 4] = [
    Peer { name: "ndpiReader", program: "ndpiReader", args: &["-q", "-i", "%"], tunnels: Some(&["-t"]) },
    Peer {
        name: "Suricata, no rules, EVE",
        program: "suricata",
        args: &["-c", "/etc/suricata/suricata.yaml", "-r", "%", "-l", "@", "-k", "none", "-S", "/dev/null", "--runmode", "single"],
        tunnels: None,
    },
    Peer { name: "nfpcapd", program: "nfpcapd", args: &["-r", "%", "-w", "@", "-t", "3600"], tunnels: None },
    Peer { name: "argus", program: "argus", args: &["-r", "%", "-w", "/dev/null"], tunnels: None },
];

/// Measures, and writes the page. Captures are made once, of the corpus beside the peers' scripts.
pub fn run(peers: &Path, runs: usize, profile: &str) -> Outcome {
    let metadata = Metadata::load()?;
    let binary = cargo::binary(&metadata, profile)?;
    let dir = metadata.target_directory.join("bench");
    let home = dir.join("home");
    fs::create_dir_all(&home).map_err(|e| format!("{}: {e}", home.display()))?;
    if !dir.join("gtpu.pcap").exists() {
        let mut make = Command::new("python3");
        cargo::run(make.arg(peers.join("make_captures.py")).arg(peers.join("../corpus/traffic")).arg(&dir))?;
    }
    let mut page = format!(
        "# Measured: traffic\n\nMade by `cargo xtask bench --traffic`. Packets a CPU-second are packets over the user and system time of the whole command, hash of the input,\n\
         names, detectors and answer included, in one thread; all programs in turn, {runs} times, each by its median. Peers do other things than `watch`: Suricata\n\
         writes events, ndpiReader names protocols, nfpcapd and argus count flows. A peer that does not look into tunnels has no line there.\n\n{}\n",
        bench::machine()
    );
    for (capture, what, tunnels) in [
        ("mix.pcap", "a mix of enterprise, device and attack traffic", false),
        ("gtpu.pcap", "the same kind in tunnels of a mobile network (GTPv1-U)", true),
    ] {
        let file = dir.join(capture);
        let packets = packets(&binary, &home, &file, &dir)?;
        let _ = write!(
            page,
            "\n## {capture}: {what}, {packets} packets\n\n| | packets a CPU-second | `watch` to it | peak MB |\n|---|---|---|---|\n"
        );
        let mut all: Vec<(&str, Vec<Spent>)> =
            vec![("`umbilical watch --no-save`", Vec::new()), ("`umbilical watch`, the lake written", Vec::new())];
        let asked = PEERS.iter().filter(|p| !tunnels || p.tunnels.is_some());
        let there: Vec<&Peer> = asked.filter(|p| is_there(p.program)).collect();
        all.extend(there.iter().map(|p| (p.name, Vec::new())));
        // In turn, so that whatever else the machine does meets all of them.
        for _ in 0..runs.max(1) {
            for (n, (_, spent)) in all.iter_mut().enumerate() {
                let scratch = dir.join("scratch");
                let _ = fs::remove_dir_all(&scratch);
                fs::create_dir_all(&scratch).map_err(|e| e.to_string())?;
                let mut command = match n.checked_sub(2).and_then(|n| there.get(n)) {
                    Some(peer) => {
                        let mut command = Command::new(peer.program);
                        command.args(peer.args.iter().map(|a| match *a {
                            "%" => file.as_os_str().to_owned(),
                            "@" => scratch.as_os_str().to_owned(),
                            a => a.into(),
                        }));
                        command.args(peer.tunnels.filter(|_| tunnels).unwrap_or_default());
                        command
                    }
                    None => watch(&binary, &home, &file, n == 0),
                };
                spent.push(spend(&mut command, &dir)?);
            }
        }
        let cpu = |spent: &[Spent]| middle(spent.iter().filter_map(|s| s.cpu).collect());
        let ours = all.first().and_then(|(_, spent)| cpu(spent)).ok_or("GNU time is not installed: there are no CPU-seconds")?;
        for (name, spent) in &all {
            let (Some(cpu), peak) = (cpu(spent), middle(spent.iter().filter_map(|s| s.peak_mb).collect())) else { continue };
            let _ = writeln!(
                page,
                "| {name} | {:.2} M | {:.2} × | {:.0} |",
                packets as f64 / cpu.max(0.01) / 1e6,
                cpu / ours.max(0.01),
                peak.unwrap_or_default()
            );
        }
    }
    page.push_str("\n## Records that others wrote\n\nMade up, one thread, hash included, with and without detectors (`cargo run --release -p umbilical-traffic --example records`).\n\n```\n");
    let mut example = cargo::command();
    example.args(["run", "--quiet", "--profile", profile, "-p", "umbilical-traffic", "--example", "records"]);
    let out = example.stderr(Stdio::inherit()).output().map_err(|e| e.to_string())?;
    page.push_str(&String::from_utf8_lossy(&out.stdout));
    page.push_str("```\n");
    print!("{page}");
    fs::write(cargo::root().join("docs/benchmarks.md"), page).map_err(|e| e.to_string())
}

fn watch(binary: &Path, home: &Path, file: &Path, only: bool) -> Command {
    let mut command = Command::new(binary);
    command.args(["watch", "--quiet", "--format", "json", "--home"]).arg(home).args(only.then_some("--no-save")).arg("--").arg(file);
    command
}

fn packets(binary: &Path, home: &Path, file: &Path, dir: &Path) -> Result<u64, String> {
    let answer = dir.join("watch.json");
    cargo::run(watch(binary, home, file, true).stdout(fs::File::create(&answer).map_err(|e| e.to_string())?))?;
    let text = fs::read_to_string(answer).map_err(|e| e.to_string())?;
    let document: serde_json::Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    document.pointer("/counters/packets").and_then(serde_json::Value::as_u64).ok_or_else(|| "the answer counts no packets".into())
}

fn is_there(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    found.is_ok_and(|s| s.success())
}

fn middle(mut all: Vec<f64>) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}
