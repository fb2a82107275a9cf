//! Conversations: the configured channels, the one intake for everything that comes in, the delivery of what goes out.
//!
//! Owns the tables `channel`, `inbox`, `participant`, `mailbox_cursor`, `visitor` and `automatic_mail`. It must never
//! know a protocol (that is a channel crate's business behind `channel::Channel`) nor decide what a case may do (that is
//! `domain::case`). Start reading in `intake.rs`, then `raw.rs` (mail before it is understood) and `deliver.rs`.
#![forbid(unsafe_code)]

pub mod channels;
mod deliver;
pub mod intake;
pub mod raw;
mod store;
pub mod thread;

pub use channels::Protocols;
pub use intake::{Received, receive, receive_in};

/// What this feature brings to the spine.
#[must_use]
pub fn feature(protocols: &Protocols) -> spine::Feature {
    spine::Feature::new()
        .consumer(deliver::QueueDeliveries)
        .job(deliver::Deliver { protocols: protocols.clone() })
        .job(raw::Intake { protocols: protocols.clone() })
}
