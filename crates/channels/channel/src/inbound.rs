//! What came in, in the one form every channel brings it to.

use domain::case::Priority;
use domain::customer::CustomerIdentity;
use domain::{AttachmentId, CaseId, ConversationId, CustomerId, InboxId, MessageId, ReasonId, Timestamp};
use serde_json::Value;

/// Who wrote.
#[derive(Debug, Clone, Default)]
pub struct Sender {
    pub name: String,
    /// The first one that is at least on level `channel` finds the customer; the others are added to them.
    pub identities: Vec<CustomerIdentity>,
    /// Set when the channel knows the customer for sure (a widget session).
    pub customer: Option<CustomerId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantRole {
    Requester,
    Copied,
}

/// Somebody else in a mail thread. Copied people hear what comes, never what was (SECURITY row 5).
#[derive(Debug, Clone)]
pub struct Participant {
    pub address: String,
    pub role: ParticipantRole,
}

/// What a mail says about where it belongs, tokens already verified by the e-mail channel.
#[derive(Debug, Clone, Default)]
pub struct MailEvidence {
    /// Case proven by a keyed reply token in the address or in a Message-ID of ours.
    pub reply_token: Option<CaseId>,
    /// Case proven by a keyed subject token.
    pub subject_token: Option<CaseId>,
    /// Case number proven by a keyed subject token (the token in a subject is short and names the number, not the id).
    pub subject_number: Option<i64>,
    /// Message-IDs of In-Reply-To, normalised (lower case, no angle brackets).
    pub in_reply_to: Vec<String>,
    /// Message-IDs of References, oldest first, normalised.
    pub references: Vec<String>,
    /// Sender's address, normalised.
    pub from: String,
    /// Subject without Re:, Fwd:, tokens; for matching by participants.
    pub subject: String,
}

/// Where the message belongs.
#[derive(Debug, Clone)]
pub enum Thread {
    /// The channel's own key of the conversation (a visitor, an outside thread id).
    Key(String),
    /// A conversation that the channel has found in this transaction, of a case that takes messages.
    Known {
        case: CaseId,
        conversation: ConversationId,
        customer: CustomerId,
    },
    Mail(MailEvidence),
    /// Always a new case (a form, a hand-entered contact).
    New,
}

/// A file that came with a message, content already stored in `spine::Files`.
#[derive(Debug, Clone)]
pub struct NewAttachment {
    pub id: AttachmentId,
    pub hash: spine::ContentHash,
    pub size: i64,
    pub name: String,
    pub mime: String,
    pub inline: bool,
    pub content_id: Option<String>,
    /// Pixels, only for images that were decoded to verify them.
    pub pixels: Option<(i32, i32)>,
}

/// One message from outside, ready for the intake. Everything in it is untrusted text.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// Made by the client (widget, form, API) or once per inbox row (mail): the same id is the same message.
    pub message: MessageId,
    pub inbox: Option<InboxId>,
    pub sender: Sender,
    pub thread: Thread,
    pub participants: Vec<Participant>,
    pub subject: String,
    pub text: String,
    /// Sanitised, remote content blocked.
    pub html: Option<String>,
    pub quoted: String,
    pub files: Vec<NewAttachment>,
    /// Uploaded beforehand by the same visitor.
    pub uploads: Vec<AttachmentId>,
    pub sent_at: Timestamp,
    /// A machine wrote it: it neither wakes a case nor is answered by a machine.
    pub automatic: bool,
    pub language: Option<String>,
    pub priority: Priority,
    pub reason: Option<ReasonId>,
    /// Facts of the protocol for the desk (mail headers and so on), never shown to customers.
    pub meta: Value,
    /// Message-IDs under which replies may refer to this message, normalised.
    pub message_ids: Vec<String>,
}

/// A raw message as it was received (a mail), before anybody has understood it.
#[derive(Debug, Clone)]
pub struct Raw<'a> {
    pub inbox: InboxId,
    /// The id the message will have, fixed at receipt so that reading it twice gives one message.
    pub message: MessageId,
    pub bytes: &'a [u8],
    /// SMTP envelope or IMAP facts.
    pub envelope: Value,
    pub received_at: Timestamp,
}

/// A file of a raw message, not stored yet.
#[derive(Debug, Clone)]
pub struct RawFile {
    pub id: AttachmentId,
    pub bytes: Vec<u8>,
    pub name: String,
    pub mime: String,
    pub inline: bool,
    pub content_id: Option<String>,
}

/// A delivery report about a message of ours.
#[derive(Debug, Clone)]
pub struct Bounce {
    /// Message-IDs it may be about, normalised.
    pub message_ids: Vec<String>,
    pub permanent: bool,
    pub detail: String,
}

/// What a raw message says.
#[derive(Debug, Clone)]
pub struct Understood {
    /// `files` is empty: they are in `raw_files` and stored by the intake.
    pub inbound: Inbound,
    pub raw_files: Vec<RawFile>,
    pub bounce: Option<Bounce>,
}
