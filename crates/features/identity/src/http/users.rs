//! The people of a workspace.

use crate::actions::{self, RoleGrant, access_event, changed, snapshot};
use crate::rights::{everywhere, may_manage};
use crate::store::people::{self as rows, AgentOption, User};
use crate::store::{session, team, user};
use crate::{People, fields};
use axum::extract::State;
use domain::access::Access;
use domain::event::{AccessEvent, AgentEvent, ConfigAction};
use domain::{ChannelKind, Code, Event, Permission, Rejection, SkillId, TeamId, UserId};
use serde::Deserialize;
use spine::{Refusal, Unit};
use std::collections::BTreeMap;
use web::{Caller, Items, Json, Path, Result};

const CAPACITY_MAX: u32 = 1_000;

#[derive(Deserialize, utoipa::ToSchema)]
pub struct UserChange {
    #[serde(default)]
    pub name: Option<String>,
    /// False signs the person out everywhere and keeps everything they did.
    #[serde(default)]
    pub active: Option<bool>,
    /// Only owners make owners, and one always remains.
    #[serde(default)]
    pub is_owner: Option<bool>,
    /// `false` takes a lost second factor away.
    #[serde(default)]
    pub totp_enabled: Option<bool>,
    #[serde(default)]
    pub languages: Option<Vec<String>>,
    #[serde(default)]
    pub roles: Option<Vec<RoleGrant>>,
    #[serde(default)]
    pub teams: Option<Vec<TeamId>>,
    #[serde(default)]
    pub skills: Option<Vec<SkillId>>,
    /// Open cases taken at once, by kind of channel; kinds left out take their default.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<String, u32>>)]
    pub capacity: Option<BTreeMap<ChannelKind, u32>>,
}

/// Everybody of the workspace.
#[utoipa::path(get, path = "/api/users", tag = "people", responses((status = 200, body = Items<User>)))]
pub async fn list(State(people): State<People>, caller: Caller) -> Result<Json<Items<User>>> {
    everywhere(&caller.access, Permission::PeopleManage)?;
    let ws = caller.workspace;
    let items = people.spine.db().read::<_, Refusal, _>(move |q| rows::list(q, ws)).await?;
    Ok(Json(items.into()))
}

/// Names for pickers.
#[utoipa::path(get, path = "/api/agents", tag = "people", responses((status = 200, body = Items<AgentOption>)))]
pub async fn agents(State(people): State<People>, caller: Caller) -> Result<Json<Items<AgentOption>>> {
    let ws = caller.workspace;
    let items = people.spine.db().read::<_, Refusal, _>(move |q| rows::options(q, ws)).await?;
    Ok(Json(items.into()))
}

/// Changes somebody's account, roles, teams, skills and capacity.
#[utoipa::path(patch, path = "/api/users/{id}", tag = "people", params(("id" = UserId, Path)), request_body = UserChange, responses((status = 200, body = User)))]
pub async fn change(
    State(people): State<People>,
    caller: Caller,
    Path(id): Path<UserId>,
    Json(body): Json<UserChange>,
) -> Result<Json<User>> {
    everywhere(&caller.access, Permission::PeopleManage)?;
    check(&body)?;
    let (ws, access) = (caller.workspace, caller.access.clone());
    people
        .spine
        .execute(caller.order(), move |unit| {
            let before = snapshot(unit, id)?;
            let target = actions::access_of(unit, id)?;
            may_manage(&access, &target)?;
            stand(unit, id, &access, &body)?;
            equip(unit, id, &access, &body)?;
            let after = snapshot(unit, id)?;
            if before != after {
                changed(unit, ("user", id.0), ConfigAction::Changed, (before, after))?;
            }
            Ok(())
        })
        .await?;
    Ok(Json(people.spine.db().read::<_, Refusal, _>(move |q| rows::get(q, ws, id)).await?))
}

fn check(body: &UserChange) -> std::result::Result<(), Rejection> {
    body.name.as_deref().map_or(Ok(()), |name| fields::name("name", name))?;
    body.languages.as_deref().map_or(Ok(()), fields::languages)?;
    if body.totp_enabled == Some(true) {
        return Err(Rejection::new(Code::Invalid).on("totp_enabled"));
    }
    let over = body.capacity.iter().flatten().any(|(_, count)| *count > CAPACITY_MAX);
    if over { Err(Rejection::new(Code::Invalid).with("max", CAPACITY_MAX).on("capacity")) } else { Ok(()) }
}

/// Name, ownership, activity, second factor.
fn stand(unit: &mut Unit<'_, '_>, id: UserId, caller: &Access, body: &UserChange) -> std::result::Result<(), Refusal> {
    let ws = unit.workspace();
    let row = user::get(unit.tx(), ws, id)?;
    let (owner, active) = (body.is_owner.unwrap_or(row.is_owner), body.active.unwrap_or(row.active));
    if owner != row.is_owner && !caller.owner {
        return Err(Rejection::new(Code::NotYours).on("is_owner").into());
    }
    user::set_standing(unit.tx(), ws, id, owner, active)?;
    actions::owner_remains(unit)?;
    if row.active && !active {
        session::delete_of(unit.tx(), ws, id)?;
        access_event(unit, id, AccessEvent::SignedOutEverywhere)?;
    }
    if body.totp_enabled == Some(false) && row.totp_enabled() {
        user::set_totp(unit.tx(), ws, id, (None, None, &[]))?;
        session::delete_of(unit.tx(), ws, id)?;
        access_event(unit, id, AccessEvent::TotpDisabled)?;
    }
    let languages = body.languages.as_ref().map_or(row.languages.clone(), crate::store::text);
    let profile = user::Profile {
        name: body.name.as_deref().map_or(row.name.as_str(), str::trim),
        locale: &row.locale,
        time_zone: &row.time_zone,
        languages: &languages,
        signature: &row.signature,
        preferences: &row.preferences,
    };
    user::set_profile(unit.tx(), ws, id, &profile)
}

/// Roles, teams, skills, capacity.
fn equip(unit: &mut Unit<'_, '_>, id: UserId, caller: &Access, body: &UserChange) -> std::result::Result<(), Refusal> {
    if let Some(roles) = &body.roles {
        actions::set_roles(unit, caller, id, roles)?;
    }
    if let Some(teams) = &body.teams {
        actions::set_teams(unit, id, teams)?;
    }
    if let Some(skills) = &body.skills {
        actions::set_skills(unit, id, skills)?;
    }
    if let Some(capacity) = &body.capacity {
        let ws = unit.workspace();
        let list: Vec<(&'static str, i32)> =
            capacity.iter().map(|(kind, count)| (kind.as_str(), i32::try_from(*count).unwrap_or(i32::MAX))).collect();
        team::set_capacity(unit.tx(), ws, id, &list)?;
        let capacity = serde_json::to_value(capacity).map_err(Refusal::internal)?;
        unit.record(Event::Agent(AgentEvent::CapacityChanged { capacity }), "user", id.0)?;
    }
    Ok(())
}
