//! Where the answer goes: standard output, or a file that appears whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::args::{Colour, Global};
use crate::fail::Fail;

/// An answer that is kept instead of shown: a decision records it.
#[derive(Clone, Debug, Default)]
pub struct Capture(Arc<Mutex<Vec<u8>>>);

impl Capture {
    /// What was answered.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes an answer through `write`. A regular file is written beside and then renamed, so that nobody reads half
/// an answer; a device, pipe or socket is written to directly.
pub fn answer(global: &Global, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Fail> {
    if let Some(capture) = &global.capture {
        let mut held = capture.0.lock().unwrap_or_else(PoisonError::into_inner);
        return write(&mut *held).map_err(|source| Fail::Output { to: "memory".into(), source });
    }
    match &global.output {
        None => {
            let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
            let done = write(&mut out).and_then(|()| out.flush());
            done.map_err(|source| Fail::Output { to: "standard output".into(), source })
        }
        Some(path) => whole(path, Readers::AsTheSystemSays, write),
    }
}

/// Writes a file of the home whole, for its owner alone: it holds who has which device.
pub fn private(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Fail> {
    whole(path, Readers::OwnerAlone, write)
}

/// Who may read a file that is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readers {
    AsTheSystemSays,
    OwnerAlone,
}

fn whole(path: &Path, readers: Readers, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Fail> {
    let fail = |source| Fail::Output { to: path.display().to_string(), source };
    let special = fs::metadata(path).is_ok_and(|m| !m.is_file());
    if special {
        let mut out = BufWriter::new(File::options().write(true).open(path).map_err(fail)?);
        return write(&mut out).and_then(|()| out.flush()).map_err(fail);
    }
    let beside = beside(path);
    let done = make(&beside, readers).and_then(|f| {
        let mut out = BufWriter::with_capacity(1 << 16, f);
        write(&mut out)?;
        out.flush()?;
        out.get_ref().sync_all()
    });
    let done = done.and_then(|()| fs::rename(&beside, path));
    if done.is_err() {
        let _ = fs::remove_file(&beside);
    }
    done.map_err(fail)
}

/// A new file. One that a run of the same number left behind is removed first: it keeps the mode it was made with.
fn make(path: &Path, readers: Readers) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::OwnerAlone {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let _ = fs::remove_file(path);
    options.open(path)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

/// Whether to colour the answer.
pub fn colour(global: &Global) -> bool {
    match global.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => global.output.is_none() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && io::stdout().is_terminal(),
    }
}

/// Whether the answer goes to a terminal.
pub fn at_terminal(global: &Global) -> bool {
    match &global.output {
        Some(path) => File::options().write(true).open(path).is_ok_and(|f| f.is_terminal()),
        None => global.capture.is_none() && io::stdout().is_terminal(),
    }
}

/// Columns of the terminal, at most 160; 100 where there is none.
pub fn width() -> usize {
    let set = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    let seen = || terminal_size::terminal_size().map(|(columns, _)| usize::from(columns.0));
    set.or_else(seen).filter(|c| *c >= 40).unwrap_or(100).min(160)
}
