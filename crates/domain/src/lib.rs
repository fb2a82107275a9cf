//! The rules of Steward, pure: no I/O, no clock, no randomness, no SQL (invariant I1).
//! An aggregate decides: `decide(state, command, ctx) -> events`, `apply(state, event)`.
//! Start reading in `case/`, the example every other aggregate imitates.
#![forbid(unsafe_code)]

pub mod access;
pub mod actor;
pub mod aggregate;
pub mod automatic;
pub mod calendar;
pub mod case;
pub mod channel;
pub mod clock;
mod closed;
pub mod customer;
pub mod event;
pub mod filter;
pub mod ids;
pub mod limits;
pub mod permission;
pub mod rejection;
pub mod routing;
pub mod time;

pub use actor::{Actor, ActorKind, Ctx, Policies};
pub use aggregate::{Aggregate, Happened};
pub use channel::ChannelKind;
pub use event::Event;
pub use ids::*;
pub use permission::Permission;
pub use rejection::{Code, Rejection};
pub use time::{Span, Timestamp};
