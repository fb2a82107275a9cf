//! Raw messages on their way in: who listens, and whom it hands them to.
//!
//! A protocol crate implements [`Receiver`] (it goes and fetches: IMAP) or calls an [`Acceptor`] (it is called: SMTP).
//! Both hand over bytes that are stored durably before the other side hears that they were taken.

use crate::ChannelConfig;
use domain::{ChannelKind, InboxId};
use serde_json::Value;
use spine::Refusal;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::watch;

pub type Receiving<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where a mailbox was read up to. UIDs are valid only together with their UIDVALIDITY (RFC 9051 section 2.3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MailboxPosition {
    pub uid_validity: i64,
    pub last_uid: i64,
}

/// Why a receiver stopped. `code` is one of `domain::Code`'s wire names, `detail` is for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiveError {
    pub code: String,
    pub detail: String,
}

impl From<Refusal> for ReceiveError {
    fn from(refusal: Refusal) -> Self {
        Self { code: domain::Code::Internal.as_str().to_owned(), detail: refusal.to_string() }
    }
}

/// What a receiver hands its messages to.
pub trait Sink: Send + Sync {
    /// Up to where the mailbox was read.
    fn position(&self) -> Receiving<'_, Result<MailboxPosition, Refusal>>;

    /// Stores one message. When this returns, it is safe on disk and the position has moved to it.
    /// The same UID, or the same mail by another way, stores nothing a second time.
    fn take(&self, at: MailboxPosition, bytes: Vec<u8>) -> Receiving<'_, Result<InboxId, Refusal>>;

    /// Moves the position without a message (a new UIDVALIDITY, a message that is gone).
    fn skip(&self, to: MailboxPosition) -> Receiving<'_, Result<(), Refusal>>;

    /// The connection stands and the mailbox is open: clears the last error.
    fn connected(&self) -> Receiving<'_, ()>;
}

/// Fetches messages of one kind of channel.
pub trait Receiver: Send + Sync {
    fn kind(&self) -> ChannelKind;

    /// Whether this channel is set up to be fetched from.
    fn wanted(&self, config: &ChannelConfig) -> bool;

    /// Fetches until `stop` becomes true (then `Ok`) or something fails; whoever called it calls again after a pause.
    fn run(
        &self,
        config: ChannelConfig,
        sink: Arc<dyn Sink>,
        stop: watch::Receiver<bool>,
    ) -> Receiving<'static, Result<(), ReceiveError>>;
}

/// Where a message goes that is brought to us, and its taking in.
pub trait Acceptor: Send + Sync {
    /// The channel behind an address, plus addresses (`support+x@`) included; `None` for an address of nobody's.
    fn recipient<'a>(&'a self, address: &'a str) -> Receiving<'a, Result<Option<ChannelConfig>, Refusal>>;

    /// Stores one message for one recipient. When this returns, it is safe on disk.
    fn accept<'a>(
        &'a self,
        config: &'a ChannelConfig,
        recipient: &'a str,
        envelope: Value,
        bytes: Vec<u8>,
    ) -> Receiving<'a, Result<InboxId, Refusal>>;
}
