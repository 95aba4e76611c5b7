//! Licences in the words of schema.org: an address, a name, or a `CreativeWork` with both.

use serde_json::{Value, json};

use crate::domain::bounds;
use crate::domain::licence::Licence;
use crate::formats::dcat::rights::{LICENCES_DIFFER, one_of};
use crate::formats::draft::Notes;
use crate::formats::linked::{Document, Item, Node};
use crate::formats::text;
use crate::vocabulary::licence;

const SPDX: &str = "https://spdx.org/licenses/";

/// The licence that a thing states; nothing where it states several that differ.
pub(crate) fn of(document: &Document, node: &Node, notes: &mut Notes) -> Option<Licence> {
    let found: Vec<Licence> = node.all("schema:license").iter().filter_map(|item| stated(document, item)).collect();
    let one = one_of(&found);
    if one.is_none() && !found.is_empty() {
        notes.note(LICENCES_DIFFER);
    }
    one
}

fn stated(document: &Document, item: &Item) -> Option<Licence> {
    let Some(work) = item.node().map(|work| document.resolve(work)) else {
        return licence::resolve(&item.text()?).map(bounded);
    };
    let name = work.text("schema:name");
    let words = [work.text("schema:identifier"), work.id.clone(), work.text("schema:url"), name.clone()];
    let words: Vec<String> = words.into_iter().flatten().collect();
    let resolved: Vec<Licence> = words.iter().filter_map(|word| licence::resolve(word)).collect();
    let named = resolved.iter().find(|found| found.spdx.is_some());
    let mut licence = named.or_else(|| resolved.iter().find(|found| found.iri.is_some())).or(resolved.first())?.clone();
    // The address that the source gives is the licence's own where the tables have none.
    let own = work.text("schema:url").or_else(|| work.id.clone()).and_then(|url| url.parse().ok());
    licence.iri = licence.iri.or(own);
    licence.raw = name.or(licence.raw);
    Some(bounded(licence))
}

fn bounded(licence: Licence) -> Licence {
    let raw = licence.raw.map(|raw| text::shortened(bounds::without_controls(&raw), bounds::PROSE).0);
    Licence { raw: raw.filter(|raw| !raw.trim().is_empty()), ..licence }
}

/// A licence as a record states it: one address where that says everything, else a work with its name.
pub(crate) fn written(licence: &Licence) -> Option<Value> {
    let spdx = licence.spdx.as_ref().map(|id| format!("{SPDX}{id}"));
    let url = licence.iri.as_ref().map(|iri| iri.to_string()).or(spdx);
    match (&url, &licence.raw, &licence.spdx) {
        (None, Some(raw), _) => Some(json!(raw)),
        (None, None, _) => None,
        (Some(url), raw, spdx) => {
            let again = licence::resolve(url);
            let says_it_all = raw.as_ref().is_none_or(|raw| raw == url)
                && again.is_some_and(|again| {
                    again.spdx == *spdx && licence.iri.as_ref().is_none_or(|iri| again.iri.as_ref() == Some(iri))
                });
            if says_it_all {
                return Some(json!(url));
            }
            let mut work = json!({"@type": "CreativeWork", "url": url});
            if let Some(raw) = raw.as_ref().or(spdx.as_ref()) {
                work["name"] = json!(raw);
            }
            if let Some(spdx) = spdx {
                work["identifier"] = json!(spdx);
            }
            Some(work)
        }
    }
}
