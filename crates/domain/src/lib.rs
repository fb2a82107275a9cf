//! The rules of Steward, pure: no I/O, no clock, no randomness, no SQL (invariant I1).
//! An aggregate decides: `decide(state, command, ctx) -> events`, `apply(state, event)`.
//! Start reading in `case/`, the example every other aggregate imitates.
#![forbid(unsafe_code)]

pub mod ids;
pub mod time;

pub use ids::*;
pub use time::{Span, Timestamp};
