//! The JSON-LD contexts that are known here. A context is never fetched.

use std::error::Error;

use oxrdfio::{JsonLdProfile, LoadedDocument, RdfFormat};

/// The pinned copy of a context; for any other address the reason why it is not read.
pub(super) fn load(address: &str) -> Result<LoadedDocument, Box<dyn Error + Send + Sync>> {
    let plain = super::percent_decoded(address);
    let (_, rest) = plain.split_once("://").unwrap_or(("", &plain));
    let content = match rest.split_once('/') {
        Some(("ofn.gov.cz", path)) if path.ends_with("/rozhraní-katalogů-otevřených-dat.jsonld") => {
            include_str!("contexts/dcat-ap-cz.jsonld")
        }
        Some(("semiceu.github.io" | "data.europa.eu", path)) if path.ends_with("/dcat-ap.jsonld") => {
            include_str!("contexts/dcat-ap.jsonld")
        }
        Some(("semiceu.github.io", path)) if path.ends_with("/mldcat-ap.jsonld") => {
            include_str!("contexts/mldcat-ap.jsonld")
        }
        _ => {
            return Err(format!(
                "the remote context {} is not one of those known here, and contexts are never fetched; write its terms out, or give the data as N-Triples",
                address.chars().take(200).collect::<String>()
            )
            .into());
        }
    };
    Ok(LoadedDocument {
        url: address.to_owned(),
        content: content.as_bytes().to_vec(),
        format: RdfFormat::JsonLd { profile: JsonLdProfile::Context.into() },
    })
}
