//! A source: which catalogue is read, how, when, and for whom.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::domain::ids::{Country, Identity};

/// How a catalogue speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The action API of CKAN.
    Ckan,
    /// DCAT in RDF under one address, on one page or on several (Hydra).
    Dcat,
    /// OAI-PMH 2.0.
    OaiPmh,
}

/// A source.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Its name, which its records carry.
    pub name: String,
    /// How it speaks.
    pub kind: Kind,
    /// Where it is.
    pub address: Url,
    /// For whom its records are registered.
    pub owner: Identity,
    /// The country of its records; nothing where the node speaks for one alone.
    pub country: Option<Country>,
    /// How often it is read; nothing where by hand only.
    pub every: Option<Duration>,
    /// How long a run may take.
    pub deadline: Duration,
    /// The most bytes of one answer.
    pub max_bytes: u64,
    /// How many percent of its datasets one run may withdraw without a steward's word.
    pub withdraw_percent: u8,
    /// OAI-PMH: the metadata prefix; nothing chooses the richest that is read.
    pub prefix: Option<String>,
    /// OAI-PMH: the set; nothing is all.
    pub set: Option<String>,
}
