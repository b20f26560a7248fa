//! What a user brings: indicators that others have listed, what is expected of a network of one's own, and short messages on record.
//!
//! A list says that something stands on it, and nothing more: what is made of that is the reader's. A line that cannot be read is told
//! with its place, and the rest counts all the same.

mod expected;
mod indicators;
mod messages;
mod misp;
pub(crate) mod plain;
mod stix;

pub use expected::{Allow, Expected, Scope, Server, To, Window};
pub use indicators::{Indicator, Indicators, ListError, Mark};
pub use messages::{Message, Messages};

use crate::cellular::Ue;
use crate::packet::Addr;

/// A place in a list, and what is wrong there.
pub type Problem = (String, String);

/// `198.51.100.0/24`, `2001:db8::/32`, or one address.
fn network(text: &str) -> Option<Ue> {
    let (addr, bits) = match text.split_once('/') {
        Some((addr, bits)) => (addr, Some(bits.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let addr: std::net::IpAddr = addr.parse().ok()?;
    let (own, whole) = if addr.is_ipv4() { (32, 96u8) } else { (128, 0) };
    let bits = bits.unwrap_or(own);
    (bits <= own).then(|| Ue::v6(Addr::from(addr).0, bits.saturating_add(whole)))
}

/// A name of a host as it is asked for: lower case, without a dot at its end; `None` for what is none.
fn host(text: &str) -> Option<String> {
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    let label = |l: &str| (1..=63).contains(&l.len()) && l.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let top = name.rsplit('.').next().unwrap_or_default();
    let is_name = name.len() <= 253 && name.contains('.') && name.split('.').all(label) && !top.bytes().all(|b| b.is_ascii_digit());
    is_name.then_some(name)
}

#[cfg(test)]
mod tests;
