//! Cases: keeps the aggregate with its conversations and messages, and serves the desk.
//!
//! It must never read a case without the caller's scope. Start reading in `store.rs`.
#![forbid(unsafe_code)]

mod store;

pub use store::CaseStore;

/// What this feature brings to the spine.
#[must_use]
pub fn feature() -> spine::Feature {
    spine::Feature::new().store(CaseStore)
}
