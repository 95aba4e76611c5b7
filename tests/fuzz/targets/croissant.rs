//! Croissant, whatever its version.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pleiad_fuzz::formats::croissant;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    pleiad_fuzz::hold(croissant::read(&text, &pleiad_fuzz::common()));
});
