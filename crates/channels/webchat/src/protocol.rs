//! Web chat as a [`Channel`]: an answer is delivered by being stored, the widget fetches it.

use crate::settings::{self, SECRET_BYTES, Settings};
use channel::futures::Checking;
use channel::{Capabilities, Channel, ChannelConfig, Check, CheckState, Outbound, Sending, Sent};
use domain::case::Route;
use domain::{ChannelKind, Rejection};
use serde_json::{Value, json};

/// The protocol.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebchatChannel;

impl Channel for WebchatChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Webchat
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { replies: true, html: false, attachments: true, typing: true, manual: false }
    }

    fn route(&self, _: &ChannelConfig) -> Route {
        Route::Direct
    }

    fn settings(&self, settings: &Value) -> Result<Value, Rejection> {
        settings::checked(settings)
    }

    fn secret_fields(&self) -> &'static [&'static str] {
        &["identity_secret"]
    }

    /// Nothing to do: it was delivered when it was stored.
    fn send<'a>(&'a self, _: &'a ChannelConfig, _: &'a Outbound) -> Sending<'a> {
        Box::pin(async { Ok(Sent::default()) })
    }

    fn check<'a>(&'a self, config: &'a ChannelConfig) -> Checking<'a> {
        Box::pin(async move {
            let origins = config.read::<Settings>().map(|s| s.origins.len()).unwrap_or(0);
            let origins = if origins == 0 {
                Check::new("origins", CheckState::Warn, "required", json!({}))
            } else {
                Check::new("origins", CheckState::Ok, "ok", json!({ "count": origins }))
            };
            let secret = match config.secret("identity_secret") {
                None => Check::new("identity_secret", CheckState::Warn, "required", json!({})),
                Some(secret) if secret.expose().len() < SECRET_BYTES => {
                    Check::new("identity_secret", CheckState::Fail, "too_short", json!({ "min": SECRET_BYTES }))
                }
                Some(_) => Check::new("identity_secret", CheckState::Ok, "ok", json!({})),
            };
            vec![origins, secret]
        })
    }
}
