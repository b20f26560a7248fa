//! Files of datagrams, one behind the other.

use std::io::Read;

use super::length;

/// More than two of the longest datagrams.
const WINDOW: usize = 1 << 18;

/// Gives each datagram with its number; what stands behind the last that is one is said.
pub fn datagrams(mut from: impl Read, each: &mut dyn FnMut(u64, &[u8])) -> std::io::Result<Option<(u64, &'static str)>> {
    let mut held: Vec<u8> = Vec::new();
    let (mut at, mut number, mut ended) = (0usize, 0u64, false);
    loop {
        let left = held.len().saturating_sub(at);
        if left < WINDOW / 2 && !ended {
            held.drain(..at.min(held.len()));
            at = 0;
            let missing = WINDOW.saturating_sub(left);
            ended = from.by_ref().take(missing as u64).read_to_end(&mut held)? < missing;
        }
        let rest = held.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        number = number.saturating_add(1);
        let Some(length) = length(rest) else {
            return Ok(Some((number, "what follows is no datagram of NetFlow or IPFIX")));
        };
        each(number, rest.get(..length).unwrap_or(rest));
        at = at.saturating_add(length);
    }
}
