//! Exact counts of facet values over everything that matches, by the ordinals of their columns.

use std::collections::HashMap;

use tantivy::columnar::StrColumn;
use tantivy::{DocId, SegmentReader};

use crate::domain::answer::FacetCounts;
use crate::domain::query::FacetField;

use super::IndexError;

/// The most values that are listed of one facet; the records under the rest are summed.
pub const MAX_VALUES: usize = 200;

/// Counts one facet over all segments.
pub(super) struct Counter {
    field: FacetField,
    counts: HashMap<String, u64>,
}

impl Counter {
    /// A counter that has seen nothing.
    pub(super) fn new(field: FacetField) -> Self {
        Self { field, counts: HashMap::new() }
    }

    /// Starts on a segment.
    pub(super) fn segment(&mut self, segment: &SegmentReader) -> Result<SegmentCounter<'_>, IndexError> {
        let column = segment.fast_fields().str(self.field.as_str())?;
        let ordinals = vec![0; column.as_ref().map_or(0, |column| column.num_terms())];
        Ok(SegmentCounter { column, ordinals, counts: &mut self.counts })
    }

    /// The values, most first and then by name.
    pub(super) fn finish(self) -> (FacetField, FacetCounts) {
        let mut values: Vec<(String, u64)> = self.counts.into_iter().collect();
        values.sort_unstable_by(|(a, counted_a), (b, counted_b)| counted_b.cmp(counted_a).then_with(|| a.cmp(b)));
        let other = values.iter().skip(MAX_VALUES).map(|(_, count)| count).sum();
        values.truncate(MAX_VALUES);
        (self.field, FacetCounts { values, other })
    }
}

/// Counts one facet in one segment.
pub(super) struct SegmentCounter<'a> {
    column: Option<StrColumn>,
    ordinals: Vec<u64>,
    counts: &'a mut HashMap<String, u64>,
}

impl SegmentCounter<'_> {
    /// Counts a document under each of its values.
    pub(super) fn add(&mut self, doc: DocId) {
        if let Some(column) = &self.column {
            for ordinal in column.term_ords(doc) {
                if let Some(count) = usize::try_from(ordinal).ok().and_then(|place| self.ordinals.get_mut(place)) {
                    *count += 1;
                }
            }
        }
    }

    /// Adds the segment's counts to those of the others.
    pub(super) fn finish(self) -> Result<(), IndexError> {
        let Some(column) = self.column else { return Ok(()) };
        let seen: Vec<(u64, u64)> = (0u64..).zip(self.ordinals).filter(|(_, count)| *count > 0).collect();
        let ordinals: Vec<u64> = seen.iter().map(|(ordinal, _)| *ordinal).collect();
        let mut counts = seen.iter().map(|(_, count)| *count);
        column.dictionary().sorted_ords_to_term_cb(&ordinals, |value| {
            let value = String::from_utf8_lossy(value).into_owned();
            *self.counts.entry(value).or_default() += counts.next().unwrap_or(0);
        })?;
        Ok(())
    }
}
