//! Roles: the built-in ones, which stay as they are, and own ones.

use crate::actions::changed;
use crate::rights::{everywhere, may_grant};
use crate::store::role::{self, RoleRow};
use crate::{People, fields};
use axum::extract::State;
use domain::event::ConfigAction;
use domain::{Code, Permission, Rejection, RoleId};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spine::{Refusal, Unit};
use std::collections::BTreeSet;
use web::{Caller, Items, Json, Path, Result};

const ROLES_MAX: usize = 200;

#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Role {
    pub id: RoleId,
    /// `administrator`, `supervisor` ... for built-in roles; the interface translates it.
    #[schema(required = true)]
    pub key: Option<String>,
    pub name: String,
    #[schema(value_type = Vec<String>)]
    pub permissions: BTreeSet<Permission>,
    pub builtin: bool,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct RoleBody {
    pub name: String,
    #[schema(value_type = Vec<String>)]
    pub permissions: BTreeSet<Permission>,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct RoleChange {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub permissions: Option<BTreeSet<Permission>>,
}

fn shown(row: RoleRow) -> std::result::Result<Role, Refusal> {
    let permissions = row.permissions()?;
    Ok(Role { id: row.id, builtin: row.role_key.is_some(), key: row.role_key, name: row.name, permissions })
}

fn check_name(unit: &mut Unit<'_, '_>, id: RoleId, name: &str) -> std::result::Result<(), Refusal> {
    fields::name("name", name)?;
    let ws = unit.workspace();
    let others = role::list(unit.tx(), ws)?;
    fields::at_most("name", others.len(), ROLES_MAX)?;
    let lower = name.to_lowercase();
    if others.iter().any(|other| other.id != id && other.name.to_lowercase() == lower) {
        return Err(Rejection::new(Code::AlreadyExists).on("name").into());
    }
    Ok(())
}

/// All roles.
#[utoipa::path(get, path = "/api/roles", tag = "people", responses((status = 200, body = Items<Role>)))]
pub async fn list(State(people): State<People>, caller: Caller) -> Result<Json<Items<Role>>> {
    let ws = caller.workspace;
    let rows = people.spine.db().read::<_, Refusal, _>(move |q| role::list(q, ws)).await?;
    let items = rows.into_iter().map(shown).collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(Json(items.into()))
}

/// Everything that can be allowed.
#[utoipa::path(get, path = "/api/permissions", tag = "people", responses((status = 200, body = Items<String>)))]
pub async fn permissions(_: Caller) -> Json<Items<&'static str>> {
    let items: Vec<&'static str> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
    Json(items.into())
}

/// Creates a role of what the caller may do.
#[utoipa::path(post, path = "/api/roles", tag = "people", request_body = RoleBody, responses((status = 200, body = Role)))]
pub async fn create(State(people): State<People>, caller: Caller, Json(body): Json<RoleBody>) -> Result<Json<Role>> {
    everywhere(&caller.access, Permission::RolesManage)?;
    may_grant(&caller.access, &body.permissions, None, None).map_err(|r| r.on("permissions"))?;
    let made = people
        .spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let name = body.name.trim().to_owned();
            let role =
                Role { id: unit.next_id(), key: None, name, permissions: body.permissions.clone(), builtin: false };
            check_name(unit, role.id, &role.name)?;
            role::insert(unit.tx(), ws, role.id, (None, &role.name, &role.permissions))?;
            changed(unit, ("role", role.id.0), ConfigAction::Created, (Value::Null, json!(role)))?;
            Ok(role)
        })
        .await?;
    Ok(Json(made))
}

/// An own role; built-in ones can't be changed.
fn own(unit: &mut Unit<'_, '_>, id: RoleId) -> std::result::Result<Role, Refusal> {
    let ws = unit.workspace();
    let role = shown(role::get(unit.tx(), ws, id)?.ok_or(Refusal::NotFound)?)?;
    if role.builtin { Err(Code::BuiltinRole.into()) } else { Ok(role) }
}

/// Changes an own role, for everybody who holds it.
#[utoipa::path(patch, path = "/api/roles/{id}", tag = "people", params(("id" = RoleId, Path)), request_body = RoleChange, responses((status = 200, body = Role)))]
pub async fn change(
    State(people): State<People>,
    caller: Caller,
    Path(id): Path<RoleId>,
    Json(body): Json<RoleChange>,
) -> Result<Json<Role>> {
    everywhere(&caller.access, Permission::RolesManage)?;
    let access = caller.access.clone();
    let made = people
        .spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let before = own(unit, id)?;
            let mut role = before.clone();
            if let Some(name) = &body.name {
                name.trim().clone_into(&mut role.name);
            }
            if let Some(permissions) = &body.permissions {
                let differing = before.permissions.symmetric_difference(permissions);
                may_grant(&access, differing, None, None).map_err(|r| r.on("permissions"))?;
                role.permissions.clone_from(permissions);
            }
            check_name(unit, id, &role.name)?;
            role::update(unit.tx(), ws, id, &role.name, &role.permissions)?;
            changed(unit, ("role", id.0), ConfigAction::Changed, (json!(before), json!(role)))?;
            Ok(role)
        })
        .await?;
    Ok(Json(made))
}

/// Deletes an own role that nobody holds.
#[utoipa::path(delete, path = "/api/roles/{id}", tag = "people", params(("id" = RoleId, Path)), responses((status = 204)))]
pub async fn delete(State(people): State<People>, caller: Caller, Path(id): Path<RoleId>) -> Result<StatusCode> {
    everywhere(&caller.access, Permission::RolesManage)?;
    people
        .spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let before = own(unit, id)?;
            let holders = role::holders(unit.tx(), ws, id)?;
            if holders > 0 {
                return Err(Rejection::new(Code::InUse).with("count", holders).into());
            }
            role::delete(unit.tx(), ws, id)?;
            changed(unit, ("role", id.0), ConfigAction::Deleted, (json!(before), Value::Null))
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
