//! What tests need beside the toolchain: a PostgreSQL that they start themselves.

use std::path::Path;
use std::process::Command;

use crate::{Outcome, cargo};

/// Looks for PostgreSQL's programs; in CI installs Debian's package where they are missing, with one retry. Elsewhere the
/// tests that need them are skipped, and say so.
pub fn run() -> Outcome {
    if is_there() {
        return Ok(());
    }
    if std::env::var_os("CI").is_none() {
        println!("PostgreSQL is not installed (Debian: apt-get install postgresql): the store is tested on SQLite alone");
        return Ok(());
    }
    let install = || cargo::run(apt().args(["install", "-y", "--no-install-recommends", "postgresql"]));
    install().or_else(|_| {
        // The lists may be old, or not there yet.
        cargo::run(apt().arg("update"))?;
        install()
    })?;
    if is_there() { Ok(()) } else { Err("PostgreSQL was installed, and its programs are not where Debian puts them".into()) }
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Where the store's tests look, too.
fn is_there() -> bool {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok).map(|e| e.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let whole = |dir: &Path| dir.join("initdb").is_file() && dir.join("pg_ctl").is_file();
    debian.chain(std::env::split_paths(&path)).any(|dir| whole(&dir))
}
