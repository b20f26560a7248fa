//! `fota`: something that looks like firmware came to a device.
//!
//! What looks so: half a megabyte or more, over one or many conversations (pieces asked for by range), from a server or a target that
//! says so in its name, or that begins as what is made for a device's flash does. What is said of it: whether it came outside of every window that is written down for the device, in clear text,
//! or from a server that is none of those that are written down. A download of a program is none: names of operating systems and of
//! stores say nothing of firmware.

use std::collections::BTreeMap;

use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::cloud::{is_open, server};
use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Span, Subject, Tally, Term, Trace, who};
use crate::flow::{Event, Flow};
use crate::lists::{Scope, Server};
use crate::names::{Body, Sort, Word, Words};
use crate::packet::Addr;
use crate::time::Micros;

const ABOUT: About = About { code: "fota", version: 2, needs: "names of servers, and bytes each way", basis: Basis::Inferred };

/// Bytes from which on it is a download (differences between two versions are seldom smaller).
const LARGE: u64 = 500_000;
/// Bytes of one conversation below which they are no piece of a download.
const LITTLE: u64 = 16_384;
/// Downloads that are over, at once.
const OVER: usize = 1 << 14;
/// Quiet behind which what comes is another.
const QUIET: Micros = Micros::seconds(3600);
/// Downloads at once.
const KEPT: usize = 1 << 15;
/// Labels of a name, or parts of a target, that say it: over-the-air updates as makers, FUMO (OMA DM) and update servers call them.
const WORDS: [&str; 17] = [
    "fota",
    "dfota",
    "ota",
    "rsota",
    "hota",
    "firmware",
    "fwupdate",
    "fwupgrade",
    "fumo",
    "omadm",
    "adups",
    "abupdate",
    "redbend",
    "hawkbit",
    "swupdate",
    "fw",
    "dfu",
];
/// Ends of a target that say it.
const ENDS: [&str; 9] = [".dfota", ".fota", ".swu", ".mender", ".raucb", ".delta", ".ubi", ".squashfs", ".pac"];

/// Whether a name or a target says that firmware is had there.
fn says(text: &str) -> bool {
    let low = text.to_ascii_lowercase();
    let target = low.split(['?', '#']).next().unwrap_or_default();
    low.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| WORDS.contains(&part)) || ENDS.iter().any(|end| target.ends_with(end))
}

#[derive(Clone, Debug)]
struct Pull {
    at: Option<Micros>,
    up: u64,
    down: u64,
    open: bool,
    body: Option<Body>,
    target: Option<Word>,
    /// Hashes of certificates that were shown.
    certificates: Vec<(Option<Word>, Option<Word>)>,
    addrs: Vec<Addr>,
    /// Whether there were others.
    more: bool,
    span: Span,
}

/// Addresses of one server that are kept.
const ADDRS: usize = 16;

/// See above.
#[derive(Clone, Debug, Default)]
pub(super) struct Fota {
    pulls: BTreeMap<(Subject, Box<str>), Pull>,
    over: Vec<((Subject, Box<str>), Pull)>,
    /// What names say, as far as they were asked.
    said: hashbrown::HashMap<Word, bool>,
    tally: Tally,
}

/// Names of which it is kept what they say.
const NAMES: usize = 1 << 17;

impl Fota {
    fn end(&mut self, flow: &Flow, given: &Given, words: &Words) {
        // To ask whether there is an update brings little, a handshake of TLS included; a piece that is asked for by range may be as small.
        if flow.down.bytes < LITTLE && flow.names.body != Some(Body::Part) {
            return;
        }
        let Some(name) = server(flow, words) else { return };
        self.tally.judged = self.tally.judged.saturating_add(1);
        let names = &flow.names;
        if self.said.len() >= NAMES {
            self.said.clear();
        }
        let mut told = |word: Option<Word>| word.is_some_and(|word| *self.said.entry(word).or_insert_with(|| says(words.get(word))));
        let by_name = told(names.sni.or(names.host).or(names.dns)) || told(names.uri);
        let known = given.expected.servers.iter().any(|s| s.has(name));
        let by_body = names.body.filter(|body| body.sort() == Sort::Firmware);
        let of_updates =
            by_name || known || by_body.is_some() || given.operators.named(name).is_some_and(|(_, endpoint)| says(&endpoint.what));
        let key = (who(flow), Box::from(name));
        // What follows a first piece is more of it.
        if !of_updates && !self.pulls.contains_key(&key) {
            return;
        }
        if let Some(pull) = self.pulls.get(&key)
            && flow.start.since(pull.span.last) > QUIET
            && let Some(pull) = self.pulls.remove(&key)
        {
            if pull.at.is_some() && self.over.len() < OVER {
                self.over.push((key.clone(), pull));
            } else if pull.at.is_some() {
                self.tally.forgotten = self.tally.forgotten.saturating_add(1);
            }
        }
        if self.pulls.len() >= KEPT && !self.pulls.contains_key(&key) {
            self.tally.forgotten = self.tally.forgotten.saturating_add(1);
            return;
        }
        let pull = self.pulls.entry(key).or_insert_with(|| Pull {
            at: None,
            up: 0,
            down: 0,
            open: false,
            body: None,
            target: None,
            certificates: Vec::new(),
            addrs: Vec::new(),
            more: false,
            span: Span::new(flow),
        });
        pull.up = pull.up.saturating_add(flow.up.bytes);
        pull.down = pull.down.saturating_add(flow.down.bytes);
        pull.open |= is_open(flow);
        pull.body = pull.body.or(by_body);
        pull.target = pull.target.or(names.uri);
        let shown = (names.sha1, names.sha256);
        if shown != (None, None) && pull.certificates.len() < ADDRS && !pull.certificates.contains(&shown) {
            pull.certificates.push(shown);
        }
        pull.span.ends(flow);
        if !pull.addrs.contains(&flow.key.server) {
            if pull.addrs.len() < ADDRS {
                pull.addrs.push(flow.key.server);
            } else {
                pull.more = true;
            }
        }
        if pull.down >= LARGE {
            pull.at = pull.at.or(Some(flow.last));
        }
    }
}

/// Where a server that is written down was against that: addresses at which it is not expected, and those of which it could not be told
/// in which autonomous system they are.
fn stood(server: &Server, pull: &Pull, given: &Given) -> (Vec<String>, Vec<String>) {
    let (mut elsewhere, mut unknown) = (Vec::new(), Vec::new());
    for addr in &pull.addrs {
        let system = given.places.get(addr).and_then(|place| place.asn);
        let outside = !server.networks.is_empty() && !server.networks.iter().any(|network| network.holds(*addr));
        match system {
            Some(system) if !server.systems.is_empty() && !server.systems.contains(&system) => {
                elsewhere.push(format!("{} (AS{system})", addr.ip()));
            }
            _ if outside => elsewhere.push(addr.ip().to_string()),
            None if !server.systems.is_empty() => unknown.push(addr.ip().to_string()),
            _ => {}
        }
    }
    (elsewhere, unknown)
}

fn alert((subject, name): &(Subject, Box<str>), pull: &Pull, given: &Given, trace: Trace<'_>) -> Option<Alert> {
    let at = pull.at?;
    let own = |scope: &Scope| match *subject {
        Subject::Session(id) => trace.sessions.get(id).is_some_and(|session| scope.has(session)),
        Subject::Host(addr) => scope.has_addr(addr),
    };
    let mut windows = given.expected.windows.iter().filter(|w| own(&w.who)).peekable();
    let planned = windows.peek().is_some();
    let inside = windows.any(|w| w.holds(pull.span.first));
    let servers = &given.expected.servers;
    let pinned = servers.iter().find(|s| s.has(name));
    let (elsewhere, unknown) = pinned.map(|server| stood(server, pull, given)).unwrap_or_default();
    let hash = |word: Option<Word>| word.map(|word| trace.words.get(word));
    let other = |server: &Server| {
        let fits = |word: Option<Word>| hash(word).is_some_and(|hash| server.certificates.iter().any(|c| c == hash));
        let other = pull.certificates.iter().find(|(sha1, sha256)| !fits(*sha1) && !fits(*sha256))?;
        (!server.certificates.is_empty()).then(|| hash(other.1).or(hash(other.0)).unwrap_or_default().to_owned())
    };
    let mut more = Vec::new();
    let mut severity = Severity::Low;
    if let Some(body) = pull.body {
        more.push(format!("It begins as {} does", body.name()));
    }
    if let Some(certificate) = pinned.and_then(other) {
        severity = severity.max(Severity::High);
        more.push(format!("The update server showed another certificate than those written down: {certificate}"));
    }
    if pull.open {
        severity = severity.max(Severity::Medium);
        more.push("It came in clear text: anybody on the way could read and change it".to_owned());
    }
    if planned && !inside {
        severity = severity.max(Severity::High);
        more.push(format!("It began at {}, outside of every window for updates of this device", pull.span.first));
    }
    if !servers.is_empty() && pinned.is_none() {
        severity = severity.max(Severity::High);
        more.push("The server is none of the update servers that are written down".to_owned());
    }
    if !elsewhere.is_empty() {
        severity = severity.max(Severity::High);
        more.push(format!("The update server was at {}, where it is not expected", elsewhere.join(", ")));
    }
    if !unknown.is_empty() {
        let addrs = unknown.join(", ");
        more.push(format!(
            "No database that was given says in which autonomous system {addrs} is: whether it is one written down is not known"
        ));
    }
    if pull.more && pinned.is_some_and(|server| !server.networks.is_empty() || !server.systems.is_empty()) {
        more.push(format!("It was at more than {ADDRS} addresses: the others were not held against what is written down"));
    }
    if let Some((domain, endpoint)) = given.operators.named(name) {
        let whose = endpoint.operator.as_ref().map_or(String::new(), |o| format!(", operated by {}", o.name));
        more.push(format!("{domain} is {}{whose}", endpoint.what));
    }
    if !planned {
        more.push("No window for updates of this device is written down, so none was missed".to_owned());
    }
    let target = pull.target.map(|word| umbilical_core::text::short(trace.words.get(word), 100).to_string());
    Some(Alert {
        about: &ABOUT,
        subject: *subject,
        peer: Some(name.to_string()),
        ends: Ends::Peer,
        severity,
        score: 1.0,
        terms: vec![
            Term { term: "bytes_down", value: pull.down as f64, threshold: LARGE as f64 },
            Term { term: "outside_window", value: f64::from(u8::from(planned && !inside)), threshold: 1.0 },
            Term { term: "clear_text", value: f64::from(u8::from(pull.open)), threshold: 1.0 },
        ],
        reason: Reason {
            did: format!(
                "got {} bytes of what looks like firmware from {name}{} in {} conversations",
                pull.down,
                target.map_or(String::new(), |t| format!(", first {t}")),
                pull.span.flows
            ),
            more,
            remedies: vec![
                "Ask whoever runs the device whether an update was planned, and check the version that it has now".to_owned(),
                "Have updates come through a server of your own, signed, in a window".to_owned(),
            ],
            clears_when: "The update was planned and its version is known to be good".to_owned(),
            stake: None,
        },
        threats: &["disruption", "surveillance"],
        first: pull.span.first,
        at,
        last: pull.span.last,
        flows: pull.span.flows,
        frames: pull.span.frames,
    })
}

impl Detector for Fota {
    fn hears(&self) -> Hears {
        Hears::END
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, given: &Given, words: &Words) {
        if let Event::End(flow, _) = event {
            self.end(flow, given, words);
        }
    }

    fn copy(&self) -> Option<Box<dyn Detector>> {
        Some(Box::new(self.clone()))
    }

    // Those of servers whose autonomous system is written down.
    fn asks(&self, given: &Given) -> Vec<Addr> {
        let servers: Vec<&Server> = given.expected.servers.iter().filter(|s| !s.systems.is_empty()).collect();
        if servers.is_empty() {
            return Vec::new();
        }
        let all = self.over.iter().map(|(key, pull)| (key, pull)).chain(&self.pulls);
        let pinned = all.filter(|((_, name), pull)| pull.at.is_some() && servers.iter().any(|s| s.has(name)));
        pinned.flat_map(|(_, pull)| &pull.addrs).copied().collect()
    }

    fn found(&self, given: &Given, trace: Trace<'_>) -> Vec<Alert> {
        let over = self.over.iter().map(|(key, pull)| (key, pull));
        over.chain(&self.pulls).filter_map(|(key, pull)| alert(key, pull, given, trace)).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
