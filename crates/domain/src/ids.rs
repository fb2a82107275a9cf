//! Identifiers. Every id is a UUIDv7 made by the caller, 16 bytes in storage and a
//! hyphenated string on the wire, wrapped in a newtype so that a customer's id can
//! never be passed where a case's id is meant.

use uuid::Uuid;

/// What all id newtypes share; storage and wire code is generic over it.
pub trait Id: Copy + Eq + Ord + core::fmt::Debug {
    fn from_uuid(uuid: Uuid) -> Self;
    fn uuid(self) -> Uuid;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = "uuid")]
        pub struct $name(pub Uuid);

        impl Id for $name {
            fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
            fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl core::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )+};
}

ids! {
    /// One tenant.
    WorkspaceId,
    UserId,
    TeamId,
    RoleId,
    SkillId,
    SessionId,
    InvitationId,
    ApiTokenId,
    CustomerId,
    ChannelId,
    ConversationId,
    CaseId,
    MessageId,
    AttachmentId,
    ReasonId,
    ViewId,
    CannedReplyId,
    EventId,
    JobId,
    InboxId,
    VisitorId,
    /// The client-made key of one command: the same key is the same command (SECURITY P4).
    CommandId,
}

/// Source of new ids; an argument everywhere (I6) so that a simulation repeats.
pub trait IdSource: Send + Sync {
    fn next(&self, now: crate::time::Timestamp) -> Uuid;
}

/// Builds a version 7 UUID from a time and 10 random bytes (RFC 9562 section 5.7).
#[must_use]
pub fn uuid_v7(now: crate::time::Timestamp, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(now.as_micros() / 1_000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
