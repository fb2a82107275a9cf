//! Signing in and out. Every failed way takes the same time and says the same: whether an
//! account exists is not told (SECURITY row 17).

use super::{KNOCKS, device, with_session};
use crate::actions::{self, CHALLENGE_LIFE, Device, access_event, open_session};
use crate::http::me::{self, Me};
use crate::store::link::{self, Purpose};
use crate::store::user::{self, UserRow};
use crate::store::{session, workspace};
use crate::{People, password, totp};
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use domain::event::AccessEvent;
use domain::limits::ADDRESS_CHARS;
use domain::{Actor, Code, SessionId, Timestamp, UserId, WorkspaceId};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use spine::{Order, Refusal, Secret, Unit};
use web::{Caller, Edge, Items, Json, Result, SecretHash};

/// Wrong codes at one challenge before it is void.
const CODES_PER_CHALLENGE: u32 = 5;

#[derive(Deserialize, utoipa::ToSchema)]
pub struct SignIn {
    pub email: String,
    #[schema(value_type = String, format = "password")]
    pub password: String,
    /// Slug, when the address belongs to several workspaces.
    #[serde(default)]
    pub workspace: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum SignInAnswer {
    SignedIn {
        me: Box<Me>,
    },
    /// The password was right; a code of the second factor is needed.
    TotpRequired {
        challenge: String,
    },
    /// The address and password fit in several workspaces.
    ChooseWorkspace {
        workspaces: Vec<WorkspaceOption>,
    },
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct WorkspaceOption {
    pub slug: String,
    pub name: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct SecondStep {
    pub challenge: String,
    /// Six digits, or a recovery code.
    pub code: String,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct SessionInfo {
    pub id: SessionId,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub user_agent: String,
    pub address: String,
    /// The session that asks.
    pub current: bool,
}

/// An account whose password was right.
struct Known {
    user: UserRow,
    workspace: workspace::WorkspaceRow,
}

/// Signs in by address and password.
#[utoipa::path(post, path = "/api/session", tag = "session", request_body = SignIn, responses((status = 200, body = SignInAnswer)))]
pub async fn sign_in(
    State(people): State<People>,
    edge: Edge,
    headers: HeaderMap,
    Json(body): Json<SignIn>,
) -> Result<Response> {
    people.kit.limit(&KNOCKS, edge.address)?;
    let too_long = body.password.chars().count() > password::PASSWORD_CHARS_MAX;
    if too_long || body.email.chars().count() > ADDRESS_CHARS {
        return Err(Code::WrongCredentials.into());
    }
    let account = user::email_key(&body.email);
    let now = people.spine.now();
    if !people.kit.settings().no_rate_limits {
        people.throttle.check(&account, edge.address, now)?;
    }
    let mut known = recognise(&people, &body).await?;
    if known.len() > 1 {
        let workspaces =
            known.into_iter().map(|k| WorkspaceOption { slug: k.workspace.slug, name: k.workspace.name }).collect();
        return Ok(Json(SignInAnswer::ChooseWorkspace { workspaces }).into_response());
    }
    let Some(Known { user, workspace }) = known.pop() else {
        people.throttle.failed(&account, edge.address, now);
        return Err(Code::WrongCredentials.into());
    };
    let (ws, id) = (workspace.workspace_id, user.id);
    if user.totp_enabled() {
        // The slate stays as it is: a right password alone must not buy new guesses at codes.
        let challenge = people.new_secret()?;
        let secret = challenge.hash;
        let order = Order::new(ws, Actor::Agent(id));
        people
            .spine
            .execute(order, move |unit| {
                actions::issue_link(unit, id, Purpose::Totp, secret, CHALLENGE_LIFE).map(|_| ())
            })
            .await?;
        let challenge = challenge.text.expose().to_owned();
        return Ok(Json(SignInAnswer::TotpRequired { challenge }).into_response());
    }
    people.throttle.succeeded(&account, edge.address);
    begin(&people, (ws, id), device(&edge, &headers)).await
}

/// Finds the accounts that address and password fit. The password is checked at least once.
async fn recognise(people: &People, body: &SignIn) -> Result<Vec<Known>> {
    let (email, slug) = (body.email.clone(), body.workspace.clone());
    let candidates: Vec<Known> = people
        .spine
        .db()
        .read::<_, Refusal, _>(move |q| {
            let mut found = Vec::new();
            for user in
                user::by_email(q, &email)?.into_iter().filter(|user| user.active && user.password_hash.is_some())
            {
                let workspace = workspace::get(q, user.workspace_id)?;
                if slug.as_ref().is_none_or(|slug| *slug == workspace.slug) {
                    found.push(Known { user, workspace });
                }
            }
            Ok(found)
        })
        .await?;
    if candidates.is_empty() {
        people.passwords.verify(Secret::new(body.password.as_str()), None).await?;
        return Ok(Vec::new());
    }
    let mut right = Vec::new();
    for known in candidates {
        let stored = known.user.password_hash.as_deref();
        if people.passwords.verify(Secret::new(body.password.as_str()), stored).await? {
            right.push(known);
        } else {
            note_failure(people, &known);
        }
    }
    Ok(right)
}

/// Writes the failure down beside the answer, not before it: a commit takes time that would tell
/// an existing account from none.
fn note_failure(people: &People, known: &Known) {
    let (spine, order) = (people.spine.clone(), Order::new(known.workspace.workspace_id, Actor::System));
    let id = known.user.id;
    tokio::spawn(async move {
        let noted = spine.execute(order, move |unit| access_event(unit, id, AccessEvent::SignInFailed)).await;
        if let Err(refusal) = noted {
            tracing::warn!(error = %refusal, "a failed sign-in could not be logged");
        }
    });
}

/// Opens the session and answers with it.
async fn begin(people: &People, (ws, id): (WorkspaceId, UserId), device: Device) -> Result<Response> {
    let session = people.new_secret()?;
    let secret = session.hash;
    let order = Order::new(ws, Actor::Agent(id));
    people.spine.execute(order, move |unit| open_session(unit, id, secret, &device, false).map(|_| ())).await?;
    signed_in(people, (ws, id), &session.text).await
}

async fn signed_in(people: &People, (ws, id): (WorkspaceId, UserId), session: &Secret) -> Result<Response> {
    let me = people.spine.db().read::<_, Refusal, _>(move |q| me::load(q, ws, id)).await?;
    Ok(with_session(people, session, SignInAnswer::SignedIn { me: Box::new(me) }))
}

/// How a code was received.
#[derive(Serialize, Deserialize)]
enum Verdict {
    Right,
    Wrong,
}

/// Completes a sign-in with a code of the second factor, or a recovery code.
#[utoipa::path(post, path = "/api/session/totp", tag = "session", request_body = SecondStep, responses((status = 200, body = SignInAnswer)))]
pub async fn second_step(
    State(people): State<People>,
    edge: Edge,
    headers: HeaderMap,
    Json(body): Json<SecondStep>,
) -> Result<Response> {
    people.kit.limit(&KNOCKS, edge.address)?;
    let secret = SecretHash::of(&body.challenge).ok_or(Code::LinkExpired)?;
    let now = people.spine.now();
    let link = people.spine.db().read::<_, Refusal, _>(move |q| link::usable(q, secret, Purpose::Totp, now)).await?;
    let link = link.ok_or(Code::LinkExpired)?;
    let (ws, id) = (link.workspace_id, link.user_id);
    let account = format!("totp:{id}");
    people.throttle.check(&account, edge.address, now)?;
    let session = people.new_secret()?;
    let (new, device, vault) = (session.hash, device(&edge, &headers), people.spine.vault().clone());
    let verdict = people
        .spine
        .execute(Order::new(ws, Actor::Agent(id)), move |unit| {
            let now = unit.now();
            let link = link::usable(unit.tx(), secret, Purpose::Totp, now)?.ok_or(Code::LinkExpired)?;
            if !check_code(unit, &vault, id, &body.code)? {
                count_wrong(unit, &link)?;
                return Ok(Verdict::Wrong);
            }
            if !link::mark_used(unit.tx(), &link, now)? {
                return Err(Code::LinkExpired.into());
            }
            open_session(unit, id, new, &device, true)?;
            Ok(Verdict::Right)
        })
        .await?;
    match verdict {
        Verdict::Right => {
            people.throttle.succeeded(&account, edge.address);
            signed_in(&people, (ws, id), &session.text).await
        }
        Verdict::Wrong => {
            people.throttle.failed(&account, edge.address, now);
            Err(Code::WrongCode.into())
        }
    }
}

fn count_wrong(unit: &mut Unit<'_, '_>, link: &link::LinkRow) -> std::result::Result<(), Refusal> {
    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Tries {
        wrong: u32,
    }
    let mut tries: Tries = crate::store::json(&link.data)?;
    tries.wrong += 1;
    link::set_data(unit.tx(), link, &crate::store::text(&tries))?;
    if tries.wrong >= CODES_PER_CHALLENGE {
        let now = unit.now();
        link::mark_used(unit.tx(), link, now)?;
    }
    access_event(unit, link.user_id, AccessEvent::SignInFailed)
}

/// Checks a code and uses it up.
pub(crate) fn check_code(
    unit: &mut Unit<'_, '_>,
    vault: &spine::Vault,
    id: UserId,
    code: &str,
) -> std::result::Result<bool, Refusal> {
    let (ws, now) = (unit.workspace(), unit.now());
    let row = user::get(unit.tx(), ws, id)?;
    let (Some(sealed), Some(last), true) = (row.totp_secret.as_deref(), row.totp_last_step, row.active) else {
        return Ok(false);
    };
    let secret = vault.open(&super::totp::context(ws, id), sealed)?;
    let codes: Vec<String> = crate::store::json(&row.recovery_codes)?;
    if let Some(step) = totp::check(&secret, code, now, Some(last)) {
        user::set_totp(unit.tx(), ws, id, (Some(sealed), Some(step), &codes))?;
        return Ok(true);
    }
    let Some(rest) = totp::use_recovery(&codes, code) else { return Ok(false) };
    user::set_totp(unit.tx(), ws, id, (Some(sealed), Some(last), &rest))?;
    access_event(unit, id, AccessEvent::RecoveryCodeUsed)?;
    Ok(true)
}

/// Signs this browser out.
#[utoipa::path(delete, path = "/api/session", tag = "session", responses((status = 204)))]
pub async fn sign_out(State(people): State<People>, caller: Caller) -> Result<Response> {
    let user = caller.user()?;
    if let Some(id) = caller.session {
        people
            .spine
            .execute(caller.order_once(), move |unit| {
                let ws = unit.workspace();
                session::delete(unit.tx(), ws, id)?;
                access_event(unit, user, AccessEvent::SignedOut { session: id })
            })
            .await?;
    }
    Ok(signed_out(&people))
}

/// Signs out everywhere, here too.
#[utoipa::path(delete, path = "/api/sessions", tag = "session", responses((status = 204)))]
pub async fn sign_out_everywhere(State(people): State<People>, caller: Caller) -> Result<Response> {
    let user = caller.user()?;
    people
        .spine
        .execute(caller.order_once(), move |unit| {
            let ws = unit.workspace();
            session::delete_of(unit.tx(), ws, user)?;
            access_event(unit, user, AccessEvent::SignedOutEverywhere)
        })
        .await?;
    Ok(signed_out(&people))
}

fn signed_out(people: &People) -> Response {
    (StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, people.kit.no_session_cookie())])).into_response()
}

/// Where the caller is signed in.
#[utoipa::path(get, path = "/api/sessions", tag = "session", responses((status = 200, body = Items<SessionInfo>)))]
pub async fn list(State(people): State<People>, caller: Caller) -> Result<Json<Items<SessionInfo>>> {
    let (ws, user, now) = (caller.workspace, caller.user()?, people.spine.now());
    let rows = people.spine.db().read::<_, Refusal, _>(move |q| session::of_user(q, ws, user, now)).await?;
    let items: Vec<SessionInfo> = rows
        .into_iter()
        .map(|row| SessionInfo {
            current: caller.session == Some(row.id),
            id: row.id,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            user_agent: row.user_agent,
            address: row.address,
        })
        .collect();
    Ok(Json(items.into()))
}
