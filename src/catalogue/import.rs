//! Bringing in the records of another catalogue, many at once, again and again.
//!
//! A record is known by its source's name and its IRI there, and by the digest of what was read: the same digest means
//! that nothing is to be done. Its id follows from the source alone, so that an import that was broken off and begun
//! again meets its own records. A field that a steward
//! changed is the steward's from then on: the source changes the others. What the source said word for word is kept beside
//! the log where it is sent along, in the same transaction; what is unchanged writes nothing.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::domain::dataset::{Dataset, Registered, Source};
use crate::domain::event::{Actor, Event, What};
use crate::domain::ids::{DatasetId, Digest, Identity, Revision, Seq};
use crate::domain::lifecycle::State;
use crate::schema;
use crate::store::{AppendError, Expectation, Priority, SourceText};

use super::{Catalogue, CatalogueError, Outcome, expected_of_new, licences, lifecycle, rules};

/// How many records are appended together.
const BATCH: usize = 200;
/// How often a batch is begun again when others wrote in between.
const TRIES: usize = 3;
/// A record of another catalogue, as it is sent for import.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// The dataset as the API takes it, with its `source`.
    pub draft: Value,
    /// The record in its source's own words, where they are to be kept; longer than [`super::MAX_SOURCE_TEXT`] they are not.
    pub text: Option<String>,
}

/// A draft alone.
impl From<Value> for Incoming {
    fn from(draft: Value) -> Self {
        Self { draft, text: None }
    }
}

/// A draft with what it says of its source.
struct Reading<'d> {
    draft: &'d Value,
    text: Option<&'d str>,
    /// None where it says nothing that can be read.
    source: Option<Source>,
    /// The place of an earlier draft of the same record, and whether it was read from the same words.
    again: Option<(usize, bool)>,
    /// In which state its life begins, where it is new.
    state: State,
}

/// What is to be done with one draft.
enum Step {
    /// Nothing, or nothing that can be done.
    Done(Result<Outcome, CatalogueError>),
    /// Nothing: the draft at this place is the same record.
    Same(usize),
    /// Its event goes into the batch.
    Append { what: What, expected: Vec<Expectation>, record: Registered, text: Option<Box<SourceText>> },
}

impl Step {
    /// The step with the words that the description was read from.
    fn with_text(mut self, words: Option<&str>) -> Self {
        if let Self::Append { record, text, .. } = &mut self
            && let (Some(words), Some(source)) = (words, &record.dataset.source)
        {
            let (id, format) = (record.dataset.id.clone(), source.format.clone());
            *text = SourceText::new(id, source.digest, format, words.to_owned()).map(Box::new);
        }
        self
    }
}

type Outcomes = Vec<Result<Outcome, CatalogueError>>;

impl Catalogue {
    /// Imports drafts for an owner, each as the API takes it, with its `source`. The answers stand in the order of the
    /// drafts; one draft that is refused does not keep the others back. Durable when it returns; when the store fails,
    /// whole batches before that are kept, and importing again completes them.
    pub async fn import(
        &self,
        actor: &Actor,
        owner: &Identity,
        incoming: &[Incoming],
    ) -> Result<Outcomes, CatalogueError> {
        self.import_as(actor, owner, incoming, State::Published).await
    }

    /// The same, where what is new begins its life in this state. What is known already stays in the state that it is in.
    pub async fn import_as(
        &self,
        actor: &Actor,
        owner: &Identity,
        incoming: &[Incoming],
        state: State,
    ) -> Result<Outcomes, CatalogueError> {
        lifecycle::may_begin(state)?;
        let readings = readings(incoming, state);
        let mut outcomes = Vec::with_capacity(incoming.len());
        for batch in readings.chunks(BATCH) {
            self.import_batch(actor, owner, batch, &mut outcomes).await?;
        }
        Ok(outcomes)
    }

    async fn import_batch(
        &self,
        actor: &Actor,
        owner: &Identity,
        batch: &[Reading<'_>],
        outcomes: &mut Outcomes,
    ) -> Result<(), CatalogueError> {
        for _ in 0..TRIES {
            let mut steps = Vec::with_capacity(batch.len());
            for reading in batch {
                steps.push(self.step(owner, reading).await?);
            }
            match self.append_batch(actor, &steps).await {
                Ok(positions) => {
                    conclude(steps, positions, outcomes);
                    return Ok(());
                }
                // Somebody wrote in between: look again at what stands there.
                Err(AppendError::Conflict(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(CatalogueError::Contended)
    }

    async fn step(&self, owner: &Identity, reading: &Reading<'_>) -> Result<Step, CatalogueError> {
        let Some(source) = &reading.source else { return Ok(Step::Done(Err(CatalogueError::NoSource))) };
        match reading.again {
            Some((first, true)) => return Ok(Step::Same(first)),
            Some((_, false)) => {
                let (name, iri) = (source.name.clone(), source.iri.clone());
                return Ok(Step::Done(Err(CatalogueError::Twice { name, iri })));
            }
            None => {}
        }
        let existing = self.store.dataset_by_source(&source.name, &source.iri).await?;
        if existing.is_none()
            && let Some(other) = self.store.dataset(&self.id_of(source)).await?
        {
            // Somebody registered that very id by hand; the rest of the batch must not wait for it.
            return Ok(Step::Done(Err(CatalogueError::Taken(other.dataset.id))));
        }
        let mut by_hand = BTreeSet::new();
        if let Some(current) = &existing
            && digest_of(&current.dataset) != Some(source.digest)
        {
            by_hand = self.changed_by_hand(current).await?;
        }
        let plan = self.plan(owner, reading, source, existing, &by_hand);
        Ok(plan.map_or_else(|error| Step::Done(Err(error)), |step| step.with_text(reading.text)))
    }

    /// The fields that a steward changed: those that differ between two revisions of the same words of the source.
    async fn changed_by_hand(&self, current: &Registered) -> Result<BTreeSet<String>, CatalogueError> {
        let mut names = BTreeSet::new();
        let mut after = current.clone();
        while after.revision > Revision::FIRST {
            let before = self.revision(&after.dataset.id, Revision(after.revision.0 - 1)).await?;
            if digest_of(&before.dataset) == digest_of(&after.dataset) {
                names.append(&mut rules::changed_fields(&before.dataset, &after.dataset));
            }
            after = before;
        }
        Ok(names)
    }

    fn plan(
        &self,
        owner: &Identity,
        reading: &Reading<'_>,
        source: &Source,
        existing: Option<Registered>,
        by_hand: &BTreeSet<String>,
    ) -> Result<Step, CatalogueError> {
        let draft = reading.draft;
        let Some(current) = existing else {
            let dataset = self.admit(owner, draft.clone(), self.id_of(source))?;
            rules::may_be_new(&dataset.id)?;
            let record = Registered { state: reading.state, ..self.first_revision(owner, dataset) };
            let expected = expected_of_new(&record.dataset);
            let what = What::DatasetRegistered { record: Box::new(record.clone()) };
            return Ok(Step::Append { what, expected, record, text: None });
        };
        let id = current.dataset.id.clone();
        if current.owner != *owner {
            // A private record does not betray its id to a stranger.
            return Err(if current.is_discoverable_by(Some(owner)) {
                CatalogueError::NotOwner(id)
            } else {
                CatalogueError::SourceTaken { name: source.name.clone(), iri: source.iri.clone(), id: None }
            });
        }
        if let Some(withdrawn) = current.withdrawn {
            return Err(CatalogueError::Withdrawn { id, successor: withdrawn.successor });
        }
        if digest_of(&current.dataset) == Some(source.digest) {
            return Ok(Step::Done(Ok(Outcome::Unchanged(current))));
        }
        let mut draft = draft.clone();
        rules::put_fields(&current.dataset, by_hand, &mut draft);
        let dataset = self.admit(owner, draft, id.clone())?;
        rules::may_follow(&current.dataset, &dataset)?;
        let record = self.next_revision(&current, dataset);
        let expected = vec![Expectation::DatasetAt(id, current.revision)];
        let what = What::DatasetRevised { record: Box::new(record.clone()) };
        Ok(Step::Append { what, expected, record, text: None })
    }

    /// A draft as a dataset of this node.
    fn admit(&self, owner: &Identity, mut draft: Value, id: DatasetId) -> Result<Dataset, CatalogueError> {
        if let Value::Object(fields) = &mut draft {
            fields.insert("id".to_owned(), Value::String(id.to_string()));
            if let Some(country) = self.only_country() {
                fields.entry("country").or_insert_with(|| Value::String(country.to_string()));
            }
        }
        let mut dataset = schema::admit_bounded(&draft)?;
        licences::complete(&mut dataset);
        self.is_ours(owner, &dataset)?;
        Ok(dataset)
    }

    /// The id of what is imported from a source: always the same for the same record.
    fn id_of(&self, source: &Source) -> DatasetId {
        // A line break stands in neither, so that no two pairs are spelled alike.
        let digest = Digest::of(format!("{}\n{}", source.name, source.iri).as_bytes());
        let name = data_encoding::BASE32_NOPAD.encode(&digest.0[..16]).to_ascii_lowercase();
        DatasetId::mint(&self.domain, &format!("i-{name}")).expect("base 32 is a valid local part")
    }

    async fn append_batch(&self, actor: &Actor, steps: &[Step]) -> Result<Vec<Seq>, AppendError> {
        let at = self.clock.now();
        let mut events = Vec::new();
        let (mut expectations, mut texts) = (Vec::new(), Vec::new());
        for step in steps {
            if let Step::Append { what, expected, text, .. } = step {
                events.push(Event { at, actor: actor.clone(), what: what.clone() });
                expectations.extend(expected.iter().cloned());
                texts.extend(text.as_deref().cloned());
            }
        }
        if events.is_empty() {
            return Ok(Vec::new());
        }
        self.store.append_with_texts(events, expectations, texts, Priority::Import).await
    }
}

/// Says what became of each step, now that the batch is durable.
fn conclude(steps: Vec<Step>, positions: Vec<Seq>, outcomes: &mut Outcomes) {
    let mut positions = positions.into_iter();
    for step in steps {
        let outcome = match step {
            Step::Done(outcome) => outcome,
            Step::Same(first) => outcomes[first].clone().map(|outcome| Outcome::Unchanged(outcome.into_record())),
            Step::Append { what, record, .. } => {
                let record = Registered { seq: positions.next().unwrap_or(record.seq), ..record };
                Ok(match what {
                    What::DatasetRegistered { .. } => Outcome::Registered(record),
                    _ => Outcome::Revised(record),
                })
            }
        };
        outcomes.push(outcome);
    }
}

fn readings(incoming: &[Incoming], state: State) -> Vec<Reading<'_>> {
    let mut firsts: HashMap<(String, String), (usize, Digest)> = HashMap::new();
    let mut readings = Vec::with_capacity(incoming.len());
    for (at, Incoming { draft, text }) in incoming.iter().enumerate() {
        let source = source_of(draft);
        let again = source.as_ref().and_then(|source| {
            let record = (source.name.clone(), source.iri.to_string());
            match firsts.get(&record) {
                Some((first, digest)) => Some((*first, *digest == source.digest)),
                None => {
                    firsts.insert(record, (at, source.digest));
                    None
                }
            }
        });
        readings.push(Reading { draft, text: text.as_deref(), source, again, state });
    }
    readings
}

fn source_of(draft: &Value) -> Option<Source> {
    schema::read(draft.get("source")?).ok()
}

fn digest_of(dataset: &Dataset) -> Option<Digest> {
    dataset.source.as_ref().map(|source| source.digest)
}
