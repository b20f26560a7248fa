//! Packages by who holds them: relationships stand anywhere in a document and may lead in circles, parts stand after the part
//! that holds them.

use rustc_hash::FxHashMap;
use umbilical_core::bom::{Design, Part};
use umbilical_core::{At, Observations};

/// The most relationships that are kept.
const MOST: usize = 2_000_000;

/// A document as it is read.
#[derive(Default)]
pub(super) struct Tree {
    packages: Vec<Part>,
    by_id: FxHashMap<Box<str>, u32>,
    /// Who holds whom.
    contains: Vec<(Box<str>, Box<str>)>,
    /// Who needs whom.
    depends: Vec<(Box<str>, Box<str>)>,
    /// What the document is about.
    described: Vec<Box<str>>,
    left_out: u64,
}

impl Tree {
    /// Adds a package; its reference is its id.
    pub fn package(&mut self, part: Part, out: &mut Observations) {
        let index = u32::try_from(self.packages.len()).unwrap_or(u32::MAX);
        if let Some(id) = &part.reference
            && let Some(first) = self.by_id.insert(id.clone(), index)
        {
            out.problem(part.at, format!("`{id}` stands twice: relationships go to the first"));
            self.by_id.insert(id.clone(), first);
        }
        self.packages.push(part);
    }

    pub fn contains(&mut self, outer: &str, inner: &str) {
        self.edge(outer, inner, true);
    }

    pub fn depends(&mut self, user: &str, used: &str) {
        self.edge(user, used, false);
    }

    fn edge(&mut self, from: &str, to: &str, contains: bool) {
        let list = if contains { &mut self.contains } else { &mut self.depends };
        if list.len() < MOST {
            list.push((from.into(), to.into()));
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    pub fn describes(&mut self, id: &str) {
        if self.described.len() < MOST && self.described.last().is_none_or(|d| &**d != id) {
            self.described.push(id.into());
        }
    }

    /// A relationship by its name in SPDX 2, read from either end.
    pub fn relationship(&mut self, from: &str, name: &str, to: &str) {
        let name: String = name.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_uppercase()).collect();
        match name.as_str() {
            "CONTAINS" => self.contains(from, to),
            "CONTAINEDBY" => self.contains(to, from),
            "DEPENDSON" | "HASPREREQUISITE" => self.depends(from, to),
            "DEPENDENCYOF" | "PREREQUISITEFOR" => self.depends(to, from),
            "DESCRIBES" => self.describes(to),
            "DESCRIBEDBY" => self.describes(from),
            _ => {}
        }
    }

    /// Every package in place of its id.
    pub fn each(&mut self, mut change: impl FnMut(&mut Part)) {
        self.packages.iter_mut().for_each(&mut change);
    }

    /// Hands the parts over, each after the one that holds it.
    pub fn finish(mut self, out: &mut Observations) {
        if self.left_out > 0 {
            out.problem(At::WHOLE, format!("{} relationships more than {MOST}: they are left out", self.left_out));
        }
        let mut holders: Vec<Option<u32>> = vec![None; self.packages.len()];
        let mut also: Vec<(u32, u32)> = Vec::new();
        // What contains a part comes before what only depends on it, whatever stands first.
        for (edges, contains) in [(&self.contains, true), (&self.depends, false)] {
            for (outer, inner) in edges {
                let (Some(&outer), Some(&inner)) = (self.by_id.get(outer), self.by_id.get(inner)) else { continue };
                let Some(slot) = holders.get_mut(inner as usize) else { continue };
                match slot {
                    None if outer != inner => *slot = Some(outer),
                    Some(first) if *first != outer && contains => also.push((inner, outer)),
                    _ => {}
                }
            }
        }
        for (inner, outer) in also {
            let Some(outer) = self.packages.get(outer as usize).and_then(|p| p.reference.clone()) else { continue };
            if let Some(part) = self.packages.get_mut(inner as usize) {
                super::fields::keep(part, "also in", &outer);
            }
        }
        self.break_circles(&mut holders, out);
        let product = self.product(&holders, out);
        let mut inner: Vec<Vec<u32>> = vec![Vec::new(); self.packages.len()];
        let mut roots = Vec::new();
        for (index, holder) in (0u32..).zip(&holders) {
            match holder.and_then(|h| inner.get_mut(h as usize)) {
                Some(list) => list.push(index),
                None => roots.push(index),
            }
        }
        // Those without one that holds them in their order, each followed by all that it holds.
        let mut stack: Vec<(u32, Option<u32>)> = roots.into_iter().rev().map(|r| (r, None)).collect();
        while let Some((index, parent)) = stack.pop() {
            let Some(part) = self.packages.get_mut(index as usize).map(std::mem::take) else { continue };
            let own = if product == Some(index) { None } else { Some(out.part(Design::Statement, Part { parent, ..part })) };
            for child in inner.get_mut(index as usize).map(std::mem::take).unwrap_or_default().into_iter().rev() {
                stack.push((child, own));
            }
        }
    }

    /// Things that hold each other: the last of them to be met hangs on nothing.
    fn break_circles(&self, holders: &mut [Option<u32>], out: &mut Observations) {
        // 0 = not seen, 1 = on this way, 2 = leads out.
        let mut state = vec![0u8; holders.len()];
        for start in 0..holders.len() {
            let mut way = Vec::new();
            let mut at = Some(start);
            while let Some(i) = at {
                match state.get(i) {
                    Some(0) => {
                        if let Some(s) = state.get_mut(i) {
                            *s = 1;
                        }
                        way.push(i);
                        at = holders.get(i).copied().flatten().map(|h| h as usize);
                    }
                    Some(1) => {
                        if let (Some(slot), Some(part)) = (holders.get_mut(i), self.packages.get(i)) {
                            *slot = None;
                            let name = part.reference.as_deref().unwrap_or("a part");
                            out.problem(part.at, format!("`{name}` is held by what it holds: it is taken out of that"));
                        }
                        break;
                    }
                    _ => break,
                }
            }
            for i in way {
                if let Some(s) = state.get_mut(i) {
                    *s = 2;
                }
            }
        }
    }

    /// The one thing that the document is about becomes its product; it stays a part where it holds nothing.
    fn product(&self, holders: &[Option<u32>], out: &mut Observations) -> Option<u32> {
        let mut described = self.described.iter().filter_map(|id| self.by_id.get(id).copied());
        let index = described.next().filter(|first| described.all(|other| other == *first))?;
        let part = self.packages.get(index as usize)?;
        let bom = out.bom(Design::Statement);
        let product = &mut bom.product;
        product.name = part.value.clone().or(product.name.take());
        product.manufacturer = part.manufacturer.clone();
        product.brand = part.supplier.clone();
        product.model = part.mpn.clone();
        product.version = part.version.clone();
        product.serial = part.serial.clone();
        let leaves = holders.contains(&Some(index)) && holders.get(index as usize) == Some(&None);
        if !leaves {
            return None;
        }
        let rest = part.role.iter().map(|r| ("product:type", r)).chain(part.description.iter().map(|d| ("product:description", d)));
        bom.properties.extend(rest.map(|(n, v)| (n.into(), v.clone())));
        bom.properties.extend(part.properties.iter().cloned());
        Some(index)
    }
}
