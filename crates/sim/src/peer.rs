//! The far end of a channel: takes mails, or refuses, or is away, as chance wills.

use channel::futures::Checking;
use channel::{Capabilities, Channel, ChannelConfig, Outbound, SendError, Sending, Sent};
use domain::case::Route;
use domain::{ChannelKind, MessageId, Rejection};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use testkit::SeededRandom;

/// How often each message reached the far end.
pub(crate) type Reached = Arc<Mutex<HashMap<MessageId, u32>>>;

pub(crate) struct Peer {
    pub(crate) kind: ChannelKind,
    pub(crate) dice: Arc<SeededRandom>,
    pub(crate) reached: Reached,
}

impl Channel for Peer {
    fn kind(&self) -> ChannelKind {
        self.kind
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { replies: true, html: true, attachments: true, typing: false, manual: false }
    }

    fn route(&self, _: &ChannelConfig) -> Route {
        if self.kind.holds_replies() { Route::Hold } else { Route::Direct }
    }

    fn settings(&self, settings: &Value) -> Result<Value, Rejection> {
        Ok(settings.clone())
    }

    fn secret_fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn send<'a>(&'a self, _: &'a ChannelConfig, message: &'a Outbound) -> Sending<'a> {
        Box::pin(async move {
            let away = || ("busy".to_owned(), "the far server is away".to_owned());
            match self.dice.next() % 10 {
                0 | 1 => {
                    let (code, detail) = away();
                    Err(SendError::Retry { code, detail })
                }
                2 => {
                    let (code, detail) = ("delivery_rejected".to_owned(), "no such mailbox".to_owned());
                    Err(SendError::Permanent { code, detail })
                }
                _ => {
                    *self.reached.lock().unwrap().entry(message.message).or_insert(0) += 1;
                    Ok(Sent { message_ids: vec![format!("{}@sim", message.message)], meta: Value::Null })
                }
            }
        })
    }

    fn check<'a>(&'a self, _: &'a ChannelConfig) -> Checking<'a> {
        Box::pin(async { Vec::new() })
    }
}
