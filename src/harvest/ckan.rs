//! CKAN by its action API: the search, page after page, or what changed since the newest change of the last run.
//!
//! Pages are sorted by id, which nobody changes, and each begins with the last package of the page before: where it does not,
//! the list moved while it was read. A whole listing must add up to the number that the portal counts, the same on every page;
//! what `package_list` names beside it is there too.

use std::collections::HashSet;

use serde_json::Value;
use url::Url;

use super::crawl::{Broke, Crawl};
use super::verdict::Listing;
use crate::domain::harvest::HarvestCursor;
use crate::domain::ids::Iri;
use crate::formats::{Common, Draft, Refused, ckan};
use crate::outbound::public::Ask;

/// Packages asked for on one page; a portal may give fewer.
const ROWS: &str = "100";
/// The most pages of one list.
const PAGES: usize = 200_000;

/// Reads the source.
pub(super) async fn read(crawl: &Crawl<'_>, cursor: Option<HarvestCursor>) -> Result<Listing, Broke> {
    let portal = Portal::new(crawl)?;
    let since = cursor.and_then(|cursor| cursor.since);
    let mut search = Search { newest: since.clone(), ..Search::default() };
    for number in 1..=PAGES {
        crawl.progress.at(format!("reading page {number} of its packages"));
        let page = portal.page(search.from(), since.as_deref()).await?;
        let records = search.take(page, &portal.site);
        let Some(records) = records else { break };
        crawl.take(records).await?;
    }
    let whole = since.is_none();
    if whole {
        crawl.progress.at("reading its list of names".to_owned());
        let names = portal.names().await;
        search.beside(names.as_deref(), &portal);
    }
    let cursor = HarvestCursor { since: search.newest.clone(), ..HarvestCursor::default() };
    Ok(Listing { whole, unchanged: false, doubt: search.doubt(), cursor })
}

/// Where a search stands.
#[derive(Default)]
struct Search {
    /// How many places of the list were read.
    read: usize,
    /// The id of the package at the last of them.
    last: Option<String>,
    /// The list changed while it was read.
    moved: bool,
    /// A record has another address than its page at the portal.
    has_own_iris: bool,
    /// Packages may be there that nobody can tell by their address.
    hidden: bool,
    /// The packages that came, by their ids.
    ids: HashSet<String>,
    names: HashSet<String>,
    /// How many there are, as the portal said first.
    count: Option<u64>,
    /// The newest change that was seen, as Solr spells moments.
    newest: Option<String>,
}

impl Search {
    /// Where the next page begins: with what was read last.
    fn from(&self) -> usize {
        self.read.saturating_sub(1)
    }

    /// Notes what a page said and gives its records; nothing where the list is over.
    fn take(&mut self, mut page: Page, site: &Iri) -> Option<Vec<Result<Draft, Refused>>> {
        self.moved |= self.count.is_some() && page.count != self.count;
        self.count = self.count.or(page.count);
        let from = self.from();
        if self.read > 0 {
            let goes_on = page.first.is_some() && page.first == self.last;
            self.moved |= !goes_on;
            if goes_on && !page.records.is_empty() {
                drop(page.records.remove(0));
            }
        }
        if page.records.is_empty() {
            return None;
        }
        self.read = from + page.packages;
        self.last = page.last;
        let pages = format!("{site}/dataset/");
        self.has_own_iris |= page.records.iter().flatten().any(|draft| !draft.source.iri.as_str().starts_with(&pages));
        self.ids.extend(page.ids);
        self.names.extend(page.names);
        self.newest = self.newest.take().max(page.newest);
        Some(page.records)
    }

    /// Notes what the portal names beside: packages that its search did not give are there, so they are not gone. Where
    /// records have addresses of their own, a name does not say which is meant, and no list of names says nothing.
    fn beside(&mut self, names: Option<&[String]>, portal: &Portal<'_, '_>) {
        self.hidden = self.has_own_iris && names.is_none();
        for name in names.unwrap_or_default().iter().filter(|name| !self.names.contains(*name)) {
            self.hidden |= self.has_own_iris;
            portal.crawl.progress.there(format!("{}/dataset/{name}", portal.site));
        }
    }

    fn doubt(&self) -> Option<String> {
        if self.moved {
            return Some("the portal's list changed while it was read".to_owned());
        }
        if self.hidden {
            return Some("the portal may have packages that its search did not list".to_owned());
        }
        match self.count {
            Some(count) if count == self.ids.len() as u64 => None,
            Some(count) => Some(format!("the portal counts {count} packages, and it listed {}", self.ids.len())),
            None => Some("the portal does not say how many packages it has".to_owned()),
        }
    }
}

/// One page of a search.
#[derive(Default)]
struct Page {
    packages: usize,
    /// The ids of its first and its last package.
    first: Option<String>,
    last: Option<String>,
    records: Vec<Result<Draft, Refused>>,
    ids: Vec<String>,
    names: Vec<String>,
    count: Option<u64>,
    newest: Option<String>,
}

/// The portal and its API.
struct Portal<'c, 'r> {
    crawl: &'c Crawl<'r>,
    site: Iri,
    api: Url,
}

impl<'c, 'r> Portal<'c, 'r> {
    /// The portal at the source's address, which may be that of the portal or of its API.
    fn new(crawl: &'c Crawl<'r>) -> Result<Self, Broke> {
        let mut address = crawl.source.address.clone();
        address.set_query(None);
        address.set_fragment(None);
        let text = address.as_str().trim_end_matches('/');
        let site = text.split("/api/").next().unwrap_or(text).trim_end_matches("/api").to_owned();
        let wrong = |_| Broke::Other(format!("{site} is no address of a portal"));
        let api = format!("{site}/api/3/action/").parse().map_err(|error: url::ParseError| wrong(error.to_string()))?;
        let site = site.parse().map_err(|error: crate::domain::ids::InvalidName| wrong(error.to_string()))?;
        Ok(Self { crawl, site, api })
    }

    async fn page(&self, start: usize, since: Option<&str>) -> Result<Page, Broke> {
        let mut url = self.api.join("package_search").map_err(|error| Broke::Other(error.to_string()))?;
        url.query_pairs_mut()
            .append_pair("rows", ROWS)
            .append_pair("start", &start.to_string())
            .append_pair("sort", "id asc");
        if let Some(since) = since {
            url.query_pairs_mut().append_pair("fq", &format!("metadata_modified:[{since} TO *]"));
        }
        let text = self.get(url).await?;
        let (common, site) = (self.crawl.common(), self.site.clone());
        let reading = tokio::task::spawn_blocking(move || page(&text, &common, &site));
        reading.await.map_err(|error| Broke::Other(error.to_string()))?
    }

    /// The names of its packages; nothing where it does not tell them.
    async fn names(&self) -> Option<Vec<String>> {
        let text = self.get(self.api.join("package_list").ok()?).await.ok()?;
        let answer: Value = serde_json::from_str(&text).ok()?;
        let names = answer["result"].as_array()?.iter().filter_map(Value::as_str);
        Some(names.map(str::to_owned).collect())
    }

    async fn get(&self, url: Url) -> Result<String, Broke> {
        let ask = Ask { types: vec!["application/json"], ..self.crawl.ask_in_memory(url) };
        let page = self.crawl.public.bytes(&ask).await?.page()?;
        String::from_utf8(page.body).map_err(|_| Broke::Other("its answer is not UTF-8".to_owned()))
    }
}

/// Reads the answer to a search.
fn page(text: &str, common: &Common, site: &Iri) -> Result<Page, Broke> {
    let answer: Value =
        serde_json::from_str(text).map_err(|error| Broke::Other(format!("its answer is no JSON: {error}")))?;
    if answer["success"] != Value::Bool(true) {
        let message = answer["error"]["message"].as_str().unwrap_or("without a reason");
        return Err(Broke::Other(format!("the portal answered that it failed: {message}")));
    }
    let result = &answer["result"];
    let Some(packages) = result["results"].as_array() else {
        return Err(Broke::Other("its answer is none of package_search: check the address".to_owned()));
    };
    if packages.is_empty() {
        return Ok(Page { count: result["count"].as_u64(), ..Page::default() });
    }
    let id = |package: Option<&Value>| package.and_then(|package| package["id"].as_str()).map(str::to_owned);
    let all = |name: &'static str| packages.iter().filter_map(move |package| package[name].as_str());
    // A record without an address of its own is refused under that of the portal, which is no record's name.
    let records = ckan::read(text, common, site).into_iter().map(|read| {
        read.map_err(|refused| match refused.place == site.as_str() {
            true => Refused { place: "a package".to_owned(), ..refused },
            false => refused,
        })
    });
    Ok(Page {
        packages: packages.len(),
        first: id(packages.first()),
        last: id(packages.last()),
        records: records.collect(),
        ids: all("id").map(str::to_owned).collect(),
        names: all("name").map(str::to_owned).collect(),
        count: result["count"].as_u64(),
        newest: all("metadata_modified").filter_map(moment).max(),
    })
}

/// A moment as Solr takes it: `2026-05-01T10:20:30.123456` is `2026-05-01T10:20:30Z`.
fn moment(text: &str) -> Option<String> {
    let seconds = text.get(..19)?;
    let at = format!("{seconds}Z");
    at.parse::<jiff::Timestamp>().is_ok().then_some(at)
}
