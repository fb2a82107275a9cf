//! Cases: keeps the aggregate with its conversations and messages, and serves the desk: lists, views, one case with its
//! timeline, answers, notes, drafts, attachments, reasons, canned replies.
//!
//! It must never read a case without the caller's scope, and never let a text from outside become SQL or script.
//! Start reading in `http/reply.rs` (one endpoint from the route to the command), then `store.rs` (what is kept) and
//! `store/predicate.rs` (who sees what).
#![forbid(unsafe_code)]

mod admission;
mod builtin;
mod can;
mod configured;
mod html;
mod http;
mod placeholder;
mod store;
#[cfg(test)]
mod tests;
mod timers;
mod visibility;
mod wire;

pub use http::routes;
pub use store::CaseStore;

/// What this feature brings to the spine.
#[must_use]
pub fn feature() -> spine::Feature {
    spine::Feature::new()
        .store(CaseStore)
        .consumer(timers::Timers)
        .job(timers::Release)
        .job(timers::Wake)
        .job(timers::Close)
}
