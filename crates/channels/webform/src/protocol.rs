//! The form as a [`Channel`]: it only takes in; answers go by the workspace's mailbox to the address given.

use crate::settings::{self, Settings};
use channel::futures::Checking;
use channel::{Capabilities, Channel, ChannelConfig, Check, CheckState, Outbound, SendError, Sending};
use domain::case::Route;
use domain::{ChannelKind, Code, Rejection};
use serde_json::{Value, json};

/// The protocol.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebformChannel;

impl Channel for WebformChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Webform
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { replies: true, html: true, attachments: true, typing: false, manual: false }
    }

    fn route(&self, _: &ChannelConfig) -> Route {
        Route::Hold
    }

    fn settings(&self, settings: &Value) -> Result<Value, Rejection> {
        settings::checked(settings)
    }

    fn secret_fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn send<'a>(&'a self, _: &'a ChannelConfig, _: &'a Outbound) -> Sending<'a> {
        Box::pin(async {
            let code = Code::NoWayToReply.as_str().to_owned();
            Err(SendError::Permanent { code, detail: "a form is answered by a mailbox".to_owned() })
        })
    }

    fn check<'a>(&'a self, config: &'a ChannelConfig) -> Checking<'a> {
        Box::pin(async move {
            let state = if config.read::<Settings>().is_ok() { CheckState::Ok } else { CheckState::Fail };
            vec![Check::new("settings", state, "ok", json!({}))]
        })
    }
}
