//! Datasets as nobody would write them: every field stated or not, texts in several languages, characters that a syntax
//! of RDF has to escape, lists whose order means something.
//!
//! The strategies beside ([`crate::formats::samples`]) stay within what every format can carry; these go to the edges of
//! RDF.
//! A value is one that a reader leaves as it is: its texts are plain ones ([`crate::formats::text`]), its agents do not share an
//! IRI under different names.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::domain::dataset::Dataset;
use crate::formats::text;

/// A field's value, or that it is not stated.
type Field = (&'static str, BoxedStrategy<Option<Value>>);

/// A dataset.
pub(crate) fn dataset() -> impl Strategy<Value = Dataset> {
    let mut fields = descriptive();
    fields.extend(references());
    fields.extend(terms());
    fields.extend([
        ("gdpr", maybe(gdpr())),
        ("health", maybe(health()).prop_map(stated).boxed()),
        ("training", maybe(training())),
        ("distributions", list(distribution(), 3)),
        ("record_sets", list(table(), 3)),
    ]);
    let must = vec![
        ("id", always(Just(json!("https://fi.pleiad.example/dataset/sample")))),
        ("title", always(text())),
        ("country", always(of(&["FI", "GR", "BE", "CH"]))),
    ];
    (object(must), object(fields)).prop_map(|(mut must, fields)| {
        let Value::Object(fields) = fields else { unreachable!("an object is made of fields") };
        must.as_object_mut().expect("an object").extend(fields);
        serde_json::from_value(must.clone()).unwrap_or_else(|error| panic!("{error}: {must}"))
    })
}

fn descriptive() -> Vec<Field> {
    vec![
        ("description", maybe(prose())),
        ("keywords", maybe(keywords())),
        ("themes", list_of_iris("theme")),
        ("publisher", maybe(agent("publisher"))),
        ("creators", agents("creator")),
        ("contact", maybe(contact())),
        ("languages", set(of(&["fi", "sv", "pt-BR", "sr-Latn", "el"]), 3)),
        ("spatial", places()),
        ("temporal", set(period(), 2)),
        ("frequency", maybe(of(&[concat!("http://publications.europa.eu/resource/authority/", "frequency/ANNUAL")]))),
        ("access_rights", maybe(of(&["public", "restricted", "non_public"]))),
        ("fictitious", maybe(Just(json!(true)))),
    ]
}

fn references() -> Vec<Field> {
    vec![
        ("applicable_legislation", list_of_iris("law")),
        ("issued", maybe(day())),
        ("modified", maybe(day())),
        ("version", maybe(line())),
        ("version_notes", maybe(prose())),
        ("version_of", maybe(iri("whole"))),
        ("series", list_of_iris("series")),
        ("kind", maybe(iri("kind"))),
        ("citation", maybe(passage())),
        ("provenance", maybe(prose())),
        ("conforms_to", list_of_iris("standard")),
        ("identifiers", set(of(&["https://doi.org/10.1234/abc", "urn:nbn:fi-fe2024", "ark:/12345/x"]), 3)),
        ("landing_pages", list_of_iris("page")),
        ("documentation", list_of_iris("manual")),
        ("derived_from", list_of_iris("source")),
    ]
}

fn terms() -> Vec<Field> {
    vec![
        ("licence", maybe(licence())),
        ("rights", maybe(prose())),
        ("policy", maybe(policy())),
        ("tdm_reservation", maybe(of(&["reserved", "not_reserved"]))),
        ("tdm_policy", maybe(iri("mining"))),
    ]
}

fn licence() -> BoxedStrategy<Value> {
    let matched = object(vec![("rule", always(line())), ("confidence", always(of(&["likely", "named", "exact"])))]);
    let answers = ["commercial", "derivatives", "share_alike", "attribution", "ai_training", "text_and_data_mining"];
    object(vec![
        ("spdx", maybe(of(&["CC-BY-4.0", "MIT"]))),
        ("iri", maybe(iri("licence"))),
        ("raw", maybe(passage())),
        ("matched", maybe(matched)),
        ("permissions", always(object(answers.map(|name| (name, maybe(of(&["yes", "no"])))).into()))),
    ])
}

fn policy() -> BoxedStrategy<Value> {
    let rights = ["https://w3id.org/dpv#AcademicResearch", "FI", "EU", "2033-12-31", "5", "spiffe://a.example/node/b"];
    let constraint = object(vec![
        ("left", always(of(&["purpose", "spatial", "dateTime", "sector", "https://example.org/left", "a word"]))),
        ("operator", always(of(&["eq", "isAnyOf", "lteq", "unheard of"]))),
        ("right", always(btree_set(select(rights.to_vec()), 1..3).prop_map(|set| json!(set)).boxed())),
    ]);
    let actions = ["use", "reproduce", "train", "mine", "https://example.org/act", "own words"];
    let duty = object(vec![
        ("action", always(of(&["attribute", "delete", "https://example.org/do"]))),
        ("constraints", list(constraint.clone(), 2)),
    ]);
    let rule =
        object(vec![("action", always(of(&actions))), ("constraints", list(constraint, 2)), ("duties", list(duty, 2))]);
    object(vec![
        ("permissions", always(vec(rule.clone(), 0..3).prop_map(Value::Array).boxed())),
        ("prohibitions", list(rule, 2)),
        ("approval", maybe(Just(json!(true)))),
        ("duration", maybe(of(&["P1Y", "P90D"]))),
    ])
}

fn gdpr() -> BoxedStrategy<Value> {
    const PD: &str = "https://w3id.org/dpv/pd#";
    let transfer = object(vec![("country", always(of(&["CH", "US"]))), ("tool", always(iri("tool")))]);
    let dpia = object(vec![
        ("status", always(of(&["not_required", "required", "completed", "consulted"]))),
        ("reference", maybe(iri("dpia"))),
    ]);
    let named = |names: &'static [&'static str]| {
        set(select(names).prop_map(move |name| json!(format!("{PD}{name}"))).boxed(), 2)
    };
    object(vec![
        ("personal_data", maybe(of(&["no", "anonymised", "pseudonymised", "yes"]))),
        ("categories", named(&["Voice", "Age", "Unheard"])),
        ("special_categories", named(&["Health", "Race", "Special"])),
        ("legal_basis", set(of(&["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e", "https://example.org/basis"]), 2)),
        ("special_condition", set(of(&["https://w3id.org/dpv/legal/eu/gdpr#A9-2-j", "https://example.org/own"]), 2)),
        ("purposes", list_of_iris("purpose")),
        ("collection_purpose", maybe(prose())),
        ("data_subjects", list_of_iris("subject")),
        ("data_subject_count", maybe(count())),
        ("controllers", agents("controller")),
        ("processors", agents("processor")),
        ("dpo", maybe(contact())),
        ("rights_contact", maybe(contact())),
        ("retention", maybe(of(&["P10Y", "2040-01-31"]))),
        ("dpia", maybe(dpia)),
        ("measures", list_of_iris("measure")),
        ("transfers", list(transfer, 2)),
        ("processing_locations", set(of(&["FI", "CH", "AX"]), 2)),
    ])
}

fn health() -> BoxedStrategy<Value> {
    object(vec![
        ("access_body", maybe(agent("hdab"))),
        ("categories", list_of_iris("health-category")),
        ("themes", list_of_iris("health-theme")),
        ("coding_systems", list_of_iris("coding-system")),
        ("code_values", list_of_iris("code")),
        ("population", maybe(prose())),
        ("min_age", maybe(count())),
        ("max_age", maybe(count())),
        ("trusted_holder", maybe(of(&["yes", "no"]))),
    ])
}

fn training() -> BoxedStrategy<Value> {
    const TEXTS: [&str; 14] = [
        "collection_method",
        "raw_data",
        "preparation",
        "annotation",
        "assumptions",
        "known_biases",
        "bias_measures",
        "social_impact",
        "sensitive_information",
        "setting",
        "gaps",
        "intended_use",
        "out_of_scope",
        "maintenance",
    ];
    let split = object(vec![("name", always(line())), ("records", maybe(count())), ("bytes", maybe(count()))]);
    let tokens = object(vec![("count", always(count())), ("tokeniser", always(line()))]);
    let mut fields: Vec<Field> = TEXTS.map(|name| (name, maybe(prose()))).into();
    fields.extend([
        ("modalities", set(of(&["text", "audio", "geo"]), 2)),
        ("tasks", set(line(), 2)),
        ("record_count", maybe(count())),
        ("tokens", maybe(tokens)),
        ("collected", maybe(period())),
        ("collection_types", set(line(), 2)),
        ("annotators", maybe(annotators()).prop_map(stated).boxed()),
        ("splits", list(split, 3)),
        ("source_categories", set(of(&["web_crawled", "synthetic", "other"]), 2)),
        ("crawl", maybe(crawl()).prop_map(stated).boxed()),
        ("generator", maybe(line())),
    ]);
    object(fields)
}

fn annotators() -> BoxedStrategy<Value> {
    object(vec![
        ("platform", maybe(line())),
        ("per_item", maybe(count())),
        ("people", maybe(prose())),
        ("tools", set(line(), 2)),
        ("analysis", maybe(prose())),
    ])
}

fn crawl() -> BoxedStrategy<Value> {
    object(vec![
        ("period", maybe(period())),
        ("domains", set(line(), 2)),
        ("robots_honoured", maybe(of(&["yes", "no"]))),
        ("reservations_honoured", maybe(of(&["yes", "no"]))),
    ])
}

const STABLE: &str = "http://publications.europa.eu/resource/authority/planned-availability/STABLE";

fn distribution() -> BoxedStrategy<Value> {
    let digest = "ef2d127de37b942baad06145e54b0c619a1f22327b2ebbcfbec78f5564afe39d";
    let manifest = json!({"version": 1, "shards": {"a.parquet": {"bytes": 7, "sha256": digest}}});
    object(vec![
        ("title", maybe(text())),
        ("description", maybe(prose())),
        ("access_url", maybe(iri("access"))),
        ("download_url", maybe(iri("download"))),
        ("format", maybe(of(&["CSV", "PARQUET", "OGC:WMS", "a sheet"]))),
        ("media_type", maybe(of(&["text/csv", "application/vnd.geo+json", "something else"]))),
        ("compress_format", maybe(of(&["application/gzip", "squeezed"]))),
        ("package_format", maybe(of(&["application/zip"]))),
        ("availability", maybe(prop_oneof![iri("availability"), of(&[STABLE])])),
        ("status", maybe(iri("status"))),
        ("conforms_to", list_of_iris("standard")),
        ("bytes", maybe(count())),
        ("sha256", maybe(Just(json!(digest)))),
        ("licence", maybe(licence())),
        ("manifest", maybe(Just(manifest))),
    ])
}

fn table() -> BoxedStrategy<Value> {
    let column = object(vec![
        ("name", always(line())),
        ("data_type", maybe(of(&["sc:Text", "sc:Integer"]))),
        ("semantic_types", list_of_iris("meaning")),
        ("repeated", maybe(Just(json!(true)))),
        ("description", maybe(prose())),
    ]);
    let keys = vec(line(), 1..3).prop_map(Value::Array).boxed();
    object(vec![
        ("name", always(line())),
        ("description", maybe(prose())),
        ("key", maybe(keys)),
        ("columns", list(column, 3)),
    ])
}

/// Places: each with an IRI of its own or none, and something that is said of it.
fn places() -> BoxedStrategy<Option<Value>> {
    let boxes = select(vec![json!([19.0, 59.7, 31.6, 70.1]), json!([-9.5, -36.0, 3.25, 43.8])]);
    let place = object(vec![
        ("name", maybe(text())),
        ("country", maybe(of(&["FI", "AX"]))),
        ("bbox", maybe(boxes)),
        ("iri", maybe(iri("place"))),
    ]);
    list(place.prop_filter("a place says something", |place| *place != json!({})).boxed(), 3)
}

fn agents(role: &'static str) -> BoxedStrategy<Option<Value>> {
    let agents = vec(agent(role), 1..3).prop_map(|mut agents| {
        for (number, agent) in agents.iter_mut().enumerate() {
            if let Some(iri) = agent.get("iri").and_then(Value::as_str) {
                agent["iri"] = json!(format!("{iri}/{number}"));
            }
        }
        Value::Array(agents)
    });
    maybe(agents.boxed())
}

fn agent(role: &'static str) -> BoxedStrategy<Value> {
    let kind = of(&["http://purl.org/adms/publishertype/NationalAuthority"]);
    object(vec![("name", always(text())), ("iri", maybe(iri(role))), ("kind", maybe(kind))])
}

fn contact() -> BoxedStrategy<Value> {
    object(vec![
        ("name", always(line())),
        ("email", maybe(of(&["data@archive.example", "d.o'hara+x@archive.example"]))),
        ("page", maybe(iri("contact"))),
    ])
}

fn period() -> BoxedStrategy<Value> {
    (day(), option::of(Just(json!("2030-06-30"))))
        .prop_map(|(start, end)| match end {
            Some(end) => json!({"start": start, "end": end}),
            None => json!({"start": start}),
        })
        .boxed()
}

fn day() -> BoxedStrategy<Value> {
    of(&["2024-02-29", "1999-12-31", "2025-01-01"])
}

fn count() -> BoxedStrategy<Value> {
    prop_oneof![0u64..100, Just((1 << 53) - 1)].prop_map(|count| json!(count)).boxed()
}

const TAGS: [&str; 6] = ["en", "fi", "und", "pt-BR", "sr-Latn", "nl-t-fr"];
const WORDS: [&str; 12] =
    ["data", "Ääkköset", "naïve", "100%", "C++", "\"quoted\"", "R&D", "o'hara", "日本", "🌲", "слово", "a;b,c"];

fn words() -> impl Strategy<Value = String> {
    vec(select(&WORDS[..]), 1..5)
        .prop_map(|words| words.join(" "))
        .prop_filter("plain", |line| text::line(line) == *line)
}

fn line() -> BoxedStrategy<Value> {
    words().prop_map(|line| json!(line)).boxed()
}

fn passages() -> impl Strategy<Value = String> {
    vec(words(), 1..3).prop_map(|lines| lines.join("\n\n")).prop_filter("plain", |prose| text::passage(prose) == *prose)
}

fn passage() -> BoxedStrategy<Value> {
    passages().prop_map(|passage| json!(passage)).boxed()
}

fn text() -> BoxedStrategy<Value> {
    btree_map(select(&TAGS[..]), words(), 1..3).prop_map(|text| json!(text)).boxed()
}

fn prose() -> BoxedStrategy<Value> {
    btree_map(select(&TAGS[..]), passages(), 1..3).prop_map(|text| json!(text)).boxed()
}

fn keywords() -> BoxedStrategy<Value> {
    let words = btree_set(words(), 1..3);
    btree_map(select(&TAGS[..]), words, 1..3).prop_map(|keywords| json!(keywords)).boxed()
}

/// An IRI with a part that says what it is for, so that no two fields share one.
fn iri(what: &'static str) -> BoxedStrategy<Value> {
    let ends = ["1", "2", "a%20b?x=1&y=2", "ä", "x,y;z(1)"];
    select(ends.to_vec()).prop_map(move |end| json!(format!("https://example.org/{what}/{end}"))).boxed()
}

fn list_of_iris(what: &'static str) -> BoxedStrategy<Option<Value>> {
    set(iri(what), 3)
}

fn of(values: &[&'static str]) -> BoxedStrategy<Value> {
    select(values.to_vec()).prop_map(|value| json!(value)).boxed()
}

/// One to so many, each once, in their order.
fn set(of: BoxedStrategy<Value>, most: usize) -> BoxedStrategy<Option<Value>> {
    let values = vec(of, 1..=most).prop_map(|mut values| {
        values.sort_by_key(Value::to_string);
        values.dedup();
        Value::Array(values)
    });
    maybe(values.boxed())
}

fn list(of: BoxedStrategy<Value>, most: usize) -> BoxedStrategy<Option<Value>> {
    maybe(vec(of, 1..=most).prop_map(Value::Array).boxed())
}

fn maybe(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    option::of(value).boxed()
}

fn always(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    value.prop_map(Some).boxed()
}

/// A block of which nothing is stated is itself not stated.
fn stated(block: Option<Value>) -> Option<Value> {
    block.filter(|block| *block != json!({}))
}

fn object(fields: Vec<Field>) -> BoxedStrategy<Value> {
    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    values
        .prop_map(move |values| {
            let pairs = names.iter().zip(values);
            let stated = pairs.filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
            Value::Object(stated.collect::<Map<_, _>>())
        })
        .boxed()
}
