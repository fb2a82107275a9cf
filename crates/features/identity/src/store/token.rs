//! API tokens.

use db::{Query, Tx, params, row, sql};
use domain::{ApiTokenId, ChannelId, Timestamp, UserId, WorkspaceId};
use spine::Refusal;
use web::SecretHash;

row! {
    #[derive(Debug, Clone)]
    pub struct TokenFacts {
        pub workspace_id: WorkspaceId,
        pub id: ApiTokenId,
        pub scopes: String,
        pub channel_id: Option<ChannelId>,
        pub expires_at: Option<Timestamp>,
        pub last_used_at: Option<Timestamp>,
        pub locale: String,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct TokenRow {
        pub id: ApiTokenId,
        pub name: String,
        pub scopes: String,
        pub channel_id: Option<ChannelId>,
        pub channel_name: Option<String>,
        pub created_by: UserId,
        pub created_by_name: Option<String>,
        pub created_at: Timestamp,
        pub expires_at: Option<Timestamp>,
        pub last_used_at: Option<Timestamp>,
    }
}

/// A new token.
pub struct NewToken<'a> {
    pub id: ApiTokenId,
    pub name: &'a str,
    pub secret: SecretHash,
    pub scopes: &'a str,
    pub channel: Option<ChannelId>,
    pub by: UserId,
    pub now: Timestamp,
    pub expires_at: Option<Timestamp>,
}

sql!(TOKEN_BY_SECRET = "SELECT t.workspace_id, t.id, t.scopes, t.channel_id, t.expires_at, t.last_used_at, w.locale FROM api_token t \
    JOIN workspace w ON w.workspace_id = t.workspace_id WHERE t.token_hash = $1 AND t.revoked_at IS NULL", params: 1, row: TokenFacts, global);
sql!(TOKENS = "SELECT t.id, t.name, t.scopes, t.channel_id, c.name AS channel_name, t.created_by, u.name AS created_by_name, t.created_at, \
    t.expires_at, t.last_used_at FROM api_token t LEFT JOIN view_channel c ON c.workspace_id = t.workspace_id AND c.id = t.channel_id \
    LEFT JOIN app_user u ON u.workspace_id = t.workspace_id AND u.id = t.created_by \
    WHERE t.workspace_id = $1 AND t.revoked_at IS NULL ORDER BY t.created_at DESC, t.id DESC LIMIT 1000", params: 1, row: TokenRow);
sql!(INSERT_TOKEN = "INSERT INTO api_token (workspace_id, id, name, token_hash, scopes, channel_id, created_by, created_at, expires_at, \
    last_used_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, NULL)", params: 9);
sql!(REVOKE_TOKEN = "UPDATE api_token SET revoked_at = $3 WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING name", params: 3);
sql!(TOUCH_TOKEN = "UPDATE api_token SET last_used_at = $3 WHERE workspace_id = $1 AND id = $2", params: 3);
sql!(COUNT_TOKENS = "SELECT CAST(COUNT(*) AS BIGINT) FROM api_token WHERE workspace_id = $1 AND revoked_at IS NULL", params: 1);

pub fn by_secret(q: &mut impl Query, secret: SecretHash) -> Result<Option<TokenFacts>, Refusal> {
    Ok(q.query_opt(&TOKEN_BY_SECRET, params![secret.bytes()])?)
}

pub fn list(q: &mut impl Query, ws: WorkspaceId) -> Result<Vec<TokenRow>, Refusal> {
    Ok(q.query(&TOKENS, params![ws])?)
}

pub fn insert(tx: &mut Tx<'_>, ws: WorkspaceId, t: &NewToken<'_>) -> Result<(), Refusal> {
    let args = params![ws, t.id, t.name, t.secret.bytes(), t.scopes, t.channel, t.by, t.now, t.expires_at];
    tx.execute(&INSERT_TOKEN, args)?;
    Ok(())
}

/// Answers the token's name; none when there is no such valid token.
pub fn revoke(tx: &mut Tx<'_>, ws: WorkspaceId, id: ApiTokenId, now: Timestamp) -> Result<Option<String>, Refusal> {
    Ok(tx.query_opt(&REVOKE_TOKEN, params![ws, id, now])?)
}

pub fn touch(tx: &mut Tx<'_>, ws: WorkspaceId, id: ApiTokenId, now: Timestamp) -> Result<(), Refusal> {
    tx.execute(&TOUCH_TOKEN, params![ws, id, now])?;
    Ok(())
}

pub fn count(q: &mut impl Query, ws: WorkspaceId) -> Result<i64, Refusal> {
    Ok(q.query_one(&COUNT_TOKENS, params![ws])?)
}
