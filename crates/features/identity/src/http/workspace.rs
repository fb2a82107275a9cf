//! Settings of the workspace.

use crate::actions::changed;
use crate::rights::everywhere;
use crate::store::workspace::{self, WorkspaceRow};
use crate::{People, fields};
use axum::extract::State;
use domain::event::ConfigAction;
use domain::{Code, Permission, Policies, Rejection};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use spine::Refusal;
use web::{Caller, Json, Problem, Result};

const UNDO_SECONDS_MAX: u32 = 120;
const COLLISION_SECONDS_MAX: u32 = 86_400;
const CLOSE_DAYS_MAX: u32 = 365;

#[derive(Clone, Serialize, utoipa::ToSchema)]
pub struct Workspace {
    pub name: String,
    pub slug: String,
    pub locale: String,
    pub time_zone: String,
    /// Every sign-in needs a second factor.
    pub require_totp: bool,
    /// How long a reply by mail can be taken back.
    pub undo_seconds: u32,
    /// An answer by somebody else younger than this raises the question at send.
    pub collision_seconds: u32,
    /// A solved case closes by itself after this many days.
    pub close_after_days: u32,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct WorkspaceChange {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub locale: Option<String>,
    #[serde(default)]
    pub time_zone: Option<String>,
    /// For owners only.
    #[serde(default)]
    pub require_totp: Option<bool>,
    #[serde(default)]
    pub undo_seconds: Option<u32>,
    #[serde(default)]
    pub collision_seconds: Option<u32>,
    #[serde(default)]
    pub close_after_days: Option<u32>,
}

fn shown(row: &WorkspaceRow) -> std::result::Result<Workspace, Refusal> {
    let policies = row.policies()?;
    Ok(Workspace {
        name: row.name.clone(),
        slug: row.slug.clone(),
        locale: row.locale.clone(),
        time_zone: row.time_zone.clone(),
        require_totp: policies.require_totp,
        undo_seconds: policies.undo_seconds,
        collision_seconds: policies.collision_seconds,
        close_after_days: policies.close_after_days,
    })
}

/// The workspace and its rules.
#[utoipa::path(get, path = "/api/workspace", tag = "settings", responses((status = 200, body = Workspace)))]
pub async fn get(State(people): State<People>, caller: Caller) -> Result<Json<Workspace>> {
    let ws = caller.workspace;
    let row = people.spine.db().read::<_, Refusal, _>(move |q| workspace::get(q, ws)).await?;
    Ok(Json(shown(&row)?))
}

fn check(body: &WorkspaceChange) -> std::result::Result<(), Rejection> {
    body.name.as_deref().map_or(Ok(()), |name| fields::name("name", name))?;
    body.locale.as_deref().map_or(Ok(()), |text| fields::locale(text).map(|_| ()))?;
    body.time_zone.as_deref().map_or(Ok(()), fields::time_zone)?;
    let ranges = [
        ("undo_seconds", body.undo_seconds, 0, UNDO_SECONDS_MAX),
        ("collision_seconds", body.collision_seconds, 0, COLLISION_SECONDS_MAX),
        ("close_after_days", body.close_after_days, 1, CLOSE_DAYS_MAX),
    ];
    for (field, value, min, max) in ranges {
        if value.is_some_and(|value| value < min || value > max) {
            return Err(Rejection::new(Code::Invalid).with("min", min).with("max", max).on(field));
        }
    }
    Ok(())
}

/// Changes the workspace and its rules.
#[utoipa::path(patch, path = "/api/workspace", tag = "settings", request_body = WorkspaceChange, responses((status = 200, body = Workspace)))]
pub async fn change(
    State(people): State<People>,
    caller: Caller,
    Json(body): Json<WorkspaceChange>,
) -> Result<Json<Workspace>> {
    everywhere(&caller.access, Permission::SettingsManage)?;
    check(&body)?;
    if body.require_totp.is_some() && !caller.access.owner {
        return Err(Problem::field("require_totp", Code::NotYours));
    }
    let ws = caller.workspace;
    people
        .spine
        .execute(caller.order(), move |unit| {
            let mut row = workspace::get(unit.tx(), ws)?;
            let before = shown(&row)?;
            apply(&mut row, &body)?;
            workspace::update(unit.tx(), &row)?;
            let after = shown(&row)?;
            changed(unit, ("workspace", ws.0), ConfigAction::Changed, (json!(before), json!(after)))
        })
        .await?;
    let row = people.spine.db().read::<_, Refusal, _>(move |q| workspace::get(q, ws)).await?;
    Ok(Json(shown(&row)?))
}

fn apply(row: &mut WorkspaceRow, body: &WorkspaceChange) -> std::result::Result<(), Refusal> {
    if let Some(name) = &body.name {
        name.trim().clone_into(&mut row.name);
    }
    if let Some(locale) = &body.locale {
        row.locale.clone_from(locale);
    }
    if let Some(zone) = &body.time_zone {
        row.time_zone.clone_from(zone);
    }
    let now: Policies = row.policies()?;
    let policies = Policies {
        undo_seconds: body.undo_seconds.unwrap_or(now.undo_seconds),
        collision_seconds: body.collision_seconds.unwrap_or(now.collision_seconds),
        close_after_days: body.close_after_days.unwrap_or(now.close_after_days),
        require_totp: body.require_totp.unwrap_or(now.require_totp),
    };
    // Settings of others in the same document stay.
    let mut settings: Map<String, Value> = crate::store::json(&row.settings)?;
    if let Value::Object(fields) = serde_json::to_value(policies).map_err(Refusal::internal)? {
        settings.extend(fields);
    }
    row.settings = Value::Object(settings).to_string();
    Ok(())
}
