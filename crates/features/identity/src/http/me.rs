//! The caller's own account.

use crate::store::user::{self, Profile};
use crate::store::{people, role, workspace};
use crate::{People, actions, fields};
use axum::extract::State;
use db::Query;
use domain::event::ConfigAction;
use domain::routing::Presence;
use domain::{Permission, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use spine::Refusal;
use web::{Caller, Json, Named, Result};

/// The signed-in person with everything the desk needs to start.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Me {
    pub id: UserId,
    pub name: String,
    pub email: String,
    /// `zh-CN` or `en`.
    pub locale: String,
    pub time_zone: String,
    pub languages: Vec<String>,
    pub signature: String,
    /// What the interface keeps: theme, density and whatever else it wants.
    #[schema(value_type = Object)]
    pub preferences: Map<String, Value>,
    pub is_owner: bool,
    pub totp_enabled: bool,
    /// The workspace demands a second factor and there is none yet: only enrolment is open.
    pub must_enroll_totp: bool,
    /// Held anywhere; whether for a case at hand, the case says in `can`.
    #[schema(value_type = Vec<String>)]
    pub permissions: Vec<Permission>,
    pub teams: Vec<Named>,
    pub presence: Presence,
    pub workspace: MyWorkspace,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct MyWorkspace {
    pub id: WorkspaceId,
    pub name: String,
    pub slug: String,
    pub locale: String,
    pub time_zone: String,
    pub require_totp: bool,
    pub undo_seconds: u32,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct MeChange {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub locale: Option<String>,
    #[serde(default)]
    pub time_zone: Option<String>,
    #[serde(default)]
    pub languages: Option<Vec<String>>,
    #[serde(default)]
    pub signature: Option<String>,
    /// Replaces all preferences.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub preferences: Option<Map<String, Value>>,
}

/// Reads the person with rights, teams and workspace.
///
/// # Errors
/// [`Refusal::NotFound`], or those of the database.
pub(crate) fn load(q: &mut impl Query, ws: WorkspaceId, id: UserId) -> std::result::Result<Me, Refusal> {
    let row = user::get(q, ws, id)?;
    let access = role::access(q, ws, id, row.is_owner)?;
    let workspace = workspace::get(q, ws)?;
    let policies = workspace.policies()?;
    let teams = people::get(q, ws, id)?.teams;
    let totp_enabled = row.totp_enabled();
    Ok(Me {
        id,
        name: row.name,
        email: row.email,
        locale: row.locale,
        time_zone: row.time_zone,
        languages: crate::store::json(&row.languages)?,
        signature: row.signature,
        preferences: crate::store::json(&row.preferences)?,
        is_owner: row.is_owner,
        totp_enabled,
        must_enroll_totp: policies.require_totp && !totp_enabled,
        permissions: access.permissions().into_iter().collect(),
        teams,
        presence: workspace::presence(q, ws, id)?,
        workspace: MyWorkspace {
            id: ws,
            name: workspace.name,
            slug: workspace.slug,
            locale: workspace.locale,
            time_zone: workspace.time_zone,
            require_totp: policies.require_totp,
            undo_seconds: policies.undo_seconds,
        },
    })
}

async fn answer(people: &People, ws: WorkspaceId, id: UserId) -> Result<Json<Me>> {
    Ok(Json(people.spine.db().read::<_, Refusal, _>(move |q| load(q, ws, id)).await?))
}

/// The signed-in person.
#[utoipa::path(get, path = "/api/me", tag = "me", responses((status = 200, body = Me)))]
pub async fn get(State(people): State<People>, caller: Caller) -> Result<Json<Me>> {
    answer(&people, caller.workspace, caller.user()?).await
}

/// Changes the caller's own name, language, signature and preferences.
#[utoipa::path(patch, path = "/api/me", tag = "me", request_body = MeChange, responses((status = 200, body = Me)))]
pub async fn change(State(people): State<People>, caller: Caller, Json(body): Json<MeChange>) -> Result<Json<Me>> {
    let id = caller.user()?;
    body.name.as_deref().map_or(Ok(()), |name| fields::name("name", name))?;
    body.locale.as_deref().map_or(Ok(()), |text| fields::locale(text).map(|_| ()))?;
    body.time_zone.as_deref().map_or(Ok(()), fields::time_zone)?;
    body.languages.as_deref().map_or(Ok(()), fields::languages)?;
    body.signature.as_deref().map_or(Ok(()), fields::signature)?;
    let preferences = body.preferences.as_ref().map(fields::preferences).transpose()?;
    people
        .spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let row = user::get(unit.tx(), ws, id)?;
            let languages = body.languages.as_ref().map_or(row.languages.clone(), crate::store::text);
            let profile = Profile {
                name: body.name.as_deref().map_or(row.name.as_str(), str::trim),
                locale: body.locale.as_deref().unwrap_or(&row.locale),
                time_zone: body.time_zone.as_deref().unwrap_or(&row.time_zone),
                languages: &languages,
                signature: body.signature.as_deref().unwrap_or(&row.signature),
                preferences: preferences.as_deref().unwrap_or(&row.preferences),
            };
            user::set_profile(unit.tx(), ws, id, &profile)?;
            let facts = |name: &str, locale: &str, languages: &str| json!({"name": name, "locale": locale, "languages": languages});
            let before = facts(&row.name, &row.locale, &row.languages);
            let after = facts(profile.name, profile.locale, profile.languages);
            // Preferences change with every click on the theme: nobody's audit matter.
            if before != after {
                actions::changed(unit, ("user", id.0), ConfigAction::Changed, (before, after))?;
            }
            Ok(())
        })
        .await?;
    answer(&people, caller.workspace, id).await
}
