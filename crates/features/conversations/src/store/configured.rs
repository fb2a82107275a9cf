//! Channels as administrators write them.

use super::{CHANNEL_BY_ID, CHANNELS, ChannelRow};
use db::{Connection, Error, Query, Tx, params, sql};
use domain::{ChannelId, SkillId, Timestamp, WorkspaceId};

sql!(INSERT = "INSERT INTO channel (workspace_id, id, kind, name, brand, public_key, settings, secrets, team_id, language, \
    required_skills, active, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)", params: 13);
sql!(UPDATE = "UPDATE channel SET name = $3, brand = $4, public_key = $5, settings = $6, secrets = $7, team_id = $8, language = $9, \
    required_skills = $10, active = $11 WHERE workspace_id = $1 AND id = $2", params: 11);
sql!(DELETE = "DELETE FROM channel WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(DELETE_CURSOR = "DELETE FROM mailbox_cursor WHERE workspace_id = $1 AND channel_id = $2", params: 2);
sql!(KEY_TAKEN = "SELECT COUNT(*) FROM channel WHERE kind = $1 AND public_key = $2 AND active = TRUE AND id <> $3", params: 3, global);
sql!(HAS_CONVERSATIONS = "SELECT id FROM view_conversation WHERE workspace_id = $1 AND channel_id = $2 LIMIT 1", params: 2);
sql!(HAS_INBOX = "SELECT id FROM inbox WHERE workspace_id = $1 AND channel_id = $2 LIMIT 1", params: 2);
sql!(SKILL_EXISTS = "SELECT COUNT(*) FROM view_skill WHERE workspace_id = $1 AND id = $2", params: 2);

pub fn all(q: &mut impl Connection, ws: WorkspaceId) -> Result<Vec<ChannelRow>, Error> {
    q.query(&CHANNELS, params![ws])
}

pub fn one(q: &mut impl Connection, ws: WorkspaceId, id: ChannelId) -> Result<Option<ChannelRow>, Error> {
    q.query_opt(&CHANNEL_BY_ID, params![ws, id])
}

pub fn insert(tx: &mut Tx<'_>, row: &ChannelRow, at: Timestamp) -> Result<(), Error> {
    tx.execute(
        &INSERT,
        params![
            row.workspace_id,
            row.id,
            &row.kind,
            &row.name,
            &row.brand,
            &row.public_key,
            &row.settings,
            row.secrets.clone(),
            row.team_id,
            row.language.clone(),
            &row.required_skills,
            row.active,
            at
        ],
    )?;
    Ok(())
}

pub fn update(tx: &mut Tx<'_>, row: &ChannelRow) -> Result<(), Error> {
    tx.execute(
        &UPDATE,
        params![
            row.workspace_id,
            row.id,
            &row.name,
            &row.brand,
            &row.public_key,
            &row.settings,
            row.secrets.clone(),
            row.team_id,
            row.language.clone(),
            &row.required_skills,
            row.active
        ],
    )?;
    Ok(())
}

pub fn delete(tx: &mut Tx<'_>, ws: WorkspaceId, id: ChannelId) -> Result<(), Error> {
    tx.execute(&DELETE_CURSOR, params![ws, id])?;
    tx.execute(&DELETE, params![ws, id])?;
    Ok(())
}

/// Whether another active channel of the instance is reached by this key.
pub fn key_taken(q: &mut impl Connection, kind: &str, key: &str, except: ChannelId) -> Result<bool, Error> {
    let count: i64 = q.query_one(&KEY_TAKEN, params![kind, key, except])?;
    Ok(count > 0)
}

/// Whether anything ever came or went by this channel.
pub fn has_history(q: &mut impl Connection, ws: WorkspaceId, id: ChannelId) -> Result<bool, Error> {
    let conversation: Option<uuid::Uuid> = q.query_opt(&HAS_CONVERSATIONS, params![ws, id])?;
    let raw: Option<uuid::Uuid> = q.query_opt(&HAS_INBOX, params![ws, id])?;
    Ok(conversation.is_some() || raw.is_some())
}

pub fn skill_exists(q: &mut impl Connection, ws: WorkspaceId, id: SkillId) -> Result<bool, Error> {
    let count: i64 = q.query_one(&SKILL_EXISTS, params![ws, id])?;
    Ok(count > 0)
}
