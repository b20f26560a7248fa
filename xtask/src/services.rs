//! What tests need beside the toolchain: a PostgreSQL and a browser that they start themselves, axe-core, and libpcap.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding as _};
use sha2::{Digest as _, Sha512};

use crate::Outcome;
use crate::cargo::{self, Metadata};

/// What Debian has and tests start or are built with.
struct Service {
    /// Its packages.
    packages: &'static [&'static str],
    /// Looks for it where the tests do, too.
    is_there: fn() -> bool,
    /// What happens without it.
    without: &'static str,
}

const SERVICES: &[Service] = &[
    Service { packages: &["postgresql"], is_there: postgres, without: "the store is tested on SQLite alone" },
    Service { packages: &["chromium", "chromium-driver"], is_there: browser, without: "no page is tested in a browser" },
    Service { packages: &["libpcap-dev", "iproute2"], is_there: captures, without: "live capture is neither built nor tested" },
    Service { packages: &["npm"], is_there: npm, without: "axe-core is not fetched, and pages are not looked at with it" },
];

/// Looks for what tests start; in CI installs what is missing, with one retry. Elsewhere the tests that need it are
/// skipped, and say so.
pub fn run(metadata: &Metadata) -> Outcome {
    let ci = std::env::var_os("CI").is_some();
    let missing: Vec<&Service> = SERVICES.iter().filter(|s| !(s.is_there)()).collect();
    let packages: Vec<&str> = missing.iter().flat_map(|s| s.packages).copied().collect();
    if ci && !packages.is_empty() {
        let install = || cargo::run(apt().args(["install", "-y", "--no-install-recommends"]).args(&packages));
        install().or_else(|_| {
            // The lists may be old, or not there yet.
            cargo::run(apt().arg("update"))?;
            install()
        })?;
    }
    for service in missing.iter().filter(|s| !(s.is_there)()) {
        let packages = service.packages.join(" ");
        if ci {
            return Err(format!("{packages}: installed, and not where Debian puts it"));
        }
        println!("{packages}: not installed (Debian: apt-get install {packages}), so {}", service.without);
    }
    if !npm() {
        return Ok(());
    }
    axe(metadata).or_else(|what| {
        if ci {
            return Err(what);
        }
        println!("{what}, so pages are not looked at with axe-core");
        Ok(())
    })
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn path() -> Vec<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect()
}

fn postgres() -> bool {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok).map(|e| e.path().join("bin"));
    let whole = |dir: &Path| dir.join("initdb").is_file() && dir.join("pg_ctl").is_file();
    debian.chain(path()).any(|dir| whole(&dir))
}

fn browser() -> bool {
    has("chromium") && has("chromedriver")
}

/// libpcap as the linker finds it, and what makes the interfaces that tests capture from.
fn captures() -> bool {
    libpcap() && has("ip")
}

/// Whether live capture can be built.
pub fn libpcap() -> bool {
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    let of_machine = fs::read_dir("/usr/lib").into_iter().flatten().filter_map(Result::ok).map(|e| e.path());
    cfg!(target_os = "linux") && folders.into_iter().chain(of_machine).any(|dir| dir.join("libpcap.so").is_file())
}

fn npm() -> bool {
    has("npm")
}

fn has(program: &str) -> bool {
    path().iter().any(|dir| dir.join(program).is_file())
}

/// Version and digest of axe-core, which the tests read as well.
const AXE: &str = include_str!("../../tests/browser/axe-core.txt");

/// Lays axe-core into the target folder: it is used by tests, and no part of the project. npm brings it from whichever
/// registry it is set to; the digest says that it is the one meant.
fn axe(metadata: &Metadata) -> Outcome {
    let (version, digest) = AXE.trim().split_once(' ').ok_or("tests/browser/axe-core.txt has no version and digest")?;
    let dir = metadata.target_directory.join("axe-core").join(version);
    if dir.join("axe.min.js").is_file() {
        return Ok(());
    }
    let failed = |e: std::io::Error| format!("cannot write {}: {e}", dir.display());
    let beside = dir.with_extension("part");
    fs::create_dir_all(&beside).map_err(failed)?;
    let fetch = || {
        let mut npm = Command::new("npm");
        npm.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(&beside).arg(format!("axe-core@{version}"));
        cargo::run(npm.current_dir(cargo::root()).stdout(Stdio::null()))
    };
    fetch().or_else(|_| fetch())?;
    let archive = beside.join(format!("axe-core-{version}.tgz"));
    let bytes = fs::read(&archive).map_err(|e| format!("npm left no {}: {e}", archive.display()))?;
    let found = format!("sha512-{}", Base64::encode_string(&Sha512::digest(&bytes)));
    if found != digest {
        return Err(format!("axe-core {version} came with the digest {found}, and {digest} was meant"));
    }
    let unpack = ["-xzf".as_ref(), archive.as_os_str(), "--strip-components=1".as_ref(), "package/axe.min.js".as_ref()];
    cargo::run(Command::new("tar").arg("-C").arg(&beside).args(unpack))?;
    fs::remove_file(&archive).map_err(failed)?;
    fs::rename(&beside, &dir).map_err(failed)
}
