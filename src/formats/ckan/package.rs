//! One package of CKAN into a draft.

use serde_json::Value;

use super::{Package, parties, resource};
use crate::domain::dataset::{AccessRights, BoundingBox, Dataset, Period, Place, Visibility};
use crate::domain::ids::{Iri, LanguageTag};
use crate::domain::licence::Licence;
use crate::formats::dcat::coverage::{box_of, edge};
use crate::formats::dcat::rights::{LICENCES_DIFFER, one_of, plain};
use crate::formats::draft::{self, Common, Notes, Read, parse_iri, shown};
use crate::formats::said::{field, is_blank, objects, tagged, text, texts};
use crate::formats::{Draft, Refused};
use crate::vocabulary::{self, licence::resolve};

/// Counted up when the same package is read differently.
const MAPPING: &str = "ckan 1";

pub(super) fn read(package: &Package<'_>, common: &Common, site: &Iri) -> Result<Draft, Refused> {
    let Some(iri) = package.iri(site) else {
        let reason = "it has no name, so that nothing says where it is; a package has one".into();
        return Err(Refused { place: site.to_string(), reason });
    };
    let refuse = |reason: &str| Err(Refused { place: iri.to_string(), reason: reason.into() });
    match package.fields.get("state").and_then(Value::as_str) {
        Some("deleted") => return refuse("it is deleted at its source"),
        Some("draft") => return refuse("it is a draft at its source; publish it there first"),
        _ => {}
    }
    if let Some("harvest" | "showcase" | "application") = package.fields.get("type").and_then(Value::as_str) {
        return refuse("it is no dataset but a harvest source or a showcase of its portal");
    }
    let mut notes = Notes::default();
    let said = said(package, &mut notes, "title", &["title_translated", "title"]);
    let Some(title) = notes.title("title", said) else { return refuse("it has no title") };
    let mut dataset = draft::empty(title, common);
    words(package, &mut notes, &mut dataset);
    coverage(package, &mut notes, &mut dataset);
    references(package, &mut notes, &mut dataset, site);
    dataset.publisher = parties::publisher(package, &mut notes);
    dataset.creators = parties::creators(package, &mut notes);
    dataset.contact = parties::contact(package, &mut notes);
    dataset.licence = licence(package, &mut notes);
    dataset.distributions = resource::all(package, &mut notes, dataset.licence.as_ref());
    let text = serde_json::to_string(&package.fields).unwrap_or_default();
    draft::finish(Read { dataset, iri, notes, text }, "ckan", MAPPING, common)
}

/// The texts of the first stated of these fields, with their languages.
pub(super) fn said(package: &Package<'_>, notes: &mut Notes, what: &str, names: &[&str]) -> Vec<(LanguageTag, String)> {
    let value = names.iter().find_map(|name| package.field(&[name]));
    value.map(|value| tagged(notes, what, value, None)).unwrap_or_default()
}

fn words(package: &Package<'_>, notes: &mut Notes, dataset: &mut Dataset) {
    let notes_said = said(package, notes, "description", &["notes_translated", "notes", "description"]);
    dataset.description = notes.prose("description", notes_said);
    let mut keywords = said(package, notes, "keyword", &["tags_translated", "keywords", "keyword"]);
    let tags = package.fields.get("tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let tag_names = tags.iter().filter_map(|tag| match tag {
        Value::Object(tag) => field(tag, &["display_name", "name"]).and_then(text),
        other => text(other),
    });
    let spoken: Vec<String> = keywords.iter().map(|(_, word)| word.clone()).collect();
    keywords.extend(tag_names.filter(|name| !spoken.contains(name)).map(|name| (draft::undetermined(), name)));
    let (themes, words) = themes(package);
    dataset.themes = notes.themes(themes.iter().map(String::as_str));
    keywords.extend(words.into_iter().map(|word| (draft::undetermined(), word)));
    dataset.keywords = notes.keywords(keywords);
    dataset.version = package.text(&["version"]).and_then(|version| notes.line("version", &version));
    let version_notes = said(package, notes, "version notes", &["version_notes"]);
    dataset.version_notes = notes.prose("version notes", version_notes);
    let provenance = said(package, notes, "provenance", &["provenance"]);
    dataset.provenance = notes.prose("provenance", provenance);
    let rights = said(package, notes, "rights", &["rights"]);
    dataset.rights = notes.prose("rights", rights);
}

/// The themes, and the names of those groups that are none: a group is the portal's own division.
fn themes(package: &Package<'_>) -> (Vec<String>, Vec<String>) {
    let mut themes: Vec<String> = package.texts(&["theme", "themes", "hvd_category"]);
    let mut words = Vec::new();
    for group in package.fields.get("groups").map(objects).unwrap_or_default() {
        let name = field(&group, &["name"]).and_then(text).unwrap_or_default();
        let theme = format!("{THEMES}{}", name.to_ascii_uppercase());
        match vocabulary::theme(&theme) {
            Some(theme) => themes.push(theme.to_string()),
            None => words.extend(field(&group, &["display_name", "title", "name"]).and_then(text)),
        }
    }
    let coded = |theme: String| {
        let code = format!("{THEMES}{}", theme.trim().to_ascii_uppercase());
        vocabulary::theme(&code).map_or(theme, |theme| theme.to_string())
    };
    (themes.into_iter().map(coded).collect(), words)
}

const THEMES: &str = "http://publications.europa.eu/resource/authority/data-theme/";

fn coverage(package: &Package<'_>, notes: &mut Notes, dataset: &mut Dataset) {
    let languages = package.texts(&["language"]);
    dataset.languages = notes.languages(languages.iter().map(String::as_str));
    dataset.spatial = places(package, notes);
    dataset.temporal = periods(package, notes);
    let frequency = package.texts(&["frequency", "accrual_periodicity"]);
    dataset.frequency = notes.frequency(frequency.iter().map(String::as_str));
    dataset.issued = day(package, notes, "issued", &["issued", "release_date"]);
    dataset.modified = day(package, notes, "modified", &["modified", "last_modified"]);
    dataset.access_rights = access(package, notes);
    if package.fields.get("private") == Some(&Value::Bool(true)) {
        notes.note("visibility: the portal keeps it private, so it is private here too");
        dataset.visibility = Visibility::Private;
    }
}

fn day(package: &Package<'_>, notes: &mut Notes, what: &str, names: &[&str]) -> Option<jiff::civil::Date> {
    let text = package.text(names)?;
    notes.days(what, [text.as_str()]).pop()
}

fn access(package: &Package<'_>, notes: &mut Notes) -> AccessRights {
    let Some(text) = package.text(&["access_rights"]) else { return AccessRights::NotStated };
    let answer = vocabulary::access_rights(&text);
    if answer == AccessRights::NotStated {
        notes.note(format!("access rights: {:?} is not an entry of the EU table", shown(&text)));
    }
    answer
}

fn places(package: &Package<'_>, notes: &mut Notes) -> Vec<Place> {
    let mut places = Vec::new();
    let whole = Place {
        name: package
            .text(&["spatial_text", "geographical_name"])
            .and_then(|name| notes.title("place", [(draft::undetermined(), name)])),
        iri: package.text(&["spatial_uri"]).and_then(|iri| parse_iri(&iri)),
        bbox: package.field(&["spatial"]).and_then(|value| geometry(notes, value)),
        country: package.text(&["spatial_uri"]).and_then(|iri| vocabulary::country(&iri)),
    };
    places.push(whole);
    for own in package.field(&["spatial_coverage"]).map(objects).unwrap_or_default() {
        let iri = field(&own, &["uri"]).and_then(text);
        places.push(Place {
            name: field(&own, &["text"])
                .and_then(text)
                .and_then(|name| notes.title("place", [(draft::undetermined(), name)])),
            country: iri.as_deref().and_then(vocabulary::country),
            iri: iri.as_deref().and_then(parse_iri),
            bbox: field(&own, &["bbox", "geom"]).and_then(|value| geometry(notes, value)),
        });
    }
    places.retain(|place| *place != Place::default());
    places.dedup();
    notes.cut("places", &mut places);
    places
}

/// The box around a geometry in GeoJSON, as text or as an object.
fn geometry(notes: &mut Notes, value: &Value) -> Option<BoundingBox> {
    let written = match value {
        Value::Object(_) => value.to_string(),
        other => text(other)?,
    };
    let found = box_of(&written);
    if found.is_none() {
        notes.note(format!("place: no bounding box could be read from {:?}", shown(&written)));
    }
    found
}

fn periods(package: &Package<'_>, notes: &mut Notes) -> Vec<Period> {
    let mut said = vec![(package.text(&["temporal_start"]), package.text(&["temporal_end"]))];
    for own in package.field(&["temporal_coverage"]).map(objects).unwrap_or_default() {
        said.push((field(&own, &["start"]).and_then(text), field(&own, &["end"]).and_then(text)));
    }
    let mut periods = Vec::new();
    for (from, to) in said {
        let mut side = |text: Option<String>, last: bool| {
            let text = text?;
            let day = edge(&text, last);
            if day.is_none() {
                notes.note(format!("period: {:?} is not a day", shown(&text)));
            }
            day
        };
        let period = Period { start: side(from, false), end: side(to, true) };
        match (period.start, period.end) {
            (None, None) => {}
            (Some(start), Some(end)) if start > end => {
                notes.note(format!("period: it ends on {end}, before it begins on {start}, and is not stated"));
            }
            _ if periods.contains(&period) => {}
            _ => periods.push(period),
        }
    }
    notes.cut("periods", &mut periods);
    periods
}

fn references(package: &Package<'_>, notes: &mut Notes, dataset: &mut Dataset, site: &Iri) {
    let mut iris = |what: &str, names: &[&str]| {
        let texts = package.texts(names);
        notes.iris(what, texts.iter().map(String::as_str))
    };
    dataset.landing_pages = iris("landing page", &["landing_page", "url"]);
    dataset.documentation = iris("documentation", &["documentation"]);
    dataset.derived_from = iris("source", &["source", "was_derived_from"]);
    dataset.conforms_to = iris("standard", &["conforms_to"]);
    dataset.applicable_legislation = iris("law", &["applicable_legislation"]);
    dataset.series = iris("series", &["in_series"]);
    dataset.version_of = iris("version of", &["is_version_of"]).into_iter().next();
    dataset.kind = iris("kind", &["dcat_type"]).into_iter().next();
    let mut identifiers = package.texts(&["identifier"]);
    identifiers.extend(package.texts(&["alternate_identifier"]));
    identifiers.extend(package.texts(&["doi"]));
    dataset.identifiers = notes.identifiers(identifiers.iter().map(String::as_str));
    if dataset.landing_pages.is_empty() {
        dataset.landing_pages.extend(package.page(site));
    }
}

/// The licence that its address, id and title name, as far as they name one; the portal's own words where none does, and
/// nothing where they differ.
fn licence(package: &Package<'_>, notes: &mut Notes) -> Option<Licence> {
    let said: Vec<String> = ["license_url", "license_id", "license_title", "license"]
        .iter()
        .filter_map(|name| package.text(&[name]))
        .collect();
    // Where a portal's list has no licence chosen, it says so in a word.
    let said: Vec<&String> = said
        .iter()
        .filter(|word| !["notspecified", "none", "license not specified"].contains(&word.to_lowercase().as_str()))
        .collect();
    let stated: Vec<Licence> = said.iter().filter_map(|word| resolve(word)).map(plain).collect();
    let known: Vec<Licence> = stated.iter().filter(|licence| licence.matched.is_some()).cloned().collect();
    if known.is_empty() {
        return stated.into_iter().next();
    }
    let one = one_of(&known);
    if one.is_none() {
        notes.note(LICENCES_DIFFER);
    }
    one
}

/// A licence that a resource states itself, in the field of ckanext-dcat.
pub(super) fn licence_of(value: Option<&Value>) -> Option<Licence> {
    let value = value.filter(|value| !is_blank(value))?;
    texts(value).first().and_then(|text| resolve(text)).map(plain)
}
