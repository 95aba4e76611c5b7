//! Rules across fields that neither the schema nor `domain::offerable` nor `domain::warnings` has: whether what a record
//! says in one place fits what it says in another, by the GDPR ([`personal`]), by the AI Act ([`training`]), for those who
//! want to use it ([`access`]), and whether its terms of the Data Privacy Vocabulary are of the right kind ([`terms`]).

mod access;
mod personal;
mod terms;
mod training;

use jiff::civil::Date;

use super::finding::Findings;
use crate::domain::dataset::Dataset;

/// Everything that the rules find in a dataset, as of a day.
pub(super) fn find(dataset: &Dataset, today: Date, found: &mut Findings) {
    terms::find(&dataset.gdpr, found);
    personal::find(dataset, found);
    training::find(dataset, today, found);
    access::find(dataset, today, found);
}

#[cfg(test)]
mod tests;
