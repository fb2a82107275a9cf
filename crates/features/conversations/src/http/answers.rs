//! What the routes answer and take.

use crate::store::ChannelRow;
use channel::ChannelConfig;
use domain::case::Priority;
use domain::{
    CaseId, ChannelId, ChannelKind, ConversationId, CustomerId, InboxId, MessageId, ReasonId, SkillId, TeamId,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spine::Refusal;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// A configured channel. Secrets are never read back, only whether they are there.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = ChannelSettings)]
pub(crate) struct Channel {
    pub id: ChannelId,
    pub kind: ChannelKind,
    pub name: String,
    pub brand: String,
    /// Names a widget or form in its address; the address of a mailbox.
    pub public_key: String,
    pub active: bool,
    #[schema(required = true)]
    pub team_id: Option<TeamId>,
    #[schema(required = true)]
    pub language: Option<String>,
    pub required_skills: BTreeSet<SkillId>,
    #[schema(value_type = Object)]
    pub settings: Value,
    /// By name: whether it is set.
    pub has_secrets: BTreeMap<String, bool>,
}

impl Channel {
    /// `names`: the secrets that this kind of channel has.
    pub fn of(config: ChannelConfig, names: &[&str]) -> Self {
        let has_secrets = names.iter().map(|n| ((*n).to_owned(), config.secret(n).is_some())).collect();
        Self {
            id: config.id,
            kind: config.kind,
            name: config.name,
            brand: config.brand,
            public_key: config.public_key,
            active: config.active,
            team_id: config.team,
            language: config.language,
            required_skills: config.required_skills,
            settings: config.settings,
            has_secrets,
        }
    }
}

/// A channel just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedChannel {
    #[serde(flatten)]
    pub channel: Channel,
    /// Signs visitors' identities; only for web chat, shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_secret: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IdentitySecret {
    /// Shown this once.
    pub identity_secret: String,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct NewChannel {
    pub kind: ChannelKind,
    pub name: String,
    #[serde(default)]
    pub brand: String,
    #[serde(default)]
    pub team_id: Option<TeamId>,
    #[serde(default)]
    pub language: Option<String>,
    #[serde(default)]
    pub required_skills: BTreeSet<SkillId>,
    /// With secrets among them; those are sealed and never read back.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub settings: Value,
    #[serde(default = "yes")]
    pub active: bool,
}

const fn yes() -> bool {
    true
}

/// What is not given stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub(crate) struct ChannelChange {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub brand: Option<String>,
    #[serde(default, deserialize_with = "web::given")]
    #[schema(value_type = Option<TeamId>)]
    pub team_id: Option<Option<TeamId>>,
    #[serde(default, deserialize_with = "web::given")]
    #[schema(value_type = Option<String>)]
    pub language: Option<Option<String>>,
    #[serde(default)]
    pub required_skills: Option<BTreeSet<SkillId>>,
    /// Each field given replaces the one that is there; an empty secret is removed.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub settings: Option<Value>,
    #[serde(default)]
    pub active: Option<bool>,
}

/// Something that came in and could not be understood.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailedMessage {
    pub id: InboxId,
    pub channel: ChannelName,
    pub received_at: Timestamp,
    pub size: i64,
    /// `unparsable` (there is a case that shows its text), `error`, or the code of the rule that refused it.
    pub outcome: String,
    #[schema(required = true)]
    pub case_id: Option<CaseId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelName {
    pub id: ChannelId,
    pub name: String,
}

/// Who called or stood at the counter: somebody known, or what they said of themselves.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct Contacted {
    #[serde(default)]
    pub id: Option<CustomerId>,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub phone: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
}

/// A contact entered by hand.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct NewContact {
    /// Made by the client; the same one is the same contact.
    #[serde(default)]
    pub message_id: Option<MessageId>,
    pub channel_id: ChannelId,
    pub customer: Contacted,
    #[serde(default)]
    pub subject: String,
    pub text: String,
    #[serde(default)]
    pub priority: Priority,
    #[serde(default)]
    pub reason_id: Option<ReasonId>,
    #[serde(default)]
    pub team_id: Option<TeamId>,
}

/// A phone or counter, as those who take down contacts see it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactChannel {
    pub id: ChannelId,
    pub kind: ChannelKind,
    pub name: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub(crate) struct CreatedCase {
    pub id: CaseId,
    pub number: i64,
    pub message_id: MessageId,
}

/// Where a message belongs: `"new"`, or `{"case": number or id}`.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    New,
    Case(CaseTarget),
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum CaseTarget {
    Number(i64),
    Id(CaseId),
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
pub(crate) struct Move {
    pub to: Target,
    /// Also into a case of another customer.
    #[serde(default)]
    pub force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Moved {
    pub from: CaseId,
    pub to: CaseId,
    pub number: i64,
}

/// Somebody in a mail thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = MailParticipant)]
pub(crate) struct Participant {
    pub address: String,
    /// `requester` or `copied`
    pub role: String,
    /// Hears what we write. People in copy wait for this.
    pub approved: bool,
    pub since: Timestamp,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct Approval {
    pub address: String,
    #[serde(default = "yes")]
    pub approved: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Participants {
    pub conversation: ConversationId,
    pub items: Vec<Participant>,
}

/// For the event log: the channel as administrators see it, so without secrets.
pub(crate) fn logged(channel: &Channel) -> Result<Value, Refusal> {
    serde_json::to_value(channel).map_err(Refusal::internal)
}

/// A row's kind.
pub(crate) fn kind_of(row: &ChannelRow) -> Result<ChannelKind, Refusal> {
    ChannelKind::parse(&row.kind).ok_or_else(|| Refusal::Internal(format!("channel kind {}", row.kind)))
}
