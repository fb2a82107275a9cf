//! Configured channels, secrets opened.

use crate::store::{self, ChannelRow};
use channel::{Channel, ChannelConfig};
use db::{Query, params};
use domain::{ChannelId, ChannelKind, WorkspaceId};
use spine::{Refusal, Secret, Spine, Vault};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The protocols this program speaks, by kind.
#[derive(Clone, Default)]
pub struct Protocols(Arc<HashMap<ChannelKind, Arc<dyn Channel>>>);

impl Protocols {
    #[must_use]
    pub fn new(channels: Vec<Arc<dyn Channel>>) -> Self {
        Self(Arc::new(channels.into_iter().map(|c| (c.kind(), c)).collect()))
    }

    /// # Errors
    /// [`Refusal::Internal`] for a kind no crate speaks.
    pub fn get(&self, kind: ChannelKind) -> Result<Arc<dyn Channel>, Refusal> {
        self.0
            .get(&kind)
            .cloned()
            .ok_or_else(|| Refusal::Internal(format!("no channel crate speaks {}", kind.as_str())))
    }
}

/// Binds sealed secrets to their row: copied to another channel they don't open.
pub(crate) fn seal_context(workspace: WorkspaceId, id: ChannelId) -> Vec<u8> {
    [b"channel".as_slice(), workspace.0.as_bytes(), id.0.as_bytes()].concat()
}

/// # Errors
/// [`Refusal::Internal`] when stored settings or secrets can't be read.
pub fn config(row: ChannelRow, vault: &Vault) -> Result<ChannelConfig, Refusal> {
    let kind = ChannelKind::parse(&row.kind).ok_or_else(|| Refusal::Internal(format!("channel kind {}", row.kind)))?;
    let secrets: BTreeMap<String, String> = match &row.secrets {
        Some(sealed) => {
            let plain = vault.open(&seal_context(row.workspace_id, row.id), sealed)?;
            serde_json::from_slice(&plain).map_err(Refusal::internal)?
        }
        None => BTreeMap::new(),
    };
    Ok(ChannelConfig {
        workspace: row.workspace_id,
        id: row.id,
        kind,
        name: row.name,
        brand: row.brand,
        public_key: row.public_key,
        settings: serde_json::from_str(&row.settings).map_err(Refusal::internal)?,
        secrets: secrets.into_iter().map(|(k, v)| (k, Secret::new(v))).collect(),
        team: row.team_id,
        language: row.language,
        required_skills: serde_json::from_str(&row.required_skills).map_err(Refusal::internal)?,
        active: row.active,
    })
}

/// A channel by its public key (widget, form), active ones only.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn by_key(spine: &Spine, kind: ChannelKind, key: &str) -> Result<ChannelConfig, Refusal> {
    if key.is_empty() {
        return Err(Refusal::NotFound);
    }
    let key = key.to_owned();
    let row = spine
        .db()
        .read(move |r| Ok::<_, Refusal>(r.query_opt(&store::CHANNEL_BY_KEY, params![kind.as_str(), key.as_str()])?));
    config(row.await?.ok_or(Refusal::NotFound)?, spine.vault())
}

/// # Errors
/// [`Refusal::NotFound`].
pub async fn by_id(spine: &Spine, workspace: WorkspaceId, id: ChannelId) -> Result<ChannelConfig, Refusal> {
    let row = spine.db().read(move |r| Ok::<_, Refusal>(r.query_opt(&store::CHANNEL_BY_ID, params![workspace, id])?));
    config(row.await?.ok_or(Refusal::NotFound)?, spine.vault())
}

/// Every active channel of every workspace, for the receivers to start.
///
/// # Errors
/// Those of the database.
pub async fn all_active(spine: &Spine) -> Result<Vec<ChannelConfig>, Refusal> {
    let rows: Vec<ChannelRow> = spine.db().read(|r| Ok::<_, Refusal>(r.query(&store::ACTIVE_CHANNELS, &[])?)).await?;
    rows.into_iter().map(|row| config(row, spine.vault())).collect()
}

/// The mailbox by which the workspace writes mails of its own, if it has one.
///
/// # Errors
/// Those of the database.
pub async fn mail_channel(spine: &Spine, workspace: WorkspaceId) -> Result<Option<ChannelConfig>, Refusal> {
    let row = spine.db().read(move |r| Ok::<_, Refusal>(r.query_opt(&store::MAIL_CHANNEL, params![workspace])?));
    row.await?.map(|row| config(row, spine.vault())).transpose()
}
