//! `scan`: first contacts, most of which fail.
//!
//! Whoever knows whom it wants to speak to is mostly answered; whoever looks for something is mostly not. The first contact with each
//! pair of address and port is one trial of a sequential test (threshold random walk: Jung, Paxson, Berger, Balakrishnan, *Fast
//! Portscan Detection Using Sequential Hypothesis Testing*, IEEE S&P 2004), which weighs answers against silence. Beside it stands the
//! plain count: so many addresses, or ports of one address, within a minute, most of them without an answer; echoes to many addresses;
//! and segments of TCP that no program sends that wants to speak.
//!
//! What cannot be told is left out: a TCP conversation whose beginning was not seen, ICMP that is no echo, addresses of many.

use std::collections::VecDeque;
use std::hash::BuildHasher as _;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashMap, HashSet, HashTable};
use indexmap::IndexMap;
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::sieve::Over;
use super::{
    About, Alert, Detector, Ends, Given, Hears, Met, Reason, Subject, Tally, Term, Trace, Whose, for_many, is_inside, near, reflection,
};
use crate::flow::{Event, Flow, Key, Seen};
use crate::names::Words;
use crate::packet::{Addr, Flags, proto};
use crate::time::Micros;

const ABOUT: About = About { code: "scan", version: 4, needs: "whether a conversation was answered", basis: Basis::Inferred };

/// A window of counting.
const WINDOW: Micros = Micros::seconds(60);
/// An answer comes within so long, or counts as none.
const PATIENCE: Micros = Micros::seconds(3);
/// Behind so much quiet it is over.
const QUIET: Micros = Micros::seconds(600);
/// Chances of an answer of those who know whom they want (0.8) and those who look (0.2): one trial moves the odds fourfold.
const STEP: f64 = 1.386_294_361_119_890_6;
/// ln((1 − 0.01) / 0.001): one false alarm of a thousand, one miss of a hundred.
const ENOUGH: f64 = 6.897_704_943_128_636;
/// The test alone does not say it of fewer failures: five services that are down are no scan.
const FAILURES: u32 = 10;
/// Addresses in a window.
const HOSTS: usize = 30;
/// Ports of one address in a window.
const PORTS: usize = 50;
/// Share of contacts without an answer.
const SHARE: f64 = 0.6;
/// Ports on which programs of all kinds speak to services of everybody (DNS, HTTP, NTP, TLS, STUN, XMPP, push, MQTT): contacts there are
/// no trials of the test, only counted.
const CLOUDS: [u16; 13] = [53, 80, 123, 443, 853, 993, 1883, 3478, 5222, 5223, 5228, 8443, 8883];
/// Addresses in a window where most contacts are to those.
const CLOUD_HOSTS: usize = 120;
/// Contacts with odd flags.
const ODD: u32 = 3;
/// Addresses that echoes went to in a window, and the share without an answer: who keeps watch over its own hosts is mostly answered.
const SWEPT: usize = 15;
const SWEPT_SHARE: f64 = 0.2;
/// Contacts that are remembered of one that begins them, and of all.
const KEPT: usize = 4096;
const KEPT_IN_ALL: usize = 1 << 20;
/// Room for so many is kept from one window to the next.
const FEW: usize = 28;
/// Who is remembered at once.
const PROBERS: usize = 1 << 16;
/// Contacts whose answer is awaited at once.
const AWAITED: usize = 512;
/// Ports that worms of the Mirai family and its heirs try (CISA TA16-288A; Antonakakis et al., USENIX Security 2017; Netlab 360).
const WORMS: [u16; 12] = [23, 2323, 5555, 7547, 8080, 8181, 37215, 37777, 52869, 60001, 81, 49152];

/// A first contact.
#[derive(Clone, Copy, Debug)]
struct Contact {
    key: Key,
    at: Micros,
    frame: u64,
    /// Its flags are those of no program that wants to speak: nothing set, or an end before a beginning.
    odd: bool,
    /// It was to somebody on this side.
    inwards: bool,
}

/// Contacts of one kind.
#[derive(Debug, Default)]
struct Count {
    /// Those that failed, those whose flags are odd, and all.
    failed: u32,
    odd: u32,
    tried: u32,
    /// Apart, for of most there are none: who is answered fails at nothing.
    those: Option<Box<Those>>,
}

/// Contacts that count.
#[derive(Debug)]
struct Those {
    /// Their addresses, and how often each port did.
    hosts: HashSet<Addr>,
    ports: HashMap<u16, u32>,
    first: Contact,
    last: Contact,
}

impl Count {
    /// Counts an outcome; what it was about where that counts.
    fn outcome(&mut self, contact: Contact, answered: bool, counts: bool) {
        self.tried = self.tried.saturating_add(1);
        self.failed = self.failed.saturating_add((!answered).into());
        if !counts {
            return;
        }
        self.odd = self.odd.saturating_add(contact.odd.into());
        let those = self
            .those
            .get_or_insert_with(|| Box::new(Those { hosts: HashSet::new(), ports: HashMap::new(), first: contact, last: contact }));
        those.last = contact;
        if those.hosts.len() < KEPT {
            those.hosts.insert(contact.key.server);
        }
        if those.ports.len() < KEPT || those.ports.contains_key(&contact.key.server_port) {
            let port = those.ports.entry(contact.key.server_port).or_default();
            *port = port.saturating_add(1);
        }
    }

    /// Addresses of those that count.
    fn hosts(&self) -> usize {
        self.those.as_ref().map_or(0, |those| those.hosts.len())
    }

    /// Whether a minute of it is a scan.
    fn is_many(&self) -> bool {
        let Some(those) = &self.those else { return false };
        let (hosts, ports) = (those.hosts.len(), those.ports.len());
        if (hosts < HOSTS && ports < PORTS) || self.share() < SHARE {
            return false;
        }
        let clouds: u32 = those.ports.iter().filter(|(port, _)| CLOUDS.contains(port)).map(|(_, n)| *n).sum();
        hosts >= CLOUD_HOSTS || clouds.saturating_mul(2) < self.failed
    }

    fn share(&self) -> f64 {
        f64::from(self.failed) / f64::from(self.tried.max(1))
    }
}

/// One who begins conversations.
#[derive(Debug)]
struct Prober {
    /// When the window began.
    window: Micros,
    /// The last contact.
    last: Micros,
    /// Numbers of every pair that was contacted in this window or since suspicion began ([`Scan::number`]).
    met: HashTable<u64>,
    /// Contacts whose answer is awaited, in the order of their times.
    awaited: VecDeque<Contact>,
    /// Odds that it looks, as a logarithm; never below 0.
    odds: f64,
    /// Since they were last 0: contacts that failed.
    probes: Count,
    /// In this window: contacts that failed, and every echo.
    minute: Count,
    echoes: Count,
    /// When it was enough.
    told: Option<Told>,
}

/// Which count was enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Odds,
    Minute,
    Echoes,
}

/// When it was enough, and by what.
#[derive(Clone, Copy, Debug)]
struct Told {
    at: Micros,
    by: By,
}

/// See above.
#[derive(Debug, Default)]
pub(super) struct Scan {
    hasher: DefaultHashBuilder,
    /// Most of them are one spoofed address, so that the table itself is kept small.
    probers: IndexMap<Whose, Box<Prober>, DefaultHashBuilder>,
    /// Sum of their `met`.
    kept: usize,
    over: Over,
    /// The conversation that has just begun with its answer.
    at_once: Option<Key>,
    tally: Tally,
}

impl Prober {
    fn new(at: Micros) -> Self {
        Self {
            window: at,
            last: at,
            met: HashTable::new(),
            awaited: VecDeque::new(),
            odds: 0.0,
            probes: Count::default(),
            minute: Count::default(),
            echoes: Count::default(),
            told: None,
        }
    }

    /// Whether nothing is suspected.
    fn is_clear(&self) -> bool {
        self.told.is_none() && self.odds <= 0.0
    }

    /// The outcome of a first contact.
    fn outcome(&mut self, contact: Contact, answered: bool) {
        let by = if matches!(contact.key.proto, proto::ICMP | proto::ICMPV6) {
            self.echoes.outcome(contact, answered, true);
            (self.echoes.hosts() >= SWEPT && self.echoes.share() >= SWEPT_SHARE).then_some(By::Echoes)
        } else {
            self.probe(contact, answered)
        };
        if let (Some(by), None) = (by, self.told) {
            self.told = Some(Told { at: contact.at, by });
        }
    }

    fn probe(&mut self, contact: Contact, answered: bool) -> Option<By> {
        self.minute.outcome(contact, answered, !answered);
        let many = (!answered && self.minute.is_many()).then_some(By::Minute);
        // Who is not suspected and is answered is not suspected.
        if answered && self.is_clear() {
            return many;
        }
        // Where the way out is down all of these fail at once.
        if CLOUDS.contains(&contact.key.server_port) {
            return many;
        }
        self.probes.outcome(contact, answered, !answered);
        if !answered {
            self.odds += STEP;
            let sure = self.odds >= ENOUGH && self.probes.failed >= FAILURES || self.probes.odd >= ODD;
            return sure.then_some(By::Odds).or(many);
        }
        self.odds = (self.odds - STEP).max(0.0);
        if self.odds <= 0.0 && self.told.is_none() {
            // What led to no suspicion is no longer needed.
            self.probes = Count::default();
        }
        None
    }

    /// Awaits the answer of a contact; most are newer than all before.
    fn awaits(&mut self, contact: Contact) {
        let newer = self.awaited.back().is_none_or(|last| last.at <= contact.at);
        let at = if newer { self.awaited.len() } else { self.awaited.partition_point(|c| c.at <= contact.at) };
        self.awaited.insert(at, contact);
    }

    /// Takes the contact by which a conversation began, if its answer is still awaited.
    fn awaited(&mut self, flow: &Flow) -> Option<Contact> {
        let from = self.awaited.partition_point(|c| c.at < flow.start);
        let mut then = self.awaited.range(from..).take_while(|c| c.at == flow.start);
        let at = match then.position(|c| c.key == flow.key) {
            Some(behind) => from.saturating_add(behind),
            // Others may have told of it that it began earlier.
            None if flow.seen != Seen::PACKETS => self.awaited.iter().rposition(|c| c.key == flow.key)?,
            None => return None,
        };
        self.awaited.remove(at)
    }

    /// Counts what waited for too long as unanswered.
    fn settle(&mut self, now: Micros) {
        while let Some(contact) = self.awaited.pop_front_if(|c| now.since(c.at) > PATIENCE) {
            self.outcome(contact, false);
        }
    }

    fn alert(&self, subject: Subject) -> Option<Alert> {
        let told = self.told?;
        let count = match told.by {
            By::Odds => &self.probes,
            By::Minute => &self.minute,
            By::Echoes => &self.echoes,
        };
        let echoes = told.by == By::Echoes;
        // Of hosts of one's own the first may all be off: what is answered later clears it.
        if echoes && count.share() < SWEPT_SHARE {
            return None;
        }
        let Those { hosts: to, ports: on, first, last } = &**count.those.as_ref()?;
        let worms: u32 = on.iter().filter(|(p, _)| WORMS.contains(p)).map(|(_, n)| *n).sum();
        let worm = worms >= FAILURES && u64::from(worms).saturating_mul(3) >= u64::from(count.failed) && on.len() > 1;
        let (hosts, ports) = (to.len(), on.len());
        // Behind so many they are no longer told apart.
        let more_of_them = if hosts.max(ports) >= KEPT { " and more" } else { "" };
        let unanswered = format!("{} of {} contacts without an answer", count.failed, count.tried);
        let did = match (hosts, ports) {
            (h, _) if echoes => format!("sent echoes to {h}{more_of_them} addresses, {unanswered}"),
            (1, p) => format!("tried {p}{more_of_them} ports of one address, {unanswered}"),
            (h, 1) => format!("tried port {} of {h}{more_of_them} addresses, {unanswered}", on.keys().next().copied().unwrap_or_default()),
            (h, p) => format!("tried {p} ports of {h}{more_of_them} addresses, {unanswered}"),
        };
        let mut more = Vec::new();
        if worm {
            more.push(format!("{worms} of them went to ports that worms of the Mirai family try"));
        }
        if count.odd > 0 {
            more.push(format!(
                "{} contacts have flags of no program that wants to speak (none at all, or an end before a beginning)",
                count.odd
            ));
        }
        let module = matches!(subject, Subject::Session(_));
        // Whoever has an address that is reached is looked for all day, by many whom nobody here can stop.
        let outside = first.inwards && matches!(subject, Subject::Host(addr) if !is_inside(addr));
        if outside {
            more.push("It comes from outside, as it does to everybody who is reached from there".to_owned());
        }
        let peer = to.iter().next().filter(|_| hosts == 1).map(|addr| addr.ip().to_string());
        let (many, share) = if echoes { (SWEPT, SWEPT_SHARE) } else { (HOSTS, SHARE) };
        let mut terms = vec![
            Term { term: "hosts", value: hosts as f64, threshold: many as f64 },
            Term { term: "failed_share", value: count.share(), threshold: share },
        ];
        if !echoes {
            terms.push(Term { term: "ports", value: ports as f64, threshold: PORTS as f64 });
            terms.push(Term { term: "odds", value: self.odds, threshold: ENOUGH });
            terms.push(Term { term: "odd_flags", value: count.odd.into(), threshold: ODD.into() });
        }
        Some(Alert {
            about: &ABOUT,
            subject,
            peer,
            ends: if hosts == 1 { Ends::Peer } else { Ends::of(to, hosts >= KEPT) },
            severity: match outside {
                true => Severity::Info,
                false if module || worm => Severity::High,
                false => Severity::Medium,
            },
            // The test's own certainty; of what is only counted, that of the test at its least.
            score: 1.0 - (-self.odds.max(ENOUGH)).exp(),
            terms,
            reason: Reason {
                did,
                more,
                remedies: vec![
                    "Let the device reach only what it needs (its learnt destinations), and drop the rest at the gateway".to_owned(),
                    "Look at the device: what runs on it, and who can sign in".to_owned(),
                ],
                clears_when: "It is known who looks for what (an inventory scan of your own), or no such contacts come for a week"
                    .to_owned(),
                stake: None,
            },
            threats: &["disruption"],
            first: first.at,
            at: told.at,
            last: last.at,
            flows: count.tried.into(),
            frames: (first.frame, last.frame),
        })
    }
}

/// Whether a conversation is a trial: its beginning was seen, and it could be answered.
fn is_contact(flow: &Flow) -> bool {
    // Who asked for a name knows whom it wants, also where nobody is there.
    if for_many(flow.key.server) || for_many(flow.key.client) || flow.names.dns.is_some() {
        return false;
    }
    match flow.key.proto {
        // What begins with an acknowledgement began before, and with a reset it is an echo of somebody else's. A record tells the whole
        // of it at once.
        proto::TCP if flow.seen == Seen::PACKETS => !flow.up.flags.any(Flags::ACK | Flags::RST) && flow.up.packets > 0,
        proto::TCP => true,
        proto::ICMP | proto::ICMPV6 => flow.key.server_port == 0,
        // An answer whose question was not seen, or was never asked.
        proto::UDP => !reflection::is_reply(flow),
        proto::SCTP => true,
        _ => false,
    }
}

impl Scan {
    /// A number of whom a conversation is with: of those that one contacts two have the same too seldom to matter.
    fn number(&self, flow: &Flow) -> u64 {
        self.hasher.hash_one((flow.key.server, flow.key.server_port))
    }

    fn start(&mut self, flow: &Flow) {
        if !is_contact(flow) {
            return;
        }
        let (whose, pair) = (Whose::of(flow), self.number(flow));
        if self.probers.len() >= PROBERS && !self.probers.contains_key(&whose) || self.kept >= KEPT_IN_ALL {
            self.make_room(flow.start);
        }
        let prober = self.probers.entry(whose).or_insert_with(|| Box::new(Prober::new(flow.start)));
        let quiet = flow.start.since(prober.last) > QUIET;
        if quiet {
            prober.settle(flow.start);
            self.tally.forgotten = self.tally.forgotten.saturating_add(self.over.put(prober.alert(whose.subject())));
            self.kept = self.kept.saturating_sub(prober.met.len());
            **prober = Prober::new(flow.start);
        }
        if flow.start.since(prober.window) > WINDOW {
            prober.window = flow.start;
            prober.settle(flow.start);
            if prober.told.is_none() {
                (prober.minute, prober.echoes) = (Count::default(), Count::default());
            }
            // Those who are not suspected begin anew.
            if prober.is_clear() {
                self.kept = self.kept.saturating_sub(prober.met.len());
                if prober.met.capacity() > FEW {
                    prober.met = HashTable::new();
                }
                prober.met.clear();
            }
        }
        prober.last = prober.last.max(flow.start);
        prober.settle(flow.start);
        if prober.met.len() < KEPT {
            let Entry::Vacant(new) = prober.met.entry(pair, |met| *met == pair, |met| *met) else { return };
            new.insert(pair);
            self.kept = self.kept.saturating_add(1);
        } else if prober.told.is_none() {
            // So many in a minute, and most of them answered.
            return;
        }
        self.tally.judged = self.tally.judged.saturating_add(1);
        if prober.awaited.len() >= AWAITED {
            // So many at once without an answer: the oldest will have none.
            let oldest = prober.awaited.pop_front();
            oldest.into_iter().for_each(|oldest| prober.outcome(oldest, false));
        }
        let answered = flow.seen != Seen::PACKETS && flow.heard() == Some(true);
        let odd = flow.key.proto == proto::TCP && flow.seen == Seen::PACKETS && !flow.up.flags.any(Flags::SYN | Flags::ACK | Flags::RST);
        let contact =
            Contact { key: flow.key, at: flow.start, frame: flow.first_frame, odd, inwards: flow.inbound || is_inside(flow.key.server) };
        if answered {
            // Of a record that is known from its beginning, and is told right behind it.
            prober.outcome(contact, true);
            self.at_once = Some(flow.key);
        } else {
            prober.awaits(contact);
        }
    }

    fn answer(&mut self, flow: &Flow, answered: Option<bool>) {
        if self.at_once.take().is_some_and(|key| key == flow.key) {
            return;
        }
        let Some(prober) = self.probers.get_mut(&Whose::of(flow)) else { return };
        let Some(contact) = prober.awaited(flow) else { return };
        let Some(answered) = answered else {
            self.tally.judged = self.tally.judged.saturating_sub(1);
            self.tally.blind = self.tally.blind.saturating_add(1);
            return;
        };
        prober.outcome(contact, answered);
    }

    /// Lets go of those who are not suspected and have been quiet, then of any who are not suspected.
    fn make_room(&mut self, now: Micros) {
        let (before, mut gone) = (self.probers.len(), 0_u64);
        for clear_only_old in [true, false] {
            let over = &mut self.over;
            self.probers.retain(|whose, p| {
                // What waited for too long decides before it is let go.
                p.settle(now);
                let old = now.since(p.last) > WINDOW;
                if p.told.is_some() && old {
                    gone = gone.saturating_add(over.put(p.alert(whose.subject())));
                }
                if clear_only_old { !old } else { p.told.is_some() }
            });
            self.kept = self.probers.values().map(|p| p.met.len()).sum();
            if self.probers.len() < PROBERS / 4 * 3 && self.kept < KEPT_IN_ALL / 4 * 3 {
                break;
            }
        }
        // Suspects all: what each of them met is known well enough.
        if self.kept >= KEPT_IN_ALL / 4 * 3 {
            self.probers.values_mut().for_each(|p| p.met = HashTable::new());
            self.kept = 0;
        }
        let gone = gone.saturating_add(before.saturating_sub(self.probers.len()) as u64);
        self.tally.forgotten = self.tally.forgotten.saturating_add(gone);
    }
}

impl Detector for Scan {
    fn hears(&self) -> Hears {
        Hears::START.and(Hears::ANSWERED).and(Hears::END)
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, _: &Given, _: &Words) {
        match event {
            Event::Start(flow) => self.start(flow),
            Event::Answered(flow) => self.answer(flow, Some(true)),
            Event::Joined(_) | Event::Active(_) | Event::Lookup(_) | Event::Broken(_) => {}
            // What was answered was told before.
            Event::End(flow, _) if flow.heard() == Some(true) => {}
            Event::End(flow, _) => self.answer(flow, flow.heard()),
        }
    }

    fn nears(&self, some: &[Met]) -> usize {
        let keys = near::each(some, |(flow, _)| is_contact(flow).then(|| Whose::of(flow)));
        let probers = near::about(&self.probers, &keys);
        // Each of its lines of memory first, then what they lead to.
        let lines = probers.iter().flatten().map(|p| p.awaited.len() ^ p.minute.tried as usize ^ p.window.0 as usize);
        let lines = lines.fold(0, |all, line| all ^ line);
        let mut met = [None; near::NEAR];
        for ((met, prober), (flow, _)) in met.iter_mut().zip(probers).zip(some) {
            *met = prober.and_then(|prober| prober.met.find(self.number(flow), |_| true));
        }
        met.into_iter().flatten().fold(lines, |all, met| all ^ *met as usize)
    }

    fn wait(&mut self, until: Option<Micros>) {
        self.probers.values_mut().for_each(|prober| prober.settle(until.unwrap_or(Micros(i64::MAX))));
    }

    fn found(&self, _: &Given, _: Trace<'_>) -> Vec<Alert> {
        let going_on = self.probers.iter().filter_map(|(whose, prober)| prober.alert(whose.subject()));
        self.over.all().into_iter().chain(going_on).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logs of several sources come a little out of order, and clocks are set back.
    #[test]
    fn what_is_awaited_stands_in_the_order_of_its_times() {
        let contact = |at: i64, port: u16| {
            let [client, server] = [[192, 0, 2, 1], [198, 51, 100, 7]].map(Addr::v4);
            let key = Key { client, server, client_port: port, server_port: 9, proto: proto::TCP };
            Contact { key, at: Micros::seconds(at), frame: 1, odd: false, inwards: false }
        };
        let mut prober = Prober::new(Micros(0));
        for (at, port) in [(10, 1), (14, 2), (12, 3), (14, 4), (11, 5), (12, 6)] {
            prober.awaits(contact(at, port));
        }
        let ports: Vec<u16> = prober.awaited.iter().map(|c| c.key.client_port).collect();
        assert_eq!(ports, [1, 5, 3, 6, 2, 4]);
        // Behind three seconds none comes any more.
        prober.settle(Micros::seconds(15));
        assert_eq!((prober.awaited.len(), prober.minute.failed), (4, 2));
        prober.settle(Micros::seconds(16));
        assert_eq!((prober.awaited.len(), prober.minute.failed, prober.minute.tried), (2, 4, 4));
    }
}
