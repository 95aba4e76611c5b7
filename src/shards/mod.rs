//! Bytes where they lie: the shards of a dataset are opened in place, at an offset, and never copied in.
//!
//! A [`Folder`] holds one directory for each dataset. A shard's name comes from the wire and is only ever an entry of
//! that directory: it is opened relative to it, must be a regular file, and no symbolic link is followed. [`measure()`]
//! reads files once and says what they are: the manifest that an agreement pins.

mod folder;
mod measure;

pub use folder::{Folder, OpenShard, ShardError};
pub use measure::{MeasureError, measure, measure_file};
