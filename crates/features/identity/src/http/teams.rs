//! Teams.

use crate::People;
use crate::actions::changed;
use crate::fields::{self, DESCRIPTION_CHARS};
use crate::rights::everywhere;
use crate::store::{role, team, user};
use axum::extract::State;
use db::Query;
use domain::event::ConfigAction;
use domain::limits::text_within;
use domain::{Code, Permission, Rejection, TeamId, UserId, WorkspaceId};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spine::{Refusal, Unit};
use web::{Caller, Items, Json, Path, Result};

const TEAMS_MAX: usize = 1_000;
const MEMBERS_MAX: usize = 5_000;

#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    pub description: String,
    pub members: Vec<UserId>,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct TeamBody {
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub members: Vec<UserId>,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct TeamChange {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    /// Exactly these from now on.
    #[serde(default)]
    pub members: Option<Vec<UserId>>,
}

fn all(q: &mut impl Query, ws: WorkspaceId) -> std::result::Result<Vec<Team>, Refusal> {
    let members = team::members(q, ws)?;
    let of = |id: TeamId| members.iter().filter(|(team, _)| *team == id).map(|(_, user)| *user).collect();
    let rows = team::list(q, ws)?;
    Ok(rows
        .into_iter()
        .map(|row| Team { members: of(row.id), id: row.id, name: row.name, description: row.description })
        .collect())
}

fn check(unit: &mut Unit<'_, '_>, team: &Team) -> std::result::Result<(), Refusal> {
    fields::name("name", &team.name)?;
    text_within("description", &team.description, DESCRIPTION_CHARS)?;
    fields::at_most("members", team.members.len(), MEMBERS_MAX)?;
    let ws = unit.workspace();
    let others = team::list(unit.tx(), ws)?;
    let name = team.name.to_lowercase();
    if others.iter().any(|other| other.id != team.id && other.name.to_lowercase() == name) {
        return Err(Rejection::new(Code::AlreadyExists).on("name").into());
    }
    for id in &team.members {
        user::get(unit.tx(), ws, *id).map_err(|refusal| match refusal {
            Refusal::NotFound => Rejection::new(Code::UnknownReference).on("members").into(),
            other => other,
        })?;
    }
    Ok(())
}

fn members(mut list: Vec<UserId>) -> Vec<UserId> {
    list.sort_unstable();
    list.dedup();
    list
}

/// All teams.
#[utoipa::path(get, path = "/api/teams", tag = "people", responses((status = 200, body = Items<Team>)))]
pub async fn list(State(people): State<People>, caller: Caller) -> Result<Json<Items<Team>>> {
    let ws = caller.workspace;
    Ok(Json(people.spine.db().read::<_, Refusal, _>(move |q| all(q, ws)).await?.into()))
}

/// Creates a team.
#[utoipa::path(post, path = "/api/teams", tag = "people", request_body = TeamBody, responses((status = 200, body = Team)))]
pub async fn create(State(people): State<People>, caller: Caller, Json(body): Json<TeamBody>) -> Result<Json<Team>> {
    everywhere(&caller.access, Permission::PeopleManage)?;
    let made = people
        .spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let team = Team {
                id: unit.next_id(),
                name: body.name.trim().to_owned(),
                description: body.description.clone(),
                members: members(body.members.clone()),
            };
            check(unit, &team)?;
            fields::at_most("name", team::list(unit.tx(), ws)?.len() + 1, TEAMS_MAX)?;
            team::insert(unit.tx(), ws, team.id, &team.name, &team.description)?;
            team::set_members(unit.tx(), ws, team.id, &team.members)?;
            changed(unit, ("team", team.id.0), ConfigAction::Created, (Value::Null, json!(team)))?;
            Ok(team)
        })
        .await?;
    Ok(Json(made))
}

fn load(unit: &mut Unit<'_, '_>, id: TeamId) -> std::result::Result<Team, Refusal> {
    let ws = unit.workspace();
    all(unit.tx(), ws)?.into_iter().find(|team| team.id == id).ok_or(Refusal::NotFound)
}

/// Changes a team or who is in it.
#[utoipa::path(patch, path = "/api/teams/{id}", tag = "people", params(("id" = TeamId, Path)), request_body = TeamChange, responses((status = 200, body = Team)))]
pub async fn change(
    State(people): State<People>,
    caller: Caller,
    Path(id): Path<TeamId>,
    Json(body): Json<TeamChange>,
) -> Result<Json<Team>> {
    everywhere(&caller.access, Permission::PeopleManage)?;
    let made = people
        .spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let before = load(unit, id)?;
            let mut team = before.clone();
            if let Some(name) = &body.name {
                name.trim().clone_into(&mut team.name);
            }
            if let Some(description) = &body.description {
                team.description.clone_from(description);
            }
            if let Some(list) = &body.members {
                team.members = members(list.clone());
            }
            check(unit, &team)?;
            team::update(unit.tx(), ws, id, &team.name, &team.description)?;
            team::set_members(unit.tx(), ws, id, &team.members)?;
            changed(unit, ("team", id.0), ConfigAction::Changed, (json!(before), json!(team)))?;
            Ok(team)
        })
        .await?;
    Ok(Json(made))
}

/// Deletes a team that no case and no channel belongs to.
#[utoipa::path(delete, path = "/api/teams/{id}", tag = "people", params(("id" = TeamId, Path)), responses((status = 204)))]
pub async fn delete(State(people): State<People>, caller: Caller, Path(id): Path<TeamId>) -> Result<StatusCode> {
    everywhere(&caller.access, Permission::PeopleManage)?;
    people
        .spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let before = load(unit, id)?;
            let uses = team::uses(unit.tx(), ws, id)?;
            if uses > 0 {
                return Err(Rejection::new(Code::InUse).with("count", uses).into());
            }
            role::revoke_of_team(unit.tx(), ws, id)?;
            team::delete(unit.tx(), ws, id)?;
            changed(unit, ("team", id.0), ConfigAction::Deleted, (json!(before), Value::Null))
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
