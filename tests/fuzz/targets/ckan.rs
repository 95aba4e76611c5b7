//! What a CKAN answers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pleiad_fuzz::formats::ckan;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let site = "https://ckan.example".parse().expect("an IRI");
    ckan::read(&text, &pleiad_fuzz::common(), &site).into_iter().for_each(pleiad_fuzz::hold);
});
