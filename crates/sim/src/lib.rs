//! Seeded simulation of the product: customers, agents, a mail server that fails, crashes at the commit, a clock that
//! jumps. The same seed gives the same event log, byte for byte. After every run the invariants of SECURITY.md 2 are
//! checked. It uses the real spine, features and storage; only the outside (clock, chance, the far mail server) is made.
//! Start reading in `world.rs` (what can happen), then `invariants.rs` (what must hold).
#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "this is test code"
)]

mod invariants;
mod peer;
mod world;

pub use world::{Report, simulate};
