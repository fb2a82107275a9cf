//! Inviting people: an account without a password, and a link that lets its owner set one.

use super::{KNOCKS, device, with_session};
use crate::actions::{self, INVITATION_LIFE, RoleGrant, access_event, changed, open_session, snapshot};
use crate::http::me::{self, Me};
use crate::mail::{self, SystemMail, Template};
use crate::rights::{everywhere, may_manage};
use crate::store::link::{self, LinkRow, Purpose};
use crate::store::{role, team, user, workspace};
use crate::{People, fields, password};
use axum::extract::State;
use axum::response::Response;
use domain::event::{AccessEvent, ConfigAction};
use domain::{Actor, Code, InvitationId, Permission, Rejection, TeamId, Timestamp, UserId};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spine::{Order, Refusal, Secret, Unit};
use web::{Caller, Edge, Items, Json, Path, Result, SecretHash};

/// People of one workspace, also inactive ones.
const PEOPLE_MAX: i64 = 5_000;

#[derive(Deserialize, utoipa::ToSchema)]
pub struct Invite {
    pub email: String,
    pub name: String,
    #[serde(default)]
    pub roles: Vec<RoleGrant>,
    #[serde(default)]
    pub teams: Vec<TeamId>,
    #[serde(default)]
    pub languages: Vec<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct InvitationLink {
    pub id: InvitationId,
    /// Also sent by mail; shown so that it can be handed over where no mail is set up.
    pub link: String,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Invitation {
    pub id: InvitationId,
    pub email: String,
    pub name: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub expired: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct InvitationWelcome {
    pub email: String,
    pub name: String,
    pub company: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct Accept {
    pub token: String,
    pub name: String,
    #[schema(value_type = String, format = "password")]
    pub password: String,
}

/// Open invitations, the newest first.
#[utoipa::path(get, path = "/api/invitations", tag = "people", responses((status = 200, body = Items<Invitation>)))]
pub async fn list(State(people): State<People>, caller: Caller) -> Result<Json<Items<Invitation>>> {
    everywhere(&caller.access, Permission::PeopleManage)?;
    let (ws, now) = (caller.workspace, people.spine.now());
    let rows = people.spine.db().read::<_, Refusal, _>(move |q| link::invitations(q, ws)).await?;
    let items: Vec<Invitation> = rows
        .into_iter()
        .map(|row| Invitation {
            id: row.id,
            email: row.email,
            name: row.name,
            created_at: row.created_at,
            expires_at: row.expires_at,
            expired: row.expires_at <= now,
        })
        .collect();
    Ok(Json(items.into()))
}

/// Invites somebody and mails the link.
#[utoipa::path(post, path = "/api/invitations", tag = "people", request_body = Invite, responses((status = 200, body = InvitationLink)))]
pub async fn invite(
    State(people): State<People>,
    caller: Caller,
    edge: Edge,
    Json(body): Json<Invite>,
) -> Result<Json<InvitationLink>> {
    everywhere(&caller.access, Permission::PeopleManage)?;
    fields::email("email", &body.email)?;
    fields::name("name", &body.name)?;
    fields::languages(&body.languages)?;
    let secret = people.new_secret()?;
    let link = people.kit.link(&edge, &format!("/invitation/{}", secret.text.expose()));
    let (access, hash, mailed) = (caller.access.clone(), secret.hash, link.clone());
    let id = people
        .spine
        .execute(caller.order_once(), move |unit| {
            let user = create_invited(unit, &access, &body)?;
            let id = actions::issue_link(unit, user, Purpose::Invitation, hash, INVITATION_LIFE)?;
            mail_link(unit, user, &mailed)?;
            Ok(id)
        })
        .await?;
    Ok(Json(InvitationLink { id, link }))
}

fn create_invited(
    unit: &mut Unit<'_, '_>,
    caller: &domain::access::Access,
    body: &Invite,
) -> std::result::Result<UserId, Refusal> {
    let (ws, now, id) = (unit.workspace(), unit.now(), unit.next_id::<UserId>());
    if user::email_taken(unit.tx(), ws, &body.email)? {
        return Err(Rejection::new(Code::AlreadyExists).on("email").into());
    }
    if user::count(unit.tx(), ws)? >= PEOPLE_MAX {
        return Err(Rejection::new(Code::TooMany).with("max", PEOPLE_MAX).into());
    }
    let workspace = workspace::get(unit.tx(), ws)?;
    let account = user::NewUser {
        id,
        email: &body.email,
        name: &body.name,
        password_hash: None,
        locale: &workspace.locale,
        time_zone: &workspace.time_zone,
        languages: &body.languages,
        is_owner: false,
    };
    user::insert(unit.tx(), ws, &account, now)?;
    actions::set_roles(unit, caller, id, &body.roles)?;
    actions::set_teams(unit, id, &body.teams)?;
    let after = snapshot(unit, id)?;
    changed(unit, ("user", id.0), ConfigAction::Created, (Value::Null, after))?;
    access_event(unit, id, AccessEvent::Invited { user: id })?;
    Ok(id)
}

fn mail_link(unit: &mut Unit<'_, '_>, id: UserId, link: &str) -> std::result::Result<(), Refusal> {
    let (ws, now) = (unit.workspace(), unit.now());
    let row = user::get(unit.tx(), ws, id)?;
    let company = workspace::get(unit.tx(), ws)?.name;
    let hours = (INVITATION_LIFE.as_seconds() / 3600).to_string();
    let mail = SystemMail {
        to: row.email,
        locale: row.locale,
        template: Template::Invitation,
        params: json!({ "name": row.name, "company": company, "link": link, "hours": hours }),
    };
    mail::send(unit, id, &mail, now)
}

/// The open invitation, if the caller may handle the invited person.
fn open(
    unit: &mut Unit<'_, '_>,
    caller: &domain::access::Access,
    id: InvitationId,
) -> std::result::Result<LinkRow, Refusal> {
    let ws = unit.workspace();
    let link = link::by_id(unit.tx(), ws, id, Purpose::Invitation)?.filter(|link| link.used_at.is_none());
    let link = link.ok_or(Refusal::NotFound)?;
    may_manage(caller, &actions::access_of(unit, link.user_id)?)?;
    Ok(link)
}

/// Sends an invitation again with a new link; the old one is void.
#[utoipa::path(post, path = "/api/invitations/{id}/resend", tag = "people", params(("id" = InvitationId, Path)), responses((status = 200, body = InvitationLink)))]
pub async fn resend(
    State(people): State<People>,
    caller: Caller,
    edge: Edge,
    Path(id): Path<InvitationId>,
) -> Result<Json<InvitationLink>> {
    everywhere(&caller.access, Permission::PeopleManage)?;
    let secret = people.new_secret()?;
    let text = people.kit.link(&edge, &format!("/invitation/{}", secret.text.expose()));
    let (access, hash, mailed) = (caller.access.clone(), secret.hash, text.clone());
    people
        .spine
        .execute(caller.order_once(), move |unit| {
            let now = unit.now();
            let link = open(unit, &access, id)?;
            if !link::renew(unit.tx(), &link, hash, (now, now + INVITATION_LIFE))? {
                return Err(Refusal::NotFound);
            }
            access_event(unit, link.user_id, AccessEvent::Invited { user: link.user_id })?;
            mail_link(unit, link.user_id, &mailed)
        })
        .await?;
    Ok(Json(InvitationLink { id, link: text }))
}

/// Takes an invitation back. The account, which nobody ever used, goes with it.
#[utoipa::path(delete, path = "/api/invitations/{id}", tag = "people", params(("id" = InvitationId, Path)), responses((status = 204)))]
pub async fn withdraw(
    State(people): State<People>,
    caller: Caller,
    Path(id): Path<InvitationId>,
) -> Result<StatusCode> {
    everywhere(&caller.access, Permission::PeopleManage)?;
    let access = caller.access.clone();
    people
        .spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let link = open(unit, &access, id)?;
            let user = link.user_id;
            let before = snapshot(unit, user)?;
            role::revoke_all(unit.tx(), ws, user)?;
            team::set_teams(unit.tx(), ws, user, &[])?;
            team::set_skills(unit.tx(), ws, user, &[])?;
            team::set_capacity(unit.tx(), ws, user, &[])?;
            link::delete(unit.tx(), ws, id)?;
            user::delete(unit.tx(), ws, user)?;
            unit.cancel_job(mail::QUEUE, &format!("invitation:{user}"))?;
            changed(unit, ("user", user.0), ConfigAction::Deleted, (before, Value::Null))
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whom the invitation of a link is for.
#[utoipa::path(get, path = "/api/invitations/by-token/{token}", tag = "session", params(("token" = String, Path)), responses((status = 200, body = InvitationWelcome)))]
pub async fn by_token(
    State(people): State<People>,
    edge: Edge,
    Path(token): Path<String>,
) -> Result<Json<InvitationWelcome>> {
    people.kit.limit(&KNOCKS, edge.address)?;
    let secret = SecretHash::of(&token).ok_or(Code::LinkExpired)?;
    let now = people.spine.now();
    let found = people
        .spine
        .db()
        .read::<_, Refusal, _>(move |q| {
            let Some(link) = link::usable(q, secret, Purpose::Invitation, now)? else { return Ok(None) };
            let row = user::get(q, link.workspace_id, link.user_id)?;
            let company = workspace::get(q, link.workspace_id)?.name;
            Ok(Some(InvitationWelcome { email: row.email, name: row.name, company }))
        })
        .await?;
    Ok(Json(found.ok_or(Code::LinkExpired)?))
}

/// Accepts an invitation: sets name and password and signs in.
#[utoipa::path(post, path = "/api/invitations/accept", tag = "session", request_body = Accept, responses((status = 200, body = Me)))]
pub async fn accept(
    State(people): State<People>,
    edge: Edge,
    headers: HeaderMap,
    Json(body): Json<Accept>,
) -> Result<Response> {
    people.kit.limit(&KNOCKS, edge.address)?;
    let secret = SecretHash::of(&body.token).ok_or(Code::LinkExpired)?;
    let now = people.spine.now();
    let link =
        people.spine.db().read::<_, Refusal, _>(move |q| link::usable(q, secret, Purpose::Invitation, now)).await?;
    let link = link.ok_or(Code::LinkExpired)?;
    let (ws, id) = (link.workspace_id, link.user_id);
    fields::name("name", &body.name)?;
    let row = people.spine.db().read::<_, Refusal, _>(move |q| user::get(q, ws, id)).await?;
    password::acceptable(&body.password, &[&body.name, &row.email])?;
    let hash = people.passwords.hash(Secret::new(body.password), people.spine.random()).await?;
    let session = people.new_secret()?;
    let (new, device) = (session.hash, device(&edge, &headers));
    people
        .spine
        .execute(Order::new(ws, Actor::Agent(id)), move |unit| {
            let now = unit.now();
            let link = link::usable(unit.tx(), secret, Purpose::Invitation, now)?.ok_or(Code::LinkExpired)?;
            let row = user::get(unit.tx(), ws, id)?;
            if !row.active || row.password_hash.is_some() || !link::mark_used(unit.tx(), &link, now)? {
                return Err(Code::LinkExpired.into());
            }
            user::set_password(unit.tx(), ws, id, &hash)?;
            let profile = user::Profile {
                name: body.name.trim(),
                locale: &row.locale,
                time_zone: &row.time_zone,
                languages: &row.languages,
                signature: &row.signature,
                preferences: &row.preferences,
            };
            user::set_profile(unit.tx(), ws, id, &profile)?;
            access_event(unit, id, AccessEvent::InvitationAccepted)?;
            open_session(unit, id, new, &device, false).map(|_| ())
        })
        .await?;
    let me = people.spine.db().read::<_, Refusal, _>(move |q| me::load(q, ws, id)).await?;
    Ok(with_session(&people, &session.text, me))
}
