//! Contacts that an agent writes down: a call, a visit at the counter. There is no protocol and no route of its own:
//! feature `conversations` takes the entry, and an answer goes by the workspace's mailbox when the customer has an
//! address.
//!
//! It must never pretend to deliver anything itself. The whole crate is [`ManualChannel`].
#![forbid(unsafe_code)]

use channel::futures::Checking;
use channel::{Capabilities, Channel, ChannelConfig, Outbound, SendError, Sending};
use domain::case::Route;
use domain::{ChannelKind, Code, Rejection};
use serde_json::{Value, json};

/// Phone or counter.
#[derive(Debug, Clone, Copy)]
pub struct ManualChannel {
    kind: ChannelKind,
}

impl ManualChannel {
    #[must_use]
    pub const fn phone() -> Self {
        Self { kind: ChannelKind::Phone }
    }

    #[must_use]
    pub const fn counter() -> Self {
        Self { kind: ChannelKind::Counter }
    }
}

impl Channel for ManualChannel {
    fn kind(&self) -> ChannelKind {
        self.kind
    }

    /// Whoever answers writes plain text: it may have to be read out.
    fn capabilities(&self) -> Capabilities {
        Capabilities { replies: true, html: false, attachments: true, typing: false, manual: true }
    }

    /// By mail, held like every mail so that it can be taken back. Whether this customer has an address only the
    /// conversation knows; without one the reply is refused there (`no_way_to_reply`).
    fn route(&self, _: &ChannelConfig) -> Route {
        Route::Hold
    }

    fn settings(&self, settings: &Value) -> Result<Value, Rejection> {
        match settings {
            Value::Null => Ok(json!({})),
            Value::Object(fields) if fields.is_empty() => Ok(json!({})),
            _ => Err(Rejection::new(Code::Invalid).on("settings")),
        }
    }

    fn secret_fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn send<'a>(&'a self, _: &'a ChannelConfig, _: &'a Outbound) -> Sending<'a> {
        Box::pin(async {
            let code = Code::NoWayToReply.as_str().to_owned();
            Err(SendError::Permanent { code, detail: "a hand-entered contact is answered by a mailbox".to_owned() })
        })
    }

    fn check<'a>(&'a self, _: &'a ChannelConfig) -> Checking<'a> {
        Box::pin(async { Vec::new() })
    }
}

#[cfg(feature = "testing")]
pub mod testing {
    //! The conformance suite's enquiry as an agent would write it down.

    use channel::testing::Enquiry;
    use channel::{ChannelConfig, Inbound, Sender, Thread};
    use domain::case::Priority;
    use domain::customer::{CustomerIdentity, IdentityKind, Level};

    /// The caller gave an address, which nobody has proven.
    #[must_use]
    pub fn enquiry(_: &ChannelConfig, enquiry: &Enquiry) -> Inbound {
        let identity =
            CustomerIdentity { kind: IdentityKind::Email, address: enquiry.address.clone(), level: Level::Claimed };
        Inbound {
            message: enquiry.message,
            inbox: None,
            sender: Sender { name: enquiry.name.clone(), identities: vec![identity], customer: None },
            thread: Thread::New,
            participants: Vec::new(),
            subject: enquiry.subject.clone(),
            text: enquiry.text.clone(),
            html: None,
            quoted: String::new(),
            files: Vec::new(),
            uploads: Vec::new(),
            sent_at: enquiry.at,
            automatic: false,
            language: None,
            priority: Priority::Normal,
            reason: None,
            meta: serde_json::json!({}),
            message_ids: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_nothing_to_set() {
        for (given, fine) in [(json!({}), true), (Value::Null, true), (json!({ "a": 1 }), false), (json!([]), false)] {
            assert_eq!(ManualChannel::phone().settings(&given).is_ok(), fine, "{given}");
        }
    }

    #[test]
    fn two_kinds() {
        assert_eq!(ManualChannel::phone().kind(), ChannelKind::Phone);
        assert_eq!(ManualChannel::counter().kind(), ChannelKind::Counter);
        assert!(ManualChannel::counter().capabilities().manual);
    }
}
