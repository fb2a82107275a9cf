//! `POST /api/cases/{id}/seen` and `/unread`: what this agent has looked at.

use crate::admission;
use crate::store::seen;
use axum::extract::State;
use domain::CaseId;
use http::StatusCode;
use spine::Spine;
use web::{Caller, Path, Result};

#[utoipa::path(post, path = "/api/cases/{id}/seen", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 204)))]
pub(crate) async fn mark_seen(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CaseId>,
) -> Result<StatusCode> {
    let user = caller.user()?;
    spine
        .execute(caller.order_once(), move |unit| {
            admission::seen(unit.tx(), &caller, id)?;
            let now = unit.now();
            seen::mark(unit.tx(), caller.workspace, user, id, now)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/api/cases/{id}/unread", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 204)))]
pub(crate) async fn mark_unread(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CaseId>,
) -> Result<StatusCode> {
    let user = caller.user()?;
    spine
        .execute(caller.order_once(), move |unit| {
            admission::seen(unit.tx(), &caller, id)?;
            seen::forget(unit.tx(), caller.workspace, user, id)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
