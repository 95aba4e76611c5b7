//! OAI-PMH 2.0: page after page of records, or of what changed since the last run.
//!
//! A repository is asked who it is, which metadata it has, and then for its records until it gives no resumption token.
//! That nothing matches is an answer; a token that ran out begins the list again, once. Metadata in RDF (`oai_dcat`) are
//! preferred to Dublin Core. A dataset in RDF is known by its own IRI and not by the record's identifier, so there a deletion
//! is told by a listing of everything, unless the two are the same.

use std::collections::HashSet;

use url::Url;

use super::crawl::{Broke, Crawl};
use super::verdict::Listing;
use crate::domain::harvest::HarvestCursor;
use crate::formats::dcat::{self, Input, Options, Progress};
use crate::formats::oai_pmh::{self, Deleted, Identify, OaiError};
use crate::formats::{Common, Draft, Refused};
use crate::outbound::public::Ask;

/// The media types of an answer.
const XML: [&str; 3] = ["text/xml", "application/xml", "application/oai+xml"];
/// Metadata in RDF, the preferred first; then Dublin Core, which every repository has.
const RDF: [&str; 4] = ["oai_dcat", "dcat", "dcat_ap", "rdf"];
const DUBLIN_CORE: &str = "oai_dc";
/// The most pages of one list.
const PAGES: usize = 100_000;

/// Reads the source.
pub(super) async fn read(crawl: &Crawl<'_>, cursor: Option<HarvestCursor>) -> Result<Listing, Broke> {
    crawl.progress.at("asking who it is".to_owned());
    let identify = oai_pmh::identify(&get(crawl, &[("verb", "Identify")]).await?)?;
    let prefix = prefix(crawl).await?;
    let since = cursor.and_then(|cursor| cursor.since).map(|since| moment(&since, identify.seconds).to_owned());
    let list = List { crawl, prefix, since };
    let read = match list.read().await {
        // A token that ran out: the list is begun again, once.
        Err(Broke::Oai(error)) if error.code() == Some("badResumptionToken") => list.read().await?,
        other => other?,
    };
    let doubt = read
        .size
        .filter(|size| *size != read.listed)
        .map(|size| format!("the repository says that it has {size} records, and it listed {}", read.listed));
    Ok(Listing { whole: list.since.is_none(), unchanged: false, doubt, cursor: next_cursor(&identify) })
}

/// The next run asks for what changed since this one began.
fn next_cursor(identify: &Identify) -> HarvestCursor {
    // Without a date of its own nobody knows which moment the repository would mean.
    let since = (!identify.date.is_empty()).then(|| identify.date.clone());
    // Who forgets deletions is asked for everything each time, or what is gone would stay for a week.
    HarvestCursor { since: since.filter(|_| identify.deleted != Deleted::No), ..HarvestCursor::default() }
}

/// A moment in the granularity of the repository.
fn moment(since: &str, seconds: bool) -> &str {
    if seconds { since } else { since.get(..10).unwrap_or(since) }
}

/// The metadata that are asked for.
async fn prefix(crawl: &Crawl<'_>) -> Result<String, Broke> {
    let offered = oai_pmh::prefixes(&get(crawl, &[("verb", "ListMetadataFormats")]).await?)?;
    if let Some(wanted) = &crawl.source.prefix {
        let known = RDF.contains(&wanted.as_str()) || wanted == DUBLIN_CORE;
        if known && offered.contains(wanted) {
            return Ok(wanted.clone());
        }
        let read = RDF.join(", ");
        return Err(Broke::Other(format!(
            "it does not offer {wanted}, or that is not read here: it offers {}, and {read} and {DUBLIN_CORE} are read",
            offered.join(", ")
        )));
    }
    let mut known = RDF.iter().chain([&DUBLIN_CORE]);
    let best = known.find(|prefix| offered.iter().any(|offered| offered == *prefix));
    best.map(|prefix| (*prefix).to_owned()).ok_or_else(|| {
        Broke::Other(format!("none of its metadata formats is read here: it offers {}", offered.join(", ")))
    })
}

/// A list of records, all or since a moment.
struct List<'c, 'r> {
    crawl: &'c Crawl<'r>,
    prefix: String,
    since: Option<String>,
}

/// What a list was when it was read to its end.
#[derive(Default)]
struct ReadList {
    listed: u64,
    size: Option<u64>,
}

impl List<'_, '_> {
    async fn read(&self) -> Result<ReadList, Broke> {
        let mut read = ReadList::default();
        let mut tokens: HashSet<String> = HashSet::new();
        let mut token: Option<String> = None;
        loop {
            self.crawl.progress.at(format!("reading page {} of its list", tokens.len() + 1));
            let document = self.page(token.as_deref()).await?;
            let batch = match self.parse(document).await? {
                Ok(batch) => batch,
                Err(error) if error.code() == Some("noRecordsMatch") => return Ok(read),
                Err(error) => return Err(error.into()),
            };
            read.listed += batch.listed;
            read.size = batch.size.or(read.size);
            for identifier in batch.deleted {
                self.crawl.progress.deleted(identifier);
            }
            self.crawl.take(batch.records).await?;
            let Some(next) = batch.token else { return Ok(read) };
            if tokens.len() >= PAGES || !tokens.insert(next.clone()) {
                return Err(Broke::Other(format!(
                    "its list leads back to where it was, or has more than {PAGES} pages"
                )));
            }
            token = Some(next);
        }
    }

    async fn page(&self, token: Option<&str>) -> Result<String, Broke> {
        let mut query = vec![("verb", "ListRecords")];
        match token {
            Some(token) => query.push(("resumptionToken", token)),
            None => {
                query.push(("metadataPrefix", &self.prefix));
                query.extend(self.since.as_deref().map(|since| ("from", since)));
                query.extend(self.crawl.source.set.as_deref().map(|set| ("set", set)));
            }
        }
        get(self.crawl, &query).await
    }

    /// Reads a page away from the threads that answer.
    async fn parse(&self, document: String) -> Result<Result<Batch, OaiError>, Broke> {
        let (common, is_rdf) = (self.crawl.common(), self.prefix != DUBLIN_CORE);
        let reading = tokio::task::spawn_blocking(move || batch(document, is_rdf, &common));
        reading.await.map_err(|error| Broke::Other(error.to_string()))?
    }
}

/// One page, read.
#[derive(Default)]
struct Batch {
    records: Vec<Result<Draft, Refused>>,
    deleted: Vec<String>,
    /// Records in the list, deleted ones too.
    listed: u64,
    token: Option<String>,
    size: Option<u64>,
}

fn batch(document: String, is_rdf: bool, common: &Common) -> Result<Result<Batch, OaiError>, Broke> {
    let page = match oai_pmh::page(document) {
        Ok(page) => page,
        Err(error) => return Ok(Err(error)),
    };
    let mut batch = Batch { token: page.token.clone(), size: page.size, ..Batch::default() };
    let mut documents = Vec::new();
    for record in page.records() {
        batch.listed += 1;
        match record {
            Err(refused) => batch.records.push(Err(refused)),
            Ok(record) if record.header.deleted => batch.deleted.push(record.header.identifier),
            Ok(record) if is_rdf => documents.push((record.header.identifier.clone(), record.document())),
            Ok(record) => batch.records.push(record.draft(common)),
        }
    }
    if is_rdf && !documents.is_empty() {
        batch.records.extend(rdf(documents, common)?);
    }
    Ok(Ok(batch))
}

/// Reads metadata in RDF: each record is a document of its own.
fn rdf(documents: Vec<(String, Option<String>)>, common: &Common) -> Result<Vec<Result<Draft, Refused>>, Broke> {
    let failed = |error: std::io::Error| Broke::Other(format!("a page could not be kept: {error}"));
    let mut records = Vec::new();
    for (identifier, document) in documents {
        let refuse = |reason: &str| Err(Refused { place: identifier.clone(), reason: reason.to_owned() });
        let Some(document) = document else {
            records.push(refuse("it has no metadata"));
            continue;
        };
        let file = tempfile::Builder::new().suffix(".rdf").tempfile().map_err(failed)?;
        std::fs::write(file.path(), document).map_err(failed)?;
        let options =
            Options { source: Some(common.source.clone()), country: common.country.clone(), ..Options::default() };
        let read = dcat::open(&Input::Path(file.path().to_owned()), &options, &Progress::default())?;
        if read.is_empty() {
            records.push(refuse("its metadata describe no dcat:Dataset that can be read"));
        }
        for record in read {
            records.push(record?);
        }
    }
    Ok(records)
}

/// Asks the repository.
async fn get(crawl: &Crawl<'_>, query: &[(&str, &str)]) -> Result<String, Broke> {
    let mut url: Url = crawl.source.address.clone();
    url.query_pairs_mut().extend_pairs(query);
    let ask = Ask { types: XML.to_vec(), ..crawl.ask_in_memory(url) };
    let page = crawl.public.bytes(&ask).await?.page()?;
    // What is not UTF-8 is against the protocol and happens; the record it stands in is read with a mark in its place.
    Ok(String::from_utf8(page.body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}
