//! schema.org, alone, in a catalogue or in a page.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pleiad_fuzz::formats::schema_org;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for read in schema_org::read(&text, &pleiad_fuzz::common()) {
        pleiad_fuzz::hold(read);
    }
});
