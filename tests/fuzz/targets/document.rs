//! A dataset as the API takes it: JSON Schema and the types agree on whatever comes, and what is taken is stable.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pleiad_fuzz::schema;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(dataset) = schema::parse(bytes) {
        let written = serde_json::to_vec(&dataset).expect("a dataset is plain data");
        assert_eq!(schema::parse(&written).expect("what was taken is taken again"), dataset);
    }
});
