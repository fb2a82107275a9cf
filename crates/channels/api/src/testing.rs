//! The conformance suite's enquiry as a program hands it in.

use crate::messages::{ExternalMessage, ExternalSender, inbound};
use channel::testing::Enquiry;
use channel::{ChannelConfig, Inbound};

/// The program knows the sender by an id of its own and has not checked the address.
#[must_use]
pub fn enquiry(config: &ChannelConfig, enquiry: &Enquiry) -> Inbound {
    let body = ExternalMessage {
        id: enquiry.message,
        thread: format!("t-{}", enquiry.message),
        from: ExternalSender {
            id: enquiry.address.clone(),
            name: enquiry.name.clone(),
            email: Some(enquiry.address.clone()),
            verified: false,
        },
        subject: enquiry.subject.clone(),
        text: enquiry.text.clone(),
        html: None,
        attachments: Vec::new(),
        at: Some(enquiry.at),
        language: None,
    };
    inbound(config, &body, enquiry.at)
}
