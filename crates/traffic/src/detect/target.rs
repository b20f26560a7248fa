//! One address to which very much is sent: how much in which second, of what came something, and by whom it was sent.
//!
//! It costs the same however much that is: senders are counted as Misra and Gries do (Science of Computer Programming 2, 1982), which
//! keeps each who sent a thirty-third or more; addresses and ports are counted roughly.

use hashbrown::HashMap;

use super::Subject;
use super::sieve::{Distinct, Sum, digest, mix};
use crate::cellular::sessions::Id;
use crate::flow::{Flow, Seen};
use crate::packet::Addr;
use crate::time::Micros;

/// From when on it is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// Contacts in a second that came to nothing.
    pub contacts: u32,
    /// How many such seconds.
    pub seconds: u32,
    /// Packets in [`WINDOW`].
    pub packets: u64,
}

/// Of ten contacts so many came to nothing.
const TENTHS: u32 = 9;
/// Packets that nobody answers are summed up so long.
pub(super) const WINDOW: Micros = Micros::seconds(5);
/// So long a contact may take to come to something; of records, which come in no order.
const PATIENCE: Micros = Micros(1_500_000);
const PATIENCE_OF_RECORDS: Micros = Micros::seconds(10);
/// Seconds that wait to be judged.
const WAIT: usize = 16;
/// Behind so much quiet it is over.
const QUIET: Micros = Micros::seconds(60);
/// Senders that are kept.
const SENDERS: usize = 32;

/// What is sent at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// Whose it is.
    pub by: Subject,
    /// From where it says that it comes.
    pub from: Addr,
    /// To which port.
    pub port: u16,
    /// In so many packets.
    pub packets: u64,
    /// In so many bytes.
    pub bytes: u64,
    /// Since when, and when it was known.
    pub since: Micros,
    /// See above.
    pub at: Micros,
    /// Number of the frame.
    pub frame: u64,
    /// Whether a module sent it under an address of its own.
    pub own: bool,
}

impl Sent {
    /// What began a conversation.
    pub(super) fn first(flow: &Flow) -> Self {
        Self { since: flow.start, at: flow.start, frame: flow.first_frame, ..Self::of(flow, flow.up.packets) }
    }

    /// What a conversation sent of late.
    pub(super) fn of(flow: &Flow, packets: u64) -> Self {
        let (by, own) = match (flow.stranger, flow.session) {
            (Some(id), _) if !flow.inbound => (Subject::Session(id), false),
            (None, Some(id)) if !flow.inbound => (Subject::Session(id), true),
            _ => (Subject::Host(flow.key.client), false),
        };
        let Flow { key, up, last, last_frame, .. } = flow;
        let bytes = up.bytes / up.packets.max(1) * packets;
        let since = Micros(last.0.saturating_sub(flow.fresh().2.min(WINDOW).0));
        Self { by, from: key.client, port: key.server_port, packets, bytes, since, at: *last, frame: *last_frame, own }
    }
}

/// Contacts of a second.
#[derive(Clone, Copy, Debug, Default)]
struct Second {
    number: i64,
    begun: u32,
    joined: u32,
    frame: u64,
}

/// Since it is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hot {
    /// What was too much first.
    pub first: Micros,
    /// Number of its frame.
    pub frame: u64,
    /// When that was known.
    pub at: Micros,
    /// The last that was too much.
    pub last: Micros,
    /// Whether contacts were too many, or packets.
    pub contacts: bool,
}

/// See above.
#[derive(Debug)]
pub(super) struct Target {
    rule: Rule,
    patience: Micros,
    base: Micros,
    seconds: [Second; WAIT],
    /// The first second that is not judged.
    next: i64,
    many: u32,
    first_many: Option<(Micros, u64)>,
    window: (Micros, u64, u64),
    senders: HashMap<Subject, u64>,
    addresses: Distinct,
    ports: Distinct,
    /// Whose the address is.
    pub session: Option<Id>,
    /// Since when it is too much.
    pub hot: Option<Hot>,
    /// Contacts that were begun, and those of modules under addresses of their own.
    pub begun: u64,
    /// See above.
    pub own: u64,
    /// Everything that was sent.
    pub packets: u64,
    /// See above.
    pub bytes: u64,
    /// The most in a second.
    pub peak: u64,
    /// The last that was sent.
    pub last: Micros,
    /// Number of its frame.
    pub last_frame: u64,
}

impl Target {
    /// From when on it is kept; what fell into its cell before is taken for its own.
    pub(super) fn new(rule: Rule, sum: Sum, packets: bool) -> Self {
        let mut new = Self {
            rule,
            patience: PATIENCE,
            base: sum.begin,
            seconds: [Second::default(); WAIT],
            next: 0,
            many: 0,
            first_many: None,
            window: (sum.begin, if packets { sum.weight } else { 0 }, sum.frame),
            senders: HashMap::new(),
            addresses: Distinct::new(128),
            ports: Distinct::new(16),
            session: None,
            hot: None,
            begun: if packets { 0 } else { sum.weight },
            own: 0,
            packets: sum.weight,
            bytes: 0,
            peak: 0,
            last: sum.begin,
            last_frame: sum.frame,
        };
        let begun = if packets { 0 } else { u32::try_from(sum.weight).unwrap_or(u32::MAX) };
        if let Some(first) = new.seconds.first_mut() {
            *first = Second { number: 0, begun, joined: 0, frame: sum.frame };
        }
        new
    }

    fn second(&self, at: Micros) -> i64 {
        at.since(self.base).0.div_euclid(1_000_000)
    }

    fn is_over(&self, now: Micros) -> bool {
        now.since(self.last) > QUIET
    }

    /// Whether it may be forgotten: nothing was too much, and it is quiet.
    pub(super) fn is_idle(&self, now: Micros) -> bool {
        self.hot.is_none() && now.since(self.last) > WINDOW.plus(self.patience)
    }

    /// Whether what was too much is over, and something new begins.
    pub(super) fn ends(&self, now: Micros) -> bool {
        self.hot.is_some() && self.is_over(now)
    }

    fn meets(&mut self, sent: &Sent) {
        self.addresses.see(digest(sent.from));
        self.ports.see(mix(sent.port.into()));
        self.packets = self.packets.saturating_add(sent.packets);
        self.bytes = self.bytes.saturating_add(sent.bytes);
        if sent.at >= self.last {
            (self.last, self.last_frame) = (sent.at, sent.frame);
        }
        if let Some(count) = self.senders.get_mut(&sent.by) {
            *count = count.saturating_add(sent.packets);
        } else if self.senders.len() < SENDERS {
            self.senders.insert(sent.by, sent.packets);
        } else {
            self.senders.values_mut().for_each(|count| *count = count.saturating_sub(sent.packets));
            self.senders.retain(|_, count| *count > 0);
        }
    }

    /// A contact begins.
    pub(super) fn contact(&mut self, flow: &Flow) {
        let sent = Sent::first(flow);
        if flow.seen != Seen::PACKETS {
            self.patience = PATIENCE_OF_RECORDS;
        }
        self.settle(sent.at);
        self.meets(&sent);
        self.begun = self.begun.saturating_add(1);
        self.own = self.own.saturating_add(sent.own.into());
        let number = self.second(sent.at);
        let Some(second) = self.place(number) else { return };
        if second.number != number || second.begun == 0 {
            *second = Second { number, begun: 0, joined: 0, frame: sent.frame };
        }
        second.begun = second.begun.saturating_add(1);
    }

    /// A contact came to something.
    pub(super) fn joined(&mut self, flow: &Flow) {
        let number = self.second(flow.start);
        if let Some(second) = self.place(number).filter(|s| s.number == number) {
            second.joined = second.joined.saturating_add(1);
        }
    }

    fn place(&mut self, number: i64) -> Option<&mut Second> {
        if number < self.next {
            return None;
        }
        self.seconds.get_mut(usize::try_from(number).unwrap_or_default() % WAIT)
    }

    /// Packets that nobody answers.
    pub(super) fn volume(&mut self, sent: &Sent, weight: u64) {
        self.settle(sent.at);
        self.meets(sent);
        // What is told of late stands for itself.
        let late = self.window.0.since(sent.since) >= WINDOW;
        if sent.since.since(self.window.0) >= WINDOW || late && weight >= self.rule.packets {
            self.window = (sent.since, 0, sent.frame);
        } else if late {
            return;
        }
        self.window.1 = self.window.1.saturating_add(weight);
        if self.window.1 >= self.rule.packets {
            self.peak = self.peak.max(self.window.1 / 5);
            self.heat((self.window.0, self.window.2), sent.at, sent.at, false);
        }
    }

    fn heat(&mut self, first: (Micros, u64), at: Micros, last: Micros, contacts: bool) {
        let hot = self.hot.get_or_insert(Hot { first: first.0, frame: first.1, at, last, contacts });
        hot.last = hot.last.max(last);
    }

    /// Judges each second whose contacts had their time.
    pub(super) fn settle(&mut self, now: Micros) {
        let to = self.second(Micros(now.0.saturating_sub(self.patience.0))).min(self.second(self.last).saturating_add(1));
        // What lies further behind has no place anymore.
        self.next = self.next.max(to.saturating_sub(WAIT as i64));
        while self.next < to {
            let (number, contacts) = (self.next, self.rule.contacts);
            let slot = self.place(number).map(|second| *second);
            self.next = self.next.saturating_add(1);
            let Some(second) = slot.filter(|s| s.number == number) else { continue };
            let nothing = second.begun.saturating_sub(second.joined);
            if nothing < contacts || nothing.saturating_mul(10) < second.begun.saturating_mul(TENTHS) {
                continue;
            }
            let begin = self.base.plus(Micros(number.saturating_mul(1_000_000)));
            self.many = self.many.saturating_add(1);
            let first = *self.first_many.get_or_insert((begin, second.frame));
            self.peak = self.peak.max(nothing.into());
            if self.many >= self.rule.seconds {
                let known = self.last.plus(self.patience.max(Micros(0)));
                self.heat(first, now.min(known), begin.plus(Micros(1_000_000)).min(self.last), true);
            }
        }
    }

    /// Nothing more came until then; `None`: nothing more comes.
    pub(super) fn wait(&mut self, until: Option<Micros>) {
        let until = until.unwrap_or_else(|| {
            self.patience = Micros(-1_000_000);
            self.last
        });
        self.settle(until);
    }

    /// Addresses and ports, about.
    pub(super) fn spread(&self) -> (u64, u64) {
        (self.addresses.count().max(1), self.ports.count().max(1))
    }

    /// How many addresses, in words.
    pub(super) fn addresses(&self) -> String {
        self.addresses.told()
    }

    /// Those who sent a twentieth or more, the most first, where together they sent half; else whoever it was hides among many.
    pub(super) fn senders(&self) -> Vec<(Subject, u64)> {
        let known: u64 = self.senders.values().sum();
        let mut list: Vec<(Subject, u64)> = self.senders.iter().map(|(subject, count)| (*subject, *count)).collect();
        list.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        list.retain(|(_, count)| count.saturating_mul(20) >= self.packets);
        if known.saturating_mul(2) < self.packets { Vec::new() } else { list }
    }
}
