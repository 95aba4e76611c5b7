//! What is seen in a text, and what is not mistaken for somebody.

use proptest::prelude::*;

use super::*;

fn seen(text: &str) -> Vec<(What, &str)> {
    scan(text).into_iter().map(|seen| (seen.what, &text[seen.start..seen.end])).collect()
}

#[test]
fn addresses_are_seen_plain_and_spelled_out_and_desks_are_told_from_people() {
    for (text, expected) in [
        ("Ask (aino.virtanen@archive.example).", (What::PersonalMail, "aino.virtanen@archive.example")),
        ("mailto:jdupont@x.example?subject=1", (What::PersonalMail, "jdupont@x.example")),
        ("Ask info@x.example, please", (What::DeskMail, "info@x.example")),
        ("j.weber(at)amt.example.", (What::PersonalMail, "j.weber(at)amt.example")),
        ("j.weber [at] amt.example", (What::PersonalMail, "j.weber [at] amt.example")),
        ("a.b@uni.example.The data", (What::PersonalMail, "a.b@uni.example")),
    ] {
        assert_eq!(seen(text), [expected], "{text}");
    }
}

#[test]
fn what_only_has_an_at_is_no_address() {
    for text in [
        "See @archive, 5 @ 3.",
        "logo@2x.png",
        "npm i x@1.2.3",
        "git@github.example:x/y",
        "https://me@host.example/x",
        "@scope/name.js",
        "a@b",
        "x@@y.example",
    ] {
        assert_eq!(seen(text), [], "{text}");
    }
}

#[test]
fn numbers_count_where_their_check_digits_agree() {
    for (text, expected) in [
        ("Ring +32 2 123 45 67 today", (What::Phone, "+32 2 123 45 67")),
        ("Tel.: 09 1234 5678", (What::Phone, "09 1234 5678")),
        ("to DE89 3704 0044 0532 0130 00 please", (What::BankAccount, "DE89 3704 0044 0532 0130 00")),
        ("BE68539007547034", (What::BankAccount, "BE68539007547034")),
        ("hetu 131052-308T", (What::NationalNumber, "131052-308T")),
        ("rijksregister 85.07.30-033.28", (What::NationalNumber, "85.07.30-033.28")),
        ("codice RSSMRA85T10A562S", (What::NationalNumber, "RSSMRA85T10A562S")),
        ("orcid.org/0000-0002-1825-0097", (What::Orcid, "0000-0002-1825-0097")),
    ] {
        assert_eq!(seen(text), [expected], "{text}");
    }
    for text in [
        "DE89 3704 0044 0532 0130 01",
        "131052-308S",
        "85.07.30-033.29",
        "RSSMRA85T10A562T",
        "0000-0002-1825-0098",
        "+50.850345 and +4.348710",
        "2019-01-01 to 2023-12-31",
        "EPSG:31370, 1:10000",
        "ISBN 978-3-16-148410-0",
        "1234567890123",
        "2016/679",
    ] {
        assert_eq!(seen(text), [], "{text}");
    }
}

#[test]
fn names_are_seen_where_their_neighbours_say_so() {
    for (text, expected) in [
        ("Contact: Aino Virtanen, Helsinki", (What::Name, "Aino Virtanen")),
        ("by Prof. Dr. Hans-Peter von Kuhn at", (What::Name, "Hans-Peter von Kuhn")),
        ("Ansprechpartnerin: Frau Müller", (What::Name, "Müller")),
        ("curated by Ada B. Lovelace in 1843", (What::Name, "Ada B. Lovelace")),
        ("Virtanen, A., Vries, J. K. (2020): Birds", (What::Authors, "Virtanen, A., Vries, J. K.")),
    ] {
        assert_eq!(seen(text), [expected], "{text}");
    }
    assert_eq!(
        seen("Jean Dupont (jean.dupont@x.example)"),
        [(What::Name, "Jean Dupont"), (What::PersonalMail, "jean.dupont@x.example")]
    );
}

#[test]
fn offices_places_and_sentences_are_not_taken_for_people() {
    for text in [
        "Contact: Open Data Team",
        "Contact: Statistics Finland Helpdesk",
        "Contact us for more",
        "Authors: see the paper",
        "Created by the City of Espoo",
        "Author: Federal Planning Bureau",
        "Helsinki, Finland, and Espoo",
        "Martin Luther King Street",
        "in Section B., Part C.",
        "Dr. no",
        "the Dr, Paris",
    ] {
        assert_eq!(seen(text), [], "{text}");
    }
}

#[test]
fn a_place_is_told_by_its_pointer_and_in_characters() {
    let record = serde_json::json!({"description": {"fi": "Kysy äiti@x.example", "en": "None"}, "contact": {"email": "a@b.example"}});
    let found = find(&record);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].pointer.as_str(), found[0].span), ("/description/fi", Some(Span { start: 5, end: 19 })));
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_seen_lies_in_it_apart(text in "(\\PC|[@.,: ()\\[\\]+0-9A-Za-zäß-]|Dr\\. |Contact: |a@b\\.fi|DE89 3704|\\(at\\)){0,60}") {
        let mut end = 0;
        for seen in scan(&text) {
            prop_assert!(seen.start >= end && seen.end > seen.start && text.get(seen.start..seen.end).is_some());
            end = seen.end;
        }
    }
}
