//! The pipeline: frames in, conversations and sessions out.

use crate::capture::{Content, Frame};
use crate::cellular::sessions::{Owner, Sessions, Way};
use crate::cellular::tunnel::Inside;
use crate::cellular::{End, diameter, gtp1, gtp2, pfcp, radius};
use crate::flow::{Each, Event, Flow, Known, Limits, Lookup, Table};
use crate::link::ip;
use crate::names::dns::Message;
use crate::names::{Asked, Names, Word, Words, dns};
use crate::packet::{Addr, Datagram, datagram, proto};
use crate::pieces::Pieces;
use crate::record::netflow::{self, Collector};
use crate::record::{Join, Record, Told, Troubles, Uid};
use crate::substation::{self, Publishers};
use crate::time::Micros;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames.
    pub packets: u64,
    /// Their bytes, as they were sent.
    pub bytes: u64,
    /// Frames in which no IP was found, nor what substations publish.
    pub undecoded: u64,
    /// Frames of GOOSE and of sampled values.
    pub published: u64,
    /// Packets that came in a tunnel.
    pub tunnelled: u64,
    /// Packets in a tunnel whose session is not known.
    pub unattributed: u64,
    /// Packets in a tunnel of a session, under an address that is none of its own.
    pub strangers: u64,
    /// Messages of signalling that were understood.
    pub signalling: u64,
    /// Records of conversations.
    pub records: u64,
    /// Alerts of others.
    pub alerts: u64,
    /// Sets of records without the template that says what is in them.
    pub untemplated: u64,
    /// The most packets of which a router looked at one; 0: none says so.
    pub sampled: u64,
}

/// Port of GTP-C, either version.
const GTP_C: u16 = 2123;

/// A trace that is being watched.
#[derive(Debug)]
pub struct Watch {
    /// The modules on the network.
    pub sessions: Sessions,
    /// Who publishes without IP.
    pub publishers: Publishers,
    /// What was counted.
    pub counters: Counters,
    /// Names that recur.
    pub words: Words,
    /// What is wrong with records in frames.
    pub troubles: Troubles,
    asked: Asked,
    pieces: Pieces,
    streams: diameter::Streams,
    table: Table,
    join: Join,
    collector: Collector,
}

impl Watch {
    /// A trace that begins.
    pub fn new(limits: Limits) -> Self {
        Self {
            sessions: Sessions::new(),
            publishers: Publishers::default(),
            counters: Counters::default(),
            words: Words::default(),
            troubles: Troubles::default(),
            asked: Asked::default(),
            pieces: Pieces::default(),
            streams: diameter::Streams::default(),
            table: Table::new(limits),
            join: Join::default(),
            collector: Collector::default(),
        }
    }

    /// Conversations so far, and how many of them were evicted.
    pub fn flows(&self) -> (u64, u64) {
        (self.table.flows, self.table.evicted)
    }

    /// Conversations that go on.
    pub fn open(&self) -> impl Iterator<Item = &Flow> {
        self.table.open()
    }

    /// Datagrams of which pieces were missing.
    pub fn incomplete(&self) -> u64 {
        self.pieces.lost.saturating_add(self.pieces.waiting())
    }

    /// The next frame.
    pub fn frame(&mut self, frame: &Frame<'_>, each: Each<'_>) {
        self.content(frame, ip(frame.link, frame.bytes).and_then(datagram).as_ref(), Inside::default(), each);
    }

    /// The same, whether or not somebody took it apart before.
    pub fn taken(&mut self, frame: &Frame<'_>, content: Content<'_>, each: Each<'_>) {
        match content {
            Content::Sealed => self.frame(frame, each),
            Content::Packet(packet, inside) => self.content(frame, Some(&packet), inside, each),
            Content::Other => self.content(frame, None, Inside::default(), each),
        }
    }

    /// A frame with the IP packet in it, and those in the tunnels of that.
    fn content<'a>(&mut self, frame: &Frame<'_>, packet: Option<&Datagram<'a>>, inside: Inside<'a>, each: Each<'_>) {
        self.counters.packets = self.counters.packets.saturating_add(1);
        self.counters.bytes = self.counters.bytes.saturating_add(frame.length.into());
        match packet {
            Some(packet) => self.packet(packet, inside, None, frame, each),
            None => match substation::read(frame.link, frame.bytes) {
                Some(message) => {
                    self.counters.published = self.counters.published.saturating_add(1);
                    self.publishers.hear(&message, frame.at);
                }
                None => self.counters.undecoded = self.counters.undecoded.saturating_add(1),
            },
        }
    }

    /// The next record.
    pub fn record(&mut self, record: &Record, each: Each<'_>) {
        let owner = self.sessions.of_addresses(record.key.client, record.key.server, record.start);
        if let Owner::Session(id, way) = owner
            && let Some(session) = self.sessions.get_mut(id)
        {
            let (up, down) = if way == Way::Up { (&record.up, &record.down) } else { (&record.down, &record.up) };
            session.packets = session.packets.saturating_add(up.packets).saturating_add(down.packets);
            session.bytes_up = session.bytes_up.saturating_add(up.bytes);
            session.bytes_down = session.bytes_down.saturating_add(down.bytes);
            session.met(record.start, record.end);
        }
        let sessions = &mut self.sessions;
        // Most records are of networks of which no session is known.
        if sessions.is_empty() {
            return self.table.record(record, owner, (&self.asked, &self.words), each);
        }
        self.table.record(record, owner, (&self.asked, &self.words), &mut |event, words| {
            tally(sessions, &event);
            each(event, words);
        });
    }

    /// A datagram in which a router exports records; gives what is wrong with it.
    pub fn export(
        &mut self,
        from: netflow::From,
        bytes: &[u8],
        heard: Option<Micros>,
        number: u64,
        each: Each<'_>,
    ) -> Option<&'static str> {
        let mut collector = std::mem::take(&mut self.collector);
        let read = collector.read(from, bytes, heard, number, &mut |record| self.record(record, each));
        self.counters.records = self.counters.records.saturating_add(read.records);
        self.counters.untemplated = collector.untemplated();
        self.counters.sampled = collector.sampled;
        self.collector = collector;
        read.trouble
    }

    /// What a line says of a conversation that is told of elsewhere.
    pub fn told(&mut self, id: Uid, told: Told, each: Each<'_>) {
        for record in self.join.put(id, told) {
            self.record(&record, each);
        }
    }

    /// Adds to what was told of a conversation, if something was.
    pub fn adds(&mut self, id: &Uid, names: &Names) {
        self.join.adds(id, names);
    }

    /// A record of which other lines may have said something.
    pub fn joined(&mut self, id: Uid, mut record: Record, each: Each<'_>) {
        if let Some(told) = self.join.take(&id) {
            record.names.fill(&told.names);
        }
        self.record(&record, each);
    }

    /// A name led whoever asked to an address.
    pub fn named(&mut self, client: Addr, server: Addr, name: Word) {
        self.asked.put(client, server, name);
    }

    /// A question that a record tells of, its answer, or both.
    pub fn looked_up(&mut self, mut lookup: Lookup<'_>, each: Each<'_>) {
        if let Owner::Session(id, Way::Up) = self.sessions.of_addresses(lookup.client, lookup.server, lookup.at) {
            lookup.session = Some(id);
        }
        each(Event::Lookup(&lookup), &self.words);
    }

    /// A packet and those in its tunnels, whose it is where a tunnel around it said so.
    fn packet<'a>(&mut self, packet: &Datagram<'a>, mut inside: Inside<'a>, owner: Option<Owner>, frame: &Frame<'_>, each: Each<'_>) {
        if packet.piece.is_some() && !packet.cut {
            let whole = self.pieces.put(packet, (frame.at, frame.number), owner);
            self.broken(each);
            if let Some((bytes, length)) = whole {
                self.packet(&packet.joined(&bytes, length), inside.joined(), owner, frame, each);
            }
            return;
        }
        if let Some((teid, inner)) = &inside.next(packet) {
            // A tunnel in a tunnel is also a conversation of whoever has the outer one.
            if let Some(owner) = owner {
                self.converse(packet, owner, true, frame, each);
            }
            let end = End { at: packet.dst, teid: *teid };
            let owner = owner.unwrap_or_else(|| self.tunnelled(end, inner, frame.at));
            self.packet(inner, inside, Some(owner), frame, each);
            return;
        }
        let tunnelled = owner.is_some();
        let owner = owner.unwrap_or_else(|| {
            self.signalling(frame.at, packet);
            let owner = self.sessions.of_addresses(packet.src, packet.dst, frame.at);
            self.count(owner, packet, frame.at);
            owner
        });
        let may_export = !tunnelled && packet.proto == proto::UDP && netflow::is_version(packet.leading);
        if may_export && netflow::is_export(packet.dst_port, packet.payload) {
            let trouble = self.export(netflow::From::Addr(packet.src), packet.payload, Some(frame.at), frame.number, each);
            if let Some(what) = trouble {
                self.troubles.put(frame.number, what);
            }
        }
        self.converse(packet, owner, tunnelled, frame, each);
    }

    /// Counts a packet for its conversation.
    fn converse(&mut self, packet: &Datagram<'_>, owner: Owner, tunnelled: bool, frame: &Frame<'_>, each: Each<'_>) {
        let dns = dns::is_port(packet.src_port) || dns::is_port(packet.dst_port);
        let query = if dns && !packet.payload.is_empty() { self.asked_for(packet, owner, (frame.at, frame.number), each) } else { None };
        let mut known = Known { words: &mut self.words, asked: &self.asked, query, tunnelled };
        let sessions = &mut self.sessions;
        self.table.packet(packet, frame.at, frame.number, owner, &mut known, &mut |event, words| {
            tally(sessions, &event);
            each(event, words);
        });
    }

    /// Tells of pieces that will not come whole.
    fn broken(&mut self, each: Each<'_>) {
        for (mut broken, owner) in self.pieces.broken.drain(..) {
            let owner = owner.unwrap_or_else(|| self.sessions.of_addresses(broken.src, broken.dst, broken.at));
            if let Owner::Session(id, Way::Up) = owner {
                broken.session = Some(id);
            }
            each(Event::Broken(&broken), &self.words);
        }
    }

    /// Counts a packet for its session.
    fn count(&mut self, owner: Owner, packet: &Datagram<'_>, at: Micros) {
        let Owner::Session(id, way) = owner else { return };
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.packets = session.packets.saturating_add(1);
        session.met(at, at);
        let bytes = if way == Way::Up { &mut session.bytes_up } else { &mut session.bytes_down };
        *bytes = bytes.saturating_add(packet.length.into());
    }

    /// Time passes, and nothing came.
    pub fn pass(&mut self, at: Micros, each: Each<'_>) {
        let sessions = &mut self.sessions;
        self.table.advance(at, &self.words, &mut |event, words| {
            tally(sessions, &event);
            each(event, words);
        });
    }

    /// The end of the trace.
    pub fn finish(&mut self, each: Each<'_>) {
        for record in self.join.rest() {
            self.record(&record, each);
        }
        self.pieces.finish();
        self.broken(each);
        let sessions = &mut self.sessions;
        self.table.finish(&self.words, &mut |event, words| {
            tally(sessions, &event);
            each(event, words);
        });
    }

    fn tunnelled(&mut self, end: End, packet: &Datagram<'_>, at: Micros) -> Owner {
        let owner = self.sessions.of_tunnel(end, packet.src, packet.dst, at);
        let counters = &mut self.counters;
        counters.tunnelled = counters.tunnelled.saturating_add(1);
        match owner {
            Owner::Session(..) => {}
            Owner::Nobody => counters.unattributed = counters.unattributed.saturating_add(1),
            Owner::Stranger(..) => {
                counters.unattributed = counters.unattributed.saturating_add(1);
                counters.strangers = counters.strangers.saturating_add(1);
            }
        }
        self.count(owner, packet, at);
        owner
    }

    fn signalling(&mut self, at: Micros, packet: &Datagram<'_>) {
        let on = |port: u16| packet.src_port == port || packet.dst_port == port;
        let Datagram { src, dst, payload, .. } = *packet;
        if packet.proto != proto::UDP {
            if !self.streams.concerns(packet) {
                return;
            }
            let mut streams = std::mem::take(&mut self.streams);
            streams.take(packet, &mut |m| self.hear(at, src, dst, &m));
            self.streams = streams;
        } else if on(GTP_C) {
            match payload.first().map(|b| b >> 5) {
                Some(1) => gtp1::read(payload, src).iter().for_each(|m| self.hear(at, src, dst, m)),
                Some(2) => gtp2::read(payload).iter().for_each(|m| self.hear(at, src, dst, m)),
                _ => {}
            }
        } else if on(pfcp::PORT) {
            pfcp::read(payload).iter().for_each(|m| self.hear(at, src, dst, m));
        } else if radius::PORTS.into_iter().any(on) {
            radius::read(payload, packet.src_port, packet.dst_port).iter().for_each(|m| self.hear(at, src, dst, m));
        }
    }

    /// The name that a message of DNS is about. An answer says which addresses it has, to whoever asked.
    fn asked_for(&mut self, packet: &Datagram<'_>, owner: Owner, (at, frame): (Micros, u64), each: Each<'_>) -> Option<Word> {
        // Over TCP its length stands before it (RFC 1035, 4.2.2); one that takes several segments is not put together.
        let message = dns::read(if packet.proto == proto::TCP { packet.payload.get(2..)? } else { packet.payload })?;
        let (client, server) = if message.answer.is_some() { (packet.dst, packet.src) } else { (packet.src, packet.dst) };
        let session = match owner {
            Owner::Session(id, way) => ((way == Way::Down) == message.answer.is_some()).then_some(id),
            Owner::Nobody | Owner::Stranger(..) => None,
        };
        let Message { kind, answer, .. } = message;
        let lookup =
            Lookup { client, server, session, at, frame, name: &message.name, kind, asks: answer.is_none(), answer, addrs: &message.addrs };
        each(Event::Lookup(&lookup), &self.words);
        let word = self.words.keep(&message.name)?;
        for addr in message.addrs {
            self.asked.put(client, addr, word);
        }
        Some(word)
    }

    fn hear(&mut self, at: Micros, from: Addr, to: Addr, message: &crate::cellular::Message) {
        self.counters.signalling = self.counters.signalling.saturating_add(1);
        self.sessions.hear(at, from, to, message);
    }
}

/// Counts a conversation for its session once it is over: whose it is may become known on the way.
fn tally(sessions: &mut Sessions, event: &Event<'_>) {
    if let Event::End(flow, _) = event
        && let Some(session) = flow.session.and_then(|id| sessions.get_mut(id))
    {
        session.flows = session.flows.saturating_add(1);
    }
}
