//! The binary's answer as a script outside sees it: only the fields of the documented contract.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;

/// How long one small input may take. A hang must fail the run, not stop it.
const PATIENCE: Duration = Duration::from_secs(120);

/// An audit document.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Audit {
    /// What was read.
    pub inputs: Vec<Input>,
    /// What was not understood.
    pub problems: Vec<Problem>,
    /// The things found.
    pub devices: Vec<Device>,
}

/// An input.
#[derive(Clone, Debug, Deserialize)]
pub struct Input {
    /// What it was taken for.
    pub format: String,
}

/// A problem.
#[derive(Clone, Debug, Deserialize)]
pub struct Problem {
    /// Where.
    pub at: String,
    /// What.
    pub what: String,
}

/// A device.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Device {
    /// Names.
    pub names: Vec<String>,
    /// Identifiers.
    pub identifiers: Identifiers,
    /// `yes`, `no`, `unknown`.
    pub cellular: String,
    /// Set for sticks, phones, routers.
    pub product: Option<serde_json::Value>,
    /// Modules, most certain first.
    pub modules: Vec<Module>,
    /// Findings.
    pub findings: Vec<Finding>,
}

/// Identifiers, as far as used.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Identifiers {
    /// The owner's numbers.
    pub asset_id: Vec<String>,
}

/// A finding.
#[derive(Clone, Debug, Deserialize)]
pub struct Finding {
    /// Its code.
    pub code: String,
}

/// A module.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Module {
    /// Brand.
    pub brand: Option<String>,
    /// Maker.
    pub maker: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// The brand's name of it.
    pub sold_as: Option<String>,
    /// Variant.
    pub variant: Option<String>,
    /// Family.
    pub family: Option<String>,
    /// Of the claim at the most specific level.
    pub confidence: f64,
    /// In a word.
    pub confidence_level: String,
    /// All claims.
    pub claims: Vec<Claim>,
}

/// A claim.
#[derive(Clone, Debug, Deserialize)]
pub struct Claim {
    /// `variant`, `model`, `family`, `maker`, …
    pub level: String,
    /// What is claimed.
    pub value: String,
    /// 0–1.
    pub confidence: f64,
}

/// Runs `umbilical audit --no-save --format json PATH` with an empty home, so that nobody's own tables help.
pub fn audit(binary: &Path, path: &Path, scratch: &Path) -> Result<Audit, String> {
    document(binary, &["audit", "--no-save"], &[path.to_path_buf()], scratch)
}

/// Runs a command with `--format json` on paths, with an empty home, and reads its document. A gate that tripped (exit 1
/// or 3) has given its document all the same.
pub fn document<T: for<'de> Deserialize<'de>>(binary: &Path, command: &[&str], paths: &[PathBuf], scratch: &Path) -> Result<T, String> {
    static RUN: AtomicUsize = AtomicUsize::new(0);
    let run = RUN.fetch_add(1, Ordering::Relaxed);
    let home = scratch.join("home");
    std::fs::create_dir_all(&home).map_err(|e| format!("{}: {e}", home.display()))?;
    let answer = scratch.join(format!("answer-{}-{run}.json", std::process::id()));
    let words = scratch.join(format!("words-{}-{run}.txt", std::process::id()));
    let create = |path: &PathBuf| File::create(path).map_err(|e| format!("{}: {e}", path.display()));
    let mut child = Command::new(binary)
        .args(command)
        .args(["--quiet", "--format", "json", "--home"])
        .arg(&home)
        .arg("--")
        .args(paths)
        .stdin(Stdio::null())
        .stdout(create(&answer)?)
        .stderr(create(&words)?)
        .spawn()
        .map_err(|e| format!("cannot start {}: {e}", binary.display()))?;
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() > PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no answer within {} s", PATIENCE.as_secs()));
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(3)),
            Err(e) => return Err(e.to_string()),
        }
    };
    let (text, said) = (std::fs::read(&answer), std::fs::read_to_string(&words).unwrap_or_default());
    let _ = (std::fs::remove_file(&answer), std::fs::remove_file(&words));
    let gate = command.first() != Some(&"audit") && matches!(status.code(), Some(1 | 3));
    if !status.success() && !gate {
        return Err(format!("ended with {status}: {}", said.trim()));
    }
    serde_json::from_slice(&text.map_err(|e| e.to_string())?).map_err(|e| format!("its document does not follow the contract: {e}"))
}

/// Audits many paths, two at a time, answers in the order of the paths.
pub fn audit_all(binary: &Path, paths: &[PathBuf], scratch: &Path) -> Vec<Result<Audit, String>> {
    each(paths, |path| audit(binary, path, scratch))
}

/// Does something with many, two at a time, and gives what came of it in their order.
pub fn each<T: Sync, R: Send>(many: &[T], with: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((at, one)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| many.get(at).map(|one| (at, one))) {
            done.push((at, with(one)));
        }
        done
    };
    let mut all = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut all = work();
        all.extend(other.join().unwrap_or_default());
        all
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_form_is_understood() {
        let text = r#"{"schema":"umbilical.audit/1","as_of":"2026-11-22","knowledge":{"version":"x","sources_to":"2026-08-22","absent":[]},
            "inputs":[{"path":"a","format":"usb-devices","sha256":"00","observations":12,"bytes":3}],"problems":[{"input":0,"at":"line 40","what":"odd"}],
            "coverage":{"devices":1},"devices":[{"id":"dev-000000000000","names":[],"identifiers":{"asset_id":["GW-1"],"imei":[]},"cellular":"yes","product":null,
            "modules":[{"brand":"Quectel","maker":"Quectel","model":"EG25-G","sold_as":null,"variant":null,"family":null,"level":"model","confidence":0.97,"confidence_level":"probable",
            "basis":"observed","claims":[{"id":"clm-0","level":"maker","value":"Quectel","confidence":0.98,"basis":"observed"}]}],"findings":[{"id":"fnd-0","code":"rebranded"}]}]}"#;
        let audit: Audit = serde_json::from_str(text).unwrap();
        assert_eq!(audit.devices[0].modules[0].claims[0].confidence, 0.98);
        // A field of the contract that is left out is a breach, not a default.
        assert!(serde_json::from_str::<Audit>(r#"{"inputs":[],"problems":[],"devices":[{"cellular":"yes"}]}"#).is_err());
    }

    #[test]
    fn a_failing_binary_is_a_sentence() {
        let scratch = std::env::temp_dir().join(format!("umbilical-answer-{}", std::process::id()));
        std::fs::create_dir_all(&scratch).unwrap();
        let said = audit(Path::new("false"), Path::new("x"), &scratch).unwrap_err();
        assert!(said.contains("exit status: 1"), "{said}");
        let said = audit(Path::new("true"), Path::new("x"), &scratch).unwrap_err();
        assert!(said.contains("does not follow the contract"), "{said}");
        let many = audit_all(Path::new("false"), &vec![PathBuf::from("x"); 5], &scratch);
        assert_eq!(many.len(), 5);
        std::fs::remove_dir_all(&scratch).unwrap();
    }
}
