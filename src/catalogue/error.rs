//! Why the catalogue refused, said so that the steward knows what to do.

use crate::domain::ids::{Country, DatasetId, Digest, Identity, Iri, Revision, TrustDomain};
use crate::domain::lifecycle::{InvalidStep, State};
use crate::schema::Violations;
use crate::store::{AppendError, StoreError};

/// Why a change was refused. Nothing of it was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// The document is not a dataset.
    #[error("{0}")]
    Invalid(#[from] Violations),
    /// The id is not under the node's domain.
    #[error(
        "{id} is not under {domain}: this node registers only ids that begin with https://{domain}/dataset/; leave the id out to get a fresh one"
    )]
    ForeignId {
        /// The id.
        id: DatasetId,
        /// The node's domain.
        domain: TrustDomain,
    },
    /// The id ends in what asks for a form of another record.
    #[error("{id} ends in .{suffix}, and so does the address of a record in that form: choose an id that does not")]
    LikeAForm {
        /// The id.
        id: DatasetId,
        /// What it ends in.
        suffix: &'static str,
    },
    /// The node does not speak for the country.
    #[error("this node does not speak for {country}: it speaks for {}; register the dataset at the node of {country}", codes(.spoken))]
    ForeignCountry {
        /// The country.
        country: Country,
        /// The countries it speaks for.
        spoken: Vec<Country>,
    },
    /// The owner is no participant.
    #[error("{0} is not a participant and cannot own a dataset: use a token of the organisation whose dataset it is")]
    NotAParticipant(Identity),
    /// The id is taken.
    #[error(
        "{0} is already registered, and ids are never reused: revise it with If-Match, or leave the id out to get a fresh one"
    )]
    Taken(DatasetId),
    /// The dataset was withdrawn.
    #[error("{id} was withdrawn and its id stays taken: {}", successor_or_fresh(.successor.as_ref()))]
    Withdrawn {
        /// The id.
        id: DatasetId,
        /// What to use in its place.
        successor: Option<Iri>,
    },
    /// The source's record is registered under another id.
    #[error("the record {iri} of {name} is already registered{}: revise that dataset, or import the source again", under(.id.as_ref()))]
    SourceTaken {
        /// The source.
        name: String,
        /// The record there.
        iri: Iri,
        /// The dataset that was made of it.
        id: Option<DatasetId>,
    },
    /// There is no such dataset.
    #[error("{0} is not registered here: look for it with a search, or ask the node of its domain")]
    NotFound(DatasetId),
    /// There is no such revision.
    #[error("{0} has no revision {1}: its history lists those it has")]
    NoRevision(DatasetId, Revision),
    /// No source text is kept of the dataset.
    #[error(
        "no source text is kept of {0}: it was registered by hand, imported without its text, or the text was too long or erased"
    )]
    NoSourceText(DatasetId),
    /// The caller does not act for the owner.
    #[error("{0} belongs to another participant: only its owner's steward can change it")]
    NotOwner(DatasetId),
    /// The change was made from a revision that no longer stands.
    #[error(
        "{id} is at revision {current} by now: read it again, repeat the change on what stands there, and send its ETag as If-Match"
    )]
    Stale {
        /// The id.
        id: DatasetId,
        /// The revision that stands.
        current: Revision,
        /// Its entity tag.
        etag: Option<Digest>,
    },
    /// The document names another dataset than the address.
    #[error(
        "the document is about {found}, the address about {expected}: send it to its own address; an id cannot be changed"
    )]
    IdChanged {
        /// The id that is revised.
        expected: DatasetId,
        /// The id in the document.
        found: DatasetId,
    },
    /// The source of an imported record was changed or left out.
    #[error(
        "the source of an imported record is written by the import alone: send it as it stands, or the next import would not know the record again"
    )]
    SourceChanged,
    /// A manifest changed and its version did not rise.
    #[error(
        "{pointer}: the manifest changed, so its version must rise above {version}: agreements name the manifest they release"
    )]
    ManifestNotRaised {
        /// Where, as a JSON pointer.
        pointer: String,
        /// The version that stands.
        version: u32,
    },
    /// A manifest was left out.
    #[error(
        "{pointer}: the manifest of version {version} was left out: send it as it stands, or one without shards and with a higher version"
    )]
    ManifestDropped {
        /// Where it stood, as a JSON pointer.
        pointer: String,
        /// The version that stands.
        version: u32,
    },
    /// The reason of a withdrawal does not help anybody.
    #[error(
        "a withdrawal needs a reason of 1 to 10,000 characters without control characters: those who hold the dataset are told it"
    )]
    InvalidReason,
    /// The reason of a revision is none.
    #[error(
        "a reason has 1 to 10,000 characters and no control characters: say in words why it was changed, or leave it out"
    )]
    UnfitReason,
    /// The lifecycle has no such step.
    #[error(transparent)]
    InvalidStep(#[from] InvalidStep),
    /// No life begins in this state.
    #[error("a dataset cannot be registered as {}: it begins as draft or as published", .0.as_str())]
    CannotBegin(State),
    /// A dataset cannot succeed itself.
    #[error("a withdrawn dataset cannot be its own successor: name another one, or none")]
    OwnSuccessor,
    /// An imported record does not say where it is from.
    #[error("the record does not say where it is from: an import needs source.name, source.iri and source.digest")]
    NoSource,
    /// A record stands twice in one import, and the two differ.
    #[error("{iri} of {name} stands twice in this import with different content: only the first was read")]
    Twice {
        /// The source.
        name: String,
        /// The record there.
        iri: Iri,
    },
    /// A dataset stands twice among changes that are made at once.
    #[error("{0} stands twice in this request: one operation a dataset, so that their order does not matter")]
    Repeated(DatasetId),
    /// An import met other writers again and again.
    #[error("other changes kept coming in between: send the same again")]
    Contended,
    /// The record is larger than the log takes.
    #[error(
        "the record takes {bytes} bytes; at most {limit} can be kept: shorten the texts, or move shards to a dataset of their own"
    )]
    TooLarge {
        /// Its size as JSON.
        bytes: usize,
        /// The most that is taken.
        limit: usize,
    },
    /// The log refused what this flow did not expect it to refuse.
    #[error("the log refused the change: {0}")]
    Refused(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AppendError> for CatalogueError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Store(error) => Self::Store(error),
            AppendError::TooLarge { bytes, limit } => Self::TooLarge { bytes, limit },
            other => Self::Refused(other.to_string()),
        }
    }
}

fn codes(countries: &[Country]) -> String {
    countries.iter().map(Country::as_str).collect::<Vec<_>>().join(", ")
}

fn successor_or_fresh(successor: Option<&Iri>) -> String {
    match successor {
        Some(iri) => format!("use its successor {iri}"),
        None => "register what takes its place under a fresh id".to_owned(),
    }
}

fn under(id: Option<&DatasetId>) -> String {
    id.map(|id| format!(" as {id}")).unwrap_or_default()
}
