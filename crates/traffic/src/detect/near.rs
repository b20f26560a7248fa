//! Looking ahead: what is far away in memory comes closer while more of it is looked for.
//!
//! A processor goes on with what comes next while it waits, but only with so much of it (some hundred instructions). So what is to be
//! known of some conversations is looked for step by step, each step for all of them: many of them then wait at once.

use std::hash::{BuildHasher, Hash};

use indexmap::IndexMap;
use indexmap::map::RawEntryApiV1 as _;

/// So many are looked for at once: what is found stays close by until they are told.
pub(crate) const NEAR: usize = 32;

/// Something of each of some.
pub(crate) type Each<T> = [Option<T>; NEAR];

/// Does a step for each of which the one before it came to something.
fn step<T: Copy, U: Copy>(before: &Each<T>, does: impl Fn(T) -> Option<U>) -> Each<U> {
    before.map(|one| one.and_then(&does))
}

/// What each comes to.
pub(crate) fn each<T, U: Copy>(some: &[T], does: impl Fn(&T) -> Option<U>) -> Each<U> {
    let mut out = [None; NEAR];
    out.iter_mut().zip(some).for_each(|(out, one)| *out = does(one));
    out
}

/// What a map has under each of some keys. Now and then it is of another key, more often where there is
/// nothing under one: nothing may depend on it.
pub(crate) fn about<'m, K: Hash + Copy, V, S: BuildHasher>(map: &'m IndexMap<K, V, S>, keys: &Each<K>) -> Each<&'m V> {
    let hashes = step(keys, |key| Some(map.hasher().hash_one(key)));
    // To compare keys would be to wait for the first of them.
    let places = step(&hashes, |hash| map.raw_entry_v1().index_from_hash(hash, |_| true));
    step(&places, |place| map.get_index(place).map(|(_, about)| about))
}
