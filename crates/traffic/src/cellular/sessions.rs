//! Sessions: which module a tunnel, an address or a packet belongs to, and from when to when.
//!
//! One session is one attachment of a SIM to one network behind one name (a default bearer with those that depend on it). Every leg
//! of it (radio to gateway, gateway to gateway, N4) adds its tunnels to the same one. Tunnels move at a handover and are used again
//! by others: the newest word on an end counts from its time on, and a packet is attributed by the word that held when it came.
//!
//! What is not known stays open. A tunnel that no signalling named belongs to nobody until it does. Where the packet in a tunnel has
//! another address than its session, the signalling of whoever has the tunnel now was lost, or somebody pretends: both are told as
//! such ([`Owner::Stranger`]), and neither is counted for the session.
//!
//! Gateways report sessions as well (RADIUS, Diameter), and operators write them down ([`Declared`]): these tie addresses alone. They
//! add to what signalling introduced; where there is no signalling of tunnels at all, the address in a tunnel says whose it is.

mod declared;
mod reports;

pub use declared::Declared;
use declared::Intervals;
use hashbrown::HashMap;

use super::{Act, End, Item, Message, Plane, Side, Ue};
use crate::packet::Addr;
use crate::time::Micros;

/// The number of a session in its [`Sessions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u32);

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the module.
    Up,
    /// To the module.
    Down,
}

/// Whose packet one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody's that is known.
    Nobody,
    /// A session's.
    Session(Id, Way),
    /// It came in the tunnel of this session, under an address that is none of its own.
    Stranger(Id, Option<Way>),
}

/// A module on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Digits of the IMSI, as far as anything said it.
    pub imsi: Option<String>,
    /// Digits of the card: no signalling says them.
    pub iccid: Option<String>,
    /// Digits of the IMEI, 14 to 16 of them as they were sent.
    pub imei: Option<String>,
    /// Digits of the telephone number.
    pub msisdn: Option<String>,
    /// The access point name.
    pub apn: Option<String>,
    /// The radio technology that was said last.
    pub rat: Option<u8>,
    /// Every end that a tunnel of it had.
    pub ends: Vec<(End, Side)>,
    /// Every address that it had.
    pub ue: Vec<Ue>,
    /// The message that introduced it: when it was heard, who asked, and the number of the question.
    pub introduced: (Micros, Addr, u32),
    /// The first word or packet of it.
    pub first: Micros,
    /// The last.
    pub last: Micros,
    /// Whether signalling ended it.
    pub ended: bool,
    /// Packets attributed to it.
    pub packets: u64,
    /// Bytes of IP that came from the module.
    pub bytes_up: u64,
    /// Bytes of IP that went to it.
    pub bytes_down: u64,
    /// Conversations attributed to it.
    pub flows: u64,
    /// The bearer that it was created with.
    bearer: Option<u8>,
    /// Who asked for it, and how: the same asker again asks for another.
    leg: (Plane, Addr),
    /// Numbers that nodes gave it for signalling.
    control: Vec<Number>,
    /// Whether anybody said an address of it: then those that were not said are none.
    told: bool,
    /// Whether its creation was answered.
    granted: bool,
    /// The answers to that, by whom they were given and their numbers: each leg has one.
    answers: Vec<(Addr, u32)>,
    /// When its end was asked for.
    ending: Option<Micros>,
    /// Whether anything here spoke of it: what an operator wrote down need not have been on the network.
    pub heard: bool,
}

impl Session {
    /// Something of it was met from one time to another. What was written down begins with what is met of it.
    pub(crate) fn met(&mut self, from: Micros, to: Micros) {
        if !self.heard {
            (self.first, self.last, self.heard) = (from, to, true);
        }
        self.last = self.last.max(to);
    }
}

/// A number that a node gave a session for signalling.
type Number = (Plane, Addr, u64);

/// A request whose answer is awaited.
type Asked = (Plane, Addr, Addr, u32);

/// What is remembered of a request.
#[derive(Debug)]
struct Waiting {
    since: Micros,
    /// Whose it was taken to be; `None`: what it said counts once its answer says so.
    id: Option<Id>,
    question: Message,
}

/// Requests that are remembered; older than [`PATIENCE`] go first.
const ASKED: usize = 1 << 16;
/// How long packets may still come once the end was asked for, where its answer was lost. Numbers are not given again so soon.
const LEAVING: Micros = Micros(200_000);
/// Legs of one session are set up together.
const TOGETHER: Micros = Micros::seconds(1);
/// How long an answer may take: three tries of five seconds, and some (TS 29.274, 7.6).
const PATIENCE: Micros = Micros::seconds(60);

/// Every session of a trace.
#[derive(Debug, Default)]
pub struct Sessions {
    all: Vec<Session>,
    /// By the number under which a node receives signalling.
    control: HashMap<Number, Id>,
    /// By the end at which user data is received.
    user: HashMap<End, Id>,
    /// By the address of the module, or its prefix.
    ue: HashMap<Ue, Id>,
    /// Lengths of the prefixes in `ue`, each once.
    lengths: Vec<u8>,
    /// The sessions of a SIM that live.
    imsi: HashMap<String, Vec<Id>>,
    asked: HashMap<Asked, Waiting>,
    /// What an operator wrote down.
    declared: Intervals,
    /// Whether any signalling named a tunnel.
    tunnels: bool,
    /// Messages about a session that nobody introduced.
    pub orphans: u64,
}

impl Sessions {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Every one, in the order in which it was met.
    pub fn iter(&self) -> impl Iterator<Item = (Id, &Session)> {
        (0u32..).map(Id).zip(&self.all)
    }

    /// One.
    pub fn get(&self, id: Id) -> Option<&Session> {
        self.all.get(id.0 as usize)
    }

    /// One, to count on.
    pub fn get_mut(&mut self, id: Id) -> Option<&mut Session> {
        self.all.get_mut(id.0 as usize)
    }

    /// Whose a packet in a tunnel is.
    pub fn of_tunnel(&mut self, end: End, src: Addr, dst: Addr, at: Micros) -> Owner {
        let Some(&id) = self.user.get(&end) else { return if self.tunnels { Owner::Nobody } else { self.alone(src, dst, at) } };
        if !self.lives(id, at) {
            return Owner::Nobody;
        }
        let Some(session) = self.all.get_mut(id.0 as usize) else { return Owner::Nobody };
        let holds = |addr| session.ue.iter().any(|ue| ue.holds(addr));
        if holds(src) {
            return Owner::Session(id, Way::Up);
        }
        if holds(dst) {
            return Owner::Session(id, Way::Down);
        }
        let side = session.ends.iter().rev().find(|(e, _)| *e == end).map_or(Side::Unknown, |(_, side)| *side);
        let (own, way) = match side {
            Side::Core => (src, Way::Up),
            Side::Access => (dst, Way::Down),
            Side::Unknown => return if session.ue.is_empty() { Owner::Nobody } else { Owner::Stranger(id, None) },
        };
        let version = |ue: &Ue| ue.addr.is_v4() == own.is_v4();
        // Link-local addresses are no word's of the network, and every module has them.
        if own.0.starts_with(&[0xfe, 0x80]) || own.0 == [0; 16] {
            return Owner::Session(id, way);
        }
        if session.told || session.ue.iter().any(version) {
            return Owner::Stranger(id, Some(way));
        }
        // Signalling never said what address it got: the first that is seen in its tunnel is its own.
        let ue = if own.is_v4() { Ue { addr: own, bits: 128 } } else { Ue::v6(own.0, 64) };
        session.ue.push(ue);
        self.name(ue, id);
        Owner::Session(id, way)
    }

    /// Whose a packet outside of any tunnel is.
    pub fn of_addresses(&self, src: Addr, dst: Addr, at: Micros) -> Owner {
        if self.ue.is_empty() && self.declared.is_empty() {
            return Owner::Nobody;
        }
        match self.of_address(src, at) {
            Some(id) => Owner::Session(id, Way::Up),
            None => self.of_address(dst, at).map_or(Owner::Nobody, |id| Owner::Session(id, Way::Down)),
        }
    }

    /// Whose a packet in a tunnel is, where nothing names tunnels: the one session that has one of its addresses.
    fn alone(&self, src: Addr, dst: Addr, at: Micros) -> Owner {
        match (self.of_address(src, at), self.of_address(dst, at)) {
            (Some(id), None) => Owner::Session(id, Way::Up),
            (None, Some(id)) => Owner::Session(id, Way::Down),
            _ => Owner::Nobody,
        }
    }

    /// The session that has an address at a time, which is now: what was heard goes before what was written down.
    pub fn of_address(&self, addr: Addr, at: Micros) -> Option<Id> {
        let heard = self.lengths.iter().find_map(|bits| self.ue.get(&Ue::v6(addr.0, *bits)).copied());
        heard.or_else(|| self.declared.at(addr, at).filter(|id| self.get(*id).is_some_and(|s| !s.ended)))
    }

    fn name(&mut self, ue: Ue, id: Id) {
        self.ue.insert(ue, id);
        if !self.lengths.contains(&ue.bits) {
            // The longest first.
            self.lengths.push(ue.bits);
            self.lengths.sort_unstable_by(|a, b| b.cmp(a));
        }
    }

    /// Hears a message from one node to another.
    pub fn hear(&mut self, at: Micros, from: Addr, to: Addr, message: &Message) {
        if message.plane.reports() {
            self.reported(at, from, to, message);
        } else if message.answer {
            self.answered(at, from, to, message);
        } else {
            self.asked(at, from, to, message);
        }
    }

    fn asked(&mut self, at: Micros, from: Addr, to: Addr, message: &Message) {
        let key = (message.plane, from, to, message.sequence);
        let again = self.asked.get(&key).and_then(|waiting| waiting.id);
        let known = || message.to.and_then(|n| self.control.get(&(message.plane, to, n)).copied());
        let id = match (again, message.act) {
            (Some(id), _) => Some(id),
            (None, Act::Create) => Some(self.created(at, from, message)),
            (None, _) => known().or_else(|| self.by_tunnel(message)),
        };
        let id = id.filter(|id| message.act == Act::Delete || self.lives(*id, at));
        if let Some(id) = id {
            self.learn(at, id, from, message);
        }
        if self.asked.len() >= ASKED {
            self.asked.retain(|_, waiting| at.since(waiting.since) < PATIENCE);
        }
        self.asked.insert(key, Waiting { since: at, id, question: message.clone() });
    }

    /// Whether a session is not over: one whose end was asked for a while ago is, though the answer was lost. What it had may be another's.
    fn lives(&mut self, id: Id, at: Micros) -> bool {
        let over = self.get(id).is_none_or(|s| s.ended || s.ending.is_some_and(|since| at.since(since) > LEAVING));
        if over {
            self.end(id);
        }
        !over
    }

    fn answered(&mut self, at: Micros, from: Addr, to: Addr, message: &Message) {
        let asked = self.asked.remove(&(message.plane, to, from, message.sequence));
        let by_number = message.to.and_then(|n| self.control.get(&(message.plane, to, n)).copied());
        let Some(Waiting { id: taken, question, .. }) = asked else {
            return self.unasked(at, from, to, message, by_number);
        };
        // The number that was asked and the one that is answered were given by two nodes. Where they do not agree one is that of a
        // session whose end was lost: the younger has it now.
        let age = |id: &Id| self.get(*id).map(|s| s.first);
        let id = match (taken, by_number) {
            (Some(a), Some(b)) if message.act != Act::Create && age(&b) > age(&a) => b,
            (Some(id), _) | (None, Some(id)) => id,
            (None, None) => {
                self.orphans = self.orphans.saturating_add(1);
                return;
            }
        };
        if taken != Some(id) {
            // The message that gave the number was lost.
            if let Some(number) = question.to {
                self.number((message.plane, from, number), id);
            }
            self.learn(at, id, to, &question);
        }
        self.learn(at, id, from, message);
    }

    /// An answer whose question was lost.
    fn unasked(&mut self, at: Micros, from: Addr, to: Addr, message: &Message, by_number: Option<Id>) {
        if message.act != Act::Create {
            match by_number.or_else(|| self.by_tunnel(message)) {
                Some(id) => self.learn(at, id, from, message),
                None => self.orphans = self.orphans.saturating_add(1),
            }
            return;
        }
        // Under the number of a session that was granted before: the answer came twice, if it is that answer and says nothing new; else
        // the number is used again, and what was granted has an owner who is not known by name.
        let again = |id: &Id| {
            let Some(session) = self.get(*id) else { return false };
            let mut told = message.items.iter().filter_map(|item| match item {
                Item::User { end, .. } => Some(self.user.get(end) == Some(id)),
                Item::Control(number, node) => Some(self.control.get(&(message.plane, *node, *number)) == Some(id)),
                _ => None,
            });
            let twice = session.answers.contains(&(from, message.sequence));
            session.ending.is_none() && (!session.granted || twice && told.all(|known| known))
        };
        let id = match by_number.filter(again) {
            Some(id) => id,
            None => self.created(at, to, message),
        };
        self.learn(at, id, from, message);
    }

    /// A message whose number is unknown may name a tunnel that is known.
    fn by_tunnel(&self, message: &Message) -> Option<Id> {
        message.items.iter().find_map(|item| match item {
            Item::User { end, .. } => self.user.get(end).copied(),
            _ => None,
        })
    }

    /// A session begins, or another leg of one that lives.
    fn created(&mut self, at: Micros, asker: Addr, message: &Message) -> Id {
        let (mut imsi, mut apn, mut bearer, mut shared) = (None, None, None, None);
        for item in &message.items {
            match item {
                Item::Imsi(digits) => imsi = imsi.or(Some(digits)),
                Item::Apn(name) => apn = apn.or(Some(name)),
                Item::Bearer(n) => bearer = bearer.or(Some(*n)),
                Item::User { end, .. } => shared = shared.or_else(|| self.user.get(end).copied()),
                Item::Ue(ue) => shared = shared.or_else(|| self.ue.get(ue).copied()),
                _ => {}
            }
        }
        let leg = (message.plane, asker);
        let differs = |a: Option<&String>, b: Option<&String>| matches!((a, b), (Some(a), Some(b)) if !a.eq_ignore_ascii_case(b));
        // A tunnel or a number may be used again; with another address it is somebody else's.
        let elsewhere = |s: &Session| {
            let mut said = message.items.iter().filter_map(|i| if let Item::Ue(ue) = i { Some(ue) } else { None });
            said.any(|ue| !s.ue.contains(ue) && s.ue.iter().any(|own| own.addr.is_v4() == ue.addr.is_v4()))
        };
        let same = |id: &Id| {
            self.get(*id).is_some_and(|s| {
                let alive = !s.ended && s.ending.is_none();
                alive && s.leg != leg && !differs(s.imsi.as_ref(), imsi) && !differs(s.apn.as_ref(), apn) && !elsewhere(s)
            })
        };
        // What has no name on both sides is known by what it shares, and that may have been another's until a moment ago.
        let surely = |id: &Id| self.get(*id).is_some_and(|s| s.imsi.is_some() && imsi.is_some() || at.since(s.first) <= TOGETHER);
        if let Some(id) = shared.filter(same).filter(surely) {
            return id;
        }
        // Gateways stand in a row: the one behind is asked for the same SIM, name and bearer a moment later.
        let alive = imsi.and_then(|imsi| self.imsi.get(imsi)).map_or(&[][..], Vec::as_slice);
        let bears = |id: &&Id| self.get(**id).is_some_and(|s| s.apn.as_ref() == apn && s.bearer == bearer);
        if let Some(id) = alive.iter().rev().find(|id| same(id) && bears(id)) {
            return *id;
        }
        // The same asker for the same SIM, name and bearer: what was before is over, whether or not anybody said so.
        let over: Vec<Id> = alive.iter().filter(bears).copied().collect();
        let written = imsi.and_then(|imsi| self.written(imsi, apn.map(String::as_str), at));
        over.into_iter().for_each(|id| self.end(id));
        if let Some(id) = written {
            if let Some(session) = self.all.get_mut(id.0 as usize) {
                (session.bearer, session.leg) = (bearer, leg);
                session.met(at, at);
            }
            return id;
        }
        self.begin(at, leg, message.sequence, bearer)
    }

    /// A session of which nothing is known yet.
    fn begin(&mut self, at: Micros, leg: (Plane, Addr), sequence: u32, bearer: Option<u8>) -> Id {
        let id = Id(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(Session {
            imsi: None,
            iccid: None,
            imei: None,
            msisdn: None,
            apn: None,
            rat: None,
            ends: Vec::new(),
            ue: Vec::new(),
            introduced: (at, leg.1, sequence),
            first: at,
            last: at,
            ended: false,
            packets: 0,
            bytes_up: 0,
            bytes_down: 0,
            flows: 0,
            bearer,
            leg,
            control: Vec::new(),
            told: false,
            granted: false,
            answers: Vec::new(),
            ending: None,
            heard: true,
        });
        id
    }

    fn learn(&mut self, at: Micros, id: Id, from: Addr, message: &Message) {
        for item in &message.items {
            match item {
                // Answers come from the address that was asked, whatever they name for later.
                Item::Control(number, node) => [*node, from].into_iter().for_each(|node| self.number((message.plane, node, *number), id)),
                Item::Ue(ue) => self.lease(*ue, id),
                Item::User { end, .. } => {
                    self.tunnels = true;
                    self.user.insert(*end, id);
                }
                _ => {}
            }
        }
        let Some(session) = self.all.get_mut(id.0 as usize) else { return };
        session.last = session.last.max(at);
        let mut accepted = true;
        for item in &message.items {
            match item {
                Item::Imsi(digits) => {
                    if session.imsi.is_none() {
                        self.imsi.entry(digits.clone()).or_default().push(id);
                    }
                    keep(&mut session.imsi, digits);
                }
                Item::Imei(digits) => keep(&mut session.imei, digits),
                Item::Msisdn(digits) => keep(&mut session.msisdn, digits),
                Item::Apn(name) => keep(&mut session.apn, name),
                Item::Accepted(yes) => accepted &= yes,
                Item::Bearer(n) => session.bearer = session.bearer.or(Some(*n)),
                Item::Rat(rat) => session.rat = Some(*rat),
                Item::User { end, side } if !session.ends.contains(&(*end, *side)) => session.ends.push((*end, *side)),
                Item::User { .. } | Item::Control(..) | Item::Ue(_) => {}
            }
        }
        match (message.act, message.answer) {
            (Act::Create, true) if accepted => {
                session.granted = true;
                if !session.answers.contains(&(from, message.sequence)) {
                    session.answers.push((from, message.sequence));
                }
            }
            // A session that was refused never was; one whose end was asked for is over, whatever the answer.
            (Act::Create | Act::Delete, true) => self.end(id),
            (Act::Delete, false) => session.ending = Some(at),
            _ => {}
        }
    }

    /// A node gives a session a number. It gives none to two: who had it is over, though nobody heard it end.
    fn number(&mut self, number: Number, id: Id) {
        match self.control.insert(number, id) {
            Some(before) if before == id => return,
            Some(before) => self.end(before),
            None => {}
        }
        self.control.insert(number, id);
        if let Some(session) = self.all.get_mut(id.0 as usize) {
            session.control.push(number);
        }
    }

    /// A session gets an address. Who had it has it no longer.
    fn lease(&mut self, ue: Ue, id: Id) {
        if let Some(before) = self.ue.get(&ue).copied().filter(|before| *before != id) {
            match self.all.get_mut(before.0 as usize) {
                // Without tunnels it is its addresses that make it a session.
                Some(session) if session.ends.is_empty() => {
                    let left = session.ue.iter().any(|other| *other != ue && self.ue.get(other) == Some(&before));
                    if !left {
                        self.end(before);
                    }
                }
                Some(session) => session.ue.retain(|other| *other != ue),
                None => {}
            }
        }
        if let Some(session) = self.all.get_mut(id.0 as usize) {
            session.told = true;
            if !session.ue.contains(&ue) {
                session.ue.push(ue);
            }
        }
        self.name(ue, id);
    }

    /// What it had belongs to nobody from now on.
    fn end(&mut self, id: Id) {
        let Some(session) = self.all.get_mut(id.0 as usize) else { return };
        session.ended = true;
        for (end, _) in &session.ends {
            if self.user.get(end) == Some(&id) {
                self.user.remove(end);
            }
        }
        for number in std::mem::take(&mut session.control) {
            if self.control.get(&number) == Some(&id) {
                self.control.remove(&number);
            }
        }
        for ue in &session.ue {
            if self.ue.get(ue) == Some(&id) {
                self.ue.remove(ue);
            }
        }
        if let Some(alive) = session.imsi.as_ref().and_then(|imsi| self.imsi.get_mut(imsi)) {
            alive.retain(|other| *other != id);
        }
    }
}

fn keep(field: &mut Option<String>, word: &str) {
    if !word.is_empty() {
        *field = Some(word.to_owned());
    }
}
