//! Conversations: the configured channels, the one intake for everything that comes in, the delivery of what goes out.
//!
//! Owns the tables `channel`, `inbox`, `participant`, `mailbox_cursor`, `visitor` and `automatic_mail`. It must never
//! know a protocol (that is a channel crate's business behind `channel::Channel`) nor decide what a case may do (that is
//! `domain::case`). Start reading in `intake.rs`, then `raw.rs` (mail before it is understood) and `deliver.rs`.
#![forbid(unsafe_code)]

mod acknowledge;
mod automatic;
pub mod channels;
mod check;
mod deliver;
mod followup;
mod handle;
mod http;
pub mod intake;
pub mod raw;
pub mod receivers;
mod store;
mod system_mail;
mod template;
#[cfg(test)]
mod tests;
pub mod thread;

pub use channels::Protocols;
pub use check::check_mail;
pub use handle::Handle;
pub use http::routes;
pub use intake::{Received, receive, receive_in};
pub use receivers::{Doorkeeper, Receivers};
pub use system_mail::{QUEUE as SYSTEM_MAIL, SystemMail};

/// What this feature brings to the spine.
#[must_use]
pub fn feature(protocols: &Protocols) -> spine::Feature {
    spine::Feature::new()
        .consumer(deliver::QueueDeliveries)
        .consumer(acknowledge::Acknowledge)
        .consumer(followup::Watch)
        .job(deliver::Deliver { protocols: protocols.clone() })
        .job(raw::Intake { protocols: protocols.clone() })
        .job(acknowledge::Acknowledgements)
        .job(followup::Followups { protocols: protocols.clone() })
        .job(system_mail::SystemMails { protocols: protocols.clone() })
}
