//! One question to the whole federation.
//!
//! [`plan`] says whom to ask, [`merge`] makes one page of the answers, and both are pure. [`source`] is how each node's
//! part in it is shown.

pub mod certificate;
pub mod duplicates;
pub mod honest;
pub mod merge;
pub mod plan;
pub mod source;

#[cfg(test)]
mod merge_laws;
