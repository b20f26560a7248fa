//! XML as design programs write it, one tag after the other, each with its line. Entities that a document defines for itself
//! are never expanded and nothing outside is ever fetched: that they are there is said once.

use std::io::{self, BufRead, Read};

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::QName;
use umbilical_core::{At, Observations};

use super::{MAX_BYTES, MAX_DEPTH, MAX_TEXT};

/// The longest tag or text that is taken in at all.
const MAX_TOKEN: u64 = 16 << 20;

/// One step.
pub(crate) enum Step {
    Open(Tag),
    Text(String),
    Close,
    End,
}

/// An opening tag.
pub(crate) struct Tag {
    /// Without its prefix.
    pub name: String,
    /// Counted from 1.
    pub line: u32,
    attributes: Vec<(String, String)>,
}

impl Tag {
    /// An attribute by its name without prefix.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Every attribute, names without prefix, in the order of the document.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

pub(crate) struct Xml<'r> {
    reader: Reader<Counting<'r>>,
    buffer: Vec<u8>,
    /// The names of the open elements, the outermost first.
    path: Vec<String>,
    told: bool,
    over: bool,
    /// The deepest elements inside elements.
    depth: usize,
    /// A document type definition is told even where it defines no entities.
    strict: bool,
    /// An element without content is opened, then closed.
    close: bool,
}

impl<'r> Xml<'r> {
    pub fn new(inner: &'r mut dyn BufRead) -> Self {
        let mut reader = Reader::from_reader(Counting { inner, lines: 0, bytes: 0, token: 0 });
        let config = reader.config_mut();
        config.allow_dangling_amp = true;
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        Self { reader, buffer: Vec::new(), path: Vec::new(), told: false, over: false, depth: MAX_DEPTH, strict: false, close: false }
    }

    /// A document that never has a document type definition, with elements nested so deep at most.
    pub fn strict(inner: &'r mut dyn BufRead, depth: usize) -> Self {
        Self { depth, strict: true, ..Self::new(inner) }
    }

    /// The name of an open element, counted from the innermost, which is 0.
    pub fn up(&self, n: usize) -> &str {
        self.path.iter().rev().nth(n).map_or("", String::as_str)
    }

    /// The line of what comes next.
    pub fn line(&mut self) -> u32 {
        self.reader.get_mut().lines.saturating_add(1)
    }

    /// The next step. What breaks the document is reported, and ends it.
    pub fn step(&mut self, out: &mut Observations) -> io::Result<Step> {
        if self.close {
            self.close = false;
            self.path.pop();
            return Ok(Step::Close);
        }
        while !self.over {
            self.buffer.clear();
            let line = self.line();
            self.reader.get_mut().token = 0;
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(quick_xml::Error::Io(error)) if error.kind() != io::ErrorKind::FileTooLarge => {
                    return Err(io::Error::new(error.kind(), error.to_string()));
                }
                Err(error) => {
                    self.over = true;
                    out.problem(At::line(line), format!("the XML breaks off here ({error}): what stands behind is not read"));
                    break;
                }
            };
            let (tag, empty) = match event {
                Event::Start(tag) => (tag, false),
                Event::Empty(tag) => (tag, true),
                Event::End(_) => {
                    if self.path.pop().is_none() {
                        continue;
                    }
                    return Ok(Step::Close);
                }
                Event::Text(text) => return Ok(Step::Text(cut(&text.xml10_content()))),
                Event::CData(text) => return Ok(Step::Text(cut(&text.xml10_content()))),
                Event::GeneralRef(entity) => {
                    if let Some(text) = resolve(&entity) {
                        return Ok(Step::Text(text));
                    }
                    self.tell(line, out);
                    continue;
                }
                Event::DocType(doctype) => {
                    if self.strict || doctype.contains("<!ENTITY") {
                        self.tell(line, out);
                    }
                    continue;
                }
                Event::Eof => {
                    self.over = true;
                    if !self.path.is_empty() {
                        out.problem(At::line(line), "this file ends too early: parts may be missing");
                    }
                    break;
                }
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => continue,
            };
            if self.path.len() >= self.depth {
                self.over = true;
                out.problem(
                    At::line(line),
                    format!("elements nested more than {} deep: no design looks like that, the rest is not read", self.depth),
                );
                break;
            }
            let tag = Tag { name: tag.local_name().as_ref().to_owned(), line, attributes: attributes(&tag) };
            self.path.push(tag.name.clone());
            self.close = empty;
            return Ok(Step::Open(tag));
        }
        Ok(Step::End)
    }

    /// The text of the element that has just been opened, up to its end; what is inside further elements does not count.
    pub fn text(&mut self, out: &mut Observations) -> io::Result<String> {
        let (mut text, mut depth) = (String::new(), 0usize);
        loop {
            match self.step(out)? {
                Step::Open(_) => depth = depth.saturating_add(1),
                Step::Text(more) => {
                    if depth == 0 && text.len() < MAX_TEXT {
                        text.push_str(&more);
                    }
                }
                Step::Close => match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => return Ok(text),
                },
                Step::End => return Ok(text),
            }
        }
    }

    fn tell(&mut self, line: u32, out: &mut Observations) {
        if !self.told {
            self.told = true;
            out.problem(
                At::line(line),
                "this file defines or uses entities of its own: they are not expanded, what they stand for is not read",
            );
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

/// The five entities of XML and character numbers; what a document defines for itself is not expanded.
pub(crate) fn resolve(entity: &quick_xml::events::BytesRef<'_>) -> Option<String> {
    match entity.resolve_char_ref() {
        Ok(Some(c)) => Some(c.to_string()),
        _ => quick_xml::escape::resolve_predefined_entity(&entity.xml10_content()).map(str::to_owned),
    }
}

/// The name of an attribute without its prefix. What a prefix stands for keeps its whole name: it is no attribute of the element.
fn name(key: QName<'_>) -> String {
    if key.as_namespace_binding().is_some() { key.as_ref().to_owned() } else { key.local_name().as_ref().to_owned() }
}

fn attributes(tag: &BytesStart<'_>) -> Vec<(String, String)> {
    let plain = |text: &str| unescape(text).map_or_else(|_| cut(text), |t| cut(&t));
    tag.attributes().flatten().take(100).map(|a| (name(a.key), plain(&a.value))).collect()
}

/// Counts lines and bytes as they are taken, and ends a token that has no end.
struct Counting<'r> {
    inner: &'r mut dyn BufRead,
    lines: u32,
    bytes: u64,
    token: u64,
}

impl BufRead for Counting<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.token > MAX_TOKEN {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a tag or text of more than 16 MiB"));
        }
        if self.bytes > MAX_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a file of more than 512 MiB"));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        let taken = self.inner.fill_buf().ok().and_then(|b| b.get(..n)).unwrap_or_default();
        let lines = memchr::memchr_iter(b'\n', taken).count();
        self.lines = self.lines.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.bytes = self.bytes.saturating_add(n as u64);
        self.token = self.token.saturating_add(n as u64);
        self.inner.consume(n);
    }
}

impl Read for Counting<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buf)?;
        self.consume(n);
        Ok(n)
    }
}
