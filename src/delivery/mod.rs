//! Bytes on their way, on both sides: what the owner's node sends under a grant, and what the holder fetches.
//!
//! The owner's side: [`send`] (a shard as a stream), [`range`] (which part of it), [`journal`] (what is being released,
//! and how it gets into the log). The holder's side: [`part`] (one shard, written and verified chunk by chunk,
//! resumable).

pub mod journal;
pub mod part;
pub mod range;
pub mod send;
