//! What a detector says.

use std::cmp::Ordering;

use serde_json::json;
use umbilical_core::finding::{self, Finding, Severity};
use umbilical_core::id::content_id;

use super::About;
use crate::cellular::Ue;
use crate::cellular::sessions::Id;
use crate::names::identity::What;
use crate::packet::Addr;
use crate::time::Micros;

/// The kind of which one has one finding, whatever it is about: whom a scan is about is not known until it is over.
const OF_ITS_SUBJECT: &str = "scan";

/// Whose doing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A module's on the network.
    Session(Id),
    /// An address's.
    Host(Addr),
}

/// A measure against the value from which it counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// Its name.
    pub term: &'static str,
    /// What was measured.
    pub value: f64,
    /// From where it counts.
    pub threshold: f64,
}

/// What may be at stake: what somebody may have learnt, or may do. The order is that of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stake {
    /// No data: somebody else is harmed, or means are used up.
    Means,
    /// With whom a device speaks, and when.
    Habits,
    /// Which equipment it is.
    Equipment,
    /// What cannot be read, and may be anything.
    Content,
    /// Whose subscription it is.
    Subscriber,
    /// Where it is.
    Position,
    /// What runs on it.
    Firmware,
    /// What it controls.
    Control,
    /// What is said or seen near it.
    Media,
}

impl Stake {
    /// What a kind of finding is about, where it does not say it itself.
    fn of(code: &str) -> Self {
        match code {
            "media-uplink" => Self::Media,
            "inbound-control" | "reached-from-outside" | "brute-force" => Self::Control,
            "fota" => Self::Firmware,
            "identity-change" => Self::Subscriber,
            "dns-tunnel" | "icmp-tunnel" | "ntp-tunnel" | "core-abuse" | "device-to-device" | "indicator" | "dga" => Self::Content,
            "beacon" | "vendor-cloud" | "strobe" | "long-connection" | "new-destination" | "after-silence" | "after-message" => {
                Self::Habits
            }
            "cleartext-identity" => Self::Equipment,
            _ => Self::Means,
        }
    }

    /// In a word.
    fn name(self) -> &'static str {
        match self {
            Self::Means => "means",
            Self::Habits => "habits",
            Self::Equipment => "equipment",
            Self::Content => "content",
            Self::Subscriber => "subscriber",
            Self::Position => "position",
            Self::Firmware => "firmware",
            Self::Control => "control",
            Self::Media => "media",
        }
    }

    /// How much that weighs, 0–1: an order that people can change their minds about, and no measure.
    fn weight(self) -> f64 {
        match self {
            Self::Means => 0.1,
            Self::Habits => 0.3,
            Self::Equipment => 0.4,
            Self::Content => 0.6,
            Self::Subscriber | Self::Position => 0.8,
            Self::Firmware => 0.9,
            Self::Control | Self::Media => 1.0,
        }
    }
}

impl From<What> for Stake {
    fn from(what: What) -> Self {
        match what {
            What::Imei => Self::Equipment,
            What::Imsi | What::Iccid | What::Msisdn => Self::Subscriber,
            What::Position => Self::Position,
        }
    }
}

/// With whom something was, for who writes down with whom it may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ends {
    /// With the peer that the alert names; where it names none, nobody knows.
    #[default]
    Peer,
    /// With these, and nobody else: addresses, each once and in their order.
    All(Vec<Ue>),
    /// With more than are known.
    More,
}

impl Ends {
    /// Of addresses; whether there were more that are not among them.
    pub(super) fn of<'a>(addrs: impl IntoIterator<Item = &'a Addr>, more: bool) -> Self {
        if more {
            return Self::More;
        }
        let mut all: Vec<Ue> = addrs.into_iter().map(|addr| Ue { addr: *addr, bits: 128 }).collect();
        all.sort_unstable();
        all.dedup();
        Self::All(all)
    }

    /// Of both.
    pub(super) fn and(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Peer, Self::Peer) => Self::Peer,
            (Self::All(mut all), Self::All(others)) => {
                all.extend(others);
                all.sort_unstable();
                all.dedup();
                Self::All(all)
            }
            _ => Self::More,
        }
    }
}

/// Why it is said, beyond the measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// A sentence that begins small, behind the name of whose doing it is: `tried 40 addresses …`.
    pub did: String,
    /// Sentences of their own.
    pub more: Vec<String>,
    /// What helps, the least restrictive first.
    pub remedies: Vec<String>,
    /// What would clear it.
    pub clears_when: String,
    /// What is at stake, where that is more than its kind says.
    pub stake: Option<Stake>,
}

/// Something noteworthy.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Who says it.
    pub about: &'static About,
    /// Whose doing it is.
    pub subject: Subject,
    /// To whom: an address or a name, with its port where it is one.
    pub peer: Option<String>,
    /// With whom it was.
    pub ends: Ends,
    /// How bad.
    pub severity: Severity,
    /// 0–1.
    pub score: f64,
    /// The measures.
    pub terms: Vec<Term>,
    /// The rest.
    pub reason: Reason,
    /// Of `surveillance`, `exfiltration`, `disruption`.
    pub threats: &'static [&'static str],
    /// The first conversation of it.
    pub first: Micros,
    /// When it was enough to be said.
    pub at: Micros,
    /// The last.
    pub last: Micros,
    /// Conversations that it rests on.
    pub flows: u64,
    /// Numbers of the first and the last frame of it; 0 where there are none.
    pub frames: (u64, u64),
}

impl Alert {
    /// What is at stake.
    fn stake(&self) -> Stake {
        self.reason.stake.unwrap_or_else(|| Stake::of(self.about.code))
    }

    /// The worst first, of these by what is at stake, then by time.
    pub(super) fn worst_first(&self, other: &Self) -> Ordering {
        let key = |a: &Self| (a.first, a.about.code, a.subject, a.peer.clone());
        (other.severity, other.stake()).cmp(&(self.severity, self.stake())).then_with(|| key(self).cmp(&key(other)))
    }

    /// As every finding is written. A session has its id, which only who numbers them knows.
    pub fn finding(&self, session: impl Fn(Id) -> String) -> Finding {
        let (kind, id, name) = match self.subject {
            Subject::Session(id) => ("session", session(id), format!("The module of {}", session(id))),
            Subject::Host(addr) => ("host", addr.ip().to_string(), addr.ip().to_string()),
        };
        let code = self.about.code;
        let mut because = vec![format!("{name} {}", self.reason.did)];
        because.extend(self.reason.more.iter().cloned());
        if self.frames.0 > 0 {
            because.push(format!("Frames {} to {}", self.frames.0, self.frames.1));
        }
        let round = |n: f64| (n * 10_000.0).round() / 10_000.0;
        let terms: Vec<_> =
            self.terms.iter().map(|t| json!({"term": t.term, "value": round(t.value), "threshold": round(t.threshold)})).collect();
        Finding {
            id: content_id(
                "fnd-",
                code,
                &format!("{kind} {id} {}", self.peer.as_deref().filter(|_| code != OF_ITS_SUBJECT).unwrap_or_default()),
            ),
            code: code.into(),
            source: "detector",
            subject: finding::Subject { kind, id },
            verdict: None,
            severity: self.severity,
            confidence: round(self.score),
            basis: self.about.basis,
            lifecycle: "patchable",
            threats: self.threats.to_vec(),
            first: Some(self.first.to_string()),
            last: Some(self.last.to_string()),
            because,
            remedies: self.reason.remedies.clone(),
            clears_when: self.reason.clears_when.clone(),
            detail: json!({
                "score": round(self.score),
                "peer": self.peer,
                "reasons": terms,
                "detector_version": self.about.version,
                "at": self.at.to_string(),
                "flows": self.flows,
                "frames": (self.frames.0 > 0).then_some([self.frames.0, self.frames.1]),
                "at_stake": self.stake().name(),
                "sensitivity": self.stake().weight(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_weighs_more_is_later_in_the_order() {
        use Stake::{Content, Control, Equipment, Firmware, Habits, Means, Media, Position, Subscriber};
        let all = [Means, Habits, Equipment, Content, Subscriber, Position, Firmware, Control, Media];
        assert!(all.is_sorted() && all.map(Stake::weight).is_sorted());
        assert_eq!([Stake::of("beacon"), Stake::of("scan"), Stake::from(What::Position)], [Habits, Means, Position]);
    }

    /// Whoever adds a detector decides what is at stake, and says so.
    #[test]
    fn the_page_lists_each_detector_where_it_stands() {
        let page = include_str!("../../../../docs/incidents.md");
        for code in finding::DETECTED {
            let row = format!("| `{}`", Stake::of(code).name());
            assert!(page.lines().any(|line| line.starts_with(&row) && line.contains(code)), "{code}");
        }
    }
}
