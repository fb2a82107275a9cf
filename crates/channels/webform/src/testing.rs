//! The conformance suite's enquiry as a form, and the work a browser does for it.

pub use crate::proof::solve;
use crate::submit::{SubmitForm, inbound};
use channel::testing::Enquiry;
use channel::{ChannelConfig, Inbound};

/// As it is filled in.
#[must_use]
pub fn enquiry(_: &ChannelConfig, enquiry: &Enquiry) -> Inbound {
    let body = SubmitForm {
        id: enquiry.message,
        name: enquiry.name.clone(),
        email: enquiry.address.clone(),
        subject: enquiry.subject.clone(),
        text: enquiry.text.clone(),
        attachments: Vec::new(),
        proof: None,
    };
    inbound(&body, enquiry.at)
}
