//! When sessions spoke, and with whom they began to.

use hashbrown::HashMap;

use crate::cellular::sessions::Id;
use crate::flow::Flow;
use crate::learn::goes_out;
use crate::lists::Messages;
use crate::names::{App, Word, dns};
use crate::packet::Addr;
use crate::time::Micros;

/// Who said nothing for so long is silent.
pub(super) const QUIET: Micros = Micros::seconds(600);
/// Who speaks within so long behind a message speaks behind it.
pub(in crate::detect) const BEHIND: Micros = Micros::seconds(120);
/// What begins within so long of the first word belongs to it.
const AWAKE: Micros = Micros::seconds(60);
/// Times of speaking that are kept, and conversations of each.
const BOUTS: usize = 1 << 18;
const TALKS: usize = 8;

/// A conversation that a module began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Talk {
    pub at: Micros,
    pub last: Micros,
    pub frames: (u64, u64),
    pub addr: Addr,
    pub port: u16,
    pub name: Option<Word>,
    /// Names were asked for, and nothing more.
    pub resolver: bool,
}

impl Talk {
    fn of(flow: &Flow) -> Self {
        let names = &flow.names;
        let resolver = names.app == Some(App::Dns) || dns::is_port(flow.key.server_port);
        Self {
            at: flow.start,
            last: flow.last,
            frames: (flow.first_frame, flow.last_frame),
            addr: flow.key.server,
            port: flow.key.server_port,
            name: names.sni.or(names.host).or(names.dns).filter(|_| !resolver),
            resolver,
        }
    }

    fn is_with(&self, other: &Self) -> bool {
        (self.addr, self.port, self.name) == (other.addr, other.port, other.name)
    }
}

/// A time in which somebody spoke, with no silence in it.
#[derive(Clone, Debug)]
pub(super) struct Bout {
    pub from: Micros,
    pub to: Micros,
    /// What it began with.
    pub talks: Vec<Talk>,
}

impl Bout {
    /// Takes another that no silence parts from it.
    pub fn join(&mut self, other: &Self) {
        (self.from, self.to) = (self.from.min(other.from), self.to.max(other.to));
        other.talks.iter().for_each(|talk| self.talk(*talk));
        let from = self.from;
        self.talks.retain(|talk| talk.at.since(from) <= AWAKE);
    }

    fn talk(&mut self, talk: Talk) {
        if talk.at.since(self.from) > AWAKE {
            return;
        }
        if let Some(known) = self.talks.iter_mut().find(|known| known.is_with(&talk)) {
            if talk.at < known.at {
                *known = talk;
            }
            return;
        }
        // Names are asked for before anything else: they leave room.
        if self.talks.len() < if talk.resolver { TALKS / 2 } else { TALKS } {
            self.talks.push(talk);
        }
    }
}

/// What is kept of a session.
#[derive(Clone, Debug, Default)]
pub(super) struct Of {
    /// In their order, a silence between each two.
    pub bouts: Vec<Bout>,
    /// Those that are no longer kept, for no message is near them.
    pub gone: u64,
    /// Conversations that it began.
    pub talks: u64,
}

impl Of {
    /// It spoke from one time to another; gives by how many its times grew.
    fn spoke(&mut self, from: Micros, to: Micros) -> isize {
        let apart = |a: Micros, b: Micros| b.since(a) >= QUIET;
        // Mostly the last goes on.
        let first = match self.bouts.last() {
            Some(last) if from >= last.from => self.bouts.len().saturating_sub(usize::from(!apart(last.to, from))),
            _ => self.bouts.partition_point(|bout| apart(bout.to, from)),
        };
        let near = self.bouts.get(first..).unwrap_or_default().iter().take_while(|bout| !apart(to, bout.from)).count();
        let mut one = Bout { from, to, talks: Vec::new() };
        match near {
            0 => self.bouts.insert(first, one),
            1 => {
                let Some(bout) = self.bouts.get_mut(first) else { return 0 };
                bout.join(&one);
            }
            n => {
                self.bouts.drain(first..first.saturating_add(n)).for_each(|bout| one.join(&bout));
                self.bouts.insert(first, one);
            }
        }
        1_isize.saturating_sub_unsigned(near)
    }

    fn began(&mut self, talk: Talk) {
        let after = self.bouts.partition_point(|bout| bout.from <= talk.at);
        if let Some(bout) = after.checked_sub(1).and_then(|n| self.bouts.get_mut(n)) {
            bout.talk(talk);
        }
    }

    /// Forgets the times that no message is near, up to the last message: later ones are yet to be put on record.
    fn forget(&mut self, messages: &Messages, newest: Micros) {
        let early = |at: Micros| Micros(at.0.saturating_sub(BEHIND.0));
        let late = |at: Micros| Micros(at.0.saturating_add(QUIET.0));
        let near: Vec<bool> = self.bouts.iter().map(|b| b.to >= newest || messages.any(early(b.from), late(b.to))).collect();
        // Of one that is kept it counts when that before it ended.
        let mut keep = near.iter().zip(near.iter().skip(1).chain([&true])).map(|(own, next)| *own || *next);
        let before = self.bouts.len();
        self.bouts.retain(|_| keep.next().unwrap_or(true));
        self.gone = self.gone.saturating_add(before.saturating_sub(self.bouts.len()) as u64);
    }
}

/// What is kept of all sessions.
#[derive(Clone, Debug, Default)]
pub(super) struct Bouts {
    pub of: HashMap<Id, Of>,
    kept: usize,
    /// The last message when times were forgotten.
    forgot: Option<Micros>,
    /// The first conversation of the trace, whosever, and the last.
    pub range: Option<(Micros, Micros)>,
    pub forgotten: u64,
}

impl Bouts {
    /// Something of a conversation; `over`: all of it.
    pub fn see(&mut self, flow: &Flow, over: bool, messages: &Messages) {
        self.range = Some(self.range.map_or((flow.start, flow.last), |(a, b)| (a.min(flow.start), b.max(flow.last))));
        let Some(id) = flow.session else { return };
        // Who only is called says nothing.
        if flow.inbound && flow.heard() != Some(true) {
            return;
        }
        if let Some(newest) = messages.newest().filter(|newest| self.kept >= BOUTS && self.forgot != Some(*newest)) {
            self.forgot = Some(newest);
            self.of.values_mut().for_each(|of| of.forget(messages, newest));
            self.kept = self.of.values().map(|of| of.bouts.len()).fold(0, usize::saturating_add);
        }
        let goes_on = || self.of.get(&id).and_then(|of| of.bouts.last()).is_some_and(|bout| flow.start.since(bout.to) < QUIET);
        if self.kept >= BOUTS && !goes_on() {
            self.forgotten = self.forgotten.saturating_add(u64::from(over));
            return;
        }
        let of = self.of.entry(id).or_default();
        self.kept = self.kept.saturating_add_signed(of.spoke(flow.start, flow.last));
        if over && !flow.inbound {
            of.talks = of.talks.saturating_add(1);
            if goes_out(flow) {
                of.began(Talk::of(flow));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use umbilical_core::observation::IdKind;

    use super::*;

    fn times(all: &[(i64, i64)]) -> Of {
        let mut of = Of::default();
        let mut kept = 0;
        for (from, length) in all {
            kept += of.spoke(Micros::seconds(*from), Micros::seconds(from + length));
        }
        assert_eq!(kept, of.bouts.len() as isize);
        of
    }

    fn spoken(of: &Of) -> Vec<(i64, i64)> {
        of.bouts.iter().map(|b| (b.from.0 / 1_000_000, b.to.0 / 1_000_000)).collect()
    }

    #[test]
    fn a_silence_parts_times() {
        assert_eq!(
            spoken(&times(&[(0, 10), (609, 1), (1210, 5), (3000, 0), (2000, 10)])),
            [(0, 610), (1210, 1215), (2000, 2010), (3000, 3000)]
        );
        // What comes late may fill a silence.
        assert_eq!(spoken(&times(&[(0, 10), (1200, 1), (500, 200)])), [(0, 1201)]);
    }

    #[test]
    fn what_no_message_is_near_is_forgotten() {
        let mut of = times(&[(0, 10), (2000, 10), (4000, 10), (6000, 10), (9000, 10)]);
        let mut messages = Messages::default();
        for at in [3900, 8000] {
            assert!(messages.put(&[(IdKind::Imsi, "001010000000001".to_owned())], None, Micros::seconds(at)));
        }
        messages.close();
        of.forget(&messages, Micros::seconds(8000));
        // That before the one behind a message tells how long it was silent; what is later than any message waits for its own.
        assert_eq!((spoken(&of), of.gone), (vec![(2000, 2010), (4000, 4010), (6000, 6010), (9000, 9010)], 1));
    }

    proptest! {
        #[test]
        fn the_order_in_which_it_is_told_does_not_matter(all in proptest::collection::vec((0..20_000_i64, 0..900_i64), 0..40), seed in any::<u64>()) {
            let mut other = all.clone();
            let length = other.len().max(1);
            other.rotate_left(seed as usize % length);
            if seed % 2 == 0 {
                other.reverse();
            }
            prop_assert_eq!(spoken(&times(&all)), spoken(&times(&other)));
        }
    }
}
