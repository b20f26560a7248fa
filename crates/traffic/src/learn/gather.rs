//! What is noted of a trace while it is watched.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{DefaultHashBuilder, HashMap};
use indexmap::IndexMap;

use super::lesson::{KEPT, Lesson, Met, Module, Net, PORTS, Peer, QUIET, Who};
use super::{end as end_name, is_inside, network, network_name};
use crate::cellular::sessions::{Id, Sessions};
use crate::detect::{Met as Next, Subject, Whose, for_many, near};
use crate::flow::{Event, Flow, Seen};
use crate::names::{App, Role, Word, Words, dns, zone};
use crate::packet::{Addr, Flags, proto};
use crate::places::{Operator, Operators, Place};
use crate::time::Micros;

/// Who is noted at once, and with whom all of them spoke.
const SUBJECTS: usize = 1 << 16;
const ROWS: usize = 1 << 18;
/// Registered domains that are noted.
const ZONES: usize = 1 << 18;
/// Destinations of one that never answered: whoever looks for something tries many.
const TRIED: u16 = 64;
/// Who came to modules.
const SERVED: usize = 1 << 16;
/// A silence counts from here on.
const SILENCE: Micros = Micros::seconds(3600);
/// What follows within so long is what it woke for.
const AWAKE: Micros = Micros::seconds(60);
const DAY: i64 = 86_400_000_000;

/// With what somebody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    /// A registered domain.
    Zone(u32),
    /// A network, without any name.
    Bare(Addr),
    /// A network, under a name.
    Under(Addr),
}

/// What there was with it.
#[derive(Clone, Copy, Debug)]
struct Row {
    first: Micros,
    last: Micros,
    talks: u32,
    answered: u32,
    up: u64,
    down: u64,
    frames: (u64, u64),
    /// Conversations that its subject began before it.
    before: u64,
    addr: Addr,
    port: u16,
    proto: u8,
    name: Option<Word>,
    /// Of those without a name: whether one could have been seen.
    names: bool,
}

/// A silence, and what ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Gap {
    from: Micros,
    to: Micros,
    /// Conversations before it, and days with any.
    talks: u64,
    days: u32,
    woke: Vec<(Key, Option<Word>, Addr, u16, u64)>,
}

/// What there was with each that one spoke with. The first is kept with the one, for most speak with no other.
#[derive(Debug, Default)]
struct Rows {
    first: Option<(Key, Row)>,
    more: HashMap<Key, Row>,
}

impl Rows {
    fn len(&self) -> usize {
        self.more.len().saturating_add(self.first.is_some().into())
    }

    fn has(&self, key: Key) -> bool {
        self.first.as_ref().is_some_and(|(first, _)| *first == key) || self.more.contains_key(&key)
    }

    fn get_or_insert_with(&mut self, key: Key, new: impl FnOnce() -> Row) -> &mut Row {
        if self.first.as_ref().is_none_or(|(first, _)| *first == key) {
            &mut self.first.get_or_insert_with(|| (key, new())).1
        } else {
            self.more.entry(key).or_insert_with(new)
        }
    }

    fn iter(&self) -> impl Iterator<Item = (Key, &Row)> {
        self.first.iter().map(|(key, row)| (*key, row)).chain(self.more.iter().map(|(key, row)| (*key, row)))
    }
}

#[derive(Debug)]
struct Of {
    first: Micros,
    last: Micros,
    talks: u64,
    days: u32,
    day: i64,
    /// Until when something was going on.
    busy: Micros,
    gaps: Vec<Gap>,
    ports: BTreeSet<u16>,
    rows: Rows,
    /// Of these, those that never answered.
    tried: u16,
}

/// Somebody's coming to a module.
#[derive(Clone, Debug)]
struct Served {
    first: Micros,
    last: Micros,
    talks: u32,
    frames: (u64, u64),
    port: u16,
    before: u64,
    bytes: (u64, u64),
}

/// What somebody who came did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Act {
    Control(App),
    Login(&'static str),
}

/// What is noted.
#[derive(Debug, Default)]
pub struct Gather {
    all: IndexMap<Whose, Of, DefaultHashBuilder>,
    /// Who was asked for last, and where it is: mostly it is asked for again at once.
    last: Option<(Whose, usize)>,
    rows: usize,
    served: HashMap<(Subject, Act, Addr), Served>,
    zones: Vec<Box<str>>,
    zone: HashMap<Box<str>, u32>,
    of_word: HashMap<Word, Option<u32>>,
    range: Option<(Micros, Micros)>,
    /// Conversations that may have controlled something, and nobody could see whether.
    pub(crate) unseen: u64,
    /// Of whom or what was not noted, because there was too much.
    pub(crate) forgotten: u64,
}

/// One destination of a module in this trace.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Whose it was, and by what that is remembered.
    pub subject: Subject,
    /// The registered domain, or the network.
    pub what: Box<str>,
    /// Whether it has a name; else whether one could have been seen.
    pub named: bool,
    /// See above.
    pub names: bool,
    /// The name as it was, and the address and port that it first led to.
    pub name: Option<Box<str>>,
    /// See above.
    pub addr: Addr,
    /// See above.
    pub port: u16,
    /// The protocol.
    pub proto: u8,
    /// Its first conversation and the last.
    pub met: Met,
    /// Conversations that were answered.
    pub answered: u64,
    /// Bytes to it, and from it.
    pub bytes: (u64, u64),
    /// Numbers of the first and the last frame.
    pub frames: (u64, u64),
    /// Conversations that the module began in this trace before.
    pub before: u64,
    /// Where the address is.
    pub place: Place,
    /// Who operates it, where the knowledge base has its name.
    pub operator: Option<Operator>,
}

/// A silence of a module in this trace, and with what it spoke then: what, name and port, frame.
#[derive(Clone, Debug)]
pub struct Wake {
    /// Whose.
    pub subject: Subject,
    /// The last before it.
    pub from: Micros,
    /// The first behind it.
    pub to: Micros,
    /// Conversations before it in this trace, and days with any.
    pub talks: u64,
    /// See above.
    pub days: u32,
    /// With what it spoke within a minute: what it is remembered as, as people say it, and the frame.
    pub woke: Vec<(Box<str>, String, u64)>,
}

/// Somebody's coming to a module.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// Whose module.
    pub subject: Subject,
    /// By what it is remembered.
    pub who: Who,
    /// Who came, to do what.
    pub peer: Peer,
    /// The address.
    pub from: Addr,
    /// To which port.
    pub port: u16,
    /// Whether it controlled something, else it logged in.
    pub control: bool,
    /// When, and how often.
    pub met: Met,
    /// Numbers of the first and the last frame.
    pub frames: (u64, u64),
    /// Conversations of the module before.
    pub before: u64,
    /// Bytes from whoever came, and to it.
    pub bytes: (u64, u64),
}

/// What a trace came to.
#[derive(Debug, Default)]
pub struct Now {
    /// What is to be remembered of it.
    pub lesson: Lesson,
    /// With what modules spoke, by when they began to.
    pub contacts: BTreeMap<Who, Vec<Contact>>,
    /// Their silences.
    pub wakes: BTreeMap<Who, Vec<Wake>>,
    /// Who came to them.
    pub inbound: Vec<Inbound>,
    /// Conversations that may have controlled something, and nobody could see whether.
    pub unseen: u64,
    /// Of whom or what was not noted.
    pub forgotten: u64,
}

/// Ports of log-ins (IANA; ADB as Android has it).
fn login(port: u16) -> Option<&'static str> {
    Some(match port {
        22 => "ssh",
        23 | 2323 => "telnet",
        5900..=5903 => "vnc",
        5555 => "adb",
        _ => return None,
    })
}

/// Ports of industrial protocols (IANA; IEC 60870-5-104, IEEE 1815, ASHRAE 135, IEC 62056-4-7).
const INDUSTRIAL: [u16; 6] = [102, 502, 2404, 4059, 20_000, 47_808];

/// Whose a conversation is: the module's that began it, or that of an address of a network of one's own.
fn whose(flow: &Flow) -> Option<Whose> {
    match flow.session {
        Some(id) if !flow.inbound => Some(Whose::session(id)),
        None if flow.stranger.is_none() && is_inside(flow.key.client) && !for_many(flow.key.client) => Some(Whose::host(flow.key.client)),
        _ => None,
    }
}

/// Whether it is with a destination: an address that is not on the same link, and a beginning.
pub(crate) fn goes_out(flow: &Flow) -> bool {
    let key = flow.key;
    let neighbour = network(key.client) == network(key.server) || flow.session.is_none() && is_inside(key.server);
    let begins = match key.proto {
        proto::TCP => flow.heard() == Some(true) || !flow.up.flags.any(Flags::RST),
        // Anything but echoes is a report about something else.
        proto::ICMP | proto::ICMPV6 => key.server_port == 0,
        _ => true,
    };
    begins && !neighbour && !for_many(key.server) && !for_many(key.client)
}

impl Of {
    fn new(at: Micros) -> Self {
        Self {
            first: at,
            last: at,
            talks: 0,
            days: 0,
            day: i64::MIN,
            busy: at,
            gaps: Vec::new(),
            ports: BTreeSet::new(),
            rows: Rows::default(),
            tried: 0,
        }
    }

    fn begins(&mut self, at: Micros) {
        let gap = at.since(self.busy);
        if self.talks > 0 && gap >= SILENCE {
            self.gaps.push(Gap { from: self.busy, to: at, talks: self.talks, days: self.days, woke: Vec::new() });
            if self.gaps.len() > QUIET {
                // The shortest goes; of equal ones the last.
                let shortest = (0..self.gaps.len()).min_by_key(|n| self.gaps.get(*n).map(|g| (g.to.since(g.from), std::cmp::Reverse(*n))));
                shortest.map(|n| self.gaps.remove(n));
            }
        }
        self.busy = self.busy.max(at);
    }
}

impl Gather {
    /// What happens to a conversation.
    pub fn see(&mut self, event: &Event<'_>, words: &Words) {
        match event {
            Event::Start(flow) => self.start(flow),
            Event::Active(flow) => {
                if let Some(of) = whose(flow).and_then(|whose| self.of(whose)) {
                    of.busy = of.busy.max(flow.last);
                }
            }
            Event::End(flow, _) => {
                self.range = Some(self.range.map_or((flow.start, flow.last), |(a, b)| (a.min(flow.start), b.max(flow.last))));
                self.served(flow);
                self.end(flow, words);
            }
            _ => {}
        }
    }

    /// Looks for what is noted of those of whom it is told next, as detectors do.
    pub(crate) fn nears(&self, some: &[Next]) -> usize {
        let keys = near::each(some, |(flow, _)| whose(flow));
        // A line of memory each.
        let row = |of: &Of| of.rows.first.as_ref().map_or(0, |(_, row)| row.talks as usize ^ row.first.0 as usize ^ row.up as usize);
        near::about(&self.all, &keys)
            .into_iter()
            .flatten()
            .fold(0, |all, of| all ^ of.talks as usize ^ of.busy.0 as usize ^ of.ports.len() ^ usize::from(of.tried) ^ row(of))
    }

    /// The first conversation so far and the last.
    pub fn range(&self) -> Option<(Micros, Micros)> {
        self.range
    }

    fn start(&mut self, flow: &Flow) {
        if let Some(of) = whose(flow).and_then(|whose| self.of(whose)) {
            of.begins(flow.start);
        }
    }

    /// What is noted of one.
    fn of(&mut self, whose: Whose) -> Option<&mut Of> {
        let at = match self.last {
            Some((last, at)) if last == whose => at,
            _ => self.all.get_index_of(&whose)?,
        };
        self.last = Some((whose, at));
        self.all.get_index_mut(at).map(|(_, of)| of)
    }

    /// It took part in a conversation; with how many before.
    fn met(&mut self, whose: Whose, flow: &Flow) -> Option<(&mut Of, u64)> {
        if self.of(whose).is_none() {
            if self.all.len() >= SUBJECTS {
                self.forgotten = self.forgotten.saturating_add(1);
                return None;
            }
            self.all.insert(whose, Of::new(flow.start));
        }
        let of = self.of(whose)?;
        let before = of.talks;
        of.busy = of.busy.max(flow.last);
        (of.first, of.last) = (of.first.min(flow.start), of.last.max(flow.last));
        of.talks = of.talks.saturating_add(1);
        let day = flow.start.0.div_euclid(DAY);
        if day > of.day {
            (of.day, of.days) = (day, of.days.saturating_add(1));
        }
        Some((of, before))
    }

    fn end(&mut self, flow: &Flow, words: &Words) {
        let Some(whose) = whose(flow) else { return };
        let goes_out = goes_out(flow);
        let names = &flow.names;
        let resolver = names.app == Some(App::Dns) || dns::is_port(flow.key.server_port);
        let name = names.sni.or(names.host).or(names.dns).filter(|_| !resolver);
        let zone = name.filter(|_| goes_out).and_then(|word| self.zone_of(word, words));
        let net = network(flow.key.server);
        let keys = match zone {
            Some(zone) => [Some(Key::Zone(zone)), Some(Key::Under(net))],
            None => [Some(Key::Bare(net)), None],
        };
        let rows = self.rows;
        let Some((of, before)) = self.met(whose, flow) else { return };
        if !goes_out {
            return;
        }
        let (mut added, mut lost, mut new_port) = (0, 0, true);
        for gap in &mut of.gaps {
            if flow.start >= gap.to && flow.start.since(gap.to) <= AWAKE && gap.woke.len() < QUIET {
                gap.woke.extend(keys[0].map(|key| (key, name, flow.key.server, flow.key.server_port, flow.first_frame)));
            }
        }
        let heard = flow.heard() != Some(false);
        for key in keys.into_iter().flatten() {
            let room = rows < ROWS && of.rows.len() < KEPT.saturating_mul(2) && (heard || of.tried < TRIED);
            if !room && !of.rows.has(key) {
                lost = 1;
                continue;
            }
            let row = of.rows.get_or_insert_with(key, || {
                added = usize::saturating_add(added, 1);
                of.tried = of.tried.saturating_add(1);
                Row {
                    first: flow.start,
                    last: flow.start,
                    talks: 0,
                    answered: 0,
                    up: 0,
                    down: 0,
                    frames: (flow.first_frame, flow.last_frame),
                    before,
                    addr: flow.key.server,
                    port: flow.key.server_port,
                    proto: flow.key.proto,
                    name,
                    names: resolver || flow.seen.has(Seen::DNS) || flow.seen.has(Seen::TLS),
                }
            });
            new_port &= row.talks == 0 || row.port != flow.key.server_port;
            if heard && row.answered == 0 {
                of.tried = of.tried.saturating_sub(1);
            }
            if flow.start < row.first {
                (row.first, row.frames.0) = (flow.start, flow.first_frame);
                (row.addr, row.port, row.proto, row.name) = (flow.key.server, flow.key.server_port, flow.key.proto, name);
            }
            row.last = row.last.max(flow.start);
            row.talks = row.talks.saturating_add(1);
            row.answered = row.answered.saturating_add(heard.into());
            row.up = row.up.saturating_add(flow.up.bytes);
            row.down = row.down.saturating_add(flow.down.bytes);
            row.frames.1 = row.frames.1.max(flow.last_frame);
        }
        // Where a row has it, it is there.
        if new_port && of.ports.len() < PORTS {
            of.ports.insert(flow.key.server_port);
        }
        self.rows = self.rows.saturating_add(added);
        self.forgotten = self.forgotten.saturating_add(lost);
    }

    /// The zone of a name; none where it is an address, or nothing that somebody registered.
    fn zone_of(&mut self, word: Word, words: &Words) -> Option<u32> {
        if let Some(zone) = self.of_word.get(&word) {
            return *zone;
        }
        if self.zones.len() >= ZONES {
            return None;
        }
        let found = registered(words.get(word)).and_then(|name| match self.zone.get(&*name) {
            Some(zone) => Some(*zone),
            None => {
                let number = u32::try_from(self.zones.len()).ok()?;
                self.zones.push(name.clone());
                self.zone.insert(name, number);
                Some(number)
            }
        });
        self.of_word.insert(word, found);
        found
    }

    /// Who came to a module and moved something, or logged in.
    fn served(&mut self, flow: &Flow) {
        let key = flow.key;
        let subject = match flow.session {
            Some(id) if flow.inbound => Subject::Session(id),
            None if flow.stranger.is_none() && is_inside(key.server) && !for_many(key.server) => Subject::Host(key.server),
            _ => return,
        };
        let before = self.all.get(&Whose::from(subject)).map_or(0, |of| of.talks);
        if flow.heard() != Some(false) {
            self.met(subject.into(), flow);
        }
        let act = match (flow.names.app, flow.names.role) {
            (Some(app), Some(Role::Control)) => Act::Control(app),
            _ if key.proto != proto::TCP => return,
            _ => {
                if INDUSTRIAL.contains(&key.server_port) && !flow.seen.has(Seen::FIRSTS) && flow.heard() != Some(false) {
                    self.unseen = self.unseen.saturating_add(1);
                }
                // Both said something: the door was not only knocked at. Inside one's own network people do so every day.
                let open =
                    if flow.seen.has(Seen::PAYLOAD) { flow.up.payload > 0 && flow.down.payload > 0 } else { flow.heard() == Some(true) };
                match login(key.server_port).filter(|_| open && (flow.session.is_some() || !is_inside(key.client))) {
                    Some(service) => Act::Login(service),
                    None => return,
                }
            }
        };
        if self.served.len() >= SERVED && !self.served.contains_key(&(subject, act, key.client)) {
            self.forgotten = self.forgotten.saturating_add(1);
            return;
        }
        let of = self.served.entry((subject, act, key.client)).or_insert_with(|| Served {
            first: flow.start,
            last: flow.start,
            talks: 0,
            frames: (flow.first_frame, flow.last_frame),
            port: key.server_port,
            before,
            bytes: (0, 0),
        });
        if flow.start < of.first {
            (of.first, of.frames.0, of.port) = (flow.start, flow.first_frame, key.server_port);
        }
        of.last = of.last.max(flow.start);
        of.talks = of.talks.saturating_add(1);
        of.frames.1 = of.frames.1.max(flow.last_frame);
        of.bytes = (of.bytes.0.saturating_add(flow.up.bytes), of.bytes.1.saturating_add(flow.down.bytes));
    }

    /// What it came to so far. `place` says where an address is.
    pub fn now(
        &self,
        (words, sessions): (&Words, &Sessions),
        (operators, key): (&Operators, &[u8]),
        place: &mut dyn FnMut(Addr) -> Option<Place>,
    ) -> Now {
        let who = |subject: Subject| match subject {
            Subject::Session(id) => sessions.get(id).and_then(|s| Who::of(s, key)).unwrap_or_else(|| unnamed(id)),
            Subject::Host(addr) => Who::addr(addr),
        };
        let (begin, end) = self.range.unwrap_or_default();
        let mut now = Now { unseen: self.unseen, forgotten: self.forgotten, ..Now::default() };
        (now.lesson.begin, now.lesson.end) = (begin, end);
        let mut all: Vec<(Who, Subject, &Of)> =
            self.all.iter().map(|(whose, of)| (whose.subject(), of)).map(|(subject, of)| (who(subject), subject, of)).collect();
        all.sort_by(|a, b| (&a.0, a.2.first, a.1).cmp(&(&b.0, b.2.first, b.1)));
        let what = |key: Key| -> Box<str> {
            match key {
                Key::Zone(n) => self.zones.get(n as usize).cloned().unwrap_or_default(),
                Key::Bare(net) | Key::Under(net) => network_name(net),
            }
        };
        let (mut modules, mut contacts, mut wakes) = (Vec::with_capacity(all.len()), Vec::new(), Vec::new());
        for group in all.chunk_by(|a, b| a.0 == b.0) {
            let Some((who, ..)) = group.first() else { continue };
            let (mut module, mut met, mut woke) = (Module::default(), Vec::new(), Vec::new());
            for (_, subject, of) in group {
                // Another session of the same module was before.
                let earlier = (module.talks, module.days);
                let quiet = of.gaps.iter().map(|g| u64::try_from(g.to.since(g.from).0 / 1_000_000).unwrap_or(0)).collect();
                let mut one = Module {
                    first: of.first,
                    last: of.last,
                    talks: of.talks,
                    days: of.days,
                    quiet,
                    ports: of.ports.clone(),
                    ..Module::default()
                };
                let mut rows: Vec<(Key, &Row)> = of.rows.iter().collect();
                rows.sort_unstable_by_key(|(key, row)| (row.first, *key));
                // Most have a single one, and there are many of them; sessions of one module may be many too.
                if met.is_empty() {
                    met.reserve_exact(rows.len());
                }
                for (key, row) in rows {
                    let (name, of_addr) = (what(key), place(row.addr).unwrap_or_default());
                    let (asn, country) = (of_addr.asn, of_addr.country().map(Into::into));
                    if let Key::Bare(net) | Key::Under(net) = key {
                        let known = one.nets.entry(network_name(net)).or_insert(Net { last: row.last, asn, country });
                        known.last = known.last.max(row.last);
                    }
                    if let Key::Under(_) = key {
                        continue;
                    }
                    let span = Met { first: row.first, last: row.last, talks: row.talks.into() };
                    one.to.insert(name.clone(), span);
                    let full = row.name.map(|word| words.get(word)).filter(|_| matches!(key, Key::Zone(_)));
                    met.push(Contact {
                        subject: *subject,
                        what: name,
                        named: full.is_some(),
                        names: row.names,
                        name: full.map(|n| bare(n).into()),
                        addr: row.addr,
                        port: row.port,
                        proto: row.proto,
                        met: span,
                        answered: row.answered.into(),
                        bytes: (row.up, row.down),
                        frames: row.frames,
                        before: row.before.saturating_add(earlier.0),
                        place: of_addr,
                        operator: full.and_then(|n| operators.named(bare(n))?.1.operator.clone()),
                    });
                }
                for gap in &of.gaps {
                    let with = gap.woke.iter().map(|(key, name, addr, port, frame)| {
                        let name = name.map(|word| bare(words.get(word))).filter(|_| matches!(key, Key::Zone(_)));
                        (what(*key), end_name(name, *addr, *port), *frame)
                    });
                    let (talks, days) = (gap.talks.saturating_add(earlier.0), gap.days.saturating_add(earlier.1));
                    woke.push(Wake { subject: *subject, from: gap.from, to: gap.to, talks, days, woke: with.collect() });
                }
                module.add(one);
            }
            contacts.extend((!met.is_empty()).then(|| (who.clone(), met)));
            wakes.extend((!woke.is_empty()).then(|| (who.clone(), woke)));
            modules.push((who.clone(), module));
        }
        // In their order already, so that trees are built full.
        now.lesson.modules = modules.into_iter().collect();
        (now.contacts, now.wakes) = (contacts.into_iter().collect(), wakes.into_iter().collect());
        let mut served: Vec<_> = self.served.iter().map(|(key, of)| (*key, of)).collect();
        served.sort_by_key(|(key, of)| (of.first, *key));
        for ((subject, act, from), of) in served {
            let who = who(subject);
            let what = match act {
                Act::Control(app) => format!("control {}", app.name()),
                Act::Login(service) => format!("login {service}"),
            };
            let peer = Peer { what: what.into(), from: from.ip().to_string().into() };
            let met = Met { first: of.first, last: of.last, talks: of.talks.into() };
            let came = Module { first: of.first, last: of.last, from: vec![(peer.clone(), met)], ..Module::default() };
            now.lesson.modules.entry(who.clone()).or_default().add(came);
            let control = matches!(act, Act::Control(_));
            let Served { port, frames, before, bytes, .. } = *of;
            now.inbound.push(Inbound { subject, who, peer, from, port, control, met, frames, before, bytes });
        }
        now.lesson.modules.retain(|who, _| !who.is_unnamed());
        now
    }
}

/// A session of which nothing is known but that it was: it is remembered by nobody.
fn unnamed(id: Id) -> Who {
    Who::unnamed(id.0)
}

/// A host without its port, in lower case.
fn bare(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The registered domain of a host. Long numbers in it are covered: they may be a subscriber's.
pub(crate) fn registered(host: &str) -> Option<Box<str>> {
    let name = bare(host).trim_end_matches('.').to_ascii_lowercase();
    if name.starts_with('[') || name.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    // Below what others rent out there may be nothing: a bucket's own address.
    let zone = zone::of(&name).map_or(&*name, |zoned| zoned.zone);
    (zone.contains('.') && zone.len() <= 253).then(|| covered(zone))
}

/// Digits of runs of eight and more become `#`.
fn covered(name: &str) -> Box<str> {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, run) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let end = run.find(|c: char| !c.is_ascii_digit()).unwrap_or(run.len());
        let (digits, behind) = run.split_at_checked(end).unwrap_or((run, ""));
        out.push_str(before);
        out.push_str(if digits.len() >= 8 { "#" } else { digits });
        rest = behind;
    }
    out.push_str(rest);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_of_a_host() {
        for (host, what) in [
            ("a.b.Cloud.example:8443", Some("cloud.example")),
            ("cloud.example.", Some("cloud.example")),
            ("198.51.100.9:80", None),
            ("[2001:db8::1]:80", None),
            ("x.t491701234567.example", Some("t#.example")),
            ("m1234567.example", Some("m1234567.example")),
            ("bucket.s3.amazonaws.com", Some("bucket.s3.amazonaws.com")),
            ("s3.amazonaws.com", Some("s3.amazonaws.com")),
            ("localhost", None),
        ] {
            assert_eq!(registered(host).as_deref(), what, "{host}");
        }
    }
}
