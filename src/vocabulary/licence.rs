//! What a source wrote about its licence, turned into an identifier and into what the licence permits.
//!
//! A string is resolved only when it names one licence and one version: an IRI of the EU licence table, an SPDX id, a
//! licence steward's own URL, or a full name that is the same after case, punctuation and filler words are taken away.
//! Everything else keeps the source's words and states nothing. What a licence permits is read from a reviewed table
//! (`data/licence.tsv`, explained in `data/SOURCE.md`), never from its name.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::table::{AUTHORITY, rows};
use crate::domain::ids::Iri;
use crate::domain::licence::{Answer, Licence, Permissions};

/// The licence that a source names in words, by an id or by an IRI. Nothing for a blank; the source's own words alone
/// where they do not name one known licence.
pub fn resolve(raw: &str) -> Option<Licence> {
    let raw = raw.trim();
    if raw.is_empty() {
        return None;
    }
    let found = find(raw);
    let own_iri = || is_url(raw).then(|| raw.parse::<Iri>().ok()).flatten();
    Some(match found {
        Some(Found::Known(known)) => Licence {
            spdx: known.spdx.map(str::to_owned),
            iri: known.iri.as_deref().and_then(|iri| iri.parse().ok()).or_else(own_iri),
            raw: Some(raw.to_owned()),
            permissions: known.permissions,
            matched: None,
        },
        Some(Found::Port(permissions)) => {
            Licence { spdx: None, iri: own_iri(), raw: Some(raw.to_owned()), permissions, matched: None }
        }
        None => Licence { iri: own_iri(), raw: Some(raw.to_owned()), ..Licence::default() },
    })
}

/// The licence with this SPDX id, in any case; nothing where the SPDX list does not have it.
pub fn by_spdx(id: &str) -> Option<Licence> {
    let known = TABLES.by_spdx.get(&id.to_ascii_lowercase())?;
    Some(Licence {
        spdx: known.spdx.map(str::to_owned),
        iri: known.iri.as_deref().and_then(|iri| iri.parse().ok()),
        raw: None,
        permissions: known.permissions,
        matched: None,
    })
}

pub(super) const TABLE: &str = include_str!("data/licence.tsv");

/// The full IRI of a row of the table.
pub(super) fn iri(cell: &str) -> String {
    match cell.strip_prefix("eu:") {
        Some(code) => format!("{AUTHORITY}licence/{code}"),
        None => cell.to_owned(),
    }
}

#[derive(Clone)]
struct Known {
    iri: Option<String>,
    spdx: Option<&'static str>,
    permissions: Permissions,
}

enum Found {
    Known(&'static Known),
    /// A national version of a Creative Commons licence that has no SPDX id: its elements say what it permits.
    Port(Permissions),
}

fn find(raw: &str) -> Option<Found> {
    if let Some((text, url)) = markdown_link(raw) {
        return find_link(text, url);
    }
    if is_url(raw) { find_url(raw) } else { find_name(raw).map(Found::Known) }
}

/// A link counts when its words name the licence its address names, or name it without the version.
fn find_link(text: &str, url: &str) -> Option<Found> {
    let found = find_url(url)?;
    let Found::Known(known) = found else { return None };
    let (words, id) = (plain(text), plain(known.spdx?));
    let unversioned = id.strip_prefix(&words).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    let same = find_name(text).is_some_and(|named| named.spdx == known.spdx);
    (same || unversioned).then_some(Found::Known(known))
}

fn find_url(raw: &str) -> Option<Found> {
    let key = url_key(raw)?;
    if let Some(known) = TABLES.by_url.get(&key) {
        return Some(Found::Known(known));
    }
    let (host, path) = key.split_once('/')?;
    let parts: Vec<&str> = path.split('/').collect();
    let spdx = |id: &str| TABLES.by_spdx.get(id).map(Found::Known);
    match (host, parts.as_slice()) {
        ("creativecommons.org", ["licenses", elements, version, rest @ ..]) => {
            creative_commons(elements, version, rest)
        }
        ("creativecommons.org", ["publicdomain", "zero", "1.0", ..]) => spdx("cc0-1.0"),
        ("creativecommons.org", ["publicdomain", "mark", "1.0", ..]) => spdx("cc-pdm-1.0"),
        ("spdx.org", ["licenses", id]) => spdx(id.trim_end_matches(".html").trim_end_matches(".json")),
        ("opensource.org", ["licenses" | "license", id]) => spdx(id),
        _ => None,
    }
}

/// `by-nc/3.0/at/legalcode.de` and its like; a national version without an SPDX id keeps the meaning of its elements.
fn creative_commons(elements: &str, version: &str, rest: &[&str]) -> Option<Found> {
    let is_page = |part: &&str| part.starts_with("deed") || part.starts_with("legalcode") || part.is_empty();
    let rest: Vec<&str> = rest.iter().copied().filter(|part| !is_page(part)).collect();
    let id = format!("cc-{elements}-{version}");
    let international = TABLES.by_spdx.get(&id)?;
    match rest[..] {
        [] => Some(Found::Known(international)),
        [port] => Some(match TABLES.by_spdx.get(&format!("{id}-{port}")) {
            Some(known) => Found::Known(known),
            None => Found::Port(international.permissions),
        }),
        _ => None,
    }
}

fn find_name(raw: &str) -> Option<&'static Known> {
    let by_name = |text: &str| TABLES.by_name.get(&plain(text)).and_then(Option::as_ref);
    if let Some(known) = by_name(raw) {
        return Some(known);
    }
    // "Creative Commons Attribution 4.0 International (CC BY 4.0)": both halves must say the same.
    let (before, rest) = raw.split_once('(')?;
    let (inside, after) = rest.split_once(')')?;
    let (outer, inner) = (by_name(&format!("{before}{after}"))?, by_name(inside)?);
    (outer.spdx.is_some() && outer.spdx == inner.spdx).then_some(outer)
}

/// The words of a name that tell one licence from another, without case, punctuation and filler.
fn plain(name: &str) -> String {
    let name = name.to_lowercase();
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| {
        !matches!(
            *word,
            "" | "the" | "licence" | "license" | "version" | "v" | "international" | "generic" | "unported"
        )
    });
    let joined: String = words
        .map(|word| match word.strip_prefix('v') {
            Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => number,
            _ => word,
        })
        .collect();
    [
        ("creativecommons", "cc"),
        ("attribution", "by"),
        ("sharealike", "sa"),
        ("noncommercial", "nc"),
        ("noderivatives", "nd"),
        ("noderivs", "nd"),
        ("publicdomaindedication", ""),
        ("universal", ""),
    ]
    .iter()
    .fold(joined, |text, (long, short)| text.replace(long, short))
}

fn is_url(text: &str) -> bool {
    (text.starts_with("http://") || text.starts_with("https://")) && !text.contains(char::is_whitespace)
}

/// An address without what does not tell licences apart: scheme, `www.`, case, query, a slash at the end.
fn url_key(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let rest = rest.split(['?', '#']).next()?.to_lowercase();
    Some(rest.trim_start_matches("www.").trim_end_matches(['/', '.']).to_owned())
}

/// `[words](address)` and nothing else but a full stop.
fn markdown_link(raw: &str) -> Option<(&str, &str)> {
    let (text, rest) = raw.strip_prefix('[')?.split_once("](")?;
    let (url, after) = rest.split_once(')')?;
    (!text.contains('[') && after.trim_matches('.').trim().is_empty()).then_some((text, url.trim()))
}

struct Tables {
    by_url: HashMap<String, Known>,
    by_spdx: HashMap<String, Known>,
    /// `None` where two licences share a name once it is made plain.
    by_name: HashMap<String, Option<Known>>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables = Tables { by_url: HashMap::new(), by_spdx: HashMap::new(), by_name: HashMap::new() };
    // Rows are sorted, so that CC_BY_4_0 comes after the deprecated CC_BY and gives the SPDX id its IRI.
    for row in rows(TABLE).1 {
        let [cell, spdx, terms, name] = row[..] else { continue };
        let known = Known {
            iri: (!cell.is_empty()).then(|| iri(cell)),
            spdx: (!spdx.is_empty()).then_some(spdx),
            permissions: permissions(terms),
        };
        if let Some(key) = known.iri.as_deref().and_then(url_key) {
            tables.by_url.insert(key, known.clone());
        }
        // A code without a version, such as CC_BY, is a licence only as the IRI of the table.
        if let Some(code) = cell.strip_prefix("eu:").filter(|code| code.contains(|c: char| c.is_ascii_digit())) {
            tables.name(code, &known);
        }
        if let Some(spdx) = known.spdx {
            tables.by_spdx.insert(spdx.to_lowercase(), known.clone());
        }
        tables.name(name, &known);
    }
    for licence in spdx::identifiers::LICENSES.iter().filter(|licence| licence.flags & spdx::flags::IS_DEPRECATED == 0)
    {
        let known = tables
            .by_spdx
            .entry(licence.name.to_lowercase())
            .or_insert_with(|| Known { iri: None, spdx: Some(licence.name), permissions: Permissions::default() })
            .clone();
        tables.name(licence.name, &known);
        tables.name(licence.full_name, &known);
    }
    for (alias, id) in ALIASES {
        if let Some(known) = tables.by_spdx.get(&id.to_lowercase()).cloned() {
            tables.name(alias, &known);
            tables.by_spdx.entry(alias.to_lowercase()).or_insert(known);
        }
    }
    for (address, name) in ADDRESSES {
        let known = match name.strip_prefix("eu:") {
            Some(_) => url_key(&iri(name)).and_then(|key| tables.by_url.get(&key)).cloned(),
            None => tables.by_spdx.get(&name.to_lowercase()).cloned(),
        };
        if let Some(known) = known {
            tables.by_url.insert((*address).to_owned(), known);
        }
    }
    tables
});

impl Tables {
    fn name(&mut self, name: &str, known: &Known) {
        let same = |other: &Known| match (other.spdx, known.spdx) {
            (Some(a), Some(b)) => a == b,
            _ => other.iri == known.iri,
        };
        self.by_name
            .entry(plain(name))
            .and_modify(|entry| {
                if !entry.as_ref().is_some_and(same) {
                    *entry = None;
                }
            })
            .or_insert_with(|| Some(known.clone()));
    }
}

fn permissions(terms: &str) -> Permissions {
    let answer = |at: usize| match terms.as_bytes().get(at) {
        Some(b'y') => Answer::Yes,
        Some(b'n') => Answer::No,
        _ => Answer::NotStated,
    };
    Permissions {
        commercial: answer(0),
        derivatives: answer(1),
        share_alike: answer(2),
        attribution: answer(3),
        ai_training: answer(4),
        text_and_data_mining: answer(5),
    }
}

/// Other names under which one licence goes: deprecated SPDX ids (which SPDX defines as *only*), names in use at portals.
const ALIASES: &[(&str, &str)] = &[
    ("CC0", "CC0-1.0"),
    ("CC Zero", "CC0-1.0"),
    ("Creative Commons Zero", "CC0-1.0"),
    ("Creative Commons Zero 1.0", "CC0-1.0"),
    ("CC0 1.0 Universal", "CC0-1.0"),
    ("CC PDM 1.0", "CC-PDM-1.0"),
    ("GPL-2.0", "GPL-2.0-only"),
    ("GPL-3.0", "GPL-3.0-only"),
    ("LGPL-2.1", "LGPL-2.1-only"),
    ("LGPL-3.0", "LGPL-3.0-only"),
    ("AGPL-3.0", "AGPL-3.0-only"),
    ("Apache 2.0", "Apache-2.0"),
    ("PDDL", "PDDL-1.0"),
    ("ODbL", "ODbL-1.0"),
    ("ODC-By", "ODC-By-1.0"),
    ("Open Data Commons Open Database License v1.0", "ODbL-1.0"),
    ("Open Data Commons Open Database License (ODbL)", "ODbL-1.0"),
    ("Datenlizenz Deutschland Namensnennung 2.0", "DL-DE-BY-2.0"),
    ("Datenlizenz Deutschland Zero 2.0", "DL-DE-ZERO-2.0"),
    ("dl-by-de/2.0", "DL-DE-BY-2.0"),
    ("dl-zero-de/2.0", "DL-DE-ZERO-2.0"),
    ("dl-de-by-2.0", "DL-DE-BY-2.0"),
    ("dl-de-zero-2.0", "DL-DE-ZERO-2.0"),
    ("Licence Ouverte 2.0", "etalab-2.0"),
    ("Licence Ouverte / Open Licence version 2.0", "etalab-2.0"),
    ("OGL 3.0", "OGL-UK-3.0"),
    ("NLOD 1.0", "NLOD-1.0"),
    ("NLOD 2.0", "NLOD-2.0"),
    ("CDLA Sharing 1.0", "CDLA-Sharing-1.0"),
    ("C-UDA", "C-UDA-1.0"),
];

/// The addresses of licences at their stewards and at national portals, as [`url_key`] spells them.
const ADDRESSES: &[(&str, &str)] = &[
    ("apache.org/licenses/license-2.0", "Apache-2.0"),
    ("apache.org/licenses/license-2.0.html", "Apache-2.0"),
    ("apache.org/licenses/license-2.0.txt", "Apache-2.0"),
    ("opendatacommons.org/licenses/by/1.0", "ODC-By-1.0"),
    ("opendatacommons.org/licenses/by/1-0", "ODC-By-1.0"),
    ("opendatacommons.org/licenses/by", "ODC-By-1.0"),
    ("opendatacommons.org/licenses/odbl/1.0", "ODbL-1.0"),
    ("opendatacommons.org/licenses/odbl/1-0", "ODbL-1.0"),
    ("opendatacommons.org/licenses/odbl", "ODbL-1.0"),
    ("opendatacommons.org/licenses/pddl/1.0", "PDDL-1.0"),
    ("opendatacommons.org/licenses/pddl/1-0", "PDDL-1.0"),
    ("opendatacommons.org/licenses/pddl", "PDDL-1.0"),
    ("opendefinition.org/licenses/odc-by", "ODC-By-1.0"),
    ("opendefinition.org/licenses/odc-odbl", "ODbL-1.0"),
    ("opendefinition.org/licenses/odc-pddl", "PDDL-1.0"),
    ("opendefinition.org/licenses/cc-zero", "CC0-1.0"),
    ("govdata.de/dl-de/by-2-0", "DL-DE-BY-2.0"),
    ("govdata.de/dl-de/zero-2-0", "DL-DE-ZERO-2.0"),
    ("govdata.de/dl-de/by-1-0", "eu:DLDE_BY_1_0"),
    ("govdata.de/dl-de/by-nc-1-0", "eu:DLDE_BYNC_1_0"),
    ("dcat-ap.de/def/licenses/dl-by-de/2.0", "DL-DE-BY-2.0"),
    ("dcat-ap.de/def/licenses/dl-zero-de/2.0", "DL-DE-ZERO-2.0"),
    ("dcat-ap.de/def/licenses/dl-by-de/1.0", "eu:DLDE_BY_1_0"),
    ("dcat-ap.de/def/licenses/dl-by-nc-de/1.0", "eu:DLDE_BYNC_1_0"),
    ("dcat-ap.de/def/licenses/cc-zero", "CC0-1.0"),
    ("dcat-ap.de/def/licenses/cc-by/4.0", "CC-BY-4.0"),
    ("dcat-ap.de/def/licenses/cc-by-sa/4.0", "CC-BY-SA-4.0"),
    ("dcat-ap.de/def/licenses/odbl", "ODbL-1.0"),
    ("dcat-ap.de/def/licenses/odby", "ODC-By-1.0"),
    ("dcat-ap.de/def/licenses/odcpddl", "PDDL-1.0"),
    ("nationalarchives.gov.uk/doc/open-government-licence/version/1", "OGL-UK-1.0"),
    ("nationalarchives.gov.uk/doc/open-government-licence/version/2", "OGL-UK-2.0"),
    ("nationalarchives.gov.uk/doc/open-government-licence/version/3", "OGL-UK-3.0"),
    ("data.norge.no/nlod/no/1.0", "NLOD-1.0"),
    ("data.norge.no/nlod/no/2.0", "NLOD-2.0"),
    ("data.norge.no/nlod/en/1.0", "NLOD-1.0"),
    ("data.norge.no/nlod/en/2.0", "NLOD-2.0"),
    ("etalab.gouv.fr/wp-content/uploads/2017/04/etalab-licence-ouverte-v2.0.pdf", "etalab-2.0"),
    ("dati.gov.it/iodl/2.0", "eu:IODL_2_0"),
    ("w3id.org/italia/controlled-vocabulary/licences/a11_cco10", "CC0-1.0"),
    ("w3id.org/italia/controlled-vocabulary/licences/a12_pddl", "PDDL-1.0"),
    ("w3id.org/italia/controlled-vocabulary/licences/a210_odcby", "ODC-By-1.0"),
    ("w3id.org/italia/controlled-vocabulary/licences/a21_ccby40", "CC-BY-4.0"),
    ("w3id.org/italia/controlled-vocabulary/licences/a29_iodl20", "eu:IODL_2_0"),
    ("w3id.org/italia/controlled-vocabulary/licences/a310_odbl", "ODbL-1.0"),
    ("w3id.org/italia/controlled-vocabulary/licences/a31_ccbysa40", "CC-BY-SA-4.0"),
    ("w3id.org/italia/controlled-vocabulary/licences/b11_ccbync40", "CC-BY-NC-4.0"),
    ("cdla.dev/permissive-1-0", "CDLA-Permissive-1.0"),
    ("cdla.dev/permissive-2-0", "CDLA-Permissive-2.0"),
    ("cdla.dev/sharing-1-0", "CDLA-Sharing-1.0"),
    ("cdla.io/permissive-1-0", "CDLA-Permissive-1.0"),
    ("cdla.io/sharing-1-0", "CDLA-Sharing-1.0"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::licence::LicenceClass;

    fn spdx(raw: &str) -> Option<String> {
        resolve(raw).and_then(|licence| licence.spdx)
    }

    #[test]
    fn spellings_of_real_portals_become_one_identifier() {
        for (raw, id) in [
            ("http://publications.europa.eu/resource/authority/licence/CC_BY_4_0", "CC-BY-4.0"),
            ("https://publications.europa.eu/resource/authority/licence/CC_BY_4_0", "CC-BY-4.0"),
            ("http://publications.europa.eu/resource/authority/licence/ODC_BY", "ODC-By-1.0"),
            ("http://publications.europa.eu/resource/authority/licence/ODC_BL", "ODbL-1.0"),
            ("http://publications.europa.eu/resource/authority/licence/CC_BYNCND_4_0", "CC-BY-NC-ND-4.0"),
            ("http://publications.europa.eu/resource/authority/licence/ETALAB_2_0", "etalab-2.0"),
            ("https://creativecommons.org/licenses/by-nc/4.0/legalcode", "CC-BY-NC-4.0"),
            ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
            ("https://creativecommons.org/licenses/by-sa/4.0/deed.en", "CC-BY-SA-4.0"),
            ("https://creativecommons.org/licenses/by/3.0/at/", "CC-BY-3.0-AT"),
            ("http://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/", "OGL-UK-3.0"),
            ("https://www.govdata.de/dl-de/by-2-0", "DL-DE-BY-2.0"),
            ("Datenlizenz Deutschland – Namensnennung – Version 2.0", "DL-DE-BY-2.0"),
            ("Datenlizenz Deutschland \u{96} Namensnennung \u{96} Version 2.0", "DL-DE-BY-2.0"),
            ("cc-by-sa-4.0", "CC-BY-SA-4.0"),
            ("CC BY-NC-SA 4.0", "CC-BY-NC-SA-4.0"),
            ("CC-BY 4.0", "CC-BY-4.0"),
            ("Creative Commons Attribution 4.0 International (CC BY 4.0)", "CC-BY-4.0"),
            ("[Creative Commons BY 4.0](https://creativecommons.org/licenses/by/4.0/)", "CC-BY-4.0"),
            ("[CC BY](https://creativecommons.org/licenses/by/4.0)", "CC-BY-4.0"),
            ("MIT License", "MIT"),
            ("apache-2.0", "Apache-2.0"),
            ("gpl-3.0", "GPL-3.0-only"),
            ("ISC License", "ISC"),
            ("CC0", "CC0-1.0"),
            ("CC0 1.0 Universal", "CC0-1.0"),
            ("Licence Ouverte / Open Licence version 2.0", "etalab-2.0"),
        ] {
            assert_eq!(spdx(raw).as_deref(), Some(id), "{raw}");
            assert_eq!(resolve(raw).unwrap().raw.as_deref(), Some(raw));
        }
    }

    #[test]
    fn what_does_not_name_one_licence_keeps_its_words_and_permits_nothing() {
        for raw in [
            "CC BY",
            "unknown",
            "other",
            "Unspecified",
            "Creative Commons",
            "GNU General Public License v3.0",
            "[World Bank Open Database License (ODbL)](https://creativecommons.org/licenses/by/4.0/)",
            "Public Domain",
            "There are no restrictions on the use of this data.",
            "https://statbel.fgov.be/sites/default/files/files/opendata/Licence%20open%20data_NL.pdf",
            "Copernicus Licence (similar to CC-BY-4.0): You are free to share",
        ] {
            let licence = resolve(raw).unwrap();
            assert_eq!(licence.spdx, None, "{raw}");
            assert_eq!(licence.permissions, Permissions::default(), "{raw}");
            assert_eq!(licence.raw.as_deref(), Some(raw));
            assert_eq!(licence.iri.is_some(), raw.starts_with("http"), "{raw}");
        }
        assert_eq!(resolve("  "), None);
    }

    #[test]
    fn permissions_follow_the_reviewed_table_and_training_is_never_assumed() {
        let of = |id: &str| by_spdx(id).unwrap();
        assert_eq!(of("CC-BY-4.0").class(), LicenceClass::Attribution);
        assert_eq!(of("cc-by-sa-4.0").class(), LicenceClass::ShareAlike);
        assert_eq!(of("CC-BY-NC-4.0").class(), LicenceClass::NonCommercial);
        assert_eq!(of("CC-BY-ND-4.0").class(), LicenceClass::NoDerivatives);
        assert_eq!(of("CC0-1.0").class(), LicenceClass::PublicDomain);
        assert_eq!(of("CC0-1.0").permissions.ai_training, Answer::Yes);
        assert_eq!(of("CC-BY-4.0").permissions.ai_training, Answer::NotStated);
        assert_eq!(of("CC-BY-4.0").iri.unwrap().as_str(), format!("{AUTHORITY}licence/CC_BY_4_0"));
    }

    #[test]
    fn a_national_licence_without_an_spdx_id_keeps_its_own_iri_and_what_it_permits() {
        let flemish = resolve("https://data.vlaanderen.be/id/licentie/modellicentie-gratis-hergebruik/v1.0/").unwrap();
        assert_eq!((flemish.spdx.as_deref(), flemish.class()), (None, LicenceClass::Attribution));
        let belgian = resolve("https://creativecommons.org/licenses/by-sa/2.0/be/").unwrap();
        assert_eq!((belgian.spdx.as_deref(), belgian.class()), (None, LicenceClass::ShareAlike));
        assert_eq!(belgian.iri.unwrap().as_str(), "https://creativecommons.org/licenses/by-sa/2.0/be/");
    }
}
