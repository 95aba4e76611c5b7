//! What is doubtful about a dataset: a steward should look again, and nothing is refused.
//!
//! A registration is never kept back by a doubt, because a true record can look strange. What law and policy need for
//! an offer is another question, and `domain::offerable` answers it.

use jiff::Span;
use jiff::civil::Date;

use super::bounds;
use super::dataset::{AccessRights, Contact, Dataset, Period, Visibility};
use super::gdpr::{self, DpiaStatus, Gdpr, PersonalData};
use super::ids::{Email, Iri};
use super::mailbox;
use super::text::Text;

/// Something doubtful.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Warning {
    /// Where in the dataset, as a JSON pointer.
    pub pointer: String,
    /// The kind of doubt, for a program: stable words in snake case.
    pub code: &'static str,
    /// Why it is doubtful, and what to do.
    pub detail: String,
}

/// Everything doubtful about a dataset, as of a day.
pub fn warnings(dataset: &Dataset, today: Date) -> Vec<Warning> {
    let mut doubts = Doubts(Vec::new());
    contradictions(dataset, &mut doubts);
    terms(&dataset.gdpr, &mut doubts);
    retention(dataset, today, &mut doubts);
    periods(dataset, &mut doubts);
    people(dataset, &mut doubts);
    doubts.0
}

struct Doubts(Vec<Warning>);

impl Doubts {
    fn when(&mut self, doubtful: bool, pointer: &str, code: &'static str, detail: &str) {
        if doubtful {
            self.0.push(Warning { pointer: pointer.to_owned(), code, detail: detail.to_owned() });
        }
    }
}

fn contradictions(dataset: &Dataset, doubts: &mut Doubts) {
    let gdpr = &dataset.gdpr;
    let is_personal = gdpr.personal_data.is_personal();
    let names_categories = !gdpr.categories.is_empty() || !gdpr.special_categories.is_empty();
    doubts.when(
        names_categories && matches!(gdpr.personal_data, PersonalData::No | PersonalData::Anonymised),
        "/gdpr/personal_data",
        "categories_without_personal_data",
        "categories of personal data are named, yet there is said to be none; data is anonymous only if nobody can identify anybody by any means likely to be used (GDPR, recital 26)",
    );
    doubts.when(
        names_categories && gdpr.personal_data == PersonalData::NotStated,
        "/gdpr/personal_data",
        "personal_data_not_stated",
        "categories of personal data are named, yet it is not stated whether there is personal data; it is never offered so",
    );
    doubts.when(
        is_personal && dataset.access_rights == AccessRights::Public,
        "/access_rights",
        "public_personal_data",
        "personal data is open to everybody; make sure that a law or the people themselves made it public",
    );
    doubts.when(
        dataset.visibility == Visibility::Federation && !dataset.listed.is_empty(),
        "/listed",
        "listed_without_effect",
        "the record is visible to the whole federation, so the list has no effect; did you mean visibility private?",
    );
    let is_closed = matches!(dataset.access_rights, AccessRights::Restricted | AccessRights::NonPublic);
    for (at, distribution) in dataset.distributions.iter().enumerate() {
        doubts.when(
            is_closed && distribution.download_url.is_some(),
            &format!("/distributions/{at}/download_url"),
            "download_of_closed_data",
            "the data is not open, yet a download address is given to everybody; use access_url, and a manifest for the shards",
        );
    }
    doubts.when(
        gdpr.dpia.as_ref().is_some_and(|dpia| dpia.status == DpiaStatus::NotRequired) && has_special(gdpr),
        "/gdpr/dpia",
        "special_without_dpia",
        "special categories on a large scale need an impact assessment (GDPR, Article 35(3)(b)); make sure that the scale is small",
    );
}

fn has_special(gdpr: &Gdpr) -> bool {
    !gdpr.special_categories.is_empty() || gdpr.categories.iter().any(gdpr::is_special_category)
}

fn terms(gdpr: &Gdpr, doubts: &mut Doubts) {
    let mut unknown = |terms: &[Iri], field: &str, is_known: fn(&Iri) -> bool, code: &'static str, detail: &str| {
        for (at, term) in terms.iter().enumerate() {
            doubts.when(!is_known(term), &format!("/gdpr/{field}/{at}"), code, detail);
        }
    };
    unknown(
        &gdpr.legal_basis,
        "legal_basis",
        gdpr::is_legal_basis,
        "not_a_legal_basis",
        "this is no term of GDPR, Article 6(1), so it does not count as a legal basis; use https://w3id.org/dpv/legal/eu/gdpr#A6-1-a to A6-1-f",
    );
    unknown(
        &gdpr.special_condition,
        "special_condition",
        gdpr::is_special_condition,
        "not_a_special_condition",
        "this is no term of GDPR, Article 9(2), so it does not count as a condition; use https://w3id.org/dpv/legal/eu/gdpr#A9-2-a to A9-2-j",
    );
    unknown(
        &gdpr.special_categories,
        "special_categories",
        gdpr::is_special_category,
        "not_a_special_category",
        "DPV-PD does not list this as a special category; make sure that it is one, or move it to categories",
    );
    doubts.when(
        !gdpr.special_condition.is_empty() && !has_special(gdpr),
        "/gdpr/special_condition",
        "condition_without_special",
        "a condition of Article 9(2) is named, yet no special category is; name the category or take the condition out",
    );
    for (at, term) in gdpr.categories.iter().enumerate() {
        doubts.when(
            gdpr::is_special_category(term),
            &format!("/gdpr/categories/{at}"),
            "special_among_categories",
            "this is a special category (GDPR, Article 9(1)) and is treated as one; list it in special_categories",
        );
    }
}

fn retention(dataset: &Dataset, today: Date, doubts: &mut Doubts) {
    let Some(retention) = &dataset.gdpr.retention else { return };
    let end = bounds::parse_day(retention).or_else(|| {
        let collected = dataset.training.collected.as_ref()?.end?;
        collected.checked_add(retention.parse::<Span>().ok()?).ok()
    });
    doubts.when(
        end.is_some_and(|end| end < today),
        "/gdpr/retention",
        "retention_over",
        "the time for which the data may be kept is over; delete it and withdraw the dataset, or mend the date",
    );
}

fn periods(dataset: &Dataset, doubts: &mut Doubts) {
    let mut check = |period: &Period, pointer: &str| {
        doubts.when(
            period.start.zip(period.end).is_some_and(|(start, end)| end < start),
            pointer,
            "period_backwards",
            "the period ends before it begins; exchange the days",
        );
    };
    for (at, period) in dataset.temporal.iter().enumerate() {
        check(period, &format!("/temporal/{at}"));
    }
    if let Some(period) = &dataset.training.collected {
        check(period, "/training/collected");
    }
}

/// People in the metadata itself, which the whole federation reads, and texts that are not plain.
fn people(dataset: &Dataset, doubts: &mut Doubts) {
    let contacts = [
        (&dataset.contact, "/contact/email"),
        (&dataset.gdpr.dpo, "/gdpr/dpo/email"),
        (&dataset.gdpr.rights_contact, "/gdpr/rights_contact/email"),
    ];
    for (contact, pointer) in contacts {
        doubts.when(
            contact.as_ref().and_then(|Contact { email, .. }| email.as_ref()).is_some_and(is_a_person),
            pointer,
            "personal_mailbox",
            "this looks like a person's mailbox and is copied to every member of the federation; use a functional one",
        );
    }
    for (pointer, text) in texts(dataset) {
        for (language, value) in text.iter() {
            let place = format!("{pointer}/{}", language.as_str());
            doubts.when(
                value.split_whitespace().any(holds_an_address),
                &place,
                "address_in_text",
                "an e-mail address stands in the text and is copied to every member of the federation; move it to contact, if it is a functional one",
            );
            doubts.when(
                has_markup(value),
                &place,
                "markup_in_text",
                "the text looks like HTML and is shown as plain text; take the tags out",
            );
        }
    }
}

fn texts(dataset: &Dataset) -> Vec<(String, &Text)> {
    let training = &dataset.training;
    let mut texts = vec![("/title".to_owned(), &dataset.title)];
    let named = [
        ("/description", &dataset.description),
        ("/version_notes", &dataset.version_notes),
        ("/gdpr/collection_purpose", &dataset.gdpr.collection_purpose),
        ("/training/collection_method", &training.collection_method),
        ("/training/preparation", &training.preparation),
        ("/training/annotation", &training.annotation),
        ("/training/known_biases", &training.known_biases),
        ("/training/gaps", &training.gaps),
        ("/training/intended_use", &training.intended_use),
        ("/training/out_of_scope", &training.out_of_scope),
    ];
    texts.extend(named.into_iter().filter_map(|(pointer, text)| Some((pointer.to_owned(), text.as_ref()?))));
    for (at, distribution) in dataset.distributions.iter().enumerate() {
        let named = [("title", &distribution.title), ("description", &distribution.description)];
        texts.extend(
            named.into_iter().filter_map(|(name, text)| Some((format!("/distributions/{at}/{name}"), text.as_ref()?))),
        );
    }
    texts
}

/// Whether a mailbox looks like a person's.
fn is_a_person(email: &Email) -> bool {
    mailbox::looks_like_a_person(email.as_str().split('@').next().unwrap_or_default())
}

fn holds_an_address(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    word.contains('@') && word.strip_prefix("mailto:").unwrap_or(word).parse::<Email>().is_ok()
}

fn has_markup(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["<p>", "</p>", "<br", "<a href", "<div", "<span", "<ul>", "<li>", "<b>", "<strong>", "<script", "&nbsp;", "&amp;"]
        .iter()
        .any(|tag| lower.contains(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Dataset {
        serde_json::from_str(include_str!("../../config/examples/dataset.json")).unwrap()
    }

    fn codes(change: impl FnOnce(&mut Dataset)) -> Vec<String> {
        let mut dataset = example();
        dataset.listed.clear();
        dataset.distributions[1].download_url = None;
        change(&mut dataset);
        let today = "2026-03-01".parse().unwrap();
        warnings(&dataset, today).into_iter().map(|w| format!("{} {}", w.pointer, w.code)).collect()
    }

    fn iri(text: &str) -> Iri {
        text.parse().unwrap()
    }

    #[test]
    fn a_dataset_without_contradictions_raises_no_doubt() {
        assert_eq!(codes(|_| {}), [] as [&str; 0]);
    }

    #[test]
    fn each_contradiction_is_told_where_it_stands() {
        assert_eq!(
            codes(|d| d.gdpr.personal_data = PersonalData::Anonymised),
            ["/gdpr/personal_data categories_without_personal_data"]
        );
        assert_eq!(
            codes(|d| d.gdpr.personal_data = PersonalData::NotStated),
            ["/gdpr/personal_data personal_data_not_stated"]
        );
        assert_eq!(codes(|d| d.access_rights = AccessRights::Public), ["/access_rights public_personal_data"]);
        assert_eq!(codes(|d| d.listed = example().listed), ["/listed listed_without_effect"]);
        assert_eq!(
            codes(|d| d.distributions = example().distributions),
            ["/distributions/1/download_url download_of_closed_data"]
        );
        assert_eq!(
            codes(|d| d.gdpr.dpia = Some(gdpr::Dpia { status: DpiaStatus::NotRequired, reference: None })),
            ["/gdpr/dpia special_without_dpia"]
        );
        assert_eq!(codes(|d| d.gdpr.special_categories.clear()), ["/gdpr/special_condition condition_without_special"]);
        assert_eq!(
            codes(|d| d.gdpr.legal_basis.push(iri("https://w3id.org/dpv#Consent"))),
            ["/gdpr/legal_basis/1 not_a_legal_basis"]
        );
        assert_eq!(
            codes(|d| d.gdpr.special_condition[0] = iri("https://w3id.org/dpv/legal/eu/gdpr#A9-2-z")),
            ["/gdpr/special_condition/0 not_a_special_condition"]
        );
        assert_eq!(
            codes(|d| d.gdpr.categories.push(iri("https://w3id.org/dpv/pd#Religion"))),
            ["/gdpr/categories/1 special_among_categories"]
        );
    }

    #[test]
    fn a_retention_that_is_over_is_told_as_a_day_and_as_a_duration() {
        assert_eq!(codes(|d| d.gdpr.retention = Some("2026-02-28".into())), ["/gdpr/retention retention_over"]);
        assert_eq!(codes(|d| d.gdpr.retention = Some("P1Y".into())), ["/gdpr/retention retention_over"]);
        assert_eq!(codes(|d| d.gdpr.retention = Some("2026-03-01".into())), [] as [&str; 0]);
        assert_eq!(codes(|d| d.gdpr.retention = Some("P9999Y9999M9999W9999D".into())), [] as [&str; 0]);
    }

    #[test]
    fn a_person_in_the_metadata_is_told() {
        let mailbox = |text: &str| text.parse::<Email>().unwrap();
        for person in ["aino.virtanen@archive.example", "jan_de-vries@archive.example"] {
            assert!(is_a_person(&mailbox(person)), "{person}");
        }
        for desk in
            ["data@archive.example", "open-data@archive.example", "data.access@archive.example", "q4.2@archive.example"]
        {
            assert!(!is_a_person(&mailbox(desk)), "{desk}");
        }
        let text = |value: &str| Some(Text::new("en".parse().unwrap(), value).unwrap());
        assert_eq!(codes(|d| d.description = text("Ask (aino@archive.example).")), ["/description/en address_in_text"]);
        assert_eq!(codes(|d| d.description = text("See @archive, 5 @ 3.")), [] as [&str; 0]);
        assert_eq!(codes(|d| d.training.gaps = text("<p>None</p>")), ["/training/gaps/en markup_in_text"]);
    }

    #[test]
    fn a_period_that_runs_backwards_is_told() {
        let period = Period { start: "2024-01-02".parse().ok(), end: "2024-01-01".parse().ok() };
        assert_eq!(codes(|d| d.temporal.push(period)), ["/temporal/1 period_backwards"]);
    }
}
