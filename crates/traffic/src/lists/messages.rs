//! Short messages to modules, as an operator has them on record: to whom, when, and from whom. What they said is nobody's business here.

use hashbrown::HashMap;
use umbilical_core::observation::IdKind;

use crate::cellular::sessions::Session;
use crate::time::Micros;

/// No sender.
const NOBODY: u32 = u32::MAX;

/// A message, under one number of who got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    to: u128,
    at: Micros,
    from: u32,
}

/// A message to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message<'a> {
    /// When it was delivered, or sent.
    pub at: Micros,
    /// Who sent it: digits of a number, or a name; `None`: that is not on record.
    pub from: Option<&'a str>,
}

/// Every message of the tables that were given, at most 2^20.
#[derive(Debug, Default)]
pub struct Messages {
    /// By who got them, then by time.
    all: Vec<Kept>,
    /// Their times.
    times: Vec<Micros>,
    senders: Vec<Box<str>>,
    sender: HashMap<Box<str>, u32>,
    given: bool,
}

/// A kind of number and its digits as one number: leading zeros count.
fn key(kind: IdKind, digits: &str) -> Option<u128> {
    let (tag, digits) = match kind {
        IdKind::Imsi => (1, digits),
        IdKind::Iccid => (2, digits),
        // The last digit checks the others, or is a version.
        IdKind::Imei => (3, digits.get(..14)?),
        IdKind::Msisdn => (4, digits),
        _ => return None,
    };
    let number = format!("1{digits}").parse::<u128>().ok().filter(|n| *n < 1 << 120)?;
    Some(tag << 120 | number)
}

impl Messages {
    /// Messages that are kept.
    pub const MOST: usize = 1 << 20;

    /// Takes a message; gives whether there was room for it. It counts once the table is [closed](Self::close).
    pub fn put(&mut self, to: &[(IdKind, String)], from: Option<&str>, at: Micros) -> bool {
        if self.times.len() >= Self::MOST {
            return false;
        }
        let from = from.map_or(NOBODY, |name| match self.sender.get(name) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.senders.len()).unwrap_or(NOBODY);
                self.senders.push(name.into());
                self.sender.insert(name.into(), number);
                number
            }
        });
        self.all.extend(to.iter().filter_map(|(kind, digits)| Some(Kept { to: key(*kind, digits)?, at, from })));
        self.times.push(at);
        true
    }

    /// A table is over.
    pub fn close(&mut self) {
        self.all.sort_unstable();
        // A message may be on record twice.
        self.all.dedup();
        self.times.sort_unstable();
        self.given = true;
    }

    /// Whether there is any table, though nothing may stand in it.
    pub fn is_given(&self) -> bool {
        self.given
    }

    /// The time of the last one.
    pub fn newest(&self) -> Option<Micros> {
        self.times.last().copied()
    }

    /// Whether there is one to anybody from one time to another.
    pub fn any(&self, from: Micros, to: Micros) -> bool {
        let first = self.times.partition_point(|at| *at < from);
        self.times.get(first).is_some_and(|at| *at <= to)
    }

    /// Those to any number that a session has, by their times.
    pub fn of(&self, session: &Session) -> Vec<Message<'_>> {
        if self.all.is_empty() {
            return Vec::new();
        }
        let Session { imsi, iccid, imei, msisdn, .. } = session;
        let numbers = [(IdKind::Imsi, imsi), (IdKind::Iccid, iccid), (IdKind::Imei, imei), (IdKind::Msisdn, msisdn)];
        let mut out = Vec::new();
        for to in numbers.into_iter().filter_map(|(kind, digits)| key(kind, digits.as_deref()?)) {
            let first = self.all.partition_point(|kept| kept.to < to);
            let own = self.all.get(first..).unwrap_or_default().iter().take_while(|kept| kept.to == to);
            out.extend(own.map(|kept| Message { at: kept.at, from: self.senders.get(kept.from as usize).map(|name| &**name) }));
        }
        out.sort_unstable();
        out.dedup();
        out
    }
}
