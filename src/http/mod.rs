//! The doors. A handler extracts, calls one flow, and renders; it decides nothing.
//!
//! [`listen`] opens the listeners, [`observe`], [`limits`] and [`pace`] are what every request meets, [`problem`] is the
//! one table from errors to HTTP, [`caller`] says who asks. Then one file per noun, each with one function `routes`;
//! `datasets` is the one to imitate.

pub mod caller;
pub mod limits;
pub mod listen;
pub mod observe;
pub mod operations;
pub mod pace;
pub mod problem;

use actix_web::{Route, guard, web};

/// A route for `GET` and `HEAD`: actix answers `HEAD` only where it is told to.
pub fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}
