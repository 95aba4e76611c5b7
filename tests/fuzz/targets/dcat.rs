//! RDF in every syntax: the first byte chooses it, the rest is the file.

#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use pleiad_fuzz::formats::dcat::{self, Input, Options, Progress};

const SYNTAXES: [&str; 6] = [".nt", ".ttl", ".rdf", ".jsonld", ".trig", ".nq"];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let suffix = SYNTAXES[usize::from(*first) % SYNTAXES.len()];
    let mut file = tempfile::Builder::new().suffix(suffix).tempfile().expect("a temporary file");
    file.write_all(rest).expect("the file takes the bytes");
    let options = Options { source: Some("fuzz.example".into()), memory: 1 << 16, ..Options::default() };
    let input = Input::Path(file.path().to_owned());
    let Ok(records) = dcat::open(&input, &options, &Progress::default()) else { return };
    for record in records {
        let mut record = record.expect("a file that was written is read");
        if let Ok(draft) = &mut record {
            draft.dataset["country"] = "BE".into();
        }
        pleiad_fuzz::hold(record);
    }
});
