//! What can be asked of a case.

use super::state::{Delivery, Priority, WaitingOn};
use crate::channel::ChannelKind;
use crate::ids::{
    AttachmentId, CaseId, ChannelId, ConversationId, CustomerId, InboxId, MessageId, ReasonId, SkillId, TeamId, UserId,
};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// The content of a message. It goes to the message table; events carry only its id and a preview,
/// so that a person's words can be erased without rewriting history.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub id: MessageId,
    pub conversation: ConversationId,
    /// When it was written, as far as we know; the case uses the time it reached us.
    pub sent_at: Timestamp,
    pub author_name: String,
    /// Written by a machine (auto-reply, acknowledgement), not by a person.
    pub automatic: bool,
    pub text: String,
    pub html: Option<String>,
    /// The part that only repeats earlier messages.
    pub quoted: String,
    /// Facts of the protocol, e.g. mail headers (`MailMeta` in JSON).
    pub meta: Value,
    pub attachments: Vec<AttachmentId>,
    pub inbox: Option<InboxId>,
    /// Message-IDs under which replies may refer to it.
    pub references: Vec<String>,
}

/// How an answer reaches the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Held for the undo delay, then queued.
    Hold,
    /// Queued at once.
    Queue,
    /// Stored is delivered: the other side fetches it (web chat).
    Direct,
    /// There is no way to this customer.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    Stay,
    Waiting,
    Solved,
}

/// Why somebody was assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignedBy {
    Person,
    Pick,
    /// Answering an unassigned case takes it.
    Answer,
    Routing,
    /// The assignee can work no longer (left, offline): back to the queue.
    Released,
}

#[derive(Clone, Debug)]
pub struct NewConversation {
    pub id: ConversationId,
    pub channel: ChannelId,
    pub channel_kind: ChannelKind,
    pub customer: CustomerId,
    /// How the channel finds it again.
    pub thread_key: String,
}

#[derive(Clone, Debug)]
pub enum CaseCommand {
    Open {
        number: i64,
        conversation: NewConversation,
        subject: String,
        priority: Priority,
        team: Option<TeamId>,
        reason: Option<ReasonId>,
        language: Option<String>,
        required_skills: BTreeSet<SkillId>,
    },
    /// A further conversation of the same matter, on whatever channel.
    Join(NewConversation),
    /// The customer said something.
    Receive {
        message: NewMessage,
    },
    /// A person or (with actor System) the system answers.
    Reply {
        message: NewMessage,
        route: Route,
        then: Then,
        /// Time of the latest message the author had seen.
        seen_at: Option<Timestamp>,
        force: bool,
    },
    Note {
        message: NewMessage,
        mentions: Vec<UserId>,
    },
    Undo {
        message: MessageId,
    },
    Retry {
        message: MessageId,
    },
    /// The channel reports how far a message got.
    Delivery {
        message: MessageId,
        delivery: Delivery,
    },
    /// The undo delay is over.
    Release {
        message: MessageId,
    },
    SetOpen,
    SetWaiting {
        on: WaitingOn,
        reason: String,
    },
    Snooze {
        until: Timestamp,
    },
    /// The snooze time has come.
    Wake,
    Solve,
    Close,
    Assign {
        team: Option<TeamId>,
        assignee: Option<UserId>,
        by: AssignedBy,
        note: String,
    },
    Edit(CaseEdit),
    /// A message that belongs elsewhere leaves / arrives.
    MoveOut {
        message: MessageId,
        conversation: ConversationId,
        to: CaseId,
        /// The earliest customer message without an answer among those that stay.
        waiting_since: Option<Timestamp>,
    },
    MoveIn {
        message: MessageId,
        conversation: ConversationId,
        from: CaseId,
        preview: String,
        from_customer: bool,
    },
}

/// Changes of fields; `None` leaves a field alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CaseEdit {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::customer::double_option")]
    pub reason: Option<Option<ReasonId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeSet<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::customer::double_option")]
    pub language: Option<Option<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_skills: Option<BTreeSet<SkillId>>,
    /// Set when a visitor turns out to be a known customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
}
