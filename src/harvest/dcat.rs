//! DCAT under an address: one page or several, in any syntax of RDF, fetched whole before any of it is read.
//!
//! A description may be spread over pages, so all of them are read as one catalogue. A page that was asked for under its
//! `ETag` and did not change ends the run at once.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use tokio::sync::mpsc;
use url::Url;

use super::crawl::{BATCH, Broke, Crawl};
use super::verdict::Listing;
use crate::domain::harvest::HarvestCursor;
use crate::formats::dcat::{self, Input, Options, Progress};
use crate::formats::hydra::{self, Paging};
use crate::formats::{Draft, Refused};
use crate::outbound::public::{Ask, Fetched, Page};

/// The most pages of one catalogue.
const PAGES: usize = 10_000;

/// Reads the source.
pub(super) async fn read(crawl: &Crawl<'_>, cursor: Option<HarvestCursor>) -> Result<Listing, Broke> {
    let folder = tempfile::tempdir()
        .map_err(|error| Broke::Other(format!("there is no temporary folder ({error}): make room, or set TMPDIR")))?;
    let Some(fetched) = fetch(crawl, folder.path(), cursor.as_ref()).await? else {
        return Ok(Listing { unchanged: true, cursor: cursor.unwrap_or_default(), ..Listing::default() });
    };
    crawl.progress.at("reading what was fetched".to_owned());
    let (listed, unreadable) = take(crawl, folder.path()).await?;
    let mut doubt = (unreadable > 0).then(|| format!("{unreadable} places could not be read"));
    if let Some(total) = fetched.total.filter(|total| *total != listed) {
        doubt = doubt.or(Some(format!("the source says that it has {total} records, and it listed {listed}")));
    }
    Ok(Listing { whole: true, unchanged: false, doubt, cursor: fetched.cursor })
}

/// What the pages said of themselves.
#[derive(Default)]
struct Pages {
    total: Option<u64>,
    cursor: HarvestCursor,
}

/// Fetches every page into the folder; nothing where the first did not change.
async fn fetch(crawl: &Crawl<'_>, folder: &Path, cursor: Option<&HarvestCursor>) -> Result<Option<Pages>, Broke> {
    let mut pages = Pages::default();
    let mut asked: HashSet<Url> = HashSet::new();
    let mut next = Some(crawl.source.address.clone());
    let mut left = crawl.source.max_bytes;
    while let Some(url) = next.take() {
        let number = asked.len() + 1;
        if !asked.insert(url.clone()) || number > PAGES {
            return Err(Broke::Other(format!("its pages lead back to {url}, or there are more than {PAGES}")));
        }
        crawl.progress.at(format!("fetching page {number}"));
        let known = cursor.filter(|_| number == 1);
        let ask = Ask {
            types: hydra::MEDIA_TYPES.to_vec(),
            etag: known.and_then(|cursor| cursor.etag.clone()),
            modified: known.and_then(|cursor| cursor.modified.clone()),
            max_bytes: left,
            ..crawl.ask(url)
        };
        let Fetched::Got(page) = crawl.public.file(&ask, folder).await? else { return Ok(None) };
        left = left.saturating_sub(page.size);
        let only = HarvestCursor { since: None, etag: page.etag.clone(), modified: page.modified.clone() };
        let from = page.url.clone();
        let paging = keep(page, folder, number).await?;
        pages.total = pages.total.max(paging.total);
        // A first page that did not change says nothing of the others.
        pages.cursor = if number == 1 && paging.next.is_none() { only } else { HarvestCursor::default() };
        next = match paging.next {
            Some(text) => Some(onward(&from, &text)?),
            None => None,
        };
    }
    Ok(Some(pages))
}

/// The address of the next page; never one in the clear after one that was not.
fn onward(from: &Url, next: &str) -> Result<Url, Broke> {
    let to = from.join(next).map_err(|error| Broke::Other(format!("its next page {next:?} is no address: {error}")))?;
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(Broke::Other(format!("its next page {to} is in the clear, which {from} is not")));
    }
    Ok(to)
}

/// Keeps a page under a name that says its syntax, and reads what it says of the others.
async fn keep(page: Page<tempfile::NamedTempFile>, folder: &Path, number: usize) -> Result<Paging, Broke> {
    let extension = hydra::extension(&page.media_type).unwrap_or("ttl");
    let path = folder.join(format!("page-{number:05}.{extension}"));
    let failed = |error: std::io::Error| Broke::Other(format!("a page could not be kept: {error}"));
    page.body.persist(&path).map_err(|error| failed(error.error))?;
    let base = page.url.to_string();
    let reading = tokio::task::spawn_blocking(move || {
        hydra::paging(BufReader::with_capacity(1 << 17, File::open(&path)?), extension, &base)
    });
    reading.await.map_err(|error| Broke::Other(error.to_string()))?.map_err(failed)
}

/// What the thread that reads hands over.
enum Piece {
    Batch(Vec<Result<Draft, Refused>>),
    /// How many records there were, and what could not be read at all.
    End(u64, Vec<Refused>, u64),
}

/// Reads the folder and hands the records on, batch by batch, as they are taken: how many there were, and how many places
/// could not be read.
async fn take(crawl: &Crawl<'_>, folder: &Path) -> Result<(u64, u64), Broke> {
    let (sender, mut pieces) = mpsc::channel(2);
    let common = crawl.common();
    let folder = folder.to_owned();
    let options = Options { source: Some(common.source), country: common.country, ..Options::default() };
    let reading = tokio::task::spawn_blocking(move || -> Result<(), dcat::ReadError> {
        let mut records = dcat::open(&Input::Path(folder), &options, &Progress::default())?;
        let (unreadable, count) = (records.unreadable().0.to_vec(), records.unreadable().1);
        let listed = records.len() as u64;
        loop {
            let batch: Vec<_> = records.by_ref().take(BATCH).collect::<Result<_, _>>()?;
            // Who is not listening any more has ended for a reason of his own.
            if batch.is_empty() || sender.blocking_send(Piece::Batch(batch)).is_err() {
                let _ = sender.blocking_send(Piece::End(listed, unreadable, count));
                return Ok(());
            }
        }
    });
    let mut end = None;
    while let Some(piece) = pieces.recv().await {
        match piece {
            Piece::Batch(batch) => crawl.take(batch).await?,
            Piece::End(listed, unreadable, count) => {
                for refused in unreadable.iter() {
                    crawl.progress.refuse(&file_only(&refused.place), &refused.reason);
                }
                end = Some((listed, count));
            }
        }
    }
    reading.await.map_err(|error| Broke::Other(error.to_string()))??;
    end.ok_or_else(|| Broke::Other("what was fetched could not be read to its end".to_owned()))
}

/// A place without the temporary folder that it is in.
fn file_only(place: &str) -> String {
    place.rsplit('/').next().unwrap_or(place).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_never_in_the_clear_after_one_that_was_not() {
        let from: Url = "https://portal.example/catalogue?page=1".parse().unwrap();
        assert_eq!(onward(&from, "?page=2").unwrap().as_str(), "https://portal.example/catalogue?page=2");
        assert!(onward(&from, "http://portal.example/catalogue?page=2").is_err());
        let clear: Url = "http://portal.example/catalogue".parse().unwrap();
        assert!(onward(&clear, "https://portal.example/2").is_ok() && onward(&clear, "/2").is_ok());
    }
}
