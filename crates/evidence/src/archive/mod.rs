//! Containers: ZIP, TAR, GZIP, and what they hold, down to four levels.
//!
//! Members become inputs of their own, named `outer.zip!inner/path`; the container is listed too, with its digest, and
//! carries the problems that concern it as a whole. Containers are known by content. Nothing is ever written to disk,
//! so a path that climbs out of its folder harms nobody; it is made harmless in the name, and reported.
//!
//! **Bombs.** Everything that unpacks is counted against what the user's file holds: more than 64 MiB that came out of
//! less than a two-hundredth of that ends the member, and 8 GiB end the file. What was read until then is kept.

mod tar;
mod zip;

use std::cell::Cell;
use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use umbilical_core::text::clean;
use umbilical_core::{At, Observations};

use crate::open::{Run, read_stream};
use crate::{Context, Source, table};

pub(crate) use self::zip::read_file as read_zip_file;

/// How many containers may stand inside one another.
const MAX_DEPTH: u32 = 4;
/// The most members that one file of the user's may hold, at all levels.
const MAX_MEMBERS: u32 = 100_000;
/// The most bytes that one file may unpack to.
const MAX_UNPACKED: u64 = 8 << 30;
/// Below this nothing is a bomb.
const HARMLESS: u64 = 64 << 20;
/// How many times its size a thing may unpack to.
const RATIO: u64 = 200;
/// The largest ZIP inside something else that is opened (its directory stands at its end).
const MAX_INNER_ZIP: u64 = 512 << 20;

/// What has come out of one of the user's files so far.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// Bytes of the file: its size, or what has been read of a stream.
    pub packed: Cell<u64>,
    unpacked: Cell<u64>,
    members: Cell<u32>,
    /// Parts of bills of materials.
    parts: Cell<usize>,
}

/// The kinds of containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    /// PKWARE APPNOTE 4.3.7: `PK\3\4`, or an empty one's end record.
    Zip,
    /// RFC 1952.
    Gzip,
    /// POSIX ustar, GNU or the older form, by its header's checksum.
    Tar,
}

impl Container {
    /// The container whose head this is; office documents are ZIPs too, but not containers of evidence.
    pub fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            return (!table::is_xlsx(head) && !table::is_ods(head) && !is_office(head)).then_some(Self::Zip);
        }
        if head.starts_with(b"\x1f\x8b\x08") {
            return Some(Self::Gzip);
        }
        tar::is_header(head).then_some(Self::Tar)
    }
}

/// Word-processor and presentation documents.
pub(crate) fn is_office(head: &[u8]) -> bool {
    let has = |needle: &[u8]| memchr::memmem::find(head, needle).is_some();
    let odf = head.get(..256).is_some_and(|h| memchr::memmem::find(h, b"mimetypeapplication/vnd.oasis.opendocument").is_some());
    head.starts_with(b"PK\x03\x04") && (odf || (has(b"[Content_Types].xml") && (has(b"word/") || has(b"ppt/"))))
}

/// Reads an artefact from a stream, opening it if it is a container.
pub(crate) fn read(run: &Run<'_>, limits: &Limits, path: &str, depth: u32, bytes: Box<dyn Read + '_>, out: &mut Observations) {
    let mut source = match Source::new(bytes) {
        Ok(source) => source,
        Err(error) => {
            out.begin_input(path, "unreadable", String::new(), 0);
            out.problem(At::WHOLE, format!("cannot be read: {error}"));
            return;
        }
    };
    let container = Container::of(source.head(path).bytes);
    if let Some(container) = container {
        return open(container, run, limits, path, depth, source, out);
    }
    let input = out.inputs.len();
    let cx =
        Context { knowledge: run.knowledge, mapping: run.mapping.map(|m| m.of(path)), purpose: run.purpose, validate: run.validate, path };
    if let Err(error) = read_stream(&mut source, &cx, out) {
        out.problem(At::WHOLE, format!("breaks off: {error}"));
    }
    seal(input, source, out);
}

/// Puts digest and size into an input, when all of it has been read.
fn seal(input: usize, source: Source<'_>, out: &mut Observations) {
    let sealed = source.finish();
    let Some(input) = out.inputs.get_mut(input) else { return };
    match sealed {
        Ok((sha256, bytes)) => (input.sha256, input.bytes) = (sha256, bytes),
        Err(error) => out.problem(At::WHOLE, format!("cannot be read to its end: {error}")),
    }
}

/// What a container held, to be put behind it.
#[derive(Default)]
pub(crate) struct Contents {
    members: Vec<(String, Observations)>,
    problems: Vec<String>,
}

impl Contents {
    fn problem(&mut self, what: impl Into<String>) {
        // A hostile archive can have a problem for every member; two hundred are enough to see what it is.
        if self.problems.len() < 200 {
            self.problems.push(what.into());
        }
    }

    /// Puts the problems to the container, which is the last input, and the members behind it, by name.
    fn put(mut self, out: &mut Observations) {
        for what in self.problems {
            out.problem(At::WHOLE, what);
        }
        self.members.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, member) in self.members {
            out.absorb(member);
        }
    }

    /// Whether another member may be read.
    fn admit(&mut self, limits: &Limits) -> bool {
        let n = limits.members.get().saturating_add(1);
        limits.members.set(n);
        if n == MAX_MEMBERS.saturating_add(1) {
            self.problem("more than 100,000 members: the rest is not read");
        }
        n <= MAX_MEMBERS
    }

    /// Reads one member from its unpacking stream.
    #[expect(clippy::too_many_arguments, reason = "one call site per container")]
    fn member(&mut self, run: &Run<'_>, limits: &Limits, outer: &str, name: &str, depth: u32, packed: Packed<'_>, bytes: impl Read) {
        let (name, climbed) = harmless(name);
        if climbed {
            self.problem(format!("the path of a member climbs out of its folder: it is read as `{name}` (nothing is written to disk)"));
        }
        let mut guarded = Guarded { inner: bytes, limits, packed, unpacked: 0, stopped: None };
        let mut one = Observations::new();
        one.after_parts(limits.parts.get());
        let path = format!("{outer}!{name}");
        read(run, limits, &path, depth.saturating_add(1), Box::new(&mut guarded), &mut one);
        // A container inside has counted its own members already.
        limits.parts.set(limits.parts.get().max(one.parts_met()));
        if let Some(why) = guarded.stopped {
            // Said at the member itself, before what it may hold in turn.
            one.problems.insert(0, umbilical_core::observation::Problem { input: Some(0), at: At::WHOLE, what: clean(&why).into_owned() });
        }
        self.members.push((name, one));
    }
}

/// Where the packed size of a member is known from.
enum Packed<'a> {
    /// The directory says so, and the reader takes no more than that.
    Known(u64),
    /// Counted while it is read.
    Counted(&'a Cell<u64>),
    /// Not packed at all.
    Plain,
}

/// A stream of unpacked bytes that ends, and says why, where the packed data break off or turn out to be a bomb.
struct Guarded<'a, R> {
    inner: R,
    limits: &'a Limits,
    packed: Packed<'a>,
    unpacked: u64,
    stopped: Option<String>,
}

impl<R: Read> Read for Guarded<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.stopped.is_some() {
            return Ok(0);
        }
        let n = match self.inner.read(buf) {
            Ok(n) => n as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.stopped = Some(format!("damaged or cut short ({error}): what was unpacked before is read"));
                return Ok(0);
            }
        };
        let packed = match self.packed {
            Packed::Plain => return usize::try_from(n).map_err(io::Error::other),
            Packed::Known(n) => n,
            Packed::Counted(n) => n.get(),
        };
        self.unpacked = self.unpacked.saturating_add(n);
        let total = self.limits.unpacked.get().saturating_add(n);
        self.limits.unpacked.set(total);
        let bomb = |unpacked: u64, packed: u64| unpacked > HARMLESS && unpacked > packed.saturating_mul(RATIO);
        if bomb(self.unpacked, packed) || bomb(total, self.limits.packed.get()) {
            self.stopped = Some(format!(
                "unpacks to more than {RATIO} times its size, as a decompression bomb does: the first {} MiB are read",
                self.unpacked >> 20
            ));
        } else if total > MAX_UNPACKED {
            self.stopped = Some("more than 8 GiB unpacked from one file: the rest is not read".into());
        }
        usize::try_from(n).map_err(io::Error::other)
    }
}

/// Counts what is read of the packed data.
struct CountingBuf<'a, R> {
    inner: R,
    count: &'a Cell<u64>,
}

impl<R: BufRead> Read for CountingBuf<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.count.set(self.count.get().saturating_add(n as u64));
        Ok(n)
    }
}

impl<R: BufRead> BufRead for CountingBuf<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }
    fn consume(&mut self, n: usize) {
        self.count.set(self.count.get().saturating_add(n as u64));
        self.inner.consume(n);
    }
}

fn open(container: Container, run: &Run<'_>, limits: &Limits, path: &str, depth: u32, mut source: Source<'_>, out: &mut Observations) {
    let format = match container {
        Container::Zip => "zip",
        Container::Gzip => "gzip",
        Container::Tar => "tar",
    };
    let input = out.inputs.len();
    out.begin_input(path, format, String::new(), 0);
    let mut contents = Contents::default();
    if depth >= MAX_DEPTH {
        contents.problem("containers inside one another more than four deep: not opened");
    } else {
        match container {
            Container::Zip => match source.all(MAX_INNER_ZIP) {
                Ok(Some(bytes)) => zip::members(io::Cursor::new(bytes), run, limits, path, depth, &mut contents),
                Ok(None) => contents.problem("a ZIP of more than 512 MiB inside another container or from standard input: unpack it first"),
                Err(error) => contents.problem(format!("cannot be read: {error}")),
            },
            Container::Gzip => {
                if gunzip(run, limits, path, depth, source.bytes(), &mut contents)
                    && let Some(input) = out.inputs.get_mut(input)
                {
                    input.format = "tar.gz".into();
                }
            }
            Container::Tar => tar::members(source.bytes(), run, limits, path, depth, &mut contents),
        }
    }
    seal(input, source, out);
    contents.put(out);
}

/// Unpacks a GZIP; what it holds is one member, or the members of the TAR in it (then the answer is `true`).
fn gunzip(run: &Run<'_>, limits: &Limits, path: &str, depth: u32, packed: &mut dyn BufRead, contents: &mut Contents) -> bool {
    let count = Cell::new(0);
    let mut decoder = MultiGzDecoder::new(CountingBuf { inner: packed, count: &count });
    let mut head = Vec::new();
    // An error here comes again when the rest is read.
    let _ = decoder.by_ref().take(512).read_to_end(&mut head);
    let is_tar = tar::is_header(&head);
    let whole = io::Cursor::new(head).chain(decoder);
    if is_tar {
        let mut guarded = Guarded { inner: whole, limits, packed: Packed::Counted(&count), unpacked: 0, stopped: None };
        tar::members(&mut guarded, run, limits, path, depth, contents);
        let _ = io::copy(&mut guarded, &mut io::sink());
        if let Some(why) = guarded.stopped {
            contents.problem(why);
        }
    } else if contents.admit(limits) {
        let last = path.rsplit(['/', '!', '\\']).next().unwrap_or(path);
        let name = last.strip_suffix(".gz").or_else(|| last.strip_suffix(".GZ")).filter(|n| !n.is_empty()).unwrap_or("content");
        contents.member(run, limits, path, name, depth, Packed::Counted(&count), whole);
    }
    is_tar
}

/// A member's path without what would lead out of its folder, and whether there was any such thing.
fn harmless(name: &str) -> (String, bool) {
    let text = clean(name).replace('\\', "/");
    let mut climbed = text.starts_with('/') || name.contains('\0');
    let mut kept: Vec<&str> = Vec::new();
    for (i, component) in text.split('/').enumerate() {
        match component {
            "" | "." => {}
            ".." => climbed = true,
            drive if i == 0 && drive.len() == 2 && drive.ends_with(':') => climbed = true,
            other => kept.push(other),
        }
    }
    let path = kept.join("/");
    let path = umbilical_core::text::short(&path, 400).into_owned();
    (if path.is_empty() { "unnamed".to_owned() } else { path }, climbed)
}

/// Whether a path of an archive is left out, as the same path in a folder would be.
fn hidden(name: &str) -> bool {
    name.split(['/', '\\']).any(|c| (c.starts_with('.') && c.len() > 1 && c != "..") || c == "__MACOSX")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_made_harmless() {
        for (name, expected) in [
            ("a/b.csv", ("a/b.csv", false)),
            ("./a//b.csv", ("a/b.csv", false)),
            ("../../etc/passwd", ("etc/passwd", true)),
            ("/etc/passwd", ("etc/passwd", true)),
            ("C:\\Windows\\x.txt", ("Windows/x.txt", true)),
            ("a\\..\\b", ("a/b", true)),
            ("..", ("unnamed", true)),
            ("a\0b", ("ab", true)),
        ] {
            assert_eq!(harmless(name), (expected.0.to_owned(), expected.1), "{name}");
        }
        assert!(hidden(".git/config") && hidden("a/.DS_Store") && hidden("__MACOSX/a") && !hidden("../a") && !hidden("./a"));
    }

    proptest! {
        #[test]
        fn no_harmless_path_leads_out(name in "[a-zA-Z.:/\\\\\0\u{1b}]{0,40}") {
            let (path, _) = harmless(&name);
            let inside = !path.starts_with('/') && path.split('/').all(|c| c != ".." && !c.is_empty());
            prop_assert!(inside && !path.contains(['\\', '\0', '\u{1b}']), "{}", path);
        }
    }
}
