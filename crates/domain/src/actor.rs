//! Who does something, and the circumstances a rule may look at.

use crate::closed::closed;
use crate::ids::{ApiTokenId, CustomerId, Id, UserId, WorkspaceId};
use crate::time::{Span, Timestamp};
use core::fmt;
use core::str::FromStr;
use uuid::Uuid;

closed! {
    /// What kind of somebody did it.
    pub enum ActorKind {
        System = "system",
        Agent = "agent",
        Customer = "customer",
        Token = "token",
    }
}

/// Who caused an event. Text form: `system`, `agent:<uuid>`, `customer:<uuid>`, `token:<uuid>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    System,
    Agent(UserId),
    Customer(CustomerId),
    Token(ApiTokenId),
}

impl Actor {
    #[must_use]
    pub fn agent(self) -> Option<UserId> {
        match self {
            Self::Agent(user) => Some(user),
            _ => None,
        }
    }
    #[must_use]
    pub const fn kind(self) -> ActorKind {
        match self {
            Self::System => ActorKind::System,
            Self::Agent(_) => ActorKind::Agent,
            Self::Customer(_) => ActorKind::Customer,
            Self::Token(_) => ActorKind::Token,
        }
    }
    #[must_use]
    pub fn id(self) -> Option<Uuid> {
        match self {
            Self::System => None,
            Self::Agent(id) => Some(id.uuid()),
            Self::Customer(id) => Some(id.uuid()),
            Self::Token(id) => Some(id.uuid()),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id() {
            None => f.write_str(self.kind().as_str()),
            Some(id) => write!(f, "{}:{id}", self.kind().as_str()),
        }
    }
}

/// The text was no actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnActor;

impl FromStr for Actor {
    type Err = NotAnActor;
    fn from_str(text: &str) -> Result<Self, NotAnActor> {
        if text == "system" {
            return Ok(Self::System);
        }
        let (kind, id) = text.split_once(':').ok_or(NotAnActor)?;
        let id = Uuid::parse_str(id).map_err(|_| NotAnActor)?;
        match kind {
            "agent" => Ok(Self::Agent(UserId(id))),
            "customer" => Ok(Self::Customer(CustomerId(id))),
            "token" => Ok(Self::Token(ApiTokenId(id))),
            _ => Err(NotAnActor),
        }
    }
}

impl serde::Serialize for Actor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Actor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom("not an actor"))
    }
}

/// Settings of a workspace that rules look at. Stored as JSON in `workspace.settings`;
/// a missing field takes the default, so that a new setting needs no migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Policies {
    /// How long a reply by mail is held so that its author can take it back, in seconds.
    pub undo_seconds: u32,
    /// A public answer by somebody else younger than this raises the question at send, in seconds.
    pub collision_seconds: u32,
    /// A solved case closes by itself after this many days.
    pub close_after_days: u32,
    /// Every sign-in needs a second factor.
    pub require_totp: bool,
}

impl Default for Policies {
    fn default() -> Self {
        Self { undo_seconds: 8, collision_seconds: 600, close_after_days: 7, require_totp: false }
    }
}

impl Policies {
    #[must_use]
    pub fn undo(&self) -> Span {
        Span::seconds(i64::from(self.undo_seconds))
    }
    #[must_use]
    pub fn close_after(&self) -> Span {
        Span::days(i64::from(self.close_after_days))
    }
}

/// What a decision may know beside state and command (I1): nothing else comes in.
#[derive(Clone, Copy, Debug)]
pub struct Ctx {
    pub workspace: WorkspaceId,
    pub actor: Actor,
    pub now: Timestamp,
    pub policies: Policies,
}
