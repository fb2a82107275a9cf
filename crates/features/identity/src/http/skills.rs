//! Skills.

use crate::actions::changed;
use crate::rights::everywhere;
use crate::store::team;
use crate::{People, fields};
use axum::extract::State;
use domain::event::ConfigAction;
use domain::{Code, Permission, Rejection, SkillId};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spine::{Refusal, Unit};
use web::{Caller, Items, Json, Path, Result};

const SKILLS_MAX: usize = 1_000;

#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Skill {
    pub id: SkillId,
    pub name: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct SkillBody {
    pub name: String,
}

fn check(unit: &mut Unit<'_, '_>, id: SkillId, name: &str) -> std::result::Result<(), Refusal> {
    fields::name("name", name)?;
    let ws = unit.workspace();
    let others = team::skills(unit.tx(), ws)?;
    fields::at_most("name", others.len(), SKILLS_MAX)?;
    let lower = name.to_lowercase();
    if others.iter().any(|other| other.id != id && other.name.to_lowercase() == lower) {
        return Err(Rejection::new(Code::AlreadyExists).on("name").into());
    }
    Ok(())
}

/// All skills.
#[utoipa::path(get, path = "/api/skills", tag = "people", responses((status = 200, body = Items<Skill>)))]
pub async fn list(State(people): State<People>, caller: Caller) -> Result<Json<Items<Skill>>> {
    let ws = caller.workspace;
    let rows = people.spine.db().read::<_, Refusal, _>(move |q| team::skills(q, ws)).await?;
    let items: Vec<Skill> = rows.into_iter().map(|row| Skill { id: row.id, name: row.name }).collect();
    Ok(Json(items.into()))
}

/// Creates a skill.
#[utoipa::path(post, path = "/api/skills", tag = "people", request_body = SkillBody, responses((status = 200, body = Skill)))]
pub async fn create(State(people): State<People>, caller: Caller, Json(body): Json<SkillBody>) -> Result<Json<Skill>> {
    everywhere(&caller.access, Permission::PeopleManage)?;
    let made = people
        .spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let skill = Skill { id: unit.next_id(), name: body.name.trim().to_owned() };
            check(unit, skill.id, &skill.name)?;
            team::insert_skill(unit.tx(), ws, skill.id, &skill.name)?;
            changed(unit, ("skill", skill.id.0), ConfigAction::Created, (Value::Null, json!(skill)))?;
            Ok(skill)
        })
        .await?;
    Ok(Json(made))
}

/// Renames a skill.
#[utoipa::path(patch, path = "/api/skills/{id}", tag = "people", params(("id" = SkillId, Path)), request_body = SkillBody, responses((status = 200, body = Skill)))]
pub async fn change(
    State(people): State<People>,
    caller: Caller,
    Path(id): Path<SkillId>,
    Json(body): Json<SkillBody>,
) -> Result<Json<Skill>> {
    everywhere(&caller.access, Permission::PeopleManage)?;
    let made = people
        .spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let before = team::skill(unit.tx(), ws, id)?.ok_or(Refusal::NotFound)?;
            let skill = Skill { id, name: body.name.trim().to_owned() };
            check(unit, id, &skill.name)?;
            team::update_skill(unit.tx(), ws, id, &skill.name)?;
            let before = json!(Skill { id, name: before.name });
            changed(unit, ("skill", id.0), ConfigAction::Changed, (before, json!(skill)))?;
            Ok(skill)
        })
        .await?;
    Ok(Json(made))
}

/// Deletes a skill that no channel, no reason and no case demands.
#[utoipa::path(delete, path = "/api/skills/{id}", tag = "people", params(("id" = SkillId, Path)), responses((status = 204)))]
pub async fn delete(State(people): State<People>, caller: Caller, Path(id): Path<SkillId>) -> Result<StatusCode> {
    everywhere(&caller.access, Permission::PeopleManage)?;
    people
        .spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let before = team::skill(unit.tx(), ws, id)?.ok_or(Refusal::NotFound)?;
            let uses = team::skill_uses(unit.tx(), ws, id)?;
            if uses > 0 {
                return Err(Rejection::new(Code::InUse).with("count", uses).into());
            }
            // Nobody could ever take them: a skill that does not exist is had by no one.
            let cases = team::skill_cases(unit.tx(), ws, id)?;
            if cases > 0 {
                return Err(Rejection::new(Code::NeededByCases).with("count", cases).into());
            }
            team::delete_skill(unit.tx(), ws, id)?;
            let before = json!(Skill { id, name: before.name });
            changed(unit, ("skill", id.0), ConfigAction::Deleted, (before, Value::Null))
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
