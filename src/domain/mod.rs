//! The words of the house: plain values, born valid. No I/O, no async, no clock.

pub mod dataset;
pub mod gdpr;
pub mod ids;
pub mod licence;
pub mod manifest;
pub mod policy;
pub mod text;
