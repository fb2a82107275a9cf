//! Roles, and who holds them where.

use db::{Query, Tx, params, row, sql};
use domain::access::{Access, Grant};
use domain::{ChannelId, Permission, RoleId, TeamId, UserId, WorkspaceId};
use spine::Refusal;
use std::collections::BTreeSet;
use uuid::Uuid;

row! {
    #[derive(Debug, Clone)]
    pub struct RoleRow {
        pub id: RoleId,
        /// Set for the roles every workspace starts with.
        pub role_key: Option<String>,
        pub name: String,
        pub permissions: String,
    }
}

impl RoleRow {
    /// What the role allows. A permission of a newer version of the program is left out.
    pub fn permissions(&self) -> Result<BTreeSet<Permission>, Refusal> {
        permissions(&self.permissions)
    }
}

fn permissions(text: &str) -> Result<BTreeSet<Permission>, Refusal> {
    let names: Vec<String> = super::json(text)?;
    Ok(names.iter().filter_map(|name| Permission::parse(name)).collect())
}

sql!(ROLES = "SELECT id, role_key, name, permissions FROM role WHERE workspace_id = $1 ORDER BY lower(name), id LIMIT 1000", params: 1, row: RoleRow);
sql!(ROLE_BY_ID = "SELECT id, role_key, name, permissions FROM role WHERE workspace_id = $1 AND id = $2", params: 2, row: RoleRow);
sql!(INSERT_ROLE = "INSERT INTO role (workspace_id, id, role_key, name, permissions) VALUES ($1, $2, $3, $4, $5)", params: 5);
sql!(UPDATE_ROLE = "UPDATE role SET name = $3, permissions = $4 WHERE workspace_id = $1 AND id = $2", params: 4);
sql!(DELETE_ROLE = "DELETE FROM role WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(ROLE_HOLDERS = "SELECT CAST(COUNT(DISTINCT user_id) AS BIGINT) FROM user_role WHERE workspace_id = $1 AND role_id = $2", params: 2);
sql!(INSERT_GRANT = "INSERT INTO user_role (workspace_id, user_id, role_id, team_id, channel_id, id) VALUES ($1, $2, $3, $4, $5, $6)", params: 6);
sql!(DELETE_GRANTS = "DELETE FROM user_role WHERE workspace_id = $1 AND user_id = $2", params: 2);
sql!(DELETE_GRANTS_OF_TEAM = "DELETE FROM user_role WHERE workspace_id = $1 AND team_id = $2", params: 2);
sql!(GRANTS = "SELECT team_id, channel_id, permissions FROM view_grant WHERE workspace_id = $1 AND user_id = $2", params: 2);
sql!(CHANNEL_EXISTS = "SELECT CAST(COUNT(*) AS BIGINT) FROM view_channel WHERE workspace_id = $1 AND id = $2", params: 2);

pub fn list(q: &mut impl Query, ws: WorkspaceId) -> Result<Vec<RoleRow>, Refusal> {
    Ok(q.query(&ROLES, params![ws])?)
}

pub fn get(q: &mut impl Query, ws: WorkspaceId, id: RoleId) -> Result<Option<RoleRow>, Refusal> {
    Ok(q.query_opt(&ROLE_BY_ID, params![ws, id])?)
}

pub fn insert(
    tx: &mut Tx<'_>,
    ws: WorkspaceId,
    id: RoleId,
    (key, name, permissions): (Option<&str>, &str, &BTreeSet<Permission>),
) -> Result<(), Refusal> {
    tx.execute(&INSERT_ROLE, params![ws, id, key, name, super::text(permissions)])?;
    Ok(())
}

pub fn update(
    tx: &mut Tx<'_>,
    ws: WorkspaceId,
    id: RoleId,
    name: &str,
    permissions: &BTreeSet<Permission>,
) -> Result<(), Refusal> {
    tx.execute(&UPDATE_ROLE, params![ws, id, name, super::text(permissions)])?;
    Ok(())
}

pub fn delete(tx: &mut Tx<'_>, ws: WorkspaceId, id: RoleId) -> Result<(), Refusal> {
    tx.execute(&DELETE_ROLE, params![ws, id])?;
    Ok(())
}

pub fn holders(q: &mut impl Query, ws: WorkspaceId, id: RoleId) -> Result<i64, Refusal> {
    Ok(q.query_one(&ROLE_HOLDERS, params![ws, id])?)
}

pub fn grant(
    tx: &mut Tx<'_>,
    ws: WorkspaceId,
    (id, user, role): (Uuid, UserId, RoleId),
    (team, channel): (Option<TeamId>, Option<ChannelId>),
) -> Result<(), Refusal> {
    tx.execute(&INSERT_GRANT, params![ws, user, role, team, channel, id])?;
    Ok(())
}

pub fn revoke_all(tx: &mut Tx<'_>, ws: WorkspaceId, user: UserId) -> Result<(), Refusal> {
    tx.execute(&DELETE_GRANTS, params![ws, user])?;
    Ok(())
}

pub fn revoke_of_team(tx: &mut Tx<'_>, ws: WorkspaceId, team: TeamId) -> Result<(), Refusal> {
    tx.execute(&DELETE_GRANTS_OF_TEAM, params![ws, team])?;
    Ok(())
}

/// A person's rights as they are now.
pub fn access(q: &mut impl Query, ws: WorkspaceId, user: UserId, owner: bool) -> Result<Access, Refusal> {
    if owner {
        return Ok(Access::owner());
    }
    let rows: Vec<(Option<TeamId>, Option<ChannelId>, String)> = q.query(&GRANTS, params![ws, user])?;
    let mut grants = Vec::with_capacity(rows.len());
    for (team, channel, text) in rows {
        grants.push(Grant { permissions: permissions(&text)?, team, channel });
    }
    Ok(Access { owner: false, grants })
}

pub fn channel_exists(q: &mut impl Query, ws: WorkspaceId, id: ChannelId) -> Result<bool, Refusal> {
    let count: i64 = q.query_one(&CHANNEL_EXISTS, params![ws, id])?;
    Ok(count > 0)
}
