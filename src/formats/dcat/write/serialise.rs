//! A graph into text.

use std::io::{self, Write};

use oxrdf::Triple;
use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfSerializer};

use super::names::ALL;
use crate::formats::export::Form;

/// The syntax of a form; nothing for one that is not RDF.
fn syntax(form: Form) -> Option<RdfFormat> {
    Some(match form {
        Form::Turtle => RdfFormat::Turtle,
        Form::NTriples => RdfFormat::NTriples,
        // Flattened: one object a node, with a context of prefixes.
        Form::JsonLd => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
        Form::RdfXml => RdfFormat::RdfXml,
        Form::Json | Form::Croissant | Form::SchemaOrg | Form::DataCite | Form::BibTex => return None,
    })
}

/// Writes a graph. The prefixes are those of the terms that occur in it, so that a reader sees no others.
///
/// # Errors
/// Where `out` does not take the bytes, or the form is none of [`Form::RDF`].
pub fn serialise(triples: &[Triple], form: Form, out: &mut dyn Write) -> io::Result<()> {
    let Some(syntax) = syntax(form) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{} is no syntax of RDF", form.label())));
    };
    let mut serializer = RdfSerializer::from_format(syntax);
    for names in ALL {
        if triples.iter().any(|triple| uses(triple, names.1)) {
            serializer = serializer.with_prefix(names.0, names.1).map_err(io::Error::other)?;
        }
    }
    let mut writer = serializer.for_writer(out);
    for triple in triples {
        writer.serialize_triple(triple)?;
    }
    writer.finish()?.flush()
}

/// Whether a statement names a term of a namespace: as property, as object, or as the type of a value.
fn uses(triple: &Triple, namespace: &str) -> bool {
    let object = match &triple.object {
        oxrdf::Term::NamedNode(node) => Some(node.as_str()),
        oxrdf::Term::Literal(literal) => Some(literal.datatype().as_str()),
        oxrdf::Term::BlankNode(_) => None,
        // With RDF 1.2, which the feature `shacl` brings in, a term may be a statement too; without it there is no fourth.
        #[allow(unreachable_patterns)]
        _ => None,
    };
    triple.predicate.as_str().starts_with(namespace) || object.is_some_and(|iri| iri.starts_with(namespace))
}
