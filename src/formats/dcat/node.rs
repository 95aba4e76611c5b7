//! One subject and what is said about it.

use super::terms::Property;

/// The object of a statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Term {
    Iri(String),
    /// The label of a blank node, unique over all files.
    Blank(String),
    Literal {
        text: String,
        /// Its language tag as written.
        language: Option<String>,
        /// The IRI of its type, where it is more than a text.
        datatype: Option<String>,
    },
}

impl Term {
    /// The IRI or the text; nothing for a blank node.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Iri(text) | Self::Literal { text, .. } => Some(text),
            Self::Blank(_) => None,
        }
    }

    /// Whether it is a literal.
    pub(super) fn is_literal(&self) -> bool {
        matches!(self, Self::Literal { .. })
    }

    /// The IRI.
    pub(super) fn iri(&self) -> Option<&str> {
        match self {
            Self::Iri(iri) => Some(iri),
            _ => None,
        }
    }

    /// The name under which more may be said about it: an IRI or a blank node.
    pub(super) fn subject(&self) -> Option<&str> {
        match self {
            Self::Iri(name) | Self::Blank(name) => Some(name),
            Self::Literal { .. } => None,
        }
    }
}

/// Everything said about one subject, sorted, each statement once.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) subject: String,
    pub(super) statements: Vec<(Property, Term)>,
    /// Bytes of what is said.
    pub(super) size: usize,
    /// More was said than is read.
    pub(super) is_too_large: bool,
}

impl Node {
    /// A subject of which nothing is said.
    pub(super) fn empty(subject: &str) -> Self {
        Self { subject: subject.to_owned(), ..Self::default() }
    }

    /// The objects of a property.
    pub(super) fn all(&self, property: Property) -> impl Iterator<Item = &Term> {
        self.statements.iter().filter(move |(own, _)| *own == property).map(|(_, term)| term)
    }

    /// The objects of the first of these properties that has any.
    pub(super) fn first_of(&self, properties: &[Property]) -> Vec<&Term> {
        properties
            .iter()
            .map(|property| self.all(*property).collect::<Vec<_>>())
            .find(|terms| !terms.is_empty())
            .unwrap_or_default()
    }

    /// Whether the subject is of this class.
    pub(super) fn is_a(&self, class: &str) -> bool {
        self.all(Property::TYPE).any(|term| term.iri() == Some(class))
    }
}
