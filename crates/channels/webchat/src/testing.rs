//! The conformance suite's enquiry as a chat message.

use crate::messages::inbound;
use channel::testing::Enquiry;
use channel::{ChannelConfig, Inbound, Sender, Thread};
use domain::customer::{CustomerIdentity, IdentityKind, Level};

/// As a visitor writes it who has left an address.
#[must_use]
pub fn enquiry(_: &ChannelConfig, enquiry: &Enquiry) -> Inbound {
    let thread = enquiry.message.to_string();
    let identity = |kind, address: &str, level| CustomerIdentity { kind, address: address.to_owned(), level };
    let mut inbound = inbound(enquiry.message, enquiry.text.clone(), enquiry.at);
    inbound.subject.clone_from(&enquiry.subject);
    inbound.thread = Thread::Key(thread.clone());
    inbound.sender = Sender {
        name: enquiry.name.clone(),
        identities: vec![
            identity(IdentityKind::Visitor, &thread, Level::Channel),
            identity(IdentityKind::Email, &enquiry.address, Level::Claimed),
        ],
        customer: None,
    };
    inbound
}
