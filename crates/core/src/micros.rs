//! The time of a trace: what captures and records say, in microseconds.

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub i64);

impl Micros {
    /// So many seconds.
    pub const fn seconds(n: i64) -> Self {
        Self(n.saturating_mul(1_000_000))
    }

    /// The time so much later.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// How much later this is than another; negative where it is earlier.
    #[must_use]
    pub const fn since(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// RFC 3339 in UTC, as fine as it is known: `2026-11-01T02:26:40.046651Z`.
impl std::fmt::Display for Micros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seconds, micros) = (self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000));
        match crate::Day::from_unix(seconds) {
            Some(day) => write!(
                f,
                "{day}T{:02}:{:02}:{:02}",
                seconds.rem_euclid(86_400) / 3600,
                seconds.rem_euclid(3600) / 60,
                seconds.rem_euclid(60)
            )?,
            None => write!(f, "@{seconds}")?,
        }
        match micros {
            0 => f.write_str("Z"),
            _ => write!(f, ".{micros:06}Z"),
        }
    }
}

impl serde::Serialize for Micros {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_write_it() {
        assert_eq!(Micros(1_793_500_000_046_651).to_string(), "2026-11-01T02:26:40.046651Z");
        assert_eq!(Micros::seconds(-1).to_string(), "1969-12-31T23:59:59Z");
    }
}
