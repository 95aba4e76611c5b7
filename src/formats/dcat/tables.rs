//! Tables and their columns: CSV on the Web as our writer has it, and the features of MLDCAT-AP.

use std::io;

use super::distribution::Read;
use super::node::{Node, Term};
use super::record::Record;
use super::terms::Property;
use crate::domain::dataset::{Column, RecordSet};

/// The tables of a dataset.
pub(super) fn tables(record: &mut Record<'_>, node: &Node, distributions: &[Read]) -> io::Result<Vec<RecordSet>> {
    let mut tables = Vec::new();
    for (_, own) in record.in_order(node.all(Property::OWN_RECORD_SET))? {
        let Some(name) = record.first_line("table", own.all(Property::TITLE)) else { continue };
        let mut key = Vec::new();
        for (_, part) in record.in_order(own.all(Property::OWN_KEY))? {
            key.extend(record.first_line("key", part.all(Property::LABEL)));
        }
        let description = record.prose("table's description", own.all(Property::DESCRIPTION));
        tables.push(RecordSet { name, description, key, columns: columns(record, &own)? });
    }
    if tables.is_empty() {
        for read in distributions.iter().filter(|read| !read.features.is_empty()) {
            let title = read.distribution.title.as_ref().map_or("features", |title| title.best(&[]).1);
            let columns = features(record, &read.features)?;
            tables.push(RecordSet { name: title.to_owned(), description: None, key: Vec::new(), columns });
        }
    }
    record.cut("tables", &mut tables);
    Ok(tables)
}

fn columns(record: &mut Record<'_>, table: &Node) -> io::Result<Vec<Column>> {
    let mut columns = Vec::new();
    for (_, own) in record.in_order(table.all(Property::COLUMN))? {
        let names = own.first_of(&[Property::COLUMN_NAME, Property::TITLE]);
        let Some(name) = record.first_line("column", names.into_iter()) else { continue };
        let meanings = own.first_of(&[Property::OWN_SEMANTIC_TYPE, Property::PROPERTY_URL]);
        columns.push(Column {
            name,
            data_type: record.first_line("column's type", own.all(Property::DATATYPE)),
            semantic_types: record.iris("column's meaning", meanings.into_iter()),
            repeated: own.all(Property::OWN_REPEATED).filter_map(Term::text).any(|text| text == "true"),
            description: record.prose("column's description", own.all(Property::DESCRIPTION)),
        });
    }
    record.cut("columns", &mut columns);
    Ok(columns)
}

/// Columns as MLDCAT-AP lists them: a title and a kind such as `nominal`.
fn features(record: &mut Record<'_>, terms: &[Term]) -> io::Result<Vec<Column>> {
    let mut columns = Vec::new();
    for (_, own) in record.in_order(terms.iter())? {
        let Some(name) = record.first_line("feature", own.all(Property::TITLE)) else { continue };
        let kind = own.all(Property::DC_TYPE).find_map(Term::text);
        let data_type = kind.map(|kind| kind.rsplit(['#', '/']).next().unwrap_or(kind));
        let data_type = data_type.and_then(|kind| record.notes.line("feature's type", kind));
        let description = record.prose("feature's description", own.all(Property::DESCRIPTION));
        columns.push(Column { name, data_type, semantic_types: Vec::new(), repeated: false, description });
    }
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    record.cut("features", &mut columns);
    Ok(columns)
}
