//! Names that recur, kept once each.

use std::num::NonZeroU32;

use hashbrown::HashMap;

/// A name in its [`Words`]: from 1, so that a conversation that has none takes no more room for saying so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(NonZeroU32);

/// Names of a trace. They come from whoever sends packets, so there is an end to how many are kept.
#[derive(Debug, Default)]
pub struct Words {
    all: Vec<Box<str>>,
    of: HashMap<Box<str>, Word>,
    /// Bytes of `all`.
    held: usize,
    /// Names that were not kept.
    pub lost: u64,
}

/// Bytes of names that are kept.
const HELD: usize = 64 << 20;
/// A name is cut to so many bytes: longer than any of DNS, and enough of a path.
pub const LONGEST: usize = 512;

impl Words {
    /// The word of a name; `None` where no more are kept.
    pub fn keep(&mut self, name: &str) -> Option<Word> {
        let name = umbilical_core::text::clean(name);
        let mut end = name.len().min(LONGEST);
        while !name.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        let name = name.get(..end).unwrap_or_default();
        if let Some(word) = self.of.get(name) {
            return Some(*word);
        }
        let number = u32::try_from(self.all.len().saturating_add(1)).ok().and_then(NonZeroU32::new);
        let Some(number) = number.filter(|_| self.held.saturating_add(name.len()) <= HELD) else {
            self.lost = self.lost.saturating_add(1);
            return None;
        };
        self.held = self.held.saturating_add(name.len());
        self.all.push(name.into());
        self.of.insert(name.into(), Word(number));
        Some(Word(number))
    }

    /// The name of a word.
    pub fn get(&self, word: Word) -> &str {
        self.all.get((word.0.get() as usize).wrapping_sub(1)).map_or("", |name| name)
    }
}
