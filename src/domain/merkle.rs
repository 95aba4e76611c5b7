//! The Merkle tree over the log: the hashes, the proofs and their verification, as RFC 9162 section 2.1 has them.
//!
//! Pure arithmetic. Whole subtrees never change once they are full, so each is stored once, at the place that
//! [`stored_index`] gives it; an append then writes at most log n hashes and every proof reads at most 2 log n.

use sha2::{Digest as _, Sha256};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The root of the empty tree: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The hash of a leaf with this content.
pub fn leaf_hash(content: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(content).finalize().into()
}

/// The hash of a node with these children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// Where the root of the `number`-th full subtree of 2^`level` leaves is stored: the order in which an ever growing tree
/// completes its subtrees, so that storing is always appending.
pub fn stored_index(level: u32, number: u64) -> u64 {
    // The subtree is complete with its last leaf; before that leaf stand all leaves and the nodes that they completed.
    let last_leaf = ((number + 1) << level) - 1;
    let mut index = 0;
    let mut rest = last_leaf;
    while rest > 0 {
        index += rest;
        rest >>= 1;
    }
    index + u64::from(level)
}

/// How many hashes a tree of this many leaves stores.
pub fn stored_count(size: u64) -> u64 {
    match size {
        0 => 0,
        _ => stored_index(0, size - 1) + 1 + u64::from(size.trailing_zeros()),
    }
}

/// The right edge of the tree: the roots of its full subtrees, largest first. All that an append needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The frontier of a stored tree of this many leaves.
    pub fn load<E>(size: u64, mut stored: impl FnMut(u64) -> Result<Hash, E>) -> Result<Self, E> {
        let mut peaks = Vec::new();
        let mut before = 0u64;
        for level in (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1) {
            peaks.push(stored(stored_index(level, before >> level))?);
            before += 1 << level;
        }
        Ok(Self { size, peaks })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf and gives the hashes to store, with their places: the leaf's own and that of each subtree that it
    /// completes.
    pub fn append(&mut self, leaf: Hash) -> Vec<(u64, Hash)> {
        let mut stored = vec![(stored_index(0, self.size), leaf)];
        let (mut hash, mut level, mut number) = (leaf, 0, self.size);
        while number & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            level += 1;
            number >>= 1;
            stored.push((stored_index(level, number), hash));
        }
        self.peaks.push(hash);
        self.size += 1;
        stored
    }

    /// The root.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return empty_root() };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// The root of the first `size` leaves of a stored tree.
pub fn root<E>(size: u64, stored: &mut dyn FnMut(u64) -> Result<Hash, E>) -> Result<Hash, E> {
    if size == 0 { Ok(empty_root()) } else { range(0, size, stored) }
}

/// The proof that leaf `index` (from 0) is in the tree of the first `size` leaves: the sibling hashes, lowest first.
/// The caller has checked `index < size`.
pub fn prove_inclusion<E>(
    index: u64,
    size: u64,
    stored: &mut dyn FnMut(u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let (mut low, mut high) = (0, size);
    let mut path = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            path.push(range(middle, high, stored)?);
            high = middle;
        } else {
            path.push(range(low, middle, stored)?);
            low = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of the first `old` leaves is a beginning of that of the first `new`.
/// The caller has checked `0 < old <= new`.
pub fn prove_consistency<E>(
    old: u64,
    new: u64,
    stored: &mut dyn FnMut(u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let (mut low, mut high) = (0, new);
    let mut path = Vec::new();
    // Whether the subtree that is left over is one the verifier already knows: the old root itself.
    let mut known = true;
    while old < high {
        let middle = low + split(high - low);
        if old <= middle {
            path.push(range(middle, high, stored)?);
            high = middle;
        } else {
            path.push(range(low, middle, stored)?);
            low = middle;
            known = false;
        }
    }
    if !known {
        path.push(range(low, high, stored)?);
    }
    path.reverse();
    Ok(path)
}

/// Whether the proof shows that a leaf with this hash stands at `index` (from 0) in the tree with this root.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut number, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if number & 1 == 1 || number == last {
            hash = node_hash(sibling, &hash);
            while number & 1 == 0 && number != 0 {
                number >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        number >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether the proof shows that the tree of `old` leaves with `old_root` is a beginning of that of `new` leaves with
/// `new_root`.
pub fn verify_consistency(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old == 0 {
        return proof.is_empty() && *old_root == empty_root() && (new > 0 || old_root == new_root);
    }
    if old >= new {
        return old == new && proof.is_empty() && old_root == new_root;
    }
    // A whole subtree is its own first hash; the proof leaves it out.
    let mut proof = proof.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { proof.next() };
    let Some(first) = first else { return false };
    let (mut number, mut last) = (old - 1, new - 1);
    while number & 1 == 1 {
        number >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if number & 1 == 1 || number == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while number & 1 == 0 && number != 0 {
                number >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        number >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The root of the leaves from `low` to below `high`. The left part of every split is a full subtree and therefore
/// stored, so this reads at most log n hashes.
fn range<E>(low: u64, high: u64, stored: &mut dyn FnMut(u64) -> Result<Hash, E>) -> Result<Hash, E> {
    let size = high - low;
    if size.is_power_of_two() && low.is_multiple_of(size) {
        let level = size.trailing_zeros();
        return stored(stored_index(level, low >> level));
    }
    let middle = low + split(size);
    let left = range(low, middle, stored)?;
    let right = range(middle, high, stored)?;
    Ok(node_hash(&left, &right))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// The definition of RFC 9162 section 2.1.1, word for word, as the thing to agree with.
    fn naive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [one] => *one,
            _ => {
                let k = (1..).map(|bit| 1 << bit).take_while(|k| *k < leaves.len()).last().unwrap_or(1);
                node_hash(&naive_root(&leaves[..k]), &naive_root(&leaves[k..]))
            }
        }
    }

    fn leaves(size: usize) -> Vec<Hash> {
        (0..size).map(|number| leaf_hash(&number.to_be_bytes())).collect()
    }

    fn grow(leaves: &[Hash]) -> (Frontier, Vec<Hash>) {
        let (mut frontier, mut stored) = (Frontier::default(), Vec::new());
        for leaf in leaves {
            for (place, hash) in frontier.append(*leaf) {
                assert_eq!(place, stored.len() as u64, "storing is appending");
                stored.push(hash);
            }
        }
        (frontier, stored)
    }

    fn read(stored: &[Hash]) -> impl FnMut(u64) -> Result<Hash, Infallible> + '_ {
        |place| Ok(stored[place as usize])
    }

    #[test]
    fn the_known_answers_of_the_rfc_hold() {
        assert_eq!(
            data_encoding::HEXLOWER.encode(&empty_root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            data_encoding::HEXLOWER.encode(&leaf_hash(b"")),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
    }

    #[test]
    fn every_small_tree_has_the_root_of_its_definition() {
        let all = leaves(130);
        for size in 0..=all.len() {
            let (frontier, stored) = grow(&all[..size]);
            assert_eq!(frontier.root(), naive_root(&all[..size]), "size {size}");
            assert_eq!(stored_count(size as u64), stored.len() as u64, "size {size}");
            assert_eq!(Frontier::load(size as u64, read(&stored)).unwrap(), frontier);
            assert_eq!(root(size as u64, &mut read(&stored)).unwrap(), frontier.root());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_leaf_is_proven_and_no_other_leaf_or_place_is(size in 1usize..300, at in 0usize..300, other in 0usize..300) {
            let (index, other) = (at % size, other % size);
            let all = leaves(size);
            let (frontier, stored) = grow(&all);
            let proof = prove_inclusion(index as u64, size as u64, &mut read(&stored)).unwrap();
            let verifies = |leaf: &Hash, index: usize, proof: &[Hash]| {
                verify_inclusion(leaf, index as u64, size as u64, &frontier.root(), proof)
            };
            prop_assert!(verifies(&all[index], index, &proof));
            if other != index {
                prop_assert!(!verifies(&all[other], index, &proof));
                prop_assert!(!verifies(&all[index], other, &proof));
            }
            for broken in 0..proof.len() {
                let mut proof = proof.clone();
                proof[broken][0] ^= 1;
                prop_assert!(!verifies(&all[index], index, &proof));
            }
            let mut longer = proof.clone();
            longer.push([7; 32]);
            prop_assert!(!verifies(&all[index], index, &longer));
            if let Some((_, shorter)) = proof.split_last() {
                prop_assert!(!verifies(&all[index], index, shorter));
            }
        }

        #[test]
        fn a_longer_log_is_proven_to_begin_with_the_shorter_and_a_rewritten_one_is_not(
            new in 1usize..300, old in 1usize..300, rewritten in 0usize..300,
        ) {
            let old = 1 + (old - 1) % new;
            let all = leaves(new);
            let (frontier, stored) = grow(&all);
            let old_root = naive_root(&all[..old]);
            let proof = prove_consistency(old as u64, new as u64, &mut read(&stored)).unwrap();
            prop_assert!(verify_consistency(old as u64, &old_root, new as u64, &frontier.root(), &proof));

            let mut history = all.clone();
            history[rewritten % old][0] ^= 1;
            let (other, other_stored) = grow(&history);
            let forged = prove_consistency(old as u64, new as u64, &mut read(&other_stored)).unwrap();
            prop_assert!(!verify_consistency(old as u64, &old_root, new as u64, &other.root(), &forged));
            prop_assert!(!verify_consistency(old as u64, &old_root, new as u64, &other.root(), &proof));
        }
    }
}
