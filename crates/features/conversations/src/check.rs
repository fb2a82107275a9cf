//! Whether mail comes and goes, for the check page.

use crate::channels::{self, Protocols};
use crate::receivers;
use crate::store::{self, ChannelRow};
use channel::{Check, CheckState};
use db::{Query, params};
use domain::{ChannelKind, WorkspaceId};
use serde_json::json;
use spine::{Refusal, Spine};

/// Tries every active mail channel of the workspace, one after the other, and says how each stands.
pub async fn check_mail(spine: &Spine, protocols: &Protocols, workspace: WorkspaceId) -> Vec<Check> {
    match try_all(spine, protocols, workspace).await {
        Ok(checks) if checks.is_empty() => {
            vec![Check::new("mail_out", CheckState::Warn, "no_mail_channel", json!({}))]
        }
        Ok(checks) => checks,
        Err(error) => {
            tracing::error!(%error, "mail could not be checked");
            vec![Check::new("mail_out", CheckState::Fail, "internal", json!({}))]
        }
    }
}

async fn try_all(spine: &Spine, protocols: &Protocols, workspace: WorkspaceId) -> Result<Vec<Check>, Refusal> {
    let rows: Vec<ChannelRow> =
        spine.db().read(move |r| Ok::<_, Refusal>(r.query(&store::CHANNELS, params![workspace])?)).await?;
    let mut checks = Vec::new();
    for row in rows.into_iter().filter(|r| r.active && r.kind == ChannelKind::Email.as_str()) {
        let config = channels::config(row, spine.vault())?;
        let mut found = protocols.get(config.kind)?.check(&config).await;
        found.extend(receivers::standing(spine, workspace, config.id).await?);
        for check in &mut found {
            if let Some(params) = check.params.as_object_mut() {
                params.insert("channel".to_owned(), json!(config.name));
            }
        }
        checks.extend(found);
    }
    Ok(checks)
}
