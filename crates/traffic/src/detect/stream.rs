//! `media-uplink`: a device sends a steady stream, as microphones and cameras do.
//!
//! A conversation that goes on is told of each five seconds; what it sent since the last time is one measure. It is a stream where at
//! least [`LONG`] of them in a row lie near each other and what comes back is little. Speech has twenty to sixty-seven packets a second of
//! 40–400 bytes each (20–50 ms of sound: RFC 3551, 7587), and is told of datagrams; anything larger is told as pictures. That a file takes
//! long to send looks the same, so of TCP and QUIC it has to be twice as long.

use hashbrown::HashMap;
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Span, Subject, Tally, Term, Trace, for_many, who};
use crate::cellular::sessions::Id;
use crate::flow::{Event, Flow, Key};
use crate::names::{App, Words};
use crate::packet::{Addr, proto};
use crate::time::Micros;

const ABOUT: About =
    About { code: "media-uplink", version: 1, needs: "packets and bytes of a conversation while it goes on", basis: Basis::Inferred };

/// Conversations that may be one, at once.
const KEPT: usize = 1 << 14;
/// Bytes a second below which it is none: the slowest codecs of speech with their headers.
const SLOW: f64 = 2_000.0;
/// Measures in a row: half a minute.
const LONG: u32 = 6;
/// How far a measure may lie from the mean of those before, as a share of it.
const NEAR: f64 = 0.5;
/// How much more goes up than comes down, of pictures. Those who speak are spoken to.
const UP: f64 = 5.0;
/// Packets a second of speech, and their bytes with headers of IP.
const SPEECH: (std::ops::RangeInclusive<f64>, std::ops::RangeInclusive<f64>) = (15.0..=70.0, 60.0..=440.0);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Speech,
    Pictures,
}

/// A conversation that goes on.
#[derive(Debug)]
struct Track {
    at: Micros,
    bytes: u64,
    packets: u64,
    down: u64,
    /// Measures that lay near each other, and the mean of their bytes and packets a second, and of what came back.
    steady: u32,
    rate: f64,
    pace: f64,
    back: f64,
}

#[derive(Debug)]
struct Found {
    kind: Kind,
    at: Micros,
    rate: f64,
    pace: f64,
    span: Span,
}

/// See above.
#[derive(Debug, Default)]
pub(super) struct Stream {
    tracks: HashMap<(Key, Option<Id>), Track>,
    found: HashMap<(Subject, Addr, u16), Found>,
    tally: Tally,
}

/// What a track is, if it has been steady for long enough.
fn kind(track: &Track, flow: &Flow) -> Option<Kind> {
    let size = track.rate / track.pace.max(1.0);
    let datagrams = flow.key.proto == proto::UDP && flow.names.app != Some(App::Quic);
    if datagrams && track.steady >= LONG && SPEECH.0.contains(&track.pace) && SPEECH.1.contains(&size) {
        return Some(Kind::Speech);
    }
    let least = if datagrams { LONG } else { LONG.saturating_mul(2) };
    let large = size > *SPEECH.1.end() && track.rate >= 8_000.0;
    (track.steady >= least && large && track.rate >= UP * track.back).then_some(Kind::Pictures)
}

impl Stream {
    fn active(&mut self, flow: &Flow) {
        if !matches!(flow.key.proto, proto::TCP | proto::UDP) || for_many(flow.key.server) {
            return;
        }
        let (up, down) = if flow.inbound { (&flow.down, &flow.up) } else { (&flow.up, &flow.down) };
        let key = (flow.key, flow.session);
        let seconds = flow.last.since(flow.start).0 as f64 / 1e6;
        if !self.tracks.contains_key(&key) {
            if (up.bytes as f64) < SLOW * seconds.max(1.0) {
                return;
            }
            if self.tracks.len() >= KEPT {
                self.tally.forgotten = self.tally.forgotten.saturating_add(1);
                return;
            }
        }
        let new = || Track { at: flow.start, bytes: 0, packets: 0, down: 0, steady: 0, rate: 0.0, pace: 0.0, back: 0.0 };
        let track = self.tracks.entry(key).or_insert_with(new);
        let passed = flow.last.since(track.at).0 as f64 / 1e6;
        if passed < 1.0 {
            return;
        }
        let since = |now: u64, before: u64| now.saturating_sub(before) as f64 / passed;
        let (rate, pace, back) = (since(up.bytes, track.bytes), since(up.packets, track.packets), since(down.bytes, track.down));
        (track.at, track.bytes, track.packets, track.down) = (flow.last, up.bytes, up.packets, down.bytes);
        let near = track.steady > 0 && (rate - track.rate).abs() <= NEAR * track.rate && passed < 30.0;
        track.steady = if near { track.steady.saturating_add(1) } else { u32::from(rate >= SLOW) };
        let weight = f64::from(track.steady.max(1));
        let mean = |mean: f64, now: f64| if near { mean + (now - mean) / weight } else { now };
        (track.rate, track.pace, track.back) = (mean(track.rate, rate), mean(track.pace, pace), mean(track.back, back));
        let Some(kind) = kind(track, flow) else { return };
        let (rate, pace) = (track.rate, track.pace);
        let (subject, peer, port) = match flow.session {
            Some(id) if flow.inbound => (Subject::Session(id), flow.key.client, flow.key.server_port),
            _ => (who(flow), flow.key.server, flow.key.server_port),
        };
        if self.found.len() >= KEPT && !self.found.contains_key(&(subject, peer, port)) {
            self.tally.forgotten = self.tally.forgotten.saturating_add(1);
            return;
        }
        let found =
            self.found.entry((subject, peer, port)).or_insert_with(|| Found { kind, at: flow.last, rate, pace, span: Span::new(flow) });
        found.kind = found.kind.min(kind);
        found.span.goes_on(flow);
        (found.rate, found.pace) = (rate, pace);
    }

    fn end(&mut self, flow: &Flow) {
        if self.tracks.remove(&(flow.key, flow.session)).is_none() {
            return;
        }
        let peer = if flow.inbound && flow.session.is_some() { flow.key.client } else { flow.key.server };
        let subject = flow.session.map_or_else(|| who(flow), Subject::Session);
        if let Some(found) = self.found.get_mut(&(subject, peer, flow.key.server_port)) {
            found.span.ends(flow);
        }
    }
}

fn alert((subject, peer, port): &(Subject, Addr, u16), found: &Found) -> Alert {
    let what = match found.kind {
        Kind::Speech => "as speech is sent",
        Kind::Pictures => "as pictures are sent",
    };
    Alert {
        about: &ABOUT,
        subject: *subject,
        peer: Some(std::net::SocketAddr::new(peer.ip(), *port).to_string()),
        ends: Ends::Peer,
        severity: Severity::Low,
        score: 0.7,
        terms: vec![
            Term { term: "bytes_per_second", value: found.rate, threshold: SLOW },
            Term { term: "packets_per_second", value: found.pace, threshold: *SPEECH.0.start() },
        ],
        reason: Reason {
            did: format!(
                "sent a steady stream to {}, {what}: {:.0} bytes and {:.0} packets a second, from {} to {}",
                peer.ip(),
                found.rate,
                found.pace,
                found.span.first,
                found.span.last
            ),
            more: vec!["Whether the device has a microphone or a camera is not known here".to_owned()],
            remedies: vec![
                "Look whether the device has a microphone or a camera, and whether it is meant to send".to_owned(),
                "Write the server down as expected, if it is".to_owned(),
            ],
            clears_when: "It is known what the stream is, or the device has nothing that could hear or see".to_owned(),
            stake: None,
        },
        threats: &["surveillance", "exfiltration"],
        first: found.span.first,
        at: found.at,
        last: found.span.last,
        flows: found.span.flows.max(1),
        frames: found.span.frames,
    }
}

impl Detector for Stream {
    fn hears(&self) -> Hears {
        Hears::ACTIVE.and(Hears::END)
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, _: &Given, _: &Words) {
        match event {
            Event::Active(flow) => self.active(flow),
            Event::End(flow, _) => {
                // A record tells of the whole of it at once: how steady it was does not show.
                let long = flow.last.since(flow.start) > Micros::seconds(i64::from(LONG).saturating_mul(5));
                if flow.seen == crate::flow::Seen::PACKETS {
                    self.tally.judged = self.tally.judged.saturating_add(1);
                } else if long {
                    self.tally.blind = self.tally.blind.saturating_add(1);
                }
                self.end(flow);
            }
            Event::Start(_) | Event::Answered(_) | Event::Lookup(_) | Event::Joined(_) | Event::Broken(_) => {}
        }
    }

    fn found(&self, _: &Given, _: Trace<'_>) -> Vec<Alert> {
        self.found.iter().map(|(of, found)| alert(of, found)).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}
