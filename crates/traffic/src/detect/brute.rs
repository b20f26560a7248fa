//! `brute-force`: many short sessions of about the same size to one place where one signs in.
//!
//! Whoever tries one password after another has as many sessions as tries, and each says about as much as the next: a greeting, a name, a
//! password, a refusal. What a session that is let in says differs. So of each pair and port the sizes of the last sessions are
//! kept, of those alone that are as short as a refusal is. What comes as by a clock and is over long before the next begins is a
//! watchman's look whether the service is there.

use hashbrown::HashMap;
use umbilical_core::finding::Severity;
use umbilical_core::observation::Basis;

use super::stats::{middle, spread};
use super::{About, Alert, Detector, Ends, Given, Hears, Reason, Subject, Tally, Term, Trace, for_many, who, with_port};
use crate::flow::{Event, FIRST, Flow, Half, Seen};
use crate::names::Words;
use crate::packet::{Addr, proto};
use crate::time::Micros;

const ABOUT: About =
    About { code: "brute-force", version: 1, needs: "how long each session lasted, and its bytes each way", basis: Basis::Inferred };

/// Sessions of about the same size, within so long.
const SESSIONS: usize = 10;
const WINDOW: Micros = Micros::seconds(300);
/// About the same: within a tenth of the middle, or so many bytes.
const TENTH: f64 = 0.1;
const NEAR: f64 = 32.0;
/// None lasts longer.
const SHORT: Micros = Micros::seconds(120);
/// Sessions of a pair that are kept.
const KEPT: usize = 24;
/// Pairs at once.
const PAIRS: usize = 1 << 14;
/// A clock: how far its gaps lie from their middle, and how much of them a session takes.
const JITTER: f64 = 0.1;
const BUSY: f64 = 0.5;
/// From so many it is no mistake of a program with an old password.
const MANY: u64 = 100;

/// Where one signs in, and what a refused session is like: bytes of the client, bytes of the server, payloads in all.
struct Door {
    ports: &'static [u16],
    name: &'static str,
    up: (u64, u64),
    down: (u64, u64),
    payloads: u8,
}

const ANY: u8 = FIRST as u8;

/// Sizes are those of the protocols (RFC 959, 854, 1939, 3501, 4253, 6143, MS-TDS, MS-SMB2, MS-RDPBCGR, MySQL and PostgreSQL's protocol
/// pages): greeting, agreement on keys where there is one, some tries, a refusal.
const DOORS: &[Door] = &[
    Door { ports: &[21], name: "FTP", up: (10, 800), down: (20, 3000), payloads: ANY },
    Door { ports: &[22, 2222], name: "SSH", up: (600, 6000), down: (600, 6000), payloads: ANY },
    Door { ports: &[23, 2323], name: "Telnet", up: (6, 2000), down: (6, 4000), payloads: ANY },
    Door { ports: &[110], name: "POP3", up: (10, 600), down: (10, 2000), payloads: 7 },
    Door { ports: &[143], name: "IMAP", up: (10, 600), down: (10, 2000), payloads: 7 },
    Door { ports: &[445], name: "SMB", up: (200, 3000), down: (150, 2000), payloads: ANY },
    Door { ports: &[1433], name: "SQL Server", up: (50, 4000), down: (40, 6000), payloads: ANY },
    Door { ports: &[3306], name: "MySQL", up: (30, 1500), down: (40, 600), payloads: 5 },
    Door { ports: &[3389], name: "RDP", up: (100, 5000), down: (50, 6000), payloads: ANY },
    Door { ports: &[5432], name: "PostgreSQL", up: (8, 800), down: (20, 400), payloads: 6 },
    Door { ports: &[5900, 5901], name: "VNC", up: (12, 200), down: (12, 400), payloads: ANY },
];

/// Ports on which one signs in, by their last six bits: most others differ in these.
const MAYBE: u64 = {
    let (mut all, mut doors) = (0, DOORS);
    while let Some((door, others)) = doors.split_first() {
        let mut ports = door.ports;
        while let Some((port, rest)) = ports.split_first() {
            all |= 1 << (*port & 63);
            ports = rest;
        }
        doors = others;
    }
    all
};

/// Where one signs in on a port.
fn door(port: u16) -> Option<&'static Door> {
    if MAYBE >> (port & 63) & 1 == 0 {
        return None;
    }
    DOORS.iter().find(|door| door.ports.contains(&port))
}

/// A session.
#[derive(Clone, Copy, Debug)]
struct Try {
    start: Micros,
    end: Micros,
    up: f64,
    down: f64,
    frame: u64,
    last_frame: u64,
    /// Whether it is one of those that are told.
    counted: bool,
}

#[derive(Debug, Default)]
struct Pair {
    kept: Vec<Try>,
    /// When there was last one of any size.
    met: Micros,
    /// Sessions that are like those that were enough, from the first of them to the last.
    sessions: u64,
    first: Option<(Micros, u64)>,
    told: Option<Micros>,
    last: Micros,
    last_frame: u64,
    /// The middle of the sizes, and how many were alike.
    sizes: (f64, f64),
    alike: usize,
}

type Of = (Subject, Addr, u16);

/// See above.
#[derive(Debug, Default)]
pub(super) struct Brute {
    pairs: HashMap<Of, Box<Pair>>,
    tally: Tally,
}

/// Bytes that TCP carried; of records without them those of IP less headers with time stamps.
fn carried(flow: &Flow, half: &Half) -> u64 {
    let headers = if flow.key.server.is_v4() { 52 } else { 72 };
    if flow.seen.has(Seen::PAYLOAD) { half.payload } else { half.bytes.saturating_sub(half.packets.saturating_mul(headers)) }
}

impl Brute {
    fn end(&mut self, flow: &Flow) {
        let key = flow.key;
        if key.proto != proto::TCP || for_many(key.server) {
            return;
        }
        let Some(door) = door(key.server_port) else { return };
        // Where a session that is let in has the size of one that is refused, only its payloads tell.
        if !flow.seen.has(Seen::COUNTS) || door.payloads != ANY && !flow.seen.has(Seen::FIRSTS) {
            self.tally.blind = self.tally.blind.saturating_add(1);
            return;
        }
        self.tally.judged = self.tally.judged.saturating_add(1);
        let (up, down) = (carried(flow, &flow.up), carried(flow, &flow.down));
        let fits = |(least, most): (u64, u64), bytes: u64| (least..=most).contains(&bytes);
        let long = flow.last.since(flow.start) > SHORT || flow.seen.has(Seen::FIRSTS) && flow.firsts > door.payloads;
        if long || !fits(door.up, up) || !fits(door.down, down) {
            return;
        }
        let of = (who(flow), key.server, key.server_port);
        if self.pairs.len() >= PAIRS && !self.pairs.contains_key(&of) {
            let before = self.pairs.len();
            self.pairs.retain(|_, pair| pair.told.is_some() || flow.last.since(pair.met) < WINDOW);
            if self.pairs.len() >= PAIRS {
                self.pairs.retain(|_, pair| pair.told.is_some());
            }
            self.tally.forgotten = self.tally.forgotten.saturating_add(before.saturating_sub(self.pairs.len()) as u64);
            if self.pairs.len() >= PAIRS {
                return;
            }
        }
        self.pairs.entry(of).or_default().take(Try {
            start: flow.start,
            end: flow.last,
            up: up as f64,
            down: down as f64,
            frame: flow.first_frame,
            last_frame: flow.last_frame,
            counted: false,
        });
    }
}

impl Pair {
    fn take(&mut self, session: Try) {
        self.kept.retain(|kept| session.start.since(kept.start) < WINDOW);
        if self.kept.len() >= KEPT {
            self.kept.remove(0);
        }
        // In the order of their beginnings: most come in it.
        self.kept.insert(self.kept.partition_point(|kept| kept.start <= session.start), session);
        self.met = self.met.max(session.end);
        if self.kept.len() < SESSIONS {
            return;
        }
        let of = |of: fn(&Try) -> f64| {
            let mut all = [0.0; KEPT];
            all.iter_mut().zip(&self.kept).for_each(|(to, kept)| *to = of(kept));
            middle(all.get_mut(..self.kept.len()).unwrap_or_default())
        };
        let (up, down) = (of(|t| t.up), of(|t| t.down));
        let near = |value: f64, middle: f64| (value - middle).abs() <= (middle * TENTH).max(NEAR);
        let is_alike = |t: &Try| near(t.up, up) && near(t.down, down);
        let alike: Vec<Try> = self.kept.iter().filter(|t| is_alike(t)).copied().collect();
        if alike.len() < SESSIONS || is_clock(&alike) {
            return;
        }
        if self.told.is_none() {
            self.first = alike.first().map(|t| (t.start, t.frame));
            (self.told, self.sizes, self.alike) = (Some(session.end), (up, down), alike.len());
        }
        for one in self.kept.iter_mut().filter(|t| !t.counted && is_alike(t)) {
            one.counted = true;
            self.sessions = self.sessions.saturating_add(1);
            self.last = self.last.max(one.end);
            self.last_frame = self.last_frame.max(one.last_frame);
        }
    }

    fn alert(&self, (subject, to, port): Of) -> Option<Alert> {
        let (at, (first, frame)) = (self.told?, self.first?);
        let door = door(port)?;
        let name = with_port(to, port);
        let module = matches!(subject, Subject::Session(_));
        Some(Alert {
            about: &ABOUT,
            subject,
            peer: Some(name.clone()),
            ends: Ends::Peer,
            severity: if module || self.sessions >= MANY { Severity::High } else { Severity::Medium },
            score: 1.0 - 0.5 * SESSIONS as f64 / self.sessions.max(SESSIONS as u64) as f64,
            terms: vec![
                Term { term: "sessions", value: self.sessions as f64, threshold: SESSIONS as f64 },
                Term { term: "bytes_up", value: self.sizes.0, threshold: door.up.1 as f64 },
                Term { term: "bytes_down", value: self.sizes.1, threshold: door.down.1 as f64 },
            ],
            reason: Reason {
                did: format!("had {} short sessions of {} with {name} that are about the same size", self.sessions, door.name),
                more: vec![format!(
                    "The first {} sent about {:.0} bytes and got {:.0}, as a session does that is refused",
                    self.alike, self.sizes.0, self.sizes.1
                )],
                remedies: vec![
                    "Look in the log of the service whether they were refused".to_owned(),
                    "Let only those reach it who sign in there, and limit how often one may try".to_owned(),
                    "Use keys instead of passwords".to_owned(),
                ],
                clears_when: "The service's log says that they signed in, or the program that keeps an old password has the new one"
                    .to_owned(),
                stake: None,
            },
            threats: &["disruption"],
            first,
            at,
            last: self.last,
            flows: self.sessions,
            frames: (frame, self.last_frame),
        })
    }
}

/// Whether they come as by a clock, with quiet between.
fn is_clock(sessions: &[Try]) -> bool {
    let mut gaps: Vec<f64> = sessions.iter().zip(sessions.iter().skip(1)).map(|(a, b)| b.start.since(a.start).0 as f64 / 1e6).collect();
    let gap = middle(&mut gaps);
    if gap < 1.0 {
        return false;
    }
    let mut lasted: Vec<f64> = sessions.iter().map(|t| t.end.since(t.start).0 as f64 / 1e6).collect();
    gaps.sort_by(f64::total_cmp);
    spread(&gaps) <= gap * JITTER && middle(&mut lasted) <= gap * BUSY
}

impl Detector for Brute {
    fn hears(&self) -> Hears {
        Hears::END.of_only(Hears::TCP)
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn see(&mut self, event: &Event<'_>, _: &Given, _: &Words) {
        if let Event::End(flow, _) = event {
            self.end(flow);
        }
    }

    fn found(&self, _: &Given, _: Trace<'_>) -> Vec<Alert> {
        self.pairs.iter().filter_map(|(of, pair)| pair.alert(*of)).collect()
    }

    fn tally(&self, _: &Given, _: Trace<'_>) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_kept_in_their_order_whichever_ends_first() {
        let mut pair = Pair::default();
        for n in 0..100_i64 {
            let start = Micros::seconds(n * 3 - n * n % 17);
            let end = start.plus(Micros::seconds(3));
            pair.take(Try { start, end, up: 900.0, down: 1200.0, frame: n as u64, last_frame: n as u64, counted: false });
            assert!(pair.kept.len() <= KEPT && pair.kept.is_sorted_by_key(|kept| kept.start), "{n}");
        }
        assert!(pair.told.is_some() && pair.sessions >= SESSIONS as u64);
    }
}
