//! Pleiad: a federated catalogue of sovereign training datasets.
//!
//! Every member state runs one node, one process. A node describes its own country's datasets with licence and GDPR
//! metadata, answers searches over them, asks its peers the same question over mutual TLS, and releases the bytes of a
//! dataset only to a participant that holds an agreement. Queries travel; raw data does not.
//!
//! The modules, in the order in which to read them:

#![forbid(unsafe_code)]
#![warn(missing_docs)]
// A module's paragraph names its private parts: the documentation is for those who work on it.
#![allow(rustdoc::private_intra_doc_links)]
// Help texts of commands and settings are doc comments too, and a terminal shows no markup.
#![allow(rustdoc::bare_urls)]

pub mod node;

pub mod clock;
pub mod config;
pub mod keys;

pub mod domain;

pub mod formats;
pub mod schema;
pub mod vocabulary;

pub mod index;
pub mod outbound;
pub mod peers;
pub mod shards;
pub mod store;

pub mod access;
pub mod accounts;
pub mod audit;
pub mod catalogue;
pub mod delivery;
pub mod search;

pub mod http;

pub mod cli;
