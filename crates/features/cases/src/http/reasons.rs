//! `GET|POST /api/reasons`, `PATCH|DELETE /api/reasons/{id}`: the taxonomy tree of reasons of contact.

use crate::configured;
use crate::store::{people, reason};
use crate::wire::Reason;
use axum::extract::State;
use domain::limits::{self, NAME_CHARS, SKILLS_PER_CASE};
use domain::{Code, Id, ReasonId, Rejection, SkillId};
use http::StatusCode;
use serde::Deserialize;
use spine::{Refusal, Spine, Unit};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use web::{Caller, Items, Json, Path, Result};

/// Levels of the tree.
const DEPTH_MAX: usize = 6;
/// Reasons of one workspace.
const REASONS_MAX: usize = 2_000;

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct NewReason {
    #[serde(default)]
    parent_id: Option<ReasonId>,
    name_zh: String,
    name_en: String,
    #[serde(default)]
    required_skills: BTreeSet<SkillId>,
    #[serde(default)]
    position: i32,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct ReasonChange {
    /// Null: a root of the tree.
    #[serde(default, deserialize_with = "web::given")]
    #[schema(value_type = Option<ReasonId>)]
    parent_id: Option<Option<ReasonId>>,
    #[serde(default)]
    name_zh: Option<String>,
    #[serde(default)]
    name_en: Option<String>,
    #[serde(default)]
    required_skills: Option<BTreeSet<SkillId>>,
    #[serde(default)]
    active: Option<bool>,
    #[serde(default)]
    position: Option<i32>,
}

#[utoipa::path(get, path = "/api/reasons", tag = "reasons", responses((status = 200, body = Items<Reason>)))]
pub(crate) async fn list_reasons(State(spine): State<Spine>, caller: Caller) -> Result<Json<Items<Reason>>> {
    let reasons = spine.db().read(move |r| reason::all(r, caller.workspace)).await?;
    Ok(Json(reasons.into()))
}

#[utoipa::path(post, path = "/api/reasons", tag = "reasons", request_body = NewReason,
    responses((status = 201, body = Reason)))]
pub(crate) async fn create_reason(
    State(spine): State<Spine>,
    caller: Caller,
    Json(body): Json<NewReason>,
) -> Result<(StatusCode, Json<Reason>)> {
    let id: ReasonId = spine.next_id();
    let created = spine
        .execute(caller.order(), move |unit| {
            let created = Reason {
                id,
                parent_id: body.parent_id,
                name_zh: body.name_zh.trim().to_owned(),
                name_en: body.name_en.trim().to_owned(),
                required_skills: body.required_skills.iter().copied().collect(),
                active: true,
                position: body.position,
            };
            save(unit, None, &created)?;
            Ok(created)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(created)))
}

#[utoipa::path(patch, path = "/api/reasons/{id}", tag = "reasons", params(("id" = ReasonId, Path)),
    request_body = ReasonChange, responses((status = 200, body = Reason)))]
pub(crate) async fn change_reason(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<ReasonId>,
    Json(body): Json<ReasonChange>,
) -> Result<Json<Reason>> {
    let changed = spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let before = reason::by_id(unit.tx(), ws, id)?.ok_or(Refusal::NotFound)?;
            let skills = body.required_skills.as_ref().map(|skills| skills.iter().copied().collect());
            let trimmed = |name: &Option<String>| name.as_ref().map(|name| name.trim().to_owned());
            let after = Reason {
                id,
                parent_id: body.parent_id.unwrap_or(before.parent_id),
                name_zh: trimmed(&body.name_zh).unwrap_or_else(|| before.name_zh.clone()),
                name_en: trimmed(&body.name_en).unwrap_or_else(|| before.name_en.clone()),
                required_skills: skills.unwrap_or_else(|| before.required_skills.clone()),
                active: body.active.unwrap_or(before.active),
                position: body.position.unwrap_or(before.position),
            };
            save(unit, Some(&before), &after)?;
            Ok(after)
        })
        .await?;
    Ok(Json(changed))
}

#[utoipa::path(delete, path = "/api/reasons/{id}", tag = "reasons", params(("id" = ReasonId, Path)),
    responses((status = 204, description = "`in_use` while cases or other reasons refer to it: make it inactive instead")))]
pub(crate) async fn delete_reason(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<ReasonId>,
) -> Result<StatusCode> {
    spine
        .execute(caller.order(), move |unit| {
            let ws = unit.workspace();
            let all = reason::all(unit.tx(), ws)?;
            let before = all.iter().find(|reason| reason.id == id).ok_or(Refusal::NotFound)?;
            let is_parent = all.iter().any(|reason| reason.parent_id == Some(id));
            if is_parent || reason::is_used(unit.tx(), ws, id)? {
                return Err(Code::InUse.into());
            }
            reason::delete(unit.tx(), ws, id)?;
            configured::record(unit, ("reason", id.uuid()), Some(before), None)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn save(unit: &mut Unit<'_, '_>, before: Option<&Reason>, after: &Reason) -> std::result::Result<(), Refusal> {
    let ws = unit.workspace();
    limits::text_required("name_zh", &after.name_zh, NAME_CHARS)?;
    limits::text_required("name_en", &after.name_en, NAME_CHARS)?;
    let skills: BTreeSet<SkillId> = after.required_skills.iter().copied().collect();
    if skills.len() > SKILLS_PER_CASE {
        return Err(Rejection::new(Code::TooMany).with("max", SKILLS_PER_CASE).on("required_skills").into());
    }
    if !people::skills_exist(unit.tx(), ws, &skills)? {
        return Err(Rejection::new(Code::UnknownReference).on("required_skills").into());
    }
    let all = reason::all(unit.tx(), ws)?;
    if before.is_none() && all.len() >= REASONS_MAX {
        return Err(Rejection::new(Code::TooMany).with("max", REASONS_MAX).into());
    }
    stays_a_tree(&all, after)?;
    reason::save(unit.tx(), ws, after)?;
    configured::record(unit, ("reason", after.id.uuid()), before, Some(after))
}

/// The parent exists, is not below the reason itself, and the tree stays within its depth.
fn stays_a_tree(all: &[Reason], changed: &Reason) -> std::result::Result<(), Rejection> {
    let parent_of = |id: ReasonId| all.iter().find(|reason| reason.id == id).map(|reason| reason.parent_id);
    let mut above = changed.parent_id;
    let mut levels = 1;
    while let Some(id) = above {
        levels += 1;
        if id == changed.id {
            return Err(Rejection::new(Code::Invalid).on("parent_id"));
        }
        above = parent_of(id).ok_or_else(|| Rejection::new(Code::UnknownReference).on("parent_id"))?;
    }
    if levels + height(all, changed.id) > DEPTH_MAX {
        return Err(Rejection::new(Code::TooMany).with("max", DEPTH_MAX).on("parent_id"));
    }
    Ok(())
}

/// Levels below a reason. The stored tree is within its depth, which bounds the recursion.
fn height(all: &[Reason], id: ReasonId) -> usize {
    let children = all.iter().filter(|reason| reason.parent_id == Some(id));
    children.map(|child| 1 + height(all, child.id)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(id: u128, parent: u128) -> Reason {
        let parent_id = (parent > 0).then(|| ReasonId(uuid::Uuid::from_u128(parent)));
        let id = ReasonId(uuid::Uuid::from_u128(id));
        Reason {
            id,
            parent_id,
            name_zh: "退货".into(),
            name_en: "Return".into(),
            required_skills: Vec::new(),
            active: true,
            position: 0,
        }
    }

    #[test]
    fn a_tree_stays_a_tree() {
        let all: Vec<Reason> = (1..=6).map(|n| reason(n, n - 1)).collect();
        let code = |changed: &Reason| stays_a_tree(&all, changed).err().map(|rejection| rejection.code);
        assert_eq!(code(&reason(7, 5)), None);
        assert_eq!(code(&reason(7, 6)), Some(Code::TooMany));
        assert_eq!(code(&reason(2, 4)), Some(Code::Invalid));
        assert_eq!(code(&reason(2, 2)), Some(Code::Invalid));
        assert_eq!(code(&reason(7, 99)), Some(Code::UnknownReference));
        assert_eq!(code(&reason(2, 0)), None);
    }
}
