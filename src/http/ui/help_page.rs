//! How to ask: the query language in short. Fields and their values come from where they are read, so that the page
//! cannot promise another language than the one that is understood.

use maud::{Markup, html};

use crate::domain::query::FacetField;

const WAYS: [(&str, &str); 12] = [
    ("parliament speech", "records with either word; those with both, and with rarer words, first"),
    ("parliament AND speech", "records with both"),
    ("+parliament speech", "records with parliament; speech only ranks"),
    ("parliament -radio", "records with the first and without the second; NOT says the same"),
    ("\"open data\"", "the words in this order, each in any inflected form"),
    ("parl*", "words that begin so; at least 3 letters"),
    ("(speech OR audio) AND parliament", "parentheses group"),
    ("title:minutes", "in the title alone; also description:, keyword:, publisher:"),
    ("parliament country:FI", "a constraint: it holds for every hit"),
    ("country:FI country:SE", "constraints on one field beside each other are alternatives"),
    ("10.5281/zenodo.123", "words joined by signs are looked for as a phrase"),
    ("\\AND", "a backslash takes the sign or word after it as it is"),
];

/// The body of the page.
pub fn body() -> Markup {
    html! {
        h1 { "How to ask" }
        p { "Write words into the search field. To list everything, leave it empty." }
        div .scroll tabindex="0" role="region" aria-label="What you may write" {
            table {
                thead { tr { th scope="col" { "You write" } th scope="col" { "You find" } } }
                tbody {
                    @for (written, found) in WAYS {
                        tr {
                            td { a href={ "/?q=" (url::form_urlencoded::byte_serialize(written.as_bytes()).collect::<String>()) } { code { (written) } } }
                            td { (found) }
                        }
                    }
                }
            }
        }
        p { code { "AND" } ", " code { "OR" } " and " code { "NOT" } " are operators only in capitals; " code { "AND" } " binds closer than " code { "OR" } "." }
        h2 { "Constraints" }
        dl .facts {
            @for field in FacetField::ALL {
                dt { code { (field.as_str()) ":" } }
                dd { (values(field)) }
            }
        }
        h2 { "How words match" }
        p .prose {
            "Each text is read in its own language, and your words in the languages that your browser says you read, at most three. An inflected form finds the "
            "others, and accents do not matter. A word also stands for the themes, languages, places, purposes and formats in whose name it is found, in "
            "any official language of the EU. Texts translated by machine are shown but not searched."
        }
        h2 { "Why records come in this order" }
        p .prose {
            "The rank is BM25 with counts summed over all nodes that answered, so that the order is the one a single catalogue would give. A word in the "
            "title counts more, and so does the exact form. No node can place its own records higher."
        }
    }
}

fn values(field: FacetField) -> Markup {
    let example = match field {
        FacetField::Country => "two letters, such as FI; Greece is GR",
        FacetField::Language => "of the content, such as fi",
        FacetField::Licence => "SPDX id or IRI, in quotes where it has a colon",
        FacetField::Format => "such as CSV, PARQUET",
        FacetField::DerivedFrom => "a dataset that it was made from: its id, persistent identifier or IRI, in quotes",
        FacetField::VersionOf => "the dataset of which it is a version, in quotes",
        FacetField::Series => "the series that it belongs to, in quotes",
        FacetField::Publisher => "the publisher's name as it is shown, in quotes",
        FacetField::Theme => "IRI of an EU data theme or of another concept, in quotes",
        FacetField::LegalBasis | FacetField::Purpose => "IRI of the Data Privacy Vocabulary, in quotes",
        FacetField::Modality | FacetField::LicenceClass | FacetField::Access | FacetField::PersonalData => "",
    };
    html! {
        @match field.allowed() {
            Some(allowed) => { @for (place, value) in allowed.iter().enumerate() { @if place > 0 { ", " } code { (value) } } }
            None => { (example) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language;

    #[test]
    fn everything_that_the_page_shows_can_be_asked() {
        for (written, _) in WAYS {
            assert!(language::parse(written).is_ok(), "{written}");
        }
        for field in FacetField::ALL {
            let value = field.allowed().map_or("\"x\"", |allowed| allowed[0]);
            let value = if field == FacetField::Country { "FI" } else { value };
            let written = format!("{}:{value}", field.as_str());
            assert!(language::parse(&written).is_ok(), "{written}: {:?}", language::parse(&written));
        }
    }
}
