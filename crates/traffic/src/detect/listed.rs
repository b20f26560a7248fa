//! `indicator`: a conversation with something that stands on a list that the user has.
//!
//! What is looked up: both addresses, names that were asked for and that were given in TLS, QUIC and HTTP, what was asked for by HTTP,
//! fingerprints of the client, and the server's certificate by its hash. One finding is one entry of a list, met by one module or address.

use hashbrown::{HashMap, HashSet};
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Subject, Tally, Term, Trace, who};
use crate::flow::{Event, Flow, Lookup};
use crate::lists::{Indicator, Indicators, Mark};
use crate::names::{App, Names, Word, Words, without_port};
use crate::packet::Addr;
use crate::time::Micros;

const ABOUT: About = About { code: "indicator", version: 3, needs: "a list of indicators", basis: Basis::Listed };

/// Entries that were met by somebody, at once.
const MET: usize = 1 << 16;
/// Names of which it is kept whether they are listed.
const NAMES: usize = 1 << 18;

/// Addresses that showed one fingerprint that are kept.
const ENDS: usize = 64;

/// How an entry was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    /// It called, and was not answered.
    Called,
    /// Its name was asked for, and nothing more was seen.
    Asked,
    /// It was spoken to, and did not answer as far as was seen.
    Tried,
    /// It called, and was answered.
    Answered,
    /// It answered.
    Spoke,
}

#[derive(Clone, Debug)]
struct Met {
    /// The entry, and the name of its list: lists may be read anew.
    indicator: Indicator,
    list: Box<str>,
    how: How,
    first: Micros,
    last: Micros,
    flows: u64,
    frames: (u64, u64),
    bytes: (u64, u64),
    /// Of a fingerprint: with which servers, and whether there were others.
    servers: HashSet<Addr>,
    more: bool,
}

/// See above.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    met: HashMap<(Subject, Mark), Met>,
    /// Whether a name is on a list, at some time.
    names: HashMap<Word, bool>,
    prints: HashMap<Word, bool>,
    /// The lists that these two are of.
    read: u32,
    tally: Tally,
}

/// Whose doing it is: the module's that has anything to do with it, else that of the address that is not listed.
fn subject(flow: &Flow, listed: Addr) -> Subject {
    match flow.session {
        Some(id) => Subject::Session(id),
        None if flow.key.client == listed => Subject::Host(flow.key.server),
        None => who(flow),
    }
}

impl Listed {
    fn end(&mut self, flow: &Flow, given: &Given, words: &Words) {
        let listed = &given.indicators;
        self.tally.judged = self.tally.judged.saturating_add(1);
        let (own, at) = (subject(flow, flow.key.server), Some(flow.start));
        self.meet(own, listed.addr(flow.key.server, at), flow, listed, false);
        self.meet(subject(flow, flow.key.client), listed.addr(flow.key.client, at), flow, listed, true);
        let Names { sni, host, dns, uri, ja3, ja4, sha256, sha1, app, .. } = flow.names;
        // A conversation of DNS is with a resolver: what it asks is told apart.
        let led = dns.filter(|_| app != Some(App::Dns));
        for word in [sni, host, led].into_iter().flatten() {
            let name = without_port(words.get(word));
            if *self.names.entry(word).or_insert_with(|| listed.host(name, None).is_some()) {
                self.meet(own, listed.host(name, at), flow, listed, false);
            }
        }
        for word in [ja3, ja4, sha256, sha1].into_iter().flatten() {
            let print = words.get(word);
            if *self.prints.entry(word).or_insert_with(|| listed.print(print, None).is_some()) {
                self.meet(own, listed.print(print, at), flow, listed, false);
            }
        }
        if let (Some(host), Some(target)) = (host, uri) {
            self.meet(own, listed.url(words.get(host), words.get(target), at), flow, listed, false);
        }
    }

    fn asked(&mut self, lookup: &Lookup<'_>, listed: &Indicators) {
        let subject = lookup.session.map_or(Subject::Host(lookup.client), Subject::Session);
        let Some(met) = self.entry(subject, listed.host(lookup.name, Some(lookup.at)), (lookup.at, lookup.frame), listed) else { return };
        met.how = met.how.max(How::Asked);
        met.flows = met.flows.saturating_add(lookup.asks.into());
    }

    /// `calls`: what is listed began.
    fn meet(&mut self, subject: Subject, number: Option<u32>, flow: &Flow, listed: &Indicators, calls: bool) {
        let how = match (flow.answered() == Some(true), calls) {
            (true, true) => How::Answered,
            (true, false) => How::Spoke,
            (false, true) => How::Called,
            (false, false) => How::Tried,
        };
        let Some(met) = self.entry(subject, number, (flow.start, flow.first_frame), listed) else { return };
        met.last = met.last.max(flow.last);
        met.frames.1 = met.frames.1.max(flow.last_frame);
        met.flows = met.flows.saturating_add(1);
        met.how = met.how.max(how);
        if let Mark::Print(_) = met.indicator.mark {
            let server = flow.key.server;
            if met.servers.len() < ENDS {
                met.servers.insert(server);
            } else {
                met.more |= !met.servers.contains(&server);
            }
        }
        met.bytes = (met.bytes.0.saturating_add(flow.up.bytes), met.bytes.1.saturating_add(flow.down.bytes));
    }

    /// What is kept of somebody who met an entry that counts then.
    fn entry(&mut self, subject: Subject, number: Option<u32>, (at, frame): (Micros, u64), listed: &Indicators) -> Option<&mut Met> {
        let indicator = listed.get(number?, at)?;
        let key = (subject, indicator.mark.clone());
        if self.met.len() >= MET && !self.met.contains_key(&key) {
            self.tally.forgotten = self.tally.forgotten.saturating_add(1);
            return None;
        }
        let met = self.met.entry(key).or_insert_with(|| Met {
            indicator: indicator.clone(),
            list: listed.list(indicator).into(),
            how: How::Called,
            first: at,
            last: at,
            flows: 0,
            frames: (frame, frame),
            bytes: (0, 0),
            servers: HashSet::new(),
            more: false,
        });
        if at < met.first {
            (met.first, met.frames.0) = (at, frame);
        }
        met.last = met.last.max(at);
        met.frames.1 = met.frames.1.max(frame);
        Some(met)
    }
}

fn alert(subject: Subject, met: &Met) -> Alert {
    let Met { indicator, list, .. } = met;
    let mark = &indicator.mark;
    let (did, severity) = match met.how {
        How::Called => (format!("was called by {mark}, and did not answer as far as was seen"), Severity::Info),
        How::Answered => (format!("answered {mark}, which called: {} bytes came, {} were given", met.bytes.0, met.bytes.1), Severity::High),
        How::Asked => (format!("asked for the name of {mark}, and nothing more was seen"), Severity::Medium),
        How::Tried => (format!("tried to speak with {mark}, and no answer was seen"), Severity::Medium),
        How::Spoke => (format!("spoke with {mark}: {} bytes one way, {} the other", met.bytes.0, met.bytes.1), Severity::High),
    };
    let did = match mark {
        // Fingerprints of clients are shorter, or in parts.
        Mark::Print(print) if print.len() >= 40 && !print.contains('_') => {
            format!("spoke with servers whose certificate has the hash {print}")
        }
        Mark::Print(print) => format!("began conversations whose fingerprint is {print}"),
        _ => did,
    };
    let said = indicator.said.as_ref().map_or(String::new(), |said| format!(": {said}"));
    Alert {
        about: &ABOUT,
        subject,
        peer: Some(mark.to_string()),
        ends: if let Mark::Print(_) = mark { Ends::of(&met.servers, met.more) } else { Ends::Peer },
        severity,
        score: 1.0,
        terms: vec![Term { term: "conversations", value: met.flows as f64, threshold: 1.0 }],
        reason: Reason {
            did,
            more: vec![format!("It stands on {list}, {}{said}", indicator.at)],
            remedies: vec![
                "Ask whoever keeps the list why it stands there, and whether it still does".to_owned(),
                "Keep the device from reaching it, and look at what runs on it".to_owned(),
            ],
            clears_when: "The list no longer has it, or it is known why the device speaks with it".to_owned(),
            stake: None,
        },
        threats: &["exfiltration", "disruption"],
        first: met.first,
        at: met.first,
        last: met.last,
        flows: met.flows,
        frames: met.frames,
    }
}

impl Detector for Listed {
    fn hears(&self) -> Hears {
        Hears::END.and(Hears::OTHERS)
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, given: &Given, words: &Words) {
        if given.indicators.is_empty() {
            return;
        }
        if self.read != given.read || self.names.len().max(self.prints.len()) >= NAMES {
            (self.names, self.prints, self.read) = (HashMap::new(), HashMap::new(), given.read);
        }
        match event {
            Event::End(flow, _) => self.end(flow, given, words),
            Event::Lookup(lookup) => self.asked(lookup, &given.indicators),
            Event::Start(_) | Event::Answered(_) | Event::Joined(_) | Event::Active(_) | Event::Broken(_) => {}
        }
    }

    fn copy(&self) -> Option<Box<dyn Detector>> {
        Some(Box::new(self.clone()))
    }

    fn found(&self, _: &Given, _: Trace<'_>) -> Vec<Alert> {
        self.met.iter().map(|((subject, _), met)| alert(*subject, met)).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }

    fn is_given(&self, given: &Given) -> bool {
        !given.indicators.is_empty()
    }
}
