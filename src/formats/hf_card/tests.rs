//! What becomes of cards: the usual ones, the corpus, and those that mean harm.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn common() -> Common {
    Common { source: "huggingface.co".into(), country: None }
}

fn valid(draft: &Draft) -> Value {
    let mut whole = draft.dataset.clone();
    whole["id"] = json!("https://be.example/dataset/x");
    whole["country"] = json!("BE");
    crate::schema::admit(&whole).unwrap();
    draft.dataset.clone()
}

const CARD: &str = r#"---
pretty_name: Moves
language: [en, no, code, unknown]
license: other
license_name: CC BY 4.0
task_categories: [text-classification, other]
task_ids: [sentiment-classification]
size_categories: 1K<n<10K
annotations_creators: [crowdsourced]
source_datasets: [original, extended|squad, extended|other-web]
tags: [chess]
configs:
- config_name: default
  data_files: [{split: train, path: data/train.parquet}, {split: test, path: "data/test-*"}]
dataset_info:
  features:
  - {name: id, dtype: string}
  - name: label
    dtype: {class_label: {names: {0: neg, 1: pos}}}
  - {name: words, sequence: string}
  - name: answers
    struct: [{name: text, dtype: string}, {name: start, dtype: int32}]
  splits: [{name: train, num_bytes: 100, num_examples: 7}, {name: test, num_bytes: 10, num_examples: 3}]
---
# Dataset Card for Moves
## Table of Contents
- [Summary](#x)
## Dataset Description
- **Homepage:** [moves](https://moves.example/)
- **Paper:** https://arxiv.org/abs/1 .
- **Point of Contact:** [Jana](mailto:jana.novak@moves.example)
### Dataset Summary
Moves of **games**.
### Supported Tasks and Leaderboards
[More Information Needed](https://github.com/huggingface/datasets/blob/master/CONTRIBUTING.md)
### Curation Rationale
To learn from them.
### Annotations
#### Annotation process
Two people each.
#### Who are the annotators?
[Needs More Information]
### Personal and Sensitive Information
Names of players.
### Discussion of Biases
<!-- say more -->
Few women.
### Other Known Limitations
[More Information Needed]
### Citation Information
```
# not a heading
@misc{moves}
```
"#;

#[test]
fn a_card_is_read_head_and_body() {
    let draft = read(CARD, None, "org/moves", &common()).unwrap();
    let dataset = valid(&draft);
    assert_eq!(draft.source.iri.as_str(), "https://huggingface.co/datasets/org/moves");
    assert_eq!((&dataset["title"], &dataset["languages"]), (&json!({"und": "Moves"}), &json!(["en", "no"])));
    assert_eq!(dataset["licence"]["spdx"], json!("CC-BY-4.0"));
    assert_eq!(dataset["description"], json!({"und": "Moves of games."}));
    assert_eq!(dataset["landing_pages"], json!(["https://moves.example/"]));
    assert_eq!(dataset["documentation"], json!(["https://arxiv.org/abs/1"]));
    assert_eq!(dataset["derived_from"], json!(["https://huggingface.co/datasets/squad"]));
    assert_eq!(dataset["citation"], json!("# not a heading\n@misc{moves}"));
    let training = &dataset["training"];
    assert_eq!(training["tasks"], json!(["text-classification", "sentiment-classification"]));
    assert_eq!((&training["modalities"], &training["record_count"]), (&json!(["code", "text"]), &json!(10)));
    assert_eq!(training["collection_method"], json!({"und": "To learn from them."}));
    assert_eq!(training["annotation"], json!({"und": "Two people each."}));
    assert_eq!(training["annotators"]["people"], json!({"und": "crowdsourced"}));
    assert_eq!(training["known_biases"], json!({"und": "Few women."}));
    assert_eq!(training["sensitive_information"], json!({"und": "Names of players."}));
    assert_eq!((&training["gaps"], &training["intended_use"]), (&Value::Null, &Value::Null));
    assert_eq!(training["splits"][0], json!({"name": "train", "records": 7, "bytes": 100}));
    let columns: Vec<&str> =
        dataset["record_sets"][0]["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(columns, ["id", "label", "words", "answers.text", "answers.start"]);
    assert_eq!(
        dataset["record_sets"][0]["columns"][2],
        json!({"name": "words", "data_type": "sc:Text", "repeated": true})
    );
    let [file] = dataset["distributions"].as_array().unwrap().as_slice() else { panic!("{dataset}") };
    assert_eq!(file["download_url"], "https://huggingface.co/datasets/org/moves/resolve/main/data/train.parquet");
    assert!(!dataset.to_string().contains("Jana") && !dataset.to_string().contains("jana"), "no person travels");
    assert_eq!(draft.text, CARD);
}

#[test]
fn infos_alone_and_beside_a_card_give_columns_and_digests() {
    let infos = json!({"plain": {
        "description": "Questions.", "citation": "@a{b}", "homepage": "https://q.example/", "license": "CC BY-SA 4.0",
        "features": {"id": {"dtype": "string", "_type": "Value"}, "label": {"names": ["a", "b"], "_type": "ClassLabel"},
            "tokens": {"feature": {"dtype": "int32", "_type": "Value"}, "_type": "Sequence"}, "img": {"_type": "Image"}},
        "splits": {"train": {"name": "train", "num_bytes": 5, "num_examples": 2}}, "builder_name": "q",
        "version": {"version_str": "1.0.0"},
        "download_checksums": {"https://q.example/a.zip": {"num_bytes": 9, "checksum": "b".repeat(64)}, "/tmp/x": {"num_bytes": 1, "checksum": "c"}},
    }});
    assert!(is_infos(&infos) && !is_infos(&json!({"title": "x"})) && !is_infos(&json!({})));
    let alone = read_infos(&infos.to_string(), "q", &common()).unwrap();
    let dataset = valid(&alone);
    assert_eq!(
        dataset["distributions"],
        json!([{"download_url": "https://q.example/a.zip", "bytes": 9, "sha256": "b".repeat(64)}])
    );
    assert_eq!((&dataset["licence"]["spdx"], &dataset["version"]), (&json!("CC-BY-SA-4.0"), &json!("1.0.0")));
    assert_eq!(dataset["record_sets"][0]["columns"][1]["description"], json!({"und": "0: a, 1: b"}));
    assert_eq!(dataset["training"]["modalities"], json!(["image"]));
    let beside = read(CARD, Some(&infos.to_string()), "q", &common()).unwrap();
    let dataset = valid(&beside);
    assert_eq!(dataset["description"], json!({"und": "Moves of games."}), "the card's words come first");
    assert_eq!(dataset["distributions"].as_array().unwrap().len(), 2);
    assert!(beside.text.contains("download_checksums"));
    assert!(read_infos("{}", "q", &common()).unwrap_err().reason.contains("no configuration"));
}

#[test]
fn a_broken_head_is_refused_with_its_line_and_what_to_do() {
    for (card, part) in [
        ("---\nlicense: mit\nlanguage: [en\n---\n", "at line"),
        ("---\nlicense: mit\nlicense: other\n---\n", "at line 3"),
        ("---\npretty_name: a: b\n---\n", "quotes"),
        ("# No head\n", "add one at the top"),
        ("---\nnever: ended\n", "add one at the top"),
        ("---\n---\nbody", "empty"),
        ("---\n- a\n- b\n---\n", "no list of fields"),
        ("---\na: &a [*a]\n---\n", "at line"),
    ] {
        let refused = read(card, None, "x", &common()).unwrap_err();
        assert!(refused.reason.contains(part), "{card:?}: {refused}");
    }
    assert!(read(CARD, None, "a/b/c", &common()).is_err());
    assert!(read(CARD, None, "../x", &common()).is_err());
}

#[test]
fn the_name_comes_from_where_the_card_lies() {
    for (path, name) in [
        ("cards/squad.md", "squad"),
        ("/x/datasets/org/name/README.md", "org/name"),
        ("datasets/squad/README.md", "squad"),
        ("x/datasets--org--name/snapshots/1/README.md", "org/name"),
        ("moves/dataset_infos.json", "moves"),
    ] {
        assert_eq!(name_of(path).as_deref(), Some(name), "{path}");
    }
    assert_eq!(name_of("README.md"), None);
}

#[test]
fn every_card_of_the_corpus_is_read_or_refused_for_want_of_a_head() {
    let Some(root) = std::env::var_os("PLEIAD_TEST_DATA") else {
        eprintln!("PLEIAD_TEST_DATA is not set: the corpus of cards is not read");
        return;
    };
    let folder = std::path::Path::new(&root).join("corpora/hf-cards/cards");
    let (mut taken, mut refused) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = name_of(&path.to_string_lossy()).unwrap();
        match read(&std::fs::read_to_string(&path).unwrap(), None, &name, &common()) {
            Ok(draft) => {
                let dataset = valid(&draft);
                assert!(!dataset.to_string().to_lowercase().contains("more information needed]"), "{name}");
                taken += 1;
            }
            Err(reason) => refused.push(reason.to_string()),
        }
    }
    eprintln!("{taken} cards are read; refused: {refused:#?}");
    assert!(taken >= 380, "{taken}");
    assert!(refused.iter().all(|reason| reason.contains("no head")), "{refused:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_card_makes_it_panic(head in "[a-z:\\-\\[\\]{}&*!|>\"' \n0-9]{0,80}", body in "[#`\\-*:<>!a-z \n\\[\\]()\u{0}\u{202e}]{0,120}|\\PC{0,40}") {
        for card in [format!("---\nlicense: mit\n{head}\n---\n{body}"), format!("---\npretty_name: x\n---\n{body}"), body.clone()] {
            if let Ok(draft) = read(&card, Some(&body), "x", &common()) {
                valid(&draft);
            }
        }
    }

    #[test]
    fn no_infos_make_it_panic(features in anything(), splits in anything()) {
        let infos = json!({"default": {"features": features, "splits": splits, "download_checksums": features, "license": splits}});
        if let Ok(draft) = read_infos(&infos.to_string(), "x", &common()) {
            valid(&draft);
        }
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop_oneof![Just("string"), Just("Value"), Just("Sequence"), Just("ClassLabel"), Just("Image")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = prop_oneof![
            Just("_type"),
            Just("dtype"),
            Just("feature"),
            Just("names"),
            Just("name"),
            Just("sequence"),
            Just("struct"),
            Just("class_label"),
            Just("languages"),
            Just("num_bytes"),
            Just("checksum"),
            Just("https://a.example/x"),
            Just(" "),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..5).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}
