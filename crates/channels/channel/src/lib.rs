//! What every channel is: a way in that yields an [`Inbound`], and a way out that takes an [`Outbound`].
//!
//! Owns the trait and the words; no protocol and no business rule. A protocol crate turns what it hears into an
//! [`Inbound`] and hands it to the one intake (feature `conversations`), so that the same enquiry gives the same case
//! on every channel; the conformance suite in the integration tests proves it. Start reading at [`Channel`].
#![forbid(unsafe_code)]

mod config;
mod inbound;
mod intake;
pub mod once;
mod outbound;
mod queue;
mod receiver;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
pub mod uploads;

pub use config::{ChannelConfig, Check, CheckState};
pub use inbound::{
    Bounce, Inbound, MailEvidence, NewAttachment, Participant, ParticipantRole, Raw, RawFile, Sender, Thread,
    Understood,
};
pub use intake::{Intake, Received};
pub use outbound::{Attached, MailThread, OutRecipient, Outbound, SendError, Sending, Sent};
pub use queue::{NoQueue, QueueInfo, QueuePlace};
pub use receiver::{Acceptor, MailboxPosition, ReceiveError, Receiver, Receiving, Sink};

use domain::ChannelKind;
use domain::case::Route;

/// What a channel can do; the desk offers no more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Capabilities {
    pub replies: bool,
    pub html: bool,
    pub attachments: bool,
    /// The other side can see that somebody is typing, and we see it of them.
    pub typing: bool,
    /// Contacts are entered by hand.
    pub manual: bool,
}

/// One protocol.
pub trait Channel: Send + Sync {
    fn kind(&self) -> ChannelKind;

    fn capabilities(&self) -> Capabilities;

    /// How an answer travels on this channel, settings given.
    fn route(&self, config: &ChannelConfig) -> Route;

    /// Checks settings somebody entered, and brings them into their stored form. Secrets are not in here.
    ///
    /// # Errors
    /// A rejection naming the field.
    fn settings(&self, settings: &serde_json::Value) -> Result<serde_json::Value, domain::Rejection>;

    /// Names of the secrets among the settings: sealed, written, never read back.
    fn secret_fields(&self) -> &'static [&'static str];

    /// Reads a raw message. Never fails: what can't be understood is handed over as raw text, marked so in `meta`.
    /// Channels that receive structured input have no raw messages and answer `None`.
    fn understand(
        &self,
        _config: &ChannelConfig,
        _raw: &Raw<'_>,
        _next_id: &mut dyn FnMut() -> domain::AttachmentId,
    ) -> Option<Understood> {
        None
    }

    /// Delivers one message. Called at least once per message; `Outbound::message` is the idempotency key.
    fn send<'a>(&'a self, config: &'a ChannelConfig, message: &'a Outbound) -> Sending<'a>;

    /// Tries the connection and says what is wrong, for the set-up page.
    fn check<'a>(&'a self, config: &'a ChannelConfig) -> futures::Checking<'a>;
}

/// Boxed futures of this crate.
pub mod futures {
    use crate::Check;
    use std::future::Future;
    use std::pin::Pin;

    pub type Checking<'a> = Pin<Box<dyn Future<Output = Vec<Check>> + Send + 'a>>;
}
