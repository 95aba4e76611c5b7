//! Many changes by one steward at once, as files in a folder ask for them: all of them in one append, or none.
//!
//! Each [`Operation`] names the dataset and the entity tag of what it was made from. They are looked at one by one,
//! against what stands; when one of them is refused, nothing is written and every fault is told, unless the steward
//! wants the others all the same ([`How`]). What is asked for already stands is no change, whatever the tag, so that a
//! request that was sent twice, because its answer was lost, does nothing the second time.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::dataset::{Dataset, Registered, Withdrawn};
use crate::domain::difference::{Change, difference};
use crate::domain::event::{Actor, Event, What};
use crate::domain::ids::{DatasetId, Digest, Identity, Iri, Seq};
use crate::schema::{self, Defaults};
use crate::store::{AppendError, Expectation, Priority};

use super::{Catalogue, CatalogueError, IfMatch, expected_of_new, expected_of_next, licences, rules};

/// How often changes are looked at again when others wrote in between.
const TRIES: usize = 3;

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    /// Register a dataset. Its id and country may be left out, as anywhere.
    Register {
        /// The dataset as the API takes it.
        document: Value,
    },
    /// Give a dataset a further revision.
    Revise {
        /// Which.
        id: DatasetId,
        /// The entity tag of what the change was made from.
        if_match: Digest,
        /// The dataset as the API takes it.
        document: Value,
    },
    /// Withdraw a dataset.
    Withdraw {
        /// Which.
        id: DatasetId,
        /// The entity tag of what the decision was made on.
        if_match: Digest,
        /// Why; those who hold it are told.
        reason: String,
        /// What to use in its place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        successor: Option<Iri>,
    },
}

/// What to do when one of many changes is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Make none.
    AllOrNone,
    /// Make the others.
    KeepGoing,
    /// Make none in any case: only say what would become of each.
    DryRun,
}

/// What became of a dataset, or would become of it in a dry run.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// What it was.
    pub became: Became,
    /// The record as it stands now, or would stand.
    pub record: Registered,
    /// What differs from the revision before, in a dry run.
    pub difference: Vec<Change>,
}

/// What an operation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// It is new here.
    Registered,
    /// It got a further revision.
    Revised,
    /// It was withdrawn.
    Withdrawn,
    /// It stood there already; nothing was written.
    Unchanged,
}

/// What is to be appended for one operation; nothing to append where it stands already.
struct Step {
    done: Done,
    append: Option<(What, Vec<Expectation>)>,
}

type Steps = Vec<Result<Step, CatalogueError>>;
type Dones = Vec<Result<Done, CatalogueError>>;

impl Catalogue {
    /// Makes changes for an owner, durable when it returns. The answers stand in the order of the operations. With
    /// [`How::AllOrNone`] one refusal among them means that nothing was written.
    pub async fn change(
        &self,
        actor: &Actor,
        owner: &Identity,
        operations: &[Operation],
        how: How,
    ) -> Result<Dones, CatalogueError> {
        for _ in 0..TRIES {
            let steps = self.steps(owner, operations, how).await?;
            let refused = steps.iter().any(Result::is_err);
            if how == How::DryRun || (how == How::AllOrNone && refused) {
                return Ok(steps.into_iter().map(|step| step.map(|step| step.done)).collect());
            }
            match self.append_steps(actor, &steps).await {
                Ok(positions) => return self.conclude(steps, positions).await,
                // Somebody wrote in between: look again at what stands there.
                Err(AppendError::Conflict(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(CatalogueError::Contended)
    }

    async fn steps(&self, owner: &Identity, operations: &[Operation], how: How) -> Result<Steps, CatalogueError> {
        let (mut ids, mut sources) = (HashSet::new(), HashSet::new());
        let mut steps = Vec::with_capacity(operations.len());
        for operation in operations {
            let step = match self.change_step(owner, operation, how).await {
                Err(CatalogueError::Store(error)) => return Err(error.into()),
                Ok(step) if !ids.insert(step.done.record.dataset.id.clone()) => {
                    Err(CatalogueError::Repeated(step.done.record.dataset.id))
                }
                Ok(step) => match source_of(&step) {
                    Some((name, iri)) if !sources.insert((name.clone(), iri.to_string())) => {
                        Err(CatalogueError::SourceTaken { name, iri, id: None })
                    }
                    _ => Ok(step),
                },
                refused => refused,
            };
            steps.push(step);
        }
        Ok(steps)
    }

    async fn change_step(&self, owner: &Identity, operation: &Operation, how: How) -> Result<Step, CatalogueError> {
        let told = |before: Option<&Dataset>, after: &Dataset| match how {
            How::DryRun => told(before, after),
            _ => Vec::new(),
        };
        match operation {
            Operation::Register { document } => self.register_step(owner, document, told).await,
            Operation::Revise { id, if_match, document } => {
                let current = self.in_force(owner, id, &IfMatch::Any).await?;
                let dataset = self.described(document, &Defaults { id: id.clone(), ..self.defaults() })?;
                let Some(record) = self.revision_after(&current, dataset)? else { return Ok(Step::unchanged(current)) };
                is_made_from(&current, *if_match)?;
                self.source_is_free(owner, &current, &record.dataset).await?;
                let expected = expected_of_next(&current, &record.dataset);
                let what = What::DatasetRevised { record: Box::new(record.clone()) };
                let difference = told(Some(&current.dataset), &record.dataset);
                Ok(Step { done: Done { became: Became::Revised, record, difference }, append: Some((what, expected)) })
            }
            Operation::Withdraw { id, if_match, reason, successor } => {
                let withdrawn = Withdrawn { reason: reason.clone(), successor: successor.clone() };
                self.withdraw_step(owner, id, *if_match, withdrawn).await
            }
        }
    }

    async fn register_step(
        &self,
        owner: &Identity,
        document: &Value,
        told: impl Fn(Option<&Dataset>, &Dataset) -> Vec<Change>,
    ) -> Result<Step, CatalogueError> {
        let dataset = self.described(document, &self.defaults())?;
        self.is_ours(owner, &dataset)?;
        if let Some(existing) = self.store.dataset(&dataset.id).await? {
            if existing.owner == *owner && existing.withdrawn.is_none() && existing.dataset == dataset {
                return Ok(Step::unchanged(existing));
            }
            let broken = Expectation::DatasetAbsent(dataset.id.clone());
            return Err(self.why_taken(owner, &dataset, broken).await?);
        }
        if let Some(source) = &dataset.source
            && self.store.dataset_by_source(&source.name, &source.iri).await?.is_some()
        {
            let broken = Expectation::SourceAbsent(source.name.clone(), source.iri.clone());
            return Err(self.why_taken(owner, &dataset, broken).await?);
        }
        rules::may_be_new(&dataset.id)?;
        let record = self.first_revision(owner, dataset);
        let expected = expected_of_new(&record.dataset);
        let what = What::DatasetRegistered { record: Box::new(record.clone()) };
        let difference = told(None, &record.dataset);
        Ok(Step { done: Done { became: Became::Registered, record, difference }, append: Some((what, expected)) })
    }

    async fn withdraw_step(
        &self,
        owner: &Identity,
        id: &DatasetId,
        if_match: Digest,
        withdrawn: Withdrawn,
    ) -> Result<Step, CatalogueError> {
        rules::may_withdraw(id, &withdrawn)?;
        let stands = self.store.dataset(id).await?;
        if let Some(gone) =
            stands.filter(|record| record.owner == *owner && record.withdrawn == Some(withdrawn.clone()))
        {
            return Ok(Step::unchanged(gone));
        }
        let current = self.in_force(owner, id, &IfMatch::Any).await?;
        is_made_from(&current, if_match)?;
        let revision = current.revision.next();
        let expected = vec![Expectation::DatasetAt(id.clone(), current.revision)];
        let what = What::DatasetWithdrawn { id: id.clone(), revision, withdrawn: withdrawn.clone() };
        let record = Registered { withdrawn: Some(withdrawn), ..self.next_revision(&current, current.dataset.clone()) };
        Ok(Step {
            done: Done { became: Became::Withdrawn, record, difference: Vec::new() },
            append: Some((what, expected)),
        })
    }

    fn described(&self, document: &Value, defaults: &Defaults) -> Result<Dataset, CatalogueError> {
        let mut dataset = schema::admit_draft(document, defaults)?;
        licences::complete(&mut dataset);
        Ok(dataset)
    }

    async fn append_steps(&self, actor: &Actor, steps: &Steps) -> Result<Vec<Seq>, AppendError> {
        let at = self.clock.now();
        let (mut events, mut expectations) = (Vec::new(), Vec::new());
        for (what, expected) in steps.iter().flatten().filter_map(|step| step.append.as_ref()) {
            events.push(Event { at, actor: actor.clone(), what: what.clone() });
            expectations.extend(expected.iter().cloned());
        }
        if events.is_empty() {
            return Ok(Vec::new());
        }
        self.store.append(events, expectations, Priority::Interactive).await
    }

    /// Says what became of each, now that it is durable.
    async fn conclude(&self, steps: Steps, positions: Vec<Seq>) -> Result<Dones, CatalogueError> {
        let mut positions = positions.into_iter();
        let mut dones = Vec::with_capacity(steps.len());
        for step in steps {
            let done = match step {
                Ok(Step { mut done, append }) => {
                    if append.is_some() {
                        done.record.seq = positions.next().unwrap_or(done.record.seq);
                    }
                    if done.became == Became::Withdrawn {
                        // Read back, because the store puts a withdrawn record together from two entries.
                        done.record = self.record(&done.record.dataset.id).await?;
                    }
                    Ok(done)
                }
                Err(error) => Err(error),
            };
            dones.push(done);
        }
        Ok(dones)
    }
}

impl Step {
    fn unchanged(record: Registered) -> Self {
        Self { done: Done { became: Became::Unchanged, record, difference: Vec::new() }, append: None }
    }
}

/// The source of a record that is written.
fn source_of(step: &Step) -> Option<(String, Iri)> {
    let source = step.done.record.dataset.source.as_ref()?;
    Some((source.name.clone(), source.iri.clone()))
}

fn is_made_from(current: &Registered, tag: Digest) -> Result<(), CatalogueError> {
    let etag = current.etag();
    if etag == tag {
        return Ok(());
    }
    Err(CatalogueError::Stale { id: current.dataset.id.clone(), current: current.revision, etag: Some(etag) })
}

fn told(before: Option<&Dataset>, after: &Dataset) -> Vec<Change> {
    let value = |dataset: &Dataset| serde_json::to_value(dataset).unwrap_or_default();
    difference(&before.map_or_else(|| Value::Object(serde_json::Map::new()), value), &value(after))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_operation_is_read_as_it_is_written_and_nothing_else_is() {
        let id = "https://fi.pleiad.example/dataset/a";
        let tag = Digest::of(b"x").to_string();
        let operations = [
            json!({ "operation": "register", "document": { "title": { "en": "A" } } }),
            json!({ "operation": "revise", "id": id, "if_match": tag, "document": {} }),
            json!({ "operation": "withdraw", "id": id, "if_match": tag, "reason": "Gone." }),
        ];
        for value in operations {
            let read: Operation = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), value);
            let mut more = value;
            more["force"] = json!(true);
            assert!(serde_json::from_value::<Operation>(more).is_err());
        }
        let without_tag = json!({ "operation": "revise", "id": id, "document": {} });
        let refused = serde_json::from_value::<Operation>(without_tag).unwrap_err();
        assert!(refused.to_string().contains("if_match"), "{refused}");
    }
}
