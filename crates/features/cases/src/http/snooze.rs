//! `POST /api/cases/{id}/snooze`: out of the queue until a time.

use crate::admission;
use crate::wire::CaseDetail;
use axum::extract::State;
use domain::case::CaseCommand;
use domain::{CaseId, Permission, Timestamp};
use serde::Deserialize;
use spine::Spine;
use utoipa::ToSchema;
use web::{Caller, Json, Path, Result};

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
pub(crate) struct SnoozeBody {
    until: Timestamp,
}

#[utoipa::path(post, path = "/api/cases/{id}/snooze", tag = "cases", params(("id" = CaseId, Path)),
    request_body = SnoozeBody, responses((status = 200, body = CaseDetail)))]
pub(crate) async fn snooze_case(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CaseId>,
    Json(body): Json<SnoozeBody>,
) -> Result<Json<CaseDetail>> {
    admission::command(&spine, caller, id, Permission::CaseEdit, move |_, _| {
        Ok(CaseCommand::Snooze { until: body.until })
    })
    .await
}
