//! How a catalogue in RDF says that it goes on: Hydra's partial collections, in the form of today (`hydra:next`,
//! `hydra:totalItems`) and in the older one that CKAN still writes (`hydra:nextPage` of a `hydra:PagedCollection`).

use std::io::{self, Read};

use oxrdf::{Quad, Term};
use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfParser};

const HYDRA: &str = "http://www.w3.org/ns/hydra/core#";

/// What a page says of the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// The address of the next page, as it stands there.
    pub next: Option<String>,
    /// How many items there are on all pages.
    pub total: Option<u64>,
}

/// The extension of a file in this media type; nothing where it is none of RDF.
pub fn extension(media_type: &str) -> Option<&'static str> {
    Some(match media_type {
        "text/turtle" | "application/x-turtle" => "ttl",
        "application/rdf+xml" | "application/xml" | "text/xml" => "rdf",
        "application/ld+json" | "application/json" => "jsonld",
        "application/n-triples" => "nt",
        "application/n-quads" => "nq",
        "application/trig" => "trig",
        _ => return None,
    })
}

/// The media types that are read, the preferred first.
pub const MEDIA_TYPES: [&str; 10] = [
    "text/turtle",
    "application/ld+json",
    "application/rdf+xml",
    "application/n-triples",
    "application/trig",
    "application/n-quads",
    "application/x-turtle",
    "application/xml",
    "text/xml",
    "application/json",
];

/// Reads what a page at the address `base` says of the others. What cannot be parsed is passed over here: the reader of the records tells it.
///
/// # Errors
/// Where the page itself cannot be read.
pub fn paging(page: impl Read, extension: &str, base: &str) -> io::Result<Paging> {
    let format = match extension {
        "rdf" => RdfFormat::RdfXml,
        "jsonld" => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
        "nt" => RdfFormat::NTriples,
        "nq" => RdfFormat::NQuads,
        "trig" => RdfFormat::TriG,
        _ => RdfFormat::Turtle,
    };
    let mut paging = Paging::default();
    let parser = RdfParser::from_format(format).with_base_iri(base);
    let parser = parser.map_err(io::Error::other)?.lenient();
    for quad in parser.for_reader(page) {
        match quad {
            Ok(quad) => take(&quad, &mut paging),
            Err(oxrdfio::RdfParseError::Io(error)) => return Err(error),
            Err(oxrdfio::RdfParseError::Syntax(_)) => {}
        }
    }
    Ok(paging)
}

fn take(quad: &Quad, paging: &mut Paging) {
    let Some(name) = quad.predicate.as_str().strip_prefix(HYDRA) else { return };
    let text = match &quad.object {
        Term::NamedNode(node) => node.as_str(),
        Term::Literal(literal) => literal.value(),
        _ => return,
    };
    match name {
        "next" | "nextPage" => paging.next = Some(text.to_owned()),
        "totalItems" => paging.total = text.trim().parse().ok(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_paging_are_read() {
        let today = "@prefix hydra: <http://www.w3.org/ns/hydra/core#> .
            <https://x.example/c?page=1> a hydra:PartialCollectionView ; hydra:next <https://x.example/c?page=2> .
            <https://x.example/c> hydra:totalItems 42 .";
        let expected = Paging { next: Some("https://x.example/c?page=2".to_owned()), total: Some(42) };
        assert_eq!(paging(today.as_bytes(), "ttl", "https://x.example/c").unwrap(), expected);
        let older = r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:hydra="http://www.w3.org/ns/hydra/core#">
            <hydra:PagedCollection rdf:about="https://x.example/c?page=1"><hydra:nextPage>https://x.example/c?page=2</hydra:nextPage>
            <hydra:totalItems rdf:datatype="http://www.w3.org/2001/XMLSchema#integer">42</hydra:totalItems></hydra:PagedCollection></rdf:RDF>"#;
        assert_eq!(paging(older.as_bytes(), "rdf", "https://x.example/c").unwrap(), expected);
        assert_eq!(
            paging("<https://x.example/c> a <urn:x> .".as_bytes(), "ttl", "https://x.example/c").unwrap(),
            Paging::default()
        );
    }

    #[test]
    fn a_broken_page_is_no_panic_and_goes_nowhere() {
        assert_eq!(paging("<a <b> .. {".as_bytes(), "ttl", "https://x.example/c").unwrap(), Paging::default());
        assert!(MEDIA_TYPES.iter().all(|name| extension(name).is_some()));
    }
}
