//! Text that tools print and people paste: one file may hold `lsusb`, `dmesg` and an AT session in a row, quoted
//! in a mail or traced by a shell. So every line is offered to each [`Dialect`] in turn; what none takes is read
//! as free text. All lines of a file speak of one host, unless a dialect begins another.

use std::io;

use rustc_hash::FxHashMap;
use umbilical_core::{At, Basis, Group, IdKind, Kind, Observations};

use crate::source::for_each_line;
use crate::{Context, Head, Reader, Source};

/// One line, offered to the dialects.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// Counted from 1.
    pub n: u32,
    /// As it stands, without its line end.
    pub raw: &'a str,
    /// Without what surrounds it when people paste: mail quotes `> `, list marks, escape sequences, syslog and
    /// journal prefixes, shell-trace `+ `, trailing blanks.
    pub text: &'a str,
}

/// The printout of one tool.
pub trait Dialect {
    /// Its name in `inputs[].format`.
    fn name(&self) -> &'static str;
    /// Takes a line if it is its own, and says whether it was.
    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool;
    /// The text has ended: what was held back is said now.
    fn end(&mut self, _host: &mut Host<'_, '_>) {}
}

/// The thing that a text speaks of: collects parts, identifiers and facts until the text ends.
pub struct Host<'a, 'k> {
    /// What readers are given.
    pub cx: &'a Context<'k>,
    out: &'a mut Observations,
    parts: FxHashMap<String, u16>,
    said: Vec<Said>,
}

enum Said {
    Id(u16, IdKind, String),
    Fact(u16, At, Kind, String, Group, Basis),
    Imei(u16, At, String, Group, Basis),
    Iccid(u16, At, String),
    Mac(u16, At, String, Group, Basis),
}

/// A part of the host, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Part(u16);

impl Part {
    /// The host itself.
    pub const HOST: Self = Self(0);
}

impl Host<'_, '_> {
    /// The part that a key names: `usb:1-2`, `pci:0000:01:00.0`, `modem:0`; the same key gives the same part. `modem` is
    /// the part of a transcript that does not say which modem answers.
    pub fn part(&mut self, key: &str) -> Part {
        let next = u16::try_from(self.parts.len()).unwrap_or(u16::MAX).saturating_add(1);
        let fresh = !self.parts.contains_key(key);
        let part = Part(*self.parts.entry(key.to_owned()).or_insert(next));
        if fresh && (key.starts_with("usb:") || key.starts_with("pci:")) {
            self.said.push(Said::Fact(part.0, At::WHOLE, Kind::BusPath, key.to_owned(), Group::OwnWord, Basis::Observed));
        }
        part
    }

    /// Whether a part of that key has been begun.
    pub fn has_part(&self, key: &str) -> bool {
        self.parts.contains_key(key)
    }

    /// A fact of a part that the module or its host said itself (group own-word, observed).
    pub fn fact(&mut self, part: Part, n: u32, kind: Kind, value: &str) {
        self.fact_of(part, n, kind, value, Group::OwnWord, Basis::Observed);
    }

    /// A fact with its witness and basis.
    pub fn fact_of(&mut self, part: Part, n: u32, kind: Kind, value: &str, group: Group, basis: Basis) {
        self.said.push(Said::Fact(part.0, At::line(n), kind, value.to_owned(), group, basis));
    }

    /// An identifier.
    pub fn id(&mut self, part: Part, kind: IdKind, value: &str) {
        self.said.push(Said::Id(part.0, kind, value.to_owned()));
    }

    /// An IMEI that the module said.
    pub fn imei(&mut self, part: Part, n: u32, text: &str) {
        self.imei_of(part, n, text, Group::OwnWord, Basis::Observed);
    }

    /// An IMEI with its witness and basis.
    pub fn imei_of(&mut self, part: Part, n: u32, text: &str, group: Group, basis: Basis) {
        self.said.push(Said::Imei(part.0, At::line(n), text.to_owned(), group, basis));
    }

    /// The SIM card in it.
    pub fn iccid(&mut self, part: Part, n: u32, text: &str) {
        self.said.push(Said::Iccid(part.0, At::line(n), text.to_owned()));
    }

    /// A MAC address of it.
    pub fn mac(&mut self, part: Part, n: u32, text: &str) {
        self.said.push(Said::Mac(part.0, At::line(n), text.to_owned(), Group::OwnWord, Basis::Observed));
    }

    /// A problem on a line.
    pub fn problem(&mut self, n: u32, what: impl Into<String>) {
        self.out.problem(At::line(n), what);
    }

    /// What has been said so far is one thing; what follows is about another.
    pub fn next_thing(&mut self) {
        let at = self.said.iter().find_map(|s| match s {
            Said::Fact(_, at, ..) | Said::Imei(_, at, ..) | Said::Iccid(_, at, ..) | Said::Mac(_, at, ..) if at.n > 0 => Some(*at),
            _ => None,
        });
        let mut record = self.out.record(at.unwrap_or(At::WHOLE));
        for said in self.said.drain(..) {
            match said {
                Said::Id(part, kind, value) => record.part(part).id(kind, &value),
                Said::Fact(part, at, kind, value, group, basis) => record.part(part).fact_at(at, kind, &value, group, basis),
                Said::Imei(part, at, text, group, basis) => record.part(part).imei(at, &text, group, basis),
                Said::Iccid(part, at, text) => record.part(part).iccid(at, &text),
                Said::Mac(part, at, text, group, basis) => record.part(part).mac(at, &text, group, basis),
            };
        }
        self.parts.clear();
    }
}

/// The dialects, most particular first; the last takes every line that is left.
fn dialects() -> Vec<Box<dyn Dialect>> {
    vec![]
}

/// The reader of all text that is not a table.
pub struct TextReader;

impl Reader for TextReader {
    fn name(&self) -> &'static str {
        "text"
    }

    fn about(&self) -> &'static str {
        "Text of any kind: what lsusb, usb-devices, dmesg, lspci, mmcli, AT sessions and routers print, labels, notes."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        if head.text.is_some() { 10 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let mut dialects = dialects();
        let mut taken = vec![0u32; dialects.len()];
        let mut host = Host { cx, out, parts: FxHashMap::default(), said: Vec::new() };
        for_each_line(&mut *source.utf8(), |line| {
            if line.cut {
                host.problem(line.n, "this line is longer than 1 MiB: the rest of it was skipped");
            }
            let text = strip(&line.text);
            let line = Line { n: line.n, raw: &line.text, text: &text };
            for (dialect, count) in dialects.iter_mut().zip(taken.iter_mut()) {
                if dialect.line(line, &mut host) {
                    *count = count.saturating_add(1);
                    break;
                }
            }
        })?;
        for dialect in &mut dialects {
            dialect.end(&mut host);
        }
        host.next_thing();
        let names: Vec<&str> = dialects.iter().zip(&taken).filter(|(d, n)| **n > 0 && d.name() != "text").map(|(d, _)| d.name()).collect();
        if let (Some(input), false) = (out.inputs.last_mut(), names.is_empty()) {
            input.format = names.join("+");
        }
        Ok(())
    }
}

/// Takes off what surrounds a line when it is pasted.
fn strip(line: &str) -> String {
    line.trim().to_owned()
}
