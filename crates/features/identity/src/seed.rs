//! Fills an empty database with people: what the demo and the tests of other features start from.

use crate::actions::{self, NewWorkspace, RoleGrant};
use crate::password::Passwords;
use crate::store::{team, user};
use domain::access::Access;
use domain::event::ConfigAction;
use domain::{Actor, Code, Rejection, RoleId, SkillId, TeamId, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spine::{Order, Refusal, Secret, Spine};
use std::collections::BTreeMap;
use web::Locale;

/// A workspace to be made, with the built-in roles.
#[derive(Clone, Debug)]
pub struct Seed {
    pub company: String,
    pub slug: String,
    pub locale: Locale,
    /// IANA name, e.g. `Asia/Shanghai`.
    pub time_zone: String,
    pub teams: Vec<SeedTeam>,
    pub skills: Vec<String>,
    pub users: Vec<SeedUser>,
}

#[derive(Clone, Debug)]
pub struct SeedTeam {
    pub name: String,
    pub description: String,
}

#[derive(Clone, Debug)]
pub struct SeedUser {
    pub name: String,
    pub email: String,
    pub password: String,
    pub owner: bool,
    pub locale: Locale,
    pub languages: Vec<String>,
    /// Key of a built-in role, and the name of the team it is limited to.
    pub roles: Vec<(String, Option<String>)>,
    /// By name.
    pub teams: Vec<String>,
    pub skills: Vec<String>,
}

/// Ids of what was made: roles by key, teams and skills by name, users by address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seeded {
    pub workspace: WorkspaceId,
    pub roles: BTreeMap<String, RoleId>,
    pub teams: BTreeMap<String, TeamId>,
    pub skills: BTreeMap<String, SkillId>,
    pub users: BTreeMap<String, UserId>,
}

/// Makes the workspace and everybody in it, in one command.
///
/// # Errors
/// `unknown_reference` for a role, team or skill that the seed does not name; those of the database.
pub async fn seed(spine: &Spine, plan: Seed) -> Result<Seeded, Refusal> {
    let passwords = Passwords::new(spine.random())?;
    let mut hashes = Vec::with_capacity(plan.users.len());
    // Colleagues of a demo share a password: one hash each, though, as for everyone.
    for user in &plan.users {
        hashes.push(passwords.hash(Secret::new(user.password.clone()), spine.random()).await?);
    }
    let workspace = spine.next_id::<WorkspaceId>();
    spine.execute(Order::new(workspace, Actor::System), move |unit| plant(unit, &plan, &hashes)).await
}

fn plant(unit: &mut spine::Unit<'_, '_>, plan: &Seed, hashes: &[String]) -> Result<Seeded, Refusal> {
    let ws = unit.workspace();
    let new = NewWorkspace {
        name: &plan.company,
        slug: &plan.slug,
        locale: plan.locale,
        time_zone: &plan.time_zone,
        base_url: None,
    };
    let roles = actions::create_workspace(unit, &new)?;
    let roles = roles.into_iter().map(|(key, id)| (key.to_owned(), id)).collect();
    let mut made =
        Seeded { workspace: ws, roles, teams: BTreeMap::new(), skills: BTreeMap::new(), users: BTreeMap::new() };
    for new in &plan.teams {
        let id = unit.next_id::<TeamId>();
        team::insert(unit.tx(), ws, id, &new.name, &new.description)?;
        made.teams.insert(new.name.clone(), id);
    }
    for name in &plan.skills {
        let id = unit.next_id::<SkillId>();
        team::insert_skill(unit.tx(), ws, id, name)?;
        made.skills.insert(name.clone(), id);
    }
    for (new, hash) in plan.users.iter().zip(hashes.iter().map(String::as_str)) {
        let id = plant_user(unit, plan, &made, (new, hash))?;
        made.users.insert(new.email.clone(), id);
    }
    Ok(made)
}

fn plant_user(
    unit: &mut spine::Unit<'_, '_>,
    plan: &Seed,
    made: &Seeded,
    (new, hash): (&SeedUser, &str),
) -> Result<UserId, Refusal> {
    let (ws, id, now) = (unit.workspace(), unit.next_id::<UserId>(), unit.now());
    let account = user::NewUser {
        id,
        email: &new.email,
        name: &new.name,
        password_hash: Some(hash),
        locale: new.locale.as_str(),
        time_zone: &plan.time_zone,
        languages: &new.languages,
        is_owner: new.owner,
    };
    user::insert(unit.tx(), ws, &account, now)?;
    let mut grants = Vec::new();
    for (role, team) in &new.roles {
        let team = team.as_ref().map(|name| find(&made.teams, name)).transpose()?;
        grants.push(RoleGrant { role: find(&made.roles, role)?, team, channel: None });
    }
    actions::set_roles(unit, &Access::owner(), id, &grants)?;
    let teams = new.teams.iter().map(|name| find(&made.teams, name)).collect::<Result<Vec<_>, _>>()?;
    actions::set_teams(unit, id, &teams)?;
    let skills = new.skills.iter().map(|name| find(&made.skills, name)).collect::<Result<Vec<_>, _>>()?;
    actions::set_skills(unit, id, &skills)?;
    let after = actions::snapshot(unit, id)?;
    actions::changed(unit, ("user", id.0), ConfigAction::Created, (Value::Null, after))?;
    Ok(id)
}

fn find<I: Copy>(made: &BTreeMap<String, I>, name: &str) -> Result<I, Refusal> {
    made.get(name).copied().ok_or_else(|| Rejection::new(Code::UnknownReference).with("name", name).into())
}
