//! Protocols of which each payload is looked at: echoes of ICMP, whose answer is the question again, and NTP, whose messages have few shapes.
//!
//! What programs that ping send is regular: a time and what tells one sender from another first (24 bytes at most: iputils, BSD, fping,
//! Go), then bytes that count up, repeat each few, or are the same each time. What carries something else is not.

use crate::flow::Key;
use crate::link::u16_at;
use crate::packet::{Datagram, proto};

/// What was counted since a conversation was last told of as active, or since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Payloads that were looked at: of echoes the questions and the answers, of NTP those of client and server.
    pub looked: (u32, u32),
    /// Payloads of which less was captured than was sent: nothing is said of them.
    pub cut: u32,
    /// Payloads that no program of this protocol sends; of echoes: neither regular nor what the last one carried.
    pub odd: u32,
    /// Of those: with more than 64 bytes.
    pub large: u32,
    /// Bytes of those that are odd.
    pub odd_bytes: u32,
    /// Answers of echoes that are not what any of the last questions carried.
    pub unequal: u32,
    /// Payloads of echoes that hold a packet of IP.
    pub inside: u32,
}

/// One conversation that is looked at closely.
#[derive(Clone, Debug, Default)]
pub struct Close {
    counts: Counts,
    /// The last questions: their length and a digest.
    asked: [(u16, u32); ASKED],
    next: usize,
    /// How the last question began.
    head: Vec<u8>,
    /// Digests of what the last question and the last answer carried behind their heads.
    tails: (Option<u32>, Option<u32>),
}

/// Questions that are remembered.
const ASKED: usize = 8;
/// Bytes of a question that are kept.
const KEPT: usize = 64;
/// Bytes before what is regular.
const HEAD: usize = 24;
/// Less than so many bytes behind it say nothing.
const TAIL: usize = 16;
/// Bytes that are looked at, and how often something may repeat.
const LOOKED: usize = 256;
const PERIODS: usize = 32;
/// From where an echo is large.
const LARGE: usize = 64;
/// Where a packet of IP may begin.
const OFFSETS: usize = 32;

/// NTP's (RFC 5905, 16).
pub(crate) const NTP: u16 = 123;

impl Close {
    /// Whether conversations of this kind are looked at.
    pub(super) fn concerns(key: &Key) -> bool {
        match key.proto {
            proto::ICMP | proto::ICMPV6 => key.server_port == 0,
            proto::UDP => key.server_port == NTP || key.client_port == NTP,
            _ => false,
        }
    }

    /// What was counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(super) fn refresh(&mut self) {
        self.counts = Counts::default();
    }

    pub(super) fn look(&mut self, packet: &Datagram<'_>, from_client: bool) {
        let echo = packet.proto != proto::UDP;
        let question = if echo { matches!(packet.src_port >> 8, 8 | 128) } else { from_client };
        let looked = if question { &mut self.counts.looked.0 } else { &mut self.counts.looked.1 };
        *looked = looked.saturating_add(1);
        if packet.cut {
            self.counts.cut = self.counts.cut.saturating_add(1);
        } else if echo {
            self.echo(packet.payload, question);
        } else if !is_ntp(packet.payload) {
            self.odd(packet.payload);
        }
    }

    fn odd(&mut self, payload: &[u8]) {
        let counts = &mut self.counts;
        counts.odd = counts.odd.saturating_add(1);
        counts.large = counts.large.saturating_add((payload.len() > LARGE).into());
        counts.odd_bytes = counts.odd_bytes.saturating_add(u32::try_from(payload.len()).unwrap_or(u32::MAX));
    }

    fn echo(&mut self, payload: &[u8], question: bool) {
        if (0..OFFSETS).any(|at| payload.get(at..).is_some_and(is_ip)) {
            self.counts.inside = self.counts.inside.saturating_add(1);
        }
        let tail = payload.get(HEAD..).filter(|tail| tail.len() >= TAIL);
        let digest_of_tail = tail.map(digest);
        let whole = (u16::try_from(payload.len()).unwrap_or(u16::MAX), digest(payload));
        let before = if question { &mut self.tails.0 } else { &mut self.tails.1 };
        let changes = before.is_some_and(|before| Some(before) != digest_of_tail);
        *before = digest_of_tail.or(*before);
        let odd = changes && tail.is_some_and(|tail| !is_regular(tail));
        if question {
            if let Some(place) = self.asked.get_mut(self.next) {
                *place = whole;
            }
            self.next = self.next.wrapping_add(1) % ASKED;
            self.head.clear();
            self.head.extend(payload.iter().take(KEPT));
        } else if self.is_answer(payload, whole, odd) {
            // It says nothing that was not asked.
            return;
        } else {
            self.counts.unequal = self.counts.unequal.saturating_add(1);
        }
        if odd {
            self.odd(payload);
        }
    }

    /// Whether an answer is what was asked, or some servers' beginning of it.
    fn is_answer(&self, payload: &[u8], whole: (u16, u32), odd: bool) -> bool {
        if self.asked.contains(&whole) {
            return true;
        }
        let shown = payload.get(..KEPT).unwrap_or(payload);
        // What comes before is the time of another question, where many are under way at once.
        let from = if shown.len() >= HEAD.saturating_add(TAIL) { HEAD } else { 0 };
        let same = shown.get(from..).is_some_and(|shown| self.head.get(from..).is_some_and(|head| head.starts_with(shown)));
        if payload.len() < usize::from(self.longest()) && same {
            return true;
        }
        // No question was seen, or of many that are under way at once it is forgotten: then it is one with nothing odd in it.
        let seen = self.asked.iter().any(|asked| *asked != (0, 0));
        !odd && (!seen || self.asked.iter().any(|(length, _)| *length == whole.0))
    }

    fn longest(&self) -> u16 {
        self.asked.iter().map(|(length, _)| *length).max().unwrap_or_default()
    }
}

/// FNV-1a.
fn digest(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Whether nine of ten bytes count up, or are those of a few bytes before.
fn is_regular(tail: &[u8]) -> bool {
    let tail = tail.get(..LOOKED).unwrap_or(tail);
    let all = |by: usize, same: fn(u8, u8) -> bool| {
        let pairs = tail.iter().zip(tail.iter().skip(by));
        let hits = pairs.filter(|(before, now)| same(**before, **now)).count();
        hits.saturating_mul(10) >= tail.len().saturating_sub(by).saturating_mul(9)
    };
    let most = PERIODS.min(tail.len() / 2);
    all(1, |before, now| now == before.wrapping_add(1)) || (1..=most).any(|by| all(by, |before, now| now == before))
}

/// Whether these bytes are a packet of IP, no more and no less: of version 4 its checksum says so (RFC 791, 3.1; RFC 8200, 3).
fn is_ip(bytes: &[u8]) -> bool {
    let Some(first) = bytes.first() else { return false };
    match first >> 4 {
        4 => {
            let length = usize::from(first & 15).saturating_mul(4);
            let whole = u16_at(bytes, 2).is_some_and(|total| usize::from(total) == bytes.len());
            let Some(head) = bytes.get(..length).filter(|_| whole && length >= 20) else { return false };
            let words = head.chunks_exact(2).map(|pair| u32::from(u16_at(pair, 0).unwrap_or_default()));
            let sum = words.fold(0u32, u32::saturating_add);
            (sum & 0xffff).saturating_add(sum >> 16) == 0xffff
        }
        6 => {
            let carried = matches!(bytes.get(6), Some(0 | 6 | 17 | 44 | 58));
            carried && u16_at(bytes, 4).is_some_and(|length| usize::from(length).saturating_add(40) == bytes.len())
        }
        _ => false,
    }
}

/// Whether a payload has the shape of a message of NTP: 48 bytes, extension fields, a code of authentication (RFC 5905, 7.3 and 7.5; RFC
/// 7822; RFC 8915), or one of control (RFC 9327) or of the private mode of ntpd.
fn is_ntp(bytes: &[u8]) -> bool {
    let Some(first) = bytes.first() else { return false };
    if !(1..=4).contains(&(first >> 3 & 7)) {
        return false;
    }
    match first & 7 {
        1..=5 => {
            let Some(mut rest) = bytes.get(48..) else { return false };
            loop {
                // Nothing, a refusal, or a key's number with 8 to 64 bytes of digest.
                if matches!(rest.len(), 0 | 4 | 12 | 20 | 24 | 28 | 36 | 40 | 52 | 68) {
                    return true;
                }
                let length = usize::from(u16_at(rest, 2).unwrap_or_default());
                match rest.get(length..).filter(|_| length >= 16 && length.is_multiple_of(4)) {
                    Some(behind) => rest = behind,
                    None => return false,
                }
            }
        }
        // Data, padding, and what authenticates it.
        6 => u16_at(bytes, 10).is_some_and(|count| {
            let data = usize::from(count).saturating_add(12);
            bytes.len() >= data && bytes.len() <= data.saturating_add(3 + 96)
        }),
        7 => (8..=600).contains(&bytes.len()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_ntp_are_told_from_others() {
        let message = |behind: &[u8]| [&[0x23u8][..], &[0; 47], behind].concat();
        let field = |kind: u8, length: u16| [&[0, kind][..], &length.to_be_bytes(), &vec![7; usize::from(length) - 4]].concat();
        for fit in [
            message(&[]),
            message(&[9; 20]),
            message(&[9; 24]),
            // A cookie of NTS, its identifier, what authenticates them.
            message(&[field(4, 36), vec![1, 4], vec![0, 104], vec![9; 100], field(4, 40)].concat()),
            [&[0x16u8, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4][..], b"peer"].concat(),
            [&[0x17u8, 0, 3, 42][..], &[0; 188]].concat(),
        ] {
            assert!(is_ntp(&fit), "{fit:?}");
        }
        for unfit in [vec![], vec![0; 48], vec![0x23; 47], message(&[1, 2, 3]), message(&[0xff; 200]), b"GET / HTTP/1.1\r\n\r\n".to_vec()] {
            assert!(!is_ntp(&unfit), "{unfit:?}");
        }
    }

    #[test]
    fn what_counts_up_or_repeats_is_regular() {
        let up: Vec<u8> = (0x18..0x38).collect();
        assert!(is_regular(&up) && is_regular(&[0; 32]) && is_regular(b"pqrstuvwabcdefghijklmnopqrstuvwabcdefghijklmnopqr"));
        let chance: Vec<u8> = (0u32..64).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert!(!is_regular(&chance) && !is_regular(b"uid=0(root) gid=0(root) groups=0(root)"));
    }
}
