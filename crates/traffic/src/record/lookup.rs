//! Answers of DNS as logs write them.

use super::text;
use crate::names::dns::Answer;
use crate::packet::Addr;

/// An answer, gathered from its records.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// What it comes to.
    pub answer: Answer,
    /// Its addresses.
    pub addrs: Vec<Addr>,
}

impl Heard {
    fn one(&mut self, carried: usize) {
        self.answer.records = self.answer.records.saturating_add(1);
        self.answer.carried = self.answer.carried.saturating_add(u32::try_from(carried).unwrap_or(u32::MAX));
    }

    /// A record that carries anything, and its bytes.
    pub fn free(&mut self, carried: usize) {
        self.one(carried);
        self.answer.free = self.answer.free.saturating_add(1);
    }

    /// An address, or a name.
    pub fn record(&mut self, value: &[u8]) {
        if let Some(addr) = text::addr(value) {
            self.one(0);
            self.addrs.push(addr);
        } else {
            self.one(value.len());
        }
    }

    /// A record as Zeek writes it: an address, a name, `TXT 5 a=b.c` (each text with its length before it), or `<unknown type=10>`.
    pub fn zeek(&mut self, value: &[u8]) {
        if value.starts_with(b"<unknown type=") {
            return self.free(0);
        }
        let Some(mut rest) = value.strip_prefix(b"TXT ") else { return self.record(value) };
        let mut carried = 0_usize;
        loop {
            let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            let length = rest.get(..digits).and_then(text::number).and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
            carried = carried.saturating_add(length.min(u8::MAX.into()));
            // Where something in it was escaped the next is not found: it counts as one text.
            let next = rest.get(digits.saturating_add(1).saturating_add(length)..).and_then(|r| r.strip_prefix(b" TXT "));
            let Some(next) = next else { break };
            rest = next;
        }
        self.free(carried);
    }
}

/// The number of a type by its name (IANA, *DNS Parameters*); 0: it is none of those that are told apart here.
pub(super) fn kind(name: &str) -> u16 {
    match name {
        "A" => 1,
        "NS" => 2,
        "CNAME" => 5,
        "SOA" => 6,
        "NULL" => 10,
        "PTR" => 12,
        "MX" => 15,
        "TXT" => 16,
        "KEY" => 25,
        "AAAA" => 28,
        "SRV" => 33,
        "TKEY" => 249,
        "TSIG" => 250,
        other => text::number(other.as_bytes()).and_then(|n| u16::try_from(n).ok()).unwrap_or_default(),
    }
}

/// The code of an answer by its name (RFC 6895, 2.3).
pub(super) fn code(name: &str) -> u8 {
    match name {
        "NOERROR" => 0,
        "FORMERR" => 1,
        "SERVFAIL" => 2,
        "NXDOMAIN" => 3,
        "NOTIMP" => 4,
        "REFUSED" => 5,
        _ => 0xf,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_zeek_are_counted() {
        let of = |values: &[&str]| {
            let mut heard = Heard::default();
            values.iter().for_each(|v| heard.zeek(v.as_bytes()));
            let Answer { records, free, carried, .. } = heard.answer;
            (records, free, carried, heard.addrs.len())
        };
        assert_eq!(of(&["edge.example.net", "192.0.2.1", "2001:db8::1"]), (3, 0, 16, 2));
        assert_eq!(of(&["TXT 18 302f017537c68f5169"]), (1, 1, 18, 0));
        assert_eq!(of(&["TXT 5 a=b.c TXT 3 x y"]), (1, 1, 8, 0));
        assert_eq!(of(&["TXT 9 a\\x2cb TXT 3 x y"]), (1, 1, 9, 0));
        assert_eq!(of(&["<unknown type=10>"]), (1, 1, 0, 0));
        assert_eq!(of(&[]), (0, 0, 0, 0));
    }

    proptest::proptest! {
        #[test]
        fn no_answer_breaks_it(value in "(TXT )?[0-9]{0,25}( \\PC{0,20}( TXT )?){0,3}") {
            let mut heard = Heard::default();
            heard.zeek(value.as_bytes());
            proptest::prop_assert!(heard.answer.records == 1 && heard.addrs.len() <= 1);
            kind(&value);
            code(&value);
        }
    }
}
