//! How often: buckets of tokens by key. A bucket that is full again is forgotten.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use umbilical_store::Time;

/// A rate: so many at once, and one more each so many milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// The size of the bucket.
    pub burst: u32,
    /// Milliseconds for one more.
    pub each: i64,
}

/// Signing in: five a minute for each account and for each address.
pub const SIGN_IN: Rate = Rate { burst: 5, each: 12_000 };
/// An address tries accounts: thirty a minute.
pub const ADDRESS: Rate = Rate { burst: 30, each: 2_000 };
/// A session or token asks the API: five hundred a second, a thousand at once.
pub const API: Rate = Rate { burst: 1_000, each: 2 };

/// Keys that are remembered at the same time; beyond it those that are nearly full go.
const MOST: usize = 100_000;

/// The buckets.
#[derive(Debug, Default)]
pub struct Limits(Mutex<HashMap<String, i64>>);

impl Limits {
    /// Takes one from a bucket; the error is how many seconds to wait for the next.
    pub fn take(&self, key: &str, rate: Rate, now: Time) -> Result<(), u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(key) {
            all.retain(|_, full_at| *full_at > now.0);
            if all.len() >= MOST {
                // Somebody fills the table on purpose: nobody new comes in until there is room.
                return Err(1);
            }
        }
        // A bucket is the time at which it is full again.
        let full_at = all.entry(key.to_owned()).or_insert(now.0);
        let start = (*full_at).max(now.0);
        let after = start.saturating_add(rate.each);
        let limit = now.0.saturating_add(rate.each.saturating_mul(i64::from(rate.burst)));
        if after > limit {
            return Err(u64::try_from((after.saturating_sub(limit)).div_euclid(1000).saturating_add(1)).unwrap_or(1));
        }
        *full_at = after;
        Ok(())
    }

    /// Fills a bucket again.
    pub fn forget(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_at_once_then_one_each_twelve_seconds() {
        let limits = Limits::default();
        let at = |s: i64| Time(1_000_000 + s * 1000);
        for _ in 0..5 {
            assert_eq!(limits.take("ana", SIGN_IN, at(0)), Ok(()));
        }
        assert!(matches!(limits.take("ana", SIGN_IN, at(0)), Err(1..=13)));
        assert_eq!(limits.take("bo", SIGN_IN, at(0)), Ok(()), "another key has a bucket of its own");
        assert!(limits.take("ana", SIGN_IN, at(11)).is_err());
        assert_eq!(limits.take("ana", SIGN_IN, at(12)), Ok(()));
        assert!(limits.take("ana", SIGN_IN, at(12)).is_err());
        let in_a_minute = (0..10).filter(|_| limits.take("ana", SIGN_IN, at(72)).is_ok()).count();
        assert_eq!(in_a_minute, 5);
        limits.forget("ana");
        assert_eq!(limits.take("ana", SIGN_IN, at(72)), Ok(()));
    }
}
