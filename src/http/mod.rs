//! The doors. A handler extracts, calls one flow, and renders; it decides nothing.
//!
//! [`listen`] opens the listeners, [`observe`], [`limits`] and [`pace`] are what every request meets, [`problem`] is the
//! one table from errors to HTTP, [`caller`] says who asks. Then one file per noun, each with one function `routes`;
//! `datasets` is the one to imitate.

pub mod access;
pub mod accounts;
pub mod audit;
pub mod caller;
pub mod changes;
pub mod datasets;
pub mod exports;
pub mod federation;
pub mod harvests;
pub mod imports;
pub mod licences;
pub mod limits;
pub mod lineage;
pub mod listen;
pub mod observe;
pub mod openapi;
pub mod operations;
pub mod pace;
pub mod problem;
pub mod quality;
pub mod question;
pub mod reply;
pub mod revisions;
pub mod seal;
pub mod search;
pub mod session;
pub mod shards;
pub mod source_texts;
pub mod ui;

use actix_web::web::ServiceConfig;
use actix_web::{Route, guard, web};

use problem::Problem;

/// The routes of the web door.
pub fn web(config: &mut ServiceConfig) {
    config
        .configure(extractors)
        .configure(session::routes)
        .configure(accounts::routes)
        .configure(datasets::routes)
        .configure(revisions::routes)
        .configure(lineage::routes)
        .configure(quality::routes)
        .configure(exports::routes)
        .configure(licences::routes)
        .configure(imports::routes)
        .configure(changes::routes)
        .configure(harvests::routes)
        .configure(source_texts::routes)
        .configure(search::routes)
        .configure(audit::routes)
        .configure(access::web)
        .configure(ui::routes)
        .configure(openapi::routes);
}

/// The routes of the federation door.
pub fn federation(config: &mut ServiceConfig) {
    config
        .configure(extractors)
        .configure(federation::routes)
        .configure(access::federation)
        .configure(shards::routes)
        .configure(openapi::document_route);
}

/// The routes of the operations door.
pub fn operations(config: &mut ServiceConfig) {
    config.configure(operations::routes).configure(openapi::document_route);
}

/// A route for `GET` and `HEAD`: actix answers `HEAD` only where it is told to.
pub fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// What actix's own extractors refuse becomes a problem. The size of bodies is bounded in [`limits`], so the extractors'
/// own bounds stay out of the way.
fn extractors(config: &mut ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(usize::MAX))
        .app_data(web::JsonConfig::default().limit(usize::MAX).error_handler(|error, _| Problem::from(error).into()))
        .app_data(web::FormConfig::default().limit(usize::MAX).error_handler(|error, _| Problem::from(error).into()))
        .app_data(web::QueryConfig::default().error_handler(|error, _| Problem::from(error).into()))
        .app_data(web::PathConfig::default().error_handler(|error, _| Problem::from(error).into()));
}
