//! Pleiad from outside: real sockets, real TLS, real files.

mod access;
mod attacks;
mod audit;
mod bad_input;
mod catalogue;
mod command_line;
mod datasets;
mod federation;
mod federation_calls;
mod fetch_command;
mod hostile_bytes;
mod house;
mod import;
mod impostor;
mod index;
mod keys_and_peers;
mod node;
mod operations;
mod pages;
mod pki;
mod recordings;
mod slow;
mod store;
mod store_kill;
mod trust_list;
mod validity;
