//! `mining`: somebody works for a pool that mines a currency, or runs a node of one.
//!
//! Told by what is said, on any port ([`crate::names::mining`]): a pool's lines of JSON, work that is asked for by HTTP, the first
//! message of a node. One finding is all that one module or address does for one pool, or as a node of one network. Working for a pool and
//! being a node are two things, and are said with different words: a node keeps the books and need not mine.

use std::net::SocketAddr;

use hashbrown::{HashMap, HashSet};
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Subject, Tally, Term, Trace, who};
use crate::flow::{Event, Flow, Seen};
use crate::names::{App, Word, Words};
use crate::packet::{Addr, proto};
use crate::time::Micros;

const ABOUT: About = About { code: "mining", version: 2, needs: "the first payloads of a conversation", basis: Basis::Observed };

/// Who is remembered at once.
const KEPT: usize = 1 << 16;
/// The other ends, and names of workers, that are remembered of each.
const PEERS: usize = 1024;
const WORKERS: usize = 8;

/// Who works for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    subject: Subject,
    app: App,
    /// The pool, and its port; of a node nobody.
    pool: Option<(Pool, u16)>,
}

/// A pool by its name where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Pool {
    Name(Word),
    At(Addr),
}

#[derive(Debug)]
struct Work {
    /// Of a node, the others.
    peers: HashSet<Addr>,
    /// Whether there were other others.
    more: bool,
    workers: Vec<Word>,
    first: Micros,
    at: Micros,
    last: Micros,
    flows: u64,
    frames: (u64, u64),
    bytes: (u64, u64),
}

/// See above.
#[derive(Debug, Default)]
pub(super) struct Mining {
    works: HashMap<Key, Work>,
    tally: Tally,
}

fn is_pool(app: App) -> bool {
    matches!(app, App::Stratum | App::Getwork)
}

/// Whether an application is one of these.
fn is_one(app: App) -> bool {
    is_pool(app) || matches!(app, App::Bitcoin | App::Monero | App::Ethereum)
}

impl Mining {
    fn hear(&mut self, flow: &Flow, at: Micros, over: bool) {
        let Some(app) = flow.names.app.filter(|app| is_one(*app)) else { return };
        // A node is one also where others call it.
        let subject = flow.session.map_or_else(|| who(flow), Subject::Session);
        let name = flow.names.host.or(flow.names.dns);
        let pool = is_pool(app).then(|| (name.map_or(Pool::At(flow.key.server), Pool::Name), flow.key.server_port));
        let key = Key { subject, app, pool };
        if self.works.len() >= KEPT && !self.works.contains_key(&key) {
            self.tally.forgotten = self.tally.forgotten.saturating_add(u64::from(over));
            return;
        }
        let work = self.works.entry(key).or_insert_with(|| Work {
            peers: HashSet::new(),
            more: false,
            workers: Vec::new(),
            first: flow.start,
            at,
            last: flow.last,
            flows: 0,
            frames: (flow.first_frame, flow.last_frame),
            bytes: (0, 0),
        });
        let other = if flow.inbound { flow.key.client } else { flow.key.server };
        if work.peers.len() < PEERS {
            work.peers.insert(other);
        } else {
            work.more |= !work.peers.contains(&other);
        }
        if let Some(worker) = flow.names.endpoint
            && work.workers.len() < WORKERS
            && !work.workers.contains(&worker)
        {
            work.workers.push(worker);
        }
        if flow.start < work.first {
            (work.first, work.frames.0) = (flow.start, flow.first_frame);
        }
        work.last = work.last.max(flow.last);
        work.frames.1 = work.frames.1.max(flow.last_frame);
        if over {
            work.flows = work.flows.saturating_add(1);
            work.bytes = (work.bytes.0.saturating_add(flow.up.bytes), work.bytes.1.saturating_add(flow.down.bytes));
        }
    }

    fn alert(key: &Key, work: &Work, words: &Words) -> Alert {
        let peers = work.peers.len();
        let nodes = match peers {
            1 => "another".to_owned(),
            _ if work.more => format!("{peers} others and more"),
            _ => format!("{peers} others"),
        };
        let what = match key.app {
            App::Stratum => "worked for a mining pool (Stratum)".to_owned(),
            App::Getwork => "asked a mining pool or a node for work by HTTP".to_owned(),
            App::Bitcoin => format!("spoke as a node of Bitcoin or of one of its forks with {nodes}"),
            App::Monero => format!("spoke as a node of Monero or of its kin with {nodes}"),
            _ => format!("spoke as a node of Ethereum that looks for others with {nodes}"),
        };
        let did = format!("{what}: {} bytes one way, {} the other", work.bytes.0, work.bytes.1);
        let mut more = Vec::new();
        if !work.workers.is_empty() {
            let names: Vec<&str> = work.workers.iter().map(|w| words.get(*w)).collect();
            more.push(format!("It gives itself the name {}", names.join(", ")));
        }
        if key.pool.is_none() {
            more.push("A node keeps the books of its network and passes them on; whether it mines cannot be seen".to_owned());
        }
        let peer = match key.pool {
            Some((Pool::Name(name), port)) => format!("{}:{port}", words.get(name)),
            Some((Pool::At(addr), port)) => SocketAddr::new(addr.ip(), port).to_string(),
            None => key.app.name().to_owned(),
        };
        Alert {
            about: &ABOUT,
            subject: key.subject,
            peer: Some(peer),
            ends: if key.pool.is_some() { Ends::Peer } else { Ends::of(&work.peers, work.more) },
            severity: if key.pool.is_some() { Severity::High } else { Severity::Medium },
            score: 1.0,
            terms: vec![
                Term { term: "conversations", value: work.flows as f64, threshold: 1.0 },
                Term { term: "peers", value: peers as f64, threshold: 1.0 },
            ],
            reason: Reason {
                did,
                more,
                remedies: vec![
                    "Ask whoever runs the device whether it is meant to do that".to_owned(),
                    "Let the device reach only what it needs (its learnt destinations), and drop the rest at the gateway".to_owned(),
                    "Look at the device: what runs on it, and who can sign in".to_owned(),
                ],
                clears_when: "It is known who runs it and why, or no such conversations come for a week".to_owned(),
                stake: None,
            },
            threats: &["disruption"],
            first: work.first,
            at: work.at,
            last: work.last,
            flows: work.flows,
            frames: work.frames,
        }
    }
}

impl Detector for Mining {
    fn hears(&self) -> Hears {
        Hears::ANSWERED.and(Hears::ACTIVE).and(Hears::END)
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, _: &Given, _: &Words) {
        match event {
            Event::Answered(flow) | Event::Active(flow) => self.hear(flow, flow.last, false),
            Event::End(flow, _) => {
                if flow.seen.has(Seen::FIRSTS) || flow.names.app.is_some_and(is_one) {
                    self.tally.judged = self.tally.judged.saturating_add(1);
                } else if matches!(flow.key.proto, proto::TCP | proto::UDP) {
                    self.tally.blind = self.tally.blind.saturating_add(1);
                }
                self.hear(flow, flow.last, true);
            }
            Event::Start(_) | Event::Joined(_) | Event::Lookup(_) | Event::Broken(_) => {}
        }
    }

    fn found(&self, _: &Given, trace: Trace<'_>) -> Vec<Alert> {
        self.works.iter().map(|(key, work)| Self::alert(key, work, trace.words)).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
