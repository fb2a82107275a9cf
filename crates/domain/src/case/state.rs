//! What a case is.

use crate::channel::ChannelKind;
use crate::closed::closed;
use crate::ids::{ChannelId, ConversationId, CustomerId, MessageId, ReasonId, SkillId, TeamId, UserId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Whom a waiting case waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitingOn {
    Customer,
    ThirdParty,
}

impl WaitingOn {
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::ThirdParty => "third_party",
        }
    }
}

/// Where a case stands. A state carries its own data, so that no combination is meaningless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// Nobody has taken it yet.
    New,
    Open,
    Waiting {
        on: WaitingOn,
        reason: String,
    },
    /// Out of the queue until a time; back at once when the customer writes.
    Snoozed {
        until: Timestamp,
    },
    Solved,
    /// Final: a later message opens a new case.
    Closed,
}

impl Status {
    pub const KEYS: [&'static str; 6] = ["new", "open", "waiting", "snoozed", "solved", "closed"];

    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::Waiting { .. } => "waiting",
            Self::Snoozed { .. } => "snoozed",
            Self::Solved => "solved",
            Self::Closed => "closed",
        }
    }
    /// Order in queues and filters, 0 = new … 5 = closed.
    #[must_use]
    pub const fn rank(&self) -> i64 {
        match self {
            Self::New => 0,
            Self::Open => 1,
            Self::Waiting { .. } => 2,
            Self::Snoozed { .. } => 3,
            Self::Solved => 4,
            Self::Closed => 5,
        }
    }
    /// Whether it uses up somebody's capacity.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        matches!(self, Self::New | Self::Open)
    }
}

#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
    Urgent,
}

impl Priority {
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Urgent];
    #[must_use]
    pub const fn rank(self) -> i64 {
        match self {
            Self::Low => 0,
            Self::Normal => 1,
            Self::High => 2,
            Self::Urgent => 3,
        }
    }
    #[must_use]
    pub const fn from_rank(rank: i64) -> Self {
        match rank {
            0 => Self::Low,
            2 => Self::High,
            3 => Self::Urgent,
            _ => Self::Normal,
        }
    }
}

closed! {
    /// How far a message got on its way out, if it is one of ours.
    pub enum DeliveryKey {
        /// Nothing to deliver.
        None = "none",
        Held = "held",
        Queued = "queued",
        Sent = "sent",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

/// What became of a message on its way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "delivery", rename_all = "snake_case")]
pub enum Delivery {
    /// Nothing to deliver: notes, what the customer wrote, hand-entered contacts.
    None,
    /// Held until then so that its author can take it back.
    Held {
        until: Timestamp,
    },
    Queued,
    Sent,
    Failed {
        code: String,
    },
    Cancelled,
}

impl Delivery {
    #[must_use]
    pub const fn key(&self) -> DeliveryKey {
        match self {
            Self::None => DeliveryKey::None,
            Self::Held { .. } => DeliveryKey::Held,
            Self::Queued => DeliveryKey::Queued,
            Self::Sent => DeliveryKey::Sent,
            Self::Failed { .. } => DeliveryKey::Failed,
            Self::Cancelled => DeliveryKey::Cancelled,
        }
    }
    const fn is_final(&self) -> bool {
        matches!(self, Self::None | Self::Sent | Self::Cancelled)
    }
}

/// A message of ours whose delivery has not ended well yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    pub author: Option<UserId>,
    #[serde(flatten)]
    pub delivery: Delivery,
    /// How the case stood before this answer, to go back to when it is taken back.
    pub before: Box<BeforeAnswer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeforeAnswer {
    #[serde(flatten)]
    pub status: Status,
    pub waiting_since: Option<Timestamp>,
    pub first_response_at: Option<Timestamp>,
    pub last_answer: Option<Answer>,
    pub solved_at: Option<Timestamp>,
}

/// The latest public answer by a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub by: UserId,
    pub at: Timestamp,
    pub message: MessageId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseState {
    pub number: i64,
    pub customer: CustomerId,
    /// The channel the case came in by.
    pub channel: ChannelId,
    pub channel_kind: ChannelKind,
    pub subject: String,
    /// Beginning of the latest public message.
    pub preview: String,
    #[serde(flatten)]
    pub status: Status,
    pub priority: Priority,
    pub team: Option<TeamId>,
    pub assignee: Option<UserId>,
    /// Not `reason` in JSON: that is the reason of the flattened [`Status::Waiting`].
    #[serde(rename = "reason_id")]
    pub reason: Option<ReasonId>,
    pub language: Option<String>,
    pub tags: BTreeSet<String>,
    pub required_skills: BTreeSet<SkillId>,
    pub conversations: Vec<ConversationId>,
    pub outgoing: BTreeMap<MessageId, Outgoing>,
    pub opened_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_message_at: Timestamp,
    /// The earliest customer message without a human answer.
    pub waiting_since: Option<Timestamp>,
    /// First public human reply (DOMAIN 2.3).
    pub first_response_at: Option<Timestamp>,
    pub last_answer: Option<Answer>,
    pub solved_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub reopened: u32,
}

impl CaseState {
    pub(super) fn set_delivery(&mut self, message: MessageId, delivery: Delivery) {
        if delivery.is_final() {
            self.outgoing.remove(&message);
        } else if let Some(outgoing) = self.outgoing.get_mut(&message) {
            outgoing.delivery = delivery;
        } else {
            let before = Box::new(self.before_answer());
            self.outgoing.insert(message, Outgoing { author: None, delivery, before });
        }
    }
    pub(super) fn before_answer(&self) -> BeforeAnswer {
        BeforeAnswer {
            status: self.status.clone(),
            waiting_since: self.waiting_since,
            first_response_at: self.first_response_at,
            last_answer: self.last_answer,
            solved_at: self.solved_at,
        }
    }
}
