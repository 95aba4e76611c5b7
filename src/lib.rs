//! Pleiad: a federated catalogue of sovereign training datasets.
//!
//! Every member state runs one node, one process. A node describes its own country's datasets with licence and GDPR
//! metadata, answers searches over them, asks its peers the same question over mutual TLS, and releases the bytes of a
//! dataset only to a participant that holds an agreement. Queries travel; raw data does not.
//!
//! # The map
//!
//! Shared machinery lies below, by kind; flows above it, by promise; doors on top. `tests/suite/house.rs` reads the
//! source and holds who may name whom. Where a word is new, its module says what it means.
//!
//! **Words.** [`domain`] has plain values, born valid, that know nobody: ids, datasets, policies, questions, the rank, the
//! Merkle tree. Start with [`domain::ids`]. [`formats`] turns other people's words into ours, [`schema`] turns bytes into a
//! [`domain::dataset::Dataset`] or everything that is wrong with them, [`vocabulary`] knows concepts and their labels in
//! many languages. All of this is pure.
//!
//! **Machines.** [`store`] is the durable truth: one append-only log of [`domain::event::Event`]s and its tables.
//! [`index`] is a projection of the log that can be deleted. [`shards`] opens bytes where they lie. [`peers`] says who is
//! trusted and how to speak so that nobody else can; [`outbound`] is the only user of the HTTP client. [`clock`] and
//! [`keys`] are the time and the signers that everything above is handed.
//!
//! **Flows.** [`catalogue`] registers, revises, withdraws, imports. [`harvest`] reads other catalogues again and again.
//! [`quality`] judges a record: one report, two scores; it is pure. [`search`] asks every node at once and makes one page
//! of the answers: [`mod@search::plan`] and [`mod@search::merge`] are pure. [`access`] takes a request to an agreement and
//! an agreement to a grant; [`mod@access::decide`] is pure. [`delivery`] sends shards under a grant and fetches them until a
//! folder is done. [`audit`] reads and proves the log; [`accounts`] makes tokens. Flows append events and never call each
//! other.
//!
//! **Doors.** [`http`] has three listeners and one file per noun, and [`http::problem`] is the one table from errors to
//! HTTP; [`cli`] has one file per command. [`config`] reads settings, and [`node`] puts it all together and runs it.

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
pub mod harvest;
pub mod quality;
pub mod search;

pub mod http;

pub mod cli;
