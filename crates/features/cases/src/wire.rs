//! What the desk reads: the JSON shapes of this feature. Inner names never leave by accident, because only these
//! types are serialised, and they are filled field by field.

use domain::case::{CaseState, DeliveryKey, Priority, WaitingOn};
use domain::filter::{Filter, StatusKey};
use domain::{
    ActorKind, AttachmentId, CannedReplyId, CaseId, ChannelId, ChannelKind, ConversationId, MessageId, ReasonId,
    SkillId, TeamId, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Something with a name: a customer, agent, team, skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NameRef {
    #[schema(value_type = String, format = "uuid")]
    pub id: Uuid,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChannelRef {
    pub id: ChannelId,
    pub kind: ChannelKind,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReasonRef {
    pub id: ReasonId,
    pub name_zh: String,
    pub name_en: String,
}

/// One line of a list of cases.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CaseRow {
    pub id: CaseId,
    pub number: i64,
    pub subject: String,
    pub preview: String,
    #[schema(value_type = StatusKey)]
    pub status: String,
    #[schema(required = true, value_type = Option<WaitingOn>)]
    pub waiting_on: Option<String>,
    #[schema(required = true)]
    pub snoozed_until: Option<Timestamp>,
    pub priority: Priority,
    pub channel: ChannelRef,
    pub customer: NameRef,
    #[schema(required = true)]
    pub assignee: Option<NameRef>,
    #[schema(required = true)]
    pub team: Option<NameRef>,
    #[schema(required = true)]
    pub reason: Option<ReasonRef>,
    pub tags: Vec<String>,
    #[schema(required = true)]
    pub language: Option<String>,
    pub opened_at: Timestamp,
    pub last_message_at: Timestamp,
    /// The earliest customer message without an answer.
    #[schema(required = true)]
    pub waiting_since: Option<Timestamp>,
    #[schema(required = true)]
    pub solved_at: Option<Timestamp>,
    pub version: i64,
    /// Something happened since this agent last looked.
    pub unread: bool,
}

/// Whether an action is open to this caller now, and if not, why: a code that the interface translates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Permit {
    pub allowed: bool,
    #[schema(required = true)]
    pub reason: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CanStatus {
    pub open: Permit,
    pub waiting: Permit,
    pub solved: Permit,
    pub closed: Permit,
}

/// What this caller may do with the case (I8): the interface derives no rule itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Can {
    pub reply: Permit,
    pub note: Permit,
    pub assign: Permit,
    pub pick: Permit,
    pub status: CanStatus,
    pub snooze: Permit,
    pub edit: Permit,
    #[serde(rename = "move")]
    pub relocate: Permit,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Conversation {
    pub id: ConversationId,
    pub channel: ChannelRef,
    pub opened_at: Timestamp,
}

/// A case as the desk shows it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Case)]
pub struct CaseDetail {
    #[serde(flatten)]
    pub row: CaseRow,
    pub conversations: Vec<Conversation>,
    pub required_skills: Vec<NameRef>,
    /// How often it was opened again.
    pub reopened: u32,
    pub can: Can,
    /// What the rules looked at; not for the wire.
    #[serde(skip)]
    #[schema(ignore)]
    pub state: Box<CaseState>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Attachment {
    pub id: AttachmentId,
    pub name: String,
    pub mime: String,
    /// In bytes.
    pub size: i64,
    pub inline: bool,
    /// In pixels; only for images that were decoded.
    #[schema(required = true)]
    pub width: Option<i32>,
    #[schema(required = true)]
    pub height: Option<i32>,
    pub url: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Person {
    pub kind: ActorKind,
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub id: Option<Uuid>,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeliveryError {
    pub code: String,
    #[schema(value_type = Object)]
    pub params: BTreeMap<String, Value>,
}

/// Facts of a mail, as the intake wrote them down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct MailFacts {
    pub from: String,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub subject: String,
    /// How the mail found this case.
    #[schema(required = true)]
    pub match_reason: Option<String>,
    /// `participant` or `stranger`
    #[schema(required = true)]
    pub sender: Option<String>,
    pub unparsable: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Message {
    pub id: MessageId,
    pub conversation_id: ConversationId,
    pub channel_kind: ChannelKind,
    pub at: Timestamp,
    pub author: Person,
    /// Only agents see it.
    pub note: bool,
    pub automatic: bool,
    pub text: String,
    pub has_html: bool,
    /// Its HTML wants pictures from other servers.
    pub has_remote: bool,
    pub quoted_text: String,
    pub attachments: Vec<Attachment>,
    pub delivery: DeliveryKey,
    #[schema(required = true)]
    pub delivery_error: Option<DeliveryError>,
    /// Until when it can be taken back.
    #[schema(required = true)]
    pub held_until: Option<Timestamp>,
    #[schema(required = true)]
    pub mail: Option<MailFacts>,
}

/// One thing in a case's history.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    Message {
        at: Timestamp,
        message: Box<Message>,
    },
    Event {
        at: Timestamp,
        actor: Person,
        /// `case.assigned` and so on
        kind: String,
        #[schema(value_type = Object)]
        data: Value,
        /// Names of the ids in `data`.
        names: BTreeMap<String, String>,
    },
}

/// A saved or built-in view.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct View {
    /// A word for built-in views, else a uuid.
    pub id: String,
    /// Empty for built-in views: the interface names them.
    pub name: String,
    pub scope: ViewScope,
    #[schema(required = true)]
    pub team_id: Option<TeamId>,
    pub filter: Filter,
    pub sort: Sort,
    /// At most 1000, which then means "or more".
    #[schema(required = true)]
    pub count: Option<i64>,
    /// Whether this caller may change or delete it.
    pub editable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViewScope {
    Builtin,
    Mine,
    Team,
    Shared,
}

/// Order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Who has waited longest first; then what waits for nobody, latest first.
    Waiting,
    /// Latest message first.
    #[default]
    Newest,
    /// Latest message last.
    Oldest,
    /// Most urgent first, then as `waiting`.
    Priority,
}

impl Sort {
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Newest, Self::Oldest, Self::Priority];
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Priority => "priority",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.key() == text)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    pub id: ReasonId,
    #[schema(required = true)]
    pub parent_id: Option<ReasonId>,
    pub name_zh: String,
    pub name_en: String,
    pub required_skills: Vec<SkillId>,
    pub active: bool,
    pub position: i32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CannedReply {
    pub id: CannedReplyId,
    pub shortcut: String,
    pub title: String,
    #[schema(required = true)]
    pub language: Option<String>,
    #[schema(required = true)]
    pub team_id: Option<TeamId>,
    pub body: String,
    pub uses: i64,
}

/// What an agent has written and not sent yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Draft {
    pub text: String,
    #[schema(required = true)]
    pub html: Option<String>,
    pub note: bool,
    pub attachments: Vec<Attachment>,
    /// Null when there is no draft.
    #[schema(required = true)]
    pub updated_at: Option<Timestamp>,
}

/// The stored form of a draft, and what the desk sends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DraftBody {
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub html: Option<String>,
    #[serde(default)]
    pub note: bool,
    #[serde(default)]
    pub attachments: Vec<AttachmentId>,
}
