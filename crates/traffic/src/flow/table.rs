//! Every conversation that goes on, within bounds.

use std::num::NonZeroU64;

use hashbrown::{HashSet, HashTable};

use super::slots::{Slot, Slots};
use super::wheel::{Turn, Wheel};
use super::{ACTIVE, Each, Event, Flow, Key, Quiet, Why};
use crate::cellular::sessions::{Id, Owner, Way};
use crate::names::{App, Asked, Word, Words};
use crate::packet::{Addr, Datagram, Flags, proto};
use crate::record::Record;
use crate::time::Micros;

/// Bounds of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Conversations at once; beyond, those that would end first are evicted, and counted.
    pub flows: usize,
    /// Silence behind which one that is not TCP is over; `None`: never.
    pub idle: Option<Micros>,
    /// The same of TCP that did not say that it is over.
    pub idle_tcp: Option<Micros>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { flows: 1_000_000, idle: Some(Micros::seconds(60)), idle_tcp: Some(Micros::seconds(300)) }
    }
}

/// What is known beside a packet.
#[derive(Debug)]
pub struct Known<'a> {
    /// Names that recur.
    pub words: &'a mut Words,
    /// Which names led where.
    pub asked: &'a Asked,
    /// The name that the packet itself asks for.
    pub query: Option<Word>,
    /// Whether it came in a tunnel of a module.
    pub tunnelled: bool,
}

/// Where clocks go back by more, they were set: what is kept is timed anew.
const SET_BACK: Micros = Micros::seconds(3600);
/// Segments of a conversation that is closed are still its own for so long.
const LINGER: Micros = Micros::seconds(5);

/// When a conversation that no silence ends is looked at again: it waits with the others, so that there is an order in which they are
/// evicted.
const FAR: Micros = Micros::seconds(3600);
/// Conversations that are evicted at once.
const EVICTED: usize = 4096;

/// The conversations of a trace.
#[derive(Debug)]
pub struct Table {
    limits: Limits,
    /// By key and realm.
    index: HashTable<Entry>,
    slots: Slots,
    free: Vec<u32>,
    wheel: Wheel,
    now: Micros,
    begun: bool,
    /// Exporters that have shown both ways of something.
    two_way: HashSet<u32>,
    /// Conversations that were evicted.
    pub evicted: u64,
    /// Conversations in all.
    pub flows: u64,
}

/// Where a conversation is, with [`half`] of the hash of its key and realm: so the index grows without a look at any of them.
#[derive(Clone, Copy, Debug)]
struct Entry {
    half: u32,
    slot: u32,
}

/// Half of a hash of a key, by its number, and of a realm. What is added is spread by an odd constant (the golden ratio in 64 bits).
fn half(number: NonZeroU64, realm: u32) -> u32 {
    (number.get().wrapping_add(realm.into()).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

/// As an index needs it: its upper bits and its lower ones count.
fn spread(half: u32) -> u64 {
    u64::from(half) << 32 | u64::from(half)
}

impl Slot {
    /// Whether its conversation is the one with this key, seen from either end.
    fn has(&self, key: &Key, realm: u32) -> bool {
        self.realm == realm && self.flow.as_ref().is_some_and(|flow| flow.key == *key || flow.key == key.turned())
    }
}

/// Where addresses mean what they say: outside of any tunnel.
const OPEN: u32 = u32::MAX;
/// Records of an exporter: its number is below.
const EXPORTED: u32 = 1 << 31;
/// Exporters of which it is kept whether they show both ways.
const EXPORTERS: usize = 1 << 16;
/// A conversation of which records come each so many minutes is waited for so long at most.
const LONGEST: Micros = Micros::seconds(3600);
/// In tunnels of nobody who is known. Their addresses may be anybody's, so nothing in them is joined to what is known.
const UNKNOWN: u32 = u32::MAX - 1;

/// The session of a packet, and which of its addresses it has.
fn own_address(owner: Owner, packet: &Datagram<'_>) -> Option<(Id, Addr)> {
    match owner {
        Owner::Session(id, Way::Up) => Some((id, packet.src)),
        Owner::Session(id, Way::Down) => Some((id, packet.dst)),
        Owner::Nobody | Owner::Stranger(..) => None,
    }
}

impl Table {
    /// An empty one.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            index: HashTable::new(),
            slots: Slots::default(),
            free: Vec::new(),
            wheel: Wheel::default(),
            now: Micros(i64::MIN),
            begun: false,
            two_way: HashSet::new(),
            evicted: 0,
            flows: 0,
        }
    }

    /// Counts a packet for its conversation.
    pub fn packet(&mut self, packet: &Datagram<'_>, at: Micros, frame: u64, owner: Owner, known: &mut Known<'_>, each: Each<'_>) {
        self.advance(at, known.words, each);
        let key = Key::of(packet);
        let (realm, stranger) = match owner {
            _ if !known.tunnelled => (OPEN, None),
            Owner::Nobody => (UNKNOWN, None),
            Owner::Session(id, _) => (id.0, None),
            Owner::Stranger(id, _) => (UNKNOWN, Some(id)),
        };
        // It is removed by the number of its key.
        debug_assert!(packet.number.is_none_or(|number| number == key.number()), "{packet:?}");
        let half = half(packet.number.unwrap_or_else(|| key.number()), realm);
        let slot = self.find(half, &key, realm);
        let own = own_address(owner, packet);
        let slot = match slot {
            Some(slot) => match self.begins_anew(slot, packet, at, own) {
                Some(why) => {
                    self.end(slot, why, known.words, each);
                    None
                }
                None => Some(slot),
            },
            None => None,
        };
        let (slot, begun) = match slot {
            Some(slot) => (slot, false),
            None => (self.begin((key, half, realm), packet, at, frame, known.words, each), true),
        };
        let Some(flow) = self.slots.flow_mut(slot) else { return };
        let from_client = flow.key == key;
        if let (None, Owner::Session(id, way)) = (flow.session, owner) {
            flow.session = Some(id);
            flow.inbound = from_client == (way == Way::Down);
        }
        if let (None, Owner::Stranger(_, Some(way))) = (flow.stranger, owner) {
            flow.inbound = from_client == (way == Way::Down);
        }
        flow.stranger = flow.stranger.or(stranger);
        let (open, apart) = (!flow.closed(), packet.proto == proto::TCP && !flow.joined());
        let silent = flow.heard() != Some(true);
        flow.count(packet, at, frame, from_client, known.words);
        // Closed, it goes soon.
        let closes = packet.proto == proto::TCP && open && flow.closed();
        if known.query.is_some() {
            flow.names.app = flow.names.app.or(Some(App::Dns));
            flow.names.dns = flow.names.dns.or(known.query);
        }
        if begun {
            flow.told = true;
            if flow.names.dns.is_none() {
                flow.names.dns = known.asked.get(flow.key.client, flow.key.server);
            }
            each(Event::Start(flow), known.words);
        }
        if silent && flow.heard() == Some(true) {
            each(Event::Answered(flow), known.words);
        } else if !begun && at >= flow.report {
            each(Event::Active(flow), known.words);
            flow.refresh(at);
        }
        if apart && flow.joined() {
            each(Event::Joined(flow), known.words);
        }
        if closes && self.limits.idle_tcp.is_some() {
            self.look_again(slot, at.plus(LINGER));
        }
    }

    /// Counts a record.
    pub fn record(&mut self, record: &Record, owner: Owner, (asked, words): (&Asked, &Words), each: Each<'_>) {
        let Some(part) = record.part else {
            let mut flow = Flow::of(record, owner);
            flow.names.dns = flow.names.dns.or_else(|| asked.get(flow.key.client, flow.key.server));
            self.flows = self.flows.saturating_add(1);
            begins(&mut flow, words, each);
            each(Event::End(&flow, if flow.closed() { Why::Closed } else { Why::Idle }), words);
            return;
        };
        self.advance(part.heard, words, each);
        let realm = EXPORTED | part.exporter & !EXPORTED;
        let half = half(record.key.number(), realm);
        let slot = match self.find(half, &record.key, realm) {
            Some(slot) => match self.goes_on(slot, record) {
                Ok(()) => Some(slot),
                Err(why) => {
                    self.end(slot, why, words, each);
                    None
                }
            },
            None => None,
        };
        let begun = slot.is_none();
        let slot = match slot {
            Some(slot) => slot,
            None => {
                self.room(words, each);
                self.place(Flow::of(record, owner), half, realm)
            }
        };
        let (wait, wait_tcp) = (self.limits.idle, self.limits.idle_tcp);
        let Some(flow) = self.slots.flow_mut(slot) else { return };
        let other_way = flow.key != record.key;
        let open = !flow.closed();
        let silent = flow.answered() != Some(true);
        if !begun {
            // Whose first packet is the earlier began; where neither is, ports say it.
            let earlier = other_way && !flow.told && (record.start < flow.start || record.start == flow.start && flow.looks_turned());
            flow.add(record);
            if earlier {
                flow.turn();
            }
            if other_way && self.two_way.len() < EXPORTERS {
                self.two_way.insert(realm);
            }
        }
        flow.hears(self.two_way.contains(&realm));
        // Who exports what goes on each few minutes will do so again.
        let idle = if flow.key.proto == proto::TCP { wait_tcp } else { wait };
        let goes_on = record.end.since(record.start).clamp(Micros(0), LONGEST);
        let until = part.heard.plus(idle.map_or(FAR, |idle| if flow.closed() { LINGER.min(idle) } else { idle.plus(goes_on) }));
        if idle.is_some() {
            (flow.quiet, flow.ends) = (until, true);
        }
        let closes = open && flow.closed();
        if !flow.told && (part.both || !begun) {
            if !part.both && !other_way && flow.looks_turned() {
                flow.turn();
            }
            flow.report = flow.last.plus(ACTIVE);
            flow.names.dns = flow.names.dns.or_else(|| asked.get(flow.key.client, flow.key.server));
            begins(flow, words, each);
        } else if flow.told && silent && flow.answered() == Some(true) {
            each(Event::Answered(flow), words);
        } else if flow.told && flow.last >= flow.report {
            each(Event::Active(flow), words);
            flow.refresh(flow.last);
        }
        if begun || closes {
            self.look_again(slot, until);
        }
    }

    /// Whether a record is of the conversation that is open, or why that is over.
    fn goes_on(&self, slot: u32, record: &Record) -> Result<(), Why> {
        let Some(flow) = self.slots.flow(slot) else { return Ok(()) };
        let gap = record.start.since(flow.last);
        let idle = if flow.key.proto == proto::TCP { self.limits.idle_tcp } else { self.limits.idle };
        if flow.closed() && gap > LINGER {
            return Err(Why::Closed);
        }
        if idle.is_some_and(|idle| gap > idle) { Err(Why::Idle) } else { Ok(()) }
    }

    /// Looks at a conversation once a time has passed.
    fn look_again(&mut self, slot: u32, at: Micros) {
        let use_of = self.slots.get(slot).map_or(0, |s| s.use_of);
        self.wheel.put(Turn { slot, use_of }, at);
    }

    /// The conversation that was meant, if it goes on.
    fn meant(&self, turn: Turn) -> Option<&Flow> {
        self.slots.get(turn.slot).filter(|s| s.use_of == turn.use_of)?.flow.as_ref()
    }

    /// Conversations that go on, of which was told.
    pub fn open(&self) -> impl Iterator<Item = &Flow> {
        self.slots.flows().filter(|flow| flow.told)
    }

    /// Ends every conversation.
    pub fn finish(&mut self, words: &Words, each: Each<'_>) {
        for slot in 0..self.slots.len() {
            self.end(slot, Why::Trace, words, each);
        }
    }

    /// The conversation with these ends in a realm. Addresses of modules are private and used by many: in a tunnel one is that of a
    /// session, or of none.
    fn find(&self, half: u32, key: &Key, realm: u32) -> Option<u32> {
        let is = |e: &Entry| e.half == half && self.slots.get(e.slot).is_some_and(|s| s.has(key, realm));
        self.index.find(spread(half), is).map(|e| e.slot)
    }

    /// Why a packet begins another conversation between the same ports, if it does.
    fn begins_anew(&self, slot: u32, packet: &Datagram<'_>, at: Micros, own: Option<(Id, Addr)>) -> Option<Why> {
        let flow = self.slots.flow(slot)?;
        // Outside of tunnels an address may be given to another module while a conversation goes on.
        let had = if flow.inbound { flow.key.server } else { flow.key.client };
        if own.is_some_and(|(id, addr)| addr == had && flow.session.is_some_and(|before| before != id)) {
            return Some(Why::Anew);
        }
        if self.over(flow, at) {
            return Some(if flow.closed() { Why::Closed } else { Why::Idle });
        }
        let syn = packet.flags.has(Flags::SYN) && !packet.flags.has(Flags::ACK);
        (syn && flow.isn.is_some_and(|isn| Some(isn) != packet.sequence)).then_some(Why::Anew)
    }

    /// Whether nothing came for long enough, or it was closed.
    fn over(&self, flow: &Flow, at: Micros) -> bool {
        let silent = match flow.quiet() {
            Quiet::Until(until) => return at > until,
            Quiet::Since(since) => at.since(since),
        };
        let idle = if flow.key.proto == proto::TCP { self.limits.idle_tcp } else { self.limits.idle };
        let Some(idle) = idle else { return false };
        silent > idle || flow.key.proto == proto::TCP && flow.closed() && silent > LINGER
    }

    fn begin(
        &mut self,
        (key, half, realm): (Key, u32, u32),
        packet: &Datagram<'_>,
        at: Micros,
        frame: u64,
        words: &Words,
        each: Each<'_>,
    ) -> u32 {
        self.room(words, each);
        // Whoever answers did not begin.
        let answers = packet.proto == proto::TCP && packet.flags.has(Flags::SYN | Flags::ACK);
        let mut flow = Flow::new(if answers { key.turned() } else { key }, at, frame);
        if packet.proto == proto::TCP && packet.flags.has(Flags::SYN) && !answers {
            flow.isn = packet.sequence;
        }
        let wait = self.wait(&flow).unwrap_or(FAR);
        let slot = self.place(flow, half, realm);
        self.look_again(slot, at.plus(wait));
        slot
    }

    /// Evicts what would end first, if there is no room.
    fn room(&mut self, words: &Words, each: Each<'_>) {
        while self.index.len() >= self.limits.flows.max(1) {
            let Some(list) = self.wheel.next(EVICTED) else { break };
            for turn in list {
                if self.meant(turn).is_some() {
                    self.evicted = self.evicted.saturating_add(1);
                    self.end(turn.slot, Why::Evicted, words, each);
                }
            }
        }
    }

    fn place(&mut self, flow: Flow, half: u32, realm: u32) -> u32 {
        let slot = match self.free.pop() {
            Some(slot) => {
                if let Some(place) = self.slots.get_mut(slot) {
                    *place = Slot { realm, use_of: place.use_of.wrapping_add(1), flow: Some(flow) };
                }
                slot
            }
            None => self.slots.push(Slot { realm, use_of: 0, flow: Some(flow) }),
        };
        self.index.insert_unique(spread(half), Entry { half, slot }, |e| spread(e.half));
        self.flows = self.flows.saturating_add(1);
        slot
    }

    fn wait(&self, flow: &Flow) -> Option<Micros> {
        if flow.key.proto == proto::TCP {
            self.limits.idle_tcp.map(|idle| if flow.closed() { LINGER.min(idle) } else { idle })
        } else {
            self.limits.idle
        }
    }

    /// Ends what is over by now.
    pub(crate) fn advance(&mut self, at: Micros, words: &Words, each: Each<'_>) {
        if !self.begun || self.now.since(at) > SET_BACK {
            self.begun = true;
            self.now = at;
            self.wheel.restart(at);
            for slot in 0..self.slots.len() {
                if let Some(flow) = self.slots.flow_mut(slot) {
                    flow.set_back(at, LONGEST);
                    self.look_again(slot, at);
                }
            }
            return;
        }
        if at <= self.now {
            return;
        }
        self.now = at;
        while let Some(list) = self.wheel.due(at) {
            for turn in list {
                let Some(flow) = self.meant(turn) else { continue };
                if self.over(flow, at) {
                    let why = if flow.closed() { Why::Closed } else { Why::Idle };
                    self.end(turn.slot, why, words, each);
                } else {
                    let later = match (flow.quiet(), self.wait(flow)) {
                        (Quiet::Until(until), _) => until,
                        (Quiet::Since(since), Some(wait)) => since.plus(wait),
                        (Quiet::Since(_), None) => at.plus(FAR),
                    };
                    self.wheel.put(turn, later.max(at));
                }
            }
        }
    }

    fn end(&mut self, slot: u32, why: Why, words: &Words, each: Each<'_>) {
        let Some(place) = self.slots.get_mut(slot) else { return };
        let Some(mut flow) = place.flow.take() else { return };
        let realm = place.realm;
        if let Ok(found) = self.index.find_entry(spread(half(flow.key.number(), realm)), |e| e.slot == slot) {
            found.remove();
        }
        self.free.push(slot);
        if !flow.told {
            if flow.looks_turned() {
                flow.turn();
            }
            flow.hears(self.two_way.contains(&realm));
            begins(&mut flow, words, each);
        }
        each(Event::End(&flow, why), words);
    }
}

/// Tells of the beginning of a conversation that records are of.
fn begins(flow: &mut Flow, words: &Words, each: Each<'_>) {
    flow.told = true;
    each(Event::Start(flow), words);
    if flow.answered() == Some(true) {
        each(Event::Answered(flow), words);
    }
}
