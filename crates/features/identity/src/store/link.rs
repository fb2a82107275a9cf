//! Single-use secrets that travel by mail or between two steps of sign-in (SECURITY row 16).

use db::{Query, Tx, params, row, sql};
use domain::{InvitationId, Timestamp, UserId, WorkspaceId};
use spine::Refusal;
use web::SecretHash;

/// What a secret is good for; it is good for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Invitation,
    PasswordReset,
    /// The second step of a sign-in.
    Totp,
}

impl Purpose {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::PasswordReset => "password_reset",
            Self::Totp => "totp",
        }
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct LinkRow {
        pub workspace_id: WorkspaceId,
        pub id: InvitationId,
        pub user_id: UserId,
        pub data: String,
        pub expires_at: Timestamp,
        pub used_at: Option<Timestamp>,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct OpenInvitation {
        pub id: InvitationId,
        pub email: String,
        pub name: String,
        pub created_at: Timestamp,
        pub expires_at: Timestamp,
    }
}

sql!(INSERT_LINK = "INSERT INTO secret_link (workspace_id, id, purpose, token_hash, user_id, data, created_at, expires_at, used_at) \
    VALUES ($1, $2, $3, $4, $5, '{}', $6, $7, NULL)", params: 7);
sql!(LINK_BY_SECRET = "SELECT workspace_id, id, user_id, data, expires_at, used_at FROM secret_link \
    WHERE token_hash = $1 AND purpose = $2", params: 2, row: LinkRow, global);
sql!(LINK_BY_ID = "SELECT workspace_id, id, user_id, data, expires_at, used_at FROM secret_link \
    WHERE workspace_id = $1 AND id = $2 AND purpose = $3", params: 3, row: LinkRow);
sql!(USE_LINK = "UPDATE secret_link SET used_at = $3 WHERE workspace_id = $1 AND id = $2 AND used_at IS NULL", params: 3);
sql!(SET_LINK_DATA = "UPDATE secret_link SET data = $3 WHERE workspace_id = $1 AND id = $2", params: 3);
sql!(RENEW_LINK = "UPDATE secret_link SET token_hash = $3, created_at = $4, expires_at = $5 \
    WHERE workspace_id = $1 AND id = $2 AND used_at IS NULL", params: 5);
sql!(VOID_LINKS = "DELETE FROM secret_link WHERE workspace_id = $1 AND user_id = $2 AND purpose = $3 AND used_at IS NULL", params: 3);
sql!(DELETE_LINK = "DELETE FROM secret_link WHERE workspace_id = $1 AND id = $2", params: 2);
sql!(DELETE_OLD_LINKS = "DELETE FROM secret_link WHERE workspace_id = $1 AND expires_at <= $2 AND purpose <> 'invitation'", params: 2);
sql!(OPEN_INVITATIONS = "SELECT l.id, u.email, u.name, l.created_at, l.expires_at FROM secret_link l \
    JOIN app_user u ON u.workspace_id = l.workspace_id AND u.id = l.user_id \
    WHERE l.workspace_id = $1 AND l.purpose = 'invitation' AND l.used_at IS NULL ORDER BY l.created_at DESC, l.id DESC LIMIT 1000", params: 1, row: OpenInvitation);

/// A new link.
pub struct NewLink {
    pub id: InvitationId,
    pub purpose: Purpose,
    pub secret: SecretHash,
    pub user: UserId,
    pub now: Timestamp,
    pub expires_at: Timestamp,
}

pub fn insert(tx: &mut Tx<'_>, ws: WorkspaceId, l: &NewLink) -> Result<(), Refusal> {
    let args = params![ws, l.id, l.purpose.as_str(), l.secret.bytes(), l.user, l.now, l.expires_at];
    tx.execute(&INSERT_LINK, args)?;
    Ok(())
}

/// The link with this secret, if it can still be used.
pub fn usable(
    q: &mut impl Query,
    secret: SecretHash,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Option<LinkRow>, Refusal> {
    let link: Option<LinkRow> = q.query_opt(&LINK_BY_SECRET, params![secret.bytes(), purpose.as_str()])?;
    Ok(link.filter(|link| link.used_at.is_none() && link.expires_at > now))
}

pub fn by_id(
    q: &mut impl Query,
    ws: WorkspaceId,
    id: InvitationId,
    purpose: Purpose,
) -> Result<Option<LinkRow>, Refusal> {
    Ok(q.query_opt(&LINK_BY_ID, params![ws, id, purpose.as_str()])?)
}

/// Marks it used; false when somebody else was faster.
pub fn mark_used(tx: &mut Tx<'_>, link: &LinkRow, now: Timestamp) -> Result<bool, Refusal> {
    Ok(tx.execute(&USE_LINK, params![link.workspace_id, link.id, now])? == 1)
}

pub fn set_data(tx: &mut Tx<'_>, link: &LinkRow, data: &str) -> Result<(), Refusal> {
    tx.execute(&SET_LINK_DATA, params![link.workspace_id, link.id, data])?;
    Ok(())
}

/// Gives an unused link a new secret and a new time; the old secret is worth nothing.
pub fn renew(
    tx: &mut Tx<'_>,
    link: &LinkRow,
    secret: SecretHash,
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<bool, Refusal> {
    Ok(tx.execute(&RENEW_LINK, params![link.workspace_id, link.id, secret.bytes(), now, expires_at])? == 1)
}

/// Takes back all unused links of a user for a purpose.
pub fn void(tx: &mut Tx<'_>, ws: WorkspaceId, user: UserId, purpose: Purpose) -> Result<(), Refusal> {
    tx.execute(&VOID_LINKS, params![ws, user, purpose.as_str()])?;
    Ok(())
}

pub fn delete(tx: &mut Tx<'_>, ws: WorkspaceId, id: InvitationId) -> Result<(), Refusal> {
    tx.execute(&DELETE_LINK, params![ws, id])?;
    Ok(())
}

pub fn delete_old(tx: &mut Tx<'_>, ws: WorkspaceId, before: Timestamp) -> Result<u64, Refusal> {
    Ok(tx.execute(&DELETE_OLD_LINKS, params![ws, before])?)
}

pub fn invitations(q: &mut impl Query, ws: WorkspaceId) -> Result<Vec<OpenInvitation>, Refusal> {
    Ok(q.query(&OPEN_INVITATIONS, params![ws])?)
}
