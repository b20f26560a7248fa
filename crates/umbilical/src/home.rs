//! The data folder: where it is, and what is kept there.

use std::env;
use std::fs::DirBuilder;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use umbilical_core::Day;

use crate::args::Global;
use crate::fail::Fail;

/// The store.
pub const STORE: &str = "umbilical.db";
/// The folder of backups beside it.
pub const BACKUPS: &str = "backups";
/// The last audit.
pub const AUDIT: &str = "audit.json";
/// An imported licensed TAC table.
pub const LICENSED_TAC: &str = "knowledge/tac-licensed.csv";
/// What was decided, a line each; the answers beside it.
pub const DECISIONS: &str = "decisions.jsonl";
/// Number and hash of its last line.
pub const DECISIONS_HEAD: &str = "decisions.head";
/// The answers that were decided upon, `N.json`.
pub const DECIDED: &str = "decisions";
/// The only place where waivers live, unless another file is named.
pub const WAIVERS: &str = "waivers.toml";
/// Serial and folder of the bundle in use.
pub const BUNDLE: &str = "knowledge/bundle.json";
/// Bundles that were imported, a folder each.
pub const BUNDLES: &str = "knowledge/bundles";
/// Public keys whose bundles are taken, `ID.pem`.
pub const TRUSTED: &str = "knowledge/trusted";
/// The open TAC table that is kept apart for its licence.
pub const OSMOCOM_TAC: &str = "tac-osmocom/tac.csv";

/// `--home`, `UMBILICAL_HOME`, or the platform's data directory.
pub fn folder(global: &Global) -> Result<PathBuf, Fail> {
    if let Some(home) = &global.home {
        return Ok(home.clone());
    }
    let var = |name: &str| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(home) = var("UMBILICAL_HOME") {
        return Ok(home);
    }
    let data = if cfg!(windows) {
        var("APPDATA")
    } else if cfg!(target_os = "macos") {
        var("HOME").map(|h| h.join("Library/Application Support"))
    } else {
        var("XDG_DATA_HOME").or_else(|| var("HOME").map(|h| h.join(".local/share")))
    };
    data.map(|d| d.join("umbilical")).ok_or_else(|| Fail::usage("no data directory on this system", "name one with --home DIR"))
}

/// Makes a folder of the home, for its owner alone: it holds who has which device. One that is there keeps its mode.
pub fn make(folder: &Path) -> Result<(), Fail> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| Fail::Output { to: folder.display().to_string(), source })
}

/// `--as-of` or today in UTC.
pub fn as_of(global: &Global) -> Day {
    global.as_of.first().copied().unwrap_or_else(today)
}

/// Today in UTC.
pub fn today() -> Day {
    day(now())
}

/// Seconds since 1970 in UTC, by the machine's clock.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|d| i64::try_from(d.as_secs()).ok()).unwrap_or(0)
}

fn day(seconds: i64) -> Day {
    Day::from_unix(seconds).unwrap_or(Day { year: 1970, month: 1, day: 1 })
}

/// The time, RFC 3339 in UTC.
pub fn time() -> String {
    let now = now();
    let (hour, minute, second) = (now / 3600 % 24, now / 60 % 60, now % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", day(now))
}

/// Where the open TAC table may lie: the folder of `--knowledge`, the home, beside the binary, the source tree.
pub fn osmocom_places(global: &Global) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = global.knowledge.iter().cloned().collect();
    out.extend(folder(global).ok().map(|h| h.join("knowledge")));
    if let Ok(binary) = env::current_exe()
        && let Some(dir) = binary.parent()
    {
        out.push(dir.join("knowledge"));
        out.push(dir.join("../share/umbilical/knowledge"));
        // Built in the source tree: target/PROFILE/umbilical.
        out.extend(dir.ancestors().skip(1).take(3).map(|d| d.join("knowledge")));
    }
    out.into_iter().map(|d| d.join(OSMOCOM_TAC)).collect()
}
