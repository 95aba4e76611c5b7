//! Files that are contained in themselves.

use std::collections::{HashMap, HashSet};

use crate::formats::linked::Node;

/// The files that are contained in themselves, each with the container by which it comes about.
pub(super) fn circles<'d>(within: &HashMap<String, (&'d Node, Vec<String>)>) -> Vec<(&'d Node, String)> {
    let mut closed: HashSet<&str> = HashSet::new();
    let mut found = Vec::new();
    let mut starts: Vec<&str> = within.keys().map(String::as_str).collect();
    starts.sort_unstable();
    for start in starts {
        // A walk with its own stack, because a chain may be as long as the document.
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        let mut on_path: HashSet<&str> = HashSet::from([start]);
        while let Some((id, next)) = path.pop() {
            let children = within.get(id).map_or(&[][..], |(_, children)| children.as_slice());
            let Some(child) = children.get(next).filter(|_| !closed.contains(id)) else {
                closed.insert(id);
                on_path.remove(id);
                continue;
            };
            path.push((id, next + 1));
            if on_path.contains(child.as_str()) {
                found.push((within[id].0, child.clone()));
            } else if !closed.contains(child.as_str()) && within.contains_key(child) {
                on_path.insert(child);
                path.push((child, 0));
            }
        }
    }
    found
}
