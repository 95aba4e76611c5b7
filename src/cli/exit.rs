//! How a command ends: one number that scripts rely on, and one sentence for people.

use std::fmt;
use std::process::ExitCode;

/// The exit codes; they never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Something failed that has no number of its own.
    Error = 1,
    /// The command line or a setting was wrong.
    Usage = 2,
    /// What was named is not there.
    NotFound = 3,
    /// It is not allowed.
    Denied = 4,
    /// Done, but not every node of the federation answered.
    PartialFederation = 5,
    /// Bytes or proofs do not match.
    Integrity = 6,
    /// Interrupted; running the same command again goes on where it stopped.
    Interrupted = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The number.
    pub exit: Exit,
    /// What happened and what to do.
    pub message: String,
}

impl Failure {
    /// A failure with a number of its own.
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, message: message.to_string() }
    }
}

/// Any error is a failure with the general number; who knows better says so with [`Failure::new`].
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(Exit::Error, error)
    }
}
