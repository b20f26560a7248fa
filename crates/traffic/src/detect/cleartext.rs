//! `cleartext-identity`: a device says in clear, to somebody outside, who or where it is.
//!
//! What is looked for: numbers of equipment (IMEI), subscriptions (IMSI), cards (ICCID) and telephones (MSISDN), and positions, in the
//! first payloads of conversations that are not encrypted ([`crate::names::identity`]). A number counts where it is called by its name,
//! or where it is the module's own, as signalling or an operator's table has it. What goes to private addresses, or to another module,
//! is none: it does not leave.

use std::net::{IpAddr, SocketAddr};

use hashbrown::HashMap;
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Stake, Subject, Tally, Term, Trace, for_many};
use crate::cellular::sessions::{Owner, Session};
use crate::flow::{Event, Flow, Seen};
use crate::names::identity::{self, Said, What};
use crate::names::{App, Word, Words};
use crate::packet::Addr;
use crate::time::Micros;

const ABOUT: About = About {
    code: "cleartext-identity",
    version: 1,
    needs: "the first payloads of a conversation, or what was asked for by HTTP",
    basis: Basis::Observed,
};

/// Pairs of who and to whom at once.
const KEPT: usize = 1 << 15;
/// Things that are kept of each.
const THINGS: usize = 16;

/// To whom, by name where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Peer {
    Name(Word),
    At(Addr),
}

#[derive(Debug)]
struct Leak {
    said: Vec<Said>,
    app: Option<App>,
    first: Micros,
    at: Micros,
    last: Micros,
    flows: u64,
    frames: (u64, u64),
}

/// See above.
#[derive(Debug, Default)]
pub(super) struct Cleartext {
    leaks: HashMap<(Subject, Peer, u16), (Addr, Leak)>,
    tally: Tally,
}

/// Whether an address is reached without leaving a network of one's own (RFC 1918, 6598, 4193, and this host).
fn is_private(addr: Addr) -> bool {
    match addr.ip() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || matches!(ip.octets(), [100, 64..=127, ..]),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_loopback(),
    }
}

/// Whether there is nothing to read: it is encrypted.
fn is_closed(app: Option<App>) -> bool {
    matches!(app, Some(App::Tls | App::Dtls | App::Quic))
}

impl Cleartext {
    fn hear(&mut self, flow: &Flow, over: bool, words: &Words) {
        // Of a conversation that the module did not begin it is the server.
        let served = flow.session.is_some() && flow.inbound;
        let to = if served { flow.key.client } else { flow.key.server };
        if is_private(to) || for_many(to) || is_closed(flow.names.app) {
            return;
        }
        let packets = flow.seen.has(Seen::FIRSTS);
        let told = flow.names.said.map_or(&[][..], |said| words.told(said));
        let mut said: Vec<Said> = told.iter().filter(|s| s.from_client != served).cloned().collect();
        if !packets && over && !served {
            // Who wrote the record saw what was asked for, and by what.
            let names = &flow.names;
            for word in [names.uri, names.agent, names.host, names.endpoint, names.topic].into_iter().flatten() {
                said.extend(identity::scan(words.get(word).as_bytes(), true));
            }
        }
        // Whose number it is can only be known of a module.
        said.retain(|s| s.labelled || flow.session.is_some());
        if said.is_empty() {
            return;
        }
        let names = flow.names;
        let peer = names.host.or(names.dns).filter(|_| !served).map_or(Peer::At(to), Peer::Name);
        let port = if served { flow.key.client_port } else { flow.key.server_port };
        let subject = flow.session.map_or(Subject::Host(flow.key.client), Subject::Session);
        let key = (subject, peer, if served { 0 } else { port });
        if self.leaks.len() >= KEPT && !self.leaks.contains_key(&key) {
            self.tally.forgotten = self.tally.forgotten.saturating_add(u64::from(over));
            return;
        }
        let (_, leak) = self.leaks.entry(key).or_insert_with(|| {
            let frames = (flow.first_frame, flow.last_frame);
            (to, Leak { said: Vec::new(), app: names.app, first: flow.start, at: flow.last, last: flow.last, flows: 0, frames })
        });
        for thing in said {
            if leak.said.len() < THINGS && !leak.said.contains(&thing) {
                leak.said.push(thing);
            }
        }
        leak.app = leak.app.or(names.app);
        if flow.start < leak.first {
            (leak.first, leak.frames.0) = (flow.start, flow.first_frame);
        }
        leak.last = leak.last.max(flow.last);
        leak.frames.1 = leak.frames.1.max(flow.last_frame);
        leak.flows = leak.flows.saturating_add(over.into());
    }
}

/// Whether a number is one that a session is known by; of an IMEI fourteen digits are the number.
fn is_own(said: &Said, session: &Session) -> bool {
    let body = |imei: &str| imei.get(..14).map(str::to_owned);
    match said.what {
        What::Imei => session.imei.as_deref().and_then(body).is_some_and(|own| body(&said.value) == Some(own)),
        What::Imsi => session.imsi.as_deref() == Some(&*said.value),
        What::Iccid => {
            session.iccid.as_deref().is_some_and(|own| own.get(..18) == said.value.get(..18) && own.len().abs_diff(said.value.len()) <= 1)
        }
        What::Msisdn => session.msisdn.as_deref() == Some(&*said.value),
        What::Position => false,
    }
}

fn alert(subject: Subject, peer: Peer, port: u16, leak: &Leak, trace: Trace<'_>) -> Option<Alert> {
    let session = match subject {
        Subject::Session(id) => trace.sessions.get(id),
        Subject::Host(_) => None,
    };
    let own = |said: &Said| session.is_some_and(|session| is_own(said, session));
    let mut things: Vec<&Said> = leak.said.iter().filter(|s| s.labelled || own(s)).collect();
    things.sort();
    // The same number called by its name and not.
    things.dedup_by(|a, b| (a.what, &a.value) == (b.what, &b.value));
    let has = |what: What| things.iter().any(|s| s.what == what);
    let first = *things.first()?;
    let severity = match () {
        () if has(What::Imsi) || has(What::Msisdn) => Severity::High,
        // Where it is and who it is together follow somebody around.
        () if has(What::Position) && things.iter().any(|s| s.what != What::Position) => Severity::High,
        () if has(What::Position) || has(What::Iccid) => Severity::Medium,
        () => Severity::Low,
    };
    let tell = |s: &Said| match s.what {
        What::Imei => format!("{} IMEI {}", if own(s) { "its" } else { "an" }, s.value),
        What::Imsi => format!("{} IMSI {}", if own(s) { "its" } else { "an" }, s.value),
        What::Iccid => format!("{} card's number, ICCID {}", if own(s) { "its" } else { "a" }, s.value),
        What::Msisdn => format!("{} telephone number, MSISDN {}", if own(s) { "its" } else { "a" }, s.value),
        What::Position => format!("a position, near {}", s.value.replace(',', ", ")),
    };
    let peer = match (peer, port) {
        (Peer::Name(name), port) => format!("{}:{port}", trace.words.get(name)),
        (Peer::At(addr), 0) => addr.ip().to_string(),
        (Peer::At(addr), port) => SocketAddr::new(addr.ip(), port).to_string(),
    };
    let by = leak.app.map_or(String::new(), |app| format!(" by {}", app.name()));
    Some(Alert {
        about: &ABOUT,
        subject,
        severity,
        score: 1.0,
        terms: vec![
            Term { term: "things_said", value: things.len() as f64, threshold: 1.0 },
            Term { term: "own", value: things.iter().filter(|s| own(s)).count() as f64, threshold: 0.0 },
        ],
        reason: Reason {
            did: format!("said {} in clear to {peer}{by}", tell(first)),
            more: things.iter().skip(1).map(|s| format!("It also said {}", tell(s))).collect(),
            remedies: vec![
                "Have the device speak TLS or DTLS with that server".to_owned(),
                "Put what it says into a tunnel of your own (a private access point, IPsec) until it does".to_owned(),
                "Have it give itself a name that says nothing of device or subscription".to_owned(),
            ],
            clears_when: "The device says it encrypted, or no longer".to_owned(),
            stake: things.iter().map(|s| Stake::from(s.what)).max(),
        },
        peer: Some(peer),
        ends: Ends::Peer,
        threats: &["surveillance"],
        first: leak.first,
        at: leak.at,
        last: leak.last,
        flows: leak.flows,
        frames: leak.frames,
    })
}

impl Detector for Cleartext {
    fn hears(&self) -> Hears {
        Hears::ANSWERED.and(Hears::ACTIVE).and(Hears::END)
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, _: &Given, words: &Words) {
        match event {
            Event::Answered(flow) | Event::Active(flow) if flow.names.said.is_some() => self.hear(flow, false, words),
            Event::End(flow, _) => {
                let count = match flow.seen.has(Seen::FIRSTS) || flow.seen.has(Seen::HTTP) {
                    true => &mut self.tally.judged,
                    false => &mut self.tally.blind,
                };
                *count = count.saturating_add(1);
                self.hear(flow, true, words);
            }
            _ => {}
        }
    }

    fn found(&self, _: &Given, trace: Trace<'_>) -> Vec<Alert> {
        // Another module is no more outside than this one.
        let is_module = |to: Addr, at: Micros| matches!(trace.sessions.of_addresses(to, to, at), Owner::Session(..));
        let outside = self.leaks.iter().filter(|(_, (to, leak))| !is_module(*to, leak.last));
        outside.filter_map(|((subject, peer, port), (_, leak))| alert(*subject, *peer, *port, leak, trace)).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
