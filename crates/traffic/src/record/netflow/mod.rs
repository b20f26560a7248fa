//! What routers export of the conversations that they carry: NetFlow 5 and 9 (RFC 3954), IPFIX (RFC 7011; both ways in one record:
//! RFC 5103), datagram by datagram.
//!
//! Written by hand: of the records of real exporters a library lost whole sets without a word, those with a field that it does not know
//! among them.
//!
//! When it is wrong: routers that write a record where a packet comes in and another where it goes out count it twice; what was sampled
//! is counted as it was seen, and its conversations say so ([`Seen::COUNTS`](crate::flow::Seen::COUNTS) is missing).

mod fields;
mod file;

use std::collections::VecDeque;

use hashbrown::HashMap;

use self::fields::{Head, Values, What};
pub use self::file::datagrams;
use super::Record;
use crate::bytes::Bytes;
use crate::packet::Addr;
use crate::time::Micros;

/// Ports to which it is sent: the first is IANA's, of IPFIX.
pub const PORTS: [u16; 4] = [4739, 2055, 9995, 9996];

/// Who sent a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum From {
    /// This address.
    Addr(Addr),
    /// Nobody knows: it lay in this input. What lay in others is of others.
    Input(u32),
}

/// What became of a datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Records in it, and those that waited for its templates.
    pub records: u64,
    /// What is wrong with it.
    pub trouble: Option<&'static str>,
}

/// Names a template: who uses it, the version and the source or observation domain, and its number.
type Name = (u32, u16, u32, u16);
/// The same without its number, and whether it is of options.
type Of = (u32, u16, u32, bool);

fn of(name: Name, options: bool) -> Of {
    (name.0, name.1, name.2, options)
}

#[derive(Debug)]
struct Template {
    /// What is not read is one field with what is not read behind it. Each takes a byte at least, so that a set costs no more than it has
    /// bytes.
    fields: Vec<(What, Length)>,
    /// Fields that it says it has; 0: it is taken away.
    said: usize,
    /// Bytes of a record, or the fewest where fields vary.
    least: usize,
    options: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Bytes(usize),
    /// It stands before the field.
    Varies,
}

/// A set whose template is not known yet.
#[derive(Debug)]
struct Waiting {
    name: Name,
    bytes: Vec<u8>,
    head: Head,
    heard: Micros,
    number: u64,
}

/// Templates and what is known of exporters.
#[derive(Debug, Default)]
pub struct Collector {
    exporters: HashMap<From, u32>,
    /// By who uses them and whether they are of options, for all of those may be taken away at once; then by number.
    templates: HashMap<Of, HashMap<u16, Template>>,
    /// Fields of all templates, and what each takes itself.
    held: usize,
    waiting: VecDeque<Waiting>,
    /// How many of them wait for each.
    awaited: HashMap<Name, usize>,
    /// Sets that waited for nothing.
    lost: u64,
    /// By exporter and domain: of how many packets one is looked at.
    sampling: HashMap<(u32, u32), u64>,
    /// The most of them.
    pub sampled: u64,
}

/// Exporters that are told apart.
const EXPORTERS: usize = 1 << 16;
/// Fields of one template: IANA has not many more numbers for them.
const MOST: usize = 1000;
/// Fields of all templates that are kept.
const FIELDS: usize = 1 << 20;
/// A template takes as much as so many fields.
const TEMPLATE: usize = 8;
/// Sets that wait for their templates, which are sent again each few minutes.
const WAITING: usize = 4096;

/// Whether bytes begin as a datagram of export does.
pub fn looks(bytes: &[u8]) -> bool {
    let mut head = Bytes(bytes);
    let (Some(version), Some(count)) = (head.u16(), head.u16()) else { return false };
    let set = |at: usize, least: &[u16]| {
        let mut set = Bytes(bytes.get(at..).unwrap_or_default());
        match (set.u16(), set.u16()) {
            (Some(id), Some(length)) => (least.contains(&id) || id > 255) && length >= 4,
            _ => false,
        }
    };
    match version {
        5 => (1..=V5_MOST).contains(&count) && bytes.len() >= V5_HEAD.saturating_add(V5_RECORD),
        9 => count > 0 && set(20, &[0, 1]),
        10 => count >= 16 && (set(16, &[0, 1, 2, 3]) || usize::from(count) == 16),
        _ => false,
    }
}

/// Whether what is sent to a port is such a datagram: to its own ports it need but begin so.
pub fn is_export(port: u16, bytes: &[u8]) -> bool {
    if PORTS.contains(&port) { looks(bytes) } else { is_whole(bytes) }
}

/// Whether these are the first bytes of a datagram of a version that is known.
pub const fn is_version(leading: [u8; 2]) -> bool {
    matches!(leading, [0, 5 | 9 | 10])
}

/// Whether bytes are such a datagram from the first to the last, wherever they are sent.
pub fn is_whole(bytes: &[u8]) -> bool {
    if !bytes.first_chunk().is_some_and(|leading| is_version(*leading)) {
        return false;
    }
    // Sets fill it; behind the last there may be padding.
    let sets = |mut rest: Bytes<'_>| {
        while rest.0.len() >= 4 {
            let (Some(_), Some(length)) = (rest.u16(), rest.u16()) else { return false };
            if usize::from(length).checked_sub(4).and_then(|n| rest.take(n)).is_none() {
                return false;
            }
        }
        true
    };
    looks(bytes)
        && match bytes {
            [0, 5, ..] => length(bytes) == Some(bytes.len()),
            [0, 9, ..] => length(bytes).is_some_and(|n| n <= bytes.len()) && sets(Bytes(bytes.get(20..).unwrap_or_default())),
            _ => length(bytes) == Some(bytes.len()) && sets(Bytes(bytes.get(16..).unwrap_or_default())),
        }
}

/// The version of a datagram, and when it was sent.
pub fn begins(bytes: &[u8]) -> Option<(u16, Micros)> {
    if !looks(bytes) {
        return None;
    }
    let version = Bytes(bytes).u16()?;
    let seconds = Bytes(bytes.get(if version == 10 { 4 } else { 8 }..)?).u32()?;
    Some((version, Micros::seconds(seconds.into())))
}

/// Bytes of the datagram that begins here, where others may follow without anything between.
pub fn length(bytes: &[u8]) -> Option<usize> {
    if !looks(bytes) {
        return None;
    }
    let mut head = Bytes(bytes);
    let (version, count) = (head.u16()?, usize::from(head.u16()?));
    match version {
        5 => V5_HEAD.checked_add(V5_RECORD.checked_mul(count)?),
        10 => Some(count),
        _ => {
            // NetFlow 9 does not say how long it is. Numbers of versions are none of sets.
            let mut at = 20usize;
            loop {
                let mut set = Bytes(bytes.get(at..).unwrap_or_default());
                match (set.u16(), set.u16()) {
                    (Some(0 | 1 | 256..), Some(length)) if length >= 4 => at = at.checked_add(length.into())?,
                    _ => return Some(at),
                }
            }
        }
    }
}

const V5_HEAD: usize = 24;
const V5_RECORD: usize = 48;
/// Records in the longest datagram that any link carries whole.
const V5_MOST: u16 = 185;

const CUT: &str = "it is shorter than it says";
const REFUSED: &str = "a template has more than a thousand fields, or none that takes a byte";

impl Collector {
    /// Sets of records of which nobody has said yet what is in them.
    pub fn untemplated(&self) -> u64 {
        self.lost.saturating_add(self.waiting.len() as u64)
    }

    /// Reads a datagram that was heard at a time; `None`: when it says that it was sent.
    pub fn read(&mut self, from: From, bytes: &[u8], heard: Option<Micros>, number: u64, each: &mut dyn FnMut(&Record)) -> Read {
        let known = self.exporters.len();
        let exporter = match self.exporters.get(&from) {
            Some(exporter) => *exporter,
            None if known < EXPORTERS => *self.exporters.entry(from).or_insert(u32::try_from(known).unwrap_or(u32::MAX)),
            None => u32::try_from(EXPORTERS).unwrap_or(u32::MAX),
        };
        let mut out = Read::default();
        let mut give = |record: &Record| {
            out.records = out.records.saturating_add(1);
            each(record);
        };
        let whole = match Bytes(bytes).u16() {
            Some(5) => self.v5(exporter, bytes, heard, number, &mut give),
            Some(9) => self.v9(exporter, bytes, heard, number, &mut give),
            Some(10) => self.ipfix(exporter, bytes, heard, number, &mut give),
            _ => Some(Err("it is neither NetFlow 5 or 9 nor IPFIX")),
        };
        out.trouble = whole.unwrap_or(Err(CUT)).err();
        out
    }

    fn v5(
        &mut self,
        exporter: u32,
        bytes: &[u8],
        heard: Option<Micros>,
        number: u64,
        each: &mut dyn FnMut(&Record),
    ) -> Option<Result<(), &'static str>> {
        let mut bytes = Bytes(bytes);
        let (_version, count) = (bytes.u16()?, bytes.u16()?);
        let (uptime, seconds, nanos, _sequence) = (bytes.u32()?, bytes.u32()?, bytes.u32()?, bytes.u32()?);
        let engine = bytes.u16()?;
        // Two bits say how.
        let sampling = u64::from(bytes.u16()? & 0x3fff);
        let sampled = self.samples((exporter, engine.into()), sampling);
        let sent = Micros::seconds(seconds.into()).plus(Micros((nanos / 1000).into()));
        let head = Head { sent, uptime: Some(uptime) };
        for _ in 0..count {
            let mut values = Values::default();
            for (what, length) in V5 {
                values.set(*what, bytes.take(*length)?, &head);
            }
            if let Some(record) = values.record(&head, heard.unwrap_or(sent), exporter, number, sampled) {
                each(&record);
            }
        }
        Some(Ok(()))
    }

    fn v9(
        &mut self,
        exporter: u32,
        bytes: &[u8],
        heard: Option<Micros>,
        number: u64,
        each: &mut dyn FnMut(&Record),
    ) -> Option<Result<(), &'static str>> {
        let mut bytes = Bytes(bytes);
        let (version, _count, uptime, seconds, _sequence, source) =
            (bytes.u16()?, bytes.u16()?, bytes.u32()?, bytes.u32()?, bytes.u32()?, bytes.u32()?);
        let sent = Micros::seconds(seconds.into());
        let head = Head { sent, uptime: Some(uptime) };
        let heard = heard.unwrap_or(sent);
        let mut whole = Ok(());
        while bytes.0.len() >= 4 {
            let (id, length) = (bytes.u16()?, usize::from(bytes.u16()?));
            let Some(length) = length.checked_sub(4) else { return Some(Err("a set says that it is shorter than its head")) };
            let set = bytes.take(length)?;
            let name = (exporter, version, source, id);
            match id {
                0 => whole = whole.and(self.templates(name, set, Dress { ipfix: false, options: false }, each)),
                1 => whole = whole.and(self.templates(name, set, Dress { ipfix: false, options: true }, each)),
                256.. => self.data(name, set, &head, heard, number, each),
                _ => {}
            }
        }
        Some(whole)
    }

    fn ipfix(
        &mut self,
        exporter: u32,
        bytes: &[u8],
        heard: Option<Micros>,
        number: u64,
        each: &mut dyn FnMut(&Record),
    ) -> Option<Result<(), &'static str>> {
        let mut bytes = Bytes(bytes);
        let (version, length, seconds, _sequence, domain) = (bytes.u16()?, bytes.u16()?, bytes.u32()?, bytes.u32()?, bytes.u32()?);
        let sent = Micros::seconds(seconds.into());
        let head = Head { sent, uptime: None };
        let heard = heard.unwrap_or(sent);
        let body = usize::from(length).checked_sub(16)?;
        let cut = bytes.0.len() < body;
        let mut bytes = Bytes(bytes.0.get(..body).unwrap_or(bytes.0));
        let mut whole = Ok(());
        while bytes.0.len() >= 4 {
            let (id, length) = (bytes.u16()?, usize::from(bytes.u16()?));
            let Some(length) = length.checked_sub(4) else { return Some(Err("a set says that it is shorter than its head")) };
            let set = bytes.take(length)?;
            let name = (exporter, version, domain, id);
            match id {
                0 | 2 => whole = whole.and(self.templates(name, set, Dress { ipfix: id == 2, options: false }, each)),
                1 | 3 => whole = whole.and(self.templates(name, set, Dress { ipfix: id == 3, options: true }, each)),
                256.. => self.data(name, set, &head, heard, number, each),
                _ => {}
            }
        }
        if cut { None } else { Some(whole) }
    }

    /// Remembers of how many packets one is looked at.
    fn samples(&mut self, of: (u32, u32), interval: u64) -> bool {
        if interval > 1 {
            self.sampled = self.sampled.max(interval);
            if self.sampling.len() < EXPORTERS {
                self.sampling.insert(of, interval);
            }
        }
        interval > 1
    }

    /// A set of templates: each takes the place of the one before it, one without fields takes it away (RFC 7011, 8.1).
    fn templates(&mut self, set_of: Name, set: &[u8], dress: Dress, each: &mut dyn FnMut(&Record)) -> Result<(), &'static str> {
        let (exporter, version, domain, set_id) = set_of;
        let mut bytes = Bytes(set);
        let mut whole = Ok(());
        while bytes.0.len() >= 4 {
            let Some(id) = bytes.u16() else { break };
            let name = (exporter, version, domain, id);
            // What is too small for a number is padding.
            if id <= 255 && (id != set_id || !dress.ipfix) {
                break;
            }
            let Some(template) = template(&mut bytes, dress) else { break };
            if id <= 255 {
                // Every one of this kind.
                for gone in self.templates.remove(&of(name, dress.options)).into_iter().flat_map(HashMap::into_values) {
                    self.held = self.held.saturating_sub(gone.takes());
                }
                continue;
            }
            self.forget(name);
            if template.said == 0 {
                continue;
            }
            if template.said > MOST || template.least == 0 {
                whole = Err(REFUSED);
                continue;
            }
            self.held = self.held.saturating_add(template.takes());
            if self.held > FIELDS {
                // They are sent again.
                self.templates.clear();
                self.held = template.takes();
            }
            self.templates.entry(of(name, dress.options)).or_default().insert(id, template);
            self.wakes(name, each);
        }
        whole
    }

    fn forget(&mut self, name: Name) {
        for of in [of(name, false), of(name, true)] {
            let Some(all) = self.templates.get_mut(&of) else { continue };
            self.held = self.held.saturating_sub(all.remove(&name.3).map_or(0, |t| t.takes()));
            if all.is_empty() {
                self.templates.remove(&of);
            }
        }
    }

    /// Reads what waited for a template.
    fn wakes(&mut self, name: Name, each: &mut dyn FnMut(&Record)) {
        if self.awaited.remove(&name).is_none() {
            return;
        }
        for waiting in std::mem::take(&mut self.waiting) {
            if waiting.name == name {
                self.data(name, &waiting.bytes, &waiting.head, waiting.heard, waiting.number, each);
            } else {
                self.waiting.push_back(waiting);
            }
        }
    }

    /// Keeps a set until its template comes.
    fn waits(&mut self, waiting: Waiting) {
        if self.waiting.len() >= WAITING
            && let Some(gone) = self.waiting.pop_front()
        {
            self.lost = self.lost.saturating_add(1);
            if let Some(of) = self.awaited.get_mut(&gone.name) {
                *of = of.saturating_sub(1);
                if *of == 0 {
                    self.awaited.remove(&gone.name);
                }
            }
        }
        let of = self.awaited.entry(waiting.name).or_default();
        *of = of.saturating_add(1);
        self.waiting.push_back(waiting);
    }

    fn data(&mut self, name: Name, set: &[u8], head: &Head, heard: Micros, number: u64, each: &mut dyn FnMut(&Record)) {
        let known = |options| self.templates.get(&of(name, options)).and_then(|t| t.get(&name.3));
        let Some(template) = known(false).or_else(|| known(true)) else {
            return self.waits(Waiting { name, bytes: set.to_vec(), head: *head, heard, number });
        };
        let of = (name.0, name.2);
        let sampled = !self.sampling.is_empty() && self.sampling.contains_key(&of);
        let (mut bytes, mut interval) = (Bytes(set), 0);
        // What is shorter than a record is padding.
        while bytes.0.len() >= template.least {
            let Some(values) = template.values(&mut bytes, head) else { break };
            interval = interval.max(values.sampling);
            if template.options {
                continue;
            }
            let sampled = sampled || values.sampling > 1;
            if let Some(record) = values.record(head, heard, name.0, number, sampled) {
                each(&record);
            }
        }
        self.samples(of, interval);
    }
}

/// How a set of templates is written.
#[derive(Clone, Copy)]
struct Dress {
    ipfix: bool,
    options: bool,
}

/// Of NetFlow 5, whose fields are always the same.
const V5: &[(What, usize)] = &[
    (What::Src, 4),
    (What::Dst, 4),
    (What::Skip, 8),
    (What::Packets(fields::Side::Up), 4),
    (What::Octets(fields::Side::Up), 4),
    (What::FirstUptime, 4),
    (What::LastUptime, 4),
    (What::SrcPort, 2),
    (What::DstPort, 2),
    (What::Skip, 1),
    (What::Flags(fields::Side::Up), 1),
    (What::Proto, 1),
    (What::Skip, 9),
];

/// A template behind its number; without fields it is taken away.
fn template(bytes: &mut Bytes<'_>, dress: Dress) -> Option<Template> {
    let mut out = Template { fields: Vec::new(), said: 0, least: 0, options: dress.options };
    let count = if dress.ipfix {
        let count = bytes.u16()?;
        if dress.options && count > 0 {
            bytes.u16()?;
        }
        usize::from(count)
    } else if dress.options {
        // Bytes of scopes, and of options (RFC 3954, 6.1).
        let (scopes, options) = (usize::from(bytes.u16()?), usize::from(bytes.u16()?));
        scopes.checked_add(options)? / 4
    } else {
        usize::from(bytes.u16()?)
    };
    out.said = count;
    let scopes = dress.options && !dress.ipfix;
    for place in 0..count {
        let (id, length) = (bytes.u16()?, bytes.u16()?);
        let enterprise = if dress.ipfix && id & 0x8000 != 0 { Some(bytes.u32()?) } else { None };
        // Numbers of scopes are their own (RFC 3954, 6.1); the first field of options is always one.
        let what =
            if scopes && place == 0 { What::Skip } else { What::of(id & if enterprise.is_some() { 0x7fff } else { 0xffff }, enterprise) };
        let length = match length {
            u16::MAX if dress.ipfix => Length::Varies,
            n => Length::Bytes(n.into()),
        };
        match length {
            // It says nothing, and many such would be looked at for each record.
            Length::Bytes(0) => continue,
            Length::Bytes(n) => out.least = out.least.checked_add(n)?,
            Length::Varies => out.least = out.least.checked_add(1)?,
        }
        match (out.fields.last_mut(), length) {
            (Some((What::Skip, Length::Bytes(before))), Length::Bytes(n)) if what == What::Skip => *before = before.checked_add(n)?,
            _ => out.fields.push((what, length)),
        }
    }
    Some(out)
}

impl Template {
    /// Of what is kept of all templates.
    fn takes(&self) -> usize {
        self.fields.len().saturating_add(TEMPLATE)
    }

    fn values(&self, bytes: &mut Bytes<'_>, head: &Head) -> Option<Values> {
        let mut values = Values::default();
        for (what, length) in &self.fields {
            let length = match length {
                Length::Bytes(n) => *n,
                // One byte, or 255 and two (RFC 7011, 7).
                Length::Varies => match bytes.u8()? {
                    255 => bytes.u16()?.into(),
                    n => n.into(),
                },
            };
            values.set(*what, bytes.take(length)?, head);
        }
        Some(values)
    }
}
