//! Accounts.

use db::{Query, Tx, params, row, sql};
use domain::{Timestamp, UserId, WorkspaceId};
use spine::Refusal;

row! {
    #[derive(Debug, Clone)]
    pub struct UserRow {
        pub workspace_id: WorkspaceId,
        pub id: UserId,
        pub email: String,
        pub name: String,
        /// PHC string; none while the invitation is open.
        pub password_hash: Option<String>,
        /// Sealed. Set without a last step: enrolment has begun but no code was confirmed yet.
        pub totp_secret: Option<Vec<u8>>,
        pub totp_last_step: Option<i64>,
        pub recovery_codes: String,
        pub locale: String,
        pub time_zone: String,
        pub languages: String,
        pub signature: String,
        pub preferences: String,
        pub is_owner: bool,
        pub active: bool,
    }
}

impl UserRow {
    #[must_use]
    pub fn totp_enabled(&self) -> bool {
        self.totp_last_step.is_some()
    }
}

/// A new account.
pub struct NewUser<'a> {
    pub id: UserId,
    pub email: &'a str,
    pub name: &'a str,
    pub password_hash: Option<&'a str>,
    pub locale: &'a str,
    pub time_zone: &'a str,
    pub languages: &'a [String],
    pub is_owner: bool,
}

/// What people change about themselves.
pub struct Profile<'a> {
    pub name: &'a str,
    pub locale: &'a str,
    pub time_zone: &'a str,
    pub languages: &'a str,
    pub signature: &'a str,
    pub preferences: &'a str,
}

sql!(INSERT_USER = "INSERT INTO app_user (workspace_id, id, email, email_key, name, password_hash, totp_secret, totp_last_step, \
    recovery_codes, locale, time_zone, languages, signature, preferences, is_owner, active, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6, NULL, NULL, '[]', $7, $8, $9, '', '{}', $10, TRUE, $11)", params: 11);
sql!(USER_BY_ID = "SELECT workspace_id, id, email, name, password_hash, totp_secret, totp_last_step, recovery_codes, locale, time_zone, \
    languages, signature, preferences, is_owner, active FROM app_user WHERE workspace_id = $1 AND id = $2", params: 2, row: UserRow);
sql!(USERS_BY_EMAIL = "SELECT workspace_id, id, email, name, password_hash, totp_secret, totp_last_step, recovery_codes, locale, time_zone, \
    languages, signature, preferences, is_owner, active FROM app_user WHERE email_key = $1 ORDER BY workspace_id LIMIT 8", params: 1, row: UserRow, global);
sql!(EMAIL_TAKEN = "SELECT CAST(COUNT(*) AS BIGINT) FROM app_user WHERE workspace_id = $1 AND email_key = $2", params: 2);
sql!(COUNT_USERS = "SELECT CAST(COUNT(*) AS BIGINT) FROM app_user WHERE workspace_id = $1", params: 1);
sql!(COUNT_OWNERS = "SELECT CAST(COUNT(*) AS BIGINT) FROM app_user WHERE workspace_id = $1 AND is_owner = TRUE AND active = TRUE", params: 1);
sql!(SET_PROFILE = "UPDATE app_user SET name = $3, locale = $4, time_zone = $5, languages = $6, signature = $7, preferences = $8 \
    WHERE workspace_id = $1 AND id = $2", params: 8);
sql!(SET_PASSWORD = "UPDATE app_user SET password_hash = $3 WHERE workspace_id = $1 AND id = $2", params: 3);
sql!(SET_TOTP = "UPDATE app_user SET totp_secret = $3, totp_last_step = $4, recovery_codes = $5 WHERE workspace_id = $1 AND id = $2", params: 5);
sql!(SET_STANDING = "UPDATE app_user SET is_owner = $3, active = $4 WHERE workspace_id = $1 AND id = $2", params: 4);
sql!(DELETE_USER = "DELETE FROM app_user WHERE workspace_id = $1 AND id = $2", params: 2);

/// The form of an address by which accounts are found: case does not matter.
#[must_use]
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

pub fn insert(tx: &mut Tx<'_>, ws: WorkspaceId, user: &NewUser<'_>, now: Timestamp) -> Result<(), Refusal> {
    let languages = super::text(&user.languages);
    let args = params![
        ws,
        user.id,
        user.email.trim(),
        email_key(user.email),
        user.name.trim(),
        user.password_hash,
        user.locale,
        user.time_zone,
        languages,
        user.is_owner,
        now
    ];
    tx.execute(&INSERT_USER, args)?;
    Ok(())
}

/// The account.
///
/// # Errors
/// [`Refusal::NotFound`], or those of the database.
pub fn get(q: &mut impl Query, ws: WorkspaceId, id: UserId) -> Result<UserRow, Refusal> {
    q.query_opt(&USER_BY_ID, params![ws, id])?.ok_or(Refusal::NotFound)
}

/// Accounts with this address, in all workspaces (at most 8).
pub fn by_email(q: &mut impl Query, email: &str) -> Result<Vec<UserRow>, Refusal> {
    Ok(q.query(&USERS_BY_EMAIL, params![email_key(email)])?)
}

pub fn email_taken(q: &mut impl Query, ws: WorkspaceId, email: &str) -> Result<bool, Refusal> {
    let count: i64 = q.query_one(&EMAIL_TAKEN, params![ws, email_key(email)])?;
    Ok(count > 0)
}

pub fn count(q: &mut impl Query, ws: WorkspaceId) -> Result<i64, Refusal> {
    Ok(q.query_one(&COUNT_USERS, params![ws])?)
}

pub fn count_owners(q: &mut impl Query, ws: WorkspaceId) -> Result<i64, Refusal> {
    Ok(q.query_one(&COUNT_OWNERS, params![ws])?)
}

pub fn set_profile(tx: &mut Tx<'_>, ws: WorkspaceId, id: UserId, p: &Profile<'_>) -> Result<(), Refusal> {
    let args = params![ws, id, p.name, p.locale, p.time_zone, p.languages, p.signature, p.preferences];
    tx.execute(&SET_PROFILE, args)?;
    Ok(())
}

pub fn set_password(tx: &mut Tx<'_>, ws: WorkspaceId, id: UserId, hash: &str) -> Result<(), Refusal> {
    tx.execute(&SET_PASSWORD, params![ws, id, hash])?;
    Ok(())
}

/// Replaces everything about the second factor. `recovery` holds hashes.
pub fn set_totp(
    tx: &mut Tx<'_>,
    ws: WorkspaceId,
    id: UserId,
    (secret, last_step, recovery): (Option<&[u8]>, Option<i64>, &[String]),
) -> Result<(), Refusal> {
    tx.execute(&SET_TOTP, params![ws, id, secret, last_step, super::text(&recovery)])?;
    Ok(())
}

pub fn set_standing(tx: &mut Tx<'_>, ws: WorkspaceId, id: UserId, owner: bool, active: bool) -> Result<(), Refusal> {
    tx.execute(&SET_STANDING, params![ws, id, owner, active])?;
    Ok(())
}

pub fn delete(tx: &mut Tx<'_>, ws: WorkspaceId, id: UserId) -> Result<(), Refusal> {
    tx.execute(&DELETE_USER, params![ws, id])?;
    Ok(())
}
