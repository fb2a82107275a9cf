//! Why this agent and why not the others, in codes that the interface translates.

use crate::closed::closed;
use crate::ids::{CaseId, UserId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// How many agents who were not chosen an explanation names; the nearest misses come first.
pub const OTHERS_MAX: usize = 50;

closed! {
    /// A reason for or against an agent. Every code has a text in both languages.
    pub enum Why {
        // for the chosen one
        /// Looked after this customer last.
        PreviousAgent = "routing.previous_agent",
        /// Has every required skill. `skills`: list of ids.
        HasSkills = "routing.has_skills",
        /// Speaks the customer's language. `language`.
        Speaks = "routing.speaks",
        /// Nobody who speaks the language was free, and it has waited long enough. `language`, `after_seconds`.
        LanguageRelaxed = "routing.language_relaxed",
        /// Nobody else could take it.
        OnlyOne = "routing.only_one",
        /// Least filled in this kind. `load` before this case, `capacity`.
        LeastLoad = "routing.least_load",
        /// Equally filled in this kind, least filled over all kinds. `load`, `capacity`.
        LeastLoadOverall = "routing.least_load_overall",
        /// Waited longest for a new case. `idle_seconds`.
        LongestIdle = "routing.longest_idle",
        /// Everything was equal; the order of the ids decided.
        Tie = "routing.tie",
        // against the others who could have
        NotPreviousAgent = "routing.not_previous_agent",
        /// `load`, `capacity`.
        MoreLoaded = "routing.more_loaded",
        /// `load`, `capacity` over all kinds.
        MoreLoadedOverall = "routing.more_loaded_overall",
        /// `idle_seconds`.
        LessIdle = "routing.less_idle",
        /// As good, but later in the order of ids.
        TieLost = "routing.tie_lost",
        // against those who could not
        /// `load`, `capacity`.
        Full = "routing.full",
        /// Capacity for this kind is set to nothing. `channel_kind`.
        NotThisKind = "routing.not_this_kind",
        Busy = "routing.busy",
        Away = "routing.away",
        Offline = "routing.offline",
        /// Says online, but no window is open.
        Disconnected = "routing.disconnected",
        /// `language`.
        Language = "routing.language",
        /// `skill`: the first missing one.
        MissingSkill = "routing.missing_skill",
        NotInTeam = "routing.not_in_team",
        /// May not answer in this team or channel.
        NoPermission = "routing.no_permission",
        Inactive = "routing.inactive",
        /// The team's policy gives out this kind by hand only. `channel_kind`.
        AutomaticOff = "routing.automatic_off",
    }
}

/// A code and what its text needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RoutingReason)]
pub struct Reason {
    pub code: Why,
    #[serde(default)]
    pub params: BTreeMap<String, Value>,
}

impl Reason {
    #[must_use]
    pub fn new(code: Why) -> Self {
        Self { code, params: BTreeMap::new() }
    }
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.params.insert(key.to_owned(), value.into());
        self
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RoutingChosen)]
pub struct Chosen {
    pub user: UserId,
    pub because: Vec<Reason>,
}

/// Somebody who was not chosen, and the first reason against them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RoutingOther)]
pub struct Other {
    pub user: UserId,
    pub code: Why,
    #[serde(default)]
    pub params: BTreeMap<String, Value>,
}

/// The whole account of one decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RoutingExplanation)]
pub struct Explanation {
    pub chosen: Option<Chosen>,
    /// At most [`OTHERS_MAX`], nearest misses first.
    pub others: Vec<Other>,
    /// How many more were looked at and are not named.
    #[serde(default)]
    pub omitted: u32,
    pub at: Timestamp,
}

/// What becomes of one waiting case.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub case: CaseId,
    pub agent: Option<UserId>,
    pub explanation: Explanation,
}
