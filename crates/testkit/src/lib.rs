//! The test kit: a clock that moves when told, randomness that repeats, a ground of real storage to stand on, and a
//! client that speaks to a router as a browser would. It must never replace a piece of ours by a mock.
//! Start reading at [`Ground`], then [`Client`].
#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "this is test code"
)]

mod client;
mod edges;
mod ground;

pub use client::{Answer, Client};
pub use edges::{FakeClock, SeededRandom, fake_edges};
pub use ground::{Ground, on_both_engines};
