//! Bytes on their way, on both sides: what the owner's node sends under a grant, and what the holder fetches.
//!
//! The holder's side reads top-down: [`fetch`] (an agreement to a folder that is done), [`part`] (one shard, written and
//! verified chunk by chunk, resumable).

pub mod part;
pub mod range;
