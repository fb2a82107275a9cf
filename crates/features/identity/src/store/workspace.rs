//! The workspace itself.

use db::{Query, Tx, params, row, sql};
use domain::routing::Presence;
use domain::{Policies, Timestamp, WorkspaceId};
use serde_json::{Map, Value};
use spine::Refusal;

row! {
    #[derive(Debug, Clone)]
    pub struct WorkspaceRow {
        pub workspace_id: WorkspaceId,
        pub name: String,
        pub slug: String,
        pub locale: String,
        pub time_zone: String,
        pub settings: String,
    }
}

impl WorkspaceRow {
    pub fn policies(&self) -> Result<Policies, Refusal> {
        super::json(&self.settings)
    }

    /// Where people reach this server, as seen at set-up; used when no public address is configured.
    /// Never taken from a later request: its `Host` could be an attacker's.
    #[must_use]
    pub fn base_url(&self) -> Option<String> {
        let settings: Map<String, Value> = serde_json::from_str(&self.settings).ok()?;
        settings.get("base_url").and_then(Value::as_str).map(str::to_owned)
    }
}

sql!(COUNT_WORKSPACES = "SELECT CAST(COUNT(*) AS BIGINT) FROM workspace", params: 0, global);
sql!(WORKSPACE = "SELECT workspace_id, name, slug, locale, time_zone, settings FROM workspace WHERE workspace_id = $1", params: 1, row: WorkspaceRow);
sql!(SLUG_TAKEN = "SELECT CAST(COUNT(*) AS BIGINT) FROM workspace WHERE slug = $1", params: 1, global);
sql!(INSERT_WORKSPACE = "INSERT INTO workspace (workspace_id, name, slug, locale, time_zone, settings, secret, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", params: 8);
sql!(UPDATE_WORKSPACE = "UPDATE workspace SET name = $2, locale = $3, time_zone = $4, settings = $5 WHERE workspace_id = $1", params: 5);
sql!(PRESENCE = "SELECT presence FROM view_presence WHERE workspace_id = $1 AND user_id = $2", params: 2);
sql!(DEAD_JOBS = "SELECT CAST(COUNT(*) AS BIGINT) FROM view_job WHERE workspace_id = $1 AND state = 3", params: 1);
sql!(LATE_JOBS = "SELECT CAST(COUNT(*) AS BIGINT) FROM view_job WHERE workspace_id = $1 AND state = 0 AND run_at < $2", params: 2);

pub fn count(q: &mut impl Query) -> Result<i64, Refusal> {
    Ok(q.query_one(&COUNT_WORKSPACES, &[])?)
}

/// # Errors
/// [`Refusal::NotFound`], or those of the database.
pub fn get(q: &mut impl Query, ws: WorkspaceId) -> Result<WorkspaceRow, Refusal> {
    q.query_opt(&WORKSPACE, params![ws])?.ok_or(Refusal::NotFound)
}

pub fn slug_taken(q: &mut impl Query, slug: &str) -> Result<bool, Refusal> {
    let count: i64 = q.query_one(&SLUG_TAKEN, params![slug])?;
    Ok(count > 0)
}

pub fn insert(tx: &mut Tx<'_>, row: &WorkspaceRow, secret: [u8; 32], now: Timestamp) -> Result<(), Refusal> {
    let args = params![row.workspace_id, &row.name, &row.slug, &row.locale, &row.time_zone, &row.settings, secret, now];
    tx.execute(&INSERT_WORKSPACE, args)?;
    Ok(())
}

pub fn update(tx: &mut Tx<'_>, row: &WorkspaceRow) -> Result<(), Refusal> {
    let args = params![row.workspace_id, &row.name, &row.locale, &row.time_zone, &row.settings];
    tx.execute(&UPDATE_WORKSPACE, args)?;
    Ok(())
}

/// A person's presence; `offline` for who was never here.
pub fn presence(q: &mut impl Query, ws: WorkspaceId, user: domain::UserId) -> Result<Presence, Refusal> {
    Ok(q.query_opt(&PRESENCE, params![ws, user])?.unwrap_or_default())
}

/// Jobs that were given up, and jobs that should have run before `late`.
pub fn troubled_jobs(q: &mut impl Query, ws: WorkspaceId, late: Timestamp) -> Result<(i64, i64), Refusal> {
    Ok((q.query_one(&DEAD_JOBS, params![ws])?, q.query_one(&LATE_JOBS, params![ws, late])?))
}
