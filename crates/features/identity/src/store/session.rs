//! Sessions and what the authenticator asks.

use db::{Query, Tx, params, row, sql};
use domain::{SessionId, Timestamp, UserId, WorkspaceId};
use spine::Refusal;
use web::SecretHash;

row! {
    /// Everything a request by session needs to know, in one look.
    #[derive(Debug, Clone)]
    pub struct SessionFacts {
        pub workspace_id: WorkspaceId,
        pub id: SessionId,
        pub user_id: UserId,
        pub last_seen_at: Timestamp,
        pub expires_at: Timestamp,
        pub is_owner: bool,
        pub active: bool,
        pub locale: String,
        pub totp_last_step: Option<i64>,
        pub settings: String,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct SessionRow {
        pub id: SessionId,
        pub created_at: Timestamp,
        pub last_seen_at: Timestamp,
        pub user_agent: String,
        pub address: String,
    }
}

/// A new session.
pub struct NewSession<'a> {
    pub id: SessionId,
    pub user: UserId,
    pub secret: SecretHash,
    pub user_agent: &'a str,
    pub address: &'a str,
    pub now: Timestamp,
    pub expires_at: Timestamp,
}

sql!(SESSION_BY_SECRET = "SELECT s.workspace_id, s.id, s.user_id, s.last_seen_at, s.expires_at, u.is_owner, u.active, u.locale, \
    u.totp_last_step, w.settings FROM session s JOIN app_user u ON u.workspace_id = s.workspace_id AND u.id = s.user_id \
    JOIN workspace w ON w.workspace_id = s.workspace_id WHERE s.token_hash = $1", params: 1, row: SessionFacts, global);
sql!(INSERT_SESSION = "INSERT INTO session (workspace_id, id, user_id, token_hash, created_at, last_seen_at, expires_at, user_agent, address) \
    VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8)", params: 8);
sql!(SESSIONS_OF = "SELECT id, created_at, last_seen_at, user_agent, address FROM session \
    WHERE workspace_id = $1 AND user_id = $2 AND expires_at > $3 ORDER BY last_seen_at DESC, id DESC LIMIT 100", params: 3, row: SessionRow);
sql!(TOUCH_SESSION = "UPDATE session SET last_seen_at = $3 WHERE workspace_id = $1 AND id = $2", params: 3);
sql!(DELETE_SESSION = "DELETE FROM session WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(DELETE_SESSIONS_OF = "DELETE FROM session WHERE workspace_id = $1 AND user_id = $2", params: 2);
sql!(DELETE_SURPLUS_SESSIONS = "DELETE FROM session WHERE workspace_id = $1 AND id IN (SELECT id FROM session WHERE workspace_id = $1 \
    AND user_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1000 OFFSET $3)", params: 3);
sql!(DELETE_EXPIRED_SESSIONS = "DELETE FROM session WHERE workspace_id = $1 AND (expires_at <= $2 OR last_seen_at <= $3)", params: 3);

pub fn by_secret(q: &mut impl Query, secret: SecretHash) -> Result<Option<SessionFacts>, Refusal> {
    Ok(q.query_opt(&SESSION_BY_SECRET, params![secret.bytes()])?)
}

pub fn insert(tx: &mut Tx<'_>, ws: WorkspaceId, s: &NewSession<'_>) -> Result<(), Refusal> {
    let args = params![ws, s.id, s.user, s.secret.bytes(), s.now, s.expires_at, s.user_agent, s.address];
    tx.execute(&INSERT_SESSION, args)?;
    Ok(())
}

pub fn of_user(q: &mut impl Query, ws: WorkspaceId, user: UserId, now: Timestamp) -> Result<Vec<SessionRow>, Refusal> {
    Ok(q.query(&SESSIONS_OF, params![ws, user, now])?)
}

pub fn touch(tx: &mut Tx<'_>, ws: WorkspaceId, id: SessionId, now: Timestamp) -> Result<(), Refusal> {
    tx.execute(&TOUCH_SESSION, params![ws, id, now])?;
    Ok(())
}

pub fn delete(tx: &mut Tx<'_>, ws: WorkspaceId, id: SessionId) -> Result<u64, Refusal> {
    Ok(tx.execute(&DELETE_SESSION, params![ws, id])?)
}

pub fn delete_of(tx: &mut Tx<'_>, ws: WorkspaceId, user: UserId) -> Result<u64, Refusal> {
    Ok(tx.execute(&DELETE_SESSIONS_OF, params![ws, user])?)
}

/// Keeps only the newest `keep` sessions of a user.
pub fn delete_surplus(tx: &mut Tx<'_>, ws: WorkspaceId, user: UserId, keep: i64) -> Result<u64, Refusal> {
    Ok(tx.execute(&DELETE_SURPLUS_SESSIONS, params![ws, user, keep])?)
}

pub fn delete_expired(tx: &mut Tx<'_>, ws: WorkspaceId, now: Timestamp, idle_since: Timestamp) -> Result<u64, Refusal> {
    Ok(tx.execute(&DELETE_EXPIRED_SESSIONS, params![ws, now, idle_since])?)
}
