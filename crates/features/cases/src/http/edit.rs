//! `PATCH /api/cases/{id}`: subject, priority, reason, tags, language, skills.

use crate::admission;
use crate::store::{people, reason};
use crate::wire::CaseDetail;
use axum::extract::State;
use domain::case::{CaseCommand, CaseEdit, Priority};
use domain::{CaseId, Code, Permission, ReasonId, Rejection, SkillId};
use serde::Deserialize;
use spine::{Refusal, Spine, Unit};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use web::{Caller, Json, Path, Result};

/// What is absent stays; null takes away.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct EditBody {
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    priority: Option<Priority>,
    #[serde(default, deserialize_with = "web::given")]
    #[schema(value_type = Option<ReasonId>)]
    reason_id: Option<Option<ReasonId>>,
    #[serde(default)]
    tags: Option<BTreeSet<String>>,
    #[serde(default, deserialize_with = "web::given")]
    #[schema(value_type = Option<String>)]
    language: Option<Option<String>>,
    #[serde(default)]
    required_skills: Option<BTreeSet<SkillId>>,
}

#[utoipa::path(patch, path = "/api/cases/{id}", tag = "cases", params(("id" = CaseId, Path)),
    request_body = EditBody, responses((status = 200, body = CaseDetail)))]
pub(crate) async fn edit_case(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CaseId>,
    Json(body): Json<EditBody>,
) -> Result<Json<CaseDetail>> {
    admission::command(&spine, caller, id, Permission::CaseEdit, move |unit, _| {
        references(unit, &body)?;
        let body = body.clone();
        Ok(CaseCommand::Edit(CaseEdit {
            subject: body.subject,
            priority: body.priority,
            reason: body.reason_id,
            tags: body.tags,
            language: body.language,
            required_skills: body.required_skills,
            customer: None,
        }))
    })
    .await
}

/// Ids that name other things are checked too (SECURITY row 11).
fn references(unit: &mut Unit<'_, '_>, body: &EditBody) -> std::result::Result<(), Refusal> {
    let unknown = |field: &str| Err(Rejection::new(Code::UnknownReference).on(field).into());
    let ws = unit.workspace();
    if let Some(Some(id)) = body.reason_id
        && !reason::by_id(unit.tx(), ws, id)?.is_some_and(|reason| reason.active)
    {
        return unknown("reason_id");
    }
    if let Some(skills) = &body.required_skills
        && (skills.len() > domain::limits::SKILLS_PER_CASE || !people::skills_exist(unit.tx(), ws, skills)?)
    {
        return unknown("required_skills");
    }
    if let Some(Some(language)) = &body.language
        && !is_language(language)
    {
        return Err(Rejection::new(Code::Invalid).on("language").into());
    }
    Ok(())
}

/// A language tag such as `zh-CN` (RFC 5646, its letters and length only).
pub(crate) fn is_language(tag: &str) -> bool {
    let parts: Vec<&str> = tag.split('-').collect();
    tag.len() <= 35
        && parts.iter().all(|part| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric()))
}
