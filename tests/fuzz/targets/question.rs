//! The query language: an expression or an error with its column, never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pleiad_fuzz::domain::language;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = language::parse(text);
    }
});
