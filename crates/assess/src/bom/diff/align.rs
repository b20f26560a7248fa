//! Which part of one revision is which of the next: by designator and assembly, by its own reference, by name.
//!
//! Of several possible partners the one that stayed the same comes first. A module is not aligned by its place with
//! a part that is known to be something else before names were tried: a board that was numbered anew has no new parts.
//! Each pass looks every open part up once, so the whole is linear.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;
use umbilical_core::words::Word;

use super::side::{Side, firm, is_module, maker, name, plain};

/// Parts of two revisions that are one.
pub(super) struct Group {
    pub old: Vec<u32>,
    pub new: Vec<u32>,
    pub by: Word,
}

/// Two revisions, aligned.
pub(super) struct Aligned {
    pub groups: Vec<Group>,
    /// Units of the later one that have no partner.
    pub added: Vec<u32>,
    /// Units of the earlier one that have none.
    pub removed: Vec<u32>,
}

/// A key under which two units may be one.
type Key<'a> = &'a dyn Fn(&Side<'_>, u32) -> Option<String>;

struct Work<'s, 'o, 'n> {
    old: &'s Side<'o>,
    new: &'s Side<'n>,
    open_old: Vec<u32>,
    open_new: Vec<u32>,
    groups: Vec<Group>,
}

/// Aligns two revisions.
pub(super) fn align(old: &Side<'_>, new: &Side<'_>) -> Aligned {
    let all = |side: &Side<'_>| (0..u32::try_from(side.units.len()).unwrap_or(u32::MAX)).collect();
    let mut work = Work { old, new, open_old: all(old), open_new: all(new), groups: Vec::new() };
    let both = |a: Option<String>, b: Option<String>| Some(format!("{}\u{1e}{}", a?, b?));
    let modules = |key: Option<String>, s: &Side<'_>, u: u32| key.filter(|_| s.line(u).is_some_and(|l| is_module(l.part)));
    // What stayed as it was.
    work.places(&|s, u| both(both(designator(s, u), path(s, u)), called(s, u)), true, "designator");
    work.places(&|s, u| both(both(reference(s, u), path(s, u)), called(s, u)), true, "reference");
    // Modules that were only numbered anew.
    work.names(&|s, u| modules(both(both(called(s, u), made(s, u)), path(s, u)), s, u));
    work.names(&|s, u| modules(both(called(s, u), made(s, u)), s, u));
    // What took another's place.
    work.places(&|s, u| both(designator(s, u), path(s, u)), true, "designator");
    work.places(&|s, u| designator(s, u), true, "designator");
    work.names(&|s, u| both(both(called(s, u), made(s, u)), path(s, u)));
    work.names(&|s, u| both(called(s, u), made(s, u)));
    work.names(&|s, u| called(s, u));
    work.places(&|s, u| reference(s, u), true, "reference");
    work.places(&|s, u| designator(s, u), false, "designator");
    Aligned { groups: work.groups, added: work.open_new, removed: work.open_old }
}

fn scope<'c>(side: &Side<'c>, unit: u32) -> &'c str {
    side.line(unit).map_or("", |l| l.scope)
}

fn designator(side: &Side<'_>, unit: u32) -> Option<String> {
    let found = side.unit(unit)?.designator?;
    Some(format!("{}\u{1f}{}", scope(side, unit), plain(found)))
}

fn reference(side: &Side<'_>, unit: u32) -> Option<String> {
    side.unit(unit)?.designator.is_none().then_some(())?;
    let found = side.line(unit)?.part.part.reference.as_deref()?;
    Some(format!("{}\u{1f}{found}", scope(side, unit)))
}

fn path(side: &Side<'_>, unit: u32) -> Option<String> {
    Some(side.line(unit)?.part.path.join("\u{1f}"))
}

fn called(side: &Side<'_>, unit: u32) -> Option<String> {
    let found = name(side.line(unit)?.part)?;
    Some(format!("{}\u{1f}{found}", scope(side, unit)))
}

/// The maker; none is a maker too.
fn made(side: &Side<'_>, unit: u32) -> Option<String> {
    Some(maker(side.line(unit)?.part).map(firm).unwrap_or_default())
}

impl Work<'_, '_, '_> {
    /// Whether one may have taken the other's place: a module that of a module, or of a part that hides or holds one.
    fn fits(&self, old: u32, new: u32) -> bool {
        let (Some(a), Some(b)) = (self.old.line(old), self.new.line(new)) else { return false };
        is_module(a.part) == is_module(b.part) || a.part.kind.is_tell() || b.part.kind.is_tell()
    }

    /// Pairs units of equal keys one by one, in the order of the documents.
    fn places(&mut self, key: Key<'_>, only_fitting: bool, by: Word) {
        let mut waiting = self.waiting(key);
        let mut taken: Vec<bool> = vec![false; self.new.units.len()];
        let open = std::mem::take(&mut self.open_old);
        for old in open {
            let partner = key(self.old, old).and_then(|k| {
                let Entry::Occupied(mut queue) = waiting.entry(k) else { return None };
                let next = *queue.get().last()?;
                if only_fitting && !self.fits(old, next) {
                    return None;
                }
                queue.get_mut().pop()
            });
            match partner {
                Some(new) => {
                    if let Some(slot) = taken.get_mut(new as usize) {
                        *slot = true;
                    }
                    self.groups.push(Group { old: vec![old], new: vec![new], by });
                }
                None => self.open_old.push(old),
            }
        }
        self.open_new.retain(|u| !taken.get(*u as usize).copied().unwrap_or(false));
    }

    /// Pairs units of equal names. Where both sides number them, one by one, and what is over stays open; where one
    /// side only counts them, all of one name are one group, and the pieces are compared.
    fn names(&mut self, key: Key<'_>) {
        let mut waiting = self.waiting(key);
        let mut olds: Vec<(String, Vec<u32>)> = Vec::new();
        let mut number: FxHashMap<String, usize> = FxHashMap::default();
        for old in &self.open_old {
            let Some(k) = key(self.old, *old).filter(|k| waiting.contains_key(k)) else { continue };
            match number.get(&k) {
                Some(at) => olds.get_mut(*at).into_iter().for_each(|(_, list)| list.push(*old)),
                None => {
                    number.insert(k.clone(), olds.len());
                    olds.push((k, vec![*old]));
                }
            }
        }
        let (mut taken_old, mut taken_new) = (vec![false; self.old.units.len()], vec![false; self.new.units.len()]);
        let mut take = |old: &[u32], new: &[u32]| {
            old.iter().filter_map(|u| taken_old.get_mut(*u as usize).map(|s| *s = true)).count();
            new.iter().filter_map(|u| taken_new.get_mut(*u as usize).map(|s| *s = true)).count();
        };
        for (k, old) in olds {
            let mut new = waiting.remove(&k).unwrap_or_default();
            new.reverse();
            let numbered = |side: &Side<'_>, units: &[u32]| units.iter().all(|u| side.unit(*u).is_some_and(|u| u.designator.is_some()));
            if numbered(self.old, &old) == numbered(self.new, &new) && (old.len() == new.len() || numbered(self.old, &old)) {
                for (a, b) in old.iter().zip(&new) {
                    take(&[*a], &[*b]);
                    self.groups.push(Group { old: vec![*a], new: vec![*b], by: "name" });
                }
            } else {
                take(&old, &new);
                self.groups.push(Group { old, new, by: "name" });
            }
        }
        self.open_old.retain(|u| !taken_old.get(*u as usize).copied().unwrap_or(false));
        self.open_new.retain(|u| !taken_new.get(*u as usize).copied().unwrap_or(false));
    }

    /// The open units of the later revision by key, the first of each last.
    fn waiting(&self, key: Key<'_>) -> FxHashMap<String, Vec<u32>> {
        let mut out: FxHashMap<String, Vec<u32>> = FxHashMap::default();
        for new in self.open_new.iter().rev() {
            if let Some(k) = key(self.new, *new) {
                out.entry(k).or_default().push(*new);
            }
        }
        out
    }
}
