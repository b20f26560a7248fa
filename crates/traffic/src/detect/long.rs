//! `long-connection`: a conversation with somebody outside that lasts for hours.
//!
//! Devices that wait for word from a cloud are connected all day, and that is how MQTT and push work. So where a conversation says whom it
//! is with (a name led there, or it names itself) or which known protocol it speaks, this is for information only. What says neither is told of the more
//! loudly the longer it lasts, at the hours that RITA has: one, four, eight, twelve.

use hashbrown::HashMap;
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Span, Subject, Tally, Term, Trace, for_many, is_inside, who, with_port};
use crate::flow::{Event, Flow, NTP};
use crate::names::{App, Word, Words, dns};
use crate::packet::Addr;
use crate::time::Micros;

const ABOUT: About = About { code: "long-connection", version: 1, needs: "when each conversation began and ended", basis: Basis::Observed };

/// Hours, and how bad it is behind them where nothing says with whom it is.
const HOURS: [(i64, Severity); 4] = [(1, Severity::Info), (4, Severity::Low), (8, Severity::Low), (12, Severity::Medium)];
const HOUR: Micros = Micros::seconds(3600);
/// Pairs at once.
const PAIRS: usize = 8192;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Peer {
    Name(Word),
    Addr(Addr),
}

type To = (Peer, u16, u8);

#[derive(Clone, Debug)]
struct Pair {
    longest: Micros,
    /// It names itself, or its protocol is known.
    known: bool,
    app: Option<App>,
    bytes: u64,
    span: Span,
}

/// See above.
#[derive(Clone, Debug, Default)]
pub(super) struct Long {
    pairs: HashMap<(To, Subject), Pair>,
    tally: Tally,
}

impl Long {
    fn end(&mut self, flow: &Flow) {
        let key = flow.key;
        let outside = !is_inside(key.server) && !flow.inbound && !for_many(key.server) && !for_many(key.client);
        if !outside || dns::is_port(key.server_port) || key.server_port == NTP {
            return;
        }
        self.tally.judged = self.tally.judged.saturating_add(1);
        let lasted = flow.last.since(flow.start);
        if lasted < HOUR || flow.answered() == Some(false) {
            return;
        }
        let names = &flow.names;
        let name = names.sni.or(names.host).or(names.dns);
        let of = ((name.map_or(Peer::Addr(key.server), Peer::Name), key.server_port, key.proto), who(flow));
        if self.pairs.len() >= PAIRS && !self.pairs.contains_key(&of) {
            let before = self.pairs.len();
            self.pairs.retain(|_, pair| !pair.known && pair.longest >= Micros::seconds(4 * 3600));
            self.tally.forgotten = self.tally.forgotten.saturating_add(before.saturating_sub(self.pairs.len()) as u64);
            if self.pairs.len() >= PAIRS {
                self.tally.forgotten = self.tally.forgotten.saturating_add(1);
                return;
            }
        }
        let pair =
            self.pairs.entry(of).or_insert_with(|| Pair { longest: Micros(0), known: false, app: None, bytes: 0, span: Span::new(flow) });
        pair.longest = pair.longest.max(lasted);
        pair.known |= name.is_some() || names.app.is_some();
        pair.app = pair.app.or(names.app);
        pair.bytes = pair.bytes.saturating_add(flow.up.bytes).saturating_add(flow.down.bytes);
        pair.span.ends(flow);
    }
}

impl Pair {
    fn alert(&self, (peer, port, _): To, subject: Subject, words: &Words) -> Alert {
        let name = match peer {
            Peer::Name(word) => format!("{}:{port}", words.get(word)),
            Peer::Addr(addr) => with_port(addr, port),
        };
        let hours = self.longest.0 as f64 / HOUR.0 as f64;
        let reached = HOURS.iter().rev().find(|(least, _)| hours >= *least as f64);
        let severity = reached.map_or(Severity::Info, |(_, severity)| if self.known { Severity::Info } else { *severity });
        let least = reached.map_or(1, |(least, _)| *least);
        let more = match (self.known, self.app) {
            (true, Some(app)) => format!("It speaks {}, {} bytes in all", app.name(), self.bytes),
            (true, None) => format!("A name led there, {} bytes in all", self.bytes),
            (false, _) => format!("No name led there and its protocol is not known, {} bytes in all", self.bytes),
        };
        Alert {
            about: &ABOUT,
            subject,
            peer: Some(name.clone()),
            ends: Ends::Peer,
            severity,
            score: (hours / 24.0).clamp(0.25, 1.0),
            terms: vec![Term { term: "hours", value: hours, threshold: least as f64 }],
            reason: Reason {
                did: format!("was connected with {name} for {hours:.1} hours"),
                more: vec![more],
                remedies: vec![
                    "Ask the device's maker what it keeps connected there, and write the answer down".to_owned(),
                    "Let the device reach only what it needs, and drop the rest at the gateway".to_owned(),
                ],
                clears_when: "It is known what the device is connected with and why".to_owned(),
                stake: None,
            },
            threats: &["surveillance"],
            first: self.span.first,
            at: self.span.first.plus(HOUR),
            last: self.span.last,
            flows: self.span.flows,
            frames: self.span.frames,
        }
    }
}

impl Detector for Long {
    fn hears(&self) -> Hears {
        Hears::END
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, _: &Given, _: &Words) {
        if let Event::End(flow, _) = event {
            self.end(flow);
        }
    }

    fn copy(&self) -> Option<Box<dyn Detector>> {
        Some(Box::new(self.clone()))
    }

    fn found(&self, _: &Given, trace: Trace<'_>) -> Vec<Alert> {
        self.pairs.iter().map(|((to, subject), pair)| pair.alert(*to, *subject, trace.words)).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
