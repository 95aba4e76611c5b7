//! Licences by their addresses: the pages of their stewards, of SPDX and of national portals.

use super::creative_commons::{self, Named};
use super::tables::{Known, TABLES};

/// Whether a text is an address and nothing else.
pub(super) fn is_one(text: &str) -> bool {
    (text.starts_with("http://") || text.starts_with("https://")) && !text.contains(char::is_whitespace)
}

/// An address without what does not tell licences apart: scheme, `www.`, case, query, a slash at the end.
pub(super) fn key(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let rest = rest.split(['?', '#']).next()?.to_lowercase();
    Some(rest.trim_start_matches("www.").trim_end_matches(['/', '.', '\\']).to_owned())
}

/// The licence at an address.
pub(super) fn find(url: &str) -> Option<Known> {
    let key = key(url)?;
    if let Some(known) = TABLES.by_url.get(&key) {
        return Some(known.clone());
    }
    let (host, path) = key.split_once('/')?;
    let parts: Vec<&str> = path.split('/').collect();
    let spdx = |id: &str| TABLES.by_spdx.get(id).cloned();
    match (host, parts.as_slice()) {
        ("creativecommons.org", ["licenses", elements, version, rest @ ..]) => {
            creative_commons::at_address(elements, version, rest)
        }
        ("creativecommons.org", ["publicdomain", "zero", "1.0", ..]) => spdx("cc0-1.0"),
        ("creativecommons.org", ["publicdomain", "mark", "1.0", ..]) => spdx("cc-pdm-1.0"),
        ("spdx.org", ["licenses", id]) => spdx(id.trim_end_matches(".html").trim_end_matches(".json")),
        ("opensource.org", ["licenses" | "license", id]) => spdx(id),
        ("choosealicense.com", ["licenses", id]) => spdx(id),
        ("dcat-ap.de", ["def", "licenses", name, version]) => german(name, &version.replace('_', ".")),
        ("dcat-ap.de", ["def", "licenses", name]) => match creative_commons::whole(name)? {
            Named::WithoutVersion(known) => Some(known),
            _ => None,
        },
        _ => None,
    }
}

/// An entry of the licence list of DCAT-AP.de, which writes a version both as `4.0` and as `4_0`.
fn german(name: &str, version: &str) -> Option<Known> {
    let listed = TABLES.by_url.get(&format!("dcat-ap.de/def/licenses/{name}/{version}"));
    listed.or_else(|| TABLES.by_spdx.get(&format!("{name}-{version}"))).cloned()
}
