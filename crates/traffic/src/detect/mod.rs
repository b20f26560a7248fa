//! Detectors: conversations in, alerts out.
//!
//! A detector sees what happens to conversations ([`Event`]) and nothing else: no file, no store, no clock. It holds a bounded state,
//! says what it needs to see, and where that was not to be seen it says so instead of nothing. The same tests are made of every
//! module, whoever made it.

mod alert;
pub mod beacon;
mod brute;
mod cleartext;
mod cloud;
mod core_abuse;
mod ddos;
mod dns;
mod echo;
mod fota;
mod happened;
mod identity;
mod inbound;
mod listed;
mod long;
mod messaged;
mod mining;
pub(crate) mod near;
mod novel;
mod ntp;
mod reached;
mod reflection;
mod scan;
mod sieve;
mod silence;
mod span;
mod spoofed;
mod stats;
mod stream;
mod strobe;
mod target;
mod whose;
mod within;

pub use alert::{Alert, Ends, Reason, Stake, Subject, Term};

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

use umbilical_core::observation::Basis;

pub(crate) use self::happened::Met;
use self::happened::{Hears, Waiting, of_record};
use self::span::Span;
pub(crate) use self::whose::Whose;
use crate::cellular::sessions::Sessions;
use crate::flow::{Event, Flow, Why};
use crate::learn::{Gather, Lesson, Memory, Now, Past};
use crate::lists::{Expected, Indicators, Messages, Scope, To};
use crate::names::Words;
use crate::packet::{Addr, Bits};
use crate::places::{Operators, Place};
use crate::time::Micros;

/// What a detector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The code of its findings.
    pub code: &'static str,
    /// Counted up when the same conversations may give another answer.
    pub version: u32,
    /// What it cannot do without, for people.
    pub needs: &'static str,
    /// How its findings are known.
    pub basis: Basis,
}

/// What detectors are told beside what happens.
#[derive(Debug, Default)]
pub struct Given {
    /// Beacons are scored as RITA does.
    pub rita: bool,
    /// Whose endpoints are known by their names.
    pub operators: Operators,
    /// What others have listed.
    pub indicators: Indicators,
    /// What is expected here.
    pub expected: Expected,
    /// Short messages on record.
    pub messages: Messages,
    /// What other traces taught.
    pub memory: Memory,
    /// What makes hashes of subscriptions in it another's business to undo.
    pub key: Vec<u8>,
    /// What was known when this trace began, and what it came to: both are there at its end.
    pub past: Past,
    /// See above.
    pub now: Now,
    /// Where addresses are that detectors asked for, as far as a database says it.
    pub places: BTreeMap<Addr, Place>,
    /// How often lists were read: what was found in them before may no longer be there.
    pub read: u32,
}

impl Given {
    /// Whether it was written down that something is not to be told.
    fn allows(&self, alert: &Alert, sessions: &Sessions) -> bool {
        let who = |scope: &Scope| match alert.subject {
            Subject::Session(id) => sessions.get(id).is_some_and(|session| scope.has(session)),
            Subject::Host(addr) => scope.has_addr(addr),
        };
        let to = match (&alert.ends, &alert.peer) {
            (Ends::Peer, Some(peer)) => To::Peer(peer),
            (Ends::All(ends), _) => To::All(ends),
            (Ends::Peer, None) | (Ends::More, _) => To::Unknown,
        };
        self.expected.allows(alert.about.code, who, to, alert.last).is_some()
    }
}

/// A trace that is over.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    /// Names that were met.
    pub words: &'a Words,
    /// The modules on the network.
    pub sessions: &'a Sessions,
}

/// One that looks for one thing.
trait Detector: std::fmt::Debug {
    /// What it is.
    fn about(&self) -> &'static About;
    /// What happens to a conversation, of what it wants to hear of.
    fn see(&mut self, _: &Event<'_>, _: &Given, _: &Words) {}
    /// Looks for what it knows of conversations of which it is told next: what is far away comes closer while the next is looked for, where
    /// otherwise each would be waited for. What it gives means nothing.
    fn nears(&self, _: &[Met]) -> usize {
        0
    }
    /// Time has passed, and what was waited for did not come; `None`: nothing more comes at all.
    fn wait(&mut self, _: Option<Micros>) {}
    /// Another that knows the same: of those that judge a conversation when it is over. It is shown those that go on as if they were.
    fn copy(&self) -> Option<Box<dyn Detector>> {
        None
    }
    /// What was found so far. It is asked for while a trace goes on, again and again.
    fn found(&self, given: &Given, trace: Trace<'_>) -> Vec<Alert>;
    /// What it could and could not look at so far.
    fn tally(&self, given: &Given, trace: Trace<'_>) -> Tally;
    /// Both: some come to one by way of the other.
    fn both(&self, given: &Given, trace: Trace<'_>) -> (Vec<Alert>, Tally) {
        (self.found(given, trace), self.tally(given, trace))
    }
    /// Addresses of which it wants to be told where they are, as far as that matters to it.
    fn asks(&self, _: &Given) -> Vec<Addr> {
        Vec::new()
    }
    /// What it wants to hear of.
    fn hears(&self) -> Hears {
        Hears::ALL
    }
    /// Whether it was given what it cannot do without.
    fn is_given(&self, _: &Given) -> bool {
        true
    }
}

/// Conversations of records of which detectors are told together.
const WAITING: usize = 256;

type New = fn(&Given) -> Box<dyn Detector>;

/// Every detector. The order is that in which they are listed.
const ALL: &[New] = &[
    |_| Box::new(scan::Scan::default()),
    |given| Box::new(beacon::Beacon::new(given.rita)),
    |_| Box::new(dns::Tunnel::default()),
    |_| Box::new(dns::Dga::default()),
    |_| Box::new(listed::Listed::default()),
    |_| Box::new(identity::Identity),
    |_| Box::new(core_abuse::CoreAbuse::default()),
    |_| Box::new(within::Within::default()),
    |_| Box::new(reached::FromOutside::default()),
    |_| Box::new(cloud::Cloud::default()),
    |_| Box::new(fota::Fota::default()),
    |_| Box::new(mining::Mining::default()),
    |_| Box::new(stream::Stream::default()),
    |_| Box::new(cleartext::Cleartext::default()),
    |_| Box::new(ddos::Flood::default()),
    |_| Box::new(reflection::Reflection::default()),
    |_| Box::new(spoofed::Spoofed::default()),
    |_| Box::new(echo::Echo::default()),
    |_| Box::new(ntp::Ntp::default()),
    |_| Box::new(brute::Brute::default()),
    |_| Box::new(strobe::Strobe::default()),
    |_| Box::new(long::Long::default()),
    |_| Box::new(novel::Novel),
    |_| Box::new(inbound::Control),
    |_| Box::new(silence::Quiet),
    |_| Box::new(messaged::Woken::default()),
];

/// What a detector could and could not look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Conversations that it judged.
    pub judged: u64,
    /// Conversations that it would have judged, had their source seen what it needs.
    pub blind: u64,
    /// Of whom or what it had to forget, because there was too much at once.
    pub forgotten: u64,
    /// Of how many modules it still learns what is usual, and of how many in all; `None`: it does not learn.
    pub learning: Option<(u64, u64)>,
}

/// What one of them came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came {
    /// What it is.
    pub about: &'static About,
    /// Whether it was given what it needs.
    pub given: bool,
    /// What it looked at.
    pub tally: Tally,
    /// Alerts.
    pub alerts: u64,
    /// Alerts that are not told, for what they are about is allowed.
    pub allowed: u64,
}

/// The detectors of a trace.
#[derive(Debug)]
pub struct Detectors {
    all: Vec<(Hears, Box<dyn Detector>)>,
    given: Given,
    gather: Gather,
    /// Before which trace and time [`Given::past`] was.
    past_of: Option<(String, Micros)>,
    /// What records told and they were not told yet.
    waiting: Waiting,
}

impl Detectors {
    /// All of them.
    pub fn new(given: Given) -> Self {
        let all = ALL.iter().map(|new| new(&given)).map(|one| (one.hears(), one)).collect();
        Self { all, given, gather: Gather::default(), past_of: None, waiting: Waiting::default() }
    }

    /// What they are given, to change it: it counts for what happens from now on.
    pub fn given(&mut self, words: &Words) -> &mut Given {
        self.tell(words);
        &mut self.given
    }

    /// What happens to a conversation.
    pub fn see(&mut self, event: &Event<'_>, words: &Words) {
        if let Some((what, flow, why)) = of_record(event) {
            if self.waiting.takes(what, flow, why) {
                return;
            }
            if self.waiting.len() >= WAITING {
                self.tell(words);
            }
            self.waiting.put(what, flow, why);
            return;
        }
        self.tell(words);
        let what = Hears::of(event);
        for (_, detector) in self.all.iter_mut().filter(|(hears, _)| hears.is(what)) {
            detector.see(event, &self.given, words);
        }
        self.gather.see(event, words);
    }

    /// Tells them what waits.
    fn tell(&mut self, words: &Words) {
        let any = self.waiting.any();
        for (hears, detector) in self.all.iter_mut().filter(|(hears, _)| hears.is(any)) {
            for few in self.waiting.few() {
                // Nothing depends on it, and yet it is to be done.
                black_box(detector.nears(few.flows));
                few.each(*hears, |event| detector.see(&event, &self.given, words));
            }
        }
        for few in self.waiting.few() {
            black_box(self.gather.nears(few.flows));
            few.each(Hears::ALL, |event| self.gather.see(&event, words));
        }
        self.waiting.clear();
    }

    /// The first conversation so far and the last.
    pub fn range(&self) -> Option<(Micros, Micros)> {
        self.waiting.over().fold(self.gather.range(), |range, flow| {
            let (first, last) = range.unwrap_or((flow.start, flow.last));
            Some((first.min(flow.start), last.max(flow.last)))
        })
    }

    /// Learns what the trace taught so far, under the hash that names it and those of its inputs: detectors that learn judge by that from
    /// now on. `place` says where an address is.
    pub fn learn(&mut self, (name, inputs): (&str, Vec<Box<str>>), trace: Trace<'_>, place: &mut dyn FnMut(Addr) -> Option<Place>) {
        self.tell(trace.words);
        let given = &mut self.given;
        given.now = self.gather.now((trace.words, trace.sessions), (&given.operators, &given.key), place);
        (given.now.lesson.trace, given.now.lesson.inputs) = (name.into(), inputs);
        let begin = given.now.lesson.begin;
        // It is the same each time, and may be long.
        if self.past_of.as_ref().is_none_or(|(of, at)| (&**of, *at) != (name, begin)) {
            given.past = given.memory.before(name, begin);
            self.past_of = Some((name.to_owned(), begin));
        }
        self.locate(&[], place);
    }

    /// What was last learnt.
    pub fn into_lesson(self) -> Lesson {
        self.given.now.lesson
    }

    /// Each of them, or what stands in for it.
    fn standing<'a>(&'a self, instead: &'a [Option<Box<dyn Detector>>]) -> impl Iterator<Item = &'a dyn Detector> {
        self.all.iter().enumerate().map(|(n, (_, one))| instead.get(n).and_then(Option::as_ref).unwrap_or(one).as_ref())
    }

    /// Looks up the addresses whose place they ask for.
    fn locate(&mut self, instead: &[Option<Box<dyn Detector>>], place: &mut dyn FnMut(Addr) -> Option<Place>) {
        let asked: BTreeSet<Addr> = self.standing(instead).flat_map(|one| one.asks(&self.given)).collect();
        self.given.places = asked.into_iter().filter_map(|addr| Some((addr, place(addr)?))).collect();
    }

    /// Nothing more happened until this time of the trace: the same as [`Detectors::finish`], so far. `open`: conversations that go on.
    /// `place` says where an address is.
    pub fn so_far<'f>(
        &mut self,
        at: Micros,
        trace: Trace<'_>,
        open: impl Iterator<Item = &'f Flow>,
        place: &mut dyn FnMut(Addr) -> Option<Place>,
    ) -> (Vec<Alert>, Vec<Came>) {
        self.tell(trace.words);
        self.all.iter_mut().for_each(|(_, detector)| detector.wait(Some(at)));
        let mut open = open.peekable();
        let mut copies: Vec<_> = self.all.iter().map(|(_, one)| open.peek().and_then(|_| one.copy())).collect();
        for flow in open {
            let event = Event::End(flow, Why::Trace);
            let what = Hears::of(&event);
            for ((hears, _), copy) in self.all.iter().zip(&mut copies) {
                if let Some(copy) = copy.as_mut().filter(|_| hears.is(what)) {
                    copy.see(&event, &self.given, trace.words);
                }
            }
        }
        self.locate(&copies, place);
        self.found(trace, &copies)
    }

    /// What they found, the worst first, and what each came to. Detectors that learn judge by what was last learnt.
    pub fn finish(&mut self, trace: Trace<'_>) -> (Vec<Alert>, Vec<Came>) {
        if self.past_of.is_none() {
            self.learn(("", Vec::new()), trace, &mut |_| None);
        }
        self.tell(trace.words);
        self.all.iter_mut().for_each(|(_, detector)| detector.wait(None));
        self.found(trace, &[])
    }

    /// What was found by each, or by what stands in for it.
    fn found(&self, trace: Trace<'_>, instead: &[Option<Box<dyn Detector>>]) -> (Vec<Alert>, Vec<Came>) {
        let (mut alerts, mut came) = (Vec::new(), Vec::new());
        for detector in self.standing(instead) {
            let (found, tally) = detector.both(&self.given, trace);
            let mut found = merged(found);
            let all = found.len();
            found.retain(|alert| !self.given.allows(alert, trace.sessions));
            let allowed = all.saturating_sub(found.len()) as u64;
            came.push(Came { about: detector.about(), given: detector.is_given(&self.given), tally, alerts: found.len() as u64, allowed });
            alerts.extend(found);
        }
        alerts.sort_by(|a, b| a.worst_first(b));
        (alerts, came)
    }
}

/// What one did again after some quiet is one alert: its worst, of these the longest, from the first to the last.
fn merged(mut alerts: Vec<Alert>) -> Vec<Alert> {
    alerts.sort_by(|a, b| {
        let key = |x: &'_ Alert| (x.first, x.at, x.last, x.flows);
        (a.subject, &a.peer).cmp(&(b.subject, &b.peer)).then_with(|| key(a).cmp(&key(b))).then_with(|| a.reason.did.cmp(&b.reason.did))
    });
    let mut out: Vec<Alert> = Vec::new();
    for group in alerts.chunk_by(|a, b| (a.subject, &a.peer) == (b.subject, &b.peer)) {
        let Some(worst) = group.iter().max_by_key(|a| (a.severity, a.flows, std::cmp::Reverse(a.first))) else { continue };
        let mut one = worst.clone();
        if let [first, .., last] = group {
            one.reason.more.push(format!("So it was {} times, with quiet between; the worst is told", group.len()));
            (one.first, one.at, one.last) = (first.first, first.at, last.last);
            one.flows = group.iter().fold(0, |sum: u64, a| sum.saturating_add(a.flows));
            one.ends = group.iter().skip(1).fold(first.ends.clone(), |ends, a| ends.and(&a.ends));
        }
        out.push(one);
    }
    out
}

/// Addresses that speak to many at once, or to whoever is on the same link: nobody is singled out by them (RFC 1112, 3927, 4291).
pub(crate) fn for_many(addr: Addr) -> bool {
    match addr.bits() {
        // 224.0.0.0/4, 169.254.0.0/16, all ones, none, and the last of a network.
        Bits::V4(bits) => bits >> 28 == 0xe || bits >> 16 == 0xa9fe || bits == 0 || bits & 0xff == 255,
        // ff00::/8, fe80::/10, and none.
        Bits::V6(bits) => bits >> 120 == 0xff || bits >> 118 == 0x3fa || bits == 0,
    }
}

/// Addresses of networks of one's own, and of subscribers behind a carrier's translation (RFC 1918, 6598, 4193): an answer of who is on
/// this side, where nothing else is known.
pub(crate) fn is_inside(addr: Addr) -> bool {
    match addr.bits() {
        // 10.0.0.0/8 and 127.0.0.0/8, 192.168.0.0/16, 172.16.0.0/12, 100.64.0.0/10.
        Bits::V4(bits) => matches!(bits >> 24, 10 | 127) || bits >> 16 == 0xc0a8 || bits >> 20 == 0xac1 || bits >> 22 == 0x191,
        // fc00::/7, fe80::/10, and oneself.
        Bits::V6(bits) => bits >> 121 == 0x7e || bits >> 118 == 0x3fa || bits == 1,
    }
}

/// An address with its port.
fn with_port(addr: Addr, port: u16) -> String {
    std::net::SocketAddr::new(addr.ip(), port).to_string()
}

/// Whose conversation it is: the session's where the module began it, else that of the address that did.
fn who(flow: &Flow) -> Subject {
    Whose::of(flow).subject()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the standard library has it.
    #[test]
    fn who_is_inside_and_who_is_many() {
        use std::net::IpAddr;
        let texts = [
            "9.255.255.254",
            "10.0.0.0",
            "10.255.1.254",
            "11.0.0.1",
            "100.63.1.1",
            "100.64.0.0",
            "100.127.9.9",
            "100.128.0.1",
            "126.1.1.1",
            "127.0.0.1",
            "128.0.0.1",
            "169.253.1.1",
            "169.254.0.1",
            "169.255.0.1",
            "172.15.1.1",
            "172.16.0.1",
            "172.31.9.9",
            "172.32.0.1",
            "192.167.1.1",
            "192.168.1.1",
            "192.169.0.1",
            "223.1.1.1",
            "224.0.0.1",
            "239.9.9.9",
            "240.0.0.1",
            "255.255.255.255",
            "0.0.0.0",
            "192.0.2.255",
            "::",
            "::1",
            "::2",
            "fbff::1",
            "fc00::1",
            "fdff::1",
            "fe00::1",
            "fe7f::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::ff",
            "::ffff:10.1.1.1",
            "64:ff9b::a01:101",
        ];
        for text in texts {
            let ip: IpAddr = text.parse::<IpAddr>().unwrap().to_canonical();
            let (inside, many) = match ip {
                IpAddr::V4(ip) => (
                    ip.is_private() || ip.is_loopback() || matches!(ip.octets(), [100, 64..128, ..]),
                    ip.is_multicast() || ip.is_broadcast() || ip.is_unspecified() || ip.is_link_local() || ip.octets()[3] == 255,
                ),
                IpAddr::V6(ip) => (
                    ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
                    ip.is_multicast() || ip.is_unspecified() || ip.is_unicast_link_local(),
                ),
            };
            assert_eq!((is_inside(ip.into()), for_many(ip.into())), (inside, many), "{text}");
            assert_eq!(Addr::from(ip).is_v4(), ip.is_ipv4(), "{text}");
        }
    }

    #[test]
    fn every_detector_has_its_code() {
        let codes: Vec<&str> = ALL.iter().map(|new| new(&Given::default()).about().code).collect();
        assert_eq!(codes, umbilical_core::finding::DETECTED);
    }
}
