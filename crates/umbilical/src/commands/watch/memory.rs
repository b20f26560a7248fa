//! What devices spoke with before, in the home beside the lake: read when a trace begins, written when it is over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use umbilical_core::answer::Said;
use umbilical_core::id::hex;
use umbilical_core::observation::Input;
use umbilical_core::text::clean;
use umbilical_traffic::detect::Given;
use umbilical_traffic::learn::{Lesson, Memory};
use umbilical_traffic::time::Micros;

use crate::args::Global;
use crate::fail::Fail;
use crate::home;

/// What is remembered, who writes it, and the secret that hashes of subscriptions are made with.
const FILE: &str = "seen.jsonl";
const LOCK: &str = "seen.lock";
const KEY: &str = "seen.key";

fn folder(home: &Path) -> PathBuf {
    home.join("lake")
}

/// Gives detectors what is remembered. Nothing there: nothing is. Who keeps nothing and may not read it goes on without, which is said.
pub(super) fn open(global: &Global, given: &mut Given) -> Result<Option<Said>, Fail> {
    let Ok(home) = home::folder(global) else { return Ok(None) };
    let folder = folder(&home);
    let place = folder.join(FILE);
    if global.no_save && File::open(&place).is_err_and(|e| e.kind() == io::ErrorKind::PermissionDenied) {
        let what = "it may not be read: what devices spoke with before is not known".to_owned();
        return Ok(Some(Said { input: None, at: clean(&place.display().to_string()).into_owned(), what }));
    }
    given.memory = read(&folder).map_err(|what| Fail::Home {
        what: format!("what devices spoke with before cannot be read: {what}"),
        help: Some(format!("delete {} to begin anew", folder.join(FILE).display())),
    })?;
    // What cannot be written is said when the answer has been given.
    given.key = fs::read(folder.join(KEY)).or_else(|_| if global.no_save { Ok(Vec::new()) } else { new_key(&folder) }).unwrap_or_default();
    Ok(None)
}

fn read(folder: &Path) -> Result<Memory, String> {
    let place = folder.join(FILE);
    let said = |what: &dyn std::fmt::Display| format!("{}: {what}", place.display());
    match fs::read_to_string(&place) {
        Ok(text) => Memory::read(&text).map_err(|e| said(&e)),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Memory::default()),
        Err(e) => Err(said(&e)),
    }
}

/// For nobody else on this machine.
fn create(path: &Path, new: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).create_new(new).truncate(!new);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn new_key(folder: &Path) -> io::Result<Vec<u8>> {
    fs::create_dir_all(folder)?;
    let mut key = vec![0_u8; 32];
    getrandom::fill(&mut key).map_err(|e| io::Error::other(e.to_string()))?;
    match create(&folder.join(KEY), true).and_then(|mut file| file.write_all(&key)) {
        Ok(()) => Ok(key),
        // Somebody else was quicker.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => fs::read(folder.join(KEY)),
        Err(e) => Err(e),
    }
}

/// What tells a trace from others, and its inputs: whatever the order in which they are named.
pub(super) fn named<'a>(inputs: impl Iterator<Item = &'a Input>, range: Option<(Micros, Micros)>) -> (String, Vec<Box<str>>) {
    let short = |digest: String| -> Box<str> { digest.get(..16).unwrap_or_default().into() };
    let (from, to) = range.unwrap_or_default();
    let of = |input: &Input| match input.sha256.as_str() {
        // What was listened to has no digest: its place and its time tell it from others.
        "" => short(hex(&Sha256::digest(format!("{} {} {}", input.path, from.0, to.0)))),
        digest => short(digest.to_owned()),
    };
    let mut all: Vec<Box<str>> = inputs.map(of).collect();
    all.sort_unstable();
    all.dedup();
    let name = hex(&Sha256::digest(all.concat()));
    (name.get(..16).unwrap_or_default().to_owned(), all)
}

/// Remembers what a trace taught.
pub(super) fn keep(home: &Path, lesson: &Lesson) -> Result<(), String> {
    if lesson.modules.is_empty() {
        return Ok(());
    }
    let folder = folder(home);
    let failed = |e: io::Error| format!("what devices spoke with cannot be kept: {e}");
    fs::create_dir_all(&folder).map_err(failed)?;
    let lock = create(&folder.join(LOCK), false).map_err(failed)?;
    lock.lock().map_err(failed)?;
    // Others may have learnt since this trace began.
    let before = read(&folder)?;
    let mut memory = before.clone();
    memory.learn(lesson.clone());
    if memory != before {
        let beside = folder.join(format!(".{FILE}.part"));
        let write = || {
            let mut out = BufWriter::new(create(&beside, false)?);
            memory.write(&mut out)?;
            out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
            fs::rename(&beside, folder.join(FILE))
        };
        write().map_err(failed)?;
    }
    drop(lock);
    Ok(())
}
