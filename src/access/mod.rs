//! Who may have a dataset, and until when: requests, the decision on them, agreements and grants.
//!
//! [`decide`] judges a request by the dataset's policy and fails closed.

pub mod decide;
mod terms;
