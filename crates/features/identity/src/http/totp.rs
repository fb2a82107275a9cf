//! The caller's second factor.

use crate::actions::access_event;
use crate::http::password::confirm as confirm_password;
use crate::store::user;
use crate::{People, totp};
use axum::extract::State;
use domain::event::AccessEvent;
use domain::{Code, UserId, WorkspaceId};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use spine::Refusal;
use web::{Caller, Json, Problem, Result};

#[derive(Deserialize, utoipa::ToSchema)]
pub struct TotpPassword {
    #[schema(value_type = String, format = "password")]
    pub password: String,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct TotpSecret {
    /// For typing into an authenticator by hand.
    pub secret: String,
    /// `otpauth:` URI for a QR code.
    pub uri: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct TotpCode {
    pub code: String,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct RecoveryCodes {
    /// Shown this once; each works once.
    pub recovery_codes: Vec<String>,
}

/// What a sealed secret is bound to: copied to another row it opens nothing.
pub(crate) fn context(ws: WorkspaceId, id: UserId) -> Vec<u8> {
    [b"totp".as_slice(), ws.0.as_bytes(), id.0.as_bytes()].concat()
}

/// Begins enrolment: a new secret, which counts only after a code of it was confirmed.
#[utoipa::path(post, path = "/api/me/totp", tag = "me", request_body = TotpPassword, responses((status = 200, body = TotpSecret)))]
pub async fn begin(
    State(people): State<People>,
    caller: Caller,
    Json(body): Json<TotpPassword>,
) -> Result<Json<TotpSecret>> {
    let (ws, id) = (caller.workspace, caller.user()?);
    let row = confirm_password(&people, &caller, "password", body.password).await?;
    if row.totp_enabled() {
        return Err(Code::AlreadyExists.into());
    }
    let secret: [u8; totp::SECRET_BYTES] = people.spine.random();
    let sealed = people.spine.vault().seal(&context(ws, id), &secret, people.spine.random())?;
    let company = people
        .spine
        .execute(caller.order_once(), move |unit| {
            user::set_totp(unit.tx(), ws, id, (Some(&sealed), None, &[]))?;
            Ok(crate::store::workspace::get(unit.tx(), ws)?.name)
        })
        .await?;
    Ok(Json(TotpSecret { secret: totp::base32(&secret), uri: totp::uri(&secret, &company, &row.email) }))
}

/// Confirms enrolment with a first code; answers the recovery codes.
#[utoipa::path(post, path = "/api/me/totp/confirm", tag = "me", request_body = TotpCode, responses((status = 200, body = RecoveryCodes)))]
pub async fn confirm(
    State(people): State<People>,
    caller: Caller,
    Json(body): Json<TotpCode>,
) -> Result<Json<RecoveryCodes>> {
    let (ws, id) = (caller.workspace, caller.user()?);
    let codes = totp::recovery_codes(&people.spine.random());
    let hashes: Vec<String> = codes.iter().map(|code| totp::recovery_hash(code)).collect();
    let vault = people.spine.vault().clone();
    people
        .spine
        .execute(caller.order_once(), move |unit| {
            let now = unit.now();
            let row = user::get(unit.tx(), ws, id)?;
            let sealed = row.totp_secret.as_deref().filter(|_| !row.totp_enabled()).ok_or(Code::NotFound)?;
            let secret = vault.open(&context(ws, id), sealed)?;
            let step = totp::check(&secret, &body.code, now, None)
                .ok_or_else(|| Refusal::from(domain::Rejection::new(Code::WrongCode).on("code")))?;
            user::set_totp(unit.tx(), ws, id, (Some(sealed), Some(step), &hashes))?;
            access_event(unit, id, AccessEvent::TotpEnabled)
        })
        .await
        .map_err(|refusal| Problem::from(refusal).at_status_if(Code::WrongCode, StatusCode::UNPROCESSABLE_ENTITY))?;
    Ok(Json(RecoveryCodes { recovery_codes: codes }))
}

/// Takes the second factor away.
#[utoipa::path(delete, path = "/api/me/totp", tag = "me", request_body = TotpPassword, responses((status = 204)))]
pub async fn remove(
    State(people): State<People>,
    caller: Caller,
    Json(body): Json<TotpPassword>,
) -> Result<StatusCode> {
    let (ws, id) = (caller.workspace, caller.user()?);
    confirm_password(&people, &caller, "password", body.password).await?;
    people
        .spine
        .execute(caller.order_once(), move |unit| {
            user::set_totp(unit.tx(), ws, id, (None, None, &[]))?;
            access_event(unit, id, AccessEvent::TotpDisabled)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
