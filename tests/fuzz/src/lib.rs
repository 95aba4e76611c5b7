//! The pure rooms of the node, compiled for the fuzz targets, and what the targets share.
//!
//! A target holds two promises: nothing panics whatever the bytes are, and what is read is either a draft that the schema
//! takes or a refusal with a reason.

#![allow(dead_code, missing_docs)]

#[path = "../../../src/domain/mod.rs"]
pub mod domain;
#[path = "../../../src/formats/mod.rs"]
pub mod formats;
#[path = "../../../src/schema/mod.rs"]
pub mod schema;
#[path = "../../../src/vocabulary/mod.rs"]
pub mod vocabulary;

use formats::{Common, Draft, Refused};

/// The source of everything that is read here.
pub fn common() -> Common {
    Common { source: "fuzz.example".to_owned(), country: Some("BE".parse().expect("BE is a country")) }
}

/// Holds one reading against the promises.
pub fn hold(read: Result<Draft, Refused>) {
    match read {
        Ok(draft) => {
            let mut dataset = draft.dataset;
            dataset["id"] = "https://fuzz.example/dataset/x".into();
            if let Err(faults) = schema::admit_bounded(&dataset) {
                panic!("a reader made a draft that is not valid: {faults:?}\n{dataset}");
            }
        }
        Err(refused) => assert!(!refused.reason.trim().is_empty(), "refused without a reason"),
    }
}
