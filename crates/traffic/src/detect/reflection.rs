//! `reflection`: answers of services that answer with more than they are asked, at somebody who asked nothing.
//!
//! Whoever floods an address with a name that is not its own asks others under that address, and they answer it. Two ends of that can be
//! seen: an address **is hit** by answers to questions that it never sent, from services that are known to be used so; and a device
//! **answers** such questions from outside with ten times their bytes. Answers within a network of one's own are left out: there one
//! asks all at once, and each answers.

use hashbrown::{HashMap, HashSet};
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::sieve::{Over, Sieve, Sum, digest, mix};
use super::target::{Rule, Sent, Target, WINDOW};
use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Subject, Tally, Term, Trace, for_many, is_inside};
use crate::cellular::sessions::Id;
use crate::flow::{Event, Flow, Seen};
use crate::names::Words;
use crate::packet::{Addr, proto};
use crate::time::Micros;

const ABOUT: About = About { code: "reflection", version: 2, needs: "how many bytes each way had", basis: Basis::Observed };

/// Services over UDP that answer with more than they are asked, or are used as if (CISA TA14-017A; Rossow, NDSS 2014; and who is hit):
/// chargen, QOTD, echo, DNS, TFTP, portmap, NTP, NetBIOS, SNMP, CLDAP, IKE, SLP, RIP, MSSQL, SSDP, OpenVPN, ARMS, STUN, WS-Discovery,
/// IKE behind NAT, SIP, CoAP, mDNS, LLMNR, XDMCP, Ubiquiti, Jenkins, memcached, Plex, DVRs, BACnet.
const SERVICES: [u16; 33] = [
    7, 17, 19, 53, 69, 111, 123, 137, 161, 177, 389, 427, 500, 520, 1194, 1434, 1900, 3283, 3478, 3702, 4500, 5060, 5093, 5353, 5355, 5683,
    10001, 11211, 20811, 32414, 33848, 37810, 47808,
];

/// Packets that nobody asked for, in a second and over five.
const HITS: u32 = 100;
const HITS_IN_WINDOW: u64 = 1000;
/// From so many addresses at least, unless each sends very much.
const SOURCES: u64 = 5;
/// How much larger answers are than questions, in all.
const RATIO: u64 = 10;
/// Bytes that are answered to outside within a minute.
const BYTES: u64 = 20_000;
const MINUTE: Micros = Micros::seconds(60);
/// From where an address is kept.
const KEEP: u64 = 30;
/// Addresses at once.
const TARGETS: usize = 4096;
/// Those who are answered that are told apart.
const ASKERS: usize = 64;

/// Whether it is an answer as it seems: from such a service to none.
pub(super) fn is_reply(flow: &Flow) -> bool {
    let Flow { key, .. } = flow;
    key.proto == proto::UDP && SERVICES.contains(&key.client_port) && !SERVICES.contains(&key.server_port)
}

/// What an address answers to others.
#[derive(Debug)]
struct Answers {
    session: Option<Id>,
    begin: Micros,
    window: Micros,
    /// In this window: bytes asked, bytes answered.
    asked: u64,
    answered: u64,
    first_frame: u64,
    last_frame: u64,
    last: Micros,
    /// The most of a window, as above, and when it was enough.
    most: (u64, u64),
    told: Option<Micros>,
    flows: u64,
    to: Addr,
    /// Who was answered, and whether there were others.
    askers: HashSet<Addr>,
    more: bool,
}

/// See above.
#[derive(Debug)]
pub(super) struct Reflection {
    hits: Sieve,
    packets: Sieve,
    answers: Sieve,
    targets: HashMap<Addr, Box<Target>>,
    devices: HashMap<(Subject, u16), Answers>,
    over: Over,
    /// When there was last no room, of those who are hit and of those who answer.
    full: Option<Micros>,
    full_of_devices: Option<Micros>,
    tally: Tally,
}

impl Default for Reflection {
    fn default() -> Self {
        Self {
            hits: Sieve::new(Micros::seconds(1)),
            packets: Sieve::new(WINDOW),
            answers: Sieve::new(MINUTE),
            targets: HashMap::new(),
            devices: HashMap::new(),
            over: Over::default(),
            full: None,
            full_of_devices: None,
            tally: Tally::default(),
        }
    }
}

const RULE: Rule = Rule { contacts: HITS, seconds: 1, packets: HITS_IN_WINDOW };

impl Reflection {
    /// Whether it is an answer that may hit somebody.
    fn hits(flow: &Flow) -> bool {
        let key = flow.key;
        let within = is_inside(key.client) && is_inside(key.server);
        is_reply(flow) && !within && !for_many(key.server) && !for_many(key.client)
    }

    fn start(&mut self, flow: &Flow) {
        if flow.key.proto != proto::UDP {
            return;
        }
        if flow.answered().is_none() || !flow.seen.has(Seen::COUNTS) {
            self.tally.blind = self.tally.blind.saturating_add(1);
            return;
        }
        self.tally.judged = self.tally.judged.saturating_add(1);
        if !Self::hits(flow) || flow.answered() == Some(true) {
            return;
        }
        let sum = self.hits.add(digest(flow.key.server), flow.start, flow.first_frame, 1);
        if sum.weight <= KEEP && !self.targets.contains_key(&flow.key.server) {
            return;
        }
        if let Some(target) = self.target(flow, Sum { weight: sum.weight.saturating_sub(1), ..sum }, false) {
            target.contact(flow);
        }
    }

    fn went_on(&mut self, flow: &Flow) {
        if flow.key.proto != proto::UDP || flow.answered().is_none() {
            return;
        }
        if SERVICES.contains(&flow.key.server_port) {
            return self.answer(flow);
        }
        let (up, down, time) = flow.fresh();
        if up < 20 || down > 0 || !Self::hits(flow) {
            return;
        }
        let weight = u64::from(up).saturating_mul(5_000_000) / u64::try_from(time.0).unwrap_or_default().max(5_000_000);
        let sent = Sent::of(flow, up.into());
        let sum = self.packets.add(digest(flow.key.server), sent.since, sent.frame, weight);
        if sum.weight < HITS_IN_WINDOW / 4 && !self.targets.contains_key(&flow.key.server) {
            return;
        }
        if let Some(target) = self.target(flow, Sum { weight: sum.weight.saturating_sub(weight), ..sum }, true) {
            target.volume(&sent, weight);
        }
    }

    fn target(&mut self, flow: &Flow, sum: Sum, packets: bool) -> Option<&mut Target> {
        let to = flow.key.server;
        let rests = self.full.is_none_or(|full| flow.last.since(full) >= Micros::seconds(1));
        if rests && self.targets.len() >= TARGETS && !self.targets.contains_key(&to) {
            self.full = Some(flow.last);
            let before = self.targets.len();
            self.targets.retain(|_, target| !target.is_idle(flow.last));
            if self.targets.len() >= TARGETS {
                self.targets.retain(|_, target| target.hot.is_some());
            }
            self.tally.forgotten = self.tally.forgotten.saturating_add(before.saturating_sub(self.targets.len()) as u64);
        }
        if self.targets.get(&to).is_some_and(|target| target.ends(flow.last)) {
            let before = self.targets.remove(&to)?;
            let gone = self.over.put(hit(to, &before));
            self.tally.forgotten = self.tally.forgotten.saturating_add(gone);
        }
        if self.targets.len() >= TARGETS && !self.targets.contains_key(&to) {
            return None;
        }
        let target = self.targets.entry(to).or_insert_with(|| Box::new(Target::new(RULE, sum, packets)));
        target.session = target.session.or(flow.session.filter(|_| flow.inbound));
        Some(target)
    }

    /// What a device answered to one who is outside.
    fn answer(&mut self, flow: &Flow) {
        let (up, down, _) = flow.fresh();
        let inside = is_inside(flow.key.server) || flow.session.is_some() && flow.inbound;
        if down == 0 || !inside || is_inside(flow.key.client) || for_many(flow.key.client) {
            return;
        }
        // Headers of IP and UDP have 28 bytes at least.
        let mean = |half: &crate::flow::Half| {
            let bytes =
                if flow.seen.has(Seen::PAYLOAD) { half.payload } else { half.bytes.saturating_sub(half.packets.saturating_mul(28)) };
            bytes / half.packets.max(1)
        };
        let asked = mean(&flow.up).max(1).saturating_mul(up.max(1).into());
        let answered = mean(&flow.down).saturating_mul(down.into());
        let subject = if flow.inbound { flow.session.map(Subject::Session) } else { None }.unwrap_or(Subject::Host(flow.key.server));
        let of = (subject, flow.key.server_port);
        let sum = self.answers.add(mix(digest(flow.key.server) ^ u64::from(of.1)), flow.last, flow.last_frame, answered);
        if sum.weight < BYTES / 4 && !self.devices.contains_key(&of) || answered < asked && !self.devices.contains_key(&of) {
            return;
        }
        if self.devices.len() >= TARGETS && !self.devices.contains_key(&of) {
            if self.full_of_devices.is_none_or(|full| flow.last.since(full) >= Micros::seconds(1)) {
                self.full_of_devices = Some(flow.last);
                let before = self.devices.len();
                self.devices.retain(|_, answers| answers.told.is_some());
                self.tally.forgotten = self.tally.forgotten.saturating_add(before.saturating_sub(self.devices.len()) as u64);
            }
            if self.devices.len() >= TARGETS {
                self.tally.forgotten = self.tally.forgotten.saturating_add(1);
                return;
            }
        }
        let device = self.devices.entry(of).or_insert_with(|| Answers {
            session: flow.session,
            begin: flow.start,
            window: flow.last,
            asked: 0,
            answered: 0,
            first_frame: flow.first_frame,
            last_frame: flow.last_frame,
            last: flow.last,
            most: (0, 0),
            told: None,
            flows: 0,
            to: flow.key.client,
            askers: HashSet::new(),
            more: false,
        });
        device.take(flow, asked, answered);
    }
}

impl Answers {
    fn take(&mut self, flow: &Flow, asked: u64, answered: u64) {
        if flow.last.since(self.window) >= MINUTE {
            (self.window, self.asked, self.answered) = (flow.last, 0, 0);
        }
        if self.told.is_none() && self.asked == 0 {
            (self.begin, self.first_frame, self.flows) = (flow.start, flow.first_frame, 0);
            (self.askers, self.more) = (HashSet::new(), false);
        }
        if self.askers.len() < ASKERS {
            self.askers.insert(flow.key.client);
        } else {
            self.more |= !self.askers.contains(&flow.key.client);
        }
        self.asked = self.asked.saturating_add(asked);
        self.answered = self.answered.saturating_add(answered);
        self.flows = self.flows.saturating_add(1);
        if self.answered >= BYTES && self.answered >= self.asked.saturating_mul(RATIO) {
            self.told.get_or_insert(flow.last);
            if self.answered > self.most.1 {
                (self.most, self.to) = ((self.asked, self.answered), flow.key.client);
            }
        }
        if self.told.is_some() && flow.last >= self.last {
            (self.last, self.last_frame) = (flow.last, flow.last_frame);
        }
    }

    fn alert(&self, subject: Subject, port: u16) -> Option<Alert> {
        let at = self.told?;
        let (asked, answered) = self.most;
        let ratio = answered as f64 / asked.max(1) as f64;
        Some(Alert {
            about: &ABOUT,
            subject,
            peer: Some(format!("UDP port {port}")),
            ends: Ends::of(&self.askers, self.more),
            severity: if self.session.is_some() { Severity::High } else { Severity::Medium },
            score: 1.0 - 0.5 * RATIO as f64 / ratio.max(RATIO as f64),
            terms: vec![
                Term { term: "answered_by_asked", value: ratio, threshold: RATIO as f64 },
                Term { term: "bytes_in_a_minute", value: answered as f64, threshold: BYTES as f64 },
            ],
            reason: Reason {
                did: format!(
                    "answered {asked} bytes of questions to its port {port} with {answered} bytes within a minute, last to {}, {ratio:.0} times as much",
                    self.to.ip()
                ),
                more: Vec::new(),
                remedies: vec![
                    format!("Close port {port} of the device to everybody outside, or let it answer only those who need it"),
                    "Limit at the gateway how much a device may answer in a second".to_owned(),
                ],
                clears_when: "Whoever asked is known and asked for it, or the port no longer answers from outside".to_owned(),
                stake: None,
            },
            threats: &["disruption"],
            first: self.begin,
            at,
            last: self.last,
            flows: self.flows,
            frames: (self.first_frame, self.last_frame),
        })
    }
}

/// Of whom answers hit that it never asked for.
fn hit(to: Addr, target: &Target) -> Option<Alert> {
    let hot = target.hot?;
    let (sources, _) = target.spread();
    if hot.contacts && sources < SOURCES {
        return None;
    }
    let senders = target.senders();
    let ours = |subject: &Subject| matches!(subject, Subject::Session(_)) || matches!(subject, Subject::Host(addr) if is_inside(*addr));
    let name = to.ip();
    // Where one of ours answers, it is told of that one.
    let (subject, peer, did) = match senders.iter().find(|(subject, _)| ours(subject)) {
        Some((subject, count)) => {
            let did = format!("sent {count} answers of services that answer with much to {name}, which did not ask");
            (*subject, Some(name.to_string()), did)
        }
        None => {
            let whom = target.session.map_or(Subject::Host(to), Subject::Session);
            let did = format!("was sent {} answers by about {sources} addresses, for which it did not ask", target.packets);
            let peer = match senders.as_slice() {
                [(Subject::Host(addr), _)] if sources == 1 => Some(addr.ip().to_string()),
                _ => None,
            };
            (whom, peer, did)
        }
    };
    let inside = target.session.is_some() || is_inside(to) || ours(&subject);
    Some(Alert {
        about: &ABOUT,
        subject,
        peer,
        ends: Ends::Peer,
        severity: if inside { Severity::High } else { Severity::Medium },
        score: 1.0 - 0.5 * f64::from(HITS) / target.peak.max(HITS.into()) as f64,
        terms: vec![
            Term { term: "packets_per_second", value: target.peak as f64, threshold: HITS.into() },
            Term { term: "addresses", value: sources as f64, threshold: SOURCES as f64 },
        ],
        reason: Reason {
            did: format!("{did}, up to {} in a second, {} bytes in all", target.peak, target.bytes),
            more: Vec::new(),
            remedies: vec![
                "Drop at the gateway datagrams from ports of such services that answer nothing".to_owned(),
                "Ask whoever brings the traffic to drop it before the link".to_owned(),
            ],
            clears_when: "It is known who asked in its name, or nothing like it comes for a day".to_owned(),
            stake: None,
        },
        threats: &["disruption"],
        first: hot.first,
        at: hot.at,
        last: hot.last,
        flows: target.begun.max(1),
        frames: (hot.frame, target.last_frame),
    })
}

impl Detector for Reflection {
    fn hears(&self) -> Hears {
        Hears::START.and(Hears::ANSWERED).and(Hears::ACTIVE).and(Hears::END).of_only(Hears::UDP)
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, _: &Given, _: &Words) {
        match event {
            Event::Start(flow) => self.start(flow),
            Event::Answered(flow) if flow.key.proto == proto::UDP && !self.targets.is_empty() => {
                if let Some(target) = self.targets.get_mut(&flow.key.server).filter(|_| flow.seen == Seen::PACKETS) {
                    target.joined(flow);
                }
            }
            Event::Active(flow) | Event::End(flow, _) => self.went_on(flow),
            _ => {}
        }
    }

    fn wait(&mut self, until: Option<Micros>) {
        self.targets.values_mut().for_each(|target| target.wait(until));
    }

    fn found(&self, _: &Given, _: Trace<'_>) -> Vec<Alert> {
        let mut out = self.over.all();
        for (to, target) in &self.targets {
            out.extend(hit(*to, target));
        }
        out.extend(self.devices.iter().filter_map(|((subject, port), answers)| answers.alert(*subject, *port)));
        out
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
