//! One record through a mapping.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::fields::{Field, Kind, Special};
use super::{Mapping, Target, placeholders};
use crate::domain::bounds;
use crate::domain::dataset::{Agent, Contact, Dataset, Distribution, Modality, Period, Place};
use crate::domain::ids::{Country, Iri, LanguageTag};
use crate::domain::licence::Licence;
use crate::domain::text::Text;
use crate::formats::contact::email;
use crate::formats::dcat::rights::{LICENCES_DIFFER, one_of, plain};
use crate::formats::draft::{self, Common, Notes, Read, parse_iri, shown, undetermined};
use crate::formats::said::{count, tagged};
use crate::formats::text::shortened;
use crate::formats::{Draft, Refused};
use crate::vocabulary::{self, licence::resolve};

/// The values of a field with their languages.
type Values = Vec<(LanguageTag, String)>;

const THEMES: &str = "http://publications.europa.eu/resource/authority/data-theme/";

pub(super) fn draft(
    mapping: &Mapping,
    cell: &dyn Fn(&str) -> Option<Value>,
    text: String,
    place: &str,
    common: &Common,
) -> Result<Draft, Refused> {
    let refuse = |reason: String| Refused { place: place.to_owned(), reason };
    let iri = mapping.iri.iter().find_map(|template| iri(template, cell)).ok_or_else(|| {
        refuse(format!("no IRI comes of it: {:?} needs a value in each of its columns", mapping.iri.join(" or ")))
    })?;
    let mut notes = Notes::default();
    let mut said = gathered(mapping, cell, &mut notes);
    let at = said.iter().position(|(field, _)| matches!(field.kind, Kind::Title));
    let title = at.map(|at| said.remove(at).1).and_then(|values| notes.title("title", values));
    let Some(title) = title else { return Err(refuse(format!("{iri} has no title"))) };
    let mut filling = Filling {
        dataset: draft::empty(title, common),
        notes,
        country: common.country.clone(),
        period: (None, None),
        desk: Desk::default(),
    };
    for (field, values) in said {
        filling.fill(field, values);
    }
    let (dataset, notes, common) = filling.done(common);
    draft::finish(Read { dataset, iri, notes, text }, "mapped", &mapping.version, &common)
}

/// A template with its columns put in. A template that is one column and nothing else is that column's own IRI.
fn iri(template: &str, cell: &dyn Fn(&str) -> Option<Value>) -> Option<Iri> {
    let value =
        |name: &str| cell(name).and_then(|value| crate::formats::said::text(&value)).map(|text| text.trim().to_owned());
    if let Some(name) =
        template.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).filter(|name| !name.contains(['{', '}']))
    {
        let own = value(name)?;
        let is_iri = own.contains("://") || own.starts_with("urn:");
        return parse_iri(&own).filter(|_| is_iri);
    }
    let mut filled = template.to_owned();
    for name in placeholders(template) {
        let text = value(name).filter(|text| !text.is_empty())?;
        filled = filled.replace(&format!("{{{name}}}"), &escaped(&text));
    }
    parse_iri(&filled)
}

/// A value as part of an IRI: what is no letter, digit or one of `-._~` is escaped.
fn escaped(text: &str) -> String {
    let mut part = String::with_capacity(text.len());
    let mut bytes = [0; 4];
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || "-._~".contains(c) {
            part.push(c);
        } else {
            for byte in c.encode_utf8(&mut bytes).bytes() {
                part.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    part
}

/// Every field of which something is said, in the order of the fields.
fn gathered(
    mapping: &Mapping,
    cell: &dyn Fn(&str) -> Option<Value>,
    notes: &mut Notes,
) -> Vec<(&'static Field, Values)> {
    let mut said: Vec<(&'static Field, Values)> = Vec::new();
    let mut add =
        |field: &'static Field, values: Values| match said.iter_mut().find(|(other, _)| std::ptr::eq(*other, field)) {
            Some((_, before)) => before.extend(values),
            None => said.push((field, values)),
        };
    for (column, targets) in &mapping.columns {
        let Some(value) = cell(column) else { continue };
        for target in targets {
            let values = values(target, &value, mapping.language.as_ref(), notes);
            if !values.is_empty() {
                add(target.field, values);
            }
        }
    }
    for (field, values) in &mapping.constants {
        let language = mapping.language.clone().unwrap_or_else(undetermined);
        add(field, values.iter().map(|value| (language.clone(), value.clone())).collect());
    }
    let order = |field: &Field| super::fields::FIELDS.iter().position(|other| std::ptr::eq(other, field));
    said.sort_by_key(|(field, _)| order(field));
    said
}

fn values(target: &Target, value: &Value, language: Option<&LanguageTag>, notes: &mut Notes) -> Values {
    let language = target.language.as_ref().or(language);
    let parts =
        tagged(notes, target.field.name, value, language).into_iter().flat_map(|(tag, text)| match &target.separator {
            Some(separator) => {
                text.split(separator.as_str()).map(|part| (tag.clone(), part.trim().to_owned())).collect()
            }
            None => vec![(tag, text)],
        });
    parts
        .map(|(tag, text)| match target.values.get(text.trim()) {
            Some(meant) => (tag, meant.clone()),
            None => (tag, text),
        })
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(tag, text)| match &target.template {
            Some(template) => (tag, template.replace("{}", &escaped(text.trim()))),
            None => (tag, text),
        })
        .collect()
}

/// A dataset that is being filled in, with what comes from several columns.
struct Filling {
    dataset: Dataset,
    notes: Notes,
    country: Option<Country>,
    period: (Option<Date>, Option<Date>),
    desk: Desk,
}

#[derive(Default)]
struct Desk {
    name: Option<String>,
    email: Option<crate::domain::ids::Email>,
    page: Option<Iri>,
}

impl Filling {
    fn fill(&mut self, field: &Field, values: Values) {
        let Self { dataset, notes, .. } = self;
        let texts = || values.iter().map(|(_, text)| text.as_str());
        let first = values.first().map(|(_, text)| text.as_str()).unwrap_or_default();
        match &field.kind {
            Kind::Title => {}
            Kind::Prose(of) => *of(dataset) = notes.prose(field.name, values),
            Kind::Passage(of) => *of(dataset) = passage(first),
            Kind::Line(of) => *of(dataset) = notes.line(field.name, first),
            Kind::Lines(of) => {
                let mut lines: Vec<String> =
                    values.iter().filter_map(|(_, text)| notes.line(field.name, text)).collect();
                lines.dedup();
                notes.cut(field.name, &mut lines);
                *of(dataset) = lines;
            }
            Kind::Iri(of) => *of(dataset) = notes.iris(field.name, [first]).pop(),
            Kind::Iris(of) => *of(dataset) = notes.iris(field.name, texts()),
            Kind::Day(of) => *of(dataset) = notes.days(field.name, texts()).into_iter().next(),
            Kind::Count(of) => {
                *of(dataset) = count(&Value::String(first.to_owned()));
                if of(dataset).is_none() {
                    notes.note(format!("{}: {:?} is not a number", field.name, shown(first)));
                }
            }
            Kind::Word(pointer) => self.word(field.name, pointer, &values),
            Kind::Special(special) => self.special(*special, values),
            Kind::File(set) => self.files(set, &values),
        }
    }

    /// One of a few words, or for access rights an IRI of the EU table. Several that differ are none.
    fn word(&mut self, name: &str, pointer: &str, values: &Values) {
        let mut words: Vec<String> = Vec::new();
        for (_, text) in values {
            let text = text.trim();
            let word = match name {
                "access_rights" if text.contains("://") => vocabulary::access_rights(text).as_str().to_owned(),
                _ => text.to_lowercase(),
            };
            if word == "not_stated" && text.contains("://") {
                self.notes.note(format!("{name}: {:?} is not an entry of the EU table", shown(text)));
            } else if !words.contains(&word) {
                words.push(word);
            }
        }
        if words.len() > 1 {
            self.notes.note(format!("{name}: several are stated that differ, so none is taken"));
        }
        let [word] = words.as_slice() else { return };
        let mut value = serde_json::to_value(&self.dataset).unwrap_or_default();
        let parts: Vec<&str> = pointer.split('/').skip(1).collect();
        let (last, above) = parts.split_last().unwrap_or((&"", &[]));
        let above = above.iter().fold(&mut value, |inner, part| &mut inner[*part]);
        above[*last] = json!(word);
        match serde_json::from_value(value) {
            Ok(dataset) => self.dataset = dataset,
            Err(_) => {
                self.notes.note(format!("{name}: {:?} is none of its words; translate it with `values`", shown(word)))
            }
        }
    }

    fn special(&mut self, special: Special, values: Values) {
        let Self { dataset, notes, desk, .. } = self;
        let texts: Vec<String> = values.iter().map(|(_, text)| text.clone()).collect();
        let each = || texts.iter().map(String::as_str);
        let first = texts.first().map(String::as_str).unwrap_or_default();
        match special {
            Special::Keywords => dataset.keywords = notes.keywords(values),
            Special::Themes => {
                let coded = |text: &String| {
                    vocabulary::theme(&format!("{THEMES}{}", text.trim()))
                        .map_or_else(|| text.trim().to_owned(), |theme| theme.to_string())
                };
                let themes: Vec<String> = texts.iter().map(coded).collect();
                dataset.themes = notes.themes(themes.iter().map(String::as_str));
            }
            Special::Languages => dataset.languages = notes.languages(each()),
            Special::Frequency => dataset.frequency = notes.frequency(each()),
            Special::Identifiers => dataset.identifiers = notes.identifiers(each()),
            Special::PublisherName => {
                let name = notes.title("publisher", values);
                dataset.publisher = name.map(|name| Agent { name, iri: None, kind: None });
            }
            Special::PublisherIri => {
                let iri = notes.iris("publisher", [first]).pop();
                match (&mut dataset.publisher, iri) {
                    (Some(agent), iri) => agent.iri = iri,
                    (None, Some(iri)) => {
                        let name = Text::new(undetermined(), shortened(iri.to_string(), bounds::TITLE).0).ok();
                        dataset.publisher = name.map(|name| Agent { name, iri: Some(iri), kind: None });
                    }
                    (None, None) => {}
                }
            }
            Special::Creators => {
                let mut agents: Vec<Agent> = Vec::new();
                for value in values {
                    agents.extend(notes.title("creator", [value]).map(|name| Agent { name, iri: None, kind: None }));
                }
                agents.dedup();
                notes.cut("creators", &mut agents);
                dataset.creators = agents;
            }
            Special::ContactName => desk.name = notes.line("contact", first),
            Special::ContactEmail => match email(first) {
                Some(address) => desk.email = Some(address),
                None => notes.note(format!("contact: {:?} is not an e-mail address", shown(first))),
            },
            Special::ContactPage => desk.page = notes.iris("contact", [first]).pop(),
            Special::Spatial => {
                let mut places: Vec<Place> = values.into_iter().filter_map(|value| place(notes, value)).collect();
                places.dedup();
                notes.cut("places", &mut places);
                dataset.spatial = places;
            }
            Special::TemporalStart => self.period.0 = notes.days("period", [first]).pop(),
            Special::TemporalEnd => self.period.1 = notes.days("period", [first]).pop(),
            Special::Licence => dataset.licence = licence(notes, &texts),
            Special::Country => {
                match first.trim().to_ascii_uppercase().parse().ok().or_else(|| vocabulary::country(first.trim())) {
                    Some(country) => self.country = Some(country),
                    None => notes.note(format!("country: {:?} is no code such as BE", shown(first))),
                }
            }
            Special::Modalities => {
                for text in &texts {
                    match serde_json::from_value::<Modality>(json!(text.trim().to_lowercase())) {
                        Ok(modality) if dataset.training.modalities.contains(&modality) => {}
                        Ok(modality) => dataset.training.modalities.push(modality),
                        Err(_) => {
                            notes.note(format!("modality: {:?} is none; translate it with `values`", shown(text)))
                        }
                    }
                }
            }
        }
    }

    fn files(&mut self, set: &fn(&mut Distribution, &str) -> Result<(), String>, values: &Values) {
        for (at, (_, text)) in values.iter().take(bounds::LIST).enumerate() {
            if self.dataset.distributions.len() <= at {
                self.dataset.distributions.push(Distribution::default());
            }
            if let Err(note) = set(&mut self.dataset.distributions[at], text.trim()) {
                self.notes.note(note);
            }
        }
    }

    /// What was gathered from several columns goes in; a country of its own goes before that of the import.
    fn done(mut self, common: &Common) -> (Dataset, Notes, Common) {
        let (start, end) = self.period;
        match (start, end) {
            (None, None) => {}
            (Some(from), Some(to)) if from > to => {
                self.notes.note(format!("period: it ends on {to}, before it begins on {from}, and is not stated"));
            }
            _ => self.dataset.temporal = vec![Period { start, end }],
        }
        let Desk { name, email, page } = self.desk;
        if email.is_some() || page.is_some() {
            let named = name
                .or_else(|| email.as_ref().map(ToString::to_string))
                .or_else(|| page.as_ref().map(ToString::to_string));
            let name = shortened(named.unwrap_or_default(), bounds::LINE).0;
            self.dataset.contact = Some(Contact { name, email, page });
        }
        self.dataset.distributions.retain(|own| *own != Distribution::default());
        if let Some(country) = &self.country {
            self.dataset.country = country.clone();
        }
        (self.dataset, self.notes, Common { source: common.source.clone(), country: self.country })
    }
}

fn passage(text: &str) -> Option<String> {
    let plain = bounds::without_controls(text.trim());
    Some(shortened(plain, bounds::PROSE).0).filter(|text| !text.trim().is_empty())
}

fn place(notes: &mut Notes, (tag, text): (LanguageTag, String)) -> Option<Place> {
    let written = text.trim();
    let country = vocabulary::country(written).or_else(|| if written.len() == 2 { written.parse().ok() } else { None });
    let iri = if written.contains("://") { parse_iri(written) } else { None };
    let name = if country.is_none() && iri.is_none() { notes.title("place", [(tag, text)]) } else { None };
    Some(Place { name, iri, country, bbox: None }).filter(|place| *place != Place::default())
}

/// The licence; several that differ are none.
fn licence(notes: &mut Notes, texts: &[String]) -> Option<Licence> {
    let found: Vec<Licence> = texts.iter().filter_map(|text| resolve(text)).map(plain).collect();
    let one = one_of(&found);
    if one.is_none() && !found.is_empty() {
        notes.note(LICENCES_DIFFER);
    }
    one
}
