//! Whose packets are: on traces whose truth was drawn before they were encoded.

use std::collections::HashMap;

use umbilical_synth::mobile::{self, Kind, Plan, What};
use umbilical_traffic::capture;
use umbilical_traffic::cellular::sessions::{Id, Session};
use umbilical_traffic::flow::{Each, Event, Limits};
use umbilical_traffic::names::Words;
use umbilical_traffic::watch::Watch;

/// What a trace gave, against its truth.
#[derive(Debug, Default, PartialEq, Eq)]
struct Score {
    /// Packets whose tunnel some message named, that can be tied to the SIM.
    named: u64,
    /// Of these, attributed to this SIM, module and network.
    right: u64,
    /// Packets attributed to another's.
    wrong: u64,
    /// Packets attributed to a session without a SIM.
    nameless: u64,
}

/// Which messages and tunnels of a session belong together, as far as they were heard.
#[derive(Default)]
struct Heard {
    /// Sets of tokens; whether the SIM is named among them.
    sets: Vec<(Vec<String>, bool)>,
}

impl Heard {
    fn hear(&mut self, tokens: &[String], named: bool) {
        let mut joined = (tokens.to_vec(), named);
        self.sets.retain(|set| {
            let shares = set.0.iter().any(|t| joined.0.contains(t));
            if shares {
                joined.0.extend(set.0.iter().cloned());
                joined.1 |= set.1;
            }
            !shares
        });
        self.sets.push(joined);
    }

    fn names(&self, token: &str) -> bool {
        self.sets.iter().any(|(tokens, named)| *named && tokens.iter().any(|t| t == token))
    }
}

fn score(plan: &Plan) -> (Score, Watch) {
    let trace = mobile::trace(plan);
    let mut heard: HashMap<u32, Heard> = HashMap::new();
    let mut watch = Watch::new(Limits::default());
    let mut out = Score::default();
    let mut before: HashMap<_, u64> = HashMap::new();
    // Where the last packet of a session was counted the next is, too.
    let mut last: HashMap<u32, Id> = HashMap::new();
    for (n, frame) in trace.frames.iter().enumerate() {
        let one = capture::Frame {
            number: n as u64 + 1,
            at: umbilical_traffic::time::Micros(frame.at),
            link: umbilical_traffic::link::Link::ETHERNET,
            bytes: &frame.bytes,
            length: frame.bytes.len() as u32,
        };
        watch.frame(&one, &mut |_: Event<'_>, _: &Words| {});
        match &frame.what {
            What::Signal { tokens, named } => heard.entry(frame.session).or_default().hear(tokens, *named),
            What::User { token, .. } => {
                let truth = &trace.sessions[frame.session as usize];
                let named = heard.get(&frame.session).is_some_and(|h| h.names(token));
                out.named += u64::from(named);
                // The session that counted it.
                let grew = |id: Id, s: &Session| s.packets > before.get(&id).copied().unwrap_or(0);
                let again = last.get(&frame.session).and_then(|id| Some((*id, watch.sessions.get(*id)?))).filter(|(id, s)| grew(*id, s));
                let found = again.or_else(|| watch.sessions.iter().find(|(id, s)| grew(*id, s)));
                let Some((id, session)) = found else { continue };
                last.insert(frame.session, id);
                before.insert(id, session.packets);
                match &session.imsi {
                    None => out.nameless += 1,
                    Some(imsi) if *imsi == truth.imsi && session.apn.as_deref() == Some(truth.apn) => {
                        assert!(truth.imei.starts_with(session.imei.as_ref().unwrap().get(..14).unwrap()));
                        out.right += u64::from(named);
                    }
                    Some(_) => out.wrong += 1,
                }
            }
        }
    }
    watch.finish(&mut |_, _| {});
    (out, watch)
}

#[test]
fn every_packet_has_its_module_where_nothing_is_lost() {
    let plan = Plan { seed: 1, sessions: 400, loss: 0, packets: 10 };
    let (score, watch) = score(&plan);
    let named = mobile::trace(&plan).sessions.iter().filter(|s| s.kind != Kind::Nameless).count() as u64;
    assert_eq!(score, Score { named: named * 10, right: named * 10, wrong: 0, nameless: (400 - named) * 10 });
    assert_eq!((watch.counters.unattributed, watch.counters.tunnelled), (0, 4000));
    assert_eq!(watch.sessions.iter().count(), 400);
    assert!(watch.sessions.iter().all(|(_, s)| s.ended));
}

#[test]
fn what_is_lost_costs_its_own_packets_and_nobody_gets_anothers() {
    for seed in 0..8 {
        let (score, watch) = score(&Plan { seed, sessions: 400, loss: 50, packets: 10 });
        assert_eq!((score.right, score.wrong), (score.named, 0), "{seed}: {score:?} {:?}", watch.counters);
        assert!(score.named > 2000, "{score:?}");
    }
}

/// The bar: ten thousand sessions, one message in twenty lost.
#[test]
#[ignore = "a minute; `cargo nextest run -p umbilical-traffic --run-ignored only`"]
fn ten_thousand_sessions_with_losses() {
    let (score, watch) = score(&Plan { seed: 10_000, sessions: 10_000, loss: 50, packets: 10 });
    println!("{score:?} {:?} orphans {}", watch.counters, watch.sessions.orphans);
    assert_eq!((score.right, score.wrong), (score.named, 0));
    assert!(score.named > 75_000, "{score:?}");
}

/// A tunnel that nobody named may hold anybody's packets, with whatever addresses: they are no part of a known conversation.
#[test]
fn what_nobody_named_joins_no_conversation() {
    let trace = mobile::trace(&Plan { seed: 4, sessions: 1, loss: 0, packets: 4 });
    for foreign_first in [false, true] {
        let mut watch = Watch::new(Limits::default());
        let mut ends = Vec::new();
        let mut each = |event: Event<'_>, _: &Words| {
            if let Event::End(flow, _) = event {
                ends.push(flow.clone());
            }
        };
        let mut number = 0;
        let mut one = |watch: &mut Watch, bytes: &[u8], at: i64, each: Each<'_>| {
            number += 1;
            let at = umbilical_traffic::time::Micros(at);
            let link = umbilical_traffic::link::Link::ETHERNET;
            watch.frame(&capture::Frame { number, at, link, bytes, length: bytes.len() as u32 }, each);
        };
        for frame in &trace.frames {
            let mut foreign = frame.bytes.clone();
            if matches!(frame.what, What::User { .. }) {
                // The number of the tunnel stands behind Ethernet, IP, UDP and four bytes.
                foreign[46..50].copy_from_slice(&0x9999u32.to_be_bytes());
                if foreign_first {
                    one(&mut watch, &foreign, frame.at, &mut each);
                }
            }
            one(&mut watch, &frame.bytes, frame.at, &mut each);
            if matches!(frame.what, What::User { .. }) && !foreign_first {
                one(&mut watch, &foreign, frame.at, &mut each);
            }
        }
        watch.finish(&mut each);
        let user: Vec<_> = ends.iter().filter(|f| f.key.server_port == 5683 || f.key.client_port == 5683).collect();
        let mut seen: Vec<_> = user.iter().map(|f| (f.session.is_some(), f.packets())).collect();
        seen.sort();
        assert_eq!(seen, [(false, 4), (true, 4)], "{foreign_first}");
        assert_eq!(watch.counters.unattributed, 4);
    }
}
