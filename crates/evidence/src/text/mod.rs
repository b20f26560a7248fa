//! Text that tools print and people paste: one file may hold `lsusb`, `dmesg` and an AT session in a row, quoted
//! in a mail or traced by a shell. So every line is offered to each [`Dialect`] in turn; what none takes is read
//! as free text. The lines of a file speak of one host, unless they name several
//! ([`turn`]) or a dialect begins another.

mod at;
mod bus;
mod cisco;
mod dmesg;
mod document;
pub mod filename;
mod free;
mod fwupd;
mod json_block;
mod label;
mod lspci;
mod lsusb;
mod mbim;
mod mikrotik;
mod mmcli;
mod openwrt;
mod pairs;
mod sierra_router;
pub(crate) mod snmp;
mod strip;
mod teltonika;
mod turn;
mod usb_devices;

use std::io;

use rustc_hash::{FxHashMap, FxHashSet};
use umbilical_core::number::{Imei, imei};
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
    /// journal prefixes, prompts, shell-trace `+ `, leading and trailing blanks.
    pub text: &'a str,
    /// A prompt or the mark of a shell trace was taken off: what follows was typed or run, not answered.
    pub shell: bool,
}

/// The printout of one tool.
pub trait Dialect {
    /// Its name in `inputs[].format`.
    fn name(&self) -> &'static str;
    /// Takes a line if it is its own, and says whether it was. Blank lines are for all: look at them, take none.
    fn line(&mut self, line: Line<'_>, host: &mut Host<'_, '_>) -> bool;
    /// The text has ended: what was held back is said now.
    fn end(&mut self, _host: &mut Host<'_, '_>) {}
}

/// The thing that a text speaks of: collects parts, identifiers and facts until the text ends.
pub struct Host<'a, 'k> {
    /// What readers are given.
    pub cx: &'a Context<'k>,
    out: &'a mut Observations,
    held: Held,
}

/// What has been said of one thing and is not in the sink yet.
struct Held {
    /// The part that each key names.
    parts: FxHashMap<String, u16>,
    /// Per part, the part it was found to be the same as (itself, mostly); never a later one.
    same: Vec<u16>,
    said: Vec<Said>,
    /// What has been said, so that repetitions cost nothing.
    heard: FxHashSet<Said>,
    /// The IMEIs that parts said, without what may differ between two readings of one: two parts that said different
    /// ones are never one.
    imeis: Vec<(u16, String)>,
    /// How many different facts each part has of each kind.
    counts: FxHashMap<(u16, Kind), u16>,
    left_out: u64,
    /// Statements about parts for which there was no room.
    beyond: u64,
}

impl Default for Held {
    /// Nothing but part 0, the thing itself.
    fn default() -> Self {
        Self {
            parts: FxHashMap::default(),
            same: vec![0],
            said: Vec::new(),
            heard: FxHashSet::default(),
            imeis: Vec::new(),
            counts: FxHashMap::default(),
            left_out: 0,
            beyond: 0,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Word {
    Id(IdKind, String),
    Fact(Kind, String, Group, Basis),
    Imei(String, Group, Basis),
    Iccid(String),
    Mac(String, Group, Basis),
}

impl Word {
    /// A place on a bus that stays when a device returns under another number.
    fn is_port(&self) -> bool {
        matches!(self, Self::Fact(Kind::BusPath, path, ..) if !path.contains('/'))
    }
}

struct Said {
    part: u16,
    at: At,
    word: Word,
}

// Where a thing was said does not make it another thing.
impl PartialEq for Said {
    fn eq(&self, other: &Self) -> bool {
        self.part == other.part && self.word == other.word
    }
}
impl Eq for Said {}
impl std::hash::Hash for Said {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.part.hash(state);
        self.word.hash(state);
    }
}
/// A part of the host, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Part(u16);

impl Part {
    /// The host itself.
    pub const HOST: Self = Self(0);
    /// What is said of this part is dropped: there are too many.
    const NONE: Self = Self(u16::MAX);
}

/// At most this many different facts of one kind are kept of one part, and statements of one thing: more is a hostile
/// input or a log of years, and says no more.
const FACTS_PER_KIND: u16 = 64;
const STATEMENTS: usize = 8000;
/// At most this many parts of one thing.
const PARTS: usize = 2000;
const _: () = assert!(PARTS < umbilical_core::observation::LAST_PART as usize);
/// Longer values are no identity; the sink cuts them too.
const LONGEST: usize = 1600;

impl<'a, 'k> Host<'a, 'k> {
    fn new(cx: &'a Context<'k>, out: &'a mut Observations) -> Self {
        Self { cx, out, held: Held::default() }
    }

    /// The part that a key names; the same key gives the same part. Keys that begin with `usb:` and `pci:` are places
    /// on a bus and are said as such: `usb:1-2.3` (bus, then ports), `usb:001/004` (bus and device number),
    /// `pci:0000:01:00.0`. Others are names within the text: `modem:0` (ModemManager's number), `port:ttyUSB2`, and
    /// `modem`, the part of a transcript that does not say which modem answers.
    pub fn part(&mut self, key: &str) -> Part {
        if let Some(part) = self.held.parts.get(key) {
            return Part(*part);
        }
        if self.held.same.len() > PARTS {
            // Together they would be one device with the numbers of many.
            return Part::NONE;
        }
        let part = u16::try_from(self.held.same.len()).unwrap_or(u16::MAX);
        self.held.same.push(part);
        self.name_part(Part(part), key);
        Part(part)
    }

    fn name_part(&mut self, part: Part, key: &str) {
        self.held.parts.insert(key.to_owned(), part.0);
        if key.starts_with("usb:") || key.starts_with("pci:") {
            self.say(part, At::WHOLE, Word::Fact(Kind::BusPath, key.to_owned(), Group::OwnWord, Basis::Observed));
        }
    }

    /// Whether a part of that key has been begun.
    pub fn has_part(&self, key: &str) -> bool {
        self.held.parts.contains_key(key)
    }

    /// A part has another name too; where that named another part, the two are one, unless they said different IMEIs:
    /// then the name has moved.
    pub fn also(&mut self, part: Part, key: &str) {
        match self.held.parts.get(key).copied() {
            Some(other) if !self.join(part, Part(other)) => self.now(part, key),
            Some(_) => {}
            None if self.held.parts.len() > PARTS.saturating_mul(4) => {}
            // The number changes whenever a device returns; its port is its place.
            None if key.contains('/') => self.now(part, key),
            None => self.name_part(part, key),
        }
    }

    /// A name that moves: the port of another device now has it.
    pub fn now(&mut self, part: Part, key: &str) {
        self.held.parts.insert(key.to_owned(), part.0);
    }

    /// Two parts are found to be one, unless each said an IMEI of its own; says whether they are.
    pub fn join(&mut self, a: Part, b: Part) -> bool {
        let alike = self.alike(a, b);
        if alike {
            self.merge(a, b);
        }
        alike
    }

    /// Whether two parts may be one as far as their IMEIs tell.
    fn alike(&self, a: Part, b: Part) -> bool {
        let (a, b) = (self.first(a.0), self.first(b.0));
        let of = |root: u16| self.held.imeis.iter().filter(move |(p, _)| self.first(*p) == root).map(|(_, imei)| imei);
        a == b || of(a).next().is_none() || of(b).next().is_none() || of(a).any(|x| of(b).any(|y| x == y))
    }

    /// Two parts are one, whatever they said.
    fn merge(&mut self, a: Part, b: Part) {
        let (a, b) = (self.first(a.0), self.first(b.0));
        if let Some(slot) = self.held.same.get_mut(usize::from(a.max(b))) {
            *slot = a.min(b);
        }
    }

    /// The first of the parts that are this one.
    fn first(&self, mut part: u16) -> u16 {
        // Each step leads to a smaller number.
        while let Some(next) = self.held.same.get(usize::from(part)).filter(|next| **next < part) {
            part = *next;
        }
        part
    }

    fn say(&mut self, part: Part, at: At, word: Word) {
        if part == Part::NONE {
            self.held.beyond = self.held.beyond.saturating_add(1);
            return;
        }
        let said = Said { part: part.0, at, word };
        if self.held.heard.contains(&said) {
            return;
        }
        if let Word::Fact(kind, ..) = &said.word {
            let count = self.held.counts.entry((part.0, *kind)).or_default();
            *count = count.saturating_add(1);
            if *count > FACTS_PER_KIND {
                self.held.left_out = self.held.left_out.saturating_add(1);
                return;
            }
        }
        if self.held.said.len() >= STATEMENTS {
            self.held.left_out = self.held.left_out.saturating_add(1);
            return;
        }
        self.held.heard.insert(Said { part: said.part, at, word: said.word.clone() });
        self.held.said.push(said);
    }

    /// A fact of a part that the module or its host said itself (group own-word, observed).
    pub fn fact(&mut self, part: Part, n: u32, kind: Kind, value: &str) {
        self.fact_of(part, n, kind, value, Group::OwnWord, Basis::Observed);
    }

    /// A fact with its witness and basis.
    pub fn fact_of(&mut self, part: Part, n: u32, kind: Kind, value: &str, group: Group, basis: Basis) {
        let value = cut(value.trim());
        if !umbilical_core::text::is_blank(value) {
            self.say(part, At::line(n), Word::Fact(kind, value.to_owned(), group, basis));
        }
    }

    /// An identifier.
    pub fn id(&mut self, part: Part, kind: IdKind, value: &str) {
        self.say(part, At::WHOLE, Word::Id(kind, cut(value).to_owned()));
    }

    /// An IMEI that the module said.
    pub fn imei(&mut self, part: Part, n: u32, text: &str) {
        self.imei_of(part, n, text, Group::OwnWord, Basis::Observed);
    }

    /// An IMEI with its witness and basis.
    pub fn imei_of(&mut self, part: Part, n: u32, text: &str, group: Group, basis: Basis) {
        if self.held.imeis.len() < PARTS
            && let Some(stem) = imei_stem(text)
            && !self.held.imeis.iter().any(|(p, known)| *p == part.0 && *known == stem)
        {
            self.held.imeis.push((part.0, stem));
        }
        self.say(part, At::line(n), Word::Imei(cut(text).to_owned(), group, basis));
    }

    /// The SIM card in it.
    pub fn iccid(&mut self, part: Part, n: u32, text: &str) {
        self.say(part, At::line(n), Word::Iccid(cut(text).to_owned()));
    }

    /// A MAC address of it.
    pub fn mac(&mut self, part: Part, n: u32, text: &str) {
        self.say(part, At::line(n), Word::Mac(cut(text).to_owned(), Group::OwnWord, Basis::Observed));
    }

    /// A problem on a line.
    pub fn problem(&mut self, n: u32, what: impl Into<String>) {
        self.out.problem(At::line(n), what);
    }

    /// What has been said of the thing so far is not to be believed.
    fn withdraw(&mut self) {
        self.held.said.clear();
        self.held.heard.clear();
        (self.held.left_out, self.held.beyond) = (0, 0);
    }

    /// What has been said so far is one thing; what follows is about another.
    pub fn next_thing(&mut self) {
        self.match_listings();
        let said = std::mem::take(&mut self.held.said);
        let at = said.iter().map(|s| s.at).filter(|at| at.n > 0).min_by_key(|at| at.n);
        // Parts with identifiers take the first numbers, in the order in which they were spoken of, then the others. There
        // are never more than the sink can number.
        let mut numbers: FxHashMap<u16, u16> = FxHashMap::default();
        numbers.insert(0, 0);
        for ids in [true, false] {
            for s in said.iter().filter(|s| matches!(s.word, Word::Fact(..)) != ids) {
                let next = u16::try_from(numbers.len()).unwrap_or(u16::MAX);
                numbers.entry(self.first(s.part)).or_insert(next);
            }
        }
        if self.held.left_out > 0 {
            self.out.problem(At::WHOLE, format!("{} more statements than are kept of one text were left out", self.held.left_out));
        }
        if self.held.beyond > 0 {
            self.out.problem(
                At::WHOLE,
                format!("{} statements about devices beyond the first {PARTS} of one text were left out: split the text", self.held.beyond),
            );
        }
        // Who writes about a modem and shows what it says is no second witness.
        let speaks = |s: &Said| matches!(s.word, Word::Fact(kind, _, Group::OwnWord, Basis::Observed) if kind != Kind::BusPath);
        let shown = said.iter().any(speaks);
        let ported: FxHashSet<u16> = said.iter().filter(|s| s.word.is_port()).map(|s| self.first(s.part)).collect();
        // Parts that were found to be one may have said the same.
        let mut told: FxHashSet<Said> = FxHashSet::default();
        let placed: Vec<(u16, Said)> = said
            .into_iter()
            .map(|s| (self.first(s.part), s))
            .filter(|(root, s)| told.insert(Said { part: *root, at: s.at, word: s.word.clone() }))
            .collect();
        let mut record = self.out.record(at.unwrap_or(At::WHOLE));
        for (root, s) in placed {
            // One place is enough: the port, where it is known.
            if matches!(s.word, Word::Fact(Kind::BusPath, ..)) && !s.word.is_port() && ported.contains(&root) {
                continue;
            }
            record.part(numbers.get(&root).copied().unwrap_or(0));
            match s.word {
                Word::Id(kind, value) => record.id(kind, &value),
                Word::Fact(kind @ Kind::Text, value, _, basis) if shown => record.fact_at(s.at, kind, &value, Group::OwnWord, basis),
                Word::Fact(kind, value, group, basis) => record.fact_at(s.at, kind, &value, group, basis),
                Word::Imei(text, group, basis) => record.imei(s.at, &text, group, basis),
                Word::Iccid(text) => record.iccid(s.at, &text),
                Word::Mac(text, group, basis) => record.mac(s.at, &text, group, basis),
            };
        }
        drop(record);
        self.held = Held::default();
    }

    /// A device known by its number only (`lsusb`) and one known by its port only (`dmesg`, `mmcli`) are one where each
    /// listing shows their id once.
    fn match_listings(&mut self) {
        self.match_pci();
        let mut keys: Vec<(&String, u16)> = self.held.parts.iter().filter(|(k, _)| k.starts_with("usb:")).map(|(k, p)| (k, *p)).collect();
        keys.sort();
        let mut by_number: FxHashSet<u16> = FxHashSet::default();
        let mut by_port: FxHashSet<u16> = FxHashSet::default();
        for (key, part) in keys {
            if key.contains('/') {
                by_number.insert(self.first(part))
            } else {
                by_port.insert(self.first(part))
            };
        }
        let mut seen: FxHashMap<&str, (Vec<u16>, Vec<u16>)> = FxHashMap::default();
        for s in &self.held.said {
            let Word::Fact(Kind::UsbId, id, ..) = &s.word else { continue };
            let part = self.first(s.part);
            let (numbers, ports) = seen.entry(id).or_default();
            let list = match (by_number.contains(&part), by_port.contains(&part)) {
                (true, false) => numbers,
                (false, true) => ports,
                _ => continue,
            };
            if !list.contains(&part) && list.len() < 2 {
                list.push(part);
            }
        }
        let mut pairs: Vec<(u16, u16)> = seen
            .into_values()
            .filter_map(|lists| match (lists.0.as_slice(), lists.1.as_slice()) {
                ([a], [b]) => Some((*a, *b)),
                _ => None,
            })
            .collect();
        pairs.sort_unstable();
        for (a, b) in pairs {
            self.join(Part(a), Part(b));
        }
    }

    /// Boards number PCI domains as they like, and listings leave them out: a device that a listing shows with its id and
    /// one that a driver spoke of, alike but for the domain, are one, where there is no other of either.
    fn match_pci(&mut self) {
        let mut with_id: FxHashSet<u16> = FxHashSet::default();
        for s in &self.held.said {
            if matches!(s.word, Word::Fact(Kind::PciId, ..)) {
                with_id.insert(self.first(s.part));
            }
        }
        let mut alike: FxHashMap<&str, Vec<u16>> = FxHashMap::default();
        let mut keys: Vec<(&String, u16)> = self.held.parts.iter().filter(|(k, _)| k.starts_with("pci:")).map(|(k, p)| (k, *p)).collect();
        keys.sort();
        for (key, part) in keys {
            // `pci:0000:01:00.0` without its domain.
            let place = key.get(key.len().saturating_sub(7)..).unwrap_or(key);
            let list = alike.entry(place).or_default();
            let part = self.first(part);
            if !list.contains(&part) {
                list.push(part);
            }
        }
        let mut pairs: Vec<(u16, u16)> = alike
            .into_values()
            .filter_map(|list| match list.as_slice() {
                [a, b] if with_id.contains(a) != with_id.contains(b) => Some((*a, *b)),
                _ => None,
            })
            .collect();
        pairs.sort_unstable();
        for (a, b) in pairs {
            self.join(Part(a), Part(b));
        }
    }
}

/// An IMEI without its check digit or software version, which differ between two ways of reading one.
fn imei_stem(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).take(14).collect();
    (digits.len() == 14 && matches!(imei(text), Imei::Whole { .. })).then_some(digits)
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

/// The dialects, most particular first; the last takes every line that is left.
fn dialects() -> Vec<Box<dyn Dialect>> {
    vec![
        Box::<snmp::Snmp>::default(),
        Box::<usb_devices::UsbDevices>::default(),
        Box::<lsusb::Lsusb>::default(),
        Box::<lspci::Lspci>::default(),
        Box::<dmesg::Dmesg>::default(),
        Box::<mmcli::Mmcli>::default(),
        // A document that has begun goes on to its end.
        Box::<json_block::JsonBlock>::default(),
        Box::<fwupd::Fwupd>::default(),
        Box::<mbim::Mbim>::default(),
        Box::<at::At>::default(),
        Box::<cisco::Cisco>::default(),
        Box::<mikrotik::MikroTik>::default(),
        Box::<teltonika::Teltonika>::default(),
        Box::<sierra_router::AirLink>::default(),
        Box::<openwrt::OpenWrt>::default(),
        // What looks alike everywhere comes last.
        Box::<free::Ids>::default(),
        Box::<filename::FileNames>::default(),
        Box::<label::Label>::default(),
        Box::<free::Free>::default(),
    ]
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
        if head.text.is_some() { snmp::sniff(head).max(10) } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let mut turns = turn::Turns::new();
        let mut host = Host::new(cx, out);
        for_each_line(&mut *source.utf8(), |line| {
            if line.cut {
                host.problem(line.n, "this line is longer than 1 MiB: the rest of it was skipped");
            }
            let plain = strip::plain(&line.text);
            let stripped = strip::strip(&plain);
            let line = Line { n: line.n, raw: &line.text, text: stripped.text, shell: stripped.shell };
            turns.line(&plain, line, &mut host);
        })?;
        let names = turns.end(&mut host);
        if let (Some(input), false) = (out.inputs.last_mut(), names.is_empty()) {
            input.format = names.join("+");
        }
        Ok(())
    }
}
