//! The words of the house: plain values, born valid. No I/O, no async, no clock.

pub mod agreement;
pub mod answer;
pub mod bounds;
pub mod checkpoint;
pub mod dataset;
pub mod difference;
pub mod effective;
pub mod event;
pub mod gdpr;
pub mod harvest;
pub mod health;
pub mod ids;
pub mod language;
pub mod licence;
pub mod manifest;
pub mod merkle;
pub mod negotiation;
pub mod offerable;
pub mod place;
pub mod policy;
pub mod proof;
pub mod query;
pub mod score;
pub mod text;
pub mod training;
pub mod warnings;
