//! A tree of hashes over a list: its root commits to every leaf and to their number, and one leaf can be shown to belong
//! to it without the others. The tree of RFC 6962 section 2.1, with a salt in each leaf so that nobody finds out a leaf
//! by trying what it might say.

use sha2::{Digest as _, Sha256};

/// SHA-256.
pub type Hash = [u8; 32];

/// The hash of a leaf. Leaves and nodes begin with different bytes, so that no node passes for a leaf.
pub fn leaf(salt: &[u8], content: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(salt).chain_update(content).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// Every hash of a tree, the leaves first.
pub struct Tree(Vec<Vec<Hash>>);

impl Tree {
    /// Over these leaves, in their order.
    pub fn new(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(last) = levels.last().filter(|l| l.len() > 1) {
            // A lone one at the end goes up as it is: the same tree as splitting at the largest power of two.
            let next = last.chunks(2).map(|pair| match pair {
                [left, right] => node(left, right),
                [lone, ..] => *lone,
                [] => Hash::default(),
            });
            let next = next.collect();
            levels.push(next);
        }
        Self(levels)
    }

    /// The root; that of no leaves is the hash of nothing.
    pub fn root(&self) -> Hash {
        self.0.last().and_then(|l| l.first()).copied().unwrap_or_else(|| Sha256::digest([]).into())
    }

    /// The hashes beside the way from a leaf to the root, the lowest first.
    pub fn path(&self, index: usize) -> Option<Vec<Hash>> {
        self.0.first()?.get(index)?;
        let beside = self.0.iter().enumerate().filter_map(|(height, level)| level.get((index >> height) ^ 1));
        Some(beside.copied().collect())
    }
}

/// The root that a leaf leads to; `None` where the path is not one of the leaf `index` of `size`.
pub fn climb(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    let (mut at, mut width, mut hash) = (index, size, leaf);
    let mut path = path.iter();
    if at >= width {
        return None;
    }
    while width > 1 {
        if at % 2 == 1 {
            hash = node(path.next()?, &hash);
        } else if at.checked_add(1)? < width {
            hash = node(&hash, path.next()?);
        }
        at /= 2;
        width = width.div_ceil(2);
    }
    path.next().is_none().then_some(hash)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::signed::{hex, unhex};

    fn leaves(n: u64) -> Vec<Hash> {
        (0..n).map(|i| leaf(&[], &i.to_be_bytes())).collect()
    }

    #[test]
    fn the_roots_of_the_known_eight_leaves() {
        // Inputs and roots as in the tests of Certificate Transparency logs.
        let inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let all: Vec<Hash> = inputs.iter().map(|i| leaf(&[], &unhex(i).unwrap())).collect();
        for (n, root) in [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ] {
            assert_eq!(hex(&Tree::new(all[..n].to_vec()).root()), root, "{n} leaves");
        }
    }

    #[test]
    fn a_node_is_no_leaf() {
        let (a, b) = (leaf(&[], b"a"), leaf(&[], b"b"));
        assert_ne!(leaf(&a, &b), Tree::new(vec![a, b]).root());
    }

    proptest! {
        #[test]
        fn every_leaf_climbs_to_the_root_and_nothing_else_does(size in 1u64..70, at in 0u64..70, other in 0u64..70) {
            let at = at % size;
            let all = leaves(size);
            let tree = Tree::new(all.clone());
            let path = tree.path(at as usize).unwrap();
            prop_assert_eq!(climb(all[at as usize], at, size, &path), Some(tree.root()));
            prop_assert_ne!(climb(leaf(&[], b"forged"), at, size, &path), Some(tree.root()));
            prop_assert_eq!(climb(all[at as usize], size, size, &path), None);
            if other % size != at {
                prop_assert_ne!(climb(all[at as usize], other % size, size, &path), Some(tree.root()));
            }
            let mut longer = path.clone();
            longer.push(Hash::default());
            prop_assert_eq!(climb(all[at as usize], at, size, &longer), None);
        }
    }
}
