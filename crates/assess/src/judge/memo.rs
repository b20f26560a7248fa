//! What was judged before: fleets repeat their modules, and most packs ask nothing that differs from device to device.
//!
//! Two levels. The first knows whole items, so a fleet of alike devices costs one look-up each. The second knows each
//! pack by itself, with only the facts that the pack reads: where every device has facts of its own (its place, its
//! site), the law that does not ask for them is still judged once.

use std::cell::RefCell;
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
pub struct Outcomes(Rc<[Rc<[Outcome]>]>);

impl Outcomes {
    /// Every rule's outcome.
    pub fn iter(&self) -> impl Iterator<Item = &Outcome> {
        self.0.iter().flat_map(|pack| pack.iter())
    }

    /// The same for items that every pack of the judge judged alike, for as long as the judge lives.
    pub fn likeness(&self) -> Vec<usize> {
        self.0.iter().map(|pack| Rc::as_ptr(pack).cast::<()>().addr()).collect()
    }
}

type Known<T> = RefCell<FxHashMap<u64, Vec<(Item, T)>>>;

/// Both levels.
pub(super) struct Memo {
    whole: Known<Outcomes>,
    packs: Vec<Known<Rc<[Outcome]>>>,
    blank: Rc<Facts>,
}

impl Memo {
    pub fn new(packs: usize) -> Self {
        Self { whole: RefCell::default(), packs: (0..packs).map(|_| RefCell::default()).collect(), blank: Rc::default() }
    }

    /// The outcomes of an item; `pack` judges one pack with the facts that it reads.
    pub fn outcomes(&self, item: &Item, reads: &[Vec<&'static str>], pack: &dyn Fn(usize, &Item) -> Rc<[Outcome]>) -> Outcomes {
        let thing = FxBuildHasher.hash_one((&item.things, item.cellular, &item.host));
        let whole = FxBuildHasher.hash_one((thing, Rc::as_ptr(&item.facts)));
        if let Some(known) = self.whole.borrow().get(&whole).into_iter().flatten().find(|(i, _)| i.is_same(item)) {
            return known.1.clone();
        }
        // What nothing is known of: packs that ask for none of an item's facts answer it alike.
        let bare = item.facts.iter().next().is_some().then(|| {
            let blank = Item { facts: Rc::clone(&self.blank), ..item.clone() };
            self.outcomes(&blank, reads, pack)
        });
        let each = self.packs.iter().zip(reads).enumerate().map(|(number, (known, reads))| {
            let asked = reads.iter().any(|name| item.facts.get(name).is_some());
            if let Some(same) = bare.as_ref().filter(|_| !asked).and_then(|b| b.0.get(number)) {
                return Rc::clone(same);
            }
            let hash = hash(thing, &item.facts, reads);
            let alike = |i: &Item| i.is_alike(item) && reads.iter().all(|name| i.facts.get(name) == item.facts.get(name));
            if let Some(known) = known.borrow().get(&hash).into_iter().flatten().find(|(i, _)| alike(i)) {
                return Rc::clone(&known.1);
            }
            let narrow = Item { facts: Rc::new(item.facts.only(reads)), ..item.clone() };
            let made = pack(number, &narrow);
            let mut known = known.borrow_mut();
            if known.len() >= MOST {
                known.clear();
            }
            known.entry(hash).or_default().push((narrow, Rc::clone(&made)));
            made
        });
        let made = Outcomes(each.collect());
        // Facts that nobody else holds do not come again.
        if Rc::strong_count(&item.facts) == 1 {
            return made;
        }
        let mut known = self.whole.borrow_mut();
        if known.len() >= MOST {
            known.clear();
        }
        known.entry(whole).or_default().push((item.clone(), made.clone()));
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
