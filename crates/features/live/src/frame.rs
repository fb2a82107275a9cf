//! What travels on a live connection: closed lists in both directions.

use domain::access::{Access, Place};
use domain::{CaseId, Permission, Timestamp};
use serde::{Deserialize, Serialize};
use spine::LoggedEvent;
use uuid::Uuid;

/// From the server.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Frame {
    Ready {
        token: String,
    },
    Event(Happened),
    /// Too much was missed: fetch everything anew.
    Refetch {
        token: String,
    },
    Beat {
        now: Timestamp,
        token: String,
    },
    Signal {
        kind: &'static str,
        case_id: Option<CaseId>,
        who: Who,
    },
}

#[derive(Debug, Clone, Serialize)]
pub struct Who {
    pub kind: &'static str,
    pub id: Uuid,
    pub name: String,
}

/// One event, as far as the desk needs it to know what to fetch.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Happened {
    /// Resume token after this event.
    pub token: String,
    pub kind: String,
    pub subject_kind: String,
    pub subject_id: Uuid,
    pub case_id: Option<CaseId>,
    #[schema(value_type = String)]
    pub actor: domain::Actor,
    pub at: Timestamp,
}

impl Happened {
    #[must_use]
    pub fn new(event: &LoggedEvent, token: String) -> Self {
        Self {
            token,
            kind: event.kind.clone(),
            subject_kind: event.subject_kind.clone(),
            subject_id: event.subject,
            case_id: (event.subject_kind == "case").then_some(CaseId(event.subject)),
            actor: event.actor,
            at: event.at,
        }
    }
}

/// From the browser.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Said {
    Hello {
        #[serde(default)]
        resume: Option<String>,
    },
    /// Which case is on the screen; nothing when it is left.
    Viewing {
        case_id: Option<CaseId>,
    },
    Typing {
        case_id: CaseId,
        #[serde(default)]
        note: bool,
    },
    Pong,
}

/// Whether somebody with these rights may hear of this event. What is not named here is not delivered.
#[must_use]
pub fn may_hear(access: &Access, event: &LoggedEvent, place: Option<&Place>) -> bool {
    match event.subject_kind.as_str() {
        "case" => place.is_some_and(|place| access.allows_in(Permission::CaseRead, place)),
        "customer" => access.allows(Permission::CustomerRead),
        "agent" | "presence" => access.allows(Permission::PresenceRead),
        // Only that lists have changed, no content: teams, reasons, canned replies, views, channels ...
        _ => event.kind.starts_with("config.") && access.allows(Permission::CaseRead),
    }
}

/// Events after which somebody's rights may be others.
#[must_use]
pub fn may_change_rights(kind: &str) -> bool {
    kind.starts_with("config.user")
        || kind.starts_with("config.role")
        || kind.starts_with("config.team")
        || kind.starts_with("config.workspace")
        || kind.starts_with("access.")
}
