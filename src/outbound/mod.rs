//! The only users of the HTTP client.
//!
//! [`federation`] calls peers and nobody else: mutual TLS, our trust list as the only roots, an expected identity for
//! each call, no redirects, no proxy from the environment. Search, access and delivery use it, and `pleiad fetch` with a
//! holder's certificate; what comes back is an [`answer`]. [`api`] is the command line's way to a node's web door. Whoever
//! wants to fetch something from the open web uses neither but [`public`], which goes nowhere it could be sent to do harm.

pub mod answer;
pub mod api;
pub mod federation;
pub mod public;
