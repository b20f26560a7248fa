//! `backup` and `restore`: the store as one file, the same for SQLite and PostgreSQL.

use std::path::PathBuf;

use clap::Args;
use umbilical_store::{By, Options, Store, verify_backup};

use super::formats;
use crate::args::{Format, Global};
use crate::fail::Fail;
use crate::stored::{self, Stored};
use crate::{home, out};

/// Who does it, for the audit log.
const WHO: &str = "umbilical";

/// Shown behind the help of `backup`.
pub const BACKUP: &str =
    "Everything that is committed when it begins; a server may go on meanwhile. The file is read back to its end before older ones go.

Examples:
  umbilical backup                              into `backups` of the home, the newest seven are kept
  umbilical backup --database postgres://umbilical@db/umbilical -o fleet.umbilical-backup";

/// Shown behind the help of `restore`.
pub const RESTORE: &str = "Makes a new store and never writes over one. What was kept in SQLite can be restored to PostgreSQL, and back.

Examples:
  umbilical restore backups/20261129T120000000Z.umbilical-backup --home /var/lib/umbilical-new
  umbilical restore fleet.umbilical-backup --database postgres://umbilical@db/new";

/// `backup`.
#[derive(Args, Debug)]
pub struct Backup {
    /// The store: a file, or postgres://USER@HOST/NAME [default: umbilical.db of the home]
    #[arg(long, value_name = "URL", env = "UMBILICAL_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// How many backups stay in the folder of backups
    #[arg(long, value_name = "N", default_value_t = 7)]
    keep: usize,
}

/// `restore`.
#[derive(Args, Debug)]
pub struct Restore {
    /// The backup
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// The new store: a file, or postgres://USER@HOST/NAME of an empty database [default: umbilical.db of the home]
    #[arg(long, value_name = "URL", env = "UMBILICAL_DATABASE", hide_env_values = true)]
    database: Option<String>,
}

/// Writes a backup.
pub fn backup(global: &Global, args: &Backup) -> Result<u8, Fail> {
    formats(global, "backup", &[Format::Table])?;
    let opened = Stored::open(&stored::place(global, args.database.as_deref())?)?;
    let by = By { who: WHO, at: stored::now() };
    let path = match &global.output {
        Some(path) => {
            opened.wait(opened.store.backup_to(path, by.at))?;
            path.clone()
        }
        None => opened.wait(opened.store.backup(by, args.keep))?,
    };
    let to_standard_output = Global { output: None, ..global.clone() };
    out::answer(&to_standard_output, |w| writeln!(w, "{}", path.display()))?;
    Ok(0)
}

/// Makes a store of a backup.
pub fn restore(global: &Global, args: &Restore) -> Result<u8, Fail> {
    formats(global, "restore", &[Format::Table])?;
    let place = stored::place(global, args.database.as_deref())?;
    let stamp = verify_backup(&args.backup).map_err(stored::fail)?;
    if args.database.is_none() {
        home::make(&home::folder(global)?)?;
    }
    let runtime = stored::runtime()?;
    let options = Options { place: place.clone(), ..Options::default() };
    let by = By { who: WHO, at: stored::now() };
    let store = runtime.block_on(Store::restore(&args.backup, options, by)).map_err(stored::fail)?;
    runtime.block_on(store.close());
    out::answer(global, |w| writeln!(w, "{place}: restored, as it was on {}", stamp.at))?;
    Ok(0)
}
