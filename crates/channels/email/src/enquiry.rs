//! The enquiry of the conformance suite as a mail.

use ::channel::testing::Enquiry;
use ::channel::{Channel, ChannelConfig, Inbound, Raw};
use domain::{AttachmentId, Id, InboxId};
use serde_json::json;

use crate::address::Mailbox;
use crate::channel::EmailChannel;
use crate::compose::{ComposeError, Draft, compose};
use crate::settings::Settings;

/// The mail a customer with this enquiry sends to the channel's mailbox.
///
/// # Errors
/// When an address of the enquiry or of the channel is none.
pub fn mail(config: &ChannelConfig, enquiry: &Enquiry) -> Result<Vec<u8>, ComposeError> {
    let mailbox = config.read::<Settings>().map_err(|_| ComposeError::Address("to"))?.address;
    let draft = Draft {
        from: Mailbox::named(&enquiry.name, &enquiry.address).ok_or(ComposeError::Address("from"))?,
        reply_to: None,
        to: vec![Mailbox::parse(&mailbox).ok_or(ComposeError::Address("to"))?],
        cc: Vec::new(),
        subject: enquiry.subject.clone(),
        text: enquiry.text.clone(),
        html: None,
        signature: String::new(),
        quoted: None,
        files: Vec::new(),
        message_id: format!("{}@customer.test", enquiry.message),
        in_reply_to: None,
        references: Vec::new(),
        at: enquiry.at.as_micros(),
        machine: None,
        locale: "en".to_owned(),
    };
    Ok(compose(&draft)?.bytes)
}

/// The enquiry as the intake gets it: written as a mail, read back, without an inbox row.
///
/// # Errors
/// As [`mail`].
pub fn enquiry(channel: &EmailChannel, config: &ChannelConfig, enquiry: &Enquiry) -> Result<Inbound, ComposeError> {
    let bytes = mail(config, enquiry)?;
    let inbox = InboxId::from_uuid(enquiry.message.uuid());
    let raw = Raw { inbox, message: enquiry.message, bytes: &bytes, envelope: json!({}), received_at: enquiry.at };
    let mut next = || AttachmentId::from_uuid(enquiry.message.uuid());
    let understood = channel.understand(config, &raw, &mut next).ok_or(ComposeError::NoRecipient)?;
    Ok(Inbound { inbox: None, ..understood.inbound })
}
