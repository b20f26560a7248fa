//! `flood`: more is sent to one address than anybody could want there, and nothing comes of it.
//!
//! Two things are counted for each address. **Contacts**: conversations that begin in a second and come to nothing, by segments of TCP
//! that begin one (a SYN whose answer is never taken up, or a segment of no conversation) and by datagrams that nobody answers. And
//! **packets** of conversations that go on, five seconds at a time, where nobody answers them: datagrams, echoes, the same SYN again and
//! again, pieces that never come whole. What is answered, and TCP that both take part in, is no flood however much it is: a download,
//! a backup, a test of speed. Neither is what goes on as it did before.
//!
//! Many addresses that send to one are one incident, told of whom it meets; those who send a twentieth of it or more are named.

use hashbrown::HashMap;
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::sieve::{Over, Sieve, digest, mix};
use super::target::{Rule, Sent, Target, WINDOW};
use super::{About, Alert, Detector, Ends, Given, Reason, Subject, Tally, Term, Trace, for_many, is_inside, reflection};
use crate::flow::{Broken, Event, Flow, Seen};
use crate::names::Words;
use crate::packet::{Addr, Flags, proto};
use crate::time::Micros;

const ABOUT: About =
    About { code: "ddos-source", version: 1, needs: "how much was sent, and whether it was answered", basis: Basis::Inferred };

/// Contacts in a second that come to nothing, and packets in a second over five of them.
const RATE: u32 = 200;
/// Against how much was usual before.
const USUAL: u64 = 100;
/// So long something must have gone on to be usual.
const LONG: Micros = Micros::seconds(30);
/// Segments of TCP that belong to no conversation are many at once where a capture begins: they count when they go on for so many seconds.
const STRAY_SECONDS: u32 = 3;
/// Of a hundred packets that are sent less than one comes back.
const ANSWERED: u32 = 100;
/// From where an address is kept: contacts in a second, packets in five.
const KEEP: u64 = 64;
const KEEP_PACKETS: u64 = 250;
/// Fewer packets of a conversation in five seconds are no part of it.
const FEW: u64 = 20;
/// Addresses at once.
const TARGETS: usize = 4096;
/// One who looks for open ports meets each once or twice; who floods meets them again, or sends much.
const PORTS: u64 = 32;
const PER_PORT: u64 = 3;
const LOOKERS: u64 = 10;
const HEAVY: u64 = 256;
/// Modules that all call a service that is gone call it a few times each.
const CALLERS: u64 = 20;
const PER_CALLER: u64 = 5;
/// Ports to which programs send without an answer ever (IANA): logs, traps, records of flows, samples, measures.
const ONE_WAY: [u16; 10] = [162, 514, 2055, 4739, 6343, 8125, 9995, 9996, 12201, 2056];
/// Those, one-way pictures and errors of ICMP count a tenth.
const TENTH: u32 = 10;
/// A fleet that reports: so many addresses that come again, each at most so often in a minute, with about as much in each second for so
/// long. Addresses that are made up do not come again. More than so many are not counted well enough to tell.
const FLEET: u64 = 100;
const FLEET_MOST: u64 = 40_000;
const OFTEN: u64 = 2;
const STEADY: Micros = Micros::seconds(120);
/// Pairs of addresses that spoke over TCP are remembered: one may have asked the other to send.
const INVITED: usize = 1 << 14;
/// For so long.
const INVITATION: Micros = Micros::seconds(3600);

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Class {
    /// Segments that begin a conversation, or end what did not begin.
    Opening,
    /// Segments of none.
    Stray,
    Datagram,
    /// Datagrams to a port at which nothing ever answers.
    Report,
    Echo,
    Other,
}

impl Class {
    fn of(number: u8, port: u16) -> Self {
        match number {
            proto::TCP => Self::Opening,
            proto::UDP if ONE_WAY.contains(&port) => Self::Report,
            proto::UDP => Self::Datagram,
            proto::ICMP | proto::ICMPV6 => Self::Echo,
            _ => Self::Other,
        }
    }

    fn of_flow(flow: &Flow) -> Self {
        let flags = flow.up.flags;
        let stray = flow.key.proto == proto::TCP && flags.any(Flags::ACK) && !flags.any(Flags::SYN | Flags::RST);
        if stray { Self::Stray } else { Self::of(flow.key.proto, flow.key.server_port) }
    }

    fn rule(self) -> Rule {
        let seconds = if self == Self::Stray { STRAY_SECONDS } else { 1 };
        let contacts = if self == Self::Report { RATE.saturating_mul(TENTH) } else { RATE };
        Rule { contacts, seconds, packets: u64::from(contacts).saturating_mul(5) }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Opening => "openings of TCP",
            Self::Stray => "segments of no conversation of TCP",
            Self::Datagram | Self::Report => "datagrams of UDP",
            Self::Echo => "packets of ICMP",
            Self::Other => "packets of IP",
        }
    }
}

/// See above.
#[derive(Debug)]
pub(super) struct Flood {
    contacts: Sieve,
    packets: Sieve,
    targets: HashMap<(Addr, Class), Box<Target>>,
    /// By a digest of the pair: which, and when they last spoke over TCP.
    invited: Vec<(u64, Micros)>,
    over: Over,
    /// When there was last no room.
    full: Option<Micros>,
    tally: Tally,
}

impl Default for Flood {
    fn default() -> Self {
        Self {
            contacts: Sieve::new(Micros::seconds(1)),
            packets: Sieve::new(WINDOW),
            targets: HashMap::new(),
            invited: vec![(0, Micros(0)); INVITED],
            over: Over::default(),
            full: None,
            tally: Tally::default(),
        }
    }
}

fn pair(a: Addr, b: Addr) -> u64 {
    // The same of either.
    mix(digest(a) ^ digest(b))
}

impl Flood {
    fn start(&mut self, flow: &Flow) {
        self.tally.judged = self.tally.judged.saturating_add(1);
        // Of a record everything is known at once.
        if flow.up.packets == 0 && flow.seen.has(Seen::COUNTS) || flow.seen != Seen::PACKETS && flow.joined() {
            return;
        }
        if flow.seen != Seen::PACKETS && flow.answered().is_none() {
            self.tally.judged = self.tally.judged.saturating_sub(1);
            self.tally.blind = self.tally.blind.saturating_add(1);
            return;
        }
        if for_many(flow.key.server) || for_many(flow.key.client) || reflection::is_reply(flow) || is_error(flow) {
            return;
        }
        let class = Class::of_flow(flow);
        let of = mix(digest(flow.key.server) ^ class as u64);
        let sum = self.contacts.add(of, flow.start, flow.first_frame, 1);
        if sum.weight <= KEEP && !self.targets.contains_key(&(flow.key.server, class)) {
            return;
        }
        if let Some(target) = self.target((flow.key.server, class), flow.start, || {
            Target::new(class.rule(), super::sieve::Sum { weight: sum.weight.saturating_sub(1), ..sum }, false)
        }) {
            target.session = target.session.or(flow.session.filter(|_| flow.inbound));
            target.contact(flow);
        }
    }

    /// It came to something.
    fn joined(&mut self, flow: &Flow) {
        if flow.key.proto == proto::TCP {
            let pair = pair(flow.key.client, flow.key.server);
            if let Some(place) = self.invited.get_mut(usize::try_from(pair >> 32).unwrap_or_default() % INVITED) {
                *place = (pair, flow.last);
            }
        }
        if self.targets.is_empty() || flow.seen != Seen::PACKETS {
            return;
        }
        let begun = flow.up.flags.any(Flags::SYN);
        let class = if flow.key.proto == proto::TCP && !begun { Class::Stray } else { Class::of(flow.key.proto, flow.key.server_port) };
        if let Some(target) = self.targets.get_mut(&(flow.key.server, class)) {
            target.joined(flow);
        }
    }

    /// What a conversation sent of late.
    fn went_on(&mut self, flow: &Flow) {
        let (up, down, time) = flow.fresh();
        let packets = u64::from(up);
        let talks = flow.key.proto == proto::TCP && flow.up.flags.any(Flags::ACK);
        if packets < FEW || talks || down.saturating_mul(ANSWERED) > up || flow.answered().is_none() {
            return;
        }
        if for_many(flow.key.server) || for_many(flow.key.client) || reflection::is_reply(flow) {
            return;
        }
        // In five seconds.
        let weight = packets.saturating_mul(5_000_000) / u64::try_from(time.0).unwrap_or_default().max(5_000_000);
        let before = flow.up.packets.saturating_sub(packets);
        let went = flow.last.since(flow.start).0.saturating_sub(time.0);
        if went >= LONG.0 && before.saturating_mul(5_000_000) / u64::try_from(went).unwrap_or(1).max(1) >= weight / USUAL {
            return;
        }
        let invited = pair(flow.key.client, flow.key.server);
        let asked = self.invited.get(usize::try_from(invited >> 32).unwrap_or_default() % INVITED);
        if asked.is_some_and(|(pair, at)| *pair == invited && flow.start.since(*at) < INVITATION) {
            return;
        }
        let class = Class::of(flow.key.proto, flow.key.server_port);
        let tenth = class == Class::Datagram && is_picture(flow) || is_error(flow);
        let weight = if tenth { weight / u64::from(TENTH) } else { weight };
        let session = flow.session.filter(|_| flow.inbound);
        self.volume(flow.key.server, class, &Sent::of(flow, packets), weight, session);
    }

    fn broken(&mut self, broken: &Broken) {
        if for_many(broken.src) || for_many(broken.dst) {
            return;
        }
        let sent = Sent {
            by: broken.session.map_or(Subject::Host(broken.src), Subject::Session),
            from: broken.src,
            port: 0,
            packets: broken.packets.into(),
            bytes: broken.bytes.into(),
            since: broken.at,
            at: broken.at,
            frame: broken.frame,
            own: broken.session.is_some(),
        };
        self.volume(broken.dst, Class::Other, &sent, sent.packets, None);
    }

    fn volume(&mut self, to: Addr, class: Class, sent: &Sent, weight: u64, session: Option<crate::cellular::sessions::Id>) {
        let sum = self.packets.add(mix(digest(to) ^ class as u64), sent.since, sent.frame, weight);
        if sum.weight < KEEP_PACKETS && !self.targets.contains_key(&(to, class)) {
            return;
        }
        let sum = super::sieve::Sum { weight: sum.weight.saturating_sub(weight), ..sum };
        if let Some(target) = self.target((to, class), sent.at, || Target::new(class.rule(), sum, true)) {
            target.session = target.session.or(session);
            target.volume(sent, weight);
        }
    }

    fn target(&mut self, of: (Addr, Class), now: Micros, new: impl Fn() -> Target) -> Option<&mut Target> {
        if self.targets.len() >= TARGETS && !self.targets.contains_key(&of) {
            // Once a second: where everything is met at once it would be done for each.
            if self.full.is_none_or(|full| now.since(full) >= Micros::seconds(1)) {
                self.full = Some(now);
                self.make_room(now);
            }
        }
        if self.targets.get(&of).is_some_and(|target| target.ends(now)) {
            let before = self.targets.remove(&of)?;
            let gone = self.over.put(alerts(of, &before));
            self.tally.forgotten = self.tally.forgotten.saturating_add(gone);
        }
        if self.targets.len() >= TARGETS && !self.targets.contains_key(&of) {
            return None;
        }
        Some(self.targets.entry(of).or_insert_with(|| Box::new(new())))
    }

    fn make_room(&mut self, now: Micros) {
        let (over, mut gone) = (&mut self.over, 0_u64);
        let before = self.targets.len();
        self.targets.retain(|of, target| {
            target.settle(now);
            if target.ends(now) {
                gone = gone.saturating_add(over.put(alerts(*of, target)));
                return false;
            }
            !target.is_idle(now)
        });
        if self.targets.len() >= TARGETS {
            self.targets.retain(|_, target| target.hot.is_some());
            gone = gone.saturating_add(before.saturating_sub(self.targets.len()) as u64);
        }
        self.tally.forgotten = self.tally.forgotten.saturating_add(gone);
    }
}

/// Errors of ICMP (RFC 792; RFC 4443, 2.1): what was sent is to blame for them.
fn is_error(flow: &Flow) -> bool {
    let kind = flow.key.server_port >> 8;
    match flow.key.proto {
        proto::ICMP => matches!(kind, 3 | 4 | 5 | 11 | 12),
        proto::ICMPV6 => matches!(kind, 1..=4),
        _ => false,
    }
}

/// Pictures and sound of one that sends them unasked are large packets of different sizes, or whole packets of MPEG (188 bytes each).
fn is_picture(flow: &Flow) -> bool {
    if !flow.seen.has(Seen::FIRSTS) || flow.up.bytes / flow.up.packets.max(1) < 300 {
        return false;
    }
    let mut sizes = flow.sizes.iter().take(flow.firsts.into());
    let Some(first) = sizes.next() else { return false };
    let carried = first.checked_rem(188).is_some_and(|rest| matches!(rest, 0 | 12));
    carried && *first > 188 || sizes.any(|size| size != first)
}

/// Whether many report by a datagram now and then, as they did for minutes.
fn is_fleet(class: Class, target: &Target) -> bool {
    let (addresses, ports) = target.spread();
    let Some(hot) = target.hot.filter(|hot| hot.contacts) else { return false };
    let lasts = target.last.since(hot.first);
    let seconds = u64::try_from(lasts.0 / 1_000_000).unwrap_or_default().max(1);
    let small = target.bytes / target.packets.max(1) < HEAVY;
    let again = target.begun.saturating_mul(2) >= addresses.saturating_mul(3);
    let seldom = target.begun <= addresses.saturating_mul(OFTEN).saturating_mul((seconds / 60).saturating_add(1));
    let steady = lasts >= STEADY && target.peak.saturating_mul(seconds) <= target.begun.saturating_mul(2);
    matches!(class, Class::Datagram | Class::Report)
        && ports <= 1
        && (FLEET..FLEET_MOST).contains(&addresses)
        && small
        && again
        && seldom
        && steady
}

/// Whether somebody looks for open ports, or many modules call what is gone.
fn is_else(class: Class, target: &Target) -> bool {
    let (addresses, ports) = target.spread();
    let per_packet = target.bytes / target.packets.max(1);
    let contacts = target.hot.is_some_and(|hot| hot.contacts);
    let looks = addresses < LOOKERS && ports > PORTS && target.begun < ports.saturating_mul(PER_PORT);
    let heavy = class == Class::Datagram && per_packet >= HEAVY;
    let calls = addresses >= CALLERS && target.begun < addresses.saturating_mul(PER_CALLER);
    let own = target.own.saturating_mul(10) >= target.begun.saturating_mul(8);
    contacts && (looks && !heavy || calls && own)
}

fn alerts((to, class): (Addr, Class), target: &Target) -> Vec<Alert> {
    let Some(hot) = target.hot else { return Vec::new() };
    if is_else(class, target) || is_fleet(class, target) {
        return Vec::new();
    }
    let (addresses, ports) = target.spread();
    let what = class.what();
    let least = class.rule().contacts;
    let name = to.ip().to_string();
    let rate = format!("up to {} in a second", target.peak);
    let share = if hot.contacts { "of which nothing came" } else { "without an answer" };
    let whom = || match target.session {
        Some(id) => Subject::Session(id),
        None => Subject::Host(to),
    };
    let mut senders = target.senders();
    let is_ours = |subject: &Subject| match subject {
        Subject::Session(_) => true,
        Subject::Host(addr) => is_inside(*addr),
    };
    let ours = target.session.is_some() || is_inside(to) || senders.iter().any(|(subject, _)| is_ours(subject));
    // Of several that are all elsewhere it is told of whom they meet.
    if senders.len() > 1 && !senders.iter().any(|(subject, _)| is_ours(subject)) {
        senders.clear();
    }
    let one = |subject, peer: Option<String>, did: String, more: Vec<String>| Alert {
        about: &ABOUT,
        subject,
        peer,
        ends: Ends::Peer,
        severity: if ours { Severity::High } else { Severity::Medium },
        // Twice the threshold is three quarters of certainty.
        score: 1.0 - 0.5 * f64::from(least) / (target.peak.max(u64::from(least)) as f64),
        terms: vec![
            Term { term: "packets_per_second", value: target.peak as f64, threshold: least.into() },
            Term { term: "addresses", value: addresses as f64, threshold: 0.0 },
            Term { term: "ports", value: ports as f64, threshold: 0.0 },
        ],
        reason: Reason {
            did,
            more,
            remedies: vec![
                "Limit at the gateway how many packets and new conversations a device may send in a second".to_owned(),
                "Drop at the gateway what comes under addresses that are not the sender's own (BCP 38)".to_owned(),
                "Look at what sends it: what runs there, and who can sign in".to_owned(),
            ],
            clears_when: "It is known what was tested with it, or nothing like it comes for a day".to_owned(),
            stake: None,
        },
        threats: &["disruption"],
        first: hot.first,
        at: hot.at,
        last: hot.last,
        flows: target.begun.max(1),
        frames: (hot.frame, target.last_frame),
    };
    if senders.is_empty() {
        let did = format!("was sent {} {what} by {} addresses, {share}, {rate}", target.packets, target.addresses());
        let more = if addresses >= 1000 {
            vec!["So many addresses with a few packets each are rather not those who send".to_owned()]
        } else {
            Vec::new()
        };
        return vec![one(whom(), None, did, more)];
    }
    let each = senders.iter().map(|(subject, count)| {
        let count = if senders.len() == 1 { target.packets } else { *count };
        let did = format!("sent {count} {what} to {name}, {share}, {rate}");
        let mut more = Vec::new();
        if senders.len() > 1 {
            more.push(format!("{} send to it at once", senders.len()));
        }
        if addresses > senders.len() as u64 * 2 {
            more.push(format!("It came under {} addresses", target.addresses()));
        }
        one(*subject, Some(name.clone()), did, more)
    });
    each.collect()
}

impl Detector for Flood {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, _: &Given, _: &Words) {
        match event {
            Event::Start(flow) => self.start(flow),
            Event::Answered(flow) if flow.key.proto != proto::TCP => self.joined(flow),
            Event::Joined(flow) => self.joined(flow),
            Event::Active(flow) | Event::End(flow, _) => self.went_on(flow),
            Event::Broken(broken) => self.broken(broken),
            Event::Answered(_) | Event::Lookup(_) => {}
        }
    }

    fn wait(&mut self, until: Option<Micros>) {
        self.targets.values_mut().for_each(|target| target.wait(until));
    }

    fn found(&self, _: &Given, _: Trace<'_>) -> Vec<Alert> {
        let mut out = self.over.all();
        for (of, target) in &self.targets {
            out.extend(alerts(*of, target));
        }
        out
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
