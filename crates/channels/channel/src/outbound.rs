//! What goes out, and how that ends.

use domain::{AttachmentId, CaseId, ConversationId, MessageId, Timestamp};
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;

/// A file of the message, content loaded.
#[derive(Debug, Clone)]
pub struct Attached {
    pub id: AttachmentId,
    pub name: String,
    pub mime: String,
    pub inline: bool,
    pub content_id: Option<String>,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone)]
pub struct OutRecipient {
    pub name: String,
    pub address: String,
}

/// What a mail must refer to.
#[derive(Debug, Clone, Default)]
pub struct MailThread {
    /// Message-ID of the message answered, normalised.
    pub in_reply_to: Option<String>,
    /// Earlier Message-IDs, oldest first, normalised.
    pub references: Vec<String>,
    pub cc: Vec<OutRecipient>,
    /// The text answered, for quoting, with its author and time.
    pub quoted: Option<(String, Timestamp, String)>,
}

/// One message to a customer.
#[derive(Debug, Clone)]
pub struct Outbound {
    /// The idempotency key.
    pub message: MessageId,
    pub case: CaseId,
    pub case_number: i64,
    pub conversation: ConversationId,
    pub thread_key: String,
    pub to: OutRecipient,
    pub subject: String,
    pub text: String,
    /// Sanitised.
    pub html: Option<String>,
    pub author_name: String,
    pub signature: String,
    pub attachments: Vec<Attached>,
    pub automatic: bool,
    pub mail: MailThread,
    pub at: Timestamp,
    pub locale: String,
}

/// It was handed over.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// Message-IDs under which replies may come, normalised.
    pub message_ids: Vec<String>,
    pub meta: Value,
}

/// It was not.
#[derive(Debug, Clone)]
pub enum SendError {
    /// Worth another try; `code` is one of `domain::Code`'s wire names.
    Retry {
        code: String,
        detail: String,
    },
    Permanent {
        code: String,
        detail: String,
    },
}

pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Sent, SendError>> + Send + 'a>>;
