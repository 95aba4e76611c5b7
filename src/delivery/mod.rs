//! Bytes on their way, on both sides: what the owner's node sends under a grant, and what the holder fetches.
//!
//! The owner's side: [`send`] (a shard as a stream), [`range`] (which part of it), [`journal`] (what is being released,
//! and how it gets into the log). The holder's side: [`fetch`] (from an agreement to a folder that is done), [`held`]
//! (that folder and its receipt), [`part`] (one shard, written and verified chunk by chunk, resumable).

pub mod fetch;
pub mod held;
pub mod journal;
pub mod part;
pub mod range;
pub mod send;
