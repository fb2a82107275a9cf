//! Routing: gives waiting cases to agents, keeps who is there and how much they take, and says why.
//!
//! Owns the tables `agent_presence`, `agent_capacity`, `routing_policy`, `routing_queue`, `routing_turn` and
//! `assignment`. It must never choose by itself (that is `domain::routing`), change a case but by a command, or read
//! another feature's rows but through views. Start reading in `consumers.rs` (what wakes it), then `pass.rs` (one
//! round of giving out) and `store.rs` (all its SQL); `presence.rs` is what live connections call.
#![forbid(unsafe_code)]

mod consumers;
mod http;
mod jobs;
mod pass;
mod place;
mod presence;
mod queue;
mod store;
#[cfg(test)]
mod tests;

pub use http::routes;
pub use place::{Position, anybody_online, queue_position};
pub use presence::{Attendance, DISCONNECT_GRACE, restarted};

/// What this feature brings to the spine.
#[must_use]
pub fn feature() -> spine::Feature {
    spine::Feature::new().consumer(consumers::Router).job(jobs::Release).job(jobs::Relax)
}
