//! Generated datasets for property tests of the formats: every field of the model, each there or not.
//!
//! Texts are in the form that the cleaning of foreign text leaves alone (see [`super::text`]), and coded values are such
//! as stand in the tables of [`crate::vocabulary`], so that what a format changes is the format's doing.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::domain::dataset::{Dataset, Registered};

/// Any dataset that the model holds.
pub(crate) fn datasets() -> BoxedStrategy<Dataset> {
    let required = vec![
        ("id", just("https://fi.pleiad.example/dataset/sample-1")),
        ("title", text()),
        ("country", one_of(&["FI", "GR", "BE"])),
    ];
    let fields = [described(), placed(), identified(), permitted(), typed()].concat();
    object(required, fields).prop_map(|value| serde_json::from_value(value).expect("a sample is valid")).boxed()
}

/// A revision that says this.
pub(crate) fn registered(dataset: Dataset) -> Registered {
    let said = json!({
        "dataset": dataset,
        "owner": "spiffe://fi.pleiad.example/participant/library",
        "revision": 3,
        "registered": "2025-11-30T10:00:00Z",
        "revised": "2026-02-28T23:59:59Z",
    });
    serde_json::from_value(said).expect("a sample is valid")
}

type Fields = Vec<(&'static str, BoxedStrategy<Value>)>;

fn described() -> Fields {
    vec![
        ("description", text()),
        ("keywords", keywords()),
        (
            "themes",
            list(one_of(&[
                "http://publications.europa.eu/resource/authority/data-theme/HEAL",
                "http://publications.europa.eu/resource/authority/data-theme/GOVE",
                "https://vocabulary.example/concept/7",
            ])),
        ),
        ("publisher", agent()),
        ("creators", list(agent())),
        ("contact", contact()),
        ("languages", list(one_of(&["fi", "sv", "de", "el"]))),
        (
            "frequency",
            one_of(&[
                "http://publications.europa.eu/resource/authority/frequency/ANNUAL",
                "http://publications.europa.eu/resource/authority/frequency/DAILY",
            ]),
        ),
        ("access_rights", one_of(&["public", "restricted", "non_public"])),
        ("issued", day()),
        ("modified", day()),
        ("version", line()),
        ("version_notes", text()),
        ("citation", line()),
        ("provenance", text()),
        ("rights", text()),
        ("fictitious", just(true)),
    ]
}

fn placed() -> Fields {
    let bbox = (-180i16..0, -90i8..0, 0i8..=90, 0i16..=180)
        .prop_map(|(west, south, north, east)| {
            json!([f64::from(west), f64::from(south) + 0.5, f64::from(east), f64::from(north)])
        })
        .boxed();
    let place =
        object(vec![("name", text())], vec![("iri", iri("place")), ("country", one_of(&["FI", "FR"])), ("bbox", bbox)]);
    vec![("spatial", list(place)), ("temporal", list(period()))]
}

fn identified() -> Fields {
    vec![
        ("applicable_legislation", list(iri("law"))),
        ("version_of", iri("whole")),
        ("series", list(iri("series"))),
        ("kind", just("http://publications.europa.eu/resource/authority/dataset-type/STATISTICAL")),
        ("conforms_to", list(iri("standard"))),
        ("identifiers", identifiers()),
        ("landing_pages", list(iri("page"))),
        ("documentation", list(iri("manual"))),
        ("derived_from", list(iri("origin"))),
    ]
}

/// In the order in which every reader puts them.
fn identifiers() -> BoxedStrategy<Value> {
    prop::sample::subsequence(vec!["https://doi.org/10.1234/abc.def", "urn:nbn:fi:example-1"], 1..=2)
        .prop_map(|identifiers| json!(identifiers))
        .boxed()
}

fn permitted() -> Fields {
    let answer = || one_of(&["yes", "no"]);
    let permissions = object(
        vec![],
        vec![("commercial", answer()), ("derivatives", answer()), ("share_alike", answer()), ("ai_training", answer())],
    );
    let own = object(vec![("iri", iri("licence"))], vec![("raw", line()), ("permissions", permissions)]);
    let known = just(json!({
        "spdx": "CC-BY-4.0",
        "iri": "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0",
        "permissions": {"commercial": "yes", "derivatives": "yes", "share_alike": "no", "attribution": "yes", "ai_training": "yes"},
    }));
    vec![
        ("licence", prop_oneof![own, known].boxed()),
        ("policy", policy()),
        ("tdm_reservation", one_of(&["reserved", "not_reserved"])),
        ("tdm_policy", iri("mining")),
        ("gdpr", gdpr()),
        ("health", health()),
    ]
}

fn policy() -> BoxedStrategy<Value> {
    let constraint = prop_oneof![
        Just(json!({"left": "purpose", "operator": "isAnyOf", "right": ["https://w3id.org/dpv#AcademicResearch", "https://w3id.org/dpv#Marketing"]})),
        Just(json!({"left": "dateTime", "operator": "lteq", "right": ["2033-12-31"]})),
        Just(json!({"left": "secure_environment", "operator": "eq", "right": ["true"]})),
    ]
    .boxed();
    let duty =
        object(vec![("action", one_of(&["attribute", "delete"]))], vec![("constraints", list(constraint.clone()))]);
    let rule = object(
        vec![("action", one_of(&["use", "reproduce", "https://policy.example/action/train"]))],
        vec![("constraints", list(constraint)), ("duties", list(duty))],
    );
    object(
        vec![("permissions", list(rule.clone()))],
        vec![("prohibitions", list(rule)), ("approval", just(true)), ("duration", just("P1Y6M"))],
    )
}

fn gdpr() -> BoxedStrategy<Value> {
    let dpia = object(
        vec![("status", one_of(&["not_required", "required", "completed", "consulted"]))],
        vec![("reference", iri("dpia"))],
    );
    let transfer = object(
        vec![("country", one_of(&["CH", "US"])), ("tool", just("https://w3id.org/dpv/legal/eu/gdpr#A45-3"))],
        vec![],
    );
    object(
        vec![("personal_data", one_of(&["no", "anonymised", "pseudonymised", "yes", "not_stated"]))],
        vec![
            ("categories", list(one_of(&["https://w3id.org/dpv/pd#Voice", "https://w3id.org/dpv/pd#Age"]))),
            ("special_categories", list(one_of(&["https://w3id.org/dpv/pd#Health", "https://w3id.org/dpv/pd#Race"]))),
            (
                "legal_basis",
                list(one_of(&[
                    "https://w3id.org/dpv/legal/eu/gdpr#A6-1-e",
                    "https://w3id.org/dpv/legal/eu/gdpr#A6-1-a",
                ])),
            ),
            ("special_condition", just(json!(["https://w3id.org/dpv/legal/eu/gdpr#A9-2-j"]))),
            (
                "purposes",
                list(one_of(&["https://w3id.org/dpv#AcademicResearch", "https://w3id.org/dpv#ResearchAndDevelopment"])),
            ),
            ("collection_purpose", text()),
            ("data_subjects", just(json!(["https://w3id.org/dpv#Patient"]))),
            ("data_subject_count", count()),
            ("controllers", list(agent())),
            ("processors", list(agent())),
            ("dpo", contact()),
            ("rights_contact", contact()),
            ("retention", one_of(&["P10Y", "2040-01-01"])),
            ("dpia", dpia),
            ("measures", just(json!(["https://w3id.org/dpv#Pseudonymisation"]))),
            ("transfers", list(transfer)),
            ("processing_locations", list(one_of(&["FI", "CH"]))),
        ],
    )
}

fn health() -> BoxedStrategy<Value> {
    object(
        vec![],
        vec![
            ("access_body", agent()),
            ("categories", list(iri("category"))),
            ("themes", list(iri("disease"))),
            ("coding_systems", list(iri("codes"))),
            ("code_values", list(iri("code"))),
            ("population", text()),
            ("min_age", (0u64..50).prop_map(|age| json!(age)).boxed()),
            ("max_age", (50u64..120).prop_map(|age| json!(age)).boxed()),
            ("trusted_holder", one_of(&["yes", "no"])),
        ],
    )
}

fn typed() -> Fields {
    vec![("training", training()), ("distributions", list(distribution())), ("record_sets", list(record_set()))]
}

fn training() -> BoxedStrategy<Value> {
    let texts = [
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
    let mut fields: Fields = texts.into_iter().map(|field| (field, text())).collect();
    let annotators = object(
        vec![],
        vec![
            ("platform", line()),
            ("per_item", count()),
            ("people", text()),
            ("tools", list(line())),
            ("analysis", text()),
        ],
    );
    let crawl = object(
        vec![("domains", list(just("archive.example")))],
        vec![
            ("period", period()),
            ("robots_honoured", one_of(&["yes", "no"])),
            ("reservations_honoured", one_of(&["yes", "no"])),
        ],
    );
    let splits = option::of(count())
        .prop_map(|records| json!([{"name": "train", "records": records.clone()}, {"name": "test", "bytes": records}]));
    fields.extend([
        ("modalities", list(one_of(&["text", "audio", "tabular"]))),
        ("tasks", list(line())),
        ("record_count", count()),
        ("tokens", object(vec![("count", count()), ("tokeniser", line())], vec![])),
        ("collected", period()),
        ("collection_types", list(line())),
        ("annotators", annotators),
        ("splits", splits.boxed()),
        ("source_categories", list(one_of(&["public_dataset", "web_crawled", "synthetic"]))),
        ("crawl", crawl),
        ("generator", line()),
    ]);
    object(vec![], fields)
}

fn distribution() -> BoxedStrategy<Value> {
    object(
        vec![("access_url", iri("access"))],
        vec![
            ("title", text()),
            ("description", text()),
            ("download_url", iri("file.csv")),
            ("format", one_of(&["CSV", "PARQUET", "in-house tables"])),
            ("media_type", one_of(&["text/csv", "application/vnd.apache.parquet"])),
            ("compress_format", just("application/gzip")),
            ("package_format", just("application/x-tar")),
            ("availability", just("http://publications.europa.eu/resource/authority/planned-availability/STABLE")),
            ("status", just("http://publications.europa.eu/resource/authority/distribution-status/COMPLETED")),
            ("conforms_to", list(iri("schema"))),
            ("bytes", count()),
            ("sha256", just("ef2d127de37b942baad06145e54b0c619a1f22327b2ebbcfbec78f5564afe39d")),
            ("licence", just(json!({"iri": "https://archive.example/licence/other", "raw": "Other licence"}))),
            ("manifest", manifest()),
        ],
    )
}

fn manifest() -> BoxedStrategy<Value> {
    let shard = object(
        vec![("bytes", count()), ("sha256", just("60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"))],
        vec![("rows", count()), ("split", one_of(&["train", "test"]))],
    );
    (1u32..5, btree_map("[a-z]{1,6}-0000[0-9]\\.(parquet|bin)", shard, 0..4))
        .prop_map(|(version, shards)| json!({"version": version, "shards": shards}))
        .boxed()
}

fn record_set() -> BoxedStrategy<Value> {
    let column = object(
        vec![("name", line())],
        vec![
            ("data_type", one_of(&["sc:Text", "cr:Int64", "int64", "sc:ImageObject", "in-house number"])),
            (
                "semantic_types",
                list(one_of(&["https://schema.org/GeoCoordinates", "https://vocabulary.example/concept/9"])),
            ),
            ("repeated", just(true)),
            ("description", text()),
        ],
    );
    (line(), option::of(text()), vec(column, 0..4), any::<bool>())
        .prop_map(|(name, description, columns, has_key)| {
            let mut set = json!({"name": name});
            if let Some(description) = description {
                set["description"] = description;
            }
            if let Some(first) = columns.first().filter(|_| has_key) {
                set["key"] = json!([first["name"]]);
            }
            if !columns.is_empty() {
                set["columns"] = json!(columns);
            }
            set
        })
        .boxed()
}

fn agent() -> BoxedStrategy<Value> {
    let kind = just("http://purl.org/adms/publishertype/RegionalAuthority");
    object(vec![("name", text())], vec![("iri", iri("agent")), ("kind", kind)])
}

fn contact() -> BoxedStrategy<Value> {
    object(
        vec![("name", line())],
        vec![("email", one_of(&["desk@archive.example", "data@office.example"])), ("page", iri("desk"))],
    )
}

fn period() -> BoxedStrategy<Value> {
    let (start, end) = (|| one_of(&["2019-01-01", "2020-02-29"]), || one_of(&["2021-12-31", "2024-06-30"]));
    prop_oneof![
        (start(), end()).prop_map(|(start, end)| json!({"start": start, "end": end})),
        start().prop_map(|start| json!({"start": start})),
        end().prop_map(|end| json!({"end": end})),
    ]
    .boxed()
}

fn keywords() -> BoxedStrategy<Value> {
    let words = vec("[a-zäé]{2,9}", 1..4).prop_map(|mut words| {
        words.sort();
        words.dedup();
        words
    });
    btree_map(language(), words, 1..3).prop_map(|keywords| json!(keywords)).boxed()
}

/// A text in one to three languages.
fn text() -> BoxedStrategy<Value> {
    btree_map(language(), words(), 1..4).prop_map(|text| json!(text)).boxed()
}

fn language() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["en", "fi", "el", "und", "nl-t-fr"]).prop_map(str::to_owned)
}

fn line() -> BoxedStrategy<Value> {
    words().prop_map(|line| json!(line)).boxed()
}

/// Words with what JSON, XML, Turtle and TeX read in their own way between them.
fn words() -> impl Strategy<Value = String> {
    "[A-Za-zäöéßΩ][a-zäöéßΩ0-9]{0,9}( (50%|\\{a\\}|\"b\"|'c'|d, e|f; g|x/y|[a-zäöéßΩ][a-zäöéßΩ0-9]{0,9})){0,6}"
}

fn iri(what: &'static str) -> BoxedStrategy<Value> {
    (0u8..4).prop_map(move |number| json!(format!("https://archive.example/{number}/{what}"))).boxed()
}

fn count() -> BoxedStrategy<Value> {
    prop_oneof![0u64..1_000, Just(crate::domain::bounds::COUNT)].prop_map(|count| json!(count)).boxed()
}

fn day() -> BoxedStrategy<Value> {
    one_of(&["2024-02-29", "1999-12-31"])
}

fn just(value: impl Into<Value>) -> BoxedStrategy<Value> {
    Just(value.into()).boxed()
}

fn one_of(values: &'static [&'static str]) -> BoxedStrategy<Value> {
    prop::sample::select(values).prop_map(|value| json!(value)).boxed()
}

/// One to three different members.
fn list(member: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    vec(member, 1..4)
        .prop_map(|members| {
            let mut each: Vec<Value> = Vec::new();
            for member in members {
                if !each.contains(&member) {
                    each.push(member);
                }
            }
            json!(each)
        })
        .boxed()
}

/// An object with these fields, and with each of the others or without it.
fn object(required: Fields, optional: Fields) -> BoxedStrategy<Value> {
    let required = required.into_iter().map(|(name, value)| value.prop_map(move |value| Some((name, value))).boxed());
    let optional = optional
        .into_iter()
        .map(|(name, value)| option::of(value).prop_map(move |value| value.map(|value| (name, value))).boxed());
    let fields: Vec<BoxedStrategy<Option<(&'static str, Value)>>> = required.chain(optional).collect();
    fields
        .prop_map(|fields| {
            let fields = fields.into_iter().flatten().map(|(name, value)| (name.to_owned(), value));
            Value::Object(Map::from_iter(fields))
        })
        .boxed()
}
