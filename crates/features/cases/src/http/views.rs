//! `GET|POST /api/views`, `PATCH|DELETE /api/views/{id}`: built-in and saved views.

use crate::store::predicate::Sight;
use crate::store::view::{self, SavedView, VIEWS_MAX};
use crate::wire::{Sort, View, ViewScope};
use crate::{admission, builtin, configured, visibility};
use axum::extract::State;
use domain::filter::Filter;
use domain::limits::{self, NAME_CHARS};
use domain::{Code, Permission, Rejection, TeamId, ViewId};
use http::StatusCode;
use serde::Deserialize;
use spine::{Refusal, Spine, Unit};
use utoipa::ToSchema;
use web::{Caller, Items, Json, Path, Result};

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct NewView {
    name: String,
    /// `mine`, `team` or `shared`
    scope: ViewScope,
    /// Needed for `team`.
    #[serde(default)]
    team_id: Option<TeamId>,
    filter: Filter,
    #[serde(default)]
    sort: Sort,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct ViewChange {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    scope: Option<ViewScope>,
    #[serde(default)]
    team_id: Option<TeamId>,
    #[serde(default)]
    filter: Option<Filter>,
    #[serde(default)]
    sort: Option<Sort>,
    #[serde(default)]
    position: Option<i32>,
}

#[utoipa::path(get, path = "/api/views", tag = "views", responses((status = 200, body = Items<View>)))]
pub(crate) async fn list_views(State(spine): State<Spine>, caller: Caller) -> Result<Json<Items<View>>> {
    let views = spine
        .db()
        .read(move |r| {
            let sight = Sight::of(r, caller.workspace, caller.user, &caller.access)?;
            let saved = view::all(r, caller.workspace)?;
            let usable = saved.into_iter().filter(|view| visibility::may_use(view, &sight.viewer));
            let wired = usable.map(|view| visibility::wire(view, &sight.viewer, &caller.access));
            Ok::<_, Refusal>(builtin::views().into_iter().chain(wired).collect::<Vec<_>>())
        })
        .await?;
    Ok(Json(views.into()))
}

#[utoipa::path(post, path = "/api/views", tag = "views", request_body = NewView,
    responses((status = 201, body = View)))]
pub(crate) async fn create_view(
    State(spine): State<Spine>,
    caller: Caller,
    Json(body): Json<NewView>,
) -> Result<(StatusCode, Json<View>)> {
    let asker = caller.clone();
    let id: ViewId = spine.next_id();
    let id = spine
        .execute(caller.order(), move |unit| {
            let mut saved = SavedView {
                id,
                name: body.name.trim().to_owned(),
                owner: None,
                team: None,
                filter: body.filter.clone(),
                sort: body.sort,
                position: 0,
            };
            place(unit, &asker, &mut saved, (body.scope, body.team_id))?;
            check(&saved)?;
            let ws = unit.workspace();
            if view::all(unit.tx(), ws)?.len() >= usize::try_from(VIEWS_MAX).unwrap_or(0) {
                return Err(Rejection::new(Code::TooMany).with("max", VIEWS_MAX).into());
            }
            view::save(unit.tx(), ws, &saved)?;
            configured::record(unit, ("view", domain::Id::uuid(saved.id)), None, Some(&saved))?;
            Ok(saved.id)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(read(&spine, caller, id).await?)))
}

#[utoipa::path(patch, path = "/api/views/{id}", tag = "views", params(("id" = String, Path, format = "uuid")), request_body = ViewChange,
    responses((status = 200, body = View)))]
pub(crate) async fn change_view(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<ViewId>,
    Json(body): Json<ViewChange>,
) -> Result<Json<View>> {
    let asker = caller.clone();
    spine
        .execute(caller.order(), move |unit| {
            let before = changeable(unit, &asker, id)?;
            let mut after = before.clone();
            if let Some(name) = &body.name {
                name.trim().clone_into(&mut after.name);
            }
            if let Some(filter) = &body.filter {
                after.filter = filter.clone();
            }
            after.sort = body.sort.unwrap_or(after.sort);
            after.position = body.position.unwrap_or(after.position);
            if let Some(scope) = body.scope {
                place(unit, &asker, &mut after, (scope, body.team_id))?;
            }
            check(&after)?;
            let ws = unit.workspace();
            view::save(unit.tx(), ws, &after)?;
            configured::record(unit, ("view", domain::Id::uuid(id)), Some(&before), Some(&after))
        })
        .await?;
    Ok(Json(read(&spine, caller, id).await?))
}

#[utoipa::path(delete, path = "/api/views/{id}", tag = "views", params(("id" = String, Path, format = "uuid")),
    responses((status = 204)))]
pub(crate) async fn delete_view(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<ViewId>,
) -> Result<StatusCode> {
    spine
        .execute(caller.order(), move |unit| {
            let before = changeable(unit, &caller, id)?;
            let ws = unit.workspace();
            view::delete(unit.tx(), ws, id)?;
            configured::record(unit, ("view", domain::Id::uuid(id)), Some(&before), None)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The view, if the caller may change it: 404 when it is not theirs to see, 403 when it is shared.
fn changeable(unit: &mut Unit<'_, '_>, caller: &Caller, id: ViewId) -> std::result::Result<SavedView, Refusal> {
    let ws = unit.workspace();
    let sight = Sight::of(unit.tx(), ws, caller.user, &caller.access)?;
    let saved = view::by_id(unit.tx(), ws, id)?.filter(|view| visibility::may_use(view, &sight.viewer));
    let saved = saved.ok_or(Refusal::NotFound)?;
    if visibility::may_change(&saved, &sight.viewer, &caller.access) {
        Ok(saved)
    } else {
        Err(admission::forbidden(Permission::ViewShare))
    }
}

/// Puts a view where it is to be seen; sharing needs the permission, a team must be one's own.
fn place(
    unit: &mut Unit<'_, '_>,
    caller: &Caller,
    view: &mut SavedView,
    (scope, team): (ViewScope, Option<TeamId>),
) -> std::result::Result<(), Refusal> {
    let shares = caller.access.allows(Permission::ViewShare);
    (view.owner, view.team) = match scope {
        ViewScope::Builtin => return Err(Rejection::new(Code::Invalid).on("scope").into()),
        ViewScope::Mine => (Some(caller.user.ok_or(Code::Forbidden)?), None),
        ViewScope::Team | ViewScope::Shared if !shares => return Err(admission::forbidden(Permission::ViewShare)),
        ViewScope::Shared => (None, None),
        ViewScope::Team => {
            let team = team.ok_or_else(|| Rejection::new(Code::Required).on("team_id"))?;
            let sight = Sight::of(unit.tx(), caller.workspace, caller.user, &caller.access)?;
            if !sight.viewer.teams.contains(&team) {
                return Err(Rejection::new(Code::UnknownReference).on("team_id").into());
            }
            (None, Some(team))
        }
    };
    Ok(())
}

fn check(view: &SavedView) -> std::result::Result<(), Rejection> {
    limits::text_required("name", &view.name, NAME_CHARS)?;
    view.filter.check()
}

async fn read(spine: &Spine, caller: Caller, id: ViewId) -> Result<View> {
    let view = spine
        .db()
        .read(move |r| {
            let sight = Sight::of(r, caller.workspace, caller.user, &caller.access)?;
            let saved = view::by_id(r, caller.workspace, id)?.ok_or(Refusal::NotFound)?;
            Ok::<_, Refusal>(visibility::wire(saved, &sight.viewer, &caller.access))
        })
        .await?;
    Ok(view)
}
