//! Calling cargo, and what it knows of the workspace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::services;

/// The profile of tests, corpus and examples: one build for all.
pub const PROFILE: &str = "ci";

/// Packages outside the default members that are tested with them.
const HELPERS: [&str; 2] = ["umbilical-synth", "xtask"];

/// The repository's folder.
pub fn root() -> PathBuf {
    // Set by `cargo run`; the compiled-in value serves whoever calls the binary itself.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// A cargo command in the repository, without the variables that `cargo run` set for this process: build scripts
/// that watch them would run again.
pub fn command() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|n| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST_") || n == "CARGO_BIN_NAME") {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Runs a command and turns failure into a sentence.
pub fn run(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{} ended with {status}", words(command))),
        Err(e) => Err(format!("cannot start {}: {e}", words(command))),
    }
}

fn words(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    std::iter::once(program).chain(command.get_args().take(2).map(|a| a.to_string_lossy().into_owned())).collect::<Vec<_>>().join(" ")
}

/// What `cargo metadata` says, as far as it is used.
#[derive(Deserialize)]
pub struct Metadata {
    /// Every package of the workspace.
    pub packages: Vec<Package>,
    workspace_default_members: Vec<String>,
    /// Where builds go.
    pub target_directory: PathBuf,
}

/// A package.
#[derive(Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    id: String,
    /// Its manifest.
    pub manifest_path: PathBuf,
    /// Its dependencies as declared.
    pub dependencies: Vec<Dependency>,
    /// What it builds.
    pub targets: Vec<Target>,
}

/// A declared dependency.
#[derive(Deserialize)]
pub struct Dependency {
    /// The package's name.
    pub name: String,
    /// `null` for normal ones, `dev`, `build`.
    pub kind: Option<String>,
}

/// A library, binary, test.
#[derive(Deserialize)]
pub struct Target {
    /// `lib`, `bin`, `test`, …
    pub kind: Vec<String>,
    /// Its root file.
    pub src_path: PathBuf,
}

impl Metadata {
    /// Asks cargo.
    pub fn load() -> Result<Self, String> {
        let output = command()
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .map_err(|e| format!("cannot start cargo metadata: {e}"))?;
        if !output.status.success() {
            return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
        }
        serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))
    }

    /// The packages that are built and tested: the default members and their helpers, never the whole workspace.
    pub fn tested(&self) -> Vec<&Package> {
        let default = |p: &&Package| self.workspace_default_members.contains(&p.id) || HELPERS.contains(&p.name.as_str());
        self.packages.iter().filter(default).collect()
    }

    /// `-p NAME` for each.
    pub fn selection(&self) -> Vec<String> {
        self.tested().iter().flat_map(|p| ["-p".to_owned(), p.name.clone()]).collect()
    }

    /// What is built beside the default of these, where what it needs is there: live capture.
    pub fn features() -> &'static [&'static str] {
        if services::libpcap() { &["--features", "umbilical/live"] } else { &[] }
    }

    /// Normal dependencies on packages of the workspace, by package.
    pub fn imports(&self) -> BTreeMap<&str, Vec<&str>> {
        let ours = |name: &str| self.packages.iter().any(|p| p.name == name);
        self.packages
            .iter()
            .map(|p| {
                let normal = p.dependencies.iter().filter(|d| d.kind.is_none() && ours(&d.name));
                (p.name.as_str(), normal.map(|d| d.name.as_str()).collect())
            })
            .collect()
    }

    /// Where a profile's binaries lie.
    pub fn binaries(&self, profile: &str) -> PathBuf {
        // The one profile whose folder has another name.
        self.target_directory.join(if profile == "dev" { "debug" } else { profile })
    }
}

/// Builds the product's binary in a profile and returns its path. The packages named are the same as in the tests, so
/// that features, and with them builds, are the same.
pub fn binary(metadata: &Metadata, profile: &str) -> Result<PathBuf, String> {
    let mut build = command();
    build.args(["build", "--quiet", "--profile", profile, "--bin", "umbilical"]);
    // The release build is the one that users make.
    if profile == PROFILE {
        build.args(metadata.selection()).args(Metadata::features());
    }
    run(&mut build)?;
    Ok(metadata.binaries(profile).join(format!("umbilical{}", std::env::consts::EXE_SUFFIX)))
}
