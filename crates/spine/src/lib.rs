//! The spine: the one way to change business state (I2), the event log, consumers, jobs, timers, live hub, files.
//!
//! It knows no business rule and no protocol. Start reading in `spine.rs` ([`Spine::execute`]), then `unit.rs`
//! (what a command's closure holds), `consumer.rs` (what follows from an event) and `job.rs` (effects outside).
#![forbid(unsafe_code)]

mod consumer;
mod edge;
mod files;
mod hub;
mod job;
mod kept;
mod log;
mod refusal;
mod runner;
mod spine;
mod store;
mod tail;
mod unit;
mod vault;

pub use consumer::Consumer;
pub use edge::{Clock, Edges, Randomness};
pub use files::{ContentHash, Files};
pub use hub::{Hub, Missed, Notice, REPLAY_MAX, ResumeToken, Signal};
pub use job::{Job, JobRow, MAX_ATTEMPTS, NewJob, Outcome, Running};
pub use kept::Kept;
pub use log::{LoggedEvent, events_after, events_of, heads_of};
pub use refusal::Refusal;
pub use spine::{Feature, Order, Spine};
pub use store::{Change, Store};
pub use unit::Unit;
pub use vault::{Secret, Vault};
