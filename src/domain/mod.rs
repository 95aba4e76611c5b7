//! The words of the house: plain values, born valid. No I/O, no async, no clock.

pub mod ids;
