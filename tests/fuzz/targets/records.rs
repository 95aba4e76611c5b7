//! JSON Lines and YAML: our own documents, and records through a mapping.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pleiad_fuzz::formats::mapping::Mapping;
use pleiad_fuzz::formats::{lines, ours};

const MAPPING: &str = include_str!("../../../config/mappings/records.toml");

fuzz_target!(|bytes: &[u8]| {
    let mapping = Mapping::read(MAPPING, "records.toml").expect("the shipped mapping is one");
    let text = String::from_utf8_lossy(bytes);
    for mapping in [None, Some(&mapping)] {
        lines::open(bytes, mapping, &pleiad_fuzz::common(), "lines").for_each(pleiad_fuzz::hold);
        ours::read(&text, mapping, &pleiad_fuzz::common(), "document").into_iter().for_each(pleiad_fuzz::hold);
    }
});
