//! Everything that can happen. Append-only; all figures, clocks and live updates derive from these.

use crate::case::CaseEvent;
use crate::customer::CustomerEvent;
use crate::ids::{SessionId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A fact. Stored as its `kind()` and the JSON of its content.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Case(CaseEvent),
    Customer(CustomerEvent),
    Agent(AgentEvent),
    Access(AccessEvent),
    Config(ConfigChanged),
}

/// Facts about people at work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AgentEvent {
    PresenceChanged { presence: String, connected: bool },
    CapacityChanged { capacity: Value },
}

/// Facts about sign-in and secrets, for the audit trail. Never carries a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AccessEvent {
    WorkspaceCreated,
    SignedIn { session: SessionId, second_factor: bool },
    SignInFailed,
    SignedOut { session: SessionId },
    SignedOutEverywhere,
    PasswordChanged { by_reset: bool },
    PasswordResetRequested,
    TotpEnabled,
    TotpDisabled,
    RecoveryCodeUsed,
    Invited { user: UserId },
    InvitationAccepted,
    TokenCreated { name: String },
    TokenRevoked { name: String },
}

/// A configured thing was created, changed or deleted: before and after, without secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigChanged {
    /// `channel`, `team`, `role`, `user`, `skill`, `reason`, `canned_reply`, `view`, `workspace` ...
    pub object: String,
    pub id: Uuid,
    pub action: ConfigAction,
    pub before: Value,
    pub after: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfigAction {
    Created,
    Changed,
    Deleted,
}

impl ConfigAction {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
        }
    }
}

/// The stored text was no event of this version of the program.
#[derive(Debug)]
pub struct UnknownEvent(pub String);

impl core::fmt::Display for UnknownEvent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "unknown event {}", self.0)
    }
}

impl std::error::Error for UnknownEvent {}

impl Event {
    /// `case.message_received`, `config.team.created` ...: what consumers select by.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::Case(e) => tagged("case", e),
            Self::Customer(e) => tagged("customer", e),
            Self::Agent(e) => tagged("agent", e),
            Self::Access(e) => tagged("access", e),
            Self::Config(e) => format!("config.{}.{}", e.object, e.action.as_str()),
        }
    }

    #[must_use]
    pub fn to_json(&self) -> Value {
        let result = match self {
            Self::Case(e) => serde_json::to_value(e),
            Self::Customer(e) => serde_json::to_value(e),
            Self::Agent(e) => serde_json::to_value(e),
            Self::Access(e) => serde_json::to_value(e),
            Self::Config(e) => serde_json::to_value(e),
        };
        // Our own enums of plain data always serialise.
        result.unwrap_or(Value::Null)
    }

    /// Reads an event back from the log.
    ///
    /// # Errors
    /// [`UnknownEvent`] for a kind or content this version does not know.
    pub fn from_parts(kind: &str, data: &str) -> Result<Self, UnknownEvent> {
        let unknown = |_| UnknownEvent(kind.to_owned());
        match kind.split('.').next() {
            Some("case") => serde_json::from_str(data).map(Self::Case).map_err(unknown),
            Some("customer") => serde_json::from_str(data).map(Self::Customer).map_err(unknown),
            Some("agent") => serde_json::from_str(data).map(Self::Agent).map_err(unknown),
            Some("access") => serde_json::from_str(data).map(Self::Access).map_err(unknown),
            Some("config") => serde_json::from_str(data).map(Self::Config).map_err(unknown),
            _ => Err(UnknownEvent(kind.to_owned())),
        }
    }
}

fn tagged(prefix: &str, event: &impl Serialize) -> String {
    let name = serde_json::to_value(event)
        .ok()
        .and_then(|v| v.get("type").and_then(Value::as_str).map(str::to_owned))
        .unwrap_or_default();
    format!("{prefix}.{name}")
}
