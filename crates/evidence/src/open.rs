//! Walking what the user named: files, folders, archives, standard input.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;

use thiserror::Error;
use umbilical_core::observation::{Input, Problem};
use umbilical_core::{At, Basis, Group, Observations};
use umbilical_knowledge::Knowledge;

use crate::archive::{self, Container, Limits};
use crate::table::Mapping;
use crate::{Context, Purpose, READERS, Reader, Source};

/// The stack of a reading thread: nested documents are read by recursion, up to a depth that is capped.
const STACK: usize = 16 << 20;

/// What the user named and cannot be read at all.
#[derive(Debug, Error)]
pub enum OpenError {
    /// There is no such path.
    #[error("{}: no such file or folder", .0.display())]
    Missing(PathBuf),
    /// There is, but it cannot be looked at.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// As the user named it.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Artefacts, those inside archives included.
    pub artefacts: usize,
    /// How many of them a reader understood.
    pub understood: usize,
    /// Bytes of the files, as they stand on disk.
    pub bytes: u64,
}

/// Whether a reader took an input, whether or not it found anything in it.
pub fn understood(input: &Input) -> bool {
    !matches!(input.format.as_str(), "unknown" | "unreadable")
}

/// How to read.
pub struct Options<'a> {
    /// The facts.
    pub knowledge: &'a Knowledge,
    /// The user's column mapping, if any.
    pub mapping: Option<&'a Mapping>,
    /// What the evidence is read for.
    pub purpose: Purpose,
    /// Whether statements are judged by the schema of their version.
    pub validate: bool,
    /// How many files are read at the same time; at least one. The answer does not depend on it.
    pub threads: usize,
    /// Called now and then with the number of bytes read so far, from any thread.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// One run: what readers are given, and the count of bytes.
pub(crate) struct Run<'a> {
    pub knowledge: &'a Knowledge,
    pub mapping: Option<&'a Mapping>,
    pub purpose: Purpose,
    pub validate: bool,
    report: &'a (dyn Fn(u64) + Sync),
    done: AtomicU64,
}

impl Run<'_> {
    /// Notes that so many more bytes of the user's files have been read.
    pub fn progress(&self, bytes: u64) {
        let before = self.done.fetch_add(bytes, Ordering::Relaxed);
        let after = before.saturating_add(bytes);
        if before >> 20 != after >> 20 {
            (self.report)(after);
        }
    }
}

/// One of the user's files, or standard input; ordered by path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    path: PathBuf,
    /// Why it cannot be read, where that is known already.
    unreadable: Option<String>,
}

impl Found {
    fn file(path: PathBuf) -> Self {
        Self { path, unreadable: None }
    }
}

/// Reads everything that the paths name: files, folders with all that is in them (hidden files left out), archives, and
/// standard input where a path is `-`. Inputs are ordered by path, so that neither the order of the paths nor the
/// number of threads changes the answer.
///
/// # Errors
/// Only where a path that was named does not exist or cannot be looked at; what goes wrong further inside is a problem
/// of its input.
pub fn read_paths(paths: &[PathBuf], options: &Options<'_>, out: &mut Observations) -> Result<Looked, OpenError> {
    let found = find(paths)?;
    let run = Run {
        knowledge: options.knowledge,
        mapping: options.mapping,
        purpose: options.purpose,
        validate: options.validate,
        report: options.progress,
        done: AtomicU64::new(0),
    };
    let first = out.inputs.len();
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel::<(usize, Observations)>();
    let threads = options.threads.clamp(1, 64).min(found.len().max(1));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (send, run, next, found) = (send.clone(), &run, &next, &found);
            let work = move || {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = found.get(i) else { break };
                    if send.send((i, guarded(run, file))).is_err() {
                        break;
                    }
                }
            };
            // Where no thread can be had, the work is done here.
            if std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work.clone()).is_err() {
                work();
            }
        }
        drop(send);
        // Taken in by number, as they come.
        let (mut waiting, mut wanted) = (BTreeMap::new(), 0usize);
        for (i, one) in receive {
            waiting.insert(i, one);
            while let Some(one) = waiting.remove(&wanted) {
                out.absorb(one);
                wanted = wanted.saturating_add(1);
            }
        }
    });
    if let Some(mapping) = options.mapping.filter(|m| m.is_idle()) {
        let names: Vec<_> = mapping.names().take(8).map(|n| format!("`{}`", umbilical_core::text::short(n, 60))).collect();
        let what = format!("the mapping file fits nothing here: no table that was read has a column {}", names.join(" or "));
        out.problems.push(Problem { input: None, at: At::WHOLE, what: umbilical_core::text::clean(&what).into_owned() });
    }
    let bytes = run.done.load(Ordering::Relaxed);
    (options.progress)(bytes);
    let read = out.inputs.get(first..).unwrap_or_default();
    Ok(Looked { artefacts: read.len(), understood: read.iter().filter(|i| understood(i)).count(), bytes })
}

/// How many bytes the paths hold, for a progress bar; standard input and what cannot be read count nothing.
pub fn total_bytes(paths: &[PathBuf]) -> u64 {
    let sizes = find(paths).unwrap_or_default().into_iter().map(|f| fs::metadata(&f.path).map_or(0, |m| m.len()));
    sizes.fold(0, u64::saturating_add)
}

/// The files that [`read_paths`] reads of these paths, in its order; `-` for standard input.
///
/// # Errors
/// Where a path that was named does not exist or cannot be looked at.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, OpenError> {
    Ok(find(paths)?.into_iter().filter(|f| f.unreadable.is_none()).map(|f| f.path).collect())
}

/// The files that paths name, ordered and each once.
fn find(paths: &[PathBuf]) -> Result<Vec<Found>, OpenError> {
    let mut found = BTreeSet::new();
    let mut sorted: Vec<&PathBuf> = paths.iter().collect();
    sorted.sort();
    let mut folders = BTreeSet::new();
    for path in sorted {
        if path.as_os_str() == "-" {
            found.insert(Found::file(path.clone()));
            continue;
        }
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => walk(path, &mut folders, &mut found),
            Ok(_) => {
                found.insert(Found::file(path.clone()));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(OpenError::Missing(path.clone())),
            Err(source) => return Err(OpenError::Unreadable { path: path.clone(), source }),
        }
    }
    // One file under two names is read once, under the first of them.
    let mut seen = BTreeSet::new();
    found.retain(|f| f.path.as_os_str() == "-" || seen.insert(fs::canonicalize(&f.path).unwrap_or_else(|_| f.path.clone())));
    Ok(found.into_iter().collect())
}

fn walk(folder: &Path, folders: &mut BTreeSet<PathBuf>, found: &mut BTreeSet<Found>) {
    // A folder that has been entered is not entered again: links may lead in circles.
    if !folders.insert(fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf())) {
        return;
    }
    let mut inside: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => listed(folder, entries.map(|entry| entry.map(|e| e.path())), found),
        Err(error) => {
            found.insert(Found { path: folder.to_path_buf(), unreadable: Some(error.to_string()) });
            return;
        }
    };
    inside.sort();
    for path in inside {
        if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')) {
            continue;
        }
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => walk(&path, folders, found),
            // Pipes, sockets and devices inside a folder are no evidence, and reading one may never end.
            Ok(meta) if meta.is_file() => {
                found.insert(Found::file(path));
            }
            Ok(_) => {}
            Err(error) => {
                found.insert(Found { path, unreadable: Some(error.to_string()) });
            }
        }
    }
}

/// The entries of a folder that can be listed; that some cannot is said of the folder.
fn listed(folder: &Path, entries: impl Iterator<Item = io::Result<PathBuf>>, found: &mut BTreeSet<Found>) -> Vec<PathBuf> {
    let (mut inside, mut failed) = (Vec::new(), None);
    for entry in entries {
        match entry {
            Ok(path) => inside.push(path),
            Err(error) => failed = Some(error),
        }
    }
    if let Some(error) = failed {
        let why = format!("not all of this folder can be listed, what can is read: {error}");
        found.insert(Found { path: folder.to_path_buf(), unreadable: Some(why) });
    }
    inside
}

/// Reads one file into a sink of its own. A bug in a container's code costs this file, not the run.
fn guarded(run: &Run<'_>, file: &Found) -> Observations {
    catch_unwind(AssertUnwindSafe(|| {
        let mut out = Observations::new();
        one(run, file, &mut out);
        out
    }))
    .unwrap_or_else(|_| {
        let mut out = Observations::new();
        out.begin_input(&name(&file.path), "unknown", String::new(), 0);
        out.problem(At::WHOLE, "reading broke off: a bug, please report it with this input");
        out
    })
}

fn name(path: &Path) -> String {
    // One spelling on every system.
    umbilical_core::text::clean(&path.to_string_lossy()).replace('\\', "/")
}

fn one(run: &Run<'_>, file: &Found, out: &mut Observations) {
    let limits = Limits::default();
    let result = match &file.unreadable {
        Some(why) => Err(io::Error::other(why.clone())),
        None if file.path.as_os_str() == "-" => {
            archive::read(run, &limits, "-", 0, Box::new(Counting { inner: io::stdin().lock(), run, limits: Some(&limits) }), out);
            Ok(())
        }
        None => read_file(run, &limits, &file.path, out),
    };
    if let Err(error) = result {
        out.begin_input(&name(&file.path), "unreadable", String::new(), 0);
        out.problem(At::WHOLE, format!("cannot be read: {error}"));
    }
}

fn read_file(run: &Run<'_>, limits: &Limits, path: &Path, out: &mut Observations) -> io::Result<()> {
    let mut file = File::open(path)?;
    let meta = file.metadata()?;
    if meta.is_file() {
        let mut head = Vec::new();
        file.by_ref().take(crate::source::HEAD as u64).read_to_end(&mut head)?;
        file.seek(io::SeekFrom::Start(0))?;
        if Container::of(&head) == Some(Container::Zip) {
            return archive::read_zip_file(run, limits, &name(path), file, out);
        }
    }
    // The size of a pipe is known when it has been read.
    let sized = meta.is_file() && meta.len() > 0;
    limits.packed.set(if sized { meta.len() } else { 0 });
    let counting = Counting { inner: file, run, limits: (!sized).then_some(limits) };
    archive::read(run, limits, &name(path), 0, Box::new(counting), out);
    Ok(())
}

/// Counts the bytes of the user's files as they are read.
struct Counting<'a, R> {
    inner: R,
    run: &'a Run<'a>,
    limits: Option<&'a Limits>,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.run.progress(n as u64);
        if let Some(limits) = self.limits {
            limits.packed.set(limits.packed.get().saturating_add(n as u64));
        }
        Ok(n)
    }
}

/// Reads one artefact from a stream into `out`, as input `cx.path`; containers are not opened, and digest and size
/// are left to whoever owns the source.
///
/// # Errors
/// Where the stream does.
pub fn read_stream(source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
    let name = cx.path.rsplit(['/', '!', '\\']).next().unwrap_or(cx.path);
    let (reader, known) = {
        let head = source.head(name);
        // The first pages of some binary formats look like text.
        let textual = |bytes: &[u8]| bytes.starts_with(b"%PDF") || crate::tcg::is_certificate(bytes);
        let known = not_read(head.bytes).filter(|_| head.text.is_none() || textual(head.bytes) || head.bytes.contains(&0));
        (choose(&head).filter(|reader| known.is_none() || reader.sniff(&head) > 10), known)
    };
    out.begin_input(cx.path, reader.map_or("unknown", |r| r.name()), String::new(), 0);
    let Some(reader) = reader else {
        out.problem(At::WHOLE, known.unwrap_or("no reader knows this format"));
        // An image that is not read yet still has a name.
        for (kind, name) in crate::text::filename::from_path(cx.path, cx.knowledge) {
            out.record(At::WHOLE).part(1).fact(kind, &name, Group::Image, Basis::Declared);
        }
        return Ok(());
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| reader.read(source, cx, out)));
    if let Some(line) = source.broken() {
        let encoding = source.encoding();
        let what = if encoding == encoding_rs::UTF_8 {
            "this is not UTF-8, as the text before is: lines of this kind are read as windows-1252".to_owned()
        } else {
            format!("this is not {}, as the text before is: what it cannot say is replaced", encoding.name())
        };
        out.problem(At::line(line), what);
    }
    match outcome {
        Ok(result) => result,
        Err(_) => {
            out.problem(At::WHOLE, format!("the {} reader broke off: a bug, please report it with this input", reader.name()));
            Ok(())
        }
    }
}

/// The reader that recognises a head best.
pub fn choose(head: &crate::Head<'_>) -> Option<&'static dyn Reader> {
    let mut best: Option<(u8, &'static dyn Reader)> = None;
    for reader in READERS {
        let sure = reader.sniff(head);
        if sure > best.map_or(0, |b| b.0) {
            best = Some((sure, *reader));
        }
    }
    best.map(|b| b.1)
}

/// Formats that are known by their first bytes and not read: what they are, and what to do.
const NOT_READ: &[(usize, &[u8], &str)] = &[
    (0, b"\xd4\xc3\xb2\xa1", "a packet capture: `umbilical watch` is not built yet"),
    (0, b"\xa1\xb2\xc3\xd4", "a packet capture: `umbilical watch` is not built yet"),
    (0, b"\x4d\x3c\xb2\xa1", "a packet capture: `umbilical watch` is not built yet"),
    (0, b"\xa1\xb2\x3c\x4d", "a packet capture: `umbilical watch` is not built yet"),
    (0, b"\x0a\x0d\x0d\x0a", "a packet capture (pcapng): `umbilical watch` is not built yet"),
    (0, b"%PDF", "a PDF: copy its text into a text file"),
    (0, b"\x89PNG", "an image: type what it shows into a text file"),
    (0, b"\xff\xd8\xff", "an image: type what it shows into a text file"),
    (0, b"GIF8", "an image: type what it shows into a text file"),
    (0, b"II*\0", "an image: type what it shows into a text file"),
    (0, b"MM\0*", "an image: type what it shows into a text file"),
    (8, b"WEBP", "an image: type what it shows into a text file"),
    (4, b"ftypheic", "an image: type what it shows into a text file"),
    (0, b"\x7fELF", "a program or part of a firmware image: `umbilical vet` is not built yet"),
    (0, b"MZ", "a Windows program: `umbilical vet` is not built yet"),
    (0, b"hsqs", "a firmware image (squashfs): `umbilical vet` is not built yet"),
    (0, b"UBI#", "a firmware image (UBI): `umbilical vet` is not built yet"),
    (0, b"\x85\x19\x03\x20", "a firmware image (JFFS2): `umbilical vet` is not built yet"),
    (0, b"ANDROID!", "a boot image: `umbilical vet` is not built yet"),
    (0, b"\x3a\xff\x26\xed", "a firmware image (Android sparse): `umbilical vet` is not built yet"),
    (0, b"\x27\x05\x19\x56", "a firmware image (U-Boot): `umbilical vet` is not built yet"),
    (0, b"\xd0\x0d\xfe\xed", "a device tree or firmware image: `umbilical vet` is not built yet"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it first"),
    (0, b"Rar!", "a RAR archive: unpack it first"),
    (0, b"\xfd7zXZ\0", "an XZ archive: unpack it first"),
    (0, b"BZh", "a bzip2 archive: unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive: unpack it first"),
    (0, b"\x04\x22\x4d\x18", "an LZ4 archive: unpack it first"),
    (0, b"MSCF", "a Windows cabinet: unpack it first"),
    (0, b"SQLite format 3\0", "an SQLite database: export its tables as CSV"),
    (0, b"\xd0\xcf\x11\xe0", "an old office document: save its text as a text file, its tables as CSV"),
    (0, b"!<arch>", "a package or library: unpack it first"),
    (0, b"\xed\xab\xee\xdb", "a package: unpack it first"),
];

fn not_read(head: &[u8]) -> Option<&'static str> {
    if archive::is_office(head) {
        return Some("a word-processor or presentation document: save its text as a text file, its tables as CSV");
    }
    if crate::tcg::is_certificate(head) {
        return Some("a TCG platform certificate: give the hardware manifest (JSON) behind it");
    }
    NOT_READ.iter().find(|(at, magic, _)| head.get(*at..).is_some_and(|h| h.starts_with(magic))).map(|(_, _, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_listed_whole_says_so() {
        let mut found = BTreeSet::new();
        let entries = [Ok(PathBuf::from("d/a")), Err(io::Error::other("bad sector")), Ok(PathBuf::from("d/b"))];
        assert_eq!(listed(Path::new("d"), entries.into_iter(), &mut found), [PathBuf::from("d/a"), PathBuf::from("d/b")]);
        let why = found.first().and_then(|f| f.unreadable.clone()).unwrap();
        assert!(why.contains("bad sector") && found.len() == 1, "{why}");
        assert!(listed(Path::new("d"), [Ok(PathBuf::from("d/a"))].into_iter(), &mut BTreeSet::new()).len() == 1);
    }

    #[test]
    fn formats_that_are_not_read_are_named() {
        assert!(not_read(b"\xd4\xc3\xb2\xa1\x02\0\x04\0").is_some_and(|w| w.contains("umbilical watch")));
        assert!(not_read(b"RIFF\x10\0\0\0WEBPVP8 ").is_some_and(|w| w.contains("image")));
        assert_eq!(not_read(b"\0\x01\x02"), None);
    }
}
