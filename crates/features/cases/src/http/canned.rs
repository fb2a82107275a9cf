//! `GET|POST /api/canned`, `PATCH|DELETE /api/canned/{id}`: canned replies.

use crate::http::edit::is_language;
use crate::store::canned::{self, CANNED_MAX};
use crate::store::people;
use crate::store::predicate::Sight;
use crate::wire::CannedReply;
use crate::{configured, visibility};
use axum::extract::State;
use domain::limits::{self, NAME_CHARS, NOTE_CHARS};
use domain::{CannedReplyId, Code, Id, Rejection, TeamId};
use http::StatusCode;
use serde::Deserialize;
use spine::{Refusal, Spine, Unit};
use utoipa::ToSchema;
use web::{Caller, Items, Json, Path, Result};

const SHORTCUT_CHARS: usize = 40;

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct NewCannedReply {
    shortcut: String,
    title: String,
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    team_id: Option<TeamId>,
    body: String,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct CannedReplyChange {
    #[serde(default)]
    shortcut: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default, deserialize_with = "web::given")]
    #[schema(value_type = Option<String>)]
    language: Option<Option<String>>,
    #[serde(default, deserialize_with = "web::given")]
    #[schema(value_type = Option<TeamId>)]
    team_id: Option<Option<TeamId>>,
    #[serde(default)]
    body: Option<String>,
}

#[utoipa::path(get, path = "/api/canned", tag = "canned", responses((status = 200, body = Items<CannedReply>)))]
pub(crate) async fn list_canned(State(spine): State<Spine>, caller: Caller) -> Result<Json<Items<CannedReply>>> {
    let replies = spine
        .db()
        .read(move |r| {
            let sight = Sight::of(r, caller.workspace, caller.user, &caller.access)?;
            let all = canned::all(r, caller.workspace)?;
            let usable = all.into_iter().filter(|reply| visibility::may_send(reply, &sight.viewer, &caller.access));
            Ok::<_, Refusal>(usable.collect::<Vec<_>>())
        })
        .await?;
    Ok(Json(replies.into()))
}

#[utoipa::path(post, path = "/api/canned", tag = "canned", request_body = NewCannedReply,
    responses((status = 201, body = CannedReply)))]
pub(crate) async fn create_canned(
    State(spine): State<Spine>,
    caller: Caller,
    Json(body): Json<NewCannedReply>,
) -> Result<(StatusCode, Json<CannedReply>)> {
    let id: CannedReplyId = spine.next_id();
    let created = spine
        .execute(caller.order(), move |unit| {
            let created = CannedReply {
                id,
                shortcut: body.shortcut.trim().to_owned(),
                title: body.title.trim().to_owned(),
                language: body.language.clone(),
                team_id: body.team_id,
                body: body.body.clone(),
                uses: 0,
            };
            save(unit, None, &created)?;
            Ok(created)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(created)))
}

#[utoipa::path(patch, path = "/api/canned/{id}", tag = "canned", params(("id" = CannedReplyId, Path)),
    request_body = CannedReplyChange, responses((status = 200, body = CannedReply)))]
pub(crate) async fn change_canned(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CannedReplyId>,
    Json(body): Json<CannedReplyChange>,
) -> Result<Json<CannedReply>> {
    let changed = spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let before = canned::by_id(unit.tx(), ws, id)?.ok_or(Refusal::NotFound)?;
            let trimmed = |text: &Option<String>| text.as_ref().map(|text| text.trim().to_owned());
            let after = CannedReply {
                shortcut: trimmed(&body.shortcut).unwrap_or_else(|| before.shortcut.clone()),
                title: trimmed(&body.title).unwrap_or_else(|| before.title.clone()),
                language: body.language.clone().unwrap_or_else(|| before.language.clone()),
                team_id: body.team_id.unwrap_or(before.team_id),
                body: body.body.clone().unwrap_or_else(|| before.body.clone()),
                ..before.clone()
            };
            save(unit, Some(&before), &after)?;
            Ok(after)
        })
        .await?;
    Ok(Json(changed))
}

#[utoipa::path(delete, path = "/api/canned/{id}", tag = "canned", params(("id" = CannedReplyId, Path)),
    responses((status = 204)))]
pub(crate) async fn delete_canned(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CannedReplyId>,
) -> Result<StatusCode> {
    spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let before = canned::by_id(unit.tx(), ws, id)?.ok_or(Refusal::NotFound)?;
            canned::delete(unit.tx(), ws, id)?;
            configured::record(unit, ("canned_reply", id.uuid()), Some(&before), None)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn save(
    unit: &mut Unit<'_, '_>,
    before: Option<&CannedReply>,
    after: &CannedReply,
) -> std::result::Result<(), Refusal> {
    let ws = unit.workspace();
    limits::text_required("shortcut", &after.shortcut, SHORTCUT_CHARS)?;
    limits::text_required("title", &after.title, NAME_CHARS)?;
    limits::text_required("body", &after.body, NOTE_CHARS)?;
    if after.language.as_deref().is_some_and(|language| !is_language(language)) {
        return Err(Rejection::new(Code::Invalid).on("language").into());
    }
    if let Some(team) = after.team_id
        && people::team_name(unit.tx(), ws, team)?.is_none()
    {
        return Err(Rejection::new(Code::UnknownReference).on("team_id").into());
    }
    let all = canned::all(unit.tx(), ws)?;
    let same = |other: &CannedReply| {
        other.id != after.id
            && (&other.shortcut, &other.language, other.team_id) == (&after.shortcut, &after.language, after.team_id)
    };
    if all.iter().any(same) {
        return Err(Rejection::new(Code::AlreadyExists).on("shortcut").into());
    }
    if before.is_none() && all.len() >= usize::try_from(CANNED_MAX).unwrap_or(0) {
        return Err(Rejection::new(Code::TooMany).with("max", CANNED_MAX).into());
    }
    canned::save(unit.tx(), ws, after)?;
    configured::record(unit, ("canned_reply", after.id.uuid()), before, Some(after))
}
