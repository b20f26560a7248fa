//! What was judged before: fleets repeat their modules, and most packs ask nothing that differs from device to device.
//!
//! Two levels. The first knows whole items, so a fleet of alike devices costs one look-up each. The second knows each
//! pack by itself, with only the facts that the pack reads: where every device has facts of its own (its place, its
//! site), the law that does not ask for them is still judged once. Where the same never comes again nothing is kept.

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher as _, Hash, Hasher};
use std::rc::Rc;

use rustc_hash::{FxBuildHasher, FxHashMap};
use umbilical_knowledge::policy::{Facts, Value};

use super::item::Item;
use super::rule::Outcome;

/// Items known at once; beyond that the first level starts anew, so that facts of millions of devices need no memory.
const MOST: usize = 1 << 16;

/// Outcomes of all packs for an item, in their order.
#[derive(Clone, Debug)]
pub struct Outcomes(Rc<[OfPack]>);

/// Those of one pack, in the order of its rules; rules that nothing new was said of share theirs.
pub(super) type OfPack = Rc<[Rc<Outcome>]>;

/// Judges one pack; the outcomes without any fact are at hand where there are facts.
pub(super) type Pack<'a> = &'a dyn Fn(usize, &Item, Option<&OfPack>) -> OfPack;

impl Outcomes {
    /// Every rule's outcome.
    pub fn iter(&self) -> impl Iterator<Item = &Outcome> {
        self.0.iter().flat_map(|pack| pack.iter().map(|outcome| &**outcome))
    }

    /// The same for items that every pack of the judge judged alike, as long as one of the outcomes lives.
    pub fn likeness(&self) -> Vec<usize> {
        self.0.iter().map(|pack| Rc::as_ptr(pack).cast::<()>().addr()).collect()
    }
}

type Known<T> = RefCell<FxHashMap<u64, Vec<(Item, T)>>>;

/// What is known of one pack, or of all.
struct Slot<T> {
    known: Known<T>,
    met: Cell<u64>,
    missed: Cell<u64>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { known: RefCell::default(), met: Cell::default(), missed: Cell::default() }
    }
}

impl<T: Clone> Slot<T> {
    /// Where every device has facts of its own the same never comes again: then nothing is kept.
    fn keeps(&self) -> bool {
        let missed = self.missed.get();
        missed < TRIED || self.met.get() > missed / 8
    }

    fn get(&self, hash: u64, alike: impl Fn(&Item) -> bool) -> Option<T> {
        let found = self.known.borrow().get(&hash).into_iter().flatten().find(|(i, _)| alike(i)).map(|(_, known)| known.clone());
        let counter = if found.is_some() { &self.met } else { &self.missed };
        counter.set(counter.get().saturating_add(1));
        found
    }

    fn keep(&self, hash: u64, item: Item, made: T) {
        let mut known = self.known.borrow_mut();
        if known.len() >= MOST {
            known.clear();
        }
        known.entry(hash).or_default().push((item, made));
    }
}

/// Look-ups after which a slot is judged by what it met.
const TRIED: u64 = 4096;

/// Both levels, and items of which no fact is known.
pub(super) struct Memo {
    bare: Slot<Outcomes>,
    whole: Slot<Outcomes>,
    packs: Vec<Slot<OfPack>>,
    blank: Rc<Facts>,
}

impl Memo {
    pub fn new(packs: usize) -> Self {
        let packs = (0..packs).map(|_| Slot::default()).collect();
        Self { bare: Slot::default(), whole: Slot::default(), packs, blank: Rc::default() }
    }

    /// The outcomes of an item; `pack` judges one pack with the facts that it reads.
    pub fn outcomes(&self, item: &Item, reads: &[Vec<&'static str>], pack: Pack<'_>) -> Outcomes {
        let thing = FxBuildHasher.hash_one((&item.things, item.cellular, &item.host));
        let is_bare = item.facts.iter().next().is_none();
        if is_bare {
            if let Some(known) = self.bare.get(thing, |i| i.is_alike(item)) {
                return known;
            }
            let made = Outcomes((0..self.packs.len()).map(|number| pack(number, item, None)).collect());
            self.bare.keep(thing, item.clone(), made.clone());
            return made;
        }
        let whole = FxBuildHasher.hash_one((thing, Rc::as_ptr(&item.facts)));
        // Facts that nobody else holds do not come again.
        let comes_again = Rc::strong_count(&item.facts) > 1 && self.whole.keeps();
        if let Some(known) = comes_again.then(|| self.whole.get(whole, |i| i.is_same(item))).flatten() {
            return known;
        }
        // Packs that ask for none of an item's facts answer it as if nothing were known of it.
        let bare = self.outcomes(&Item { facts: Rc::clone(&self.blank), ..item.clone() }, reads, pack);
        let each = self.packs.iter().zip(reads).enumerate().map(|(number, (slot, reads))| {
            let asked = reads.iter().any(|name| item.facts.get(name).is_some());
            let bare = bare.0.get(number);
            if let Some(same) = bare.filter(|_| !asked) {
                return Rc::clone(same);
            }
            let narrow = Item { facts: Rc::new(item.facts.only(reads)), ..item.clone() };
            if !slot.keeps() {
                return pack(number, &narrow, bare);
            }
            let hash = hash(thing, &item.facts, reads);
            let alike = |i: &Item| i.is_alike(item) && reads.iter().all(|name| i.facts.get(name) == item.facts.get(name));
            slot.get(hash, alike).unwrap_or_else(|| {
                let made = pack(number, &narrow, bare);
                slot.keep(hash, narrow, Rc::clone(&made));
                made
            })
        });
        let made = Outcomes(each.collect());
        if comes_again {
            self.whole.keep(whole, item.clone(), made.clone());
        }
        made
    }
}

fn hash(thing: u64, facts: &Facts, reads: &[&'static str]) -> u64 {
    let mut to = FxBuildHasher.build_hasher();
    thing.hash(&mut to);
    for name in reads {
        match facts.get(name) {
            None => 0u8.hash(&mut to),
            Some(Value::Words(words)) => words.hash(&mut to),
            Some(Value::Number(n)) => n.to_bits().hash(&mut to),
            Some(Value::Flag(flag)) => flag.hash(&mut to),
            Some(Value::Day(day)) => day.hash(&mut to),
        }
    }
    to.finish()
}
