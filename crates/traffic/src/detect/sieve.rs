//! Counts of everything, roughly and in little room: of whatever falls into one cell within a while.
//!
//! Who looks for the few of which there is much asks it first, and keeps something exact only of those. A cell never counts too little.

use super::Alert;
use crate::packet::Addr;
use crate::time::Micros;

/// Cells.
const CELLS: usize = 4096;
/// Alerts of what is over that are kept at once.
const OVER: usize = 4096;

#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    begin: Micros,
    frame: u64,
    weight: u64,
}

/// What fell into a cell since its while began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    /// When that was.
    pub begin: Micros,
    /// Number of the first frame.
    pub frame: u64,
    /// The sum, with what was added last.
    pub weight: u64,
}

/// See above.
#[derive(Debug)]
pub(super) struct Sieve {
    cells: Vec<Cell>,
    span: Micros,
}

impl Sieve {
    /// Of whiles so long.
    pub(super) fn new(span: Micros) -> Self {
        Self { cells: vec![Cell::default(); CELLS], span }
    }

    /// Adds a weight, and gives the sum of its cell.
    pub(super) fn add(&mut self, of: u64, at: Micros, frame: u64, weight: u64) -> Sum {
        let place = usize::try_from(of >> 32).unwrap_or_default() % CELLS;
        let Some(cell) = self.cells.get_mut(place) else { return Sum { begin: at, frame, weight } };
        if cell.begin.since(at) >= self.span {
            // What is told of late stands for itself.
            return Sum { begin: at, frame, weight };
        }
        if cell.weight == 0 || at.since(cell.begin) >= self.span {
            *cell = Cell { begin: at, frame, weight: 0 };
        }
        cell.weight = cell.weight.saturating_add(weight);
        Sum { begin: cell.begin, frame: cell.frame, weight: cell.weight }
    }
}

/// Alerts of what is over: the worst of them, where they are too many.
#[derive(Debug, Default)]
pub(super) struct Over {
    kept: Vec<Alert>,
}

impl Over {
    /// Adds some, and gives how many had to be forgotten for it.
    pub(super) fn put(&mut self, alerts: impl IntoIterator<Item = Alert>) -> u64 {
        let mut gone = 0_u64;
        for alert in alerts {
            if self.kept.len() >= OVER {
                // Half of them, for then it is seldom done.
                self.kept.sort_by(|a, b| a.worst_first(b));
                self.kept.truncate(OVER / 2);
                gone = gone.saturating_add((OVER / 2) as u64);
            }
            self.kept.push(alert);
        }
        gone
    }

    /// All that are kept.
    pub(super) fn all(&self) -> Vec<Alert> {
        self.kept.clone()
    }
}

/// A number of an address that is the same in every run (the finaliser of SplitMix64).
pub(super) fn digest(addr: Addr) -> u64 {
    let number = u128::from_be_bytes(addr.0);
    mix(((number >> 64) as u64).rotate_left(23) ^ number as u64)
}

/// Mixes a number.
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// About how many different things were seen, up to some: bits that were hit (linear counting: Whang, Vander-Zanden, Taylor, ACM TODS 1990).
#[derive(Clone, Debug)]
pub(super) struct Distinct {
    bits: Vec<u64>,
}

impl Distinct {
    /// With so many words of 64 bits.
    pub(super) fn new(words: usize) -> Self {
        Self { bits: vec![0; words.max(1)] }
    }

    /// Sees one by its digest.
    pub(super) fn see(&mut self, digest: u64) {
        let at = usize::try_from(digest >> 38).unwrap_or_default() % self.bits.len();
        if let Some(word) = self.bits.get_mut(at) {
            *word |= 1 << (digest >> 32 & 63);
        }
    }

    /// How many there were. Of more than can be told: the most that can.
    pub(super) fn count(&self) -> u64 {
        let all = self.bits.len().saturating_mul(64) as f64;
        (all * (all / f64::from(self.zeros().max(1))).ln()).round() as u64
    }

    /// The same in words, which say where it may be more.
    pub(super) fn told(&self) -> String {
        format!("about {}{}", self.count().max(1), if self.zeros() == 0 { " or more" } else { "" })
    }

    fn zeros(&self) -> u32 {
        self.bits.iter().map(|word| word.count_zeros()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_things_are_counted() {
        for (many, within) in [(0u64, 0), (1, 0), (20, 2), (1000, 60), (20_000, 1500)] {
            let mut distinct = Distinct::new(128);
            (0..many).for_each(|n| {
                distinct.see(mix(n));
                distinct.see(mix(n));
            });
            assert!(distinct.count().abs_diff(many) <= within, "{many}: {}", distinct.count());
            assert_eq!(distinct.told(), format!("about {}", distinct.count().max(1)));
        }
        let mut full = Distinct::new(1);
        (0..10_000).for_each(|n| full.see(mix(n)));
        assert_eq!(full.told(), "about 266 or more");
    }

    #[test]
    fn of_too_many_the_worst_are_kept() {
        use umbilical_core::finding::Severity;
        use umbilical_core::observation::Basis;

        use crate::detect::{About, Ends, Reason, Subject};

        const ABOUT: About = About { code: "scan", version: 1, needs: "", basis: Basis::Observed };
        let alert = |n: i64| Alert {
            about: &ABOUT,
            subject: Subject::Host(Addr::v4([192, 0, 2, 1])),
            peer: None,
            ends: Ends::Peer,
            severity: if n % 64 == 0 { Severity::High } else { Severity::Low },
            score: 0.5,
            terms: Vec::new(),
            reason: Reason { did: String::new(), more: Vec::new(), remedies: Vec::new(), clears_when: String::new(), stake: None },
            threats: &[],
            first: Micros(n),
            at: Micros(n),
            last: Micros(n),
            flows: 1,
            frames: (1, 1),
        };
        let (mut over, all) = (Over::default(), 3 * OVER as i64);
        let gone = over.put((0..all).map(alert));
        let kept = over.all();
        assert!(kept.len() <= OVER && kept.len() as u64 + gone == all as u64, "{} {gone}", kept.len());
        assert_eq!(kept.iter().filter(|a| a.severity == Severity::High).count() as i64, all / 64);
    }

    #[test]
    fn a_cell_begins_anew() {
        let mut sieve = Sieve::new(Micros::seconds(1));
        let of = digest(Addr::v4([192, 0, 2, 1]));
        assert_eq!(sieve.add(of, Micros(0), 1, 3).weight, 3);
        assert_eq!(sieve.add(of, Micros(900_000), 2, 3), Sum { begin: Micros(0), frame: 1, weight: 6 });
        assert_eq!(sieve.add(of, Micros(1_000_000), 3, 3), Sum { begin: Micros(1_000_000), frame: 3, weight: 3 });
    }
}
