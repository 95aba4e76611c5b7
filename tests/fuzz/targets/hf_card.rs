//! Dataset cards of the Hugging Face hub, with and without the infos beside them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pleiad_fuzz::formats::hf_card;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (card, infos) = text.split_once('\0').map_or((&*text, None), |(card, infos)| (card, Some(infos)));
    pleiad_fuzz::hold(hf_card::read(card, infos, "org/name", &pleiad_fuzz::common()));
    pleiad_fuzz::hold(hf_card::read_infos(&text, "org/name", &pleiad_fuzz::common()));
});
