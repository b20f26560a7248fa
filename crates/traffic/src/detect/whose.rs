//! Whose a conversation is, in words of the processor.
//!
//! Each detector looks at each conversation for what it knows of whoever has it, mostly far away in memory. A processor goes on with the next
//! meanwhile, unless it reads as a whole what it has just written in parts: that waits until everything before it is written, however far away.
//! A [`Subject`] is such a thing, with its kind in one byte and an address behind it; this is three words, which stay apart.

use std::hash::{Hash, Hasher};

use super::Subject;
use crate::cellular::sessions::Id;
use crate::flow::Flow;
use crate::packet::Addr;

/// A [`Subject`] by which it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whose {
    high: u64,
    low: u64,
    /// 1 for a session.
    session: u64,
}

impl Hash for Whose {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.high);
        hasher.write_u64(self.low ^ self.session);
    }
}

impl Whose {
    /// The session's where the module began it, else that of the address that did.
    pub fn of(flow: &Flow) -> Self {
        match flow.session {
            Some(id) if !flow.inbound => Self::session(id),
            _ => Self::host(flow.key.client),
        }
    }

    pub fn session(id: Id) -> Self {
        Self { high: 0, low: id.0.into(), session: 1 }
    }

    pub fn host(addr: Addr) -> Self {
        let [high, low] = addr.words();
        Self { high, low, session: 0 }
    }

    pub fn subject(self) -> Subject {
        match self.session {
            0 => Subject::Host(Addr::of_words([self.high, self.low])),
            // It was one of 32 bits.
            _ => Subject::Session(Id(self.low as u32)),
        }
    }
}

impl From<Subject> for Whose {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Session(id) => Self::session(id),
            Subject::Host(addr) => Self::host(addr),
        }
    }
}

impl From<&Self> for Whose {
    fn from(whose: &Self) -> Self {
        *whose
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_subject_again() {
        let all = ["192.0.2.7", "::7", "::", "2001:db8::1:2:3", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::1"];
        let hosts = all.map(|text| Subject::Host(Addr::from(text.parse::<std::net::IpAddr>().unwrap())));
        let mut seen = Vec::new();
        for subject in hosts.into_iter().chain([0, 1, 7, u32::MAX].map(|id| Subject::Session(Id(id)))) {
            assert_eq!(Whose::from(subject).subject(), subject);
            assert!(!seen.contains(&Whose::from(subject)), "{subject:?}");
            seen.push(Whose::from(subject));
        }
    }
}
