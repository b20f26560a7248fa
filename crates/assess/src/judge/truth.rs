//! Three-valued answers with reasons: yes, no, and what would have to be known.

use umbilical_core::Basis;
use umbilical_core::answer::policy::Statement;

/// Whether something is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    No,
    /// Nobody has said.
    Unknown,
    Yes,
}

/// An answer with its reasons.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    pub hit: Hit,
    /// What it stands on.
    pub because: Vec<Statement>,
    /// Points that software must not decide: holes in the text, days that are not known, facts nobody has verified.
    pub points: Vec<String>,
    /// What would have to be known.
    pub wanted: Vec<String>,
}

impl Truth {
    pub fn yes(because: Statement) -> Self {
        Self { hit: Hit::Yes, because: vec![because], points: Vec::new(), wanted: Vec::new() }
    }

    pub fn no(because: Statement) -> Self {
        Self { hit: Hit::No, ..Self::yes(because) }
    }

    pub fn unknown(wanted: impl Into<String>) -> Self {
        Self { hit: Hit::Unknown, because: Vec::new(), points: Vec::new(), wanted: vec![wanted.into()] }
    }

    /// Nothing is demanded.
    pub fn always() -> Self {
        Self { hit: Hit::Yes, because: Vec::new(), points: Vec::new(), wanted: Vec::new() }
    }

    pub fn point(mut self, point: impl Into<String>) -> Self {
        self.points.push(point.into());
        self
    }

    /// Both: one `no` decides, and only its reasons count; short of that one unknown decides.
    pub fn and(mut self, other: Self) -> Self {
        match (self.hit, other.hit) {
            (Hit::No, _) => self,
            (_, Hit::No) => other,
            (a, b) => {
                self.hit = if a == Hit::Unknown || b == Hit::Unknown { Hit::Unknown } else { Hit::Yes };
                self.because.extend(other.because);
                self.points.extend(other.points);
                self.wanted.extend(other.wanted);
                self
            }
        }
    }

    /// Either: a `yes` without open points decides, then one with open points, then an unknown.
    pub fn or(mut self, other: Self) -> Self {
        let rank = |t: &Self| match t.hit {
            Hit::Yes if t.points.is_empty() => 3,
            Hit::Yes => 2,
            Hit::Unknown => 1,
            Hit::No => 0,
        };
        match rank(&self).cmp(&rank(&other)) {
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Equal => {
                if self.hit != Hit::Yes {
                    self.because.extend(other.because);
                    self.wanted.extend(other.wanted);
                }
                self
            }
        }
    }
}

/// A sentence that follows, or that the user said.
pub(super) fn said(basis: Basis, what: impl Into<String>) -> Statement {
    Statement { basis, what: what.into(), source: None }
}

/// A sentence that was read somewhere.
pub(super) fn read(basis: Basis, what: impl Into<String>, source: &str) -> Statement {
    Statement { basis, what: what.into(), source: Some(source.to_owned()) }
}
