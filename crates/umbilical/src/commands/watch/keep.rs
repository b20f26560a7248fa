//! What was watched goes into the home: conversations into the lake, the rest into the store where there is one.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use umbilical_core::answer::Headed;
use umbilical_core::answer::watch::{FlowRow, Session, Watched};
use umbilical_core::finding::Finding;
use umbilical_core::id::hex;
use umbilical_core::observation::Input;
use umbilical_core::text::short;
use umbilical_store::lake::{Lake, Written};
use umbilical_store::traffic::{Hour, NewTrace};
use umbilical_store::{By, Store, Time};
use umbilical_traffic::cellular::sessions::Id;
use umbilical_traffic::flow::Flow;
use umbilical_traffic::learn::Lesson;
use umbilical_traffic::names::{Word, Words, dns};
use umbilical_traffic::packet::Addr;
use umbilical_traffic::time::Micros;

use super::naming;

/// Pairs of an hour that are counted apart at once; beyond, peers are counted together.
const PAIRS: usize = 1 << 19;
/// Peers of an hour that are kept of one who speaks.
const PEERS: usize = 20;
/// Addresses that are kept, those with the most bytes; sessions are kept all.
const HOSTS: usize = 200;
/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Subject {
    Session(Id),
    Host(Addr),
}

/// With whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Peer {
    Name(Word),
    Addr(Addr),
    /// Everybody else together.
    Rest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Pair {
    subject: Subject,
    hour: i64,
    peer: Peer,
    port: u16,
    proto: u8,
}

/// Conversations, bytes up, bytes down.
type Sum = [u64; 3];

fn add(to: &mut Sum, more: Sum) {
    to.iter_mut().zip(more).for_each(|(a, b)| *a = a.saturating_add(b));
}

/// What is kept of a trace while it is watched.
#[derive(Debug)]
pub(super) struct Keep {
    home: PathBuf,
    lake: Lake,
    pairs: HashMap<Pair, Sum>,
    range: Option<(Micros, Micros)>,
    /// When listening began: what was listened to has no digest, and is told from others by that.
    pub(super) begun: Option<Micros>,
}

/// A trace as the store has it.
pub(super) struct Stored {
    place: PathBuf,
    id: String,
    name: String,
    range: (Time, Time),
    counts: [u64; 3],
    body: serde_json::Value,
    sessions: Vec<Session>,
    findings: Vec<Finding>,
    hours: Vec<Hour>,
    who: String,
    now: Time,
}

/// A trace that was watched.
pub(super) struct Done<'a> {
    /// The answer, subscriber numbers covered.
    pub answer: &'a Headed<'a, Watched>,
    /// Its sessions, subscriber numbers whole.
    pub sessions: &'a [Session],
    /// What was found, subscriber numbers covered.
    pub findings: &'a [Finding],
    pub inputs: &'a [Input],
    /// What it taught.
    pub lesson: &'a Lesson,
    pub ids: &'a [String],
    pub words: &'a Words,
    pub who: &'a str,
    pub now: Time,
}

impl Keep {
    pub(super) fn new(home: PathBuf) -> io::Result<Self> {
        let lake = Lake::create(&home, &format!("watch-{}", std::process::id()))?;
        Ok(Self { home, lake, pairs: HashMap::new(), range: None, begun: None })
    }

    /// A conversation that is over.
    pub(super) fn flow(&mut self, flow: &Flow, row: &FlowRow<'_>) -> io::Result<()> {
        self.range = Some(self.range.map_or((flow.start, flow.last), |(a, b)| (a.min(flow.start), b.max(flow.last))));
        let (subject, peer) = match flow.session {
            Some(id) if flow.inbound => (Subject::Session(id), Peer::Addr(flow.key.client)),
            session => {
                // Of a conversation of DNS the name is what was asked for, not who was asked.
                let asks = dns::is_port(flow.key.server_port);
                let name = flow.names.sni.or(flow.names.host).or(flow.names.dns.filter(|_| !asks));
                (session.map_or(Subject::Host(flow.key.client), Subject::Session), name.map_or(Peer::Addr(flow.key.server), Peer::Name))
            }
        };
        let pair = Pair { subject, hour: flow.start.0.div_euclid(HOUR), peer, port: flow.key.server_port, proto: flow.key.proto };
        let sum = [1, row.bytes_up, row.bytes_down];
        if self.pairs.len() < PAIRS || self.pairs.contains_key(&pair) {
            add(self.pairs.entry(pair).or_default(), sum);
        } else if let Subject::Session(_) = subject {
            add(self.pairs.entry(Pair { peer: Peer::Rest, port: 0, ..pair }).or_default(), sum);
        }
        self.lake.push(row)
    }

    /// What tells the trace from others.
    fn digest(&self, inputs: &[Input]) -> String {
        let mut hash = Sha256::new();
        for input in watched(inputs) {
            hash.update(input.sha256.as_bytes());
            if input.sha256.is_empty() {
                hash.update(format!("{} {}", input.path, self.begun.unwrap_or_default().0).as_bytes());
            }
        }
        hex(&hash.finalize())
    }

    /// The store of the home, where there is one.
    pub(super) fn store(&self) -> Option<PathBuf> {
        Some(self.home.join(crate::home::STORE)).filter(|place| place.is_file())
    }

    /// The trace as the store is to have it; `None`: there is no store, or nothing for it.
    pub(super) fn stored(&self, done: &Done<'_>) -> Result<Option<Stored>, String> {
        let counters = &done.answer.of.counters;
        let Some(place) = self.store().filter(|_| counters.flows > 0 || !done.sessions.is_empty()) else { return Ok(None) };
        let mut body = serde_json::to_value(done.answer).map_err(|e| e.to_string())?;
        if let Some(body) = body.as_object_mut() {
            body.remove("sessions");
            body.remove("findings");
        }
        // Something may have been found before any conversation was over.
        let begun = self.begun.map(|begun| (begun, super::listen::now()));
        let (from, to) = self.range.or(begun).unwrap_or_default();
        Ok(Some(Stored {
            place,
            id: format!("trc-{}", self.digest(done.inputs).get(..12).unwrap_or_default()),
            name: name(watched(done.inputs).collect()),
            range: (Time(from.0.div_euclid(1000)), Time(to.0.div_euclid(1000))),
            counts: [counters.packets.max(counters.records), counters.bytes, counters.flows],
            body,
            sessions: done.sessions.to_vec(),
            findings: done.findings.to_vec(),
            hours: hours(&self.pairs, done),
            who: done.who.to_owned(),
            now: done.now,
        }))
    }

    /// Puts it into the home; what became of it in a line.
    pub(super) fn finish(self, done: &Done<'_>) -> Result<String, String> {
        let (digest, stored) = (self.digest(done.inputs), self.stored(done)?);
        let written = self.lake.finish(digest.get(..16).unwrap_or_default()).map_err(|e| format!("the lake cannot be written: {e}"))?;
        let mut said = match written {
            Some(Written { rows, files, .. }) => format!("in the lake of the home: {rows} conversations, {files} files"),
            None => "in the lake of the home since before".to_owned(),
        };
        super::memory::keep(&self.home, done.lesson)?;
        if let Some(stored) = stored {
            stored.write()?;
            said.push_str(&format!("; in its store: {}", stored.id));
        }
        Ok(said)
    }
}

impl Stored {
    /// Puts it into the store, in the place of what it had of the same trace.
    pub(super) fn write(&self) -> Result<(), String> {
        let [packets, bytes, flows] = self.counts;
        let new = NewTrace {
            id: &self.id,
            name: &self.name,
            range: self.range,
            packets,
            bytes,
            flows,
            body: &self.body,
            sessions: &self.sessions,
            findings: &self.findings,
            hours: &self.hours,
        };
        let runtime = crate::stored::runtime().map_err(|e| e.to_string())?;
        let kept = runtime.block_on(async {
            let store = Store::open(&self.place.display().to_string(), self.now).await?;
            let kept = store.keep_trace(By { who: &self.who, at: self.now }, &new).await;
            store.close().await;
            kept
        });
        kept.map_err(|e| e.to_string())
    }
}

/// Tables that only name things are no part of what was watched.
fn watched(inputs: &[Input]) -> impl Iterator<Item = &Input> {
    inputs.iter().filter(|i| !super::is_beside(i))
}

/// What was read, for people.
fn name(inputs: Vec<&Input>) -> String {
    let first = inputs.first().map(|i| i.path.rsplit(['/', '\\']).next().unwrap_or(&i.path)).unwrap_or("nothing");
    match inputs.len() {
        0 | 1 => short(first, 120).into_owned(),
        n => format!("{} and {} more", short(first, 120), n.saturating_sub(1)),
    }
}

/// The largest peers of each hour and subject, the rest of them together; of addresses the largest.
fn hours(pairs: &HashMap<Pair, Sum>, done: &Done<'_>) -> Vec<Hour> {
    let bytes = |sum: &Sum| sum[1].saturating_add(sum[2]);
    let mut hosts: HashMap<Addr, u64> = HashMap::new();
    for (pair, sum) in pairs {
        if let Subject::Host(addr) = pair.subject {
            let of = hosts.entry(addr).or_default();
            *of = of.saturating_add(bytes(sum));
        }
    }
    let mut largest: Vec<(u64, Addr)> = hosts.into_iter().map(|(addr, n)| (n, addr)).collect();
    largest.sort_by(|a, b| b.cmp(a));
    // Whose doing something was found to be is kept as well.
    let found: HashSet<IpAddr> = done.findings.iter().filter_map(|f| f.subject.id.parse().ok()).collect();
    let kept: HashSet<Addr> =
        largest.iter().enumerate().filter(|(n, (_, a))| *n < HOSTS || found.contains(&a.ip())).map(|(_, (_, a))| *a).collect();
    let mut rows: Vec<(Pair, Sum)> =
        pairs.iter().filter(|(p, _)| !matches!(p.subject, Subject::Host(a) if !kept.contains(&a))).map(|(p, sum)| (*p, *sum)).collect();
    rows.sort_by(|(a, x), (b, y)| {
        (a.subject, a.hour).cmp(&(b.subject, b.hour)).then_with(|| bytes(y).cmp(&bytes(x))).then_with(|| a.cmp(b))
    });
    let numbers = naming::subscribers(done.sessions);
    let mut out: Vec<Hour> = Vec::new();
    for group in rows.chunk_by(|(a, _), (b, _)| (a.subject, a.hour) == (b.subject, b.hour)) {
        let mut rest: Option<(Pair, Sum)> = None;
        for (n, (pair, sum)) in group.iter().enumerate() {
            if n < PEERS && pair.peer != Peer::Rest {
                out.push(hour(pair, sum, done, &numbers));
            } else {
                let (_, to) = rest.get_or_insert((Pair { peer: Peer::Rest, port: 0, proto: 0, ..*pair }, Sum::default()));
                add(to, *sum);
            }
        }
        out.extend(rest.map(|(pair, sum)| hour(&pair, &sum, done, &numbers)));
    }
    out
}

fn hour(pair: &Pair, [flows, up, down]: &Sum, done: &Done<'_>, numbers: &HashMap<&str, Vec<String>>) -> Hour {
    let subject = match pair.subject {
        Subject::Session(id) => done.ids.get(id.0 as usize).cloned().unwrap_or_default(),
        Subject::Host(addr) => addr.ip().to_string(),
    };
    let own = numbers.get(subject.as_str()).map(Vec::as_slice).unwrap_or_default();
    Hour {
        hour: Time(pair.hour.saturating_mul(HOUR / 1000)),
        peer: match pair.peer {
            Peer::Name(word) => Some(naming::cover(done.words.get(word), own).into_owned()),
            Peer::Addr(addr) => Some(addr.ip().to_string()),
            Peer::Rest => None,
        },
        subject,
        port: pair.port,
        proto: if pair.peer == Peer::Rest { "any".to_owned() } else { super::rows::proto_name(pair.proto).into_owned() },
        flows: *flows,
        up: *up,
        down: *down,
    }
}
