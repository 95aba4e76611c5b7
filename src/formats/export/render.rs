//! One record in one form: which writer is asked.

use std::io;

use super::{Form, Place};
use crate::domain::dataset::Registered;
use crate::formats::dcat::{self, Profile};
use crate::formats::{citation, croissant, schema_org};

/// A record in a form. The profile counts for RDF alone. The same record gives the same bytes.
///
/// # Errors
/// Where a writer cannot say what the record has; none of ours does that.
pub fn render(record: &Registered, place: &Place, form: Form, profile: Profile) -> io::Result<Vec<u8>> {
    let json = |value: &serde_json::Value| -> io::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(value)?;
        bytes.push(b'\n');
        Ok(bytes)
    };
    match form {
        Form::Json => Ok(serde_json::to_vec(record)?),
        Form::Turtle | Form::JsonLd | Form::RdfXml | Form::NTriples => {
            let mut bytes = Vec::new();
            dcat::serialise(&dcat::write(record, place, profile), form, &mut bytes)?;
            Ok(bytes)
        }
        Form::Croissant => json(&croissant::write(record, place)),
        Form::SchemaOrg => json(&schema_org::write(record, place)),
        Form::DataCite => json(&citation::datacite(record, place)),
        Form::BibTex => Ok(citation::bibtex(record, place).into_bytes()),
    }
}
