//! Bring your own as a [`Channel`].

use crate::push;
use crate::settings::{self, Settings};
use channel::futures::Checking;
use channel::{Capabilities, Channel, ChannelConfig, Check, CheckState, Outbound, SendError, Sending};
use domain::case::Route;
use domain::{ChannelKind, Code, Rejection};
use serde_json::{Value, json};
use spine::Edges;
use web::outbound;

/// The protocol. Holds the client for pushes and the clock their signatures need.
#[derive(Clone)]
pub struct ApiChannel {
    client: outbound::Outbound,
    edges: Edges,
}

impl ApiChannel {
    #[must_use]
    pub fn new(client: outbound::Outbound, edges: Edges) -> Self {
        Self { client, edges }
    }

    async fn hand_over(&self, config: &ChannelConfig, message: &Outbound) -> Result<channel::Sent, SendError> {
        let settings: Settings = config.read().map_err(|refusal| permanent(Code::Invalid, refusal))?;
        match settings.outbound_url {
            Some(url) => push::send(&self.client, self.edges.clock.now(), (config, &url), message).await,
            // It stays queued until it was fetched and marked as delivered; never fetched, it fails in the end and
            // an agent sees it.
            None => {
                Err(SendError::Retry { code: Code::Busy.as_str().to_owned(), detail: "not fetched yet".to_owned() })
            }
        }
    }
}

pub(crate) fn permanent(code: Code, detail: impl core::fmt::Display) -> SendError {
    SendError::Permanent { code: code.as_str().to_owned(), detail: detail.to_string() }
}

impl Channel for ApiChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Api
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { replies: true, html: true, attachments: true, typing: false, manual: false }
    }

    fn route(&self, _: &ChannelConfig) -> Route {
        Route::Queue
    }

    fn settings(&self, settings: &Value) -> Result<Value, Rejection> {
        settings::checked(settings)
    }

    fn secret_fields(&self) -> &'static [&'static str] {
        &["outbound_secret"]
    }

    fn send<'a>(&'a self, config: &'a ChannelConfig, message: &'a Outbound) -> Sending<'a> {
        Box::pin(self.hand_over(config, message))
    }

    fn check<'a>(&'a self, config: &'a ChannelConfig) -> Checking<'a> {
        Box::pin(async move {
            let pushes = config.read::<Settings>().ok().and_then(|s| s.outbound_url).is_some();
            let secret = config.secret("outbound_secret").is_some();
            let (state, code) = match (pushes, secret) {
                (true, false) => (CheckState::Fail, "required"),
                _ => (CheckState::Ok, "ok"),
            };
            vec![Check::new("outbound_secret", state, code, json!({ "pushes": pushes }))]
        })
    }
}
