//! The first page of a fresh installation.

use super::{KNOCKS, device, with_session};
use crate::actions::{self, NewWorkspace, open_session};
use crate::http::me::{self, Me};
use crate::store::{team, user, workspace};
use crate::{People, fields, password};
use axum::extract::State;
use axum::response::Response;
use domain::event::ConfigAction;
use domain::{Actor, Code, TeamId, UserId, WorkspaceId};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spine::{Order, Refusal, Secret};
use web::{Edge, Json, Locale, Result};

#[derive(Serialize, utoipa::ToSchema)]
pub struct SetupState {
    /// There is no workspace yet.
    pub needed: bool,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct SetupBody {
    pub company: String,
    pub name: String,
    pub email: String,
    #[schema(value_type = String, format = "password")]
    pub password: String,
    #[schema(value_type = Locale)]
    pub locale: String,
    /// IANA name, e.g. `Asia/Shanghai`.
    pub time_zone: String,
}

/// Whether this installation still needs its first workspace and owner.
#[utoipa::path(get, path = "/api/setup", tag = "setup", responses((status = 200, body = SetupState)))]
pub async fn needed(State(people): State<People>) -> Result<Json<SetupState>> {
    let count = people.spine.db().read::<_, Refusal, _>(|q| workspace::count(q)).await?;
    Ok(Json(SetupState { needed: count == 0 }))
}

/// Creates the workspace and its owner, and signs the owner in.
#[utoipa::path(post, path = "/api/setup", tag = "setup", request_body = SetupBody, responses((status = 200, body = Me)))]
pub async fn set_up(
    State(people): State<People>,
    edge: Edge,
    headers: HeaderMap,
    Json(body): Json<SetupBody>,
) -> Result<Response> {
    people.kit.limit(&KNOCKS, edge.address)?;
    fields::name("company", &body.company)?;
    fields::name("name", &body.name)?;
    fields::email("email", &body.email)?;
    let locale = fields::locale(&body.locale)?;
    fields::time_zone(&body.time_zone)?;
    password::acceptable(&body.password, &[&body.name, &body.email, &body.company])?;
    let taken = people.spine.db().read::<_, Refusal, _>(|q| workspace::count(q)).await?;
    if taken > 0 {
        return Err(Code::AlreadySetUp.into());
    }
    let hash = people.passwords.hash(Secret::new(body.password.as_str()), people.spine.random()).await?;
    let (session, base_url) = (people.new_secret()?, people.kit.link(&edge, ""));
    let (secret, device) = (session.hash, device(&edge, &headers));
    let order = Order::new(people.spine.next_id::<WorkspaceId>(), Actor::System);
    let workspace = order.workspace;
    let owner: UserId = people
        .spine
        .execute(order, move |unit| {
            let id = create(unit, &body, locale, (&hash, &base_url))?;
            open_session(unit, id, secret, &device, false)?;
            Ok(id)
        })
        .await?;
    let me = people.spine.db().read::<_, Refusal, _>(move |q| me::load(q, workspace, owner)).await?;
    Ok(with_session(&people, &session.text, me))
}

fn create(
    unit: &mut spine::Unit<'_, '_>,
    body: &SetupBody,
    locale: Locale,
    (hash, base_url): (&str, &str),
) -> std::result::Result<UserId, Refusal> {
    // Two people at once: the second finds the first one's workspace.
    if workspace::count(unit.tx())? > 0 {
        return Err(Code::AlreadySetUp.into());
    }
    let ws = unit.workspace();
    let slug = fields::slug(&body.company);
    let new =
        NewWorkspace { name: &body.company, slug: &slug, locale, time_zone: &body.time_zone, base_url: Some(base_url) };
    actions::create_workspace(unit, &new)?;
    let (id, now) = (unit.next_id::<UserId>(), unit.now());
    let language = if locale == Locale::ZhCn { "zh" } else { "en" };
    let owner = user::NewUser {
        id,
        email: &body.email,
        name: &body.name,
        password_hash: Some(hash),
        locale: locale.as_str(),
        time_zone: &body.time_zone,
        languages: &[language.to_owned()],
        is_owner: true,
    };
    user::insert(unit.tx(), ws, &owner, now)?;
    let name = if locale == Locale::ZhCn { "客服组" } else { "Support" };
    let team = unit.next_id::<TeamId>();
    team::insert(unit.tx(), ws, team, name, "")?;
    team::set_members(unit.tx(), ws, team, &[id])?;
    let after = actions::snapshot(unit, id)?;
    actions::changed(unit, ("user", id.0), ConfigAction::Created, (Value::Null, after))?;
    Ok(id)
}
