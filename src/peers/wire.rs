//! What peers say to each other under `/federation/v1`: JSON bodies, written one way and read with care.
//!
//! The wire is additive. In an *answer*, what a reader does not know is passed over: a field is ignored, a word of a
//! closed list becomes the one that claims least, and a hit that cannot be read is set aside and counted; the rest
//! stands. In a *question*, what a reader does not know could be a constraint, and a constraint that is passed over
//! would widen the result; so a question is refused, naming the part, unless every part of it is understood.
//!
//! Whatever arrives is bounded before it is parsed: bytes, depth and number of values.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::answer::{FacetCounts, Hit, LocalAnswer};
use crate::domain::dataset::{AccessRights, Modality};
use crate::domain::gdpr::PersonalData;
use crate::domain::ids::{Country, Identity, Seq, TrustDomain};
use crate::domain::licence::LicenceClass;
use crate::domain::query::{Analysed, FacetField, Filters, Match, TextField};
use crate::domain::score::Statistics;

/// `POST` a [`SearchAsk`], get a [`SearchAnswer`].
pub const SEARCH_PATH: &str = "federation/v1/search";
/// `GET` a [`Status`].
pub const STATUS_PATH: &str = "federation/v1/status";
/// `GET` a signed peer file: the node's own, or with `?domain=` the one it uses of another member.
pub const PEER_FILE_PATH: &str = "federation/v1/peer-file";
/// The code of the problem with which a node refuses a question that it does not understand.
pub const UNSUPPORTED_CONSTRAINT: &str = "unsupported_constraint";
/// The code of the problem with which a node refuses terms that another analyser made.
pub const OTHER_ANALYSER: &str = "other_analyser";

/// The most bytes of a question.
pub const MAX_ASK_BYTES: usize = 512 * 1024;
/// The most bytes of an answer.
pub const MAX_ANSWER_BYTES: u64 = 8 * 1024 * 1024;
/// The most bytes of a status.
pub const MAX_STATUS_BYTES: u64 = 256 * 1024;
/// The most hits that may be asked for.
pub const MAX_HITS: usize = 200;

/// A question nested as deep as an index evaluates it, each level being an object and a list.
const MAX_DEPTH: usize = 120;
const MAX_VALUES: usize = 200_000;
const MAX_TERMS: usize = 1_024;
const MAX_PARTS: usize = 4_096;
const MAX_TERM_BYTES: usize = 1_024;
const MAX_FILTER_VALUES: usize = 200;
const MAX_WEIGHT: f32 = 1_000.0;
/// The longest text of a hit, in bytes; a card shortens what is longer.
const MAX_TEXT_BYTES: usize = 8 * 1024;
/// The most entries of one list or map of a hit.
const MAX_ENTRIES: usize = 256;

/// A question from one node to another. It carries no person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchAsk {
    /// The question.
    pub question: Analysed,
    /// How many hits, at most [`MAX_HITS`].
    pub hits: usize,
    /// The statistics to rank by, as far as the asker knows them; else the node ranks by its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistics: Option<Statistics>,
    /// How long the asker waits, in milliseconds; later the answer is of no use to anybody.
    pub deadline_ms: u64,
}

/// Why a question is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It is not what this version of the wire calls a question.
    #[error("the question cannot be read: {0}")]
    Malformed(String),
    /// It is larger than a node has to accept.
    #[error("the question is too large: {0}")]
    TooLarge(String),
    /// A part of it is not known here. To pass over it would widen the result.
    #[error("this node does not know {part} in a question; ask without it, or ask this node after its next update")]
    Unsupported {
        /// The part, as a JSON pointer into the question, with what stood there.
        part: String,
    },
}

impl SearchAsk {
    /// Reads a question, understanding all of it or nothing.
    pub fn read(bytes: &[u8]) -> Result<Self, AskError> {
        /// The envelope may grow: what is not known here is no part of the question.
        #[derive(Deserialize)]
        struct Envelope {
            question: Value,
            hits: usize,
            #[serde(default)]
            statistics: Option<Statistics>,
            deadline_ms: u64,
        }
        if bytes.len() > MAX_ASK_BYTES {
            return Err(AskError::TooLarge(format!("over {MAX_ASK_BYTES} bytes")));
        }
        let mut envelope: Envelope = bounded(bytes).map_err(AskError::Malformed)?;
        // A facet that is not known here constrains nothing: it is left uncounted.
        if let Some(facets) = envelope.question.get_mut("facets").and_then(Value::as_array_mut) {
            facets.retain(|facet| facet.as_str().is_none_or(is_word::<FacetField>));
        }
        let question: Analysed = understood(&envelope.question)?;
        if envelope.hits > MAX_HITS {
            return Err(AskError::TooLarge(format!("{} hits; at most {MAX_HITS}", envelope.hits)));
        }
        check_size(&question)?;
        let statistics = envelope.statistics.map(|statistics| statistics.clamped(question.scored.len()));
        Ok(Self { question, hits: envelope.hits, statistics, deadline_ms: envelope.deadline_ms })
    }
}

/// Reads a question and writes it again: whatever is not in the second is not understood.
fn understood(question: &Value) -> Result<Analysed, AskError> {
    let unsupported = |error: serde_json::Error| {
        let error = error.to_string();
        if error.starts_with("unknown variant") {
            AskError::Unsupported { part: error }
        } else {
            AskError::Malformed(error)
        }
    };
    let read = Analysed::deserialize(question).map_err(unsupported)?;
    let again = serde_json::to_value(&read).map_err(|error| AskError::Malformed(error.to_string()))?;
    match unknown(question, &again, &mut String::new()) {
        None => Ok(read),
        Some(part) => Err(AskError::Unsupported { part }),
    }
}

/// The pointer of the first part of `sent` that is not in `kept`. Empty values say nothing and may be missing.
fn unknown(sent: &Value, kept: &Value, pointer: &mut String) -> Option<String> {
    let length = pointer.len();
    let mut within = |name: &str, sent: &Value, kept: Option<&Value>| {
        pointer.push('/');
        pointer.push_str(name);
        let found = match kept {
            Some(kept) => unknown(sent, kept, pointer),
            None if says_nothing(sent) => None,
            None => Some(pointer.chars().take(200).collect()),
        };
        pointer.truncate(length);
        found
    };
    match (sent, kept) {
        (Value::Object(sent), Value::Object(kept)) => {
            sent.iter().find_map(|(name, value)| within(name, value, kept.get(name)))
        }
        (Value::Array(sent), Value::Array(kept)) => {
            sent.iter().enumerate().find_map(|(place, value)| within(&place.to_string(), value, kept.get(place)))
        }
        _ => None,
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn check_size(question: &Analysed) -> Result<(), AskError> {
    let refuse = |what: &str| Err(AskError::TooLarge(what.to_owned()));
    if question.scored.len() > MAX_TERMS {
        return refuse("more than 1024 terms to score");
    }
    if question.scored.iter().any(|term| term.term.text.len() > MAX_TERM_BYTES) {
        return refuse("a term of more than 1024 bytes");
    }
    if !question.scored.iter().all(|term| (0.0..=MAX_WEIGHT).contains(&term.weight)) {
        return Err(AskError::Malformed("a weight that is not between 0 and 1000".to_owned()));
    }
    if question.facets.len() > FacetField::ALL.len() {
        return refuse("more facets than there are");
    }
    let Filters { facets, ids, .. } = &question.filters;
    if ids.len() > MAX_FILTER_VALUES || facets.values().any(|values| values.len() > MAX_FILTER_VALUES) {
        return refuse("more than 200 values of one constraint");
    }
    let mut parts = 0;
    let mut open: Vec<&Match> = question.matching.iter().collect();
    while let Some(part) = open.pop() {
        let (texts, longest) = match part {
            Match::Term(term) | Match::Prefix(term) => (1, term.text.len()),
            Match::Phrase(_, places) => {
                let texts = || places.iter().flatten();
                (texts().count(), texts().map(String::len).max().unwrap_or(0))
            }
            Match::Facet(_, value) => (1, value.len()),
            Match::All(inner) | Match::Any(inner) => {
                open.extend(inner);
                (1, 0)
            }
            Match::Not(inner) => {
                open.push(inner);
                (1, 0)
            }
        };
        parts += texts;
        if parts > MAX_PARTS || longest > 2 * MAX_TERM_BYTES {
            return refuse("more than 4096 parts to match, or one of more than 2048 bytes");
        }
    }
    Ok(())
}

/// What a node answers to a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchAnswer {
    /// Who answers.
    pub node: Identity,
    /// The version of its software.
    pub version: String,
    /// The analyser whose terms its index holds.
    pub analyser: String,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// For how long something has been in its log that its index does not show, in milliseconds; 0 when nothing is.
    pub index_age_ms: u64,
    /// The answer.
    #[serde(flatten)]
    pub answer: LocalAnswer,
}

/// An answer as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadAnswer {
    /// What could be read.
    pub answer: SearchAnswer,
    /// Hits that could not be read.
    pub set_aside: usize,
    /// Words and pieces of hits that are not known here and were replaced by the one that claims least.
    pub replaced: usize,
}

impl SearchAnswer {
    /// Reads an answer, keeping what can be understood. The error says in words why none of it can.
    pub fn read(bytes: &[u8]) -> Result<ReadAnswer, String> {
        #[derive(Deserialize)]
        struct Envelope {
            node: Identity,
            version: String,
            analyser: String,
            #[serde(default)]
            elapsed_ms: u64,
            #[serde(default)]
            index_age_ms: u64,
            statistics: Value,
            total: u64,
            hits: Vec<Value>,
            #[serde(default)]
            facets: serde_json::Map<String, Value>,
            #[serde(default)]
            position: Seq,
        }
        if bytes.len() as u64 > MAX_ANSWER_BYTES {
            return Err(format!("it is over {MAX_ANSWER_BYTES} bytes"));
        }
        let envelope: Envelope = bounded(bytes)?;
        let statistics = read_statistics(envelope.statistics)?;
        let mut replaced = 0;
        let sent = envelope.hits.len();
        let hits: Vec<Hit> = envelope.hits.into_iter().filter_map(|hit| read_hit(hit, &mut replaced)).collect();
        let facets = envelope.facets.into_iter().filter_map(|(field, counts)| {
            Some((FacetField::from_name(&field).or_else(|| word(&field))?, FacetCounts::deserialize(counts).ok()?))
        });
        let answer = LocalAnswer {
            statistics,
            total: envelope.total,
            facets: facets.collect(),
            position: envelope.position,
            hits,
        };
        Ok(ReadAnswer {
            set_aside: sent - answer.hits.len(),
            replaced,
            answer: Self {
                node: envelope.node,
                version: shortened(&envelope.version),
                analyser: shortened(&envelope.analyser),
                elapsed_ms: envelope.elapsed_ms,
                index_age_ms: envelope.index_age_ms,
                answer,
            },
        })
    }
}

/// Statistics, without fields of text that are not known here: no known term is counted in them.
fn read_statistics(mut statistics: Value) -> Result<Statistics, String> {
    if let Some(tokens) = statistics.get_mut("tokens").and_then(Value::as_object_mut) {
        tokens.retain(|field, _| word::<TextField>(field).is_some());
    }
    Statistics::deserialize(statistics).map_err(|error| format!("its statistics: {error}"))
}

fn read_hit(mut hit: Value, replaced: &mut usize) -> Option<Hit> {
    if !is_modest(&hit) {
        return None;
    }
    let card = hit.get_mut("card")?.as_object_mut()?;
    let mut instead = |name: &str, known: &dyn Fn(&str) -> bool, least: Option<&str>| {
        if card.get(name).and_then(Value::as_str).is_some_and(|found| !known(found)) {
            *replaced += 1;
            match least {
                Some(least) => card.insert(name.to_owned(), least.into()),
                None => card.remove(name),
            };
        }
    };
    instead("access_rights", &is_word::<AccessRights>, Some(AccessRights::NotStated.as_str()));
    instead("personal_data", &is_word::<PersonalData>, Some(PersonalData::NotStated.as_str()));
    instead("licence_class", &is_word::<LicenceClass>, None);
    if let Some(modalities) = card.get_mut("modalities").and_then(Value::as_array_mut) {
        for modality in modalities {
            if modality.as_str().is_some_and(|found| !is_word::<Modality>(found)) {
                *replaced += 1;
                *modality = Modality::Other.as_str().into();
            }
        }
    }
    if let Some(highlights) = hit.get_mut("highlights").and_then(Value::as_array_mut) {
        let sent = highlights.len();
        highlights.retain(|one| one.get("field").and_then(Value::as_str).is_some_and(is_word::<TextField>));
        *replaced += sent - highlights.len();
    }
    Hit::deserialize(hit).ok()
}

/// Whether no text and no list of a hit is larger than a card makes it.
fn is_modest(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= MAX_TEXT_BYTES,
        Value::Array(values) => values.len() <= MAX_ENTRIES && values.iter().all(is_modest),
        Value::Object(values) => values.len() <= MAX_ENTRIES && values.values().all(is_modest),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    T::deserialize(IntoDeserializer::<serde::de::value::Error>::into_deserializer(text)).ok()
}

fn is_word<T: DeserializeOwned>(text: &str) -> bool {
    word::<T>(text).is_some()
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

/// How a node is doing, for its peers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Who answers.
    pub node: Identity,
    /// The version of its software.
    pub version: String,
    /// What its clock says.
    pub time: Timestamp,
    /// The countries it speaks for, as it says itself; its peer file decides.
    #[serde(default)]
    pub countries: BTreeSet<Country>,
    /// The analyser whose terms its index holds.
    pub analyser: String,
    /// The log position that its index has applied.
    #[serde(default)]
    pub position: Seq,
    /// For how long something has been in its log that its index does not show, in milliseconds; 0 when nothing is.
    #[serde(default)]
    pub index_age_ms: u64,
    /// The peer files that it can pass on, its own among them.
    #[serde(default)]
    pub peer_files: Vec<PeerFileOffer>,
}

/// A peer file that a node can pass on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerFileOffer {
    /// Whose.
    pub domain: TrustDomain,
    /// Its number.
    pub sequence: u64,
}

impl Status {
    /// Reads a status. The error says in words why it cannot be read.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut status: Self = bounded(bytes)?;
        status.version = shortened(&status.version);
        status.analyser = shortened(&status.analyser);
        Ok(status)
    }
}

/// Parses JSON whose depth and number of values are bounded, so that 8 MiB of brackets do not become a gigabyte.
fn bounded<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let (mut depth, mut values, mut in_text, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                depth += 1;
                values += 1;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(format!("it is more than {MAX_DEPTH} levels deep"));
        }
        if values > MAX_VALUES {
            return Err(format!("it has more than {MAX_VALUES} values"));
        }
    }
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn ask() -> Value {
        json!({
            "question": {
                "matching": {"all": [
                    {"any": [{"term": {"field": "all", "text": "parliament"}}, {"prefix": {"field": "title", "text": "parl"}}]},
                    {"not": {"facet": ["country", "ES"]}},
                    {"phrase": ["all", [["open"], ["data", "datum"]]]},
                ]},
                "scored": [{"kind": "term", "term": {"field": "all", "text": "parliament"}, "weight": 1.1}],
                "filters": {"facets": {"country": ["FI"]}, "modified_from": "2024-01-01", "bbox": [20.0, 59.0, 31.0, 70.0]},
                "sort": "relevance",
                "facets": ["country", "licence_class"],
                "analyser": "a1",
            },
            "hits": 20,
            "deadline_ms": 800,
        })
    }

    fn read_ask(ask: &Value) -> Result<SearchAsk, AskError> {
        SearchAsk::read(ask.to_string().as_bytes())
    }

    fn answer() -> Value {
        json!({
            "node": "spiffe://fi.example/node/fi",
            "version": "0.1.0",
            "analyser": "a1",
            "elapsed_ms": 3,
            "index_age_ms": 0,
            "statistics": {"documents": 2, "tokens": {"all": 50}, "frequencies": [1]},
            "total": 1,
            "hits": [{
                "card": {
                    "id": "https://fi.example/dataset/a", "revision": 1, "title": {"en": "A"}, "country": "FI",
                    "access_rights": "public", "personal_data": "no", "licence_class": "attribution",
                    "modalities": ["text"],
                },
                "seq": 7,
                "components": [{"term": 0, "frequency": 2, "norm": 20}],
                "highlights": [{"field": "title", "language": "en", "pieces": ["", "A"]}],
            }],
            "facets": {"country": {"values": [["FI", 1]], "other": 0}},
            "position": 9,
        })
    }

    fn read_answer(answer: &Value) -> Result<ReadAnswer, String> {
        SearchAnswer::read(answer.to_string().as_bytes())
    }

    #[test]
    fn a_question_and_an_answer_are_the_same_after_the_journey() {
        let read = read_ask(&ask()).unwrap();
        assert_eq!(read_ask(&serde_json::to_value(&read).unwrap()).unwrap(), read);
        let read = read_answer(&answer()).unwrap();
        assert_eq!((read.set_aside, read.replaced), (0, 0));
        assert_eq!(read_answer(&serde_json::to_value(&read.answer).unwrap()).unwrap(), read);
    }

    #[test]
    fn a_constraint_of_a_newer_version_is_refused_by_name_and_never_passed_over() {
        for (pointer, value, named) in [
            ("/question/filters", json!({"min_quality": 3}), "/filters/min_quality"),
            ("/question", json!({"near": "Helsinki"}), "/near"),
            ("/question/matching/all/0/any/0/term", json!({"fuzzy": 1}), "/matching/all/0/any/0/term/fuzzy"),
            ("/question/matching/all/1", json!({"regex": "x"}), "regex"),
            ("/question/filters/facets", json!({"certified": ["yes"]}), "certified"),
            ("/question", json!({"sort": "distance"}), "distance"),
        ] {
            let mut newer = ask();
            let part = newer.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
            if pointer.ends_with("/1") {
                part.clear();
            }
            part.extend(value.as_object().unwrap().clone());
            match read_ask(&newer) {
                Err(AskError::Unsupported { part }) => assert!(part.contains(named), "{part} does not name {named}"),
                other => panic!("{pointer}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_new_outside_the_question_and_what_says_nothing_inside_is_passed_over() {
        let mut newer = ask();
        newer["trace"] = json!("x");
        newer["question"]["filters"]["min_quality"] = Value::Null;
        newer["question"]["filters"]["ids"] = json!([]);
        newer["question"]["facets"].as_array_mut().unwrap().push(json!("certified"));
        assert_eq!(read_ask(&newer).unwrap(), read_ask(&ask()).unwrap());
    }

    #[test]
    fn a_question_that_asks_too_much_is_refused() {
        let mut much = ask();
        much["hits"] = json!(201);
        assert!(matches!(read_ask(&much), Err(AskError::TooLarge(_))));
        let mut heavy = ask();
        heavy["question"]["scored"][0]["weight"] = json!(1e300);
        assert!(matches!(read_ask(&heavy), Err(AskError::Malformed(_))));
        let mut wide = ask();
        let term = json!({"term": {"field": "all", "text": "x"}});
        wide["question"]["matching"] = json!({"any": vec![term; MAX_PARTS + 1]});
        assert!(matches!(read_ask(&wide), Err(AskError::TooLarge(_))));
        let deep = format!("{}{}", r#"{"question":"#, "[".repeat(1000));
        assert!(matches!(SearchAsk::read(deep.as_bytes()), Err(AskError::Malformed(_))));
    }

    #[test]
    fn a_word_of_a_newer_version_costs_its_field_and_a_hit_that_cannot_be_read_costs_itself() {
        let mut newer = answer();
        let hit = newer["hits"][0].clone();
        newer["mood"] = json!("sunny");
        newer["statistics"]["tokens"]["abstract"] = json!(12);
        newer["facets"]["certified"] = json!({"values": [["yes", 1]], "other": 0});
        newer["hits"][0]["card"]["access_rights"] = json!("embargoed");
        newer["hits"][0]["card"]["licence_class"] = json!("ethical");
        newer["hits"][0]["card"]["modalities"] = json!(["hologram", "text"]);
        newer["hits"][0]["highlights"][0]["field"] = json!("abstract");
        for (name, value) in [("country", json!("XX")), ("title", json!({})), ("revision", json!("one"))] {
            let mut broken = hit.clone();
            broken["card"][name] = value;
            newer["hits"].as_array_mut().unwrap().push(broken);
        }
        let mut long = hit.clone();
        long["card"]["title"]["en"] = json!("x".repeat(MAX_TEXT_BYTES + 1));
        newer["hits"].as_array_mut().unwrap().push(long);
        let read = read_answer(&newer).unwrap();
        assert_eq!((read.set_aside, read.replaced), (4, 4));
        let card = &read.answer.answer.hits[0].card;
        assert_eq!(card.access_rights, AccessRights::NotStated);
        assert_eq!(card.licence_class, None);
        assert_eq!(card.modalities, [Modality::Other, Modality::Text]);
        assert_eq!(read.answer.answer.facets.len(), 1);
    }

    #[test]
    fn an_answer_of_brackets_or_of_numbers_that_are_none_is_refused_before_it_costs_anything() {
        for text in [
            format!("{{\"hits\":[{}]}}", "[],".repeat(MAX_VALUES)),
            "[".repeat(1_000_000),
            answer().to_string().replace("\"total\":1", "\"total\":1e999"),
            answer().to_string().replace("\"total\":1", "\"total\":NaN"),
            answer().to_string().replace("\"total\":1", "\"total\":-1"),
            "x".repeat(9 * 1024 * 1024),
        ] {
            assert!(SearchAnswer::read(text.as_bytes()).is_err(), "{}", &text[..40]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_bytes_make_a_reader_panic(bytes: Vec<u8>, place in 0usize..2000, byte: u8) {
            let mut bent = answer().to_string().into_bytes();
            if let Some(target) = bent.get_mut(place) {
                *target = byte;
            }
            for bytes in [&bytes, &bent] {
                let _ = SearchAnswer::read(bytes);
                let _ = SearchAsk::read(bytes);
                let _ = Status::read(bytes);
            }
        }
    }
}
