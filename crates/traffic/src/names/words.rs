//! Names that recur, kept once each.

use std::hash::BuildHasher as _;
use std::num::NonZeroU32;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use umbilical_core::id::hex;

use super::certificate::{self, Certificate};
use super::identity::{self, Said};

/// A name in its [`Words`]: from 1, so that a conversation that has none takes no more room for saying so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(NonZeroU32);

impl Word {
    /// Its number.
    pub(crate) fn number(self) -> u32 {
        self.0.get()
    }

    /// The one that has it; there is none of 0.
    pub(crate) fn of_number(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }
}

/// What was said in one conversation, in its [`Words`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Told(NonZeroU32);

/// Names of a trace. They come from whoever sends packets, so there is an end to how many are kept.
#[derive(Debug, Default)]
pub struct Words {
    all: Vec<Box<str>>,
    hasher: DefaultHashBuilder,
    /// Words by the hashes of their names.
    of: HashTable<(u64, Word)>,
    /// What was said of devices in clear: the same in many conversations of one.
    said: Vec<Box<[Said]>>,
    told: HashMap<Box<[Said]>, Told>,
    /// What stands in certificates, by their hash.
    certificates: HashMap<Word, Certificate>,
    /// Hashes of certificates that were seen, by what tells their bytes apart here: a server shows the same again and again.
    shown: HashMap<(u64, usize), (Option<Word>, Option<Word>)>,
    /// Bytes of `all`.
    held: usize,
    /// Names that were not kept.
    pub lost: u64,
}

/// Bytes of names that are kept.
const HELD: usize = 64 << 20;
/// A name is cut to so many bytes: longer than any of DNS, and enough of a path.
pub const LONGEST: usize = 512;

/// Different things that are kept of what was said in clear.
const SAID: usize = 1 << 17;
/// Certificates of which it is kept what stands in them.
const CERTIFICATES: usize = 1 << 16;

impl Words {
    /// The word of a name; `None` where no more are kept.
    pub fn keep(&mut self, name: &str) -> Option<Word> {
        let name = umbilical_core::text::clean(name);
        let mut end = name.len().min(LONGEST);
        while !name.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        let name = name.get(..end).unwrap_or_default();
        let hash = self.hasher.hash_one(name);
        if let Some((_, word)) = self.of.find(hash, |(other, word)| *other == hash && self.get(*word) == name) {
            return Some(*word);
        }
        let number = u32::try_from(self.all.len().saturating_add(1)).ok().and_then(NonZeroU32::new);
        let Some(number) = number.filter(|_| self.held.saturating_add(name.len()) <= HELD) else {
            self.lost = self.lost.saturating_add(1);
            return None;
        };
        self.held = self.held.saturating_add(name.len());
        self.all.push(name.into());
        self.of.insert_unique(hash, (hash, Word(number)), |(hash, _)| *hash);
        Some(Word(number))
    }

    /// Adds to what was said in a conversation.
    pub(crate) fn tell(&mut self, before: Option<Told>, more: Vec<Said>) -> Option<Told> {
        let mut all = before.map_or_else(Vec::new, |before| self.told(before).to_vec());
        for said in more {
            if all.len() < identity::KEPT && !all.contains(&said) {
                all.push(said);
            }
        }
        let all: Box<[Said]> = all.into();
        if let Some(told) = self.told.get(&all) {
            return Some(*told);
        }
        if self.said.len() >= SAID {
            self.lost = self.lost.saturating_add(1);
            return before;
        }
        let told = u32::try_from(self.said.len().saturating_add(1)).ok().and_then(NonZeroU32::new).map(Told)?;
        self.said.push(all.clone());
        self.told.insert(all, told);
        Some(told)
    }

    /// What was said in a conversation.
    pub fn told(&self, told: Told) -> &[Said] {
        self.said.get((told.0.get() as usize).wrapping_sub(1)).map_or(&[], |said| said)
    }

    /// The hashes of a certificate, SHA-256 and SHA-1, and keeps what stands in it.
    pub(super) fn certificate(&mut self, der: &[u8]) -> (Option<Word>, Option<Word>) {
        let bytes = (self.hasher.hash_one(der), der.len());
        if let Some(hashes) = self.shown.get(&bytes) {
            return *hashes;
        }
        let sha256 = self.keep(&hex(digest(&SHA256, der).as_ref()));
        let sha1 = self.keep(&hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref()));
        if let Some(word) = sha256
            && !self.certificates.contains_key(&word)
        {
            self.says(word, certificate::read(der).unwrap_or_default());
        }
        if self.shown.len() < CERTIFICATES {
            self.shown.insert(bytes, (sha256, sha1));
        }
        (sha256, sha1)
    }

    /// Keeps what stands in the certificate of a hash.
    pub(crate) fn says(&mut self, hash: Word, certificate: Certificate) {
        if self.certificates.len() < CERTIFICATES && certificate != Certificate::default() {
            self.certificates.entry(hash).or_insert(certificate);
        }
    }

    /// What stands in the certificate of a hash, where that is known.
    pub fn certified(&self, hash: Word) -> Option<&Certificate> {
        self.certificates.get(&hash)
    }

    /// The name of a word.
    pub fn get(&self, word: Word) -> &str {
        self.all.get((word.0.get() as usize).wrapping_sub(1)).map_or("", |name| name)
    }
}
