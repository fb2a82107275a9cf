//! Whether mail comes and goes, for the check page.

use crate::channels::{self, Protocols};
use crate::receivers;
use crate::store::{self, ChannelRow};
use channel::{ChannelConfig, Check, CheckState};
use db::{Query, params};
use domain::{ChannelKind, WorkspaceId};
use serde_json::{Value, json};
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
        let mut found = check_channel(spine, protocols, &config).await?;
        for check in &mut found {
            if let Some(params) = check.params.as_object_mut() {
                params.insert("channel".to_owned(), json!(config.name));
            }
        }
        checks.extend(found);
    }
    Ok(checks)
}

/// Tries one channel: a line for each of its directions. Where a mailbox is fetched, the line says the worse of what
/// the try just now and the standing connection tell.
///
/// # Errors
/// Those of the database, and [`Refusal::Internal`] for a kind no crate speaks.
pub(crate) async fn check_channel(
    spine: &Spine,
    protocols: &Protocols,
    config: &ChannelConfig,
) -> Result<Vec<Check>, Refusal> {
    let mut found = protocols.get(config.kind)?.check(config).await;
    if let Some(standing) = receivers::standing(spine, config).await? {
        match found.iter_mut().find(|check| check.key == standing.key) {
            Some(tried) => *tried = worse(tried.clone(), standing),
            None => found.push(standing),
        }
    }
    Ok(found)
}

fn worse(tried: Check, standing: Check) -> Check {
    let (mut told, other) = if standing.state > tried.state { (standing, tried) } else { (tried, standing) };
    if let (Some(told), Value::Object(other)) = (told.params.as_object_mut(), other.params) {
        for (name, value) in other {
            told.entry(name).or_insert(value);
        }
    }
    told
}
