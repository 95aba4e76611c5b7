//! What a source wrote about its licence, turned into an identifier and into what the licence permits.
//!
//! A string is resolved only when it names one licence and one version. The rules, from the surest to the one that a
//! steward should look at: an entry of the EU licence table, a licence's own address, an SPDX id, a registered name, the
//! elements of Creative Commons in a dozen languages, one link, and last a licence that is named inside prose
//! ([`prose`]). Each says by which of them a licence was found and how far that can be relied on. Everything else keeps
//! the source's words and states nothing. What a licence permits is read from a reviewed table (`data/licence.tsv`,
//! explained in `data/SOURCE.md`), never from its name; the one exception is Creative Commons without a version, where
//! every version there ever was says the same.

mod address;
mod creative_commons;
mod names;
mod prose;
#[cfg(test)]
mod reviewed;
mod tables;
mod words;

pub(super) use tables::{TABLE, iri};

use self::creative_commons::Named;
use self::tables::{Known, TABLES};
use super::table::AUTHORITY;
use crate::domain::ids::Iri;
use crate::domain::licence::{Confidence, Licence, Matched};

/// How a licence was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    EuTable,
    Address,
    SpdxId,
    Name,
    CreativeCommons,
    WithoutVersion,
    Link,
    Prose,
}

impl Rule {
    fn matched(self) -> Matched {
        let (rule, confidence) = match self {
            Self::EuTable => ("eu_table", Confidence::Exact),
            Self::Address => ("address", Confidence::Exact),
            Self::SpdxId => ("spdx_id", Confidence::Exact),
            Self::Name => ("name", Confidence::Named),
            Self::CreativeCommons => ("creative_commons", Confidence::Likely),
            Self::WithoutVersion => ("without_version", Confidence::Likely),
            Self::Link => ("link", Confidence::Exact),
            Self::Prose => ("prose", Confidence::Likely),
        };
        Matched { rule: rule.to_owned(), confidence }
    }
}

/// The licence that a source names in words, by an id or by an address. Nothing for a blank; the source's own words alone
/// where they do not name one known licence.
pub fn resolve(raw: &str) -> Option<Licence> {
    let raw = raw.trim();
    if raw.is_empty() {
        return None;
    }
    let own_iri = || address::is_one(raw).then(|| raw.parse::<Iri>().ok()).flatten();
    Some(match find(raw) {
        Some((known, rule)) => Licence {
            iri: known.iri.as_deref().and_then(|iri| iri.parse().ok()).or_else(own_iri),
            raw: Some(raw.to_owned()),
            matched: Some(rule.matched()),
            ..known.licence()
        },
        None => Licence { iri: own_iri(), raw: Some(raw.to_owned()), ..Licence::default() },
    })
}

/// The licence with this SPDX id, in any case; nothing where the SPDX list does not have it.
pub fn by_spdx(id: &str) -> Option<Licence> {
    TABLES.by_spdx.get(&id.to_ascii_lowercase()).map(Known::licence)
}

fn find(raw: &str) -> Option<(Known, Rule)> {
    if address::is_one(raw) {
        let known = address::find(raw)?;
        let of_the_eu = known.iri.as_deref().is_some_and(|iri| iri.starts_with(AUTHORITY) && same_address(iri, raw));
        let rule = match known.names_one() {
            true if of_the_eu => Rule::EuTable,
            true => Rule::Address,
            false => Rule::WithoutVersion,
        };
        return Some((known, rule));
    }
    if let Some(known) = names::find(raw) {
        let is_id = known.spdx.is_some_and(|id| id.eq_ignore_ascii_case(raw));
        return Some((known, if is_id { Rule::SpdxId } else { Rule::Name }));
    }
    match creative_commons::whole(raw).filter(|_| !names::has_signs(raw)) {
        Some(Named::One(known)) => return Some((known, Rule::CreativeCommons)),
        Some(Named::WithoutVersion(known)) => return Some((known, Rule::WithoutVersion)),
        Some(Named::Nothing | Named::Unknown) => return None,
        None => {}
    }
    let known = prose::find(raw)?;
    Some((known, if prose::is_one_link(raw) { Rule::Link } else { Rule::Prose }))
}

fn same_address(one: &str, other: &str) -> bool {
    address::key(one) == address::key(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::licence::{Answer, LicenceClass, Permissions};

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
            "unknown",
            "other",
            "Unspecified",
            "Creative Commons",
            "GNU General Public License",
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
    fn every_find_says_its_rule_and_how_far_it_can_be_relied_on() {
        for (raw, rule, confidence) in [
            ("http://publications.europa.eu/resource/authority/licence/CC_BY_4_0", "eu_table", Confidence::Exact),
            ("https://creativecommons.org/licenses/by/4.0/", "address", Confidence::Exact),
            ("cc-by-4.0", "spdx_id", Confidence::Exact),
            ("Creative Commons Attribution 4.0 International", "name", Confidence::Named),
            ("Creative Commons Namensnennung 4.0", "creative_commons", Confidence::Likely),
            ("[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/)", "link", Confidence::Exact),
            ("All data are licensed under CC BY 4.0, please cite us.", "prose", Confidence::Likely),
        ] {
            let licence = resolve(raw).unwrap();
            let said = Matched { rule: rule.to_owned(), confidence };
            assert_eq!((licence.spdx.as_deref(), licence.matched), (Some("CC-BY-4.0"), Some(said)), "{raw}");
        }
        assert_eq!(resolve("our own terms").unwrap().matched, None);
    }

    #[test]
    fn without_a_version_there_is_no_id_but_what_every_version_permits() {
        for raw in ["CC BY-NC", "Creative Commons BY-NC", "http://dcat-ap.de/def/licenses/cc-by-nc"] {
            let licence = resolve(raw).unwrap();
            assert_eq!((licence.spdx.as_deref(), licence.class()), (None, LicenceClass::NonCommercial), "{raw}");
            assert_eq!(licence.matched.unwrap().rule, "without_version");
        }
        assert_eq!(resolve("GPL").unwrap().permissions, Permissions::default());
    }

    #[test]
    fn a_sentence_that_takes_something_back_names_no_licence() {
        for raw in [
            "Licensed under CC BY 4.0 unless otherwise noted.",
            "Licensed under CC BY 4.0 or ODbL.",
            "The data are not under CC BY 4.0.",
            "Under a licence similar to CC BY 4.0.",
            "Some of the files are under CC BY 4.0.",
            "CC BY 4.0. Commercial use needs our permission.",
            "CC BY 4.0; see https://data.example/terms-of-use",
            "We thank the authors of a CC BY 4.0 dataset.",
            "CC BY 4.0 and CC0 1.0",
        ] {
            assert_eq!(resolve(raw).unwrap().spdx, None, "{raw}");
        }
        for raw in ["", "  ", "(", "http", "[](", "CC", "\u{1}\u{1}", "<a href=\"http://", "https://é[é](é"] {
            assert!(resolve(raw).is_none_or(|licence| licence.spdx.is_none()), "{raw}");
        }
    }

    #[test]
    fn a_text_of_nothing_but_names_is_read_in_one_pass() {
        let before = std::time::Instant::now();
        for name in ["CC BY 4.0 ", "CC BY 4.0. ", "CC ", "attribution ", "GPL-3.0+ ", "Datenlizenz Deutschland "] {
            let _ = resolve(&name.repeat(19_000 / name.len()));
        }
        assert!(before.elapsed() < std::time::Duration::from_secs(5), "{:?}", before.elapsed());
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_somebody_writes_is_too_strange(raw in ".{0,300}") {
            let _ = resolve(&raw);
        }

        #[test]
        fn words_of_licences_in_any_order_make_no_panic(words in proptest::collection::vec(
            proptest::sample::select(vec!["CC", "BY", "-", "4.0", "0", "(", ")", "[", "](", "https://creativecommons.org/licenses/by/4.0/",
                "license", "unless", "under", "GPL", "v", "3", ".", "\n", "ß", "<br/>", "AT", "Austria", "MIT"]), 0..30)) {
            let _ = resolve(&words.join(" "));
            let _ = resolve(&words.concat());
        }
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
