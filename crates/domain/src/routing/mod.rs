//! Routing (派单): which waiting case goes to which agent, and why not to the others. Pure: the same
//! input gives the same answer. `order.rs` says which case comes first, `choose.rs` who takes it,
//! `explanation.rs` how that is told, `forecast.rs` how long a customer will wait.
//!
//! Hard walls, never relaxed: capacity per channel kind, every required skill, membership of the case's
//! team, the right to answer there, presence and a live connection. The language is a wall too, unless
//! the team's policy turns it into a preference after some seconds of waiting.

mod choose;
mod explanation;
mod forecast;
mod order;
#[cfg(test)]
mod tests;

pub use choose::{free_slots, route};
pub use explanation::{Chosen, Decision, Explanation, OTHERS_MAX, Other, Reason, Why};
pub use forecast::{RECENT_ASSIGNMENTS, Served, expected_wait};
pub use order::{patience, rank_at};

use crate::access::Scope;
use crate::case::Priority;
use crate::channel::ChannelKind;
use crate::closed::closed;
use crate::ids::{CaseId, ChannelId, SkillId, TeamId, UserId};
use crate::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

closed! {
    /// What an agent says about being there.
    pub enum Presence: Default {
        Online = "online",
        /// Working, but nothing new please.
        Busy = "busy",
        Away = "away",
        #[default]
        Offline = "offline",
    }
}

/// A case without an assignee, as far as routing looks at it.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitingCase {
    pub id: CaseId,
    pub channel: ChannelId,
    pub channel_kind: ChannelKind,
    pub team: Option<TeamId>,
    /// BCP 47; only the primary subtag counts (`zh-CN` and `zh-TW` are both Chinese).
    pub language: Option<String>,
    pub required_skills: BTreeSet<SkillId>,
    pub priority: Priority,
    /// Since when the customer waits for a person.
    pub waiting_since: Timestamp,
    /// When the next promise would be broken.
    pub promise: Option<Timestamp>,
    /// Who looked after this customer last.
    pub previous_agent: Option<UserId>,
}

/// Somebody who may work, as routing sees them.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentState {
    pub user: UserId,
    pub active: bool,
    pub presence: Presence,
    /// At least one live connection is open.
    pub connected: bool,
    pub teams: BTreeSet<TeamId>,
    pub skills: BTreeSet<SkillId>,
    /// Empty means "not told": such an agent is taken to handle any language.
    pub languages: Vec<String>,
    /// Where this person may answer customers.
    pub reach: Scope,
    /// How many active cases of a kind at once; a missing kind has its default.
    pub capacity: BTreeMap<ChannelKind, u32>,
    pub load: BTreeMap<ChannelKind, u32>,
    /// When the last case was given to them.
    pub idle_since: Timestamp,
}

impl AgentState {
    #[must_use]
    pub fn capacity_of(&self, kind: ChannelKind) -> u32 {
        self.capacity.get(&kind).copied().unwrap_or(kind.default_capacity())
    }
    #[must_use]
    pub fn load_of(&self, kind: ChannelKind) -> u32 {
        self.load.get(&kind).copied().unwrap_or(0)
    }
    /// Whether new cases may come at all: active, online and connected.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        self.active && self.connected && self.presence == Presence::Online
    }
}

/// How one team wants its queue routed. Stored as JSON; a missing field takes the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct TeamPolicy {
    /// After this many seconds of waiting the language is a preference, no longer a wall; `None` = never.
    pub language_relax_seconds: Option<u32>,
    /// Prefer the agent who looked after the customer last.
    pub previous_agent: bool,
    /// A queue whose oldest case waits longer is shown as alarming.
    pub max_wait_alarm_seconds: Option<u32>,
    /// Kinds that are given out automatically; others wait for somebody to pick.
    pub automatic: BTreeSet<ChannelKind>,
}

impl Default for TeamPolicy {
    fn default() -> Self {
        Self {
            language_relax_seconds: None,
            previous_agent: true,
            max_wait_alarm_seconds: Some(300),
            automatic: ChannelKind::ALL.iter().copied().collect(),
        }
    }
}

/// The longest span a policy may name, in seconds: 30 days.
pub const POLICY_SECONDS_MAX: u32 = 30 * 86_400;
/// The most cases of one kind an agent may be set to take at once.
pub const CAPACITY_MAX: u32 = 1_000;

impl TeamPolicy {
    /// Whether the language is only a preference for a case that has waited this long.
    #[must_use]
    pub fn relaxes_language(&self, waited: Span) -> bool {
        self.language_relax_seconds.is_some_and(|after| waited.as_seconds() >= i64::from(after))
    }
    /// # Errors
    /// `too_large` on the field with `max` when a span is longer than [`POLICY_SECONDS_MAX`].
    pub fn check(&self) -> Result<(), crate::rejection::Rejection> {
        let spans = [
            ("language_relax_seconds", self.language_relax_seconds),
            ("max_wait_alarm_seconds", self.max_wait_alarm_seconds),
        ];
        for (field, seconds) in spans {
            if seconds.is_some_and(|s| s > POLICY_SECONDS_MAX) {
                let refusal = crate::rejection::Rejection::new(crate::rejection::Code::TooLarge);
                return Err(refusal.with("max", POLICY_SECONDS_MAX).on(field));
            }
        }
        Ok(())
    }
}

/// The policies of a workspace: one for cases without a team, and teams' own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutingPolicies {
    pub default: TeamPolicy,
    pub teams: BTreeMap<TeamId, TeamPolicy>,
}

impl RoutingPolicies {
    #[must_use]
    pub fn of(&self, team: Option<TeamId>) -> &TeamPolicy {
        team.and_then(|t| self.teams.get(&t)).unwrap_or(&self.default)
    }
}

/// The part of a language tag that is compared: `zh-Hant-TW` -> `zh`.
#[must_use]
pub fn primary_language(tag: &str) -> String {
    tag.trim().split(['-', '_']).next().unwrap_or_default().to_lowercase()
}
