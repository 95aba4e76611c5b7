//! The envelope of OAI-PMH 2.0: what a repository says of itself, and its records, a page at a time.
//!
//! A record's metadata is another format: [`dc`] reads `oai_dc`, and what is RDF (`oai_dcat`) is handed over as a document of
//! its own. Errors of the protocol are values here, because one of them (`noRecordsMatch`) is no error to who asks for
//! changes. Specification: https://www.openarchives.org/OAI/2.0/openarchivesprotocol.htm

pub mod dc;
mod xml;

use super::draft::Common;
use super::{Draft, Refused};
use xml::Element;

pub use xml::XmlError;

const NAMESPACE: &str = "http://www.openarchives.org/OAI/2.0/";

/// Why an answer is none of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OaiError {
    /// It is no XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// It is XML, but no answer of OAI-PMH 2.0.
    #[error("it is no answer of OAI-PMH 2.0: {0}")]
    Other(String),
    /// The repository refused, with its code.
    #[error("the repository answered {code}: {message}")]
    Refused {
        /// The code, such as `badResumptionToken`.
        code: String,
        /// Its words.
        message: String,
    },
}

impl OaiError {
    /// The code with which the repository refused.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

/// What a repository remembers of deleted records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// Nothing.
    No,
    /// For some time.
    Transient,
    /// For ever.
    Persistent,
}

/// What a repository says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identify {
    /// When it said so, in its own spelling.
    pub date: String,
    /// Whether its datestamps have seconds, or days only.
    pub seconds: bool,
    /// What it remembers of deleted records.
    pub deleted: Deleted,
}

/// One page of records.
#[derive(Debug)]
pub struct Page {
    document: String,
    top: Element,
    /// The token of the next page; nothing on the last one.
    pub token: Option<String>,
    /// How many records there are in all, where it is said.
    pub size: Option<u64>,
}

/// The head of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its identifier in the repository.
    pub identifier: String,
    /// When it last changed there.
    pub datestamp: String,
    /// Whether it was deleted.
    pub deleted: bool,
}

/// A record of a page.
#[derive(Debug)]
pub struct Record<'p> {
    /// Its head.
    pub header: Header,
    metadata: Option<&'p Element>,
    page: &'p Page,
    above: Vec<&'p Element>,
}

/// The answer to `Identify`.
pub fn identify(document: &str) -> Result<Identify, OaiError> {
    let top = answer(document)?;
    let said = top.child("Identify").ok_or_else(|| OaiError::Other("it has no Identify".to_owned()))?;
    match said.said("protocolVersion") {
        Some("2.0") => {}
        other => return Err(OaiError::Other(format!("its version is {}", other.unwrap_or("not stated")))),
    }
    let deleted = match said.said("deletedRecord") {
        Some("persistent") => Deleted::Persistent,
        Some("transient") => Deleted::Transient,
        _ => Deleted::No,
    };
    let seconds = said.said("granularity").is_some_and(|text| text.eq_ignore_ascii_case("YYYY-MM-DDThh:mm:ssZ"));
    Ok(Identify { date: top.said("responseDate").unwrap_or_default().to_owned(), seconds, deleted })
}

/// The answer to `ListMetadataFormats`: the prefixes.
pub fn prefixes(document: &str) -> Result<Vec<String>, OaiError> {
    let top = answer(document)?;
    let list = top.child("ListMetadataFormats");
    let list = list.ok_or_else(|| OaiError::Other("it has no ListMetadataFormats".to_owned()))?;
    Ok(list.all("metadataFormat").filter_map(|format| format.said("metadataPrefix")).map(str::to_owned).collect())
}

/// The answer to `ListRecords`.
pub fn page(document: String) -> Result<Page, OaiError> {
    let top = answer(&document)?;
    let list = top.child("ListRecords").ok_or_else(|| OaiError::Other("it has no ListRecords".to_owned()))?;
    let resumption = list.child("resumptionToken");
    let token = resumption.map(|token| token.text.trim().to_owned()).filter(|token| !token.is_empty());
    let size = resumption.and_then(|token| token.attribute("completeListSize")?.trim().parse().ok());
    Ok(Page { document, top, token, size })
}

impl Page {
    /// The records; one whose head has no identifier is refused.
    pub fn records(&self) -> impl Iterator<Item = Result<Record<'_>, Refused>> {
        let list = self.top.child("ListRecords");
        list.into_iter().flat_map(move |list| list.all("record").map(move |record| self.record(list, record)))
    }

    fn record<'p>(&'p self, list: &'p Element, record: &'p Element) -> Result<Record<'p>, Refused> {
        let refuse = |reason: &str| Refused { place: "a record".to_owned(), reason: reason.to_owned() };
        let header = record.child("header").ok_or_else(|| refuse("it has no header"))?;
        let identifier = header.said("identifier").ok_or_else(|| refuse("its header has no identifier"))?.to_owned();
        let datestamp = header.said("datestamp").unwrap_or_default().to_owned();
        let header = Header { identifier, datestamp, deleted: header.attribute("status") == Some("deleted") };
        let envelope = record.child("metadata");
        let mut above = vec![&self.top, list, record];
        above.extend(envelope);
        let metadata = envelope.and_then(|envelope| envelope.children.first());
        Ok(Record { header, metadata, page: self, above })
    }
}

impl Record<'_> {
    /// The metadata as a document of its own.
    pub fn document(&self) -> Option<String> {
        self.metadata.map(|metadata| metadata.alone(&self.page.document, &self.above))
    }

    /// The metadata as a draft, where it is Dublin Core.
    pub fn draft(&self, common: &Common) -> Result<Draft, Refused> {
        let refuse = |reason: String| Refused { place: self.header.identifier.clone(), reason };
        let metadata = self.metadata.ok_or_else(|| refuse("it has no metadata".to_owned()))?;
        let text = self.document().unwrap_or_default();
        dc::read(&self.header.identifier, metadata, text, common).map_err(refuse)
    }
}

/// The document's top, unless it is an error of the protocol.
fn answer(document: &str) -> Result<Element, OaiError> {
    let top = xml::parse(document)?;
    if top.name != "OAI-PMH" || top.namespace != NAMESPACE {
        return Err(OaiError::Other(format!("its top is <{}> in {:?}", top.name, top.namespace)));
    }
    match top.child("error") {
        None => Ok(top),
        Some(error) => {
            let message = error.text.trim().chars().filter(|c| !c.is_control()).take(200).collect();
            Err(OaiError::Refused { code: error.attribute("code").unwrap_or("an error").to_owned(), message })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(inner: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<OAI-PMH xmlns=\"{NAMESPACE}\">\
             <responseDate>2026-05-01T10:00:00Z</responseDate><request>x</request>{inner}</OAI-PMH>"
        )
    }

    #[test]
    fn what_a_repository_says_of_itself_is_read() {
        let said = envelope(
            "<Identify><repositoryName>R</repositoryName><protocolVersion>2.0</protocolVersion>\
             <deletedRecord>persistent</deletedRecord><granularity>YYYY-MM-DDThh:mm:ssZ</granularity></Identify>",
        );
        let read = identify(&said).unwrap();
        assert_eq!(
            read,
            Identify { date: "2026-05-01T10:00:00Z".to_owned(), seconds: true, deleted: Deleted::Persistent }
        );
        let old = said.replace("2.0</protocolVersion>", "1.1</protocolVersion>");
        assert!(matches!(identify(&old), Err(OaiError::Other(_))));
        let formats = envelope(
            "<ListMetadataFormats><metadataFormat><metadataPrefix>oai_dc</metadataPrefix></metadataFormat>\
             <metadataFormat><metadataPrefix>oai_dcat</metadataPrefix></metadataFormat></ListMetadataFormats>",
        );
        assert_eq!(prefixes(&formats).unwrap(), ["oai_dc", "oai_dcat"]);
    }

    #[test]
    fn a_page_has_records_deletions_a_token_and_a_size() {
        let page = page(envelope(
            "<ListRecords><record><header><identifier>oai:x:1</identifier><datestamp>2026-01-01</datestamp></header>\
             <metadata><a xmlns=\"urn:a\">t</a></metadata></record>\
             <record><header status=\"deleted\"><identifier>oai:x:2</identifier></header></record>\
             <record><header/></record>\
             <resumptionToken completeListSize=\"30\" cursor=\"0\"> next </resumptionToken></ListRecords>",
        ))
        .unwrap();
        assert_eq!((page.token.as_deref(), page.size), (Some("next"), Some(30)));
        let records: Vec<_> = page.records().collect();
        let first = records[0].as_ref().unwrap();
        assert_eq!((first.header.identifier.as_str(), first.header.deleted), ("oai:x:1", false));
        assert_eq!(first.document().unwrap(), "<a xmlns=\"urn:a\">t</a>");
        assert!(records[1].as_ref().unwrap().header.deleted);
        assert!(records[2].is_err());
    }

    #[test]
    fn errors_of_the_protocol_have_their_code_and_other_pages_are_told() {
        let refused = envelope("<error code=\"noRecordsMatch\">nothing\n new</error>");
        let error = page(refused).unwrap_err();
        assert_eq!(error.code(), Some("noRecordsMatch"));
        assert!(matches!(page("<html><body>Maintenance</body></html>".to_owned()), Err(OaiError::Other(_))));
        assert!(matches!(page("{}".to_owned()), Err(OaiError::Xml(_))));
    }
}
