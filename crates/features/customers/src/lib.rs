//! Customers and their identities: keeps the aggregate, lets agents find, read and correct customers.
//!
//! It must never tell who somebody is from what they merely claimed: only `view_customer_identity` (level channel
//! or verified) finds a customer again. Start reading in `store.rs`, then `http/get.rs`.
#![forbid(unsafe_code)]

mod http;
mod store;
#[cfg(test)]
mod tests;
mod wire;

pub use http::routes;
pub use store::CustomerStore;

/// What this feature brings to the spine.
#[must_use]
pub fn feature() -> spine::Feature {
    spine::Feature::new().store(CustomerStore)
}
