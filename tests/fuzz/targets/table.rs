//! Tables and the mappings they are read through: up to the first NUL a mapping, below it a table.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pleiad_fuzz::formats::mapping::Mapping;
use pleiad_fuzz::formats::table;

const MAPPING: &str =
    "iri = 'https://t.example/{id}'\n[columns]\nt = 'title'\nd = {field = 'description', separator = ';'}";

fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|byte| *byte == 0);
    let (written, rows) = at.map_or((&[][..], bytes), |at| (&bytes[..at], &bytes[at + 1..]));
    let written = String::from_utf8_lossy(written);
    let own = [Mapping::read(&written, "m.toml"), Mapping::read(&written, "m.yaml"), Mapping::read(MAPPING, "m.toml")];
    for mapping in own.into_iter().flatten() {
        if let Ok(read) = table::open(rows, b',', &mapping, &pleiad_fuzz::common(), "table") {
            read.for_each(pleiad_fuzz::hold);
        }
    }
});
