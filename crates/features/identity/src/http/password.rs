//! Passwords: changed by their owner, or forgotten and set again by a link in a mail.

use super::{KNOCKS, device, with_session};
use crate::actions::{self, RESET_LIFE, access_event, open_session};
use crate::http::me::{self, Me};
use crate::mail::{self, SystemMail, Template};
use crate::store::link::{self, Purpose};
use crate::store::{session, user, workspace};
use crate::{People, password};
use axum::extract::State;
use axum::response::Response;
use domain::event::AccessEvent;
use domain::limits::ADDRESS_CHARS;
use domain::{Actor, Code, Span};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use spine::{Order, Refusal, Secret};
use web::{Caller, Edge, Json, Limit, Result, SecretHash};

/// Reset mails to one address.
const RESETS: Limit = Limit::new("resets", 3, Span::hours(1));

#[derive(Deserialize, utoipa::ToSchema)]
pub struct Forgotten {
    pub email: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct NewPassword {
    pub token: String,
    #[schema(value_type = String, format = "password")]
    pub password: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct PasswordChange {
    #[schema(value_type = String, format = "password")]
    pub current: String,
    #[schema(value_type = String, format = "password")]
    pub new: String,
}

/// Asks for a mail with a link to set a new password. The answer never tells whether there is an account.
#[utoipa::path(post, path = "/api/password/forgot", tag = "session", request_body = Forgotten, responses((status = 202)))]
pub async fn forgot(State(people): State<People>, edge: Edge, Json(body): Json<Forgotten>) -> Result<StatusCode> {
    people.kit.limit(&KNOCKS, edge.address)?;
    let account = user::email_key(&body.email);
    let fits = account.chars().count() <= ADDRESS_CHARS;
    if fits && people.kit.limit(&RESETS, account.clone()).is_ok() {
        // Beside the answer, so that its time tells nothing.
        tokio::spawn(async move {
            if let Err(refusal) = send_links(&people, account).await {
                tracing::warn!(error = %refusal, "a password reset could not be prepared");
            }
        });
    }
    Ok(StatusCode::ACCEPTED)
}

async fn send_links(people: &People, account: String) -> std::result::Result<(), Refusal> {
    let found = people.spine.db().read::<_, Refusal, _>(move |q| user::by_email(q, &account)).await?;
    for row in found.into_iter().filter(|row| row.active && row.password_hash.is_some()) {
        let secret = web::secret::text(people.spine.random());
        let hash = SecretHash::of(&secret).ok_or_else(|| Refusal::Internal("no secret".to_owned()))?;
        let public_url = people.kit.settings().public_url.clone();
        people
            .spine
            .execute(Order::new(row.workspace_id, Actor::System), move |unit| {
                let (ws, now) = (unit.workspace(), unit.now());
                let workspace = workspace::get(unit.tx(), ws)?;
                // The address to link to never comes from this request: its Host may be the attacker's.
                let base = public_url.clone().or_else(|| workspace.base_url()).unwrap_or_default();
                actions::issue_link(unit, row.id, Purpose::PasswordReset, hash, RESET_LIFE)?;
                access_event(unit, row.id, AccessEvent::PasswordResetRequested)?;
                let mail = SystemMail {
                    to: row.email.clone(),
                    locale: row.locale.clone(),
                    template: Template::PasswordReset,
                    params: json!({
                        "name": row.name, "company": workspace.name,
                        "link": format!("{base}/reset/{secret}"), "hours": (RESET_LIFE.as_seconds() / 3600).to_string(),
                    }),
                };
                mail::send(unit, row.id, &mail, now)
            })
            .await?;
    }
    Ok(())
}

/// Sets a new password by the secret of a mailed link. All sessions end.
#[utoipa::path(post, path = "/api/password/reset", tag = "session", request_body = NewPassword, responses((status = 204)))]
pub async fn reset(State(people): State<People>, edge: Edge, Json(body): Json<NewPassword>) -> Result<StatusCode> {
    people.kit.limit(&KNOCKS, edge.address)?;
    let secret = SecretHash::of(&body.token).ok_or(Code::LinkExpired)?;
    let now = people.spine.now();
    let found = people
        .spine
        .db()
        .read::<_, Refusal, _>(move |q| {
            let Some(link) = link::usable(q, secret, Purpose::PasswordReset, now)? else { return Ok(None) };
            Ok(Some(user::get(q, link.workspace_id, link.user_id)?))
        })
        .await?;
    let row = found.filter(|row| row.active).ok_or(Code::LinkExpired)?;
    password::acceptable(&body.password, &[&row.name, &row.email])?;
    let hash = people.passwords.hash(Secret::new(body.password), people.spine.random()).await?;
    people
        .spine
        .execute(Order::new(row.workspace_id, Actor::Agent(row.id)), move |unit| {
            let (ws, now) = (unit.workspace(), unit.now());
            let link = link::usable(unit.tx(), secret, Purpose::PasswordReset, now)?.ok_or(Code::LinkExpired)?;
            if !link::mark_used(unit.tx(), &link, now)? {
                return Err(Code::LinkExpired.into());
            }
            user::set_password(unit.tx(), ws, row.id, &hash)?;
            session::delete_of(unit.tx(), ws, row.id)?;
            link::void(unit.tx(), ws, row.id, Purpose::Totp)?;
            access_event(unit, row.id, AccessEvent::PasswordChanged { by_reset: true })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the caller's password. All other sessions end, and this one gets a new secret.
#[utoipa::path(post, path = "/api/me/password", tag = "me", request_body = PasswordChange, responses((status = 200, body = Me)))]
pub async fn change(
    State(people): State<People>,
    caller: Caller,
    edge: Edge,
    headers: HeaderMap,
    Json(body): Json<PasswordChange>,
) -> Result<Response> {
    let (ws, id) = (caller.workspace, caller.user()?);
    let row = confirm(&people, &caller, "current", body.current).await?;
    password::acceptable(&body.new, &[&row.name, &row.email])
        .map_err(|rejection| domain::Rejection { field: Some("new".to_owned()), ..rejection })?;
    let hash = people.passwords.hash(Secret::new(body.new), people.spine.random()).await?;
    let session = people.new_secret()?;
    let (secret, device) = (session.hash, device(&edge, &headers));
    people
        .spine
        .execute(caller.order_once(), move |unit| {
            user::set_password(unit.tx(), ws, id, &hash)?;
            session::delete_of(unit.tx(), ws, id)?;
            link::void(unit.tx(), ws, id, Purpose::PasswordReset)?;
            access_event(unit, id, AccessEvent::PasswordChanged { by_reset: false })?;
            open_session(unit, id, secret, &device, false).map(|_| ())
        })
        .await?;
    let me = people.spine.db().read::<_, Refusal, _>(move |q| me::load(q, ws, id)).await?;
    Ok(with_session(&people, &session.text, me))
}

/// Asks the caller for the password again, before something that a stolen session must not do.
pub(crate) async fn confirm(people: &People, caller: &Caller, field: &str, given: String) -> Result<user::UserRow> {
    let (ws, id) = (caller.workspace, caller.user()?);
    let (account, now) = (format!("password:{id}"), people.spine.now());
    people.throttle.check(&account, caller.address, now)?;
    let row = people.spine.db().read::<_, Refusal, _>(move |q| user::get(q, ws, id)).await?;
    let fits = given.chars().count() <= password::PASSWORD_CHARS_MAX;
    if fits && people.passwords.verify(Secret::new(given), row.password_hash.as_deref()).await? {
        people.throttle.succeeded(&account, caller.address);
        return Ok(row);
    }
    people.throttle.failed(&account, caller.address, now);
    Err(web::Problem::field(field, Code::WrongCredentials).at_status(StatusCode::UNPROCESSABLE_ENTITY))
}
