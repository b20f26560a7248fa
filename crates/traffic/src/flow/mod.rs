//! Flows: the two ways of one conversation, from its first packet to its end.

mod broken;
mod close;
mod lookup;
mod seen;
mod slots;
mod table;
mod wheel;

pub use broken::Broken;
pub(crate) use close::NTP;
pub use close::{Close, Counts};
pub use lookup::Lookup;
pub use seen::Seen;
pub use table::{Known, Limits, Table};

use std::hash::{BuildHasher as _, Hash, Hasher};
use std::num::NonZeroU64;
use std::sync::LazyLock;

use hashbrown::DefaultHashBuilder;

use crate::cellular::sessions::{Id, Owner, Way};
use crate::names::{App, Names, Payload, Probe, Words, dns, identity};
use crate::packet::{Addr, Datagram, Flags, Packet, proto};
use crate::record::Record;
use crate::time::Micros;

/// What tells one conversation from another, seen from whoever began it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Who began.
    pub client: Addr,
    /// With whom.
    pub server: Addr,
    /// Its port there; of an echo its identifier.
    pub client_port: u16,
    /// And here; of ICMP that is no echo its type and code.
    pub server_port: u16,
    /// The protocol.
    pub proto: u8,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.client.hash(hasher);
        self.server.hash(hasher);
        let ports = u64::from(self.client_port) << 16 | u64::from(self.server_port);
        hasher.write_u64(ports << 8 | u64::from(self.proto));
    }
}

impl Key {
    /// Of a packet that begins one.
    pub fn of<B>(packet: &Packet<B>) -> Self {
        let mut key = Self {
            client: packet.src,
            server: packet.dst,
            client_port: packet.src_port,
            server_port: packet.dst_port,
            proto: packet.proto,
        };
        if matches!(packet.proto, proto::ICMP | proto::ICMPV6) {
            // Question and answer of an echo differ in their type, which says nothing more than the way.
            let echo = matches!((packet.proto, packet.src_port >> 8), (proto::ICMP, 0 | 8) | (proto::ICMPV6, 128 | 129));
            (key.client_port, key.server_port) = if echo { (packet.dst_port, 0) } else { (0, packet.src_port) };
        }
        key
    }

    /// Of a record, in which ports of ICMP are its type and code: as [`Key::of`] has it, but that nobody knows the number of an echo.
    #[must_use]
    pub fn of_icmp(mut self) -> Self {
        if matches!(self.proto, proto::ICMP | proto::ICMPV6) {
            let echo = matches!((self.proto, self.client_port), (proto::ICMP, 0 | 8) | (proto::ICMPV6, 128 | 129));
            let kind = self.client_port << 8 | self.server_port & 0xff;
            (self.client_port, self.server_port) = if echo { (0, 0) } else { (0, kind) };
        }
        self
    }

    /// A number by which it is looked for, the same from either end: a sum of both is, and takes less than to find out which stands first.
    /// Nobody outside knows it, for it is another each time the program runs.
    pub fn number(&self) -> NonZeroU64 {
        static SEED: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);
        let seed = &*SEED;
        let end = |addr: Addr, port: u16| {
            let mut hasher = seed.build_hasher();
            addr.hash(&mut hasher);
            hasher.write_u64(port.into());
            hasher.finish()
        };
        // Numbers of ICMP are of neither end.
        let (client, server, both) = match self.proto {
            proto::ICMP | proto::ICMPV6 => (0, 0, u32::from(self.client_port) << 16 | u32::from(self.server_port)),
            _ => (self.client_port, self.server_port, 0),
        };
        let mut hasher = seed.build_hasher();
        hasher.write_u64(end(self.client, client).wrapping_add(end(self.server, server)));
        hasher.write_u64(u64::from(both) << 8 | u64::from(self.proto));
        NonZeroU64::new(hasher.finish()).unwrap_or(NonZeroU64::MIN)
    }

    /// The same conversation from the other end.
    #[must_use]
    pub fn turned(self) -> Self {
        let icmp = matches!(self.proto, proto::ICMP | proto::ICMPV6);
        let (client_port, server_port) = if icmp { (self.client_port, self.server_port) } else { (self.server_port, self.client_port) };
        Self { client: self.server, server: self.client, client_port, server_port, proto: self.proto }
    }
}

/// Packets whose size and gap are kept.
pub const FIRST: usize = 8;
/// Bytes that the headers of IPv6 and TCP with all options may have.
const HEADERS: u64 = 100;

/// One way of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Half {
    /// Packets.
    pub packets: u64,
    /// Bytes of IP.
    pub bytes: u64,
    /// Bytes that the transport carried.
    pub payload: u64,
    /// Flags of TCP that were ever set.
    pub flags: Flags,
    /// Packets since the conversation was last told of as active, or since it began; of a record that has just been read 0.
    pub fresh: u32,
}

impl Half {
    fn add(&mut self, other: &Self) {
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.payload = self.payload.saturating_add(other.payload);
        self.flags.0 |= other.flags.0;
        self.fresh = self.fresh.saturating_add(few(other.packets));
    }
}

/// A conversation.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Between whom.
    pub key: Key,
    /// The module's, where it is known.
    pub session: Option<Id>,
    /// It came in the tunnel of this session under an address that is none of its own.
    pub stranger: Option<Id>,
    /// It was begun from outside: the module, or who uses its tunnel, is the server.
    pub inbound: bool,
    /// Its first packet.
    pub start: Micros,
    /// Its last so far.
    pub last: Micros,
    /// How much of it its source could see: where something was not seen, this says whether that means anything.
    pub seen: Seen,
    /// Number of the first frame in its capture; of a record its line or datagram.
    pub first_frame: u64,
    /// Number of the last so far.
    pub last_frame: u64,
    /// From the client.
    pub up: Half,
    /// From the server.
    pub down: Half,
    /// Sizes of the first payloads, in bytes, those of the server negative; 0 behind the last.
    pub sizes: [i16; FIRST],
    /// Milliseconds before each of them, at most 65535.
    pub gaps: [u16; FIRST],
    /// How many of them.
    pub firsts: u8,
    /// What it said of itself.
    pub names: Names,
    /// What is kept while it is looked at and one payload did not say everything.
    kept: Option<Box<Kept>>,
    /// Whether there is nothing more to be learnt.
    learnt: bool,
    /// Sequence number of the client's SYN: another is another conversation.
    isn: Option<u32>,
    /// When it is next told of as active.
    report: Micros,
    /// Whether its start was told, and whether it was told of as active.
    told: bool,
    active: bool,
    /// The time of its [`Quiet`], and whether that is an end.
    quiet: Micros,
    ends: bool,
}

/// What is kept of payloads.
#[derive(Clone, Debug)]
enum Kept {
    Probe(Probe),
    Close(Close),
}

/// From when on silence counts. It is apart from [`Flow::last`], for a clock may be set back while a conversation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quiet {
    /// Its last packet, by the clock as it is now.
    Since(Micros),
    /// Of records of which others may follow: it is over then.
    Until(Micros),
}

impl Flow {
    fn new(key: Key, at: Micros, frame: u64) -> Self {
        Self {
            key,
            session: None,
            stranger: None,
            inbound: false,
            start: at,
            last: at,
            seen: Seen::PACKETS,
            first_frame: frame,
            last_frame: frame,
            up: Half::default(),
            down: Half::default(),
            sizes: [0; FIRST],
            gaps: [0; FIRST],
            firsts: 0,
            names: Names::default(),
            kept: None,
            learnt: false,
            isn: None,
            report: at.plus(ACTIVE),
            told: false,
            active: false,
            quiet: at,
            ends: false,
        }
    }

    /// Whether no record was added since; several of one datagram have its number.
    pub(crate) fn is_as(&self, before: &Self) -> bool {
        let when = |x: &Self| (x.last_frame, x.start, x.last, x.seen);
        when(self) == when(before) && self.key == before.key && self.up == before.up && self.down == before.down
    }

    /// Whether the server said anything: TCP by SYN and ACK or by payload, anything else by a packet. `None` where it did not, as far as
    /// could be seen, and its source would not have seen it.
    pub fn answered(&self) -> Option<bool> {
        let down = &self.down;
        let said = match self.key.proto {
            // Without sizes of payloads: more than headers can be.
            proto::TCP if !self.seen.has(Seen::PAYLOAD) => {
                down.flags.has(Flags::SYN | Flags::ACK) || down.bytes > down.packets.saturating_mul(HEADERS)
            }
            proto::TCP => down.flags.has(Flags::SYN | Flags::ACK) || down.payload > 0,
            _ => down.packets > 0 || down.payload > 0,
        };
        if said { Some(true) } else { self.seen.has(Seen::ANSWERS).then_some(false) }
    }

    /// Whether the client was answered, by what was seen of the server or by what the client says: TCP acknowledges only what was
    /// heard. `None` where neither could be seen.
    pub fn heard(&self) -> Option<bool> {
        let says = self.key.proto == proto::TCP && self.up.flags.has(Flags::ACK) && !self.up.flags.any(Flags::RST);
        if says { Some(true) } else { self.answered() }
    }

    /// Whether the client of TCP went on behind an answer, so that both want to speak. Of one way alone: whether it does more than begin.
    pub fn joined(&self) -> bool {
        if self.key.proto != proto::TCP || !self.seen.has(Seen::FLAGS) {
            return self.answered() != Some(false);
        }
        let (up, down) = (self.up.flags, self.down.flags);
        up.has(Flags::ACK) && !up.any(Flags::RST) && (up.has(Flags::SYN) || down.has(Flags::ACK) && !down.any(Flags::RST))
    }

    /// Packets of each way since it was last told of as active, or since it began, and in what time.
    pub fn fresh(&self) -> (u32, u32, Micros) {
        let since = if self.active { Micros(self.report.0.saturating_sub(ACTIVE.0)) } else { self.start };
        (self.up.fresh, self.down.fresh, Micros(self.last.since(since).0.max(0)))
    }

    /// What was found in each of its payloads, where they are looked at that closely: of echoes and of NTP.
    pub fn close(&self) -> Option<&Close> {
        match self.kept.as_deref() {
            Some(Kept::Close(close)) => Some(close),
            _ => None,
        }
    }

    /// It was told of as active.
    fn refresh(&mut self, at: Micros) {
        (self.active, self.up.fresh, self.down.fresh) = (true, 0, 0);
        self.report = at.plus(ACTIVE);
        if let Some(Kept::Close(close)) = self.kept.as_deref_mut() {
            close.refresh();
        }
    }

    /// Of a record.
    fn of(record: &Record, owner: Owner) -> Self {
        let (session, inbound) = match owner {
            Owner::Session(id, way) => (Some(id), way == Way::Down),
            Owner::Nobody | Owner::Stranger(..) => (None, false),
        };
        Self {
            session,
            inbound,
            last: record.end,
            quiet: record.end,
            ends: false,
            seen: record.seen,
            up: Half { fresh: few(record.up.packets), ..record.up },
            down: Half { fresh: few(record.down.packets), ..record.down },
            names: record.names,
            learnt: true,
            ..Self::new(record.key, record.start, record.number)
        }
    }

    /// Adds another record of the same conversation.
    fn add(&mut self, record: &Record) {
        let (up, down) = if record.key == self.key { (&record.up, &record.down) } else { (&record.down, &record.up) };
        self.up.add(up);
        self.down.add(down);
        self.names.fill(&record.names);
        self.seen = self.seen.both(record.seen);
        self.start = self.start.min(record.start);
        self.last = self.last.max(record.end);
        self.last_frame = record.number;
    }

    /// Whether its exporter shows both ways: then, where every packet counts, an answer that was not seen is none.
    fn hears(&mut self, both: bool) {
        let flags = self.key.proto != proto::TCP || self.down.packets == 0 || self.seen.has(Seen::FLAGS);
        if both && flags && self.seen.has(Seen::COUNTS) {
            self.seen = self.seen.with(Seen::ANSWERS);
        }
    }

    /// Seen from the other end.
    fn turn(&mut self) {
        self.key = self.key.turned();
        self.inbound ^= self.session.is_some();
        std::mem::swap(&mut self.up, &mut self.down);
    }

    /// Whether by its ports and flags whoever is taken for the server rather began.
    fn looks_turned(&self) -> bool {
        if self.key.proto == proto::TCP && self.down.packets == 0 && self.up.flags.has(Flags::SYN) {
            // Who begins says SYN and, unless an answer was heard, nothing else.
            if !self.up.flags.any(Flags::ACK) {
                return false;
            }
            if self.up.flags.0 & !Flags::PSH == Flags::SYN | Flags::ACK {
                return true;
            }
        }
        let rank = |port: u16| match port {
            0 => 3,
            1..1024 => 0,
            1024..32768 => 1,
            _ => 2,
        };
        rank(self.key.client_port) < rank(self.key.server_port)
    }

    /// Packets of both ways.
    pub fn packets(&self) -> u64 {
        self.up.packets.saturating_add(self.down.packets)
    }

    /// Whether TCP has said that it is over.
    fn closed(&self) -> bool {
        let reset = self.up.flags.any(Flags::RST) || self.down.flags.any(Flags::RST);
        reset || self.up.flags.any(Flags::FIN) && self.down.flags.any(Flags::FIN)
    }

    /// The clock was set back: what it showed before is no longer waited for.
    fn set_back(&mut self, now: Micros, longest: Micros) {
        self.quiet = self.quiet.min(if self.ends { now.plus(longest) } else { now });
        self.report = self.report.min(now.plus(ACTIVE));
    }

    fn quiet(&self) -> Quiet {
        if self.ends { Quiet::Until(self.quiet) } else { Quiet::Since(self.quiet) }
    }

    fn since(&self) -> Micros {
        if self.ends { self.last } else { self.quiet }
    }

    fn looks(&mut self, payload: &Payload<'_>, words: &mut Words) {
        match self.kept.as_deref_mut() {
            Some(Kept::Probe(probe)) => {
                probe.look(payload, &mut self.names, words);
                self.learnt = probe.is_done();
                if self.learnt {
                    self.kept = None;
                }
                return;
            }
            Some(Kept::Close(_)) => return,
            None => {}
        }
        // Most conversations say it in their first payload, or none.
        let mut probe = Probe::default();
        probe.look(payload, &mut self.names, words);
        self.learnt = probe.is_done();
        if !self.learnt {
            self.kept = Some(Box::new(Kept::Probe(probe)));
        }
    }

    /// Looks for who and where a device is, in what is not encrypted and not read where it is counted.
    fn scan(&mut self, bytes: &[u8], from_client: bool, words: &mut Words) {
        let closed = matches!(self.names.app, Some(App::Tls | App::Dtls | App::Quic)) || dns::is_port(self.key.server_port);
        // What a server of a known protocol says is its own affair.
        if closed || !from_client && self.names.app.is_some() {
            return;
        }
        let said = identity::scan(bytes, from_client);
        if !said.is_empty() {
            self.names.said = words.tell(self.names.said, said);
        }
    }

    fn count(&mut self, packet: &Datagram<'_>, at: Micros, frame: u64, from_client: bool, words: &mut Words) {
        let looks = !self.learnt;
        if looks && Close::concerns(&self.key) {
            let kept = self.kept.get_or_insert_with(|| Box::new(Kept::Close(Close::default())));
            if let Kept::Close(close) = &mut **kept {
                close.look(packet, from_client);
            }
        } else if looks && !packet.payload.is_empty() {
            let payload =
                Payload { proto: packet.proto, bytes: packet.payload, sequence: packet.sequence, from_client, port: self.key.server_port };
            self.looks(&payload, words);
        }
        if self.firsts < identity::PAYLOADS && !packet.payload.is_empty() {
            self.scan(packet.payload, from_client, words);
        }
        let carried = packet.payload.len();
        let since = self.since();
        if carried > 0
            && let Some(size) = self.sizes.get_mut(usize::from(self.firsts))
            && let Some(gap) = self.gaps.get_mut(usize::from(self.firsts))
        {
            let signed = i16::try_from(carried).unwrap_or(i16::MAX);
            *size = if from_client { signed } else { signed.saturating_neg() };
            *gap = u16::try_from(at.since(since).0.max(0) / 1000).unwrap_or(u16::MAX);
            self.firsts = self.firsts.saturating_add(1);
        }
        let half = if from_client { &mut self.up } else { &mut self.down };
        half.packets = half.packets.saturating_add(1);
        half.bytes = half.bytes.saturating_add(packet.length.into());
        half.payload = half.payload.saturating_add(carried as u64);
        half.flags.0 |= packet.flags.0;
        half.fresh = half.fresh.saturating_add(1);
        self.last = self.last.max(at);
        (self.quiet, self.ends) = (since.max(at), false);
        self.last_frame = frame;
    }
}

fn few(packets: u64) -> u32 {
    u32::try_from(packets).unwrap_or(u32::MAX)
}

/// How often a conversation that goes on is told of, in time of the trace.
pub const ACTIVE: Micros = Micros::seconds(5);

/// Why a conversation is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing more came for as long as [`Limits`] say.
    Idle,
    /// TCP closed it, or reset it.
    Closed,
    /// The same ports began anew, or another SIM got the address.
    Anew,
    /// There were too many at once: it may have gone on.
    Evicted,
    /// The trace is over.
    Trace,
}

impl Why {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Closed => "closed",
            Self::Anew => "anew",
            Self::Evicted => "evicted",
            Self::Trace => "trace",
        }
    }
}

/// What happens to a conversation. Detectors see these and nothing else.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Its first packet.
    Start(&'a Flow),
    /// It was answered ([`Flow::heard`]); of a record that has an answer right behind the first.
    Answered(&'a Flow),
    /// TCP: both want to speak ([`Flow::joined`]). A record says so from its start.
    Joined(&'a Flow),
    /// It goes on.
    Active(&'a Flow),
    /// It is over.
    End(&'a Flow, Why),
    /// A name was asked for, or that was answered: each time, not only the first of a conversation.
    Lookup(&'a Lookup<'a>),
    /// Pieces of a datagram that never came whole, and so are of no conversation.
    Broken(&'a Broken),
}

/// Who is told of events, with the names that are known so far.
pub type Each<'e> = &'e mut dyn FnMut(Event<'_>, &Words);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_has_one_number_from_either_end() {
        let [a, b] = [[192, 0, 2, 1], [198, 51, 100, 7]].map(Addr::v4);
        let key = |client, server, client_port, server_port, proto| Key { client, server, client_port, server_port, proto };
        let keys = [
            key(a, b, 4000, 443, proto::TCP),
            key(a, b, 443, 4000, proto::TCP),
            key(a, b, 4000, 443, proto::UDP),
            key(a, b, 4001, 443, proto::TCP),
            key(a, a, 4000, 443, proto::TCP),
            key(a, b, 7, 0, proto::ICMP),
            key(a, b, 0, 7, proto::ICMP),
            key(a, b, 0, 0, proto::GRE),
        ];
        let numbers: std::collections::HashSet<_> = keys.iter().map(Key::number).collect();
        assert_eq!(numbers.len(), keys.len());
        assert!(keys.iter().all(|key| key.number() == key.turned().number()));
    }

    /// A million of them are kept at once.
    #[test]
    fn a_conversation_takes_little() {
        assert!(size_of::<Flow>() <= 288 && size_of::<Option<Flow>>() == size_of::<Flow>(), "{}", size_of::<Flow>());
    }
}
