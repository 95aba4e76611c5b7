//! What the words of a JSON-LD document mean: its context, read from the document itself and never fetched.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// The spellings of a namespace and the prefix by which this house names it. The older namespace of Croissant 0.8 has
/// the same words as the later one, so they are read as one.
const NAMESPACES: &[(&str, &str)] = &[
    ("https://schema.org/", "schema"),
    ("http://schema.org/", "schema"),
    ("http://mlcommons.org/croissant/RAI/", "rai"),
    ("https://mlcommons.org/croissant/RAI/", "rai"),
    ("http://mlcommons.org/croissant/geo/", "geocr"),
    ("https://mlcommons.org/croissant/geo/", "geocr"),
    ("http://mlcommons.org/croissant/", "cr"),
    ("https://mlcommons.org/croissant/", "cr"),
    ("http://mlcommons.org/schema/", "cr"),
    ("https://mlcommons.org/schema/", "cr"),
    ("http://purl.org/dc/terms/", "dct"),
    ("http://www.w3.org/ns/prov#", "prov"),
    ("http://www.w3.org/ns/odrl/2/", "odrl"),
    ("http://www.w3.org/ns/dcat#", "dcat"),
    ("http://www.w3.org/ns/adms#", "adms"),
    ("http://data.europa.eu/r5r/", "dcatap"),
    ("http://data.europa.eu/it6/", "it6"),
    ("http://healthdataportal.eu/ns/health#", "healthdcatap"),
    ("http://www.w3.org/ns/tdmrep#", "tdm"),
    ("https://w3id.org/dpv#", "dpv"),
    ("https://pleiad.example/ns#", "pleiad"),
];

/// Terms of the recommended contexts of Croissant, for documents that name the standard's own context by its address.
const CROISSANT_TERMS: &[&str] = &[
    "annotation",
    "arrayShape",
    "citeAs",
    "column",
    "containedIn",
    "equivalentProperty",
    "examples",
    "excludes",
    "extract",
    "field",
    "fileObject",
    "fileProperty",
    "fileSet",
    "format",
    "includes",
    "isArray",
    "isEnumeration",
    "isLiveDataset",
    "jsonPath",
    "key",
    "md5",
    "parentField",
    "path",
    "readLines",
    "recordSet",
    "references",
    "regex",
    "repeated",
    "replace",
    "samplingRate",
    "sdVersion",
    "separator",
    "source",
    "subField",
    "transform",
    "unArchive",
];

/// The longest chain of terms that are defined by one another.
const CHAIN: usize = 8;

/// How the values of a term are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Literals.
    Plain,
    /// Identifiers.
    Id,
    /// Words of the vocabulary.
    Vocab,
    /// JSON, as it is.
    Json,
}

/// A term as the context defines it.
#[derive(Debug, Clone)]
pub(super) struct Term {
    iri: String,
    pub(super) kind: Kind,
    /// Its objects are maps from a language to texts.
    pub(super) by_language: bool,
}

/// The context of a document.
#[derive(Debug, Clone)]
pub(super) struct Context {
    vocab: Option<String>,
    pub(super) language: Option<String>,
    terms: HashMap<String, Term>,
}

/// What a key of an object is.
pub(super) enum Key<'c> {
    /// A JSON-LD keyword, such as `@id`.
    Keyword(String),
    /// A property by its full name, and how its values are to be read.
    Property(String, Option<&'c Term>),
    /// Nothing: the context gives it no meaning.
    Unknown,
}

impl Context {
    /// The context that a document states. One that names another by its address is understood only where the address is
    /// that of schema.org or of Croissant; for any other the address is given back.
    pub(super) fn read(stated: Option<&Value>) -> Result<Self, String> {
        let mut context = Self { vocab: None, language: None, terms: HashMap::new() };
        match stated {
            None | Some(Value::Null) => context.add_known("https://schema.org/")?,
            Some(stated) => context.add(stated)?,
        }
        Ok(context)
    }

    fn add(&mut self, stated: &Value) -> Result<(), String> {
        match stated {
            Value::Array(parts) => parts.iter().try_for_each(|part| self.add(part)),
            Value::String(address) => self.add_known(address),
            Value::Object(terms) => {
                self.add_terms(terms);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn add_known(&mut self, address: &str) -> Result<(), String> {
        let bare = address.trim_start_matches("https://").trim_start_matches("http://").trim_start_matches("www.");
        let is_schema = bare.trim_end_matches('/') == "schema.org" || bare.starts_with("schema.org/docs/jsonldcontext");
        let is_croissant = bare.starts_with("mlcommons.org/croissant");
        if !is_schema && !is_croissant {
            return Err(address.to_owned());
        }
        self.vocab = Some("https://schema.org/".to_owned());
        for (namespace, prefix) in NAMESPACES {
            self.terms.entry((*prefix).to_owned()).or_insert_with(|| Term::plain(namespace));
        }
        self.terms.insert("sc".to_owned(), Term::plain("https://schema.org/"));
        if is_croissant {
            for term in CROISSANT_TERMS {
                self.terms.insert((*term).to_owned(), Term::plain(&format!("http://mlcommons.org/croissant/{term}")));
            }
            let typed =
                |term: &str, kind| Term { kind, ..Term::plain(&format!("http://mlcommons.org/croissant/{term}")) };
            self.terms.insert("data".to_owned(), typed("data", Kind::Json));
            self.terms.insert("examples".to_owned(), typed("examples", Kind::Json));
            self.terms.insert("dataType".to_owned(), typed("dataType", Kind::Vocab));
            self.terms.insert("conformsTo".to_owned(), Term::plain("http://purl.org/dc/terms/conformsTo"));
        }
        Ok(())
    }

    fn add_terms(&mut self, terms: &Map<String, Value>) {
        for (name, meaning) in terms {
            match (name.as_str(), meaning) {
                ("@vocab", Value::String(vocab)) => self.vocab = Some(vocab.clone()),
                ("@language", Value::String(language)) => self.language = Some(language.clone()),
                ("@language", _) => self.language = None,
                (keyword, _) if keyword.starts_with('@') => {}
                (_, Value::String(iri)) => {
                    self.terms.insert(name.clone(), Term::plain(iri));
                }
                (_, Value::Object(definition)) => {
                    self.terms.insert(name.clone(), Term::defined(name, definition));
                }
                _ => {}
            }
        }
    }

    pub(super) fn key(&self, name: &str) -> Key<'_> {
        if name.starts_with('@') {
            return Key::Keyword(name.to_owned());
        }
        let term = self.terms.get(name);
        match self.expand(name, true) {
            Some(iri) if iri.starts_with('@') => Key::Keyword(iri),
            Some(iri) if iri.contains(':') => Key::Property(short(&iri), term),
            _ => Key::Unknown,
        }
    }

    /// A type, or another word of the vocabulary.
    pub(super) fn word(&self, name: &str) -> String {
        self.expand(name, true).map_or_else(|| name.to_owned(), |iri| short(&iri))
    }

    /// An identifier: an IRI by its prefix or in full; what is neither is a name within the document.
    pub(super) fn id(&self, name: &str) -> String {
        self.expand(name, false).unwrap_or_else(|| name.to_owned())
    }

    fn expand(&self, name: &str, is_word: bool) -> Option<String> {
        self.expand_within(name, is_word, CHAIN)
    }

    fn expand_within(&self, name: &str, is_word: bool, left: usize) -> Option<String> {
        let left = left.checked_sub(1)?;
        if name.starts_with('@') || name.starts_with("_:") {
            return Some(name.to_owned());
        }
        if is_word && let Some(term) = self.terms.get(name).filter(|term| term.iri != name) {
            return self.expand_within(&term.iri, true, left);
        }
        match name.split_once(':') {
            Some((prefix, rest)) if !rest.starts_with("//") => match self.terms.get(prefix) {
                Some(term) if term.iri != name => Some(format!("{}{rest}", self.expand_within(&term.iri, true, left)?)),
                _ => Some(name.to_owned()),
            },
            Some(_) => Some(name.to_owned()),
            None if is_word => self.vocab.as_ref().map(|vocab| format!("{vocab}{name}")),
            None => None,
        }
    }
}

impl Term {
    fn plain(iri: &str) -> Self {
        Self { iri: iri.to_owned(), kind: Kind::Plain, by_language: false }
    }

    fn defined(name: &str, definition: &Map<String, Value>) -> Self {
        let kind = match definition.get("@type").and_then(Value::as_str) {
            Some("@id") => Kind::Id,
            Some("@vocab") => Kind::Vocab,
            Some("@json") => Kind::Json,
            _ => Kind::Plain,
        };
        let by_language = match definition.get("@container") {
            Some(Value::String(container)) => container == "@language",
            Some(Value::Array(containers)) => containers.iter().any(|container| container == "@language"),
            _ => false,
        };
        let iri = definition.get("@id").and_then(Value::as_str).unwrap_or(name).to_owned();
        Self { iri, kind, by_language }
    }
}

/// An IRI of a known namespace by the prefix of this house, such as `schema:name`; any other as it is.
pub(crate) fn short(iri: &str) -> String {
    NAMESPACES
        .iter()
        .find_map(|(namespace, prefix)| Some(format!("{prefix}:{}", iri.strip_prefix(namespace)?)))
        .unwrap_or_else(|| iri.to_owned())
}

/// The IRI that [`short`] made shorter.
pub(crate) fn long(name: &str) -> String {
    NAMESPACES
        .iter()
        .find_map(|(namespace, prefix)| {
            let rest = name.strip_prefix(prefix)?.strip_prefix(':')?;
            Some(format!("{namespace}{rest}"))
        })
        .unwrap_or_else(|| name.to_owned())
}
