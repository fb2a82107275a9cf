//! A configured channel.

use domain::{ChannelId, ChannelKind, SkillId, TeamId, WorkspaceId};
use serde_json::Value;
use spine::Secret;
use std::collections::{BTreeMap, BTreeSet};

/// One way in and out, as somebody set it up, secrets opened.
#[derive(Debug, Clone)]
pub struct ChannelConfig {
    pub workspace: WorkspaceId,
    pub id: ChannelId,
    pub kind: ChannelKind,
    pub name: String,
    pub brand: String,
    pub public_key: String,
    pub settings: Value,
    pub secrets: BTreeMap<String, Secret>,
    pub team: Option<TeamId>,
    pub language: Option<String>,
    pub required_skills: BTreeSet<SkillId>,
    pub active: bool,
}

impl ChannelConfig {
    /// Reads the settings into the channel's own type.
    ///
    /// # Errors
    /// [`spine::Refusal::Internal`] when stored settings do not fit (they were checked when saved).
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, spine::Refusal> {
        serde_json::from_value(self.settings.clone()).map_err(spine::Refusal::internal)
    }

    #[must_use]
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name).filter(|s| !s.is_empty())
    }
}

// In the order from well to ill.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    Ok,
    Warn,
    Fail,
}

/// One line of a check page: what was tried, how it went, and a code the interface translates.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Check {
    pub key: String,
    pub state: CheckState,
    pub code: String,
    pub params: Value,
}

impl Check {
    #[must_use]
    pub fn new(key: &str, state: CheckState, code: &str, params: Value) -> Self {
        Self { key: key.to_owned(), state, code: code.to_owned(), params }
    }
}
